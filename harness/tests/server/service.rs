//! From request to answer.

use std::{collections::BTreeMap, path::Path, sync::Mutex};

use hyper::{Request, Response, body::Incoming};
use s3s::{
    Body, S3Result,
    access::{S3Access, S3AccessContext},
    auth::{S3Auth, SecretKey},
    s3_error,
    service::{S3Service, S3ServiceBuilder},
};
use tokio::sync::RwLock;

use super::{ACCESS_KEY, SECRET_KEY, body, integrity, operation::Operation, refusal::refusal};

/// Why a request is not answered at all.
type Lost = Box<dyn std::error::Error + Send + Sync>;

/// The server without its connections.
pub struct Service {
    s3: S3Service,
    /// s3s-fs looks at conditions and then writes, and writes an object and then its ETag: whoever replaces an object
    /// is alone.
    alone: RwLock<()>,
    /// Requests of each operation.
    pub requests: Mutex<BTreeMap<Operation, u64>>,
}

impl Service {
    /// Serves the buckets that are folders of `root`.
    pub fn new(root: &Path) -> Self {
        let mut s3 = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
        s3.set_auth(Key);
        s3.set_access(Buckets(root.to_owned()));
        Self { s3: s3.build(), alone: RwLock::default(), requests: Mutex::default() }
    }

    /// Answers a request.
    ///
    /// # Errors
    /// The connection is to be closed without an answer.
    pub async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Lost> {
        let (head, incoming) = request.into_parts();
        let operation = Operation::of(&head);
        *self.requests.lock().unwrap().entry(operation).or_default() += 1;
        // All of it before the lock: nobody waits for a slow client.
        let bytes = body::read(incoming, usize::MAX).await?;
        if let Some(code) = integrity::damage(&head, &bytes) {
            return Ok(refusal(400, code));
        }
        let request = Request::from_parts(head, Body::from(bytes));
        if operation.replaces() {
            let _alone = self.alone.write().await;
            Ok(self.s3.call(request).await?)
        } else {
            let _shared = self.alone.read().await;
            Ok(self.s3.call(request).await?)
        }
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
struct Buckets(std::path::PathBuf);

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
