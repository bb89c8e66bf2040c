//! What the rules look at: values of runs, months and disks.

use std::{collections::BTreeMap, path::Path};

use data::Month;
use jiff::Timestamp;

use super::rules::Rule;
use crate::{
    cache,
    config::Settings,
    doctor,
    figures::Figures,
    heartbeat,
    status::{Heard, Snapshot},
};

/// One value of one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The rule it is for.
    pub rule: Rule,
    /// The month, run or disk.
    pub subject: String,
    /// The value.
    pub value: f64,
    /// It as a sentence.
    pub text: String,
}

/// All that can be read now.
pub fn all(snapshot: &Snapshot, figures: &BTreeMap<Month, Figures>, settings: &Settings) -> Vec<Reading> {
    let mut readings = of_runs(snapshot);
    readings.extend(of_months(figures));
    if let Some(rate) = snapshot.error_rate {
        let text = format!("{:.1} % of the months tried have failed", 100.0 * rate);
        readings.push(Reading { rule: Rule::FailureRate, subject: "months".into(), value: rate, text });
    }
    let mut disk = |what: &str, path: &Path| {
        if let Ok(bytes) = doctor::free(path) {
            let value = bytes as f64 / 1e9;
            let text = format!("{value:.0} GB are free for {what}, in {}", path.display());
            readings.push(Reading { rule: Rule::DiskGb, subject: what.to_owned(), value, text });
        }
    };
    disk("temporary files", &cache::folder(settings));
    if !settings.text("store").contains("://") {
        disk("the store", Path::new(settings.text("store")));
    }
    readings
}

fn of_runs(snapshot: &Snapshot) -> Vec<Reading> {
    let minutes = |since: Timestamp| snapshot.at.duration_since(since).as_secs_f64() / 60.0;
    let (mut readings, here) = (Vec::new(), heartbeat::host());
    for run in snapshot.current() {
        let beat = &run.beat;
        let mut push = |rule, subject: &str, value, text| {
            readings.push(Reading { rule, subject: subject.to_owned(), value, text });
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
        let stalled = minutes(beat.progress);
        let what = if run.heard == Heard::Lost { "is lost and" } else { "is at work but" };
        let text = format!(
            "the run of {}..{} on {host} {what} has not got on for {stalled:.0} minutes",
            beat.first, beat.last
        );
        push(Rule::StalledMinutes, name, stalled, text);
        for running in beat.running.iter().filter(|_| run.heard == Heard::Live) {
            let (subject, value) = (format!("{}", running.month), minutes(running.began));
            let text = format!("{subject} has been made for {value:.0} minutes on {host} and is at {}", running.stage);
            push(Rule::MonthMinutes, &subject, value, text);
        }
        if let Some(bytes) = beat.memory_bytes.filter(|_| run.heard == Heard::Live) {
            let value = bytes as f64 / 1e9;
            push(Rule::MemoryGb, name, value, format!("the run on {host} holds {value:.1} GB of memory"));
        }
        // The disks of this machine are looked at themselves.
        if let Some(bytes) = beat.free_bytes.filter(|_| beat.host != here) {
            let value = bytes as f64 / 1e9;
            push(Rule::DiskGb, host, value, format!("{value:.0} GB are free for temporary files on {host}"));
        }
    }
    readings
}

fn of_months(figures: &BTreeMap<Month, Figures>) -> impl Iterator<Item = Reading> {
    figures.iter().flat_map(|(month, figures)| {
        let subject = month.to_string();
        let quality = Reading {
            rule: Rule::Quality,
            subject: subject.clone(),
            value: figures.score,
            text: match figures.wrong.first() {
                Some(wrong) => format!("{month} is {wrong}; its quality is {:.3}", figures.score),
                None => format!("the quality of {month} is {:.3}", figures.score),
            },
        };
        let rate = |rule, rate: Option<(&String, &f64)>| {
            let (mode, &value) = rate?;
            let text = format!("{mode} wins {:.1} % in {month}", 100.0 * value);
            Some(Reading { rule, subject: subject.clone(), value, text })
        };
        let by_rate = |a: &(&String, &f64), b: &(&String, &f64)| a.1.total_cmp(b.1);
        let low = rate(Rule::WinRateLow, figures.win_rates.iter().min_by(by_rate));
        let high = rate(Rule::WinRateHigh, figures.win_rates.iter().max_by(by_rate));
        [Some(quality), low, high].into_iter().flatten().collect::<Vec<_>>()
    })
}
