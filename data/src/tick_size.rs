//! Prices in whole ticks, without a division.
//!
//! A month has millions of prices and one tick size. Of a multiple of an odd number the quotient is the product with that
//! number's inverse modulo 2^64, and of anything else that product is too large (Granlund and Montgomery, "Division by
//! Invariant Integers using Multiplication", 1994, section 9).

/// A tick size in nanounits of price, prepared for dividing by it.
#[derive(Clone, Copy, Debug)]
pub struct TickSize {
    /// The power of two in the tick size.
    twos: u32,
    /// The inverse of the odd rest, modulo 2^64.
    inverse: i64,
    /// Least and greatest quotient by the odd rest.
    limits: [i64; 2],
}

impl TickSize {
    /// `nanos` is at least 1, as an [`Instrument`](crate::Instrument) has it; anything less is taken as 1.
    pub fn new(nanos: i64) -> Self {
        let nanos = nanos.max(1);
        let twos = nanos.trailing_zeros();
        let odd = nanos >> twos;
        // An odd number is its own inverse modulo 8; each step of Newton's method doubles the bits that are right.
        let step = |inverse: i64| inverse.wrapping_mul(2_i64.wrapping_sub(odd.wrapping_mul(inverse)));
        let inverse = (0..5).fold(odd, |inverse, _| step(inverse));
        Self { twos, inverse, limits: [i64::MIN / odd, i64::MAX / odd] }
    }

    /// How many ticks `price` is, in nanounits; `None` for one between ticks.
    #[inline]
    pub fn count(self, price: i64) -> Option<i64> {
        let halved = price >> self.twos;
        let ticks = halved.wrapping_mul(self.inverse);
        let [least, most] = self.limits;
        (halved << self.twos == price && (least..=most).contains(&ticks)).then_some(ticks)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_count_is_the_quotient_of_a_multiple_and_nothing_else(
            nanos in prop_oneof![1_i64..1000, 1_i64..=i64::MAX, (0_u32..63).prop_map(|twos| 1 << twos)],
            ticks in any::<i64>(),
            off in -3_i64..=3,
        ) {
            let price = (ticks % (i64::MAX / nanos)).wrapping_mul(nanos).wrapping_add(off);
            let expected = (price % nanos == 0).then(|| price / nanos);
            prop_assert_eq!(TickSize::new(nanos).count(price), expected);
        }
    }

    #[test]
    fn es_by_hand() {
        let size = TickSize::new(250_000_000);
        let prices = [0, 250_000_000, 6_700_250_000_000, 6_700_125_000_000, -37_500_000_000, 1, i64::MAX];
        assert_eq!(
            prices.map(|price| size.count(price)),
            [Some(0), Some(1), Some(26_801), None, Some(-150), None, None]
        );
    }

    #[test]
    fn the_ends_of_the_range_are_multiples_too() {
        let ends = [i64::MIN, i64::MAX];
        assert_eq!(ends.map(|price| TickSize::new(1).count(price)), ends.map(Some));
        assert_eq!(TickSize::new(7).count(i64::MAX), Some(i64::MAX / 7));
        assert_eq!(TickSize::new(i64::MAX).count(i64::MAX), Some(1));
    }
}
