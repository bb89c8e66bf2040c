//! Small objects, read and written whole, and ranges of any.

use std::ops::Range;

use base::interrupt;
use bytes::Bytes;
use object_store::{Error, ObjectStoreExt};

use super::{Store, StoreError, Tag, Traffic, tag};

/// How the keys begin under which it is tried whether a store can be written to.
pub const TRIED: &str = "processed-data/writable-";
/// Manifests, statistics and records are smaller: what is read whole must not fill the memory.
pub(super) const SMALL: u64 = 64 << 20;

impl Store {
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

    pub(super) async fn read_up_to(&self, key: &str, most: u64) -> Result<Option<(Bytes, Tag)>, StoreError> {
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
    pub(super) fn differs(&self, key: &str) -> StoreError {
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
}

/// An answer with another length than it should have.
pub(super) fn short(expected: u64, found: u64) -> Error {
    let source = format!("{found} bytes arrived, expected {expected}").into();
    Error::Generic { store: "S3", source }
}
