//! Whole objects to and from files: in parts, several at once, each repeated by itself.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    ops::Range,
    os::unix::fs::FileExt,
    path::Path,
};

use base::interrupt;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{Error, GetOptions, GetRange, ObjectStoreExt, WriteMultipart, path};
use xxhash_rust::xxh3::Xxh3;

use super::{Object, Place, Store, StoreError, answer::Refusal, bucket::Bucket, retry, small::short, tag};

/// Bytes of one part.
pub const PART: usize = 8 << 20;
/// Bytes of an object's end that are kept when it is read back, if it has as many.
const TAIL: usize = 1 << 20;
/// A file up to this size goes in one request, which leaves nothing when it breaks, and costs one.
const WHOLE: u64 = 64 << 20;
/// Parts under way at once.
const AT_ONCE: usize = 4;

/// An object as it was read.
pub(super) struct ReadBack {
    /// Size.
    pub(super) bytes: u64,
    /// XXH3-64, 16 hexadecimal digits.
    pub(super) checksum: String,
    /// Its end: [`TAIL`] bytes or more.
    pub(super) tail: Bytes,
}

impl Store {
    /// Writes an object from a durable file, whatever was there: by another name for it where both are on one file system,
    /// else in parts.
    pub fn upload(&self, from: &Path, key: &str) -> Result<(), StoreError> {
        self.upload_as(from, key, Self::put)
    }

    /// The same under a name that nothing had before; one that goes in parts overwrites, with the same bytes.
    pub fn upload_new(&self, from: &Path, key: &str) -> Result<(), StoreError> {
        self.upload_as(from, key, Self::create_object)
    }

    fn upload_as(
        &self,
        from: &Path,
        key: &str,
        put: impl Fn(&Self, &str, Bytes) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let bytes = from.metadata().map_err(|source| unreadable(from, source))?.len();
        match &self.place {
            // Whatever keeps the file from having another name shows again, with its reason, when it is copied.
            Place::Folder(folder) if interrupt::whole(|| folder.link(from, key)).is_ok() => {}
            Place::Folder(_) => self.copy_in(from, key)?,
            Place::Bucket(_) if bytes <= WHOLE => {
                put(self, key, std::fs::read(from).map_err(|source| unreadable(from, source))?.into())?;
                return Ok(());
            }
            Place::Bucket(bucket) => self.wait(self.upload_parts(bucket, from, bytes, key))?,
        }
        self.note(|traffic| traffic.add_written(bytes));
        Ok(())
    }

    /// Copies a file into a folder that lies elsewhere.
    fn copy_in(&self, from: &Path, key: &str) -> Result<(), StoreError> {
        let mut file = File::open(from).map_err(|source| unreadable(from, source))?;
        let upload = interrupt::whole(|| self.wait(self.objects().put_multipart(&self.location(key))));
        let mut upload = WriteMultipart::new_with_chunk_size(upload.map_err(self.failed("writing", key))?, PART);
        let mut buffer = vec![0; PART];
        loop {
            let read = file.read(&mut buffer).map_err(|source| unreadable(from, source))?;
            if read == 0 {
                break;
            }
            self.wait(async {
                upload.wait_for_capacity(AT_ONCE).await?;
                upload.write(&buffer[..read]);
                Ok(())
            })
            .map_err(self.failed("writing", key))?;
        }
        let finished = interrupt::whole(|| self.wait(upload.finish()));
        finished.map(|_| ()).map_err(self.failed("writing", key))
    }

    async fn upload_parts(&self, bucket: &Bucket, from: &Path, bytes: u64, key: &str) -> Result<(), StoreError> {
        let file = File::open(from).map_err(|source| unreadable(from, source))?;
        let location = bucket.location(key);
        for retry in 0.. {
            match self.upload_parts_once(bucket, &file, bytes, &location).await {
                // A part that the server lost shows only at the end: then all of it is sent again.
                Err(error) if retry < self.policy.retries && is_of_lost_parts(&error) => {
                    self.note(|traffic| traffic.add_retry());
                }
                sent => return sent.map_err(self.failed("writing", key)),
            }
        }
        unreachable!("the last retry returns")
    }

