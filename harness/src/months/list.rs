//! `months list`: a line for every month that is known, whatever is wrong with it.

use std::collections::BTreeMap;

use data::{Month, MonthRange, input};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    cli::ListArgs,
    config::Settings,
    discover::{self, RawFile},
    exit,
    failures::{self, Failure},
    holdings::{Held, Holdings, within},
    manifest::{self, Version},
    quality::{Band, Priority, Quality, Reprocess},
    schedule,
    store::Store,
};

use super::{quality, raw_store, time};

/// Manifests read at a time.
const READERS: usize = 8;

/// What a month is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Readers see it.
    Published,
    /// Its manifest cannot be read.
    Damaged,
    /// Taken out; its versions are in the history.
    Removed,
    /// Not published, and its last run failed.
    Failed,
    /// Not published, and there are raw files.
    Pending,
    /// Between others, with nothing.
    Gap,
}

/// One month.
#[derive(Clone, Debug, Serialize)]
struct Line {
    month: Month,
    state: State,
    rows: Option<u64>,
    score: Option<f64>,
    band: Option<Band>,
    version: Option<String>,
    published: Option<Timestamp>,
    /// Rolled back, and kept so.
    pinned: bool,
    /// Versions in the history.
    earlier: usize,
    /// What the score says, or with `--needed` the statistics.
    reprocess: Option<Reprocess>,
    raw: Raw,
    /// Its last run, if that failed.
    failure: Option<Failure>,
    /// What cannot be read.
    errors: Vec<String>,
}

/// The raw files of a month.
#[derive(Clone, Debug, Default, Serialize)]
struct Raw {
    files: Vec<String>,
    /// Those of the same dates, under several keys.
    duplicates: Vec<Vec<String>>,
    /// First and last date in their names, where that is not the whole month.
    partial: Option<(Date, Date)>,
}

#[derive(Debug, Serialize)]
struct Totals {
    months: usize,
    states: BTreeMap<State, usize>,
    rows: u64,
    lowest_score: Option<f64>,
    mean_score: Option<f64>,
}

/// Runs the command.
pub fn run(args: &ListArgs, settings: &Settings) -> anyhow::Result<u8> {
    let store = Store::open(settings.text("store"), settings.access)?;
    let holdings = Holdings::of(&store)?;
    let raw = discover::raw_files(&raw_store(settings, &store)?)?;
    let months = known(&holdings, &raw, args.months);
    let mut lines = Vec::new();
    schedule::in_order(
        &months,
        READERS,
        |&month| Line::of(&store, month, holdings.months.get(&month), &raw, args.needed),
        |line| {
            lines.push(line);
            true
        },
    );
    let shown = |line: &Line| {
        args.below.is_none_or(|below| line.score.is_some_and(|score| score < below))
            && (!args.needed || line.reprocess.as_ref().is_some_and(|reprocess| reprocess.needed))
    };
    lines.retain(shown);
    let totals = Totals::of(&lines);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "months": lines, "totals": totals }))?);
    } else {
        lines.iter().for_each(Line::print);
        totals.print();
    }
    Ok(if totals.states.contains_key(&State::Damaged) { exit::PARTLY } else { 0 })
}

/// From the first to the last month with anything of it, those of the range.
pub fn known(holdings: &Holdings, raw: &[RawFile], range: Option<MonthRange>) -> Vec<Month> {
    let held = holdings.months.iter().filter(|(_, held)| held.published || held.removed || held.failed);
    let first = held.clone().map(|(&month, _)| month).chain(raw.iter().map(|file| file.first)).min();
    let last = held.map(|(&month, _)| month).chain(raw.iter().map(|file| file.last)).max();
    let all = first.zip(last).and_then(|(first, last)| MonthRange::new(first, last));
    all.into_iter().flat_map(MonthRange::iter).filter(|&month| within(range, month)).collect()
}

impl Line {
    fn of(store: &Store, month: Month, held: Option<&Held>, raw: &[RawFile], needed: bool) -> Self {
        let held = held.cloned().unwrap_or_default();
        let raw = Raw::of(month, raw);
        let state = match (&held, raw.files.is_empty()) {
            (Held { published: true, .. }, _) => State::Published,
            (Held { removed: true, .. }, _) => State::Removed,
            (Held { failed: true, .. }, _) => State::Failed,
            (_, false) => State::Pending,
            (_, true) => State::Gap,
        };
        let mut line = Self {
            month,
            state,
            rows: None,
            score: None,
            band: None,
            version: None,
            published: None,
            pinned: false,
            earlier: 0,
            reprocess: None,
            raw,
            failure: None,
            errors: Vec::new(),
        };
        if let Err(error) = line.read(store, needed) {
            line.state = State::Damaged;
            line.errors.push(exit::sentence(&error));
        }
        if held.failed {
            match failures::read(store, month) {
                Ok(failure) => line.failure = failure,
                Err(error) => line.errors.push(exit::sentence(&error.into())),
            }
        }
        line
    }

