#!/usr/bin/env python3
"""Writes fuzz/corpus/arrow_ipc: small Arrow IPC files and streams of every kind, by pyarrow.

The first byte of a seed is the fuzz target's choice of what is read how.
"""

import decimal
import pathlib

import pyarrow as pa
from pyarrow import ipc

FOLDER = pathlib.Path(__file__).resolve().parent / "corpus/arrow_ipc"
NUMBERS = [pa.int8(), pa.uint16(), pa.int32(), pa.uint64(), pa.float16(), pa.float32(), pa.float64()]
TEXTS = [pa.string(), pa.large_string(), pa.string_view()]


def table():
    texts = ["a", None, "a text that is longer than twelve bytes", "", "é"]
    columns = {f"n{i}": pa.array([1, 0, None, 3, 2], pa.int8()).cast(kind) for i, kind in enumerate(NUMBERS)}
    columns |= {f"t{i}": pa.array(texts, kind) for i, kind in enumerate(TEXTS)}
    columns |= {"b": pa.array([True, None, False, True, True]), "z": pa.nulls(5),
                "d": pa.array(texts).dictionary_encode(), "e": pa.array([1.5, None, 2.5, 1.5, 0]).dictionary_encode()}
    return pa.RecordBatch.from_pydict(columns)


def others():
    return pa.RecordBatch.from_pydict({
        "when": pa.array([0] * 3, pa.timestamp("us")), "x": [1.0, 2.0, None], "l": [[1], None, [2, 3]],
        "v": pa.array([["a longer text of a view"], [], None], pa.list_(pa.string_view())), "s": ["p", "q", None],
        "u": pa.UnionArray.from_sparse(pa.array([0, 1, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])]),
        "t": pa.array(["a", "another text of a view", None], pa.string_view())})


def growing():
    return [pa.RecordBatch.from_arrays([pa.DictionaryArray.from_arrays(
        pa.array([0, None, n - 1, n // 2], pa.int8()), pa.array([f"value {i}" if i != 2 else None for i in range(n)]))], ["d"])
        for n in (2, 3, 5, 9, 10)]


def changing():
    return [pa.RecordBatch.from_arrays([pa.DictionaryArray.from_arrays(
        pa.array([0, None, 1], pa.int16()), pa.array([f"{n}", f"{n + 1}"]))], ["d"]) for n in range(3)]


def decimals():
    kinds = [pa.decimal32(9, 2), pa.decimal64(18, 0), pa.decimal128(38, 20), pa.decimal256(76, 40)]
    return pa.RecordBatch.from_pydict({f"d{i}": pa.array([decimal.Decimal("1.5") if i != 1 else decimal.Decimal(3), None,
                                                          decimal.Decimal(-20)], kind) for i, kind in enumerate(kinds)})


def decimal_deltas():
    return [pa.RecordBatch.from_arrays([pa.DictionaryArray.from_arrays(
        pa.array([0, None, n - 1], pa.int8()), pa.array([decimal.Decimal(i) for i in range(n)], pa.decimal128(5, 1)))], ["d"])
        for n in (2, 5, 6)]


def written(batches, make=ipc.new_stream, **options):
    sink = pa.BufferOutputStream()
    with make(sink, batches[0].schema, options=ipc.IpcWriteOptions(**options)) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def seeds():
    batch = table()
    parts = [batch.slice(0, 2), batch.slice(2, 3)]
    for name, make in (("file", ipc.new_file), ("stream", ipc.new_stream)):
        yield f"{name}_types", written(parts, make)
        yield f"{name}_lz4", written([batch], make, compression="lz4")
        yield f"{name}_zstd", written([batch], make, compression="zstd")
        yield f"{name}_others", written([others()], make)
        yield f"{name}_v4", written([others()], make, metadata_version=ipc.MetadataVersion.V4)
        yield f"{name}_old", written(parts, make, use_legacy_format=True)
        yield f"{name}_deltas", written(growing(), make, emit_dictionary_deltas=True)
    yield "stream_replaced", written(changing())
    yield "file_decimals", written([decimals()], ipc.new_file)
    yield "stream_decimals", written([decimals()])
    yield "stream_decimal_deltas", written(decimal_deltas(), emit_dictionary_deltas=True)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for i, (name, data) in enumerate(seeds()):
        for way, choice in (("", i % 7), ("_piped", 32 + i % 7), ("_kept", 16 + i % 7)):
            (FOLDER / f"{name}{way}").write_bytes(bytes([choice]) + data)


if __name__ == "__main__":
    main()
