"""Parquet files that foretell writes, read by pyarrow, DuckDB, polars and fastparquet."""

import io
import math
import os
import pathlib
import subprocess
import threading

import duckdb
import fastparquet
import ftl
import numpy as np
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sinks

ALL = ["f64", "f64,7", "f32", "f32,3", "i64", "i64,2", "u64", "u64,5", "bool", "bool,2", "t10", "t10,4", "t50000", "u",
       "u,10", "t1", "t3,1", "f64,1"]
TYPES = {"f64": "double", "f32": "float", "i64": "int64", "u64": "uint64", "bool": "bool"}


def arrow_type(recipe):
    return TYPES.get(recipe.partition(",")[0], "string")


def expect_column(array, values, null, name):
    """An Arrow array holds these values and nulls."""
    got_null = np.asarray(array.is_null())
    assert (got_null == null).all(), name
    kept = array.filter(pa.array(~null))
    got = np.array(kept.to_pylist(), dtype=object) if values.dtype == object else kept.to_numpy(zero_copy_only=False)
    assert sinks.same(got, values[~null]), name


def expect_table(table, columns, rows, skip=0):
    """An Arrow table, or what gives one, holds the recipe's rows."""
    want = sinks.values(columns, rows, skip)
    assert table.column_names == list(want)
    for name, (values, null) in want.items():
        assert table.num_rows == len(values)
        expect_column(table[name].combine_chunks(), values, null, name)


@pytest.mark.parametrize("compression", ["zstd", "snappy", "none"])
def test_every_type_in_pyarrow(tmp_path, compression):
    path = tmp_path / "out.parquet"
    rows = 150_000 if compression == "zstd" else 9_000
    sinks.write(path, ALL, rows, compression=compression)
    file = pq.ParquetFile(path)
    assert [str(field.type) for field in file.schema_arrow] == [arrow_type(recipe) for recipe in ALL]
    assert all(field.nullable for field in file.schema_arrow)
    assert file.metadata.created_by.startswith("foretell version ")
    expect_table(file.read(), ALL, rows)
    codec = {"zstd": "ZSTD", "snappy": "SNAPPY", "none": "UNCOMPRESSED"}[compression]
    group = file.metadata.row_group(0)
    assert {group.column(i).compression for i in range(len(ALL))} == {codec}


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 131_071, 131_072, 131_073])
def test_few_rows_and_page_ends(tmp_path, rows):
    path = tmp_path / "out.pq"
    sinks.write(path, ALL, rows, batch=4093)
    expect_table(pq.read_table(path), ALL, rows)
    assert pq.ParquetFile(path).metadata.num_row_groups == (rows > 0)


@pytest.mark.parametrize("batch", [1, 16, 1000, 40_000])
def test_bytes_do_not_depend_on_batches(tmp_path, batch):
    columns = ["f64,7", "bool", "t10,4", "u", "t20000"]
    rows = 3_000 if batch == 1 else 140_000
    sinks.write(tmp_path / "a.parquet", columns, rows)
    sinks.write(tmp_path / "b.parquet", columns, rows, batch=batch)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_rows_left_out(tmp_path):
    path = tmp_path / "out.parquet"
    for skip in (1, 2, 3, 1000):
        sinks.write(path, ALL, 20_000, batch=999, skip=skip)
        expect_table(pq.read_table(path), ALL, 20_000, skip)


def test_dictionaries(tmp_path):
    path = tmp_path / "out.parquet"
    columns = ["t10", "t3,1"]
    sinks.write(path, columns, 20_000)
    few, missing = (pq.ParquetFile(path).metadata.row_group(0).column(i) for i in range(2))
    assert few.has_dictionary_page and few.encodings == ("PLAIN", "RLE", "RLE_DICTIONARY")
    assert not missing.has_dictionary_page
    column = pq.read_table(path, columns=["c0"], read_dictionary=["c0"])["c0"]
    assert sorted(column.chunk(0).dictionary.to_pylist()) == sorted(set(sinks.values(["t10"], 1000)["c0"][0]))


