//! A month is taken out of what readers see. Nothing of it is destroyed.
//!
//! Its objects are copied to the history and verified, what is kept of it is written beside them, and then its manifest
//! is deleted: that is the commit. An interruption before it leaves the month as it was, one after it leaves objects that
//! no manifest names, which go later.

use std::sync::Arc;

use base::interrupt;
use data::Month;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    manifest::{self, Manifest, ManifestError, Removed, SCHEMA_VERSION, State, Version},
    publications,
    publish::{self, Made},
    store::{Exclusive, Store, Tag},
    sweep,
    table::Follow,
};

/// What became of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Now.
    Removed,
    /// It was removed before.
    RemovedBefore,
    /// It is as it was.
    Failed,
}

/// Takes a month out: what became of it, and what is kept of it, if that is anything.
///
/// # Errors
/// [`ManifestError`].
pub fn remove(
    store: &Store,
    month: Month,
    follower: &impl Follow,
) -> Result<(Outcome, Option<Removed>), ManifestError> {
    let right = store.exclusive(&month.to_string())?;
    let before = State::read(store, month)?;
    let Some((manifest, tag)) = &before.manifest else {
        sweep::sweep(store, month, &right)?;
        return Ok((Outcome::RemovedBefore, before.removed.map(|(removed, _)| removed)));
    };
    if !publications::of_manifest(manifest).is_empty() {
        follower.look(month);
    }
    let made = Made::new(store, month, &before);
    let _interrupt = interrupt::on_exit({
        let made = Arc::clone(&made);
        move || _ = made.withdraw()
    });
    match keep_and_commit(store, manifest, tag, &made, &right) {
        Ok(removed) => {
            follower.removed(&removed);
            Ok((Outcome::Removed, Some(removed)))
        }
        Err(error) => {
            // The first error is the one to tell.
            _ = made.withdraw();
            Err(error)
        }
    }
}

/// What is kept.
fn keep_and_commit(
    store: &Store,
    manifest: &Manifest,
    tag: &Tag,
    made: &Made,
    right: &Exclusive,
) -> Result<Removed, ManifestError> {
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
    let generation = made.generation().max(left.as_ref().map_or(0, |(left, _)| left.generation + 1));
    let now = Timestamp::now();
    // Nothing stays current, so nothing is left out.
    let before = publications::kept(publications::of_manifest(manifest), "", now);
    let removed = Removed { schema_version: SCHEMA_VERSION, month, generation, removed: now, history, before };
    let key = manifest::removed_key(month);
    let json = manifest::json(&key, &removed)?;
    made.commits();
    store.put_if(right, &key, json, left.as_ref().map(|(_, tag)| tag))?;
    store.delete_held(right, &manifest::key(month), tag)?;
    Ok(removed)
}
