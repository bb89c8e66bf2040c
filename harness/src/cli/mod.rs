//! Every command and flag, defined once: help and completions follow from here.

mod live;
mod operate;
#[cfg(test)]
mod page;
mod report;
mod study;

use std::{net::SocketAddr, path::PathBuf};

use base::exit;
use clap::{
    Args, CommandFactory, Parser, Subcommand, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use data::{Month, MonthRange, synth::Defect};
use serde::Serialize;

use crate::settings::Flags;

pub use self::live::{ParityArgs, StreamArgs, StreamFormat};
pub use self::operate::{
    AlertsArgs, AlertsCommand, BackupArgs, BackupCommand, CleanArgs, CreateArgs, HistoryArgs, ListArgs, MonitorArgs,
    MonthsArgs, MonthsCommand, RemoveArgs, ReprocessArgs, RestoreArgs, RollbackArgs, SelftestArgs, SelftestKind,
    StatusArgs, TableArgs, TableCommand, VerifyArgs,
};
pub use self::report::{ReportArgs, ReportFormat, ReportKind};
pub use self::study::{BarriersArgs, StudyArgs, StudyCommand};

/// Raw futures bars to training data: months of Databento files to Parquet.
#[derive(Parser)]
#[command(
    version,
    long_version = concat!(env!("CARGO_PKG_VERSION"), "\nsources ", env!("HARNESS_SOURCES"))
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// The command line: the commands, with the flags of the settings that each reads.
pub fn command() -> clap::Command {
    let codes: Vec<String> = exit::CODES.iter().map(|(code, meaning)| format!("{code} {meaning}")).collect();
    Flags::add(Cli::command().after_help(format!("Exit codes: {}.", codes.join("; "))))
}

#[derive(Subcommand)]
pub enum Command {
    /// Generate realistic DBN months, with truth.json describing what is in them
    Synth(SynthArgs),
    /// Take the two-minute tour without any data: generate a month, process it, write its report
    Demo(DemoArgs),
    /// Build and publish months from raw files; months that are up to date are skipped
    Run(RunArgs),
    /// Show what is in a file: contracts, sessions, records that cleaning drops; - for stdin
    Inspect(InspectArgs),
    /// Process one file (DBN, CSV, Parquet, Arrow IPC; - for stdin) into one Parquet, without a store
    Process(ProcessArgs),
    /// Serve the features of each second as it ends, with the bits of the batch, from a live stream
    Stream(StreamArgs),
    /// Compare what `stream` served with what the batch made of the same dates
    Parity(ParityArgs),
    /// Study what to label before months are made
    Study(StudyArgs),
    /// Validate published months: objects, values, a recomputed sample, rollovers, statistics
    Validate(ValidateArgs),
    /// Score each published month against a gate; show the trend, outliers and what to reprocess
    Quality(QualityArgs),
    /// Benchmark this machine: ns per row of each stage, rows/s, MB/s, percentiles per chunk
    Bench(BenchArgs),
    /// Find the fastest jobs and chunk rows that meet a target, and write them to harness.toml
    Tune(TuneArgs),
    /// Check this machine and its stores: processor, memory, disk, clock, credentials, permissions
    Doctor(DoctorArgs),
    /// Show the progress of months and runs, from any machine
    Status(StatusArgs),
    /// Serve a web page and Prometheus metrics, and evaluate the alert rules, until stopped
    Monitor(MonitorArgs),
    /// Evaluate the alert rules once, or send a test alert
    Alerts(AlertsArgs),
    /// Inject faults of machine, network and files, in a temporary folder
    Selftest(SelftestArgs),
    /// List months and their versions; remove, reprocess or roll back
    Months(MonthsArgs),
    /// Report what was published and its quality, as text, JSON, Markdown or HTML with charts
    Report(ReportArgs),
    /// Back up published months to another store, verify or restore them
    Backup(BackupArgs),
    /// Keep the published months as one Delta Lake table, for DuckDB, Polars, Spark and others
    Table(TableArgs),
    /// Delete leftovers: files of killed runs, unused decoded columns, orphans of the store
    Clean(CleanArgs),
    /// Show the settings in force
    Config(ConfigArgs),
    /// Show what is built in for each root: tick, sessions, roll window, ranges
    Presets(PresetsArgs),
    /// Print shell completions
    Completions(CompletionsArgs),
    /// Print the manual page, or write a page for every command
    Man(ManArgs),
}

#[derive(Args)]
pub struct SynthArgs {
    /// Months to generate, such as 2013-10..2013-12
    #[arg(long)]
    pub months: MonthRange,
    /// Folder for the files and truth.json
    #[arg(long)]
    pub out: PathBuf,
    /// Random seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Kinds of bad records to add at a few places of each month, separated by commas
    #[arg(long, value_delimiter = ',', value_parser = defects())]
    pub defects: Vec<Defect>,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
}

/// The kinds of bad records, each with what it is.
fn defects() -> impl TypedValueParser<Value = Defect> {
    let known = Defect::ALL.map(|defect| PossibleValue::new(defect.name()).help(defect.meaning()));
    PossibleValuesParser::new(known).try_map(|name| name.parse::<Defect>())
}

#[derive(Args)]
pub struct PresetsArgs {
    /// Print JSON, with the ranges of all features
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct ProcessArgs {
    /// DBN, CSV, Parquet or Arrow IPC; - for stdin
    pub input: PathBuf,
    /// Parquet to write
    pub output: PathBuf,
    /// Write the statistics to this file
    #[arg(long, value_name = "FILE")]
    pub statistics: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct RunArgs {
    /// One month, such as 2013-10
    #[arg(long, conflicts_with = "months")]
    pub month: Option<Month>,
    /// Months, such as 2013-10..2013-12
    #[arg(long)]
    pub months: Option<MonthRange>,
    /// Rebuild months that are up to date as well
    #[arg(long)]
    pub force: bool,
    /// Withhold a month whose score is below the threshold; exit code 1
    #[arg(long)]
    pub gate: bool,
    /// Lowest score that --gate lets pass
    #[arg(long, value_name = "SCORE", requires = "gate", default_value_t = 0.8, value_parser = score)]
    pub threshold: f64,
    /// Only print what would be built
    #[arg(long)]
    pub dry_run: bool,
    /// This task of an array job, from 0: it makes its part of the months [default: what AWS Batch, Kubernetes or
    /// Slurm set, for --months]
    #[arg(long, requires = "task_count", value_name = "NUMBER")]
    pub task_index: Option<usize>,
    /// Tasks of the array job [default: what AWS Batch or Slurm set]
    #[arg(long, value_name = "NUMBER")]
    pub task_count: Option<usize>,
    /// Serve the page of `monitor` at this address during the run
    #[arg(long, value_name = "ADDR")]
    pub monitor: Option<SocketAddr>,
    /// Write metrics of the run to this file, for the textfile collector of node_exporter
    #[arg(long, value_name = "FILE")]
    pub metrics_file: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// A quality score.
fn score(text: &str) -> Result<f64, String> {
    let score = text.parse().ok().filter(|score| (0.0..=1.0).contains(score));
    score.ok_or_else(|| "expected a score from 0 to 1".into())
}

#[derive(Args)]
pub struct InspectArgs {
    /// DBN, CSV, Parquet, Arrow IPC, a training file or a column file; - for stdin
    pub file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct DemoArgs {
    /// Folder for the raw month, the store and the report
    #[arg(long, default_value = "./demo")]
    pub out: PathBuf,
    /// Month to generate
    #[arg(long, default_value = "2025-12")]
    pub month: Month,
    /// Random seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// What `validate` checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// The published Parquet: size, checksum, schema, range of every value
    Output,
    /// Rows against the raw records, and a recomputed sample of labels, weights and features
    Data,
    /// Front contracts and rollovers against the raw volumes
    Rollover,
    /// The statistics object against its schema and against the Parquet
    Statistics,
}

impl Check {
    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Output => "output",
            Self::Data => "data",
            Self::Rollover => "rollover",
            Self::Statistics => "statistics",
        }
    }
}

#[derive(Args)]
pub struct ValidateArgs {
    /// Only this check
    #[arg(value_enum)]
    pub check: Option<Check>,
    /// With `output`: one training file instead of months of the store
    #[arg(conflicts_with_all = ["month", "months", "all"])]
    pub file: Option<PathBuf>,
    /// One month, such as 2013-10
    #[arg(long, conflicts_with_all = ["months", "all"])]
    pub month: Option<Month>,
    /// Months, such as 2013-10..2013-12
    #[arg(long, conflicts_with = "all")]
    pub months: Option<MonthRange>,
    /// Every month of the store
    #[arg(long)]
    pub all: bool,
    /// Rows of each session that `data` recomputes, besides those where windows fill
    #[arg(long, value_name = "ROWS", default_value_t = 100)]
    pub sample: usize,
    /// Random seed of the sample
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print the JSON Schema of the statistics and exit
    #[arg(long)]
    pub print_schema: bool,
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct QualityArgs {
    /// Months, such as 2013-10..2013-12 [default: all that are published]
    #[arg(long)]
    pub months: Option<MonthRange>,
    /// Lowest score; a month below it is exit code 1
    #[arg(long, default_value_t = 0.8)]
    pub threshold: f64,
    /// Refresh every few seconds until interrupted
    #[arg(long)]
    pub watch: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct BenchArgs {
    /// Synthetic month to generate and measure
    #[arg(long, default_value = "2025-10")]
    pub month: Month,
    /// Number of runs; the fastest counts
    #[arg(long, default_value_t = 5)]
    pub repeat: usize,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Compare with this result of --json; exit code 5 when a figure is slower
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Share by which a figure may be slower before it is a regression
    #[arg(long, default_value_t = 0.25)]
    pub tolerance: f64,
    /// Benchmark an archive of synthetic months instead, such as 2010-07..2025-10, with memory over time
    #[arg(long, conflicts_with_all = ["month", "repeat", "against"])]
    pub months: Option<MonthRange>,
    /// Folder for the archive; it is kept, and raw months in it are reused
    #[arg(long, requires = "months")]
    pub dir: Option<PathBuf>,
    /// Write an SVG of memory over time to this file
    #[arg(long, requires = "months", value_name = "FILE")]
    pub chart: Option<PathBuf>,
}

#[derive(Args)]
pub struct TuneArgs {
    /// Most memory the process may use, in GB
    #[arg(long)]
    pub target_gb: Option<f64>,
    /// Most minutes a month may take
    #[arg(long)]
    pub target_minutes: Option<f64>,
    /// Synthetic month to generate and measure
    #[arg(long, default_value = "2025-10")]
    pub month: Month,
    /// Runs of each setting; the fastest counts
    #[arg(long, default_value_t = 3)]
    pub repeat: usize,
    /// Print the trials as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct DoctorArgs {
    /// Least memory, in GB
    #[arg(long, value_name = "GB")]
    pub min_memory_gb: Option<f64>,
    /// Least free disk space of the store, in GB
    #[arg(long, value_name = "GB")]
    pub min_disk_gb: Option<f64>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct CompletionsArgs {
    /// bash, elvish, fish, powershell or zsh
    pub shell: clap_complete::Shell,
}

#[derive(Args)]
pub struct ManArgs {
    /// Folder for the pages, such as /usr/local/share/man/man1
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub command: ConfigCommand,
}

#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Print each value and where it came from
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}
