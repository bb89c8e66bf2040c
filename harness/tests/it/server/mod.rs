//! An S3 server in the tests' own process: s3s-fs over a temporary folder, with signatures checked.
//!
//! It depends on nothing else of the tests: unit tests of the program take it in with `#[path]`.
#![allow(clippy::unwrap_used, dead_code)]

mod body;
mod clock;
mod faults;
mod inject;
mod integrity;
mod operation;
mod refusal;
mod service;
mod uploads;

use std::{
    collections::BTreeMap, fs, io, net::SocketAddr, path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, runtime, sync::oneshot};

pub use faults::{Fault, Faults};
pub use operation::Operation;
use service::{Service, Watch};

/// The bucket that is there from the start.
pub const BUCKET: &str = "bucket";
/// Whose requests are answered.
pub const ACCESS_KEY: &str = "AKIAHARNESSTESTSERVER";
/// What they are signed with; no other text contains it.
pub const SECRET_KEY: &str = "harness-test/secret+key";
/// The region in signatures.
pub const REGION: &str = "us-east-1";

/// A running server; dropping it ends it and removes its objects.
pub struct Server {
    address: SocketAddr,
    root: tempfile::TempDir,
    service: Arc<Service>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// A server with one empty bucket.
    pub fn start() -> Self {
        Self::with_faults(Faults::default())
    }

    /// The same, and things go wrong.
    pub fn with_faults(faults: Faults) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(BUCKET)).unwrap();
        let service = Arc::new(Service::new(root.path(), faults));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&service);
        let thread = std::thread::Builder::new().name("s3".into()).spawn(move || {
            let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, serving) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_timeout(Duration::from_secs(1));
        });
        Self { address, root, service, stop: Some(stop), thread: Some(thread.unwrap()) }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a client finds the server and its keys by.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.into()),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.into()),
            ("AWS_DEFAULT_REGION", REGION.into()),
            ("AWS_ENDPOINT_URL", self.endpoint()),
        ]
    }

    /// The folder with the bucket's objects, each a file named by its key.
    pub fn folder(&self) -> PathBuf {
        self.root.path().join(BUCKET)
    }

    /// Another bucket, and its folder.
    pub fn add_bucket(&self, name: &str) -> PathBuf {
        let folder = self.root.path().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    }

    /// Multipart uploads that were begun and neither completed nor aborted.
    pub fn unfinished_uploads(&self) -> usize {
        let names = fs::read_dir(self.root.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with(".upload-")).count()
    }

    /// Requests for an operation so far, however they were answered.
    pub fn count(&self, operation: Operation) -> u64 {
        self.requests().get(&operation).copied().unwrap_or_default()
    }

    /// Requests of each operation so far.
    pub fn requests(&self) -> BTreeMap<Operation, u64> {
        self.service.requests.lock().unwrap().clone()
    }

    /// Lets the next `times` requests for an operation fail, on keys that contain a text; `None` is any operation,
    /// an empty text any key, and what does not apply to a request waits for the next. object_store deletes with
    /// `DeleteObjects`, whose keys lie in its body between `<Key>` and `</Key>`.
    pub fn fail(&self, times: u64, operation: impl Into<Option<Operation>>, key: &str, fault: Fault) {
        self.service.fate.order(times, operation.into(), key, fault);
    }

    /// Lets all of them fail until [`Server::mend`].
    pub fn break_down(&self, operation: impl Into<Option<Operation>>, key: &str, fault: Fault) {
        self.fail(u64::MAX, operation, key, fault);
    }

    /// Takes back what [`Server::fail`] has ordered.
    pub fn mend(&self) {
        self.service.fate.clear();
    }

    /// Lets `watch` see each request before it is served; the request waits until it returns.
    pub fn watch(&self, watch: impl Fn(Operation, &str) + Send + Sync + 'static) {
        *self.service.watch.lock().unwrap() = Some(Arc::new(watch) as Watch);
    }

    /// Nobody looks on any more.
    pub fn unwatched(&self) {
        *self.service.watch.lock().unwrap() = None;
    }

    /// Sets the server's clock ahead of this machine's by so many seconds, or back.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.service.clock.set_ahead(seconds);
    }

    /// How often each fault has happened.
    pub fn injected(&self) -> BTreeMap<Fault, u64> {
        self.service.fate.injected()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))), "the server panicked");
    }
}

/// Serves connections until it is dropped.
async fn serve(listener: std::net::TcpListener, service: Arc<Service>) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let service = Arc::clone(&service);
        tokio::spawn(async move {
            let answer = service_fn(|request| {
                let service = Arc::clone(&service);
                // On its own: what was asked for is done to its end, or not begun, even if the client is gone.
                let answer = tokio::spawn(async move { service.answer(request).await });
                async { answer.await.map_err(io::Error::other).flatten() }
            });
            // A connection that breaks is the client's to report.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}
