//! Parquet and Arrow files as pandas, Polars and vendors leave them: what an instrument is called, what a time means, and
//! what is refused instead of being taken for bars of a second.

use std::{fs, sync::Arc};

use arrow_array::{
    ArrayRef, Float64Array, NullArray, RecordBatch, StringArray, TimestampNanosecondArray, UInt8Array, UInt32Array,
};
use serde_json::Value;

use crate::month::{bars, harness, json, parquet, refusal};

/// A batch with another column, or one in the place of its own.
fn with(batch: &RecordBatch, name: &str, column: ArrayRef) -> RecordBatch {
    let schema = batch.schema();
    let own = schema.fields().iter().map(|field| field.name().clone()).zip(batch.columns().iter().cloned());
    let mut columns: Vec<(String, ArrayRef)> = own.filter(|(own, _)| own != name).collect();
    columns.push((name.to_owned(), column));
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}

fn symbols(batch: &RecordBatch, symbol: Option<&str>) -> RecordBatch {
    with(batch, "symbol", Arc::new((0..batch.num_rows()).map(|_| symbol).collect::<StringArray>()))
}

/// The statistics of a file of these batches.
fn process(batches: &[RecordBatch], more: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.parquet"), parquet(batches)).unwrap();
    json(harness(folder.path()).args(["process", "in.parquet", "out.parquet", "--json"]).args(more))
}

/// It is refused as bad input, in these words.
fn refused(batches: &[RecordBatch], words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.parquet"), parquet(batches)).unwrap();
    let (message, code) = refusal(folder.path(), &["process", "in.parquet", "out.parquet"]);
    assert_eq!(code, 3, "{message}");
    words.iter().for_each(|word| assert!(message.contains(word), "'{word}' is missing in: {message}"));
    assert!(!folder.path().join("out.parquet").exists());
}

fn contract(statistics: &Value) -> &str {
    statistics["sessions"][0]["contract"].as_str().unwrap()
}

#[test]
fn a_contract_is_one_however_its_symbol_is_written() {
    let (first, second) = (bars(0, 0.0, 2000), bars(1, 0.0, 2000));
    for (symbol, expected) in [
        ("ESZ3", "ESZ3"),
        ("esz3 ", "ESZ3"),
        ("ESZ3.XCME", "ESZ3"),
        ("ESZ3 Index", "ESZ3"),
        ("ES 12-13", "ESZ13"),
        ("@ESZ2013", "ESZ2013"),
        ("ES1!", "ES1!"),
    ] {
        assert_eq!(contract(&process(&[symbols(&first, Some(symbol))], &[])), expected, "{symbol}");
    }
    // Two spellings in one file are no roll.
    let both = process(&[symbols(&first, Some("ESZ3")), symbols(&second, Some("ESZ3.GLBX"))], &[]);
    assert_eq!((both["sessions"].as_array().unwrap().len(), &both["rollovers"]), (2, &serde_json::json!([])));
    for (symbol, word) in [("GCZ3.XCEC", "the root is GC, not ES"), ("ES", "no symbol is an outright such as ESZ3")] {
        refused(&[symbols(&first, Some(symbol))], &[symbol, word]);
    }
}

#[test]
fn where_no_row_has_a_symbol_the_ids_name_the_contracts() {
    let batch = bars(0, 0.0, 2000);
    let floats = with(&batch, "instrument_id", Arc::new(Float64Array::from(vec![110.0; 2000])));
    assert_eq!(contract(&process(&[symbols(&floats, None)], &[])), "110");
    assert_eq!(contract(&process(&[with(&floats, "symbol", Arc::new(NullArray::new(2000)))], &[])), "110");
    assert_eq!(contract(&process(&[symbols(&floats, Some("ESZ3"))], &[])), "ESZ3");
    refused(
        &[with(&batch, "instrument_id", Arc::new(Float64Array::from(vec![110.5; 2000])))],
        &["row 0: instrument_id is 110.5"],
    );
    // An Arrow file says so in its rows alone.
    let folder = tempfile::tempdir().unwrap();
    let unnamed = symbols(&floats, None);
    let mut bytes = Vec::new();
    let mut writer = arrow_ipc::writer::FileWriter::try_new(&mut bytes, &unnamed.schema()).unwrap();
    writer.write(&unnamed).unwrap();
    writer.finish().unwrap();
    drop(writer);
    fs::write(folder.path().join("in.arrow"), bytes).unwrap();
    let found = json(harness(folder.path()).args(["process", "in.arrow", "out.parquet", "--json"]));
    assert_eq!(contract(&found), "110");
}

