"""Submits the months as Ray tasks; where and when they run, and again after a loss, is Ray's to decide."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import ray
from ray.exceptions import RayError

from harness_ray.command import Command
from harness_ray.outcome import Made, Outcome, StopAll, TryAgain
from harness_ray.progress import Progress
from harness_ray.report import Report

_LOOK = 1.0  # Seconds between two looks at the clock.


@dataclass(frozen=True)
class Request:
    """What the task of each month asks of a node, and how often it may be tried again."""

    cpus: float = 1.0
    memory_gb: float = 1.0
    retries: int = 3

    def arguments(self, given: Sequence[str], last: str) -> list[str]:
        """What harness is told besides: to keep to it, and to weight all months to the last of the range."""
        own = {
            "--jobs": str(math.ceil(self.cpus)),
            "--max-memory-gb": f"{self.memory_gb:g}",
            "--decay-reference": last,
        }
        names = {argument.partition("=")[0] for argument in given}
        return [*given, *(part for name, value in own.items() if name not in names for part in (name, value))]


@ray.remote
def _make(command: Command, month: str) -> Made:
    return command.make(month, ray.get_runtime_context().get_node_id()[:8])


def run(months: Sequence[str], command: Command, request: Request, progress: Progress | None = None) -> Report:
    """Makes the months on the cluster that Ray is connected to.

    A month whose input is bad fails alone. A store that does not answer, a worker or a node that is lost: the month is
    tried again, elsewhere if need be. A usage error stops everything.
    """
    begun = time.monotonic()
    progress = progress or Progress(len(months))
    command = Command(command.binary, request.arguments(command.arguments, max(months)))
    waiting = {
        _make.options(
            name=f"harness {month}",
            num_cpus=request.cpus,
            memory=request.memory_gb * 1e9,
            max_retries=request.retries,
            retry_exceptions=[TryAgain],
        ).remote(command, month): month
        for month in months
    }
    made = {month: Made(month, Outcome.NOT_TRIED, error="the run was stopped before") for month in months}
    stopped = None
    try:
        while waiting and stopped is None:
            ready, _ = ray.wait(list(waiting), timeout=_LOOK)
            for reference in ready:
                month = waiting.pop(reference)
                try:
                    made[month] = ray.get(reference)
                except StopAll as error:
                    stopped = str(error.args[0]) if error.args else str(error)
                    made[month] = Made(month, Outcome.FAILED, error=stopped)
                except (TryAgain, RayError) as error:
                    made[month] = Made(month, Outcome.GIVEN_UP, error=_sentence(error))
                progress.done(made[month])
            progress.look()
    finally:
        for reference in waiting:
            ray.cancel(reference)
        if waiting:
            # Those at work have a moment to remove what is not finished.
            ray.wait(list(waiting), num_returns=len(waiting), timeout=5)
        progress.end()
    return Report([made[month] for month in months], time.monotonic() - begun, stopped)


def _sentence(error: Exception) -> str:
    """The cause, without the way it took through Ray."""
    cause = getattr(error, "cause", None) or error
    return str(cause).strip().partition("\n")[0]
