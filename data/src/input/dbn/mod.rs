//! Databento DBN, versions 1 to 3: `ohlcv-1s`, and `trades` and `tbbo`, of which bars are made; downloads, and recorded live
//! streams.

mod header;
mod live;
mod mapping;
mod stream;
mod trades;

use std::{io::Read, num::NonZeroU64};

use dbn::Schema;

pub use self::{
    header::promised,
    live::{Event, Events},
};
use self::{
    mapping::Mapping,
    stream::Stream,
    trades::{Second, Trade},
};
use super::{
    InputError, Sink,
    months::{Months, SymbolCache, within},
};
use crate::collector::Bar;

/// Bytes of a send time, which follows every record of a stream that has them.
const SEND_TIME: usize = 8;
/// Record types of what a gateway says between the bars.
const ERROR: u8 = 0x15;
const SYMBOL_MAPPING: u8 = 0x16;
const SYSTEM: u8 = 0x17;

/// Reads a stream, or several that were joined.
pub(super) fn read(reader: impl Read, months: &mut Months<'_>, sink: &mut Sink<'_>) -> Result<(), InputError> {
    let mut stream = Stream::new(reader);
    loop {
        read_one(&mut stream, months, sink)?;
        if !stream.at_header()? {
            return if months.record == 0 { Err(InputError::Empty) } else { Ok(()) };
        }
    }
}

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bar,
    Trade,
    /// A trade with the quotes before it.
    QuotedTrade,
}

impl Kind {
    /// Of a record of this type, so many bytes long without a send time.
    fn of(rtype: u8, bytes: usize) -> Option<Self> {
        match (rtype, bytes) {
            (0x20, 56) => Some(Self::Bar),
            (0x00, 48) => Some(Self::Trade),
            (0x01, 80) => Some(Self::QuotedTrade),
            _ => None,
        }
    }

    fn of_schema(schema: Schema) -> Option<Self> {
        match schema {
            Schema::Ohlcv1S => Some(Self::Bar),
            Schema::Trades => Some(Self::Trade),
            Schema::Tbbo => Some(Self::QuotedTrade),
            _ => None,
        }
    }
}

/// Reads a header and the records that follow it.
fn read_one(stream: &mut Stream<impl Read>, months: &mut Months<'_>, sink: &mut Sink<'_>) -> Result<(), InputError> {
    let metadata = header::read(stream)?;
    let (live, send_time) = (metadata.schema.is_none(), if metadata.ts_out { SEND_TIME } else { 0 });
    if let (false, Some(end)) = (live, metadata.end) {
        months.promise(metadata.start..end.get());
    }
    // All records are of one kind, of a live stream that of its first.
    let mut expected = metadata.schema.and_then(Kind::of_schema);
    let mapping = Mapping::new(&metadata, months.symbology, &months.instrument.root)?;
    let mut names = Names { mapping, symbols: SymbolCache::default() };
    let (mut second, mut read) = (Second::after(months.last_trades), 0);
    loop {
        let number = stream.number();
        let Some(record) = stream.record()? else { break };
        // Bars are counted as such; messages must not go on for ever either.
        within(number < months.limits.records, "records in a file of this size", months.limits.records)?;
        let length = record.len().saturating_sub(send_time);
        let kind = Kind::of(record[1], length).filter(|kind| expected.is_none_or(|expected| expected == *kind));
        match (kind, record[1]) {
            (Some(Kind::Bar), _) => {
                let (id, bar) = bar(record);
                months.publisher = Some(u16::from_le_bytes([record[2], record[3]]));
                names.push(months, id, &bar, sink)?;
            }
            (Some(_), _) if Trade::is_one(record) => {
                let trade = Trade::of(record);
                months.trades += 1;
                second.add(trade, number, |publisher, id, bar| {
                    months.publisher = Some(publisher);
                    names.push(months, id, bar, sink)
                })?;
            }
            (None, SYMBOL_MAPPING) if live => names.mapping.learn(&record[..length])?,
            (None, ERROR | SYSTEM) if live => continue,
            (_, kind) => {
                let found = format!("a record of {} bytes and type {kind:#04x}", record.len());
                return Err(match live {
                    true => InputError::Subscribed { record: number, found },
                    false => InputError::Record { record: number, found },
                });
            }
        }
        expected = expected.or(kind);
        read += u64::from(kind.is_some());
    }
    second.finish(|publisher, id, bar| {
        months.publisher = Some(publisher);
        names.push(months, id, bar, sink)
    })?;
    months.last_trades = second.start().or(months.last_trades);
    months.limit = metadata.limit.map(NonZeroU64::get).filter(|&limit| read >= limit).or(months.limit);
    Ok(())
}

/// What the ids of a stream are called.
struct Names<'a> {
    mapping: Mapping<'a>,
    symbols: SymbolCache,
}

impl Names<'_> {
    /// Gives a bar of an id to its month.
    fn push(&mut self, months: &mut Months<'_>, id: u32, bar: &Bar, sink: &mut Sink<'_>) -> Result<(), InputError> {
        let Self { mapping, symbols } = self;
        months.push(symbols, mapping.key(id, bar.nanos), bar, || mapping.name(id, bar.nanos), sink)
    }
}

fn bar(bytes: &[u8]) -> (u32, Bar) {
    let id = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    let price = |at| i64::from_le_bytes(word(bytes, at));
    let bar = Bar {
        nanos: u64::from_le_bytes(word(bytes, 8)),
        open: price(16),
        high: price(24),
        low: price(32),
        close: price(40),
        volume: u64::from_le_bytes(word(bytes, 48)),
    };
    (id, bar)
}

/// Eight bytes of a record.
fn word(record: &[u8], at: usize) -> [u8; 8] {
    let mut word = [0; 8];
    word.copy_from_slice(&record[at..at + 8]);
    word
}
