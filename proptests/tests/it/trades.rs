//! Trades of random specifications against the scan of every look-ahead, and uniqueness against fractions.

use std::borrow::Cow;

use kernels::{
    Series,
    labels::{Direction, Distance, Entry, Labeller, Mode, Multiple, Output, Specification, Tie, Trades, Uniqueness},
    weights,
};
use proptest::{collection::vec, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use proptests::{Profile, Tape, exact::ulps, trades};

use crate::tapes::{GAP, Ticks, cases, month, named, tape};

fn distance() -> impl Strategy<Value = trades::Distance> {
    prop_oneof![
        6 => (1_i64..=30).prop_map(trades::Distance::Ticks),
        1 => (1_i64..=4095).prop_map(trades::Distance::Ticks),
        2 => (1_i64..=40).prop_map(|tenths| trades::Distance::Atr(tenths * 100_000)),
        1 => (1_i64..=100_000_000).prop_map(trades::Distance::Atr),
    ]
}

fn mode() -> impl Strategy<Value = trades::Mode> {
    let parts = (any::<bool>(), distance(), distance(), prop::bool::weighted(0.3));
    parts.prop_map(|(long, stop, target, trailing)| trades::Mode { name: String::new(), long, stop, target, trailing })
}

fn spec() -> impl Strategy<Value = trades::Spec> {
    let horizon = prop_oneof![2 => 1_usize..40, 2 => Just(900), 1 => 1_usize..=3600, 1 => Just(3600)];
    (horizon, any::<bool>(), any::<bool>(), vec(mode(), 1..=7)).prop_map(|(horizon, at_close, tie_wins, mut modes)| {
        modes.iter_mut().enumerate().for_each(|(number, mode)| mode.name = format!("mode_{number}"));
        trades::Spec { horizon, at_close, tie_wins, modes }
    })
}

/// The same specification for the kernels, with all outputs.
fn specification(spec: &trades::Spec) -> Specification {
    let distance = |distance| match distance {
        trades::Distance::Ticks(ticks) => Distance::Ticks(ticks as u16),
        trades::Distance::Atr(millionths) => Distance::Atr(Multiple::new(millionths as f64 / 1e6).unwrap()),
    };
    let mode = |mode: &trades::Mode| Mode {
        name: Cow::Owned(mode.name.clone()),
        direction: if mode.long { Direction::Long } else { Direction::Short },
        stop: distance(mode.stop),
        target: distance(mode.target),
        trailing: mode.trailing,
    };
    let entry = if spec.at_close { Entry::Close } else { Entry::NextOpen };
    let tie = if spec.tie_wins { Tie::Target } else { Tie::Stop };
    let modes = spec.modes.iter().map(mode).collect();
    Specification::new(spec.horizon as u16, entry, tie, &Output::ALL, modes).unwrap()
}

/// A tape and the row where it comes to the edge of what the touch table holds: 2^16 levels.
fn edge(tape: impl Strategy<Value = Tape>) -> impl Strategy<Value = Tape> {
    let far = prop_oneof![10 => Just(None), 1 => (any::<prop::sample::Index>(), 65_530_i64..=65_540, any::<bool>()).prop_map(Some)];
    (tape, far).prop_map(|(mut tape, far)| {
        if let Some((row, levels, above)) = far {
            let row = row.index(tape.len());
            let (lowest, highest) = (*tape.low.iter().min().unwrap(), *tape.high.iter().max().unwrap());
            if above && lowest + levels <= i64::from(kernels::series::MAX_TICKS) {
                tape.high[row] = tape.high[row].max(lowest + levels);
            } else if highest - levels >= i64::from(kernels::series::MIN_TICKS) {
                tape.low[row] = tape.low[row].min(highest - levels);
            }
        }
        tape
    })
}

/// All trades by mode, in chunks.
fn found(series: &Series<'_>, specification: &Specification, profile: Profile, chunk: usize) -> Vec<Trades> {
    let chunk = chunk.min(series.len());
    let mut labeller = Labeller::new(specification, named(profile), i32::try_from(GAP).unwrap(), chunk);
    let mut all = vec![Trades::default(); specification.modes().len()];
    let mut part = all.clone();
    for start in (0..series.len()).step_by(chunk) {
        labeller.trades(series, start..series.len().min(start + chunk), &mut part).unwrap();
        all.iter_mut().zip(&part).for_each(|(all, part)| all.append(part));
    }
    all
}

/// Compares every column of every mode; returns how many row-modes that were.
fn compare(tape: &Tape, spec: &trades::Spec, profile: Profile, chunk: usize) -> Result<usize, TestCaseError> {
    let ticks = Ticks::of(tape);
    let series = ticks.series();
    let specification = specification(spec);
    let found = found(&series, &specification, profile, chunk);
    let rows = tape.len();
    let (mut labels, mut weight) = (vec![9; rows], vec![f32::NAN; rows]);
    let (mut seconds, mut uniqueness) = (vec![0; rows], vec![f32::NAN; rows]);
    let expected = trades::trades(tape, spec, profile, GAP);
    for ((mode, expected), found) in spec.modes.iter().zip(&expected).zip(&found) {
        found.labels(&mut labels).unwrap();
        found.weights(0..rows, &series, 0..rows, weights::decay(7), &mut weight).unwrap();
        let saturated = found.seconds(&series, 0..rows, &mut seconds).unwrap();
        let beyond = expected.iter().filter(|trade| trade.seconds > i16::MAX.into()).count();
        prop_assert_eq!(saturated, beyond as u64);
        Uniqueness::new(rows).of(&found.held, 0..rows, &mut uniqueness).unwrap();
        let open = trades::open(expected);
        for (i, trade) in expected.iter().enumerate() {
            let figures: [i64; 5] = [
                found.exit[i].into(),
                seconds[i].into(),
                found.mae[i].into(),
                found.mfe[i].into(),
                found.moved[i].into(),
            ];
            let trade_seconds = trade.seconds.min(i16::MAX.into());
            let expected = [trade.exit, trade_seconds, trade.mae, trade.mfe, trade.moved];
            prop_assert_eq!(figures, expected, "exit, seconds, mae, mfe, move of row {} of {:?}", i, mode);
            prop_assert_eq!(usize::from(found.held[i]), trade.rows);
            prop_assert_eq!(labels[i], i8::from(trade.exit == 1));
            let expected = trades::weight(trade, 7) as f32;
            prop_assert!(ulps(weight[i], expected) <= 1, "row {}: weight {}, not {}", i, weight[i], expected);
        }
        // A fraction of hundreds of digits takes its time.
        for i in (0..rows).step_by(1 + rows / 16) {
            let expected = trades::uniqueness(expected, &open, i);
            prop_assert_eq!(uniqueness[i].to_bits(), expected.to_bits(), "uniqueness of row {}", i);
        }
    }
    Ok(rows * spec.modes.len())
}

fn chunk() -> impl Strategy<Value = usize> {
    prop_oneof![2 => Just(4096_usize), 1 => Just(usize::MAX), 1 => 1_usize..700]
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn session(tape in edge(tape(600)), spec in spec(), chunk in chunk()) {
        compare(&tape, &spec, Profile::Session, chunk)?;
    }

    #[test]
    fn rolling(tape in edge(month(600)), spec in spec(), chunk in chunk()) {
        compare(&tape, &spec, Profile::Rolling, chunk)?;
    }

    #[test]
    fn uniqueness_is_the_nearest_float_of_the_fraction(held in vec(prop_oneof![0_u16..5, 0_u16..90, 0_u16..=3600], 1..300)) {
        let mut found = vec![f32::NAN; held.len()];
        Uniqueness::new(held.len()).of(&held, 0..held.len(), &mut found).unwrap();
        let mut open = vec![0_usize; held.len() + 3601];
        for (i, &held) in held.iter().enumerate() {
            open[i + 1..i + 1 + usize::from(held)].iter_mut().for_each(|count| *count += 1);
        }
        for i in (0..held.len()).step_by(1 + held.len() / 24) {
            let expected = trades::mean_share(&open[i + 1..i + 1 + usize::from(held[i])]);
            prop_assert_eq!(found[i].to_bits(), expected.to_bits(), "row {}: {} rows", i, held[i]);
        }
    }
}

/// The long run: `scripts/labels`.
#[test]
#[ignore = "a hundred million row-modes take an hour"]
fn a_hundred_million_row_modes() {
    let wanted: usize = std::env::var("ROW_MODES").ok().and_then(|wanted| wanted.parse().ok()).unwrap_or(100_000_000);
    let mut runner = TestRunner::default();
    let (mut done, mut cases) = (0, 0);
    while done < wanted {
        let rolling = cases % 2 == 1;
        let (tape, profile) = if rolling {
            (edge(month(3000)).new_tree(&mut runner).unwrap().current(), Profile::Rolling)
        } else {
            (edge(tape(3000)).new_tree(&mut runner).unwrap().current(), Profile::Session)
        };
        let spec = spec().new_tree(&mut runner).unwrap().current();
        let chunk = chunk().new_tree(&mut runner).unwrap().current();
        if Ticks::of(&tape).try_series().is_ok() {
            let compared = compare(&tape, &spec, profile, chunk);
            done += compared.unwrap_or_else(|error| panic!("case {cases}: {error}\n{spec:?}\n{tape:?}"));
        }
        cases += 1;
    }
    println!("{done} row-modes in {cases} cases");
}
