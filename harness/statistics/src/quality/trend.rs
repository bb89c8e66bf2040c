//! Where the scores go over the months.

use data::Month;
use serde::Serialize;

/// Months that count as recent.
pub const RECENT: usize = 6;

/// The scores as a line, and the last months beside those before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Trend {
    /// Change of the score in a year, by least squares; `null` for a single month.
    pub slope_per_year: Option<f64>,
    /// Mean score of the last six months.
    pub recent: f64,
    /// Mean score of all months before; `null` without any.
    pub before: Option<f64>,
}

impl Trend {
    /// Of months in order; `None` without any.
    pub fn new(scores: &[(Month, f64)]) -> Option<Self> {
        let (before, recent) = scores.split_at(scores.len().saturating_sub(RECENT));
        Some(Self { slope_per_year: slope(scores), recent: mean(recent)?, before: mean(before) })
    }
}

fn mean(scores: &[(Month, f64)]) -> Option<f64> {
    (!scores.is_empty()).then(|| scores.iter().map(|(_, score)| score).sum::<f64>() / scores.len() as f64)
}

fn slope(scores: &[(Month, f64)]) -> Option<f64> {
    let months = |month: Month| f64::from(month.index() - scores[0].0.index());
    let count = scores.len() as f64;
    let middle = scores.iter().map(|(month, _)| months(*month)).sum::<f64>() / count;
    let spread: f64 = scores.iter().map(|(month, _)| (months(*month) - middle).powi(2)).sum();
    let joint: f64 = scores.iter().map(|(month, score)| (months(*month) - middle) * score).sum();
    (spread > 0.0).then(|| 12.0 * joint / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(of: &[(&str, f64)]) -> Vec<(Month, f64)> {
        of.iter().map(|(month, score)| (month.parse().unwrap(), *score)).collect()
    }

    #[test]
    fn a_score_that_loses_a_hundredth_a_month() {
        let range: data::MonthRange = "2013-07..2014-02".parse().unwrap();
        let falling: Vec<(Month, f64)> = range.iter().zip((0..).map(|month| 1.0 - 0.01 * f64::from(month))).collect();
        let trend = Trend::new(&falling).unwrap();
        assert!((trend.slope_per_year.unwrap() + 0.12).abs() < 1e-12);
        assert!((trend.recent - 0.955).abs() < 1e-12 && (trend.before.unwrap() - 0.995).abs() < 1e-12);
    }

    #[test]
    fn gaps_between_months_count_and_a_single_month_has_no_slope() {
        let trend = Trend::new(&scores(&[("2013-01", 0.8), ("2014-01", 0.9)])).unwrap();
        assert!((trend.slope_per_year.unwrap() - 0.1).abs() < 1e-12);
        let one = Trend::new(&scores(&[("2013-01", 0.8)])).unwrap();
        assert_eq!(one, Trend { slope_per_year: None, recent: 0.8, before: None });
        assert_eq!(Trend::new(&[]), None);
    }
}
