//! The columns of [`crate::features::Category::Volatility`].

use super::past::{Past, Traded};
use super::sums::Sums;
use crate::features::bars::Points;
use crate::features::volatility::{ATR, COMPARED, acceleration, percentile, regime};
use crate::features::{Category, count};
use crate::level::kernel;
use crate::window::score::wide;
use crate::window::true_range::true_range;

#[derive(Clone)]
pub(super) struct Volatility {
    true_range: Sums<i32, 512>,
    /// The last values of A30, that of row r at place r % 300.
    compared: [i32; COMPARED],
    sums: Sums<i64, 512>,
    squares: Sums<i64, 512>,
}

pub(super) struct Next {
    true_range: i32,
    /// The sum of the true range over 30 rows, in ticks.
    pub(super) a30: i32,
}

impl Volatility {
    pub(super) fn new() -> Self {
        Self { true_range: Sums::new(), compared: [0; COMPARED], sums: Sums::new(), squares: Sums::new() }
    }

    #[inline(always)]
    pub(super) fn row(&self, past: &Past, now: &Traded, points: Points) -> ([f64; count(Category::Volatility)], Next) {
        let before = if past.rows() == 0 { now.low } else { past.close.back(1) };
        let true_range = true_range(now.high, now.low, before);
        let over = |window: usize| self.true_range.over(window, true_range);
        let (a30, a60, a300) = (over(ATR), over(60), over(300));
        let sum = self.sums.over(COMPARED, i64::from(a30));
        let squares = self.squares.over(COMPARED, square(a30));
        let columns = [
            points.of(f64::from(a30), ATR as f64),
            points.of(f64::from(a300), 300.0),
            regime(a30, a300),
            acceleration(a30, a60),
            wide(COMPARED as i64, a30, sum, squares),
            percentile(self.rank(past, a30)),
        ];
        (columns, Next { true_range, a30 })
    }

    /// 2 * (values less than the newest) + (values equal to it, itself included).
    #[inline(always)]
    fn rank(&self, past: &Past, newest: i32) -> i16 {
        let mut order = 0;
        above(&self.compared, newest, &mut order);
        let oldest = self.compared[past.rows() % COMPARED];
        (COMPARED as i32 + order - sign(newest, oldest)) as i16
    }

    #[inline(always)]
    pub(super) fn take(&mut self, past: &Past, next: &Next) {
        self.true_range.push(next.true_range);
        self.compared[past.rows() % COMPARED] = next.a30;
        self.sums.push(i64::from(next.a30));
        self.squares.push(square(next.a30));
    }
}

#[inline(always)]
fn square(value: i32) -> i64 {
    i64::from(value) * i64::from(value)
}

/// 1 above, 0 at, -1 below.
#[inline(always)]
fn sign(value: i32, other: i32) -> i32 {
    i32::from(value > other) - i32::from(value < other)
}

// How many values it is above, less how many it is below.
kernel!(fn above['a]['a](values: &'a [i32; COMPARED], newest: i32, order: &'a mut i32) {
    *order = values.iter().fold(0, |order, &value| order + sign(newest, value));
});
