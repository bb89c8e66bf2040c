//! Labels and features of a random walk.

use kernels::features::{Carry, FLAGS, FLOAT_NAMES, FLOATS, Features};
use kernels::labels::{MODES, Outcome, Six};
use kernels::{Columns, Error, Level, Profile, Series, Tick};

const ROWS: usize = 27_000;

fn main() -> Result<(), Error> {
    let (mut state, mut price) = (1_u64, 20_000);
    let mut below = |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let close: Vec<i32> = (0..ROWS).map(|_| { price += below(3) as i32 - 1; price }).collect();
    let open: Vec<i32> = close[..1].iter().chain(&close[..ROWS - 1]).copied().collect();
    let high: Vec<i32> = open.iter().zip(&close).map(|(&a, &b)| a.max(b) + below(2) as i32).collect();
    let low: Vec<i32> = open.iter().zip(&close).map(|(&a, &b)| a.min(b) - below(2) as i32).collect();
    let volume: Vec<u32> = (0..ROWS).map(|_| below(50) as u32).collect();
    let second: Vec<u32> = (27_000..27_000 + ROWS as u32).collect();
    let columns = Columns { open: &open, high: &high, low: &low, close: &close, volume: &volume, second: &second };
    let series = Series::new(columns)?;

    let mut outcomes = [(); MODES.len()].map(|()| vec![Outcome::LOSS; ROWS]);
    let slices = outcomes.each_mut().map(Vec::as_mut_slice);
    Six::new(Profile::Session, 80, ROWS).outcomes(&series, 0..ROWS, slices)?;

    let (mut values, mut flags) = ([(); FLOATS].map(|()| vec![0.0_f32; ROWS]), [(); FLAGS].map(|()| vec![0; ROWS]));
    let (floats, bits) = (values.each_mut().map(Vec::as_mut_slice), flags.each_mut().map(Vec::as_mut_slice));
    let mut features = Features::new(Profile::Session, Tick::from_nanos(250_000_000)?, ROWS);
    features.compute(&series, 0..ROWS, &mut Carry::start(), floats, bits)?;

    for (mode, outcomes) in MODES.iter().zip(&outcomes) {
        let wins = outcomes.iter().filter(|outcome| outcome.is_win()).count();
        println!("{:16} {:5.1} % wins", mode.name, 100.0 * wins as f64 / ROWS as f64);
    }
    for (name, column) in FLOAT_NAMES.iter().zip(&values) {
        println!("{name:24} {}", column[ROWS - 1]);
    }
    println!("on {}", Level::in_use());
    Ok(())
}
