"""Parquet files of several writers, in every encoding, compression and layout that these offer: the values that were written
come back, to the bit. What is read is shown by tests/unit/parquet_dump, and by the program in the tests at the end."""

import datetime
import decimal
import functools
import json
import math
import pickle
import struct
import shutil
import subprocess

import duckdb
import fastparquet
import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import ftl

ROWS = 1100


def dump(path, *columns, block=257):
    """The rows of a file; floats as they are, float16 as their bits."""
    process = subprocess.run([ftl.of_unit_tests("parquet_dump"), "-b", str(block), str(path), *columns], capture_output=True, text=True,
                             check=False)
    assert process.returncode == 0, process.stderr
    return [json.loads(line) for line in process.stdout.splitlines()]


def refusal(path, *columns):
    process = subprocess.run([ftl.of_unit_tests("parquet_dump"), "-q", str(path), *columns], capture_output=True, text=True, check=False)
    assert process.returncode == 1, process.stderr
    return process.stderr


def shown(value, kind):
    """A value as parquet_dump shows it."""
    if value is None:
        return None
    if isinstance(value, decimal.Decimal):
        return float(value)
    if pa.types.is_float16(kind):
        return [struct.unpack("<H", struct.pack("<e", value))[0]]
    return value


def same(a, b):
    if isinstance(a, float) and math.isnan(a):
        return isinstance(b, float) and math.isnan(b)
    return type(a) is type(b) and a == b or isinstance(a, float) and isinstance(b, (int, float)) and a == b


def check(path, table, block=257):
    rows = dump(path, *table.column_names, block=block)
    assert len(rows) == table.num_rows
    for i, name in enumerate(table.column_names):
        kind = table.schema.field(name).type
        for row, value in enumerate(table[name].to_pylist()):
            expected = shown(value, kind)
            assert same(expected, rows[row][i]), (name, row, expected, rows[row][i])


def nulls(share, n, seed=7):
    return np.random.default_rng(seed).random(n) < share


def numbers(kind, n, rng):
    if pa.types.is_boolean(kind):
        return rng.random(n) < 0.4
    if pa.types.is_floating(kind):
        values = rng.normal(size=n) * 10.0 ** rng.integers(-30 if kind != pa.float16() else -3, 3, n)
        values[:6] = [0.0, -0.0, np.nan, np.inf, -np.inf, 1.0]
        return values.astype(kind.to_pandas_dtype())
    limits = np.iinfo(kind.to_pandas_dtype())
    values = rng.integers(limits.min, limits.max, n, dtype=kind.to_pandas_dtype(), endpoint=True)
    values[n // 2:] = (np.arange(n - n // 2) // 3 % 100).astype(values.dtype)
    values[:2] = [limits.min, limits.max]
    return values


def texts(n, rng):
    words = ["", "a", "naïve", "日本語", "x" * 16, "y" * 17, "long " * 40, "with \"quotes\" and \\", "NA"]
    return [words[i] if i < len(words) else f"item {i:06d}" for i in rng.integers(0, 40, n)]


KINDS = [pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
         pa.float16(), pa.float32(), pa.float64()]


def table_of(share, n=ROWS):
    """Every type that is read, with this share of nulls; share None: columns that cannot be null."""
    rng = np.random.default_rng(n)
    columns, fields = {}, []
    mask = nulls(share or 0, n)
    for kind in KINDS:
        columns[str(kind)] = pa.array(numbers(kind, n, rng), kind, mask=mask)
    columns["string"] = pa.array(texts(n, rng), pa.string(), mask=mask)
    columns["large"] = pa.array(texts(n, rng), pa.large_string(), mask=mask)
    for kind in (pa.decimal128(5, 2), pa.decimal128(18, 0), pa.decimal128(38, 10), pa.decimal256(70, 30)):
        digits = kind.precision - 1
        values = [decimal.Decimal(int(d)).scaleb(-kind.scale, decimal.Context(prec=80))
                  for d in (rng.integers(-9, 9, n).astype(object) * 10 ** (digits - 1) + rng.integers(0, 1 << 15, n))]
        columns[str(kind)] = pa.array([None if m else v for m, v in zip(mask, values)], kind)
    for name, column in columns.items():
        fields.append(pa.field(name, column.type, nullable=share is not None))
    return pa.table(list(columns.values()), pa.schema(fields))


SHARES = [None, 0.0, 0.3, 0.97, 1.0]


@functools.lru_cache(maxsize=None)
def shared_table(share):
    return table_of(share)


CODECS = ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]


