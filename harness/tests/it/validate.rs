//! `validate`: what is published and right passes, and each thing that is wrong is named.

use crate::month;
use std::{fs, path::Path};

use crate::month::{harness, json, run, store, store_whole, synthetic, synthetic_whole};
use crate::tampered::{change_statistics, change_table, floats, rewrite};
use serde_json::Value;

/// Rule and text of each finding that is more than a note.
fn findings(report: &Value) -> Vec<(String, String)> {
    let months = report["months"].as_array().unwrap().iter();
    let all = months.flat_map(|month| month["findings"].as_array().unwrap());
    let counted = all.filter(|finding| finding["severity"] != "note");
    counted
        .map(|finding| (finding["rule"].as_str().unwrap().into(), finding["found"].as_str().unwrap().into()))
        .collect()
}

fn validate(folder: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = harness(folder).arg("validate").args(arguments).arg("--json").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), serde_json::from_str(&text).unwrap_or_else(|_| panic!("{message}")))
}

/// The month has a finding of this rule that says all of this, and exit code 1.
fn found(folder: &Path, arguments: &[&str], rule: &str, words: &[&str]) {
    let (code, report) = validate(folder, arguments);
    let findings = findings(&report);
    let named = findings.iter().any(|(name, text)| name == rule && words.iter().all(|word| text.contains(word)));
    assert!(code == 1 && named, "{rule} {words:?}: code {code}, {findings:?}");
}

#[test]
fn what_is_published_validates_in_both_profiles() {
    let folder = store_whole();
    for flags in [&[][..], &["--profile", "rolling", "--features-dtype", "float64", "--decay-reference", "2014-02"]] {
        run(folder.path(), flags);
        // The month's own settings count, not those in force.
        let (code, report) = validate(folder.path(), &["--month", "2013-09"]);
        assert_eq!((code, findings(&report)), (0, vec![]));
        let month = &report["months"][0];
        assert!(month["rows"].as_u64().unwrap() > 500_000 && month["raw"] == true);
        assert!(month["computed_anew"].as_u64().unwrap() > 20 * 100);
        for check in ["output", "data", "rollover", "statistics"] {
            let (code, report) = validate(folder.path(), &[check, "--all"]);
            assert_eq!((code, findings(&report), &report["checks"]), (0, vec![], &serde_json::json!([check])));
        }
    }
    let text = harness(folder.path()).args(["validate", "--all"]).assert().success().get_output().stdout.clone();
    assert!(String::from_utf8(text).unwrap().ends_with("2013-09 validated, nothing found\n"));
}

#[test]
fn a_session_over_the_end_of_a_central_month_is_weighed_by_both_months() {
    let folder = tempfile::tempdir().unwrap();
    let raw = "store/raw-data/databento";
    harness(folder.path()).args(["synth", "--months", "2013-10", "--out", raw]).assert().success();
    // The first session of October in Tokyo begins on the last evening of September in Chicago.
    let tokyo = ["--time-zone", "Asia/Tokyo", "--session-start", "09:00", "--session-end", "15:00"];
    for profile in ["session", "rolling"] {
        let arguments = ["run", "--month", "2013-10", "--profile", profile];
        harness(folder.path()).args(arguments).args(tokyo).assert().success();
        let (code, report) = validate(folder.path(), &["data", "--month", "2013-10"]);
        assert_eq!((code, findings(&report)), (0, vec![]), "{profile}");
        assert!(report["months"][0]["computed_anew"].as_u64().unwrap() > 20 * 100);
    }
}

#[test]
fn without_the_raw_files_what_is_published_is_checked_alone_and_that_is_said() {
    let folder = store_whole();
    run(folder.path(), &[]);
    fs::remove_dir_all(folder.path().join("store/raw-data")).unwrap();
    let (code, report) = validate(folder.path(), &["--all"]);
    let month = &report["months"][0];
    assert_eq!((code, &month["raw"]), (0, &Value::Bool(false)));
    let note = &month["findings"][0];
    assert_eq!((&note["severity"], &note["rule"]), (&"note".into(), &"raw".into()));
    assert!(month["computed_anew"].as_u64().unwrap() > 2000);
}

