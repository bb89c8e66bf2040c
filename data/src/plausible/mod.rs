//! What in a month's own sessions is hard to believe. Every record on its own has passed cleaning by now; here one
//! session is held against the others. [`warnings`] is what a careful user should know, a sentence each; [`faults`] is what no
//! market does, and makes the month wrong.
//!
//! Not a test of the market: the limits lie where no market has been, or beyond any day of the same month.

mod contracts;
mod hours;
mod levels;
#[cfg(test)]
mod tests;

use std::ops::Range;

use jiff::civil::Date;
use kernels::Tick;

use crate::{
    columns::ColumnsView,
    fault::Fault,
    grid::{Grid, SHORT_SECONDS, Session},
    halts::is_halt,
    holidays::{Hours, hours},
};

/// A bar whose price is more than one in so many parts away from the close before is no move of a second, but for these few
/// ticks. Of a price that is not above 0 there are no parts.
const FAR_IN_A_SECOND: i64 = 50;
const NEAR_IN_A_SECOND: i64 = 20;
/// Prices may change by one in so many parts from a session to the next: beyond it exchanges stop trading.
const FAR_IN_A_NIGHT: i64 = 5;
/// So many seconds with trades, all at one price for as long as makes a short day, are stuck.
const STUCK_TRADES: usize = 300;
/// Trades of a session from which its volumes can be told to be multiples of one number.
const ENOUGH_TRADES: usize = 300;
/// A session's volume this many times above or below the month's median.
const FAR_FROM_MEDIAN: u64 = 10;
/// Dates spelt out in one sentence.
const NAMED: usize = 5;

/// What a careful user should know of the sessions.
pub(crate) fn warnings(grid: &Grid, tick: Tick) -> Vec<String> {
    let mut warnings = Vec::new();
    short_days(grid, &mut warnings);
    for session in &grid.sessions {
        let bars = Bars { grid, session };
        warnings.extend(bars.hole());
        warnings.extend(bars.stuck(tick));
        warnings.extend(bars.jumps(tick));
    }
    nights(grid, tick, &mut warnings);
    multiples(grid, &mut warnings);
    volumes(grid, &mut warnings);
    warnings
}

/// What makes the month wrong, whatever its score; without the records of all contracts, what its rows tell.
#[must_use]
pub fn faults(grid: &Grid, records: Option<&ColumnsView<'_>>, tick: Tick) -> Vec<Fault> {
    let mut faults: Vec<Fault> = levels::sessions(grid, tick).into_iter().collect();
    faults.extend(records.into_iter().flat_map(|view| contracts::mixed(grid, view)));
    faults.extend(hours::shifted(grid));
    faults
}

/// Sessions that open late, and those that close early on a day that is not known for it; where most of them do, the
/// window of the settings is another one than the market's.
fn short_days(grid: &Grid, warnings: &mut Vec<String>) {
    let few = |is: fn(&Session) -> bool| {
        4 * grid.sessions.iter().filter(|session| is(session)).count() <= grid.sessions.len()
    };
    let early = |session: &&Session| session.early_close && hours(session.date) == Hours::Full;
    let late = |session: &&Session| session.late_open;
    for session in grid.sessions.iter().filter(early).filter(|_| few(|session| session.early_close)) {
        let last = session.time(session.rows.len() - 1);
        warnings.push(format!("{}: nothing trades after {last}, and it is no holiday", session.date));
    }
    for session in grid.sessions.iter().filter(late).filter(|_| few(|session| session.late_open)) {
        let volumes = &grid.volume[session.rows.clone()];
        let first = session.time(volumes.iter().position(|&volume| volume > 0).unwrap_or_default());
        if is_halt(&(first.as_second() - i64::from(SHORT_SECONDS)..first.as_second())) {
            continue;
        }
        warnings.push(format!("{}: nothing trades before {first}", session.date));
    }
}

/// One session's rows.
struct Bars<'a> {
    grid: &'a Grid,
    session: &'a Session,
}

