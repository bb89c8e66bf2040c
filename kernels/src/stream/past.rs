//! The rows before the one that is forming.

use super::ring::Ring;
use crate::Bar;
use crate::features::LOOK_BACK;

/// What the windows read of a bar.
#[derive(Clone, Copy)]
pub(super) struct Traded {
    pub(super) high: i32,
    pub(super) low: i32,
    pub(super) close: i32,
    pub(super) volume: u32,
}

impl From<&Bar> for Traded {
    fn from(&Bar { high, low, close, volume, .. }: &Bar) -> Self {
        Self { high, low, close, volume }
    }
}

/// Places for the rows that are kept.
const PLACES: usize = LOOK_BACK.next_power_of_two();

/// Columns of the last rows.
#[derive(Clone)]
pub(super) struct Past {
    pub(super) high: Ring<i32, PLACES>,
    pub(super) low: Ring<i32, PLACES>,
    pub(super) close: Ring<i32, PLACES>,
    pub(super) volume: Ring<u32, PLACES>,
}

impl Past {
    pub(super) fn new() -> Self {
        Self { high: Ring::new(), low: Ring::new(), close: Ring::new(), volume: Ring::new() }
    }

    /// Rows taken, which is also the number of the row that is forming.
    #[inline(always)]
    pub(super) fn rows(&self) -> usize {
        self.close.pushed()
    }

    #[inline(always)]
    pub(super) fn take(&mut self, &Traded { high, low, close, volume }: &Traded) {
        self.high.push(high);
        self.low.push(low);
        self.close.push(close);
        self.volume.push(volume);
    }

    /// The rows that a state is made of again, oldest first: all, or as many as any value looks back.
    pub(super) fn kept(&self) -> impl ExactSizeIterator<Item = Traded> {
        let at = |by: usize| Traded {
            high: self.high.back(by),
            low: self.low.back(by),
            close: self.close.back(by),
            volume: self.volume.back(by),
        };
        (1..self.rows().min(LOOK_BACK) + 1).rev().map(at)
    }
}
