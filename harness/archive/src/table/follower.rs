//! Writes the log beside a command that publishes: on a thread of its own, which publishing does not wait for. At its end
//! the command waits for one request at most ([`Gate::close`]); what is not logged by then is when the month is looked at
//! again, published again, or by `harness table sync`.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
};

use base::exit;
use data::Month;

use super::{action::Author, error::TableError, gate::Gate, known::Known, writer::Writer};
use crate::{
    alive,
    manifest::{Manifest, Removed},
    publish::New,
    store::Store,
};

/// Who is told what happens to months, to log it.
pub trait Follow {
    /// Something that can be in the table is about to be published or taken out.
    fn look(&self, month: Month);
    /// A month was published.
    fn published(&self, new: &New);
    /// A month was taken out.
    fn removed(&self, removed: &Removed);
}

/// The log of a store, as a command that publishes sees it. The command ends when this is dropped.
pub struct Follower {
    store: Store,
    gate: Arc<Gate>,
    /// To the thread, once there is one.
    work: Mutex<Option<Sender<Work>>>,
    /// Something was published or taken out.
    published: AtomicBool,
}

enum Work {
    /// A month is about to be.
    Look(Month),
    /// A month was published.
    Published(New),
    /// A month was taken out.
    Removed(Removed),
    /// A month was found as it should be.
    Compare(Known),
}

impl Follower {
    /// Of a command that may publish to a store. Nothing is asked before it does.
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone(), gate: Arc::default(), work: Mutex::default(), published: AtomicBool::new(false) }
    }

    /// A month is as it should be; its log may not be, where who published it was killed.
    pub fn unchanged(&self, manifest: &Manifest) {
        let known = Known::Published(Box::new(manifest.clone()));
        if known.current().is_some() {
            self.send(Work::Compare(known));
        }
    }

    fn send(&self, work: Work) {
        let mut sender = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if sender.is_none() {
            *sender = self.start();
        }
        self.gate.count(1);
        if sender.as_ref().is_none_or(|sender| sender.send(work).is_err()) {
            self.gate.count(-1);
        }
    }

    /// Without a thread nothing is logged, which `harness table sync` makes up for.
    fn start(&self) -> Option<Sender<Work>> {
        let (sender, receiver) = mpsc::channel();
        let process = alive::Process::this();
        let run = format!("{}-{}-{:08x}", process.host, process.pid, fastrand::u32(..));
        let author = Author { run, host: process.host };
        let (writer, gate) = (Writer::through(&self.store, author, Arc::clone(&self.gate)), Arc::clone(&self.gate));
        let thread = thread::Builder::new().name("table".into()).spawn(move || work(writer, &gate, &receiver));
        if let Err(error) = &thread {
            tracing::warn!("the log of the table is not written: {error}; run `harness table sync`");
        }
        thread.is_ok().then_some(sender)
    }
}

impl Follow for Follower {
    fn look(&self, month: Month) {
        self.send(Work::Look(month));
    }

    fn published(&self, new: &New) {
        self.published.store(true, Ordering::SeqCst);
        if Known::Published(new.manifest.clone()).concerns() {
            self.send(Work::Published(new.clone()));
        }
    }

    fn removed(&self, removed: &Removed) {
        self.published.store(true, Ordering::SeqCst);
        if Known::Removed(Box::new(removed.clone())).concerns() {
            self.send(Work::Removed(removed.clone()));
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if !self.gate.close(*self.published.get_mut()) {
            tracing::info!("the log of the table is behind: the next run or `harness table sync` brings it up to date");
        }
    }
}

fn work(mut writer: Writer, gate: &Gate, works: &Receiver<Work>) {
    let mut said = false;
    for work in works {
        let (what, done) = match work {
            Work::Look(month) => (month.to_string(), writer.prepare(month)),
            Work::Published(new) => (new.manifest.month.to_string(), writer.published(new)),
            Work::Removed(removed) => (removed.month.to_string(), writer.removed(removed)),
            Work::Compare(known) => (known.month().to_string(), writer.compare(known)),
        };
        match done {
            Ok(()) => {}
            // The command says so at its end.
            Err(TableError::Ended) => return gate.leave_off(),
            Err(error) => {
                writer.forget();
                let error = exit::sentence(&error.into());
                if said {
                    tracing::debug!("{what}: not logged in the table: {error}");
                } else {
                    tracing::warn!("{what}: not logged in the table, which `harness table sync` makes up for: {error}");
                }
                said = true;
            }
        }
        gate.count(-1);
    }
}
