use proptests::trades;

use super::*;
use crate::labels::{Direction, Distance, Entry, Exit, Mode, Multiple, Outcome, Six, Tie};
use crate::random::Tape;
use crate::weights;

fn found(tape: &Tape, specification: &Specification, profile: Profile, chunk: usize) -> Vec<Trades> {
    let series = tape.series();
    let mut labeller = Labeller::new(specification, profile, 30, chunk);
    let mut all = vec![Trades::default(); specification.modes().len()];
    let mut part = all.clone();
    for start in (0..series.len()).step_by(chunk) {
        labeller.trades(&series, start..series.len().min(start + chunk), &mut part).unwrap();
        all.iter_mut().zip(&part).for_each(|(all, part)| all.append(part));
    }
    all
}

fn mode(direction: Direction, stop: f64, target: f64, trailing: bool) -> Mode {
    // Whole numbers are ticks, others multiples of the ATR.
    let distance = |number: f64| match number.fract() == 0.0 {
        true => Distance::Ticks(number as u16),
        false => Distance::Atr(Multiple::new(number).unwrap()),
    };
    let name = format!("{direction:?}_{stop}_{target}_{trailing}").to_lowercase().replace('.', "_").into();
    Mode { name, direction, stop: distance(stop), target: distance(target), trailing }
}

/// The six modes by both ways.
#[test]
fn the_six_modes_are_those_of_their_own_path() {
    let specification = Specification::default();
    for (seed, step) in [(1, 1), (2, 3), (3, 12)] {
        let tape = Tape::walk(seed, 6_000, step);
        let series = tape.series();
        for profile in [Profile::Session, Profile::Rolling] {
            let mut outcomes = vec![vec![Outcome::LOSS; series.len()]; 6];
            let mut columns = outcomes.iter_mut().map(Vec::as_mut_slice);
            let columns = [(); 6].map(|()| columns.next().unwrap());
            Six::new(profile, 30, series.len()).outcomes(&series, 0..series.len(), columns).unwrap();
            let trades = found(&tape, &specification, profile, 6_000);
            for ((trades, outcomes), mode) in trades.iter().zip(&outcomes).zip(&crate::labels::MODES) {
                let (mut weight, mut expected) = (vec![0.0; 6_000], vec![1.0; 6_000]);
                trades.weights(0..6_000, &series, 0..6_000, 0.7, &mut weight).unwrap();
                weights::weights(&series, 0..6_000, mode, outcomes, 0.7, &mut expected).unwrap();
                assert!(weight.iter().map(|w| w.to_bits()).eq(expected.iter().map(|w| w.to_bits())), "{}", mode.name);
                for (row, outcome) in outcomes.iter().enumerate() {
                    let win = trades.exit[row] == Exit::Target as i8;
                    let of = || Outcome::win(trades.mae[row] as u8, trades.held[row] - 1);
                    assert_eq!(if win { of() } else { Outcome::LOSS }, *outcome, "{} row {row}", mode.name);
                }
            }
        }
    }
}

/// One specification of everything, and what the reference says.
#[test]
fn scan_and_table_and_search_agree() {
    let sides = [Direction::Long, Direction::Short];
    let kinds = [
        (6.0, 12.0, false),
        (3.0, 4095.0, true),
        (4095.0, 2.0, false),
        (1.5, 3.25, false),
        (0.7, 9.0, true),
        (9.0, 2.5, true),
    ];
    let modes =
        || sides.iter().flat_map(|&side| kinds.map(|(stop, target, trailing)| mode(side, stop, target, trailing)));
    for (seed, step, horizon, entry, tie) in [
        (1, 1, 900, Entry::NextOpen, Tie::Stop),
        (2, 3, 3600, Entry::Close, Tie::Target),
        (3, 12, 7, Entry::Close, Tie::Stop),
    ] {
        let specification = Specification::new(horizon, entry, tie, &Output::ALL, modes().collect()).unwrap();
        let spec = trades::Spec {
            horizon: horizon.into(),
            at_close: entry == Entry::Close,
            tie_wins: tie == Tie::Target,
            modes: modes().map(|mode| of_reference(&mode)).collect(),
        };
        let near = Tape::walk(seed, 5_000, step);
        let mut far = near.clone();
        far.high[4_990] = 1 << 20;
        for tape in [near, far] {
            for (profile, named) in
                [(Profile::Session, proptests::Profile::Session), (Profile::Rolling, proptests::Profile::Rolling)]
            {
                let expected = trades::trades(&tape.columns(), &spec, named, 30);
                for chunk in [5_000, 1_300] {
                    let found = found(&tape, &specification, profile, chunk);
                    for ((found, expected), mode) in found.iter().zip(&expected).zip(specification.modes()) {
                        for (row, trade) in expected.iter().enumerate() {
                            let figures = [found.exit[row].into(), found.mae[row], found.mfe[row], found.moved[row]];
                            let of = [trade.exit, trade.mae, trade.mfe, trade.moved].map(|value| value as i32);
                            assert_eq!((found.held[row].into(), figures), (trade.rows, of), "{} row {row}", mode.name);
                        }
                    }
                }
            }
        }
    }
}

