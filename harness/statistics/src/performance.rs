//! What a month took.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measure::finite;

/// Time, memory and traffic of one month.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Performance {
    /// Wall-clock seconds from the beginning of the month's decoding to these statistics; publishing follows them.
    pub seconds: f64,
    /// Stages in order.
    pub stages: Vec<Stage>,
    /// Largest resident memory of the process so far; `null` where it cannot be read.
    pub peak_rss_bytes: Option<u64>,
    /// Rows by wall-clock second; `null` without time.
    pub rows_per_second: Option<f64>,
    /// Store operations that were retried.
    pub retries: u64,
    /// How long the kernels took for a chunk; `null` where not measured.
    pub chunk_latency: Option<Latency>,
    /// The instructions the kernels used; empty in statistics from before they were chosen at run time.
    #[serde(default)]
    pub instructions: String,
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Stage {
    /// `decode`, `compute` and so on.
    pub name: String,
    /// Busy seconds, summed over threads.
    pub seconds: f64,
    /// Busy nanoseconds by row of the month, by record for `decode`; `null` without rows.
    pub ns_per_row: Option<f64>,
    /// Bytes read or written.
    pub bytes: u64,
    /// How long each session took; `null` for a stage that is done once a month.
    pub latency: Option<Latency>,
}

/// Percentiles of the time of one piece of work, in nanoseconds, to three digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Latency {
    /// Median.
    pub p50: u64,
    /// 90th percentile.
    pub p90: u64,
    /// 99th percentile.
    pub p99: u64,
    /// Longest.
    pub max: u64,
}

impl Performance {
    /// A month of `rows` rows that took `seconds` so far.
    pub fn new(seconds: f64, rows: u64, stages: Vec<Stage>, peak_rss_bytes: Option<u64>, retries: u64) -> Self {
        let seconds = finite(seconds).unwrap_or_default();
        let rows_per_second = finite(rows as f64 / seconds);
        let instructions = kernels::Level::in_use().to_string();
        Self { seconds, stages, peak_rss_bytes, rows_per_second, retries, chunk_latency: None, instructions }
    }
}

impl Stage {
    /// A stage of a month of `rows` rows, done once.
    pub fn new(name: &str, seconds: f64, rows: u64, bytes: u64) -> Self {
        let seconds = finite(seconds).unwrap_or_default();
        let ns_per_row = finite(seconds * 1e9 / rows as f64);
        Self { name: name.to_owned(), seconds, ns_per_row, bytes, latency: None }
    }

    /// A stage of many pieces.
    pub fn of(name: &str, pieces: &Durations, rows: u64, bytes: u64) -> Self {
        Self { latency: pieces.latency(), ..Self::new(name, pieces.seconds(), rows, bytes) }
    }
}

/// How long pieces of work took, merged over threads.
pub struct Durations(Mutex<(Duration, Histogram<u64>)>);

impl Default for Durations {
    fn default() -> Self {
        Self::new()
    }
}

impl Durations {
    /// None yet.
    pub fn new() -> Self {
        Self(Mutex::new((Duration::ZERO, Histogram::new(3).expect("0 to 5 digits are possible"))))
    }

    /// One piece took this long.
    pub fn record(&self, took: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.0 += took;
        // The histogram grows with its values; no 64 bits of nanoseconds are too many.
        let _ = all.1.record(took.as_nanos() as u64);
    }

    /// Their sum.
    pub fn seconds(&self) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.as_secs_f64()
    }

    /// Their percentiles; `None` without any.
    pub fn latency(&self) -> Option<Latency> {
        let (_, histogram) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |quantile| histogram.value_at_quantile(quantile);
        (!histogram.is_empty()).then(|| Latency { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: histogram.max() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_hundred_pieces() {
        let pieces = Durations::new();
        assert_eq!(pieces.latency(), None);
        for micros in 1..=100 {
            pieces.record(Duration::from_micros(micros));
        }
        let latency = pieces.latency().unwrap();
        let near = |found: u64, micros: u64| found.abs_diff(micros * 1000) <= micros;
        assert!(near(latency.p50, 50) && near(latency.p90, 90) && near(latency.p99, 99) && near(latency.max, 100));
        assert!((pieces.seconds() - 5.05e-3).abs() < 1e-9);
    }
}
