//! The price increment of an instrument as an exact fraction of a point.

use crate::Error;

/// One DBN price unit is 1e-9 points.
const UNITS_PER_POINT: i64 = 1_000_000_000;

/// The minimum price increment, held as a reduced fraction of a point (0.25 is 1/4, 0.1 is 1/10), so that a price in
/// ticks becomes points with a single rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    numerator: u32,
    denominator: u32,
}

impl Tick {
    /// A tick of `nanos` units of 1e-9 points (ES: 250,000,000).
    ///
    /// # Errors
    /// [`Error::Tick`] when it is not positive or its reduced fraction does not fit 32 bits.
    pub fn from_nanos(nanos: i64) -> Result<Self, Error> {
        if nanos <= 0 {
            return Err(Error::Tick { nanos });
        }
        let divisor = gcd(nanos, UNITS_PER_POINT);
        let part = |value: i64| u32::try_from(value / divisor).map_err(|_| Error::Tick { nanos });
        Ok(Self { numerator: part(nanos)?, denominator: part(UNITS_PER_POINT)? })
    }

    /// Units of 1e-9 points in one tick.
    #[must_use]
    pub fn nanos(self) -> i64 {
        UNITS_PER_POINT / i64::from(self.denominator) * i64::from(self.numerator)
    }

    /// Points per tick are `numerator / denominator`.
    #[must_use]
    pub fn numerator(self) -> u32 {
        self.numerator
    }

    /// Points per tick are `numerator / denominator`.
    #[must_use]
    pub fn denominator(self) -> u32 {
        self.denominator
    }

    /// A price or price difference of `ticks` in points, correctly rounded.
    #[must_use]
    pub fn points(self, ticks: i32) -> f64 {
        // Both products are exact in f64 for every tick a market uses (|ticks| < 2^22), so one rounding remains.
        (i64::from(ticks) * i64::from(self.numerator)) as f64 / f64::from(self.denominator)
    }
}

fn gcd(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ES, GC, ZN, 6J, and increments of more than one numerator.
    const TICKS: [(i64, u32, u32); 6] = [
        (250_000_000, 1, 4),
        (100_000_000, 1, 10),
        (15_625_000, 1, 64),
        (500, 1, 2_000_000),
        (750_000_000, 3, 4),
        (12_500_000_000, 25, 2),
    ];

    #[test]
    fn fractions_are_reduced_and_exact() {
        for (nanos, numerator, denominator) in TICKS {
            let tick = Tick::from_nanos(nanos).unwrap();
            assert_eq!((tick.numerator(), tick.denominator(), tick.nanos()), (numerator, denominator, nanos));
        }
    }

    #[test]
    fn prices_are_rounded_once() {
        let points = |nanos: i64, ticks: i32| Tick::from_nanos(nanos).unwrap().points(ticks);
        assert_eq!(points(250_000_000, 6_801), 1_700.25);
        assert_eq!(points(100_000_000, 13_203), 1_320.3);
        assert_eq!(points(15_625_000, -65), -1.015_625);
        assert_eq!(points(500, 20_001), 0.010_000_5);
        assert_eq!(points(750_000_000, 3), 2.25);
        assert_eq!(points(12_500_000_000, 1 << 22), 52_428_800.0);
    }

    #[test]
    fn what_is_no_increment_is_refused() {
        // The last one is a prime beyond 32 bits.
        for nanos in [0, -1, i64::MIN, 4_294_967_311] {
            assert_eq!(Tick::from_nanos(nanos), Err(Error::Tick { nanos }));
        }
    }
}
