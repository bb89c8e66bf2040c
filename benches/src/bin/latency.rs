//! How long a bar takes: 621,000 bars of a random walk, 23 sessions, each timed on its own, several times. The rivals in the
//! same run are the batch's own path with chunks of one row, and TA-Lib's streams for the windows that both have. All rows of
//! all are compared first.
//!
//! `cargo run --release -p benches --features ta-lib --bin latency`

use std::hint::black_box;
use std::time::Instant;

use hdrhistogram::Histogram;
use kernels::features::{Carry, FLAGS, FLOATS, Features};
use kernels::stream::Row;
use kernels::{Bar, Columns, Error, Level, Profile, Series, Stream, Tick, features::FEATURES};
use ta_lib::{Core, LinearregSlopeStream, MaxStream, MinStream, RetCode, RocpStream, SmaStream, TrangeStream};

const SESSIONS: usize = 23;
/// Rows of a session, and its first second of the day.
const ROWS: usize = 27_000;
const OPEN: u32 = 27_000;
/// Times that each bar is timed.
const TURNS: usize = 5;

fn main() -> Result<(), Error> {
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    println!("{model}, kernels on {}, one thread; {} bars, each timed {TURNS} times", Level::in_use(), SESSIONS * ROWS);
    println!("{:36}| all times, ns                          | shortest of each bar", "");
    println!("{:36}|     p50     p99     p99.9     longest |    p99.9   longest", "");
    let tick = Tick::from_nanos(250_000_000)?;
    report("the clock alone", &mut Nothing)?;
    for (market, step) in [("calm", 1), ("normal", 3), ("crash", 60)] {
        let tape = Tape::walk(step);
        for profile in [Profile::Session, Profile::Rolling] {
            let mut stream = Live { tape: &tape, stream: Stream::new(profile, tick) };
            let mut batch = Batch::new(&tape, profile, tick)?;
            for row in 0..SESSIONS * ROWS {
                stream.before(row);
                batch.before(row);
                let (ours, theirs) = (stream.row(row)?, batch.row(row)?);
                assert!(bits(&ours).eq(bits(&theirs)) && ours.flags == theirs.flags, "row {row} of {market}");
            }
            report(&format!("{market}, {profile:?}, stream"), &mut stream)?;
            report(&format!("{market}, {profile:?}, batch of one row"), &mut batch)?;
            if profile == Profile::Rolling {
                let mut theirs = TaLib::new(&tape).expect("a history of 1,800 finite bars");
                theirs.check(&tape, tick)?;
                report(&format!("{market}, TA-Lib, {} of the columns", TA_LIB.len()), &mut theirs)?;
            }
        }
    }
    Ok(())
}

fn bits(row: &Row<f32>) -> impl Iterator<Item = u32> {
    row.floats.iter().map(|value| value.to_bits())
}

/// What gives the rows of a tape in their order.
trait Rows {
    /// What is due before a row and no part of its time.
    fn before(&mut self, row: usize);
    fn row(&mut self, row: usize) -> Result<Row<f32>, Error>;
}

/// Times all rows and prints a line. Other processes and the system interrupt this one, so the longest of all times is the
/// machine's; no bar is interrupted in every turn, so the longest of the shortest times is the code's.
fn report(name: &str, rows: &mut impl Rows) -> Result<(), Error> {
    let mut shortest = vec![u64::MAX; SESSIONS * ROWS];
    let mut all = histogram();
    for _ in 0..TURNS {
        for (row, shortest) in shortest.iter_mut().enumerate() {
            rows.before(row);
            let start = Instant::now();
            black_box(rows.row(row)?);
            let nanos = start.elapsed().as_nanos() as u64;
            all.saturating_record(nanos);
            *shortest = nanos.min(*shortest);
        }
    }
    let mut of_each = histogram();
    shortest.iter().for_each(|&nanos| of_each.saturating_record(nanos));
    let at = |histogram: &Histogram<u64>, quantile| histogram.value_at_quantile(quantile);
    println!(
        "{name:36}|{:8}{:8}{:10}{:12} |{:9}{:10}",
        at(&all, 0.5),
        at(&all, 0.99),
        at(&all, 0.999),
        all.max(),
        at(&of_each, 0.999),
        of_each.max()
    );
    Ok(())
}

/// From a nanosecond to a second, to three digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 1_000_000_000, 3).expect("these bounds are in order")
}

struct Nothing;

impl Rows for Nothing {
    fn before(&mut self, _: usize) {}

