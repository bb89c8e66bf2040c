//! The heart of a run: writes its heartbeat from a thread of its own. A store that does not take it costs the run nothing
//! but a line at level debug.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use archive::store::{Store, Traffic};
use base::{exit, interrupt};
use data::Month;
use jiff::Timestamp;

use super::{Heartbeat, LastError, Running, Slowest, State, key};
use crate::{machine, reporter::Stage, run::memory};

/// Memory is looked at this often, and what has changed is written no more often.
const PULSE: Duration = Duration::from_secs(1);
/// What has not changed is written this often.
pub const RENEWAL: Duration = Duration::from_secs(5);
/// How long the end of a run waits for its last word to be written.
const PATIENCE: Duration = Duration::from_secs(2);
/// The recent rate is that of so many months.
const RECENT: usize = 10;

/// Who sees each heartbeat besides the store.
pub type Also = Box<dyn Fn(&Heartbeat) + Send + Sync>;

/// The heart of a run.
pub struct Pulse {
    shared: Arc<Shared>,
    /// Says that the last word was written, or is not going to be.
    ended: Mutex<mpsc::Receiver<()>>,
    _interrupt: interrupt::Guard,
}

struct Shared {
    state: Mutex<Inner>,
    changed: Condvar,
    store: Store,
    /// Folder of the temporary files.
    temporary: PathBuf,
    traffic: Arc<Traffic>,
    also: Also,
    /// Held while the object is written: the last word is the last.
    writing: Mutex<()>,
}

struct Inner {
    beat: Heartbeat,
    /// When months were made, the last ones: those that fail or are unchanged say nothing of the rate.
    made: VecDeque<Instant>,
    /// When the months before these were made, or the run began.
    since: Instant,
    /// Whether there is anything to tell: a run over unchanged months writes nothing.
    worked: bool,
    changed: bool,
}

impl Pulse {
    /// Begins to tell of a run over these months; `also` sees each heartbeat.
    pub fn begin(
        store: &Store,
        months: &[Month],
        traffic: &Arc<Traffic>,
        temporary: PathBuf,
        also: Also,
    ) -> Option<Self> {
        let (first, last) = (*months.first()?, *months.last()?);
        let shared = Arc::new(Shared {
            state: Mutex::new(Inner {
                beat: Heartbeat::new(first, last, months.len()),
                made: VecDeque::new(),
                since: Instant::now(),
                worked: false,
                changed: false,
            }),
            changed: Condvar::new(),
            store: store.clone(),
            temporary,
            traffic: Arc::clone(traffic),
            also,
            writing: Mutex::default(),
        });
        let (sender, ended) = mpsc::channel();
        let (beating, stopping) = (Arc::clone(&shared), Arc::clone(&shared));
        thread::spawn(move || {
            beating.beat();
            let _ = sender.send(());
        });
        let _interrupt = interrupt::on_exit(move || {
            stopping.over(State::Interrupted);
            stopping.write();
        });
        Some(Self { shared, ended: Mutex::new(ended), _interrupt })
    }

    /// A month begins a stage.
    pub fn stage(&self, month: Month, stage: Stage) {
        self.change(|inner| {
            let now = Timestamp::now();
            inner.worked |= stage == Stage::Decode;
            match inner.beat.running.iter_mut().find(|running| running.month == month) {
                Some(running) => (running.stage, running.since) = (stage, now),
                None => inner.beat.running.push(Running { month, stage, since: now, began: now }),
            }
        });
    }

    /// A month is finished: made, or found unchanged.
    pub fn done(&self, month: Month, made: bool) {
        self.change(|inner| {
            inner.finished(month, made);
            inner.beat.done += 1;
            inner.beat.failed_in_a_row = 0;
        });
    }

    /// A month has failed.
    pub fn failed(&self, month: Month, error: &str) {
        self.change(|inner| {
            inner.finished(month, false);
            inner.worked = true;
            inner.beat.failed += 1;
            inner.beat.failed_in_a_row += 1;
            inner.beat.last_error = Some(LastError { month, error: error.to_owned(), when: Timestamp::now() });
        });
    }

