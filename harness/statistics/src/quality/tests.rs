//! Each deduction of each part, from a month that has none.

use std::collections::BTreeMap;

use data::{
    fault::{Fault, FaultKind},
    grid::Rollover,
};
use jiff::civil::Date;
use kernels::{
    features::{FEATURES, FLAGS, FLOATS},
    labels::MODES,
};

use super::*;
use crate::{FeatureStatistics, Measurable, ModeStatistics, Wrong, feature_ranges, fixtures};

fn context() -> Context {
    Context { zone: TimeZone::get("America/Chicago").unwrap(), excluded_share: 0.0, least_win_rate: 0.05 }
}

/// A month nothing can be taken off.
fn perfect() -> Statistics {
    let mut month = fixtures::statistics();
    let mode = ModeStatistics {
        rows: 100,
        wins: 30,
        win_rate: Some(0.3),
        labels_binary: true,
        weights_positive: true,
        finite: true,
        ..ModeStatistics::default()
    };
    month.modes = MODES.iter().map(|kind| (kind.name.to_owned(), mode.clone())).collect();
    let feature = FeatureStatistics { in_range: true, ..FeatureStatistics::default() };
    month.features = feature_ranges::names().map(|name| (name.to_owned(), feature.clone())).collect();
    month
}

/// The quality of the perfect month after a change.
fn after(change: impl FnOnce(&mut Statistics, &mut Context)) -> Quality {
    let (mut month, mut context) = (perfect(), context());
    change(&mut month, &mut context);
    assess(&month, &context)
}

/// What the change takes off, in one or more deductions, of one part and of no other.
fn lost(part: Part, change: impl FnOnce(&mut Statistics, &mut Context)) -> f64 {
    let quality = after(change);
    assert!(quality.deductions.iter().all(|deduction| deduction.part == part && !deduction.reason.is_empty()));
    rounded(quality.deductions.iter().map(|deduction| deduction.amount).sum())
}

fn roll(expected: bool) -> Rollover {
    Rollover {
        date: Date::constant(2013, 10, 8),
        from: "ESZ3".into(),
        to: "ESH4".into(),
        price_gap: None,
        volume_from: 1,
        volume_to: 2,
        expected: Some(expected),
    }
}

fn near(value: f64, expected: f64) -> bool {
    (value - expected).abs() < 1e-8
}

#[test]
fn a_perfect_month() {
    let quality = assess(&perfect(), &context());
    assert_eq!((quality.score, quality.band, quality.deductions), (1.0, Band::High, vec![]));
    assert_eq!(quality.reprocess, Reprocess::default());
}

#[test]
fn modes() {
    let mode = |change: fn(&mut ModeStatistics)| {
        lost(Part::Modes, |month, _| change(month.modes.get_mut("low_vol_long").unwrap())) * 6.0
    };
    assert!(near(mode(|mode| mode.win_rate = Some(0.0499)), 0.5));
    assert!(near(mode(|mode| mode.win_rate = Some(0.5001)), 0.5));
    assert!(near(mode(|mode| mode.win_rate = None), 0.5));
    assert_eq!(mode(|mode| mode.win_rate = Some(0.05)), 0.0);
    assert_eq!(mode(|mode| mode.win_rate = Some(0.50)), 0.0);
    assert!(near(mode(|mode| mode.finite = false), 0.3));
    assert!(near(mode(|mode| mode.labels_binary = false), 0.2));
    assert!(near(mode(|mode| mode.weights_positive = false), 0.2));
    assert!(near(lost(Part::Modes, |month, _| month.modes.retain(|name, _| name != "low_vol_long")), 1.0 / 6.0));
    // Everything wrong in every mode is less than nothing.
    let quality = after(|month, _| {
        for mode in month.modes.values_mut() {
            *mode = ModeStatistics::default();
        }
    });
    assert_eq!((quality.parts.modes, quality.score), (0.0, 0.52));
}

#[test]
fn seconds_that_are_filled() {
    let filled = |rows: u64| {
        lost(Part::Data, |month, _| {
            (month.sessions[0].rows, month.sessions[1].rows) = (500, 500);
            (month.sessions[0].filled_rows, month.sessions[1].filled_rows) = (rows, 0);
        })
    };
    assert_eq!([300, 301, 500, 501, 700, 701].map(filled), [0.0, 0.1, 0.1, 0.3, 0.3, 0.5]);
}

