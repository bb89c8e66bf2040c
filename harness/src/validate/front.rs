//! docs/spec.md 2.3 once more: who had the most volume in each session, from the raw records of all contracts and of the months
//! around.

use data::{
    Month,
    columns::{ColumnsView, ContractRows},
    contract::Choice,
    symbol,
};
use jiff::{SignedDuration, civil::Date};

use super::{making::Making, output::windows};

/// Trading dates before and after one that tell an outage from a roll.
pub const NEAR: usize = 5;
/// Months before one from which its front is followed.
pub const MONTHS: usize = 6;

/// One date and the volume of each contract, in the order of the columns' contracts.
#[derive(Clone, Debug)]
pub struct Day {
    /// Local date.
    pub date: Date,
    /// First UTC second of the date: its midnight, or the session's start before it.
    pub midnight: i64,
    /// First second of each of its sessions, and the one after the last.
    pub windows: Vec<(i64, i64)>,
    /// Volume within the sessions.
    pub session: Vec<u64>,
    /// Volume of the date before the session.
    before: Vec<u64>,
    /// Last price of the session in ticks.
    close: Vec<Option<i64>>,
    /// The front contract.
    pub front: Option<usize>,
}

/// Delivery month of a symbol whose root does not matter.
pub fn expiry(contract: &str, month: Month) -> Option<Month> {
    symbol::expiry(symbol::classify(contract, &symbol::root(contract)?), month)
}

#[cfg(test)]
impl Day {
    /// A date with these volumes, and one contract each before the session.
    pub fn of(date: Date, session: Vec<u64>) -> Self {
        let (before, close) = (vec![1; session.len()], vec![None; session.len()]);
        Self { date, midnight: 0, windows: vec![(0, 0)], before, close, session, front: None }
    }
}

/// A contract on a trading date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traded {
    /// Its symbol.
    pub symbol: String,
    /// Its delivery month.
    pub expiry: Option<Month>,
    /// Volume within the session.
    pub session: u64,
    before: u64,
    /// Last price of the session in ticks.
    close: Option<i64>,
    /// Whether it comes from a continuous series.
    rolled: bool,
}

/// A trading date of the archive: one with a trade in its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trading {
    /// Local date.
    pub date: Date,
    /// First UTC second of the date.
    pub midnight: i64,
    /// What traded, in order of delivery month.
    pub contracts: Vec<Traded>,
}

impl Trading {
    /// Volume of a contract in the session.
    pub fn session(&self, symbol: &str) -> u64 {
        self.contracts.iter().find(|contract| contract.symbol == symbol).map_or(0, |contract| contract.session)
    }
}

impl Trading {
    /// The contract with the most volume, the earliest of equal ones.
    fn leader(&self) -> Option<&str> {
        let most = self.contracts.iter().rev().max_by_key(|contract| contract.session);
        most.map(|contract| contract.symbol.as_str())
    }

    /// How much more one contract costs than another at the end of the session.
    fn beyond(&self, front: &str, other: &str) -> Option<f64> {
        let close = |symbol: &str| self.contracts.iter().find(|contract| contract.symbol == symbol)?.close;
        Some((close(other)? - close(front)?) as f64)
    }
}

/// Whether two contracts have each other's records on the middle one of three dates: on the others the front trades more, and
/// the other costs more or less by four ticks at least, always to the same side; on this one it trades more, and costs as
/// much to the other side, give or take a half.
fn exchanged(front: &str, other: &str, [before, date, after]: [&Trading; 3]) -> bool {
    let usual = |date: &Trading| {
        let beyond = date.beyond(front, other)?;
        (date.session(front) > date.session(other) && beyond.abs() >= 4.0).then_some(beyond)
    };
    let (Some(before), Some(after), Some(now)) = (usual(before), usual(after), date.beyond(front, other)) else {
        return false;
    };
    let mean = (before + after) / 2.0;
    before * after > 0.0 && (now + mean).abs() <= mean.abs() / 2.0
}

/// A change of the front contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roll {
    /// First session of the new contract.
    pub date: Date,
    /// Symbols.
    pub from: String,
    /// Symbols.
    pub to: String,
}

