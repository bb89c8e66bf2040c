"""Rows of sessions as the kernels take them, and the settings they are computed with."""

import json
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo
import datetime

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from columns import COLUMNS


@dataclass
class Settings:
    """ES, or what a Parquet's metadata says."""

    root: str = "ES"
    tick_nanos: int = 250_000_000
    session_start: int = 27_000
    session_end: int = 54_000
    time_zone: str = "America/Chicago"
    reference: str | None = None

    @property
    def tick(self):
        return self.tick_nanos / 1e9

    def months_before_reference(self, second):
        local = datetime.datetime.fromtimestamp(int(second), ZoneInfo(self.time_zone))
        year, month = map(int, self.reference.split("-")) if self.reference else (local.year, local.month)
        return (year - local.year) * 12 + month - local.month

    def second_of_day(self, second):
        local = datetime.datetime.fromtimestamp(int(second), ZoneInfo(self.time_zone))
        return local.hour * 3600 + local.minute * 60 + local.second


@dataclass
class Bars:
    """One row a second; session s is the rows starts[s] to starts[s + 1]. Prices in ticks, time in UTC seconds."""

    settings: Settings
    time: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    starts: np.ndarray

    @property
    def rows(self):
        return len(self.time)

    @cached_property
    def lengths(self):
        return np.diff(self.starts)

    @cached_property
    def end(self):
        """First row after each row's session."""
        return np.repeat(self.starts[1:], self.lengths)

    @cached_property
    def decay(self):
        """What the weights of each row decay to."""
        months = [self.settings.months_before_reference(self.time[start]) for start in self.starts[:-1]]
        return np.repeat(np.exp(-0.05 * np.array(months)), self.lengths)

    @cached_property
    def frame(self):
        """The columns the feature expressions read."""
        row = np.arange(self.rows) - np.repeat(self.starts[:-1], self.lengths)
        first = [self.settings.second_of_day(self.time[start]) for start in self.starts[:-1]]
        session = pl.Series(np.repeat(np.arange(len(self.lengths), dtype=np.int32), self.lengths)).set_sorted()
        prices = {name: getattr(self, name).astype(np.int64) for name in ("open", "high", "low", "close")}
        second = (row + np.repeat(first, self.lengths)).astype(np.int32)
        return pl.DataFrame({**prices, "volume": self.volume, "session": session, "row": row, "second": second})


def read(path):
    """Bars of a Parquet made by `harness process` or `harness run`."""
    metadata = {key.decode(): value.decode() for key, value in (pq.read_metadata(path).metadata or {}).items()}
    if metadata.get("harness.profile") != "session" or metadata.get("harness.features_dtype") != "float32":
        raise SystemExit(f"{path}: not a training file of profile session with float32 features")
    instrument = json.loads(metadata["harness.instrument"])
    settings = Settings(
        root=instrument["root"],
        tick_nanos=instrument["tick_nanos"],
        session_start=instrument["session_start"],
        session_end=instrument["session_end"],
        time_zone=instrument["time_zone"],
        reference=metadata["harness.decay_reference"],
    )
    table = pl.read_parquet(path, columns=COLUMNS[:6])
    time = table["timestamp"].dt.epoch("s").to_numpy()
    # Every second of a session has a row: a session begins where one is missing before.
    starts = np.concatenate(([0], np.flatnonzero(np.diff(time) != 1) + 1, [len(time)]))
    ticks = [(table[name] / settings.tick).round().cast(pl.Int32).to_numpy() for name in COLUMNS[1:5]]
    return Bars(settings, time, *ticks, table["volume"].to_numpy(), starts)