def test_texts_that_are_too_many_for_a_dictionary(tmp_path):
    path = tmp_path / "out.parquet"
    rows = 1_060_000
    sinks.write(path, ["u"], rows)
    file = pq.ParquetFile(path)
    first, second = (file.metadata.row_group(i).column(0) for i in range(2))
    assert first.has_dictionary_page and first.encodings == ("PLAIN", "RLE", "RLE_DICTIONARY")
    assert not second.has_dictionary_page and second.encodings == ("PLAIN", "RLE"), "it was not tried again"
    expect_table(file.read(), ["u"], rows)


def test_long_texts_end_row_groups(tmp_path):
    path = tmp_path / "out.parquet"
    columns = ["i64", "l,5", "t3"]
    sinks.write(path, columns, 100_000)
    file = pq.ParquetFile(path)
    assert file.metadata.num_row_groups > 1
    for i in range(file.metadata.num_row_groups):
        assert file.metadata.row_group(i).total_byte_size < 68 << 20
    expect_table(file.read(), columns, 100_000)


def test_row_groups_of_a_million_rows(tmp_path):
    path = tmp_path / "out.parquet"
    columns = ["i64", "f64,9", "t7"]
    rows = 3_000_000
    sinks.write(path, columns, rows)
    file = pq.ParquetFile(path)
    assert [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)] == [1 << 20] * 2 + \
        [rows - (2 << 20)]
    expect_table(file.read(columns=["c0", "c1"]), columns[:2], rows)
    last = file.read_row_group(2, columns=["c2"])["c2"].combine_chunks().slice(rows - (2 << 20) - 1000)
    row = np.arange(rows - 1000, rows, dtype=np.uint64) + np.uint64((2 << 40) + 0x9E3779B97F4A7C15)
    assert last.to_pylist() == sinks.texts("t7", row, sinks.scramble(row))


def test_very_many_columns(tmp_path):
    path = tmp_path / "out.parquet"
    columns = ["f64,3", "f32", "t5", "i64"] * 500
    sinks.write(path, columns, 700, batch=100)
    expect_table(pq.read_table(path), columns, 700)
    sinks.write(path, columns, 6_000, batch=1000)
    file = pq.ParquetFile(path)
    assert file.metadata.num_row_groups == 2 and file.read().num_rows == 6_000
    chosen = file.read(columns=["c1997"])["c1997"].combine_chunks()
    row = np.arange(6_000, dtype=np.uint64) + np.uint64((1997 << 40) + 0x9E3779B97F4A7C15)
    assert sinks.same(chosen.to_numpy(), sinks.floats(sinks.scramble(row)).astype(np.float32))


def statistics(path, column=0, group=0):
    return pq.ParquetFile(path).metadata.row_group(group).column(column).statistics


def test_statistics(tmp_path):
    path = tmp_path / "out.parquet"
    sinks.write(path, ALL, 200_000)
    for i, (values, null) in enumerate(sinks.values(ALL, 200_000).values()):
        found = statistics(path, i)
        kept = values[~null]
        assert found.null_count == null.sum()
        if values.dtype.kind == "f":
            kept = kept[~np.isnan(kept)]
        assert found.has_min_max == (len(kept) > 0), ALL[i]
        if len(kept) == 0:
            continue
        if values.dtype == object:
            kept = [text.encode() for text in kept.tolist()]
            assert (found.min.encode(), found.max.encode()) == (min(kept), max(kept))
        else:
            assert (found.min, found.max) == (kept.min(), kept.max()), ALL[i]


def test_statistics_serve_filters(tmp_path):
    path = tmp_path / "out.parquet"
    sinks.write(path, ["i64", "t10", "f64"], 2_200_000)
    (ints, _), (texts, _), (floats, _) = sinks.values(["i64", "t10", "f64"], 2_200_000).values()
    assert pq.read_table(path, filters=[("c0", ">", 1 << 62)]).num_rows == (ints > 1 << 62).sum()
    assert pq.read_table(path, filters=[("c1", "==", "é1")]).num_rows == (texts == "é1").sum()
    assert pq.read_table(path, filters=[("c2", "==", 0.0)]).num_rows == (floats == 0).sum()
    assert pq.read_table(path, filters=[("c2", ">", 8e12)]).num_rows == (floats > 8e12).sum()


def test_long_texts_have_short_statistics(tmp_path):
    path = tmp_path / "out.parquet"
    sinks.write(path, ["l"], 20_000)
    values = [text.encode() for text in sinks.values(["l"], 20_000)["c0"][0].tolist()]
    found = statistics(path)
    assert len(found.min) <= 64 and len(found.max) <= 65
    lowest, highest = found.min.encode(), found.max.encode()
    assert lowest <= min(values[:1000]) and highest >= max(values[:1000])


