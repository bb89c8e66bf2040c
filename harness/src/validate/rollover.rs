//! Front contracts and rollovers of the statistics: against the raw volumes where there are any, against the month
//! before, and against the truth where the files were made.

use data::{
    Month,
    columns::{ColumnsView, ContractRows},
    grid::Rollover,
    roll_window::{Anchor, RollWindow, third_friday},
    synth::MonthTruth,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    finding::{Check, Findings},
    front::{self, Day, Roll, Trading, expiry},
    making::Making,
    raw::Raw,
};
use crate::run::training::MonthColumns;
use statistics::Statistics;

const ROLLOVER: Check = Check::Rollover;
/// Sessions on each side of a roll whose volumes are shown.
const AROUND: usize = 2;

/// Rolls found and rolls that happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accuracy {
    /// Months with a truth to compare with.
    pub months: u64,
    /// Rolls that happened.
    pub happened: u64,
    /// Those found on the right session.
    pub found: u64,
    /// Rolls found that did not happen.
    pub invented: u64,
}

impl Accuracy {
    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            months: self.months + other.months,
            happened: self.happened + other.happened,
            found: self.found + other.found,
            invented: self.invented + other.invented,
        }
    }
}

/// Compares the rollovers of a month's statistics; `before` are those of the month before.
pub fn check(
    statistics: &Statistics,
    before: Option<&Statistics>,
    raw: Option<&Raw>,
    making: &Making,
    findings: &mut Findings,
) -> Accuracy {
    let named: Vec<&Rollover> = statistics.rollovers.iter().filter(|roll| !roll.is_gap()).collect();
    against_sessions(statistics, before, &named, findings);
    for roll in &named {
        window(roll, expiry(&roll.from, statistics.month), raw, making, findings);
    }
    if let Some(before) = before {
        continuity(statistics, before, raw, making, findings);
    }
    let Some(raw) = raw else { return Accuracy::default() };
    against_volumes(statistics, &named, raw, making, findings);
    against_truth(&named, raw, findings)
}

/// The rollovers are the changes of contract between the sessions, the last one of the month before included.
fn against_sessions(
    statistics: &Statistics,
    before: Option<&Statistics>,
    named: &[&Rollover],
    findings: &mut Findings,
) {
    let Statistics { sessions, fronts, .. } = statistics;
    // A gap of price between contracts that have no names is no change of them.
    let mut front = fronts.month_before.as_deref().filter(|symbol| !symbol.is_empty());
    let mut changes = Vec::new();
    for session in sessions {
        if let Some(from) = front.replace(&session.contract).filter(|from| *from != session.contract) {
            changes.push(Roll { date: session.date, from: from.to_owned(), to: session.contract.clone() });
        }
    }
    let rolls = of(named);
    if rolls != changes {
        findings.error(
            ROLLOVER,
            "sessions",
            format!("rollovers {}", text(&rolls)),
            format!("{}, as the sessions' contracts", text(&changes)),
        );
    }
    let last = before.and_then(|before| before.sessions.last()).map(|session| session.contract.as_str());
    if let (Some(known), Some(last)) = (fronts.month_before.as_deref(), last)
        && known != last
    {
        let found = format!("{known} was front in the month before");
        findings.error(ROLLOVER, "month_before", found, format!("{last}, its last session's contract: run it again"));
    }
}

/// A roll outside of its expected window, with the volumes around it.
fn window(roll: &Rollover, expiry: Option<Month>, raw: Option<&Raw>, making: &Making, findings: &mut Findings) {
    let window = making.instrument.roll_window();
    let expected = window.zip(expiry).map(|(window, expiry)| within(roll.date, expiry, window));
    let what = format!("{} {} -> {}", roll.date, roll.from, roll.to);
    let text = |expected: Option<bool>| expected.map_or("null".to_owned(), |expected| expected.to_string());
    if expected != roll.expected {
        let found = format!("{what} marked as expected: {}", text(roll.expected));
        findings.error(ROLLOVER, "expected", found, format!("{}, by the root's window", text(expected)));
    }
    if let Some(window) = window.filter(|_| expected == Some(false)) {
        let volumes = raw.map_or_else(
            || format!("volumes {} and {} on that date", roll.volume_from, roll.volume_to),
            |raw| evidence(&raw.days, raw.view().contracts, &roll.from, &roll.to, roll.date),
        );
        let of = expiry.map_or_else(|| "its delivery month".into(), |expiry| expiry.to_string());
        findings.warning(
            ROLLOVER,
            "window",
            format!("{what}; {volumes}"),
            format!("a roll on the days {window} of {of}"),
        );
    }
}

