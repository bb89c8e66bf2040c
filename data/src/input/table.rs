//! Rows of a table of bars, in whatever format they come: each ends here, and goes to its month.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{
    InputError, Sink,
    clock::Clock,
    months::{Months, SymbolCache},
    spacing::Spacing,
};
use crate::{
    collector::{Bar, Name},
    symbol::series_root,
};

/// What is known of a table's rows so far.
pub(super) struct Table {
    symbols: SymbolCache,
    spacing: Spacing,
    /// Says what its times without a zone are.
    pub(super) clock: Clock,
    /// Whether any row has a symbol.
    named: bool,
    /// What its folders say that its rows do not.
    symbol: Option<String>,
    id: Option<String>,
}

impl Table {
    /// Of no rows; `named` says whether any has a symbol.
    pub(super) fn new(months: &mut Months<'_>, named: bool) -> Result<Self, InputError> {
        months.is_table();
        let clock = Clock::new(months.instrument)?;
        let given = |own: &str| {
            let value = months.partition.value(months.instrument.form.columns.of(own).unwrap_or(own))?;
            Some(value.to_owned()).filter(|value| !value.is_empty())
        };
        let (symbol, id) = (given("symbol"), given("instrument_id"));
        let named = named || symbol.is_some();
        Ok(Self { symbols: SymbolCache::default(), spacing: Spacing::default(), clock, named, symbol, id })
    }

    /// Gives a row to its month. An empty symbol is none.
    pub(super) fn push(
        &mut self,
        months: &mut Months<'_>,
        bar: &Bar,
        symbol: Option<&str>,
        id: Option<&str>,
        sink: &mut Sink<'_>,
    ) -> Result<(), InputError> {
        self.spacing.add(bar.nanos);
        let (symbol, id) = (symbol.or(self.symbol.as_deref()), id.or(self.id.as_deref()));
        let (named, root) = (self.named || !months.symbology.is_empty(), &months.instrument.root);
        // What lies beside the table names what the table does not; a series names no contract.
        let id_beside = id.filter(|_| !months.symbology.is_empty()).and_then(|id| id.parse().ok());
        let beside = id_beside.and_then(|id| months.symbology.symbol(id, bar.nanos));
        let beside = beside.filter(|symbol| series_root(symbol).is_none());
        let key = [symbol, id, beside].into_iter().fold(0, key);
        let name = || match symbol.or(beside) {
            Some(symbol) if series_root(symbol) == Some(root) => {
                (beside.or(id).unwrap_or(symbol).to_owned(), Name::Rolled)
            }
            Some(symbol) => (symbol.to_owned(), Name::Symbol),
            None if named => (String::new(), Name::Unmapped),
            None => (id.unwrap_or_default().to_owned(), Name::Id),
        };
        months.push(&mut self.symbols, key, bar, name, sink)
    }

    /// Refuses what all rows together cannot be.
    pub(super) fn check(&self, months: &Months<'_>) -> Result<(), InputError> {
        self.spacing.check()?;
        self.clock.check()?;
        if months.record == 0 { Err(InputError::Empty) } else { Ok(()) }
    }
}

/// What stands for a text, or for none, after others.
fn key(before: u64, text: Option<&str>) -> u64 {
    text.map_or(!before, |text| xxh3_64_with_seed(text.as_bytes(), before))
}

/// Points to units of 1e-9 points. A float that stands for a multiple of `tick` is that multiple: one read from
/// float32 when it lies within half a step of float32 of it, one of float64 within 1e-8 points, which is what sums of
/// ticks lose. Any other is left off the grid for cleaning to count.
pub(super) fn units(points: f64, single: bool, tick: i64) -> i64 {
    if !points.is_finite() {
        return i64::MAX;
    }
    let nanos = points * 1e9;
    let nearest = ((nanos / tick as f64).round() as i64).saturating_mul(tick);
    let step = f64::from((points as f32).next_up()) - f64::from(points as f32);
    let error = if single { 0.5e9 * step } else { 10.0 };
    // Where float32 has hardly a value a tick, nothing can be told.
    if (nanos - nearest as f64).abs() <= error.min(tick as f64 / 4.0) { nearest } else { nanos.round() as i64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_near_a_tick_is_the_tick_and_another_is_left_off_it() {
        let tick = 100_000_000;
        for ticks in [1, 17_001, 17_003, 68_523, 200_007] {
            let points = f64::from(ticks) / 10.0;
            assert_eq!(units(f64::from(points as f32), true, tick), i64::from(ticks) * tick, "{points}");
            assert_eq!(units(points, false, tick), i64::from(ticks) * tick, "{points}");
            // A float32 step further off is not a tick any more, and what float32 loses is too much for float64.
            let off = (points as f32).next_up().next_up();
            assert_ne!(units(off.into(), true, tick) % tick, 0, "{off}");
        }
        assert_ne!(units(f64::from(1700.1_f32), false, tick) % tick, 0);
        assert_eq!(units((0..1700).map(|_| 0.1).sum(), false, tick), 1700 * tick);
        assert_eq!(units(1700.05, false, tick), 1_700_050_000_000);
        // 1/256 point, and half a millionth.
        assert_eq!(units(110.003_906_25, true, 3_906_250), 110_003_906_250);
        assert_eq!(units(0.006_850_5, false, 500), 6_850_500);
        assert_eq!([f64::NAN, f64::INFINITY, 1e300].map(|points| units(points, false, tick)), [i64::MAX; 3]);
    }
}
