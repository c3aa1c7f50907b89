"""MLflow's scoring protocol, and what SageMaker asks of a container: /invocations, /ping, /health, /version."""

import json

import dialects
import ftl
import joblib
import numpy as np
import pandas as pd
import pytest
from serving import Server
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

JSON, CSV = "application/json", "text/csv"


def table(n=12):
    rng = np.random.default_rng(4)
    return pd.DataFrame({"age": rng.integers(18, 80, n), "city": rng.choice(["Oslo", "Rome", 'a "b", c'], n),
                         "income": rng.normal(100, 20, n)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    data = table(80)
    columns = make_column_transformer((StandardScaler(), ["age", "income"]), (OneHotEncoder(), ["city"]))
    joblib.dump(make_pipeline(columns, LogisticRegression()).fit(data, data["income"] > 100), folder / "people.joblib")
    x = np.random.default_rng(0).normal(size=(60, 3))
    joblib.dump(LinearRegression().fit(x, x.sum(axis=1)), folder / "sum.joblib")
    joblib.dump(LinearRegression().fit(x[:, :1], x[:, 0] * 2), folder / "double.joblib")
    joblib.dump(LinearRegression().fit(x, x[:, :2]), folder / "two.joblib")
    return folder


@pytest.fixture(scope="module")
def people(folder):
    with Server(folder / "people.joblib") as running:
        yield running


@pytest.fixture(scope="module")
def several(folder):
    names = ("people", "sum", "double", "two")
    with Server(*[f"{name}={folder}/{name}.joblib" for name in names]) as running:
        yield running


def ask(server, body, kind=JSON, query="", **headers):
    body = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return server.request("POST", f"/invocations{query}", body, {"Content-Type": kind, **headers})


def predictions(answer):
    assert answer.status == 200, answer
    assert list(answer.json()) == ["predictions"]
    return answer.json()["predictions"]


def refused(answer, status, code, *words):
    assert answer.status == status, answer
    body = answer.json()
    assert sorted(body) == ["error_code", "message"] and body["error_code"] == code
    for word in words:
        assert word in body["message"], body
    return body["message"]


def test_the_only_model_is_meant(people, folder):
    data = table()
    want = joblib.load(folder / "people.joblib").predict(data).tolist()
    split = data.to_dict(orient="split")
    bodies = [{"dataframe_split": split}, {"dataframe_split": {"data": split["data"], "columns": split["columns"]}},
              {"dataframe_split": {"columns": split["columns"][::-1], "data": [row[::-1] for row in split["data"]]}},
              {"dataframe_records": data.to_dict(orient="records")}, {"instances": data.to_dict(orient="records")},
              {"inputs": data.to_dict(orient="list")}, {"inputs": data.to_dict(orient="records")},
              {"params": None, "dataframe_split": split}, {"params": {}, "dataframe_split": split}]
    for body in bodies:
        assert predictions(ask(people, body)) == want
    assert predictions(ask(people, data.to_csv(index=False), CSV)) == want
    assert predictions(ask(people, {"dataframe_records": data.to_dict(orient="records")}, "application/json; charset=utf-8")) == want
    assert predictions(ask(people, data.to_csv(index=False), "TEXT/CSV; charset=utf-8; header=present")) == want
    assert predictions(ask(people, {"dataframe_records": data.to_dict(orient="records")[:1]})) == want[:1]


def test_methods(people, folder):
    data = table()
    body = {"dataframe_split": data.to_dict(orient="split"), "params": {"other": [1], "method": "predict_proba"}}
    want = joblib.load(folder / "people.joblib").predict_proba(data)
    np.testing.assert_allclose(predictions(ask(people, body)), want, atol=1e-14)
    refused(ask(people, {**body, "params": {"method": "guess"}}), 400, "BAD_REQUEST", "guess")
    refused(ask(people, {**body, "params": {"method": 1}}), 400, "BAD_REQUEST", "method")
    refused(ask(people, {**body, "params": []}), 400, "BAD_REQUEST", "params")


def test_which_model(several):
    rows = {"instances": [[1, 2, 3], [4, 5, 6]]}
    message = refused(ask(several, rows), 400, "BAD_REQUEST", "X-Foretell-Model")
    for name in ("people", "sum", "double", "two"):
        assert name in message
    for answer in (ask(several, rows, query="?model=sum"), ask(several, rows, **{"X-Foretell-Model": "sum"}),
                   ask(several, rows, query="?a=1&model=%73um&b")):
        np.testing.assert_allclose(predictions(answer), [6, 15])
    refused(ask(several, rows, query="?model=nobody"), 404, "RESOURCE_DOES_NOT_EXIST", "nobody")
    refused(ask(several, rows, query="?model=%zz"), 400, "BAD_REQUEST")
    with Server() as nobody:
        refused(ask(nobody, rows), 404, "RESOURCE_DOES_NOT_EXIST")


def test_arrays(several):
    def numbers(model, body):
        return np.round(predictions(ask(several, body, query=f"?model={model}")), 9).tolist()
    assert numbers("sum", {"inputs": [[1, 2, 3]]}) == [6]
    assert numbers("sum", {"inputs": [1, 2, 3]}) == [6]
    assert numbers("sum", {"inputs": {"input": [[1, 2, 3], [1, 1, 1]]}}) == [6, 3]
    assert numbers("sum", {"dataframe_split": {"columns": [0, 1, 2], "data": [[1, 2, 3]]}}) == [6]
    assert numbers("sum", {"dataframe_split": {"data": [[1, 2, 3]]}}) == [6]
    assert numbers("double", {"instances": [1, 2.5, -3e0, 4]}) == [2, 5, -6, 8]
    assert numbers("double", {"instances": [[1], [2]]}) == [2, 4]
    assert numbers("double", {"instances": 4 * [0.5]}) == 4 * [1]
    assert numbers("two", {"instances": [[1, 2, 3], [3, 2, 1]]}) == [[1, 2], [3, 2]]
    assert numbers("sum", {"instances": []}) == []


def test_csv_without_a_header(several):
    """As SageMaker's clients send it: the content type says that the first line is data."""
    answer = ask(several, "1,2,3\n4,5,6\n", "text/csv; header=absent", "?model=sum")
    np.testing.assert_allclose(predictions(answer), [6, 15])
    answer = ask(several, "a,b,c\n4,5,6\n", "text/csv", "?model=sum")
    np.testing.assert_allclose(predictions(answer), [15])


def test_csv_answers(people, several, folder, tmp_path):
    """Who accepts CSV gets a line for each row, as `foretell predict` would write it, without a header."""
    (tmp_path / "x.csv").write_text("1,2,3\n4,5,-6.25\n")
    answer = ask(several, "1,2,3\n4,5,-6.25\n", "text/csv; header=absent", "?model=two", Accept="text/csv")
    assert answer.headers["content-type"].startswith("text/csv")
    out = tmp_path / "out.csv"
    assert ftl.run("predict", folder / "two.joblib", tmp_path / "x.csv", "-o", out, "--no-header").returncode == 0
    assert answer.body.decode() == out.read_text().partition("\n")[2]
    data = table()
    data.to_csv(tmp_path / "x.csv", index=False)
    assert ftl.run("predict", folder / "people.joblib", tmp_path / "x.csv", "-o", out).returncode == 0
    answer = ask(people, data.to_csv(index=False), CSV, Accept="text/csv, application/xml")
    assert answer.body.decode() == out.read_text().partition("\n")[2]
    for accept in ("*/*", "application/json"):
        predictions(ask(people, data.to_csv(index=False), CSV, Accept=accept))
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit([["a"], ["b"]], ['x "1", 2', "y"])
    joblib.dump(model, tmp_path / "words.joblib")
    with Server(tmp_path / "words.joblib") as own:
        assert ask(own, "a\nb\n", "text/csv; header=absent", Accept="text/csv").body == b'"x ""1"", 2"\ny\n'


def test_what_is_refused(people):
    split = {"columns": ["age", "city", "income"], "data": [[30, "Oslo", 1.5]]}
    refused(ask(people, "x", "application/xml"), 415, "BAD_REQUEST", "application/json")
    assert people.request("POST", "/invocations", "{}").status == 415
    refused(ask(people, {}), 400, "BAD_REQUEST", "exactly one")
    refused(ask(people, {"instances": [], "inputs": []}), 400, "BAD_REQUEST", "exactly one")
    refused(ask(people, []), 400, "BAD_REQUEST")
    refused(ask(people, "{"), 400, "BAD_REQUEST", "JSON")
    refused(ask(people, {"dataframe_split": {**split, "columns": ["age", "city"]}}), 400, "BAD_REQUEST")
    refused(ask(people, {"dataframe_split": {**split, "columns": ["age", "town", "income"]}}), 400, "BAD_REQUEST", "city")
    refused(ask(people, {"dataframe_split": {**split, "data": [["old", "Oslo", 1.5]]}}), 400, "BAD_REQUEST", "old")
    refused(ask(people, {"dataframe_split": {**split, "data": [[1, "Bern", 1.5]]}}), 400, "BAD_REQUEST", "Bern")
    for rows in (None, 1, "x", True, {}, {"age": 1}, [[1, [2], 3]], {"age": [1], "city": ["Oslo"], "income": [1, 2]}):
        refused(ask(people, {"instances": rows}), 400, "BAD_REQUEST")
    refused(ask(people, "", CSV), 400, "BAD_REQUEST")
    assert people.get("/invocations").status == 405


def test_probes(people):
    assert people.get("/ping").status == 200
    assert people.get("/health").status == 200
    version = people.get("/version")
    assert version.status == 200 and version.body.decode() == people.get("/v2").json()["version"]


def test_names_with_escapes_are_read_once(folder, tmp_path):
    """A request that waits for its model is read again; the texts of its body must be as they were."""
    (tmp_path / "mödel").mkdir()
    joblib.dump(joblib.load(folder / "sum.joblib"), tmp_path / "mödel" / "süm.joblib")
    with Server("--model-root", tmp_path) as own:
        body = '{"model_path": "m\\u00f6del\\/s\\u00fcm.joblib", "features": [[1, 2, 3]]}'
        answer = own.request("POST", "/api/v1/inference/predict", body, dialects.JSON)
        assert answer.status == 200, answer
        np.testing.assert_allclose(answer.json()["predictions"], [6])
