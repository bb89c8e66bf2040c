//! `run`: months of the store from raw files to published Parquet.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time::Instant,
};

use anyhow::Context;
use data::{Month, input::InputError};
use serde::Serialize;

use crate::{
    cache::{self, Cache},
    cli::RunArgs,
    config::Settings,
    decode::{self, Decoded},
    discover::{self, RawFile},
    exit::{self, Usage},
    failures,
    heartbeat::Pulse,
    holdings, logs,
    manifest::{self, RawState, Source},
    memory::{self, Budget},
    monitor,
    progress::Bar,
    publish::{self, Draft, Origin, Part, Published},
    raw::{Here, Raw},
    schedule,
    statistics::{Input, Stage, Statistics},
    store::{Store, Traffic},
    summary, sweep,
    training::{self, Decoding, MonthColumns, Training},
    withheld::{self, Withheld},
};

/// What became of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Published now.
    Published,
    /// Published before from the same input and settings.
    Unchanged,
    /// Published by another worker meanwhile.
    ByAnother,
    /// Kept aside: its score is under the threshold (`--gate`).
    Withheld,
    /// Rolled back, and kept so.
    Pinned,
    /// Would be made (`--dry-run`).
    Planned,
    /// No raw file of it was found.
    NoInput,
    /// See the error.
    Failed,
}

/// One line of the result.
#[derive(Clone, Debug, Serialize)]
pub struct MonthResult {
    /// The month.
    pub month: Month,
    /// What became of it.
    pub outcome: Outcome,
    /// Its raw files.
    pub inputs: Vec<String>,
    /// Version that is current in the store, or withheld.
    pub version: Option<String>,
    /// Its rows.
    pub rows: Option<u64>,
    /// Quality score.
    pub score: Option<f64>,
    /// Requests to the store that were repeated.
    pub retries: u64,
    /// Why it failed or was withheld.
    pub error: Option<String>,
}

/// Runs the command.
pub fn run(args: &RunArgs, settings: &Settings) -> anyhow::Result<u8> {
    report(args, &args.months()?, settings)
}

/// Makes months and prints what became of them.
pub fn report(args: &RunArgs, months: &[Month], settings: &Settings) -> anyhow::Result<u8> {
    let run = months_of(args, months, settings, &mut |statistics| {
        if !args.json {
            summary::print(statistics);
        }
    })?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&run.results)?);
    } else {
        run.results.iter().for_each(print);
        if run.results.len() > 1 {
            println!("{}", tally(&run.results));
        }
    }
    if let Some(error) = run.stopped {
        return Err(error);
    }
    let missed = [Outcome::Failed, Outcome::NoInput, Outcome::Withheld];
    let failed = run.results.iter().any(|result| missed.contains(&result.outcome));
    Ok(if failed { exit::PARTLY } else { 0 })
}

/// What a run came to.
pub struct Run {
    /// The months in order; after a stop, those that were begun.
    pub results: Vec<MonthResult>,
    /// What stopped it: a store that fails would fail every month.
    pub stopped: Option<anyhow::Error>,
}

/// Makes and publishes months; `published` sees the statistics of each that is new, in order.
pub fn months_of(
    args: &RunArgs,
    months: &[Month],
    settings: &Settings,
    published: &mut dyn FnMut(&Statistics),
) -> anyhow::Result<Run> {
    let (name, access) = (settings.text("store"), settings.access);
    let store = if args.dry_run { Store::open(name, access)? } else { Store::create(name, access)? };
    let raw = match settings.text("raw") {
        "" => store.clone(),
        name => Store::existing(name, access)?,
    };
    let traffic = Arc::new(Traffic::default());
    // Before the cache: on an interruption that is to be cleaned first.
    let begin = || Pulse::begin(&store, months, &traffic, cache::folder(settings), args.metrics_file.clone());
    let pulse = if args.dry_run { None } else { begin() };
    let (store, raw) = (store.counting(&traffic), raw.counting(&traffic));
    let files = discover::raw_files(&raw)?;
    let last = args.last()?;
    let cache = Cache::open(settings)?;
    let bar = Bar::over(&traffic).beating(pulse);
    bar.stage("run", MONTH_STEPS * months.len() as u64);
    let jobs = rayon::current_num_threads();
    let at_once = jobs.div_ceil(CORES_A_MONTH);
    let _monitor = args.monitor.map(|address| monitor::start(address, monitor::INTERVAL, settings)).transpose()?;
    let worker = Worker {
        args,
        settings,
        store: &store,
        raw: &raw,
        files: &files,
        cache: &cache,
        files_here: Raw::new(&cache),
        had_failed: OnceLock::new(),
        had_withheld: OnceLock::new(),
        reference: settings.reference(last),
        bar: &bar,
        memory: Budget::of_memory(settings),
        cores: Budget::new(at_once as u64),
    };
    let mut run = Run { results: Vec::new(), stopped: None };
    let mut unanswered = 0;
    let began = Instant::now();
    // Besides the months that are computed, one is read and one is published.
    schedule::in_order(
        months,
        at_once + 2,
        |&month| {
            let made = worker.month(month);
            let MonthResult { outcome, error, .. } = &made.0;
            let new = matches!(outcome, Outcome::Published | Outcome::ByAnother);
            bar.month_done(month, new, error.as_deref());
            made
        },
        |(result, statistics, error)| {
            // A store that fails for one month need not for the next, but for several it will.
            unanswered = if error.as_ref().is_some_and(exit::may_pass) { unanswered + 1 } else { 0 };
            let stops = |error: &anyhow::Error| unanswered >= MOST_UNANSWERED || !exit::may_pass(error);
            let stopped = error.filter(stops);
            if let Some(statistics) = &statistics {
                logs::stages(settings, statistics);
                bar.suspend(|| published(statistics));
            }
            match &result.error {
                // Said at the end, as the command's own error.
                Some(_) if stopped.is_some() => {}
                Some(error) => bar.suspend(|| tracing::error!("{}: {error}", result.month)),
                None => bar.suspend(|| log(&result, statistics.as_ref(), run.results.len() + 1, months.len(), began)),
            }
            run.results.push(result);
            if run.stopped.is_none() {
                run.stopped = stopped;
            }
            run.stopped.is_none()
        },
    );
    drop(worker);
    bar.end(run.stopped.is_some());
    Ok(run)
}

