//! What can go wrong with a store.

use std::io;

use base::error::{Class, Classify};
use object_store::{Error, client::HttpError};

use super::answer::{Refusal, causes};

/// A store that does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The server said no, and would again.
    #[error("store {store}, {action} {key}")]
    Refused { store: String, action: &'static str, key: String, source: Box<Refusal> },
    /// The server did not answer, or not as it should, however often it was asked.
    #[error("store {store}, {action} {key}: {retries} retries failed: {cause}; run again once the store is available")]
    GaveUp { store: String, action: &'static str, key: String, retries: u32, cause: String },
    /// The object store said no.
    #[error("store {store}, {action} {key}")]
    Object { store: String, action: &'static str, key: String, source: Box<Error> },
    /// An object that is read whole, and larger than any of its kind.
    #[error(
        "store {store}, reading {key}: it has {bytes} bytes; expected at most {limit}: harness did not write it, delete it"
    )]
    TooLarge { store: String, key: String, bytes: u64, limit: u64 },
    /// The folder of a local store, or a local file.
    #[error("{path}: {action}")]
    Folder { path: String, action: &'static str, source: io::Error },
    /// It is no store.
    #[error("store {0}: expected s3://bucket, s3://bucket/prefix or a local directory")]
    Name(String),
    /// The server writes although the condition does not hold.
    #[error(
        "store {store}: it does not support conditional writes (If-None-Match, If-Match), so two workers could overwrite each other: use another server"
    )]
    Conditions { store: String },
    /// A setting of how it is reached that cannot be.
    #[error("{name} is {found}: expected {expected}")]
    Setting { name: String, found: String, expected: String },
    /// How the store is to be reached is not settled.
    #[error("store {store}: {problem}")]
    Access { store: String, problem: String },
    /// Another worker changed the object since it was read.
    #[error("store {store}: {key} was changed by another worker")]
    Conflict { store: String, key: String },
    /// The right to change a name went to another worker.
    #[error("store {store}: the lease of {name} was lost, the store did not answer in time; run again")]
    RightLost { store: String, name: String },
    /// What was read back is not what was written.
    #[error("store {store}: {key} does not read back as it was written: {found}, expected {expected}")]
    ReadBack { store: String, key: String, found: String, expected: String },
}

impl StoreError {
    /// Sorts the error of a request that has been retried so often.
    pub(super) fn of(store: &str, action: &'static str, key: &str, retries: u32, error: Error) -> Self {
        let (store, key) = (store.to_owned(), key.to_owned());
        match Refusal::of(&error) {
            Some(refusal) if !refusal.is_transient() => {
                Self::Refused { store, action, key, source: Box::new(refusal.clone()) }
            }
            Some(refusal) => Self::GaveUp { store, action, key, retries, cause: refusal.to_string() },
            // What is neither an answer nor a lost connection is an answer that makes no sense.
            None if is_transport(&error) || retries > 0 && matches!(error, Error::Generic { .. }) => {
                Self::GaveUp { store, action, key, retries, cause: innermost(&error) }
            }
            None if matches!(error, Error::Precondition { .. }) => Self::Conflict { store, key },
            None => Self::Object { store, action, key, source: Box::new(error) },
        }
    }
}

impl StoreError {
    /// The same, of a server that did not answer: said is where it was looked for, and which setting says so.
    pub(super) fn at(self, endpoint: &str) -> Self {
        match self {
            Self::GaveUp { store, action, key, retries, cause } => {
                Self::GaveUp { store, action, key, retries, cause: format!("{cause} ({endpoint})") }
            }
            other => other,
        }
    }

    /// Whether it is the object: another one than was written, or none.
    pub fn is_of_object(&self) -> bool {
        let missing = |error: &Error| matches!(error, Error::NotFound { .. });
        matches!(self, Self::ReadBack { .. }) || matches!(self, Self::Object { source, .. } if missing(source))
    }
}

impl Classify for StoreError {
    fn class(&self) -> Class {
        match self {
            Self::Name(_) | Self::Setting { .. } => Class::Usage,
            Self::GaveUp { .. } | Self::RightLost { .. } | Self::Conflict { .. } | Self::ReadBack { .. } => {
                Class::Passing
            }
            Self::Folder { source, .. } => source.class(),
            Self::Refused { .. }
            | Self::Object { .. }
            | Self::TooLarge { .. }
            | Self::Conditions { .. }
            | Self::Access { .. } => Class::Store,
        }
    }
}

/// Whether the connection failed, rather than the server.
pub(super) fn is_transport(error: &Error) -> bool {
    causes(error).any(|cause| cause.is::<HttpError>())
}

/// The deepest cause: those above it repeat it with addresses and counts of retries that were not made.
pub(super) fn innermost(error: &Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
