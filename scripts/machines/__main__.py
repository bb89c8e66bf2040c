"""What an archive on several machines must show: `ray`, `slurm`, or both at once on the same months.

Started by scripts/ray, scripts/slurm and scripts/ray-and-slurm, which bring what it needs. One line per check; exit
code 1 when one fails. With `efficiency`, one worker on a core is measured beside two on two instead; `cost`
measures a month.
"""

import contextlib
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time
import traceback

import archive
from archive import MONTHS, Store, check
from cost import cost
from manifests import manifests
from processes import until
from ray_cluster import Ray
from slurm_cluster import Slurm

ENGINES = {"ray": Ray, "slurm": Slurm}
GOOD = {"published", "unchanged", "by_another", "published by another"}


def said_no_error(submitted, who):
    """Nothing is wrong in the log."""
    lines = [
        line
        for line in submitted.said().splitlines()
        if " ERROR " in line or line.startswith("error: ") or "panicked" in line
    ]
    check(f"{who}: logs no error", not lines, lines[:3])


def a_worker_is_lost(engine, raw, single, folder):
    """24 months on two workers, of which one is lost when a quarter is done."""
    who = f"{engine.name}, a worker lost"
    store = Store(raw)
    try:
        with engine(folder / f"{engine.name}-lost") as cluster:
            if engine is Slurm:
                manifests(cluster)
            work = cluster.submit(store.name)
            until(lambda: store.published() >= len(MONTHS) // 4, 300, "the first months")
            cluster.lose_a_worker()
            lost = store.published()
            code, outcomes = work.outcomes()
            print(f"        lost when {lost} of {len(MONTHS)} were published")
            check(f"{who}: it was lost midway", 0 < lost < len(MONTHS), lost)
            check(f"{who}: the months are made all the same, code 0", code == 0, (code, work.said()[-2000:]))
            check(f"{who}: each of them is told of", len(outcomes) >= len(MONTHS) and set(outcomes) <= GOOD, outcomes)
            said_no_error(work, who)
            if engine is Slurm:
                check(f"{who}: Slurm began its task again", work.restarts() >= 1, work.restarts())
        # The right to a month that was committed, when its holder died just then: nobody needs it, so nobody looks.
        print(f"        left to harness clean: {store.keys('processed-data/rights/')}")
        archive.call(archive.HARNESS, "clean", "--store", store.name, "--temp-dir", str(folder / "clean"))
        store.check(single, who)
    finally:
        store.remove()


def twice_at_once(engines, raw, single, folder):
    """The same months, submitted twice at once."""
    who = " and ".join(engine.name for engine in engines) + ", twice at once"
    store = Store(raw)
    try:
        with contextlib.ExitStack() as stack:
            clusters = [
                stack.enter_context(engine(folder / f"{engine.name}-{len(engines)}", tasks_a_worker=2))
                for engine in engines
            ]
            works = [cluster.submit(store.name) for cluster in (clusters * 2)[:2]]
            ended = [work.outcomes() for work in works]
            outcomes = [outcome for _, outcomes in ended for outcome in outcomes]
            counts = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
            print(f"        {counts}")
            check(
                f"{who}: both end with code 0",
                [code for code, _ in ended] == [0, 0],
                [work.said()[-2000:] for work in works],
            )
            check(f"{who}: each month is published by one of them", counts.get("published") == len(MONTHS), counts)
            by_another = sum(count for outcome, count in counts.items() if "by" in outcome)
            check(f"{who}: they meet at months, and who is late says so", by_another > 0, counts)
            check(
                f"{who}: the other has them all too", len(outcomes) == 2 * len(MONTHS) and set(outcomes) <= GOOD, counts
            )
            for work in works:
                said_no_error(work, who)
        store.check(single, who)
    finally:
        store.remove()


def efficiency(engine, raw, folder, turns=2):
    """One worker on one core beside two on two, in turns, on a folder that they share: wall clock from submission to the end.

    The engine has no core of its own in either case, so what it costs itself is in both. Whatever else the machine does is
    in it, too; Ray also says what processor time the months took, which should not differ.
    """
    seconds = {1: [], 2: []}
    cores = sorted(os.sched_getaffinity(0))
    for turn in range(turns):
        for workers in (1, 2):
            os.sched_setaffinity(0, cores[:workers])
            store = folder / f"{engine.name}-store"
            with engine(folder / f"{engine.name}-{workers}-{turn}", workers) as cluster:
                begun = time.monotonic()
                work = cluster.submit(str(store), raw=raw)
                code, outcomes = work.outcomes()
                seconds[workers].append(time.monotonic() - begun)
                cpu = f", {work.cpu_seconds:.2f} s of processors" if engine is Ray else ""
                told = f"{seconds[workers][-1]:.2f} s{cpu}, load {os.getloadavg()[0]:.1f}"
                check(
                    f"{engine.name}, {workers} workers, turn {turn + 1}: {told}",
                    code == 0 and outcomes.count("published") == len(MONTHS),
                    (code, outcomes, work.said()[-2000:]),
                )
            shutil.rmtree(store)
    os.sched_setaffinity(0, cores)
    one, two = (statistics.median(seconds[workers]) for workers in (1, 2))
    print(f"{engine.name}: one worker {one:.2f} s, two {two:.2f} s, medians of {turns} turns: {one / two / 2:.3f}")
    check(f"{engine.name}: efficiency is at least 0.9", one / two / 2 >= 0.9, f"{one / two / 2:.3f}")


def main():
    engines = [ENGINES[name] for name in sys.argv[1].split("+") if name != "cost"]
    with tempfile.TemporaryDirectory(prefix="machines-") as folder:
        folder = pathlib.Path(folder)
        try:
            (folder / "raw").mkdir()
            raw = archive.raw_months(folder / "raw")
            if sys.argv[1] == "cost":
                cost(raw)
            elif "efficiency" in sys.argv[2:]:
                for engine in engines:
                    efficiency(engine, raw[0].parent, folder)
            else:
                single = archive.single(raw[0].parent, folder / "single")
                check("one machine makes all months", len(single) == len(MONTHS), len(single))
                if len(engines) == 1:
                    a_worker_is_lost(engines[0], raw, single, folder)
                twice_at_once(engines, raw, single, folder)
        except Exception:
            check("all checks were made", False, traceback.format_exc())
    print(f"{archive.failed} failed")
    sys.exit(1 if archive.failed else 0)


if __name__ == "__main__":
    main()
