use ndarray::Array2;
use proptests::features::Reference;

use super::*;
use crate::random::Tape;

fn tick() -> Tick {
    Tick::from_nanos(250_000_000).unwrap()
}

fn compute<F: Float + Default>(tape: &Tape, profile: Profile, chunk: usize) -> (Array2<F>, Array2<i8>) {
    let series = tape.series();
    let n = series.len();
    let mut features = Features::new(profile, tick(), chunk);
    let mut values = Array2::from_elem((FLOATS, n), F::from_f64(-7.0));
    let mut flags = Array2::from_elem((FLAGS, n), 7);
    let mut carry = Carry::start();
    for start in (0..n).step_by(chunk) {
        let rows = start..n.min(start + chunk);
        assert_eq!(carry, Carry::at(&series, start));
        let part = ndarray::s![.., rows.clone()];
        features.compute_array(&series, rows, &mut carry, values.slice_mut(part), flags.slice_mut(part)).unwrap();
    }
    assert_eq!(carry.row(), n);
    (values, flags)
}

/// One float column, computed in small chunks.
pub(super) fn column(tape: &Tape, profile: Profile, name: &str) -> Vec<f64> {
    let row = FLOAT_NAMES.iter().position(|other| *other == name).unwrap();
    compute::<f64>(tape, profile, 64).0.row(row).to_vec()
}

/// [`column`] in profile `session`.
pub(super) fn session_column(tape: &Tape, name: &str) -> Vec<f64> {
    column(tape, Profile::Session, name)
}

fn bits(values: &Array2<f64>) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn chunks_do_not_show() {
    for (seed, step) in [(1, 1), (2, 3), (3, 200)] {
        let tape = Tape::walk(seed, 5_000, step);
        for profile in [Profile::Session, Profile::Rolling] {
            let (whole, flags) = compute::<f64>(&tape, profile, 5_000);
            for chunk in [1_024, 333, 47] {
                let (parts, part_flags) = compute::<f64>(&tape, profile, chunk);
                for (name, (whole, part)) in FLOAT_NAMES.iter().zip(whole.outer_iter().zip(parts.outer_iter())) {
                    let differs = whole.iter().zip(part).position(|(a, b)| a.to_bits() != b.to_bits());
                    assert_eq!(differs, None, "{name}, chunk {chunk}, {profile:?}, step {step}");
                }
                assert_eq!(flags, part_flags);
            }
            let (narrow, _) = compute::<f32>(&tape, profile, 512);
            assert!(narrow.iter().zip(&whole).all(|(n, w)| n.to_bits() == (*w as f32).to_bits()));
        }
    }
}

#[test]
fn definitions() {
    // The last walk is wide enough for 32-bit ranks and 128-bit spreads.
    for (seed, step) in [(1, 1), (2, 3), (3, 40), (4, 500_000)] {
        let mut tape = Tape::walk(seed, 3_000, step);
        if step == 500_000 {
            for column in [&mut tape.open, &mut tape.high, &mut tape.low, &mut tape.close] {
                column.iter_mut().for_each(|price| *price = price.rem_euclid(4_000_000) + 1);
            }
            let Tape { open, high, low, close, .. } = &mut tape;
            for row in 0..3_000 {
                high[row] = high[row].max(open[row]).max(close[row]);
                low[row] = low[row].min(open[row]).min(close[row]);
            }
        }
        // Stretches of no movement and no volume, one of them at the start.
        for rows in [0..40, 1_000..1_950] {
            for row in rows.clone() {
                for column in [&mut tape.open, &mut tape.high, &mut tape.low, &mut tape.close] {
                    column[row] = 20_000;
                }
                tape.volume[row] = 0;
            }
        }
        for profile in [Profile::Session, Profile::Rolling] {
            agree(&tape, profile, &compute::<f64>(&tape, profile, 777).0);
        }
    }
}

