//! The server's clock.

use std::sync::atomic::{AtomicI64, Ordering};

use hyper::http::request::Parts;
use jiff::{
    SignedDuration, Timestamp,
    fmt::{rfc2822, strtime},
    tz::TimeZone,
};

/// As far as a request's time may be off.
const ALLOWED: SignedDuration = SignedDuration::from_mins(15);

/// This machine's, and what it is ahead of that.
#[derive(Default)]
pub struct Clock {
    ahead: AtomicI64,
}

impl Clock {
    /// Sets it ahead by so many seconds, or back.
    pub fn set_ahead(&self, seconds: i64) {
        self.ahead.store(seconds, Ordering::Relaxed);
    }

    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.ahead.load(Ordering::Relaxed))
    }

    /// Whether a request was signed at about this time; one without a time is left to who checks signatures.
    pub fn agrees(&self, head: &Parts) -> bool {
        let signed = head.headers.get("x-amz-date").and_then(|time| time.to_str().ok());
        let signed = signed.and_then(|time| strtime::parse("%Y%m%dT%H%M%SZ", time).ok()?.to_datetime().ok());
        let signed = signed.and_then(|time| TimeZone::UTC.to_timestamp(time).ok());
        signed.is_none_or(|signed| signed.duration_until(self.now()).abs() <= ALLOWED)
    }

    /// For the head of an answer.
    pub fn date(&self) -> String {
        rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&self.now()).unwrap()
    }
}
