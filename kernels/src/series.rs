//! The input of every kernel: columns of integer ticks, one row a second but for the breaks between sessions.

pub use crate::bar::{MAX_TICKS, MIN_TICKS};
use crate::{Bar, Error};

/// Rows over which windows and look-ahead run: one session (profile `session`) or one month (profile `rolling`).
///
/// All columns have the same length; prices are in ticks, `MIN_TICKS..=MAX_TICKS`, with `low <= open, close <= high`.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    open: &'a [i32],
    high: &'a [i32],
    low: &'a [i32],
    close: &'a [i32],
    volume: &'a [u32],
    second: &'a [u32],
    breaks: &'a [Break],
}

/// Where the rows of a series do not follow second by second: a night between two sessions (profile `rolling`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// First row after it.
    pub row: usize,
    /// Seconds from the row before to this one.
    pub seconds: u32,
}

/// The columns a [`Series`] is checked and built from.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    /// First price of the second, in ticks.
    pub open: &'a [i32],
    /// Highest price of the second, in ticks.
    pub high: &'a [i32],
    /// Lowest price of the second, in ticks.
    pub low: &'a [i32],
    /// Last price of the second, in ticks.
    pub close: &'a [i32],
    /// Contracts traded in the second.
    pub volume: &'a [u32],
    /// Exchange-local (Central) second of the day, `0..86_400`.
    pub second: &'a [u32],
}

impl<'a> Series<'a> {
    /// Checks the columns once, so that no kernel has to.
    ///
    /// # Errors
    /// [`Error::Lengths`] when the columns differ in length, [`Error::Bar`] for a row outside the limits above,
    /// [`Error::Turnover`] when the price farthest from 0 times the total volume does not fit 63 bits.
    pub fn new(columns: Columns<'a>) -> Result<Self, Error> {
        let Columns { open, high, low, close, volume, second } = columns;
        let rows = open.len();
        if [high.len(), low.len(), close.len(), volume.len(), second.len()].iter().any(|&n| n != rows) {
            return Err(Error::Lengths);
        }
        let mut total: u128 = 0;
        let mut farthest = 0;
        for row in 0..rows {
            let bar = Bar {
                open: open[row],
                high: high[row],
                low: low[row],
                close: close[row],
                volume: volume[row],
                second: second[row],
            };
            if !bar.is_valid() {
                return Err(Error::Bar { row });
            }
            farthest = farthest.max(bar.high).max(-bar.low);
            total += u128::from(bar.volume);
        }
        if total * u128::from(farthest.unsigned_abs()) > i64::MAX as u128 {
            return Err(Error::Turnover);
        }
        Ok(Self { open, high, low, close, volume, second, breaks: &[] })
    }

    /// The same rows with breaks between them; without this they follow second by second.
    ///
    /// # Errors
    /// [`Error::Break`] when the breaks are not in order of row, one a row, each between two rows.
    pub fn with_breaks(self, breaks: &'a [Break]) -> Result<Self, Error> {
        let mut before = 0;
        for &Break { row, .. } in breaks {
            if row <= before || row >= self.len() {
                return Err(Error::Break { row });
            }
            before = row;
        }
        Ok(Self { breaks, ..self })
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// First price of each second, in ticks.
    #[must_use]
    pub fn open(&self) -> &'a [i32] {
        self.open
    }

