//! The settings that make one futures root different from another.

use std::ops::Range;

use jiff::{civil::Date, tz::TimeZone};
use kernels::Tick;
use serde::{Deserialize, Serialize};

use crate::{
    breaks::Breaks,
    form::Form,
    month::Month,
    preset::{self, Preset, Scale},
    roll_window::{RollWindow, Rolls},
};

/// Seconds of a day.
const DAY: u32 = 86_400;
/// Ticks of a point of ES.
const TICKS_OF_ES: i64 = 4;

/// What to select from a file and how to read its prices. The defaults are those of ES.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Root symbol, such as `ES`.
    pub root: String,
    /// Minimum price increment in units of 1e-9 points.
    pub tick_nanos: i64,
    /// First second of the session, local time of day in seconds; on the evening before where it is after the end.
    pub session_start: u32,
    /// End of the session (exclusive), local time of day in seconds.
    pub session_end: u32,
    /// When the session pauses: each break ends one session of the date and begins another.
    #[serde(default, skip_serializing_if = "Breaks::is_empty")]
    pub session_breaks: Breaks,
    /// IANA time zone of the session.
    pub time_zone: String,
    /// A change of close between consecutive rows of more than this many units of 1e-9 points is a gap.
    pub gap_nanos: i64,
    /// IANA time zone of times in Parquet and Arrow files that have none; UTC where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_time_zone: Option<String>,
    /// Whether prices of 0 and below are prices, as those of crude oil were in April 2020.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub negative_prices: bool,
    /// How tables of bars are written, where it is not as usual.
    #[serde(flatten)]
    pub form: Form,
    /// When a change of the front contract is expected. It changes no row, and is stored only where it was set.
    #[serde(default, skip_serializing_if = "Rolls::is_of_root")]
    pub rolls: Rolls,
}

impl Default for Instrument {
    fn default() -> Self {
        Self {
            root: "ES".into(),
            tick_nanos: 250_000_000,
            session_start: 7 * 3600 + 30 * 60,
            session_end: 15 * 3600,
            session_breaks: Breaks::default(),
            time_zone: "America/Chicago".into(),
            gap_nanos: 20_000_000_000,
            input_time_zone: None,
            negative_prices: false,
            form: Form::default(),
            rolls: Rolls::OfRoot,
        }
    }
}

/// Settings no session can be cut with.
#[derive(Debug, thiserror::Error)]
pub enum InstrumentError {
    /// The root is empty or has other characters than capital letters and digits.
    #[error("root '{0}': expected capital letters and digits, such as ES, NQ or 6E")]
    Root(String),
    /// The tick is not usable.
    #[error("tick size: {0}")]
    Tick(#[from] kernels::Error),
    /// The session has no second, or ends after midnight of its date.
    #[error("session {start}..{end} seconds of the day: expected two times up to 86400 that differ")]
    Session {
        /// First second.
        start: u32,
        /// Second after the last.
        end: u32,
    },
    /// A break is not within the session, or not after the one before.
    #[error("session breaks '{0}': expected breaks within the session, one after the other")]
    Breaks(Breaks),
    /// The gap limit is negative.
    #[error("gap limit of {0} units of 1e-9 points: expected 0 or more")]
    Gap(i64),
    /// Unknown time zone.
    #[error("time zone '{name}': expected an IANA name such as America/Chicago")]
    TimeZone {
        /// As given.
        name: String,
        /// What the time zone database said.
        source: jiff::Error,
    },
}

impl Instrument {
    /// Checks the settings and resolves the time zone.
    ///
    /// # Errors
    /// [`InstrumentError`] naming the setting.
    pub fn check(&self) -> Result<(), InstrumentError> {
        let valid = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        if self.root.is_empty() || self.root.len() > 8 || !self.root.bytes().all(valid) {
            return Err(InstrumentError::Root(self.root.clone()));
        }
        self.tick()?;
        let (start, end) = (self.session_start, self.session_end);
        if start == end || start >= DAY || !(1..=DAY).contains(&end) {
            return Err(InstrumentError::Session { start, end });
        }
        // Whether breaks lie within the session does not depend on the date.
        if self.spans(Date::constant(2000, 1, 1)).is_none() {
            return Err(InstrumentError::Breaks(self.session_breaks.clone()));
        }
        if self.gap_nanos < 0 {
            return Err(InstrumentError::Gap(self.gap_nanos));
        }
        self.input_zone()?;
        self.zone().map(drop)
    }

    /// The tick as a fraction of a point.
    ///
    /// # Errors
    /// [`InstrumentError::Tick`].
    pub fn tick(&self) -> Result<Tick, InstrumentError> {
        Ok(Tick::from_nanos(self.tick_nanos)?)
    }

    /// The time zone of the session.
    ///
    /// # Errors
    /// [`InstrumentError::TimeZone`].
    pub fn zone(&self) -> Result<TimeZone, InstrumentError> {
        zone(&self.time_zone)
    }

    /// The time zone of times that have none, where one is set.
    ///
    /// # Errors
    /// [`InstrumentError::TimeZone`].
    pub fn input_zone(&self) -> Result<Option<TimeZone>, InstrumentError> {
        self.input_time_zone.as_deref().map(zone).transpose()
    }

    /// The session in seconds from the midnight of its trading date, which is that of its end.
    fn session(&self) -> Range<i64> {
        let (start, end) = (i64::from(self.session_start), i64::from(self.session_end));
        let evening = if start > end { i64::from(DAY) } else { 0 };
        start - evening..end
    }

