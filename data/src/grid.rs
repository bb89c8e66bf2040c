//! One month on the session grid: every second of every session has a row.

use std::ops::Range;

use jiff::civil::Date;
use kernels::{Break, Columns, Error, Series};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{fault::Fault, month::Month};

/// Nothing traded for this long at an end of the window makes a short day.
pub(crate) const SHORT_SECONDS: u32 = 15 * 60;

/// One session of a trading date, which has another one for each break in its hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Local trading date.
    pub date: Date,
    /// Symbol of the front contract.
    pub contract: String,
    /// UTC second (since 1970) of the session's first row; the rows follow second by second.
    pub first_second: i64,
    /// Its rows in the grid.
    pub rows: Range<usize>,
    /// Rows without a trade, filled with the previous close.
    pub filled_rows: usize,
    /// Nothing traded in the last 15 minutes or more of the window: the session ends with its last traded second.
    pub early_close: bool,
    /// Nothing traded in the first 15 minutes or more of the window.
    pub late_open: bool,
    /// Contracts traded.
    pub volume: u64,
}

/// A session whose front contract differs from the previous session's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Rollover {
    /// Date of the first session of the new contract.
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: Date,
    /// The contract left; empty where the input has neither symbols nor ids.
    pub from: String,
    /// The new contract; empty where the input has neither symbols nor ids.
    pub to: String,
    /// Close of `to` minus close of `from` in points at the last second before the session in which both traded, on its date
    /// or one of the five before.
    pub price_gap: Option<f64>,
    /// Volume of `from` in the session that decided.
    pub volume_from: u64,
    /// Volume of `to` in the session that decided.
    pub volume_to: u64,
    /// Whether the date lies in the root's expected window; `null` where the root has none.
    pub expected: Option<bool>,
}

impl Rollover {
    /// Whether it is a gap of price in an input that has neither symbols nor ids.
    #[must_use]
    pub fn is_gap(&self) -> bool {
        self.from.is_empty() && self.to.is_empty()
    }
}

/// What ids without a symbol trade in the session of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Unmapped {
    /// Local trading date.
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: Date,
    /// How many ids.
    pub ids: u64,
    /// Contracts traded.
    pub volume: u64,
}

/// The rows of one month, session after session. Prices in ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Calendar month (Central).
    pub month: Month,
    /// Sessions in order; their rows cover the columns without a hole.
    pub sessions: Vec<Session>,
    /// Rollovers in order of date.
    pub rollovers: Vec<Rollover>,
    /// Dates on whose session ids without a symbol trade.
    pub unmapped: Vec<Unmapped>,
    /// What a careful user should know; one sentence each.
    pub warnings: Vec<String>,
    /// What makes the month wrong.
    pub faults: Vec<Fault>,
    /// First price of each second.
    pub open: Vec<i32>,
    /// Highest price.
    pub high: Vec<i32>,
    /// Lowest price.
    pub low: Vec<i32>,
    /// Last price.
    pub close: Vec<i32>,
    /// Contracts traded; 0 in a filled row.
    pub volume: Vec<u32>,
    /// Central second of the day.
    pub second: Vec<u32>,
}

impl Grid {
    /// An empty grid of a month.
    #[must_use]
    pub fn new(month: Month) -> Self {
        let (open, high, low, close) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (sessions, rollovers, unmapped) = (Vec::new(), Vec::new(), Vec::new());
        let (warnings, faults, volume, second) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { month, sessions, rollovers, unmapped, warnings, faults, open, high, low, close, volume, second }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.open.len()
    }

    /// Where a session's first row does not follow the row before it by one second.
    #[must_use]
    pub fn breaks(&self) -> Vec<Break> {
        let between = |pair: &[Session]| {
            let [before, after] = pair else { return None };
            let seconds = after.first_second - before.first_second - before.rows.len() as i64 + 1;
            Some(Break { row: after.rows.start, seconds: u32::try_from(seconds).ok()? })
        };
        self.sessions.windows(2).filter_map(between).collect()
    }

    /// The series of some rows, second by second: one session's, or all of them, whose [`Grid::breaks`] are to be added.
    ///
    /// # Errors
    /// See [`Series::new`].
    pub fn series(&self, rows: Range<usize>) -> Result<Series<'_>, Error> {
        Series::new(Columns {
            open: &self.open[rows.clone()],
            high: &self.high[rows.clone()],
            low: &self.low[rows.clone()],
            close: &self.close[rows.clone()],
            volume: &self.volume[rows.clone()],
            second: &self.second[rows],
        })
    }
}
