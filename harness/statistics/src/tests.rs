//! Small months, measured by hand.

use data::compute::Wins;
use kernels::{Profile, labels::Outcome};

use super::{
    fixtures::{columns, grid, measured, of, statistics, tick},
    *,
};

#[test]
fn modes_by_hand() {
    let mut sessions = columns(&grid());
    // Three wins of twenty rows: adverse moves 0, 2, 4; seconds 10, 20, 600.
    for (row, mae, seconds, weight) in [(0, 0, 10, 4.0), (3, 2, 20, 2.0), (7, 4, 600, 3.0)] {
        let mode = &mut sessions[1].modes[2];
        let Wins::Outcomes(outcomes) = &mut mode.wins else { panic!("{:?}", mode.wins) };
        outcomes[row] = Outcome::win(mae, seconds);
        (mode.label[row], mode.weight[row]) = (1, weight);
    }
    let mode = &measured(&sessions).modes["high_vol_long"];
    assert_eq!((mode.rows, mode.wins, mode.win_rate), (20, 3, Some(0.15)));
    assert!(mode.labels_binary && mode.weights_positive && mode.finite);
    // Ranks 1, 2, 3, 3, 3 of three.
    let expected =
        WinStatistics { mean: Some(2.0), p25: Some(0), p50: Some(2), p75: Some(4), p90: Some(4), p95: Some(4) };
    assert_eq!(mode.mae, expected);
    let expected = WinStatistics {
        mean: Some(210.0),
        p25: Some(10),
        p50: Some(20),
        p75: Some(600),
        p90: Some(600),
        p95: Some(600),
    };
    assert_eq!(mode.seconds_to_target, expected);
    // 17 ones, 2, 3, 4: mean 26/20; squares about it 17*0.09 + 0.49 + 2.89 + 7.29 over 19.
    let weight = &mode.weight;
    assert_eq!((weight.min, weight.max, weight.mean), (Some(1.0), Some(4.0), Some(1.3)));
    assert!((weight.std.unwrap() - (12.2_f64 / 19.0).sqrt()).abs() < 1e-12);
    assert_eq!([weight.p25, weight.p50, weight.p75, weight.p90, weight.p95], [1.0, 1.0, 1.0, 2.0, 3.0].map(Some));
}

#[test]
fn what_a_label_or_weight_must_not_be() {
    let mode = |label: i8, weight: f32| {
        let mut sessions = columns(&grid());
        sessions[0].modes[0].label[5] = label;
        sessions[0].modes[0].weight[5] = weight;
        let mode = measured(&sessions).modes.remove("low_vol_long").unwrap();
        (mode.labels_binary, mode.weights_positive, mode.finite)
    };
    assert_eq!(mode(0, 0.5), (true, true, true));
    assert_eq!(mode(-1, 0.5), (false, true, true));
    assert_eq!(mode(0, 0.0), (true, false, true));
    assert_eq!(mode(0, f32::NAN), (true, false, false));
    assert_eq!(mode(0, f32::INFINITY), (true, true, false));
}

#[test]
fn features_by_hand() {
    let mut sessions = columns(&grid());
    // volume_ratio_30s: 1 to 10, then 11 to 18 with a NaN and an outlier.
    for row in 0..10 {
        sessions[0].values[[0, row]] = 1.0 + row as f32;
        sessions[1].values[[0, row]] = 11.0 + row as f32;
    }
    sessions[1].values[[0, 8]] = f32::NAN;
    sessions[1].values[[0, 9]] = 100.0;
    let measured = measured(&sessions);
    let feature = &measured.features["volume_ratio_30s"];
    assert_eq!((feature.nan_share, feature.infinite_share), (0.05, 0.0));
    // 19 values: sum 171 + 100; ranks 1, 10, 19.
    assert_eq!((feature.min, feature.max), (Some(1.0), Some(100.0)));
    assert!((feature.mean.unwrap() - 271.0 / 19.0).abs() < 1e-12);
    assert_eq!([feature.p1, feature.p50, feature.p99], [1.0, 10.0, 100.0].map(Some));
    // Quartiles 5 and 15, so regular is -25 to 45.
    assert_eq!(feature.outliers, Some(1.0 / 19.0));
    assert!(!feature.in_range, "100 is above 30");
    assert_eq!(measured.features.len(), FLOATS + FLAGS);
    // One of twenty closes is higher: a price within the month's.
    let vwap = &measured.features["vwap"];
    assert_eq!((vwap.min, vwap.in_range, vwap.nan_share), (Some(1600.0), true, 0.0));
    let range = &measured.features["distance_from_rth_low"];
    assert_eq!((range.max, range.p50, range.outliers, range.in_range), (Some(1.25), Some(0.0), Some(0.05), true));
    let flag = &measured.features["is_pre_open"];
    assert_eq!(
        (flag.min, flag.mean, flag.std, flag.outliers, flag.in_range),
        (Some(1.0), Some(1.0), Some(0.0), None, true)
    );
}

