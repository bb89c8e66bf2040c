//! The ranges of the trailing windows: highest high and lowest low.

use super::extremes::{Highest, Places};
use super::past::{Past, Traded};

/// From the lowest low to the highest high, in ticks.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) high: i32,
    pub(super) low: i32,
}

impl Range {
    #[inline(always)]
    pub(super) fn size(self) -> i32 {
        self.high - self.low
    }
}

#[derive(Clone)]
pub(super) struct Ranges {
    high: Highest,
    /// Of lows below 0: the highest of them is the lowest low.
    low: Highest,
}

pub(super) struct Next {
    high: Places,
    low: Places,
}

impl Ranges {
    pub(super) fn new() -> Self {
        Self { high: Highest::new(), low: Highest::new() }
    }

    /// The ranges of 300, 900 and 1,800 rows.
    #[inline(always)]
    pub(super) fn row(&self, past: &Past, now: &Traded) -> ([Range; 3], Next) {
        let (high, high_places) = self.high.with(past.rows(), now.high);
        let (low, low_places) = self.low.with(past.rows(), -now.low);
        let range = |window: usize| Range { high: high[window], low: -low[window] };
        ([range(0), range(1), range(2)], Next { high: high_places, low: low_places })
    }

    #[inline(always)]
    pub(super) fn take(&mut self, past: &Past, now: &Traded, next: &Next) {
        self.high.take(past.rows(), now.high, next.high);
        self.low.take(past.rows(), -now.low, next.low);
    }
}
