"""Labels come back: --labels, and a LabelEncoder that stands beside the model.

The kind: a classifier that was fitted on a LabelEncoder's numbers answers with the names.
"""

import json

import ftl
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import LabelEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

RNG = np.random.default_rng(11)
X = RNG.normal(0, 1, (90, 2))
NAMES = np.array(["Adélie", "Chinstrap", "Gentoo, big"])
TRUE = NAMES[np.argmax(X @ [[1, -1, 0.5], [0, 1, -1]], axis=1)]
ENCODER = LabelEncoder().fit(TRUE)
MODEL = DecisionTreeClassifier(random_state=0).fit(X, ENCODER.transform(TRUE))
EXPECTED = list(ENCODER.inverse_transform(MODEL.predict(X)))


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, X)
    return path


def table(done, tmp_path):
    assert done.returncode == 0, done.stderr
    path = tmp_path / "out.csv"
    path.write_text(done.stdout, encoding="utf-8")
    return ftl.read_csv(path)


SOURCES = {
    "the encoder": ENCODER,
    "an array": NAMES,
    "a list": list(NAMES),
    "an index": pd.Index(NAMES),
    "numbers to names": dict(enumerate(NAMES)),
    "numpy's numbers to names": {np.int64(i): name for i, name in enumerate(NAMES)},
    "names to numbers": {name: i for i, name in enumerate(NAMES)},
    "more names than classes": [*NAMES, "unknown"],
}


@pytest.mark.parametrize("name", SOURCES)
def test_names(save, rows, tmp_path, name):
    """Whatever the names are kept in, predictions and the names of probabilities have them."""
    labels = save(SOURCES[name], "labels.pkl")
    header, body = table(ftl.run("predict", save(MODEL), rows, "--labels", labels, "--proba"), tmp_path)
    assert [row[0] for row in body] == EXPECTED
    assert header == ["prediction", *[f"probability_{name}" for name in NAMES]]
    assert json.loads(ftl.run("inspect", save(MODEL), "--labels", labels, "--json").stdout)["classes"] == [list(NAMES)]


def test_entries(save, rows, tmp_path):
    """FILE:KEY is an entry of a bundle, :KEY one of the model's own file."""
    bundle = save({"tools": {"enc": ENCODER}, "model": MODEL, "names": list(NAMES)}, "bundle.pkl")
    for labels in (f"{bundle}:tools.enc", f"{bundle}:names", ":names", ":tools.enc"):
        _, body = table(ftl.run("predict", bundle, rows, "--select", "model", "--labels", labels), tmp_path)
        assert [row[0] for row in body] == EXPECTED


def test_a_file_whose_name_has_a_colon(save, rows, tmp_path):
    labels = save(ENCODER, "la:bels.pkl")
    _, body = table(ftl.run("predict", save(MODEL), rows, "--labels", labels), tmp_path)
    assert [row[0] for row in body] == EXPECTED


@pytest.mark.parametrize("key", ["label_encoder", "encoder", "le", "target_encoder", "labelEncoder", "y_encoder"])
def test_found_beside_the_model(save, rows, tmp_path, key):
    done = ftl.run("predict", save({"model": MODEL, key: ENCODER}), rows)
    _, body = table(done, tmp_path)
    assert [row[0] for row in body] == EXPECTED
    assert f"classes have the names of the file's {key}" in done.stderr


def test_found_with_a_scaler(save, rows, tmp_path):
    scaler = StandardScaler().fit(X)
    model = LogisticRegression().fit(scaler.transform(X), ENCODER.transform(TRUE))
    bundle = save({"model": model, "scaler": scaler, "encoder": ENCODER})
    done = ftl.run("predict", bundle, rows)
    _, body = table(done, tmp_path)
    assert [row[0] for row in body] == list(ENCODER.inverse_transform(model.predict(scaler.transform(X))))
    # What the note says is the same when it is asked for.
    assert "(--select scaler,model)" in done.stderr and "(--labels FILE:encoder)" in done.stderr
    asked = ftl.run("predict", bundle, rows, "--select", "scaler,model", "--labels", f"{bundle}:encoder")
    assert asked.stdout == done.stdout


