//! The kernels against the scalar reference.

use kernels::{
    Break, Columns, Series, Tick,
    features::{Carry, FLAGS, FLOATS, Features},
    labels::{Outcome, Six},
    series::MAX_TICKS,
    weights,
};
use ndarray::{Array2, s};
use proptests::{Profile, Tape, exact::ulps, features::Reference, labels};

/// Rows at most: more than the longest look-back and look-ahead together.
const ROWS: usize = 2_800;
/// Rows that are compared: the reference takes its time.
const COMPARED: usize = 24;
/// Ticks of change that are no gap.
const GAP: i64 = 80;

/// Bytes that are taken from the front; zeros when there are none left.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> i64 {
        i64::from(u16::from_le_bytes([self.next(), self.next()]))
    }
}

/// Bars as bytes describe them: stretches of one kind, so that a few bytes are a session.
fn tape(bytes: &mut Bytes<'_>, profile: Profile) -> Tape {
    let highest = i64::from(MAX_TICKS);
    let scale = [1, 40, 1000, 64][usize::from(bytes.next() % 4)];
    let mut price = (1 + bytes.number() * scale).min(highest);
    let mut second = u32::try_from(bytes.number()).unwrap_or(0) * 2 % 86_400;
    let mut tape = Tape::default();
    while !bytes.0.is_empty() && tape.len() < ROWS {
        let (rows, kind, volume) = (1 + usize::from(bytes.next()), bytes.next(), bytes.next());
        let (step, span) = (i64::from(bytes.next() as i8), i64::from(bytes.next() % 32));
        let begin = tape.len();
        let volume = (i64::from(volume) << (kind >> 5 << 2)).min(u32::MAX.into());
        for row in 0..rows.min(ROWS - tape.len()) {
            let up = if kind & 1 == 1 && row % 2 == 1 { -step } else { step };
            let moved = kind & 2 == 2 || row == 0;
            let open = (price + if moved { up } else { 0 }).clamp(1, highest);
            let close = (open + if kind & 4 == 4 { span } else { -span }).clamp(1, highest);
            if kind & 8 == 8 && row % 3 > 0 {
                tape.push([price; 4], 0, second);
            } else {
                let (high, low) = (open.max(close), open.min(close));
                let wick = i64::from(kind >> 4 & 1) * span;
                tape.push([open, (high + wick).min(highest), (low - wick).max(1), close], volume, second);
                price = close;
            }
            second = (second + 1) % 86_400;
        }
        // Some stretches begin after a night, some of which are short.
        if profile == Profile::Rolling && begin > 0 && step % 3 == 0 {
            tape.night(begin, (step as u32 & 127) << (kind & 15));
        }
    }
    tape
}

/// Labels, weights and features of bars that the bytes describe, in chunks, against the reference.
pub fn kernels(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let profile = [Profile::Session, Profile::Rolling][usize::from(bytes.next() % 2)];
    let nanos = [250_000_000, 100_000_000, 15_625_000, 5_000][usize::from(bytes.next() % 4)];
    let chunk = 1 + usize::try_from(bytes.number()).unwrap_or(0) % 5000;
    let first = usize::from(bytes.next()) * 11;
    let tape = tape(&mut bytes, profile);
    let narrow = |column: &[i64]| column.iter().map(|&value| value as i32).collect::<Vec<i32>>();
    let [open, high, low, close] = [&tape.open, &tape.high, &tape.low, &tape.close].map(|column| narrow(column));
    let volume: Vec<u32> = tape.volume.iter().map(|&value| value as u32).collect();
    let (open, high, low, close) = (&open[..], &high[..], &low[..], &close[..]);
    let columns = Columns { open, high, low, close, volume: &volume, second: &tape.second };
    let series = match Series::new(columns) {
        Err(kernels::Error::Turnover) => return,
        series => series.unwrap_or_else(|error| panic!("the tape keeps within the limits: {error}")),
    };
    let breaks = breaks(&tape);
    let series = series.with_breaks(&breaks).unwrap_or_else(|error| panic!("the tape's nights: {error}"));
    let tick = Tick::from_nanos(nanos).unwrap_or_else(|error| panic!("{error}"));
    if tape.is_empty() {
        return;
    }
    let rows = compared(tape.len(), first);
    compare_labels(&series, &tape, profile, chunk, &rows);
    compare_features(&series, &tape, profile, tick, chunk, &rows);
}

