//! What a run tells of itself while it goes on: a small object in the store that any machine can read.
//!
//! It is written from a thread of its own. A store that does not take it costs the run nothing but a line at level debug.

use std::{
    collections::VecDeque,
    fs,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use data::Month;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    exit, interrupt, memory, metrics,
    store::{Store, StoreError, Traffic},
};

/// Folder of the heartbeats.
pub const FOLDER: &str = "processed-data/status";
/// Version of the object's layout.
const SCHEMA_VERSION: u32 = 1;
/// Memory is looked at this often, and what has changed is written no more often.
const PULSE: Duration = Duration::from_secs(1);
/// What has not changed is written this often.
const RENEWAL: Duration = Duration::from_secs(5);
/// How long the end of a run waits for its last word to be written.
const PATIENCE: Duration = Duration::from_secs(2);
/// The recent rate is that of so many months.
const RECENT: usize = 10;

/// How a run is getting on, by its own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// At work when it was last heard of.
    Running,
    /// All months were tried.
    Ended,
    /// Ended by an error of the store or the settings.
    Stopped,
    /// Ended by a signal.
    Interrupted,
}

/// A month that is being made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The month.
    pub month: Month,
    /// `read`, `decode`, `compute`, `measure` or `publish`.
    pub stage: String,
    /// Since when it is in this stage.
    pub since: Timestamp,
    /// Since when it is being made.
    pub began: Timestamp,
}

/// The last error of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// The month that failed.
    pub month: Month,
    /// Why.
    pub error: String,
    /// When.
    pub when: Timestamp,
}

/// A month and the time it took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slowest {
    /// The month.
    pub month: Month,
    /// Wall-clock seconds from reading to publishing.
    pub seconds: f64,
}

/// The object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Version of this layout.
    pub schema_version: u32,
    /// Name of the run: when it began, where, and its process.
    pub run: String,
    /// Machine.
    pub host: String,
    /// Process.
    pub pid: u32,
    /// Version of the program.
    pub version: String,
    /// First month of the run.
    pub first: Month,
    /// Last month of the run.
    pub last: Month,
    /// When it began.
    pub began: Timestamp,
    /// When this was written.
    pub renewed: Timestamp,
    /// When a month last changed its stage, was finished or failed.
    pub progress: Timestamp,
    /// How it is getting on.
    pub state: State,
    /// Months of the run.
    pub months: usize,
    /// Those that are finished, the unchanged ones among them.
    pub done: usize,
    /// Those that failed, or had no input.
    pub failed: usize,
    /// How many months failed since one did not.
    pub failed_in_a_row: usize,
    /// Those that are being made.
    pub running: Vec<Running>,
    /// Months an hour, of the last ten that were made.
    pub months_per_hour: Option<f64>,
    /// Seconds left at this rate.
    pub seconds_left: Option<f64>,
    /// The month that took longest.
    pub slowest: Option<Slowest>,
    /// Requests to the store that were repeated.
    pub retries: u64,
    /// Most memory held since the heartbeat before.
    pub memory_bytes: Option<u64>,
    /// Most memory held so far.
    pub peak_memory_bytes: Option<u64>,
    /// Room for temporary files.
    pub free_bytes: Option<u64>,
    /// The last error.
    pub last_error: Option<LastError>,
}

/// The heart of a run.
pub struct Pulse {
    shared: Arc<Shared>,
    /// Says that the last word was written, or is not going to be.
    ended: Mutex<mpsc::Receiver<()>>,
    _interrupt: interrupt::Guard,
}

struct Shared {
    state: Mutex<Inner>,
    changed: Condvar,
    store: Store,
    /// Folder of the temporary files.
    temporary: PathBuf,
    traffic: Arc<Traffic>,
    metrics: Option<PathBuf>,
    /// Held while the object is written: the last word is the last.
    writing: Mutex<()>,
}

struct Inner {
    beat: Heartbeat,
    /// When months were made, the last ones: those that fail or are unchanged say nothing of the rate.
    made: VecDeque<Instant>,
    /// When the months before these were made, or the run began.
    since: Instant,
    /// Whether there is anything to tell: a run over unchanged months writes nothing.
    worked: bool,
    changed: bool,
}

/// Name of this machine.
pub fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

/// Key of a run's heartbeat.
pub fn key(run: &str) -> String {
    format!("{FOLDER}/{run}.json")
}

