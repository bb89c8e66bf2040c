//! `months`: which there are, their versions, and what can be done with them.

mod history;
mod list;
mod remove;
mod reprocess;
mod rollback;

use crate::{
    cli::{MonthsArgs, MonthsCommand},
    settings::Settings,
};
use statistics::score::Band;

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

/// A score and its band.
fn quality(score: f64) -> String {
    let band = match Band::of(score) {
        Band::High => "high",
        Band::Medium => "medium",
        Band::Low => "low",
    };
    format!("quality {score:.3} {band:6}")
}
