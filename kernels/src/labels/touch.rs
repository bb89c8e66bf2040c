//! The touch table: for every price level, the nearest row ahead that reaches it.
//!
//! Walking the rows from right to left, `up[p]` is the nearest later row whose high reached level p, `down[p]` likewise
//! for lows. At row j every level up to its high is touched at j itself. Those cells are left stale: a read replaces
//! them, and a cell is written when its level leaves the bar, so a row costs only the levels between two neighbouring
//! bars. A level farther from the entry is never reached earlier, so the adverse move of a win is the number of levels
//! next to the entry that are reached by the deciding row: one vector compare.

use std::hint::select_unpredictable;

use super::{Ahead, Direction, LOOK_AHEAD, MODES, Mode, Outcome};
use crate::lanes::{Lanes, SIXTEEN};
use crate::level::kernel;

/// Price levels the table can hold.
const LEVELS: usize = 1 << 16;
/// Levels read beyond the last price.
const PAD: usize = FAR;
/// Levels written at once. As many more lie below the lowest price, less one.
const WRITTEN: usize = 32;
/// A level not reached within the block. Rows of a block are below it.
const NEVER: i16 = i16::MAX;

/// The range of a block's prices, if the table holds it.
#[derive(Clone, Copy)]
pub(super) struct Span {
    lowest: i32,
    highest: i32,
}

impl Span {
    pub(super) fn of(ahead: &Ahead<'_>) -> Option<Self> {
        let lowest = ahead.low.iter().fold(i32::MAX, |lowest, &low| lowest.min(low));
        let highest = ahead.high.iter().fold(i32::MIN, |highest, &high| highest.max(high));
        ((highest - lowest) < LEVELS as i32).then_some(Self { lowest, highest })
    }
}

/// The cells of both directions. Those of `down` stand upside down, so that one body serves both: a level is a distance
/// from the lowest price or from the highest, and what has yet to be reached lies above it.
#[derive(Clone, Debug)]
pub(super) struct Table {
    up: Box<[i16]>,
    down: Box<[i16]>,
}

impl Table {
    pub(super) fn new() -> Self {
        let cells = vec![NEVER; WRITTEN - 1 + LEVELS + PAD].into_boxed_slice();
        Self { up: cells.clone(), down: cells }
    }

    /// Outcomes of the entries at rows 1, 2, .. of `ahead`, as many as the columns of `out` are long.
    pub(super) fn outcomes(&mut self, ahead: &Ahead<'_>, span: Span, out: &mut [&mut [Outcome]; 6]) {
        fill(self, ahead, span, out);
    }

    #[inline(always)]
    fn fill<L: Lanes>(&mut self, ahead: &Ahead<'_>, span: Span, out: &mut [&mut [Outcome]; 6]) {
        if ahead.gap_ticks < i32::MAX {
            self.walk::<L, true>(ahead, span, out);
        } else {
            self.walk::<L, false>(ahead, span, out);
        }
    }

    /// One body with gaps of price and one without.
    #[inline(always)]
    fn walk<L: Lanes, const GAPS: bool>(&mut self, ahead: &Ahead<'_>, span: Span, out: &mut [&mut [Outcome]; 6]) {
        let entries = out[0].len();
        let Some(last) = ahead.high.len().checked_sub(1) else { return };
        let mut walk =
            Walk { up: Touches::new(&mut self.up, span), down: Touches::new(&mut self.down, span), span, gap: NEVER };
        for row in (entries + 1..=last).rev() {
            let extremes = walk.extremes(ahead, row);
            walk.step::<GAPS>(ahead, row, extremes);
        }
        // Columns of one length, known to the compiler: the loop below checks no index.
        let [a, b, c, d, e, f] = out.each_mut().map(|column| &mut column[..entries]);
        let columns = a.iter_mut().zip(b).zip(c).zip(d.iter_mut().zip(e).zip(f));
        for (signal, (((a, b), c), ((d, e), f))) in columns.enumerate().rev() {
            let row = signal + 1;
            let (high, low) = walk.extremes(ahead, row);
            let open = ahead.open[row];
            // Read before the row's own cells are written: a processor waits for those that it has just written.
            let above = Side::<L>::new(&walk.up, (open - span.lowest) as usize, high, row as i16);
            let below = Side::<L>::new(&walk.down, (span.highest - open) as usize, low, row as i16);
            walk.step::<GAPS>(ahead, row, (high, low));
            let deadline = walk.gap.min((row + LOOK_AHEAD) as i16);
            let entry = Entry { row: row as i16, deadline, above, below };
            *a = entry.outcome(&MODES[0]);
            *b = entry.outcome(&MODES[1]);
            *c = entry.outcome(&MODES[2]);
            *d = entry.outcome(&MODES[3]);
            *e = entry.outcome(&MODES[4]);
            *f = entry.outcome(&MODES[5]);
        }
    }
}

kernel!(fn fill['a, 'o]['a, 'o](
    table: &'a mut Table, ahead: &'a Ahead<'a>, span: Span, out: &'a mut [&'o mut [Outcome]; 6]
) {
    table.fill::<L>(ahead, span, out);
});

/// Both directions on the way from right to left.
struct Walk<'a> {
    up: Touches<'a>,
    down: Touches<'a>,
    span: Span,
    /// The nearest row from here on before a gap of price: the first one that the gap affects.
    gap: i16,
}

