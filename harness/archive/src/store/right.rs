//! The right to change what goes by a name: a lock in a directory, a lease in a bucket.

use std::time::Duration;

use super::{
    Place, Store, StoreError,
    answer::Still,
    folder,
    lease::{self, Lease},
};

/// The right to change what has a name in a store, until this is dropped or the process ends.
pub struct Exclusive(pub(super) Right);

pub(super) enum Right {
    Lock(folder::Lock),
    Lease(Lease),
}

impl Exclusive {
    /// Whether it is still ours. A lock is until it is dropped.
    pub(super) fn still(&self) -> Still {
        match &self.0 {
            Right::Lock(_) => Still::always(),
            Right::Lease(lease) => lease.still(),
        }
    }

    /// Whether it is still ours, and for long enough for a small request.
    pub fn holds(&self) -> bool {
        self.still().holds()
    }
}

impl Store {
    /// Waits for the right to change what goes by `name`.
    pub fn exclusive(&self, name: &str) -> Result<Exclusive, StoreError> {
        Ok(Exclusive(match &self.place {
            Place::Folder(folder) => Right::Lock(folder.lock(name)?),
            Place::Bucket(_) => Right::Lease(Lease::wait(self, name)?),
        }))
    }

    /// The right to change what goes by `name`, if nobody has it.
    pub fn exclusive_now(&self, name: &str) -> Result<Option<Exclusive>, StoreError> {
        Ok(match &self.place {
            Place::Folder(folder) => folder.lock_now(name)?.map(Right::Lock),
            Place::Bucket(_) => Lease::now(self, name)?.map(Right::Lease),
        }
        .map(Exclusive))
    }

    /// The same, but waits for as long as it takes to tell a holder that works from one that is gone.
    pub fn exclusive_of_the_dead(&self, name: &str) -> Result<Option<Exclusive>, StoreError> {
        match &self.place {
            Place::Folder(_) => self.exclusive_now(name),
            Place::Bucket(_) => Ok(Lease::of_the_dead(self, name)?.map(Right::Lease).map(Exclusive)),
        }
    }

    /// The name to which an object of a listing is the right.
    pub fn right_of<'a>(&self, key: &'a str) -> Option<&'a str> {
        if self.is_remote() { lease::name_of(key) } else { None }
    }

    /// The store's own time, since 1970: that of the right's object, which was written not long ago. `None` without one.
    pub fn time(&self, exclusive: &Exclusive) -> Result<Option<Duration>, StoreError> {
        match &exclusive.0 {
            Right::Lock(lock) => lock.taken().map(Some),
            Right::Lease(lease) => self.modified(lease.key()),
        }
    }
}
