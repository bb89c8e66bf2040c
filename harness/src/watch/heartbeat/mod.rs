//! What a run tells of itself while it goes on: a small object in the store that any machine can read.

mod pulse;

use data::Month;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::pulse::{Pulse, RENEWAL};

use archive::{
    alive::Process,
    store::{Store, StoreError},
};
use base::exit;

use crate::reporter::Stage;

/// Folder of the heartbeats.
pub const FOLDER: &str = "processed-data/status";
/// Version of the object's layout.
const SCHEMA_VERSION: u32 = 1;

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
    /// The stage it is in.
    pub stage: Stage,
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
    /// The same, so that this machine can tell whether it has ended.
    #[serde(default)]
    pub process: Option<Process>,
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
    /// Peak memory since the previous heartbeat.
    pub memory_bytes: Option<u64>,
    /// Most memory held so far.
    pub peak_memory_bytes: Option<u64>,
    /// Room for temporary files.
    pub free_bytes: Option<u64>,
    /// The last error.
    pub last_error: Option<LastError>,
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
                Err(error) => tracing::debug!("{}: not a heartbeat: {error}", object.key),
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

impl Heartbeat {
    fn new(first: Month, last: Month, months: usize) -> Self {
        let now = Timestamp::now();
        let process = Process::this();
        let (host, pid) = (process.host.clone(), process.pid);
        let safe: String = host.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        Self {
            schema_version: SCHEMA_VERSION,
            run: format!("run-{}-{safe}-{pid}", now.strftime("%Y%m%dT%H%M%SZ")),
            host,
            pid,
            process: Some(process),
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
