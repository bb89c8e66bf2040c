//! `months list`, `history` and `reprocess`, and the records of failures.

use std::{fs, path::Path};

use crate::monitor::Monitor;
use crate::month::{
    self, FILE, MONTH, change, current, damage, harness, manifest, names, outcome, plain, refusal, run, store,
    synthetic, two_versions, versions,
};
use serde_json::Value;

/// A store with a raw file of October, too.
fn two_months() -> tempfile::TempDir {
    let folder = store();
    let arguments = ["synth", "--months", "2013-10..2013-10", "--out", "store/raw-data", "--seed", "2"];
    harness(folder.path()).args(arguments).assert().success();
    month::shorten(&folder.path().join("store/raw-data"));
    folder
}

/// State of each month of a listing.
fn states(listing: &Value) -> Vec<(&str, &str)> {
    let months = listing["months"].as_array().unwrap().iter();
    months.map(|line| (line["month"].as_str().unwrap(), line["state"].as_str().unwrap())).collect()
}

/// `status` and the figures for Prometheus know the months of a listing as what the listing says.
fn same_elsewhere(folder: &Path, listing: &Value) {
    let (status, _) = outcome(folder, &["status"]);
    assert_eq!(states(&status), states(listing));
    assert_eq!(status["states"], listing["totals"]["states"]);
    let metrics = Monitor::start(folder).get("/metrics").2;
    for (state, count) in status["states"].as_object().unwrap() {
        let sample = format!("harness_months{{state=\"{state}\"}} {count}");
        assert!(metrics.lines().any(|line| line == sample), "{sample} is missing in {metrics}");
    }
}

