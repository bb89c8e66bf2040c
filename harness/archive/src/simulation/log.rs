//! The log of the table as a reader takes it that knows nothing of who wrote it.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::month;
use crate::{
    naming::Name,
    table::{Action, Commit, LOG, ROOT},
};

/// What the log says.
#[derive(Debug, Default)]
pub struct Logged {
    /// Every file that was ever added.
    added: BTreeSet<String>,
    /// The file of the month now.
    now: Option<String>,
    /// Up to which generation it began with; without a log nothing is expected of it.
    from: Option<u64>,
}

/// Goes through the commits from the first on: at every version the month has one file at most, and none comes twice.
pub fn replay(read: impl Fn(&str) -> Option<Bytes>) -> Result<Logged, String> {
    let mut logged = Logged::default();
    for version in 0.. {
        let Some(bytes) = read(&format!("{LOG}/{version:020}.json")) else { break };
        let wrong = |what: String| format!("version {version} of the table: {what}");
        for action in Commit::parse(&bytes).map_err(wrong)?.actions {
            match action {
                Action::Txn(txn) if version == 0 => logged.from = Some(txn.version),
                Action::Remove(remove) if logged.now.as_ref() == Some(&remove.path) => logged.now = None,
                Action::Remove(remove) => return Err(wrong(format!("{} is removed and not there", remove.path))),
                Action::Add(add) => {
                    if let Some(now) = logged.now.replace(add.path.clone()) {
                        return Err(wrong(format!("{now} and {} at once", add.path)));
                    }
                    if !logged.added.insert(add.path.clone()) {
                        return Err(wrong(format!("{} comes again", add.path)));
                    }
                }
                _ => {}
            }
        }
    }
    Ok(logged)
}

impl Logged {
    /// What was published since the log began and is not in it, and whether it has what is current.
    pub fn differs<'a>(&self, published: impl Iterator<Item = &'a String>, current: Option<&String>) -> Vec<String> {
        let path = |key: &String| key.strip_prefix(ROOT).map(|path| path[1..].to_owned());
        let since = |key: &&String| {
            Name::of(month(), key).is_some_and(|name| self.from.is_some_and(|from| name.generation > from))
        };
        // What was taken out again before there was a log is in none.
        let lost = published.filter(since).filter(|key| !path(key).is_some_and(|path| self.added.contains(&path)));
        let mut found: Vec<String> =
            lost.map(|key| format!("{key} was published and never logged: {self:?}")).collect();
        if self.now != current.and_then(path) {
            found.push(format!("{:?} in the table, {current:?} is current", self.now));
        }
        found
    }
}
