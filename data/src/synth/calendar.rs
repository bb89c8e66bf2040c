//! When the exchange trades: US equity-index hours on Globex, with the holidays that shorten or close a day.

use jiff::{SignedDuration, civil::Date, tz::TimeZone};

use super::SynthError;
use crate::{
    Month,
    holidays::{Hours, yearly},
};

/// Trading opens at this hour, local time, on the evening before the trade date.
const OPEN_HOUR: i8 = 17;

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

/// UNIX seconds of a local time, in seconds from the midnight of a date.
pub(super) fn unix(date: Date, seconds: i64, zone: &TimeZone) -> Result<i64, SynthError> {
    let local = date.at(0, 0, 0, 0).checked_add(SignedDuration::from_secs(seconds))?;
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
        let (hour, minute) = match yearly(date) {
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
            let full = yearly(date) == Hours::Full;
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
    fn weekdays_are_counted_across_weekends() {
        assert_eq!(weekdays_between(date(2025, 12, 11), date(2025, 12, 15)), 2);
        assert_eq!(weekdays_between(date(2025, 12, 11), date(2025, 12, 10)), -1);
        assert_eq!(weekdays_between(date(2025, 12, 11), date(2025, 12, 4)), -5);
    }
}
