"""The command line that came with the wheel; where the package was installed without it, the sentence that says so."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import harness_es as hx

COMMAND = Path(sysconfig.get_path("scripts")) / "harness"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "harness_es", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.skipif(not COMMAND.exists(), reason="installed without the command line")
def test_the_module_is_the_command_line() -> None:
    script = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert run("--version").stdout == script.stdout
    assert script.stdout.splitlines()[0] == f"harness {hx.__version__}"
    # It becomes the command line: exit codes and messages are its own.
    refused = run("process", "nowhere.dbn.zst", "out.parquet")
    assert refused.returncode != 0
    assert "nowhere.dbn.zst" in refused.stderr


@pytest.mark.skipif(COMMAND.exists(), reason="installed with the command line")
def test_without_the_command_line_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    refused = run("--version")
    assert refused.returncode == 1
    assert "built without the command line" in refused.stderr


def test_the_package_brings_its_types() -> None:
    folder = Path(hx.__file__).parent
    assert (folder / "py.typed").exists()
    assert (folder / "_native.pyi").exists()


def test_it_is_imported_without_anything_but_numpy() -> None:
    others = "{'polars', 'pandas', 'pyarrow', 'duckdb'}"
    program = f"import sys, harness_es; print(sorted({{m.split('.')[0] for m in sys.modules}} & {others}))"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"