    /// Takes in what the manifest says.
    fn read(&mut self, store: &Store, needed: bool) -> anyhow::Result<()> {
        match self.state {
            State::Published => {
                // Removed since it was listed: then it is what it says it is no longer.
                let Some((manifest, _)) = manifest::read(store, self.month)? else { return Ok(()) };
                let Version { version, rows, score, published, .. } = &manifest.current;
                (self.rows, self.score, self.band) = (Some(*rows), Some(*score), Some(Band::of(*score)));
                (self.version, self.published) = (Some(version.clone()), Some(*published));
                (self.pinned, self.earlier) = (manifest.pinned, manifest.history.len());
                self.reprocess =
                    Some(if needed { recommended(store, &manifest.current) } else { Reprocess::of_score(*score) });
            }
            State::Removed => {
                self.earlier =
                    manifest::read_removed(store, self.month)?.map_or(0, |(removed, _)| removed.history.len());
            }
            _ => {}
        }
        Ok(())
    }

    fn print(&self) {
        let Self { month, state, rows, score, version, published, earlier, raw, .. } = self;
        match (rows, score, version, published) {
            (Some(rows), Some(score), Some(version), Some(published)) => {
                let (quality, published) = (quality(*score), time(*published));
                println!("{month}  {:9}  {rows:>7} rows  {quality}  {published}  {version}", state.text());
            }
            _ => println!("{month}  {}", state.text()),
        }
        let note = |text: String| println!("         {text}");
        if self.pinned {
            note("rolled back: run keeps it until --force".into());
        }
        if *earlier > 0 {
            let what = if *state == State::Removed { "in the history" } else { "before it" };
            note(format!("{earlier} {} {what}", if *earlier == 1 { "version" } else { "versions" }));
        }
        if let Some(Reprocess { needed: true, reasons, .. }) = &self.reprocess {
            note(format!("make it again: {}", reasons.join("; ")));
        }
        if let Some(Failure { error, when, exit_code, .. }) = &self.failure {
            note(format!("failed at {} with exit code {exit_code}: {error}", time(*when)));
        }
        if let Some((first, last)) = raw.partial {
            note(format!("partial: its raw files are of {first} to {last}"));
        }
        if raw.files.len() > 1 {
            note(format!("raw files: {}", raw.files.join(", ")));
        }
        for same in &raw.duplicates {
            note(format!("duplicates, of the same dates: {}", same.join(", ")));
        }
        self.errors.iter().for_each(|error| note(format!("error: {error}")));
    }
}

/// Whether the statistics of a version recommend to make the month again; statistics that cannot be read do.
pub fn recommended(store: &Store, version: &Version) -> Reprocess {
    #[derive(Deserialize)]
    struct Statistics {
        quality: Quality,
    }
    let read = || -> anyhow::Result<Option<Reprocess>> {
        let Some((bytes, _)) = store.read(&version.statistics.key)? else { return Ok(None) };
        Ok(Some(serde_json::from_slice::<Statistics>(&bytes)?.quality.reprocess))
    };
    let why = match read() {
        Ok(Some(reprocess)) => return reprocess,
        Ok(None) => "its statistics are missing".to_owned(),
        Err(error) => format!("its statistics cannot be read: {}", exit::sentence(&error)),
    };
    Reprocess::because(vec![why], Priority::of(version.score))
}

impl Raw {
    fn of(month: Month, all: &[RawFile]) -> Self {
        let mut by_dates: BTreeMap<(Date, Date), Vec<String>> = BTreeMap::new();
        let files: Vec<&RawFile> = all.iter().filter(|file| file.holds(month)).collect();
        for file in &files {
            if let Some(dates) = input::named_dates(file.name()) {
                by_dates.entry(dates).or_default().push(file.key.clone());
            }
        }
        let (first, last) = (month.first_day(), month.last_day());
        let begin = by_dates.keys().map(|(begin, _)| (*begin).max(first)).min();
        let end = by_dates.keys().map(|(_, end)| (*end).min(last)).max();
        Self {
            files: files.iter().map(|file| file.key.clone()).collect(),
            partial: begin.zip(end).filter(|&covered| covered != (first, last)),
            duplicates: by_dates.into_values().filter(|keys| keys.len() > 1).collect(),
        }
    }
}

impl Totals {
    fn of(lines: &[Line]) -> Self {
        let mut states = BTreeMap::new();
        lines.iter().for_each(|line| *states.entry(line.state).or_default() += 1);
        let scores: Vec<f64> = lines.iter().filter_map(|line| line.score).collect();
        Self {
            months: lines.len(),
            states,
            rows: lines.iter().filter_map(|line| line.rows).sum(),
            lowest_score: scores.iter().copied().reduce(f64::min),
            mean_score: (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64),
        }
    }

    fn print(&self) {
        let Self { months, states, rows, lowest_score, mean_score } = self;
        let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {}", state.text())).collect();
        let states = if states.is_empty() { String::new() } else { format!(": {}", states.join(", ")) };
        let scores = lowest_score.zip(*mean_score);
        let scores = scores
            .map_or_else(String::new, |(lowest, mean)| format!(", quality {mean:.3} on average, {lowest:.3} lowest"));
        println!("{months} {}{states}; {rows} rows{scores}", if *months == 1 { "month" } else { "months" });
    }
}

impl State {
    fn text(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Damaged => "damaged",
            Self::Removed => "removed",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Gap => "gap",
        }
    }
}
