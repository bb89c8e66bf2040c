//! The columns of bars as Python has them, without a copy: from the Arrow PyCapsule interface or from NumPy arrays.
#![allow(unsafe_code)] // Two C structures and the memory of NumPy arrays are taken over.

use std::{ffi::CStr, panic::AssertUnwindSafe, ptr::NonNull, sync::Arc};

use arrow_array::{
    Array, ArrayRef, PrimitiveArray, RecordBatch, RecordBatchReader, StructArray,
    ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi},
    ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader},
    types::{
        ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
        UInt32Type, UInt64Type,
    },
};
use arrow_buffer::{Buffer, ScalarBuffer};
use arrow_schema::ArrowError;
use numpy::{Element, PyArray1, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::{
    prelude::*,
    types::{PyCapsule, PyDict},
};

use crate::wrong::Wrong;

/// The columns of bars, in the order of [`NAMES`].
pub const COLUMNS: usize = 6;
/// What they are called.
pub const NAMES: [&str; COLUMNS] = ["timestamp", "open", "high", "low", "close", "volume"];

/// One column: the arrays that it consists of, one after the other.
pub type Chunks = Vec<ArrayRef>;

/// The columns of [`NAMES`] that an input has.
pub struct Input {
    /// In their order; `None` where there is no such column.
    pub columns: [Option<Chunks>; COLUMNS],
    /// The names of all columns there are.
    pub names: Vec<String>,
}

/// Reads what Python gives: an object of the Arrow PyCapsule interface, or a dictionary of contiguous NumPy arrays.
///
/// # Errors
/// [`Wrong`] as a Python exception.
pub fn read(bars: &Bound<'_, PyAny>) -> PyResult<Input> {
    if let Ok(arrays) = bars.cast::<PyDict>() {
        return of_numpy(arrays);
    }
    let batches = if bars.hasattr("__arrow_c_stream__")? { stream(bars)? } else { vec![array(bars)?] };
    let Some(first) = batches.first() else { return Ok(Input { columns: Default::default(), names: Vec::new() }) };
    let names: Vec<String> = first.schema().fields().iter().map(|field| field.name().clone()).collect();
    for name in NAMES {
        if names.iter().filter(|&other| other == name).count() > 1 {
            return Err(Wrong::column(name, "there are two of this name; expected one").into());
        }
    }
    let column = |name: &str| -> Option<Chunks> {
        let index = names.iter().position(|other| other == name)?;
        Some(batches.iter().map(|batch| Arc::clone(batch.column(index))).collect())
    };
    Ok(Input { columns: NAMES.map(column), names })
}

fn of_arrow(error: ArrowError) -> PyErr {
    Wrong::whole(format!("the Arrow data cannot be read: {error}; expected a table with columns of numbers")).into()
}

fn stream(bars: &Bound<'_, PyAny>) -> PyResult<Vec<RecordBatch>> {
    let capsule = bars.call_method0("__arrow_c_stream__")?;
    let pointer = pointer::<FFI_ArrowArrayStream>(&capsule, c"arrow_array_stream")?;
    // SAFETY: the capsule holds an initialised stream of this name; it is moved out, and marked as such.
    let reader = unsafe { RecordBatchStreamReader::from_raw(pointer.as_ptr()) }.map_err(of_arrow)?;
    let schema = RecordBatchReader::schema(&reader);
    let mut batches = reader.collect::<Result<Vec<_>, _>>().map_err(of_arrow)?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}

fn array(bars: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    let none = || Wrong::whole("the bars have no __arrow_c_array__ that answers with two capsules");
    let (schema, array): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
        bars.call_method0("__arrow_c_array__").and_then(|pair| pair.extract()).map_err(|_| none())?;
    let schema = pointer::<FFI_ArrowSchema>(&schema, c"arrow_schema")?;
    let array = pointer::<FFI_ArrowArray>(&array, c"arrow_array")?;
    // SAFETY: the capsules hold initialised structures of these names; the array is moved out and the schema only read.
    let data = unsafe { from_ffi(FFI_ArrowArray::from_raw(array.as_ptr()), schema.as_ref()) }.map_err(of_arrow)?;
    if !matches!(data.data_type(), arrow_schema::DataType::Struct(_)) {
        let found =
            format!("an Arrow array of type {}: expected a table, or a struct with the columns", data.data_type());
        return Err(Wrong::whole(found).into());
    }
    Ok(RecordBatch::from(StructArray::from(data)))
}

fn pointer<T>(capsule: &Bound<'_, PyAny>, name: &CStr) -> PyResult<NonNull<T>> {
    let none = || Wrong::whole(format!("expected a capsule named {}", name.to_string_lossy()));
    let capsule = capsule.cast::<PyCapsule>().map_err(|_| none())?;
    Ok(capsule.pointer_checked(Some(name)).map_err(|_| none())?.cast())
}

fn of_numpy(arrays: &Bound<'_, PyDict>) -> PyResult<Input> {
    let names = arrays.keys().iter().map(|name| name.extract()).collect::<PyResult<Vec<String>>>()?;
    let mut columns: [Option<Chunks>; COLUMNS] = Default::default();
    for (column, name) in columns.iter_mut().zip(NAMES) {
        if let Some(array) = arrays.get_item(name)? {
            *column = Some(vec![of_array(name, &array)?]);
        }
    }
    Ok(Input { columns, names })
}

fn of_array(name: &str, array: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    macro_rules! of_types {
        ($($arrow:ty),*) => {$(
            if let Ok(array) = array.cast::<PyArray1<<$arrow as ArrowPrimitiveType>::Native>>() {
                return typed::<$arrow>(name, array);
            }
        )*};
    }
    of_types!(
        Float64Type,
        Int64Type,
        Int32Type,
        Float32Type,
        UInt32Type,
        UInt64Type,
        Int8Type,
        Int16Type,
        UInt8Type,
        UInt16Type
    );
    let found = array.getattr("dtype").map_or_else(|_| "no array".to_owned(), |dtype| dtype.to_string());
    Err(Wrong::column(name, format!("NumPy {found}; expected one dimension of native integers or floats")).into())
}

fn typed<T: ArrowPrimitiveType>(name: &str, array: &Bound<'_, PyArray1<T::Native>>) -> PyResult<ArrayRef>
where
    T::Native: Element,
{
    if !array.is_contiguous() {
        return Err(Wrong::column(name, "not contiguous; expected numpy.ascontiguousarray of it").into());
    }
    let bytes = array.len() * size_of::<T::Native>();
    let Some(start) = NonNull::new(array.data().cast::<u8>()).filter(|_| bytes > 0) else {
        return Ok(Arc::new(PrimitiveArray::<T>::from_iter_values([])));
    };
    if start.align_offset(align_of::<T::Native>()) != 0 {
        return Err(Wrong::column(name, "not aligned in memory; expected a copy of it").into());
    }
    let owner = Arc::new(AssertUnwindSafe(array.clone().into_any().unbind()));
    // SAFETY: the array is contiguous, so `bytes` bytes are there from `start` on, and `owner` keeps it alive. It cannot be
    // resized while it is referred to. That nobody writes to it from another thread meanwhile is what the docstrings ask for.
    let buffer = unsafe { Buffer::from_custom_allocation(start, bytes, owner) };
    Ok(Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(buffer), None)))
}

/// Where the values of a column begin in memory, chunk by chunk.
pub fn addresses(chunks: &[ArrayRef]) -> Vec<usize> {
    let address = |chunk: &ArrayRef| {
        let data = chunk.to_data();
        let width = data.data_type().primitive_width().unwrap_or(1);
        data.buffers().first().map_or(0, |buffer| buffer.as_ptr() as usize + data.offset() * width)
    };
    chunks.iter().map(address).collect()
}
