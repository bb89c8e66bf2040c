//! The commands over what a store holds: months, backups, cleaning.

use std::net::SocketAddr;

use clap::{Args, Subcommand, ValueEnum};
use data::{Month, MonthRange};
use jiff::{SignedDuration, Span, SpanRelativeTo};

#[derive(Args)]
pub struct StatusArgs {
    /// Refresh every two seconds until interrupted
    #[arg(long)]
    pub watch: bool,
    /// Exit code 1 when a larger share of the tried months has failed, such as 0.02
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub max_error_rate: Option<f64>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct MonitorArgs {
    /// Address to listen on; whoever can reach it can read the page
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9400")]
    pub listen: SocketAddr,
    /// Seconds between two scans of the store
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub interval: u64,
}

#[derive(Args)]
pub struct AlertsArgs {
    #[command(subcommand)]
    pub command: AlertsCommand,
}

#[derive(Subcommand)]
pub enum AlertsCommand {
    /// Evaluate the rules once and notify about changes, for cron; exit code 1 while an alert is active
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Send a test alert through every channel of harness.toml
    Test {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub struct SelftestArgs {
    /// Kind of faults
    pub kind: SelftestKind,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SelftestKind {
    /// Damaged files are refused with exit code 3, the clean one is processed
    Corruption,
    /// A server that fails, truncates and disconnects changes no published byte
    Network,
    /// A month fits its memory limit; a limit that is too small is refused with the size needed
    Memory,
}

#[derive(Args)]
pub struct MonthsArgs {
    #[command(subcommand)]
    pub command: MonthsCommand,
}

#[derive(Subcommand)]
pub enum MonthsCommand {
    /// List every known month: state, score, version, raw files
    List(ListArgs),
    /// List the versions of a month, the current one first
    History(HistoryArgs),
    /// Make an earlier version current again; `run` keeps it until --force
    Rollback(RollbackArgs),
    /// Remove months from what readers see; their versions stay in the history for rollback
    Remove(RemoveArgs),
    /// Reprocess months, as `run --force` does, each with the decay reference it had
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
    /// Only months whose statistics recommend reprocessing, with the reasons; reads every statistics object
    #[arg(long)]
    pub needed: bool,
    /// Print JSON
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
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct RollbackArgs {
    /// The month, such as 2013-10
    pub month: Month,
    /// Version, or its first characters [default: the last one that was replaced]
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct RemoveArgs {
    /// A month or months, such as 2013-10..2013-12
    pub months: MonthRange,
    /// Print the result as JSON
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
    /// Only print what would be built
    #[arg(long)]
    pub dry_run: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct BackupArgs {
    #[command(subcommand)]
    pub command: BackupCommand,
}

#[derive(Subcommand)]
pub enum BackupCommand {
    /// Copy published months with their history to another store, incrementally
    Create(CreateArgs),
    /// Read a whole backup back; report what is missing, altered or orphaned
    Verify(VerifyArgs),
    /// Publish the current versions of a backup; what they replace goes to the history
    Restore(RestoreArgs),
}

#[derive(Args)]
pub struct CreateArgs {
    /// Store to copy to, as --store takes it
    pub to: String,
    /// Only these, such as 2013-10..2013-12
    #[arg(long)]
    pub months: Option<MonthRange>,
    /// Copy raw files as well
    #[arg(long)]
    pub raw_files: bool,
    /// Read back objects that are in the backup already
    #[arg(long)]
    pub full: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct VerifyArgs {
    /// Store with the backup, as --store takes it
    pub at: String,
    /// Compare the months of the backup with those of the store, both ways
    #[arg(long)]
    pub against_store: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct RestoreArgs {
    /// Store with the backup, as --store takes it
    pub from: String,
    /// Only these, such as 2013-10..2013-12
    #[arg(long)]
    pub months: Option<MonthRange>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct TableArgs {
    #[command(subcommand)]
    pub command: TableCommand,
}

#[derive(Subcommand)]
pub enum TableCommand {
    /// Make the log of the table, or mend it, so that it says what the manifests say
    Sync {
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Compare the log of the table with the manifests; exit code 1 when they differ
    Verify {
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub struct CleanArgs {
    /// Age of decoded columns, and with --history of earlier versions: 30d, 12h, 0s
    #[arg(long, default_value = "30d", value_parser = age)]
    pub older_than: SignedDuration,
    /// Delete versions replaced, and months removed, longer ago than that as well
    #[arg(long)]
    pub history: bool,
    /// Only print what would be deleted
    #[arg(long)]
    pub dry_run: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a share from 0 to 1, such as 0.02".into())
}

/// Days have 24 hours; months and years have no length.
fn age(text: &str) -> Result<SignedDuration, String> {
    let span = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    let age = span.ok().filter(|age| !age.is_negative());
    age.ok_or_else(|| "expected days, hours, minutes or seconds, such as 30d, 12h or 0s".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        for (text, hours) in [("30d", 720), ("12h", 12), ("0s", 0), ("1w", 168), ("1d 6h", 30)] {
            assert_eq!(age(text), Ok(SignedDuration::from_hours(hours)), "{text}");
        }
        for wrong in ["", "30", "d", "-1d", "1mo", "1y", "30 parsecs", "999999999999999d"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}
