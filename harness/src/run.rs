//! `run`: months of the store from raw files to published Parquet.

use data::{Month, input::InputError};
use serde::Serialize;

use crate::{
    cache::Cache,
    cli::RunArgs,
    config::Settings,
    decode::{self, Decoded},
    discover::{self, RawFile},
    exit::{self, Usage},
    manifest::{self, Source},
    memory,
    progress::Bar,
    publish::{self, Draft, Published},
    statistics::{Input, Statistics},
    store::Store,
    summary,
    training::{self, Clock, MonthColumns},
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
    let months = args.months()?;
    let results = months_of(args, &months, settings, &mut |statistics| {
        if !args.json {
            summary::print(statistics);
        }
    })?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&results)?);
    } else {
        results.iter().for_each(print);
    }
    let failed = results.iter().any(|result| matches!(result.outcome, Outcome::Failed | Outcome::NoInput));
    Ok(if failed { exit::PARTLY } else { 0 })
}

/// Makes and publishes months; `published` sees the statistics of each that is new.
pub fn months_of(
    args: &RunArgs,
    months: &[Month],
    settings: &Settings,
    published: &mut dyn FnMut(&Statistics),
) -> anyhow::Result<Vec<MonthResult>> {
    let name = settings.text("store");
    let store = if args.dry_run { Store::open(name)? } else { Store::create(name)? };
    let raw = match settings.text("raw") {
        "" => store.clone(),
        folder => Store::existing(folder)?,
    };
    let files = discover::raw_files(&raw)?;
    let last = args.last()?;
    let reference = settings.reference(last);
    let cache = Cache::open(settings)?;
    let bar = Bar::new();
    let worker = Worker { args, settings, store: &store, raw: &raw, cache: &cache, reference, bar: &bar };
    let mut results = Vec::new();
    bar.stage("run", 3 * months.len() as u64);
    for &month in months {
        let inputs: Vec<&RawFile> = files.iter().filter(|file| file.holds(month)).collect();
        let mut result = MonthResult {
            month,
            outcome: Outcome::NoInput,
            inputs: inputs.iter().map(|file| file.key.clone()).collect(),
            version: None,
            rows: None,
            score: None,
            error: None,
        };
        if inputs.is_empty() {
            result.error = Some(format!("no raw file of {month} in {}", raw.name()));
        } else if let Err(error) = worker.month(month, &inputs, &mut result, &mut |statistics| {
            bar.suspend(|| published(statistics));
        }) {
            // A store that fails would fail every month; a month that fails is its own affair.
            if !exit::of_one_month(&error) {
                return Err(error.context(format!("{month}")));
            }
            result.outcome = Outcome::Failed;
            result.error = Some(exit::sentence(&error));
        }
        if let Some(error) = &result.error {
            tracing::error!("{month}: {error}");
        }
        results.push(result);
    }
    bar.finish();
    Ok(results)
}

/// What all months of a run share.
struct Worker<'a> {
    args: &'a RunArgs,
    settings: &'a Settings,
    store: &'a Store,
    raw: &'a Store,
    cache: &'a Cache,
    reference: Month,
    bar: &'a Bar,
}

impl Worker<'_> {
    fn month(
        &self,
        month: Month,
        files: &[&RawFile],
        result: &mut MonthResult,
        published: &mut dyn FnMut(&Statistics),
    ) -> anyhow::Result<()> {
        let Self { args, settings, store, raw, cache, reference, bar } = *self;
        let found = manifest::read(store, month)?;
        bar.message(&format!("{month} decode"));
        let mut clock = Clock::new();
        let mut sources: Vec<(&RawFile, Source)> = Vec::new();
        for file in files {
            let source = decode::source(&raw.file(&file.key))?;
            // The same file under two keys counts once.
            if sources.iter().all(|(_, known)| known.checksum != source.checksum) {
                sources.push((file, source));
            }
        }
        let made_from =
            training::made_from(sources.iter().map(|(_, source)| source.clone()).collect(), settings, reference);
        if let Some((manifest, _)) = &found
            && manifest.current.made_from == made_from
            && !args.force
            && publish::present(store, &manifest.current)?
        {
            if !args.dry_run {
                publish::tidy(store, month)?;
            }
            result.note(Outcome::Unchanged, &manifest.current.version, manifest.current.rows, manifest.current.score);
            bar.steps(3);
            return Ok(());
        }
        if args.dry_run {
            result.outcome = Outcome::Planned;
            return Ok(());
        }
        let decode = |(file, _): &(&RawFile, Source)| {
            decode::decode(&raw.file(&file.key), &settings.instrument, cache.columns())
        };
        let inputs = sources.iter().map(decode).collect::<anyhow::Result<Vec<Decoded>>>()?;
        if !inputs.iter().any(|input| input.months.contains(&month)) {
            anyhow::bail!(InputError::NoRecords { month, files: result.inputs.join(", ") });
        }
        let records = inputs.iter().map(|input| input.info.records).sum::<u64>();
        clock.stage("decode", records, inputs.iter().map(|input| input.info.bytes).sum());
        bar.step();

        let columns = [MonthColumns::open(&inputs, month)?];
        memory::check(&columns[0], settings)?;
        let parquet = cache.temporary().join(format!("{month}.parquet"));
        let mut made = training::write(&columns, &made_from, settings, &parquet, bar)?.remove(0);
        made.stages.insert(0, clock.stages.remove(0));
        bar.step();
        bar.message(&format!("{month} publish"));
        let (bytes, checksum) = data::input::checksum(&mut std::fs::File::open(&parquet)?)?;
        let rows = made.grid.rows() as u64;
        let keys = sources.iter().zip(&inputs).map(|((file, _), input)| Input::new(&file.key, &input.info));
        let statistics = made.statistics(&keys.collect::<Vec<_>>(), settings, &made_from)?;
        let score = statistics.quality.score;
        let json = serde_json::to_vec_pretty(&statistics)?;
        let version = checksum.clone();
        let draft = Draft { month, parquet: &parquet, bytes, checksum, rows, statistics: json, made_from, score };
        let outcome = match publish::publish(store, &draft, found)? {
            Published::New => Outcome::Published,
            Published::Unchanged => Outcome::Unchanged,
            Published::ByAnother => Outcome::ByAnother,
        };
        std::fs::remove_file(&parquet)?;
        bar.step();
        result.note(outcome, &version, rows, score);
        if outcome == Outcome::Published {
            published(&statistics);
        }
        Ok(())
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
    let outcome = match outcome {
        Outcome::Published => "published",
        Outcome::Unchanged => "unchanged",
        Outcome::ByAnother => "published by another worker",
        Outcome::Planned => "would be made from",
        Outcome::NoInput => "no input",
        Outcome::Failed => "failed",
    };
    match (version, rows, score, error) {
        (Some(version), Some(rows), Some(score), _) => {
            println!("{month}  {outcome}  {rows} rows  quality {score:.3}  {version}")
        }
        (.., Some(error)) => println!("{month}  {outcome}: {error}"),
        _ => println!("{month}  {outcome} {}", inputs.join(", ")),
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
