//! How much of a trade is its own: the mean over its rows of 1 / number of trades open on the row.
//!
//! Sums are of the integers round(2^51 / count), so they do not depend on their order or on where rows begin. Their error
//! is far below a float's last place; where it could matter the fraction is compared exactly.

use std::ops::Range;

use super::MAX_HORIZON;
use crate::Error;

/// Longest trade, and most trades that are open on a row.
const LONGEST: usize = MAX_HORIZON as usize;

/// Places behind the point: 3,600 times 2^51 fit 63 bits.
const PLACES: u32 = 51;

/// Computes uniqueness from the rows that trades are open. Holds the scratch space.
///
/// ```
/// use kernels::labels::Uniqueness;
///
/// // Two trades of two rows that share one, and a row without a trade.
/// let mut out = [0.0; 3];
/// Uniqueness::new(3).of(&[2, 2, 0], 0..3, &mut out)?;
/// assert_eq!(out, [0.75, 0.75, 0.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Uniqueness {
    /// Trades open on each row, and as many rows more as the last trade may be open.
    open: Vec<i32>,
    /// Sums of the shares of all rows before each.
    before: Vec<u64>,
    /// round(2^51 / count) by count; 0 for none.
    shares: Vec<u64>,
    /// Counts of a trade's rows.
    counts: Vec<u32>,
}

impl Uniqueness {
    /// Scratch space for at most `rows` signal rows.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        let share = |count: u64| ((1_u64 << (PLACES + 1)) / count.max(1)).div_ceil(2);
        Self {
            open: Vec::with_capacity(rows + LONGEST + 2),
            before: Vec::with_capacity(rows + LONGEST + 3),
            shares: (0..=LONGEST as u64).map(|count| if count == 0 { 0 } else { share(count) }).collect(),
            counts: Vec::with_capacity(LONGEST),
        }
    }

    /// Uniqueness of the trades of the signal rows `at` among those of all rows in `held`, the rows that each trade is open
    /// ([`super::Trades::held`]). A trade's rows begin after its signal row. So `held` has all rows of a session, or the rows of
    /// a horizon before and after `at` as well. 0 without a trade.
    ///
    /// # Errors
    /// [`Error::Rows`] when `at` lies outside or is not as long as `out`, or a trade is open for more than 3,600 rows.
    pub fn of(&mut self, held: &[u16], at: Range<usize>, out: &mut [f32]) -> Result<(), Error> {
        if at.start > at.end
            || at.end > held.len()
            || at.len() != out.len()
            || held.iter().any(|&held| held > MAX_HORIZON)
        {
            return Err(Error::Rows { rows: at, len: held.len() });
        }
        self.open.clear();
        self.open.resize(held.len() + LONGEST + 2, 0);
        for (row, &held) in (1..).zip(held) {
            self.open[row] += 1;
            self.open[row + usize::from(held)] -= 1;
        }
        self.before.resize(self.open.len(), 0);
        let (mut count, mut sum) = (0, 0_u64);
        for (change, before) in self.open.iter_mut().zip(&mut self.before) {
            count += *change;
            *change = count;
            *before = sum;
            // Sums may wrap; the difference of two is that of at most 3,600 rows.
            sum = sum.wrapping_add(self.shares[count as usize]);
        }
        for (out, signal) in out.iter_mut().zip(at) {
            *out = self.mean(signal + 1, held[signal].into());
        }
        Ok(())
    }

    /// The mean over `rows` rows from `row` on.
    #[inline(always)]
    fn mean(&mut self, row: usize, rows: usize) -> f32 {
        if rows == 0 {
            return 0.0;
        }
        // Each share is at most half a place off, so the mean is too; the rest is the rounding of two floats.
        const PLACE: f64 = 1.0 / (1_u64 << PLACES) as f64;
        let sum = self.before[row + rows].wrapping_sub(self.before[row]);
        let mean = sum as f64 * PLACE / rows as f64;
        let margin = PLACE + 4.0 * f64::EPSILON * mean;
        let (below, above) = ((mean - margin) as f32, (mean + margin) as f32);
        if below == above { below } else { self.exact(row, rows, [below, above]) }
    }

    /// Which of two neighbouring floats is the nearest to the mean.
    #[cold]
    fn exact(&mut self, row: usize, rows: usize, [below, above]: [f32; 2]) -> f32 {
        self.counts.clear();
        self.counts.extend(self.open[row..row + rows].iter().map(|&count| count as u32));
        self.counts.sort_unstable();
        // The middle between them has 25 bits, so that times 2^60 it is whole.
        let middle = (f64::from(below) + f64::from(above)) / 2.0;
        let middle = (middle * (1_u64 << 60) as f64) as u128 * rows as u128;
        if exceeds(&self.counts, middle, 60) { above } else { below }
    }
}

