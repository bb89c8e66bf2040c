//! What the barriers that entries reach make of each mode: its trades.
//!
//! Prices are those of a side: negated for a short trade, so that more is better.

use super::block::{Decide, PART, Part};
use super::plan::{Plan, Traded};
use super::trades::{Exit, Figures, Mae, Trades};
use super::{Direction, Specification, Tie};

/// The trades of a block.
pub(super) struct Deciding<'a> {
    pub(super) specification: &'a Specification,
    pub(super) plan: &'a Plan,
    pub(super) figures: Figures,
    pub(super) out: &'a mut [Trades],
    /// Where the block is in `out`, and its rows.
    pub(super) at: usize,
    pub(super) rows: usize,
}

impl Decide for Deciding<'_> {
    #[inline(always)]
    fn part(&mut self, part: &Part<'_>) {
        for mode in 0..self.plan.modes.len() {
            self.mode(mode, part);
        }
    }

    fn no_entry(&mut self, from: usize) {
        self.out.iter_mut().for_each(|trades| trades.none(self.at + from..self.at + self.rows));
    }
}

impl Deciding<'_> {
    #[inline(always)]
    fn mode(&mut self, mode: usize, part: &Part<'_>) {
        let Traded { direction, stop, target, needs_atr } = self.plan.modes[mode];
        let (ahead, scratch, lanes) = (part.ahead, part.scratch, part.lanes());
        let (horizon, trades) = (self.specification.horizon() as i16, &mut self.out[mode]);
        let rows = self.at + part.start..self.at + part.start + lanes;
        let (targets, stops) = (&scratch.reached[target][..lanes], &scratch.reached[stop][..lanes]);
        // With this much added to it, a stop on the target's row comes after it.
        let later = i16::from(self.specification.tie() == Tie::Target);
        let mut deadlines = [0; PART];
        let deadlines = &mut deadlines[..lanes];
        deadlines.copy_from_slice(part.deadlines);
        if needs_atr {
            for (deadline, &sum) in deadlines.iter_mut().zip(part.atr) {
                *deadline = if sum < 0 { 0 } else { *deadline };
            }
        }
        let (exits, held) = (&mut trades.exit[rows.clone()], &mut trades.held[rows.clone()]);
        for lane in 0..lanes {
            let (target, stop, deadline) = (targets[lane], stops[lane], deadlines[lane]);
            let first = target < stop + later;
            let undecided = if deadline == horizon { Exit::Horizon } else { Exit::End } as i8;
            let undecided = if deadline == 0 { Exit::None as i8 } else { undecided };
            let exit = if first { Exit::Target } else { Exit::Stop } as i8;
            let at = if first { target } else { stop };
            exits[lane] = if at < deadline { exit } else { undecided };
            held[lane] = (at + 1).min(deadline) as u16;
        }
        let Figures { stop: with_stop, mae, mfe, moved } = self.figures;
        let at_target = &scratch.distances[self.plan.barriers[target].distance][..lanes];
        let distances = &scratch.distances[self.plan.barriers[stop].distance][..lanes];
        if with_stop {
            trades.stop[rows.clone()].copy_from_slice(distances);
        }
        let (sign, better, worse) = match direction {
            Direction::Long => (1, &scratch.highs, &scratch.lows),
            Direction::Short => (-1, &scratch.lows, &scratch.highs),
        };
        let held = &trades.held[rows.clone()];
        // The first row of each lane, and the entry of the side.
        let first = part.start + 1;
        if mae == Mae::Wins {
            // A list of the wins first: which rows they are, no processor foresees.
            let (mut wins, mut count) = ([0_u8; PART], 0);
            for (lane, &exit) in trades.exit[rows.clone()].iter().enumerate() {
                wins[count % PART] = lane as u8;
                count += usize::from(exit == Exit::Target as i8);
            }
            let (out, entry) = (&mut trades.mae[rows.clone()], |lane| sign * part.entry(first + lane));
            for lane in wins[..count].iter().map(|&lane| usize::from(lane)) {
                out[lane] = (worse.max(first + lane, usize::from(held[lane])) + entry(lane)).max(0);
            }
        }
        if mae == Mae::All {
            for (lane, (out, &held)) in trades.mae[rows.clone()].iter_mut().zip(held).enumerate() {
                let worst = worse.max(first + lane, usize::from(held.max(1))) + sign * part.entry(first + lane);
                *out = if held > 0 { worst.max(0) } else { 0 };
            }
        }
        if mfe {
            for (lane, (out, &held)) in trades.mfe[rows.clone()].iter_mut().zip(held).enumerate() {
                let best = better.max(first + lane, usize::from(held.max(1))) - sign * part.entry(first + lane);
                *out = if held > 0 { best.max(0) } else { 0 };
            }
        }
        if moved {
            let trailed = self.plan.barriers[stop].trailing.map(|place| &scratch.stopped[place][..lanes]);
            let exits = &trades.exit[rows.clone()];
            for (lane, (out, (&held, &exit))) in trades.moved[rows].iter_mut().zip(held.iter().zip(exits)).enumerate() {
                let (row, held) = (first + lane, usize::from(held));
                let decided = row + held.max(1) - 1;
                let entry = part.entry(row);
                let (open, close) = (sign * (ahead.open[decided] - entry), sign * (ahead.close[decided] - entry));
                let stop = trailed.map_or(-distances[lane], |trailed| trailed[lane]);
                // A row that opens beyond the barrier counts at its open.
                let undecided = if held > 0 { close } else { 0 };
                let stopped = if exit == Exit::Stop as i8 { open.min(stop) } else { undecided };
                *out = if exit == Exit::Target as i8 { open.max(at_target[lane]) } else { stopped };
            }
        }
    }
}
