"""The command: its report alone on stdout, and its exit codes."""

import json
import stat
from pathlib import Path

import pytest

from harness_ray.cli import main


def harness(folder: Path, code: int) -> str:
    """A script in place of harness that ends with a code."""
    path = folder / "harness"
    result = '{"month": "\'$3\'", "outcome": "published", "version": "00", "rows": 1, "score": 1, "error": null}'
    path.write_text(f"#!/bin/sh\n[ $3 != 2013-02 ] || exit {code}\necho '[{result}]'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(("code", "outcome", "exit_code"), [(0, None, 2), (3, "failed", 1), (4, "given_up", 4)])
def test_the_report_is_all_that_is_on_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: int, outcome: str | None, exit_code: int
) -> None:
    """Whatever Ray has to say."""
    given = [
        "--months",
        "2013-01..2013-02",
        "--address",
        "local",
        "--binary",
        harness(tmp_path, code),
        "--memory-gb",
        "0.1",
    ]
    assert main([*given, "--retries", "1", "--json", "--", "--store", "s3://a/b"]) == exit_code
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert [month["month"] for month in report["months"]] == ["2013-01", "2013-02"]
    if outcome is None:
        # It printed nothing and said that all is well.
        assert "another result" in report["stopped"]
        assert "another result" in err
    else:
        assert (report["stopped"], report["months"][1]["outcome"]) == (None, outcome)


@pytest.mark.parametrize(
    "given",
    [[], ["--months", "2013"], ["--months", "2013-01", "--cpus", "0"], ["--months", "2013-01", "--retries", "-1"]],
)
def test_wrong_usage_is_code_2(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """And says what was expected."""
    with pytest.raises(SystemExit) as ended:
        main(given)
    assert ended.value.code == 2
    assert "usage: harness-ray" in capsys.readouterr().err
