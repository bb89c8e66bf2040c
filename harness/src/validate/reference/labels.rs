//! docs/spec.md 3: what becomes of one entry.

use kernels::Profile;

use super::Series;

/// Name, whether it wins upwards, stop and target in ticks.
pub const MODES: [(&str, bool, i64, i64); 6] = [
    ("low_vol_long", true, 6, 12),
    ("normal_vol_long", true, 8, 16),
    ("high_vol_long", true, 10, 20),
    ("low_vol_short", false, 6, 12),
    ("normal_vol_short", false, 8, 16),
    ("high_vol_short", false, 10, 20),
];

/// Worst move against the entry in ticks, and seconds from the entry's row to the deciding one by their timestamps; `None`
/// for a loss. `gap` is the largest change of close, in ticks, that is no gap.
pub fn outcome(series: &Series<'_>, i: usize, mode: usize, profile: Profile, gap: i64) -> Option<(i64, i64)> {
    let (_, long, stop, target) = MODES[mode];
    let Series { time, open, high, low, close, .. } = *series;
    let rows = open.len();
    // Whether a gap at some row g has `row` among g-1 to g+5.
    let affected = |row: usize| {
        let around = &close[row.saturating_sub(6)..rows.min(row + 2)];
        profile == Profile::Rolling && around.windows(2).any(|pair| (pair[1] - pair[0]).abs() > gap)
    };
    if i + 1 >= rows || affected(i) {
        return None;
    }
    let entry = open[i + 1];
    let mut worst = 0;
    for j in i + 1..rows.min(i + 901) {
        if affected(j) {
            return None;
        }
        let (up, down) = (high[j] - entry, entry - low[j]);
        let (favourable, adverse) = if long { (up, down) } else { (down, up) };
        if adverse >= stop {
            return None;
        }
        worst = worst.max(adverse);
        if favourable >= target {
            return Some((worst, time[j] - time[i + 1]));
        }
    }
    None
}

/// The training weight of a row `months` before the reference month.
pub fn weight(outcome: Option<(i64, i64)>, mode: usize, months: i32) -> f64 {
    let decay = (-0.05 * f64::from(months)).exp();
    let clip = |value: f64| value.clamp(0.5, 2.0);
    outcome.map_or(decay, |(mae, seconds)| {
        let quality = clip(2.0 - 1.5 * mae as f64 / MODES[mode].2 as f64);
        let velocity = clip(2.0 - 1.5 * (seconds as f64 - 300.0) / 600.0);
        quality * velocity * decay
    })
}
