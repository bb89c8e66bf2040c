//! The publishing protocol: data, statistics, read back, then the manifest by a conditional put as the only commit. It is
//! the same whether a version has just been made, comes from a backup, or from the history.
//!
//! Until the manifest is written nobody sees anything, so an interruption at any point leaves the month as it was.
//! Versions that are replaced are copied to the history before the commit, and stay where they were for who reads them.
//!
//! Every object is made under a name of its own, that of an [`Attempt`] at the manifest's next generation, and only that
//! attempt names it. So two workers have no key in common, whatever the one does that stood still while the other came:
//! its commit finds another manifest than it had read, and it deletes nothing but its own. Who has the right to a month
//! ([`Exclusive`]) only saves others the work, and deletes what can no longer be committed (`sweep.rs`).

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use base::interrupt;
use bytes::Bytes;
use data::{Month, labels::Labels, training_file};
use jiff::Timestamp;
use parquet::file::metadata::ParquetMetaData;

use super::{
    footer,
    manifest::{self, Item, MadeFrom, Manifest, ManifestError, RawState, SCHEMA_VERSION, State, Version},
    naming::{self, Attempt},
    publications,
    store::{Exclusive, Store, StoreError, Tag},
    sweep::{self, Strays},
};

/// A version that is to become a month's current one: just made, restored, or of the history.
pub struct Draft<'a> {
    /// The month.
    pub month: Month,
    /// Its Parquet; the checksum is the version.
    pub data: Part<'a>,
    /// Its statistics.
    pub statistics: Part<'a>,
    /// Rows of the Parquet.
    pub rows: u64,
    /// What it was made from.
    pub made_from: MadeFrom,
    /// The raw files as they were found.
    pub raw: Vec<RawState>,
    /// Quality score.
    pub score: f64,
    /// Whether `run` is to leave the month as it is then.
    pub pinned: bool,
    /// Earlier versions that are known of where the store knows of none; those that are there and intact stay.
    pub earlier: &'a [Version],
}

/// An object of a draft.
pub struct Part<'a> {
    /// Where it is taken from.
    pub origin: Origin<'a>,
    /// Size.
    pub bytes: u64,
    /// XXH3-64.
    pub checksum: String,
}

/// Where an object is taken from.
pub enum Origin<'a> {
    /// A durable file.
    File(&'a Path),
    /// Memory.
    Bytes(Bytes),
    /// Made when it is its turn: statistics say what publishing took until then.
    Later(&'a dyn Fn() -> serde_json::Result<Vec<u8>>),
    /// Another object of the store.
    Object(&'a str),
}

impl<'a> Part<'a> {
    /// An object in memory.
    pub fn of_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let checksum = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&bytes));
        Self { bytes: bytes.len() as u64, checksum, origin: Origin::Bytes(bytes) }
    }

    /// An object that is made when it is its turn.
    pub fn later(make: &'a dyn Fn() -> serde_json::Result<Vec<u8>>) -> Self {
        Self { origin: Origin::Later(make), bytes: 0, checksum: String::new() }
    }

    /// What a manifest names, taken from `origin`.
    pub fn of_item(item: &Item, origin: Origin<'a>) -> Self {
        Self { origin, bytes: item.bytes, checksum: item.checksum.clone() }
    }
}

/// What publishing came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Published {
    /// This version is now the current one.
    New(New),
    /// This version was the current one already; nothing was uploaded.
    Unchanged,
    /// Another worker published the month meanwhile; nothing of ours is left.
    ByAnother,
}

/// What was committed.
#[derive(Clone, Debug, PartialEq)]
pub struct New {
    /// The month's manifest.
    pub manifest: Box<Manifest>,
    /// The footer of its Parquet, unless the answer to the commit was lost.
    pub footer: Option<Box<ParquetMetaData>>,
}

/// Publishes a month over what `found` says is there, unless that has changed since it was read.
///
/// # Errors
/// [`ManifestError`], with the month as it was.
pub fn publish(store: &Store, draft: &Draft<'_>, found: Option<(Manifest, Tag)>) -> Result<Published, ManifestError> {
    let month = draft.month;
    let right = store.exclusive(&month.to_string())?;
    let now = store.time(&right)?;
    let before = State::read(store, month)?;
    let tag = |read: &Option<(Manifest, Tag)>| read.as_ref().map(|(_, tag)| tag.clone());
    if tag(&before.manifest) != tag(&found) {
        return Ok(Published::ByAnother);
    }
    if let Some((manifest, _)) = &before.manifest
        && (&manifest.current.version, manifest.pinned) == (&draft.data.checksum, draft.pinned)
        && check(store, &manifest.current).is_ok()
    {
        sweep::sweep(store, month, &right)?;
        return Ok(Published::Unchanged);
    }
    let strays = Strays::of(store, month, &before, false)?;
    let stood = match before.key().filter(|_| !strays.past.is_empty()) {
        Some(key) => sweep::stood(store, now, &key)?,
        None => None,
    };
    let made = Made::new(store, month, &before);
    let _interrupt = interrupt::on_exit({
        let made = Arc::clone(&made);
        move || _ = made.withdraw()
    });
    let new = match place_and_commit(store, draft, &before, &made, &right) {
        Ok(new) => new,
        Err(error) => match made.withdraw() {
            // The answer to the commit was lost.
            Ok(State { manifest: Some((now, _)), .. }) if made.is_named_in(&now) => {
                New { manifest: Box::new(now), footer: None }
            }
            // Whatever failed, it failed because the month is no longer what it was.
            Ok(now) if tag(&now.manifest) != tag(&before.manifest) => return Ok(Published::ByAnother),
            // Also where nothing could be withdrawn: the first error is the one to tell.
            _ => return Err(error),
        },
    };
    strays.after_commit(store, &right, &before, stood)?;
    Ok(Published::New(new))
}

