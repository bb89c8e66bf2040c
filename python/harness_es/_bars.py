"""Bars as the native part takes them: an object of the Arrow PyCapsule interface, or a dictionary of NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeGuard, cast

import numpy as np
import numpy.typing as npt

from ._errors import InputError

Array: TypeAlias = npt.NDArray[Any]
"""A NumPy array of any type."""

Bars: TypeAlias = Any
"""Polars and pandas data frames, pyarrow tables, DuckDB relations, whatever else has `__arrow_c_stream__` or
`__arrow_c_array__`, and mappings of column names to one-dimensional NumPy arrays."""

COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000}


def normal(bars: Bars) -> object:
    """What the native part takes."""
    library = type(bars).__module__.split(".")[0]
    if library == "pandas":
        return _of_pandas(bars)
    if library == "polars" and type(bars).__name__ == "DataFrame":
        # Without the other columns, whatever types they have.
        return bars.select([name for name in COLUMNS if name in bars.columns])
    if _is_mapping(bars):
        return {str(name): _array(str(name), column) for name, column in bars.items()}
    if hasattr(bars, "__arrow_c_stream__") or hasattr(bars, "__arrow_c_array__"):
        return bars
    raise InputError(
        f"bars of type {type(bars).__name__}: expected a data frame, an Arrow table or a mapping of names to NumPy arrays"
    )


def _is_mapping(bars: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(bars, Mapping)


def _of_pandas(frame: Any) -> dict[str, Array]:
    if not hasattr(frame, "columns"):
        raise InputError(f"pandas {type(frame).__name__}: expected a DataFrame with columns {', '.join(COLUMNS)}")
    columns: dict[str, Array] = {}
    for name in frame.columns:
        if str(name) in columns and str(name) in COLUMNS:
            raise InputError(f"column {name}: there are two of this name; expected one", column=str(name))
        columns[str(name)] = _of_series(str(name), frame[name]) if str(name) in COLUMNS else np.empty(0)
    if "timestamp" not in columns and type(frame.index).__name__ == "DatetimeIndex":
        columns["timestamp"] = _of_series("timestamp", frame.index.to_series())
    return columns


def _of_series(name: str, series: Any) -> Array:
    if getattr(series.dtype, "tz", None) is not None:
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    missing = series.isna()
    # A float's NaN is found where it is read; only other types hide what is missing in their NumPy form.
    if series.dtype.kind != "f" and bool(missing.any()):
        row = int(missing.to_numpy().argmax())
        raise InputError(f"row {row}, column {name}: no value; expected one in every row", row, name)
    return _array(name, series.to_numpy())


def _array(name: str, column: object) -> Array:
    array: Array = np.asarray(column)
    if name not in COLUMNS:
        return array
    if array.ndim != 1:
        raise InputError(f"column {name}: {array.ndim} dimensions; expected one", column=name)
    if isinstance(column, np.ma.MaskedArray) and bool(np.ma.getmaskarray(cast(Any, column)).any()):
        row = int(np.ma.getmaskarray(cast(Any, column)).argmax())
        raise InputError(f"row {row}, column {name}: no value; expected one in every row", row, name)
    if not array.dtype.isnative:
        native = array.dtype.newbyteorder("=")
        raise InputError(
            f"column {name}: {array.dtype} is of the other byte order; expected {native}: use .astype('{native}')",
            column=name,
        )
    if array.dtype.kind == "M":
        array = _nanoseconds(name, array)
    elif array.dtype.kind not in "iuf":
        raise InputError(f"column {name}: NumPy {array.dtype}; expected integers or floats", column=name)
    # Views with steps are copied: the kernels read column by column.
    return np.ascontiguousarray(array) if array.flags.aligned else array.copy()


def _nanoseconds(name: str, array: Array) -> Array:
    if name != "timestamp":
        raise InputError(f"column {name}: NumPy {array.dtype}; expected integers or floats", column=name)
    missing = np.isnat(array)
    if bool(missing.any()):
        row = int(missing.argmax())
        raise InputError(f"row {row}, column {name}: no value; expected one in every row", row, name)
    unit, count = np.datetime_data(array.dtype)
    if unit == "ns" and count == 1:
        return np.ascontiguousarray(array).view(np.int64)
    if unit not in NANOSECONDS or count != 1:
        raise InputError(f"column {name}: NumPy {array.dtype}; expected datetime64 of s, ms, us or ns", column=name)
    whole: Array = np.ascontiguousarray(array).view(np.int64)
    factor = NANOSECONDS[unit]
    far = np.abs(whole) > np.iinfo(np.int64).max // factor
    if bool(far.any()):
        row = int(far.argmax())
        raise InputError(f"row {row}, column {name}: {array[row]}; expected a time from 1970 to 2199", row, name)
    return whole * factor
