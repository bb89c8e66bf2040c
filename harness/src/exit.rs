//! Exit codes, and which error leads to which.

use data::{input::InputError, instrument::InstrumentError, month::MonthError, synth::SynthError};

use crate::manifest::ManifestError;

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
        if let Some(input) = cause.downcast_ref::<InputError>() {
            return match input {
                InputError::File { source, .. } => input_code(source),
                other => input_code(other),
            };
        }
    }
    STORE
}

/// Whether an error concerns one month alone: its input, or its manifest.
pub fn of_one_month(error: &anyhow::Error) -> bool {
    let layout = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref::<ManifestError>(), Some(ManifestError::Layout { .. }))
    };
    code(error) == INPUT || error.chain().any(layout)
}

fn input_code(error: &InputError) -> u8 {
    match error {
        InputError::Io(source) if source.kind() == std::io::ErrorKind::NotFound => USAGE,
        InputError::Instrument(_) => USAGE,
        InputError::Sink(_) => STORE,
        _ => INPUT,
    }
}
