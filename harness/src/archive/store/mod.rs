//! Where raw files come from and published months go: objects by key, in a local directory or a bucket of S3, behind one
//! trait (`object_store::ObjectStore`). What the two cannot do in the same way is in `folder` and `bucket`.

mod answer;
mod bucket;
mod clock;
mod conditional;
mod error;
mod folder;
mod lease;
mod listing;
mod profile;
mod remote;
mod retry;
mod settings;
mod tag;
mod transfer;
mod unfinished;
pub mod web;

use std::{ops::Range, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use object_store::{CopyMode, CopyOptions, Error, ObjectMeta, ObjectStore, ObjectStoreExt, UpdateVersion, path};
use tokio::runtime::Runtime;

pub use self::{answer::Still, bucket::Access, error::StoreError, retry::Traffic};
use self::{bucket::Bucket, clock::Clock, folder::Folder, lease::Lease, retry::Policy};
#[cfg(test)]
pub use self::{clock::Simulated, remote::Remote};
use crate::interrupt;

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// Its state as a remote store names it; a file has none that could be relied on.
    pub e_tag: Option<String>,
    /// When it was written, by the store's clock.
    pub modified: Option<Timestamp>,
}

/// Which state of an object was read; a conditional write names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(Option<String>, Option<String>);

impl Tag {
    /// Without the quotes that most servers write it in.
    pub(crate) fn unquoted(&self) -> Option<String> {
        self.0.as_ref().map(|tag| tag.trim_matches('"').to_owned())
    }
}

impl From<&Tag> for UpdateVersion {
    fn from(Tag(e_tag, version): &Tag) -> Self {
        Self { e_tag: e_tag.clone(), version: version.clone() }
    }
}

/// A store and the threads that its requests run on.
#[derive(Clone)]
pub struct Store {
    place: Place,
    runtime: Arc<Runtime>,
    name: String,
    policy: Policy,
    clock: Clock,
    traffic: Vec<Arc<Traffic>>,
}

#[derive(Clone)]
enum Place {
    Folder(Folder),
    Bucket(Bucket),
}

/// The right to change what has a name in a store, until this is dropped or the process ends.
pub struct Exclusive(Right);

enum Right {
    Lock(folder::Lock),
    Lease(Lease),
}

impl Exclusive {
    /// Whether it is still ours. A lock is until it is dropped.
    fn still(&self) -> Still {
        match &self.0 {
            Right::Lock(_) => Still::always(),
            Right::Lease(lease) => lease.still(),
        }
    }

    /// Whether it is still ours, and for long enough for a small request.
    pub fn holds(&self) -> bool {
        self.still().holds()
    }
}

/// How the keys begin under which it is tried whether a store can be written to.
pub const TRIED: &str = "processed-data/writable-";
/// Manifests, statistics and records are smaller: what is read whole must not fill the memory.
const SMALL: u64 = 64 << 20;
impl Store {
    /// Opens a store to write to; a directory is created if need be.
    pub fn create(name: &str, access: Access) -> Result<Self, StoreError> {
        Self::opened(name, access, Folder::create)
    }

    /// Opens a store to read from; a directory that is not there is an empty store.
    pub fn open(name: &str, access: Access) -> Result<Self, StoreError> {
        Self::opened(name, access, Folder::open)
    }

    /// Opens a store that must be there.
    pub fn existing(name: &str, access: Access) -> Result<Self, StoreError> {
        Self::opened(name, access, Folder::existing)
    }

