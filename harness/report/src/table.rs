//! Tables: what a report says, as text, Markdown, JSON, and as HTML that sorts by a click on a header.

use std::{borrow::Cow, fmt::Write};

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::text::{self, NOTHING};

/// One cell: what it shows, and the value it shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// As people read it.
    pub shown: String,
    /// The statistics' own value; numbers sort by it. `null` where there is none.
    pub value: Value,
    numeric: bool,
    faulty: bool,
}

impl Cell {
    /// Text.
    pub fn text(shown: impl Into<String>) -> Self {
        let shown = shown.into();
        let value = if shown.is_empty() || shown == NOTHING { Value::Null } else { shown.clone().into() };
        Self { shown, value, numeric: false, faulty: false }
    }

    /// A number shown in some way; one that is absent or not finite is shown as a dash and sorts last.
    pub fn number(value: Option<f64>, show: impl FnOnce(f64) -> String) -> Self {
        let value = value.filter(|value| value.is_finite());
        let shown = value.map_or_else(|| NOTHING.to_owned(), show);
        Self { shown, value: value.into(), numeric: true, faulty: false }
    }

    /// A whole number.
    pub fn count(value: u64) -> Self {
        Self { shown: text::count(value), value: value.into(), numeric: true, faulty: false }
    }

    /// A size.
    pub fn bytes(value: Option<u64>) -> Self {
        let shown = value.map_or_else(|| NOTHING.to_owned(), text::bytes);
        Self { shown, value: value.into(), numeric: true, faulty: false }
    }

    /// A number with so many decimals.
    pub fn fixed(value: Option<f64>, decimals: usize) -> Self {
        Self::number(value, |value| text::fixed(value, decimals))
    }

    /// A number to about five digits.
    pub fn significant(value: Option<f64>) -> Self {
        Self::number(value, text::significant)
    }

    /// A share in percent.
    pub fn percent(share: Option<f64>, decimals: usize) -> Self {
        Self::number(share, |share| text::percent(share, decimals))
    }

    /// `yes` or, marked as a fault, `no`.
    pub fn must(holds: bool) -> Self {
        let shown = if holds { "yes" } else { "no" }.to_owned();
        Self { shown, value: holds.into(), numeric: false, faulty: !holds }
    }

    /// Marks a value that is not as it should be.
    pub fn faulty_if(self, faulty: bool) -> Self {
        Self { faulty, ..self }
    }
}

