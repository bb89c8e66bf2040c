//! SPEC.md 2.3 to 2.6: front contract and session grid of one month, second by second.

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

/// Cuts a month with the session `start..end` (local seconds of the day).
#[must_use]
pub fn sessions(records: &[Record], start: u32, end: u32) -> Vec<Session> {
    let days: Vec<i64> = {
        let mut days: Vec<i64> = records.iter().map(|record| record.day).collect();
        days.sort_unstable();
        days.dedup();
        days
    };
    let mut sessions: Vec<Session> = Vec::new();
    for day in days {
        let of_day: Vec<&Record> = records.iter().filter(|record| record.day == day).collect();
        let within = |record: &&&Record| record.second >= start && record.second < end;
        let mut volumes: BTreeMap<usize, i64> = BTreeMap::new();
        for record in of_day.iter().filter(within) {
            *volumes.entry(record.contract).or_default() += record.volume;
        }
        // Rolls only go forward; the earlier expiry wins a tie.
        let earliest = sessions.last().map_or(0, |session| session.contract);
        let eligible = volumes.iter().filter(|(contract, _)| **contract >= earliest);
        let Some((&front, _)) = eligible.rev().max_by_key(|(_, volume)| **volume) else { continue };
        sessions.push(session(&of_day, day, front, start, end));
    }
    sessions
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
