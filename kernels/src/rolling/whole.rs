//! Windows over integers: sums that slide, exact in 64 bits where they fit and in 128 otherwise.

use super::float;
use crate::window::sum::float as rounded;

/// Rows whose sums become floats at once.
const BLOCK: usize = 256;

/// A sum of integers.
pub(crate) trait Total: Copy + Default {
    fn of(value: i128) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    /// Correctly rounded.
    fn rounded(self) -> f64;
}

macro_rules! total {
    ($integer:ty, $rounded:expr) => {
        impl Total for $integer {
            #[inline(always)]
            fn of(value: i128) -> Self {
                value as Self
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline(always)]
            fn times(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            #[inline(always)]
            fn rounded(self) -> f64 {
                $rounded(self)
            }
        }
    };
}
total!(i64, rounded);
total!(i128, |total: i128| total as f64);

/// An integer of a column.
pub(crate) trait Whole: Copy + Into<i64> {}
impl<T: Copy + Into<i64>> Whole for T {}

/// Sums over windows, moved on row by row.
#[inline(always)]
fn of<T: Whole, A: Total>(value: T) -> A {
    A::of(i128::from(value.into()))
}

#[inline(always)]
pub(super) fn sum<T: Whole, A: Total>(values: &[T], window: usize, out: &mut [A]) {
    let (first, out) = (&values[..window], &mut out[window - 1..]);
    let mut total = first.iter().fold(A::default(), |total, &value| total.plus(of(value)));
    out[0] = total;
    for (out, (&new, &old)) in out[1..].iter_mut().zip(values[window..].iter().zip(values)) {
        total = total.plus(of::<_, A>(new).minus(of(old)));
        *out = total;
    }
}

#[inline(always)]
pub(super) fn mean<T: Whole, A: Total>(values: &[T], window: usize, out: &mut [f64]) {
    let share = 1.0 / window as f64;
    let (first, out) = (&values[..window - 1], &mut out[window - 1..]);
    let mut total = first.iter().fold(A::default(), |total, &value| total.plus(of(value)));
    for (block, out) in out.chunks_mut(BLOCK).enumerate() {
        let (new, old) = (&values[window - 1 + block * BLOCK..], &values[block * BLOCK..]);
        let mut totals = [A::default(); BLOCK];
        for (sum, (&new, &old)) in totals.iter_mut().zip(new.iter().zip(old)) {
            total = total.plus(of(new));
            *sum = total;
            total = total.minus(of(old));
        }
        for (out, total) in out.iter_mut().zip(totals) {
            *out = total.rounded() * share;
        }
    }
}

/// The least value, how far the largest lies above it, and whether products of so many bits fit.
#[inline(always)]
fn span<T: Whole>(values: &[T]) -> (i64, u128) {
    let (mut least, mut largest) = (i64::MAX, i64::MIN);
    for &value in values {
        (least, largest) = (least.min(value.into()), largest.max(value.into()));
    }
    (least, (i128::from(largest) - i128::from(least)).unsigned_abs())
}

/// The bits of the largest total: `window^windows * span^spans`.
fn bits(window: usize, windows: u32, span: u128, spans: u32) -> u32 {
    windows * (usize::BITS - window.leading_zeros()) + spans * (u128::BITS - span.leading_zeros())
}

#[inline(always)]
fn floats<T: Whole>(values: &[T]) -> Vec<f64> {
    values.iter().map(|&value| value.into() as f64).collect()
}

#[inline(always)]
pub(super) fn std<T: Whole>(values: &[T], window: usize, out: &mut [f64]) {
    let (least, span) = span(values);
    match bits(window, 2, span, 2) {
        ..63 => deviations::<_, i64>(values, least, window, out),
        63..127 => deviations::<_, i128>(values, least, window, out),
        _ => float::std(&floats(values), window, out),
    }
}

/// With S and Q the sums of the distances from the least value and of their squares: sqrt((w*Q - S^2) / (w*(w - 1))).
#[inline(always)]
fn deviations<T: Whole, A: Total>(values: &[T], least: i64, window: usize, out: &mut [f64]) {
    let rows = A::of(window as i128);
    let share = 1.0 / (window as f64 * (window as f64 - 1.0));
    let least = A::of(least.into());
    let out = &mut out[window - 1..];
    let (mut sum, mut squares) = (A::default(), A::default());
    for &value in &values[..window - 1] {
        let distance = of::<_, A>(value).minus(least);
        (sum, squares) = (sum.plus(distance), squares.plus(distance.times(distance)));
    }
    for (block, out) in out.chunks_mut(BLOCK).enumerate() {
        let (new, old) = (&values[window - 1 + block * BLOCK..], &values[block * BLOCK..]);
        let mut spreads = [A::default(); BLOCK];
        for (spread, (&new, &old)) in spreads.iter_mut().zip(new.iter().zip(old)) {
            let (new, old) = (of::<_, A>(new).minus(least), of::<_, A>(old).minus(least));
            (sum, squares) = (sum.plus(new), squares.plus(new.times(new)));
            *spread = rows.times(squares).minus(sum.times(sum));
            (sum, squares) = (sum.minus(old), squares.minus(old.times(old)));
        }
        for (out, spread) in out.iter_mut().zip(spreads) {
            *out = (spread.rounded() * share).sqrt();
        }
    }
}

#[inline(always)]
pub(super) fn slope<T: Whole>(values: &[T], window: usize, out: &mut [f64]) {
    let (least, span) = span(values);
    // The window's length once more, for the factor of 2.
    match bits(window, 2, span, 1) + 1 {
        ..63 => slopes::<_, i64>(values, least, window, out),
        _ => slopes::<_, i128>(values, least, window, out),
    }
}

/// With S the sum of the distances from the least value and K that of k times the k-th: (2*K - (w-1)*S) / (w*(w^2-1)/6).
#[inline(always)]
fn slopes<T: Whole, A: Total>(values: &[T], least: i64, window: usize, out: &mut [f64]) {
    let (rows, last) = (window as f64, A::of(window as i128 - 1));
    let share = 6.0 / (rows * (rows * rows - 1.0));
    let least = A::of(least.into());
    let out = &mut out[window - 1..];
    // As if a row with the least value had gone before.
    let (mut sum, mut moment) = (A::default(), A::default());
    for (k, &value) in values[..window - 1].iter().enumerate() {
        let distance = of::<_, A>(value).minus(least);
        (sum, moment) = (sum.plus(distance), moment.plus(distance.times(A::of(k as i128 + 1))));
    }
    for (block, out) in out.chunks_mut(BLOCK).enumerate() {
        let (new, old) = (&values[window - 1 + block * BLOCK..], &values[block * BLOCK..]);
        let mut twice = [A::default(); BLOCK];
        for (twice, (&new, &old)) in twice.iter_mut().zip(new.iter().zip(old)) {
            let (new, old) = (of::<_, A>(new).minus(least), of::<_, A>(old).minus(least));
            // Every row moves one place down, and the new one comes in at the last.
            moment = moment.minus(sum).plus(last.times(new));
            sum = sum.plus(new);
            *twice = moment.plus(moment).minus(last.times(sum));
            sum = sum.minus(old);
        }
        for (out, twice) in out.iter_mut().zip(twice) {
            *out = twice.rounded() * share;
        }
    }
}

#[inline(always)]
pub(super) fn vwap<T: Whole>(prices: &[T], volumes: &[T], window: usize, out: &mut [f64]) {
    let largest = |values: &[T]| values.iter().fold(0, |largest, &value| value.into().unsigned_abs().max(largest));
    let (price, volume) = (largest(prices), largest(volumes));
    match bits(window, 1, u128::from(price) * u128::from(volume), 1) {
        ..63 => quotients::<_, i64>(prices, volumes, window, out),
        63..127 => quotients::<_, i128>(prices, volumes, window, out),
        _ => float::vwap(&floats(prices), &floats(volumes), window, out),
    }
}

#[inline(always)]
fn quotients<T: Whole, A: Total>(prices: &[T], volumes: &[T], window: usize, out: &mut [f64]) {
    let product = |price: T, volume: T| of::<_, A>(price).times(of(volume));
    let out = &mut out[window - 1..];
    let (mut turnover, mut total) = (A::default(), A::default());
    for (&price, &volume) in prices[..window - 1].iter().zip(volumes) {
        (turnover, total) = (turnover.plus(product(price, volume)), total.plus(of(volume)));
    }
    for (block, out) in out.chunks_mut(BLOCK).enumerate() {
        let (new, old) = (window - 1 + block * BLOCK, block * BLOCK);
        let new = prices[new..].iter().zip(&volumes[new..]);
        let old = prices[old..].iter().zip(&volumes[old..]);
        let mut totals = [(A::default(), A::default()); BLOCK];
        for (totals, ((&price, &volume), (&old_price, &old_volume))) in totals.iter_mut().zip(new.zip(old)) {
            (turnover, total) = (turnover.plus(product(price, volume)), total.plus(of(volume)));
            *totals = (turnover, total);
            (turnover, total) = (turnover.minus(product(old_price, old_volume)), total.minus(of(old_volume)));
        }
        for (out, (turnover, total)) in out.iter_mut().zip(totals) {
            *out = float::quotient(turnover.rounded(), total.rounded());
        }
    }
}
