//! Figures as Prometheus reads them: OpenMetrics text, for `/metrics` and for the text file collector of node_exporter.

use std::{fmt::Write as _, io, io::Write as _, path::Path};

use archive::state::State;

use super::{
    criteria::{self, Reading},
    heartbeat::Heartbeat,
    status::{Heard, Snapshot},
};
use crate::rules::Rule;

/// Media type of the text.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Names and values of a sample's labels.
type Labels<'a> = &'a [(&'a str, &'a str)];

/// The text, family by family.
#[derive(Default)]
pub struct Text(String);

impl Text {
    /// Begins a family of gauges.
    pub fn family(&mut self, name: &str, help: &str) -> &mut Self {
        let _ = write!(self.0, "# TYPE {name} gauge\n# HELP {name} {help}\n");
        self
    }

    /// A sample of the family that was begun last.
    pub fn sample(&mut self, name: &str, labels: Labels<'_>, value: f64) -> &mut Self {
        let pairs: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
        self
    }

    /// The end: without it the text was cut.
    pub fn finish(mut self) -> String {
        self.0.push_str("# EOF\n");
        self.0
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A run alone.
pub fn of_run(beat: &Heartbeat) -> String {
    let mut text = Text::default();
    runs(&mut text, &[(Heard::of(beat), beat)]);
    text.finish()
}

/// What is known of a store.
pub fn of_snapshot(text: &mut Text, snapshot: &Snapshot) {
    text.family("harness_months", "Months of the store by state.");
    for state in State::ALL {
        let count = snapshot.states.get(&state).copied().unwrap_or(0);
        text.sample("harness_months", &[("state", state.text())], count as f64);
    }
    let current: Vec<(Heard, &Heartbeat)> = snapshot.current().map(|run| (run.heard, &run.beat)).collect();
    runs(text, &current);
}

/// What is known of an archive as a whole: the figures of the success criteria that no month has of its own.
pub fn of_archive(text: &mut Text, readings: &[Reading]) {
    for (rule, help) in [
        (Rule::FailureRate, "Share of the months tried that failed."),
        (Rule::RollDetection, "Share of the rolls that were found, on the right session."),
        (Rule::Availability, "Share of the months asked for that are there, intact and in time."),
        (Rule::ScoreDeviation, "Standard deviation of the scores."),
        (Rule::MonthsUnlike, "Months that are unlike the archive."),
        (Rule::Recovery, "Share of the failed months that were published later without --force."),
        (Rule::Coverage, "Share of the success criteria with a metric and an alert rule in force."),
        (Rule::Documentation, "1 when the guide's script has passed with this program, 0 when it has failed."),
    ] {
        if let Some(reading) = criteria::worst(rule, readings) {
            let (name, units) = rule.metric();
            text.family(name, help).sample(name, &[], reading.value * units);
        }
    }
}

fn runs(text: &mut Text, runs: &[(Heard, &Heartbeat)]) {
    type Figure = fn(&Heartbeat) -> Option<f64>;
    let figures: [(&str, &str, Figure); 12] = [
        ("harness_run_months", "Months of the run.", |beat| Some(beat.months as f64)),
        ("harness_run_months_done", "Months of the run that are finished.", |beat| Some(beat.done as f64)),
        ("harness_run_months_failed", "Months of the run that failed.", |beat| Some(beat.failed as f64)),
        ("harness_run_failed_in_a_row", "Months that failed in a row.", |beat| Some(beat.failed_in_a_row as f64)),
        ("harness_run_months_running", "Months being built.", |beat| Some(beat.running.len() as f64)),
        ("harness_run_months_per_hour", "Recent rate.", |beat| beat.months_per_hour),
        ("harness_run_left_seconds", "Time left at the recent rate.", |beat| beat.seconds_left),
        ("harness_run_memory_bytes", "Peak memory since the previous heartbeat.", |beat| {
            beat.memory_bytes.map(|bytes| bytes as f64)
        }),
        ("harness_run_free_bytes", "Free space for temporary files.", |beat| beat.free_bytes.map(|bytes| bytes as f64)),
        ("harness_run_retries", "Retried requests to the store.", |beat| Some(beat.retries as f64)),
        ("harness_run_progress_timestamp_seconds", "When a month last changed its stage.", |beat| {
            Some(beat.progress.as_second() as f64)
        }),
        ("harness_run_renewed_timestamp_seconds", "When the run last wrote its heartbeat.", |beat| {
            Some(beat.renewed.as_second() as f64)
        }),
    ];
    let labels = |beat: &Heartbeat| [("run", beat.run.clone()), ("host", beat.host.clone())];
    let mut family = |name: &str, help: &str, figure: &dyn Fn(Heard, &Heartbeat) -> Option<f64>| {
        let samples: Vec<_> = runs.iter().filter_map(|(heard, beat)| Some((beat, figure(*heard, beat)?))).collect();
        if samples.is_empty() {
            return;
        }
        text.family(name, help);
        for (beat, value) in samples {
            let labels = labels(beat);
            let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
            text.sample(name, &labels, value);
        }
    };
    family("harness_run_up", "1 while the run writes heartbeats.", &|heard, _| {
        Some(if heard == Heard::Live { 1.0 } else { 0.0 })
    });
    family("harness_run_lost", "1 for a run that is lost: its heartbeats stopped before it ended.", &|heard, _| {
        Some(if heard == Heard::Lost { 1.0 } else { 0.0 })
    });
    for (name, help, figure) in figures {
        family(name, help, &|_, beat| figure(beat));
    }
}

/// Writes a file whole or not at all: a collector may read at any time.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".harness-").permissions(readable()).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The collector is another user's.
fn readable() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}
