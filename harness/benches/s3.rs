//! How much longer a run takes on S3 than on a directory: 24 synthetic months, in turns, against a server on loopback
//! that shares the processor. `cargo bench --workspace --bench s3`
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, process::Command, time::Instant};

#[path = "../tests/it/server/mod.rs"]
mod server;

const MONTHS: &str = "2013-01..2014-12";
const TURNS: usize = 3;

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.current_dir(folder).env_clear().env("XDG_CACHE_HOME", folder.join("cache")).env("LOG_LEVEL", "warn");
    command
}

/// Wall-clock seconds of a run with nothing cached.
fn seconds(command: &mut Command) -> f64 {
    let began = Instant::now();
    let output = command.args(["--months", MONTHS, "--cache-gb", "0", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let months = results.as_array().unwrap();
    assert!(months.len() == 24 && months.iter().all(|month| month["outcome"] == "published"), "{months:?}");
    began.elapsed().as_secs_f64()
}

fn main() {
    let (folder, server) = (tempfile::tempdir().unwrap(), server::Server::start());
    let raw = folder.path().join("raw");
    let made = program(folder.path()).args(["synth", "--months", MONTHS, "--out", "raw"]).output().unwrap();
    assert!(made.status.success());
    fs::create_dir(server.folder().join("raw")).unwrap();
    for entry in fs::read_dir(&raw).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), server.folder().join("raw").join(entry.file_name())).unwrap();
    }
    let mut ratios: Vec<f64> = (0..TURNS)
        .map(|turn| {
            let local =
                seconds(program(folder.path()).args(["run", "--raw", "raw", "--store", &format!("store-{turn}")]));
            let mut command = program(folder.path());
            command.envs(server.environment());
            let s3 = seconds(command.args([
                "run",
                "--raw",
                "s3://bucket/raw",
                "--store",
                &format!("s3://bucket/out-{turn}"),
            ]));
            println!("directory {local:.2} s, S3 {s3:.2} s: {:.2} times", s3 / local);
            fs::remove_dir_all(folder.path().join(format!("store-{turn}"))).unwrap();
            fs::remove_dir_all(server.folder().join(format!("out-{turn}"))).unwrap();
            s3 / local
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!("{} months, median of {TURNS} turns: {:.2} times", 24, ratios[TURNS / 2]);
}
