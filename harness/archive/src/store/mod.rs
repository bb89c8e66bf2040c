//! Where raw files come from and published months go: objects by key, in a local directory or a bucket of S3, behind one
//! trait (`object_store::ObjectStore`). What the two cannot do in the same way is in `folder` and `bucket`.

mod answer;
mod bucket;
mod clock;
mod conditional;
#[cfg(test)]
mod environment;
mod error;
mod folder;
mod lease;
mod listing;
mod profile;
mod remote;
mod retry;
mod right;
mod settings;
mod small;
mod tag;
mod transfer;
mod unfinished;
pub mod web;

use std::{path::PathBuf, sync::Arc, time::Duration};

use base::interrupt;
use bytes::Bytes;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use object_store::{CopyMode, CopyOptions, Error, ObjectMeta, ObjectStore, ObjectStoreExt, UpdateVersion, path};
use tokio::runtime::Runtime;

#[cfg(test)]
pub use self::answer::Still;
pub use self::{bucket::Access, error::StoreError, retry::Traffic, right::Exclusive, small::TRIED};
use self::{bucket::Bucket, clock::Clock, folder::Folder, retry::Policy};
#[cfg(test)]
pub use self::{clock::Simulated, remote::Remote};

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

#[cfg(test)]
mod tests;
