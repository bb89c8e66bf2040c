#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod bar;
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
pub mod stream;
mod tick;
pub mod weights;
pub mod window;

pub use bar::Bar;
pub use error::Error;
pub use level::Level;
pub use profile::Profile;
pub use series::{Break, Columns, Series};
pub use stream::Stream;
pub use tick::Tick;
