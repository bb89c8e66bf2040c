"""Labels and features equal what the command line publishes, to the bit."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import BARS, harness, same

import harness_es as hx

LABELS = """
[labels]
horizon = 1800
entry = "close"
tie = "target"
outputs = ["label", "weight", "exit", "seconds", "mae", "mfe", "move", "uniqueness"]
[[labels.mode]]
name = "near_long"
side = "long"
stop = 6
target = 12
[[labels.mode]]
name = "swing_short"
side = "short"
stop = { atr = 1.5 }
target = { atr = 3.0 }
trailing = true
"""


def columns(month: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    outcomes = [name for name in month.columns if name not in BARS and name not in hx.FEATURES]
    return month.select(outcomes), month.select(hx.FEATURES)


@pytest.mark.parametrize("threads", [1, 2, 7, None])
def test_a_month_is_the_published_one_for_any_number_of_threads(month: pl.DataFrame, bars: pl.DataFrame, threads: int) -> None:
    labels, features = columns(month)
    same(hx.labels(bars, tick=0.25, threads=threads), labels)
    same(hx.features(bars, tick=0.25, threads=threads), features)


def test_a_month_of_profile_rolling_is_the_published_one(october: Path, tmp_path: Path) -> None:
    harness("process", october, tmp_path / "m.parquet", "--profile", "rolling", "--features-dtype", "float64")
    month = pl.read_parquet(tmp_path / "m.parquet")
    labels, features = columns(month)
    bars = month.select(BARS)
    same(hx.labels(bars, tick=0.25, profile="rolling"), labels)
    same(hx.features(bars, "rolling", tick=0.25, dtype="float64"), features)


@pytest.mark.parametrize("profile", ["session", "rolling"])
def test_labels_of_ones_own_are_the_published_ones(october: Path, tmp_path: Path, profile: hx.Profile) -> None:
    file = tmp_path / "own.toml"
    file.write_text(LABELS)
    harness("process", october, tmp_path / "m.parquet", "--labels", file, "--profile", profile)
    month = pl.read_parquet(tmp_path / "m.parquet")
    labels, _ = columns(month)
    assert labels.width == 16
    for spec in (LABELS, file, str(file)):
        same(hx.labels(month.select(BARS), spec, tick=0.25, profile=profile), labels)


def test_the_atr_preset_is_the_published_one(october: Path, tmp_path: Path) -> None:
    harness("process", october, tmp_path / "m.parquet", "--labels", "atr", "--decay-reference", "2014-02")
    month = pl.read_parquet(tmp_path / "m.parquet")
    labels, _ = columns(month)
    same(hx.labels(month.select(BARS), "atr", tick=0.25, decay_reference="2014-02"), labels)


def test_some_modes_are_those_of_all(month: pl.DataFrame, bars: pl.DataFrame) -> None:
    names = ["high_vol_short", "low_vol_long"]
    wanted = [f"{output}_{name}" for name in names for output in ("label", "weight")]
    same(hx.labels(bars, names, tick=0.25), month.select(wanted))


def test_months_decay_to_the_last_and_two_of_them_are_as_published(store: Path) -> None:
    both = hx.Archive(store).scan().collect()
    labels, features = columns(both)
    same(hx.labels(both.select(BARS), tick=0.25), labels)
    same(hx.features(both.select(BARS), tick=0.25), features)


def test_a_stream_gives_the_rows_of_the_batch(month: pl.DataFrame, bars: pl.DataFrame) -> None:
    live = hx.Stream(tick=0.25)
    # 07:30:00 Central is the second 27,000 of the day.
    for row, (_, *prices, volume) in enumerate(bars[:1200].iter_rows()):
        bar = (27_000 + row, *prices, volume)
        forming = live.peek(*bar)
        if row == 600:
            live = hx.Stream.from_bytes(live.to_bytes(), tick=0.25)
        found = live.push(*bar)
        expected = month.select(pl.col(hx.FEATURES).cast(pl.Float32)).row(row)
        np.testing.assert_array_equal(found, np.array(expected, np.float32))
        np.testing.assert_array_equal(found, forming)
    damaged = bytearray(live.to_bytes())
    damaged[-20] ^= 1
    with pytest.raises(hx.ArgumentError, match="changed"):
        hx.Stream.from_bytes(bytes(damaged), tick=0.25)
    with pytest.raises(hx.InputError, match="second 5 of the day after"):
        live.push(5, *bars.row(0)[1:])


def test_no_rows_are_no_rows(bars: pl.DataFrame) -> None:
    assert len(hx.labels(bars[:0], tick=0.25)) == 0
    assert pl.DataFrame(hx.features(bars[:0], tick=0.25)).shape == (0, 43)
