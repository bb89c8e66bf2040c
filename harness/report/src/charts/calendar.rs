//! All months of an archive: a row a year.

use data::Month;

use super::svg::{
    ACCENT, Anchor, BAD, BAD_SOFT, Canvas, Color, GOOD_SOFT, GRID, INK, MUTED, NOTICE, NOTICE_SOFT, Point, RULE, SOFT,
};

/// How a month is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Score of at least 0.95.
    Best,
    /// At least 0.8.
    Good,
    /// At least 0.6.
    Medium,
    /// Below.
    Low,
    /// It failed, or cannot be read.
    Failed,
    /// It is being made.
    Running,
    /// Kept aside.
    Withheld,
    /// Not made yet.
    Pending,
    /// Nothing of it.
    Nothing,
}

impl Tone {
    /// The tone of a score.
    pub fn of(score: f64) -> Self {
        match score {
            0.95.. => Self::Best,
            0.8.. => Self::Good,
            0.6.. => Self::Medium,
            _ => Self::Low,
        }
    }
}

/// One month.
#[derive(Clone, Debug)]
pub struct Day {
    /// The month.
    pub month: Month,
    /// Its colour.
    pub tone: Tone,
    /// A few letters: not everyone sees colours.
    pub short: String,
    /// All that is to be said.
    pub tip: String,
}

const WIDTH: u32 = 640;
const LEFT: i32 = 48;
const CELL: (i32, i32) = (49, 30);
const TOP: i32 = 26;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The months as a calendar.
pub fn calendar(days: &[Day]) -> String {
    let first = days.iter().map(|day| day.month.year()).min().unwrap_or_default();
    let last = days.iter().map(|day| day.month.year()).max().unwrap_or_default();
    let years = i32::from(last - first) + 1;
    let mut canvas = Canvas::default();
    for (number, name) in (0..).zip(MONTHS) {
        canvas.label((LEFT + CELL.0 * number + CELL.0 / 2, 10), Anchor::Middle, MUTED, name);
    }
    for year in 0..years {
        let y = TOP + year * CELL.1 + CELL.1 / 2;
        canvas.label((LEFT - 8, y), Anchor::End, INK, &(i32::from(first) + year).to_string());
    }
    for day in days {
        let row = i32::from(day.month.year() - first);
        let corner = (LEFT + CELL.0 * (i32::from(day.month.month()) - 1), TOP + CELL.1 * row);
        let (from, to) = ((corner.0 + 1, corner.1 + 1), (corner.0 + CELL.0 - 1, corner.1 + CELL.1 - 1));
        ground(&mut canvas, day.tone, from, to);
        let ink = match day.tone {
            Tone::Failed | Tone::Low => BAD,
            Tone::Withheld => NOTICE,
            Tone::Pending | Tone::Nothing => MUTED,
            _ => INK,
        };
        canvas.label((corner.0 + CELL.0 / 2, corner.1 + CELL.1 / 2), Anchor::Middle, ink, &day.short);
        canvas.tip(from, to, &day.tip);
    }
    canvas.finish("Calendar of the months by quality", (WIDTH, (TOP + years * CELL.1 + 6).unsigned_abs()))
}

fn ground(canvas: &mut Canvas, tone: Tone, from: Point, to: Point) {
    let (fill, edges): (Option<Color>, Option<Color>) = match tone {
        Tone::Best => (Some(GOOD_SOFT), None),
        Tone::Good => (Some(GOOD_SOFT), Some(ACCENT)),
        Tone::Medium => (Some(NOTICE_SOFT), None),
        Tone::Low => (Some(BAD_SOFT), None),
        Tone::Failed => (Some(BAD_SOFT), Some(BAD)),
        Tone::Running => (Some(SOFT), Some(ACCENT)),
        Tone::Withheld => (Some(NOTICE_SOFT), Some(NOTICE)),
        Tone::Pending => (None, Some(RULE)),
        Tone::Nothing => (None, Some(GRID)),
    };
    if let Some(fill) = fill {
        canvas.bar(from, to, fill);
    }
    if let Some(edges) = edges {
        canvas.edges(from, to, edges);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_stands_in_its_row_and_column() {
        let day = |month: &str, short: &str| Day {
            month: month.parse().unwrap(),
            tone: Tone::Best,
            short: short.into(),
            tip: format!("tip of {short}"),
        };
        let svg = calendar(&[day("2013-01", "a"), day("2014-12", "b")]);
        assert!(svg.contains("<title>tip of a</title>") && svg.contains("<title>tip of b</title>"), "{svg}");
        let tip = |x: i32, y: i32| format!("class=\"tip\" x=\"{x}\" y=\"{y}\"");
        assert!(svg.contains(&tip(LEFT + 1, TOP + 1)), "{svg}");
        assert!(svg.contains(&tip(LEFT + 11 * CELL.0 + 1, TOP + CELL.1 + 1)), "{svg}");
        assert_eq!([0.95, 0.8, 0.6, 0.59].map(Tone::of), [Tone::Best, Tone::Good, Tone::Medium, Tone::Low]);
    }
}
