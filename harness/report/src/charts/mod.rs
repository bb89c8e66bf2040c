//! Charts: SVG elements from data, in colours that the page decides. They know nothing of pages.

pub mod calendar;
pub mod curve;
pub mod grid;
pub mod heat;
pub mod modes;
pub mod sessions;
pub mod svg;
pub mod timeline;
