//! `run --gate`: a month under the threshold is kept aside, not published, and not lost.

use std::{collections::BTreeSet, fs};

use crate::month::{harness, json, keys, manifest, outcome, refusal, run, store, whole};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

/// No month has a score of 1: the synthetic one has an early close and seconds without a trade.
const STRICT: [&str; 5] = ["run", "--month", "2013-09", "--gate", "--threshold"];

fn strictly(folder: &std::path::Path, more: &[&str]) -> (Value, i32) {
    let (results, code) = outcome(folder, &[&STRICT[..], &["1"], more].concat());
    (results[0].clone(), code)
}

#[test]
fn a_month_under_the_threshold_is_kept_aside_until_it_is_published() {
    let folder = store();
    let (result, code) = strictly(folder.path(), &[]);
    assert_eq!((&result["outcome"], code), (&"withheld".into(), 1));
    assert!(result["error"].as_str().unwrap().starts_with("quality 0.9"), "{result}");

    // A Parquet, its statistics, and a record that names both as they are and says why.
    let aside = "processed-data/withheld/2013-09";
    let path = |key: &str| folder.path().join("store").join(key);
    let kept = || -> Value {
        let record: Value =
            serde_json::from_slice(&fs::read(path(&format!("{aside}/withheld.json"))).unwrap()).unwrap();
        let mut expected = BTreeSet::from([format!("{aside}/withheld.json")]);
        for part in ["data", "statistics"] {
            let key = record[part]["key"].as_str().unwrap();
            let bytes = fs::read(path(key)).unwrap();
            assert_eq!(record[part]["checksum"], format!("{:016x}", xxh3_64(&bytes)), "{key}");
            expected.insert(key.to_owned());
        }
        assert_eq!(keys(folder.path()), expected);
        record
    };
    let record = kept();
    let statistics: Value =
        serde_json::from_slice(&fs::read(path(record["statistics"]["key"].as_str().unwrap())).unwrap()).unwrap();
    assert_eq!(
        (&record["score"], &record["threshold"], &record["version"]),
        (&statistics["quality"]["score"], &1.0.into(), &result["version"])
    );
    assert_eq!(
        record["reasons"].as_array().unwrap().len(),
        statistics["quality"]["deductions"].as_array().unwrap().len()
    );

    let (listing, _) = outcome(folder.path(), &["months", "list"]);
    let line = &listing["months"][0];
    assert_eq!((&line["state"], &line["score"]), (&"withheld".into(), &record["score"]));
    assert_eq!(outcome(folder.path(), &["status"]).0["states"], serde_json::json!({"withheld": 1}));
    let text = harness(folder.path()).args(["months", "list"]).assert().success().get_output().stdout.clone();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("2013-09  withheld") && text.contains("is below 1: "), "{text}");

    // Once more, and then without the gate.
    assert_eq!(strictly(folder.path(), &[]).1, 1);
    assert_ne!(kept()["data"]["key"], record["data"]["key"]);
    assert_eq!(run(folder.path(), &["--force"])["outcome"], "published");
    whole(folder.path());
}

#[test]
fn what_was_published_before_stays_current_while_a_newer_version_is_withheld() {
    let folder = store();
    let first = run(folder.path(), &[])["version"].clone();
    let (result, code) = strictly(folder.path(), &["--profile", "rolling"]);
    assert_eq!((&result["outcome"], code), (&"withheld".into(), 1));
    assert_eq!(manifest(folder.path())["current"]["version"], first);
    let (listing, _) = outcome(folder.path(), &["months", "list"]);
    let line = &listing["months"][0];
    assert_eq!((&line["state"], &line["version"]), (&"published".into(), &first));
    assert_eq!(line["withheld"]["version"], result["version"]);
    assert_ne!(line["withheld"]["version"], first);

    assert_eq!(run(folder.path(), &["--force", "--profile", "rolling"])["version"], result["version"]);
    whole(folder.path());
}

#[test]
fn a_month_at_the_threshold_is_published() {
    let folder = store();
    let results = json(harness(folder.path()).args(STRICT).args(["0.9", "--json"]));
    assert_eq!(results[0]["outcome"], "published");
    whole(folder.path());
}

#[test]
fn a_threshold_is_a_score_and_belongs_to_a_gate() {
    let folder = tempfile::tempdir().unwrap();
    let (_, code) = refusal(folder.path(), &["run", "--month", "2013-09", "--threshold", "0.5"]);
    assert_eq!(code, 2);
    for wrong in ["1.1", "-1", "much", "NaN"] {
        let output = harness(folder.path()).args(STRICT).arg(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
}
