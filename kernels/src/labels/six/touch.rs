//! The touch table: for every price level, the nearest row ahead that reaches it.
//!
//! Walking the rows from right to left, `up[p]` is the nearest later row whose high reached level p, `down[p]` likewise
//! for lows. At row j every level up to its high is touched at j itself. Those cells are left stale: a read replaces
//! them, and a cell is written when its level leaves the bar, so a row costs only the levels between two neighbouring
//! bars. A level farther from the entry is never reached earlier, so the adverse move of a win is the number of levels
//! next to the entry that are reached by the deciding row.
//!
//! What a row reads is 16 cells on each side and one farther on. Sixteen rows are read, then turned into columns, a level
//! each, and decided at once: nothing of that needs a branch or a sum across lanes.

use super::{Ahead, Direction, LOOK_AHEAD, MODES, Outcome};
use crate::lanes::{Lanes, SIXTEEN, Square};
use crate::level::kernel;

/// Price levels the table can hold.
pub(in crate::labels) const LEVELS: usize = 1 << 16;
/// Levels read beyond the last price.
const PAD: usize = FAR;
/// Levels written at once. As many more lie below the lowest price, less one.
pub(in crate::labels) const WRITTEN: usize = 32;
/// A level not reached within the block. Rows of a block are below it.
pub(in crate::labels) const NEVER: i16 = i16::MAX;

/// The range of a block's prices, if the table holds it.
#[derive(Clone, Copy)]
pub(in crate::labels) struct Span {
    pub(in crate::labels) lowest: i32,
    pub(in crate::labels) highest: i32,
}

