//! The index behind all contracts: one price path a month, second by second.
//!
//! Returns have a volatility that is the product of the day's regime, the time of day, a slow and a fast (GARCH)
//! component, and fat-tailed innovations. Activity follows volatility. The path is tied to a long-run level at the month's end, so that the
//! next month, made without this one, goes on where this one stops.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::{
    Plan,
    chance::{self, exp},
    shape::Shape,
};
use crate::Month;

/// Volatility of a second of the session on a normal day in ticks, before the shape of the day.
const TICKS_PER_SECOND: f64 = 0.80;
/// Volatility and activity of a calm, a normal and a violent day.
const REGIMES: [(f64, f64); 3] = [(0.80, 0.88), (1.0, 1.0), (1.55, 1.35)];
/// Probability that a day has the regime of the day before.
const REGIME_STAYS: f64 = 0.72;
/// Time over which the path returns to the long-run level at the month's end, seconds.
const TIE: f64 = 3_600.0;
/// Decay of the slow volatility component (15 minutes), the step that gives it a spread of 0.35, and the same of the
/// activity's own component (45 s, 0.45).
const SLOW: (f64, f64) = (1.0 - 1.0 / 900.0, 0.0165);
const BUSY: (f64, f64) = (1.0 - 1.0 / 45.0, 0.095);
/// GARCH(1,1) of the normalised variance.
const GARCH: (f64, f64, f64) = (0.02, 0.04, 0.94);
/// Limits of the normalised variance, and of a second's volatility relative to [`TICKS_PER_SECOND`]: no runaway.
const LIMITS: (f64, f64) = (9.0, 5.0);
/// First month with data, and the long-run noise of a month and of a two-year cycle.
const EPOCH: (i32, f64, f64) = (2010 * 12 + 5, 0.015, 0.06);

/// What the index does in one second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Second {
    /// Price at its start, ticks.
    pub start: f64,
    /// Price at its end, ticks.
    pub end: f64,
    /// Volatility, ticks.
    pub sigma: f64,
    /// Bursts of trading in the whole market.
    pub rate: f64,
    /// Average number of contracts in a burst.
    pub size: f64,
}

/// The index.
#[derive(Debug)]
pub(super) struct Market {
    shape: Shape,
    rng: ChaCha8Rng,
    price: f64,
    target: f64,
    /// Seconds of trading left in the month.
    left: f64,
    scale: f64,
    night: f64,
    regime: usize,
    garch: f64,
    slow: f64,
    busy: f64,
    /// Local second of the day and strength of the day's announcements.
    news: Vec<(i64, f64)>,
}

impl Market {
    /// The index at the start of a month with so many seconds of trading.
    pub fn new(plan: &Plan, month: Month, seconds: i64) -> Self {
        let mut rng = chance::stream(plan.seed, month.index(), chance::Stream::Market);
        let price = level(plan, month.index());
        let mood: f64 = rng.sample(StandardNormal);
        // Volatility in ticks grows much more slowly than the price does.
        let growth = (price / 27_000.0).max(1e-3).sqrt().sqrt().sqrt();
        let years = f64::from(month.index() - EPOCH.0) / 12.0;
        let mut market = Self {
            shape: Shape::new(),
            price,
            target: level(plan, month.index() + 1),
            left: seconds as f64,
            scale: TICKS_PER_SECOND * plan.volatility * growth * exp(0.07 * mood),
            night: (0.55 + 0.03 * years).clamp(0.55, 1.05),
            regime: 1,
            garch: 1.0,
            slow: 0.0,
            busy: 0.0,
            news: Vec::new(),
            rng,
        };
        market.change_regime(0.0);
        market
    }

