//! The manifest of a month: a month exists in the store when its manifest does.

use std::collections::BTreeSet;

use base::error::{Class, Classify};
use bytes::Bytes;
use data::{Month, contract::Fronts};
use jiff::{Timestamp, civil::Date};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, Error},
};
use serde_json::Value;

use super::{
    discover::RawFile,
    naming,
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
    /// XXH3-64 of each `symbology.json` beside the inputs that names ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub symbology: Vec<String>,
    /// The front contracts, which the months around the month decide as well. Manifests written before do not name them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fronts: Option<FrontDates>,
}

/// The front contracts of a month, as far as the other fields leave them open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontDates {
    /// Each front and the first session it is front in, in order.
    pub contracts: Vec<FrontSince>,
    /// Dates on which contracts trade, but not the front.
    pub missing: Vec<Date>,
}

/// A front contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontSince {
    /// Date of its first session of the month.
    pub date: Date,
    /// Its symbol.
    pub contract: String,
}

impl FrontDates {
    /// Those that were chosen.
    pub fn of(fronts: &Fronts) -> Self {
        let mut contracts: Vec<FrontSince> = Vec::new();
        for (date, contract) in fronts.sessions() {
            if contracts.last().is_none_or(|last| last.contract != contract) {
                contracts.push(FrontSince { date, contract: contract.to_owned() });
            }
        }
        let with: BTreeSet<Date> = fronts.sessions().map(|(date, _)| date).collect();
        let missing = fronts.by_date.keys().filter(|date| !with.contains(date)).copied().collect();
        Self { contracts, missing }
    }
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
    /// When it became current: published, restored or rolled back to.
    pub published: Timestamp,
}

/// What was current of a month, by the name under which readers found it, or that nothing was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Of the manifest that committed it.
    pub generation: u64,
    /// When it became current.
    pub published: Timestamp,
    /// The Parquet; none of a removal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Item>,
    /// Rows of the Parquet.
    pub rows: u64,
}

/// The manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout.
    pub schema_version: u32,
    /// The month.
    pub month: Month,
    /// One more with each commit, also over a removal; 0 before there were any.
    #[serde(default)]
    pub generation: u64,
    /// What readers see.
    pub current: Version,
    /// Rolled back to: `run` leaves it as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// Versions before, the last one replaced first.
    pub history: Vec<Version>,
    /// What was published a short while before, the last first: also what the history has no more, as it is current again.
    /// Only of what can be in the table (`publications.rs`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Publication>,
}

/// What is kept of a month that was removed: it lies with the history and is no commit record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Removed {
    /// Version of this layout.
    pub schema_version: u32,
    /// The month.
    pub month: Month,
    /// The one after that of the manifest that was removed.
    #[serde(default)]
    pub generation: u64,
    /// When it was removed.
    pub removed: Timestamp,
    /// Its versions, the last one that was current first.
    pub history: Vec<Version>,
    /// What was published a short while before, the last first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Publication>,
}

/// Version of the manifest's layout.
pub const SCHEMA_VERSION: u32 = 1;
/// Name of a manifest in its folder.
pub const NAME: &str = "manifest.json";

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
        "{key} is not a manifest of layout {SCHEMA_VERSION}: restore the month from a backup, or delete the file and run the month again"
    )]
    Layout {
        /// Its key.
        key: String,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// A version that should become current, or be kept, is not as it was written.
    #[error("{month}: version {version} is damaged")]
    Damaged {
        /// The month.
        month: Month,
        /// The version.
        version: String,
        /// What was found.
        source: Box<StoreError>,
    },
}

impl Classify for ManifestError {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Statistics(_) => Class::Program,
            Self::Layout { .. } | Self::Damaged { .. } => Class::Published,
        }
    }
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
    format!("{}/{NAME}", folder(month))
}

/// Key of what is kept of a month that was removed.
pub fn removed_key(month: Month) -> String {
    format!("{}/{NAME}", history_folder(month))
}

/// Reads the manifest of a month; `None` when the month is not published.
///
/// # Errors
/// [`ManifestError`].
pub fn read(store: &Store, month: Month) -> Result<Option<(Manifest, Tag)>, ManifestError> {
    let Some((bytes, tag)) = read_object(store, &key(month))? else { return Ok(None) };
    Ok(Some((parse(month, &bytes)?, tag)))
}

/// The manifest of a month from its bytes.
///
/// # Errors
/// [`ManifestError::Layout`].
pub fn parse(month: Month, bytes: &[u8]) -> Result<Manifest, ManifestError> {
    let fits = |manifest: &Manifest| {
        let Manifest { current, history, .. } = manifest;
        (manifest.schema_version, manifest.month) == (SCHEMA_VERSION, month)
            && current.lies_in(&folder(month), month)
            && history.iter().all(|version| version.lies_in(&history_folder(month), month))
            && manifest.before.iter().all(|publication| publication.lies_in(&folder(month), month))
    };
    parse_as(key(month), bytes, fits)
}

/// What a store says of a month.
pub struct State {
    /// Its manifest, when it is published.
    pub manifest: Option<(Manifest, Tag)>,
    /// What is kept of its removal, when it is not.
    pub removed: Option<(Removed, Tag)>,
}

