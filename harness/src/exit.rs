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
