//! Tables that sort by a click on a header.

use std::fmt::Write;

use super::text::{self, NOTHING};

/// One cell: what it shows and, for numbers, what it sorts by.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    shown: String,
    value: Option<f64>,
    numeric: bool,
    faulty: bool,
}

impl Cell {
    /// Text.
    pub fn text(shown: impl Into<String>) -> Self {
        Self { shown: shown.into(), value: None, numeric: false, faulty: false }
    }

    /// A number shown in some way; one that is absent or not finite is shown as a dash and sorts last.
    pub fn number(value: Option<f64>, show: impl FnOnce(f64) -> String) -> Self {
        let value = value.filter(|value| value.is_finite());
        Self { shown: value.map_or_else(|| NOTHING.to_owned(), show), value, numeric: true, faulty: false }
    }

    /// A whole number.
    pub fn count(value: u64) -> Self {
        Self::number(Some(value as f64), |_| text::count(value))
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
        Self::text(if holds { "yes" } else { "no" }).faulty_if(!holds)
    }

    /// Marks a value that is not as it should be.
    pub fn faulty_if(self, faulty: bool) -> Self {
        Self { faulty, ..self }
    }
}

/// A column's name, and whether it holds numbers.
pub type Header<'a> = (&'a str, bool);

/// A table; the first cell of a row names it.
#[derive(Clone, Debug, Default)]
pub struct Table<'a> {
    /// Names over several columns each, with their number; empty without.
    pub groups: Vec<(&'a str, usize)>,
    /// Columns.
    pub headers: Vec<Header<'a>>,
    /// Rows as wide as the headers.
    pub rows: Vec<Vec<Cell>>,
}

impl Table<'_> {
    /// The table as HTML, in a container of its own that scrolls; a sentence when it has no rows.
    pub fn html(&self, without_rows: &str) -> String {
        if self.rows.is_empty() {
            return format!("<p class=\"empty\">{}</p>\n", text::escape(without_rows));
        }
        let mut html = String::from(
            "<div class=\"wide\"><p class=\"hint\" hidden>More columns to the right: scroll this table sideways \u{2192}</p>\n<div class=\"scroll\" tabindex=\"0\"><table>\n<thead>\n",
        );
        if !self.groups.is_empty() {
            html.push_str("<tr class=\"groups\">");
            for (name, columns) in &self.groups {
                // Writing to a string cannot fail.
                let _ = write!(html, "<th colspan=\"{columns}\" scope=\"colgroup\">{}</th>", text::escape(name));
            }
            html.push_str("</tr>\n");
        }
        html.push_str("<tr>");
        for (name, numeric) in &self.headers {
            let class = if *numeric { " class=\"number\"" } else { "" };
            let _ =
                write!(html, "<th scope=\"col\"{class}><button type=\"button\">{}</button></th>", text::escape(name));
        }
        html.push_str("</tr>\n</thead>\n<tbody>\n");
        for row in &self.rows {
            html.push_str("<tr>");
            for (column, cell) in row.iter().enumerate() {
                html.push_str(&cell.html(column == 0));
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody>\n</table></div></div>\n");
        html
    }
}

impl Cell {
    fn html(&self, first: bool) -> String {
        let classes: Vec<&str> = [("number", self.numeric), ("fault", self.faulty)]
            .iter()
            .filter(|(_, is)| *is)
            .map(|(name, _)| *name)
            .collect();
        let class = if classes.is_empty() { String::new() } else { format!(" class=\"{}\"", classes.join(" ")) };
        let value = match (self.numeric, self.value) {
            (true, Some(value)) => format!(" data-value=\"{value}\""),
            (true, None) => " data-value=\"\"".to_owned(),
            (false, _) => String::new(),
        };
        let (tag, scope) = if first { ("th", " scope=\"row\"") } else { ("td", "") };
        format!("<{tag}{scope}{class}{value}>{}</{tag}>", text::escape(&self.shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells() {
        assert_eq!(Cell::text("<b>").html(false), "<td>&lt;b&gt;</td>");
        assert_eq!(
            Cell::count(12_345).html(true),
            "<th scope=\"row\" class=\"number\" data-value=\"12345\">12,345</th>"
        );
        assert_eq!(Cell::significant(Some(f64::NAN)).html(false), "<td class=\"number\" data-value=\"\">\u{2013}</td>");
        assert_eq!(Cell::must(false).html(false), "<td class=\"fault\">no</td>");
    }

    #[test]
    fn without_rows_there_is_a_sentence() {
        assert_eq!(Table::default().html("No rows."), "<p class=\"empty\">No rows.</p>\n");
    }
}
