//! The report on one month: a single HTML file that needs nothing beside it.
//!
//! Every figure is the statistics' own; only the price chart looks into the Parquet file.

mod charts;
mod page;
mod prices;
mod session_charts;
mod svg;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;

use anyhow::Context;

use crate::statistics::Statistics;

/// Writes the report on the month of `statistics`, whose training file is `parquet`, to `html`. A month without
/// sessions has no training file; none is read then.
pub fn write(statistics: &Statistics, parquet: &Path, html: &Path) -> anyhow::Result<()> {
    let prices = prices::read(statistics, parquet)?;
    let page = page::render(statistics, &prices)?;
    std::fs::write(html, page).with_context(|| html.display().to_string())
}
