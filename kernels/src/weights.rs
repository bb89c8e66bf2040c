//! How much a labelled row counts in training: quick and clean wins more, old months less.

use std::ops::Range;

use crate::labels::{FixedMode, LOOK_AHEAD, Outcome, VELOCITY, clip};
use crate::level::kernel;
use crate::{Error, Series};

/// Decay of the weights per month of age.
const DECAY_PER_MONTH: f64 = 0.05;

/// exp(-0.05*months) for a row `months` calendar months before the reference month.
#[must_use]
pub fn decay(months: i32) -> f64 {
    // libm is plain Rust: the same bits on every machine, which the platform's exp does not promise.
    libm::exp(-DECAY_PER_MONTH * f64::from(months))
}

/// `label_<mode>`: 1 for a win, 0 for a loss.
///
/// # Errors
/// [`Error::Rows`] when the two slices differ in length.
pub fn labels(outcomes: &[Outcome], out: &mut [i8]) -> Result<(), Error> {
    same_length(outcomes, out.len())?;
    set_labels(outcomes, out);
    Ok(())
}

kernel!(fn set_labels['a]['a](outcomes: &'a [Outcome], out: &'a mut [i8]) {
    for (label, outcome) in out.iter_mut().zip(outcomes) {
        *label = i8::from(outcome.is_win());
    }
});

/// `weight_<mode>`: quality*velocity*decay for a win, `decay` for a loss, computed in f64 in that order, where
/// quality = clip(2 - 1.5*mae/stop, 0.5, 2) and velocity = clip(2 - 1.5*(seconds - 300)/600, 0.5, 2). `outcomes` and `out` are
/// those of signal rows `rows` of `series`, whose breaks count among the seconds.
///
/// # Errors
/// [`Error::Rows`] when `rows` lie outside the series or are not as many as the slices are long.
pub fn weights(
    series: &Series<'_>,
    rows: Range<usize>,
    mode: &FixedMode,
    outcomes: &[Outcome],
    decay: f64,
    out: &mut [f32],
) -> Result<(), Error> {
    same_length(outcomes, out.len())?;
    if rows.start > rows.end || rows.end > series.len() || rows.len() != out.len() {
        return Err(Error::Rows { rows, len: series.len() });
    }
    let stop = f64::from(mode.stop);
    let quality = |mae: usize| clip(2.0 - 1.5 * mae as f64 / stop);
    // The highest bits of an outcome say whether it is a win, and the mae. A loss has no rows, which undoes their velocity.
    let qualities = std::array::from_fn(|bits| match bits.checked_sub(QUALITIES / 2) {
        Some(mae) => quality(mae),
        None => 1.0 / VELOCITY[0],
    });
    set_weights(&qualities, outcomes, decay, out);
    // Once more those few that may be open over a break: they took longer than they have rows.
    for at in series.breaks() {
        for row in rows.start.max(at.row.saturating_sub(LOOK_AHEAD))..rows.end.min(at.row) {
            let outcome = outcomes[row - rows.start];
            if outcome.is_win() {
                let seconds = outcome.seconds(row, series.breaks());
                let velocity = VELOCITY[(seconds as usize).min(VELOCITY.len() - 1)];
                out[row - rows.start] = (quality(outcome.mae().into()) * velocity * decay) as f32;
            }
        }
    }
    Ok(())
}

/// Outcomes without their rows.
const QUALITIES: usize = 64;

kernel!(fn set_weights['a]['a](
    qualities: &'a [f64; QUALITIES], outcomes: &'a [Outcome], decay: f64, out: &'a mut [f32]
) {
    for (weight, outcome) in out.iter_mut().zip(outcomes) {
        *weight = (qualities[outcome.quality()] * VELOCITY[usize::from(outcome.rows())] * decay) as f32;
    }
});

fn same_length(outcomes: &[Outcome], out: usize) -> Result<(), Error> {
    if outcomes.len() == out { Ok(()) } else { Err(Error::Rows { rows: 0..out, len: outcomes.len() }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Break;
    use crate::labels::MODES;
    use crate::random::Tape;

    #[test]
    fn decay_of_a_year() {
        assert_eq!(decay(0), 1.0);
        assert!((decay(12) - 0.548_811_636_094_026_4).abs() < 1e-15);
        assert!(decay(-1) > 1.0);
    }

    #[test]
    fn labels_are_wins() {
        let mut out = [9; 3];
        labels(&[Outcome::LOSS, Outcome::win(0, 0), Outcome::win(9, 899)], &mut out).unwrap();
        assert_eq!(out, [0, 1, 1]);
    }

    #[test]
    fn weights_by_hand() {
        let outcomes = [
            Outcome::LOSS,
            Outcome::win(0, 0),   // 2 * 2
            Outcome::win(3, 300), // (2 - 1.5*3/6) * 2 = 1.25 * 2
            Outcome::win(5, 600), // (2 - 1.5*5/6) * (2 - 0.75) = 0.75 * 1.25
            Outcome::win(0, 899), // 2 * (2 - 1.5*599/600)
        ];
        let (tape, mut out) = (Tape::walk(1, 9, 1), [0.0; 5]);
        weights(&tape.series(), 2..7, &MODES[0], &outcomes, 0.5, &mut out).unwrap();
        assert_eq!(out, [0.5, 2.0, 1.25, 0.468_75, 0.502_5]);
    }

    #[test]
    fn a_night_counts_in_a_win_that_is_open_over_it() {
        let tape = Tape::walk(1, 1_000, 1);
        let night = |seconds| [Break { row: 5, seconds }];
        let of = |night: &[Break], rows: Range<usize>, held: u16| {
            let mut out = vec![0.0; rows.len()];
            let outcomes = vec![Outcome::win(0, held); rows.len()];
            weights(&tape.series().with_breaks(night).unwrap(), rows, &MODES[0], &outcomes, 1.0, &mut out).unwrap();
            out
        };
        // Signal rows 2 and 3 enter before row 5 and are decided in it or after it.
        assert_eq!(of(&night(63_000), 1..6, 2), [4.0, 1.0, 1.0, 4.0, 4.0]);
        // Two rows, one of them of 599 seconds, are 600: velocity 1.25.
        assert_eq!(of(&night(599), 2..3, 2), [2.5]);
        assert_eq!(of(&night(599), 0..1, 899), [1.0], "898 rows of a second, and 599 seconds");
        assert_eq!(of(&night(1), 0..1, 899), of(&[], 0..1, 899));
    }

    #[test]
    fn lengths_differ() {
        assert!(labels(&[Outcome::LOSS], &mut []).is_err());
        let tape = Tape::walk(1, 9, 1);
        let refused = |rows, outcomes: &[Outcome], out: &mut [f32]| {
            weights(&tape.series(), rows, &MODES[0], outcomes, 1.0, out).is_err()
        };
        assert!(refused(0..1, &[], &mut [0.0]) && refused(0..2, &[Outcome::LOSS], &mut [0.0]));
        assert!(refused(9..10, &[Outcome::LOSS], &mut [0.0]) && !refused(8..9, &[Outcome::LOSS], &mut [0.0]));
    }
}
