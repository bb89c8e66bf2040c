//! The decoded columns kept for a second run: where they are, and how much of them.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use base::{error::Context, interrupt};

use crate::settings::Settings;

/// A decoded input: written last, so a folder without it is not finished.
pub const INDEX: &str = "input.json";
/// Held while runs' folders are made and removed.
const LOCK: &str = ".harness.lock";
/// Held in a run's folder for as long as it runs.
const RUNNING: &str = "running.lock";
/// A folder of columns that was not finished for so long never will be.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A download that nobody went on with for so long is begun anew.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// Where decoded columns and temporary files go.
pub struct Cache {
    folder: PathBuf,
    columns: PathBuf,
    limit: u64,
    /// Gone with the run.
    temporary: tempfile::TempDir,
    running: Mutex<File>,
    _interrupt: interrupt::Guard,
}

impl Cache {
    /// Creates the folders, and removes those of runs that were killed.
    pub fn open(settings: &Settings) -> crate::Result<Self> {
        let folder = folder(settings);
        let failed = || {
            format!("{}: cannot be used for temporary files; choose another folder with --temp-dir", folder.display())
        };
        fs::create_dir_all(&folder).with_context(failed)?;
        // Between its making and its locking a run's folder looks like that of a killed one.
        let lock = File::create(folder.join(LOCK)).with_context(failed)?;
        lock.lock().with_context(failed)?;
        remove_killed(&folder);
        let make = || tempfile::Builder::new().prefix("run-").tempdir_in(&folder);
        let (temporary, _interrupt) = interrupt::temporary(make).with_context(failed)?;
        let running = Mutex::new(claim(temporary.path()).with_context(failed)?);
        drop(lock);
        let columns = if settings.cache_bytes == 0 { temporary.path().into() } else { folder.join("columns") };
        Ok(Self { folder, columns, limit: settings.cache_bytes, temporary, running, _interrupt })
    }

    /// Makes this run's folder again, if somebody has removed it.
    ///
    /// # Errors
    /// The disk.
    pub fn restore(&self) -> crate::Result<()> {
        // After a signal it is this program that removes it.
        interrupt::give_way();
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if self.temporary().join(RUNNING).exists() {
            return Ok(());
        }
        let failed = || format!("{}: cannot be recreated", self.temporary().display());
        fs::create_dir_all(&self.folder).with_context(failed)?;
        let lock = File::create(self.folder.join(LOCK)).with_context(failed)?;
        lock.lock().with_context(failed)?;
        fs::create_dir_all(self.temporary()).with_context(failed)?;
        *running = claim(self.temporary()).with_context(failed)?;
        Ok(())
    }

    /// Folder of the decoded columns.
    pub fn columns(&self) -> &Path {
        &self.columns
    }

    /// Folder of what is downloaded.
    pub fn downloads(&self) -> PathBuf {
        self.folder.join("downloads")
    }

    /// Folder of this run's temporary files.
    pub fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// Notes that the columns in `folder` were used now: they are evicted later than others.
    pub fn touch(folder: &Path) -> io::Result<()> {
        File::open(folder)?.set_modified(SystemTime::now())
    }
}

impl Drop for Cache {
    /// Trims, also after a run that failed.
    fn drop(&mut self) {
        if self.limit > 0
            && let Err(error) = evict(&self.columns, self.limit)
        {
            tracing::warn!("{}: cannot be trimmed to its limit: {error}", self.columns.display());
        }
        let downloads = self.downloads();
        if let Err(error) = forget_downloads(&downloads) {
            tracing::warn!("{}: cannot be tidied: {error}", downloads.display());
        }
    }
}

/// Marks a run's folder as that of one at work, for as long as the file is open.
fn claim(folder: &Path) -> io::Result<File> {
    let running = File::create(folder.join(RUNNING))?;
    running.lock()?;
    Ok(running)
}

/// Removes the folders of runs that no longer hold their lock.
fn remove_killed(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with("run-") {
            continue;
        }
        let held = File::open(entry.path().join(RUNNING))
            .is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        if !held && let Err(error) = fs::remove_dir_all(entry.path()) {
            tracing::warn!("{}: left by a run that was killed, cannot be removed: {error}", entry.path().display());
        }
    }
}

/// Removes what was never finished, then the inputs not used for the longest time until the rest is within the limit.
fn evict(columns: &Path, limit: u64) -> io::Result<()> {
    let mut inputs = Vec::new();
    for entry in fs::read_dir(columns).into_iter().flatten() {
        let folder = entry?.path();
        let Ok(used) = fs::metadata(&folder).and_then(|metadata| metadata.modified()) else { continue };
        if !folder.is_dir() {
            continue;
        }
        if !folder.join(INDEX).exists() && used.elapsed().is_ok_and(|age| age > ABANDONED) {
            remove(&folder)?;
        } else {
            inputs.push((used, size(&folder), folder));
        }
    }
    inputs.sort();
    let mut total: u64 = inputs.iter().map(|(_, bytes, _)| bytes).sum();
    for (_, bytes, folder) in inputs {
        if total <= limit {
            break;
        }
        remove(&folder)?;
        total -= bytes;
    }
    Ok(())
}

/// Removes what of a download was not gone on with for a day.
fn forget_downloads(downloads: &Path) -> io::Result<()> {
    for entry in fs::read_dir(downloads).into_iter().flatten() {
        let folder = entry?.path();
        let modified = fs::metadata(&folder).and_then(|metadata| metadata.modified());
        if modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > FORGOTTEN)) {
            remove(&folder)?;
        }
    }
    Ok(())
}

/// Removes a folder that another run may be removing, too.
fn remove(folder: &Path) -> io::Result<()> {
    fs::remove_dir_all(folder).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })
}

/// Where temporary files and decoded columns go.
pub fn folder(settings: &Settings) -> PathBuf {
    match settings.text("temp_dir") {
        "" => home().join("harness"),
        folder => folder.into(),
    }
}

/// The user's cache folder.
fn home() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache"))).unwrap_or_else(std::env::temp_dir)
}

fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_the_longest_time_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let input = |name: &str, index: bool, hours: u64| {
            let input = folder.path().join(name);
            fs::create_dir(&input).unwrap();
            fs::write(input.join("2013-09.columns"), [0; 1000]).unwrap();
            if index {
                fs::write(input.join(INDEX), "").unwrap();
            }
            let used = SystemTime::now() - Duration::from_secs(hours * 3600);
            File::open(&input).unwrap().set_modified(used).unwrap();
        };
        let left = || {
            let mut names: Vec<_> =
                fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        for (name, index, hours) in
            [("a", true, 9), ("b", true, 8), ("c", true, 7), ("abandoned", false, 2), ("being-made", false, 0)]
        {
            input(name, index, hours);
        }
        evict(folder.path(), 1 << 20).unwrap();
        assert_eq!(left(), ["a", "b", "being-made", "c"]);
        Cache::touch(&folder.path().join("a")).unwrap();
        evict(folder.path(), 2500).unwrap();
        assert_eq!(left(), ["a", "being-made"]);
    }
}
