//! Central time, which months of decay and times of day are in whatever the session's own zone.

use jiff::{Timestamp, tz::TimeZone};

use crate::month::Month;

/// America/Chicago.
pub(crate) fn zone() -> TimeZone {
    // The bundled database always knows it.
    TimeZone::get("America/Chicago").unwrap_or(TimeZone::UTC)
}

/// The calendar month of a UTC second and the second the next one begins; `None` outside 1970..=2199.
pub(crate) fn month(second: i64) -> Option<(Month, i64)> {
    let zone = zone();
    let date = zone.to_datetime(Timestamp::from_second(second).ok()?).date();
    let next = date.last_of_month().tomorrow().ok()?.to_zoned_datetime(zone).ok()?;
    Some((Month::of(date)?, next.timestamp().as_second()))
}

/// Central second of the day of a UTC second.
pub(crate) fn second_of_day(second: i64) -> u32 {
    let offset = zone().to_offset(Timestamp::from_second(second).unwrap_or_default());
    (second + i64::from(offset.seconds())).rem_euclid(86_400) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_at_central_midnight() {
        // 2013-11-01T05:00:00Z, in summer time; the next month begins in winter time.
        let midnight = 1_383_282_000;
        assert_eq!(month(midnight - 1), Some(("2013-10".parse().unwrap(), midnight)));
        assert_eq!(month(midnight), Some(("2013-11".parse().unwrap(), midnight + 30 * 86_400 + 3_600)));
        assert_eq!(month(i64::MAX), None);
    }
}
