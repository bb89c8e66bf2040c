//! Input files to mapped columns: one folder an input, one column file a month, kept for a second run.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use archive::manifest::Source;
use base::{
    error::{self, Class, Context, Error},
    interrupt,
};
use data::{
    Instrument, Month,
    column_file::{self, ColumnFile},
    columns::RULES_VERSION,
    input::{self, InputError, InputInfo},
    volumes::Volumes,
};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    cache::{Cache, INDEX},
    named::Named,
};

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
    /// What it traded, of a file that was decoded now.
    #[serde(skip)]
    volumes: Option<Volumes>,
}

impl Decoded {
    /// Maps the columns of one month.
    pub fn open(&self, month: Month) -> crate::Result<ColumnFile> {
        let path = self.folder.join(format!("{month}.columns"));
        let gone = || Error::new(Class::Gone, format!("{}: deleted since it was written; run again", path.display()));
        ColumnFile::open(&path, &self.key)?.ok_or_else(gone)
    }

    /// Whether it was decoded now, not found decoded.
    pub fn is_new(&self) -> bool {
        self.volumes.is_some()
    }

    /// What a careful user of a month must know of the file.
    pub fn warnings(&self, month: Month) -> Vec<String> {
        let InputInfo { name, limit, .. } = &self.info;
        let cut = limit.filter(|_| self.months.last() == Some(&month));
        let said = |limit| {
            format!(
                "{name}: the download ended at its limit of {limit} records, the rest is missing: download it again without a limit"
            )
        };
        cut.map(said).into_iter().collect()
    }

    /// What each contract traded by date.
    pub fn volumes(&self, instrument: &Instrument) -> crate::Result<Volumes> {
        if let Some(volumes) = &self.volumes {
            return Ok(volumes.clone());
        }
        let mut volumes = Volumes::default();
        for &month in &self.months {
            volumes.add(&Volumes::of(&self.open(month)?.view(), instrument)?);
        }
        Ok(volumes)
    }

    /// Removes the columns of all months.
    pub fn remove(&self) -> std::io::Result<()> {
        fs::remove_dir_all(&self.folder)
    }
}

/// Name, size and checksum of an input, a file or a folder of files.
pub fn source(path: &Path) -> Result<Source, InputError> {
    let failed =
        |source: std::io::Error| InputError::File { path: path.display().to_string(), source: Box::new(source.into()) };
    let (bytes, checksum) = input::identify(path).map_err(failed)?;
    Ok(Source { name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(), bytes, checksum })
}

/// What prices of 0 and below add to the key of what is decoded.
pub(super) fn negative(instrument: &Instrument) -> &'static str {
    if instrument.negative_prices { " negative" } else { "" }
}

/// Decodes a file that was found to be `source` into `cache`, or finds it decoded there; only then is the file not asked
/// for. `named` is what lies beside it. What is damaged there is made again.
pub fn decode<P: AsRef<Path>>(
    file: impl FnOnce() -> crate::Result<P>,
    source: &Source,
    named: &Named,
    instrument: &Instrument,
    cache: &Path,
) -> crate::Result<Decoded> {
    let Source { name, checksum, .. } = source;
    // The name counts: it says which months the file's first and last hours belong to.
    let Instrument { root, tick_nanos, time_zone, form, .. } = instrument;
    let input_zone = instrument.input_time_zone.as_deref().unwrap_or_default();
    // And so does a session that begins on the evening before: a month's first one does on another's last date.
    let evening = match instrument.date_begins() {
        0 => String::new(),
        begins => format!(" {begins}"),
    };
    let negative = negative(instrument);
    let key = format!(
        "{checksum} {name} {root} {tick_nanos} {time_zone} {RULES_VERSION}{input_zone}{form}{named}{evening}{negative}"
    );
    let folder = cache.join(format!("{:016x}", xxh3_64(key.as_bytes())));
    if let Some(found) = find(&folder, &key) {
        Cache::touch(&folder).with_context(|| format!("{}: cannot be marked as used", folder.display()))?;
        return Ok(found);
    }
    // It may lie in the folder that a signal has just removed.
    interrupt::whole(|| fs::create_dir_all(&folder))
        .with_context(|| format!("{}: cannot create the folder", folder.display()))?;
    let (mut months, mut volumes, mut failed) = (Vec::new(), Volumes::default(), None);
    let file = file()?;
    let info = input::read_named(file.as_ref(), named.symbology(), instrument, &mut |columns| {
        let target = folder.join(format!("{}.columns", columns.month));
        months.push(columns.month);
        volumes.add(&Volumes::of(&columns.view(), instrument)?);
        column_file::write(&target, &key, &columns).map_err(|error| {
            let said = error.to_string();
            failed = Some(error);
            InputError::Sink(said)
        })
    });
    if let Some(failed) = failed {
        return Err(failed.into());
    }
    let info = info.inspect_err(|_| {
        // Only if it is empty: months that were written will be used or overwritten.
        let _ = fs::remove_dir(&folder);
    });
    let info = info.map_err(error::of_found)?;
    let decoded = Decoded { info, months, folder, key, volumes: Some(volumes) };
    // Under its name at once or not at all.
    let mut index = tempfile::NamedTempFile::new_in(&decoded.folder)?;
    index.write_all(&serde_json::to_vec(&decoded)?)?;
    index.persist(decoded.folder.join(INDEX))?;
    Ok(decoded)
}

fn find(folder: &Path, key: &str) -> Option<Decoded> {
    let index = fs::read(folder.join(INDEX)).ok()?;
    let found: Decoded = serde_json::from_slice(&index).ok()?;
    let found = Decoded { folder: folder.to_owned(), key: key.to_owned(), ..found };
    found.months.iter().all(|&month| found.open(month).is_ok()).then_some(found)
}
