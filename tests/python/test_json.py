"""JSON and JSON lines, in and out: the same rows give the same predictions as from CSV, in every form that pandas writes;
what is kept keeps its JSON; what is damaged is said and never guessed."""

import json
import os
import pathlib
import re
import subprocess

import ftl
import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

DONE, INTERNAL, USAGE, MODEL, DATA, REJECTED = range(6)
ORIENTS = ["records", "split", "index", "columns", "table"]
PROBABILITIES = ["--method", "predict_proba", "-q"]


def make_rows(n):
    random = np.random.default_rng(5)
    rows = pd.DataFrame({"a": random.normal(size=n), "b": random.integers(0, 50, n).astype(float),
                         "ü": random.choice(["x", 'q"\\,', "é\n😀"], n)})
    rows.loc[rows.index % 7 == 3, "b"] = np.nan
    return rows


@pytest.fixture(scope="session")
def model_bytes(tmp_path_factory):
    rows = make_rows(300)
    model = make_pipeline(make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["a", "b"]),
        (OneHotEncoder(handle_unknown="ignore"), ["ü"])), LogisticRegression())
    path = tmp_path_factory.mktemp("json") / "m.joblib"
    joblib.dump(model.fit(rows, rows.a > 0), path)
    return path.read_bytes()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, model_bytes):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("m.joblib").write_bytes(model_bytes)
    return tmp_path


def predicted(name, *options, code=DONE, **more):
    process = ftl.run("predict", "m.joblib", name, *PROBABILITIES, *options, **more)
    assert process.returncode == code, process.stderr
    return process.stdout


def write(name, text):
    pathlib.Path(name).write_text(text, encoding="utf-8")


# ---- Forms -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 400])
def test_every_form_gives_what_csv_gives(n):
    rows = make_rows(n).round(9)
    rows.to_csv("rows.csv", index=False)
    wanted = predicted("rows.csv")
    for orient in ORIENTS:
        for indent in (None, 2):
            rows.to_json("rows.json", orient=orient, double_precision=15, indent=indent)
            assert predicted("rows.json") == wanted, (orient, indent)
    rows.to_json("values.json", orient="values", double_precision=15)
    assert predicted("values.json", "--features", "0,1,2") == wanted
    rows.to_json("rows.jsonl", orient="records", lines=True, double_precision=15)
    os.rename("rows.jsonl", "rows.ndjson")
    assert predicted("rows.ndjson") == wanted
    for form in ("list", "split", "records", "index", "dict"):
        write("made.json", json.dumps(rows.to_dict(form)))
        assert predicted("made.json") == wanted, form
    text = pathlib.Path("rows.ndjson").read_text(encoding="utf-8")
    for name, more in [("-", ["--input-format", "jsonl"]), ("-", [])]:
        assert predicted(name, *more, input=text) == wanted
    write("rows.csv", text)
    assert predicted("rows.csv", "--input-format", "jsonl") == wanted


def test_library_agrees():
    rows = make_rows(200)
    write("rows.json", json.dumps(rows.to_dict("records")))
    predicted("rows.json", "-o", "out.csv")
    got = pd.read_csv("out.csv")
    np.testing.assert_allclose(got.iloc[:, -1], joblib.load("m.joblib").predict_proba(rows)[:, 1], rtol=1e-12)


numbers = st.one_of(st.none(), st.integers(-2**70, 2**70), st.floats(allow_nan=True, allow_infinity=False), st.booleans())
texts = st.one_of(st.none(), st.sampled_from(["x", 'q"\\,', "é\n😀"]), st.text(st.characters(exclude_categories=["Cs", "Cc"])).map("s".__add__))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(numbers, numbers, texts), min_size=1, max_size=12), st.booleans(), st.randoms())
def test_any_table_gives_what_csv_gives(table, ascii_only, random):
    """Keys in any order, other keys among them, escapes or none."""
    frame = pd.DataFrame(table, columns=["a", "b", "ü"], dtype=object)
    frame.to_csv("rows.csv", index=False)
    objects = []
    for row in frame.itertuples(index=False):
        members = [*zip(frame.columns, row, strict=True), ("other", {"a": [1, "a"]})]
        if objects and random.random() < 0.5:
            random.shuffle(members)
        objects.append(dict(members))
    wanted = predicted("rows.csv")
    write("rows.jsonl", "\n".join(json.dumps(o, ensure_ascii=ascii_only) for o in objects))
    assert predicted("rows.jsonl") == wanted
    write("rows.json", json.dumps(objects, ensure_ascii=ascii_only, indent=random.choice([None, 1])))
    assert predicted("rows.json") == wanted
    write("lists.json", json.dumps(frame.to_dict("list"), ensure_ascii=ascii_only))
    assert predicted("lists.json") == wanted


def test_columns_that_the_first_rows_lack():
    """A name that comes later among the first rows is a column; one that no row has is missing, as in CSV."""
    write("rows.jsonl", '{"a":1,"b":2}\n{"a":1,"b":2,"ü":"x"}\n')
    assert len(predicted("rows.jsonl").splitlines()) == 3
    write("rows.jsonl", '{"a":1,"b":2}\n')
    process = ftl.run("predict", "m.joblib", "rows.jsonl")
    assert process.returncode == DATA and "ü" in process.stderr and "missing" in process.stderr


