//! What can go wrong with the log.

use base::error::{Class, Classify};

use crate::{manifest::ManifestError, store::StoreError};

/// A log that is not written to.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A month cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// What is there cannot be gone on with.
    #[error("{file} {found}: run `harness table verify`, and `harness table sync` to mend the log")]
    Damaged {
        /// Key of the object.
        file: String,
        /// What is wrong with it.
        found: String,
    },
    /// A commit or checkpoint cannot be written down.
    #[error("the log of the table cannot be written: {0}")]
    Unwritable(String),
    /// Others commit faster.
    #[error("the log of the table is in use by others: run `harness table sync` later")]
    Busy,
    /// The command ends and does not wait.
    #[error("the command ended before the log of the table was written")]
    Ended,
}

impl Classify for TableError {
    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            Self::Manifest(error) => error.class(),
            Self::Damaged { .. } => Class::Published,
            Self::Unwritable(_) => Class::Program,
            Self::Busy | Self::Ended => Class::Passing,
        }
    }
}
