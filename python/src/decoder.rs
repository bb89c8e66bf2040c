//! Sessions of training files as rows for a model: features row by row, label and weight beside them.

use std::{
    collections::HashMap,
    fs::File,
    panic,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use arrow_array::{
    Array, ArrayRef, RecordBatch,
    cast::AsArray,
    types::{Float32Type, Float64Type, Int8Type},
};
use arrow_schema::DataType;
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, ndarray::Array2,
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    file::statistics::Statistics,
};
use pyo3::prelude::*;

use crate::wrong::{Exception, argument, raised};

/// Rows that are turned from columns to rows at once: they stay in the processor's cache.
const TURNED: usize = 128;

/// Reads chosen columns of sessions. Keeps the footers of the files it has read.
#[pyclass(frozen, module = "harness_es._native")]
pub struct Decoder {
    features: Vec<String>,
    label: String,
    weight: Option<String>,
    footers: Mutex<HashMap<PathBuf, ArrowReaderMetadata>>,
}

/// Features, labels and weights of the rows of some sessions, one session after the other.
type Loaded<'py> = (Bound<'py, PyArray2<f32>>, Bound<'py, PyArray1<i8>>, Bound<'py, PyArray1<f32>>);

fn failed(path: &Path, what: impl std::fmt::Display) -> PyErr {
    raised(Exception::Archive, (format!("{}: {what}", path.display()), None, None))
}

fn footer(path: &Path) -> PyResult<ArrowReaderMetadata> {
    let file = File::open(path).map_err(|error| failed(path, error))?;
    ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|error| failed(path, error))
}

#[pymethods]
impl Decoder {
    #[new]
    fn new(features: Vec<String>, label: String, weight: Option<String>) -> Self {
        Self { features, label, weight, footers: Mutex::default() }
    }

    /// The rows of these sessions: file, number of the row group and how many rows it has.
    fn load<'py>(
        &self,
        py: Python<'py>,
        sessions: Vec<(PathBuf, usize, usize)>,
        workers: usize,
    ) -> PyResult<Loaded<'py>> {
        let (width, rows) = (self.features.len(), sessions.iter().map(|(_, _, rows)| rows).sum::<usize>());
        let (x, y, w) = py.detach(|| -> PyResult<_> {
            let (mut x, mut y, mut w) = (vec![0_f32; rows * width], vec![0_i8; rows], vec![1_f32; rows]);
            let mut jobs = Vec::with_capacity(sessions.len());
            let (mut xs, mut ys, mut ws) = (&mut x[..], &mut y[..], &mut w[..]);
            for session in &sessions {
                let (x, rest_x) = xs.split_at_mut(session.2 * width);
                let (y, rest_y) = ys.split_at_mut(session.2);
                let (w, rest_w) = ws.split_at_mut(session.2);
                jobs.push((session, x, y, w));
                (xs, ys, ws) = (rest_x, rest_y, rest_w);
            }
            let (queue, failed) = (Mutex::new(jobs.into_iter()), Mutex::new(None));
            let worker = || {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(((path, group, rows), x, y, w)) = next else { return };
                    if let Err(error) = self.session(path, *group, *rows, x, y, w) {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    }
                }
            };
            thread::scope(|scope| {
                let others: Vec<_> = (1..workers.min(sessions.len())).map(|_| scope.spawn(worker)).collect();
                worker();
                for other in others {
                    if let Err(panicked) = other.join() {
                        panic::resume_unwind(panicked);
                    }
                }
            });
            match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
                Some(error) => Err(error),
                None => Ok((x, y, w)),
            }
        })?;
        let x = Array2::from_shape_vec((rows, width), x).map_err(argument)?;
        Ok((x.into_pyarray(py), y.into_pyarray(py), w.into_pyarray(py)))
    }
}

