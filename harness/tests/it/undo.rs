//! `months rollback` and `months remove`, also when they are interrupted or killed.

use crate::month;
use std::{fs, path::Path};

use crate::month::{
    MONTH, current, damage, forget, harness, keys, manifest, names, no_temporary_files, outcome, refusal, run, signal,
    start, store, two_versions, versions, wait_for, whole,
};
use serde_json::Value;

const HISTORY: &str = "processed-data/history/2013/09";

#[test]
fn a_month_that_is_rolled_back_stays_so_until_force() {
    let (folder, first, second) = two_versions();
    let before = fs::read(current(folder.path(), "data")).unwrap();
    let (done, _) = outcome(folder.path(), &["months", "rollback", "2013-09"]);
    assert_eq!((&done["outcome"], &done["version"]), (&"rolled_back".into(), &first.clone().into()));
    assert_eq!(done["replaced"], second.clone());
    whole(folder.path());
    let now = manifest(folder.path());
    assert_eq!((&now["current"]["version"], &now["pinned"]), (&first.clone().into(), &true.into()));
    assert_eq!(versions(&now["history"]), [&second]);
    let (shown, _) = outcome(folder.path(), &["months", "history", "2013-09", "--verify"]);
    assert_eq!(shown["versions"][1]["replaced"], now["current"]["published"]);

    let everything = keys(folder.path());
    let kept = run(folder.path(), &["--profile", "rolling"]);
    assert_eq!((&kept["outcome"], &kept["version"]), (&"pinned".into(), &first.clone().into()));
    assert_eq!((keys(folder.path()), manifest(folder.path())), (everything, now));
    assert_eq!(run(folder.path(), &["--profile", "rolling", "--force"])["outcome"], "published");
    let now = manifest(folder.path());
    assert_eq!((&now["current"]["version"], now.get("pinned")), (&second.clone().into(), None));
    assert!(fs::read(current(folder.path(), "data")).unwrap() == before);
    whole(folder.path());

    // To a version by how it begins, and there --force makes the same version: it is kept no longer.
    outcome(folder.path(), &["months", "rollback", "2013-09", "--to", &first[..9]]);
    assert_eq!(manifest(folder.path())["pinned"], true);
    assert_eq!(run(folder.path(), &["--force"])["version"], first);
    assert_eq!(manifest(folder.path()).get("pinned"), None);
    whole(folder.path());
    assert_eq!(run(folder.path(), &["--profile", "rolling"])["outcome"], "published");
}

#[test]
fn what_cannot_be_rolled_back_to_is_refused_and_nothing_changes() {
    let folder = store();
    let first = run(folder.path(), &[])["version"].as_str().unwrap().to_owned();
    let roll = |more: &[&str]| refusal(folder.path(), &[&["months", "rollback", "2013-09"], more].concat());
    let (message, code) = roll(&[]);
    assert!(code == 2 && message.contains("no earlier version"), "{message}");
    run(folder.path(), &["--profile", "rolling"]);
    let before = manifest(folder.path());
    for (to, words) in [("x", "no such version"), ("", "several versions")] {
        let (message, code) = roll(&["--to", to]);
        assert!(code == 2 && message.contains(words), "{message}");
    }
    let now = before["current"]["version"].as_str().unwrap();
    assert_eq!(outcome(folder.path(), &["months", "rollback", "2013-09", "--to", now]).0["outcome"], "unchanged");
    forget(folder.path());
    damage(&folder.path().join("store").join(before["history"][0]["data"]["key"].as_str().unwrap()));
    let (message, code) = roll(&[]);
    assert!(code == 4 && message.contains(&format!("version {first} is damaged")), "{message}");
    assert_eq!(manifest(folder.path()), before);
    assert!(names(&folder.path().join("store").join(MONTH)).iter().all(|name| !name.contains(&first)));
}

#[test]
fn a_removed_month_is_not_visible_and_can_be_brought_back_or_made_again() {
    let (folder, first, second) = two_versions();
    let remove = || outcome(folder.path(), &["months", "remove", "2013-09"]).0[0].clone();
    let removed = remove();
    assert_eq!((&removed["outcome"], &removed["versions"]), (&"removed".into(), &2.into()));
    assert!(keys(folder.path()).iter().all(|key| !key.starts_with(MONTH)));
    whole(folder.path());
    let (shown, _) = outcome(folder.path(), &["months", "history", "2013-09", "--verify"]);
    assert_eq!(versions(&shown["versions"]), [&second, &first]);
    assert!(shown["removed"].is_string() && shown["versions"][0]["current"] == false);
    assert_eq!(shown["versions"][0]["replaced"], shown["removed"]);
    assert_eq!(remove()["outcome"], "removed_before");
    whole(folder.path());

    // Back to the version before the one that was removed.
    let (done, _) = outcome(folder.path(), &["months", "rollback", "2013-09", "--to", &first]);
    assert_eq!((&done["outcome"], &done["replaced"]), (&"rolled_back".into(), &Value::Null));
    assert_eq!(versions(&manifest(folder.path())["history"]), [&second]);
    whole(folder.path());

    remove();
    let again = run(folder.path(), &["--profile", "rolling"]);
    assert_eq!((&again["outcome"], &again["version"]), (&"published".into(), &second.clone().into()));
    assert_eq!(versions(&manifest(folder.path())["history"]), [&first]);
    whole(folder.path());

    // What is damaged cannot be kept, so it is not taken out.
    damage(&current(folder.path(), "data"));
    let before = manifest(folder.path());
    let (lines, code) = outcome(folder.path(), &["months", "remove", "2013-09"]);
    assert_eq!((&lines[0]["outcome"], code), (&"failed".into(), 1));
    assert!(lines[0]["error"].as_str().unwrap().contains("is damaged"), "{lines}");
    assert_eq!(manifest(folder.path()), before);
    let (message, code) = refusal(folder.path(), &["months", "remove", "2014-01..2014-12"]);
    assert!(code == 2 && message.contains("2014-01 has no version"), "{message}");
}

