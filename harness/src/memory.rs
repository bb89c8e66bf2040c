//! The memory a month needs, against the limit the user set.

use crate::{config::Settings, exit::Usage, training::MonthColumns};

/// The program, its buffers and the encoder, whatever the month.
const FIXED: u64 = 96 << 20;
/// A mapped or merged record: six columns of four bytes.
const RECORD: u64 = 24;
/// A row of the grid.
const GRID_ROW: u64 = 24;
/// A row of the computed columns beside the features: outcomes, labels, weights, flags.
const ROW: u64 = 6 * (2 + 1 + 4) + 7;

/// Bytes that making a month takes at most, by its records and rows.
fn needed(records: usize, rows: usize, float_bytes: u64) -> u64 {
    // A session's arrays are copied once for the encoder while others wait.
    FIXED + RECORD * records as u64 + (GRID_ROW + ROW + 36 * float_bytes) * rows as u64 * 2
}

/// Refuses a limit that cannot hold one month.
///
/// # Errors
/// [`Usage`] that says how much is needed.
pub fn check(columns: &MonthColumns, settings: &Settings) -> Result<(), Usage> {
    let rows = settings.instrument.session_rows() * 23;
    let needed = needed(columns.rows(), rows, if settings.float64 { 8 } else { 4 });
    let limit = (settings.max_memory_gb * 1e9) as u64;
    if needed <= limit {
        return Ok(());
    }
    Err(Usage(format!(
        "max_memory_gb = {}: one month needs {:.2}; give at least that",
        settings.max_memory_gb,
        (needed as f64 / 1e7).ceil() / 100.0
    )))
}

/// The most memory this process has held, in bytes; `None` where the system does not say.
pub fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Some(line?.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_of_621_000_rows_and_a_million_records_needs_less_than_half_a_gigabyte() {
        let bytes = needed(1_000_000, 621_000, 4);
        assert!((300e6..500e6).contains(&(bytes as f64)), "{bytes}");
    }

    #[test]
    fn the_peak_is_at_least_what_is_held() {
        let held = std::hint::black_box(vec![1_u8; 64 << 20]);
        assert!(peak() >= Some(held.len() as u64));
    }
}
