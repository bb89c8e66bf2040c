//! What other processes remove while a run goes on, it makes again; and one wrong file stops no archive.

use std::{fs, path::Path, process::Stdio};

use serde_json::Value;

use crate::month::{FILE, harness, names, outcome, plain_whole, program, refusal, store};

/// The synthetic month and the one after it.
fn two_months() -> tempfile::TempDir {
    let folder = store();
    let synth = ["synth", "--months", "2013-10..2013-10", "--out", "store/raw-data"];
    harness(folder.path()).args(synth).assert().success();
    folder
}

/// The synthetic month with prices of a million points and volumes of 2^32-1 on one day: each record passes cleaning.
fn impossible() -> Vec<u8> {
    let mut bytes = plain_whole();
    let header = 8 + u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let day = 1_378_771_200_000_000_000..1_378_857_600_000_000_000_u64;
    let on_it = |record: &&mut [u8]| day.contains(&u64::from_le_bytes(record[8..16].try_into().unwrap()));
    for record in bytes[header..].chunks_exact_mut(56).filter(on_it) {
        for price in record[16..48].chunks_exact_mut(8) {
            price.copy_from_slice(&1_000_000_000_000_000_i64.to_le_bytes());
        }
        record[48..56].copy_from_slice(&u64::from(u32::MAX).to_le_bytes());
    }
    bytes
}

#[test]
fn a_month_that_the_kernels_refuse_is_one_with_a_wrong_file() {
    let folder = two_months();
    let path = folder.path();
    let raw = path.join("store/raw-data/databento");
    fs::remove_file(raw.join(FILE)).unwrap();
    let name = "glbx-mdp3-20130901-20130930.ohlcv-1s.dbn";
    fs::write(raw.join(name), impossible()).unwrap();
    let (message, code) = refusal(path, &["process", &format!("store/raw-data/databento/{name}"), "out.parquet"]);
    assert_eq!(code, 3, "{message}");
    for word in [name, "session of 2013-09-10", "4000000 ticks", "expected", "2^63"] {
        assert!(message.contains(word), "'{word}' is missing in: {message}");
    }
    assert!(!message.contains("out.parquet") && !message.contains("/run-"), "{message}");
    for profile in ["session", "rolling"] {
        let arguments = ["run", "--months", "2013-09..2013-10", "--profile", profile];
        let (results, code) = outcome(path, &arguments);
        assert_eq!(code, 1, "{results}");
        assert_eq!((&results[0]["outcome"], &results[1]["outcome"]), (&"failed".into(), &"published".into()));
        let error = results[0]["error"].as_str().unwrap();
        assert!(error.contains(name) && error.contains("session of 2013-09-10"), "{error}");
        let record = path.join("store/processed-data/failures/2013-09.json");
        let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
        assert_eq!((&record["error"], &record["exit_code"]), (&error.into(), &3.into()));
    }
}

/// Runs both months, and once removes what `removed` names of the cache when the first columns are there.
fn run_while_removed(removed: &dyn Fn(&Path)) {
    let folder = two_months();
    let path = folder.path();
    let columns = path.join("cache/harness/columns");
    let decoded = || {
        let of_input = |name: &String| names(&columns.join(name)).iter().any(|name| name.ends_with(".columns"));
        names(&columns).iter().any(of_input)
    };
    let mut command = program(path);
    let mut child = command.args(["run", "--months", "2013-09..2013-10"]).stderr(Stdio::piped()).spawn().unwrap();
    while !decoded() {
        assert!(child.try_wait().unwrap().is_none(), "the run has ended without columns");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    removed(&path.join("cache/harness"));
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{message}");
    let (months, _) = outcome(path, &["months", "list"]);
    let states: Vec<&Value> = months["months"].as_array().unwrap().iter().map(|month| &month["state"]).collect();
    assert_eq!(states, ["published", "published"], "{message}");
    assert!(names(&path.join("cache/harness")).iter().all(|name| !name.starts_with("run-")), "its folder is left");
}

#[test]
fn columns_that_vanish_are_decoded_again() {
    // The run may be adding to them.
    run_while_removed(&|cache| while fs::remove_dir_all(cache.join("columns")).is_err() {});
}

#[test]
fn a_cache_folder_that_vanishes_is_made_again() {
    run_while_removed(&|cache| while fs::remove_dir_all(cache).is_err() && cache.exists() {});
}
