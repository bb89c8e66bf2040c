//! Stops that follow the best price of earlier rows.
//!
//! A trade whose best price is that of row r is next met by the nearer of two rows: one that reaches the stop, or one with a
//! better price. In the latter case it goes on as one whose best price is that row's. So the answer of a row is its own or that
//! of a later row: [`Chain`] keeps it for a distance, by the touch table; [`Path`] finds it for any distance.
//!
//! Prices here are those of the trade's side: negated or counted from the other end for a short trade, so that more is better.

use super::extrema::Extrema;
use super::six::touch::NEVER;
use super::touches::Touches;

/// A row on which a trade is stopped, and its best price before.
pub(super) type Stopped = (i16, i32);

/// Where trades end that are stopped so many ticks from their best price, by the row of that price.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) ticks: i32,
    stopped: Box<[Stopped]>,
}

/// Both directions of the touch table as a side sees them, with the row that was taken in last.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) better: &'a Touches,
    pub(super) worse: &'a Touches,
    /// The level of a price in one direction and that in the other add up to this.
    pub(super) span: i32,
}

impl Sides<'_> {
    /// The nearest row after `row` with a better price than the one at level `best`. The table stands at the row after it.
    #[inline(always)]
    pub(super) fn better(&self, best: i32, row: usize) -> i16 {
        self.better.first((best + 1) as usize, row + 1)
    }
}

impl Chain {
    pub(super) fn new(ticks: i32, rows: usize) -> Self {
        // What lies beyond the rows is never stopped.
        Self { ticks, stopped: vec![(NEVER, 0); rows + 1].into_boxed_slice() }
    }

    /// Takes in `row`, whose best price is at level `best`; `better` is the nearest row after it with a better one. The table
    /// stands at the row after it.
    #[inline(always)]
    pub(super) fn take(&mut self, row: usize, best: i32, better: i16, sides: Sides<'_>) {
        self.stopped[row] = self.after(row, best, better, sides);
    }

    /// Where a trade is stopped after `row` whose best price is at level `best`, which `row` does not exceed. The table stands
    /// at the row after it.
    #[inline(always)]
    fn after(&self, row: usize, best: i32, better: i16, Sides { worse, span, .. }: Sides<'_>) -> Stopped {
        let stop = worse.first((span - best + self.ticks) as usize, row + 1);
        // Read either way: which of the two comes first, no processor foresees.
        let later = self.stopped[(better as usize).min(self.stopped.len() - 1)];
        if stop <= better { (stop, best) } else { later }
    }

    /// Where a trade is stopped that is entered at level `entry` and whose first row is `row`, which was taken in here but not
    /// into the table. `best` and `worst` are the levels that the row reaches in both directions.
    #[inline(always)]
    pub(super) fn of(&self, entry: i32, row: usize, [best, worst]: [i32; 2], sides: Sides<'_>) -> Stopped {
        if worst >= sides.span - entry + self.ticks {
            (row as i16, entry)
        } else if entry > best {
            self.after(row, entry, sides.better(entry, row), sides)
        } else {
            self.stopped[row]
        }
    }
}

/// The rows with a better price than any since a row, and how far the price falls before each.
#[derive(Clone, Debug)]
pub(super) struct Path {
    links: Box<[Link]>,
}

/// From a row to the next one with a better price.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    /// That row; that after the last where there is none.
    next: u32,
    /// The lowest price of the rows up to there, negated.
    worst: i32,
    /// How far that is from this row's price.
    fall: i32,
    /// The first row of the path from which the price falls farther.
    farther: u32,
}

impl Path {
    pub(super) fn new(rows: usize) -> Self {
        Self { links: vec![Link::default(); rows].into_boxed_slice() }
    }

    /// Takes other rows: the best prices, and the worst ones negated.
    pub(super) fn set(&mut self, better: &[i32], worse: &[i32]) {
        let rows = better.len();
        for row in (0..rows).rev() {
            let (mut next, mut worst) = (row + 1, i32::MIN / 2);
            while next < rows {
                worst = worst.max(worse[next]);
                if better[next] > better[row] {
                    break;
                }
                worst = worst.max(self.links[next].worst);
                next = self.links[next].next as usize;
            }
            let (fall, mut farther) = (better[row] + worst, next);
            while farther < rows && self.links[farther].fall <= fall {
                farther = self.links[farther].farther as usize;
            }
            self.links[row] = Link { next: next as u32, worst, fall, farther: farther as u32 };
        }
    }

    /// Where a trade is stopped that is entered at price `entry`, whose first row is `row` and whose stop is `distance` from its
    /// best price. `better` and `worse` hold what was taken in.
    #[inline(always)]
    pub(super) fn of(&self, entry: i32, row: usize, distance: i32, better: &Extrema, worse: &Extrema) -> Stopped {
        let stopped = |row: Option<usize>, best| (row.map_or(NEVER, |row| row as i16), best);
        let rows = better.values().len();
        if worse.values()[row] >= distance - entry {
            return stopped(Some(row), entry);
        }
        let mut row = row;
        if entry > better.values()[row] {
            let next = better.first(row + 1, entry + 1);
            let stop = worse.first(row + 1, distance - entry);
            match (next, stop) {
                (Some(next), None) => row = next,
                (Some(next), Some(stop)) if next < stop => row = next,
                (_, stop) => return stopped(stop, entry),
            }
        }
        while row < rows && self.links[row].fall < distance {
            row = self.links[row].farther as usize;
        }
        match better.values().get(row) {
            Some(&best) => stopped(worse.first(row + 1, distance - best), best),
            None => (NEVER, entry),
        }
    }
}
