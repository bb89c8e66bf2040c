//! `kill -9` at random points: what is visible is whole at every time, and a clean run ends as if nothing had happened.
//!
//! A few kills by default; `KILLS=200 cargo test --release -p harness --test it kills` is the long run.

use crate::server;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::month::{self, names, program};
use crate::server::Server;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

const MONTHS: &str = "2013-08..2013-10";
/// Of two settings each replaces the other's months.
const SETTINGS: [&str; 2] = ["session", "rolling"];

/// Where the store is: how a run finds it, and where its objects are as files.
struct Place {
    environment: Vec<(&'static str, String)>,
    objects: PathBuf,
    folder: tempfile::TempDir,
    server: Option<Server>,
}

impl Place {
    fn directory() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects = folder.path().join("store");
        Self { environment: vec![], objects, folder, server: None }.with_months()
    }

    fn bucket() -> Self {
        let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
        let mut environment = server.environment();
        environment.push(("S3_BUCKET", "bucket/archive".into()));
        let objects = server.folder().join("archive");
        Self { environment, objects, folder, server: Some(server) }.with_months()
    }

    /// Three months of a few days each.
    fn with_months(self) -> Self {
        let raw = self.objects.join("raw-data");
        fs::create_dir_all(&raw).unwrap();
        let arguments = ["synth", "--months", MONTHS, "--out", raw.to_str().unwrap()];
        assert!(program(self.folder.path()).args(arguments).status().unwrap().success());
        month::shorten(&raw);
        self
    }

    fn run(&self, profile: &str) -> std::process::Command {
        let mut command = program(self.folder.path());
        command.envs(self.environment.clone()).args(["run", "--months", MONTHS, "--json", "--profile", profile]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Every published object that is not a server's own note; heartbeats of killed runs and volumes of raw files stay.
    fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.objects.join("processed-data")];
        while let Some(folder) = folders.pop() {
            for name in names(&folder).into_iter().filter(|name| name != "status" && name != "volumes") {
                let path = folder.join(name);
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(bytes) = fs::read(&path) {
                    found.insert(path.strip_prefix(&self.objects).unwrap().to_str().unwrap().to_owned(), bytes);
                }
            }
        }
        found
    }

    /// Every manifest names objects that are there and whole; returns what they name, manifests included.
    fn whole(&self) -> BTreeSet<String> {
        let objects = self.objects();
        let mut named = BTreeSet::new();
        for (key, json) in objects.iter().filter(|(key, _)| key.ends_with("manifest.json")) {
            let manifest: Value = serde_json::from_slice(json).unwrap();
            named.insert(key.clone());
            for version in manifest["history"].as_array().unwrap().iter().chain([&manifest["current"]]) {
                for item in [&version["data"], &version["statistics"]] {
                    let key = item["key"].as_str().unwrap();
                    let bytes = objects.get(key).unwrap_or_else(|| panic!("{key} is named and not there"));
                    assert_eq!(item["checksum"], format!("{:016x}", xxh3_64(bytes)), "{key}");
                    named.insert(key.to_owned());
                }
            }
        }
        named
    }

    /// Bytes of the current months, by the folder of the month.
    fn current(&self) -> BTreeMap<String, Vec<u8>> {
        let mut objects = self.objects();
        let manifests: Vec<String> = objects
            .keys()
            .filter(|key| key.contains("/monthly/") && key.ends_with("/manifest.json"))
            .cloned()
            .collect();
        let current = manifests.into_iter().map(|key| {
            let manifest: Value = serde_json::from_slice(&objects[&key]).unwrap();
            (key, objects.remove(manifest["current"]["data"]["key"].as_str().unwrap()).unwrap())
        });
        current.collect()
    }
}

fn kill_at_random(place: &Place) {
    let kills: u32 = std::env::var("KILLS").map_or(6, |kills| kills.parse().unwrap());
    let undisturbed = |profile: &str| {
        let began = Instant::now();
        let output = place.run(profile).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (place.current(), began.elapsed())
    };
    let (expected, first) = undisturbed(SETTINGS[0]);
    let (other, again) = undisturbed(SETTINGS[1]);
    assert!(expected.len() == 3 && other.len() == 3 && expected != other);

    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(9);
    let longest = first.max(again).as_secs_f64();
    let mut killed = 0;
    for round in 0..10 * kills {
        if killed == kills {
            break;
        }
        let mut child = place.run(SETTINGS[round as usize % 2]).spawn().unwrap();
        thread::sleep(Duration::from_secs_f64(random.random_range(0.0..longest)));
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        place.whole();
    }
    assert_eq!(killed, kills, "most runs ended before they were killed");

    assert_eq!(undisturbed(SETTINGS[0]).0.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(place.current() == expected, "the bytes differ from those of an undisturbed run");
    let mut clean = program(place.folder.path());
    assert!(clean.envs(place.environment.clone()).args(["clean", "--older-than", "0s"]).status().unwrap().success());
    assert_eq!(place.objects().into_keys().collect::<BTreeSet<_>>(), place.whole(), "an orphan is left");
    let locks = names(&place.objects).into_iter().filter(|name| name.ends_with(".lock")).collect::<Vec<_>>();
    assert!(locks.is_empty(), "{locks:?}");
    assert!(place.server.as_ref().is_none_or(|server| server.count(server::Operation::PutObject) > 0));
}

#[test]
fn a_directory_survives_kills() {
    kill_at_random(&Place::directory());
}

#[test]
fn a_bucket_survives_kills() {
    kill_at_random(&Place::bucket());
}
