"""Threads of a job, however many: the same bytes from every format, the same rejected rows, the same first error."""

import json
import subprocess

import ftl
import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather, ipc
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ROWS = 40_000  # some megabytes in every format: smaller inputs have no threads
NUMBERS = list("abcdef")
THREADS = (1, 2, 4)
DATA, DONE_WITH_REJECTS = 4, 5
FORMS = ["csv", "jsonl", "json", "npy", "plain.parquet", "snappy.parquet", "zstd.parquet", "pages.parquet", "plain.arrow", "lz4.arrow",
         "zstd.arrow", "lz4.arrows"]


def write(rows, path):
    table = pa.Table.from_pandas(rows, preserve_index=False)
    form = path.name.partition(".")[2]
    kind, _, ending = form.rpartition(".")
    if ending == "parquet":
        compression = kind if kind in ("snappy", "zstd") else "none"
        pq.write_table(table, path, compression=compression, row_group_size=ROWS // 3, use_dictionary=kind != "plain",
                       data_page_size=3000 if kind == "pages" else None, write_page_checksum=kind == "pages")
    elif ending == "arrow":
        feather.write_feather(table, path, compression={"plain": "uncompressed"}.get(kind, kind), chunksize=7000)
    elif ending == "arrows":
        with ipc.new_stream(path, table.schema, options=ipc.IpcWriteOptions(compression=kind)) as out:
            out.write_table(table, max_chunksize=7000)
    elif ending == "npy":
        np.save(path, rows[NUMBERS].to_numpy())
    elif ending == "csv":
        rows.to_csv(path, index=False)
    else:
        records = rows.astype(object).where(rows.notna(), None).to_dict("records")
        path.write_text("".join(json.dumps(record) + "\n" for record in records) if ending == "jsonl" else json.dumps(records))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("threads")
    rng = np.random.default_rng(12)
    rows = pd.DataFrame({name: rng.normal(size=ROWS) for name in NUMBERS})
    rows["city"] = rng.choice(["Oslo", "Rome", "Lima, Peru", 'a "b"', "two\nlines"], ROWS)
    rows["id"] = np.arange(ROWS)
    rows.loc[::13, "a"] = np.nan
    y = rows.b + rows.c * rng.normal(size=ROWS) > 0
    numeric = make_pipeline(SimpleImputer(), StandardScaler())
    both = make_pipeline(make_column_transformer((numeric, NUMBERS), (OneHotEncoder(), ["city"])), LogisticRegression())
    joblib.dump(both.fit(rows, y), folder / "both.joblib")
    joblib.dump(make_pipeline(numeric, LogisticRegression()).fit(rows[NUMBERS].to_numpy(), y), folder / "numbers.joblib")
    joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(rows[NUMBERS].fillna(0), y), folder / "strict.joblib")
    for form in FORMS:
        write(rows, folder / f"rows.{form}")
    return folder, rows


def predict(folder, model, table, out, threads, *options, code=0):
    """What the job wrote, and its figures or its message."""
    figures = out.with_suffix(".figures")
    process = ftl.run("predict", folder / model, table, "-o", out, "--threads", threads, "--metrics", figures, *options)
    assert process.returncode == code, process.stderr
    return (out.read_bytes(), json.loads(figures.read_text())) if code in (0, DONE_WITH_REJECTS) else (None, process.stderr)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_bytes(made, form, tmp_path):
    folder, _ = made
    model = "numbers.joblib" if form == "npy" else "both.joblib"
    options = [] if form == "npy" else ["--keep", "id,city,a"]
    seen = set()
    for threads in THREADS:
        for batch in ([], ["--batch-size", 777]):
            written, figures = predict(folder, model, folder / f"rows.{form}", tmp_path / "out.csv", threads, "--proba", *options,
                                       *batch)
            assert figures["threads"] == threads and figures["rows"] == ROWS
            seen.add(written)
    assert len(seen) == 1
    assert len(pd.read_csv(tmp_path / "out.csv")) == ROWS


def test_all_formats_give_the_same(made, tmp_path):
    folder, _ = made
    seen = {}
    for form in ("csv", "jsonl", "snappy.parquet", "pages.parquet", "lz4.arrow", "lz4.arrows"):
        written, _ = predict(folder, "both.joblib", folder / f"rows.{form}", tmp_path / "out.csv", 2, "--proba", "--keep", "id")
        seen.setdefault(written, []).append(form)
    assert len(seen) == 1, seen.values()


@pytest.mark.parametrize("form", ["csv", "jsonl", "lz4.arrows"])
def test_pipes(made, form, tmp_path):
    """Of unknown size."""
    folder, _ = made
    seen = set()
    for threads in THREADS:
        command = [ftl.program(), "predict", folder / "both.joblib", "-", "--threads", str(threads), "--keep", "id"]
        with (folder / f"rows.{form}").open("rb") as source:
            pipe = subprocess.Popen(["cat"], stdin=source, stdout=subprocess.PIPE)
            seen.add(subprocess.run(command, stdin=pipe.stdout, capture_output=True, check=True).stdout)
            pipe.wait()
    assert len(seen) == 1 and seen.pop().count(b"\n") == ROWS + 1


