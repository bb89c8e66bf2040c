"""Bytes of each column in a Parquet of ours, in what Polars writes by default with zstd level 1, and for every encoding pyarrow
has for it, with our row groups. Lists the columns where ours is larger than Polars' or than the best encoding.

    python sizes.py FILE.parquet [--all]
"""

import argparse
import pathlib
import tempfile

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

INTEGERS = {"plain": "PLAIN", "dictionary": None, "delta": "DELTA_BINARY_PACKED", "split": "BYTE_STREAM_SPLIT"}
ENCODINGS = {
    "INT64": INTEGERS,
    "INT32": INTEGERS,
    "DOUBLE": {"plain": "PLAIN", "dictionary": None, "split": "BYTE_STREAM_SPLIT"},
    "FLOAT": {"plain": "PLAIN", "dictionary": None, "split": "BYTE_STREAM_SPLIT"},
}


def column_bytes(metadata):
    """Name -> compressed bytes over all row groups."""
    sizes = {}
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            sizes[column.path_in_schema] = sizes.get(column.path_in_schema, 0) + column.total_compressed_size
    return sizes


def encoded(path, folder):
    """Name -> encoding -> bytes, with the row groups of `path`."""
    source = pq.ParquetFile(path)
    types = {column.name: column.physical_type for column in source.schema}
    sizes = {name: {} for name in types}
    for encoding in INTEGERS:
        chosen = [name for name, physical in types.items() if encoding in ENCODINGS[physical]]
        parquet = {name: ENCODINGS[types[name]][encoding] for name in chosen}
        if encoding == "dictionary":
            options = {"use_dictionary": True}
        else:
            options = {"use_dictionary": False, "column_encoding": parquet}
        target = folder / f"{encoding}.parquet"
        schema = pa.schema([source.schema_arrow.field(name) for name in chosen])
        with pq.ParquetWriter(target, schema, compression="zstd", compression_level=1, **options) as writer:
            for group in range(source.num_row_groups):
                writer.write_table(source.read_row_group(group, columns=chosen).replace_schema_metadata())
        for name, size in column_bytes(pq.read_metadata(target)).items():
            sizes[name][encoding] = size
    return sizes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--all", action="store_true", help="all columns")
    arguments = parser.parse_args()
    metadata = pq.read_metadata(arguments.file)
    ours = column_bytes(metadata)
    encodings = {
        metadata.row_group(0).column(at).path_in_schema: metadata.row_group(0).column(at).encodings
        for at in range(metadata.num_columns)
    }
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        theirs_path = folder / "polars.parquet"
        pl.read_parquet(arguments.file).write_parquet(theirs_path, compression="zstd", compression_level=1)
        theirs = column_bytes(pq.read_metadata(theirs_path))
        sizes = encoded(arguments.file, folder)
        print(f"file: ours {arguments.file.stat().st_size}, Polars {theirs_path.stat().st_size}; "
              f"columns: ours {sum(ours.values())}, Polars {sum(theirs.values())}, "
              f"best of pyarrow {sum(min(of.values()) for of in sizes.values())}, "
              f"best of all {sum(min(theirs[name], ours[name], *of.values()) for name, of in sizes.items())}")
    print(f"{'column':28}{'ours':>9}{'Polars':>9}{'ours/P':>8}" + "".join(f"{name:>11}" for name in INTEGERS) + "  best, ours is")
    for name in sorted(ours, key=lambda name: theirs[name] - ours[name]):
        of = sizes[name]
        if not (arguments.all or ours[name] > min(theirs[name], *of.values()) * 1.01):
            continue
        cells = "".join(f"{of.get(encoding, ''):>11}" for encoding in INTEGERS)
        kept = "/".join(encoding for encoding in encodings[name] if encoding not in ("RLE", "PLAIN")) or "PLAIN"
        print(f"{name:28}{ours[name]:9}{theirs[name]:9}{ours[name] / theirs[name]:8.2f}{cells}  {min(of, key=of.get)}, {kept}")


if __name__ == "__main__":
    main()
