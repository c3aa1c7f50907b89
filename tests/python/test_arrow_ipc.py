"""Arrow IPC files and streams of pyarrow and polars give what CSV files of the same rows give, in both directions."""

import decimal
import itertools
import shutil
import subprocess

import duckdb
import ftl
import joblib
import library
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import test_arrow
from pyarrow import feather, ipc
from sklearn.linear_model import LinearRegression

COMPRESSIONS = [None, "lz4", "zstd"]
TYPES = [*test_arrow.NUMBERS, *test_arrow.TEXTS, *test_arrow.DICTIONARIES]
REFUSED = [
    (pa.array([0] * 3, pa.timestamp("us", "UTC")), "a timestamp"), (pa.array([0] * 3, pa.date32()), "a date"),
    (pa.array([0] * 3, pa.time32("s")), "a time of day"), (pa.array([0] * 3, pa.duration("s")), "a duration"),
    (pa.array([[1], [2, 3], None]), "a list"),
    (pa.array([[1], [2, 3], []], pa.large_list(pa.int8())), "a list"), (pa.array([{"a": 1, "b": "x"}] * 3), "a struct"),
    (pa.array([[("a", 1)]] * 3, pa.map_(pa.string(), pa.int8())), "a map"), (pa.array([b"a"] * 3), "bytes"),
    (pa.array([b"a"] * 3, pa.large_binary()), "large bytes"), (pa.array([b"ab"] * 3, pa.binary(2)), "bytes of a fixed"),
    (pa.array([b"a longer text of bytes"] * 3, pa.binary_view()), "a view of bytes"),
    (pa.array([[1, 2]] * 3, pa.list_(pa.int8(), 2)), "a list"), (pa.array([[1], [], None], pa.list_view(pa.int8())), "a list view"),
    (pa.array([b"a"] * 3).dictionary_encode(), "a dictionary of bytes"),
    (pa.array([["a longer text than twelve"], [], ["b"]], pa.list_(pa.string_view())), "a list"),
    (pa.array([["x"], ["y", "x"], []], pa.list_(pa.dictionary(pa.int8(), pa.string()))), "a list"),
    (pa.RunEndEncodedArray.from_arrays(pa.array([1, 3], pa.int32()), pa.array(["a", "b"])), "a run-end encoded array"),
    (pa.UnionArray.from_sparse(pa.array([0, 1, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])]), "a union"),
    (pa.UnionArray.from_dense(pa.array([0, 1, 0], pa.int8()), pa.array([0, 0, 1], pa.int32()),
                              [pa.array([1, 2]), pa.array(["a"])]), "a union")]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    frame = test_arrow.rows(1)
    joblib.dump(test_arrow.pipeline().fit(frame, test_arrow.target(frame)), folder / "pipeline.joblib")
    double = LinearRegression().fit(pd.DataFrame({"x": [1.0, 2, 3]}), [2.0, 4, 6])
    double.coef_, double.intercept_ = np.array([2.0]), 0.0
    joblib.dump(double, folder / "x.joblib")
    return folder


def write(path, batches, **options):
    """A file, or a stream where the name ends so."""
    schema = batches[0].schema
    make = ipc.new_stream if str(path).endswith("s") else ipc.new_file
    with make(str(path), schema, options=ipc.IpcWriteOptions(**options)) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return path


def predict(model, source, out, *options, **kwargs):
    process = ftl.run("predict", model, source, "-o", out, *options, **kwargs)
    assert process.returncode in (0, 5), process.stderr
    return out.read_text(encoding="utf-8") if out.suffix == ".csv" else None


def piped(model, source, out, *options):
    with subprocess.Popen(["cat", source], stdout=subprocess.PIPE) as cat:
        return predict(model, "-", out, *options, stdin=cat.stdout)


def csv_of(model, frame, folder, *options):
    frame.to_csv(folder / "rows.csv", index=False)
    return predict(model, folder / "rows.csv", folder / "expected.csv", *options)


# ---- Reading ----


