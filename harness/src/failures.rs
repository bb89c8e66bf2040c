//! Months that failed: an object each, from the run that could not make it until one that could. Then it is kept among
//! those that recovered.

use std::collections::BTreeSet;

use data::Month;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Class, Classify},
    exit,
    store::{Store, StoreError},
};

/// Folder of the records.
pub const FOLDER: &str = "processed-data/failures";
/// Folder of the records of months that were published after they had failed.
pub const RECOVERED: &str = "processed-data/recovered";

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
    #[error("{key} is not the record of a failure: remove it, the next run of the month writes another")]
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
pub fn record(store: &Store, month: Month, inputs: &[String], decay_reference: Month, error: &crate::Error) {
    let failure = Failure {
        month,
        error: exit::sentence(error),
        exit_code: exit::code(error),
        when: Timestamp::now(),
        program: env!("CARGO_PKG_VERSION").into(),
        inputs: inputs.to_vec(),
        decay_reference,
    };
    let put = || -> crate::Result<()> {
        let json = serde_json::to_vec_pretty(&failure)?;
        Ok(store.put(&key(month), json.into())?)
    };
    if let Err(error) = put() {
        tracing::warn!("{month}: its failure is not recorded: {}", exit::sentence(&error));
    }
}

/// Removes a record that is no longer true, as the month is published now; what cannot be done is only logged.
pub fn clear(store: &Store, month: Month) {
    if let Err(error) = keep(store, month).and_then(|()| store.delete(&key(month))) {
        tracing::warn!("{month}: the record of a failure is not removed: {}", exit::sentence(&error.into()));
    }
}

/// Keeps a month's record among those that recovered.
///
/// # Errors
/// The store failed.
pub fn keep(store: &Store, month: Month) -> Result<(), StoreError> {
    match store.read(&key(month))? {
        Some((record, _)) => store.put(&format!("{RECOVERED}/{month}.json"), record),
        None => Ok(()),
    }
}

/// Months that were published after they had failed, whatever became of them since.
///
/// # Errors
/// The store cannot be listed.
pub fn recovered(store: &Store) -> Result<BTreeSet<Month>, StoreError> {
    let records = store.list(RECOVERED, None)?;
    let month = |key: &str| key.strip_prefix(RECOVERED)?.strip_prefix('/')?.strip_suffix(".json")?.parse().ok();
    Ok(records.iter().filter_map(|record| month(&record.key)).collect())
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
