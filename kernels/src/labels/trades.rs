//! What became of the entries of one mode, and the columns of the output that follow from it.

use std::ops::Range;

use super::seconds;
use super::terms::{VELOCITY, clip};
use crate::level::kernel;
use crate::{Error, Series};

/// How a trade ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i8)]
pub enum Exit {
    /// There was none: the last row, a row without an ATR, or one that a gap of price affects.
    None = 0,
    /// At the target.
    Target = 1,
    /// At the stop.
    Stop = 2,
    /// Undecided on the last row of the horizon, which may be the session's last as well.
    Horizon = 3,
    /// Undecided at the end of the session, or before a gap of price.
    End = 4,
}

/// Which rows have a worst move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mae {
    /// None needs it.
    #[default]
    None,
    /// Weights need that of wins.
    Wins,
    /// All of them.
    All,
}

/// Which columns of [`Trades`] are filled besides exit and rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) stop: bool,
    pub(super) mae: Mae,
    pub(super) mfe: bool,
    pub(super) moved: bool,
}

/// What became of the entries of some signal rows in one mode: a column a figure, an element a row. Columns that no output of
/// the specification needs are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trades {
    /// How the trade ended, as the number of an [`Exit`].
    pub exit: Vec<i8>,
    /// Rows the trade is open: from the entry's to the deciding one, both included. 0 without a trade.
    pub held: Vec<u16>,
    /// Distance of the stop in ticks.
    pub stop: Vec<i32>,
    /// Worst move against the entry up to the deciding row, in ticks, at least 0; of wins alone where it is no output and
    /// weights need it.
    pub mae: Vec<i32>,
    /// Best move for the entry up to the deciding row, in ticks, at least 0.
    pub mfe: Vec<i32>,
    /// Ticks from entry to exit, in the trade's direction.
    pub moved: Vec<i32>,
}

impl Trades {
    /// Room for so many rows; takes memory the first time only.
    pub(super) fn room(&mut self, rows: usize, figures: Figures) {
        self.exit.resize(rows, 0);
        self.held.resize(rows, 0);
        for (column, wanted) in self.ticks_mut(figures) {
            column.resize(if wanted { rows } else { 0 }, 0);
        }
    }

    fn ticks_mut(&mut self, figures: Figures) -> [(&mut Vec<i32>, bool); 4] {
        let Figures { stop, mae, mfe, moved } = figures;
        [(&mut self.stop, stop), (&mut self.mae, mae != Mae::None), (&mut self.mfe, mfe), (&mut self.moved, moved)]
    }

    /// No trade on these rows.
    pub(super) fn none(&mut self, rows: Range<usize>) {
        self.exit[rows.clone()].fill(Exit::None as i8);
        self.held[rows.clone()].fill(0);
        for column in [&mut self.stop, &mut self.mae, &mut self.mfe, &mut self.moved] {
            if !column.is_empty() {
                column[rows.clone()].fill(0);
            }
        }
    }

    /// Adds the rows of `next` behind its own.
    pub fn append(&mut self, next: &Self) {
        self.exit.extend_from_slice(&next.exit);
        self.held.extend_from_slice(&next.held);
        self.stop.extend_from_slice(&next.stop);
        self.mae.extend_from_slice(&next.mae);
        self.mfe.extend_from_slice(&next.mfe);
        self.moved.extend_from_slice(&next.moved);
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.exit.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exit.is_empty()
    }

    /// `label_<mode>`: 1 where the target came first, else 0.
    ///
    /// # Errors
    /// [`Error::Rows`] when `out` is not as long as there are rows.
    pub fn labels(&self, out: &mut [i8]) -> Result<(), Error> {
        self.fits(0..out.len(), out.len())?;
        for (label, &exit) in out.iter_mut().zip(&self.exit) {
            *label = i8::from(exit == Exit::Target as i8);
        }
        Ok(())
    }

