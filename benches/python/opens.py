"""Opens a Parquet of ours in pandas, Polars, DuckDB, pyarrow and, with --spark, Spark 4, and compares the 61 columns' names and
types with docs/spec.md section 5, the number of rows, the first and last timestamp and the sum of every label.

    python opens.py FILE.parquet [--spark]
"""

import argparse

from columns import COLUMNS

NAMES = {
    # reader: int64, float64, float32, int8, timestamp
    "pandas": ("int64", "float64", "float32", "int8", "datetime64[ns, UTC]"),
    "polars": ("Int64", "Float64", "Float32", "Int8", "Datetime(time_unit='ns', time_zone='UTC')"),
    "duckdb": ("BIGINT", "DOUBLE", "FLOAT", "TINYINT", "TIMESTAMPTZ_NS"),
    "pyarrow": ("int64", "double", "float", "int8", "timestamp[ns, tz=UTC]"),
    # Spark has no nanoseconds: read as a number.
    "spark": ("bigint", "double", "float", "tinyint", "bigint"),
}
LABELS = [name for name in COLUMNS if name.startswith("label_")]


def expected(reader, name):
    int64, float64, float32, int8, timestamp = NAMES[reader]
    if name == "timestamp":
        return timestamp
    if name in ("open", "high", "low", "close"):
        return float64
    if name == "volume":
        return int64
    return int8 if name.startswith(("label_", "is_")) else float32


def with_pandas(path):
    import pandas

    frame = pandas.read_parquet(path)
    times = frame["timestamp"].astype("int64")
    types = {name: str(frame[name].dtype) for name in frame.columns}
    return types, len(frame), times.min(), times.max(), [frame[name].sum() for name in LABELS]


def with_polars(path):
    import polars

    frame = polars.read_parquet(path)
    times = frame["timestamp"].dt.epoch("ns")
    types = {name: str(data_type) for name, data_type in frame.schema.items()}
    return types, len(frame), times.min(), times.max(), [frame[name].cast(polars.Int64).sum() for name in LABELS]


def with_duckdb(path):
    import duckdb

    table = duckdb.read_parquet(path)
    types = dict(zip(table.columns, map(str, table.types)))
    sums = ", ".join(f"sum({name})" for name in LABELS)
    result = table.aggregate(f"count(*), epoch_ns(min(timestamp)), epoch_ns(max(timestamp)), {sums}")
    [(rows, first, last, *labels)] = result.fetchall()
    return types, rows, first, last, labels


def with_pyarrow(path):
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    times = table["timestamp"].cast("int64")
    types = {field.name: str(field.type) for field in table.schema}
    labels = [pc.sum(table[name]).as_py() for name in LABELS]
    return types, table.num_rows, pc.min(times).as_py(), pc.max(times).as_py(), labels


def with_spark(path):
    from pyspark.sql import SparkSession, functions

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", False)
    session = builder.config("spark.sql.legacy.parquet.nanosAsLong", True).getOrCreate()
    frame = session.read.parquet(path)
    sums = [functions.sum(name) for name in LABELS]
    times = functions.min("timestamp"), functions.max("timestamp")
    rows, first, last, *labels = frame.agg(functions.count("*"), *times, *sums).first()
    return dict(frame.dtypes), rows, first, last, labels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--spark", action="store_true", help="Spark too: needs pyspark and Java 17")
    arguments = parser.parse_args()
    readers = {"pyarrow": with_pyarrow, "pandas": with_pandas, "polars": with_polars, "duckdb": with_duckdb}
    if arguments.spark:
        readers["spark"] = with_spark
    wrong, figures = [], {}
    for reader, read in readers.items():
        types, *rest = read(arguments.file)
        figures[reader] = [int(rest[0]), int(rest[1]), int(rest[2]), list(map(int, rest[3]))]
        if list(types) != COLUMNS:
            wrong.append(f"{reader}: not the 61 columns in their order: {list(types)}")
        for name, found in types.items():
            if name in COLUMNS and found != expected(reader, name):
                wrong.append(f"{reader}: {name} is {found} instead of {expected(reader, name)}")
        if figures[reader] != figures["pyarrow"]:
            wrong.append(f"{reader}: rows, times and sums {figures[reader]} instead of {figures['pyarrow']}")
        print(f"{reader}: {len(types)} columns, {rest[0]} rows")
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
