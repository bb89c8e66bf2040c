//! Windows over floats: each is the end of one block of rows and the start of the next, and what is summed from the border of
//! the blocks outwards is added.
//!
//! Nothing is ever subtracted again, so a large value leaves nothing behind once it has left the window. Deviations and
//! slopes are of the distances from the value at the border, which belongs to every window over it: equal values have
//! distance 0 exactly, and small differences of large values lose nothing.

use std::ops::Range;

use super::scan::{prefix, suffix};

/// Windows up to here are summed value by value, many windows at once.
pub(super) const DIRECT: usize = 12;

/// Windows or values at once.
pub(super) const LANES: usize = 16;

/// A float of a column.
pub(crate) trait Float: Copy + Into<f64> {}
impl<T: Copy + Into<f64>> Float for T {}

/// Sums from the borders of blocks outwards: `N` of them for each row before a border and each row after it.
struct Sides<const N: usize> {
    window: usize,
    terms: [Vec<f64>; N],
    left: [Vec<f64>; N],
    right: [Vec<f64>; N],
}

impl<const N: usize> Sides<N> {
    fn new(window: usize) -> Self {
        let columns = || std::array::from_fn(|_| vec![0.0; window]);
        Self { window, terms: columns(), left: columns(), right: columns() }
    }

    /// The rows of the block that starts at `start`, and those of the next one that windows reach.
    #[inline(always)]
    fn rows(&self, start: usize, len: usize) -> (Range<usize>, Range<usize>) {
        let border = start + self.window;
        (start..border, border..len.min(border + self.window - 1))
    }

    /// Sums the first `len` of each column of terms.
    #[inline(always)]
    fn right(&mut self, len: usize) {
        // The sum over no row comes first.
        for (terms, right) in self.terms.iter().zip(&mut self.right) {
            right[0] = 0.0;
            prefix(&terms[..len], &mut right[1..=len], 0.0, |a, b| a + b);
        }
    }

    #[inline(always)]
    fn left(&mut self) {
        for (terms, left) in self.terms.iter().zip(&mut self.left) {
            suffix(terms, left, 0.0, |a, b| a + b);
        }
    }
}

/// Sums times `share`.
#[inline(always)]
pub(super) fn sum<T: Float>(values: &[T], window: usize, share: f64, out: &mut [f64]) {
    let out = &mut out[window - 1..];
    if window <= DIRECT {
        for (block, out) in out.chunks_mut(LANES).enumerate() {
            let rows = &values[block * LANES..];
            let mut sums = [0.0; LANES];
            for k in 0..window {
                for (sum, &value) in sums.iter_mut().zip(&rows[k..]) {
                    *sum += value.into();
                }
            }
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum * share);
        }
        return;
    }
    let mut sides = Sides::<1>::new(window);
    for start in (0..out.len()).step_by(window) {
        let (block, next) = sides.rows(start, values.len());
        sides.terms[0].iter_mut().zip(&values[block]).for_each(|(term, &value)| *term = value.into());
        sides.left();
        let len = next.len();
        sides.terms[0].iter_mut().zip(&values[next]).for_each(|(term, &value)| *term = value.into());
        sides.right(len);
        let sums = sides.left[0].iter().zip(&sides.right[0]);
        for (out, (left, right)) in out[start..].iter_mut().zip(sums.take(len + 1)) {
            *out = (left + right) * share;
        }
    }
}

#[inline(always)]
pub(super) fn std<T: Float>(values: &[T], window: usize, out: &mut [f64]) {
    let rows = window as f64;
    let (share, sample) = (1.0 / rows, 1.0 / (rows - 1.0));
    let out = &mut out[window - 1..];
    if window <= DIRECT {
        for (block, out) in out.chunks_mut(LANES).enumerate() {
            let rows = &values[block * LANES..];
            let (mut sums, mut squares) = ([0.0; LANES], [0.0; LANES]);
            for k in 0..window {
                for ((sum, square), (&value, &oldest)) in
                    sums.iter_mut().zip(&mut squares).zip(rows[k..].iter().zip(rows))
                {
                    let distance = value.into() - oldest.into();
                    *sum += distance;
                    *square += distance * distance;
                }
            }
            for (out, (sum, squares)) in out.iter_mut().zip(sums.into_iter().zip(squares)) {
                *out = deviation(sum, squares, share, sample);
            }
        }
        return;
    }
    let mut sides = Sides::<2>::new(window);
    for start in (0..out.len()).step_by(window) {
        let (block, next) = sides.rows(start, values.len());
        let pivot: f64 = values[block.end - 1].into();
        let [distances, squares] = &mut sides.terms;
        for ((distance, square), &value) in distances.iter_mut().zip(&mut *squares).zip(&values[block]) {
            *distance = value.into() - pivot;
            *square = *distance * *distance;
        }
        sides.left();
        let len = next.len();
        let [distances, squares] = &mut sides.terms;
        for ((distance, square), &value) in distances.iter_mut().zip(squares).zip(&values[next]) {
            *distance = value.into() - pivot;
            *square = *distance * *distance;
        }
        sides.right(len);
        let [left, left_squares] = &sides.left;
        let [right, right_squares] = &sides.right;
        let sums = left.iter().zip(right).zip(left_squares.iter().zip(right_squares));
        for (out, ((left, right), (left_squares, right_squares))) in out[start..].iter_mut().zip(sums.take(len + 1)) {
            *out = deviation(left + right, left_squares + right_squares, share, sample);
        }
    }
}

