//! Price levels of months, and whether one fits in between those around it.
//!
//! A month whose median close is more than 1.5 times above the medians of the three months before and of the three
//! after, or as far below both, is in another unit. Crude oil in 2020, or a volatility index, may go that far and back in a
//! month; but a market goes through the prices between, and so the last close of a month is near the first of the next. Where the
//! months on both sides join on like that, the level is the market's.
//!
//! Of the newest month only one side is known, and levels change for good: there, more than 1.5 times is a warning and
//! more than 3 times, which no market does in a month, is wrong.

use crate::Level;
use data::{
    Month,
    fault::{Fault, FaultKind},
};

/// Months on each side that a month is compared with.
pub const AROUND: i32 = 3;
/// How many times above or below them it may be.
const BOTH_SIDES: f64 = 1.5;
const ONE_SIDE: f64 = 3.0;
/// How far a close may be from the one before the turn of the month.
const JOINS: f64 = 1.25;

/// What is known of a month's level besides its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Nothing against it.
    Fits,
    /// Far from the only side that is known.
    Doubtful(String),
    /// No market has it.
    Wrong(Fault),
}

/// The levels of at most three months before and three after a month, in order, out of all that are known.
pub fn around(month: Month, known: &[Level]) -> Vec<Level> {
    let near = |level: &&Level| (1..=AROUND).contains(&(level.month.index() - month.index()).abs());
    let mut around: Vec<Level> = known.iter().filter(near).copied().collect();
    around.sort_by_key(|level| level.month);
    around.dedup_by_key(|level| level.month);
    around
}

/// Holds a month's level to those `around` it.
pub fn judge(own: &Level, around: &[Level]) -> Verdict {
    let (before, after): (Vec<Level>, Vec<Level>) = around.iter().partition(|level| level.month < own.month);
    let side = |levels: &[Level]| middle(levels, own.median);
    let joins = |level: &Level| match level.month.index() - own.month.index() {
        -1 => !beyond(level.last, own.first, JOINS),
        1 => !beyond(own.last, level.first, JOINS),
        _ => false,
    };
    let all_join = |sides: usize| around.iter().filter(|level| joins(level)).count() == sides;
    let times = |other: f64| {
        let (times, word) =
            if own.median > other { (own.median / other, "above") } else { (other / own.median, "below") };
        format!("{times:.1} times {word} {other}")
    };
    match (side(&before), side(&after)) {
        (Some(before), Some(after)) => {
            let same_side = (own.median > before) == (own.median > after);
            let far = beyond(own.median, before, BOTH_SIDES) && beyond(own.median, after, BOTH_SIDES);
            if !same_side || !far || all_join(2) {
                return Verdict::Fits;
            }
            let found = format!(
                "prices around {}, {} in the months before and {} in those after",
                own.median,
                times(before),
                times(after)
            );
            Verdict::Wrong(Fault { kind: FaultKind::MonthLevel, found })
        }
        (Some(other), None) | (None, Some(other)) => {
            if !beyond(own.median, other, BOTH_SIDES) || all_join(1) {
                return Verdict::Fits;
            }
            let which = if before.is_empty() { "after" } else { "before" };
            let found = format!("prices around {}, {} in the months {which}", own.median, times(other));
            // Of a first month and the one after it nobody knows which is right; a month that comes later has to fit.
            if beyond(own.median, other, ONE_SIDE) && (!before.is_empty() || after.len() > 1) {
                return Verdict::Wrong(Fault { kind: FaultKind::MonthLevel, found });
            }
            Verdict::Doubtful(found)
        }
        (None, None) => Verdict::Fits,
    }
}

/// The median of some levels; of the two in the middle the one nearer to `own`, so that one odd neighbour of two decides
/// nothing.
fn middle(levels: &[Level], own: f64) -> Option<f64> {
    let mut medians: Vec<f64> = levels.iter().map(|level| level.median).collect();
    medians.sort_by(f64::total_cmp);
    let last = medians.len().checked_sub(1)?;
    let [low, high] = [medians[last / 2], medians[last.div_ceil(2)]];
    Some(if (own - low).abs() <= (high - own).abs() { low } else { high })
}

