//! The success criteria: each has a figure, a metric, an alert rule of ours and one of Prometheus, and its numbers are the
//! same wherever they stand.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::{
    monitor::Monitor,
    month::{self, FILE, current, harness, outcome, program, run, store, store_whole, synthetic, synthetic_whole},
};

/// A criterion, its limit, and of each of its figures the alert rule and the condition of Prometheus.
type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// The runbook's table: the criterion, its limit in the report, and of each figure the alert rule with its default as it
/// stands in the guide, and the condition of Prometheus.
const TABLE: [Row; 12] = [
    (
        "Peak memory",
        "under 8.00 GB",
        &[("memory_gb       = { warning = 8, critical = 10, hysteresis = 0.05 }", "harness_month_peak_bytes > 8e9")],
    ),
    (
        "Time of a month",
        "under 30.0 min",
        &[("month_minutes   = { warning = 30, critical = 45 }", "harness_month_seconds > 1800")],
    ),
    (
        "Win rates, all modes",
        "at least 5.0 %; at most 50.0 %",
        &[
            ("win_rate_low    = { warning = 0.05 }", "harness_month_win_ratio < 0.05 or harness_month_win_ratio > 0.5"),
            ("win_rate_high   = { warning = 0.5 }", "harness_month_win_ratio < 0.05 or harness_month_win_ratio > 0.5"),
        ],
    ),
    (
        "Quality",
        "above 0.800",
        &[("quality         = { warning = 0.8, critical = 0.7 }", "harness_month_quality < 0.8")],
    ),
    (
        "NaN share, features with a window",
        "under 35.0 %",
        &[("nan_share       = { warning = 0.35 }", "harness_month_nan_ratio > 0.35")],
    ),
    ("Error rate", "under 2.0 %", &[("failure_rate    = { warning = 0.02 }", "harness_error_ratio > 0.02")]),
    (
        "Roll detection",
        "above 95.0 %",
        &[("roll_detection  = { warning = 0.95 }", "harness_roll_detection_ratio < 0.95")],
    ),
    (
        "Availability",
        "at least 99.5 %",
        &[("availability    = { warning = 0.995 }", "harness_availability_ratio < 0.995")],
    ),
    (
        "Consistency",
        "at most 0.050; at most 0",
        &[
            ("score_deviation = { warning = 0.05 }", "harness_score_deviation > 0.05"),
            ("months_unlike   = { warning = 0 }", "harness_months_unlike > 0"),
        ],
    ),
    (
        "Automatic recovery",
        "at least 95.0 %",
        &[("recovery        = { warning = 0.95 }", "harness_recovery_ratio < 0.95")],
    ),
    ("Coverage", "at least 100.0 %", &[("coverage        = { warning = 1 }", "harness_coverage_ratio < 1")]),
    ("Documentation", "at least passed", &[("documentation   = { warning = 1 }", "harness_documentation_passed < 1")]),
];

/// The same criteria as `docs/quality.md` has them, with their limits there.
const QUALITY: [(&str, &str); 12] = [
    ("peak memory", "under 8 GB"),
    ("time of a month", "under 30 minutes"),
    ("win rates, all modes", "5 to 50 %"),
    ("quality", "above 0.8"),
    ("NaN share of features with a window", "below 35 %"),
    ("error rate", "under 2 %"),
    ("roll detection", "above 95 %"),
    ("availability", "99.5 %"),
    ("consistency", "at most 0.05, none"),
    ("recovery", "95 %"),
    ("coverage", "100 %"),
    ("documentation", "yes"),
];

fn success(folder: &Path) -> (Vec<Value>, i32) {
    let (report, code) = outcome(folder, &["report", "success"]);
    (report["tables"]["success"].as_array().unwrap().clone(), code)
}

