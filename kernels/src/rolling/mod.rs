//! Windows over any column of numbers: sums, means, standard deviations, slopes, extremes, ranks, weighted means, returns.
//!
//! Each function takes slices of `i32`, `i64`, `f32` or `f64` and a window of any length, and fills the caller's output, a
//! place for every row: the window of a row ends with it. The functions return the first row whose window is full, or the
//! number of rows if none is; before it floats are NaN and integers 0.
//!
//! ```
//! let prices = [4, 7, 7, 1, 4];
//! let mut means = [0.0; 5];
//! let first = kernels::rolling::mean(&prices, 3, &mut means)?;
//! assert_eq!((first, &means[first..]), (2, &[6.0, 5.0, 4.0][..]));
//! assert!(means[1].is_nan());
//! # Ok::<(), kernels::Error>(())
//! ```
//!
//! # How exact
//!
//! Let u = 2^-53, w the window's length, and m the greatest distance between two values of the window.
//!
//! | function | of integers | of floats: at most so far from the exact value |
//! |---|---|---|
//! | `sum` | exact | (w/8 + 10) u times the sum of the absolute values |
//! | `mean` | 3u of the value | that of the sum over w, and 2u of the value |
//! | `std` | 3u of the value | (w/4 + 20) w u of the value, and 0 where all values are equal |
//! | `slope` | 4u of the value | (8 + 400/w) u m |
//! | `vwap` | 3u of the value | (w/4 + 24) u of the value, for prices and volumes that are not negative |
//! | `returns` | 2u of the value | 2u of the value |
//! | `min_max`, `rank` | exact | exact |
//!
//! Integers keep this as long as a window's own totals fit 127 bits (`std`: w^2 times the square of m; `vwap`: w times the largest
//! product); beyond, they are computed as floats. A float result depends on its own window alone, up to the order of
//! additions: a large value, an infinity or a NaN is forgotten when it leaves the window.
//!
//! Memory: a few times the window's length where floats are summed over more than a dozen rows, and for `rank` a few
//! numbers for each row. Everything else takes none.

mod extrema;
mod float;
mod number;
mod order;
mod scan;
mod whole;

pub use self::number::Number;
use crate::Error;
use crate::level::kernel;

/// The first row with a full window, after checking what all functions ask for.
fn first(rows: usize, outs: &[usize], window: usize) -> Result<usize, Error> {
    if window == 0 {
        return Err(Error::Window);
    }
    if outs.iter().any(|&out| out != rows) {
        return Err(Error::Lengths);
    }
    Ok((window - 1).min(rows))
}

/// Sums of the last `window` values.
///
/// # Errors
/// [`Error::Window`] when `window` is 0, [`Error::Lengths`] when `out` has another length than `values`.
///
/// ```
/// let mut sums = [0; 4];
/// assert_eq!(kernels::rolling::sum(&[1_i32, 2, 3, 4], 2, &mut sums)?, 1);
/// assert_eq!(sums, [0, 3, 5, 7]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn sum<T: Number>(values: &[T], window: usize, out: &mut [T::Sum]) -> Result<usize, Error> {
    let first = first(values.len(), &[out.len()], window)?;
    out[..first].fill(T::undefined());
    if first < out.len() {
        sums(values, window, out);
    }
    Ok(first)
}

kernel!(fn sums['a, T: Number]['a, T](values: &'a [T], window: usize, out: &'a mut [T::Sum]) {
    T::sum(values, window, out);
});

