//! `clean`: what nobody needs any more goes, everything else stays, and what went is said.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

use crate::month::{MONTH, change, harness, keys, manifest, names, outcome, refusal, run, store, whole};
use serde_json::Value;

const HISTORY: &str = "processed-data/history/2013/09";

fn clean(folder: &Path, more: &[&str]) -> Value {
    let (report, code) = outcome(folder, &[&["clean"], more].concat());
    assert_eq!(code, 0);
    report
}

/// Kinds and names of what a report says was removed.
fn removed(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut removed: Vec<(String, String)> =
        report["removed"].as_array().unwrap().iter().map(|gone| (text(&gone["kind"]), text(&gone["name"]))).collect();
    removed.sort();
    removed
}

fn put(folder: &Path, key: &str, content: &str) {
    let path = folder.join("store").join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn orphans_of_the_store_go_and_what_is_named_or_not_ours_stays() {
    let folder = store();
    let path = folder.path();
    assert_eq!(clean(path, &["--store", "absent"])["removed"], serde_json::json!([]));
    run(path, &[]);
    run(path, &["--profile", "rolling"]);
    let before = keys(path);
    assert_eq!(clean(path, &[])["removed"], serde_json::json!([]));
    let mut orphans = [
        format!("{HISTORY}/manifest.json"),
        format!("{HISTORY}/monthly_2013-09_0123456789abcdef.parquet"),
        format!("{MONTH}/manifest.json#1"),
        format!("{MONTH}/monthly_2013-09_0123456789abcdef.parquet"),
        format!("{MONTH}/statistics/monthly_2013-09_0123456789abcdef_statistics.json#2"),
        "processed-data/failures/2013-09.json#1".to_owned(),
        // Of a month that was never published.
        "processed-data/monthly/2013/10/monthly_2013-10_0123456789abcdef.parquet".to_owned(),
    ];
    orphans.sort();
    let theirs = [format!("{MONTH}/notes.txt"), "processed-data/notes.txt".to_owned()];
    orphans.iter().chain(&theirs).for_each(|key| put(path, key, "12345"));
    let everything = keys(path);
    for dry in [&["--dry-run"][..], &[]] {
        let report = clean(path, dry);
        let expected: Vec<_> = orphans.iter().map(|key| ("orphan".to_owned(), key.clone())).collect();
        assert_eq!((removed(&report), &report["bytes"]), (expected, &(5 * orphans.len()).into()));
        if !dry.is_empty() {
            assert_eq!(keys(path), everything, "a dry run removes nothing");
        }
    }
    assert_eq!(keys(path), before.into_iter().chain(theirs).collect());
}

#[test]
fn a_month_that_is_being_published_or_whose_manifest_is_damaged_is_left_alone() {
    let folder = store();
    let path = folder.path();
    run(path, &[]);
    let orphan = format!("{MONTH}/monthly_2013-09_0123456789abcdef.parquet");
    put(path, &orphan, "");
    let lock = File::create(path.join("store/.harness-2013-09.lock")).unwrap();
    lock.lock().unwrap();
    for _ in 0..2 {
        let report = clean(path, &[]);
        assert_eq!((removed(&report), &report["left"][0]["name"]), (vec![], &"2013-09".into()));
        assert!(report["left"][0]["why"].as_str().unwrap().contains("another worker"));
    }
    drop(lock);
    let manifest = path.join("store").join(MONTH).join("manifest.json");
    let good = fs::read(&manifest).unwrap();
    fs::write(&manifest, "{").unwrap();
    let before = keys(path);
    let report = clean(path, &["--history", "--older-than", "0s", "--temp-dir", "elsewhere"]);
    assert_eq!((removed(&report), &report["left"][0]["name"]), (vec![], &"2013-09".into()));
    assert!(report["left"][0]["why"].as_str().unwrap().contains("is not a manifest"));
    // But for the right that its dead holder left.
    assert!(keys(path).is_subset(&before));
    fs::write(&manifest, good).unwrap();
    clean(path, &[]);
    whole(path);
}

#[test]
fn the_record_of_a_failure_goes_when_the_month_was_published_since() {
    let folder = store();
    let path = folder.path();
    run(path, &[]);
    let failure = |month: &str, when: &str| {
        let record = serde_json::json!({
            "month": month, "error": "e", "exit_code": 3, "when": when, "program": "0", "inputs": [], "decay_reference": month,
        });
        put(path, &format!("processed-data/failures/{month}.json"), &record.to_string());
    };
    failure("2013-08", "2020-01-01T00:00:00Z");
    failure("2013-09", "2199-01-01T00:00:00Z");
    assert_eq!(removed(&clean(path, &[])), []);
    failure("2013-09", "2020-01-01T00:00:00Z");
    let key = "processed-data/failures/2013-09.json".to_owned();
    assert_eq!(removed(&clean(path, &[])), [("failure".into(), key)]);
    assert_eq!(names(&path.join("store/processed-data/failures")), ["2013-08.json"]);
}

#[test]
fn the_history_goes_only_on_request_and_by_when_it_was_replaced() {
    let folder = store();
    let path = folder.path();
    for arguments in [&[][..], &["--profile", "rolling"], &["--contract", "volume-previous"]] {
        run(path, arguments);
    }
    let file = path.join("store").join(MONTH).join("manifest.json");
    // Made long ago, replaced by a version of a month ago, and that one now.
    change(&file, |manifest| {
        manifest["history"][0]["published"] = "2020-02-01T00:00:00Z".into();
        manifest["history"][1]["published"] = "2020-01-01T00:00:00Z".into();
    });
    let before = manifest(path);
    clean(path, &["--older-than", "0s"]);
    assert_eq!(manifest(path), before);
    let report = clean(path, &["--history", "--dry-run"]);
    assert_eq!((removed(&report).len(), manifest(path)), (2, before.clone()));
    let report = clean(path, &["--history"]);
    let oldest = &before["history"][1];
    let expected =
        ["data", "statistics"].map(|part| ("history".into(), oldest[part]["key"].as_str().unwrap().to_owned()));
    assert_eq!(removed(&report), expected);
    let bytes = oldest["data"]["bytes"].as_u64().unwrap() + oldest["statistics"]["bytes"].as_u64().unwrap();
    assert_eq!(report["bytes"], bytes);
    assert_eq!(manifest(path)["history"], serde_json::json!([before["history"][0]]));
    whole(path);

    // A removed month goes for good.
    harness(path).args(["months", "remove", "2013-09"]).assert().success();
    assert_eq!(removed(&clean(path, &["--history"])), []);
    crate::month::forget(path);
    assert_eq!(removed(&clean(path, &["--history", "--older-than", "0s"])).len(), 4);
    assert!(keys(path).is_empty(), "{:?}", keys(path));
}

#[test]
fn killed_runs_and_unused_columns_leave_the_cache() {
    let folder = store();
    let path = folder.path();
    run(path, &[]);
    let cache = path.join("cache/harness");
    let input = names(&cache.join("columns")).remove(0);
    let aged = |folder: &Path, days: u64| {
        let used = SystemTime::now() - Duration::from_secs(days * 86_400);
        File::open(folder).unwrap().set_modified(used).unwrap();
    };
    for name in ["run-killed", "run-alive"] {
        fs::create_dir(cache.join(name)).unwrap();
        fs::write(cache.join(name).join("month.parquet"), "123").unwrap();
    }
    fs::write(cache.join("run-killed/running.lock"), "").unwrap();
    let alive = File::create(cache.join("run-alive/running.lock")).unwrap();
    alive.lock().unwrap();
    fs::create_dir(cache.join("columns/old")).unwrap();
    fs::write(cache.join("columns/old/2013-09.columns"), "12345").unwrap();
    aged(&cache.join("columns/old"), 31);
    aged(&cache.join("columns").join(&input), 29);

    let names_of =
        |names: &[&str]| -> Vec<String> { names.iter().map(|name| cache.join(name).display().to_string()).collect() };
    for dry in [&["--dry-run"][..], &[]] {
        let report = clean(path, dry);
        let (kinds, gone): (Vec<String>, Vec<String>) = removed(&report).into_iter().unzip();
        assert_eq!(
            (kinds, gone),
            (vec!["columns".into(), "killed_run".into()], names_of(&["columns/old", "run-killed"]))
        );
        assert_eq!(report["bytes"], 8);
        assert_eq!(cache.join("run-killed").exists() && cache.join("columns/old").exists(), !dry.is_empty());
    }
    assert!(cache.join("run-alive").exists());

    // What a run that is still at work may be using stays however short the age.
    aged(&cache.join("columns").join(&input), 0);
    assert_eq!(removed(&clean(path, &["--older-than", "0s"])), []);
    alive.unlock().unwrap();
    assert_eq!(removed(&clean(path, &["--older-than", "0s"])).len(), 2);
    assert!(names(&cache.join("columns")).is_empty());
    let (message, code) = refusal(path, &["clean", "--older-than", "1mo"]);
    assert!(code == 2 && !message.is_empty());
    assert_eq!(manifest(path)["month"], "2013-09");
}