# ---- Bounds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
def test_memory_is_constant(name):
    one = '{"a":0.123456789,"b":17.0,"more":"' + "y" * 200 + '","ü":"x"}'
    rows = 150_000
    with open(name, "w", encoding="utf-8") as f:
        for i in range(rows):
            f.write(("[" if i == 0 else ",") * (name == "rows.json") + one + "\n")
        f.write("]" * (name == "rows.json"))
    assert os.path.getsize(name) > 30 << 20
    # a process of its own in between: what a large one starts has that one's peak
    process = subprocess.run(["sh", "-c", '"$0" "$@"; exit $?', ftl.program(), "predict", "m.joblib", name, "-o", "out.csv",
                              "--threads", "2"], capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == DONE and len(pathlib.Path("out.csv").read_text(encoding="utf-8").splitlines()) == rows + 1
    assert float(re.search(r"peak memory ([0-9.]+) MB", process.stderr)[1]) < 30


def test_a_column_wise_document_is_bounded():
    with open("big.json", "w", encoding="utf-8") as f:
        f.write('{"a":[' + "1.5,\n" * (13 << 20) + '1],"b":[1],"ü":["x"]}')
    process = ftl.run("predict", "m.joblib", "big.json", "-q")
    assert process.returncode == DATA and "records" in process.stderr and process.stderr.count("\n") == 1


# ---- Bad rows ----------------------------------------------------------------------------------------------------------


BAD = ['{"a":"zz","b":2,"ü":"x"}', '{"a":1,"b":[1],"ü":"x"}', '{"a":1,"b":tru}', "[1]", '{"a":1,"a":2}', "nonsense", "{}}"]


def test_bad_rows_are_set_aside_with_their_reason():
    good = '{"a":1,"b":2,"ü":"x"}'
    write("rows.jsonl", "\n".join([good, *BAD, good]))
    wanted = predicted("rows.jsonl", "--limit", "1").splitlines()
    process = ftl.run("predict", "m.joblib", "rows.jsonl", *PROBABILITIES, "--on-error", "skip", "--reject", "bad.jsonl")
    assert process.returncode == REJECTED, process.stderr
    assert process.stdout.splitlines() == [*wanted, wanted[1]]
    rejected = [json.loads(line) for line in pathlib.Path("bad.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rejected) == len(BAD)
    for i, (got, text) in enumerate(zip(rejected, BAD, strict=True)):
        error = got[-1] if isinstance(got, list) else got["error"]
        assert error.startswith(f"line {i + 2}"), error
        try:
            wanted = json.loads(text, object_pairs_hook=lambda pairs: {**dict(pairs)})
        except ValueError:
            assert got["record"] == text
        else:
            assert got == ([*wanted, error] if isinstance(wanted, list) else {**wanted, "error": error})
    process = ftl.run("predict", "m.joblib", "rows.jsonl", "--on-error", "skip", "--reject", "bad.csv")
    assert process.returncode == USAGE and "JSON lines" in process.stderr


def test_the_first_bad_row_ends_the_job():
    write("rows.jsonl", '{"a":1,"b":2,"ü":"x"}\n\n{"a":1,"b":"1,5","ü":"x"}\n')
    process = ftl.run("predict", "m.joblib", "rows.jsonl", "-q")
    assert process.returncode == DATA and "line 3, column 'b': '1,5' is not a number" in process.stderr
    assert ftl.run("predict", "m.joblib", "rows.jsonl", "-q", "--decimal", ",").returncode == DONE


# ---- Output ------------------------------------------------------------------------------------------------------------


def test_kept_columns_keep_their_json():
    values = [12345678901234567890123, 1.50, True, None, "t\"\\é\n", {"n": [1, {"m": None}]}, ""]
    lines = [json.dumps({"id": v, "a": 1, "b": 2, "ü": "x"}) for v in values]
    write("rows.jsonl", "\n".join(lines))
    for name in ("out.jsonl", "out.json"):
        assert ftl.run("predict", "m.joblib", "rows.jsonl", "--keep", "id", "-o", name).returncode == DONE
        text = pathlib.Path(name).read_text(encoding="utf-8")
        got = json.loads(text) if name == "out.json" else [json.loads(line) for line in text.splitlines()]
        assert [row["id"] for row in got] == values and {row["prediction"] for row in got} <= {True, False, 0, 1}
    assert ftl.run("predict", "m.joblib", "rows.jsonl", "--keep", "id", "-o", "out.csv").returncode == DONE
    _, cells = ftl.read_csv("out.csv")
    assert [row[0] for row in cells] == ["12345678901234567890123", "1.5", "True", "", "t\"\\é\n",
                                         '{"n": [1, {"m": null}]}', ""]


@pytest.mark.parametrize("name", ["out.json", "out.jsonl", "out.ndjson", "out.json.zst", "out.jsonl.gz"])
def test_output_is_what_csv_output_is(name):
    rows = make_rows(5000)
    rows.to_csv("rows.csv", index=False)
    predicted("rows.csv", "-o", "out.csv", "--keep", "ü,a,b")
    predictions = predicted("rows.csv")
    for threads in (1, 2):
        predicted("rows.csv", "-o", name, "--keep", "ü,a,b", "--threads", threads)
        if name.endswith(".zst"):
            subprocess.run(["zstd", "-dqf", name], check=True)
        lines = "jsonl" in name or "ndjson" in name
        got = pd.read_json(name.removesuffix(".zst"), lines=lines, dtype=False, precise_float=True)
        wanted = pd.read_csv("out.csv", dtype={"a": str, "b": str}, keep_default_na=False)
        pd.testing.assert_frame_equal(got, wanted, check_exact=True)
        assert predicted(name) == predictions, "what was written is read again"


def test_no_rows_are_an_empty_array():
    write("rows.csv", "a,b,ü\n")
    predicted("rows.csv", "-o", "out.json")
    assert json.loads(pathlib.Path("out.json").read_text()) == []
    predicted("rows.csv", "-o", "out.jsonl")
    assert pathlib.Path("out.jsonl").read_text() == ""