def builds_brotli(path):
    pq.write_table(pa.table({"a": [1, 2]}), path, compression="brotli")
    process = subprocess.run([ftl.of_unit_tests("parquet_dump"), "-q", str(path)], capture_output=True, text=True, check=False)
    assert process.returncode == 0 or "FTL_WITH_BROTLI" in process.stderr
    return process.returncode == 0


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("dictionary", [True, False])
def test_every_type(tmp_path, version, share, dictionary):
    table = shared_table(share)
    for group, page in ((None, None), (250, 300), (1, None)):
        path = tmp_path / "t.parquet"
        part = table if group != 1 else table.slice(0, 40)
        pq.write_table(part, path, data_page_version=version, use_dictionary=dictionary, row_group_size=group,
                       data_page_size=page, write_batch_size=64)
        check(path, part)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_every_codec(tmp_path, codec, version):
    if codec == "brotli" and not builds_brotli(tmp_path / "b.parquet"):
        return
    for share in (None, 0.3):
        for dictionary in (True, False):
            path = tmp_path / "t.parquet"
            pq.write_table(shared_table(share), path, compression=codec, data_page_version=version,
                           use_dictionary=dictionary, data_page_size=4000)
            check(path, shared_table(share))


ENCODINGS = {
    "PLAIN": lambda kind: True,
    "DELTA_BINARY_PACKED": lambda kind: pa.types.is_integer(kind) or kind == pa.decimal128(5, 2),
    "DELTA_LENGTH_BYTE_ARRAY": lambda kind: kind in (pa.string(), pa.large_string()),
    "DELTA_BYTE_ARRAY": lambda kind: kind in (pa.string(), pa.large_string()) or pa.types.is_decimal(kind),
    "BYTE_STREAM_SPLIT": lambda kind: not pa.types.is_boolean(kind) and kind not in (pa.string(), pa.large_string()),
    "RLE": pa.types.is_boolean,
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_every_encoding(tmp_path, encoding, share, version):
    table = shared_table(share)
    names = [f.name for f in table.schema if ENCODINGS[encoding](f.type)]
    if encoding == "DELTA_BYTE_ARRAY" and share is not None:  # of fixed sizes pyarrow writes it without nulls alone
        names = [n for n in names if not n.startswith("decimal")]
    table = table.select(names)
    path = tmp_path / "t.parquet"
    for page in (300, None):
        try:
            pq.write_table(table, path, use_dictionary=False, column_encoding={n: encoding for n in names},
                           data_page_version=version, data_page_size=page, write_batch_size=100,
                           store_decimal_as_integer=True)
        except OSError as error:  # what this version of pyarrow does not write it does not test
            table = table.drop_columns([n for n in table.column_names if n.startswith("decimal")])
            assert table.num_columns, error
            names = table.column_names
            pq.write_table(table, path, use_dictionary=False, column_encoding={n: encoding for n in names},
                           data_page_version=version, data_page_size=page, write_batch_size=100)
        used = pq.ParquetFile(path).metadata.row_group(0)
        assert all(encoding in used.column(i).encodings for i in range(used.num_columns))
        check(path, table)


@pytest.mark.parametrize("block", [1, 7, 64, 1000, 100000])
def test_blocks_change_nothing(tmp_path, block):
    table = shared_table(0.3).slice(0, 500)
    path = tmp_path / "t.parquet"
    pq.write_table(table, path, row_group_size=190, data_page_size=200, write_batch_size=32)
    check(path, table, block=block)


def test_bit_widths(tmp_path):
    """Indices of every width up to 17 bits, in runs and packed."""
    rng = np.random.default_rng(3)
    for bits in range(18):
        n = 1 << bits
        values = np.concatenate([np.arange(n), np.repeat(rng.integers(0, n, 20), rng.integers(1, 40, 20)),
                                 rng.integers(0, n, 500)])
        table = pa.table({"a": values * 1.5, "s": [f"v{v}" for v in values] if bits < 12 else values.astype("f4")})
        path = tmp_path / "t.parquet"
        pq.write_table(table, path, dictionary_pagesize_limit=1 << 24, row_group_size=1 << 20)
        check(path, table, block=5000)


def test_dictionary_that_grows_too_large(tmp_path):
    """The writer goes from a dictionary to plain values in the middle of a column."""
    values = [f"text number {i % 3000}" for i in range(9000)]
    table = pa.table({"s": values, "x": np.arange(9000) * 0.25})
    path = tmp_path / "t.parquet"
    pq.write_table(table, path, dictionary_pagesize_limit=20000, data_page_size=5000, write_batch_size=100)
    encodings = pq.ParquetFile(path).metadata.row_group(0).column(0).encodings
    assert {"PLAIN", "RLE_DICTIONARY"} <= set(encodings)
    check(path, table, block=1000)


def test_null_columns_and_no_rows(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"n": pa.nulls(10), "a": range(10)}), path)
    assert dump(path) == [[None, i] for i in range(10)]
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    assert dump(path) == []
    pq.write_table(pa.table({"a": [1.5]}), path)
    assert dump(path) == [[1.5]]


