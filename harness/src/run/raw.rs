//! Raw files of a run: what they are, and their bytes here when they are needed.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use archive::{
    discover::{RawFile, SYMBOLOGY},
    manifest::{RawState, Source},
    store::{Store, StoreError},
};
use base::{
    error::{Context, of_found},
    interrupt,
};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    cache::Cache,
    decode,
    named::{self, Named},
};

/// The raw files of a store, brought here once however many months need them.
pub struct Raw<'a> {
    cache: &'a Cache,
    known: Mutex<BTreeMap<String, Known>>,
    /// By folder.
    named: Mutex<BTreeMap<String, Named>>,
}

/// What is known of one file; locked while it is found out.
type Known = Arc<Mutex<Option<Source>>>;

/// A raw file that can be opened. One that was downloaded is gone with this.
pub struct Here {
    path: PathBuf,
    _downloaded: Option<Downloaded>,
}

/// Nobody else uses the file while this lives.
struct Downloaded {
    path: PathBuf,
    _locked: Option<File>,
}

impl Drop for Downloaded {
    fn drop(&mut self) {
        let removed = fs::remove_file(&self.path).and_then(|()| self.path.parent().map_or(Ok(()), fs::remove_dir));
        if let Err(error) = removed {
            tracing::debug!("{}: a downloaded file cannot be removed: {error}", self.path.display());
        }
    }
}

impl AsRef<Path> for Here {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl<'a> Raw<'a> {
    /// None known yet; what is downloaded goes into the cache.
    pub fn new(cache: &'a Cache) -> Self {
        Self { cache, known: Mutex::default(), named: Mutex::default() }
    }

    /// A file with its state: not every server's listing tells it.
    pub fn look(&self, store: &Store, file: &RawFile) -> Result<RawFile, StoreError> {
        if !store.is_remote() || file.e_tag.is_some() {
            return Ok(file.clone());
        }
        Ok(RawFile { e_tag: store.find(&file.key)?.and_then(|object| object.e_tag), ..file.clone() })
    }

    /// What a file is. A remote one in a state in which it was read before is not read again; one that had to be is
    /// handed over as well.
    pub fn source(&self, store: &Store, file: &RawFile, seen: &[RawState]) -> crate::Result<(Source, Option<Here>)> {
        if let Some(path) = store.file(&file.key)? {
            return Ok((decode::source(&path).map_err(of_found)?, None));
        }
        if let Some(source) = seen.iter().find_map(|seen| seen.source(file)) {
            return Ok((source, None));
        }
        let known = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(file.key.clone()).or_default())
        };
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = &*known {
            return Ok((source.clone(), None));
        }
        let (here, checksum) = self.download(store, file)?;
        let source = Source { name: file.name().to_owned(), bytes: file.bytes, checksum };
        *known = Some(source.clone());
        Ok((source, Some(here)))
    }

    /// What lies beside a file and names its ids.
    pub fn named(&self, store: &Store, file: &RawFile) -> crate::Result<Named> {
        if !file.has_symbology {
            return Ok(Named::default());
        }
        let mut known = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(named) = known.get(file.folder()) {
            return Ok(named.clone());
        }
        let json = store.read_whole(&format!("{}{SYMBOLOGY}", file.folder()), named::MOST)?;
        let named = json.map_or_else(Named::default, |(json, _)| Named::of(&json));
        known.insert(file.folder().to_owned(), named.clone());
        Ok(named)
    }

    /// A file's bytes.
    pub fn here(&self, store: &Store, file: &RawFile) -> crate::Result<Here> {
        match store.file(&file.key)? {
            Some(path) => Ok(Here { path, _downloaded: None }),
            None => self.download(store, file).map(|(here, _)| here),
        }
    }

    /// Downloads a file to a name that depends on its state, so that what is left of an earlier download is of use. One
    /// that another run is downloading goes to a name of ours.
    fn download(&self, store: &Store, file: &RawFile) -> crate::Result<(Here, String)> {
        let state = format!("{} {} {} {:?}", store.name(), file.key, file.bytes, file.e_tag);
        let name = format!("{:016x}", xxh3_64(state.as_bytes()));
        let folder = self.cache.downloads().join(&name);
        let unusable = || format!("{}: cannot be used for downloads", folder.display());
        fs::create_dir_all(&folder).with_context(unusable)?;
        // Under the name it had: that counts when it is decoded.
        let shared = folder.join(file.name());
        let mut options = File::options();
        let locked = options.create(true).truncate(false).write(true).open(&shared).with_context(unusable)?;
        let downloaded = match locked.try_lock() {
            Ok(()) => Downloaded { path: shared, _locked: Some(locked) },
            Err(TryLockError::WouldBlock) => {
                let own = self.cache.temporary().join(format!("{name}-{:08x}", fastrand::u32(..)));
                interrupt::whole(|| fs::create_dir_all(&own)).with_context(unusable)?;
                Downloaded { path: own.join(file.name()), _locked: None }
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(unusable),
        };
        let checksum = match store.download(&file.object(), &downloaded.path) {
            Ok(checksum) => checksum,
            Err(error) => {
                // What has arrived stays for the next try.
                std::mem::forget(downloaded);
                return Err(error.into());
            }
        };
        Ok((Here { path: downloaded.path.clone(), _downloaded: Some(downloaded) }, checksum))
    }
}
