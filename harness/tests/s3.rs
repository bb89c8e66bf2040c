//! `run` on S3: the same bytes as on a directory, and what goes wrong on the way.
#![allow(clippy::unwrap_used)]

mod month;
mod server;

use std::{fs, path::Path};

use month::{FILE, harness, json, manifest, names, run, store};
use serde_json::Value;
use server::{Operation, Server};

const STORE: &str = "s3://bucket/archive";

/// A server with the synthetic month in its bucket.
fn with_month() -> (Server, tempfile::TempDir) {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let raw = server.folder().join("archive/raw-data/2013");
    fs::create_dir_all(&raw).unwrap();
    fs::copy(month::synthetic(), raw.join(FILE)).unwrap();
    (server, folder)
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

/// The objects of a bucket's folder, with their bytes; a server's own notes are left out.
fn objects(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(within) = folders.pop() {
        for name in names(&within).into_iter().filter(|name| !name.starts_with(".bucket")) {
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

#[test]
fn a_month_on_s3_is_the_month_in_a_directory() {
    let local = store();
    let expected = run(local.path(), &[]);
    let (server, folder) = with_month();
    let result = month_on(&server, folder.path(), &[]);
    assert_eq!((result["outcome"].as_str(), &result["version"]), (Some("published"), &expected["version"]));
    let key = manifest(local.path())["current"]["data"]["key"].as_str().unwrap().to_owned();
    let published = fs::read(server.folder().join("archive").join(&key)).unwrap();
    assert!(published == fs::read(local.path().join("store").join(key)).unwrap());
    let keys: Vec<String> = objects(&server.folder().join("archive")).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys.len(), 4, "the raw file, data, statistics and manifest: {keys:?}");
    assert!(names(&folder.path().join("cache/harness/downloads")).is_empty());

    // Unchanged: neither read nor written, also by a machine that has nothing of it yet.
    for cache in ["cache", "another"] {
        let before = server.requests();
        let mut command = on(&server, folder.path());
        command.env("XDG_CACHE_HOME", folder.path().join(cache));
        let again = json(command.args(["run", "--month", "2013-09", "--json"]));
        assert_eq!(again[0]["outcome"], "unchanged");
        let more = |operation| server.count(operation) - before.get(&operation).copied().unwrap_or_default();
        assert_eq!((more(Operation::PutObject), more(Operation::UploadPart), more(Operation::GetObject)), (0, 0, 1));
    }
    // Other settings: the raw file comes from the cache of decoded columns.
    let before = server.count(Operation::GetObject);
    let rolling = month_on(&server, folder.path(), &["--profile", "rolling"]);
    assert_eq!(rolling["outcome"], "published");
    assert!(server.count(Operation::GetObject) - before < 30);
    assert_eq!(objects(&server.folder().join("archive")).len(), 6);
}

#[test]
fn a_missing_month_costs_one_listing() {
    let (server, folder) = with_month();
    on(&server, folder.path()).args(["run", "--month", "2013-10"]).assert().code(1);
    assert_eq!(server.requests().values().sum::<u64>(), 1);
    assert_eq!(server.count(Operation::ListObjectsV2), 1);
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
