//! SPEC.md 2.3 once more: who had the most volume in each session, from the raw records of all contracts.

use data::{
    Month,
    columns::{ColumnsView, ContractRows},
    contract::Choice,
};
use jiff::{SignedDuration, civil::Date};

use super::{making::Making, output::window};

/// One trading date and the volume of each contract, in the order of the columns' contracts.
#[derive(Clone, Debug)]
pub struct Day {
    /// Local date.
    pub date: Date,
    /// First UTC second of the date, of the session, and the one after the session.
    pub midnight: i64,
    /// First second of the session.
    pub start: i64,
    /// Second after its last.
    pub end: i64,
    /// Volume within the session.
    pub session: Vec<u64>,
    /// Volume of the date before the session.
    before: Vec<u64>,
    /// The front contract.
    pub front: Option<usize>,
}

#[cfg(test)]
impl Day {
    /// A date with these volumes, and one contract each before the session.
    pub fn of(date: Date, session: Vec<u64>) -> Self {
        Self { date, midnight: 0, start: 0, end: 0, before: vec![1; session.len()], session, front: None }
    }
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

/// The dates of a month with their fronts.
pub fn days(view: &ColumnsView<'_>, month: Month, making: &Making) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    let dates = std::iter::successors(Some(month.first_day()), |date| date.tomorrow().ok());
    for date in dates.take_while(|date| *date <= month.last_day()) {
        let midnight = date.at(0, 0, 0, 0).checked_add(SignedDuration::ZERO).ok();
        let midnight = midnight.and_then(|time| time.to_zoned_datetime(making.zone.clone()).ok());
        let (Some((start, end)), Some(midnight)) = (window(date, making), midnight) else { continue };
        let midnight = midnight.timestamp().as_second();
        let volumes = |from: i64, to: i64| -> Vec<u64> {
            view.contracts
                .iter()
                .map(|contract| rows(view, contract, from, to).map(|row| u64::from(view.volume[row])).sum())
                .collect()
        };
        let (session, before) = (volumes(start, end), volumes(midnight, start));
        days.push(Day { date, midnight, start, end, session, before, front: None });
    }
    choose(&mut days, view.contracts, making.choice);
    days
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

fn choose(days: &mut [Day], contracts: &[ContractRows], choice: Choice) {
    let mut front: Option<usize> = None;
    let mut left: Vec<usize> = Vec::new();
    let mut previous: Option<Vec<u64>> = None;
    for day in days {
        let forward = |contract: usize| match (front.map(|front| contracts[front].expiry), contracts[contract].expiry) {
            (Some(Some(front)), Some(expiry)) => expiry >= front,
            _ => !left.contains(&contract),
        };
        let trading: Vec<usize> =
            (0..contracts.len()).filter(|&contract| day.session[contract] > 0 && forward(contract)).collect();
        // The earlier expiry of equal volumes.
        let most = |volumes: &[u64]| {
            let traded = trading.iter().copied().filter(|&contract| volumes[contract] > 0);
            traded.rev().max_by_key(|&contract| volumes[contract])
        };
        day.front = match choice {
            Choice::Volume => most(&day.session),
            Choice::VolumePrevious => previous
                .as_deref()
                .and_then(most)
                .or_else(|| front.filter(|front| trading.contains(front)))
                .or_else(|| most(&day.before))
                .or_else(|| trading.first().copied()),
        };
        if day.session.iter().any(|&volume| volume > 0) {
            previous = Some(day.session.clone());
        }
        if let Some(new) = day.front
            && let Some(old) = front.replace(new).filter(|old| *old != new)
        {
            left.push(old);
        }
    }
}

/// The rolls between these dates.
pub fn rolls(days: &[Day], contracts: &[ContractRows]) -> Vec<Roll> {
    let fronts: Vec<(Date, usize)> = days.iter().filter_map(|day| Some((day.date, day.front?))).collect();
    let roll = |pair: &[(Date, usize)]| {
        let symbol = |number: usize| contracts[pair[number].1].symbol.clone();
        Roll { date: pair[1].0, from: symbol(0), to: symbol(1) }
    };
    fronts.windows(2).filter(|pair| pair[0].1 != pair[1].1).map(roll).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fronts(choice: Choice, expiries: &[&str], volumes: &[&[u64]]) -> Vec<Option<usize>> {
        let contract = |text: &&str| ContractRows { symbol: (*text).into(), expiry: text.parse().ok(), rows: 0..0 };
        let contracts: Vec<ContractRows> = expiries.iter().map(contract).collect();
        let day = |session: &&[u64]| Day::of(Date::constant(2013, 12, 9), session.to_vec());
        let mut days: Vec<Day> = volumes.iter().map(day).collect();
        choose(&mut days, &contracts, choice);
        days.iter().map(|day| day.front).collect()
    }

    #[test]
    fn the_most_volume_is_front_and_rolls_only_go_forward() {
        let days: [&[u64]; 5] = [&[10, 1], &[4, 6], &[9, 1], &[5, 0], &[3, 3]];
        for expiries in [["2013-12", "2014-03"], ["a", "b"]] {
            assert_eq!(fronts(Choice::Volume, &expiries, &days), [Some(0), Some(1), Some(1), None, Some(1)]);
        }
        assert_eq!(fronts(Choice::Volume, &["2013-12", "2014-03"], &[&[3, 3], &[0, 0]]), [Some(0), None]);
    }

    #[test]
    fn volume_previous_looks_at_the_session_before() {
        let days: [&[u64]; 4] = [&[1, 10], &[1, 5], &[7, 0], &[7, 1]];
        let fronts = fronts(Choice::VolumePrevious, &["2013-12", "2014-03"], &days);
        assert_eq!(fronts, [Some(0), Some(1), None, Some(1)]);
    }
}
