//! Parquet and Arrow files that lie about themselves: refused with a sentence, or read as what they still say.

use std::{fs, io::Cursor, sync::Arc};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow_ipc::{CompressionType, writer::IpcWriteOptions};
use bytes::Bytes;
use data::{Instrument, input};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, GzipLevel, ZstdLevel},
    file::{metadata::ParquetMetaDataReader, properties::WriterProperties},
};

const ROWS: i64 = 20_000;

/// Bars of prices that do not compress, in units of 1e-9 points.
fn batch() -> RecordBatch {
    let seconds = (0..ROWS).map(|row| (1_381_149_000 + row) * 1_000_000_000);
    let price = |add: i64| -> ArrayRef {
        let ticks = (0..ROWS).map(move |row| 6000 + row.wrapping_mul(2_654_435_761).rem_euclid(4099) + add);
        Arc::new(Int64Array::from_iter_values(ticks.map(|ticks| ticks * 250_000_000)))
    };
    RecordBatch::try_from_iter([
        ("timestamp", Arc::new(TimestampNanosecondArray::from_iter_values(seconds)) as ArrayRef),
        ("open", price(0)),
        ("high", price(1)),
        ("low", price(-1)),
        ("close", price(0)),
        ("volume", Arc::new(Int64Array::from_iter_values((0..ROWS).map(|row| 1 + row % 977)))),
        ("symbol", Arc::new(StringArray::from_iter_values((0..ROWS).map(|_| "ESZ3")))),
    ])
    .unwrap()
}

fn arrow(compression: Option<CompressionType>) -> Vec<u8> {
    let (batch, mut bytes) = (batch(), Cursor::new(Vec::new()));
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let mut writer = arrow_ipc::writer::FileWriter::try_new_with_options(&mut bytes, &batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    bytes.into_inner()
}

fn parquet(compression: Compression) -> Vec<u8> {
    let (batch, mut bytes) = (batch(), Vec::new());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// Rows kept, or why not.
fn read(bytes: &[u8]) -> Result<usize, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars");
    fs::write(&path, bytes).unwrap();
    let mut rows = 0;
    let done = input::read(&path, &Instrument::default(), &mut |columns| {
        rows += columns.time.len();
        Ok(())
    });
    done.map(|_| rows).map_err(|error| std::error::Error::source(&error).unwrap().to_string())
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("Arrow", arrow(None)),
        ("Arrow, LZ4", arrow(Some(CompressionType::LZ4_FRAME))),
        ("Arrow, Zstandard", arrow(Some(CompressionType::ZSTD))),
        ("Parquet", parquet(Compression::UNCOMPRESSED)),
        ("Parquet, Snappy", parquet(Compression::SNAPPY)),
        ("Parquet, Zstandard", parquet(Compression::ZSTD(ZstdLevel::default()))),
        ("Parquet, gzip", parquet(Compression::GZIP(GzipLevel::default()))),
        ("Parquet, LZ4", parquet(Compression::LZ4_RAW)),
        ("Parquet, Hadoop's LZ4", parquet(Compression::LZ4)),
    ]
}

#[test]
fn every_compression_is_read_and_none_of_them_cut_short() {
    for (name, bytes) in files() {
        assert_eq!(read(&bytes), Ok(ROWS as usize), "{name}");
        for left in [9, 100, bytes.len() / 2, bytes.len() - 9, bytes.len() - 1] {
            assert!(read(&bytes[..left]).is_err_and(|error| !error.is_empty()), "{name}, {left} bytes");
        }
    }
}

#[test]
fn a_changed_byte_of_the_footer_is_refused_or_changes_nothing_that_is_read() {
    for (name, bytes) in files() {
        for number in 1..300 {
            let mut damaged = bytes.clone();
            let at = bytes.len() - number;
            damaged[at] ^= 1 << (number % 8);
            if let Ok(rows) = read(&damaged) {
                assert!(rows <= ROWS as usize, "{name}, byte {at}: {rows}");
            }
        }
    }
}

#[test]
fn compressed_buffers_cannot_claim_more_than_they_hold_nor_all_of_them_the_memory() {
    let bytes = arrow(Some(CompressionType::ZSTD));
    let length = (ROWS * 8).to_le_bytes();
    let prefixes: Vec<usize> = (0..bytes.len() - 8).filter(|&at| bytes[at..at + 8] == length).collect();
    let claim = |each: i64| {
        let mut bytes = bytes.clone();
        // Those in the body: the others are the lengths of the buffers in the message.
        for &at in prefixes.iter().filter(|&&at| bytes_are_zstd(&bytes, at + 8)).collect::<Vec<_>>() {
            bytes[at..at + 8].copy_from_slice(&each.to_le_bytes());
        }
        read(&bytes).unwrap_err()
    };
    assert!(prefixes.len() >= 6, "{prefixes:?}");
    assert!(claim(1 << 40).contains("claims to hold 1099511627776"), "{}", claim(1 << 40));
    assert!(claim(-7).contains("claims to hold -7"), "{}", claim(-7));
    let error = claim(450_000_000);
    assert!(error.contains("bytes in a batch") || error.contains("claims to hold 450000000"), "{error}");
}

/// Reads a file whose first page of `close` claims to hold another number of bytes; both numbers are written in three.
fn claiming(compression: Compression, holds: u32) -> Result<usize, String> {
    let mut bytes = parquet(compression);
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(bytes.clone())).unwrap();
    let close = metadata.row_group(0).column(4);
    let at = close.dictionary_page_offset().unwrap_or(close.data_page_offset()) as usize;
    // The type of the page, then what it holds: zigzag, seven bits to a byte.
    assert_eq!(
        [bytes[at], bytes[at + 2], bytes[at + 3] & 128, bytes[at + 4] & 128, bytes[at + 5] & 128],
        [0x15, 0x15, 128, 128, 0]
    );
    let zigzag = holds << 1;
    bytes[at + 3..at + 6].copy_from_slice(&[zigzag as u8 | 128, (zigzag >> 7) as u8 | 128, (zigzag >> 14) as u8]);
    read(&bytes)
}

#[test]
fn pages_hold_what_they_claim() {
    let gzip = Compression::GZIP(GzipLevel::default());
    let error = claiming(gzip, 10_000).unwrap_err();
    assert!(
        error.contains("column close of row group 0") && error.contains("claims to hold 10000 bytes and holds more"),
        "{error}"
    );
    let error = claiming(Compression::SNAPPY, (1 << 20) - 1).unwrap_err();
    assert!(error.contains("claims to hold 1048575"), "{error}");
    // Within what its bytes could hold: the decoder says it.
    assert!(claiming(gzip, 1_000_000).is_err_and(|error| !error.is_empty()));
}

fn bytes_are_zstd(bytes: &[u8], at: usize) -> bool {
    bytes[at..].starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
}
