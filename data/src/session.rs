//! From a month's columns to the session grid: every second of the session has a row.

use std::ops::Range;

use jiff::{Timestamp, civil::Date};

use crate::{
    central,
    columns::{ColumnsView, ContractRows},
    contract::{self, Choice, Decision, Fronts},
    grid::{Grid, Rollover, SHORT_SECONDS, Session, Unmapped},
    instrument::{Instrument, InstrumentError},
    month::Month,
    plausible,
    volumes::Volumes,
    window::{Window, Windows},
};

/// Cuts a month into sessions of its front contracts.
///
/// # Errors
/// [`InstrumentError`] when the settings are not usable.
pub fn cut(view: &ColumnsView<'_>, instrument: &Instrument, fronts: &Fronts) -> Result<Grid, InstrumentError> {
    let (windows, tick) = (Windows::new(instrument)?, instrument.tick()?);
    let mut grid = Grid::new(view.month);
    for window in windows.of_month(view.month) {
        let date = window.date;
        grid.unmapped.extend(unmapped(view, &window));
        match fronts.by_date.get(&date) {
            Some(Decision::Front { symbol, replaced }) => {
                let contract = view.contracts.iter().find(|contract| contract.symbol == *symbol);
                let roll = replaced.as_ref().map(|from| contract::rollover(view, &windows, &window, from, symbol, instrument, tick));
                grid.rollovers.extend(roll);
                if let Some(contract) = contract {
                    window.spans().iter().for_each(|span| lay_out(&mut grid, view, contract, &window, span));
                }
            }
            Some(Decision::Missing(front)) => grid.warnings.push(format!(
                "{date}: the front contract {front} has no record in the session, but some shortly before and after: the \
                 date is missing and the front stays"
            )),
            Some(Decision::Swapped { front, with }) => grid.warnings.push(format!(
                "{date}: {front} and {with} have each other's volumes and prices; the date has no session and the front stays"
            )),
            Some(Decision::OnlyEarlier) => {
                grid.warnings.push(format!("{date}: only contracts before the front one traded; the date has no session"));
            }
            None => {}
        }
    }
    if view.contracts.iter().any(|contract| contract.symbol.is_empty()) {
        gaps_as_rollovers(&mut grid, instrument);
    }
    for Unmapped { date, ids, volume } in &grid.unmapped {
        grid.warnings.push(format!("{date}: {ids} ids without a symbol on that date trade {volume} in the session"));
    }
    let unusual = plausible::warnings(&grid, tick);
    grid.warnings.extend(unusual);
    grid.faults = plausible::faults(&grid, Some(view), tick);
    Ok(grid)
}

/// Cuts a month of which nothing else is known.
///
/// # Errors
/// [`InstrumentError`] when the settings are not usable.
pub fn cut_alone(view: &ColumnsView<'_>, instrument: &Instrument, choice: Choice) -> Result<Grid, InstrumentError> {
    cut(view, instrument, &Fronts::alone(view.month, &Volumes::of(view, instrument)?, choice))
}

/// Finds the price gaps of rolls in the columns of the month before that are not in the month's own.
///
/// # Errors
/// [`InstrumentError`] when the settings are not usable.
pub fn price_gaps_before(
    grid: &mut Grid,
    before: &ColumnsView<'_>,
    instrument: &Instrument,
    fronts: &Fronts,
) -> Result<(), InstrumentError> {
    let (windows, tick) = (Windows::new(instrument)?, instrument.tick()?);
    for roll in grid.rollovers.iter_mut().filter(|roll| roll.price_gap.is_none()) {
        if let (Some(Decision::Front { symbol, replaced: Some(from) }), Some(window)) =
            (fronts.by_date.get(&roll.date), windows.of(roll.date))
        {
            roll.price_gap = contract::price_gap(before, &windows, &window, from, symbol, tick);
        }
    }
    Ok(())
}

/// What ids without a symbol trade in the session of a date.
fn unmapped(view: &ColumnsView<'_>, window: &Window) -> Option<Unmapped> {
    let traded = |id: &ContractRows| {
        let rows = window.spans().iter().map(|span| view.rows_between(id, span.start, span.end));
        let rows: Vec<Range<usize>> = rows.filter(|rows| !rows.is_empty()).collect();
        let volume = |rows: Range<usize>| view.volume[rows].iter().copied().map(u64::from).sum::<u64>();
        (!rows.is_empty()).then(|| rows.into_iter().map(volume).sum())
    };
    let volumes: Vec<u64> = view.unmapped.iter().filter_map(traded).collect();
    let (ids, volume) = (volumes.len() as u64, volumes.iter().sum());
    (ids > 0).then_some(Unmapped { date: window.date, ids, volume })
}

