//! What each contract traded on each trading date: all that other months have to know of a raw file. A few kilobytes, where
//! the file has megabytes.

use std::{collections::BTreeMap, ops::Range};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    columns::{ColumnsView, ContractRows},
    instrument::{Instrument, InstrumentError},
    month::Month,
    window::Windows,
};

/// One contract on one trading date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traded {
    /// Its symbol; empty where the input has neither symbols nor ids.
    pub symbol: String,
    /// Its delivery month.
    pub expiry: Option<Month>,
    /// Contracts traded between the beginning of the date and the session.
    pub before: u64,
    /// Contracts traded in the date's sessions.
    pub session: u64,
    /// Last close of its sessions in ticks.
    pub close: Option<i32>,
    /// Whether it is of a series that is rolled already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rolled: bool,
}

/// One trading date: its contracts in order of delivery month, then symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// Local trading date.
    pub date: Date,
    /// What traded.
    pub contracts: Vec<Traded>,
}

impl Day {
    /// A contract of the date.
    #[must_use]
    pub fn of(&self, symbol: &str) -> Option<&Traded> {
        self.contracts.iter().find(|contract| contract.symbol == symbol)
    }

    /// Whether all that traded in the session is of series that are rolled already: the front is what there is.
    #[must_use]
    pub fn is_rolled(&self) -> bool {
        self.contracts.iter().all(|contract| contract.rolled || contract.session == 0)
    }

    /// Whether any contract traded in the session.
    #[must_use]
    pub fn has_session(&self) -> bool {
        self.contracts.iter().any(|contract| contract.session > 0)
    }
}

/// The part of a trading date that lies in one date of UTC, at whose midnights files are cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    date: Date,
    utc_date: Date,
    contracts: Vec<Traded>,
}

/// The trading dates of one raw file or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Volumes {
    /// In order of trading date, then UTC date.
    pieces: Vec<Piece>,
}

impl Volumes {
    /// Those of a month's columns.
    ///
    /// # Errors
    /// [`InstrumentError`] when the time zone is not known.
    pub fn of(view: &ColumnsView<'_>, instrument: &Instrument) -> Result<Self, InstrumentError> {
        const UTC_DAY: i64 = 86_400;
        let windows = Windows::new(instrument)?;
        let seconds = view.contracts.iter().flat_map(|contract| {
            let times = &view.time[contract.rows.clone()];
            [times.first(), times.last()]
        });
        let (mut first, mut last) = (u32::MAX, 0);
        for &second in seconds.flatten() {
            (first, last) = (first.min(second), last.max(second));
        }
        let mut pieces = Vec::new();
        for window in windows.between(windows.date(first.into()), windows.date(last.into())).filter(|_| first <= last) {
            let begin = window.begin;
            for day in begin.div_euclid(UTC_DAY)..=(window.end() - 1).div_euclid(UTC_DAY) {
                let within = |second: i64| second.clamp(day * UTC_DAY, (day + 1) * UTC_DAY);
                let volume = |rows: Range<usize>| view.volume[rows].iter().copied().map(u64::from).sum::<u64>();
                let traded = |contract: &ContractRows| {
                    let rows = |from, to| view.rows_between(contract, within(from), within(to));
                    let sessions = window.spans().iter().map(|span| rows(span.start, span.end));
                    let last = sessions.clone().rev().find_map(Iterator::last);
                    Traded {
                        symbol: contract.symbol.clone(),
                        expiry: contract.expiry,
                        before: volume(rows(begin, window.start())),
                        close: last.map(|row| view.close[row]),
                        session: sessions.map(volume).sum(),
                        rolled: contract.rolled,
                    }
                };
                let mut contracts: Vec<Traded> = view.contracts.iter().map(traded).collect();
                contracts.retain(|contract| contract.before > 0 || contract.session > 0);
                if let (false, Some(utc_date)) = (contracts.is_empty(), utc_date(day)) {
                    pieces.push(Piece { date: window.date, utc_date, contracts });
                }
            }
        }
        Ok(Self { pieces })
    }

    /// Those of one date.
    #[must_use]
    pub fn of_day(day: Day) -> Self {
        let Day { date, contracts } = day;
        Self { pieces: vec![Piece { date, utc_date: date, contracts }] }
    }

    /// Forgets the dates before one.
    pub fn forget_before(&mut self, date: Date) {
        self.pieces.retain(|piece| piece.date >= date);
    }

    /// What of them lies in UTC dates from one to another, both included.
    #[must_use]
    pub fn within(&self, (first, last): (Date, Date)) -> Self {
        Self { pieces: self.pieces.iter().filter(|piece| (first..=last).contains(&piece.utc_date)).cloned().collect() }
    }

    /// Adds those of another file. What both have of one UTC date is the same, and counts once.
    pub fn add(&mut self, other: &Self) {
        let mut pieces: BTreeMap<(Date, Date), Vec<Traded>> = BTreeMap::new();
        for piece in self.pieces.drain(..).chain(other.pieces.iter().cloned()) {
            let known = pieces.entry((piece.date, piece.utc_date)).or_default();
            for contract in piece.contracts {
                match known.iter_mut().find(|known| known.symbol == contract.symbol) {
                    Some(known) if known.before + known.session >= contract.before + contract.session => {}
                    Some(known) => *known = contract,
                    None => known.push(contract),
                }
            }
            known.sort_by(|a, b| (a.expiry, &a.symbol).cmp(&(b.expiry, &b.symbol)));
        }
        let piece = |((date, utc_date), contracts)| Piece { date, utc_date, contracts };
        self.pieces = pieces.into_iter().map(piece).collect();
    }