fn row<'a>(rows: &'a [Value], name: &str) -> &'a Value {
    rows.iter().find(|row| row["criterion"] == name).unwrap()
}

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_criteria_are_those_of_the_page_on_quality() {
    let page = file("../docs/quality.md");
    let (_, table) = page.split_once("| criterion | limit |\n|---|---|\n").unwrap();
    let rows = table.lines().map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    let rows: Vec<(&str, &str)> = rows.map(|(name, limit)| (name.split(':').next().unwrap(), limit)).collect();
    assert_eq!(rows, QUALITY);
    for ((name, ..), (known, _)) in TABLE.iter().zip(QUALITY) {
        let word = known.split([' ', ',']).next().unwrap();
        assert!(name.to_lowercase().contains(&word.to_lowercase()), "{name} stands where {known} is");
    }
}

#[test]
fn every_criterion_has_a_figure_a_metric_an_alert_rule_and_one_of_prometheus() {
    let folder = store_whole();
    // A month that failed, so that there is something to recover from.
    let raw = folder.path().join("store/raw-data/databento").join(FILE);
    fs::write(&raw, &fs::read(synthetic_whole()).unwrap()[..100_000]).unwrap();
    harness(folder.path()).args(["run", "--month", "2013-09"]).assert().code(1);
    fs::copy(synthetic_whole(), &raw).unwrap();
    run(folder.path(), &[]);
    let (rows, code) = success(folder.path());
    let (guide, rules) = (file("../GUIDE.md"), file("deploy/prometheus/rules.yml"));
    let monitor = Monitor::start(folder.path());
    let metrics = monitor.get("/metrics").2;
    for (name, limit, figures) in TABLE {
        let row = row(&rows, name);
        assert_eq!(row["limit"], limit, "{name}");
        assert!(guide.contains(&format!("| {name} | {limit} |")), "{name}: its row in the guide");
        for (default, condition) in figures {
            assert!(guide.contains(&format!("\n{default}\n")), "{name}: {default} in the guide");
            assert!(rules.contains(&format!("expr: {condition}\n")), "{name}: {condition} in the rules of Prometheus");
            let metric = condition.split(' ').next().unwrap();
            // Whether the guide's script has passed with this program depends on who built it.
            if name != "Documentation" {
                assert_eq!(row["met"], true, "{name}: {row}");
                assert!(metrics.contains(&format!("\n{metric}")), "{name}: {metric} is not served");
            }
        }
    }
    assert_eq!((rows.len(), code), (TABLE.len(), 0));
    // The defaults of the guide are the program's: without one of them the rule is off, and not covered.
    fs::write(folder.path().join("harness.toml"), "[alerts.rules]\nroll_detection = {}\n").unwrap();
    let (rows, code) = success(folder.path());
    assert_eq!((code, &row(&rows, "Coverage")["met"]), (1, &Value::Bool(false)));
    assert!(row(&rows, "Coverage")["worst_or_of_what"].as_str().unwrap().starts_with("11 of 12"));
}

#[test]
fn a_month_that_readers_do_not_find_is_not_available() {
    let folder = store();
    run(folder.path(), &[]);
    fs::write(folder.path().join("harness.toml"), "[alerts.rules]\ndisk_gb = {}\n").unwrap();
    let available = || {
        let (rows, code) = success(folder.path());
        let firing = outcome(folder.path(), &["alerts", "check"]).0["firing"].clone();
        let rules: Vec<String> =
            firing.as_array().unwrap().iter().map(|alert| alert["rule"].as_str().unwrap().to_owned()).collect();
        (row(&rows, "Availability")["measured"].as_f64(), code, rules)
    };
    assert_eq!(available(), (Some(1.0), 0, vec![]));
    let data = current(folder.path(), "data");
    let whole = fs::read(&data).unwrap();
    fs::write(&data, &whole[..1000]).unwrap();
    assert_eq!(available(), (Some(0.0), 1, vec!["availability".to_owned()]));
    fs::write(&data, whole).unwrap();
    // A month after the last that was asked for: its file was there before, so nobody has asked for it.
    let later = folder.path().join("store/raw-data/glbx-mdp3-20131001-20131031.ohlcv-1s.dbn");
    fs::write(&later, "no bars").unwrap();
    let at = |hours: i64| {
        let time =
            std::time::SystemTime::try_from(jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours)).unwrap();
        fs::File::options().append(true).open(&later).unwrap().set_modified(time).unwrap();
    };
    at(-48);
    assert_eq!(available(), (Some(1.0), 0, vec![]));
    // One that has arrived since is asked for, and due after a day.
    month::change(&folder.path().join("store").join(month::MONTH).join("manifest.json"), |manifest| {
        let long_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(100);
        manifest["current"]["published"] = long_ago.to_string().into();
    });
    at(-23);
    assert_eq!(available(), (Some(1.0), 0, vec![]));
    // Nor is one whose run has just begun.
    at(-25);
    let status = folder.path().join("store/processed-data/status");
    let beat = status.join(month::names(&status).into_iter().find(|name| name.starts_with("run-")).unwrap());
    month::change(&beat, |beat| beat["last"] = "2013-10".into());
    assert_eq!(available(), (Some(1.0), 0, vec![]));
    month::change(&beat, |beat| beat["last"] = "2013-09".into());
    at(-25);
    assert_eq!(available(), (Some(0.5), 1, vec!["availability".to_owned()]));
}