/// Every heartbeat of a store, the latest run first; what cannot be read is left out.
///
/// # Errors
/// [`StoreError`], when there is no listing.
pub fn all(store: &Store) -> Result<Vec<Heartbeat>, StoreError> {
    let mut beats: Vec<Heartbeat> = Vec::new();
    for object in store.list(FOLDER, None)? {
        if !is_heartbeat(&object.key) {
            continue;
        }
        match store.read(&object.key) {
            Ok(Some((bytes, _))) => match serde_json::from_slice(&bytes) {
                Ok(beat) => beats.push(beat),
                Err(error) => tracing::debug!("{}: no heartbeat: {error}", object.key),
            },
            Ok(None) => {}
            Err(error) => tracing::debug!("{}: {}", object.key, exit::sentence(&error.into())),
        }
    }
    beats.sort_by_key(|beat| std::cmp::Reverse(beat.began));
    Ok(beats)
}

/// Whether a key is that of a heartbeat.
pub fn is_heartbeat(key: &str) -> bool {
    let name = key.strip_prefix(FOLDER).and_then(|name| name.strip_prefix("/run-"));
    name.is_some_and(|name| name.ends_with(".json"))
}

impl Pulse {
    /// Begins to tell of a run over these months; also into a file of metrics, if one is given.
    pub fn begin(
        store: &Store,
        months: &[Month],
        traffic: &Arc<Traffic>,
        temporary: PathBuf,
        metrics: Option<PathBuf>,
    ) -> Option<Self> {
        let (first, last) = (*months.first()?, *months.last()?);
        let shared = Arc::new(Shared {
            state: Mutex::new(Inner {
                beat: Heartbeat::new(first, last, months.len()),
                made: VecDeque::new(),
                since: Instant::now(),
                worked: false,
                changed: false,
            }),
            changed: Condvar::new(),
            store: store.clone(),
            temporary,
            traffic: Arc::clone(traffic),
            metrics,
            writing: Mutex::default(),
        });
        let (sender, ended) = mpsc::channel();
        let (beating, stopping) = (Arc::clone(&shared), Arc::clone(&shared));
        thread::spawn(move || {
            beating.beat();
            let _ = sender.send(());
        });
        let _interrupt = interrupt::on_exit(move || {
            stopping.over(State::Interrupted);
            stopping.write();
        });
        Some(Self { shared, ended: Mutex::new(ended), _interrupt })
    }

    /// A month begins a stage.
    pub fn stage(&self, month: Month, stage: &str) {
        self.change(|inner| {
            let now = Timestamp::now();
            inner.worked |= stage == "decode";
            match inner.beat.running.iter_mut().find(|running| running.month == month) {
                Some(running) => (running.stage, running.since) = (stage.to_owned(), now),
                None => inner.beat.running.push(Running { month, stage: stage.to_owned(), since: now, began: now }),
            }
        });
    }

    /// A month is finished: made, or found unchanged.
    pub fn done(&self, month: Month, made: bool) {
        self.change(|inner| {
            inner.finished(month, made);
            inner.beat.done += 1;
            inner.beat.failed_in_a_row = 0;
        });
    }

    /// A month has failed.
    pub fn failed(&self, month: Month, error: &str) {
        self.change(|inner| {
            inner.finished(month, false);
            inner.worked = true;
            inner.beat.failed += 1;
            inner.beat.failed_in_a_row += 1;
            inner.beat.last_error = Some(LastError { month, error: error.to_owned(), when: Timestamp::now() });
        });
    }

