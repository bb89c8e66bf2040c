//! When the exchange trades: US equity-index hours on Globex, with the holidays that shorten or close a day.

use jiff::{
    civil::{Date, Weekday},
    tz::TimeZone,
};

use super::SynthError;
use crate::Month;

/// Trading opens at this hour, local time, on the evening before the trade date.
const OPEN_HOUR: i8 = 17;

/// How long an exchange trades for one trade date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hours {
    /// Until 16:00.
    Full,
    /// Until an earlier hour and minute.
    Early(i8, i8),
    /// Not at all.
    Closed,
}

/// One trade date: from the evening before to the close, cut to what lies in the month's file.
#[derive(Clone, Debug)]
pub(super) struct TradeDay {
    /// The date whose session this is; the records of the evening before belong to it.
    pub date: Date,
    /// First second, UNIX time.
    pub open: i64,
    /// Second after the last one.
    pub close: i64,
    /// Local time minus UTC, seconds.
    pub offset: i64,
    /// Whether the session is a full one.
    pub full: bool,
}

/// The hours of a trade date.
pub(super) fn hours(date: Date) -> Hours {
    let (month, day) = (date.month(), date.day());
    let nth = |nth: i8, weekday| date.nth_weekday_of_month(nth, weekday).is_ok_and(|d| d == date);
    let monday = Weekday::Monday;
    let thanksgiving = |date: Date| {
        date.month() == 11 && date.nth_weekday_of_month(4, Weekday::Thursday).is_ok_and(|holiday| holiday == date)
    };
    if matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
        || observed(date, 12, 25)
        || (observed(date, 1, 1) && month == 1)
        || date.tomorrow().and_then(Date::tomorrow).is_ok_and(|sunday| sunday == easter(date.year()))
    {
        return Hours::Closed;
    }
    let noon = match month {
        1 => nth(3, monday),
        2 => nth(3, monday),
        5 => nth(-1, monday),
        6 => date.year() >= 2022 && observed(date, 6, 19),
        7 => observed(date, 7, 4),
        9 => nth(1, monday),
        11 => thanksgiving(date),
        _ => false,
    };
    if noon {
        Hours::Early(12, 0)
    } else if (month, day) == (7, 3) || (month, day) == (12, 24) || date.yesterday().is_ok_and(thanksgiving) {
        Hours::Early(12, 15)
    } else {
        Hours::Full
    }
}

/// Whether a holiday is kept on `date`: on the Friday before a Saturday, on the Monday after a Sunday.
fn observed(date: Date, month: i8, day: i8) -> bool {
    let is = |date: Date| (date.month(), date.day()) == (month, day);
    is(date)
        || (date.weekday() == Weekday::Friday && date.tomorrow().is_ok_and(is))
        || (date.weekday() == Weekday::Monday && date.yesterday().is_ok_and(is))
}

/// Easter Sunday, Gregorian computus.
fn easter(year: i16) -> Date {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let day = h + l - 7 * m + 114;
    // Months 3 and 4, days 1..=31: within i8.
    Date::constant(year, (day / 31) as i8, (day % 31 + 1) as i8)
}

/// UNIX seconds of a local date and time of day.
pub(super) fn unix(date: Date, seconds_of_day: u32, zone: &TimeZone) -> Result<i64, SynthError> {
    let date = if seconds_of_day >= 86_400 { date.tomorrow()? } else { date };
    let s = seconds_of_day % 86_400;
    // Below 24, 60 and 60.
    let local = date.at((s / 3600) as i8, (s / 60 % 60) as i8, (s % 60) as i8, 0);
    Ok(local.to_zoned_datetime(zone.clone())?.timestamp().as_second())
}

/// First second of the month's file and the one after its last: whole days in UTC.
pub(super) fn file_bounds(month: Month) -> Result<(i64, i64), SynthError> {
    Ok((unix(month.first_day(), 0, &TimeZone::UTC)?, unix(month.last_day().tomorrow()?, 0, &TimeZone::UTC)?))
}

/// The trade dates with trading in the month's file, in order.
pub(super) fn trade_days(month: Month, zone: &TimeZone) -> Result<Vec<TradeDay>, SynthError> {
    let (first, last) = file_bounds(month)?;
    let mut days = Vec::new();
    let mut date = month.first_day();
    while date <= month.last_day().tomorrow()? {
        let (hour, minute) = match hours(date) {
            Hours::Full => (16, 0),
            Hours::Early(hour, minute) => (hour, minute),
            Hours::Closed => {
                date = date.tomorrow()?;
                continue;
            }
        };
        let evening = date.yesterday()?.at(OPEN_HOUR, 0, 0, 0).to_zoned_datetime(zone.clone())?;
        let end = date.at(hour, minute, 0, 0).to_zoned_datetime(zone.clone())?.timestamp().as_second();
        let open = evening.timestamp().as_second();
        let (cut_open, cut_close) = (open.max(first), end.min(last));
        if cut_open < cut_close {
            let offset = i64::from(evening.offset().seconds());
            let full = hours(date) == Hours::Full;
            days.push(TradeDay { date, open: cut_open, close: cut_close, offset, full });
        }
        date = date.tomorrow()?;
    }
    Ok(days)
}

/// Weekdays from `from` to `to`; negative when `to` is earlier.
pub(super) fn weekdays_between(from: Date, to: Date) -> i32 {
    let number = |date: Date| {
        let days = date.duration_since(Date::constant(1969, 12, 29)).as_hours() / 24; // since a Monday
        (days.div_euclid(7) * 5 + days.rem_euclid(7).min(5)) as i32
    };
    number(to) - number(from)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn holidays_of_known_years() {
        let closed = [date(2025, 4, 18), date(2024, 3, 29), date(2021, 12, 24), date(2023, 1, 2), date(2016, 12, 26)];
        for day in closed {
            assert_eq!(hours(day), Hours::Closed, "{day}");
        }
        let noon = [date(2025, 1, 20), date(2025, 2, 17), date(2025, 5, 26), date(2025, 6, 19), date(2020, 7, 3)];
        for day in noon.into_iter().chain([date(2025, 9, 1), date(2025, 11, 27)]) {
            assert_eq!(hours(day), Hours::Early(12, 0), "{day}");
        }
        for day in [date(2025, 11, 28), date(2025, 12, 24), date(2025, 7, 3)] {
            assert_eq!(hours(day), Hours::Early(12, 15), "{day}");
        }
        for day in [date(2025, 10, 13), date(2021, 12, 31), date(2021, 6, 18), date(2025, 4, 21)] {
            assert_eq!(hours(day), Hours::Full, "{day}");
        }
    }

    #[test]
    fn weekdays_are_counted_across_weekends() {
        assert_eq!(weekdays_between(date(2025, 12, 11), date(2025, 12, 15)), 2);
        assert_eq!(weekdays_between(date(2025, 12, 11), date(2025, 12, 10)), -1);
        assert_eq!(weekdays_between(date(2025, 12, 11), date(2025, 12, 4)), -5);
    }
}
