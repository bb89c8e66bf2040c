//! The settings that make one futures root different from another.

use jiff::{civil::Date, tz::TimeZone};
use kernels::Tick;
use serde::{Deserialize, Serialize};

use crate::{form::Form, month::Month, roll_window::Rolls};

/// What to select from a file and how to read its prices. The defaults are those of ES.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// Root symbol, such as `ES`.
    pub root: String,
    /// Minimum price increment in units of 1e-9 points.
    pub tick_nanos: i64,
    /// First second of the session, local time of day in seconds.
    pub session_start: u32,
    /// Second after the last one of the session, local time of day in seconds.
    pub session_end: u32,
    /// IANA time zone of the session.
    pub time_zone: String,
    /// A change of close between consecutive rows of more than this many units of 1e-9 points is a gap.
    pub gap_nanos: i64,
    /// IANA time zone of times in Parquet and Arrow files that have none; UTC where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_time_zone: Option<String>,
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
            time_zone: "America/Chicago".into(),
            gap_nanos: 20_000_000_000,
            input_time_zone: None,
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
    /// The session does not lie within one local day.
    #[error("session {start}..{end} seconds of the day: expected start < end <= 86400")]
    Session {
        /// First second.
        start: u32,
        /// Second after the last.
        end: u32,
    },
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
        if self.session_start >= self.session_end || self.session_end > 86_400 {
            return Err(InstrumentError::Session { start: self.session_start, end: self.session_end });
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

    /// Rows of a full session.
    #[must_use]
    pub fn session_rows(&self) -> usize {
        (self.session_end - self.session_start) as usize
    }

    /// Whether a roll out of a contract of this delivery month is expected on a date; `None` where the root has no window.
    #[must_use]
    pub fn expects_roll(&self, date: Date, delivery: Option<Month>) -> Option<bool> {
        let window = self.rolls.window(&self.root)?;
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
            (Instrument { gap_nanos: -1, ..es() }, "gap limit of -1"),
            (Instrument { time_zone: "America/Springfield".into(), ..es() }, "time zone 'America/Springfield'"),
        ] {
            let error = wrong.check().map_err(|error| error.to_string());
            assert!(error.as_ref().is_err_and(|error| error.contains(says)), "{says}: {error:?}");
        }
        assert!(Instrument { root: "6E".into(), session_end: 86_400, gap_nanos: 0, ..es() }.check().is_ok());
    }
}
