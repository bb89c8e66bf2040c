//! The publishing protocol: data, statistics, read back, then the manifest by a conditional put as the only commit. It is
//! the same whether a version has just been made, comes from a backup, or from the history.
//!
//! Until the manifest is written nobody sees anything, so an interruption at any point leaves the month as it was.
//! Versions that are replaced are copied to the history before the commit and removed from the month's folder after it.
//!
//! Who publishes a month has the right to it ([`Exclusive`]) from before the first upload until after the last removal.
//! So two workers cannot write different statistics under one name, the second sees a manifest that is not the one it
//! read and has nothing to remove, and whatever else lies in the month's folder belongs to a worker that is gone: it is
//! removed without asking for its age. The right ends with its process, however that ends.

use std::path::Path;

use bytes::Bytes;
use data::Month;
use jiff::Timestamp;
use parquet::file::{metadata::ParquetMetaDataReader, reader::Length};

use crate::{
    manifest::{self, Item, MadeFrom, Manifest, ManifestError, RawState, SCHEMA_VERSION, Version},
    store::{Exclusive, Store, StoreError, Tag},
    sweep::{self, sweep},
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// This version is now the current one.
    New,
    /// This version was the current one already; nothing was uploaded.
    Unchanged,
    /// Another worker published the month meanwhile; nothing of ours is left.
    ByAnother,
}

/// Publishes a month over what `found` says is there, unless that has changed since it was read.
///
/// # Errors
/// [`ManifestError`], with the month as it was.
pub fn publish(store: &Store, draft: &Draft<'_>, found: Option<(Manifest, Tag)>) -> Result<Published, ManifestError> {
    let month = draft.month;
    let right = store.exclusive(&month.to_string())?;
    let _interrupt = sweep::on_exit(store, month);
    let now = manifest::read(store, month)?;
    let tag = |read: &Option<(Manifest, Tag)>| read.as_ref().map(|(_, tag)| tag.clone());
    if tag(&now) != tag(&found) {
        return Ok(Published::ByAnother);
    }
    let before = now.as_ref().map(|(manifest, _)| manifest);
    if let Some(manifest) = before
        && (&manifest.current.version, manifest.pinned) == (&draft.data.checksum, draft.pinned)
        && check(store, &manifest.current).is_ok()
    {
        sweep(store, month, before)?;
        return Ok(Published::Unchanged);
    }
    match place_and_commit(store, draft, now.as_ref(), &right) {
        Ok(manifest) => {
            sweep(store, month, Some(&manifest))?;
            Ok(Published::New)
        }
        Err(error) => {
            let after = manifest::read(store, month)?;
            sweep(store, month, after.as_ref().map(|(manifest, _)| manifest))?;
            // Whatever failed, it failed because the month is no longer what it was.
            if tag(&after) != tag(&now) { Ok(Published::ByAnother) } else { Err(error) }
        }
    }
}

/// Takes a manifest that cannot be read out of the way of a version that is to be restored.
///
/// # Errors
/// The store failed.
pub fn discard_damaged(store: &Store, month: Month) -> Result<(), StoreError> {
    let _right = store.exclusive(&month.to_string())?;
    match manifest::read(store, month) {
        Err(ManifestError::Layout { key, .. }) => store.delete(&key),
        _ => Ok(()),
    }
}

fn place_and_commit(
    store: &Store,
    draft: &Draft<'_>,
    now: Option<&(Manifest, Tag)>,
    right: &Exclusive,
) -> Result<Manifest, ManifestError> {
    let (month, version) = (draft.month, &draft.data.checksum);
    let before = now.map(|(manifest, _)| manifest);
    let (data, statistics) = manifest::current_keys(month, version);
    // What of this version is there and intact stays as it is.
    let standing = before.map(|manifest| &manifest.current).filter(|current| current.version == *version);
    let (data, tail) = place(store, &draft.data, data, standing.map(|standing| &standing.data))?;
    check_footer(store, &data, tail, draft.rows)?;
    let (statistics, _) = place(store, &draft.statistics, statistics, standing.map(|standing| &standing.statistics))?;
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
    let history = history(store, draft, before)?;
    let manifest = Manifest { schema_version: SCHEMA_VERSION, month, current, pinned: draft.pinned, history };
    let key = manifest::key(month);
    let json = manifest::json(&key, &manifest)?;
    store.put_if(right, &key, json, now.map(|(_, tag)| tag))?;
    Ok(manifest)
}

