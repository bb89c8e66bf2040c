//! What the rules look at: values of runs, months and disks.

use std::{collections::BTreeMap, path::Path};

use archive::{alive, store::Store};
use data::Month;
use jiff::Timestamp;

use crate::{
    machine,
    rules::Rule,
    run::cache,
    settings::Settings,
    watch::{
        criteria::{Reading, Sight},
        figures::Figures,
        heartbeat::Heartbeat,
        status::{Heard, Snapshot},
    },
};

/// All that can be read now.
pub fn all(
    store: &Store,
    snapshot: &Snapshot,
    figures: &BTreeMap<Month, Figures>,
    settings: &Settings,
) -> Vec<Reading> {
    let runs: Vec<&Heartbeat> = snapshot.runs.iter().map(|run| &run.beat).collect();
    let sight = Sight {
        store,
        holdings: &snapshot.holdings,
        raw: &snapshot.raw,
        figures,
        runs: &runs,
        asked: None,
        thresholds: &settings.alerts().rules,
        at: snapshot.at,
    };
    let mut readings = sight.readings();
    readings.extend(of_runs(snapshot));
    let mut disk = |what: &str, path: &Path| {
        if let Ok(bytes) = machine::free(path) {
            let value = bytes as f64 / 1e9;
            readings.push(reading(
                Rule::DiskGb,
                what,
                value,
                format!("{value:.0} GB are free for {what}, in {}", path.display()),
            ));
        }
    };
    disk("temporary files", &cache::folder(settings));
    if !settings.text("store").contains("://") {
        disk("the store", Path::new(settings.text("store")));
    }
    readings
}

fn reading(rule: Rule, subject: &str, value: f64, text: String) -> Reading {
    Reading { rule, subject: subject.to_owned(), value, note: text.clone(), text }
}

fn of_runs(snapshot: &Snapshot) -> Vec<Reading> {
    let minutes = |since: Timestamp| snapshot.at.duration_since(since).as_secs_f64() / 60.0;
    let (mut readings, here) = (Vec::new(), alive::host());
    for run in snapshot.current() {
        let beat = &run.beat;
        let mut push = |rule, subject: &str, value, text| {
            readings.push(reading(rule, subject, value, text));
        };
        let (name, host) = (beat.run.as_str(), beat.host.as_str());
        let row = beat.failed_in_a_row;
        let why = beat.last_error.as_ref().map_or_else(String::new, |last| format!(", the last one: {}", last.error));
        push(Rule::FailedInARow, name, row as f64, format!("{row} months in a row have failed on {host}{why}"));
        if let Some(slowest) = beat.slowest {
            let (subject, value) = (format!("{}", slowest.month), slowest.seconds / 60.0);
            push(Rule::MonthMinutes, &subject, value, format!("{subject} took {value:.0} minutes on {host}"));
        }
        if run.heard == Heard::Over {
            continue;
        }
        let what = format!("run {}..{} on {host}", beat.first, beat.last);
        if run.heard == Heard::Lost {
            let silent = 60.0 * minutes(beat.renewed);
            push(Rule::LostRuns, name, 1.0, format!("{what} is lost: no heartbeat for {silent:.0} seconds"));
            continue;
        }
        let stalled = minutes(beat.progress);
        push(Rule::StalledMinutes, name, stalled, format!("{what} has made no progress for {stalled:.0} minutes"));
        for running in &beat.running {
            let (subject, value) = (format!("{}", running.month), minutes(running.began));
            let text = format!(
                "{subject} has been building for {value:.0} minutes on {host} and is in stage {}",
                running.stage
            );
            push(Rule::MonthMinutes, &subject, value, text);
        }
        if let Some(bytes) = beat.memory_bytes {
            let value = bytes as f64 / 1e9;
            push(Rule::MemoryGb, name, value, format!("the run on {host} uses {value:.1} GB of memory"));
        }
        // The disks of this machine are looked at themselves.
        if let Some(bytes) = beat.free_bytes.filter(|_| beat.host != here) {
            let value = bytes as f64 / 1e9;
            push(Rule::DiskGb, host, value, format!("{value:.0} GB are free for temporary files on {host}"));
        }
    }
    readings
}
