//! What happens to each month of a run: read, decode, compute, publish.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use archive::{
    discover::RawFile,
    failures, holdings,
    manifest::{self, FrontDates, MadeFrom, RawState, Source, Version},
    publications,
    publish::{self, Draft, Origin, Part, Published},
    published::{self, PublishedError},
    store::{Store, StoreError, Traffic},
    sweep,
    table::{Follow, Follower},
    withheld::{self, Withheld},
};
use base::{
    error::{Class, Context, Error},
    exit::{self, Usage},
};
use data::{Month, contract::Fronts, input::InputError, training_file::Timestamps};

use super::{
    cache::Cache,
    decode::Decoded,
    job::Jobs,
    memory::{self, Budget},
    outcome::{MonthResult, Outcome},
    raw::Here,
    request::RunRequest,
    training::{self, Decoding, MonthColumns, Prepared, Training},
    volumes::{self, Stores},
};
use crate::{
    fault,
    reporter::{self, Reporter},
    settings::Settings,
};
use statistics::{Input, Stage, Statistics, Wrong};

/// Cores that one month keeps busy: it has some twenty sessions.
const CORES_A_MONTH: usize = 12;
/// How often a month is begun whose files in the cache are removed while it is made.
const MOST_TRIES: u32 = 3;
/// Steps of the bar: reading, computing and publishing a month.
const READ_STEPS: u64 = 25;
const PUBLISH_STEPS: u64 = 25;
/// Steps of the bar for a month.
pub const MONTH_STEPS: u64 = READ_STEPS + training::STEPS + PUBLISH_STEPS;

/// What all months of a run share.
pub struct Worker<'a> {
    request: &'a RunRequest,
    settings: &'a Settings,
    stores: Stores<'a>,
    cache: &'a Cache,
    volumes: &'a volumes::Archive<'a>,
    had_failed: OnceLock<BTreeSet<Month>>,
    had_withheld: OnceLock<BTreeSet<Month>>,
    reference: Month,
    reporter: &'a dyn Reporter,
    /// The store took what was written to try it.
    writable: Mutex<bool>,
    memory: Budget,
    cores: Budget,
    /// Writes the log of the table.
    follower: Follower,
}

/// Months that are computed at a time.
pub fn at_once() -> usize {
    rayon::current_num_threads().div_ceil(CORES_A_MONTH)
}

impl<'a> Worker<'a> {
    /// What makes months of the raw files that `volumes` knows.
    ///
    /// # Errors
    /// The arguments name no months.
    pub fn new(
        request: &'a RunRequest,
        settings: &'a Settings,
        stores: Stores<'a>,
        cache: &'a Cache,
        volumes: &'a volumes::Archive<'a>,
        reporter: &'a dyn Reporter,
    ) -> Result<Self, Usage> {
        Ok(Self {
            request,
            settings,
            stores,
            cache,
            volumes,
            had_failed: OnceLock::new(),
            had_withheld: OnceLock::new(),
            reference: request.reference(settings)?,
            reporter,
            writable: Mutex::new(false),
            memory: Budget::of_memory(settings),
            cores: Budget::new(at_once() as u64),
            follower: Follower::new(stores.store),
        })
    }

