//! Deviations of many things over the months: a row each, red above the usual, blue below.

use data::Month;

use super::{
    svg::{ACCENT, Anchor, BAD, Canvas, Frame, GRID, INK, pixels},
    timeline,
};
use crate::text;

/// From which deviation on a month is coloured, and how strongly.
pub const STEPS: [(f64, f64); 4] = [(2.0, 0.25), (3.5, 0.5), (5.0, 0.75), (10.0, 1.0)];

const LEFT: i32 = 218;
const ROW: i32 = 18;

/// A row of the map.
pub struct Row {
    /// What deviates.
    pub name: String,
    /// By month; `None` where a month has no value.
    pub deviations: Vec<Option<f64>>,
}

/// The map; months within the usual are left empty, so that those that are not are seen (and the file stays small).
pub fn heat(title: &str, months: &[Month], rows: &[Row], width: u32) -> String {
    let bottom = 4 + pixels(rows.len().max(1), ROW);
    let frame = Frame {
        horizontal: (LEFT, width as i32 - 8),
        vertical: (4, bottom),
        x: (0.0, months.len().max(1) as f64),
        y: (0.0, 1.0),
    };
    let mut canvas = Canvas::default();
    timeline::months(&mut canvas, &frame, months);
    for (number, row) in (0..).zip(rows) {
        let (top, bottom) = (4 + ROW * number, 4 + ROW * (number + 1));
        canvas.line((LEFT, bottom), (frame.horizontal.1, bottom), GRID, 1);
        canvas.label((LEFT - 10, top + ROW / 2), Anchor::End, INK, &row.name);
        for ((place, month), deviation) in months.iter().enumerate().zip(&row.deviations) {
            let Some(deviation) = deviation else { continue };
            let Some(strength) = strength(*deviation) else { continue };
            let (left, right) = (frame.pixel(place as f64), frame.pixel(place as f64 + 1.0));
            let (from, to) = ((left, top + 1), (right.max(left + 1), bottom - 1));
            canvas.bar(from, to, if *deviation > 0.0 { BAD } else { ACCENT }.mix(strength));
            canvas.tip(from, to, &format!("{} in {month}: {}", row.name, text::fixed(*deviation, 1)));
        }
    }
    canvas.finish(title, (width, bottom.unsigned_abs() + 30))
}

fn strength(deviation: f64) -> Option<f64> {
    STEPS.iter().rev().find(|(from, _)| deviation.abs() >= *from).map(|(_, strength)| *strength)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_deviates_is_drawn_and_said() {
        let months: Vec<Month> = ["2013-01", "2013-02", "2013-03"].map(|month| month.parse().unwrap()).to_vec();
        let row = Row { name: "vwap".into(), deviations: vec![Some(1.9), Some(-4.0), Some(20.0)] };
        let svg = heat("Drift", &months, &[row], 640);
        assert_eq!(svg.matches("<title>").count(), 2);
        assert!(svg.contains("vwap in 2013-02: \u{2212}4.0") && svg.contains("vwap in 2013-03: 20.0"), "{svg}");
        assert_eq!([1.9, 2.0, -3.5, 5.0, 99.0].map(strength), [None, Some(0.25), Some(0.5), Some(0.75), Some(1.0)]);
    }
}
