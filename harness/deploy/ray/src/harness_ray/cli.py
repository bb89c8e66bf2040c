"""The command `harness-ray`."""

import argparse
import contextlib
import sys
from collections.abc import Sequence

import ray

from harness_ray.command import Command
from harness_ray.months import months
from harness_ray.submit import Request, run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="harness-ray",
        description="Makes months on a Ray cluster, one task each. What follows -- is given to every `harness run`: "
        "harness-ray --months 2010-07..2025-10 -- --store s3://training/es --raw s3://raw/databento",
        epilog="Exit codes: 0 done; 1 done, but months failed; 2 usage; 4 store, network or cluster; 130 interrupted.",
    )
    parser.add_argument("--months", required=True, type=months, metavar="RANGE", help="such as 2010-07..2025-10")
    parser.add_argument("--address", default="auto", help="of the cluster; local starts one here [default: auto]")
    parser.add_argument("--binary", default="harness", help="harness on every node [default: harness, from PATH]")
    parser.add_argument("--cpus", type=float, default=1.0, help="cores a month asks for [default: 1]")
    parser.add_argument("--memory-gb", type=float, default=1.0, help="memory a month asks for [default: 1]")
    parser.add_argument("--retries", type=int, default=3, help="of a month, after a loss [default: 3]")
    parser.add_argument("--json", action="store_true", help="machine-readable report")
    parser.add_argument("arguments", nargs="*", metavar="-- ARGUMENT", help="for harness run")
    return parser


def main(given: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    arguments = _parser().parse_args(given)
    if arguments.cpus <= 0 or arguments.memory_gb <= 0 or arguments.retries < 0:
        _parser().error("--cpus and --memory-gb: expected more than 0; --retries: expected 0 or more")
    # Ray prints what it has to say of lost nodes wherever it likes: stdout is for the report.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            ray.init(address=arguments.address, log_to_driver=False)
        except (ConnectionError, ValueError) as error:
            print(f"error: no Ray cluster at {arguments.address}: {error}", file=sys.stderr)
            return 4
        request = Request(arguments.cpus, arguments.memory_gb, arguments.retries)
        try:
            report = run(arguments.months, Command(arguments.binary, arguments.arguments), request)
        except KeyboardInterrupt:
            return 130
        finally:
            ray.shutdown()
    print(report.json() if arguments.json else report.text())
    if report.stopped:
        print(f"error: {report.stopped}", file=sys.stderr)
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
