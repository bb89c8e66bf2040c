//! All months of an archive: a row a year.

use data::Month;

use super::svg::{
    self, ACCENT, Anchor, BAD, BAD_SOFT, Canvas, Drawn, GOOD_SOFT, GRID, INK, MUTED, NOTICE, NOTICE_SOFT, RULE, SOFT,
    bar, label,
};
use plotters::prelude::*;

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
pub fn calendar(days: &[Day]) -> crate::Result<String> {
    let first = days.iter().map(|day| day.month.year()).min().unwrap_or_default();
    let last = days.iter().map(|day| day.month.year()).max().unwrap_or_default();
    let years = i32::from(last - first) + 1;
    svg::draw_with_tips(
        "Calendar of the months by quality",
        (WIDTH, (TOP + years * CELL.1 + 6).unsigned_abs()),
        |canvas, tips| {
            for (number, name) in (0..).zip(MONTHS) {
                label(canvas, (LEFT + CELL.0 * number + CELL.0 / 2, 10), Anchor::Middle, MUTED, name)?;
            }
            for year in 0..years {
                let y = TOP + year * CELL.1 + CELL.1 / 2;
                label(canvas, (LEFT - 8, y), Anchor::End, INK, &(i32::from(first) + year).to_string())?;
            }
            for day in days {
                let row = i32::from(day.month.year() - first);
                let corner = (LEFT + CELL.0 * (i32::from(day.month.month()) - 1), TOP + CELL.1 * row);
                let (from, to) = ((corner.0 + 1, corner.1 + 1), (corner.0 + CELL.0 - 1, corner.1 + CELL.1 - 1));
                ground(canvas, day.tone, from, to)?;
                let ink = match day.tone {
                    Tone::Failed | Tone::Low => BAD,
                    Tone::Withheld => NOTICE,
                    Tone::Pending | Tone::Nothing => MUTED,
                    _ => INK,
                };
                label(canvas, (corner.0 + CELL.0 / 2, corner.1 + CELL.1 / 2), Anchor::Middle, ink, &day.short)?;
                tips.push((from, to, day.tip.clone()));
            }
            Ok(())
        },
    )
}

fn ground(canvas: &Canvas<'_>, tone: Tone, from: (i32, i32), to: (i32, i32)) -> Drawn {
    let edged = |fill: Option<RGBColor>, edge: RGBColor| -> Drawn {
        if let Some(fill) = fill {
            bar(canvas, from, to, fill)?;
        }
        canvas.draw(&Rectangle::new([from, to], edge.stroke_width(1)))?;
        Ok(())
    };
    match tone {
        Tone::Best => bar(canvas, from, to, GOOD_SOFT),
        Tone::Good => edged(Some(GOOD_SOFT), ACCENT),
        Tone::Medium => bar(canvas, from, to, NOTICE_SOFT),
        Tone::Low => bar(canvas, from, to, BAD_SOFT),
        Tone::Failed => edged(Some(BAD_SOFT), BAD),
        Tone::Running => edged(Some(SOFT), ACCENT),
        Tone::Withheld => edged(Some(NOTICE_SOFT), NOTICE),
        Tone::Pending => edged(None, RULE),
        Tone::Nothing => edged(None, GRID),
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
        let svg = calendar(&[day("2013-01", "a"), day("2014-12", "b")]).unwrap();
        assert!(svg.contains("<title>tip of a</title>") && svg.contains("<title>tip of b</title>"), "{svg}");
        let tip = |x: i32, y: i32| format!("class=\"tip\" x=\"{x}\" y=\"{y}\"");
        assert!(svg.contains(&tip(LEFT + 1, TOP + 1)), "{svg}");
        assert!(svg.contains(&tip(LEFT + 11 * CELL.0 + 1, TOP + CELL.1 + 1)), "{svg}");
        assert_eq!([0.95, 0.8, 0.6, 0.59].map(Tone::of), [Tone::Best, Tone::Good, Tone::Medium, Tone::Low]);
    }
}
