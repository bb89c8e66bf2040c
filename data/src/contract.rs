//! The front contract of each trading date, and the rollovers between them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use kernels::Tick;

use crate::{
    columns::{ColumnsView, ContractRows},
    grid::Rollover,
    instrument::Instrument,
    month::Month,
};

/// Which volume chooses the front contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The session's own volume.
    #[default]
    Volume,
    /// The previous session's volume, so that nothing of the day itself is used. Where none of the contracts that trade
    /// has any, the front stays; without a front the volume from midnight to the session's start decides, and without that
    /// the earliest expiry.
    VolumePrevious,
}

/// One trading date as the choice sees it; volumes are by contract, in the order of the columns' contracts.
#[derive(Clone, Debug)]
pub struct Day {
    /// Central trading date.
    pub date: Date,
    /// UTC second at which the session's window begins.
    pub start: i64,
    /// Volume between midnight and the window.
    pub before: Vec<u64>,
    /// Volume within the window.
    pub session: Vec<u64>,
}

/// Chooses fronts date by date; rolls only go forward. It may go on from month to month: contracts are known by symbol.
#[derive(Clone, Debug, Default)]
pub struct Chooser {
    choice: Choice,
    front: Option<(String, Option<Month>)>,
    left: Vec<String>,
    previous: BTreeMap<String, u64>,
}

/// The front contract of one date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
    /// Index of the contract. It trades in the date's session.
    pub contract: usize,
    /// The contract it replaced, where there is one.
    pub replaced: Option<Replaced>,
}

/// A contract that was front until now, and the volumes that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// Its symbol.
    pub symbol: String,
    /// Its delivery month.
    pub expiry: Option<Month>,
    /// Its volume.
    pub volume: u64,
    /// Volume of the contract that is front now.
    pub volume_to: u64,
}

impl Chooser {
    /// A chooser before the first date.
    #[must_use]
    pub fn new(choice: Choice) -> Self {
        Self { choice, ..Self::default() }
    }

    /// The front contract of the next date; `None` when no eligible contract traded.
    pub fn next(&mut self, contracts: &[ContractRows], day: &Day) -> Option<Front> {
        let eligible = |&contract: &usize| day.session[contract] > 0 && self.eligible(&contracts[contract]);
        let candidates: Vec<usize> = (0..contracts.len()).filter(eligible).collect();
        let previous: Vec<u64> =
            contracts.iter().map(|contract| self.previous.get(&contract.symbol).copied().unwrap_or(0)).collect();
        let (contract, volumes) = match self.choice {
            Choice::Volume => (most(&candidates, &day.session)?, &day.session),
            Choice::VolumePrevious => match most(&candidates, &previous) {
                Some(contract) => (contract, &previous),
                None => {
                    let stays = candidates.iter().copied().find(|&contract| self.is_front(&contracts[contract]));
                    let contract = stays.or_else(|| most(&candidates, &day.before)).or(candidates.first().copied())?;
                    (contract, &day.before)
                }
            },
        };
        if day.session.iter().any(|&volume| volume > 0) {
            let traded = contracts.iter().zip(&day.session).filter(|&(_, &volume)| volume > 0);
            self.previous = traded.map(|(contract, &volume)| (contract.symbol.clone(), volume)).collect();
        }
        let ContractRows { symbol, expiry, .. } = &contracts[contract];
        let mut replaced = None;
        if !self.is_front(&contracts[contract])
            && let Some((from, from_expiry)) = self.front.replace((symbol.clone(), *expiry))
        {
            let volume = contracts.iter().zip(volumes).find(|(contract, _)| contract.symbol == from);
            replaced = Some(Replaced {
                symbol: from.clone(),
                expiry: from_expiry,
                volume: volume.map_or(0, |(_, &volume)| volume),
                volume_to: volumes[contract],
            });
            self.left.push(from);
        }
        Some(Front { contract, replaced })
    }

    fn is_front(&self, contract: &ContractRows) -> bool {
        self.front.as_ref().is_some_and(|(symbol, _)| *symbol == contract.symbol)
    }

    fn eligible(&self, contract: &ContractRows) -> bool {
        let Some((_, front)) = &self.front else { return true };
        match (front, contract.expiry) {
            (Some(front), Some(expiry)) => expiry >= *front,
            // Without delivery months, what has been left does not come back.
            _ => !self.left.contains(&contract.symbol),
        }
    }
}

/// The candidate with the most volume, the earliest expiry of equal ones; `None` when none has any.
fn most(candidates: &[usize], volumes: &[u64]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for &contract in candidates {
        // Contracts are in order of expiry.
        if volumes[contract] > best.map_or(0, |best| volumes[best]) {
            best = Some(contract);
        }
    }
    best
}

/// Describes the rollover on `day` to the contract `to`.
#[must_use]
pub fn rollover(
    view: &ColumnsView<'_>,
    day: &Day,
    from: Replaced,
    to: usize,
    instrument: &Instrument,
    tick: Tick,
) -> Rollover {
    let new = &view.contracts[to];
    let old = view.contracts.iter().find(|contract| contract.symbol == from.symbol);
    Rollover {
        date: day.date,
        price_gap: old.and_then(|old| price_gap(view, old, new, day.start, tick)),
        expected: instrument.expects_roll(day.date, from.expiry),
        from: from.symbol,
        to: new.symbol.clone(),
        volume_from: from.volume,
        volume_to: from.volume_to,
    }
}

