//! Other markets than ES: a clean month of each scores `high` by its preset alone, and a session may cross midnight.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use crate::month::{harness, json};

/// A month of each root in which its front contract changes.
const MONTHS: [(&str, &str); 10] = [
    ("ES", "2013-09"),
    ("NQ", "2013-09"),
    ("RTY", "2013-09"),
    ("YM", "2013-06"),
    ("GC", "2013-11"),
    ("SI", "2013-11"),
    ("CL", "2013-10"),
    ("NG", "2013-10"),
    ("ZN", "2013-11"),
    ("6E", "2013-09"),
];

/// What `presets --json` says, by root.
fn presets(folder: &Path) -> BTreeMap<String, Value> {
    let all = json(harness(folder).args(["presets", "--json"]));
    let one = |preset: &Value| (preset["root"].as_str().unwrap().to_owned(), preset.clone());
    all.as_array().unwrap().iter().map(one).collect()
}

fn rolls(of: &Value) -> Vec<[String; 3]> {
    let text = |roll: &Value, name: &str| roll[name].as_str().unwrap().to_owned();
    let rolls = of["rollovers"].as_array().unwrap().iter();
    rolls.map(|roll| ["date", "from", "to"].map(|name| text(roll, name))).collect()
}

#[test]
fn a_clean_month_of_every_market_is_high_by_its_preset_alone() {
    let folder = tempfile::tempdir().unwrap();
    let presets = presets(folder.path());
    for (root, month) in MONTHS {
        let out = format!("raw-{root}");
        harness(folder.path()).args(["synth", "--months", month, "--out", &out, "--root", root]).assert().success();
        let truth: Value =
            serde_json::from_slice(&fs::read(folder.path().join(&out).join("truth.json")).unwrap()).unwrap();
        let truth = &truth["months"][0];
        let file = format!("{out}/{}", truth["file"].as_str().unwrap());
        let found = json(harness(folder.path()).args(["process", &file, "out.parquet", "--json", "--root", root]));

        let quality = &found["quality"];
        assert_eq!(quality["band"], "high", "{root}: {quality}");
        assert_eq!(rolls(&found), rolls(truth), "{root}");
        assert_eq!(rolls(&found).len(), 1, "{root}: {month} was chosen for its roll");
        assert_eq!(found["rollovers"][0]["expected"], true, "{root}");
        assert_eq!(found["records"]["price_off_tick"], 0, "{root}");

        let preset = &presets[root];
        for (name, range) in preset["ranges"].as_object().unwrap() {
            let [low, high] = [0, 1].map(|end| range[end].as_f64().unwrap());
            let beyond = 0.01 * (high - low);
            let feature = &found["features"][name];
            let [min, max] = ["min", "max"].map(|figure| feature[figure].as_f64().unwrap());
            assert!(low - beyond <= min && max <= high + beyond, "{root} {name}: {min} to {max}, not {low} to {high}");
        }
    }
}

#[test]
fn the_ranges_of_a_preset_are_those_of_its_market() {
    // By ES's ranges the bars of the Dow are out, and those of gas never can be.
    let presets = presets(tempfile::tempdir().unwrap().path());
    let most = |root: &str| presets[root]["ranges"]["bar_range"][1].as_f64().unwrap();
    assert_eq!((most("ES"), most("YM"), most("NG")), (50.0, 400.0, 0.25));
    assert_eq!(presets.len(), 29);
}

#[test]
fn the_globex_day_is_published_and_validated() {
    let folder = tempfile::tempdir().unwrap();
    let globex = ["--session", "globex", "--raw", "raw"];
    let synth = ["synth", "--months", "2021-05..2021-06", "--out", "raw"];
    harness(folder.path()).args(synth).args(["--session", "globex"]).assert().success();
    // What a file alone holds is not all of its first date: that begins in the file before.
    fs::remove_file(folder.path().join("raw/truth.json")).unwrap();
    harness(folder.path()).args(["run", "--months", "2021-05..2021-06"]).args(globex).assert().success();
    harness(folder.path()).args(["validate", "--all", "--sample", "20"]).args(globex).assert().success();

    let report = json(harness(folder.path()).args(["report", "monthly", "--month", "2021-06", "--format", "json"]));
    let text = report.to_string();
    assert!(text.contains("15:15-15:30 until 2021-06-25"), "{text}");
    let statistics = folder.path().join("store/processed-data/monthly/2021/06/statistics");
    let file = fs::read_dir(statistics).unwrap().next().unwrap().unwrap().path();
    let june: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(june["quality"]["band"], "high", "{}", june["quality"]);
    // A session that nothing traded before on its date begins with its first trade, some seconds after 17:00.
    let sessions: Vec<(String, String, u64)> = june["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| {
            let text = |name: &str| session[name].as_str().unwrap().to_owned();
            let rows = session["rows"].as_u64().unwrap();
            (text("date"), text("close"), rows.next_multiple_of(60))
        })
        .collect();
    let one = |date: &str, close: &str, rows: u64| (date.to_owned(), close.to_owned(), rows);
    // The first date begins on May 31st, two hours of it in that month's file; the settlement break ended on the 25th.
    assert_eq!(sessions[0], one("2021-06-01", "2021-06-01T20:14:59Z", 80_100));
    assert!(june["sessions"][0]["open"].as_str().unwrap().starts_with("2021-05-31T22:00:"));
    assert_eq!(sessions[1], one("2021-06-01", "2021-06-01T20:59:59Z", 1_800));
    assert_eq!(june["sessions"][1]["open"], "2021-06-01T20:30:00Z");
    let last: Vec<_> = sessions.iter().rev().take(4).rev().cloned().collect();
    let expected = [
        one("2021-06-25", "2021-06-25T20:59:59Z", 1_800),
        one("2021-06-28", "2021-06-28T20:59:59Z", 82_800),
        one("2021-06-29", "2021-06-29T20:59:59Z", 82_800),
        one("2021-06-30", "2021-06-30T20:59:59Z", 82_800),
    ];
    assert_eq!(last, expected);
    assert_eq!(sessions.len(), 2 * 19 + 3);
}

