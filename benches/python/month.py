"""A month from DBN to Parquet in Python: numpy, Polars and Numba, the same 61 columns as `harness run`.

    python month.py IN.dbn.zst OUT.parquet [--writer pyarrow|pyarrow-split|polars] [--labels scan|one-pass]
        [--verify OURS.parquet]

One file holds one month. Prints seconds (wall, without imports and compilation), CPU seconds, peak memory, seconds by stage
and the size of the file as JSON.
"""

import argparse
import datetime
import json
import os
import re
import resource
import time
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import databento_dbn as dbn
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

import features
import labels
from bars import Bars, Settings
from columns import COLUMNS
from verify import verify

DAY = 86_400
SECOND = 1_000_000_000
LABELS = {
    "scan": lambda bars: labels.all_modes(bars, labels.scan_parallel),
    "one-pass": lambda bars: labels.at_once(bars, labels.one_pass_parallel),
}
# Nothing traded for this long at the end of the window makes a short day.
SHORT = 15 * 60


def decode(path):
    """Header, and the records as one structured array: the fastest way, the package's own decoder makes an object of each."""
    with pa.input_stream(path, compression="zstd" if path.endswith(".zst") else None) as stream:
        data = stream.read()
    header = 8 + int.from_bytes(data[4:8], "little")
    metadata = dbn.Metadata.decode(data[:header])
    if metadata.schema != dbn.Schema.OHLCV_1S:
        raise SystemExit(f"{path}: schema {metadata.schema}, not ohlcv-1s")
    return metadata, np.frombuffer(data, np.dtype(dbn.OHLCVMsg._dtypes), offset=header)


def outrights(metadata, root):
    """Symbol, delivery (year, month), instrument id and UTC days it is valid for."""
    start = datetime.datetime.fromtimestamp(metadata.start / SECOND, datetime.UTC)
    for symbol, intervals in metadata.mappings.items():
        match = re.fullmatch(re.escape(root) + r"([FGHJKMNQUVXZ])(\d{1,2})", symbol)
        if not match:
            continue
        month, digits = "FGHJKMNQUVXZ".index(match[1]) + 1, match[2]
        modulus = 10 ** len(digits)
        year = start.year + (int(digits) - start.year) % modulus
        # What has expired does not trade.
        if (year, month) < (start.year, start.month):
            year += modulus
        for interval in intervals:
            yield (year, month), symbol, int(interval["symbol"]), interval["start_date"], interval["end_date"]


