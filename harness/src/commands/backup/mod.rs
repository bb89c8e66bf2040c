//! `backup`: copies of published months in another store, with the same keys and the same manifests.
//!
//! A backup is a store like any other: `--store` can name it. Every object that is copied is checked on arrival on this
//! machine, and read back from where it went.

mod create;
mod raw;
mod restore;
mod verify;

use std::{
    fs,
    path::{Path, PathBuf},
};

use archive::{
    manifest::{Item, Version},
    store::{Store, StoreError},
};
use base::{
    error::{Class, Classify},
    exit::Usage,
};
use serde::Serialize;

use crate::{
    cli::{BackupArgs, BackupCommand},
    progress::Bar,
    settings::Settings,
};

/// Runs the command.
pub fn run(args: &BackupArgs, settings: &Settings) -> crate::Result<u8> {
    match &args.command {
        BackupCommand::Create(args) => create::run(args, settings),
        BackupCommand::Verify(args) => verify::run(args, settings),
        BackupCommand::Restore(args) => restore::run(args, settings),
    }
}

/// What became of a month or a raw file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Copied,
    Unchanged,
    /// Removed since the backup began.
    Gone,
    Failed,
}

/// What all that is copied has in common.
pub struct Create<'a> {
    pub from: &'a Store,
    pub to: &'a Store,
    /// For what is on its way.
    pub folder: PathBuf,
    pub full: bool,
    pub bar: &'a Bar,
}

/// An object that is not as a manifest says.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// There is none.
    #[error("store {store}: {key} is missing")]
    Missing { store: String, key: String },
    /// It is another one.
    #[error("store {store}: {key} is altered: {bytes} bytes, checksum {checksum}")]
    Altered { store: String, key: String, bytes: u64, checksum: String },
    /// It does not arrive.
    #[error(transparent)]
    Unreadable(StoreError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Classify for Fault {
    fn class(&self) -> Class {
        match self {
            Self::Missing { .. } | Self::Altered { .. } | Self::Unreadable(_) => Class::Published,
            Self::Store(error) => error.class(),
        }
    }
}

impl Fault {
    /// What is wrong with an object of this size and checksum, if anything.
    fn of(store: &Store, item: &Item, (bytes, checksum): (u64, String)) -> Result<(), Self> {
        if (bytes, &checksum) == (item.bytes, &item.checksum) {
            return Ok(());
        }
        Err(Self::Altered { store: store.name().to_owned(), key: item.key.clone(), bytes, checksum })
    }

    fn missing(store: &Store, item: &Item) -> Self {
        Self::Missing { store: store.name().to_owned(), key: item.key.clone() }
    }
}

/// Whether an object is as its manifest says: read whole, or only looked at.
fn look(store: &Store, item: &Item, whole: bool) -> Result<(), Fault> {
    let bytes = store.size(&item.key)?.ok_or_else(|| Fault::missing(store, item))?;
    // One that has another size is read in any case: the fault names its checksum.
    if !whole && bytes == item.bytes {
        return Ok(());
    }
    match store.verify(&item.key, item.bytes, &item.checksum) {
        Ok(_) => Ok(()),
        Err(StoreError::ReadBack { .. }) => Fault::of(store, item, store.checksum(&item.key)?),
        Err(error) => Err(error.into()),
    }
}

/// An object to a file, whole and durable.
fn fetch(store: &Store, item: &Item, to: &Path) -> crate::Result<()> {
    let object = store.find(&item.key)?.ok_or_else(|| Fault::missing(store, item))?;
    // What is there is not this object's beginning, and after an error it may be an object by another name.
    if to.exists() {
        fs::remove_file(to)?;
    }
    let checksum = store.download(&object, to).map_err(Fault::Unreadable)?;
    Ok(Fault::of(store, item, (object.bytes, checksum))?)
}

/// Copies an object to the same key of another store, by way of a file.
fn carry(from: &Store, to: &Store, item: &Item, by: &Path) -> crate::Result<()> {
    fetch(from, item, by)?;
    to.upload(by, &item.key)?;
    fs::remove_file(by)?;
    Ok(look(to, item, true)?)
}

/// Refuses a backup in the store itself.
fn distinct(store: &Store, other: &Store) -> Result<(), Usage> {
    let folder = |store: &Store| fs::canonicalize(store.name()).ok();
    let name = |store: &Store| store.name().trim_end_matches('/').to_owned();
    if name(store) == name(other) || folder(store).is_some_and(|path| Some(path) == folder(other)) {
        return Err(Usage(format!("{}: this is the store itself; choose another one for the backup", other.name())));
    }
    Ok(())
}

/// Bytes of a version's objects.
fn bytes(version: &Version) -> u64 {
    version.items().iter().map(|item| item.bytes).sum()
}

/// A bar over bytes.
fn bar(what: &str, bytes: u64) -> Bar {
    let bar = Bar::of_bytes();
    bar.task(what, bytes);
    bar
}
