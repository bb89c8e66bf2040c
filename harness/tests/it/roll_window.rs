//! When a roll is expected belongs to the root.

use std::fs;

use crate::month::{harness, json};
use serde_json::{Value, json as object};

/// Palladium has no preset: it rolls when the synthetic months make it.
const OTHER: [&str; 4] = ["--root", "PA", "--tick-size", "0.1"];

/// Two months of palladium, one roll in each, and a store for them.
fn palladium() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let synth = ["synth", "--months", "2013-11..2013-12", "--out", "raw"];
    harness(folder.path()).args(synth).args(OTHER).assert().success();
    folder
}

/// The rollovers of December, and what they took off.
fn december(folder: &std::path::Path, more: &[&str]) -> (Value, f64) {
    let file = "raw/glbx-mdp3-20131201-20131231.ohlcv-1s.dbn.zst";
    let statistics = json(harness(folder).args(["process", file, "out.parquet", "--json"]).args(OTHER).args(more));
    (statistics["rollovers"].clone(), statistics["quality"]["parts"]["rolls"].as_f64().unwrap())
}

#[test]
fn a_root_without_a_window_loses_nothing_for_a_roll() {
    let folder = palladium();
    let (rolls, part) = december(folder.path(), &[]);
    assert_eq!(rolls.as_array().unwrap().len(), 1);
    assert_eq!((&rolls[0]["expected"], part), (&Value::Null, 1.0));

    // The synthetic roll lies where that of an equity index does.
    for (window, expected, left) in
        [("third-friday -10..0", true, 1.0), ("first-day -8..-1", false, 0.7), ("none", false, 1.0)]
    {
        let (rolls, part) = december(folder.path(), &["--roll-window", window]);
        let expected = if window == "none" { Value::Null } else { object!(expected) };
        assert_eq!((&rolls[0]["expected"], part), (&expected, left), "{window}");
    }
    fs::write(folder.path().join("harness.toml"), "roll_window = \"first-day -8..-1\"\n").unwrap();
    assert_eq!(december(folder.path(), &[]).1, 0.7);
}

#[test]
fn rolls_without_a_window_count_by_their_volumes() {
    let folder = palladium();
    fs::remove_file(folder.path().join("raw/truth.json")).unwrap();
    let months = ["--months", "2013-11..2013-12", "--raw", "raw"];
    harness(folder.path()).arg("run").args(months).args(OTHER).assert().success();
    // A month is held to the settings it was made with, also to a window that was set.
    harness(folder.path()).args(["validate", "--all", "--raw", "raw", "--sample", "20"]).args(OTHER).assert().success();
    let report = |folder: &std::path::Path| {
        let output = harness(folder).args(["report", "success", "--raw", "raw"]).args(OTHER).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let found = report(folder.path());
    let rolls = found.lines().find(|line| line.starts_with("Roll")).unwrap();
    assert!(rolls.contains("100.0 %") && rolls.contains("by the volumes"), "{rolls}");

    let window = ["--roll-window", "first-day -8..-1", "--force"];
    harness(folder.path()).arg("run").args(months).args(OTHER).args(window).assert().success();
    let output = harness(folder.path()).args(["validate", "rollover", "--all", "--raw", "raw"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("warning  rollover window") && !text.contains("error "), "{text}");
}

#[test]
fn a_decay_reference_before_the_months_names_them() {
    let folder = palladium();
    let run = ["run", "--months", "2013-11..2013-12", "--raw", "raw", "--decay-reference", "2013-10"];
    let refused = |arguments: &[&str], words: &str| {
        let output = harness(folder.path()).args(arguments).args(OTHER).assert().code(2).get_output().clone();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(words) && error.contains("--allow-decay-reference-before-data"), "{error}");
    };
    refused(&run, "decay reference 2013-10: 2013-11..2013-12 are after it");
    let file = "raw/glbx-mdp3-20131201-20131231.ohlcv-1s.dbn.zst";
    let process = ["process", file, "out.parquet", "--decay-reference", "2013-11"];
    refused(&process, "decay reference 2013-11: 2013-12 is after it");
    assert!(!folder.path().join("out.parquet").exists() && !folder.path().join("store").exists());
    for allowed in [&["--allow-decay-reference-before-data"][..], &["--allow-decay-reference-before-data=true"]] {
        let statistics = json(harness(folder.path()).args(process).args(OTHER).args(allowed).arg("--json"));
        let most = statistics["modes"]["low_vol_long"]["weight"]["max"].as_f64().unwrap();
        assert!(most > 4.0, "{most}");
    }
    let no = ["--allow-decay-reference-before-data=false"];
    harness(folder.path()).args(process).args(OTHER).args(no).assert().code(2);
    fs::write(folder.path().join("harness.toml"), "allow_decay_reference_before_data = true\n").unwrap();
    harness(folder.path()).args(process).args(OTHER).assert().success();
}
