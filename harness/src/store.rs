//! Where raw files come from and published months go: objects by key, behind one trait (`object_store::ObjectStore`).

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read},
    ops::Range,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use object_store::{
    CopyMode, CopyOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, UpdateVersion, WriteMultipart,
    local::LocalFileSystem, memory::InMemory, path,
};
use xxhash_rust::xxh3::Xxh3;

use crate::{interrupt, listing};

/// Bytes of one part of an upload.
const PART: usize = 8 << 20;

/// A store that does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The object store said no.
    #[error("store {store}, {action} {key}")]
    Object { store: String, action: &'static str, key: String, source: Box<Error> },
    /// The folder of a local store.
    #[error("{path}: {action}")]
    Folder { path: String, action: &'static str, source: io::Error },
    /// Another worker changed the object since it was read.
    #[error("store {store}: {key} was changed by another worker")]
    Conflict { store: String, key: String },
    /// What was read back is not what was written.
    #[error("store {store}: {key} does not read back as it was written: {found}, expected {expected}")]
    ReadBack { store: String, key: String, found: String, expected: String },
}

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
}

fn folder_error(path: &str, action: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |source| StoreError::Folder { path: path.to_owned(), action, source }
}

/// Which state of an object was read; a conditional write names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(Option<String>, Option<String>);

/// A store and the runtime its requests run on.
#[derive(Clone)]
pub struct Store {
    inner: Arc<dyn ObjectStore>,
    folder: PathBuf,
    runtime: Arc<tokio::runtime::Runtime>,
    name: String,
}

/// The right to change what has a name in a store, until this is dropped or the process ends.
///
/// It is a lock on a file in the root folder, which the system releases with the process however that ends. Its holder
/// removes the file; so one who gets the lock makes sure that the file still has its name, and begins anew otherwise.
pub struct Exclusive {
    path: PathBuf,
    _locked: File,
    _interrupt: interrupt::Guard,
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        // After an interruption the file may be another worker's already.
        interrupt::whole(|| {
            let _ = fs::remove_file(&self.path);
        });
    }
}

impl Store {
    /// Opens a local directory to write to, created if need be.
    pub fn create(name: &str) -> Result<Self, StoreError> {
        fs::create_dir_all(name).map_err(folder_error(name, "the folder of the store cannot be created"))?;
        Self::existing(name)
    }

