//! What the log says the table is at a version: all of its commits up to it, one after the other.

use std::collections::BTreeMap;

use data::Month;

use super::{
    action::{Action, Add, MetaData, Protocol, Remove, Txn},
    columns::{Columns, MONTH},
};

/// A table at a version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The version: the number of its last commit.
    pub version: u64,
    /// What a reader must know.
    pub protocol: Option<Protocol>,
    /// What it is.
    pub metadata: Option<MetaData>,
    /// Its files by path.
    pub files: BTreeMap<String, Add>,
    /// Up to which generation of its manifest each month is logged.
    pub generations: BTreeMap<Month, u64>,
    /// Files that no longer belong to it, by path.
    pub removed: BTreeMap<String, Remove>,
}

/// How the names of months begin as applications.
const APPLICATION: &str = "harness/";

/// How far a month is logged.
pub fn logged(month: Month, generation: u64, millis: i64) -> Action {
    Action::Txn(Txn { app_id: format!("{APPLICATION}{month}"), version: generation, last_updated: Some(millis) })
}

impl Snapshot {
    /// Takes in the next action.
    pub fn apply(&mut self, action: Action) {
        match action {
            Action::Protocol(protocol) => self.protocol = Some(protocol),
            Action::MetaData(metadata) => self.metadata = Some(metadata),
            Action::Add(add) => {
                self.removed.remove(&add.path);
                self.files.insert(add.path.clone(), add);
            }
            Action::Remove(remove) => {
                self.files.remove(&remove.path);
                self.removed.insert(remove.path.clone(), remove);
            }
            Action::Txn(Txn { app_id, version, .. }) => {
                if let Some(month) = app_id.strip_prefix(APPLICATION).and_then(|month| month.parse().ok()) {
                    self.generations.insert(month, version);
                }
            }
        }
    }

    /// The files of a month; one, where nobody else wrote to the log.
    pub fn of_month(&self, month: Month) -> impl Iterator<Item = &Add> {
        self.files.values().filter(move |add| month_of(add) == Some(month))
    }

    /// Its columns, as far as they can be read.
    pub fn columns(&self) -> Option<Columns> {
        self.metadata.as_ref().and_then(|metadata| Columns::parse(&metadata.schema_string).ok())
    }

    /// What a checkpoint says: all of it, and of what was removed what was so since a time.
    pub fn actions(&self, since: i64, millis: i64) -> Vec<Action> {
        let young = |remove: &&Remove| remove.deletion_timestamp.is_some_and(|deleted| deleted >= since);
        let protocol = self.protocol.into_iter().map(Action::Protocol);
        let metadata = self.metadata.iter().cloned().map(Action::MetaData);
        let generations = self.generations.iter().map(|(&month, &generation)| logged(month, generation, millis));
        let removed = self.removed.values().filter(young).cloned().map(Action::Remove);
        let files = self.files.values().cloned().map(Action::Add);
        protocol.chain(metadata).chain(generations).chain(removed).chain(files).collect()
    }
}

/// The month of a file.
pub fn month_of(add: &Add) -> Option<Month> {
    add.partition_values.get(MONTH)?.as_deref()?.parse().ok()
}
