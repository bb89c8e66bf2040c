//! What the operator sees on stderr: a progress bar on a terminal, log lines everywhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::config::Settings;

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

    /// Begins a stage of `steps` more steps.
    pub fn stage(&self, name: &str, steps: u64) {
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

/// Log lines to stderr at the level of the settings, and the threads they ask for.
pub fn start(settings: &Settings) {
    let _ = tracing_subscriber::fmt()
        .with_max_level(settings.log_level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .log_internal_errors(false)
        .try_init();
    if settings.jobs > 0 {
        let most = MOST_JOBS_PER_CORE * std::thread::available_parallelism().map_or(1, usize::from);
        if settings.jobs > most {
            tracing::warn!(
                "jobs = {}: more threads than {most} only get in each other's way; {most} are used",
                settings.jobs
            );
        }
        let _ = rayon::ThreadPoolBuilder::new().num_threads(settings.jobs.min(most)).build_global();
    }
}