impl Decoder {
    fn session(
        &self,
        path: &Path,
        group: usize,
        rows: usize,
        x: &mut [f32],
        y: &mut [i8],
        w: &mut [f32],
    ) -> PyResult<()> {
        let known = self.footers.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        let footer = match known {
            Some(footer) => footer,
            None => {
                let found = footer(path)?;
                self.footers.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), found.clone());
                found
            }
        };
        let columns: Vec<&str> =
            self.features.iter().chain([&self.label]).chain(&self.weight).map(String::as_str).collect();
        let schema = Arc::clone(footer.schema());
        if let Some(missing) = columns.iter().find(|name| schema.column_with_name(name).is_none()) {
            let names = schema.fields().iter().skip(6).map(|field| field.name().as_str()).collect::<Vec<_>>();
            return Err(failed(path, format!("no column {missing}: expected one of {}", names.join(", "))));
        }
        let groups = footer.metadata().row_groups();
        let found = groups.get(group).map(|group| group.num_rows());
        if found != i64::try_from(rows).ok() {
            let found = found.map_or_else(|| "no such row group".to_owned(), |rows| format!("{rows} rows"));
            return Err(failed(path, format!("session {group} has {found}; expected {rows}: open the archive again")));
        }
        let file = File::open(path).map_err(|error| failed(path, error))?;
        let mask = ProjectionMask::columns(footer.parquet_schema(), columns.iter().copied());
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer)
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(8192)
            .build()
            .map_err(|error| failed(path, error))?;
        let (width, mut first) = (self.features.len(), 0);
        for batch in reader {
            let batch = batch.map_err(|error| failed(path, error))?;
            let end = first + batch.num_rows();
            if end > rows {
                return Err(failed(path, format!("session {group} has more than {rows} rows")));
            }
            self.batch(&batch, &mut x[first * width..end * width], &mut y[first..end], &mut w[first..end])
                .map_err(|what| failed(path, what))?;
            first = end;
        }
        if first == rows { Ok(()) } else { Err(failed(path, format!("session {group} ends after {first} rows"))) }
    }

    fn batch(&self, batch: &RecordBatch, x: &mut [f32], y: &mut [i8], w: &mut [f32]) -> Result<(), String> {
        let column = |name: &String| batch.column_by_name(name).ok_or_else(|| format!("no column {name}"));
        let floats = |name: &String, column: &ArrayRef| match column.data_type() {
            DataType::Float32 => Ok(column.as_primitive::<Float32Type>().values().clone()),
            DataType::Float64 => Ok(column.as_primitive::<Float64Type>().values().iter().map(|&v| v as f32).collect()),
            DataType::Int8 => Ok(column.as_primitive::<Int8Type>().values().iter().map(|&v| f32::from(v)).collect()),
            other => Err(format!("column {name} is {other}; expected floats or flags")),
        };
        let width = self.features.len();
        let values = self.features.iter().map(|name| floats(name, column(name)?)).collect::<Result<Vec<_>, _>>()?;
        for (block, rows) in x.chunks_mut(TURNED * width).enumerate() {
            let (from, count) = (block * TURNED, rows.len() / width);
            for (at, values) in values.iter().enumerate() {
                for (row, &value) in rows.chunks_exact_mut(width).zip(&values[from..from + count]) {
                    row[at] = value;
                }
            }
        }
        let label = column(&self.label)?;
        match label.data_type() {
            DataType::Int8 => y.copy_from_slice(label.as_primitive::<Int8Type>().values()),
            other => return Err(format!("column {} is {other}; expected int8", self.label)),
        }
        if let Some(weight) = &self.weight {
            w.copy_from_slice(&floats(weight, column(weight)?)?);
        }
        Ok(())
    }
}

/// Rows, first and last nanosecond of each row group of a training file.
#[pyfunction]
pub fn row_groups(py: Python<'_>, path: PathBuf) -> PyResult<Vec<(i64, i64, i64)>> {
    let footer = py.detach(|| footer(&path))?;
    let of = |group: &parquet::file::metadata::RowGroupMetaData| match group.column(0).statistics() {
        Some(Statistics::Int64(times)) => Some((group.num_rows(), *times.min_opt()?, *times.max_opt()?)),
        _ => None,
    };
    let groups = footer.metadata().row_groups().iter().map(of).collect::<Option<Vec<_>>>();
    groups.ok_or_else(|| failed(&path, "no times in its footer: expected a training file of harness"))
}

/// The windows of `window` rows that end at `rows`, one after the other.
#[pyfunction]
pub fn gather<'py>(
    py: Python<'py>,
    values: PyReadonlyArray2<'py, f32>,
    rows: PyReadonlyArray1<'py, i64>,
    window: usize,
) -> PyResult<Bound<'py, PyArray3<f32>>> {
    let width = values.as_array().ncols();
    let (values, rows) = (values.as_slice().map_err(argument)?, rows.as_slice().map_err(argument)?);
    let copied = py.detach(|| {
        let mut out = Vec::with_capacity(rows.len() * window * width);
        for &row in rows {
            let end = usize::try_from(row).ok()?.checked_add(1)?;
            out.extend_from_slice(values.get(end.checked_sub(window)? * width..end * width)?);
        }
        Some(out)
    });
    let copied = copied.ok_or_else(|| argument("a window outside the rows"))?;
    PyArray1::from_vec(py, copied).reshape([rows.len(), window, width])
}
