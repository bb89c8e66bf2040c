//! SVG elements in colours that the page decides: one drawing is right on light, dark and paper.

use std::fmt::Write;

use crate::text;

/// A colour by its role, which is the name of the page's CSS variable, and how much of it is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Color(&'static str, f64);

impl Color {
    /// As much of it, from 0 to 1.
    #[must_use]
    pub const fn mix(self, share: f64) -> Self {
        Self(self.0, share)
    }

    /// As the attributes of a shape: `fill` or `stroke`.
    fn attributes(self, what: &str) -> String {
        let Self(role, share) = self;
        let seen = if share < 1.0 { format!(" opacity=\"{share}\"") } else { String::new() };
        format!("{what}=\"var(--{role})\"{seen}")
    }
}

/// Text.
pub const INK: Color = Color("ink", 1.0);
/// Labels of the axes.
pub const MUTED: Color = Color("muted", 1.0);
/// Lines of the grid.
pub const GRID: Color = Color("grid", 1.0);
/// What the chart shows.
pub const ACCENT: Color = Color("accent", 1.0);
/// What differs from the usual.
pub const NOTICE: Color = Color("notice", 1.0);
/// What is wrong.
pub const BAD: Color = Color("bad", 1.0);
/// The ground of a usual range.
pub const USUAL: Color = Color("usual", 1.0);
/// The ground of a box or a track.
pub const SOFT: Color = Color("soft", 1.0);
/// Edges.
pub const RULE: Color = Color("rule", 1.0);
/// Ground of what is good.
pub const GOOD_SOFT: Color = Color("good-soft", 1.0);
/// Ground of what is worth a notice.
pub const NOTICE_SOFT: Color = Color("notice-soft", 1.0);
/// Ground of what is wrong.
pub const BAD_SOFT: Color = Color("bad-soft", 1.0);
/// Things that are told apart by colour, such as stages.
pub const SERIES: [Color; 7] = [
    Color("s1", 1.0),
    Color("s2", 1.0),
    Color("s3", 1.0),
    Color("s4", 1.0),
    Color("s5", 1.0),
    Color("s6", 1.0),
    Color("s7", 1.0),
];

/// Size of all text in a chart, in units of its viewBox. Charts are drawn for the width they are shown in, or more.
const TEXT: f64 = 14.0;

/// A point in whole pixels, from the top left.
pub type Point = (i32, i32);

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

/// A drawing.
#[derive(Debug, Default)]
pub struct Canvas {
    shapes: String,
    /// Over all shapes: what the browser shows texts for.
    tips: String,
}

impl Canvas {
    /// A rectangle.
    pub fn bar(&mut self, from: Point, to: Point, color: Color) {
        let ((x, y), (width, height)) = rectangle(from, to);
        let fill = color.attributes("fill");
        let _ = writeln!(self.shapes, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {fill}/>");
    }

    /// The edges of a rectangle.
    pub fn edges(&mut self, from: Point, to: Point, color: Color) {
        let ((x, y), (width, height)) = rectangle(from, to);
        let stroke = color.attributes("stroke");
        let _ = writeln!(
            self.shapes,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"none\" {stroke}/>"
        );
    }

    /// A straight line.
    pub fn line(&mut self, from: Point, to: Point, color: Color, width: u32) {
        self.path([from, to], color, width);
    }

    /// Lines from point to point.
    pub fn path(&mut self, points: impl IntoIterator<Item = Point>, color: Color, width: u32) {
        let points: Vec<String> = points.into_iter().map(|(x, y)| format!("{x},{y}")).collect();
        let (points, stroke) = (points.join(" "), color.attributes("stroke"));
        let _ =
            writeln!(self.shapes, "<polyline fill=\"none\" {stroke} stroke-width=\"{width}\" points=\"{points}\"/>");
    }

    /// A filled circle.
    pub fn dot(&mut self, (x, y): Point, radius: u32, color: Color) {
        let fill = color.attributes("fill");
        let _ = writeln!(self.shapes, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" {fill}/>");
    }

    /// Text, vertically centred on its point.
    pub fn label(&mut self, (x, y): Point, anchor: Anchor, color: Color, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (fill, text) = (color.attributes("fill"), text::escape(text));
        let _ = writeln!(
            self.shapes,
            "<text x=\"{x}\" y=\"{y}\" dy=\"0.5ex\" text-anchor=\"{anchor}\" font-family=\"sans-serif\" \
             font-size=\"{TEXT}\" {fill}>{text}</text>"
        );
    }

    /// What is shown over a part of the drawing.
    pub fn tip(&mut self, from: Point, to: Point, text: &str) {
        let ((x, y), (width, height)) = rectangle(from, to);
        let (width, height, text) = (width.max(1), height.max(1), text::escape(text));
        let _ = writeln!(
            self.tips,
            "<rect class=\"tip\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"><title>{text}</title></rect>"
        );
    }

    /// The inline SVG element; `label` is what a screen reader says.
    pub fn finish(self, label: &str, (width, height): (u32, u32)) -> String {
        let Self { shapes, tips } = self;
        let label = text::escape(label);
        format!(
            "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">\n{shapes}{tips}</svg>\n"
        )
    }

    /// An SVG file, on white: without a page, the colours are those of print.
    pub fn file(self, (width, height): (u32, u32)) -> String {
        let shapes = PRINT.iter().fold(self.shapes, |shapes, (Color(role, _), print)| {
            shapes.replace(&format!("\"var(--{role})\""), &format!("\"{print}\""))
        });
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{shapes}</svg>\n"
        )
    }
}

