//! The front contract of each trading date, and the rollovers between them.

use jiff::{ToSpan, civil::Date};
use kernels::Tick;

use crate::{
    columns::{ColumnsView, ContractRows},
    grid::Rollover,
    instrument::third_friday,
};

/// Which volume chooses the front contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The session's own volume.
    #[default]
    Volume,
    /// The previous session's volume, so that nothing of the day itself is used; on the first date, which has none, the
    /// volume from midnight to the session's start.
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

/// Chooses fronts date by date; rolls only go forward.
#[derive(Clone, Debug, Default)]
pub struct Chooser {
    choice: Choice,
    front: Option<usize>,
    left: Vec<usize>,
    previous: Option<Vec<u64>>,
}

/// The front contract of one date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
    /// Index of the contract.
    pub contract: usize,
    /// The contract it replaced, where there is one, with the volumes of both that decided.
    pub replaced: Option<(usize, u64, u64)>,
}

impl Chooser {
    /// A chooser before the first date.
    #[must_use]
    pub fn new(choice: Choice) -> Self {
        Self { choice, ..Self::default() }
    }

    /// The front contract of the next date; `None` when no eligible contract traded.
    pub fn next(&mut self, contracts: &[ContractRows], day: &Day) -> Option<Front> {
        if day.session.iter().all(|&volume| volume == 0) {
            return None;
        }
        let volumes = match (self.choice, &self.previous) {
            (Choice::Volume, _) => &day.session,
            (Choice::VolumePrevious, Some(previous)) => previous,
            (Choice::VolumePrevious, None) => &day.before,
        };
        // The earlier expiry wins a tie: contracts are in order of expiry.
        let mut best: Option<usize> = None;
        for contract in (0..contracts.len()).filter(|&contract| self.eligible(contracts, contract)) {
            if volumes[contract] > best.map_or(0, |best| volumes[best]) {
                best = Some(contract);
            }
        }
        let front = best.map(|contract| Front {
            contract,
            replaced: self.front.filter(|&from| from != contract).map(|from| (from, volumes[from], volumes[contract])),
        });
        self.previous = Some(day.session.clone());
        if let Some(front) = &front {
            if let Some((from, ..)) = front.replaced {
                self.left.push(from);
            }
            self.front = Some(front.contract);
        }
        front
    }

    fn eligible(&self, contracts: &[ContractRows], contract: usize) -> bool {
        let Some(front) = self.front else { return true };
        match (contracts[front].expiry, contracts[contract].expiry) {
            (Some(front), Some(expiry)) => expiry >= front,
            // Without delivery months, what has been left does not come back.
            _ => !self.left.contains(&contract),
        }
    }
}

/// Describes the rollover on `day` from one contract to another.
#[must_use]
pub fn rollover(
    view: &ColumnsView<'_>,
    day: &Day,
    (from, volume_from, volume_to): (usize, u64, u64),
    to: usize,
    tick: Tick,
) -> Rollover {
    let (old, new) = (&view.contracts[from], &view.contracts[to]);
    Rollover {
        date: day.date,
        from: old.symbol.clone(),
        to: new.symbol.clone(),
        price_gap: price_gap(view, old, new, day.start, tick),
        volume_from,
        volume_to,
        expected: old.expiry.is_some_and(|expiry| expected(day.date, expiry.first_day())),
    }
}

/// From 10 calendar days before the third Friday of the expiry month to that Friday.
fn expected(date: Date, expiry_month: Date) -> bool {
    let window = third_friday(expiry_month).and_then(|last| Some((last.checked_sub(10.days()).ok()?, last)));
    window.is_some_and(|(first, last)| first <= date && date <= last)
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
        assert_eq!((second.contract, second.replaced), (1, Some((0, 1, 10))));
    }

    #[test]
    fn a_tie_goes_to_the_earlier_expiry_and_no_trade_is_no_session() {
        let quarters = contracts(&["2013-12", "2014-03"]);
        assert_eq!(fronts(Choice::Volume, &quarters, &[&[5, 5], &[0, 0], &[5, 5]]), [Some(0), None, Some(0)]);
    }

    #[test]
    fn the_expected_window_is_ten_days_up_to_the_third_friday() {
        let expiry = Date::constant(2013, 12, 1);
        for (day, inside) in [(9, false), (10, true), (20, true), (21, false)] {
            assert_eq!(expected(Date::constant(2013, 12, day), expiry), inside, "{day}");
        }
    }
}