    async fn upload_parts_once(
        &self,
        bucket: &Bucket,
        file: &File,
        bytes: u64,
        location: &path::Path,
    ) -> object_store::Result<()> {
        let id = self.ask(|| bucket.s3.create_multipart(location)).await?;
        let abort = {
            let (s3, runtime, location, id) = (bucket.s3.clone(), self.runtime.clone(), location.clone(), id.clone());
            interrupt::on_exit(move || {
                let _ = runtime.block_on(s3.abort_multipart(&location, &id));
            })
        };
        let part = |number: usize| {
            let id = &id;
            async move {
                let start = (number * PART) as u64;
                let mut part = vec![0; PART.min((bytes - start) as usize)];
                file.read_exact_at(&mut part, start).map_err(of_file)?;
                let part = Bytes::from(part);
                self.ask(|| bucket.s3.put_part(location, id, number, part.clone().into())).await
            }
        };
        let parts = (0..bytes.div_ceil(PART as u64) as usize).map(part);
        let sent: object_store::Result<Vec<_>> = stream::iter(parts).buffered(AT_ONCE).try_collect().await;
        let finished = match sent {
            Ok(parts) => self.ask(|| bucket.s3.complete_multipart(location, &id, parts.clone())).await.map(|_| ()),
            Err(error) => Err(error),
        };
        let finished = match finished {
            // The answer to the first try may be lost; the upload is gone then, and the object there.
            Err(gone @ Error::NotFound { .. }) => match self.ask(|| bucket.s3.head(location)).await {
                Ok(meta) if meta.size == bytes => Ok(()),
                Ok(_) | Err(Error::NotFound { .. }) => Err(gone),
                Err(error) => Err(error),
            },
            other => other,
        };
        if finished.is_err() {
            let _ = bucket.s3.abort_multipart(location, &id).await;
        }
        drop(abort);
        finished
    }

    /// Some bytes of an object in one state. A connection that breaks is followed by one that goes on after the last byte that
    /// came; only tries in a row that bring nothing count as retries.
    async fn part(&self, location: &path::Path, range: Range<u64>, e_tag: Option<&str>) -> object_store::Result<Bytes> {
        let mut e_tag = e_tag.map(str::to_owned);
        let expected = range.end - range.start;
        let mut got = Vec::with_capacity(usize::try_from(expected).unwrap_or(0).min(PART));
        let mut retry = 0;
        loop {
            let before = got.len();
            let rest = range.start + before as u64..range.end;
            let error = match self.take(location, rest, &mut e_tag, &mut got).await {
                Ok(()) if got.len() as u64 == expected => return Ok(got.into()),
                Ok(()) => short(expected, got.len() as u64),
                Err(error) => error,
            };
            retry = if got.len() > before { 0 } else { retry + 1 };
            if got.len() as u64 > expected || retry > self.policy.retries || !retry::is_transient(&error) {
                return Err(error);
            }
            // None goes on where there are none at all.
            if self.policy.retries == 0 {
                return Err(error);
            }
            self.note(|traffic| traffic.add_retry());
            let pause = self.policy.pause(retry.saturating_sub(1), &error);
            tracing::debug!("store {}: {error}; on from {} in {pause:.1?}", self.name, range.start + got.len() as u64);
            tokio::time::sleep(pause).await;
        }
    }

    /// Appends what arrives of a range. The first answer settles the state that the others must be of.
    async fn take(
        &self,
        location: &path::Path,
        range: Range<u64>,
        e_tag: &mut Option<String>,
        got: &mut Vec<u8>,
    ) -> object_store::Result<()> {
        let options =
            GetOptions { range: Some(GetRange::Bounded(range)), if_match: e_tag.clone(), ..GetOptions::default() };
        let answer = self.objects().get_opts(location, options).await?;
        if self.is_remote() && e_tag.is_none() {
            *e_tag = answer.meta.e_tag.clone();
        }
        let mut body = answer.into_stream();
        while let Some(bytes) = body.try_next().await? {
            got.extend_from_slice(&bytes);
        }
        Ok(())
    }

    /// Reads an object through, from the first byte that `done` has not seen; its parts go to `done` in order.
    async fn parts(
        &self,
        key: &str,
        from: u64,
        size: u64,
        e_tag: Option<&str>,
        mut done: impl FnMut(Bytes) -> io::Result<()>,
    ) -> object_store::Result<()> {
        let location = self.location(key);
        let at_once = if matches!(self.place, Place::Bucket(_)) { AT_ONCE } else { 1 };
        let part = |start: u64| self.part(&location, start..size.min(start + PART as u64), e_tag);
        let starts: Vec<u64> = (from..size).step_by(PART).collect();
        let mut parts = stream::iter(starts.into_iter().map(part)).buffered(at_once);
        while let Some(bytes) = parts.try_next().await? {
            self.note(|traffic| traffic.add_read(bytes.len() as u64));
            done(bytes).map_err(of_file)?;
        }
        Ok(())
    }