    /// Starts a trade date after the exchange was closed for `closed` seconds.
    pub fn open_day(&mut self, closed: i64) {
        self.change_regime(REGIME_STAYS);
        let jump: f64 = self.rng.sample(StandardNormal);
        self.price += jump * 2.0 * self.scale * (closed as f64 / 3600.0).sqrt();
        // Figures at 07:30 and 09:00, now and then a central bank at 13:00.
        self.news.clear();
        for (at, probability, strength) in [(27_000, 0.5, 1.0), (32_400, 0.35, 0.7), (46_800, 0.05, 1.6)] {
            if self.rng.random::<f64>() < probability {
                self.news.push((at, strength));
            }
        }
    }

    /// The price now, ticks.
    pub fn price(&self) -> f64 {
        self.price
    }

    /// Keeps the regime with a probability, otherwise draws one: calm 3, normal 5, violent 2 of 10.
    fn change_regime(&mut self, stays: f64) {
        let (keep, draw): (f64, f64) = (self.rng.random(), self.rng.random());
        if keep >= stays {
            self.regime = usize::from(draw > 0.3) + usize::from(draw > 0.8);
        }
    }

    /// The next second of trading, at a local time.
    pub fn second(&mut self, local: i64) -> Second {
        let moment = self.shape.at(local);
        let start = self.price;
        let time = local.rem_euclid(86_400);
        let mut jump = 0.0;
        if let Some(&(_, strength)) = self.news.iter().find(|(at, _)| *at == time) {
            self.garch += 5.0 * strength;
            self.slow += 0.5 * strength;
            jump = 4.0 * strength * self.scale * self.rng.sample::<f64, _>(StandardNormal);
        }
        let z = innovation(&mut self.rng);
        let (volatility, activity) = REGIMES[self.regime];
        let level = exp(self.slow);
        let sigma = self.scale * volatility * moment.volatility * level * self.garch.sqrt();
        let sigma = sigma.min(LIMITS.1 * self.scale);
        self.garch = (GARCH.0 + (GARCH.1 * z * z + GARCH.2) * self.garch).min(LIMITS.0);
        self.slow = self.slow * SLOW.0 + SLOW.1 * self.rng.sample::<f64, _>(StandardNormal);
        self.busy = self.busy * BUSY.0 + BUSY.1 * self.rng.sample::<f64, _>(StandardNormal);
        let tie = (self.target - start) / (self.left + TIE);
        self.left = (self.left - 1.0).max(0.0);
        self.price = (start + sigma * z + jump + tie).max(100.0);
        let night = if (27_000..54_000).contains(&time) { 1.0 } else { self.night };
        let rate = moment.rate * activity * night * (0.4 + 0.6 * level * self.garch.sqrt()).min(4.0) * exp(self.busy);
        Second { start, end: self.price, sigma, rate, size: moment.size }
    }
}

/// A standardised innovation with fat tails: a normal whose scale is now and then 2.5 or 6 times the usual one.
fn innovation(rng: &mut impl Rng) -> f64 {
    let z: f64 = rng.sample(StandardNormal);
    let u: f64 = rng.random();
    let scale = if u < 0.001 {
        6.0
    } else if u < 0.031 {
        2.5
    } else {
        1.0
    };
    z * scale / 1.0918 // the root of 0.969 + 0.03 * 2.5² + 0.001 * 6²
}

/// The long-run level at the start of a month in ticks: growth, a slow cycle and noise by the month's number only.
fn level(plan: &Plan, index: i32) -> f64 {
    let normal = |index: i32, stream| -> f64 { chance::stream(plan.seed, index, stream).sample(StandardNormal) };
    let (cycle, within) = (index.div_euclid(24), f64::from(index.rem_euclid(24)) / 24.0);
    let slow =
        normal(cycle, chance::Stream::Cycle) * (1.0 - within) + normal(cycle + 1, chance::Stream::Cycle) * within;
    let years = f64::from(index - EPOCH.0) / 12.0;
    let noise = EPOCH.1 * normal(index, chance::Stream::Level) + EPOCH.2 * slow;
    (plan.first_level * exp(plan.yearly_growth * years) * exp(noise)).max(200.0)
}