/// The dates of a month, without their fronts.
pub fn days(view: &ColumnsView<'_>, month: Month, making: &Making) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    let dates = std::iter::successors(Some(month.first_day()), |date| date.tomorrow().ok());
    for date in dates.take_while(|date| *date <= month.last_day()) {
        let midnight = date.at(0, 0, 0, 0).checked_add(SignedDuration::ZERO).ok();
        let midnight = midnight.and_then(|time| time.to_zoned_datetime(making.zone.clone()).ok());
        let (Some(windows), Some(midnight)) = (windows(date, making), midnight) else { continue };
        let start = windows[0].0;
        let midnight = midnight.timestamp().as_second().min(start);
        let volumes = |from: i64, to: i64| -> Vec<u64> {
            view.contracts
                .iter()
                .map(|contract| rows(view, contract, from, to).map(|row| u64::from(view.volume[row])).sum())
                .collect()
        };
        let mut session = vec![0; view.contracts.len()];
        for &(from, to) in &windows {
            session.iter_mut().zip(volumes(from, to)).for_each(|(sum, volume)| *sum += volume);
        }
        let last = |contract| {
            let rows = windows.iter().rev().find_map(|&(from, to)| rows(view, contract, from, to).next_back());
            rows.map(|row| i64::from(view.close[row]))
        };
        let close = view.contracts.iter().map(last).collect();
        days.push(Day { date, midnight, before: volumes(midnight, start), windows, session, close, front: None });
    }
    days
}

/// The trading dates among them.
pub fn trading(days: &[Day], contracts: &[ContractRows]) -> Vec<Trading> {
    let traded = |day: &Day| {
        let of = |(number, contract): (usize, &ContractRows)| Traded {
            symbol: contract.symbol.clone(),
            expiry: contract.expiry,
            session: day.session[number],
            before: day.before[number],
            close: day.close[number],
            rolled: contract.rolled,
        };
        contracts.iter().enumerate().map(of).filter(|contract| contract.session > 0).collect()
    };
    days.iter()
        .map(|day| Trading { date: day.date, midnight: day.midnight, contracts: traded(day) })
        .filter(|day| !day.contracts.is_empty())
        .collect()
}

/// Rows of a contract from one UTC second to another.
pub fn rows(
    view: &ColumnsView<'_>,
    contract: &ContractRows,
    from: i64,
    to: i64,
) -> impl DoubleEndedIterator<Item = usize> + Clone + use<> {
    let times = &view.time[contract.rows.clone()];
    let [from, to] = [from, to].map(|second| times.partition_point(|&time| i64::from(time) < second));
    contract.rows.start + from..contract.rows.start + to.max(from)
}

/// What a trading date comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The symbol of its front contract.
    Front(String),
    /// The front has no record, but trades before and after.
    Missing,
    /// The front and another contract have each other's records.
    Swapped,
    /// No contract that may be front trades.
    Nothing,
}

/// The front contract of each trading date. `given` is what was front before the first, where that is not known from the
/// dates. Also whether a date that is not among them could have decided otherwise.
pub fn choose(dates: &[Trading], choice: Choice, given: Option<(String, Option<Month>)>) -> (Vec<Verdict>, bool) {
    let mut verdicts: Vec<Verdict> = Vec::new();
    let mut doubtful = false;
    let mut front = given;
    let mut left: Vec<String> = Vec::new();
    // The session before, by whose volumes `volume-previous` goes.
    let mut previous: Option<&Trading> = None;
    for (number, date) in dates.iter().enumerate() {
        let (before, after) = (&dates[number.saturating_sub(NEAR)..number], &dates[number + 1..]);
        let after = &after[..after.len().min(NEAR)];
        // A series that somebody has rolled is followed as it is.
        let followed = date.contracts.iter().all(|contract| contract.rolled);
        if let Some((symbol, _)) = front.as_ref().filter(|_| !followed) {
            let trades = |date: &Trading| date.session(symbol) > 0;
            if !trades(date) && before.iter().any(trades) {
                if after.iter().any(trades) {
                    verdicts.push(Verdict::Missing);
                    continue;
                }
                doubtful |= after.len() < NEAR;
            }
            let own = date.session(symbol);
            let leader = date.leader().filter(|leader| own > 0 && date.session(leader) > own);
            doubtful |= leader.is_some() && after.is_empty();
            if let (Some(leader), Some(before), Some(after)) = (leader, before.last(), after.first())
                && exchanged(symbol, leader, [before, date, after])
            {
                verdicts.push(Verdict::Swapped);
                continue;
            }
        }
        let forward = |contract: &&Traded| match &front {
            _ if contract.rolled => true,
            Some((symbol, _)) if *symbol == contract.symbol => true,
            Some((_, Some(front))) if contract.expiry.is_some() => contract.expiry >= Some(*front),
            _ => !left.contains(&contract.symbol),
        };
        let trading: Vec<&Traded> = date.contracts.iter().filter(forward).collect();
        // The earlier expiry of equal volumes.
        let most = |volume: &dyn Fn(&Traded) -> u64| -> Option<&Traded> {
            let traded = trading.iter().copied().filter(|contract| volume(contract) > 0);
            traded.rev().max_by_key(|contract| volume(contract))
        };
        let chosen = match choice {
            Choice::Volume => most(&|contract| contract.session),
            Choice::VolumePrevious => most(&|contract| previous.map_or(0, |before| before.session(&contract.symbol)))
                .or_else(|| {
                    let is_front = |contract: &&Traded| front.as_ref().is_some_and(|front| front.0 == contract.symbol);
                    trading.iter().copied().find(is_front)
                })
                .or_else(|| most(&|contract| contract.before))
                .or_else(|| trading.first().copied()),
        };
        previous = Some(date);
        let Some(chosen) = chosen else {
            verdicts.push(Verdict::Nothing);
            continue;
        };
        let new = (chosen.symbol.clone(), chosen.expiry);
        if let Some((old, _)) = front.replace(new).filter(|(old, _)| *old != chosen.symbol) {
            left.push(old);
        }
        verdicts.push(Verdict::Front(chosen.symbol.clone()));
    }
    (verdicts, doubtful)
}

