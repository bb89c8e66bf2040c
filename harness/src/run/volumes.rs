//! What the months around a month must know of a raw file: its volumes by contract and date, a small object in the store.
//!
//! It is found in memory, else in the store, else it follows from the columns or from reading the file once. It depends on
//! the file's checksum and the instrument's settings alone and is written only where there is none, so whoever made it, it
//! is the same; one that is damaged is made again. It is not part of a backup: the raw files give it anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use archive::{
    discover::RawFile,
    manifest::{RawState, Source},
    store::Store,
};
use base::{error::Context, exit};

use super::{
    decode::{self, Decoded},
    named::Named,
    raw::{Here, Raw},
};
use crate::settings::Settings;
use data::{Instrument, Month, columns::RULES_VERSION, contract::Fronts, input, volumes::Volumes, window::Windows};
use serde::{Deserialize, Serialize};
use statistics::{Level, quality::levels::AROUND};
use xxhash_rust::xxh3::xxh3_64;

/// Folder of the objects.
pub const FOLDER: &str = "processed-data/volumes";
/// Version of their layout.
const SCHEMA_VERSION: u32 = 1;

/// The volumes of a raw file as they are stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    schema_version: u32,
    /// The file and the settings.
    of: String,
    /// XXH3-64 of the volumes as JSON.
    checksum: String,
    volumes: Volumes,
}

/// The file and all that its volumes depend on.
fn identity(source: &Source, named: &Named, instrument: &Instrument) -> String {
    let Instrument { root, tick_nanos, session_start, session_end, time_zone, form, .. } = instrument;
    let input_zone = instrument.input_time_zone.as_deref().unwrap_or_default();
    let breaks =
        if instrument.session_breaks.is_empty() { String::new() } else { format!(" {}", instrument.session_breaks) };
    let negative = decode::negative(instrument);
    let Source { checksum, name, .. } = source;
    format!(
        "{checksum} {name} {root} {tick_nanos} {time_zone} {session_start} {session_end} {RULES_VERSION}{input_zone}{form}{named}{breaks}{negative}"
    )
}

fn key(of: &str) -> String {
    format!("{FOLDER}/{:016x}.json", xxh3_64(of.as_bytes()))
}

fn checksum(volumes: &Volumes) -> serde_json::Result<String> {
    Ok(format!("{:016x}", xxh3_64(&serde_json::to_vec(volumes)?)))
}

/// What the store has; `None` where it has nothing that holds. What is damaged makes room, where that may be.
fn read(store: &Store, of: &str, may_delete: bool) -> crate::Result<Option<Volumes>> {
    let key = key(of);
    let Some((json, _)) = store.read(&key)? else { return Ok(None) };
    let whole = serde_json::from_slice::<Stored>(&json).ok().filter(|stored| {
        (stored.schema_version, stored.of.as_str()) == (SCHEMA_VERSION, of)
            && checksum(&stored.volumes).is_ok_and(|checksum| checksum == stored.checksum)
    });
    if whole.is_none() {
        tracing::warn!("{key} is damaged: rebuilding it from the raw file");
        if may_delete {
            store.delete(&key)?;
        }
    }
    Ok(whole.map(|stored| stored.volumes))
}

/// Stores volumes. What cannot be written is only logged: they are made again.
fn write(store: &Store, of: &str, volumes: &Volumes) {
    let key = key(of);
    let put = || -> crate::Result<()> {
        let (of, volumes) = (of.to_owned(), volumes.clone());
        let stored = Stored { schema_version: SCHEMA_VERSION, of, checksum: checksum(&volumes)?, volumes };
        Ok(store.put_new(&key, serde_json::to_vec(&stored)?.into())?)
    };
    if let Err(error) = put() {
        tracing::warn!("{key} cannot be written: {}", exit::sentence(&error));
    }
}

/// What is known of a raw file.
#[derive(Clone)]
struct Known {
    source: Source,
    state: Option<RawState>,
    /// None of a file that cannot be read: for its neighbours it is not there.
    volumes: Option<Arc<Volumes>>,
}

