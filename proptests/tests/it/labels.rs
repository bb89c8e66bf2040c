//! Labels, MAE, seconds and weights against the scan of every look-ahead.

use crate::tapes::{GAP, Ticks, cases, month, outcomes, tape};
use kernels::{labels::MODES, weights};
use proptest::prelude::*;
use proptests::{Profile, Tape, exact::ulps, labels};

fn compare(tape: &Tape, profile: Profile, months: i32) -> Result<(), TestCaseError> {
    let ticks = Ticks::of(tape);
    let series = ticks.series();
    let found = outcomes(&series, profile, 4096);
    for (mode, found) in found.iter().enumerate() {
        let (name, ..) = labels::MODES[mode];
        prop_assert_eq!(MODES[mode].name, name);
        let (mut label, mut weight) = (vec![9; tape.len()], vec![f32::NAN; tape.len()]);
        weights::labels(found, &mut label).unwrap();
        weights::weights(&series, 0..tape.len(), &MODES[mode], found, weights::decay(months), &mut weight).unwrap();
        for i in 0..tape.len() {
            let expected = labels::outcome(tape, i, mode, profile, GAP);
            let seconds = found[i].seconds(i, series.breaks()) as i64;
            let win = found[i].is_win().then(|| labels::Win { mae: found[i].mae().into(), seconds });
            prop_assert_eq!(win, expected, "{} row {}", name, i);
            prop_assert_eq!(label[i], i8::from(expected.is_some()));
            let expected = labels::weight(expected, mode, months) as f32;
            prop_assert!(ulps(weight[i], expected) <= 1, "{} row {}: {} {}", name, i, weight[i], expected);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn session(tape in tape(600), months in -3..190) {
        compare(&tape, Profile::Session, months)?;
    }

    #[test]
    fn rolling(tape in month(600), months in -3..190) {
        compare(&tape, Profile::Rolling, months)?;
    }
}