def test_checksums(tmp_path):
    path = tmp_path / "t.parquet"
    table = shared_table(0.3)
    pq.write_table(table, path, write_page_checksum=True, data_page_version="2.0")
    check(path, table)
    pq.write_table(pa.table({"a": np.arange(1000.0)}), path, write_page_checksum=True, compression="none",
                   use_dictionary=False)
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<d", 500.0))
    data[at] ^= 1
    path.write_bytes(data)
    assert "the page's checksum does not match" in refusal(path)


REFUSED = {
    "dates": pa.array([1, 2], pa.date32()),
    "times": pa.array([1, 2], pa.time64("us")),
    "timestamps": pa.array([1, 2], pa.timestamp("us")),
    "lists": pa.array([[1], [2, 3]]),
    "maps": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
    "structs": pa.array([{"a": 1}, {"a": 2}]),
    "bytes that are not declared to be text": pa.array([b"a", b"\xff"]),
}


def test_columns_that_no_model_takes(tmp_path):
    """They are refused by name when they are wanted, and in nobody's way otherwise."""
    path = tmp_path / "t.parquet"
    table = pa.table({"first": [1, 2], **REFUSED, "last": ["a", "b"]})
    pq.write_table(table, path)
    for words in REFUSED:
        message = refusal(path, words)
        assert f"column '{words}' of the Parquet file holds {words}" in message
        assert message.startswith("SCHEMA")
    assert dump(path) == [[1, "a"], [2, "b"]]
    pq.write_table(table.select(["timestamps", "last"]), path, use_deprecated_int96_timestamps=True)
    assert "holds timestamps" in refusal(path, "timestamps")


def test_decimals_are_rounded_once(tmp_path):
    """A decimal is the double nearest to it, which for many digits is not a quotient of doubles."""
    rng = np.random.default_rng(5)
    values = [decimal.Decimal(int.from_bytes(rng.bytes(15), "big", signed=True)).scaleb(
        -30, decimal.Context(prec=60)) for _ in range(2000)]
    values += [decimal.Decimal(9007199254740993).scaleb(-30, decimal.Context(prec=60)), decimal.Decimal(0)]
    table = pa.table({"d": pa.array(values, pa.decimal128(38, 30))})
    path = tmp_path / "t.parquet"
    for dictionary in (True, False):
        pq.write_table(table, path, use_dictionary=dictionary)
        check(path, table)


# ---- Other writers ----


