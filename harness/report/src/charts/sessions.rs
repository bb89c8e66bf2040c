//! Charts over the sessions of the month.

use super::svg::{ACCENT, Anchor, Canvas, Frame, GRID, INK, MUTED, NOTICE, SERIES, pixels, ticks};
use crate::{
    prices::{SessionPrices, Stretch},
    text,
};
use kernels::labels::{Direction, Mode};
use statistics::{SessionStatistics, Statistics};

/// Pixels a date needs: `12-01`, `1`.
const LONG_DATE: i32 = 46;
const SHORT_DATE: i32 = 20;

/// Pixels left of the axis of price and wins, for the names of the modes.
const NAMES: i32 = 98;

/// Pixels a name of a rollover needs, about.
const ROLLOVER: i32 = 110;

/// The closes of the sessions side by side, `width` pixels wide.
pub fn price(statistics: &Statistics, prices: &[SessionPrices], width: u32) -> String {
    let height = if width > 1000 { 400 } else { 340 };
    let closes = || prices.iter().flat_map(|session| &session.points).map(|point| point.1);
    let (low, high) =
        closes().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), close| (low.min(close), high.max(close)));
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let margin = if high > low { 0.05 * (high - low) } else { 1.0 };
    let rows = statistics.rows().max(1) as f64;
    let frame = Frame {
        horizontal: (NAMES, width as i32 - 6),
        vertical: (30, height as i32 - 30),
        x: (0.0, rows),
        y: (low - margin, high + margin),
    };
    let mut canvas = Canvas::default();
    vertical_axis(&mut canvas, &frame, if height > 350 { 8 } else { 6 }, |value, decimals| {
        text::fixed(value, decimals)
    });
    let starts = starts(&statistics.sessions);
    for start in starts.iter().skip(1) {
        let x = frame.pixel(*start);
        canvas.line((x, frame.vertical.0), (x, frame.vertical.1), GRID, 1);
    }
    for (start, session) in starts.iter().zip(prices) {
        let points = session.points.iter().map(|&(row, close)| frame.at(start + row as f64, close));
        canvas.path(points, ACCENT, 1);
    }
    let ends = starts.iter().skip(1).copied().chain([rows]);
    let middles: Vec<f64> = starts.iter().zip(ends).map(|(start, end)| (start + end) / 2.0).collect();
    dates(&mut canvas, &frame, &statistics.sessions, &middles);
    rollovers(&mut canvas, &frame, statistics, &starts);
    canvas.finish("Close over the trading sessions of the month", (width, height))
}

/// Share of the rows that win along the sessions, a row a mode, on the axis of [`price`].
pub fn wins(statistics: &Statistics, prices: &[SessionPrices], width: u32) -> String {
    const ROW: i32 = 22;
    let labels = statistics.labels();
    let modes = labels.specification.modes();
    let bottom = 4 + ROW * modes.len() as i32;
    let frame = Frame {
        horizontal: (NAMES, width as i32 - 6),
        vertical: (4, bottom),
        x: (0.0, statistics.rows().max(1) as f64),
        y: (0.0, 1.0),
    };
    let mut canvas = Canvas::default();
    let starts = starts(&statistics.sessions);
    for (number, mode) in modes.iter().enumerate() {
        let top = 4 + ROW * number as i32;
        let long = mode.direction == Direction::Long;
        let name = mode.name.replace("_vol", "").replace('_', " ");
        canvas.label((NAMES - 8, top + ROW / 2), Anchor::End, MUTED, &name);
        let color = if long { SERIES[0] } else { SERIES[1] };
        for (start, stretch) in starts
            .iter()
            .zip(prices)
            .flat_map(|(start, session)| session.wins.iter().map(move |stretch| (start, stretch)))
        {
            let share = stretch.wins[number] as f64 / stretch.rows.max(1) as f64;
            if share < 0.005 {
                continue;
            }
            let first = start + stretch.first as f64;
            let (left, right) = (frame.pixel(first), frame.pixel(first + stretch.rows as f64));
            let (from, to) = ((left, top + 2), (right.max(left + 1), top + ROW - 2));
            canvas.bar(from, to, color.mix((20.0 * share).ceil() / 20.0));
        }
    }
    for (number, start) in starts.iter().enumerate() {
        let x = frame.pixel(*start);
        canvas.line((x, 4), (x, bottom), GRID, 1);
        let end = starts.get(number + 1).map_or(frame.horizontal.1, |next| frame.pixel(*next));
        let session = &statistics.sessions[number];
        let shares = prices.get(number).map(|session| shares(modes, &session.wins)).unwrap_or_default();
        canvas.tip((x, 4), (end, bottom), &format!("{}{shares}", session.date));
    }
    let ends = starts.iter().skip(1).copied().chain([frame.x.1]);
    let middles: Vec<f64> = starts.iter().zip(ends).map(|(start, end)| (start + end) / 2.0).collect();
    dates(&mut canvas, &frame, &statistics.sessions, &middles);
    canvas.finish("Where labels win", (width, bottom.unsigned_abs() + 30))
}