@pytest.mark.parametrize("kind", TYPES, ids=str)
@pytest.mark.parametrize("compression", COMPRESSIONS, ids=str)
def test_number_columns_of_every_type(models, kind, compression, tmp_path):
    frame = test_arrow.rows(2)
    model = models / "pipeline.joblib"
    expected = csv_of(model, frame, tmp_path, "--proba")
    batch = test_arrow.batch_of(frame, amount=kind)
    for name in ("t.arrow", "t.arrows"):
        # slices: their buffers are cut to size by the writer, and validity begins within bytes
        path = write(tmp_path / name, [batch.slice(0, 13), batch.slice(13, 0), batch.slice(13, 30), batch.slice(43)],
                     compression=compression)
        assert predict(model, path, tmp_path / "out.csv", "--proba") == expected
        assert predict(model, path, tmp_path / "out.csv", "--proba", "--batch-size", "7") == expected
        assert piped(model, path, tmp_path / "out.csv", "--proba") == expected


@pytest.mark.parametrize("kind", [*test_arrow.INTEGERS, *test_arrow.TEXTS, *test_arrow.DICTIONARIES[:3],
                                  *test_arrow.DICTIONARIES[4:7]], ids=str)
def test_text_columns_of_every_type(models, kind, tmp_path):
    frame = test_arrow.rows(3)
    model = models / "pipeline.joblib"
    expected = csv_of(model, frame, tmp_path, "--proba")
    batch = test_arrow.batch_of(frame, code=kind, plan=pa.string_view())
    for name, compression in itertools.product(("t.arrow", "t.arrows"), COMPRESSIONS):
        path = write(tmp_path / name, [batch], compression=compression)
        assert predict(model, path, tmp_path / "out.csv", "--proba") == expected
        assert piped(model, path, tmp_path / "out.csv", "--proba") == expected


def test_decimals_are_rounded_once(models, tmp_path):
    """The double nearest to it, of every width and scale; what Parquet gives of the same rows."""
    rng = np.random.default_rng(6)
    columns = {"x": pa.array([1.5] * 400)}
    for kind in (pa.decimal32(9, 4), pa.decimal64(18, 18), pa.decimal128(38, 37), pa.decimal128(38, -5), pa.decimal256(76, 40)):
        digits = [int(rng.integers(1, kind.precision + 1)) for _ in range(400)]
        values = [None if n % 11 == 0 else decimal.Decimal(int("".join(map(str, rng.integers(0, 10, n)))) * (-1) ** n)
                  for n in digits]
        whole = pa.array(values, {4: pa.decimal32, 8: pa.decimal64, 16: pa.decimal128, 32: pa.decimal256}[
            kind.byte_width](kind.precision, 0))
        columns[str(kind)] = pa.Array.from_buffers(kind, 400, whole.buffers())
    batch = pa.RecordBatch.from_pydict(columns)
    for name in ("t.arrow", "t.arrows"):
        predict(models / "x.joblib", write(tmp_path / name, [batch]), tmp_path / "out.parquet", "--keep", "*")
        table = pq.read_table(tmp_path / "out.parquet")
        for column, values in columns.items():
            assert table[column].type == pa.float64()
            assert table[column].to_pylist() == [None if v is None else float(v) for v in values.to_pylist()], column
    stored = {name: c for name, c in columns.items() if not pa.types.is_decimal(c.type) or c.type.scale >= 0}
    pq.write_table(pa.table(stored), tmp_path / "t.parquet")
    predict(models / "x.joblib", tmp_path / "t.parquet", tmp_path / "same.parquet", "--keep", "*")
    same = pq.read_table(tmp_path / "same.parquet")
    assert same.equals(table.select(same.schema.names))


def test_dictionaries_of_decimals_grow(models, tmp_path):
    batches = [pa.RecordBatch.from_arrays([pa.array([1.0] * 3), pa.DictionaryArray.from_arrays(
        pa.array([0, None, n - 1], pa.int8()), pa.array([decimal.Decimal(i) / 2 for i in range(n)], pa.decimal128(5, 1)))],
        ["x", "d"]) for n in (2, 5, 6, 90)]
    path = write(tmp_path / "t.arrows", batches, emit_dictionary_deltas=True)
    predict(models / "x.joblib", path, tmp_path / "out.parquet", "--keep", "d")
    assert pq.read_table(tmp_path / "out.parquet")["d"].to_pylist() == [
        value for n in (2, 5, 6, 90) for value in (0.0, None, (n - 1) / 2)]


