//! The columns of [`crate::features::Category::Consolidation`].

use super::past::{Past, Traded};
use super::range::Range;
use super::zones::Zones;
use crate::Profile;
use crate::features::bars::Points;
use crate::features::consolidation::{MEDIUM, SHORT, compression, near_an_end, position};
use crate::features::{Category, count};
use crate::lanes::ROWS;

#[derive(Clone)]
pub(super) enum Consolidation {
    Session(Next),
    Rolling,
}

type Short = Zones<{ SHORT.div_ceil(ROWS) }>;
type Medium = Zones<{ MEDIUM.div_ceil(ROWS) }>;

/// The zones of the windows that end at a row.
#[derive(Clone)]
pub(super) struct Next {
    short: Short,
    medium: Medium,
}

impl Consolidation {
    pub(super) fn new(profile: Profile) -> Self {
        match profile {
            Profile::Session => Self::Session(Next { short: Zones::new(SHORT), medium: Zones::new(MEDIUM) }),
            Profile::Rolling => Self::Rolling,
        }
    }

    /// From the ranges of both windows; without a [`Next`] there is nothing to take.
    #[inline(always)]
    pub(super) fn row(
        &self,
        past: &Past,
        now: &Traded,
        short: Range,
        medium: Range,
        points: Points,
    ) -> ([f64; count(Category::Consolidation)], Option<Next>) {
        let (retouches, next) = match self {
            Self::Session(before) => {
                let short = before.short.with(past, now, short.high, short.low);
                let medium = before.medium.with(past, now, medium.high, medium.low);
                ([short.count(), medium.count()].map(f64::from), Some(Next { short, medium }))
            }
            Self::Rolling => {
                let near = |window: usize, range: Range| {
                    if past.rows() + 1 < window { 0.0 } else { near_an_end(now.close, range.high, range.low) }
                };
                ([near(SHORT, short), near(MEDIUM, medium)], None)
            }
        };
        let columns = [
            points.of(f64::from(short.high), 1.0),
            points.of(f64::from(short.low), 1.0),
            points.of(f64::from(short.size()), 1.0),
            position(now.close, short.high, short.low),
            points.of(f64::from(medium.high), 1.0),
            points.of(f64::from(medium.low), 1.0),
            points.of(f64::from(medium.size()), 1.0),
            compression(short.size(), medium.size()),
            retouches[0],
            retouches[1],
        ];
        (columns, next)
    }

    #[inline(always)]
    pub(super) fn take(&mut self, next: Option<Next>) {
        if let Some(next) = next {
            *self = Self::Session(next);
        }
    }
}
