//! The log as it is found: its objects, the table they say there is, and what is wrong with them.

use std::{collections::BTreeSet, ops::RangeInclusive};

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    LOG, ROOT,
    action::{Commit, PROTOCOL},
    checkpoint,
    columns::MONTH,
    error::TableError,
    gate::Gate,
    snapshot::{Snapshot, month_of},
};
use crate::store::Store;

/// A checkpoint is written with each commit whose number this divides.
pub const CHECKPOINTS: u64 = 10;

/// What can be wrong with an object of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// It must be there and is not.
    Missing,
    /// It was cut, or is no such object.
    Unreadable,
    /// Another program wrote it.
    Foreign,
}

/// An object that the log cannot be gone on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Its key.
    pub key: String,
    /// What is wrong.
    pub kind: FaultKind,
    /// In words.
    pub error: String,
}

impl Fault {
    fn new(key: String, kind: FaultKind, error: impl Into<String>) -> Self {
        Self { key, kind, error: error.into() }
    }

    /// As the error of who would write to it.
    pub fn refused(&self) -> TableError {
        TableError::Damaged { file: self.key.clone(), found: self.error.clone() }
    }
}

/// What was found of the log.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// There is none: not one object.
    pub absent: bool,
    /// The last checkpoint that can be read.
    pub checkpoint: Option<u64>,
    /// The table after the last commit; with faults, as far as it can be told.
    pub snapshot: Snapshot,
    /// What is wrong since the checkpoint that a reader begins at.
    pub faults: Vec<Fault>,
}

/// The store with a gate before each request.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The store.
    pub store: &'a Store,
    /// What requests pass.
    pub gate: &'a Gate,
}

impl Place<'_> {
    /// An object, if there is one.
    pub fn read(&self, key: &str) -> Result<Option<Bytes>, TableError> {
        Ok(self.gate.pass(|| self.store.read(key))?.map(|(bytes, _)| bytes))
    }
}

/// Key of a commit.
pub fn commit_key(version: u64) -> String {
    format!("{LOG}/{version:020}.json")
}

/// Key of a checkpoint.
pub fn checkpoint_key(version: u64) -> String {
    format!("{LOG}/{version:020}.checkpoint.parquet")
}

/// Key of what says which checkpoint is the last.
pub fn last_checkpoint_key() -> String {
    format!("{LOG}/_last_checkpoint")
}

/// What it says.
pub fn last_checkpoint(version: u64, actions: usize) -> Bytes {
    json!({"version": version, "size": actions}).to_string().into()
}

/// Path of a published file in the table, from its key. Keys of months have no sign that a URL would write otherwise.
pub fn path_of(key: &str) -> Option<&str> {
    key.strip_prefix(ROOT)?.strip_prefix('/')
}

/// Number of an object of the log with this ending.
fn number(key: &str, ending: &str) -> Option<u64> {
    let digits = key.strip_prefix(LOG)?.strip_prefix('/')?.strip_suffix(ending)?;
    (digits.len() == 20).then(|| digits.parse().ok())?
}

impl Log {
    /// Reads it.
    ///
    /// # Errors
    /// The store failed.
    pub fn read(place: Place<'_>) -> Result<Self, TableError> {
        let listed = place.gate.pass(|| place.store.list(LOG, None))?;
        let keys = || listed.iter().map(|object| object.key.as_str());
        let of = |ending: &str| -> BTreeSet<u64> { keys().filter_map(|key| number(key, ending)).collect() };
        let (commits, checkpoints) = (of(".json"), of(".checkpoint.parquet"));
        let mut log = Self::default();
        let newest = checkpoints.last().copied();
        let Some(tip) = commits.last().copied().max(newest) else {
            // A listing may lack what is new.
            log.absent = place.read(&commit_key(0))?.is_none();
            if !log.absent {
                log.take(place, 0..=0)?;
                log.advance(place)?;
            }
            return Ok(log);
        };
        let mut base = None;
        for &version in checkpoints.iter().rev() {
            let bytes = place.read(&checkpoint_key(version))?;
            match bytes.ok_or_else(|| "is not there".to_owned()).and_then(checkpoint::read) {
                Ok(actions) => {
                    let snapshot = &mut log.snapshot;
                    actions.into_iter().for_each(|action| snapshot.apply(action));
                    base = Some(version);
                    break;
                }
                Err(error) => log.faults.push(Fault::new(checkpoint_key(version), FaultKind::Unreadable, error)),
            }
        }
        log.checkpoint = base;
        log.snapshot.version = base.unwrap_or(0);
        let first = base.map_or(0, |version| version + 1);
        log.take(place, first..=tip)?;
        log.pointer(place, &checkpoints)?;
        log.advance(place)?;
        log.known(base);
        Ok(log)
    }

