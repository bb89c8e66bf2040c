//! What every pair of a stop and a target comes to: the figures that distances are chosen by.
//!
//! As many reads as there are stops and targets serve all pairs. What does not depend on the pair is found once: how far beyond
//! a barrier a row opens, and the move of a trade that nothing decides.

use std::ops::Range;

use super::block::{Decide, PART, Part};
use super::entries::{BLOCK, Entries};
use super::plan::Plan;
use super::{Direction, Distance, Entry, Mode, Specification, Tie};
use crate::{Error, Profile, Series};

/// The trades of one side at every pair of some stops and targets, in ticks.
#[derive(Clone, Debug)]
pub struct Study {
    direction: Direction,
    tie: Tie,
    plan: Plan,
    entries: Entries,
    pairs: Vec<Pair>,
    /// Ticks of each row beyond the barrier at which its deciding row opens, by barrier.
    beyond: Vec<[i32; PART]>,
}

/// What one stop and one target come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Ticks.
    pub stop: u16,
    /// Ticks.
    pub target: u16,
    /// Rows with a trade.
    pub trades: u64,
    /// Trades that reach the target first.
    pub wins: u64,
    /// Trades that reach neither.
    pub undecided: u64,
    /// Sum of the ticks from entry to exit, in the trade's direction.
    pub moved: i64,
    /// Trades by the rows from the entry's to the deciding one.
    rows: Vec<u32>,
}

impl Pair {
    /// Share of the trades that win; `None` without trades.
    #[must_use]
    pub fn win_rate(&self) -> Option<f64> {
        self.share(self.wins as f64)
    }

    /// Share of the trades that nothing decides.
    #[must_use]
    pub fn undecided_share(&self) -> Option<f64> {
        self.share(self.undecided as f64)
    }

    /// Mean ticks from entry to exit.
    #[must_use]
    pub fn expected_move(&self) -> Option<f64> {
        self.share(self.moved as f64)
    }

    /// Median of the rows from the entry's to the deciding one (nearest rank): seconds, where no night lies between.
    #[must_use]
    pub fn median_rows(&self) -> Option<u64> {
        let mut left = self.trades.div_ceil(2);
        for (rows, &count) in (0..).zip(&self.rows) {
            left = left.saturating_sub(count.into());
            if left == 0 && self.trades > 0 {
                return Some(rows);
            }
        }
        None
    }

    fn share(&self, of: f64) -> Option<f64> {
        (self.trades > 0).then(|| of / self.trades as f64)
    }

    /// Adds what the same pair came to elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.trades += other.trades;
        self.wins += other.wins;
        self.undecided += other.undecided;
        self.moved += other.moved;
        self.rows.iter_mut().zip(&other.rows).for_each(|(rows, more)| *rows += more);
    }
}

impl Study {
    /// Horizon, entry and tie are those of `specification`; its modes do not matter.
    #[must_use]
    pub fn new(
        specification: &Specification,
        direction: Direction,
        (stops, targets): (&[u16], &[u16]),
        (profile, gap_ticks): (Profile, i32),
    ) -> Self {
        let pairs = stops.iter().flat_map(|&stop| targets.iter().map(move |&target| (stop, target)));
        let pairs: Vec<(u16, u16)> = pairs.collect();
        let mode = |&(stop, target): &(u16, u16)| Mode {
            name: "".into(),
            direction,
            stop: Distance::Ticks(stop),
            target: Distance::Ticks(target),
            trailing: false,
        };
        let plan = Plan::new(&pairs.iter().map(mode).collect::<Vec<_>>());
        let (horizon, entry): (usize, Entry) = (specification.horizon(), specification.entry());
        let empty =
            |(stop, target)| Pair { stop, target, trades: 0, wins: 0, undecided: 0, moved: 0, rows: vec![0; horizon] };
        Self {
            direction,
            tie: specification.tie(),
            entries: Entries::new(&plan, horizon, entry, (profile, gap_ticks), BLOCK),
            pairs: pairs.into_iter().map(empty).collect(),
            beyond: vec![[0; PART]; plan.barriers.len()],
            plan,
        }
    }

    /// Takes in the entries of signal rows `rows` of `series`.
    ///
    /// # Errors
    /// [`Error::Rows`] when they lie outside of it.
    pub fn take(&mut self, series: &Series<'_>, rows: Range<usize>) -> Result<(), Error> {
        if rows.start > rows.end || rows.end > series.len() {
            return Err(Error::Rows { rows, len: series.len() });
        }
        let Self { direction, tie, plan, entries, pairs, beyond } = self;
        for start in rows.clone().step_by(BLOCK) {
            let mut counting = Counting { direction: *direction, tie: *tie, plan, pairs, beyond };
            entries.run(plan, series, start..rows.end.min(start + BLOCK), &mut counting);
        }
        Ok(())
    }

    /// What each pair came to: by stop, then by target.
    #[must_use]
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }
}

struct Counting<'a> {
    direction: Direction,
    tie: Tie,
    plan: &'a Plan,
    pairs: &'a mut [Pair],
    beyond: &'a mut [[i32; PART]],
}

