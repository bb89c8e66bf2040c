//! Deals the records of a file out to its months.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    ops::Range,
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{InputError, Sink, partition::Partition};
use crate::{
    collector::{Bar, Collector, Name, SymbolIndex},
    ids,
    instrument::Instrument,
    month::Month,
    symbology::Symbology,
    window::Windows,
};

/// Nanoseconds of a second.
const NANOS: u64 = 1_000_000_000;

/// What a file may claim of the memory and the disk, however well it is compressed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Records of the file.
    pub(super) records: u64,
    /// Records of a table or a folder that are held while their months are not complete.
    held: usize,
    /// Records of a month that are kept.
    kept: usize,
    /// Symbols of a month.
    symbols: usize,
    /// Bytes of a symbol.
    symbol: usize,
}

impl Limits {
    /// Those of a file of so many bytes.
    fn of(bytes: u64) -> Self {
        Self {
            // Four million whatever the size, and sixteen a byte: the best compression of real ones needs bytes for a record.
            records: bytes.saturating_mul(16).saturating_add(1 << 22),
            // 256 MB.
            held: 1 << 23,
            // A dozen contracts with a trade in every second.
            kept: 1 << 25,
            // All that a venue lists.
            symbols: 1 << 17,
            symbol: 128,
        }
    }
}

pub(super) fn within(there: bool, what: &'static str, limit: u64) -> Result<(), InputError> {
    if there { Ok(()) } else { Err(InputError::Limit { what, limit }) }
}

/// Deals the records of a file out to its months.
pub(super) struct Months<'a> {
    pub(super) instrument: &'a Instrument,
    /// What lies beside the input says of ids that it does not name.
    pub(super) symbology: &'a Symbology,
    windows: Windows<'a>,
    /// Months the file's name promises: the hours of the evening before belong to the first.
    named: Option<(Month, Month)>,
    /// UTC nanoseconds that a header promises, where the name has no dates, and the months of their UTC dates.
    promised: Option<(Range<u64>, (Month, Month))>,
    open: BTreeMap<Month, Collector>,
    closed: Option<Month>,
    pub(super) record: u64,
    /// Trades that the bars were made of, where the input has trades.
    pub(super) trades: u64,
    /// Start of the last second with a trade, UTC nanoseconds, of the file before.
    pub(super) last_trades: Option<u64>,
    /// What a request was limited to, where it ended there.
    pub(super) limit: Option<u64>,
    /// What the folders around the file say of its rows.
    pub(super) partition: Partition,
    pub(super) limits: Limits,
    /// Publisher of the record that comes next, where the input names one.
    pub(super) publisher: Option<u16>,
    pub(super) first: Option<u64>,
    pub(super) last: Option<u64>,
    /// The month of the latest record and the UTC nanoseconds it spans.
    current: Option<(Month, Range<u64>)>,
    /// Whether seconds without a trade may have been filled.
    filled: bool,
    /// Whether months may come in any order, as far as the memory allows.
    any_order: bool,
}

impl<'a> Months<'a> {
    pub(super) fn new(
        instrument: &'a Instrument,
        symbology: &'a Symbology,
        dates: Option<(Date, Date)>,
        bytes: u64,
    ) -> Result<Self, InputError> {
        let windows = Windows::new(instrument)?;
        let named = dates.and_then(|(first, last)| Some((Month::of(first)?, Month::of(last)?)));
        Ok(Self {
            instrument,
            symbology,
            windows,
            named,
            promised: None,
            open: BTreeMap::new(),
            closed: None,
            record: 0,
            trades: 0,
            last_trades: None,
            limit: None,
            partition: Partition::default(),
            limits: Limits::of(bytes),
            publisher: None,
            first: None,
            last: None,
            current: None,
            filled: false,
            any_order: false,
        })
    }

    /// What follows are rows of a table: seconds without a trade may have been filled, and the order is its writer's.
    pub(super) fn is_table(&mut self) {
        (self.filled, self.any_order) = (true, true);
    }

    /// What follows lies in several files.
    pub(super) fn is_folder(&mut self) {
        self.any_order = true;
    }

    /// What follows was asked for from one UTC nanosecond to before another: as a file name says it of others.
    pub(super) fn promise(&mut self, asked: Range<u64>) {
        let month = |nanos: u64| {
            let time = Timestamp::from_nanosecond(i128::from(nanos)).ok()?;
            Month::of(time.to_zoned_datetime(TimeZone::UTC).date())
        };
        let months = month(asked.start).zip(asked.end.checked_sub(1).and_then(month));
        self.promised = months.filter(|_| !asked.is_empty() && self.named.is_none()).map(|months| (asked, months));
        self.current = None;
    }

