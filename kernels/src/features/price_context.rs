//! vwap, distance_from_vwap_pct, vwap_slope, distance_from_rth_high, distance_from_rth_low.
//!
//! The vwap is a quotient of two integers. Its distance is computed from those, and its slope from its steps, whose
//! numerators are integers too, so that neither loses digits to the price level.

use super::bars::{Bars, Points, write};
use super::registry::count;
use super::{Carry, Category, Float, RUNNING};
use crate::Profile;
use crate::window::extrema::Extrema;
use crate::window::refill;
use crate::window::slope::{STEPS_30, take_of_steps_30};
use crate::window::sum::{Sums, float};

/// Rows of the vwap in profile `rolling`.
pub(crate) const VWAP: usize = 300;
/// Rows before the newest one of the slope: there are as many steps.
const SLOPE: usize = STEPS_30;
/// Turnovers times volumes below it are multiplied in 64 bits, and the difference of two such products fits.
const NARROW: i64 = 1 << 62;

#[derive(Clone, Debug)]
pub(super) struct PriceContext {
    /// Of profile `rolling`.
    sums: [Sums<i64>; 2],
    /// The quotients' terms.
    turnover: Vec<i64>,
    volume: Vec<i64>,
    steps: Vec<f64>,
    slope: Vec<f64>,
    running: Extrema,
}

impl PriceContext {
    pub(super) fn new(rows: usize) -> Self {
        let look_back = VWAP - 1 + SLOPE;
        Self {
            sums: [Sums::new(rows + look_back), Sums::new(rows + look_back)],
            turnover: Vec::with_capacity(rows + SLOPE),
            volume: Vec::with_capacity(rows + SLOPE),
            steps: Vec::with_capacity(rows + SLOPE),
            slope: vec![0.0; rows],
            running: Extrema::new(RUNNING, rows),
        }
    }

    /// `carry` stands before the first row asked for.
    #[inline(always)]
    pub(super) fn compute<F: Float>(
        &mut self,
        bars: &Bars<'_>,
        profile: Profile,
        carry: &Carry,
        points: Points,
        out: [&mut [F]; count(Category::PriceContext)],
    ) {
        let [vwaps, distances, slope, from_high, from_low] = out;
        match profile {
            Profile::Session => {
                self.session_vwap(&bars.back(SLOPE), carry);
                session_distances(bars, carry, points, from_high, from_low);
            }
            Profile::Rolling => {
                self.rolling_vwap(&bars.back(VWAP - 1 + SLOPE));
                self.rolling_distances(bars, points, from_high, from_low);
            }
        }

        let lead = self.turnover.len() - vwaps.len();
        let quotients = self.turnover[lead..].iter().zip(&self.volume[lead..]);
        write(vwaps, quotients.clone().map(|(&turnover, &volume)| vwap(points, (turnover, volume))));
        let rows = bars.close[bars.lead..].iter().zip(quotients);
        write(distances, rows.map(|(&close, (&turnover, &volume))| distance(close, (turnover, volume))));

        self.set_steps();
        let (at, out) = bars.defined(SLOPE, slope);
        let slopes = &mut self.slope[..at.len()];
        if !slopes.is_empty() {
            take_of_steps_30(&self.steps[self.steps.len() - (slopes.len() + SLOPE - 1)..], slopes);
        }
        write(out, slopes.iter().map(|&slope| points.of(slope, 1.0)));
    }

    /// Quotients since the first row of the series, for the rows asked for and up to 29 before.
    #[inline(always)]
    fn session_vwap(&mut self, bars: &Bars<'_>, carry: &Carry) {
        let (mut turnover, mut volume) = (carry.turnover, carry.volume);
        for (&close, &traded) in bars.close.iter().zip(bars.volume).take(bars.lead) {
            turnover -= i64::from(close) * i64::from(traded);
            volume -= i64::from(traded);
        }
        self.turnover.resize(bars.len(), 0);
        self.volume.resize(bars.len(), 0);
        let terms = self.turnover.iter_mut().zip(&mut self.volume);
        for ((out, out_volume), (&close, &traded)) in terms.zip(bars.close.iter().zip(bars.volume)) {
            turnover += i64::from(close) * i64::from(traded);
            volume += i64::from(traded);
            (*out, *out_volume) = quotient(close, turnover, volume);
        }
    }

