//! A corpus to begin with, from our own writers: small, whole and of every kind.

use std::{error::Error, fs, io::Cursor, num::NonZeroU64, sync::Arc};

use arrow_array::{
    ArrayRef, DictionaryArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray, UInt32Array, types::Int32Type,
};
use arrow_ipc::{CompressionType, writer::IpcWriteOptions};
use data::{
    Instrument,
    collector::{Bar, Collector, Name},
    column_file,
    live::{Front, Live, LiveError},
};
use dbn::{
    MappingInterval, Metadata, OhlcvMsg, RecordHeader, SType, Schema, SymbolMapping,
    encode::{EncodeRecord, dbn::Encoder},
    rtype,
};
use kernels::{Profile, Stream, Tick, stream::Row};
use parquet::{
    arrow::ArrowWriter,
    basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel},
    file::properties::{WriterProperties, WriterVersion},
};

use crate::documents::MONTH;

/// 2013-10-07 07:30 Central in UTC seconds.
const OPEN: u64 = 1_381_149_000;
/// Its date in UTC, as days since 1970.
const ROWS: u64 = 24;

type Result<T> = std::result::Result<T, Box<dyn Error>>;
/// A target and its seeds.
pub type Seeds = (&'static str, Vec<Vec<u8>>);

/// Every target's seeds; the statistics' are those of a month the program makes.
///
/// # Errors
/// One of the writers failed.
pub fn all() -> Result<Vec<Seeds>> {
    Ok(vec![
        ("dbn", dbn()?),
        ("bars", bars()?),
        ("csv", csv()),
        ("mapping", mappings()),
        ("job", jobs()),
        ("column_file", column_files()?),
        ("manifest", vec![manifest().into_bytes()]),
        ("table", vec![commit().into_bytes()]),
        ("configuration", CONFIGURATIONS.map(|text| text.as_bytes().to_vec()).to_vec()),
        ("environment", ENVIRONMENTS.map(|text| text.as_bytes().to_vec()).to_vec()),
        ("symbol", SYMBOLS.map(|text| text.as_bytes().to_vec()).to_vec()),
        ("kernels", kernels()),
        ("state", states()?),
    ])
}

fn bar(row: u64) -> Bar {
    let price = (6800 + row as i64 % 5) * 250_000_000;
    let (high, low) = (price + 250_000_000, price - 250_000_000);
    Bar { nanos: (OPEN + row) * 1_000_000_000, open: price, high, low, close: price, volume: 1 + row % 3 }
}

/// Plain, in one frame, in two, as three versions, with and without symbols.
fn dbn() -> Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    for version in 1..=3 {
        for named in [true, false] {
            let plain = dbn_file(version, named)?;
            for how in [0, 2, 3, 4, 6] {
                seeds.push([&[how], &plain[..]].concat());
            }
            seeds.push([&[0], &zstd::encode_all(&plain[..], 3)?[..]].concat());
        }
    }
    for schema in [Schema::Trades, Schema::Tbbo] {
        seeds.push([&[0], &trades(schema)?[..]].concat());
    }
    Ok(seeds)
}

/// The header of a recorded live stream: no schema, end or mappings.
///
/// # Errors
/// The encoder failed.
pub fn live_header(version: u8) -> Result<Vec<u8>> {
    let metadata = Metadata::builder().version(version).dataset("GLBX.MDP3").schema(None).start(OPEN * 1_000_000_000);
    let metadata = metadata.stype_in(None).stype_out(SType::InstrumentId).build();
    Ok(Encoder::new(Vec::new(), &metadata)?.get_ref().clone())
}

/// A bar of id 1 at the open of a session, as it lies in a file.
pub const BAR: [u8; 56] = {
    let mut bytes = [0; 56];
    let words = [OPEN * 1_000_000_000, 1_700_000_000_000, 1_700_250_000_000, 1_700_000_000_000, 1_700_250_000_000, 3];
    (bytes[0], bytes[1], bytes[2], bytes[4]) = (14, 0x20, 1, 1);
    let mut at = 8;
    while at < bytes.len() {
        bytes[at] = (words[at / 8 - 1] >> (8 * (at % 8))) as u8;
        at += 1;
    }
    bytes
};

