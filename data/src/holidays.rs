//! The holidays of US exchanges as futures keep them: days without trading, and days on which it ends early.
//!
//! Nothing is cut by them: a session ends with its last trade whatever the date. They tell an early close from a hole in
//! the data, and a holiday from a missing day.

use jiff::civil::{Date, Weekday};

/// How long an exchange trades for one trade date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hours {
    /// Until 16:00.
    Full,
    /// Until an earlier hour and minute.
    Early(i8, i8),
    /// Not at all.
    Closed,
}

/// Days on which US equity-index futures did something once.
const ONCE: [(Date, Hours); 4] = [
    // Hurricane Sandy: the New York Stock Exchange was closed on both days, and index futures closed at 08:15. A session of
    // the second is not expected, but it may be there.
    (Date::constant(2012, 10, 29), Hours::Early(8, 15)),
    (Date::constant(2012, 10, 30), Hours::Closed),
    // Days of mourning for Presidents Bush and Carter, who had died: trading ended at 08:30.
    (Date::constant(2018, 12, 5), Hours::Early(8, 30)),
    (Date::constant(2025, 1, 9), Hours::Early(8, 30)),
];

/// The hours of a trade date.
#[must_use]
pub fn hours(date: Date) -> Hours {
    let once = ONCE.iter().find(|(day, _)| *day == date);
    once.map_or_else(|| yearly(date), |(_, hours)| *hours)
}

/// Those that the calendar alone tells: by these are months made up.
pub(crate) fn yearly(date: Date) -> Hours {
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
        assert_eq!(hours(date(2012, 10, 29)), Hours::Early(8, 15));
        assert_eq!(hours(date(2012, 10, 30)), Hours::Closed);
        assert_eq!([date(2018, 12, 5), date(2025, 1, 9)].map(hours), [Hours::Early(8, 30); 2]);
        for day in [date(2025, 10, 13), date(2021, 12, 31), date(2021, 6, 18), date(2025, 4, 21)] {
            assert_eq!(hours(day), Hours::Full, "{day}");
        }
    }
}
