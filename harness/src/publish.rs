//! The publishing protocol: data, statistics, read back, then the manifest by a conditional put as the only commit.
//!
//! Until the manifest is written nobody sees anything, so an interruption at any point leaves the month as it was.
//! Versions that are replaced are copied to the history before the commit and removed from the month's folder after it.

use std::path::Path;

use data::Month;
use jiff::Timestamp;
use parquet::file::{metadata::ParquetMetaDataReader, reader::Length};

use crate::{
    manifest::{self, Item, MadeFrom, Manifest, ManifestError, SCHEMA_VERSION, Version},
    store::{Store, StoreError, Tag},
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
    /// Its statistics as JSON.
    pub statistics: Vec<u8>,
    /// What it was made from.
    pub made_from: MadeFrom,
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

/// Publishes a month over what `found` says is there.
///
/// # Errors
/// [`ManifestError`], with the month as it was.
pub fn publish(store: &Store, draft: &Draft<'_>, found: Option<(Manifest, Tag)>) -> Result<Published, ManifestError> {
    let (month, version) = (draft.month, &draft.checksum);
    if let Some((manifest, _)) = &found
        && manifest.current.version == *version
        && intact(store, &manifest.current)
    {
        tidy(store, manifest)?;
        return Ok(Published::Unchanged);
    }
    let (data, statistics) = manifest::current_keys(month, version);
    store.upload(draft.parquet, &data)?;
    store.put(&statistics, draft.statistics.clone().into())?;
    store.verify(&data, draft.bytes, &draft.checksum)?;
    check_footer(store, &data, draft.bytes, draft.rows)?;
    let statistics_checksum = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&draft.statistics));
    store.verify(&statistics, draft.statistics.len() as u64, &statistics_checksum)?;

    let current = Version {
        version: version.clone(),
        data: Item { key: data, bytes: draft.bytes, checksum: draft.checksum.clone() },
        statistics: Item { key: statistics, bytes: draft.statistics.len() as u64, checksum: statistics_checksum },
        rows: draft.rows,
        made_from: draft.made_from.clone(),
        score: draft.score,
        published: Timestamp::now(),
    };
    let history = match &found {
        Some((manifest, _)) => history(store, manifest, version)?,
        None => Vec::new(),
    };
    let manifest = Manifest { schema_version: SCHEMA_VERSION, month, current, history };
    let key = manifest::key(month);
    let json =
        serde_json::to_vec_pretty(&manifest).map_err(|source| ManifestError::Layout { key: key.clone(), source })?;
    match store.put_if(&key, json.into(), found.as_ref().map(|(_, tag)| tag)) {
        Ok(()) => {
            tidy(store, &manifest)?;
            Ok(Published::New)
        }
        Err(StoreError::Conflict { .. }) => {
            leave(store, &manifest.current)?;
            Ok(Published::ByAnother)
        }
        Err(error) => Err(error.into()),
    }
}

/// The history after `version` has become current; what is replaced is copied there first.
fn history(store: &Store, manifest: &Manifest, version: &str) -> Result<Vec<Version>, StoreError> {
    let mut replaced = manifest.current.clone();
    let mut history = Vec::new();
    if replaced.version != version {
        let (data, statistics) = manifest::history_keys(manifest.month, &replaced.version);
        for (item, key) in [(&mut replaced.data, data), (&mut replaced.statistics, statistics)] {
            store.copy(&item.key, &key)?;
            store.verify(&key, item.bytes, &item.checksum)?;
            item.key = key;
        }
        history.push(replaced);
    }
    history.extend(manifest.history.iter().filter(|old| old.version != version).cloned());
    Ok(history)
}

/// Removes what the manifest has made superfluous: replaced versions in the month's folder, and the current one in the
/// history. Also finishes what an interrupted run has left of this.
fn tidy(store: &Store, manifest: &Manifest) -> Result<(), StoreError> {
    let replaced = manifest.history.iter().map(|old| manifest::current_keys(manifest.month, &old.version));
    let again = manifest::history_keys(manifest.month, &manifest.current.version);
    for (data, statistics) in replaced.chain([again]) {
        store.delete(&data)?;
        store.delete(&statistics)?;
    }
    Ok(())
}

/// Removes what was uploaded for a version that lost, unless the winner is the same version.
fn leave(store: &Store, ours: &Version) -> Result<(), ManifestError> {
    let Some(month) = ours.data.key.split("monthly_").nth(1).and_then(|rest| rest.get(..7)?.parse().ok()) else {
        return Ok(());
    };
    let winner = manifest::read(store, month)?;
    if winner.is_none_or(|(winner, _)| winner.current.version != ours.version) {
        store.delete(&ours.data.key)?;
        store.delete(&ours.statistics.key)?;
    }
    Ok(())
}

/// Whether both objects of a version read back as they were written.
fn intact(store: &Store, version: &Version) -> bool {
    [&version.data, &version.statistics].iter().all(|item| store.verify(&item.key, item.bytes, &item.checksum).is_ok())
}

/// Reads the Parquet footer from the store and compares rows and columns.
fn check_footer(store: &Store, key: &str, bytes: u64, rows: u64) -> Result<(), StoreError> {
    let wrong = |found: String| StoreError::ReadBack {
        store: String::new(),
        key: key.to_owned(),
        found,
        expected: format!("{rows} rows in 61 columns"),
    };
    let footer = Footer { store, key, bytes };
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&footer).map_err(|error| wrong(error.to_string()))?;
    let (found, columns) = (metadata.file_metadata().num_rows(), metadata.file_metadata().schema_descr().num_columns());
    if u64::try_from(found) == Ok(rows) && columns == 61 {
        Ok(())
    } else {
        Err(wrong(format!("{found} rows in {columns} columns")))
    }
}

/// A published object as the Parquet reader sees it.
struct Footer<'a> {
    store: &'a Store,
    key: &'a str,
    bytes: u64,
}

impl Length for Footer<'_> {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl parquet::file::reader::ChunkReader for Footer<'_> {
    type T = std::io::Cursor<bytes::Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        self.get_bytes(start, usize::try_from(self.bytes - start)?).map(std::io::Cursor::new)
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<bytes::Bytes> {
        let read = self.store.range(self.key, start..start + length as u64);
        read.map_err(|error| parquet::errors::ParquetError::External(Box::new(error)))
    }
}
