//! Sample standard deviations over 30 values.
//!
//! Squared distances from the mean add up over parts of a window, plus what the parts' sums lie apart (Chan, Golub and
//! LeVeque 1979). 30 = 5 * 6 and 6 = 3 * 2, so windows share pairs and sixes, and no term cancels: a fifth of the
//! arithmetic of two passes, and as exact.

use crate::level::kernel;

/// Values of a window.
const WINDOW: usize = 30;
/// Values before the newest.
const LEAD: usize = WINDOW - 1;
/// Windows computed at once: what a block needs stays in the first cache.
const BLOCK: usize = 256;
/// Sixes of a block, pairs, and values.
const SIXES: usize = BLOCK + 24;
const PAIRS: usize = SIXES + 4;
const VALUES: usize = BLOCK + LEAD;

/// Deviations over 30 values. Holds the results and the scratch space.
#[derive(Clone, Debug)]
pub struct Deviation {
    block: Box<Block>,
    deviations: Vec<f64>,
}

impl Deviation {
    /// At most `rows` windows at once.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        let block = Block {
            values: [0.0; VALUES],
            pair: [0.0; PAIRS],
            apart: [0.0; PAIRS],
            sum: [0.0; SIXES],
            squares: [0.0; SIXES],
        };
        Self { block: Box::new(block), deviations: Vec::with_capacity(rows + BLOCK) }
    }

    /// Takes another column: results for every full window in it. A flat window has deviation 0.
    ///
    /// Fixed order, oldest first. Pairs: p = a + b. Sixes: s = (p0 + p1) + p2, and six times their squared distances
    /// q = 3*(((a0-b0)^2 + (a1-b1)^2) + (a2-b2)^2) + (((p0-p1)^2 + (p1-p2)^2) + (p0-p2)^2). Of five sixes, with d0, d1,
    /// d3 and d4 the distances of their sums from the third: six times the squared distances is
    /// ((((q0 + q1) + q2) + q3) + q4) + ((((d0^2 + d1^2) + d3^2) + d4^2) - (((d0 + d1) + d3) + d4)^2 * 0.2), times
    /// 1/174, and the root.
    pub fn set(&mut self, values: &[f64]) {
        set(self, values);
    }

    /// The body of [`Self::set`].
    #[inline(always)]
    pub(crate) fn take(&mut self, values: &[f64]) {
        let results = values.len().saturating_sub(LEAD);
        // Whole blocks only: the surplus results are cut off again.
        self.deviations.resize(results.next_multiple_of(BLOCK), 0.0);
        let (blocks, _) = self.deviations.as_chunks_mut::<BLOCK>();
        for (out, values) in blocks.iter_mut().zip((0..).step_by(BLOCK).map(|start| &values[start..])) {
            let held = values.len().min(VALUES);
            self.block.values[..held].copy_from_slice(&values[..held]);
            self.block.deviations(out);
        }
        self.deviations.truncate(results);
    }

    /// The deviation of each window.
    #[must_use]
    pub fn deviations(&self) -> &[f64] {
        &self.deviations
    }
}

#[derive(Clone, Debug)]
struct Block {
    values: [f64; VALUES],
    pair: [f64; PAIRS],
    apart: [f64; PAIRS],
    sum: [f64; SIXES],
    squares: [f64; SIXES],
}

impl Block {
    #[inline(always)]
    fn deviations(&mut self, out: &mut [f64; BLOCK]) {
        let Self { values, pair, apart, sum, squares } = self;
        for k in 0..PAIRS {
            (pair[k], apart[k]) = of_pair(values[k], values[k + 1]);
        }
        for k in 0..SIXES {
            let (pairs, aparts) = ([pair[k], pair[k + 2], pair[k + 4]], [apart[k], apart[k + 2], apart[k + 4]]);
            (sum[k], squares[k]) = of_six(pairs, aparts);
        }
        for k in 0..BLOCK {
            out[k] = of_sixes(
                [sum[k], sum[k + 6], sum[k + 12], sum[k + 18], sum[k + 24]],
                [squares[k], squares[k + 6], squares[k + 12], squares[k + 18], squares[k + 24]],
            );
        }
    }
}

/// Sum of a pair, and the square of its distance.
#[inline(always)]
pub(crate) fn of_pair(a: f64, b: f64) -> (f64, f64) {
    (a + b, (a - b) * (a - b))
}

/// Sum of six values, and six times their squared distances from the mean, from those of their pairs, oldest first.
#[inline(always)]
pub(crate) fn of_six([p0, p1, p2]: [f64; 3], [apart0, apart1, apart2]: [f64; 3]) -> (f64, f64) {
    let within = apart0 + apart1 + apart2;
    let between = (p0 - p1) * (p0 - p1) + (p1 - p2) * (p1 - p2) + (p0 - p2) * (p0 - p2);
    (p0 + p1 + p2, 3.0 * within + between)
}

/// The deviation of 30 values from the sums of their sixes and six times the squared distances within these, oldest first.
#[inline(always)]
pub(crate) fn of_sixes([s0, s1, third, s3, s4]: [f64; 5], [q0, q1, q2, q3, q4]: [f64; 5]) -> f64 {
    let within = q0 + q1 + q2 + q3 + q4;
    let [d0, d1, d3, d4] = [s0 - third, s1 - third, s3 - third, s4 - third];
    let all = d0 + d1 + d3 + d4;
    let between = (d0 * d0 + d1 * d1 + d3 * d3 + d4 * d4) - all * all * 0.2;
    ((within + between) * (1.0 / 174.0)).sqrt()
}

kernel!(avx512 fn set['a]['a](work: &'a mut Deviation, values: &'a [f64]) {
    work.take(values);
});

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Vec<f64> {
        let mut deviation = Deviation::new(values.len());
        deviation.set(values);
        deviation.deviations().to_vec()
    }

    #[test]
    fn by_hand() {
        // One 30 among zeros: mean 1, squares 29*1 + 29^2 = 29*30.
        let mut values = [0.0; 60];
        values[29] = 30.0;
        let out = of(&values);
        assert!(out[..30].iter().all(|deviation| (deviation - 30.0_f64.sqrt()).abs() < 1e-14));
        assert_eq!(out[30..], [0.0]);
        assert!(of(&values[..29]).is_empty());
    }

    #[test]
    fn flat() {
        assert_eq!(of(&[1.0 / 3.0; 700]), [0.0; 671]);
    }

    #[test]
    fn small_beside_the_mean() {
        // 1 + k*2^-30: the deviation of 0..=29 is sqrt(30*31/12).
        let out = of(&(0..600).map(|k| 1.0 + f64::from(k) * 2.0_f64.powi(-30)).collect::<Vec<_>>());
        let expected = (30.0_f64 * 31.0 / 12.0).sqrt() * 2.0_f64.powi(-30);
        assert_eq!(out.len(), 571);
        assert!(out.iter().all(|deviation| (deviation / expected - 1.0).abs() < 1e-14), "{out:?}");
    }
}