/// What an attempt has made: until it is committed, its own to remove.
pub struct Made {
    store: Store,
    month: Month,
    attempt: Attempt,
    /// The month had a manifest when it began.
    over_another: bool,
    keys: Mutex<Vec<String>>,
    /// The commit may be on its way.
    sent: AtomicBool,
}

impl Made {
    /// Nothing so far, for the generation after that of `before`.
    pub fn new(store: &Store, month: Month, before: &State) -> Arc<Self> {
        Self::after(store, month, before.generation(), before.manifest.is_some())
    }

    /// The same for the one after a generation.
    pub fn after(store: &Store, month: Month, generation: u64, over_another: bool) -> Arc<Self> {
        let (attempt, keys, sent) = (Attempt::after(generation), Mutex::default(), AtomicBool::new(false));
        Arc::new(Self { store: store.clone(), month, attempt, over_another, keys, sent })
    }

    /// The generation that is to be committed.
    pub fn generation(&self) -> u64 {
        self.attempt.generation
    }

    /// Says that the commit is sent now.
    pub fn commits(&self) {
        self.sent.store(true, Ordering::SeqCst);
    }

    fn add(&self, key: &str) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push(key.to_owned());
    }

    fn is_named_in(&self, manifest: &Manifest) -> bool {
        self.is_among(manifest.versions())
    }

    fn is_among<'a>(&self, mut versions: impl Iterator<Item = &'a Version>) -> bool {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        versions.any(|version| version.items().iter().any(|item| keys.contains(&item.key)))
    }

    /// Removes what was made, if it is not named and can no longer be; returns the month as it is. In a directory a commit
    /// was carried out or was not; in a bucket it may be under way until the manifest is another.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn withdraw(&self) -> Result<State, ManifestError> {
        let (store, month) = (&self.store, self.month);
        let now = State::read(store, month)?;
        // Another was committed for this generation; of a later one, this may have been, and be read by someone.
        let lost = self.over_another && now.manifest.is_some() && now.generation() == self.attempt.generation;
        let settled = lost || !store.is_remote() || !self.sent.load(Ordering::SeqCst);
        if !settled || self.is_among(now.versions()) {
            return Ok(now);
        }
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        keys.iter().try_for_each(|key| store.delete(key))?;
        if !store.is_remote() {
            // What there is of an upload that was cut short, and the record of a removal that was.
            let strays = Strays::of(store, month, &now, false)?;
            let begun = |key: &str| keys.iter().any(|whole| key.starts_with(&format!("{whole}#")));
            let begun = strays.begun.iter().filter(|object| begun(&object.key));
            begun.chain(strays.record()).try_for_each(|object| store.delete(&object.key))?;
        }
        Ok(now)
    }
}

/// Takes a manifest that cannot be read out of the way of a version that is to be restored.
///
/// # Errors
/// The store failed.
pub fn discard_damaged(store: &Store, month: Month) -> Result<(), StoreError> {
    let right = store.exclusive(&month.to_string())?;
    let key = manifest::key(month);
    match store.read(&key)? {
        Some((json, tag)) if manifest::parse(month, &json).is_err() => store.delete_held(&right, &key, &tag),
        _ => Ok(()),
    }
}

fn place_and_commit(
    store: &Store,
    draft: &Draft<'_>,
    before: &State,
    made: &Made,
    right: &Exclusive,
) -> Result<New, ManifestError> {
    let (month, version) = (draft.month, &draft.data.checksum);
    let now = before.manifest.as_ref();
    let [data, statistics] = naming::keys(&manifest::folder(month), month, version, made.attempt);
    // What of this version is there and intact stays as it is.
    let standing = now.map(|(manifest, _)| &manifest.current).filter(|current| current.version == *version);
    let (data, tail) = place(store, &draft.data, data, standing.map(|standing| &standing.data), made)?;
    let labels = Labels::of_settings(&draft.made_from.settings).unwrap_or_default();
    let footer = footer::check(store, &data, tail, (draft.rows, training_file::columns(&labels.specification)))?;
    let (statistics, _) =
        place(store, &draft.statistics, statistics, standing.map(|standing| &standing.statistics), made)?;
    let score = standing.filter(|standing| standing.statistics == statistics).map_or(draft.score, |same| same.score);
    let current = Version {
        version: version.clone(),
        data,
        statistics,
        rows: draft.rows,
        made_from: draft.made_from.clone(),
        raw: draft.raw.clone(),
        score,
        published: Timestamp::now(),
    };
    let history = history(store, draft, before, made)?;
    let earlier = match (now, &before.removed) {
        (Some((manifest, _)), _) => publications::of_manifest(manifest),
        (None, Some((removed, _))) => publications::of_removed(removed),
        (None, None) => Vec::new(),
    };
    let before = publications::kept(earlier, &current.data.key, current.published);
    let (generation, pinned) = (made.generation(), draft.pinned);
    let manifest = Manifest { schema_version: SCHEMA_VERSION, month, generation, current, pinned, history, before };
    let key = manifest::key(month);
    let json = manifest::json(&key, &manifest)?;
    made.commits();
    store.put_if(right, &key, json, now.map(|(_, tag)| tag))?;
    Ok(New { manifest: Box::new(manifest), footer: Some(Box::new(footer)) })
}

