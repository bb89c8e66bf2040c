//! What the pages of a Parquet file claim to hold, read from their headers before a decoder allocates for them.
//!
//! A header is a struct of Thrift's compact protocol; of it only sizes are of interest. Source of both formats:
//! the Apache Parquet format, `parquet.thrift`, and Apache Thrift, "Thrift Compact protocol encoding".

use std::io::{BufReader, Error, ErrorKind, Read, Seek, copy, sink};

use flate2::read::MultiGzDecoder;
use parquet::basic::Compression;

/// Structs in structs of a header: three have a use.
const DEPTH: u8 = 8;
/// What an LZ4 frame, a skippable one and one of the first format begin with, but for the lowest byte. Its decoder goes on
/// whatever the page claims to hold.
const LZ4_FRAMES: [u32; 3] = [0x18_4d22, 0x18_4d2a, 0x18_4c21];
/// Bytes that Brotli takes at a time.
const AT_A_TIME: usize = 1 << 16;

/// Bytes that the largest page claims to hold, of a column chunk that lies where `file` stands.
///
/// # Errors
/// [`ErrorKind::InvalidData`] when a page cannot hold what it claims, and those of reading.
pub(super) fn largest<R: Read + Seek>(file: &mut BufReader<R>, length: u64, codec: Compression) -> Result<u64, Error> {
    Chunk { file, left: length, codec }.largest()
}

/// The rest of a column chunk.
struct Chunk<'a, R> {
    file: &'a mut BufReader<R>,
    left: u64,
    codec: Compression,
}

/// What is of interest in a page's header.
#[derive(Default)]
struct Header {
    holds: Option<i64>,
    stored: Option<i64>,
    /// Bytes in front of what is compressed.
    levels: i64,
}

