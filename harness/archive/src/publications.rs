//! What was published of a month, one after the other: what follows the manifests, as the log of the table does, must miss
//! none, however slow it is, and a version that becomes current again is in no history any more.
//!
//! Only months whose timestamps are microseconds can be in the table, so the manifests of others say nothing of it.

use data::training_file::Timestamps;
use jiff::Timestamp;

use super::{
    manifest::{Manifest, Publication, Removed, Version},
    naming::Name,
    sweep::GRACE,
};

/// As many are kept at most.
const KEPT: usize = 64;

/// Whether a version can be in the table.
pub fn may_be_in_the_table(version: &Version) -> bool {
    version.made_from.settings[Timestamps::SETTING] == Timestamps::MICROSECONDS
}

/// The current version as it was published, if it can be in the table.
pub fn current(manifest: &Manifest) -> Option<Publication> {
    let Version { data, rows, published, .. } = &manifest.current;
    // The name says for which generation it was made: the manifest may have moved on since without another file.
    let generation = Name::of(manifest.month, &data.key)?.generation;
    let publication = Publication { generation, published: *published, data: Some(data.clone()), rows: *rows };
    may_be_in_the_table(&manifest.current).then_some(publication)
}

/// What was published up to a manifest, the last first.
pub fn of_manifest(manifest: &Manifest) -> Vec<Publication> {
    current(manifest).into_iter().chain(manifest.before.iter().cloned()).collect()
}

/// What was published up to a removal, the last first; the removal itself where there was something.
pub fn of_removed(removed: &Removed) -> Vec<Publication> {
    let removal = Publication { generation: removed.generation, published: removed.removed, data: None, rows: 0 };
    let removal = (!removed.before.is_empty()).then_some(removal);
    removal.into_iter().chain(removed.before.iter().cloned()).collect()
}

/// What of it the next manifest keeps: files that readers may still find, and not `data`, which stays current.
pub fn kept(mut all: Vec<Publication>, data: &str, now: Timestamp) -> Vec<Publication> {
    all.retain(|publication| publication.data.as_ref().is_none_or(|item| item.key != data));
    // Each was replaced when the one before it in the list became current.
    let replaced = [now].into_iter().chain(all.iter().map(|publication| publication.published));
    let young = replaced.map(|replaced| now.duration_since(replaced).unsigned_abs() < GRACE);
    let kept = young.take_while(|young| *young).count().min(KEPT);
    all.truncate(kept);
    all
}
