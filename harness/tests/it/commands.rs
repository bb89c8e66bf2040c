//! `demo`, `synth`, `inspect` and `config show`.

use crate::month;
use std::fs;

use crate::month::{harness, json, manifest, program, store, synthetic};

/// The synthetic month within its store.
const FILE_IN_STORE: &str = "store/raw-data/databento/glbx-mdp3-20130901-20130930.ohlcv-1s.dbn.zst";

#[test]
fn the_demo_publishes_a_month_and_its_report_twice_alike() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let output = harness(folder.path()).args(["demo"]).assert().success().get_output().clone();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("rollover") && text.contains("quality") && text.contains("ns per row"), "{text}");
        let html = fs::read_to_string(folder.path().join("demo/report.html")).unwrap();
        assert!(html.contains("2025-12") && html.contains("<svg"));
    }
    assert!(folder.path().join("demo/store/processed-data/monthly/2025/12/manifest.json").exists());
}

#[test]
fn the_same_seed_makes_the_same_month_and_another_another() {
    let folder = tempfile::tempdir().unwrap();
    let make = |out: &str, seed: &str| {
        let arguments = ["synth", "--months", "2013-09..2013-09", "--out", out, "--seed", seed];
        harness(folder.path()).args(arguments).assert().success();
        fs::read(folder.path().join(out).join(month::FILE)).unwrap()
    };
    let first = make("a", "7");
    assert!(first == make("b", "7"));
    assert!(first != make("c", "8"));
}

#[test]
fn inspect_shows_contracts_and_records() {
    let folder = tempfile::tempdir().unwrap();
    let found = json(harness(folder.path()).args(["inspect", synthetic().to_str().unwrap(), "--json"]));
    assert_eq!(found["format"], "dbn");
    let symbols: Vec<&str> = found["months"][0]["contracts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|contract| contract["symbol"].as_str().unwrap())
        .collect();
    assert!(symbols.contains(&"ESU3") && symbols.contains(&"ESZ3"), "{symbols:?}");
    assert!(found["months"][0]["records"]["spreads_dropped"].as_u64().unwrap() > 0);
}

#[test]
fn inspect_shows_the_sessions_that_process_would_make_or_why_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let input = synthetic();
    let found = json(harness(folder.path()).args(["inspect", input.to_str().unwrap(), "--json"]));
    let made = json(harness(folder.path()).args(["process", input.to_str().unwrap(), "out.parquet", "--json"]));
    let of = |sessions: &serde_json::Value| -> Vec<serde_json::Value> {
        let names = ["date", "contract", "rows", "volume", "early_close", "late_open"];
        let sessions = sessions.as_array().unwrap().iter();
        sessions.map(|session| names.iter().map(|name| session[name].clone()).collect()).collect()
    };
    assert_eq!(of(&found["months"][0]["sessions"]), of(&made["sessions"]));
    assert_eq!(found["months"][0]["no_session"], serde_json::Value::Null);
    let session = &made["sessions"][0];
    let traded = 1.0 - session["filled_rows"].as_f64().unwrap() / session["rows"].as_f64().unwrap();
    assert!((found["months"][0]["sessions"][0]["traded"].as_f64().unwrap() - traded).abs() < 1e-9);

    let text = |arguments: &[&str], stdin: Vec<u8>| {
        let output = harness(folder.path()).args(arguments).write_stdin(stdin).assert().success().get_output().clone();
        String::from_utf8(output.stdout).unwrap()
    };
    let piped = text(&["inspect", "-"], fs::read(&input).unwrap());
    let order = ["format", "records", "first", "last", "2013-09  ", "not selected", "contract ", "ESU3", "session "];
    let mut rest = piped.as_str();
    for word in order {
        let at = rest.find(word).unwrap_or_else(|| panic!("'{word}' is missing or too early in: {piped}"));
        rest = &rest[at..];
    }
    assert!(piped.contains("early close"), "{piped}");
    let none = text(&["inspect", input.to_str().unwrap(), "--root", "GC"], Vec::new());
    assert!(none.contains("the root is ES, not GC"), "{none}");
    let training = text(&["inspect", "out.parquet"], Vec::new());
    for words in ["timestamp, UTC", "float64", "int8", "float32", "harness.instrument.root"] {
        assert!(training.contains(words), "{training}");
    }
    assert!(!training.contains("DOUBLE") && !training.contains("FLOAT"), "{training}");
}

#[test]
fn the_help_of_synth_lists_every_defect_with_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let output = harness(folder.path()).args(["synth", "--help"]).assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    for defect in data::synth::Defect::ALL {
        let line = text.lines().find(|line| line.contains(&format!("- {defect}:"))).unwrap();
        assert!(line.contains(&defect.meaning()[..20]), "{line}");
    }
    let wrong = ["synth", "--months", "2013-09", "--out", "a", "--defects", "off-tick,nothing"];
    harness(folder.path()).args(wrong).assert().code(2);
}

