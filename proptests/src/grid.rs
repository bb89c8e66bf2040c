//! docs/spec.md 2.3 to 2.6: front contract and session grid of one month, second by second.

use std::collections::BTreeMap;

use crate::tape::Tape;

/// A cleaned record of an outright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Rank of the contract by expiry.
    pub contract: usize,
    /// Local date, as a number of days.
    pub day: i64,
    /// Local second of the day.
    pub second: u32,
    /// Open, high, low, close in ticks.
    pub prices: [i64; 4],
    /// Contracts traded.
    pub volume: i64,
}

/// One session of the grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its date.
    pub day: i64,
    /// Front contract.
    pub contract: usize,
    /// Its rows.
    pub tape: Tape,
    /// Rows without a trade.
    pub filled: usize,
    /// Ends with its last trade.
    pub early_close: bool,
    /// Nothing traded in the first 15 minutes.
    pub late_open: bool,
}

/// A front is missing, not replaced, when it trades within so many trading dates before and after.
const NEAR: usize = 5;

/// Cuts a month with the session `start..end` (local seconds of the day).
#[must_use]
pub fn sessions(records: &[Record], start: u32, end: u32) -> Vec<Session> {
    let days: Vec<i64> = {
        let mut days: Vec<i64> = records.iter().map(|record| record.day).collect();
        days.sort_unstable();
        days.dedup();
        days
    };
    let within = |record: &&Record| record.second >= start && record.second < end;
    let trades = |day: i64, contract: usize| {
        records.iter().filter(within).any(|record| (record.day, record.contract) == (day, contract))
    };
    let trading: Vec<i64> =
        days.into_iter().filter(|day| records.iter().filter(within).any(|record| record.day == *day)).collect();
    let mut sessions: Vec<Session> = Vec::new();
    for (number, &day) in trading.iter().enumerate() {
        let of_day: Vec<&Record> = records.iter().filter(|record| record.day == day).collect();
        let front = sessions.last().map(|session| session.contract);
        let near = |mut days: std::slice::Iter<'_, i64>| days.any(|day| front.is_some_and(|front| trades(*day, front)));
        let before = near(trading[number.saturating_sub(NEAR)..number].iter());
        let after = near(trading[number + 1..trading.len().min(number + 1 + NEAR)].iter());
        if front.is_some_and(|front| !trades(day, front)) && before && after {
            continue;
        }
        if let (Some(front), Some(&earlier), Some(&later)) =
            (front, number.checked_sub(1).map(|before| &trading[before]), trading.get(number + 1))
            && exchanged(records, (start, end), front, [earlier, day, later])
        {
            continue;
        }
        let mut volumes: BTreeMap<usize, i64> = BTreeMap::new();
        for record in of_day.iter().copied().filter(within) {
            *volumes.entry(record.contract).or_default() += record.volume;
        }
        // Rolls only go forward; the earlier expiry wins a tie.
        let earliest = front.unwrap_or(0);
        let eligible = volumes.iter().filter(|(contract, _)| **contract >= earliest);
        let Some((&front, _)) = eligible.rev().max_by_key(|(_, volume)| **volume) else { continue };
        sessions.push(session(&of_day, day, front, start, end));
    }
    sessions
}

/// Whether on the middle one of three dates the contract with the most volume and the front have each other's records: on the
/// other dates the front trades more, and the other costs at least four ticks more, or less; on this one as much less, or
/// more, give or take a half.
fn exchanged(records: &[Record], (start, end): (u32, u32), front: usize, [before, day, after]: [i64; 3]) -> bool {
    let of = |day: i64, contract: usize| {
        let within = |record: &&Record| record.second >= start && record.second < end;
        let of = |record: &&Record| (record.day, record.contract) == (day, contract);
        let records = records.iter().filter(within).filter(of).collect::<Vec<_>>();
        let last = records.iter().max_by_key(|record| record.second)?;
        Some((records.iter().map(|record| record.volume).sum::<i64>(), last.prices[3]))
    };
    let contracts = records.iter().map(|record| record.contract).max().unwrap_or(0);
    // The earlier expiry of equal volumes.
    let leader = (0..=contracts).rev().max_by_key(|&contract| of(day, contract).map_or(0, |(volume, _)| volume));
    let Some(other) = leader.filter(|&leader| leader != front) else { return false };
    let usual = |day: i64| {
        let ((front_volume, front), (other_volume, other)) = (of(day, front)?, of(day, other)?);
        (front_volume > other_volume && (other - front).abs() >= 4).then_some(other - front)
    };
    let now = || {
        let ((front_volume, front), (other_volume, other)) = (of(day, front)?, of(day, other)?);
        (other_volume > front_volume).then_some(other - front)
    };
    let (Some(before), Some(after), Some(now)) = (usual(before), usual(after), now()) else { return false };
    before.signum() == after.signum() && 2 * (2 * now + before + after).abs() <= (before + after).abs()
}

fn session(of_day: &[&Record], day: i64, contract: usize, start: u32, end: u32) -> Session {
    let trades: BTreeMap<u32, &Record> =
        of_day.iter().filter(|record| record.contract == contract).map(|record| (record.second, *record)).collect();
    let first = trades.range(start..end).next().map_or(end, |(second, _)| *second);
    let last = trades.range(start..end).next_back().map_or(start, |(second, _)| *second);
    let early_close = end - (last + 1) >= 900;
    let late_open = first - start >= 900;
    let mut close = trades.range(..start).next_back().map(|(_, record)| record.prices[3]);
    let (mut tape, mut filled) = (Tape::default(), 0);
    for second in start..end {
        if early_close && second > last {
            break;
        }
        if let Some(record) = trades.get(&second) {
            tape.push(record.prices, record.volume, second);
            close = Some(record.prices[3]);
        } else if let Some(close) = close {
            tape.push([close; 4], 0, second);
            filled += 1;
        }
    }
    Session { day, contract, tape, filled, early_close, late_open }
}
