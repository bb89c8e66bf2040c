//! A synthetic month and the program under test, shared by the tests.
#![allow(dead_code)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{Arc, LazyLock},
    time::Duration,
};

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampNanosecondArray};
use assert_cmd::Command;
use xxhash_rust::xxh3::xxh3_64;

use crate::gateway;

/// Folder of the synthetic month in a store.
pub const MONTH: &str = "processed-data/monthly/2013/09";

/// Name of the synthetic file of September 2013: a roll, and 20 sessions.
pub const FILE: &str = "glbx-mdp3-20130901-20130930.ohlcv-1s.dbn.zst";

/// The program, with settings and caches of nobody.
pub fn harness(folder: &Path) -> Command {
    Command::from_std(program(folder))
}

/// The same, to be started and left running.
pub fn program(folder: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("harness"));
    command.current_dir(folder).env_clear().env("XDG_CACHE_HOME", folder.join("cache")).env("LOG_LEVEL", "warn");
    command
}

/// Names in a folder, in order; none where there is no folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder with the synthetic file as its store's only raw file.
pub fn store() -> tempfile::TempDir {
    store_of(&synthetic())
}

/// The same of the whole month: 20 sessions, a roll, and a score that is high.
pub fn store_whole() -> tempfile::TempDir {
    store_of(&synthetic_whole())
}

fn store_of(file: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("store/raw-data/databento");
    fs::create_dir_all(&raw).unwrap();
    fs::copy(file, raw.join(FILE)).unwrap();
    folder
}

/// Runs the synthetic month through the store of a folder.
pub fn run(folder: &Path, more: &[&str]) -> serde_json::Value {
    json(harness(folder).args(["run", "--month", "2013-09", "--json"]).args(more))[0].clone()
}

