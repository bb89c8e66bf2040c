//! Months that failed: an object each, from the run that could not make it until one that could. Then it is kept among
//! those that recovered.

use base::{
    error::{Class, Classify},
    exit,
};
use data::Month;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::store::{Store, StoreError};

/// Folder of the records.
pub const FOLDER: &str = "processed-data/failures";
/// Folder of the records of months that were published after they had failed.
pub const RECOVERED: &str = "processed-data/recovered";
/// Name of the folder in it of those that were published by a person's flag.
const BY_HAND: &str = "by-hand";

/// Why a month could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The month.
    pub month: Month,
    /// The error and its causes.
    pub error: String,
    /// The exit code it stands for.
    pub exit_code: u8,
    /// When.
    pub when: Timestamp,
    /// Version of the program.
    pub program: String,
    /// Keys of the raw files.
    pub inputs: Vec<String>,
    /// Month its weights were to decay to.
    pub decay_reference: Month,
}

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FailureError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is no record.
    #[error("{key} is not a failure record: delete it; the next run of the month writes a new one")]
    Layout {
        /// Its key.
        key: String,
        /// What does not fit.
        source: serde_json::Error,
    },
}

impl Classify for FailureError {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Layout { .. } => Class::Published,
        }
    }
}

/// Key of a month's record.
pub fn key(month: Month) -> String {
    format!("{FOLDER}/{month}.json")
}

/// Records a failure in place of the one before. One that cannot be recorded is only logged: the run says it anyway.
pub fn record(store: &Store, month: Month, inputs: &[String], decay_reference: Month, error: &base::Error) {
    let failure = Failure {
        month,
        error: exit::sentence(error),
        exit_code: exit::code(error),
        when: Timestamp::now(),
        program: env!("CARGO_PKG_VERSION").into(),
        inputs: inputs.to_vec(),
        decay_reference,
    };
    let put = || -> base::Result<()> {
        let json = serde_json::to_vec_pretty(&failure)?;
        Ok(store.put(&key(month), json.into())?)
    };
    if let Err(error) = put() {
        tracing::warn!("{month}: the failure record cannot be written: {}", exit::sentence(&error));
    }
}

/// Removes a record that is no longer true, as the month is published now, by a person's flag (`--force`) or without;
/// what cannot be done is only logged.
pub fn clear(store: &Store, month: Month, by_hand: bool) {
    if let Err(error) = keep(store, month, by_hand).and_then(|()| store.delete(&key(month))) {
        tracing::warn!("{month}: the failure record cannot be deleted: {}", exit::sentence(&error.into()));
    }
}

/// Keeps a month's record among those that recovered.
///
/// # Errors
/// The store failed.
pub fn keep(store: &Store, month: Month, by_hand: bool) -> Result<(), StoreError> {
    let Some((record, _)) = store.read(&key(month))? else { return Ok(()) };
    let [alone, helped] = [format!("{RECOVERED}/{month}.json"), format!("{RECOVERED}/{BY_HAND}/{month}.json")];
    let (now, before) = if by_hand { (helped, alone) } else { (alone, helped) };
    store.put(&now, record)?;
    store.delete(&before)
}

/// The month of a key that is the record of one that was published after it had failed, and whether a person's flag did it.
pub fn recovered(key: &str) -> Option<(Month, bool)> {
    let name = key.strip_prefix(RECOVERED)?.strip_prefix('/')?.strip_suffix(".json")?;
    match name.strip_prefix(BY_HAND).and_then(|name| name.strip_prefix('/')) {
        Some(month) => Some((month.parse().ok()?, true)),
        None => Some((name.parse().ok()?, false)),
    }
}

/// The record of a month, if its last run failed.
///
/// # Errors
/// [`FailureError`].
pub fn read(store: &Store, month: Month) -> Result<Option<Failure>, FailureError> {
    let key = key(month);
    let Some((bytes, _)) = store.read(&key)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|source| FailureError::Layout { key, source })
}
