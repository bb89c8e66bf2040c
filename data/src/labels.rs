//! Which trades are labelled, as settings, metadata and manifest write it.

use std::{collections::BTreeMap, sync::Arc};

use kernels::labels::{Direction, Distance, Entry, Mode, Multiple, Output, Specification, Tie, Wrong};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The labels of a month, and how often each mode usually wins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Labels {
    /// The trades.
    pub specification: Arc<Specification>,
    /// Least and most share of wins that is usual, of the modes that have one of their own.
    pub win_rates: BTreeMap<String, (f64, f64)>,
}

/// Presets by name.
pub const PRESETS: [&str; 2] = ["default", "atr"];

impl Labels {
    /// Those of a preset.
    #[must_use]
    pub fn preset(name: &str) -> Option<Self> {
        let specification = match name {
            "default" => Specification::default(),
            "atr" => Specification::atr(),
            _ => return None,
        };
        Some(Self { specification: Arc::new(specification), win_rates: BTreeMap::new() })
    }

    /// Whether nothing differs from the default.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Least and most share of wins that is usual of a mode; the least is `least` unless the mode has its own.
    #[must_use]
    pub fn win_rate(&self, mode: &str, least: f64) -> (f64, f64) {
        self.win_rates.get(mode).copied().unwrap_or((least, MOST_WIN_RATE))
    }

    /// All of it, as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let specification = &*self.specification;
        let mode = |mode: &Mode| WrittenMode {
            name: mode.name.to_string(),
            side: side(mode.direction).to_owned(),
            stop: mode.stop.into(),
            target: mode.target.into(),
            trailing: mode.trailing,
            win_rate: self.win_rates.get(&*mode.name).copied(),
        };
        serde_json::json!(Written {
            horizon: specification.horizon().try_into().unwrap_or(u16::MAX),
            entry: entry(specification.entry()).to_owned(),
            tie: tie(specification.tie()).to_owned(),
            outputs: specification.outputs().iter().map(|output| output.name().to_owned()).collect(),
            mode: specification.modes().iter().map(mode).collect(),
        })
    }

    /// What [`Labels::to_json`] wrote.
    ///
    /// # Errors
    /// What it is not.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        let written = Written::deserialize(value).map_err(|error| error.to_string())?;
        let unknown = |what: &str, found: &str| format!("{what} = {found}: unknown");
        let mut outputs = Vec::new();
        for name in &written.outputs {
            outputs.push(output_of(name).ok_or_else(|| unknown("outputs", name))?);
        }
        let (mut modes, mut win_rates) = (Vec::new(), BTreeMap::new());
        for mode in written.mode {
            if let Some(band) = mode.win_rate {
                win_rates.insert(mode.name.clone(), band);
            }
            modes.push(Mode {
                direction: side_of(&mode.side).ok_or_else(|| unknown("side", &mode.side))?,
                stop: mode.stop.read()?,
                target: mode.target.read()?,
                trailing: mode.trailing,
                name: mode.name.into(),
            });
        }
        let entry = entry_of(&written.entry).ok_or_else(|| unknown("entry", &written.entry))?;
        let tie = tie_of(&written.tie).ok_or_else(|| unknown("tie", &written.tie))?;
        let specification = Specification::new(written.horizon, entry, tie, &outputs, modes);
        let specification = Arc::new(specification.map_err(|wrong: Wrong| wrong.to_string())?);
        Ok(Self { specification, win_rates })
    }

    /// Those of a month's settings, the default where they say nothing of labels.
    ///
    /// # Errors
    /// What they are not.
    pub fn of_settings(settings: &Value) -> Result<Self, String> {
        settings.get("labels").map_or_else(|| Ok(Self::default()), Self::from_json)
    }
}

/// Above this share of wins a mode is suspect, unless it has a band of its own.
pub const MOST_WIN_RATE: f64 = 0.50;

