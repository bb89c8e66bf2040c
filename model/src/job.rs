//! What a worker does, and how far it is.

use crate::store::{Manifest, Objects};

/// What a worker is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// Publishes a version.
    Publish(u8),
    /// Takes the month out.
    Remove,
    /// Looks at the month, and deletes what may go.
    Look,
}

/// A conditional request that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sent {
    /// The state of the manifest it is for.
    pub expected: Option<(u8, u8)>,
    /// What it writes; none deletes the manifest.
    pub manifest: Option<Manifest>,
}

/// How far a worker is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Has not begun.
    Idle,
    /// Has read the manifest, and listed what nothing names.
    Read,
    /// Has made its object and read it back.
    Checked,
    /// Has copied what it replaces.
    Kept,
    /// Waits for the answer to its commit.
    Waits,
    /// It was told no, or nothing, and looks.
    Doubts,
    /// Removes its own.
    Withdraws,
    /// Has moved the manifest on, and deletes.
    Deletes(Objects),
    /// Has read the month to delete what may go.
    Looked,
    /// Has nothing left to do, or was killed.
    Gone,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Worker {
    pub step: Step,
    /// The manifest, or the record of a removal, as it read it.
    pub read: Option<Manifest>,
    /// What nothing named then, of later generations and of others.
    pub begun: Objects,
    pub past: Objects,
    /// What was a day old then, and whether the manifest was.
    pub aged: Objects,
    pub rested: bool,
    /// The generation it makes its objects for.
    pub generation: u8,
    /// What it has made.
    pub made: Objects,
    /// Its commit, for as long as it may arrive.
    pub sent: Option<Sent>,
    /// Its commit was sent once.
    pub committed: bool,
    /// Its first look was a day ago: it commits no more.
    pub late: bool,
}

impl Worker {
    pub fn new() -> Self {
        Self {
            step: Step::Idle,
            read: None,
            begun: 0,
            past: 0,
            aged: 0,
            rested: false,
            generation: 0,
            made: 0,
            sent: None,
            committed: false,
            late: false,
        }
    }

    /// Whether the month had a manifest when it read it.
    pub fn over_another(&self) -> bool {
        self.read.as_ref().is_some_and(|manifest| manifest.current.is_some())
    }
}
