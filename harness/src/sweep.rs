//! What lies in a month's folders and no manifest names: left by workers that are gone.

use data::Month;

use crate::{
    interrupt,
    manifest::{self, Manifest, ManifestError, Version},
    store::{Object, Store, StoreError},
};

/// Removes what workers that are gone have left of a month that was found as the manifest says, unless one is publishing
/// it now: then it does so itself.
///
/// # Errors
/// [`ManifestError`].
pub fn tidy(store: &Store, found: &Manifest) -> Result<(), ManifestError> {
    let month = found.month;
    if strays(store, month, Some(found))?.is_empty() {
        return Ok(());
    }
    match store.exclusive_now(&month.to_string())? {
        Some(_right) => Ok(sweep(store, month, manifest::read(store, month)?.as_ref().map(|(manifest, _)| manifest))?),
        None => Ok(()),
    }
}

/// Removes what the manifest does not name. Only for who has the right to the month: nobody else is publishing it.
///
/// # Errors
/// The store failed.
pub fn sweep(store: &Store, month: Month, manifest: Option<&Manifest>) -> Result<(), StoreError> {
    strays(store, month, manifest)?.iter().try_for_each(|stray| store.delete(&stray.key))
}

/// Sweeps if the program is interrupted: by the manifest as it is then, so before a commit and after it alike. Only for
/// who has the right to the month.
pub fn on_exit(store: &Store, month: Month) -> interrupt::Guard {
    let store = store.clone();
    interrupt::on_exit(move || {
        let _ = manifest::read(&store, month)
            .and_then(|found| Ok(sweep(&store, month, found.as_ref().map(|(manifest, _)| manifest))?));
    })
}

/// What publishing has put into the folders of a month and the manifest does not name: replaced versions, the current
/// one in the history, what was uploaded and not committed, and what was kept of a month that is published again. What
/// others have put there is theirs.
fn strays(store: &Store, month: Month, manifest: Option<&Manifest>) -> Result<Vec<Object>, StoreError> {
    // A version in the history that no manifest names may be all that is left of a lost one; the current one's is a copy.
    let current = manifest.map(|manifest| format!("{}{}", stem(month), manifest.current.version));
    let in_history = |name: &str| {
        current.as_ref().is_some_and(|current| name == manifest::NAME || name.starts_with(current.as_str()))
    };
    unnamed(store, month, manifest.into_iter().flat_map(Manifest::versions), in_history)
}

/// The same, and every version in the history that neither the manifest names nor what is kept of a removed month.
///
/// # Errors
/// [`ManifestError`].
pub fn orphans(store: &Store, month: Month) -> Result<Vec<Object>, ManifestError> {
    let ours = |name: &str| name.starts_with(&stem(month));
    Ok(match manifest::read(store, month)? {
        Some((manifest, _)) => unnamed(store, month, manifest.versions(), |name| ours(name) || name == manifest::NAME)?,
        None => {
            let removed = manifest::read_removed(store, month)?;
            unnamed(store, month, removed.iter().flat_map(|(removed, _)| &removed.history), ours)?
        }
    })
}

/// How the names of a month's versions begin.
fn stem(month: Month) -> String {
    format!("monthly_{month}_")
}

/// What is of no version among those in a month's folder that bear our names, those in its history that are
/// `in_history`, and those that were never finished.
fn unnamed<'a>(
    store: &Store,
    month: Month,
    versions: impl Iterator<Item = &'a Version>,
    in_history: impl Fn(&str) -> bool,
) -> Result<Vec<Object>, StoreError> {
    let named: Vec<&str> = versions.flat_map(Version::items).map(|item| item.key.as_str()).collect();
    let stem = stem(month);
    let left = |folder: &str, ours: &dyn Fn(&str) -> bool| -> Result<Vec<Object>, StoreError> {
        let mut objects = store.list(folder, None)?;
        objects.retain(|object| {
            let name = object.key.rsplit('/').next().unwrap_or_default();
            let begun =
                name.split_once('#').is_some_and(|(whole, _)| whole.starts_with(&stem) || whole == manifest::NAME);
            (ours(name) || begun) && !named.contains(&object.key.as_str())
        });
        Ok(objects)
    };
    let mut unnamed = left(&manifest::folder(month), &|name| name.starts_with(&stem))?;
    unnamed.extend(left(&manifest::history_folder(month), &in_history)?);
    Ok(unnamed)
}
