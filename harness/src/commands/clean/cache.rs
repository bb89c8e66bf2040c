//! The cache: folders of runs that were killed, and decoded columns that were not used for long.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use base::error::{Class, Context, Met};
use jiff::Timestamp;
use walkdir::WalkDir;

use super::{Kind, Report};
use crate::settings::Settings;

/// Cleans the cache of the settings.
pub fn clean(settings: &Settings, before: Timestamp, report: &mut Report) -> crate::Result<()> {
    let folder = folder(settings);
    if !folder.exists() {
        return Ok(());
    }
    let failed = || format!("{}: cannot be cleaned", folder.display());
    // As in Cache::open: between its making and its locking a run's folder looks like that of a killed one.
    let lock = File::create(folder.join(".harness.lock")).with_context(failed)?;
    lock.lock().with_context(failed)?;
    // A run marks the columns it uses; what it has used since it began must stay.
    let mut unused = SystemTime::try_from(before).met_as(Class::Usage)?;
    for run in entries(&folder).with_context(failed)? {
        if !run.file_name().is_some_and(|name| name.to_string_lossy().starts_with("run-")) {
            continue;
        }
        match running_since(&run) {
            Some(began) => unused = unused.min(began),
            None => remove(&run, Kind::KilledRun, report),
        }
    }
    for input in entries(&folder.join("columns")).with_context(failed)? {
        if fs::metadata(&input).and_then(|metadata| metadata.modified()).is_ok_and(|used| used < unused) {
            remove(&input, Kind::Columns, report);
        }
    }
    Ok(())
}

// replaced by that of Cache
fn folder(settings: &Settings) -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    match settings.text("temp_dir") {
        "" => set("XDG_CACHE_HOME")
            .or_else(|| Some(set("HOME")?.join(".cache")))
            .unwrap_or_else(std::env::temp_dir)
            .join("harness"),
        folder => folder.into(),
    }
}

/// When the run of a folder began, if it still runs.
fn running_since(run: &Path) -> Option<SystemTime> {
    let lock = File::open(run.join("running.lock")).ok()?;
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => lock.metadata().and_then(|metadata| metadata.modified()).ok(),
        _ => None,
    }
}

fn remove(folder: &Path, kind: Kind, report: &mut Report) {
    let bytes = size(folder);
    let name = folder.display().to_string();
    match if report.dry_run { Ok(()) } else { fs::remove_dir_all(folder) } {
        Ok(()) => report.removed(kind, name, bytes),
        Err(error) => report.left(name, error.to_string()),
    }
}

fn size(folder: &Path) -> u64 {
    let files = WalkDir::new(folder).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    files.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
}

/// The folders within a folder; none where there is no folder.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.is_dir());
    paths.sort();
    Ok(paths)
}