    /// Makes a month: what became of it, its statistics when it is new, and the error that must stop the run.
    pub fn month(&self, month: Month) -> (MonthResult, Option<Statistics>, Option<Error>) {
        let files: Vec<&RawFile> = self.volumes.files.iter().filter(|file| file.holds(month)).collect();
        let mut result = MonthResult {
            month,
            outcome: Outcome::NoInput,
            inputs: files.iter().map(|file| file.key.clone()).collect(),
            version: None,
            rows: None,
            score: None,
            retries: 0,
            error: None,
            wrong: Vec::new(),
        };
        if files.is_empty() {
            result.error = Some(format!("no raw file for {month} in {}", self.stores.raw.name()));
            self.reporter.steps(MONTH_STEPS);
            return (result, None, None);
        }
        let traffic = Arc::new(Traffic::default());
        let reference = self.request.references.get(&month).copied().unwrap_or(self.reference);
        let mut tries = 1;
        let made = loop {
            let made = fault::caught(|| self.make(month, &files, reference, &mut result, &traffic));
            match made {
                // Another process has cleaned the cache: what was in it can be had again.
                Err(error) if error.class() == Class::Gone && tries < MOST_TRIES => {
                    tracing::warn!("{month}: {error}; rebuilding");
                    tries += 1;
                    if let Err(error) = self.cache.restore() {
                        break Err(error);
                    }
                }
                made => break made,
            }
        };
        result.retries = traffic.retries();
        match made {
            Ok(statistics) => {
                let made = result.outcome != Outcome::Pinned && !self.request.dry_run;
                if made && self.with_records(&self.had_failed, failures::FOLDER).contains(&month) {
                    failures::clear(self.stores.store, month, self.request.force);
                }
                let published = made && result.outcome != Outcome::Withheld;
                if published && self.with_records(&self.had_withheld, withheld::FOLDER).contains(&month) {
                    withheld::clear(self.stores.store, month);
                }
                (result, statistics, None)
            }
            Err(error) => {
                result.outcome = Outcome::Failed;
                result.error = Some(exit::sentence(&error));
                let stop = !error.class().is_of_one_month();
                // What stops the run is no fault of the month's.
                if !self.request.dry_run && (!stop || error.class().may_pass()) {
                    failures::record(self.stores.store, month, &result.inputs, reference, &error);
                }
                (result, None, stop.then(|| error.context(format!("{month}"))))
            }
        }
    }

    /// Fails before anything is computed for a store that cannot be written to; asked once.
    fn writable(&self, store: &Store) -> Result<(), StoreError> {
        let mut known = self.writable.lock().unwrap_or_else(PoisonError::into_inner);
        if !*known {
            store.try_writing()?;
            *known = true;
        }
        Ok(())
    }

