//! Calendar months and ranges of them: `2024-10`, `2010-07..2025-10`.

use std::{fmt, str::FromStr};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A calendar month, written `2024-10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(extend("pattern" = "^[0-9]{4}-(0[1-9]|1[0-2])$"))]
pub struct Month {
    year: i16,
    month: i8,
}

/// Text that is not a month or a range of months.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MonthError {
    /// Not a month.
    #[error("'{0}' is not a month: expected YYYY-MM, such as 2024-10")]
    Month(String),
    /// Not a range.
    #[error("'{0}' is not a range of months: expected YYYY-MM..YYYY-MM, first to last, such as 2010-07..2025-10")]
    Range(String),
}

impl Month {
    /// The month, or `None` when the year is not 1970..=2199 or the month not 1..=12.
    #[must_use]
    pub fn new(year: i16, month: i8) -> Option<Self> {
        ((1970..=2199).contains(&year) && (1..=12).contains(&month)).then_some(Self { year, month })
    }

    /// The month a date lies in; `None` outside 1970..=2199.
    #[must_use]
    pub fn of(date: Date) -> Option<Self> {
        Self::new(date.year(), date.month())
    }

    /// Calendar year.
    #[must_use]
    pub fn year(self) -> i16 {
        self.year
    }

    /// Month of the year, 1..=12.
    #[must_use]
    pub fn month(self) -> i8 {
        self.month
    }

    /// First day.
    #[must_use]
    pub fn first_day(self) -> Date {
        Date::constant(self.year, self.month, 1)
    }

    /// Last day.
    #[must_use]
    pub fn last_day(self) -> Date {
        self.first_day().last_of_month()
    }

    /// Months since year 0; the difference of two is the number of months between them.
    #[must_use]
    pub fn index(self) -> i32 {
        i32::from(self.year) * 12 + i32::from(self.month) - 1
    }

    /// The month before; `None` before 1970-01.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        if self.month == 1 { Self::new(self.year - 1, 12) } else { Self::new(self.year, self.month - 1) }
    }

    /// The following month; `None` after 2199-12.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        if self.month == 12 { Self::new(self.year + 1, 1) } else { Self::new(self.year, self.month + 1) }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let parse = || {
            let (year, month) = text.split_once('-')?;
            let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
            if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
                return None;
            }
            Self::new(year.parse().ok()?, month.parse().ok()?)
        };
        parse().ok_or_else(|| MonthError::Month(text.to_owned()))
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

impl TryFrom<String> for Month {
    type Error = MonthError;

    fn try_from(text: String) -> Result<Self, MonthError> {
        text.parse()
    }
}

/// Months from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthRange {
    first: Month,
    last: Month,
}

impl MonthRange {
    /// The range, or `None` when `last` is before `first`.
    #[must_use]
    pub fn new(first: Month, last: Month) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// First month.
    #[must_use]
    pub fn first(self) -> Month {
        self.first
    }

    /// Last month.
    #[must_use]
    pub fn last(self) -> Month {
        self.last
    }

    /// Every month of the range in order.
    pub fn iter(self) -> impl Iterator<Item = Month> {
        std::iter::successors(Some(self.first), |month| month.next()).take_while(move |month| *month <= self.last)
    }
}

impl FromStr for MonthRange {
    type Err = MonthError;

    /// A range `A..B`, or a single month.
    fn from_str(text: &str) -> Result<Self, MonthError> {
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => (first.parse()?, last.parse()?),
            None => (text.parse()?, text.parse()?),
        };
        Self::new(first, last).ok_or_else(|| MonthError::Range(text.to_owned()))
    }
}

impl fmt::Display for MonthRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_includes_both_ends_and_crosses_the_year() {
        let range: MonthRange = "2013-11..2014-02".parse().unwrap();
        let months: Vec<String> = range.iter().map(|m| m.to_string()).collect();
        assert_eq!(months, ["2013-11", "2013-12", "2014-01", "2014-02"]);
        assert_eq!("2024-10".parse::<MonthRange>().unwrap().iter().count(), 1);
    }

    #[test]
    fn text_that_is_not_a_month_is_refused() {
        for text in ["", "2024", "2024-13", "2024-1", "24-10", "2024-10-01", "+024-10", "2024/10"] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
        assert!("2014-02..2013-11".parse::<MonthRange>().is_err());
    }
}
