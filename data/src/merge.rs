//! Several files of one month as one: a month that was downloaded in parts, or a file that ends inside it.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    columns::{Columns, ColumnsView, ContractRows},
    input::InputError,
    month::Month,
    records::Records,
};

/// One file's columns of the month.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Name of the file, for errors.
    pub name: &'a str,
    /// Its columns.
    pub columns: ColumnsView<'a>,
    /// What was read and dropped.
    pub records: &'a Records,
}

/// One cleaned record: second, prices, volume, and which part it is of.
type Row = (u32, [i32; 4], u32, usize);

/// A part, and its rows of one contract.
type Piece = (usize, Range<usize>);

/// Merges the columns of one month. Records several files have are kept once and counted as `in_several_files`.
///
/// # Errors
/// [`InputError::Parts`] when two files have different records for one contract and second.
pub fn merge(month: Month, parts: &[Part<'_>]) -> Result<Columns, InputError> {
    let mut records = Records::default();
    // What has no symbol comes last.
    let mut contracts: BTreeMap<(bool, Option<Month>, &str, bool), Vec<Piece>> = BTreeMap::new();
    for (number, Part { columns: view, records: counts, .. }) in parts.iter().enumerate() {
        records.add(counts);
        let mapped = view.contracts.iter().map(|contract| (false, contract));
        for (unmapped, contract) in mapped.chain(view.unmapped.iter().map(|contract| (true, contract))) {
            let pieces = contracts.entry((unmapped, contract.expiry, &contract.symbol, contract.rolled)).or_default();
            if !contract.rows.is_empty() {
                pieces.push((number, contract.rows.clone()));
            }
        }
    }
    let mut columns = Columns::empty(month);
    for ((unmapped, expiry, symbol, rolled), mut pieces) in contracts {
        if pieces.is_empty() {
            continue;
        }
        let first = columns.time.len();
        let ends = |(part, rows): &Piece| {
            let time = parts[*part].columns.time;
            (time[rows.start], time[rows.end - 1])
        };
        pieces.sort_by_key(ends);
        // Those of a download that was split by day follow each other.
        if pieces.windows(2).all(|pair| ends(&pair[0]).1 < ends(&pair[1]).0) {
            pieces.into_iter().for_each(|(part, rows)| columns.extend(&parts[part].columns, rows));
        } else {
            records.in_several_files += interleaved(parts, &pieces, symbol, &mut columns)?;
        }
        let rows = first..columns.time.len();
        let list = if unmapped { &mut columns.unmapped } else { &mut columns.contracts };
        list.push(ContractRows { symbol: symbol.to_owned(), expiry, rolled, rows });
    }
    columns.records = records;
    Ok(columns)
}

/// Appends a contract's rows of parts that overlap; returns how many several parts have.
fn interleaved(parts: &[Part<'_>], pieces: &[Piece], symbol: &str, columns: &mut Columns) -> Result<u64, InputError> {
    let mut rows: Vec<Row> = Vec::new();
    for (part, range) in pieces {
        let view = &parts[*part].columns;
        rows.extend(range.clone().map(|row| {
            let prices = [view.open[row], view.high[row], view.low[row], view.close[row]];
            (view.time[row], prices, view.volume[row], *part)
        }));
    }
    rows.sort_unstable();
    let before = rows.len();
    rows.dedup_by_key(|row| (row.0, row.1, row.2));
    if let Some(pair) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let second = jiff::Timestamp::from_second(i64::from(pair[0].0)).unwrap_or_default().to_string();
        let (a, b) = (pair[0].3, pair[1].3);
        let files = [a.min(b), a.max(b)].map(|part| parts[part].name.to_owned());
        return Err(InputError::Parts { files, symbol: symbol.to_owned(), second });
    }
    for &(time, [open, high, low, close], volume, _) in &rows {
        columns.time.push(time);
        columns.open.push(open);
        columns.high.push(high);
        columns.low.push(low);
        columns.close.push(close);
        columns.volume.push(volume);
    }
    Ok((before - rows.len()) as u64)
}

/// The records of `view` in a span of UTC seconds, as a part of another month: they are not counted there.
#[must_use]
pub fn between(view: &ColumnsView<'_>, month: Month, span: Range<i64>) -> Columns {
    let mut columns = Columns::empty(month);
    let take = |contract: &ContractRows, columns: &mut Columns| {
        let taken = view.rows_between(contract, span.start, span.end);
        let first = columns.time.len();
        columns.extend(view, taken);
        ContractRows { rows: first..columns.time.len(), ..contract.clone() }
    };
    for contract in view.contracts {
        let taken = take(contract, &mut columns);
        columns.contracts.push(taken);
    }
    for id in view.unmapped {
        let taken = take(id, &mut columns);
        columns.unmapped.push(taken);
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        collector::{Bar, Collector, Name},
        instrument::Instrument,
    };

    fn part(trades: &[(&str, u64, i64)]) -> Columns {
        let instrument = Instrument::default();
        let mut collector = Collector::new("2013-10".parse().unwrap(), &instrument);
        for (record, &(symbol, second, ticks)) in trades.iter().enumerate() {
            let index = collector.symbol(symbol, Name::Symbol);
            let price = ticks * instrument.tick_nanos;
            let nanos = second * 1_000_000_000;
            let bar = Bar { nanos, open: price, high: price, low: price, close: price, volume: 1 };
            collector.push(index, &bar, record as u64);
        }
        collector.finish().unwrap()
    }

    fn merged<'a>(a: &'a Columns, b: &'a Columns) -> Result<Columns, InputError> {
        let part = |name, columns: &'a Columns| Part { name, columns: columns.view(), records: &columns.records };
        merge(a.month, &[part("a.dbn", a), part("b.dbn", b)])
    }

    #[test]
    fn two_halves_are_the_whole_in_either_order() {
        let (a, b) = ([("ESZ3", 10, 100), ("ESH4", 10, 90)], [("ESZ3", 11, 101), ("ESM4", 9, 95)]);
        let whole = part(&[a, b].concat());
        assert_eq!(merged(&part(&a), &part(&b)).unwrap(), whole);
        let turned = merged(&part(&b), &part(&a)).unwrap();
        assert_eq!((turned.time, turned.close, turned.contracts), (whole.time, whole.close, whole.contracts));
    }

    #[test]
    fn what_both_have_is_kept_once_and_counted() {
        let both = merged(&part(&[("ESZ3", 10, 100)]), &part(&[("ESZ3", 10, 100), ("ESZ3", 11, 100)])).unwrap();
        assert_eq!(both.time, [10, 11]);
        assert_eq!((both.records.total, both.records.in_several_files), (3, 1));
        assert_eq!((both.records.dropped(), both.records.kept()), (0, 2));
    }

    #[test]
    fn two_files_that_differ_are_an_error_that_names_the_second_and_the_files() {
        let error = merged(&part(&[("ESZ3", 10, 101)]), &part(&[("ESZ3", 10, 100)])).unwrap_err().to_string();
        for word in ["ESZ3", "1970-01-01T00:00:10Z", "a.dbn and b.dbn"] {
            assert!(error.contains(word), "{error}");
        }
    }
}
