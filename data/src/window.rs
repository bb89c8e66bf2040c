//! When a trading date begins, and when its session does.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use crate::{
    instrument::{Instrument, InstrumentError},
    month::Month,
};

/// A trading date in UTC seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Local trading date.
    pub date: Date,
    /// Its first second: what trades from here on belongs to the date.
    pub midnight: i64,
    /// First second of the session.
    pub start: i64,
    /// Second after the last one of the session.
    pub end: i64,
}

impl Window {
    /// The first second that belongs to the trading date.
    #[must_use]
    pub fn begin(&self) -> i64 {
        self.midnight.min(self.start)
    }
}

/// Finds the windows of an instrument's trading dates.
#[derive(Clone, Debug)]
pub struct Windows {
    zone: TimeZone,
    start: u32,
    end: u32,
}

impl Windows {
    /// Those of an instrument.
    ///
    /// # Errors
    /// [`InstrumentError`] when its time zone is not known.
    pub fn new(instrument: &Instrument) -> Result<Self, InstrumentError> {
        Ok(Self { zone: instrument.zone()?, start: instrument.session_start, end: instrument.session_end })
    }

    /// The window of a date; `None` where the time zone cannot place it.
    #[must_use]
    pub fn of(&self, date: Date) -> Option<Window> {
        let second = |of_day: u32| {
            let time = date.at(0, 0, 0, 0).checked_add(i64::from(of_day).seconds()).ok()?;
            Some(time.to_zoned_datetime(self.zone.clone()).ok()?.timestamp().as_second())
        };
        Some(Window { date, midnight: second(0)?, start: second(self.start)?, end: second(self.end)? })
    }

    /// The windows of the dates from one to another, both included, in order.
    pub fn between(&self, first: Date, last: Date) -> impl Iterator<Item = Window> {
        let dates = std::iter::successors(Some(first), |date| date.tomorrow().ok());
        dates.take_while(move |date| *date <= last).filter_map(|date| self.of(date))
    }

    /// The windows of a month's dates.
    pub fn of_month(&self, month: Month) -> impl Iterator<Item = Window> {
        self.between(month.first_day(), month.last_day())
    }

    /// The local date of a UTC second.
    #[must_use]
    pub fn date(&self, second: i64) -> Date {
        self.zone.to_datetime(Timestamp::from_second(second).unwrap_or_default()).date()
    }

    /// The UTC seconds of a month's first date that lie before the file of the month, and those of its last date that lie
    /// after it: files are cut at midnight UTC. `None` where a date lies within.
    #[must_use]
    pub fn beyond_the_files(&self, month: Month) -> [Option<std::ops::Range<i64>>; 2] {
        let utc = |date: Date| Some(date.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().as_second());
        let some = |range: std::ops::Range<i64>| Some(range).filter(|range| !range.is_empty());
        let before = || some(self.of(month.first_day())?.begin()..utc(month.first_day())?);
        let after = || some(utc(month.last_day().tomorrow().ok()?)?..self.of(month.last_day())?.end);
        [before(), after()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_within_the_utc_date_needs_no_other_file() {
        let month: Month = "2024-01".parse().unwrap();
        let of = |instrument: Instrument| Windows::new(&instrument).unwrap().beyond_the_files(month);
        assert_eq!(of(Instrument::default()), [None, None]);
        // 18:00 to 24:00 in Chicago are the first six hours of the next date in UTC.
        let whole = Instrument { session_start: 0, session_end: 86_400, ..Instrument::default() };
        assert_eq!(of(whole.clone()), [None, Some(1_706_745_600..1_706_767_200)]);
        // A date in Tokyo begins at 15:00 UTC of the one before.
        let [before, after] = of(Instrument { time_zone: "Asia/Tokyo".into(), ..whole });
        assert_eq!((before, after), (Some(1_704_034_800..1_704_067_200), None));
    }
}
