//! One month of cleaned records as columns, contract after contract, each in order of time.

use std::ops::Range;

use crate::{month::Month, records::Records};

/// Version of the rules by which records are cleaned and selected: columns decoded under other rules are not used again.
pub const RULES_VERSION: u32 = 5;

/// One contract and where its records are.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ContractRows {
    /// Symbol, or the instrument id as text; empty where the input has neither.
    pub symbol: String,
    /// Delivery month; absent where the input has no symbols.
    pub expiry: Option<Month>,
    /// Whether it is of a continuous series, which is rolled already: who made it says on which dates it is front.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rolled: bool,
    /// Its records in the columns.
    pub rows: Range<usize>,
}

/// Cleaned records of one month; prices in ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Calendar month.
    pub month: Month,
    /// Contracts by delivery month, then symbol.
    pub contracts: Vec<ContractRows>,
    /// Ids without a symbol on their dates, in order. Their rows follow those of the contracts; together they cover the
    /// columns without a hole.
    pub unmapped: Vec<ContractRows>,
    /// What was read and dropped.
    pub records: Records,
    /// UTC seconds since 1970, rising within a contract.
    pub time: Vec<u32>,
    /// First price.
    pub open: Vec<i32>,
    /// Highest price.
    pub high: Vec<i32>,
    /// Lowest price.
    pub low: Vec<i32>,
    /// Last price.
    pub close: Vec<i32>,
    /// Contracts traded.
    pub volume: Vec<u32>,
}

impl Columns {
    /// No records.
    #[must_use]
    pub fn empty(month: Month) -> Self {
        let (open, high, low, close) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (contracts, unmapped, records) = (Vec::new(), Vec::new(), Records::default());
        Self { month, contracts, unmapped, records, time: Vec::new(), open, high, low, close, volume: Vec::new() }
    }

    pub(crate) fn with_capacity(month: Month, rows: usize) -> Self {
        let prices = || Vec::with_capacity(rows);
        Self {
            time: Vec::with_capacity(rows),
            open: prices(),
            high: prices(),
            low: prices(),
            close: prices(),
            volume: Vec::with_capacity(rows),
            ..Self::empty(month)
        }
    }

    /// Appends rows of other columns.
    pub(crate) fn extend(&mut self, from: &ColumnsView<'_>, rows: Range<usize>) {
        self.time.extend_from_slice(&from.time[rows.clone()]);
        self.open.extend_from_slice(&from.open[rows.clone()]);
        self.high.extend_from_slice(&from.high[rows.clone()]);
        self.low.extend_from_slice(&from.low[rows.clone()]);
        self.close.extend_from_slice(&from.close[rows.clone()]);
        self.volume.extend_from_slice(&from.volume[rows]);
    }

    /// Borrows the columns.
    #[must_use]
    pub fn view(&self) -> ColumnsView<'_> {
        ColumnsView {
            month: self.month,
            contracts: &self.contracts,
            unmapped: &self.unmapped,
            time: &self.time,
            open: &self.open,
            high: &self.high,
            low: &self.low,
            close: &self.close,
            volume: &self.volume,
        }
    }
}

/// The same columns borrowed, from memory or from a mapped column file.
#[derive(Clone, Copy, Debug)]
pub struct ColumnsView<'a> {
    /// Calendar month.
    pub month: Month,
    /// Contracts and their rows.
    pub contracts: &'a [ContractRows],
    /// Ids without a symbol on their dates, and their rows.
    pub unmapped: &'a [ContractRows],
    /// UTC seconds since 1970.
    pub time: &'a [u32],
    /// First price, ticks.
    pub open: &'a [i32],
    /// Highest price, ticks.
    pub high: &'a [i32],
    /// Lowest price, ticks.
    pub low: &'a [i32],
    /// Last price, ticks.
    pub close: &'a [i32],
    /// Contracts traded.
    pub volume: &'a [u32],
}

impl ColumnsView<'_> {
    /// Rows of a contract in `from..to` UTC seconds.
    #[must_use]
    pub fn rows_between(&self, contract: &ContractRows, from: i64, to: i64) -> Range<usize> {
        let times = &self.time[contract.rows.clone()];
        let at = |second: i64| contract.rows.start + times.partition_point(|&time| i64::from(time) < second);
        at(from)..at(to).max(at(from))
    }
}
