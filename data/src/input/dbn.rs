//! Databento DBN, `ohlcv-1s`, versions 1 to 3.
//!
//! The header is read by the `dbn` crate. The records are read here: the crate ends a file that stops inside a record
//! without an error, and a truncated month must never pass for a whole one.

use std::{
    collections::HashMap,
    io::{BufRead, Read},
    ops::Range,
    thread,
};

use dbn::{Metadata, Schema, decode::dbn::MetadataDecoder};

use super::{InputError, Months, Sink, SymbolCache, read_ahead::ReadAhead, read_up_to};
use crate::columns::{Bar, Name};

/// Bytes of an `ohlcv-1s` record in every version.
const RECORD: usize = 56;
/// Its length as the header gives it, in words of four bytes.
const LENGTH: u8 = 14;
/// `ohlcv-1s`.
const RTYPE: u8 = 0x20;
/// Nanoseconds of a UTC day: symbols are mapped by UTC date.
const DAY: u64 = 86_400_000_000_000;
/// Julian day of 1970-01-01.
const EPOCH_JULIAN_DAY: i32 = 2_440_588;
/// Bytes of a header: half a million symbols.
const MOST_HEADER: u32 = 1 << 26;
/// Intervals of one id: a symbol changes at most from day to day. They are looked through for every day of the file.
const MOST_INTERVALS: usize = 1 << 14;

pub(super) fn read_zstd(
    reader: impl BufRead + Send,
    months: &mut Months<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), InputError> {
    // The decoder goes on over several frames. 2^27 bytes is the window a decoder must accept; more is a bomb.
    let mut decoder = zstd::Decoder::with_buffer(reader)?;
    decoder.window_log_max(27)?;
    thread::scope(|scope| read(ReadAhead::spawn(scope, decoder), months, sink))
}

pub(super) fn read(mut reader: impl Read, months: &mut Months<'_>, sink: &mut Sink<'_>) -> Result<(), InputError> {
    let mapping = Mapping::new(&metadata(&mut reader)?)?;
    let mut symbols = SymbolCache::default();
    let mut buffer = vec![0; RECORD * 4096];
    loop {
        let filled = read_up_to(&mut reader, &mut buffer)
            .map_err(|source| InputError::Compression { record: months.record, source })?;
        let mut records = buffer[..filled].chunks_exact(RECORD);
        for record in &mut records {
            let (id, bar) = decode(record, months.record)?;
            months.publisher = Some(u16::from_le_bytes([record[2], record[3]]));
            // One entry a day and id: mappings change at most from day to day.
            let day = bar.nanos / DAY;
            let name = || match mapping.symbol(id, day) {
                Some(symbol) => (symbol, Name::Symbol),
                None if mapping.named() => (id.to_string(), Name::Unmapped),
                None => (id.to_string(), Name::Id),
            };
            months.push(&mut symbols, day << 32 | u64::from(id), &bar, name, sink)?;
        }
        let rest = records.remainder().len();
        if rest > 0 {
            return Err(InputError::Truncated { record: months.record, bytes: rest });
        }
        if filled < buffer.len() {
            return if months.record == 0 { Err(InputError::Empty) } else { Ok(()) };
        }
    }
}

/// Reads the header, and refuses another schema before any record is looked at.
fn metadata(reader: &mut impl Read) -> Result<Metadata, InputError> {
    // Prefix and length first: the decoder must not read beyond the header, nor believe any length.
    let mut head = [0; 8];
    let read = read_up_to(reader, &mut head).map_err(|source| InputError::Compression { record: 0, source })?;
    if read < head.len() || &head[..3] != b"DBN" {
        return Err(InputError::Format {
            found: format!("a stream that begins with the bytes {:02x?}", &head[..read]),
        });
    }
    if !(1..=3).contains(&head[3]) {
        return Err(InputError::Format { found: format!("DBN version {}", head[3]) });
    }
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    if length > MOST_HEADER {
        return Err(InputError::Limit { what: "bytes of the DBN header", limit: MOST_HEADER.into() });
    }
    let mut bytes = head.to_vec();
    reader
        .take(u64::from(length))
        .read_to_end(&mut bytes)
        .map_err(|source| InputError::Compression { record: 0, source })?;
    let metadata =
        MetadataDecoder::new(bytes.as_slice()).decode().map_err(|source| InputError::Header(Box::new(source)))?;
    match metadata.schema {
        Some(Schema::Ohlcv1S) if !metadata.ts_out => Ok(metadata),
        Some(Schema::Ohlcv1S) => Err(InputError::Schema { found: "ohlcv-1s with send times".into() }),
        Some(schema) => Err(InputError::Schema { found: schema.to_string() }),
        None => Err(InputError::Schema { found: "a live stream of mixed schemas".into() }),
    }
}

fn decode(bytes: &[u8], record: u64) -> Result<(u32, Bar), InputError> {
    if bytes[0] != LENGTH || bytes[1] != RTYPE {
        let found = format!("a record of {} bytes and type {:#04x}", usize::from(bytes[0]) * 4, bytes[1]);
        return Err(InputError::Record { record, found });
    }
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
    Ok((id, bar))
}

/// Instrument id and UTC day to symbol.
struct Mapping {
    by_id: HashMap<u32, Symbols>,
}

/// What one id stands for.
#[derive(Default)]
struct Symbols {
    by_day: Vec<(Range<u64>, String)>,
    /// By all its intervals the same.
    only_one: bool,
}

