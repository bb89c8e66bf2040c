//! A curve in a file of its own.

use super::svg::{ACCENT, Anchor, Canvas, Frame, GRID, INK, MUTED, ticks};
use crate::text;

const SIZE: (u32, u32) = (900, 360);

/// An SVG file of lines from point to point, both axes from 0 on.
///
/// ```
/// let svg = report::charts::curve::curve("Memory, MiB", "seconds", &[(0.0, 60.0), (1.5, 61.0)]);
/// assert!(svg.contains("<polyline") && svg.contains("Memory, MiB"));
/// ```
pub fn curve(title: &str, across: &str, points: &[(f64, f64)]) -> String {
    let most = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).fold(1e-9, f64::max);
    let frame = Frame {
        horizontal: (66, SIZE.0 as i32 - 14),
        vertical: (40, SIZE.1 as i32 - 52),
        x: (0.0, most(|point| point.0)),
        y: (0.0, 1.1 * most(|point| point.1)),
    };
    let mut canvas = Canvas::default();
    canvas.label((SIZE.0 as i32 / 2, 18), Anchor::Middle, INK, title);
    let (values, decimals) = ticks(frame.y.0, frame.y.1, 6);
    for value in values {
        let (left, y) = frame.at(0.0, value);
        canvas.line((left, y), (frame.horizontal.1, y), GRID, 1);
        canvas.label((left - 8, y), Anchor::End, MUTED, &text::fixed(value, decimals));
    }
    let (values, decimals) = ticks(frame.x.0, frame.x.1, 9);
    for value in values {
        let (x, bottom) = frame.at(value, 0.0);
        canvas.label((x, bottom + 16), Anchor::Middle, MUTED, &text::fixed(value, decimals));
    }
    canvas.label((SIZE.0 as i32 / 2, SIZE.1 as i32 - 14), Anchor::Middle, MUTED, across);
    canvas.path(points.iter().map(|&(x, y)| frame.at(x, y)), ACCENT, 2);
    canvas.file(SIZE)
}
