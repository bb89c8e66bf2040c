"""What a month costs: processor time, bytes, and requests as the gateway of scripts/radosgw logs them."""

import collections
import json
import os
import pathlib
import re
import resource
import subprocess
import time

from archive import HARNESS, MONTHS, RANGE, Store

_REQUEST = re.compile(r'beast: .*"(\w+) (\S+) HTTP/1\.1" (\d+)')


class Gateway:
    """The log of the gateway that scripts/radosgw has started."""

    def __init__(self):
        self.log = pathlib.Path(os.environ["CEPH_CONF"]).parent / "radosgw.out"
        self.read = 0

    def since(self):
        """Requests since the last look, by kind."""
        time.sleep(1)
        text = self.log.read_text(errors="replace")
        lines, self.read = text[self.read :], len(text)
        return collections.Counter(_kind(verb, path) for verb, path, _ in _REQUEST.findall(lines))


def _kind(verb, path):
    if verb == "GET" and ("list-type=" in path or "prefix=" in path):
        return "LIST"
    for folder, name in (("/status/", "heartbeat"), ("/rights/", "right")):
        if folder in path:
            return f"{verb} {name}"
    return verb


def run(store, *which):
    """Runs harness on one core: its seconds, its processor seconds, its results."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [
            "taskset",
            "-c",
            "0",
            HARNESS,
            "run",
            *which,
            "--store",
            store.name,
            "--jobs",
            "1",
            "--cache-gb",
            "0",
            "--max-memory-gb",
            "1",
            "--json",
            "--log-level",
            "warn",
            "--decay-reference",
            MONTHS[-1],
        ],
        stdout=subprocess.PIPE,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - begun, cpu, json.loads(done.stdout)


def cost(raw):
    """Prints the cost of each of five months by itself, of all in one run, and of a run that finds all done."""
    store, gateway = Store(raw), Gateway()
    try:
        for month in MONTHS[:5]:
            gateway.since()
            told(month, store, gateway, [month], raw[MONTHS.index(month)].stat().st_size, *run(store, "--month", month))
        gateway.since()
        told(
            "the others in one run",
            store,
            gateway,
            MONTHS[5:],
            sum(file.stat().st_size for file in raw[5:]),
            *run(store, "--months", RANGE),
        )
        gateway.since()
        seconds, cpu, _ = run(store, "--months", RANGE)
        print(f"all {len(MONTHS)} unchanged: {seconds:.2f} s, {cpu:.2f} CPU s, {dict(gateway.since())}")
    finally:
        store.remove()


def told(what, store, gateway, months, bytes_in, seconds, cpu, _):
    """One line."""
    requests = gateway.since()
    currents = [
        json.loads(store.read(f"processed-data/monthly/{month.replace('-', '/')}/manifest.json"))["current"]
        for month in months
    ]
    data, statistics = (sum(current[part]["bytes"] for current in currents) for part in ("data", "statistics"))
    rows = sum(current["rows"] for current in currents)
    print(
        f"{what}: {seconds:.2f} s, {cpu:.2f} CPU s, {rows} rows, {bytes_in} raw bytes in, "
        f"{data} + {statistics} bytes out and read back, {sum(requests.values())} requests {dict(requests)}",
        flush=True,
    )
