//! `months`: which there are, their versions, and what can be done with them.

mod history;
mod list;
mod remove;
mod reprocess;
mod rollback;
pub mod survey;

use jiff::Timestamp;

pub use self::survey::known;

use crate::{
    cli::{MonthsArgs, MonthsCommand},
    config::Settings,
    quality::Band,
    store::{Store, StoreError},
};

/// Runs the command.
pub fn run(args: &MonthsArgs, settings: &Settings) -> crate::Result<u8> {
    match &args.command {
        MonthsCommand::List(args) => list::run(args, settings),
        MonthsCommand::History(args) => history::run(args, settings),
        MonthsCommand::Rollback(args) => rollback::run(args, settings),
        MonthsCommand::Remove(args) => remove::run(args, settings),
        MonthsCommand::Reprocess(args) => reprocess::run(args, settings),
    }
}

/// Where raw files are: in the store, unless another place is set.
pub fn raw_store(settings: &Settings, store: &Store) -> Result<Store, StoreError> {
    match settings.text("raw") {
        "" => Ok(store.clone()),
        name => Store::existing(name, settings.access),
    }
}

/// A time to the second.
pub fn time(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A score and its band.
fn quality(score: f64) -> String {
    let band = match Band::of(score) {
        Band::High => "high",
        Band::Medium => "medium",
        Band::Low => "low",
    };
    format!("quality {score:.3} {band:6}")
}
