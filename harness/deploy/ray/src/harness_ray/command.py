"""Runs `harness` for one month and understands how it ended."""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness_ray.outcome import Made, Outcome, StopAll, TryAgain

_PARTLY, _USAGE, _INPUT, _STORE, _PROGRAM = 1, 2, 3, 4, 70
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Command:
    """The binary, and what every month's run is given besides its month."""

    binary: str = "harness"
    arguments: Sequence[str] = ()

    def of(self, month: str) -> list[str]:
        """The command of one month."""
        return [self.binary, "run", "--month", month, "--json", *self.arguments]

    def make(self, month: str, node: str | None = None) -> Made:
        """Makes a month here.

        Raises `TryAgain` when another attempt may succeed, `StopAll` when none can.
        """
        begun, before = time.monotonic(), _cpu_seconds()
        try:
            # What it logs belongs into the worker's log; the last lines also into the error.
            child = subprocess.Popen(
                self.of(month),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                preexec_fn=_end_with_the_worker,
            )
        except OSError as error:
            raise StopAll(f"{self.binary}: {error.strerror}: install it on every node, or give --binary") from error
        try:
            out, log = child.communicate()
        except BaseException:
            child.terminate()  # The task is cancelled: harness removes what is not finished.
            child.wait()
            raise
        sys.stderr.write(log)
        made = _understood(month, child.returncode, out, log)
        return Made(
            **{**vars(made), "node": node, "seconds": time.monotonic() - begun, "cpu_seconds": _cpu_seconds() - before}
        )


def _end_with_the_worker() -> None:
    # A worker that is killed must not leave harness behind, beyond what Ray counts as taken.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _understood(month: str, code: int, out: str, log: str) -> Made:
    """What became of the month, by exit code and result."""
    last = log.strip().rpartition("\n")[2] or f"harness said nothing and ended with {code}"
    if code == _USAGE:
        raise StopAll(last)
    if code < 0 or code >= 128:
        number = -code if code < 0 else code - 128
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        raise TryAgain(f"{month}: harness was ended by {name} on {os.uname().nodename}")
    if code == _STORE:
        raise TryAgain(last)
    if code not in (0, _PARTLY, _INPUT, _PROGRAM):
        raise StopAll(f"{month}: harness ended with {code}, which it does not by itself: {last}")
    try:
        results = json.loads(out)
        if len(results) != 1 or results[0]["month"] != month:
            raise ValueError(f"{len(results)} results, expected that of {month}")
        result: dict[str, Any] = results[0]
        outcome = Outcome(result["outcome"])
        values = {name: result[name] for name in ("version", "rows", "score", "error")}
    except (ValueError, KeyError, TypeError) as error:
        if code != 0:
            return Made(month, Outcome.FAILED, error=last)
        raise StopAll(f"{month}: harness printed another result than this package knows: {error}") from error
    return Made(month, outcome, **values)
