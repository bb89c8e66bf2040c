//! The numbers that windows are over, and how each of them is computed with.

use super::order::dense;
use super::{float, whole};

/// A number that a column may hold: `i32`, `i64`, `f32` or `f64`.
///
/// ```
/// fn last_mean<T: kernels::rolling::Number>(values: &[T]) -> Option<f64> {
///     let mut means = vec![0.0; values.len()];
///     kernels::rolling::mean(values, 3, &mut means).ok()?;
///     means.last().copied()
/// }
/// assert_eq!(last_mean(&[1.5_f32, 2.5, 3.5]), Some(2.5));
/// ```
pub trait Number: Copy + PartialOrd + Sealed<Total = Self::Sum> {
    /// What a sum is in: `i64` for `i32` and `i128` for `i64`, exact both; `f64` for floats.
    type Sum: Copy;
}

pub(crate) mod sealed {
    /// Every function for a number: `out` has a place for every row, and at least one window of `window` rows is full.
    pub trait Sealed: Sized {
        type Total;
        fn sum(values: &[Self], window: usize, out: &mut [Self::Total]);
        /// The sum of a window that is not full, and the value of one.
        fn undefined() -> Self::Total;
        fn blank() -> Self;
        fn mean(values: &[Self], window: usize, out: &mut [f64]);
        fn std(values: &[Self], window: usize, out: &mut [f64]);
        fn slope(values: &[Self], window: usize, out: &mut [f64]);
        fn vwap(prices: &[Self], volumes: &[Self], window: usize, out: &mut [f64]);
        fn change(value: Self, before: Self) -> f64;
        /// Numbers from 0 on in the order of the values, equal where those are.
        fn order(values: &[Self]) -> Vec<i32>;
    }
}
use sealed::Sealed;

macro_rules! integer {
    ($number:ty, $sum:ty) => {
        impl Number for $number {
            type Sum = $sum;
        }

        impl Sealed for $number {
            type Total = $sum;

            #[inline(always)]
            fn sum(values: &[Self], window: usize, out: &mut [$sum]) {
                whole::sum(values, window, out);
            }

            #[inline(always)]
            fn undefined() -> $sum {
                0
            }

            #[inline(always)]
            fn blank() -> Self {
                0
            }

            #[inline(always)]
            fn mean(values: &[Self], window: usize, out: &mut [f64]) {
                whole::mean::<_, $sum>(values, window, out);
            }

            #[inline(always)]
            fn std(values: &[Self], window: usize, out: &mut [f64]) {
                whole::std(values, window, out);
            }

            #[inline(always)]
            fn slope(values: &[Self], window: usize, out: &mut [f64]) {
                whole::slope(values, window, out);
            }

            #[inline(always)]
            fn vwap(prices: &[Self], volumes: &[Self], window: usize, out: &mut [f64]) {
                whole::vwap(prices, volumes, window, out);
            }

            #[inline(always)]
            fn change(value: Self, before: Self) -> f64 {
                (<$sum>::from(value) - <$sum>::from(before)) as f64 / before as f64
            }

            fn order(values: &[Self]) -> Vec<i32> {
                let least = values.iter().fold(Self::MAX, |least, &value| least.min(value));
                let near = |&value: &Self| i32::try_from(<$sum>::from(value) - <$sum>::from(least)).ok();
                // Distances from the least are an order, too.
                let distances: Option<Vec<i32>> = values.iter().map(near).collect();
                let small = distances.filter(|distances| distances.iter().all(|&distance| distance < 1 << 16));
                small.unwrap_or_else(|| dense(values.iter().map(|&value| i64::from(value) as u64 ^ 1 << 63)))
            }
        }
    };
}
integer!(i32, i64);
integer!(i64, i128);

macro_rules! float {
    ($number:ty) => {
        impl Number for $number {
            type Sum = f64;
        }

        impl Sealed for $number {
            type Total = f64;

            #[inline(always)]
            fn sum(values: &[Self], window: usize, out: &mut [f64]) {
                float::sum(values, window, 1.0, out);
            }

            #[inline(always)]
            fn undefined() -> f64 {
                f64::NAN
            }

            #[inline(always)]
            fn blank() -> Self {
                Self::NAN
            }

            #[inline(always)]
            fn mean(values: &[Self], window: usize, out: &mut [f64]) {
                float::sum(values, window, 1.0 / window as f64, out);
            }

            #[inline(always)]
            fn std(values: &[Self], window: usize, out: &mut [f64]) {
                float::std(values, window, out);
            }

            #[inline(always)]
            fn slope(values: &[Self], window: usize, out: &mut [f64]) {
                float::slope(values, window, out);
            }

            #[inline(always)]
            fn vwap(prices: &[Self], volumes: &[Self], window: usize, out: &mut [f64]) {
                float::vwap(prices, volumes, window, out);
            }

            #[inline(always)]
            fn change(value: Self, before: Self) -> f64 {
                let (value, before) = (f64::from(value), f64::from(before));
                (value - before) / before
            }

            fn order(values: &[Self]) -> Vec<i32> {
                // The bits of a float are in its order once those of negative ones are turned round; -0 becomes 0.
                dense(values.iter().map(|&value| {
                    let bits = (f64::from(value) + 0.0).to_bits();
                    bits ^ if bits >> 63 == 1 { u64::MAX } else { 1 << 63 }
                }))
            }
        }
    };
}
float!(f32);
float!(f64);