def frame():
    rng = np.random.default_rng(11)
    n = 3000
    data = pd.DataFrame({
        "f64": rng.normal(size=n), "f32": rng.normal(size=n).astype("f4"), "i64": rng.integers(-5, 5, n),
        "i32": rng.integers(-2**31, 2**31, n).astype("i4"), "u8": rng.integers(0, 255, n).astype("u1"),
        "flag": rng.random(n) < 0.5, "text": texts(n, rng)})
    data["gaps"] = np.where(rng.random(n) < 0.2, np.nan, data.f64)
    return data


def test_polars(tmp_path):
    data = polars.DataFrame({name: frame()[name].to_numpy() if name != "text" else frame()[name].tolist()
                             for name in frame()}).with_columns(polars.col("gaps").fill_nan(None))
    path = tmp_path / "t.parquet"
    for codec in ("snappy", "zstd", "lz4", "uncompressed", "gzip"):
        data.write_parquet(path, compression=codec, row_group_size=700, data_page_size=3000)
        check(path, data.to_arrow())


def test_duckdb(tmp_path):
    data = frame()
    path = tmp_path / "t.parquet"
    for options in ("COMPRESSION snappy", "COMPRESSION zstd", "COMPRESSION gzip", "COMPRESSION lz4_raw",
                    "COMPRESSION uncompressed", "PARQUET_VERSION v2", "PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1"):
        query = ("SELECT * REPLACE (nullif(gaps, 'nan'::DOUBLE) AS gaps), i64::DECIMAL(9, 3) AS d, "
                 "NULL::INTEGER AS none FROM data")
        duckdb.sql(f"COPY ({query}) TO '{path}' (FORMAT parquet, {options}, ROW_GROUP_SIZE 2048)")
        check(path, duckdb.sql(query).to_arrow_table())


def test_fastparquet(tmp_path):
    data = frame()
    data["category"] = pd.Series(data.text.str[:2]).astype("category")
    data["text"] = data.text.astype(object)
    path = tmp_path / "t.parquet"
    for codec in ("SNAPPY", "GZIP", "ZSTD", "LZ4_RAW", None):
        for has_nulls in (True, False):
            fastparquet.write(str(path), data, compression=codec, row_group_offsets=1000, has_nulls=has_nulls)
            check(path, pq.read_table(path))


def test_booleans_of_a_dictionary(tmp_path):
    """What fastparquet makes of a category of booleans; pyarrow does not read it."""
    for values in (["yes", "no"], ["no", "yes"], ["yes"]):
        flags = pd.Series([value == "yes" for value in values * 700])
        gaps = flags.astype(object).where(np.arange(len(flags)) % 5 > 0)
        fastparquet.write(str(tmp_path / "t.parquet"), pd.DataFrame({"flag": flags.astype("category"),
                                                                     "gap": gaps.astype("category")}))
        assert "DICTIONARY" in str(pq.read_metadata(tmp_path / "t.parquet").row_group(0).column(0).encodings)
        lines = dump(tmp_path / "t.parquet")
        pq.write_table(pa.table({"flag": flags, "gap": pa.array(gaps, pa.bool_())}), tmp_path / "plain.parquet")
        assert lines == dump(tmp_path / "plain.parquet")


# ---- The program ----


