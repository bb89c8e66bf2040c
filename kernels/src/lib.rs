//! Labels and rolling features over one-second bars of integer ticks.
//!
//! No I/O, no clock, no threads of its own. Prices are integers, so every window is exact and the output is the same to
//! the bit for every chunk size, thread count and instruction set.
#![deny(missing_docs)]

mod error;
pub mod features;
pub mod labels;
mod lanes;
mod level;
mod profile;
#[cfg(test)]
mod random;
pub mod rolling;
pub mod series;
mod tick;
pub mod weights;
pub mod window;

pub use error::Error;
pub use level::Level;
pub use profile::Profile;
pub use series::{Break, Columns, Series};
pub use tick::Tick;
