//! Every command and flag, defined once: help and completions follow from here.

mod operate;
mod report;

use std::{net::SocketAddr, path::PathBuf};

use clap::{
    Args, Parser, Subcommand, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use data::{Month, MonthRange, synth::Defect};
use serde::Serialize;

pub use self::operate::{
    AlertsArgs, AlertsCommand, BackupArgs, BackupCommand, CleanArgs, CreateArgs, HistoryArgs, ListArgs, MonitorArgs,
    MonthsArgs, MonthsCommand, RemoveArgs, ReprocessArgs, RestoreArgs, RollbackArgs, SelftestArgs, SelftestKind,
    StatusArgs, VerifyArgs,
};
pub use self::report::{ReportArgs, ReportFormat, ReportKind};

/// Raw futures bars to training data: months of Databento files to 61-column Parquet.
#[derive(Parser)]
#[command(
    version,
    long_version = concat!(env!("CARGO_PKG_VERSION"), "\nsources ", env!("HARNESS_SOURCES")),
    after_help = "Exit codes: 0 done; 1 done, but months failed or a gate was missed; 2 usage or configuration; \
3 input corrupt or unsupported; 4 store or network; 5 a benchmark regressed; 70 a fault of the program; 130 interrupted."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub settings: SettingFlags,
}

#[derive(Subcommand)]
pub enum Command {
    /// Makes realistic DBN months and truth.json saying what is in them
    Synth(SynthArgs),
    /// The two-minute tour without any data: makes a month, processes it, prints the summary, writes the report
    Demo(DemoArgs),
    /// Months of the store from raw files to published Parquet; what is published already is skipped
    Run(RunArgs),
    /// What is in a file: contracts, the sessions it would give, what cleaning drops; - for stdin
    Inspect(InspectArgs),
    /// One file in (DBN, CSV, Parquet, Arrow IPC; - for stdin), one Parquet out, no store
    Process(ProcessArgs),
    /// Published months once more: objects, values, a sample computed anew, rollovers, statistics
    Validate(ValidateArgs),
    /// Score of each published month, a gate, the trend, months unlike the others, what to make again
    Quality(QualityArgs),
    /// How fast this machine is: ns per row of each stage, rows/s, MB/s, percentiles of the chunks
    Bench(BenchArgs),
    /// Tries jobs and chunk rows and writes the fastest that meets the target to harness.toml
    Tune(TuneArgs),
    /// Whether this machine and its stores will do: processor, memory, disk, clock, credentials, permissions
    Doctor(DoctorArgs),
    /// How far the months are: done, running, failed, and whether runs still get on; from any machine
    Status(StatusArgs),
    /// Resident: a web page, figures for Prometheus, and the alert rules
    Monitor(MonitorArgs),
    /// The alert rules once, or a test of the ways to tell people
    Alerts(AlertsArgs),
    /// The faults a machine, a network or a file can have, on this machine and in a temporary folder
    Selftest(SelftestArgs),
    /// Which months there are, their versions, and what to do with them
    Months(MonthsArgs),
    /// What was published and how good it is, as text, JSON, Markdown or HTML with charts
    Report(ReportArgs),
    /// Copies of the published months in another store
    Backup(BackupArgs),
    /// Removes what nobody needs any more: of killed runs, unused columns, orphans of the store
    Clean(CleanArgs),
    /// The settings in force
    Config(ConfigArgs),
    /// What is built in for each root: tick, sessions, roll window, ranges
    Presets(PresetsArgs),
    /// Completions for a shell, to stdout
    Completions(CompletionsArgs),
    /// The manual: this page to stdout, or a page for every command into a folder
    Man(ManArgs),
}