    /// `weight_<mode>` of the rows `at`, which are signal rows `rows` of `series`: quality*velocity*decay for a win, `decay`
    /// for every other row, as [`crate::weights::weights`] has them.
    ///
    /// # Errors
    /// [`Error::Rows`] when the ranges and `out` are not of one length or lie outside.
    pub fn weights(
        &self,
        at: Range<usize>,
        series: &Series<'_>,
        rows: Range<usize>,
        decay: f64,
        out: &mut [f32],
    ) -> Result<(), Error> {
        if at.start > at.end
            || at.end > self.mae.len()
            || at.len() != rows.len()
            || rows.end > series.len()
            || at.len() != out.len()
        {
            return Err(Error::Rows { rows, len: self.mae.len() });
        }
        let (exit, held) = (&self.exit[at.clone()], &self.held[at.clone()]);
        let (mae, stop) = (&self.mae[at.clone()], &self.stop[at]);
        weigh(Weighing { exit, held, mae, stop }, decay, out);
        // Once more those few that may be open over a break: they took longer than they have rows.
        let longest = usize::from(held.iter().copied().max().unwrap_or_default());
        for at in series.breaks() {
            for row in rows.start.max(at.row.saturating_sub(longest))..rows.end.min(at.row) {
                let lane = row - rows.start;
                if exit[lane] == Exit::Target as i8 {
                    let seconds = seconds(row + 1, held[lane] - 1, series.breaks());
                    out[lane] = weight(mae[lane], stop[lane], seconds as usize, decay);
                }
            }
        }
        Ok(())
    }

    /// `seconds_<mode>` of trades that are those of signal rows `rows` of `series`: from the entry row to the deciding one; -1
    /// without a trade. Returns how many do not fit 16 bits: they are 32,767.
    ///
    /// # Errors
    /// [`Error::Rows`] when rows and `out` are not as many as there are, or lie outside.
    pub fn seconds(&self, series: &Series<'_>, rows: Range<usize>, out: &mut [i16]) -> Result<u64, Error> {
        self.fits(rows.clone(), out.len())?;
        if rows.end > series.len() {
            return Err(Error::Rows { rows, len: series.len() });
        }
        for (seconds, &held) in out.iter_mut().zip(&self.held) {
            *seconds = held as i16 - 1;
        }
        let mut saturated = 0;
        // Once more those that may be open over a break.
        let longest = usize::from(self.held.iter().copied().max().unwrap_or_default());
        let mut done = rows.start;
        for at in series.breaks() {
            for row in done.max(at.row.saturating_sub(longest))..rows.end.min(at.row) {
                let held = self.held[row - rows.start];
                if held > 0 {
                    let found = i64::try_from(seconds(row + 1, held - 1, series.breaks())).unwrap_or(i64::MAX);
                    (out[row - rows.start], saturated) = narrow(found, saturated);
                }
            }
            done = done.max(rows.end.min(at.row));
        }
        Ok(saturated)
    }

    /// A column of ticks in 16 bits. Returns how many of them do not fit: they are the nearest that does.
    ///
    /// # Errors
    /// [`Error::Rows`] when the two differ in length.
    pub fn ticks(column: &[i32], out: &mut [i16]) -> Result<u64, Error> {
        if column.len() != out.len() {
            return Err(Error::Rows { rows: 0..out.len(), len: column.len() });
        }
        let mut saturated = 0;
        for (out, &ticks) in out.iter_mut().zip(column) {
            *out = ticks.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
            saturated += u64::from(i32::from(*out) != ticks);
        }
        Ok(saturated)
    }

    fn fits(&self, rows: Range<usize>, out: usize) -> Result<(), Error> {
        if rows.len() == self.len() && out == self.len() { Ok(()) } else { Err(Error::Rows { rows, len: self.len() }) }
    }
}

/// What a weight needs of each trade.
struct Weighing<'a> {
    exit: &'a [i8],
    held: &'a [u16],
    mae: &'a [i32],
    stop: &'a [i32],
}

