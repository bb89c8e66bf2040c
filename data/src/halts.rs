//! Halts that the exchange announced: no hole in the data.
//!
//! Sources are in docs/presets.md. Times are Central.

use std::ops::Range;

use jiff::{SignedDuration, civil::DateTime};

use crate::central;

/// Halts that were announced: the last trading before one and the first after it.
const HALTS: [(DateTime, DateTime); 8] = [
    // A planned change of software failed: Globex opened late.
    (at(2014, 8, 24, 17, 0), at(2014, 8, 24, 21, 0)),
    // A leap second: Globex opened late.
    (at(2015, 6, 30, 17, 0), at(2015, 6, 30, 19, 45)),
    // Technical problems stopped Globex.
    (at(2019, 2, 26, 18, 40), at(2019, 2, 26, 21, 45)),
    // Market-wide circuit breakers: a quarter of an hour after the S&P 500 had fallen by 7 %.
    (at(2020, 3, 9, 8, 34), at(2020, 3, 9, 8, 50)),
    (at(2020, 3, 12, 8, 35), at(2020, 3, 12, 8, 51)),
    (at(2020, 3, 16, 8, 30), at(2020, 3, 16, 8, 46)),
    (at(2020, 3, 18, 11, 56), at(2020, 3, 18, 12, 12)),
    // Cooling failed in the data center.
    (at(2025, 11, 27, 20, 40), at(2025, 11, 28, 7, 30)),
];

/// A market that is thin may have had its last trade so many seconds before a halt, and has its first so many after it.
const NEAR: i64 = 10 * 60;

const fn at(year: i16, month: i8, day: i8, hour: i8, minute: i8) -> DateTime {
    DateTime::constant(year, month, day, hour, minute, 0, 0)
}

/// Whether a stretch of UTC seconds without a trade is a halt that was announced.
pub(crate) fn is_halt(quiet: &Range<i64>) -> bool {
    let zone = central::zone();
    let utc = |time: DateTime| Some(time.to_zoned_datetime(zone.clone()).ok()?.timestamp().as_second());
    // By the date first: there are many stretches and few halts.
    let near = |(from, to): &&(DateTime, DateTime)| {
        let day = SignedDuration::from_hours(24);
        let begin = zone.to_datetime(jiff::Timestamp::from_second(quiet.start).unwrap_or_default());
        from.saturating_sub(day) <= begin && begin <= to.saturating_add(day)
    };
    HALTS.iter().filter(near).any(|(from, to)| {
        let halt = utc(*from).zip(utc(*to));
        halt.is_some_and(|(from, to)| from - NEAR <= quiet.start && quiet.end <= to + NEAR)
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn an_announced_halt_is_known_by_its_hours() {
        let halt = |from: &str, to: &str| {
            let second = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
            is_halt(&(second(from)..second(to)))
        };
        // 02:40 to 13:30 UTC.
        assert!(halt("2025-11-28T02:44:00Z", "2025-11-28T13:30:00Z"));
        assert!(halt("2025-11-28T12:30:00Z", "2025-11-28T13:30:05Z"));
        assert!(!halt("2025-11-28T12:30:00Z", "2025-11-28T13:41:00Z"));
        assert!(!halt("2025-11-28T02:20:00Z", "2025-11-28T13:30:00Z"));
        assert!(!halt("2025-11-27T02:44:00Z", "2025-11-27T13:30:00Z"));
        // In summer time.
        assert!(halt("2020-03-18T16:56:17Z", "2020-03-18T17:11:17Z"));
    }
}