/// Mappings of both layouts, of an outright, a series and a spread, then bars.
fn mappings() -> Vec<Vec<u8>> {
    let mapping = |kind: u8, id: u8, texts: [(usize, &str); 2], filled: usize| {
        let mut bytes = vec![0; filled];
        bytes[0] = id;
        for (at, text) in texts {
            let end = bytes.len().min(at - 4 + text.len());
            bytes[at - 4..end].copy_from_slice(&text.as_bytes()[..end - (at - 4)]);
        }
        [&[kind][..], &bytes].concat()
    };
    let bar =
        |id: u8, second: u64| [&[5, id, 0, 0, 0][..], &((OPEN + second) * 1_000_000_000).to_le_bytes()[..4]].concat();
    let named = |symbol: &str, asked: &str| {
        let first = mapping(2, 1, [(16, asked), (38, symbol)], 60);
        let second = mapping(0, 2, [(17, asked), (89, symbol)], 160);
        [&[2][..], &first, &second, &bar(1, 0), &[3, 0, 0, 0, 0], &bar(2, 1), &bar(3, 2)].concat()
    };
    vec![named("ESZ3", "ES.FUT"), named("ESZ3", "ES.v.0"), named("ESZ3-ESH4", "ES.FUT"), named("", "1")]
}

/// A manifest, conditions and a symbology, each with the byte that says which it is.
fn jobs() -> Vec<Vec<u8>> {
    let manifest = r#"{"job_id":"GLBX-20131101-ABCDE12345","files":[{"filename":"a.dbn.zst","size":7,"hash":"sha256:00ff","urls":{"https":"https://"}}]}"#;
    let conditions = r#"[{"date":"2013-10-01","condition":"available","last_modified_date":"2013-11-01"},{"date":"2013-10-02","condition":"degraded"}]"#;
    let symbology = r#"{"result":{"ESZ3":[{"d0":"2013-10-01","d1":"2013-11-01","s":"1"}],"2":[{"d0":"2013-10-01","d1":"2013-10-05","s":"ESH4"}]},"symbols":["ES.FUT"],"stype_in":"raw_symbol","stype_out":"instrument_id","partial":[],"not_found":[],"message":"OK","status":0}"#;
    [(0, manifest), (1, conditions), (2, symbology)].map(|(which, json)| [&[which], json.as_bytes()].concat()).to_vec()
}

/// A file of trades or of trades with quotes.
fn trades(schema: Schema) -> Result<Vec<u8>> {
    let metadata = Metadata::builder().dataset("GLBX.MDP3").schema(Some(schema)).start(OPEN * 1_000_000_000);
    let metadata = metadata.stype_in(Some(SType::RawSymbol)).stype_out(SType::InstrumentId).build();
    let mut bytes = Encoder::new(Vec::new(), &metadata)?.get_ref().clone();
    let length = if schema == Schema::Tbbo { 80 } else { 48 };
    for row in 0..ROWS {
        let Bar { nanos, close, .. } = bar(row / 3);
        let mut record = vec![0; length];
        (record[0], record[1]) = ((length / 4) as u8, u8::from(schema == Schema::Tbbo));
        record[4] = (row % 2) as u8;
        record[16..24].copy_from_slice(&close.to_le_bytes());
        (record[24], record[28]) = (1 + row as u8, b'T');
        record[32..40].copy_from_slice(&(nanos + row % 3 * 300_000_000).to_le_bytes());
        bytes.extend(record);
    }
    Ok(bytes)
}

/// A DBN file of one version.
///
/// # Errors
/// The encoder failed.
pub fn dbn_file(version: u8, named: bool) -> Result<Vec<u8>> {
    let build = |start: u64, mappings| {
        Metadata::builder()
            .version(version)
            .dataset("GLBX.MDP3")
            .schema(Some(Schema::Ohlcv1S))
            .start(start)
            .end(NonZeroU64::new((OPEN + 86_400) * 1_000_000_000))
            .stype_in(Some(SType::Parent))
            .stype_out(SType::InstrumentId)
            .symbols(vec!["ES.FUT".into()])
            .mappings(mappings)
            .build()
    };
    // dbn does not re-export its date type; its metadata makes one of a timestamp.
    let date = |second: u64| build(second * 1_000_000_000, Vec::new()).start().date();
    let mapping = |symbol: &str, id: u32| SymbolMapping {
        raw_symbol: symbol.into(),
        intervals: vec![MappingInterval {
            start_date: date(OPEN),
            end_date: date(OPEN + 86_400),
            symbol: id.to_string(),
        }],
    };
    let mappings = [("ESZ3", 1), ("ESH4", 2), ("ESZ3-ESH4", 3)].map(|(symbol, id)| mapping(symbol, id));
    let mappings = if named { mappings.to_vec() } else { Vec::new() };
    let mut encoder = Encoder::new(Vec::new(), &build(OPEN * 1_000_000_000, mappings))?;
    for row in 0..ROWS {
        for id in 1..=3 {
            let Bar { nanos, open, high, low, close, volume } = bar(row);
            let hd = RecordHeader::new::<OhlcvMsg>(rtype::OHLCV_1S, 1, id, nanos);
            encoder.encode_record(&OhlcvMsg { hd, open, high, low, close, volume })?;
        }
    }
    Ok(encoder.get_ref().clone())
}

