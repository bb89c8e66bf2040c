//! The front contract of each trading date, and the rollovers between them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use kernels::Tick;

use crate::{
    columns::ColumnsView,
    grid::Rollover,
    instrument::Instrument,
    month::Month,
    volumes::{Day, Traded, Volumes},
    window::{Window, Windows},
};

/// A front without a record in a session is missing, not replaced, if it trades within so many trading dates before and
/// within so many after. At the price gap of a roll both contracts traded on its date or one of so many before.
const NEAR: usize = 5;
/// Ticks that one contract must cost beyond another for a swap to be told from chance.
const LEAST_BEYOND: i64 = 4;
/// The choice begins at most so many months before a month: a contract that had been front and then for all of them never
/// leads a single session again was no roll.
pub const MOST_MONTHS_BACK: usize = 6;

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

/// What is decided of one trading date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The date has a front contract, which trades in its session.
    Front {
        /// Its symbol.
        symbol: String,
        /// The contract it replaced, where there is one.
        replaced: Option<Replaced>,
    },
    /// The front contract, of this symbol, has no record in the session, but some shortly before and shortly after.
    Missing(String),
    /// The front contract and another have each other's records.
    Swapped {
        /// The front contract.
        front: String,
        /// The other.
        with: String,
    },
    /// Only contracts trade that have been left.
    OnlyEarlier,
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
    /// The earliest date on which both contracts may have traded for the gap of price.
    pub since: Date,
}

/// The front contracts of one month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fronts {
    /// The front contract the month before ended with; none where the choice starts afresh.
    pub before: Option<String>,
    /// By date of the month on which anything traded in the session.
    pub by_date: BTreeMap<Date, Decision>,
    /// What traded on the dates after the month would have been needed.
    undecided: bool,
}

impl Fronts {
    /// Chooses the fronts of a month by the volumes of the months around it.
    ///
    /// The choice goes forward from the earliest of the months before it that are `there` without a break, at most six. The
    /// first dates of the month after tell an outage of the front from a roll. So the answer is the same whichever files the
    /// records lie in and whichever months are made together.
    #[must_use]
    pub fn choose(month: Month, volumes: &Volumes, there: impl Fn(Month) -> bool, choice: Choice) -> Self {
        let sessions = |first: Month, last: Month| {
            let mut days = volumes.days(first.first_day(), last.last_day());
            days.retain(Day::has_session);
            days
        };
        let has_sessions = |month: &Month| there(*month) && !sessions(*month, *month).is_empty();
        let back = std::iter::successors(month.previous(), |month| month.previous()).take(MOST_MONTHS_BACK);
        let first = back.take_while(has_sessions).last().unwrap_or(month);
        let mut days = sessions(first, month);
        let own = days.len();
        days.extend(month.next().into_iter().flat_map(|next| sessions(next, next)).take(NEAR));

        let mut chooser = Chooser { choice, ..Chooser::default() };
        let mut fronts = Self { before: None, by_date: BTreeMap::new(), undecided: false };
        for number in 0..own {
            let (day, before) = (&days[number], &days[number.saturating_sub(NEAR)..number]);
            let after = &days[number + 1..days.len().min(number + 1 + NEAR)];
            let missing = after.len() < NEAR && chooser.may_be_missing(day, before);
            let swapped = after.is_empty() && chooser.overtaken(day).is_some();
            let decision = chooser.next(day, before, after);
            fronts.undecided |= missing && !matches!(decision, Decision::Missing(_)) || swapped;
            if day.date < month.first_day() {
                fronts.before = chooser.front.as_ref().map(|(symbol, _)| symbol.clone());
            } else {
                fronts.by_date.insert(day.date, decision);
            }
        }
        fronts
    }

    /// Those of a month nothing else is known of.
    #[must_use]
    pub fn alone(month: Month, volumes: &Volumes, choice: Choice) -> Self {
        Self::choose(month, volumes, |_| false, choice)
    }

    /// Whether the dates of the month after, which were not there, could have decided otherwise.
    #[must_use]
    pub fn depend_on_the_month_after(&self) -> bool {
        self.undecided
    }

    /// Dates on which the front and another contract have each other's records.
    pub fn swapped(&self) -> impl Iterator<Item = (Date, &str, &str)> {
        self.by_date.iter().filter_map(|(date, decision)| match decision {
            Decision::Swapped { front, with } => Some((*date, front.as_str(), with.as_str())),
            _ => None,
        })
    }

    /// Dates on which the front has no record, and the front.
    pub fn missing(&self) -> impl Iterator<Item = (Date, &str)> {
        self.by_date.iter().filter_map(|(date, decision)| match decision {
            Decision::Missing(symbol) => Some((*date, symbol.as_str())),
            _ => None,
        })
    }

