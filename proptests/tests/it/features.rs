//! All features against the reference, in f64 and f32.

use crate::tapes::{Ticks, cases, features, tape};
use kernels::{
    Tick,
    features::{FLAG_NAMES, FLOAT_NAMES},
};
use proptest::prelude::*;
use proptests::{
    Profile, Tape,
    features::{FLAGS, NUMBERS, Reference},
};

/// ES, GC, and a tick that is no short fraction.
fn ticks() -> impl Strategy<Value = Tick> {
    prop_oneof![Just(250_000_000), Just(100_000_000), Just(15_625_000), Just(5_000)]
        .prop_map(|nanos| Tick::from_nanos(nanos).unwrap())
}

fn compare(tape: &Tape, profile: Profile, tick: Tick) -> Result<(), TestCaseError> {
    let ticks = Ticks::of(tape);
    let (wide, flags) = features::<f64>(&ticks.series(), profile, tick, 4096);
    let (narrow, _) = features::<f32>(&ticks.series(), profile, tick, 4096);
    let reference = Reference::new(tape, profile, (tick.numerator().into(), tick.denominator().into()));
    prop_assert_eq!(&FLOAT_NAMES[..], NUMBERS);
    prop_assert_eq!(&FLAG_NAMES[..], FLAGS);
    for i in 0..tape.len() {
        for (feature, expected) in reference.numbers(i).into_iter().enumerate() {
            let (wide, narrow) = (wide[[feature, i]], narrow[[feature, i]]);
            prop_assert!(
                expected.admits(wide),
                "{} row {}: {:e}, expected {:?} = {:e}",
                NUMBERS[feature],
                i,
                wide,
                expected,
                expected.to_f64()
            );
            prop_assert!(
                expected.admits_f32(narrow),
                "{} row {}: {:e}, expected {:?}",
                NUMBERS[feature],
                i,
                narrow,
                expected
            );
        }
        for (flag, expected) in reference.flags(i).into_iter().enumerate() {
            prop_assert_eq!(flags[[flag, i]], expected, "{} row {}", FLAGS[flag], i);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn session(tape in tape(600), tick in ticks()) {
        compare(&tape, Profile::Session, tick)?;
    }

    #[test]
    fn rolling(tape in tape(600), tick in ticks()) {
        compare(&tape, Profile::Rolling, tick)?;
    }
}
