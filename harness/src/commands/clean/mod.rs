//! `clean`: removes what nobody needs any more, here and in the store, and says what and how much.

mod cache;
mod store;

use archive::sweep;
use jiff::Timestamp;
use serde::Serialize;

use crate::{cli::CleanArgs, settings::Settings};

/// What is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Temporary folder of a run that was killed.
    KilledRun,
    /// Decoded columns of an input.
    Columns,
    /// An object that no manifest names.
    Orphan,
    /// The record of a failure that was mended.
    Failure,
    /// The heartbeat of a run that is over.
    Heartbeat,
    /// An object of an earlier version.
    History,
}

/// What was deleted, or would be.
#[derive(Debug, Serialize)]
struct Gone {
    /// What it was.
    kind: Kind,
    /// Path or key.
    name: String,
    /// Its size.
    bytes: u64,
}

/// What had to stay.
#[derive(Debug, Serialize)]
struct Left {
    /// Path or key.
    name: String,
    /// Why.
    why: String,
}

/// What was removed, or would be.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// Whether nothing was deleted (`--dry-run`).
    dry_run: bool,
    /// What was deleted, or would be.
    removed: Vec<Gone>,
    /// What could not be deleted.
    left: Vec<Left>,
    /// Bytes of what was deleted.
    bytes: u64,
}

/// Runs the command.
pub fn run(args: &CleanArgs, settings: &Settings) -> crate::Result<u8> {
    let mut report = Report { dry_run: args.dry_run, ..Report::default() };
    let before = Timestamp::now().checked_sub(args.older_than).unwrap_or(Timestamp::MIN);
    cache::clean(settings, before, &mut report)?;
    let age = args.older_than.unsigned_abs().min(sweep::GRACE);
    let done = store::clean(settings, args.history.then_some(before), age, &mut report);
    report.bytes = report.removed.iter().map(|gone| gone.bytes).sum();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    done.map(|()| 0)
}

impl Report {
    fn removed(&mut self, kind: Kind, name: impl Into<String>, bytes: u64) {
        self.removed.push(Gone { kind, name: name.into(), bytes });
    }

    fn left(&mut self, name: impl Into<String>, why: impl Into<String>) {
        self.left.push(Left { name: name.into(), why: why.into() });
    }

    fn print(&self) {
        let Self { dry_run, removed, left, bytes } = self;
        removed.iter().for_each(|Gone { kind, name, bytes }| println!("{:10}  {name}  {bytes} bytes", kind.text()));
        left.iter().for_each(|Left { name, why }| println!("left alone  {name}: {why}"));
        let done = if *dry_run { "would be removed" } else { "removed" };
        println!("{} {done}, {bytes} bytes", removed.len());
    }
}

impl Kind {
    fn text(self) -> &'static str {
        match self {
            Self::KilledRun => "killed run",
            Self::Columns => "columns",
            Self::Orphan => "orphan",
            Self::Failure => "failure",
            Self::Heartbeat => "heartbeat",
            Self::History => "history",
        }
    }
}
