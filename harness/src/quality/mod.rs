//! How good a month is: a score from its statistics, every deduction with its reason, and whether to make it again.
//!
//! A deduction's amount is what its part loses. A part is 1 less its deductions, which fall below 0 when many things are
//! wrong at once: the score counts that, and is held to 0 to 1 itself; what is shown of a part stops at 0.

mod dates;
pub mod drift;
pub mod levels;
pub mod over_time;
mod parts;
#[cfg(test)]
mod tests;
pub mod wrong;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::parts::{excluded_share, list};
use crate::statistics::Statistics;

/// Below this share of wins, or above the next one, a mode is suspect.
const LEAST_WIN_RATE: f64 = 0.05;
const MOST_WIN_RATE: f64 = 0.50;
/// Below this score a month should be made again.
const LEAST_SCORE: f64 = 0.7;

/// What scoring needs beyond the month's own figures.
#[derive(Clone, Debug)]
pub struct Context {
    /// Time zone of the trading dates.
    pub zone: TimeZone,
    /// Share of the rows excluded around gaps of price ([`excluded_share`]); 0 in profile `session`.
    pub excluded_share: f64,
}

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

fn below(name: &str, value: f64, least: f64) -> Option<String> {
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

/// Scores a month. `statistics.quality` is not read.
pub fn assess(statistics: &Statistics, context: &Context) -> Quality {
    let mut deductions = Vec::new();
    parts::modes(statistics, &mut deductions);
    parts::data(statistics, &dates::missing_of(statistics, &context.zone), &mut deductions);
    parts::features(statistics, &mut deductions);
    parts::performance(statistics, &mut deductions);
    parts::rolls(statistics, context.excluded_share, &mut deductions);
    let left = |part: Part| {
        let lost: f64 =
            deductions.iter().filter(|deduction| deduction.part == part).map(|deduction| deduction.amount).sum();
        rounded(1.0 - lost)
    };
    let parts = Parts {
        modes: left(Part::Modes),
        data: left(Part::Data),
        features: left(Part::Features),
        performance: left(Part::Performance),
        rolls: left(Part::Rolls),
    };
    let (score, parts) = (parts.score(), parts.shown());
    let reprocess = reprocess(statistics, &parts, score);
    let score = if statistics.errors.is_empty() { score } else { score.min(wrong::MOST_SCORE) };
    Quality { score, parts, band: Band::of(score), reprocess, deductions }
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
    fn score(&self) -> f64 {
        let Self { modes, data, features, performance, rolls } = *self;
        let weighted = Part::Modes.weight() * modes
            + Part::Data.weight() * data
            + Part::Features.weight() * features
            + Part::Performance.weight() * performance
            + Part::Rolls.weight() * rolls;
        rounded(weighted).clamp(0.0, 1.0)
    }

    /// Nothing below 0.
    fn shown(self) -> Self {
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
fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

/// Whether a mode wins neither too rarely nor too often; no rows are no regular mode.
fn regular(win_rate: Option<f64>) -> bool {
    win_rate.is_some_and(|rate| (LEAST_WIN_RATE..=MOST_WIN_RATE).contains(&rate))
}

/// A wrong month comes out the same once more: it says itself what to do about it.
fn reprocess(statistics: &Statistics, parts: &Parts, score: f64) -> Reprocess {
    if !statistics.errors.is_empty() {
        return Reprocess::default();
    }
    let mut reasons = Vec::new();
    for (name, value, least) in [
        ("score", score, LEAST_SCORE),
        ("features", parts.features, 0.6),
        ("data", parts.data, 0.5),
        ("rolls", parts.rolls, 0.5),
    ] {
        reasons.extend(below(name, value, least));
    }
    for (name, mode) in statistics.modes.iter().filter(|(_, mode)| !regular(mode.win_rate)) {
        let rate = mode.win_rate.map_or("without rows".into(), |rate| format!("win rate {rate:.3}"));
        reasons.push(format!("{name}: {rate}, outside {LEAST_WIN_RATE} to {MOST_WIN_RATE}"));
    }
    Reprocess::because(reasons, Priority::of(score))
}