/// Appends one of a date's sessions to the grid, if the contract trades in it.
fn lay_out(grid: &mut Grid, view: &ColumnsView<'_>, contract: &ContractRows, window: &Window, span: &Range<i64>) {
    let traded = view.rows_between(contract, span.start, span.end);
    let Some(last_row) = traded.clone().last() else { return };
    let seconds = |row: usize| (i64::from(view.time[row]) - span.start) as u32;
    let (first, last) = (seconds(traded.start), seconds(last_row));
    let window_rows = (span.end - span.start) as u32;
    let early_close = window_rows - 1 - last >= SHORT_SECONDS;
    let late_open = first >= SHORT_SECONDS;
    // Nothing is ever filled from the future: without a trade before, the session starts at its first one.
    let before = view.rows_between(contract, window.begin, span.start).last();
    let begin = if before.is_some() { 0 } else { first };
    let end = if early_close { last + 1 } else { window_rows };

    let start_row = grid.rows();
    let mut close = before.map_or(0, |row| view.close[row]);
    let mut rows = traded.clone().peekable();
    let mut volume = 0;
    for second in begin..end {
        let bar = match rows.next_if(|&row| seconds(row) == second) {
            Some(row) => [view.open[row], view.high[row], view.low[row], view.close[row]],
            None => [close; 4],
        };
        grid.volume.push(0);
        let [open, high, low, last] = bar;
        grid.open.push(open);
        grid.high.push(high);
        grid.low.push(low);
        grid.close.push(last);
        close = last;
    }
    grid.second.extend(central_seconds(span.start + i64::from(begin), (end - begin) as usize));
    for row in traded.clone() {
        grid.volume[start_row + (seconds(row) - begin) as usize] = view.volume[row];
        volume += u64::from(view.volume[row]);
    }
    grid.sessions.push(Session {
        date: window.date,
        contract: contract.symbol.clone(),
        first_second: span.start + i64::from(begin),
        rows: start_row..grid.rows(),
        filled_rows: (end - begin) as usize - traded.len(),
        early_close,
        late_open,
        volume,
    });
}

/// Central second of the day of `rows` seconds from the UTC second `first` on, whatever the session's own time zone.
pub fn central_seconds(first: i64, rows: usize) -> impl Iterator<Item = u32> {
    central::seconds_of_day(first, rows)
}

/// Where the input has neither symbols nor ids: a change of close beyond the gap limit between consecutive rows of a
/// session.
fn gaps_as_rollovers(grid: &mut Grid, instrument: &Instrument) {
    let Ok(tick) = instrument.tick() else { return };
    for session in &grid.sessions {
        for row in session.rows.clone().skip(1) {
            let change = grid.close[row] - grid.close[row - 1];
            if change.abs() > instrument.gap_ticks() {
                grid.rollovers.push(Rollover {
                    date: session.date,
                    from: String::new(),
                    to: String::new(),
                    price_gap: Some(tick.points(change)),
                    volume_from: 0,
                    volume_to: 0,
                    // Without a contract only the calendar tells which month could expire.
                    expected: instrument.expects_roll(session.date, quarter(session.date)),
                });
            }
        }
    }
}

/// The month of a date, where a quarterly contract expires in it.
fn quarter(date: Date) -> Option<Month> {
    Month::of(date).filter(|month| month.month() % 3 == 0)
}

