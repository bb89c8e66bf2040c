//! `run`: months of the store from raw files to published Parquet.

use std::{sync::Arc, time::Instant};

use data::Month;

use crate::{
    cache::{self, Cache},
    cli::RunArgs,
    config::Settings,
    deal, discover,
    error::{Class, Error},
    exit::{self, Usage},
    heartbeat::Pulse,
    logs, monitor,
    outcome::{self, MonthResult, Outcome},
    progress::Bar,
    raw::Raw,
    schedule,
    statistics::Statistics,
    store::{Store, Traffic},
    summary,
    task::Task,
    volumes::{self, Stores},
    worker::{self, MONTH_STEPS, Worker},
};

/// Months in a row that a store may fail.
const MOST_UNANSWERED: usize = 3;

/// Runs the command.
pub fn run(args: &RunArgs, settings: &Settings) -> crate::Result<u8> {
    let months: Vec<Month> = args.range()?.iter().collect();
    report(args, &months, Task::of(args)?, settings)
}

/// Makes the months of a task and prints what became of them.
pub fn report(args: &RunArgs, months: &[Month], task: Task, settings: &Settings) -> crate::Result<u8> {
    let run = months_of(args, months, task, settings, &mut |statistics| {
        if !args.json {
            summary::print(statistics);
        }
    })?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&run.results)?);
    } else if run.results.is_empty() && run.stopped.is_none() {
        println!("no month is left for {task}");
    } else {
        run.results.iter().for_each(outcome::print);
        if run.results.len() > 1 {
            println!("{}", outcome::tally(&run.results));
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
    /// What stopped it, as a store that fails would fail every month; or a fault of the program in one of the months.
    pub stopped: Option<Error>,
}

/// Makes and publishes the months of a task; `published` sees the statistics of each that is new, in order.
pub fn months_of(
    args: &RunArgs,
    months: &[Month],
    task: Task,
    settings: &Settings,
    published: &mut dyn FnMut(&Statistics),
) -> crate::Result<Run> {
    // Before anything is made.
    args.reference(settings)?;
    let (name, access) = (settings.text("store"), settings.access);
    let store = if args.dry_run { Store::open(name, access)? } else { Store::create(name, access)? };
    let raw = match settings.text("raw") {
        "" => store.clone(),
        name => Store::existing(name, access)?,
    };
    let traffic = Arc::new(Traffic::default());
    let files = discover::raw_files(&raw.counting(&traffic))?;
    let (asked, months) = (months.len(), &deal::share(months, &files, task));
    if task != Task::WHOLE {
        tracing::info!("{task}: {} of {asked} months", months.len());
    }
    // Before the cache: on an interruption that is to be cleaned first.
    let begin = || Pulse::begin(&store, months, &traffic, cache::folder(settings), args.metrics_file.clone());
    let pulse = if args.dry_run { None } else { begin() };
    let (store, raw) = (store.counting(&traffic), raw.counting(&traffic));
    let cache = Cache::open(settings)?;
    let bar = Bar::over(&traffic).beating(pulse);
    bar.stage("run", MONTH_STEPS * months.len() as u64);
    let _monitor = args.monitor.map(|address| monitor::start(address, monitor::INTERVAL, settings)).transpose()?;
    let here = Raw::new(&cache);
    let volumes = volumes::Archive::new(&files, &here, settings, cache.columns(), months, !args.dry_run);
    let worker = Worker::new(args, settings, Stores { store: &store, raw: &raw }, &cache, &volumes, &bar)?;
    let mut run = Run { results: Vec::new(), stopped: None };
    let (mut unanswered, mut fault) = (0, None);
    let began = Instant::now();
    // Besides the months that are computed, one is read and one is published.
    schedule::in_order(
        months,
        worker::at_once() + 2,
        |&month| {
            let made = worker.month(month);
            let MonthResult { outcome, error, .. } = &made.0;
            let new = matches!(outcome, Outcome::Published | Outcome::ByAnother);
            bar.month_done(month, new, error.as_deref());
            made
        },
        |(result, statistics, error)| {
            // A store that fails for one month need not for the next, but for several, or at the end, it does.
            let class = error.as_ref().map(Error::class);
            unanswered = if class == Some(Class::Passing) { unanswered + 1 } else { 0 };
            let last = run.results.len() + 1 == months.len();
            let stops = last || unanswered >= MOST_UNANSWERED || class.is_some_and(|class| !class.may_pass());
            let (stopped, passed) = if stops { (error, None) } else { (None, error) };
            fault = fault.take().or(passed.filter(|error| error.class() == Class::Program));
            if let Some(statistics) = &statistics {
                logs::stages(settings, statistics);
                bar.suspend(|| published(statistics));
            }
            match &result.error {
                // Said at the end, as the command's own error.
                Some(_) if stopped.is_some() => {}
                Some(error) => bar.suspend(|| tracing::error!("{}: {error}", result.month)),
                None => bar.suspend(|| {
                    result.wrong.iter().for_each(|wrong| tracing::error!("{}: {wrong}", result.month));
                    outcome::log(&result, statistics.as_ref(), run.results.len() + 1, months.len(), began);
                }),
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
    run.stopped = run.stopped.or(fault);
    Ok(run)
}

impl RunArgs {
    /// All months that are asked for.
    fn range(&self) -> Result<data::MonthRange, Usage> {
        match (self.month, self.months) {
            (Some(month), None) => data::MonthRange::new(month, month).ok_or_else(|| Usage("no such month".into())),
            (None, Some(range)) => Ok(range),
            _ => Err(Usage("give --month M or --months FIRST..LAST".into())),
        }
    }

    /// The reference month of the whole range, which does not depend on the task.
    ///
    /// # Errors
    /// No range, or months after the reference they are weighted to.
    pub fn reference(&self, settings: &Settings) -> Result<Month, Usage> {
        for (&month, &reference) in &self.references {
            settings.check_reference(reference, &[month])?;
        }
        let range = self.range()?;
        settings.reference(range.last(), &range.iter().collect::<Vec<_>>())
    }
}
