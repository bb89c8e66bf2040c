//! The rows of a block with its look-ahead, and the gaps of price among them (profile `rolling`).

use std::ops::Range;

use crate::{Profile, Series};

/// A gap of price between rows g - 1 and g affects the rows g - 1 to g + `AFTER_GAP`.
const AFTER_GAP: usize = 5;

/// The largest change of close that is no gap. No change of price exceeds that of profile `session`: it has no gap.
pub(super) fn limit(profile: Profile, gap_ticks: i32) -> i32 {
    match profile {
        Profile::Session => i32::MAX,
        Profile::Rolling => gap_ticks,
    }
}

/// Calls `each` with the signal rows, counted from the first of `rows`, that a gap of price affects.
pub(super) fn affected(close: &[i32], rows: Range<usize>, gap_ticks: i32, mut each: impl FnMut(Range<usize>)) {
    if gap_ticks == i32::MAX {
        return;
    }
    let first = rows.start.saturating_sub(AFTER_GAP).max(1);
    for gap in first..close.len().min(rows.end + 1) {
        if is_gap(close[gap - 1], close[gap], gap_ticks) {
            let from = rows.start.max(gap - 1) - rows.start;
            let to = rows.end.min(gap + AFTER_GAP + 1) - rows.start;
            each(from..to);
        }
    }
}

#[inline]
fn is_gap(before: i32, close: i32, gap_ticks: i32) -> bool {
    (close - before).abs() > gap_ticks
}

/// The rows of a block from its first signal row to the end of its look-ahead.
pub(super) struct Ahead<'a> {
    pub(super) open: &'a [i32],
    pub(super) high: &'a [i32],
    pub(super) low: &'a [i32],
    /// One row more than the others, where the series has one: a gap there ends a look-ahead at the last row.
    pub(super) close: &'a [i32],
    pub(super) gap_ticks: i32,
}

impl<'a> Ahead<'a> {
    /// Those of the signal rows `rows`, each with so many rows after it.
    pub(super) fn new(series: &Series<'a>, rows: Range<usize>, horizon: usize, gap_ticks: i32) -> Self {
        let end = series.len().min(rows.end + horizon);
        Self {
            open: &series.open()[rows.start..end],
            high: &series.high()[rows.start..end],
            low: &series.low()[rows.start..end],
            close: &series.close()[rows.start..series.len().min(end + 1)],
            gap_ticks,
        }
    }

    /// Whether a look-ahead ends at `row`: the price gaps between it and the next row, and it is the first row affected.
    #[inline(always)]
    pub(super) fn ends_at(&self, row: usize) -> bool {
        self.close.get(row + 1).is_some_and(|&next| is_gap(self.close[row], next, self.gap_ticks))
    }
}