impl Decide for Counting<'_> {
    #[inline(always)]
    fn part(&mut self, part: &Part<'_>) {
        let (lanes, deadlines) = (part.lanes(), part.deadlines);
        let sign = if self.direction == Direction::Long { 1 } else { -1 };
        // The move of a trade that nothing decides.
        let mut undecided = [0; PART];
        for lane in 0..lanes {
            let (row, rows) = (part.start + 1 + lane, deadlines[lane] as usize);
            let close = part.ahead.close[row + rows.max(1) - 1];
            undecided[lane] = if rows > 0 { sign * (close - part.entry(row)) } else { 0 };
        }
        for (at, barrier) in self.plan.barriers.iter().enumerate() {
            let (reached, distances) = (&part.scratch.reached[at], &part.scratch.distances[barrier.distance]);
            let up = if barrier.above { 1 } else { -1 };
            for lane in 0..lanes {
                let row = part.start + 1 + lane;
                let at_row = if reached[lane] < deadlines[lane] { row + reached[lane] as usize } else { row };
                let open = up * (part.ahead.open[at_row] - part.entry(row));
                self.beyond[at][lane] = (open - distances[lane]).max(0);
            }
        }
        let trades = deadlines.iter().filter(|&&deadline| deadline > 0).count() as u64;
        let later = i16::from(self.tie == Tie::Target);
        for (pair, mode) in self.pairs.iter_mut().zip(&self.plan.modes) {
            let (targets, stops) =
                (&part.scratch.reached[mode.target][..lanes], &part.scratch.reached[mode.stop][..lanes]);
            let (over, under) = (&self.beyond[mode.target][..lanes], &self.beyond[mode.stop][..lanes]);
            let (stop_ticks, target_ticks) = (i32::from(pair.stop), i32::from(pair.target));
            let (mut wins, mut open, mut moved, mut last) = (0_u32, 0_u32, 0_i32, [0_i16; PART]);
            for lane in 0..lanes {
                let (target, stop, deadline) = (targets[lane], stops[lane], deadlines[lane]);
                let first = target < stop + later;
                let at = if first { target } else { stop };
                let decided = at < deadline;
                wins += u32::from(first && decided);
                open += u32::from(!decided);
                let exit = if first { target_ticks + over[lane] } else { -stop_ticks - under[lane] };
                moved += if decided { exit } else { undecided[lane] };
                last[lane] = at.min(deadline - 1);
            }
            pair.wins += u64::from(wins);
            // Rows without a trade are not decided either.
            pair.undecided += u64::from(open) - (lanes as u64 - trades);
            pair.trades += trades;
            pair.moved += i64::from(moved);
            for &last in &last[..lanes] {
                if let Some(count) = pair.rows.get_mut(last as usize) {
                    *count += 1;
                }
            }
        }
    }

    fn no_entry(&mut self, _: usize) {}
}

#[cfg(test)]
mod tests {
    use super::super::{Exit, Labeller, Output, Trades};
    use super::*;
    use crate::random::Tape;

    #[test]
    fn every_pair_is_what_its_trades_are() {
        let (stops, targets) = ([1, 4, 9], [2, 7, 30]);
        for (seed, step, tie, entry) in [(1, 1, Tie::Stop, Entry::NextOpen), (2, 4, Tie::Target, Entry::Close)] {
            let tape = Tape::walk(seed, 9_000, step);
            let series = tape.series();
            for direction in [Direction::Long, Direction::Short] {
                let modes: Vec<Mode> = stops
                    .iter()
                    .flat_map(|&stop| targets.map(|target| (stop, target)))
                    .map(|(stop, target)| Mode {
                        name: format!("s{stop}_t{target}").into(),
                        direction,
                        stop: Distance::Ticks(stop),
                        target: Distance::Ticks(target),
                        trailing: false,
                    })
                    .collect();
                let specification = Specification::new(600, entry, tie, &Output::ALL, modes).unwrap();
                for profile in [Profile::Session, Profile::Rolling] {
                    let mut trades = vec![Trades::default(); 9];
                    Labeller::new(&specification, profile, 30, 9_000).trades(&series, 0..9_000, &mut trades).unwrap();
                    let mut study = Study::new(&specification, direction, (&stops, &targets), (profile, 30));
                    study.take(&series, 0..5_000).unwrap();
                    study.take(&series, 5_000..9_000).unwrap();
                    for (pair, trades) in study.pairs().iter().zip(&trades) {
                        let count = |exits: &[Exit]| {
                            trades.exit.iter().filter(|&&exit| exits.iter().any(|&one| one as i8 == exit)).count()
                                as u64
                        };
                        let mut rows: Vec<u16> = trades.held.iter().copied().filter(|&held| held > 0).collect();
                        rows.sort_unstable();
                        let median = u64::from(rows[rows.len().div_ceil(2) - 1]) - 1;
                        let moved: i64 = trades.moved.iter().map(|&moved| i64::from(moved)).sum();
                        let expected =
                            (rows.len() as u64, count(&[Exit::Target]), count(&[Exit::Horizon, Exit::End]), moved);
                        assert_eq!((pair.trades, pair.wins, pair.undecided, pair.moved), expected, "{}", pair.stop);
                        assert_eq!(pair.median_rows(), Some(median));
                    }
                }
            }
        }
    }
}
