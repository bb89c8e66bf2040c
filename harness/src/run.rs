//! `run`: months of the store from raw files to published Parquet.

use std::time::Instant;

use anyhow::Context;
use data::{Month, input::InputError};
use serde::Serialize;

use crate::{
    cache::Cache,
    cli::RunArgs,
    config::Settings,
    decode::{self, Decoded},
    discover::{self, RawFile},
    exit::{self, Usage},
    failures,
    manifest::{self, Source},
    memory::{self, Budget},
    progress::Bar,
    publish::{self, Draft, Origin, Part, Published},
    schedule,
    statistics::{Input, Statistics},
    store::Store,
    summary, sweep,
    training::{self, Decoding, MonthColumns, Training},
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
    /// Version that is current in the store.
    pub version: Option<String>,
    /// Rows published.
    pub rows: Option<u64>,
    /// Quality score.
    pub score: Option<f64>,
    /// Why it failed.
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
    let failed = run.results.iter().any(|result| matches!(result.outcome, Outcome::Failed | Outcome::NoInput));
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
    let name = settings.text("store");
    let store = if args.dry_run { Store::open(name)? } else { Store::create(name)? };
    let raw = match settings.text("raw") {
        "" => store.clone(),
        folder => Store::existing(folder)?,
    };
    let files = discover::raw_files(&raw)?;
    let last = args.last()?;
    let cache = Cache::open(settings)?;
    let bar = Bar::new();
    bar.stage("run", MONTH_STEPS * months.len() as u64);
    let jobs = rayon::current_num_threads();
    let at_once = jobs.div_ceil(CORES_A_MONTH);
    let worker = Worker {
        args,
        settings,
        store: &store,
        raw: &raw,
        files: &files,
        cache: &cache,
        reference: settings.reference(last),
        bar: &bar,
        memory: Budget::of_memory(settings),
        cores: Budget::new(at_once as u64),
    };
    let mut run = Run { results: Vec::new(), stopped: None };
    let began = Instant::now();
    // Besides the months that are computed, one is read and one is published.
    schedule::in_order(
        months,
        at_once + 2,
        |&month| worker.month(month),
        |(result, statistics, stopped)| {
            if let Some(statistics) = &statistics {
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
    bar.finish();
    Ok(run)
}

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
            error: None,
        };
        if files.is_empty() {
            result.error = Some(format!("no raw file of {month} in {}", self.raw.name()));
            self.bar.steps(MONTH_STEPS);
            return (result, None, None);
        }
        let reference = self.args.references.get(&month).copied().unwrap_or(self.reference);
        match self.make(month, &files, reference, &mut result) {
            Ok(statistics) => {
                if result.outcome != Outcome::Pinned && !self.args.dry_run {
                    failures::clear(self.store, month);
                }
                (result, statistics, None)
            }
            Err(error) => {
                result.outcome = Outcome::Failed;
                result.error = Some(exit::sentence(&error));
                if !self.args.dry_run {
                    failures::record(self.store, month, &result.inputs, reference, &error);
                }
                let stop = !exit::of_one_month(&error);
                (result, None, stop.then(|| error.context(format!("{month}"))))
            }
        }
    }

    fn make(
        &self,
        month: Month,
        files: &[&RawFile],
        reference: Month,
        result: &mut MonthResult,
    ) -> anyhow::Result<Option<Statistics>> {
        let Self { args, settings, store, raw, cache, bar, .. } = *self;
        let found = manifest::read(store, month)?;
        if let Some((manifest, _)) = found.as_ref().filter(|(manifest, _)| manifest.pinned && !args.force) {
            if !args.dry_run {
                sweep::tidy(store, month)?;
            }
            let kept = &manifest.current;
            result.note(Outcome::Pinned, &kept.version, kept.rows, kept.score);
            bar.steps(MONTH_STEPS);
            return Ok(None);
        }
        bar.message(&format!("{month} decode"));
        let mut sources: Vec<(&RawFile, Source)> = Vec::new();
        for file in files {
            let source = decode::source(&raw.file(&file.key))?;
            // The same file under two keys counts once.
            if sources.iter().all(|(_, known)| known.checksum != source.checksum) {
                sources.push((file, source));
            }
        }
        let inputs: Vec<Source> = sources.iter().map(|(_, source)| source.clone()).collect();
        let made_from = training::made_from(inputs, settings, reference);
        if let Some((manifest, _)) = &found
            && manifest.current.made_from == made_from
            && !args.force
            && publish::present(store, &manifest.current)?
        {
            if !args.dry_run {
                sweep::tidy(store, month)?;
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
        let bytes = sources.iter().map(|(file, _)| file.bytes).sum();
        let _memory = self.memory.take(memory::Month::guess(bytes, settings).bytes());
        let began = Instant::now();
        let decode = |(file, source): &(&RawFile, Source)| {
            decode::decode(&raw.file(&file.key), source, &settings.instrument, cache.columns())
        };
        let decoded = sources.iter().map(decode).collect::<anyhow::Result<Vec<Decoded>>>()?;
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

        let keys: Vec<Input> =
            sources.iter().zip(&decoded).map(|((file, _), input)| Input::new(&file.key, &input.info)).collect();
        let parquet = cache.temporary().join(format!("{month}.parquet"));
        let training = Training { settings, made_from: &made_from, inputs: &keys, decoding, bar };
        let cores = self.cores.take(1);
        let columns = MonthColumns::open(&decoded, month);
        let made = training.write(&parquet, &mut std::iter::once(columns))?;
        drop(cores);
        let statistics = made.into_iter().next().with_context(|| format!("{month}: no rows and no reason"))?;
        if settings.cache_bytes == 0 {
            // Several months share a file: the next one need not read it again.
            decoded.iter().filter(|input| input.months.len() == 1).try_for_each(Decoded::remove)?;
        }

        bar.message(&format!("{month} publish"));
        let (bytes, checksum) = data::input::checksum(&mut std::fs::File::open(&parquet)?)?;
        let (rows, score) = (statistics.rows(), statistics.quality.score);
        let version = checksum.clone();
        let draft = Draft {
            month,
            data: Part { origin: Origin::File(&parquet), bytes, checksum },
            statistics: Part::of_bytes(serde_json::to_vec_pretty(&statistics)?),
            rows,
            made_from,
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
        Ok((outcome == Outcome::Published).then_some(statistics))
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
    let MonthResult { month, outcome, inputs, version, rows, score, error } = result;
    let outcome = outcome.text();
    match (version, rows, score, error) {
        (Some(version), Some(rows), Some(score), _) => {
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