    /// Highest price of each second, in ticks.
    #[must_use]
    pub fn high(&self) -> &'a [i32] {
        self.high
    }

    /// Lowest price of each second, in ticks.
    #[must_use]
    pub fn low(&self) -> &'a [i32] {
        self.low
    }

    /// Last price of each second, in ticks.
    #[must_use]
    pub fn close(&self) -> &'a [i32] {
        self.close
    }

    /// Contracts traded in each second.
    #[must_use]
    pub fn volume(&self) -> &'a [u32] {
        self.volume
    }

    /// Exchange-local second of the day of each row.
    #[must_use]
    pub fn second(&self) -> &'a [u32] {
        self.second
    }

    /// What traded in row `row`, if there is such a row.
    #[must_use]
    pub fn bar(&self, row: usize) -> Option<Bar> {
        Some(Bar {
            open: *self.open.get(row)?,
            high: *self.high.get(row)?,
            low: *self.low.get(row)?,
            close: *self.close.get(row)?,
            volume: *self.volume.get(row)?,
            second: *self.second.get(row)?,
        })
    }

    /// The breaks between its rows, in order.
    #[must_use]
    pub fn breaks(&self) -> &'a [Break] {
        self.breaks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of these prices, volume and second.
    fn row([open, high, low, close]: [i32; 4], volume: u32, second: u32) -> Result<usize, Error> {
        let columns = Columns {
            open: &[open],
            high: &[high],
            low: &[low],
            close: &[close],
            volume: &[volume],
            second: &[second],
        };
        Series::new(columns).map(|series| series.len())
    }

    #[test]
    fn a_bar_is_in_order_and_within_its_limits() {
        let refused = Err(Error::Bar { row: 0 });
        for bar in [[5, 5, 5, 5], [5, 9, 1, 1], [1, 9, 1, 9], [MAX_TICKS; 4], [0; 4], [-3, 2, -9, -9], [MIN_TICKS; 4]] {
            assert_eq!(row(bar, 1, 86_399), Ok(1), "{bar:?}");
        }
        let (above, below) = ([6, MAX_TICKS + 1, 5, 6], [6, 9, MIN_TICKS - 1, 6]);
        for bar in [[4, 9, 5, 6], [10, 9, 5, 6], [6, 9, 5, 4], [6, 9, 5, 10], above, below] {
            assert_eq!(row(bar, 1, 0), refused, "{bar:?}");
        }
        assert_eq!(row([5; 4], 1, 86_400), refused);
    }

    #[test]
    fn columns_are_of_one_length() {
        let (prices, counts) = ([5; 3], [1; 3]);
        for odd in 0..6 {
            let price = |column: usize| &prices[..if column == odd { 2 } else { 3 }];
            let count = |column: usize| &counts[..if column == odd { 2 } else { 3 }];
            let (open, high, low, close) = (price(0), price(1), price(2), price(3));
            let columns = Columns { open, high, low, close, volume: count(4), second: count(5) };
            assert_eq!(Series::new(columns).unwrap_err(), Error::Lengths, "column {odd}");
        }
    }

    #[test]
    fn breaks_lie_between_rows() {
        let (prices, counts) = ([5; 6], [1; 6]);
        let (open, volume) = (&prices[..], &counts[..]);
        let columns = Columns { open, high: open, low: open, close: open, volume, second: volume };
        let series = Series::new(columns).unwrap();
        let at = |row, seconds| Break { row, seconds };
        let breaks = [at(2, 100), at(3, 1000), at(5, 1)];
        let broken = series.with_breaks(&breaks).unwrap();
        assert_eq!((series.breaks(), broken.breaks()), (&[][..], &breaks[..]));
        for wrong in [[at(0, 9), at(1, 9)], [at(2, 9), at(2, 9)], [at(3, 9), at(2, 9)], [at(3, 9), at(6, 9)]] {
            assert!(matches!(series.with_breaks(&wrong), Err(Error::Break { .. })), "{wrong:?}");
        }
    }

    #[test]
    fn turnover_fits_63_bits() {
        let turnover = |rows: usize, last: u32| {
            let (prices, mut volume) = (vec![MAX_TICKS; rows], vec![u32::MAX; rows]);
            volume[rows - 1] = last;
            let (open, second) = (&prices[..], &vec![0; rows][..]);
            Series::new(Columns { open, high: open, low: open, close: open, volume: &volume, second }).map(|_| ())
        };
        // 2^22 times 2^41 - 1 is the most: 512 rows of 2^32 - 1, and 511 more.
        assert_eq!(turnover(513, 511), Ok(()));
        assert_eq!(turnover(513, 512), Err(Error::Turnover));
        // Below 0 as well.
        let (prices, volume) = (vec![MIN_TICKS; 2049], vec![u32::MAX; 2049]);
        let columns = |rows: usize| {
            let (open, second) = (&prices[..rows], &vec![0; rows][..]);
            Series::new(Columns { open, high: open, low: open, close: open, volume: &volume[..rows], second }).is_ok()
        };
        assert!(columns(2048) && !columns(2049));
    }

    #[test]
    fn emptiness() {
        let none = Columns { open: &[], high: &[], low: &[], close: &[], volume: &[], second: &[] };
        assert!(Series::new(none).unwrap().is_empty());
        let one = Columns { open: &[5], high: &[6], low: &[4], close: &[4], volume: &[7], second: &[8] };
        let series = Series::new(one).unwrap();
        assert!(!series.is_empty());
        assert_eq!(
            (series.open(), series.high(), series.low(), series.close()),
            (&[5][..], &[6][..], &[4][..], &[4][..])
        );
        assert_eq!((series.volume(), series.second()), (&[7][..], &[8][..]));
        let bar = Bar { open: 5, high: 6, low: 4, close: 4, volume: 7, second: 8 };
        assert_eq!((series.bar(0), series.bar(1)), (Some(bar), None));
    }
}
