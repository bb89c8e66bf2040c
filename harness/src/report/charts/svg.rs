//! Drawing with plotters, in colours the page decides.
//!
//! Plotters writes fixed colours. Each colour here stands for a role and is replaced by the page's CSS variable, so
//! that one drawing is right on light, dark and paper.

use plotters::{
    coord::{Shift, types::RangedCoordf64},
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::report::text;

/// Text.
pub const INK: RGBColor = RGBColor(1, 0, 0);
/// Labels of the axes.
pub const MUTED: RGBColor = RGBColor(2, 0, 0);
/// Lines of the grid.
pub const GRID: RGBColor = RGBColor(3, 0, 0);
/// What the chart shows.
pub const ACCENT: RGBColor = RGBColor(4, 0, 0);
/// What differs from the usual.
pub const NOTICE: RGBColor = RGBColor(5, 0, 0);
/// What is wrong.
pub const BAD: RGBColor = RGBColor(6, 0, 0);
/// The ground of a usual range.
pub const USUAL: RGBColor = RGBColor(7, 0, 0);
/// The ground of a box or a track.
pub const SOFT: RGBColor = RGBColor(8, 0, 0);

/// Things that are told apart by colour, such as stages.
pub const SERIES: [RGBColor; 7] = [
    RGBColor(9, 0, 0),
    RGBColor(10, 0, 0),
    RGBColor(11, 0, 0),
    RGBColor(12, 0, 0),
    RGBColor(13, 0, 0),
    RGBColor(14, 0, 0),
    RGBColor(15, 0, 0),
];
/// Grounds for what is good, worth a notice, and wrong.
pub const GOOD_SOFT: RGBColor = RGBColor(16, 0, 0);
/// See [`GOOD_SOFT`].
pub const NOTICE_SOFT: RGBColor = RGBColor(17, 0, 0);
/// See [`GOOD_SOFT`].
pub const BAD_SOFT: RGBColor = RGBColor(18, 0, 0);

/// Edges.
pub const RULE: RGBColor = RGBColor(19, 0, 0);

const ROLES: [(RGBColor, &str); 19] = [
    (INK, "ink"),
    (MUTED, "muted"),
    (GRID, "grid"),
    (ACCENT, "accent"),
    (NOTICE, "notice"),
    (BAD, "bad"),
    (USUAL, "usual"),
    (SOFT, "soft"),
    (SERIES[0], "s1"),
    (SERIES[1], "s2"),
    (SERIES[2], "s3"),
    (SERIES[3], "s4"),
    (SERIES[4], "s5"),
    (SERIES[5], "s6"),
    (SERIES[6], "s7"),
    (GOOD_SOFT, "good-soft"),
    (NOTICE_SOFT, "notice-soft"),
    (BAD_SOFT, "bad-soft"),
    (RULE, "rule"),
];

/// Size of all text in a chart, in units of its viewBox. Charts are drawn for the width they are shown in, or more.
pub const TEXT: f64 = 14.0;

/// Plotters divides sizes by this.
const PLOTTERS_TEXT: f64 = 1.24;

/// A drawing in whole pixels.
pub type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A part of it with axes.
pub type Plane<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// Result of a drawing.
pub type Drawn = crate::Result<()>;

/// Draws an inline SVG element; `label` is what a screen reader says.
pub fn draw(label: &str, size: (u32, u32), paint: impl FnOnce(&Canvas<'_>) -> Drawn) -> crate::Result<String> {
    draw_with_tips(label, size, |canvas, _| paint(canvas))
}

/// What is shown over a part of a drawing: two corners and the text.
pub type Tip = ((i32, i32), (i32, i32), String);

/// The same; over the drawing lie what the browser shows texts for.
pub fn draw_with_tips(
    label: &str,
    size: (u32, u32),
    paint: impl FnOnce(&Canvas<'_>, &mut Vec<Tip>) -> Drawn,
) -> crate::Result<String> {
    let (mut drawing, mut tips) = (String::new(), Vec::new());
    {
        let canvas = SVGBackend::with_string(&mut drawing, size).into_drawing_area();
        paint(&canvas, &mut tips)?;
        canvas.present()?;
    }
    // Plotters' own opening tag has a fixed size.
    let content = drawing.split_once('>').map_or("", |(_, content)| content);
    let (width, height) = size;
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">{content}",
        text::escape(label)
    );
    for (RGBColor(red, green, blue), name) in ROLES {
        svg = svg.replace(&format!("\"#{red:02X}{green:02X}{blue:02X}\""), &format!("\"var(--{name})\""));
    }
    if !tips.is_empty() {
        let rectangles = tips.iter().map(|((left, top), (right, bottom), tip)| {
            let (width, height, tip) = ((right - left).max(1), (bottom - top).max(1), text::escape(tip));
            format!("<rect class=\"tip\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"><title>{tip}</title></rect>\n")
        });
        svg.truncate(svg.rfind("</svg>").unwrap_or(svg.len()));
        svg.extend(rectangles);
        svg.push_str("</svg>\n");
    }
    Ok(svg)
}

/// Where the axes of a plane are, in pixels, and what they run over.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Pixels from the left edge to the vertical axis and to the right end.
    pub horizontal: (i32, i32),
    /// Pixels from the top edge to the upper end and to the horizontal axis.
    pub vertical: (i32, i32),
    /// Values at the left and the right end.
    pub x: (f64, f64),
    /// Values at the bottom and the top.
    pub y: (f64, f64),
}

impl Frame {
    /// The plane on a canvas.
    pub fn plane<'a>(&self, canvas: &Canvas<'a>) -> Plane<'a> {
        let (left, right) = self.horizontal;
        let (top, bottom) = self.vertical;
        let (x, y) = (self.x.0..self.x.1, self.y.0..self.y.1);
        // From the bottom up: pixels count downwards.
        canvas.apply_coord_spec(Cartesian2d::new(x, y, (left..right, bottom..top)))
    }

    /// The pixel of a value on the horizontal axis.
    pub fn pixel(&self, x: f64) -> i32 {
        let (left, right) = self.horizontal;
        let share = (x - self.x.0) / (self.x.1 - self.x.0);
        left + (share * f64::from(right - left)).round() as i32
    }
}