/// What a session won, a line a mode.
fn shares(modes: &[Mode], stretches: &[Stretch]) -> String {
    let rows: u64 = stretches.iter().map(|stretch| stretch.rows).sum();
    let of = |(number, mode): (usize, &Mode)| {
        let wins: u64 = stretches.iter().map(|stretch| stretch.wins[number]).sum();
        format!("\n{}: {}", text::words(&mode.name), text::percent(wins as f64 / rows.max(1) as f64, 1))
    };
    modes.iter().enumerate().map(of).collect()
}

/// Share of the seconds without a trade, a bar a session.
pub fn filled(statistics: &Statistics, width: u32) -> String {
    let sessions = &statistics.sessions;
    let height = 260;
    let shares: Vec<f64> = sessions.iter().map(filled_share).collect();
    let most = shares.iter().copied().fold(0.0, f64::max);
    let frame = Frame {
        horizontal: (56, width as i32 - 6),
        vertical: (22, height as i32 - 30),
        x: (0.0, sessions.len().max(1) as f64),
        y: (0.0, (1.12 * most).clamp(0.02, 1.0)),
    };
    let mut canvas = Canvas::default();
    vertical_axis(&mut canvas, &frame, 6, |value, decimals| text::percent(value, decimals.saturating_sub(2)));
    for (number, (session, share)) in sessions.iter().zip(&shares).enumerate() {
        let (left, right) = (number as f64 + 0.18, number as f64 + 0.82);
        let short = short_day(session);
        let color = if short.is_some() { NOTICE } else { ACCENT };
        canvas.bar(frame.at(left, *share), frame.at(right, 0.0), color);
        if let Some((_, letter)) = short {
            let (x, y) = frame.at(number as f64 + 0.5, *share);
            canvas.label((x, y - 10), Anchor::Middle, INK, letter);
        }
    }
    let middles: Vec<f64> = (0..sessions.len()).map(|number| number as f64 + 0.5).collect();
    dates(&mut canvas, &frame, sessions, &middles);
    canvas.finish("Share of the seconds without a trade by session", (width, height))
}

/// Share of a session's rows without a trade.
pub fn filled_share(session: &SessionStatistics) -> f64 {
    session.filled_rows as f64 / session.rows.max(1) as f64
}

/// What a short session is called, and its letter in the chart.
pub fn short_day(session: &SessionStatistics) -> Option<(&'static str, &'static str)> {
    match (session.late_open, session.early_close) {
        (true, true) => Some(("late open, early close", "L E")),
        (true, false) => Some(("late open", "L")),
        (false, true) => Some(("early close", "E")),
        (false, false) => None,
    }
}

/// The first row of each session among the rows of the month.
fn starts(sessions: &[SessionStatistics]) -> Vec<f64> {
    let mut next = 0.0;
    let start = |session: &SessionStatistics| {
        let start = next;
        next += session.rows as f64;
        start
    };
    sessions.iter().map(start).collect()
}

fn vertical_axis(canvas: &mut Canvas, frame: &Frame, most: usize, name: impl Fn(f64, usize) -> String) {
    let (values, decimals) = ticks(frame.y.0, frame.y.1, most);
    for value in values {
        let (left, y) = frame.at(frame.x.0, value);
        canvas.line((left, y), (frame.horizontal.1, y), GRID, 1);
        canvas.label((left - 8, y), Anchor::End, MUTED, &name(value, decimals));
    }
}

/// Dates below the axis, as long as there is room for and as many.
fn dates(canvas: &mut Canvas, frame: &Frame, sessions: &[SessionStatistics], middles: &[f64]) {
    let (left, right) = frame.horizontal;
    let slot = (right - left) / pixels(sessions.len().max(1), 1);
    let needed = if slot >= LONG_DATE { LONG_DATE } else { SHORT_DATE };
    let mut free = i32::MIN;
    for (session, middle) in sessions.iter().zip(middles) {
        let (x, date) = (frame.pixel(*middle), session.date);
        if x - needed / 2 >= free {
            let name = if slot >= LONG_DATE { date.strftime("%m-%d").to_string() } else { date.day().to_string() };
            canvas.label((x, frame.vertical.1 + 16), Anchor::Middle, MUTED, &name);
            free = x + needed / 2;
        }
    }
}

/// A line at each change of contract, named where names do not collide.
fn rollovers(canvas: &mut Canvas, frame: &Frame, statistics: &Statistics, starts: &[f64]) {
    let (left, right) = frame.horizontal;
    let mut free = left;
    for roll in &statistics.rollovers {
        let session = statistics.sessions.iter().position(|session| session.date == roll.date);
        let Some(start) = session.and_then(|session| starts.get(session)) else { continue };
        let x = frame.pixel(*start);
        canvas.line((x, frame.vertical.0 - 8), (x, frame.vertical.1), NOTICE, 2);
        let centre = x.clamp(left + ROLLOVER / 2, right - ROLLOVER / 2);
        if centre - ROLLOVER / 2 >= free {
            canvas.label((centre, 12), Anchor::Middle, NOTICE, &contracts(&roll.from, &roll.to));
            free = centre + ROLLOVER / 2;
        }
    }
}

/// `ESZ5 -> ESH6`; the input need not name its contracts.
pub fn contracts(from: &str, to: &str) -> String {
    if from.is_empty() && to.is_empty() { "change of price".to_owned() } else { format!("{from} -> {to}") }
}