#[test]
fn records_that_cleaning_dropped() {
    let dropped = |price_absent: u64| {
        lost(Part::Data, |month, _| {
            month.records.total = 10_000;
            // Selection, not cleaning; sorted, not dropped.
            (month.records.spreads_dropped, month.records.other_roots_dropped) = (5000, 1000);
            month.records.time_backwards = 700;
            month.records.price_absent = price_absent;
        })
    };
    assert_eq!([10, 11, 100, 101].map(dropped), [0.0, 0.1, 0.1, 0.3]);
}

#[test]
fn missing_weekdays_and_warnings() {
    // 2013-10-07 to 10, of which the first two have sessions. The last record is of the 10th in Chicago.
    let input = |month: &mut Statistics| month.inputs[0].last = "2013-10-11T02:00:00Z".parse().ok();
    assert_eq!(lost(Part::Data, |month, _| input(month)), 0.1);
    assert!(after(|month, _| input(month)).deductions[0].reason.ends_with("2013-10-09, 2013-10-10"));
    assert_eq!(lost(Part::Data, |month, _| month.warnings = vec!["a".into(), "b".into(), "c".into()]), 0.15);
}

#[test]
fn the_first_record_counts_by_its_local_date() {
    // In UTC the record is of Monday the 7th, in Chicago of the Sunday before.
    assert_eq!(lost(Part::Data, |month, _| drop(month.sessions.remove(0))), 0.05);
    let reason = &after(|month, _| drop(month.sessions.remove(0))).deductions[0].reason;
    assert!(reason.ends_with(": 2013-10-07"), "{reason}");
}

#[test]
fn features() {
    let all = FEATURES.len() as f64;
    let some = |count: usize, change: fn(&mut FeatureStatistics)| {
        lost(Part::Features, |month, _| month.features.values_mut().take(count).for_each(change))
    };
    assert!(near(some(1, |feature| feature.outliers = Some(0.051)), 0.25 / all));
    assert_eq!(some(1, |feature| feature.outliers = Some(0.05)), 0.0);
    assert!(near(some(3, |feature| feature.in_range = false), 3.0 * 0.25 / all));
    assert!(near(some(FEATURES.len(), |feature| feature.nan_share = 0.01), 0.0025));
    // A feature that is not there is all NaN as well, and so is one without a value.
    let absent = lost(Part::Features, |month, _| month.features.retain(|name, _| name != "atr_30s"));
    assert!(near(absent, 0.5 / all));
    assert!(near(some(1, |feature| feature.nan_share = 1.0), 0.5 / all));
}

#[test]
fn nan_ceilings() {
    let above = |count: usize| {
        let quality = after(|month, _| {
            let flags = month.features.iter_mut().filter(|(name, _)| name.starts_with("is_"));
            flags.take(count).for_each(|(_, feature)| feature.nan_share = 0.02);
        });
        let ceiling = quality.deductions.iter().filter(|deduction| deduction.reason.contains("ceiling"));
        ceiling.map(|deduction| deduction.amount).sum::<f64>()
    };
    assert_eq!([2, 3, 5, 6].map(above), [0.0, 0.1, 0.1, 0.2]);
    // 2 % of NaNs is much for a flag only, 20 % for what is known from the first row on, 36 % for all.
    let exceeding = |share: f64| {
        let names = feature_ranges::names().filter(|name| feature_ranges::nan_ceiling(name).unwrap() < share);
        names.count()
    };
    let immediate = FEATURES[..FLOATS].iter().filter(|feature| feature.first == 0).count();
    assert_eq!([0.005, 0.02, 0.2, 0.36].map(exceeding), [0, FLAGS, FLAGS + immediate, FEATURES.len()]);
}

#[test]
fn time_and_memory() {
    let seconds = |seconds: f64| lost(Part::Performance, |month, _| month.performance.seconds = seconds);
    assert_eq!([1800.0, 1801.0, 2700.0, 2701.0].map(seconds), [0.0, 0.2, 0.2, 0.4]);
    let memory = |bytes: u64| lost(Part::Performance, |month, _| month.performance.peak_rss_bytes = Some(bytes));
    let limits = [6_000_000_000, 6_000_000_001, 8_000_000_000, 8_000_000_001];
    assert_eq!(limits.map(memory), [0.0, 0.1, 0.1, 0.3]);
    assert_eq!(lost(Part::Performance, |month, _| month.performance.peak_rss_bytes = None), 0.0);
}