/// The nights between rows.
fn breaks(tape: &Tape) -> Vec<Break> {
    let seconds = |row: usize| u32::try_from(tape.time[row] - tape.time[row - 1]).unwrap_or(u32::MAX);
    let breaks = (1..tape.len()).map(|row| Break { row, seconds: seconds(row) });
    breaks.filter(|at| at.seconds != 1).collect()
}

/// Rows from `first` on, and the last ones.
fn compared(rows: usize, first: usize) -> Vec<usize> {
    let from = first % rows;
    (from..rows).step_by(1 + (rows - from) / COMPARED).chain([rows - 1]).collect()
}

fn named(profile: Profile) -> kernels::Profile {
    match profile {
        Profile::Session => kernels::Profile::Session,
        Profile::Rolling => kernels::Profile::Rolling,
    }
}

fn compare_labels(series: &Series<'_>, tape: &Tape, profile: Profile, chunk: usize, compared: &[usize]) {
    let mut labeller = Six::new(named(profile), GAP as i32, chunk.min(series.len()));
    let mut outcomes: [Vec<Outcome>; kernels::labels::MODES.len()] =
        std::array::from_fn(|_| vec![Outcome::LOSS; series.len()]);
    for start in (0..series.len()).step_by(chunk) {
        let rows = start..series.len().min(start + chunk);
        let done = labeller.outcomes(series, rows.clone(), outcomes.each_mut().map(|column| &mut column[rows.clone()]));
        assert!(done.is_ok(), "{done:?}");
    }
    for (mode, outcomes) in outcomes.iter().enumerate() {
        let mut found = vec![f32::NAN; series.len()];
        let (rows, mode_of) = (0..series.len(), &kernels::labels::MODES[mode]);
        let done = weights::weights(series, rows, mode_of, outcomes, weights::decay(7), &mut found);
        assert!(done.is_ok(), "{done:?}");
        for &row in compared {
            let expected = labels::outcome(tape, row, mode, profile, GAP);
            let seconds = outcomes[row].seconds(row, series.breaks()) as i64;
            let win = outcomes[row].is_win().then(|| labels::Win { mae: outcomes[row].mae().into(), seconds });
            assert_eq!(win, expected, "mode {mode} row {row}");
            assert!(ulps(found[row], labels::weight(expected, mode, 7) as f32) <= 1, "weight, mode {mode} row {row}");
        }
    }
}

fn compare_features(series: &Series<'_>, tape: &Tape, profile: Profile, tick: Tick, chunk: usize, compared: &[usize]) {
    let mut features = Features::new(named(profile), tick, chunk.min(series.len()));
    let mut carry = Carry::start();
    let mut values = Array2::<f64>::zeros((FLOATS, series.len()));
    let mut flags = Array2::<i8>::zeros((FLAGS, series.len()));
    for start in (0..series.len()).step_by(chunk) {
        let rows = start..series.len().min(start + chunk);
        let values = values.slice_mut(s![.., rows.clone()]);
        let flags = flags.slice_mut(s![.., rows.clone()]);
        let done = features.compute_array(series, rows, &mut carry, values, flags);
        assert!(done.is_ok(), "{done:?}");
    }
    let reference = Reference::new(tape, profile, (tick.numerator().into(), tick.denominator().into()));
    for &row in compared {
        for (feature, expected) in reference.numbers(row).into_iter().enumerate() {
            let found = values[[feature, row]];
            let name = kernels::features::FLOAT_NAMES[feature];
            assert!(expected.admits(found), "{name} row {row}: {found:e}, expected {expected:?}");
        }
        for (flag, expected) in reference.flags(row).into_iter().enumerate() {
            assert_eq!(flags[[flag, row]], expected, "flag {flag} row {row}");
        }
    }
}
