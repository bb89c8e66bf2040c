//! How requests and answers are spoilt.

use std::time::Duration;

use hyper::{Response, body::Bytes, header};
use jiff::Timestamp;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use s3s::Body;

use super::{
    body::{self, Pieces},
    faults::Fault,
    refusal::refusal,
};

/// A listing that is not up to date lacks this much.
const STALE: Duration = Duration::from_secs(2);
/// Between the pieces of a slow body.
const PAUSE: Duration = Duration::from_millis(3);

/// The answer in place of what was asked for.
pub fn instead(fault: Fault) -> Option<Response<Body>> {
    let (status, code) = match fault {
        Fault::InternalError => (500, "InternalError"),
        Fault::SlowDown => (503, "SlowDown"),
        Fault::TooManyRequests => (429, "TooManyRequests"),
        Fault::ErrorInSuccess => (200, "InternalError"),
        Fault::PreconditionFailed => (412, "PreconditionFailed"),
        Fault::Conflict => (409, "ConditionalRequestConflict"),
        Fault::ExpiredToken => (400, "ExpiredToken"),
        Fault::AccessDenied => (403, "AccessDenied"),
        Fault::RequestTimeTooSkewed => (403, "RequestTimeTooSkewed"),
        Fault::StorageFull => (507, "XMinioStorageFull"),
        Fault::QuotaExceeded => (403, "QuotaExceeded"),
        Fault::NoSuchBucket => (404, "NoSuchBucket"),
        _ => return None,
    };
    Some(refusal(status, code))
}

/// One bit of a body changed.
pub fn flip(body: &Bytes, random: &mut ChaCha8Rng) -> Bytes {
    let mut body = body.to_vec();
    let byte = random.random_range(0..body.len());
    body[byte] ^= 1 << random.random_range(0..8);
    body.into()
}

/// What becomes of an answer.
pub enum Spoilt {
    /// There was nothing to spoil.
    Not(Response<Body>),
    /// It is sent like this.
    So(Response<Body>),
    /// It is not sent.
    Lost,
}

/// Spoils the answer to something that was done.
pub async fn spoil(fault: Fault, answer: Response<Body>, random: &mut ChaCha8Rng) -> Spoilt {
    match fault {
        _ if !answer.status().is_success() => return Spoilt::Not(answer),
        Fault::LostReply => return Spoilt::Lost,
        Fault::PreconditionFailedAfter => return Spoilt::So(refusal(412, "PreconditionFailed")),
        Fault::ConflictAfter => return Spoilt::So(refusal(409, "ConditionalRequestConflict")),
        _ => {}
    }
    let (mut head, body) = answer.into_parts();
    let Ok(whole) = body::read(body, usize::MAX).await else { return Spoilt::Lost };
    let half = whole.slice(..whole.len() / 2);
    let body = match fault {
        Fault::StaleListing => {
            let listing = stale(&String::from_utf8_lossy(&whole));
            head.headers.remove(header::CONTENT_LENGTH);
            (listing.len() < whole.len()).then(|| listing.into())
        }
        _ if whole.is_empty() => None,
        Fault::SlowBody => Some(Body::http_body(Pieces::slow(whole.clone(), PAUSE))),
        Fault::TruncatedDownload => Some(Body::http_body(Pieces::broken(half))),
        Fault::ShortDownload => {
            head.headers.insert(header::CONTENT_LENGTH, half.len().into());
            Some(half.into())
        }
        Fault::CorruptDownload => Some(flip(&whole, random).into()),
        _ => None,
    };
    match body {
        Some(body) => Spoilt::So(Response::from_parts(head, body)),
        None => Spoilt::Not(Response::from_parts(head, whole.into())),
    }
}

/// A listing without the newest objects.
fn stale(listing: &str) -> String {
    let (from, to) = ("<Contents>", "</Contents>");
    let known = Timestamp::now() - STALE;
    let mut rest = listing;
    let mut left = String::new();
    while let Some((before, after)) = rest.split_once(from)
        && let Some((object, after)) = after.split_once(to)
    {
        left += before;
        let time = object.split_once("<LastModified>").and_then(|(_, time)| time.split('<').next());
        if time.and_then(|time| time.parse::<Timestamp>().ok()).is_none_or(|time| time <= known) {
            left += &format!("{from}{object}{to}");
        }
        rest = after;
    }
    left + rest
}
