//! Arrow IPC streams: read as files are, and refused where they were cut off or joined.

use std::{fs, sync::Arc};

use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int8Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use arrow_ipc::{
    CompressionType,
    writer::{FileWriter, IpcWriteOptions, StreamWriter},
};
use data::{Instrument, columns::Columns, input};

/// 2013-10-07 07:30 Central in UTC nanoseconds.
const OPEN: i64 = 1_381_149_000_000_000_000;
const ROWS: i64 = 500;

/// Bars with symbols as a dictionary, from a second on.
fn batch(from: i64) -> RecordBatch {
    let points = || -> ArrayRef {
        Arc::new(Float64Array::from_iter_values((0..ROWS).map(|row| 1700.0 + (row % 9) as f64 / 4.0)))
    };
    let times = (from..from + ROWS).map(|second| OPEN + second * 1_000_000_000);
    let symbols = Arc::new(StringArray::from(vec!["ESZ3", "ESH4"]));
    let symbols =
        DictionaryArray::new(Int8Array::from_iter_values((0..ROWS).map(|row| i8::from(row % 3 == 0))), symbols);
    RecordBatch::try_from_iter([
        ("timestamp", Arc::new(TimestampNanosecondArray::from_iter_values(times)) as ArrayRef),
        ("open", points()),
        ("high", points()),
        ("low", points()),
        ("close", points()),
        ("volume", Arc::new(Int64Array::from_iter_values(1..=ROWS))),
        ("symbol", Arc::new(symbols)),
    ])
    .unwrap()
}

fn options(compression: Option<CompressionType>) -> IpcWriteOptions {
    IpcWriteOptions::default().try_with_compression(compression).unwrap()
}

fn stream(compression: Option<CompressionType>) -> Vec<u8> {
    let (first, second) = (batch(0), batch(ROWS));
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &first.schema(), options(compression)).unwrap();
    writer.write(&first).unwrap();
    writer.write(&second).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn file() -> Vec<u8> {
    let (first, second) = (batch(0), batch(ROWS));
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &first.schema(), options(None)).unwrap();
    writer.write(&first).unwrap();
    writer.write(&second).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn read(bytes: &[u8]) -> Result<(String, Columns), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars");
    fs::write(&path, bytes).unwrap();
    let mut months = Vec::new();
    let result = input::read(&path, &Instrument::default(), &mut |columns| {
        months.push(columns);
        Ok(())
    });
    match result {
        Ok(info) => Ok((info.format, months.remove(0))),
        Err(error) => Err(std::error::Error::source(&error).unwrap().to_string()),
    }
}

#[test]
fn a_stream_is_read_as_the_file_of_the_same_batches() {
    let (format, expected) = read(&file()).unwrap();
    assert_eq!((format.as_str(), expected.time.len()), ("arrow", 2 * ROWS as usize));
    for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        assert_eq!(read(&stream(compression)).unwrap(), ("arrow stream".into(), expected.clone()), "{compression:?}");
    }
}

#[test]
fn a_stream_that_was_cut_off_or_joined_is_refused() {
    let whole = stream(None);
    // Within a message, and at the end of one: nothing but the mark is missing.
    for end in [whole.len() - 1000, whole.len() - 8, whole.len() - 3, 100] {
        let said = read(&whole[..end]).unwrap_err();
        assert!(said.contains("the Arrow file is damaged") && said.contains("cut off"), "{end}: {said}");
    }
    let said = read(&[&whole[..], &whole].concat()).unwrap_err();
    assert!(said.contains("bytes follow the mark of its end"), "{said}");
}

#[test]
fn damaged_streams_are_refused_or_read_and_no_decoder_gives_up() {
    let mut refused = 0;
    for whole in [stream(None), stream(Some(CompressionType::ZSTD))] {
        for at in (4..whole.len()).step_by(37) {
            let mut bytes = whole.clone();
            bytes[at] = [0xff, 0x80, 0x7f, 0][at % 4];
            if let Err(said) = read(&bytes) {
                assert!(!said.contains("the decoder gave up"), "byte {at}: {said}");
                refused += 1;
            }
        }
    }
    assert!(refused > 100, "{refused}");
}
