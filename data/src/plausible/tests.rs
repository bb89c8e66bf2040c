//! Months of a few sessions, each spoilt in one way.

use super::*;
use crate::fault::FaultKind;

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
fn after(change: impl Fn(&mut Grid, Range<usize>)) -> Vec<String> {
    let mut grid = grid();
    let rows = grid.sessions[2].rows.clone();
    change(&mut grid, rows);
    for session in &mut grid.sessions {
        session.volume = grid.volume[session.rows.clone()].iter().copied().map(u64::from).sum();
    }
    warnings(&grid, Tick::from_nanos(250_000_000).unwrap())
}

fn one(words: &str, change: impl Fn(&mut Grid, Range<usize>)) {
    let found = after(change);
    assert!(matches!(&found[..], [one] if one.contains(words)), "'{words}': {found:?}");
}

fn none(change: impl Fn(&mut Grid, Range<usize>)) {
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
        move |grid: &mut Grid, rows: Range<usize>| {
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
        move |grid: &mut Grid, rows: Range<usize>| {
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
        move |grid: &mut Grid, rows: Range<usize>| {
            grid.volume[rows].iter_mut().for_each(|volume| *volume = *volume / by + 1);
        }
    };
    none(divided(8));
    one("above or below the month's median", divided(20));
}

#[test]
fn a_session_an_hour_late_is_named() {
    let by = |seconds: usize| {
        move |grid: &mut Grid, rows: Range<usize>| {
            let earlier = grid.volume[rows.clone()].to_vec();
            for (row, volume) in rows.clone().enumerate().map(|(row, _)| (row, earlier[row.saturating_sub(seconds)])) {
                grid.volume[rows.start + row] = volume;
            }
        }
    };
    let found = |seconds| {
        let mut grid = grid();
        let rows = grid.sessions[2].rows.clone();
        by(seconds)(&mut grid, rows);
        faults(&grid, None, Tick::from_nanos(250_000_000).unwrap())
    };
    let found_late = found(3600);
    assert_eq!(found_late.len(), 1, "{found_late:?}");
    assert_eq!(found_late[0].kind, FaultKind::Hours);
    assert_eq!(found_late[0].found, "2013-10-09: its volumes are those of the other sessions, an hour late");
    assert_eq!(found(600), []);
}

/// The stretch of rows at another level.
fn level(times: i32, by: i32, rows: Range<usize>) -> Vec<Fault> {
    let mut grid = grid();
    for column in [&mut grid.open, &mut grid.high, &mut grid.low, &mut grid.close] {
        column[rows.clone()].iter_mut().for_each(|price| *price = *price * times / by);
    }
    faults(&grid, None, Tick::from_nanos(250_000_000).unwrap())
}

#[test]
fn a_session_at_another_price_level_is_named() {
    let says = |faults: &[Fault], words: &str| {
        assert!(
            matches!(faults, [one] if one.kind == FaultKind::SessionLevel && one.found.contains(words)),
            "{words}: {faults:?}"
        );
    };
    let sessions = |from: usize, to: usize| from * ROWS..to * ROWS;
    for (times, by) in [(10, 1), (1, 10), (16, 10), (6, 10)] {
        says(&level(times, by, sessions(2, 3)), "in the month's other sessions: 2013-10-09");
    }
    says(&level(10, 1, sessions(0, 1)), "prices around 17012.5 beside 1701.25");
    says(&level(10, 1, sessions(9, 10)), ": 2013-10-18");
    says(&level(10, 1, sessions(1, 4)), "2013-10-08, 2013-10-09, 2013-10-10");
    // What most of the month has is right.
    says(&level(10, 1, sessions(2, 10)), ": 2013-10-07, 2013-10-08");
    // Half of a session; and a few odd bars, which are warned of.
    says(&level(10, 1, 2 * ROWS + 9000..3 * ROWS), ": 2013-10-09");
    assert_eq!(level(10, 1, 2 * ROWS + 9000..2 * ROWS + 9100), []);
    assert_eq!(level(14, 10, sessions(2, 3)), []);
}

/// Two contracts a session apart by 24 ticks, the first of which trades every second and the other every tenth; `swapped`
/// says in which seconds of the month they have each other's records.
fn mixed(difference: i32, swapped: impl Fn(usize) -> bool) -> Vec<Fault> {
    let grid = grid();
    let mut columns = crate::columns::Columns::empty(grid.month);
    for far in [false, true] {
        let first = columns.time.len();
        for (number, session) in grid.sessions.iter().enumerate() {
            for row in session.rows.clone() {
                let of_far = far != swapped(row);
                if of_far && row % 10 > 0 {
                    continue;
                }
                let close = grid.close[row] + if of_far { difference + number as i32 % 2 } else { 0 };
                columns.time.push((session.first_second + (row - session.rows.start) as i64) as u32);
                columns.volume.push(if of_far { 1 } else { grid.volume[row] });
                for column in [&mut columns.open, &mut columns.high, &mut columns.low, &mut columns.close] {
                    column.push(close);
                }
            }
        }
        let (symbol, rows) = (if far { "ESH4" } else { "ESZ3" }.to_owned(), first..columns.time.len());
        columns.contracts.push(crate::columns::ContractRows { symbol, expiry: None, rolled: false, rows });
    }
    faults(&grid, Some(&columns.view()), Tick::from_nanos(250_000_000).unwrap())
}

#[test]
fn two_contracts_that_change_places_are_named() {
    let session = |row: usize| row / ROWS;
    let dates = |faults: &[Fault]| match faults {
        [Fault { kind: FaultKind::TwoContracts, found }] => {
            found.strip_prefix("ESZ3 and ESH4 have each other's records: ").unwrap().to_owned()
        }
        other => panic!("{other:?}"),
    };
    for difference in [24, -24] {
        assert_eq!(mixed(difference, |_| false), []);
        assert_eq!(dates(&mixed(difference, |row| session(row) == 2)), "2013-10-09");
        assert_eq!(dates(&mixed(difference, |row| session(row) > 7)), "2013-10-17, 2013-10-18");
        assert_eq!(dates(&mixed(difference, |row| session(row) < 1)), "2013-10-07");
        let half = |row: usize| session(row) == 2 && row % ROWS < 9000;
        assert_eq!(dates(&mixed(difference, half)), "2013-10-09");
    }
    // A difference that small may turn its sign by itself.
    assert_eq!(mixed(2, |row| session(row) == 2), []);
}

#[test]
fn a_market_that_goes_below_0_is_no_fault_and_its_bars_are_no_shares_of_a_price() {
    // 17.00 to -37.00 and back within the session, a tick every other second, prices of a cent.
    let fall = |row: usize| 1700 - 5400 * (13_500 - 13_500_usize.abs_diff(row)) as i32 / 13_500;
    let mut grid = grid();
    for session in grid.sessions.clone() {
        for (row, at) in session.rows.enumerate() {
            let price = fall(row) + at as i32 % 2;
            for column in [&mut grid.open, &mut grid.high, &mut grid.low, &mut grid.close] {
                column[at] = price;
            }
        }
    }
    let tick = Tick::from_nanos(10_000_000).unwrap();
    assert_eq!(faults(&grid, None, tick), []);
    assert_eq!(warnings(&grid, tick), Vec::<String>::new());
}

#[test]
fn a_halt_that_was_announced_is_no_hole() {
    let quiet = |month: &str, first_second: i64, rows: Range<usize>| {
        let mut grid = Grid { month: month.parse().unwrap(), ..grid() };
        grid.sessions.truncate(1);
        grid.sessions[0].first_second = first_second;
        grid.volume[rows].fill(0);
        warnings(&grid, Tick::from_nanos(250_000_000).unwrap())
    };
    // 2020-03-09, 07:30 Central; trading stopped from 08:34:13 to 08:49:13.
    let (open, halt) = (1_583_757_000, 3_853..4_753);
    assert_eq!(quiet("2020-03", open, halt.clone()), Vec::<String>::new());
    assert!(quiet("2020-03", open + 86_400, halt.clone())[0].contains("nothing trades for 15 minutes"));
    assert!(quiet("2020-03", open, 3_853..6_000)[0].contains("nothing trades for 35 minutes"));
}

#[test]
fn a_short_session_after_a_break_is_held_to_the_others_after_a_break() {
    let volumes = |last: u32| {
        let mut grid = grid();
        let whole = std::mem::take(&mut grid.sessions);
        for (number, session) in whole.into_iter().enumerate() {
            let cut = session.rows.end - 1800;
            grid.volume[cut..session.rows.end].iter_mut().enumerate().for_each(|(row, volume)| {
                *volume = if number == 9 { last } else { 1 + row as u32 % 2 };
            });
            for rows in [session.rows.start..cut, cut..session.rows.end] {
                let volume = grid.volume[rows.clone()].iter().copied().map(u64::from).sum();
                let first_second = session.first_second + (rows.start - session.rows.start) as i64;
                grid.sessions.push(Session { first_second, rows, volume, ..session.clone() });
            }
        }
        warnings(&grid, Tick::from_nanos(250_000_000).unwrap())
    };
    assert_eq!(volumes(1), Vec::<String>::new());
    let found = volumes(31);
    assert!(found.iter().any(|warning| warning.contains("median of 2700: 2013-10-18")), "{found:?}");
}
