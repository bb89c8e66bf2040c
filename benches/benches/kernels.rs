//! Labels and features, nanoseconds a row on one thread. Each benchmark first compares its result with the reference.
#![allow(clippy::unwrap_used, missing_docs)]

use benches::{Market, ROWS, markets};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kernels::{
    Columns, Profile, Series, Tick,
    features::{Carry, FLAGS, FLOATS, Features},
    labels::{Labeller, MODES, Outcome},
    weights,
};
use ndarray::Array2;
use proptests::{features::Reference, labels};

/// The columns of a market as the kernels take them.
struct Ticks {
    prices: [Vec<i32>; 4],
    volume: Vec<u32>,
    second: Vec<u32>,
}

impl Ticks {
    fn of(market: &Market) -> Self {
        let tape = &market.tape;
        let narrow = |column: &[i64]| column.iter().map(|&value| value.try_into().unwrap()).collect();
        Self {
            prices: [narrow(&tape.open), narrow(&tape.high), narrow(&tape.low), narrow(&tape.close)],
            volume: tape.volume.iter().map(|&value| value.try_into().unwrap()).collect(),
            second: tape.second.clone(),
        }
    }

    fn series(&self) -> Series<'_> {
        let [open, high, low, close] = &self.prices;
        Series::new(Columns { open, high, low, close, volume: &self.volume, second: &self.second }).unwrap()
    }
}

fn labels_and_weights(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("labels and weights");
    group.throughput(Throughput::Elements(ROWS as u64));
    for market in markets() {
        let ticks = Ticks::of(&market);
        let series = ticks.series();
        let mut labeller = Labeller::new(Profile::Session, 80, ROWS);
        let mut outcomes: [Vec<Outcome>; 6] = std::array::from_fn(|_| vec![Outcome::LOSS; ROWS]);
        let mut weight = vec![0.0_f32; ROWS];
        let mut all = |outcomes: &mut [Vec<Outcome>; 6]| {
            labeller.outcomes(&series, 0..ROWS, outcomes.each_mut().map(Vec::as_mut_slice)).unwrap();
            for (mode, outcomes) in MODES.iter().zip(outcomes) {
                weights::weights(mode, outcomes, 1.0, &mut weight).unwrap();
            }
        };
        all(&mut outcomes);
        for (mode, outcomes) in outcomes.iter().enumerate() {
            for (i, outcome) in outcomes.iter().enumerate() {
                let expected = labels::outcome(&market.tape, i, mode, proptests::Profile::Session, 80);
                assert_eq!(outcome.is_win(), expected.is_some());
            }
        }
        group.bench_function(market.name, |bencher| bencher.iter(|| all(&mut outcomes)));
    }
}

fn all_features(criterion: &mut Criterion) {
    let tick = Tick::from_nanos(250_000_000).unwrap();
    for (name, profile, of_reference) in [
        ("features, session", Profile::Session, proptests::Profile::Session),
        ("features, rolling", Profile::Rolling, proptests::Profile::Rolling),
    ] {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(ROWS as u64));
        for market in markets() {
            let ticks = Ticks::of(&market);
            let series = ticks.series();
            let mut features = Features::new(profile, tick, 4096);
            let mut values = Array2::<f32>::default((FLOATS, ROWS));
            let mut flags = Array2::<i8>::default((FLAGS, ROWS));
            let mut all = |values: &mut Array2<f32>| {
                let mut carry = Carry::start();
                for start in (0..ROWS).step_by(4096) {
                    let rows = start..ROWS.min(start + 4096);
                    let part = ndarray::s![.., rows.clone()];
                    features.compute(&series, rows, &mut carry, values.slice_mut(part), flags.slice_mut(part)).unwrap();
                }
            };
            all(&mut values);
            let reference = Reference::new(&market.tape, of_reference, (1, 4));
            for i in (0..ROWS).step_by(7) {
                for (feature, expected) in reference.numbers(i).into_iter().enumerate() {
                    assert!(expected.admits_f32(values[[feature, i]]), "feature {feature}, row {i}");
                }
            }
            group.bench_function(market.name, |bencher| bencher.iter(|| all(&mut values)));
        }
    }
}

criterion_group!(kernels_group, labels_and_weights, all_features);
criterion_main!(kernels_group);
