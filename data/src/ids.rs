//! Contracts known by their ids alone must be outrights of one root: without a symbol, the price is all that tells a calendar
//! spread, which costs a small part of one.

use crate::{
    columns::{ColumnsView, ContractRows},
    error::InputError,
};

/// Records from which an id's price is known.
const ENOUGH: usize = 60;
/// Outrights of one root cost at most so many times each other.
const MOST_TIMES: i64 = 4;

/// Refuses a month in which ids without symbols have prices that are no outrights' of one root; a tick is in units of 1e-9.
pub(crate) fn check(view: &ColumnsView<'_>, tick: i64) -> Result<(), InputError> {
    let is_id = |contract: &&ContractRows| {
        let number = !contract.symbol.is_empty() && contract.symbol.bytes().all(|byte| byte.is_ascii_digit());
        number && !contract.rolled && contract.rows.len() >= ENOUGH
    };
    let level = |contract: &ContractRows| {
        let mut closes = view.close[contract.rows.clone()].to_vec();
        let middle = closes.len() / 2;
        (i64::from(*closes.select_nth_unstable(middle).1), contract.symbol.clone())
    };
    let ids: Vec<(i64, String)> = view.contracts.iter().filter(is_id).map(level).collect();
    let (Some(low), Some(high)) = (ids.iter().min(), ids.iter().max()) else { return Ok(()) };
    if low.0 * MOST_TIMES >= high.0 {
        return Ok(());
    }
    let points = |ticks: i64| (ticks * tick) as f64 / 1e9;
    Err(InputError::Mixed {
        month: view.month,
        low: low.1.clone(),
        low_price: points(low.0),
        high: high.1.clone(),
        high_price: points(high.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        collector::{Bar, Collector, Name},
        instrument::Instrument,
    };

    fn month(contracts: &[(&str, i64)], records: u64) -> Result<(), InputError> {
        let instrument = Instrument::default();
        let mut collector = Collector::new("2013-10".parse().unwrap(), &instrument);
        for &(id, ticks) in contracts {
            let index = collector.symbol(id, Name::Id);
            for second in 0..records {
                let (nanos, price) = ((1_381_149_000 + second) * 1_000_000_000, ticks * instrument.tick_nanos);
                let bar = Bar { nanos, open: price, high: price, low: price, close: price, volume: 1 };
                collector.push(index, &bar, second);
            }
        }
        check(&collector.finish().unwrap().view(), instrument.tick_nanos)
    }

    #[test]
    fn a_calendar_spread_without_a_name_is_refused() {
        let error = month(&[("110", 23_000), ("310", 220), ("210", 23_240)], 60).unwrap_err().to_string();
        for words in ["2013-10: instrument id 310 trades at 55 and 210 at 5810", "calendar spreads", "symbols"] {
            assert!(error.contains(words), "{error}");
        }
        // Too few records, contracts of one root, and one id alone.
        assert!(month(&[("110", 23_000), ("310", 220)], 59).is_ok());
        assert!(month(&[("110", 400), ("210", 101)], 60).is_ok());
        assert!(month(&[("310", 220)], 60).is_ok());
    }
}
