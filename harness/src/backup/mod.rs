//! `backup`: copies of published months in another store, with the same keys and the same manifests.
//!
//! A backup is a store like any other: `--store` can name it. Every object that is copied is checked on arrival on this
//! machine, and read back from where it went.

mod create;
mod raw;
mod restore;
mod verify;

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use data::input;

use crate::{
    cli::{BackupArgs, BackupCommand},
    config::Settings,
    exit::Usage,
    manifest::{Item, Version},
    progress::Bar,
    store::{Store, StoreError},
};

/// Runs the command.
pub fn run(args: &BackupArgs, settings: &Settings) -> anyhow::Result<u8> {
    match &args.command {
        BackupCommand::Create(args) => create::run(args, settings),
        BackupCommand::Verify(args) => verify::run(args),
        BackupCommand::Restore(args) => restore::run(args, settings),
    }
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
fn look(store: &Store, item: &Item, whole: bool) -> anyhow::Result<()> {
    let bytes = store.size(&item.key)?.ok_or_else(|| Fault::missing(store, item))?;
    // One that has another size is read in any case: the fault names its checksum.
    let found = if whole || bytes != item.bytes { store.checksum(&item.key)? } else { (bytes, item.checksum.clone()) };
    Ok(Fault::of(store, item, found)?)
}

/// An object to a file, whole and durable.
fn fetch(store: &Store, item: &Item, to: &Path) -> anyhow::Result<()> {
    store.size(&item.key)?.ok_or_else(|| Fault::missing(store, item))?;
    // After an error the file before may have become an object by another name: never write into that.
    if to.exists() {
        fs::remove_file(to)?;
    }
    download(store, &item.key, to).map_err(Fault::Unreadable)?;
    let mut file = File::open(to)?;
    file.sync_all()?;
    Ok(Fault::of(store, item, input::checksum(&mut file)?)?)
}

/// Copies an object to the same key of another store, by way of a file.
fn carry(from: &Store, to: &Store, item: &Item, by: &Path) -> anyhow::Result<()> {
    fetch(from, item, by)?;
    to.upload(by, &item.key)?;
    fs::remove_file(by)?;
    look(to, item, true)
}

// replaced by Store::download
fn download(store: &Store, key: &str, to: &Path) -> Result<(), StoreError> {
    let failed = |source: io::Error| StoreError::Folder {
        path: store.file(key).display().to_string(),
        action: "the file cannot be copied",
        source,
    };
    fs::copy(store.file(key), to).map(|_| ()).map_err(failed)
}

/// Refuses a backup in the store itself.
fn distinct(store: &Store, other: &Store) -> Result<(), Usage> {
    let folder = |store: &Store| fs::canonicalize(store.name()).ok();
    if store.name() == other.name() || folder(store).is_some_and(|path| Some(path) == folder(other)) {
        return Err(Usage(format!("{}: it is the store itself; name another one for the backup", other.name())));
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
    bar.stage(what, bytes);
    bar
}
