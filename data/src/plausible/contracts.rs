//! Records of two contracts under one symbol. Two delivery months lie a little apart, and by how much changes slowly from
//! session to session: when the difference turns its sign and keeps its size, the two have changed places.

use std::ops::Range;

use jiff::civil::Date;

use super::list;
use crate::{
    columns::{ColumnsView, ContractRows},
    fault::{Fault, FaultKind},
    grid::{Grid, Session},
};

/// Contracts of a month that are compared, those with the most volume.
const COMPARED: usize = 3;
/// Seconds of a session in which both trade, from which their difference is known.
const ENOUGH: usize = 10;
/// The smallest difference in ticks that can turn its sign: a smaller one may do so by itself.
const LEAST: i32 = 4;
/// A difference is another one when it is farther from it than one in so many parts.
const ALIKE: i32 = 4;
/// In a session in which the contracts change places, one in so many differences is of either sign.
const EITHER: usize = 20;
/// And of so many differences all but one are of that size.
const ALL_BUT_ONE: usize = 5;

/// Names the sessions in which two contracts have each other's records.
pub(super) fn mixed(grid: &Grid, view: &ColumnsView<'_>) -> Vec<Fault> {
    let mut by_volume: Vec<(u64, &ContractRows)> = view
        .contracts
        .iter()
        .map(|contract| (grid.sessions.iter().map(|session| volume(view, contract, session)).sum(), contract))
        .collect();
    by_volume.sort_by_key(|(volume, _)| std::cmp::Reverse(*volume));
    by_volume.truncate(COMPARED);
    let mut faults = Vec::new();
    for (number, (_, one)) in by_volume.iter().enumerate() {
        for (_, other) in &by_volume[number + 1..] {
            let mut dates = exchanged(grid, view, one, other);
            dates.extend(grid.sessions.iter().filter(|session| within(view, one, other, session)).map(|s| s.date));
            dates.sort_unstable();
            dates.dedup();
            if !dates.is_empty() {
                let (one, other) = (&one.symbol, &other.symbol);
                let found = format!("{one} and {other} have each other's records: {}", list(dates.into_iter()));
                faults.push(Fault { kind: FaultKind::TwoContracts, found });
            }
        }
    }
    faults
}

/// Whole sessions in which two contracts have each other's records: where these begin and end, the difference of their
/// prices turns its sign and the one with more volume is the other.
fn exchanged(grid: &Grid, view: &ColumnsView<'_>, one: &ContractRows, other: &ContractRows) -> Vec<Date> {
    let mut before: Option<(i32, bool)> = None;
    let (mut turned, mut sides): (bool, [Vec<Date>; 2]) = (false, Default::default());
    for session in &grid.sessions {
        if let Some(difference) = median(differences(view, one, other, session)) {
            let now = (difference, volume(view, one, session) > volume(view, other, session));
            if let Some(before) = before.replace(now) {
                turned ^= before.1 != now.1 && mirrored(before.0, now.0);
            }
        }
        sides[usize::from(turned)].push(session.date);
    }
    // What most sessions have is right.
    let [straight, turned] = sides;
    if turned.len() > straight.len() { straight } else { turned }
}

/// Whether the contracts change places within a session.
fn within(view: &ColumnsView<'_>, one: &ContractRows, other: &ContractRows, session: &Session) -> bool {
    let all = differences(view, one, other, session);
    let (above, below): (Vec<i32>, Vec<i32>) = all.iter().partition(|&&difference| difference > 0);
    let enough = |side: &[i32]| side.len() >= ENOUGH.max(all.len() / EITHER);
    if !enough(&above) || !enough(&below) {
        return false;
    }
    let Some((up, down)) = median(above).zip(median(below)) else { return false };
    let near = all.iter().filter(|difference| ALIKE * (difference.abs() - up).abs() <= up).count();
    mirrored(up, down) && ALL_BUT_ONE * (all.len() - near) <= all.len()
}

/// Whether a difference is another one with the other sign.
fn mirrored(before: i32, now: i32) -> bool {
    before.abs() >= LEAST && before.signum() == -now.signum() && (before + now).abs() <= (before.abs() / ALIKE).max(1)
}

/// Close of `other` minus that of `one` in each second of a session in which both trade, in ticks.
fn differences(view: &ColumnsView<'_>, one: &ContractRows, other: &ContractRows, session: &Session) -> Vec<i32> {
    let (mut a, mut b) = (rows(view, one, session), rows(view, other, session));
    let mut differences = Vec::new();
    while !a.is_empty() && !b.is_empty() {
        match view.time[a.start].cmp(&view.time[b.start]) {
            std::cmp::Ordering::Less => a.start += 1,
            std::cmp::Ordering::Greater => b.start += 1,
            std::cmp::Ordering::Equal => {
                differences.push(view.close[b.start] - view.close[a.start]);
                (a.start, b.start) = (a.start + 1, b.start + 1);
            }
        }
    }
    differences
}

/// The middle one, where there are enough.
fn median(mut differences: Vec<i32>) -> Option<i32> {
    let middle = differences.len() / 2;
    (differences.len() >= ENOUGH).then(|| *differences.select_nth_unstable(middle).1)
}

fn volume(view: &ColumnsView<'_>, contract: &ContractRows, session: &Session) -> u64 {
    view.volume[rows(view, contract, session)].iter().copied().map(u64::from).sum()
}

/// A contract's records in a session.
fn rows(view: &ColumnsView<'_>, contract: &ContractRows, session: &Session) -> Range<usize> {
    let times = &view.time[contract.rows.clone()];
    let end = session.first_second + session.rows.len() as i64;
    let [from, to] = [session.first_second, end].map(|second| times.partition_point(|&time| i64::from(time) < second));
    contract.rows.start + from..contract.rows.start + to
}
