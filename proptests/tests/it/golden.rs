//! Cases worked out by hand from docs/spec.md.

use crate::tapes::{GAP, Ticks, features, outcomes};
use kernels::{
    Tick,
    features::FLOAT_NAMES,
    labels::{MODES, Outcome},
};
use proptests::{Profile, Tape};

/// Rows of one price each, one contract a second, from 08:30.
fn closes(prices: &[i64]) -> Tape {
    let mut tape = Tape::default();
    for (row, &price) in prices.iter().enumerate() {
        tape.push([price; 4], 1, 30_600 + u32::try_from(row).unwrap());
    }
    tape
}

fn found(tape: &Tape, profile: Profile) -> [Vec<Outcome>; MODES.len()] {
    outcomes(&Ticks::of(tape).series(), profile, 4096)
}

fn column(tape: &Tape, profile: Profile, name: &str) -> Vec<f64> {
    let tick = Tick::from_nanos(250_000_000).unwrap();
    let (values, _) = features::<f64>(&Ticks::of(tape).series(), profile, tick, 4096);
    values.row(FLOAT_NAMES.iter().position(|&other| other == name).unwrap()).to_vec()
}

#[test]
fn the_entry_is_the_open_of_the_next_row_and_the_target_12_ticks_off() {
    // Entry 1000, dips 5 ticks, reaches 1012 on the fourth row after the signal.
    let tape = closes(&[900, 1000, 995, 1000, 1012]);
    let [low_long, normal_long, ..] = found(&tape, Profile::Session);
    assert_eq!(low_long[0], Outcome::win(5, 3));
    assert_eq!(normal_long[0], Outcome::LOSS, "16 ticks were not reached");
}

#[test]
fn a_stop_is_exactly_6_ticks_and_both_on_one_row_is_a_loss() {
    let mut tape = closes(&[1000, 1000, 994, 1012]);
    assert_eq!(found(&tape, Profile::Session)[0][0], Outcome::LOSS);
    tape.low[2] = 995;
    tape.open[2] = 995;
    tape.close[2] = 995;
    tape.high[2] = 995;
    assert_eq!(found(&tape, Profile::Session)[0][0], Outcome::win(5, 2));
    tape.low[3] = 994;
    assert_eq!(found(&tape, Profile::Session)[0][0], Outcome::LOSS);
}

#[test]
fn the_look_ahead_is_900_rows_and_the_last_row_has_no_entry() {
    for (rows, win) in [(900, true), (901, false)] {
        // Row `rows` is the one that reaches the target of the entry row 0 signals.
        let mut prices = vec![1000; rows];
        prices.push(1012);
        let outcomes = found(&closes(&prices), Profile::Session);
        assert_eq!(outcomes[0][0], if win { Outcome::win(0, 899) } else { Outcome::LOSS });
        assert_eq!(outcomes[0][rows], Outcome::LOSS);
    }
}

#[test]
fn a_gap_of_more_than_20_points_is_a_loss_in_rolling_alone() {
    let mut prices = vec![1000; 20];
    prices.extend([1000 + GAP + 1; 20]);
    let rolling = found(&closes(&prices), Profile::Rolling);
    assert!(rolling[0].iter().all(|outcome| !outcome.is_win()));
    let session = found(&closes(&prices), Profile::Session);
    assert_eq!(session[0][0], Outcome::win(0, 19));
    prices[20..].fill(1000 + GAP);
    assert_eq!(found(&closes(&prices), Profile::Rolling)[0][0], Outcome::win(0, 19), "20 points are no gap");
}

#[test]
fn windows_begin_with_their_last_row() {
    let tape = closes(&[1000; 2000]);
    for (name, profile, first) in [
        ("volume_ratio_30s", Profile::Session, 29),
        ("volume_slope_30s", Profile::Session, 33),
        ("volume_slope_5s", Profile::Session, 4),
        ("vwap", Profile::Session, 0),
        ("vwap", Profile::Rolling, 0),
        ("vwap_slope", Profile::Session, 29),
        ("distance_from_rth_high", Profile::Session, 0),
        ("distance_from_rth_high", Profile::Rolling, 1799),
        ("short_range_high", Profile::Session, 299),
        ("medium_range_low", Profile::Rolling, 899),
        ("short_range_retouches", Profile::Session, 299),
        ("short_range_retouches", Profile::Rolling, 0),
        ("return_300s", Profile::Session, 300),
        ("momentum_consistency", Profile::Session, 30),
        ("atr_30s", Profile::Session, 29),
        ("atr_percentile", Profile::Session, 328),
        ("uptick_pct_60s", Profile::Session, 59),
    ] {
        let column = column(&tape, profile, name);
        assert_eq!(column.iter().position(|value| !value.is_nan()), Some(first), "{name} {profile:?}");
    }
    // No range: not defined at all.
    for name in [
        "position_in_short_range",
        "range_compression_ratio",
        "volatility_regime",
        "volatility_breakout",
        "relative_bar_size",
    ] {
        assert!(column(&tape, Profile::Session, name).iter().all(|value| value.is_nan()), "{name}");
    }
}

#[test]
fn a_rank_among_300_equals_is_the_average() {
    // All ranges are 0: ranks 1 to 300, on average 150.5, of 300.
    let percentile = column(&closes(&[1000; 400]), Profile::Session, "atr_percentile");
    assert_eq!(percentile[399], 150.5 / 3.0);
}

#[test]
fn retouches_of_a_zigzag() {
    // Up 100 ticks and down again within 60 rows: both ends are zones of 10 ticks.
    let prices: Vec<i64> = (0..900)
        .map(|row: i64| 1000 + if row % 60 < 30 { row % 30 * 100 / 29 } else { (29 - row % 30) * 100 / 29 })
        .collect();
    let retouches = column(&closes(&prices), Profile::Session, "short_range_retouches");
    // Ends are 30 rows apart: in 300 rows ten of them, the first row already in a zone.
    assert_eq!(retouches[299], 10.0);
}