impl State {
    /// Reads it.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn read(store: &Store, month: Month) -> Result<Self, ManifestError> {
        let manifest = read(store, month)?;
        let removed = if manifest.is_none() { read_removed(store, month)? } else { None };
        Ok(Self { manifest, removed })
    }

    /// Of which generation the month is; 0 when it never had a manifest.
    pub fn generation(&self) -> u64 {
        let manifest = self.manifest.as_ref().map(|(manifest, _)| manifest.generation);
        manifest.or(self.removed.as_ref().map(|(removed, _)| removed.generation)).unwrap_or(0)
    }

    /// The versions that are named.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        let manifest = self.manifest.iter().flat_map(|(manifest, _)| manifest.versions());
        manifest.chain(self.removed.iter().flat_map(|(removed, _)| &removed.history))
    }

    /// Key of the record that says so, if there is one.
    pub fn key(&self) -> Option<String> {
        let manifest = self.manifest.as_ref().map(|(manifest, _)| key(manifest.month));
        manifest.or(self.removed.as_ref().map(|(removed, _)| removed_key(removed.month)))
    }
}

/// Reads what is kept of a month that was removed. Of no account while the month has a manifest: then publishing it
/// again, or removing it, was interrupted.
///
/// # Errors
/// [`ManifestError`].
pub fn read_removed(store: &Store, month: Month) -> Result<Option<(Removed, Tag)>, ManifestError> {
    let Some((bytes, tag)) = read_object(store, &removed_key(month))? else { return Ok(None) };
    Ok(Some((parse_removed(month, &bytes)?, tag)))
}

/// What is kept of a month that was removed, from its bytes.
///
/// # Errors
/// [`ManifestError::Layout`].
pub fn parse_removed(month: Month, bytes: &[u8]) -> Result<Removed, ManifestError> {
    let fits = |removed: &Removed| {
        (removed.schema_version, removed.month) == (SCHEMA_VERSION, month)
            && removed.history.iter().all(|version| version.lies_in(&history_folder(month), month))
            && removed.before.iter().all(|publication| publication.lies_in(&folder(month), month))
    };
    parse_as(removed_key(month), bytes, fits)
}

fn read_object(store: &Store, key: &str) -> Result<Option<(Bytes, Tag)>, ManifestError> {
    store.read(key).map_err(|error| match error {
        // It says nothing of the store, and concerns this month alone.
        StoreError::TooLarge { .. } => ManifestError::Layout { key: key.to_owned(), source: Error::custom(error) },
        error => error.into(),
    })
}

/// What does not belong where it lies is refused: the keys it names are read, copied and deleted.
fn parse_as<T: DeserializeOwned>(key: String, bytes: &[u8], fits: impl Fn(&T) -> bool) -> Result<T, ManifestError> {
    let parsed = serde_json::from_slice(bytes).and_then(|manifest| {
        if fits(&manifest) { Ok(manifest) } else { Err(Error::custom("of another layout, month or folder")) }
    });
    parsed.map_err(|source| ManifestError::Layout { key, source })
}

/// A manifest as it is written.
///
/// # Errors
/// [`ManifestError::Layout`].
pub fn json(key: &str, manifest: &impl Serialize) -> Result<Bytes, ManifestError> {
    match serde_json::to_vec_pretty(manifest) {
        Ok(json) => Ok(json.into()),
        Err(source) => Err(ManifestError::Layout { key: key.to_owned(), source }),
    }
}

impl Version {
    /// Its two objects.
    pub fn items(&self) -> [&Item; 2] {
        [&self.data, &self.statistics]
    }

    fn lies_in(&self, folder: &str, month: Month) -> bool {
        naming::are_of(self.items().map(|item| item.key.as_str()), folder, month, &self.version)
    }
}

impl Publication {
    fn lies_in(&self, folder: &str, month: Month) -> bool {
        let within = |item: &Item| {
            let name = item.key.strip_prefix(folder).and_then(|key| key.strip_prefix('/'));
            let named = naming::Name::of(month, &item.key).is_some_and(|name| name.generation == self.generation);
            named && name.is_some_and(|name| !name.contains('/'))
        };
        self.data.as_ref().is_none_or(within)
    }
}

impl Manifest {
    /// The current version and those before.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        [&self.current].into_iter().chain(&self.history)
    }

    /// Each version of the history with the time it was replaced at.
    pub fn replaced(&self) -> impl Iterator<Item = (Timestamp, &Version)> {
        replaced(self.current.published, &self.history)
    }
}

impl Removed {
    /// Each version with the time it was replaced at, or removed.
    pub fn replaced(&self) -> impl Iterator<Item = (Timestamp, &Version)> {
        replaced(self.removed, &self.history)
    }
}

/// A version was replaced when the one before it in the list became current.
fn replaced(first: Timestamp, history: &[Version]) -> impl Iterator<Item = (Timestamp, &Version)> {
    let times = [first].into_iter().chain(history.iter().map(|version| version.published));
    times.zip(history)
}
