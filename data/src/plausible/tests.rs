//! Months of a few sessions, each spoilt in one way.

use super::*;

const ROWS: usize = 27_000;

/// Ten sessions from 2013-10-07 on, a trade a second, prices that go up and down, most volume around noon.
fn grid() -> Grid {
    let mut grid = Grid::new("2013-10".parse().unwrap());
    for number in 0..10 {
        let day = 7 + number as i8 + 2 * i8::from(number > 4);
        let first = grid.rows();
        for row in 0..ROWS {
            let price = 6800 + (row / 7 % 12) as i32;
            grid.open.push(price);
            grid.high.push(price + 1);
            grid.low.push(price);
            grid.close.push(price);
            let noon = 13_500_usize.abs_diff(row) as u32;
            grid.volume.push(1 + (16_000 - noon) / 100 + row as u32 % 3);
            grid.second.push(27_000 + row as u32);
        }
        let volume = grid.volume[first..].iter().copied().map(u64::from).sum();
        grid.sessions.push(Session {
            date: Date::constant(2013, 10, day),
            contract: "ESZ3".into(),
            first_second: 1_381_149_000 + 86_400 * (i64::from(day) - 7),
            rows: first..grid.rows(),
            filled_rows: 0,
            early_close: false,
            late_open: false,
            volume,
        });
    }
    grid
}

/// What is said of the month after a change of its third session, 2013-10-09.
fn after(change: impl Fn(&mut Grid, std::ops::Range<usize>)) -> Vec<String> {
    let mut grid = grid();
    let rows = grid.sessions[2].rows.clone();
    change(&mut grid, rows);
    for session in &mut grid.sessions {
        session.volume = grid.volume[session.rows.clone()].iter().copied().map(u64::from).sum();
    }
    warnings(&grid, Tick::from_nanos(250_000_000).unwrap())
}

fn one(words: &str, change: impl Fn(&mut Grid, std::ops::Range<usize>)) {
    let found = after(change);
    assert!(matches!(&found[..], [one] if one.contains(words)), "'{words}': {found:?}");
}

fn none(change: impl Fn(&mut Grid, std::ops::Range<usize>)) {
    assert_eq!(after(change), Vec::<String>::new());
}

#[test]
fn a_usual_month_has_no_warning() {
    none(|_, _| {});
    assert!(warnings(&Grid::new("2013-10".parse().unwrap()), Tick::from_nanos(250_000_000).unwrap()).is_empty());
}

#[test]
fn a_hole_is_a_quarter_of_an_hour() {
    let quiet = |seconds| {
        move |grid: &mut Grid, rows: std::ops::Range<usize>| {
            grid.volume[rows.start + 900..rows.start + 900 + seconds].fill(0);
        }
    };
    none(quiet(899));
    one("2013-10-09: nothing trades for 15 minutes from 2013-10-09T12:45:00Z on", quiet(900));
}

#[test]
fn a_short_day_is_one_that_is_no_holiday_and_not_like_the_others() {
    one("2013-10-09: nothing trades after 2013-10-09T19:59:59Z", |grid, _| grid.sessions[2].early_close = true);
    one("2013-10-09: nothing trades before 2013-10-09T12:30:00Z", |grid, _| grid.sessions[2].late_open = true);
    // Christmas Eve; and a window that ends later than the market.
    none(|grid, _| {
        grid.sessions[9].date = Date::constant(2013, 12, 24);
        grid.sessions[9].early_close = true;
    });
    none(|grid, _| grid.sessions.iter_mut().for_each(|session| session.early_close = true));
}

#[test]
fn trades_at_one_price_are_stuck() {
    let at = |seconds: usize| {
        move |grid: &mut Grid, rows: std::ops::Range<usize>| {
            for column in [&mut grid.open, &mut grid.high, &mut grid.low, &mut grid.close] {
                column[rows.start + 60..rows.start + 60 + seconds].fill(6803);
            }
        }
    };
    none(at(900));
    one("2013-10-09: 901 trades at 1700.75 and no other price, from 2013-10-09T12:31:00Z on", at(901));
    // Seconds without a trade are no trades.
    none(|grid, rows| {
        at(901)(grid, rows.clone());
        (0..800).filter(|row| row % 4 > 0).for_each(|row| grid.volume[rows.start + 60 + row] = 0);
        grid.volume[rows.start + 860..rows.start + 961].fill(0);
    });
}

#[test]
fn a_bar_far_from_the_close_before_is_named() {
    // 2 % of 1700 points are 136 ticks.
    none(|grid, rows| grid.high[rows.start + 7] = 6801 + 135);
    one("bars more than 2 % away from the close before: 1, the first at 2013-10-09T12:30:07Z", |grid, rows| {
        grid.high[rows.start + 7] = 6801 + 136;
    });
    one("from 1700 to 2.5 .. 1700.25", |grid, rows| grid.low[rows.start + 1] = 10);
}

#[test]
fn a_price_level_that_changes_overnight_is_named_there_and_back() {
    let found = after(|grid, rows| {
        for column in [&mut grid.open, &mut grid.high, &mut grid.low, &mut grid.close] {
            column[rows.clone()].iter_mut().for_each(|price| *price *= 10);
        }
    });
    assert!(found[0].starts_with("2013-10-09: opens at 17000 after 1701.25") && found.len() == 2, "{found:?}");
}

#[test]
fn volumes_that_are_all_even_are_counted_twice() {
    one("every volume is a multiple of 2: 2013-10-09", |grid, rows| {
        grid.volume[rows].iter_mut().for_each(|volume| *volume *= 2);
    });
    none(|grid, rows| {
        grid.volume[rows.clone()].iter_mut().for_each(|volume| *volume *= 2);
        grid.volume[rows.start] += 1;
    });
}

#[test]
fn a_session_with_a_tenth_of_the_volume_is_named() {
    let divided = |by: u32| {
        move |grid: &mut Grid, rows: std::ops::Range<usize>| {
            grid.volume[rows].iter_mut().for_each(|volume| *volume = *volume / by + 1);
        }
    };
    none(divided(8));
    one("above or below the month's median", divided(20));
}

#[test]
fn a_session_an_hour_late_is_named() {
    let by = |seconds: usize| {
        move |grid: &mut Grid, rows: std::ops::Range<usize>| {
            let earlier = grid.volume[rows.clone()].to_vec();
            for (row, volume) in rows.clone().enumerate().map(|(row, _)| (row, earlier[row.saturating_sub(seconds)])) {
                grid.volume[rows.start + row] = volume;
            }
        }
    };
    one("2013-10-09: its volumes are those of the other sessions, an hour late", by(3600));
    none(by(600));
}
