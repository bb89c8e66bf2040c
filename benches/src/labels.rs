//! Labels of one's own: each figure against the scan of every look-ahead.

use std::ops::Range;

use kernels::{
    Profile, Series,
    labels::{Direction, Distance, Entry, Labeller, Mode, Output, Specification, Study, Tie, Trades, Uniqueness},
    weights,
};
use proptests::trades::{self, Trade};

use crate::{
    kernel::{CHUNK, Kernel, chunks},
    tape::{GAP, Tape},
};

/// Rows from one checked row to the next: the scan of 64 modes takes its time.
const EVERY: usize = 97;

/// The benchmarks of a tape.
#[must_use]
pub fn kernels(tape: &'static Tape) -> Vec<Kernel> {
    vec![
        labels(tape, "64 stop-target pairs", pairs()),
        labels(tape, "all outputs of six modes", all_outputs()),
        labels(tape, "trailing, six modes", trailing()),
        labels(tape, "ATR, six modes", Specification::atr()),
        uniqueness(tape),
        study(tape),
    ]
}

fn mode(name: String, direction: Direction, stop: u16, target: u16, trailing: bool) -> Mode {
    Mode { name: name.into(), direction, stop: Distance::Ticks(stop), target: Distance::Ticks(target), trailing }
}

fn of(outputs: &[Output], modes: Vec<Mode>) -> Specification {
    Specification::new(900, Entry::NextOpen, Tie::Stop, outputs, modes).unwrap()
}

fn pairs() -> Specification {
    let pairs = (4..12).flat_map(|stop| (2..10).map(move |half| (stop, 4 * half)));
    let modes = pairs.map(|(stop, target)| mode(format!("s{stop}_t{target}"), Direction::Long, stop, target, false));
    of(&[Output::Label, Output::Weight], modes.collect())
}

fn all_outputs() -> Specification {
    of(&Output::ALL, Specification::default().modes().to_vec())
}

fn trailing() -> Specification {
    let six = Specification::default();
    let modes = six.modes().iter().map(|mode| Mode { trailing: true, ..mode.clone() });
    of(&[Output::Label, Output::Exit], modes.collect())
}

/// The specification as the reference takes it.
fn reference(specification: &Specification) -> trades::Spec {
    let distance = |distance| match distance {
        Distance::Ticks(ticks) => trades::Distance::Ticks(ticks.into()),
        Distance::Atr(multiple) => trades::Distance::Atr((multiple.value() * 1e6).round() as i64),
    };
    let mode = |mode: &Mode| trades::Mode {
        name: mode.name.to_string(),
        long: mode.direction == Direction::Long,
        stop: distance(mode.stop),
        target: distance(mode.target),
        trailing: mode.trailing,
    };
    let modes = specification.modes().iter().map(mode).collect();
    trades::Spec { horizon: specification.horizon(), at_close: false, tie_wins: false, modes }
}

/// What the columns of a session are made with, and they.
struct Session {
    series: Series<'static>,
    specification: Specification,
    labeller: Labeller,
    trades: Vec<Trades>,
    labels: Vec<Vec<i8>>,
    exits: Vec<Vec<i8>>,
    held: Vec<Vec<u16>>,
    weights: Vec<Vec<f32>>,
    /// seconds, mae, mfe, move.
    numbers: Vec<[Vec<i16>; 4]>,
    shares: Vec<Vec<f32>>,
    uniqueness: Uniqueness,
}

impl Session {
    fn new(tape: &'static Tape, specification: Specification) -> Self {
        let series = tape.series();
        let (rows, modes) = (series.len(), specification.modes().len());
        Self {
            series,
            labeller: Labeller::new(&specification, Profile::Session, GAP, CHUNK),
            trades: vec![Trades::default(); modes],
            labels: vec![vec![9; rows]; modes],
            exits: vec![vec![9; rows]; modes],
            held: vec![vec![0; rows]; modes],
            weights: vec![vec![f32::NAN; rows]; modes],
            numbers: vec![[(); 4].map(|()| vec![-7; rows]); modes],
            shares: vec![vec![f32::NAN; rows]; modes],
            uniqueness: Uniqueness::new(rows),
            specification,
        }
    }

    fn run(&mut self) {
        let decay = weights::decay(7);
        for chunk in chunks(self.series.len()) {
            self.labeller.trades(&self.series, chunk.clone(), &mut self.trades).unwrap();
            for mode in 0..self.trades.len() {
                self.columns(mode, chunk.clone(), decay);
            }
        }
        if self.specification.has(Output::Uniqueness) {
            for (held, shares) in self.held.iter().zip(&mut self.shares) {
                self.uniqueness.of(held, 0..held.len(), shares).unwrap();
            }
        }
    }

    fn columns(&mut self, mode: usize, chunk: Range<usize>, decay: f64) {
        let (trades, specification) = (&self.trades[mode], &self.specification);
        trades.labels(&mut self.labels[mode][chunk.clone()]).unwrap();
        if specification.has(Output::Exit) {
            self.exits[mode][chunk.clone()].copy_from_slice(&trades.exit);
        }
        if specification.has(Output::Weight) {
            let out = &mut self.weights[mode][chunk.clone()];
            trades.weights(0..chunk.len(), &self.series, chunk.clone(), decay, out).unwrap();
        }
        let [seconds, mae, mfe, moved] = &mut self.numbers[mode];
        if specification.has(Output::Seconds) {
            trades.seconds(&self.series, chunk.clone(), &mut seconds[chunk.clone()]).unwrap();
        }
        let ticks =
            [(Output::Mae, &trades.mae, mae), (Output::Mfe, &trades.mfe, mfe), (Output::Move, &trades.moved, moved)];
        for (output, ticks, out) in ticks {
            if specification.has(output) {
                Trades::ticks(ticks, &mut out[chunk.clone()]).unwrap();
            }
        }
        if specification.has(Output::Uniqueness) {
            self.held[mode][chunk].copy_from_slice(&trades.held);
        }
    }

