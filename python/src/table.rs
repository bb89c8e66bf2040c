//! Computed columns on their way to Python: by the Arrow PyCapsule interface, or each as a NumPy array over the same memory.
#![allow(unsafe_code)] // NumPy arrays over memory of ours.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchOptions, StructArray,
    cast::AsArray,
    ffi::to_ffi,
    ffi_stream::FFI_ArrowArrayStream,
    types::{Float32Type, Float64Type, Int8Type, Int16Type},
};
use arrow_schema::{DataType, Field, Schema};
use numpy::{PyArray1, PyArrayMethods, ndarray::ArrayView1};
use pyo3::{exceptions::PyKeyError, prelude::*, types::PyCapsule};

use crate::wrong::argument;

/// Columns of one length, which never change.
#[pyclass(frozen, module = "harness_es")]
pub struct Table {
    batch: RecordBatch,
}

impl Table {
    /// A table of these columns, none of which has a missing value.
    pub fn new(columns: Vec<(String, ArrayRef)>, rows: usize) -> PyResult<Self> {
        let field = |(name, column): &(String, ArrayRef)| Field::new(name, column.data_type().clone(), false);
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let columns = columns.into_iter().map(|(_, column)| column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(schema, columns, &options).map_err(argument)?;
        Ok(Self { batch })
    }
}

#[pymethods]
impl Table {
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.batch.schema_ref().fields().iter().map(|field| field.name().clone()).collect()
    }

    #[getter]
    fn num_rows(&self) -> usize {
        self.batch.num_rows()
    }

    fn __len__(&self) -> usize {
        self.batch.num_rows()
    }

    fn __repr__(&self) -> String {
        format!("Table({} rows: {})", self.batch.num_rows(), self.column_names().join(", "))
    }

    fn __contains__(&self, name: &str) -> bool {
        self.batch.column_by_name(name).is_some()
    }

    fn __getitem__<'py>(slf: Bound<'py, Self>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let table = slf.get();
        let missing = || PyKeyError::new_err(format!("no column {name}: expected {}", table.column_names().join(", ")));
        let column = table.batch.column_by_name(name).ok_or_else(missing)?;
        let owner = slf.clone().into_any();
        macro_rules! view {
            ($type:ty) => {{
                let values: &[_] = column.as_primitive::<$type>().values();
                // SAFETY: the table is frozen and `owner` keeps it alive, and with it the values; the array is made
                // read-only before anybody has it.
                let array = unsafe { PyArray1::borrow_from_array(&ArrayView1::from(values), owner) };
                Ok(array.readwrite().make_nonwriteable().as_any().clone())
            }};
        }
        match column.data_type() {
            DataType::Int8 => view!(Int8Type),
            DataType::Int16 => view!(Int16Type),
            DataType::Float32 => view!(Float32Type),
            DataType::Float64 => view!(Float64Type),
            other => Err(argument(format!("column {name} is {other}, which is no NumPy array"))),
        }
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema); // A wish, which a producer may leave unheard.
        let reader = RecordBatchIterator::new([Ok(self.batch.clone())], self.batch.schema());
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), c"arrow_array_stream")
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        drop(requested_schema);
        let (array, schema) = to_ffi(&StructArray::from(self.batch.clone()).into_data()).map_err(argument)?;
        let schema = PyCapsule::new_with_value(py, schema, c"arrow_schema")?;
        Ok((schema, PyCapsule::new_with_value(py, array, c"arrow_array")?))
    }
}
