//! Labels and rolling features over one-second bars of integer ticks.
//!
//! No I/O, no clock, no threads of its own. Prices are integers, so every window is exact and the output is the same to
//! the bit for every chunk size, thread count and instruction set.
#![deny(missing_docs)]

mod error;
mod profile;
pub mod series;
mod tick;

pub use error::Error;
pub use profile::Profile;
pub use series::{Columns, Series};
pub use tick::Tick;
