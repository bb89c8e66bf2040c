//! A column of prices as whole ticks. What is off the tick grid is refused with its row.

use arrow_array::{
    Array, ArrayRef,
    cast::AsArray,
    types::{Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type},
};
use arrow_buffer::ScalarBuffer;
use arrow_schema::DataType;
use kernels::{
    Tick,
    series::{MAX_TICKS, MIN_TICKS},
};

use crate::{import::Chunks, wrong::Wrong};

/// The ticks of a column: those of int32, in one chunk, as they lie in memory.
///
/// # Errors
/// [`Wrong`] for a type that is no price, the first value that is missing, no number, off the grid or beyond the limits.
pub fn ticks(name: &str, chunks: &Chunks, tick: Tick) -> Result<ScalarBuffer<i32>, Wrong> {
    if let [only] = &chunks[..]
        && *only.data_type() == DataType::Int32
    {
        present(name, 0, only)?;
        let ticks = only.as_primitive::<Int32Type>().values().clone();
        for (row, &value) in ticks.iter().enumerate() {
            within(name, row, value.into())?;
        }
        return Ok(ticks);
    }
    let mut out = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
    for chunk in chunks {
        present(name, out.len(), chunk)?;
        convert(name, chunk, tick, &mut out)?;
    }
    Ok(out.into())
}

/// No value is missing.
pub fn present(name: &str, first: usize, chunk: &ArrayRef) -> Result<(), Wrong> {
    let missing = chunk.logical_nulls().and_then(|nulls| (0..nulls.len()).find(|&row| nulls.is_null(row)));
    match missing {
        Some(row) => Err(Wrong::value(name, first + row, "no value; expected one in every row")),
        None => Ok(()),
    }
}

fn convert(name: &str, chunk: &ArrayRef, tick: Tick, out: &mut Vec<i32>) -> Result<(), Wrong> {
    match chunk.data_type() {
        DataType::Float64 => floats(name, chunk.as_primitive::<Float64Type>().values(), tick, |points| points, out),
        DataType::Float32 => {
            floats(name, chunk.as_primitive::<Float32Type>().values(), tick, |points| f64::from(points as f32), out)
        }
        DataType::Int32 => {
            for &value in chunk.as_primitive::<Int32Type>().values() {
                out.push(within(name, out.len(), value.into())?);
            }
            Ok(())
        }
        DataType::Int64 => {
            for &value in chunk.as_primitive::<Int64Type>().values() {
                out.push(whole(name, out.len(), value.into(), tick)?);
            }
            Ok(())
        }
        DataType::Decimal128(_, scale @ 0..=9) => {
            let units = 10_i128.pow(9 - scale.unsigned_abs() as u32);
            for &value in chunk.as_primitive::<Decimal128Type>().values() {
                let nanos = value.checked_mul(units).unwrap_or(i128::MAX);
                out.push(whole(name, out.len(), nanos, tick)?);
            }
            Ok(())
        }
        other => Err(Wrong::column(
            name,
            format!(
                "{other}; expected prices: points as float64, float32 or decimal of 0 to 9 places, units of 1e-9 as int64, \
                 ticks as int32"
            ),
        )),
    }
}

/// Units of 1e-9 points as ticks.
fn whole(name: &str, row: usize, nanos: i128, tick: Tick) -> Result<i32, Wrong> {
    let size = i128::from(tick.nanos());
    if nanos % size != 0 {
        return Err(off_grid(name, row, &format!("{nanos} units of 1e-9"), tick));
    }
    within(name, row, nanos / size)
}

fn within(name: &str, row: usize, ticks: i128) -> Result<i32, Wrong> {
    let value = i32::try_from(ticks).ok().filter(|ticks| (MIN_TICKS..=MAX_TICKS).contains(ticks));
    value.ok_or_else(|| {
        Wrong::value(
            name,
            row,
            format!("{ticks} ticks; expected {MIN_TICKS} to {MAX_TICKS}: is the tick the right one?"),
        )
    })
}

fn off_grid(name: &str, row: usize, found: &str, tick: Tick) -> Wrong {
    let size = tick.nanos() as f64 / 1e9;
    Wrong::value(name, row, format!("{found} is off the tick grid; expected a multiple of {size}"))
}

/// A value of so many ticks is the float nearest to it, as `as_stored` has it. The loop has no branch, so that it is
/// vectorised; what is wrong is looked for when something is.
#[inline]
fn floats<F: Copy + Into<f64>>(
    name: &str,
    values: &[F],
    tick: Tick,
    as_stored: impl Fn(f64) -> f64,
    out: &mut Vec<i32>,
) -> Result<(), Wrong> {
    // Adding and taking it away rounds to a whole number, ties to even, without an instruction of SSE4.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let (numerator, denominator) = (f64::from(tick.numerator()), f64::from(tick.denominator()));
    let per_point = denominator / numerator;
    // A division by a power of two is a multiplication.
    let reciprocal = tick.denominator().is_power_of_two().then(|| 1.0 / denominator);
    let first = out.len();
    out.resize(first + values.len(), 0);
    let to_points = |ticks: f64| match reciprocal {
        Some(reciprocal) => ticks * numerator * reciprocal,
        None => ticks * numerator / denominator,
    };
    let mut all = true;
    for (ticks, &value) in out[first..].iter_mut().zip(values) {
        let value: f64 = value.into();
        let shifted = value * per_point + ROUND;
        let rounded = shifted - ROUND;
        let good = as_stored(to_points(rounded)) == value
            && rounded <= f64::from(MAX_TICKS)
            && rounded >= f64::from(MIN_TICKS);
        all &= good;
        // Its low bits are the whole number; of what is beyond them nobody makes use.
        *ticks = shifted.to_bits() as i32;
    }
    if all {
        return Ok(());
    }
    for (row, &value) in values.iter().enumerate() {
        let (row, value): (usize, f64) = (first + row, value.into());
        if !value.is_finite() {
            return Err(Wrong::value(name, row, format!("{value}; expected a price")));
        }
        let rounded = (value * per_point).round_ties_even();
        within(name, row, rounded as i128)?;
        if as_stored(to_points(rounded)) != value {
            return Err(off_grid(name, row, &value.to_string(), tick));
        }
    }
    Err(Wrong::column(name, "prices that are no ticks"))
}
