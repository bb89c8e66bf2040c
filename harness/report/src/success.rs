//! The success criteria: what an archive has to keep, what it kept, and where it was worst.

use super::{
    document::Section,
    table::{Cell, Table, table},
};

const TEXT: bool = false;
const NUMBER: bool = true;

/// What became of a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is kept.
    Met,
    /// It is not.
    Missed,
    /// Nobody has measured it.
    Unknown,
}

/// One criterion and what was measured of it.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its name.
    pub name: &'static str,
    /// What its figures have to be.
    pub limit: String,
    /// What they are.
    pub measured: Cell,
    /// What became of it.
    pub verdict: Verdict,
    /// Where it was worst, or of what it was counted.
    pub note: String,
}

/// The criteria as a part of a report.
///
/// ```
/// use report::{
///     success::{Line, Verdict, section},
///     table::Cell,
/// };
///
/// let (limit, measured) = ("at least 99.5 %".to_owned(), Cell::text("98.0 %"));
/// let missed = Line { name: "Availability", limit, measured, verdict: Verdict::Missed, note: String::new() };
/// assert_eq!(section(&[missed]).sentences, ["1 of 1 are missed."]);
/// ```
pub fn section(lines: &[Line]) -> Section {
    let count = |verdict| lines.iter().filter(|line| line.verdict == verdict).count();
    let (missed, unknown, all) = (count(Verdict::Missed), count(Verdict::Unknown), lines.len());
    let mut said = match (missed, unknown) {
        (0, 0) => format!("All {all} are met."),
        (0, _) => format!("{} of {all} are met.", all - unknown),
        _ => format!("{missed} of {all} are missed."),
    };
    let unknown = lines.iter().filter(|line| line.verdict == Verdict::Unknown);
    let names: Vec<String> = unknown.map(|line| line.name.to_lowercase()).collect();
    if !names.is_empty() {
        said += &format!(" Not measured: {}.", names.join(", "));
    }
    let headers =
        [("Criterion", TEXT), ("Limit", TEXT), ("Measured", NUMBER), ("Met", TEXT), ("Worst, or of what", TEXT)];
    let table: Table = table(headers, lines.iter().map(row), "");
    Section::new("success", "Success criteria", table).saying([said])
}

fn row(line: &Line) -> Vec<Cell> {
    let met = match line.verdict {
        Verdict::Met => Cell::must(true),
        Verdict::Missed => Cell::must(false),
        Verdict::Unknown => Cell::text("not measured"),
    };
    vec![
        Cell::text(line.name),
        Cell::text(line.limit.as_str()),
        line.measured.clone().faulty_if(line.verdict == Verdict::Missed),
        met,
        Cell::text(line.note.as_str()),
    ]
}
