//! `run` on a local store.

use std::{fs, path::Path};

use crate::month::{FILE, harness, json, manifest, plain, plain_whole, run, store, store_whole, synthetic};
use serde_json::Value;

/// Every object of the store but heartbeats, and when it was written.
fn objects(folder: &Path) -> Vec<(String, std::time::SystemTime)> {
    fn walk(folder: &Path, found: &mut Vec<(String, std::time::SystemTime)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push((path.display().to_string(), fs::metadata(&path).unwrap().modified().unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&folder.join("store/processed-data"), &mut found);
    found.retain(|(path, _)| !path.contains("/status/"));
    found.sort();
    found
}

#[test]
fn a_month_is_published_once_and_what_is_published_reads_back() {
    let folder = store();
    let result = run(folder.path(), &[]);
    assert_eq!(result["outcome"], "published");
    let manifest = manifest(folder.path());
    let data = &manifest["current"]["data"];
    let bytes = fs::read(folder.path().join("store").join(data["key"].as_str().unwrap())).unwrap();
    assert_eq!(data["bytes"], bytes.len());
    assert_eq!(data["checksum"], format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&bytes)));
    assert_eq!(manifest["current"]["version"], result["version"]);
    let statistics = folder.path().join("store").join(manifest["current"]["statistics"]["key"].as_str().unwrap());
    let statistics: Value = serde_json::from_slice(&fs::read(statistics).unwrap()).unwrap();
    assert_eq!(statistics["quality"]["score"], manifest["current"]["score"]);
    assert_eq!(statistics["inputs"][0]["key"], format!("raw-data/databento/{FILE}"));
    // Nanoseconds of a kernel call over thousands of rows: a microsecond is not enough for any.
    let latency = |quantile: &str| statistics["performance"]["chunk_latency"][quantile].as_u64().unwrap();
    assert!(1_000 < latency("p50") && latency("p50") <= latency("p99") && latency("p99") <= latency("max"));

    let before = objects(folder.path());
    assert_eq!(before.len(), 4, "data, statistics, manifest and volumes");
    assert_eq!(run(folder.path(), &[])["outcome"], "unchanged");
    assert_eq!(run(folder.path(), &["--force"])["outcome"], "unchanged");
    assert_eq!(objects(folder.path()), before, "an unchanged month uploads nothing");
}

#[test]
fn process_and_run_give_the_same_bytes() {
    let folder = store();
    run(folder.path(), &[]);
    harness(folder.path()).args(["process", synthetic().to_str().unwrap(), "out.parquet"]).assert().success();
    let key = manifest(folder.path())["current"]["data"]["key"].as_str().unwrap().to_owned();
    let published = fs::read(folder.path().join("store").join(key)).unwrap();
    assert!(published == fs::read(folder.path().join("out.parquet")).unwrap());
}

#[test]
fn other_settings_replace_the_month_and_keep_the_version_before() {
    let folder = store();
    let first = run(folder.path(), &[]);
    let second = run(folder.path(), &["--profile", "rolling"]);
    assert_eq!(second["outcome"], "published");
    let now = manifest(folder.path());
    assert_eq!(now["current"]["version"], second["version"]);
    assert_eq!(now["history"][0]["version"], first["version"]);
    let old = now["history"][0]["data"]["key"].as_str().unwrap();
    assert!(old.starts_with("processed-data/history/2013/09/"));
    assert!(folder.path().join("store").join(old).exists());
    assert_eq!(crate::month::keys(folder.path()).len(), 5, "one current Parquet, one in the history");

    // Back again: the same version as at first.
    let third = run(folder.path(), &[]);
    assert_eq!((&third["version"], third["outcome"].as_str()), (&first["version"], Some("published")));
    assert_eq!(manifest(folder.path())["history"].as_array().unwrap().len(), 1);
    assert_eq!(crate::month::keys(folder.path()).len(), 5);
}

#[test]
fn a_damaged_object_is_published_again_on_force() {
    let folder = store();
    run(folder.path(), &[]);
    let key = manifest(folder.path())["current"]["data"]["key"].as_str().unwrap().to_owned();
    let path = folder.path().join("store").join(key);
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad[1000] ^= 1;
    fs::write(&path, bad).unwrap();
    assert_eq!(run(folder.path(), &["--force"])["outcome"], "published");
    assert!(fs::read(crate::month::current(folder.path(), "data")).unwrap() == good);
}

