#!/usr/bin/env python3
"""Writes the seed corpus of fuzz_parquet: fuzz/corpus/parquet. Each is a byte that chooses how rows are asked for, then a file.

Needs pyarrow. The seeds are committed, and unit tests damage them; run this only to change them.
"""

import decimal
import io
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).resolve().parent
ROWS = 40


def gaps(values, every=3):
    return [None if i % every == 1 else v for i, v in enumerate(values)]


def columns():
    rows = range(ROWS)
    return {
        "b": pa.array(gaps([i % 3 == 0 for i in rows])),
        "i": pa.array(gaps([i * i % 7 - 3 for i in rows]), pa.int32()),
        "l": pa.array([i << i for i in rows], pa.int64()),
        "u": pa.array(gaps([i % 5 for i in rows], 7), pa.uint64()),
        "h": pa.array([i / 8 for i in rows], pa.float16()),
        "f": pa.array(gaps([i / 4 for i in rows], 4), pa.float32()),
        "d": pa.array([i % 9 / 3 for i in rows]),
        "s": pa.array(gaps([f"text {i % 6}" * (i % 4) for i in rows], 5)),
        "m": pa.array(gaps([decimal.Decimal(i * 1234567890123).scaleb(-8) for i in rows], 6),
                      pa.decimal128(38, 8)),
        "n": pa.nulls(ROWS),
        "t": pa.array(rows, pa.timestamp("us")),
        "x": pa.array([[i, i] for i in rows]),
    }


def seeds():
    everything = pa.table(columns())
    texts = everything.select(["s", "i", "l"])
    numbers = everything.select(["i", "l", "h", "f", "d", "m"])
    small = dict(data_page_size=60, write_batch_size=8, row_group_size=25)
    yield "plain", everything, dict(use_dictionary=False, compression="none")
    yield "dictionary", everything, dict(compression="none", data_page_version="2.0")
    yield "pages", everything.select(["b", "i", "s", "d"]), dict(compression="none", **small)
    yield "delta", texts, dict(use_dictionary=False, compression="none", column_encoding={
        "s": "DELTA_BYTE_ARRAY", "i": "DELTA_BINARY_PACKED", "l": "DELTA_BINARY_PACKED"})
    yield "lengths", texts, dict(use_dictionary=False, compression="none", data_page_version="2.0", column_encoding={
        "s": "DELTA_LENGTH_BYTE_ARRAY", "i": "DELTA_BINARY_PACKED", "l": "DELTA_BINARY_PACKED"}, **small)
    yield "split", numbers, dict(use_dictionary=False, compression="none",
                                 column_encoding={n: "BYTE_STREAM_SPLIT" for n in numbers.column_names})
    for codec in ("snappy", "gzip", "zstd", "lz4"):
        yield codec, everything.select(["i", "s", "d"]), dict(compression=codec, write_page_checksum=codec == "gzip")


def main():
    folder = HERE / "corpus/parquet"
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, table, options) in enumerate(seeds()):
        out = io.BytesIO()
        options = {"row_group_size": 30, **options}
        pq.write_table(table, out, store_schema=False, write_statistics=False, **options)
        (folder / name).write_bytes(bytes([number]) + out.getvalue())


if __name__ == "__main__":
    main()