    /// When a trading date begins, in seconds from its midnight: there, or with a session on the evening before.
    #[must_use]
    pub fn date_begins(&self) -> i64 {
        self.session().start.min(0)
    }

    /// The sessions of a trading date in seconds from its midnight, in order: one, or one more for each of its breaks.
    /// `None` where a break does not lie within the session.
    #[must_use]
    pub fn spans(&self, date: Date) -> Option<Vec<Range<i64>>> {
        self.session_breaks.cut(self.session(), date)
    }

    /// Rows of a trading date at most.
    #[must_use]
    pub fn session_rows(&self) -> usize {
        let session = self.session();
        usize::try_from(session.end - session.start).unwrap_or_default()
    }

    /// What is built in for the root.
    #[must_use]
    pub fn preset(&self) -> Option<&'static Preset> {
        preset::of(&self.root)
    }

    /// The window in which rolls are expected; `None` where the volumes alone decide.
    #[must_use]
    pub fn roll_window(&self) -> Option<RollWindow> {
        match self.rolls {
            Rolls::OfRoot => self.preset()?.roll_window,
            Rolls::Any => None,
            Rolls::Within(window) => Some(window),
        }
    }

    /// How far this instrument moves beside ES: the usual ranges of features are as many times those of ES. Of a root that is
    /// not built in, four ticks do what a point does, as in ES.
    #[must_use]
    pub fn scale(&self) -> Scale {
        let points = self.tick_nanos.saturating_mul(TICKS_OF_ES) as f64 / 1e9;
        self.preset().map_or(Scale { points, ..Scale::ES }, Preset::scale)
    }

    /// The least share of wins of a mode that is usual.
    #[must_use]
    pub fn least_win_rate(&self) -> f64 {
        self.preset().map_or(preset::LEAST_WIN_RATE, |preset| preset.least_win_rate)
    }

    /// Whether a roll out of a contract of this delivery month is expected on a date; `None` where the root has no window.
    #[must_use]
    pub fn expects_roll(&self, date: Date, delivery: Option<Month>) -> Option<bool> {
        let window = self.roll_window()?;
        Some(delivery.is_some_and(|delivery| window.contains(date, delivery)))
    }

    /// The largest whole number of ticks that is not a gap.
    #[must_use]
    pub fn gap_ticks(&self) -> i32 {
        i32::try_from(self.gap_nanos / self.tick_nanos).unwrap_or(i32::MAX)
    }
}

fn zone(name: &str) -> Result<TimeZone, InstrumentError> {
    TimeZone::get(name).map_err(|source| InstrumentError::TimeZone { name: name.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cut_no_session_are_refused_by_name() {
        let es = Instrument::default;
        assert!(es().check().is_ok());
        assert_eq!((es().session_rows(), es().gap_ticks()), (27_000, 80));
        for (wrong, says) in [
            (Instrument { root: String::new(), ..es() }, "root ''"),
            (Instrument { root: "es".into(), ..es() }, "root 'es'"),
            (Instrument { root: "ESESESESE".into(), ..es() }, "root 'ESESESESE'"),
            (Instrument { tick_nanos: 0, ..es() }, "tick size"),
            (Instrument { session_end: es().session_start, ..es() }, "session 27000..27000"),
            (Instrument { session_end: 86_401, ..es() }, "session 27000..86401"),
            (Instrument { session_start: 86_400, ..es() }, "session 86400..54000"),
            (Instrument { session_end: 0, ..es() }, "session 27000..0"),
            (Instrument { session_breaks: "15:00-15:30".parse().unwrap(), ..es() }, "session breaks '15:00-15:30'"),
            (Instrument { gap_nanos: -1, ..es() }, "gap limit of -1"),
            (Instrument { time_zone: "America/Springfield".into(), ..es() }, "time zone 'America/Springfield'"),
        ] {
            let error = wrong.check().map_err(|error| error.to_string());
            assert!(error.as_ref().is_err_and(|error| error.contains(says)), "{says}: {error:?}");
        }
        assert!(Instrument { root: "6E".into(), session_end: 86_400, gap_nanos: 0, ..es() }.check().is_ok());
    }
    #[test]
    fn a_session_that_starts_after_it_ends_starts_on_the_evening_before() {
        let globex = Instrument { session_start: 17 * 3600, session_end: 16 * 3600, ..Instrument::default() };
        assert!(globex.check().is_ok());
        assert_eq!((globex.session_rows(), globex.date_begins()), (23 * 3600, -7 * 3600));
        assert_eq!(globex.spans(Date::constant(2024, 1, 2)), Some(std::iter::once(-25_200..57_600).collect()));
        assert_eq!(Instrument::default().date_begins(), 0);
    }

    #[test]
    fn what_is_not_set_is_not_stored() {
        let text = serde_json::to_string(&Instrument::default()).unwrap();
        let stored = r#"{"root":"ES","tick_nanos":250000000,"session_start":27000,"session_end":54000,"time_zone":"America/Chicago","gap_nanos":20000000000}"#;
        assert_eq!(text, stored);
        let session_breaks = "15:15-15:30 until 2021-06-25".parse().unwrap();
        let crude = Instrument { root: "CL".into(), negative_prices: true, session_breaks, ..Instrument::default() };
        let text = serde_json::to_string(&crude).unwrap();
        assert!(text.contains(r#""negative_prices":true"#) && text.contains(r#""session_breaks":"15:15-15:30 until"#));
        assert_eq!(serde_json::from_str::<Instrument>(&text).unwrap(), crude);
    }
}