#[test]
fn a_changed_byte_a_dropped_object_and_two_swapped_months_are_named_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    harness(folder.path()).args(["synth", "--months", "2013-07..2013-12", "--out", "store/raw"]).assert().success();
    json(harness(folder.path()).args(["run", "--months", "2013-07..2013-12", "--json"]));
    let object = |month: &str, part: &str| {
        let manifest = folder.path().join(format!("store/processed-data/monthly/2013/{month}/manifest.json"));
        let manifest: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
        folder.path().join("store").join(manifest["current"][part]["key"].as_str().unwrap())
    };
    let mut bytes = fs::read(object("07", "data")).unwrap();
    bytes[1_000_000] ^= 1;
    fs::write(object("07", "data"), bytes).unwrap();
    fs::remove_file(object("08", "statistics")).unwrap();
    let (a, b) = (object("09", "data"), object("10", "data"));
    fs::rename(&a, folder.path().join("aside")).unwrap();
    fs::rename(&b, &a).unwrap();
    fs::rename(folder.path().join("aside"), &b).unwrap();
    fs::remove_file(folder.path().join("store/processed-data/monthly/2013/11/manifest.json")).unwrap();

    let (code, report) = validate(folder.path(), &["--all"]);
    let months = report["months"].as_array().unwrap().iter();
    let named: Vec<(String, String)> = months
        .flat_map(|month| month["findings"].as_array().unwrap())
        .filter(|finding| finding["severity"] != "note")
        .map(|finding| (finding["month"].as_str().unwrap().into(), finding["rule"].as_str().unwrap().into()))
        .collect();
    let expected = [
        ("2013-07", "checksum"),
        ("2013-08", "object"),
        ("2013-09", "checksum"),
        ("2013-10", "checksum"),
        ("2013-11", "manifest"),
    ];
    assert_eq!((code, named), (1, expected.map(|(month, rule)| (month.to_owned(), rule.to_owned())).to_vec()));

    // A whole folder in another month's place.
    let folder_of = |month: &str| folder.path().join("store/processed-data/monthly/2013").join(month);
    fs::remove_dir_all(folder_of("09")).unwrap();
    fs::rename(folder_of("12"), folder_of("09")).unwrap();
    found(folder.path(), &["--month", "2013-09"], "manifest", &["of another layout, month or folder"]);
    found(folder.path(), &["--months", "2013-12..2014-01"], "manifest", &["no processed-data/monthly/2014/01"]);
}

#[test]
fn a_wrong_value_is_named_with_its_column_and_row_though_every_checksum_is_right() {
    let folder = store();
    run(folder.path(), &[]);
    let table = |change: &dyn Fn(&mut rewrite::Table), check: &str, rule: &str, words: &[&str]| {
        let whole = change_table(folder.path(), change);
        found(folder.path(), &[check, "--month", "2013-09"], rule, words);
        whole.restore();
    };
    // Row 300 of the third session is always in the sample: 12:35:00 UTC.
    let at = ["2013-09-04T12:35:00Z"];
    table(&|table| table.labels("label_low_vol_long")[2][300] ^= 1, "data", "label", &["label_low_vol_long", at[0]]);
    table(
        &|table| table.floats32("weight_high_vol_short")[2][300] *= 1.001,
        "data",
        "weight",
        &["weight_high_vol_short", at[0]],
    );
    for feature in floats() {
        table(&|table| table.floats32(feature)[2][1_000] = f32::INFINITY, "output", "finite", &[feature, "inf at"]);
    }
    table(&|table| table.floats32("atr_30s")[2][300] *= 1.0001, "data", "feature", &["atr_30s", at[0]]);
    table(&|table| table.labels("is_pre_open")[2][300] = 0, "output", "flags", &[at[0]]);
    table(&|table| table.labels("label_low_vol_long")[0][7] = 2, "output", "label", &["2 at 2013-09-02T12:30:07Z"]);
    table(
        &|table| *table.labels("label_low_vol_short")[0].last_mut().unwrap() = 1,
        "output",
        "label",
        &["1 at 2013-09-02T16:59:59Z"],
    );
    table(&|table| table.floats32("weight_low_vol_long")[0][7] = 0.0, "output", "weight", &["0 at"]);
    table(&|table| table.floats32("weight_low_vol_long")[0][7] = f32::NAN, "output", "weight", &["NaN at"]);
    table(&|table| table.floats64("high")[0][7] += 0.1, "output", "price", &["high", "2013-09-02T12:30:07Z"]);
    table(&|table| table.floats64("low")[0][7] += 500.0, "output", "ohlc", &["2013-09-02T12:30:07Z"]);
    table(&|table| table.times()[0][7] += 1, "output", "time", &["timestamp"]);
    table(
        &|table| table.times()[0].iter_mut().for_each(|time| *time -= 86_400_000_000_000),
        "data",
        "session",
        &["1 sessions of 2013-09-01"],
    );
    table(&|table| table.volumes()[0][300] += 1, "data", "raw", &["2013-09-02T12:35:00Z"]);
    table(
        &|table| table.floats32("vwap").iter_mut().flatten().for_each(|vwap| *vwap = f32::NAN),
        "output",
        "nan_share",
        &["vwap: 1.0000"],
    );
    table(&|table| table.floats32("bar_range")[0][5_000] = 101.0, "output", "range", &["bar_range: 0 to 101"]);
    table(
        &|table| table.labels("label_high_vol_long").iter_mut().flatten().for_each(|label| *label = 0),
        "output",
        "win_rate",
        &["0.0000"],
    );
    table(&|table| table.drop_row_group(4), "output", "rows", &[]);
    table(&|table| table.rename("vwap", "wvap"), "output", "schema", &["is wvap"]);
    table(&|table| table.metadata("harness.profile", "rolling"), "output", "metadata", &["rolling"]);
    assert_eq!(validate(folder.path(), &["--month", "2013-09"]).0, 0);
}