    /// Dates with a session, and the front contract of each.
    pub fn sessions(&self) -> impl Iterator<Item = (Date, &str)> {
        self.by_date.iter().filter_map(|(date, decision)| match decision {
            Decision::Front { symbol, .. } => Some((*date, symbol.as_str())),
            _ => None,
        })
    }
}

/// The front contract of a date of which nothing is known yet but what traded before its session, by the volume of the
/// session before: what [`Choice::VolumePrevious`] will have chosen, unless that contract then has no trade in the session.
///
/// `days` are the dates before it in order. Candidates are the contracts that have traded on the date; where none has, those
/// of the session before.
#[must_use]
pub fn ahead(days: &[Day], today: &Day) -> Option<String> {
    let mut chooser = Chooser { choice: Choice::VolumePrevious, ..Chooser::default() };
    let days: Vec<Day> = days.iter().filter(|day| day.has_session()).cloned().collect();
    for (number, day) in days.iter().enumerate() {
        let after = &days[number + 1..days.len().min(number + 1 + NEAR)];
        chooser.next(day, &days[number.saturating_sub(NEAR)..number], after);
    }
    let traded = |day: &Day| day.contracts.iter().any(|contract| contract.before > 0 || contract.session > 0);
    let mut today = match days.last().filter(|_| !traded(today)) {
        Some(before) => Day { date: today.date, ..before.clone() },
        None => today.clone(),
    };
    // Which of them will trade is not known, and how much must not matter.
    today.contracts.iter_mut().for_each(|contract| contract.session = 1);
    match chooser.next(&today, &[], &[]) {
        Decision::Front { symbol, .. } => Some(symbol),
        Decision::Missing(_) | Decision::Swapped { .. } | Decision::OnlyEarlier => None,
    }
}

/// Chooses fronts date by date; rolls only go forward. Contracts are known by symbol.
#[derive(Clone, Debug, Default)]
struct Chooser {
    choice: Choice,
    front: Option<(String, Option<Month>)>,
    left: BTreeSet<String>,
    previous: BTreeMap<String, u64>,
}

impl Chooser {
    /// Decides the next trading date, with the ones near it.
    fn next(&mut self, day: &Day, before: &[Day], after: &[Day]) -> Decision {
        if let Some((front, _)) = &self.front
            && self.may_be_missing(day, before)
            && after.iter().any(|day| trades(day, front))
        {
            return Decision::Missing(front.clone());
        }
        if let Some(with) = self.swapped(day, before, after)
            && let Some((front, _)) = &self.front
        {
            return Decision::Swapped { front: front.clone(), with };
        }
        let candidates: Vec<&Traded> =
            day.contracts.iter().filter(|contract| contract.session > 0 && self.eligible(contract)).collect();
        let chosen = match self.choice {
            Choice::Volume => most(&candidates, |contract| contract.session),
            Choice::VolumePrevious => most(&candidates, |contract| self.volume_before(&contract.symbol))
                .or_else(|| candidates.iter().copied().find(|contract| self.is_front(contract)))
                .or_else(|| most(&candidates, |contract| contract.before))
                .or(candidates.first().copied()),
        };
        // What decided, before the volumes of this date take its place.
        let volume = |symbol: &str| match self.choice {
            Choice::Volume => day.of(symbol).map_or(0, |contract| contract.session),
            Choice::VolumePrevious if candidates.iter().all(|candidate| self.volume_before(&candidate.symbol) == 0) => {
                day.of(symbol).map_or(0, |contract| contract.before)
            }
            Choice::VolumePrevious => self.volume_before(symbol),
        };
        let mut replaced = None;
        if let Some(chosen) = chosen
            && let Some((symbol, expiry)) = self.front.as_ref().filter(|(symbol, _)| *symbol != chosen.symbol)
        {
            replaced = Some(Replaced {
                symbol: symbol.clone(),
                expiry: *expiry,
                volume: volume(symbol),
                volume_to: volume(&chosen.symbol),
                since: before.first().map_or(day.date, |day| day.date),
            });
        }
        let traded = day.contracts.iter().filter(|contract| contract.session > 0);
        self.previous = traded.map(|contract| (contract.symbol.clone(), contract.session)).collect();
        let Some(chosen) = chosen else { return Decision::OnlyEarlier };
        self.left.extend(replaced.as_ref().map(|replaced| replaced.symbol.clone()));
        self.front = Some((chosen.symbol.clone(), chosen.expiry));
        Decision::Front { symbol: chosen.symbol.clone(), replaced }
    }