/// Every value is what the scalar reference admits.
fn agree(tape: &Tape, profile: Profile, values: &Array2<f64>) {
    let columns = tape.columns();
    let reference = match profile {
        Profile::Session => Reference::new(&columns, proptests::Profile::Session, (1, 4)),
        Profile::Rolling => Reference::new(&columns, proptests::Profile::Rolling, (1, 4)),
    };
    for row in 0..columns.len() {
        for ((name, expected), &value) in FLOAT_NAMES.iter().zip(reference.numbers(row)).zip(values.column(row)) {
            assert!(expected.admits(value), "{name} row {row}, {profile:?}: {value:e}, expected {expected:?}");
        }
    }
}

/// A digest of every value, to be met on every machine and instruction set: run the tests with other target features.
#[test]
fn same_bits_everywhere() {
    let tape = Tape::walk(11, 4_000, 3);
    let digest = |profile| {
        let values = compute::<f64>(&tape, profile, 1_000).0;
        // FNV-1a over words.
        values
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, value| (hash ^ value.to_bits()).wrapping_mul(0x0000_0100_0000_01b3))
    };
    assert_eq!([Profile::Session, Profile::Rolling].map(digest), proptests::features::WALK_BITS);
}

/// Turnover just below 63 bits: nothing overflows, and the steps of the vwap are exact.
#[test]
fn largest_turnover() {
    let mut tape = Tape::default();
    for row in 0..500 {
        let price = (1 << 22) - 1 - row % 7;
        tape.push([price; 4], u32::MAX - row as u32 % 3);
    }
    for profile in [Profile::Session, Profile::Rolling] {
        let values = compute::<f64>(&tape, profile, 100).0;
        agree(&tape, profile, &values);
    }
}

#[test]
fn points_of_a_tick_of_more_than_one_numerator() {
    // Three quarters of a point: 7 ticks, and their third.
    let points = Points::new(Tick::from_nanos(750_000_000).unwrap());
    assert_eq!((points.of(7.0, 1.0), points.of(7.0, 3.0)), (5.25, 1.75));
}

/// Whether a column is multiplied or divided does not show: ticks of short and long fractions, and of large numerators.
#[test]
fn points_by_reciprocals() {
    let ticks = || (-40..40).flat_map(|k| [k, k * 104_729, (1 << 30) - k, k - (1 << 30)]);
    for nanos in [250_000_000, 100_000_000, 15_625_000, 500, 750_000_000, 12_500_000_000, 33_000_000_000] {
        let points = Points::new(Tick::from_nanos(nanos).unwrap());
        for per in [1.0, 30.0, 300.0] {
            let mut out = vec![0.0; ticks().count()];
            points.write(&mut out, ticks(), per);
            let expected: Vec<f64> = ticks().map(|ticks| points.of(ticks.into(), per)).collect();
            assert_eq!(out, expected, "{nanos} per {per}");
        }
    }
}

/// A shorter look-back keeps rows where they are.
#[test]
fn a_look_back_cut_short() {
    let tape = Tape::walk(9, 100, 3);
    for (rows, look_back, shorter, first) in
        [(60..80, 30, 10, 50), (60..80, 30, 40, 30), (20..30, 30, 10, 10), (5..9, 9, 7, 0)]
    {
        let bars = Bars::new(&tape.series(), rows.clone(), look_back).back(shorter);
        assert_eq!((bars.first, bars.lead, bars.len()), (first, rows.start - first, rows.end - first));
        assert_eq!((bars.close, bars.volume), (&tape.close[first..rows.end], &tape.volume[first..rows.end]));
    }
}

