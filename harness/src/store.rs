//! Where raw files come from and published months go: objects by key, behind one trait (`object_store::ObjectStore`).

use std::{
    fs::File,
    io::Read,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, UpdateVersion, WriteMultipart, local::LocalFileSystem,
    path,
};
use xxhash_rust::xxh3::Xxh3;

/// Bytes of one part of an upload.
const PART: usize = 8 << 20;

/// Held while a local manifest is compared and replaced.
const LOCK: &str = ".harness.lock";

/// A store that does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The object store said no.
    #[error("store {store}, {action} {key}")]
    Object { store: String, action: &'static str, key: String, source: Box<Error> },
    /// The folder of a local store.
    #[error("{path}: {action}")]
    Folder { path: String, action: &'static str, source: std::io::Error },
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

/// Which state of an object was read; a conditional write names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(Option<String>, Option<String>);

/// A store and the runtime its requests run on.
pub struct Store {
    inner: Arc<dyn ObjectStore>,
    folder: PathBuf,
    runtime: tokio::runtime::Runtime,
    name: String,
}

impl Store {
    /// Opens a local directory, created if need be where it may be written to.
    pub fn open(name: &str, create: bool) -> Result<Self, StoreError> {
        let folder = |action, source| StoreError::Folder { path: name.to_owned(), action, source };
        if create {
            std::fs::create_dir_all(name)
                .map_err(|source| folder("the folder of the store cannot be created", source))?;
        }
        let path = std::fs::canonicalize(name).map_err(|source| folder("the folder cannot be opened", source))?;
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|source| folder("no runtime for the store", source))?;
        let local = LocalFileSystem::new_with_prefix(&path);
        let local = local.map_err(|source| StoreError::Object {
            store: name.into(),
            action: "opening",
            key: "/".into(),
            source: Box::new(source),
        })?;
        Ok(Self { inner: Arc::new(local.with_fsync(true)), folder: path, runtime, name: name.to_owned() })
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

    /// Every object whose key begins with the path `prefix` (empty: all), in order of key.
    pub fn list(&self, prefix: &str) -> Result<Vec<Object>, StoreError> {
        let path = (!prefix.is_empty()).then(|| path::Path::from(prefix));
        let listing = self.runtime.block_on(self.inner.list(path.as_ref()).try_collect::<Vec<_>>());
        let listing = listing.map_err(self.failed("listing", prefix))?;
        let mut objects: Vec<Object> =
            listing.into_iter().map(|meta| Object { key: meta.location.to_string(), bytes: meta.size }).collect();
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(objects)
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
        let put = self.runtime.block_on(self.inner.put(&path::Path::from(key), bytes.into()));
        put.map(|_| ()).map_err(self.failed("writing", key))
    }

    /// Writes a small object if its state is still `expected` (`None`: if there is none).
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is not.
    pub fn put_if(&self, key: &str, bytes: Bytes, expected: Option<&Tag>) -> Result<(), StoreError> {
        let conflict = || StoreError::Conflict { store: self.name.clone(), key: key.to_owned() };
        let location = path::Path::from(key);
        // A file system compares and replaces under a lock; it goes with the process that holds it.
        let folder =
            |source| StoreError::Folder { path: self.name.clone(), action: "the store cannot be locked", source };
        let lock = File::create(self.folder.join(LOCK)).map_err(folder)?;
        lock.lock().map_err(folder)?;
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
        match self.runtime.block_on(put) {
            Ok(_) => Ok(()),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Err(conflict()),
            Err(error) => Err(self.failed("writing", key)(error)),
        }
    }

    /// Writes an object from a file, in parts.
    pub fn upload(&self, from: &Path, key: &str) -> Result<(), StoreError> {
        let mut file = File::open(from).map_err(|source| self.unreadable(from, source))?;
        let location = path::Path::from(key);
        let upload = self.runtime.block_on(self.inner.put_multipart(&location));
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
        self.runtime.block_on(upload.finish()).map(|_| ()).map_err(self.failed("writing", key))
    }

    fn unreadable(&self, path: &Path, source: std::io::Error) -> StoreError {
        StoreError::Folder { path: path.display().to_string(), action: "the file to upload cannot be read", source }
    }

    /// Size and XXH3-64 checksum of an object as it reads back.
    pub fn checksum(&self, key: &str) -> Result<(u64, String), StoreError> {
        let read = self.runtime.block_on(async {
            let mut stream = self.inner.get(&path::Path::from(key)).await?.into_stream();
            let (mut hash, mut bytes) = (Xxh3::new(), 0);
            while let Some(part) = stream.try_next().await? {
                hash.update(&part);
                bytes += part.len() as u64;
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

    /// Copies an object within the store.
    pub fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let copy = self.runtime.block_on(self.inner.copy(&path::Path::from(from), &path::Path::from(to)));
        copy.map_err(self.failed("copying", from))
    }

    /// Deletes an object; one that is not there is deleted already.
    pub fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self.runtime.block_on(self.inner.delete(&path::Path::from(key))) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("deleting", key)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_str().unwrap(), false).unwrap();
        (folder, store)
    }

    #[test]
    fn of_two_writers_that_read_the_same_state_the_second_is_told() {
        let (_folder, store) = store();
        store.put_if("a/manifest.json", "1".into(), None).unwrap();
        assert!(matches!(store.put_if("a/manifest.json", "2".into(), None), Err(StoreError::Conflict { .. })));
        let (_, tag) = store.read("a/manifest.json").unwrap().unwrap();
        store.put_if("a/manifest.json", "3".into(), Some(&tag)).unwrap();
        assert!(matches!(store.put_if("a/manifest.json", "4".into(), Some(&tag)), Err(StoreError::Conflict { .. })));
        assert_eq!(store.read("a/manifest.json").unwrap().unwrap().0, "3");
        store.delete("a/manifest.json").unwrap();
        assert!(matches!(store.put_if("a/manifest.json", "5".into(), Some(&tag)), Err(StoreError::Conflict { .. })));
    }

    #[test]
    fn a_changed_byte_is_seen_when_reading_back() {
        let (folder, store) = store();
        let file = folder.path().join("upload");
        std::fs::write(&file, vec![7; PART + 5]).unwrap();
        store.upload(&file, "x/y").unwrap();
        let (bytes, checksum) = store.checksum("x/y").unwrap();
        assert_eq!(bytes, PART as u64 + 5);
        store.verify("x/y", bytes, &checksum).unwrap();
        let mut changed = std::fs::read(store.file("x/y")).unwrap();
        changed[PART] ^= 1;
        std::fs::write(store.file("x/y"), changed).unwrap();
        assert!(matches!(store.verify("x/y", bytes, &checksum), Err(StoreError::ReadBack { .. })));
    }

    #[test]
    fn listing_is_in_order_and_absent_objects_are_none() {
        let (_folder, store) = store();
        store.put("b/2", "x".into()).unwrap();
        store.put("a/1", "xy".into()).unwrap();
        let keys: Vec<(String, u64)> =
            store.list("").unwrap().into_iter().map(|object| (object.key, object.bytes)).collect();
        assert_eq!(keys, [("a/1".to_owned(), 2), ("b/2".to_owned(), 1)]);
        assert_eq!(store.list("b").unwrap().len(), 1);
        assert!(store.read("c").unwrap().is_none());
        store.delete("c").unwrap();
    }
}
