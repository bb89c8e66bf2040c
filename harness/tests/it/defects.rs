//! Every seeded defect is found, named and scored, and the clean months around are clean.

use crate::month;
use std::{collections::BTreeMap, fs, path::Path};

use crate::month::{harness, json};
use data::{
    Month, MonthRange,
    synth::{Defect, Plan, write_months},
};
use rayon::prelude::*;
use serde_json::Value;

/// Where a defect shows.
enum Shown {
    /// Records counted under a cleaning rule, at least so many.
    Counted(&'static str, u64),
    /// A deduction of the score, with these words; so are warnings.
    Deducted(&'static str),
    /// The month is refused with these words.
    Refused(&'static str),
    /// A finding of `validate` with this rule, that says this.
    Found(&'static str, &'static str),
    /// A figure unlike the archive's in `quality`.
    Unlike(&'static str),
    /// The month is wrong by this fault: `run` and `validate` both say so.
    Wrong(&'static str),
}

use Shown::{Counted, Deducted, Found, Refused, Unlike, Wrong};

fn shown(kind: Defect) -> Vec<Shown> {
    match kind {
        Defect::DuplicateDifferent => vec![Refused("differ")],
        Defect::MissingDay => vec![Deducted("weekdays without a session")],
        Defect::PriceSpike => {
            vec![Deducted("bars more than 2 % away from the close before"), Found("range", "bar_range")]
        }
        Defect::SpreadLeakage => {
            vec![Deducted("bars more than 2 % away from the close before"), Found("range", "return_30s")]
        }
        Defect::HalfDay => vec![Deducted("nothing trades after")],
        Defect::MissingHours => vec![Deducted("nothing trades for 12")],
        Defect::StuckPrice => vec![Deducted("and no other price")],
        Defect::DoubledVolume => vec![Deducted("every volume is a multiple of 2")],
        Defect::WrongDst => vec![Wrong("hours")],
        Defect::DayTimesTen => vec![Deducted("in the session before"), Wrong("session_level")],
        Defect::DayTenth => {
            vec![Counted("price_off_tick", 10_000), Deducted("dropped by cleaning"), Wrong("session_level")]
        }
        Defect::ShiftedDay => {
            vec![Counted("sub_second", 10_000), Deducted("weekdays without a session"), Wrong("transfer")]
        }
        Defect::ContractMix => vec![Deducted("have each other's volumes and prices"), Wrong("two_contracts")],
        Defect::FileTimesTen => vec![Unlike("median price"), Wrong("month_level")],
        Defect::FileHundredth => {
            vec![Counted("price_off_tick", 500_000), Deducted("win rate"), Unlike("median price"), Wrong("month_level")]
        }
        Defect::WrongTick => vec![Counted("price_off_tick", 300_000), Deducted("are filled")],
        Defect::OtherMonth => vec![Refused("download it again")],
        Defect::WrongRoot => vec![Refused("the root is NQ, not ES")],
        Defect::EmptyFile => vec![Refused("an empty file")],
        Defect::NoRecords => vec![Refused("the file has no records")],
        Defect::WrongSchema => vec![Refused("found schema ohlcv-1m")],
        Defect::Truncated => vec![Refused("truncated")],
        Defect::DamagedFrame => vec![Refused("the compressed stream is damaged")],
        Defect::FlippedByte => vec![Wrong("transfer")],
        Defect::SubSecond | Defect::TimeBackwards => vec![Counted(kind.rule().unwrap(), 3), Wrong("transfer")],
        Defect::FrontOutage => vec![Deducted("has no record in the session"), Deducted("weekdays without a session")],
        counted => vec![Counted(counted.rule().unwrap(), 3)],
    }
}

/// Two spoiled months, a clean one, two spoiled ones, and so on.
fn archive(folder: &Path) -> BTreeMap<String, Option<Defect>> {
    let mut kinds = Defect::ALL.into_iter();
    let range: MonthRange = "2011-01..2020-12".parse().unwrap();
    let mut months: Vec<(Month, Option<Defect>)> = Vec::new();
    for (number, month) in range.iter().enumerate() {
        let clean = number % 3 == 2;
        let kind = if clean { None } else { kinds.next() };
        if !clean && kind.is_none() {
            break;
        }
        months.push((month, kind));
    }
    months.par_iter().for_each(|&(month, kind)| {
        let plan = Plan { defects: kind.into_iter().collect(), ..Plan::default() };
        let dir = folder.join("raw").join(month.to_string());
        fs::create_dir_all(&dir).unwrap();
        write_months(&plan, MonthRange::new(month, month).unwrap(), &dir, &mut |_| ()).unwrap();
    });
    months.into_iter().map(|(month, kind)| (month.to_string(), kind)).collect()
}

/// What a command prints as JSON, with this exit code.
fn ends(folder: &Path, code: i32, arguments: &[&str]) -> Value {
    let output =
        harness(folder).args(arguments).args(["--raw", "raw", "--json"]).assert().code(code).get_output().clone();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn by_month(list: &Value) -> BTreeMap<String, Value> {
    let entries = list.as_array().unwrap().iter();
    entries.map(|entry| (entry["month"].as_str().unwrap().to_owned(), entry.clone())).collect()
}

fn statistics(folder: &Path, month: &str) -> Value {
    let (year, number) = month.split_once('-').unwrap();
    let store = folder.join("store");
    let manifest = fs::read(store.join(format!("processed-data/monthly/{year}/{number}/manifest.json"))).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let key = manifest["current"]["statistics"]["key"].as_str().unwrap();
    serde_json::from_slice(&fs::read(store.join(key)).unwrap()).unwrap()
}

#[test]
fn every_seeded_defect_is_found_named_and_scored_and_clean_months_are_clean() {
    assert!(Defect::ALL.len() >= 25);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let months = archive(folder);
    let range = format!("{}..{}", months.first_key_value().unwrap().0, months.last_key_value().unwrap().0);
    let run = by_month(&ends(folder, 1, &["run", "--months", &range]));
    let validated = by_month(&ends(folder, 1, &["validate", "--all", "--sample", "20"])["months"]);
    let quality = ends(folder, 1, &["quality", "--months", &range]);
    let scores = by_month(&quality["months"]);
    let unlike = quality["unlike"].as_array().unwrap();
    assert_eq!((run.len(), validated.len()), (months.len(), scores.len()));

    for (month, kind) in &months {
        let outcome = run[month]["outcome"].as_str().unwrap();
        let of_month = |found: &&Value| found["month"] == **month && found["severity"] != "note";
        let findings =
            validated.get(month).map(|report| report["findings"].as_array().unwrap().clone()).unwrap_or_default();
        let findings: Vec<&Value> = findings.iter().filter(of_month).collect();
        let unlike: Vec<&Value> = unlike.iter().filter(of_month).collect();
        // The gate's list and the errors of `validate` are one.
        let says = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
        let wrong = says(&run[month]["wrong"]);
        let errors: Vec<&&Value> = findings.iter().filter(|found| found["severity"] == "error").collect();
        assert_eq!(wrong, !errors.is_empty(), "{kind:?} in {month}: {} {errors:?}", run[month]);
        let expected = kind.is_some_and(|kind| shown(kind).iter().any(|shown| matches!(shown, Wrong(_))));
        assert_eq!(wrong, expected, "{kind:?} in {month}: {} {errors:?}", run[month]["wrong"]);
        let Some(kind) = kind else {
            let score = run[month]["score"].as_f64().unwrap();
            assert!(outcome == "published" && score >= 0.95, "{month}: {outcome}, {score}");
            assert!(findings.is_empty() && unlike.is_empty(), "{month}: {findings:?} {unlike:?}");
            continue;
        };
        for shown in shown(*kind) {
            if let Refused(words) = shown {
                let error = run[month]["error"].as_str().unwrap();
                assert!(outcome == "failed" && error.contains(words), "{kind} in {month}: {error}");
                continue;
            }
            // Scored: the same in the statistics, the manifest and the archive's.
            let statistics = statistics(folder, month);
            let score = &statistics["quality"]["score"];
            assert!(outcome == "published" && *score == run[month]["score"], "{kind} in {month}: {outcome}");
            assert_eq!(*score, scores[month]["quality"]["score"], "{kind} in {month}");
            let deductions = statistics["quality"]["deductions"].as_array().unwrap();
            let named = |list: &[&Value], field: &str, words: &str| {
                list.iter().any(|entry| entry[field].as_str().unwrap().contains(words))
            };
            let holds = match shown {
                Counted(rule, least) => statistics["records"][rule].as_u64().unwrap() >= least,
                Deducted(words) => named(&deductions.iter().collect::<Vec<_>>(), "reason", words),
                Found(rule, words) => {
                    let of_rule = |finding: &&&Value| finding["rule"] == rule;
                    named(&findings.iter().filter(of_rule).copied().collect::<Vec<_>>(), "found", words)
                }
                Unlike(figure) => named(&unlike, "figure", figure),
                Wrong(kind) => {
                    let of_kind = |finding: &&Value| finding["rule"] == kind && finding["severity"] == "error";
                    let faults: Vec<&Value> = statistics["errors"].as_array().unwrap().iter().collect();
                    let low = score.as_f64().unwrap() <= 0.5 && statistics["quality"]["band"] == "low";
                    low && statistics["quality"]["reprocess"]["needed"] == false
                        && named(&faults, "kind", kind)
                        && findings.iter().any(of_kind)
                }
                Refused(_) => false,
            };
            assert!(holds, "{kind} in {month}: {deductions:?} {findings:?} {unlike:?}");
        }
    }

    let refused = |kind: &Defect| matches!(shown(*kind)[..], [Refused(_)]);
    let not_there: Vec<&str> =
        quality["absent"].as_array().unwrap().iter().map(|absent| absent["month"].as_str().unwrap()).collect();
    let expected: Vec<&str> =
        months.iter().filter(|(_, kind)| kind.as_ref().is_some_and(refused)).map(|(month, _)| month.as_str()).collect();
    assert_eq!(not_there, expected);
    for month in expected {
        let file = month::names(&folder.join("raw").join(month)).remove(0);
        let input = format!("raw/{month}/{file}");
        harness(folder).args(["process", &input, "out.parquet"]).assert().code(3);
    }
}

#[test]
fn a_file_of_another_month_changes_nothing_in_that_month() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let synth = |month: &str, out: &str, defects: &[&str]| {
        harness(folder).args(["synth", "--months", month, "--out", out]).args(defects).assert().success();
    };
    synth("2013-12", "alone", &[]);
    synth("2013-12", "raw/december", &[]);
    synth("2013-11", "raw/november", &["--defects", "other-month"]);
    // Without a November, and with one that fails.
    let rolls = |raw: &str, store: &str| {
        let run = ["run", "--months", "2013-11..2013-12", "--raw", raw, "--store", store];
        harness(folder).args(run).assert().code(1);
        fs::rename(folder.join(store), folder.join("store")).unwrap();
        let rolls = statistics(folder, "2013-12")["rollovers"].clone();
        fs::rename(folder.join("store"), folder.join(store)).unwrap();
        rolls
    };
    let alone = rolls("alone", "first");
    assert!(alone[0]["volume_from"].as_u64().unwrap() > 1000, "{alone}");
    assert_eq!(rolls("raw", "second"), alone);
    harness(folder).args(["validate", "--month", "2013-12", "--raw", "raw", "--store", "second"]).assert().success();
}

#[test]
fn a_wrong_month_is_withheld_whatever_the_threshold_and_says_why_first() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let synth = |month: &str, defects: &[&str]| {
        harness(folder).args(["synth", "--months", month, "--out", "raw"]).args(defects).assert().success();
    };
    let spoilt = "day-times-ten,contract-mix,wrong-dst";
    synth("2013-04..2013-06", &[]);
    synth("2013-05", &["--defects", spoilt]);
    let run = ["run", "--months", "2013-04..2013-06", "--raw", "raw"];
    let output = |code: i32, arguments: &[&str]| {
        let output = harness(folder).args(arguments).assert().code(code).get_output().clone();
        String::from_utf8(output.stdout).unwrap()
    };
    let withheld = output(1, &[&run[..], &["--gate", "--threshold", "0.01"]].concat());
    let why = withheld.lines().find(|line| line.starts_with("2013-05  withheld: wrong: ")).unwrap();
    for words in [
        "prices around 14257.5 beside 1392",
        ": 2013-05-02",
        "ESM3 and ESU3 have each other's records",
        "an hour late",
        "download the ",
    ] {
        assert!(why.contains(words), "{words}: {why}");
    }
    for month in ["2013-04", "2013-06"] {
        assert!(withheld.contains(&format!("{month}  published  ")), "{withheld}");
    }
    assert!(output(0, &["months", "list"]).contains("withheld at "), "withheld");
    assert!(output(0, &["status"]).contains("wrong       2013-05: withheld, wrong: prices around"));

    // Published without a gate it says so wherever it is shown, and what is to be done is not to make it again.
    let published = output(0, &run);
    assert!(published.contains("  WRONG                    prices around"), "{published}");
    assert!(published.contains("2013-05  wrong: prices around"), "{published}");
    let quality = output(1, &["quality", "--threshold", "0.01"]);
    assert!(
        quality.contains("wrong, whatever the score: 1 of these")
            && quality.contains("2013-05  0.500\n    wrong: prices"),
        "{quality}"
    );
    assert!(quality.contains("reprocess: 0 months"), "{quality}");
    let list = output(0, &["months", "list"]);
    assert!(list.contains("quality 0.500") && list.contains("         wrong: prices around"), "{list}");
    assert!(!list.contains("reprocess:"), "{list}");
    assert!(output(0, &["status"]).contains("wrong       2013-05: prices around"));
    assert!(output(1, &["report", "monthly", "--month", "2013-05"]).contains("error: wrong: prices around"));
    assert!(output(0, &["report", "final"]).contains("have each other's records"));
    assert!(output(0, &["months", "reprocess", "2013-04..2013-06", "--needed"]).contains("no month of"));
}

#[test]
fn the_gate_names_the_months_under_it_with_their_reasons() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let synth = |month: &str, defects: &[&str]| {
        let arguments = ["synth", "--months", month, "--out", "raw"];
        harness(folder).args(arguments).args(defects).assert().success();
    };
    synth("2013-09..2013-10", &[]);
    synth("2013-11", &["--defects", "file-hundredth"]);
    json(harness(folder).args(["run", "--months", "2013-09..2013-11", "--raw", "raw", "--json"]));
    let text = |code: i32, arguments: &[&str]| {
        let output = harness(folder).arg("quality").args(arguments).assert().code(code).get_output().clone();
        String::from_utf8(output.stdout).unwrap()
    };
    let all = text(1, &[]);
    for words in [
        "3 months from 2013-09 to 2013-11: 2 high, 0 medium, 1 low",
        "gate 0.8: 1 below it\n  2013-11  0.",
        "of the records were dropped by cleaning",
        "trend: -",
        // To be downloaded again: no reprocessing changes it.
        "wrong, whatever the score: 1 of these",
    ] {
        assert!(all.contains(words), "'{words}': {all}");
    }
    assert!(text(0, &["--months", "2013-09..2013-10"]).contains("gate 0.8: none below it"));
    assert!(all.contains("reprocess: 0 months"), "{all}");
    assert!(text(1, &["--threshold", "0.2"]).contains("gate 0.2: 1 below it"), "a wrong month passes no gate");
    // A month that was asked for and is not there misses the gate.
    assert!(text(1, &["--months", "2013-08..2013-10"]).contains("2013-08  no statistics: not published"));
    let statistics = folder.join("store/processed-data/monthly/2013/09/statistics");
    fs::remove_dir_all(statistics).unwrap();
    assert!(text(1, &["--threshold", "0.2"]).contains("2013-09  no statistics: processed-data"));
    harness(folder).args(["quality", "--threshold", "7"]).assert().code(2);
    harness(folder).args(["quality", "--store", "nothing"]).assert().code(2);
}

#[test]
fn watch_looks_again_until_it_is_interrupted() {
    let folder = month::store();
    month::run(folder.path(), &[]);
    let output = fs::File::create(folder.path().join("watched")).unwrap();
    let mut child = month::program(folder.path()).args(["quality", "--watch"]).stdout(output).spawn().unwrap();
    let looks = || fs::read_to_string(folder.path().join("watched")).unwrap().matches("gate 0.8").count();
    while looks() < 2 {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