    /// Whether the first month must be handed over before another is begun. Tables may be sorted by contract.
    fn is_full(&self) -> bool {
        let kept = || self.open.values().map(Collector::kept).sum::<usize>();
        self.open.len() > 1 && (!self.any_order || kept() > self.limits.held)
    }

    /// The collector of the month a record belongs to.
    ///
    /// # Errors
    /// A time outside 1970..2106, or in a month that has been handed over.
    fn collector(&mut self, nanos: u64, sink: &mut Sink<'_>) -> Result<(Month, &mut Collector), InputError> {
        let month = match &self.current {
            Some((month, span)) if span.contains(&nanos) => *month,
            _ => {
                let month = self.month_of(nanos)?;
                // A month is complete when the one after the next begins: time may run backwards by less.
                while self.is_full() && !self.open.contains_key(&month) {
                    self.close_first(sink)?;
                }
                // Also one that was never open: months are handed over in order, each once.
                if self.closed.is_some_and(|closed| month <= closed) {
                    let record = self.record;
                    return Err(match self.any_order {
                        true => InputError::Unsorted { record, month, limit: self.limits.held as u64 },
                        false => InputError::Order { record, month },
                    });
                }
                month
            }
        };
        let new = || Collector::new(month, self.instrument).with_filled_seconds(self.filled);
        let collector = self.open.entry(month).or_insert_with(new);
        Ok((month, collector))
    }

    fn month_of(&mut self, nanos: u64) -> Result<Month, InputError> {
        let bad = || InputError::Time { record: self.record, nanos };
        let second = i64::try_from(nanos / NANOS).map_err(|_| bad())?;
        let own = Month::of(self.windows.date(second)).ok_or_else(bad)?;
        let promised = self.promised.as_ref().filter(|(asked, _)| asked.contains(&nanos));
        let promised = self.named.or(promised.map(|(_, months)| *months));
        let month = promised.map_or(own, |(first, last)| own.clamp(first, last));
        if month == own {
            let begin = |month: Month| u64::try_from(self.windows.month_begins(month)?).ok()?.checked_mul(NANOS);
            if let (Some(from), Some(to)) = (begin(own), own.next().and_then(begin)) {
                self.current = Some((month, from..to));
            }
        }
        Ok(month)
    }

    fn seen(&mut self, nanos: u64) {
        self.record += 1;
        self.first = Some(self.first.map_or(nanos, |first| first.min(nanos)));
        self.last = Some(self.last.map_or(nanos, |last| last.max(nanos)));
    }