/// Months in a row that a store may fail.
const MOST_UNANSWERED: usize = 3;
/// Cores that one month keeps busy: it has some twenty sessions.
const CORES_A_MONTH: usize = 12;
/// Steps of the bar: reading, computing and publishing a month.
const READ_STEPS: u64 = 25;
const PUBLISH_STEPS: u64 = 25;
const MONTH_STEPS: u64 = READ_STEPS + training::STEPS + PUBLISH_STEPS;

/// What all months of a run share.
struct Worker<'a> {
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
    bar: &'a Bar,
    memory: Budget,
    cores: Budget,
}

impl Worker<'_> {
    /// Makes a month: what became of it, its statistics when it is new, and the error that must stop the run.
    fn month(&self, month: Month) -> (MonthResult, Option<Statistics>, Option<anyhow::Error>) {
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

    /// Months with a record in a folder, from one listing; none where it cannot be had.
    fn with_records<'a>(&self, months: &'a OnceLock<BTreeSet<Month>>, folder: &str) -> &'a BTreeSet<Month> {
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
        if let Some((manifest, _)) = found.as_ref().filter(|(manifest, _)| manifest.pinned && !args.force) {
            if !args.dry_run {
                sweep::tidy(store, manifest)?;
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
        if let Some((manifest, _)) = &found
            && manifest.current.made_from == made_from
            && !args.force
            && publish::present(store, &manifest.current)?
        {
            if !args.dry_run {
                sweep::tidy(store, manifest)?;
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

/// One line a month, for those who see no bar.
fn log(result: &MonthResult, statistics: Option<&Statistics>, done: usize, of: usize, began: Instant) {
    let elapsed = began.elapsed();
    let left = elapsed.mul_f64((of - done) as f64 / done as f64);
    let MonthResult { month, outcome, .. } = result;
    let what = statistics.map_or_else(String::new, |statistics| {
        format!(
            ": {} rows, quality {:.3}, {:.2} s",
            statistics.rows(),
            statistics.quality.score,
            statistics.performance.seconds
        )
    });
    tracing::info!(
        "{month} {}{what}; {done} of {of}, {:.0} s elapsed, {:.0} s left",
        outcome.text(),
        elapsed.as_secs_f64(),
        left.as_secs_f64()
    );
}

/// How many months came to what.
fn tally(results: &[MonthResult]) -> String {
    let all = [
        Outcome::Published,
        Outcome::Unchanged,
        Outcome::ByAnother,
        Outcome::Withheld,
        Outcome::Pinned,
        Outcome::Planned,
        Outcome::NoInput,
        Outcome::Failed,
    ];
    let count = |outcome: Outcome| results.iter().filter(|result| result.outcome == outcome).count();
    let parts = all.into_iter().filter(|&outcome| count(outcome) > 0);
    let parts: Vec<String> = parts.map(|outcome| format!("{} {}", count(outcome), outcome.text())).collect();
    format!("{} months: {}", results.len(), parts.join(", "))
}

impl Outcome {
    fn text(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Unchanged => "unchanged",
            Self::ByAnother => "published by another worker",
            Self::Withheld => "withheld",
            Self::Pinned => "rolled back, kept; --force replaces it",
            Self::Planned => "would be made",
            Self::NoInput => "no input",
            Self::Failed => "failed",
        }
    }
}

impl MonthResult {
    fn note(&mut self, outcome: Outcome, version: &str, rows: u64, score: f64) {
        self.outcome = outcome;
        self.version = Some(version.to_owned());
        self.rows = Some(rows);
        self.score = Some(score);
    }
}

fn print(result: &MonthResult) {
    let MonthResult { month, outcome, inputs, version, rows, score, error, .. } = result;
    let outcome = outcome.text();
    match (version, rows, score, error) {
        (Some(version), Some(rows), Some(score), None) => {
            println!("{month}  {outcome}  {rows} rows  quality {score:.3}  {version}")
        }
        (.., Some(error)) => println!("{month}  {outcome}: {error}"),
        _ => println!("{month}  {outcome} from {}", inputs.join(", ")),
    }
}

impl RunArgs {
    fn range(&self) -> Result<data::MonthRange, Usage> {
        match (self.month, self.months) {
            (Some(month), None) => data::MonthRange::new(month, month).ok_or_else(|| Usage("no such month".into())),
            (None, Some(range)) => Ok(range),
            _ => Err(Usage("give --month M or --months FIRST..LAST".into())),
        }
    }

    /// The last month of the whole range: the reference month does not depend on the task.
    fn last(&self) -> Result<Month, Usage> {
        self.range().map(data::MonthRange::last)
    }

    /// The months of this task.
    fn months(&self) -> Result<Vec<Month>, Usage> {
        let (index, count) = (self.task_index.unwrap_or(0), self.task_count.unwrap_or(1));
        if index >= count {
            return Err(Usage(format!(
                "--task-index {index}: expected 0 to {} (below --task-count)",
                count.saturating_sub(1)
            )));
        }
        Ok(self.range()?.iter().skip(index).step_by(count).collect())
    }
}
