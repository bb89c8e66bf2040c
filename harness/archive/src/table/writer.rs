//! Writes to the log what the manifests say: month by month, each publication that the log has not, in order.

mod whole;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use data::Month;
use jiff::Timestamp;
use serde::Serialize;

use self::whole::Whole;
use super::{
    action::{Action, Add, Author, Commit, Done, MetaData, PROTOCOL, Remove},
    checkpoint,
    columns::{Columns, MONTH},
    error::TableError,
    gate::Gate,
    known::Known,
    log::{CHECKPOINTS, Log, Place, checkpoint_key, commit_key, last_checkpoint, last_checkpoint_key, path_of},
    snapshot::{Snapshot, logged},
};
use crate::{
    footer,
    holdings::Holdings,
    manifest::{Item, Publication, Removed},
    publish::New,
    store::{Store, StoreError},
    sweep::GRACE,
};

/// So often a commit whose number another took is made again.
const TRIES: u32 = 100;

/// What became of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There was none.
    Made,
    /// It says what the manifests say, and did not before.
    Mended,
    /// It did so before.
    Unchanged,
    /// There is nothing that could be in a table.
    Empty,
}

/// What making the log say what the manifests do came to.
#[derive(Clone, Debug, Serialize)]
pub struct Synced {
    /// What became of it.
    pub outcome: Outcome,
    /// Version of the table; none where there is no table.
    pub version: Option<u64>,
    /// Commits that were written.
    pub commits: u64,
    /// Months in the table.
    pub months: usize,
}

/// A writer of the log, with what it knows of it.
pub struct Writer {
    store: Store,
    author: Author,
    gate: Arc<Gate>,
    log: Option<Log>,
    /// What a log begins with, where there is none yet.
    prepared: Option<Whole>,
    /// Columns of files, by what they were made from or by their keys.
    columns: BTreeMap<String, Columns>,
    commits: u64,
}

/// Whether a commit was made, or its number taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    Made,
    Taken,
}

impl Writer {
    /// A writer that knows nothing yet.
    pub fn new(store: &Store, author: Author) -> Self {
        Self::through(store, author, Arc::default())
    }

    pub(super) fn through(store: &Store, author: Author, gate: Arc<Gate>) -> Self {
        Self { store: store.clone(), author, gate, log: None, prepared: None, columns: BTreeMap::new(), commits: 0 }
    }