#[test]
fn a_failed_month_does_not_stop_the_others_and_ends_with_code_1() {
    let folder = store();
    let broken = "glbx-mdp3-20130801-20130831.ohlcv-1s.dbn";
    fs::write(folder.path().join("store").join(broken), &plain()[..100_000]).unwrap();
    let output = harness(folder.path()).args(["run", "--months", "2013-07..2013-09", "--json"]).assert().code(1);
    let results: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let outcomes: Vec<&str> =
        results.as_array().unwrap().iter().map(|month| month["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["no_input", "failed", "published"]);
    let error = results[1]["error"].as_str().unwrap();
    assert!(error.contains(broken) && error.contains("truncated"), "{error}");
}

#[test]
fn a_month_in_two_files_is_the_month_in_one() {
    let folder = store_whole();
    let whole = run(folder.path(), &[]);
    let statistics = |folder: &Path| -> Value {
        let key = manifest(folder)["current"]["statistics"]["key"].as_str().unwrap().to_owned();
        serde_json::from_slice(&fs::read(folder.join("store").join(key)).unwrap()).unwrap()
    };
    let expected = statistics(folder.path());
    let raw = folder.path().join("store/raw-data/databento");
    fs::remove_file(raw.join(FILE)).unwrap();
    let bytes = plain_whole();
    let header = 8 + u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let middle = header + 56 * 400_000;
    // The second half begins 1000 records early: what both have counts once.
    let second = [&bytes[..header], &bytes[middle - 56_000..]].concat();
    fs::write(raw.join("glbx-mdp3-20130901-20130915.ohlcv-1s.dbn"), &bytes[..middle]).unwrap();
    fs::write(raw.join("glbx-mdp3-20130915-20130930.ohlcv-1s.dbn"), second).unwrap();
    let parts = run(folder.path(), &[]);
    assert_eq!((parts["outcome"].as_str(), &parts["rows"]), (Some("published"), &whole["rows"]));
    let merged = statistics(folder.path());
    for part in ["sessions", "modes", "features", "rollovers"] {
        assert_eq!(merged[part], expected[part], "{part}");
    }
    // What both files have is no fault of the data.
    assert_eq!(merged["records"]["duplicate_equal"], 0);
    assert!(merged["records"]["in_several_files"].as_u64().unwrap() > 500);
    assert_eq!(merged["quality"]["parts"]["data"], expected["quality"]["parts"]["data"]);
}

#[test]
fn two_files_of_a_month_that_differ_are_both_named() {
    let folder = store();
    let raw = folder.path().join("store/raw-data/databento");
    fs::remove_file(raw.join(FILE)).unwrap();
    let bytes = plain();
    let header = 8 + u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let mut other = bytes[..header + 56 * 1000].to_vec();
    // The volume of every record.
    (0..1000).for_each(|record| other[header + 56 * record + 48] ^= 1);
    let names = ["glbx-mdp3-20130901-20130910.ohlcv-1s.dbn", "glbx-mdp3-20130901-20130920.ohlcv-1s.dbn"];
    fs::write(raw.join(names[0]), &bytes[..header + 56 * 1000]).unwrap();
    fs::write(raw.join(names[1]), other).unwrap();
    let output = harness(folder.path()).args(["run", "--month", "2013-09", "--json"]).assert().code(1);
    let results: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let error = results[0]["error"].as_str().unwrap();
    let named = names.map(|name| format!("raw-data/databento/{name}")).join(" and ");
    assert!(error.contains(&named), "{error}");
}

#[test]
fn a_dry_run_writes_nothing() {
    let folder = store();
    assert_eq!(run(folder.path(), &["--dry-run"])["outcome"], "planned");
    assert!(!folder.path().join("store/processed-data").exists());
    run(folder.path(), &[]);
    assert_eq!(run(folder.path(), &["--dry-run"])["outcome"], "unchanged");
    assert_eq!(run(folder.path(), &["--dry-run", "--force"])["outcome"], "planned");
    let elsewhere = ["--dry-run", "--raw", "store", "--store", "absent"];
    assert_eq!(run(folder.path(), &elsewhere)["outcome"], "planned", "a store that is not there is empty");
    assert!(!folder.path().join("absent").exists());
}

#[test]
fn a_published_object_that_is_gone_or_cut_is_made_again() {
    let folder = store();
    run(folder.path(), &[]);
    let path = |part: &str| {
        folder.path().join("store").join(manifest(folder.path())["current"][part]["key"].as_str().unwrap())
    };
    let data = fs::read(path("data")).unwrap();
    fs::remove_file(path("data")).unwrap();
    assert_eq!(run(folder.path(), &["--dry-run"])["outcome"], "planned");
    assert_eq!(run(folder.path(), &[])["outcome"], "published");
    assert!(fs::read(path("data")).unwrap() == data);
    fs::write(path("statistics"), "{").unwrap();
    assert_eq!(run(folder.path(), &[])["outcome"], "published");
    serde_json::from_slice::<Value>(&fs::read(path("statistics")).unwrap()).unwrap();
    assert_eq!(run(folder.path(), &[])["outcome"], "unchanged");
    // What is replaced and damaged cannot be kept, and does not stop its successor.
    fs::write(path("data"), &data[..1000]).unwrap();
    assert_eq!(run(folder.path(), &["--profile", "rolling"])["outcome"], "published");
    assert_eq!(manifest(folder.path())["history"].as_array().unwrap().len(), 0);
    crate::month::forget(folder.path());
    assert_eq!(objects(folder.path()).len(), 4);
}

#[test]
fn what_cannot_be_listed_is_left_out_of_the_raw_files() {
    let folder = store();
    let raw = folder.path().join("store/raw-data");
    std::os::unix::fs::symlink("..", raw.join("lost+found")).unwrap();
    std::os::unix::fs::symlink("nowhere", raw.join("glbx-mdp3-20130801-20130831.ohlcv-1s.dbn")).unwrap();
    let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"glbx-\xff.ohlcv-1s.dbn");
    fs::write(raw.join(odd), "").unwrap();
    let output = harness(folder.path()).args(["run", "--month", "2013-09"]).assert().success().get_output().clone();
    let message = String::from_utf8(output.stderr).unwrap();
    for word in ["lost+found", "broken", "not UTF-8"] {
        assert!(message.contains(word), "'{word}' is missing in: {message}");
    }
    fs::create_dir_all(folder.path().join("store/archive/processed-data")).unwrap();
    fs::copy(synthetic(), folder.path().join("store/archive/processed-data").join(FILE)).unwrap();
    assert_eq!(run(folder.path(), &[])["inputs"].as_array().unwrap().len(), 1);
}

#[test]
fn a_cause_is_said_once() {
    let folder = store();
    fs::write(folder.path().join("store/processed-data"), "no folder").unwrap();
    let output = harness(folder.path()).args(["run", "--month", "2013-09"]).assert().code(4).get_output().clone();
    let message = String::from_utf8(output.stderr).unwrap();
    let told = message.lines().last().unwrap().matches("Not a directory").count();
    assert_eq!(told, 1, "{message}");
}

#[test]
fn tasks_share_the_months_by_size_and_the_reference_of_the_whole_range() {
    let folder = store();
    // The second largest, and no month at all.
    fs::write(folder.path().join("store/raw-data/glbx-mdp3-20131101-20131130.ohlcv-1s.dbn"), "no bars").unwrap();
    let months = |count: &str, variable: (&str, &str)| {
        let mut command = harness(folder.path());
        command.args(["run", "--months", "2013-09..2013-12", "--json"]).env(variable.0, variable.1);
        if !count.is_empty() {
            command.args(["--task-count", count]);
        }
        let output = command.output().unwrap();
        let results: Value = serde_json::from_slice(&output.stdout).unwrap();
        let months = results.as_array().unwrap().iter().map(|month| month["month"].as_str().unwrap().to_owned());
        (months.collect::<Vec<_>>(), output.status.code())
    };
    assert_eq!(months("2", ("JOB_COMPLETION_INDEX", "0")), (vec!["2013-09".to_owned()], Some(0)));
    let others = ["2013-10", "2013-11", "2013-12"].map(str::to_owned).to_vec();
    assert_eq!(months("2", ("JOB_COMPLETION_INDEX", "1")), (others, Some(1)));
    assert_eq!(months("5", ("SLURM_ARRAY_TASK_ID", "4")), (Vec::new(), Some(0)));
    assert_eq!(months("", ("LOG_LEVEL", "error")).0.len(), 4);
    assert_eq!(manifest(folder.path())["current"]["made_from"]["decay_reference"], "2013-12");
    let month = json(
        harness(folder.path())
            .args(["run", "--month", "2013-09", "--dry-run", "--json"])
            .env("JOB_COMPLETION_INDEX", "7"),
    );
    assert_eq!(month[0]["outcome"], "planned", "a single month has been dealt already");
    let output =
        harness(folder.path()).args(["run", "--months", "2013-09..2013-12"]).env("JOB_COMPLETION_INDEX", "0").assert();
    let message = String::from_utf8(output.code(2).get_output().stderr.clone()).unwrap();
    assert!(message.contains("--task-count"), "{message}");
}

#[test]
fn a_damaged_cache_is_rebuilt() {
    let folder = store();
    let first = run(folder.path(), &[]);
    let columns = folder.path().join("cache/harness/columns");
    let input = fs::read_dir(&columns).unwrap().next().unwrap().unwrap().path();
    let file = input.join("2013-09.columns");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let again = run(folder.path(), &["--force"]);
    assert_eq!((&again["version"], again["outcome"].as_str()), (&first["version"], Some("unchanged")));
}

#[test]
fn a_memory_limit_too_small_for_a_month_says_what_is_needed() {
    let folder = store();
    let arguments = ["run", "--month", "2013-09", "--max-memory-gb", "0.05"];
    let output = harness(folder.path()).args(arguments).assert().code(2).get_output().clone();
    assert!(String::from_utf8(output.stderr).unwrap().contains("one month needs"));
}

#[test]
fn a_full_disk_is_code_4_and_leaves_what_was_published() {
    let folder = store();
    run(folder.path(), &[]);
    let before = objects(folder.path());
    // Files end at a megabyte: the signal is ignored, so that writing fails as on a full disk.
    let limited = |profile: &str| {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; ulimit -f 2000; exec \"$0\" run --month 2013-09 --profile $1 --cache-gb 0"]);
        shell.arg(assert_cmd::cargo::cargo_bin("harness")).arg(profile);
        shell.current_dir(folder.path()).env("XDG_CACHE_HOME", folder.path().join("cache")).output().unwrap()
    };
    let output = limited("rolling");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{message}");
    assert!(message.contains("File too large"), "{message}");
    assert_eq!(objects(folder.path()), before);
    assert_eq!(run(folder.path(), &["--profile", "rolling"])["outcome"], "published");
}
