//! When a request is repeated, how long after, and how often that was.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use object_store::Error;

use super::{answer::Refusal, error::is_transport};

/// Retries of a request; how long before the first is drawn from, and the longest before any.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Retries after the first try.
    pub retries: u32,
    base: Duration,
    cap: Duration,
}

impl Policy {
    /// None: a disk that fails goes on failing.
    pub const NONE: Self = Self { retries: 0, base: Duration::ZERO, cap: Duration::ZERO };

    /// So many, with the pauses of a remote store.
    pub fn remote(retries: u32) -> Self {
        Self { retries, base: Duration::from_millis(200), cap: Duration::from_secs(20) }
    }

    /// So many, without pauses.
    #[cfg(test)]
    pub fn at_once(retries: u32) -> Self {
        Self { retries, ..Self::NONE }
    }

    /// The pause before a retry (the first is 0): anything up to a limit that doubles, "full jitter", so that workers
    /// that failed together do not come back together
    /// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>); never less than the server asked for.
    pub fn pause(&self, retry: u32, error: &Error) -> Duration {
        let limit = self.base.saturating_mul(1 << retry.min(20)).min(self.cap);
        let asked = Refusal::of(error).and_then(|refusal| refusal.retry_after).unwrap_or_default();
        limit.mul_f64(fastrand::f64()).max(asked.min(self.cap))
    }
}

/// Whether the same request may succeed later.
pub fn is_transient(error: &Error) -> bool {
    match Refusal::of(error) {
        Some(refusal) => refusal.is_transient(),
        // What is neither an answer nor a lost connection is an answer that makes no sense.
        None => is_transport(error) || matches!(error, Error::Generic { .. } | Error::AlreadyExists { .. }),
    }
}

/// What went to and from stores.
#[derive(Debug, Default)]
pub struct Traffic {
    retries: AtomicU64,
    read: AtomicU64,
    written: AtomicU64,
}

impl Traffic {
    /// Requests that were repeated.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Bytes of objects read.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes of objects written.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    pub(super) fn add_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_read(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_written(&self, bytes: u64) {
        self.written.fetch_add(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_anything_up_to_a_limit_that_doubles() {
        let policy = Policy::remote(5);
        let error = Error::NotImplemented { operation: String::new(), implementer: String::new() };
        let longest = |retry| (0..2000).map(|_| policy.pause(retry, &error)).max().unwrap().as_secs_f64();
        let shortest = (0..2000).map(|_| policy.pause(3, &error)).min().unwrap().as_secs_f64();
        assert!((0.19..=0.2).contains(&longest(0)) && (1.5..=1.6).contains(&longest(3)) && shortest < 0.02);
        assert!((19.0..=20.0).contains(&longest(40)));
    }
}
