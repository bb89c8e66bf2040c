//! One month in every encoding that is read: the columns that come of each are equal to the bit.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
    sync::{Arc, LazyLock},
};

use arrow_array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray, UInt64Array,
};
use dbn::{
    FlagSet, MappingInterval, Metadata, OhlcvMsg, RecordHeader, SType, Schema, SymbolIndex, SymbolMapping, SystemMsg,
    TradeMsg,
    decode::{DbnMetadata, DecodeRecord, dbn::Decoder},
    encode::{EncodeRecord, EncodeRecordTextExt, csv::EncoderBuilder, dbn::Encoder},
    rtype,
};
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::Compression,
    file::properties::WriterProperties,
};

use crate::month::{harness, synthetic_whole};

/// Nanoseconds of a second and of a UTC day.
const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;
/// The days of the month, as names of files have it.
const DATES: &str = "20130901-20130930";

/// Days of the month that are taken: nine sessions, one of which is a roll's.
const DAYS: u64 = 14;

/// The synthetic month: its header, and each bar with its symbol.
struct Month {
    metadata: Metadata,
    bars: Vec<(OhlcvMsg, String)>,
}

static MONTH: LazyLock<Month> = LazyLock::new(|| {
    let mut decoder = Decoder::from_zstd_file(synthetic_whole()).unwrap();
    let metadata = decoder.metadata().clone();
    let symbols = metadata.symbol_map().unwrap();
    let mut bars = Vec::new();
    while let Some(bar) = decoder.decode_record::<OhlcvMsg>().unwrap() {
        if bar.hd.ts_event >= metadata.start + DAYS * DAY {
            break;
        }
        // A bar of four prices is of four trades at least.
        bars.push((OhlcvMsg { volume: 4 * bar.volume, ..bar.clone() }, symbols.get_for_rec(bar).unwrap().clone()));
    }
    Month { metadata, bars }
});

fn bars() -> impl Iterator<Item = &'static OhlcvMsg> {
    MONTH.bars.iter().map(|(bar, _)| bar)
}

/// A file of the bars that are wanted.
fn dbn(metadata: &Metadata, wanted: impl Fn(&OhlcvMsg) -> bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, metadata).unwrap();
    bars().filter(|bar| wanted(bar)).for_each(|bar| encoder.encode_record(bar).unwrap());
    bytes
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// The bars by Databento's encoder of CSV: prices and times as numbers, or for people.
fn csv(pretty: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = EncoderBuilder::new(&mut bytes).use_pretty_px(pretty).use_pretty_ts(pretty).write_header(true);
    let mut encoder = builder.schema(Some(Schema::Ohlcv1S)).with_symbol(true).build().unwrap();
    for (bar, symbol) in &MONTH.bars {
        encoder.encode_record_with_sym(bar, Some(symbol)).unwrap();
    }
    drop(encoder);
    bytes
}

/// The bars that are wanted as columns, with a column of symbols or without.
fn batch(symbols: bool, wanted: impl Fn(&OhlcvMsg, &str) -> bool) -> RecordBatch {
    let bars: Vec<&(OhlcvMsg, String)> = MONTH.bars.iter().filter(|(bar, symbol)| wanted(bar, symbol)).collect();
    let points = |of: fn(&OhlcvMsg) -> i64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(bars.iter().map(|(bar, _)| of(bar) as f64 / 1e9)))
    };
    let times = TimestampNanosecondArray::from_iter_values(bars.iter().map(|(bar, _)| bar.hd.ts_event as i64));
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("timestamp", Arc::new(times.with_timezone("UTC"))),
        ("open", points(|bar| bar.open)),
        ("high", points(|bar| bar.high)),
        ("low", points(|bar| bar.low)),
        // Units of 1e-9 points beside points: each column is read as what it is.
        ("close", Arc::new(Int64Array::from_iter_values(bars.iter().map(|(bar, _)| bar.close)))),
        ("volume", Arc::new(UInt64Array::from_iter_values(bars.iter().map(|(bar, _)| bar.volume)))),
    ];
    if symbols {
        columns.push(("symbol", Arc::new(StringArray::from_iter_values(bars.iter().map(|(_, symbol)| symbol)))));
    }
    RecordBatch::try_from_iter(columns).unwrap()
}

fn all() -> RecordBatch {
    batch(true, |_, _| true)
}

fn parquet(path: &Path, batch: &RecordBatch, codec: Compression) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let properties = WriterProperties::builder().set_compression(codec).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

