//! The store: what publishing has made and no manifest names, records of failures that were mended, and on request
//! versions that were replaced long ago.

use std::time::Duration;

use archive::{
    failures,
    holdings::{Held, Holdings, month_of},
    manifest::{self, Manifest, ManifestError, Removed, Version},
    store::{Exclusive, Object, Store, StoreError, TRIED, Tag},
    sweep,
};
use base::exit;
use bytes::Bytes;
use data::Month;
use jiff::Timestamp;

use super::{Kind, Report};
use crate::{
    settings::Settings,
    watch::{heartbeat, status::Heard},
};

/// Heartbeats of runs that are over: so many of the last ones stay.
const HEARTBEATS_KEPT: usize = 20;

/// Cleans the store of the settings: what no manifest names, where it was visible if it was replaced longer ago than `age`;
/// of the history, what was replaced before a time, if one is given.
pub fn clean(settings: &Settings, history: Option<Timestamp>, age: Duration, report: &mut Report) -> crate::Result<()> {
    let store = Store::open(settings.text("store"), settings.access)?;
    let holdings = Holdings::of(&store)?;
    for (&month, held) in &holdings.months {
        match of_month(&store, month, held, history, age, report) {
            Ok(()) => {}
            Err(ManifestError::Store(StoreError::Conflict { .. } | StoreError::RightLost { .. })) => {
                report.left(month.to_string(), "another worker has changed it meanwhile");
            }
            Err(error @ ManifestError::Store(_)) => return Err(error.into()),
            Err(error) => report.left(month.to_string(), exit::sentence(&error.into())),
        }
    }
    uploads(&store, report)?;
    // Rights of workers that are gone.
    for object in &holdings.others {
        if let Some(name) = store.right_of(&object.key).filter(|_| !report.dry_run)
            && store.exclusive_of_the_dead(name)?.is_some()
        {
            report.removed(Kind::Orphan, &object.key, object.bytes);
        }
    }
    heartbeats(&store, &holdings, report)?;
    // Of writing that was killed.
    let tried = |object: &&Object| object.key.contains('#') || object.key.starts_with(TRIED);
    for object in holdings.others.iter().filter(tried) {
        delete(&store, Kind::Orphan, object, report)?;
    }
    Ok(())
}

/// Heartbeats of runs that are over, but of the last ones.
fn heartbeats(store: &Store, holdings: &Holdings, report: &mut Report) -> Result<(), StoreError> {
    let over = heartbeat::all(store)?.into_iter().filter(|beat| Heard::of(beat) != Heard::Live);
    for beat in over.skip(HEARTBEATS_KEPT) {
        let key = heartbeat::key(&beat.run);
        if let Some(object) = holdings.others.iter().find(|object| object.key == key) {
            delete(store, Kind::Heartbeat, object, report)?;
        }
    }
    Ok(())
}