    pub(super) fn place(&self) -> Place<'_> {
        Place { store: &self.store, gate: &self.gate }
    }

    /// Reads the log, unless it is known.
    ///
    /// # Errors
    /// The store failed.
    pub fn look(&mut self) -> Result<&Log, TableError> {
        if self.log.is_none() {
            self.log = Some(Log::read(self.place())?);
        }
        // Just read.
        Ok(self.log.get_or_insert_default())
    }

    /// Does beforehand what can be, so that logging the next publication of a month takes one request: reads the log, or
    /// what is to be in it where there is none, logs what is missing of the month, and writes a checkpoint that is due.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn prepare(&mut self, month: Month) -> Result<(), TableError> {
        let log = self.look()?;
        if !log.faults.is_empty() {
            return Ok(());
        }
        if log.absent {
            if self.prepared.is_none() {
                self.prepared = Some(Whole::of(self)?);
            }
            return Ok(());
        }
        if log.is_due() {
            self.checkpoint()?;
        }
        let known = self.record(month)?;
        self.compare(known)
    }

    /// What was prepared for the first commit.
    pub(super) fn take_prepared(&mut self) -> Option<Whole> {
        self.prepared.take()
    }

    /// Logs that a month was published.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn published(&mut self, New { manifest, footer }: New) -> Result<(), TableError> {
        // Its footer has been read: it need not be again.
        if let Some(columns) = footer.and_then(|footer| Columns::of(&footer).ok()) {
            self.columns.insert(manifest.current.data.key.clone(), columns);
        }
        self.follow(Known::Published(manifest))
    }

    /// Logs that a month was taken out.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn removed(&mut self, removed: Removed) -> Result<(), TableError> {
        self.follow(Known::Removed(Box::new(removed)))
    }

    /// Logs what a month's record says. It is read again where the log knows more than the record that is `given`.
    ///
    /// # Errors
    /// [`TableError`].
    fn follow(&mut self, given: Known) -> Result<(), TableError> {
        let month = given.month();
        let mut given = Some(given);
        for _ in 0..TRIES {
            let log = self.look()?;
            if let Some(fault) = log.faults.first() {
                return Err(fault.refused());
            }
            if log.absent {
                match whole::begin(self, given.take())? {
                    Some(Put::Taken) => self.forget(),
                    Some(Put::Made) | None => return Ok(()),
                }
                continue;
            }
            let known = match given.take().filter(|known| Some(&known.generation()) > self.generation(month).as_ref()) {
                Some(known) => known,
                None => self.record(month)?,
            };
            if self.catch_up(&known)? == Put::Made {
                return Ok(());
            }
            let Some(mut log) = self.log.take() else { continue };
            log.advance(self.place())?;
            self.log = Some(log);
        }
        Err(TableError::Busy)
    }

    /// Logs what a month's manifest says, if the log says anything else.
    pub(super) fn compare(&mut self, given: Known) -> Result<(), TableError> {
        let log = self.look()?;
        let path = given.current().and_then(|current| path_of(&current.data?.key).map(str::to_owned));
        let there: Vec<&Add> = log.snapshot.of_month(given.month()).collect();
        let same = match (&path, &there[..]) {
            (None, []) => true,
            (Some(path), [add]) => add.path == *path,
            _ => false,
        };
        if same && !(log.absent && path.is_some()) { Ok(()) } else { self.follow(given) }
    }

    /// The log is read again before anything is written.
    pub(super) fn forget(&mut self) {
        self.log = None;
    }

    pub(super) fn known_log(&self) -> Option<&Log> {
        self.log.as_ref()
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits
    }

    fn generation(&self, month: Month) -> Option<u64> {
        self.log.as_ref()?.snapshot.generations.get(&month).copied()
    }

    /// What the manifests say of a month now.
    pub(super) fn record(&self, month: Month) -> Result<Known, TableError> {
        match self.gate.pass(|| Known::read(&self.store, month))? {
            // Who publishes a month that was taken out deletes the one record after it wrote the other: both may be missed.
            Known::Nothing(_) => self.gate.pass(|| Known::read(&self.store, month)),
            known => Ok(known),
        }
    }

    /// All months that the store knows, or the log.
    pub(super) fn months(&self) -> Result<BTreeSet<Month>, TableError> {
        let holdings = self.gate.pass(|| Holdings::of(&self.store))?;
        let held = holdings.months.into_iter().filter(|(_, held)| held.published || held.removed);
        let mut months: BTreeSet<Month> = held.map(|(month, _)| month).collect();
        months.extend(self.log.iter().flat_map(|log| log.snapshot.generations.keys().copied()));
        Ok(months)
    }

    /// Commits what the log has not of a month, each publication for itself.
    fn catch_up(&mut self, known: &Known) -> Result<Put, TableError> {
        let month = known.month();
        let logged = self.generation(month).unwrap_or(0);
        // A month whose record went with its history, and that began anew, counts from 1 again.
        let after = if known.generation() < logged { 0 } else { logged };
        for publication in known.after(after) {
            match self.publication(month, &publication) {
                Ok(Put::Taken) => return Ok(Put::Taken),
                // Nobody can read it any more. If it should be there still, what follows says so.
                Err(TableError::Store(error)) if error.is_of_object() => {}
                done => _ = done?,
            }
        }
        let is: Vec<String> = self.snapshot().of_month(month).map(|add| add.path.clone()).collect();
        let current = known.current();
        let path = current.as_ref().and_then(|current| path_of(&current.data.as_ref()?.key));
        match (current.as_ref(), path) {
            (Some(_), Some(path)) if is.iter().map(String::as_str).eq([path]) => Ok(Put::Made),
            // What cannot be in the table is left out each time anew.
            (Some(current), Some(_)) => match self.columns_of(current)? {
                Ok(_) => self.publication(month, current),
                Err(_) if is.is_empty() => Ok(Put::Made),
                Err(_) => self.nothing(month, known.generation()),
            },
            _ if is.is_empty() => Ok(Put::Made),
            _ => self.nothing(month, known.generation()),
        }
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        static NONE: std::sync::LazyLock<Snapshot> = std::sync::LazyLock::new(Snapshot::default);
        self.log.as_ref().map_or(&NONE, |log| &log.snapshot)
    }

    /// Commits that a month has no file any more.
    fn nothing(&mut self, month: Month, generation: u64) -> Result<Put, TableError> {
        let now = Timestamp::now().as_millisecond();
        let mut actions = self.removes(month, None, now);
        actions.push(logged(month, generation, now));
        self.commit(actions, Done { operation: "REMOVE", parameters: &parameters(month, generation) })
    }

    /// Commits a publication or a removal.
    fn publication(&mut self, month: Month, publication: &Publication) -> Result<Put, TableError> {
        let generation = publication.generation;
        let there = self.snapshot().of_month(month).next().is_some();
        let Some(item) = &publication.data else {
            return if there { self.nothing(month, generation) } else { Ok(Put::Made) };
        };
        let columns = match self.columns_of(publication)? {
            Ok(columns) => columns,
            Err(_) if there => return self.nothing(month, generation),
            Err(_) => return Ok(Put::Made),
        };
        let now = Timestamp::now().as_millisecond();
        let Some(add) = add(month, item, publication) else { return Ok(Put::Made) };
        let mut actions = self.removes(month, Some(&add.path), now);
        actions.extend(columns);
        actions.push(logged(month, generation, now));
        actions.push(Action::Add(add));
        self.commit(actions, Done { operation: "PUBLISH", parameters: &parameters(month, generation) })
    }

    /// What a file's columns make of those of the table: other metadata, none, or why it cannot be in it.
    fn columns_of(&mut self, publication: &Publication) -> Result<Result<Option<Action>, String>, TableError> {
        let Some(item) = &publication.data else { return Ok(Ok(None)) };
        let columns = match self.read_columns(item, &item.key)? {
            Ok(columns) => columns,
            Err(why) => return Ok(Err(why)),
        };
        let snapshot = self.snapshot();
        let table = snapshot.columns().unwrap_or_else(|| columns.clone());
        // Nobody is told of other columns where there are no rows.
        let others = snapshot.files.values().any(|add| path_of(&item.key) != Some(&add.path));
        let all = match table.with(&columns) {
            Ok(all) => all,
            Err(_) if !others => columns,
            Err(why) => return Ok(Err(why)),
        };
        if Some(&all) == snapshot.columns().as_ref() {
            return Ok(Ok(None));
        }
        Ok(Ok(Some(self.metadata(&all)?)))
    }

    /// The columns of a file, or why it cannot be in a table; what is known by this name is not read again.
    pub(super) fn read_columns(&mut self, item: &Item, name: &str) -> Result<Result<Columns, String>, TableError> {
        if let Some(columns) = self.columns.get(name) {
            return Ok(Ok(columns.clone()));
        }
        let footer = self.gate.pass(|| -> Result<_, StoreError> { footer::read(&self.store, item) })?;
        let columns = Columns::of(&footer);
        if let Ok(columns) = &columns {
            self.columns.insert(name.to_owned(), columns.clone());
        }
        Ok(columns)
    }

    /// What the table is, with these columns.
    pub(super) fn metadata(&self, columns: &Columns) -> Result<Action, TableError> {
        let schema_string = columns.json().map_err(|error| TableError::Unwritable(error.to_string()))?;
        let known = self.log.as_ref().and_then(|log| log.snapshot.metadata.clone());
        let new = || MetaData {
            id: uuid(),
            format: super::action::Format { provider: "parquet".into(), options: BTreeMap::new() },
            schema_string: String::new(),
            partition_columns: Vec::new(),
            configuration: BTreeMap::new(),
            created_time: Some(Timestamp::now().as_millisecond()),
        };
        let partition_columns = vec![MONTH.to_owned()];
        let configuration = BTreeMap::new();
        let metadata = known.unwrap_or_else(new);
        Ok(Action::MetaData(MetaData { schema_string, partition_columns, configuration, ..metadata }))
    }

    /// Takes the files of a month out, but that of a path.
    fn removes(&self, month: Month, but: Option<&str>, now: i64) -> Vec<Action> {
        let there = self.snapshot().of_month(month).filter(|add| Some(&*add.path) != but);
        there.map(|add| Action::Remove(removal(add, now))).collect()
    }

    /// Writes the next commit, and a checkpoint when it is time for one.
    pub(super) fn commit(&mut self, actions: Vec<Action>, done: Done<'_>) -> Result<Put, TableError> {
        let version = match &self.log {
            Some(log) if !log.absent => log.snapshot.version + 1,
            _ => 0,
        };
        let now = Timestamp::now().as_millisecond();
        let bytes = Commit::bytes(&actions, &self.author, done, now);
        let bytes = bytes.map_err(|error| TableError::Unwritable(error.to_string()))?;
        let key = commit_key(version);
        if !self.gate.pass(|| self.store.put_once(&key, bytes.into()))? {
            return Ok(Put::Taken);
        }
        self.commits += 1;
        let log = self.log.get_or_insert_default();
        log.absent = false;
        log.snapshot.version = version;
        actions.into_iter().for_each(|action| log.snapshot.apply(action));
        if version > 0 && version.is_multiple_of(CHECKPOINTS) {
            // The commit stands without it, and who publishes next makes it.
            if let Err(error) = self.checkpoint() {
                tracing::debug!("no checkpoint of the table at version {version}: {error}");
            }
        }
        Ok(Put::Made)
    }

    /// Writes a checkpoint of the table as it is.
    pub(super) fn checkpoint(&mut self) -> Result<(), TableError> {
        let snapshot = self.snapshot();
        let now = Timestamp::now().as_millisecond();
        let since = now - i64::try_from(GRACE.as_millis()).unwrap_or(i64::MAX);
        let actions = snapshot.actions(since, now);
        let bytes = checkpoint::write(&actions).map_err(TableError::Unwritable)?;
        let (key, pointer) = (checkpoint_key(snapshot.version), last_checkpoint(snapshot.version, actions.len()));
        self.gate.pass(|| self.store.put_once(&key, bytes))?;
        let version = snapshot.version;
        self.gate.pass(|| self.store.put(&last_checkpoint_key(), pointer))?;
        self.log.iter_mut().for_each(|log| log.checkpoint = Some(version));
        Ok(())
    }
}