/// How text stands at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// To the right of it.
    Start,
    /// Centred on it.
    Middle,
    /// To the left of it.
    End,
}

/// Writes text, vertically centred on `at`.
pub fn label(canvas: &Canvas<'_>, at: (i32, i32), anchor: Anchor, color: RGBColor, text: &str) -> Drawn {
    let horizontal = match anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let font = ("sans-serif", TEXT * PLOTTERS_TEXT).into_font().color(&color);
    canvas.draw(&Text::new(text.to_owned(), at, font.pos(Pos::new(horizontal, VPos::Center))))?;
    Ok(())
}

/// Draws a straight line.
pub fn line(canvas: &Canvas<'_>, from: (i32, i32), to: (i32, i32), color: RGBColor, width: u32) -> Drawn {
    canvas.draw(&PathElement::new([from, to], color.stroke_width(width)))?;
    Ok(())
}

/// Fills a rectangle.
pub fn bar(canvas: &Canvas<'_>, from: (i32, i32), to: (i32, i32), color: RGBColor) -> Drawn {
    canvas.draw(&Rectangle::new([from, to], color.filled()))?;
    Ok(())
}

/// Round values from `low` to `high`, at most `most` of them, and the decimals they need.
pub fn ticks(low: f64, high: f64, most: usize) -> (Vec<f64>, usize) {
    let span = high - low;
    if !span.is_finite() || span <= 0.0 || most < 2 {
        return (Vec::new(), 0);
    }
    let power = 10_f64.powf((span / most as f64).log10().floor());
    // Ends that are ticks but for rounding count.
    let ends = |step: f64| ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let fits = |step: &f64| ends(*step).1 - ends(*step).0 < most as f64;
    let step = [1.0, 2.0, 5.0, 10.0, 20.0].map(|factor| factor * power).into_iter().find(fits).unwrap_or(span);
    let (first, last) = (ends(step).0 as i64, ends(step).1 as i64);
    let decimals = (-(step * 1.000_001).log10().floor()).max(0.0) as usize;
    ((first..=last).map(|number| number as f64 * step).collect(), decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(0.0, 0.6, 7), (vec![0.0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5, 0.6000000000000001], 1));
        assert_eq!(ticks(6712.0, 6931.0, 6).0, [6750.0, 6800.0, 6850.0, 6900.0]);
        assert_eq!(ticks(0.0, 900.0, 6), (vec![0.0, 200.0, 400.0, 600.0, 800.0], 0));
        assert_eq!(ticks(1.0, 1.0, 6), (Vec::new(), 0));
        assert_eq!(ticks(0.0, f64::NAN, 6), (Vec::new(), 0));
    }

    #[test]
    fn larger_values_stand_higher_and_further_right() {
        let frame = Frame { horizontal: (50, 150), vertical: (10, 110), x: (0.0, 10.0), y: (100.0, 200.0) };
        let check = |canvas: &Canvas<'_>| {
            let plane = frame.plane(canvas);
            let corners = [(0.0, 100.0), (10.0, 200.0)].map(|corner| plane.map_coordinate(&corner));
            assert_eq!(corners, [(50, 110), (150, 10)]);
            Ok(())
        };
        draw("", (200, 120), check).unwrap();
        assert_eq!([0.0, 5.0, 10.0].map(|x| frame.pixel(x)), [50, 100, 150]);
    }

    #[test]
    fn colours_are_the_pages_and_nothing_is_linked() {
        let svg = draw("a < b", (100, 50), |canvas| {
            label(canvas, (10, 10), Anchor::Start, MUTED, "x > y")?;
            bar(canvas, (0, 0), (10, 10), BAD)
        });
        let svg = svg.unwrap();
        assert!(svg.starts_with("<svg class=\"chart\" viewBox=\"0 0 100 50\" role=\"img\" aria-label=\"a &lt; b\">"));
        assert!(svg.contains("var(--muted)") && svg.contains("var(--bad)") && svg.contains("x &gt; y"));
        assert!(!svg.contains('#') && !svg.contains("http"));
        assert!(svg.contains("font-size=\"14"));
    }
}
