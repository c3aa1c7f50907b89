"""ftl_read_table and ftl_write_table: files as Arrow C streams and streams as files, with pyarrow at the other end."""

import ctypes
import json
import os

import library
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import streams

FORMATS = ["parquet", "arrow", "csv", "jsonl"]


class Tables:
    """A context, and the two functions in it."""

    def __init__(self):
        self.library, self.context = library.load(), ctypes.c_void_p()
        self.call("ftl_context_create", None, ctypes.byref(self.context))
        self.own = 0
        self.own = self.used()  # the context itself

    def call(self, name, *arguments):
        error = library.Error()
        if getattr(self.library, name)(*arguments, ctypes.byref(error)) != 0:
            raise library.ForetellError(error)

    def options(self, keep=(), **others):
        names = (ctypes.c_char_p * len(keep))(*(name.encode() for name in keep))
        return streams.Options(struct_size=ctypes.sizeof(streams.Options), keep=names, n_keep=len(keep), **others)

    def read(self, path, **options):
        out = ctypes.create_string_buffer(streams.STREAM_SIZE)
        self.chosen = self.options(**options)
        self.call("ftl_read_table", self.context, os.fsencode(path), ctypes.byref(self.chosen), out)
        return pa.RecordBatchReader._import_from_c(ctypes.addressof(out))

    def write(self, reader, path, result=None, **options):
        stream = ctypes.create_string_buffer(streams.STREAM_SIZE)
        reader._export_to_c(ctypes.addressof(stream))
        try:
            self.call("ftl_write_table", self.context, stream, os.fsencode(path), ctypes.byref(self.options(**options)),
                      ctypes.byref(result) if result is not None else None)
        finally:
            assert stream.raw[24:32] == bytes(8)  # released in any case

    def used(self):
        self.library.ftl_context_memory_used.restype = ctypes.c_uint64
        return self.library.ftl_context_memory_used(self.context) - self.own


@pytest.fixture()
def tables():
    tables = Tables()
    yield tables
    assert tables.used() == 0
    tables.library.ftl_context_destroy(tables.context)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(5)
    n = 20_000
    return pa.table({"x": pa.array(rng.normal(size=n), mask=rng.random(n) < 0.1), "narrow": rng.normal(size=n).astype("f4"),
                     "id": np.arange(n) + 2**60, "small": pa.array(rng.integers(0, 99, n), pa.int8()),
                     "big": pa.array([2**64 - 1 - i for i in range(n)], pa.uint64()),
                     "flag": pa.array(rng.random(n) < 0.5, mask=rng.random(n) < 0.1),
                     "text": [None if i % 7 == 0 else f"tëxt, {i}" for i in range(n)],
                     "when": pa.array([0] * n, pa.timestamp("us"))})


WIDE = {"small": pa.int64()}  # what the columns of outputs have


def shown(rows):
    rows = rows.drop_columns(["when"])
    return rows.cast(pa.schema([(f.name, WIDE.get(f.name, f.type)) for f in rows.schema]))


def write_with_pyarrow(rows, path, form):
    if form == "parquet":
        pq.write_table(rows, path, row_group_size=3000)
    elif form == "arrow":
        pa.feather.write_feather(rows, path, compression="zstd", chunksize=3000)
    elif form == "csv":
        rows.drop_columns(["when"]).to_pandas().to_csv(path, index=False)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows.drop_columns(["when"]).to_pylist()), encoding="utf-8")


@pytest.mark.parametrize("batch_rows", [0, 777])
@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_files_with_types(tables, rows, tmp_path, form, batch_rows):
    path = tmp_path / f"t.{form}"
    write_with_pyarrow(rows, path, form)
    got = tables.read(path, batch_rows=batch_rows).read_all()
    got.validate(full=True)
    assert got.combine_chunks().equals(shown(rows).combine_chunks())


