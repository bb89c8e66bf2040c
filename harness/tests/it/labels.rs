//! Labels of one's own: what is made, published, validated and said of them.

use std::{fs, path::Path};

use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::month::{FILE, harness, json, manifest, outcome, run, store, synthetic};

const OWN: &str = "\
[labels]
horizon = 1200
entry = 'close'
tie = 'target'
outputs = ['uniqueness', 'label', 'weight', 'exit', 'seconds', 'mae', 'mfe', 'move']
[[labels.mode]]
name = 'far_long'
side = 'long'
stop = 9
target = { atr = 4.0 }
win_rate = [0.0, 1.0]
[[labels.mode]]
name = 'trail_short'
side = 'short'
stop = { atr = 1.5 }
target = 30
trailing = true
win_rate = [0.0, 1.0]
[[labels.mode]]
name = 'trail_long'
side = 'long'
stop = 7
target = 21
trailing = true
win_rate = [0.0, 1.0]
";

fn schema(file: &Path) -> Vec<(String, DataType)> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(file).unwrap()).unwrap();
    reader.schema().fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
}

fn findings(folder: &Path, arguments: &[&str]) -> (i32, Vec<Value>) {
    let output = harness(folder).args(["validate", "--json"]).args(arguments).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let months = report["months"].as_array().unwrap().iter();
    let all = months.flat_map(|month| month["findings"].as_array().unwrap().clone());
    (output.status.code().unwrap(), all.filter(|finding| finding["severity"] == "error").collect())
}

#[test]
fn a_month_of_ones_own_labels_is_published_validated_and_not_unchanged_under_others() {
    let folder = store();
    fs::write(folder.path().join("harness.toml"), OWN).unwrap();
    for profile in ["session", "rolling"] {
        let result = run(folder.path(), &["--profile", profile]);
        assert_eq!(result["outcome"], "published");
        let made_from = &manifest(folder.path())["current"]["made_from"];
        let labels = &made_from["settings"]["labels"];
        assert_eq!((&labels["horizon"], &labels["mode"][1]["stop"]["atr"]), (&1200.into(), &1.5.into()));
        let path =
            folder.path().join("store").join(manifest(folder.path())["current"]["data"]["key"].as_str().unwrap());
        let columns = schema(&path);
        assert_eq!(columns.len(), 6 + 3 * 8 + 43);
        let names: Vec<&str> = columns[6..14].iter().map(|(name, _)| name.as_str()).collect();
        let expected = ["label", "weight", "exit", "seconds", "mae", "mfe", "move", "uniqueness"];
        assert_eq!(names, expected.map(|output| format!("{output}_far_long")));
        assert_eq!((&columns[9].1, &columns[13].1), (&DataType::Int16, &DataType::Float32));
        let (code, errors) = findings(folder.path(), &["--month", "2013-09"]);
        assert_eq!((code, errors), (0, vec![]), "{profile}");
    }
    let again = run(folder.path(), &["--profile", "rolling"]);
    assert_eq!(again["outcome"], "unchanged");
    // One number of the specification, and the month is made again.
    fs::write(folder.path().join("harness.toml"), OWN.replace("target = 30", "target = 31")).unwrap();
    assert_eq!(run(folder.path(), &["--profile", "rolling"])["outcome"], "published");
    for report in [&["report", "monthly"][..], &["report", "final"], &["report", "monthly", "--format", "html"]] {
        let text = harness(folder.path()).args(report).assert().success().get_output().stdout.clone();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("trail short") && !text.contains("low vol long"), "{report:?}");
    }
}

#[test]
fn a_label_that_is_changed_is_found() {
    let folder = store();
    fs::write(folder.path().join("labels.toml"), OWN).unwrap();
    run(folder.path(), &["--labels", "labels.toml"]);
    let manifest = manifest(folder.path());
    // What was made with other labels is told from its manifest, not from the settings in force.
    let (code, errors) = findings(folder.path(), &["data", "--month", "2013-09"]);
    assert_eq!((code, errors), (0, vec![]));
    let path = folder.path().join("store/processed-data/monthly/2013/09/manifest.json");
    let text = manifest.to_string().replace("\"target\":30", "\"target\":29");
    assert_ne!(text, manifest.to_string());
    fs::write(path, text).unwrap();
    let (code, errors) = findings(folder.path(), &["--month", "2013-09"]);
    assert!(code == 1 && errors.iter().any(|error| error["rule"] == "metadata"), "{errors:?}");
}

