//! The published months as one table of Delta Lake: a log beside the months' folders, of which each commit says which file
//! came and which went.
//!
//! The manifests are the truth and the log follows: it is written after them, says nothing that they do not, and can be made
//! again from them. A commit of the log is an object that is created once, under the number after the last one. Who writes
//! it has read the log first and the month's manifest then, and adds every publication that the log has not; so when its
//! number is still free, nobody has logged more, and when it is taken it reads again. A slow writer cannot undo what
//! another has logged, and a commit that arrives late is one that nothing came before. Each commit takes a month's file
//! out as it brings another, so a month is there once at every version.

mod action;
mod checkpoint;
mod columns;
mod compare;
mod error;
mod follower;
mod gate;
mod known;
mod log;
mod snapshot;
mod writer;

pub use self::{
    action::{Action, Author, Commit},
    checkpoint::read as read_checkpoint,
    compare::{Differs, Found, Left, What, compare},
    error::TableError,
    follower::{Follow, Follower},
    gate::LONGEST,
    log::{Fault, FaultKind},
    writer::{Outcome, Synced, Writer},
};

/// The root of the table.
pub const ROOT: &str = "processed-data/monthly";
/// Folder of its log.
pub const LOG: &str = "processed-data/monthly/_delta_log";
