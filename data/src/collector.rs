//! The records of one month while they are read: each is cleaned, counted and kept by contract.

use std::collections::BTreeMap;

use kernels::series::{MAX_TICKS, MIN_TICKS};

use crate::{
    columns::{Columns, ContractRows},
    error::InputError,
    instrument::Instrument,
    month::Month,
    records::Records,
    symbol::{self, Kind},
    tick_size::TickSize,
};

/// The price Databento writes where there is none.
const ABSENT: i64 = i64::MAX;

/// A one-second bar as the input gives it: prices in units of 1e-9 points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Start of the second, UTC nanoseconds since 1970.
    pub nanos: u64,
    /// First price.
    pub open: i64,
    /// Highest price.
    pub high: i64,
    /// Lowest price.
    pub low: i64,
    /// Last price.
    pub close: i64,
    /// Contracts traded.
    pub volume: u64,
}

/// One cleaned record: prices in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Start of the second, UTC seconds since 1970.
    pub(crate) time: u32,
    pub(crate) open: i32,
    pub(crate) high: i32,
    pub(crate) low: i32,
    pub(crate) close: i32,
    pub(crate) volume: u32,
    pub(crate) record: u64,
}

impl Row {
    /// Everything but the record's number.
    pub(crate) fn values(&self) -> (u32, [i32; 4], u32) {
        (self.time, [self.open, self.high, self.low, self.close], self.volume)
    }
}

#[derive(Debug, Default)]
struct Contract {
    expiry: Option<Month>,
    rolled: bool,
    rows: Vec<Row>,
    sorted: bool,
    /// Time and close of the record before, where seconds may have been filled.
    filled: Option<(u64, i64)>,
}

/// Collects the records of one month, cleaning each.
#[derive(Debug)]
pub struct Collector {
    month: Month,
    root: String,
    tick: TickSize,
    /// Whether prices of 0 and below are kept.
    negative: bool,
    /// By symbol; `None` for a symbol that is not selected.
    contracts: Vec<(String, Kind, Contract)>,
    index: BTreeMap<String, usize>,
    counts: Vec<u64>,
    records: Records,
    kept: usize,
    last_nanos: u64,
    /// The latest records, all of one publisher, that are not in the counts yet.
    published: Option<(u16, u64)>,
    /// Whether seconds without a trade may have been filled by who made the input.
    filled: bool,
}

/// What an input calls an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// A symbol, which says what it is.
    Symbol,
    /// An id or nothing, in an input without symbols: it stands for an outright of unknown delivery month.
    Id,
    /// A contract of a continuous series of the root, by its symbol or its id.
    Rolled,
    /// An id or nothing, in an input whose other records have symbols.
    Unmapped,
}

/// What an instrument is, by what an input calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its symbol as it is written here: however an input writes it, a contract is one.
    pub symbol: String,
    /// Outright of the root, or what else.
    pub kind: Kind,
    /// Delivery month of an outright, where it is known.
    pub expiry: Option<Month>,
    /// Whether it is of a series that is rolled already.
    pub rolled: bool,
}

impl Identity {
    /// Of a symbol in a month, which tells the decade of a one-digit year.
    #[must_use]
    pub fn of(symbol: &str, name: Name, root: &str, month: Month) -> Self {
        let unknown = Kind::Outright { month: 0, year: 0, modulus: 10 };
        let (kind, rolled) = match (name, symbol::classify(symbol, root)) {
            (Name::Symbol, kind) => (kind, false),
            (Name::Rolled, kind @ Kind::Outright { .. }) => (kind, true),
            (Name::Rolled, _) => (unknown, true),
            (Name::Id, _) => (unknown, false),
            (Name::Unmapped, _) => (Kind::Unmapped, false),
        };
        let expiry = if kind == unknown { None } else { symbol::expiry(kind, month) };
        let symbol = symbol::name(kind, root).unwrap_or_else(|| symbol.to_owned());
        Self { symbol, kind, expiry, rolled }
    }
}

