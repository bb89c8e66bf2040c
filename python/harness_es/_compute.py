"""Labels and features of bars."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from . import _native
from ._bars import Bars, normal
from ._errors import ArgumentError
from ._native import Table

Profile: TypeAlias = Literal["session", "rolling"]
"""What windows do at a session's edge."""

SESSION_GAP = 300
"""More seconds than these from one row to the next, and a session begins."""

FEATURES: tuple[str, ...] = tuple(_native.FEATURES)
"""The names of the feature columns, in their order."""


def labels(
    bars: Bars,
    spec: str | Path | Sequence[str] | Mapping[str, Any] = "all",
    *,
    tick: float,
    profile: Profile = "session",
    gap: float = 20.0,
    session_gap: int = SESSION_GAP,
    decay_reference: str | None = None,
    threads: int | None = None,
) -> Table:
    """What became of a trade that every row signals: the label columns of a training file, to the bit.

    Bars are one row a second with the columns timestamp, open, high, low, close and volume, in order of time. Prices are
    points (float64, float32, decimal), units of 1e-9 points (int64) or ticks (int32); times without a zone are UTC. A row
    that is more than `session_gap` seconds after the one before begins a session, and no label looks over the end of one
    (with `profile="rolling"`: of a Central month). A shorter hole is an error, as is a price off the tick grid. The input
    is read where it lies; nobody may write to it meanwhile.

    Args:
        bars: A data frame, an Arrow table or a mapping of names to NumPy arrays.
        spec: "all" or "default" (the six modes), names of some of them, "atr" (six in multiples of the ATR), a TOML text or
            file with a table [labels], or that table as a mapping.
        tick: Price increment in points.
        profile: "session" restarts with each session, "rolling" runs over all rows of a month.
        gap: Largest change of close in points that is not a gap; only "rolling" knows gaps.
        session_gap: Seconds between two rows above which a session begins.
        decay_reference: Month that weights decay to, "2024-12"; that of the last row where it is not given.
        threads: As many as there are processors where it is not given. The bits are the same for any number.

    Raises:
        InputError: Bars that cannot be computed; `row` and `column` say where.
        ArgumentError: Another argument that is none.

    >>> import numpy as np, harness_es as hx
    >>> close = 5000 + 0.25 * np.arange(100.0)  # up a tick a second
    >>> time = np.datetime64("2024-10-01T13:30", "s") + np.arange(100)
    >>> bars = {"timestamp": time, "open": close, "high": close, "low": close, "close": close, "volume": np.ones(100, int)}
    >>> found = hx.labels(bars, "low_vol_long", tick=0.25)
    >>> found.column_names
    ['label_low_vol_long', 'weight_low_vol_long']
    >>> int(found["label_low_vol_long"].sum())  # the last 13 have no time for 12 ticks
    87
    """
    return _native.labels(
        normal(bars),
        specification(spec),
        tick=tick,
        profile=profile,
        gap=gap,
        session_gap=session_gap,
        decay_reference=decay_reference,
        threads=threads,
    )


def features(
    bars: Bars,
    profile: Profile = "session",
    *,
    tick: float,
    session_gap: int = SESSION_GAP,
    dtype: Literal["float32", "float64"] = "float32",
    threads: int | None = None,
) -> Table:
    """The 43 feature columns of a training file, to the bit. `FEATURES` has their names.

    What bars are is said at `labels`. Windows restart with each session; with `profile="rolling"` they run over all rows of
    a Central month. A row's features look at it and the rows before it alone.

    Args:
        bars: A data frame, an Arrow table or a mapping of names to NumPy arrays.
        profile: "session" or "rolling".
        tick: Price increment in points.
        session_gap: Seconds between two rows above which a session begins.
        dtype: Of the columns that are not flags.
        threads: As many as there are processors where it is not given. The bits are the same for any number.

    Raises:
        InputError: Bars that cannot be computed; `row` and `column` say where.
        ArgumentError: Another argument that is none.

    >>> import numpy as np, harness_es as hx
    >>> close = 5000 + 0.25 * np.arange(100.0)
    >>> time = np.datetime64("2024-10-01T13:30", "s") + np.arange(100)
    >>> bars = {"timestamp": time, "open": close, "high": close, "low": close, "close": close, "volume": np.ones(100, int)}
    >>> float(hx.features(bars, tick=0.25)["atr_30s"][99])  # a tick, but for the first row
    0.25
    """
    return _native.features(normal(bars), tick=tick, profile=profile, session_gap=session_gap, dtype=dtype, threads=threads)


