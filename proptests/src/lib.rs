//! The scalar reference, written from docs/spec.md and docs/columns.md alone: one row at a time, straight loops, nothing shared with `kernels`.
//!
//! It is slow on purpose. Whoever doubts a column reads its line here and the line of those it came from.
#![deny(missing_docs)]

pub mod exact;
pub mod features;
pub mod grid;
pub mod labels;
pub mod tape;
pub mod trades;

pub use exact::Exact;
pub use tape::{Profile, Tape};
