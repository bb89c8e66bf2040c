//! The six modes of the default specification, whose distances are compiled in: what followed each entry, in 16 bits.
//!
//! All six modes of a row are answered by a few reads of a touch table (`touch.rs`) instead of a scan of up to 900 rows.
//! It is not the right tool where prices span more than 2^16 levels within a few hours; a plain scan (`scan.rs`)
//! answers there. Any other specification is for [`super::Labeller`], which gives the same answers for these.

mod scan;
pub(super) mod touch;

use std::ops::Range;

use super::gaps::{self, Ahead};
use super::seconds;
use super::specification::{Direction, Distance, Mode, Specification};
use crate::{Break, Error, Profile, Series};

/// Rows after the signal bar on which a trade may be decided.
pub const LOOK_AHEAD: usize = 900;

/// Rows labelled between two fresh starts of the table: local row numbers then fit the table's 16-bit cells.
const BLOCK: usize = 16_384;

/// One of the six modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FixedMode {
    /// Name as in the columns `label_<name>` and `weight_<name>`.
    pub name: &'static str,
    /// Which way it wins.
    pub direction: Direction,
    /// Ticks against the entry that lose it.
    pub stop: i32,
    /// Ticks for the entry that win it.
    pub target: i32,
}

/// The six modes in the order of the columns.
pub const MODES: [FixedMode; 6] = [
    FixedMode { name: "low_vol_long", direction: Direction::Long, stop: 6, target: 12 },
    FixedMode { name: "normal_vol_long", direction: Direction::Long, stop: 8, target: 16 },
    FixedMode { name: "high_vol_long", direction: Direction::Long, stop: 10, target: 20 },
    FixedMode { name: "low_vol_short", direction: Direction::Short, stop: 6, target: 12 },
    FixedMode { name: "normal_vol_short", direction: Direction::Short, stop: 8, target: 16 },
    FixedMode { name: "high_vol_short", direction: Direction::Short, stop: 10, target: 20 },
];

impl Default for Specification {
    /// The six modes.
    fn default() -> Self {
        let modes = MODES.iter().map(|mode| Mode {
            name: mode.name.into(),
            direction: mode.direction,
            stop: Distance::Ticks(mode.stop as u16),
            target: Distance::Ticks(mode.target as u16),
            trailing: false,
        });
        Self::of(modes.collect())
    }
}

/// What followed one entry, in 16 bits: a loss, or a win with its maximum adverse excursion (MAE) and its duration.
#[repr(transparent)]
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Outcome(u16);

impl Outcome {
    /// Stopped, undecided within the look-ahead, or without an entry.
    pub const LOSS: Self = Self(0);

    const WIN: u16 = 1 << 15;
    const MAE_SHIFT: u32 = 10;
    const ROWS: u16 = (1 << Self::MAE_SHIFT) - 1;

    /// A win after `rows` rows that went at most `mae` ticks against the entry.
    ///
    /// # Panics
    /// When `mae` is not below 32 or `rows` not below 1,024.
    ///
    /// ```
    /// use kernels::labels::Outcome;
    ///
    /// let outcome = Outcome::win(3, 120);
    /// assert!(outcome.is_win());
    /// assert_eq!((outcome.mae(), outcome.rows()), (3, 120));
    /// ```
    #[must_use]
    pub fn win(mae: u8, rows: u16) -> Self {
        assert!(
            mae < 32 && rows <= Self::ROWS,
            "a win of {mae} ticks and {rows} rows: expected below 32 and below 1024"
        );
        Self::of(mae, rows)
    }

    /// The same without a look at the numbers.
    #[inline(always)]
    fn of(mae: u8, rows: u16) -> Self {
        Self(Self::WIN | (u16::from(mae) << Self::MAE_SHIFT) | rows)
    }

    /// Whether the target came before the stop.
    #[must_use]
    #[inline]
    pub fn is_win(self) -> bool {
        self.0 & Self::WIN != 0
    }

    /// Worst move against the entry up to the deciding row, in ticks, `0..stop`; 0 for a loss.
    #[must_use]
    #[inline]
    pub fn mae(self) -> u8 {
        ((self.0 & !Self::WIN) >> Self::MAE_SHIFT) as u8
    }

    /// Rows from the entry to the deciding row, `0..900`; 0 for a loss. They are seconds where no break lies between the two.
    #[must_use]
    #[inline]
    pub fn rows(self) -> u16 {
        self.0 & Self::ROWS
    }

    /// Whether it is a win, and the mae, in six bits.
    #[inline(always)]
    pub(crate) fn quality(self) -> usize {
        usize::from(self.0 >> Self::MAE_SHIFT)
    }

    /// Seconds from the entry that row `signal` signals to the deciding row, in a series with these breaks; 0 for a loss.
    #[must_use]
    pub fn seconds(self, signal: usize, breaks: &[Break]) -> u64 {
        seconds(signal + 1, self.rows(), breaks)
    }
}

/// Finds the outcomes of the entries of a series in the six modes, a chunk of rows at a time. Holds the scratch space.
#[derive(Clone, Debug)]
pub struct Six {
    gap_ticks: i32,
    chunk_rows: usize,
    table: touch::Table,
}

impl Six {
    /// Scratch space for at most `chunk_rows` rows a call. Only profile `rolling` knows gaps: a change of close of more
    /// than `gap_ticks` between two rows.
    #[must_use]
    pub fn new(profile: Profile, gap_ticks: i32, chunk_rows: usize) -> Self {
        let gap_ticks = gaps::limit(profile, gap_ticks);
        Self { gap_ticks, chunk_rows, table: touch::Table::new() }
    }

    /// Outcomes of the entries of signal rows `rows` of `series`, for each of [`MODES`]; each slice has
    /// `rows.len()` elements. The last row of a series has no entry and is a loss.
    ///
    /// # Errors
    /// [`Error::Rows`] when `rows` lie outside the series, exceed the chunk size or are not as many as the output's.
    pub fn outcomes(
        &mut self,
        series: &Series<'_>,
        rows: Range<usize>,
        mut out: [&mut [Outcome]; MODES.len()],
    ) -> Result<(), Error> {
        let fits = rows.start <= rows.end && rows.end <= series.len() && rows.len() <= self.chunk_rows;
        if !fits || out.iter().any(|column| column.len() != rows.len()) {
            return Err(Error::Rows { rows, len: series.len() });
        }
        for start in rows.clone().step_by(BLOCK) {
            let end = rows.end.min(start + BLOCK);
            let part = start - rows.start..end - rows.start;
            self.block(series, start..end, out.each_mut().map(|column| &mut column[part.clone()]));
        }
        Ok(())
    }

    /// [`Six::outcomes`] of at most [`BLOCK`] rows.
    fn block(&mut self, series: &Series<'_>, rows: Range<usize>, mut out: [&mut [Outcome]; MODES.len()]) {
        let ahead = Ahead::new(series, rows.clone(), LOOK_AHEAD, self.gap_ticks);
        // Signal row k enters at row k + 1; the series' last row has no entry.
        let entries = rows.len().min(ahead.open.len() - 1);
        for column in &mut out {
            column[entries..].fill(Outcome::LOSS);
        }
        let mut entered = out.each_mut().map(|column| &mut column[..entries]);
        match touch::Span::of(&ahead) {
            Some(span) => self.table.outcomes(&ahead, span, &mut entered),
            None => scan::outcomes(&ahead, &mut entered),
        }
        gaps::affected(series.close(), rows, self.gap_ticks, |affected| {
            out.iter_mut().for_each(|column| column[affected.clone()].fill(Outcome::LOSS));
        });
    }
}

#[cfg(test)]
mod tests;
