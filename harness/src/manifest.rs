//! The manifest of a month: a month exists in the store when its manifest does.

use data::Month;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    discover::RawFile,
    store::{Store, StoreError, Tag},
};

/// An object of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Key in the store.
    pub key: String,
    /// Size.
    pub bytes: u64,
    /// XXH3-64, 16 hexadecimal digits.
    pub checksum: String,
}

/// An input file as the output depends on it: its place in the store does not matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// File name.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// XXH3-64 of the file.
    pub checksum: String,
}

/// The state in which a raw file was read, by its store's word: one that is still in it need not be read to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawState {
    /// Key in the store.
    pub key: String,
    /// Size.
    pub bytes: u64,
    /// The store's tag of the state.
    pub e_tag: String,
    /// XXH3-64 of the file.
    pub checksum: String,
}

impl RawState {
    /// What a file is, if it is in this state.
    pub fn source(&self, file: &RawFile) -> Option<Source> {
        let same = (&self.key, self.bytes, Some(&self.e_tag)) == (&file.key, file.bytes, file.e_tag.as_ref());
        same.then(|| Source { name: file.name().to_owned(), bytes: self.bytes, checksum: self.checksum.clone() })
    }

    /// The state of a file that was found to be `source`; `None` where the store names none.
    pub fn of(file: &RawFile, source: &Source) -> Option<Self> {
        let e_tag = file.e_tag.clone()?;
        Some(Self { key: file.key.clone(), bytes: file.bytes, e_tag, checksum: source.checksum.clone() })
    }
}

/// All that decides the bytes of a month's Parquet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeFrom {
    /// Version of this program.
    pub program: String,
    /// Settings of the output.
    pub settings: Value,
    /// Month the weights decay to.
    pub decay_reference: Month,
    /// Input files in order of name.
    pub inputs: Vec<Source>,
}

/// One version of a month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Checksum of the Parquet: the same input and settings give the same version.
    pub version: String,
    /// The Parquet.
    pub data: Item,
    /// The statistics.
    pub statistics: Item,
    /// Rows of the Parquet.
    pub rows: u64,
    /// What it was made from.
    pub made_from: MadeFrom,
    /// The raw files as they were found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raw: Vec<RawState>,
    /// Quality score, 0 to 1.
    pub score: f64,
    /// When it was published.
    pub published: Timestamp,
}

/// The manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout.
    pub schema_version: u32,
    /// The month.
    pub month: Month,
    /// What readers see.
    pub current: Version,
    /// Versions before, newest first.
    pub history: Vec<Version>,
}

/// Version of the manifest's layout.
pub const SCHEMA_VERSION: u32 = 1;

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The statistics of a month cannot be written.
    #[error("the statistics cannot be written as JSON")]
    Statistics(#[source] serde_json::Error),
    /// It is no manifest.
    #[error(
        "{key} is not a manifest of layout {SCHEMA_VERSION}: restore it from a backup, or remove it and run the month again"
    )]
    Layout {
        /// Its key.
        key: String,
        /// What does not fit.
        source: serde_json::Error,
    },
}

/// Folder of a month's current objects.
pub fn folder(month: Month) -> String {
    format!("processed-data/monthly/{:04}/{:02}", month.year(), month.month())
}

/// Folder of a month's earlier versions.
pub fn history_folder(month: Month) -> String {
    format!("processed-data/history/{:04}/{:02}", month.year(), month.month())
}

/// Key of a month's manifest.
pub fn key(month: Month) -> String {
    format!("{}/manifest.json", folder(month))
}

/// Keys of a version's Parquet and statistics while it is current.
pub fn current_keys(month: Month, version: &str) -> (String, String) {
    keys(&folder(month), month, version)
}

/// Keys of a version's Parquet and statistics once another has replaced it.
pub fn history_keys(month: Month, version: &str) -> (String, String) {
    keys(&history_folder(month), month, version)
}

fn keys(folder: &str, month: Month, version: &str) -> (String, String) {
    let stem = format!("monthly_{month}_{version}");
    (format!("{folder}/{stem}.parquet"), format!("{folder}/statistics/{stem}_statistics.json"))
}

/// Reads the manifest of a month; `None` when the month is not published.
///
/// # Errors
/// [`ManifestError`].
pub fn read(store: &Store, month: Month) -> Result<Option<(Manifest, Tag)>, ManifestError> {
    let key = key(month);
    let Some((bytes, tag)) = store.read(&key)? else { return Ok(None) };
    let manifest = serde_json::from_slice(&bytes).map_err(|source| ManifestError::Layout { key, source })?;
    Ok(Some((manifest, tag)))
}
