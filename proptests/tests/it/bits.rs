//! The same bits for every instruction set: all computed columns of fixed tapes against committed checksums, at every level that
//! the processor has. `scripts/aarch64` runs this for NEON.

use crate::tapes::{self, Ticks, for_every_level, outcomes};
use kernels::{Tick, labels::MODES, weights};
use proptests::{Profile, Tape, features, labels};
use xxhash_rust::xxh3::Xxh3Default;

/// Moves of up to `step` ticks a row and bars of up to `span`, a second in eight quiet, still for rows 2000 to 3200.
pub(super) fn tape(step: i64, span: i64) -> Tape {
    let mut state = 7_u64;
    let mut below = |limit: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as i64) % limit
    };
    let (mut tape, mut price) = (Tape::default(), 20_000);
    for row in 0..9_000 {
        if below(8) == 0 || (2_000..3_200).contains(&row) {
            tape.push([price; 4], 0, 27_000 + row);
            continue;
        }
        let open = price + below(2 * step + 1) - step;
        let close = open + below(2 * span + 1) - span;
        let (high, low) = (open.max(close) + below(span + 1), open.min(close) - below(span + 1));
        tape.push([open, high, low, close], 1 + below(400), 27_000 + row);
        price = close;
    }
    tape
}

/// Labels and weights of all modes.
fn of_labels(tape: &Tape, profile: Profile) -> u64 {
    let ticks = Ticks::of(tape);
    let series = ticks.series();
    let mut hash = Xxh3Default::new();
    for (mode, outcomes) in MODES.iter().zip(outcomes(&series, profile, 4096)) {
        let (mut label, mut weight) = (vec![9; tape.len()], vec![f32::NAN; tape.len()]);
        weights::labels(&outcomes, &mut label).unwrap();
        weights::weights(&series, 0..tape.len(), mode, &outcomes, weights::decay(7), &mut weight).unwrap();
        label.iter().for_each(|label| hash.update(&label.to_le_bytes()));
        weight.iter().for_each(|weight| hash.update(&weight.to_bits().to_le_bytes()));
    }
    hash.digest()
}

/// All features, as f64 and f32.
fn of_features(tape: &Tape, profile: Profile) -> u64 {
    let ticks = Ticks::of(tape);
    let series = ticks.series();
    let mut hash = Xxh3Default::new();
    let tick = Tick::from_nanos(100_000_000).unwrap();
    let (wide, flags) = tapes::features::<f64>(&series, profile, tick, 4096);
    let (narrow, _) = tapes::features::<f32>(&series, profile, tick, 4096);
    wide.iter().for_each(|value| hash.update(&value.to_bits().to_le_bytes()));
    narrow.iter().for_each(|value| hash.update(&value.to_bits().to_le_bytes()));
    flags.iter().for_each(|flag| hash.update(&flag.to_le_bytes()));
    hash.digest()
}

#[test]
fn of_three_markets_in_both_profiles_at_every_level() {
    for_every_level(|level| {
        let (found, expected) = ((checksums(of_labels), checksums(of_features)), (labels::BITS, features::BITS));
        assert_eq!(found, expected, "labels and weights, or features, changed their bits at {level}");
    });
}

fn checksums(of: fn(&Tape, Profile) -> u64) -> [[u64; 2]; 3] {
    [(1, 1), (2, 3), (12, 25)].map(|(step, span)| {
        let tape = tape(step, span);
        [Profile::Session, Profile::Rolling].map(|profile| of(&tape, profile))
    })
}
