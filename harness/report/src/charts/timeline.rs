//! Figures of the months of an archive over time, as lines or as stacked bars.

use data::Month;

use super::svg::{Anchor, BAD, Canvas, Color, Frame, GRID, MUTED, SERIES, USUAL, ticks};

/// Pixels of a letter, about.
const LETTER: i32 = 8;
const LEFT: i32 = 66;
const LEGEND: i32 = 22;

/// One figure of each month, `None` where a month has none.
#[derive(Clone, Debug)]
pub struct Series {
    /// What it is.
    pub name: String,
    /// As many as there are months.
    pub values: Vec<Option<f64>>,
}

/// Months and how their figures are to be shown.
pub struct Timeline<'a> {
    /// What a screen reader says.
    pub title: &'a str,
    /// Every month from the first to the last.
    pub months: &'a [Month],
    /// Pixels.
    pub size: (u32, u32),
    /// A usual range: the ground is shaded there, and what lies outside is marked.
    pub usual: Option<(f64, f64)>,
    /// Ends that the axis has at least.
    pub least: (f64, f64),
    /// A value for the axis, with the decimals it needs there, and for a tip.
    pub show: fn(f64, usize) -> String,
    /// Decimals of a tip.
    pub decimals: usize,
}

impl Timeline<'_> {
    /// A line for each series, broken where months have no value.
    pub fn lines(&self, series: &[Series]) -> String {
        let values = || series.iter().flat_map(|series| &series.values).flatten().copied();
        let low = values().fold(self.least.0, f64::min);
        let high = values().fold(self.least.1, f64::max);
        let margin = 0.04 * (high - low);
        let low = if low < 0.0 || low < self.least.0 { low - margin } else { low };
        self.draw((low, high + margin), series, |canvas, frame| {
            for (series, color) in series.iter().zip(SERIES.iter().cycle()) {
                self.line(canvas, frame, &series.values, *color);
            }
        })
    }

    /// A bar a month, of the series one upon the other.
    pub fn bars(&self, series: &[Series]) -> String {
        let sum = |month: usize| -> f64 {
            series.iter().filter_map(|series| series.values.get(month).copied().flatten()).sum()
        };
        let high = (0..self.months.len()).map(sum).fold(self.least.1, f64::max);
        self.draw((0.0, 1.05 * high), series, |canvas, frame| {
            for month in 0..self.months.len() {
                let (mut base, (left, right)) = (0.0, slot(frame, month));
                let inset = if right - left > 5 { 1 } else { 0 };
                for (series, color) in series.iter().zip(SERIES.iter().cycle()) {
                    let Some(value) = series.values.get(month).copied().flatten() else { continue };
                    let [bottom, top] = [base, base + value].map(|y| frame.height(y));
                    canvas.bar((left + inset, top), (right - inset, bottom), *color);
                    base += value;
                }
            }
        })
    }

    fn line(&self, canvas: &mut Canvas, frame: &Frame, values: &[Option<f64>], color: Color) {
        let at = |month: usize, value: f64| frame.at(month as f64 + 0.5, value);
        let known: Vec<(usize, f64)> =
            values.iter().enumerate().filter_map(|(month, value)| Some((month, (*value)?))).collect();
        for run in known.chunk_by(|(before, _), (after, _)| before + 1 == *after) {
            match *run {
                [(month, value)] => canvas.dot(at(month, value), 3, color),
                _ => canvas.path(run.iter().map(|&(month, value)| at(month, value)), color, 2),
            }
        }
        for &(month, value) in &known {
            let usual = self.usual.is_none_or(|(low, high)| (low..=high).contains(&value));
            // Where months are few a point shows each.
            if !usual {
                canvas.dot(at(month, value), 4, BAD);
            } else if self.months.len() <= 60 {
                canvas.dot(at(month, value), 2, color);
            }
        }
    }

    /// Legend, axes, what `paint` draws, and a tip with all figures over each month.
    fn draw(&self, y: (f64, f64), series: &[Series], paint: impl FnOnce(&mut Canvas, &Frame)) -> String {
        let (width, height) = (self.size.0 as i32, self.size.1 as i32);
        let y = if y.1 > y.0 { y } else { (y.0, y.0 + 1.0) };
        let names: Vec<&str> =
            series.iter().map(|series| series.name.as_str()).filter(|name| !name.is_empty()).collect();
        let legend = places(&names, width - LEFT - 8);
        let rows = legend.iter().map(|(row, _)| row + 1).max().unwrap_or(0);
        let frame = Frame {
            horizontal: (LEFT, width - 8),
            vertical: (8 + LEGEND * rows, height + LEGEND * rows.max(1) - LEGEND - 28),
            x: (0.0, self.months.len().max(1) as f64),
            y,
        };
        let mut canvas = Canvas::default();
        if let Some((low, high)) = self.usual {
            let [bottom, top] = [low.max(y.0), high.min(y.1)].map(|value| frame.height(value));
            canvas.bar((frame.horizontal.0, top), (frame.horizontal.1, bottom), USUAL);
        }
        self.axes(&mut canvas, &frame);
        for ((name, (row, x)), color) in names.iter().zip(&legend).zip(SERIES.iter().cycle()) {
            let (x, y) = (LEFT + x, 10 + LEGEND * row);
            canvas.bar((x, y - 5), (x + 14, y + 5), *color);
            canvas.label((x + 20, y), Anchor::Start, MUTED, name);
        }
        paint(&mut canvas, &frame);
        for month in 0..self.months.len() {
            self.tip(&mut canvas, &frame, month, series);
        }
        canvas.finish(self.title, (self.size.0, (frame.vertical.1 + 28).unsigned_abs()))
    }

    fn axes(&self, canvas: &mut Canvas, frame: &Frame) {
        let (values, decimals) = ticks(frame.y.0, frame.y.1, 6);
        for value in values {
            let (left, y) = frame.at(0.0, value);
            canvas.line((left, y), (frame.horizontal.1, y), GRID, 1);
            canvas.label((left - 8, y), Anchor::End, MUTED, &(self.show)(value, decimals));
        }
        months(canvas, frame, self.months);
    }

    fn tip(&self, canvas: &mut Canvas, frame: &Frame, number: usize, series: &[Series]) {
        let shown = series.iter().filter_map(|series| {
            let value = (self.show)(series.values.get(number).copied().flatten()?, self.decimals);
            Some(if series.name.is_empty() { value } else { format!("{}: {value}", series.name) })
        });
        let shown: Vec<String> = shown.collect();
        let (left, right) = slot(frame, number);
        if let (Some(month), false) = (self.months.get(number), shown.is_empty()) {
            let text = format!("{month}\n{}", shown.join("\n"));
            canvas.tip((left, frame.vertical.0), (right, frame.vertical.1), &text);
        }
    }
}