impl Span {
    pub(in crate::labels) fn of(ahead: &Ahead<'_>) -> Option<Self> {
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
    pub(super) fn outcomes(&mut self, ahead: &Ahead<'_>, span: Span, out: &mut [&mut [Outcome]; MODES.len()]) {
        fill(self, ahead, span, out);
    }

    #[inline(always)]
    fn fill<L: Lanes>(&mut self, ahead: &Ahead<'_>, span: Span, out: &mut [&mut [Outcome]; MODES.len()]) {
        if ahead.gap_ticks < i32::MAX {
            self.walk::<L, true>(ahead, span, out);
        } else {
            self.walk::<L, false>(ahead, span, out);
        }
    }

    /// One body with gaps of price and one without.
    #[inline(always)]
    fn walk<L: Lanes, const GAPS: bool>(
        &mut self,
        ahead: &Ahead<'_>,
        span: Span,
        out: &mut [&mut [Outcome]; MODES.len()],
    ) {
        let entries = out[0].len();
        let Some(last) = ahead.high.len().checked_sub(1) else { return };
        let (mut up, mut down) = (Touches::new(&mut self.up, span), Touches::new(&mut self.down, span));
        // The nearest row from here on before a gap of price: the first one that the gap affects.
        let mut gap = NEVER;
        for row in (entries + 1..=last).rev() {
            up.step((ahead.high[row] - span.lowest) as usize, row);
            down.step((span.highest - ahead.low[row]) as usize, row);
            if GAPS && ahead.ends_at(row) {
                gap = row as i16;
            }
        }
        for start in (0..entries).step_by(SIXTEEN).rev() {
            let bars = Sixteen::new(ahead, span, start + 1);
            let mut deadline = [LOOK_AHEAD as i16; SIXTEEN];
            for lane in (0..SIXTEEN.min(entries - start)).rev() {
                let row = start + 1 + lane;
                let (open, high, low) = (bars.open[lane], bars.high[lane], bars.low[lane]);
                // Read before the row's own cells are written: a processor waits for those that it has just written.
                up.read((open - span.lowest) as usize, lane);
                down.read((span.highest - open) as usize, lane);
                up.step((high - span.lowest) as usize, row);
                down.step((span.highest - low) as usize, row);
                if GAPS {
                    gap = if ahead.ends_at(row) { row as i16 } else { gap };
                    deadline[lane] = deadline[lane].min(gap - row as i16);
                }
            }
            let (above, below) = bars.sides::<L>(&up.read, &down.read, start + 1);
            let (long, short) = ((&above, &below), (&below, &above));
            let [a, b, c, d, e, f] = out.each_mut().map(|column| &mut column[start..]);
            set::<L, 0>(long, &deadline, a);
            set::<L, 1>(long, &deadline, b);
            set::<L, 2>(long, &deadline, c);
            set::<L, 3>(short, &deadline, d);
            set::<L, 4>(short, &deadline, e);
            set::<L, 5>(short, &deadline, f);
        }
    }
}

kernel!(fn fill['a, 'o]['a, 'o](
    table: &'a mut Table, ahead: &'a Ahead<'a>, span: Span, out: &'a mut [&'o mut [Outcome]; MODES.len()]
) {
    table.fill::<L>(ahead, span, out);
});

/// The rows that reach each level in one direction, but for those up to the extreme of the row last taken in.
struct Touches<'a> {
    /// The cell of level 0 is `WRITTEN - 1`.
    cells: &'a mut [i16],
    /// Extreme of the row last taken in.
    extreme: usize,
    read: Read,
}

/// The cells that the entries of sixteen rows have read.
struct Read {
    /// Those of the levels 1 to 16 ticks away, a row each.
    near: Square,
    /// Those of the level [`FAR`] ticks away.
    far: Column,
}

/// A number for each of sixteen rows.
type Column = [i16; SIXTEEN];

impl<'a> Touches<'a> {
    #[inline(always)]
    fn new(cells: &'a mut [i16], span: Span) -> Self {
        let cells = &mut cells[..WRITTEN - 1 + (span.highest - span.lowest) as usize + 1 + PAD];
        cells.fill(NEVER);
        // Level 0 is within the extreme of every row, so nothing is written at the first one.
        Self { cells, extreme: 0, read: Read { near: [[NEVER; SIXTEEN]; SIXTEEN], far: [NEVER; SIXTEEN] } }
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

    /// Reads the cells from one level above `entry` on.
    #[inline(always)]
    fn read(&mut self, entry: usize, lane: usize) {
        let cells = &self.cells[WRITTEN + entry..][..FAR];
        self.read.near[lane].copy_from_slice(&cells[..SIXTEEN]);
        self.read.far[lane] = cells[FAR - 1];
    }
}

/// Ticks to the farthest target.
const FAR: usize = 20;

/// The bars of sixteen rows and of the one after them; what lies behind the last row reaches nothing.
struct Sixteen {
    open: [i32; SIXTEEN],
    high: [i32; SIXTEEN + 1],
    low: [i32; SIXTEEN + 1],
}

impl Sixteen {
    #[inline(always)]
    fn new(ahead: &Ahead<'_>, span: Span, row: usize) -> Self {
        Self {
            open: rows(ahead.open, row, span.lowest),
            high: rows(ahead.high, row, span.lowest),
            low: rows(ahead.low, row, span.highest),
        }
    }

