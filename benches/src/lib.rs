//! What the benchmarks run on and run: the tapes, the kernels, their rivals.
//!
//! One catalogue of kernels serves Criterion, the instruction counts and `RESULTS.md`.
#![deny(missing_docs)]
// A benchmark that cannot be set up has nothing to measure.
#![allow(clippy::unwrap_used)]

mod columns;
pub mod input;
pub mod kernel;
pub mod labels;
pub mod month;
#[cfg(feature = "peers")]
pub mod peers;
pub mod scan;
pub mod session;
pub mod tape;
mod windows;

use self::{kernel::Kernel, tape::Tape};

/// All kernels over the rows of a tape: whole columns, then single windows.
#[must_use]
pub fn kernels(tape: &'static Tape) -> Vec<Kernel> {
    let mut kernels = columns::kernels(tape);
    kernels.extend(windows::kernels(tape));
    kernels
}
