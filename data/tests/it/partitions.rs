//! Folders of files as one input, as Hive, Spark, pandas and Polars lay tables out, and as a download leaves them.

use std::{
    fs::{self, File},
    path::Path,
    sync::Arc,
};

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use data::{
    Instrument,
    columns::Columns,
    form::Form,
    input::{self, InputInfo},
};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};

/// 2013-10-07 07:30 Central in UTC nanoseconds.
const OPEN: i64 = 1_381_149_000_000_000_000;
const DAY: i64 = 86_400_000_000_000;

/// A contract's bars of some days after the first, two a day.
#[derive(Clone)]
struct Rows {
    symbol: &'static str,
    days: Vec<i64>,
}

fn rows(symbol: &'static str, days: impl IntoIterator<Item = i64>) -> Rows {
    Rows { symbol, days: days.into_iter().collect() }
}

/// Columns of all rows; the symbol under this name, or none.
fn batch(all: &[Rows], symbol: Option<&str>) -> RecordBatch {
    let bars = all.iter().flat_map(|rows| {
        rows.days.iter().flat_map(|day| [(rows.symbol, day * DAY), (rows.symbol, day * DAY + 1_000_000_000)])
    });
    let bars: Vec<(&str, i64)> = bars.collect();
    let prices = || -> ArrayRef {
        let of =
            |(symbol, time): &(&str, i64)| if *symbol == "ESZ3" { 1700.0 } else { 1690.0 } + (time / DAY) as f64 * 0.25;
        Arc::new(Float64Array::from_iter_values(bars.iter().map(of)))
    };
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("timestamp", Arc::new(TimestampNanosecondArray::from_iter_values(bars.iter().map(|(_, time)| OPEN + time)))),
        ("open", prices()),
        ("high", prices()),
        ("low", prices()),
        ("close", prices()),
        ("volume", Arc::new(Int64Array::from_iter_values(bars.iter().map(|(symbol, _)| symbol.len() as i64)))),
    ];
    if let Some(name) = symbol {
        columns.push((name, Arc::new(StringArray::from_iter_values(bars.iter().map(|(symbol, _)| symbol)))));
    }
    RecordBatch::try_from_iter(columns).unwrap()
}

fn write(root: &Path, name: &str, batch: &RecordBatch) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn read(path: &Path, form: Form) -> Result<(InputInfo, Vec<Columns>), String> {
    let mut months = Vec::new();
    let instrument = Instrument { form, ..Instrument::default() };
    let result = input::read(path, &instrument, &mut |columns| {
        months.push(columns);
        Ok(())
    });
    match result {
        Ok(info) => Ok((info, months)),
        Err(error) => Err(format!("{error}: {}", std::error::Error::source(&error).unwrap())),
    }
}

/// What one file of all rows gives.
fn whole(all: &[Rows]) -> Vec<Columns> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "all.parquet", &batch(all, Some("symbol")));
    read(&folder.path().join("all.parquet"), Form::default()).unwrap().1
}

#[test]
fn a_table_by_year_and_month_is_one_input() {
    let root = tempfile::tempdir().unwrap();
    // From October 2013 to February 2014: more months than are open at a time, and one digit sorts behind two as text.
    let days = |month: usize| (31 * month as i64..31 * month as i64 + 5).collect::<Vec<_>>();
    let names =
        ["year=2013/month=10", "year=2013/month=11", "year=2013/month=12", "year=2014/month=1", "year=2014/month=2"];
    let mut all = Vec::new();
    for (month, name) in names.iter().enumerate() {
        let rows = [rows("ESZ3", days(month)), rows("ESH4", days(month))];
        write(root.path(), &format!("{name}/part-0.parquet"), &batch(&rows[..1], Some("symbol")));
        write(root.path(), &format!("{name}/part-1.parquet"), &batch(&rows[1..], Some("symbol")));
        all.extend(rows);
    }
    // What Spark leaves: a mark, checksums, and a part without a row.
    write(root.path(), "year=2014/month=2/part-2.parquet", &batch(&[], Some("symbol")));
    fs::write(root.path().join("_SUCCESS"), "").unwrap();
    fs::write(root.path().join("year=2014/month=2/.part-2.parquet.crc"), "crc").unwrap();
    let (info, months) = read(root.path(), Form::default()).unwrap();
    assert_eq!(months.len(), 5);
    assert_eq!(months, whole(&all));
    let sizes: u64 = ["0", "1"]
        .iter()
        .flat_map(|part| names.map(|name| format!("{name}/part-{part}.parquet")))
        .map(|name| root.path().join(name).metadata().unwrap().len())
        .sum();
    assert!(info.bytes > sizes && info.records == 100, "{info:?}");
    assert_eq!((info.bytes, info.checksum), input::identify(root.path()).unwrap());
    assert_eq!(info.format, "parquet");
}

#[test]
fn what_the_folders_say_of_a_column_its_files_do_not_hold() {
    let all = [rows("ESH4", 0..5), rows("ESZ3", 0..5)];
    for (own, named) in [("symbol", "symbol"), ("symbol", "Ticker")] {
        let root = tempfile::tempdir().unwrap();
        for rows in &all {
            write(
                root.path(),
                &format!("{named}={}/data.parquet", rows.symbol),
                &batch(std::slice::from_ref(rows), None),
            );
        }
        let form = |named: &str| Form { columns: format!("{own}={named}").parse().unwrap(), ..Form::default() };
        assert_eq!(read(root.path(), form(named)).unwrap().1, whole(&all), "{named}");
        let said = read(root.path(), form("ric")).unwrap_err();
        assert!(said.contains("data.parquet") && said.contains("column ric: not in the file"), "{said}");
    }
    // Without a name there is no contract to tell apart.
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "symbol=__HIVE_DEFAULT_PARTITION__/data.parquet", &batch(&all[1..], None));
    assert_eq!(read(root.path(), Form::default()).unwrap().1[0].contracts[0].symbol, "");
}

#[test]
fn a_file_of_a_folder_that_is_none_is_named() {
    let root = tempfile::tempdir().unwrap();
    let said = read(root.path(), Form::default()).unwrap_err();
    assert!(said.contains("no records"), "{said}");
    write(root.path(), "a/part-0.parquet", &batch(&[rows("ESZ3", 0..5)], Some("symbol")));
    fs::write(root.path().join("a/notes.txt"), "words\n").unwrap();
    let said = read(root.path(), Form::default()).unwrap_err();
    assert!(said.contains("a/notes.txt") && said.contains("found a file that begins with"), "{said}");
}

#[test]
fn every_codec_of_parquet_is_read() {
    let all = [rows("ESZ3", 0..5), rows("ESH4", 0..5)];
    let expected = whole(&all);
    let root = tempfile::tempdir().unwrap();
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(Default::default()),
        Compression::BROTLI(Default::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(Default::default()),
    ] {
        let batch = batch(&all, Some("symbol"));
        let path = root.path().join("all.parquet");
        let properties = WriterProperties::builder().set_compression(codec).set_dictionary_enabled(false).build();
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        assert_eq!(read(&path, Form::default()).unwrap().1, expected, "{codec}");
    }
}