    fn row(&mut self, _: usize) -> Result<Row<f32>, Error> {
        Ok(Row { floats: [0.0; FLOATS], flags: [0; FLAGS] })
    }
}

struct Live<'a> {
    tape: &'a Tape,
    stream: Stream,
}

impl Rows for Live<'_> {
    fn before(&mut self, row: usize) {
        if row.is_multiple_of(ROWS) {
            self.stream.next_session();
        }
    }

    fn row(&mut self, row: usize) -> Result<Row<f32>, Error> {
        self.stream.push(self.tape.bars[row])
    }
}

/// The batch's path: a session or month is there, and a call computes one row of it.
struct Batch<'a> {
    series: Vec<Series<'a>>,
    features: Features,
    carry: Carry,
}

impl<'a> Batch<'a> {
    fn new(tape: &'a Tape, profile: Profile, tick: Tick) -> Result<Self, Error> {
        let rows = if profile == Profile::Session { ROWS } else { SESSIONS * ROWS };
        let series = (0..SESSIONS * ROWS).step_by(rows).map(|start| tape.series(start..start + rows));
        let features = Features::new(profile, tick, 1);
        Ok(Self { series: series.collect::<Result<_, _>>()?, features, carry: Carry::start() })
    }

    fn rows(&self) -> usize {
        SESSIONS * ROWS / self.series.len()
    }
}

impl Rows for Batch<'_> {
    fn before(&mut self, row: usize) {
        if row.is_multiple_of(self.rows()) {
            self.carry = Carry::start();
        }
    }

    fn row(&mut self, row: usize) -> Result<Row<f32>, Error> {
        let (series, at) = (&self.series[row / self.rows()], row % self.rows());
        let mut out = Row { floats: [0.0; FLOATS], flags: [0; FLAGS] };
        let (floats, flags) = (out.floats.each_mut(), out.flags.each_mut());
        let (floats, flags) = (floats.map(std::slice::from_mut), flags.map(std::slice::from_mut));
        self.features.compute(series, at..at + 1, &mut self.carry, floats, flags)?;
        Ok(out)
    }
}

/// Columns that TA-Lib has a stream for, in the order of [`TaLib::values`].
const TA_LIB: [&str; 12] = [
    "short_range_high",
    "short_range_low",
    "medium_range_high",
    "medium_range_low",
    "return_30s",
    "return_60s",
    "return_300s",
    "volume_ratio_30s",
    "volume_slope_5s",
    "volume_slope_30s",
    "atr_30s",
    "atr_300s",
];

/// TA-Lib's streams. They go over all sessions, as profile `rolling` does.
struct TaLib<'a> {
    tape: &'a Tape,
    high: [MaxStream; 2],
    low: [MinStream; 2],
    change: [RocpStream; 3],
    volume: [SmaStream; 2],
    slope: [LinearregSlopeStream; 2],
    range: TrangeStream,
    ranges: [SmaStream; 2],
}

impl<'a> TaLib<'a> {
    /// After the tape's last bars, so that it goes on with the first.
    fn new(tape: &'a Tape) -> Result<Self, RetCode> {
        let core = Core::new();
        let last = &tape.bars[tape.bars.len() - 1_800..];
        let points = |of: fn(&Bar) -> i32| -> Vec<f64> { last.iter().map(|bar| f64::from(of(bar)) / 4.0).collect() };
        let (high, low, close) = (points(|bar| bar.high), points(|bar| bar.low), points(|bar| bar.close));
        let volume: Vec<f64> = last.iter().map(|bar| f64::from(bar.volume)).collect();
        let (mut of_five, mut range) = (vec![0.0; volume.len()], vec![0.0; high.len()]);
        let rows = core.sma(0, volume.len() - 1, &volume, 5, &mut of_five)?.count;
        of_five.truncate(rows);
        let rows = core.trange(0, high.len() - 1, &high, &low, &close, &mut range)?.count;
        range.truncate(rows);
        Ok(Self {
            tape,
            high: [core.max_open(&high, 300)?.0, core.max_open(&high, 900)?.0],
            low: [core.min_open(&low, 300)?.0, core.min_open(&low, 900)?.0],
            change: [core.rocp_open(&close, 30)?.0, core.rocp_open(&close, 60)?.0, core.rocp_open(&close, 300)?.0],
            volume: [core.sma_open(&volume, 30)?.0, core.sma_open(&volume, 5)?.0],
            slope: [core.linearreg_slope_open(&volume, 5)?.0, core.linearreg_slope_open(&of_five, 30)?.0],
            range: core.trange_open(&high, &low, &close)?.0,
            ranges: [core.sma_open(&range, 30)?.0, core.sma_open(&range, 300)?.0],
        })
    }