    /// The run is over; waits a moment for this to be written.
    pub fn end(self, stopped: bool) {
        self.shared.over(if stopped { State::Stopped } else { State::Ended });
        self.shared.changed.notify_all();
        let ended = self.ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        if ended.recv_timeout(PATIENCE).is_err() {
            tracing::debug!("the end of the run is not in its heartbeat: the store did not take it in time");
        }
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.shared.lock();
        change(&mut inner);
        inner.beat.progress = Timestamp::now();
        inner.changed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn over(&self, state: State) {
        let mut inner = self.lock();
        inner.beat.state = state;
        inner.beat.running.clear();
        inner.beat.seconds_left = None;
    }

    /// Until the run has ended.
    fn beat(&self) {
        let mut written: Option<Instant> = None;
        let (mut highest, mut looked) = (memory::held(), Instant::now());
        loop {
            let mut inner = self.lock();
            let over = loop {
                if inner.beat.state != State::Running {
                    break true;
                }
                let wait = PULSE.saturating_sub(looked.elapsed());
                if wait.is_zero() {
                    break false;
                }
                inner = self.changed.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner).0;
                if inner.changed && written.is_none_or(|written| written.elapsed() >= PULSE) {
                    break false;
                }
            };
            highest = highest.max(memory::held());
            looked = Instant::now();
            // Whatever takes long is worth telling of.
            inner.worked |= inner.since.elapsed() >= RENEWAL;
            let due = over || inner.changed || written.is_none_or(|written| written.elapsed() >= RENEWAL);
            let early = written.is_some_and(|written| written.elapsed() < PULSE);
            if inner.worked && due && (over || !early) {
                inner.beat.memory_bytes = highest;
                inner.changed = false;
                drop(inner);
                // In a directory a signal waits for a write, which is short; there it must not begin behind the last word.
                if self.store.is_remote() {
                    self.write()
                } else {
                    interrupt::whole(|| self.write())
                }
                (written, highest) = (Some(Instant::now()), memory::held());
            }
            if over {
                return;
            }
        }
    }

    fn write(&self) {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let beat = {
            let mut inner = self.lock();
            if !inner.worked {
                return;
            }
            inner.reckon();
            let beat = &mut inner.beat;
            beat.renewed = Timestamp::now();
            beat.retries = self.traffic.retries();
            beat.peak_memory_bytes = memory::peak();
            beat.free_bytes = crate::doctor::free(&self.temporary).ok();
            beat.clone()
        };
        let put = || -> anyhow::Result<()> {
            self.store.put(&key(&beat.run), serde_json::to_vec_pretty(&beat)?.into())?;
            Ok(())
        };
        if let Err(error) = put() {
            tracing::debug!("{}: the heartbeat is not written: {}", beat.run, exit::sentence(&error));
        }
        if let Some(path) = &self.metrics
            && let Err(error) = metrics::write(path, &metrics::of_run(&beat))
        {
            tracing::debug!("{}: the metrics are not written: {error}", path.display());
        }
    }
}

impl Inner {
    fn finished(&mut self, month: Month, made: bool) {
        let running = &mut self.beat.running;
        let Some(position) = running.iter().position(|running| running.month == month) else { return };
        let took = Timestamp::now().duration_since(running.remove(position).began).as_secs_f64();
        if !made {
            return;
        }
        self.made.push_back(Instant::now());
        if self.made.len() > RECENT {
            self.since = self.made.pop_front().unwrap_or(self.since);
        }
        if self.beat.slowest.is_none_or(|slowest| slowest.seconds < took) {
            self.beat.slowest = Some(Slowest { month, seconds: took });
        }
    }

    /// The recent rate, and what is left at it.
    fn reckon(&mut self) {
        if let Some(last) = self.made.back() {
            // Also the time since the last one: a run that hangs slows down.
            let mean = last.duration_since(self.since).as_secs_f64() / self.made.len() as f64;
            let since = last.elapsed().as_secs_f64();
            let mean = mean.max((mean * self.made.len() as f64 + since) / (self.made.len() + 1) as f64).max(1e-3);
            let left = self.beat.months.saturating_sub(self.beat.done + self.beat.failed);
            self.beat.months_per_hour = Some(3600.0 / mean);
            self.beat.seconds_left = (self.beat.state == State::Running).then_some(mean * left as f64);
        }
    }
}

impl Heartbeat {
    fn new(first: Month, last: Month, months: usize) -> Self {
        let now = Timestamp::now();
        let host = host();
        let pid = std::process::id();
        let safe: String = host.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        Self {
            schema_version: SCHEMA_VERSION,
            run: format!("run-{}-{safe}-{pid}", now.strftime("%Y%m%dT%H%M%SZ")),
            host,
            pid,
            version: env!("CARGO_PKG_VERSION").into(),
            first,
            last,
            began: now,
            renewed: now,
            progress: now,
            state: State::Running,
            months,
            done: 0,
            failed: 0,
            failed_in_a_row: 0,
            running: Vec::new(),
            months_per_hour: None,
            seconds_left: None,
            slowest: None,
            retries: 0,
            memory_bytes: None,
            peak_memory_bytes: None,
            free_bytes: None,
            last_error: None,
        }
    }
}