/// Settings: a flag wins over the environment, that over harness.toml, that over the default.
#[derive(Args, Default)]
#[command(next_help_heading = "Settings")]
pub struct SettingFlags {
    /// Configuration file [default: ./harness.toml if it exists]
    #[arg(long, global = true)]
    pub config: Option<PathBuf>,
    /// Where raw files and published months are: s3://bucket/prefix or a local directory
    #[arg(long, global = true)]
    pub store: Option<String>,
    /// Where raw files are, if not in the store: s3://bucket/prefix or a local directory
    #[arg(long, global = true)]
    pub raw: Option<String>,
    /// What windows do at a session's edge: session or rolling
    #[arg(long, global = true)]
    pub profile: Option<String>,
    /// Month the weights decay to [default: last month of the range]
    #[arg(long, global = true, value_name = "YYYY-MM")]
    pub decay_reference: Option<String>,
    /// Also make months after the decay reference, whose weights grow: true or false
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub allow_decay_reference_before_data: Option<String>,
    /// float32 or float64
    #[arg(long, global = true)]
    pub features_dtype: Option<String>,
    /// Front contract by the session's own volume, or by the previous one's: volume or volume-previous
    #[arg(long, global = true)]
    pub contract: Option<String>,
    /// Rows of one kernel call; changes nothing in the output
    #[arg(long, global = true)]
    pub chunk_rows: Option<String>,
    /// Threads, at most four a core [default: all cores]
    #[arg(long, global = true)]
    pub jobs: Option<String>,
    /// Memory limit in GB
    #[arg(long, global = true)]
    pub max_memory_gb: Option<String>,
    /// Folder for temporary files and decoded columns
    #[arg(long, global = true)]
    pub temp_dir: Option<String>,
    /// Limit of the decoded columns kept for a second run, in GB; 0 keeps none
    #[arg(long, global = true)]
    pub cache_gb: Option<String>,
    /// Root symbol
    #[arg(long, global = true)]
    pub root: Option<String>,
    /// Minimum price increment in points [default: that of the root, see `presets`]
    #[arg(long, global = true)]
    pub tick_size: Option<String>,
    /// Prices of 0 and below are prices: true or false [default: that of the root]
    #[arg(long, global = true, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub negative_prices: Option<String>,
    /// Which hours of the root: regular, or globex for 17:00 on the evening before to 16:00 Central
    #[arg(long, global = true)]
    pub session: Option<String>,
    /// First second of the session, local time HH:MM[:SS]; on the evening before where it is after the end [default: that of
    /// the root's session]
    #[arg(long, global = true)]
    pub session_start: Option<String>,
    /// Second after the last one of the session, local time HH:MM[:SS] [default: that of the root's session]
    #[arg(long, global = true)]
    pub session_end: Option<String>,
    /// When the session pauses, such as "15:15-15:30 until 2021-06-25, 16:00-17:00" [default: that of the root's session]
    #[arg(long, global = true, value_name = "BREAKS")]
    pub session_breaks: Option<String>,
    /// IANA time zone of the session
    #[arg(long, global = true)]
    pub time_zone: Option<String>,
    /// IANA time zone of times in tables (Parquet, Arrow, CSV) that have none [default: UTC]
    #[arg(long, global = true)]
    pub input_time_zone: Option<String>,
    /// What tables (Parquet, Arrow, CSV) call their columns, such as timestamp=ts,volume=vol
    #[arg(long, global = true, value_name = "NAMES")]
    pub columns: Option<String>,
    /// What whole-number times of tables count since 1970: s, ms, us or ns [default: ns in CSV]
    #[arg(long, global = true, value_name = "UNIT")]
    pub time_unit: Option<String>,
    /// What prices of tables count: points, cents, ticks or fixed (units of 1e-9 points) [default: points where they have a
    /// decimal point, fixed where they are whole numbers]
    #[arg(long, global = true, value_name = "UNIT")]
    pub price_unit: Option<String>,
    /// Change of close between two rows, in points, beyond which it is a gap
    #[arg(long, global = true)]
    pub gap_points: Option<String>,
    /// When a roll is expected, in days around a day of the old contract's delivery month, such as "third-friday -10..0" or
    /// "first-day -8..-1"; none: the volumes alone decide [default: that of the root, see `presets`]
    #[arg(long, global = true, allow_hyphen_values = true, value_name = "WINDOW")]
    pub roll_window: Option<String>,
    /// error, warn, info, debug or trace
    #[arg(long, global = true)]
    pub log_level: Option<String>,
    /// Log lines for people or for programs: text or json
    #[arg(long, global = true)]
    pub log_format: Option<String>,
    /// Also log into this file, a new one every day
    #[arg(long, global = true)]
    pub log_file: Option<String>,
    /// Instructions of the kernels: auto, baseline, avx2, avx512 or neon; the output is the same
    #[arg(long, global = true)]
    pub instructions: Option<String>,
}

