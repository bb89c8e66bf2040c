//! The kernels that make columns of the output: against the reference, every row.

use kernels::{
    Profile,
    features::{self, Carry, Category, FLAGS, FLOATS, Features},
    labels::MODES,
};
use ndarray::{Array2, s};

use crate::{
    kernel::{CHUNK, Kernel, chunks},
    session::Session,
    tape::Tape,
};

const PROFILES: [(Profile, &str); 2] = [(Profile::Session, "session"), (Profile::Rolling, "rolling")];

// Bytes a row: a price 4, volume 4, second 4; a label or flag 1, a weight or feature 4, an outcome 2.
const LABELS: [usize; 2] = [16, 2 * MODES.len()];
const WEIGHTS: [usize; 2] = [2 * MODES.len(), 5 * MODES.len()];
const FEATURES: [usize; 2] = [20, 4 * FLOATS + FLAGS];

pub(crate) fn kernels(tape: &'static Tape) -> Vec<Kernel> {
    let session = |profile| Session::new(tape, profile);
    let mut labelled = session(Profile::Session);
    labelled.outcomes();
    let mut kernels = vec![
        Kernel::new("labels", LABELS, session(Profile::Session), Session::outcomes, Session::check_outcomes),
        Kernel::new("weights", WEIGHTS, labelled, Session::weights, Session::check_weights),
        Kernel::new(
            "labels and weights",
            [LABELS[0], WEIGHTS[1]],
            session(Profile::Session),
            Session::labels_and_weights,
            Session::check_weights,
        ),
    ];
    for category in Category::ALL {
        kernels.extend(PROFILES.map(|profile| of_category(tape, category, profile)));
    }
    kernels.push(time_flags(tape));
    for (profile, name) in PROFILES {
        let check = Session::check_features;
        kernels.push(Kernel::new(format!("features, {name}"), FEATURES, session(profile), Session::features, check));
    }
    for (profile, name) in PROFILES {
        kernels.push(Kernel::new(
            format!("all columns, {name}"),
            [24, WEIGHTS[1] + FEATURES[1]],
            session(profile),
            Session::all,
            |session| {
                session.check_weights();
                session.check_features();
            },
        ));
    }
    kernels
}

fn of_category(tape: &'static Tape, category: Category, (profile, of_profile): (Profile, &str)) -> Kernel {
    let series = tape.series();
    let prices = match (category, profile) {
        (Category::Volume, _) => 0,
        (Category::Returns, _) => 4,
        (Category::Consolidation | Category::PriceContext | Category::Volatility | Category::Microstructure, _) => 12,
    };
    let volume = if matches!(category, Category::Volume | Category::PriceContext) { 4 } else { 0 };
    let columns = category.columns();
    let values = Array2::<f32>::zeros((columns.len(), series.len()));
    let chunks: Vec<_> = chunks(series.len()).map(|rows| (Carry::at(&series, rows.start), rows)).collect();
    Kernel::new(
        format!("{}, {of_profile}", category.name()),
        [prices + volume, 4 * columns.len()],
        (Features::new(profile, tape.tick, CHUNK), values),
        move |(features, values)| {
            for (carry, rows) in &chunks {
                let values = values.slice_mut(s![.., rows.clone()]);
                features.compute_category_array(category, &series, rows.clone(), carry, values).unwrap();
            }
        },
        move |(_, values)| {
            for (row, expected) in tape.numbers(profile).iter().enumerate() {
                for (value, expected) in values.column(row).iter().zip(&expected[columns.clone()]) {
                    assert!(expected.admits_f32(*value), "row {row}: {value}, expected {expected:?}");
                }
            }
        },
    )
}

fn time_flags(tape: &'static Tape) -> Kernel {
    let series = tape.series();
    let flags: [Vec<i8>; FLAGS] = std::array::from_fn(|_| vec![9; series.len()]);
    Kernel::new(
        "time flags",
        [4, 7],
        flags,
        move |flags| features::flags(series.second(), flags.each_mut().map(Vec::as_mut_slice)).unwrap(),
        |flags| {
            for (row, expected) in tape.flags().iter().enumerate() {
                assert_eq!(flags.each_ref().map(|flag| flag[row]), *expected, "row {row}");
            }
        },
    )
}
