//! `backup`: copies of a store that read back, what is found when they do not, and the way back.

use crate::month;
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use crate::month::{
    FILE, MONTH, change, damage, harness, keys, keys_of, manifest, named, names, no_temporary_files, outcome, refusal,
    run, signal, start, store, two_versions, versions, wait_for, whole,
};
use serde_json::Value;

const MANIFEST: &str = "processed-data/monthly/2013/09/manifest.json";

/// A store with two versions of the month, and a second month.
fn two_months() -> tempfile::TempDir {
    let (folder, ..) = two_versions();
    let arguments = ["synth", "--months", "2013-10..2013-10", "--out", "store/raw-data", "--seed", "2"];
    harness(folder.path()).args(arguments).assert().success();
    month::shorten(&folder.path().join("store/raw-data"));
    harness(folder.path()).args(["run", "--month", "2013-10"]).assert().success();
    folder
}

fn create(folder: &Path, more: &[&str]) -> (Value, i32) {
    outcome(folder, &[&["backup", "create", "backup"], more].concat())
}

fn verify(folder: &Path) -> (Value, i32) {
    outcome(folder, &["backup", "verify", "backup"])
}

fn restore(folder: &Path, more: &[&str]) -> (Value, i32) {
    outcome(folder, &[&["backup", "restore", "backup"], more].concat())
}

/// When each object of the backup was written.
fn times(folder: &Path) -> Vec<(String, SystemTime)> {
    let root = folder.join("backup");
    keys_of(&root)
        .into_iter()
        .map(|key| (key.clone(), fs::metadata(root.join(key)).unwrap().modified().unwrap()))
        .collect()
}

/// The same bytes under the same keys.
fn same(folder: &Path, keys: &BTreeSet<String>) -> bool {
    keys.iter().all(|key| {
        fs::read(folder.join("store").join(key)).unwrap() == fs::read(folder.join("backup").join(key)).unwrap()
    })
}

#[test]
fn a_backup_has_every_version_and_copies_only_what_it_does_not_have() {
    let (folder, ..) = two_versions();
    let path = folder.path();
    let (made, code) = create(path, &[]);
    assert_eq!((&made["months"][0]["outcome"], &made["months"][0]["objects"], code), (&"copied".into(), &4.into(), 0));
    assert_eq!(keys_of(&path.join("backup")), named(&path.join("backup"), "2013/09"));
    assert!(same(path, &keys(path)));
    let (found, code) = verify(path);
    assert_eq!((&found["objects"], code), (&5.into(), 0));
    no_temporary_files(path);

    let before = times(path);
    assert_eq!(create(path, &[]).0["months"][0]["outcome"], "unchanged");
    assert_eq!(times(path), before);

    // A third version: its two objects are new, and those of the second are in the history now.
    run(path, &["--contract", "volume-previous"]);
    assert_eq!(create(path, &[]).0["months"][0]["objects"], 4);
    assert!(same(path, &keys(path)));
    assert_eq!(keys_of(&path.join("backup")), keys(path));
    assert_eq!(verify(path).1, 0);

    // What is of the right size is believed, unless everything is read back.
    let data = manifest(path)["current"]["data"]["key"].as_str().unwrap().to_owned();
    damage(&path.join("backup").join(&data));
    assert_eq!(create(path, &[]).0["months"][0]["outcome"], "unchanged");
    assert_eq!(create(path, &["--full"]).0["months"][0]["objects"], 1);
    fs::write(path.join("backup").join(&data), "cut").unwrap();
    assert_eq!(create(path, &[]).0["months"][0]["objects"], 1);
    assert!(same(path, &keys(path)));
    assert_eq!(verify(path).1, 0);
    assert_eq!(create(path, &["--months", "2014-01..2014-02"]).0["months"], serde_json::json!([]));
    let (message, code) = refusal(path, &["backup", "create", "./store"]);
    assert!(code == 2 && message.contains("is the store itself"), "{message}");
    let (message, code) = refusal(path, &["backup", "create", "backup", "--store", "absent"]);
    assert!(code == 4 && message.contains("absent"), "{message}");
}

