//! Charts over the sessions of the month.

use plotters::prelude::*;

use super::svg::{self, ACCENT, Anchor, Canvas, Drawn, Frame, GRID, INK, MUTED, NOTICE, SERIES, label, line, ticks};
use crate::report::{
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
pub fn price(statistics: &Statistics, prices: &[SessionPrices], width: u32) -> crate::Result<String> {
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
    svg::draw("Close over the trading sessions of the month", (width, height), |canvas| {
        vertical_axis(canvas, &frame, if height > 350 { 8 } else { 6 }, |value, decimals| {
            text::fixed(value, decimals)
        })?;
        let starts = starts(&statistics.sessions);
        for start in starts.iter().skip(1) {
            let x = frame.pixel(*start);
            line(canvas, (x, frame.vertical.0), (x, frame.vertical.1), GRID, 1)?;
        }
        let plane = frame.plane(canvas);
        for (start, session) in starts.iter().zip(prices) {
            let points = session.points.iter().map(|&(row, close)| (start + row as f64, close));
            plane.draw(&PathElement::new(points.collect::<Vec<_>>(), ACCENT.stroke_width(1)))?;
        }
        let ends = starts.iter().skip(1).copied().chain([rows]);
        let middles: Vec<f64> = starts.iter().zip(ends).map(|(start, end)| (start + end) / 2.0).collect();
        dates(canvas, &frame, &statistics.sessions, &middles)?;
        rollovers(canvas, &frame, statistics, &starts)
    })
}

/// Share of the rows that win along the sessions, a row a mode, on the axis of [`price`].
pub fn wins(statistics: &Statistics, prices: &[SessionPrices], width: u32) -> crate::Result<String> {
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
    svg::draw_with_tips("Where labels win", (width, bottom.unsigned_abs() + 30), |canvas, tips| {
        let starts = starts(&statistics.sessions);
        for (number, mode) in modes.iter().enumerate() {
            let top = 4 + ROW * number as i32;
            let long = mode.direction == Direction::Long;
            let name = mode.name.replace("_vol", "").replace('_', " ");
            label(canvas, (NAMES - 8, top + ROW / 2), Anchor::End, MUTED, &name)?;
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
                let corners = [(left, top + 2), (right.max(left + 1), top + ROW - 2)];
                canvas.draw(&Rectangle::new(corners, color.mix((20.0 * share).ceil() / 20.0).filled()))?;
            }
        }
        for (number, start) in starts.iter().enumerate() {
            let x = frame.pixel(*start);
            line(canvas, (x, 4), (x, bottom), GRID, 1)?;
            let end = starts.get(number + 1).map_or(frame.horizontal.1, |next| frame.pixel(*next));
            let session = &statistics.sessions[number];
            let shares = prices.get(number).map(|session| shares(modes, &session.wins)).unwrap_or_default();
            tips.push(((x, 4), (end, bottom), format!("{}{shares}", session.date)));
        }
        let ends = starts.iter().skip(1).copied().chain([frame.x.1]);
        let middles: Vec<f64> = starts.iter().zip(ends).map(|(start, end)| (start + end) / 2.0).collect();
        dates(canvas, &frame, &statistics.sessions, &middles)
    })
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
pub fn filled(statistics: &Statistics, width: u32) -> crate::Result<String> {
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
    svg::draw("Share of the seconds without a trade by session", (width, height), |canvas| {
        vertical_axis(canvas, &frame, 6, |value, decimals| text::percent(value, decimals.saturating_sub(2)))?;
        let plane = frame.plane(canvas);
        for (number, (session, share)) in sessions.iter().zip(&shares).enumerate() {
            let (left, right) = (number as f64 + 0.18, number as f64 + 0.82);
            let short = short_day(session);
            let color = if short.is_some() { NOTICE } else { ACCENT };
            plane.draw(&Rectangle::new([(left, *share), (right, 0.0)], color.filled()))?;
            if let Some((_, letter)) = short {
                let (x, y) = plane.map_coordinate(&(number as f64 + 0.5, *share));
                label(canvas, (x, y - 10), Anchor::Middle, INK, letter)?;
            }
        }
        let middles: Vec<f64> = (0..sessions.len()).map(|number| number as f64 + 0.5).collect();
        dates(canvas, &frame, sessions, &middles)
    })
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

fn vertical_axis(canvas: &Canvas<'_>, frame: &Frame, most: usize, name: impl Fn(f64, usize) -> String) -> Drawn {
    let (values, decimals) = ticks(frame.y.0, frame.y.1, most);
    let plane = frame.plane(canvas);
    for value in values {
        let (left, y) = plane.map_coordinate(&(frame.x.0, value));
        line(canvas, (left, y), (frame.horizontal.1, y), GRID, 1)?;
        label(canvas, (left - 8, y), Anchor::End, MUTED, &name(value, decimals))?;
    }
    Ok(())
}

/// Dates below the axis, as long as there is room for and as many.
fn dates(canvas: &Canvas<'_>, frame: &Frame, sessions: &[SessionStatistics], middles: &[f64]) -> Drawn {
    let (left, right) = frame.horizontal;
    let slot = (right - left) / i32::try_from(sessions.len().max(1))?;
    let needed = if slot >= LONG_DATE { LONG_DATE } else { SHORT_DATE };
    let mut free = i32::MIN;
    for (session, middle) in sessions.iter().zip(middles) {
        let (x, date) = (frame.pixel(*middle), session.date);
        if x - needed / 2 >= free {
            let name = if slot >= LONG_DATE { date.strftime("%m-%d").to_string() } else { date.day().to_string() };
            label(canvas, (x, frame.vertical.1 + 16), Anchor::Middle, MUTED, &name)?;
            free = x + needed / 2;
        }
    }
    Ok(())
}

/// A line at each change of contract, named where names do not collide.
fn rollovers(canvas: &Canvas<'_>, frame: &Frame, statistics: &Statistics, starts: &[f64]) -> Drawn {
    let (left, right) = frame.horizontal;
    let mut free = left;
    for roll in &statistics.rollovers {
        let session = statistics.sessions.iter().position(|session| session.date == roll.date);
        let Some(start) = session.and_then(|session| starts.get(session)) else { continue };
        let x = frame.pixel(*start);
        line(canvas, (x, frame.vertical.0 - 8), (x, frame.vertical.1), NOTICE, 2)?;
        let centre = x.clamp(left + ROLLOVER / 2, right - ROLLOVER / 2);
        if centre - ROLLOVER / 2 >= free {
            label(canvas, (centre, 12), Anchor::Middle, NOTICE, &contracts(&roll.from, &roll.to))?;
            free = centre + ROLLOVER / 2;
        }
    }
    Ok(())
}

/// `ESZ5 -> ESH6`; the input need not name its contracts.
pub fn contracts(from: &str, to: &str) -> String {
    if from.is_empty() && to.is_empty() { "change of price".to_owned() } else { format!("{from} -> {to}") }
}
