//! The folder of a batch download: its files are what its `manifest.json` says, and its `condition.json` names bad days.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read},
    path::Path,
};

use archive::{discover::RawFile, store::Store};
use aws_lc_rs::digest::{Context, SHA256};
use data::{
    Month,
    input::InputError,
    job::{self, Listed},
};

/// Bytes of the largest manifest: a hundred thousand files.
const MOST: u64 = 1 << 26;

/// What lies beside the raw files of a month.
pub struct Jobs {
    /// By key.
    listed: BTreeMap<String, Listed>,
    /// What the vendor says of the month's days.
    pub warnings: Vec<String>,
}

impl Jobs {
    /// Reads what lies in the folders of these files.
    pub fn beside(files: &[&RawFile], store: &Store, month: Month) -> crate::Result<Self> {
        let mut jobs = Self { listed: BTreeMap::new(), warnings: Vec::new() };
        let folder = |file: &&RawFile| file.key.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        for folder in files.iter().map(folder).collect::<BTreeSet<String>>() {
            let beside = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            if let Some((json, _)) = store.read_whole(&beside("manifest.json"), MOST)? {
                let files = job::manifest(&json).unwrap_or_default().into_iter();
                jobs.listed.extend(files.map(|file| (beside(&file.filename), file)));
            }
            if let Some((json, _)) = store.read_whole(&beside("condition.json"), MOST)? {
                jobs.warnings.extend(job::conditions(&json, month));
            }
        }
        jobs.warnings.sort_unstable();
        jobs.warnings.dedup();
        Ok(jobs)
    }

    /// Compares a file with what its manifest says of it; `here` are its bytes, where they are at hand.
    pub fn check(&self, file: &RawFile, here: Option<&Path>) -> crate::Result<()> {
        let Some(listed) = self.listed.get(&file.key) else { return Ok(()) };
        let differs = |found: String, expected: String| {
            let source = Box::new(InputError::Manifest { found, expected });
            Err(InputError::File { path: file.key.clone(), source }.into())
        };
        if file.bytes != listed.size {
            return differs(format!("{} bytes", file.bytes), format!("{} bytes", listed.size));
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