#[test]
fn a_backup_keeps_the_versions_that_the_store_has_lost() {
    let (folder, first, second) = two_versions();
    let path = folder.path();
    create(path, &[]);
    fs::remove_dir_all(path.join("store/processed-data")).unwrap();
    let third = run(path, &["--contract", "volume-previous"])["version"].clone();
    assert_eq!(create(path, &[]).0["months"][0]["objects"], 2);
    let manifest: Value = serde_json::from_slice(&fs::read(path.join("backup").join(MANIFEST)).unwrap()).unwrap();
    assert_eq!((&manifest["current"]["version"], versions(&manifest["history"])), (&third, vec![&*second, &*first]));
    assert_eq!(keys_of(&path.join("backup")), named(&path.join("backup"), "2013/09"));
    assert_eq!((&create(path, &[]).0["months"][0]["outcome"], verify(path).1), (&"unchanged".into(), 0));
    // Also what is damaged in the store's history.
    run(path, &[]);
    damage(&path.join("store").join(month::manifest(path)["history"][0]["data"]["key"].as_str().unwrap()));
    let (made, code) = create(path, &[]);
    assert_eq!((&made["months"][0]["outcome"], code), (&"copied".into(), 1));
    let kept: Value = serde_json::from_slice(&fs::read(path.join("backup").join(MANIFEST)).unwrap()).unwrap();
    assert_eq!(kept["history"].as_array().unwrap().len(), 2);
    assert!(versions(&kept["history"]).contains(&third.as_str().unwrap()));
    assert_eq!(verify(path).1, 0);
    run(path, &["--contract", "volume-previous"]);
    // A month that is removed stays in the backup.
    harness(path).args(["months", "remove", "2013-09"]).assert().success();
    assert_eq!(create(path, &[]).0["months"], serde_json::json!([]));
    assert_eq!((keys_of(&path.join("backup")).len(), verify(path).1), (7, 0));
}

#[test]
fn what_is_missing_altered_or_extra_in_a_backup_is_named() {
    let folder = two_months();
    let path = folder.path();
    create(path, &[]);
    let manifest = manifest(path);
    let key = |version: &Value, part: &str| version[part]["key"].as_str().unwrap().to_owned();
    let (data, statistics) = (key(&manifest["current"], "data"), key(&manifest["history"][0], "statistics"));
    damage(&path.join("backup").join(&data));
    fs::remove_file(path.join("backup").join(&statistics)).unwrap();
    let extra = [format!("{MONTH}/monthly_2013-09_0123456789abcdef.parquet"), "notes.txt".to_owned()];
    extra.iter().for_each(|key| fs::write(path.join("backup").join(key), "").unwrap());
    let (found, code) = verify(path);
    assert_eq!(
        (&found["missing"], &found["extra"]),
        (&serde_json::json!([statistics]), &serde_json::json!([extra[1], extra[0]]))
    );
    assert_eq!(
        (found["altered"].as_array().unwrap().len(), &found["altered"][0]["key"], code),
        (1, &data.clone().into(), 1)
    );
    let text = harness(path).args(["backup", "verify", "backup"]).assert().code(1).get_output().stdout.clone();
    let text = String::from_utf8(text).unwrap();
    for words in [format!("missing  {statistics}"), format!("altered  {data}: "), format!("extra    {}", extra[0])] {
        assert!(text.contains(&words), "'{words}' is missing in: {text}");
    }

    fs::write(path.join("backup").join(MANIFEST), "{}").unwrap();
    let (found, _) = verify(path);
    assert_eq!((&found["altered"][0]["key"], &found["extra"]), (&MANIFEST.into(), &serde_json::json!(["notes.txt"])));
    // Making the backup again mends all of it but what is not ours.
    assert_eq!(create(path, &["--full"]).1, 0);
    let (found, code) = verify(path);
    assert_eq!((&found["missing"], &found["altered"], code), (&serde_json::json!([]), &serde_json::json!([]), 1));
    assert_eq!(found["extra"], serde_json::json!(["notes.txt"]));
}