#[test]
fn rolls_and_gaps() {
    let rolls = |expected: &[bool]| {
        lost(Part::Rolls, |month, _| {
            month.rollovers = expected.iter().map(|&expected| roll(expected)).collect();
        })
    };
    assert_eq!([&[true, true][..], &[false], &[false, true, false]].map(rolls), [0.0, 0.3, 0.6]);
    // Ten rolls found as gaps of price are one reason, and more than the part has.
    let quality = after(|month, _| {
        let gap = |day| Rollover {
            date: Date::constant(2013, 10, day),
            from: String::new(),
            to: String::new(),
            ..roll(false)
        };
        month.rollovers = (1..=10).map(gap).collect();
    });
    let reasons: Vec<_> = quality.deductions.iter().filter(|deduction| deduction.part == Part::Rolls).collect();
    assert!(
        matches!(reasons[..], [one] if one.reason.contains("10 rollovers by gaps of price") && near(one.amount, 3.0))
    );
    assert_eq!(quality.parts.rolls, 0.0);
    assert!(quality.reprocess.reasons.contains(&"rolls 0.000 is below 0.5".to_owned()));
    let excluded = |share: f64| lost(Part::Rolls, |_, context| context.excluded_share = share);
    assert_eq!([0.05, 0.051, 0.10, 0.101, 0.15, 0.151].map(excluded), [0.0, 0.1, 0.1, 0.3, 0.3, 0.5]);
}

#[test]
fn rows_around_gaps_count_once() {
    let mut grid = fixtures::grid();
    // Gaps at rows 15 and 16: rows 14 to 20 and 15 to 21, of which there are 14 to 19.
    assert_eq!(excluded_share(&grid, 4), 0.3);
    assert_eq!(excluded_share(&grid, 5), 0.0);
    grid.close = vec![6400; 20];
    grid.close[..3].fill(6000);
    grid.close[12..].fill(6800);
    // Rows 2 to 8 and 11 to 17.
    assert_eq!(excluded_share(&grid, 80), 0.7);
    assert_eq!(excluded_share(&data::grid::Grid::new(grid.month), 80), 0.0);
}

#[test]
fn the_score_weighs_the_parts() {
    let parts = Parts { modes: 0.9, data: 0.8, features: 0.7, performance: 0.6, rolls: 0.5 };
    assert_eq!(parts.score(), rounded(0.36 + 0.2 + 0.14 + 0.06 + 0.025));
    let nothing = Parts { modes: -0.2, data: -1.0, ..Parts::default() };
    assert_eq!(nothing.score(), 0.0);
    // 0.8 in binary is a sum that misses it without rounding.
    let edge = Parts { modes: 0.8, data: 0.8, features: 0.8, performance: 0.8, rolls: 0.8 };
    assert_eq!(Band::of(edge.score()), Band::High);
}

#[test]
fn bands() {
    let bands = [1.0, 0.8, 0.799_999_999, 0.6, 0.599_999_999, 0.0].map(Band::of);
    assert_eq!(bands, [Band::High, Band::High, Band::Medium, Band::Medium, Band::Low, Band::Low]);
}

#[test]
fn what_is_made_again_and_how_soon() {
    let decision = |score: f64| {
        let fine = Parts { modes: 1.0, data: 1.0, features: 1.0, performance: 1.0, rolls: 1.0 };
        reprocess(&perfect(), &fine, score, 0.05)
    };
    let priorities = [0.7, 0.699_999_999, 0.5, 0.499_999_999].map(|score| decision(score).priority);
    assert_eq!(priorities, [None, Some(Priority::Medium), Some(Priority::Medium), Some(Priority::High)]);
}

#[test]
fn a_weak_part_alone_is_a_reason_of_low_priority() {
    let low = |change: fn(&mut Statistics, &mut Context), reason: &str| {
        let Reprocess { needed, priority, reasons } = after(change).reprocess;
        assert_eq!((needed, priority, reasons.len()), (true, Some(Priority::Low), 1), "{reasons:?}");
        assert!(reasons[0].starts_with(reason), "{reasons:?}");
    };
    low(|month, _| month.modes.get_mut("low_vol_long").unwrap().win_rate = Some(0.6), "low_vol_long: win rate 0.600");
    low(|month, _| month.warnings = vec!["a".into(); 11], "data 0.450");
    low(|month, _| month.features.clear(), "features 0.300");
    let rolls = |month: &mut Statistics, context: &mut Context| {
        month.rollovers = vec![roll(false)];
        context.excluded_share = 0.2;
    };
    low(rolls, "rolls 0.200");
}

