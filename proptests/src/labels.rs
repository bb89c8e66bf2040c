//! docs/spec.md 3: labels and weights, by looking at every row of the look-ahead.

use crate::tape::{Profile, Tape};

/// Name, whether long, stop and target in ticks.
pub const MODES: [(&str, bool, i64, i64); 6] = [
    ("low_vol_long", true, 6, 12),
    ("normal_vol_long", true, 8, 16),
    ("high_vol_long", true, 10, 20),
    ("low_vol_short", false, 6, 12),
    ("normal_vol_short", false, 8, 16),
    ("high_vol_short", false, 10, 20),
];

/// Checksums of all labels and weights of three tapes in both profiles, for `tests/it/bits.rs`.
pub const BITS: [[u64; 2]; 3] = [
    [10_507_613_037_838_247_336, 10_507_613_037_838_247_336],
    [184_931_836_751_288_613, 184_931_836_751_288_613],
    [8_539_256_094_880_941_214, 8_539_256_094_880_941_214],
];

/// A win: worst move against the entry in ticks, and seconds from the entry row to the deciding row by their timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Win {
    /// Ticks.
    pub mae: i64,
    /// Seconds.
    pub seconds: i64,
}

/// What becomes of the entry that row `i` signals; `None` is label 0. `gap` is the largest change of close, in ticks,
/// that is not a gap (profile `rolling`).
#[must_use]
pub fn outcome(tape: &Tape, i: usize, mode: usize, profile: Profile, gap: i64) -> Option<Win> {
    let (_, long, stop, target) = MODES[mode];
    let n = tape.len();
    // A gap between rows g-1 and g affects the rows g-1 ..= g+5: those of row `row` are at row-5 ..= row+1.
    let affected = |row: usize| {
        let mut gaps = row.saturating_sub(5).max(1)..n.min(row + 2);
        profile == Profile::Rolling && gaps.any(|g| (tape.close[g] - tape.close[g - 1]).abs() > gap)
    };
    if i + 1 >= n || affected(i) {
        return None;
    }
    let entry = tape.open[i + 1];
    let mut mae = 0;
    for j in i + 1..n.min(i + 901) {
        if affected(j) {
            return None;
        }
        let (against, won) = if long {
            (entry - tape.low[j], tape.high[j] >= entry + target)
        } else {
            (tape.high[j] - entry, tape.low[j] <= entry - target)
        };
        if against >= stop {
            return None;
        }
        mae = mae.max(against);
        if won {
            return Some(Win { mae, seconds: tape.time[j] - tape.time[i + 1] });
        }
    }
    None
}

/// The weight of a row: `decay` for a loss.
#[must_use]
pub fn weight(win: Option<Win>, mode: usize, months: i32) -> f64 {
    let decay = (-0.05 * f64::from(months)).exp();
    let Some(Win { mae, seconds }) = win else { return decay };
    let clip = |value: f64| value.clamp(0.5, 2.0);
    let quality = clip(2.0 - 1.5 * mae as f64 / MODES[mode].2 as f64);
    let velocity = clip(2.0 - 1.5 * (seconds as f64 - 300.0) / 600.0);
    quality * velocity * decay
}
