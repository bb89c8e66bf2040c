//! Front contract and session grid against the reference, second by second.

use crate::tapes::cases;
use data::{
    Instrument, Month,
    collector::{Bar, Collector, Name},
    contract::Choice,
    session,
};
use proptest::{collection::vec, prelude::*};
use proptests::grid::{Record, sessions};

/// A short session, so that 15 quiet minutes at its ends are common: 07:30 to 08:10.
const START: u32 = 27_000;
const END: u32 = START + 2400;
const SYMBOLS: [&str; 3] = ["ESZ3", "ESH4", "ESM4"];
/// Midnight Central of 2013-11-01, a Friday; clocks go back on the 3rd.
const MIDNIGHT: i64 = 1_383_282_000;

/// Midnights of the first days of November 2013 in Central time, in UTC seconds.
fn midnight(day: i64) -> i64 {
    MIDNIGHT + day * 86_400 + if day >= 3 { 3600 } else { 0 }
}

fn record() -> impl Strategy<Value = Record> {
    let second = prop_oneof![
        3 => START..END,
        1 => START - 60..START + 60,
        1 => END - 960..END + 60,
        1 => Just(START - 7200),
    ];
    // The clocks change at 02:00 of day 2, before any of these seconds.
    (0_usize..3, prop_oneof![Just(0_i64), Just(3), Just(4), Just(6)], second, 1_i64..100, 0_i64..4, 1_i64..6).prop_map(
        |(contract, day, second, low, span, volume)| Record {
            contract,
            day,
            second,
            prices: [low, low + span, low, low + span / 2],
            volume,
        },
    )
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_second_of_every_session(mut records in vec(record(), 1..80)) {
        records.sort_by_key(|record| (record.day, record.second, record.contract));
        records.dedup_by_key(|record| (record.day, record.second, record.contract));
        let instrument = Instrument { session_start: START, session_end: END, ..Instrument::default() };
        let month: Month = "2013-11".parse().unwrap();
        let mut collector = Collector::new(month, &instrument);
        for (number, record) in records.iter().enumerate() {
            let symbol = collector.symbol(SYMBOLS[record.contract], Name::Symbol);
            let nanos = u64::try_from(midnight(record.day) + i64::from(record.second)).unwrap() * 1_000_000_000;
            let [open, high, low, close] = record.prices.map(|ticks| ticks * instrument.tick_nanos);
            collector.push(symbol, &Bar { nanos, open, high, low, close, volume: record.volume.unsigned_abs() }, number as u64);
        }
        let columns = collector.finish().unwrap();
        let grid = session::cut_alone(&columns.view(), &instrument, Choice::Volume).unwrap();
        let expected = sessions(&records, START, END);
        prop_assert_eq!(grid.sessions.len(), expected.len());
        let mut front = None;
        let mut rolls = Vec::new();
        for (found, expected) in grid.sessions.iter().zip(&expected) {
            let first = midnight(expected.day) + i64::from(expected.tape.second[0]);
            prop_assert_eq!(i64::from(found.date.day()), expected.day + 1);
            prop_assert_eq!(found.first_second, first);
            prop_assert_eq!(&found.contract, SYMBOLS[expected.contract]);
            prop_assert_eq!((found.filled_rows, found.early_close, found.late_open), (expected.filled, expected.early_close, expected.late_open));
            prop_assert_eq!(found.rows.len(), expected.tape.len());
            for (row, at) in found.rows.clone().enumerate() {
                let prices = [grid.open[at], grid.high[at], grid.low[at], grid.close[at]].map(i64::from);
                let tape = &expected.tape;
                prop_assert_eq!(prices, [tape.open[row], tape.high[row], tape.low[row], tape.close[row]]);
                prop_assert_eq!((i64::from(grid.volume[at]), grid.second[at]), (tape.volume[row], tape.second[row]));
            }
            if front.replace(expected.contract).is_some_and(|before| before != expected.contract) {
                rolls.push((found.date, found.contract.clone()));
            }
        }
        let found: Vec<_> = grid.rollovers.iter().map(|roll| (roll.date, roll.to.clone())).collect();
        prop_assert_eq!(found, rolls);
    }
}
