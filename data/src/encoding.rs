//! How each column of a training file is encoded before zstd, chosen by measurement.
//!
//! Measured over 621,000 synthetic rows with `data/examples/encodings.rs`, bytes a row / nanoseconds a row and column with
//! zstd level 1:
//!
//! | columns | split by byte | plain | dictionary | delta |
//! |---|---|---|---|---|
//! | timestamp | 0.319 / 8.3 | 6.305 / 11.3 | 8.159 / 31.3 | **0.010 / 3.8** |
//! | open, high, low, close | **0.517 / 11.0** | 0.534 / 15.9 | 0.716 / 12.8 | |
//! | volume | 0.848 / 7.5 | 1.107 / 22.5 | **1.060 / 10.8** | 1.254 / 5.8 |
//! | labels and flags | 0.026 / 3.3 | **0.030 / 3.2** | 0.023 / 7.9 | 0.028 / 4.6 |
//! | weights | **0.502 / 6.3** | 0.475 / 6.8 | 0.520 / 11.9 | |
//! | [`DICTIONARY`] but volume | 1.29 / 13.0 | 1.09 / 14.3 | **0.89 / 12.5** | |
//! | [`PLAIN`] features | 2.24 / 11.9 | **1.65 / 13.5** | 1.85 / 16.3 | |
//! | the other features | **1.66 / 5.8** | 1.79 / 9.2 | 2.28 / 18.5 | |
//!
//! On three real days of gold, two seconds of three without a trade, prices and distances would be a third smaller plain or by
//! dictionary; the table is for busy sessions, which make the archive large.
//!
//! Where sizes are within a tenth of each other the faster one stands. Whole numbers are not split by byte: Parquet
//! allows that since 2024 only, and the readers people have do not all know it.

use parquet::basic::Encoding;

/// Few distinct values a session, in no order: numbers of a dictionary are shorter than what zstd finds.
const DICTIONARY: [&str; 12] = [
    "volume",
    "volume_slope_5s",
    "atr_30s",
    "volatility_acceleration",
    "atr_percentile",
    "bar_range",
    "relative_bar_size",
    "uptick_pct_30s",
    "uptick_pct_60s",
    "bar_flow_consistency",
    "directional_strength",
    "atr_300s",
];

/// The same quotient of small integers has the same four bytes: as they are, zstd finds them again.
const PLAIN: [&str; 7] = [
    "position_in_short_range",
    "range_compression_ratio",
    "return_30s",
    "return_60s",
    "return_300s",
    "momentum_acceleration",
    "momentum_consistency",
];

/// Columns of whole numbers, by the beginning of their names: labels and flags, and what else is said of trades.
const WHOLE: [&str; 7] = ["label_", "is_", "exit_", "seconds_", "mae_", "mfe_", "move_"];

/// The encoding of a column; `None` stands for a dictionary.
#[must_use]
pub(crate) fn of(column: &str) -> Option<Encoding> {
    if column == "timestamp" {
        Some(Encoding::DELTA_BINARY_PACKED)
    } else if DICTIONARY.contains(&column) {
        None
    } else if PLAIN.contains(&column) || WHOLE.iter().any(|start| column.starts_with(start)) {
        Some(Encoding::PLAIN)
    } else {
        Some(Encoding::BYTE_STREAM_SPLIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training_file::schema;

    #[test]
    fn every_exception_is_a_column() {
        let schema = schema::<f32>(&kernels::labels::Specification::default(), Default::default());
        for column in DICTIONARY.iter().chain(&PLAIN) {
            assert!(schema.field_with_name(column).is_ok(), "{column}");
        }
    }
}