/// Close of `new` minus close of `old` at the last second before `start` in which both traded.
fn price_gap(view: &ColumnsView<'_>, old: &ContractRows, new: &ContractRows, start: i64, tick: Tick) -> Option<f64> {
    let before = |contract: &ContractRows| {
        let times = &view.time[contract.rows.clone()];
        contract.rows.start..contract.rows.start + times.partition_point(|&time| i64::from(time) < start)
    };
    let (mut a, mut b) = (before(old), before(new));
    while !a.is_empty() && !b.is_empty() {
        let (last_a, last_b) = (a.end - 1, b.end - 1);
        match view.time[last_a].cmp(&view.time[last_b]) {
            std::cmp::Ordering::Equal => return Some(tick.points(view.close[last_b] - view.close[last_a])),
            std::cmp::Ordering::Greater => a.end = last_a,
            std::cmp::Ordering::Less => b.end = last_b,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contracts(expiries: &[&str]) -> Vec<ContractRows> {
        let contract = |text: &&str| ContractRows { symbol: (*text).into(), expiry: text.parse().ok(), rows: 0..0 };
        expiries.iter().map(contract).collect()
    }

    fn day(session: &[u64]) -> Day {
        Day { date: Date::constant(2013, 12, 9), start: 0, before: vec![0; session.len()], session: session.to_vec() }
    }

    fn fronts(choice: Choice, contracts: &[ContractRows], days: &[&[u64]]) -> Vec<Option<usize>> {
        let mut chooser = Chooser::new(choice);
        days.iter().map(|volumes| chooser.next(contracts, &day(volumes)).map(|front| front.contract)).collect()
    }

    #[test]
    fn rolls_only_go_forward() {
        let quarters = contracts(&["2013-12", "2014-03"]);
        let days: [&[u64]; 4] = [&[10, 1], &[4, 6], &[9, 1], &[5, 0]];
        assert_eq!(fronts(Choice::Volume, &quarters, &days), [Some(0), Some(1), Some(1), None]);
        // Without delivery months too.
        assert_eq!(fronts(Choice::Volume, &contracts(&["a", "b"]), &days), [Some(0), Some(1), Some(1), None]);
    }

    #[test]
    fn volume_previous_uses_nothing_of_the_day() {
        let quarters = contracts(&["2013-12", "2014-03"]);
        let mut chooser = Chooser::new(Choice::VolumePrevious);
        let first = Day { before: vec![1, 2], ..day(&[10, 1]) };
        assert_eq!(chooser.next(&quarters, &first).unwrap().contract, 1);
        let mut chooser = Chooser::new(Choice::VolumePrevious);
        let first = Day { before: vec![2, 1], ..day(&[1, 10]) };
        assert_eq!(chooser.next(&quarters, &first).unwrap().contract, 0);
        let second = chooser.next(&quarters, &day(&[10, 1])).unwrap();
        let replaced = second.replaced.unwrap();
        assert_eq!((second.contract, replaced.symbol.as_str()), (1, "2013-12"));
        assert_eq!((replaced.volume, replaced.volume_to), (1, 10));
    }

    #[test]
    fn without_a_previous_volume_the_front_stays_and_without_a_front_something_trades() {
        let quarters = contracts(&["2013-12", "2014-03"]);
        let previous = |days: &[&[u64]]| fronts(Choice::VolumePrevious, &quarters, days);
        // Nothing is known on the first date: the earliest expiry of those that trade.
        assert_eq!(previous(&[&[1, 10]]), [Some(0)]);
        assert_eq!(previous(&[&[0, 10]]), [Some(1)]);
        // 2014-03 is front on the second date; on the third only 2013-12 trades, which is no session, and on the fourth
        // nothing eligible has a previous volume.
        assert_eq!(previous(&[&[1, 10], &[1, 5], &[7, 0], &[7, 1]]), [Some(0), Some(1), None, Some(1)]);
    }

    #[test]
    fn a_front_is_remembered_from_month_to_month_by_its_symbol() {
        let mut chooser = Chooser::new(Choice::Volume);
        chooser.next(&contracts(&["2013-12", "2014-03"]), &day(&[1, 9])).unwrap();
        // The next month's columns hold other contracts; an earlier expiry does not come back, a later one replaces.
        assert_eq!(chooser.next(&contracts(&["2013-12"]), &day(&[9])), None);
        let front = chooser.next(&contracts(&["2013-12", "2014-06"]), &day(&[9, 1])).unwrap();
        assert_eq!((front.contract, front.replaced.unwrap().symbol.as_str()), (1, "2014-03"));
    }

    #[test]
    fn a_tie_goes_to_the_earlier_expiry_and_no_trade_is_no_session() {
        let quarters = contracts(&["2013-12", "2014-03"]);
        assert_eq!(fronts(Choice::Volume, &quarters, &[&[5, 5], &[0, 0], &[5, 5]]), [Some(0), None, Some(0)]);
    }
}