/// Makes an object under a new name and reads it back, unless it stands there already; returns its last part as well.
fn place(
    store: &Store,
    part: &Part<'_>,
    key: String,
    standing: Option<&Item>,
    made: &Made,
) -> Result<(Item, Bytes), ManifestError> {
    if let Some((item, tail)) = standing.and_then(|item| Some((item, verify(store, item).ok()?))) {
        return Ok((item.clone(), tail));
    }
    let item = Item { key, bytes: part.bytes, checksum: part.checksum.clone() };
    made.add(&item.key);
    match &part.origin {
        Origin::File(path) => store.upload_new(path, &item.key)?,
        Origin::Bytes(bytes) => store.create_object(&item.key, bytes.clone())?,
        Origin::Later(make) => {
            let json = make().map_err(ManifestError::Statistics)?;
            return place(store, &Part::of_bytes(json), item.key, None, made);
        }
        Origin::Object(from) => store.copy(from, &item.key)?,
    }
    let tail = verify(store, &item)?;
    Ok((item, tail))
}

/// Whether both objects of a version are there with their sizes: a look, no reading.
///
/// # Errors
/// The store failed.
pub fn present(store: &Store, version: &Version) -> Result<bool, StoreError> {
    let there = |item: &Item| Ok(store.size(&item.key)? == Some(item.bytes));
    Ok(there(&version.data)? && there(&version.statistics)?)
}

/// The history after a draft has become current; what it replaces is copied there first, if it is still intact. A month
/// that was removed brings its own.
fn history(store: &Store, draft: &Draft<'_>, before: &State, made: &Made) -> Result<Vec<Version>, ManifestError> {
    let (month, version) = (draft.month, &draft.data.checksum);
    let Some((manifest, _)) = &before.manifest else {
        let mut older = match &before.removed {
            Some((removed, _)) => removed.history.clone(),
            None => intact(store, draft.earlier)?,
        };
        older.retain(|old| old.version != *version);
        return Ok(older);
    };
    let older = manifest.history.iter().filter(|old| old.version != *version).cloned();
    let replaced = &manifest.current;
    if replaced.version == *version {
        return Ok(older.collect());
    }
    if intact(store, std::slice::from_ref(replaced))?.is_empty() {
        tracing::warn!("{month}: version {} is damaged and is not kept in the history", replaced.version);
        return Ok(older.collect());
    }
    let kept = keep(store, replaced, made)?;
    Ok([kept].into_iter().chain(older).collect())
}

/// Those versions that read back as they were written.
fn intact(store: &Store, versions: &[Version]) -> Result<Vec<Version>, StoreError> {
    let mut intact = Vec::new();
    for version in versions {
        match check(store, version) {
            Ok(()) => intact.push(version.clone()),
            // An error of a disk is final.
            Err(error) if !store.is_remote() || error.is_of_object() => {}
            // It says nothing of the object.
            Err(error) => return Err(error),
        }
    }
    Ok(intact)
}

/// Copies the current version of a month to the history.
///
/// # Errors
/// The store failed, or what was copied does not read back.
pub fn keep(store: &Store, current: &Version, made: &Made) -> Result<Version, ManifestError> {
    let month = made.month;
    let [data, statistics] = naming::keys(&manifest::history_folder(month), month, &current.version, made.attempt);
    let copy = |item: &Item, key| place(store, &Part::of_item(item, Origin::Object(&item.key)), key, None, made);
    Ok(Version {
        data: copy(&current.data, data)?.0,
        statistics: copy(&current.statistics, statistics)?.0,
        ..current.clone()
    })
}

/// Returns the object's last part.
fn verify(store: &Store, item: &Item) -> Result<Bytes, StoreError> {
    store.verify(&item.key, item.bytes, &item.checksum)
}

/// Reads both objects of a version back.
///
/// # Errors
/// The first that is not as it was written.
pub fn check(store: &Store, version: &Version) -> Result<(), StoreError> {
    version.items().into_iter().try_for_each(|item| verify(store, item).map(|_| ()))
}
