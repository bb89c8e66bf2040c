"""Times labels and weights (Numba) and features (Polars) on a Parquet of ours, after checking that they are the same numbers.

    python kernels.py FILE.parquet [--tape NAME] [--json results.json] [--repeat 5]
"""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import time
from importlib.metadata import version


def best(repeat, call):
    """Shortest core seconds (CPU time of the process) and wall seconds, of so many calls and half a second of them."""
    core, wall = [], []
    while len(core) < repeat or sum(wall) < 0.5:
        core_start, wall_start = time.process_time(), time.perf_counter()
        call()
        core.append(time.process_time() - core_start)
        wall.append(time.perf_counter() - wall_start)
    return min(core), min(wall)


def measure(path, repeat, one_thread):
    """Name of each entry -> core and wall seconds; rows. Exits when a number is wrong."""
    import bars as rows_of
    import features
    import labels
    from verify import verify

    bars = rows_of.read(path)
    tick, frame = bars.settings.tick, bars.frame
    suffix = ", one thread" if one_thread else ""
    kernels = {}
    for how in ("masked", "over"):
        name = "features, Polars session" if how == "masked" else "features, Polars over"
        kernels[name + suffix] = lambda how=how: features.features(frame, tick, how).to_dict()
    if not one_thread:
        kernels["labels, Numba scan"] = lambda: labels.all_modes(bars, labels.scan)
        kernels["labels, Numba scan, parallel"] = lambda: labels.all_modes(bars, labels.scan_parallel)
        kernels["labels, Numba one pass"] = lambda: labels.at_once(bars, labels.one_pass)
        kernels["labels, Numba one pass, parallel"] = lambda: labels.at_once(bars, labels.one_pass_parallel)
        kernels["retouches, Numba walk, parallel"] = lambda: features.retouches(bars)
    # The check compiles, too.
    for kernel in kernels.values():
        verify(path, kernel())
    return {name: best(repeat, kernel) for name, kernel in kernels.items()}, bars.rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--tape", help="name of the entries [default: the file's]")
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path(__file__).with_name("results.json"))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--one-thread", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()

    seconds, rows = measure(arguments.file, arguments.repeat, arguments.one_thread)
    if arguments.one_thread:
        print(json.dumps(seconds))
        return
    # Polars counts its threads once, when it is loaded.
    command = [sys.executable, __file__, arguments.file, "--repeat", str(arguments.repeat), "--one-thread"]
    child = subprocess.run(command, env={**os.environ, "POLARS_MAX_THREADS": "1"}, stdout=subprocess.PIPE)
    if child.returncode != 0:
        raise SystemExit(child.returncode)
    seconds.update(json.loads(child.stdout))

    tape = arguments.tape or pathlib.Path(arguments.file).stem
    entries = [
        {"name": name, "tape": tape, "rows": rows, "core_ns_per_row": core / rows * 1e9, "wall_ns_per_row": wall / rows * 1e9}
        for name, (core, wall) in sorted(seconds.items())
    ]
    for entry in entries:
        print(f"{entry['name']:40}{entry['tape']:10}{entry['core_ns_per_row']:10.1f} core ns/row"
              f"{entry['wall_ns_per_row']:10.1f} wall ns/row")
    write(arguments.json, rows, entries)


def write(path, rows, entries):
    """Entries of the same name and tape are replaced, others stay."""
    replaced = {(entry["name"], entry["tape"]) for entry in entries}
    before = json.loads(path.read_text())["entries"] if path.exists() else []
    kept = [entry for entry in before if (entry["name"], entry["tape"]) not in replaced]
    packages = ("numba", "numpy", "polars", "pyarrow")
    result = {
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "versions": {"python": platform.python_version(), **{package: version(package) for package in packages}},
        "rows": rows,
        "entries": kept + entries,
    }
    path.write_text(json.dumps(result, indent=2) + "\n")


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
