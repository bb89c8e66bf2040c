//! Windows over columns of numbers. Every result depends on the rows of its own window only, so no chunk shows.

pub mod deviation;
pub mod extrema;
pub mod rank;
pub mod retouch;
pub mod score;
pub mod slope;
pub mod sum;
pub mod true_range;