/// The rolls between these dates; `before` was front in the last session before them.
pub fn rolls(days: &[Day], contracts: &[ContractRows], before: Option<&str>) -> Vec<Roll> {
    let mut front = before;
    let mut rolls = Vec::new();
    for day in days {
        let Some(new) = day.front.map(|front| contracts[front].symbol.as_str()) else { continue };
        if let Some(from) = front.replace(new).filter(|old| *old != new) {
            rolls.push(Roll { date: day.date, from: from.to_owned(), to: new.to_owned() });
        }
    }
    rolls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(choice: Choice, expiries: &[&str], volumes: &[&[u64]]) -> Vec<Option<usize>> {
        let contract = |(text, &session): (&&str, &u64)| Traded {
            symbol: (*text).into(),
            expiry: text.parse().ok(),
            session,
            before: 1,
            close: None,
            rolled: false,
        };
        let date = |volumes: &&[u64]| {
            let contracts = expiries.iter().zip(*volumes).map(contract).filter(|contract| contract.session > 0);
            Trading { date: Date::constant(2013, 12, 9), midnight: 0, contracts: contracts.collect() }
        };
        let dates: Vec<Trading> = volumes.iter().map(date).collect();
        let index = |verdict: Verdict| match verdict {
            Verdict::Front(symbol) => expiries.iter().position(|expiry| *expiry == symbol),
            _ => None,
        };
        choose(&dates, choice, None).0.into_iter().map(index).collect()
    }

    const QUARTERS: [&str; 2] = ["2013-12", "2014-03"];

    #[test]
    fn the_most_volume_is_front_and_rolls_only_go_forward() {
        let days: [&[u64]; 5] = [&[10, 1], &[4, 6], &[9, 1], &[5, 0], &[3, 3]];
        // On the fourth the front is missing, as it trades again on the fifth.
        for expiries in [QUARTERS, ["a", "b"]] {
            assert_eq!(verdicts(Choice::Volume, &expiries, &days), [Some(0), Some(1), Some(1), None, Some(1)]);
        }
        assert_eq!(verdicts(Choice::Volume, &QUARTERS, &[&[3, 3], &[5, 5]]), [Some(0), Some(0)]);
    }

    #[test]
    fn a_front_that_trades_again_within_five_dates_is_missing() {
        let away = |dates: usize| [vec![&[9_u64, 1][..]], vec![&[0, 2]; dates], vec![&[9, 1]]].concat();
        for choice in [Choice::Volume, Choice::VolumePrevious] {
            assert_eq!(verdicts(choice, &QUARTERS, &away(5)), [Some(0), None, None, None, None, None, Some(0)]);
            assert_eq!(verdicts(choice, &QUARTERS, &away(6))[1], Some(1), "{choice:?}");
        }
    }

    #[test]
    fn volume_previous_looks_at_the_session_before() {
        let days: [&[u64]; 4] = [&[1, 10], &[1, 5], &[7, 0], &[7, 1]];
        assert_eq!(verdicts(Choice::VolumePrevious, &QUARTERS, &days), [Some(0), Some(1), None, Some(1)]);
    }
}