/// The volumes of an archive's raw files, as far as they are needed.
pub struct Archive<'a> {
    /// The raw files that their store lists.
    pub files: &'a [RawFile],
    /// Brings them here.
    pub here: &'a Raw<'a>,
    settings: &'a Settings,
    columns: &'a std::path::Path,
    /// Months that are made, whose files are decoded anyway.
    months: BTreeSet<Month>,
    /// Whether to leave volumes in the store.
    keep: bool,
    known: Mutex<BTreeMap<String, Entry>>,
}

/// Locked while the file is read, so that nobody else reads it.
type Entry = Arc<Mutex<Option<Known>>>;

/// The stores of one month's making, whose traffic is counted.
#[derive(Clone, Copy)]
pub struct Stores<'a> {
    /// Where months are published.
    pub store: &'a Store,
    /// Where raw files are.
    pub raw: &'a Store,
}

/// The fronts of a month, and what they were found from.
pub struct Found {
    /// The fronts.
    pub fronts: Fronts,
    /// The raw files that were looked at besides the month's own, as they were found.
    pub states: Vec<RawState>,
}

impl<'a> Archive<'a> {
    /// Nothing known yet. `columns` is where files are decoded to, `months` are those that will be made.
    pub fn new(
        files: &'a [RawFile],
        here: &'a Raw<'a>,
        settings: &'a Settings,
        columns: &'a std::path::Path,
        months: &[Month],
        keep: bool,
    ) -> Self {
        let months = months.iter().copied().collect();
        Self { files, here, settings, columns, months, keep, known: Mutex::default() }
    }

