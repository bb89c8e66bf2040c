//! Writes and deletions that depend on the state an object is in: what makes a commit one.

use std::time::Duration;

use bytes::Bytes;
use object_store::{Error, ObjectStoreExt, PutMode, PutOptions, UpdateVersion};

use super::{Exclusive, Place, Store, StoreError, Tag, Traffic, answer::Still, retry, small::SMALL};

/// A conditional write that has not been answered for so long is asked after.
const COMMIT: Duration = Duration::from_secs(10);

impl Store {
    /// Writes a small object unless one has its name.
    pub fn put_new(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        self.put_once(key, bytes).map(|_| ())
    }

    /// Writes a small object, of bytes that nobody else writes, unless one has its name; whether it is this one.
    pub fn put_once(&self, key: &str, bytes: Bytes) -> Result<bool, StoreError> {
        match self.step(|| self.wait(self.swap(key, bytes, None, &Still::always()))) {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes a small object if its state is still `expected` (`None`: if there is none) and the right is still ours. A
    /// file system cannot compare and replace at once, hence the right to it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] or [`StoreError::RightLost`] when it is not.
    pub fn put_if(
        &self,
        exclusive: &Exclusive,
        key: &str,
        bytes: Bytes,
        expected: Option<&Tag>,
    ) -> Result<(), StoreError> {
        let still = exclusive.still();
        let swap = || self.wait(self.swap(key, bytes, expected, &still));
        self.step(swap).map(|_| ())
    }

    /// Writes a small object if its state is still `expected` and the right is `still` ours; returns its new state.
    pub(super) async fn swap(
        &self,
        key: &str,
        bytes: Bytes,
        expected: Option<&Tag>,
        still: &Still,
    ) -> Result<Tag, StoreError> {
        let conflict = || self.conflict(key);
        let location = self.location(key);
        let mode = match (&self.place, expected) {
            (_, None) => PutMode::Create,
            (Place::Bucket(_), Some(tag)) => PutMode::Update(tag.into()),
            (Place::Folder(_), Some(expected)) => {
                let now = self.read_up_to(key, SMALL).await?;
                if now.is_none_or(|(_, now)| now != *expected) {
                    return Err(conflict());
                }
                PutMode::Overwrite
            }
        };
        for retry in 0.. {
            if !still.holds() {
                return Err(self.right_lost(key));
            }
            let mode = match (expected, retry % 2) {
                // Older Ceph compares the tag without its quotes.
                (Some(tag), 1) => PutMode::Update(UpdateVersion { e_tag: tag.unquoted(), ..tag.into() }),
                _ => mode.clone(),
            };
            let options = PutOptions { mode, extensions: still.extensions(), ..PutOptions::default() };
            let put = self.objects().put_opts(&location, bytes.clone().into(), options);
            // A disk takes what it takes, and an error of it is final.
            let error = if self.is_remote() {
                match tokio::time::timeout(COMMIT, put).await {
                    Ok(Ok(put)) => return Ok(Tag(put.e_tag, put.version)),
                    Ok(Err(error)) => error,
                    Err(_) => unanswered(),
                }
            } else {
                match put.await {
                    Ok(put) => return Ok(Tag(put.e_tag, put.version)),
                    Err(Error::AlreadyExists { .. }) => return Err(conflict()),
                    Err(error) => return Err(self.failed("writing", key)(error)),
                }
            };
            let doubtful = matches!(error, Error::AlreadyExists { .. } | Error::Precondition { .. });
            if !doubtful && !retry::is_transient(&error) {
                return Err(self.failed("writing", key)(error));
            }
            // It may have been written although the answer says no, or got lost; only a look tells.
            let now = self.read_up_to(key, SMALL).await?;
            match &now {
                Some((there, tag)) if *there == bytes => return Ok(tag.clone()),
                _ if now.as_ref().map(|(_, tag)| tag) != expected => return Err(conflict()),
                _ if retry >= self.policy.retries => return Err(self.failed("writing", key)(error)),
                _ => {
                    self.note(Traffic::add_retry);
                    tokio::time::sleep(self.policy.pause(retry, &error)).await;
                }
            }
        }
        unreachable!("the last retry returns")
    }

    fn conflict(&self, key: &str) -> StoreError {
        StoreError::Conflict { store: self.name.clone(), key: key.to_owned() }
    }

    fn right_lost(&self, key: &str) -> StoreError {
        StoreError::RightLost { store: self.name.clone(), name: key.to_owned() }
    }

    /// Writes an object under a name that nothing had before; what is there afterwards is for the caller to verify. A
    /// request that is repeated may find what the first has written.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when something of another size has the name.
    pub fn create_object(&self, key: &str, bytes: Bytes) -> Result<(), StoreError> {
        self.step(|| self.wait(self.create_new(key, &bytes)))?;
        self.note(|traffic| traffic.add_written(bytes.len() as u64));
        Ok(())
    }

    async fn create_new(&self, key: &str, bytes: &Bytes) -> Result<(), StoreError> {
        let location = self.location(key);
        for retry in 0.. {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            let Err(error) = self.objects().put_opts(&location, bytes.clone().into(), options).await else {
                return Ok(());
            };
            let taken = matches!(error, Error::AlreadyExists { .. } | Error::Precondition { .. });
            if taken {
                match self.ask(|| self.objects().head(&location)).await {
                    Ok(meta) if meta.size == bytes.len() as u64 => return Ok(()),
                    Ok(_) => return Err(self.conflict(key)),
                    Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(self.failed("writing", key)(error)),
                }
            }
            if retry >= self.policy.retries || !(taken || retry::is_transient(&error)) {
                return Err(self.failed("writing", key)(error));
            }
            self.note(Traffic::add_retry);
            tokio::time::sleep(self.policy.pause(retry, &error)).await;
        }
        unreachable!("the last retry returns")
    }

    /// Deletes an object if its state is still `expected` and the right still ours.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] or [`StoreError::RightLost`] when it is not.
    pub fn delete_held(&self, exclusive: &Exclusive, key: &str, expected: &Tag) -> Result<(), StoreError> {
        match self.read(key)? {
            None => Ok(()),
            Some((_, now)) if now != *expected => Err(self.conflict(key)),
            Some(_) => self.delete_if(key, expected, &exclusive.still()),
        }
    }

    /// The same without a look. A server that does not know conditions on deletions deletes in any case, and so does a
    /// directory.
    pub(super) fn delete_if(&self, key: &str, expected: &Tag, still: &Still) -> Result<(), StoreError> {
        if !still.holds() {
            return Err(self.right_lost(key));
        }
        let Place::Bucket(bucket) = &self.place else { return self.delete(key) };
        let location = bucket.location(key);
        for retry in 0.. {
            // Older Ceph compares the tag without its quotes.
            let expected = if retry % 2 == 1 { Tag(expected.unquoted(), None) } else { expected.clone() };
            match self.wait(self.ask(|| bucket.s3.delete_if(&location, &expected, still.clone()))) {
                Ok(()) | Err(Error::NotFound { .. }) => return Ok(()),
                Err(Error::Precondition { .. }) => {}
                Err(error) => return Err(self.failed("deleting", key)(error)),
            }
            // It may have been deleted although the answer says no, or not; only a look tells.
            match self.read(key)? {
                None => return Ok(()),
                Some((_, now)) if now.unquoted() == expected.unquoted() && retry < self.policy.retries => {
                    self.note(Traffic::add_retry);
                }
                Some(_) => return Err(self.conflict(key)),
            }
        }
        unreachable!("the last retry returns")
    }
}

fn unanswered() -> Error {
    let source = format!("no answer for {} seconds", COMMIT.as_secs()).into();
    Error::Generic { store: "S3", source }
}