/// From the sums of w distances and of their squares.
#[inline(always)]
fn deviation(sum: f64, squares: f64, share: f64, sample: f64) -> f64 {
    let spread = squares - sum * sum * share;
    // Not `max`: a NaN stays one.
    (if spread < 0.0 { 0.0 } else { spread } * sample).sqrt()
}

#[inline(always)]
pub(super) fn slope<T: Float>(values: &[T], window: usize, out: &mut [f64]) {
    let rows = window as f64;
    let (share, middle) = (12.0 / (rows * (rows * rows - 1.0)), (rows - 1.0) / 2.0);
    let out = &mut out[window - 1..];
    if window <= DIRECT {
        for (block, out) in out.chunks_mut(LANES).enumerate() {
            let rows = &values[block * LANES..];
            let mut moments = [0.0; LANES];
            for k in 0..window {
                let place = k as f64 - middle;
                for (moment, (&value, &oldest)) in moments.iter_mut().zip(rows[k..].iter().zip(rows)) {
                    *moment += place * (value.into() - oldest.into());
                }
            }
            out.iter_mut().zip(moments).for_each(|(out, moment)| *out = moment * share);
        }
        return;
    }
    // Sums, and the sums of those: each value as often as rows lie between it and the end of the window.
    let mut sides = Sides::<1>::new(window);
    let mut twice = Sides::<1>::new(window);
    for start in (0..out.len()).step_by(window) {
        let (block, next) = sides.rows(start, values.len());
        let pivot: f64 = values[block.end - 1].into();
        sides.terms[0].iter_mut().zip(&values[block]).for_each(|(term, &value)| *term = value.into() - pivot);
        sides.left();
        // From the second row of the window on: the first one has place 0.
        twice.terms[0][..window - 1].copy_from_slice(&sides.left[0][1..]);
        twice.terms[0][window - 1] = 0.0;
        twice.left();
        let len = next.len();
        sides.terms[0].iter_mut().zip(&values[next]).for_each(|(term, &value)| *term = value.into() - pivot);
        sides.right(len);
        // Up to the row before the last.
        twice.terms[0][..len].copy_from_slice(&sides.right[0][..len]);
        twice.right(len);
        let sums = sides.left[0].iter().zip(&sides.right[0]).zip(twice.left[0].iter().zip(&twice.right[0]));
        for (out, ((left, right), (left_twice, right_twice))) in out[start..].iter_mut().zip(sums.take(len + 1)) {
            // The place of a value on the left is how often its sum was summed, on the right w-1 less that.
            let moment = (left_twice - right_twice) + middle * (right - left);
            *out = moment * share;
        }
    }
}

#[inline(always)]
pub(super) fn vwap<T: Float>(prices: &[T], volumes: &[T], window: usize, out: &mut [f64]) {
    let out = &mut out[window - 1..];
    if window <= DIRECT {
        for (block, out) in out.chunks_mut(LANES).enumerate() {
            let (prices, volumes) = (&prices[block * LANES..], &volumes[block * LANES..]);
            let (mut turnovers, mut totals) = ([0.0; LANES], [0.0; LANES]);
            for k in 0..window {
                for ((turnover, total), (&price, &volume)) in
                    turnovers.iter_mut().zip(&mut totals).zip(prices[k..].iter().zip(&volumes[k..]))
                {
                    *turnover += price.into() * volume.into();
                    *total += volume.into();
                }
            }
            for (out, (turnover, total)) in out.iter_mut().zip(turnovers.into_iter().zip(totals)) {
                *out = quotient(turnover, total);
            }
        }
        return;
    }
    let mut sides = Sides::<2>::new(window);
    for start in (0..out.len()).step_by(window) {
        let (block, next) = sides.rows(start, prices.len());
        let len = next.len();
        for rows in [block, next] {
            let first = rows.start == start;
            let [turnovers, totals] = &mut sides.terms;
            let values = prices[rows.clone()].iter().zip(&volumes[rows]);
            for ((turnover, total), (&price, &volume)) in turnovers.iter_mut().zip(totals).zip(values) {
                *total = volume.into();
                *turnover = price.into() * *total;
            }
            if first {
                sides.left();
            } else {
                sides.right(len);
            }
        }
        let [left, left_total] = &sides.left;
        let [right, right_total] = &sides.right;
        let sums = left.iter().zip(right).zip(left_total.iter().zip(right_total));
        for (out, ((left, right), (left_total, right_total))) in out[start..].iter_mut().zip(sums.take(len + 1)) {
            *out = quotient(left + right, left_total + right_total);
        }
    }
}

/// NaN where nothing was traded.
#[inline(always)]
pub(super) fn quotient(turnover: f64, total: f64) -> f64 {
    if total == 0.0 { f64::NAN } else { turnover / total }
}
