//! A figure of every pair of a stop and a target: a cell each, the stronger the colour the larger the figure.

use super::svg::{ACCENT, Anchor, BAD, Canvas, GRID, INK, MUTED, pixels};

/// Pixels for the names of the stops and below the map, and of a cell's height.
const LEFT: i32 = 44;
const BELOW: u32 = 40;
const CELL: i32 = 15;

/// A cell of the map.
pub struct Square {
    /// `None` where there is nothing to say.
    pub value: Option<f64>,
    /// Whether it is marked.
    pub marked: bool,
    /// What is said of it.
    pub tip: String,
}

/// Stops from below, targets from the left; `squares` by stop, then by target. Values below 0 have the colour of what is wrong,
/// those of a mark a dot.
pub fn grid(title: &str, stops: &[u16], targets: &[u16], squares: &[Square], width: u32) -> String {
    let columns = pixels(targets.len(), 1).max(1);
    let bottom = 6 + pixels(stops.len().max(1), CELL);
    let right = width as i32 - 6;
    let largest = squares.iter().filter_map(|square| square.value).map(f64::abs).fold(0.0, f64::max);
    let x = |column: i32| LEFT + (right - LEFT) * column / columns;
    let mut canvas = Canvas::default();
    for (number, square) in (0..).zip(squares) {
        let (row, column) = (number / columns, number % columns);
        let (from, to) = ((x(column), bottom - CELL * (row + 1)), (x(column + 1), bottom - CELL * row));
        let Some(value) = square.value else {
            canvas.edges(from, to, GRID);
            continue;
        };
        // Twenty steps: the drawing stays small, and the eye tells no more.
        let strength = if largest > 0.0 { (20.0 * value.abs() / largest).ceil() / 20.0 } else { 0.0 };
        canvas.bar(from, to, if value < 0.0 { BAD } else { ACCENT }.mix(0.85 * strength));
        if square.marked {
            canvas.dot(((from.0 + to.0) / 2, (from.1 + to.1) / 2), 2, INK);
        }
        canvas.tip(from, to, &square.tip);
    }
    for (row, stop) in (0..).zip(stops).filter(|(row, _)| row % 2 == 0) {
        let y = bottom - CELL * row - CELL / 2;
        canvas.label((LEFT - 6, y), Anchor::End, MUTED, &stop.to_string());
    }
    // A number of four digits needs this much.
    let step = (36 * columns / (right - LEFT).max(1)).max(0) + 1;
    for (column, target) in (0..).zip(targets).filter(|(column, _)| column % step == 0) {
        let middle = (x(column) + x(column + 1)) / 2;
        canvas.label((middle, bottom + 12), Anchor::Middle, MUTED, &target.to_string());
    }
    canvas.label((LEFT, bottom + 30), Anchor::Start, MUTED, "target, ticks; stop upwards");
    canvas.finish(title, (width, bottom.unsigned_abs() + BELOW))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_says_what_it_is() {
        let square = |value, marked| Square { value, marked, tip: format!("{value:?}") };
        let squares =
            [square(Some(1.0), true), square(Some(-0.5), false), square(None, true), square(Some(0.0), false)];
        let svg = grid("Win rate", &[4, 5], &[8, 9], &squares, 640);
        assert_eq!((svg.matches("<title>").count(), svg.matches("<circle").count()), (3, 1));
        assert!(
            svg.contains("var(--bad)") && svg.contains("var(--accent)") && svg.contains(">8<") && svg.contains(">4<")
        );
    }
}
