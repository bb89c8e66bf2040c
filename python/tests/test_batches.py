"""Splits that never look into their test; batches in one order, without a copy, that can be taken up again."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness_es as hx
from harness_es._splits import purged


def sessions_of(rows: Iterable[int]) -> list[hx.Session]:
    midnight = np.datetime64("2013-10-01", "s")
    return [
        hx.Session("2013-10", at, str(midnight + at * 86_400)[:10], count, midnight + at * 86_400, count)
        for at, count in enumerate(rows)
    ]


@settings(max_examples=500, deadline=None)
@given(
    rows=st.lists(st.integers(1, 2000), min_size=2, max_size=40),
    cut=st.tuples(st.integers(0, 100), st.integers(0, 100)),
    embargo=st.integers(0, 3),
    horizon=st.integers(0, 3600),
    window=st.integers(1, 400),
)
def test_no_row_is_trained_on_whose_label_looks_into_the_test(
    rows: list[int], cut: tuple[int, int], embargo: int, horizon: int, window: int
) -> None:
    sessions = sessions_of(rows)
    first, end = sorted(at % (len(rows) + 1) for at in cut)
    starts = np.concatenate([[0], np.cumsum(rows)])
    train = purged(sessions, first, end, embargo, horizon)
    assert [session.number for session in train] == sorted({session.number for session in train})
    tested = range(starts[first], starts[end])
    for session in train:
        assert not first <= session.number < end + embargo
        # The rows of the month as one series: row r is decided on rows r + 1 to r + horizon, or in its session (horizon 0).
        last = starts[session.number] + session.keep - 1
        reach = last + horizon if horizon else starts[session.number + 1] - 1
        if session.number < first:
            assert reach < tested.start
            # And no row more is given up than has to be.
            assert session.keep == session.rows or last + 1 + horizon >= tested.start
        windows = max(0, session.keep - window + 1)
        assert windows <= session.keep <= session.rows


def test_folds_cover_all_sessions_once_and_purge(store: Path) -> None:
    archive = hx.Archive(store)
    every = [(session.month, session.number) for session in archive.sessions()]
    tested: list[tuple[str, int]] = []
    for train, test in hx.splits(archive, folds=5, embargo_sessions=2):
        both = [(session.month, session.number) for session in (*train.sessions, *test.sessions)]
        assert len(set(both)) == len(both)
        last = every.index(both[-1])
        embargoed = every[last + 1 : last + 3]
        assert sorted(both + embargoed) == sorted(every)
        tested += both[len(train) :]
    assert tested == every
    with pytest.raises(hx.ArgumentError, match="folds = 1"):
        next(hx.splits(archive, folds=1))


def test_a_rolling_archive_gives_up_the_rows_that_look_ahead(raw: Path, tmp_path: Path) -> None:
    from conftest import harness

    harness("run", "--months", "2013-11", "--raw", raw, "--store", tmp_path, "--profile", "rolling")
    archive = hx.Archive(tmp_path)
    folds = list(hx.splits(archive, folds=3))
    train, test = folds[1]
    last = next(s for s in train.sessions if s.number == test.sessions[0].number - 1)
    assert last.keep == last.rows - 900
    epoch = hx.batches(archive, train, label="low_vol_long", batch=4096)
    assert sum(len(y) for _, y, _ in epoch) == train.rows == epoch.rows
    # Whatever is done to the prices of the test, no label that is trained on changes.
    month = archive.scan().collect()
    bars = month.select("timestamp", "open", "high", "low", "close", "volume")
    starts = np.concatenate([[0], np.cumsum([s.rows for s in archive.sessions()])])
    first, end = starts[test.sessions[0].number], starts[test.sessions[-1].number + 1]
    shifted = pl.int_range(pl.len()).is_between(int(first), int(end) - 1)
    other = bars.with_columns(pl.when(shifted).then(pl.col(n) + 15.0).otherwise(pl.col(n)).alias(n) for n in bars.columns[1:5])
    found = pl.DataFrame(hx.labels(other, tick=0.25, profile="rolling"))
    changed = (found["label_low_vol_long"] != month["label_low_vol_long"]).to_numpy()
    assert changed.any()
    for session in train.sessions:
        start = starts[session.number]
        assert not changed[start : start + session.keep].any()


def digest(epoch: hx.Batches) -> list[tuple[int, float, int, float]]:
    found = []
    for x, y, w in epoch:
        values: Any = np.asarray(x[:2])
        found.append((len(y), float(np.nansum(values, dtype=np.float64)), int(y.sum()), float(w.sum(dtype=np.float64))))
    return found


def test_the_order_is_that_of_the_seed_for_any_number_of_workers(store: Path) -> None:
    archive = hx.Archive(store)

    def order(**other: Any) -> list[tuple[int, float, int, float]]:
        arguments: dict[str, Any] = {"label": "low_vol_long", "window": 300, "seed": 7, "buffer_sessions": 4, "workers": 1}
        return digest(hx.batches(archive, "2013-11", **{**arguments, **other}))

    first = order()
    assert first == order(workers=2) == order(workers=8)
    assert first != order(seed=8)
    assert first != order(epoch=1)


def test_every_row_comes_once_with_its_features_label_and_weight(store: Path) -> None:
    archive = hx.Archive(store)
    month = archive.scan("2013-11").collect()
    features = month.select(pl.col(hx.FEATURES).cast(pl.Float32)).to_numpy()
    labels, weights = month["label_high_vol_short"].to_numpy(), month["weight_high_vol_short"].to_numpy()
    sessions = archive.sessions("2013-11")
    starts = np.concatenate([[0], np.cumsum([s.rows for s in sessions])])
    # A row is known by its vwap, distance from the high and volume ratio; taken together with its neighbours.
    epoch = hx.batches(archive, "2013-11", label="high_vol_short", window=5, batch=1000, buffer_sessions=3)
    assert len(epoch) == sum(
        1 for _ in hx.batches(archive, "2013-11", label="high_vol_short", window=5, batch=1000, buffer_sessions=3)
    )
    rows, wins, weight = 0, 0, 0.0
    known = {
        features[at - 4 : at + 1].tobytes(): at for s in range(len(sessions)) for at in range(starts[s] + 4, starts[s + 1])
    }
    for x, y, w in epoch:
        assert isinstance(x, hx.Windows)
        assert x.shape == (len(y), 5, 43)
        for at in (0, len(y) - 1):
            row = known[x[at].tobytes()]
            assert (labels[row], weights[row]) == (y[at], w[at])
            assert np.shares_memory(x[at], x.values)
        np.testing.assert_array_equal(np.asarray(x)[-1], x[len(y) - 1])
        rows, wins, weight = rows + len(y), wins + int(y.sum()), weight + float(w.sum(dtype=np.float64))
    firsts = np.concatenate([np.arange(start, start + 4) for start in starts[:-1]])
    assert rows == epoch.rows == len(labels) - len(firsts)
    assert wins == labels.sum() - labels[firsts].sum()
    assert weight == pytest.approx(weights.sum(dtype=np.float64) - weights[firsts].sum(dtype=np.float64))


@pytest.mark.parametrize("given", [0, 1, 100, 213, 400])
def test_an_epoch_goes_on_in_the_middle(store: Path, given: int) -> None:
    archive = hx.Archive(store)
    arguments: dict[str, Any] = {"label": "low_vol_short", "window": 30, "seed": 3, "buffer_sessions": 5}
    whole = hx.batches(archive, "2013-11", **arguments)
    for _ in range(given):
        next(whole)
    state = json.loads(json.dumps(whole.state()))
    rest = hx.batches(archive, "2013-11", workers=2, resume=state, **arguments)
    for _, ((x, y, w), (a, b, c)) in zip(range(20), both(whole, rest), strict=False):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(a))
        np.testing.assert_array_equal(y, b)
        np.testing.assert_array_equal(w, c)
    with pytest.raises(hx.ArgumentError, match="resume"):
        hx.batches(archive, "2013-11", resume=state, **{**arguments, "seed": 4})


def both(one: hx.Batches, other: hx.Batches) -> Iterable[tuple[Any, Any]]:
    return zip(one, other, strict=True)


def test_without_a_window_rows_are_an_array(store: Path) -> None:
    x, y, w = next(hx.batches(hx.Archive(store), label="low_vol_long", features=["vwap", "is_lunch"], batch=64))
    assert (x.shape, x.dtype, y.dtype, w.dtype) == ((64, 2), np.float32, np.int8, np.float32)
    assert set(np.unique(x[:, 1])) <= {0.0, 1.0}


def test_what_is_not_there_is_refused(store: Path) -> None:
    archive = hx.Archive(store)
    with pytest.raises(hx.ArchiveError, match="no column label_none: expected one of label_low_vol_long"):
        next(hx.batches(archive, label="none"))
    with pytest.raises(hx.ArchiveError, match="no column x"):
        next(hx.batches(archive, label="low_vol_long", features=["x"]))
    for wrong in ({"window": 0}, {"batch": 0}, {"workers": 0}, {"buffer_sessions": 0}, {"seed": -1}):
        with pytest.raises(hx.ArgumentError, match="expected"):
            hx.batches(archive, label="low_vol_long", **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(hx.Windows(np.zeros((9, 2), np.float32), np.array([5]), 3), copy=False)
    with pytest.raises(hx.ArgumentError, match="outside"):
        np.asarray(hx.Windows(np.zeros((9, 2), np.float32), np.array([1]), 3))


def test_a_long_epoch_holds_a_few_buffers_and_no_more(store: Path) -> None:
    """184 months are two months, linked again and again; a process of its own says what it held at most."""
    program = r"""
import pathlib, re, sys
import harness_es as hx
archive = hx.Archive(sys.argv[1])
sessions = tuple(archive.sessions()) * int(sys.argv[2])
rows = 0
for x, y, w in hx.batches(archive, hx.Selection(archive, sessions), label="low_vol_long", window=300):
    rows += len(y)
held = re.search(r"VmHWM:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())
print(rows, int(held[1]) // 1024)
"""
    once, thrice = (
        [int(n) for n in subprocess.check_output([sys.executable, "-c", program, store, times], text=True).split()]
        for times in ("1", "3")
    )
    assert thrice[0] == 3 * once[0]
    assert thrice[1] < 1024
    assert thrice[1] < once[1] + 100
