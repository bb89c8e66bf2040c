//! Exit codes, and which error leads to which.

use data::{input::InputError, instrument::InstrumentError, month::MonthError, synth::SynthError};

use crate::{backup::Fault, manifest::ManifestError, store::StoreError};

/// Done, but months failed or a gate was missed.
pub const PARTLY: u8 = 1;
/// Usage or configuration.
pub const USAGE: u8 = 2;
/// Input corrupt or unsupported.
pub const INPUT: u8 = 3;
/// Store, disk or network.
pub const STORE: u8 = 4;

/// A benchmark regressed.
pub const REGRESSED: u8 = 5;

/// A mistake in the command or the configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The exit code of an error: that of the first cause that has one.
pub fn code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if cause.is::<Usage>() || cause.is::<InstrumentError>() || cause.is::<MonthError>() || cause.is::<SynthError>()
        {
            return USAGE;
        }
        if matches!(cause.downcast_ref(), Some(StoreError::Name(_) | StoreError::Setting { .. })) {
            return USAGE;
        }
        if let Some(input) = cause.downcast_ref::<InputError>() {
            return match input {
                InputError::File { source, .. } => input_code(source),
                other => input_code(other),
            };
        }
    }
    STORE
}

/// An error and its causes as one sentence, each said once: many say their cause themselves.
pub fn sentence(error: &anyhow::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if said.last().is_none_or(|before| !before.ends_with(&cause)) {
            said.push(cause);
        }
    }
    said.join(": ")
}

/// Whether an error concerns one month alone: its input, or what is published of it.
pub fn of_one_month(error: &anyhow::Error) -> bool {
    let published = |cause: &(dyn std::error::Error + 'static)| {
        let manifest = cause.downcast_ref::<ManifestError>();
        manifest.is_some_and(|error| !matches!(error, ManifestError::Store(_))) || cause.is::<Fault>()
    };
    code(error) == INPUT || error.chain().any(published)
}

/// Whether an error may be gone for the next month: the store did not answer.
pub fn may_pass(error: &anyhow::Error) -> bool {
    let passes = |cause: &(dyn std::error::Error + 'static)| {
        let of_manifest = |error: &ManifestError| matches!(error, ManifestError::Store(store) if store.may_pass());
        cause.downcast_ref::<StoreError>().is_some_and(StoreError::may_pass)
            || cause.downcast_ref::<ManifestError>().is_some_and(of_manifest)
    };
    error.chain().any(passes)
}

fn input_code(error: &InputError) -> u8 {
    match error {
        InputError::Io(source) if source.kind() == std::io::ErrorKind::NotFound => USAGE,
        InputError::Instrument(_) => USAGE,
        InputError::Sink(_) => STORE,
        _ => INPUT,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("writing: {0}")]
    struct Told(#[source] std::io::Error);

    #[test]
    fn each_cause_is_said_once() {
        let full = || std::io::Error::other("no space left");
        assert_eq!(sentence(&anyhow!(Told(full())).context("2013-09")), "2013-09: writing: no space left");
        assert_eq!(sentence(&anyhow!(full()).context("a.parquet")), "a.parquet: no space left");
    }
}
