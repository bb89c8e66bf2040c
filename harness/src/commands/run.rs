//! `run`: makes months of the store, and tells how it gets on: a progress bar, a heartbeat, a page.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use archive::store::{Store, Traffic};
use base::exit::{self, Usage};
use data::{Month, MonthRange};

use super::summary;
use crate::{
    cli::RunArgs,
    monitor,
    progress::Bar,
    reporter::{Reporter, Stage},
    run::{
        self, Run, cache,
        outcome::{self, Outcome},
        request::RunRequest,
        task::Task,
    },
    settings::Settings,
    watch::{
        heartbeat::{Heartbeat, Pulse},
        metrics,
    },
};
use statistics::Statistics;

/// Runs the command.
pub fn run(args: &RunArgs, settings: &Settings) -> crate::Result<u8> {
    let request = RunRequest {
        task: Task::of(args)?,
        force: args.force,
        dry_run: args.dry_run,
        gate: args.gate.then_some(args.threshold),
        ..RunRequest::of(range(args)?)
    };
    let watch = Watch { monitor: args.monitor, metrics: args.metrics_file.clone(), ..Watch::new(&request, settings) };
    report(&request, watch, args.json, settings)
}

/// Makes the months of a request and prints what became of them.
pub fn report(request: &RunRequest, mut watch: Watch<'_>, json: bool, settings: &Settings) -> crate::Result<u8> {
    let run = run::run(request, settings, &mut watch, &mut |statistics| {
        if !json {
            summary::print(statistics);
        }
    })?;
    if json {
        println!("{}", serde_json::to_string_pretty(&run.results)?);
    } else if run.results.is_empty() && run.stopped.is_none() {
        println!("no months left for {}", request.task);
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

/// Makes the months of a request for another command; `published` sees the statistics of each that is new, in order.
pub fn watched(
    request: &RunRequest,
    settings: &Settings,
    published: &mut dyn FnMut(&Statistics),
) -> crate::Result<Run> {
    run::run(request, settings, &mut Watch::new(request, settings), published)
}

/// All months that are asked for.
fn range(args: &RunArgs) -> Result<MonthRange, Usage> {
    match (args.month, args.months) {
        (Some(month), None) => MonthRange::new(month, month).ok_or_else(|| Usage("no such month".into())),
        (None, Some(range)) => Ok(range),
        _ => Err(Usage("give --month M or --months FIRST..LAST".into())),
    }
}

/// Who sees how a run gets on: the terminal, and any machine that reads its heartbeat, metrics or page.
pub struct Watch<'a> {
    settings: &'a Settings,
    /// A run that makes nothing has no heartbeat.
    beats: bool,
    /// Where the page is served.
    monitor: Option<SocketAddr>,
    /// File of the metrics.
    metrics: Option<PathBuf>,
    bar: Bar,
    pulse: Option<Pulse>,
}

impl<'a> Watch<'a> {
    /// Without page and metrics.
    pub fn new(request: &RunRequest, settings: &'a Settings) -> Self {
        Self { settings, beats: !request.dry_run, monitor: None, metrics: None, bar: Bar::new(), pulse: None }
    }
}

impl Reporter for Watch<'_> {
    fn begin(&mut self, store: &Store, months: &[Month], traffic: &Arc<Traffic>, steps: u64) -> crate::Result<()> {
        let metrics = self.metrics.clone();
        let also = move |beat: &Heartbeat| {
            if let Some(path) = &metrics
                && let Err(error) = metrics::write(path, &metrics::of_run(beat))
            {
                tracing::debug!("{}: the metrics cannot be written: {error}", path.display());
            }
        };
        let temporary = cache::folder(self.settings);
        self.pulse = self.beats.then(|| Pulse::begin(store, months, traffic, temporary, Box::new(also))).flatten();
        self.bar.begin(store, months, traffic, steps)?;
        if let Some(address) = self.monitor {
            monitor::start(address, monitor::INTERVAL, self.settings)?;
        }
        Ok(())
    }

    fn stage(&self, month: Month, stage: Stage) {
        self.bar.stage(month, stage);
        if let Some(pulse) = &self.pulse {
            pulse.stage(month, stage);
        }
    }

    fn steps(&self, count: u64) {
        self.bar.steps(count);
    }

    fn finished(&self, month: Month, made: bool, error: Option<&str>) {
        match (&self.pulse, error) {
            (Some(pulse), Some(error)) => pulse.failed(month, error),
            (Some(pulse), None) => pulse.done(month, made),
            (None, _) => {}
        }
    }

    fn say(&self, print: &mut dyn FnMut()) {
        self.bar.say(print);
    }

    fn end(&mut self, stopped: bool) {
        self.bar.finish();
        if let Some(pulse) = self.pulse.take() {
            pulse.end(stopped);
        }
    }
}
