"""The codes of docs/python.md, theirs and ours: checked to be the same numbers, then timed in one run.

python python/migration.py month.parquet
"""

import sys
import time

import numpy as np
import pandas as pd
import polars as pl

import harness_es as hx

BARS = ["timestamp", "open", "high", "low", "close", "volume"]


def triple_barrier(bars: pd.DataFrame, events: pd.Index, stop: float, target: float, horizon: int) -> pd.Series:
    """As mlfinlab and its book have it: for each event its path, and which horizontal barrier that meets first."""
    won = pd.Series(0, index=events, dtype="int8")
    for event in events:
        path = bars.iloc[event + 1 : event + 1 + horizon]
        entry = path["open"].iloc[0]
        profit = path.index[path["high"] >= entry + target]
        loss = path.index[path["low"] <= entry - stop]
        if len(profit) and (not len(loss) or profit[0] < loss[0]):
            won[event] = 1
    return won


def polars_features(bars: pl.DataFrame) -> pl.DataFrame:
    """Four of the 43 columns as expressions. A night begins a session."""
    session = (pl.col("timestamp").diff().dt.total_seconds() != 1).fill_null(False).cum_sum().alias("session")
    before = pl.col("close").shift(1)
    true_range = pl.max_horizontal("high", before) - pl.min_horizontal("low", before)
    traded = (pl.col("close") * pl.col("volume")).cum_sum() / pl.col("volume").cum_sum()
    return bars.with_columns(session).select(
        traded.over("session").alias("vwap"),
        pl.col("high").rolling_max(300).over("session").alias("short_range_high"),
        true_range.rolling_mean(30).over("session").alias("atr_30s"),
        (pl.col("close") / pl.col("close").shift(60) - 1).over("session").alias("return_60s"),
    )


def pandas_features(bars: pd.DataFrame) -> pd.DataFrame:
    """The same in pandas."""
    session = (bars["timestamp"].diff() != pd.Timedelta(1, "s")).cumsum()
    by = bars.groupby(session)
    before = by["close"].shift(1)
    true_range = pd.concat([bars["high"], before], axis=1).max(axis=1) - pd.concat([bars["low"], before], axis=1).min(axis=1)
    return pd.DataFrame(
        {
            "vwap": (bars["close"] * bars["volume"]).groupby(session).cumsum() / by["volume"].cumsum(),
            "short_range_high": by["high"].rolling(300).max().droplevel(0),
            "atr_30s": true_range.groupby(session).rolling(30).mean().droplevel(0),
            "return_60s": bars["close"] / by["close"].shift(60) - 1,
        }
    )


def timed(call):
    """Shortest of three calls: seconds, and the result."""
    best, found = np.inf, None
    for _ in range(3):
        start = time.perf_counter()
        found = call()
        best = min(best, time.perf_counter() - start)
    return best, found


def main():
    """See the module."""
    bars = pl.read_parquet(sys.argv[1], columns=BARS).rechunk()
    frame = bars.with_columns(pl.col("timestamp").dt.replace_time_zone(None)).to_pandas()
    events = pd.Index(range(0, 26_000, 50))  # of the first session: the book's code needs a second for some hundreds

    seconds, ours = timed(lambda: hx.labels(bars, tick=0.25))
    print(f"labels, ours: {seconds / len(bars) * 1e9:.0f} ns a row (six modes, all rows)")
    theirs_seconds, theirs = timed(lambda: triple_barrier(frame, events, 1.5, 3.0, 900))
    assert (theirs.to_numpy() == ours["label_low_vol_long"][events.to_numpy()]).all()
    print(f"labels, pandas as in mlfinlab: {theirs_seconds / len(events) * 1e9:.0f} ns a row (one mode)")

    seconds, ours = timed(lambda: hx.features(bars, tick=0.25))
    print(f"features, ours: {seconds / len(bars) * 1e9:.0f} ns a row (43 columns)")
    for name, call in (("Polars", lambda: polars_features(bars)), ("pandas", lambda: pandas_features(frame))):
        seconds, theirs = timed(call)
        for column in ("short_range_high", "atr_30s", "return_60s"):
            values = theirs[column].to_numpy()
            np.testing.assert_allclose(values, ours[column], rtol=1e-5, atol=1e-9, err_msg=f"{name} {column}")
        print(f"features, {name}: {seconds / len(bars) * 1e9:.0f} ns a row (4 columns)")


if __name__ == "__main__":
    main()
