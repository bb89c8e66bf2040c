"""Exit codes and results of harness are understood; a script of a few lines stands for it."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness_ray import Command, Made, Outcome
from harness_ray.outcome import StopAll, TryAgain

RESULT = {"month": "2013-10", "outcome": "published", "version": "00ff", "rows": 7, "score": 0.9, "error": None}


def script(folder: Path, body: str) -> Command:
    """A program that is run in place of harness."""
    path = folder / "harness"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Command(str(path), ["--store", "a store"])


def ends(folder: Path, code: int, result: object = None, log: str = "error: so it is") -> Command:
    """A program that prints a result, logs a line and ends with a code."""
    (folder / "out").write_text("" if result is None else json.dumps(result))
    return script(folder, f"cat '{folder}/out'; echo '{log}' >&2; exit {code}")


def test_the_month_and_the_arguments_are_given(tmp_path: Path) -> None:
    """As `run` wants them, whatever blanks they hold."""
    command = script(tmp_path, f"printf '%s\\n' \"$@\" > '{tmp_path}/given'; echo '[{json.dumps(RESULT)}]'")
    made = command.make("2013-10", "node")
    assert (tmp_path / "given").read_text().splitlines() == [
        "run",
        "--month",
        "2013-10",
        "--json",
        "--store",
        "a store",
    ]
    assert made == Made("2013-10", Outcome.PUBLISHED, "00ff", 7, 0.9, None, "node", made.seconds, made.cpu_seconds)
    assert made.seconds > 0


@pytest.mark.parametrize("outcome", ["failed", "no_input", "withheld"])
def test_a_month_that_cannot_be_made_is_not_tried_again(tmp_path: Path, outcome: str) -> None:
    """Code 1 comes with its result."""
    made = ends(tmp_path, 1, [{**RESULT, "outcome": outcome, "error": "it is damaged"}]).make("2013-10")
    assert (made.outcome.value, made.error) == (outcome, "it is damaged")


@pytest.mark.parametrize("code", [3, 70])
def test_corrupt_input_and_a_fault_of_the_program_fail_the_month_alone(tmp_path: Path, code: int) -> None:
    """They come without a result."""
    made = ends(tmp_path, code).make("2013-10")
    assert (made.outcome, made.error) == (Outcome.FAILED, "error: so it is")


def test_a_store_that_fails_is_tried_again(tmp_path: Path) -> None:
    """Code 4, also with a result."""
    with pytest.raises(TryAgain, match="so it is"):
        ends(tmp_path, 4, [{**RESULT, "outcome": "failed"}]).make("2013-10")


@pytest.mark.parametrize("body", ["kill -KILL $$", "kill -TERM $$", "exit 130", "exit 137"])
def test_what_was_ended_is_tried_again(tmp_path: Path, body: str) -> None:
    """By a signal, or by a program around it that says so."""
    with pytest.raises(TryAgain, match="SIG"):
        script(tmp_path, body).make("2013-10")


@pytest.mark.parametrize("code", [2, 5, 126])
def test_what_every_month_would_fail_for_stops_all(tmp_path: Path, code: int) -> None:
    """A usage error, or a code that harness does not have for this."""
    with pytest.raises(StopAll, match="so it is"):
        ends(tmp_path, code).make("2013-10")


@pytest.mark.parametrize("result", [None, [], [{**RESULT, "month": "2013-11"}], [{**RESULT, "outcome": "new"}], 7])
def test_a_result_that_is_not_understood_stops_all(tmp_path: Path, result: object) -> None:
    """Rather than be taken for a month that was made."""
    with pytest.raises(StopAll, match="another result"):
        ends(tmp_path, 0, result).make("2013-10")


def test_a_binary_that_is_missing_stops_all(tmp_path: Path) -> None:
    """And says what to do."""
    with pytest.raises(StopAll, match="install it on every node"):
        Command(str(tmp_path / "absent")).make("2013-10")


def test_harness_ends_with_its_worker(tmp_path: Path) -> None:
    """A killed worker leaves nobody behind who goes on."""
    command = script(
        tmp_path, f"echo $$ > '{tmp_path}/pid.new'; mv '{tmp_path}/pid.new' '{tmp_path}/pid'; exec sleep 60"
    )
    code = f"from harness_ray import Command; Command({command.binary!r}).make('2013-10')"
    worker = subprocess.Popen([sys.executable, "-c", code])
    until(lambda: (tmp_path / "pid").exists())
    child = int((tmp_path / "pid").read_text())
    worker.kill()
    worker.wait()
    until(lambda: ended(child))


def ended(process: int) -> bool:
    """Whether a process is gone, or waits to be taken note of."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


def until(seen: Callable[[], bool]) -> None:
    """Waits, at most ten seconds."""
    for _ in range(1000):
        if seen():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")