#[test]
fn a_removal_that_cannot_be_recorded_does_not_take_place() {
    let (folder, _, second) = two_versions();
    let before = manifest(folder.path());
    fs::create_dir(folder.path().join("store").join(HISTORY).join("manifest.json")).unwrap();
    let (message, code) = refusal(folder.path(), &["months", "remove", "2013-09"]);
    assert!(code == 4 && message.contains(&format!("{HISTORY}/manifest.json")), "{message}");
    assert_eq!(manifest(folder.path()), before);
    assert!(names(&folder.path().join("store").join(HISTORY)).iter().all(|name| !name.contains(&second)));
    whole(folder.path());
}

#[test]
fn a_removal_that_was_killed_before_its_commit_is_undone_by_the_next_run() {
    let (folder, _, second) = two_versions();
    let path = |key: &str| folder.path().join("store").join(key);
    let before = manifest(folder.path());
    // As it is found between the last write and the deletion of the manifest.
    fs::create_dir_all(folder.path().join("aside")).unwrap();
    fs::copy(path(MONTH).join("manifest.json"), folder.path().join("aside/manifest.json")).unwrap();
    let objects: Vec<(String, Vec<u8>)> = ["data", "statistics"]
        .map(|part| {
            (
                before["current"][part]["key"].as_str().unwrap().to_owned(),
                fs::read(current(folder.path(), part)).unwrap(),
            )
        })
        .into();
    harness(folder.path()).args(["months", "remove", "2013-09"]).assert().success();
    fs::copy(folder.path().join("aside/manifest.json"), path(MONTH).join("manifest.json")).unwrap();
    objects.iter().for_each(|(key, bytes)| fs::write(path(key), bytes).unwrap());
    assert!(path(HISTORY).join("manifest.json").exists());

    let (shown, _) = outcome(folder.path(), &["months", "history", "2013-09", "--verify"]);
    assert_eq!((shown["versions"][0]["version"].as_str(), &shown["removed"]), (Some(&*second), &Value::Null));
    assert_eq!(run(folder.path(), &["--profile", "rolling"])["outcome"], "unchanged");
    whole(folder.path());
    assert_eq!(manifest(folder.path()), before);
}

/// Interrupts a command over and over from the moment that `seen` tells, and checks that the month is whole each time;
/// `back` undoes it where it was too late. Returns how often it was in time.
fn interrupt(folder: &Path, arguments: &[&str], back: &[&str], seen: impl Fn() -> bool) -> usize {
    let mut interrupted = 0;
    for round in 0..8 {
        let mut child = start(folder, arguments);
        wait_for(&mut child, &seen);
        std::thread::sleep(std::time::Duration::from_millis(round / 2 * 3));
        signal(&child, if round % 2 == 0 { "-INT" } else { "-TERM" });
        let code = child.wait().unwrap().code();
        whole(folder);
        no_temporary_files(folder);
        interrupted += usize::from(code == Some(130));
        harness(folder).args(back).assert().success();
        forget(folder);
    }
    interrupted
}

#[test]
fn an_interrupted_rollback_leaves_the_month_whole() {
    let (folder, first, second) = two_versions();
    let there = || names(&folder.path().join("store").join(MONTH)).iter().any(|name| name.contains(&first));
    let arguments = ["months", "rollback", "2013-09", "--to", &first];
    let times = interrupt(folder.path(), &arguments, &["months", "rollback", "2013-09", "--to", &second], there);
    assert!(times > 0, "no signal came in time");
}

#[test]
fn an_interrupted_removal_leaves_the_month_whole() {
    let (folder, _, second) = two_versions();
    let there = || names(&folder.path().join("store").join(HISTORY)).iter().any(|name| name.contains(&second));
    let back = ["months", "rollback", "2013-09", "--to", &second];
    let times = interrupt(folder.path(), &["months", "remove", "2013-09"], &back, there);
    assert!(times > 0, "no signal came in time");
}

#[test]
fn after_a_kill_the_month_is_as_before_or_after_and_the_rest_is_cleaned_up() {
    let (folder, first, second) = two_versions();
    let path = |key: &str| folder.path().join("store").join(key);
    let mut killed = 0;
    for round in 0..12 {
        let arguments = match round % 2 {
            0 => &["months", "rollback", "2013-09", "--to", &first][..],
            _ => &["months", "remove", "2013-09"],
        };
        let mut child = start(folder.path(), arguments);
        let begun = || {
            names(&path(MONTH)).iter().any(|name| name.contains(&first))
                || names(&path(HISTORY)).iter().any(|name| name.contains(&second))
        };
        wait_for(&mut child, begun);
        std::thread::sleep(std::time::Duration::from_millis(round / 2 * 4));
        signal(&child, "-KILL");
        killed += usize::from(child.wait().unwrap().code().is_none());
        // All that a manifest names is there, whatever else is.
        assert!(month::named(&folder.path().join("store"), "2013/09").is_subset(&keys(folder.path())));
        harness(folder.path()).args(["clean"]).assert().success();
        whole(folder.path());
        let (shown, _) = outcome(folder.path(), &["months", "history", "2013-09", "--verify"]);
        let mut all = versions(&shown["versions"]);
        all.sort_unstable();
        let mut both = [&*first, &*second];
        both.sort_unstable();
        assert_eq!(all, both);
        harness(folder.path()).args(["months", "rollback", "2013-09", "--to", &second]).assert().success();
        forget(folder.path());
    }
    assert!(killed > 0, "no kill came in time");
}
