//! What a store says at one moment: of its months, and of the runs at work on them.

use std::{collections::BTreeMap, time::Duration};

use archive::{
    alive::Process,
    discover::RawFile,
    failures,
    holdings::Holdings,
    manifest,
    state::State,
    store::{Store, StoreError},
    survey,
    withheld::{self, WithheldError},
};
use base::exit;
use data::Month;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    settings::Settings,
    watch::{
        figures::Figures,
        heartbeat::{self, Heartbeat, RENEWAL},
    },
};

/// A run that has not been heard of for so long, two heartbeats and the time of another, is lost. Clocks of different
/// machines must agree to within half of this.
const LOST: Duration = RENEWAL.saturating_mul(3);

/// One month.
#[derive(Clone, Debug, Serialize)]
pub struct MonthState {
    /// The month.
    pub month: Month,
    /// What it is.
    pub state: State,
    /// Why its last run failed, or why its manifest cannot be read.
    pub error: Option<String>,
}

/// Whether a run is heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard {
    /// It is at work.
    Live,
    /// It says that it is over.
    Over,
    /// It neither says so nor anything else.
    Lost,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// Whether it is heard of.
    pub heard: Heard,
    /// Its own word.
    #[serde(flatten)]
    pub beat: Heartbeat,
}

/// The store at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    /// The store.
    pub store: String,
    /// When it was looked at.
    pub at: Timestamp,
    /// How many months are what.
    pub states: BTreeMap<State, usize>,
    /// Share of the months tried that failed; `null` before any was.
    pub error_rate: Option<f64>,
    /// Memory that the runs at work hold.
    pub memory_bytes: u64,
    /// Seconds until the last run at work is through; `null` while unknown.
    pub seconds_left: Option<f64>,
    /// The runs, the latest first.
    pub runs: Vec<Run>,
    /// The months in order.
    pub months: Vec<MonthState>,
    /// Months that are wrong, published or withheld: why, and what to do about it. Only `status` looks.
    pub wrong: BTreeMap<Month, Vec<String>>,
    /// What is held of each.
    #[serde(skip)]
    pub holdings: Holdings,
    /// Raw files that can be listed from here.
    #[serde(skip)]
    pub raw: Vec<RawFile>,
}

/// How many months are what.
fn counted(months: &[MonthState]) -> BTreeMap<State, usize> {
    let mut states = BTreeMap::new();
    months.iter().for_each(|month| *states.entry(month.state).or_default() += 1);
    states
}

impl Heard {
    /// Whether the run of a heartbeat is heard of.
    pub fn of(beat: &Heartbeat) -> Self {
        match beat.state {
            heartbeat::State::Running if beat.process.as_ref().is_some_and(Process::is_dead) => Self::Lost,
            heartbeat::State::Running if Timestamp::now() - LOST > beat.renewed => Self::Lost,
            heartbeat::State::Running => Self::Live,
            _ => Self::Over,
        }
    }
}

impl Run {
    /// Whether it began after the last word of one that is lost, and over months of it: what that one was to do is its
    /// to do now.
    fn follows(&self, lost: &Self) -> bool {
        let (mine, its) = (&self.beat, &lost.beat);
        self.heard != Heard::Lost && mine.began >= its.renewed && mine.first <= its.last && its.first <= mine.last
    }
}

