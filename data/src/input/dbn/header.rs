//! The header of a DBN stream, read by the `dbn` crate.

use std::io::Read;

use dbn::{Metadata, Schema, decode::dbn::MetadataDecoder};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::super::{InputError, read_up_to};

/// Bytes of a header: half a million symbols.
const MOST: u32 = 1 << 26;

/// Reads the header, and refuses another schema before any record is looked at. A live stream has none in its header.
pub(super) fn read(reader: &mut impl Read) -> Result<Metadata, InputError> {
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
    if length > MOST {
        return Err(InputError::Limit { what: "bytes of the DBN header", limit: MOST.into() });
    }
    let mut bytes = head.to_vec();
    reader
        .take(u64::from(length))
        .read_to_end(&mut bytes)
        .map_err(|source| InputError::Compression { record: 0, source })?;
    let metadata =
        MetadataDecoder::new(bytes.as_slice()).decode().map_err(|source| InputError::Header(Box::new(source)))?;
    match metadata.schema {
        Some(schema) if !is_read(schema) => Err(InputError::Schema { found: schema.to_string() }),
        _ => Ok(metadata),
    }
}

fn is_read(schema: Schema) -> bool {
    matches!(schema, Schema::Ohlcv1S | Schema::Trades | Schema::Tbbo)
}

/// Schema, first and last UTC date that the header of a file promises, from the file's first bytes, packed or not; `None`
/// where it promises none, and of what is not DBN of a schema that is read.
#[must_use]
pub fn promised(head: &[u8]) -> Option<(&'static str, Date, Date)> {
    // Magic, version and length; the dataset; then schema, start and end.
    const SCHEMA: usize = 8 + 16;
    let mut fixed = [0; SCHEMA + 2 + 8 + 8];
    if head.starts_with(b"DBN") {
        fixed = *head.first_chunk()?;
    } else {
        zstd::Decoder::new(head).ok()?.read_exact(&mut fixed).ok()?;
    }
    let schema = Schema::try_from(u16::from_le_bytes([fixed[SCHEMA], fixed[SCHEMA + 1]])).ok()?;
    if !fixed.starts_with(b"DBN") || !(1..=3).contains(&fixed[3]) || !is_read(schema) {
        return None;
    }
    let nanos = |at: usize| fixed[at..at + 8].iter().rev().fold(0, |nanos: u64, &byte| nanos << 8 | u64::from(byte));
    let date =
        |nanos: u64| Some(Timestamp::from_nanosecond(nanos.into()).ok()?.to_zoned_datetime(TimeZone::UTC).date());
    let (first, last) = (nanos(SCHEMA + 2), nanos(SCHEMA + 10).checked_sub(1)?);
    // An end that is absent is the last number there is.
    (first <= last && last < u64::MAX - 1).then(|| Some((schema.as_str(), date(first)?, date(last)?))).flatten()
}

#[cfg(test)]
mod tests {
    use dbn::SType;

    use super::*;

    #[test]
    fn the_dates_of_a_file_are_those_that_were_asked_for() {
        let of = |schema, start: &str, end: Option<&str>| {
            let nanos = |text: &str| text.parse::<Timestamp>().unwrap().as_nanosecond() as u64;
            let metadata = Metadata::builder().dataset("GLBX.MDP3").schema(schema).start(nanos(start));
            let metadata = metadata.end(end.and_then(|end| std::num::NonZeroU64::new(nanos(end))));
            let mut bytes = Vec::new();
            let metadata = metadata.stype_in(Some(SType::RawSymbol)).stype_out(SType::InstrumentId).build();
            dbn::encode::dbn::MetadataEncoder::new(&mut bytes).encode(&metadata).unwrap();
            [promised(&bytes), promised(&zstd::encode_all(&bytes[..], 1).unwrap())].map(|promised| {
                promised.map(|(schema, first, last)| format!("{schema} {first} {last}")).unwrap_or_default()
            })
        };
        let (october, november) = ("2024-10-01T00:00:00Z", Some("2024-11-01T00:00:00Z"));
        assert_eq!(of(Some(Schema::Ohlcv1S), october, november), ["ohlcv-1s 2024-10-01 2024-10-31"; 2]);
        assert_eq!(of(Some(Schema::Tbbo), october, Some("2024-10-01T00:00:00.1Z")), ["tbbo 2024-10-01 2024-10-01"; 2]);
        for (schema, end) in [(Some(Schema::Ohlcv1M), november), (None, november), (Some(Schema::Trades), None)] {
            assert_eq!(of(schema, october, end), [""; 2], "{schema:?}");
        }
        for other in [&b""[..], b"DBN\x03", b"PAR1", &[0; 64]] {
            assert_eq!(promised(other), None);
        }
    }

    #[test]
    fn a_header_cannot_claim_any_length() {
        let head = [&b"DBN\x03"[..], &u32::MAX.to_le_bytes()].concat();
        let error = read(&mut &head[..]).unwrap_err().to_string();
        assert!(error.contains("more than 67108864 bytes of the DBN header"), "{error}");
    }

    #[test]
    fn a_header_of_something_else_is_refused() {
        let refused = |bytes: &[u8]| read(&mut &bytes[..]).unwrap_err().to_string();
        assert!(refused(b"DBN").contains("a stream that begins with the bytes [44, 42, 4e]"));
        assert!(refused(b"PARQUET1").contains("a stream that begins with"));
        assert!(refused(b"DBN\x04\0\0\0\0").contains("DBN version 4"));
        let of = |schema| {
            let metadata = Metadata::builder().dataset("GLBX.MDP3").schema(schema).start(1_381_149_000_000_000_000);
            let metadata = metadata.stype_in(Some(SType::RawSymbol)).stype_out(SType::InstrumentId);
            let mut bytes = Vec::new();
            dbn::encode::dbn::MetadataEncoder::new(&mut bytes).encode(&metadata.build()).unwrap();
            bytes
        };
        for schema in [Some(Schema::Ohlcv1S), Some(Schema::Trades), Some(Schema::Tbbo), None] {
            assert!(read(&mut &of(schema)[..]).is_ok(), "{schema:?}");
        }
        assert!(refused(&of(Some(Schema::Mbp1))).contains("mbp-1; expected ohlcv-1s, trades or tbbo"));
        assert!(refused(&of(Some(Schema::Ohlcv1M))).contains("ohlcv-1m"));
    }
}
