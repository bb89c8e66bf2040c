//! From request to answer.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header,
    http::request::Parts,
};
use s3s::{
    Body, S3Result,
    access::{S3Access, S3AccessContext},
    auth::{S3Auth, SecretKey},
    crypto::{Checksum as _, Md5},
    s3_error,
    service::{S3Service, S3ServiceBuilder},
};
use tokio::sync::RwLock;

use super::{
    ACCESS_KEY, SECRET_KEY, body,
    clock::Clock,
    faults::{Fate, Fault, Faults},
    inject::{self, Spoilt},
    integrity,
    operation::{Operation, target},
    refusal::refusal,
    uploads,
};

/// Sees each request of an operation on a key before it is served, which waits for it to return.
pub type Watch = Arc<dyn Fn(Operation, &str) + Send + Sync>;

/// The server without its connections.
pub struct Service {
    s3: S3Service,
    root: PathBuf,
    /// s3s-fs looks at conditions and then writes, and writes an object and then its ETag: whoever replaces an object
    /// is alone.
    alone: RwLock<()>,
    /// Requests of each operation.
    pub requests: Mutex<BTreeMap<Operation, u64>>,
    /// What goes wrong.
    pub fate: Fate,
    /// What time it is.
    pub clock: Clock,
    /// Who looks on.
    pub watch: Mutex<Option<Watch>>,
}

impl Service {
    /// Serves the buckets that are folders of `root`.
    pub fn new(root: &Path, faults: Faults) -> Self {
        let mut s3 = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
        s3.set_auth(Key);
        s3.set_access(Buckets(root.to_owned()));
        Self {
            s3: s3.build(),
            root: root.to_owned(),
            alone: RwLock::default(),
            requests: Mutex::default(),
            fate: Fate::new(faults),
            clock: Clock::default(),
            watch: Mutex::default(),
        }
    }

    /// Answers a request, or lets something go wrong with it.
    ///
    /// # Errors
    /// The connection is to be closed without an answer.
    pub async fn answer(&self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let mut answer = self.fare(request).await?;
        answer.headers_mut().insert(header::DATE, self.clock.date().try_into().unwrap());
        Ok(answer)
    }

    async fn fare(&self, request: Request<Incoming>) -> io::Result<Response<Body>> {
        let (head, incoming) = request.into_parts();
        let operation = Operation::of(&head);
        *self.requests.lock().unwrap().entry(operation).or_default() += 1;
        // An upload may have to break off; of all others all is there before the lock: nobody waits for a slow client.
        let (mut bytes, rest) = match operation {
            Operation::PutObject | Operation::UploadPart => (Bytes::new(), Some(incoming)),
            _ => (body::read(incoming, usize::MAX).await?, None),
        };
        let watch = self.watch.lock().unwrap().clone();
        if let Some(watch) = watch {
            let key = target(&head).1.to_owned();
            let seen = tokio::task::spawn_blocking(move || watch(operation, &key));
            seen.await.map_err(io::Error::other)?;
        }
        let (fault, mut random) = self.fate.draw(operation, &head, &bytes);
        if let Some(rest) = rest {
            let length = head.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
            let breaks = fault == Some(Fault::ResetInUpload);
            bytes = body::read(rest, if breaks { length.unwrap_or(0) / 2 } else { usize::MAX }).await?;
            if breaks {
                self.fate.happened(Fault::ResetInUpload);
                return Err(io::Error::other("reset in the middle of an upload"));
            }
        }
        if !self.clock.agrees(&head) {
            self.fate.happened(Fault::RequestTimeTooSkewed);
            return Ok(refusal(403, "RequestTimeTooSkewed"));
        }
        let Some(fault) = fault else { return self.serve(operation, head, bytes).await };
        if let Some(answer) = inject::instead(fault) {
            self.fate.happened(fault);
            return Ok(answer);
        }
        if fault == Fault::CorruptUpload {
            bytes = inject::flip(&bytes, &mut random);
            self.fate.happened(fault);
        }
        let answer = self.serve(operation, head.clone(), bytes).await?;
        if fault == Fault::LostPart && answer.status().is_success() {
            uploads::lose(&self.root, &head);
            self.fate.happened(fault);
        }
        match inject::spoil(fault, answer, &mut random).await {
            Spoilt::Not(answer) => Ok(answer),
            Spoilt::So(answer) => {
                self.fate.happened(fault);
                Ok(answer)
            }
            Spoilt::Lost => {
                self.fate.happened(fault);
                Err(io::Error::other("the answer is lost"))
            }
        }
    }

