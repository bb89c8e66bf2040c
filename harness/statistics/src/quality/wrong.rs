//! What makes a month wrong, whatever its score. This is the only list: a gate withholds what is in it, `validate` calls it an
//! error.

use data::{
    fault::{Fault, FaultKind},
    grid::Unmapped,
    records::Records,
};

use super::levels::{Verdict, judge};
use crate::{FrontSwapped, Level, Statistics, Wrong};

/// A wrong month's score is no higher, whatever else is right.
pub const MOST_SCORE: f64 = 0.5;
/// A publisher of fewer records than one in so many is none of the file's.
const OF_ANOTHER: u64 = 100;

/// Everything that makes a month wrong: what its sessions show (`faults`), what its records show, and its level among those
/// of the months around.
pub fn list(faults: &[Fault], records: &Records, level: Option<&Level>, around: &[Level]) -> Vec<Wrong> {
    let mut all: Vec<Fault> = transfer(records).into_iter().collect();
    if let Some(Verdict::Wrong(fault)) = level.map(|level| judge(level, around)) {
        all.push(fault);
    }
    all.extend_from_slice(faults);
    all.into_iter().map(Wrong::from).collect()
}

/// Contracts that cannot be trusted by their names: dates on which two have each other's records, which have no session, and
/// dates on which ids without a symbol trade more than the front contract.
pub fn contracts(statistics: &Statistics) -> Vec<Fault> {
    let fronts = &statistics.fronts;
    let swapped = fronts.swapped.iter().map(|FrontSwapped { date, contract, with }| Fault {
        kind: FaultKind::TwoContracts,
        found: format!("{date}: {contract} and {with} have each other's records"),
    });
    let of_front = |date| -> u64 {
        statistics.sessions.iter().filter(|session| session.date == date).map(|session| session.volume).sum()
    };
    let more = fronts.unmapped.iter().filter(|unmapped| unmapped.volume > of_front(unmapped.date));
    let unmapped = more.map(|Unmapped { date, ids, volume }| Fault {
        kind: FaultKind::Unmapped,
        found: format!(
            "{date}: {ids} ids without a symbol trade {volume} in the session, more than the front contract"
        ),
    });
    swapped.chain(unmapped).collect()
}

/// Records that no exchange sends. Databento's are on whole seconds, in order of time and of one publisher; a byte that was
/// changed on the way is none of that. Of other formats nothing is known: who makes them orders them.
pub fn transfer(records: &Records) -> Option<Fault> {
    let of_dbn: u64 = records.by_publisher.values().sum();
    let most = records.by_publisher.values().max()?;
    let others = Some(of_dbn - most).filter(|others| others * OF_ANOTHER < of_dbn).unwrap_or(0);
    let found: Vec<String> = [
        (records.sub_second, "not on a whole second"),
        (records.time_backwards, "earlier than the one before"),
        (others, "of a publisher that the file has nowhere else"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    let found = (!found.is_empty()).then(|| format!("records that no exchange sends: {}", found.join(", ")))?;
    Some(Fault { kind: FaultKind::Transfer, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_another_format_may_be_in_any_order() {
        let odd = Records { total: 100, sub_second: 1, time_backwards: 2, ..Records::default() };
        assert_eq!(transfer(&odd), None);
        let dbn = Records { by_publisher: [(1, 100)].into(), ..odd };
        let found = transfer(&dbn).unwrap().found;
        assert_eq!(found, "records that no exchange sends: 1 not on a whole second, 2 earlier than the one before");
    }

    #[test]
    fn a_publisher_of_a_few_records_is_none_of_the_files() {
        let records = |odd: u64| Records { by_publisher: [(1, 1000 - odd), (257, odd)].into(), ..Records::default() };
        assert_eq!(transfer(&records(0)), None);
        assert!(transfer(&records(9)).unwrap().found.contains("9 of a publisher"));
        // A file of two publishers.
        assert_eq!(transfer(&records(10)), None);
    }
}