#[test]
fn a_store_that_is_lost_is_restored_and_what_is_there_is_left() {
    let folder = two_months();
    let path = folder.path();
    create(path, &[]);
    let before = manifest(path);
    assert_eq!(restore(path, &[]).0[0]["outcome"], "unchanged");
    fs::remove_dir_all(path.join("store/processed-data")).unwrap();
    let (lines, code) = restore(path, &["--months", "2013-09"]);
    assert_eq!((lines.as_array().unwrap().len(), &lines[0]["outcome"], code), (1, &"restored".into(), 0));
    whole(path);
    // The same under names of their own.
    for part in ["/version", "/data/checksum", "/statistics/checksum", "/rows", "/made_from", "/score"] {
        let of = |manifest: &Value| manifest["current"].pointer(part).unwrap().clone();
        assert_eq!(of(&manifest(path)), of(&before), "{part}");
    }
    assert_ne!(manifest(path)["current"]["data"]["key"], before["current"]["data"]["key"]);
    assert_eq!(run(path, &["--profile", "rolling"])["outcome"], "unchanged");
    let (lines, _) = restore(path, &[]);
    assert_eq!((&lines[0]["outcome"], &lines[1]["outcome"]), (&"unchanged".into(), &"restored".into()));

    // What is replaced goes to the history; what is damaged is replaced.
    let third = run(path, &["--contract", "volume-previous"])["version"].clone();
    assert_eq!(restore(path, &["--months", "2013-09"]).0[0]["outcome"], "restored");
    assert_eq!(manifest(path)["history"][0]["version"], third);
    damage(&path.join("store").join(manifest(path)["current"]["data"]["key"].as_str().unwrap()));
    assert_eq!(restore(path, &["--months", "2013-09"]).0[0]["outcome"], "restored");
    let both = ["2013/09", "2013/10"].map(|month| named(&path.join("store"), month));
    assert_eq!(keys(path), both.into_iter().flatten().collect());
    no_temporary_files(path);
    let (message, code) = refusal(path, &["backup", "restore", "backup", "--months", "2014-01"]);
    assert!(code == 2 && message.contains("no published month of 2014-01..2014-01"), "{message}");
    let (message, code) = refusal(path, &["backup", "restore", "absent"]);
    assert!(code == 4 && message.contains("absent"), "{message}");
}

#[test]
fn a_damaged_month_of_a_backup_is_refused_and_the_others_go_on() {
    let folder = two_months();
    let path = folder.path();
    create(path, &[]);
    let data = manifest(path)["current"]["data"]["key"].as_str().unwrap().to_owned();
    for spoil in [
        &(|| damage(&path.join("backup").join(&data))) as &dyn Fn(),
        &|| fs::remove_file(path.join("backup").join(&data)).unwrap(),
        // Whoever reads it meets an error of the system, as of a bad disk.
        &|| std::os::unix::fs::symlink("/proc/self/mem", path.join("backup").join(&data)).unwrap(),
        &|| fs::write(path.join("backup").join(MANIFEST), "{").unwrap(),
    ] {
        spoil();
        let _ = fs::remove_dir_all(path.join("store/processed-data"));
        let (lines, code) = restore(path, &[]);
        assert_eq!((&lines[0]["outcome"], &lines[1]["outcome"], code), (&"failed".into(), &"restored".into(), 1));
        let error = lines[0]["error"].as_str().unwrap();
        assert!(error.contains(&data) || error.contains(MANIFEST), "{error}");
        assert!(names(&path.join("store").join(MONTH)).is_empty());
    }
}

