//! Breaks within a session, on every trading date or until one: `15:15-15:30 until 2021-06-25, 16:00-17:00`.

use std::{fmt, ops::Range, str::FromStr};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Seconds of a day.
const DAY: u32 = 86_400;

/// A time of day at which a session pauses, local seconds of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyBreak {
    /// First second without trading.
    pub from: u32,
    /// Second at which trading goes on.
    pub to: u32,
    /// Last trading date that has the break; none where it goes on.
    pub until: Option<Date>,
}

/// The breaks of a session, as text separated by commas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Breaks(Vec<DailyBreak>);

/// Text that is no list of breaks.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}': expected breaks such as '15:15-15:30 until 2021-06-25, 16:00-17:00'")]
pub struct BreaksError(String);

impl Breaks {
    /// These breaks.
    #[must_use]
    pub fn new(breaks: &[DailyBreak]) -> Self {
        Self(breaks.to_vec())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &DailyBreak> {
        self.0.iter()
    }

    /// A session of seconds from the midnight of its trading date (negative before it), less the breaks of that date. `None`
    /// where a break is not within the session, or not after the one before.
    #[must_use]
    pub fn cut(&self, session: Range<i64>, date: Date) -> Option<Vec<Range<i64>>> {
        let (mut spans, mut start) = (Vec::with_capacity(self.0.len() + 1), session.start);
        // All are looked at, so that settings are right for every date or for none.
        let mut before = session.start;
        for pause in &self.0 {
            let [from, to] = [pause.from, pause.to].map(|of_day| within(&session, of_day));
            if !(before < from && from < to && to < session.end) {
                return None;
            }
            before = to;
            if pause.until.is_none_or(|until| date <= until) {
                spans.push(start..from);
                start = to;
            }
        }
        spans.push(start..session.end);
        Some(spans)
    }
}

/// A time of day in a session that may begin on the evening before.
fn within(session: &Range<i64>, of_day: u32) -> i64 {
    let second = i64::from(of_day);
    if second < session.end { second } else { second - i64::from(DAY) }
}

/// A time of day `HH:MM[:SS]` as seconds, up to 24:00.
#[must_use]
pub fn time_of_day(text: &str) -> Option<u32> {
    let part = |part: &str| part.parse::<u32>().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
    let parts: Vec<u32> = text.split(':').map(part).collect::<Option<_>>()?;
    let (hours, minutes, seconds) = match parts[..] {
        [hours, minutes] => (hours, minutes, 0),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    let second = (hours <= 24 && minutes < 60 && seconds < 60).then(|| hours * 3600 + minutes * 60 + seconds);
    second.filter(|second| *second <= DAY)
}

/// Seconds of the day as `HH:MM`, or `HH:MM:SS` where they are no whole minutes.
#[must_use]
pub fn clock(of_day: u32) -> String {
    let (hours, minutes, seconds) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    if seconds == 0 { format!("{hours:02}:{minutes:02}") } else { format!("{hours:02}:{minutes:02}:{seconds:02}") }
}

impl fmt::Display for Breaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, DailyBreak { from, to, until }) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{}-{}", clock(*from), clock(*to))?;
            if let Some(until) = until {
                write!(f, " until {until}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Breaks {
    type Err = BreaksError;

    fn from_str(text: &str) -> Result<Self, BreaksError> {
        let one = |text: &str| {
            let (times, until) = match text.trim().split_once(" until ") {
                Some((times, date)) => (times, Some(date.trim().parse().ok()?)),
                None => (text.trim(), None),
            };
            let (from, to) = times.split_once('-')?;
            Some(DailyBreak { from: time_of_day(from.trim())?, to: time_of_day(to.trim())?, until })
        };
        if text.trim().is_empty() || text == "none" {
            return Ok(Self::default());
        }
        let breaks: Option<Vec<DailyBreak>> = text.split(',').map(one).collect();
        breaks.map(Self).ok_or_else(|| BreaksError(text.to_owned()))
    }
}

impl From<Breaks> for String {
    fn from(breaks: Breaks) -> Self {
        breaks.to_string()
    }
}

impl TryFrom<String> for Breaks {
    type Error = BreaksError;

    fn try_from(text: String) -> Result<Self, BreaksError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    #[test]
    fn a_session_is_cut_at_its_breaks_until_they_ended() {
        let breaks: Breaks = "15:15-15:30 until 2021-06-25".parse().unwrap();
        let globex = -7 * HOUR..16 * HOUR;
        let quarter = HOUR / 4;
        let two = vec![-7 * HOUR..15 * HOUR + quarter, 15 * HOUR + 2 * quarter..16 * HOUR];
        assert_eq!(breaks.cut(globex.clone(), Date::constant(2021, 6, 25)), Some(two));
        let one = std::iter::once(globex.clone()).collect();
        assert_eq!(breaks.cut(globex.clone(), Date::constant(2021, 6, 28)), Some(one));
        // Before midnight and after it.
        let several: Breaks = "18:00-19:00, 07:45-08:30".parse().unwrap();
        let spans = several.cut(globex.clone(), Date::constant(2021, 6, 28)).unwrap();
        assert_eq!(spans, [-7 * HOUR..-6 * HOUR, -5 * HOUR..7 * HOUR + 3 * quarter, 8 * HOUR + 2 * quarter..16 * HOUR]);
        for wrong in
            ["16:00-17:00", "15:30-15:15", "07:45-08:30, 18:00-19:00", "15:00-15:30, 15:30-15:45", "17:00-18:00"]
        {
            let wrong: Breaks = wrong.parse().unwrap();
            assert_eq!(wrong.cut(globex.clone(), Date::constant(2021, 6, 28)), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for text in ["", "15:15-15:30 until 2021-06-25", "07:45-08:30, 15:15:30-16:00"] {
            assert_eq!(text.parse::<Breaks>().unwrap().to_string(), text);
        }
        assert!("none".parse::<Breaks>().unwrap().is_empty());
        for wrong in ["15:15", "15:15-", "15:15-15:75", "15:15-15:30 until June", "15:15-15:30,", "+5:15-15:30"] {
            assert!(wrong.parse::<Breaks>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_of_day() {
        assert_eq!(time_of_day("07:30"), Some(27_000));
        assert_eq!(time_of_day("15:00:01"), Some(54_001));
        assert_eq!(time_of_day("24:00"), Some(86_400));
        for wrong in ["7", "07:60", "400000000:00090", "24:01", "+7:30"] {
            assert_eq!(time_of_day(wrong), None, "{wrong}");
        }
    }
}