def test_an_encoder_that_does_not_fit_is_not_used(save, rows, tmp_path):
    """Of another number of classes, or beside a model that predicts names itself."""
    other = LabelEncoder().fit(["f", "m"])
    done = ftl.run("predict", save({"model": MODEL, "encoder": other}), rows)
    _, body = table(done, tmp_path)
    assert [row[0] for row in body] == [str(label) for label in MODEL.predict(X)]
    assert "does not fit" in done.stderr
    named = DecisionTreeClassifier(random_state=0).fit(X, TRUE)
    _, body = table(ftl.run("predict", save({"model": named, "encoder": ENCODER}), rows), tmp_path)
    assert [row[0] for row in body] == list(named.predict(X))


def test_an_encoder_of_a_column_is_never_taken_for_the_classes(save, rows):
    """As many classes as the model has, but its name says that it is of a column: the file is not guessed at."""
    done = ftl.run("predict", save({"model": MODEL, "encoder_island": ENCODER}), rows)
    assert done.returncode == 3 and "--select" in done.stderr


def test_classes_that_are_not_counted_from_0(save, rows, tmp_path):
    model = DecisionTreeClassifier(random_state=0).fit(X, np.array([10, 20, 30])[ENCODER.transform(TRUE)])
    labels = save({10: "x", 20: "y", 30: "z"}, "labels.pkl")
    _, body = table(ftl.run("predict", save(model), rows, "--labels", labels), tmp_path)
    assert [row[0] for row in body] == [{10: "x", 20: "y", 30: "z"}[label] for label in model.predict(X)]
    done = ftl.run("predict", save(model), rows, "--labels", save(ENCODER, "labels.pkl"))
    assert done.returncode == 2 and "class 10" in done.stderr


def test_numbers_for_numbers(save, rows, tmp_path):
    """An encoder of numbers gives numbers back."""
    years = np.array([1999, 2004, 2011])[ENCODER.transform(TRUE)]
    encoder = LabelEncoder().fit(years)
    _, body = table(ftl.run("predict", save(MODEL), rows, "--labels", save(encoder, "l.pkl")), tmp_path)
    assert [int(row[0]) for row in body] == list(encoder.inverse_transform(MODEL.predict(X)))


@pytest.mark.parametrize("labels", [["no", "no", "yes"], {"no": 0, "yes": 1, "perhaps": 1, "more": 2}])
def test_names_that_do_not_tell_classes_apart(save, rows, labels):
    done = ftl.run("predict", save(MODEL), rows, "--labels", save(labels, "labels.pkl"), "--proba")
    assert done.returncode == 2 and ("are equal" in done.stderr or "a number twice" in done.stderr) and done.stdout == ""


@pytest.mark.parametrize("labels", [3, "text", [], {}, {"a": "b"}, StandardScaler().fit(X), [1, [2]]])
def test_what_names_nothing(save, rows, labels):
    done = ftl.run("predict", save(MODEL), rows, "--labels", save(labels, "labels.pkl"))
    assert done.returncode in (2, 3) and done.stderr.count("\n") == 1 and done.stdout == ""


def test_models_without_class_numbers(save, rows):
    labels = save(ENCODER, "labels.pkl")
    done = ftl.run("predict", save(LinearRegression().fit(X, X[:, 0])), rows, "--labels", labels)
    assert done.returncode == 2 and "predicts no classes that --labels could name" in done.stderr
    done = ftl.run("predict", save(DecisionTreeClassifier().fit(X, TRUE)), rows, "--labels", labels)
    assert done.returncode == 2 and "is no number" in done.stderr
    done = ftl.run("predict", save(MODEL), rows, "--labels", "nothing.pkl")
    assert done.returncode == 3 and "nothing.pkl" in done.stderr


def test_xgboost(save, rows, tmp_path):
    """XGBClassifier takes nothing but numbers: the encoder belongs to every such model."""
    model = xgboost.XGBClassifier(n_estimators=5, max_depth=2).fit(X, ENCODER.transform(TRUE))
    header, body = table(ftl.run("predict", save({"model": model, "label_encoder": ENCODER}), rows, "--proba"), tmp_path)
    assert [row[0] for row in body] == list(ENCODER.inverse_transform(model.predict(X)))
    assert header[1:] == [f"probability_{name}" for name in NAMES]
