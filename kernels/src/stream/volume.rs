//! The columns of [`crate::features::Category::Volume`].

use super::past::{Past, Traded};
use super::sums::Sums;
use crate::features::volume::{exhaustion, slope, slope_of_means, tenfold_slope, volume_ratio};
use crate::features::{Category, count};
use crate::window::slope::twice;

/// Rows of the ratio, and sums of five of the slope.
const WINDOW: usize = 30;

#[derive(Clone)]
pub(super) struct Volume {
    volume: Sums<i64, 32>,
    /// Over 5 rows, and those times the row.
    sums_5: Sums<i64, 32>,
    moments: Sums<i64, 32>,
}

pub(super) struct Next {
    volume: i64,
    sum_5: i64,
    moment: i64,
}

impl Volume {
    pub(super) fn new() -> Self {
        Self { volume: Sums::new(), sums_5: Sums::new(), moments: Sums::new() }
    }

    #[inline(always)]
    pub(super) fn row(&self, past: &Past, now: &Traded) -> ([f64; count(Category::Volume)], Next) {
        let volume = i64::from(now.volume);
        let (sum_5, sum_30) = (self.volume.over(5, volume), self.volume.over(WINDOW, volume));
        let row = past.rows() as i64;
        let moment = sum_5.wrapping_mul(row);
        let twice = twice(WINDOW, self.sums_5.over(WINDOW, sum_5), self.moments.over(WINDOW, moment), row);
        let tenfold = tenfold_slope(past.volume.back(4), past.volume.back(3), past.volume.back(1), now.volume);
        let columns = [
            volume_ratio(now.volume, sum_30),
            slope_of_means(twice),
            slope(tenfold),
            exhaustion(now.volume, sum_30, tenfold),
        ];
        (columns, Next { volume, sum_5, moment })
    }

    #[inline(always)]
    pub(super) fn take(&mut self, next: &Next) {
        self.volume.push(next.volume);
        self.sums_5.push(next.sum_5);
        self.moments.push(next.moment);
    }
}
