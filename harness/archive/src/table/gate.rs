//! Whether the log may still be written to: a command that ends waits for one request, and for no longer than
//! [`LONGEST`].

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::error::TableError;

/// A command waits no longer at its end.
pub const LONGEST: Duration = Duration::from_secs(1);

/// What every request passes.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    asking: bool,
    /// Requests that may still begin; any number while the command goes on.
    left: Option<u32>,
    /// Months that are not looked at yet, and the one that is.
    work: usize,
    /// Nobody works any more.
    left_off: bool,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a request, if it may begin.
    pub fn pass<T, E>(&self, request: impl FnOnce() -> Result<T, E>) -> Result<T, TableError>
    where
        TableError: From<E>,
    {
        {
            let mut state = self.lock();
            match &mut state.left {
                Some(0) => return Err(TableError::Ended),
                Some(left) => *left -= 1,
                None => {}
            }
            state.asking = true;
        }
        let done = request();
        self.lock().asking = false;
        Ok(done?)
    }

    /// There is more to do, or less.
    pub fn count(&self, more: isize) {
        let mut state = self.lock();
        state.work = state.work.saturating_add_signed(more);
        self.changed.notify_all();
    }

    /// Nothing more is done.
    pub fn leave_off(&self) {
        self.lock().left_off = true;
        self.changed.notify_all();
    }

    /// The command ends. If it has `published`, a request that is under way is the last, or one that is about to be; else
    /// what it found behind may be brought up to date. Returns whether all was done.
    pub fn close(&self, published: bool) -> bool {
        let mut state = self.lock();
        state.left = published.then(|| u32::from(!state.asking));
        let until = Instant::now() + LONGEST;
        while state.work > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if state.left_off || left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
