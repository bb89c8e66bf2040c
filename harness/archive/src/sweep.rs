//! What lies in a month's folders and nothing names, and when it may go.
//!
//! An object is made for one generation of the manifest, under a name that nothing else ever has (`naming.rs`). So one that
//! is not named, and of no later generation than the manifest, is never named again; one of a later generation may still
//! be committed, unless the manifest moves on first. That, and not whose turn it is or what time, makes deleting safe.
//! What was visible stays for [`GRACE`] by the store's own clock: readers may be at it.

use std::time::Duration;

use data::Month;

use super::{
    manifest::{self, Manifest, ManifestError, State, Version},
    naming::Name,
    store::{Exclusive, Object, Store, StoreError, Tag},
};

/// How long what was replaced stays: a query that began before must not lose its file, nor one of an earlier version of the
/// table. Orphans, which nobody reads, go by the same rule: two would be more to know.
pub const GRACE: Duration = Duration::from_secs(7 * 24 * 3600);

/// What nothing names.
pub struct Strays {
    month: Month,
    /// Of a later generation than the manifest, so never visible: begun by another worker, or by one that is gone.
    pub begun: Vec<Object>,
    /// Of an earlier one, or of the same: replaced, or lost to it.
    pub past: Vec<Object>,
    /// What is kept of a removal, of no account while there is a manifest that knows its versions.
    record: Option<(Object, Tag)>,
}

impl Strays {
    /// Those of versions that the month knows, and with `all` also those in the history that it does not: these may be all
    /// that is left of a lost one.
    ///
    /// # Errors
    /// The store failed.
    pub fn of(store: &Store, month: Month, state: &State, all: bool) -> Result<Self, StoreError> {
        let mut named: Vec<String> =
            state.versions().flat_map(|version| version.items()).map(|item| item.key.clone()).collect();
        let mut strays = Self { month, begun: Vec::new(), past: Vec::new(), record: None };
        let (generation, record) = (state.generation(), manifest::removed_key(month));
        let history = manifest::history_folder(month);
        let mut listed = Vec::new();
        for folder in [manifest::folder(month), history.clone()] {
            listed.extend(store.list(&folder, None)?.into_iter().map(|object| (folder.clone(), object)));
        }
        if let Some((manifest, _)) = &state.manifest
            && let Some((_, object)) = listed.iter().find(|(_, object)| object.key == record)
            && let Some((json, tag)) = store.read(&record)?
        {
            let known = |version: &Version| manifest.versions().any(|known| known.version == version.version);
            match manifest::parse_removed(month, &json) {
                // The month was removed, and then a first commit arrived that knew nothing of it.
                Ok(removed) if !removed.history.iter().all(known) => {
                    named.extend(removed.history.iter().flat_map(Version::items).map(|item| item.key.clone()));
                }
                _ => strays.record = Some((object.clone(), tag)),
            }
        }
        for (folder, object) in listed {
            if named.contains(&object.key) || object.key == record {
                continue;
            }
            let unfinished = object.key.rsplit('/').next().is_some_and(|name| name.starts_with("manifest.json#"));
            let Some(name) = Name::of(month, &object.key) else {
                if unfinished {
                    strays.begun.push(object);
                }
                continue;
            };
            let known = || state.versions().any(|version| version.version == name.version);
            if name.begun || name.generation > generation {
                strays.begun.push(object);
            } else if folder != history || all || known() {
                strays.past.push(object);
            }
        }
        Ok(strays)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Object> {
        self.begun.iter().chain(&self.past).chain(self.record())
    }

    /// What is kept of a removal, where it is of no account.
    pub fn record(&self) -> Option<&Object> {
        self.record.as_ref().map(|(record, _)| record)
    }

    /// Deletes what may go now that a commit has moved the manifest on from `before`, which had stood for `stood`: what was
    /// begun for the same generation can no longer be committed.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn after_commit(
        self,
        store: &Store,
        right: &Exclusive,
        before: &State,
        stood: Option<Duration>,
    ) -> Result<(), ManifestError> {
        // In a directory who had the right before is gone, and nothing of it is under way. What is named now stays: a
        // month whose manifest was lost has its history from the backup.
        if !store.is_remote() {
            let now = State::read(store, self.month)?;
            let named = |key: &str| now.versions().flat_map(Version::items).any(|item| item.key == key);
            let begun: Vec<Object> = self.begun.into_iter().filter(|object| !named(&object.key)).collect();
            delete(store, right, &begun)?;
        }
        if stood.is_some_and(|stood| stood >= GRACE) {
            delete(store, right, &self.past)?;
        }
        let record = before.removed.as_ref().map(|(_, tag)| tag.clone()).or(self.record.map(|(_, tag)| tag));
        match record {
            Some(tag) => left_to_another(store.delete_held(right, &manifest::removed_key(self.month), &tag)),
            None => Ok(()),
        }
    }
}

/// Who finds that another has the month now has nothing more to delete.
fn left_to_another(done: Result<(), StoreError>) -> Result<(), ManifestError> {
    match done {
        Err(StoreError::Conflict { .. } | StoreError::RightLost { .. }) => Ok(()),
        done => Ok(done?),
    }
}

