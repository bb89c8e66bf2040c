//! The rows the benchmarks run on: one session of each market, with what the reference makes of it.

use std::{path::Path, sync::LazyLock, sync::OnceLock};

use data::{Instrument, contract::Choice, input, session};
use kernels::{Columns, Profile, Series, Tick};
use proptests::{
    Exact,
    features::{FLAGS, NUMBERS, Reference},
    labels,
};

/// Largest change of close that is not a gap, in ticks: 20 points of ES.
pub const GAP: i32 = 80;

/// Rows of a whole session.
pub const ROWS: usize = 27_000;

/// One session.
pub struct Tape {
    /// That of its market, or `gc`.
    pub name: &'static str,
    /// Price increment.
    pub tick: Tick,
    prices: [Vec<i32>; 4],
    volume: Vec<u32>,
    second: Vec<u32>,
    /// The same rows as the reference takes them.
    reference: proptests::Tape,
    numbers: [OnceLock<Vec<[Exact; NUMBERS.len()]>>; 2],
    outcomes: [OnceLock<Vec<[Option<labels::Win>; labels::MODES.len()]>>; 2],
}

/// The walks, and gold where its file is at hand.
pub fn tapes() -> &'static [Tape] {
    static TAPES: LazyLock<Vec<Tape>> = LazyLock::new(|| {
        let mut tapes: Vec<Tape> = MARKETS.iter().map(|market| market.walk(1)).collect();
        tapes.extend(gold());
        tapes
    });
    &TAPES
}

/// How a walk moves: ticks from row to row and within a row, each on so many rows of 16.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    /// Its name as a tape.
    pub name: &'static str,
    step: (i64, i64),
    span: (i64, i64),
}

/// A second's deviation is 0.3, 0.7, 2.4 and 16 ticks. That of the S&P 500 future was about 0.8 on a usual day of 2025.
pub const MARKETS: [Market; 4] = [
    Market { name: "calm", step: (1, 1), span: (1, 2) },
    Market { name: "normal", step: (1, 4), span: (1, 8) },
    Market { name: "violent", step: (2, 16), span: (3, 16) },
    Market { name: "crash", step: (12, 16), span: (25, 16) },
];

impl Market {
    /// A whole session of random moves, a second in eight without a trade.
    #[must_use]
    pub fn walk(self, seed: u64) -> Tape {
        let Self { name, step, span } = self;
        let mut state = seed;
        let mut below = |limit: i64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as i64) % limit
        };
        let mut rows = proptests::Tape::default();
        let mut price = 20_000;
        for second in 27_000..27_000 + ROWS as u32 {
            if below(8) == 0 {
                rows.push([price; 4], 0, second);
                continue;
            }
            let mut reach = |(ticks, rows): (i64, i64)| if below(16) < rows { ticks } else { 0 };
            let (step, span) = (reach(step), reach(span));
            let open = price + below(2 * step + 1) - step;
            let close = open + below(2 * span + 1) - span;
            let (high, low) = (open.max(close) + below(span + 1), open.min(close) - below(span + 1));
            rows.push([open, high, low, close], 1 + below(400), second);
            price = close;
        }
        Tape::new(name, Tick::from_nanos(250_000_000).unwrap(), rows)
    }
}

/// The first session of three days of gold, if the file is there.
fn gold() -> Option<Tape> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/realdata/gc");
    let path = folder.join("glbx-mdp3-20131007-20131009.ohlcv-1s.dbn.zst");
    if !path.exists() {
        eprintln!("LEFT OUT: no real gold data at {}", path.display());
        return None;
    }
    let gold = Instrument { root: "GC".into(), tick_nanos: 100_000_000, ..Instrument::default() };
    let mut rows = proptests::Tape::default();
    input::read(&path, &gold, &mut |columns| {
        let grid = session::cut_alone(&columns.view(), &gold, Choice::Volume).unwrap();
        for row in grid.sessions[0].rows.clone() {
            let prices = [grid.open[row], grid.high[row], grid.low[row], grid.close[row]];
            rows.push(prices.map(i64::from), grid.volume[row].into(), grid.second[row]);
        }
        Ok(())
    })
    .unwrap();
    Some(Tape::new("gc", gold.tick().unwrap(), rows))
}

impl Tape {
    fn new(name: &'static str, tick: Tick, reference: proptests::Tape) -> Self {
        let narrow = |column: &[i64]| column.iter().map(|&value| value.try_into().unwrap()).collect();
        Self {
            name,
            tick,
            prices: [
                narrow(&reference.open),
                narrow(&reference.high),
                narrow(&reference.low),
                narrow(&reference.close),
            ],
            volume: reference.volume.iter().map(|&value| value.try_into().unwrap()).collect(),
            second: reference.second.clone(),
            reference,
            numbers: [const { OnceLock::new() }; 2],
            outcomes: [const { OnceLock::new() }; 2],
        }
    }

    /// Its rows as the kernels take them.
    #[must_use]
    pub fn series(&self) -> Series<'_> {
        let [open, high, low, close] = &self.prices;
        Series::new(Columns { open, high, low, close, volume: &self.volume, second: &self.second }).unwrap()
    }

    /// Its rows as the reference takes them.
    #[must_use]
    pub fn reference(&self) -> &proptests::Tape {
        &self.reference
    }

    /// The reference's float features, row by row, computed once.
    pub fn numbers(&self, profile: Profile) -> &[[Exact; NUMBERS.len()]] {
        self.numbers[profile as usize].get_or_init(|| {
            let tick = (self.tick.numerator().into(), self.tick.denominator().into());
            let reference = Reference::new(&self.reference, named(profile), tick);
            (0..self.reference.len()).map(|row| reference.numbers(row)).collect()
        })
    }

    /// The reference's flags of a row.
    #[must_use]
    pub fn flags(&self) -> Vec<[i8; FLAGS.len()]> {
        let reference = Reference::new(&self.reference, proptests::Profile::Session, (1, 1));
        (0..self.reference.len()).map(|row| reference.flags(row)).collect()
    }

    /// The reference's wins, row by row, by mode, computed once.
    pub fn outcomes(&self, profile: Profile) -> &[[Option<labels::Win>; labels::MODES.len()]] {
        self.outcomes[profile as usize].get_or_init(|| {
            let win = |row, mode| labels::outcome(&self.reference, row, mode, named(profile), GAP.into());
            (0..self.reference.len()).map(|row| std::array::from_fn(|mode| win(row, mode))).collect()
        })
    }
}

fn named(profile: Profile) -> proptests::Profile {
    match profile {
        Profile::Session => proptests::Profile::Session,
        Profile::Rolling => proptests::Profile::Rolling,
    }
}
