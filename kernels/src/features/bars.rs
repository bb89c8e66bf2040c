//! The rows of one call with the rows before them that its windows reach back to.

use std::ops::Range;

use super::Float;
use crate::window::reciprocal::Reciprocal;
use crate::{Series, Tick};

/// Columns from a look-back before the rows asked for to their end.
#[derive(Clone, Copy)]
pub(super) struct Bars<'a> {
    /// Row of the series at element 0.
    pub(super) first: usize,
    /// Elements before the first row asked for: the look-back, or all there is.
    pub(super) lead: usize,
    pub(super) high: &'a [i32],
    pub(super) low: &'a [i32],
    pub(super) close: &'a [i32],
    pub(super) volume: &'a [u32],
}

impl<'a> Bars<'a> {
    pub(super) fn new(series: &Series<'a>, rows: Range<usize>, look_back: usize) -> Self {
        let first = rows.start.saturating_sub(look_back);
        Self {
            first,
            lead: rows.start - first,
            high: &series.high()[first..rows.end],
            low: &series.low()[first..rows.end],
            close: &series.close()[first..rows.end],
            volume: &series.volume()[first..rows.end],
        }
    }

    /// The same rows with a shorter look-back.
    #[inline(always)]
    pub(super) fn back(&self, look_back: usize) -> Self {
        let cut = self.lead.saturating_sub(look_back);
        Self {
            first: self.first + cut,
            lead: self.lead - cut,
            high: &self.high[cut..],
            low: &self.low[cut..],
            close: &self.close[cut..],
            volume: &self.volume[cut..],
        }
    }

    /// Elements, look-back included.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.close.len()
    }

    /// The elements of the rows asked for that are not before row `from` of the series, and their part of the output
    /// `out`; the part before is NaN.
    #[inline(always)]
    pub(super) fn defined<'o, F: Float>(&self, from: usize, out: &'o mut [F]) -> (Range<usize>, &'o mut [F]) {
        let skipped = from.saturating_sub(self.first + self.lead).min(out.len());
        let (undefined, defined) = out.split_at_mut(skipped);
        undefined.fill(F::from_f64(f64::NAN));
        (self.lead + skipped..self.len(), defined)
    }
}

/// The elements of `column` that lie `by` rows before `at`. An empty `at` may lie where nothing is.
#[inline(always)]
pub(super) fn lag<'c, T>(column: &'c [T], at: &Range<usize>, by: usize) -> &'c [T] {
    &column[at.start.saturating_sub(by)..][..at.len()]
}

/// `at` in a column that starts `by` elements later.
#[inline(always)]
pub(super) fn shift(at: &Range<usize>, by: usize) -> Range<usize> {
    let start = at.start.saturating_sub(by);
    start..start + at.len()
}

/// Fills an output row.
#[inline(always)]
pub(super) fn write<F: Float>(out: &mut [F], values: impl Iterator<Item = f64>) {
    for (out, value) in out.iter_mut().zip(values) {
        *out = F::from_f64(value);
    }
}

/// `numerator/denominator`, NaN if the latter is 0. Never the processor's own NaN, whose sign differs between machines.
#[inline(always)]
pub(super) fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 { f64::NAN } else { numerator / denominator }
}

/// Turns ticks into points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Points {
    numerator: f64,
    denominator: f64,
}

impl Points {
    pub(crate) fn new(tick: Tick) -> Self {
        Self { numerator: f64::from(tick.numerator()), denominator: f64::from(tick.denominator()) }
    }

    /// `ticks/per` in points, with one rounding while both products are exact.
    #[inline(always)]
    pub(crate) fn of(self, ticks: f64, per: f64) -> f64 {
        ticks * self.numerator / (per * self.denominator)
    }

    /// The means `ticks/per` in points, as [`Self::of`] has them.
    #[inline(always)]
    pub(super) fn write<F: Float>(self, out: &mut [F], ticks: impl Iterator<Item = i32>, per: f64) {
        let divisor = per * self.denominator;
        if self.numerator <= NUMERATOR && divisor <= Reciprocal::LARGEST {
            let reciprocal = Reciprocal::of(divisor);
            write(out, ticks.map(|ticks| reciprocal.times(f64::from(ticks) * self.numerator)));
        } else {
            write(out, ticks.map(|ticks| self.of(f64::from(ticks), per)));
        }
    }
}

/// Sums of ticks have 31 bits: times this much they have those of a numerator.
const NUMERATOR: f64 = (1 << (Reciprocal::BITS - 31)) as f64;