/// A category alone has the values it has among all, also where a carry comes in.
#[test]
fn categories_alone() {
    let tape = Tape::walk(5, 3_000, 3);
    let series = tape.series();
    for profile in [Profile::Session, Profile::Rolling] {
        let (all, _) = compute::<f64>(&tape, profile, 700);
        for category in Category::ALL {
            let mut alone = Array2::<f64>::zeros((category.columns().len(), 3_000));
            let mut features = Features::new(profile, tick(), 700);
            let mut carry = Carry::start();
            for start in (0..3_000).step_by(700) {
                let rows = start..3_000.min(start + 700);
                let part = alone.slice_mut(ndarray::s![.., rows.clone()]);
                features.compute_category_array(category, &series, rows.clone(), &carry, part).unwrap();
                carry.advance(&series, rows.end).unwrap();
            }
            let among = all.slice(ndarray::s![category.columns(), ..]).to_owned();
            assert_eq!(bits(&alone), bits(&among), "{category:?} {profile:?}");
        }
    }
    let (mut carry, mut features) = (Carry::at(&series, 10), Features::new(Profile::Session, tick(), 700));
    assert!(carry.advance(&series, 9).is_err() && carry.advance(&series, 3_001).is_err());
    assert_eq!((carry.advance(&series, 10), carry), (Ok(()), Carry::at(&series, 10)));
    let mut block = Array2::<f32>::zeros((4, 5));
    for (category, rows) in [(Category::Returns, 10..15), (Category::Volume, 10..16), (Category::Volume, 9..14)] {
        assert!(features.compute_category_array(category, &series, rows, &carry, block.view_mut()).is_err());
    }
    assert!(features.compute_category_array(Category::Volume, &series, 10..15, &carry, block.view_mut()).is_ok());
}

#[test]
fn prefixes_do_not_show_the_future() {
    let tape = Tape::walk(6, 2_000, 2);
    let (whole, _) = compute::<f64>(&tape, Profile::Session, 2_000);
    for rows in [1, 2, 4, 5, 30, 31, 299, 300, 301, 899, 900, 1_799] {
        let mut start = tape.clone();
        for column in [&mut start.open, &mut start.high, &mut start.low, &mut start.close] {
            column.truncate(rows);
        }
        start.volume.truncate(rows);
        start.second.truncate(rows);
        let (part, _) = compute::<f64>(&start, Profile::Session, 2_000);
        let expected = whole.slice(ndarray::s![.., ..rows]).to_owned();
        assert_eq!(bits(&part), bits(&expected), "{rows} rows");
    }
}

/// The first row with a value is the registry's; in profile `rolling` some columns differ.
#[test]
fn first_defined_rows() {
    // Never flat and never without volume: nothing else makes a NaN.
    let tape = Tape::walk(8, 2_000, 5);
    let [session, rolling] = [Profile::Session, Profile::Rolling].map(|profile| compute::<f64>(&tape, profile, 600).0);
    for (column, feature) in FEATURES[..FLOATS].iter().enumerate() {
        let first = |values: &Array2<f64>| values.row(column).iter().position(|value| !value.is_nan()).unwrap();
        let expected = match feature.name {
            "distance_from_rth_high" | "distance_from_rth_low" => 1_799,
            "short_range_retouches" | "medium_range_retouches" => 0,
            _ => feature.first,
        };
        assert_eq!((first(&session), first(&rolling)), (feature.first, expected), "{}", feature.name);
    }
}

#[test]
fn sizes() {
    let tape = Tape::walk(1, 10, 1);
    let series = tape.series();
    let mut features = Features::new(Profile::Session, tick(), 4);
    let mut run = |rows: Range<usize>, at: usize, shape: (usize, usize)| {
        let mut values = Array2::<f32>::zeros((shape.0, shape.1));
        let mut flags = Array2::zeros((FLAGS, shape.1));
        features.compute_array(&series, rows, &mut Carry::at(&series, at), values.view_mut(), flags.view_mut())
    };
    assert_eq!(run(2..6, 2, (FLOATS, 4)), Ok(()));
    assert_eq!(run(10..10, 10, (FLOATS, 0)), Ok(()));
    assert!(run(2..6, 1, (FLOATS, 4)).is_err());
    assert!(run(2..5, 2, (FLOATS, 4)).is_err());
    assert!(run(2..6, 2, (FLOATS - 1, 4)).is_err());
    assert!(run(2..7, 2, (FLOATS, 5)).is_err());
    assert!(run(8..12, 8, (FLOATS, 4)).is_err());
    let mut standing = Array2::<f32>::zeros((4, FLOATS));
    let mut flags = Array2::zeros((FLAGS, 4));
    let mut carry = Carry::start();
    assert!(
        features
            .compute_array(&series, 0..4, &mut carry, standing.view_mut().reversed_axes(), flags.view_mut())
            .is_err()
    );
    assert_eq!(carry.row(), 0);
}
