//! What a file holds that no session can be cut from.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Time};

use super::InputError;
use crate::{columns::ColumnsView, instrument::Instrument, month::Month, records::Records, symbol, window::Windows};

/// Symbols spelt out.
const NAMED: usize = 5;

/// Months no session came out of.
#[derive(Debug, Default)]
pub struct Seen {
    records: Records,
    months: Vec<Month>,
    /// Seconds of the first and the last record kept.
    span: Option<(u32, u32)>,
}

impl Seen {
    /// The same and another month.
    #[must_use]
    pub fn and(mut self, columns: &ColumnsView<'_>, records: &Records) -> Self {
        self.records.add(records);
        self.months.push(columns.month);
        for &time in columns.time {
            let (first, last) = self.span.unwrap_or((time, time));
            self.span = Some((first.min(time), last.max(time)));
        }
        self
    }

    /// The error of a file whose months have no session: symbols, times, what was kept and what was dropped, and the
    /// setting that is the likely reason.
    #[must_use]
    pub fn no_session(&self, instrument: &Instrument) -> InputError {
        let Self { records, months, span } = self;
        let found = format!(
            "{} of {} records {}; {}; symbols: {}; {}",
            records.kept(),
            records.total,
            match span {
                Some((first, last)) => format!("kept from {} to {}", utc(*first), utc(*last)),
                None => format!("kept, all in {}", list(months)),
            },
            dropped(records),
            symbols(records),
            self.of_another_month(instrument).unwrap_or_else(|| hint(records, instrument))
        );
        InputError::NoSession { root: instrument.root.clone(), found }
    }

    /// Why nothing comes out of records that all lie outside of the months their file promises.
    fn of_another_month(&self, instrument: &Instrument) -> Option<String> {
        let windows = Windows::new(instrument).ok()?;
        let month = |second: u32| Month::of(windows.date(second.into()));
        let (first, last) = self.span.and_then(|(first, last)| month(first).zip(month(last)))?;
        let (promised_first, promised_last) = (*self.months.iter().min()?, *self.months.iter().max()?);
        let outside = last < promised_first || first > promised_last;
        outside.then(|| format!("they are of {first}, the file is named for {}: download it again", list(&self.months)))
    }
}

fn list(months: &[Month]) -> String {
    months.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What was dropped, the most first.
fn dropped(records: &Records) -> String {
    let mut dropped = vec![
        ("spreads_dropped", records.spreads_dropped),
        ("other_roots_dropped", records.other_roots_dropped),
        ("unmapped", records.unmapped),
        ("filled_before", records.filled_before),
        ("in_several_files", records.in_several_files),
    ];
    dropped.extend(records.rules());
    dropped.retain(|(_, count)| *count > 0);
    dropped.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let dropped: Vec<String> = dropped.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
    if dropped.is_empty() { "none dropped".into() } else { format!("dropped: {}", dropped.join(", ")) }
}

/// The symbols with the most records.
fn symbols(records: &Records) -> String {
    let mut symbols: Vec<(&str, u64)> =
        records.by_instrument.iter().map(|(symbol, count)| (symbol.as_str(), *count)).collect();
    symbols.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let names: Vec<&str> = symbols.iter().take(NAMED).map(|(symbol, _)| *symbol).collect();
    match symbols.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// The setting that kept the most records out.
fn hint(records: &Records, instrument: &Instrument) -> String {
    let Instrument { root, session_start, session_end, time_zone, .. } = instrument;
    let selected = records.total - records.spreads_dropped.min(records.total);
    if records.kept() > 0 {
        let clock = |second: u32| {
            let midnight = Time::midnight();
            midnight.saturating_add(jiff::SignedDuration::from_secs(second.into())).to_string()
        };
        return format!(
            "none of them lies within the session {} to {} {time_zone}: check session_start, session_end and time_zone",
            clock(*session_start),
            clock(*session_end)
        );
    }
    if records.unmapped > 0 && 2 * records.unmapped >= selected {
        return "the file has no symbols for these ids on their dates: download it again".into();
    }
    if 2 * records.other_roots_dropped >= selected {
        return match root_of_most(records) {
            Some(seen) if seen != *root => format!("the root is {seen}, not {root}: set root"),
            _ => format!("no symbol is an outright such as {root}Z3: check root and the symbols"),
        };
    }
    if 2 * records.price_off_tick >= selected.saturating_sub(records.other_roots_dropped) {
        let tick = instrument.tick_nanos as f64 / 1e9;
        return format!("the prices are no multiples of {tick}: set tick_size");
    }
    "check root, tick_size and session".into()
}

/// The root most records are of.
fn root_of_most(records: &Records) -> Option<String> {
    let mut roots: BTreeMap<String, u64> = BTreeMap::new();
    for (symbol, count) in &records.by_instrument {
        if let Some(root) = symbol::root(symbol) {
            *roots.entry(root).or_default() += count;
        }
    }
    roots.into_iter().max_by_key(|(_, count)| *count).map(|(root, _)| root)
}

fn utc(second: u32) -> Timestamp {
    Timestamp::from_second(second.into()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::{Bar, Collector, Name};

    fn found(trades: &[(&str, u64, i64)]) -> String {
        let instrument = Instrument::default();
        let mut collector = Collector::new("2013-10".parse().unwrap(), &instrument);
        for (record, &(symbol, second, price)) in trades.iter().enumerate() {
            let index = collector.symbol(symbol, Name::Symbol);
            let nanos = second * 1_000_000_000;
            let bar = Bar { nanos, open: price, high: price, low: price, close: price, volume: 1 };
            collector.push(index, &bar, record as u64);
        }
        let columns = collector.finish().unwrap();
        Seen::default().and(&columns.view(), &columns.records).no_session(&instrument).to_string()
    }

    #[test]
    fn records_of_another_month_are_the_reason_before_any_setting() {
        let message = found(&[("ESZ3", 1_385_856_000, 1_700_250_000_000)]);
        assert!(message.contains("they are of 2013-11, the file is named for 2013-10"), "{message}");
    }

    #[test]
    fn the_likely_reason_is_named() {
        let on_tick = 1_700_250_000_000;
        // 2013-10-07 00:00 UTC is the evening of the 6th in Chicago.
        let night = 1_381_104_000;
        for (trades, words) in [
            (
                &[("GCZ3", night, on_tick), ("GCG4", night, on_tick), ("SIZ3-SIH4", night, on_tick)][..],
                &["0 of 3 records", "2013-10", "other_roots_dropped 3", "GCG4", "root is GC, not ES"][..],
            ),
            (&[("ES.FUT", night, on_tick)], &["ES.FUT", "no symbol is an outright such as ESZ3"]),
            (
                &[("ESZ3", night, on_tick + 1), ("ESZ3", night + 1, on_tick + 1), ("ESZ3", night, 0)],
                &["dropped: price_off_tick 2, price_not_positive 1", "no multiples of 0.25"],
            ),
            (
                &[("ESZ3", night, on_tick), ("ESZ3", night + 9, on_tick)],
                &[
                    "2 of 2 records kept from 2013-10-07T00:00:00Z to 2013-10-07T00:00:09Z",
                    "none dropped",
                    "07:30:00 to 15:00:00",
                ],
            ),
        ] {
            let message = found(trades);
            for word in words {
                assert!(message.contains(word), "'{word}' is missing in: {message}");
            }
        }
    }
}
