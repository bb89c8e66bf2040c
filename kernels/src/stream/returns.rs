//! The columns of [`crate::features::Category::Returns`].

use super::past::{Past, Traded};
use super::ring::Ring;
use crate::features::returns::{acceleration, change};
use crate::features::{Category, count};
use crate::window::deviation::{of_pair, of_six, of_sixes};

/// Parts of the deviation of 30 returns: sums, and squared distances.
#[derive(Clone)]
pub(super) struct Returns {
    before: f64,
    pairs: Ring<(f64, f64), 4>,
    sixes: Ring<(f64, f64), 32>,
}

pub(super) struct Next {
    one_row: f64,
    pair: (f64, f64),
    six: (f64, f64),
}

impl Returns {
    pub(super) fn new() -> Self {
        Self { before: 0.0, pairs: Ring::new(), sixes: Ring::new() }
    }

    #[inline(always)]
    pub(super) fn row(&self, past: &Past, now: &Traded) -> ([f64; count(Category::Returns)], Next) {
        let close = |by: usize| past.close.back(by);
        let one_row = change(now.close, close(1));
        let pair = of_pair(self.before, one_row);
        let pairs = [self.pairs.back(4), self.pairs.back(2), pair];
        let six = of_six(pairs.map(|pair| pair.0), pairs.map(|pair| pair.1));
        let six_before = |by: usize| self.sixes.back(by);
        let sixes = [six_before(24), six_before(18), six_before(12), six_before(6), six];
        let columns = [
            change(now.close, close(30)),
            change(now.close, close(60)),
            change(now.close, close(300)),
            acceleration(now.close, close(30), close(60)),
            of_sixes(sixes.map(|six| six.0), sixes.map(|six| six.1)),
        ];
        (columns, Next { one_row, pair, six })
    }

    #[inline(always)]
    pub(super) fn take(&mut self, next: &Next) {
        self.before = next.one_row;
        self.pairs.push(next.pair);
        self.sixes.push(next.six);
    }
}
