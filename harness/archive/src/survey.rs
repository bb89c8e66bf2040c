//! What is known of each month of a store, whatever is wrong with it.

use std::collections::BTreeMap;

use base::{exit, schedule};
use data::{
    Month, MonthRange,
    holidays::{Hours, hours},
    input::FileName,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    discover::RawFile,
    failures::{self, Failure},
    holdings::{Held, Holdings, within},
    manifest::{self, Item, Version},
    state::State,
    store::{Store, StoreError},
    withheld::{self, Withheld},
};
use statistics::{
    Wrong,
    quality::wrong::MOST_SCORE,
    score::{Band, Priority, Quality, Reprocess},
};

/// Manifests read at a time.
pub const READERS: usize = 8;

/// One month.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The month.
    pub month: Month,
    /// What it is.
    pub state: State,
    /// Rows of the current version, or of what is withheld.
    pub rows: Option<u64>,
    /// Score of the same.
    pub score: Option<f64>,
    /// That score in a word.
    pub band: Option<Band>,
    /// What makes it wrong, and what to do about it.
    pub wrong: Vec<String>,
    /// Its version.
    pub version: Option<String>,
    /// Parquet and statistics of the current version.
    #[serde(skip)]
    pub items: Option<[Item; 2]>,
    /// When it became current.
    pub published: Option<Timestamp>,
    /// Rolled back, and kept so.
    pub pinned: bool,
    /// Versions in the history.
    pub earlier: usize,
    /// What the score says, or with `--needed` the statistics.
    pub reprocess: Option<Reprocess>,
    /// Its raw files.
    pub raw: Raw,
    /// Its last run, if that failed.
    pub failure: Option<Failure>,
    /// What a gate kept from being published.
    pub withheld: Option<Withheld>,
    /// What cannot be read.
    pub errors: Vec<String>,
}

/// The raw files of a month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Raw {
    /// Their keys.
    pub files: Vec<String>,
    /// Those of the same dates, under several keys.
    pub duplicates: Vec<Vec<String>>,
    /// First and last date in their names, where that is not the whole month.
    pub partial: Option<(Date, Date)>,
}

/// Every month from the first to the last with anything of it, those of the range.
///
/// # Errors
/// The store cannot be listed; what is wrong with one month is said in its line.
pub fn survey(
    store: &Store,
    raw: &[RawFile],
    range: Option<MonthRange>,
    needed: bool,
) -> Result<Vec<Line>, StoreError> {
    let holdings = Holdings::of(store)?;
    let months = known(&holdings, raw, range);
    let mut lines = Vec::new();
    schedule::in_order(
        &months,
        READERS,
        |&month| Line::of(store, month, holdings.held(month), raw, needed),
        |line| {
            lines.push(line);
            true
        },
    );
    Ok(lines)
}

/// From the first to the last month with anything of it, those of the range.
pub fn known(holdings: &Holdings, raw: &[RawFile], range: Option<MonthRange>) -> Vec<Month> {
    let held =
        holdings.months.iter().filter(|(_, held)| held.published || held.removed || held.failed || held.withheld);
    let first = held.clone().map(|(&month, _)| month).chain(raw.iter().map(|file| file.first)).min();
    let last = held.map(|(&month, _)| month).chain(raw.iter().map(|file| file.last)).max();
    let all = first.zip(last).and_then(|(first, last)| MonthRange::new(first, last));
    all.into_iter().flat_map(MonthRange::iter).filter(|&month| within(range, month)).collect()
}