#[test]
fn a_price_beyond_the_months_own_and_an_infinity_are_out_of_range() {
    let mut sessions = columns(&grid());
    sessions[0].values[[4, 3]] = 1601.5;
    sessions[0].values[[5, 3]] = f32::NEG_INFINITY;
    let features = measured(&sessions).features;
    assert!(!features["vwap"].in_range);
    let distance = &features["distance_from_vwap_pct"];
    assert_eq!((distance.infinite_share, distance.in_range), (0.05, false));
    assert!(distance.min.is_some_and(f64::is_finite));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let sessions = columns(&grid());
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| serde_json::to_string(&of(&sessions)).unwrap())
    };
    assert_eq!(with(1), with(3));
}

/// A number that is not finite would be written as `null`, and read back as nothing or not at all.
#[test]
fn json_there_and_back() {
    let mut sessions = columns(&grid());
    sessions.iter_mut().for_each(|session| session.values.fill(f32::NAN));
    for statistics in [statistics(), of(&sessions)] {
        let text = serde_json::to_string(&statistics).unwrap();
        let back: Statistics = serde_json::from_str(&text).unwrap();
        assert_same(&serde_json::to_value(&back).unwrap(), &serde_json::to_value(&statistics).unwrap());
    }
}

/// serde_json reads a number to within the last bit.
fn assert_same(a: &serde_json::Value, b: &serde_json::Value) {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Object(a), Object(b)) => {
            assert!(a.keys().eq(b.keys()));
            a.values().zip(b.values()).for_each(|(a, b)| assert_same(a, b));
        }
        (Array(a), Array(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| assert_same(a, b));
        }
        (Number(a), Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= f64::EPSILON * a.abs(), "{a} {b}");
        }
        _ => assert_eq!(a, b),
    }
}

#[test]
fn the_object_has_the_published_names() {
    let json = serde_json::to_value(statistics()).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        keys(&json),
        "errors features fronts inputs levels_around modes month performance profile program quality records rollovers schema_version sessions settings warnings"
    );
    assert_eq!((&json["month"], &json["schema_version"]), (&"2013-10".into(), &1.into()));
    assert_eq!(json["program"], concat!("harness ", env!("CARGO_PKG_VERSION")));
    assert_eq!(keys(&json["inputs"][0]), "bytes checksum first key last records");
    assert_eq!((&json["inputs"][0]["key"], &json["inputs"][0]["checksum"]), (&"raw/a.dbn".into(), &"xxh3:00ff".into()));
    let session = &json["sessions"][1];
    assert_eq!(keys(session), "close contract date early_close filled_rows last_price late_open open rows volume");
    assert_eq!((&session["open"], &session["close"]), (&"2013-10-08T12:30:00Z".into(), &"2013-10-08T12:30:09Z".into()));
    assert_eq!(
        (&session["rows"], &session["filled_rows"], &session["early_close"]),
        (&10.into(), &2.into(), &true.into())
    );
    let mode = &json["modes"]["low_vol_short"];
    assert_eq!(keys(mode), "finite labels_binary mae rows seconds_to_target weight weights_positive win_rate wins");
    // No wins: nothing to take a mean of.
    assert_eq!(
        (&mode["mae"]["mean"], &mode["seconds_to_target"]["p95"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    assert_eq!(
        keys(&json["features"]["vwap"]),
        "in_range infinite_share max mean min nan_share outliers p1 p50 p99 std"
    );
    assert_eq!(keys(&json["quality"]), "band deductions parts reprocess score");
    assert_eq!(keys(&json["quality"]["reprocess"]), "needed priority reasons");
    let performance = &json["performance"];
    assert_eq!(
        (&performance["rows_per_second"], &performance["stages"][0]["ns_per_row"]),
        (&10.0.into(), &25_000_000.0.into())
    );
    assert_eq!(performance["stages"][1]["ns_per_row"], serde_json::Value::Null);
}

#[test]
fn a_month_without_rows_has_no_figures() {
    let empty = Grid::new("2013-10".parse().unwrap());
    let measured = f64::measure(
        &empty,
        &[],
        Profile::Rolling,
        &kernels::labels::Specification::default(),
        (tick(), data::preset::Scale::ES),
        &BTreeMap::new(),
    );
    let mode = &measured.modes["low_vol_long"];
    assert_eq!((mode.rows, mode.win_rate, mode.weight.mean), (0, None, None));
    let feature = &measured.features["vwap"];
    assert_eq!((feature.nan_share, feature.min, feature.in_range), (1.0, None, true));
}
