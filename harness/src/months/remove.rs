//! `months remove`: a month is taken out of what readers see. Nothing of it is destroyed.
//!
//! Its objects are copied to the history and verified, what is kept of it is written beside them, and then its manifest
//! is deleted: that is the commit. An interruption before it leaves the month as it was, one after it leaves objects that
//! no manifest names, which go with the next look at the month.

use data::Month;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    cli::RemoveArgs,
    config::Settings,
    exit,
    holdings::{Holdings, within},
    manifest::{self, Manifest, ManifestError, Removed, SCHEMA_VERSION},
    publish,
    store::{Exclusive, Store},
    sweep::{self, sweep},
};

use super::history::unknown;

/// What became of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
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

fn remove(store: &Store, month: Month) -> Result<(Outcome, usize), ManifestError> {
    let right = store.exclusive(&month.to_string())?;
    let _interrupt = sweep::on_exit(store, month);
    let Some((manifest, _)) = manifest::read(store, month)? else {
        sweep(store, month, None)?;
        let versions = manifest::read_removed(store, month)?.map_or(0, |(removed, _)| removed.history.len());
        return Ok((Outcome::RemovedBefore, versions));
    };
    match keep_and_commit(store, month, &manifest, &right) {
        Ok(versions) => {
            sweep(store, month, None)?;
            Ok((Outcome::Removed, versions))
        }
        Err(error) => {
            let after = manifest::read(store, month)?;
            sweep(store, month, after.as_ref().map(|(manifest, _)| manifest))?;
            Err(error)
        }
    }
}

/// The number of versions kept.
fn keep_and_commit(
    store: &Store,
    month: Month,
    manifest: &Manifest,
    right: &Exclusive,
) -> Result<usize, ManifestError> {
    let current = &manifest.current;
    let damaged = |source| ManifestError::Damaged { month, version: current.version.clone(), source: Box::new(source) };
    publish::check(store, current).map_err(damaged)?;
    let kept = publish::keep(store, month, current)?;
    let history: Vec<_> = [kept].into_iter().chain(manifest.history.clone()).collect();
    let versions = history.len();
    let removed = Removed { schema_version: SCHEMA_VERSION, month, removed: Timestamp::now(), history };
    let key = manifest::removed_key(month);
    // One that is there already was left by a removal that did not come to its end.
    let left = store.read(&key)?.map(|(_, tag)| tag);
    store.put_if(right, &key, manifest::json(&key, &removed)?, left.as_ref())?;
    store.delete(&manifest::key(month))?;
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
