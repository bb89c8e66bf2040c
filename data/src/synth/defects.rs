//! Bad records on request, each kind at a few places of the month.

use std::{fmt, ops::Range, str::FromStr};

use dbn::{OhlcvMsg, UNDEF_PRICE};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::{Plan, chance};
use crate::Month;

/// Places of each kind in a month, except for [`Defect::MissingDay`], of which there is one.
const PLACES: usize = 3;
/// Tries to find a place.
const TRIES: usize = 10_000;
/// Seconds at both ends of a session that are left alone.
const MARGIN: i64 = 1_200;
const NANOS: u64 = 1_000_000_000;

/// A kind of bad record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Defect {
    /// A price that is absent (`i64::MAX`).
    AbsentPrice,
    /// A price of zero or below.
    NonPositivePrice,
    /// A price between two ticks.
    OffTick,
    /// A low above the high.
    HighBelowLow,
    /// An open or a close outside of low and high.
    CloseOutside,
    /// The same record twice.
    DuplicateEqual,
    /// Two different records of the same instrument and second: the month cannot be processed.
    DuplicateDifferent,
    /// Two records in the wrong order.
    TimeBackwards,
    /// A timestamp that is not on a whole second.
    SubSecond,
    /// A weekday without a record of any contract.
    MissingDay,
}

/// Text that names no defect.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is not a defect: expected one of {names}", names = Defect::ALL.map(Defect::name).join(", "))]
pub struct DefectError(String);

impl Defect {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::AbsentPrice,
        Self::NonPositivePrice,
        Self::OffTick,
        Self::HighBelowLow,
        Self::CloseOutside,
        Self::DuplicateEqual,
        Self::DuplicateDifferent,
        Self::TimeBackwards,
        Self::SubSecond,
        Self::MissingDay,
    ];

    /// Name on the command line and in `truth.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AbsentPrice => "absent-price",
            Self::NonPositivePrice => "non-positive-price",
            Self::OffTick => "off-tick",
            Self::HighBelowLow => "high-below-low",
            Self::CloseOutside => "close-outside",
            Self::DuplicateEqual => "duplicate-equal",
            Self::DuplicateDifferent => "duplicate-different",
            Self::TimeBackwards => "time-backwards",
            Self::SubSecond => "sub-second",
            Self::MissingDay => "missing-day",
        }
    }

    /// The cleaning rule that counts it; none for what no rule can see or what fails the month.
    #[must_use]
    pub fn rule(self) -> Option<&'static str> {
        match self {
            Self::AbsentPrice => Some("price_absent"),
            Self::NonPositivePrice => Some("price_not_positive"),
            Self::OffTick => Some("price_off_tick"),
            Self::HighBelowLow => Some("high_below_low"),
            Self::CloseOutside => Some("open_close_outside"),
            Self::DuplicateEqual => Some("duplicate_equal"),
            Self::TimeBackwards => Some("time_backwards"),
            Self::SubSecond => Some("sub_second"),
            Self::DuplicateDifferent | Self::MissingDay => None,
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::AbsentPrice => "a price that is absent",
            Self::NonPositivePrice => "a price of zero or below",
            Self::OffTick => "a price between two ticks",
            Self::HighBelowLow => "a low above the high",
            Self::CloseOutside => "an open or a close outside of low and high",
            Self::DuplicateEqual => "the same record twice",
            Self::DuplicateDifferent => "two records of one second that differ: the month cannot be processed",
            Self::TimeBackwards => "two records in the wrong order",
            Self::SubSecond => "a timestamp that is not on a whole second",
            Self::MissingDay => "a weekday without a record",
        }
    }

    /// Whether the record does not survive cleaning.
    pub(super) fn is_dropped(self) -> bool {
        !matches!(self, Self::TimeBackwards | Self::MissingDay)
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Defect {
    type Err = DefectError;

    fn from_str(text: &str) -> Result<Self, DefectError> {
        Self::ALL.into_iter().find(|defect| defect.name() == text).ok_or_else(|| DefectError(text.to_owned()))
    }
}

/// A session's window in UNIX seconds and the id of its front contract.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub seconds: Range<i64>,
    pub front: u32,
}

