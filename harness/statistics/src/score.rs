//! The score of a month as its statistics hold it: parts, deductions, band, and whether to make the month again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Below this score a month should be made again.
pub const LEAST_SCORE: f64 = 0.7;

/// The score of one month.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Quality {
    /// 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: f64,
    /// What the score is made of.
    pub parts: Parts,
    /// Everything that was taken off.
    pub deductions: Vec<Deduction>,
    /// The score in a word.
    pub band: Band,
    /// Whether to make the month again.
    pub reprocess: Reprocess,
}

/// The five parts of the score, each from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Parts {
    /// M, labels and weights: 0.40 of the score.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub modes: f64,
    /// D, the data read: 0.25.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub data: f64,
    /// F, features: 0.20.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub features: f64,
    /// P, time and memory: 0.10.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub performance: f64,
    /// R, rolls and gaps of price: 0.05.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub rolls: f64,
}

/// One of the five parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// M.
    Modes,
    /// D.
    Data,
    /// F.
    Features,
    /// P.
    Performance,
    /// R.
    Rolls,
}

impl Part {
    /// Its weight in the score.
    pub fn weight(self) -> f64 {
        match self {
            Self::Modes => 0.40,
            Self::Data => 0.25,
            Self::Features => 0.20,
            Self::Performance => 0.10,
            Self::Rolls => 0.05,
        }
    }
}

/// What one part lost, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Deduction {
    /// The part.
    pub part: Part,
    /// What it lost.
    #[schemars(range(min = 0.0))]
    pub amount: f64,
    /// Why.
    pub reason: String,
}

/// The score in a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Band {
    /// Below 0.6.
    #[default]
    Low,
    /// From 0.6.
    Medium,
    /// From 0.8.
    High,
}

/// Whether a month should be made again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Reprocess {
    /// Whether it should.
    pub needed: bool,
    /// How soon; `null` when not needed.
    pub priority: Option<Priority>,
    /// Why.
    pub reasons: Vec<String>,
}

impl Reprocess {
    /// What the score says without the statistics.
    pub fn of_score(score: f64) -> Self {
        Self::because(below("score", score, LEAST_SCORE).into_iter().collect(), Priority::of(score))
    }

    /// Needed for these reasons; not needed without any.
    pub fn because(reasons: Vec<String>, priority: Priority) -> Self {
        let needed = !reasons.is_empty();
        Self { needed, priority: needed.then_some(priority), reasons }
    }
}

/// A sentence when a value is below the least.
pub fn below(name: &str, value: f64, least: f64) -> Option<String> {
    (value < least).then(|| format!("{name} {value:.3} is below {least}"))
}

/// How soon a month should be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// A part is weak, the score is not.
    Low,
    /// Score below 0.7.
    Medium,
    /// The month failed, or its score is below 0.5.
    High,
}

impl Priority {
    /// The priority of a month with this score.
    pub fn of(score: f64) -> Self {
        match score {
            0.7.. => Self::Low,
            0.5.. => Self::Medium,
            _ => Self::High,
        }
    }
}

impl Parts {
    /// The weighted sum of the parts.
    pub fn score(&self) -> f64 {
        let Self { modes, data, features, performance, rolls } = *self;
        let weighted = Part::Modes.weight() * modes
            + Part::Data.weight() * data
            + Part::Features.weight() * features
            + Part::Performance.weight() * performance
            + Part::Rolls.weight() * rolls;
        rounded(weighted).clamp(0.0, 1.0)
    }

    /// What is shown: nothing below 0.
    pub fn shown(self) -> Self {
        let Self { modes, data, features, performance, rolls } = self;
        let [modes, data, features, performance, rolls] =
            [modes, data, features, performance, rolls].map(|part| part.clamp(0.0, 1.0));
        Self { modes, data, features, performance, rolls }
    }
}

impl Band {
    /// The band of a score.
    pub fn of(score: f64) -> Self {
        match score {
            0.8.. => Self::High,
            0.6.. => Self::Medium,
            _ => Self::Low,
        }
    }
}

/// To nine decimals: sums of tenths meet the limits they are compared with.
pub fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}
