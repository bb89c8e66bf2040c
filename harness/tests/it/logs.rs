//! Log lines: text or JSON, to stderr and into a file.

use std::fs;

use crate::month::{harness, names, refusal, store};
use serde_json::Value;

#[test]
fn lines_are_json_on_request_and_go_into_a_file_with_the_stages() {
    let folder = store();
    let output = harness(folder.path())
        .args(["run", "--month", "2013-09", "--log-file", "logs/harness.log"])
        .env("LOG_LEVEL", "info")
        .env("LOG_FORMAT", "json")
        .assert()
        .success()
        .get_output()
        .clone();
    let lines = |text: &str| -> Vec<Value> { text.lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
    let said = lines(&String::from_utf8(output.stderr).unwrap());
    assert!(said.iter().any(|line| line["level"] == "INFO" && line["message"].as_str().unwrap().contains("2013-09")));
    let logs = folder.path().join("logs");
    let found = names(&logs);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("harness.log.2"), "{found:?}");
    assert_eq!(lines(&fs::read_to_string(logs.join(&found[0])).unwrap()).len(), said.len());
    let stages = lines(&fs::read_to_string(logs.join("performance_metrics.jsonl")).unwrap());
    let of: Vec<&str> = stages.iter().map(|line| line["stage"].as_str().unwrap()).collect();
    assert_eq!(of, ["decode", "sessions", "compute", "encode", "measure"]);
    assert!(stages.iter().all(|line| line["month"] == "2013-09" && line["rows"].as_u64() > Some(1000)));
}

#[test]
fn the_level_decides_what_is_said() {
    let folder = store();
    let said = |level: &str| {
        let output =
            harness(folder.path()).args(["run", "--month", "2013-09"]).env("LOG_LEVEL", level).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said("info").contains("2013-09") && said("warn").is_empty());
    let (message, code) = refusal(folder.path(), &["status", "--log-format", "xml"]);
    assert!(code == 2 && message.contains("text or json"), "{message}");
}

#[test]
fn a_log_disk_that_is_full_is_said_once_and_the_run_goes_on() {
    let folder = store();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    // Also tomorrow's, if it is about midnight.
    for days in 0..2 {
        let day = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days)).strftime("%Y-%m-%d");
        std::os::unix::fs::symlink("/dev/full", logs.join(format!("run.log.{day}"))).unwrap();
    }
    std::os::unix::fs::symlink("/dev/full", logs.join("performance_metrics.jsonl")).unwrap();
    let mut command = harness(folder.path());
    let arguments = ["run", "--month", "2013-09", "--log-file", "logs/run.log"];
    let output = command.args(arguments).env("LOG_LEVEL", "info").assert().success().get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.matches("cannot be written").count(), 1, "{said}");
    assert!(said.contains("No space left") && said.contains("lines of the log were lost"), "{said}");
    crate::month::whole(folder.path());
}
