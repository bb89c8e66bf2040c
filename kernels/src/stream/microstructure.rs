//! The columns of [`crate::features::Category::Microstructure`].

use super::past::{Past, Traded};
use super::sums::Sums;
use crate::features::bars::Points;
use crate::features::microstructure::{SIXTIETH, THIRTIETH, difference, directional, percent, relative, uptick};
use crate::features::{Category, count};

#[derive(Clone)]
pub(super) struct Microstructure {
    upticks: Sums<i32, 64>,
}

pub(super) struct Next {
    uptick: i32,
}

impl Microstructure {
    pub(super) fn new() -> Self {
        Self { upticks: Sums::new() }
    }

    /// `a30` is the sum of the true range over 30 rows.
    #[inline(always)]
    pub(super) fn row(
        &self,
        past: &Past,
        now: &Traded,
        a30: i32,
        points: Points,
    ) -> ([f64; count(Category::Microstructure)], Next) {
        // A first row counts as not up.
        let before = if past.rows() == 0 { now.close } else { past.close.back(1) };
        let uptick = uptick(now.close, before);
        let (over_30, over_60) = (self.upticks.over(30, uptick), self.upticks.over(60, uptick));
        let size = now.high - now.low;
        let columns = [
            points.of(f64::from(size), 1.0),
            relative(size, a30),
            percent(over_30, THIRTIETH),
            percent(over_60, SIXTIETH),
            difference(over_30, over_60),
            directional(over_30),
        ];
        (columns, Next { uptick })
    }

    #[inline(always)]
    pub(super) fn take(&mut self, next: &Next) {
        self.upticks.push(next.uptick);
    }
}