    /// Does what is asked for.
    async fn serve(&self, operation: Operation, head: Parts, body: Bytes) -> io::Result<Response<Body>> {
        if let Some(code) = integrity::damage(&head, &body) {
            return Ok(refusal(400, code));
        }
        let mut shared = None;
        let mut alone = None;
        if operation.replaces() {
            alone = Some(self.alone.write().await);
        } else {
            shared = Some(self.alone.read().await);
        }
        if let Some((status, code)) = uploads::problem(&self.root, operation, &head, &body) {
            return Ok(refusal(status, code));
        }
        let path = self.root.join(head.uri.path().trim_start_matches('/'));
        if operation == Operation::DeleteObject && !deletes(&head, &path) {
            return Ok(refusal(412, "PreconditionFailed"));
        }
        let mut answer = self.s3.call(Request::from_parts(head, Body::from(body))).await.map_err(io::Error::other)?;
        if operation == Operation::GetObject && answer.status().is_success() {
            at_once(&mut answer, &path);
        }
        drop((shared, alone));
        if answer.status() != StatusCode::PRECONDITION_FAILED {
            return Ok(answer);
        }
        // As S3 says it; s3s-fs, like Ceph, answers 412 here too.
        let (head, body) = answer.into_parts();
        let body = body::read(body, usize::MAX).await?;
        let absent = String::from_utf8_lossy(&body).contains("Object does not exist");
        Ok(if absent { refusal(404, "NoSuchKey") } else { Response::from_parts(head, body.into()) })
    }
}

/// Whether the condition of a deletion holds, which s3s-fs 0.14 does not look at; of objects that were put in one piece.
fn deletes(head: &Parts, path: &Path) -> bool {
    let Some(expected) = head.headers.get(header::IF_MATCH).and_then(|tag| tag.to_str().ok()) else { return true };
    let Ok(bytes) = std::fs::read(path) else { return true };
    let found: String = Md5::checksum(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    expected.trim_matches('"') == found
}

/// Puts the same bytes into an answer in one piece: s3s-fs reads files by 4 KiB, each on a thread of its own, which takes
/// longer than all else. A name that is not its own path stays as it is.
fn at_once(answer: &mut Response<Body>, path: &Path) {
    let number = |text: &str| text.parse::<u64>().ok();
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let Some(length) = header(header::CONTENT_LENGTH).and_then(number) else { return };
    let range = header(header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes ")?.split_once('-'));
    let start = range.map_or(Some(0), |(start, _)| number(start));
    let (Some(start), Ok(file)) = (start, File::open(path)) else { return };
    let mut bytes = vec![0; length as usize];
    if file.read_exact_at(&mut bytes, start).is_ok() {
        *answer.body_mut() = Body::from(Bytes::from(bytes));
    }
}

/// The one access key.
struct Key;

#[async_trait::async_trait]
impl S3Auth for Key {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == ACCESS_KEY { Ok(SECRET_KEY.into()) } else { Err(s3_error!(InvalidAccessKeyId)) }
    }
}

/// Whoever has the key may do everything, but only in buckets that are there: s3s-fs makes what is missing.
struct Buckets(PathBuf);

#[async_trait::async_trait]
impl S3Access for Buckets {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        if request.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "The request is not signed"));
        }
        match request.s3_path().get_bucket_name() {
            Some(bucket) if request.s3_op().name() != "CreateBucket" && !self.0.join(bucket).is_dir() => {
                Err(s3_error!(NoSuchBucket))
            }
            _ => Ok(()),
        }
    }
}
