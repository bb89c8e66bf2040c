//! `run`: months of the store from raw files to published Parquet.

pub mod cache;
mod deal;
pub mod decode;
mod job;
pub mod memory;
pub mod named;
pub mod outcome;
pub mod raw;
pub mod request;
pub mod task;
pub mod training;
mod volumes;
mod worker;

use std::{sync::Arc, time::Instant};

use archive::{
    discover::RawFile,
    store::{Store, Traffic},
};
use base::{
    error::{Class, Error},
    schedule,
};
use data::Month;

use self::{
    cache::Cache,
    outcome::{MonthResult, Outcome},
    raw::Raw,
    request::RunRequest,
    task::Task,
    volumes::Stores,
    worker::{MONTH_STEPS, Worker},
};
use crate::{logs, reporter::Reporter, settings::Settings};
use statistics::Statistics;

/// Months in a row that a store may fail.
const MOST_UNANSWERED: usize = 3;

/// What a run came to.
pub struct Run {
    /// The months in order; after a stop, those that were begun.
    pub results: Vec<MonthResult>,
    /// What stopped it, as a store that fails would fail every month; or a fault of the program in one of the months.
    pub stopped: Option<Error>,
}

/// Makes and publishes what is asked for; `published` sees the statistics of each month that is new, in order.
///
/// # Errors
/// What keeps it from beginning.
pub fn run(
    request: &RunRequest,
    settings: &Settings,
    reporter: &mut dyn Reporter,
    published: &mut dyn FnMut(&Statistics),
) -> crate::Result<Run> {
    // Before anything is made.
    request.reference(settings)?;
    let (name, access) = (settings.text("store"), settings.access);
    let store = if request.dry_run { Store::open(name, access)? } else { Store::create(name, access)? };
    let raw = match settings.text("raw") {
        "" => store.clone(),
        name => Store::existing(name, access)?,
    };
    let traffic = Arc::new(Traffic::default());
    let files = settings.raw_files(&raw.counting(&traffic))?;
    let task = request.task;
    let (asked, months) = (request.months.len(), &deal::share(&request.months, &files, task));
    if task != Task::WHOLE {
        tracing::info!("{task}: {} of {asked} months", months.len());
    }
    // Before the cache: on an interruption that is to be cleaned first.
    reporter.begin(&store, months, &traffic, MONTH_STEPS * months.len() as u64)?;
    let (store, raw) = (store.counting(&traffic), raw.counting(&traffic));
    let made = make(request, settings, Stores { store: &store, raw: &raw }, (&files, months), &*reporter, published);
    reporter.end(made.as_ref().map_or(true, |(run, _)| run.stopped.is_some()));
    let (mut run, fault) = made?;
    run.stopped = run.stopped.or(fault);
    Ok(run)
}

/// Makes the months; also the first fault of the program, which stops nothing.
fn make(
    request: &RunRequest,
    settings: &Settings,
    stores: Stores<'_>,
    (files, months): (&[RawFile], &[Month]),
    reporter: &dyn Reporter,
    published: &mut dyn FnMut(&Statistics),
) -> crate::Result<(Run, Option<Error>)> {
    let cache = Cache::open(settings)?;
    let here = Raw::new(&cache);
    let volumes = volumes::Archive::new(files, &here, settings, cache.columns(), months, !request.dry_run);
    let worker = Worker::new(request, settings, stores, &cache, &volumes, reporter)?;
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
            reporter.finished(month, new, error.as_deref());
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
                reporter.say(&mut || published(statistics));
            }
            match &result.error {
                // Said at the end, as the command's own error.
                Some(_) if stopped.is_some() => {}
                Some(error) => reporter.say(&mut || tracing::error!("{}: {error}", result.month)),
                None => reporter.say(&mut || {
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
    Ok((run, fault))
}
