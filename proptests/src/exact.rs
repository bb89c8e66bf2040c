//! What a column must be: a fraction that is known exactly, or a real number that is known well.

/// The value of a feature at a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exact {
    /// Not defined.
    Nan,
    /// A fraction: where the arithmetic is integer the output is its correctly rounded value.
    Ratio(i128, i128),
    /// A fraction whose terms do not fit a float: the output is rounded in a few steps, to 2 ulp of f64.
    Steps(i128, i128),
    /// A real number to within a few units of the last place of f64: the output is within 2 ulp of f32, or, where terms
    /// cancel, within the second number.
    Real(f64, f64),
}

impl Exact {
    /// `numerator / denominator`, not defined when the denominator is 0.
    #[must_use]
    pub fn ratio(numerator: i128, denominator: i128) -> Self {
        if denominator == 0 { Self::Nan } else { Self::Ratio(numerator, denominator) }
    }

    /// A whole number.
    #[must_use]
    pub fn whole(value: i64) -> Self {
        Self::Ratio(i128::from(value), 1)
    }

    /// This many ticks in points, a tick being `tick.0 / tick.1` points.
    #[must_use]
    pub fn points(self, tick: (i64, i64)) -> Self {
        match self {
            Self::Nan => Self::Nan,
            Self::Ratio(numerator, denominator) => {
                Self::Ratio(numerator * i128::from(tick.0), denominator * i128::from(tick.1))
            }
            Self::Steps(numerator, denominator) => Self::Ratio(numerator, denominator).points(tick).in_steps(),
            Self::Real(value, error) => {
                let points = |ticks: f64| ticks * tick.0 as f64 / tick.1 as f64;
                Self::Real(points(value), points(error))
            }
        }
    }

    /// The same fraction, but rounded in steps.
    #[must_use]
    pub fn in_steps(self) -> Self {
        match self {
            Self::Ratio(numerator, denominator) => Self::Steps(numerator, denominator),
            other => other,
        }
    }

    /// The nearest f64, ties to even.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Nan => f64::NAN,
            Self::Ratio(numerator, denominator) | Self::Steps(numerator, denominator) => divide(numerator, denominator),
            Self::Real(value, _) => value,
        }
    }

    /// Whether an f64 output is right: to the bit where exact, to 2 ulp in steps, to 1e-9 otherwise.
    #[must_use]
    pub fn admits(self, output: f64) -> bool {
        match self {
            Self::Nan => output.is_nan(),
            Self::Ratio(..) => output == self.to_f64(),
            Self::Steps(..) => (output - self.to_f64()).abs() <= 2.0 * f64::EPSILON * self.to_f64().abs(),
            Self::Real(value, error) => (output - value).abs() <= (1e-9 * value.abs()).max(error),
        }
    }

    /// Whether an f32 output is right: correctly rounded where exact, within 2 ulp otherwise.
    #[must_use]
    pub fn admits_f32(self, output: f32) -> bool {
        match self {
            Self::Nan => output.is_nan(),
            Self::Ratio(..) => output == self.to_f64() as f32,
            Self::Steps(..) => ulps(output, self.to_f64() as f32) <= 1,
            Self::Real(value, error) => ulps(output, value as f32) <= 2 || (f64::from(output) - value).abs() <= error,
        }
    }
}

/// Floats between two floats.
#[must_use]
pub fn ulps(a: f32, b: f32) -> u32 {
    // Order of the bits is order of the values once negative ones are mirrored.
    let place = |value: f32| {
        let bits = value.to_bits() as i32;
        i64::from(if bits < 0 { i32::MIN.wrapping_sub(bits) } else { bits })
    };
    if a.is_nan() || b.is_nan() { u32::MAX } else { u32::try_from((place(a) - place(b)).abs()).unwrap_or(u32::MAX) }
}

/// Correctly rounded quotient: by long division to 56 bits or more, then one bit for "there is a rest".
fn divide(numerator: i128, denominator: i128) -> f64 {
    let negative = (numerator < 0) != (denominator < 0);
    let (n, d) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    assert!(d < 1 << 127, "{numerator}/{denominator} is too large for this reference");
    if n == 0 {
        return 0.0;
    }
    let (mut quotient, mut rest, mut places) = (n / d, n % d, 0);
    while quotient < 1 << 56 {
        rest *= 2;
        quotient = 2 * quotient + u128::from(rest >= d);
        rest %= d;
        places += 1;
    }
    let value = (2 * quotient + u128::from(rest != 0)) as f64 * 2_f64.powi(-places - 1);
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_by_hand() {
        assert_eq!(divide(1, 4), 0.25);
        assert_eq!(divide(-1, 3), -1.0 / 3.0);
        assert_eq!(divide(1 << 100, 1 << 40), (1_i128 << 60) as f64);
        // Between two floats: ties go to the even one, the least above goes up.
        let even = 1_i128 << 53;
        assert_eq!(divide(2 * even + 1, 2), even as f64);
        assert_eq!(divide(2 * even + 3, 2), (even + 2) as f64);
        assert_eq!(divide((2 * even + 1) * 1000 + 1, 2000), (even + 1) as f64 + 1.0);
    }

    #[test]
    fn whole_quotients_are_those_of_the_processor() {
        let mut state = 1_u64;
        for _ in 0..10_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (a, b) = ((state >> 12) as i64 - (1 << 51), (state >> 40) as i64 + 1);
            assert_eq!(divide(i128::from(a), i128::from(b)), a as f64 / b as f64);
        }
    }

    #[test]
    fn ulps_count_across_zero() {
        assert_eq!(ulps(1.0, 1.0 + f32::EPSILON), 1);
        assert_eq!(ulps(0.0, -0.0), 0);
        assert_eq!(ulps(f32::from_bits(1), -f32::from_bits(1)), 2);
        assert_eq!(ulps(f32::NAN, 1.0), u32::MAX);
    }
}
