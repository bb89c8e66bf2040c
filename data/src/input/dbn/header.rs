//! The header of a DBN stream, read by the `dbn` crate.

use std::io::Read;

use dbn::{Metadata, Schema, decode::dbn::MetadataDecoder};

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
        Some(Schema::Ohlcv1S) | None => Ok(metadata),
        Some(schema) => Err(InputError::Schema { found: schema.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use dbn::SType;

    use super::*;

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
        assert!(read(&mut &of(Some(Schema::Ohlcv1S))[..]).is_ok());
        assert!(read(&mut &of(None)[..]).is_ok());
        assert!(refused(&of(Some(Schema::Ohlcv1M))).contains("ohlcv-1m"));
    }
}
