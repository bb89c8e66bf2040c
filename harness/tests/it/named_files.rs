//! What raw files are called, and what lies beside them: names of one's own, two downloads of one name, `symbology.json`,
//! trades, and a download that ended at its limit.

use std::{
    fs::{self, File},
    num::NonZeroU64,
    path::Path,
    time::{Duration, SystemTime},
};

use dbn::{Metadata, SType, Schema, decode::dbn::MetadataDecoder, encode::dbn::MetadataEncoder};
use serde_json::{Value, json};

use crate::month::{FILE, outcome, plain_whole};

const RUN: [&str; 5] = ["run", "--month", "2013-09", "--raw", "raw"];

/// The synthetic month with another header.
fn with_header(change: impl FnOnce(&mut Metadata)) -> Vec<u8> {
    let plain = plain_whole();
    let length = crate::gateway::header(&plain);
    let mut metadata = MetadataDecoder::new(&plain[..length]).decode().unwrap();
    change(&mut metadata);
    let mut bytes = Vec::new();
    MetadataEncoder::new(&mut bytes).encode(&metadata).unwrap();
    bytes.extend_from_slice(&plain[length..]);
    bytes
}

/// A folder with files under `raw`.
fn raw(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join("raw").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// Those of the version that is published.
fn statistics(folder: &Path) -> Value {
    let manifest = fs::read(folder.join("store/processed-data/monthly/2013/09/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let key = manifest["current"]["statistics"]["key"].as_str().unwrap();
    serde_json::from_slice(&fs::read(folder.join("store").join(key)).unwrap()).unwrap()
}

/// Contracts of the sessions.
fn fronts(statistics: &Value) -> Vec<String> {
    let mut fronts: Vec<String> =
        statistics["sessions"].as_array().unwrap().iter().map(|one| one["contract"].as_str().unwrap().into()).collect();
    fronts.dedup();
    fronts
}

#[test]
fn a_file_under_a_name_of_ones_own_is_of_the_dates_of_its_header() {
    let packed = zstd::encode_all(&plain_whole()[..], 1).unwrap();
    let other = with_header(|metadata| metadata.schema = Some(Schema::Definition));
    let folder =
        raw(&[("mine/ES_2013-09.dbn.zst", &packed), ("mine/definitions.dbn", &other), ("notes.dbn", b"words")]);
    let (made, code) = outcome(folder.path(), &RUN);
    assert_eq!((made[0]["outcome"].as_str(), code), (Some("published"), 0), "{made}");
    assert_eq!(made[0]["inputs"], json!(["mine/ES_2013-09.dbn.zst"]));
    assert_eq!(fronts(&statistics(folder.path())), ["ESU3", "ESZ3"]);
    let listed = outcome(folder.path(), &["months", "list", "--raw", "raw"]).0;
    assert_eq!(listed["months"][0]["raw"]["files"], json!(["mine/ES_2013-09.dbn.zst"]), "{listed}");
    let (found, code) = outcome(folder.path(), &["validate", "--all", "--raw", "raw"]);
    assert_eq!((found["months"][0]["raw"].as_bool(), code), (Some(true), 0), "{found}");
}

#[test]
fn a_corrected_download_beside_the_older_one_is_named_and_taken_when_asked() {
    let mut older = plain_whole();
    // A price of a record in a session, changed by a tick in all four columns.
    let at = older.len() - 56 * 100_000;
    for column in 0..4 {
        let place = at + 16 + 8 * column;
        let price = i64::from_le_bytes(older[place..place + 8].try_into().unwrap()) + 250_000_000;
        older[place..place + 8].copy_from_slice(&price.to_le_bytes());
    }
    let name = FILE.trim_end_matches(".zst");
    let files = [(format!("GLBX-20131001-A/{name}"), older), (format!("GLBX-20131105-B/{name}"), plain_whole())];
    let folder = raw(&[(&files[0].0, &files[0].1), (&files[1].0, &files[1].1)]);
    let written = |file: &str, days: u64| {
        let file = File::options().write(true).open(folder.path().join("raw").join(file)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * days)).unwrap();
    };
    written(&files[0].0, 16_000);
    written(&files[1].0, 16_100);
    let (made, code) = outcome(folder.path(), &RUN);
    let said = made[0]["error"].as_str().unwrap();
    assert_eq!((made[0]["outcome"].as_str(), code), (Some("failed"), 1), "{said}");
    assert!(files.iter().all(|(name, _)| said.contains(name)) && said.contains("different records"), "{said}");

    let newest = |which: &str| {
        let (made, code) = outcome(folder.path(), &[&RUN[..], &["--newest", "--force"]].concat());
        assert_eq!((made[0]["outcome"].as_str(), code), (Some("published"), 0), "{made}");
        assert_eq!(made[0]["inputs"], json!([which]));
    };
    newest(&files[1].0);
    let (found, code) = outcome(folder.path(), &["validate", "--all", "--raw", "raw", "--newest"]);
    assert_eq!((found["months"][0]["raw"].as_bool(), code), (Some(true), 0), "{found}");
    written(&files[0].0, 16_200);
    newest(&files[0].0);
}

#[test]
fn a_symbology_beside_a_file_names_ids_that_the_file_does_not() {
    let mut result = serde_json::Map::new();
    let unnamed = with_header(|metadata| {
        for mapping in &metadata.mappings {
            let id = mapping.intervals[0].symbol.clone();
            result.insert(mapping.raw_symbol.clone(), json!([{"d0": "2013-09-01", "d1": "2013-10-01", "s": id}]));
        }
        metadata.stype_in = Some(SType::InstrumentId);
        metadata.mappings.clear();
    });
    let name = FILE.trim_end_matches(".zst");
    let folder = raw(&[(&format!("job/{name}"), &unnamed)]);
    let (made, code) = outcome(folder.path(), &RUN);
    assert_eq!((made[0]["outcome"].as_str(), code), (Some("published"), 0), "{made}");
    let by_id = fronts(&statistics(folder.path()));
    assert!(by_id.len() == 2 && by_id.iter().all(|id| id.parse::<u32>().is_ok()), "{by_id:?}");
    let symbology = json!({"result": result, "stype_in": "raw_symbol", "stype_out": "instrument_id"}).to_string();
    fs::write(folder.path().join("raw/job/symbology.json"), &symbology).unwrap();
    let (made, code) = outcome(folder.path(), &RUN);
    assert_eq!((made[0]["outcome"].as_str(), code), (Some("published"), 0), "{made}");
    assert_eq!(fronts(&statistics(folder.path())), ["ESU3", "ESZ3"]);
    assert_eq!(outcome(folder.path(), &RUN).0[0]["outcome"], "unchanged");
    let (found, code) = outcome(folder.path(), &["validate", "--all", "--raw", "raw"]);
    assert_eq!((found["months"][0]["raw"].as_bool(), code), (Some(true), 0), "{found}");
    // Another one may name other contracts.
    fs::write(folder.path().join("raw/job/symbology.json"), format!("{symbology}\n")).unwrap();
    assert_ne!(outcome(folder.path(), &RUN).0[0]["outcome"], "unchanged");
}

#[test]
fn a_download_that_ended_at_its_limit_warns_and_costs_points() {
    let plain = plain_whole();
    let header = crate::gateway::header(&plain);
    let records = ((plain.len() - header) / 56) as u64;
    let score = |limit: u64| {
        let bytes = with_header(|metadata| metadata.limit = NonZeroU64::new(limit));
        let folder = raw(&[(FILE.trim_end_matches(".zst"), &bytes)]);
        assert_eq!(outcome(folder.path(), &RUN).1, 0);
        let statistics = statistics(folder.path());
        (statistics["warnings"].to_string(), statistics["quality"]["score"].as_f64().unwrap())
    };
    let [(reached, less), (not_reached, full)] = [records, records + 1].map(score);
    assert!(reached.contains(&format!("the download ended at its limit of {records} records")), "{reached}");
    assert!(!not_reached.contains("limit") && less < full, "{not_reached} {less} {full}");
}
