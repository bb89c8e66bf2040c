//! Front contracts over an archive: one answer for one file and for many, whichever months are run.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::month::{harness, json, names};
use serde_json::Value;

/// A file or folder of `tests/cases`.
fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

/// The statistics of a file's months.
fn process(file: &str, more: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let found = json(
        harness(folder.path()).args(["process", case(file).to_str().unwrap(), "out.parquet", "--json"]).args(more),
    );
    found.as_array().cloned().unwrap_or_else(|| vec![found])
}

/// Runs months of the raw files in a folder; their statistics in order.
fn run(folder: &Path, raw: &Path, months: &[&str], more: &[&str]) -> Vec<Value> {
    for month in months {
        harness(folder)
            .args(["run", "--months", month, "--raw", raw.to_str().unwrap(), "--decay-reference", "2024-12"])
            .args(more)
            .assert()
            .success();
    }
    statistics(folder)
}

/// The statistics that are published, in order.
fn statistics(folder: &Path) -> Vec<Value> {
    let mut found = Vec::new();
    let monthly = folder.join("store/processed-data/monthly");
    for year in names(&monthly) {
        for month in names(&monthly.join(&year)) {
            let read = |path: PathBuf| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
            let manifest = read(monthly.join(&year).join(month).join("manifest.json"));
            found.push(read(folder.join("store").join(manifest["current"]["statistics"]["key"].as_str().unwrap())));
        }
    }
    found
}

/// The published months are what the raw records say, by the path of `validate`. Their prices are of nobody's market.
fn validates(folder: &Path, raw: &Path) {
    let arguments = ["validate", "--all", "--json", "--raw", raw.to_str().unwrap()];
    let output = harness(folder).args(arguments).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let months = found["months"].as_array().unwrap();
    assert!(months.iter().all(|month| month["raw"] == true && month["rows"].as_u64() > Some(0)), "{months:?}");
    let findings = months.iter().flat_map(|month| month["findings"].as_array().unwrap());
    let errors: Vec<&Value> =
        findings.filter(|finding| finding["severity"] == "error" && finding["check"] != "output").collect();
    assert!(errors.is_empty(), "{errors:?}");
}