/// A symbol as a [`Collector`] knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SymbolIndex(usize);

impl Collector {
    /// An empty month.
    #[must_use]
    pub fn new(month: Month, instrument: &Instrument) -> Self {
        Self {
            month,
            root: instrument.root.clone(),
            tick: TickSize::new(instrument.tick_nanos),
            negative: instrument.negative_prices,
            contracts: Vec::new(),
            index: BTreeMap::new(),
            counts: Vec::new(),
            records: Records::default(),
            kept: 0,
            last_nanos: 0,
            published: None,
            filled: false,
        }
    }

    /// The same for an input in which seconds without a trade may have been filled with the close before.
    pub(crate) fn with_filled_seconds(self, filled: bool) -> Self {
        Self { filled, ..self }
    }

    /// Symbols so far, selected or not.
    pub(crate) fn symbols(&self) -> usize {
        self.contracts.len()
    }

    /// Records it holds.
    pub(crate) fn kept(&self) -> usize {
        self.kept
    }

    /// Finds or adds an instrument.
    pub fn symbol(&mut self, symbol: &str, name: Name) -> SymbolIndex {
        if let Some(&index) = self.index.get(symbol) {
            return SymbolIndex(index);
        }
        let Identity { symbol: named, kind, expiry, rolled } = Identity::of(symbol, name, &self.root, self.month);
        if let Some(&index) = self.index.get(&named) {
            self.index.insert(symbol.to_owned(), index);
            return SymbolIndex(index);
        }
        let index = self.contracts.len();
        self.index.extend([(symbol.to_owned(), index), (named.clone(), index)]);
        let contract = Contract { expiry, rolled, rows: Vec::new(), sorted: true, filled: None };
        self.contracts.push((named, kind, contract));
        self.counts.push(0);
        SymbolIndex(self.contracts.len() - 1)
    }

    /// Counts one record of a DBN input under its publisher.
    pub(crate) fn published_by(&mut self, publisher: u16) {
        match &mut self.published {
            Some((same, count)) if *same == publisher => *count += 1,
            run => {
                let before = run.replace((publisher, 1));
                self.count_published(before);
            }
        }
    }

    fn count_published(&mut self, run: Option<(u16, u64)>) {
        if let Some((publisher, count)) = run {
            *self.records.by_publisher.entry(publisher).or_default() += count;
        }
    }

    /// Cleans one record and keeps it, or counts it under the first rule that hits; `record` is its number in the file.
    pub fn push(&mut self, SymbolIndex(index): SymbolIndex, bar: &Bar, record: u64) {
        self.counts[index] += 1;
        self.records.total += 1;
        if bar.nanos < self.last_nanos {
            self.records.time_backwards += 1;
        }
        self.last_nanos = bar.nanos;
        let (_, kind, contract) = &mut self.contracts[index];
        let counts = &mut self.records;
        match kind {
            Kind::Outright { .. } => {}
            Kind::Spread => {
                counts.spreads_dropped += 1;
                return;
            }
            Kind::Other => {
                counts.other_roots_dropped += 1;
                return;
            }
            Kind::Unmapped => {
                counts.unmapped += 1;
                counts.unmapped_volume = counts.unmapped_volume.saturating_add(bar.volume);
                // What it traded when is kept; which rule would drop it does not matter.
                if let Some(row) = clean(bar, (self.tick, self.negative), record, &mut Records::default())
                    && contract.rows.last().is_none_or(|last| last.time != row.time)
                {
                    contract.sorted &= contract.rows.last().is_none_or(|last| last.time < row.time);
                    contract.rows.push(row);
                    self.kept += 1;
                }
                return;
            }
        }
        if self.filled && contract.is_filled(bar, self.negative) {
            counts.filled_before += 1;
            return;
        }
        let Some(row) = clean(bar, (self.tick, self.negative), record, counts) else { return };
        // A record that follows its twin is not even kept until the end: such a file must not fill the memory.
        if contract.rows.last().is_some_and(|last| last.values() == row.values()) {
            counts.duplicate_equal += 1;
            return;
        }
        contract.sorted &= contract.rows.last().is_none_or(|last| last.time < row.time);
        contract.rows.push(row);
        self.kept += 1;
    }

