//! The dates on which a root usually changes its front contract. Roots differ: where no window is known, no roll is
//! outside of one.

use std::{fmt, str::FromStr};

use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

use crate::month::Month;

/// Calendar days a window may reach from its day: contracts are not rolled a year early.
const FARTHEST: i16 = 366;

/// The day of the old contract's delivery month that a window is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its first day.
    FirstDay,
    /// Its third Friday.
    ThirdFriday,
}

/// Calendar days around a day of the old contract's delivery month, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollWindow {
    /// Day it is counted from.
    pub anchor: Anchor,
    /// First day, counted from the anchor; negative before it.
    pub from: i16,
    /// Last day.
    pub to: i16,
}

/// What is said of a root's window; as text `""`, `none`, or a window such as `third-friday -10..0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Rolls {
    /// That of the root's preset, else none.
    #[default]
    OfRoot,
    /// No window: the volumes alone decide.
    Any,
    /// This one.
    Within(RollWindow),
}

/// Text that is no window.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "'{0}': expected 'third-friday -10..0', 'first-day -8..-1' (calendar days around a day of the delivery month) or 'none'"
)]
pub struct RollWindowError(String);

impl RollWindow {
    /// Days around the third Friday of the delivery month.
    #[must_use]
    pub const fn third_friday(from: i16, to: i16) -> Self {
        Self { anchor: Anchor::ThirdFriday, from, to }
    }

    /// Days around the first day of the delivery month.
    #[must_use]
    pub const fn first_day(from: i16, to: i16) -> Self {
        Self { anchor: Anchor::FirstDay, from, to }
    }

    /// Whether a roll out of a contract of this delivery month is expected on a date.
    #[must_use]
    pub fn contains(&self, date: Date, delivery: Month) -> bool {
        let ends = self.anchor.plus(delivery, self.from).zip(self.anchor.plus(delivery, self.to));
        ends.is_some_and(|(from, to)| from <= date && date <= to)
    }
}

impl Anchor {
    /// So many days after the day of a delivery month, or before it; `None` beyond the calendar.
    #[must_use]
    pub fn plus(self, delivery: Month, days: i16) -> Option<Date> {
        let first = delivery.first_day();
        let day = match self {
            Self::FirstDay => first,
            Self::ThirdFriday => third_friday(first)?,
        };
        day.checked_add(days.days()).ok()
    }
}

impl Rolls {
    /// Whether nothing was set.
    #[must_use]
    pub fn is_of_root(&self) -> bool {
        *self == Self::OfRoot
    }
}

impl fmt::Display for RollWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let anchor = match self.anchor {
            Anchor::FirstDay => "first-day",
            Anchor::ThirdFriday => "third-friday",
        };
        write!(f, "{anchor} {}..{}", self.from, self.to)
    }
}

impl fmt::Display for Rolls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfRoot => Ok(()),
            Self::Any => f.write_str("none"),
            Self::Within(window) => window.fmt(f),
        }
    }
}

impl FromStr for Rolls {
    type Err = RollWindowError;

    fn from_str(text: &str) -> Result<Self, RollWindowError> {
        let window = || {
            let (anchor, days) = text.split_once(' ')?;
            let (from, to) = days.trim().split_once("..")?;
            let day = |text: &str| text.parse().ok().filter(|day| (-FARTHEST..=FARTHEST).contains(day));
            let anchor = match anchor {
                "first-day" => Anchor::FirstDay,
                "third-friday" => Anchor::ThirdFriday,
                _ => return None,
            };
            let window = RollWindow { anchor, from: day(from)?, to: day(to)? };
            (window.from <= window.to).then_some(window)
        };
        match text {
            "" => Ok(Self::OfRoot),
            "none" => Ok(Self::Any),
            _ => window().map(Self::Within).ok_or_else(|| RollWindowError(text.to_owned())),
        }
    }
}

impl From<Rolls> for String {
    fn from(rolls: Rolls) -> Self {
        rolls.to_string()
    }
}

impl TryFrom<String> for Rolls {
    type Error = RollWindowError;

    fn try_from(text: String) -> Result<Self, RollWindowError> {
        text.parse()
    }
}

/// Third Friday of the month a date lies in: the last trading day of an equity-index future.
#[must_use]
pub fn third_friday(any_day: Date) -> Option<Date> {
    any_day.nth_weekday_of_month(3, jiff::civil::Weekday::Friday).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Instrument;

    fn days(window: RollWindow, delivery: &str, month: (i16, i8)) -> Vec<i8> {
        let delivery = delivery.parse().unwrap();
        (1..=28).filter(|&day| window.contains(Date::constant(month.0, month.1, day), delivery)).collect()
    }

    #[test]
    fn equity_indices_roll_in_the_ten_days_up_to_the_third_friday() {
        let of =
            |root: &str, rolls: Rolls| Instrument { root: root.into(), rolls, ..Instrument::default() }.roll_window();
        for root in ["ES", "NQ", "RTY", "YM", "MES", "MNQ", "M2K", "MYM"] {
            let window = of(root, Rolls::OfRoot).unwrap();
            // The third Friday of December 2013 is the 20th.
            assert_eq!(days(window, "2013-12", (2013, 12)), (10..=20).collect::<Vec<_>>());
        }
        for root in ["SR3", "E"] {
            assert_eq!(of(root, Rolls::OfRoot), None);
        }
        assert_eq!(of("ES", Rolls::Any), None);
        assert_eq!(of("SR3", "first-day -8..-1".parse().unwrap()), Some(RollWindow::first_day(-8, -1)));
    }

    #[test]
    fn a_window_may_be_counted_from_the_first_day_and_over_the_end_of_a_month() {
        let Ok(Rolls::Within(gold)) = "first-day -8..-1".parse() else { panic!() };
        assert_eq!(days(gold, "2013-12", (2013, 11)), (23..=28).collect::<Vec<_>>());
        assert!(gold.contains(Date::constant(2013, 11, 30), "2013-12".parse().unwrap()));
        assert_eq!(days(gold, "2013-12", (2013, 12)), Vec::<i8>::new());
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for text in ["", "none", "third-friday -10..0", "first-day -8..3"] {
            assert_eq!(text.parse::<Rolls>().unwrap().to_string(), text);
        }
        for wrong in ["third-friday", "friday -1..0", "first-day 3..-8", "first-day -400..0", "first-day a..b", "any"] {
            assert!(wrong.parse::<Rolls>().is_err(), "{wrong}");
        }
    }
}
