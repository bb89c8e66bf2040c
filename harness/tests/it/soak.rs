//! Production in fast-forward: raw files that come, change and are damaged, runs, kills, signals, two runs at once,
//! rollbacks, removals, damaged objects and cleaning, at random under a fixed seed. After every step the store is what a
//! model says.
//!
//! A few steps by default; `SOAK_STEPS=1000 cargo test --release -p harness --test it soak` is the long run, of which a step
//! stands for the 22 seconds that make it six hours. `SOAK_SEED` changes what happens.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::month::{damage, names, program, signal};
use crate::server::{Fault, Faults, Server};
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

const MONTHS: [&str; 3] = ["2013-09", "2013-10", "2013-11"];
const RANGE: &str = "2013-09..2013-11";
/// Bytes of a record of a bar.
const RECORD: usize = 56;

/// A raw file: so many records of the month's file, or the same and cut within a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Raw {
    Whole(usize),
    Cut(usize),
}

/// What a month must be.
#[derive(Clone, Debug)]
struct Expected {
    raw: Raw,
    current: Option<String>,
    /// The last one replaced first.
    history: Vec<String>,
    removed: bool,
    pinned: bool,
    failed: bool,
    /// It became current after it failed: `clean` removes the record of the failure.
    mended: bool,
}

/// A store, its model, and chance.
struct Soak {
    environment: Vec<(&'static str, String)>,
    objects: PathBuf,
    folder: tempfile::TempDir,
    server: Option<Server>,
    random: rand_chacha::ChaCha8Rng,
    months: BTreeMap<&'static str, Expected>,
    /// Versions that undisturbed runs made elsewhere.
    versions: BTreeMap<(&'static str, usize), String>,
    whole: BTreeMap<&'static str, Vec<u8>>,
    done: BTreeMap<&'static str, usize>,
    last: String,
}

impl Soak {
    fn new(server: Option<Server>, seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut environment = server.as_ref().map(Server::environment).unwrap_or_default();
        let objects = match &server {
            Some(server) => {
                environment.push(("S3_BUCKET", "bucket/archive".into()));
                environment.push(("S3_RETRY_ATTEMPTS", "8".into()));
                server.folder().join("archive")
            }
            None => folder.path().join("store"),
        };
        fs::create_dir_all(objects.join("raw-data")).unwrap();
        let mut soak = Self {
            environment,
            objects,
            folder,
            server,
            random: rand_chacha::ChaCha8Rng::seed_from_u64(seed),
            months: BTreeMap::new(),
            versions: BTreeMap::new(),
            whole: BTreeMap::new(),
            done: BTreeMap::new(),
            last: String::new(),
        };
        let made = soak.command().args(["synth", "--months", RANGE, "--out", "made"]).output().unwrap();
        assert!(made.status.success());
        for month in MONTHS {
            let bytes = fs::File::open(soak.folder.path().join("made").join(file(month))).unwrap();
            soak.whole.insert(month, zstd::decode_all(bytes).unwrap());
            let expected = Expected {
                raw: Raw::Whole(0),
                current: None,
                history: Vec::new(),
                removed: false,
                pinned: false,
                failed: false,
                mended: false,
            };
            soak.months.insert(month, expected);
            soak.arrives(month, Raw::Whole(2));
        }
        soak
    }

    fn command(&self) -> Command {
        let mut command = program(self.folder.path());
        command.envs(self.environment.clone()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Records and the rest of a raw file.
    fn bytes(&self, month: &str, raw: Raw) -> Vec<u8> {
        let whole = &self.whole[month];
        let head = crate::gateway::header(whole);
        match raw {
            Raw::Whole(size) => whole[..head + RECORD * (40_000 + 3_000 * size)].to_vec(),
            Raw::Cut(size) => whole[..head + RECORD * (40_000 + 3_000 * size) + 20].to_vec(),
        }
    }

    fn arrives(&mut self, month: &'static str, raw: Raw) {
        fs::write(self.objects.join("raw-data").join(plain_file(month)), self.bytes(month, raw)).unwrap();
        self.months.get_mut(month).unwrap().raw = raw;
    }

    /// The version that a month becomes, from a store of its own.
    fn version(&mut self, month: &'static str, size: usize) -> String {
        if let Some(version) = self.versions.get(&(month, size)) {
            return version.clone();
        }
        let folder = tempfile::tempdir().unwrap();
        let raw = folder.path().join("store/raw-data");
        fs::create_dir_all(&raw).unwrap();
        fs::write(raw.join(plain_file(month)), self.bytes(month, Raw::Whole(size))).unwrap();
        let output = program(folder.path())
            .args(["run", "--month", month, "--decay-reference", MONTHS[2], "--json"])
            .output()
            .unwrap();
        let results: Value = serde_json::from_slice(&output.stdout).unwrap();
        let version = results[0]["version"].as_str().unwrap().to_owned();
        self.versions.insert((month, size), version.clone());
        version
    }

    fn run(&self, more: &[&str]) -> Command {
        let mut command = self.command();
        command.args(["run", "--months", RANGE, "--decay-reference", MONTHS[2], "--json"]).args(more);
        command
    }

    /// What a run makes of the model; its exit code.
    fn ran(&mut self, months: &[&'static str], force: bool) -> i32 {
        let mut code = 0;
        for &month in months {
            let before = self.months[month].clone();
            if before.pinned && !force {
                continue;
            }
            let after = match before.raw {
                Raw::Cut(_) => {
                    code = 1;
                    Expected { failed: true, mended: false, ..before }
                }
                Raw::Whole(size) => {
                    let version = self.version(month, size);
                    Expected { pinned: false, failed: false, mended: false, removed: false, ..becomes(before, version) }
                }
            };
            self.months.insert(month, after);
        }
        code
    }

    fn step(&mut self) {
        let steps = ["arrive", "arrive", "run", "run", "force", "kill", "kill", "stop", "twice", "rollback", "remove"];
        let more = ["damage", "clean"];
        let step = *steps.iter().chain(&more).collect::<Vec<_>>().choose(&mut self.random).unwrap();
        let month = *MONTHS.choose(&mut self.random).unwrap();
        *self.done.entry(step).or_default() += 1;
        self.last = format!("{step} {month}");
        match *step {
            "arrive" => {
                let size = self.random.random_range(0..4);
                let raw = if self.random.random_range(0..4) == 0 { Raw::Cut(size) } else { Raw::Whole(size) };
                self.arrives(month, raw);
            }
            "run" => {
                let output = self.run(&[]).output().unwrap();
                let code = self.ran(&MONTHS, false);
                self.last += &ends(&output, code);
            }
            "force" => {
                let output = self.run(&["--force"]).output().unwrap();
                let code = self.ran(&MONTHS, true);
                self.last += &ends(&output, code);
            }
            "kill" | "stop" => {
                let child = self.run(&[]).spawn().unwrap();
                thread::sleep(Duration::from_millis(self.random.random_range(0..900)));
                let code = end(child, if *step == "kill" { "-KILL" } else { "-TERM" });
                assert!([None, Some(0), Some(1), Some(130)].contains(&code), "{code:?}");
                // What was under way may be there or not; whole it is, and a run ends it.
                self.whole();
                let output = self.run(&[]).output().unwrap();
                let code = self.ran(&MONTHS, false);
                self.last += &ends(&output, code);
            }
            "twice" => {
                let (first, second) = (self.run(&[]).spawn().unwrap(), self.run(&[]).spawn().unwrap());
                let code = self.ran(&MONTHS, false);
                self.last += &ends(&first.wait_with_output().unwrap(), code);
                self.last += &ends(&second.wait_with_output().unwrap(), code);
            }
            "rollback" => {
                let output = self.command().args(["months", "rollback", month]).output().unwrap();
                let before = self.months[month].clone();
                match before.history.first().cloned() {
                    None => self.last += &ends(&output, 2),
                    Some(version) => {
                        self.last += &ends(&output, 0);
                        let after = Expected { pinned: true, removed: false, ..becomes(before, version) };
                        self.months.insert(month, after);
                    }
                }
            }
            "remove" => {
                let range = format!("{month}..{month}");
                let output = self.command().args(["months", "remove", &range]).output().unwrap();
                let expected = self.months.get_mut(month).unwrap();
                if expected.current.is_none() && !expected.removed {
                    ends(&output, 2);
                    return;
                }
                ends(&output, 0);
                let current = expected.current.take();
                expected.history.splice(0..0, current);
                (expected.removed, expected.pinned, expected.mended) = (true, false, false);
            }
            "damage" => {
                let Some(version) = self.months[month].current.clone() else { return };
                let (year, number) = month.split_once('-').unwrap();
                let manifest = format!("processed-data/monthly/{year}/{number}/manifest.json");
                let manifest: Value = serde_json::from_slice(&fs::read(self.objects.join(manifest)).unwrap()).unwrap();
                assert_eq!(manifest["current"]["version"], version);
                let key = manifest["current"]["data"]["key"].as_str().unwrap().to_owned();
                damage(&self.objects.join(&key));
                let output = self.command().args(["validate", "output", "--month", month, "--json"]).output().unwrap();
                let report: Value = serde_json::from_slice(&output.stdout).unwrap();
                let named: Vec<&Value> = report["months"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .flat_map(|month| month["findings"].as_array().unwrap())
                    .filter(|finding| finding["severity"] == "error")
                    .collect();
                assert!(
                    !named.is_empty() && named.iter().all(|finding| finding["month"] == month),
                    "{month}: {report:#}"
                );
                // The way back: the bytes it had.
                damage(&self.objects.join(&key));
            }
            _ => {
                let output = self.command().args(["clean", "--older-than", "0s"]).output().unwrap();
                self.last += &ends(&output, 0);
                for expected in self.months.values_mut().filter(|expected| expected.mended) {
                    (expected.failed, expected.mended) = (false, false);
                }
                assert_eq!(self.objects_now(), self.whole(), "an orphan is left");
            }
        }
    }

    /// The store is as the model says.
    fn check(&self, step: usize) {
        self.whole();
        for (month, expected) in &self.months {
            let (year, number) = month.split_once('-').unwrap();
            let read = |folder: &str| -> Option<Value> {
                let path = self.objects.join(format!("processed-data/{folder}/{year}/{number}/manifest.json"));
                Some(serde_json::from_slice(&fs::read(path).ok()?).unwrap())
            };
            let manifest = read("monthly");
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let current = manifest.as_ref().and_then(|manifest| text(&manifest["current"]["version"]));
            let kept = manifest.clone().or_else(|| read("history"));
            let history = kept.map_or_else(Vec::new, |kept| {
                kept["history"].as_array().unwrap().iter().filter_map(|version| text(&version["version"])).collect()
            });
            let pinned = manifest.is_some_and(|manifest| manifest["pinned"] == true);
            let failed = self.objects.join(format!("processed-data/failures/{month}.json")).exists();
            assert_eq!(
                (current, history, pinned, failed),
                (expected.current.clone(), expected.history.clone(), expected.pinned, expected.failed),
                "{month} after step {step}, {}",
                self.last
            );
        }
    }

    /// Keys of what was published, but the heartbeats, the failures and the server's own notes.
    fn objects_now(&self) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        let mut folders = vec![self.objects.join("processed-data")];
        while let Some(folder) = folders.pop() {
            for name in names(&folder)
                .into_iter()
                .filter(|name| !["status", "failures", "recovered", "volumes"].contains(&name.as_str()))
            {
                let path = folder.join(name);
                if path.is_dir() {
                    folders.push(path);
                } else {
                    keys.insert(path.strip_prefix(&self.objects).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        keys
    }

    /// Everything that a manifest names is there and has its checksum; returns it all, manifests included.
    fn whole(&self) -> BTreeSet<String> {
        let mut named = BTreeSet::new();
        for key in self.objects_now().into_iter().filter(|key| key.ends_with("manifest.json")) {
            let manifest: Value = serde_json::from_slice(&fs::read(self.objects.join(&key)).unwrap()).unwrap();
            for version in manifest["history"].as_array().unwrap().iter().chain(manifest.get("current")) {
                for item in [&version["data"], &version["statistics"]] {
                    let key = item["key"].as_str().unwrap();
                    let bytes =
                        fs::read(self.objects.join(key)).unwrap_or_else(|_| panic!("{key} is named and not there"));
                    assert_eq!(item["checksum"], format!("{:016x}", xxh3_64(&bytes)), "{key}");
                    named.insert(key.to_owned());
                }
            }
            named.insert(key);
        }
        named
    }
}

/// A version becomes current; the one before is the first of the history.
fn becomes(before: Expected, version: String) -> Expected {
    let mut history = before.history;
    history.splice(0..0, before.current);
    history.retain(|kept| *kept != version);
    Expected { current: Some(version), history, mended: before.failed, ..before }
}

fn file(month: &str) -> String {
    let days = match &month[5..] {
        "10" => 31,
        _ => 30,
    };
    let month = month.replace('-', "");
    format!("glbx-mdp3-{month}01-{month}{days}.ohlcv-1s.dbn.zst")
}

fn plain_file(month: &str) -> String {
    file(month).trim_end_matches(".zst").to_owned()
}

/// It ended with this code; returns what it said.
fn ends(output: &std::process::Output, code: i32) -> String {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

fn end(mut child: Child, name: &str) -> Option<i32> {
    if child.try_wait().unwrap().is_none() {
        signal(&child, name);
    }
    child.wait().unwrap().code()
}

fn soak(server: Option<Server>, default_steps: usize) {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (steps, seed) = (number("SOAK_STEPS", default_steps), number("SOAK_SEED", 7));
    let mut soak = Soak::new(server, seed as u64);
    for step in 0..steps {
        soak.step();
        soak.check(step);
    }
    eprintln!("{steps} steps, the store is as the model after each: {:?}", soak.done);
    if let Some(server) = &soak.server {
        eprintln!("faults of the server: {:?}", server.injected());
    }
}

#[test]
fn a_directory_is_always_what_the_model_says() {
    soak(None, 25);
}

#[test]
fn a_bucket_that_fails_at_times_is_always_what_the_model_says() {
    // S3 lists what was just written, and most steps begin with a listing; one that is behind has tests of its own.
    let mut faults = Faults::passing(5, 0.05);
    faults.kinds.retain(|&kind| kind != Fault::StaleListing);
    soak(Some(Server::with_faults(faults)), 25);
}
