"""The features of the second that has just ended."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import _native
from ._compute import Profile

Row = npt.NDArray[np.float32]
"""A value for each of `FEATURES`."""


class Stream:
    """The features of a bar from it and the bars before it, with the bits of `features` for that row.

    There is a bar for every second: one without a trade repeats the close before it with volume 0. After the last one of a
    session comes `next_session`. Prices are points.

    >>> import harness_es as hx
    >>> live = hx.Stream(tick=0.25)
    >>> row = live.push(30_600, 5000.0, 5000.5, 4999.75, 5000.25, 7)  # 08:30:00 Central
    >>> dict(zip(hx.FEATURES, row.tolist()))["vwap"]
    5000.25
    """

    __slots__ = ("_native",)

    def __init__(self, profile: Profile = "session", *, tick: float) -> None:
        """Before the first row of a session, or of a month (`profile="rolling"`)."""
        self._native = _native.Stream(profile, tick=tick)

    def push(self, second: int, open: float, high: float, low: float, close: float, volume: int) -> Row:
        """Take the bar of the second after the last one; its features, in the order of `FEATURES`.

        `second` is the Central second of the day. A bar that cannot come next is an `InputError` and changes nothing.

        >>> import harness_es as hx
        >>> hx.Stream(tick=0.25).push(0, 1.0, 1.0, 1.0, 1.1, 1)
        Traceback (most recent call last):
        harness_es._errors.InputError: column close: 1.1 is off the tick grid; expected a multiple of 0.25
        """
        return self._native.push(second, open, high, low, close, volume)

    def peek(self, second: int, open: float, high: float, low: float, close: float, volume: int) -> Row:
        """What `push` would give for a bar that is still forming. Changes nothing.

        >>> import harness_es as hx
        >>> live = hx.Stream(tick=0.25)
        >>> bar = (0, 5000.0, 5000.0, 5000.0, 5000.0, 1)
        >>> live.peek(*bar).tobytes() == live.push(*bar).tobytes()
        True
        """
        return self._native.peek(second, open, high, low, close, volume)

    def next_session(self) -> None:
        """The session is over: any second may come next, and windows begin anew (not in profile `rolling`).

        >>> import harness_es as hx
        >>> live = hx.Stream(tick=0.25)
        >>> _ = live.push(53_999, 5000.0, 5000.0, 5000.0, 5000.0, 1)
        >>> live.next_session()
        >>> _ = live.push(27_000, 5001.0, 5001.0, 5001.0, 5001.0, 1)
        """
        self._native.next_session()

    def to_bytes(self) -> bytes:
        """All it knows, to go on later: at most 29 kB.

        >>> import harness_es as hx
        >>> len(hx.Stream(tick=0.25).to_bytes()) < 29_000
        True
        """
        return self._native.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes, profile: Profile = "session", *, tick: float) -> Stream:
        """A stream that goes on where `to_bytes` wrote one; other bytes, profiles and ticks are an `ArgumentError`.

        >>> import harness_es as hx
        >>> live = hx.Stream.from_bytes(hx.Stream(tick=0.25).to_bytes(), tick=0.25)
        """
        stream = cls.__new__(cls)
        stream._native = _native.Stream.from_bytes(data, profile, tick=tick)
        return stream