impl<R: Read + Seek> Chunk<'_, R> {
    /// Bytes that the largest page holds.
    fn largest(mut self) -> Result<u64, Error> {
        let mut largest = 0;
        while self.left > 0 {
            let mut header = Header::default();
            self.structure(0, 0, &mut header)?;
            let size = |size: Option<i64>| size.and_then(|size| u64::try_from(size).ok());
            let (Some(holds), Some(stored)) = (size(header.holds), size(header.stored)) else {
                return Err(invalid("a page without its sizes".into()));
            };
            if stored > self.left {
                return Err(invalid(format!("a page of {stored} bytes where {} are left", self.left)));
            }
            if holds > most(self.codec, stored) {
                return Err(invalid(format!("a page of {stored} bytes claims to hold {holds}")));
            }
            self.as_claimed(&header, holds, stored)?;
            self.left -= stored;
            largest = largest.max(holds);
        }
        Ok(largest)
    }

    /// Goes over a page. Three decoders go on for as long as there are bytes to decode: whether they find what it claims.
    fn as_claimed(&mut self, header: &Header, holds: u64, stored: u64) -> Result<(), Error> {
        let levels = u64::try_from(header.levels).map_or(stored, |levels| levels.min(stored));
        let end = self.file.stream_position()?.saturating_add(stored);
        self.file.seek_relative(levels as i64)?;
        let mut compressed = self.file.take(stored - levels);
        match self.codec {
            Compression::GZIP(_) | Compression::BROTLI(_) => {
                let room = holds - levels.min(holds);
                let unpacked: Box<dyn Read + '_> = match self.codec {
                    Compression::GZIP(_) => Box::new(MultiGzDecoder::new(compressed)),
                    _ => Box::new(brotli::Decompressor::new(compressed, AT_A_TIME)),
                };
                // What is neither is an error of the decoder's later, too.
                let found = copy(&mut unpacked.take(room + 1), &mut sink()).unwrap_or_default();
                if found > room {
                    return Err(invalid(format!("a page claims to hold {holds} bytes and holds more")));
                }
            }
            Compression::LZ4 if stored - levels >= 4 => {
                let mut first = [0; 4];
                compressed.read_exact(&mut first)?;
                if LZ4_FRAMES.contains(&(u32::from_le_bytes(first) >> 8)) {
                    return Err(invalid("a page in an LZ4 frame, which is not read: use Zstandard".into()));
                }
            }
            _ => {}
        }
        let at = self.file.stream_position()?;
        self.file.seek_relative(end as i64 - at as i64)
    }

    /// Reads a struct to its end: the header itself, or what its field `within` is or has in it.
    fn structure(&mut self, within: i64, depth: u8, header: &mut Header) -> Result<(), Error> {
        let mut field = 0_i64;
        loop {
            let head = self.byte()?;
            let (delta, kind) = (head >> 4, head & 15);
            if kind == 0 {
                return Ok(());
            }
            field = if delta == 0 { self.number()? } else { field.saturating_add(delta.into()) };
            if !is_in_a_header(depth, within, field, kind) {
                return Err(invalid(format!("a page header with field {field} of type {kind}")));
            }
            match (depth, within, field, kind) {
                (0, _, 2, 5) => header.holds = Some(self.number()?),
                (0, _, 3, 5) => header.stored = Some(self.number()?),
                // Repetition and definition levels of the second kind of data page.
                (1, 8, 5 | 6, 5) => header.levels = header.levels.saturating_add(self.number()?),
                _ => self.skip(kind, if depth == 0 { field } else { within }, depth, header)?,
            }
        }
    }

    /// Goes over a value that a field of type `kind` has.
    fn skip(&mut self, kind: u8, within: i64, depth: u8, header: &mut Header) -> Result<(), Error> {
        if depth == DEPTH {
            return Err(invalid(format!("a page header of more than {DEPTH} levels")));
        }
        match kind {
            1 | 2 => Ok(()), // A boolean is its own type.
            3 => self.byte().map(drop),
            4..=6 => self.number().map(drop),
            7 => self.over(8),
            8 => {
                let length = self.count()?;
                self.over(length)
            }
            12 => self.structure(within, depth + 1, header),
            _ => Err(invalid(format!("a page header with a field of type {kind}"))),
        }
    }

    fn byte(&mut self) -> Result<u8, Error> {
        let mut byte = [0];
        self.left = self.left.checked_sub(1).ok_or_else(|| invalid("a page header that does not end".into()))?;
        self.file.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn over(&mut self, bytes: u64) -> Result<(), Error> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| invalid("a page header that does not end".into()))?;
        self.file.seek_relative(bytes as i64)
    }

    /// A number of at most 64 bits, seven to a byte.
    fn count(&mut self) -> Result<u64, Error> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(number);
            }
        }
        Err(invalid("a number of more than 64 bits in a page header".into()))
    }

    /// The same with its sign in the lowest bit.
    fn number(&mut self) -> Result<i64, Error> {
        let number = self.count()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }
}

/// Whether the format's page headers have such a field. The decoder reads the fields it knows without a look at their type,
/// and would take what follows for something else; and it goes through lists, of which no header has any, to the end of
/// their count, past that of the file.
fn is_in_a_header(depth: u8, within: i64, field: i64, kind: u8) -> bool {
    match (depth, within, field) {
        (0, _, 1..=4) | (1, 5, 1..=4) | (1, 7, 1 | 2) | (1, 8, 1..=6) => kind == 5,
        (0, _, 5..=8) | (1, 5, 5) | (1, 8, 8) => kind == 12,
        (1, 7, 3) | (1, 8, 7) => kind <= 2,
        // What later versions of the format may add; numbers beyond 16 bits would be cut.
        (_, _, number) => (0..=i16::MAX.into()).contains(&number) && !(9..=11).contains(&kind),
    }
}

/// The most that so many bytes can hold: a copy of Snappy is three bytes and stands for 64; two bits of gzip stand for 258;
/// a byte of LZ4 for at most 255; a Zstandard block of four bytes for at most 128 KiB; those of Brotli for 16 MiB.
fn most(codec: Compression, stored: u64) -> u64 {
    let ratio = match codec {
        Compression::UNCOMPRESSED => 1,
        Compression::SNAPPY => 22,
        Compression::GZIP(_) => 1032,
        Compression::LZ4 | Compression::LZ4_RAW => 255,
        Compression::BROTLI(_) => 1 << 22,
        _ => 1 << 15,
    };
    stored.saturating_mul(ratio)
}

