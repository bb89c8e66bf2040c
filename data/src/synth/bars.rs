//! From the index to the records of the contracts: who trades in a second, at which prices, how much.

use dbn::{OhlcvMsg, RecordHeader, rtype};
use rand::{Rng, RngExt};
use rand_distr::{Exp1, StandardNormal};

use super::{
    Plan, SynthError,
    calendar::{TradeDay, unix},
    chance::{self, exp},
    contracts::{Kind, Listing},
    market::{Market, Second},
};
use crate::Month;

/// GLBX.MDP3 on Globex.
const PUBLISHER: u16 = 1;
/// Calendar spreads trade in steps of a fifth of the outrights' tick.
const SPREAD_STEPS: i64 = 5;
/// Largest volume of a second, relative to the average burst of its time of day.
const LARGEST: f64 = 400.0;
/// Time of day at which an expiring contract stops, seconds.
const LAST_TRADE: i64 = 8 * 3600 + 30 * 60;

/// One instrument on one trade date.
struct Book {
    id: u32,
    spread: bool,
    share: f64,
    basis: f64,
    /// No trading from this second on.
    until: i64,
    /// Where in the spread the last trade was: 0 bid, 1 ask.
    side: f64,
    /// Price of one step, units of 1e-9.
    step: i64,
}

/// All records of the month in the order of time, then instrument id. Nothing trades within the `halts` (first second, second after the last).
pub(super) fn records(
    plan: &Plan,
    month: Month,
    days: &[TradeDay],
    listing: &Listing,
    halts: &[(i64, i64)],
) -> Result<Vec<OhlcvMsg>, SynthError> {
    let zone = plan.instrument.zone()?;
    let mut rng = chance::stream(plan.seed, month.index(), chance::Stream::Bars);
    let mut market = Market::new(plan, month, days.iter().map(|day| day.close - day.open).sum());
    let mut records = Vec::with_capacity(1 << 20);
    let mut closed_at = days.first().map_or(0, |day| day.open);
    for day in days {
        market.open_day(day.open - closed_at);
        closed_at = day.close;
        let level = market.price();
        let mut books = Vec::with_capacity(listing.contracts.len());
        for contract in &listing.contracts {
            let spread = matches!(contract.kind, Kind::Spread(_));
            let fine = spread && plan.instrument.tick_nanos % SPREAD_STEPS == 0;
            books.push(Book {
                id: contract.id,
                spread,
                share: listing.share(contract.kind, day.date) * listing.busier(day.date),
                basis: listing.basis(contract.kind, day.date, level) * if fine { SPREAD_STEPS as f64 } else { 1.0 },
                until: unix(contract.expiry, LAST_TRADE, &zone)?,
                side: 0.5,
                step: plan.instrument.tick_nanos / if fine { SPREAD_STEPS } else { 1 },
            });
        }
        books.sort_by_key(|book| book.id);
        for time in day.open..day.close {
            let second = market.second(time + day.offset);
            let halted = halts.iter().any(|(from, to)| (*from..*to).contains(&time));
            if !halted {
                records.extend(books.iter_mut().filter_map(|book| book.bar(time, &second, &mut rng)));
            }
        }
    }
    Ok(records)
}

impl Book {
    /// What trades here in this second, if anything.
    fn bar(&mut self, time: i64, second: &Second, rng: &mut impl Rng) -> Option<OhlcvMsg> {
        let rate = second.rate * self.share;
        let traded = 1.0 - exp(-rate);
        if rng.random::<f64>() >= traded || time >= self.until {
            return None;
        }
        // The number of bursts, given that there is one.
        let bursts = 1.0 + (rng.sample::<f64, _>(Exp1) * (rate / traded - 1.0)).round();
        let [open, high, low, close] =
            if self.spread { self.spread_prices(rng) } else { self.prices(second, bursts, rng) };
        let heat = 0.7 + 0.3 * ((second.end - second.start) / second.sigma).abs().min(4.0);
        let spread_out = exp(0.8 * rng.sample::<f64, _>(StandardNormal) - 0.32);
        let volume = 1.0 + (bursts * (second.size - 1.0) * heat * spread_out).min(LARGEST * second.size).floor();
        Some(OhlcvMsg {
            hd: RecordHeader::new::<OhlcvMsg>(rtype::OHLCV_1S, PUBLISHER, self.id, time as u64 * 1_000_000_000),
            open: open * self.step,
            high: high * self.step,
            low: low * self.step,
            close: close * self.step,
            volume: volume as u64,
        })
    }

    /// Open, high, low, close in steps. Trades are at the bid or the ask around the index's price, never in between.
    fn prices(&mut self, second: &Second, bursts: f64, rng: &mut impl Rng) -> [i64; 4] {
        let (from, way) = (second.start + self.basis, second.end - second.start);
        // The first and the last trade lie within the second; a single one is first and last.
        let inset = if bursts < 1.5 { rng.random::<f64>() } else { 1.0 / (bursts + 1.0) };
        let first = from + way * inset;
        let open = self.trade(first, rng);
        if bursts < 1.5 {
            return [open; 4];
        }
        let last = from + way * (1.0 - inset);
        let close = self.trade(last, rng);
        // Extremes of a Brownian bridge between them.
        let spread = 2.0 * second.sigma * second.sigma * (bursts - 1.0) / (bursts + 1.0);
        let mut reach = || {
            let e: f64 = rng.sample(Exp1);
            ((last - first) * (last - first) + spread * e).sqrt()
        };
        let (up, down) = (reach(), reach());
        let highest = (0.5 * (first + last + up) + 1.0 - rng.random::<f64>() / bursts).floor() as i64;
        let lowest = (0.5 * (first + last - down) + rng.random::<f64>() / bursts).floor() as i64;
        [open, open.max(close).max(highest), open.min(close).min(lowest), close]
    }

    /// The same for a calendar spread, which hardly moves.
    fn spread_prices(&mut self, rng: &mut impl Rng) -> [i64; 4] {
        let (open, close) = (self.trade(self.basis, rng), self.trade(self.basis, rng));
        [open, open.max(close), open.min(close), close]
    }

    /// A trade at the bid below or the ask above a price; the next one is as often as not on the same side.
    fn trade(&mut self, price: f64, rng: &mut impl Rng) -> i64 {
        if rng.random::<bool>() {
            self.side = rng.random();
        }
        (price + self.side).floor() as i64
    }
}