def sessions(bars: Bars, *, tick: float, session_gap: int = SESSION_GAP) -> list[range]:
    """The rows of each session, as `labels` and `features` find them.

    >>> import numpy as np, harness_es as hx
    >>> close, time = np.full(4, 5000.0), np.array([0, 1, 9000, 9001]) * np.timedelta64(1, "s") + np.datetime64("2024-10-01")
    >>> bars = {"timestamp": time, "open": close, "high": close, "low": close, "close": close, "volume": np.ones(4, int)}
    >>> hx.sessions(bars, tick=0.25)
    [range(0, 2), range(2, 4)]
    """
    return [range(first, end) for _, first, end in _native.sessions(normal(bars), tick, session_gap)]


def addresses(bars: Bars) -> dict[str, list[int]]:
    """Where in memory the values of each column are read, chunk by chunk: to see that nothing was copied.

    >>> import numpy as np, harness_es as hx
    >>> close = np.full(4, 5000.0)
    >>> hx.addresses({"close": close}) == {"close": [close.ctypes.data]}
    True
    """
    return dict(_native.addresses(normal(bars)))


def specification(spec: str | Path | Sequence[str] | Mapping[str, Any]) -> str:
    """The specification as JSON, with everything in it that was left out."""
    if isinstance(spec, Mapping):
        return _whole(spec)
    if isinstance(spec, Path):
        return _of_text(_read(spec))
    if isinstance(spec, str):
        preset = _native.preset("default" if spec == "all" else spec)
        if preset is not None:
            return preset
        if "[" in spec:
            return _of_text(spec)
        if spec.endswith(".toml"):
            return _of_text(_read(Path(spec)))
        spec = [spec]
    default = _preset("default")
    modes = {mode["name"]: mode for mode in [*default["mode"], *_preset("atr")["mode"]]}
    unknown = [name for name in spec if name not in modes]
    if unknown or not spec:
        raise ArgumentError(
            f"labels = {', '.join(unknown) or 'none'}: expected all, default, atr, a TOML text or file with a table [labels],"
            f" or names of {', '.join(modes)}"
        )
    return json.dumps({**default, "mode": [modes[name] for name in spec]})


def _preset(name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(_native.preset(name) or "{}"))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ArgumentError(f"labels = {path}: {error}; expected a file with a table [labels]") from error


def _of_text(text: str) -> str:
    import tomllib

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ArgumentError(f"labels: {error}; expected TOML with a table [labels]") from error
    if not isinstance(table.get("labels"), dict):
        raise ArgumentError("labels: no table [labels]; expected one, with tables [[labels.mode]]")
    return _whole(table["labels"])


def _tables(modes: Any) -> list[Mapping[str, Any]]:
    if not isinstance(modes, list):
        raise ArgumentError("labels: mode is no list; expected tables [[labels.mode]]")
    listed: list[Any] = [*modes]
    if not all(isinstance(mode, Mapping) for mode in listed):
        raise ArgumentError("labels: a mode is no table; expected name, side, stop and target")
    return listed


def _whole(table: Mapping[str, Any]) -> str:
    default = _preset("default")
    listed = _tables(table.get("mode", []))
    written = {**default, **table, "mode": [{"trailing": False, **mode} for mode in listed]}
    try:
        return json.dumps(written)
    except TypeError as error:
        raise ArgumentError(f"labels: {error}; expected numbers and texts") from error