/// A column's name, and whether it holds numbers.
pub type Header = (&'static str, bool);

/// A table; the first cell of a row names it.
#[derive(Clone, Debug)]
pub struct Table {
    /// Names over several columns each, with their number; empty without.
    pub groups: Vec<(&'static str, usize)>,
    /// Columns.
    pub headers: Vec<(Cow<'static, str>, bool)>,
    /// Rows as wide as the headers.
    pub rows: Vec<Vec<Cell>>,
    /// What is said when there are no rows.
    pub without_rows: &'static str,
}

/// A table without groups.
pub fn table<N: Into<Cow<'static, str>>>(
    headers: impl IntoIterator<Item = (N, bool)>,
    rows: impl IntoIterator<Item = Vec<Cell>>,
    without_rows: &'static str,
) -> Table {
    let headers = headers.into_iter().map(|(name, numeric)| (name.into(), numeric)).collect();
    Table { groups: Vec::new(), headers, rows: rows.into_iter().collect(), without_rows }
}

impl Table {
    /// The name of each column within its group.
    pub fn names(&self) -> Vec<String> {
        let groups = self.groups.iter().flat_map(|(name, columns)| std::iter::repeat_n(*name, *columns));
        let groups = groups.chain(std::iter::repeat(""));
        let names = self.headers.iter().zip(groups);
        names
            .map(|((name, _), group)| if group.is_empty() { name.to_string() } else { format!("{group}: {name}") })
            .collect()
    }

    /// The rows as JSON objects, the values under the columns' names.
    pub fn json(&self) -> Value {
        let keys: Vec<String> = self.names().iter().map(|name| text::key(name)).collect();
        let row = |row: &Vec<Cell>| -> Value {
            keys.iter().cloned().zip(row.iter().map(|cell| cell.value.clone())).collect::<Map<_, _>>().into()
        };
        self.rows.iter().map(row).collect()
    }

    /// The table for a terminal.
    pub fn plain(&self) -> String {
        if self.rows.is_empty() {
            return format!("{}\n", self.without_rows);
        }
        let names = self.names();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.shown.chars().count());
            cells.chain(names.get(column).map(|name| name.chars().count())).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..names.len()).map(width).collect();
        let mut plain = String::new();
        let mut line = |cells: &mut dyn Iterator<Item = &str>| {
            let cells = cells.zip(&widths).zip(&self.headers).map(|((cell, width), (_, numeric))| {
                if *numeric { format!("{cell:>width$}") } else { format!("{cell:width$}") }
            });
            let _ = writeln!(plain, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        };
        line(&mut names.iter().map(String::as_str));
        self.rows.iter().for_each(|row| line(&mut row.iter().map(|cell| cell.shown.as_str())));
        plain
    }

    /// The table as Markdown.
    pub fn markdown(&self) -> String {
        if self.rows.is_empty() {
            return format!("{}\n", text::markdown(self.without_rows));
        }
        let line = |cells: &mut dyn Iterator<Item = String>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
        let mut markdown = line(&mut self.names().iter().map(|name| text::markdown(name)));
        markdown.push_str(&line(
            &mut self.headers.iter().map(|(_, numeric)| if *numeric { "---:" } else { "---" }.to_owned()),
        ));
        for row in &self.rows {
            markdown.push_str(&line(&mut row.iter().map(|cell| text::markdown(&cell.shown))));
        }
        markdown
    }

    /// The table as HTML, in a container of its own that scrolls; a sentence when it has no rows.
    pub fn html(&self) -> Markup {
        let number = |numeric: bool| numeric.then_some("number");
        html! {
            @if self.rows.is_empty() {
                p .empty { (text::clean(self.without_rows)) }
            } @else {
                div .wide {
                    p .hint hidden { "More columns to the right: scroll this table sideways \u{2192}" }
                    div .scroll tabindex="0" {
                        table {
                            thead {
                                @if !self.groups.is_empty() {
                                    tr .groups {
                                        @for (name, columns) in &self.groups {
                                            th colspan=(columns) scope="colgroup" { (text::clean(name)) }
                                        }
                                    }
                                }
                                tr {
                                    @for (name, numeric) in &self.headers {
                                        th scope="col" class=[number(*numeric)] { button type="button" { (text::clean(name)) } }
                                    }
                                }
                            }
                            tbody {
                                @for row in &self.rows {
                                    tr { @for (column, cell) in row.iter().enumerate() { (cell.html(column == 0)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

impl Cell {
    fn html(&self, first: bool) -> Markup {
        // What is longer than this breaks into lines.
        let long = !self.numeric && self.shown.chars().count() > 60;
        let classes = [("number", self.numeric), ("fault", self.faulty), ("long", long)];
        let classes: Vec<&str> = classes.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect();
        let class = (!classes.is_empty()).then(|| classes.join(" "));
        let value = self.numeric.then(|| if self.value.is_null() { String::new() } else { self.value.to_string() });
        let shown = text::clean(&self.shown);
        html! {
            @if first { th scope="row" class=[class] data-value=[value] { (shown) } }
            @else { td class=[class] data-value=[value] { (shown) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells() {
        assert_eq!(Cell::text("<b>").html(false).into_string(), "<td>&lt;b&gt;</td>");
        assert_eq!(
            Cell::count(12_345).html(true).into_string(),
            "<th scope=\"row\" class=\"number\" data-value=\"12345\">12,345</th>"
        );
        assert_eq!(
            Cell::significant(Some(f64::NAN)).html(false).into_string(),
            "<td class=\"number\" data-value=\"\">\u{2013}</td>"
        );
        assert_eq!(Cell::must(false).html(false).into_string(), "<td class=\"fault\">no</td>");
    }

    #[test]
    fn without_rows_there_is_a_sentence() {
        let table = table(Vec::<Header>::new(), [], "No rows.");
        assert_eq!(table.html().into_string(), "<p class=\"empty\">No rows.</p>");
        assert_eq!(
            (table.plain(), table.markdown(), table.json()),
            ("No rows.\n".into(), "No rows.\n".into(), json!([]))
        );
    }

    #[test]
    fn one_table_in_four_formats() {
        let rows = [
            vec![Cell::text("2013-09"), Cell::fixed(Some(0.123_456), 2)],
            vec![Cell::text("a|b"), Cell::fixed(None, 2)],
        ];
        let table =
            Table { groups: vec![("", 1), ("Weight", 1)], ..table(vec![("Month", false), ("p50", true)], rows, "") };
        assert_eq!(
            table.json(),
            json!([{"month": "2013-09", "weight_p50": 0.123_456}, {"month": "a|b", "weight_p50": null}])
        );
        assert_eq!(table.plain(), "Month    Weight: p50\n2013-09         0.12\na|b                \u{2013}\n");
        assert_eq!(
            table.markdown(),
            "| Month | Weight: p50 |\n| --- | ---: |\n| 2013-09 | 0.12 |\n| a\\|b | \u{2013} |\n"
        );
        assert!(table.html().into_string().contains("data-value=\"0.123456\">0.12<"));
    }
}
