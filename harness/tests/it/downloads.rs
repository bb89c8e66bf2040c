//! Downloads and recordings as they lie on disk: split by day, of a continuous series, of ids, recorded live. The records of
//! all are those of `tests/cases/daily`: three sessions of two contracts and their spread.

use std::{
    fs,
    path::{Path, PathBuf},
};

use dbn::{MappingInterval, Metadata, SType, Schema, SymbolMapping, encode::dbn::MetadataEncoder};
use serde_json::{Value, json};

use crate::month::{harness, json as printed, names, outcome};

/// Bytes of an `ohlcv-1s` record, and the place of its instrument id and its time.
const RECORD: usize = 56;
/// Ids of ESZ4 and ESH5.
const Z4: u32 = 110;
const H5: u32 = 210;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/daily/GLBX-20241101-ABCDE12345")
}

fn id(record: &[u8]) -> u32 {
    u32::from_le_bytes(record[4..8].try_into().unwrap())
}

fn day(record: &[u8]) -> u64 {
    u64::from_le_bytes(record[8..16].try_into().unwrap()) / 86_400_000_000_000
}

/// The records of all days that are wanted.
fn records(wanted: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    for name in names(&folder()) {
        let plain = zstd::decode_all(fs::File::open(folder().join(name)).unwrap()).unwrap();
        let header = crate::gateway::header(&plain);
        records.extend(plain[header..].chunks_exact(RECORD).filter(|record| wanted(record)).map(<[u8]>::to_vec));
    }
    records
}

/// A symbol, and what it maps to from one day of October 2024 to before another.
type Mapping<'a> = (&'a str, &'a [(u8, u8, &'a str)]);

/// A header: what was asked for, and what it maps, from one day of October 2024 to before another.
fn header(schema: Option<Schema>, stype_in: Option<SType>, mappings: &[Mapping]) -> Vec<u8> {
    let build = |mappings: Vec<SymbolMapping>| {
        let metadata = Metadata::builder().dataset("GLBX.MDP3").schema(schema).start(1_727_758_800_000_000_000);
        metadata.stype_in(stype_in).stype_out(SType::InstrumentId).mappings(mappings).build()
    };
    let october = build(Vec::new()).start().date();
    let date = |day| october.replace_day(day).unwrap();
    let interval = |&(from, to, symbol): &(u8, u8, &str)| MappingInterval {
        start_date: date(from),
        end_date: date(to),
        symbol: symbol.into(),
    };
    let mapping = |(symbol, intervals): &Mapping| SymbolMapping {
        raw_symbol: (*symbol).into(),
        intervals: intervals.iter().map(interval).collect(),
    };
    let metadata = build(mappings.iter().map(mapping).collect());
    let mut bytes = Vec::new();
    MetadataEncoder::new(&mut bytes).encode(&metadata).unwrap();
    bytes
}

/// A message of a gateway: a record of this type and length.
fn message(kind: u8, length: usize, id: u32) -> Vec<u8> {
    let mut bytes = vec![0; length];
    bytes[0] = u8::try_from(length / 4).unwrap();
    bytes[1] = kind;
    bytes[4..8].copy_from_slice(&id.to_le_bytes());
    bytes
}

/// What a gateway says an id is.
fn mapped(id: u32, asked: &str, symbol: &str) -> Vec<u8> {
    let mut bytes = message(0x16, 176, id);
    bytes[17..17 + asked.len()].copy_from_slice(asked.as_bytes());
    bytes[89..89 + symbol.len()].copy_from_slice(symbol.as_bytes());
    bytes
}

/// The statistics of a file of these bytes.
fn process(bytes: &[u8]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.dbn"), bytes).unwrap();
    printed(harness(folder.path()).args(["process", "in.dbn", "out.parquet", "--json"]))
}

/// All of these as one parent's download.
fn whole() -> Value {
    let mappings: &[Mapping] =
        &[("ESZ4", &[(1, 5, "110")]), ("ESH5", &[(1, 5, "210")]), ("ESZ4-ESH5", &[(1, 5, "310")])];
    let header = header(Some(Schema::Ohlcv1S), Some(SType::Parent), mappings);
    process(&[header, records(|_| true).concat()].concat())
}

/// Date, contract, rows and volume of each session.
fn sessions(statistics: &Value) -> Vec<(String, String, u64, u64)> {
    let session = |session: &Value| {
        let text = |name: &str| session[name].as_str().unwrap().to_owned();
        (text("date"), text("contract"), session["rows"].as_u64().unwrap(), session["volume"].as_u64().unwrap())
    };
    statistics["sessions"].as_array().unwrap().iter().map(session).collect()
}

fn expected(contract: &str) -> Vec<(String, String, u64, u64)> {
    let session = |(date, rows, volume): (&str, u64, u64)| (date.to_owned(), contract.to_owned(), rows, volume);
    SESSIONS.map(session).to_vec()
}

/// What a straight sum over the records of ESZ4 from 07:30 Central on gives.
const SESSIONS: [(&str, u64, u64); 3] =
    [("2024-10-01", 27_000, 562_846), ("2024-10-02", 17_100, 328_071), ("2024-10-03", 27_000, 564_609)];