@pytest.mark.parametrize("options", [{"metadata_version": ipc.MetadataVersion.V4}, {"use_legacy_format": True},
                                     {"use_legacy_format": True, "metadata_version": ipc.MetadataVersion.V4}], ids=str)
def test_older_forms(models, options, tmp_path):
    frame = test_arrow.rows(4)
    model = models / "pipeline.joblib"
    expected = csv_of(model, frame, tmp_path)
    batch = test_arrow.batch_of(frame)
    batch = batch.add_column(0, "u", pa.UnionArray.from_sparse(
        pa.array([0] * 60, pa.int8()), [pa.array(range(60))])) if len(options) == 1 and "metadata_version" in options else batch
    for name in ("t.arrow", "t.arrows"):
        path = write(tmp_path / name, [batch], **options)
        assert predict(model, path, tmp_path / "out.csv") == expected
        assert piped(model, path, tmp_path / "out.csv") == expected


def test_null_columns_and_nulls_everywhere(models, tmp_path):
    frame = test_arrow.rows(7)
    frame["amount"] = np.nan
    frame.loc[::7, "plan"] = None
    model = models / "pipeline.joblib"
    expected = csv_of(model, frame, tmp_path, "--proba")
    for plan in (*test_arrow.TEXTS, pa.dictionary(pa.int16(), pa.string())):
        batch = test_arrow.batch_of(frame, amount=pa.null(), plan=plan)
        for name in ("t.arrow", "t.arrows"):
            path = write(tmp_path / name, [batch])
            assert predict(model, path, tmp_path / "out.csv", "--proba") == expected


def test_missing_text_is_not_the_empty_text(models, tmp_path):
    """As in record batches: a text file has no nulls, an Arrow file has."""
    frame = test_arrow.rows(8)
    table = pa.table(test_arrow.batch_of(frame))
    plans = ["", None] * 30
    table = table.set_column(table.schema.get_field_index("plan"), "plan", pa.array(plans))
    model = models / "pipeline.joblib"
    path = write(tmp_path / "t.arrow", table.to_batches())
    predict(model, path, tmp_path / "out.arrow", "--proba", "--keep", "plan")
    result = feather.read_table(tmp_path / "out.arrow")
    assert result["plan"].to_pylist() == plans
    with library.Session(model, "predict_proba") as session:
        same = session.predict(table.combine_chunks().to_batches()[0], "predict_proba")
    assert same.column(0).to_pylist() == result["probability_no"].to_pylist()


@pytest.mark.parametrize("kind", [*test_arrow.TEXTS, pa.dictionary(pa.int8(), pa.string())], ids=str)
def test_empty_texts_may_be_missing(models, kind, tmp_path):
    frame = test_arrow.rows(11)
    frame["plan"] = ["", None, "plus"] * 20
    model = models / "pipeline.joblib"
    batch = test_arrow.batch_of(frame, plan=kind)
    assert batch.column("plan").null_count == 20
    expected = csv_of(model, frame, tmp_path, "--proba")  # where both are missing
    path = write(tmp_path / "t.arrow", [batch.slice(0, 3), batch.slice(3)])
    for size in ("1000", "7"):
        assert predict(model, path, tmp_path / "out.csv", "--proba", "--empty", "missing", "--batch-size", size) == expected
    predict(model, path, tmp_path / "out.arrow", "--keep", "plan", "--empty", "missing")
    assert read_all(tmp_path / "out.arrow")["plan"].to_pylist() == ["", None, "plus"] * 20  # what is kept stays


