//! What a chunk needs to know of the rows before its look-back.

use std::ops::Range;

use crate::level::kernel;
use crate::{Error, Series};

/// Running values of a series over the rows before `row`: turnover, volume, highest and lowest price.
///
/// Only profile `session` reads them; they are kept in both. All are integers, so a carry is the same however the rows
/// before it were cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carry {
    pub(crate) row: usize,
    /// Sum of close (ticks) times volume.
    pub(crate) turnover: i64,
    pub(crate) volume: i64,
    /// `i32::MIN` before the first row.
    pub(crate) high: i32,
    /// `i32::MAX` before the first row.
    pub(crate) low: i32,
}

impl Carry {
    /// Before the first row of a series.
    #[must_use]
    pub fn start() -> Self {
        Self { row: 0, turnover: 0, volume: 0, high: i32::MIN, low: i32::MAX }
    }

    /// Before row `row` of `series` (at most its length), from all rows before.
    #[must_use]
    pub fn at(series: &Series<'_>, row: usize) -> Self {
        let mut carry = Self::start();
        carry.take_in(series, 0..row);
        carry
    }

    /// The row it stands before.
    #[must_use]
    pub fn row(&self) -> usize {
        self.row
    }

    /// Moves on to row `row` of `series`.
    ///
    /// # Errors
    /// [`Error::Rows`] when that lies before where it stands or outside the series.
    pub fn advance(&mut self, series: &Series<'_>, row: usize) -> Result<(), Error> {
        let rows = self.row..row;
        if rows.start > rows.end || rows.end > series.len() {
            return Err(Error::Rows { rows, len: series.len() });
        }
        self.take_in(series, rows);
        Ok(())
    }

    /// Moves on by one row.
    #[inline(always)]
    pub(crate) fn after(self, high: i32, low: i32, close: i32, volume: u32) -> Self {
        Self {
            row: self.row + 1,
            turnover: self.turnover + i64::from(close) * i64::from(volume),
            volume: self.volume + i64::from(volume),
            high: self.high.max(high),
            low: self.low.min(low),
        }
    }

    /// Takes in `rows`, which start where it stands.
    pub(super) fn take_in(&mut self, series: &Series<'_>, rows: Range<usize>) {
        take_in(self, series, rows);
    }

    #[inline(always)]
    fn add(&mut self, series: &Series<'_>, rows: Range<usize>) {
        let bars = series.close()[rows.clone()].iter().zip(&series.volume()[rows.clone()]);
        for (&close, &volume) in bars {
            self.turnover += i64::from(close) * i64::from(volume);
            self.volume += i64::from(volume);
        }
        self.high = series.high()[rows.clone()].iter().fold(self.high, |highest, &high| highest.max(high));
        self.low = series.low()[rows.clone()].iter().fold(self.low, |lowest, &low| lowest.min(low));
        self.row = rows.end;
    }
}

kernel!(fn take_in['a]['a](carry: &'a mut Carry, series: &'a Series<'a>, rows: Range<usize>) {
    carry.add(series, rows);
});