#[test]
fn a_month_that_is_damaged_in_the_store_is_named_and_its_backup_stays() {
    let folder = two_months();
    let path = folder.path();
    create(path, &[]);
    let before = times(path);
    let old = manifest(path)["history"][0]["data"]["key"].as_str().unwrap().to_owned();
    let october = path.join("store/processed-data/monthly/2013/10/manifest.json");
    fs::write(&october, "{").unwrap();
    let (made, code) = create(path, &[]);
    assert_eq!((&made["months"][1]["outcome"], code), (&"failed".into(), 1));
    assert_eq!(times(path), before);

    // An earlier version that is damaged does not keep the current one from a new backup.
    damage(&path.join("store").join(&old));
    fs::remove_dir_all(path.join("backup")).unwrap();
    let (made, code) = create(path, &["--months", "2013-09"]);
    assert_eq!((&made["months"][0]["outcome"], code), (&"copied".into(), 1));
    assert!(made["months"][0]["errors"][0].as_str().unwrap().contains(&old));
    assert_eq!(verify(path).1, 0);
    damage(&path.join("store").join(manifest(path)["current"]["data"]["key"].as_str().unwrap()));
    fs::remove_dir_all(path.join("backup")).unwrap();
    let (made, code) = create(path, &["--months", "2013-09"]);
    assert_eq!((&made["months"][0]["outcome"], code), (&"failed".into(), 1));
    assert!(keys_of(&path.join("backup")).is_empty());
}

#[test]
fn a_month_whose_manifest_cannot_be_read_is_restored_with_the_history_that_is_there() {
    let (folder, ..) = two_versions();
    let path = folder.path();
    create(path, &[]);
    let before = manifest(path);
    fs::write(path.join("store").join(MANIFEST), "{").unwrap();
    let output = harness(path).args(["backup", "restore", "backup"]).assert().success().get_output().clone();
    assert!(String::from_utf8(output.stderr).unwrap().contains("restored over a manifest that cannot be read"));
    whole(path);
    assert_eq!(manifest(path)["history"], before["history"]);
    assert_eq!(manifest(path)["current"]["version"], before["current"]["version"]);
}

#[test]
fn a_rolled_back_month_is_restored_as_one() {
    let (folder, ..) = two_versions();
    let path = folder.path();
    harness(path).args(["months", "rollback", "2013-09"]).assert().success();
    create(path, &[]);
    fs::remove_dir_all(path.join("store/processed-data")).unwrap();
    restore(path, &[]);
    assert_eq!(run(path, &["--profile", "rolling"])["outcome"], "pinned");
}

#[test]
fn raw_files_are_compared_by_size_and_checksum() {
    let folder = store();
    let path = folder.path();
    let raw = format!("raw-data/databento/{FILE}");
    let make = |more: &[&str]| {
        let (made, code) = create(path, &[&["--raw-files"], more].concat());
        assert_eq!((made["raw_files"].as_array().unwrap().len(), code), (1, 0));
        made["raw_files"][0]["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(make(&[]), "copied");
    assert!(fs::read(path.join("backup").join(&raw)).unwrap() == fs::read(path.join("store").join(&raw)).unwrap());
    assert_eq!((make(&[]), verify(path).1), ("unchanged".into(), 0));
    damage(&path.join("store").join(&raw));
    assert_eq!(make(&[]), "copied", "another file of the same size");
    damage(&path.join("backup").join(&raw));
    let (found, code) = verify(path);
    assert_eq!((&found["altered"][0]["key"], code), (&raw.clone().into(), 1));
    assert_eq!((make(&[]), make(&["--full"]), verify(path).1), ("unchanged".into(), "copied".into(), 0));
    let other = path.join("backup/glbx-mdp3-20130801-20130831.ohlcv-1s.dbn");
    fs::write(&other, "").unwrap();
    assert_eq!(verify(path).0["extra"].as_array().unwrap().len(), 1);
    fs::remove_file(other).unwrap();
    change(&path.join("backup/processed-data/raw-files.json"), |index| *index = 1.into());
    assert_eq!(verify(path).0["altered"][0]["key"], "processed-data/raw-files.json");
    assert_eq!((make(&[]), verify(path).1), ("copied".into(), 0));
}

#[test]
fn a_backup_that_is_interrupted_or_killed_is_completed_by_the_next() {
    let (folder, ..) = two_versions();
    let path = folder.path();
    let mut stopped = 0;
    for round in 0..6 {
        let _ = fs::remove_dir_all(path.join("backup"));
        let mut child = start(path, &["backup", "create", "backup"]);
        wait_for(&mut child, || names(&path.join("backup").join(MONTH)).iter().any(|name| name.starts_with("monthly")));
        std::thread::sleep(Duration::from_millis(round / 2 * 10));
        signal(&child, if round % 2 == 0 { "-INT" } else { "-KILL" });
        let code = child.wait().unwrap().code();
        let committed = path.join("backup").join(MANIFEST).exists();
        stopped += usize::from(!committed);
        if code == Some(130) {
            no_temporary_files(path);
        }
        if round % 2 == 0 && !committed {
            assert!(keys_of(&path.join("backup")).is_empty());
        }
        assert_eq!(create(path, &[]).1, 0);
        assert_eq!(keys_of(&path.join("backup")), named(&path.join("backup"), "2013/09"));
    }
    assert!(stopped > 0, "no signal came in time");
}

#[test]
fn a_backup_of_a_store_that_is_at_work_is_whole() {
    let (folder, ..) = two_versions();
    let path = folder.path();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                harness(path).args(["months", "rollback", "2013-09"]).assert().success();
                std::thread::sleep(Duration::from_millis(150));
            }
        });
        let made: Vec<bool> = (0..12)
            .map(|_| {
                let _ = fs::remove_dir_all(path.join("backup"));
                create(path, &[]).1 == 0 && verify(path).1 == 0
            })
            .collect();
        done.store(true, Ordering::Relaxed);
        assert_eq!(made, [true; 12]);
    });
    create(path, &[]);
    assert_eq!(keys_of(&path.join("backup")), keys(path));
}