    /// Sorts what came out of order, merges equal duplicates and lays the contracts out as columns.
    ///
    /// # Errors
    /// [`InputError::Conflict`] when two records of one contract and second differ.
    pub fn finish(mut self) -> Result<Columns, InputError> {
        let last = self.published.take();
        self.count_published(last);
        for ((symbol, _, _), count) in self.contracts.iter().zip(&self.counts) {
            *self.records.by_instrument.entry(shown(symbol).to_owned()).or_default() += count;
        }
        let mut contracts = self.contracts;
        contracts.retain(|(_, _, contract)| !contract.rows.is_empty());
        let unmapped = |kind: &Kind| *kind == Kind::Unmapped;
        contracts.sort_by(|a, b| (unmapped(&a.1), a.2.expiry, &a.0).cmp(&(unmapped(&b.1), b.2.expiry, &b.0)));

        let total = contracts.iter().map(|(_, _, contract)| contract.rows.len()).sum();
        let mut columns = Columns::with_capacity(self.month, total);
        for (symbol, kind, mut contract) in contracts {
            if !contract.sorted {
                // Stable: of two records of one second the earlier in the file comes first.
                contract.rows.sort_by_key(|row| row.time);
                if unmapped(&kind) {
                    contract.rows.dedup_by_key(|row| row.time);
                } else {
                    self.records.duplicate_equal += drop_duplicates(&symbol, &mut contract.rows)?;
                }
            }
            let first = columns.time.len();
            columns.time.extend(contract.rows.iter().map(|row| row.time));
            columns.open.extend(contract.rows.iter().map(|row| row.open));
            columns.high.extend(contract.rows.iter().map(|row| row.high));
            columns.low.extend(contract.rows.iter().map(|row| row.low));
            columns.close.extend(contract.rows.iter().map(|row| row.close));
            columns.volume.extend(contract.rows.iter().map(|row| row.volume));
            let rows = first..columns.time.len();
            let list = if unmapped(&kind) { &mut columns.unmapped } else { &mut columns.contracts };
            list.push(ContractRows { symbol, expiry: contract.expiry, rolled: contract.rolled, rows });
        }
        columns.records = self.records;
        Ok(columns)
    }
}

impl Contract {
    /// Whether a bar is a second that somebody filled: volume 0 and one price in all four columns, which is that of the row
    /// before, or, where the second before has no row, that of a trade which is not in the file.
    fn is_filled(&mut self, bar: &Bar, negative: bool) -> bool {
        const SECOND: u64 = 1_000_000_000;
        let before = self.filled.replace((bar.nanos, bar.close));
        let flat = bar.volume == 0 && (negative || bar.close > 0) && [bar.open, bar.high, bar.low] == [bar.close; 3];
        flat && before.is_none_or(|(nanos, close)| close == bar.close || nanos.abs_diff(bar.nanos) > SECOND)
    }
}

/// A symbol as people see it.
fn shown(symbol: &str) -> &str {
    if symbol.is_empty() { "(no symbol)" } else { symbol }
}

