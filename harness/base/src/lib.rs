//! What every part of the program needs: errors and their classes, exit codes, huge pages, what a signal removes, work in
//! order.

pub mod error;
pub mod exit;
pub mod huge_pages;
pub mod interrupt;
pub mod schedule;

pub use self::error::{Error, Result};
