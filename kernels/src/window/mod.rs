//! Windows over columns of numbers. Every result depends on the rows of its own window only, so no chunk shows.

pub mod deviation;
pub mod extrema;
pub mod rank;
pub(crate) mod reciprocal;
pub mod retouch;
pub mod score;
pub mod slope;
pub mod sum;
pub mod true_range;

/// `column` made anew from values of which there are `len`. A loop, where `extend` may stay a call that no level
/// compiles.
#[inline(always)]
pub(crate) fn refill<T: Copy + Default>(column: &mut Vec<T>, len: usize, values: impl Iterator<Item = T>) {
    column.resize(len, T::default());
    for (out, value) in column.iter_mut().zip(values) {
        *out = value;
    }
}
