//! The feature columns: rolling values and flags of the time of day. [`FEATURES`] is the list.
//!
//! All windows are integer windows ([`crate::window`]); a value becomes a float once, at its end.

pub(crate) mod bars;
mod carry;
mod category;
pub(crate) mod consolidation;
pub(crate) mod microstructure;
pub(crate) mod price_context;
mod registry;
pub(crate) mod returns;
mod time;
pub(crate) mod volatility;
pub(crate) mod volume;

use std::ops::Range;

#[cfg(feature = "ndarray")]
use ndarray::ArrayViewMut2;

use self::bars::{Bars, Points};
pub use self::carry::Carry;
pub use self::category::Category;
pub(crate) use self::registry::count;
pub use self::registry::{FEATURES, FLAG_NAMES, FLAGS, FLOAT_NAMES, FLOATS, Feature, Kind, Unit};
pub use self::time::flags;
use crate::level::kernel;
use crate::window::{sum::Sums, true_range::true_ranges};
use crate::{Error, Profile, Series, Tick};

/// Rows of the running high and low in profile `rolling`: the longest window.
pub(crate) const RUNNING: usize = 1800;

/// Rows a value may depend on before its own; what lies farther back is in the [`Carry`].
pub const LOOK_BACK: usize = RUNNING;

/// The float a feature is stored as. Values are computed in f64 and rounded once.
pub trait Float: Copy + Send + Sync + 'static + sealed::Sealed {
    /// The nearest value of this type.
    fn from_f64(value: f64) -> Self;
}

impl Float for f32 {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
}

impl Float for f64 {
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// Computes the features of a series, a chunk of rows at a time. Holds the scratch space.
#[derive(Clone, Debug)]
pub struct Features {
    profile: Profile,
    points: Points,
    chunk_rows: usize,
    volume: volume::Volume,
    price_context: price_context::PriceContext,
    consolidation: consolidation::Consolidation,
    returns: returns::Returns,
    /// Of the rows asked for and volatility's look-back.
    true_range: Sums<i32>,
    volatility: volatility::Volatility,
    microstructure: microstructure::Microstructure,
}

impl Features {
    /// Scratch space for at most `chunk_rows` rows a call. Prices come out in points of `tick`.
    #[must_use]
    pub fn new(profile: Profile, tick: Tick, chunk_rows: usize) -> Self {
        Self {
            profile,
            points: Points::new(tick),
            chunk_rows,
            volume: volume::Volume::new(chunk_rows),
            price_context: price_context::PriceContext::new(chunk_rows),
            consolidation: consolidation::Consolidation::new(chunk_rows),
            returns: returns::Returns::new(chunk_rows),
            true_range: Sums::new(chunk_rows + volatility::LOOK_BACK),
            volatility: volatility::Volatility::new(chunk_rows),
            microstructure: microstructure::Microstructure::new(chunk_rows),
        }
    }

    /// Features of the rows `rows` of `series`: a column of `rows.len()` values for each of [`FLOAT_NAMES`] and each of
    /// [`FLAG_NAMES`]. `carry` stands at `rows.start` and is moved to `rows.end`.
    ///
    /// # Errors
    /// [`Error::Rows`] when `rows` lie outside the series, exceed the chunk size or do not start where `carry` stands,
    /// and when a column has another length. Then `carry` stays.
    ///
    /// ```
    /// use kernels::features::{Carry, FLAGS, FLOAT_NAMES, FLOATS, Features};
    /// use kernels::{Columns, Profile, Series, Tick};
    ///
    /// let close: Vec<i32> = (0..100).map(|row| 20_000 + row % 7).collect();
    /// let (volume, second) = (vec![10; 100], (30_600..30_700).collect::<Vec<u32>>());
    /// let (open, high, low) = (&close[..], &close[..], &close[..]);
    /// let series = Series::new(Columns { open, high, low, close: &close, volume: &volume, second: &second })?;
    ///
    /// let mut values = [(); FLOATS].map(|()| vec![0.0_f32; 100]);
    /// let mut flags = [(); FLAGS].map(|()| vec![0; 100]);
    /// let mut features = Features::new(Profile::Session, Tick::from_nanos(250_000_000)?, 100);
    /// let (floats, bits) = (values.each_mut().map(Vec::as_mut_slice), flags.each_mut().map(Vec::as_mut_slice));
    /// features.compute(&series, 0..100, &mut Carry::start(), floats, bits)?;
    ///
    /// let column = FLOAT_NAMES.iter().position(|name| *name == "distance_from_rth_high").unwrap();
    /// assert_eq!(values[column][7], -1.5); // six ticks of a quarter below the high
    /// # Ok::<(), kernels::Error>(())
    /// ```
    pub fn compute<F: Float>(
        &mut self,
        series: &Series<'_>,
        rows: Range<usize>,
        carry: &mut Carry,
        values: [&mut [F]; FLOATS],
        flags: [&mut [i8]; FLAGS],
    ) -> Result<(), Error> {
        let lengths = values.iter().map(|column| column.len()).chain(flags.iter().map(|column| column.len()));
        if !self.fits(series, &rows, carry) || lengths.into_iter().any(|len| len != rows.len()) {
            return Err(Error::Rows { rows, len: series.len() });
        }
        if rows.is_empty() {
            return Ok(());
        }
        let bars = Bars::new(series, rows.clone(), LOOK_BACK);
        true_range(&mut self.true_range, &bars);
        let mut values = values.into_iter();
        for category in Category::ALL {
            self.category(category, &bars, carry, &mut values);
        }
        time::flags(&series.second()[rows.clone()], flags)?;
        carry.take_in(series, rows);
        Ok(())
    }

