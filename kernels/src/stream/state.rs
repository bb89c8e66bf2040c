//! Everything a stream knows of the rows so far.

use super::consolidation::{self, Consolidation};
use super::microstructure::{self, Microstructure};
use super::past::{Past, Traded};
use super::price_context::{self, PriceContext};
use super::range::{self, Ranges};
use super::returns::{self, Returns};
use super::volatility::{self, Volatility};
use super::volume::{self, Volume};
use crate::Profile;
use crate::features::bars::Points;
use crate::features::{Carry, Category, FLOATS};

/// All of it is integers, and floats that follow from two rows or three, so that it does not matter when one starts.
#[derive(Clone)]
pub(super) struct State {
    past: Past,
    ranges: Ranges,
    volume: Volume,
    price_context: PriceContext,
    consolidation: Consolidation,
    returns: Returns,
    volatility: Volatility,
    microstructure: Microstructure,
}

/// What a row adds.
pub(super) struct Next {
    ranges: range::Next,
    volume: volume::Next,
    price_context: price_context::Next,
    consolidation: Option<consolidation::Next>,
    returns: returns::Next,
    volatility: volatility::Next,
    microstructure: microstructure::Next,
}

impl State {
    /// `carry` is of the rows before the first one that will be taken.
    pub(super) fn new(profile: Profile, carry: Carry) -> Self {
        Self {
            past: Past::new(),
            ranges: Ranges::new(),
            volume: Volume::new(),
            price_context: PriceContext::new(profile, carry),
            consolidation: Consolidation::new(profile),
            returns: Returns::new(),
            volatility: Volatility::new(),
            microstructure: Microstructure::new(),
        }
    }

    pub(super) fn past(&self) -> &Past {
        &self.past
    }

    /// What the session so far amounts to, in profile `session`.
    pub(super) fn carry(&self) -> Option<&Carry> {
        self.price_context.carry()
    }

    /// The float columns of the row that is forming, of which those without a full window are any number; and what is to be
    /// taken when it has formed.
    #[inline(always)]
    pub(super) fn row(&self, now: &Traded, points: Points) -> ([f64; FLOATS], Next) {
        let past = &self.past;
        let ([short, medium, running], ranges) = self.ranges.row(past, now);
        let (of_volume, volume) = self.volume.row(past, now);
        let (of_price_context, price_context) = self.price_context.row(past, now, running, points);
        let (of_consolidation, consolidation) = self.consolidation.row(past, now, short, medium, points);
        let (of_returns, returns) = self.returns.row(past, now);
        let (of_volatility, volatility) = self.volatility.row(past, now, points);
        let (of_microstructure, microstructure) = self.microstructure.row(past, now, volatility.a30, points);

        let mut columns = [0.0; FLOATS];
        let mut fill = |first: usize, values: &[f64]| columns[first..][..values.len()].copy_from_slice(values);
        fill(const { Category::Volume.columns().start }, &of_volume);
        fill(const { Category::PriceContext.columns().start }, &of_price_context);
        fill(const { Category::Consolidation.columns().start }, &of_consolidation);
        fill(const { Category::Returns.columns().start }, &of_returns);
        fill(const { Category::Volatility.columns().start }, &of_volatility);
        fill(const { Category::Microstructure.columns().start }, &of_microstructure);
        (columns, Next { ranges, volume, price_context, consolidation, returns, volatility, microstructure })
    }

    /// The row has formed: `next` is what [`Self::row`] said of it.
    #[inline(always)]
    pub(super) fn take(&mut self, now: &Traded, next: Next) {
        self.ranges.take(&self.past, now, &next.ranges);
        self.volume.take(&next.volume);
        self.price_context.take(now, &next.price_context);
        self.consolidation.take(next.consolidation);
        self.returns.take(&next.returns);
        self.volatility.take(&self.past, &next.volatility);
        self.microstructure.take(&next.microstructure);
        self.past.take(now);
    }
}
