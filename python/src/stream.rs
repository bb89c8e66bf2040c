//! The same features live, a second at a time.

use kernels::{Bar, Profile, Stream, Tick};
use numpy::{PyArray1, PyArrayMethods};
use pyo3::{prelude::*, types::PyBytes};

use crate::{
    arguments::{profile, tick},
    wrong::{Wrong, argument},
};

/// See `harness_es.Stream`.
#[pyclass(name = "Stream", module = "harness_es")]
pub struct LiveStream {
    stream: Stream,
    tick: Tick,
}

impl LiveStream {
    fn bar(&self, second: u32, prices: [f64; 4], volume: u32) -> Result<Bar, Wrong> {
        let mut ticks = [0; 4];
        for ((name, price), ticks) in ["open", "high", "low", "close"].iter().zip(prices).zip(&mut ticks) {
            let size = self.tick.nanos() as f64 / 1e9;
            let whole = (price / size).round();
            // A whole number beyond 32 bits is the nearest one that fits, which no bar may have either.
            *ticks = whole as i32;
            if !whole.is_finite() || self.tick.points(*ticks) != price {
                return Err(Wrong::column(
                    name,
                    format!("{price} is off the tick grid; expected a multiple of {size}"),
                ));
            }
        }
        let [open, high, low, close] = ticks;
        Ok(Bar { open, high, low, close, volume, second })
    }
}

#[pymethods]
impl LiveStream {
    #[new]
    #[pyo3(signature = (profile = "session", *, tick))]
    fn new(profile: &str, tick: f64) -> PyResult<Self> {
        let (profile, tick) = (self::profile(profile)?, self::tick(tick)?);
        Ok(Self { stream: Stream::new(profile, tick), tick })
    }

    #[pyo3(signature = (second, open, high, low, close, volume))]
    #[allow(clippy::too_many_arguments)] // A bar.
    fn push<'py>(
        &mut self,
        py: Python<'py>,
        second: u32,
        open: f64,
        high: f64,
        low: f64,
        close: f64,
        volume: u32,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let bar = self.bar(second, [open, high, low, close], volume)?;
        array(py, &self.stream.push(bar).map_err(refused)?)
    }

    #[pyo3(signature = (second, open, high, low, close, volume))]
    #[allow(clippy::too_many_arguments)] // A bar.
    fn peek<'py>(
        &self,
        py: Python<'py>,
        second: u32,
        open: f64,
        high: f64,
        low: f64,
        close: f64,
        volume: u32,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let bar = self.bar(second, [open, high, low, close], volume)?;
        array(py, &self.stream.peek(bar).map_err(refused)?)
    }

    fn next_session(&mut self) {
        self.stream.next_session();
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.stream.to_bytes())
    }

    #[staticmethod]
    #[pyo3(signature = (data, profile = "session", *, tick))]
    fn from_bytes(data: &[u8], profile: &str, tick: f64) -> PyResult<Self> {
        let (profile, tick): (Profile, Tick) = (self::profile(profile)?, self::tick(tick)?);
        Ok(Self { stream: Stream::from_bytes(profile, tick, data).map_err(argument)?, tick })
    }
}

fn refused(error: kernels::Error) -> PyErr {
    Wrong::whole(error.to_string()).into()
}

/// Floats and flags of a row, in the order of the columns.
fn array<'py>(py: Python<'py>, row: &kernels::stream::Row<f32>) -> PyResult<Bound<'py, PyArray1<f32>>> {
    let array = PyArray1::<f32>::zeros(py, row.floats.len() + row.flags.len(), false);
    {
        let mut array = array.try_readwrite().map_err(argument)?;
        let values = array.as_slice_mut().map_err(argument)?;
        let all = row.floats.iter().copied().chain(row.flags.iter().map(|&flag| f32::from(flag)));
        values.iter_mut().zip(all).for_each(|(to, value)| *to = value);
    }
    Ok(array)
}