#[test]
fn a_month_recovers_by_itself_or_by_a_persons_flag() {
    let folder = store();
    let raw = folder.path().join("store/raw-data/databento").join(FILE);
    let recovery = || {
        let (rows, code) = success(folder.path());
        let row = row(&rows, "Automatic recovery").clone();
        (row["measured"].as_f64(), row["worst_or_of_what"].as_str().unwrap().to_owned(), code)
    };
    let fail = || {
        fs::write(&raw, &fs::read(synthetic()).unwrap()[..100_000]).unwrap();
        harness(folder.path()).args(["run", "--month", "2013-09"]).assert().code(1);
        fs::copy(synthetic(), &raw).unwrap();
    };
    fail();
    assert_eq!(recovery(), (Some(0.0), "0 of 1 months that failed were published later".into(), 1));
    run(folder.path(), &[]);
    assert_eq!(recovery(), (Some(1.0), "1 of 1 months that failed were published later".into(), 0));
    fail();
    run(folder.path(), &["--force"]);
    let helped = "0 of 1 months that failed were published later, 1 more with --force";
    assert_eq!(recovery(), (Some(0.0), helped.into(), 1));
    fail();
    run(folder.path(), &[]);
    assert_eq!(recovery(), (Some(1.0), "1 of 1 months that failed were published later".into(), 0));
}

#[test]
fn the_guide_is_documentation_once_its_script_has_passed_with_these_sources() {
    let folder = store();
    run(folder.path(), &[]);
    // A program of its own: beside the other one may lie a verdict.
    let copy = folder.path().join("harness");
    fs::copy(program(folder.path()).get_program(), &copy).unwrap();
    let of_copy = |arguments: &[&str]| {
        let mut command = Command::new(&copy);
        let output = command.current_dir(folder.path()).env_clear().args(arguments).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    };
    let version = of_copy(&["--version"]).0;
    let sources = version.lines().find_map(|line| line.strip_prefix("sources ")).unwrap();
    let documentation = |verdict: Option<String>| {
        let path = folder.path().join("guide.verdict");
        match verdict {
            Some(verdict) => fs::write(path, verdict).unwrap(),
            None => _ = fs::remove_file(path),
        }
        let (report, code) = of_copy(&["report", "success", "--json"]);
        let report: Value = serde_json::from_str(&report).unwrap();
        let rows = report["tables"]["success"].as_array().unwrap();
        (row(rows, "Documentation")["met"].clone(), code)
    };
    assert_eq!(documentation(None), ("not measured".into(), Some(0)));
    assert_eq!(documentation(Some("0123456789abcdef passed".into())), ("not measured".into(), Some(0)));
    assert_eq!(documentation(Some(format!("{sources} passed\n"))), (true.into(), Some(0)));
    assert!(of_copy(&["report", "success"]).0.contains("All 12 are met."));
    assert_eq!(documentation(Some(format!("{sources} GUIDE.md:77: failed with code 1\n"))), (false.into(), Some(1)));
}
