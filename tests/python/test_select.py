"""Files that hold a dict, list or tuple of models: --select."""

import json
import pickle

import ftl
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

X = np.arange(12.0).reshape(6, 2) % 5
Y = np.array([0, 1, 0, 1, 1, 0])
CLASSIFIER, REGRESSOR = LogisticRegression().fit(X, Y), LinearRegression().fit(X, Y)
SCALER = StandardScaler().fit(X)


@pytest.fixture
def run(tmp_path):
    """A function: the object is written, the command is run on it and a table."""
    def go(thing, command, *options):
        model, rows = tmp_path / "model.pkl", tmp_path / "rows.csv"
        model.write_bytes(pickle.dumps(thing))
        rows.write_text("a,b\n1,2\n3,4\n")
        return ftl.run(command, model, *([] if command == "inspect" else [rows]), *options)
    return go


@pytest.mark.parametrize("thing, key, model", [
    ({"model": REGRESSOR, "scaler": SCALER}, "model", REGRESSOR),
    ([CLASSIFIER, REGRESSOR], "1", REGRESSOR),
    ((CLASSIFIER, REGRESSOR), "1", REGRESSOR),
    ({"a": {"b": CLASSIFIER}, "a.b": REGRESSOR, "a.c": {"d.e": REGRESSOR}}, "a.b", REGRESSOR),
    ({"a": {"b": CLASSIFIER}, "a.c": {"d.e": REGRESSOR}}, "a.c.d.e", REGRESSOR),
    ({1: CLASSIFIER, 2: [{"x": REGRESSOR}]}, "2.0.x", REGRESSOR),
])
def test_chosen(run, thing, key, model):
    done = run(thing, "predict", "--select", key)
    assert done.returncode == 0, done.stderr
    values = [float(line) for line in done.stdout.split()[1:]]
    assert values == pytest.approx(model.predict([[1, 2], [3, 4]]))
    assert run(thing, "check", "--select", key).returncode == 0
    assert f"entry    {key} of the file" in run(thing, "inspect", "--select", key).stdout
    assert json.loads(run(thing, "inspect", "--json", "--select", key).stdout)["selected"] == key


@pytest.mark.parametrize("thing", [{"model": REGRESSOR, "columns": ["a", "b"]}, [REGRESSOR], (None, {"m": REGRESSOR})])
def test_the_only_one(run, thing):
    done = run(thing, "predict")
    assert done.returncode == 0, done.stderr
    assert "entry " in run(thing, "inspect").stdout


def test_several(run):
    thing = {"model": CLASSIFIER, "parts": [SCALER, REGRESSOR], "bad\nkey": REGRESSOR}
    for command in ("predict", "check", "inspect"):
        done = run(thing, command)
        assert done.returncode == 3
        assert "choose one with --select: model, parts.0, parts.1, bad?key" in done.stderr
    assert "parts.0                          sklearn.preprocessing.StandardScaler" in run(thing, "inspect").stdout


@pytest.mark.parametrize("thing, key", [
    ({"model": REGRESSOR}, "nothing"), ([REGRESSOR], "1"), ([REGRESSOR], "-1"), ([REGRESSOR], ""), (REGRESSOR, "0"),
    ({"model": REGRESSOR}, "model.coef_"), ({"model": REGRESSOR}, ".model")])
def test_no_such_entry(run, thing, key):
    done = run(thing, "predict", "--select", key)
    assert done.returncode == 2 and done.stderr.count("\n") == 1


@pytest.mark.parametrize("thing", [{}, [], {"a": 1}, [[[REGRESSOR]]]])
def test_no_model(run, thing):
    assert run(thing, "predict").returncode == 3