impl Snapshot {
    /// Looks at a store. Raw files that cannot be listed from here are no reason to say nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn of(store: &Store, settings: &Settings) -> Result<Self, StoreError> {
        let holdings = Holdings::of(store)?;
        let raw = settings.raw_store(store).and_then(|raw| settings.raw_files(&raw)).unwrap_or_else(|error| {
            tracing::warn!("{}: months that were not tried are not shown", exit::sentence(&error.into()));
            Vec::new()
        });
        let mut runs: Vec<Run> = Vec::new();
        for beat in heartbeat::all(store)? {
            runs.push(Run { heard: Heard::of(&beat), beat });
        }
        let known = survey::known(&holdings, &raw, None);
        let mut months = Vec::new();
        for &month in &known {
            let running = live(&runs).any(|run| run.beat.running.iter().any(|running| running.month == month));
            let held = holdings.held(month);
            let state = State::of(held, running, raw.iter().any(|file| file.holds(month)));
            let error = (held.failed && !running).then(|| why(store, month)).flatten();
            months.push(MonthState { month, state, error });
        }
        Ok(Self::new(store.name(), runs, months, holdings, raw))
    }

    fn new(store: &str, runs: Vec<Run>, months: Vec<MonthState>, holdings: Holdings, raw: Vec<RawFile>) -> Self {
        let tried = holdings.months.values().filter(|held| held.published || held.failed).count();
        let failed = holdings.months.values().filter(|held| held.failed).count();
        let left: Vec<Option<f64>> = live(&runs).map(|run| run.beat.seconds_left).collect();
        Self {
            store: store.to_owned(),
            at: Timestamp::now(),
            states: counted(&months),
            error_rate: (tried > 0).then(|| failed as f64 / tried as f64),
            memory_bytes: live(&runs).filter_map(|run| run.beat.memory_bytes).sum(),
            seconds_left: left
                .into_iter()
                .collect::<Option<Vec<f64>>>()
                .and_then(|all| all.into_iter().reduce(f64::max)),
            runs,
            months,
            wrong: BTreeMap::new(),
            holdings,
            raw,
        }
    }

    /// Looks into the months: which of those published have a manifest that cannot be read, and what makes months wrong, by
    /// the `figures` of those that are published and by the records of those withheld.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn look_into(&mut self, store: &Store, figures: &BTreeMap<Month, Figures>) -> Result<(), StoreError> {
        for month in &mut self.months {
            let read = match month.state {
                State::Published if !figures.contains_key(&month.month) => {
                    manifest::read(store, month.month).map(|_| ())
                }
                State::Removed => manifest::read_removed(store, month.month).map(|_| ()),
                _ => Ok(()),
            };
            if let Err(error) = read {
                (month.state, month.error) = (State::Damaged, Some(exit::sentence(&error.into())));
            }
        }
        self.states = counted(&self.months);
        let wrong = figures.iter().filter(|(_, figures)| !figures.wrong.is_empty());
        self.wrong = wrong.map(|(month, figures)| (*month, figures.wrong.clone())).collect();
        for (&month, _) in self.holdings.months.iter().filter(|(_, held)| held.withheld) {
            match withheld::read(store, month) {
                Ok(Some(withheld)) if withheld.wrong => {
                    self.wrong.entry(month).or_default().push(format!("withheld, {}", withheld.sentence()));
                }
                Ok(_) => {}
                Err(WithheldError::Store(error)) => return Err(error),
                Err(error) => tracing::warn!("{month}: {}", exit::sentence(&error.into())),
            }
        }
        Ok(())
    }

    /// The months that are being made.
    pub fn running(&self) -> Vec<Month> {
        let months = self.months.iter().filter(|month| month.state == State::Running);
        months.map(|month| month.month).collect()
    }

    /// The runs whose word counts now: those at work, those that were lost and that none has followed, and without any
    /// at work the last one that ended.
    pub fn current(&self) -> impl Iterator<Item = &Run> {
        let last_word = self.runs.iter().filter(|run| run.heard == Heard::Over).map(|run| run.beat.began).max();
        let any_live = live(&self.runs).next().is_some();
        self.runs.iter().filter(move |run| match run.heard {
            Heard::Live => true,
            Heard::Lost => !self.runs.iter().any(|other| other.follows(run)),
            Heard::Over => !any_live && Some(run.beat.began) == last_word,
        })
    }
}

fn live(runs: &[Run]) -> impl Iterator<Item = &Run> {
    runs.iter().filter(|run| run.heard == Heard::Live)
}

fn why(store: &Store, month: Month) -> Option<String> {
    match failures::read(store, month) {
        Ok(failure) => failure.map(|failure| failure.error),
        Err(error) => Some(exit::sentence(&error.into())),
    }
}
