"""Runs `harness run` and month.py on the same file in turns and prints the ratio of the medians.

    python compare.py IN.dbn.zst --harness PATH [--repeat 5] [--json FILE]

Standard library only: a child's peak memory as the kernel counts it begins with that of the process that starts it.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

MONTH = pathlib.Path(__file__).with_name("month.py")
# As most would write it, then with the faster choice of each step.
RIVALS = {
    "pyarrow": ["--writer", "pyarrow"],
    "pyarrow-split": ["--writer", "pyarrow-split"],
    "polars": ["--writer", "polars"],
    "best": ["--writer", "polars", "--labels", "one-pass"],
}


def run(command):
    """Wall seconds, CPU seconds, peak memory and standard output of a whole process."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))}: exit code {child.returncode}")
        output.seek(0)
        text = output.read().decode()
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss * 1024}, text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", type=pathlib.Path)
    parser.add_argument("--harness", required=True, type=pathlib.Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--root", default="ES")
    parser.add_argument("--tick-size", default="0.25")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    date = re.search(r"-(\d{4})(\d{2})\d{2}-\d{8}\.", arguments.input.name)
    if not date:
        raise SystemExit(f"{arguments.input}: not named glbx-mdp3-YYYYMMDD-YYYYMMDD.ohlcv-1s.dbn.zst")
    instrument = ["--root", arguments.root, "--tick-size", arguments.tick_size]

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        raw, store, ours, theirs = (folder / name for name in ("raw", "store", "ours.parquet", "theirs.parquet"))
        raw.mkdir()
        shutil.copy(arguments.input, raw)
        source = raw / arguments.input.name

        harness = [arguments.harness, "run", "--month", f"{date[1]}-{date[2]}", "--raw", raw, "--store", store,
                   "--cache-gb", "0", *instrument]
        rivals = {name: [sys.executable, MONTH, source, theirs, *options, *instrument] for name, options in RIVALS.items()}

        # The first run of each compiles, fills the page cache, and shows that both write the same columns.
        run([arguments.harness, "process", source, ours, *instrument])
        for command in rivals.values():
            run([*command, "--verify", ours])

        figures = {name: [] for name in ("harness", *RIVALS)}
        for _ in range(arguments.repeat):
            shutil.rmtree(store, ignore_errors=True)
            whole, _ = run(harness)
            [published] = store.glob("processed-data/monthly/*/*/*.parquet")
            figures["harness"].append({**whole, "seconds": whole["wall"], "bytes": published.stat().st_size})
            for name, command in rivals.items():
                whole, text = run(command)
                inside = json.loads(text)
                figures[name].append(
                    {**whole, "seconds": inside["seconds"], "bytes": inside["bytes"], "stages": inside["stages"]}
                )

    def median(name, key):
        return statistics.median(figure[key] for figure in figures[name])

    ratio = lambda name, key: median(name, key) / median("harness", key)
    print("medians of", arguments.repeat)
    print(f"{'':15}{'seconds':>9}{'ratio':>7}{'process':>9}{'ratio':>7}{'CPU s':>8}{'ratio':>7}{'peak MiB':>10}{'bytes':>12}")
    for name in figures:
        print(f"{name:15}{median(name, 'seconds'):9.3f}{ratio(name, 'seconds'):7.2f}{median(name, 'wall'):9.3f}{ratio(name, 'wall'):7.2f}"
              f"{median(name, 'cpu'):8.2f}{ratio(name, 'cpu'):7.2f}{median(name, 'rss') / 2**20:10.0f}{median(name, 'bytes'):12.0f}")
    print("seconds: harness the whole process, Python without starting, importing and compiling; process: the whole process")
    for name in RIVALS:
        stages = {stage: statistics.median(figure["stages"][stage] for figure in figures[name]) for stage in figures[name][0]["stages"]}
        print(f"{name:15}" + "  ".join(f"{stage} {seconds:.3f}" for stage, seconds in stages.items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
