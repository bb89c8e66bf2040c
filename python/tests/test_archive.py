"""What an archive gives is committed, in a directory and in a bucket."""

import os
import subprocess
from pathlib import Path

import polars as pl
import pytest
from conftest import TARGET, harness

import harness_es as hx

PUBLICATIONS = int(os.environ.get("PUBLICATIONS", "6"))
ROWS = {"2013-10": 615_000, "2013-11": 546_300}


@pytest.fixture(params=["directory", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "store") if request.param == "directory" else request.getfixturevalue("s3")


def test_months_files_and_statistics_are_the_published_ones(raw: Path, place: str) -> None:
    harness("run", "--months", "2013-10..2013-11", "--raw", raw, "--store", place)
    archive = hx.Archive(place)
    assert archive.months == ["2013-10", "2013-11"]
    assert [(file.month, file.rows) for file in archive.files("2013-10..2014-03")] == list(ROWS.items())
    assert archive.statistics("2013-10")["profile"] == "session"
    for engine_rows in (
        archive.scan().select(pl.len()).collect().item(),
        archive.scan(engine="pyarrow").count_rows(),
        len(archive.scan(engine="duckdb")),
    ):
        assert engine_rows == sum(ROWS.values())
    sessions = archive.sessions()
    assert sum(session.rows for session in sessions) == sum(ROWS.values())
    first = archive.scan("2013-11").select(pl.col("timestamp").first()).collect().item()
    assert str(next(s.first for s in sessions if s.month == "2013-11")) == first.strftime("%Y-%m-%dT%H:%M:%S")


def test_only_committed_months_are_there_while_others_are_published(raw: Path, place: str) -> None:
    """Publications go on in another process, versions by turns, one month being added; every scan is whole."""
    Path(place).mkdir() if not place.startswith("s3://") else None
    script = f"""
        run() {{ "{TARGET}/harness" run --raw "{raw}" --store "{place}" --force "$@"; }}
        run --months 2013-10
        for at in $(seq {PUBLICATIONS}); do run --months 2013-10 --decay-reference 2014-$((at % 9 + 10)); done 2>&1
        run --months 2013-11
    """.replace("2014-$((at % 9 + 10))", "$((2014 + at % 9))-01")
    publishing = subprocess.Popen(["bash", "-euc", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    archive = hx.Archive(place)
    seen: set[tuple[str, ...]] = set()
    versions: set[str] = set()
    scans = 0
    while publishing.poll() is None:
        months = archive.months
        seen.add(tuple(months))
        if not months:
            continue
        files = archive.files()
        versions.update(file.checksum for file in files)
        wins = archive.scan("2013-10").select(pl.len(), pl.col("label_low_vol_long").sum(), pl.col("weight_low_vol_long").max())
        rows, won, heaviest = wins.collect().row(0)
        assert (rows, won > 0, heaviest > 0) == (ROWS["2013-10"], True, True)
        scans += 1
    output = publishing.communicate()[0]
    assert publishing.returncode == 0, output
    assert archive.months == ["2013-10", "2013-11"]
    assert seen <= {(), ("2013-10",), ("2013-10", "2013-11")}
    assert scans > PUBLICATIONS / 4
    assert len(versions) > 1


def test_an_unfinished_month_is_not_there(store: Path, tmp_path: Path) -> None:
    other = tmp_path / "store"
    subprocess.run(["cp", "-r", store, other], check=True)
    archive = hx.Archive(other)
    (other / "processed-data/monthly/2013/11/manifest.json").unlink()
    assert archive.months == ["2013-10"]
    assert len(archive.files()) == 1
    with pytest.raises(hx.ArchiveError, match="no month of 2013-11 is published"):
        archive.scan("2013-11")
    with pytest.raises(hx.ArchiveError, match="month 2013-11 is not published"):
        archive.statistics("2013-11")


def test_what_is_no_archive_is_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(hx.ArchiveError, match="nowhere"):
        hx.Archive(tmp_path / "nowhere")
    archive = hx.Archive(store)
    with pytest.raises(hx.ArgumentError, match="2013"):
        archive.files("2013")
    with pytest.raises(hx.ArgumentError, match="engine = spark"):
        archive.scan(engine="spark")  # type: ignore[call-overload]


def test_a_changed_object_is_refused(raw: Path, s3: str, tmp_path: Path) -> None:
    harness("run", "--months", "2013-11", "--raw", raw, "--store", s3)
    archive = hx.Archive(s3)
    (file,) = archive.files()
    lying = hx.File(file.month, file.key, file.rows, file.bytes, "0" * 16, file.settings, archive)
    with pytest.raises(hx.ArchiveError, match="expected 0000000000000000"):
        _ = lying.path
    assert file.path.stat().st_size == file.bytes
    assert [path.name for path in file.path.parent.iterdir()] == [f"{file.checksum}.parquet"]