#[test]
fn exactly_at_a_limit_a_part_is_no_reason() {
    assert!(!after(|month, _| month.warnings = vec!["a".into(); 10]).reprocess.needed);
    assert!(!after(|_, context| context.excluded_share = 0.2).reprocess.needed);
}

fn fault(kind: FaultKind) -> Fault {
    Fault { kind, found: format!("{} of 2013-10-07", kind.name()) }
}

#[test]
fn a_wrong_month_is_low_whatever_else_is_right_and_is_not_made_again_as_it_is() {
    let wrong = after(|month, _| month.errors = vec![Wrong::from(fault(FaultKind::Hours))]);
    assert_eq!((wrong.score, wrong.band, wrong.parts.modes), (0.5, Band::Low, 1.0));
    assert_eq!(wrong.reprocess, Reprocess::default());
    // A score that is lower still stays.
    let worse = after(|month, _| {
        month.modes.clear();
        month.features.clear();
        month.errors = vec![Wrong::from(fault(FaultKind::Hours))];
    });
    assert!(worse.score < 0.5 && !worse.reprocess.needed);
}

#[test]
fn every_kind_of_fault_says_what_to_do_and_never_to_reprocess() {
    let kinds = [
        FaultKind::MonthLevel,
        FaultKind::SessionLevel,
        FaultKind::TwoContracts,
        FaultKind::Hours,
        FaultKind::Transfer,
    ];
    for kind in kinds {
        let Wrong { advice, .. } = Wrong::from(fault(kind));
        assert!(advice.contains("download") && !advice.contains("process"), "{advice}");
        assert_eq!(serde_json::json!(kind), kind.name());
    }
}

#[test]
fn a_month_is_judged_by_its_grid_its_records_and_the_months_around() {
    let judged = |level: f64, change: fn(&mut Statistics), faults: &[Fault]| {
        let mut month = perfect();
        change(&mut month);
        let near = |month: &str| Level::of(month.parse().unwrap(), &[level]).unwrap();
        judge(&mut month, faults, &[near("2013-11"), near("2013-09"), near("2012-09"), near("2013-10")], &context());
        assert_eq!(month.levels_around.len(), 2, "three months on each side, without the month itself");
        (month.errors.iter().map(|wrong| wrong.kind).collect::<Vec<_>>(), month.quality.score)
    };
    assert_eq!(judged(1600.0, |_| (), &[]), (vec![], 1.0));
    assert_eq!(judged(160.0, |_| (), &[]), (vec![FaultKind::MonthLevel], 0.5));
    let odd = |month: &mut Statistics| {
        month.records.by_publisher.insert(1, 20);
        month.records.sub_second = 1;
    };
    let all = vec![FaultKind::Transfer, FaultKind::MonthLevel, FaultKind::Hours];
    assert_eq!(judged(160.0, odd, &[fault(FaultKind::Hours)]).0, all);
}

#[test]
fn a_feature_that_is_all_nan_is_named_and_the_json_finite() {
    let mut sessions = fixtures::columns(&fixtures::grid());
    sessions.iter_mut().for_each(|session| session.values.row_mut(27).fill(f32::NAN));
    let tick = kernels::Tick::from_nanos(250_000_000).unwrap();
    let grid = fixtures::grid();
    let measured = f32::measure(
        &grid,
        &sessions,
        kernels::Profile::Session,
        &kernels::labels::Specification::default(),
        (tick, data::preset::Scale::ES),
        &BTreeMap::new(),
    );
    let mut month = perfect();
    let name = "volatility_acceleration";
    month.features.insert(name.to_owned(), measured.features[name].clone());
    month.quality = assess(&month, &context());
    let named = month.quality.deductions.iter().filter(|deduction| deduction.reason.contains(name));
    assert_eq!(named.count(), 2, "{:?}", month.quality.deductions);
    let json = serde_json::to_value(&month).unwrap();
    assert_eq!(
        (&json["features"][name]["mean"], &json["features"][name]["nan_share"]),
        (&serde_json::Value::Null, &1.0.into())
    );
    assert_eq!(serde_json::from_value::<Statistics>(json).unwrap(), month);
}