    /// An object as it reads back.
    pub(super) fn read_back(&self, key: &str) -> Result<ReadBack, StoreError> {
        let read = self.wait(async {
            let location = self.location(key);
            let meta = self.ask(|| self.objects().head(&location)).await?;
            let (mut hash, mut tail) = (Xxh3::new(), Bytes::new());
            let e_tag = self.is_remote().then_some(meta.e_tag.as_deref()).flatten();
            self.parts(key, 0, meta.size, e_tag, |part| {
                hash.update(&part);
                let before = std::mem::replace(&mut tail, part);
                // The footer of a Parquet must not lie before a small last part.
                if tail.len() < TAIL {
                    let missing = before.len().min(TAIL - tail.len());
                    tail = [&before[before.len() - missing..], &tail[..]].concat().into();
                }
                Ok(())
            })
            .await?;
            Ok(ReadBack { bytes: meta.size, checksum: format!("{:016x}", hash.digest()), tail })
        });
        read.map_err(self.failed("reading back", key))
    }

    /// Size and XXH3-64 checksum of an object as it reads back.
    pub fn checksum(&self, key: &str) -> Result<(u64, String), StoreError> {
        self.read_back(key).map(|found| (found.bytes, found.checksum))
    }

    /// Copies an object into a file; returns its XXH3-64. What of the file is there already is taken for the object's
    /// beginning: name it after the object's state.
    pub fn download(&self, object: &Object, to: &Path) -> Result<String, StoreError> {
        let unwritable = |source| StoreError::Folder {
            path: to.display().to_string(),
            action: "the download cannot be written",
            source,
        };
        let mut options = File::options();
        let mut file = options.create(true).truncate(false).read(true).write(true).open(to).map_err(unwritable)?;
        let mut before = None;
        for _ in 0..=self.policy.retries {
            let checksum = self.download_once(object, &mut file, unwritable)?;
            // A tag that says nothing of the content: then two downloads that agree are believed.
            let sure = match object.e_tag.as_deref().filter(|_| self.is_remote()) {
                Some(tag) => tag::is_of_file(tag, &mut file, object.bytes).map_err(unwritable)?,
                None => true,
            };
            if sure || before.as_ref() == Some(&checksum) {
                file.sync_all().map_err(unwritable)?;
                return Ok(checksum);
            }
            self.note(|traffic| traffic.add_retry());
            before = Some(checksum);
            file.set_len(0).map_err(unwritable)?;
        }
        Err(self.differs(&object.key))
    }

    fn download_once(
        &self,
        object: &Object,
        file: &mut File,
        unwritable: impl Fn(io::Error) -> StoreError,
    ) -> Result<String, StoreError> {
        let there = file.metadata().map_err(&unwritable)?.len().min(object.bytes);
        file.set_len(there).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(&unwritable)?;
        let (mut hash, mut buffer) = (Xxh3::new(), vec![0; 1 << 20]);
        loop {
            let read = file.read(&mut buffer).map_err(&unwritable)?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
        }
        let e_tag = object.e_tag.as_deref().filter(|_| self.is_remote());
        let parts = self.parts(&object.key, there, object.bytes, e_tag, |part| {
            hash.update(&part);
            file.write_all(&part)
        });
        self.wait(parts).map_err(self.failed("downloading", &object.key))?;
        Ok(format!("{:016x}", hash.digest()))
    }
}

/// Whether an upload in parts failed for want of a part, or of all.
fn is_of_lost_parts(error: &Error) -> bool {
    let refused = Refusal::of(error).is_some_and(|refusal| refusal.code == "InvalidPart");
    refused || matches!(error, Error::NotFound { .. })
}

fn unreadable(path: &Path, source: io::Error) -> StoreError {
    StoreError::Folder { path: path.display().to_string(), action: "the file to upload cannot be read", source }
}

/// An error of a local file amid those of a store; no retry helps.
fn of_file(source: io::Error) -> Error {
    Error::NotSupported { source: Box::new(source) }
}
