"""docs/spec.md section 4, profile `session`: 41 features as Polars expressions, the two retouch counts in Numba.

Prices are in ticks until the last step: sums of integers are exact, so that a flat window has variance 0 and tied ranks are
tied, which the contract demands and sums of floats do not give. Integers are also what Polars sums fastest.

There are two ways to keep windows inside a session. `masked`: windows run over the whole month, and a row whose window would
reach into the session before becomes null. `over`: every expression is wrapped in `.over("session")`. The first is faster.
"""

import numpy as np
import polars as pl
from numba import njit, prange

RETOUCHES = {"short_range_retouches": 300, "medium_range_retouches": 900}
PERIODS = {"is_pre_open": (7.5, 8.5), "is_rth_open": (8.5, 9.25), "is_morning": (9.25, 11), "is_lunch": (11, 13),
           "is_afternoon": (13, 14.5), "is_rth_close": (14.5, 15)}


def ratio(a, b):
    """Null where b is 0."""
    return a / pl.when(b != 0).then(b)


def slope_30(y):
    """Least squares over 30 rows: sum(x*y) with x from -14.5 to 14.5, over sum(x*x)."""
    x = pl.col("row")
    return ((x * y).rolling_sum(30) - (x - 14.5) * y.rolling_sum(30)) / 2247.5


def steps(tick, how):
    """Expressions over columns open, high, low, close (ticks), volume, session, row (within the session) and second (of the
    day), in steps; the last selects the columns."""
    over = how == "over"

    def full(window, expression):
        """Null where the session has fewer rows than the window up to here."""
        return expression if over else pl.when(pl.col("row") >= window - 1).then(expression)

    def within(expression):
        """For what is not a window: since the session's first row, or of its last."""
        return expression if over else expression.over("session")

    h, l, c, v, row, second = map(pl.col, ("high", "low", "close", "volume", "row", "second"))
    col = pl.col
    traded = within(v.cum_sum())
    before = full(2, c.shift(1))
    first = [
        v.rolling_sum(5).alias("v5"),
        v.rolling_sum(30).alias("v30"),
        (within((c * v).cum_sum()) / pl.when(traded != 0).then(traded)).fill_null(c).alias("vwap"),
        (c - within(h.cum_max())).alias("from_high"),
        (c - within(l.cum_min())).alias("from_low"),
        *(full(w, h.rolling_max(w)).alias(f"high{w}") for w in (300, 900)),
        *(full(w, l.rolling_min(w)).alias(f"low{w}") for w in (300, 900)),
        # On the first row there is no close before; the horizontal functions skip it.
        (pl.max_horizontal(h, before) - pl.min_horizontal(l, before)).alias("tr"),
        (c > before).fill_null(False).cast(pl.Int64).alias("up"),
        ((c - before) / before).alias("r1"),
        *(full(w + 1, (c - c.shift(w)) / c.shift(w)).alias(f"r{w}") for w in (30, 60, 300)),
        (h - l).alias("range"),
    ]
    middle = [
        col("tr").rolling_sum(30).alias("tr30"),
        *(full(w, col("tr").rolling_sum(w)).alias(f"tr{w}") for w in (60, 300)),
        *(full(w, col("up").rolling_sum(w) * (100 / w)).alias(f"up{w}") for w in (30, 60)),
        *((col(f"high{w}") - col(f"low{w}")).alias(f"size{w}") for w in (300, 900)),
        full(5, (2 * v + v.shift(1) - v.shift(3) - 2 * v.shift(4)) / 10).alias("slope5"),
        full(30, ratio(30 * v, col("v30"))).alias("ratio30"),
        # Near 0 before it is summed, so that the sums keep their digits.
        (col("vwap") - within(col("vwap").last())).alias("vwap0"),
    ]
    atr = col("tr30")
    later = [atr.rolling_sum(300).alias("sum300"), (atr * atr).rolling_sum(300).alias("squares300")]
    sums = col("sum300")
    spread = 300 * col("squares300") - sums * sums
    points = {
        "vwap": col("vwap"),
        "vwap_slope": full(30, slope_30(col("vwap0"))),
        "distance_from_rth_high": col("from_high"),
        "distance_from_rth_low": col("from_low"),
        "short_range_high": col("high300"),
        "short_range_low": col("low300"),
        "short_range_size": col("size300"),
        "medium_range_high": col("high900"),
        "medium_range_low": col("low900"),
        "medium_range_size": col("size900"),
        "atr_30s": full(30, atr / 30),
        "atr_300s": col("tr300") / 300,
        "bar_range": col("range"),
    }
    others = {
        "volume_ratio_30s": col("ratio30"),
        "volume_slope_30s": full(34, slope_30(col("v5")) / 5),
        "volume_slope_5s": col("slope5"),
        "volume_exhaustion": col("ratio30") * col("slope5"),
        "distance_from_vwap_pct": (c - col("vwap")) / col("vwap") * 100,
        "position_in_short_range": ratio(c - col("low300"), col("size300")),
        "range_compression_ratio": ratio(col("size300"), col("size900")),
        "return_30s": col("r30"),
        "return_60s": col("r60"),
        "return_300s": col("r300"),
        "momentum_acceleration": col("r30") - col("r60"),
        "momentum_consistency": col("r1").rolling_std(30),
        "volatility_regime": ratio(10 * atr, col("tr300")),
        "volatility_acceleration": ratio(2 * atr - col("tr60"), col("tr60")),
        "volatility_breakout": full(329, ratio(300 * atr - sums, (spread * (300 / 299)).sqrt())),
        "atr_percentile": full(329, atr.rolling_rank(300) / 3),
        "relative_bar_size": full(30, ratio(30 * col("range"), atr)),
        "uptick_pct_30s": col("up30"),
        "uptick_pct_60s": col("up60"),
        "bar_flow_consistency": (col("up30") - col("up60")).abs(),
        "directional_strength": (col("up30") - 50).abs() * 2,
    }
    flags = {"is_eth": (second < int(7.5 * 3600)) | (second >= 15 * 3600)}
    for name, (start, end) in PERIODS.items():
        flags[name] = (second >= int(start * 3600)) & (second < int(end * 3600))
    last = [
        *((value * tick).cast(pl.Float32).alias(name) for name, value in points.items()),
        *(value.cast(pl.Float32).alias(name) for name, value in others.items()),
        *(value.cast(pl.Int8).alias(name) for name, value in flags.items()),
    ]
    every = [first, middle, later, last]
    return [[expression.over("session") for expression in step] for step in every] if over else every


