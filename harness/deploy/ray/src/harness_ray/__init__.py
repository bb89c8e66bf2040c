"""Months of raw futures bars to training data, on a Ray cluster: one task a month, each runs the `harness` binary."""

from harness_ray.command import Command
from harness_ray.outcome import Made, Outcome
from harness_ray.report import Report
from harness_ray.submit import Request, run

__all__ = ["Command", "Made", "Outcome", "Report", "Request", "run"]
