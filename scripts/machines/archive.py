"""Synthetic months, 24 or for the efficiency 96, what one machine makes of them, and what lies in a store."""

import json
import os
import pathlib
import subprocess
import sys
import uuid

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HARNESS = os.environ.get("HARNESS", str(ROOT / "target/release/harness"))
# A job of its own takes an engine a few seconds to begin and to end: beside 24 months that is much, beside an archive little.
YEARS = range(2013, 2021) if "efficiency" in sys.argv else range(2013, 2015)
MONTHS = [f"{year}-{month:02}" for year in YEARS for month in range(1, 13)]
FIRST, LAST = MONTHS[0], MONTHS[-1]
RANGE = f"{FIRST}..{LAST}"
RAW = "raw-data/databento/"

failed = 0


def check(what, passed, found=""):
    """Prints the line of a check."""
    global failed
    failed += not passed
    print(f"{'ok     ' if passed else 'FAILED '} {what}{'' if passed else f': {found}'}", flush=True)


def call(*command, **more):
    """What a command prints, if it succeeds."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:5])} ... ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def raw_months(folder):
    """The raw files, made once: HARNESS_RAW_MONTHS is a folder that has them already."""
    there = os.environ.get("HARNESS_RAW_MONTHS")
    if not there:
        call(HARNESS, "synth", "--months", RANGE, "--out", str(folder))
    files = sorted(pathlib.Path(there or folder).glob("*.dbn.zst"))
    if len(files) != len(MONTHS):
        raise RuntimeError(f"{there or folder}: {len(files)} raw files, expected {len(MONTHS)}")
    return files


def single(raw, folder):
    """Bytes of the Parquet of each month as one machine makes them, by key."""
    call(
        HARNESS,
        "run",
        "--months",
        RANGE,
        "--raw",
        str(raw),
        "--store",
        str(folder),
        "--temp-dir",
        f"{folder}-temp",
        "--cache-gb",
        "0",
        "--json",
        "--log-level",
        "warn",
    )
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.parquet")}


class Store:
    """A store of its own below HARNESS_TEST_STORE, with the raw months in it."""

    def __init__(self, raw):
        bucket, _, prefix = os.environ["HARNESS_TEST_STORE"].removeprefix("s3://").strip("/").partition("/")
        self.bucket, self.prefix = bucket, f"{prefix}/".lstrip("/") + f"machines-{uuid.uuid4()}/"
        self.name = f"s3://{bucket}/{self.prefix.rstrip('/')}"
        self.s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
        for file in raw:
            self.s3.put_object(Bucket=bucket, Key=self.prefix + RAW + file.name, Body=file.read_bytes())

    def keys(self, under=""):
        """Every key, in order."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + under)
        return sorted(one["Key"].removeprefix(self.prefix) for page in pages for one in page.get("Contents", []))

    def read(self, key):
        """An object."""
        return self.s3.get_object(Bucket=self.bucket, Key=self.prefix + key)["Body"].read()

    def published(self):
        """How many months there are."""
        return sum(key.endswith("/manifest.json") for key in self.keys("processed-data/monthly/"))

    def check(self, single, who):
        """Holds it to what one machine makes."""
        keys = [key for key in self.keys("processed-data/") if not key.startswith("processed-data/status/")]
        manifests = [key for key in keys if key.endswith("/manifest.json")]
        check(
            f"{who}: every month is in the store exactly once",
            manifests == [f"processed-data/monthly/{month.replace('-', '/')}/manifest.json" for month in MONTHS],
            manifests,
        )
        named = set(manifests)
        for key in manifests:
            current = json.loads(self.read(key))["current"]
            named |= {current["data"]["key"], current["statistics"]["key"]}
        check(f"{who}: and nothing that no manifest names", set(keys) == named, sorted(set(keys) ^ named))
        data = [key for key in keys if key.endswith(".parquet")]
        check(f"{who}: under the names one machine gives", data == sorted(single), data)
        other = [key for key in data if self.read(key) != single.get(key)]
        check(f"{who}: and with its bytes, all {len(data)}", not other, other)

    def remove(self):
        """Removes everything."""
        for key in self.keys():
            self.s3.delete_object(Bucket=self.bucket, Key=self.prefix + key)