/// The manifest of the synthetic month.
pub fn manifest(folder: &Path) -> serde_json::Value {
    let path = folder.join("store/processed-data/monthly/2013/09/manifest.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Keys of all files of the store but the raw ones, their volumes and the heartbeats.
pub fn keys(folder: &Path) -> BTreeSet<String> {
    keys_of(&folder.join("store"))
}

/// Whether an object is of a version that its month has under another name: replaced, and there for who still reads it.
fn replaced(root: &Path, key: &str) -> bool {
    let folder = key
        .strip_prefix("processed-data/")
        .and_then(|key| key.strip_prefix("monthly/").or(key.strip_prefix("history/")));
    let Some(month) = folder.and_then(|key| key.get(..7)) else { return false };
    let manifests =
        ["monthly", "history"].map(|folder| root.join(format!("processed-data/{folder}/{month}/manifest.json")));
    let Some(manifest) = manifests.iter().find_map(|path| fs::read(path).ok()) else { return false };
    let Ok(manifest) = serde_json::from_slice::<serde_json::Value>(&manifest) else { return false };
    let of = |version: &serde_json::Value| {
        let name = version["version"].as_str().is_some_and(|name| key.contains(&format!("_{name}_")));
        name && key != version["data"]["key"] && key != version["statistics"]["key"]
    };
    let versions = manifest["history"].as_array().into_iter().flatten().chain(manifest.get("current"));
    let versions: Vec<_> = versions.collect();
    versions.iter().any(|version| of(version))
        && versions.iter().all(|version| key != version["data"]["key"] && key != version["statistics"]["key"])
}

/// Keys of all files of a store in this folder but the raw ones, their volumes, the heartbeats, and what was replaced a
/// short while ago.
pub fn keys_of(root: &Path) -> BTreeSet<String> {
    fn walk(root: &Path, folder: &Path, keys: &mut BTreeSet<String>) {
        for name in names(folder) {
            let path = folder.join(&name);
            if path.is_dir() {
                walk(root, &path, keys);
            } else {
                keys.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut keys = BTreeSet::new();
    walk(root, root, &mut keys);
    let others = ["raw-data/", "processed-data/status/", "processed-data/volumes/"];
    keys.retain(|key| !others.iter().any(|folder| key.starts_with(folder)));
    keys.retain(|key| !replaced(root, key));
    keys
}

/// Every object the manifest names is as it says, and there is no other.
pub fn whole(folder: &Path) {
    assert_eq!(keys(folder), named(&folder.join("store"), "2013/09"));
}

/// The keys of a month's manifest, or of what is kept of it when it was removed, and of all that it names, which is there
/// as it says.
pub fn named(root: &Path, month: &str) -> BTreeSet<String> {
    let manifests = ["monthly", "history"].map(|folder| format!("processed-data/{folder}/{month}/manifest.json"));
    let key = manifests.into_iter().find(|key| root.join(key).exists()).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(root.join(&key)).unwrap()).unwrap();
    let mut named = BTreeSet::from([key]);
    for version in manifest["history"].as_array().unwrap().iter().chain(manifest.get("current")) {
        for item in [&version["data"], &version["statistics"]] {
            let key = item["key"].as_str().unwrap();
            let bytes = fs::read(root.join(key)).unwrap();
            assert_eq!(item["checksum"], format!("{:016x}", xxh3_64(&bytes)), "{key}");
            named.insert(key.to_owned());
        }
    }
    named
}

/// No temporary folder of a run is left.
pub fn no_temporary_files(folder: &Path) {
    let left: Vec<String> =
        names(&folder.join("cache/harness")).into_iter().filter(|name| name.starts_with("run-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The program at work.
pub fn start(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = program(folder);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Sends it a signal, such as `-INT`.
pub fn signal(child: &Child, name: &str) {
    let kill = std::process::Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
}

/// Waits until `seen`, or until the child has ended.
pub fn wait_for(child: &mut Child, seen: impl Fn() -> bool) {
    while !seen() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What it printed, as JSON, and its exit code.
pub fn outcome(folder: &Path, arguments: &[&str]) -> (serde_json::Value, i32) {
    let output = harness(folder).args(arguments).arg("--json").output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    let json = serde_json::from_slice(&output.stdout);
    (json.unwrap_or_else(|_| panic!("{arguments:?}: {message}")), output.status.code().unwrap())
}

/// The last line of its error, which it must end with, and its exit code.
pub fn refusal(folder: &Path, arguments: &[&str]) -> (String, i32) {
    let output = harness(folder).args(arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    (message.lines().last().unwrap_or_default().to_owned(), output.status.code().unwrap())
}

/// Changes a byte in the middle of a file.
pub fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // A file of its own: others may be names of the same one.
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Changes a JSON object of the store.
pub fn change(path: &Path, change: impl Fn(&mut serde_json::Value)) {
    let mut json = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut json);
    fs::write(path, serde_json::to_vec(&json).unwrap()).unwrap();
}

/// A store with the month in two versions: of profile session, and after it of profile rolling.
pub fn two_versions() -> (tempfile::TempDir, String, String) {
    let folder = store();
    let first = run(folder.path(), &[])["version"].as_str().unwrap().to_owned();
    let second = run(folder.path(), &["--profile", "rolling"])["version"].as_str().unwrap().to_owned();
    forget(folder.path());
    (folder, first, second)
}

/// Removes what was replaced and stays for a while for who reads it.
pub fn forget(folder: &Path) {
    harness(folder).args(["clean", "--older-than", "0s", "--temp-dir", "elsewhere"]).assert().success();
}

/// The names of versions, in order.
pub fn versions(history: &serde_json::Value) -> Vec<&str> {
    history.as_array().unwrap().iter().map(|version| version["version"].as_str().unwrap()).collect()
}

/// Path of an object of the current version.
pub fn current(folder: &Path, part: &str) -> PathBuf {
    folder.join("store").join(manifest(folder)["current"][part]["key"].as_str().unwrap())
}

/// September 2013 as it is made, and beside it `first/` with the file's first five sessions.
static SYNTH: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    harness(folder.path()).args(["synth", "--months", "2013-09..2013-09", "--out", "."]).assert().success();
    fs::create_dir(folder.path().join("first")).unwrap();
    fs::copy(folder.path().join(FILE), folder.path().join("first").join(FILE)).unwrap();
    shorten(&folder.path().join("first"));
    folder
});

/// Leaves the first six days of each packed DBN file in a folder.
pub fn shorten(folder: &Path) {
    const RECORD: usize = 56;
    for path in names(folder).into_iter().filter(|name| name.ends_with(".dbn.zst")).map(|name| folder.join(name)) {
        let mut raw = zstd::decode_all(fs::File::open(&path).unwrap()).unwrap();
        let header = gateway::header(&raw);
        let time = |bytes: &[u8]| u64::from_le_bytes(bytes[..8].try_into().unwrap());
        let end = time(&raw[26..]) + 6 * 86_400 * 1_000_000_000;
        let kept = raw[header..].chunks_exact(RECORD).take_while(|record| time(&record[8..]) < end).count();
        assert!(kept > 10_000, "{}: {kept} records", path.display());
        raw.truncate(header + kept * RECORD);
        fs::write(path, zstd::encode_all(&raw[..], 1).unwrap()).unwrap();
    }
}

/// Path of the synthetic file of five sessions, for tests to which it does not matter what is in a month.
pub fn synthetic() -> PathBuf {
    SYNTH.path().join("first").join(FILE)
}

/// Path of the synthetic file of the whole month; `truth.json` lies beside it.
pub fn synthetic_whole() -> PathBuf {
    SYNTH.path().join(FILE)
}

/// The synthetic file, decompressed.
pub fn plain() -> Vec<u8> {
    zstd::decode_all(fs::File::open(synthetic()).unwrap()).unwrap()
}

/// The synthetic file of the whole month, decompressed.
pub fn plain_whole() -> Vec<u8> {
    zstd::decode_all(fs::File::open(synthetic_whole()).unwrap()).unwrap()
}

/// What the program printed, as JSON.
pub fn json(command: &mut Command) -> serde_json::Value {
    let output = command.assert().success().get_output().stdout.clone();
    serde_json::from_slice(&output).unwrap()
}

/// Bars without symbols, one a second from the start of the session so many days after 2013-10-07, 1700 points and
/// more above `base`.
pub fn bars(day: i64, base: f64, rows: i64) -> RecordBatch {
    let price = |above: f64| -> ArrayRef {
        Arc::new((0..rows).map(|row| Some(base + 1700.0 + above + 0.25 * (row % 40) as f64)).collect::<Float64Array>())
    };
    let times = (0..rows).map(|row| (1_381_149_000 + 86_400 * day + row) * 1_000_000_000);
    let volumes = (0..rows).map(|row| 1 + row % 90);
    RecordBatch::try_from_iter([
        ("timestamp", Arc::new(TimestampNanosecondArray::from_iter_values(times).with_timezone("UTC")) as ArrayRef),
        ("open", price(0.0)),
        ("high", price(0.25)),
        ("low", price(-0.25)),
        ("close", price(0.0)),
        ("volume", Arc::new(Int64Array::from_iter_values(volumes))),
    ])
    .unwrap()
}

/// Batches as a Parquet file.
pub fn parquet(batches: &[RecordBatch]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batches[0].schema(), None).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
    bytes
}