fn of_reference(mode: &Mode) -> trades::Mode {
    let distance = |distance| match distance {
        Distance::Ticks(ticks) => trades::Distance::Ticks(ticks.into()),
        Distance::Atr(multiple) => trades::Distance::Atr((multiple.value() * 1e6).round() as i64),
    };
    let (stop, target) = (distance(mode.stop), distance(mode.target));
    let long = mode.direction == Direction::Long;
    trades::Mode { name: mode.name.to_string(), long, stop, target, trailing: mode.trailing }
}

/// A long trade of a stop of 4 and a target of 9 that is entered at 100 on row 1, whose next bars these are.
fn traded(bars: &[[i32; 4]], trailing: bool, tie: Tie) -> [i32; 5] {
    let mut tape = Tape::default();
    tape.push([100; 4], 1);
    bars.iter().for_each(|&bar| tape.push(bar, 1));
    let modes = vec![mode(Direction::Long, 4.0, 9.0, trailing)];
    let specification = Specification::new(5, Entry::NextOpen, tie, &Output::ALL, modes).unwrap();
    let trades = &found(&tape, &specification, Profile::Session, 64)[0];
    [trades.exit[0].into(), trades.held[0].into(), trades.mae[0], trades.mfe[0], trades.moved[0]]
}

#[test]
fn by_hand() {
    let still = [100; 4];
    // Three against, then the target; the bar goes beyond it.
    assert_eq!(traded(&[still, [100, 100, 97, 98], [98, 111, 98, 110]], false, Tie::Stop), [1, 3, 3, 11, 9]);
    // It opens beyond the target, beyond the stop.
    assert_eq!(traded(&[still, [112, 112, 112, 112]], false, Tie::Stop), [1, 2, 0, 12, 12]);
    assert_eq!(traded(&[still, [93, 101, 92, 101]], false, Tie::Stop), [2, 2, 8, 1, -7]);
    // Both on one row.
    assert_eq!(traded(&[[100, 110, 95, 100]], false, Tie::Stop), [2, 1, 5, 10, -4]);
    assert_eq!(traded(&[[100, 110, 95, 100]], false, Tie::Target), [1, 1, 5, 10, 9]);
    // Undecided after five rows, and at the end of the session.
    assert_eq!(traded(&[still, still, still, still, [100, 103, 99, 102], [120; 4]], false, Tie::Stop), [3, 5, 1, 3, 2]);
    assert_eq!(traded(&[still, still, still, still, [100, 103, 99, 102]], false, Tie::Stop), [3, 5, 1, 3, 2]);
    assert_eq!(traded(&[still, still, still, [100, 103, 99, 102]], false, Tie::Stop), [4, 4, 1, 3, 2]);
    assert_eq!(traded(&[], false, Tie::Stop), [0; 5]);
    // The stop follows to 103: a row whose high is 107 is stopped by its low of 103 on the next row at the earliest.
    assert_eq!(traded(&[still, [101, 107, 101, 107], [107, 107, 103, 104]], true, Tie::Stop), [2, 3, 0, 7, 3]);
    assert_eq!(traded(&[still, [101, 107, 101, 107], [102, 107, 101, 104]], true, Tie::Stop), [2, 3, 0, 7, 2]);
    // The first row's own low against the entry.
    assert_eq!(traded(&[[100, 107, 96, 107]], true, Tie::Stop), [2, 1, 4, 7, -4]);
}

#[test]
fn sizes() {
    let tape = Tape::walk(1, 10, 1);
    let mut labeller = Labeller::new(&Specification::atr(), Profile::Session, 80, 4);
    let mut out = vec![Trades::default(); 6];
    let mut run = |rows: Range<usize>, modes: usize| labeller.trades(&tape.series(), rows, &mut out[..modes]);
    assert_eq!(run(6..10, 6), Ok(()));
    assert!(run(7..11, 6).is_err() && run(0..5, 6).is_err() && run(0..4, 5).is_err());
    assert_eq!(run(3..3, 6), Ok(()));
    // Without an ATR there is no trade.
    assert!(out.iter().all(Trades::is_empty));
    let mut labeller = Labeller::new(&Specification::atr(), Profile::Session, 80, 10);
    labeller.trades(&tape.series(), 0..10, &mut out).unwrap();
    assert!(out.iter().all(|trades| trades.exit == [0; 10] && trades.held == [0; 10]));
}
