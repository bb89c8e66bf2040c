use proptests::labels;

use super::*;
use crate::Columns;
use crate::random::Tape;

fn outcomes(tape: &Tape, profile: Profile, chunk: usize) -> Vec<Vec<Outcome>> {
    let series = tape.series();
    let mut labeller = Six::new(profile, 30, chunk);
    let mut out = vec![vec![Outcome::LOSS; series.len()]; 6];
    for start in (0..series.len()).step_by(chunk) {
        let rows = start..series.len().min(start + chunk);
        let mut parts = out.iter_mut().map(|column| &mut column[rows.clone()]);
        let parts = [(); 6].map(|()| parts.next().unwrap());
        labeller.outcomes(&series, rows, parts).unwrap();
    }
    out
}

/// What the scalar reference says of every row.
fn expected(tape: &Tape, profile: Profile) -> Vec<Vec<Outcome>> {
    let columns = tape.columns();
    let profile = match profile {
        Profile::Session => proptests::Profile::Session,
        Profile::Rolling => proptests::Profile::Rolling,
    };
    let outcome = |mode, row| match labels::outcome(&columns, row, mode, profile, 30) {
        // The seconds of a tape follow each other.
        Some(win) => Outcome::win(win.mae as u8, win.seconds as u16),
        None => Outcome::LOSS,
    };
    (0..MODES.len()).map(|mode| (0..columns.len()).map(|row| outcome(mode, row)).collect()).collect()
}

#[test]
fn table_scan_and_definition_agree() {
    for (seed, step) in [(1, 1), (2, 3), (3, 12), (4, 40)] {
        let tape = Tape::walk(seed, 2_500, step);
        for profile in [Profile::Session, Profile::Rolling] {
            let expected = expected(&tape, profile);
            assert!(step > 3 || expected.iter().flatten().any(|outcome| outcome.is_win()));
            for chunk in [2_500, 1_000, 77] {
                assert_eq!(outcomes(&tape, profile, chunk), expected, "step {step}, chunk {chunk}, {profile:?}");
            }
            // One far price takes the block's span beyond the table.
            let mut far = tape.clone();
            far.close[2_499] = 1 << 20;
            far.high[2_499] = 1 << 20;
            let scanned = self::expected(&far, profile);
            assert_eq!(outcomes(&far, profile, 2_500), scanned, "step {step}, {profile:?}");
        }
    }
}

#[test]
fn blocks_do_not_show() {
    let tape = Tape::walk(5, 40_000, 2);
    assert_eq!(outcomes(&tape, Profile::Session, 40_000), outcomes(&tape, Profile::Session, 4_096));
    assert_eq!(outcomes(&tape, Profile::Rolling, 40_000), outcomes(&tape, Profile::Rolling, 999));
}

/// Entry at 100 on row 1, then the given (high, low) of rows 2, 3, ..
fn after_entry(bars: &[(i32, i32)]) -> Vec<Outcome> {
    let mut tape = Tape::default();
    for &(high, low) in [(100, 100), (100, 100)].iter().chain(bars) {
        tape.push([low.max(100.min(high)), high, low, low.max(100.min(high))], 1);
    }
    outcomes(&tape, Profile::Session, 64).iter().map(|column| column[0]).collect()
}

#[test]
fn by_hand() {
    let loss = Outcome::LOSS;
    // Five against, then twelve, sixteen and twenty for the long side.
    let long = after_entry(&[(100, 95), (112, 100), (116, 107), (120, 110)]);
    assert_eq!(long, [Outcome::win(5, 2), Outcome::win(5, 3), Outcome::win(5, 4), loss, loss, loss]);
    // The mirror image for the short side.
    let short = after_entry(&[(105, 100), (100, 88), (93, 84), (90, 80)]);
    assert_eq!(short, [loss, loss, loss, Outcome::win(5, 2), Outcome::win(5, 3), Outcome::win(5, 4)]);
    // Target and stop of the low mode on the same row: a loss.
    assert_eq!(after_entry(&[(112, 94)]), [loss; 6]);
    // A win within the first second, with nine against for the widest stop only.
    assert_eq!(after_entry(&[(120, 91)]), [loss, loss, Outcome::win(9, 1), loss, loss, loss]);
}

