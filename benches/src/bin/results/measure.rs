//! Shortest times of everything, measured in turns in one run.

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use kernels::Level;

use benches::{
    kernel::Kernel,
    kernels,
    month::Month,
    peers::{Function, functions},
    scan,
    tape::{Tape, tapes},
};

/// Rounds over everything: each takes its turn while the machine is as busy as for the others.
const ROUNDS: usize = 25;
/// Shortest time of one sample, in seconds.
const SAMPLE: f64 = 1e-3;

/// A kernel of ours.
pub struct Timed {
    pub name: String,
    pub bytes: [usize; 2],
    /// Tape -> nanoseconds a row.
    pub times: BTreeMap<&'static str, f64>,
}

/// A function and its contenders, ours first: name and nanoseconds a row by tape.
pub struct Compared {
    pub function: String,
    pub contenders: Vec<(&'static str, BTreeMap<&'static str, f64>)>,
}

pub struct Measured {
    pub kernels: Vec<Timed>,
    /// The straight scan for the labels, by tape.
    pub scan: BTreeMap<&'static str, f64>,
    /// Every kernel on the usual market at each level: name, and nanoseconds a row.
    pub levels: Vec<(String, Vec<f64>)>,
    pub functions: Vec<Compared>,
    /// Milliseconds for all computed columns of 621,000 rows, on one thread and on two.
    pub month: [f64; 2],
    /// Bytes a nanosecond, read and written, of a copy on one thread that no cache holds.
    pub bandwidth: f64,
}

pub fn measure() -> Measured {
    let tapes: Vec<Run> = tapes().iter().map(Run::new).collect();
    let (levels, month, bandwidth) = (levels(), month(), bandwidth());
    let by_tape = |time: &dyn Fn(&Run) -> f64| tapes.iter().map(|run| (run.tape.name, time(run))).collect();
    let first = &tapes[0];
    Measured {
        kernels: (0..first.kernels.len())
            .map(|k| {
                let (kernel, _) = &first.kernels[k];
                Timed { name: kernel.name.clone(), bytes: kernel.bytes, times: by_tape(&|run| run.kernels[k].1) }
            })
            .collect(),
        scan: by_tape(&|run| run.scan.1),
        functions: (0..first.functions.len())
            .map(|k| Compared {
                function: first.functions[k].0.name.clone(),
                contenders: (0..first.functions[k].1.len())
                    .map(|c| (first.functions[k].0.contenders[c].name, by_tape(&|run| run.functions[k].1[c])))
                    .collect(),
            })
            .collect(),
        levels,
        month,
        bandwidth,
    }
}

/// Levels take turns, so that each meets the same machine.
fn levels() -> Vec<(String, Vec<f64>)> {
    let tape = tapes().iter().find(|tape| tape.name == "normal").unwrap();
    let (rows, levels) = (tape.series().len() as f64, Level::available().collect::<Vec<_>>());
    let timed = kernels(tape).into_iter().map(|mut kernel| {
        let mut best = vec![f64::INFINITY; levels.len()];
        for _ in 0..ROUNDS {
            for (level, best) in levels.iter().zip(&mut best) {
                level.force().unwrap();
                *best = best.min(sample(&mut || kernel.run()) / rows);
            }
        }
        (kernel.name, best)
    });
    timed.collect()
}

/// Everything over one tape, with the shortest time so far.
struct Run {
    tape: &'static Tape,
    kernels: Vec<(Kernel, f64)>,
    scan: (Kernel, f64),
    functions: Vec<(Function, Vec<f64>)>,
}

impl Run {
    fn new(tape: &'static Tape) -> Self {
        let rows = tape.series().len() as f64;
        let mut run = Self {
            tape,
            kernels: kernels(tape).into_iter().map(|kernel| (kernel, f64::INFINITY)).collect(),
            scan: (scan::kernel(tape), f64::INFINITY),
            functions: functions(tape)
                .into_iter()
                .map(|f| {
                    let n = f.contenders.len();
                    (f, vec![f64::INFINITY; n])
                })
                .collect(),
        };
        run.kernels.iter_mut().for_each(|(kernel, _)| kernel.check());
        run.scan.0.check();
        run.functions.iter_mut().for_each(|(function, _)| function.check());
        for _ in 0..ROUNDS {
            for (kernel, best) in &mut run.kernels {
                *best = best.min(sample(&mut || kernel.run()) / rows);
            }
            run.scan.1 = run.scan.1.min(sample(&mut || run.scan.0.run()) / rows);
            for (function, best) in &mut run.functions {
                for (contender, best) in function.contenders.iter_mut().zip(best) {
                    *best = best.min(sample(&mut || contender.run()) / rows);
                }
            }
        }
        run
    }
}

/// Nanoseconds of a call, over as many as fill a sample.
fn sample(call: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    for calls in 1.. {
        call();
        let elapsed = start.elapsed().as_secs_f64();
        if elapsed >= SAMPLE {
            return 1e9 * elapsed / f64::from(calls);
        }
    }
    f64::INFINITY
}

fn month() -> [f64; 2] {
    let mut month = Month::new();
    let mut best = [f64::INFINITY; 2];
    month.run(2);
    month.check();
    for _ in 0..ROUNDS {
        for (threads, best) in [1, 2].into_iter().zip(&mut best) {
            *best = best.min(sample(&mut || month.run(threads)) / 1e6);
        }
    }
    best
}

fn bandwidth() -> f64 {
    const BYTES: usize = 256 << 20;
    let (from, mut to) = (vec![1_u8; BYTES], vec![0_u8; BYTES]);
    let mut copy = || black_box(&mut to).copy_from_slice(black_box(&from));
    let time = (0..ROUNDS).map(|_| sample(&mut copy)).fold(f64::INFINITY, f64::min);
    2.0 * BYTES as f64 / time
}
