//! Bad records, each kind at a few places of the month.

use std::ops::Range;

use dbn::{OhlcvMsg, UNDEF_PRICE};
use rand::RngExt;

use super::Defect;
use crate::{
    Month,
    synth::{Plan, chance},
};

/// Places of each kind in a month.
const PLACES: usize = 3;
/// Tries to find a place.
const TRIES: usize = 10_000;
/// Seconds at both ends of a session that are left alone.
const MARGIN: i64 = 1_200;
const NANOS: u64 = 1_000_000_000;

/// A session's window in UNIX seconds and the id of its front contract.
#[derive(Clone, Debug)]
pub(in crate::synth) struct Window {
    pub seconds: Range<i64>,
    pub front: u32,
}

/// Spoils records of the front contract inside the sessions. Returns what was done where, in the order of the new record numbers.
pub(in crate::synth) fn spoil(
    plan: &Plan,
    month: Month,
    records: &mut Vec<OhlcvMsg>,
    windows: &[Window],
) -> Vec<(usize, Defect)> {
    let mut kinds: Vec<Defect> = plan.defects.iter().copied().filter(|kind| kind.is_of_records()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut places: Vec<(usize, Defect, usize)> = Vec::new();
    for kind in kinds {
        let mut rng = chance::of_defect(plan.seed, month, kind);
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
        Defect::ZeroVolume => bad.volume = 0,
        Defect::VolumeOverflow => bad.volume = bad.volume.wrapping_neg(),
        Defect::PriceSpike => {
            let far = bad.close / 10 / tick * tick;
            match variant {
                0 => bad.high += far,
                1 => bad.low -= far,
                _ => [bad.open, bad.high, bad.low, bad.close] = [bad.close + far; 4],
            }
        }
        Defect::SpreadLeakage => [bad.open, bad.high, bad.low, bad.close] = [(8 + variant as i64) * tick; 4],
        // Of stretches and files.
        _ => {}
    }
    (vec![bad], 0)
}
