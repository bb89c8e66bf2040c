//! What is looked at, and from where on it is an alert.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Look at it today.
    #[default]
    Warning,
    /// Look at it now.
    Critical,
}

impl Severity {
    /// It in a word.
    pub fn text(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What is looked at. The name in harness.toml is the same in small letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Minutes that a month takes.
    MonthMinutes,
    /// Memory that a run holds, or held for a month.
    MemoryGb,
    /// Score of a month.
    Quality,
    /// Lowest share of wins of a month's modes.
    WinRateLow,
    /// Highest share of wins of a month's modes.
    WinRateHigh,
    /// Highest share of NaNs of a month's features with a window.
    NanShare,
    /// Share of the months tried that failed.
    FailureRate,
    /// Share of the rolls that were found, on the right session.
    RollDetection,
    /// Share of the months asked for that readers find intact, and in time.
    Availability,
    /// Standard deviation of the scores.
    ScoreDeviation,
    /// Months that are unlike the archive.
    MonthsUnlike,
    /// Of the months that ever failed, the share that were published later without a person's flag.
    Recovery,
    /// Of the success criteria, the share with a metric and an alert rule in force.
    Coverage,
    /// 1 when the guide's script has passed with this program, 0 when it has failed.
    Documentation,
    /// Months of a run that failed since one did not.
    FailedInARow,
    /// Minutes since a run has got on.
    StalledMinutes,
    /// 1 for a run that is lost.
    LostRuns,
    /// Room on a disk.
    DiskGb,
}

/// From where on a value is an alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Threshold {
    /// Beyond this a warning.
    pub warning: Option<f64>,
    /// Beyond this critical.
    pub critical: Option<f64>,
    /// An alert is over once the value is back by this share of the threshold.
    pub hysteresis: f64,
}

/// The thresholds of all rules.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "BTreeMap<Rule, Threshold>")]
pub struct Thresholds(BTreeMap<Rule, Threshold>);

impl Default for Thresholds {
    fn default() -> Self {
        Self::from(BTreeMap::new())
    }
}

impl From<BTreeMap<Rule, Threshold>> for Thresholds {
    /// Those that are given, and of the others the defaults.
    fn from(given: BTreeMap<Rule, Threshold>) -> Self {
        let defaults = TABLE.iter().map(|line| (line.rule, line.threshold));
        Self(defaults.chain(given).collect())
    }
}

/// What there is to say of a rule.
struct Line {
    rule: Rule,
    name: &'static str,
    /// Whether low values are the bad ones.
    floor: bool,
    threshold: Threshold,
    /// The metric, and how many of its units are one of the rule's.
    metric: (&'static str, f64),
}

const fn line(rule: Rule, name: &'static str, floor: bool, threshold: Threshold, metric: (&'static str, f64)) -> Line {
    Line { rule, name, floor, threshold, metric }
}

const fn warning(warning: f64) -> Threshold {
    Threshold { warning: Some(warning), critical: None, hysteresis: 0.0 }
}

const fn critical(critical: f64) -> Threshold {
    Threshold { warning: None, critical: Some(critical), hysteresis: 0.0 }
}

const fn both(warning: f64, critical: f64) -> Threshold {
    Threshold { warning: Some(warning), critical: Some(critical), hysteresis: 0.0 }
}

const MOST: bool = false;
const LEAST: bool = true;

/// Every rule, in the order of [`Rule`].
const TABLE: [Line; 18] = [
    line(Rule::MonthMinutes, "month_minutes", MOST, both(30.0, 45.0), ("harness_month_seconds", 60.0)),
    line(
        Rule::MemoryGb,
        "memory_gb",
        MOST,
        Threshold { hysteresis: 0.05, ..both(8.0, 10.0) },
        ("harness_month_peak_bytes", 1e9),
    ),
    line(Rule::Quality, "quality", LEAST, both(0.8, 0.7), ("harness_month_quality", 1.0)),
    line(Rule::WinRateLow, "win_rate_low", LEAST, warning(0.05), ("harness_month_win_ratio", 1.0)),
    line(Rule::WinRateHigh, "win_rate_high", MOST, warning(0.5), ("harness_month_win_ratio", 1.0)),
    line(Rule::NanShare, "nan_share", MOST, warning(0.35), ("harness_month_nan_ratio", 1.0)),
    line(Rule::FailureRate, "failure_rate", MOST, warning(0.02), ("harness_error_ratio", 1.0)),
    line(Rule::RollDetection, "roll_detection", LEAST, warning(0.95), ("harness_roll_detection_ratio", 1.0)),
    line(Rule::Availability, "availability", LEAST, warning(0.995), ("harness_availability_ratio", 1.0)),
    line(Rule::ScoreDeviation, "score_deviation", MOST, warning(0.05), ("harness_score_deviation", 1.0)),
    line(Rule::MonthsUnlike, "months_unlike", MOST, warning(0.0), ("harness_months_unlike", 1.0)),
    line(Rule::Recovery, "recovery", LEAST, warning(0.95), ("harness_recovery_ratio", 1.0)),
    line(Rule::Coverage, "coverage", LEAST, warning(1.0), ("harness_coverage_ratio", 1.0)),
    line(Rule::Documentation, "documentation", LEAST, warning(1.0), ("harness_documentation_passed", 1.0)),
    line(Rule::FailedInARow, "failed_in_a_row", MOST, critical(3.0), ("harness_run_failed_in_a_row", 1.0)),
    line(
        Rule::StalledMinutes,
        "stalled_minutes",
        MOST,
        critical(15.0),
        ("harness_run_progress_timestamp_seconds", 60.0),
    ),
    line(Rule::LostRuns, "lost_runs", MOST, critical(0.0), ("harness_run_lost", 1.0)),
    line(
        Rule::DiskGb,
        "disk_gb",
        LEAST,
        Threshold { hysteresis: 0.05, ..warning(100.0) },
        ("harness_run_free_bytes", 1e9),
    ),
];

