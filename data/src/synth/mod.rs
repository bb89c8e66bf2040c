//! Synthetic months one can believe, with the answers a reader has to find.
//!
//! A month is a Databento file as the exchange's would be: three outrights whose volume moves from one to the next
//! around the roll, the calendar spreads between them, sessions with the intraday shape of volume and volatility, fat
//! tails, calm and violent days, a thin night, holidays, early closes and daylight saving time. Every byte follows from
//! the plan and the month, whatever other months are made. [`Defect`] adds bad records on request. [`MonthTruth`] says
//! what is in the file.
//!
//! Not the right tool to judge a trading idea: the prices are a random walk.

mod bars;
mod calendar;
mod chance;
mod contracts;
mod cycle;
mod defects;
mod market;
mod shape;
mod truth;
mod write;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use jiff::civil::Date;
use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::{
    calendar::TradeDay,
    contracts::{Kind, Listing},
    cycle::Cycle,
    defects::{Scope, Spans, Window},
};
pub use self::{
    defects::{Defect, DefectError},
    truth::{DefectAt, MonthTruth, Rollover, SessionTruth, Truth},
};
use crate::{Instrument, Month, MonthRange, instrument::InstrumentError};

/// Name of the file with the [`Truth`].
pub const TRUTH_FILE: &str = "truth.json";

/// One month in so many has a late open.
const LATE_OPEN_EVERY: i32 = 5;
/// Local time of the first trade after a halt of the night, seconds of the day.
const LATE_OPEN: i64 = 9 * 3600 + 10 * 60;
/// A late open or a missing day keeps so many weekdays away from the roll.
const AWAY_FROM_ROLL: i32 = 3;

/// What to make. The default is ES without bad records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// Root, tick, session and time zone.
    pub instrument: Instrument,
    /// Everything random follows from this and the month.
    pub seed: u64,
    /// Kinds of bad records to add.
    pub defects: Vec<Defect>,
    /// Price in June 2010, ticks.
    pub first_level: f64,
    /// Growth of the price a year, as a logarithm.
    pub yearly_growth: f64,
    /// Volatility in ticks relative to that of ES.
    pub volatility: f64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            instrument: Instrument::default(),
            seed: 1,
            defects: Vec::new(),
            first_level: 4_400.0,
            yearly_growth: 0.119,
            volatility: 1.0,
        }
    }
}

impl Plan {
    /// A market of an instrument's root, without bad records.
    #[must_use]
    pub fn of(instrument: Instrument) -> Self {
        let cycle = Cycle::of(&instrument.root);
        let (first_level, yearly_growth) = (cycle.first_level(&instrument), cycle.growth);
        Self { instrument, first_level, yearly_growth, volatility: cycle.volatility, ..Self::default() }
    }
}

