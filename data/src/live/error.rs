//! Why a stream cannot go on.

use jiff::civil::Date;

use crate::{error::InputError, instrument::InstrumentError};

/// A row that cannot be served, or a state that cannot be taken up.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The input.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The settings.
    #[error(transparent)]
    Instrument(#[from] InstrumentError),
    /// A bar that no window can take.
    #[error("{date}, {contract}: {source}")]
    Kernel {
        /// Trading date.
        date: Date,
        /// The front contract.
        contract: String,
        /// What is wrong with it.
        source: kernels::Error,
    },
    /// A date that the time zone cannot place.
    #[error("{date}: the time zone {name} does not say when its session begins; expected a date that it knows")]
    Unplaced {
        /// Trading date.
        date: Date,
        /// Name of the zone.
        name: String,
    },
    /// Nothing says which contract is the front one.
    #[error(
        "{date}: nothing is known of the session before, and nothing traded before this one: name the contract with --symbol, \
         or go on from a --state"
    )]
    NoFront {
        /// Trading date.
        date: Date,
    },
    /// A session had begun before the first record.
    #[error(
        "the input begins at {from}, and the session of {date} at {session}: its features need all of it; replay the stream \
         from {session}, or go on from a state with --state"
    )]
    Begun {
        /// Trading date.
        date: Date,
        /// When the session began, UTC.
        session: String,
        /// Where the input begins, UTC.
        from: String,
    },
    /// Seconds of a session are missing between two parts of the stream.
    #[error(
        "{contract}: the stream ends at {to} and goes on at {from}: what traded between is not known; replay it from {to}"
    )]
    Gap {
        /// The front contract.
        contract: String,
        /// The first second that is missing, UTC.
        to: String,
        /// The first second after them, UTC.
        from: String,
    },
    /// Two records of one contract and second differ.
    #[error(
        "record {record}: {contract} at {second} is {found}, and was {served}: expected the same record again, or none"
    )]
    Differs {
        /// Number of the second record.
        record: u64,
        /// Its contract.
        contract: String,
        /// Its second, UTC.
        second: String,
        /// Open, high, low, close in ticks and volume of the second record.
        found: String,
        /// Those of the first.
        served: String,
    },
    /// A state that was not written by this version, or is not whole.
    #[error(
        "found {found}; expected {expected}: remove the state and replay the stream from the beginning of the date"
    )]
    State {
        /// What it is.
        found: String,
        /// What was expected.
        expected: String,
    },
}
