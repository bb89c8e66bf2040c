//! A store that is a local directory.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use base::interrupt;
use object_store::{Error, ObjectStore, local::LocalFileSystem, path::Path as ObjectPath, prefix::PrefixStore};

use super::{Object, StoreError, listing};

/// The directory.
#[derive(Clone)]
pub struct Folder {
    /// Its path.
    pub path: PathBuf,
    /// Its files as objects.
    pub objects: Arc<dyn ObjectStore>,
}

fn failed(path: &Path, action: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Folder { path: path.display().to_string(), action, source }
}

fn unopened(name: &str, source: Error) -> StoreError {
    StoreError::Object { store: name.into(), action: "opening", key: "/".into(), source: Box::new(source) }
}

impl Folder {
    /// A directory to write to, created if need be.
    pub fn create(name: &str) -> Result<Self, StoreError> {
        let created = fs::create_dir_all(name);
        created.map_err(failed(Path::new(name), "the folder of the store cannot be created"))?;
        Self::existing(name)
    }

    /// A directory to read from; one that is not there is empty until it is.
    pub fn open(name: &str) -> Result<Self, StoreError> {
        match fs::metadata(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let path = std::path::absolute(name).map_err(failed(Path::new(name), "the folder cannot be opened"))?;
                let prefix = ObjectPath::from_absolute_path(&path).map_err(|source| unopened(name, source.into()))?;
                Ok(Self { path, objects: Arc::new(PrefixStore::new(LocalFileSystem::new(), prefix)) })
            }
            _ => Self::existing(name),
        }
    }

    /// A directory that must be there.
    pub fn existing(name: &str) -> Result<Self, StoreError> {
        let path = fs::canonicalize(name).and_then(|path| fs::read_dir(&path).map(|_| path));
        let path = path.map_err(failed(Path::new(name), "the folder cannot be opened"))?;
        let local = LocalFileSystem::new_with_prefix(&path).map_err(|source| unopened(name, source))?;
        Ok(Self { path, objects: Arc::new(local.with_fsync(true)) })
    }

    /// Where an object lies; a key that leads out of the folder is none of ours.
    pub fn file(&self, key: &str) -> Result<PathBuf, StoreError> {
        self.inside(key).map_err(failed(&self.path.join(key), "this key points outside the folder of the store"))
    }

    fn inside(&self, key: &str) -> io::Result<PathBuf> {
        let inside = Path::new(key).components().all(|part| matches!(part, Component::Normal(_)));
        if inside { Ok(self.path.join(key)) } else { Err(io::ErrorKind::InvalidInput.into()) }
    }

    /// See [`super::Store::list`].
    pub fn list(&self, prefix: &str, except: Option<&str>) -> Result<Vec<Object>, StoreError> {
        listing::objects(&self.path, prefix, except).map_err(failed(&self.path, "the folder cannot be listed"))
    }

    /// Removes a file; one that is not there is removed already.
    pub fn delete(&self, key: &str) -> Result<(), StoreError> {
        let file = self.file(key)?;
        match interrupt::whole(|| fs::remove_file(&file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed(&file, "the file cannot be deleted")(error))
            }
            _ => Ok(()),
        }
    }

    /// Gives a file its name in the store, and makes that durable.
    pub fn link(&self, from: &Path, key: &str) -> io::Result<()> {
        let target = self.inside(key)?;
        let folder = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
        fs::create_dir_all(folder)?;
        // As an unfinished upload is named: what is left of one is removed like it.
        let staged = PathBuf::from(format!("{}#link", target.display()));
        match fs::remove_file(&staged) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::hard_link(from, &staged)?,
        }
        fs::rename(&staged, &target)?;
        File::open(folder)?.sync_all()
    }

    /// Waits for the right to a name.
    pub fn lock(&self, name: &str) -> Result<Lock, StoreError> {
        loop {
            if let Some(lock) = self.lock_now(name)? {
                return Ok(lock);
            }
            // Waits outside of a step, and creates nothing: an interruption need not wait, too.
            if let Ok(file) = File::options().write(true).open(self.lock_file(name)) {
                file.lock().map_err(failed(&self.path, "the store cannot be locked"))?;
            }
        }
    }

    /// The right to a name, if nobody has it.
    pub fn lock_now(&self, name: &str) -> Result<Option<Lock>, StoreError> {
        let path = self.lock_file(name);
        let inode = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let lock = || {
            let mut file = File::options().create(true).truncate(false).write(true).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            let locked = inode(file.metadata()?);
            let named = fs::metadata(&path).map(inode).is_ok_and(|named| named == locked);
            if named {
                // So its time is that of the file system, now.
                file.write_all(b"\n")?;
            }
            Ok(named.then(|| Lock { _interrupt: interrupt::removing(&path), path: path.clone(), locked: file }))
        };
        interrupt::whole(lock).map_err(failed(&self.path, "the store cannot be locked"))
    }

    fn lock_file(&self, name: &str) -> PathBuf {
        self.path.join(format!(".harness-{name}.lock"))
    }
}

/// A right: a lock on a file in the root folder, which the system releases with the process however that ends.
///
/// Its holder removes the file; so one who gets the lock makes sure that the file still has its name, and begins anew
/// otherwise.
pub struct Lock {
    path: PathBuf,
    locked: File,
    _interrupt: interrupt::Guard,
}

impl Lock {
    /// When it was taken, by the clock of the file system, since 1970.
    pub fn taken(&self) -> Result<Duration, StoreError> {
        let taken = self.locked.metadata().and_then(|metadata| metadata.modified());
        let taken = taken.map_err(failed(&self.path, "the time of the lock cannot be read"))?;
        Ok(taken.duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // After an interruption the file may be another worker's already.
        interrupt::whole(|| {
            let _ = fs::remove_file(&self.path);
        });
    }
}