@pytest.mark.parametrize("array, words", REFUSED, ids=[words + str(i) for i, (_, words) in enumerate(REFUSED)])
@pytest.mark.parametrize("version", [ipc.MetadataVersion.V4, ipc.MetadataVersion.V5], ids=["V4", "V5"])
@pytest.mark.parametrize("compression", COMPRESSIONS, ids=str)
def test_types_that_no_model_takes(models, array, words, version, compression, tmp_path):
    """They are in nobody's way, wherever they stand, and refused by name when they are wanted."""
    batch = pa.RecordBatch.from_pydict({
        "before": ["a", None, "a text of some length"], "odd": array, "v": pa.array(["a text of some length", "", None], pa.string_view()),
        "x": [1.0, 2.0, None], "other": array})
    for name in ("t.arrow", "t.arrows"):
        path = write(tmp_path / name, [batch], metadata_version=version, compression=compression)
        for run in (predict, piped):
            text = run(models / "x.joblib", path, tmp_path / "out.csv", "--keep", "before,v", "--on-error", "null")
            assert text == ("before,v,prediction\na,a text of some length,2.0\n,,4.0\na text of some length,,\n")
        process = ftl.run("predict", models / "x.joblib", path, "--keep", "odd")
        assert process.returncode == 4
        assert f"column 1 'odd' is {words}" in process.stderr


@pytest.mark.parametrize("name", ["t.arrows", "t.arrow"])
@pytest.mark.parametrize("value", [pa.string(), pa.large_string(), pa.string_view(), pa.int64(), pa.float32(), pa.bool_()], ids=str)
@pytest.mark.parametrize("nulls", [False, True])
def test_deltas(models, name, value, nulls, tmp_path):
    """A dictionary that grows from batch to batch, often."""
    values = ["1", "0"] if value == pa.bool_() else [str(i) for i in range(40)]
    if nulls:
        values.insert(1, None)
    batches = []
    for n in range(1, len(values) + 1):
        plain = pa.array([v if v is None or "string" in str(value) else convert(v, value) for v in values[:n]], value)
        indices = pa.array([None if i % 5 == 4 else i % n for i in range(23)], pa.int16())
        batches.append(pa.RecordBatch.from_arrays([pa.DictionaryArray.from_arrays(indices, plain)], ["x"]))
    path = write(tmp_path / name, batches, emit_dictionary_deltas=True, unify_dictionaries=False)
    column = pa.Table.from_batches(batches)["x"]
    numbers = [None if v is None else float(v) for chunk in column.chunks for v in chunk.to_pylist()]
    frame = pd.DataFrame({"x": numbers})
    expected = csv_of(models / "x.joblib", frame, tmp_path, "--on-error", "null")
    for run in (predict, piped):
        for rows in ("1000", "5"):
            assert run(models / "x.joblib", path, tmp_path / "out.csv", "--on-error", "null", "--batch-size", rows) == expected


def convert(text, kind):
    return bool(int(text)) if kind == pa.bool_() else float(text) if pa.types.is_floating(kind) else int(text)


def test_replaced_dictionaries(models, tmp_path):
    """Rows keep the dictionary that they came with, though blocks of several are on their way at once."""
    batches = [pa.RecordBatch.from_arrays(
        [pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 1] * 50, pa.int8()), pa.array([str(n), str(-n)]))], ["x"])
        for n in range(100)]
    path = write(tmp_path / "t.arrows", batches)
    expected = csv_of(models / "x.joblib", pd.DataFrame({"x": [v for n in range(100) for v in [n, -n, None, -n] * 50]}),
                      tmp_path, "--on-error", "null")
    for run in (predict, piped):
        assert run(models / "x.joblib", path, tmp_path / "out.csv", "--on-error", "null") == expected