fn batch(kind: usize) -> Result<RecordBatch> {
    let bars: Vec<Bar> = (0..ROWS).map(bar).collect();
    let points = |of: fn(&Bar) -> i64| -> ArrayRef {
        let points = bars.iter().map(|bar| of(bar) as f64 / 1e9);
        match kind {
            0 => Arc::new(Float64Array::from_iter_values(points)),
            1 => Arc::new(Float32Array::from_iter_values(points.map(|value| value as f32))),
            _ => Arc::new(Int64Array::from_iter_values(bars.iter().map(of))),
        }
    };
    let times = TimestampNanosecondArray::from_iter_values(bars.iter().map(|bar| bar.nanos as i64));
    let symbols = ["ESZ3", "ESH4"].into_iter().cycle().take(ROWS as usize);
    let (last, name): (&str, ArrayRef) = match kind {
        0 => ("symbol", Arc::new(StringArray::from_iter_values(symbols))),
        1 => ("symbol", Arc::new(symbols.collect::<DictionaryArray<Int32Type>>())),
        _ => ("instrument_id", Arc::new(UInt32Array::from_iter_values((0..ROWS as u32).map(|row| row % 2)))),
    };
    Ok(RecordBatch::try_from_iter([
        ("timestamp", Arc::new(times.with_timezone("UTC")) as ArrayRef),
        ("open", points(|bar| bar.open)),
        ("high", points(|bar| bar.high)),
        ("low", points(|bar| bar.low)),
        ("close", points(|bar| bar.close)),
        ("volume", Arc::new(Int64Array::from_iter_values(bars.iter().map(|bar| bar.volume as i64)))),
        (last, name),
    ])?)
}

/// Parquet and Arrow in every compression, with and without dictionaries.
fn bars() -> Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    for kind in 0..3 {
        let batch = batch(kind)?;
        for compression in [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::LZ4_RAW,
            Compression::GZIP(GzipLevel::default()),
            Compression::BROTLI(BrotliLevel::default()),
            Compression::ZSTD(ZstdLevel::default()),
        ] {
            let plain = compression == Compression::UNCOMPRESSED;
            let properties = WriterProperties::builder()
                .set_compression(compression)
                .set_dictionary_enabled(kind != 2)
                .set_column_encoding(
                    "timestamp".into(),
                    if plain { Encoding::DELTA_BINARY_PACKED } else { Encoding::PLAIN },
                )
                .set_writer_version(if plain { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 });
            let mut bytes = Vec::new();
            let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build()))?;
            writer.write(&batch)?;
            writer.close()?;
            seeds.push(bytes);
        }
        for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
            let options = IpcWriteOptions::default().try_with_compression(compression)?;
            let mut bytes = Cursor::new(Vec::new());
            let mut writer = arrow_ipc::writer::FileWriter::try_new_with_options(&mut bytes, &batch.schema(), options)?;
            writer.write(&batch)?;
            writer.finish()?;
            drop(writer);
            seeds.push(bytes.into_inner());
            let options = IpcWriteOptions::default().try_with_compression(compression)?;
            let mut writer =
                arrow_ipc::writer::StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options)?;
            writer.write(&batch)?;
            writer.finish()?;
            seeds.push(writer.into_inner()?);
        }
    }
    Ok(seeds)
}

