//! Functions that other crates have too, over the same columns, all written as f64.
//!
//! The windows of `rolling` read the same f64 as theirs. Where ours reads the integers it is made for, theirs has the same
//! numbers as f64, converted beforehand.

use kernels::{
    Error, rolling,
    window::{score::Score, sum::float, true_range::true_ranges},
};
use ta_lib::Core;
use vector_ta::{
    indicators::{
        donchian::{DonchianInput, DonchianParams, donchian_into_slice},
        linearreg_slope::{LinearRegSlopeInput, LinearRegSlopeParams, linearreg_slope_into_slice},
        moving_averages::{
            sma::{SmaInput, SmaParams, sma_into_slice},
            vwma::{VwmaInput, VwmaParams, vwma_into_slice},
        },
        rocp::{RocpInput, RocpParams, rocp_into_slice},
        stddev::{StdDevInput, StdDevParams, stddev_into_slice},
        zscore::{ZscoreInput, ZscoreParams, zscore_into_slice},
    },
    utilities::enums::Kernel::Auto,
};

use crate::{
    tape::Tape,
    windows::{atr, fill, ranges, returns},
};

/// Relative and absolute difference that running sums in f64 may have accumulated: of a flat window they leave a rest.
const TOLERANCE: (f64, f64) = (1e-6, 1e-11);

/// Computes columns.
type Run = dyn FnMut(&mut [Vec<f64>]);

/// A function and who computes it.
pub struct Function {
    /// What is computed, of what, over how many rows.
    pub name: String,
    /// Ours first.
    pub contenders: Vec<Contender>,
}

/// One implementation.
pub struct Contender {
    /// The crate.
    pub name: &'static str,
    run: Box<Run>,
    out: Vec<Vec<f64>>,
    /// Elements of its columns before the first value.
    lead: usize,
}

impl Contender {
    /// Computes the function's columns.
    pub fn run(&mut self) {
        (self.run)(&mut self.out);
    }
}

impl Function {
    /// Runs all and compares their columns with ours, where ours has a value.
    ///
    /// # Panics
    /// When a value is another.
    pub fn check(&mut self) {
        self.contenders.iter_mut().for_each(Contender::run);
        let [ours, theirs @ ..] = &self.contenders[..] else { return };
        let lead = ours.lead;
        for contender in theirs {
            for (ours, theirs) in ours.out.iter().zip(&contender.out) {
                for (row, (a, b)) in ours[lead..].iter().zip(&theirs[contender.lead..]).enumerate() {
                    let same = (a - b).abs() <= TOLERANCE.0 * a.abs() + TOLERANCE.1 || a.is_nan();
                    assert!(same, "{}, {}: value {row} is {b}, ours {a}", self.name, contender.name);
                }
            }
        }
    }

    fn new(name: String, columns: usize, values: usize, ours: impl FnMut(&mut [Vec<f64>]) + 'static) -> Self {
        let mut function = Self { name, contenders: Vec::new() };
        function.push("kernels", columns, values, 0, ours);
        function
    }

    /// Ours writes a value for every row, the first of them in row `lead`.
    fn whole(
        name: String,
        columns: usize,
        rows: usize,
        lead: usize,
        ours: impl FnMut(&mut [Vec<f64>]) + 'static,
    ) -> Self {
        let mut function = Self { name, contenders: Vec::new() };
        function.push("kernels", columns, rows, lead, ours);
        function
    }

    /// ta-lib writes its first value to element 0.
    fn ta_lib(mut self, rows: usize, run: impl FnMut(&Core, &mut [Vec<f64>]) + 'static) -> Self {
        let columns = self.contenders[0].out.len();
        let (core, mut run) = (Core::new(), run);
        self.push("ta-lib", columns, rows, 0, move |out| run(&core, out));
        self
    }

    /// vector-ta writes a value for every row.
    fn vector_ta(mut self, rows: usize, run: impl FnMut(&mut [Vec<f64>]) + 'static) -> Self {
        let ours = &self.contenders[0];
        let (columns, lead) = (ours.out.len(), rows - (ours.out[0].len() - ours.lead));
        self.push("vector-ta", columns, rows, lead, run);
        self
    }

