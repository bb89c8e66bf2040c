//! Heartbeats and `status`: what a run tells of itself, and what others see of it.

use crate::month;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use crate::monitor::Monitor;
use crate::month::{harness, names, outcome, plain, program, run, store};
use serde_json::{Value, json};

/// Heartbeats in the store of a folder.
fn beats(folder: &Path) -> Vec<PathBuf> {
    let status = folder.join("store/processed-data/status");
    names(&status).iter().map(|name| status.join(name)).collect()
}

fn beat(folder: &Path) -> Value {
    let beats = beats(folder);
    assert_eq!(beats.len(), 1, "{beats:?}");
    serde_json::from_slice(&fs::read(&beats[0]).unwrap()).unwrap()
}

fn now(seconds: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds)).to_string()
}

#[test]
fn a_run_leaves_its_last_word_and_one_with_nothing_to_do_none() {
    let folder = store();
    run(folder.path(), &["--dry-run"]);
    assert!(beats(folder.path()).is_empty(), "a dry run tells nobody");
    run(folder.path(), &[]);
    let told = beat(folder.path());
    assert_eq!(
        (&told["state"], &told["months"], &told["done"], &told["failed"]),
        (&json!("ended"), &json!(1), &json!(1), &json!(0))
    );
    assert_eq!((&told["first"], &told["last"], &told["running"]), (&json!("2013-09"), &json!("2013-09"), &json!([])));
    assert_eq!(told["slowest"]["month"], "2013-09");
    assert!(told["months_per_hour"].as_f64().unwrap() > 0.0 && told["peak_memory_bytes"].as_u64().unwrap() > 1 << 20);
    run(folder.path(), &[]);
    assert_eq!(beat(folder.path()), told, "an unchanged month is nothing to tell of");

    let (status, code) = outcome(folder.path(), &["status"]);
    assert_eq!((code, &status["states"], &status["error_rate"]), (0, &json!({"published": 1}), &json!(0.0)));
    assert_eq!(status["runs"][0]["heard"], "over");
}

#[test]
fn failures_are_counted_and_gate_the_status() {
    let folder = store();
    let broken = folder.path().join("store/glbx-mdp3-20130801-20130831.ohlcv-1s.dbn");
    fs::write(&broken, &plain()[..100_000]).unwrap();
    harness(folder.path()).args(["run", "--months", "2013-08..2013-09"]).assert().code(1);
    let told = beat(folder.path());
    assert_eq!((&told["done"], &told["failed"]), (&json!(1), &json!(1)));
    assert_eq!(told["last_error"]["month"], "2013-08");
    let (status, code) = outcome(folder.path(), &["status", "--max-error-rate", "0.02"]);
    assert_eq!((code, &status["error_rate"]), (1, &json!(0.5)));
    assert_eq!(status["states"], json!({"published": 1, "failed": 1}));
    assert!(status["months"][0]["error"].as_str().unwrap().contains("truncated"));
    assert_eq!(outcome(folder.path(), &["status", "--max-error-rate", "0.5"]).1, 0);
    assert_eq!(outcome(folder.path(), &["status"]).1, 0);
    let text = harness(folder.path()).arg("status").assert().success().get_output().stdout.clone();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("1 published, 0 running, 1 failed") && text.contains("error rate  50.0 %"), "{text}");
}

