//! Division of whole numbers by a constant, correctly rounded, in two multiplications and an addition.
//!
//! 1/d is held as the sum of a short number, whose product with any numerator is exact, and the rest. The sum of both
//! products is then within 2^-15 units of the last place of the quotient before it is rounded, and a quotient of whole
//! numbers that is no float itself lies 1/(2*d) of a unit from where rounding turns: it is rounded as a division rounds.

/// One over a whole number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reciprocal {
    short: f64,
    rest: f64,
}

impl Reciprocal {
    /// Bits a numerator may have.
    pub(crate) const BITS: u32 = 36;
    /// The largest divisor.
    pub(crate) const LARGEST: f64 = (1 << 13) as f64;

    /// Of a whole number `1..=LARGEST`.
    pub(crate) const fn of(divisor: f64) -> Self {
        let mask = u64::MAX << Self::BITS;
        let short = f64::from_bits((1.0 / divisor).to_bits() & mask);
        // Both the product and the difference are exact.
        Self { short, rest: (1.0 - short * divisor) / divisor }
    }

    /// `numerator / divisor` for a whole numerator of at most [`Self::BITS`] bits.
    #[inline(always)]
    pub(crate) fn times(self, numerator: f64) -> f64 {
        numerator * self.short + numerator * self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides_as_a_division() {
        let largest = (1_u64 << Reciprocal::BITS) - 1;
        let mut state = 1_u64;
        for divisor in 1..=Reciprocal::LARGEST as u64 {
            let reciprocal = Reciprocal::of(divisor as f64);
            let check = |numerator: u64| {
                for numerator in [numerator as f64, -(numerator as f64)] {
                    let expected = numerator / divisor as f64;
                    assert_eq!(reciprocal.times(numerator), expected, "{numerator} / {divisor}");
                }
            };
            for k in 0..60 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let any = (state >> 20) >> (k % 36);
                // Around multiples, where a rest is smallest, and anywhere.
                for numerator in [any, any / divisor * divisor + 1, any / divisor * divisor, largest - k] {
                    check(numerator.min(largest));
                    check((numerator / divisor * divisor).saturating_sub(1).min(largest));
                }
            }
        }
        assert_eq!(Reciprocal::of(30.0).times(0.0).to_bits(), 0);
    }
}
