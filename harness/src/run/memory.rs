//! The memory months need, against the limit the user set: months in flight follow from it.

use std::sync::{Condvar, Mutex, PoisonError};

use base::exit::Usage;
use data::training_file::type_of;
use kernels::{features::FLOATS, labels::Specification};

use crate::settings::Settings;

/// The program, its buffers and the encoder, whatever the month.
const FIXED: u64 = 64 << 20;
/// A record while it is read (forty bytes), as a column (twenty-four), and mapped from the column file.
const RECORD: u64 = 40 + 24 + 24;
/// A row of the grid.
const GRID_ROW: u64 = 24;
/// Flags of a row.
const FLAGS: u64 = 7;
/// A row of a mode with the default outputs: outcome, label, weight; and of any other: what became of the trade, its wins.
const MODE: [u64; 2] = [2 + 1 + 4, 15 + 16];
/// Parts on their way from a remote store, and what goes there in one piece.
const TRANSFER: u64 = (32 + 64) << 20;
/// Sessions in a month at most.
const SESSIONS: u64 = 23;

/// What a month takes while it is made.
pub struct Month {
    transfer: u64,
    records: u64,
    rows: u64,
    row_bytes: u64,
}

impl Month {
    /// A month of so many records.
    pub fn of(records: usize, settings: &Settings) -> Self {
        let rows = settings.instrument.session_rows() as u64 * SESSIONS;
        let remote = ["store", "raw"].into_iter().any(|name| settings.text(name).starts_with("s3://"));
        let transfer = if remote { TRANSFER } else { 0 };
        let row_bytes = row_bytes(&settings.labels.specification, if settings.float64 { 8 } else { 4 });
        Self { transfer, records: records as u64, rows, row_bytes }
    }

    /// A month whose raw files have so many bytes: a compressed record has nine, seldom less than six.
    pub fn guess(bytes: u64, settings: &Settings) -> Self {
        Self::of((bytes / 6) as usize, settings)
    }

    /// Bytes at most.
    pub fn bytes(&self) -> u64 {
        self.transfer + RECORD * self.records + self.row_bytes * self.rows
    }
}

/// Bytes of a row of the grid and of the computed columns, whose features have so many each.
fn row_bytes(labels: &Specification, of_feature: u64) -> u64 {
    let outputs: usize = labels.outputs().iter().filter_map(|&output| type_of(output).primitive_width()).sum();
    let mode = if *labels == Specification::default() { MODE[0] } else { MODE[1] + outputs as u64 };
    GRID_ROW + mode * labels.modes().len() as u64 + FLAGS + FLOATS as u64 * of_feature
}

/// Refuses a limit that cannot hold one month.
///
/// # Errors
/// [`Usage`] that says how much is needed.
pub fn check(month: &Month, settings: &Settings) -> Result<(), Usage> {
    let needed = FIXED + month.bytes();
    if needed <= limit(settings) {
        return Ok(());
    }
    Err(Usage(format!(
        "max_memory_gb = {}: one month needs {:.2}; give at least that",
        settings.max_memory_gb,
        (needed as f64 / 1e7).ceil() / 100.0
    )))
}

fn limit(settings: &Settings) -> u64 {
    (settings.max_memory_gb * 1e9) as u64
}

/// Something months in flight share and wait for: bytes of memory, or the cores.
pub struct Budget {
    limit: u64,
    used: Mutex<u64>,
    freed: Condvar,
}

impl Budget {
    /// So much of it.
    pub fn new(limit: u64) -> Self {
        Self { limit, used: Mutex::new(0), freed: Condvar::new() }
    }

    /// The bytes of the limit but what the program itself takes.
    pub fn of_memory(settings: &Settings) -> Self {
        Self::new(limit(settings).saturating_sub(FIXED))
    }

    /// Waits until there is room. Who is alone always has room: whether a month fits is [`check`]ed once its records are
    /// known.
    pub fn take(&self, amount: u64) -> Part<'_> {
        let amount = amount.min(self.limit);
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut used =
            self.freed.wait_while(used, |used| *used + amount > self.limit).unwrap_or_else(PoisonError::into_inner);
        *used += amount;
        Part { budget: self, amount }
    }
}

/// A part of a budget, given back when dropped.
pub struct Part<'a> {
    budget: &'a Budget,
    amount: u64,
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        *self.budget.used.lock().unwrap_or_else(PoisonError::into_inner) -= self.amount;
        self.budget.freed.notify_all();
    }
}

/// The most memory this process has held, in bytes; `None` where the system does not say.
pub fn peak() -> Option<u64> {
    of_status("VmHWM:")
}

/// The memory this process holds, in bytes; `None` where the system does not say.
pub fn held() -> Option<u64> {
    of_status("VmRSS:")
}

fn of_status(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    Some(line?.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::*;

    #[test]
    fn a_month_of_621_000_rows_and_a_million_records_fits_300_megabytes() {
        let month = Month {
            transfer: 0,
            records: 1_044_383,
            rows: 621_000,
            row_bytes: row_bytes(&Specification::default(), 4),
        };
        let bytes = FIXED + month.bytes();
        assert!((200e6..300e6).contains(&(bytes as f64)), "{bytes}");
    }

    #[test]
    fn months_in_flight_follow_from_the_limit() {
        let budget = Budget::new(250);
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let part = budget.take(100);
                        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(part);
                    }
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 2);
        assert_eq!(*budget.used.lock().unwrap(), 0);
    }

    #[test]
    fn a_month_beyond_the_limit_goes_alone() {
        let budget = Budget::new(50);
        drop(budget.take(100));
        assert_eq!(*budget.used.lock().unwrap(), 0);
    }

    #[test]
    fn the_peak_is_at_least_what_is_held() {
        let held = std::hint::black_box(vec![1_u8; 64 << 20]);
        assert!(peak() >= Some(held.len() as u64));
    }
}
