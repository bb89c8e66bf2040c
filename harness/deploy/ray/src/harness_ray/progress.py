"""What is said while months are made."""

import sys
import time
from typing import TextIO

from harness_ray.outcome import Made


class Progress:
    """One line that is written over on a terminal, a line a month elsewhere."""

    def __init__(self, of: int, to: TextIO = sys.stderr) -> None:
        """Over so many months."""
        self._of, self._to, self._begun = of, to, time.monotonic()
        self._done = 0
        self._terminal = to.isatty()

    def done(self, made: Made) -> None:
        """A month is done, one way or the other."""
        self._done += 1
        what = f"{made.month} {made.outcome.value}"
        if made.node:
            what += f" on {made.node}, {made.seconds:.1f} s"
        if made.error:
            what += f": {made.error}"
        if not self._terminal or made.error:
            self._line(f"{what}; {self._state()}")
        self.look()

    def look(self) -> None:
        """Time goes by."""
        if self._terminal:
            self._to.write(f"\r\x1b[K{self._state()}")
            self._to.flush()

    def end(self) -> None:
        """Removes the line."""
        if self._terminal:
            self._to.write("\r\x1b[K")
            self._to.flush()

    def _line(self, text: str) -> None:
        self.end()
        self._to.write(text + "\n")
        self._to.flush()

    def _state(self) -> str:
        elapsed = time.monotonic() - self._begun
        left = f"{elapsed / self._done * (self._of - self._done):.0f} s left" if self._done else "time left unknown"
        return f"{self._done} of {self._of}, {elapsed:.0f} s elapsed, {left}"
