//! Several runs at once, and runs that are interrupted or killed: the month is whole or not there, and nothing is left.

use std::{
    fs,
    process::Child,
    time::{Duration, Instant},
};

use crate::month::{
    MONTH, forget, harness, keys, manifest, names, no_temporary_files, run, signal, start, store, synthetic, wait_for,
    whole,
};
use serde_json::Value;

#[test]
fn of_many_runs_at_once_one_publishes_and_the_others_leave_nothing() {
    for others in [&[][..], &["--profile", "rolling"]] {
        let folder = store();
        let arguments = |index: usize| {
            let more = if index.is_multiple_of(2) { &[][..] } else { others };
            [&["run", "--month", "2013-09", "--json"], more].concat()
        };
        let children: Vec<Child> = (0..6).map(|index| start(folder.path(), &arguments(index))).collect();
        let outcomes: Vec<String> = children
            .into_iter()
            .map(|child| {
                let output = child.wait_with_output().unwrap();
                let message = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{:?} {message}", output.status);
                let results: Value = serde_json::from_slice(&output.stdout).unwrap();
                results[0]["outcome"].as_str().unwrap().to_owned()
            })
            .collect();
        assert!(outcomes.iter().any(|outcome| outcome == "published"), "{outcomes:?}");
        assert!(outcomes.iter().any(|outcome| outcome != "published"), "{outcomes:?}");
        whole(folder.path());
        no_temporary_files(folder.path());
    }
}

#[test]
fn an_interrupted_run_removes_what_it_uploaded() {
    let folder = store();
    run(folder.path(), &["--dry-run"]);
    let mut interrupted = 0;
    for (round, name) in ["-INT", "-TERM", "-INT", "-TERM"].into_iter().enumerate() {
        let mut child = start(folder.path(), &["run", "--month", "2013-09"]);
        let uploading = |name: &String| name.starts_with("monthly") && (round < 2 || !name.contains('#'));
        wait_for(&mut child, || names(&folder.path().join("store").join(MONTH)).iter().any(uploading));
        signal(&child, name);
        let since = Instant::now();
        let code = child.wait().unwrap().code();
        assert!(since.elapsed() < Duration::from_secs(2));
        if keys(folder.path()).is_empty() {
            assert_eq!(code, Some(130));
            interrupted += 1;
        } else {
            whole(folder.path());
            fs::remove_dir_all(folder.path().join("store/processed-data")).unwrap();
        }
        no_temporary_files(folder.path());
    }
    assert!(interrupted > 0, "no signal came in time");
}

#[test]
fn an_interrupted_process_leaves_nothing_beside_its_output() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    let mut child = start(folder.path(), &["process", synthetic().to_str().unwrap(), "out/month.parquet"]);
    wait_for(&mut child, || !names(&folder.path().join("out")).is_empty());
    assert!(names(&folder.path().join("out"))[0].starts_with(".harness-"));
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(names(&folder.path().join("out")).is_empty());
    no_temporary_files(folder.path());
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let folder = store();
    let mut child = start(folder.path(), &["run", "--month", "2013-09"]);
    wait_for(&mut child, || {
        names(&folder.path().join("store").join(MONTH)).iter().any(|name| name.starts_with("monthly"))
    });
    signal(&child, "-KILL");
    child.wait().unwrap();
    let left = keys(folder.path());
    assert!(
        left.iter().any(|key| key.starts_with(MONTH)) && !left.contains(&format!("{MONTH}/manifest.json")),
        "{left:?}"
    );
    assert_eq!(run(folder.path(), &["--profile", "rolling"])["outcome"], "published");
    whole(folder.path());
    no_temporary_files(folder.path());
}

#[test]
fn a_month_that_is_unchanged_is_tidied_and_what_is_not_ours_stays() {
    let folder = store();
    run(folder.path(), &[]);
    let current = manifest(folder.path())["current"]["version"].as_str().unwrap().to_owned();
    let before = keys(folder.path());
    let history = MONTH.replace("monthly", "history");
    let strays = [
        format!("{MONTH}/monthly_2013-09_0123456789abcdef.parquet"),
        format!("{MONTH}/monthly_2013-09_0123456789abcdef.parquet#1"),
        format!("{MONTH}/statistics/monthly_2013-09_0123456789abcdef_statistics.json"),
        format!("{MONTH}/manifest.json#2"),
        format!("{history}/monthly_2013-09_0123456789abcdef.parquet#1"),
    ];
    let notes = format!("{MONTH}/notes.txt");
    // The second may be being read, the third all that is left of a lost version.
    let copies = [&*current, "0123456789abcdef"].map(|version| format!("{history}/monthly_2013-09_{version}.parquet"));
    let theirs: Vec<String> = [notes.clone()].into_iter().chain(copies).collect();
    for key in strays.iter().chain(&theirs) {
        let path = folder.path().join("store").join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "left").unwrap();
    }
    run(folder.path(), &["--dry-run"]);
    assert_eq!(keys(folder.path()).len(), before.len() + strays.len() + theirs.len(), "a dry run removes nothing");
    assert_eq!(run(folder.path(), &[])["outcome"], "unchanged");
    assert_eq!(keys(folder.path()), before.iter().cloned().chain(theirs).collect());
    forget(folder.path());
    assert_eq!(keys(folder.path()), before.into_iter().chain([notes]).collect());
}

#[test]
fn folders_of_killed_runs_are_removed_and_those_of_others_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache/harness");
    for name in ["run-killed", "run-older", "run-alive"] {
        fs::create_dir_all(cache.join(name)).unwrap();
    }
    fs::write(cache.join("run-killed/running.lock"), "").unwrap();
    let alive = fs::File::create(cache.join("run-alive/running.lock")).unwrap();
    alive.lock().unwrap();
    fs::write(folder.path().join("empty.dbn"), "").unwrap();
    harness(folder.path()).args(["process", "empty.dbn", "out.parquet"]).assert().code(3);
    assert_eq!(names(&cache), [".harness.lock", "run-alive"]);
}
