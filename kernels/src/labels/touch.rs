//! The touch table: for every price level, the nearest row ahead that reaches it.
//!
//! Walking the rows from right to left, `up[p]` is the nearest later row whose high reached level p, `down[p]` likewise
//! for lows. At row j every level up to its high is touched at j itself. Those cells are left stale: a read replaces
//! them, and a cell is written when its level leaves the bar, so a row costs only the levels between two neighbouring
//! bars. A level farther from the entry is never reached earlier, so the adverse move of a win is the number of levels
//! next to the entry that are reached by the deciding row: one vector compare.

use wide::i16x16;

use super::{Ahead, Direction, LOOK_AHEAD, MODES, Mode, Outcome, is_gap};

/// Price levels the table can hold.
const LEVELS: usize = 1 << 16;
/// Levels read beyond the highest and the lowest price: at least the farthest target, and [`LANES`].
const PAD: usize = 32;
/// Levels next to the entry that are read at once.
const LANES: usize = 16;
/// A level not reached within the block. Rows of a block are below it.
const NEVER: i16 = i16::MAX;

/// The levels a block's prices lie on, if the table holds them.
#[derive(Clone, Copy)]
pub(super) struct Span {
    /// Price of cell 0.
    base: i32,
    cells: usize,
}

impl Span {
    pub(super) fn of(ahead: &Ahead<'_>) -> Option<Self> {
        let lowest = ahead.low.iter().fold(i32::MAX, |lowest, &low| lowest.min(low));
        let highest = ahead.high.iter().fold(i32::MIN, |highest, &high| highest.max(high));
        let levels = usize::try_from(highest - lowest).ok()? + 1;
        (levels <= LEVELS).then_some(Self { base: lowest - PAD as i32, cells: levels + 2 * PAD })
    }
}

/// The cells of both directions.
#[derive(Clone, Debug)]
pub(super) struct Table {
    up: Box<[i16]>,
    down: Box<[i16]>,
}

impl Table {
    pub(super) fn new() -> Self {
        let cells = vec![NEVER; LEVELS + 2 * PAD].into_boxed_slice();
        Self { up: cells.clone(), down: cells }
    }

    /// Outcomes of the entries at rows 1, 2, .. of `ahead`, as many as the columns of `out` are long.
    pub(super) fn outcomes(&mut self, ahead: &Ahead<'_>, span: Span, out: &mut [&mut [Outcome]; 6]) {
        let Ahead { open, high, low, close, gap_ticks } = *ahead;
        let up = &mut self.up[..span.cells];
        let down = &mut self.down[..span.cells];
        up.fill(NEVER);
        down.fill(NEVER);

        let entries = out[0].len();
        let mut next_gap = NEVER;
        // Cells of the high and the low of the row to the right; empty ranges at the start.
        let (mut right_high, mut right_low) = (0, span.cells);
        for row in (1..high.len()).rev() {
            let (row_high, row_low) = ((high[row] - span.base) as usize, (low[row] - span.base) as usize);
            let right = row as i16 + 1;
            if right_high > row_high {
                up[row_high + 1..=right_high].fill(right);
            }
            if right_low < row_low {
                down[right_low..row_low].fill(right);
            }
            (right_high, right_low) = (row_high, row_low);
            if is_gap(close[row - 1], close[row], gap_ticks) {
                next_gap = row as i16;
            }
            if row > entries {
                continue;
            }

            let at = (open[row] - span.base) as usize;
            let entry = Entry {
                row: row as i16,
                deadline: next_gap.min((row + LOOK_AHEAD) as i16),
                above: Side::above(up, at, row as i16, row_high),
                below: Side::below(down, at, row as i16, row_low),
            };
            for (mode, column) in out.iter_mut().enumerate() {
                column[row - 1] = entry.outcome(&MODES[mode]);
            }
        }
    }
}

/// The rows that reach the levels on one side of an entry: 1 to 16 ticks away, and the farthest target.
struct Side {
    near: [i16; LANES],
    far: i16,
}

/// Ticks to the farthest target.
const FAR: usize = 20;

/// Lane numbers, to compare with the number of levels the entry's own bar reaches.
const LANE: [i16; LANES] = {
    let mut lane = [0; LANES];
    let mut k = 0;
    while k < LANES {
        lane[k] = k as i16;
        k += 1;
    }
    lane
};

impl Side {
    #[inline(always)]
    fn above(up: &[i16], entry: usize, row: i16, high: usize) -> Self {
        let reached = high - entry;
        let mut near = [NEVER; LANES];
        near.copy_from_slice(&up[entry + 1..][..LANES]);
        let own = i16x16::splat(reached.min(LANES) as i16).simd_gt(i16x16::new(LANE));
        let near = own.select(i16x16::splat(row), i16x16::new(near)).to_array();
        Self { near, far: if reached >= FAR { row } else { up[entry + FAR] } }
    }

    /// Lane k is k + 1 ticks below, as in `above`.
    #[inline(always)]
    fn below(down: &[i16], entry: usize, row: i16, low: usize) -> Self {
        let reached = entry - low;
        let mut near = [NEVER; LANES];
        near.copy_from_slice(&down[entry - LANES..][..LANES]);
        near.reverse();
        let own = i16x16::splat(reached.min(LANES) as i16).simd_gt(i16x16::new(LANE));
        let near = own.select(i16x16::splat(row), i16x16::new(near)).to_array();
        Self { near, far: if reached >= FAR { row } else { down[entry - FAR] } }
    }

    /// The row that reaches the level `ticks` away.
    #[inline(always)]
    fn reaches(&self, ticks: i32) -> i16 {
        if ticks as usize <= LANES { self.near[ticks as usize - 1] } else { self.far }
    }

    /// How many of the near levels are reached by `row`.
    #[inline(always)]
    fn reached_by(&self, row: i16) -> u32 {
        LANES as u32 - i16x16::new(self.near).simd_gt(i16x16::splat(row)).to_bitmask().count_ones()
    }
}

/// What is known about one entry.
struct Entry {
    row: i16,
    /// First row too late to decide: the end of the look-ahead or a gap of price.
    deadline: i16,
    above: Side,
    below: Side,
}

impl Entry {
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
        if wins { Outcome::win(mae, (target - self.row) as u16) } else { Outcome::LOSS }
    }
}

// The farthest level read, and the assumption that every target and stop is a near level or the far one.
const _: () = {
    let mut k = 0;
    while k < MODES.len() {
        let (stop, target) = (MODES[k].stop as usize, MODES[k].target as usize);
        assert!(stop <= LANES && (target <= LANES || target == FAR) && target < PAD);
        k += 1;
    }
};