/// Date and contract of each session.
fn fronts(months: &[Value]) -> Vec<(String, String)> {
    let sessions = months.iter().flat_map(|month| month["sessions"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    sessions.map(|session| (text(&session["date"]), text(&session["contract"]))).collect()
}

/// Each rollover: date, contracts and price gap.
fn rolls(months: &[Value]) -> Vec<String> {
    let rolls = months.iter().flat_map(|month| month["rollovers"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rolls.map(|roll| format!("{} {} -> {}", text(&roll["date"]), text(&roll["from"]), text(&roll["to"]))).collect()
}

/// What is found in months must be the same of these.
fn figures(months: &[Value]) -> Vec<Value> {
    let of = |month: &Value| serde_json::json!([month["sessions"], month["rollovers"], month["modes"]]);
    months.iter().map(of).collect()
}

#[test]
fn a_month_goes_on_with_the_front_of_the_month_before() {
    let gold = ["--root", "GC", "--tick-size", "0.1"];
    let whole = process("swing/both.dbn.zst", &[&gold[..], &["--decay-reference", "2024-12"]].concat());
    assert_eq!(rolls(&whole), ["2024-05-29 GCM4 -> GCQ4"]);
    let contract = |date: &str| if date < "2024-05-29" { "GCM4" } else { "GCQ4" };
    assert!(fronts(&whole).iter().all(|(date, front)| front == contract(date)), "{:?}", fronts(&whole));
    assert_eq!(whole[0]["fronts"]["month_before"], Value::Null);
    assert_eq!(whole[1]["fronts"]["month_before"], "GCQ4");

    let raw = case("swing/raw");
    for months in [
        &["2024-05..2024-06"][..],
        &["2024-05", "2024-06"],
        &["2024-06", "2024-05"],
        &["2024-05", "2024-06", "2024-05..2024-06"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let found = run(folder.path(), &raw, months, &gold);
        assert_eq!(figures(&found), figures(&whole), "{months:?}");
        assert_eq!(found[1]["fronts"]["month_before"], "GCQ4");
        assert_eq!(names(&folder.path().join("store/processed-data/volumes")).len(), 2);
        validates(folder.path(), &raw);
    }
}

#[test]
fn a_month_is_remade_when_the_month_before_arrives_and_changes_its_fronts_and_not_otherwise() {
    let gold = ["--root", "GC", "--tick-size", "0.1"];
    let (folder, raw) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [may, june] =
        ["20240501-20240531", "20240601-20240630"].map(|dates| format!("glbx-mdp3-{dates}.ohlcv-1s.dbn.zst"));
    let add = |name: &str| fs::copy(case("swing/raw").join(name), raw.path().join(name)).unwrap();
    let outcome = || {
        let arguments = ["run", "--month", "2024-06", "--json", "--raw", raw.path().to_str().unwrap()];
        json(harness(folder.path()).args(arguments).args(gold))[0]["outcome"].clone()
    };
    add(&june);
    assert_eq!(outcome(), "published");
    let alone = statistics(folder.path());
    // Alone, June begins with the contract that swings back to the most volume.
    assert_eq!(rolls(&alone).len(), 1);
    assert_eq!(alone[0]["fronts"]["month_before"], Value::Null);
    assert_eq!(outcome(), "unchanged");
    add(&may);
    assert_eq!(outcome(), "published");
    let after = statistics(folder.path());
    assert_eq!(rolls(&after).len(), 0);
    assert_eq!(after[0]["fronts"]["month_before"], "GCQ4");
    assert_eq!(outcome(), "unchanged");
    // A manifest of an earlier version does not name the fronts: the statistics do, and nothing is remade.
    let manifest = folder.path().join("store/processed-data/monthly/2024/06/manifest.json");
    let mut known: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    let fronts = known["current"]["made_from"].as_object_mut().unwrap().remove("fronts").unwrap();
    assert_eq!(fronts["contracts"][0]["contract"], "GCQ4");
    fs::write(&manifest, serde_json::to_vec(&known).unwrap()).unwrap();
    assert_eq!(outcome(), "unchanged");
    // Without May it is another month again.
    fs::remove_file(raw.path().join(&may)).unwrap();
    assert_eq!(outcome(), "published");
    assert_eq!(rolls(&statistics(folder.path())), rolls(&alone));
}

#[test]
fn volumes_that_are_damaged_or_gone_are_made_again() {
    let gold = ["--root", "GC", "--tick-size", "0.1"];
    let folder = tempfile::tempdir().unwrap();
    let raw = case("swing/raw");
    let first = run(folder.path(), &raw, &["2024-06"], &gold);
    let volumes = folder.path().join("store/processed-data/volumes");
    let stored = |name: &String| fs::read(volumes.join(name)).unwrap();
    let before: Vec<Vec<u8>> = names(&volumes).iter().map(stored).collect();
    assert_eq!(before.len(), 2);
    for (number, name) in names(&volumes).iter().enumerate() {
        let damaged = String::from_utf8(before[number].clone()).unwrap().replace("\"session\":1", "\"session\":9");
        assert_ne!(damaged.as_bytes(), &before[number][..]);
        fs::write(volumes.join(name), damaged).unwrap();
    }
    // A dry run leaves them as they are.
    let dry = run(folder.path(), &raw, &["2024-06"], &[&gold[..], &["--dry-run"]].concat());
    assert_eq!(figures(&dry), figures(&first));
    assert_ne!(names(&volumes).iter().map(stored).collect::<Vec<_>>(), before);
    assert_eq!(figures(&run(folder.path(), &raw, &["2024-06"], &gold)), figures(&first));
    assert_eq!(names(&volumes).iter().map(stored).collect::<Vec<_>>(), before);
    fs::remove_dir_all(&volumes).unwrap();
    assert_eq!(figures(&run(folder.path(), &raw, &["2024-06"], &gold)), figures(&first));
    assert_eq!(names(&volumes).iter().map(stored).collect::<Vec<_>>(), before);
    harness(folder.path()).args(["clean", "--dry-run"]).assert().success();
    assert_eq!(names(&volumes).len(), 2);
}

#[test]
fn contracts_trade_after_the_month_they_are_named_for() {
    let rates = process("expired/sr3.dbn.zst", &["--root", "SR3", "--tick-size", "0.005"]);
    assert_eq!(fronts(&rates)[0], ("2024-05-06".into(), "SR3H4".into()));
    assert_eq!(rolls(&rates), ["2024-05-07 SR3H4 -> SR3M4"]);
    let silver = process("expired/si.dbn.zst", &["--root", "SI", "--tick-size", "0.005"]);
    assert_eq!(rolls(&silver), ["2024-06-28 SIM4 -> SIU4"]);
    assert_eq!(fronts(&silver).last().unwrap(), &("2024-07-01".into(), "SIU4".into()));
}

#[test]
fn a_date_belongs_to_its_month_wherever_its_records_lie() {
    let whole_day = ["--session-start", "00:00", "--session-end", "24:00"];
    let whole = process("utc-edge/both.dbn.zst", &[&whole_day[..], &["--decay-reference", "2024-12"]].concat());
    let folder = tempfile::tempdir().unwrap();
    let raw = case("utc-edge/raw");
    let found = run(folder.path(), &raw, &["2024-01..2024-02"], &whole_day);
    let last = found[0]["sessions"].as_array().unwrap().last().unwrap();
    assert_eq!((last["date"].as_str(), last["rows"].as_u64()), (Some("2024-01-31"), Some(86_400)));
    assert_eq!(figures(&found), figures(&whole));
    let inputs = |month: usize| found[month]["inputs"].as_array().unwrap().len();
    assert_eq!((inputs(0), inputs(1)), (2, 1));
    // March is not there, and its file holds the last hours of February's last date.
    let said = |month: &Value| {
        month["warnings"]
            .to_string()
            .contains("2024-02-29: the raw file of 2024-03, which holds part of the session, is missing")
    };
    assert!(!said(&found[0]) && said(&found[1]), "{}", found[1]["warnings"]);
    validates(folder.path(), &raw);

    // The usual session lies within the files: no other is read.
    let folder = tempfile::tempdir().unwrap();
    let found = run(folder.path(), &raw, &["2024-01..2024-02"], &[]);
    assert!(found.iter().all(|month| month["inputs"].as_array().unwrap().len() == 1));
}

#[test]
fn a_roll_on_a_first_session_has_the_price_gap_of_the_month_before() {
    let whole = process("pricegap/both.dbn.zst", &["--decay-reference", "2024-12"]);
    let raw = case("pricegap/raw");
    let mut all = vec![whole];
    for months in [&["2024-05..2024-06"][..], &["2024-06", "2024-05"]] {
        let folder = tempfile::tempdir().unwrap();
        all.push(run(folder.path(), &raw, months, &[]));
        validates(folder.path(), &raw);
    }
    for months in &all {
        assert_eq!(rolls(&months[..1]), [""; 0]);
        assert_eq!(rolls(&months[1..]), ["2024-06-03 ESM4 -> ESU4"]);
        assert_eq!(months[1]["rollovers"][0]["price_gap"], 25.0);
        assert_eq!(figures(months), figures(&all[0]));
    }
}

#[test]
fn ids_without_a_symbol_are_no_other_root_and_no_month_of_theirs_is_good() {
    let [month] = &process("unmapped/gap.dbn.zst", &[])[..] else { panic!() };
    let records = &month["records"];
    assert_eq!(records["other_roots_dropped"], 0);
    assert!(
        records["unmapped"].as_u64().unwrap() > 0 && records["unmapped_volume"].as_u64() > records["unmapped"].as_u64(),
        "{records}"
    );
    let unmapped = month["fronts"]["unmapped"].as_array().unwrap();
    assert_eq!(unmapped.len(), 1);
    assert_eq!(unmapped[0]["date"], "2024-05-13");
    assert!(fronts(std::slice::from_ref(month)).iter().all(|(date, _)| date != "2024-05-13"));
    assert!(month["warnings"].to_string().contains("2024-05-13: 1 ids without a symbol"), "{}", month["warnings"]);
    assert_ne!(month["quality"]["band"], "high");
}