    fn check(&self, tape: &Tape) {
        let (spec, rows) = (reference(&self.specification), self.series.len());
        let affected = vec![false; rows];
        let trade =
            |mode, i| trades::trade(tape.reference(), i, &spec, mode, &affected, trades::atr_sum(tape.reference(), i));
        for (number, mode) in spec.modes.iter().enumerate() {
            for i in (0..rows).step_by(EVERY).chain([rows - 2, rows - 1]) {
                let expected = trade(mode, i);
                assert_eq!(self.labels[number][i], i8::from(expected.exit == 1), "{} row {i}", mode.name);
                if self.specification.has(Output::Exit) {
                    assert_eq!(i64::from(self.exits[number][i]), expected.exit, "{} row {i}", mode.name);
                }
                if self.specification.has(Output::Move) {
                    let numbers = self.numbers[number].each_ref().map(|column| i64::from(column[i]));
                    let Trade { seconds, mae, mfe, moved, .. } = expected;
                    assert_eq!(numbers, [seconds, mae, mfe, moved], "{} row {i}", mode.name);
                }
                if self.specification.has(Output::Weight) {
                    let weight = trades::weight(&expected, 7) as f32;
                    assert!((self.weights[number][i] - weight).abs() <= f32::EPSILON * weight, "{} row {i}", mode.name);
                }
            }
        }
    }
}

/// Bytes a row: prices, and what is written of each mode.
fn labels(tape: &'static Tape, name: &str, specification: Specification) -> Kernel {
    let width = |output: &Output| match output {
        Output::Label | Output::Exit => 1,
        Output::Weight | Output::Uniqueness => 4,
        Output::Seconds | Output::Mae | Output::Mfe | Output::Move => 2,
    };
    let written = specification.modes().len() * specification.outputs().iter().map(width).sum::<usize>();
    let session = Session::new(tape, specification);
    Kernel::new(format!("labels, {name}"), [16, written], session, Session::run, move |session| session.check(tape))
}

fn uniqueness(tape: &'static Tape) -> Kernel {
    let specification = of(&[Output::Label], Specification::default().modes()[..1].to_vec());
    let rows = tape.series().len();
    let mut trades = vec![Trades::default()];
    Labeller::new(&specification, Profile::Session, GAP, rows).trades(&tape.series(), 0..rows, &mut trades).unwrap();
    let held = trades.remove(0).held;
    let state = (Uniqueness::new(rows), vec![f32::NAN; rows]);
    let run_held = held.clone();
    Kernel::new(
        "uniqueness",
        [2, 4],
        state,
        move |(uniqueness, shares)| uniqueness.of(&run_held, 0..run_held.len(), shares).unwrap(),
        move |(_, shares)| {
            let mut open = vec![0; rows + 1];
            for (i, &held) in held.iter().enumerate() {
                open[i + 1..i + 1 + usize::from(held)].iter_mut().for_each(|count| *count += 1);
            }
            for i in (0..rows).step_by(EVERY) {
                let expected = trades::mean_share(&open[i + 1..i + 1 + usize::from(held[i])]);
                assert_eq!(shares[i].to_bits(), expected.to_bits(), "row {i}");
            }
        },
    )
}

/// 17 stops and 33 targets, both ways: 1,122 pairs a row.
fn study(tape: &'static Tape) -> Kernel {
    let (stops, targets): (Vec<u16>, Vec<u16>) = ((4..=20).collect(), (8..=40).collect());
    let new =
        move |direction| Study::new(&Specification::default(), direction, (&stops, &targets), (Profile::Session, GAP));
    let run = move |studies: &mut [Study; 2]| {
        for (study, direction) in studies.iter_mut().zip([Direction::Long, Direction::Short]) {
            *study = new(direction);
            study.take(&tape.series(), 0..tape.series().len()).unwrap();
        }
    };
    let mut first = [Direction::Long, Direction::Short]
        .map(|direction| Study::new(&Specification::default(), direction, (&[4], &[8]), (Profile::Session, GAP)));
    run(&mut first);
    Kernel::new("study of 1,122 pairs", [16, 0], first, run, move |studies| {
        for (number, study) in studies.iter().enumerate() {
            let pair = &study.pairs()[0];
            let direction = [Direction::Long, Direction::Short][number];
            let spec =
                reference(&of(&[Output::Label], vec![mode("one".into(), direction, pair.stop, pair.target, false)]));
            let all = trades::trades(tape.reference(), &spec, proptests::Profile::Session, GAP.into());
            let (wins, moved) =
                (all[0].iter().filter(|one| one.exit == 1).count(), all[0].iter().map(|one| one.moved).sum::<i64>());
            assert_eq!((pair.wins, pair.moved), (wins as u64, moved));
        }
    })
}
