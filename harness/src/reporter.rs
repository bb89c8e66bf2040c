//! Who is told how a run gets on: the engine says what happens, commands decide who sees it.

use std::{fmt, sync::Arc};

use archive::store::{Store, Traffic};
use data::Month;
use serde::{Deserialize, Serialize};

/// What is being done for a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its raw files are found, and downloaded.
    Read,
    /// They are decoded.
    Decode,
    /// Labels and features are computed and written.
    Compute,
    /// Its statistics are made.
    Measure,
    /// It is published.
    Publish,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Decode => "decode",
            Self::Compute => "compute",
            Self::Measure => "measure",
            Self::Publish => "publish",
        })
    }
}

/// Told by all threads of a run.
pub trait Reporter: Sync {
    /// A run over these months begins, of so many steps in all.
    ///
    /// # Errors
    /// The run shall not begin.
    fn begin(&mut self, store: &Store, months: &[Month], traffic: &Arc<Traffic>, steps: u64) -> crate::Result<()>;
    /// A month begins a stage.
    fn stage(&self, month: Month, stage: Stage);
    /// Some steps are done.
    fn steps(&self, count: u64);
    /// A month is made, was found as it should be, or has failed.
    fn finished(&self, month: Month, made: bool, error: Option<&str>);
    /// Prints or logs where it disturbs nothing.
    fn say(&self, print: &mut dyn FnMut());
    /// The run is over; something has stopped it before its end.
    fn end(&mut self, stopped: bool);
}