/// A published file as the log has it.
pub(super) fn add(month: Month, item: &Item, publication: &Publication) -> Option<Add> {
    let values = BTreeMap::from([(MONTH.to_owned(), Some(month.to_string()))]);
    Some(Add {
        path: path_of(&item.key)?.to_owned(),
        partition_values: values,
        size: item.bytes,
        modification_time: publication.published.as_millisecond(),
        data_change: true,
        stats: Some(format!(r#"{{"numRecords":{}}}"#, publication.rows)),
    })
}

/// A file that belonged to the table.
pub(super) fn removal(add: &Add, now: i64) -> Remove {
    Remove {
        path: add.path.clone(),
        deletion_timestamp: Some(now),
        data_change: true,
        extended_file_metadata: Some(true),
        partition_values: Some(add.partition_values.clone()),
        size: Some(add.size),
    }
}

fn parameters(month: Month, generation: u64) -> [(&'static str, String); 2] {
    [("month", month.to_string()), ("generation", generation.to_string())]
}

/// What a new log begins with.
pub(super) fn protocol() -> Action {
    Action::Protocol(PROTOCOL)
}

fn uuid() -> String {
    let bits = fastrand::u128(..) & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let text = format!("{bits:032x}");
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| text.get(range).unwrap_or_default()).join("-")
}
