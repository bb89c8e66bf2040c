//! `months`: which there are, their versions, and what can be done with them.

use super::reprocess;
use crate::{
    cli::{MonthsArgs, MonthsCommand},
    config::Settings,
    months::{history, list, remove, rollback},
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
