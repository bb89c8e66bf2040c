//! `months rollback`: an earlier version becomes the current one again, by the publishing protocol.

use data::Month;
use serde::Serialize;

use super::history::unknown;
use crate::{
    archive::{
        manifest::{self, ManifestError, Version},
        publish::{self, Draft, Origin, Part, Published},
        store::Store,
    },
    cli::RollbackArgs,
    error::Class,
    exit::Usage,
    settings::Settings,
};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    RolledBack,
    /// It was the current version.
    Unchanged,
}

#[derive(Serialize)]
struct Rollback {
    month: Month,
    outcome: Outcome,
    version: String,
    /// The version that was current; none of a removed month.
    replaced: Option<String>,
}

/// Runs the command.
pub fn run(args: &RollbackArgs, settings: &Settings) -> crate::Result<u8> {
    let store = Store::existing(settings.text("store"), settings.access)?;
    let done = roll_back(&store, args.month, args.to.as_deref())?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&done)?);
        return Ok(0);
    }
    let Rollback { month, outcome, version, replaced } = &done;
    match (outcome, replaced) {
        (Outcome::Unchanged, _) => println!("{month}  unchanged: {version} is current"),
        (Outcome::RolledBack, Some(replaced)) => {
            println!("{month}  rolled back to {version}; {replaced} is in the history, run keeps this until --force")
        }
        (Outcome::RolledBack, None) => println!("{month}  published again as {version}; run keeps this until --force"),
    }
    Ok(0)
}

/// Rolls a month back to the version before.
#[cfg(test)]
pub fn run_on(store: &Store, month: Month) -> crate::Result<()> {
    roll_back(store, month, None).map(|_| ())
}

fn roll_back(store: &Store, month: Month, to: Option<&str>) -> crate::Result<Rollback> {
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
        Published::New => Ok(done(Outcome::RolledBack)),
        Published::Unchanged => Ok(done(Outcome::Unchanged)),
        Published::ByAnother => {
            let said =
                format!("{month} was changed by another worker meanwhile; look at harness months history {month}");
            Err(crate::Error::new(Class::Passing, said))
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
        [] => Err(Usage(format!("--to {to}: {month} has no such version; harness months history {month} lists them"))),
        _ => Err(Usage(format!("--to {to}: several versions of {month} begin so; give more of its name"))),
    }
}
