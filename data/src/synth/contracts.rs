//! The contracts in a month's file: three outrights of the root's cycle and the two calendar spreads between them.

use jiff::civil::Date;
use rand::RngExt;

use super::{Plan, SynthError, calendar::weekdays_between, chance, cycle::Cycle};
use crate::Month;

/// Share of the next contract in the session volume, from five weekdays before the roll to four after.
const NEXT_SHARE: [f64; 10] = [0.01, 0.02, 0.05, 0.11, 0.25, 0.74, 0.87, 0.93, 0.96, 0.98];
/// Share of the next contract long before the roll.
const NEXT_SHARE_QUIET: f64 = 0.003;
/// Share of the contract after the next.
const FAR_SHARE: f64 = 0.0004;

/// What a record's instrument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Index in the order of expiry: 0 is the first to expire.
    Outright(usize),
    /// The calendar spread between this outright and the following one.
    Spread(usize),
}

/// One instrument of a month.
#[derive(Clone, Debug)]
pub(super) struct Contract {
    pub kind: Kind,
    /// Raw symbol, `ESZ5` or `ESZ5-ESH6`.
    pub symbol: String,
    /// Instrument id in this month's file.
    pub id: u32,
    /// Last day of trading (of the first leg).
    pub expiry: Date,
}

/// The instruments of a month.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    /// Outrights in the order of expiry, then spreads.
    pub contracts: Vec<Contract>,
    /// First date on which the second outright has most of the volume.
    pub roll: Date,
    /// Cost of carry: by how much a contract is above the next earlier one.
    pub carry_per_quarter: f64,
}

impl Listing {
    /// The instruments of `month`.
    pub fn new(plan: &Plan, month: Month) -> Result<Self, SynthError> {
        let root = &plan.instrument.root;
        let cycle = Cycle::of(root);
        let beyond = || SynthError::Month(month);
        let (mut legs, mut roll) = (Vec::new(), None);
        let mut at = month;
        while legs.len() < 3 {
            let expiry = cycle.last(at).ok_or_else(beyond)?;
            if let Some(code) = cycle.code(at).filter(|_| expiry >= month.first_day()) {
                legs.push((format!("{root}{code}{}", at.year() % 10), expiry));
                roll = roll.or(cycle.roll(at));
            }
            at = at.next().ok_or_else(beyond)?;
        }
        let mut rng = chance::stream(plan.seed, month.index(), chance::Stream::Contracts);
        let base: u32 = rng.random_range(1_000..400_000);
        let mut order: Vec<u32> = (0..5).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, rng.random_range(0..=i));
        }
        let id = |k: usize| base + 3 * order[k];
        let outright = |(k, (symbol, expiry)): (usize, &(String, Date))| Contract {
            kind: Kind::Outright(k),
            symbol: symbol.clone(),
            id: id(k),
            expiry: *expiry,
        };
        let mut contracts: Vec<Contract> = legs.iter().enumerate().map(outright).collect();
        for (k, pair) in legs.windows(2).enumerate() {
            let symbol = format!("{}-{}", pair[0].0, pair[1].0);
            contracts.push(Contract { kind: Kind::Spread(k), symbol, id: id(3 + k), expiry: pair[0].1 });
        }
        let roll = roll.ok_or_else(beyond)?;
        // A slow triangle wave between 0.3 and 0.8 %: the same contract has nearly the same carry in two files.
        let phase = f64::from(month.index() % 96) / 96.0;
        let carry_per_quarter = 0.003 + 0.005 * (2.0 * phase - 1.0).abs();
        Ok(Self { contracts, roll, carry_per_quarter })
    }

    /// Index of the outright meant to be front on a date.
    pub fn front(&self, date: Date) -> usize {
        usize::from(date >= self.roll)
    }

    /// Share of the activity of a trade date that goes to an instrument; 1 is the whole market.
    pub fn share(&self, kind: Kind, date: Date) -> f64 {
        let from_roll = weekdays_between(self.roll, date) + 5;
        let next = match usize::try_from(from_roll) {
            Err(_) => NEXT_SHARE_QUIET,
            Ok(day) => NEXT_SHARE[day.min(NEXT_SHARE.len() - 1)],
        };
        match kind {
            Kind::Outright(0) => 1.0 - next - FAR_SHARE,
            Kind::Outright(1) => next,
            Kind::Outright(_) => FAR_SHARE * if from_roll > 9 { 4.0 } else { 1.0 },
            // Traded where both legs are: most around the roll.
            Kind::Spread(0) => 0.001 + 0.12 * next * (1.0 - next),
            Kind::Spread(_) => 0.0003,
        }
    }

    /// How much busier the whole market is on a date: the roll is traded twice.
    pub fn busier(&self, date: Date) -> f64 {
        if weekdays_between(self.roll, date).abs() <= 2 { 1.3 } else { 1.0 }
    }

    /// Price of an instrument minus the index, in ticks, at an index `level`; for a spread, the near leg minus the far one.
    pub fn basis(&self, kind: Kind, date: Date, level: f64) -> f64 {
        let of = |k: usize| {
            let days = self.contracts[k].expiry.duration_since(date).as_hours() as f64 / 24.0;
            level * self.carry_per_quarter * days / 91.0
        };
        match kind {
            Kind::Outright(k) => of(k),
            Kind::Spread(k) => of(k) - of(k + 1),
        }
    }
}