    /// [`Features::compute`] into arrays of shapes ([`FLOATS`], `rows.len()`) and ([`FLAGS`], `rows.len()`), each of whose rows is
    /// contiguous.
    ///
    /// # Errors
    /// As [`Features::compute`], and when an array has another shape or rows that are not contiguous.
    #[cfg(feature = "ndarray")]
    pub fn compute_array<F: Float>(
        &mut self,
        series: &Series<'_>,
        rows: Range<usize>,
        carry: &mut Carry,
        mut values: ArrayViewMut2<'_, F>,
        mut flags: ArrayViewMut2<'_, i8>,
    ) -> Result<(), Error> {
        let refused = || Error::Rows { rows: rows.clone(), len: series.len() };
        let mut values = slices(&mut values, FLOATS, rows.len()).ok_or_else(refused)?;
        let mut flags = slices(&mut flags, FLAGS, rows.len()).ok_or_else(refused)?;
        self.compute(series, rows, carry, take(&mut values), take(&mut flags))
    }

    /// One category of the same rows, the same values: a column for each of `category.columns()`. `carry` stands at
    /// `rows.start` and stays there: [`Carry::advance`] moves it.
    ///
    /// # Errors
    /// As [`Features::compute`], and when there are more or fewer columns.
    pub fn compute_category<F: Float>(
        &mut self,
        category: Category,
        series: &Series<'_>,
        rows: Range<usize>,
        carry: &Carry,
        values: &mut [&mut [F]],
    ) -> Result<(), Error> {
        let columns =
            values.len() == category.columns().len() && values.iter().all(|column| column.len() == rows.len());
        if !self.fits(series, &rows, carry) || !columns {
            return Err(Error::Rows { rows, len: series.len() });
        }
        if rows.is_empty() {
            return Ok(());
        }
        let bars = Bars::new(series, rows, LOOK_BACK);
        if matches!(category, Category::Volatility | Category::Microstructure) {
            true_range(&mut self.true_range, &bars);
        }
        self.category(category, &bars, carry, &mut values.iter_mut().map(|column| &mut **column));
        Ok(())
    }

    /// [`Features::compute_category`] into an array of shape (`category.columns().len()`, `rows.len()`), each of whose rows
    /// is contiguous.
    ///
    /// # Errors
    /// As [`Features::compute_category`], and when a row is not contiguous.
    #[cfg(feature = "ndarray")]
    pub fn compute_category_array<F: Float>(
        &mut self,
        category: Category,
        series: &Series<'_>,
        rows: Range<usize>,
        carry: &Carry,
        mut values: ArrayViewMut2<'_, F>,
    ) -> Result<(), Error> {
        let refused = || Error::Rows { rows: rows.clone(), len: series.len() };
        let columns = category.columns().len();
        let mut values = slices(&mut values, columns, rows.len()).ok_or_else(refused)?;
        let mut values: [&mut [F]; Category::MOST] = take(&mut values);
        self.compute_category(category, series, rows, carry, &mut values[..columns])
    }

    fn fits(&self, series: &Series<'_>, rows: &Range<usize>, carry: &Carry) -> bool {
        let within = rows.start <= rows.end && rows.end <= series.len() && rows.len() <= self.chunk_rows;
        within && carry.row() == rows.start
    }

