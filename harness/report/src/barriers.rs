//! The page of `study barriers`: heat maps of every figure, and the pairs as a table.

use super::{
    charts::grid::{Square, grid},
    document::{Document, Figure, Section},
    html,
    table::{Cell, table},
    text,
};

/// What every pair of one side came to.
pub struct Side {
    /// `long` or `short`.
    pub name: &'static str,
    /// By stop, then by target.
    pub pairs: Vec<Line>,
}

/// One pair.
#[derive(Clone, Debug)]
pub struct Line {
    /// Ticks.
    pub stop: u16,
    /// Ticks.
    pub target: u16,
    /// Rows with a trade.
    pub trades: u64,
    /// Trades that reach the target first.
    pub wins: u64,
    /// Wins by trades; none without trades, as the figures after it.
    pub win_rate: Option<f64>,
    /// Mean ticks from entry to exit.
    pub expected_move: Option<f64>,
    /// Median of the seconds from entry to exit.
    pub median_seconds: Option<u64>,
    /// Share of the trades that nothing decides within the horizon.
    pub undecided: Option<f64>,
    /// Whether the win rate is within the band that is usual, 5 to 50 %.
    pub usual: bool,
}

/// What was studied.
pub struct Studied<'a> {
    /// The input.
    pub input: &'a str,
    /// What was asked, in words.
    pub facts: Vec<(&'static str, String)>,
    /// Ticks.
    pub stops: &'a [u16],
    /// Ticks.
    pub targets: &'a [u16],
    /// One or both.
    pub sides: &'a [Side],
}

/// A figure of a pair.
struct Shown {
    /// Its title for long trades and for short ones.
    titles: [&'static str; 2],
    /// How to read it.
    reading: &'static str,
    value: fn(&Line) -> Option<f64>,
    show: fn(f64) -> String,
}

const FIGURES: [Shown; 4] = [
    Shown {
        titles: ["Win rate, long", "Win rate, short"],
        reading: "Share of the trades that reach the target first.",
        value: |line| line.win_rate,
        show: |value| text::percent(value, 1),
    },
    Shown {
        titles: ["Expected move, long", "Expected move, short"],
        reading: "Mean ticks from entry to exit; red is a loss.",
        value: |line| line.expected_move,
        show: |value| text::fixed(value, 3),
    },
    Shown {
        titles: ["Median seconds, long", "Median seconds, short"],
        reading: "From entry to exit, wins and losses.",
        value: |line| line.median_seconds.map(|value| value as f64),
        show: |value| text::fixed(value, 0),
    },
    Shown {
        titles: ["Without a decision, long", "Without a decision, short"],
        reading: "Share of the trades that reach neither within the horizon.",
        value: |line| line.undecided,
        show: |value| text::percent(value, 1),
    },
];

/// For a terminal; the heat maps are in HTML only.
pub fn plain(studied: &Studied<'_>) -> String {
    document(studied, false).plain()
}

/// The page, which needs nothing beside it.
pub fn page(studied: &Studied<'_>) -> String {
    html::render(&document(studied, true))
}

fn document(studied: &Studied<'_>, with_charts: bool) -> Document {
    let mut figures = Vec::new();
    for side in studied.sides.iter().filter(|_| with_charts) {
        for Shown { titles, reading, value, show } in FIGURES {
            let title = titles[usize::from(side.name != "long")];
            let square = |line: &Line| Square {
                value: value(line),
                marked: line.usual,
                tip: format!(
                    "{}: stop {}, target {}\n{}",
                    title,
                    line.stop,
                    line.target,
                    value(line).map_or(text::NOTHING.to_owned(), show)
                ),
            };
            let squares: Vec<Square> = side.pairs.iter().map(square).collect();
            let drawing = grid(title, studied.stops, studied.targets, &squares, 640);
            let values = side.pairs.iter().filter_map(value);
            let strongest = values.reduce(|most, value| if value.abs() > most.abs() { value } else { most });
            let strongest = strongest.map_or(text::NOTHING.to_owned(), show);
            let reading = format!("{reading} The strongest colour is {strongest}; a dot is a win rate from 5 to 50 %.");
            figures.push(Figure::new(title, reading, drawing));
        }
    }
    let facts = studied.facts.iter().map(|(name, value)| (*name, Cell::text(value.as_str()))).collect();
    let sections = studied.sides.iter().map(section).collect();
    Document {
        kind: "barriers",
        about: "Outcomes of every pair of a stop and a target".to_owned(),
        title: studied.input.to_owned(),
        generated: jiff::Timestamp::now(),
        score: None,
        facts,
        errors: Vec::new(),
        figures,
        sections,
        footer: concat!("harness ", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}

fn section(side: &Side) -> Section {
    let number = |name: &'static str| (name, true);
    let headers = [
        number("Stop"),
        number("Target"),
        number("Trades"),
        number("Wins"),
        number("Win rate"),
        number("Expected move, ticks"),
        number("Median seconds"),
        number("Without a decision"),
        ("Within 5 to 50 %", false),
    ];
    let row = |line: &Line| {
        vec![
            Cell::count(line.stop.into()),
            Cell::count(line.target.into()),
            Cell::count(line.trades),
            Cell::count(line.wins),
            Cell::percent(line.win_rate, 2),
            Cell::fixed(line.expected_move, 3),
            Cell::fixed(line.median_seconds.map(|value| value as f64), 0),
            Cell::percent(line.undecided, 2),
            Cell::text(if line.usual { "yes" } else { "" }),
        ]
    };
    let (id, title) = if side.name == "long" { ("long", "Long") } else { ("short", "Short") };
    Section::new(id, title, table(headers, side.pairs.iter().map(row), "No pair."))
}