/// All that the rows tell.
fn figures(statistics: &Value) -> Value {
    json!([statistics["sessions"], statistics["rollovers"], statistics["modes"], statistics["columns"]])
}

/// Writes what lies beside the files of a job; `change` is made to the manifest.
fn beside(job: &Path, change: impl Fn(&mut Value)) {
    let file = |name: String| {
        let bytes = fs::read(job.join(&name)).unwrap();
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
        let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        json!({"filename": name, "size": bytes.len(), "hash": format!("sha256:{hash}"), "urls": {}})
    };
    let files: Vec<Value> = names(job).into_iter().filter(|name| name.ends_with(".dbn.zst")).map(file).collect();
    let mut manifest = json!({"job_id": "GLBX-20241101-ABCDE12345", "files": files});
    change(&mut manifest);
    let conditions = json!([
        {"date": "2024-10-01", "condition": "available", "last_modified_date": "2024-10-30"},
        {"date": "2024-10-02", "condition": "degraded", "last_modified_date": "2024-10-30"},
    ]);
    for (name, json) in [
        ("manifest.json", manifest),
        ("condition.json", conditions),
        ("metadata.json", json!({"version": 1})),
        ("symbology.json", json!({"result": {}})),
    ] {
        fs::write(job.join(name), json.to_string()).unwrap();
    }
}

#[test]
fn a_file_that_is_not_what_its_manifest_says_fails_its_month() {
    let work = tempfile::tempdir().unwrap();
    let job = work.path().join("raw/GLBX-20241101-ABCDE12345");
    fs::create_dir_all(&job).unwrap();
    let name = "glbx-mdp3-20241001.ohlcv-1s.dbn.zst";
    fs::copy(folder().join(name), job.join(name)).unwrap();
    for (field, value, words) in [
        ("size", json!(283_220), "found 283221 bytes; expected 283220 bytes"),
        ("hash", json!(format!("sha256:{:064}", 7)), "expected SHA-256 0000"),
    ] {
        beside(&job, |manifest| manifest["files"][0][field] = value.clone());
        let (made, code) = outcome(work.path(), &["run", "--month", "2024-10", "--raw", "raw"]);
        let message = made[0]["error"].as_str().unwrap();
        assert_eq!((made[0]["outcome"].as_str(), code), (Some("failed"), 1), "{message}");
        assert!(message.contains(words) && message.contains(name) && message.contains("manifest.json"), "{message}");
        // The same of the file alone, and of its folder.
        let file = format!("raw/GLBX-20241101-ABCDE12345/{name}");
        for input in [file.as_str(), "raw/GLBX-20241101-ABCDE12345"] {
            for command in [&["process", input, "out.parquet"][..], &["inspect", input]] {
                let refused = harness(work.path()).args(command).assert().code(3);
                let message = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
                assert!(message.contains(words) && message.contains(name), "{command:?}: {message}");
            }
        }
    }
    beside(&job, |_| {});
    let processed =
        printed(harness(work.path()).args(["process", "raw/GLBX-20241101-ABCDE12345", "out.parquet", "--json"]));
    let warning = json!("2024-10-02: degraded, by the vendor's condition.json");
    assert!(processed["warnings"].as_array().unwrap().contains(&warning), "{}", processed["warnings"]);
    assert_eq!(outcome(work.path(), &["run", "--month", "2024-10", "--raw", "raw"]).1, 0);
}

#[test]
fn a_download_split_by_day_is_the_month_of_its_days() {
    let work = tempfile::tempdir().unwrap();
    let job = work.path().join("raw/GLBX-20241101-ABCDE12345");
    fs::create_dir_all(&job).unwrap();
    for name in names(&folder()) {
        fs::copy(folder().join(&name), job.join(name)).unwrap();
    }
    beside(&job, |_| {});
    // A Saturday on which nothing trades.
    let empty = zstd::encode_all(&header(Some(Schema::Ohlcv1S), Some(SType::Parent), &[])[..], 1).unwrap();
    fs::write(job.join("glbx-mdp3-20241005.ohlcv-1s.dbn.zst"), empty).unwrap();

    let run = ["run", "--month", "2024-10", "--raw", "raw"];
    let (planned, code) = outcome(work.path(), &[&run[..], &["--dry-run"]].concat());
    assert_eq!((planned[0]["outcome"].as_str(), code), (Some("planned"), 0));
    assert_eq!(planned[0]["inputs"].as_array().unwrap().len(), 5);
    let (made, code) = outcome(work.path(), &run);
    assert_eq!((made[0]["outcome"].as_str(), code), (Some("published"), 0), "{made}");
    assert_eq!(outcome(work.path(), &run).0[0]["outcome"], "unchanged");

    let statistics = work.path().join("store/processed-data/monthly/2024/10/statistics");
    let statistics = fs::read(statistics.join(&names(&statistics)[0])).unwrap();
    let statistics: Value = serde_json::from_slice(&statistics).unwrap();
    assert_eq!(sessions(&statistics), expected("ESZ4"));
    assert_eq!(figures(&statistics), figures(&whole()));
    let warnings = statistics["warnings"].as_array().unwrap();
    assert!(warnings.contains(&json!("2024-10-02: degraded, by the vendor's condition.json")), "{warnings:?}");
    let (found, _) = outcome(work.path(), &["validate", "--all", "--raw", "raw"]);
    assert_eq!(found["months"][0]["raw"], true, "{found}");
    let findings = found["months"][0]["findings"].as_array().unwrap().iter();
    let errors: Vec<&Value> = findings.filter(|finding| finding["severity"] == "error").collect();
    assert!(errors.is_empty(), "{errors:?}");
    let listed = outcome(work.path(), &["months", "list", "--raw", "raw"]).0;
    assert_eq!(listed["months"][0]["raw"]["files"].as_array().unwrap().len(), 5, "{listed}");
    assert_eq!(listed["months"][0]["raw"]["duplicates"], json!([]));
}

