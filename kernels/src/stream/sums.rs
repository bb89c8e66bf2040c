//! Sums over trailing windows that end at the row that is forming.

use super::ring::Ring;
use crate::window::sum::Wrapping;

/// Prefix sums at the last `N` rows: they may wrap, and a window's sum is exact as long as it fits the type. Every window of
/// up to `N` rows has its sum from them.
#[derive(Clone)]
pub(super) struct Sums<T, const N: usize> {
    prefix: Ring<T, N>,
}

impl<T: Wrapping, const N: usize> Sums<T, N> {
    pub(super) fn new() -> Self {
        Self { prefix: Ring::new() }
    }

    /// The sum over `window` rows with `value` in the newest.
    #[inline(always)]
    pub(super) fn over(&self, window: usize, value: T) -> T {
        self.prefix.back(1).plus(value).minus(self.prefix.back(window))
    }

    #[inline(always)]
    pub(super) fn push(&mut self, value: T) {
        self.prefix.push(self.prefix.back(1).plus(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_prefixes() {
        let mut sums = Sums::<i32, 4>::new();
        let values = [i32::MAX, 5, 6, i32::MIN, 7, 8, 9];
        for (row, &value) in values.iter().enumerate() {
            for window in [2, 4] {
                let rows = &values[(row + 1).saturating_sub(window)..=row];
                let expected = rows.iter().fold(0, |sum: i32, value| sum.wrapping_add(*value));
                assert_eq!(sums.over(window, value), expected, "{window} rows up to {row}");
            }
            sums.push(value);
        }
    }
}
