//! Exit codes, and which error leads to which.

use data::{input::InputError, instrument::InstrumentError, month::MonthError, synth::SynthError};

/// Done, but months failed or a gate was missed.
pub const PARTLY: u8 = 1;
/// Usage or configuration.
pub const USAGE: u8 = 2;
/// Input corrupt or unsupported.
pub const INPUT: u8 = 3;
/// Store, disk or network.
pub const STORE: u8 = 4;

/// A mistake in the command or the configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The exit code of an error: that of the first cause that has one.
pub fn code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if cause.is::<Usage>() || cause.is::<InstrumentError>() || cause.is::<MonthError>() || cause.is::<SynthError>() {
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

fn input_code(error: &InputError) -> u8 {
    match error {
        InputError::Io(source) if source.kind() == std::io::ErrorKind::NotFound => USAGE,
        InputError::Instrument(_) => USAGE,
        InputError::Sink(_) => STORE,
        _ => INPUT,
    }
}