/// A recorded live stream: no schema, end or mappings in its header, and messages of the gateway between the bars.
fn live() -> Vec<u8> {
    let start = MONTH.metadata.start;
    let metadata = Metadata::builder().dataset("GLBX.MDP3").schema(None).start(start).stype_in(None);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, &metadata.stype_out(SType::InstrumentId).build()).unwrap();
    let ids: BTreeMap<&str, u32> = MONTH.bars.iter().map(|(bar, symbol)| (&**symbol, bar.hd.instrument_id)).collect();
    for (symbol, id) in ids {
        let (parent, raw) = (SType::Parent, SType::RawSymbol);
        let message = dbn::SymbolMappingMsg::new(id, start, parent, "ES.FUT", raw, symbol, start, u64::MAX).unwrap();
        encoder.encode_record(&message).unwrap();
    }
    for (number, bar) in bars().enumerate() {
        if number % 10_000 == 0 {
            encoder.encode_record(&SystemMsg::heartbeat(bar.hd.ts_event)).unwrap();
            encoder.encode_record(&dbn::ErrorMsg::new(bar.hd.ts_event, None, "slow reader", true)).unwrap();
        }
        encoder.encode_record(bar).unwrap();
    }
    bytes
}

/// The trades that these bars are made of.
fn trades() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder =
        Encoder::new(&mut bytes, &Metadata { schema: Some(Schema::Trades), ..MONTH.metadata.clone() }).unwrap();
    let mut all: Vec<TradeMsg> = Vec::new();
    for bar in bars() {
        let prices = [bar.open, bar.high, bar.low, bar.close];
        for (number, price) in prices.into_iter().enumerate() {
            let received = bar.hd.ts_event + (number as u64 + 1) * SECOND / 5;
            let size = if number == 3 { bar.volume - 3 * (bar.volume / 4) } else { bar.volume / 4 };
            all.push(TradeMsg {
                hd: RecordHeader::new::<TradeMsg>(rtype::MBP_0, 1, bar.hd.instrument_id, received - SECOND / 3),
                price,
                size: u32::try_from(size).unwrap(),
                action: b'T' as _,
                side: b'N' as _,
                flags: FlagSet::empty(),
                depth: 0,
                ts_recv: received,
                ts_in_delta: 0,
                sequence: 0,
            });
        }
    }
    // The contracts' trades amid each other.
    all.sort_by_key(|trade| trade.ts_recv);
    encoder.encode_records(&all).unwrap();
    bytes
}

/// A header without names, and the file that has them.
fn ids_and_symbology() -> (Metadata, String) {
    let ids: BTreeMap<u32, &str> = MONTH.bars.iter().map(|(bar, symbol)| (bar.hd.instrument_id, &**symbol)).collect();
    let (from, to) = (MONTH.metadata.start().date(), MONTH.metadata.end().unwrap().date());
    let mapping = |id: &u32| SymbolMapping {
        raw_symbol: id.to_string(),
        intervals: vec![MappingInterval { start_date: from, end_date: to, symbol: id.to_string() }],
    };
    let metadata = Metadata {
        stype_in: Some(SType::InstrumentId),
        mappings: ids.keys().map(mapping).collect(),
        ..MONTH.metadata.clone()
    };
    let named = ids.iter().map(|(id, symbol)| {
        (symbol.to_string(), serde_json::json!([{"d0": "2013-09-01", "d1": "2013-10-01", "s": id.to_string()}]))
    });
    let result: serde_json::Map<String, serde_json::Value> = named.collect();
    (metadata, serde_json::json!({"result": result, "symbols": [], "stype_in": "raw_symbol"}).to_string())
}