#[test]
fn a_continuous_series_is_rolled_where_its_id_changes() {
    let of = |intervals: &[(u8, u8, &str)], wanted: &dyn Fn(&[u8]) -> bool| {
        let header = header(Some(Schema::Ohlcv1S), Some(SType::Continuous), &[("ES.v.0", intervals)]);
        process(&[header, records(wanted).concat()].concat())
    };
    let without = of(&[(1, 5, "110")], &|record| id(record) == Z4);
    assert_eq!(sessions(&without), expected("110"));
    assert_eq!((&without["rollovers"], &without["records"]["total"]), (&json!([]), &json!(88_839)));

    // To the later contract and back: who made the series decided so.
    let first = day(&records(|_| true)[0]);
    let wanted = |record: &[u8]| id(record) == if day(record) == first + 1 { H5 } else { Z4 };
    let rolled = of(&[(1, 2, "110"), (2, 3, "210"), (3, 5, "110")], &wanted);
    let contracts: Vec<String> = sessions(&rolled).into_iter().map(|(_, contract, ..)| contract).collect();
    assert_eq!(contracts, ["110", "210", "110"]);
    let rolls: Vec<Value> = rolled["rollovers"].as_array().unwrap().clone();
    let rolls: Vec<Value> = rolls.iter().map(|roll| json!([roll["date"], roll["from"], roll["to"]])).collect();
    assert_eq!(rolls, [json!(["2024-10-02", "110", "210"]), json!(["2024-10-03", "210", "110"])]);
    assert_eq!(rolled["rollovers"][0]["price_gap"], Value::Null);
    assert_eq!(rolled["rollovers"][0]["expected"], Value::Null);
}

#[test]
fn without_symbols_a_contract_is_its_id() {
    let header = header(Some(Schema::Ohlcv1S), Some(SType::InstrumentId), &[("110", &[(1, 5, "110")])]);
    let statistics = process(&[header, records(|record| id(record) == Z4).concat()].concat());
    assert_eq!(sessions(&statistics), expected("110"));
    assert_eq!(figures(&statistics)[2], figures(&whole())[2]);
}

#[test]
fn a_recorded_live_stream_is_read_with_what_its_gateway_says_between_the_bars() {
    let start = header(None, None, &[]);
    let bare = process(&[start.clone(), records(|record| id(record) == Z4).concat()].concat());
    assert_eq!(sessions(&bare), expected("110"));

    let mut said = start.clone();
    said.extend(message(0x17, 320, 0));
    said.extend(mapped(Z4, "ES.FUT", "ESZ4"));
    said.extend(mapped(H5, "ES.FUT", "ESH5"));
    said.extend(mapped(310, "ES.FUT", "ESZ4-ESH5"));
    for (number, record) in records(|_| true).into_iter().enumerate() {
        if number % 10_000 == 5 {
            said.extend(message(0x15, 320, 0));
            said.extend(message(0x17, 320, 0));
        }
        said.extend(record);
    }
    let statistics = process(&said);
    assert_eq!(sessions(&statistics), expected("ESZ4"));
    assert_eq!(figures(&statistics), figures(&whole()));
    assert_eq!(statistics["records"]["spreads_dropped"], 303 + 258 + 311 + 34);

    // A download joined to a recording is read on, with the names of its own header.
    let named = header(Some(Schema::Ohlcv1S), Some(SType::Parent), &[("ESZ4", &[(1, 5, "110")])]);
    let first = day(&records(|_| true)[0]);
    let [before, after] = [true, false].map(|early| records(|r| id(r) == Z4 && (day(r) == first) == early).concat());
    let mapped = mapped(Z4, "ESZ4", "ESZ4");
    let joined = process(&[&named[..], &before, &start, &mapped, &after].concat());
    assert_eq!(sessions(&joined), expected("ESZ4"));

    // Bars of a minute in the stream are not looked over.
    let mut minute = records(|record| id(record) == Z4)[0].clone();
    minute[1] = 0x21;
    let work = tempfile::tempdir().unwrap();
    fs::write(work.path().join("in.dbn"), [start, minute].concat()).unwrap();
    let output = harness(work.path()).args(["process", "in.dbn", "out.parquet"]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("record 0: found a record of 56 bytes and type 0x21 in a live stream"), "{message}");
}