/// The first session goes on with the contract of the month before, or with a later one in its expected window; any later one
/// where the root has no window.
fn continuity(
    statistics: &Statistics,
    before: &Statistics,
    raw: Option<&Raw>,
    making: &Making,
    findings: &mut Findings,
) {
    let (Some(last), Some(first)) = (before.sessions.last(), statistics.sessions.first()) else { return };
    // A roll that is recorded on that session is judged as such.
    let recorded = statistics.rollovers.iter().any(|roll| roll.date == first.date && roll.from == last.contract);
    if recorded || last.contract == first.contract || last.contract.is_empty() || first.contract.is_empty() {
        return;
    }
    let (from, to) = (expiry(&last.contract, before.month), expiry(&first.contract, statistics.month));
    let window = making.instrument.roll_window();
    let found =
        format!("{} in the last session of {}, {} on {}", last.contract, before.month, first.contract, first.date);
    let volumes = raw.map(|raw| evidence(&raw.days, raw.view().contracts, &last.contract, &first.contract, first.date));
    let found = volumes.map_or(found.clone(), |volumes| format!("{found}; {volumes}"));
    match (from, to) {
        // The month before says so itself.
        _ if before.rollovers.iter().any(|roll| roll.expected == Some(false)) => {
            findings.note(
                ROLLOVER,
                "continuity",
                found,
                format!("what follows an unexpected roll in {}", before.month),
            );
        }
        (Some(from), Some(to)) if to < from => {
            findings.error(ROLLOVER, "continuity", found, "rolls only go forward");
        }
        (Some(from), _) if window.is_none_or(|window| within(first.date, from, window)) => {}
        _ => findings.warning(ROLLOVER, "continuity", found, "the same contract, or a roll in its expected window"),
    }
}

/// Contracts, rolls, their volumes and price gaps, from the records of all contracts.
fn against_volumes(statistics: &Statistics, named: &[&Rollover], raw: &Raw, making: &Making, findings: &mut Findings) {
    let view = raw.view();
    let symbol = |contract: usize| view.contracts[contract].symbol.as_str();
    let fronts: Vec<(Date, &str)> = raw.days.iter().filter_map(|day| Some((day.date, symbol(day.front?)))).collect();
    for session in &statistics.sessions {
        let front = fronts.iter().find(|(date, _)| *date == session.date).map(|(_, front)| *front);
        if front != Some(session.contract.as_str()) {
            let found = format!("{} {}", session.date, session.contract);
            findings.error(ROLLOVER, "front", found, format!("{}, by volume", front.unwrap_or("no session")));
        }
    }
    // A choice that started afresh knew of no front before: then a roll on the first session is none.
    let before = raw.before.as_deref().filter(|_| statistics.fronts.month_before.is_some());
    let (rolls, expected) = (of(named), front::rolls(&raw.days, view.contracts, before));
    if rolls != expected {
        findings.error(ROLLOVER, "rolls", text(&rolls), format!("{}, by volume", text(&expected)));
    }
    for roll in named {
        let index = |wanted: &str| view.contracts.iter().position(|contract| contract.symbol == wanted);
        let Some(position) = raw.days.iter().position(|day| day.date == roll.date) else { continue };
        let day = &raw.days[position];
        let own = front::trading(&raw.days[..position], view.contracts);
        let dates: Vec<&Trading> = raw.earlier.iter().chain(&own).collect();
        let volume = |symbol: &str| match making.choice {
            data::contract::Choice::Volume => index(symbol).map_or(0, |contract| day.session[contract]),
            data::contract::Choice::VolumePrevious => dates.last().map_or(0, |before| before.session(symbol)),
        };
        let volumes = (volume(&roll.from), volume(&roll.to));
        if volumes != (roll.volume_from, roll.volume_to) {
            let found = format!("{}: volumes {} and {}", roll.date, roll.volume_from, roll.volume_to);
            findings.error(ROLLOVER, "volumes", found, format!("{} and {}", volumes.0, volumes.1));
        }
        let since = dates[dates.len().saturating_sub(front::NEAR)..].first().map_or(day.midnight, |date| date.midnight);
        let gap = |columns: &MonthColumns| price_gap(&columns.view(), roll, since, day.windows[0].0);
        let gap = gap(raw.columns()).or_else(|| gap(raw.columns_before.as_ref()?));
        let gap = gap.map(|ticks| (ticks * making.instrument.tick_nanos) as f64 / 1e9);
        let text = |gap: Option<f64>| gap.map_or("none".to_owned(), |gap| gap.to_string());
        if gap != roll.price_gap {
            let found = format!("{}: price gap {}", roll.date, text(roll.price_gap));
            findings.error(ROLLOVER, "price_gap", found, text(gap));
        }
    }
}