    /// Last close of each of a month's sessions in order, in ticks, of the contract that trades most.
    #[must_use]
    pub fn closes(&self, month: Month) -> Vec<i32> {
        let most = |day: &Day| day.contracts.iter().max_by_key(|contract| contract.session).and_then(|most| most.close);
        self.days(month.first_day(), month.last_day()).iter().filter_map(most).collect()
    }

    /// The dates from one to another, both included, on which anything traded.
    #[must_use]
    pub fn days(&self, first: Date, last: Date) -> Vec<Day> {
        let mut days: Vec<Day> = Vec::new();
        for piece in self.pieces.iter().filter(|piece| (first..=last).contains(&piece.date)) {
            match days.last_mut().filter(|day| day.date == piece.date) {
                None => days.push(Day { date: piece.date, contracts: piece.contracts.clone() }),
                Some(day) => day.go_on(&piece.contracts),
            }
        }
        days
    }
}

impl Day {
    /// Adds what traded later on the date.
    fn go_on(&mut self, later: &[Traded]) {
        for contract in later {
            match self.contracts.iter_mut().find(|known| known.symbol == contract.symbol) {
                Some(known) => {
                    known.before += contract.before;
                    known.session += contract.session;
                    known.close = contract.close.or(known.close);
                }
                None => self.contracts.push(contract.clone()),
            }
        }
        self.contracts.sort_by(|a, b| (a.expiry, &a.symbol).cmp(&(b.expiry, &b.symbol)));
    }
}

/// A date of UTC by its number since 1970.
fn utc_date(day: i64) -> Option<Date> {
    let midnight = jiff::Timestamp::from_second(day.checked_mul(86_400)?).ok()?;
    Some(jiff::tz::TimeZone::UTC.to_datetime(midnight).date())
}

#[cfg(test)]
impl Volumes {
    /// Those of some dates in order.
    pub fn of_days(days: impl Iterator<Item = (Date, Vec<Traded>)>) -> Self {
        Self { pieces: days.map(|(date, contracts)| Piece { date, utc_date: date, contracts }).collect() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::collector::{Bar, Collector, Name};
    use crate::columns::Columns;

    /// A contract that goes by its delivery month, where it has one.
    pub(crate) fn traded(symbol: &str, before: u64, session: u64) -> Traded {
        Traded { symbol: symbol.into(), expiry: symbol.parse().ok(), before, session, close: None, rolled: false }
    }

    /// 2024-01-31 00:00:00 in Chicago.
    const MIDNIGHT: u64 = 1_706_680_800;

    fn columns(trades: &[(&str, u64, i64, u64)]) -> Columns {
        let instrument = Instrument::default();
        let mut collector = Collector::new("2024-01".parse().unwrap(), &instrument);
        for (record, &(symbol, second, ticks, volume)) in trades.iter().enumerate() {
            let index = collector.symbol(symbol, Name::Symbol);
            let price = ticks * instrument.tick_nanos;
            let nanos = (MIDNIGHT + second) * 1_000_000_000;
            collector.push(
                index,
                &Bar { nanos, open: price, high: price, low: price, close: price, volume },
                record as u64,
            );
        }
        collector.finish().unwrap()
    }

    fn of(trades: &[(&str, u64, i64, u64)], session_end: u32) -> Volumes {
        let instrument = Instrument { session_end, ..Instrument::default() };
        Volumes::of(&columns(trades).view(), &instrument).unwrap()
    }

    fn days(volumes: &Volumes) -> Vec<Day> {
        volumes.days(Date::constant(2024, 1, 1), Date::constant(2024, 2, 28))
    }

    #[test]
    fn volumes_before_and_in_the_session_and_its_last_close() {
        let open = 27_000;
        let volumes = of(
            &[
                ("ESM4", open, 104, 1),
                ("ESH4", open - 1, 99, 7),
                ("ESH4", open, 100, 5),
                ("ESH4", open + 9, 101, 6),
                ("ESH4", 54_000, 102, 3),
                ("ESU4", 80_000, 102, 3),
            ],
            54_000,
        );
        let traded = |symbol: &str, expiry: &str, before, session, close| Traded {
            symbol: symbol.into(),
            expiry: expiry.parse().ok(),
            before,
            session,
            close,
            rolled: false,
        };
        let contracts = vec![traded("ESH4", "2024-03", 7, 11, Some(101)), traded("ESM4", "2024-06", 0, 1, Some(104))];
        assert_eq!(days(&volumes), [Day { date: Date::constant(2024, 1, 31), contracts }]);
        let json = serde_json::to_string(&volumes).unwrap();
        assert_eq!(serde_json::from_str::<Volumes>(&json).unwrap(), volumes);
    }

    #[test]
    fn a_date_in_two_files_is_the_same_as_in_one_and_what_both_have_counts_once() {
        // 18:00 in Chicago is midnight UTC.
        let trades =
            [("ESH4", 50_000, 100, 5), ("ESH4", 64_799, 101, 6), ("ESH4", 64_800, 102, 3), ("ESM4", 70_000, 103, 2)];
        let whole = of(&trades, 86_400);
        let (mut early, late) = (of(&trades[..2], 86_400), of(&trades[2..], 86_400));
        early.add(&late);
        assert_eq!(early, whole);
        early.add(&late);
        early.add(&whole);
        assert_eq!(early, whole);
        let [day] = &days(&whole)[..] else { panic!("{whole:?}") };
        assert_eq!(day.of("ESH4").map(|contract| (contract.session, contract.close)), Some((14, Some(102))));
        assert_eq!(day.contracts.len(), 2);
    }

    #[test]
    fn no_records_are_no_dates() {
        assert_eq!(of(&[], 54_000), Volumes::default());
    }
}
