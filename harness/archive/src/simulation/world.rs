//! The objects, the time, and whose step it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use md5::{Digest, Md5};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xxhash_rust::xxh3::xxh3_64;

use super::log::{self, Logged};
use super::month;
use crate::{
    manifest::{self, Version},
    sweep::GRACE,
    table,
};

/// An object.
#[derive(Clone, Debug)]
pub struct Stored {
    pub bytes: Bytes,
    pub e_tag: String,
    pub modified: Duration,
    checksum: String,
}

/// What is asked of the store.
#[derive(Clone, Debug)]
pub enum Request {
    Put { key: String, bytes: Bytes, condition: Condition },
    Copy { from: String, to: String },
    Delete { key: String, condition: Condition },
}

/// The state that the object must be in.
#[derive(Clone, Debug)]
pub enum Condition {
    Any,
    Absent,
    Is(String),
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Done(String),
    /// The condition does not hold.
    No,
    /// There is no such object to copy.
    Missing,
    /// No answer.
    Lost,
}

/// Everything.
pub struct World {
    inner: Mutex<Inner>,
    turn: Condvar,
}

struct Inner {
    random: ChaCha8Rng,
    objects: BTreeMap<String, Stored>,
    /// Time as it passes.
    now: Duration,
    /// What the clock of the store is ahead of it.
    ahead: Duration,
    workers: Vec<Worker>,
    current: Option<usize>,
    /// Requests on their way, and until when their signature is taken.
    late: Vec<(Request, Duration)>,
    /// Keys that were named, with the time by the store's clock from when on they were not.
    replaced: BTreeMap<String, (String, Duration)>,
    committed: BTreeSet<String>,
    /// Every Parquet that ever was the current one.
    published: BTreeSet<String>,
    jumps: bool,
    steps: u64,
    broken: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Worker {
    Waits,
    Gone,
}

/// Signed requests are taken for so long.
const SIGNED: Duration = Duration::from_secs(900);
/// Long enough after 1970.
const START: Duration = Duration::from_secs(1_700_000_000);
const LATER: Duration = Duration::from_secs(GRACE.as_secs() + 3600);

impl World {
    /// With `jumps` the clock of the store jumps; then a month must be there, and is not to be removed.
    pub fn new(seed: u64, workers: usize, jumps: bool) -> Arc<Self> {
        let inner = Inner {
            random: ChaCha8Rng::seed_from_u64(seed),
            objects: BTreeMap::new(),
            now: START,
            ahead: Duration::ZERO,
            workers: vec![Worker::Waits; workers],
            current: None,
            late: Vec::new(),
            replaced: BTreeMap::new(),
            committed: BTreeSet::new(),
            published: BTreeSet::new(),
            jumps,
            steps: 0,
            broken: Vec::new(),
        };
        Arc::new(Self { inner: Mutex::new(inner), turn: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Waits for the first turn.
    pub fn begin(&self, worker: usize) {
        let mut inner = self.lock();
        if inner.current.is_none() && worker == 0 {
            inner.next();
            self.turn.notify_all();
        }
        while inner.current != Some(worker) {
            inner = self.turn.wait(inner).unwrap();
        }
    }

    /// It has nothing left to do.
    pub fn end(&self, worker: usize) {
        let mut inner = self.lock();
        inner.workers[worker] = Worker::Gone;
        if inner.current == Some(worker) {
            inner.next();
            self.turn.notify_all();
        }
    }

    /// Lets others go on; false when the worker was killed meanwhile, and then nothing of it happens any more.
    pub fn pause(&self, worker: Option<usize>) -> bool {
        let Some(worker) = worker else { return true };
        let mut inner = self.lock();
        if inner.workers[worker] == Worker::Gone {
            return false;
        }
        if inner.random.random_range(0..400) == 0 {
            inner.workers[worker] = Worker::Gone;
            inner.next();
            self.turn.notify_all();
            return false;
        }
        inner.next();
        self.turn.notify_all();
        while inner.current != Some(worker) {
            inner = self.turn.wait(inner).unwrap();
        }
        true
    }

    /// Time as the workers count it.
    pub fn now(&self) -> Duration {
        self.lock().now
    }

    /// The object of a key.
    pub fn get(&self, key: &str) -> Option<Stored> {
        self.lock().objects.get(key).cloned()
    }

    /// What begins so; now and then without what is new.
    pub fn list(&self, prefix: &str, sure: bool) -> Vec<(String, Stored)> {
        let mut inner = self.lock();
        let stale = !sure && inner.random.random_range(0..10) == 0;
        let store_time = inner.now + inner.ahead;
        let of = inner.objects.iter().filter(|(key, _)| key.starts_with(prefix));
        let known = of.filter(|(_, object)| !stale || object.modified + Duration::from_secs(5) < store_time);
        known.map(|(key, object)| (key.clone(), object.clone())).collect()
    }

    /// Whether a reading gets no answer.
    pub fn fails(&self, worker: Option<usize>) -> bool {
        worker.is_some() && self.lock().random.random_range(0..40) == 0
    }

    /// Does what is asked, or not; it was signed at a time.
    pub fn ask(&self, worker: Option<usize>, request: Request, signed: Duration) -> Answer {
        let mut inner = self.lock();
        if inner.now > signed + SIGNED {
            return Answer::Lost;
        }
        match if worker.is_some() { inner.random.random_range(0..100) } else { 99 } {
            0..4 => Answer::Lost,
            4..8 => {
                inner.late.push((request, signed + SIGNED));
                Answer::Lost
            }
            8..14 => {
                inner.apply(&request);
                Answer::Lost
            }
            14..17 => {
                // Sent twice on its way.
                inner.late.push((request.clone(), signed + SIGNED));
                inner.apply(&request)
            }
            _ => inner.apply(&request),
        }
    }

    /// What is still on its way arrives.
    pub fn settle(&self) {
        let mut inner = self.lock();
        while !inner.late.is_empty() {
            inner.arrives();
        }
    }

    /// What was replaced becomes old enough to go.
    pub fn later(&self) {
        self.advance(LATER);
    }

    /// Time passes.
    pub fn advance(&self, time: Duration) {
        self.lock().now += time;
    }

    /// What was broken since this was asked.
    pub fn broken(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().broken)
    }

    /// What was published and is not in the log, or is in it otherwise.
    pub fn unlogged(&self) -> Vec<String> {
        let inner = self.lock();
        let current = inner.current();
        match inner.log() {
            Ok(logged) => {
                let there = inner.published.iter().filter(|key| inner.objects.contains_key(*key));
                logged.differs(there, current.as_ref())
            }
            Err(error) => vec![error],
        }
    }

    /// Requests and waits.
    pub fn steps(&self) -> u64 {
        self.lock().steps
    }
}

impl Inner {
    /// Chooses who is next, and lets time pass.
    fn next(&mut self) {
        self.steps += 1;
        let waiting: Vec<usize> =
            (0..self.workers.len()).filter(|&worker| self.workers[worker] == Worker::Waits).collect();
        let stays = self.current.filter(|current| waiting.contains(current) && self.random.random_range(0..3) > 0);
        self.current = match (stays, waiting.is_empty()) {
            (_, true) => None,
            (Some(current), _) => Some(current),
            (None, false) => Some(waiting[self.random.random_range(0..waiting.len())]),
        };
        let millis = self.random.random_range(0..400);
        self.now += match self.random.random_range(0..300) {
            0..8 => Duration::from_secs(self.random.random_range(0..120)),
            8 => Duration::from_secs(self.random.random_range(0..GRACE.as_secs() * 5 / 3)),
            _ => Duration::from_millis(millis),
        };
        if self.jumps && self.random.random_range(0..500) == 0 {
            self.ahead += Duration::from_secs(self.random.random_range(0..GRACE.as_secs() * 5 / 4));
        }
        if self.random.random_range(0..6) == 0 {
            self.arrives();
        }
    }

    /// One of the late requests.
    fn arrives(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let which = self.random.random_range(0..self.late.len());
        let (request, until) = self.late.swap_remove(which);
        if self.now <= until {
            self.apply(&request);
        }
    }

    fn holds(&self, key: &str, condition: &Condition) -> bool {
        let e_tag = self.objects.get(key).map(|object| object.e_tag.as_str());
        match condition {
            Condition::Any => true,
            Condition::Absent => e_tag.is_none(),
            Condition::Is(expected) => e_tag == Some(expected.trim_matches('"')),
        }
    }

    fn apply(&mut self, request: &Request) -> Answer {
        let before = self.named();
        let answer = match request {
            Request::Put { key, condition, .. } if !self.holds(key, condition) => Answer::No,
            Request::Put { key, bytes, .. } => self.put(key, bytes.clone()),
            Request::Copy { from, to } => match self.objects.get(from).map(|object| object.bytes.clone()) {
                Some(bytes) => self.put(to, bytes),
                None => Answer::Missing,
            },
            Request::Delete { key, condition } if !self.holds(key, condition) => Answer::No,
            Request::Delete { key, .. } => {
                self.objects.remove(key);
                Answer::Done(String::new())
            }
        };
        self.check(before);
        if matches!(request, Request::Put { key, .. } if key.starts_with(table::LOG)) {
            let wrong = self.log().err();
            self.broken.extend(wrong);
        }
        answer
    }

    fn put(&mut self, key: &str, bytes: Bytes) -> Answer {
        let e_tag: String = Md5::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        // S3's clock counts seconds.
        let modified = Duration::from_secs((self.now + self.ahead).as_secs());
        let checksum = format!("{:016x}", xxh3_64(&bytes));
        self.objects.insert(key.to_owned(), Stored { bytes, e_tag: e_tag.clone(), modified, checksum });
        Answer::Done(e_tag)
    }

    /// Key of the month's current Parquet.
    fn current(&self) -> Option<String> {
        let manifest = self.objects.get(&manifest::key(month()))?;
        Some(manifest::parse(month(), &manifest.bytes).unwrap().current.data.key)
    }

    /// What the log says, if nothing is wrong with it.
    fn log(&self) -> Result<Logged, String> {
        log::replay(|key| self.objects.get(key).map(|object| object.bytes.clone()))
    }

    fn versions(&self) -> Vec<Version> {
        let month = month();
        let bytes = |key: String| self.objects.get(&key).map(|object| object.bytes.clone());
        let current = bytes(manifest::key(month)).map(|json| manifest::parse(month, &json).unwrap());
        let kept = bytes(manifest::removed_key(month)).map(|json| manifest::parse_removed(month, &json).unwrap());
        let mut versions: Vec<Version> = current.iter().flat_map(|manifest| manifest.versions().cloned()).collect();
        let known = |version: &Version| versions.iter().any(|known| known.version == version.version);
        // Of no account beside a manifest that knows all of it.
        if let Some(kept) = kept.filter(|kept| current.is_none() || !kept.history.iter().all(known)) {
            versions.extend(kept.history);
        }
        versions
    }

    /// Keys that are named, with their checksums.
    fn named(&self) -> BTreeMap<String, String> {
        let versions = self.versions();
        let items = versions.iter().flat_map(Version::items);
        items.map(|item| (item.key.clone(), item.checksum.clone())).collect()
    }

    /// What must hold after every request.
    fn check(&mut self, before: BTreeMap<String, String>) {
        let store_time = self.now + self.ahead;
        let (named, versions) = (self.named(), self.versions());
        let there =
            |key: &String, checksum: &String| self.objects.get(key).is_some_and(|object| object.checksum == *checksum);
        let mut broken = Vec::new();
        for (key, _) in named.iter().filter(|(key, checksum)| !there(key, checksum)) {
            broken.push(format!("{key} is named and not there as it was"));
        }
        for (key, checksum) in before {
            if !named.contains_key(&key) {
                self.replaced.insert(key, (checksum, store_time));
            }
        }
        let reread = GRACE - Duration::from_secs(2);
        self.replaced.retain(|_, (_, since)| store_time < *since + reread);
        for (key, _) in self.replaced.iter().filter(|(key, (checksum, _))| !there(key, checksum)) {
            broken.push(format!("{key} was named a shorter while ago than GRACE and is not there as it was"));
        }
        let known: BTreeSet<String> = versions.into_iter().map(|version| version.version).collect();
        for version in self.committed.difference(&known) {
            broken.push(format!("version {version} was committed and is not known"));
        }
        self.committed.extend(known);
        self.published.extend(self.current());
        // Each is said once.
        if !broken.is_empty() && self.broken.is_empty() {
            self.broken = broken;
        }
    }
}
