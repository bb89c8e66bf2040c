//! What a store holds, as reports read it: every month, and the statistics of those that are published.

use archive::{
    discover::RawFile,
    failures::Failure,
    holdings::{Held, Holdings},
    state::State,
    store::Store,
    survey::{Line, READERS, Raw, known},
    withheld::Withheld,
};
use base::{
    error::{Class, Context, Met},
    exit, schedule,
};
use data::{Month, MonthRange, labels::Labels};
use jiff::Timestamp;
use kernels::labels::Mode;

use super::charts::timeline::Series;
use statistics::Statistics;

/// An archive.
pub struct Archive {
    /// Name of the store.
    pub store: String,
    /// When it was read.
    pub read: Timestamp,
    /// Every month from the first to the last with anything of it.
    pub months: Vec<Entry>,
}

/// One month.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What is known of it.
    pub line: Line,
    /// What is held of it.
    held: Held,
    /// Its statistics, where it is published.
    pub statistics: Option<Statistics>,
}

impl Archive {
    /// Reads a store.
    ///
    /// # Errors
    /// The store cannot be listed; what is wrong with one month is said in its line.
    pub fn read(store: &Store, raw: &[RawFile], range: Option<MonthRange>) -> base::Result<Self> {
        Ok(Self::of(store, &Holdings::of(store)?, raw, range, &[]))
    }

    /// What is held in a store. Of months that are as they were `before`, nothing is read again.
    pub fn of(
        store: &Store,
        holdings: &Holdings,
        raw: &[RawFile],
        range: Option<MonthRange>,
        before: &[Entry],
    ) -> Self {
        let listed = known(holdings, raw, range);
        let mut months = Vec::with_capacity(listed.len());
        let look = |&month: &Month| {
            let held = holdings.held(month);
            let same = before.iter().find(|entry| entry.line.month == month && entry.held == *held);
            match same.filter(|entry| entry.line.errors.is_empty() && entry.line.raw == Raw::of(month, raw)) {
                Some(entry) => entry.clone(),
                None => Entry::of(store, Line::of(store, month, held, raw, false), held.clone()),
            }
        };
        schedule::in_order(&listed, READERS, look, |entry| {
            months.push(entry);
            true
        });
        Self { store: store.name().to_owned(), read: Timestamp::now(), months }
    }

    /// The published months with their statistics.
    pub fn published(&self) -> impl DoubleEndedIterator<Item = (&Line, &Statistics)> {
        self.months.iter().filter_map(|entry| Some((&entry.line, entry.statistics.as_ref()?)))
    }

    /// The modes of the published months, each once, in the order of the columns.
    pub fn modes(&self) -> Vec<Mode> {
        let mut modes: Vec<Mode> = Vec::new();
        for (_, statistics) in self.published() {
            let new = statistics.labels();
            modes.extend(
                new.specification
                    .modes()
                    .iter()
                    .filter(|mode| !modes.iter().any(|known| known.name == mode.name))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
        if modes.is_empty() { Labels::default().specification.modes().to_vec() } else { modes }
    }

    /// The months of a state.
    pub fn lines(&self, state: State) -> impl Iterator<Item = &Line> {
        self.months.iter().map(|entry| &entry.line).filter(move |line| line.state == state)
    }

    /// The months whose last run failed, from a time on, published before or not.
    pub fn failed(&self, since: Timestamp) -> impl Iterator<Item = (&Line, &Failure)> {
        let lines = self.months.iter().map(|entry| &entry.line);
        lines.filter_map(move |line| Some((line, line.failure.as_ref().filter(|failure| failure.when >= since)?)))
    }

    /// What a gate kept from being published, from a time on.
    pub fn withheld(&self, since: Timestamp) -> impl Iterator<Item = &Withheld> {
        self.months.iter().filter_map(move |entry| entry.line.withheld.as_ref().filter(|held| held.when >= since))
    }

    /// Every month, published or not: the axis of a chart.
    pub fn axis(&self) -> Vec<Month> {
        self.months.iter().map(|entry| entry.line.month).collect()
    }

    /// A figure of each month, for a chart.
    pub fn series(&self, name: impl Into<String>, of: impl Fn(&Statistics) -> Option<f64>) -> Series {
        let values = self.months.iter().map(|entry| entry.statistics.as_ref().and_then(&of));
        Series { name: name.into(), values: values.map(|value| value.filter(|value| value.is_finite())).collect() }
    }

    /// What could not be read, with the month.
    pub fn errors(&self) -> Vec<String> {
        let lines = self.months.iter().map(|entry| &entry.line);
        lines.flat_map(|line| line.errors.iter().map(|error| format!("{}: {error}", line.month))).collect()
    }
}

impl Entry {
    fn of(store: &Store, mut line: Line, held: Held) -> Self {
        let items = line.items.clone().filter(|_| line.state == State::Published);
        let statistics = items.and_then(|[_, item]| match statistics(store, &item.key) {
            Ok(statistics) => Some(statistics),
            Err(error) => {
                line.errors.push(exit::sentence(&error));
                None
            }
        });
        Self { line, held, statistics }
    }
}

fn statistics(store: &Store, key: &str) -> base::Result<Statistics> {
    let Some((bytes, _)) = store.read(key)? else {
        return Err(base::Error::new(Class::Published, format!("{key} is missing: run the month again")));
    };
    let unread = || format!("{key} holds no statistics that can be read: run the month with --force");
    serde_json::from_slice(&bytes).met_as(Class::Published).with_context(unread)
}
