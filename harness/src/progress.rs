//! What the operator sees on a terminal: a progress bar.

use std::{io::IsTerminal, sync::Arc, time::Instant};

use archive::store::{Store, Traffic};
use data::Month;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::{
    reporter::{Reporter, Stage},
    settings::Settings,
};

/// Threads beyond this many a core cost time and memory and gain nothing.
const MOST_JOBS_PER_CORE: usize = 4;

/// A progress bar with an ETA; nothing at all where stderr is not a terminal.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar over no steps yet.
    pub fn new() -> Self {
        Self::with("{msg:24} [{bar:40}] {pos}/{len}  {elapsed} elapsed, {eta} left")
    }

    /// A bar whose steps are bytes.
    pub fn of_bytes() -> Self {
        Self::with("{msg:24} [{bar:40}] {bytes}/{total_bytes}  {bytes_per_sec}, {elapsed} elapsed, {eta} left")
    }

    fn with(template: &str) -> Self {
        let bar = ProgressBar::new(0);
        if !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// The same, which also shows what goes to and from the store.
    pub fn over(traffic: &Arc<Traffic>) -> Self {
        let bar = Self::new();
        let (traffic, since) = (Arc::clone(traffic), Instant::now());
        let told = move |_: &ProgressState, line: &mut dyn std::fmt::Write| {
            let megabytes = |bytes: u64| bytes as f64 / 1e6;
            let (read, written, retries) = (traffic.read(), traffic.written(), traffic.retries());
            let rate = megabytes(read + written) / since.elapsed().as_secs_f64().max(1e-3);
            let _ = write!(
                line,
                "{:.0} MB in, {:.0} MB out, {rate:.0} MB/s, {retries} retries",
                megabytes(read),
                megabytes(written)
            );
        };
        let template =
            ProgressStyle::with_template("{msg:24} [{bar:30}] {pos}/{len}  {elapsed} elapsed, {eta} left; {traffic}");
        if let Ok(style) = template {
            bar.0.set_style(style.with_key("traffic", told));
        }
        bar
    }

    /// Begins a task of `steps` more steps.
    pub fn task(&self, name: &str, steps: u64) {
        self.message(name);
        self.0.inc_length(steps);
    }

    /// Names what is being done.
    pub fn message(&self, name: &str) {
        self.0.set_message(name.to_owned());
    }

    /// One step is done.
    pub fn step(&self) {
        self.steps(1);
    }

    /// Some steps are done.
    pub fn steps(&self, count: u64) {
        self.0.inc(count);
    }

    /// Prints around the bar.
    pub fn suspend(&self, print: impl FnOnce()) {
        self.0.suspend(print);
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Reporter for Bar {
    fn begin(&mut self, _: &Store, _: &[Month], traffic: &Arc<Traffic>, steps: u64) -> crate::Result<()> {
        *self = Self::over(traffic);
        self.task("run", steps);
        Ok(())
    }

    fn stage(&self, month: Month, stage: Stage) {
        self.message(&format!("{month} {stage}"));
    }

    fn steps(&self, count: u64) {
        self.0.inc(count);
    }

    fn finished(&self, _: Month, _: bool, _: Option<&str>) {}

    fn say(&self, print: &mut dyn FnMut()) {
        self.0.suspend(print);
    }

    fn end(&mut self, _: bool) {
        self.finish();
    }
}

/// The threads that the settings ask for.
pub fn start(settings: &Settings) {
    if settings.jobs > 0 {
        let most = MOST_JOBS_PER_CORE * std::thread::available_parallelism().map_or(1, usize::from);
        if settings.jobs > most {
            tracing::warn!(
                "jobs = {}: more than {most} threads only slow each other down; using {most}",
                settings.jobs
            );
        }
        let _ = rayon::ThreadPoolBuilder::new().num_threads(settings.jobs.min(most)).build_global();
    }
}
