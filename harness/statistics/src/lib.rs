//! Everything known about one month: the JSON object beside each training file.
//!
//! Shares are fractions from 0 to 1. A figure that does not exist, such as the mean of no values, is `null`.

mod column;
mod counts;
pub mod drift;
pub mod feature_ranges;
#[cfg(any(test, feature = "fixtures"))]
#[allow(clippy::missing_panics_doc, clippy::unwrap_used)]
pub mod fixtures;
mod level;
mod measure;
mod performance;
pub mod quality;
pub mod schema;
pub mod score;
#[cfg(test)]
mod tests;
mod wrong;

use std::collections::BTreeMap;

use data::{
    Month,
    contract::Fronts,
    grid::{Grid, Rollover, Unmapped},
    input::InputInfo,
    labels::Labels,
    records::Records,
};
use jiff::{Timestamp, civil::Date};
use kernels::{
    Tick,
    features::{FLAGS, FLOATS},
    labels::MAX_MODES,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    level::Level,
    measure::{
        ExitStatistics, FeatureStatistics, Measurable, Measured, ModeStatistics, WeightStatistics, WinStatistics,
    },
    performance::{Durations, Latency, Performance, Stage},
    score::Quality,
    wrong::Wrong,
};

/// Version of the object's schema.
pub const SCHEMA_VERSION: u32 = 1;

/// The statistics of one month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Statistics {
    /// `2013-10`.
    pub month: Month,
    /// Version of this object's schema.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema_version: u32,
    /// Program and version.
    pub program: String,
    /// `session` or `rolling`.
    #[schemars(extend("enum" = ["session", "rolling"]))]
    pub profile: String,
    /// The settings that decide the output.
    #[schemars(extend("type" = "object"))]
    pub settings: serde_json::Value,
    /// The files the month was read from.
    pub inputs: Vec<Input>,
    /// Records read, and dropped by name of the rule.
    pub records: Records,
    /// Trading dates in order.
    pub sessions: Vec<SessionStatistics>,
    /// Changes of the front contract in order.
    pub rollovers: Vec<Rollover>,
    /// What decided on the front contracts besides the month's own volumes, and what is missing of them.
    #[serde(default)]
    pub fronts: FrontStatistics,
    /// Labels and weights by mode.
    #[schemars(extend("propertyNames" = schema::modes(), "minProperties" = 1, "maxProperties" = MAX_MODES))]
    pub modes: BTreeMap<String, ModeStatistics>,
    /// Values by feature.
    #[schemars(extend("propertyNames" = schema::features(), "minProperties" = FLOATS + FLAGS))]
    pub features: BTreeMap<String, FeatureStatistics>,
    /// What it took.
    pub performance: Performance,
    /// How good it is.
    pub quality: Quality,
    /// What a careful user should know.
    pub warnings: Vec<String>,
    /// What makes the month wrong, whatever its score; empty when nothing does.
    pub errors: Vec<Wrong>,
    /// Price levels of at most three months before and three after, as far as they were known: the month's own is held to them.
    #[serde(default)]
    pub levels_around: Vec<Level>,
}

/// One input file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Input {
    /// Its key in the store, or its name.
    pub key: String,
    /// Size in bytes.
    pub bytes: u64,
    /// `xxh3:` and 16 hexadecimal digits.
    #[schemars(extend("pattern" = "^xxh3:[0-9a-f]{16}$"))]
    pub checksum: String,
    /// Records in the file.
    pub records: u64,
    /// Time of the earliest record.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub first: Option<Timestamp>,
    /// Time of the latest record.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last: Option<Timestamp>,
}

impl Input {
    /// What was found in the file stored as `key`.
    pub fn new(key: &str, info: &InputInfo) -> Self {
        let checksum = format!("xxh3:{}", info.checksum);
        Self { key: key.into(), bytes: info.bytes, checksum, records: info.records, first: info.first, last: info.last }
    }
}

/// One trading date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SessionStatistics {
    /// Local trading date.
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: Date,
    /// Front contract.
    pub contract: String,
    /// UTC time of the first row.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub open: Timestamp,
    /// UTC time of the last row.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub close: Timestamp,
    /// Rows.
    pub rows: u64,
    /// Rows without a trade.
    pub filled_rows: u64,
    /// Nothing traded at the end of the window.
    pub early_close: bool,
    /// Nothing traded at the start of the window.
    pub late_open: bool,
    /// Contracts traded.
    pub volume: u64,
    /// Close of the last row in points.
    #[serde(default)]
    pub last_price: f64,
}