/// Colours of a drawing without a page.
const PRINT: [(Color, &str); 4] = [(INK, "#1a1a1a"), (MUTED, "#5c5c5c"), (GRID, "#dddddd"), (ACCENT, "#1f5fa8")];

/// The upper left corner of a rectangle, and its width and height.
fn rectangle(from: Point, to: Point) -> (Point, (u32, u32)) {
    ((from.0.min(to.0), from.1.min(to.1)), (to.0.abs_diff(from.0), to.1.abs_diff(from.1)))
}

/// What a number of rows or columns takes in pixels; a chart has a few hundred at most.
pub fn pixels(count: usize, each: i32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX / 1000).saturating_mul(each)
}

/// Where the axes are, in pixels, and what they run over.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Left and right end.
    pub horizontal: (i32, i32),
    /// Top and bottom end.
    pub vertical: (i32, i32),
    /// Values at the left and the right end.
    pub x: (f64, f64),
    /// Values at the bottom and the top.
    pub y: (f64, f64),
}

impl Frame {
    /// The pixel of a value on the horizontal axis.
    pub fn pixel(&self, x: f64) -> i32 {
        on(x, self.x, self.horizontal)
    }

    /// The pixel of a value on the vertical axis: from the bottom up.
    pub fn height(&self, y: f64) -> i32 {
        on(y, self.y, (self.vertical.1, self.vertical.0))
    }

    /// The pixel of a point.
    pub fn at(&self, x: f64, y: f64) -> Point {
        (self.pixel(x), self.height(y))
    }
}

fn on(value: f64, (first, last): (f64, f64), (from, to): (i32, i32)) -> i32 {
    let share = (value - first) / (last - first);
    from.saturating_add((share * f64::from(to - from)).round() as i32)
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
        let corners = [(0.0, 100.0), (10.0, 200.0)].map(|(x, y)| frame.at(x, y));
        assert_eq!(corners, [(50, 110), (150, 10)]);
        assert_eq!([0.0, 5.0, 10.0].map(|x| frame.pixel(x)), [50, 100, 150]);
    }

    #[test]
    fn colours_are_the_pages_and_nothing_is_linked() {
        let mut canvas = Canvas::default();
        canvas.label((10, 10), Anchor::Start, MUTED, "x > y");
        canvas.bar((0, 0), (10, 10), BAD);
        let svg = canvas.finish("a < b", (100, 50));
        assert!(svg.starts_with("<svg class=\"chart\" viewBox=\"0 0 100 50\" role=\"img\" aria-label=\"a &lt; b\">"));
        assert!(svg.contains("var(--muted)") && svg.contains("var(--bad)") && svg.contains("x &gt; y"));
        assert!(!svg.contains('#') && !svg.contains("http"));
        assert!(svg.contains("font-size=\"14"));
    }

    #[test]
    fn a_rectangle_has_its_corners_in_any_order_and_tips_lie_over_the_shapes() {
        let mut canvas = Canvas::default();
        canvas.tip((0, 0), (0, 5), "a tip");
        canvas.bar((9, 20), (5, 8), ACCENT.mix(0.25));
        let svg = canvas.finish("", (100, 50));
        let bar = "<rect x=\"5\" y=\"8\" width=\"4\" height=\"12\" fill=\"var(--accent)\" opacity=\"0.25\"/>\n";
        let tip = "<rect class=\"tip\" x=\"0\" y=\"0\" width=\"1\" height=\"5\"><title>a tip</title></rect>\n";
        assert!(svg.ends_with(&format!("{bar}{tip}</svg>\n")), "{svg}");
    }
}
