//! `months remove`: a month is taken out of what readers see. Nothing of it is destroyed.
//!
//! Its objects are copied to the history and verified, what is kept of it is written beside them, and then its manifest
//! is deleted: that is the commit. An interruption before it leaves the month as it was, one after it leaves objects that
//! no manifest names, which go later.

use std::sync::Arc;

use data::Month;
use jiff::Timestamp;
use serde::Serialize;

use super::history::unknown;
use crate::{
    archive::{
        holdings::{Holdings, within},
        manifest::{self, Manifest, ManifestError, Removed, SCHEMA_VERSION, State, Version},
        publish::{self, Made},
        store::{Exclusive, Store, Tag},
        sweep,
    },
    cli::RemoveArgs,
    exit, interrupt,
    settings::Settings,
};

/// What became of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Now.
    Removed,
    /// It was removed before.
    RemovedBefore,
    Failed,
}

#[derive(Serialize)]
struct Line {
    month: Month,
    outcome: Outcome,
    /// Versions that can be rolled back to.
    versions: usize,
    error: Option<String>,
}

/// Runs the command.
pub fn run(args: &RemoveArgs, settings: &Settings) -> crate::Result<u8> {
    let store = Store::existing(settings.text("store"), settings.access)?;
    let holdings = Holdings::of(&store)?;
    let held = holdings.months.iter().filter(|(_, held)| held.published || held.removed).map(|(&month, _)| month);
    let months: Vec<Month> = held.filter(|&month| within(Some(args.months), month)).collect();
    if months.is_empty() {
        return Err(unknown(&store, args.months.first()).into());
    }
    let (mut lines, mut stopped) = (Vec::new(), None);
    for month in months {
        match remove(&store, month) {
            Ok((outcome, versions)) => lines.push(Line { month, outcome, versions, error: None }),
            Err(error) => {
                let error = crate::Error::from(error);
                let sentence = exit::sentence(&error);
                lines.push(Line { month, outcome: Outcome::Failed, versions: 0, error: Some(sentence) });
                if !error.class().is_of_one_month() {
                    stopped = Some(error.context(month.to_string()));
                    break;
                }
            }
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
    } else {
        lines.iter().for_each(Line::print);
    }
    if let Some(error) = stopped {
        return Err(error);
    }
    let failed = lines.iter().any(|line| line.outcome == Outcome::Failed);
    Ok(if failed { exit::PARTLY } else { 0 })
}

/// Takes a month out: what became of it, and the versions that are kept.
///
/// # Errors
/// [`ManifestError`].
pub fn remove(store: &Store, month: Month) -> Result<(Outcome, usize), ManifestError> {
    let right = store.exclusive(&month.to_string())?;
    let before = State::read(store, month)?;
    let Some((manifest, tag)) = &before.manifest else {
        sweep::sweep(store, month, &right)?;
        return Ok((Outcome::RemovedBefore, before.removed.map_or(0, |(removed, _)| removed.history.len())));
    };
    let made = Made::new(store, month, &before);
    let _interrupt = interrupt::on_exit({
        let made = Arc::clone(&made);
        move || _ = made.withdraw()
    });
    match keep_and_commit(store, manifest, tag, &made, &right) {
        Ok(versions) => Ok((Outcome::Removed, versions)),
        Err(error) => {
            // The first error is the one to tell.
            _ = made.withdraw();
            Err(error)
        }
    }
}

/// The number of versions kept.
fn keep_and_commit(
    store: &Store,
    manifest: &Manifest,
    tag: &Tag,
    made: &Made,
    right: &Exclusive,
) -> Result<usize, ManifestError> {
    let (month, current) = (manifest.month, &manifest.current);
    let damaged = |source| ManifestError::Damaged { month, version: current.version.clone(), source: Box::new(source) };
    publish::check(store, current).map_err(damaged)?;
    let kept = publish::keep(store, current, made)?;
    let mut history: Vec<_> = [kept].into_iter().chain(manifest.history.clone()).collect();
    // One that is there already was left by a removal that did not come to its end; or a month came to be again without
    // knowing of it, and then it has more to say.
    let left = manifest::read_removed(store, month)?;
    let unknown = |old: &Version| history.iter().all(|known| known.version != old.version);
    let more = left.iter().flat_map(|(left, _)| &left.history);
    let more: Vec<Version> = more.filter(|old| unknown(old)).cloned().collect();
    history.extend(more);
    let (versions, generation) =
        (history.len(), made.generation().max(left.as_ref().map_or(0, |(left, _)| left.generation + 1)));
    let removed = Removed { schema_version: SCHEMA_VERSION, month, generation, removed: Timestamp::now(), history };
    let key = manifest::removed_key(month);
    let json = manifest::json(&key, &removed)?;
    made.commits();
    store.put_if(right, &key, json, left.as_ref().map(|(_, tag)| tag))?;
    store.delete_held(right, &manifest::key(month), tag)?;
    Ok(versions)
}

impl Line {
    fn print(&self) {
        let Self { month, outcome, versions, error } = self;
        let kept = format!("{versions} {} kept", if *versions == 1 { "version" } else { "versions" });
        match (outcome, error) {
            (_, Some(error)) => println!("{month}  not removed: {error}"),
            (Outcome::RemovedBefore, _) => println!("{month}  removed before, {kept}"),
            _ => println!("{month}  removed, {kept}; harness months rollback {month} brings it back"),
        }
    }
}