    /// Whether there are as many commits since the last checkpoint as there should be between two.
    pub fn is_due(&self) -> bool {
        !self.absent && self.snapshot.version >= self.checkpoint.unwrap_or(0) + CHECKPOINTS
    }

    /// Takes in commits that must be there.
    fn take(&mut self, place: Place<'_>, versions: RangeInclusive<u64>) -> Result<(), TableError> {
        for version in versions {
            match place.read(&commit_key(version))? {
                Some(bytes) => self.take_in(version, &bytes),
                None => self.faults.push(Fault::new(
                    commit_key(version),
                    FaultKind::Missing,
                    "is missing, and later ones are there",
                )),
            }
            self.snapshot.version = version;
        }
        Ok(())
    }

    /// Takes in what others have committed since.
    ///
    /// # Errors
    /// The store failed.
    pub fn advance(&mut self, place: Place<'_>) -> Result<(), TableError> {
        loop {
            let next = if self.absent { 0 } else { self.snapshot.version + 1 };
            let Some(bytes) = place.read(&commit_key(next))? else { return Ok(()) };
            self.absent = false;
            self.take_in(next, &bytes);
            self.snapshot.version = next;
        }
    }

    fn take_in(&mut self, version: u64, bytes: &[u8]) {
        match Commit::parse(bytes) {
            Ok(commit) => {
                if !commit.ours {
                    let error = "was written by another program";
                    self.faults.push(Fault::new(commit_key(version), FaultKind::Foreign, error));
                }
                commit.actions.into_iter().for_each(|action| self.snapshot.apply(action));
            }
            Err(error) => {
                let error = format!("is no whole commit: {error}");
                self.faults.push(Fault::new(commit_key(version), FaultKind::Unreadable, error));
            }
        }
    }

    /// Looks whether the table is one that this program would make, also where a checkpoint has made others' commits past.
    fn known(&mut self, base: Option<u64>) {
        let Snapshot { protocol, metadata, files, .. } = &self.snapshot;
        let ours = *protocol == Some(PROTOCOL)
            && metadata.as_ref().is_some_and(|metadata| metadata.partition_columns == [MONTH])
            && self.snapshot.columns().is_some()
            && files.values().all(|add| month_of(add).is_some());
        if !ours && self.faults.is_empty() {
            let key = base.map_or_else(|| commit_key(self.snapshot.version), checkpoint_key);
            let error = "says what this program does not: another protocol, columns or partitions";
            self.faults.push(Fault::new(key, FaultKind::Foreign, error));
        }
    }

    /// Looks whether what says where to begin names a checkpoint. Where it is missing, readers look for one themselves.
    fn pointer(&mut self, place: Place<'_>, checkpoints: &BTreeSet<u64>) -> Result<(), TableError> {
        let key = last_checkpoint_key();
        let Some(bytes) = place.read(&key)? else { return Ok(()) };
        let version = serde_json::from_slice::<Value>(&bytes).ok().and_then(|pointer| pointer["version"].as_u64());
        let (kind, error) = match version {
            Some(version) if checkpoints.contains(&version) => return Ok(()),
            // It may be newer than the listing.
            Some(version) if place.read(&checkpoint_key(version))?.is_some() => return Ok(()),
            Some(version) => (FaultKind::Missing, format!("names checkpoint {version}, which is not there")),
            None => (FaultKind::Unreadable, "names no checkpoint".to_owned()),
        };
        self.faults.push(Fault::new(key, kind, error));
        Ok(())
    }
}