/// Whether one level is more than so many times the other.
fn beyond(a: f64, b: f64, times: f64) -> bool {
    a.max(b) > times * a.min(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Months from 2020-01 on, each of these closes.
    fn months(closes: &[&[f64]]) -> Vec<Level> {
        let range: data::MonthRange = "2020-01..2021-12".parse().unwrap();
        range.iter().zip(closes).filter_map(|(month, closes)| Level::of(month, closes)).collect()
    }

    /// What is said of each of some months.
    fn verdicts(closes: &[&[f64]]) -> Vec<&'static str> {
        let all = months(closes);
        let one = |own: &Level| match judge(own, &around(own.month, &all)) {
            Verdict::Fits => "",
            Verdict::Doubtful(_) => "doubtful",
            Verdict::Wrong(_) => "wrong",
        };
        all.iter().map(one).collect()
    }

    #[test]
    fn a_month_in_another_unit_is_wrong_and_those_around_it_are_not() {
        for factor in [10.0, 1.6, 0.6, 0.01] {
            let odd = [1700.0 * factor];
            let plain: &[f64] = &[1700.0];
            assert_eq!(verdicts(&[plain, plain, plain, &odd, plain, plain]), ["", "", "", "wrong", "", ""], "{factor}");
            // One month on each side is enough, and two odd ones side by side are two.
            assert_eq!(verdicts(&[plain, &odd, plain]), ["", "wrong", ""], "{factor}");
            assert_eq!(verdicts(&[plain, plain, &odd, &odd, plain, plain])[2..4], ["wrong", "wrong"], "{factor}");
        }
        assert_eq!(verdicts(&[&[1700.0], &[1700.0 * 1.49], &[1700.0]]), ["", "", ""]);
    }

    #[test]
    fn the_newest_month_is_wrong_at_three_times_and_doubtful_before() {
        assert_eq!(verdicts(&[&[1700.0], &[1700.0], &[17_000.0]])[2], "wrong");
        assert_eq!(verdicts(&[&[1700.0], &[1700.0], &[5000.0]])[2], "doubtful");
        assert_eq!(verdicts(&[&[1700.0], &[1700.0], &[2500.0]])[2], "");
        assert_eq!(verdicts(&[&[170.0], &[1700.0], &[1700.0], &[1700.0]])[0], "wrong");
        assert_eq!(verdicts(&[&[1700.0]]), [""]);
        assert_eq!(verdicts(&[&[17_000.0], &[1700.0]]), ["doubtful", "wrong"]);
    }

    /// WTI, January to August 2020: the closes of the first session, of the middle, and of the last.
    const CRUDE: [&[f64]; 8] = [
        &[61.2, 57.5, 51.6],
        &[50.1, 50.5, 44.8],
        &[46.8, 30.0, 20.5],
        &[20.3, 19.0, 18.8],
        &[19.8, 29.0, 35.5],
        &[35.4, 38.3, 39.3],
        &[39.8, 40.8, 40.3],
        &[41.0, 42.4, 42.6],
    ];

    #[test]
    fn a_market_that_falls_by_two_thirds_and_comes_back_goes_through_the_prices_between() {
        assert_eq!(verdicts(&CRUDE), [""; 8]);
        // As each month came in.
        for known in 1..CRUDE.len() {
            assert_eq!(*verdicts(&CRUDE[..known]).last().unwrap(), "", "{known}");
        }
        // The same levels without the way there.
        let mut jump = CRUDE;
        jump[3] = &[1.9, 1.9, 1.9];
        assert_eq!(verdicts(&jump)[3], "wrong");
    }

    #[test]
    fn a_market_that_only_rises_is_never_wrong() {
        let rising: Vec<[f64; 1]> = (0..12).map(|month| [100.0 * 1.6_f64.powi(month)]).collect();
        let rising: Vec<&[f64]> = rising.iter().map(|closes| &closes[..]).collect();
        // But at its ends, where only one side is known.
        assert!(verdicts(&rising)[3..9].iter().all(|verdict| verdict.is_empty()));
    }
}
