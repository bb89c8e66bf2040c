//! A few figures of every published month, from manifests and statistics that are read again only when they have changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use archive::{
    holdings::{Held, Holdings},
    manifest,
    store::{Store, StoreError},
};
use base::{
    error::{Class, Context, Met},
    exit, schedule,
};
use data::{
    Month,
    synth::{MonthTruth, TRUTH_FILE, Truth},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::validate::{self, Accuracy};
use statistics::{Statistics, Wrong, feature_ranges, quality::consistency::Likeness};

/// Months read at a time.
const READERS: usize = 8;

/// One month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// The version that is current.
    pub version: String,
    /// State of its manifest, where the store names one.
    pub tag: Option<String>,
    /// When it became current.
    pub published: Timestamp,
    /// Rows.
    pub rows: u64,
    /// Quality score.
    pub score: f64,
    /// What makes it wrong, and what to do about it.
    pub wrong: Vec<String>,
    /// Wall-clock seconds until it was published.
    pub seconds: f64,
    /// Largest memory of its process until then.
    pub peak_bytes: Option<u64>,
    /// Share of wins by mode.
    pub win_rates: BTreeMap<String, f64>,
    /// Modes within a band of wins of their own, which no rule is for.
    #[serde(default)]
    pub within_band: BTreeSet<String>,
    /// Busy seconds of the stages, in order.
    pub stages: Vec<(String, f64)>,
    /// When it was published for the first time.
    pub first_published: Timestamp,
    /// Keys and sizes of its objects.
    pub objects: Vec<(String, u64)>,
    /// Highest share of NaNs of a feature with a window, and the feature.
    pub windowed_nan: Option<(f64, String)>,
    /// Its rolls, and how many are right.
    pub rolls: Rolls,
    /// What of it is held to the archive.
    pub likeness: Likeness,
}

/// The rolls of months.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rolls {
    /// By the truth beside the raw files.
    pub by_truth: Accuracy,
    /// Where there is no truth: rolls, and those of them in their expected window, or by the volumes for a root without one.
    pub found: u64,
    /// See `found`.
    pub expected: u64,
}

/// The figures of all months that are published; `known` are those of an earlier look, `raw` is where the raw files are.
pub fn of(
    store: &Store,
    raw: Option<&Store>,
    holdings: &Holdings,
    known: &BTreeMap<Month, Figures>,
) -> BTreeMap<Month, Figures> {
    let truths = Truths::new(raw);
    let published: Vec<(Month, Option<String>)> = holdings
        .months
        .iter()
        .filter(|(_, held)| held.published)
        .map(|(&month, held)| (month, tag(month, held)))
        .collect();
    let mut figures = BTreeMap::new();
    let read = |(month, tag): &(Month, Option<String>)| {
        let known = known.get(month);
        let same = tag.is_some() && known.is_some_and(|known| known.tag == *tag);
        let found = if same { Ok(known.cloned()) } else { read(store, &truths, *month, tag.clone(), known) };
        (*month, found)
    };
    schedule::in_order(&published, READERS, read, |(month, found)| {
        match found {
            Ok(Some(found)) => _ = figures.insert(month, found),
            Ok(None) => {}
            Err(error) => tracing::warn!("{month}: {}", exit::sentence(&error)),
        }
        true
    });
    figures
}

fn tag(month: Month, held: &Held) -> Option<String> {
    held.objects.iter().find(|object| object.key == manifest::key(month))?.e_tag.clone()
}

