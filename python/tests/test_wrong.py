"""Wrong input is a clear exception that names row and column, and changes nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import BARS

import harness_es as hx

Make = Callable[[pl.DataFrame], Any]


def at(frame: pl.DataFrame, row: int, **values: Any) -> pl.DataFrame:
    """The same rows but for some values of one."""
    number = pl.int_range(pl.len())
    return frame.with_columns(pl.when(number == row).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
                              for name, value in values.items())  # fmt: skip


def arrays(frame: pl.DataFrame) -> dict[str, Any]:
    return {name: frame[name].to_numpy() for name in BARS}


def ticks(frame: pl.DataFrame, **values: int) -> pl.DataFrame:
    whole = frame.with_columns((pl.col(BARS[1:5]) * 4).cast(pl.Int32))
    return at(whole, 9, **values).with_columns(pl.col(BARS[1:5]).cast(pl.Int32))


def swapped(frame: pl.DataFrame) -> pl.DataFrame:
    order = [*range(100), 101, 100, *range(102, frame.height)]
    return frame[order]


# What it is, how it is made of good bars, and row, column and words of the exception.
WRONG: list[tuple[str, Make, int | None, str | None, str]] = [
    ("no column", lambda f: f.drop("high"), None, "high", "missing; expected timestamp, open"),
    ("no time", lambda f: f.drop("timestamp"), None, "timestamp", "missing"),
    ("no columns", lambda f: f.select([]), None, "timestamp", "found none"),
    ("twice the column", lambda f: pa.table([f[n].to_arrow() for n in [*BARS, "open"]], names=[*BARS, "open"]), None, "open", "two"),
    ("text prices", lambda f: f.with_columns(pl.col("open").cast(pl.String)), None, "open", "expected prices"),
    ("text numpy prices", lambda f: {**arrays(f), "open": f["open"].cast(pl.String).to_numpy()}, None, "open", "object|StringD|<U"),
    ("boolean prices", lambda f: f.with_columns(open=pl.lit(True)), None, "open", "Boolean; expected prices"),
    ("prices of lists", lambda f: f.with_columns(open=pl.concat_list("open")), None, "open", "expected prices"),
    ("small whole prices", lambda f: f.with_columns(open=pl.lit(1, pl.Int16)), None, "open", "Int16; expected prices"),
    ("decimal of 10 places", lambda f: f.with_columns(pl.col("low").cast(pl.Decimal(38, 10))), None, "low", "0 to 9 places"),
    ("NaN", lambda f: at(f, 7, close=float("nan")), 7, "close", "NaN; expected a price"),
    ("infinite", lambda f: at(f, 8, high=float("inf")), 8, "high", "inf; expected a price"),
    ("null", lambda f: at(f, 9, low=None), 9, "low", "no value"),
    ("null in a second chunk", lambda f: pl.concat([f[:50], at(f[50:], 9, low=None)], rechunk=False), 59, "low", "no value"),
    ("null volume", lambda f: at(f, 3, volume=None), 3, "volume", "no value"),
    ("null time", lambda f: at(f, 3, timestamp=None), 3, "timestamp", "no value"),
    ("NaT", lambda f: {**arrays(f), "timestamp": nat(f)}, 11, "timestamp", "no value"),
    ("pandas NA", lambda f: f.to_pandas().assign(volume=missing(f)), 5, "volume", "no value"),
    ("off the grid", lambda f: at(f, 100, open=f["open"][100] + 0.1), 100, "open", "off the tick grid; expected a multiple of 0.25"),
    ("off the grid in a chunk", lambda f: pl.concat([f[:60], at(f[60:], 9, open=0.1)], rechunk=False), 69, "open", "off the tick"),
    ("off the grid float32", lambda f: at(f.with_columns(pl.col("open").cast(pl.Float32)), 4, open=0.3).with_columns(pl.col("open").cast(pl.Float32)), 4, "open", "off the tick"),
    ("off the grid decimal", lambda f: at(f, 4, open=0.3).with_columns(pl.col("open").cast(pl.Decimal(18, 1))), None, "open", "off the tick"),
    ("off the grid units", lambda f: at(f.with_columns((pl.col("open") * 1_000_000_000).cast(pl.Int64)), 2, open=3), 2, "open", "3 units of 1e-9"),
    ("beyond the ticks", lambda f: at(f, 5, high=1e12), 5, "high", "is the tick the right one"),
    ("ticks beyond the limit", lambda f: ticks(f, high=1 << 23), 9, "high", "8388608 ticks"),
    ("high below low", lambda f: at(f, 6, high=1.0, open=2.0, close=1.5, low=2.0), 6, "low", "low <= open, close <= high"),
    ("close above high", lambda f: at(f, 6, close=9000.0), 6, "close", "low <= open, close <= high"),
    ("open below low", lambda f: at(f, 6, open=1.0), 6, "open", "low <= open"),
    ("negative volume", lambda f: at(f, 2, volume=-1), 2, "volume", "-1; expected contracts"),
    ("huge volume", lambda f: at(f, 2, volume=1 << 32), 2, "volume", "4294967296; expected"),
    ("half a contract", lambda f: at(f.with_columns(pl.col("volume").cast(pl.Float64)), 2, volume=0.5), 2, "volume", "0.5; expected"),
    ("volume as text", lambda f: f.with_columns(pl.col("volume").cast(pl.String)), None, "volume", "whole numbers"),
    ("turnover", lambda f: f.with_columns(volume=pl.lit((1 << 32) - 1)).pipe(at, 0, high=1_048_576.0), 0, "volume", "63 bits"),
    ("unsorted", swapped, 100, "timestamp", "1 seconds are missing|in order of time"),
    ("backwards", lambda f: f.reverse(), 1, "timestamp", "in order of time"),
    ("a second twice", lambda f: pl.concat([f[:50], f[49:]]), 50, "timestamp", "each second once"),
    ("a second is missing", lambda f: pl.concat([f[:50], f[51:]]), 50, "timestamp", "1 seconds are missing before it"),
    ("half a second", lambda f: at(f, 20, timestamp=f["timestamp"][20].replace(microsecond=500_000)), 20, "timestamp", "whole second"),
    ("half a second first", lambda f: at(f, 0, timestamp=f["timestamp"][0].replace(microsecond=1)), 0, "timestamp", "whole second"),
    ("times as text", lambda f: f.with_columns(pl.col("timestamp").cast(pl.String)), None, "timestamp", "expected timestamps"),
    ("times as dates", lambda f: f.with_columns(pl.col("timestamp").cast(pl.Date)), None, "timestamp", "expected timestamps"),
    ("times as floats", lambda f: {**arrays(f), "timestamp": np.arange(float(f.height))}, None, "timestamp", "Float64; expected"),
    ("year 3000", lambda f: {**arrays(f), "timestamp": np.datetime64("3000-01-01", "s") + np.arange(f.height)}, 0, "timestamp", "1970 to 2199"),
    ("days", lambda f: {**arrays(f), "timestamp": np.datetime64("2013-01-01", "D") + np.arange(f.height)}, None, "timestamp", "of s, ms"),
    ("another length", lambda f: {**arrays(f), "low": f["low"].to_numpy()[:-1]}, None, "low", "expected as many"),
    ("two dimensions", lambda f: {**arrays(f), "low": np.ones((4, 4))}, None, "low", "2 dimensions"),
    ("no dimension", lambda f: {**arrays(f), "low": np.float64(3)}, None, "low", "0 dimensions"),
    ("big-endian", lambda f: {**arrays(f), "open": f["open"].to_numpy().astype(">f8")}, None, "open", "other byte order"),
    ("half floats", lambda f: {**arrays(f), "open": np.ones(f.height, np.float16)}, None, "open", "float16; expected"),
    ("complex", lambda f: {**arrays(f), "open": np.ones(f.height, complex)}, None, "open", "complex128; expected"),
    ("objects", lambda f: {**arrays(f), "open": np.array([object()] * f.height)}, None, "open", "object; expected"),
    ("masked", lambda f: {**arrays(f), "open": np.ma.masked_equal(f["open"].to_numpy(), f["open"][0])}, 0, "open", "no value"),
    ("a series", lambda f: f["open"], None, None, "expected a table"),
    ("a pandas series", lambda f: pd.Series([1.0]), None, None, "expected a DataFrame"),
    ("pandas text", lambda f: f.to_pandas().astype({"close": str}), None, "close", "expected integers or floats"),
    ("a list", lambda f: [1, 2], None, None, "expected a data frame"),
    ("nothing", lambda f: None, None, None, "expected a data frame"),
    ("a liar", lambda f: Liar(), None, None, "capsule"),
]  # fmt: skip


def missing(frame: pl.DataFrame) -> Any:
    volume = frame["volume"].to_pandas().astype("Int64")
    volume[5] = pd.NA
    return volume


def nat(frame: pl.DataFrame) -> Any:
    times = frame["timestamp"].to_numpy().copy()
    times[11] = np.datetime64("NaT")
    return times


class Liar:
    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return "no capsule"


def test_there_are_forty_kinds_at_least() -> None:
    assert len({name for name, *_ in WRONG}) == len(WRONG) >= 40


@pytest.mark.parametrize(("make", "row", "column", "says"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_wrong_bars_are_refused(bars: pl.DataFrame, make: Make, row: int | None, column: str | None, says: str) -> None:
    good = bars[:600].rechunk()
    wrong = make(good)
    before = good.hash_rows().sum()
    for compute in (lambda: hx.labels(wrong, tick=0.25), lambda: hx.features(wrong, tick=0.25)):
        with pytest.raises(hx.InputError, match=says) as raised:
            compute()
        if row is not None or column is None:
            assert raised.value.row == row or says == "off the tick"
        if column is not None:
            assert raised.value.column == column
            assert column in str(raised.value)
        assert isinstance(raised.value, ValueError)
    assert good.hash_rows().sum() == before
    hx.labels(good, tick=0.25)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"tick": 0.0}, "tick = 0"),
        ({"tick": -0.25}, "tick = -0.25"),
        ({"tick": float("nan")}, "tick = NaN"),
        ({"tick": 1 / 3}, "multiple of 1e-9"),
        ({"tick": 0.25, "profile": "weekly"}, "profile = weekly"),
        ({"tick": 0.25, "threads": 0}, "threads = 0"),
        ({"tick": 0.25, "gap": -1.0}, "gap = -1"),
        ({"tick": 0.25, "decay_reference": "October"}, "decay_reference"),
        ({"tick": 0.25, "spec": "no_such_mode"}, "no_such_mode: expected all"),
        ({"tick": 0.25, "spec": []}, "labels = none"),
        ({"tick": 0.25, "spec": "none.toml"}, "none.toml"),
        ({"tick": 0.25, "spec": "[labels"}, "expected TOML"),
        ({"tick": 0.25, "spec": "[other]"}, "no table"),
        ({"tick": 0.25, "spec": "[labels]\nhorizon = 0"}, "horizon = 0: expected 1 to 3600 rows"),
        ({"tick": 0.25, "spec": {"mode": [{"name": "a"}]}}, "missing field"),
        ({"tick": 0.25, "spec": {"mode": 3}}, "mode is no list"),
        ({"tick": 0.25, "spec": {"mode": [3]}}, "a mode is no table"),
        ({"tick": 0.25, "spec": {"mode": [], "colour": "red"}}, "unknown field"),
    ],
)
def test_wrong_arguments_are_refused(day: pl.DataFrame, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(hx.ArgumentError, match=says):
        hx.labels(day, **arguments)


def test_wrong_bars_of_a_stream_change_nothing() -> None:
    live = hx.Stream(tick=0.25)
    good = (30_600, 5000.0, 5000.5, 4999.75, 5000.25, 7)
    before = live.to_bytes()
    for wrong in (
        (30_600, 5000.1, *good[2:]),
        (30_600, float("nan"), *good[2:]),
        (86_400, *good[1:]),
        (1, 5.0, 4.0, 5.0, 5.0, 1),
    ):
        with pytest.raises(hx.InputError):
            live.push(*wrong)
    with pytest.raises(OverflowError):
        live.push(30_600, 5000.0, 5000.5, 4999.75, 5000.25, -7)
    assert live.to_bytes() == before
    live.push(*good)
