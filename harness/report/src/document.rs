//! A report before it has a format: every format shows these facts, sentences and tables. Charts are in HTML only.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    table::{Cell, Table},
    text,
};

/// Version of the JSON's layout.
const SCHEMA_VERSION: u32 = 1;

/// A report.
pub struct Document {
    /// `daily`, `monthly` and so on.
    pub kind: &'static str,
    /// A line above the title.
    pub about: String,
    /// What it reports on.
    pub title: String,
    /// When.
    pub generated: Timestamp,
    /// Quality score of the whole, if it has one.
    pub score: Option<f64>,
    /// What is to be seen first.
    pub facts: Vec<(&'static str, Cell)>,
    /// What is wrong and cannot wait.
    pub errors: Vec<String>,
    /// Charts.
    pub figures: Vec<Figure>,
    /// Everything else, in order.
    pub sections: Vec<Section>,
    /// What made it.
    pub footer: String,
}

/// A chart with its title and how to read it.
pub struct Figure {
    /// Title.
    pub title: &'static str,
    /// How to read it.
    pub reading: String,
    /// Place in the page: `full` for both columns, `tall` for two rows, or nothing.
    pub class: &'static str,
    /// SVG elements, each with the class of the widths it is for.
    pub drawings: Vec<(&'static str, String)>,
}

impl Figure {
    /// A chart that is the same at every width.
    pub fn new(title: &'static str, reading: impl Into<String>, drawing: String) -> Self {
        Self { title, reading: reading.into(), class: "", drawings: vec![("", drawing)] }
    }
}

/// A part of a report.
pub struct Section {
    /// Its name in the page.
    pub id: &'static str,
    /// Title.
    pub title: &'static str,
    /// Paragraphs.
    pub sentences: Vec<String>,
    /// Points.
    pub list: Vec<String>,
    /// Tables.
    pub tables: Vec<Named>,
}

/// A table and its name in JSON.
pub struct Named {
    /// Name in JSON.
    pub key: &'static str,
    /// Title, where there is more than one; the table is folded under it.
    pub folded: Option<&'static str>,
    /// The table.
    pub table: Table,
}

impl Section {
    /// A section of one table.
    pub fn new(id: &'static str, title: &'static str, table: Table) -> Self {
        Self {
            id,
            title,
            sentences: Vec::new(),
            list: Vec::new(),
            tables: vec![Named { key: id, folded: None, table }],
        }
    }

    /// With sentences before the table.
    pub fn saying(self, sentences: impl IntoIterator<Item = String>) -> Self {
        Self { sentences: sentences.into_iter().collect(), ..self }
    }
}

impl Document {
    /// As JSON: facts and tables by name, with the values the other formats show.
    pub fn json(&self) -> Value {
        let facts: Map<_, _> = self.facts.iter().map(|(name, cell)| (text::key(name), cell.value.clone())).collect();
        let (mut notes, mut tables) = (Map::new(), Map::new());
        for section in &self.sections {
            let said: Vec<&String> = section.sentences.iter().chain(&section.list).collect();
            if !said.is_empty() {
                notes.insert(section.id.to_owned(), json!(said));
            }
            tables.extend(section.tables.iter().map(|named| (named.key.to_owned(), named.table.json())));
        }
        json!({
            "schema_version": SCHEMA_VERSION,
            "kind": self.kind,
            "title": self.title,
            "generated": self.generated,
            "score": self.score,
            "facts": facts,
            "errors": self.errors,
            "notes": notes,
            "tables": tables,
        })
    }

    /// For a terminal.
    pub fn plain(&self) -> String {
        let mut lines = vec![self.title.clone(), self.about.clone(), String::new()];
        let width = self.facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        lines.extend(self.errors.iter().map(|error| format!("error: {error}")));
        lines.extend(self.facts.iter().map(|(name, cell)| format!("{name:width$}  {}", cell.shown)));
        for section in &self.sections {
            lines.extend([String::new(), section.title.to_owned(), "-".repeat(section.title.chars().count())]);
            lines.extend(section.sentences.iter().cloned());
            lines.extend(section.list.iter().map(|point| format!("- {point}")));
            for Named { folded, table, .. } in &section.tables {
                lines.extend(folded.iter().map(|title| format!("\n{title}")));
                lines.push(table.plain().trim_end().to_owned());
            }
        }
        lines.extend([String::new(), self.footer.clone()]);
        lines.join("\n")
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let said = |text: &String| text::markdown(text);
        let mut blocks = vec![format!("# {}", text::markdown(&self.title)), said(&self.about)];
        let facts = self.facts.iter().map(|(name, cell)| format!("- {name}: {}", text::markdown(&cell.shown)));
        blocks.extend(self.errors.iter().map(|error| format!("**Error:** {}", text::markdown(error))));
        blocks.push(facts.collect::<Vec<_>>().join("\n"));
        for section in &self.sections {
            blocks.push(format!("## {}", section.title));
            blocks.extend(section.sentences.iter().map(said));
            if !section.list.is_empty() {
                let points = section.list.iter().map(|point| format!("- {}", text::markdown(point)));
                blocks.push(points.collect::<Vec<_>>().join("\n"));
            }
            for Named { folded, table, .. } in &section.tables {
                blocks.extend(folded.iter().map(|title| format!("### {title}")));
                blocks.push(table.markdown().trim_end().to_owned());
            }
        }
        blocks.push(said(&self.footer));
        blocks.join("\n\n")
    }
}
