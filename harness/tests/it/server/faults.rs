//! What goes wrong, when, and how often it did.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
};

use hyper::http::request::Parts;
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use super::operation::{Operation, query, target};

/// One thing that can go wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// 500.
    InternalError,
    /// 503.
    SlowDown,
    /// 429.
    TooManyRequests,
    /// 200 with an error for a body; nothing was done.
    ErrorInSuccess,
    /// The answer comes in pieces, milliseconds apart.
    SlowBody,
    /// The connection breaks after half of an upload.
    ResetInUpload,
    /// An uploaded part is confirmed and lost.
    LostPart,
    /// The connection breaks after half of a download.
    TruncatedDownload,
    /// Half of a download, with a length that says that this is all.
    ShortDownload,
    /// One bit of a download differs.
    CorruptDownload,
    /// One bit of an upload differs when it arrives.
    CorruptUpload,
    /// Objects of the last two seconds are not in the listing.
    StaleListing,
    /// 412 to a conditional put that should have succeeded; nothing was done.
    PreconditionFailed,
    /// 412 to a conditional put that succeeded.
    PreconditionFailedAfter,
    /// 409 to a conditional put that should have succeeded; nothing was done.
    Conflict,
    /// 409 to a conditional put that succeeded.
    ConflictAfter,
    /// What was asked for is done, and the connection breaks before the answer.
    LostReply,
    /// 400: the credentials have expired.
    ExpiredToken,
    /// 403: not permitted.
    AccessDenied,
    /// 403: the client's clock is wrong; also when the server's is shifted.
    RequestTimeTooSkewed,
    /// 507: the disk is full, as MinIO says it.
    StorageFull,
    /// 403: the quota is used up, as Ceph says it.
    QuotaExceeded,
    /// 404: there is no such bucket.
    NoSuchBucket,
}

use Fault::*;

impl Fault {
    /// Those after which a retry may succeed.
    pub const PASSING: [Self; 17] = [
        InternalError,
        SlowDown,
        TooManyRequests,
        ErrorInSuccess,
        SlowBody,
        ResetInUpload,
        LostPart,
        TruncatedDownload,
        ShortDownload,
        CorruptDownload,
        CorruptUpload,
        StaleListing,
        PreconditionFailed,
        PreconditionFailedAfter,
        Conflict,
        ConflictAfter,
        LostReply,
    ];

    /// Whether it can happen to a request.
    fn applies(self, operation: Operation, head: &Parts) -> bool {
        use Operation::*;
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let empty = header("content-length").is_none_or(|length| length == "0");
        match self {
            // The answer to a HEAD has no body.
            ErrorInSuccess => !matches!(operation, HeadObject | HeadBucket),
            SlowBody => matches!(operation, GetObject | ListObjects | ListObjectsV2),
            ResetInUpload => matches!(operation, UploadPart | PutObject) && !empty,
            // A body in signed pieces is not ours to change.
            CorruptUpload => {
                let pieces = header("x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING"));
                matches!(operation, UploadPart | PutObject) && !empty && !pieces
            }
            LostPart => operation == UploadPart,
            TruncatedDownload | ShortDownload | CorruptDownload => operation == GetObject,
            StaleListing => operation == ListObjectsV2,
            PreconditionFailed | PreconditionFailedAfter | Conflict | ConflictAfter => {
                operation.replaces() && (header("if-match").is_some() || header("if-none-match").is_some())
            }
            LostReply => !matches!(head.method.as_str(), "GET" | "HEAD"),
            StorageFull | QuotaExceeded => operation.stores(),
            _ => true,
        }
    }
}

/// Faults by chance. What happens to a request depends only on the seed, on the request and on how often it was made
/// before, not on what other threads ask meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Another seed, other faults.
    pub seed: u64,
    /// Share of requests that something happens to.
    pub rate: f64,
    /// What may happen, all equally likely where they apply.
    pub kinds: Vec<Fault>,
}

impl Faults {
    /// All that passes.
    pub fn passing(seed: u64, rate: f64) -> Self {
        Self { seed, rate, kinds: Fault::PASSING.to_vec() }
    }
}

/// A fault for the next requests of a kind.
struct Order {
    left: u64,
    operation: Option<Operation>,
    key: String,
    fault: Fault,
}

/// Decides what happens to requests, and counts what did.
pub struct Fate {
    faults: Faults,
    orders: Mutex<Vec<Order>>,
    seen: Mutex<HashMap<u64, u64>>,
    injected: Mutex<BTreeMap<Fault, u64>>,
}

impl Fate {
    /// Nothing was asked yet.
    pub fn new(faults: Faults) -> Self {
        Self { faults, orders: Mutex::default(), seen: Mutex::default(), injected: Mutex::default() }
    }

    /// Lets the next `times` requests fail for an operation, or any, on keys that contain a text.
    pub fn order(&self, times: u64, operation: Option<Operation>, key: &str, fault: Fault) {
        self.orders.lock().unwrap().push(Order { left: times, operation, key: key.to_owned(), fault });
    }

    /// Forgets the orders.
    pub fn clear(&self) {
        self.orders.lock().unwrap().clear();
    }

    /// What happens to a request, and by which chance.
    pub fn draw(&self, operation: Operation, head: &Parts, body: &[u8]) -> (Option<Fault>, ChaCha8Rng) {
        // These keys are in the body.
        let keys =
            if operation == Operation::DeleteObjects { String::from_utf8_lossy(body) } else { target(head).1.into() };
        let mut random = self.random(operation, head, &keys);
        let ordered = self.orders.lock().unwrap().iter_mut().find_map(|order| {
            let meant = order.operation.is_none_or(|asked| asked == operation)
                && keys.contains(&order.key)
                && order.fault.applies(operation, head);
            (order.left > 0 && meant).then(|| {
                order.left -= 1;
                order.fault
            })
        });
        let by_chance = random.random::<f64>() < self.faults.rate;
        let fault = ordered.or_else(|| {
            let kinds: Vec<Fault> =
                self.faults.kinds.iter().copied().filter(|fault| by_chance && fault.applies(operation, head)).collect();
            kinds.choose(&mut random).copied()
        });
        (fault, random)
    }

    /// The chance of a request: its own, however many others there are.
    fn random(&self, operation: Operation, head: &Parts, keys: &str) -> ChaCha8Rng {
        // Upload ids are the server's and differ from run to run.
        let asked: Vec<&str> = query(head).filter(|pair| !pair.starts_with("uploadId=")).collect();
        let range = head.headers.get("range").map(|range| range.as_bytes());
        let request = format!("{operation:?} {:?} {keys} {asked:?} {range:?}", target(head).0);
        let request = xxhash_rust::xxh3::xxh3_64(request.as_bytes());
        let mut seen = self.seen.lock().unwrap();
        let before = seen.entry(request).or_default();
        let mut random = ChaCha8Rng::seed_from_u64(self.faults.seed ^ request);
        random.set_stream(*before);
        *before += 1;
        random
    }

    /// Counts a fault that has happened.
    pub fn happened(&self, fault: Fault) {
        *self.injected.lock().unwrap().entry(fault).or_default() += 1;
    }

    /// How often each fault has happened.
    pub fn injected(&self) -> BTreeMap<Fault, u64> {
        self.injected.lock().unwrap().clone()
    }
}
