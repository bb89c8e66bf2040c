//! The rival of the labels that needs no crate: for each entry and mode, look at the rows after it until one decides.

use kernels::labels::{Direction, FixedMode, LOOK_AHEAD, MODES, Outcome};

use crate::{kernel::Kernel, session::Session, tape::Tape};

/// The scan over a whole session, with outcomes as the kernel's.
#[must_use]
pub fn kernel(tape: &'static Tape) -> Kernel {
    let series = tape.series();
    let (open, high, low) = (series.open(), series.high(), series.low());
    Kernel::new(
        "labels and weights, scan",
        [12, 30],
        Session::new(tape, kernels::Profile::Session),
        move |session| {
            for (mode, column) in MODES.iter().zip(session.outcomes_mut()) {
                for (row, outcome) in column.iter_mut().enumerate() {
                    *outcome = entry(open, high, low, row + 1, mode);
                }
            }
            session.weights();
        },
        Session::check_weights,
    )
}

fn entry(open: &[i32], high: &[i32], low: &[i32], row: usize, mode: &FixedMode) -> Outcome {
    let Some(&price) = open.get(row) else { return Outcome::LOSS };
    let rows = row..open.len().min(row + LOOK_AHEAD);
    let mut mae = 0;
    for (seconds, (&high, &low)) in high[rows.clone()].iter().zip(&low[rows]).enumerate() {
        let (favourable, adverse) = match mode.direction {
            Direction::Long => (high - price, price - low),
            Direction::Short => (price - low, high - price),
        };
        if adverse >= mode.stop {
            break;
        }
        mae = mae.max(adverse);
        if favourable >= mode.target {
            return Outcome::win(mae as u8, seconds as u16);
        }
    }
    Outcome::LOSS
}