    fn entry(&self, file: &RawFile) -> Entry {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(file.key.clone()).or_default())
    }

    /// Decodes a file that was found to be `source`, or finds it decoded.
    pub fn decode(
        &self,
        Stores { store, raw }: Stores<'_>,
        file: &RawFile,
        source: &Source,
        here: Option<Here>,
    ) -> crate::Result<Decoded> {
        let entry = self.entry(file);
        let mut known = entry.lock().unwrap_or_else(PoisonError::into_inner);
        let here = || here.map_or_else(|| self.here.here(raw, file), Ok);
        let named = self.here.named(raw, file)?;
        let decoded = decode::decode(here, source, &named, &self.settings.instrument, self.columns)?;
        if known.as_ref().is_none_or(|known| known.source != *source || known.volumes.is_none()) {
            let of = identity(source, &named, &self.settings.instrument);
            let stored = if decoded.is_new() { None } else { read(store, &of, self.keep)? };
            let volumes = self.or_made(store, &of, stored, || decoded.volumes(&self.settings.instrument))?;
            *known = Some(Known { source: source.clone(), state: RawState::of(file, source), volumes: Some(volumes) });
        }
        Ok(decoded)
    }

    fn or_made(
        &self,
        store: &Store,
        of: &str,
        stored: Option<Volumes>,
        make: impl FnOnce() -> crate::Result<Volumes>,
    ) -> crate::Result<Arc<Volumes>> {
        if let Some(volumes) = stored {
            return Ok(Arc::new(volumes));
        }
        let volumes = make()?;
        if self.keep {
            write(store, of, &volumes);
        }
        Ok(Arc::new(volumes))
    }

    /// What is known of a file, after a look at it if need be; `seen` are states in which files were read before.
    fn look(&self, stores: Stores<'_>, file: &RawFile, seen: &[RawState]) -> crate::Result<Known> {
        let entry = self.entry(file);
        let mut known = entry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let file = &self.here.look(stores.raw, file)?;
        let (source, here) = self.here.source(stores.raw, file, seen)?;
        let named = self.here.named(stores.raw, file)?;
        let of = identity(&source, &named, &self.settings.instrument);
        let stored = read(stores.store, &of, self.keep)?;
        let here = || here.map_or_else(|| self.here.here(stores.raw, file), Ok);
        let read = || self.read(file, &source, &named, here);
        let volumes = match self.or_made(stores.store, &of, stored, read) {
            Ok(volumes) => Some(volumes),
            Err(error) if error.class().is_of_one_month() => {
                tracing::warn!("{}: unavailable to the months around it: {}", file.key, exit::sentence(&error));
                None
            }
            Err(error) => return Err(error.context(file.key.clone())),
        };
        let found = Known { state: RawState::of(file, &source), source, volumes };
        *known = Some(found.clone());
        Ok(found)
    }

    /// Reads a file: to columns where its months are made anyway, else for its volumes alone.
    fn read(
        &self,
        file: &RawFile,
        source: &Source,
        named: &Named,
        here: impl FnOnce() -> crate::Result<Here>,
    ) -> crate::Result<Volumes> {
        let instrument = &self.settings.instrument;
        if self.months.range(file.first..=file.last).next().is_some() {
            return decode::decode(here, source, named, instrument, self.columns)?.volumes(instrument);
        }
        let mut volumes = Volumes::default();
        let here = here()?;
        input::read_named(here.as_ref(), named.symbology(), instrument, &mut |columns| {
            volumes.add(&Volumes::of(&columns.view(), instrument)?);
            Ok(())
        })?;
        Ok(volumes)
    }

    /// Files of another month that hold hours of `month`'s first or last date, and what is missing of them.
    pub fn edges(
        &self,
        stores: Stores<'_>,
        month: Month,
        seen: &[RawState],
    ) -> crate::Result<(Vec<RawFile>, Vec<String>)> {
        let (mut edges, mut missing) = (Vec::new(), Vec::new());
        let windows = Windows::new(&self.settings.instrument)?;
        let beyond = windows.beyond_the_files(month);
        let dates = [month.first_day(), month.last_day()];
        for ((span, neighbour), date) in beyond.into_iter().zip([month.previous(), month.next()]).zip(dates) {
            let (Some(span), Some(neighbour)) = (span, neighbour) else { continue };
            let mut found = false;
            let files = self.files.iter().filter(|file| file.holds(neighbour) && !file.holds(month));
            for file in files.filter(|file| touches(file, &span)) {
                if self.look(stores, file, seen)?.volumes.is_some() {
                    edges.push(file.clone());
                    found = true;
                }
            }
            let reaches = windows.of(date).is_some_and(|window| window.start() < span.end && window.end() > span.start);
            let within = self.files.iter().any(|file| file.holds(neighbour) && file.holds(month));
            if reaches && !found && !within && data::holidays::hours(date) != data::holidays::Hours::Closed {
                missing
                    .push(format!("{date}: the raw file of {neighbour}, which holds part of the session, is missing"));
            }
        }
        Ok((edges, missing))
    }

    /// The front contracts of a month, by the volumes of the months around it; `seen` are states in which raw files were
    /// read before.
    pub fn fronts(&self, stores: Stores<'_>, month: Month, seen: &[RawState]) -> crate::Result<Found> {
        let (mut volumes, mut there, mut states) = (Volumes::default(), BTreeSet::new(), BTreeMap::new());
        let own = month;
        let mut load = |month: Month, volumes: &mut Volumes, there: &mut BTreeSet<Month>| -> crate::Result<bool> {
            for file in self.files.iter().filter(|file| file.holds(month)) {
                let known = self.look(stores, file, seen).with_context(|| format!("{month}"))?;
                states.extend(known.state.map(|state| (file.key.clone(), state)));
                if let Some(of_file) = &known.volumes {
                    // A download of other dates than its name says is refused as a month; around it, those dates do not
                    // count beside the ones of their own file.
                    let beside = (!file.holds(own)).then(|| of_file.within(file.dates));
                    volumes.add(beside.as_ref().unwrap_or(of_file));
                    there.insert(month);
                }
            }
            Ok(there.contains(&month))
        };
        load(month, &mut volumes, &mut there)?;
        let mut back = month.previous();
        for _ in 0..data::contract::MOST_MONTHS_BACK {
            let Some(before) = back else { break };
            if !load(before, &mut volumes, &mut there)? {
                break;
            }
            back = before.previous();
        }
        // Hours of the dates at both ends lie in the files beyond.
        let beyond = Windows::new(&self.settings.instrument)?.beyond_the_files(month);
        let mut none = BTreeSet::new();
        if let (Some(_), Some(before)) = (&beyond[0], back) {
            load(before, &mut volumes, &mut none)?;
        }
        let choose =
            |volumes: &Volumes| Fronts::choose(month, volumes, |month| there.contains(&month), self.settings.choice);
        let mut fronts = choose(&volumes);
        if let Some(next) = month.next().filter(|_| beyond[1].is_some() || fronts.depend_on_the_month_after()) {
            load(next, &mut volumes, &mut none)?;
            fronts = choose(&volumes);
        }
        states.retain(|key, _| !self.files.iter().any(|file| file.key == *key && file.holds(month)));
        Ok(Found { fronts, states: states.into_values().collect() })
    }

    /// Price levels of the months before a month and of the one after it, as far as their raw files are there: the same
    /// whichever of them are published.
    pub fn levels(&self, stores: Stores<'_>, month: Month, seen: &[RawState]) -> crate::Result<Vec<Level>> {
        let tick = self.settings.instrument.tick()?;
        let back = std::iter::successors(month.previous(), |month| month.previous()).take(AROUND as usize);
        let mut levels = Vec::new();
        for month in back.chain(month.next()) {
            let mut volumes = Volumes::default();
            for file in self.files.iter().filter(|file| file.holds(month)) {
                self.look(stores, file, seen)?.volumes.iter().for_each(|of_file| volumes.add(of_file));
            }
            let closes: Vec<f64> = volumes.closes(month).into_iter().map(|close| tick.points(close)).collect();
            levels.extend(Level::of(month, &closes));
        }
        Ok(levels)
    }
}

