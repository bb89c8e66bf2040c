//! The success criteria of the runbook: what an archive has to keep, what it kept, and where it was worst.

use std::collections::{BTreeMap, btree_map};

use data::{
    Month,
    synth::{MonthTruth, TRUTH_FILE, Truth},
};

use super::{
    archive::{Archive, Entry},
    charts::modes::USUAL_WINS,
    document::Section,
    table::{Cell, Table, table},
    text,
};
use crate::{
    failures,
    feature_ranges::{self, Kind},
    months::survey::{Line, State},
    statistics::Statistics,
    store::{Store, StoreError},
    validate::{self, Accuracy},
};

const TEXT: bool = false;
const NUMBER: bool = true;

/// Limits of SPEC.md, QUALITY.md and the alert rules.
const MOST_BYTES: f64 = 8e9;
const MOST_SECONDS: f64 = 45.0 * 60.0;
const LEAST_SCORE: f64 = 0.8;
const MOST_FAILED: f64 = 0.02;
const LEAST_ROLLS: f64 = 0.95;
const LEAST_RECOVERED: f64 = 0.90;

/// What a figure has to be.
#[derive(Clone, Copy)]
enum Limit {
    Most(f64),
    Least(f64),
    Above(f64),
}

/// One criterion.
struct Criterion {
    name: &'static str,
    limit: Limit,
    /// None where there is nothing to measure.
    measured: Option<f64>,
    show: fn(f64) -> String,
    /// Whether it is kept when nothing is there to be measured.
    without: bool,
    /// Where it was worst, or what was counted.
    note: String,
}

impl Criterion {
    fn passed(&self) -> bool {
        self.measured.map_or(self.without, |measured| match self.limit {
            Limit::Most(limit) => measured <= limit,
            Limit::Least(limit) => measured >= limit,
            Limit::Above(limit) => measured > limit,
        })
    }

    fn row(&self) -> Vec<Cell> {
        let (word, limit) = match self.limit {
            Limit::Most(limit) => ("at most", limit),
            Limit::Least(limit) => ("at least", limit),
            Limit::Above(limit) => ("above", limit),
        };
        vec![
            Cell::text(self.name),
            Cell::text(format!("{word} {}", (self.show)(limit))),
            Cell::number(self.measured, self.show).faulty_if(!self.passed()),
            Cell::must(self.passed()),
            Cell::text(self.note.as_str()),
        ]
    }
}

/// The criteria of an archive.
pub struct Success(Vec<Criterion>);

impl Success {
    /// Measures an archive: by its statistics, by the records of failures in its store, and by the truth beside its raw
    /// files where these are synthetic.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn of(archive: &Archive, store: &Store, raw: &Store) -> Result<Self, StoreError> {
        let mut criteria = vec![
            worst(
                archive,
                "Peak memory",
                Limit::Most(MOST_BYTES),
                |bytes| text::bytes(bytes as u64),
                |month| {
                    month.performance.peak_rss_bytes.into_iter().map(|bytes| (bytes as f64, String::new())).collect()
                },
            ),
            worst(archive, "Time of a month", Limit::Most(MOST_SECONDS), seconds, |month| {
                vec![(month.performance.seconds, String::new())]
            }),
            worst(archive, "Lowest win rate", Limit::Least(*USUAL_WINS.start()), share, win_rates),
            worst(archive, "Highest win rate", Limit::Most(*USUAL_WINS.end()), share, win_rates),
            worst(
                archive,
                "Quality",
                Limit::Least(LEAST_SCORE),
                |score| text::fixed(score, 3),
                |month| vec![(month.quality.score, String::new())],
            ),
        ];
        let kinds = [
            ("NaN share, features with a window", Kind::Windowed),
            ("NaN share, other features", Kind::Immediate),
            ("NaN share, time flags", Kind::Flag),
        ];
        criteria.extend(kinds.map(|(name, kind)| {
            worst(archive, name, Limit::Most(kind.nan_ceiling()), share, |month| {
                let features = month.features.iter();
                let of_kind =
                    features.filter(|(name, _)| feature_ranges::nan_ceiling(name) == Some(kind.nan_ceiling()));
                of_kind.map(|(name, feature)| (feature.nan_share, name.clone())).collect()
            })
        }));
        criteria.extend([error_rate(archive), rolls(archive, raw)?, recovery(archive, store)?]);
        Ok(Self(criteria))
    }

    /// Whether every one is kept.
    pub fn passed(&self) -> bool {
        self.0.iter().all(Criterion::passed)
    }

    /// They as a part of a report.
    pub fn section(&self) -> Section {
        let missed = self.0.iter().filter(|criterion| !criterion.passed()).count();
        let all = self.0.len();
        let said = if missed == 0 { format!("All {all} are met.") } else { format!("{missed} of {all} are missed.") };
        Section::new("success", "Success criteria", self.table()).saying([said])
    }

    fn table(&self) -> Table {
        let headers =
            [("Criterion", TEXT), ("Limit", TEXT), ("Measured", NUMBER), ("Met", TEXT), ("Worst, or of what", TEXT)];
        table(headers, self.0.iter().map(Criterion::row), "")
    }
}

fn seconds(seconds: f64) -> String {
    if seconds < 60.0 { format!("{seconds:.2} s") } else { format!("{:.1} min", seconds / 60.0) }
}

fn share(share: f64) -> String {
    text::percent(share, 1)
}

