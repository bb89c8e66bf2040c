//! The arguments of `stream` and `parity`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use data::Month;

#[derive(Args)]
pub struct StreamArgs {
    /// DBN of ohlcv-1s as it comes, of a parent: all contracts; - for stdin
    pub input: PathBuf,
    /// Wait for more at the end of the file
    #[arg(long)]
    pub follow: bool,
    /// What to write
    #[arg(long, value_enum, default_value_t = StreamFormat::Jsonl)]
    pub format: StreamFormat,
    /// Only these columns of bar and features, separated by commas; timestamp, contract and provisional come always
    #[arg(long = "columns", value_delimiter = ',', value_name = "NAMES")]
    pub chosen: Vec<String>,
    /// The front contract, such as ESZ5 [default: the one that traded most in the session before]
    #[arg(long)]
    pub symbol: Option<String>,
    /// Write the state to this file every 60 rows and at the end, and go on from it
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// A second without a record is empty so many seconds after its end, also where no later record has come
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2")]
    pub clock: Option<u16>,
}

/// What `stream` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StreamFormat {
    /// One JSON object a line
    Jsonl,
    /// A header and a line a row
    Csv,
    /// An Arrow IPC stream, one batch a row
    Arrow,
}

#[derive(Args)]
pub struct ParityArgs {
    /// What `stream` wrote: JSON lines, CSV or an Arrow stream
    pub log: PathBuf,
    /// The published month that has the log's dates
    #[arg(long, required_unless_present = "file")]
    pub month: Option<Month>,
    /// A training file instead of a published month
    #[arg(long, value_name = "PARQUET", conflicts_with = "month")]
    pub file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
