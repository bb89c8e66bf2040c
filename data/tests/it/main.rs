//! From files to columns and sessions: one binary, so that it is linked once.
#![allow(clippy::unwrap_used)] // clippy.toml exempts #[test] functions only, not their helpers

mod bars;
mod corrupt;
mod csv;
mod damaged_bars;
mod partitions;
mod rolls;
mod streams;
mod synth;
mod trades;