#[test]
fn a_flag_wins_over_the_environment_that_over_the_file_that_over_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let show = |set: bool, flag: Option<&str>| {
        let mut command = harness(folder.path());
        command.args(["config", "show", "--json"]).args(flag.into_iter().flat_map(|value| ["--chunk-rows", value]));
        if set {
            command.env("CHUNK_SIZE", "3000");
        }
        let settings = json(&mut command);
        (
            settings["chunk_rows"]["value"].as_str().unwrap().to_owned(),
            settings["chunk_rows"]["origin"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(show(false, None), ("4096".into(), "default".into()));
    fs::write(folder.path().join("harness.toml"), "chunk_rows = 2000\n").unwrap();
    assert_eq!(show(false, None), ("2000".into(), "harness.toml".into()));
    assert_eq!(show(true, None), ("3000".into(), "environment CHUNK_SIZE".into()));
    assert_eq!(show(true, Some("1000")), ("1000".into(), "flag --chunk-rows".into()));
}

#[test]
fn the_bucket_of_the_environment_is_the_store_unless_a_flag_names_another() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("harness.toml"), "store = \"archive\"\ns3_timeout = 30\n").unwrap();
    let show = |more: &[&str]| {
        let mut command = harness(folder.path());
        command.args(["config", "show", "--json"]).args(more);
        command.env("S3_BUCKET", "futures").env("S3_TIMEOUT", "60.5").env("S3_RETRY_ATTEMPTS", "7");
        json(&mut command)
    };
    let settings = show(&[]);
    let value = |name: &str| settings[name]["value"].as_str().unwrap().to_owned();
    assert_eq!(
        (value("store"), value("s3_timeout"), value("s3_retry_attempts")),
        ("s3://futures".into(), "60.5".into(), "7".into())
    );
    assert_eq!(settings["store"]["origin"], "environment S3_BUCKET");
    assert_eq!(show(&["--store", "here"])["store"]["value"], "here");
    let settings = json(harness(folder.path()).args(["config", "show", "--json"]));
    assert_eq!((&settings["store"]["value"], &settings["s3_timeout"]["value"]), (&"archive".into(), &"30".into()));
}

#[test]
fn a_table_of_ranges_replaces_rows() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("harness.toml"), "[feature_ranges]\nbar_range = [0, 0.01]\n").unwrap();
    let settings = json(harness(folder.path()).args(["config", "show", "--json"]));
    assert_eq!(settings["feature_ranges.bar_range"]["value"], "[0, 0.01]");
    let input = synthetic();
    let arguments = ["process", input.to_str().unwrap(), "out.parquet", "--json"];
    let quality = json(harness(folder.path()).args(arguments))["quality"].to_string();
    assert!(quality.contains("bar_range"), "{quality}");
    fs::remove_file(folder.path().join("harness.toml")).unwrap();
    let quality = json(harness(folder.path()).args(arguments))["quality"].to_string();
    assert!(!quality.contains("bar_range"), "{quality}");
}

#[test]
fn output_that_nobody_reads_is_dropped_and_the_work_done() {
    let folder = store();
    let closed = || std::io::pipe().unwrap().1;
    for arguments in [&["config", "show"][..], &["inspect", FILE_IN_STORE], &["run", "--month", "2013-09"]] {
        let mut command = program(folder.path());
        command.args(arguments).env("LOG_LEVEL", "trace").stdout(closed()).stderr(closed());
        assert_eq!(command.status().unwrap().code(), Some(0), "{arguments:?}");
    }
    assert_eq!(manifest(folder.path())["month"], "2013-09");
    let mut command = program(folder.path());
    command.args(["config", "show"]).stdout(fs::File::options().write(true).open("/dev/full").unwrap());
    let output = command.output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(4) && message.contains("stdout: No space left"), "{message}");
}

#[test]
fn more_threads_than_help_are_not_started() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        harness(folder.path()).args(["config", "show", "--jobs", "3000"]).assert().success().get_output().clone();
    assert!(String::from_utf8(output.stderr).unwrap().contains("jobs = 3000"));
}

#[test]
fn an_interrupted_command_ends_with_code_130() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("harness"))
        .args(["synth", "--months", "2010-07..2020-12", "--out", "years"])
        .current_dir(folder.path())
        .spawn()
        .unwrap();
    // Made in order: once the first month is there, the program is at work.
    let first = folder.path().join("years");
    while !first.is_dir() || fs::read_dir(&first).unwrap().next().is_none() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
