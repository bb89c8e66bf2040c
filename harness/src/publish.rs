//! The publishing protocol: data, statistics, read back, then the manifest by a conditional put as the only commit.
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
    interrupt,
    manifest::{self, Item, MadeFrom, Manifest, ManifestError, RawState, SCHEMA_VERSION, Version},
    store::{Exclusive, Store, StoreError, Tag},
};

/// A month that has been made and is to be published.
pub struct Draft<'a> {
    /// The month.
    pub month: Month,
    /// Its Parquet.
    pub parquet: &'a Path,
    /// Size of the Parquet.
    pub bytes: u64,
    /// XXH3-64 of the Parquet.
    pub checksum: String,
    /// Rows of the Parquet.
    pub rows: u64,
    /// Its statistics as JSON, asked for once the Parquet is up: they say what that took.
    pub statistics: &'a dyn Fn() -> serde_json::Result<Vec<u8>>,
    /// What it was made from.
    pub made_from: MadeFrom,
    /// The raw files as they were found.
    pub raw: Vec<RawState>,
    /// Quality score.
    pub score: f64,
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
    let now = manifest::read(store, month)?;
    let tag = |read: &Option<(Manifest, Tag)>| read.as_ref().map(|(_, tag)| tag.clone());
    if tag(&now) != tag(&found) {
        return Ok(Published::ByAnother);
    }
    let before = now.as_ref().map(|(manifest, _)| manifest);
    if let Some(manifest) = before
        && manifest.current.version == draft.checksum
        && intact(store, &manifest.current)
    {
        sweep(store, month, before)?;
        return Ok(Published::Unchanged);
    }
    match upload_and_commit(store, draft, now.as_ref(), &right) {
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

fn upload_and_commit(
    store: &Store,
    draft: &Draft<'_>,
    now: Option<&(Manifest, Tag)>,
    right: &Exclusive,
) -> Result<Manifest, ManifestError> {
    let (month, version) = (draft.month, &draft.checksum);
    let uncommitted = {
        let (store, before) = (store.clone(), now.map(|(manifest, _)| manifest.clone()));
        interrupt::on_exit(move || {
            let _ = sweep(&store, month, before.as_ref());
        })
    };
    let (data, statistics) = manifest::current_keys(month, version);
    // What of this version is there and intact stays as it is.
    let standing = now.map(|(manifest, _)| &manifest.current).filter(|current| current.version == *version);
    let kept = |item: Option<&Item>| item.filter(|item| verify(store, item).is_ok()).cloned();
    let data = match kept(standing.map(|standing| &standing.data)) {
        Some(item) => item,
        None => {
            let item = Item { key: data, bytes: draft.bytes, checksum: draft.checksum.clone() };
            store.upload(draft.parquet, &item.key)?;
            let tail = verify(store, &item)?;
            check_footer(store, &item, tail, draft.rows)?;
            item
        }
    };
    let statistics = match kept(standing.map(|standing| &standing.statistics)) {
        Some(item) => item,
        None => {
            let json = (draft.statistics)().map_err(ManifestError::Statistics)?;
            let checksum = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&json));
            let item = Item { key: statistics, bytes: json.len() as u64, checksum };
            store.put(&item.key, json.into())?;
            verify(store, &item)?;
            item
        }
    };
    let current = Version {
        version: version.clone(),
        data,
        statistics,
        rows: draft.rows,
        made_from: draft.made_from.clone(),
        raw: draft.raw.clone(),
        score: draft.score,
        published: Timestamp::now(),
    };
    let history = match now {
        Some((manifest, _)) => history(store, manifest, version)?,
        None => Vec::new(),
    };
    let manifest = Manifest { schema_version: SCHEMA_VERSION, month, current, history };
    let key = manifest::key(month);
    let json =
        serde_json::to_vec_pretty(&manifest).map_err(|source| ManifestError::Layout { key: key.clone(), source })?;
    interrupt::whole(|| {
        store.put_if(right, &key, json.into(), now.map(|(_, tag)| tag))?;
        drop(uncommitted);
        Ok(manifest)
    })
}

