"""SPEC.md section 3 as Numba scans: every row looks at up to 900 rows after it, mode by mode."""

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
