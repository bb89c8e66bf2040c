"""What became of a month."""

from dataclasses import dataclass
from enum import Enum


class Outcome(str, Enum):
    """As `harness run --json` says it, and what only a cluster can say."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    BY_ANOTHER = "by_another"
    PINNED = "pinned"
    PLANNED = "planned"
    WITHHELD = "withheld"
    NO_INPUT = "no_input"
    FAILED = "failed"
    # Of the cluster: as often as was allowed, the store did not answer or the worker was lost.
    GIVEN_UP = "given_up"
    # Another month's usage error ended the run first.
    NOT_TRIED = "not_tried"


@dataclass(frozen=True)
class Made:
    """A month, as the task that was done with it tells."""

    month: str
    outcome: Outcome
    version: str | None = None
    rows: int | None = None
    score: float | None = None
    error: str | None = None
    node: str | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0


class TryAgain(Exception):
    """The store or the network failed, or something ended the program: another attempt may succeed."""


class StopAll(Exception):
    """A mistake in the command or the settings: every month would fail for it."""