def features(frame, tick, how="masked"):
    """All but the retouch counts; undefined values are null. Eager: planning the whole as one lazy query costs more than it
    saves, on a month a fifth, on a session half of the time."""
    *before, last = steps(tick, how)
    for step in before:
        frame = frame.with_columns(step)
    return frame.select(last)


@njit(cache=True, parallel=True)
def count_retouches(high, low, starts, window, out):
    """The walk of docs/spec.md section 4, once a row; sessions in parallel."""
    for session in prange(len(starts) - 1):
        first, end = starts[session], starts[session + 1]
        top, bottom = high[first], low[first]
        for i in range(first, end):
            oldest = i - window + 1
            top, bottom = max(top, high[i]), min(bottom, low[i])
            if oldest > first and (high[oldest - 1] == top or low[oldest - 1] == bottom):
                top, bottom = high[oldest : i + 1].max(), low[oldest : i + 1].min()
            if oldest < first:
                out[i] = np.nan
                continue
            # A tenth of the size, rounded down: prices are whole.
            zone = (top - bottom) // 10
            near_top, near_bottom = top - zone, bottom + zone
            count, k = 0, oldest
            while k <= i:
                if high[k] >= near_top or low[k] <= near_bottom:
                    count += 1
                    k += 30
                else:
                    k += 1
            out[i] = count


def retouches(bars):
    """Name of each of the two columns -> its values."""
    columns = {name: np.empty(bars.rows, np.float32) for name in RETOUCHES}
    for name, window in RETOUCHES.items():
        count_retouches(bars.high, bars.low, bars.starts, window, columns[name])
    return columns