impl Session {
    /// UTC time of a row of the session, counted from its first.
    #[must_use]
    pub fn time(&self, row: usize) -> Timestamp {
        Timestamp::from_second(self.first_second + row as i64).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::{Bar, Collector, Name};
    use crate::columns::Columns;

    /// 2013-10-07 07:30:00 Central in UTC seconds.
    const OPEN: u64 = 1_381_149_000;

    fn month(trades: &[(&str, u64, i64, u64)]) -> Columns {
        let instrument = Instrument::default();
        let mut collector = Collector::new("2013-10".parse().unwrap(), &instrument);
        for (record, &(symbol, second, ticks, volume)) in trades.iter().enumerate() {
            let index = collector.symbol(symbol, Name::Symbol);
            let price = ticks * instrument.tick_nanos;
            let bar = Bar { nanos: second * 1_000_000_000, open: price, high: price, low: price, close: price, volume };
            collector.push(index, &bar, record as u64);
        }
        collector.finish().unwrap()
    }

    fn grid(trades: &[(&str, u64, i64, u64)]) -> Grid {
        of(&month(trades), &Instrument::default())
    }

    fn of(columns: &Columns, instrument: &Instrument) -> Grid {
        cut_alone(&columns.view(), instrument, Choice::Volume).unwrap()
    }

    #[test]
    fn a_quiet_second_repeats_the_previous_close_with_volume_0() {
        let grid = grid(&[("ESZ3", OPEN, 100, 5), ("ESZ3", OPEN + 3, 102, 7), ("ESZ3", OPEN + 26_999, 99, 1)]);
        assert_eq!(grid.rows(), 27_000);
        assert_eq!(&grid.close[..5], [100, 100, 100, 102, 102]);
        assert_eq!(&grid.volume[..5], [5, 0, 0, 7, 0]);
        assert_eq!((grid.open[26_998], grid.open[26_999]), (102, 99));
        let session = &grid.sessions[0];
        assert_eq!(
            (session.filled_rows, session.early_close, session.late_open, session.volume),
            (26_997, false, false, 13)
        );
        assert_eq!(session.time(0).to_string(), "2013-10-07T12:30:00Z");
    }

    #[test]
    fn before_the_first_trade_the_close_comes_from_the_same_date_and_contract_or_the_row_does_not_exist() {
        // 23:00 Central of the evening before is another trading date; another contract does not count.
        let strangers = [("ESZ3", OPEN - 8 * 3600, 90, 1), ("ESH4", OPEN - 60, 95, 1), ("ESZ3", OPEN + 10, 100, 5)];
        let grid1 = grid(&strangers);
        assert_eq!((grid1.sessions[0].first_second, grid1.open[0]), (OPEN as i64 + 10, 100));
        let grid2 = grid(&[("ESZ3", OPEN - 3600, 98, 1), ("ESZ3", OPEN + 10, 100, 5)]);
        assert_eq!((grid2.sessions[0].first_second, grid2.open[0], grid2.open[10]), (OPEN as i64, 98, 100));
    }

    #[test]
    fn the_time_of_day_is_central_wherever_the_session_is() {
        // 08:20 in New York is 07:20 Central.
        let instrument = Instrument {
            session_start: 8 * 3600 + 20 * 60,
            session_end: 13 * 3600 + 30 * 60,
            time_zone: "America/New_York".into(),
            ..Instrument::default()
        };
        let columns = month(&[("ESZ3", OPEN - 600, 100, 5), ("ESZ3", OPEN - 601, 100, 5)]);
        let grid = of(&columns, &instrument);
        assert_eq!(grid.second, [7 * 3600 + 20 * 60]);
        // Two o'clock on 2013-11-03 in Chicago is one o'clock again.
        let change = 1_383_462_000;
        assert_eq!(central_seconds(change - 1, 3).collect::<Vec<_>>(), [7199, 3600, 3601]);
    }

    #[test]
    fn fifteen_quiet_minutes_at_the_end_close_the_session_with_its_last_trade() {
        let last = 27_000 - 1 - 900;
        let early = grid(&[("ESZ3", OPEN, 100, 5), ("ESZ3", OPEN + last, 101, 1)]);
        assert!(early.sessions[0].early_close);
        assert_eq!(early.rows() as u64, last + 1);
        let full = grid(&[("ESZ3", OPEN, 100, 5), ("ESZ3", OPEN + last + 1, 101, 1)]);
        assert!(!full.sessions[0].early_close);
        assert_eq!(full.rows(), 27_000);
    }

    #[test]
    fn a_late_open_is_recorded() {
        for (second, late) in [(899, false), (900, true)] {
            assert_eq!(grid(&[("ESZ3", OPEN + second, 100, 5)]).sessions[0].late_open, late, "{second}");
        }
    }

    #[test]
    fn no_trade_in_the_window_is_no_session_and_the_window_excludes_its_end() {
        assert!(grid(&[("ESZ3", OPEN - 1, 100, 5), ("ESZ3", OPEN + 27_000, 100, 5)]).sessions.is_empty());
    }

    #[test]
    fn a_rollover_records_gap_and_volumes() {
        let day = 86_400;
        let grid = grid(&[
            ("ESZ3", OPEN, 100, 5),
            ("ESH4", OPEN, 97, 1),
            ("ESZ3", OPEN + 9, 110, 5),
            ("ESZ3", OPEN + day, 100, 5),
            ("ESH4", OPEN + day, 90, 6),
        ]);
        let contracts: Vec<&str> = grid.sessions.iter().map(|session| session.contract.as_str()).collect();
        assert_eq!(contracts, ["ESZ3", "ESH4"]);
        let roll = &grid.rollovers[0];
        assert_eq!((roll.from.as_str(), roll.to.as_str(), roll.price_gap), ("ESZ3", "ESH4", Some(-0.75)));
        assert_eq!((roll.volume_from, roll.volume_to, roll.expected), (5, 6, Some(false)));
    }
    /// The Globex day, with these breaks.
    fn globex(breaks: &str) -> Instrument {
        let session_breaks = breaks.parse().unwrap();
        Instrument { session_start: 17 * 3600, session_end: 16 * 3600, session_breaks, ..Instrument::default() }
    }

    /// Trades of ESZ3 at these UTC times, each of one contract, of a month of 2013.
    fn at(instrument: &Instrument, month: &str, trades: &[(&str, i64)]) -> Grid {
        let mut collector = Collector::new(month.parse().unwrap(), instrument);
        for (record, (time, ticks)) in trades.iter().enumerate() {
            let index = collector.symbol("ESZ3", Name::Symbol);
            let nanos = time.parse::<Timestamp>().unwrap().as_nanosecond() as u64;
            let price = ticks * instrument.tick_nanos;
            let bar = Bar { nanos, open: price, high: price, low: price, close: price, volume: 1 };
            collector.push(index, &bar, record as u64);
        }
        of(&collector.finish().unwrap(), instrument)
    }

    /// Date, first and last second, and rows of each session.
    fn sessions(grid: &Grid) -> Vec<(String, String, String, usize)> {
        let text = |session: &Session| {
            let (first, last) = (session.time(0), session.time(session.rows.len() - 1));
            (session.date.to_string(), first.to_string(), last.to_string(), session.rows.len())
        };
        grid.sessions.iter().map(text).collect()
    }

    fn one(date: &str, first: &str, last: &str, rows: usize) -> (String, String, String, usize) {
        (date.into(), first.into(), last.into(), rows)
    }

    #[test]
    fn the_globex_day_is_of_the_date_it_ends_on() {
        // Chicago is five hours behind UTC until Sunday, 2013-11-03, at 02:00, and six from then on.
        let trades = [
            ("2013-10-31T21:59:59Z", 1), // 16:59:59 on Thursday: in the hour without trading
            ("2013-10-31T22:00:00Z", 100),
            ("2013-11-01T20:59:59Z", 101),
            ("2013-11-03T23:00:00Z", 102), // 17:00 on Sunday, winter time
            ("2013-11-04T21:59:59Z", 103),
            ("2013-11-04T22:00:00Z", 2),
        ];
        let grid = at(&globex(""), "2013-11", &trades);
        let expected = [
            one("2013-11-01", "2013-10-31T22:00:00Z", "2013-11-01T20:59:59Z", 82_800),
            one("2013-11-04", "2013-11-03T23:00:00Z", "2013-11-04T21:59:59Z", 82_800),
        ];
        assert_eq!(sessions(&grid), expected);
        // 17:00 is the first row, and midnight the 25,201st.
        assert_eq!((grid.second[0], grid.second[25_199], grid.second[25_200]), (61_200, 86_399, 0));
        assert_eq!(grid.close[..2], [100, 100]);
    }

    #[test]
    fn a_break_ends_a_session_and_begins_another() {
        let trades = [
            ("2013-10-06T22:00:00Z", 100),
            ("2013-10-07T20:14:59Z", 101),
            ("2013-10-07T20:20:00Z", 99), // in the break
            ("2013-10-07T20:30:02Z", 102),
            ("2013-10-07T20:59:59Z", 103),
            // Nothing trades after 12:15 on the next date.
            ("2013-10-07T22:00:00Z", 104),
            ("2013-10-08T17:14:59Z", 105),
        ];
        let grid = at(&globex("15:15-15:30 until 2021-06-25"), "2013-10", &trades);
        let expected = [
            one("2013-10-07", "2013-10-06T22:00:00Z", "2013-10-07T20:14:59Z", 80_100),
            one("2013-10-07", "2013-10-07T20:30:00Z", "2013-10-07T20:59:59Z", 1_800),
            one("2013-10-08", "2013-10-07T22:00:00Z", "2013-10-08T17:14:59Z", 69_300),
        ];
        assert_eq!(sessions(&grid), expected);
        // Until the first trade after the break, the close is the last one of the trading date.
        assert_eq!(grid.close[80_099..80_103], [101, 99, 99, 102]);
        assert_eq!(grid.sessions.iter().map(|session| session.early_close).collect::<Vec<_>>(), [false, false, true]);
        let breaks: Vec<u32> = grid.breaks().iter().map(|at| at.seconds).collect();
        assert_eq!(breaks, [901, 3_601]);
    }
}
