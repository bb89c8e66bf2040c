//! A report as one HTML file that needs nothing beside it.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use statistics::score::Band;

use super::{
    document::{Document, Figure, Named, Section},
    text::{self, clean},
};

/// The look of the page and of its charts.
pub const STYLE: &str = include_str!("style.css");
const SORT: &str = include_str!("sort.js");
const SCROLL: &str = include_str!("scroll.js");
const MARKS: &str = include_str!("marks.js");

/// The report as HTML.
pub fn render(document: &Document) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Training data, " (clean(&document.title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (header(document))
                    @if !document.figures.is_empty() {
                        section #charts .charts { h2 { "Charts" } @for figure in &document.figures { (self::figure(figure)) } }
                    }
                    @for section in &document.sections { (self::section(section)) }
                    footer { p { (clean(&document.footer)) } }
                }
                @for script in [SORT, SCROLL, MARKS] { script { (PreEscaped(script)) } }
            }
        }
    };
    page.into_string()
}

fn header(document: &Document) -> Markup {
    html! {
        header {
            div .title {
                div { p .kind { (clean(&document.about)) } h1 { (clean(&document.title)) } }
                @if let Some(score) = document.score {
                    @let band = text::band(Band::of(score));
                    p .badge .(band) { span .score { (text::fixed(score, 3)) } " " span { "quality " (band) } }
                }
            }
            @if !document.errors.is_empty() {
                section .errors role="alert" { h2 { "Errors" } (list(&document.errors)) }
            }
            dl .facts {
                @for (name, cell) in &document.facts { div { dt { (name) } dd { (clean(&cell.shown)) } } }
            }
            nav aria-label="Sections" {
                @if !document.figures.is_empty() { a href="#charts" { "Charts" } " " }
                @for section in &document.sections { a href={ "#" (section.id) } { (section.title) } " " }
            }
        }
    }
}

/// Charts, for a page with [`STYLE`].
pub fn figures(figures: &[Figure]) -> String {
    figures.iter().map(|one| figure(one).into_string()).collect()
}

fn figure(figure: &Figure) -> Markup {
    html! {
        figure class=(figure.class) {
            figcaption { h3 { (clean(figure.title)) } p { (clean(&figure.reading)) } }
            @for (class, drawing) in &figure.drawings {
                @if class.is_empty() { (PreEscaped(drawing)) } @else { div class=(class) { (PreEscaped(drawing)) } }
            }
        }
    }
}

fn section(section: &Section) -> Markup {
    let (open, folded): (Vec<&Named>, Vec<&Named>) = section.tables.iter().partition(|named| named.folded.is_none());
    html! {
        section id=(section.id) {
            h2 { (section.title) }
            @for sentence in &section.sentences { p { (clean(sentence)) } }
            (list(&section.list))
            // Two tables that both are open stand side by side.
            @if let [left, right] = open[..] {
                div .pair { div { (left.table.html()) } div { (right.table.html()) } }
            } @else {
                @for named in &open { (named.table.html()) }
            }
            @for named in &folded { details { summary { (named.folded.unwrap_or_default()) } (named.table.html()) } }
        }
    }
}

fn list(sentences: &[String]) -> Markup {
    html! { @if !sentences.is_empty() { ul { @for sentence in sentences { li { (clean(sentence)) } } } } }
}
