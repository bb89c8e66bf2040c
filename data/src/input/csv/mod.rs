//! CSV of bars, as Databento writes it and as others do: a header, and a line for each bar.

mod header;
mod lines;
mod values;

use std::io::Read;

use self::{
    header::{Fields, Header},
    lines::Lines,
    values::{Prices, Times, is_absent, volume, whole},
};
use super::{InputError, Sink, clock::Clock, months::Months, table::Table};
use crate::{
    collector::Bar,
    form::{PriceUnit, TimeUnit},
    instrument::Instrument,
};

/// Nanoseconds since 1970 below which a whole number is of another unit: March 1973.
const LEAST_NANOS: i64 = 100_000_000_000_000_000;
/// Units of 1e-9 points below which a whole-number price is of another unit: a thousandth of a point.
const LEAST_FIXED: i64 = 1_000_000;

/// Reads a text; `again` opens it once more, to look whether any line has a symbol.
pub(super) fn read<R: Read>(
    text: impl Read,
    again: impl FnOnce() -> Result<R, InputError>,
    months: &mut Months<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), InputError> {
    let instrument = months.instrument;
    let mut lines = Lines::new(text);
    let Some((_, header)) = lines.next()? else { return Err(InputError::Empty) };
    let header = Header::read(header, months)?;
    let mut places = Vec::new();
    let (mut again, mut rows, mut times) = (Some(again), None, Times::default());
    while let Some((number, line)) = lines.next()? {
        let fields = header.fields(number, line, &mut places)?;
        let (prices, table) = match &mut rows {
            Some(rows) => rows,
            rows => {
                let prices = prices(&header, &fields, instrument)?;
                let named = match (header.names.symbol, again.take()) {
                    (Some(at), _) if !fields.text(at).is_empty() => true,
                    (Some(at), Some(again)) => has_symbol(Lines::new(again()?), &header, at)?,
                    _ => false,
                };
                rows.insert((prices, Table::new(months, named)?))
            }
        };
        let bar = bar(&header, &fields, *prices, &mut times, instrument.form.time_unit, &mut table.clock)?;
        let text = |at: Option<usize>| at.map(|at| fields.utf8(at)).transpose();
        let symbol = text(header.names.symbol)?.filter(|symbol| !symbol.is_empty());
        // Ids as pandas leaves them after a merge are whole floats.
        let id = text(header.names.id)?.filter(|id| !is_absent(id.as_bytes()));
        table.push(months, &bar, symbol, id.map(|id| id.strip_suffix(".0").unwrap_or(id)), sink)?;
    }
    rows.map_or(Err(InputError::Empty), |(_, table)| table.check(months))
}

/// Whether any line has a symbol.
fn has_symbol(mut lines: Lines<impl Read>, header: &Header, at: usize) -> Result<bool, InputError> {
    let mut places = Vec::new();
    lines.next()?;
    while let Some((number, line)) = lines.next()? {
        if !header.fields(number, line, &mut places)?.text(at).is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What prices count: as it is set, else points where those of the first bar have a decimal point, and what DBN counts
/// where they have none.
fn prices(header: &Header, fields: &Fields<'_>, instrument: &Instrument) -> Result<Prices, InputError> {
    const EXPECTED: &str = "points with a decimal point, or whole units of 1e-9 points, at least a thousandth of one; \
                            --price-unit names another unit: points, cents or ticks";
    let is_whole = |at: &usize| whole(fields.text(*at)).is_some();
    let unit = instrument.form.price_unit;
    let usual = || if header.names.prices.iter().all(is_whole) { PriceUnit::Fixed } else { PriceUnit::Points };
    let prices = Prices { unit: unit.unwrap_or_else(usual).nanos(instrument.tick_nanos), tick: instrument.tick_nanos };
    let too_small = |at: &&usize| whole(fields.text(**at)).is_some_and(|price| (1..LEAST_FIXED).contains(&price));
    match header.names.prices.iter().find(too_small).filter(|_| unit.is_none() && prices.unit == 1) {
        Some(&at) => Err(fields.wrong(at, EXPECTED)),
        None => Ok(prices),
    }
}

fn bar(
    header: &Header,
    fields: &Fields<'_>,
    prices: Prices,
    times: &mut Times,
    unit: Option<TimeUnit>,
    clock: &mut Clock,
) -> Result<Bar, InputError> {
    const OF_A_SECOND: &str = "32, the type of ohlcv-1s records: download that schema for the same dates";
    const TIME: &str = "nanoseconds since 1970, a time such as 2024-10-01T13:30:00Z, or a whole number whose unit --time-unit \
                        names: s, ms, us or ns";
    const POINTS: &str =
        "a price as in the lines before; --price-unit names what all of them count: points, cents, ticks or fixed";
    const VOLUME: &str = "a whole number from 0";
    let names = &header.names;
    if let Some(at) = names.rtype.filter(|&at| !matches!(fields.text(at), b"32" | b"")) {
        return Err(fields.wrong(at, OF_A_SECOND));
    }
    let text = fields.text(names.time);
    let nanos = match whole(text) {
        Some(number) if unit.is_some() || number >= LEAST_NANOS => number.checked_mul(unit.map_or(1, TimeUnit::nanos)),
        Some(_) => None,
        None => times.read(text).map(|(nanos, is_utc)| if is_utc { nanos } else { clock.utc(nanos) }),
    };
    let nanos = nanos.and_then(|nanos| u64::try_from(nanos).ok()).ok_or_else(|| fields.wrong(names.time, TIME))?;
    let price = |at: usize| prices.read(fields.text(at)).ok_or_else(|| fields.wrong(at, POINTS));
    let [open, high, low, close] = names.prices;
    Ok(Bar {
        nanos,
        open: price(open)?,
        high: price(high)?,
        low: price(low)?,
        close: price(close)?,
        volume: volume(fields.text(names.volume)).ok_or_else(|| fields.wrong(names.volume, VOLUME))?,
    })
}
