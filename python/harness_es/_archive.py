"""Published months: in a directory or a bucket, only what is committed."""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import numpy as np

from . import _native
from ._errors import ArchiveError, ArgumentError

if TYPE_CHECKING:
    import duckdb
    import polars as pl


@dataclass(frozen=True)
class File:
    """The training file of a month, as it was committed."""

    month: str
    """Such as "2024-09"."""
    key: str
    """Where it lies in the store."""
    rows: int
    bytes: int
    checksum: str
    """XXH3-64, which is also the version of the month."""
    settings: dict[str, Any]
    """The settings that decide what is in it."""
    archive: Archive

    @property
    def path(self) -> Path:
        """The file here: where it lies in a directory, or in the cache, into which it is brought once and checked."""
        return self.archive.fetch(self)


@dataclass(frozen=True)
class Session:
    """Rows of a month that follow second by second: a trading date, or a part of one where the session pauses."""

    month: str
    number: int
    """Which row group of the month's file it is."""
    date: str
    """Trading date."""
    rows: int
    first: np.datetime64
    """UTC second of the first row."""
    keep: int
    """Of how many rows, from the first on, the labels may be used: fewer than `rows` where the rest look into a test."""


class Archive:
    """A store of published months.

    What it gives is committed: a month that is being published is not there, or there as it was before. A version that is
    replaced stays readable for 7 days, so a scan that was made before goes on reading it.

    A bucket is reached by the same AWS variables and files as the command line. Files of a bucket are brought into `cache`
    once and compared with their checksums; `$HARNESS_ES_CACHE`, else `~/.cache/harness-es`, where it is not given.

    >>> import tempfile, harness_es as hx
    >>> hx.Archive(tempfile.mkdtemp()).months
    []
    """

    def __init__(
        self, store: str | os.PathLike[str], *, cache: str | os.PathLike[str] | None = None, timeout: float = 60.0,
        retries: int = 5,
    ) -> None:  # fmt: skip
        """Open a directory that is there, or `s3://bucket/prefix`."""
        self.store = os.fspath(store)
        self._native = _native.Archive(self.store, timeout, retries)
        default = os.environ.get("HARNESS_ES_CACHE") or Path.home() / ".cache" / "harness-es"
        self._cache = Path(default if cache is None else cache)

    def __repr__(self) -> str:
        """Say which store it is of."""
        return f"Archive({self.store!r})"

    @property
    def months(self) -> list[str]:
        """The committed months, in order."""
        return self._native.months(None)

    def statistics(self, month: str) -> dict[str, Any]:
        """The statistics of a month, as `docs/statistics.schema.json` has them.

        >>> import tempfile, harness_es as hx
        >>> hx.Archive(tempfile.mkdtemp()).statistics("2024-09")
        Traceback (most recent call last):
        harness_es._errors.ArchiveError: month 2024-09 is not published
        """
        text = self._native.statistics(month)
        if text is None:
            raise ArchiveError(f"month {month} is not published")
        return cast("dict[str, Any]", json.loads(text))

    def files(self, months: str | None = None) -> list[File]:
        """The training files of a range, "2020-01..2024-12", a month or all, in order.

        >>> import tempfile, harness_es as hx
        >>> hx.Archive(tempfile.mkdtemp()).files("2020-01..2024-12")
        []
        """
        return [
            File(month, key, rows, size, checksum, json.loads(settings), self)
            for month, key, size, checksum, rows, settings in self._native.published(months)
        ]

    def fetch(self, file: File) -> Path:
        """A file here; see `File.path`."""
        return Path(self._native.fetch(file.key, file.bytes, file.checksum, self._cache))

    def sessions(self, months: str | None = None) -> list[Session]:
        """The sessions of a range, in order.

        >>> import tempfile, harness_es as hx
        >>> hx.Archive(tempfile.mkdtemp()).sessions()
        []
        """
        return [session for file in self.files(months) for session in self._sessions(file)]

    def _sessions(self, file: File) -> list[Session]:
        listed = self.statistics(file.month)["sessions"]
        second = np.timedelta64(1, "s")
        spans = [(at["date"], _second(at["open"]), _second(at["close"]), int(at["rows"])) for at in listed]
        if all((last - first) // second + 1 == rows for _, first, last, rows in spans):
            whole = sum(rows for _, _, _, rows in spans)
            if whole == file.rows:
                return [
                    Session(file.month, number, date, rows, first, rows) for number, (date, first, _, rows) in enumerate(spans)
                ]
        # A session that pauses has several row groups, which only the file tells; so has a month replaced meanwhile.
        groups = _native.row_groups(file.path)
        dates = [(date, first, last) for date, first, last, _ in spans]
        found: list[Session] = []
        for number, (rows, first_ns, _) in enumerate(groups):
            first = np.datetime64(first_ns // 1_000_000_000, "s")
            date = next((date for date, start, end in dates if start <= first <= end), str(first.astype("M8[D]")))
            found.append(Session(file.month, number, date, rows, first, rows))
        return found

    @overload
    def scan(self, months: str | None = None, engine: Literal["polars"] = "polars") -> pl.LazyFrame: ...
    @overload
    def scan(self, months: str | None = None, *, engine: Literal["pyarrow"]) -> Any: ...
    @overload
    def scan(self, months: str | None = None, *, engine: Literal["duckdb"]) -> duckdb.DuckDBPyRelation: ...
    def scan(self, months: str | None = None, engine: Literal["polars", "pyarrow", "duckdb"] = "polars") -> Any:
        """The rows of a range as a Polars LazyFrame, a pyarrow Dataset or a DuckDB relation.

        It reads the versions that are committed now, whatever is published while it is used.

        >>> import tempfile, harness_es as hx
        >>> hx.Archive(tempfile.mkdtemp()).scan("2024-09")
        Traceback (most recent call last):
        harness_es._errors.ArchiveError: no month of 2024-09 is published
        """
        if engine not in ("polars", "pyarrow", "duckdb"):
            raise ArgumentError(f"engine = {engine}: expected polars, pyarrow or duckdb")
        paths = [str(file.path) for file in self.files(months)]
        if not paths:
            raise ArchiveError(f"no month of {months or 'the archive'} is published")
        if engine == "polars":
            import polars

            return polars.scan_parquet(paths)
        if engine == "pyarrow":
            dataset: Any = importlib.import_module("pyarrow.dataset")  # which has no types
            return dataset.dataset(paths, format="parquet")
        import duckdb

        return duckdb.read_parquet(paths)


def _second(text: str) -> np.datetime64:
    return np.datetime64(text.removesuffix("Z"), "s")
