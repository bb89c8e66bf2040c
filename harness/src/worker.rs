//! What happens to each month of a run: read, decode, compute, publish.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use anyhow::Context;
use data::{Month, input::InputError};

use crate::{
    cache::Cache,
    cli::RunArgs,
    config::Settings,
    decode::{self, Decoded},
    discover::RawFile,
    exit::{self, Usage},
    failures, holdings,
    manifest::{self, RawState, Source},
    memory::{self, Budget},
    outcome::{MonthResult, Outcome},
    progress::Bar,
    publish::{self, Draft, Origin, Part, Published},
    raw::{Here, Raw},
    statistics::{Input, Stage, Statistics},
    store::{Store, StoreError, Traffic},
    sweep,
    training::{self, Decoding, MonthColumns, Training},
    withheld::{self, Withheld},
};

/// Cores that one month keeps busy: it has some twenty sessions.
const CORES_A_MONTH: usize = 12;
/// Steps of the bar: reading, computing and publishing a month.
const READ_STEPS: u64 = 25;
const PUBLISH_STEPS: u64 = 25;
/// Steps of the bar for a month.
pub const MONTH_STEPS: u64 = READ_STEPS + training::STEPS + PUBLISH_STEPS;

/// What all months of a run share.
pub struct Worker<'a> {
    args: &'a RunArgs,
    settings: &'a Settings,
    store: &'a Store,
    raw: &'a Store,
    files: &'a [RawFile],
    cache: &'a Cache,
    files_here: Raw<'a>,
    had_failed: OnceLock<BTreeSet<Month>>,
    had_withheld: OnceLock<BTreeSet<Month>>,
    reference: Month,
    /// The store took what was written to try it.
    writable: Mutex<bool>,
    bar: &'a Bar,
    memory: Budget,
    cores: Budget,
}

/// Months that are computed at a time.
pub fn at_once() -> usize {
    rayon::current_num_threads().div_ceil(CORES_A_MONTH)
}

impl<'a> Worker<'a> {
    /// What makes months from `raw`, whose listing is `files`, for `store`.
    ///
    /// # Errors
    /// The arguments name no months.
    pub fn new(
        args: &'a RunArgs,
        settings: &'a Settings,
        store: &'a Store,
        raw: &'a Store,
        files: &'a [RawFile],
        cache: &'a Cache,
        bar: &'a Bar,
    ) -> Result<Self, Usage> {
        Ok(Self {
            args,
            settings,
            store,
            raw,
            files,
            cache,
            files_here: Raw::new(cache),
            had_failed: OnceLock::new(),
            had_withheld: OnceLock::new(),
            reference: settings.reference(args.last()?),
            writable: Mutex::new(false),
            bar,
            memory: Budget::of_memory(settings),
            cores: Budget::new(at_once() as u64),
        })
    }