/// A function of one column whose results are floats.
macro_rules! of_one {
    ($(#[$meta:meta])* $name:ident, $work:ident) => {
        $(#[$meta])*
        ///
        /// # Errors
        /// [`Error::Window`] when `window` is 0, [`Error::Lengths`] when `out` has another length than `values`.
        pub fn $name<T: Number>(values: &[T], window: usize, out: &mut [f64]) -> Result<usize, Error> {
            let first = first(values.len(), &[out.len()], window)?;
            out[..first].fill(f64::NAN);
            if first < out.len() {
                $work(values, window, out);
            }
            Ok(first)
        }

        kernel!(fn $work['a, T: Number]['a, T](values: &'a [T], window: usize, out: &'a mut [f64]) {
            T::$name(values, window, out);
        });
    };
}

of_one! {
    /// Means of the last `window` values.
    ///
    /// ```
    /// let mut means = [0.0; 3];
    /// kernels::rolling::mean(&[1.0, 2.0, 6.0], 2, &mut means)?;
    /// assert_eq!(means[1..], [1.5, 4.0]);
    /// # Ok::<(), kernels::Error>(())
    /// ```
    mean, means
}

of_one! {
    /// Sample standard deviations (n - 1) of the last `window` values; NaN for a window of 1.
    ///
    /// ```
    /// let mut deviations = [0.0; 4];
    /// kernels::rolling::std(&[5, 5, 5, 8], 3, &mut deviations)?;
    /// assert_eq!(deviations[2], 0.0);
    /// assert!((deviations[3] - 3.0_f64.sqrt()).abs() < 1e-15);
    /// # Ok::<(), kernels::Error>(())
    /// ```
    std, deviations
}

of_one! {
    /// Slopes of the ordinary-least-squares line through the last `window` values against 0, 1, 2, ..; NaN for a window
    /// of 1.
    ///
    /// ```
    /// let mut slopes = [0.0; 4];
    /// kernels::rolling::slope(&[1, 3, 5, 4], 3, &mut slopes)?;
    /// assert_eq!(slopes[2..], [2.0, 0.5]);
    /// # Ok::<(), kernels::Error>(())
    /// ```
    slope, slopes
}

/// Smallest and largest of the last `window` values. Floats must not be NaN: one may hide others.
///
/// # Errors
/// [`Error::Window`] when `window` is 0, [`Error::Lengths`] when an output has another length than `values`.
///
/// ```
/// let (mut least, mut largest) = ([0; 4], [0; 4]);
/// kernels::rolling::min_max(&[3, 1, 2, 5], 2, &mut least, &mut largest)?;
/// assert_eq!((least, largest), ([0, 1, 1, 2], [0, 3, 2, 5]));
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn min_max<T: Number>(values: &[T], window: usize, min: &mut [T], max: &mut [T]) -> Result<usize, Error> {
    let first = first(values.len(), &[min.len(), max.len()], window)?;
    min[..first].fill(T::blank());
    max[..first].fill(T::blank());
    if first < values.len() {
        extremes(values, window, &mut min[first..], &mut max[first..]);
    }
    Ok(first)
}

kernel!(fn extremes['a, T: Number]['a, T](values: &'a [T], window: usize, min: &'a mut [T], max: &'a mut [T]) {
    extrema::extreme(values, window, min, |a, b| if b < a { b } else { a });
    extrema::extreme(values, window, max, |a, b| if b > a { b } else { a });
});

/// Rank of the newest of the last `window` values among them, 1 for the least, the mean of the ranks of equal ones. A NaN
/// ranks above all.
///
/// # Errors
/// [`Error::Window`] when `window` is 0, [`Error::Lengths`] when `out` has another length than `values`.
///
/// ```
/// let mut ranks = [0.0; 5];
/// kernels::rolling::rank(&[5.0, 1.0, 3.0, 3.0, 9.0], 3, &mut ranks)?;
/// assert_eq!(ranks[2..], [2.0, 2.5, 3.0]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn rank<T: Number>(values: &[T], window: usize, out: &mut [f64]) -> Result<usize, Error> {
    let first = first(values.len(), &[out.len()], window)?;
    out[..first].fill(f64::NAN);
    if first < out.len() {
        ranks(&T::order(values), window, &mut out[first..]);
    }
    Ok(first)
}

kernel!(fn ranks['a]['a](places: &'a [i32], window: usize, out: &'a mut [f64]) {
    order::rank::<L>(places, window, out);
});

/// Volume-weighted mean prices of the last `window` rows; NaN where the volumes sum to 0.
///
/// # Errors
/// [`Error::Window`] when `window` is 0, [`Error::Lengths`] when the slices differ in length.
///
/// ```
/// let mut vwap = [0.0; 3];
/// kernels::rolling::vwap(&[10, 20, 30], &[1, 3, 1], 2, &mut vwap)?;
/// assert_eq!(vwap[1..], [17.5, 22.5]);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn vwap<T: Number>(prices: &[T], volumes: &[T], window: usize, out: &mut [f64]) -> Result<usize, Error> {
    let first = first(prices.len(), &[volumes.len(), out.len()], window)?;
    out[..first].fill(f64::NAN);
    if first < out.len() {
        weighted(prices, volumes, window, out);
    }
    Ok(first)
}

kernel!(fn weighted['a, T: Number]['a, T](prices: &'a [T], volumes: &'a [T], window: usize, out: &'a mut [f64]) {
    T::vwap(prices, volumes, window, out);
});

/// Returns over `window` rows: `(value - before) / before`, `before` being the value `window` rows earlier. The first row with
/// one is row `window`.
///
/// # Errors
/// [`Error::Window`] when `window` is 0, [`Error::Lengths`] when `out` has another length than `values`.
///
/// ```
/// let mut returns = [0.0; 3];
/// assert_eq!(kernels::rolling::returns(&[100, 80, 120], 2, &mut returns)?, 2);
/// assert_eq!(returns[2], 0.2);
/// # Ok::<(), kernels::Error>(())
/// ```
pub fn returns<T: Number>(values: &[T], window: usize, out: &mut [f64]) -> Result<usize, Error> {
    first(values.len(), &[out.len()], window)?;
    let first = window.min(out.len());
    out[..first].fill(f64::NAN);
    changes(values, &mut out[first..]);
    Ok(first)
}

kernel!(fn changes['a, T: Number]['a, T](values: &'a [T], out: &'a mut [f64]) {
    let newest = &values[values.len() - out.len()..];
    for (out, (&value, &before)) in out.iter_mut().zip(newest.iter().zip(values)) {
        *out = T::change(value, before);
    }
});

#[cfg(test)]
mod tests;