def clean(records, tick):
    """Time, open, high, low, close (ticks) and volume of the records that pass the rules of docs/spec.md section 2, in order of time."""
    names = ("open", "high", "low", "close")
    prices = [np.ascontiguousarray(records[name]) for name in names]
    ticks = [price // tick for price in prices]
    nanos, volume = records["ts_event"], records["volume"].astype(np.int64)
    time = nanos // SECOND
    o, h, l, c = ticks
    good = (time * SECOND == nanos) & (volume > 0)
    good &= (l <= o) & (o <= h) & (l <= c) & (c <= h)
    for price, whole in zip(prices, ticks):
        good &= (price > 0) & (price != dbn.UNDEF_PRICE) & (whole * tick == price)
    columns = [time.astype(np.int64), *(whole.astype(np.int32) for whole in ticks), volume]
    if not good.all():
        columns = [column[good] for column in columns]
    step = np.diff(columns[0])
    if (step <= 0).any():
        order = np.argsort(columns[0], kind="stable")
        columns = [column[order] for column in columns]
        again = np.flatnonzero(np.diff(columns[0]) == 0) + 1
        if any((column[again] != column[again - 1]).any() for column in columns):
            raise SystemExit("two records of one contract and second differ")
        columns = [np.delete(column, again) for column in columns]
    return columns


def contracts(metadata, records, settings):
    """(expiry, columns) of each outright, by expiry. Spreads and other roots are never looked at."""
    parts = {}
    ids = np.ascontiguousarray(records["instrument_id"])
    mappings = list(outrights(metadata, settings.root))
    for expiry, symbol, instrument, first, end in mappings:
        chosen = ids == instrument
        if len([None for mapping in mappings if mapping[2] == instrument]) > 1:
            day = records["ts_event"] // (DAY * SECOND)
            since_1970 = [(date - datetime.date(1970, 1, 1)).days for date in (first, end)]
            chosen &= (day >= since_1970[0]) & (day < since_1970[1])
        if chosen.any():
            parts.setdefault((expiry, symbol), []).append(records[chosen])
    cleaned = [(key[0], clean(np.concatenate(part), settings.tick_nanos)) for key, part in sorted(parts.items())]
    return [(expiry, columns) for expiry, columns in cleaned if len(columns[0])]


def sessions(contracts, settings):
    """The grid: every second of the session of each date's front contract."""
    zone = ZoneInfo(settings.time_zone)
    utc = lambda date, second: int(
        (datetime.datetime.combine(date, datetime.time()) + datetime.timedelta(seconds=second)).replace(tzinfo=zone).timestamp()
    )
    first = min(columns[0][0] for _, columns in contracts)
    last = max(columns[0][-1] for _, columns in contracts)
    date, end = (datetime.datetime.fromtimestamp(int(second), zone).date() for second in (first, last))
    running = [np.concatenate(([0], np.cumsum(columns[5]))) for _, columns in contracts]
    front, parts, months = None, [], set()
    while date <= end:
        window = [utc(date, second) for second in (0, settings.session_start, settings.session_end)]
        rows = [np.searchsorted(columns[0], window) for _, columns in contracts]
        date += datetime.timedelta(days=1)
        volume = [int(total[b] - total[a]) for total, (_, a, b) in zip(running, rows)]
        eligible = [k for k, (expiry, _) in enumerate(contracts) if front is None or expiry >= contracts[front][0]]
        best = max(eligible, key=lambda k: volume[k])
        if volume[best] == 0:
            continue
        front = best
        parts.append(lay_out(contracts[front][1], rows[front], window))
        months.add((date - datetime.timedelta(days=1)).strftime("%Y-%m"))
    if len(months) != 1:
        raise SystemExit(f"the file holds {len(months)} months, not one")
    starts = np.concatenate(([0], np.cumsum([len(part[0]) for part in parts])))
    return Bars(settings, *map(np.concatenate, zip(*parts)), starts)


def lay_out(columns, rows, window):
    """One session second by second; a second without a trade repeats the close before it."""
    time, open_, high, low, close, volume = columns
    midnight, a, b = rows
    begin, end = window[1] if a > midnight else int(time[a]), window[2]
    if end - 1 - time[b - 1] >= SHORT:
        end = int(time[b - 1]) + 1
    at = time[a:b] - begin
    source = np.full(end - begin, a - 1)
    source[at] = np.arange(a, b)
    last = close[np.maximum.accumulate(source)]
    out = [np.arange(begin, end), last.copy(), last.copy(), last.copy(), last, np.zeros(end - begin, np.int64)]
    for column, values in zip(out[1:], (open_, high, low, close, volume)):
        column[at] = values[a:b]
    return out


def assemble(bars, columns, frame):
    """The 61 columns in their order; what is not defined is NaN."""
    points = {name: getattr(bars, name).astype(float) * bars.settings.tick_nanos / 1e9 for name in COLUMNS[1:5]}
    timestamp = pl.Series((bars.time * SECOND).view("datetime64[ns]")).dt.replace_time_zone("UTC")
    frame = frame.with_columns(pl.col(pl.Float32).fill_null(np.nan))
    return frame.with_columns(timestamp=timestamp, volume=bars.volume, **points, **columns).select(COLUMNS)


def write(frame, path, writer):
    """zstd level 1 in each case."""
    if writer == "polars":
        frame.write_parquet(path, compression="zstd", compression_level=1)
        return
    options = {}
    if writer == "pyarrow-split":
        floats = [name for name in COLUMNS if frame.schema[name] == pl.Float32]
        options = {"use_dictionary": [name for name in COLUMNS if name not in floats], "use_byte_stream_split": floats}
    pq.write_table(frame.to_arrow(), path, compression="zstd", compression_level=1, **options)


def compile_kernels():
    """Ten rows through every Numba function."""
    prices = [np.full(10, 100, np.int32) for _ in range(4)]
    bars = Bars(Settings(), np.arange(10), *prices, np.ones(10, np.int64), np.array([0, 10]))
    for compute in LABELS.values():
        compute(bars)
    features.retouches(bars)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--writer", choices=("pyarrow", "pyarrow-split", "polars"), default="pyarrow")
    parser.add_argument("--labels", choices=LABELS, default="scan", help="scan mode by mode, or one pass for all")
    parser.add_argument("--verify", metavar="PARQUET", help="made by `harness process` from the same file")
    parser.add_argument("--root", default=Settings.root)
    parser.add_argument("--tick-size", type=float, default=Settings().tick)
    arguments = parser.parse_args()
    settings = Settings(root=arguments.root, tick_nanos=round(arguments.tick_size * 1e9))

    compile_kernels()
    stages = {}

    @contextmanager
    def stage(name):
        start = time.perf_counter()
        yield
        stages[name] = time.perf_counter() - start

    cpu, wall = time.process_time(), time.perf_counter()
    with stage("decode"):
        metadata, records = decode(arguments.input)
    with stage("clean"):
        by_contract = contracts(metadata, records, settings)
        count = len(records)
        del records
    with stage("sessions"):
        bars = sessions(by_contract, settings)
    with stage("labels"):
        columns = LABELS[arguments.labels](bars)
    with stage("features"):
        frame = features.features(bars.frame, settings.tick)
    with stage("retouches"):
        columns |= features.retouches(bars)
    with stage("assemble"):
        frame = assemble(bars, columns, frame)
    with stage("write"):
        write(frame, arguments.output, arguments.writer)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    result = {
        "writer": arguments.writer,
        "labels": arguments.labels,
        "records": count,
        "rows": bars.rows,
        "seconds": wall,
        "cpu_seconds": cpu,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "bytes": os.path.getsize(arguments.output),
        "stages": stages,
    }
    if arguments.verify:
        verify(arguments.verify, pl.read_parquet(arguments.output).to_dict())
        result["verified_columns"] = len(COLUMNS)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
