//! The right to a name in a bucket: an object that its holder renews.
//!
//! Nobody compares clocks, and those that are read go on while the machine sleeps. Who waits takes the right over once the object has not changed for [`LIFE`] of its own time;
//! who holds it counts from before the request that was last answered, and stops well before that. A holder that was
//! killed on the same machine is known to be dead at once.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base::interrupt;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use super::{Store, StoreError, Tag, answer::Still};
use crate::alive::Process;

/// Where leases lie.
const FOLDER: &str = "processed-data/rights";
/// A lease that was not renewed for so long is nobody's.
const LIFE: Duration = Duration::from_secs(45);
/// How often it is renewed.
const BEAT: Duration = Duration::from_secs(10);
/// A holder makes no use of its last seconds: a request that is under way may arrive late.
const MARGIN: Duration = Duration::from_secs(15);
/// Nobody commits later than this after it got the right, so whatever is much older is never committed.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// How often one who waits looks.
const LOOK: Duration = Duration::from_millis(300);

/// Who holds it; enough to tell on the same machine whether it still lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    #[serde(flatten)]
    process: Process,
    /// Tells the rights of one process apart.
    number: u64,
    /// Changes with every renewal, and the object's tag with it.
    beat: u64,
}

impl Holder {
    fn this() -> Self {
        Self { process: Process::this(), number: fastrand::u64(..), beat: 0 }
    }

    fn json(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

/// The name whose lease lies at a key.
pub fn name_of(key: &str) -> Option<&str> {
    key.strip_prefix(FOLDER)?.strip_prefix('/')?.strip_suffix(".json")
}

/// The right, until this is dropped.
pub struct Lease {
    held: Arc<Held>,
    renewing: JoinHandle<()>,
    _interrupt: interrupt::Guard,
}

struct Held {
    store: Store,
    key: String,
    taken: Duration,
    state: Mutex<State>,
}

struct State {
    tag: Tag,
    renewed: Duration,
    lost: bool,
}

impl Held {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holds(&self) -> bool {
        let (state, clock) = (self.state(), &self.store.clock);
        !state.lost && clock.since(state.renewed) < LIFE - MARGIN && clock.since(self.taken) < LONGEST
    }

    /// Removes the object, if nobody can have taken it over.
    fn release(&self) {
        if self.holds() {
            let tag = {
                let mut state = self.state();
                state.lost = true;
                state.tag.clone()
            };
            // What another has put in its place stays.
            let _ = self.store.delete_if(&self.key, &tag, &Still::always());
        }
    }

    async fn renew(&self, mut holder: Holder) {
        loop {
            tokio::time::sleep(BEAT).await;
            holder.beat += 1;
            let (tag, sent) = (self.state().tag.clone(), self.store.clock.now());
            match self.store.swap(&self.key, holder.json(), Some(&tag), &Still::always()).await {
                Ok(tag) => *self.state() = State { tag, renewed: sent, lost: false },
                Err(StoreError::Conflict { .. }) => {
                    self.state().lost = true;
                    return;
                }
                // The next beat may get through.
                Err(error) => tracing::debug!("{}: {error}", self.key),
            }
        }
    }
}

impl Lease {
    /// Waits for the right.
    pub fn wait(store: &Store, name: &str) -> Result<Self, StoreError> {
        loop {
            if let Some(lease) = Self::of_the_dead(store, name)? {
                return Ok(lease);
            }
        }
    }

    /// The right, if nobody has it or who has it does not renew it; none as soon as that is seen.
    pub fn of_the_dead(store: &Store, name: &str) -> Result<Option<Self>, StoreError> {
        let mut seen: Option<(Tag, Duration)> = None;
        loop {
            let since = seen.as_ref().map(|(tag, since)| (tag, store.clock.since(*since)));
            match (Self::try_take(store, name, since)?, &seen) {
                (Ok(lease), _) => return Ok(Some(lease)),
                (Err(tag), Some((known, _))) if *known == tag => {}
                (Err(_), Some(_)) => return Ok(None),
                (Err(tag), None) => seen = Some((tag, store.clock.now())),
            }
            store.clock.sleep(LOOK.mul_f64(0.5 + fastrand::f64()));
        }
    }

    /// The right, if nobody has it.
    pub fn now(store: &Store, name: &str) -> Result<Option<Self>, StoreError> {
        Self::try_take(store, name, None).map(Result::ok)
    }

    /// The right, or the state in which another holds it; `seen` says for how long one state has lasted.
    fn try_take(store: &Store, name: &str, seen: Option<(&Tag, Duration)>) -> Result<Result<Self, Tag>, StoreError> {
        let (key, holder) = (format!("{FOLDER}/{name}.json"), Holder::this());
        loop {
            let expected = match store.read(&key)? {
                None => None,
                Some((json, tag)) => {
                    let dead = serde_json::from_slice::<Holder>(&json).is_ok_and(|holder| holder.process.is_dead());
                    let expired = seen.is_some_and(|(known, since)| *known == tag && since >= LIFE);
                    if !dead && !expired {
                        return Ok(Err(tag));
                    }
                    Some(tag)
                }
            };
            let sent = store.clock.now();
            match store.wait(store.swap(&key, holder.json(), expected.as_ref(), &Still::always())) {
                Ok(tag) => {
                    let state = Mutex::new(State { tag, renewed: sent, lost: false });
                    let held = Arc::new(Held { store: store.clone(), key, taken: sent, state });
                    let renewing = store.runtime.spawn({
                        let held = Arc::clone(&held);
                        async move { held.renew(holder).await }
                    });
                    let interrupted = Arc::clone(&held);
                    let _interrupt = interrupt::on_exit(move || interrupted.release());
                    return Ok(Ok(Self { held, renewing, _interrupt }));
                }
                // Somebody was faster.
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether it is still ours, and for long enough to finish a small request.
    pub fn still(&self) -> Still {
        let held = Arc::clone(&self.held);
        Still::new(move || held.holds())
    }

    /// Key of the object that is the right.
    pub fn key(&self) -> &str {
        &self.held.key
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
        self.held.release();
    }
}
