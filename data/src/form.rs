//! How a table of bars is written where it is not as usual: what its columns are called, and what its numbers count.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Columns a table may have, by the names they have here.
pub const COLUMNS: [&str; 9] =
    ["timestamp", "open", "high", "low", "close", "volume", "symbol", "instrument_id", "rtype"];

/// What a table's writer called and counted in another way. Only what was set is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// What a table calls a column, by the column's own name.
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub columns: Names,
    /// What whole-number times count since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_unit: Option<TimeUnit>,
    /// What prices count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_unit: Option<PriceUnit>,
}

impl Form {
    /// Whether everything is as usual.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// As settings write it, for the keys of caches; empty where everything is as usual.
impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_usual() {
            return Ok(());
        }
        let time = self.time_unit.map_or("", TimeUnit::name);
        write!(f, " {} {time} {}", self.columns, self.price_unit.map_or("", PriceUnit::name))
    }
}

/// Columns' own names to those of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Whether all columns have their own names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a table calls a column, where that was set.
    #[must_use]
    pub fn of(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(String::as_str)
    }
}

/// `timestamp=ts,volume=vol`.
impl FromStr for Names {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut names = BTreeMap::new();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (own, name) = pair.split_once('=').map(|(own, name)| (own.trim(), name.trim())).ok_or(())?;
            let known = COLUMNS.contains(&own) && !name.is_empty();
            if !known || names.insert(own.to_owned(), name.to_owned()).is_some() {
                return Err(());
            }
        }
        Ok(Self(names))
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.0.iter().map(|(own, name)| format!("{own}={name}")).collect();
        f.write_str(&pairs.join(","))
    }
}

/// What a whole-number time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeUnit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millis,
    /// Microseconds.
    #[serde(rename = "us")]
    Micros,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanos,
}

impl TimeUnit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Seconds, Self::Millis, Self::Micros, Self::Nanos];

    /// Its name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Millis => "ms",
            Self::Micros => "us",
            Self::Nanos => "ns",
        }
    }

    /// Nanoseconds of one.
    #[must_use]
    pub fn nanos(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Millis => 1_000_000,
            Self::Micros => 1000,
            Self::Nanos => 1,
        }
    }
}

/// What a price counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PriceUnit {
    /// Points.
    Points,
    /// Hundredths of a point.
    Cents,
    /// Minimum price increments.
    Ticks,
    /// Units of 1e-9 points, as in DBN.
    Fixed,
}

impl PriceUnit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Points, Self::Cents, Self::Ticks, Self::Fixed];

    /// Its name in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Points => "points",
            Self::Cents => "cents",
            Self::Ticks => "ticks",
            Self::Fixed => "fixed",
        }
    }

    /// Units of 1e-9 points of one; a tick has `tick` of them.
    #[must_use]
    pub fn nanos(self, tick: i64) -> i64 {
        match self {
            Self::Points => 1_000_000_000,
            Self::Cents => 10_000_000,
            Self::Ticks => tick,
            Self::Fixed => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_names_known_columns_once_each() {
        let names: Names = "timestamp=ts, volume = vol".parse().unwrap();
        assert_eq!((names.of("timestamp"), names.of("volume"), names.of("open")), (Some("ts"), Some("vol"), None));
        assert_eq!(names.to_string(), "timestamp=ts,volume=vol");
        assert!("".parse::<Names>().unwrap().is_empty());
        for wrong in ["ts", "time=ts", "open=", "open=o,open=p", "=o"] {
            assert!(wrong.parse::<Names>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_usual_leaves_no_trace() {
        assert_eq!(
            (Form::default().to_string(), serde_json::to_string(&Form::default()).unwrap()),
            (String::new(), "{}".into())
        );
        let form = Form { price_unit: Some(PriceUnit::Ticks), time_unit: Some(TimeUnit::Millis), ..Form::default() };
        assert_eq!(serde_json::to_string(&form).unwrap(), r#"{"time_unit":"ms","price_unit":"ticks"}"#);
        assert!(!form.is_usual() && !form.to_string().is_empty());
    }
}
