"""What a run on the cluster came to."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from harness_ray.outcome import Made, Outcome

_GOOD = {Outcome.PUBLISHED, Outcome.UNCHANGED, Outcome.BY_ANOTHER, Outcome.PINNED, Outcome.PLANNED}


@dataclass(frozen=True)
class Report:
    """The months in order, how long it took, and what stopped it."""

    months: Sequence[Made]
    seconds: float
    stopped: str | None = None

    @property
    def exit_code(self) -> int:
        """As harness has it: 0 done, 1 months failed, 2 usage, 4 store, network or cluster."""
        outcomes = {made.outcome for made in self.months}
        if self.stopped is not None:
            return 2
        if Outcome.GIVEN_UP in outcomes:
            return 4
        return 0 if outcomes <= _GOOD else 1

    def json(self) -> str:
        """For programs."""
        return json.dumps(
            {"seconds": self.seconds, "stopped": self.stopped, "months": [asdict(made) for made in self.months]},
            indent=2,
        )

    def text(self) -> str:
        """For people: what needs a look, then how the work was spread."""
        lines = [
            f"{made.month}  {made.outcome.value}: {made.error or 'no reason was given'}"
            for made in self.months
            if made.outcome not in _GOOD
        ]
        nodes = Counter(made.node for made in self.months if made.node)
        lines += [f"{node}  {count} months" for node, count in sorted(nodes.items())]
        outcomes = Counter(made.outcome for made in self.months)
        parts = ", ".join(f"{outcomes[outcome]} {outcome.value}" for outcome in Outcome if outcomes[outcome])
        busy = sum(made.seconds for made in self.months)
        cpu = sum(made.cpu_seconds for made in self.months)
        lines.append(f"{len(self.months)} months: {parts}")
        lines.append(f"{self.seconds:.1f} s, {busy:.1f} s of tasks, {cpu:.1f} s of processors")
        return "\n".join(lines)
