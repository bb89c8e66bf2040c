//! `bench`: what it reports, and that a regression is one.

use crate::month::{harness, json};
use serde_json::Value;

/// A result in which everything took so many times as long.
fn scaled(result: &Value, factor: f64) -> Value {
    let mut scaled = result.clone();
    for name in ["cold_seconds", "warm_seconds"] {
        scaled[name] = (result[name].as_f64().unwrap() * factor).into();
    }
    for stage in scaled["stages"].as_array_mut().unwrap() {
        stage["ns_per_row"] = (stage["ns_per_row"].as_f64().unwrap() * factor).into();
    }
    scaled
}

#[test]
fn a_benchmark_reports_every_stage_and_regresses_against_a_faster_one() {
    let folder = tempfile::tempdir().unwrap();
    let bench = ["bench", "--month", "2013-09", "--repeat", "1", "--json"];
    let result = json(harness(folder.path()).args(bench));
    let stages: Vec<&str> =
        result["stages"].as_array().unwrap().iter().map(|stage| stage["name"].as_str().unwrap()).collect();
    assert_eq!(stages, ["decode", "sessions", "compute", "encode", "measure"]);
    assert!(result["rows_per_second"].as_f64().unwrap() > 0.0);
    assert!(result["chunk_latency"]["p50"].as_u64() > Some(0));

    let against = |before: &Value, code: i32| {
        let path = folder.path().join("before.json");
        std::fs::write(&path, before.to_string()).unwrap();
        let mut command = harness(folder.path());
        command.args(bench).args(["--against", "before.json"]).assert().code(code).get_output().stderr.clone()
    };
    // Nothing here is a hundred times faster or slower from one run to the next.
    assert!(String::from_utf8(against(&scaled(&result, 0.01), 5)).unwrap().contains("slower"));
    against(&scaled(&result, 100.0), 0);
    let mut other = result;
    other["settings"]["profile"] = "rolling".into();
    assert!(String::from_utf8(against(&other, 2)).unwrap().contains("cannot be compared"));
}

#[test]
fn an_archive_is_made_and_its_memory_and_exponent_reported() {
    let folder = tempfile::tempdir().unwrap();
    let archive = ["bench", "--months", "2013-08..2013-09", "--dir", "archive", "--chart", "memory.svg", "--json"];
    let result = json(harness(folder.path()).args(archive));
    assert_eq!((result["months"].as_u64(), result["failed"].as_u64()), (Some(2), Some(0)));
    assert_eq!(result["by_month"].as_array().unwrap().len(), 2);
    assert_eq!(result["exponent"], Value::Null);
    assert!(result["peak_rss_bytes"].as_u64() > Some(50 << 20));
    assert!(std::fs::read_to_string(folder.path().join("memory.svg")).unwrap().contains("<polyline"));
}