#[test]
fn every_month_has_a_line_whatever_is_wrong_with_it() {
    let folder = two_months();
    let path = |key: &str| folder.path().join("store").join(key);
    let list = |more: &[&str]| outcome(folder.path(), &[&["months", "list"], more].concat());
    assert_eq!(states(&list(&[]).0), [("2013-09", "pending"), ("2013-10", "pending")]);
    let arguments = ["run", "--months", "2013-09..2013-10"];
    harness(folder.path()).args(arguments).assert().success();
    harness(folder.path()).args(["months", "remove", "2013-10"]).assert().success();
    fs::write(path("glbx-mdp3-20130801-20130831.ohlcv-1s.dbn"), &plain()[..100_000]).unwrap();
    harness(folder.path()).args(["run", "--month", "2013-08"]).assert().code(1);
    for name in ["glbx-mdp3-20130610-20130630.ohlcv-1s.dbn", "glbx-mdp3-20131201-20131231.ohlcv-1s.dbn.zst"] {
        fs::write(path(name), "not read").unwrap();
    }
    fs::create_dir(path("again")).unwrap();
    fs::copy(synthetic(), path("again").join(FILE)).unwrap();

    let (listing, code) = list(&[]);
    let expected = ["pending", "gap", "failed", "published", "removed", "gap", "pending"];
    let months = ["2013-06", "2013-07", "2013-08", "2013-09", "2013-10", "2013-11", "2013-12"];
    assert_eq!(states(&listing), months.into_iter().zip(expected).collect::<Vec<_>>());
    assert_eq!(code, 0);
    same_elsewhere(folder.path(), &listing);
    let line = |index: usize| &listing["months"][index];
    assert_eq!(line(0)["raw"]["partial"], serde_json::json!(["2013-06-10", "2013-06-30"]));
    assert!(line(2)["failure"]["error"].as_str().unwrap().contains("truncated"));
    let published = &manifest(folder.path())["current"];
    for name in ["version", "rows", "score", "published"] {
        assert_eq!(line(3)[name], published[name], "{name}");
    }
    let twice = serde_json::json!([[format!("again/{FILE}"), format!("raw-data/databento/{FILE}")]]);
    assert_eq!((&line(3)["raw"]["duplicates"], &line(3)["raw"]["partial"]), (&twice, &Value::Null));
    assert_eq!(line(4)["earlier"], 1);
    assert_eq!((&listing["totals"]["months"], &listing["totals"]["rows"]), (&7.into(), &published["rows"]));
    assert_eq!(listing["totals"]["states"]["pending"], 2);

    let text = harness(folder.path()).args(["months", "list"]).assert().success().get_output().stdout.clone();
    let text = String::from_utf8(text).unwrap();
    for words in [
        "2013-09  published",
        published["version"].as_str().unwrap(),
        "2013-11  gap",
        "partial: its raw files cover 2013-06-10 to 2013-06-30",
        "with exit code 3: ",
        "duplicates for the same dates: again/",
        "1 version in the history",
        "7 months: 1 published, 1 removed, 1 failed, 2 pending, 2 gap; ",
    ] {
        assert!(text.contains(words), "'{words}' is missing in: {text}");
    }
    assert_eq!(states(&list(&["--months", "2013-08..2013-09"]).0), [("2013-08", "failed"), ("2013-09", "published")]);

    // A manifest of nonsense, and one of another month.
    fs::copy(path(MONTH).join("manifest.json"), path(MONTH).join("kept")).unwrap();
    fs::write(path(MONTH).join("manifest.json"), "{").unwrap();
    let removed = path("processed-data/history/2013/10/manifest.json");
    fs::copy(path(MONTH).join("kept"), &removed).unwrap();
    let (listing, code) = list(&[]);
    let expected = ["pending", "gap", "failed", "damaged", "damaged", "gap", "pending"];
    assert_eq!(states(&listing), months.into_iter().zip(expected).collect::<Vec<_>>());
    same_elsewhere(folder.path(), &listing);
    for line in [3, 4] {
        let error = listing["months"][line]["errors"][0].as_str().unwrap();
        assert!(error.contains("is not a manifest"), "{error}");
    }
    assert_eq!(code, 1);
    // Nor one that names what is not its own.
    fs::copy(path(MONTH).join("kept"), path(MONTH).join("manifest.json")).unwrap();
    let data = published["data"]["key"].as_str().unwrap();
    for (key, state) in [(data, "published"), ("../store/glbx-mdp3-20130610-20130630.ohlcv-1s.dbn", "damaged")] {
        change(&path(MONTH).join("manifest.json"), |manifest| manifest["current"]["data"]["key"] = key.into());
        assert_eq!(list(&["--months", "2013-09"]).0["months"][0]["state"], state, "{key}");
    }
    harness(folder.path()).args(["run", "--month", "2013-09", "--dry-run"]).assert().code(1);
    assert!(!path("processed-data/failures/2013-09.json").exists(), "a dry run records no failure");
}

#[test]
fn months_are_filtered_by_score_and_by_what_their_statistics_recommend() {
    let folder = store();
    run(folder.path(), &[]);
    let list = |more: &[&str]| states(&outcome(folder.path(), &[&["months", "list"], more].concat()).0).len();
    let score = manifest(folder.path())["current"]["score"].as_f64().unwrap();
    assert_eq!((list(&["--below", &format!("{}", score + 1e-6)]), list(&["--below", &format!("{score}")])), (1, 0));
    assert_eq!(list(&["--needed"]), 0);
    change(&current(folder.path(), "statistics"), |statistics| {
        let recommended = serde_json::json!({ "needed": true, "priority": "low", "reasons": ["rolls 0.4"] });
        statistics["quality"]["reprocess"] = recommended;
    });
    assert_eq!(list(&["--needed"]), 1);
    let (listing, _) = outcome(folder.path(), &["months", "list", "--needed"]);
    assert_eq!(listing["months"][0]["reprocess"]["reasons"][0], "rolls 0.4");
    // Without being asked for, the statistics are not read, and the score says nothing of the kind.
    assert_eq!(outcome(folder.path(), &["months", "list"]).0["months"][0]["reprocess"]["needed"], false);
    let path = folder.path().join("store").join(MONTH).join("manifest.json");
    change(&path, |manifest| manifest["current"]["score"] = 0.55.into());
    let reprocess = |listing: &Value| {
        let reprocess = &listing["months"][0]["reprocess"];
        (reprocess["needed"].clone(), reprocess["priority"].clone())
    };
    assert_eq!(reprocess(&outcome(folder.path(), &["months", "list"]).0), (true.into(), "medium".into()));
    // A score that low may be that of a wrong month: the statistics say what to do about it.
    change(&path, |manifest| manifest["current"]["score"] = 0.45.into());
    assert_eq!(reprocess(&outcome(folder.path(), &["months", "list"]).0), (true.into(), "low".into()));
    fs::remove_file(current(folder.path(), "statistics")).unwrap();
    assert_eq!(list(&["--needed"]), 1, "statistics that are missing recommend it");
}