#[test]
fn a_run_at_work_is_seen_from_elsewhere_and_one_that_was_interrupted_says_so() {
    let folder = store();
    // Somebody else has the right to the month, so the run waits to publish it.
    let lock = fs::File::create(folder.path().join("store/.harness-2013-09.lock")).unwrap();
    lock.lock().unwrap();
    let mut child = program(folder.path()).args(["run", "--month", "2013-09"]).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    let publishing = |status: &Value| status["runs"][0]["running"][0]["stage"] == "publish";
    while !publishing(&outcome(folder.path(), &["status"]).0) {
        assert!(began.elapsed() < Duration::from_secs(60), "the run tells nothing of it");
        std::thread::sleep(Duration::from_millis(50));
    }
    let (status, _) = outcome(folder.path(), &["status"]);
    assert_eq!(status["runs"][0]["heard"], "live");
    assert_eq!(status["runs"][0]["running"][0]["month"], "2013-09");
    assert_eq!(status["states"], json!({"running": 1}));
    assert!(status["memory_bytes"].as_u64().unwrap() > 0);
    assert!(std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(beat(folder.path())["state"], "interrupted");
}

#[test]
fn a_run_of_another_machine_that_misses_two_heartbeats_is_lost() {
    let folder = store();
    run(folder.path(), &[]);
    let heard = |renewed: i64| {
        month::change(&beats(folder.path())[0], |beat| {
            beat["process"] = Value::Null;
            beat["state"] = json!("running");
            beat["renewed"] = json!(now(renewed));
        });
        outcome(folder.path(), &["status"]).0["runs"][0]["heard"].clone()
    };
    assert_eq!(heard(0), "live");
    assert_eq!(heard(-16), "lost");
    let text = harness(folder.path()).arg("status").assert().success().get_output().stdout.clone();
    assert!(String::from_utf8(text).unwrap().contains("lost: no heartbeat for"));
}

#[test]
fn a_run_that_was_killed_here_is_lost_at_once_until_another_has_done_its_months() {
    let folder = store();
    let path = folder.path();
    fs::write(path.join("harness.toml"), "[alerts.rules]\ndisk_gb = {}\n").unwrap();
    // Somebody else has the right to the month, so the run waits to publish it.
    let lock = fs::File::create(path.join("store/.harness-2013-09.lock")).unwrap();
    lock.lock().unwrap();
    let mut child = program(path).args(["run", "--month", "2013-09"]).stderr(Stdio::null()).spawn().unwrap();
    let publishing = |status: &Value| status["runs"][0]["running"][0]["stage"] == "publish";
    month::wait_for(&mut child, || publishing(&outcome(path, &["status"]).0));
    child.kill().unwrap();
    // Nobody has asked after it yet; the system takes a moment to end it.
    let state = format!("/proc/{}/stat", child.id());
    while !fs::read_to_string(&state).unwrap().contains(") Z ") {
        std::thread::yield_now();
    }
    let (status, _) = outcome(path, &["status"]);
    assert_eq!((&status["runs"][0]["heard"], &status["states"]), (&json!("lost"), &json!({"pending": 1})));
    child.wait().unwrap();
    let firing = || -> Vec<Value> {
        let firing = outcome(path, &["alerts", "check"]).0["firing"].as_array().unwrap().clone();
        firing.into_iter().map(|alert| alert["rule"].clone()).collect()
    };
    assert!(firing().contains(&json!("lost_runs")), "{:?}", firing());
    let text = || {
        let output = harness(path).arg("status").assert().success().get_output().stdout.clone();
        String::from_utf8(output).unwrap()
    };
    assert!(text().contains("lost: its process ended"), "{}", text());
    let metrics = || Monitor::start(path).get("/metrics").2;
    let lost = |metrics: &str| {
        let runs = metrics.lines().filter(|line| line.starts_with("harness_run_lost{"));
        runs.map(|line| line.ends_with(" 1")).collect::<Vec<_>>()
    };
    assert_eq!(lost(&metrics()), [true]);

    drop(lock);
    assert_eq!(run(path, &[])["outcome"], "published");
    assert_eq!(lost(&metrics()), [false]);
    assert!(text().contains("1 of 1 done") && text().contains("ended ") && !text().contains("lost"), "{}", text());
    assert_eq!(firing(), Vec::<Value>::new());
}

#[test]
fn what_is_no_heartbeat_and_a_store_that_takes_none_disturb_nothing() {
    let folder = store();
    let processed = folder.path().join("store/processed-data");
    fs::create_dir_all(&processed).unwrap();
    // Where the folder should be.
    fs::write(processed.join("status"), "").unwrap();
    assert_eq!(run(folder.path(), &[])["outcome"], "published");
    fs::remove_file(processed.join("status")).unwrap();
    fs::create_dir_all(processed.join("status")).unwrap();
    fs::write(processed.join("status/run-x.json"), "{}").unwrap();
    let (status, code) = outcome(folder.path(), &["status"]);
    assert_eq!((code, &status["runs"], &status["states"]), (0, &json!([]), &json!({"published": 1})));
}

#[test]
fn clean_keeps_the_last_twenty() {
    let folder = store();
    run(folder.path(), &[]);
    let path = beats(folder.path())[0].clone();
    let told = beat(folder.path());
    for number in 0..25 {
        let mut other = told.clone();
        other["run"] = json!(format!("run-{number:02}"));
        other["began"] = json!(now(-1000 + number));
        // One is at work.
        if number == 0 {
            other["process"] = Value::Null;
            other["state"] = json!("running");
            other["renewed"] = json!(now(60));
        }
        fs::write(path.with_file_name(format!("run-{number:02}.json")), serde_json::to_vec(&other).unwrap()).unwrap();
    }
    let (report, code) = outcome(folder.path(), &["clean", "--dry-run"]);
    assert_eq!((code, beats(folder.path()).len()), (0, 26));
    let gone = report["removed"].as_array().unwrap();
    assert_eq!((gone.len(), &gone[0]["kind"]), (5, &json!("heartbeat")));
    outcome(folder.path(), &["clean"]);
    let left = names(path.parent().unwrap());
    assert_eq!(left.len(), 21);
    assert!(left.contains(&"run-00.json".to_owned()) && !left.contains(&"run-01.json".to_owned()), "{left:?}");
}

#[test]
fn the_file_of_metrics_is_open_metrics() {
    let folder = store();
    run(folder.path(), &["--metrics-file", "run.prom"]);
    let text = fs::read_to_string(folder.path().join("run.prom")).unwrap();
    let parsed = openmetrics_parser::openmetrics::parse_openmetrics(&text).unwrap();
    assert!(parsed.families.contains_key("harness_run_months_done"));
    assert!(text.contains("harness_run_months_done{run=") && text.ends_with("# EOF\n"), "{text}");
    assert_eq!(names(folder.path()).iter().filter(|name| name.contains("harness-")).count(), 0);
}