    fn close_first(&mut self, sink: &mut Sink<'_>) -> Result<(), InputError> {
        if let Some((month, collector)) = self.open.pop_first() {
            self.closed = Some(month);
            self.current = None;
            let columns = collector.finish()?;
            ids::check(&columns.view(), self.instrument.tick_nanos)?;
            sink(columns)?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, sink: &mut Sink<'_>) -> Result<(), InputError> {
        while !self.open.is_empty() {
            self.close_first(sink)?;
        }
        Ok(())
    }

    /// Gives a bar to its month; `name` finds the symbol the first time a month meets `key`.
    pub(super) fn push(
        &mut self,
        symbols: &mut SymbolCache,
        key: u64,
        bar: &Bar,
        name: impl FnOnce() -> (String, Name),
        sink: &mut Sink<'_>,
    ) -> Result<(), InputError> {
        let (record, limits, publisher) = (self.record, self.limits, self.publisher);
        within(record < limits.records, "records in a file of this size", limits.records)?;
        let (month, collector) = self.collector(bar.nanos, sink)?;
        let index = symbols.find(month, key, || {
            let (symbol, name) = name();
            within(symbol.len() <= limits.symbol, "bytes in a symbol", limits.symbol as u64)?;
            within(collector.symbols() < limits.symbols, "symbols in a month", limits.symbols as u64)?;
            Ok(collector.symbol(&symbol, name))
        })?;
        collector.push(index, bar, record);
        if let Some(publisher) = publisher {
            collector.published_by(publisher);
        }
        within(collector.kept() <= limits.kept, "records of the root in a month", limits.kept as u64)?;
        self.seen(bar.nanos);
        Ok(())
    }
}

/// The symbols a file's keys (ids, days) have been resolved to, by month.
#[derive(Default)]
pub(super) struct SymbolCache {
    last: Option<(Month, u64, SymbolIndex)>,
    known: HashMap<(Month, u64), SymbolIndex>,
}

impl SymbolCache {
    fn find(
        &mut self,
        month: Month,
        key: u64,
        add: impl FnOnce() -> Result<SymbolIndex, InputError>,
    ) -> Result<SymbolIndex, InputError> {
        if let Some((last_month, last_key, index)) = self.last
            && last_month == month
            && last_key == key
        {
            return Ok(index);
        }
        let index = match self.known.entry((month, key)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => *new.insert(add()?),
        };
        self.last = Some((month, key, index));
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of bars of one symbol each, pushed under these limits.
    fn pushed(limits: Limits, bars: impl Iterator<Item = (u64, String)>) -> Result<u64, InputError> {
        let instrument = Instrument::default();
        let symbology = Symbology::default();
        let mut months = Months { limits, ..Months::new(&instrument, &symbology, None, 0)? };
        let mut symbols = SymbolCache::default();
        for (second, symbol) in bars {
            let (nanos, price) = ((1_381_149_000 + second) * 1_000_000_000, 250_000_000);
            let bar = Bar { nanos, open: price, high: price, low: price, close: price, volume: 1 };
            let mut hash = std::hash::DefaultHasher::new();
            std::hash::Hash::hash(&symbol, &mut hash);
            months.push(
                &mut symbols,
                std::hash::Hasher::finish(&hash),
                &bar,
                || (symbol, Name::Symbol),
                &mut |_| Ok(()),
            )?;
        }
        Ok(months.record)
    }

    #[test]
    fn no_file_claims_more_than_its_limits() {
        let limits = Limits { records: 100, held: 50, kept: 50, symbols: 8, symbol: 10 };
        let bars = |count: u64, symbols: u64| {
            (0..count).map(move |second| {
                (second, ["ES", "NQ"][usize::from(second % 2 == 1)].to_owned() + &format!("Z{}", second % symbols))
            })
        };
        assert_eq!(pushed(limits, bars(100, 8)).unwrap(), 100);
        for (bars, found) in [
            (bars(101, 8).collect::<Vec<_>>(), "more than 100 records in a file of this size"),
            (bars(9, 9).collect(), "more than 8 symbols in a month"),
            (vec![(0, "ES-012345678".into())], "more than 10 bytes in a symbol"),
            ((0..51).map(|second| (second, "ESZ3".into())).collect(), "more than 50 records of the root"),
        ] {
            let error = pushed(limits, bars.into_iter()).unwrap_err().to_string();
            assert!(error.contains(found), "{error}");
        }
    }

    #[test]
    fn a_table_may_be_in_any_order_as_far_as_its_records_can_be_held() {
        // Four months of a contract, then of another.
        let bars =
            |each: u64| (0..8 * each).map(move |bar| (bar / each % 4 * 31 * 86_400 + bar % each, bar / each / 4));
        let pushed = |each: u64| {
            let (instrument, symbology) = (Instrument::default(), Symbology::default());
            let limits = Limits { held: 40, ..Limits::of(0) };
            let mut months = Months { limits, ..Months::new(&instrument, &symbology, None, 0)? };
            months.is_table();
            let (mut symbols, mut complete) = (SymbolCache::default(), Vec::new());
            let mut sink = |columns: crate::columns::Columns| {
                complete.push(columns.time.len() as u64);
                Ok(())
            };
            for (second, contract) in bars(each) {
                let (nanos, price) = ((1_381_149_000 + second) * 1_000_000_000, 250_000_000);
                let bar = Bar { nanos, open: price, high: price, low: price, close: price, volume: 1 };
                let name = || (["ESZ3", "ESH4"][contract as usize].to_owned(), Name::Symbol);
                months.push(&mut symbols, contract, &bar, name, &mut sink)?;
            }
            months.finish(&mut sink)?;
            Ok::<_, InputError>(complete)
        };
        assert_eq!(pushed(5).unwrap(), [10; 4]);
        let said = pushed(15).unwrap_err().to_string();
        for words in ["record 60 lies in 2013-10", "more than 40 of them", "sort them by time", "a file of its own"] {
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn a_month_is_handed_over_once_and_in_order() {
        // Found by fuzzing: October was handed over before September, and then again.
        const MONTH: u64 = 30 * 86_400;
        let limits = Limits::of(0);
        let months = |order: &[u64]| {
            pushed(limits, order.iter().map(|month| (month * MONTH, "ESZ3".into())).collect::<Vec<_>>().into_iter())
        };
        assert_eq!(months(&[1, 2, 1, 3, 2, 3]).unwrap(), 6);
        for order in [&[1, 3, 0, 2, 1][..], &[1, 3, 0], &[1, 2, 3, 1]] {
            assert!(matches!(months(order), Err(InputError::Order { .. })), "{order:?}");
        }
    }
}
