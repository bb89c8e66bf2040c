//! The JSON Schema of the statistics: committed, current, kept by what is written, and broken by what is damaged.

use crate::month;
use crate::month::{harness, json};
use jsonschema::Validator;
use serde_json::{Value, json as object};

fn committed() -> Value {
    serde_json::from_str(include_str!("../../../docs/statistics.schema.json")).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft202012::options().should_validate_formats(true).build(&committed()).unwrap()
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let folder = tempfile::tempdir().unwrap();
    let printed = json(harness(folder.path()).args(["validate", "--print-schema"]));
    let how = "run: harness validate --print-schema > docs/statistics.schema.json";
    assert!(printed == committed(), "the types have changed; {how}");
    assert_eq!(printed["$schema"], "https://json-schema.org/draft/2020-12/schema");
    jsonschema::draft202012::meta::validate(&printed).unwrap();
}

#[test]
fn what_is_written_keeps_the_schema_in_both_profiles() {
    let folder = tempfile::tempdir().unwrap();
    let defects = "off-tick,duplicate-equal,missing-day";
    harness(folder.path()).args(["synth", "--months", "2013-11..2014-01", "--out", "raw"]).assert().success();
    let spoiled = ["synth", "--months", "2014-03", "--out", "raw", "--defects", defects];
    harness(folder.path()).args(spoiled).assert().success();
    let validator = validator();
    let mut months = 0;
    for file in month::names(&folder.path().join("raw")).iter().filter(|name| name.ends_with(".zst")) {
        for profile in ["session", "rolling"] {
            let input = format!("raw/{file}");
            let arguments = ["process", &input, "out.parquet", "--json", "--profile", profile];
            let statistics = json(harness(folder.path()).args(arguments));
            let errors: Vec<String> =
                validator.iter_errors(&statistics).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{file} {profile}: {errors:?}");
            months += 1;
        }
    }
    assert_eq!(months, 8);
}

#[test]
fn a_damaged_document_breaks_it() {
    let folder = tempfile::tempdir().unwrap();
    let input = month::synthetic_whole();
    let arguments = ["process", input.to_str().unwrap(), "out.parquet", "--json"];
    let whole = json(harness(folder.path()).args(arguments));
    let validator = validator();
    assert!(validator.is_valid(&whole));
    for (path, value) in [
        ("/month", object!("2013-13")),
        ("/schema_version", object!(2)),
        ("/profile", object!("both")),
        ("/settings", object!("none")),
        ("/inputs/0/checksum", object!("00ff")),
        ("/inputs/0/first", object!("yesterday")),
        ("/records/total", object!(-1)),
        ("/records/no_trade", Value::Null),
        ("/sessions/0/date", object!("2013-09-31")),
        ("/sessions/0/open", object!(7)),
        ("/sessions/0/early_close", object!("no")),
        ("/rollovers/0/expected", object!("maybe")),
        ("/rollovers/0/price_gap", object!("wide")),
        ("/modes/low_vol_long/win_rate", object!(31.0)),
        ("/modes/low_vol_long/weight/p50", object!("high")),
        ("/modes", object!({})),
        ("/features/vwap/nan_share", object!(1.5)),
        ("/features/vwap/in_range", Value::Null),
        ("/features", object!({ "momentum": whole["features"]["vwap"] })),
        ("/performance/stages/0/seconds", Value::Null),
        ("/quality/score", object!(1.1)),
        ("/quality/band", object!("perfect")),
        ("/quality/reprocess/priority", object!("soon")),
        ("/warnings", object!("none")),
    ] {
        let mut damaged = whole.clone();
        *damaged.pointer_mut(path).unwrap() = value;
        assert!(!validator.is_valid(&damaged), "{path}");
    }
    for (path, field) in
        [("", "quality"), ("/modes/low_vol_long", "wins"), ("/sessions/0", "volume"), ("/features", "vwap")]
    {
        let mut damaged = whole.clone();
        damaged.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(field).unwrap();
        assert!(!validator.is_valid(&damaged), "{path} without {field}");
    }
    for path in ["", "/records", "/sessions/0", "/modes/low_vol_long/weight", "/features/vwap", "/quality/parts"] {
        let mut damaged = whole.clone();
        damaged.pointer_mut(path).unwrap().as_object_mut().unwrap().insert("extra".into(), 1.into());
        assert!(!validator.is_valid(&damaged), "{path} with a field more");
    }
}
