//! The commands over what a store holds: its months.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use data::{Month, MonthRange};

use super::RunArgs;

#[derive(Args)]
pub struct MonthsArgs {
    #[command(subcommand)]
    pub command: MonthsCommand,
}

#[derive(Subcommand)]
pub enum MonthsCommand {
    /// Every month that is known, from manifests, failures and raw files: its state, score and version
    List(ListArgs),
    /// The versions of a month, the current one first
    History(HistoryArgs),
    /// Makes an earlier version of a month the current one again; run keeps it until --force
    Rollback(RollbackArgs),
    /// Takes months out of what readers see; their versions stay in the history, where rollback finds them
    Remove(RemoveArgs),
    /// Makes months again, as run --force does, each with the decay reference it had
    Reprocess(ReprocessArgs),
}

#[derive(Args)]
pub struct ListArgs {
    /// Only these, such as 2013-10..2013-12
    #[arg(long)]
    pub months: Option<MonthRange>,
    /// Only published months with a score below this
    #[arg(long, value_name = "SCORE")]
    pub below: Option<f64>,
    /// Only months whose statistics recommend to make them again, with the reasons; reads every statistics object
    #[arg(long)]
    pub needed: bool,
    /// Machine-readable
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct HistoryArgs {
    /// The month, such as 2013-10
    pub month: Month,
    /// Read every object back and compare its checksum
    #[arg(long)]
    pub verify: bool,
    /// Machine-readable
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct RollbackArgs {
    /// The month, such as 2013-10
    pub month: Month,
    /// The version, or how it begins [default: the last one that was replaced]
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Machine-readable result
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct RemoveArgs {
    /// A month or months, such as 2013-10..2013-12
    pub months: MonthRange,
    /// Machine-readable result
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct ReprocessArgs {
    /// A month or months, such as 2013-10..2013-12
    pub months: MonthRange,
    /// Only those that failed or whose statistics recommend it
    #[arg(long)]
    pub needed: bool,
    /// Only say what would be made
    #[arg(long)]
    pub dry_run: bool,
    /// Machine-readable result
    #[arg(long)]
    pub json: bool,
}

impl ReprocessArgs {
    /// The run that makes them, each with its own decay reference where it has one.
    pub fn run(&self, references: BTreeMap<Month, Month>) -> RunArgs {
        let Self { months, dry_run, json, .. } = *self;
        RunArgs { months: Some(months), force: true, dry_run, json, references, ..RunArgs::default() }
    }
}
