//! A synthetic month and the program under test, shared by the tests.
#![allow(clippy::unwrap_used, dead_code)]

use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

use assert_cmd::Command;

/// Name of the synthetic file of September 2013: a roll, and 20 sessions.
pub const FILE: &str = "glbx-mdp3-20130901-20130930.ohlcv-1s.dbn.zst";

/// The program, with settings and caches of nobody.
pub fn harness(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("harness").unwrap();
    command.current_dir(folder).env_clear().env("XDG_CACHE_HOME", folder.join("cache")).env("LOG_LEVEL", "warn");
    command
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