def test_dictionaries_that_come_late_in_a_file(models, tmp_path):
    """The footer's order is not the file's: here the dictionary's message is moved behind its record batch."""
    batch = pa.RecordBatch.from_arrays([pa.array(["3", "1", "3"]).dictionary_encode()], ["x"])
    path = write(tmp_path / "t.arrow", [batch])
    data = bytearray(path.read_bytes())
    with ipc.open_file(path) as reader:
        schema = reader.schema
    size = int.from_bytes(data[-10:-6], "little")
    footer = data[-10 - size:-10]
    stream = bytes(data[8:-10 - size])
    messages, at = [], 8
    while stream[at - 8 + 4:at - 8 + 8] != bytes(4):
        length = int.from_bytes(data[at + 4:at + 8], "little") + 8
        body = int(ipc.read_message(pa.BufferReader(bytes(data[at:]))).body.size)
        messages.append((at, length, body))
        at += length + body
    assert len(messages) == 3  # the schema, the dictionary, the record batch
    (_, _, _), (d_at, d_length, d_body), (b_at, b_length, b_body) = messages
    moved = data[:d_at] + data[b_at:b_at + b_length + b_body] + data[d_at:b_at] + data[at:-10 - size]
    places = [footer.find(old.to_bytes(8, "little") + length.to_bytes(4, "little"))
              for old, length in ((d_at, d_length), (b_at, b_length))]
    for place, new in zip(places, (d_at + b_length + b_body, d_at)):
        footer[place:place + 8] = new.to_bytes(8, "little")
    path.write_bytes(moved + footer + data[-10:])
    assert ipc.open_file(path).read_all().column(0).to_pylist() == ["3", "1", "3"] and schema.names == ["x"]
    assert predict(models / "x.joblib", path, tmp_path / "out.csv") == "prediction\n6.0\n2.0\n6.0\n"
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        process = ftl.run("predict", models / "x.joblib", "-", "-o", tmp_path / "none.csv", stdin=cat.stdout)
    assert process.returncode == 4 and "dictionary of 0" in process.stderr


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_files_of_polars(models, compression, tmp_path):
    frame = test_arrow.rows(9)
    model = models / "pipeline.joblib"
    expected = csv_of(model, frame, tmp_path, "--proba", "--keep", "plan,note")
    polars = pl.from_pandas(frame).with_columns(pl.col("code").cast(pl.Categorical))
    polars.write_ipc(tmp_path / "t.arrow", compression=compression)
    polars.write_ipc_stream(tmp_path / "t.arrows", compression=compression)
    for name in ("t.arrow", "t.arrows"):
        assert predict(model, tmp_path / name, tmp_path / "out.csv", "--proba", "--keep", "plan,note") == expected
    assert piped(model, tmp_path / "t.arrows", tmp_path / "out.csv", "--proba", "--keep", "plan,note") == expected


def test_packed_files(models, tmp_path):
    frame = test_arrow.rows(10)
    model = models / "pipeline.joblib"
    expected = csv_of(model, frame, tmp_path)
    for name in ("t.arrow", "t.arrows"):
        path = write(tmp_path / name, [test_arrow.batch_of(frame)])
        subprocess.run(["gzip", "-f", "-k", path], check=True)
        assert predict(model, f"{path}.gz", tmp_path / "out.csv") == expected


def test_large_batches_come_in_windows(models, tmp_path):
    """One record batch of many rows; texts of very different sizes."""
    n = 200_000
    rng = np.random.default_rng(0)
    texts = ["t" * int(k) for k in np.where(rng.random(n) < 0.001, 40_000, rng.integers(0, 9, n))]
    batch = pa.RecordBatch.from_pydict({
        "x": pa.array(rng.integers(0, 1000, n), pa.int64(), mask=rng.random(n) < 0.1), "s": texts,
        "l": pa.array(texts, pa.large_string()), "v": pa.array(texts, pa.string_view()), "b": rng.random(n) < 0.5})
    path = write(tmp_path / "t.arrow", [batch])
    predict(models / "x.joblib", path, tmp_path / "out.arrow", "--keep", "x,s,l,v,b", "--on-error", "null")
    result = feather.read_table(tmp_path / "out.arrow", memory_map=False)
    result.validate(full=True)
    for name in batch.schema.names:
        assert result[name].combine_chunks().cast(batch.schema.field(name).type).equals(batch.column(name)), name
    x = batch.column("x").to_pylist()
    assert result["prediction"].null_count == batch.column("x").null_count
    assert all(p is None if v is None else abs(p - 2 * v) < 1e-6 for p, v in zip(result["prediction"].to_pylist(), x))