impl Rule {
    fn line(self) -> &'static Line {
        &TABLE[self as usize]
    }

    /// Whether low values are the bad ones.
    pub fn is_floor(self) -> bool {
        self.line().floor
    }

    /// Its name in harness.toml.
    pub fn name(self) -> &'static str {
        self.line().name
    }

    /// The metric that Prometheus sees of it, and how many of its units are one of the rule's.
    pub fn metric(self) -> (&'static str, f64) {
        self.line().metric
    }

    /// Of two values the worse one.
    pub fn worse(self, a: f64, b: f64) -> bool {
        if self.is_floor() { a < b } else { a > b }
    }
}

impl Thresholds {
    /// That of a rule.
    pub fn of(&self, rule: Rule) -> Threshold {
        self.0.get(&rule).copied().unwrap_or_default()
    }

    /// Whether a rule can alert.
    pub fn in_force(&self, rule: Rule) -> bool {
        let Threshold { warning, critical, .. } = self.of(rule);
        warning.or(critical).is_some()
    }

    /// How bad a value is, if it is; `before` is how bad it was when last looked at.
    pub fn severity(&self, rule: Rule, value: f64, before: Option<Severity>) -> Option<Severity> {
        let threshold = self.of(rule);
        let beyond =
            |limit: Option<f64>, severity: Severity| {
                let back = if before >= Some(severity) { threshold.hysteresis } else { 0.0 };
                limit.is_some_and(|limit| {
                    if rule.is_floor() { value < limit * (1.0 + back) } else { value > limit * (1.0 - back) }
                })
            };
        let critical = beyond(threshold.critical, Severity::Critical).then_some(Severity::Critical);
        critical.or_else(|| beyond(threshold.warning, Severity::Warning).then_some(Severity::Warning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runbooks_conditions_are_the_defaults() {
        let rules = Thresholds::default();
        let (warning, critical) = (Some(Severity::Warning), Some(Severity::Critical));
        for (rule, value, expected) in [
            (Rule::MonthMinutes, 30.0, None),
            (Rule::MonthMinutes, 30.1, warning),
            (Rule::MonthMinutes, 45.1, critical),
            (Rule::MemoryGb, 8.0, None),
            (Rule::MemoryGb, 8.1, warning),
            (Rule::MemoryGb, 10.1, critical),
            (Rule::Quality, 0.8, None),
            (Rule::Quality, 0.79, warning),
            (Rule::Quality, 0.69, critical),
            (Rule::WinRateLow, 0.05, None),
            (Rule::WinRateLow, 0.049, warning),
            (Rule::WinRateHigh, 0.5, None),
            (Rule::WinRateHigh, 0.501, warning),
            (Rule::FailedInARow, 3.0, None),
            (Rule::FailedInARow, 4.0, critical),
            (Rule::FailureRate, 0.02, None),
            (Rule::FailureRate, 0.021, warning),
            (Rule::StalledMinutes, 15.0, None),
            (Rule::StalledMinutes, 15.1, critical),
            (Rule::LostRuns, 1.0, critical),
            (Rule::DiskGb, 100.0, None),
            (Rule::DiskGb, 99.0, warning),
        ] {
            assert_eq!(rules.severity(rule, value, None), expected, "{rule:?} {value}");
        }
    }

    #[test]
    fn a_rule_has_its_line_of_the_table_under_the_name_that_settings_have() {
        for (number, line) in TABLE.iter().enumerate() {
            assert_eq!((line.rule as usize, line.rule.line().name), (number, line.name));
            assert_eq!(serde_json::to_value(line.rule).unwrap(), line.name);
        }
        let given: Thresholds = toml::from_str("quality = { warning = 0.9 }\ndisk_gb = {}").unwrap();
        assert_eq!(given.of(Rule::Quality), warning(0.9));
        assert_eq!(given.of(Rule::MemoryGb), Thresholds::default().of(Rule::MemoryGb));
        assert!(!given.in_force(Rule::DiskGb) && given.in_force(Rule::Quality));
        let unknown = toml::from_str::<Thresholds>("qualty = { warning = 0.9 }").unwrap_err().to_string();
        assert!(unknown.contains("qualty") && unknown.contains("month_minutes"), "{unknown}");
    }

    #[test]
    fn an_alert_is_over_only_when_the_value_is_well_back() {
        let rules = Thresholds::default();
        let memory = |value, before| rules.severity(Rule::MemoryGb, value, before);
        let (warning, critical) = (Some(Severity::Warning), Some(Severity::Critical));
        assert_eq!(memory(7.7, warning), warning, "within 5 % of 8");
        assert_eq!(memory(7.5, warning), None);
        assert_eq!(memory(9.6, critical), critical);
        assert_eq!(memory(9.6, warning), warning);
        assert_eq!(memory(9.4, critical), warning);
        let disk = |value, before| rules.severity(Rule::DiskGb, value, before);
        assert_eq!((disk(104.0, warning), disk(104.0, None), disk(106.0, warning)), (warning, None, None));
    }
}