/// Close of the new contract minus that of the old one, in ticks, at the last second of a span in which both traded.
fn price_gap(view: &ColumnsView<'_>, roll: &Rollover, since: i64, start: i64) -> Option<i64> {
    let index = |wanted: &str| view.contracts.iter().find(|contract| contract.symbol == wanted);
    let (from, to) = (index(&roll.from)?, index(&roll.to)?);
    let new: Vec<usize> = front::rows(view, to, since, start).collect();
    front::rows(view, from, since, start).rev().find_map(|old| {
        let same = new.binary_search_by_key(&view.time[old], |&row| view.time[row]).ok()?;
        Some(i64::from(view.close[new[same]]) - i64::from(view.close[old]))
    })
}

fn against_truth(named: &[&Rollover], raw: &Raw, findings: &mut Findings) -> Accuracy {
    let Some(truth) = &raw.truth else { return Accuracy::default() };
    let (rolls, happened) = (of(named), happened(truth));
    if rolls != happened {
        findings.error(ROLLOVER, "truth", text(&rolls), format!("{}, by truth.json", text(&happened)));
    }
    accuracy(&rolls, &happened)
}

/// How many of a month's rolls the truth knows, and of its own the statistics.
pub fn against(truth: &MonthTruth, statistics: &Statistics) -> Accuracy {
    let named: Vec<&Rollover> = statistics.rollovers.iter().filter(|roll| !roll.is_gap()).collect();
    accuracy(&of(&named), &happened(truth))
}

fn accuracy(rolls: &[Roll], happened: &[Roll]) -> Accuracy {
    let found = rolls.iter().filter(|roll| happened.contains(roll)).count() as u64;
    Accuracy { months: 1, happened: happened.len() as u64, found, invented: rolls.len() as u64 - found }
}

fn happened(truth: &MonthTruth) -> Vec<Roll> {
    let roll = |roll: &data::synth::Rollover| Roll { date: roll.date, from: roll.from.clone(), to: roll.to.clone() };
    truth.rollovers.iter().map(roll).collect()
}

/// Volumes of both contracts in the sessions around a date.
fn evidence(days: &[Day], contracts: &[ContractRows], from: &str, to: &str, date: Date) -> String {
    let traded: Vec<&Day> = days.iter().filter(|day| day.session.iter().any(|&volume| volume > 0)).collect();
    let at = traded.iter().position(|day| day.date >= date).unwrap_or(traded.len());
    let around = &traded[at.saturating_sub(AROUND)..traded.len().min(at + AROUND + 1)];
    let volume = |day: &Day, symbol: &str| {
        contracts.iter().position(|contract| contract.symbol == symbol).map_or(0, |contract| day.session[contract])
    };
    let session = |day: &&Day| format!("{} {} / {}", day.date, volume(day, from), volume(day, to));
    let sessions: Vec<String> = around.iter().map(session).collect();
    format!("volumes of {from} / {to}: {}", sessions.join(", "))
}

/// Whether a date lies in the window of a delivery month, counted in days from the date back to its anchor.
fn within(date: Date, expiry: Month, window: RollWindow) -> bool {
    let anchor = match window.anchor {
        Anchor::FirstDay => Some(expiry.first_day()),
        Anchor::ThirdFriday => third_friday(expiry.first_day()),
    };
    let days = anchor.and_then(|anchor| date.since(anchor).ok()).map(|span| span.get_days());
    days.is_some_and(|days| (i32::from(window.from)..=i32::from(window.to)).contains(&days))
}

fn of(named: &[&Rollover]) -> Vec<Roll> {
    named.iter().map(|roll| Roll { date: roll.date, from: roll.from.clone(), to: roll.to.clone() }).collect()
}

