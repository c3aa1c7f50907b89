"""Rows in memory (ftl_session_read) give what files of the same bytes give, in every format."""

import csv
import io
import json
import math

import ftl
import hypothesis
import hypothesis.strategies as st
import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
from library import NULL, ForetellError, Session
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from test_same_rows import models, row, strict, write_all  # noqa: F401 (a fixture)

EMPTY_IS_TEXT = 2
FORMATS = {".csv": b"csv", ".json": b"json", ".jsonl": b"jsonl", ".parquet": b"parquet", ".arrow": b"arrow",
           ".arrows": b"arrow"}


def numbers(text):
    """The cells of a CSV of numbers; empty ones are NaN."""
    rows = list(csv.reader(io.StringIO(text)))[1:]
    return np.array([[float(cell) if cell else math.nan for cell in r or [""]] for r in rows])


def predict(model, path, method):
    """What a job over the file answers, which is the same in all formats (test_same_rows.py)."""
    process = ftl.run("predict", model, path, "--quiet", "--empty", "text", "--method", method, "--on-error", "null")
    assert process.returncode in (0, 5), process.stderr  # 5: some rows are empty
    return numbers(process.stdout)


@hypothesis.given(rows=st.lists(row, min_size=1, max_size=12))
def test_every_format(models, tmp_path, rows):  # noqa: F811
    paths = write_all(tmp_path, rows)
    for name, method, width in [("numeric", "predict_proba", 2), ("encoded", "predict", 1), ("boosted", "predict", 1)]:
        wanted = predict(models / name, paths[0], method)
        with Session(models / name, method, on_error=NULL) as session:
            for path in [*paths, *paths[:3]]:  # some again, when the session has read others
                given = [{}] if path.suffix in (".json", ".jsonl") else []  # there an empty text is one anyway
                for more in [{"empty_text": EMPTY_IS_TEXT}, *given]:
                    batch = session.read(path.read_bytes(), format=FORMATS[path.suffix], **more)
                    got = session.predict_batch(batch, method, width)
                    assert got.tobytes() == wanted.tobytes(), (name, path.name, more)
                    assert session.bad_rows() == np.isnan(wanted).any(axis=1).sum()


@hypothesis.given(rows=st.lists(row, min_size=1, max_size=12), order=st.permutations(["x", "f", "i", "u", "flag", "t"]),
                  dropped=st.sets(st.sampled_from(["x", "f", "i", "u", "flag", "t"]), max_size=3))
def test_objects_of_any_order(models, tmp_path, rows, order, dropped):  # noqa: F811
    """Keys in another order, with others between them, absent where they are null; then as arrays."""
    path = write_all(tmp_path, rows)[0]
    arrays = [[strict(r[name]) for name in ["x", "f", "i", "u", "flag", "t"]] for r in rows]
    full = [{"id": i, **{name: strict(r[name]) for name in order}, "more": {"x": [1]}} for i, r in enumerate(rows)]
    sparse = full[:1] + [{name: strict(r[name]) for name in order if not (name in dropped and strict(r[name]) is None)}
                         for r in rows[1:]]
    for name in ["encoded", "boosted"]:
        wanted = predict(models / name, path, "predict")
        with Session(models / name, "predict", on_error=NULL) as session:
            for text in [json.dumps(full), json.dumps(sparse, ensure_ascii=False), json.dumps(arrays)]:
                got = session.predict_batch(session.read(text.encode()), "predict", 1)
                assert got.tobytes() == wanted.tobytes(), (name, text)


def test_npy_and_record_batches(models, tmp_path):  # noqa: F811
    rng = np.random.default_rng(5)
    matrix = rng.normal(size=(1000, 5))
    for order in "CF":
        np.save(tmp_path / "rows.npy", np.asarray(matrix, order=order))
        with Session(models / "numeric", "predict_proba") as session:
            batch = session.read((tmp_path / "rows.npy").read_bytes(), format=b"npy")
            got = session.predict_batch(batch, "predict_proba", 2)
            assert got.tobytes() == session.predict_matrix(matrix, "predict_proba", 2).tobytes()


@pytest.fixture(scope="module")
def spaced(tmp_path_factory):
    """LightGBM keeps 'a b' as 'a_b'."""
    folder = tmp_path_factory.mktemp("spaced")
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(size=(200, 2)), columns=["a b", "c"])
    model = lightgbm.LGBMRegressor(n_estimators=5, verbose=-1).fit(frame, frame.sum(axis=1))
    joblib.dump(model, folder / "spaced")
    model.booster_.save_model(folder / "spaced.txt")
    return folder, frame, model


def test_names_that_lost_their_spaces(spaced):
    folder, frame, model = spaced
    text = frame.to_json(orient="records", double_precision=15).encode()
    read = pd.DataFrame(json.loads(text))
    for name in ["spaced", "spaced.txt"]:
        with Session(folder / name, "predict") as session:
            got = session.predict_batch(session.read(text), "predict", 1)
            assert np.array_equal(got[:, 0], model.predict(read))


def test_what_orients_there_are(tmp_path):
    frame = pd.DataFrame({"n": [1.5, 2.0, np.nan], "t": ["a", None, "é"]})
    model = make_pipeline(ColumnTransformer([("t", OneHotEncoder(handle_unknown="ignore"), ["t"]),
                                             ("n", "passthrough", ["n"])]), LinearRegression())
    model.fit(frame.fillna({"n": 0.0}), [1.0, 2.0, 3.0])
    joblib.dump(model, tmp_path / "model")
    given = frame.fillna({"n": 7.0})
    wanted = model.predict(given)
    with Session(tmp_path / "model", "predict") as session:
        for orient in ["records", "split", "columns", "index", "values", "table"]:
            text = given.to_json(orient=orient).encode()
            got = session.predict_batch(session.read(text), "predict", 1)
            assert np.array_equal(got[:, 0], wanted), orient


@pytest.mark.parametrize("text, status, says", [
    (b'[{"x": 1}]', "SCHEMA", "5 columns of the model are missing in the table"),
    (b"[[1, 2]]", "SHAPE", "row 0: 2 values where there are 6 columns"),
    (b'[[1, 2, 3, 4, true, "a"], [1, 2, "q", 4, true, "a"]]', "VALUE", "row 1, column 'i'"),
    (b"[1, 2]", "SCHEMA", "[[1, 2], [3, 4]]"),
    (b'[[1, 2, 3, 4, true, "a"]', "CORRUPT", "it ends too early"),
])
def test_errors(models, text, status, says):  # noqa: F811
    with Session(models / "boosted", "predict") as session:
        with pytest.raises(ForetellError) as error:
            session.read(text)
    assert error.value.status == status and says in str(error.value)
