"""Processes that this test has started, and theirs."""

import os
import pathlib
import signal
import time


def _parents():
    """Parent of every process."""
    parents = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return parents


def below(root):
    """A process and all that descend from it."""
    parents, found = _parents(), {root}
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def of_environment(line):
    """Processes with NAME=value in their environment, and those that started them."""
    found, parents = set(), _parents()
    for one in parents:
        try:
            if line.encode() in pathlib.Path(f"/proc/{one}/environ").read_bytes().split(b"\0"):
                found |= {one, parents[one]}
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            pass
    return found - {0, 1, os.getpid()}


def is_program(process, path):
    """Whether it is this program."""
    try:
        return pathlib.Path(f"/proc/{process}/exe").resolve() == pathlib.Path(path).resolve()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def kill(processes):
    """As a loss of power ends them: none has a word in it."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for one in processes:
            try:
                os.kill(one, number)
            except ProcessLookupError:
                pass


def until(seen, seconds, what, every=0.05):
    """Waits for something, looking so often."""
    end = time.monotonic() + seconds
    while not (found := seen()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(every)
    return found