impl Line {
    /// What is known of a month.
    pub fn of(store: &Store, month: Month, held: &Held, raw: &[RawFile], needed: bool) -> Self {
        let raw = Raw::of(month, raw);
        let state = State::of(held, false, !raw.files.is_empty());
        let mut line = Self {
            month,
            state,
            rows: None,
            score: None,
            band: None,
            wrong: Vec::new(),
            version: None,
            items: None,
            published: None,
            pinned: false,
            earlier: 0,
            reprocess: None,
            raw,
            failure: None,
            withheld: None,
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
        if held.withheld {
            match withheld::read(store, month) {
                Ok(withheld) => line.withheld = withheld,
                Err(error) => line.errors.push(exit::sentence(&error.into())),
            }
        }
        if let (State::Withheld, Some(Withheld { version, rows, score, .. })) = (line.state, &line.withheld) {
            (line.rows, line.score, line.band) = (Some(*rows), Some(*score), Some(Band::of(*score)));
            line.version = Some(version.clone());
        }
        line
    }

    /// Takes in what the manifest says.
    fn read(&mut self, store: &Store, needed: bool) -> base::Result<()> {
        match self.state {
            State::Published => {
                // Removed since it was listed: then it is what it says it is no longer.
                let Some((manifest, _)) = manifest::read(store, self.month)? else { return Ok(()) };
                let Version { version, rows, score, published, data, statistics, .. } = &manifest.current;
                self.items = Some([data.clone(), statistics.clone()]);
                (self.rows, self.score, self.band) = (Some(*rows), Some(*score), Some(Band::of(*score)));
                (self.version, self.published) = (Some(version.clone()), Some(*published));
                (self.pinned, self.earlier) = (manifest.pinned, manifest.history.len());
                // Statistics are read where they say more than the score.
                self.reprocess = Some(if needed || *score <= MOST_SCORE {
                    let (reprocess, wrong) = recommended(store, &manifest.current);
                    self.wrong = wrong;
                    reprocess
                } else {
                    Reprocess::of_score(*score)
                });
            }
            State::Removed => {
                self.earlier =
                    manifest::read_removed(store, self.month)?.map_or(0, |(removed, _)| removed.history.len());
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether the statistics of a version recommend to make the month again; statistics that cannot be read do. And what makes
/// the month wrong.
pub fn recommended(store: &Store, version: &Version) -> (Reprocess, Vec<String>) {
    #[derive(Deserialize)]
    struct Statistics {
        quality: Quality,
        errors: Vec<Wrong>,
    }
    let read = || -> base::Result<Option<(Reprocess, Vec<String>)>> {
        let Some((bytes, _)) = store.read(&version.statistics.key)? else { return Ok(None) };
        let Statistics { quality, errors } = serde_json::from_slice(&bytes)?;
        Ok(Some((quality.reprocess, errors.iter().map(Wrong::sentence).collect())))
    };
    let why = match read() {
        Ok(Some(said)) => return said,
        Ok(None) => "its statistics are missing".to_owned(),
        Err(error) => format!("its statistics cannot be read: {}", exit::sentence(&error)),
    };
    (Reprocess::because(vec![why], Priority::of(version.score)), Vec::new())
}

impl Raw {
    /// Those of a month, out of all.
    pub fn of(month: Month, all: &[RawFile]) -> Self {
        let mut by_name: BTreeMap<(Date, Date, usize, &str), Vec<String>> = BTreeMap::new();
        let files: Vec<&RawFile> = all.iter().filter(|file| file.holds(month)).collect();
        for file in &files {
            let ((first, last), name) = (file.dates, file.name());
            let part = FileName::parse(name).map_or(name, |name| name.part);
            by_name.entry((first, last, file.schema, part)).or_default().push(file.key.clone());
        }
        let (first, last) = (month.first_day(), month.last_day());
        let begin = by_name.keys().map(|(begin, ..)| (*begin).max(first)).min();
        let end = by_name.keys().map(|(_, end, ..)| (*end).min(last)).max();
        // A download split by day has no files of days on which nothing trades.
        let trades = |date: &Date| hours(*date) != Hours::Closed;
        let days = std::iter::successors(Some(first), |date| date.tomorrow().ok()).take_while(|date| *date <= last);
        let lacking =
            |(begin, end): &(Date, Date)| days.clone().filter(trades).any(|date| date < *begin || date > *end);
        Self {
            files: files.iter().map(|file| file.key.clone()).collect(),
            partial: begin.zip(end).filter(lacking),
            duplicates: by_name.into_values().filter(|keys| keys.len() > 1).collect(),
        }
    }
}
