//! What is published, as a careful reader takes it: nothing is believed that was not compared with the manifest.

use base::{
    error::{Class, Classify},
    exit,
};
use bytes::Bytes;
use data::Month;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    manifest::{self, Item, Version},
    store::{Store, StoreError},
};
use statistics::{Level, Statistics, quality::levels::AROUND};

/// Folder of all months.
const MONTHLY: &str = "processed-data/monthly";

/// A published object that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The manifest names it and it is not there.
    #[error("{key} is not in the store: run the month again")]
    Missing {
        /// Its key.
        key: String,
    },
    /// It is not what was published.
    #[error("{key} is {found}, expected {expected}: it has changed since it was published, run the month again")]
    Changed {
        /// Its key.
        key: String,
        /// Size and checksum.
        found: String,
        /// Those of the manifest.
        expected: String,
    },
    /// Statistics of another layout.
    #[error("{key} is not a statistics object of this version: {source}: run the month again")]
    Layout {
        /// Its key.
        key: String,
        /// What does not fit.
        source: serde_json::Error,
    },
}

impl Classify for PublishedError {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Missing { .. } | Self::Changed { .. } | Self::Layout { .. } => Class::Published,
        }
    }
}

/// Every month with anything in its folder, in order.
pub fn months(store: &Store) -> Result<Vec<Month>, StoreError> {
    let month = |key: &str| -> Option<Month> {
        let mut folders = key.strip_prefix(MONTHLY)?.strip_prefix('/')?.split('/');
        format!("{}-{}", folders.next()?, folders.next()?).parse().ok()
    };
    let mut months: Vec<Month> = store.list(MONTHLY, None)?.iter().filter_map(|object| month(&object.key)).collect();
    months.sort_unstable();
    months.dedup();
    Ok(months)
}

/// Reads an object whole; it is what the manifest says it is.
///
/// # Errors
/// [`PublishedError`].
pub fn object(store: &Store, item: &Item) -> Result<Bytes, PublishedError> {
    let key = item.key.clone();
    let text = |bytes: u64, checksum: &str| format!("{bytes} bytes with checksum {checksum}");
    let expected = text(item.bytes, &item.checksum);
    let (bytes, _) = match store.read_whole(&key, item.bytes) {
        Ok(found) => found.ok_or_else(|| PublishedError::Missing { key: key.clone() })?,
        Err(StoreError::TooLarge { bytes, .. }) => {
            return Err(PublishedError::Changed { key, found: format!("{bytes} bytes"), expected });
        }
        Err(error) => return Err(error.into()),
    };
    let found = text(bytes.len() as u64, &format!("{:016x}", xxh3_64(&bytes)));
    if found == expected { Ok(bytes) } else { Err(PublishedError::Changed { key, found, expected }) }
}

/// The statistics of a version.
///
/// # Errors
/// [`PublishedError`].
pub fn statistics(store: &Store, version: &Version) -> Result<Statistics, PublishedError> {
    let json = object(store, &version.statistics)?;
    let key = || version.statistics.key.clone();
    serde_json::from_slice(&json).map_err(|source| PublishedError::Layout { key: key(), source })
}

/// Price levels of the published months around one. What cannot be read is not known.
pub fn levels(store: &Store, month: Month) -> Vec<Level> {
    let level = |other: Month| -> base::Result<Option<Level>> {
        let Some((manifest, _)) = manifest::read(store, other)? else { return Ok(None) };
        Ok(statistics(store, &manifest.current)?.level())
    };
    let around = std::iter::successors(month.previous(), |other| other.previous()).take(AROUND as usize);
    let after = std::iter::successors(month.next(), |other| other.next()).take(AROUND as usize);
    let read = |other: Month| {
        level(other).unwrap_or_else(|error| {
            tracing::debug!("{other}: price level unknown: {}", exit::sentence(&error));
            None
        })
    };
    around.chain(after).filter_map(read).collect()
}
