"""Times of this package beside Rust alone and beside Polars with Numba, in one run, on a training file of `harness`.

    python python/bench.py month.parquet store [--rust python/target/wheel/examples/rust_time] [--repeat 7]

`store` is an archive of published months. Says ratios, and the processor; a number without its rival means nothing.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import polars as pl

import harness_es as hx

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benches" / "python"))
BARS = ["timestamp", "open", "high", "low", "close", "volume"]


def best(repeat, call):
    """Shortest wall seconds of so many calls."""
    found = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)


def columns(path, repeat, rust):
    """Name -> seconds of ours, of Rust alone, and of Polars with Numba, all on one core."""
    bars = pl.read_parquet(path, columns=BARS).rechunk()
    ticks = bars.with_columns((pl.col(BARS[1:5]) / 0.25).cast(pl.Int32), pl.col("volume").cast(pl.UInt32)).rechunk()
    calls = {}
    for form, frame in (("points", bars), ("ticks", ticks)):
        calls[f"labels, {form}"] = lambda frame=frame: hx.labels(frame, tick=0.25, threads=1)
        calls[f"features, {form}"] = lambda frame=frame: hx.features(frame, tick=0.25, threads=1)
    ours, alone = {}, {}
    # By turns, so that both meet the same load.
    for _ in range(repeat):
        for name, call in calls.items():
            ours[name] = min(ours.get(name, np.inf), best(3, call))
        if rust:
            for name, seconds in json.loads(subprocess.check_output([rust, path, "3"])).items():
                alone[name] = min(alone.get(name, np.inf), seconds)

    import bars as rows_of
    import features as theirs
    import labels as scans

    peer = rows_of.read(path)
    tick, frame = peer.settings.tick, peer.frame
    rivals = {
        "labels": lambda: scans.all_modes(peer, scans.scan),
        "features": lambda: (theirs.features(frame, tick, "masked"), theirs.retouches(peer)),
    }
    for call in rivals.values():
        call()  # compiles
    return bars.height, ours, alone, {name: best(repeat, call) for name, call in rivals.items()}


def decoded(epoch):
    """Core seconds and rows of an epoch whose buffers are in memory: what a batch costs without its Parquet."""
    buffers = {buffer.number: epoch._load(buffer) for buffer in epoch._buffers}
    epoch._load = lambda buffer: buffers[buffer.number]
    return through(epoch)


def through(epoch):
    """Core seconds and rows of an epoch."""
    start, rows = time.process_time(), 0
    for _, y, _ in epoch:
        rows += len(y)
    return time.process_time() - start, rows


def main():
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("store")
    parser.add_argument("--rust")
    parser.add_argument("--repeat", type=int, default=7)
    arguments = parser.parse_args()

    rows, ours, alone, rivals = columns(arguments.file, arguments.repeat, arguments.rust)
    threads = os.environ.get("POLARS_MAX_THREADS", "all")
    print(f"{processor()}, load {os.getloadavg()[0]:.1f}, {threads} threads of Polars, {rows} rows")
    for name, seconds in ours.items():
        rival = rivals[name.partition(",")[0]]
        rust = f"{seconds / alone[name]:6.3f} times Rust alone" if name in alone else ""
        print(f"{name:20}{seconds / rows * 1e9:8.1f} ns/row  {rust}  {rival / seconds:6.1f} times faster than Polars and Numba")
    for form in ("points", "ticks"):
        both = sum(rivals.values()) / (ours[f"labels, {form}"] + ours[f"features, {form}"])
        print(f"both, {form}: {both:.1f} times faster than Polars and Numba")

    archive = hx.Archive(arguments.store)
    for window in (None, 300):
        epoch = {"label": "low_vol_long", "window": window, "seed": 7}
        for source, measure in (("Parquet", through), ("decoded columns", decoded)):
            found = [measure(hx.batches(archive, archive.months[0], **epoch)) for _ in range(3)]
            rate = max(rows / seconds for seconds, rows in found)
            print(f"batches, window {window}, from {source}: {rate / 1e6:.2f} million rows a core second")

    program = "import time, numpy; start = time.perf_counter(); import harness_es; print(time.perf_counter() - start)"
    imported = [float(subprocess.check_output([sys.executable, "-c", program])) for _ in range(10)]
    print(f"import, beside NumPy's own: {min(imported) * 1e3:.1f} ms at best, {sorted(imported)[5] * 1e3:.1f} ms in the middle")


def processor():
    """The name of this machine's."""
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


if __name__ == "__main__":
    main()
