//! Kernels and sessions against the reference: one binary, so that it is linked once.
#![allow(clippy::unwrap_used)] // clippy.toml exempts #[test] functions only, not their helpers

mod bits;
mod features;
mod golden;
#[cfg(feature = "data")]
mod grid;
mod invariance;
mod labels;
#[cfg(feature = "data")]
mod month;
#[cfg(feature = "data")]
mod reference;
#[cfg(feature = "data")]
mod rolling;
mod stream;
mod tapes;
mod trades;
