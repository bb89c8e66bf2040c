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

/// Central second of the day of `rows` UTC seconds from `first` on.
pub(crate) fn seconds_of_day(first: i64, rows: usize) -> impl Iterator<Item = u32> {
    const DAY: i64 = 86_400;
    let zone = zone();
    let offset = move |second: i64| {
        let time = Timestamp::from_second(second).unwrap_or_default();
        i64::from(zone.to_offset(time).seconds())
    };
    // The offset changes on a full hour.
    (first..first + rows as i64).scan((i64::MIN, 0), move |(valid_to, current), second| {
        if second >= *valid_to {
            *current = offset(second);
            *valid_to = (second / 3600 + 1) * 3600;
        }
        Some((second + *current).rem_euclid(DAY) as u32)
    })
}

/// Central second of the day of a UTC second.
pub(crate) fn second_of_day(second: i64) -> u32 {
    seconds_of_day(second, 1).next().unwrap_or_default()
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