#[test]
fn a_backup_is_held_to_the_store() {
    let folder = two_months();
    let path = folder.path();
    create(path, &[]);
    let against = || outcome(path, &["backup", "verify", "backup", "--against-store"]);
    let found = |expected: &[(&str, &str)]| {
        let (found, code) = against();
        let months = found["months"].as_array().unwrap().iter();
        let months: Vec<_> =
            months.map(|month| (month["month"].as_str().unwrap(), month["what"].as_str().unwrap())).collect();
        assert_eq!((&months[..], code), (expected, i32::from(!expected.is_empty())));
    };
    found(&[]);
    // The store has a version that the backup has not, and has lost a month; both only show beside the store.
    run(path, &["--contract", "volume-previous"]);
    fs::remove_dir_all(path.join("store/processed-data/monthly/2013/10")).unwrap();
    assert_eq!(verify(path).1, 0);
    found(&[("2013-09", "other_version"), ("2013-10", "not_in_store")]);
    let text = harness(path)
        .args(["backup", "verify", "backup", "--against-store"])
        .assert()
        .code(1)
        .get_output()
        .stdout
        .clone();
    let text = String::from_utf8(text).unwrap();
    for words in
        ["harness backup create backup", "harness backup restore backup --months 2013-10..2013-10", "2 months differ"]
    {
        assert!(text.contains(words), "'{words}' is missing in: {text}");
    }
    // What these say to do mends it.
    create(path, &[]);
    harness(path).args(["backup", "restore", "backup", "--months", "2013-10..2013-10"]).assert().success();
    found(&[]);
    // The backup has lost a month; one that was removed on purpose is none that is missing.
    fs::remove_dir_all(path.join("backup/processed-data/monthly/2013/10")).unwrap();
    found(&[("2013-10", "not_in_backup")]);
    create(path, &[]);
    harness(path).args(["months", "remove", "2013-10"]).assert().success();
    found(&[]);
    // An altered file is no longer said to be without a way back.
    let data = manifest(path)["current"]["data"]["key"].as_str().unwrap().to_owned();
    damage(&path.join("backup").join(data));
    let text = harness(path).args(["backup", "verify", "backup"]).assert().code(1).get_output().stdout.clone();
    assert!(String::from_utf8(text).unwrap().contains("hint: harness backup create backup --full"), "no hint");
    create(path, &["--full"]);
    assert_eq!(verify(path).1, 0);
}
