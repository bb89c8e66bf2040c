//! What a stream gives for a second.

use crate::Profile;
use crate::features::{FEATURES, FLAGS, FLOATS, Float};

/// The features of one row, as the batch writes them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row<F> {
    /// Of [`crate::features::FLOAT_NAMES`], in their order; NaN before a window is full.
    pub floats: [F; FLOATS],
    /// Of [`crate::features::FLAG_NAMES`], in their order: exactly one is 1.
    pub flags: [i8; FLAGS],
}

/// For each float column the first row that has a value.
#[derive(Clone)]
pub(super) struct Firsts([u16; FLOATS]);

impl Firsts {
    pub(super) fn new(profile: Profile) -> Self {
        Self(std::array::from_fn(|column| FEATURES[column].first_of(profile) as u16))
    }

    /// The values of row `row`, counted from 0, NaN where there is none.
    #[inline(always)]
    pub(super) fn defined<F: Float>(&self, row: usize, values: &[f64; FLOATS]) -> [F; FLOATS] {
        let row = row.min(usize::from(u16::MAX)) as u16;
        let mut defined = [F::from_f64(f64::NAN); FLOATS];
        for ((defined, &first), &value) in defined.iter_mut().zip(&self.0).zip(values) {
            *defined = F::from_f64(if row < first { f64::NAN } else { value });
        }
        defined
    }
}
