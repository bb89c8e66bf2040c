//! Ordinary-least-squares slopes against 0..w-1.
//!
//! slope = sum((k - (w-1)/2) * y_k) / sum((k - (w-1)/2)^2), and the denominator is w*(w^2 - 1)/12.

use std::ops::Range;

use super::sum::Sums;

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
    pub fn set(&mut self, column: impl Iterator<Item = i64> + Clone) {
        self.values.set(column.clone());
        self.moments.set(column.zip(0_i64..).map(|(value, row)| value.wrapping_mul(row)));
    }

    /// Twice the numerators, sum((2k - (w-1)) * y_k), of the windows of `window` elements ending at each of `at`.
    pub fn over(&self, window: usize, at: Range<usize>) -> impl Iterator<Item = i64> {
        let ends = self.values.over(window, at.clone()).zip(self.moments.over(window, at.clone())).zip(at);
        // k = row - (end - (w-1)), so 2k - (w-1) = 2*row - (2*end - (w-1)). Only the result has to fit.
        let last = window as i64 - 1;
        ends.map(move |((sum, moment), end)| {
            moment.wrapping_mul(2).wrapping_sub(sum.wrapping_mul(2 * end as i64 - last))
        })
    }
}

/// Rows the slope of 30 fractional values is computed for at once.
const BLOCK: usize = 16;

/// Slopes over 30 rows of a column split into whole numbers and fractions, so that a flat column has slope 0 exactly
/// and the level of the values costs no precision. `whole` holds integers; both have 29 elements more than `out`.
///
/// Fixed order: `d_k = (whole[29-k] - whole[k]) + (fraction[29-k] - fraction[k])`; the sum of `(29-2k)*d_k` for k = 0, 1,
/// .. 14; divided by 4495.
pub fn split_30(whole: &[f64], fraction: &[f64], out: &mut [f64]) {
    const LAST: usize = 29;
    let rows = out.len();
    let (whole, fraction) = (&whole[..rows + LAST], &fraction[..rows + LAST]);
    let (blocks, tail) = out.as_chunks_mut::<BLOCK>();
    let done = blocks.len() * BLOCK;
    for (block, out) in blocks.iter_mut().enumerate() {
        let (whole, fraction) = (&whole[block * BLOCK..][..BLOCK + LAST], &fraction[block * BLOCK..][..BLOCK + LAST]);
        *out = split_block(whole, fraction);
    }
    for (row, out) in (done..).zip(tail) {
        [*out] = split_block(&whole[row..][..1 + LAST], &fraction[row..][..1 + LAST]);
    }
}

#[inline(always)]
fn split_block<const N: usize>(whole: &[f64], fraction: &[f64]) -> [f64; N] {
    let mut sum = [0.0; N];
    for k in 0..15 {
        let weight = (29 - 2 * k) as f64;
        let (old_whole, new_whole) = (&whole[k..][..N], &whole[29 - k..][..N]);
        let (old_fraction, new_fraction) = (&fraction[k..][..N], &fraction[29 - k..][..N]);
        for lane in 0..N {
            let difference = (new_whole[lane] - old_whole[lane]) + (new_fraction[lane] - old_fraction[lane]);
            sum[lane] += weight * difference;
        }
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
    fn split_by_hand() {
        // y = k/4 has slope 1/4 in every window, also where the whole part steps.
        let whole: Vec<f64> = (0..60).map(|k| f64::from(k / 4)).collect();
        let fraction: Vec<f64> = (0..60).map(|k| f64::from(k % 4) / 4.0).collect();
        let mut out = [0.0; 31];
        split_30(&whole, &fraction, &mut out);
        assert_eq!(out, [0.25; 31]);
        split_30(&[20_000.0; 40], &[1.0 / 3.0; 40], &mut out[..11]);
        assert_eq!(out[..11], [0.0; 11]);
    }
}
