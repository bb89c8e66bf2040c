"""Months that the command line makes, in a directory and on the tests' S3 server."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("HARNESS_TARGET", ROOT / "target" / "release"))
BARS = ["timestamp", "open", "high", "low", "close", "volume"]


def harness(*arguments: object, **environment: str) -> None:
    command = [TARGET / "harness", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment})


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    harness("synth", "--months", "2013-10..2013-11", "--out", folder)
    return folder


@pytest.fixture(scope="session")
def october(raw: Path) -> Path:
    return next(raw.glob("*201310*.dbn.zst"))


@pytest.fixture(scope="session")
def month(october: Path, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """A month of profile session."""
    file = tmp_path_factory.mktemp("month") / "month.parquet"
    harness("process", october, file)
    return pl.read_parquet(file)


@pytest.fixture(scope="session")
def bars(month: pl.DataFrame) -> pl.DataFrame:
    return month.select(BARS).rechunk()


@pytest.fixture(scope="session")
def day(bars: pl.DataFrame) -> pl.DataFrame:
    """A few thousand rows of two sessions."""
    return pl.concat([bars[25_000:27_000], bars[27_000:30_000]]).rechunk()


@pytest.fixture(scope="session")
def store(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    harness("run", "--months", "2013-10..2013-11", "--raw", raw, "--store", folder)
    return folder


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket on the tests' own server, which lives as long as its input."""
    server = subprocess.Popen([TARGET / "examples" / "s3_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdin is not None
    found = 0
    while found < 4:
        name, _, value = server.stdout.readline().removeprefix("export ").strip().partition("=")
        monkeypatch.setenv(name, value)
        found += 1
    monkeypatch.setenv("HARNESS_ES_CACHE", str(tmp_path / "cache"))
    yield "s3://bucket"
    server.stdin.close()
    server.wait(10)


def same(found: object, expected: pl.DataFrame) -> None:
    """Equal to the bit, types and names included."""
    table = pl.DataFrame(found)
    assert table.columns == expected.columns
    for name in expected.columns:
        ours, theirs = table[name].to_numpy(), expected[name].to_numpy()
        assert ours.dtype == theirs.dtype, name
        whole = f"u{ours.itemsize}"
        assert np.array_equal(ours.view(whole), theirs.view(whole)), name