impl Mapping {
    fn new(metadata: &Metadata) -> Result<Self, InputError> {
        let since_1970 = |julian_day: i32| u64::try_from(julian_day - EPOCH_JULIAN_DAY).unwrap_or(0);
        let mut by_id: HashMap<u32, Symbols> = HashMap::new();
        for mapping in &metadata.mappings {
            for interval in &mapping.intervals {
                let from = since_1970(interval.start_date.to_julian_day());
                let to = since_1970(interval.end_date.to_julian_day());
                // Either side of a mapping may be the id, depending on what was asked for.
                let (id, symbol) = match (interval.symbol.parse(), mapping.raw_symbol.parse()) {
                    (Ok(id), _) => (id, &mapping.raw_symbol),
                    (_, Ok(id)) => (id, &interval.symbol),
                    _ => continue,
                };
                let Symbols { by_day, only_one } = by_id.entry(id).or_default();
                *only_one = by_day.first().is_none_or(|(_, first)| *only_one && first == symbol);
                by_day.push((from..to, symbol.clone()));
                if by_day.len() > MOST_INTERVALS {
                    return Err(InputError::Limit {
                        what: "dates of one instrument id in the DBN header",
                        limit: MOST_INTERVALS as u64,
                    });
                }
            }
        }
        Ok(Self { by_id })
    }

    fn named(&self) -> bool {
        !self.by_id.is_empty()
    }

    fn symbol(&self, id: u32, day: u64) -> Option<String> {
        let Symbols { by_day, only_one } = self.by_id.get(&id)?;
        let on_day = by_day.iter().find(|(days, _)| days.contains(&day));
        // Outside its dates an id that only ever meant one symbol still means it.
        let only = || by_day.first().filter(|_| *only_one);
        on_day.or_else(only).map(|(_, symbol)| symbol.clone())
    }
}

#[cfg(test)]
mod tests {
    use dbn::{MappingInterval, SType, SymbolMapping};

    use super::*;

    #[test]
    fn a_header_cannot_claim_any_length() {
        let head = [&b"DBN\x03"[..], &u32::MAX.to_le_bytes()].concat();
        let error = metadata(&mut &head[..]).unwrap_err().to_string();
        assert!(error.contains("more than 67108864 bytes of the DBN header"), "{error}");
    }

    #[test]
    fn a_header_of_something_else_is_refused() {
        let refused = |bytes: &[u8]| metadata(&mut &bytes[..]).unwrap_err().to_string();
        assert!(refused(b"DBN").contains("a stream that begins with the bytes [44, 42, 4e]"));
        assert!(refused(b"PARQUET1").contains("a stream that begins with"));
        assert!(refused(b"DBN\x04\0\0\0\0").contains("DBN version 4"));
        let of = |schema, send_times| {
            let metadata = Metadata::builder().dataset("GLBX.MDP3").schema(schema).start(1_381_149_000_000_000_000);
            let metadata = metadata.stype_in(Some(SType::RawSymbol)).stype_out(SType::InstrumentId).ts_out(send_times);
            let mut bytes = Vec::new();
            dbn::encode::dbn::MetadataEncoder::new(&mut bytes).encode(&metadata.build()).unwrap();
            bytes
        };
        assert!(metadata(&mut &of(Some(Schema::Ohlcv1S), false)[..]).is_ok());
        assert!(refused(&of(Some(Schema::Ohlcv1S), true)).contains("ohlcv-1s with send times"));
        assert!(refused(&of(Some(Schema::Ohlcv1M), false)).contains("ohlcv-1m"));
        assert!(refused(&of(None, false)).contains("a live stream of mixed schemas"));
    }

    fn mapping(symbols: &[&str], times: usize) -> Result<Mapping, InputError> {
        let build = |mappings| {
            Metadata::builder()
                .dataset("GLBX.MDP3")
                .schema(Some(Schema::Ohlcv1S))
                .start(1_381_149_000_000_000_000)
                .stype_in(Some(SType::RawSymbol))
                .stype_out(SType::InstrumentId)
                .mappings(mappings)
                .build()
        };
        let date = build(Vec::new()).start().date();
        let interval = MappingInterval { start_date: date, end_date: date, symbol: "7".into() };
        let mappings = symbols
            .iter()
            .map(|symbol| SymbolMapping { raw_symbol: (*symbol).to_owned(), intervals: vec![interval.clone(); times] });
        Mapping::new(&build(mappings.collect()))
    }

    #[test]
    fn an_id_cannot_have_any_number_of_dates() {
        assert!(mapping(&["ESZ3"], MOST_INTERVALS).is_ok());
        let error = mapping(&["ESZ3"], MOST_INTERVALS + 1).err().map(|error| error.to_string());
        assert!(error.unwrap().contains("more than 16384 dates of one instrument id"));
    }

    #[test]
    fn outside_its_dates_an_id_means_what_it_only_ever_meant() {
        assert_eq!(mapping(&["ESZ3"], 2).unwrap().symbol(7, 0).as_deref(), Some("ESZ3"));
        assert_eq!(mapping(&["ESZ3", "ESH4", "ESZ3"], 1).unwrap().symbol(7, 0), None);
        assert_eq!(mapping(&["ESZ3"], 1).unwrap().symbol(8, 0), None);
    }
}