/// As it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    horizon: u16,
    entry: String,
    tie: String,
    outputs: Vec<String>,
    mode: Vec<WrittenMode>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMode {
    name: String,
    side: String,
    stop: WrittenDistance,
    target: WrittenDistance,
    trailing: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    win_rate: Option<(f64, f64)>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenDistance {
    Ticks(u16),
    Atr { atr: f64 },
}

impl From<Distance> for WrittenDistance {
    fn from(distance: Distance) -> Self {
        match distance {
            Distance::Ticks(ticks) => Self::Ticks(ticks),
            Distance::Atr(multiple) => Self::Atr { atr: multiple.value() },
        }
    }
}

impl WrittenDistance {
    fn read(self) -> Result<Distance, String> {
        match self {
            Self::Ticks(ticks) => Ok(Distance::Ticks(ticks)),
            Self::Atr { atr } => {
                Multiple::new(atr).map(Distance::Atr).ok_or_else(|| format!("atr = {atr}: expected {MULTIPLE}"))
            }
        }
    }
}

/// What a multiple of the ATR may be.
pub const MULTIPLE: &str = "a multiple above 0 and at most 100, of at most 6 decimals";

/// Name of a side.
#[must_use]
pub fn side(direction: Direction) -> &'static str {
    match direction {
        Direction::Long => "long",
        Direction::Short => "short",
    }
}

/// The side of a name.
#[must_use]
pub fn side_of(name: &str) -> Option<Direction> {
    [Direction::Long, Direction::Short].into_iter().find(|&one| side(one) == name)
}

fn entry(entry: Entry) -> &'static str {
    match entry {
        Entry::NextOpen => "next_open",
        Entry::Close => "close",
    }
}

/// The entry of a name.
#[must_use]
pub fn entry_of(name: &str) -> Option<Entry> {
    [Entry::NextOpen, Entry::Close].into_iter().find(|&one| entry(one) == name)
}

fn tie(tie: Tie) -> &'static str {
    match tie {
        Tie::Stop => "stop",
        Tie::Target => "target",
    }
}

/// The rule for ties of a name.
#[must_use]
pub fn tie_of(name: &str) -> Option<Tie> {
    [Tie::Stop, Tie::Target].into_iter().find(|&one| tie(one) == name)
}

/// The output of a name.
#[must_use]
pub fn output_of(name: &str) -> Option<Output> {
    Output::ALL.into_iter().find(|output| output.name() == name)
}

/// A barrier in words.
#[must_use]
pub fn distance(distance: Distance) -> String {
    match distance {
        Distance::Ticks(ticks) => format!("{ticks} ticks"),
        Distance::Atr(multiple) => format!("{} ATR", multiple.value()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut mode = Specification::default().modes()[4].clone();
        (mode.stop, mode.trailing) = (Distance::Atr(Multiple::new(0.7).unwrap()), true);
        let modes = vec![mode.clone()];
        let own = Specification::new(3600, Entry::Close, Tie::Target, &Output::ALL, modes).unwrap();
        let own = Labels { specification: Arc::new(own), win_rates: [(mode.name.to_string(), (0.01, 0.7))].into() };
        for labels in [Labels::default(), Labels::preset("atr").unwrap(), own] {
            let text = labels.to_json().to_string();
            assert_eq!(Labels::from_json(&serde_json::from_str(&text).unwrap()), Ok(labels), "{text}");
        }
        assert!(Labels::preset("none").is_none() && Labels::default().is_default());
        assert_eq!(Labels::of_settings(&serde_json::json!({ "profile": "session" })), Ok(Labels::default()));
    }

    #[test]
    fn a_specification_that_is_none_is_refused() {
        let mut json = Labels::default().to_json();
        json["mode"][0]["stop"] = 0.into();
        assert_eq!(Labels::from_json(&json), Err("mode 1: stop = 0: expected 1 to 4095 ticks".into()));
        json["mode"][0]["stop"] = serde_json::json!({ "atr": 0 });
        assert!(Labels::from_json(&json).is_err_and(|error| error.starts_with("atr = 0: expected")));
        json["mode"][0]["stop"] = 6.into();
        json["tie"] = "both".into();
        assert_eq!(Labels::from_json(&json), Err("tie = both: unknown".into()));
    }
}