#[derive(Args)]
pub struct SynthArgs {
    /// Months to make, such as 2013-10..2013-12
    #[arg(long)]
    pub months: MonthRange,
    /// Folder for the files and truth.json
    #[arg(long)]
    pub out: PathBuf,
    /// Everything random follows from it
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Kinds of bad records to add at a few places of each month, separated by commas
    #[arg(long, value_delimiter = ',', value_parser = defects())]
    pub defects: Vec<Defect>,
    /// Machine-readable summary
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
    /// Machine-readable, with the ranges of all features
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct ProcessArgs {
    /// DBN, CSV, Parquet or Arrow IPC; - for stdin
    pub input: PathBuf,
    /// Parquet to write
    pub output: PathBuf,
    /// Also write the statistics here
    #[arg(long, value_name = "FILE")]
    pub statistics: Option<PathBuf>,
    /// Machine-readable summary
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
    /// Also make months that are published from the same input and settings
    #[arg(long)]
    pub force: bool,
    /// Do not publish a month whose score is under the threshold: it is kept aside, and the exit code is 1
    #[arg(long)]
    pub gate: bool,
    /// The score that --gate asks for
    #[arg(long, value_name = "SCORE", requires = "gate", default_value_t = 0.8, value_parser = score)]
    pub threshold: f64,
    /// Only say what would be made
    #[arg(long)]
    pub dry_run: bool,
    /// This task of an array job, from 0: it makes its part of the months [default: what AWS Batch, Kubernetes or
    /// Slurm set, for --months]
    #[arg(long, requires = "task_count", value_name = "NUMBER")]
    pub task_index: Option<usize>,
    /// Tasks of the array job [default: what AWS Batch or Slurm set]
    #[arg(long, value_name = "NUMBER")]
    pub task_count: Option<usize>,
    /// Also serves the page of `monitor` at this address while it runs
    #[arg(long, value_name = "ADDR")]
    pub monitor: Option<SocketAddr>,
    /// Also writes metrics of the run to this file, for the text file collector of node_exporter
    #[arg(long, value_name = "FILE")]
    pub metrics_file: Option<PathBuf>,
    /// Machine-readable result
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
    /// Machine-readable
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct DemoArgs {
    /// Folder for the raw month, the store and the report
    #[arg(long, default_value = "./demo")]
    pub out: PathBuf,
    /// The month to make
    #[arg(long, default_value = "2025-12")]
    pub month: Month,
    /// Everything random follows from it
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Machine-readable result
    #[arg(long)]
    pub json: bool,
}

/// What `validate` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// The published Parquet: size, checksum, schema, and what every value must be
    Output,
    /// Rows against the raw records, and a sample of labels, weights and features computed anew
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
    /// With `output`: one Parquet file of ours instead of months of the store
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
    /// Rows of each session that `data` computes anew, besides those where windows fill
    #[arg(long, value_name = "ROWS", default_value_t = 100)]
    pub sample: usize,
    /// Which rows these are follows from it
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Prints the JSON Schema of the statistics and does nothing else
    #[arg(long)]
    pub print_schema: bool,
    /// Machine-readable findings
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct QualityArgs {
    /// Months, such as 2013-10..2013-12 [default: all that are published]
    #[arg(long)]
    pub months: Option<MonthRange>,
    /// Least score: a month under it is exit code 1
    #[arg(long, default_value_t = 0.8)]
    pub threshold: f64,
    /// Looks again every few seconds until interrupted
    #[arg(long)]
    pub watch: bool,
    /// Machine-readable
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct BenchArgs {
    /// The synthetic month that is made and measured
    #[arg(long, default_value = "2025-10")]
    pub month: Month,
    /// Times it is run; the fastest counts
    #[arg(long, default_value_t = 5)]
    pub repeat: usize,
    /// Machine-readable result
    #[arg(long)]
    pub json: bool,
    /// A result of --json to compare with: exit code 5 when a figure is slower
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// How much slower is a regression, as a share
    #[arg(long, default_value_t = 0.25)]
    pub tolerance: f64,
    /// Instead: a whole archive of synthetic months, such as 2010-07..2025-10, with the memory held over time
    #[arg(long, conflicts_with_all = ["month", "repeat", "against"])]
    pub months: Option<MonthRange>,
    /// Folder for the archive, kept; raw months that are there are used again
    #[arg(long, requires = "months")]
    pub dir: Option<PathBuf>,
    /// SVG of the memory over time
    #[arg(long, requires = "months", value_name = "FILE")]
    pub chart: Option<PathBuf>,
}

#[derive(Args)]
pub struct TuneArgs {
    /// Most memory the process may hold, in GB
    #[arg(long)]
    pub target_gb: Option<f64>,
    /// Most minutes a month may take
    #[arg(long)]
    pub target_minutes: Option<f64>,
    /// The synthetic month that is made and measured
    #[arg(long, default_value = "2025-10")]
    pub month: Month,
    /// Times each setting is run; the fastest counts
    #[arg(long, default_value_t = 3)]
    pub repeat: usize,
    /// Machine-readable trials
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct DoctorArgs {
    /// Memory that must be there, in GB
    #[arg(long, value_name = "GB")]
    pub min_memory_gb: Option<f64>,
    /// Room that must be left where the store is, in GB
    #[arg(long, value_name = "GB")]
    pub min_disk_gb: Option<f64>,
    /// Machine-readable result
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
    /// Prints each value and where it came from
    Show {
        /// Machine-readable
        #[arg(long)]
        json: bool,
    },
}
