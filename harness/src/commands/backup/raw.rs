//! Raw files in a backup. They have no manifest of their own, so the backup keeps one of them all.

use std::collections::BTreeMap;

use archive::{
    discover::{self, RawFile},
    manifest::{self, Item, ManifestError},
    store::{Store, StoreError},
};
use base::exit;
use data::MonthRange;
use serde::{Deserialize, Serialize};

use super::{Create, Outcome, carry, look};
use crate::settings::Settings;

/// Key of the manifest of the raw files.
pub const KEY: &str = "processed-data/raw-files.json";

/// The raw files that a backup has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// By key.
    pub files: Vec<Item>,
}

/// The raw files that are to be copied, and where they are.
#[derive(Default)]
pub struct Raw {
    store: Option<Store>,
    files: Vec<RawFile>,
}

/// One raw file.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Its key.
    key: String,
    /// What became of it.
    outcome: Outcome,
    /// Bytes copied.
    bytes: u64,
    /// Why it is not in the backup.
    error: Option<String>,
}

impl Raw {
    /// Finds those that hold a month of the range.
    pub fn find(store: &Store, settings: &Settings, range: Option<MonthRange>) -> Result<Self, StoreError> {
        let store = settings.raw_store(store)?;
        let mut files = discover::raw_files(&store)?;
        files.retain(|file| range.is_none_or(|range| file.first <= range.last() && range.first() <= file.last));
        Ok(Self { store: Some(store), files })
    }

    /// Bytes of all.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Copies what the backup does not have with the same size and checksum; each is named in its manifest at once.
    pub fn copy(&self, create: &Create<'_>) -> crate::Result<Vec<Line>> {
        let Some(from) = self.store.as_ref().filter(|_| !self.files.is_empty()) else { return Ok(Vec::new()) };
        let to = create.to;
        let right = to.exclusive("raw-files")?;
        let known = match read(to) {
            // Then every file is copied again.
            Err(ManifestError::Layout { .. }) => Index::default(),
            read => read?.unwrap_or_default(),
        };
        let mut index: BTreeMap<String, Item> = known.files.into_iter().map(|item| (item.key.clone(), item)).collect();
        let mut lines = Vec::new();
        for file in &self.files {
            create.bar.message(file.name());
            let copied = || -> crate::Result<Option<Item>> {
                let (bytes, checksum) = from.checksum(&file.key)?;
                let item = Item { key: file.key.clone(), bytes, checksum };
                if index.get(&item.key) == Some(&item) && look(to, &item, create.full).is_ok() {
                    return Ok(None);
                }
                carry(from, to, &item, &create.folder.join("raw.backup"))?;
                Ok(Some(item))
            };
            let mut line = Line { key: file.key.clone(), outcome: Outcome::Unchanged, bytes: 0, error: None };
            match copied() {
                Ok(None) => {}
                Ok(Some(item)) => {
                    (line.outcome, line.bytes) = (Outcome::Copied, item.bytes);
                    index.insert(item.key.clone(), item);
                    let all = Index { files: index.values().cloned().collect() };
                    let tag = to.read(KEY)?.map(|(_, tag)| tag);
                    to.put_if(&right, KEY, manifest::json(KEY, &all)?, tag.as_ref())?;
                }
                Err(error) => (line.outcome, line.error) = (Outcome::Failed, Some(exit::sentence(&error))),
            }
            create.bar.steps(file.bytes);
            lines.push(line);
        }
        Ok(lines)
    }
}

/// The manifest of the raw files of a backup.
///
/// # Errors
/// [`ManifestError`].
pub fn read(store: &Store) -> Result<Option<Index>, ManifestError> {
    let Some((json, _)) = store.read(KEY)? else { return Ok(None) };
    let index = serde_json::from_slice(&json);
    index.map(Some).map_err(|source| ManifestError::Layout { key: KEY.into(), source })
}

impl Line {
    /// Objects and bytes copied.
    pub fn copied(&self) -> (usize, u64) {
        (usize::from(self.outcome == Outcome::Copied), self.bytes)
    }

    /// Whether it is in the backup.
    pub fn whole(&self) -> bool {
        self.error.is_none()
    }

    /// Prints it.
    pub fn print(&self) {
        let Self { key, outcome, bytes, error } = self;
        match (outcome, error) {
            (_, Some(error)) => println!("{key}  not copied: {error}"),
            (Outcome::Copied, _) => println!("{key}  copied, {bytes} bytes"),
            _ => println!("{key}  unchanged"),
        }
    }
}