/// Whether both objects of a version are there with their sizes: a look, no reading.
///
/// # Errors
/// The store failed.
pub fn present(store: &Store, version: &Version) -> Result<bool, StoreError> {
    let there = |item: &Item| Ok(store.size(&item.key)? == Some(item.bytes));
    Ok(there(&version.data)? && there(&version.statistics)?)
}

/// Removes what workers that are gone have left of a month, unless one is publishing it now: then it does so itself.
///
/// # Errors
/// [`ManifestError`].
pub fn tidy(store: &Store, month: Month, found: &Manifest) -> Result<(), ManifestError> {
    if strays(store, month, Some(found))?.is_empty() {
        return Ok(());
    }
    if let Some(_right) = store.exclusive_now(&month.to_string())? {
        sweep(store, month, manifest::read(store, month)?.as_ref().map(|(manifest, _)| manifest))?;
    }
    Ok(())
}

/// The history after `version` has become current; what is replaced is copied there first, if it is still intact.
fn history(store: &Store, manifest: &Manifest, version: &str) -> Result<Vec<Version>, StoreError> {
    let older = manifest.history.iter().filter(|old| old.version != version).cloned();
    let replaced = &manifest.current;
    if replaced.version == version {
        return Ok(older.collect());
    }
    if !intact(store, replaced) {
        tracing::warn!("{}: version {} is damaged and not kept", manifest.month, replaced.version);
        return Ok(older.collect());
    }
    let (data, statistics) = manifest::history_keys(manifest.month, &replaced.version);
    let mut kept = replaced.clone();
    for (item, key) in [(&mut kept.data, data), (&mut kept.statistics, statistics)] {
        let from = std::mem::replace(&mut item.key, key);
        if from != item.key && verify(store, item).is_err() {
            store.delete(&item.key)?;
            store.copy(&from, &item.key)?;
            verify(store, item)?;
        }
    }
    Ok([kept].into_iter().chain(older).collect())
}

/// Removes what the manifest does not name. Only for who has the right to the month: nobody else is publishing it.
fn sweep(store: &Store, month: Month, manifest: Option<&Manifest>) -> Result<(), StoreError> {
    strays(store, month, manifest)?.iter().try_for_each(|key| store.delete(key))
}

/// What publishing has put into the folders of a month and the manifest does not name: replaced versions, the current
/// one in the history, and what was uploaded and not committed. What others have put there is theirs.
fn strays(store: &Store, month: Month, manifest: Option<&Manifest>) -> Result<Vec<String>, StoreError> {
    let versions = manifest.iter().flat_map(|manifest| manifest.history.iter().chain([&manifest.current]));
    let named: Vec<&str> = versions.flat_map(|version| [&*version.data.key, &*version.statistics.key]).collect();
    let stem = format!("monthly_{month}_");
    // A version in the history that no manifest names may be a removed month's; the current one's is a copy.
    let current = manifest.map(|manifest| format!("{stem}{}", manifest.current.version));
    let unfinished = |name: &str| name.starts_with(&stem) && name.contains('#') || name.starts_with("manifest.json#");
    let left = |folder: &str, ours: &dyn Fn(&str) -> bool| -> Result<Vec<String>, StoreError> {
        let objects = store.list(folder, None)?.into_iter().map(|object| object.key);
        let stray = |key: &String| {
            let name = key.rsplit('/').next().unwrap_or_default();
            (ours(name) || unfinished(name)) && !named.contains(&key.as_str())
        };
        Ok(objects.filter(stray).collect())
    };
    let mut strays = left(&manifest::folder(month), &|name| name.starts_with(&stem))?;
    strays.extend(left(&manifest::history_folder(month), &|name| {
        current.as_ref().is_some_and(|current| name.starts_with(current))
    })?);
    Ok(strays)
}

/// Returns the object's last part.
fn verify(store: &Store, item: &Item) -> Result<Bytes, StoreError> {
    store.verify(&item.key, item.bytes, &item.checksum)
}

/// Whether both objects of a version read back as they were written.
fn intact(store: &Store, version: &Version) -> bool {
    [&version.data, &version.statistics].iter().all(|item| verify(store, item).is_ok())
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