/// Uploads in parts of workers that are gone.
fn uploads(store: &Store, report: &mut Report) -> Result<(), StoreError> {
    let found = match store.unfinished("processed-data") {
        Ok(found) => found,
        Err(StoreError::Refused { source, .. }) if matches!(source.status, 400 | 405 | 501) => {
            report.left("unfinished uploads", "this server does not list them");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    for upload in found {
        let Some(month) = month_of(&upload.key) else { continue };
        let Some(_right) = store.exclusive_of_the_dead(&month.to_string())? else {
            report.left(upload.key.clone(), "another worker is publishing its month");
            continue;
        };
        if !report.dry_run {
            store.abort(&upload)?;
        }
        report.removed(Kind::Orphan, &upload.key, 0);
    }
    Ok(())
}

fn of_month(
    store: &Store,
    month: Month,
    held: &Held,
    history: Option<Timestamp>,
    age: Duration,
    report: &mut Report,
) -> Result<(), ManifestError> {
    // Also for a dry run: what is being published now has no manifest yet. What a killed holder left of the right goes, too.
    let Some(right) = store.exclusive_of_the_dead(&month.to_string())? else {
        report.left(month.to_string(), "another worker is publishing it");
        return Ok(());
    };
    let plan = sweep::Plan::of(store, month, &right, true, age)?;
    if !report.dry_run {
        plan.carry_out(store, &right)?;
    }
    for orphan in plan.objects.iter().chain(plan.record.iter().map(|(record, _)| record)) {
        report.removed(Kind::Orphan, &orphan.key, orphan.bytes);
    }
    if mended(store, month, held)?
        && let Some(record) = held.objects.iter().find(|object| object.key == failures::key(month))
    {
        if !report.dry_run {
            failures::keep(store, month, false)?;
        }
        delete(store, Kind::Failure, record, report)?;
    }
    let Some(before) = history else { return Ok(()) };
    match Expired::of(store, month, before)? {
        Some(expired) => Ok(expired.remove(store, &right, report)?),
        None => Ok(()),
    }
}

fn delete(store: &Store, kind: Kind, object: &Object, report: &mut Report) -> Result<(), StoreError> {
    if !report.dry_run {
        store.delete(&object.key)?;
    }
    report.removed(kind, &object.key, object.bytes);
    Ok(())
}

/// Whether a month was published after it failed.
fn mended(store: &Store, month: Month, held: &Held) -> Result<bool, ManifestError> {
    if !(held.failed && held.published) {
        return Ok(false);
    }
    // A record that cannot be read tells nothing, and the next run of the month replaces it.
    let failure = failures::read(store, month).ok().flatten();
    let manifest = manifest::read(store, month)?;
    Ok(failure.zip(manifest).is_some_and(|(failure, (manifest, _))| failure.when < manifest.current.published))
}

/// Versions of a month that were replaced, or removed, long ago.
struct Expired {
    versions: Vec<Version>,
    /// Manifest that names them.
    key: String,
    tag: Tag,
    /// The manifest without them; none where a removed month has no other.
    rest: Option<Bytes>,
}

impl Expired {
    fn of(store: &Store, month: Month, before: Timestamp) -> Result<Option<Self>, ManifestError> {
        fn split<'a>(
            history: impl Iterator<Item = (Timestamp, &'a Version)>,
            before: Timestamp,
        ) -> (Vec<Version>, Vec<Version>) {
            let (old, young): (Vec<_>, Vec<_>) = history.partition(|(replaced, _)| *replaced < before);
            let versions =
                |of: Vec<(Timestamp, &Version)>| of.into_iter().map(|(_, version)| version.clone()).collect();
            (versions(old), versions(young))
        }
        let expired = if let Some((manifest, tag)) = manifest::read(store, month)? {
            let (versions, history) = split(manifest.replaced(), before);
            let key = manifest::key(month);
            let generation = manifest.generation + 1;
            let rest = Some(manifest::json(&key, &Manifest { generation, history, ..manifest })?);
            Self { versions, key, tag, rest }
        } else if let Some((removed, tag)) = manifest::read_removed(store, month)? {
            let (versions, history) = split(removed.replaced(), before);
            let key = manifest::removed_key(month);
            let rest = Removed { generation: removed.generation + 1, history, ..removed };
            let rest = (!rest.history.is_empty()).then(|| manifest::json(&key, &rest)).transpose()?;
            Self { versions, key, tag, rest }
        } else {
            return Ok(None);
        };
        Ok(Some(expired).filter(|expired| !expired.versions.is_empty()))
    }

    /// First no manifest names them, then they go: what an interruption leaves is an orphan.
    fn remove(self, store: &Store, right: &Exclusive, report: &mut Report) -> Result<(), StoreError> {
        if !report.dry_run {
            match self.rest {
                Some(rest) => store.put_if(right, &self.key, rest, Some(&self.tag))?,
                None => store.delete_held(right, &self.key, &self.tag)?,
            }
        }
        for item in self.versions.iter().flat_map(Version::items) {
            let object = Object { key: item.key.clone(), bytes: item.bytes, e_tag: None, modified: None };
            delete(store, Kind::History, &object, report)?;
        }
        Ok(())
    }
}