fn text(rolls: &[Roll]) -> String {
    let rolls: Vec<String> = rolls.iter().map(|roll| format!("{} {} -> {}", roll.date, roll.from, roll.to)).collect();
    if rolls.is_empty() { "none".into() } else { rolls.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::finding::Severity;
    use statistics::SessionStatistics;

    /// A month with a session a day from this one on, of these contracts.
    fn month(month: &str, first: i8, contracts: &[&str]) -> Statistics {
        let month: Month = month.parse().unwrap();
        let date = |day: i8| Date::constant(month.year(), month.month(), day);
        let of = statistics::fixtures::statistics();
        let session = |(day, contract): (i8, &&str)| SessionStatistics {
            date: date(day),
            contract: (*contract).to_owned(),
            ..of.sessions[0].clone()
        };
        Statistics { month, sessions: (first..).zip(contracts).map(session).collect(), ..of }
    }

    fn roll(date: Date, from: &str, to: &str, expected: bool) -> Rollover {
        let (from, to) = (from.to_owned(), to.to_owned());
        Rollover { date, from, to, price_gap: None, volume_from: 5, volume_to: 9, expected: Some(expected) }
    }

    fn found(statistics: &Statistics, before: Option<&Statistics>) -> Vec<(Severity, &'static str, String)> {
        let zone = jiff::tz::TimeZone::get("America/Chicago").unwrap();
        let making = Making {
            profile: kernels::Profile::Session,
            instrument: data::Instrument::default(),
            zone,
            choice: data::contract::Choice::Volume,
            float64: false,
            timestamps: Default::default(),
            labels: data::labels::Labels::default(),
            reference: statistics.month,
        };
        let mut findings = Findings::new(None);
        check(statistics, before, None, &making, &mut findings);
        findings.into_inner().into_iter().map(|finding| (finding.severity, finding.rule, finding.found)).collect()
    }

    #[test]
    fn a_roll_in_its_window_is_no_finding_and_one_outside_comes_with_its_volumes() {
        // The third Friday of December 2013 is the 20th.
        let mut december = month("2013-12", 9, &["ESZ3", "ESH4"]);
        december.rollovers = vec![roll(Date::constant(2013, 12, 10), "ESZ3", "ESH4", true)];
        assert_eq!(found(&december, None), []);
        let mut early = month("2013-12", 8, &["ESZ3", "ESH4"]);
        early.rollovers = vec![roll(Date::constant(2013, 12, 9), "ESZ3", "ESH4", false)];
        let findings = found(&early, None);
        let text = "2013-12-09 ESZ3 -> ESH4; volumes 5 and 9 on that date";
        assert_eq!(findings, [(Severity::Warning, "window", text.to_owned())]);
        early.rollovers[0].expected = Some(true);
        assert_eq!(found(&early, None)[0].1, "expected");
    }

    #[test]
    fn rollovers_are_the_changes_between_sessions() {
        let december = month("2013-12", 9, &["ESZ3", "ESH4"]);
        assert_eq!(found(&december, None), [(Severity::Error, "sessions", "rollovers none".to_owned())]);
    }

    #[test]
    fn a_month_goes_on_with_the_contract_of_the_month_before() {
        let november = month("2013-11", 28, &["ESZ3"]);
        let continuity = |contract: &str, before: &Statistics| {
            let findings = found(&month("2013-12", 2, &[contract]), Some(before));
            findings.into_iter().map(|(severity, rule, _)| (severity, rule)).collect::<Vec<_>>()
        };
        assert_eq!(continuity("ESZ3", &november), []);
        assert_eq!(continuity("ESH4", &november), [(Severity::Warning, "continuity")]);
        let ahead = month("2013-11", 28, &["ESH4"]);
        assert_eq!(continuity("ESZ3", &ahead), [(Severity::Error, "continuity")]);
        // The unexpected roll in November is November's finding.
        let mut rolled = month("2013-11", 27, &["ESZ3", "ESH4"]);
        rolled.rollovers = vec![roll(Date::constant(2013, 11, 28), "ESZ3", "ESH4", false)];
        assert_eq!(continuity("ESZ3", &rolled), [(Severity::Note, "continuity")]);
        // A gap of months up to the window of the roll.
        let december = found(&month("2013-12", 12, &["ESH4"]), Some(&november));
        assert_eq!(december, []);
    }

    #[test]
    fn volumes_of_the_five_sessions_around_a_date() {
        let contracts: Vec<ContractRows> = ["ESZ3", "ESH4"]
            .map(|symbol| ContractRows { symbol: symbol.into(), expiry: None, rolled: false, rows: 0..0 })
            .to_vec();
        let days: Vec<Day> = (9..16).map(|day| Day::of(Date::constant(2013, 12, day), vec![100, day as u64])).collect();
        let text = evidence(&days, &contracts, "ESZ3", "ESH4", Date::constant(2013, 12, 12));
        assert_eq!(
            text,
            "volumes of ESZ3 / ESH4: 2013-12-10 100 / 10, 2013-12-11 100 / 11, 2013-12-12 100 / 12, \
             2013-12-13 100 / 13, 2013-12-14 100 / 14"
        );
    }
}
