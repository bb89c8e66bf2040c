//! When a trading date begins, and when its sessions do.

use std::ops::Range;

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    instrument::{Instrument, InstrumentError},
    month::Month,
};

/// A trading date in UTC seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Local trading date: that of the session's end.
    pub date: Date,
    /// The first second that belongs to the trading date: its midnight, or the session's start on the evening before.
    pub begin: i64,
    /// The session, cut at its breaks.
    spans: Vec<Range<i64>>,
}

impl Window {
    /// First second of the date's first session.
    #[must_use]
    pub fn start(&self) -> i64 {
        self.spans.first().map_or(self.begin, |span| span.start)
    }

    /// Second after the date's last session.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.spans.last().map_or(self.begin, |span| span.end)
    }

    /// Whether a second is one of a session.
    #[must_use]
    pub fn has(&self, second: i64) -> bool {
        self.spans.iter().any(|span| span.contains(&second))
    }

    /// The date's sessions in order: one, or one more for each break.
    #[must_use]
    pub fn spans(&self) -> &[Range<i64>] {
        &self.spans
    }
}

/// Finds the windows of an instrument's trading dates.
#[derive(Clone, Debug)]
pub struct Windows<'a> {
    zone: TimeZone,
    instrument: &'a Instrument,
}

impl<'a> Windows<'a> {
    /// Those of an instrument.
    ///
    /// # Errors
    /// [`InstrumentError`] when its time zone is not known.
    pub fn new(instrument: &'a Instrument) -> Result<Self, InstrumentError> {
        Ok(Self { zone: instrument.zone()?, instrument })
    }

    /// The window of a date; `None` where the time zone or the breaks cannot place it.
    #[must_use]
    pub fn of(&self, date: Date) -> Option<Window> {
        let utc = |second: i64| {
            let time = date.at(0, 0, 0, 0).checked_add(second.seconds()).ok()?;
            Some(time.to_zoned_datetime(self.zone.clone()).ok()?.timestamp().as_second())
        };
        let spans = self.instrument.spans(date)?;
        let spans = spans.into_iter().map(|span| Some(utc(span.start)?..utc(span.end)?)).collect::<Option<_>>()?;
        Some(Window { date, begin: utc(self.instrument.date_begins())?, spans })
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

    /// The trading date of a UTC second.
    #[must_use]
    pub fn date(&self, second: i64) -> Date {
        let local = self.zone.to_datetime(Timestamp::from_second(second).unwrap_or_default());
        local.saturating_sub(self.instrument.date_begins().seconds()).date()
    }

    /// The first UTC second of the trading dates of a month; `None` where the time zone cannot place it.
    #[must_use]
    pub fn month_begins(&self, month: Month) -> Option<i64> {
        Some(self.of(month.first_day())?.begin)
    }

    /// The UTC seconds of a month's first date that lie before the file of the month, and those of its last date that lie
    /// after it: files are cut at midnight UTC. `None` where a date lies within.
    #[must_use]
    pub fn beyond_the_files(&self, month: Month) -> [Option<Range<i64>>; 2] {
        let utc = |date: Date| Some(date.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().as_second());
        let some = |range: Range<i64>| Some(range).filter(|range| !range.is_empty());
        let before = || some(self.of(month.first_day())?.begin..utc(month.first_day())?);
        let after = || some(utc(month.last_day().tomorrow().ok()?)?..self.of(month.last_day())?.end());
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
        // The Globex day of January 1st begins at 17:00 in Chicago on December 31st, which is 23:00 UTC.
        assert_eq!(of(globex("")), [Some(1_704_063_600..1_704_067_200), None]);
    }

    /// 17:00 to 16:00, with these breaks.
    fn globex(breaks: &str) -> Instrument {
        let session_breaks = breaks.parse().unwrap();
        Instrument { session_start: 17 * 3600, session_end: 16 * 3600, session_breaks, ..Instrument::default() }
    }

    fn utc(time: &str) -> i64 {
        time.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn a_session_over_midnight_is_of_the_date_it_ends_on() {
        let globex = globex("15:15-15:30 until 2021-06-25");
        let windows = Windows::new(&globex).unwrap();
        let spans = |date: Date| windows.of(date).unwrap().spans().to_vec();
        // Winter in Chicago is six hours behind UTC, summer five.
        assert_eq!(
            spans(Date::constant(2021, 1, 6)),
            [
                utc("2021-01-05T23:00:00Z")..utc("2021-01-06T21:15:00Z"),
                utc("2021-01-06T21:30:00Z")..utc("2021-01-06T22:00:00Z")
            ]
        );
        let whole = utc("2021-06-27T22:00:00Z")..utc("2021-06-28T21:00:00Z");
        assert_eq!(spans(Date::constant(2021, 6, 28)), [whole]);
        // Clocks go forward on Sunday, 2021-03-14, at 02:00: Monday's session has 23 hours, and begins at 17:00 summer time.
        let monday = spans(Date::constant(2021, 3, 15));
        assert_eq!((monday[0].start, monday[1].end), (utc("2021-03-14T22:00:00Z"), utc("2021-03-15T21:00:00Z")));
        let friday = spans(Date::constant(2021, 3, 12));
        assert_eq!((friday[0].start, friday[1].end), (utc("2021-03-11T23:00:00Z"), utc("2021-03-12T22:00:00Z")));
        // A session that lies over the change of the clocks has an hour less, and one more in autumn.
        let hours = |date: Date| spans(date).iter().map(|span| span.end - span.start).sum::<i64>() / 900;
        let of = |month, day| hours(Date::constant(2022, month, day));
        assert_eq!([of(3, 12), of(3, 13), of(11, 6), of(11, 7)], [92, 88, 96, 92]);
    }

    #[test]
    fn every_second_has_one_trading_date() {
        for (instrument, evening) in [(globex(""), 28), (Instrument::default(), 27)] {
            let windows = Windows::new(&instrument).unwrap();
            // Sunday, 2021-06-27, 16:59:59 and 17:00 in Chicago.
            let second = utc("2021-06-27T22:00:00Z");
            assert_eq!(windows.date(second - 1), Date::constant(2021, 6, 27));
            assert_eq!(windows.date(second), Date::constant(2021, 6, evening));
            for window in windows.between(Date::constant(2021, 10, 25), Date::constant(2021, 11, 15)) {
                assert_eq!(windows.date(window.begin), window.date);
                assert_eq!(windows.date(window.begin - 1), window.date.yesterday().unwrap());
            }
        }
        let globex = globex("");
        let november = Windows::new(&globex).unwrap().month_begins("2021-11".parse().unwrap());
        assert_eq!(november, Some(utc("2021-10-31T22:00:00Z")));
    }
}