#[test]
fn wrong_statistics_are_named_though_every_checksum_is_right() {
    let folder = store_whole();
    let truth = folder.path().join("store/raw-data/databento/truth.json");
    fs::copy(synthetic_whole().with_file_name("truth.json"), truth).unwrap();
    run(folder.path(), &[]);
    let statistics = |change: &dyn Fn(&mut Value), rule: &str, words: &[&str]| {
        let whole = change_statistics(folder.path(), change);
        let rollover = ["front", "volumes", "price_gap", "expected", "rolls", "truth"].contains(&rule);
        let check = if rollover { "rollover" } else { "statistics" };
        found(folder.path(), &[check, "--month", "2013-09"], rule, words);
        whole.restore();
    };
    statistics(&|json| json["modes"]["low_vol_long"]["wins"] = 7.into(), "modes", &["low_vol_long: 7 wins"]);
    statistics(&|json| json["modes"]["low_vol_long"]["weight"]["mean"] = 7.into(), "modes", &["low_vol_long: mean 7"]);
    statistics(&|json| json["features"]["vwap"]["nan_share"] = 0.5.into(), "features", &["vwap: nan_share 0.5"]);
    statistics(&|json| json["features"]["vwap"]["p50"] = 0.5.into(), "features", &["vwap: percentiles"]);
    statistics(&|json| json["sessions"][3]["filled_rows"] = 7.into(), "sessions", &["2013-09-05"]);
    statistics(&|json| json["sessions"][3]["contract"] = "ESH4".into(), "front", &["2013-09-05 ESH4"]);
    statistics(&|json| json["rollovers"][0]["volume_to"] = 7.into(), "volumes", &["2013-09-12"]);
    statistics(&|json| json["rollovers"][0]["price_gap"] = 7.into(), "price_gap", &["price gap 7"]);
    statistics(&|json| json["rollovers"][0]["expected"] = false.into(), "expected", &["2013-09-12"]);
    statistics(&|json| json["rollovers"] = Value::Array(vec![]), "rolls", &["none"]);
    statistics(&|json| json["rollovers"] = Value::Array(vec![]), "truth", &["none"]);
    statistics(&|json| json["records"]["no_trade"] = 7.into(), "records", &["no_trade: 7"]);
    statistics(&|json| json["quality"]["score"] = 0.1.into(), "score", &["0.1"]);
    statistics(&|json| json["extra"] = 1.into(), "schema", &["extra"]);
    statistics(&|json| json["modes"]["low_vol_long"]["finite"] = "yes".into(), "schema", &["yes"]);
    statistics(&|json| json["month"] = "2013-10".into(), "month", &["2013-10"]);
}

#[test]
fn a_file_is_checked_without_a_store() {
    let folder = tempfile::tempdir().unwrap();
    harness(folder.path()).args(["process", synthetic().to_str().unwrap(), "out.parquet"]).assert().success();
    let (code, report) = validate(folder.path(), &["output", "out.parquet"]);
    assert_eq!((code, findings(&report)), (0, vec![]));
    rewrite::file(&folder.path().join("out.parquet"), &|table| table.floats64("close")[0][9] = f64::NAN);
    found(folder.path(), &["output", "out.parquet"], "price", &["close: NaN at 2013-09-02T12:30:09Z"]);
    // Somebody else's Parquet, what is none, and what is not there.
    fs::write(folder.path().join("bars.parquet"), month::parquet(&[month::bars(0, 0.0, 3000)])).unwrap();
    found(folder.path(), &["output", "bars.parquet"], "schema", &["6 columns"]);
    found(folder.path(), &["output", "bars.parquet"], "metadata", &["no harness.version"]);
    fs::write(folder.path().join("text.parquet"), "no Parquet").unwrap();
    for (file, code) in [("text.parquet", 3), ("absent.parquet", 2)] {
        let output = harness(folder.path()).args(["validate", "output", file]).assert().code(code).get_output().clone();
        assert!(String::from_utf8(output.stderr).unwrap().contains(file));
    }
}

#[test]
fn wrong_usage_is_code_2() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, word) in [
        (&["validate"][..], "--month"),
        (&["validate", "everything"], "output, data"),
        (&["validate", "--month", "2013-09", "--all"], "--all"),
        (&["validate", "output", "a.parquet", "--all"], "--all"),
        (&["validate", "data", "a.parquet"], "validate output FILE"),
        (&["validate", "--all"], "no month is published in ./store"),
    ] {
        let output = harness(folder.path()).args(arguments).assert().code(2).get_output().clone();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(word), "'{word}' is missing in: {message}");
    }
}
