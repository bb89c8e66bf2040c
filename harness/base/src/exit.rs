//! Exit codes, and which class of error leads to which.

use crate::error::{Class, Classify, Error};

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
/// A fault of the program itself.
pub const PROGRAM: u8 = 70;

/// Interrupted by a signal.
pub const INTERRUPTED: u8 = 130;

/// Every exit code and what it says.
pub const CODES: [(u8, &str); 8] = [
    (0, "done"),
    (PARTLY, "done, but months failed or a gate was missed"),
    (USAGE, "usage or configuration"),
    (INPUT, "input corrupt or unsupported"),
    (STORE, "store, disk or network"),
    (REGRESSED, "a benchmark regressed"),
    (PROGRAM, "a fault of the program"),
    (INTERRUPTED, "interrupted; finished months are published and kept"),
];

/// A mistake in the command or the configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

impl Classify for Usage {
    fn class(&self) -> Class {
        Class::Usage
    }
}

/// The exit code of an error.
pub fn code(error: &Error) -> u8 {
    match error.class() {
        Class::Usage => USAGE,
        Class::Input => INPUT,
        Class::Published | Class::Passing | Class::Gone | Class::Store => STORE,
        Class::Program => PROGRAM,
    }
}

/// An error and its causes as one sentence.
pub fn sentence(error: &Error) -> String {
    error.to_string()
}