    /// Quotients over the last 300 rows, for the rows asked for and up to 29 before.
    #[inline(always)]
    fn rolling_vwap(&mut self, bars: &Bars<'_>) {
        let [turnovers, volumes] = &mut self.sums;
        let rows = bars.close.iter().zip(bars.volume);
        turnovers.set(rows.map(|(&close, &volume)| i64::from(close) * i64::from(volume)));
        volumes.set(bars.volume.iter().map(|&volume| i64::from(volume)));
        let from = bars.lead.saturating_sub(SLOPE);
        let full = from.max(VWAP - 1).min(bars.len());
        // Only at the start of a series is a window not full.
        let start = full - from;
        self.turnover.resize(bars.len() - from, 0);
        self.volume.resize(bars.len() - from, 0);
        self.volume[..start].fill(1);
        self.turnover.iter_mut().zip(&bars.close[from..full]).for_each(|(out, &close)| *out = close.into());
        let sums = turnovers.over(VWAP, full..bars.len()).zip(volumes.over(VWAP, full..bars.len()));
        let terms = self.turnover[start..].iter_mut().zip(&mut self.volume[start..]);
        for ((out, out_volume), (&close, (turnover, volume))) in terms.zip(bars.close[full..].iter().zip(sums)) {
            (*out, *out_volume) = quotient(close, turnover, volume);
        }
    }

    /// Steps from each quotient to the next.
    #[inline(always)]
    fn set_steps(&mut self) {
        let before = self.turnover.iter().zip(&self.volume);
        let pairs = before.clone().zip(before.skip(1));
        let largest = |terms: &[i64]| terms.iter().fold(0, |largest, &term| largest.max(term).max(-term));
        let product = largest(&self.turnover).checked_mul(largest(&self.volume));
        let len = self.turnover.len().saturating_sub(1);
        if product.is_some_and(|product| product < NARROW) {
            let steps = pairs.map(|((&before, &before_volume), (&turnover, &volume))| {
                step(float(turnover * before_volume - before * volume), before_volume, volume)
            });
            refill(&mut self.steps, len, steps);
        } else {
            let steps = pairs.map(|((&before, &before_volume), (&turnover, &volume))| {
                wide_step((before, before_volume), (turnover, volume))
            });
            refill(&mut self.steps, len, steps);
        }
    }

    #[inline(always)]
    fn rolling_distances<F: Float>(
        &mut self,
        bars: &Bars<'_>,
        points: Points,
        from_high: &mut [F],
        from_low: &mut [F],
    ) {
        let (at, from_high) = bars.defined(RUNNING - 1, from_high);
        let (_, from_low) = bars.defined(RUNNING - 1, from_low);
        let window = at.start.saturating_sub(RUNNING - 1)..at.end;
        if at.is_empty() {
            return;
        }
        self.running.take(&bars.high[window.clone()], &bars.low[window]);
        let closes = &bars.close[at];
        points.write(from_high, closes.iter().zip(self.running.high()).map(|(&close, &high)| close - high), 1.0);
        points.write(from_low, closes.iter().zip(self.running.low()).map(|(&close, &low)| close - low), 1.0);
    }
}

/// S/V in points.
#[inline(always)]
pub(crate) fn vwap(points: Points, (turnover, volume): (i64, i64)) -> f64 {
    points.of(float(turnover), float(volume))
}

/// (c - S/V)/(S/V) = (c*V - S)/S, in percent; NaN where the vwap is not above 0.
#[inline(always)]
pub(crate) fn distance(close: i32, (turnover, volume): (i64, i64)) -> f64 {
    let distance = 100.0 * float(i64::from(close) * volume - turnover) / float(turnover);
    if turnover > 0 { distance } else { f64::NAN }
}

