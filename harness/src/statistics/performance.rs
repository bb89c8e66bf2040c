//! What a month took.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::measure::finite;

/// Time, memory and traffic of one month.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// Wall-clock seconds from the month's start to its end; stages may overlap.
    pub seconds: f64,
    /// Stages in order.
    pub stages: Vec<Stage>,
    /// Largest resident memory of the process; `null` where it cannot be read.
    pub peak_rss_bytes: Option<u64>,
    /// Rows written by second of the whole; `null` without time.
    pub rows_per_second: Option<f64>,
    /// Operations on the store that were repeated.
    pub retries: u64,
    /// How long chunks took; `null` where not measured.
    pub chunk_latency: Option<ChunkLatency>,
}

/// One stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// `decode`, `compute` and so on.
    pub name: String,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Nanoseconds by row of the month; `null` without rows.
    pub ns_per_row: Option<f64>,
    /// Bytes read or written.
    pub bytes: u64,
}

/// Percentiles of the time of one chunk, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkLatency {
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
    /// A month of `rows` rows that took `seconds`.
    pub fn new(seconds: f64, rows: u64, stages: Vec<Stage>, peak_rss_bytes: Option<u64>, retries: u64) -> Self {
        let seconds = finite(seconds).unwrap_or_default();
        let rows_per_second = finite(rows as f64 / seconds);
        Self { seconds, stages, peak_rss_bytes, rows_per_second, retries, chunk_latency: None }
    }

    /// The same with the times of its chunks, in nanoseconds.
    pub fn with_chunks(self, chunks: &Histogram<u64>) -> Self {
        Self { chunk_latency: ChunkLatency::of(chunks), ..self }
    }
}

impl ChunkLatency {
    /// An empty histogram for the times of chunks, to three digits.
    pub fn histogram() -> Histogram<u64> {
        Histogram::new(3).expect("0 to 5 digits are possible")
    }

    fn of(chunks: &Histogram<u64>) -> Option<Self> {
        let at = |quantile| chunks.value_at_quantile(quantile);
        (!chunks.is_empty()).then(|| Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: chunks.max() })
    }
}

impl Stage {
    /// A stage of a month of `rows` rows.
    pub fn new(name: &str, seconds: f64, rows: u64, bytes: u64) -> Self {
        let seconds = finite(seconds).unwrap_or_default();
        Self { name: name.to_owned(), seconds, ns_per_row: finite(seconds * 1e9 / rows as f64), bytes }
    }
}
