"""Batches for training: windows of features, labels and weights, shuffled, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

from . import _native
from ._archive import Archive, Session
from ._compute import FEATURES
from ._errors import ArgumentError
from ._splits import Selection

if TYPE_CHECKING:
    from concurrent.futures import Future

Floats: TypeAlias = npt.NDArray[np.float32]
Rows: TypeAlias = npt.NDArray[np.int64]
Labels: TypeAlias = npt.NDArray[np.int8]


class Windows(Sequence[Floats]):
    """The windows of a batch, as views of decoded rows: nothing is copied until somebody asks for the array.

    `windows[i]` is a view of shape (window, features). `numpy.asarray(windows)` has shape (batch, window, features), from
    which `torch.from_numpy` and `jax.dlpack` take it without another copy.

    >>> import numpy as np, harness_es as hx
    >>> values = np.arange(12, dtype=np.float32).reshape(6, 2)
    >>> windows = hx.Windows(values, np.array([2, 5]), 3)
    >>> np.shares_memory(windows[1], values), np.asarray(windows).shape
    (True, (2, 3, 2))
    """

    __slots__ = ("rows", "values", "window")

    def __init__(self, values: Floats, rows: Rows, window: int) -> None:
        """Windows of `window` rows of `values` that end at `rows`."""
        self.values = values
        self.rows = rows
        self.window = window

    def __len__(self) -> int:
        """Count the windows."""
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        """View one window, or some of them."""
        if isinstance(index, slice):
            return Windows(self.values, self.rows[index], self.window)
        end = int(self.rows[index]) + 1
        return self.values[end - self.window : end]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Batch, window, features."""
        return len(self.rows), self.window, self.values.shape[1]

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Copy the windows side by side."""
        if copy is False:
            raise ValueError("windows that overlap cannot be one array without a copy: index them instead")
        array = _native.gather(self.values, self.rows, self.window)
        return array if dtype is None else array.astype(dtype, copy=False)


class State(TypedDict):
    """Where an epoch is; it may be written as JSON."""

    plan: str
    """What the order depends on, as a checksum."""
    batch: int
    """How many batches were given."""


@dataclass(frozen=True)
class _Buffer:
    """Sessions that are shuffled together."""

    number: int
    sessions: tuple[Session, ...]
    rows: int
    """Windows in it."""


class Batches:
    """An epoch of batches; see `batches`."""

    def __init__(
        self, archive: Archive, sessions: Sequence[Session], *, features: Sequence[str], label: str, window: int | None,
        batch: int, seed: int, epoch: int, workers: int, buffer_sessions: int, resume: State | None,
    ) -> None:  # fmt: skip
        """Plan the epoch; nothing is read yet."""
        for name, value in (("window", 1 if window is None else window), ("batch", batch), ("workers", workers)):
            if value < 1:
                raise ArgumentError(f"{name} = {value}: expected 1 or more")
        if buffer_sessions < 1 or seed < 0 or epoch < 0:
            raise ArgumentError(
                f"buffer_sessions = {buffer_sessions}, seed = {seed}, epoch = {epoch}: expected 1, 0 and 0 or more"
            )
        self._archive, self._window, self._batch, self._workers = archive, window, batch, workers
        self._seed, self._epoch, self._size = seed, epoch, 1 if window is None else window
        self._decoder = _native.Decoder(list(features), f"label_{label}", f"weight_{label}")
        self._files = {file.month: file for file in archive.files()}
        missing = [session.month for session in sessions if session.month not in self._files]
        if missing:
            raise ArgumentError(f"month {missing[0]} is not published any more: open the archive again")
        self._paths: dict[str, Path] = {}
        order = self._random(0).permutation(len(sessions))
        self._buffers = [
            self._buffer(number, [sessions[at] for at in order[start : start + buffer_sessions]])
            for number, start in enumerate(range(0, len(sessions), buffer_sessions))
        ]
        import hashlib  # here, as below: most who import the package make no batches

        versions = sorted((month, self._files[month].checksum) for month in {session.month for session in sessions})
        plan = (versions, [(s.month, s.number, s.keep) for s in sessions], list(features), label, window, batch, seed,
                epoch, buffer_sessions)  # fmt: skip
        self._plan = hashlib.sha256(repr(plan).encode()).hexdigest()[:16]
        if resume is not None and resume["plan"] != self._plan:
            raise ArgumentError("resume: of other sessions, versions or arguments; expected those it was made with")
        self._given = 0 if resume is None else resume["batch"]
        self._batches = self._from(self._given)

    def _random(self, number: int) -> np.random.Generator:
        """The generator of the order of sessions (0), or of the rows of a buffer (1 and up)."""
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self._seed, self._epoch, number])))

    def _windows(self, session: Session) -> int:
        return max(0, min(session.keep, session.rows) - self._size + 1)

    def _buffer(self, number: int, sessions: list[Session]) -> _Buffer:
        used = tuple(session for session in sessions if self._windows(session))
        return _Buffer(number, used, sum(self._windows(session) for session in used))

    @property
    def rows(self) -> int:
        """Rows of the whole epoch: each is given once."""
        return sum(buffer.rows for buffer in self._buffers)

    def __len__(self) -> int:
        """Count the batches of the whole epoch."""
        return sum(-(-buffer.rows // self._batch) for buffer in self._buffers)

    def state(self) -> State:
        """Where the epoch is: `resume` of another call goes on with the next batch."""
        return {"plan": self._plan, "batch": self._given}

    def __iter__(self) -> Iterator[tuple[Any, Labels, Floats]]:
        """Go on where it is."""
        return self

    def __next__(self) -> tuple[Any, Labels, Floats]:
        """The next batch: features, labels and weights."""
        found = next(self._batches)
        self._given += 1
        return found

    def _load(self, buffer: _Buffer) -> tuple[Floats, Labels, Floats]:
        parts: list[tuple[Path, int, int]] = []
        for session in buffer.sessions:
            if session.month not in self._paths:
                self._paths[session.month] = self._files[session.month].path
            parts.append((self._paths[session.month], session.number, session.rows))
        return self._decoder.load(parts, self._workers)

    def _order(self, buffer: _Buffer) -> Rows:
        """The last rows of the windows, shuffled."""
        rows, first = np.empty(buffer.rows, np.int64), 0
        at = 0
        for session in buffer.sessions:
            count = self._windows(session)
            start = first + self._size - 1
            rows[at : at + count] = np.arange(start, start + count)
            at, first = at + count, first + session.rows
        self._random(1 + buffer.number).shuffle(rows)
        return rows

    def _from(self, skip: int) -> Iterator[tuple[Any, Labels, Floats]]:
        from concurrent.futures import ThreadPoolExecutor

        left: list[tuple[_Buffer, int]] = []
        for buffer in self._buffers:
            batches = -(-buffer.rows // self._batch)
            if skip < batches:
                left.append((buffer, skip))
            skip = max(0, skip - batches)
        with ThreadPoolExecutor(1, "harness_es") as ahead:
            coming: Future[tuple[Floats, Labels, Floats]] | None = None
            for at, (buffer, given) in enumerate(left):
                values, labels, weights = self._load(buffer) if coming is None else coming.result()
                # The next buffer is decoded while this one is used.
                coming = ahead.submit(self._load, left[at + 1][0]) if at + 1 < len(left) else None
                order = self._order(buffer)
                for start in range(given * self._batch, buffer.rows, self._batch):
                    rows = order[start : start + self._batch]
                    x = values[rows] if self._window is None else Windows(values, rows, self._window)
                    yield x, labels[rows], weights[rows]


def batches(
    archive: Archive,
    sessions: str | Selection | None = None,
    *,
    label: str,
    window: int | None = None,
    batch: int = 1024,
    seed: int = 0,
    epoch: int = 0,
    features: Sequence[str] = FEATURES,
    workers: int = 1,
    buffer_sessions: int = 16,
    resume: State | None = None,
) -> Batches:
    """An epoch of batches (x, y, w) in a shuffled order that depends on the arguments alone, not on `workers`.

    Sessions are shuffled first; then, `buffer_sessions` of them at a time, the rows. Each row is given once, with the
    features of the `window` rows that end at it; no window crosses a session's first row. The last batch of a buffer is
    smaller. `x` is `Windows`, or without a window an array of shape (batch, features); `y` is int8, `w` float32.

    Args:
        archive: Where the months are.
        sessions: A side of `splits`, a range such as "2020-01..2024-12", or all.
        label: Name of a mode, such as "low_vol_long".
        window: Rows of a window.
        batch: Rows of a batch.
        seed: Another seed, another order.
        epoch: Another epoch, another order.
        features: Columns of `x`.
        workers: Threads that decode.
        buffer_sessions: Sessions that are shuffled together; about 5 MB each with all features, up to three buffers at once.
        resume: What `Batches.state` gave, to go on there.

    >>> import tempfile, harness_es as hx
    >>> len(hx.batches(hx.Archive(tempfile.mkdtemp()), label="low_vol_long", window=300))
    0
    """
    chosen = sessions.sessions if isinstance(sessions, Selection) else archive.sessions(sessions)
    if isinstance(sessions, Selection) and sessions.archive.store != archive.store:
        raise ArgumentError(f"sessions of {sessions.archive}: expected some of {archive}")
    return Batches(
        archive, chosen, features=features, label=label, window=window, batch=batch, seed=seed, epoch=epoch,
        workers=workers, buffer_sessions=buffer_sessions, resume=resume,
    )  # fmt: skip
