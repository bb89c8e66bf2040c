//! Stretches of time that are wrong: a few hours, a few days, or all of a file.

use dbn::OhlcvMsg;
use rand::RngExt;

use super::{Defect, Scope};
use crate::{
    Month,
    synth::{
        Plan, SynthError,
        calendar::{TradeDay, unix},
        chance,
        contracts::{Kind, Listing},
        truth::DefectAt,
    },
};

const NANOS: u64 = 1_000_000_000;
const HOUR: i64 = 3_600;
/// A half day's end, seconds after the session's start: at no time an exchange would choose.
const HALF_DAY: i64 = 14_025;
/// Days that are an hour late.
const LATE_DAYS: usize = 3;
/// A file of another month is five weeks late: its weekdays still fit.
const LATER: u64 = 35 * 86_400 * NANOS;

/// What stretches are chosen from.
pub(in crate::synth) struct Spans<'a> {
    pub plan: &'a Plan,
    pub month: Month,
    pub listing: &'a Listing,
    /// Trade dates in order.
    pub days: &'a [TradeDay],
    /// Indices of the ordinary ones among them.
    pub ordinary: &'a [usize],
}

impl Spans<'_> {
    /// Spoils stretches of the records, and says which.
    pub fn spoil(&self, records: &mut Vec<OhlcvMsg>) -> Result<Vec<DefectAt>, SynthError> {
        let mut kinds: Vec<Defect> = self.plan.defects.clone();
        kinds.retain(|kind| kind.scope() == Scope::Span && *kind != Defect::MissingDay);
        kinds.sort_unstable();
        kinds.dedup();
        let (mut done, mut moved) = (Vec::with_capacity(kinds.len()), false);
        for kind in kinds {
            let mut rng = chance::of_defect(self.plan.seed, self.month, kind);
            // The last ones are left alone: a stretch of several days ends within the month.
            let choice = self.ordinary.len().saturating_sub(LATE_DAYS).max(1);
            let Some(&day) = self.ordinary.get(rng.random_range(0..choice)) else { continue };
            let ts = self.apply(kind, day, records)?;
            moved |= matches!(kind, Defect::WrongDst | Defect::ContractMix);
            done.push(DefectAt { kind, record: None, ts, symbol: None });
        }
        if moved {
            records.sort_by_key(|record| (record.hd.ts_event, record.hd.instrument_id));
        }
        Ok(done)
    }

    /// Applies one kind to a day; the first nanosecond that is touched.
    fn apply(&self, kind: Defect, day: usize, records: &mut Vec<OhlcvMsg>) -> Result<u64, SynthError> {
        let zone = self.plan.instrument.zone()?;
        let date = self.days[day].date;
        let at = |second: i64| unix(date, second, &zone).map(|second| second as u64 * NANOS);
        let spans = self.plan.instrument.spans(date).unwrap_or_default();
        let start = spans.first().map_or(0, |span| span.start);
        let end = spans.last().map_or(start, |span| span.end);
        let (midnight, next) = (at(0)?, at(86_400)?);
        let whole = 0..u64::MAX;
        let late = self.days[day].open as u64 * NANOS
            ..self.days[(day + LATE_DAYS).min(self.days.len()) - 1].close as u64 * NANOS;
        let span = match kind {
            Defect::HalfDay => at(start + HALF_DAY)?..next,
            Defect::MissingHours => at(start + 2 * HOUR)?..at(start + 4 * HOUR)?,
            Defect::StuckPrice => at(start + 3 * HOUR)?..at(start + 4 * HOUR)?,
            Defect::FrontOutage => at(start)?..at(end)?,
            Defect::WrongDst => late,
            Defect::DoubledVolume
            | Defect::DayTimesTen
            | Defect::DayTenth
            | Defect::ShiftedDay
            | Defect::ContractMix => midnight..next,
            _ => whole,
        };
        let [near, far] = [0, 1].map(|index| self.id(Kind::Outright(index)));
        let front = self.id(Kind::Outright(self.listing.front(date)));
        let tick = self.plan.instrument.tick_nanos;
        // A tick of 0.25 becomes one of 0.1.
        let other = tick * 2 / 5;
        let mut stuck = None;
        let touched = |record: &OhlcvMsg| span.contains(&record.hd.ts_event);
        if matches!(kind, Defect::HalfDay | Defect::MissingHours) {
            records.retain(|record| !touched(record));
        }
        if kind == Defect::FrontOutage {
            records.retain(|record| !touched(record) || record.hd.instrument_id != front);
        }
        for record in records.iter_mut().filter(|record| touched(record)) {
            let id = record.hd.instrument_id;
            match kind {
                Defect::StuckPrice if id == front => {
                    let price = *stuck.get_or_insert(record.close);
                    prices(record, |_| price);
                }
                Defect::DoubledVolume => record.volume *= 2,
                Defect::WrongDst => record.hd.ts_event += HOUR.unsigned_abs() * NANOS,
                Defect::DayTimesTen | Defect::FileTimesTen => prices(record, |price| price * 10),
                Defect::DayTenth => prices(record, |price| price / 10),
                Defect::FileHundredth => prices(record, |price| price / 100),
                Defect::ShiftedDay => record.hd.ts_event += NANOS / 2,
                Defect::ContractMix if id == near => record.hd.instrument_id = far,
                Defect::ContractMix if id == far => record.hd.instrument_id = near,
                Defect::WrongTick => prices(record, |price| (price / other) * other),
                Defect::OtherMonth => record.hd.ts_event += LATER,
                _ => {}
            }
        }
        Ok(if span.start == 0 { records.first().map_or(0, |record| record.hd.ts_event) } else { span.start })
    }

    fn id(&self, kind: Kind) -> u32 {
        self.listing.contracts.iter().find(|contract| contract.kind == kind).map_or(0, |contract| contract.id)
    }
}

fn prices(record: &mut OhlcvMsg, change: impl Fn(i64) -> i64) {
    for price in [&mut record.open, &mut record.high, &mut record.low, &mut record.close] {
        *price = change(*price);
    }
}

/// The instruments as the file names them: with [`Defect::WrongRoot`] they are of another root.
pub(in crate::synth) fn renamed(plan: &Plan, listing: Listing) -> Listing {
    if !plan.defects.contains(&Defect::WrongRoot) {
        return listing;
    }
    let root = &plan.instrument.root;
    let other = if root == "NQ" { "ES" } else { "NQ" };
    let mut listing = listing;
    for contract in &mut listing.contracts {
        let legs: Vec<String> = contract.symbol.split('-').map(|leg| leg.replacen(root.as_str(), other, 1)).collect();
        contract.symbol = legs.join("-");
    }
    listing
}