#[test]
fn breaks_count_in_seconds() {
    let breaks = [(2, 100), (3, 1000), (5, 1)].map(|(row, seconds)| Break { row, seconds });
    let seconds = |signal, rows| Outcome::win(0, rows).seconds(signal, &breaks);
    // Entry one row after the signal. From row 1 to row 1, to 2 over the first break, to 5 over all.
    assert_eq!([seconds(0, 0), seconds(0, 1), seconds(0, 4)], [0, 100, 1102]);
    assert_eq!([seconds(1, 1), seconds(2, 2), seconds(2, 9)], [1000, 2, 9]);
    assert_eq!(Outcome::win(0, 899).seconds(7, &[]), 899);
}

#[test]
fn last_decidable_row() {
    // Row 900 of the look-ahead still decides, row 901 does not.
    for (flat, expected) in [(898, Outcome::win(0, 899)), (899, Outcome::LOSS)] {
        let mut bars = vec![(100, 100); flat];
        bars.push((112, 100));
        assert_eq!(after_entry(&bars)[0], expected);
    }
}

#[test]
fn gap_rows() {
    // A rise of 40 ticks between rows 9 and 10: rows 9..=15 are not labelled, and no earlier look-ahead gets to row 9.
    let mut tape = Tape::default();
    for row in 0..40 {
        let price = if row < 10 { 100 } else { 140 + (row - 10) * 2 };
        tape.push([price; 4], 1);
    }
    let expected: Vec<bool> = (0..40).map(|row| row > 15 && row + 1 + 6 < 40).collect();
    for chunk in 1..=40 {
        let out = &outcomes(&tape, Profile::Rolling, chunk)[0];
        let wins: Vec<bool> = out.iter().map(|outcome| outcome.is_win()).collect();
        assert_eq!(wins, expected, "chunk {chunk}");
    }
    assert!(outcomes(&tape, Profile::Session, 7)[0][0].is_win());
}

#[test]
fn the_row_before_a_gap_decides_nothing() {
    // Row 6 reaches the target of the entry at row 1; the price gaps after it, or one row later.
    for (gap, won) in [(7, false), (8, true)] {
        let mut tape = Tape::default();
        for row in 0..20 {
            let price = if row < gap { 100 } else { 300 };
            tape.push([price, if row == 6 { 112 } else { price }, price, price], 1);
        }
        for chunk in [1, 3, 5, 6, 7, 20] {
            assert_eq!(outcomes(&tape, Profile::Rolling, chunk)[0][0].is_win(), won, "gap {gap}, chunk {chunk}");
        }
        tape.high[19] = 1 << 20;
        assert_eq!(outcomes(&tape, Profile::Rolling, 20)[0][0].is_win(), won, "gap {gap}, scanned");
    }
}

#[test]
fn a_gap_behind_the_look_ahead_ends_it_at_its_last_row() {
    // Row 900 is the last that may decide; a gap after it affects it, though its own row is not looked at.
    for (jump, won) in [(30, true), (31, false)] {
        let mut tape = Tape::default();
        for row in 0..1_000 {
            let price = if row < 901 { 100 } else { 100 + jump };
            tape.push([price, if row == 900 { 112 } else { price }, price, price], 1);
        }
        for chunk in [1, 400, 1_000] {
            assert_eq!(outcomes(&tape, Profile::Rolling, chunk)[0][0].is_win(), won, "jump {jump}, chunk {chunk}");
        }
    }
}

#[test]
fn sizes() {
    let tape = Tape::walk(1, 10, 1);
    let series = tape.series();
    let mut labeller = Six::new(Profile::Session, 80, 4);
    let column = || vec![Outcome::LOSS; 4];
    let mut out = [column(), column(), column(), column(), column(), column()];
    let mut run = |rows: Range<usize>| labeller.outcomes(&series, rows, out.each_mut().map(|c| &mut c[..]));
    assert_eq!(run(0..4), Ok(()));
    assert_eq!(run(6..10), Ok(()));
    assert!(run(7..11).is_err());
    assert!(run(0..3).is_err());
    assert!(run(0..5).is_err());
    let empty = Columns { open: &[], high: &[], low: &[], close: &[], volume: &[], second: &[] };
    let empty = Series::new(empty).unwrap();
    let mut none: [Vec<Outcome>; 6] = Default::default();
    assert_eq!(labeller.outcomes(&empty, 0..0, none.each_mut().map(|c| &mut c[..])), Ok(()));
}