def test_duckdb(tmp_path):
    path = tmp_path / "out.parquet"
    for compression, rows in (("zstd", 150_000), ("snappy", 9_000), ("none", 9_000)):
        sinks.write(path, ALL, rows, compression=compression)
        expect_table(duckdb.sql(f"select * from '{path}'").to_arrow_table(), ALL, rows)
    sinks.write(path, ALL, 150_000)
    (values, null) = sinks.values(ALL, 150_000)["c7"]
    assert duckdb.sql(f"select max(c7), count(c7) from '{path}'").fetchall() == [(values[~null].max(), (~null).sum())]
    sinks.write(path, ALL, 0)
    assert duckdb.sql(f"select count(*) from '{path}'").fetchall() == [(0,)]


def test_polars(tmp_path):
    path = tmp_path / "out.parquet"
    schema = pa.schema([(f"c{i}", arrow_type(recipe)) for i, recipe in enumerate(ALL)])
    for compression, rows in (("snappy", 9_000), ("none", 9_000), ("zstd", 150_000)):
        sinks.write(path, ALL, rows, compression=compression)
        expect_table(polars.read_parquet(path).to_arrow().cast(schema), ALL, rows)
    lazy = polars.scan_parquet(path).filter(polars.col("c2") == 0.0).select(polars.len()).collect().item()
    assert lazy == (sinks.values(ALL, 150_000)["c2"][0] == 0).sum()
    sinks.write(path, ALL, 0)
    assert polars.read_parquet(path).shape == (0, len(ALL))


def test_fastparquet(tmp_path):
    path = tmp_path / "out.parquet"
    # It has no missing integers, and loses texts behind the place where a dictionary became too large, in pyarrow's
    # files too.
    columns = [recipe for recipe in ALL if recipe not in ("i64,2", "bool,2", "u64,5")]
    sinks.write(path, columns, 30_000)
    frame = fastparquet.ParquetFile(str(path)).to_pandas()
    for name, (values, null) in sinks.values(columns, 30_000).items():
        got = frame[name]
        if values.dtype.kind == "f":
            assert sinks.same(got.to_numpy(), np.where(null, np.nan, values).astype(values.dtype))
        else:
            assert (got.isna().to_numpy() == null).all() and (got[~null].to_numpy() == values[~null]).all()


def test_standard_output_and_pipes(tmp_path):
    path = tmp_path / "out.parquet"
    sinks.write(path, ALL, 50_000)
    written = sinks.write("-", ALL, 50_000)
    assert written == path.read_bytes()
    expect_table(pq.read_table(io.BytesIO(written)), ALL, 50_000)
    fifo = tmp_path / "fifo.parquet"
    os.mkfifo(fifo)
    got = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    sinks.write(fifo, ALL, 50_000)
    reader.join()
    assert got == [written]


# ---- The program -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A classifier, a table of its inputs beside others, and their folder."""
    import joblib
    import pandas
    from sklearn.linear_model import LogisticRegression

    folder = tmp_path_factory.mktemp("model")
    rng = np.random.default_rng(1)
    table = pandas.DataFrame(rng.normal(size=(140_000, 3)), columns=["a", "b", "c"])
    joblib.dump(LogisticRegression().fit(table, np.where(table.a > table.b, "höher", "tiefer")), folder / "m.joblib")
    table.insert(0, "id", [f"row {i}" for i in range(len(table))])
    table.to_csv(folder / "rows.csv", index=False)
    return folder


def test_predictions_are_those_of_csv(model, tmp_path):
    common = ["predict", model / "m.joblib", model / "rows.csv", "--proba", "--keep", "id,a", "-q"]
    for name in ("out.csv", "out.parquet"):
        assert ftl.run(*common, "-o", tmp_path / name).returncode == 0
    header, rows = ftl.read_csv(tmp_path / "out.csv")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column_names == header
    for i, name in enumerate(header):
        column = table[name].to_pylist()
        texts = [row[i] for row in rows]
        assert column == ([float(text) for text in texts] if name.startswith("prob") else texts)
    for threads in ("1", "3"):
        other = tmp_path / f"{threads}.parquet"
        assert ftl.run(*common, "-o", other, "--threads", threads, "--batch-size", "77").returncode == 0
        assert other.read_bytes() == (tmp_path / "out.parquet").read_bytes()