    /// Makes a month: what became of it, its statistics when it is new, and the error that must stop the run.
    pub fn month(&self, month: Month) -> (MonthResult, Option<Statistics>, Option<anyhow::Error>) {
        let files: Vec<&RawFile> = self.files.iter().filter(|file| file.holds(month)).collect();
        let mut result = MonthResult {
            month,
            outcome: Outcome::NoInput,
            inputs: files.iter().map(|file| file.key.clone()).collect(),
            version: None,
            rows: None,
            score: None,
            retries: 0,
            error: None,
        };
        if files.is_empty() {
            result.error = Some(format!("no raw file of {month} in {}", self.raw.name()));
            self.bar.steps(MONTH_STEPS);
            return (result, None, None);
        }
        let traffic = Arc::new(Traffic::default());
        let reference = self.args.references.get(&month).copied().unwrap_or(self.reference);
        let made = self.make(month, &files, reference, &mut result, &traffic);
        result.retries = traffic.retries();
        match made {
            Ok(statistics) => {
                let made = result.outcome != Outcome::Pinned && !self.args.dry_run;
                if made && self.with_records(&self.had_failed, failures::FOLDER).contains(&month) {
                    failures::clear(self.store, month);
                }
                let published = made && result.outcome != Outcome::Withheld;
                if published && self.with_records(&self.had_withheld, withheld::FOLDER).contains(&month) {
                    withheld::clear(self.store, month);
                }
                (result, statistics, None)
            }
            Err(error) => {
                result.outcome = Outcome::Failed;
                result.error = Some(exit::sentence(&error));
                let stop = !exit::of_one_month(&error);
                // What stops the run is no fault of the month's.
                if !self.args.dry_run && (!stop || exit::may_pass(&error)) {
                    failures::record(self.store, month, &result.inputs, reference, &error);
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
            let records = self.store.list(folder, None).unwrap_or_else(|error| {
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
    ) -> anyhow::Result<Option<Statistics>> {
        let Self { args, settings, cache, bar, .. } = *self;
        let (store, raw) = (&self.store.counting(traffic), &self.raw.counting(traffic));
        let found = manifest::read(store, month)?;
        if let Some((manifest, tag)) = found.as_ref().filter(|(manifest, _)| manifest.pinned && !args.force) {
            if !args.dry_run {
                sweep::tidy(store, manifest, tag)?;
            }
            let kept = &manifest.current;
            result.note(Outcome::Pinned, &kept.version, kept.rows, kept.score);
            bar.steps(MONTH_STEPS);
            return Ok(None);
        }
        bar.month(month, "read");
        let downloading = Instant::now();
        let seen = found.as_ref().map_or(&[][..], |(manifest, _)| &manifest.current.raw);
        let mut sources: Vec<(RawFile, Source, Option<Here>)> = Vec::new();
        let mut states = Vec::new();
        for file in files {
            let file = self.files_here.look(raw, file)?;
            let (source, here) = self.files_here.source(raw, &file, seen)?;
            states.extend(RawState::of(&file, &source));
            // The same file under two keys counts once.
            if sources.iter().all(|(_, known, _)| known.checksum != source.checksum) {
                sources.push((file, source, here));
            }
        }
        let download = raw.is_remote().then(|| {
            let bytes = traffic.read();
            Stage::new("download", downloading.elapsed().as_secs_f64(), 0, bytes)
        });
        let inputs: Vec<Source> = sources.iter().map(|(_, source, _)| source.clone()).collect();
        let made_from = training::made_from(inputs, settings, reference);
        if let Some((manifest, tag)) = &found
            && manifest.current.made_from == made_from
            && !args.force
            && publish::present(store, &manifest.current)?
        {
            if !args.dry_run {
                sweep::tidy(store, manifest, tag)?;
            }
            result.note(Outcome::Unchanged, &manifest.current.version, manifest.current.rows, manifest.current.score);
            bar.steps(MONTH_STEPS);
            return Ok(None);
        }
        if args.dry_run {
            result.outcome = Outcome::Planned;
            bar.steps(MONTH_STEPS);
            return Ok(None);
        }
        self.writable(store)?;
        let bytes = sources.iter().map(|(file, ..)| file.bytes).sum();
        let _memory = self.memory.take(memory::Month::guess(bytes, settings).bytes());
        bar.month(month, "decode");
        let began = Instant::now();
        let mut decoded: Vec<Decoded> = Vec::new();
        let mut keys: Vec<Input> = Vec::new();
        for (file, source, here) in sources {
            let here = || here.map_or_else(|| self.files_here.here(raw, &file), Ok);
            let input = decode::decode(here, &source, &settings.instrument, cache.columns());
            let input = input.with_context(|| format!("{}, {}", raw.name(), file.key))?;
            keys.push(Input::new(&file.key, &input.info));
            decoded.push(input);
        }
        if !decoded.iter().any(|input| input.months.contains(&month)) {
            anyhow::bail!(InputError::NoRecords { month, files: result.inputs.join(", ") });
        }
        let decoding = Decoding {
            began,
            seconds: began.elapsed().as_secs_f64(),
            records: decoded.iter().map(|input| input.info.records).sum(),
            bytes: decoded.iter().map(|input| input.info.bytes).sum(),
        };
        bar.steps(READ_STEPS);

        let parquet = cache.temporary().join(format!("{month}.parquet"));
        let training = Training { settings, made_from: &made_from, inputs: &keys, decoding, bar };
        let cores = self.cores.take(1);
        let columns = MonthColumns::open(&decoded, month);
        let made = training.write(&parquet, &mut std::iter::once(columns))?;
        drop(cores);
        let statistics = made.into_iter().next().with_context(|| format!("{month}: no rows and no reason"))?;
        let statistics = RefCell::new(statistics);
        statistics.borrow_mut().performance.stages.splice(0..0, download);
        if settings.cache_bytes == 0 {
            // Several months share a file: the next one need not read it again.
            decoded.iter().filter(|input| input.months.len() == 1).try_for_each(Decoded::remove)?;
        }

        bar.month(month, "publish");
        let (bytes, checksum) = data::input::checksum(&mut std::fs::File::open(&parquet)?)?;
        let (rows, score) = (statistics.borrow().rows(), statistics.borrow().quality.score);
        let version = checksum.clone();
        if args.gate && score < args.threshold {
            let withheld = Withheld::new(&statistics.borrow(), args.threshold, reference, &version, bytes);
            let withheld = withheld.keep(store, &parquet, &statistics.borrow())?;
            std::fs::remove_file(&parquet)?;
            bar.steps(PUBLISH_STEPS);
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
            Published::New => Outcome::Published,
            Published::Unchanged => Outcome::Unchanged,
            Published::ByAnother => Outcome::ByAnother,
        };
        std::fs::remove_file(&parquet)?;
        bar.steps(PUBLISH_STEPS);
        result.note(outcome, &version, rows, score);
        if outcome == Outcome::ByAnother
            && let Some((manifest, _)) = manifest::read(store, month)?
        {
            let theirs = &manifest.current;
            result.note(outcome, &theirs.version, theirs.rows, theirs.score);
        }
        Ok((outcome == Outcome::Published).then(|| statistics.into_inner()))
    }
}
