//! When the entries of a block reach each barrier, [`PART`] rows at a time; what that means is for a [`Decide`] to say.

use super::extrema::Extrema;
use super::gaps::Ahead;
use super::plan::{Barrier, Plan};
use super::six::touch::{NEVER, Span};
use super::touches::Touches;
use super::trailing::{Chain, Path, Sides};
use super::{Direction, Distance, Entry};

/// Rows whose answers are held at once.
pub(super) const PART: usize = 256;

/// A number for each row of a part.
pub(super) type Column<T> = [T; PART];

/// What is known of a block's rows, and room for the answers of a part.
#[derive(Clone, Debug)]
pub(super) struct Scratch {
    up: Touches,
    down: Touches,
    /// One for each barrier that follows the price at a distance in ticks, by its place among those that follow it.
    chains: Vec<Option<Chain>>,
    /// Of long trades and of short ones, where stops follow the price otherwise.
    paths: [Path; 2],
    pub(super) highs: Extrema,
    /// Of the lows, negated.
    pub(super) lows: Extrema,
    /// In ticks, by distance.
    pub(super) distances: Vec<Column<i32>>,
    /// Rows from the entry's to the first that reaches a barrier, by barrier.
    pub(super) reached: Vec<Column<i16>>,
    /// Ticks from the entry to a stop that follows the price, when it is reached.
    pub(super) stopped: Vec<Column<i32>>,
}

impl Scratch {
    /// Room for `rows` of a block with its look-ahead.
    pub(super) fn new(plan: &Plan, rows: usize, horizon: usize) -> Self {
        let chain = |&at: &usize| match plan.distances[plan.barriers[at].distance] {
            Distance::Ticks(ticks) => Some(Chain::new(ticks.into(), rows)),
            Distance::Atr(_) => None,
        };
        // The longest run is that from an entry to its last row.
        let extrema = Extrema::new(rows, horizon);
        Self {
            up: Touches::new(),
            down: Touches::new(),
            chains: plan.trailing.iter().map(chain).collect(),
            paths: [(); 2].map(|()| Path::new(if plan.trailing.is_empty() { 0 } else { rows })),
            highs: extrema.clone(),
            lows: extrema,
            distances: vec![[0; PART]; plan.distances.len()],
            reached: vec![[NEVER; PART]; plan.barriers.len()],
            stopped: vec![[0; PART]; plan.trailing.len()],
        }
    }
}

/// A block of rows to be labelled.
pub(super) struct Block<'a> {
    pub(super) entry: Entry,
    pub(super) plan: &'a Plan,
    pub(super) ahead: &'a Ahead<'a>,
    /// The range of its prices, if the touch table holds it.
    pub(super) span: Option<Span>,
    /// Rows that may be looked at of each signal row's trade; 0 where there is none.
    pub(super) deadlines: &'a [i16],
    /// Sum of the 300 true ranges up to each signal row; below 0 where there are not as many.
    pub(super) atr: &'a [i32],
    pub(super) scratch: &'a mut Scratch,
}

/// Some entries of a block, and when they reach each barrier.
pub(super) struct Part<'a> {
    entry: Entry,
    pub(super) ahead: &'a Ahead<'a>,
    /// The signal row of its first lane in the block.
    pub(super) start: usize,
    /// By lane, as a block has them.
    pub(super) deadlines: &'a [i16],
    /// By lane, likewise; empty where no distance needs it.
    pub(super) atr: &'a [i32],
    pub(super) scratch: &'a Scratch,
}

/// What is made of the barriers that entries reach.
pub(super) trait Decide {
    /// Takes a part. Those of a block come in any order, each once.
    fn part(&mut self, part: &Part<'_>);
    /// The signal rows of a block that have no entry: those from this one on.
    fn no_entry(&mut self, from: usize);
}

impl Part<'_> {
    /// Its rows.
    #[inline(always)]
    pub(super) fn lanes(&self) -> usize {
        self.deadlines.len()
    }