/// Why a month was not made.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// The instrument of the plan cannot be used.
    #[error("instrument: {0}")]
    Instrument(#[from] InstrumentError),
    /// A number of the plan cannot be used.
    #[error("plan: {0} is not a positive number")]
    Plan(&'static str),
    /// The months after this one are beyond the calendar.
    #[error("{0}: too close to the end of the calendar")]
    Month(Month),
    /// A date or time beyond the calendar.
    #[error("calendar: {0}")]
    Time(#[from] jiff::Error),
    /// The volumes came out otherwise than planned: the session of this instrument lies outside of the trading hours.
    #[error("{date}: {actual} has the most volume in the session, not {planned} as planned")]
    Front {
        /// Session.
        date: Date,
        /// Contract meant to be front.
        planned: String,
        /// Contract with the most volume.
        actual: String,
    },
    /// A file could not be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// File.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be encoded.
    #[error("{}: {source}", path.display())]
    Dbn {
        /// File.
        path: PathBuf,
        /// What the encoder said.
        source: dbn::Error,
    },
    /// The truth could not be written as JSON.
    #[error("truth: {0}")]
    Json(#[from] serde_json::Error),
}

impl SynthError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// Writes one month into a directory, which is created if it is missing.
///
/// # Errors
/// [`SynthError`], naming the file or the setting.
pub fn write_month(plan: &Plan, month: Month, dir: &Path) -> Result<MonthTruth, SynthError> {
    check(plan)?;
    let zone = plan.instrument.zone()?;
    let days = calendar::trade_days(month, &zone)?;
    let listing = Listing::new(plan, month)?;
    let mut rng = chance::stream(plan.seed, month.index(), chance::Stream::Calendar);
    // Full days away from the roll and inside the month; the one at `first` may open late, the one at `second` be missing.
    let ordinary: Vec<Date> = days
        .iter()
        .filter(|day| day.full && day.date > month.first_day() && day.date <= month.last_day())
        .filter(|day| calendar::weekdays_between(listing.roll, day.date).abs() > AWAY_FROM_ROLL)
        .map(|day| day.date)
        .collect();
    let first = rng.random_range(0..ordinary.len().max(1));
    let second = first + rng.random_range(1..ordinary.len().max(2));
    let midnight = |date: Date| calendar::unix(date, 0, &zone);
    let mut halts = Vec::new();
    let mut defects = Vec::new();
    let late = ordinary.get(first).filter(|_| month.index() % LATE_OPEN_EVERY == 0);
    if let Some(&date) = late {
        halts.push((midnight(date)?, calendar::unix(date, LATE_OPEN, &zone)?));
    }
    let missing = ordinary.get(second % ordinary.len().max(1)).filter(|_| plan.defects.contains(&Defect::MissingDay));
    if let Some(&date) = missing {
        halts.push((midnight(date)?, midnight(date.tomorrow()?)?));
        let ts = midnight(date)? as u64 * 1_000_000_000;
        defects.push(DefectAt { kind: Defect::MissingDay, record: None, ts, symbol: None });
    }
    let mut records = bars::records(plan, month, &days, &listing, &halts)?;
    let spared = |date: Date| Some(&date) == late || Some(&date) == missing;
    let windows = windows(plan, &days, &listing, |date| !spared(date))?;
    let spoiled = defects::spoil(plan, month, &mut records, &windows);

    let symbol = |id: u32| listing.contracts.iter().find(|contract| contract.id == id).map(|found| &found.symbol);
    let mut dropped = BTreeMap::new();
    for &(number, kind) in &spoiled {
        let head = &records[number].hd;
        let symbol = symbol(head.instrument_id).cloned();
        defects.push(DefectAt { kind, record: Some(number as u64), ts: head.ts_event, symbol });
        if let Some(rule) = kind.rule() {
            *dropped.entry(rule.to_owned()).or_default() += 1;
        }
    }
    defects.sort_by_key(|defect| defect.record);
    let gone: Vec<usize> = spoiled.iter().filter(|(_, kind)| kind.is_dropped()).map(|(number, _)| *number).collect();
    let sessions = truth::sessions(plan, month, &records, &gone, &listing)?;
    let rollovers = truth::rollovers(&sessions);
    // What was true of the market is known by now; what follows is wrong in the file alone.
    let ordinary = |day: &usize| ordinary.contains(&days[*day].date) && !spared(days[*day].date);
    let ordinary: Vec<usize> = (0..days.len()).filter(ordinary).collect();
    let spans = Spans { plan, month, listing: &listing, days: &days, ordinary: &ordinary };
    defects.extend(spans.spoil(&mut records)?);
    let listing = defects::renamed(plan, listing);
    let mut records_by_symbol = BTreeMap::new();
    for contract in &listing.contracts {
        let of = records.iter().filter(|record| record.hd.instrument_id == contract.id).count() as u64;
        if of > 0 {
            records_by_symbol.insert(contract.symbol.clone(), of);
        }
    }
    let file = write::file_name(month);
    fs::create_dir_all(dir).map_err(|source| SynthError::io(dir, source))?;
    write::dbn_file(&dir.join(&file), &plan.instrument.root, month, &listing, &records)?;
    let first = records.first().map_or(0, |record| record.hd.ts_event);
    for kind in Defect::ALL.into_iter().filter(|kind| kind.scope() == Scope::File && plan.defects.contains(kind)) {
        write::changed(&dir.join(&file), |bytes| defects::damage(kind, bytes))?;
        defects.push(DefectAt { kind, record: None, ts: first, symbol: None });
    }
    let records = records.len() as u64;
    Ok(MonthTruth { month, file, records, records_by_symbol, sessions, rollovers, defects, dropped })
}

/// Writes every month of a range and `truth.json`, several months at a time. `progress` hears of each month that is done, in no
/// particular order.
///
/// # Errors
/// The [`SynthError`] of one of the months that failed; `truth.json` is then not written.
pub fn write_months(
    plan: &Plan,
    months: MonthRange,
    dir: &Path,
    progress: &mut (dyn FnMut(&MonthTruth) + Send),
) -> Result<Truth, SynthError> {
    let progress = Mutex::new(progress);
    let months: Vec<Month> = months.iter().collect();
    let one = |month: &Month| {
        let truth = write_month(plan, *month, dir)?;
        if let Ok(mut progress) = progress.lock() {
            progress(&truth);
        }
        Ok(truth)
    };
    let months: Vec<MonthTruth> = months.par_iter().map(one).collect::<Result<_, SynthError>>()?;
    let truth = Truth { seed: plan.seed, instrument: plan.instrument.clone(), months };
    write::text_file(&dir.join(TRUTH_FILE), &format!("{}\n", serde_json::to_string_pretty(&truth)?))?;
    Ok(truth)
}

/// The numbers of the plan.
fn check(plan: &Plan) -> Result<(), SynthError> {
    plan.instrument.check()?;
    let positive = |value: f64| value.is_finite() && value > 0.0;
    match plan {
        _ if !positive(plan.first_level) => Err(SynthError::Plan("first_level")),
        _ if !positive(plan.volatility) => Err(SynthError::Plan("volatility")),
        _ if !plan.yearly_growth.is_finite() => Err(SynthError::Plan("yearly_growth")),
        _ => Ok(()),
    }
}

/// The windows of the full sessions on the dates that are `wanted`.
fn windows(
    plan: &Plan,
    days: &[TradeDay],
    listing: &Listing,
    wanted: impl Fn(Date) -> bool,
) -> Result<Vec<Window>, SynthError> {
    let zone = plan.instrument.zone()?;
    let mut windows = Vec::new();
    for day in days.iter().filter(|day| day.full && wanted(day.date)) {
        let front = Kind::Outright(listing.front(day.date));
        let Some(contract) = listing.contracts.iter().find(|contract| contract.kind == front) else { continue };
        let spans = plan.instrument.spans(day.date).unwrap_or_default();
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else { continue };
        let seconds = calendar::unix(day.date, first.start, &zone)?..calendar::unix(day.date, last.end, &zone)?;
        windows.push(Window { seconds, front: contract.id });
    }
    Ok(windows)
}
