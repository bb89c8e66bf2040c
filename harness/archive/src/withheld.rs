//! Months that a gate kept from being published: Parquet, statistics and why, aside in the store until a run publishes
//! the month. Readers do not look there.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use base::{
    error::{Class, Classify},
    exit, interrupt,
};
use bytes::Bytes;
use data::Month;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    manifest::Item,
    store::{Exclusive, Store, StoreError},
    sweep,
};
use statistics::{Statistics, Wrong};

/// Folder of what is withheld, with one of each month.
pub const FOLDER: &str = "processed-data/withheld";

/// Why a month was not published, and where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Withheld {
    /// The month.
    pub month: Month,
    /// Checksum of its Parquet.
    pub version: String,
    /// Its quality score.
    pub score: f64,
    /// The score it was to have.
    pub threshold: f64,
    /// What makes it wrong and what to do about it, then what was taken off, the most first.
    pub reasons: Vec<String>,
    /// Whether it is wrong, whatever its score.
    #[serde(default)]
    pub wrong: bool,
    /// Rows of the Parquet.
    pub rows: u64,
    /// The Parquet.
    pub data: Item,
    /// The statistics.
    pub statistics: Item,
    /// Month its weights decay to.
    pub decay_reference: Month,
    /// When.
    pub when: Timestamp,
    /// Version of the program.
    pub program: String,
}

/// What is withheld of a month cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum WithheldError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is no record.
    #[error("{key} is not a record of a withheld month: delete it and run the month again")]
    Layout {
        /// Its key.
        key: String,
        /// What does not fit.
        source: serde_json::Error,
    },
}

impl Classify for WithheldError {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Layout { .. } => Class::Published,
        }
    }
}

/// Folder of what is withheld of a month.
fn folder(month: Month) -> String {
    format!("{FOLDER}/{month}")
}

/// Key of a month's record: a month is withheld when it is there.
pub fn key(month: Month) -> String {
    format!("{}/withheld.json", folder(month))
}

