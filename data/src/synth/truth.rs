//! What is in the files that were made: the answers a reader of them has to find.

use std::{collections::BTreeMap, ops::Range};

use dbn::OhlcvMsg;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::{
    Defect, Plan, SynthError,
    calendar::unix,
    contracts::{Kind, Listing},
};
use crate::{Instrument, Month};

/// Without a trade for this long at an end of its window, a session is cut there.
const SHORT: i64 = 15 * 60;
const NANOS: u64 = 1_000_000_000;

/// Everything about a run of `write_months`; the content of `truth.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Seed of the plan.
    pub seed: u64,
    /// Instrument of the plan.
    pub instrument: Instrument,
    /// Months in order.
    pub months: Vec<MonthTruth>,
}

/// What one file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthTruth {
    /// Calendar month.
    pub month: Month,
    /// File name.
    pub file: String,
    /// Records, bad ones and spreads included.
    pub records: u64,
    /// Records of each symbol.
    pub records_by_symbol: BTreeMap<String, u64>,
    /// Sessions in order as the exchange had them, whatever stretches of the file are spoiled; each front contract is the
    /// one with the most volume.
    pub sessions: Vec<SessionTruth>,
    /// Sessions with another front contract than the session before.
    pub rollovers: Vec<Rollover>,
    /// Bad records in the order of the file.
    pub defects: Vec<DefectAt>,
    /// How often each cleaning rule applies. `time_backwards` is counted, not dropped.
    pub dropped: BTreeMap<String, u64>,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTruth {
    /// Local trading date.
    pub date: Date,
    /// Front contract.
    pub contract: String,
    /// Local time of the first row.
    pub open: Time,
    /// Local time of the last row.
    pub close: Time,
    /// Seconds from first to last row, both included.
    pub rows: u64,
    /// Rows with a trade, bad records not counted.
    pub traded_rows: u64,
    /// Nothing traded in the last 15 minutes of the window or longer.
    pub early_close: bool,
    /// Nothing traded until 15 minutes into the window or longer.
    pub late_open: bool,
}

/// A change of the front contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollover {
    /// First session of the new contract.
    pub date: Date,
    /// Contract of the session before.
    pub from: String,
    /// The new contract.
    pub to: String,
}

/// A bad record, or what else is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefectAt {
    /// What is wrong.
    pub kind: Defect,
    /// Number of the record in the file, from 0 (before stretches of it were spoiled); of two that belong together, the
    /// later one. None for a stretch of time or the whole file.
    pub record: Option<u64>,
    /// Timestamp as in the file, UTC nanoseconds; for a stretch of time its beginning.
    pub ts: u64,
    /// Raw symbol, of a bad record.
    pub symbol: Option<String>,
}

/// The sessions of the month in `records`, of which those listed in `dropped` (in order) do not survive cleaning.
pub(super) fn sessions(
    plan: &Plan,
    month: Month,
    records: &[OhlcvMsg],
    dropped: &[usize],
    listing: &Listing,
) -> Result<Vec<SessionTruth>, SynthError> {
    let zone = plan.instrument.zone()?;
    let outright = |id: u32| {
        listing.contracts.iter().find(|contract| contract.id == id).and_then(|contract| match contract.kind {
            Kind::Outright(index) => Some(index),
            Kind::Spread(_) => None,
        })
    };
    let mut sessions = Vec::new();
    let mut front = 0;
    let mut date = month.first_day();
    while date <= month.last_day() {
        let begin = unix(date, plan.instrument.date_begins(), &zone)?;
        let span = |span: Range<i64>| Ok(unix(date, span.start, &zone)?..unix(date, span.end, &zone)?);
        let spans = plan.instrument.spans(date).unwrap_or_default();
        let spans: Vec<Range<i64>> = spans.into_iter().map(span).collect::<Result<_, SynthError>>()?;
        let at = |second: i64| records.partition_point(|r| r.hd.ts_event < second as u64 * NANOS);
        let mut days: Vec<Tally> = Vec::new();
        days.resize_with(listing.contracts.len(), || Tally::new(spans.len()));
        let first = at(begin);
        let last = at(spans.last().map_or(begin, |span| span.end));
        for (number, record) in (first..).zip(&records[first..last]) {
            let Some(index) = outright(record.hd.instrument_id) else { continue };
            if dropped.binary_search(&number).is_err() {
                days[index].add((record.hd.ts_event / NANOS) as i64, &spans, record.volume);
            }
        }
        let most = (front..days.len()).rev().max_by_key(|index| days[*index].volume).unwrap_or(front);
        let tally = &days[most];
        if tally.volume > 0 {
            front = most;
            let planned = listing.front(date);
            if front != planned {
                let name = |index: usize| listing.contracts[index].symbol.clone();
                return Err(SynthError::Front { date, planned: name(planned), actual: name(front) });
            }
            let local = |second: i64| -> Result<Time, SynthError> {
                Ok(jiff::Timestamp::from_second(second)?.to_zoned_datetime(zone.clone()).time())
            };
            for (&Range { start, end }, of_span) in spans.iter().zip(&tally.spans) {
                let Some((first, last)) = of_span.traded else { continue };
                let from = if tally.first.is_some_and(|first| first < start) { start } else { first };
                let early_close = last < end - SHORT;
                let to = if early_close { last } else { end - 1 };
                sessions.push(SessionTruth {
                    date,
                    contract: listing.contracts[front].symbol.clone(),
                    open: local(from)?,
                    close: local(to)?,
                    rows: (to - from + 1) as u64,
                    traded_rows: of_span.seconds,
                    early_close,
                    late_open: from >= start + SHORT,
                });
            }
        }
        date = date.tomorrow()?;
    }
    Ok(sessions)
}

/// One contract on one date.
struct Tally {
    /// In all sessions of the date.
    volume: u64,
    spans: Vec<OfSpan>,
    /// First second traded on the date.
    first: Option<i64>,
}

/// One contract in one session.
#[derive(Clone, Default)]
struct OfSpan {
    seconds: u64,
    /// First and last second traded.
    traded: Option<(i64, i64)>,
}

impl Tally {
    fn new(spans: usize) -> Self {
        Self { volume: 0, spans: vec![OfSpan::default(); spans], first: None }
    }

    fn add(&mut self, second: i64, spans: &[Range<i64>], volume: u64) {
        self.first = Some(self.first.map_or(second, |first| first.min(second)));
        let of_span = self.spans.iter_mut().zip(spans).find(|(_, span)| span.contains(&second));
        let Some((of_span, _)) = of_span else { return };
        self.volume += volume;
        of_span.seconds += 1;
        let (first, last) = of_span.traded.unwrap_or((second, second));
        of_span.traded = Some((first.min(second), last.max(second)));
    }
}

/// The rollovers between consecutive sessions.
pub(super) fn rollovers(sessions: &[SessionTruth]) -> Vec<Rollover> {
    let change = |pair: &[SessionTruth]| Rollover {
        date: pair[1].date,
        from: pair[0].contract.clone(),
        to: pair[1].contract.clone(),
    };
    sessions.windows(2).filter(|pair| pair[0].contract != pair[1].contract).map(change).collect()
}