#[test]
fn the_history_shows_each_version_and_whether_it_is_intact() {
    let (folder, first, second) = two_versions();
    let history = |more: &[&str]| outcome(folder.path(), &[&["months", "history", "2013-09"], more].concat());
    let (shown, code) = history(&["--verify"]);
    assert_eq!((versions(&shown["versions"]), code), (vec![second.as_str(), &first], 0));
    let (now, before) = (&shown["versions"][0], &shown["versions"][1]);
    assert_eq!((&now["current"], &now["objects"]), (&true.into(), &"intact".into()));
    assert_eq!((&before["current"], &before["objects"]), (&false.into(), &"intact".into()));
    assert_eq!((&now["replaced"], &before["replaced"]), (&Value::Null, &now["published"]));
    assert_eq!(now["made_from"]["settings"]["profile"], "rolling");
    assert_eq!(before["made_from"]["settings"]["profile"], "session");
    let text = harness(folder.path()).args(["months", "history", "2013-09"]).assert().success().get_output().clone();
    let text = String::from_utf8(text.stdout).unwrap();
    for words in [&*first, "profile session", "decay reference 2013-09", "root ES", FILE, "current"] {
        assert!(text.contains(words), "'{words}' is missing in: {text}");
    }

    let old = manifest(folder.path())["history"][0]["data"]["key"].as_str().unwrap().to_owned();
    damage(&folder.path().join("store").join(&old));
    assert_eq!(history(&[]).1, 0, "a look does not read");
    let (shown, code) = history(&["--verify"]);
    assert_eq!(
        (&shown["versions"][0]["objects"], &shown["versions"][1]["objects"]),
        (&"intact".into(), &"damaged".into())
    );
    assert!(shown["versions"][1]["fault"].as_str().unwrap().contains(&old));
    assert_eq!(code, 1);
    fs::remove_file(folder.path().join("store").join(&old)).unwrap();
    let (shown, code) = history(&[]);
    assert_eq!((&shown["versions"][1]["objects"], code), (&"damaged".into(), 1));
    let (message, code) = refusal(folder.path(), &["months", "history", "2013-10"]);
    assert!(code == 2 && message.contains("2013-10 has no version"), "{message}");
}