# ---- Writing ----


def read_all(path):
    data = path.read_bytes()
    table = (ipc.open_stream if path.suffix == ".arrows" else ipc.open_file)(data).read_all()
    table.validate(full=True)
    return table


def kept_columns(n):
    rng = np.random.default_rng(1)
    def some(values, kind):
        return pa.array(values, kind, mask=rng.random(n) < 0.2)
    return pa.RecordBatch.from_pydict({
        "x": rng.normal(size=n), "i64": some(rng.integers(-2**63, 2**63 - 1, n), pa.int64()),
        "u64": some(rng.integers(0, 2**64 - 1, n, dtype="u8"), pa.uint64()), "i8": some(rng.integers(-128, 127, n), pa.int8()),
        "f64": some(rng.normal(size=n), pa.float64()), "f32": some(rng.normal(size=n).astype("f4"), pa.float32()),
        "f16": some(rng.normal(size=n).astype("f2"), pa.float16()), "flag": some(rng.random(n) < 0.5, pa.bool_()),
        "s": some([f"text {i}" * (i % 4) for i in range(n)], pa.string()), "full": [f"é{i}" for i in range(n)],
        "d": some(rng.choice(["a", "b", ""], n), pa.string()).dictionary_encode(), "none": pa.nulls(n),
        "nan": np.where(rng.random(n) < 0.5, np.nan, 1.0)})


PLAIN = {"i8": pa.int64(), "f16": pa.float32(), "d": pa.string(), "none": pa.string()}


@pytest.mark.parametrize("name", ["out.arrow", "out.feather", "out.ipc", "out.arrows"])
@pytest.mark.parametrize("n", [1, 7, 64, 9001, 150_001])
def test_what_is_written(models, name, n, tmp_path):
    batch = kept_columns(n)
    path = write(tmp_path / "t.arrow", [batch])
    predict(models / "x.joblib", path, tmp_path / name, "--keep", "*")
    result = read_all(tmp_path / name)
    assert all(chunk.num_rows <= 65536 for chunk in result.to_batches())
    assert result.schema.names == [*batch.schema.names, "prediction"]
    for field in batch.schema:
        kind = PLAIN.get(field.name, field.type)
        assert result.schema.field(field.name).type == kind
        expected = pa.array([None if v is None else float(v) for v in batch.column(field.name).to_pylist()], kind) \
            if field.name == "f16" else batch.column(field.name).cast(kind)
        got = result[field.name].combine_chunks()
        if field.name == "nan":
            assert np.array_equal(got.to_numpy(), expected.to_numpy(), equal_nan=True) and got.null_count == 0
        else:
            assert got.equals(expected), field.name
    frame = (pl.read_ipc_stream if name.endswith("s") else pl.read_ipc)(tmp_path / name)
    assert frame.shape == (n, batch.num_columns + 1)
    assert frame["s"].to_list() == batch.column("s").to_pylist()
    assert frame["u64"].to_list() == batch.column("u64").to_pylist()
    assert duckdb.arrow(result).aggregate("count(*), count(i64)").fetchall() == [
        (n, n - batch.column("i64").null_count)]