    /// Opens a local directory to read from; one that is not there is an empty store.
    pub fn open(name: &str) -> Result<Self, StoreError> {
        match fs::metadata(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self::new(name, name.into(), Arc::new(InMemory::new()))
            }
            _ => Self::existing(name),
        }
    }

    /// Opens a local directory that must be there.
    pub fn existing(name: &str) -> Result<Self, StoreError> {
        let path = fs::canonicalize(name).and_then(|path| fs::read_dir(&path).map(|_| path));
        let path = path.map_err(folder_error(name, "the folder cannot be opened"))?;
        let local = LocalFileSystem::new_with_prefix(&path);
        let local = local.map_err(|source| StoreError::Object {
            store: name.into(),
            action: "opening",
            key: "/".into(),
            source: Box::new(source),
        })?;
        Self::new(name, path, Arc::new(local.with_fsync(true)))
    }

    fn new(name: &str, folder: PathBuf, inner: Arc<dyn ObjectStore>) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = Arc::new(runtime.map_err(folder_error(name, "no runtime for the store"))?);
        Ok(Self { inner, folder, runtime, name: name.to_owned() })
    }

    /// The store as it was named.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn failed<'a>(&'a self, action: &'static str, key: &'a str) -> impl Fn(Error) -> StoreError + 'a {
        move |source| StoreError::Object {
            store: self.name.clone(),
            action,
            key: key.to_owned(),
            source: Box::new(source),
        }
    }

    /// Waits for the right to change what goes by `name`.
    pub fn exclusive(&self, name: &str) -> Result<Exclusive, StoreError> {
        loop {
            if let Some(exclusive) = self.exclusive_now(name)? {
                return Ok(exclusive);
            }
            // Waits outside of a step, and creates nothing: an interruption need not wait, too.
            if let Ok(file) = File::options().write(true).open(self.lock_file(name)) {
                file.lock().map_err(folder_error(&self.name, "the store cannot be locked"))?;
            }
        }
    }

    /// The right to change what goes by `name`, if nobody has it.
    pub fn exclusive_now(&self, name: &str) -> Result<Option<Exclusive>, StoreError> {
        let path = self.lock_file(name);
        let inode = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let lock = || {
            let file = File::options().create(true).truncate(false).write(true).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            let locked = inode(file.metadata()?);
            let named = fs::metadata(&path).map(inode).is_ok_and(|named| named == locked);
            Ok(named.then(|| Exclusive { _interrupt: interrupt::removing(&path), path: path.clone(), _locked: file }))
        };
        interrupt::whole(lock).map_err(folder_error(&self.name, "the store cannot be locked"))
    }

    fn lock_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!(".harness-{name}.lock"))
    }

    /// Every object under the folder `prefix` (empty: all), in order of key, without those in folders named `except`; also
    /// what an unfinished upload has left.
    pub fn list(&self, prefix: &str, except: Option<&str>) -> Result<Vec<Object>, StoreError> {
        listing::objects(&self.folder, prefix, except).map_err(folder_error(&self.name, "the folder cannot be listed"))
    }

    /// Size of an object; `None` when there is none.
    pub fn size(&self, key: &str) -> Result<Option<u64>, StoreError> {
        match self.runtime.block_on(self.inner.head(&path::Path::from(key))) {
            Ok(meta) => Ok(Some(meta.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("reading", key)(error)),
        }
    }

    /// A small object and its state; `None` when there is none.
    pub fn read(&self, key: &str) -> Result<Option<(Bytes, Tag)>, StoreError> {
        let read = self.runtime.block_on(async {
            let result = self.inner.get(&path::Path::from(key)).await?;
            let tag = Tag(result.meta.e_tag.clone(), result.meta.version.clone());
            Ok((result.bytes().await?, tag))
        });
        match read {
            Ok(found) => Ok(Some(found)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("reading", key)(error)),
        }
    }

    /// Some bytes of an object.
    pub fn range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        let read = self.runtime.block_on(self.inner.get_range(&path::Path::from(key), range));
        read.map_err(self.failed("reading", key))
    }

    /// Where an object lies as a file.
    pub fn file(&self, key: &str) -> PathBuf {
        self.folder.join(key)
    }

    /// Writes a small object, whatever was there.
    pub fn put(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        let location = path::Path::from(key);
        let put = interrupt::whole(|| self.runtime.block_on(self.inner.put(&location, bytes.into())));
        put.map(|_| ()).map_err(self.failed("writing", key))
    }

    /// Writes a small object if its state is still `expected` (`None`: if there is none). A file system cannot compare
    /// and replace at once, hence the right to it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is not.
    pub fn put_if(
        &self,
        _exclusive: &Exclusive,
        key: &str,
        bytes: Bytes,
        expected: Option<&Tag>,
    ) -> Result<(), StoreError> {
        let conflict = || StoreError::Conflict { store: self.name.clone(), key: key.to_owned() };
        let location = path::Path::from(key);
        let mode = match expected {
            None => PutMode::Create,
            Some(Tag(e_tag, version)) => {
                let found = match self.runtime.block_on(self.inner.head(&location)) {
                    Ok(meta) => UpdateVersion { e_tag: meta.e_tag, version: meta.version },
                    Err(Error::NotFound { .. }) => return Err(conflict()),
                    Err(error) => return Err(self.failed("reading", key)(error)),
                };
                if (found.e_tag, found.version) != (e_tag.clone(), version.clone()) {
                    return Err(conflict());
                }
                PutMode::Overwrite
            }
        };
        let put = self.inner.put_opts(&location, bytes.into(), PutOptions { mode, ..PutOptions::default() });
        match interrupt::whole(|| self.runtime.block_on(put)) {
            Ok(_) => Ok(()),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Err(conflict()),
            Err(error) => Err(self.failed("writing", key)(error)),
        }
    }

    /// Writes an object from a durable file: by another name for it where both are on one file system, else in parts.
    pub fn upload(&self, from: &Path, key: &str) -> Result<(), StoreError> {
        // Whatever keeps the file from having another name shows again, with its reason, when it is copied.
        if interrupt::whole(|| self.link(from, key)).is_ok() {
            return Ok(());
        }
        let mut file = File::open(from).map_err(|source| self.unreadable(from, source))?;
        let location = path::Path::from(key);
        let upload = interrupt::whole(|| self.runtime.block_on(self.inner.put_multipart(&location)));
        let mut upload = WriteMultipart::new_with_chunk_size(upload.map_err(self.failed("writing", key))?, PART);
        let mut buffer = vec![0; PART];
        loop {
            let read = file.read(&mut buffer).map_err(|source| self.unreadable(from, source))?;
            if read == 0 {
                break;
            }
            self.runtime
                .block_on(async {
                    upload.wait_for_capacity(4).await?;
                    upload.write(&buffer[..read]);
                    Ok(())
                })
                .map_err(self.failed("writing", key))?;
        }
        let finished = interrupt::whole(|| self.runtime.block_on(upload.finish()));
        finished.map(|_| ()).map_err(self.failed("writing", key))
    }

    /// Gives a file its name in the store, and makes that durable.
    fn link(&self, from: &Path, key: &str) -> io::Result<()> {
        let target = self.file(key);
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

    fn unreadable(&self, path: &Path, source: io::Error) -> StoreError {
        StoreError::Folder { path: path.display().to_string(), action: "the file to upload cannot be read", source }
    }

    /// Size and XXH3-64 checksum of an object as it reads back.
    pub fn checksum(&self, key: &str) -> Result<(u64, String), StoreError> {
        let location = path::Path::from(key);
        let read = self.runtime.block_on(async {
            let bytes = self.inner.head(&location).await?.size;
            let mut hash = Xxh3::new();
            // In large ranges: a file's stream comes in pieces of some kilobytes, each from another thread.
            for start in (0..bytes).step_by(PART) {
                hash.update(&self.inner.get_range(&location, start..bytes.min(start + PART as u64)).await?);
            }
            Ok((bytes, format!("{:016x}", hash.digest())))
        });
        read.map_err(self.failed("reading back", key))
    }

    /// Reads an object back and compares it with what was written.
    ///
    /// # Errors
    /// [`StoreError::ReadBack`] when it differs.
    pub fn verify(&self, key: &str, bytes: u64, checksum: &str) -> Result<(), StoreError> {
        let found = self.checksum(key)?;
        if found == (bytes, checksum.to_owned()) {
            return Ok(());
        }
        let text = |(bytes, checksum): (u64, String)| format!("{bytes} bytes, checksum {checksum}");
        let (store, expected) = (self.name.clone(), text((bytes, checksum.to_owned())));
        Err(StoreError::ReadBack { store, key: key.to_owned(), found: text(found), expected })
    }

    /// Copies an object within the store, unless there is one by that name; what is there is for the caller to verify.
    pub fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let options = CopyOptions { mode: CopyMode::Create, ..CopyOptions::default() };
        let (source, target) = (path::Path::from(from), path::Path::from(to));
        let copy = || self.runtime.block_on(self.inner.copy_opts(&source, &target, options));
        match interrupt::whole(copy) {
            Ok(()) | Err(Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(self.failed("copying", from)(error)),
        }
    }

    /// Deletes an object; one that is not there is deleted already.
    pub fn delete(&self, key: &str) -> Result<(), StoreError> {
        match interrupt::whole(|| fs::remove_file(self.file(key))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(folder_error(&self.file(key).display().to_string(), "the file cannot be deleted")(error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::existing(folder.path().to_str().unwrap()).unwrap();
        (folder, store)
    }

    #[test]
    fn of_two_writers_that_read_the_same_state_the_second_is_told() {
        let (_folder, store) = store();
        let right = store.exclusive("month").unwrap();
        store.put_if(&right, "a/manifest.json", "1".into(), None).unwrap();
        assert!(matches!(store.put_if(&right, "a/manifest.json", "2".into(), None), Err(StoreError::Conflict { .. })));
        let (_, tag) = store.read("a/manifest.json").unwrap().unwrap();
        store.put_if(&right, "a/manifest.json", "3".into(), Some(&tag)).unwrap();
        assert!(matches!(
            store.put_if(&right, "a/manifest.json", "4".into(), Some(&tag)),
            Err(StoreError::Conflict { .. })
        ));
        assert_eq!(store.read("a/manifest.json").unwrap().unwrap().0, "3");
        store.delete("a/manifest.json").unwrap();
        assert!(matches!(
            store.put_if(&right, "a/manifest.json", "5".into(), Some(&tag)),
            Err(StoreError::Conflict { .. })
        ));
    }

    #[test]
    fn a_changed_byte_is_seen_when_reading_back() {
        let (folder, store) = store();
        let file = folder.path().join("upload");
        fs::write(&file, vec![7; PART + 5]).unwrap();
        store.upload(&file, "x/y").unwrap();
        let (bytes, checksum) = store.checksum("x/y").unwrap();
        assert_eq!(bytes, PART as u64 + 5);
        store.verify("x/y", bytes, &checksum).unwrap();
        let mut changed = fs::read(store.file("x/y")).unwrap();
        changed[PART] ^= 1;
        fs::write(store.file("x/y"), changed).unwrap();
        assert!(matches!(store.verify("x/y", bytes, &checksum), Err(StoreError::ReadBack { .. })));
    }

    #[test]
    fn listing_is_in_order_and_absent_objects_are_none() {
        let (_folder, store) = store();
        store.put("b/2", "x".into()).unwrap();
        store.put("a/1", "xy".into()).unwrap();
        let keys: Vec<(String, u64)> =
            store.list("", None).unwrap().into_iter().map(|object| (object.key, object.bytes)).collect();
        assert_eq!(keys, [("a/1".to_owned(), 2), ("b/2".to_owned(), 1)]);
        assert_eq!(store.list("b", None).unwrap().len(), 1);
        assert!(store.read("c").unwrap().is_none());
        store.delete("c").unwrap();
    }

    #[test]
    fn a_right_has_one_holder_at_a_time_and_leaves_no_file() {
        let (folder, store) = store();
        let right = store.exclusive("month").unwrap();
        assert!(store.exclusive_now("month").unwrap().is_none());
        assert!(store.exclusive_now("another").unwrap().is_some());
        drop(right);
        let held = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let (store, held) = (store.clone(), &held);
                scope.spawn(move || {
                    for _ in 0..200 {
                        let _right = store.exclusive("month").unwrap();
                        assert_eq!(held.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        held.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_store_that_is_not_there_is_empty_to_a_reader() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("absent");
        let store = Store::open(absent.to_str().unwrap()).unwrap();
        assert!(store.list("", None).unwrap().is_empty() && store.read("a").unwrap().is_none());
        assert!(Store::existing(absent.to_str().unwrap()).is_err());
        assert!(!absent.exists());
    }
}