    /// The run is over; waits a moment for this to be written.
    pub fn end(self, stopped: bool) {
        self.shared.over(if stopped { State::Stopped } else { State::Ended });
        self.shared.changed.notify_all();
        let ended = self.ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        if ended.recv_timeout(PATIENCE).is_err() {
            tracing::debug!("the last heartbeat of the run was not written: the store did not answer in time");
        }
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.shared.lock();
        change(&mut inner);
        inner.beat.progress = Timestamp::now();
        inner.changed = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn over(&self, state: State) {
        let mut inner = self.lock();
        inner.beat.state = state;
        inner.beat.running.clear();
        inner.beat.seconds_left = None;
    }

    /// Until the run has ended.
    fn beat(&self) {
        let mut written: Option<Instant> = None;
        let (mut highest, mut looked) = (memory::held(), Instant::now());
        loop {
            let mut inner = self.lock();
            let over = loop {
                if inner.beat.state != State::Running {
                    break true;
                }
                let wait = PULSE.saturating_sub(looked.elapsed());
                if wait.is_zero() {
                    break false;
                }
                inner = self.changed.wait_timeout(inner, wait).unwrap_or_else(PoisonError::into_inner).0;
                if inner.changed && written.is_none_or(|written| written.elapsed() >= PULSE) {
                    break false;
                }
            };
            highest = highest.max(memory::held());
            looked = Instant::now();
            // Whatever takes long is worth telling of.
            inner.worked |= inner.since.elapsed() >= RENEWAL;
            let due = over || inner.changed || written.is_none_or(|written| written.elapsed() >= RENEWAL);
            let early = written.is_some_and(|written| written.elapsed() < PULSE);
            if inner.worked && due && (over || !early) {
                inner.beat.memory_bytes = highest;
                inner.changed = false;
                drop(inner);
                // In a directory a signal waits for a write, which is short; there it must not begin behind the last word.
                if self.store.is_remote() {
                    self.write()
                } else {
                    interrupt::whole(|| self.write())
                }
                (written, highest) = (Some(Instant::now()), memory::held());
            }
            if over {
                return;
            }
        }
    }

    fn write(&self) {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let beat = {
            let mut inner = self.lock();
            if !inner.worked {
                return;
            }
            inner.reckon();
            let beat = &mut inner.beat;
            beat.renewed = Timestamp::now();
            beat.retries = self.traffic.retries();
            beat.peak_memory_bytes = memory::peak();
            beat.free_bytes = machine::free(&self.temporary).ok();
            beat.clone()
        };
        let put = || -> crate::Result<()> {
            self.store.put(&key(&beat.run), serde_json::to_vec_pretty(&beat)?.into())?;
            Ok(())
        };
        if let Err(error) = put() {
            tracing::debug!("{}: the heartbeat cannot be written: {}", beat.run, exit::sentence(&error));
        }
        (self.also)(&beat);
    }
}

impl Inner {
    fn finished(&mut self, month: Month, made: bool) {
        let running = &mut self.beat.running;
        let Some(position) = running.iter().position(|running| running.month == month) else { return };
        let took = Timestamp::now().duration_since(running.remove(position).began).as_secs_f64();
        if !made {
            return;
        }
        self.made.push_back(Instant::now());
        if self.made.len() > RECENT {
            self.since = self.made.pop_front().unwrap_or(self.since);
        }
        if self.beat.slowest.is_none_or(|slowest| slowest.seconds < took) {
            self.beat.slowest = Some(Slowest { month, seconds: took });
        }
    }

    /// The recent rate, and what is left at it.
    fn reckon(&mut self) {
        if let Some(last) = self.made.back() {
            // Also the time since the last one: a run that hangs slows down.
            let mean = last.duration_since(self.since).as_secs_f64() / self.made.len() as f64;
            let since = last.elapsed().as_secs_f64();
            let mean = mean.max((mean * self.made.len() as f64 + since) / (self.made.len() + 1) as f64).max(1e-3);
            let left = self.beat.months.saturating_sub(self.beat.done + self.beat.failed);
            self.beat.months_per_hour = Some(3600.0 / mean);
            self.beat.seconds_left = (self.beat.state == State::Running).then_some(mean * left as f64);
        }
    }
}
