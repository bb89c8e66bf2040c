//! The commands: each reads settings and a store, and prints.

pub mod months;
pub mod quality;
mod reprocess;
pub mod run;
