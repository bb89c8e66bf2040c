//! The decoded columns kept for a second run: where they are, and how much of them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::Context;

use crate::{config::Settings, interrupt};

/// Where decoded columns and temporary files go.
pub struct Cache {
    columns: PathBuf,
    limit: u64,
    /// Gone with the run.
    temporary: tempfile::TempDir,
}

impl Cache {
    /// Creates the folders.
    pub fn open(settings: &Settings) -> anyhow::Result<Self> {
        let folder = match settings.text("temp_dir") {
            "" => home().join("harness"),
            folder => folder.into(),
        };
        let failed = || {
            format!("{}: cannot be used for temporary files; choose another folder with --temp-dir", folder.display())
        };
        fs::create_dir_all(&folder).with_context(failed)?;
        let temporary = tempfile::Builder::new().prefix("run-").tempdir_in(&folder).with_context(failed)?;
        interrupt::remove_on_exit(temporary.path().into());
        let columns = if settings.cache_bytes == 0 { temporary.path().into() } else { folder.join("columns") };
        Ok(Self { columns, limit: settings.cache_bytes, temporary })
    }

    /// Folder of the decoded columns.
    pub fn columns(&self) -> &Path {
        &self.columns
    }

    /// Folder of this run's temporary files.
    pub fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// Removes the inputs not used for the longest time until the rest is within the limit.
    pub fn evict(&self) -> io::Result<()> {
        let mut inputs = Vec::new();
        for entry in fs::read_dir(&self.columns).into_iter().flatten() {
            let folder = entry?.path();
            if folder.is_dir() {
                inputs.push((last_used(&folder), size(&folder)?, folder));
            }
        }
        inputs.sort();
        let mut total: u64 = inputs.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, folder) in inputs {
            if total <= self.limit {
                break;
            }
            fs::remove_dir_all(folder)?;
            total -= bytes;
        }
        Ok(())
    }
}

/// The user's cache folder.
fn home() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache"))).unwrap_or_else(std::env::temp_dir)
}

fn last_used(folder: &Path) -> SystemTime {
    fs::metadata(folder).and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn size(folder: &Path) -> io::Result<u64> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}
