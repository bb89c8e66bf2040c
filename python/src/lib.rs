//! The native part of the Python package `harness_es`: what it takes and gives is said in `harness_es/*.py` and
//! `harness_es/_native.pyi`.

mod archive;
mod arguments;
pub mod bars;
pub mod compute;
mod decoder;
pub mod import;
mod memory;
mod prices;
mod stream;
mod table;
pub mod wrong;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    use data::labels::Labels;
    use kernels::features::{FLAG_NAMES, FLOAT_NAMES};
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::{
        archive::Archive,
        decoder::{Decoder, gather, row_groups},
        stream::LiveStream,
        table::Table,
    };
    use crate::{
        arguments,
        bars::Bars,
        compute,
        import::{self, NAMES},
        wrong::argument,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("FEATURES", FLOAT_NAMES.iter().chain(&FLAG_NAMES).copied().collect::<Vec<_>>())
    }

    /// The specification of a preset as JSON; `None` where there is none of that name.
    #[pyfunction]
    fn preset(name: &str) -> Option<String> {
        Labels::preset(name).map(|labels| labels.to_json().to_string())
    }

    /// Labels of bars by a specification as JSON.
    #[pyfunction]
    #[pyo3(signature = (bars, specification, *, tick, profile, gap, session_gap, decay_reference, threads))]
    #[allow(clippy::too_many_arguments)]
    fn labels(
        py: Python<'_>,
        bars: &Bound<'_, PyAny>,
        specification: &str,
        tick: f64,
        profile: &str,
        gap: f64,
        session_gap: u32,
        decay_reference: Option<&str>,
        threads: Option<usize>,
    ) -> PyResult<Table> {
        let how = arguments::how(profile, tick, gap, decay_reference, threads)?;
        let json = serde_json::from_str(specification).map_err(argument)?;
        let specification = Labels::from_json(&json).map_err(|what| argument(format!("labels: {what}")))?.specification;
        let input = import::read(bars)?;
        let (columns, rows) = py.detach(|| {
            let bars = Bars::new(&input, how.tick, session_gap)?;
            compute::labels(&bars, &specification, &how).map(|columns| (columns, bars.rows()))
        })?;
        Table::new(columns, rows)
    }

    /// Features of bars.
    #[pyfunction]
    #[pyo3(signature = (bars, *, tick, profile, session_gap, dtype, threads))]
    fn features(
        py: Python<'_>,
        bars: &Bound<'_, PyAny>,
        tick: f64,
        profile: &str,
        session_gap: u32,
        dtype: &str,
        threads: Option<usize>,
    ) -> PyResult<Table> {
        let how = arguments::how(profile, tick, 0.0, None, threads)?;
        let double = match dtype {
            "float32" => false,
            "float64" => true,
            other => return Err(argument(format!("dtype = {other}: expected float32 or float64"))),
        };
        let input = import::read(bars)?;
        let (columns, rows) = py.detach(|| {
            let bars = Bars::new(&input, how.tick, session_gap)?;
            let columns =
                if double { compute::features::<f64>(&bars, &how) } else { compute::features::<f32>(&bars, &how) };
            columns.map(|columns| (columns, bars.rows()))
        })?;
        Table::new(columns, rows)
    }

    /// First row and row behind the last of each session.
    #[pyfunction]
    fn sessions(
        py: Python<'_>,
        bars: &Bound<'_, PyAny>,
        tick: f64,
        session_gap: u32,
    ) -> PyResult<Vec<(i64, usize, usize)>> {
        let tick = arguments::tick(tick)?;
        let input = import::read(bars)?;
        let bars = py.detach(|| Bars::new(&input, tick, session_gap))?;
        Ok(compute::sessions(&bars).into_iter().map(|(second, rows)| (second, rows.start, rows.end)).collect())
    }

    /// Where the values of each column are read.
    #[pyfunction]
    fn addresses(bars: &Bound<'_, PyAny>) -> PyResult<Vec<(&'static str, Vec<usize>)>> {
        let input = import::read(bars)?;
        let of = |(name, chunks): (&'static str, &Option<import::Chunks>)| {
            chunks.as_ref().map(|chunks| (name, import::addresses(chunks)))
        };
        Ok(NAMES.into_iter().zip(&input.columns).filter_map(of).collect())
    }
}