def run(*arguments):
    return ftl.run(*arguments)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A model of numbers, a float32 among them, and texts; its rows; their Parquet file."""
    folder = tmp_path_factory.mktemp("parquet")
    rng = np.random.default_rng(0)
    n = 4000
    rows = pd.DataFrame({
        "a": rng.normal(size=n), "when": pd.date_range("2020", periods=n, freq="s"), "b": rng.integers(0, 9, n),
        "c": rng.choice(["x", "yy", "NA"], n), "f": rng.normal(size=n).astype("f4"), "id": np.arange(n) + 2**60,
        "flag": rng.random(n) < 0.5})
    rows.loc[::7, "a"] = np.nan
    model = make_pipeline(
        make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), ["a", "b", "f", "flag"]),
                                (OneHotEncoder(), ["c"])),
        LogisticRegression()).fit(rows, rng.integers(0, 2, n))
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    rows.to_parquet(folder / "rows.parquet", row_group_size=900)
    return folder, model, rows


def predict(folder, table, *options):
    out = folder / "out.csv"
    process = run("predict", folder / "model.pkl", table, "-o", out, *options)
    assert process.returncode == 0, process.stderr
    return pd.read_csv(out, keep_default_na=False)


def test_predictions(job):
    folder, model, rows = job
    for threads in ("1", "2"):
        out = predict(folder, folder / "rows.parquet", "--method", "predict_proba", "--keep", "id,c,flag,b",
                      "--threads", threads)
        expected = model.predict_proba(rows)
        assert np.abs(out[["probability_0", "probability_1"]].to_numpy() - expected).max() < 1e-12
        assert (out.id == rows.id).all() and (out.c == rows.c).all()
        assert (out.flag.astype(str) == rows.flag.astype(str)).all() and (out.b == rows.b).all()


def test_a_timestamp_is_not_kept(job):
    folder = job[0]
    process = run("predict", folder / "model.pkl", folder / "rows.parquet", "-o", folder / "no.csv", "--keep", "when")
    assert process.returncode != 0 and "column 'when' of the Parquet file holds timestamps" in process.stderr


def unreadable():
    """A table with columns that are not copied among others, and the names of these."""
    moments = [None, datetime.datetime(2021, 3, 4, 5, 6, 7), datetime.datetime(1969, 12, 31)]
    table = pa.table({"when": pa.array(moments, pa.timestamp("us")), "x": [1.0, 2.0, 3.0],
                      "list": pa.array([[1], None, []], pa.list_(pa.int64())), "id": ["a", None, "c"],
                      "raw": pa.array([b"1", b"", None], pa.binary()), "pair": [{"a": 1}, {"a": 2}, None]})
    return table, ["x", "id"]


@pytest.mark.parametrize("name", ["rows.parquet", "rows.arrow", "rows.arrows"])
def test_all_columns_but_those_that_cannot_be(name, tmp_path):
    """--keep '*' ended the job for a column that is not read; a name still does."""
    table, kept = unreadable()
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])))
    if name.endswith("parquet"):
        pq.write_table(table, tmp_path / name)
    else:
        with (pa.ipc.new_stream if name.endswith("s") else pa.ipc.new_file)(tmp_path / name, table.schema) as writer:
            writer.write_table(table)
    for out in ("out.csv", "out.parquet", "out.jsonl", "out.arrow"):
        process = run("predict", tmp_path / "model.pkl", tmp_path / name, "-o", tmp_path / out, "--keep", "*",
                      "--features", "x", "--keep", "id")
        assert process.returncode == 0, process.stderr
        assert [line for line in process.stderr.splitlines() if "warning" in line] == [
            "foretell: warning: columns that cannot be copied were not kept: "
            + ", ".join(f"'{column}' ({words})" for column, words in LEFT_OUT[name.endswith("parquet")].items())]
        got = {"csv": pd.read_csv, "parquet": pd.read_parquet, "arrow": pd.read_feather,
               "jsonl": lambda path: pd.read_json(path, lines=True)}[out.split(".")[1]](tmp_path / out)
        assert list(got.columns) == [*kept, "prediction"] and got["x"].tolist() == [1.0, 2.0, 3.0]
    for column in set(table.column_names) - set(kept):
        process = run("predict", tmp_path / "model.pkl", tmp_path / name, "-o", tmp_path / out, "--keep", f"*,{column}",
                      "--features", "x")
        assert process.returncode == 4 and f"'{column}'" in process.stderr


LEFT_OUT = {True: {"when": "timestamps", "list": "lists", "raw": "bytes that are not declared to be text",
                   "pair": "structs"},
            False: {"when": "a timestamp", "list": "a list", "raw": "bytes", "pair": "a struct"}}


def test_float32_columns_run_as_float32(tmp_path):
    """A frame of float32 columns alone is a float32 matrix for scikit-learn, whatever else the file holds."""
    rng = np.random.default_rng(1)
    rows = pd.DataFrame(rng.normal(size=(300, 3)).astype("f4") * 1e4, columns=["a", "b", "c"])
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(rows, rows.sum(axis=1) * 1.1)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    rows.assign(id=range(300)).to_parquet(tmp_path / "rows.parquet")
    expected = model.predict(rows)
    assert expected.dtype == np.float32
    out = predict(tmp_path, tmp_path / "rows.parquet")
    assert (out.prediction.to_numpy().astype("f4") == expected).mean() > 0.5
    assert np.allclose(out.prediction, expected, rtol=1e-6, atol=1e-2)


def test_pipes_and_compressed_files(job):
    folder = job[0]
    with open(folder / "rows.parquet", "rb") as file:
        data = file.read()
    process = subprocess.run([ftl.program(), "predict", str(folder / "model.pkl"), "-", "-o", str(folder / "no.csv")],
                             input=data, capture_output=True, check=False)
    assert process.returncode != 0 and b"it must be a plain file" in process.stderr


def test_what_the_name_says_gives_way_to_what_the_file_is(job, tmp_path):
    folder, _, rows = job
    expected = predict(folder, folder / "rows.parquet")
    for name in ("rows.csv", "rows.json", "rows.txt", "rows"):
        shutil.copy(folder / "rows.parquet", tmp_path / name)
        pd.testing.assert_frame_equal(predict(folder, tmp_path / name), expected)
    rows.to_csv(tmp_path / "text.parquet", index=False)
    for name, says in [("text.parquet", "the file's name says Parquet, and it does not begin like one"),
                       ("empty.parquet", "the file is empty, and its name says Parquet"),
                       ("empty.arrow", "the file is empty, and its name says Arrow")]:
        (tmp_path / name).touch()
        process = run("predict", folder / "model.pkl", tmp_path / name)
        assert process.returncode == 4 and says in process.stderr


def test_missing_columns_of_a_table_that_is_no_text(job, tmp_path):
    """Nothing is said of headers and delimiters, which it has not."""
    for names in (["only"], ["0", "1", "2", "3", "4"]):
        pq.write_table(pa.table([pa.array([1.0])] * len(names), names), tmp_path / "few.parquet")
        process = run("predict", job[0] / "model.pkl", tmp_path / "few.parquet")
        assert process.returncode == 4 and process.stderr.strip().endswith("missing in the table: a, b, c, f, flag")


def test_damage_is_told_with_its_place(job, tmp_path):
    folder = job[0]
    data = (folder / "rows.parquet").read_bytes()
    path = tmp_path / "cut.parquet"
    path.write_bytes(data[:len(data) // 2])
    process = run("predict", folder / "model.pkl", path, "-o", tmp_path / "no.csv")
    assert process.returncode != 0 and "truncated" in process.stderr
    path.write_bytes(data[:4] + bytes(200) + data[204:])
    process = run("predict", folder / "model.pkl", path, "-o", tmp_path / "no.csv")
    assert process.returncode != 0 and "column 'a', row group 0, page at byte 4" in process.stderr


def test_a_folder_of_files(job, tmp_path):
    """Several files are one table; what differs between them in kind is no matter."""
    folder, model, rows = job
    (tmp_path / "parts").mkdir()
    pq.write_table(pa.Table.from_pandas(rows[:1500], preserve_index=False), tmp_path / "parts/a.parquet",
                   compression="zstd", row_group_size=100)
    pq.write_table(pa.Table.from_pandas(rows[1500:].iloc[:, ::-1], preserve_index=False), tmp_path / "parts/b.parquet",
                   use_dictionary=False, data_page_version="2.0")
    out = tmp_path / "out.csv"
    process = run("predict", folder / "model.pkl", tmp_path / "parts", "-o", out, "--method", "predict_proba")
    assert process.returncode == 0, process.stderr
    got = pd.read_csv(out)
    assert np.abs(got[["probability_0", "probability_1"]].to_numpy() - model.predict_proba(rows)).max() < 1e-12