    /// Fills the next columns of `values`, which are those of `category`.
    fn category<'a, F: Float>(
        &mut self,
        category: Category,
        bars: &Bars<'_>,
        carry: &Carry,
        values: &mut impl Iterator<Item = &'a mut [F]>,
    ) {
        let (profile, points, true_range) = (self.profile, self.points, &self.true_range);
        match category {
            Category::Volume => volume(&mut self.volume, bars, take(values)),
            Category::PriceContext => {
                price_context(&mut self.price_context, bars, profile, carry, points, take(values));
            }
            Category::Consolidation => consolidation(&mut self.consolidation, bars, profile, points, take(values)),
            Category::Returns => returns(&mut self.returns, bars, take(values)),
            Category::Volatility => volatility(&mut self.volatility, bars, true_range, points, take(values)),
            Category::Microstructure => {
                microstructure(&mut self.microstructure, bars, true_range, points, take(values));
            }
        }
    }
}

// What volatility and microstructure share.
kernel!(fn true_range['a]['a](sums: &'a mut Sums<i32>, bars: &'a Bars<'a>) {
    let bars = bars.back(volatility::LOOK_BACK);
    // 300 * (MAX_TICKS - MIN_TICKS) fits 31 bits. Element 0 is right on the first row of a series and otherwise not used.
    let first = bars.high.iter().zip(bars.low).take(1).map(|(high, low)| high - low);
    sums.set(first.chain(true_ranges(bars.high, bars.low, bars.close)));
});

kernel!(avx512 fn volume['a, 'o, F: Float]['a, 'o, F](
    volume: &'a mut volume::Volume, bars: &'a Bars<'a>, out: [&'o mut [F]; count(Category::Volume)]
) {
    volume.compute(bars, out);
});

kernel!(avx512 fn price_context['a, 'o, F: Float]['a, 'o, F](
    context: &'a mut price_context::PriceContext, bars: &'a Bars<'a>, profile: Profile, carry: &'a Carry, points: Points,
    out: [&'o mut [F]; count(Category::PriceContext)]
) {
    context.compute(bars, profile, carry, points, out);
});

kernel!(fn consolidation['a, 'o, F: Float]['a, 'o, F](
    consolidation: &'a mut consolidation::Consolidation, bars: &'a Bars<'a>, profile: Profile, points: Points,
    out: [&'o mut [F]; count(Category::Consolidation)]
) {
    consolidation.compute::<F, L>(bars, profile, points, out);
});

kernel!(fn returns['a, 'o, F: Float]['a, 'o, F](
    returns: &'a mut returns::Returns, bars: &'a Bars<'a>, out: [&'o mut [F]; count(Category::Returns)]
) {
    returns.compute(bars, out);
});

kernel!(fn volatility['a, 'o, F: Float]['a, 'o, F](
    volatility: &'a mut volatility::Volatility, bars: &'a Bars<'a>, true_range: &'a Sums<i32>, points: Points,
    out: [&'o mut [F]; count(Category::Volatility)]
) {
    volatility.compute::<F, L>(bars, true_range, points, out);
});

kernel!(avx512 fn microstructure['a, 'o, F: Float]['a, 'o, F](
    microstructure: &'a mut microstructure::Microstructure, bars: &'a Bars<'a>, true_range: &'a Sums<i32>, points: Points,
    out: [&'o mut [F]; count(Category::Microstructure)]
) {
    microstructure.compute(bars, true_range, points, out);
});

/// The rows of an array, if it is of this shape and each of its rows is contiguous.
#[cfg(feature = "ndarray")]
fn slices<'a, T>(
    array: &'a mut ArrayViewMut2<'_, T>,
    rows: usize,
    columns: usize,
) -> Option<impl Iterator<Item = &'a mut [T]>> {
    let contiguous = array.rows().into_iter().all(|row| row.as_slice().is_some());
    let fits = array.dim() == (rows, columns) && contiguous;
    fits.then(|| array.rows_mut().into_iter().filter_map(|row| row.into_slice()))
}

/// The next `N` rows of an array, whose shape is checked before.
fn take<'a, T, const N: usize>(rows: &mut impl Iterator<Item = &'a mut [T]>) -> [&'a mut [T]; N] {
    [(); N].map(|()| rows.next().unwrap_or_default())
}

#[cfg(test)]
mod tests;
