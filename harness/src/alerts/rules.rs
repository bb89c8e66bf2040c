//! What is looked at, and from where on it is an alert.

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

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Minutes that a month takes.
    MonthMinutes,
    /// Memory that a run holds.
    MemoryGb,
    /// Score of a month.
    Quality,
    /// Lowest share of wins of a month's modes.
    WinRateLow,
    /// Highest share of wins of a month's modes.
    WinRateHigh,
    /// Months of a run that failed since one did not.
    FailedInARow,
    /// Share of the months tried that failed.
    FailureRate,
    /// Minutes since a run has got on.
    StalledMinutes,
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
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    month_minutes: Threshold,
    memory_gb: Threshold,
    quality: Threshold,
    win_rate_low: Threshold,
    win_rate_high: Threshold,
    failed_in_a_row: Threshold,
    failure_rate: Threshold,
    stalled_minutes: Threshold,
    disk_gb: Threshold,
}

impl Default for Thresholds {
    fn default() -> Self {
        let of = |warning, critical, hysteresis| Threshold { warning, critical, hysteresis };
        Self {
            month_minutes: of(Some(45.0), None, 0.0),
            memory_gb: of(Some(8.0), Some(10.0), 0.05),
            quality: of(Some(0.8), Some(0.7), 0.0),
            win_rate_low: of(Some(0.05), None, 0.0),
            win_rate_high: of(Some(0.5), None, 0.0),
            failed_in_a_row: of(None, Some(3.0), 0.0),
            failure_rate: of(Some(0.02), None, 0.0),
            stalled_minutes: of(None, Some(15.0), 0.0),
            disk_gb: of(Some(100.0), None, 0.05),
        }
    }
}

impl Rule {
    /// Whether low values are the bad ones.
    fn is_floor(self) -> bool {
        matches!(self, Self::Quality | Self::WinRateLow | Self::DiskGb)
    }

    /// Its name in harness.toml.
    pub fn name(self) -> &'static str {
        match self {
            Self::MonthMinutes => "month_minutes",
            Self::MemoryGb => "memory_gb",
            Self::Quality => "quality",
            Self::WinRateLow => "win_rate_low",
            Self::WinRateHigh => "win_rate_high",
            Self::FailedInARow => "failed_in_a_row",
            Self::FailureRate => "failure_rate",
            Self::StalledMinutes => "stalled_minutes",
            Self::DiskGb => "disk_gb",
        }
    }
}

impl Thresholds {
    fn of(&self, rule: Rule) -> Threshold {
        match rule {
            Rule::MonthMinutes => self.month_minutes,
            Rule::MemoryGb => self.memory_gb,
            Rule::Quality => self.quality,
            Rule::WinRateLow => self.win_rate_low,
            Rule::WinRateHigh => self.win_rate_high,
            Rule::FailedInARow => self.failed_in_a_row,
            Rule::FailureRate => self.failure_rate,
            Rule::StalledMinutes => self.stalled_minutes,
            Rule::DiskGb => self.disk_gb,
        }
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
            (Rule::MonthMinutes, 45.0, None),
            (Rule::MonthMinutes, 45.1, warning),
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
            (Rule::DiskGb, 100.0, None),
            (Rule::DiskGb, 99.0, warning),
        ] {
            assert_eq!(rules.severity(rule, value, None), expected, "{rule:?} {value}");
        }
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
