//! atr_30s, atr_300s, volatility_regime, volatility_acceleration, volatility_breakout, atr_percentile.
//!
//! A30, A60 and A300 are the sums of the true range over that many rows, in ticks: integers, like every sum here.

use super::bars::{Bars, Points, ratio, shift, write};
use super::registry::count;
use super::{Category, Float};
use crate::lanes::Lanes;
use crate::window::rank::Rank;
use crate::window::reciprocal::Reciprocal;
use crate::window::refill;
use crate::window::score::Score;
use crate::window::sum::Sums;

/// Rows of atr_30s.
pub(crate) const ATR: usize = 30;
/// Values of atr_30s that the newest is compared with, itself included.
pub(crate) const COMPARED: usize = 300;
/// Both windows, and the close before the oldest true range.
pub(super) const LOOK_BACK: usize = ATR - 1 + COMPARED;

const SIXTH: Reciprocal = Reciprocal::of(6.0);

#[derive(Clone, Debug)]
pub(super) struct Volatility {
    /// A30 of the rows from the 30th on.
    atr: Vec<i32>,
    score: Score,
    rank: Rank,
}

impl Volatility {
    pub(super) fn new(rows: usize) -> Self {
        let all = rows + LOOK_BACK;
        Self { atr: Vec::with_capacity(all), score: Score::new(COMPARED, rows), rank: Rank::new(COMPARED, rows) }
    }

    /// `true_range` of `bars.back(LOOK_BACK)`.
    #[inline(always)]
    pub(super) fn compute<F: Float, L: Lanes>(
        &mut self,
        bars: &Bars<'_>,
        true_range: &Sums<i32>,
        points: Points,
        out: [&mut [F]; count(Category::Volatility)],
    ) {
        let bars = bars.back(LOOK_BACK);
        let [atr_30, atr_300, regimes, accelerations, breakout, percentiles] = out;
        for (window, column) in [(ATR, atr_30), (300, atr_300)] {
            let (at, out) = bars.defined(window - 1, column);
            points.write(out, true_range.over(window, at), window as f64);
        }

        let (at, out) = bars.defined(299, regimes);
        let sums = true_range.over(ATR, at.clone()).zip(true_range.over(300, at));
        write(out, sums.map(|(short, long)| regime(short, long)));

        let (at, out) = bars.defined(59, accelerations);
        let sums = true_range.over(ATR, at.clone()).zip(true_range.over(60, at));
        write(out, sums.map(|(short, long)| acceleration(short, long)));

        let full = bars.len().min(ATR - 1)..bars.len();
        refill(&mut self.atr, full.len(), true_range.over(ATR, full));
        let (at, out) = bars.defined(LOOK_BACK - 1, breakout);
        let newest = shift(&at, ATR - 1);
        let compared = &self.atr[newest.start.saturating_sub(COMPARED - 1)..newest.end];
        self.score.take(compared);
        write(out, self.score.scores().iter().copied());

        let (_, out) = bars.defined(LOOK_BACK - 1, percentiles);
        self.rank.take::<L>(compared);
        write(out, self.rank.scores().iter().map(|&score| percentile(score)));
    }
}

/// (A30/30)/(A300/300)
#[inline(always)]
pub(crate) fn regime(a30: i32, a300: i32) -> f64 {
    ratio(10.0 * f64::from(a30), f64::from(a300))
}

/// (A30/30 - A60/60)/(A60/60)
#[inline(always)]
pub(crate) fn acceleration(a30: i32, a60: i32) -> f64 {
    ratio(2.0 * f64::from(a30) - f64::from(a60), f64::from(a60))
}

/// Rank with ties averaged, in percent: (score + 1)/2 / 300 * 100.
#[inline(always)]
pub(crate) fn percentile(score: i16) -> f64 {
    SIXTH.times(f64::from(score + 1))
}

#[cfg(test)]
mod tests {
    use crate::features::tests::session_column;
    use crate::random::Tape;

    /// Bars of two ticks, and on row 330 one whose true range is 32: it opens and closes 30 below the close before.
    fn tape() -> Tape {
        let mut tape = Tape::default();
        for row in 0..331 {
            tape.push(if row < 330 { [100, 101, 99, 100] } else { [70, 71, 68, 70] }, 1);
        }
        tape
    }

    #[test]
    fn by_hand() {
        for (name, still, moved) in [
            ("atr_30s", 0.5, 0.75),                                   // 60 and 90 quarter points over 30
            ("atr_300s", 0.5, 630.0 / 300.0 / 4.0),                   // 600 and 630
            ("volatility_regime", 1.0, 900.0 / 630.0),                // 10*90/630
            ("volatility_acceleration", 0.0, 0.2),                    // (180 - 150)/150
            ("atr_percentile", 301.0 / 6.0, 100.0),                   // all tied; the highest
            ("volatility_breakout", f64::NAN, 29.9 / 3.0_f64.sqrt()), // mean 60.1, variance 897/299
        ] {
            let column = session_column(&tape(), name);
            let (before, after) = (column[329], column[330]);
            assert!(before == still || before.is_nan() && still.is_nan(), "{name}: {before}");
            assert!((after - moved).abs() <= 1e-14 * moved, "{name}: {after}");
        }
    }

    #[test]
    fn no_movement() {
        let mut tape = Tape::default();
        for _ in 0..330 {
            tape.push([100; 4], 1);
        }
        for name in ["volatility_regime", "volatility_acceleration", "volatility_breakout"] {
            assert!(session_column(&tape, name)[329].is_nan(), "{name}");
        }
        assert_eq!(session_column(&tape, "atr_30s")[329], 0.0);
    }
}
