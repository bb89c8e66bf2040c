//! Standard scores within a trailing window: by how many sample deviations the newest value lies above the mean.

use super::refill;
use super::sum::{Sums, float};
use crate::level::kernel;

/// Scores within windows of a fixed length. Holds the results and the scratch space.
#[derive(Clone, Debug)]
pub struct Score {
    window: usize,
    sums: Sums<i64>,
    squares: Sums<i64>,
    scores: Vec<f64>,
}

impl Score {
    /// Windows of `window` values (at least 2), at most `rows` of them at once.
    #[must_use]
    pub fn new(window: usize, rows: usize) -> Self {
        let sums = || Sums::new(rows + window - 1);
        Self { window, sums: sums(), squares: sums(), scores: Vec::with_capacity(rows) }
    }

    /// Takes another column: results for every full window in it. A window's sum of squares must fit 63 bits.
    ///
    /// With S the sum of the w values and Q = w*sum(x^2) - S^2, both exact, the score of the newest value x is
    /// (w*x - S) / sqrt(Q * (w/(w-1))), computed in that order; NaN if Q is 0.
    pub fn set(&mut self, values: &[i32]) {
        set(self, values);
    }

    /// The body of [`Self::set`].
    #[inline(always)]
    pub(crate) fn take(&mut self, values: &[i32]) {
        self.scores.clear();
        if values.len() < self.window {
            return;
        }
        self.sums.set(values.iter().map(|&value| i64::from(value)));
        self.squares.set(values.iter().map(|&value| i64::from(value) * i64::from(value)));
        let (window, at) = (self.window as i64, self.window - 1..values.len());
        let sums = self.sums.over(self.window, at.clone()).zip(self.squares.over(self.window, at.clone()));
        let newest = &values[at];
        let len = newest.len();
        let rows = newest.iter().zip(sums);
        let largest = values.iter().fold(0, |largest, value| largest.max(value.unsigned_abs()));
        // Where w^2 * largest^2 fits 63 bits, so does each term of Q.
        if window.pow(2) <= i64::MAX / i64::from(largest).pow(2).max(1) {
            let scores =
                rows.map(|(&value, (sum, squares))| score(window, value, sum, float(window * squares - sum * sum)));
            refill(&mut self.scores, len, scores);
        } else {
            refill(&mut self.scores, len, rows.map(|(&value, (sum, squares))| wide(window, value, sum, squares)));
        }
    }

    /// The score of the newest value of each window.
    #[must_use]
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }
}

/// The score of `value` in a window of that sum and with Q = `spread`.
#[inline(always)]
fn score(window: i64, value: i32, sum: i64, spread: f64) -> f64 {
    let sample = window as f64 / (window - 1) as f64;
    let deviation = (spread * sample).sqrt();
    if spread == 0.0 { f64::NAN } else { float(window * i64::from(value) - sum) / deviation }
}

/// The score of `value` in a window of that sum and sum of squares, whatever their size.
#[inline(always)]
pub(crate) fn wide(window: i64, value: i32, sum: i64, squares: i64) -> f64 {
    let spread = i128::from(window) * i128::from(squares) - i128::from(sum) * i128::from(sum);
    score(window, value, sum, spread as f64)
}

kernel!(fn set['a]['a](work: &'a mut Score, values: &'a [i32]) {
    work.take(values);
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let mut score = Score::new(3, 4);
        // Mean 2, variance 1; mean 4, variance 7; flat.
        score.set(&[1, 2, 3, 7, 7, 7]);
        let scores = score.scores();
        assert_eq!(scores[0], 1.0);
        assert!((scores[1] - 3.0 / 7.0_f64.sqrt()).abs() < 1e-15);
        assert!(scores[3].is_nan());
        // Too wide for 64 bits: the same up to the scale.
        let far = [1 << 28, 2 << 28, 3 << 28, 7 << 28];
        let mut wide = Score::new(3, 2);
        wide.set(&far);
        assert_eq!(wide.scores(), &scores[..2]);
        score.set(&[1, 2]);
        assert!(score.scores().is_empty());
    }
}
