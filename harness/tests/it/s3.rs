//! `run` on S3: the same bytes as on a directory, and what goes wrong on the way.

use crate::month;
use crate::server;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::month::{FILE, harness, json, manifest, names, run, store};
use crate::server::{Fault, Faults, Operation, Server};
use serde_json::Value;

/// A server with the synthetic month in its bucket.
fn with_month() -> (Server, tempfile::TempDir) {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    put_month(&server);
    (server, folder)
}

fn put_month(server: &Server) {
    let raw = server.folder().join("archive/raw-data/2013");
    fs::create_dir_all(&raw).unwrap();
    fs::copy(month::synthetic(), raw.join(FILE)).unwrap();
}

/// The program with the keys of a server.
fn on(server: &Server, folder: &Path) -> assert_cmd::Command {
    let mut command = harness(folder);
    command.envs(server.environment()).env("S3_BUCKET", "bucket/archive");
    command
}

fn month_on(server: &Server, folder: &Path, more: &[&str]) -> Value {
    json(on(server, folder).args(["run", "--month", "2013-09", "--json"]).args(more))[0].clone()
}

/// The objects of a bucket's folder, with their bytes; a server's own notes and what runs tell of themselves are left out.
fn objects(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(within) = folders.pop() {
        for name in names(&within)
            .into_iter()
            .filter(|name| !name.starts_with(".bucket") && name != "status" && name != "volumes")
        {
            let path = within.join(name);
            if path.is_dir() {
                folders.push(path);
            } else {
                let key = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.push((key, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Key of the month's Parquet.
fn published_key(server: &Server) -> String {
    let manifest = server.folder().join("archive").join(month::MONTH).join("manifest.json");
    let manifest: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    manifest["current"]["data"]["key"].as_str().unwrap().to_owned()
}

#[test]
fn a_month_on_s3_is_the_month_in_a_directory() {
    let local = store();
    let expected = run(local.path(), &[]);
    let (server, folder) = with_month();
    let result = month_on(&server, folder.path(), &[]);
    assert_eq!((result["outcome"].as_str(), &result["version"]), (Some("published"), &expected["version"]));
    let key = manifest(local.path())["current"]["data"]["key"].as_str().unwrap().to_owned();
    let theirs = published_key(&server);
    let published = fs::read(server.folder().join("archive").join(theirs)).unwrap();
    assert!(published == fs::read(local.path().join("store").join(key)).unwrap());
    let keys: Vec<String> = objects(&server.folder().join("archive")).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), 4, "the raw file, data, statistics and manifest: {keys:?}");
    assert!(names(&folder.path().join("cache/harness/downloads")).is_empty());

    // Unchanged: nothing but manifest and volumes is read and nothing written, also by a machine that has nothing of it yet.
    for cache in ["cache", "another"] {
        let before = server.requests();
        let mut command = on(&server, folder.path());
        command.env("XDG_CACHE_HOME", folder.path().join(cache));
        let again = json(command.args(["run", "--month", "2013-09", "--json"]));
        assert_eq!(again[0]["outcome"], "unchanged");
        let more = |operation| server.count(operation) - before.get(&operation).copied().unwrap_or_default();
        assert_eq!((more(Operation::UploadPart), more(Operation::GetObject)), (0, 2));
        // What a run tells of itself.
        assert!(more(Operation::PutObject) <= 3);
    }
    // Other settings: the raw file comes from the cache of decoded columns.
    let before = server.count(Operation::GetObject);
    let rolling = month_on(&server, folder.path(), &["--profile", "rolling"]);
    assert_eq!(rolling["outcome"], "published");
    assert!(server.count(Operation::GetObject) - before < 30);
    // What was replaced stays for who reads it.
    assert_eq!(objects(&server.folder().join("archive")).len(), 8);
    json(on(&server, folder.path()).args(["clean", "--older-than", "0s", "--json"]));
    assert_eq!(objects(&server.folder().join("archive")).len(), 6);
}

#[test]
fn a_missing_month_costs_one_listing() {
    let (server, folder) = with_month();
    on(&server, folder.path()).args(["run", "--month", "2013-10"]).assert().code(1);
    assert_eq!(server.count(Operation::ListObjectsV2), 1);
    // Beside it there is only what the run tells of itself.
    let told = server.count(Operation::PutObject);
    assert!(told <= 3 && server.requests().values().sum::<u64>() <= 1 + told + server.count(Operation::DeleteObject));
}

#[test]
fn bad_credentials_and_a_missing_bucket_fail_at_once_and_say_what_to_do() {
    let (server, folder) = with_month();
    let fails = |variable: &str, value: &str, words: &[&str]| {
        let mut command = on(&server, folder.path());
        let output = command.env(variable, value).args(["run", "--month", "2013-09"]).assert().code(4);
        let message = String::from_utf8(output.get_output().stderr.clone()).unwrap();
        for word in words {
            assert!(message.contains(word), "'{word}' is missing in: {message}");
        }
        assert!(!message.contains(server::SECRET_KEY) && !message.contains("wrong-secret"), "{message}");
    };
    fails("AWS_SECRET_ACCESS_KEY", "wrong-secret", &["SignatureDoesNotMatch", "check AWS_ACCESS_KEY_ID"]);
    fails("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN", &["check AWS_ACCESS_KEY_ID"]);
    fails("S3_BUCKET", "absent", &["NoSuchBucket", "create the bucket"]);
    // No request was tried twice.
    assert_eq!(server.requests().values().sum::<u64>(), 3);
}

#[test]
fn secrets_are_nowhere() {
    let (server, folder) = with_month();
    let secrets = [server::SECRET_KEY, "a-session-token-of-no-use"];
    let arguments = ["run", "--months", "2013-09..2013-10", "--json"];
    let told = |token: bool| {
        let mut command = on(&server, folder.path());
        if token {
            command.env("AWS_SESSION_TOKEN", secrets[1]);
        }
        let output = command.args(arguments).env("LOG_LEVEL", "trace").assert().failure().get_output().clone();
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat()
    };
    let texts = [told(false), told(true)];
    assert!(texts[0].contains("published") && texts[1].contains("unchanged"), "{texts:?}");
    let everywhere = [server.folder(), folder.path().to_owned()];
    let files: Vec<(String, Vec<u8>)> = everywhere.iter().flat_map(|folder| objects(folder)).collect();
    assert!(files.iter().any(|(name, _)| name.ends_with("manifest.json")));
    for secret in secrets {
        let within = |bytes: &[u8]| bytes.windows(secret.len()).any(|found| found == secret.as_bytes());
        let texts = texts.iter().map(|text| ("output", text.as_bytes()));
        let files = files.iter().map(|(name, bytes)| (&**name, &**bytes));
        for (name, bytes) in texts.chain(files) {
            assert!(!within(bytes), "{name}");
        }
    }
    // The keys come by the environment alone: no flag takes them, so no list of processes shows them.
    let help = harness(folder.path()).args(["run", "--help"]).output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap().to_lowercase();
    assert!(help.contains("--store") && !help.contains("secret") && !help.contains("--access"));
}

/// An object of what each manifest in a store says is current, by the key of the manifest.
fn published(store: &Path, part: &str) -> Vec<(String, Vec<u8>)> {
    let objects = objects(&store.join("processed-data/monthly"));
    let manifests = objects.into_iter().filter(|(key, _)| key.ends_with("/manifest.json"));
    let current = manifests.map(|(key, json)| {
        let manifest: Value = serde_json::from_slice(&json).unwrap();
        (key, fs::read(store.join(manifest["current"][part]["key"].as_str().unwrap())).unwrap())
    });
    current.collect()
}

#[test]
fn a_run_amid_faults_gives_the_same_bytes_and_counts_its_retries() {
    // The long run, until every kind of fault has happened: `FAULTY_MONTHS=2012-01..2013-12`.
    let long = std::env::var("FAULTY_MONTHS").ok();
    let months = long.clone().unwrap_or("2013-08..2013-10".into());
    let local = tempfile::tempdir().unwrap();
    let raw = local.path().join("store/raw-data");
    harness(local.path()).args(["synth", "--months", &months, "--out", raw.to_str().unwrap()]).assert().success();
    if long.is_none() {
        month::shorten(&raw);
    }
    let expected = ["session", "rolling"].map(|profile| {
        let arguments = ["run", "--months", &months, "--profile", profile];
        harness(local.path()).args(arguments).assert().success();
        published(&local.path().join("store"), "data")
    });

    let (server, folder) = (Server::with_faults(Faults::passing(11, 0.2)), tempfile::tempdir().unwrap());
    let store = server.folder().join("archive");
    fs::create_dir_all(store.join("raw-data")).unwrap();
    for name in names(&raw) {
        fs::copy(raw.join(&name), store.join("raw-data").join(name)).unwrap();
    }
    // Months of this size go up in one piece: uploads in parts are for the store's own tests.
    let missing = |injected: &BTreeMap<Fault, u64>| {
        let kinds = Fault::PASSING.into_iter().filter(|&kind| kind != Fault::LostPart);
        kinds.filter(|kind| !injected.contains_key(kind)).collect::<Vec<_>>()
    };
    let (mut retries, mut counted) = (0, 0);
    for round in 0..if long.is_some() { 20 } else { 2 } {
        let profile = ["session", "rolling"][round % 2];
        let mut command = on(&server, folder.path());
        command.args(["run", "--months", &months, "--json", "--profile", profile, "--cache-gb", "0"]);
        let results = json(command.env("S3_RETRY_ATTEMPTS", "8"));
        let results = results.as_array().unwrap();
        assert!(results.iter().all(|month| month["outcome"] == "published"), "{results:?}");
        assert!(published(&store, "data") == expected[round % 2]);
        let of = |value: &Value| value.as_u64().unwrap();
        retries += results.iter().map(|month| of(&month["retries"])).sum::<u64>();
        for (_, json) in published(&store, "statistics") {
            counted += of(&serde_json::from_slice::<Value>(&json).unwrap()["performance"]["retries"]);
        }
        if missing(&server.injected()).is_empty() {
            break;
        }
    }
    let injected = server.injected();
    let most = if long.is_some() { 0 } else { 8 };
    assert!(missing(&injected).len() <= most, "never happened: {:?}", missing(&injected));
    let faults: u64 = injected.values().sum();
    eprintln!("{faults} faults, {retries} retries, {counted} of them in the statistics: {injected:?}");
    assert!(0 < counted && counted <= retries);
}

#[test]
fn what_no_retry_mends_fails_at_once_says_what_to_do_and_leaves_what_was_there() {
    let (server, folder) = with_month();
    let first = month_on(&server, folder.path(), &[]);
    let before = objects(&server.folder());
    for (fault, operation, word) in [
        (Fault::ExpiredToken, Operation::GetObject, "the credentials have expired"),
        (Fault::AccessDenied, Operation::ListObjectsV2, "harness doctor"),
        (Fault::AccessDenied, Operation::PutObject, "harness doctor"),
        (Fault::RequestTimeTooSkewed, Operation::GetObject, "clock"),
        (Fault::StorageFull, Operation::PutObject, "free some space"),
        (Fault::QuotaExceeded, Operation::PutObject, "free some space"),
        (Fault::NoSuchBucket, Operation::ListObjectsV2, "create the bucket"),
    ] {
        server.break_down(operation, "", fault);
        // What a run tells of itself is put as well, as often as it takes.
        let asked = Arc::new(AtomicU64::new(0));
        server.watch({
            let asked = Arc::clone(&asked);
            move |asks, key| {
                _ = asked.fetch_add(u64::from(asks == operation && !key.contains("/status/")), Ordering::SeqCst)
            }
        });
        let arguments = ["run", "--month", "2013-09", "--profile", "rolling"];
        let output = on(&server, folder.path()).args(arguments).assert().code(4).get_output().clone();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(word), "{fault:?}: '{word}' is missing in: {message}");
        server.unwatched();
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{fault:?} was tried again");
        server.mend();
        assert!(objects(&server.folder()) == before, "{fault:?} left something");
    }
    server.set_clock_ahead(3600);
    let output = on(&server, folder.path()).args(["run", "--month", "2013-09"]).assert().code(4).get_output().clone();
    assert!(String::from_utf8(output.stderr).unwrap().contains("this machine's clock is wrong"));
    server.set_clock_ahead(0);
    // In the middle of a month: data is up, and then the store is full.
    server.break_down(Operation::PutObject, "statistics", Fault::StorageFull);
    let arguments = ["run", "--month", "2013-09", "--profile", "rolling"];
    on(&server, folder.path()).args(arguments).assert().code(4);
    server.mend();
    assert!(objects(&server.folder()) == before);
    let again = month_on(&server, folder.path(), &[]);
    assert_eq!((&again["version"], again["outcome"].as_str()), (&first["version"], Some("unchanged")));
}

#[test]
fn a_commit_whose_answer_is_wrong_or_lost_is_settled_by_a_look() {
    for fault in [
        Fault::PreconditionFailed,
        Fault::PreconditionFailedAfter,
        Fault::Conflict,
        Fault::ConflictAfter,
        Fault::LostReply,
        Fault::InternalError,
        Fault::ErrorInSuccess,
    ] {
        let (server, folder) = with_month();
        for profile in ["session", "rolling"] {
            server.fail(2, Operation::PutObject, "manifest.json", fault);
            let result = month_on(&server, folder.path(), &["--profile", profile]);
            assert_eq!(result["outcome"], "published", "{fault:?}");
            assert!(result["retries"].as_u64().unwrap() > 0 || server.injected()[&fault] > 0);
        }
        assert_eq!(objects(&server.folder().join("archive")).len(), 8, "{fault:?}");
        // Taking it out is a deletion under a condition.
        server.fail(2, Operation::DeleteObject, "monthly/2013/09/manifest.json", fault);
        let removed = json(on(&server, folder.path()).args(["months", "remove", "2013-09", "--json"]));
        assert_eq!(removed[0]["outcome"], "removed", "{fault:?}");
        assert!(!server.folder().join("archive").join(month::MONTH).join("manifest.json").exists(), "{fault:?}");
    }
}

#[test]
fn a_store_that_does_not_answer_fails_the_month_and_after_three_the_run() {
    let (server, folder) = with_month();
    server.break_down(Operation::GetObject, "2013/07", Fault::InternalError);
    let run = |months: &str| {
        let mut command = on(&server, folder.path());
        command.args(["run", "--months", months, "--json"]).env("S3_RETRY_ATTEMPTS", "1").assert()
    };
    for month in ["01", "02", "03", "04", "05", "06", "07", "08"] {
        let name = format!("glbx-mdp3-2013{month}01-2013{month}28.ohlcv-1s.dbn.zst");
        fs::copy(month::synthetic(), server.folder().join("archive/raw-data").join(name)).unwrap();
    }
    let output = run("2013-07..2013-09").code(1).get_output().clone();
    let results: Value = serde_json::from_slice(&output.stdout).unwrap();
    let outcomes: Vec<&str> =
        results.as_array().unwrap().iter().map(|month| month["outcome"].as_str().unwrap()).collect();
    assert_eq!((outcomes[0], outcomes[2]), ("failed", "published"));
    assert!(results[0]["error"].as_str().unwrap().contains("1 retries failed"), "{results}");
    server.break_down(Operation::GetObject, "processed-data", Fault::InternalError);
    let output = run("2013-01..2013-08").code(4).get_output().clone();
    let results: Value = serde_json::from_slice(&output.stdout).unwrap();
    // Those that were begun before the third had failed are there as well.
    let results = results.as_array().unwrap();
    assert!(results.len() >= 3 && results.iter().all(|month| month["outcome"] == "failed"), "{results:?}");
}

#[test]
fn a_broken_download_goes_on_in_the_next_run() {
    let (server, folder) = with_month();
    let bytes = fs::metadata(month::synthetic()).unwrap().len();
    server.break_down(Operation::GetObject, FILE, Fault::TruncatedDownload);
    let arguments = ["run", "--month", "2013-09"];
    on(&server, folder.path()).args(arguments).env("S3_RETRY_ATTEMPTS", "0").assert().code(4);
    server.mend();
    let downloads = folder.path().join("cache/harness/downloads");
    assert_eq!(names(&downloads).len(), 1);
    let there = fs::metadata(downloads.join(&names(&downloads)[0]).join(FILE)).unwrap().len();
    assert!(there < bytes);
    assert_eq!(month_on(&server, folder.path(), &[])["outcome"], "published");
    assert!(names(&downloads).is_empty());
}

#[test]
fn two_workers_on_s3_publish_a_month_once() {
    for others in [&[][..], &["--profile", "rolling"]] {
        let (server, folder) = with_month();
        let start = |index: usize| {
            let mut command = month::program(folder.path());
            command.envs(server.environment()).env("S3_BUCKET", "bucket/archive");
            command.args(["run", "--month", "2013-09", "--json"]);
            if index == 1 {
                command.args(others);
            }
            command.stdout(std::process::Stdio::piped()).spawn().unwrap()
        };
        let workers: Vec<_> = (0..3).map(start).collect();
        let mut outcomes: Vec<String> = Vec::new();
        for worker in workers {
            let output = worker.wait_with_output().unwrap();
            assert!(output.status.success());
            let results: Value = serde_json::from_slice(&output.stdout).unwrap();
            outcomes.push(results[0]["outcome"].as_str().unwrap().to_owned());
        }
        assert!(outcomes.iter().any(|outcome| outcome == "published"), "{outcomes:?}");
        assert!(outcomes.iter().any(|outcome| outcome != "published"), "{outcomes:?}");
        let left = objects(&server.folder().join("archive"));
        let data = left.iter().filter(|(key, _)| key.contains("/monthly/") && key.ends_with(".parquet")).count();
        assert_eq!(data, 1);
        assert!(!left.iter().any(|(key, _)| key.contains("/rights/")));
    }
}

#[test]
fn doctor_says_which_permission_is_missing() {
    let (server, folder) = with_month();
    let doctor = |code: i32| -> Vec<(String, String, String)> {
        let output = on(&server, folder.path()).args(["doctor", "--json"]).assert().code(code).get_output().clone();
        let checks: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |check: &Value, name: &str| check[name].as_str().unwrap().to_owned();
        checks
            .as_array()
            .unwrap()
            .iter()
            .map(|check| (text(check, "name"), text(check, "state"), text(check, "advice")))
            .collect()
    };
    let before = objects(&server.folder());
    let well = doctor(0);
    for what in ["list", "write", "read", "conditional write", "delete"] {
        assert!(well.iter().any(|(name, state, _)| *name == format!("store: {what}") && state == "ok"), "{well:?}");
    }
    assert!(objects(&server.folder()) == before);
    for (operation, name, permission) in [
        (Operation::ListObjectsV2, "store: list", "s3:ListBucket"),
        (Operation::PutObject, "store: write", "s3:PutObject"),
        (Operation::GetObject, "store: read", "s3:GetObject"),
        (Operation::DeleteObject, "store: delete", "s3:DeleteObject"),
    ] {
        server.break_down(operation, "", Fault::AccessDenied);
        let checks = doctor(4);
        let found = checks.iter().find(|(found, ..)| found == name).unwrap();
        assert!(found.1 == "failed" && found.2.contains(permission), "{checks:?}");
        server.mend();
    }
    harness(folder.path()).args(["doctor", "--min-memory-gb", "1e6"]).assert().code(1);
    harness(folder.path()).args(["doctor"]).assert().code(0);
}

#[test]
fn reports_read_a_bucket() {
    let (server, folder) = with_month();
    let published = month_on(&server, folder.path(), &[]);
    let report = json(on(&server, folder.path()).args(["report", "quality", "--json"]));
    let line = &report["tables"]["months"][0];
    assert_eq!((&line["quality"], &line["rows"]), (&published["score"], &published["rows"]));
    on(&server, folder.path()).args(["report", "monthly", "--out", "month.html"]).assert().success();
    let page = fs::read_to_string(folder.path().join("month.html")).unwrap();
    assert!(page.contains("Where labels win") && page.contains("September 2013"));
    month::no_temporary_files(folder.path());
}

#[test]
fn a_gate_keeps_a_month_aside_in_a_bucket() {
    let (server, folder) = with_month();
    let strict = ["run", "--month", "2013-09", "--gate", "--threshold", "1"];
    on(&server, folder.path()).args(strict).assert().code(1);
    let aside = server.folder().join("archive/processed-data/withheld/2013-09");
    assert_eq!(names(&aside).len(), 3, "{:?}", names(&aside));
    assert_eq!(month_on(&server, folder.path(), &[])["outcome"], "published");
    assert!(names(&aside).is_empty(), "{:?}", names(&aside));
}