/// Puts an object where it belongs and reads it back, unless it stands there already; returns its last part as well.
fn place(store: &Store, part: &Part<'_>, key: String, standing: Option<&Item>) -> Result<(Item, Bytes), ManifestError> {
    if let Some((item, tail)) = standing.and_then(|item| Some((item, verify(store, item).ok()?))) {
        return Ok((item.clone(), tail));
    }
    let item = Item { key, bytes: part.bytes, checksum: part.checksum.clone() };
    match &part.origin {
        Origin::File(path) => store.upload(path, &item.key)?,
        Origin::Bytes(bytes) => store.put(&item.key, bytes.clone())?,
        Origin::Later(make) => {
            let json = make().map_err(ManifestError::Statistics)?;
            return place(store, &Part::of_bytes(json), item.key, None);
        }
        Origin::Object(from) => {
            // A copy takes no name that is taken.
            store.delete(&item.key)?;
            store.copy(from, &item.key)?;
        }
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
fn history(store: &Store, draft: &Draft<'_>, before: Option<&Manifest>) -> Result<Vec<Version>, ManifestError> {
    let (month, version) = (draft.month, &draft.data.checksum);
    let Some(manifest) = before else {
        let mut older = match manifest::read_removed(store, month)? {
            Some((removed, _)) => removed.history,
            None => draft.earlier.iter().filter(|old| check(store, old).is_ok()).cloned().collect(),
        };
        older.retain(|old| old.version != *version);
        return Ok(older);
    };
    let older = manifest.history.iter().filter(|old| old.version != *version).cloned();
    let replaced = &manifest.current;
    if replaced.version == *version {
        return Ok(older.collect());
    }
    if check(store, replaced).is_err() {
        tracing::warn!("{month}: version {} is damaged and not kept", replaced.version);
        return Ok(older.collect());
    }
    let kept = keep(store, month, replaced)?;
    Ok([kept].into_iter().chain(older).collect())
}

/// Copies the current version of a month to the history.
///
/// # Errors
/// The store failed, or what was copied does not read back.
pub fn keep(store: &Store, month: Month, current: &Version) -> Result<Version, ManifestError> {
    let (data, statistics) = manifest::history_keys(month, &current.version);
    let copy = |item: &Item, key: String| {
        let standing = Item { key: key.clone(), ..item.clone() };
        place(store, &Part::of_item(item, Origin::Object(&item.key)), key, Some(&standing))
    };
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

/// Reads the Parquet footer, which lies in `tail`, and compares rows and columns.
fn check_footer(store: &Store, item: &Item, tail: Bytes, rows: u64) -> Result<(), StoreError> {
    let wrong = |found: String| StoreError::ReadBack {
        store: store.name().to_owned(),
        key: item.key.clone(),
        found,
        expected: format!("{rows} rows in 61 columns"),
    };
    let footer = Footer { store, item, tail };
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&footer).map_err(|error| wrong(error.to_string()))?;
    let (found, columns) = (metadata.file_metadata().num_rows(), metadata.file_metadata().schema_descr().num_columns());
    if u64::try_from(found) == Ok(rows) && columns == 61 {
        Ok(())
    } else {
        Err(wrong(format!("{found} rows in {columns} columns")))
    }
}

/// A published object as the Parquet reader sees it; its tail is here already.
struct Footer<'a> {
    store: &'a Store,
    item: &'a Item,
    tail: Bytes,
}

impl Length for Footer<'_> {
    fn len(&self) -> u64 {
        self.item.bytes
    }
}

impl parquet::file::reader::ChunkReader for Footer<'_> {
    type T = std::io::Cursor<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        self.get_bytes(start, usize::try_from(self.item.bytes - start)?).map(std::io::Cursor::new)
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let here = self.item.bytes - self.tail.len() as u64;
        if let Some(start) = start.checked_sub(here).and_then(|start| usize::try_from(start).ok())
            && let Some(end) = start.checked_add(length).filter(|&end| end <= self.tail.len())
        {
            return Ok(self.tail.slice(start..end));
        }
        let read = self.store.range(&self.item.key, start..start + length as u64);
        read.map_err(|error| parquet::errors::ParquetError::External(Box::new(error)))
    }
}