    /// When the levels above the entries at rows from `row` on are reached, and those below.
    #[inline(always)]
    fn sides<L: Lanes>(&self, up: &Read, down: &Read, row: usize) -> (Side<L>, Side<L>) {
        let rows = L::add(L::splat(row as i16), L::load(&LANE));
        let (mut highs, mut lows) = ([[0; SIXTEEN]; 2], [[0; SIXTEEN]; 2]);
        for after in 0..2 {
            for lane in 0..SIXTEEN {
                highs[after][lane] = narrow(self.high[lane + after] - self.open[lane]);
                lows[after][lane] = narrow(self.open[lane] - self.low[lane + after]);
            }
        }
        (Side::new(up, &highs, rows), Side::new(down, &lows, rows))
    }
}

/// The number of each lane.
const LANE: Column = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// `N` rows from `row` on, and `behind` after the last one.
#[inline(always)]
fn rows<const N: usize>(column: &[i32], row: usize, behind: i32) -> [i32; N] {
    let column = &column[row..];
    column.first_chunk().copied().unwrap_or_else(|| {
        let mut rows = [behind; N];
        rows[..column.len()].copy_from_slice(column);
        rows
    })
}

/// Ticks, as far as they matter.
#[inline(always)]
fn narrow(ticks: i32) -> i16 {
    ticks.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// How many rows after sixteen entries the levels on one side of them are reached, by level.
struct Side<L: Lanes> {
    near: [L::Sixteen; SIXTEEN],
    far: L::Sixteen,
}

impl<L: Lanes> Side<L> {
    /// The bars of the entries reach the levels up to `extremes[0]`, the bars after them, whose cells are not written yet,
    /// those up to `extremes[1]`.
    #[inline(always)]
    fn new(read: &Read, extremes: &[Column; 2], rows: L::Sixteen) -> Self {
        let [own, next] = [L::load(&extremes[0]), L::load(&extremes[1])];
        let mut side = Self { near: L::columns(&read.near), far: L::load(&read.far) };
        for level in 0..SIXTEEN {
            side.near[level] = after::<L>(side.near[level], [own, next], rows, level as i16 + 1);
        }
        side.far = after::<L>(side.far, [own, next], rows, FAR as i16);
        side
    }

    /// Those of the level `ticks` away.
    #[inline(always)]
    fn reach(&self, ticks: i32) -> L::Sixteen {
        if ticks as usize <= SIXTEEN { self.near[ticks as usize - 1] } else { self.far }
    }
}

/// From the cells of the level `ticks` away to rows after the entries. Every cell was written for a later row.
#[inline(always)]
fn after<L: Lanes>(cells: L::Sixteen, [own, next]: [L::Sixteen; 2], rows: L::Sixteen, ticks: i16) -> L::Sixteen {
    let ticks = L::splat(ticks);
    // 1 where the next bar reaches it, as late as can be where not; 0 where the entry's own bar does.
    let next = L::or(L::and(L::greater(ticks, next), L::splat(NEVER)), L::splat(1));
    L::and(L::greater(ticks, own), L::min(next, L::sub(cells, rows)))
}

/// Sets the first sixteen outcomes of mode `MODE`, or all.
#[inline(always)]
fn set<L: Lanes, const MODE: usize>(
    (favourable, adverse): (&Side<L>, &Side<L>),
    deadline: &Column,
    out: &mut [Outcome],
) {
    let mode = const { MODES[MODE] };
    let (target, stop) = (favourable.reach(mode.target), adverse.reach(mode.stop));
    // Before the stop is reached, no level at or beyond it counts: those of the others that are reached by then.
    let tick = Outcome::of(1, 0).0 - Outcome::of(0, 0).0;
    let mut win = L::or(L::splat(Outcome::of((mode.stop - 1) as u8, 0).0 as i16), target);
    for ticks in 1..mode.stop {
        win = L::sub(win, L::and(L::greater(adverse.reach(ticks), target), L::splat(tick as i16)));
    }
    let wins = L::greater(L::min(stop, L::load(deadline)), target);
    let mut bits = [0; SIXTEEN];
    L::store(L::and(wins, win), &mut bits);
    for (out, bits) in out.iter_mut().zip(bits) {
        *out = Outcome(bits as u16);
    }
}

// The farthest level read, and the assumption that every target and stop is a near level or the far one.
const _: () = {
    let mut k = 0;
    while k < MODES.len() {
        let (stop, target) = (MODES[k].stop as usize, MODES[k].target as usize);
        assert!(stop <= SIXTEEN && (target <= SIXTEEN || target == FAR));
        assert!(matches!(MODES[k].direction, Direction::Long) == (k < 3));
        k += 1;
    }
};