@pytest.mark.parametrize("name", ["a.ipc", "a.arrow", "a.IPC", "a", "a.arrows", "A.ARROWS", "link.arrows", "link.ipc"])
def test_the_name_alone_says_file_or_stream(models, name, tmp_path):
    """However short it is: a.ipc was a stream. And of a link it is the link's own name."""
    path = write(tmp_path / "t.arrow", [kept_columns(7)])
    if name.startswith("link"):
        (tmp_path / name).symlink_to("b.ipc" if name.endswith("s") else "b.arrows")
    process = ftl.run("predict", models / "x.joblib", path, "-o", name, "--output-format", "arrow", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    data = (tmp_path / name).read_bytes()
    if name.lower().endswith("s"):
        assert ipc.open_stream(data).read_all().num_rows == 7
    else:
        assert ipc.open_file(data).read_all().num_rows == 7


def test_standard_output_is_a_stream(models, tmp_path):
    path = write(tmp_path / "t.arrow", [kept_columns(100)])
    process = subprocess.run([ftl.program(), "predict", str(models / "x.joblib"), str(path), "-o", "-", "--output-format",
                              "arrow"], capture_output=True, check=True)
    assert ipc.open_stream(process.stdout).read_all().num_rows == 100


def test_bad_rows(models, tmp_path):
    """Rows that are refused are null in all outputs, or not there; and nothing else is."""
    batch = pa.RecordBatch.from_pydict({"x": [1.0, None, 3.0, float("nan"), 5.0], "id": [1, 2, None, 4, 5]})
    for name in ("out.arrow", "out.arrows"):
        predict(models / "x.joblib", write(tmp_path / "t.arrow", [batch]), tmp_path / name, "--keep", "id", "--on-error", "null")
        result = read_all(tmp_path / name)
        assert result["id"].to_pylist() == [1, 2, None, 4, 5]
        assert [p is None for p in result["prediction"].to_pylist()] == [False, True, False, True, False]
        predict(models / "x.joblib", tmp_path / "t.arrow", tmp_path / name, "--keep", "id", "--on-error", "skip")
        result = read_all(tmp_path / name)
        assert result["id"].to_pylist() == [1, None, 5]
        assert result["prediction"].null_count == 0


def test_no_rows(models, tmp_path):
    batch = pa.RecordBatch.from_pydict({"x": pa.array([], pa.float64())})
    for batches in ([batch], [batch, batch]):
        for source, out in itertools.product(("t.arrow", "t.arrows"), ("out.arrow", "out.arrows")):
            predict(models / "x.joblib", write(tmp_path / source, batches), tmp_path / out)
            result = read_all(tmp_path / out)
            assert result.num_rows == 0 and result.schema.names == ["prediction"]
            assert (pl.read_ipc_stream if out.endswith("s") else pl.read_ipc)(tmp_path / out).shape == (0, 1)


# ---- Damage ----


def refused(models, path, *words):
    process = ftl.run("predict", models / "x.joblib", path, "-o", path.parent / "none.csv")
    assert process.returncode == 4, (process.stdout, process.stderr)
    assert all(word in process.stderr for word in words), process.stderr
    assert not (path.parent / "none.csv").exists()
    return process.stderr


def test_truncated_files(models, tmp_path):
    batch = pa.RecordBatch.from_pydict({"x": [1.0, 2.0, None], "c": pa.array(["1", "2", "1"]).dictionary_encode()})
    for name, compression in itertools.product(("t.arrow", "t.arrows"), COMPRESSIONS):
        path = write(tmp_path / name, [batch, batch], compression=compression)
        data = path.read_bytes()
        for size in range(40, len(data) - (9 if name == "t.arrows" else 1), 37):
            path.write_bytes(data[:size])
            process = ftl.run("predict", models / "x.joblib", path, "-o", tmp_path / "none.csv", "--on-error", "null")
            whole = name == "t.arrows" and process.returncode == 5  # a stream may end behind any message
            assert whole or process.returncode == 4, (size, process.stderr)


def test_what_is_no_arrow(models, tmp_path):
    path = tmp_path / "t.arrow"
    path.write_bytes(b"ARROW1")
    refused(models, path, "truncated")
    path.write_bytes(b"x\n1\n2\n")
    refused(models, path, "the file's name says Arrow")
    path.write_bytes(b"FEA1" + bytes(100))
    refused(models, path, "Feather file of version 1")
    path.write_bytes(b"ARROW1\0\0" + bytes(200) + (1000).to_bytes(4, "little") + b"ARROW1")
    refused(models, path, "footer has 1000 bytes")
    shutil.copy(write(tmp_path / "s.arrows", [pa.RecordBatch.from_pydict({"x": [1.0]})]), path)
    assert predict(models / "x.joblib", path, tmp_path / "out.csv") == "prediction\n2.0\n"  # what it is decides