fn win_rates(month: &Statistics) -> Vec<(f64, String)> {
    let rates = month.modes.iter().filter_map(|(name, mode)| Some((mode.win_rate?, text::words(name))));
    rates.collect()
}

/// The figure of all months that is farthest towards its limit, with its month and name.
fn worst(
    archive: &Archive,
    name: &'static str,
    limit: Limit,
    show: fn(f64) -> String,
    of: impl Fn(&Statistics) -> Vec<(f64, String)>,
) -> Criterion {
    let figures = archive.published().flat_map(|(line, month)| of(month).into_iter().map(|found| (line.month, found)));
    let worse = |a: f64, b: f64| if matches!(limit, Limit::Most(_)) { a > b } else { a < b };
    let found = figures.reduce(|worst, next| if worse(next.1.0, worst.1.0) { next } else { worst });
    let note = found.as_ref().map_or_else(
        || "no month is published".to_owned(),
        |(month, (_, name))| format!("{month} {name}").trim_end().to_owned(),
    );
    Criterion { name, limit, measured: found.map(|(_, (value, _))| value), show, without: false, note }
}

/// Share of the months that were tried whose last run failed, as `status` has it.
fn error_rate(archive: &Archive) -> Criterion {
    let lines = || archive.months.iter().map(|entry| &entry.line);
    let tried = lines().filter(|line| line.state == State::Published || failing(line)).count();
    let failed = lines().filter(|line| failing(line)).count();
    Criterion {
        name: "Error rate",
        limit: Limit::Most(MOST_FAILED),
        measured: of(failed, tried),
        show: share,
        without: false,
        note: format!("{failed} of {tried} months that were tried"),
    }
}

fn failing(line: &Line) -> bool {
    line.state == State::Failed || line.failure.is_some()
}

fn of(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Of the months that failed at some time, those that were published later.
fn recovery(archive: &Archive, store: &Store) -> Result<Criterion, StoreError> {
    let recovered = failures::recovered(store)?;
    let mended = |line: &Line| match &line.failure {
        // A record that only `clean` has not removed yet.
        Some(failure) => line.published.is_some_and(|published| published > failure.when),
        None => line.state != State::Failed && recovered.contains(&line.month),
    };
    let lines = || archive.months.iter().map(|entry| &entry.line);
    let mended = lines().filter(|line| mended(line)).count();
    let failed = lines().filter(|line| failing(line) || recovered.contains(&line.month)).count();
    let note = match failed {
        0 => "no month has failed".to_owned(),
        _ => format!("{mended} of {failed} months that failed were published later"),
    };
    Ok(Criterion {
        name: "Recovery rate",
        limit: Limit::Least(LEAST_RECOVERED),
        measured: of(mended, failed),
        show: share,
        without: true,
        note,
    })
}

/// Rolls on the right session: by the truth beside the raw files, and where there is none, in their expected windows;
/// where the root has no window, to the contract with more volume.
/// One that was invented counts as one that is wrong.
fn rolls(archive: &Archive, raw: &Store) -> Result<Criterion, StoreError> {
    let mut truths: BTreeMap<String, Vec<MonthTruth>> = BTreeMap::new();
    let (mut by_truth, mut expected, mut by_window) = (Accuracy::default(), 0, 0);
    for Entry { line, statistics, .. } in &archive.months {
        let Some(statistics) = statistics else { continue };
        match truth(raw, line.month, statistics, &mut truths)? {
            Some(truth) => by_truth = by_truth.and(validate::against(truth, statistics)),
            None => {
                let rolls = || statistics.rollovers.iter().filter(|roll| !roll.is_gap());
                by_window += rolls().count();
                expected += rolls().filter(|roll| roll.expected.unwrap_or(roll.volume_to > roll.volume_from)).count();
            }
        }
    }
    let Accuracy { months, happened, found, invented } = by_truth;
    let mut said = Vec::new();
    if months > 0 {
        said.push(format!("{found} of {happened} by {TRUTH_FILE}, {invented} invented"));
    }
    if by_window > 0 {
        said.push(format!(
            "{expected} of {by_window} in their expected window, or by the volumes where the root has none"
        ));
    }
    if said.is_empty() {
        said.push("no roll".to_owned());
    }
    Ok(Criterion {
        name: "Roll accuracy",
        limit: Limit::Above(LEAST_ROLLS),
        measured: of(found as usize + expected, (happened + invented) as usize + by_window),
        show: share,
        without: true,
        note: said.join("; "),
    })
}

/// What is said of a month beside one of the raw files it was made from.
fn truth<'a>(
    raw: &Store,
    month: Month,
    statistics: &Statistics,
    known: &'a mut BTreeMap<String, Vec<MonthTruth>>,
) -> Result<Option<&'a MonthTruth>, StoreError> {
    for input in &statistics.inputs {
        let folder = input.key.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        if let btree_map::Entry::Vacant(unknown) = known.entry(folder.clone()) {
            let json = raw.read(&format!("{folder}{TRUTH_FILE}"))?;
            // A file of that name that is none says nothing.
            let truth = json.and_then(|(json, _)| serde_json::from_slice::<Truth>(&json).ok());
            unknown.insert(truth.map_or_else(Vec::new, |truth| truth.months));
        }
    }
    let of = |truth: &&MonthTruth| {
        let named = |key: &str| key.rsplit('/').next() == Some(truth.file.as_str());
        truth.month == month && statistics.inputs.iter().any(|input| named(&input.key))
    };
    Ok(known.values().flatten().find(of))
}