    fn push(
        &mut self,
        name: &'static str,
        columns: usize,
        len: usize,
        lead: usize,
        run: impl FnMut(&mut [Vec<f64>]) + 'static,
    ) {
        self.contenders.push(Contender { name, run: Box::new(run), out: vec![vec![0.0; len]; columns], lead });
    }
}

/// All functions over the rows of a tape.
#[must_use]
pub fn functions(tape: &'static Tape) -> Vec<Function> {
    let mut functions = vec![true_range(tape)];
    for window in [5, 30, 300, 1_800, 20_000] {
        functions
            .extend([mean, deviation, slope, extrema, change, weighted_mean].map(|function| function(tape, window)));
    }
    functions.extend([score(tape), running_vwap(tape)]);
    functions
}

fn floats<T: Copy + Into<f64>>(column: &[T]) -> Vec<f64> {
    column.iter().map(|&value| value.into()).collect()
}

/// A function of one column.
type Rolling = fn(&[f64], usize, &mut [f64]) -> Result<usize, Error>;

fn rolled(name: &str, column: Vec<f64>, window: usize, ours: Rolling) -> Function {
    let rows = column.len();
    let run = move |out: &mut [Vec<f64>]| {
        ours(&column, window, &mut out[0]).unwrap();
    };
    Function::whole(format!("{name}, {window}"), 1, rows, window - 1, run)
}

fn true_range(tape: &'static Tape) -> Function {
    let series = tape.series();
    let rows = series.len();
    let [high, low, close] = [series.high(), series.low(), series.close()].map(floats);
    let ours = move |out: &mut [Vec<f64>]| {
        fill(&mut out[0], true_ranges(series.high(), series.low(), series.close()).map(f64::from));
    };
    Function::new("true range".into(), 1, rows - 1, ours).ta_lib(rows, move |core, out| {
        core.trange(0, rows - 1, &high, &low, &close, &mut out[0]).unwrap();
    })
}

fn mean(tape: &'static Tape, window: usize) -> Function {
    let ranges = floats(&ranges(tape));
    let (rows, a, b) = (ranges.len(), ranges.clone(), ranges.clone());
    rolled("mean of the true range", ranges, window, rolling::mean)
        .ta_lib(rows, move |core, out| {
            core.sma(0, rows - 1, &a, window as i32, &mut out[0]).unwrap();
        })
        .vector_ta(rows, move |out| {
            let input = SmaInput::from_slice(&b, SmaParams { period: Some(window) });
            sma_into_slice(&mut out[0], &input, Auto).unwrap();
        })
}

fn extrema(tape: &'static Tape, window: usize) -> Function {
    let close = floats(tape.series().close());
    let (rows, theirs, upper) = (close.len(), close.clone(), close.clone());
    let mut middle = vec![0.0; rows];
    let ours = move |out: &mut [Vec<f64>]| {
        let [largest, least] = out else { return };
        rolling::min_max(&close, window, least, largest).unwrap();
    };
    Function::whole(format!("highest and lowest close, {window}"), 2, rows, window - 1, ours)
        .ta_lib(rows, move |core, out| {
            core.max(0, rows - 1, &theirs, window as i32, &mut out[0]).unwrap();
            core.min(0, rows - 1, &theirs, window as i32, &mut out[1]).unwrap();
        })
        .vector_ta(rows, move |out| {
            let input = DonchianInput::from_slices(&upper, &upper, DonchianParams { period: Some(window) });
            let [highs, lows] = out else { return };
            donchian_into_slice(highs, &mut middle, lows, &input, Auto).unwrap();
        })
}

fn slope(tape: &'static Tape, window: usize) -> Function {
    let volume = floats(tape.series().volume());
    let (rows, a, b) = (volume.len(), volume.clone(), volume.clone());
    rolled("slope of the volume", volume, window, rolling::slope)
        .ta_lib(rows, move |core, out| {
            core.linearreg_slope(0, rows - 1, &a, window as i32, &mut out[0]).unwrap();
        })
        .vector_ta(rows, move |out| {
            let input = LinearRegSlopeInput::from_slice(&b, LinearRegSlopeParams { period: Some(window) });
            linearreg_slope_into_slice(&mut out[0], &input, Auto).unwrap();
        })
}

