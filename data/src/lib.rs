//! From a Databento file to the session grid, and from finished columns to Parquet.
#![deny(missing_docs)]

pub mod breaks;
mod central;
pub mod collector;
pub mod column_file;
pub mod columns;
pub mod compute;
pub mod contract;
mod encoding;
mod error;
pub mod fault;
pub mod form;
pub mod grid;
mod halts;
pub mod holidays;
mod ids;
pub mod input;
pub mod instrument;
pub mod job;
mod labelled;
pub mod labels;
pub mod live;
pub mod merge;
pub mod month;
pub mod plausible;
pub mod preset;
pub mod records;
pub mod roll_window;
pub mod session;
pub mod symbol;
pub mod symbology;
pub mod synth;
mod tick_size;
pub mod training_file;
pub mod volumes;
pub mod window;
pub mod write;

pub use instrument::Instrument;
pub use month::{Month, MonthRange};
