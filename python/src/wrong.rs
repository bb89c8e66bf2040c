//! What is wrong with an input, and the exceptions of the Python package that say it.

use pyo3::{prelude::*, sync::PyOnceLock, types::PyType};

/// An input that cannot be computed: what, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Wrong {
    /// Sentence that names the row and column, and what was expected.
    pub message: String,
    /// Row of the input, counted from 0.
    pub row: Option<usize>,
    /// Column of the input.
    pub column: Option<String>,
}

impl Wrong {
    /// One of the whole input.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { message: message.into(), row: None, column: None }
    }

    /// One of a column.
    pub fn column(column: &str, what: impl std::fmt::Display) -> Self {
        Self { message: format!("column {column}: {what}"), row: None, column: Some(column.to_owned()) }
    }

    /// One of a value.
    pub fn value(column: &str, row: usize, what: impl std::fmt::Display) -> Self {
        Self { message: format!("row {row}, column {column}: {what}"), row: Some(row), column: Some(column.to_owned()) }
    }
}

impl From<Wrong> for PyErr {
    fn from(wrong: Wrong) -> Self {
        raised(Exception::Input, (wrong.message, wrong.row, wrong.column))
    }
}

/// The exceptions of `harness_es._errors` that are raised from here.
#[derive(Clone, Copy)]
pub enum Exception {
    /// Bars that cannot be computed.
    Input,
    /// Labels, a tick, a range or another argument that is none.
    Argument,
    /// A store that does not do what it was asked, or a published object that is not what it should be.
    Archive,
}

/// An exception with its message, row and column.
pub fn raised(exception: Exception, arguments: (String, Option<usize>, Option<String>)) -> PyErr {
    static CLASSES: PyOnceLock<[Py<PyType>; 3]> = PyOnceLock::new();
    Python::attach(|py| {
        let classes = CLASSES.get_or_try_init(py, || -> PyResult<_> {
            let module = py.import("harness_es._errors")?;
            let class =
                |name: &str| -> PyResult<Py<PyType>> { Ok(module.getattr(name)?.cast_into::<PyType>()?.unbind()) };
            Ok([class("InputError")?, class("ArgumentError")?, class("ArchiveError")?])
        });
        match classes {
            Ok(classes) => PyErr::from_type(classes[exception as usize].bind(py).clone(), arguments),
            Err(error) => error,
        }
    })
}

/// An argument that is none.
pub fn argument(error: impl std::fmt::Display) -> PyErr {
    raised(Exception::Argument, (error.to_string(), None, None))
}