fn read(
    store: &Store,
    truths: &Truths<'_>,
    month: Month,
    tag: Option<String>,
    known: Option<&Figures>,
) -> crate::Result<Option<Figures>> {
    let Some((manifest, _)) = manifest::read(store, month)? else { return Ok(None) };
    let published = manifest.history.iter().map(|version| version.published);
    let first_published = published.fold(manifest.current.published, Timestamp::min);
    let current = manifest.current;
    if let Some(known) =
        known.filter(|known| (&known.version, known.published) == (&current.version, current.published))
    {
        return Ok(Some(Figures { tag, first_published, ..known.clone() }));
    }
    let Some((bytes, _)) = store.read(&current.statistics.key)? else { return Ok(None) };
    let statistics: Statistics =
        serde_json::from_slice(&bytes).met_as(Class::Published).with_context(|| current.statistics.key.clone())?;
    let rates = statistics.modes.iter().filter_map(|(name, mode)| Some((name.clone(), mode.win_rate?)));
    Ok(Some(Figures {
        version: current.version,
        tag,
        published: current.published,
        rows: current.rows,
        score: statistics.quality.score,
        wrong: statistics.errors.iter().map(Wrong::sentence).collect(),
        seconds: statistics.performance.seconds,
        peak_bytes: statistics.performance.peak_rss_bytes,
        win_rates: rates.collect(),
        within_band: within_band(&statistics),
        first_published,
        objects: [&current.data, &current.statistics].map(|item| (item.key.clone(), item.bytes)).to_vec(),
        windowed_nan: windowed_nan(&statistics),
        rolls: rolls(truths.of(month, &statistics)?.as_ref(), &statistics),
        likeness: Likeness::of(&statistics),
        stages: statistics.performance.stages.iter().map(|stage| (stage.name.clone(), stage.seconds)).collect(),
    }))
}

fn within_band(statistics: &Statistics) -> BTreeSet<String> {
    let within = |mode: &String, (least, most): (f64, f64)| {
        let rate = statistics.modes.get(mode).and_then(|mode| mode.win_rate);
        rate.is_some_and(|rate| (least..=most).contains(&rate))
    };
    let bands = statistics.labels().win_rates;
    bands.into_iter().filter(|(mode, band)| within(mode, *band)).map(|(mode, _)| mode).collect()
}

fn windowed_nan(statistics: &Statistics) -> Option<(f64, String)> {
    let features = statistics.features.iter().filter(|(name, _)| feature_ranges::needs_window(name));
    features.map(|(name, feature)| (feature.nan_share, name.clone())).max_by(|a, b| a.0.total_cmp(&b.0))
}

fn rolls(truth: Option<&MonthTruth>, statistics: &Statistics) -> Rolls {
    let rolls = || statistics.rollovers.iter().filter(|roll| !roll.is_gap());
    match truth {
        Some(truth) => Rolls { by_truth: validate::against(truth, statistics), ..Rolls::default() },
        None => Rolls {
            found: rolls().count() as u64,
            expected: rolls().filter(|roll| roll.expected.unwrap_or(roll.volume_to > roll.volume_from)).count() as u64,
            ..Rolls::default()
        },
    }
}

impl Rolls {
    /// Those of both.
    pub fn and(self, other: Self) -> Self {
        Self {
            by_truth: self.by_truth.and(other.by_truth),
            found: self.found + other.found,
            expected: self.expected + other.expected,
        }
    }
}

/// What the files of synthetic months say of them, by folder of the raw files; each is read once.
struct Truths<'a> {
    raw: Option<&'a Store>,
    known: Mutex<BTreeMap<String, Arc<Vec<MonthTruth>>>>,
}

impl<'a> Truths<'a> {
    fn new(raw: Option<&'a Store>) -> Self {
        Self { raw, known: Mutex::default() }
    }

    /// What is said of a month beside one of the raw files it was made from.
    fn of(&self, month: Month, statistics: &Statistics) -> Result<Option<MonthTruth>, StoreError> {
        let Some(raw) = self.raw else { return Ok(None) };
        for input in &statistics.inputs {
            let (folder, name) = input.key.rsplit_once('/').unwrap_or(("", &input.key));
            let key = if folder.is_empty() { TRUTH_FILE.to_owned() } else { format!("{folder}/{TRUTH_FILE}") };
            let truths = {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                match known.get(&key) {
                    Some(truths) => Arc::clone(truths),
                    None => {
                        let json = raw.read(&key)?;
                        // A file of that name that is none says nothing.
                        let truth = json.and_then(|(json, _)| serde_json::from_slice::<Truth>(&json).ok());
                        let truths = Arc::new(truth.map_or_else(Vec::new, |truth| truth.months));
                        known.insert(key, Arc::clone(&truths));
                        truths
                    }
                }
            };
            if let Some(truth) = truths.iter().find(|truth| truth.month == month && truth.file == name) {
                return Ok(Some(truth.clone()));
            }
        }
        Ok(None)
    }
}
