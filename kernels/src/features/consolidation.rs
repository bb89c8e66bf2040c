//! The ranges of the last 300 and 900 seconds: short_range_*, position_in_short_range, medium_range_*,
//! range_compression_ratio, short_range_retouches, medium_range_retouches.

use super::bars::{Bars, Points, ratio, write};
use super::registry::count;
use super::{Category, Float};
use crate::Profile;
use crate::lanes::Lanes;
use crate::window::extrema::Extrema;
use crate::window::retouch::Retouch;

pub(crate) const SHORT: usize = 300;
pub(crate) const MEDIUM: usize = 900;

#[derive(Clone, Debug)]
pub(super) struct Consolidation {
    short: Extrema,
    medium: Extrema,
    retouch: Retouch,
}

impl Consolidation {
    pub(super) fn new(rows: usize) -> Self {
        Self {
            short: Extrema::new(SHORT, rows),
            medium: Extrema::new(MEDIUM, rows),
            retouch: Retouch::new(MEDIUM, rows),
        }
    }

    #[inline(always)]
    pub(super) fn compute<F: Float, L: Lanes>(
        &mut self,
        bars: &Bars<'_>,
        profile: Profile,
        points: Points,
        out: [&mut [F]; count(Category::Consolidation)],
    ) {
        let [short_high, short_low, short_size, positions, high, low, size, compressions, short_retouches, retouches] =
            out;
        extremes(&mut self.short, bars, points, [short_high, short_low, short_size]);
        extremes(&mut self.medium, bars, points, [high, low, size]);

        let (at, out) = bars.defined(SHORT - 1, positions);
        let rows = bars.close[at].iter().zip(self.short.high().iter().zip(self.short.low()));
        write(out, rows.map(|(&close, (&high, &low))| position(close, high, low)));

        let (at, out) = bars.defined(MEDIUM - 1, compressions);
        let later = self.short.high().len() - at.len();
        let short = self.short.high()[later..].iter().zip(&self.short.low()[later..]);
        let medium = self.medium.high().iter().zip(self.medium.low());
        let sizes = short.zip(medium).map(|((&high, &low), (&top, &bottom))| (high - low, top - bottom));
        write(out, sizes.map(|(short, medium)| compression(short, medium)));

        match profile {
            Profile::Session => {
                session_retouches::<F, L>(&mut self.retouch, &self.short, bars, short_retouches);
                session_retouches::<F, L>(&mut self.retouch, &self.medium, bars, retouches);
            }
            Profile::Rolling => {
                rolling_retouches(&self.short, bars, short_retouches);
                rolling_retouches(&self.medium, bars, retouches);
            }
        }
    }
}

/// The extremes of the rows whose window is full, and the columns high, low and size.
#[inline(always)]
fn extremes<F: Float>(extrema: &mut Extrema, bars: &Bars<'_>, points: Points, out: [&mut [F]; 3]) {
    let before = extrema.window() - 1;
    let [high, low, size] = out.map(|column| bars.defined(before, column));
    let window = high.0.start.saturating_sub(before)..high.0.end;
    extrema.take(&bars.high[window.clone()], &bars.low[window]);
    points.write(high.1, extrema.high().iter().copied(), 1.0);
    points.write(low.1, extrema.low().iter().copied(), 1.0);
    let sizes = extrema.high().iter().zip(extrema.low());
    points.write(size.1, sizes.map(|(&high, &low)| high - low), 1.0);
}

/// How often the window came back to the ends of its range, see [`crate::window::retouch`].
#[inline(always)]
fn session_retouches<F: Float, L: Lanes>(retouch: &mut Retouch, extrema: &Extrema, bars: &Bars<'_>, out: &mut [F]) {
    let before = extrema.window() - 1;
    let (at, out) = bars.defined(before, out);
    let window = at.start.saturating_sub(before)..at.end;
    retouch.take::<L>(extrema.window(), &bars.high[window.clone()], &bars.low[window], extrema.high(), extrema.low());
    write(out, retouch.counts().iter().map(|&count| f64::from(count)));
}

/// Whether the close is within 5 % of the range's size of either end; 0 before the window is full.
#[inline(always)]
fn rolling_retouches<F: Float>(extrema: &Extrema, bars: &Bars<'_>, out: &mut [F]) {
    let defined = extrema.high().len();
    let (before, out) = out.split_at_mut(out.len() - defined);
    before.fill(F::from_f64(0.0));
    let closes = bars.close[bars.len() - defined..].iter();
    let rows = closes.zip(extrema.high().iter().zip(extrema.low()));
    write(out, rows.map(|(&close, (&high, &low))| near_an_end(close, high, low)));
}

/// (c - low)/size
#[inline(always)]
pub(crate) fn position(close: i32, high: i32, low: i32) -> f64 {
    ratio(f64::from(close - low), f64::from(high - low))
}

/// short size / medium size
#[inline(always)]
pub(crate) fn compression(short: i32, medium: i32) -> f64 {
    ratio(f64::from(short), f64::from(medium))
}

/// 1 for a close within 5 % of the range's size of either end, else 0.
#[inline(always)]
pub(crate) fn near_an_end(close: i32, high: i32, low: i32) -> f64 {
    let size = high - low;
    f64::from(u8::from(20 * close >= 20 * high - size || 20 * close <= 20 * low + size))
}

#[cfg(test)]
mod tests {
    use crate::Profile;
    use crate::features::tests::{column, session_column};
    use crate::random::Tape;

    /// 900 rows at 110 ticks, but 140 on row 10, 120 on rows 650 and 690, 100 on row 700, 119 on the last.
    fn tape() -> Tape {
        let mut tape = Tape::default();
        for row in 0..900 {
            let price = match row {
                10 => 140,
                650 | 690 => 120,
                700 => 100,
                899 => 119,
                _ => 110,
            };
            tape.push([price; 4], 1);
        }
        tape
    }

    #[test]
    fn by_hand() {
        for (name, value) in [
            ("short_range_high", 30.0),
            ("short_range_low", 25.0),
            ("short_range_size", 5.0),
            ("position_in_short_range", 0.95),
            ("medium_range_high", 35.0),
            ("medium_range_low", 25.0),
            ("medium_range_size", 10.0),
            ("range_compression_ratio", 0.5),
            // Rows 650, 690 and 899; row 700 comes too soon after 690.
            ("short_range_retouches", 3.0),
            // Zones from 136 up and from 104 down: rows 10 and 700.
            ("medium_range_retouches", 2.0),
        ] {
            assert_eq!(session_column(&tape(), name)[899], value, "{name}");
        }
    }

    #[test]
    fn rolling_retouches() {
        let short = column(&tape(), Profile::Rolling, "short_range_retouches");
        // 119 is exactly 5 % of 20 ticks from the top; before the window is full it is 0.
        assert_eq!((short[899], short[898], short[10]), (1.0, 0.0, 0.0));
        assert_eq!(column(&tape(), Profile::Rolling, "medium_range_retouches")[899], 0.0);
    }

    #[test]
    fn flat() {
        let mut tape = Tape::default();
        for _ in 0..900 {
            tape.push([100; 4], 1);
        }
        assert!(session_column(&tape, "position_in_short_range")[899].is_nan());
        assert!(session_column(&tape, "range_compression_ratio")[899].is_nan());
        // Every row is in a zone: one in thirty counts.
        assert_eq!(session_column(&tape, "medium_range_retouches")[899], 30.0);
        assert_eq!(column(&tape, Profile::Rolling, "short_range_retouches")[299], 1.0);
    }
}
