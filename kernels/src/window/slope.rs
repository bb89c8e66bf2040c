//! Ordinary-least-squares slopes against 0..w-1.
//!
//! slope = sum((k - (w-1)/2) * y_k) / sum((k - (w-1)/2)^2), and the denominator is w*(w^2 - 1)/12.

use std::ops::Range;

use super::sum::Sums;
use crate::level::kernel;

/// Exact slopes of an integer column, from its prefix sums and those of row*value.
#[derive(Clone, Debug)]
pub struct Slope {
    values: Sums<i64>,
    moments: Sums<i64>,
}

impl Slope {
    /// Room for a column of `rows` elements.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        Self { values: Sums::new(rows), moments: Sums::new(rows) }
    }

    /// Takes another column.
    #[inline(always)]
    pub fn set(&mut self, column: impl Iterator<Item = i64> + Clone) {
        self.values.set(column.clone());
        self.moments.set(column.zip(0_i64..).map(|(value, row)| value.wrapping_mul(row)));
    }

    /// Twice the numerators, sum((2k - (w-1)) * y_k), of the windows of `window` elements ending at each of `at`.
    #[inline(always)]
    pub fn over(&self, window: usize, at: Range<usize>) -> impl Iterator<Item = i64> {
        let ends = self.values.over(window, at.clone()).zip(self.moments.over(window, at.clone())).zip(at);
        ends.map(move |((sum, moment), end)| twice(window, sum, moment, end as i64))
    }
}

/// Twice the numerator of the slope of the window that ends at row `end`, from the sums of its values and of row*value, which
/// may have wrapped: only the result has to fit.
#[inline(always)]
pub(crate) fn twice(window: usize, sum: i64, moment: i64, end: i64) -> i64 {
    // k = row - (end - (w-1)), so 2k - (w-1) = 2*row - (2*end - (w-1)).
    moment.wrapping_mul(2).wrapping_sub(sum.wrapping_mul(2 * end - (window as i64 - 1)))
}

/// Steps within a window of 30 values.
pub const STEPS_30: usize = 29;

/// Rows whose slope is computed at once.
const BLOCK: usize = 16;

/// Slopes over 30 values of which only the steps from one to the next are given, so that a flat column has slope 0 exactly
/// and the level of the values costs no precision. `steps` holds 28 elements more than `out`: 29 a window.
///
/// By summation by parts: the sum of `(2k - 29) * y_k` over k = 0 .. 29 is that of `m*(30 - m) * step_m` over m = 1 .. 29.
/// Fixed order: the sum of `m*(30 - m) * (step_m + step_{30-m})` for m = 1, 2, .. 14; plus `225 * step_15`; divided by 4495.
pub fn of_steps_30(steps: &[f64], out: &mut [f64]) {
    set_of_steps_30(steps, out);
}

kernel!(fn set_of_steps_30['a]['a](steps: &'a [f64], out: &'a mut [f64]) {
    take_of_steps_30(steps, out);
});

/// The body of [`of_steps_30`].
#[inline(always)]
pub(crate) fn take_of_steps_30(steps: &[f64], out: &mut [f64]) {
    const OTHERS: usize = STEPS_30 - 1;
    let steps = &steps[..out.len() + OTHERS];
    let (blocks, tail) = out.as_chunks_mut::<BLOCK>();
    let done = blocks.len() * BLOCK;
    for (block, out) in blocks.iter_mut().enumerate() {
        *out = steps_block(&steps[block * BLOCK..][..BLOCK + OTHERS]);
    }
    for (row, out) in (done..).zip(tail) {
        [*out] = steps_block(&steps[row..][..STEPS_30]);
    }
}

#[inline(always)]
fn steps_block<const N: usize>(steps: &[f64]) -> [f64; N] {
    let mut sum = [0.0; N];
    for m in 1..15 {
        let weight = (m * (30 - m)) as f64;
        let (old, new) = (&steps[m - 1..][..N], &steps[29 - m..][..N]);
        for lane in 0..N {
            sum[lane] += weight * (old[lane] + new[lane]);
        }
    }
    let middle = &steps[14..][..N];
    for lane in 0..N {
        sum[lane] += 225.0 * middle[lane];
    }
    sum.map(|sum| sum / 4495.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_by_hand() {
        let mut slope = Slope::new(6);
        slope.set([7, 7, 7, 8, 9, 3].into_iter());
        // (2k - 2)*y over 3 rows: 0, 2*(8-7), 2*(9-7), 2*(3-8).
        assert_eq!(slope.over(3, 2..6).collect::<Vec<_>>(), [0, 2, 4, -10]);
    }

    #[test]
    fn steps_by_hand() {
        // A quarter a row has slope 1/4 in every window.
        let mut out = [0.0; 31];
        of_steps_30(&[0.25; 59], &mut out);
        assert_eq!(out, [0.25; 31]);
        of_steps_30(&[0.0; 39], &mut out[..11]);
        assert_eq!(out[..11], [0.0; 11]);
        // One step of 1 after 10 of 30 values: 10 * 20 / 4495.
        let mut steps = [0.0; 29];
        steps[9] = 1.0;
        of_steps_30(&steps, &mut out[..1]);
        assert_eq!(out[0], 200.0 / 4495.0);
    }
}
