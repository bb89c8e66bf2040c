//! How much a labelled row counts in training: quick and clean wins more, old months less.

use crate::Error;
use crate::labels::{Mode, Outcome};
use crate::level::kernel;

/// Decay of the weights per month of age.
const DECAY_PER_MONTH: f64 = 0.05;

/// clip(2 - 1.5*(seconds - 300)/600, 0.5, 2) for each number of seconds an [`Outcome`] can hold.
const VELOCITY: [f64; 1024] = {
    let mut table = [0.0; 1024];
    let mut seconds = 0;
    while seconds < table.len() {
        table[seconds] = clip(2.0 - 1.5 * (seconds as f64 - 300.0) / 600.0);
        seconds += 1;
    }
    table
};

const fn clip(value: f64) -> f64 {
    value.clamp(0.5, 2.0)
}

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

kernel!(avx512 fn set_labels['a]['a](outcomes: &'a [Outcome], out: &'a mut [i8]) {
    for (label, outcome) in out.iter_mut().zip(outcomes) {
        *label = i8::from(outcome.is_win());
    }
});

/// `weight_<mode>`: quality*velocity*decay for a win, `decay` for a loss, computed in f64 in that order, where
/// quality = clip(2 - 1.5*mae/stop, 0.5, 2) and velocity = clip(2 - 1.5*(seconds - 300)/600, 0.5, 2).
///
/// # Errors
/// [`Error::Rows`] when the two slices differ in length.
pub fn weights(mode: &Mode, outcomes: &[Outcome], decay: f64, out: &mut [f32]) -> Result<(), Error> {
    same_length(outcomes, out.len())?;
    set_weights(mode, outcomes, decay, out);
    Ok(())
}

kernel!(avx512 fn set_weights['a]['a](mode: &'a Mode, outcomes: &'a [Outcome], decay: f64, out: &'a mut [f32]) {
    let stop = f64::from(mode.stop);
    // An outcome's mae has five bits.
    let quality: [f64; 32] = std::array::from_fn(|mae| clip(2.0 - 1.5 * mae as f64 / stop));
    for (weight, outcome) in out.iter_mut().zip(outcomes) {
        let win = quality[usize::from(outcome.mae())] * VELOCITY[usize::from(outcome.seconds())] * decay;
        *weight = if outcome.is_win() { win } else { decay } as f32;
    }
});

fn same_length(outcomes: &[Outcome], out: usize) -> Result<(), Error> {
    if outcomes.len() == out { Ok(()) } else { Err(Error::Rows { rows: 0..out, len: outcomes.len() }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::MODES;

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
        let mut out = [0.0; 5];
        weights(&MODES[0], &outcomes, 0.5, &mut out).unwrap();
        assert_eq!(out, [0.5, 2.0, 1.25, 0.468_75, 0.502_5]);
    }

    #[test]
    fn lengths_differ() {
        assert!(labels(&[Outcome::LOSS], &mut []).is_err());
        assert!(weights(&MODES[0], &[], 1.0, &mut [0.0]).is_err());
    }
}
