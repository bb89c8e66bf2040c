//! Databento DBN, `ohlcv-1s`, versions 1 to 3: downloads, and recorded live streams.

mod header;
mod mapping;
mod stream;

use std::io::Read;

use self::{mapping::Mapping, stream::Stream};
use super::{
    InputError, Sink,
    months::{Months, SymbolCache, within},
};
use crate::columns::Bar;

/// Bytes of an `ohlcv-1s` record in every version.
const BAR: usize = 56;
/// Bytes of a send time, which follows every record of a stream that has them.
const SEND_TIME: usize = 8;
/// Record types: `ohlcv-1s`, and what a gateway says between the bars.
const OHLCV_1S: u8 = 0x20;
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

/// Reads a header and the records that follow it.
fn read_one(stream: &mut Stream<impl Read>, months: &mut Months<'_>, sink: &mut Sink<'_>) -> Result<(), InputError> {
    let metadata = header::read(stream)?;
    let (live, send_time) = (metadata.schema.is_none(), if metadata.ts_out { SEND_TIME } else { 0 });
    let mut mapping = Mapping::new(&metadata, &months.instrument.root)?;
    let mut symbols = SymbolCache::default();
    loop {
        let number = stream.number();
        let Some(record) = stream.record()? else { return Ok(()) };
        // Bars are counted as such; messages must not go on for ever either.
        within(number < months.limits.records, "records in a file of this size", months.limits.records)?;
        match (record[1], record.len().saturating_sub(send_time)) {
            (OHLCV_1S, BAR) => {
                let (id, bar) = decode(record);
                months.publisher = Some(u16::from_le_bytes([record[2], record[3]]));
                let key = mapping.key(id, bar.nanos);
                months.push(&mut symbols, key, &bar, || mapping.name(id, bar.nanos), sink)?;
            }
            (SYMBOL_MAPPING, length) if live => mapping.learn(&record[..length])?,
            (ERROR | SYSTEM, _) if live => {}
            (kind, _) => {
                let found = format!("a record of {} bytes and type {kind:#04x}", record.len());
                return Err(match live {
                    true => InputError::Subscribed { record: number, found },
                    false => InputError::Record { record: number, found },
                });
            }
        }
    }
}

fn decode(bytes: &[u8]) -> (u32, Bar) {
    let id = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    let word = |at: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[at..at + 8]);
        word
    };
    let price = |at| i64::from_le_bytes(word(at));
    let bar = Bar {
        nanos: u64::from_le_bytes(word(8)),
        open: price(16),
        high: price(24),
        low: price(32),
        close: price(40),
        volume: u64::from_le_bytes(word(48)),
    };
    (id, bar)
}