impl Walk<'_> {
    /// The levels of the high and the low of `row`.
    #[inline(always)]
    fn extremes(&self, ahead: &Ahead<'_>, row: usize) -> (usize, usize) {
        ((ahead.high[row] - self.span.lowest) as usize, (self.span.highest - ahead.low[row]) as usize)
    }

    /// Takes in `row`.
    #[inline(always)]
    fn step<const GAPS: bool>(&mut self, ahead: &Ahead<'_>, row: usize, (high, low): (usize, usize)) {
        self.up.step(high, row);
        self.down.step(low, row);
        if GAPS && ahead.ends_at(row) {
            self.gap = row as i16;
        }
    }
}

/// The rows that reach each level in one direction, but for those up to the extreme of the row last taken in.
struct Touches<'a> {
    /// The cell of level 0 is `WRITTEN - 1`.
    cells: &'a mut [i16],
    /// Extreme of the row last taken in.
    extreme: usize,
}

impl<'a> Touches<'a> {
    #[inline(always)]
    fn new(cells: &'a mut [i16], span: Span) -> Self {
        let cells = &mut cells[..WRITTEN - 1 + (span.highest - span.lowest) as usize + 1 + PAD];
        cells.fill(NEVER);
        // Level 0 is within the extreme of every row, so nothing is written at the first one.
        Self { cells, extreme: 0 }
    }

    /// Writes the levels that the row to the right reaches and `row` does not, from the highest one down. What is written
    /// too much lies within the extreme of `row` and is stale anyway, so most rows need no branch.
    #[inline(always)]
    fn step(&mut self, extreme: usize, row: usize) {
        let mut top = self.extreme;
        loop {
            self.cells[top..][..WRITTEN].copy_from_slice(&[row as i16 + 1; WRITTEN]);
            if top <= extreme + WRITTEN {
                break;
            }
            top -= WRITTEN;
        }
        self.extreme = extreme;
    }

    /// The cells from one level above `entry` on.
    #[inline(always)]
    fn above(&self, entry: usize) -> &[i16] {
        &self.cells[WRITTEN + entry..][..FAR]
    }
}

/// The rows that reach the levels on one side of an entry: 1 to 16 ticks away, and the farthest target.
struct Side<L: Lanes> {
    near: L::Sixteen,
    far: i16,
}

/// Ticks to the farthest target.
const FAR: usize = 20;

impl<L: Lanes> Side<L> {
    /// Lane k is k + 1 ticks away. The bar at `row` itself reaches the levels up to `extreme`, the bar after it, whose cells
    /// are not written yet, those up to its own.
    #[inline(always)]
    fn new(touches: &Touches<'_>, entry: usize, extreme: usize, row: i16) -> Self {
        let mut levels = [NEVER; FAR];
        levels.copy_from_slice(touches.above(entry));
        let (reached, next) = (extreme - entry, touches.extreme.saturating_sub(entry));
        let far = levels[FAR - 1];
        let (near, _) = levels.as_chunks::<SIXTEEN>();
        let near = L::first(L::sixteen(&near[0]), next.min(SIXTEEN) as i16, row + 1);
        let far = select_unpredictable(next >= FAR, row + 1, far);
        Self {
            near: L::first(near, reached.min(SIXTEEN) as i16, row),
            far: select_unpredictable(reached >= FAR, row, far),
        }
    }

    /// The row that reaches the level `ticks` away.
    #[inline(always)]
    fn reaches(&self, ticks: i32) -> i16 {
        if ticks as usize <= SIXTEEN { L::array(self.near)[ticks as usize - 1] } else { self.far }
    }

    /// How many of the near levels are reached by `row`.
    #[inline(always)]
    fn reached_by(&self, row: i16) -> u32 {
        L::up_to(self.near, row)
    }
}

/// What is known about one entry.
struct Entry<L: Lanes> {
    row: i16,
    /// First row too late to decide: the end of the look-ahead or the row before a gap of price.
    deadline: i16,
    above: Side<L>,
    below: Side<L>,
}

impl<L: Lanes> Entry<L> {
    #[inline(always)]
    fn outcome(&self, mode: &Mode) -> Outcome {
        let (favourable, adverse) = match mode.direction {
            Direction::Long => (&self.above, &self.below),
            Direction::Short => (&self.below, &self.above),
        };
        let target = favourable.reaches(mode.target);
        let wins = target < adverse.reaches(mode.stop).min(self.deadline);
        // Before the stop is reached, no level at or beyond it counts.
        let mae = adverse.reached_by(target) as u8;
        if wins { Outcome::of(mae, (target - self.row) as u16) } else { Outcome::LOSS }
    }
}

// The farthest level read, and the assumption that every target and stop is a near level or the far one.
const _: () = {
    let mut k = 0;
    while k < MODES.len() {
        let (stop, target) = (MODES[k].stop as usize, MODES[k].target as usize);
        assert!(stop <= SIXTEEN && (target <= SIXTEEN || target == FAR));
        k += 1;
    }
};
