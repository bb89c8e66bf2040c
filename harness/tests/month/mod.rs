//! A synthetic month and the program under test, shared by the tests.
#![allow(clippy::unwrap_used, dead_code)]

use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampNanosecondArray};
use assert_cmd::Command;

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
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder with the synthetic month as its store's only raw file.
pub fn store() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("store/raw-data/databento");
    std::fs::create_dir_all(&raw).unwrap();
    std::fs::copy(synthetic(), raw.join(FILE)).unwrap();
    folder
}

/// Runs the synthetic month through the store of a folder.
pub fn run(folder: &Path, more: &[&str]) -> serde_json::Value {
    json(harness(folder).args(["run", "--month", "2013-09", "--json"]).args(more))[0].clone()
}

/// The manifest of the synthetic month.
pub fn manifest(folder: &Path) -> serde_json::Value {
    let path = folder.join("store/processed-data/monthly/2013/09/manifest.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

static SYNTH: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    harness(folder.path()).args(["synth", "--months", "2013-09..2013-09", "--out", "."]).assert().success();
    folder
});

/// Path of the synthetic file; `truth.json` lies beside it.
pub fn synthetic() -> PathBuf {
    SYNTH.path().join(FILE)
}

/// The records of the synthetic file, decompressed.
pub fn plain() -> Vec<u8> {
    zstd::decode_all(std::fs::File::open(synthetic()).unwrap()).unwrap()
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