    fn opened(
        name: &str,
        access: Access,
        folder: impl Fn(&str) -> Result<Folder, StoreError>,
    ) -> Result<Self, StoreError> {
        if name.starts_with("s3://") {
            return Self::in_bucket(name, access, &bucket::environment()?);
        }
        if name.contains("://") {
            return Err(StoreError::Name(name.to_owned()));
        }
        let place = Place::Folder(folder(name)?);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|source| StoreError::Folder {
            path: name.to_owned(),
            action: "no threads for the store",
            source,
        })?;
        let (runtime, policy) = (Arc::new(runtime), Policy::NONE);
        Ok(Self { place, runtime, name: name.to_owned(), policy, clock: Clock::default(), traffic: Vec::new() })
    }

    /// Opens a bucket with the variables that say how it is reached.
    pub fn in_bucket(name: &str, access: Access, environment: &[(String, String)]) -> Result<Self, StoreError> {
        let place = Place::Bucket(Bucket::open(name, access, environment)?);
        let (runtime, policy) = (bucket::runtime(name)?, Policy::remote(access.retries));
        Ok(Self { place, runtime, name: name.to_owned(), policy, clock: Clock::default(), traffic: Vec::new() })
    }

    /// A bucket that a test makes up.
    #[cfg(test)]
    pub fn simulated(remote: Arc<dyn Remote>, clock: Arc<dyn Simulated>, retries: u32) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let place = Place::Bucket(Bucket::simulated(remote));
        let (clock, policy) = (Clock::Simulated(clock), Policy::at_once(retries));
        Self { place, runtime: Arc::new(runtime), name: "simulated".into(), policy, clock, traffic: Vec::new() }
    }

    /// The store as it was named.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same store, whose traffic is counted here as well.
    pub fn counting(&self, traffic: &Arc<Traffic>) -> Self {
        let mut store = self.clone();
        store.traffic.push(Arc::clone(traffic));
        store
    }

    /// Whether it is on another machine.
    pub fn is_remote(&self) -> bool {
        matches!(self.place, Place::Bucket(_))
    }

    /// Where an object lies as a file, if it does.
    pub fn file(&self, key: &str) -> Result<Option<PathBuf>, StoreError> {
        match &self.place {
            Place::Folder(folder) => folder.file(key).map(Some),
            Place::Bucket(_) => Ok(None),
        }
    }

    fn objects(&self) -> &dyn ObjectStore {
        match &self.place {
            Place::Folder(folder) => &*folder.objects,
            Place::Bucket(bucket) => &*bucket.s3,
        }
    }

    fn location(&self, key: &str) -> path::Path {
        match &self.place {
            Place::Folder(_) => path::Path::from(key),
            Place::Bucket(bucket) => bucket.location(key),
        }
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// A step that others see: in a directory one that an interruption does not cut in two. A request to a bucket may take
    /// long, and what it leaves behind an interruption the next run removes.
    fn step<T>(&self, step: impl FnOnce() -> T) -> T {
        if self.is_remote() { step() } else { interrupt::whole(step) }
    }

    /// The name to which an object of a listing is the right.
    pub fn right_of<'a>(&self, key: &'a str) -> Option<&'a str> {
        if self.is_remote() { lease::name_of(key) } else { None }
    }

    fn note(&self, what: impl Fn(&Traffic)) {
        self.traffic.iter().for_each(|traffic| what(traffic));
    }

    /// Makes a request, again while that is worth it.
    async fn ask<T, F: Future<Output = object_store::Result<T>>>(
        &self,
        request: impl Fn() -> F,
    ) -> object_store::Result<T> {
        for retry in 0.. {
            match request().await {
                Err(error) if retry < self.policy.retries && retry::is_transient(&error) => {
                    self.note(Traffic::add_retry);
                    let pause = self.policy.pause(retry, &error);
                    tracing::debug!("store {}: {error}; again in {pause:.1?}", self.name);
                    tokio::time::sleep(pause).await;
                }
                result => return result,
            }
        }
        unreachable!("the last retry returns")
    }

    fn failed<'a>(&'a self, action: &'static str, key: &'a str) -> impl Fn(Error) -> StoreError + 'a {
        move |error| {
            let error = StoreError::of(&self.name, action, key, self.policy.retries, error);
            match &self.place {
                Place::Bucket(Bucket { endpoint: Some(endpoint), .. }) => error.at(endpoint),
                _ => error,
            }
        }
    }

    /// Waits for the right to change what goes by `name`.
    pub fn exclusive(&self, name: &str) -> Result<Exclusive, StoreError> {
        Ok(Exclusive(match &self.place {
            Place::Folder(folder) => Right::Lock(folder.lock(name)?),
            Place::Bucket(_) => Right::Lease(Lease::wait(self, name)?),
        }))
    }

    /// The right to change what goes by `name`, if nobody has it.
    pub fn exclusive_now(&self, name: &str) -> Result<Option<Exclusive>, StoreError> {
        Ok(match &self.place {
            Place::Folder(folder) => folder.lock_now(name)?.map(Right::Lock),
            Place::Bucket(_) => Lease::now(self, name)?.map(Right::Lease),
        }
        .map(Exclusive))
    }

    /// The same, but waits for as long as it takes to tell a holder that works from one that is gone.
    pub fn exclusive_of_the_dead(&self, name: &str) -> Result<Option<Exclusive>, StoreError> {
        match &self.place {
            Place::Folder(_) => self.exclusive_now(name),
            Place::Bucket(_) => Ok(Lease::of_the_dead(self, name)?.map(Right::Lease).map(Exclusive)),
        }
    }

    /// Every object under the folder `prefix` (empty: all), in order of key, without those in folders named `except`; in a
    /// directory also what an unfinished upload has left.
    pub fn list(&self, prefix: &str, except: Option<&str>) -> Result<Vec<Object>, StoreError> {
        match &self.place {
            Place::Folder(folder) => folder.list(prefix, except),
            Place::Bucket(bucket) => self.wait(self.list_bucket(bucket, prefix, except)),
        }
    }

    async fn list_bucket(
        &self,
        bucket: &Bucket,
        prefix: &str,
        except: Option<&str>,
    ) -> Result<Vec<Object>, StoreError> {
        let within = bucket.location(prefix);
        let mut found: Vec<(path::Path, Object)> = Vec::new();
        // A listing comes in pages; one that breaks goes on after the last key.
        let mut retry = 0;
        loop {
            let before = found.len();
            let mut pages = match found.last() {
                None => bucket.s3.list(Some(&within)),
                Some((last, _)) => bucket.s3.list_with_offset(Some(&within), last),
            };
            let error = loop {
                match pages.try_next().await {
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                    Ok(Some(meta)) => {
                        if let Some(key) = bucket.key_of(meta.location.as_ref()) {
                            let modified = time(&meta);
                            let object = Object { key: key.to_owned(), bytes: meta.size, e_tag: meta.e_tag, modified };
                            found.push((meta.location, object));
                        }
                    }
                }
            };
            let Some(error) = error else { break };
            retry = if found.len() > before { 0 } else { retry + 1 };
            if retry > self.policy.retries || !retry::is_transient(&error) {
                return Err(self.failed("listing", if prefix.is_empty() { "all objects" } else { prefix })(error));
            }
            self.note(Traffic::add_retry);
            tokio::time::sleep(self.policy.pause(retry, &error)).await;
        }
        let hidden = |key: &str| {
            let (folders, _) = key.rsplit_once('/').unwrap_or_default();
            except.is_some_and(|name| folders.split('/').any(|folder| folder == name))
        };
        let mut objects: Vec<Object> =
            found.into_iter().map(|(_, object)| object).filter(|object| !hidden(&object.key)).collect();
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(objects)
    }

    /// An object as a listing shows it; `None` when there is none.
    pub fn find(&self, key: &str) -> Result<Option<Object>, StoreError> {
        let location = self.location(key);
        match self.wait(self.ask(|| self.objects().head(&location))) {
            Ok(meta) => {
                let modified = time(&meta);
                let e_tag = meta.e_tag.filter(|_| self.is_remote());
                Ok(Some(Object { key: key.to_owned(), bytes: meta.size, e_tag, modified }))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("reading", key)(error)),
        }
    }

    /// Size of an object; `None` when there is none.
    pub fn size(&self, key: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.find(key)?.map(|object| object.bytes))
    }

    /// A small object and its state; `None` when there is none.
    ///
    /// # Errors
    /// Also for one that is too large to be any of ours.
    pub fn read(&self, key: &str) -> Result<Option<(Bytes, Tag)>, StoreError> {
        self.wait(self.read_up_to(key, SMALL))
    }

    /// The same of an object of so many bytes at most.
    pub fn read_whole(&self, key: &str, bytes: u64) -> Result<Option<(Bytes, Tag)>, StoreError> {
        self.wait(self.read_up_to(key, bytes))
    }

    async fn read_up_to(&self, key: &str, most: u64) -> Result<Option<(Bytes, Tag)>, StoreError> {
        let location = self.location(key);
        let mut before: Option<Bytes> = None;
        for _ in 0..=self.policy.retries.max(2) {
            let read = self.ask(|| async {
                let result = self.objects().get(&location).await?;
                let (size, tag) = (result.meta.size, Tag(result.meta.e_tag.clone(), result.meta.version.clone()));
                if size > most {
                    return Ok(Err(size));
                }
                let bytes = result.bytes().await?;
                if bytes.len() as u64 == size { Ok(Ok((bytes, tag))) } else { Err(short(size, bytes.len() as u64)) }
            });
            let (bytes, tag) = match read.await {
                Ok(Ok(found)) => found,
                Ok(Err(bytes)) => {
                    let (store, key) = (self.name.clone(), key.to_owned());
                    return Err(StoreError::TooLarge { store, key, bytes, limit: most });
                }
                Err(Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(self.failed("reading", key)(error)),
            };
            // A tag that says nothing of the content: then two answers that agree, also with the size, are believed.
            let sure = !self.is_remote() || tag.0.as_deref().is_none_or(|tag| tag::is_of(tag, &bytes));
            let agreed = before.as_ref() == Some(&bytes) && {
                let size = self.ask(|| self.objects().head(&location)).await.map(|meta| meta.size);
                size.is_ok_and(|size| size == bytes.len() as u64)
            };
            if sure || agreed {
                self.note(|traffic| traffic.add_read(bytes.len() as u64));
                return Ok(Some((bytes, tag)));
            }
            self.note(Traffic::add_retry);
            before = Some(bytes);
        }
        Err(self.differs(key))
    }

    /// Every reading of an object gives other bytes.
    fn differs(&self, key: &str) -> StoreError {
        StoreError::ReadBack {
            store: self.name.clone(),
            key: key.to_owned(),
            found: "other bytes each time".into(),
            expected: "those that its tag stands for".into(),
        }
    }

    /// Some bytes of an object.
    pub fn range(&self, key: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        let location = self.location(key);
        let expected = range.end - range.start;
        let read = self.wait(self.ask(|| async {
            let bytes = self.objects().get_range(&location, range.clone()).await?;
            if bytes.len() as u64 == expected { Ok(bytes) } else { Err(short(expected, bytes.len() as u64)) }
        }));
        read.map_err(self.failed("reading", key))
    }

    /// Writes a small object, whatever was there.
    pub fn put(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        let location = self.location(key);
        let put = self.step(|| self.wait(self.ask(|| self.objects().put(&location, bytes.clone().into()))));
        put.map_err(self.failed("writing", key))?;
        self.note(|traffic| traffic.add_written(bytes.len() as u64));
        Ok(())
    }

    /// Writes a small object and deletes it again; what an interruption leaves of that is cleaned like what was not finished.
    pub fn try_writing(&self) -> Result<(), StoreError> {
        let key = format!("{TRIED}{:08x}", fastrand::u32(..));
        let _interrupt = interrupt::on_exit({
            let (store, key) = (self.clone(), key.clone());
            move || _ = store.delete(&key)
        });
        self.put(&key, Bytes::from_static(b"\n"))?;
        self.delete(&key)
    }

    /// The store's own time, since 1970: that of the right's object, which was written not long ago. `None` without one.
    pub fn time(&self, exclusive: &Exclusive) -> Result<Option<Duration>, StoreError> {
        match &exclusive.0 {
            Right::Lock(lock) => lock.taken().map(Some),
            Right::Lease(lease) => self.modified(lease.key()),
        }
    }

    /// When an object was written, by the same clock; `None` when there is none.
    pub fn modified(&self, key: &str) -> Result<Option<Duration>, StoreError> {
        let location = self.location(key);
        match self.wait(self.ask(|| self.objects().head(&location))) {
            Ok(meta) => {
                let nanos = meta.last_modified.timestamp_nanos_opt().and_then(|nanos| u64::try_from(nanos).ok());
                Ok(nanos.map(Duration::from_nanos))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("reading", key)(error)),
        }
    }

    /// Reads an object back and compares it with what was written; returns its last part.
    ///
    /// # Errors
    /// [`StoreError::ReadBack`] when it differs.
    pub fn verify(&self, key: &str, bytes: u64, checksum: &str) -> Result<Bytes, StoreError> {
        let mut retry = 0;
        let found = loop {
            let found = self.read_back(key)?;
            if (found.bytes, &*found.checksum) == (bytes, checksum) {
                return Ok(found.tail);
            }
            // What a network has altered on its way reads differently the next time.
            if found.bytes != bytes || retry >= self.policy.retries.min(2) {
                break found;
            }
            retry += 1;
            self.note(Traffic::add_retry);
        };
        let text = |bytes: u64, checksum: &str| format!("{bytes} bytes, checksum {checksum}");
        Err(StoreError::ReadBack {
            store: self.name.clone(),
            key: key.to_owned(),
            found: text(found.bytes, &found.checksum),
            expected: text(bytes, checksum),
        })
    }

    /// Copies an object within the store to a name that nothing has; what is there is for the caller to verify.
    pub fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let mode = if self.is_remote() { CopyMode::Overwrite } else { CopyMode::Create };
        let (source, target) = (self.location(from), self.location(to));
        let options = || CopyOptions { mode, ..CopyOptions::default() };
        let copy = || self.wait(self.ask(|| self.objects().copy_opts(&source, &target, options())));
        match self.step(copy) {
            Ok(()) | Err(Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(self.failed("copying", from)(error)),
        }
    }

    /// Deletes an object; one that is not there is deleted already.
    pub fn delete(&self, key: &str) -> Result<(), StoreError> {
        match &self.place {
            Place::Folder(folder) => folder.delete(key),
            Place::Bucket(bucket) => {
                let location = bucket.location(key);
                match self.wait(self.ask(|| bucket.s3.delete(&location))) {
                    Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                    Err(error) => Err(self.failed("deleting", key)(error)),
                }
            }
        }
    }
}

fn time(meta: &ObjectMeta) -> Option<Timestamp> {
    Timestamp::from_millisecond(meta.last_modified.timestamp_millis()).ok()
}

/// An answer with another length than it should have.
fn short(expected: u64, found: u64) -> Error {
    let source = format!("{found} bytes arrived, expected {expected}").into();
    Error::Generic { store: "S3", source }
}

#[cfg(test)]
mod tests;