/// For how long an object has been as it is, at a time of the store's.
///
/// # Errors
/// The store failed.
pub fn stood(store: &Store, now: Option<Duration>, key: &str) -> Result<Option<Duration>, StoreError> {
    Ok(now.zip(store.modified(key)?).map(|(now, since)| now.saturating_sub(since)))
}

/// Deletes while the right is held.
fn delete(store: &Store, right: &Exclusive, objects: &[Object]) -> Result<(), StoreError> {
    for object in objects.iter().filter(|_| right.holds()) {
        store.delete(&object.key)?;
    }
    Ok(())
}

/// What may go of a month.
pub struct Plan {
    state: State,
    month: Month,
    /// It goes.
    pub objects: Vec<Object>,
    /// Some of it can only go once the manifest is of this generation.
    fence: Option<u64>,
    /// What is kept of a removal, if that goes.
    pub record: Option<(Object, Tag)>,
}

impl Plan {
    /// What may go: of what was visible, if it was replaced longer ago than `grace`; with `all`, also what no manifest will
    /// say more of.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn of(
        store: &Store,
        month: Month,
        right: &Exclusive,
        all: bool,
        grace: Duration,
    ) -> Result<Self, ManifestError> {
        // Before all else: who stands still after it must not take for old what has become so since.
        let now = store.time(right)?;
        let state = State::read(store, month)?;
        let Strays { mut begun, past, record, .. } = Strays::of(store, month, &state, all)?;
        let old = |key: &str| -> Result<bool, StoreError> {
            Ok(grace.is_zero() || stood(store, now, key)?.is_some_and(|stood| stood >= grace))
        };
        let mut fence = None;
        if store.is_remote() {
            let mut of_age = Vec::new();
            // Where there is no manifest, only its age keeps a first commit from arriving.
            for object in begun.into_iter().filter(|_| all || state.manifest.is_some()) {
                if old(&object.key)? {
                    of_age.push(object);
                }
            }
            begun = of_age;
            let later =
                begun.iter().filter_map(|object| Name::of(month, &object.key)).map(|name| name.generation).max();
            let least = state.generation() + 1;
            fence = (later.is_some() || record.is_some()).then(|| later.unwrap_or(least).max(least));
        }
        // Since then it has not been visible, if it ever was.
        let replaced = match state.key() {
            _ if past.is_empty() => false,
            Some(key) => old(&key)?,
            None => !store.is_remote() || all,
        };
        // In a directory nobody lost the right and is still there: what is of no known version was never visible.
        let lost = |object: &Object| !store.is_remote() && !is_of_known_version(month, &object.key, &state);
        let past = past.into_iter().filter(|object| replaced || lost(object));
        let objects = begun.into_iter().chain(past).collect();
        Ok(Self { state, month, objects, fence, record })
    }

    /// Deletes it.
    ///
    /// # Errors
    /// [`ManifestError`]; also when another worker changed the month meanwhile.
    pub fn carry_out(&self, store: &Store, right: &Exclusive) -> Result<(), ManifestError> {
        if let Some((generation, (manifest, tag))) = self.fence.zip(self.state.manifest.as_ref()) {
            let key = manifest::key(self.month);
            let moved_on = manifest::json(&key, &Manifest { generation, ..manifest.clone() })?;
            store.put_if(right, &key, moved_on, Some(tag))?;
        }
        if let Some((record, tag)) = &self.record {
            store.delete_held(right, &record.key, tag)?;
        }
        Ok(delete(store, right, &self.objects)?)
    }
}

/// Removes what may go of a month that was found as the manifest says, unless another worker is publishing it now.
///
/// # Errors
/// [`ManifestError`].
pub fn tidy(store: &Store, found: &Manifest, tag: &Tag) -> Result<(), ManifestError> {
    let month = found.month;
    let state = State { manifest: Some((found.clone(), tag.clone())), removed: None };
    let strays = Strays::of(store, month, &state, false)?;
    // By this machine's clock, and only so as not to ask for nothing.
    let since = jiff::Timestamp::now().duration_since(found.current.published).unsigned_abs();
    if strays.begun.is_empty() && strays.record.is_none() && (strays.past.is_empty() || since < GRACE) {
        return Ok(());
    }
    match store.exclusive_now(&month.to_string())? {
        Some(right) => sweep(store, month, &right),
        None => Ok(()),
    }
}

/// The same for who has the right to it.
///
/// # Errors
/// [`ManifestError`].
pub fn sweep(store: &Store, month: Month, right: &Exclusive) -> Result<(), ManifestError> {
    match Plan::of(store, month, right, false, GRACE)?.carry_out(store, right) {
        Err(ManifestError::Store(error)) => left_to_another(Err(error)),
        done => done,
    }
}

/// Whether an object is of a version that the month has under another name: replaced, and there for who still reads it.
pub fn is_of_known_version(month: Month, key: &str, state: &State) -> bool {
    Name::of(month, key).is_some_and(|name| state.versions().any(|version| version.version == name.version))
}
