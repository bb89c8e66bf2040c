//! Reports: a month, what happened lately, the whole archive, its quality, its performance or its success, as text, JSON,
//! Markdown or one HTML file that needs nothing beside it. Statistics and what is known of each month in, a string out.
//!
//! Every figure is the statistics' own; only the charts of a month look into its Parquet file.

pub mod archive;
pub mod archive_figures;
mod archive_tables;
pub mod barriers;
pub mod charts;
pub mod document;
pub mod html;
pub mod kinds;
pub mod month;
mod month_tables;
pub mod prices;
pub mod success;
pub mod table;
#[cfg(test)]
mod tests;
pub mod text;
