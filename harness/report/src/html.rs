//! A report as one HTML file that needs nothing beside it.

use std::fmt::Write;

use super::{
    document::{Document, Figure, Named, Section},
    text::{self, escape},
};
use statistics::score::Band;

/// The look of the page and of its charts.
pub const STYLE: &str = include_str!("style.css");
const SORT: &str = include_str!("sort.js");
const SCROLL: &str = include_str!("scroll.js");
const MARKS: &str = include_str!("marks.js");

/// The report as HTML.
pub fn render(document: &Document) -> String {
    let title = escape(&document.title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Training data, {title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    page.push_str(&header(document));
    if !document.figures.is_empty() {
        page.push_str("<section id=\"charts\" class=\"charts\">\n<h2>Charts</h2>\n");
        page.push_str(&figures(&document.figures));
        page.push_str("</section>\n");
    }
    document.sections.iter().for_each(|section| page.push_str(&self::section(section)));
    let _ = writeln!(page, "<footer><p>{}</p></footer>\n</main>", escape(&document.footer));
    for script in [SORT, SCROLL, MARKS] {
        let _ = writeln!(page, "<script>\n{script}</script>");
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn header(document: &Document) -> String {
    let mut html = format!(
        "<header>\n<div class=\"title\"><div><p class=\"kind\">{}</p><h1>{}</h1></div>\n",
        escape(&document.about),
        escape(&document.title)
    );
    if let Some(score) = document.score {
        let (band, score) = (text::band(Band::of(score)), text::fixed(score, 3));
        let _ = writeln!(
            html,
            "<p class=\"badge {band}\"><span class=\"score\">{score}</span> <span>quality {band}</span></p>"
        );
    }
    html.push_str("</div>\n");
    if !document.errors.is_empty() {
        let errors = list(&document.errors);
        let _ = write!(html, "<section class=\"errors\" role=\"alert\">\n<h2>Errors</h2>\n{errors}</section>\n");
    }
    html.push_str("<dl class=\"facts\">\n");
    for (name, cell) in &document.facts {
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(&cell.shown));
    }
    html.push_str("</dl>\n<nav aria-label=\"Sections\">");
    if !document.figures.is_empty() {
        html.push_str("<a href=\"#charts\">Charts</a> ");
    }
    for section in &document.sections {
        let _ = write!(html, "<a href=\"#{}\">{}</a> ", section.id, section.title);
    }
    html.push_str("</nav>\n</header>\n");
    html
}

/// Charts, for a page with [`STYLE`].
pub fn figures(figures: &[Figure]) -> String {
    figures.iter().map(figure).collect()
}

fn figure(figure: &Figure) -> String {
    let Figure { title, reading, class, drawings } = figure;
    let drawings = drawings.iter().map(|(class, drawing)| match *class {
        "" => drawing.clone(),
        class => format!("<div class=\"{class}\">{drawing}</div>"),
    });
    format!(
        "<figure class=\"{class}\">\n<figcaption><h3>{}</h3><p>{}</p></figcaption>\n{}\n</figure>\n",
        escape(title),
        escape(reading),
        drawings.collect::<Vec<_>>().join("\n")
    )
}

fn section(section: &Section) -> String {
    let Section { id, title, sentences, list: points, tables } = section;
    let mut html = format!("<section id=\"{id}\">\n<h2>{title}</h2>\n");
    for sentence in sentences {
        let _ = writeln!(html, "<p>{}</p>", escape(sentence));
    }
    html.push_str(&list(points));
    // Two tables that both are open stand side by side.
    let open: Vec<&Named> = tables.iter().filter(|named| named.folded.is_none()).collect();
    if let [left, right] = open[..] {
        let (left, right) = (left.table.html(), right.table.html());
        let _ = writeln!(html, "<div class=\"pair\"><div>{left}</div><div>{right}</div></div>");
    } else {
        open.iter().for_each(|named| html.push_str(&named.table.html()));
    }
    for named in tables {
        if let Some(title) = named.folded {
            let _ = writeln!(html, "<details><summary>{title}</summary>\n{}</details>", named.table.html());
        }
    }
    html.push_str("</section>\n");
    html
}

fn list(sentences: &[String]) -> String {
    if sentences.is_empty() {
        return String::new();
    }
    let items: Vec<String> = sentences.iter().map(|sentence| format!("<li>{}</li>\n", escape(sentence))).collect();
    format!("<ul>\n{}</ul>\n", items.concat())
}
