//! An earlier version of a month becomes the current one again, by the publishing protocol.

use base::{error::Class, exit::Usage};
use data::Month;
use serde::Serialize;

use super::{
    manifest::{self, ManifestError, Version},
    publications,
    publish::{self, Draft, Origin, Part, Published},
    store::Store,
    table::Follow,
};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is current again.
    RolledBack,
    /// It was the current version.
    Unchanged,
}

/// What a rollback did.
#[derive(Clone, Debug, Serialize)]
pub struct Rollback {
    /// The month.
    pub month: Month,
    /// What became of it.
    pub outcome: Outcome,
    /// The version that is current now.
    pub version: String,
    /// The version that was current; none of a removed month.
    pub replaced: Option<String>,
}

/// Makes an earlier version of a month the current one again: the one whose name begins with `to`, or the last that was
/// replaced.
///
/// # Errors
/// There is no such version, it is damaged, another worker has changed the month, or the store fails.
pub fn roll_back(store: &Store, month: Month, to: Option<&str>, follower: &impl Follow) -> base::Result<Rollback> {
    let found = manifest::read(store, month)?;
    let current = found.as_ref().map(|(manifest, _)| manifest.current.clone());
    let history = match &found {
        Some((manifest, _)) => manifest.history.clone(),
        None => manifest::read_removed(store, month)?.ok_or_else(|| unknown(store, month))?.0.history,
    };
    let version = choose(month, current.as_ref(), &history, to)?;
    let replaced = current.as_ref().map(|current| current.version.clone());
    let done = |outcome| Rollback { month, outcome, version: version.version.clone(), replaced: replaced.clone() };
    if replaced.as_ref() == Some(&version.version) {
        return Ok(done(Outcome::Unchanged));
    }
    let damaged = |source| ManifestError::Damaged { month, version: version.version.clone(), source: Box::new(source) };
    if publications::may_be_in_the_table(version) {
        follower.look(month);
    }
    publish::check(store, version).map_err(damaged)?;
    let part = |item| Part::of_item(item, Origin::Object(&item.key));
    let draft = Draft {
        month,
        data: part(&version.data),
        statistics: part(&version.statistics),
        rows: version.rows,
        made_from: version.made_from.clone(),
        raw: version.raw.clone(),
        score: version.score,
        pinned: true,
        earlier: &[],
    };
    match publish::publish(store, &draft, found)? {
        Published::New(new) => {
            follower.published(&new);
            Ok(done(Outcome::RolledBack))
        }
        Published::Unchanged => Ok(done(Outcome::Unchanged)),
        Published::ByAnother => {
            let said =
                format!("{month} was changed by another worker in the meantime; see `harness months history {month}`");
            Err(base::Error::new(Class::Passing, said))
        }
    }
}

/// The version that is meant: the last one that was replaced, or the one whose name begins so.
fn choose<'a>(
    month: Month,
    current: Option<&'a Version>,
    history: &'a [Version],
    to: Option<&str>,
) -> Result<&'a Version, Usage> {
    let Some(to) = to else {
        return history.first().ok_or_else(|| Usage(format!("{month} has no earlier version to roll back to")));
    };
    let meant: Vec<&Version> =
        current.into_iter().chain(history).filter(|version| version.version.starts_with(to)).collect();
    match meant[..] {
        [version] => Ok(version),
        [] => {
            Err(Usage(format!("--to {to}: {month} has no such version; `harness months history {month}` lists them")))
        }
        _ => Err(Usage(format!("--to {to}: several versions of {month} begin with it; give more characters"))),
    }
}

/// What is said of a month of which no version is left or ever was.
pub fn unknown(store: &Store, month: Month) -> Usage {
    Usage(format!("{month} has no version in store {}; `harness months list` shows the months that do", store.name()))
}
