"""Months as Ray tasks, on a Ray of this process's own."""

import stat
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
import ray

from harness_ray import Command, Outcome, Request, run
from harness_ray.months import months
from harness_ray.progress import Progress

REQUEST = Request(memory_gb=0.1, retries=2)


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """One core: the tasks run one after the other."""
    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def harness(folder: Path, body: str) -> Command:
    """A script in place of harness: $month is its month, $times its calls so far, `made` prints what became of it."""
    path = folder / "harness"
    path.write_text(f"""#!/bin/sh
month=$3
made() {{
  echo '[{{"month": "'$month'", "outcome": "'$1'", "version": "00", "rows": 1, "score": 1, "error": null}}]'
}}
echo "$@" >> '{folder}/calls'
times=$(grep -c -- "--month $month" '{folder}/calls')
{body}
""")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Command(str(path))


def calls(folder: Path) -> list[str]:
    """What was called, in order."""
    return (folder / "calls").read_text().splitlines()


def test_every_month_is_made_and_weighted_to_the_last_of_the_range(tmp_path: Path) -> None:
    """The same settings for all: byte for byte what one machine makes."""
    said = StringIO()
    report = run(months("2013-11..2014-02"), harness(tmp_path, "made published"), REQUEST, Progress(4, said))
    assert [(made.month, made.outcome) for made in report.months] == [
        (month, Outcome.PUBLISHED) for month in ("2013-11", "2013-12", "2014-01", "2014-02")
    ]
    assert report.exit_code == 0
    assert "4 months: 4 published" in report.text()
    assert len(calls(tmp_path)) == 4
    assert all(call.endswith("--jobs 1 --max-memory-gb 0.1 --decay-reference 2014-02") for call in calls(tmp_path))
    assert said.getvalue().count("published on") == 4
    assert "4 of 4" in said.getvalue()


def test_a_lost_store_and_a_killed_program_are_tried_again(tmp_path: Path) -> None:
    """As often as was asked for."""
    body = """case $month-$times in
2013-01-1) exit 4;; 2013-01-2) kill -KILL $$;; 2013-02-*) echo "no answer" >&2; exit 4;; *) made published;;
esac"""
    report = run(months("2013-01..2013-03"), harness(tmp_path, body), REQUEST, Progress(3, StringIO()))
    assert [made.outcome for made in report.months] == [Outcome.PUBLISHED, Outcome.GIVEN_UP, Outcome.PUBLISHED]
    assert report.exit_code == 4
    assert report.months[1].error == "no answer"
    assert [sum(f"--month 2013-0{month}" in call for call in calls(tmp_path)) for month in (1, 2, 3)] == [3, 3, 1]


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    """The process that Ray runs the task in."""
    body = "[ $times -gt 1 ] || kill -KILL $PPID; made published"
    report = run(["2013-01"], harness(tmp_path, body), REQUEST, Progress(1, StringIO()))
    assert [made.outcome for made in report.months] == [Outcome.PUBLISHED]
    assert len(calls(tmp_path)) == 2


def test_a_bad_month_fails_alone(tmp_path: Path) -> None:
    """And is not tried again."""
    body = "[ $month != 2013-01 ] || { echo corrupt >&2; exit 3; }; made unchanged"
    report = run(months("2013-01..2013-02"), harness(tmp_path, body), REQUEST, Progress(2, StringIO()))
    assert [made.outcome for made in report.months] == [Outcome.FAILED, Outcome.UNCHANGED]
    assert (report.exit_code, len(calls(tmp_path))) == (1, 2)
    assert "2013-01  failed: corrupt" in report.text()


def test_a_usage_error_stops_everything(tmp_path: Path) -> None:
    """No month is tried that would fail for the same."""
    command = harness(tmp_path, "echo 'error: tick_size' >&2; exit 2")
    report = run(months("2013-01..2013-12"), command, REQUEST, Progress(12, StringIO()))
    assert (report.exit_code, report.stopped) == (2, "error: tick_size")
    assert len(calls(tmp_path)) < 12
    assert report.months[-1].outcome == Outcome.NOT_TRIED


def test_arguments_of_the_user_win() -> None:
    """In either way of writing them."""
    given = ["--jobs=2", "--decay-reference", "2025-10"]
    assert Request(cpus=1.5, memory_gb=2).arguments(given, "2014-12") == [*given, "--max-memory-gb", "2"]