    fn values(&mut self, bar: &Bar) -> Result<[f64; TA_LIB.len()], RetCode> {
        let [high, low, close] = [bar.high, bar.low, bar.close].map(|price| f64::from(price) / 4.0);
        let volume = f64::from(bar.volume);
        let of_five = self.volume[1].update(volume)?;
        let range = self.range.update(high, low, close)?;
        Ok([
            self.high[0].update(high)?,
            self.low[0].update(low)?,
            self.high[1].update(high)?,
            self.low[1].update(low)?,
            self.change[0].update(close)?,
            self.change[1].update(close)?,
            self.change[2].update(close)?,
            volume / self.volume[0].update(volume)?,
            self.slope[0].update(volume)?,
            self.slope[1].update(of_five)?,
            self.ranges[0].update(range)?,
            self.ranges[1].update(range)?,
        ])
    }

    /// The same values as the stream's, but for their rounding, from the row on that has no bar of before the tape.
    fn check(&mut self, tape: &Tape, tick: Tick) -> Result<(), Error> {
        let columns = TA_LIB.map(|name| {
            FEATURES.iter().position(|feature| feature.name == name).expect("a column that TA-Lib has, too")
        });
        let mut stream = Stream::new(Profile::Rolling, tick);
        for (row, bar) in tape.bars.iter().enumerate() {
            if row.is_multiple_of(ROWS) {
                stream.next_session();
            }
            let ours: Row<f64> = stream.push(*bar)?;
            let theirs = self.values(bar).expect("finite bars");
            for ((&column, theirs), name) in columns.iter().zip(theirs).zip(TA_LIB).filter(|_| row >= 1_000) {
                let ours = ours.floats[column];
                assert!((ours - theirs).abs() <= 1e-6 * (1.0 + theirs.abs()), "{name}, row {row}: {ours}, {theirs}");
            }
        }
        Ok(())
    }
}

impl Rows for TaLib<'_> {
    fn before(&mut self, _: usize) {}

    fn row(&mut self, row: usize) -> Result<Row<f32>, Error> {
        let mut out = Row { floats: [0.0; FLOATS], flags: [0; FLAGS] };
        let values = self.values(&self.tape.bars[row]).expect("finite bars");
        out.floats.iter_mut().zip(values).for_each(|(to, value)| *to = value as f32);
        Ok(out)
    }
}

/// The bars, and the same as the batch reads them.
struct Tape {
    bars: Vec<Bar>,
    prices: [Vec<i32>; 4],
    volume: Vec<u32>,
    second: Vec<u32>,
}

impl Tape {
    /// A second in eight without a trade, and otherwise moves of up to `step` ticks in a bar.
    fn walk(step: i32) -> Self {
        let (mut state, mut price) = (1_u64, 200_000);
        // Knuth's MMIX generator.
        let mut below = |limit: i32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % limit.unsigned_abs() as u64) as i32
        };
        let mut bars = Vec::with_capacity(SESSIONS * ROWS);
        for row in 0..SESSIONS * ROWS {
            let second = OPEN + (row % ROWS) as u32;
            if below(8) == 0 {
                bars.push(Bar { open: price, high: price, low: price, close: price, volume: 0, second });
                continue;
            }
            let open = price;
            let close = open + below(2 * step + 1) - step;
            let (high, low) = (open.max(close) + below(step + 1), open.min(close) - below(step + 1));
            bars.push(Bar { open, high, low, close, volume: 1 + below(400) as u32, second });
            // The walk turns back at the ends of the range.
            price = close + if close < 150_000 { step } else { -step * i32::from(close > 250_000) };
        }
        let column = |price: fn(&Bar) -> i32| bars.iter().map(price).collect();
        Self {
            prices: [column(|bar| bar.open), column(|bar| bar.high), column(|bar| bar.low), column(|bar| bar.close)],
            volume: bars.iter().map(|bar| bar.volume).collect(),
            second: bars.iter().map(|bar| bar.second).collect(),
            bars,
        }
    }

    fn series(&self, rows: std::ops::Range<usize>) -> Result<Series<'_>, Error> {
        let [open, high, low, close] = self.prices.each_ref().map(|column| &column[rows.clone()]);
        Series::new(Columns { open, high, low, close, volume: &self.volume[rows.clone()], second: &self.second[rows] })
    }
}