/// Writes every encoding: files and folders in this one, which are given to `process`.
fn write(root: &Path) -> [&'static str; 17] {
    let metadata = &MONTH.metadata;
    let plain = dbn(metadata, |_| true);
    let put = |name: &str, bytes: &[u8]| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    put("plain.dbn", &plain);
    put("frames.dbn.zst", &[zstd(&plain[..plain.len() / 2]), zstd(&plain[plain.len() / 2..])].concat());

    for day in 1..=DAYS {
        let from = metadata.start + (day - 1) * DAY;
        let bytes = dbn(metadata, |bar| (from..from + DAY).contains(&bar.hd.ts_event));
        put(&format!("daily/glbx-mdp3-201309{day:02}.ohlcv-1s.dbn.zst"), &zstd(&bytes));
    }
    put("daily/condition.json", b"[]");
    let ids: BTreeMap<u32, &String> = MONTH.bars.iter().map(|(bar, symbol)| (bar.hd.instrument_id, symbol)).collect();
    for (id, symbol) in &ids {
        let bytes = dbn(metadata, |bar| bar.hd.instrument_id == *id);
        put(&format!("symbols/glbx-mdp3-{DATES}.ohlcv-1s.{symbol}.dbn.zst"), &zstd(&bytes));
    }
    let middle = metadata.start + DAYS / 2 * DAY;
    let halves = [dbn(metadata, |bar| bar.hd.ts_event < middle), dbn(metadata, |bar| bar.hd.ts_event >= middle)];
    put("joined.dbn", &halves.concat());
    let (unnamed, symbology) = ids_and_symbology();
    put("ids/ids.dbn", &dbn(&unnamed, |_| true));
    put("ids/symbology.json", symbology.as_bytes());
    put("live.dbn", &live());
    put("trades.dbn.zst", &zstd(&trades()));

    put("whole.csv", &csv(false));
    put("decimal.csv", &csv(true));
    put("csv.zst", &zstd(&csv(false)));

    parquet(&root.join("bars.parquet"), &all(), Compression::SNAPPY);
    parquet(&root.join("brotli.parquet"), &all(), Compression::BROTLI(Default::default()));
    let mut writer =
        arrow_ipc::writer::FileWriter::try_new(File::create(root.join("bars.arrow")).unwrap(), &all().schema())
            .unwrap();
    writer.write(&all()).unwrap();
    writer.finish().unwrap();
    let mut writer =
        arrow_ipc::writer::StreamWriter::try_new(File::create(root.join("bars.arrows")).unwrap(), &all().schema())
            .unwrap();
    writer.write(&all()).unwrap();
    writer.finish().unwrap();
    for day in 1..=DAYS {
        let from = metadata.start + (day - 1) * DAY;
        let part = batch(true, |bar, _| (from..from + DAY).contains(&bar.hd.ts_event));
        parquet(
            &root.join(format!("hive/year=2013/month=9/day={day}/part-0.parquet")),
            &part,
            Compression::ZSTD(Default::default()),
        );
    }
    put("hive/_SUCCESS", b"");
    for symbol in ids.values() {
        let part = batch(false, |_, other| other == **symbol);
        parquet(&root.join(format!("by-symbol/symbol={symbol}/data.parquet")), &part, Compression::SNAPPY);
    }
    [
        "plain.dbn",
        "frames.dbn.zst",
        "daily",
        "symbols",
        "joined.dbn",
        "ids/ids.dbn",
        "live.dbn",
        "trades.dbn.zst",
        "whole.csv",
        "decimal.csv",
        "csv.zst",
        "bars.parquet",
        "brotli.parquet",
        "bars.arrow",
        "bars.arrows",
        "hive",
        "by-symbol",
    ]
}

/// The rows of a training file.
fn rows(path: &Path) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    reader.map(|batch| batch.unwrap()).collect()
}

#[test]
fn the_columns_of_a_month_are_the_same_from_every_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("glbx-mdp3-{DATES}.ohlcv-1s.dbn.zst");
    fs::write(folder.path().join(&name), zstd(&dbn(&MONTH.metadata, |_| true))).unwrap();
    harness(folder.path()).args(["process", &name, "expected.parquet"]).assert().success();
    let expected = rows(&folder.path().join("expected.parquet"));
    assert_eq!(expected[0].num_columns(), data::training_file::COLUMNS);
    assert!(expected.iter().map(RecordBatch::num_rows).sum::<usize>() > 200_000);
    for input in write(folder.path()) {
        harness(folder.path()).args(["process", input, "out.parquet"]).assert().success();
        assert!(rows(&folder.path().join("out.parquet")) == expected, "{input} gives other rows");
    }
    let stream = fs::read(folder.path().join("bars.arrows")).unwrap();
    harness(folder.path()).args(["process", "-", "out.parquet"]).write_stdin(stream).assert().success();
    assert!(rows(&folder.path().join("out.parquet")) == expected, "stdin gives other rows");
    // A bar that differs shows.
    fs::write(folder.path().join("other.dbn"), dbn(&MONTH.metadata, |bar| bar.volume % 100 != 0)).unwrap();
    harness(folder.path()).args(["process", "other.dbn", "out.parquet"]).assert().success();
    assert!(rows(&folder.path().join("out.parquet")) != expected);
}