/// Two sessions of crude oil in 2020, 08:00 to 13:30 Central: down from 17.00 to -37.63, and up again to 10.00, a tick at
/// most in a second but for a few.
fn crude(folder: &Path) {
    let mut text = String::from("timestamp,open,high,low,close,volume,symbol\n");
    let price = |row: i64| match row {
        ..19_800 => 1_700 - 5_463 * row / 19_799,
        _ => -3_763 + 4_763 * (row - 19_800) / 19_799,
    };
    let decimal = |cents: i64| {
        let sign = if cents < 0 { "-" } else { "" };
        format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
    };
    for row in 0..39_600 {
        // 13:00 UTC on April 20th and 21st.
        let second = 1_587_387_600 + row + if row < 19_800 { 0 } else { 86_400 - 19_800 };
        let (open, close) = (price((row - 1).max(0)), price(row));
        let [open, high, low, close] = [open, open.max(close) + row % 2, open.min(close), close].map(decimal);
        text += &format!("{second}000000000,{open},{high},{low},{close},{},CLK0\n", 1 + row % 7);
    }
    fs::create_dir(folder.join("raw")).unwrap();
    fs::write(folder.join("raw/glbx-mdp3-20200401-20200430.ohlcv-1s.csv"), text).unwrap();
}

#[test]
fn crude_oil_below_0_is_kept_and_computed_and_validated() {
    let folder = tempfile::tempdir().unwrap();
    crude(folder.path());
    let all = ["--root", "CL", "--raw", "raw"];
    let of = |more: &[&str]| {
        let run = ["run", "--month", "2020-04", "--json", "--force"];
        json(harness(folder.path()).args(run).args(all).args(more))[0].clone()
    };
    of(&[]);
    // Such a month is unusual in many ways, and wrong in none.
    let validate = ["validate", "--all", "--sample", "2000"];
    let output = harness(folder.path()).args(validate).args(all).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("warning  output nan_share: return_30s") && !text.contains("  error"), "{text}");
    let statistics = || -> Value {
        let path = folder.path().join("store/processed-data/monthly/2020/04/statistics");
        let mut files: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        serde_json::from_slice(&fs::read(files.pop().unwrap()).unwrap()).unwrap()
    };
    let kept = statistics();
    assert_eq!((&kept["records"]["price_not_positive"], &kept["records"]["total"]), (&0.into(), &39_600.into()));
    assert_eq!((&kept["sessions"][0]["rows"], &kept["sessions"][0]["last_price"]), (&19_800.into(), &(-37.63).into()));
    // A feature is a float32.
    assert_eq!(kept["features"]["short_range_low"]["min"], f64::from(-37.63_f32));
    let faults = kept["errors"].as_array().unwrap();
    assert!(faults.is_empty(), "{faults:?}");
    let warnings: Vec<&str> = kept["warnings"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert!(!warnings.iter().any(|warning| warning.contains("close before")), "{warnings:?}");
    for (name, feature) in kept["features"].as_object().unwrap() {
        assert_eq!(feature["infinite_share"], 0.0, "{name}");
    }
    // A share of a price that is not above 0 does not exist: of the first session a third is above, of the second a fifth.
    let nan = |name: &str| kept["features"][name]["nan_share"].as_f64().unwrap();
    assert!((0.68..0.76).contains(&nan("return_30s")), "{}", nan("return_30s"));
    assert!(nan("atr_30s") < 0.01 && nan("momentum_consistency") > nan("return_30s"));

    of(&["--negative-prices=false"]);
    let dropped = statistics();
    assert!(dropped["records"]["price_not_positive"].as_u64().unwrap() > 20_000);
    assert_eq!(dropped["records"]["out_of_range"], 0);
}
