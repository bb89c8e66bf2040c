//! Log lines: to stderr, and into a file a day where the settings name one.

use std::{
    fs::File,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use base::{
    error::{Class, Context, Met},
    exit::Usage,
};
use jiff::Timestamp;
use serde::Serialize;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::{
    Layer, filter::Targets, fmt::MakeWriter, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt,
};

use crate::settings::Settings;
use statistics::Statistics;

/// Name of the file with a line for each stage of a month, beside the logs.
const STAGES: &str = "performance_metrics.jsonl";
/// Days whose logs are kept.
const DAYS: usize = 90;

/// Begins to log at the level of the settings.
pub fn start(settings: &Settings) -> crate::Result<()> {
    let file = match target(settings) {
        None => None,
        Some(path) => {
            let failed = || format!("log_file = {}: cannot be written", path.display());
            let name =
                path.file_name().map(|name| name.to_string_lossy().into_owned()).ok_or_else(|| Usage(failed()))?;
            std::fs::create_dir_all(folder(&path)).with_context(failed)?;
            let builder = RollingFileAppender::builder().rotation(Rotation::DAILY).filename_prefix(name);
            Some(builder.max_log_files(DAYS).build(folder(&path)).met_as(Class::Store).with_context(failed)?)
        }
    };
    let stderr = lines(settings, io::stderr, io::stderr().is_terminal());
    let file = file.zip(target(settings)).map(|(file, path)| lines(settings, Kept { file, path }, false));
    let _ = tracing_subscriber::registry().with(stderr).with(file).try_init();
    Ok(())
}

/// Lines that did not get into their file.
static LOST: AtomicU64 = AtomicU64::new(0);

/// A line that cannot be written is counted, and the first is said: what is logged must not end what it is about.
fn lost(path: &Path, error: &io::Error) {
    if LOST.fetch_add(1, Ordering::Relaxed) == 0 {
        eprintln!(
            "warning: {}: cannot be written: {error}; the run continues, and lost lines are counted",
            path.display()
        );
    }
}

/// Says at the end how many lines were lost.
pub fn finish() {
    match LOST.load(Ordering::Relaxed) {
        0 => {}
        1 => eprintln!("warning: 1 line of the log was lost"),
        lines => eprintln!("warning: {lines} lines of the log were lost"),
    }
}

/// A file of logs whose disk may fill up.
struct Kept {
    file: RollingFileAppender,
    path: PathBuf,
}

/// One line on its way there.
struct Line<'a, W> {
    writer: W,
    path: &'a Path,
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Line<'a, <RollingFileAppender as MakeWriter<'a>>::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { writer: self.file.make_writer(), path: &self.path }
    }
}

impl<W: Write> Write for Line<'_, W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.writer.write_all(line) {
            lost(self.path, &error);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

fn lines<S, W>(settings: &Settings, writer: W, colours: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // The libraries below speak of every request, and must not speak of its headers.
    let ours = Targets::new()
        .with_targets(["harness", "data", "kernels"].map(|name| (name, settings.log_level)))
        .with_default(settings.log_level.min(LevelFilter::WARN));
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(colours).with_target(false);
    let layer = layer.log_internal_errors(false);
    if settings.log_json {
        Box::new(layer.json().flatten_event(true).with_filter(ours))
    } else {
        Box::new(layer.with_filter(ours))
    }
}

fn target(settings: &Settings) -> Option<PathBuf> {
    Some(settings.text("log_file")).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Appends a line for each stage of a month, where logs go into a file.
pub fn stages(settings: &Settings, statistics: &Statistics) {
    let Some(path) = target(settings).map(|path| folder(&path).join(STAGES)) else { return };
    if let Err(error) = append(&path, statistics) {
        lost(&path, &error);
    }
}

fn append(path: &Path, statistics: &Statistics) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        at: Timestamp,
        month: String,
        stage: &'a str,
        seconds: f64,
        ns_per_row: Option<f64>,
        bytes: u64,
        rows: u64,
        peak_rss_bytes: Option<u64>,
        retries: u64,
    }
    let performance = &statistics.performance;
    let mut text = Vec::new();
    for stage in &performance.stages {
        let line = Line {
            at: Timestamp::now(),
            month: statistics.month.to_string(),
            stage: &stage.name,
            seconds: stage.seconds,
            ns_per_row: stage.ns_per_row,
            bytes: stage.bytes,
            rows: statistics.rows(),
            peak_rss_bytes: performance.peak_rss_bytes,
            retries: performance.retries,
        };
        serde_json::to_writer(&mut text, &line)?;
        text.push(b'\n');
    }
    File::options().append(true).create(true).open(path)?.write_all(&text)
}
