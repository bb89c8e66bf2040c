//! Time as rights count it: a machine's sleep counts, and no change of its date does.

use std::{thread, time::Duration};

use rustix::time::{ClockId, clock_gettime};

/// Where a store's time comes from.
#[derive(Clone, Default)]
pub enum Clock {
    /// This machine, since it was started.
    #[default]
    Machine,
    /// A test that says how late it is, and lets others go on meanwhile.
    #[cfg(test)]
    Simulated(std::sync::Arc<dyn Simulated>),
}

/// See [`Clock::Simulated`].
#[cfg(test)]
pub trait Simulated: Send + Sync {
    fn now(&self) -> Duration;
    fn sleep(&self, time: Duration);
}

impl Clock {
    /// The time; only differences mean anything.
    pub fn now(&self) -> Duration {
        match self {
            Self::Machine => {
                let now = clock_gettime(ClockId::Boottime);
                Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
            }
            #[cfg(test)]
            Self::Simulated(clock) => clock.now(),
        }
    }

    /// How long ago a time was.
    pub fn since(&self, time: Duration) -> Duration {
        self.now().saturating_sub(time)
    }

    /// Lets time pass.
    pub fn sleep(&self, time: Duration) {
        match self {
            Self::Machine => thread::sleep(time),
            #[cfg(test)]
            Self::Simulated(clock) => clock.sleep(time),
        }
    }
}
