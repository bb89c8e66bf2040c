//! A worker on a bucket that stands still at any step (SIGSTOP), is taken over from, and wakes (SIGCONT) at any step of its
//! successor: every version that was ever committed stays readable, and nothing is left in the end.
//!
//! A few pauses by default; `PAUSES=200 cargo test --release -p harness --test it pauses` is the long run.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Child, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::month::{FILE, MONTH, program, synthetic};
use crate::server::{Operation, Server};

const RIGHT: &str = "processed-data/rights/2013-09.json";
/// A process that does not end by then hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A bucket with a month, and everything that was ever committed of it.
struct Bucket {
    server: Server,
    folder: tempfile::TempDir,
    committed: Arc<Mutex<BTreeSet<Vec<u8>>>>,
}

/// One process of a pair.
struct Worker(Child);

impl Worker {
    fn signal(&self, name: &str) {
        send(self.0.id(), name);
    }

    fn end(mut self) -> Output {
        let began = Instant::now();
        while self.0.try_wait().unwrap().is_none() {
            if began.elapsed() > PATIENCE {
                self.0.kill().unwrap();
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.0.wait_with_output().unwrap()
    }
}

fn send(pid: u32, name: &str) {
    assert!(std::process::Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

/// State of a process as the system tells it; `T` stands still, `Z` has ended.
fn state(pid: u32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).unwrap_or('Z')
}

impl Bucket {
    /// With the month published once.
    fn new() -> Self {
        let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
        let raw = server.folder().join("archive/raw-data");
        fs::create_dir_all(&raw).unwrap();
        fs::copy(synthetic(), raw.join(FILE)).unwrap();
        let bucket = Self { server, folder, committed: Arc::default() };
        let first = bucket.worker("session").end();
        assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
        bucket
    }

    fn objects(&self) -> PathBuf {
        self.server.folder().join("archive")
    }

    fn command(&self) -> std::process::Command {
        let mut command = program(self.folder.path());
        command.envs(self.server.environment()).env("S3_BUCKET", "bucket/archive");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn worker(&self, profile: &str) -> Worker {
        let arguments = ["run", "--month", "2013-09", "--json", "--force", "--profile", profile];
        Worker(self.command().args(arguments).spawn().unwrap())
    }

    /// Takes the manifest that is there into what was committed.
    fn look(objects: &Path, committed: &Mutex<BTreeSet<Vec<u8>>>) {
        if let Ok(json) = fs::read(objects.join(MONTH).join("manifest.json")) {
            committed.lock().unwrap().insert(json);
        }
    }

    /// One worker stands still at its `first` request after it has the right, before that is served or after; another comes,
    /// and at its `second` request the first wakes and ends.
    fn pause(&self, first: u32, served: bool, second: u32, profiles: [&str; 2]) -> [Output; 2] {
        let (objects, committed) = (self.objects(), Arc::clone(&self.committed));
        let steps = Arc::new(AtomicU32::new(0));
        let held = Arc::new(Mutex::new(None::<u32>));
        let stopped = Arc::new(AtomicU32::new(0));
        let ours = |key: &str| key.contains("2013/09") || key.is_empty() || key.ends_with("rights/2013-09.json");
        let sleeper = self.worker(profiles[0]);
        *held.lock().unwrap() = Some(sleeper.0.id());
        self.server.watch({
            let (steps, held, stopped) = (Arc::clone(&steps), Arc::clone(&held), Arc::clone(&stopped));
            let (objects, committed) = (objects.clone(), Arc::clone(&committed));
            move |operation, key| {
                Self::look(&objects, &committed);
                let right = operation == Operation::PutObject && key.ends_with("rights/2013-09.json");
                if !ours(key) || !right && steps.load(Ordering::SeqCst) == 0 {
                    return;
                }
                let Some(pid) = *held.lock().unwrap() else { return };
                if steps.fetch_add(1, Ordering::SeqCst) == first {
                    *held.lock().unwrap() = None;
                    send(pid, "-STOP");
                    stopped.store(pid, Ordering::SeqCst);
                    if !served {
                        // On its way for as long as the other needs.
                        let began = Instant::now();
                        while stopped.load(Ordering::SeqCst) == pid && began.elapsed() < PATIENCE {
                            thread::sleep(Duration::from_millis(2));
                        }
                    }
                }
            }
        });
        let pid = sleeper.0.id();
        while stopped.load(Ordering::SeqCst) != pid {
            if state(pid) == 'Z' {
                // It needed fewer steps.
                let output = sleeper.end();
                self.server.unwatched();
                let other = self.worker(profiles[1]).end();
                Self::look(&objects, &committed);
                return [output, other];
            }
            thread::sleep(Duration::from_millis(1));
        }
        // As after 45 seconds without a sign: the right is nobody's.
        thread::sleep(Duration::from_millis(20));
        fs::remove_file(objects.join(RIGHT)).unwrap_or_default();
        let steps = Arc::new(AtomicU32::new(0));
        let woken = Arc::new(AtomicU32::new(0));
        self.server.watch({
            let (woken, stopped, committed, objects) =
                (Arc::clone(&woken), Arc::clone(&stopped), Arc::clone(&committed), objects.clone());
            move |operation, key| {
                Self::look(&objects, &committed);
                let right = operation == Operation::PutObject && key.ends_with("rights/2013-09.json");
                if !ours(key) || !right && steps.load(Ordering::SeqCst) == 0 {
                    return;
                }
                if steps.fetch_add(1, Ordering::SeqCst) == second && woken.swap(1, Ordering::SeqCst) == 0 {
                    stopped.store(0, Ordering::SeqCst);
                    send(pid, "-CONT");
                    // Until it has ended; it may have to wait for this one, too.
                    let began = Instant::now();
                    while state(pid) != 'Z' && began.elapsed() < Duration::from_secs(4) {
                        thread::sleep(Duration::from_millis(2));
                    }
                }
            }
        });
        let successor = self.worker(profiles[1]).end();
        if woken.load(Ordering::SeqCst) == 0 {
            stopped.store(0, Ordering::SeqCst);
            sleeper.signal("-CONT");
        }
        let sleeper = sleeper.end();
        self.server.unwatched();
        Self::look(&objects, &committed);
        [sleeper, successor]
    }

    /// Everything that was ever committed is where its manifest says.
    fn whole(&self, what: &str) {
        for json in self.committed.lock().unwrap().iter() {
            let manifest: Value = serde_json::from_slice(json).unwrap();
            for version in manifest["history"].as_array().unwrap().iter().chain([&manifest["current"]]) {
                for item in [&version["data"], &version["statistics"]] {
                    let key = item["key"].as_str().unwrap();
                    let bytes = fs::read(self.objects().join(key));
                    let bytes = bytes.unwrap_or_else(|_| panic!("{what}: {key} was committed and is not there"));
                    assert_eq!(item["checksum"], format!("{:016x}", xxh3_64(&bytes)), "{what}: {key}");
                }
            }
        }
    }

    /// All that is there but what runs tell of themselves: heartbeats, and that a month which failed has recovered.
    fn keys(&self) -> BTreeSet<String> {
        let told = |key: &String| ["/status/", "/recovered/"].iter().any(|folder| key.contains(folder));
        crate::month::keys_of(&self.objects()).into_iter().filter(|key| !told(key)).collect()
    }
}

#[test]
fn a_worker_that_stands_still_and_wakes_breaks_nothing() {
    let pauses: u32 = std::env::var("PAUSES").map_or(8, |pauses| pauses.parse().unwrap());
    let seed = std::env::var("PAUSES_SEED").map_or(3, |seed| seed.parse().unwrap());
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let bucket = Bucket::new();
    let profiles = ["session", "rolling"];
    let mut said: BTreeMap<String, u32> = BTreeMap::new();
    for pause in 0..pauses {
        // The first is the one that was met: all is uploaded, and the successor's commit is on its way.
        let (first, served, second) = match pause {
            0 => (9, true, 22),
            _ => (random.random_range(0..28), random.random(), random.random_range(0..28)),
        };
        let chosen = [0, 1].map(|_| profiles[random.random_range(0..2)]);
        let what = format!("pause {pause} of seed {seed}: {first} {served} {second} {chosen:?}");
        for output in bucket.pause(first, served, second, chosen) {
            // Success, or months that failed, or a store that does not answer.
            let (code, error) = (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned());
            assert!(matches!(code, Some(0 | 1 | 4)), "{what}: {code:?} {error}");
            let results: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            *said.entry(results[0]["outcome"].as_str().unwrap_or("none").to_owned()).or_default() += 1;
        }
        bucket.whole(&what);
    }
    eprintln!("{pauses} pauses, every version that was committed is readable: {said:?}");
    let last = bucket.worker("session").end();
    assert!(last.status.success(), "{}", String::from_utf8_lossy(&last.stderr));
    let clean = bucket.command().args(["clean", "--older-than", "0s"]).output().unwrap();
    assert!(clean.status.success(), "{}", String::from_utf8_lossy(&clean.stderr));
    assert_eq!(bucket.keys(), crate::month::named(&bucket.objects(), "2013/09"), "an orphan is left");
}
