"""Columns against those of a Parquet made by `harness`."""

import numpy as np
import polars as pl

# float32 keeps 24 bits; two roundings may differ in the last one.
RELATIVE = 2.0**-22
# Differences of large numbers keep their absolute error where they are small.
ABSOLUTE = {"vwap_slope": 1e-9}


def verify(path, columns):
    """Raises SystemExit(1) unless each of `columns`, name -> values, equals the file's: exactly where it is an integer or a
    price, to float32 tolerance and with NaN in the same places where it is a float32."""
    theirs = pl.read_parquet(path, columns=list(columns))
    wrong = []
    for name, values in columns.items():
        got = pl.Series(name, values)
        want = theirs[name]
        if len(got) != len(want):
            wrong.append(f"{name}: {len(got)} rows instead of {len(want)}")
            continue
        if want.dtype == pl.Float32:
            a, b = (series.cast(pl.Float64).fill_null(np.nan).to_numpy() for series in (got, want))
            with np.errstate(invalid="ignore"):
                close = np.abs(a - b) <= RELATIVE * np.abs(b) + ABSOLUTE.get(name, 1e-12)
            bad = ~(close | (np.isnan(a) & np.isnan(b)))
        else:
            bad = (got != want).fill_null(True).to_numpy()
            a, b = got, want
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            wrong.append(f"{name}: {int(bad.sum())} rows differ; row {row} is {a[row]} instead of {b[row]}")
    if wrong:
        raise SystemExit("\n".join([f"{path}: not the same numbers", *wrong]))
