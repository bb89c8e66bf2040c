//! Charts with a row for each mode or feature.

use std::ops::RangeInclusive;

use super::svg::{ACCENT, Anchor, BAD, Canvas, Frame, GRID, INK, MUTED, SOFT, USUAL, pixels, ticks};
use crate::text;
use statistics::{ModeStatistics, Statistics, WeightStatistics, WinStatistics, feature_ranges, score::Part};

/// Width of these charts: what a column of the page has at 1400 pixels, and the page itself at 700.
pub const WIDTH: u32 = 640;

/// Most features in the chart of NaNs.
const MOST_FEATURES: usize = 20;

/// The usual shares of wins.
pub const USUAL_WINS: RangeInclusive<f64> = 0.05..=0.50;

/// What a range chart shows of one mode.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    mean: Option<f64>,
    /// p25, p50, p75, p90, p95.
    percentiles: [Option<f64>; 5],
}

impl From<&WeightStatistics> for Spread {
    fn from(of: &WeightStatistics) -> Self {
        Self { mean: of.mean, percentiles: [of.p25, of.p50, of.p75, of.p90, of.p95] }
    }
}

impl From<&WinStatistics> for Spread {
    fn from(of: &WinStatistics) -> Self {
        let percentiles = [of.p25, of.p50, of.p75, of.p90, of.p95];
        Self { mean: of.mean, percentiles: percentiles.map(|value| value.map(|value| value as f64)) }
    }
}

/// The modes in the order of the columns, those that were measured.
pub fn modes(statistics: &Statistics) -> Vec<(&str, &ModeStatistics)> {
    let labels = statistics.labels();
    let names = labels.specification.modes().iter().map(|mode| &*mode.name);
    names.filter_map(|name| statistics.modes.get_key_value(name)).map(|(name, mode)| (name.as_str(), mode)).collect()
}

/// Whether a mode of a month wins neither too rarely nor too often.
pub fn is_usual(statistics: &Statistics, mode: &str, rate: Option<f64>) -> bool {
    let (least, most) = statistics.labels().win_rate(mode, *USUAL_WINS.start());
    rate.is_some_and(|rate| (least..=most).contains(&rate))
}

/// Share of winning rows by mode on the ground of what is usual.
pub fn win_rates(statistics: &Statistics) -> String {
    let modes = modes(statistics);
    let most = modes.iter().filter_map(|(_, mode)| mode.win_rate).fold(0.55, f64::max);
    let rows = Rows {
        names: modes.iter().map(|(name, _)| text::words(name)).collect(),
        left: 152,
        most: 1.09 * most,
        height: 36,
    };
    rows.draw(
        "Win rate by mode",
        |value, decimals| text::percent(value, decimals.saturating_sub(2)),
        |canvas, frame| {
            let (low, high) = (frame.pixel(*USUAL_WINS.start()), frame.pixel(*USUAL_WINS.end()));
            canvas.bar((low, frame.vertical.0), (high, frame.vertical.1), USUAL);
        },
        |canvas, frame, row, y| {
            let Some(rate) = modes[row].1.win_rate else { return none(canvas, frame, y) };
            let usual = is_usual(statistics, modes[row].0, Some(rate));
            let end = frame.pixel(rate);
            canvas.bar((frame.horizontal.0, y - 10), (end, y + 10), if usual { ACCENT } else { BAD });
            canvas.label((end + 7, y), Anchor::Start, INK, &text::percent(rate, 1));
        },
    )
}

/// The spread of one figure by mode: a line from p25 to p95, a box to p75, the median, p90 and the mean.
pub fn spreads(title: &str, statistics: &Statistics, of: impl Fn(&ModeStatistics) -> Spread) -> String {
    let spreads: Vec<(&str, Spread)> = modes(statistics).iter().map(|(name, mode)| (*name, of(mode))).collect();
    let values = spreads.iter().flat_map(|(_, spread)| spread.percentiles.iter().chain([&spread.mean])).flatten();
    let most = values.copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
    let most = if most > 0.0 { 1.1 * most } else { 1.0 };
    let rows = Rows { names: spreads.iter().map(|(name, _)| text::words(name)).collect(), left: 152, most, height: 36 };
    rows.draw(
        title,
        text::fixed,
        |_, _| {},
        |canvas, frame, row, y| {
            let spread = spreads[row].1;
            let [Some(p25), Some(p50), Some(p75), Some(p90), Some(p95)] =
                spread.percentiles.map(|value| value.map(|value| frame.pixel(value)))
            else {
                return none(canvas, frame, y);
            };
            canvas.line((p25, y), (p95, y), ACCENT, 2);
            canvas.bar((p25, y - 9), (p75.max(p25 + 2), y + 9), SOFT);
            canvas.edges((p25, y - 9), (p75.max(p25 + 2), y + 9), ACCENT);
            canvas.line((p90, y - 5), (p90, y + 5), ACCENT, 2);
            canvas.line((p95, y - 9), (p95, y + 9), ACCENT, 2);
            canvas.line((p50, y - 9), (p50, y + 9), INK, 3);
            if let Some(mean) = spread.mean {
                canvas.dot((frame.pixel(mean), y), 4, INK);
            }
            let end = spread.percentiles[4].map(text::significant).unwrap_or_default();
            canvas.label((p95 + 8, y), Anchor::Start, MUTED, &end);
        },
    )
}

