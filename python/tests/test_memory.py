"""Nothing is copied that need not be; every form of the same bars gives the same columns."""

import threading
import time
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import BARS, same

import harness_es as hx


def in_place(bars: Any) -> dict[str, int]:
    found = hx.addresses(bars)
    assert all(len(chunks) == 1 for chunks in found.values()), found
    return {name: chunks[0] for name, chunks in found.items()}


def address(series: pl.Series) -> int:
    return int(series.to_physical().to_numpy(allow_copy=False).ctypes.data)


def ticks(bars: pl.DataFrame) -> pl.DataFrame:
    prices = [(pl.col(name) / 0.25).cast(pl.Int32) for name in BARS[1:5]]
    return bars.with_columns(*prices, pl.col("volume").cast(pl.UInt32))


@pytest.mark.parametrize("form", ["points", "ticks"])
def test_polars_is_read_where_it_lies(day: pl.DataFrame, form: str) -> None:
    frame = day if form == "points" else ticks(day)
    assert in_place(frame) == {name: address(frame[name]) for name in BARS}


@pytest.mark.parametrize("form", ["points", "ticks"])
def test_pyarrow_is_read_where_it_lies(day: pl.DataFrame, form: str) -> None:
    table = (day if form == "points" else ticks(day)).to_arrow()
    assert in_place(table) == {name: table[name].chunk(0).buffers()[1].address for name in BARS}
    batch = table.to_batches()[0]
    assert in_place(batch) == in_place(table)


def test_pandas_is_read_where_it_lies(day: pl.DataFrame) -> None:
    frame = pd.DataFrame({name: day[name].to_numpy().copy() for name in BARS})
    assert in_place(frame) == {name: frame[name].to_numpy().ctypes.data for name in BARS}
    zoned = frame.assign(timestamp=frame["timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/Chicago"))
    same(hx.features(zoned, tick=0.25), pl.DataFrame(hx.features(day, tick=0.25)))
    indexed = frame.set_index("timestamp")
    same(hx.features(indexed, tick=0.25), pl.DataFrame(hx.features(day, tick=0.25)))


def test_duckdb_is_read_where_it_lies(day: pl.DataFrame) -> None:
    relation = duckdb.from_arrow(day.to_arrow())
    table = relation.to_arrow_table()
    assert hx.addresses(table) == {
        name: [chunk.buffers()[1].address + 8 * chunk.offset for chunk in table[name].chunks] for name in BARS
    }
    # The relation itself is a stream of batches.
    same(hx.labels(relation, tick=0.25), pl.DataFrame(hx.labels(day, tick=0.25)))


def test_numpy_is_read_where_it_lies(day: pl.DataFrame) -> None:
    arrays = {name: day[name].to_numpy() for name in BARS}
    assert in_place(arrays) == {name: array.ctypes.data for name, array in arrays.items()}


def test_what_comes_out_is_not_copied_either(day: pl.DataFrame) -> None:
    found = hx.features(day, tick=0.25)
    frame, table = pl.DataFrame(found), pa.table(found)
    for name in ("vwap", "atr_300s", "is_lunch"):
        view = found[name]
        assert view.ctypes.data == address(frame[name]) == table[name].chunk(0).buffers()[1].address
        assert not view.flags.writeable
        with pytest.raises(ValueError, match=r"WRITEABLE|writeable"):
            view.flags.writeable = True
    view = hx.features(day, tick=0.25)["vwap"]  # outlives its table
    same({"vwap": view}, frame.select("vwap"))
    with pytest.raises(KeyError, match="no column x: expected volume_ratio_30s"):
        found["x"]


def test_every_form_of_prices_gives_the_same_columns(day: pl.DataFrame) -> None:
    expected = pl.DataFrame(hx.labels(day, tick=0.25))
    prices = pl.col(BARS[1:5])
    nanos = (prices * 1_000_000_000).cast(pl.Int64)
    forms = {
        "float32": day.with_columns(prices.cast(pl.Float32)),
        "decimal": day.with_columns(prices.cast(pl.Decimal(18, 2))),
        "decimal of 9": day.with_columns(prices.cast(pl.Decimal(38, 9))),
        "units of 1e-9": day.with_columns(nanos),
        "ticks": ticks(day),
        "volume as float": day.with_columns(pl.col("volume").cast(pl.Float64)),
        "microseconds": day.with_columns(pl.col("timestamp").cast(pl.Datetime("us"))),
        "milliseconds": day.with_columns(pl.col("timestamp").dt.cast_time_unit("ms")),
        "nanoseconds since 1970": day.with_columns(pl.col("timestamp").cast(pl.Int64)),
        "another zone": day.with_columns(pl.col("timestamp").dt.convert_time_zone("Asia/Tokyo")),
        "more columns": day.with_columns(symbol=pl.lit("ESZ3"), when=pl.lit(None)),
        "chunks": pl.concat([day[:1], day[1:700], day[700:2001], day[2001:]], rechunk=False),
        "chunks of ticks": pl.concat([ticks(day)[:999], ticks(day)[999:]], rechunk=False),
        "pyarrow with offsets": pa.concat_tables([day.to_arrow().slice(0, 77), day.to_arrow().slice(77)]),
    }
    for name, form in forms.items():
        try:
            same(hx.labels(form, tick=0.25), expected)
        except Exception as error:
            raise AssertionError(name) from error
    # A view of every second element, a row of a matrix and a slice are copied or read where they lie.
    twice = {name: np.repeat(day[name].to_numpy(), 2)[::2] for name in BARS}
    same(hx.labels(twice, tick=0.25), expected)
    shifted = {name: np.concatenate([day[name].to_numpy()[:1], day[name].to_numpy()])[1:] for name in BARS}
    same(hx.labels(shifted, tick=0.25), expected)
    bytes_apart = {name: misaligned(day[name].to_numpy()) for name in BARS}
    same(hx.labels(bytes_apart, tick=0.25), expected)


def misaligned(array: Any) -> Any:
    room = np.empty(array.nbytes + 1, np.uint8)[1:]
    room[:] = array.view(np.uint8)
    return room.view(array.dtype)


def test_ticks_of_other_instruments() -> None:
    time_of = np.datetime64("2024-10-01T13:30", "s") + np.arange(400)
    for tick, first in ((0.1, 1320.3), (0.015625, 110.0), (0.0000005, 0.0068325), (0.01, -37.63)):
        steps = np.round(first / tick) + np.arange(400) % 7
        denominator = round(1 / tick)
        price = steps / denominator if abs(denominator * tick - 1) < 1e-12 else steps * tick
        frame = {"timestamp": time_of, **dict.fromkeys(BARS[1:5], price), "volume": np.ones(400, np.int64)}
        whole = {**frame, **dict.fromkeys(BARS[1:5], steps.astype(np.int32))}
        same(hx.features(frame, tick=tick), pl.DataFrame(hx.features(whole, tick=tick)))


def test_other_threads_of_python_run_meanwhile(bars: pl.DataFrame) -> None:
    ticked, done = [0], threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticked[0] += 1
            time.sleep(0.001)

    other = threading.Thread(target=tick)
    other.start()
    before = ticked[0]
    started = time.perf_counter()
    while time.perf_counter() - started < 0.5:
        hx.features(bars, tick=0.25, threads=1)
    counted = ticked[0] - before
    done.set()
    other.join()
    assert counted > 20