def test_bad_rows(model, tmp_path):
    lines = (model / "rows.csv").read_text().splitlines()[:2000]
    for i in range(10, 2000, 37):
        lines[i] = lines[i].rsplit(",", 1)[0] + ",nonsense"
    bad = len(range(10, 2000, 37))
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    common = ["predict", model / "m.joblib", tmp_path / "rows.csv", "--proba", "--keep", "id", "-q"]
    null, skipped = tmp_path / "null.parquet", tmp_path / "skipped.parquet"
    assert ftl.run(*common, "-o", null, "--on-error", "null").returncode == 5
    assert ftl.run(*common, "-o", skipped, "--on-error", "skip").returncode == 5
    table = pq.read_table(null)
    assert [table[name].null_count for name in table.column_names] == [0, bad, bad, bad]
    kept = table.filter(pa.compute.is_valid(table["prediction"]))
    assert kept.num_rows == 1999 - bad and kept.equals(pq.read_table(skipped))


def test_missing_predictions_are_nan_and_empty_ones_null(model, tmp_path):
    from sklearn.preprocessing import StandardScaler
    import joblib

    np.save(tmp_path / "rows.npy", np.array([[1.0, math.nan], [3.0, 4.0]]))
    joblib.dump(StandardScaler().fit([[1.0, 2.0], [3.0, 4.0]]), tmp_path / "scaler.joblib")
    done = ftl.run("predict", tmp_path / "scaler.joblib", tmp_path / "rows.npy", "-o", tmp_path / "out.parquet")
    assert done.returncode == 0, done.stderr
    second = pq.read_table(tmp_path / "out.parquet").column(1)
    assert second.null_count == 0 and math.isnan(second[0].as_py()) and second[1].as_py() == 1.0


def test_every_type_comes_back_through_the_program(tmp_path):
    import joblib
    import pandas
    from sklearn.preprocessing import StandardScaler

    source, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    sinks.write(source, ALL, 150_000)
    joblib.dump(StandardScaler().fit(pandas.DataFrame({"c2": [0.0, 1.0]})), tmp_path / "scaler.joblib")
    for threads in ("1", "3"):
        done = ftl.run("predict", tmp_path / "scaler.joblib", source, "--keep", "*", "-o", out, "--threads", threads)
        assert done.returncode == 0, done.stderr
        table = pq.read_table(out)
        assert table.column_names[-1] == "c2" and table.column_names[2] == "c2.1", "the model's, and the one that is kept"
        expect_table(table.select(range(len(ALL))).rename_columns([f"c{i}" for i in range(len(ALL))]), ALL, 150_000)


def test_option_compression(model, tmp_path):
    common = ["predict", model / "m.joblib", model / "rows.csv"]
    out = tmp_path / "out.pq"
    for name, codec in (("zstd", "ZSTD"), ("snappy", "SNAPPY"), ("none", "UNCOMPRESSED")):
        assert ftl.run(*common, "-o", out, "--compression", name).returncode == 0
        assert pq.ParquetFile(out).metadata.row_group(0).column(0).compression == codec
    done = ftl.run(*common, "-o", out, "--compression", "brotli")
    assert done.returncode == 2
    assert "--compression 'brotli' is none of zstd, snappy, none" in done.stderr
    done = ftl.run(*common, "-o", tmp_path / "out.csv", "--compression", "zstd")
    assert "--compression goes with" in done.stderr and not (tmp_path / "out.csv").exists()


def test_output_format_on_standard_output(model):
    done = subprocess.run([ftl.program(), "predict", model / "m.joblib", model / "rows.csv", "--output-format",
                           "parquet"], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0
    assert pq.read_table(io.BytesIO(done.stdout)).num_rows == 140_000


def test_nothing_stays_of_a_file_that_grows_too_large(tmp_path):
    limited = f"ulimit -f 64; trap '' XFSZ; exec {ftl.of_unit_tests('sink_write')} {tmp_path}/out.parquet 200000 5000 0 none f64"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "File too large" in done.stderr
    assert list(pathlib.Path(tmp_path).iterdir()) == []