fn change(tape: &'static Tape, window: usize) -> Function {
    let close = floats(tape.series().close());
    let (rows, a, b) = (close.len(), close.clone(), close.clone());
    let ours = move |out: &mut [Vec<f64>]| {
        rolling::returns(&close, window, &mut out[0]).unwrap();
    };
    Function::whole(format!("return, {window}"), 1, rows, window, ours)
        .ta_lib(rows, move |core, out| {
            core.rocp(0, rows - 1, &a, window as i32, &mut out[0]).unwrap();
        })
        .vector_ta(rows, move |out| {
            let input = RocpInput::from_slice(&b, RocpParams { period: Some(window) });
            rocp_into_slice(&mut out[0], &input, Auto).unwrap();
        })
}

/// Ours is the sample deviation: theirs is asked for sqrt(w/(w-1)) of the population's.
fn deviation(tape: &'static Tape, window: usize) -> Function {
    let returns = returns(tape);
    let (rows, a, b) = (returns.len(), returns.clone(), returns.clone());
    let sample = (window as f64 / (window as f64 - 1.0)).sqrt();
    rolled("deviation of the returns", returns, window, rolling::std)
        .ta_lib(rows, move |core, out| {
            core.stddev(0, rows - 1, &a, window as i32, sample, &mut out[0]).unwrap();
        })
        .vector_ta(rows, move |out| {
            let input = StdDevInput::from_slice(&b, StdDevParams { period: Some(window), nbdev: Some(sample) });
            stddev_into_slice(&mut out[0], &input, Auto).unwrap();
        })
}

/// Likewise.
fn score(tape: &'static Tape) -> Function {
    let atr = atr(tape);
    let (rows, theirs) = (atr.len(), floats(&atr));
    let mut score = Score::new(300, rows);
    let ours = move |out: &mut [Vec<f64>]| {
        score.set(&atr);
        out[0].copy_from_slice(score.scores());
    };
    Function::new("score of the mean true range, 300".into(), 1, rows - 299, ours).vector_ta(rows, move |out| {
        let nbdev = Some((300.0_f64 / 299.0).sqrt());
        let params = ZscoreParams { period: Some(300), ma_type: Some("sma".into()), nbdev, devtype: Some(0) };
        zscore_into_slice(&mut out[0], &ZscoreInput::from_slice(&theirs, params), Auto).unwrap();
    })
}

/// The vwap of profile `rolling`.
fn weighted_mean(tape: &'static Tape, window: usize) -> Function {
    let series = tape.series();
    let (rows, close, volume) = (series.len(), floats(series.close()), floats(series.volume()));
    let (prices, volumes) = (close.clone(), volume.clone());
    let ours = move |out: &mut [Vec<f64>]| {
        rolling::vwap(&prices, &volumes, window, &mut out[0]).unwrap();
    };
    Function::whole(format!("volume-weighted mean, {window}"), 1, rows, window - 1, ours).vector_ta(rows, move |out| {
        let input = VwmaInput::from_slice(&close, &volume, VwmaParams { period: Some(window) });
        vwma_into_slice(&mut out[0], &input, Auto).unwrap();
    })
}

/// The vwap of profile `session`: theirs weighs the mean of high, low and close, so it is given the close for all three.
fn running_vwap(tape: &'static Tape) -> Function {
    let series = tape.series();
    // From the first row with volume on.
    let first = series.volume().iter().position(|&volume| volume > 0).unwrap_or_default();
    let (prices, volumes) = (&series.close()[first..], &series.volume()[first..]);
    let (rows, close, volume) = (prices.len(), floats(prices), floats(volumes));
    let ours = move |out: &mut [Vec<f64>]| {
        let (mut turnover, mut total) = (0, 0);
        let running = prices.iter().zip(volumes).map(|(&close, &volume)| {
            turnover += i64::from(close) * i64::from(volume);
            total += i64::from(volume);
            float(turnover) / float(total)
        });
        fill(&mut out[0], running);
    };
    Function::new("running vwap".into(), 1, rows, ours).ta_lib(rows, move |core, out| {
        core.vwap(0, rows - 1, &close, &close, &close, &volume, &mut out[0]).unwrap();
    })
}