#[test]
fn a_series_is_rolled_where_the_id_beside_it_changes() {
    let of = |day, id| {
        let batch = symbols(&bars(day, 0.0, 2000), Some("ES.v.0"));
        with(&batch, "instrument_id", Arc::new(UInt32Array::from(vec![id; 2000])))
    };
    let found = process(&[of(0, 110), of(1, 210), of(2, 110)], &[]);
    let rolls = found["rollovers"].as_array().unwrap().iter();
    let rolls: Vec<String> = rolls.map(|roll| format!("{} {} {}", roll["date"], roll["from"], roll["to"])).collect();
    assert_eq!(rolls, [r#""2013-10-08" "110" "210""#, r#""2013-10-09" "210" "110""#]);
    refused(&[symbols(&bars(0, 0.0, 2000), Some("NQ.v.0"))], &["the root is NQ, not ES"]);
}

#[test]
fn what_is_no_bar_of_a_second_of_an_outright_is_refused() {
    let batch = bars(0, 0.0, 400);
    let times = |nanos: Vec<i64>| -> ArrayRef { Arc::new(TimestampNanosecondArray::from(nanos).with_timezone("UTC")) };
    let minutes = (0..400).map(|row| (1_381_149_059 + 60 * row) * 1_000_000_000).collect();
    refused(&[with(&batch, "timestamp", times(minutes))], &["found bars of 60 seconds", "all 400", "ohlcv-1s"]);
    refused(&[with(&batch, "rtype", Arc::new(UInt8Array::from(vec![33; 400])))], &["column rtype: 33", "ohlcv-1s"]);
    assert_eq!(
        process(&[with(&batch, "rtype", Arc::new(UInt8Array::from(vec![32; 400])))], &[])["sessions"],
        process(std::slice::from_ref(&batch), &[])["sessions"]
    );
    let with_id = |batch: &RecordBatch, id| with(batch, "instrument_id", Arc::new(UInt32Array::from(vec![id; 400])));
    let spread = bars(0, -1650.0, 400);
    refused(&[with_id(&batch, 110), with_id(&spread, 310)], &["instrument id 310 trades at 5", "calendar spreads"]);
}

#[test]
fn exchange_time_without_a_zone_is_refused_and_read_in_the_zone_that_is_given() {
    // Every seven seconds of two days but the hour from 16:00; 2013-10-07 00:00 as a clock shows it.
    let seconds: Vec<i64> = (0..172_800).step_by(7).filter(|second| second / 3600 % 24 != 16).collect();
    let rows = seconds.len() as i64;
    let shown = || seconds.iter().map(|second| (1_381_104_000 + second) * 1_000_000_000);
    // Some seconds between, so that they are no bars of seven seconds.
    let shift = |nanos: i64| nanos + i64::from(nanos / 1_000_000_000 % 3 == 0) * 1_000_000_000;
    let naive: ArrayRef = Arc::new(TimestampNanosecondArray::from_iter_values(shown().map(shift)));
    let utc = TimestampNanosecondArray::from_iter_values(shown().map(shift).map(|nanos| nanos + 18_000_000_000_000));
    let batch = bars(0, 0.0, rows);
    let local = [with(&batch, "timestamp", naive)];
    refused(&local, &["has no zone", "--input-time-zone America/Chicago"]);
    let given = process(&local, &["--input-time-zone", "America/Chicago"]);
    let right = process(&[with(&batch, "timestamp", Arc::new(utc.with_timezone("UTC")))], &[]);
    assert_eq!(right["sessions"].as_array().unwrap().len(), 2);
    assert_eq!((&given["sessions"], &given["modes"]), (&right["sessions"], &right["modes"]));
}