/// The step from a quotient to the next: T/V - T'/V' = (T*V' - T'*V)/(V*V'), with an exact numerator.
#[inline(always)]
fn step(numerator: f64, before: i64, volume: i64) -> f64 {
    numerator / (float(before) * float(volume))
}

/// The same from the quotients' terms, whatever their size.
#[inline(always)]
pub(crate) fn wide_step((before, before_volume): (i64, i64), (turnover, volume): (i64, i64)) -> f64 {
    let wide = |turnover: i64, volume: i64| i128::from(turnover) * i128::from(volume);
    step((wide(turnover, before_volume) - wide(before, volume)) as f64, before_volume, volume)
}

/// The terms of the vwap: the close while there is no volume.
#[inline(always)]
pub(crate) fn quotient(close: i32, turnover: i64, volume: i64) -> (i64, i64) {
    if volume == 0 { (i64::from(close), 1) } else { (turnover, volume) }
}

#[inline(always)]
fn session_distances<F: Float>(
    bars: &Bars<'_>,
    carry: &Carry,
    points: Points,
    from_high: &mut [F],
    from_low: &mut [F],
) {
    let bars = bars.back(0);
    let (mut highest, mut lowest) = (carry.high, carry.low);
    let highs = bars.close.iter().zip(bars.high);
    points.write(
        from_high,
        highs.map(|(&close, &high)| {
            highest = highest.max(high);
            close - highest
        }),
        1.0,
    );
    let lows = bars.close.iter().zip(bars.low);
    points.write(
        from_low,
        lows.map(|(&close, &low)| {
            lowest = lowest.min(low);
            close - lowest
        }),
        1.0,
    );
}

#[cfg(test)]
mod tests {
    use crate::Profile;
    use crate::features::tests::{column, session_column};
    use crate::random::Tape;

    #[test]
    fn by_hand() {
        let mut tape = Tape::default();
        tape.push([100, 101, 99, 100], 0);
        tape.push([100, 100, 100, 100], 1);
        tape.push([104, 106, 104, 104], 3);
        tape.push([104, 104, 98, 98], 0);
        // 100 while there is no volume, then 412/4 = 103 ticks of a quarter point.
        assert_eq!(session_column(&tape, "vwap"), [25.0, 25.0, 25.75, 25.75]);
        let distance = session_column(&tape, "distance_from_vwap_pct");
        assert_eq!(distance, [0.0, 0.0, 100.0 / 103.0, -500.0 / 103.0]);
        assert_eq!(session_column(&tape, "distance_from_rth_high"), [-0.25, -0.25, -0.5, -2.0]);
        assert_eq!(session_column(&tape, "distance_from_rth_low"), [0.25, 0.25, 1.25, 0.0]);
    }

    #[test]
    fn slopes() {
        // Flat at 302/3 ticks from row 1 on.
        let mut tape = Tape::default();
        tape.push([100; 4], 1);
        tape.push([101; 4], 2);
        for _ in 0..60 {
            tape.push([90; 4], 0);
        }
        assert_eq!(session_column(&tape, "vwap_slope")[30..], [0.0; 32]);
        // Before row 299 the rolling vwap is the close: a tick a second.
        let mut tape = Tape::default();
        for row in 0..320 {
            tape.push([100 + row; 4], 1);
        }
        assert_eq!(column(&tape, Profile::Rolling, "vwap_slope")[29..299], [0.25; 270]);
        // Then the mean of 300 closes, 149.5 ticks behind.
        assert_eq!(column(&tape, Profile::Rolling, "vwap")[299], 0.25 * 249.5);
    }

    #[test]
    fn running_extremes() {
        let mut tape = Tape::default();
        for row in 0..1_802 {
            let price = if row == 0 { 200 } else { 100 };
            tape.push([price; 4], 1);
        }
        let distance = column(&tape, Profile::Rolling, "distance_from_rth_high");
        assert!(distance[1_798].is_nan());
        assert_eq!(distance[1_799..], [-25.0, 0.0, 0.0]);
        assert_eq!(session_column(&tape, "distance_from_rth_high")[1_801], -25.0);
    }
}