impl Bars<'_> {
    fn traded(&self) -> impl Iterator<Item = usize> {
        self.session.rows.clone().filter(|&row| self.grid.volume[row] > 0)
    }

    /// Whether rows without a trade are a halt that was announced.
    fn is_halt(&self, rows: Range<usize>) -> bool {
        let second = |row: usize| self.session.first_second + (row - self.session.rows.start) as i64;
        rows.len() >= SHORT_SECONDS as usize && is_halt(&(second(rows.start)..second(rows.end)))
    }

    /// The longest stretch without a trade between two of them.
    fn hole(&self) -> Option<String> {
        let mut longest = 0..0;
        let mut before = None;
        for row in self.traded() {
            let begin = before.map_or(row, |before: usize| before + 1);
            if row - begin > longest.len() && !self.is_halt(begin..row) {
                longest = begin..row;
            }
            before = Some(row);
        }
        if longest.len() < SHORT_SECONDS as usize {
            return None;
        }
        let Session { date, rows, .. } = self.session;
        let (minutes, from) = (longest.len() / 60, self.session.time(longest.start - rows.start));
        Some(format!("{date}: nothing trades for {minutes} minutes from {from} on"))
    }

    /// Trades that go on at one price.
    fn stuck(&self, tick: Tick) -> Option<String> {
        let Grid { open, high, low, close, .. } = self.grid;
        let (mut trades, mut first, mut stuck) = (0, 0, None);
        for row in self.traded() {
            if high[row] != low[row] {
                trades = 0;
                continue;
            }
            if trades == 0 || open[row] != close[first] {
                (trades, first) = (0, row);
            }
            trades += 1;
            if trades >= STUCK_TRADES && row - first >= SHORT_SECONDS as usize {
                stuck = Some((trades, first));
            }
        }
        let (trades, first) = stuck?;
        let Session { date, rows, .. } = self.session;
        let (price, from) = (tick.points(close[first]), self.session.time(first - rows.start));
        Some(format!("{date}: {trades} trades at {price} and no other price, from {from} on"))
    }

    /// Bars far away from the close before.
    fn jumps(&self, tick: Tick) -> Option<String> {
        let Grid { high, low, close, .. } = self.grid;
        let far = |row: usize| {
            let before = i64::from(close[row - 1]);
            let away = (i64::from(high[row]) - before).max(before - i64::from(low[row]));
            before > 0 && away > NEAR_IN_A_SECOND && away * FAR_IN_A_SECOND > before
        };
        let rows = &self.session.rows;
        let mut jumps = (rows.start + 1..rows.end).filter(|&row| far(row));
        let first = jumps.next()?;
        let count = 1 + jumps.count();
        let [before, low, high] = [close[first - 1], low[first], high[first]].map(|ticks| tick.points(ticks));
        let (date, at) = (self.session.date, self.session.time(first - rows.start));
        Some(format!(
            "{date}: bars more than {} % away from the close before: {count}, the first at {at} from {before} to {low} .. {high}",
            100 / FAR_IN_A_SECOND
        ))
    }
}

/// Prices from one session to the next.
fn nights(grid: &Grid, tick: Tick, warnings: &mut Vec<String>) {
    for pair in grid.sessions.windows(2) {
        let (before, after) = (grid.close[pair[0].rows.end - 1], grid.open[pair[1].rows.start]);
        let (low, high) = (i64::from(before.min(after)), i64::from(before.max(after)));
        // Below 0 as far as above it.
        if (high - low) * FAR_IN_A_NIGHT > low.abs() {
            let [before, after] = [before, after].map(|ticks| tick.points(ticks));
            let date = pair[1].date;
            warnings.push(format!("{date}: opens at {after} after {before} in the session before"));
        }
    }
}

/// Sessions all volumes of which are multiples of one number: counted twice, or in another unit.
fn multiples(grid: &Grid, warnings: &mut Vec<String>) {
    let divisor = |session: &Session| {
        let traded = grid.volume[session.rows.clone()].iter().copied().filter(|&volume| volume > 0);
        let enough = traded.clone().nth(ENOUGH_TRADES - 1).is_some();
        let mut divisor = 0;
        for volume in traded.filter(|_| enough) {
            divisor = greatest_common(divisor, volume);
            if divisor == 1 {
                break;
            }
        }
        divisor
    };
    let found: Vec<(Date, u32)> = grid.sessions.iter().map(|session| (session.date, divisor(session))).collect();
    let found: Vec<(Date, u32)> = found.into_iter().filter(|(_, divisor)| *divisor > 1).collect();
    if let Some((_, divisor)) = found.first() {
        let dates = found.iter().map(|(date, _)| *date);
        warnings.push(format!("every volume is a multiple of {divisor}: {}", list(dates)));
    }
}

fn greatest_common(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Sessions with far more or far less volume than the same ones of other dates.
fn volumes(grid: &Grid, warnings: &mut Vec<String>) {
    let mut of_date: Vec<Vec<&Session>> = Vec::new();
    for of_one in grid.sessions.chunk_by(|a, b| a.date == b.date) {
        of_date.resize_with(of_date.len().max(of_one.len()), Vec::new);
        of_date.iter_mut().zip(of_one).for_each(|(same, session)| same.push(session));
    }
    of_date.iter().for_each(|same| volumes_of(same, warnings));
}

fn volumes_of(sessions: &[&Session], warnings: &mut Vec<String>) {
    let mut sorted: Vec<u64> = sessions.iter().map(|session| session.volume).collect();
    sorted.sort_unstable();
    let Some(&median) = sorted.get(sorted.len() / 2) else { return };
    let far = |session: &&&Session| {
        !session.early_close
            && (session.volume > FAR_FROM_MEDIAN * median || session.volume.saturating_mul(FAR_FROM_MEDIAN) < median)
    };
    let dates: Vec<Date> = sessions.iter().filter(far).map(|session| session.date).collect();
    if !dates.is_empty() {
        warnings.push(format!(
            "volume more than {FAR_FROM_MEDIAN} times above or below the month's median of {median}: {}",
            list(dates.into_iter())
        ));
    }
}

/// A few dates in words.
fn list(dates: impl ExactSizeIterator<Item = Date>) -> String {
    let more = dates.len().saturating_sub(NAMED);
    let named: Vec<String> = dates.take(NAMED).map(|date| date.to_string()).collect();
    if more > 0 { format!("{} and {more} more", named.join(", ")) } else { named.join(", ") }
}