#[test]
fn a_failure_is_recorded_until_the_month_is_published() {
    let folder = store();
    let raw = folder.path().join("store/raw-data/databento");
    let record = folder.path().join("store/processed-data/failures/2013-09.json");
    let good = fs::read(raw.join(FILE)).unwrap();
    let bad = raw.join("glbx-mdp3-20130901-20130930.ohlcv-1s.dbn");
    fs::remove_file(raw.join(FILE)).unwrap();
    fs::write(&bad, &plain()[..100_000]).unwrap();
    let failed = |more: &[&str]| {
        let arguments = [&["run", "--months", "2013-08..2013-09"], more].concat();
        let (results, code) = outcome(folder.path(), &arguments);
        assert_eq!((&results[0]["outcome"], &results[1]["outcome"], code), (&"no_input".into(), &"failed".into(), 1));
        results[1]["error"].clone()
    };
    let error = failed(&["--decay-reference", "2014-02"]);
    let read = || -> Value { serde_json::from_slice(&fs::read(&record).unwrap()).unwrap() };
    let failure = read();
    assert_eq!((&failure["month"], &failure["error"], &failure["exit_code"]), (&"2013-09".into(), &error, &3.into()));
    assert_eq!(failure["inputs"], serde_json::json!(["raw-data/databento/glbx-mdp3-20130901-20130930.ohlcv-1s.dbn"]));
    assert_eq!(
        (&failure["program"], &failure["decay_reference"]),
        (&env!("CARGO_PKG_VERSION").into(), &"2014-02".into())
    );
    assert_eq!(names(record.parent().unwrap()), ["2013-09.json"], "a month without raw files is no failure");
    fs::write(&bad, "nothing").unwrap();
    assert!(failed(&[]) != error);
    assert!(read()["error"] != error && read()["when"].as_str() > failure["when"].as_str());

    fs::remove_file(&bad).unwrap();
    fs::write(raw.join(FILE), good).unwrap();
    run(folder.path(), &["--dry-run"]);
    assert!(record.exists());
    let last = fs::read(&record).unwrap();
    run(folder.path(), &[]);
    assert!(!record.exists());
    let recovered = folder.path().join("store/processed-data/recovered/2013-09.json");
    assert_eq!(fs::read(recovered).unwrap(), last);
    fs::create_dir_all(record.parent().unwrap()).unwrap();
    fs::write(&record, "{}").unwrap();
    assert_eq!(run(folder.path(), &[])["outcome"], "unchanged");
    assert!(!record.exists());
    // A record that cannot be written does not change what the run says.
    fs::remove_dir(record.parent().unwrap()).unwrap();
    fs::write(record.parent().unwrap(), "no folder").unwrap();
    fs::remove_file(raw.join(FILE)).unwrap();
    fs::write(&bad, "nothing").unwrap();
    failed(&[]);
}

#[test]
fn reprocessing_makes_what_failed_and_what_is_recommended_with_the_references_they_had() {
    let folder = two_months();
    let path = |key: &str| folder.path().join("store").join(key);
    harness(folder.path()).args(["run", "--months", "2013-09..2013-10"]).assert().success();
    let reference = || manifest(folder.path())["current"]["made_from"]["decay_reference"].clone();
    assert_eq!(reference(), "2013-10");
    let reprocess = |arguments: &[&str]| outcome(folder.path(), &[&["months", "reprocess"], arguments].concat());
    let months = |results: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        results.as_array().unwrap().iter().map(|line| (text(&line["month"]), text(&line["outcome"]))).collect()
    };
    let (results, code) = reprocess(&["2013-09"]);
    assert_eq!((months(&results), code), (vec![("2013-09".into(), "unchanged".into())], 0));
    assert_eq!(reprocess(&["2013-08..2013-11", "--needed"]), (serde_json::json!([]), 0));

    change(&current(folder.path(), "statistics"), |json| json["quality"]["reprocess"]["needed"] = true.into());
    fs::write(path("glbx-mdp3-20130801-20130831.ohlcv-1s.dbn"), &plain()[..100_000]).unwrap();
    let arguments = ["run", "--month", "2013-08", "--decay-reference", "2013-10"];
    harness(folder.path()).args(arguments).assert().code(1);
    let expected = |outcomes: [&str; 2]| -> Vec<(String, String)> {
        ["2013-08", "2013-09"]
            .into_iter()
            .zip(outcomes)
            .map(|(month, outcome)| (month.into(), outcome.into()))
            .collect()
    };
    let (results, _) = reprocess(&["2013-08..2013-10", "--needed", "--dry-run"]);
    assert_eq!(months(&results), expected(["planned", "planned"]));
    let (results, code) = reprocess(&["2013-08..2013-09", "--needed"]);
    // The statistics had been changed, so they are published again.
    assert_eq!((months(&results), code), (expected(["failed", "published"]), 1));
    assert_eq!(reference(), "2013-10");
    let failure: Value =
        serde_json::from_slice(&fs::read(path("processed-data/failures/2013-08.json")).unwrap()).unwrap();
    assert_eq!(failure["decay_reference"], "2013-10");
    reprocess(&["2013-09", "--decay-reference", "2013-12"]);
    assert_eq!(reference(), "2013-12");
}
