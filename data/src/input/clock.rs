//! Times without a zone: what they mean, and whether they can be UTC.

use jiff::{Timestamp, tz::TimeZone};

use super::InputError;
use crate::{central, instrument::Instrument};

/// Seconds of the Central day in which no market of the CME trades, under the hours of any year.
const BREAK: std::ops::Range<i64> = 59_400..61_200;
/// Rows from which it can be told by that break which clock times are of.
const ENOUGH: u64 = 1000;
/// One in so many rows in the break is no stray one.
const STRAY: u64 = 500;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// How far a clock is ahead of UTC, in seconds; it changes on the hour.
struct Offset {
    zone: TimeZone,
    /// The hour it was found for.
    hour: Option<i64>,
    seconds: i64,
}

impl Offset {
    fn new(zone: TimeZone) -> Self {
        Self { zone, hour: None, seconds: 0 }
    }

    /// At a second of UTC.
    fn at(&mut self, second: i64) -> i64 {
        self.cached(second, |zone, time| zone.to_offset(time).seconds())
    }

    /// At a second as the clock shows it; the first of two that are shown alike.
    fn shown(&mut self, second: i64) -> i64 {
        self.cached(second, |zone, time| {
            let shown = TimeZone::UTC.to_datetime(time);
            let zoned = shown.to_zoned_datetime(zone.clone());
            zoned.map_or(0, |zoned| zoned.offset().seconds())
        })
    }

    fn cached(&mut self, second: i64, find: impl FnOnce(&TimeZone, Timestamp) -> i32) -> i64 {
        let hour = second.div_euclid(HOUR);
        if self.hour != Some(hour) {
            let time = Timestamp::from_second(hour * HOUR).unwrap_or_default();
            (self.hour, self.seconds) = (Some(hour), find(&self.zone, time).into());
        }
        self.seconds
    }
}

/// Reads times without a zone: as of the zone that the settings name, else as UTC, if they can be that.
pub(super) struct Clock {
    given: Option<Offset>,
    central: Offset,
    rows: u64,
    /// Rows in the break of the exchange if their times are UTC, and if they are the exchange's own.
    in_break: [u64; 2],
    exchange: String,
    is_known: bool,
}

impl Clock {
    pub(super) fn new(instrument: &Instrument) -> Result<Self, InputError> {
        let given = instrument.input_zone()?.map(Offset::new);
        let exchange = instrument.time_zone.clone();
        let is_known = matches!(exchange.as_str(), "America/Chicago" | "America/New_York");
        Ok(Self { given, central: Offset::new(central::zone()), rows: 0, in_break: [0; 2], exchange, is_known })
    }

    /// Nanoseconds of UTC that a time without a zone stands for.
    pub(super) fn utc(&mut self, nanos: i64) -> i64 {
        const NANOS: i64 = 1_000_000_000;
        let second = nanos.div_euclid(NANOS);
        if let Some(zone) = &mut self.given {
            return nanos.saturating_sub(zone.shown(second) * NANOS);
        }
        self.rows += 1;
        let as_utc = second.saturating_add(self.central.at(second)).rem_euclid(DAY);
        // The exchange's own clock is Central or an hour ahead of it.
        let own = second - if self.exchange == "America/New_York" { HOUR } else { 0 };
        for (count, second) in self.in_break.iter_mut().zip([as_utc, own.rem_euclid(DAY)]) {
            *count += u64::from(BREAK.contains(&second));
        }
        nanos
    }

    /// Refuses times of the exchange that would have been read as UTC: as UTC they trade while it is closed.
    pub(super) fn check(&self) -> Result<(), InputError> {
        let [as_utc, as_own] = self.in_break;
        if !self.is_known || self.rows < ENOUGH || as_own > 0 || as_utc * STRAY < self.rows {
            return Ok(());
        }
        Err(InputError::LocalTime { rows: as_utc, of: self.rows, zone: self.exchange.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nanoseconds of a time without a zone.
    fn nanos(text: &str) -> i64 {
        format!("{text}Z").parse::<Timestamp>().unwrap().as_second() * 1_000_000_000
    }

    #[test]
    fn times_are_of_the_zone_that_is_given_and_of_utc_without_one() {
        let chicago = Instrument { input_time_zone: Some("America/Chicago".into()), ..Instrument::default() };
        let (mut given, mut none) = (Clock::new(&chicago).unwrap(), Clock::new(&Instrument::default()).unwrap());
        for (local, utc) in [
            ("2024-10-01T08:30:00", "2024-10-01T13:30:00"),
            ("2024-12-02T08:30:00", "2024-12-02T14:30:00"),
            // Shown twice, and never.
            ("2024-11-03T01:30:00", "2024-11-03T06:30:00"),
            ("2024-03-10T03:00:00", "2024-03-10T08:00:00"),
        ] {
            assert_eq!(given.utc(nanos(local)), nanos(utc), "{local}");
            assert_eq!(none.utc(nanos(local)), nanos(local), "{local}");
        }
    }

    #[test]
    fn times_of_the_exchange_are_told_from_utc_by_its_break() {
        let minutes = |zone: &str, hours: fn(i64) -> bool| {
            let mut clock = Clock::new(&Instrument { time_zone: zone.into(), ..Instrument::default() }).unwrap();
            let first = nanos("2024-10-01T00:00:00");
            let all = (0..2880).filter(|minute| hours(minute / 60 % 24));
            all.for_each(|minute| {
                clock.utc(first + minute * 60_000_000_000);
            });
            clock.check().map_err(|error| error.to_string())
        };
        // Closed from 16:00 to 17:00 in Chicago: in UTC that is 21:00 to 22:00.
        let said = minutes("America/Chicago", |hour| hour != 16).unwrap_err();
        for words in ["60 of 2760", "America/Chicago", "--input-time-zone"] {
            assert!(said.contains(words), "{said}");
        }
        assert!(minutes("America/New_York", |hour| hour != 17).unwrap_err().contains("America/New_York"));
        assert_eq!(minutes("America/Chicago", |hour| hour != 21), Ok(()));
        // Nothing is told of a market that trades all day, or of one elsewhere.
        assert_eq!(minutes("America/Chicago", |_| true), Ok(()));
        assert_eq!(minutes("Europe/Berlin", |hour| hour != 16), Ok(()));
    }
}