/// CSV as Databento writes it, with whole numbers and with points and times, and as others do; how each is read.
fn csv() -> Vec<Vec<u8>> {
    let text = |head: &str, line: &dyn Fn(u64, Bar) -> String| {
        let lines: String = (0..ROWS).map(|row| line(row, bar(row))).collect();
        format!("{head}\n{lines}")
    };
    let symbol = |row: u64| ["ESZ3", "ESH4", "ESZ3-ESH4"][row as usize % 3];
    let points = |price: i64| price as f64 / 1e9;
    let time = |row: u64| format!("2013-10-07 12:30:{row:02}+00:00");
    let whole = text("ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol", &|row, bar| {
        let Bar { nanos, open, high, low, close, volume } = bar;
        format!("{nanos},32,1,{},{open},{high},{low},{close},{volume},{}\n", row % 3, symbol(row))
    });
    let pretty = text("\u{feff}\"Timestamp\";open;high;low;close;volume;note;instrument_id", &|row, bar| {
        let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(points);
        format!("{};{open:.9};{high:e};{low};{close};{}.0;\"a;b\";{}.0\r\n", time(row), bar.volume, row % 2)
    });
    let ticks = text("timestamp,open,high,low,close,volume", &|row, bar| {
        let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(|price| price / 250_000_000);
        format!("{},{open},{high},{low},{close},{}\n", OPEN + row, bar.volume)
    });
    // Units as the file has them: none named, then seconds and ticks.
    let (usual, named) = (0xfe, TIME_IN_SECONDS | PRICE_IN_TICKS);
    [(usual, &whole), (usual | 1, &whole), (usual, &pretty), (named, &ticks), (named | 1, &ticks)]
        .map(|(how, text)| [&[how], text.as_bytes()].concat())
        .to_vec()
}

/// Of the first byte of a CSV seed.
const TIME_IN_SECONDS: u8 = 0;
const PRICE_IN_TICKS: u8 = 2 << 4;

/// Column files with no row, some, and two contracts.
/// Windows before the first bar, after a few and after more than they hold, and a stream of a session that has begun.
fn states() -> Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    for (whose, profile) in [(0, Profile::Session), (1, Profile::Rolling)] {
        let mut stream = Stream::new(profile, Tick::from_nanos(250_000_000)?);
        for row in 0..2_000 {
            if matches!(row, 0 | 20 | 1_950) {
                seeds.push([&[whose], &stream.to_bytes()[..]].concat());
            }
            let price = 6_800 + row % 5;
            let (high, low, second) = (price + 1, price - 1, 27_000 + row as u32);
            let _: Row<f32> =
                stream.push(kernels::Bar { open: price, high, low, close: price, volume: second % 3, second })?;
        }
    }
    let instrument = Instrument::default();
    let mut live = Live::new(&instrument, Profile::Session, Front::Symbol("ESZ3".into()))?;
    for _ in 0..2 {
        let bytes = live.to_bytes();
        // Its checksum is put there again.
        seeds.push([&[2], &bytes[..bytes.len() - 8]].concat());
        for second in [OPEN as i64 - 86_400, OPEN as i64, OPEN as i64 + 40] {
            live.pass::<f32, LiveError>(second, &mut |_| Ok(()))?;
        }
    }
    Ok(seeds)
}

fn column_files() -> Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    let path = std::env::temp_dir().join(format!("seed-{}.columns", std::process::id()));
    for symbols in [&[][..], &["ESZ3"], &["ESZ3", "ESH4", "ESZ3-ESH4"]] {
        let mut collector = Collector::new(MONTH.parse()?, &Instrument::default());
        for (number, symbol) in symbols.iter().enumerate() {
            let index = collector.symbol(symbol, Name::Symbol);
            (0..ROWS).for_each(|row| collector.push(index, &bar(row), number as u64 * ROWS + row));
        }
        column_file::write(&path, "key", &collector.finish()?)?;
        let bytes = fs::read(&path)?;
        seeds.extend([0, 1].map(|repair| [&[repair], &bytes[..]].concat()));
    }
    fs::remove_file(&path)?;
    Ok(seeds)
}

/// A commit that replaces a month's file.
fn commit() -> String {
    [
        r#"{"commitInfo":{"timestamp":1,"operation":"PUBLISH","operationParameters":{"month":"2013-10"},"engineInfo":"harness/0"}}"#,
        r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#,
        r#"{"metaData":{"id":"a","format":{"provider":"parquet","options":{}},"schemaString":"{}","partitionColumns":["month"],"configuration":{}}}"#,
        r#"{"remove":{"path":"2013/10/a.parquet","deletionTimestamp":1,"dataChange":true}}"#,
        r#"{"txn":{"appId":"harness/2013-10","version":2}}"#,
        r#"{"add":{"path":"2013/10/b.parquet","partitionValues":{"month":"2013-10"},"size":1,"modificationTime":1,"dataChange":true}}"#,
    ]
    .join("\n")
}

