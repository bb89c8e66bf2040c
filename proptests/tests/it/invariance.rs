//! The first invariant: the same bits for every chunk size.

use crate::tapes::{Ticks, cases, features, outcomes, tape};
use kernels::Tick;
use proptest::prelude::*;
use proptests::Profile;

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn chunks_change_nothing(tape in tape(500), rolling in any::<bool>(), chunk in prop_oneof![Just(1_usize), Just(7), Just(64), Just(1000), 2_usize..3000]) {
        let profile = if rolling { Profile::Rolling } else { Profile::Session };
        let ticks = Ticks::of(&tape);
        let series = ticks.series();
        let tick = Tick::from_nanos(250_000_000).unwrap();
        prop_assert_eq!(outcomes(&series, profile, chunk), outcomes(&series, profile, usize::MAX));
        let (values, flags) = features::<f64>(&series, profile, tick, chunk);
        let (whole, whole_flags) = features::<f64>(&series, profile, tick, usize::MAX);
        prop_assert!(values.iter().map(|value| value.to_bits()).eq(whole.iter().map(|value| value.to_bits())));
        prop_assert_eq!(flags, whole_flags);
    }
}