    /// Whether the front has no record in a session, but some shortly before; whether it is back shortly after decides.
    fn may_be_missing(&self, day: &Day, before: &[Day]) -> bool {
        let Some((front, _)) = self.front.as_ref().filter(|_| !day.is_rolled()) else { return false };
        !trades(day, front) && before.iter().any(|day| trades(day, front))
    }

    /// The contract that trades more than the front on a date, which trades too.
    fn overtaken<'d>(&self, day: &'d Day) -> Option<(&'d Traded, &'d Traded)> {
        let (symbol, _) = self.front.as_ref().filter(|_| !day.is_rolled())?;
        let front = day.of(symbol).filter(|front| front.session > 0)?;
        let most = most(&day.contracts.iter().collect::<Vec<_>>(), |contract| contract.session)?;
        (most.session > front.session).then_some((front, most))
    }

    /// The contract whose records the front has on a date, and which has those of the front: for this one date it trades more,
    /// and what it costs beyond the front has the opposite sign. Volumes that swing do not change prices.
    fn swapped(&self, day: &Day, before: &[Day], after: &[Day]) -> Option<String> {
        let (front, other) = self.overtaken(day)?;
        let beyond = |front: &Traded, other: &Traded| Some(i64::from(other.close?) - i64::from(front.close?));
        // Of a date on which the front trades more.
        let usual = |day: &Day| {
            let (front, other) = (day.of(&front.symbol)?, day.of(&other.symbol)?);
            if front.session > other.session { beyond(front, other) } else { None }
        };
        let (earlier, later) = (usual(before.last()?)?, usual(after.first()?)?);
        let (now, twice) = (beyond(front, other)?, earlier + later);
        let same_sign = earlier.signum() == later.signum() && earlier.abs().min(later.abs()) >= LEAST_BEYOND;
        // Within half of the usual distance from its opposite.
        let opposite = 2 * (2 * now + twice).abs() <= twice.abs();
        (same_sign && opposite).then(|| other.symbol.clone())
    }

    fn volume_before(&self, symbol: &str) -> u64 {
        self.previous.get(symbol).copied().unwrap_or(0)
    }

    fn is_front(&self, contract: &Traded) -> bool {
        self.front.as_ref().is_some_and(|(symbol, _)| *symbol == contract.symbol)
    }

    fn eligible(&self, contract: &Traded) -> bool {
        let Some((_, front)) = &self.front else { return true };
        match (front, contract.expiry) {
            _ if contract.rolled => true,
            (Some(front), Some(expiry)) => expiry >= *front,
            // Without delivery months, what has been left does not come back.
            _ => !self.left.contains(&contract.symbol),
        }
    }
}

/// Whether a contract trades in the session of a date.
fn trades(day: &Day, symbol: &str) -> bool {
    day.of(symbol).is_some_and(|contract| contract.session > 0)
}

/// The candidate with the most volume, the earliest expiry of equal ones; `None` when none has any.
fn most<'a>(candidates: &[&'a Traded], volume: impl Fn(&Traded) -> u64) -> Option<&'a Traded> {
    let mut best: Option<&Traded> = None;
    for &contract in candidates {
        // Contracts are in order of expiry.
        if volume(contract) > best.map_or(0, &volume) {
            best = Some(contract);
        }
    }
    best
}

/// Describes the rollover at `window` to the contract `to`.
#[must_use]
pub fn rollover(
    view: &ColumnsView<'_>,
    windows: &Windows<'_>,
    window: &Window,
    from: &Replaced,
    to: &str,
    instrument: &Instrument,
    tick: Tick,
) -> Rollover {
    Rollover {
        date: window.date,
        price_gap: price_gap(view, windows, window, from, to, tick),
        // Of a contract by its id nobody knows the delivery month.
        expected: from.expiry.and_then(|delivery| instrument.expects_roll(window.date, Some(delivery))),
        from: from.symbol.clone(),
        to: to.to_owned(),
        volume_from: from.volume,
        volume_to: from.volume_to,
    }
}

/// Close of the new contract minus that of the old one at the last second before the session in which both traded, on its
/// date or one of the five before.
#[must_use]
pub fn price_gap(
    view: &ColumnsView<'_>,
    windows: &Windows<'_>,
    window: &Window,
    from: &Replaced,
    to: &str,
    tick: Tick,
) -> Option<f64> {
    let since = windows.of(from.since)?.begin;
    let rows = |symbol: &str| -> Option<std::ops::Range<usize>> {
        let contract = view.contracts.iter().find(|contract| contract.symbol == symbol)?;
        Some(view.rows_between(contract, since, window.start()))
    };
    let (mut a, mut b) = (rows(&from.symbol)?, rows(to)?);
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
mod tests;
