//! Input files to mapped columns: one folder an input, one column file a month, kept for a second run.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::Context;
use data::{
    Instrument, Month,
    column_file::{self, ColumnFile},
    input::{self, InputError, InputInfo},
};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::manifest::Source;

/// A decoded input: written last, so a folder without it is not finished.
const INDEX: &str = "input.json";

/// One input file, decoded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decoded {
    /// What was found in it.
    pub info: InputInfo,
    /// The months it holds records of.
    pub months: Vec<Month>,
    #[serde(skip)]
    folder: PathBuf,
    #[serde(skip)]
    key: String,
}

impl Decoded {
    /// Maps the columns of one month.
    pub fn open(&self, month: Month) -> anyhow::Result<ColumnFile> {
        let path = self.folder.join(format!("{month}.columns"));
        let file = ColumnFile::open(&path, &self.key)?;
        file.with_context(|| format!("{}: gone since it was written; run again", path.display()))
    }

    /// Removes the columns of all months.
    pub fn remove(&self) -> std::io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }
}

/// Name, size and checksum of an input file.
pub fn source(path: &Path) -> Result<Source, InputError> {
    let failed =
        |source: std::io::Error| InputError::File { path: path.display().to_string(), source: Box::new(source.into()) };
    let (bytes, checksum) = File::open(path).and_then(|mut file| input::checksum(&mut file)).map_err(failed)?;
    Ok(Source { name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(), bytes, checksum })
}

/// Decodes a file that was found to be `source` into `cache`, or finds it decoded there. What is damaged there is made
/// again.
pub fn decode(path: &Path, source: &Source, instrument: &Instrument, cache: &Path) -> anyhow::Result<Decoded> {
    let Source { name, checksum, .. } = source;
    // The name counts: it says which months the file's first and last hours belong to.
    let key = format!("{checksum} {name} {} {} {}", instrument.root, instrument.tick_nanos, instrument.time_zone);
    let folder = cache.join(format!("{:016x}", xxh3_64(key.as_bytes())));
    if let Some(found) = find(&folder, &key) {
        return Ok(found);
    }
    fs::create_dir_all(&folder).with_context(|| format!("{}: cannot create the folder", folder.display()))?;
    let mut months = Vec::new();
    let info = input::read(path, instrument, &mut |columns| {
        let target = folder.join(format!("{}.columns", columns.month));
        column_file::write(&target, &key, &columns)
            .map_err(|error| InputError::Sink(format!("{:#}", anyhow::Error::new(error))))?;
        months.push(columns.month);
        Ok(())
    })?;
    let decoded = Decoded { info, months, folder, key };
    fs::write(decoded.folder.join(INDEX), serde_json::to_vec(&decoded)?)?;
    Ok(decoded)
}

fn find(folder: &Path, key: &str) -> Option<Decoded> {
    let index = fs::read(folder.join(INDEX)).ok()?;
    let found: Decoded = serde_json::from_slice(&index).ok()?;
    let found = Decoded { folder: folder.to_owned(), key: key.to_owned(), ..found };
    found.months.iter().all(|&month| found.open(month).is_ok()).then_some(found)
}
