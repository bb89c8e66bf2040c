//! The store as object_store sees it: every call waits for its turn.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream, stream::BoxStream};
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartId,
    MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    client::HttpResponseBody,
    multipart::{MultipartStore, PartId},
    path::Path,
};

use super::world::{Answer, Condition, Request, Stored, World};
use crate::store::{self, Remote, Still, Tag};

/// One worker's view of it; of no worker, nothing goes wrong.
#[derive(Clone)]
pub struct Simulated {
    world: Arc<World>,
    worker: Option<usize>,
}

impl std::fmt::Debug for Simulated {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("simulated")
    }
}

impl std::fmt::Display for Simulated {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("simulated")
    }
}

fn failed(what: &'static str) -> Error {
    Error::Generic { store: "simulated", source: what.into() }
}

fn not_there(location: &Path) -> Error {
    Error::NotFound { path: location.to_string(), source: "not there".into() }
}

fn unknown<T>() -> Result<T> {
    Err(Error::NotImplemented { operation: "this".into(), implementer: "simulated".into() })
}

fn meta(location: &Path, object: &Stored) -> ObjectMeta {
    let modified = std::time::UNIX_EPOCH + object.modified;
    let (size, e_tag) = (object.bytes.len() as u64, Some(format!("\"{}\"", object.e_tag)));
    ObjectMeta { location: location.clone(), last_modified: modified.into(), size, e_tag, version: None }
}

impl Simulated {
    pub fn new(world: Arc<World>, worker: Option<usize>) -> Self {
        Self { world, worker }
    }

    /// Its turn; killed workers get nothing.
    fn turn(&self) -> Result<()> {
        if self.world.pause(self.worker) { Ok(()) } else { Err(failed("killed")) }
    }

    /// Sends a request that was signed before others went on.
    fn send(&self, location: &Path, request: Request, still: Option<&Still>) -> Result<String> {
        self.turn()?;
        let signed = self.world.now();
        if still.is_some_and(|still| !still.holds()) {
            return Err(failed("the lease was lost"));
        }
        self.turn()?;
        match self.world.ask(self.worker, request, signed) {
            Answer::Done(e_tag) => Ok(e_tag),
            Answer::Lost => Err(failed("no answer")),
            Answer::Missing => Err(not_there(location)),
            Answer::No => Err(Error::Precondition { path: location.to_string(), source: "no".into() }),
        }
    }
}

#[async_trait]
impl ObjectStore for Simulated {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let condition = match &options.mode {
            PutMode::Overwrite => Condition::Any,
            PutMode::Create => Condition::Absent,
            PutMode::Update(version) => Condition::Is(version.e_tag.clone().unwrap_or_default()),
        };
        let request = Request::Put { key: location.to_string(), bytes: Bytes::from(payload), condition };
        let e_tag = self.send(location, request, options.extensions.get::<Still>())?;
        Ok(PutResult { e_tag: Some(format!("\"{e_tag}\"")), version: None, extensions: Default::default() })
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        unknown()
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.turn()?;
        if self.world.fails(self.worker) {
            return Err(failed("no answer"));
        }
        let object = self.world.get(location.as_ref()).ok_or_else(|| not_there(location))?;
        let (meta, size) = (meta(location, &object), object.bytes.len() as u64);
        options.check_preconditions(&meta)?;
        let range = match &options.range {
            Some(GetRange::Bounded(range)) if range.end <= size => range.clone(),
            Some(_) => return Err(failed("range")),
            None => 0..size,
        };
        let bytes = object.bytes.slice(range.start as usize..range.end as usize);
        let payload = GetResultPayload::Stream(stream::iter([Ok(bytes)]).boxed());
        Ok(GetResult { payload, meta, range, attributes: Attributes::new(), extensions: Default::default() })
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let this = self.clone();
        let delete = move |location: Result<Path>| {
            let location = location?;
            let request = Request::Delete { key: location.to_string(), condition: Condition::Any };
            this.send(&location, request, None).map(|_| location)
        };
        locations.map(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if let Err(error) = self.turn() {
            return stream::iter([Err(error)]).boxed();
        }
        let prefix = prefix.map(|prefix| format!("{prefix}/")).unwrap_or_default();
        let found = self.world.list(&prefix, self.worker.is_none());
        stream::iter(found.into_iter().map(|(key, object)| Ok(meta(&Path::from(key), &object)))).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        unknown()
    }

    async fn copy_opts(&self, from: &Path, to: &Path, _: CopyOptions) -> Result<()> {
        let request = Request::Copy { from: from.to_string(), to: to.to_string() };
        self.send(from, request, None).map(|_| ())
    }
}

#[async_trait]
impl MultipartStore for Simulated {
    async fn create_multipart(&self, _: &Path) -> Result<MultipartId> {
        unknown()
    }

    async fn put_part(&self, _: &Path, _: &MultipartId, _: usize, _: PutPayload) -> Result<PartId> {
        unknown()
    }

    async fn complete_multipart(&self, _: &Path, _: &MultipartId, _: Vec<PartId>) -> Result<PutResult> {
        unknown()
    }

    async fn abort_multipart(&self, _: &Path, _: &MultipartId) -> Result<()> {
        unknown()
    }
}

#[async_trait]
impl Remote for Simulated {
    async fn delete_if(&self, location: &Path, expected: &Tag, still: Still) -> Result<()> {
        let condition = Condition::Is(expected.unquoted().unwrap_or_default());
        let request = Request::Delete { key: location.to_string(), condition };
        self.send(location, request, Some(&still)).map(|_| ())
    }

    async fn ask_bucket(&self, _: Vec<(&str, String)>) -> Result<HttpResponseBody> {
        unknown()
    }
}

impl store::Simulated for Simulated {
    fn now(&self) -> Duration {
        self.world.now()
    }

    fn sleep(&self, time: Duration) {
        match self.worker {
            Some(_) => _ = self.world.pause(self.worker),
            None => self.world.advance(time),
        }
    }
}