/// Pixels from and to which a month goes.
fn slot(frame: &Frame, month: usize) -> (i32, i32) {
    (frame.pixel(month as f64), frame.pixel(month as f64 + 1.0))
}

/// Names below an axis of months: of years, or of months where they are few.
pub fn months(canvas: &mut Canvas, frame: &Frame, months: &[Month]) {
    let years = months.len() > 18;
    let mut free = i32::MIN;
    for (number, month) in months.iter().enumerate() {
        let start = frame.pixel(number as f64);
        if years && month.month() == 1 && number > 0 {
            canvas.line((start, frame.vertical.0), (start, frame.vertical.1), GRID, 1);
        }
        if years && month.month() != 1 {
            continue;
        }
        let name = if years { month.year().to_string() } else { month.to_string() };
        let half = LETTER * name.len() as i32 / 2;
        let centre = if years { start + half } else { frame.pixel(number as f64 + 0.5) };
        if centre - half >= free && centre + half <= frame.horizontal.1 + 8 {
            canvas.label((centre, frame.vertical.1 + 16), Anchor::Middle, MUTED, &name);
            free = centre + half + LETTER;
        }
    }
}

/// Row and offset of each name of a legend of this width.
fn places(names: &[&str], width: i32) -> Vec<(i32, i32)> {
    let (mut row, mut x) = (0, 0);
    let place = |name: &&str| {
        let needed = 20 + LETTER * name.chars().count() as i32 + 20;
        if x > 0 && x + needed > width {
            (row, x) = (row + 1, 0);
        }
        let at = (row, x);
        x += needed;
        at
    };
    names.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    fn months(count: usize) -> Vec<Month> {
        std::iter::successors("2013-01".parse().ok(), |month: &Month| month.next()).take(count).collect()
    }

    fn timeline(months: &[Month]) -> Timeline<'_> {
        let (usual, least) = (Some((0.05, 0.5)), (0.0, 0.6));
        Timeline { title: "Wins", months, size: (640, 260), usual, least, show: text::fixed, decimals: 3 }
    }

    #[test]
    fn a_line_breaks_where_a_month_has_no_value_and_tips_say_each_value() {
        let months = months(6);
        let values = vec![Some(0.2), Some(0.3), None, Some(0.25), Some(0.7), None];
        let svg = timeline(&months).lines(&[Series { name: "low".into(), values }]);
        assert_eq!(svg.matches("<polyline").count() - svg.matches("stroke=\"var(--grid)\"").count(), 2, "{svg}");
        assert_eq!(svg.matches("<title>").count(), 4);
        assert!(svg.contains("<title>2013-02\nlow: 0.300</title>"), "{svg}");
        assert_eq!(svg.matches("fill=\"var(--bad)\"").count(), 1, "0.7 is outside the usual range");
    }

    #[test]
    fn bars_stand_one_upon_the_other() {
        let months = months(2);
        let series = |name: &str, value| Series { name: name.into(), values: vec![Some(value), None] };
        let timeline = Timeline { usual: None, least: (0.0, 1.0), ..timeline(&months) };
        let svg = timeline.bars(&[series("a", 1.0), series("b", 3.0)]);
        let bar = |color: &str| -> Vec<i32> {
            let at = svg.rfind(&format!("fill=\"var(--{color})\"")).unwrap();
            let element = &svg[svg[..at].rfind("<rect").unwrap()..];
            let number = |name: &str| element.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap();
            ["y", "height"].map(|name| number(name).parse().unwrap()).to_vec()
        };
        let (a, b) = (bar("s1"), bar("s2"));
        assert_eq!(b[0] + b[1], a[0], "b ends where a begins");
        assert!((b[1] - 3 * a[1]).abs() <= 2, "{a:?} {b:?}");
    }

    #[test]
    fn a_legend_takes_the_rows_it_needs() {
        assert_eq!(places(&["abc", "defg"], 1000), [(0, 0), (0, 64)]);
        assert_eq!(places(&["abc", "defg"], 100), [(0, 0), (1, 0)]);
    }
}
