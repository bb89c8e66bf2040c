//! return_30s, return_60s, return_300s, momentum_acceleration, momentum_consistency.

use super::bars::{Bars, lag, write};
use super::registry::count;
use super::{Category, Float};
use crate::window::deviation::Deviation;
use crate::window::refill;

/// Rows of momentum_consistency.
const CONSISTENCY: usize = 30;
#[derive(Clone, Debug)]
pub(super) struct Returns {
    one_row: Vec<f64>,
    deviation: Deviation,
}

impl Returns {
    pub(super) fn new(rows: usize) -> Self {
        Self { one_row: Vec::with_capacity(rows + CONSISTENCY), deviation: Deviation::new(rows) }
    }

    #[inline(always)]
    pub(super) fn compute<F: Float>(&mut self, bars: &Bars<'_>, out: [&mut [F]; count(Category::Returns)]) {
        let [return_30, return_60, return_300, of_momentum, consistency] = out;
        for (window, column) in [(30, return_30), (60, return_60), (300, return_300)] {
            let (at, out) = bars.defined(window, column);
            let rows = lag(bars.close, &at, 0).iter().zip(lag(bars.close, &at, window));
            write(out, rows.map(|(&close, &before)| change(close, before)));
        }

        let (at, out) = bars.defined(60, of_momentum);
        let closes = lag(bars.close, &at, 0).iter();
        let rows = closes.zip(lag(bars.close, &at, 30).iter().zip(lag(bars.close, &at, 60)));
        write(out, rows.map(|(&close, (&close_30, &close_60))| acceleration(close, close_30, close_60)));

        let bars = bars.back(CONSISTENCY);
        let (at, out) = bars.defined(CONSISTENCY, consistency);
        // Element k is the return of row k + 1; the first row has none.
        let pairs = bars.close.iter().skip(1).zip(bars.close);
        refill(&mut self.one_row, bars.len().saturating_sub(1), pairs.map(|(&close, &before)| change(close, before)));
        self.deviation.take(&self.one_row[at.start.saturating_sub(CONSISTENCY).min(self.one_row.len())..]);
        // A return that is NaN makes those NaN that it is in.
        let deviations = self.deviation.deviations().iter();
        write(out, deviations.map(|&deviation| if deviation.is_nan() { f64::NAN } else { deviation }));
    }
}

/// (c - before)/before; NaN where the price before is not above 0, of which there are no shares.
#[inline(always)]
pub(crate) fn change(close: i32, before: i32) -> f64 {
    let change = f64::from(close - before) / f64::from(before);
    if before > 0 { change } else { f64::NAN }
}

/// c/c30 - c/c60 = c*(c60 - c30)/(c30*c60), whose products are exact; NaN where one of the two is not above 0.
#[inline(always)]
pub(crate) fn acceleration(close: i32, close_30: i32, close_60: i32) -> f64 {
    let difference = f64::from(close_60 - close_30);
    let acceleration = f64::from(close) * difference / (f64::from(close_30) * f64::from(close_60));
    if close_30.min(close_60) > 0 { acceleration } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use crate::features::tests::session_column;
    use crate::random::Tape;

    #[test]
    fn there_is_no_return_on_a_price_that_is_not_above_0() {
        // 10 up to row 29, -10 up to row 59, then 0.
        let mut tape = Tape::default();
        for row in 0..130 {
            tape.push([[10, -10, 0, 0, 0][row / 30]; 4], 1);
        }
        let return_30 = session_column(&tape, "return_30s");
        assert_eq!((return_30[30], return_30[59]), (-2.0, -2.0));
        assert!(return_30[60..].iter().all(|value| value.is_nan()));
        let consistency = session_column(&tape, "momentum_consistency");
        // The last return with a price above 0 before it is that of row 30.
        assert!(consistency[30].is_finite() && consistency[31..].iter().all(|value| value.is_nan()));
        assert!(session_column(&tape, "momentum_acceleration")[60..].iter().all(|value| value.is_nan()));
    }

    #[test]
    fn one_step() {
        // 100 up to row 299, 200 from row 300 on.
        let mut tape = Tape::default();
        for row in 0..400 {
            tape.push([if row < 300 { 100 } else { 200 }; 4], 1);
        }
        let return_30 = session_column(&tape, "return_30s");
        assert_eq!((return_30[299], return_30[300], return_30[329], return_30[330]), (0.0, 1.0, 1.0, 0.0));
        assert_eq!(session_column(&tape, "return_300s")[300], 1.0);
        let acceleration = session_column(&tape, "momentum_acceleration");
        assert_eq!((acceleration[329], acceleration[330], acceleration[360]), (0.0, -1.0, 0.0));
        // One return of 1 among 30: variance (1 - 1/30)/29 = 1/30. Without it exactly 0.
        let consistency = session_column(&tape, "momentum_consistency");
        assert!((consistency[300] - (1.0_f64 / 30.0).sqrt()).abs() < 1e-15);
        assert_eq!((consistency[299], consistency[330]), (0.0, 0.0));
    }
}