/// A manifest with a current version and one before.
fn manifest() -> String {
    let version = |folder: &str, version: &str| {
        let item = |key: String| format!(r#"{{"key":"{key}","bytes":7,"checksum":"00000000000000ff"}}"#);
        let stem = format!("monthly_{MONTH}_{version}");
        let folder = format!("processed-data/{folder}/2013/10");
        format!(
            r#"{{"version":"{version}","data":{},"statistics":{},"rows":3,"made_from":{{"program":"harness 0.1.0","settings":{{}},"decay_reference":"2025-10","inputs":[{{"name":"a.dbn","bytes":1,"checksum":"b"}}]}},"raw":[{{"key":"raw/a.dbn","bytes":1,"e_tag":"\"x\"","checksum":"b"}}],"score":0.9,"published":"2026-01-01T00:00:00Z"}}"#,
            item(format!("{folder}/{stem}.parquet")),
            item(format!("{folder}/statistics/{stem}_statistics.json"))
        )
    };
    let (current, before) = (version("monthly", "0123456789abcdef"), version("history", "fedcba9876543210"));
    format!(r#"{{"schema_version":1,"month":"{MONTH}","current":{current},"pinned":true,"history":[{before}]}}"#)
}

const CONFIGURATIONS: [&str; 3] = [
    "",
    "root = \"GC\"\ntick_size = 0.1\nsession_start = 07:20:00\nsession_end = \"12:30\"\ntime_zone = \"America/New_York\"\n\
     chunk_rows = 1000\njobs = 2\nmax_memory_gb = 1.5\nlog_level = \"debug\"\nlog_format = \"json\"\ns3_timeout = 30\n",
    "store = \"s3://bucket/prefix\"\nprofile = \"rolling\"\nfeatures_dtype = \"float64\"\ncontract = \"volume-previous\"\n\
     decay_reference = \"2025-10\"\ngap_points = 5.5\n[feature_ranges]\nbar_range = [0, 50]\nvwap = [1.5, 2e4]\n\
     [alerts.rules]\n[[alerts.channels]]\nname = \"mail\"\n",
];

const ENVIRONMENTS: [&str; 4] = [
    "ENDPOINT_URL=localhost:9000\n",
    "ENDPOINT_URL=http://localhost:9000\nDEFAULT_REGION=us-east-1\nSESSION_TOKEN=t\nALLOW_HTTP=true\n",
    "ENDPOINT_URL_S3=https://s3.example.com/path\nVIRTUAL_HOSTED_STYLE_REQUEST=true\nCHECKSUM_ALGORITHM=SHA256\nTIMEOUT=1s\n",
    "SSE_CUSTOMER_KEY_BASE64=AAAA\nSERVER_SIDE_ENCRYPTION=sse-c\nCOPY_IF_NOT_EXISTS=multipart\nCONDITIONAL_PUT=etag\n",
];

const SYMBOLS: [&str; 10] = [
    "ES\nESZ3",
    "ES\nESH14",
    "ES\nESZ3-ESH4",
    "ES\nES:BF Z3-H4-M4",
    "6E\n6EZ3",
    "GC\nGC.c.0",
    "ES\n2013-10",
    "ES\n2010-07..2025-10",
    "ES\nglbx-mdp3-20131001-20131031.ohlcv-1s.dbn.zst",
    "\nZ3",
];

/// Stretches of every kind, in both profiles, in small and large chunks.
fn kernels() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for kind in [0, 3, 7, 10, 27, 47, 255] {
        for profile in [0, 1] {
            let chunk = if kind % 2 == 0 { [64, 0] } else { [0, 16] };
            let head = [profile, kind, chunk[0], chunk[1], 9, 1, 200, 3, 100, 100];
            let stretches = (0..8).flat_map(|number| [200, kind ^ number, 9, 250 + number % 6, number % 4]);
            seeds.push(head.into_iter().chain(stretches).collect());
        }
    }
    seeds
}
