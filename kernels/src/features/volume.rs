//! volume_ratio_30s, volume_slope_30s, volume_slope_5s, volume_exhaustion.

use super::bars::{Bars, lag, ratio, shift, write};
use super::registry::count;
use super::{Category, Float};
use crate::window::reciprocal::Reciprocal;
use crate::window::slope::Slope;
use crate::window::sum::{Sums, float};

/// slope(mean(v,5), 30) reaches back over both windows.
const LOOK_BACK: usize = 33;

// Five times a volume has 35 bits.
const TENTH: Reciprocal = Reciprocal::of(10.0);

#[derive(Clone, Debug)]
pub(super) struct Volume {
    volume: Sums<i64>,
    slope: Slope,
}

impl Volume {
    pub(super) fn new(rows: usize) -> Self {
        Self { volume: Sums::new(rows + LOOK_BACK), slope: Slope::new(rows + LOOK_BACK) }
    }

    #[inline(always)]
    pub(super) fn compute<F: Float>(&mut self, bars: &Bars<'_>, out: [&mut [F]; count(Category::Volume)]) {
        let bars = bars.back(LOOK_BACK);
        let [ratio_30, slope_30, slope_5, exhaustions] = out;
        self.volume.set(bars.volume.iter().map(|&volume| i64::from(volume)));
        // Element k of the slope's column is the sum over the rows up to k + 4.
        let sums_5 = self.volume.over(5, bars.len().min(4)..bars.len());
        self.slope.set(sums_5);

        let (at, out) = bars.defined(29, ratio_30);
        let sums = self.volume.over(30, at.clone());
        let volumes = bars.volume[at].iter();
        write(out, volumes.zip(sums).map(|(&volume, sum)| volume_ratio(volume, sum)));

        let (at, out) = bars.defined(33, slope_30);
        write(out, self.slope.over(30, shift(&at, 4)).map(slope_of_means));

        let (at, out) = bars.defined(4, slope_5);
        write(out, tenfold_slopes(bars.volume, &at).map(slope));

        let (at, out) = bars.defined(29, exhaustions);
        let sums = self.volume.over(30, at.clone());
        let slopes = tenfold_slopes(bars.volume, &at);
        let rows = bars.volume[at].iter().zip(sums).zip(slopes);
        write(out, rows.map(|((&volume, sum), tenfold)| exhaustion(volume, sum, tenfold)));
    }
}

/// v / (sum/30)
#[inline(always)]
pub(crate) fn volume_ratio(volume: u32, sum_30: i64) -> f64 {
    ratio(30.0 * f64::from(volume), float(sum_30))
}

/// Slope of the means over 5 rows from [`crate::window::slope::twice`] the numerator of that of the sums: over 2 * 2247.5, and
/// 5 for the mean.
#[inline(always)]
pub(crate) fn slope_of_means(twice: i64) -> f64 {
    float(twice) / 22_475.0
}

/// Ten times slope(v, 5): -2, -1, 0, 1, 2 are the distances from the middle, 10 the sum of their squares. Exact.
#[inline(always)]
pub(crate) fn tenfold_slope(oldest: u32, old: u32, new: u32, newest: u32) -> f64 {
    2.0 * (f64::from(newest) - f64::from(oldest)) + (f64::from(new) - f64::from(old))
}

/// slope(v, 5)
#[inline(always)]
pub(crate) fn slope(tenfold: f64) -> f64 {
    TENTH.times(tenfold)
}

/// 30*v/sum * slope with one division. Adding 0 makes the -0 of an empty second and a falling volume 0.
#[inline(always)]
pub(crate) fn exhaustion(volume: u32, sum_30: i64, tenfold: f64) -> f64 {
    ratio(3.0 * f64::from(volume) * tenfold, float(sum_30)) + 0.0
}

#[inline(always)]
fn tenfold_slopes<'a>(volume: &'a [u32], at: &std::ops::Range<usize>) -> impl Iterator<Item = f64> + use<'a> {
    let (oldest, old) = (lag(volume, at, 4), lag(volume, at, 3));
    let (new, newest) = (lag(volume, at, 1), lag(volume, at, 0));
    let rows = oldest.iter().zip(old).zip(new.iter().zip(newest));
    rows.map(|((&oldest, &old), (&new, &newest))| tenfold_slope(oldest, old, new, newest))
}

#[cfg(test)]
mod tests {
    use crate::features::tests::session_column;
    use crate::random::Tape;

    #[test]
    fn rising_by_one() {
        let mut tape = Tape::default();
        for row in 0..40 {
            tape.push([100; 4], row);
        }
        // Row 29: v = 29, mean(v,30) = 14.5.
        assert_eq!(session_column(&tape, "volume_ratio_30s")[29], 2.0);
        assert_eq!(session_column(&tape, "volume_slope_30s")[33..], [1.0; 7]);
        assert_eq!(session_column(&tape, "volume_slope_5s")[4..], [1.0; 36]);
        assert_eq!(session_column(&tape, "volume_exhaustion")[29], 2.0);
    }

    #[test]
    fn no_volume() {
        let mut tape = Tape::default();
        for row in 0..40 {
            tape.push([100; 4], u32::from(row < 8));
        }
        let ratio = session_column(&tape, "volume_ratio_30s");
        assert_eq!(ratio[36], 0.0);
        assert!(ratio[37].is_nan());
        assert!(session_column(&tape, "volume_exhaustion")[37].is_nan());
        // A last second with volume leaves: (-2*1 + 0)/10.
        assert_eq!(session_column(&tape, "volume_slope_5s")[11], -0.2);
    }

    #[test]
    fn an_empty_second_after_a_fall_is_0_without_a_sign() {
        let mut tape = Tape::default();
        for row in 0..40 {
            tape.push([100; 4], u32::from(row < 36));
        }
        assert_eq!(session_column(&tape, "volume_slope_5s")[39], -0.2);
        assert_eq!(session_column(&tape, "volume_exhaustion")[39].to_bits(), 0);
    }
}