/// Whether the sum of 1 / count over the sorted `counts` is above `bound / 2^places`. The two are never equal where it is asked:
/// the sum's denominator has at most 11 factors of 2, that of the mean 22, that of a middle between two floats up to 1 at least 25.
fn exceeds(counts: &[u32], bound: u128, places: u32) -> bool {
    // The digits of all fractions to the base of 2^32, side by side. What is dropped of each is less than 1 of the last digit.
    let mut rests: Vec<[u64; 2]> =
        counts.chunk_by(|a, b| a == b).map(|same| [same.len() as u64, same[0].into()]).collect();
    let terms = rests.len() as i128;
    let (mut bound, mask) = (bound, (1 << places) - 1);
    let mut difference = 0_i128;
    loop {
        for [rest, count] in &mut rests {
            difference += i128::from(*rest / *count);
            *rest %= *count;
        }
        difference -= (bound >> places) as i128;
        bound &= mask;
        // The exact difference is above difference - 1 and below difference + terms.
        if difference >= 1 || difference <= -terms {
            return difference >= 1;
        }
        difference <<= 32;
        bound <<= 32;
        rests.iter_mut().for_each(|[rest, _]| *rest <<= 32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_beside_a_bound() {
        let third = ((1_u128 << 60) / 3, 60);
        assert!(exceeds(&[3], third.0, third.1) && !exceeds(&[3], third.0 + 1, third.1));
        // 1/3 + 1/6 + 1/2 is 1.
        assert!(!exceeds(&[2, 3, 6], (1 << 60) + 1, 60) && exceeds(&[2, 3, 6], (1 << 60) - 1, 60));
        assert!(exceeds(&[7; 5], (5 << 60) / 7, 60) && !exceeds(&[7; 5], (5 << 60) / 7 + 1, 60));
    }

    #[test]
    fn trades_by_hand() {
        let mut out = [9.0; 4];
        let mut uniqueness = Uniqueness::new(4);
        uniqueness.of(&[4, 0, 1, 1], 0..4, &mut out).unwrap();
        // Alone on two rows, shared on two.
        assert_eq!(out, [0.75, 0.0, 0.5, 0.5]);
        uniqueness.of(&[4, 0, 1, 1], 2..3, &mut out[..1]).unwrap();
        assert_eq!(out[0], 0.5);
        uniqueness.of(&[1, 3600], 0..2, &mut out[..2]).unwrap();
        assert_eq!(out[..2], [1.0, 1.0]);
        assert!(uniqueness.of(&[1, 3601], 0..2, &mut out[..2]).is_err());
        assert!(uniqueness.of(&[1, 2], 0..2, &mut out).is_err());
    }

    #[test]
    fn the_exact_comparison_agrees_wherever_the_sums_decide() {
        // Trades of many lengths, so that rows have all counts.
        let held: Vec<u16> = (0..6000_u32).map(|row| (row.wrapping_mul(2_654_435_761) >> 20) as u16 % 3601).collect();
        let mut uniqueness = Uniqueness::new(held.len());
        let mut out = vec![0.0_f32; held.len()];
        uniqueness.of(&held, 0..held.len(), &mut out).unwrap();
        for row in (0..held.len()).step_by(37).filter(|&row| held[row] > 0) {
            let (value, rows) = (out[row], held[row].into());
            assert_eq!(uniqueness.exact(row + 1, rows, [value, value.next_up()]), value, "row {row}");
            assert_eq!(uniqueness.exact(row + 1, rows, [value.next_down(), value]), value, "row {row}");
        }
    }
}