/// Whether a file's dates say that its records reach into a span of UTC seconds.
fn touches(file: &RawFile, span: &std::ops::Range<i64>) -> bool {
    let (first, last) = file.dates;
    let begin = |date: jiff::civil::Date| {
        date.to_zoned_datetime(jiff::tz::TimeZone::UTC).map_or(0, |time| time.timestamp().as_second())
    };
    begin(first) < span.end && begin(last) + 86_400 > span.start
}

#[cfg(test)]
mod tests {
    use super::*;
    use archive::store::Access;

    const ACCESS: Access = Access { timeout: std::time::Duration::from_secs(20), retries: 5 };

    fn stored() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path().to_str().unwrap(), ACCESS).unwrap();
        (folder, store)
    }

    #[test]
    fn what_is_stored_is_read_again_and_what_is_damaged_is_removed() {
        let (folder, store) = stored();
        let json = r#"[{"date":"2024-05-13","utc_date":"2024-05-13","contracts":
            [{"symbol":"ESM4","expiry":"2024-06","before":1,"session":25,"close":20000}]}]"#;
        let volumes: Volumes = serde_json::from_str(json).unwrap();
        assert_eq!(read(&store, "a", true).unwrap(), None);
        write(&store, "a", &volumes);
        assert_eq!(read(&store, "a", true).unwrap(), Some(volumes.clone()));
        // Created once, never written over.
        write(&store, "a", &Volumes::default());
        assert_eq!(read(&store, "a", true).unwrap(), Some(volumes.clone()));
        let path = folder.path().join(key("a"));
        let text = std::fs::read_to_string(&path).unwrap();
        for damaged in
            [text.replace("25", "26"), text[..text.len() / 2].to_owned(), text.replace(r#""of":"a""#, r#""of":"b""#)]
        {
            assert_ne!(damaged, text);
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(read(&store, "a", true).unwrap(), None);
            assert!(!path.exists());
        }
        write(&store, "a", &volumes);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
