//! The columns of [`crate::features::Category::PriceContext`].

use super::past::{Past, Traded};
use super::range::Range;
use super::ring::Ring;
use super::sums::Sums;
use crate::Profile;
use crate::features::bars::Points;
use crate::features::price_context::{VWAP, distance, quotient, vwap, wide_step};
use crate::features::{Carry, Category, count};
use crate::window::slope::{STEPS_30, take_of_steps_30};

#[derive(Clone)]
pub(super) struct PriceContext {
    since: Since,
    /// The terms of the vwap of the row before.
    quotient: (i64, i64),
    steps: Ring<f64, 32>,
}

/// What the vwap is over.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // there is one, in the stream's own box
enum Since {
    /// The session so far, which also has the running high and low.
    Session(Carry),
    /// The last rows.
    Rolling { turnover: Sums<i64, 512>, volume: Sums<i64, 512> },
}

pub(super) struct Next {
    quotient: (i64, i64),
    step: f64,
}

impl PriceContext {
    /// `carry` is of the rows before the first one taken.
    pub(super) fn new(profile: Profile, carry: Carry) -> Self {
        let since = match profile {
            Profile::Session => Since::Session(carry),
            Profile::Rolling => Since::Rolling { turnover: Sums::new(), volume: Sums::new() },
        };
        Self { since, quotient: (0, 0), steps: Ring::new() }
    }

    /// What the session so far amounts to, in profile `session`.
    pub(super) fn carry(&self) -> Option<&Carry> {
        match &self.since {
            Since::Session(carry) => Some(carry),
            Since::Rolling { .. } => None,
        }
    }

    /// `running` is the range of the longest window.
    #[inline(always)]
    pub(super) fn row(
        &self,
        past: &Past,
        now: &Traded,
        running: Range,
        points: Points,
    ) -> ([f64; count(Category::PriceContext)], Next) {
        let &Traded { high, low, close, volume } = now;
        let (quotient, running) = match &self.since {
            Since::Session(carry) => {
                let carry = carry.after(high, low, close, volume);
                (quotient(close, carry.turnover, carry.volume), Range { high: carry.high, low: carry.low })
            }
            Since::Rolling { .. } if past.rows() + 1 < VWAP => ((i64::from(close), 1), running),
            Since::Rolling { turnover, volume: volumes } => {
                let sums = (turnover.over(VWAP, traded(now)), volumes.over(VWAP, i64::from(volume)));
                (quotient(close, sums.0, sums.1), running)
            }
        };
        let step = wide_step(self.quotient, quotient);
        let mut steps = [step; STEPS_30];
        steps[..STEPS_30 - 1].copy_from_slice(&self.steps.last::<{ STEPS_30 - 1 }>());
        let mut slope = [0.0];
        take_of_steps_30(&steps, &mut slope);
        let columns = [
            vwap(points, quotient),
            distance(close, quotient),
            points.of(slope[0], 1.0),
            points.of(f64::from(close - running.high), 1.0),
            points.of(f64::from(close - running.low), 1.0),
        ];
        (columns, Next { quotient, step })
    }

    #[inline(always)]
    pub(super) fn take(&mut self, now: &Traded, next: &Next) {
        match &mut self.since {
            Since::Session(carry) => *carry = carry.after(now.high, now.low, now.close, now.volume),
            Since::Rolling { turnover, volume } => {
                turnover.push(traded(now));
                volume.push(i64::from(now.volume));
            }
        }
        self.quotient = next.quotient;
        self.steps.push(next.step);
    }
}

/// Close times volume.
#[inline(always)]
fn traded(now: &Traded) -> i64 {
    i64::from(now.close) * i64::from(now.volume)
}
