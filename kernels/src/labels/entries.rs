//! The entries of a series, a block of rows at a time: how long each may be open, its ATR, the barriers it reaches.

use std::ops::Range;

use super::Entry;
use super::block::{Block, Decide, Scratch};
use super::gaps::{self, Ahead};
use super::plan::Plan;
use super::six::touch::Span;
use crate::level::kernel;
use crate::window::true_range::true_range;
use crate::{Profile, Series};

/// Rows between two fresh starts of the table: local row numbers fit its 16-bit cells, and what is known of them the second
/// cache.
pub(super) const BLOCK: usize = 4096;

/// True ranges of an ATR.
const ATR: usize = 300;

#[derive(Clone, Debug)]
pub(super) struct Entries {
    horizon: usize,
    entry: Entry,
    gap_ticks: i32,
    deadlines: Vec<i16>,
    atr: Vec<i32>,
    scratch: Scratch,
}

impl Entries {
    /// Scratch space for blocks of at most [`BLOCK`] rows, or of `rows`.
    pub(super) fn new(
        plan: &Plan,
        horizon: usize,
        entry: Entry,
        (profile, gap_ticks): (Profile, i32),
        rows: usize,
    ) -> Self {
        let block = rows.min(BLOCK);
        Self {
            horizon,
            entry,
            gap_ticks: gaps::limit(profile, gap_ticks),
            deadlines: vec![0; block],
            atr: vec![0; if plan.needs_atr() { block } else { 0 }],
            scratch: Scratch::new(plan, block + horizon, horizon),
        }
    }

    /// Gives the entries of a block of signal rows to `decide`.
    pub(super) fn run(&mut self, plan: &Plan, series: &Series<'_>, rows: Range<usize>, decide: &mut impl Decide) {
        if rows.is_empty() {
            return;
        }
        let ahead = Ahead::new(series, rows.clone(), self.horizon, self.gap_ticks);
        self.set_deadlines(series, rows.clone(), &ahead);
        if plan.needs_atr() {
            self.set_atr(series, rows.clone());
        }
        let block = Block {
            entry: self.entry,
            plan,
            ahead: &ahead,
            span: Span::of(&ahead),
            deadlines: &self.deadlines[..rows.len()],
            atr: &self.atr,
            scratch: &mut self.scratch,
        };
        run(block, decide);
    }

    /// How many rows each trade may look at: as many as the horizon has, the series and those before a gap.
    fn set_deadlines(&mut self, series: &Series<'_>, rows: Range<usize>, ahead: &Ahead<'_>) {
        let known = ahead.open.len();
        let deadlines = &mut self.deadlines[..rows.len()];
        for (signal, deadline) in deadlines.iter_mut().enumerate() {
            *deadline = (known - signal - 1).min(self.horizon) as i16;
        }
        if self.gap_ticks == i32::MAX {
            return;
        }
        let mut gap = usize::MAX;
        for entry in (1..known).rev() {
            if ahead.ends_at(entry) {
                gap = entry;
            }
            if let Some(deadline) = deadlines.get_mut(entry - 1) {
                *deadline = (gap - entry).min(*deadline as usize) as i16;
            }
        }
        gaps::affected(series.close(), rows, self.gap_ticks, |affected| deadlines[affected].fill(0));
    }

    /// The sums of the last 300 true ranges; -1 where there are not as many.
    fn set_atr(&mut self, series: &Series<'_>, rows: Range<usize>) {
        let (high, low, close) = (series.high(), series.low(), series.close());
        // A first row has no close before it.
        let of = |row: usize| match row.checked_sub(1) {
            Some(before) => true_range(high[row], low[row], close[before]),
            None => high[row] - low[row],
        };
        let first = rows.start.max(ATR - 1).min(rows.end);
        self.atr[..first - rows.start].fill(-1);
        let mut sum = ((first + 1).saturating_sub(ATR)..first).map(of).sum::<i32>();
        for (row, out) in (first..rows.end).zip(&mut self.atr[first - rows.start..]) {
            sum += of(row);
            *out = sum;
            sum -= of(row + 1 - ATR);
        }
    }
}

kernel!(fn run['a, D: Decide]['a, D](block: Block<'a>, decide: &'a mut D) {
    block.run(decide);
});
