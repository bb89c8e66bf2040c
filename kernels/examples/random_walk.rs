//! Labels a random walk, prints the win rate of each mode, and the time a row takes. Informational: the walk is not a
//! market, and the benchmarks are in `benches/`.
//!
//! `cargo run --release -p harness-kernels --example random_walk`

use std::time::Instant;

use kernels::features::{Carry, FLAGS, FLOATS, Features};
use kernels::labels::{MODES, Outcome, Six};
use kernels::{Columns, Error, Profile, Series, Tick, weights};
use ndarray::{Array2, s};

const SESSIONS: usize = 23;
const ROWS: usize = 27_000;
const CHUNK: usize = 4_096;

fn main() -> Result<(), Error> {
    let mut walk = Walk { state: 1, price: 20_000 };
    let sessions: Vec<Session> = (0..SESSIONS).map(|_| walk.session()).collect();
    let rows = (SESSIONS * ROWS) as f64;

    let mut labeller = Six::new(Profile::Session, 80, CHUNK);
    let mut outcomes = vec![[Outcome::LOSS; CHUNK]; MODES.len()];
    let (mut label, mut weight) = (vec![0; CHUNK], vec![0.0; CHUNK]);
    let mut wins = [0; MODES.len()];
    let decay = weights::decay(3);
    let (mut label_time, mut weight_time) = (0.0, 0.0);
    for session in &sessions {
        let series = session.series()?;
        for chunk in chunks() {
            let len = chunk.len();
            let start = Instant::now();
            let mut columns = outcomes.iter_mut().map(|column| &mut column[..len]);
            labeller.outcomes(
                &series,
                chunk.clone(),
                [(); MODES.len()].map(|()| columns.next().unwrap_or_default()),
            )?;
            label_time += start.elapsed().as_secs_f64();
            let start = Instant::now();
            for ((mode, outcomes), wins) in MODES.iter().zip(&outcomes).zip(&mut wins) {
                let outcomes = &outcomes[..len];
                weights::labels(outcomes, &mut label[..len])?;
                weights::weights(&series, chunk.clone(), mode, outcomes, decay, &mut weight[..len])?;
                *wins += label[..len].iter().map(|&label| i32::from(label)).sum::<i32>();
            }
            weight_time += start.elapsed().as_secs_f64();
        }
    }
    for (mode, wins) in MODES.iter().zip(wins) {
        println!("{:16} {:5.1} % wins", mode.name, 100.0 * f64::from(wins) / rows);
    }
    println!("labels   {:6.1} ns/row, weights {:5.1} ns/row", 1e9 * label_time / rows, 1e9 * weight_time / rows);

    for profile in [Profile::Session, Profile::Rolling] {
        let mut features = Features::new(profile, Tick::from_nanos(250_000_000)?, CHUNK);
        let mut values = Array2::<f32>::zeros((FLOATS, CHUNK));
        let mut flags = Array2::zeros((FLAGS, CHUNK));
        let start = Instant::now();
        for session in &sessions {
            let series = session.series()?;
            let mut carry = Carry::start();
            for chunk in chunks() {
                let (values, flags) = (values.slice_mut(s![.., ..chunk.len()]), flags.slice_mut(s![.., ..chunk.len()]));
                features.compute_array(&series, chunk, &mut carry, values, flags)?;
            }
        }
        println!("features {:6.1} ns/row, profile {profile:?}", 1e9 * start.elapsed().as_secs_f64() / rows);
    }
    Ok(())
}

fn chunks() -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..ROWS).step_by(CHUNK).map(|start| start..ROWS.min(start + CHUNK))
}

#[derive(Default)]
struct Session {
    prices: [Vec<i32>; 4],
    volume: Vec<u32>,
    second: Vec<u32>,
}

impl Session {
    fn series(&self) -> Result<Series<'_>, Error> {
        let [open, high, low, close] = &self.prices;
        Series::new(Columns { open, high, low, close, volume: &self.volume, second: &self.second })
    }
}

/// Knuth's MMIX generator and the price it moves.
struct Walk {
    state: u64,
    price: i32,
}

impl Walk {
    fn below(&mut self, n: i32) -> i32 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.state >> 33) % n.unsigned_abs() as u64) as i32
    }

    /// One session of a second in eight without a trade and otherwise up to three steps of a tick.
    fn session(&mut self) -> Session {
        let mut session = Session::default();
        for second in 27_000..27_000 + ROWS as u32 {
            let traded = self.below(8) > 0;
            let mut bar = [self.price; 4];
            for step in 0..if traded { 1 + self.below(3) } else { 0 } {
                // Half of the steps stay; the walk turns back at the ends of the range.
                let drift = if self.price < 16_000 { 1 } else { -i32::from(self.price > 24_000) };
                self.price += [0, 0, 1, -1][self.below(4) as usize] + drift;
                let [open, high, low, close] = &mut bar;
                if step == 0 {
                    *open = self.price;
                    (*high, *low) = (self.price, self.price);
                }
                (*high, *low, *close) = ((*high).max(self.price), (*low).min(self.price), self.price);
            }
            for (column, price) in session.prices.iter_mut().zip(bar) {
                column.push(price);
            }
            session.volume.push(if traded { 1 + self.below(60) as u32 } else { 0 });
            session.second.push(second);
        }
        session
    }
}
