//! Sums over a trailing window, from prefix sums.
//!
//! Prefix sums may wrap: the difference of two is exact as long as the window's own sum fits the type.

use std::ops::Range;

/// An integer whose sums wrap.
pub trait Wrapping: Copy + Default {
    /// `self + other`, wrapping.
    fn plus(self, other: Self) -> Self;
    /// `self - other`, wrapping.
    fn minus(self, other: Self) -> Self;
}

macro_rules! wrapping {
    ($($integer:ty),*) => {$(
        impl Wrapping for $integer {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
        }
    )*};
}
wrapping!(i32, i64, i128);

/// Prefix sums of a column: one element more than it, starting with 0.
#[derive(Clone, Debug, Default)]
pub struct Sums<T> {
    prefix: Vec<T>,
}

impl<T: Wrapping> Sums<T> {
    /// Room for a column of `rows` elements.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        Self { prefix: Vec::with_capacity(rows + 1) }
    }

    /// Takes another column.
    #[inline(always)]
    pub fn set(&mut self, column: impl Iterator<Item = T>) {
        self.prefix.clear();
        self.prefix.push(T::default());
        let mut sum = T::default();
        self.prefix.extend(column.map(|value| {
            sum = sum.plus(value);
            sum
        }));
    }

    /// The sums of the `window` elements ending at each of the elements `at`, which must have as many before them.
    #[inline(always)]
    pub fn over(&self, window: usize, at: Range<usize>) -> impl Iterator<Item = T> + Clone {
        let len = at.len();
        let newest = &self.prefix[at.start + 1..][..len];
        // An empty range may stand where no window fits.
        let oldest = &self.prefix[(at.start + 1).saturating_sub(window)..][..len];
        newest.iter().zip(oldest).map(|(newest, oldest)| newest.minus(*oldest))
    }

    /// The sum of all elements before `row`.
    #[must_use]
    #[inline(always)]
    pub fn before(&self, row: usize) -> T {
        self.prefix[row]
    }
}

/// `value as f64`, correctly rounded, in operations that vectorise where the processor cannot convert 64-bit integers.
#[inline(always)]
#[must_use]
pub fn float(value: i64) -> f64 {
    // The halves in the mantissas of 2^52 and 2^84, the upper one offset by 2^31 to be positive.
    let lower = f64::from_bits((value as u64 & 0xffff_ffff) | 0x4330_0000_0000_0000);
    let upper = f64::from_bits((value as u64 >> 32) ^ 0x4530_0000_8000_0000);
    // 2^84 + 2^63 + 2^52. The difference is exact, so the sum rounds once.
    (upper - f64::from_bits(0x4530_0000_8010_0000)) + lower
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats() {
        for shift in 0..64 {
            for offset in -3..=3 {
                for value in [
                    (1_i64 << shift).wrapping_add(offset),
                    (0x1234_5678_9abc_def1_i64 >> shift).wrapping_neg() + offset,
                ] {
                    assert_eq!(float(value).to_bits(), (value as f64).to_bits(), "{value}");
                }
            }
        }
        assert_eq!((float(0).to_bits(), float(i64::MIN), float(i64::MAX)), (0, i64::MIN as f64, i64::MAX as f64));
    }

    #[test]
    fn by_hand() {
        let mut sums = Sums::new(5);
        sums.set([1_i64, -2, 3, 10, 0].into_iter());
        assert_eq!(sums.over(3, 2..5).collect::<Vec<_>>(), [2, 11, 13]);
        assert_eq!(sums.over(1, 0..5).collect::<Vec<_>>(), [1, -2, 3, 10, 0]);
        assert_eq!(sums.over(9, 5..5).count(), 0);
        assert_eq!(sums.before(4), 12);
    }

    #[test]
    fn wrapped_prefixes() {
        let mut sums = Sums::new(4);
        sums.set([i32::MAX, 5, 6, i32::MIN].into_iter());
        assert_eq!(sums.over(2, 2..3).collect::<Vec<_>>(), [11]);
    }
}
