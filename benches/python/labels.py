"""docs/spec.md section 3 in Numba, twice: a scan of up to 900 rows for every row and mode, and one pass of them for all six modes that
does nothing on a row without a new extreme."""

import numpy as np
from numba import njit, prange

MODES = (("low_vol", 6, 12), ("normal_vol", 8, 16), ("high_vol", 10, 20))
LOOK_AHEAD = 900


@njit(inline="always")
def outcome(i, end, open_, high, low, stop, target, decay):
    """Label and weight of a long entry at the open of row i + 1, in a session that ends before row `end`."""
    if i + 1 >= end:
        return 0, decay
    entry = open_[i + 1]
    win, loss = entry + target, entry - stop
    worst = entry
    for j in range(i + 1, min(i + 1 + LOOK_AHEAD, end)):
        lowest = low[j]
        if lowest <= loss:
            return 0, decay
        worst = min(worst, lowest)
        if high[j] >= win:
            quality = min(max(2.0 - 1.5 * (entry - worst) / stop, 0.5), 2.0)
            velocity = min(max(2.0 - 1.5 * (j - (i + 1) - 300) / 600.0, 0.5), 2.0)
            return 1, quality * velocity * decay
    return 0, decay


@njit(cache=True)
def scan(open_, high, low, end, stop, target, decay, label, weight):
    for i in range(len(open_)):
        label[i], weight[i] = outcome(i, end[i], open_, high, low, stop, target, decay[i])


@njit(cache=True, parallel=True)
def scan_parallel(open_, high, low, end, stop, target, decay, label, weight):
    for i in prange(len(open_)):
        label[i], weight[i] = outcome(i, end[i], open_, high, low, stop, target, decay[i])


def all_modes(bars, scan):
    """Name of each column -> its values. A short is a long with all prices negated."""
    columns = {}
    sides = {"long": (bars.open, bars.high, bars.low), "short": (-bars.open, -bars.low, -bars.high)}
    for side, prices in sides.items():
        for mode, stop, target in MODES:
            label, weight = np.empty(bars.rows, np.int8), np.empty(bars.rows, np.float32)
            scan(*prices, bars.end, stop, target, bars.decay, label, weight)
            columns[f"label_{mode}_{side}"], columns[f"weight_{mode}_{side}"] = label, weight
    return columns


STOPS = np.array([stop for _, stop, _ in MODES], np.int32)
TARGETS = np.array([target for _, _, target in MODES], np.int32)


@njit(inline="always")
def row_at_once(i, end, open_, high, low, decay, label, weight):
    """Labels and weights of row i, long modes first."""
    label[:, i] = 0
    weight[:, i] = decay
    if i + 1 >= end:
        return
    entry = open_[i + 1]
    highest, lowest, pending = entry, entry, 0b111111
    for j in range(i + 1, min(i + 1 + LOOK_AHEAD, end)):
        if high[j] <= highest and low[j] >= lowest:
            continue
        highest, lowest = max(highest, high[j]), min(lowest, low[j])
        for mode in range(6):
            if not pending & (1 << mode):
                continue
            rise, fall = highest - entry, entry - lowest
            good, bad = (rise, fall) if mode < 3 else (fall, rise)
            stop = STOPS[mode % 3]
            if bad >= stop:
                pending ^= 1 << mode
            elif good >= TARGETS[mode % 3]:
                pending ^= 1 << mode
                quality = min(max(2.0 - 1.5 * bad / stop, 0.5), 2.0)
                velocity = min(max(2.0 - 1.5 * (j - (i + 1) - 300) / 600.0, 0.5), 2.0)
                label[mode, i] = 1
                weight[mode, i] = quality * velocity * decay
        if pending == 0:
            return


@njit(cache=True)
def one_pass(open_, high, low, end, decay, label, weight):
    for i in range(len(open_)):
        row_at_once(i, end[i], open_, high, low, decay[i], label, weight)


@njit(cache=True, parallel=True)
def one_pass_parallel(open_, high, low, end, decay, label, weight):
    for i in prange(len(open_)):
        row_at_once(i, end[i], open_, high, low, decay[i], label, weight)


def at_once(bars, one_pass):
    """The columns of `all_modes`."""
    label, weight = np.empty((6, bars.rows), np.int8), np.empty((6, bars.rows), np.float32)
    one_pass(bars.open, bars.high, bars.low, bars.end, bars.decay, label, weight)
    names = [f"{mode}_{side}" for side in ("long", "short") for mode, _, _ in MODES]
    columns = {f"label_{name}": label[at] for at, name in enumerate(names)}
    return columns | {f"weight_{name}": weight[at] for at, name in enumerate(names)}