def test_cells_are_texts(tables, rows, tmp_path):
    write_with_pyarrow(rows, tmp_path / "t.csv", "csv")
    got = tables.read(tmp_path / "t.csv").read_all()
    assert set(got.schema.types) == {pa.string()} and got.num_rows == rows.num_rows
    want = pd.read_csv(tmp_path / "t.csv", dtype=str, keep_default_na=False)
    assert got.to_pandas().equals(want)
    write_with_pyarrow(rows, tmp_path / "t.jsonl", "jsonl")
    got = tables.read(tmp_path / "t.jsonl").read_all()
    assert got["text"].to_pylist() == rows["text"].to_pylist()
    assert [int(cell) for cell in got["big"].to_pylist()] == rows["big"].to_pylist()


def test_chosen_columns_and_rows(tables, rows, tmp_path):
    write_with_pyarrow(rows, tmp_path / "t.parquet", "parquet")
    got = tables.read(tmp_path / "t.parquet", keep=["text", "x"], limit=5000, batch_rows=1024)
    assert got.schema.names == ["text", "x"]
    batches = list(got)
    assert sum(batch.num_rows for batch in batches) == 5000 and max(batch.num_rows for batch in batches) == 1024
    assert pa.Table.from_batches(batches).equals(rows.select(["text", "x"]).slice(0, 5000).combine_chunks())
    with pytest.raises(library.ForetellError, match="no column 'texts'.*did you mean 'text'"):
        tables.read(tmp_path / "t.parquet", keep=["texts"])
    with pytest.raises(library.ForetellError, match="timestamps"):
        tables.read(tmp_path / "t.parquet", keep=["when"])


@pytest.mark.parametrize("form", FORMATS)
def test_streams_become_files(tables, rows, tmp_path, form):
    path, result = tmp_path / f"out.{form}", streams.Result(struct_size=40)
    tables.write(rows.to_reader(max_chunksize=999), path, result=result)
    assert result.rows_read == result.rows_written == rows.num_rows
    if form == "parquet":
        assert pq.read_table(path).equals(shown(rows))
    elif form == "arrow":
        assert pa.feather.read_table(path).combine_chunks().equals(shown(rows).combine_chunks())
    elif form == "csv":
        got = pd.read_csv(path, float_precision="round_trip")
        np.testing.assert_array_equal(got["x"], rows["x"].to_pandas())
        assert list(got["big"]) == rows["big"].to_pylist()
    else:
        got = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert [row["text"] for row in got] == rows["text"].to_pylist()
        assert [row["flag"] for row in got] == rows["flag"].to_pylist()


def test_there_and_back(tables, rows, tmp_path):
    tables.write(rows.to_reader(), tmp_path / "a.parquet", keep=["id", "text"])
    tables.write(tables.read(tmp_path / "a.parquet"), tmp_path / "b.arrow")
    tables.write(tables.read(tmp_path / "b.arrow"), tmp_path / "c.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "c.parquet").read_bytes()


def test_failures_leave_nothing(tables, rows, tmp_path):
    def broken():
        yield rows.to_batches()[0]
        raise OSError("the source broke")

    with pytest.raises(library.ForetellError, match="the source broke"):
        tables.write(pa.RecordBatchReader.from_batches(rows.schema, broken()), tmp_path / "out.parquet")
    with pytest.raises(library.ForetellError, match=r"its name says Excel"):
        tables.write(rows.to_reader(), tmp_path / "out.xlsx")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(library.ForetellError, match="No such file"):
        tables.read(tmp_path / "none.csv")
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n3\n", encoding="utf-8")
    with pytest.raises((OSError, pa.ArrowInvalid), match="SHAPE: line 3: 1 cell where the header has 2"):
        tables.read(tmp_path / "ragged.csv").read_all()
    (tmp_path / "only.parquet").unlink(missing_ok=True)
    pq.write_table(rows.select(["when"]), tmp_path / "only.parquet")
    with pytest.raises(library.ForetellError, match="no column of a type that is read"):
        tables.read(tmp_path / "only.parquet")


def test_a_stream_that_is_let_go_early(tables, rows, tmp_path):
    write_with_pyarrow(rows, tmp_path / "t.parquet", "parquet")
    reader = tables.read(tmp_path / "t.parquet", batch_rows=10)
    first = reader.read_next_batch()
    assert tables.used() > 0
    del reader
    assert tables.used() == 0 and first.num_rows == 10 and first.column("id")[3].as_py() == 2**60 + 3
