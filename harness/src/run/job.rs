//! The folder of a batch download: its files are what its `manifest.json` says, and its `condition.json` names bad days.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use archive::{
    discover::RawFile,
    store::{Store, StoreError},
};
use aws_lc_rs::digest::{Context, SHA256};
use data::{
    Month,
    input::InputError,
    job::{self, Listed},
};

const MANIFEST: &str = "manifest.json";
const CONDITION: &str = "condition.json";
/// Bytes of the largest of both: a hundred thousand files.
const MOST: u64 = 1 << 26;

/// What lies beside raw files.
#[derive(Default)]
pub struct Jobs {
    /// By key, or by path.
    listed: BTreeMap<String, Listed>,
    /// Each `condition.json`.
    conditions: Vec<Vec<u8>>,
}

impl Jobs {
    /// Reads what lies in the folders of these files of a store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn beside(files: &[&RawFile], store: &Store) -> crate::Result<Self> {
        let mut jobs = Self::default();
        let folders: BTreeSet<&str> = files.iter().map(|file| file.folder()).collect();
        for folder in folders {
            let key = |name: &str| format!("{folder}{name}");
            let read =
                |name: &str| Ok::<_, StoreError>(store.read_whole(&key(name), MOST)?.map(|(json, _)| json.into()));
            jobs.add(read(MANIFEST)?, read(CONDITION)?, key);
        }
        Ok(jobs)
    }

    /// Reads what lies beside an input, a file or a folder, and compares the files of the input with their manifest.
    ///
    /// # Errors
    /// What is there cannot be read, or a file is not what the manifest says.
    pub fn of_input(input: &Path) -> crate::Result<Self> {
        let folder = if input.is_dir() { input } else { input.parent().unwrap_or(Path::new("")) };
        let failed = |path: &Path, source: io::Error| InputError::File {
            path: path.display().to_string(),
            source: Box::new(source.into()),
        };
        let read = |name: &str| {
            let path = folder.join(name);
            match path.metadata() {
                Ok(metadata) if metadata.len() <= MOST => {
                    fs::read(&path).map(Some).map_err(|error| failed(&path, error))
                }
                _ => Ok(None),
            }
        };
        let mut jobs = Self::default();
        jobs.add(read(MANIFEST)?, read(CONDITION)?, |name| folder.join(name).display().to_string());
        for path in jobs.listed.keys().map(Path::new).filter(|path| input.is_dir() || *path == input) {
            // What was not downloaded, or was moved away, is no damage.
            if let Ok(metadata) = path.metadata() {
                jobs.check(&path.display().to_string(), metadata.len(), Some(path))?;
            }
        }
        Ok(jobs)
    }

    fn add(&mut self, manifest: Option<Vec<u8>>, condition: Option<Vec<u8>>, key: impl Fn(&str) -> String) {
        let files = manifest.and_then(|json| job::manifest(&json)).unwrap_or_default();
        self.listed.extend(files.into_iter().map(|file| (key(&file.filename), file)));
        self.conditions.extend(condition);
    }

    /// What the vendor says of a month's days.
    pub fn warnings(&self, month: Month) -> Vec<String> {
        let said = self.conditions.iter().flat_map(|json| job::conditions(json, month));
        said.collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// Compares a file with what its manifest says of it; `here` are its bytes, where they are at hand.
    ///
    /// # Errors
    /// It is not what the manifest says, or cannot be read.
    pub fn check(&self, key: &str, bytes: u64, here: Option<&Path>) -> crate::Result<()> {
        let Some(listed) = self.listed.get(key) else { return Ok(()) };
        let differs = |found: String, expected: String| {
            let source = Box::new(InputError::Manifest { found, expected });
            Err(InputError::File { path: key.to_owned(), source }.into())
        };
        if bytes != listed.size {
            return differs(format!("{bytes} bytes"), format!("{} bytes", listed.size));
        }
        let (Some(path), Some(expected)) = (here, listed.sha256()) else { return Ok(()) };
        let read =
            |source: io::Error| InputError::File { path: path.display().to_string(), source: Box::new(source.into()) };
        let found = sha256(path).map_err(read)?;
        if found.eq_ignore_ascii_case(expected) {
            return Ok(());
        }
        differs(format!("SHA-256 {found}"), format!("SHA-256 {expected}"))
    }
}

fn sha256(path: &Path) -> io::Result<String> {
    let (mut file, mut hash, mut buffer) = (File::open(path)?, Context::new(&SHA256), vec![0; 1 << 18]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()),
            read => hash.update(&buffer[..read]),
        }
    }
}
