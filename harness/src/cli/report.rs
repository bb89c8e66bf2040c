//! `report`.

use std::path::PathBuf;

use base::exit::Usage;
use clap::{Args, ValueEnum};
use data::{Month, MonthRange};

#[derive(Args)]
pub struct ReportArgs {
    /// What to report on
    pub kind: ReportKind,
    /// Only these, such as 2013-10..2013-12
    #[arg(long)]
    pub months: Option<MonthRange>,
    /// The month of a monthly report [default: the last that is published]
    #[arg(long, conflicts_with = "months")]
    pub month: Option<Month>,
    /// Output format [default: by the extension of --out, else text]
    #[arg(long)]
    pub format: Option<ReportFormat>,
    /// Write it to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// What is reported on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportKind {
    /// What was published, failed and withheld in the last 24 hours
    Daily,
    /// What was published, failed and withheld in the last seven days
    Weekly,
    /// One month in depth
    Monthly,
    /// The whole archive
    Final,
    /// Scores, gates, deductions, drift, what to reprocess
    Quality,
    /// Stage times, time per row, memory, retries
    Performance,
    /// The success criteria, measured: exit code 1 when one is missed
    Success,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For a terminal
    Text,
    /// For programs
    Json,
    /// For a wiki or a ticket
    Markdown,
    /// A single file with charts
    Html,
}

impl ReportArgs {
    /// The months to read.
    pub fn range(&self) -> Option<MonthRange> {
        self.months.or_else(|| self.month.and_then(|month| MonthRange::new(month, month)))
    }

    /// How it is to be written.
    ///
    /// # Errors
    /// A month for a report that is not on one.
    pub fn format(&self) -> Result<ReportFormat, Usage> {
        if self.month.is_some() && self.kind != ReportKind::Monthly {
            return Err(Usage("--month is for `report monthly`; give --months FIRST..LAST".into()));
        }
        let extension = self.out.as_ref().and_then(|path| path.extension()).and_then(|extension| extension.to_str());
        let named = match extension {
            Some("json") => ReportFormat::Json,
            Some("md" | "markdown") => ReportFormat::Markdown,
            Some("html" | "htm") => ReportFormat::Html,
            _ => ReportFormat::Text,
        };
        Ok(if self.json { ReportFormat::Json } else { self.format.unwrap_or(named) })
    }
}
