//! The reference itself: labels and features of a few rows by hand.

use proptests::{
    Profile::{self, Rolling, Session},
    Tape,
    features::{NUMBERS, Reference},
    labels::{Win, outcome, weight},
};

/// Bars of one price each, two contracts a second.
fn closes(prices: impl IntoIterator<Item = i64>) -> Tape {
    let mut tape = Tape::default();
    prices.into_iter().for_each(|price| tape.push([price; 4], 2, 30_600));
    tape
}

fn of(tape: &Tape, i: usize, mode: usize, profile: Profile) -> Option<(i64, i64)> {
    outcome(tape, i, mode, profile, 80).map(|Win { mae, seconds }| (mae, seconds))
}

/// The numbers of a row at a tick of a quarter of a point.
fn numbers(tape: &Tape, profile: Profile, i: usize) -> [f64; NUMBERS.len()] {
    Reference::new(tape, profile, (1, 4)).numbers(i).map(proptests::Exact::to_f64)
}

#[test]
fn a_win_with_its_adverse_move_and_its_seconds() {
    let mut tape = closes([100, 100, 100, 105, 100]);
    (tape.low[1], tape.high[3]) = (97, 112);
    assert_eq!(of(&tape, 0, 0, Session), Some((3, 2)));
    // quality 2 - 1.5 * 3 / 6, velocity clipped at 2, ten months of decay.
    assert!((weight(Some(Win { mae: 3, seconds: 2 }), 0, 10) - 2.5 * (-0.5_f64).exp()).abs() < 1e-15);
    assert_eq!(weight(None, 0, 0), 1.0);
    // Another 4 ticks are needed in the second mode, and shorts lose at once.
    assert_eq!((of(&tape, 0, 1, Session), of(&tape, 0, 3, Session)), (None, None));
    // Both on one row is a loss; the last row has no entry.
    tape.low[3] = 94;
    assert_eq!((of(&tape, 0, 0, Session), of(&tape, 4, 0, Session)), (None, None));
}

#[test]
fn the_look_ahead_is_900_rows_and_a_gap_ends_it_in_rolling() {
    let long = |at: usize| {
        let mut tape = closes([100; 1000]);
        tape.high[at] = 112;
        of(&tape, 0, 0, Session)
    };
    assert_eq!((long(900), long(901)), (Some((0, 899)), None));
    let tape = closes((0..20).map(|row| if row < 9 { 100 } else { 200 }));
    assert!(of(&tape, 7, 0, Session).is_some() && of(&tape, 7, 0, Rolling).is_none());
    // A limit the change does not exceed is no gap.
    assert!(outcome(&tape, 7, 0, Rolling, 100).is_some());
}

#[test]
fn a_look_ahead_ends_at_the_row_before_a_gap_and_a_night_counts_in_rolling() {
    // The target in row 6; the price gaps between rows 6 and 7.
    let mut tape = closes((0..30).map(|row| if row < 7 { 100 } else { 300 }));
    tape.high[6] = 112;
    assert_eq!(of(&tape, 0, 0, Rolling), None);
    // One row later it is in time: the rows 7 to 13 are affected.
    (tape.open[7], tape.high[7], tape.low[7], tape.close[7]) = (100, 100, 100, 100);
    assert_eq!(of(&tape, 0, 0, Rolling), Some((0, 5)));
    // Rows 13 and 14 would enter at 300 and win in row 16.
    tape.high[16] = 312;
    assert_eq!((of(&tape, 13, 0, Rolling), of(&tape, 14, 0, Rolling)), (None, Some((0, 1))));
    tape.night(16, 63_000);
    assert_eq!(of(&tape, 14, 0, Rolling), Some((0, 63_001)));
    assert_eq!(weight(outcome(&tape, 14, 0, Rolling, 80), 0, 0), 1.0, "quality 2, velocity 0.5");
}

#[test]
fn a_quiet_market() {
    let tape = closes([6400; 1000]);
    let values = numbers(&tape, Session, 999);
    assert_eq!((values[0], values[4]), (1.0, 1600.0));
    assert!(values[12].is_nan() && values[16].is_nan() && values[28].is_nan(), "0 by 0");
    // Every row is in a zone; counted ones are 30 apart.
    assert_eq!((values[17], values[18]), (10.0, 30.0));
    // All 300 are tied: their average rank.
    assert!((values[29] - 100.0 * 150.5 / 300.0).abs() < 1e-12);
    assert!(numbers(&tape, Session, 298)[9].is_nan() && !numbers(&tape, Session, 299)[9].is_nan());
    assert_eq!(numbers(&tape, Rolling, 298)[17], 0.0);
}

#[test]
fn a_market_that_rises_a_tick_a_second() {
    let tape = closes(4000..5000);
    let values = numbers(&tape, Session, 999);
    let near = |feature: usize, expected: f64| (values[feature] - expected).abs() < 1e-12;
    // Half of the way since the session's start, growing at half of the price's pace.
    assert!(near(4, 0.25 * 4499.5) && near(6, 0.125));
    assert!(near(7, 0.0) && near(8, 0.25 * 999.0) && near(11, 0.25 * 299.0));
    assert!(near(19, 30.0 / 4969.0) && near(22, 30.0 / 4969.0 - 60.0 / 4939.0));
    assert!(near(24, 0.25) && near(26, 1.0) && near(27, 0.0) && near(32, 100.0) && near(34, 0.0) && near(35, 100.0));
    // In rolling the vwap is over 300 rows and the running low over 1800, of which there are not as many.
    let values = numbers(&tape, Rolling, 999);
    assert!((values[4] - 0.25 * (4999.0 - 149.5)).abs() < 1e-12 && values[8].is_nan());
}

#[test]
fn volume_by_hand() {
    let mut tape = closes([100; 40]);
    tape.volume = (0..40).collect();
    let values = numbers(&tape, Session, 39);
    // 39 by the mean of 10 to 39; a second more is a contract more, in means of five as well.
    assert!((values[0] - 39.0 / 24.5).abs() < 1e-15);
    assert!((values[1] - 1.0).abs() < 1e-12 && (values[2] - 1.0).abs() < 1e-12);
    assert!((values[3] - values[0]).abs() < 1e-12);
}

#[test]
fn one_flag_at_any_time() {
    let at = |hour: u32, minute: u32| {
        let mut tape = closes([100]);
        tape.second[0] = hour * 3600 + minute * 60;
        Reference::new(&tape, Session, (1, 4)).flags(0).iter().position(|flag| *flag == 1).unwrap()
    };
    let times = [(0, 0), (7, 29), (7, 30), (8, 30), (9, 15), (11, 0), (13, 0), (14, 30), (14, 59), (15, 0)];
    assert_eq!(times.map(|(hour, minute)| at(hour, minute)), [0, 0, 1, 2, 3, 4, 5, 6, 6, 0]);
}