/// The features with the most NaNs; `None` when no feature has any.
pub fn nan_shares(statistics: &Statistics) -> Option<String> {
    let all = feature_ranges::names().filter_map(|name| Some((name, statistics.features.get(name)?.nan_share)));
    let mut features: Vec<(&str, f64)> = all.filter(|(_, share)| *share > 0.0).collect();
    features.sort_by(|left, right| right.1.total_cmp(&left.1));
    features.truncate(MOST_FEATURES);
    let most = features.first()?.1;
    let rows = Rows {
        names: features.iter().map(|(name, _)| (*name).to_owned()).collect(),
        left: 200,
        most: 1.14 * most,
        height: 25,
    };
    Some(rows.draw(
        "Share of NaN by feature",
        |value, decimals| text::percent(value, decimals.saturating_sub(2)),
        |_, _| {},
        |canvas, frame, row, y| {
            let (name, share) = features[row];
            let above = feature_ranges::nan_ceiling(name).is_some_and(|ceiling| share > ceiling);
            let end = frame.pixel(share).max(frame.horizontal.0 + 1);
            canvas.bar((frame.horizontal.0, y - 6), (end, y + 6), if above { BAD } else { ACCENT });
            canvas.label((end + 7, y), Anchor::Start, INK, &text::percent(share, 2));
        },
    ))
}

/// The five parts of the score: name, weight and value.
pub fn parts(statistics: &Statistics) -> [(&'static str, f64, f64); 5] {
    let parts = &statistics.quality.parts;
    [
        (Part::Modes, parts.modes),
        (Part::Data, parts.data),
        (Part::Features, parts.features),
        (Part::Performance, parts.performance),
        (Part::Rolls, parts.rolls),
    ]
    .map(|(part, value)| (part_name(part), part.weight(), value))
}

/// A part's name as in the statistics.
pub fn part_name(part: Part) -> &'static str {
    match part {
        Part::Modes => "modes",
        Part::Data => "data",
        Part::Features => "features",
        Part::Performance => "performance",
        Part::Rolls => "rolls",
    }
}

/// What each part of the score has left of 1.
pub fn score(statistics: &Statistics) -> String {
    let parts = parts(statistics);
    let names = parts.iter().map(|(name, weight, _)| format!("{name}, {}", text::percent(*weight, 0))).collect();
    let rows = Rows { names, left: 152, most: 1.1, height: 36 };
    rows.draw(
        "Quality by part",
        text::fixed,
        |_, _| {},
        |canvas, frame, row, y| {
            let value = parts[row].2;
            let end = frame.pixel(value.clamp(0.0, 1.0));
            canvas.bar((frame.horizontal.0, y - 10), (frame.pixel(1.0), y + 10), SOFT);
            canvas.bar((frame.horizontal.0, y - 10), (end, y + 10), ACCENT);
            canvas.label((frame.pixel(1.0) + 7, y), Anchor::Start, INK, &text::fixed(value, 3));
        },
    )
}

fn none(canvas: &mut Canvas, frame: &Frame, y: i32) {
    canvas.label((frame.horizontal.0 + 7, y), Anchor::Start, MUTED, "no value");
}

/// A chart with named rows and values from 0 on.
struct Rows {
    names: Vec<String>,
    /// Pixels for the names.
    left: i32,
    /// Value at the right end.
    most: f64,
    /// Pixels a row.
    height: i32,
}

impl Rows {
    /// Draws the ground, the axis, then each row about its vertical middle.
    fn draw(
        &self,
        title: &str,
        name: impl Fn(f64, usize) -> String,
        ground: impl FnOnce(&mut Canvas, &Frame),
        row: impl Fn(&mut Canvas, &Frame, usize, i32),
    ) -> String {
        let bottom = 6 + pixels(self.names.len().max(1), self.height);
        let frame = Frame {
            horizontal: (self.left, WIDTH as i32 - 14),
            vertical: (6, bottom),
            x: (0.0, self.most),
            y: (0.0, 1.0),
        };
        let mut canvas = Canvas::default();
        ground(&mut canvas, &frame);
        let (values, decimals) = ticks(0.0, self.most, 7);
        for value in values {
            let x = frame.pixel(value);
            canvas.line((x, frame.vertical.0), (x, bottom), GRID, 1);
            canvas.label((x, bottom + 16), Anchor::Middle, MUTED, &name(value, decimals));
        }
        for (number, name) in self.names.iter().enumerate() {
            let y = frame.vertical.0 + pixels(number, self.height) + self.height / 2;
            canvas.label((self.left - 10, y), Anchor::End, INK, name);
            row(&mut canvas, &frame, number, y);
        }
        canvas.finish(title, (WIDTH, bottom.unsigned_abs() + 30))
    }
}