fn invalid(found: String) -> Error {
    Error::new(ErrorKind::InvalidData, found)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use parquet::basic::GzipLevel;

    use super::*;

    /// Zigzag, seven bits to a byte.
    fn number(number: i64) -> Vec<u8> {
        let mut rest = (number << 1 ^ number >> 63) as u64;
        let mut bytes = Vec::new();
        while rest > 127 {
            bytes.push(rest as u8 | 128);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        bytes
    }

    /// A page of the first kind: its type, what it holds, bytes stored, a checksum, and a struct with statistics in it.
    fn page(holds: i64, stored: i64) -> Vec<u8> {
        let statistics = [&[0x5c, 0x18, 3][..], b"max", &[0x18, 3], b"min", &[0]].concat();
        let head = [&[0x15, 0, 0x15][..], &number(holds), &[0x15], &number(stored), &[0x15, 4]].concat();
        [&head[..], &[0x1c, 0x15, 6], &statistics, &[0, 0]].concat()
    }

    /// A page of the second kind, with levels of three and four bytes, and a boolean.
    fn second(holds: i64, stored: i64) -> Vec<u8> {
        let head = [&[0x15, 6, 0x15][..], &number(holds), &[0x15], &number(stored)].concat();
        [&head[..], &[0x5c, 0x55, 6, 0x15, 8, 0x11, 0, 0]].concat()
    }

    fn largest(codec: Compression, bytes: &[u8]) -> Result<u64, String> {
        let mut file = BufReader::new(Cursor::new(bytes));
        super::largest(&mut file, bytes.len() as u64, codec).map_err(|error| error.to_string())
    }

    fn gzip(bytes: usize) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&vec![7; bytes]).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_largest_of_several_pages_is_found() {
        let bytes = [page(80, 20), vec![0; 20], page(440, 20), vec![1; 20], page(0, 0)].concat();
        assert_eq!(largest(Compression::SNAPPY, &bytes), Ok(440));
        let bytes = [second(20, 20), vec![0; 20]].concat();
        assert_eq!(largest(Compression::UNCOMPRESSED, &bytes), Ok(20));
        assert_eq!(largest(Compression::SNAPPY, &[]), Ok(0));
        // Fields that are not known are gone over, a byte and a double, and numbers of fields may be written out.
        let odd = [&[0x05, 4][..], &number(44), &[0x15], &number(2), &[0x63, 9, 0x17], &[0; 8], &[0, 0, 0]];
        assert_eq!(largest(Compression::SNAPPY, &odd.concat()), Ok(44));
    }

    #[test]
    fn no_page_claims_more_than_its_codec_can_make_of_it() {
        let of = |codec, holds| largest(codec, &[page(holds, 20), vec![0; 20]].concat());
        let zstd = Compression::ZSTD(Default::default());
        let gzip = Compression::GZIP(GzipLevel::default());
        for (codec, ratio) in [
            (Compression::SNAPPY, 22),
            (gzip, 1032),
            (Compression::LZ4_RAW, 255),
            (Compression::LZ4, 255),
            (zstd, 1 << 15),
        ] {
            assert_eq!(of(codec, 20 * ratio), Ok(20 * ratio as u64), "{codec}");
            let claim = 20 * ratio + 1;
            assert_eq!(of(codec, claim), Err(format!("a page of 20 bytes claims to hold {claim}")), "{codec}");
        }
        assert_eq!(of(Compression::UNCOMPRESSED, 21), Err("a page of 20 bytes claims to hold 21".into()));
    }

    #[test]
    fn a_gzip_page_holds_no_more_than_it_claims() {
        let gzip_of = |page: fn(i64, i64) -> Vec<u8>, levels: usize, claim: i64| {
            // Two members: decoders take them for one.
            let body = [vec![255; levels], gzip(5000), gzip(5000)].concat();
            largest(Compression::GZIP(GzipLevel::default()), &[page(claim, body.len() as i64), body].concat())
        };
        assert_eq!(gzip_of(page, 0, 10_000), Ok(10_000));
        assert_eq!(gzip_of(page, 0, 9_999), Err("a page claims to hold 9999 bytes and holds more".into()));
        // The levels in front are not compressed.
        assert_eq!(gzip_of(second, 7, 10_007), Ok(10_007));
        assert_eq!(gzip_of(second, 7, 10_006), Err("a page claims to hold 10006 bytes and holds more".into()));
    }

    #[test]
    fn a_page_in_an_lz4_frame_is_refused() {
        let of = |first: &[u8]| largest(Compression::LZ4, &[page(50, 6), first.to_vec(), vec![0; 2]].concat());
        assert_eq!(of(&[0, 0, 0, 50]), Ok(50));
        for first in [[0x04, 0x22, 0x4d, 0x18], [0x5a, 0x2a, 0x4d, 0x18], [0x02, 0x21, 0x4c, 0x18]] {
            assert!(of(&first).unwrap_err().contains("LZ4 frame"), "{first:x?}");
        }
    }

    #[test]
    fn a_header_that_is_none_is_refused() {
        let refused = |bytes: &[u8]| largest(Compression::SNAPPY, bytes).unwrap_err();
        assert_eq!(refused(&page(80, 20)), "a page of 20 bytes where 0 are left");
        assert_eq!(refused(&[page(80, -1), vec![0; 20]].concat()), "a page without its sizes");
        assert_eq!(refused(&[page(-1, 20), vec![0; 20]].concat()), "a page without its sizes");
        assert_eq!(refused(&[0x15, 0, 0]), "a page without its sizes");
        assert_eq!(refused(&page(80, 20)[..9]), "a page header that does not end");
        // Text of 100 bytes where there are three.
        assert_eq!(refused(&[0x98, 100, 1, 2, 3]), "a page header that does not end");
        assert_eq!(refused(&[0x9c; 40]), "a page header of more than 8 levels");
        assert_eq!(refused(&[0x9d, 1]), "a page header with a field of type 13");
        assert_eq!(refused(&[&[0x96][..], &[255; 11]].concat()), "a number of more than 64 bits in a page header");
    }

    #[test]
    fn a_field_that_the_decoder_would_take_for_another_is_refused() {
        let refused = |bytes: &[u8]| largest(Compression::SNAPPY, bytes).unwrap_err();
        let with = |field: i64, kind: u8| format!("a page header with field {field} of type {kind}");
        // Sizes in 64 bits, and where the struct of the page should be, a number.
        assert_eq!(refused(&[0x15, 0, 0x16, 2, 0x15, 2, 0]), with(2, 6));
        assert_eq!(refused(&[0x15, 0, 0x15, 2, 0x15, 2, 0x25, 2, 0]), with(5, 5));
        // In the struct of each kind of page.
        assert_eq!(refused(&[0x5c, 0x13, 1, 0, 0]), with(1, 3));
        assert_eq!(refused(&[0x5c, 0x55, 0, 0, 0]), with(5, 5));
        assert_eq!(refused(&[0x7c, 0x35, 0, 0, 0]), with(3, 5));
        assert_eq!(refused(&[0x8c, 0x7c, 0, 0, 0]), with(7, 12));
        assert_eq!(refused(&[0x8c, 0x85, 0, 0, 0]), with(8, 5));
        // A list, a set and a map of 2^31 - 1, wherever they are; a number of a field that is 2 in 16 bits.
        for kind in [0x99, 0x9a, 0x9b] {
            let count = [kind, 0xf7, 255, 255, 255, 255, 7];
            assert_eq!(refused(&count), with(9, kind & 15));
            assert_eq!(refused(&[&[0x5c, 0x5c][..], &count].concat()), with(9, kind & 15));
        }
        assert_eq!(refused(&[&[0x05][..], &number(65_538), &[2, 0]].concat()), with(65_538, 5));
    }
}
