//! bar_range, relative_bar_size, uptick_pct_30s, uptick_pct_60s, bar_flow_consistency, directional_strength.

use super::bars::{Bars, Points, ratio, write};
use super::registry::count;
use super::volatility::{self, ATR};
use super::{Category, Float};
use crate::window::reciprocal::Reciprocal;
use crate::window::sum::Sums;

/// The longer window and the close before its oldest row.
const LOOK_BACK: usize = 60;

pub(crate) const THIRTIETH: Reciprocal = Reciprocal::of(30.0);
pub(crate) const SIXTIETH: Reciprocal = Reciprocal::of(60.0);

#[derive(Clone, Debug)]
pub(super) struct Microstructure {
    upticks: Sums<i32>,
}

impl Microstructure {
    pub(super) fn new(rows: usize) -> Self {
        Self { upticks: Sums::new(rows + LOOK_BACK) }
    }

    /// `true_range` of `bars.back(volatility::LOOK_BACK)`.
    #[inline(always)]
    pub(super) fn compute<F: Float>(
        &mut self,
        bars: &Bars<'_>,
        true_range: &Sums<i32>,
        points: Points,
        out: [&mut [F]; count(Category::Microstructure)],
    ) {
        let [bar_range, relative_size, upticks_30, upticks_60, consistency, strength] = out;
        points.write(bar_range, sizes(bars, bars.lead), 1.0);
        let bars = bars.back(volatility::LOOK_BACK);
        let (at, out) = bars.defined(ATR - 1, relative_size);
        let rows = sizes(&bars, at.start).zip(true_range.over(ATR, at));
        write(out, rows.map(|(size, sum)| relative(size, sum)));

        let bars = bars.back(LOOK_BACK);
        // Element 0 is right on the first row of a series, which counts as not up, and otherwise not used.
        let later = bars.close.windows(2).map(|pair| uptick(pair[1], pair[0]));
        self.upticks.set(bars.close.iter().take(1).map(|_| 0).chain(later));
        for (window, reciprocal, column) in [(30, THIRTIETH, upticks_30), (60, SIXTIETH, upticks_60)] {
            let (at, out) = bars.defined(window - 1, column);
            let counts = self.upticks.over(window, at);
            write(out, counts.map(|count| percent(count, reciprocal)));
        }

        let (at, out) = bars.defined(59, consistency);
        let counts = self.upticks.over(30, at.clone()).zip(self.upticks.over(60, at));
        write(out, counts.map(|(short, long)| difference(short, long)));

        let (at, out) = bars.defined(29, strength);
        let counts = self.upticks.over(30, at);
        write(out, counts.map(directional));
    }
}

/// (h - l)/(A30/30)
#[inline(always)]
pub(crate) fn relative(size: i32, a30: i32) -> f64 {
    ratio(30.0 * f64::from(size), f64::from(a30))
}

/// 1 for a close above the one before.
#[inline(always)]
pub(crate) fn uptick(close: i32, before: i32) -> i32 {
    i32::from(close > before)
}

/// 100*n/w, from one over the w rows of the window.
#[inline(always)]
pub(crate) fn percent(upticks: i32, reciprocal: Reciprocal) -> f64 {
    reciprocal.times(f64::from(100 * upticks))
}

/// |100*n30/30 - 100*n60/60|
#[inline(always)]
pub(crate) fn difference(upticks_30: i32, upticks_60: i32) -> f64 {
    SIXTIETH.times(f64::from(100 * (2 * upticks_30 - upticks_60).abs()))
}

/// |100*n30/30 - 50|*2
#[inline(always)]
pub(crate) fn directional(upticks_30: i32) -> f64 {
    THIRTIETH.times(f64::from((200 * upticks_30 - 3000).abs()))
}

/// High minus low from element `from` on, in ticks.
#[inline(always)]
fn sizes<'a>(bars: &Bars<'a>, from: usize) -> impl Iterator<Item = i32> + use<'a> {
    bars.high[from..].iter().zip(&bars.low[from..]).map(|(high, low)| high - low)
}

#[cfg(test)]
mod tests {
    use crate::features::tests::session_column;
    use crate::random::Tape;

    #[test]
    fn by_hand() {
        // A tick up every second for 30 seconds, then still; bars of two ticks, the last one of six.
        let mut tape = Tape::default();
        for row in 0..60 {
            let close = 100 + row.min(30);
            tape.push([close, close + 1, close - if row == 59 { 5 } else { 1 }, close], 1);
        }
        let at = |name| session_column(&tape, name);
        assert_eq!((at("bar_range")[0], at("bar_range")[59]), (0.5, 1.5));
        // True ranges 29 times 2 and once 6: 30*6/64.
        assert_eq!(at("relative_bar_size")[59], 180.0 / 64.0);
        // The first row is not up.
        assert_eq!((at("uptick_pct_30s")[29], at("uptick_pct_30s")[30]), (2900.0 / 30.0, 100.0));
        assert_eq!((at("uptick_pct_30s")[59], at("uptick_pct_60s")[59]), (100.0 / 30.0, 50.0));
        assert_eq!(at("bar_flow_consistency")[59], 100.0 * 28.0 / 60.0);
        assert_eq!((at("directional_strength")[30], at("directional_strength")[59]), (100.0, 2800.0 / 30.0));
    }

    #[test]
    fn no_movement() {
        let mut tape = Tape::default();
        for _ in 0..30 {
            tape.push([100; 4], 1);
        }
        assert!(session_column(&tape, "relative_bar_size")[29].is_nan());
        assert_eq!(session_column(&tape, "directional_strength")[29], 100.0);
    }
}
