//! Outcomes by looking at the rows after each entry: slow, but indifferent to how far prices lie apart.

use super::{Ahead, Direction, FixedMode, LOOK_AHEAD, MODES, Outcome};

/// Outcomes of the entries at rows 1, 2, .. of `ahead`, as many as the columns of `out` are long.
pub(super) fn outcomes(ahead: &Ahead<'_>, out: &mut [&mut [Outcome]; MODES.len()]) {
    for (mode, column) in MODES.iter().zip(out) {
        for (signal, outcome) in column.iter_mut().enumerate() {
            *outcome = entry(ahead, signal + 1, mode);
        }
    }
}

fn entry(ahead: &Ahead<'_>, entry: usize, mode: &FixedMode) -> Outcome {
    let end = ahead.open.len().min(entry + LOOK_AHEAD);
    let price = ahead.open[entry];
    let mut mae = 0;
    for row in entry..end {
        if ahead.ends_at(row) {
            return Outcome::LOSS;
        }
        let (up, down) = (ahead.high[row] - price, price - ahead.low[row]);
        let (favourable, adverse) = match mode.direction {
            Direction::Long => (up, down),
            Direction::Short => (down, up),
        };
        if adverse >= mode.stop {
            return Outcome::LOSS;
        }
        mae = mae.max(adverse);
        if favourable >= mode.target {
            return Outcome::of(mae as u8, (row - entry) as u16);
        }
    }
    Outcome::LOSS
}