@pytest.mark.parametrize("form", ["csv", "snappy.parquet", "lz4.arrow"])
def test_limit(made, form, tmp_path):
    folder, _ = made
    for limit in (1, 7001, ROWS - 1, ROWS + 1):
        wanted = min(limit, ROWS)
        for threads in THREADS:
            written, figures = predict(folder, "both.joblib", folder / f"rows.{form}", tmp_path / "out.csv", threads, "--limit", limit)
            assert figures["rows"] == wanted and written.count(b"\n") == wanted + 1


@pytest.mark.parametrize("form", ["csv", "jsonl", "zstd.parquet", "lz4.arrow"])
@pytest.mark.parametrize("way", ["skip", "null"])
def test_rejected_rows(made, form, way, tmp_path):
    """A NaN in every thirteenth row, which this model refuses."""
    folder, rows = made
    bad = int(rows.a.isna().sum())
    seen = set()
    rejects = tmp_path / ("bad." + ("csv" if form == "csv" else "jsonl" if form == "jsonl" else "arrow"))
    for threads in THREADS:
        written, figures = predict(folder, "strict.joblib", folder / f"rows.{form}", tmp_path / "out.csv", threads, "--on-error", way,
                                   "--reject", rejects, "--keep", "id", code=DONE_WITH_REJECTS)
        assert figures["rows_rejected" if way == "skip" else "rows_nulled"] == bad
        seen.add((written, rejects.read_bytes()))
    assert len(seen) == 1


def messages(folder, model, table, tmp_path, repeats=4):
    """What each number of threads says, several times each: the first error is no matter of luck."""
    return {predict(folder, model, table, tmp_path / "no.csv", threads, code=DATA)[1] for threads in THREADS for _ in range(repeats)}


def test_the_first_bad_row_is_told(made, tmp_path):
    folder, rows = made
    (text,) = messages(folder, "strict.joblib", folder / "rows.jsonl", tmp_path)
    assert "line 1 (row 0)" in text
    bad = rows.astype({"a": object})
    bad.loc[[31_000, 31_003, 39_000], "a"] = "oops"
    table = tmp_path / "bad.csv"
    bad.to_csv(table, index=False)
    (text,) = messages(folder, "both.joblib", table, tmp_path)
    lines = table.read_text().partition("oops")[0].count("\n")
    assert f"line {lines + 1}" in text and "'oops'" in text


def test_a_record_that_cannot_be_read_comes_behind_those_before_it(made, tmp_path):
    """An open quote ends reading; a bad cell before it is told instead."""
    folder, _ = made
    text = (folder / "rows.csv").read_text()
    table = tmp_path / "open.csv"
    table.write_text(text + '0,0,0,0,0,0,"Oslo')
    (told,) = messages(folder, "both.joblib", table, tmp_path)
    assert "a quote opened in the record that begins here is never closed" in told
    assert f"line {text.count(chr(10)) + 1}:" in told
    table.write_text(text + 'oops,0,0,0,0,0,Oslo,1\n0,0,0,0,0,0,"Oslo')
    (told,) = messages(folder, "both.joblib", table, tmp_path)
    assert "'oops'" in told


def damage(source, target, places):
    data = bytearray(source.read_bytes())
    for at, size in places:
        data[at:at + size] = bytes(byte ^ 0xA5 for byte in data[at:at + size])
    target.write_bytes(data)


def test_the_first_damaged_column_is_told(made, tmp_path):
    """Two columns of a row group are damaged; the one that comes first in the file is told, whoever read which."""
    folder, _ = made
    source = folder / "rows.pages.parquet"
    group = pq.ParquetFile(source).metadata.row_group(1)
    places = []
    for column in (2, 4):
        chunk = group.column(column)
        places.append((chunk.dictionary_page_offset + chunk.total_compressed_size // 2, 200))
    damage(source, tmp_path / "bad.parquet", places)
    (told,) = messages(folder, "both.joblib", tmp_path / "bad.parquet", tmp_path)
    assert "column 'c', row group 1, page at byte" in told


def test_the_first_damaged_buffer_is_told(made, tmp_path):
    """The same of a record batch: whole stretches of its middle, which several columns' buffers lie in."""
    folder, _ = made
    source = folder / "rows.lz4.arrow"
    size = source.stat().st_size
    damage(source, tmp_path / "bad.arrow", [(size // 2, size // 12)])
    (told,) = messages(folder, "both.joblib", tmp_path / "bad.arrow", tmp_path)
    assert "record batch " in told and "column '" in told


def test_parts(made, tmp_path):
    """Several files of several formats are one table."""
    folder, _ = made
    names = [folder / f"rows.{form}" for form in ("csv", "snappy.parquet", "lz4.arrow", "jsonl")]
    seen = set()
    for threads in THREADS:
        out = tmp_path / "out.csv"
        process = ftl.run("predict", folder / "both.joblib", *names, "-o", out, "--threads", threads, "--keep", "filename,city")
        assert process.returncode == 0, process.stderr
        seen.add(out.read_bytes())
    assert len(seen) == 1
    assert len(pd.read_csv(tmp_path / "out.csv")) == 4 * ROWS