impl SessionStatistics {
    fn new(session: &data::grid::Session, grid: &Grid, tick: Tick) -> Self {
        Self {
            date: session.date,
            contract: session.contract.clone(),
            open: session.time(0),
            close: session.time(session.rows.len().saturating_sub(1)),
            rows: session.rows.len() as u64,
            filled_rows: session.filled_rows as u64,
            early_close: session.early_close,
            late_open: session.late_open,
            volume: session.volume,
            last_price: session.rows.clone().next_back().map_or(0.0, |row| tick.points(grid.close[row])),
        }
    }
}

/// The front contracts of a month.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FrontStatistics {
    /// The front contract the month before ended with. `null` where the choice starts afresh, as the raw records of that
    /// month are not there.
    pub month_before: Option<String>,
    /// Trading dates on which the front contract has no record, but some shortly before and shortly after.
    pub missing: Vec<FrontMissing>,
    /// Trading dates on which the front contract and another have each other's records.
    pub swapped: Vec<FrontSwapped>,
    /// Dates in whose session ids without a symbol trade.
    pub unmapped: Vec<Unmapped>,
}

/// A trading date without a record of the front contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FrontMissing {
    /// Local trading date.
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: Date,
    /// The front contract.
    pub contract: String,
}

/// A trading date on which two contracts have each other's records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FrontSwapped {
    /// Local trading date.
    #[schemars(with = "String", extend("format" = "date"))]
    pub date: Date,
    /// The front contract.
    pub contract: String,
    /// The other.
    pub with: String,
}

impl FrontStatistics {
    /// How the fronts of a month were found, and what traded beside them.
    pub fn new(fronts: &Fronts, grid: &Grid) -> Self {
        let missing = |(date, contract): (Date, &str)| FrontMissing { date, contract: contract.to_owned() };
        let swapped = |(date, contract, with): (Date, &str, &str)| FrontSwapped {
            date,
            contract: contract.to_owned(),
            with: with.to_owned(),
        };
        Self {
            month_before: fronts.before.clone(),
            missing: fronts.missing().map(missing).collect(),
            swapped: fronts.swapped().map(swapped).collect(),
            unmapped: grid.unmapped.clone(),
        }
    }
}

/// What a month is known to be before anything is computed.
#[derive(Clone, Debug)]
pub struct Head {
    /// The month.
    pub month: Month,
    /// `session` or `rolling`.
    pub profile: String,
    /// The settings that decide the output.
    pub settings: serde_json::Value,
    /// The files it is read from.
    pub inputs: Vec<Input>,
}

impl Statistics {
    /// The statistics of a month that was computed, not yet scored.
    pub fn new(
        head: Head,
        records: Records,
        (fronts, grid, tick): (&Fronts, &Grid, Tick),
        measured: Measured,
        performance: Performance,
    ) -> Self {
        Self {
            records,
            sessions: grid.sessions.iter().map(|session| SessionStatistics::new(session, grid, tick)).collect(),
            rollovers: grid.rollovers.clone(),
            fronts: FrontStatistics::new(fronts, grid),
            modes: measured.modes,
            features: measured.features,
            performance,
            warnings: grid.warnings.clone(),
            ..Self::empty(head)
        }
    }

    /// The month's price level; `None` without a session.
    pub fn level(&self) -> Option<Level> {
        // Statistics of an earlier version have no prices.
        let closes: Vec<f64> = self.sessions.iter().map(|session| session.last_price).collect();
        Level::of(self.month, &closes)
    }

    /// The labels it has; the default ones where its settings cannot be read.
    pub fn labels(&self) -> Labels {
        Labels::of_settings(&self.settings).unwrap_or_default()
    }

    /// Rows of all sessions.
    pub fn rows(&self) -> u64 {
        self.sessions.iter().map(|session| session.rows).sum()
    }

    fn empty(Head { month, profile, settings, inputs }: Head) -> Self {
        Self {
            month,
            schema_version: SCHEMA_VERSION,
            program: concat!("harness ", env!("CARGO_PKG_VERSION")).to_owned(),
            profile,
            settings,
            inputs,
            records: Records::default(),
            sessions: Vec::new(),
            rollovers: Vec::new(),
            fronts: FrontStatistics::default(),
            modes: BTreeMap::new(),
            features: BTreeMap::new(),
            performance: Performance::default(),
            quality: Quality::default(),
            warnings: Vec::new(),
            errors: Vec::new(),
            levels_around: Vec::new(),
        }
    }
}