#[test]
fn presets_make_six_modes_and_the_default_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let process = |name: &str, more: &[&str]| {
        let statistics =
            json(harness(folder.path()).args(["process", synthetic().to_str().unwrap(), name, "--json"]).args(more));
        (fs::read(folder.path().join(name)).unwrap(), statistics)
    };
    let (plain, statistics) = process("plain.parquet", &[]);
    let (named, _) = process("named.parquet", &["--labels", "default"]);
    assert!(plain == named && statistics["settings"].get("labels").is_none());
    let (_, statistics) = process("atr.parquet", &["--labels", "atr"]);
    let columns = schema(&folder.path().join("atr.parquet"));
    assert_eq!((columns.len(), columns[6].0.as_str()), (61, "label_atr_1_long"));
    for mode in ["atr_1_long", "atr_1_5_short", "atr_2_short"] {
        let rate = statistics["modes"][mode]["win_rate"].as_f64().unwrap();
        assert!((0.05..0.5).contains(&rate), "{mode}: {rate}");
    }
    assert_eq!(statistics["quality"]["band"], "high", "{}", statistics["quality"]);
}

#[test]
fn a_specification_that_is_none_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |text: &str| {
        fs::write(folder.path().join("labels.toml"), text).unwrap();
        let output = harness(folder.path())
            .args(["process", synthetic().to_str().unwrap(), "out.parquet", "--labels", "labels.toml"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let message = refused(&OWN.replace("stop = 9", "stop = 0"));
    assert!(message.contains("labels.toml: line 9: mode 1: stop = 0: expected 1 to 4095 ticks"), "{message}");
    let message = refused("root = 'ES'");
    assert!(message.contains("no table [labels]"), "{message}");
}

#[test]
fn a_study_of_a_file_a_training_file_and_the_store_says_the_same() {
    let folder = store();
    run(folder.path(), &[]);
    let key = manifest(folder.path())["current"]["data"]["key"].as_str().unwrap().to_owned();
    let (raw, training) = (format!("store/raw-data/databento/{FILE}"), format!("store/{key}"));
    let study = |input: &str| {
        let arguments = ["study", "barriers", input, "--stops", "6..8", "--targets", "12..16", "--json"];
        let (mut found, code) = outcome(folder.path(), &arguments[..arguments.len() - 1]);
        found["input"].take();
        assert_eq!(code, 0);
        found
    };
    let of_raw = study(&raw);
    assert_eq!(of_raw["sides"][0]["pairs"].as_array().unwrap().len(), 15);
    assert!(of_raw == study(&training) && of_raw == study("2013-09"));
    // The pairs that are modes win as they do.
    let statistics = json(harness(folder.path()).args(["process", &raw, "out.parquet", "--json"]));
    let pair = &of_raw["sides"][1]["pairs"][0];
    assert_eq!((&pair["stop"], &pair["target"]), (&6.into(), &12.into()));
    assert_eq!(pair["wins"], statistics["modes"]["low_vol_short"]["wins"]);
    let page = ["study", "barriers", &raw, "--side", "long", "--out", "study.html"];
    harness(folder.path()).args(page).assert().success();
    let page = fs::read_to_string(folder.path().join("study.html")).unwrap();
    assert!(page.matches("<svg").count() == 4 && page.matches("<title>").count() > 4 * 17 * 33);
    for wrong in [&["--stops", "0..4"][..], &["--stops", "9..4"], &["--targets", "1..4096"]] {
        harness(folder.path()).args(["study", "barriers", &raw]).args(wrong).assert().code(2);
    }
    harness(folder.path()).args(["study", "barriers", "2001-01"]).assert().code(2);
}