kernel!(fn weigh['a]['a](trades: Weighing<'a>, decay: f64, out: &'a mut [f32]) {
    let Weighing { exit, held, mae, stop } = trades;
    let figures = exit.iter().zip(held).zip(mae).zip(stop);
    for (out, (((&exit, &held), &mae), &stop)) in out.iter_mut().zip(figures) {
        // Without a branch: whether a row wins, no processor foresees. The distance of a stop is 0 where there is no trade.
        let won = weight(mae, stop.max(1), usize::from(held.max(1)) - 1, decay);
        *out = if exit == Exit::Target as i8 { won } else { decay as f32 };
    }
});

/// quality*velocity*decay of a win.
#[inline(always)]
fn weight(mae: i32, stop: i32, seconds: usize, decay: f64) -> f32 {
    let quality = clip(2.0 - 1.5 * f64::from(mae) / f64::from(stop));
    (quality * VELOCITY[seconds.min(VELOCITY.len() - 1)] * decay) as f32
}

/// A number in 16 bits, and how many did not fit.
fn narrow(value: i64, saturated: u64) -> (i16, u64) {
    let narrow = value.clamp(i16::MIN.into(), i16::MAX.into());
    (narrow as i16, saturated + u64::from(narrow != value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Break;
    use crate::random::Tape;

    #[test]
    fn columns_by_hand() {
        let trades = Trades {
            exit: vec![0, 1, 2, 3, 1],
            held: vec![0, 301, 1, 900, 3600],
            stop: vec![0, 6, 6, 6, 40_000],
            mae: vec![0, 3, 70_000, 0, 40_000],
            mfe: vec![0; 5],
            moved: vec![0, 12, -6, -32_768, -32_769],
        };
        let tape = Tape::walk(1, 10, 1);
        let (mut labels, mut weights, mut seconds, mut ticks) = ([9; 5], [0.0; 5], [0; 5], [0; 5]);
        trades.labels(&mut labels).unwrap();
        assert_eq!(labels, [0, 1, 0, 0, 1]);
        trades.weights(0..5, &tape.series(), 0..5, 0.5, &mut weights).unwrap();
        // (2 - 1.5*3/6) * 2, and half of half.
        assert_eq!(weights, [0.5, 1.25, 0.5, 0.5, 0.125]);
        assert_eq!(trades.seconds(&tape.series(), 0..5, &mut seconds), Ok(0));
        assert_eq!(seconds, [-1, 300, 0, 899, 3599]);
        assert_eq!(Trades::ticks(&trades.mae, &mut ticks), Ok(2));
        assert_eq!(ticks, [0, 3, i16::MAX, 0, i16::MAX]);
        assert_eq!(Trades::ticks(&trades.moved, &mut ticks), Ok(1));
        assert_eq!(ticks, [0, 12, -6, i16::MIN, i16::MIN]);
        assert!(trades.labels(&mut [0; 4]).is_err() && trades.seconds(&tape.series(), 6..11, &mut seconds).is_err());
        assert!(trades.weights(1..6, &tape.series(), 0..5, 0.5, &mut weights).is_err());
    }

    #[test]
    fn seconds_over_breaks_count_and_saturate() {
        let held = vec![3_u16; 8];
        let trades = Trades { exit: vec![2; 8], held, ..Trades::default() };
        let tape = Tape::walk(1, 20, 1);
        let breaks = [(4, 32_767), (6, 100), (12, 9)].map(|(row, seconds)| Break { row, seconds });
        let mut out = [0; 8];
        let series = tape.series().with_breaks(&breaks).unwrap();
        // Trades from row 1 on, of three rows each: a row of two seconds beside the break, or two breaks.
        assert_eq!(trades.seconds(&series, 0..8, &mut out), Ok(2));
        assert_eq!(out, [2, 32_767, 32_767, 101, 101, 2, 2, 2]);
        assert_eq!(trades.seconds(&series, 2..10, &mut out), Ok(1));
        assert_eq!(out, [32_767, 101, 101, 2, 2, 2, 2, 10]);
    }
}