impl Withheld {
    /// A month that is wrong or of too low a score, whose Parquet has this checksum and size.
    pub fn new(statistics: &Statistics, threshold: f64, reference: Month, version: &str, bytes: u64) -> Self {
        let (month, quality) = (statistics.month, &statistics.quality);
        // A name that nothing else has: another worker may be withholding the same.
        let stem = format!("{}/monthly_{month}_{version}_{:08x}", folder(month), fastrand::u32(..));
        let item = |key: String, bytes, checksum: &str| Item { key, bytes, checksum: checksum.to_owned() };
        let mut deductions = quality.deductions.clone();
        deductions.sort_by(|a, b| (b.part.weight() * b.amount).total_cmp(&(a.part.weight() * a.amount)));
        Self {
            month,
            version: version.to_owned(),
            score: quality.score,
            threshold,
            reasons: statistics
                .errors
                .iter()
                .map(Wrong::sentence)
                .chain(deductions.into_iter().map(|deduction| deduction.reason))
                .collect(),
            wrong: !statistics.errors.is_empty(),
            rows: statistics.rows(),
            data: item(format!("{stem}.parquet"), bytes, version),
            statistics: item(format!("{stem}_statistics.json"), 0, ""),
            decay_reference: reference,
            when: Timestamp::now(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Why, in a sentence.
    pub fn sentence(&self) -> String {
        let Self { score, threshold, .. } = self;
        let (first, rest) = if self.wrong { self.reasons.split_at(1) } else { self.reasons.split_at(0) };
        let quality =
            if score < threshold { format!("quality {score:.3} is below {threshold}: ") } else { String::new() };
        let rest = rest.join("; ");
        match first {
            [wrong] if rest.is_empty() && score >= threshold => wrong.clone(),
            [wrong] => format!("{wrong}; {quality}{rest}"),
            _ => format!("{quality}{rest}"),
        }
    }

    /// Puts the month aside in place of what was withheld of it before: the objects, read back, then the record.
    ///
    /// # Errors
    /// The store failed, or does not give back what was put.
    pub fn keep(mut self, store: &Store, parquet: &Path, statistics: &Statistics) -> base::Result<Self> {
        let (month, key) = (self.month, key(self.month));
        let json = serde_json::to_vec_pretty(statistics)?;
        self.statistics.bytes = json.len() as u64;
        self.statistics.checksum = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&json));
        let record = serde_json::to_vec_pretty(&self)?;
        let right = store.exclusive(&month.to_string())?;
        let before = store.read(&key)?;
        let ours = [self.data.key.clone(), self.statistics.key.clone()];
        let sent = Arc::new(AtomicBool::new(false));
        let withdraw = {
            let (store, ours, sent) = (store.clone(), ours.clone(), Arc::clone(&sent));
            move || -> Result<(), StoreError> {
                // The record may be on its way to a bucket: then they stay, and go once they are old.
                if store.is_remote() && sent.load(Ordering::SeqCst) {
                    return Ok(());
                }
                let named = match read(&store, month) {
                    Ok(record) => record.is_some_and(|record| record.data.key == ours[0]),
                    Err(WithheldError::Layout { .. }) => false,
                    Err(WithheldError::Store(error)) => return Err(error),
                };
                ours.iter().filter(|_| !named).try_for_each(|key| store.delete(key))
            }
        };
        let _interrupt = interrupt::on_exit({
            let withdraw = withdraw.clone();
            move || _ = withdraw()
        });
        let kept = || -> Result<(), StoreError> {
            store.upload_new(parquet, &ours[0])?;
            store.create_object(&ours[1], json.into())?;
            for item in [&self.data, &self.statistics] {
                store.verify(&item.key, item.bytes, &item.checksum)?;
            }
            sent.store(true, Ordering::SeqCst);
            store.put_if(&right, &key, record.into(), before.as_ref().map(|(_, tag)| tag))
        };
        if let Err(error) = kept() {
            // The first error is the one to tell.
            _ = withdraw();
            return Err(error.into());
        }
        others(store, month, &right, before.map(|(json, _)| json), Some(&self))?;
        Ok(self)
    }
}

/// Removes what the record before named, and what workers that are gone have left: not what another may be putting there.
fn others(
    store: &Store,
    month: Month,
    right: &Exclusive,
    before: Option<Bytes>,
    now: Option<&Withheld>,
) -> Result<(), StoreError> {
    let before: Option<Withheld> = before.and_then(|json| serde_json::from_slice(&json).ok());
    let keys =
        |record: Option<&Withheld>| record.map(|record| [record.data.key.clone(), record.statistics.key.clone()]);
    let (before, now) = (keys(before.as_ref()), keys(now));
    let among = |keys: &Option<[String; 2]>, key: &String| keys.as_ref().is_some_and(|keys| keys.contains(key));
    let time = store.time(right)?;
    for object in store.list(&folder(month), None)? {
        let named = object.key == key(month) || among(&now, &object.key);
        let old = || -> Result<bool, StoreError> {
            Ok(among(&before, &object.key)
                || !store.is_remote()
                || sweep::stood(store, time, &object.key)?.is_some_and(|stood| stood >= sweep::GRACE))
        };
        if !named && old()? {
            store.delete(&object.key)?;
        }
    }
    Ok(())
}

/// Removes what is withheld of a month, the record first.
fn remove(store: &Store, month: Month) -> Result<(), StoreError> {
    let right = store.exclusive(&month.to_string())?;
    let before = store.read(&key(month))?;
    if let Some((_, tag)) = &before {
        store.delete_held(&right, &key(month), tag)?;
    }
    others(store, month, &right, before.map(|(json, _)| json), None)
}

/// The same for a month that is published now; what cannot be removed is only logged.
pub fn clear(store: &Store, month: Month) {
    if let Err(error) = remove(store, month) {
        tracing::warn!("{month}: the withheld version cannot be deleted: {}", exit::sentence(&error.into()));
    }
}

/// What is withheld of a month, if anything is.
///
/// # Errors
/// [`WithheldError`].
pub fn read(store: &Store, month: Month) -> Result<Option<Withheld>, WithheldError> {
    let key = key(month);
    let Some((bytes, _)) = store.read(&key)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|source| WithheldError::Layout { key, source })
}