    /// The price at which the entry is made whose first row this is.
    #[inline(always)]
    pub(super) fn entry(&self, row: usize) -> i32 {
        price(self.entry, self.ahead, row)
    }
}

#[inline(always)]
fn price(entry: Entry, ahead: &Ahead<'_>, row: usize) -> i32 {
    match entry {
        Entry::NextOpen => ahead.open[row],
        Entry::Close => ahead.close[row - 1],
    }
}

impl Block<'_> {
    /// Finds the barriers of all its signal rows.
    #[inline(always)]
    pub(super) fn run(mut self, decide: &mut impl Decide) {
        let ahead = self.ahead;
        let (rows, entries) = (ahead.open.len(), self.deadlines.len().min(ahead.open.len() - 1));
        self.scratch.highs.set(ahead.high.iter().copied(), rows);
        self.scratch.lows.set(ahead.low.iter().map(|low| -low), rows);
        if !self.plan.trailing.is_empty() && (self.span.is_none() || self.scratch.chains.iter().any(Option::is_none)) {
            let Scratch { paths: [long, short], highs, lows, .. } = &mut *self.scratch;
            long.set(highs.values(), lows.values());
            short.set(lows.values(), highs.values());
        }
        if let Some(Span { lowest, highest }) = self.span {
            let levels = (highest - lowest) as usize + 1;
            self.scratch.up.start(levels);
            self.scratch.down.start(levels);
            for row in (entries + 1..rows).rev() {
                self.take_best(row, lowest, highest);
                self.take(row, lowest, highest);
            }
        }
        for start in (0..entries).step_by(PART).rev() {
            let lanes = PART.min(entries - start);
            self.measure(start, lanes);
            match self.span {
                Some(Span { lowest, highest }) => self.read(start, lanes, lowest, highest),
                None => self.search(start, lanes),
            }
            decide.part(&Part {
                entry: self.entry,
                ahead,
                start,
                deadlines: &self.deadlines[start..][..lanes],
                atr: self.atr.get(start..start + lanes).unwrap_or_default(),
                scratch: &*self.scratch,
            });
        }
        decide.no_entry(entries);
    }

    /// The distances of the barriers of a part.
    #[inline(always)]
    fn measure(&mut self, start: usize, lanes: usize) {
        for (distance, column) in self.plan.distances.iter().zip(&mut self.scratch.distances) {
            match *distance {
                Distance::Ticks(ticks) => column.fill(ticks.into()),
                Distance::Atr(multiple) => {
                    for (ticks, &sum) in column.iter_mut().zip(&self.atr[start..][..lanes]) {
                        *ticks = multiple.ticks(sum);
                    }
                }
            }
        }
    }

    /// Takes a row into the chains, whose table stands at the row after it.
    #[inline(always)]
    fn take_best(&mut self, row: usize, lowest: i32, highest: i32) {
        if self.plan.trailing.is_empty() {
            return;
        }
        let reach = [self.ahead.high[row] - lowest, highest - self.ahead.low[row]];
        let Scratch { up, down, chains, .. } = &mut *self.scratch;
        let better = better(up, down, reach, row);
        for (&at, chain) in self.plan.trailing.iter().zip(chains) {
            let side = self.plan.barriers[at].side;
            if let Some(chain) = chain {
                let of = side as usize;
                chain.take(row, reach[of], better[of], sides(side, up, down, highest - lowest));
            }
        }
    }

    /// Takes a row into the table.
    #[inline(always)]
    fn take(&mut self, row: usize, lowest: i32, highest: i32) {
        self.scratch.up.take((self.ahead.high[row] - lowest) as usize, row);
        self.scratch.down.take((highest - self.ahead.low[row]) as usize, row);
    }

    /// When the barriers of a part are reached, by the touch table.
    #[inline(always)]
    fn read(&mut self, start: usize, lanes: usize, lowest: i32, highest: i32) {
        let span = highest - lowest;
        for lane in (0..lanes).rev() {
            let row = start + 1 + lane;
            let entry = price(self.entry, self.ahead, row);
            self.read_trailing(lane, row, entry, lowest, highest);
            self.take(row, lowest, highest);
            let Scratch { up, down, distances, reached, .. } = &mut *self.scratch;
            let (above, below) = (entry - lowest, span - (entry - lowest));
            for &at in &self.plan.fixed {
                let barrier = &self.plan.barriers[at];
                let distance = distances[barrier.distance][lane];
                let (touches, level) = if barrier.above { (&*up, above) } else { (&*down, below) };
                reached[at][lane] = touches.first((level + distance) as usize, row) - row as i16;
            }
        }
    }

    /// The same of the barriers that follow the price, before `row` is taken into the table; it is taken into the chains.
    #[inline(always)]
    fn read_trailing(&mut self, lane: usize, row: usize, entry: i32, lowest: i32, highest: i32) {
        if self.plan.trailing.is_empty() {
            return;
        }
        let [high, low] = [self.ahead.high[row] - lowest, highest - self.ahead.low[row]];
        let better = better(&self.scratch.up, &self.scratch.down, [high, low], row);
        for (place, &at) in self.plan.trailing.iter().enumerate() {
            let barrier = &self.plan.barriers[at];
            let Scratch { up, down, chains, reached, stopped, .. } = &mut *self.scratch;
            let Some(chain) = &mut chains[place] else {
                self.follow(barrier, at, lane, row, entry);
                continue;
            };
            let (level, reach) = match barrier.side {
                Direction::Long => (entry - lowest, [high, low]),
                Direction::Short => (highest - entry, [low, high]),
            };
            let sides = sides(barrier.side, up, down, highest - lowest);
            chain.take(row, reach[0], better[barrier.side as usize], sides);
            let (found, best) = chain.of(level, row, reach, sides);
            reached[at][lane] = found - row as i16;
            stopped[place][lane] = best - chain.ticks - level;
        }
    }

    /// When a barrier that follows the price is reached, whatever its distance.
    #[inline(always)]
    fn follow(&mut self, barrier: &Barrier, at: usize, lane: usize, row: usize, entry: i32) {
        let Scratch { paths: [long, short], highs, lows, distances, reached, stopped, .. } = &mut *self.scratch;
        let distance = distances[barrier.distance][lane];
        let (entry, path, better, worse) = match barrier.side {
            Direction::Long => (entry, long, highs, lows),
            Direction::Short => (-entry, short, lows, highs),
        };
        let (found, best) = path.of(entry, row, distance, better, worse);
        reached[at][lane] = found - row as i16;
        if let Some(place) = barrier.trailing {
            stopped[place][lane] = best - distance - entry;
        }
    }

    /// When the barriers of a part are reached, without a touch table.
    #[inline(always)]
    fn search(&mut self, start: usize, lanes: usize) {
        for lane in 0..lanes {
            let row = start + 1 + lane;
            let entry = price(self.entry, self.ahead, row);
            for (barrier, at) in self.plan.barriers.iter().zip(0..) {
                if barrier.trailing.is_some() {
                    self.follow(barrier, at, lane, row, entry);
                    continue;
                }
                let Scratch { highs, lows, distances, reached, .. } = &mut *self.scratch;
                let distance = distances[barrier.distance][lane];
                let first =
                    if barrier.above { highs.first(row, entry + distance) } else { lows.first(row, distance - entry) };
                reached[at][lane] = first.map_or(NEVER - row as i16, |first| (first - row) as i16);
            }
        }
    }
}

/// The nearest rows after `row` with a better price than its own, of long trades and of short ones.
#[inline(always)]
fn better(up: &Touches, down: &Touches, [high, low]: [i32; 2], row: usize) -> [i16; 2] {
    [up.first((high + 1) as usize, row + 1), down.first((low + 1) as usize, row + 1)]
}

/// The touch table as a side sees it.
#[inline(always)]
fn sides<'a>(side: Direction, up: &'a Touches, down: &'a Touches, span: i32) -> Sides<'a> {
    match side {
        Direction::Long => Sides { better: up, worse: down, span },
        Direction::Short => Sides { better: down, worse: up, span },
    }
}