/// The rules of docs/spec.md 2.2 in their order; the first that hits counts the record.
pub(crate) fn clean(bar: &Bar, (tick, negative): (TickSize, bool), record: u64, counts: &mut Records) -> Option<Row> {
    let prices = [bar.open, bar.high, bar.low, bar.close];
    let second = bar.nanos / 1_000_000_000;
    let ticks = prices.map(|price| tick.count(price));
    let rule = if prices.contains(&ABSENT) {
        &mut counts.price_absent
    } else if !negative && prices.iter().any(|&price| price <= 0) {
        &mut counts.price_not_positive
    } else if ticks.contains(&None) {
        &mut counts.price_off_tick
    } else if bar.high < bar.low {
        &mut counts.high_below_low
    } else if prices.iter().any(|&price| price < bar.low || price > bar.high) {
        &mut counts.open_close_outside
    } else if !bar.nanos.is_multiple_of(1_000_000_000) {
        &mut counts.sub_second
    } else if let [Some(open), Some(high), Some(low), Some(close)] = ticks
        && low >= i64::from(MIN_TICKS)
        && high <= i64::from(MAX_TICKS)
        && let (Ok(time), Ok(volume)) = (u32::try_from(second), u32::try_from(bar.volume))
    {
        if volume > 0 {
            // No price is above the high and none below the low: each fits.
            let [open, high, low, close] = [open, high, low, close].map(|ticks| ticks as i32);
            return Some(Row { time, open, high, low, close, volume, record });
        }
        &mut counts.no_trade
    } else {
        &mut counts.out_of_range
    };
    *rule += 1;
    None
}

/// Keeps the first of equal records of one second; two that differ are an error.
fn drop_duplicates(symbol: &str, rows: &mut Vec<Row>) -> Result<u64, InputError> {
    let before = rows.len();
    for pair in rows.windows(2) {
        let [a, b] = pair else { continue };
        if a.time == b.time && a.values() != b.values() {
            return Err(InputError::Conflict {
                symbol: shown(symbol).to_owned(),
                second: jiff::Timestamp::from_second(i64::from(a.time)).unwrap_or_default().to_string(),
                first: a.record,
                second_record: b.record,
            });
        }
    }
    rows.dedup_by_key(|row| row.time);
    Ok((before - rows.len()) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_follows_its_twin_is_counted_and_not_kept() {
        let mut collector = Collector::new("2013-10".parse().unwrap(), &Instrument::default());
        let [z3, h4] = ["ESZ3", "ESH4"].map(|symbol| collector.symbol(symbol, Name::Symbol));
        let bar = |volume| Bar {
            nanos: 1_381_149_000_000_000_000,
            open: 250_000_000,
            high: 250_000_000,
            low: 250_000_000,
            close: 250_000_000,
            volume,
        };
        for record in 0..1000 {
            collector.push(z3, &bar(7), record);
            collector.push(h4, &bar(7), record);
        }
        assert!(collector.contracts.iter().all(|(_, _, contract)| contract.rows.capacity() < 10));
        assert_eq!(collector.records.duplicate_equal, 1998);
        collector.push(z3, &bar(8), 1000);
        let error = collector.finish().unwrap_err().to_string();
        assert!(error.contains("records 0 and 1000"), "{error}");
    }

    #[test]
    fn prices_of_0_and_below_are_prices_where_the_instrument_has_them() {
        let clean = |negative_prices: bool, [open, high, low, close]: [i64; 4]| {
            let instrument =
                Instrument { root: "CL".into(), tick_nanos: 10_000_000, negative_prices, ..Instrument::default() };
            let mut collector = Collector::new("2020-04".parse().unwrap(), &instrument);
            let index = collector.symbol("CLK0", Name::Symbol);
            collector.push(index, &Bar { nanos: 1_587_405_600_000_000_000, open, high, low, close, volume: 3 }, 0);
            let columns = collector.finish().unwrap();
            (columns.close, columns.records.price_not_positive, columns.records.dropped())
        };
        // 2020-04-20, 13:00 Central: from a cent above 0 to -37.63.
        let bar = [10_000_000, 10_000_000, -37_630_000_000, -37_630_000_000];
        assert_eq!(clean(true, bar), (vec![-3763], 0, 0));
        assert_eq!(clean(false, bar), (vec![], 1, 1));
        assert_eq!(clean(true, [0; 4]), (vec![0], 0, 0));
        // All other rules hold, that of the tick and of the limit too.
        assert_eq!(clean(true, [-15_000_000; 4]), (vec![], 0, 1));
        assert_eq!(clean(true, [10_000_000 * (i64::from(MIN_TICKS) - 1); 4]), (vec![], 0, 1));
        assert_eq!(clean(true, [ABSENT; 4]), (vec![], 0, 1));
    }
}