/// Spoils records of the front contract inside the sessions. Returns what was done where, in the order of the new record numbers.
pub(super) fn spoil(
    plan: &Plan,
    month: Month,
    records: &mut Vec<OhlcvMsg>,
    windows: &[Window],
) -> Vec<(usize, Defect)> {
    let mut kinds: Vec<Defect> = plan.defects.iter().copied().filter(|kind| *kind != Defect::MissingDay).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut places: Vec<(usize, Defect, usize)> = Vec::new();
    for kind in kinds {
        // A stream of its own for each kind: asking for another kind as well moves nothing, but for a rare collision.
        let index = month.index() * 16 + kind as i32;
        let mut rng = chance::stream(plan.seed, index, chance::Stream::Defects);
        let mut variant = 0;
        for _ in 0..TRIES {
            if variant == PLACES || windows.is_empty() {
                break;
            }
            let window = &windows[rng.random_range(0..windows.len())];
            let at = |second: i64| records.partition_point(|r| r.hd.ts_event < second as u64 * NANOS);
            let range = at(window.seconds.start + MARGIN)..at(window.seconds.end - MARGIN);
            if range.is_empty() {
                continue;
            }
            let place = rng.random_range(range);
            if alone(records, place, window.front) && places.iter().all(|(other, ..)| place.abs_diff(*other) > 4) {
                places.push((place, kind, variant));
                variant += 1;
            }
        }
    }
    places.sort_unstable_by_key(|(place, ..)| *place);
    let mut spoiled = Vec::with_capacity(records.len() + places.len());
    let mut done = Vec::with_capacity(places.len());
    let mut from = 0;
    for (place, kind, variant) in places {
        spoiled.extend_from_slice(&records[from..place]);
        let (group, bad) = bad_records(kind, variant, plan.instrument.tick_nanos, &records[place], &records[place + 1]);
        done.push((spoiled.len() + bad, kind));
        spoiled.extend(group);
        from = place + if kind == Defect::TimeBackwards { 2 } else { 1 };
    }
    spoiled.extend_from_slice(&records[from..]);
    *records = spoiled;
    done
}

/// Whether the record and the one after it are of the front contract, and each is the only one of its second.
fn alone(records: &[OhlcvMsg], place: usize, front: u32) -> bool {
    let Some(near) = place.checked_sub(1).and_then(|before| records.get(before..place + 3)) else { return false };
    near.windows(2).all(|pair| pair[0].hd.ts_event < pair[1].hd.ts_event)
        && near[1].hd.instrument_id == front
        && near[2].hd.instrument_id == front
}

/// What stands in the file instead of `good` (and of `next`, where two change places), and which of these is the bad one.
fn bad_records(kind: Defect, variant: usize, tick: i64, good: &OhlcvMsg, next: &OhlcvMsg) -> (Vec<OhlcvMsg>, usize) {
    let mut bad = good.clone();
    match kind {
        Defect::AbsentPrice => match variant {
            0 => bad.open = UNDEF_PRICE,
            1 => bad.close = UNDEF_PRICE,
            _ => [bad.open, bad.high, bad.low, bad.close] = [UNDEF_PRICE; 4],
        },
        Defect::NonPositivePrice => match variant {
            0 => bad.low = 0,
            1 => bad.low = -tick,
            _ => [bad.open, bad.high, bad.low, bad.close] = [0; 4],
        },
        Defect::OffTick => match variant {
            0 => bad.high += (tick / 5).max(1),
            1 => bad.low -= (tick / 2).max(1),
            _ => bad.low -= 1,
        },
        Defect::HighBelowLow => bad.low = bad.high + tick,
        Defect::CloseOutside => match variant {
            0 => bad.close = bad.high + tick,
            1 => bad.close = bad.low - tick,
            _ => bad.open = bad.high + 2 * tick,
        },
        Defect::SubSecond => bad.hd.ts_event += [1, 500_000_000, 999_999_999][variant.min(2)],
        Defect::DuplicateEqual => return (vec![good.clone(), bad], 1),
        Defect::DuplicateDifferent => {
            bad.volume += 1;
            if variant > 0 {
                (bad.high, bad.close) = (bad.high + tick, bad.high + tick);
            }
            return (vec![good.clone(), bad], 1);
        }
        Defect::TimeBackwards => return (vec![next.clone(), bad], 1),
        Defect::MissingDay => {}
    }
    (vec![bad], 0)
}
