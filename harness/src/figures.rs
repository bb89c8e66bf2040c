//! A few figures of every published month, from manifests and statistics that are read again only when they have changed.

use std::collections::BTreeMap;

use data::Month;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    exit,
    holdings::{Held, Holdings},
    manifest,
    quality::wrong::Wrong,
    schedule,
    statistics::Statistics,
    store::Store,
};

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
    /// Busy seconds of the stages, in order.
    pub stages: Vec<(String, f64)>,
}

/// The figures of all months that are published; `known` are those of an earlier look.
pub fn of(store: &Store, holdings: &Holdings, known: &BTreeMap<Month, Figures>) -> BTreeMap<Month, Figures> {
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
        let found = if same { Ok(known.cloned()) } else { read(store, *month, tag.clone(), known) };
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

fn read(store: &Store, month: Month, tag: Option<String>, known: Option<&Figures>) -> anyhow::Result<Option<Figures>> {
    let Some((manifest, _)) = manifest::read(store, month)? else { return Ok(None) };
    let current = manifest.current;
    if let Some(known) =
        known.filter(|known| (&known.version, known.published) == (&current.version, current.published))
    {
        return Ok(Some(Figures { tag, ..known.clone() }));
    }
    let Some((bytes, _)) = store.read(&current.statistics.key)? else { return Ok(None) };
    let statistics: Statistics = serde_json::from_slice(&bytes)?;
    let rates = statistics.modes.iter().filter_map(|(name, mode)| Some((name.clone(), mode.win_rate?)));
    Ok(Some(Figures {
        version: current.version,
        tag,
        published: current.published,
        rows: current.rows,
        score: current.score,
        wrong: statistics.errors.iter().map(Wrong::sentence).collect(),
        seconds: statistics.performance.seconds,
        peak_bytes: statistics.performance.peak_rss_bytes,
        win_rates: rates.collect(),
        stages: statistics.performance.stages.iter().map(|stage| (stage.name.clone(), stage.seconds)).collect(),
    }))
}