    /// Months with a record in a folder, from one listing; none where it cannot be had.
    fn with_records<'m>(&self, months: &'m OnceLock<BTreeSet<Month>>, folder: &str) -> &'m BTreeSet<Month> {
        months.get_or_init(|| {
            let records = self.stores.store.list(folder, None).unwrap_or_else(|error| {
                tracing::warn!("{error}: no record of {folder} is removed");
                Vec::new()
            });
            records.iter().filter_map(|object| holdings::month_of(&object.key)).collect()
        })
    }

    fn make(
        &self,
        month: Month,
        files: &[&RawFile],
        reference: Month,
        result: &mut MonthResult,
        traffic: &Arc<Traffic>,
    ) -> crate::Result<Option<Statistics>> {
        let Self { request, settings, cache, reporter, .. } = *self;
        let (store, raw) = (&self.stores.store.counting(traffic), &self.stores.raw.counting(traffic));
        let stores = Stores { store, raw };
        let found = manifest::read(store, month)?;
        if let Some((manifest, tag)) = found.as_ref().filter(|(manifest, _)| manifest.pinned && !request.force) {
            if !request.dry_run {
                sweep::tidy(store, manifest, tag)?;
            }
            let kept = &manifest.current;
            result.note(Outcome::Pinned, &kept.version, kept.rows, kept.score);
            reporter.steps(MONTH_STEPS);
            return Ok(None);
        }
        reporter.stage(month, reporter::Stage::Read);
        let downloading = Instant::now();
        let mut seen = found.as_ref().map_or_else(Vec::new, |(manifest, _)| manifest.current.raw.clone());
        let (edges, mut warnings) = self.volumes.edges(stores, month, &seen)?;
        result.inputs.extend(edges.iter().map(|file| file.key.clone()));
        let mut sources: Vec<(RawFile, Source, Option<Here>)> = Vec::new();
        let (mut states, mut named) = (Vec::new(), Vec::new());
        for file in files.iter().copied().chain(&edges) {
            let file = self.volumes.here.look(raw, file)?;
            let (source, here) = self.volumes.here.source(raw, &file, &seen)?;
            named.push(self.volumes.here.named(raw, &file)?);
            states.extend(RawState::of(&file, &source));
            // The same file under two keys counts once.
            if sources.iter().all(|(_, known, _)| known.checksum != source.checksum) {
                sources.push((file, source, here));
            }
        }
        seen.extend(states.iter().cloned());
        let download = raw.is_remote().then(|| {
            let bytes = traffic.read();
            Stage::new("download", downloading.elapsed().as_secs_f64(), 0, bytes)
        });
        let inputs: Vec<Source> = sources.iter().map(|(_, source, _)| source.clone()).collect();
        let mut made_from = training::made_from(inputs, &named, settings, reference);
        let standing = found.as_ref().map(|(manifest, _)| &manifest.current).filter(|current| {
            let known = MadeFrom { fronts: None, ..current.made_from.clone() };
            !request.force && known == made_from
        });
        let standing = match standing {
            Some(current) if publish::present(store, current)? => Some(current),
            _ => None,
        };
        if standing.is_none() && request.dry_run {
            result.outcome = Outcome::Planned;
            reporter.steps(MONTH_STEPS);
            return Ok(None);
        }
        let bytes = sources.iter().map(|(file, ..)| file.bytes).sum();
        let _memory = self.memory.take(memory::Month::guess(bytes, settings).bytes());
        if let Some(current) = standing {
            // What the months around it have become may make it another.
            let fronts = self.volumes.fronts(stores, month, &seen)?.fronts;
            if same_fronts(store, current, &fronts)? {
                if let (Some((manifest, tag)), false) = (&found, request.dry_run) {
                    sweep::tidy(store, manifest, tag)?;
                    self.follower.unchanged(manifest);
                }
                result.note(Outcome::Unchanged, &current.version, current.rows, current.score);
                reporter.steps(MONTH_STEPS);
                return Ok(None);
            }
            if request.dry_run {
                result.outcome = Outcome::Planned;
                reporter.steps(MONTH_STEPS);
                return Ok(None);
            }
        }
        self.writable(store)?;
        let jobs = Jobs::beside(files, raw)?;
        for (file, _, here) in &sources {
            let local = raw.file(&file.key)?;
            jobs.check(&file.key, file.bytes, here.as_ref().map(AsRef::as_ref).or(local.as_deref()))?;
        }
        warnings.extend(jobs.warnings(month));
        reporter.stage(month, reporter::Stage::Decode);
        let began = Instant::now();
        let mut decoded: Vec<Decoded> = Vec::new();
        let mut keys: Vec<Input> = Vec::new();
        for (file, source, here) in sources {
            let input = self.volumes.decode(stores, &file, &source, here);
            let mut input = input.with_context(|| format!("{}, {}", raw.name(), file.key))?;
            // Files of one name may lie in several folders.
            input.info.name.clone_from(&file.key);
            keys.push(Input::new(&file.key, &input.info));
            warnings.extend(input.warnings(month));
            decoded.push(input);
        }
        if !decoded.iter().any(|input| input.months.contains(&month)) {
            return Err(InputError::NoRecords { month, files: result.inputs.join(", ") }.into());
        }
        let decoding = Decoding {
            began,
            seconds: began.elapsed().as_secs_f64(),
            records: decoded.iter().map(|input| input.info.records).sum(),
            bytes: decoded.iter().map(|input| input.info.bytes).sum(),
        };
        let around = self.volumes.fronts(stores, month, &seen)?;
        made_from.fronts = Some(FrontDates::of(&around.fronts));
        let new_states = around.states.into_iter().filter(|state| states.iter().all(|known| known.key != state.key));
        let new_states: Vec<RawState> = new_states.collect();
        states.extend(new_states);
        reporter.steps(READ_STEPS);

        // While the month is computed the log is read, so that it does not take long once it is published.
        let before = found.as_ref().map(|(manifest, _)| publications::of_manifest(manifest));
        if settings.timestamps == Timestamps::Microseconds || before.is_some_and(|before| !before.is_empty()) {
            self.follower.look(month);
        }
        let parquet = cache.temporary().join(format!("{month}.parquet"));
        let columns_of = |month: Month| self.columns_of(stores, month, &seen);
        let levels = || self.volumes.levels(stores, month, &seen);
        let training = Training {
            settings,
            made_from: &made_from,
            inputs: &keys,
            decoding,
            columns_of: &columns_of,
            levels: &levels,
            reporter,
        };
        let cores = self.cores.take(1);
        let columns = MonthColumns::open(&decoded, month, &settings.instrument);
        let prepared = columns.map(|columns| Prepared { columns, fronts: around.fronts, warnings });
        let made = training.write(&parquet, &mut std::iter::once(prepared))?;
        drop(cores);
        let statistics =
            made.into_iter().next().ok_or_else(|| Error::program(format!("{month}: no rows and no reason")))?;
        let statistics = RefCell::new(statistics);
        statistics.borrow_mut().performance.stages.splice(0..0, download);
        if settings.cache_bytes == 0 {
            // Several months share a file: the next one need not read it again.
            decoded.iter().filter(|input| input.months == [month]).try_for_each(Decoded::remove)?;
        }

        reporter.stage(month, reporter::Stage::Publish);
        let written = || parquet.display().to_string();
        let read = std::fs::File::open(&parquet).and_then(|mut file| data::input::checksum(&mut file));
        let (bytes, checksum) = read.with_context(written)?;
        let (rows, score) = (statistics.borrow().rows(), statistics.borrow().quality.score);
        let version = checksum.clone();
        result.wrong = statistics.borrow().errors.iter().map(Wrong::sentence).collect();
        if let Some(threshold) = request.gate.filter(|least| !result.wrong.is_empty() || score < *least) {
            let withheld = Withheld::new(&statistics.borrow(), threshold, reference, &version, bytes);
            let withheld = withheld.keep(store, &parquet, &statistics.borrow())?;
            std::fs::remove_file(&parquet).with_context(written)?;
            reporter.steps(PUBLISH_STEPS);
            result.note(Outcome::Withheld, &version, rows, score);
            result.error = Some(withheld.sentence());
            return Ok(None);
        }
        let uploading = Instant::now();
        let json = || {
            let mut statistics = statistics.borrow_mut();
            if store.is_remote() {
                let took = uploading.elapsed().as_secs_f64();
                statistics.performance.stages.push(Stage::new("upload", took, rows, bytes));
            }
            statistics.performance.retries = traffic.retries();
            serde_json::to_vec_pretty(&*statistics)
        };
        let draft = Draft {
            month,
            data: Part { origin: Origin::File(&parquet), bytes, checksum },
            statistics: Part::later(&json),
            rows,
            made_from,
            raw: states,
            score,
            pinned: false,
            earlier: &[],
        };
        let outcome = match publish::publish(store, &draft, found)? {
            Published::New(new) => {
                self.follower.published(&new);
                Outcome::Published
            }
            Published::Unchanged => Outcome::Unchanged,
            Published::ByAnother => Outcome::ByAnother,
        };
        std::fs::remove_file(&parquet).with_context(written)?;
        reporter.steps(PUBLISH_STEPS);
        result.note(outcome, &version, rows, score);
        if outcome == Outcome::ByAnother
            && let Some((manifest, _)) = manifest::read(store, month)?
        {
            let theirs = &manifest.current;
            result.note(outcome, &theirs.version, theirs.rows, theirs.score);
        }
        Ok((outcome == Outcome::Published).then(|| statistics.into_inner()))
    }
    /// The columns of a month that another needs for the price gap of a roll; none where its files cannot be read.
    fn columns_of(&self, stores: Stores<'_>, month: Month, seen: &[RawState]) -> crate::Result<Option<MonthColumns>> {
        let mut decoded = Vec::new();
        for file in self.volumes.files.iter().filter(|file| file.holds(month)) {
            let file = self.volumes.here.look(stores.raw, file)?;
            let (source, here) = self.volumes.here.source(stores.raw, &file, seen)?;
            match self.volumes.decode(stores, &file, &source, here) {
                Ok(input) => decoded.push(input),
                Err(error) if error.class().is_of_one_month() => {}
                Err(error) => return Err(error),
            }
        }
        let there = decoded.iter().any(|input| input.months.contains(&month));
        there.then(|| MonthColumns::open(&decoded, month, &self.settings.instrument)).transpose()
    }
}

/// Whether a published month has the fronts that are chosen now.
fn same_fronts(store: &Store, current: &Version, fronts: &Fronts) -> crate::Result<bool> {
    if let Some(known) = &current.made_from.fronts {
        return Ok(*known == FrontDates::of(fronts));
    }
    // A manifest that does not name them: the statistics do.
    let statistics = match published::statistics(store, current) {
        Ok(statistics) => statistics,
        Err(PublishedError::Store(error)) => return Err(error.into()),
        Err(_) => return Ok(false),
    };
    let sessions = statistics.sessions.iter().map(|session| (session.date, session.contract.as_str()));
    // A date may have several sessions.
    let mut sessions: Vec<_> = sessions.collect();
    sessions.dedup();
    Ok(sessions.into_iter().eq(fronts.sessions()))
}
