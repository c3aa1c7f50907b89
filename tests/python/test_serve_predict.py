"""POST /api/v1/inference/predict as a client of FastAPI and joblib uses it: the answers are the library's."""

import json

import joblib
import numpy as np
import pandas as pd
import pytest
from serving import NATIVE, Server
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

ROW = {"age": 30, "income": 5.0, "plan": "pro", "note": "very happy", "active": True}


def customers(n=80):
    random = np.random.default_rng(0)
    table = pd.DataFrame({
        "age": random.integers(18, 90, n), "income": random.normal(5e4, 1e4, n),
        "plan": random.choice(np.array(["basic", "pro", "größe", None], dtype=object), n),
        "note": random.choice(["very happy", "cancel now", "日本語 text"], n), "active": random.choice([True, False], n)})
    table.loc[::7, "income"] = np.nan
    return table, np.where(table.note.str.contains("cancel") | (table.age > 70), "tschüß", "stay")


@pytest.fixture(scope="module")
def models():
    table, answers = customers()
    columns = ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "income"]),
        ("plan", OneHotEncoder(handle_unknown="ignore"), ["plan"]), ("note", TfidfVectorizer(), "note"),
        ("active", "passthrough", ["active"])])
    codes = pd.DataFrame({"code": [2**53, 2**53 + 1, 2**53 + 2, 7]})
    return {
        "pipe": make_pipeline(columns, LogisticRegression()).fit(table, answers),
        "scaler": StandardScaler().fit(table[["age"]]),
        "codes": make_pipeline(make_column_transformer((OrdinalEncoder(), ["code"])),
                               DecisionTreeClassifier(random_state=0)).fit(codes, ["a", "b", "c", "d"]),
        "ids": DecisionTreeClassifier(random_state=0).fit([[0], [1], [2]], [2**60, 2**60 + 1, 2**60 + 3])}


@pytest.fixture(scope="module")
def server(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name, model in models.items():
        joblib.dump(model, folder / f"{name}.joblib")
    (folder / "ages.csv").write_text("age\n44\n50\n")
    (folder / "ids.csv").write_text("id\n0\n2\n")
    with Server(folder, "--model-root", folder, "--data-root", folder, "--route", "/scale=scaler") as running:
        yield running


def predict(server, model, rows, **more):
    return server.post_json(f"{NATIVE}/predict", {"model_path": model, "features": rows, **more})


def test_a_table_of_all_kinds(server, models):
    table, _ = customers()
    rows = json.loads(table.to_json(orient="records"))
    got = predict(server, "pipe", rows, return_probabilities=True).json()
    assert got["predictions"] == models["pipe"].predict(table).tolist()
    assert got["classes"] == ["stay", "tschüß"] and got["n_samples"] == len(table)
    np.testing.assert_allclose(got["probabilities"], models["pipe"].predict_proba(table), atol=1e-12)


def test_methods(server, models):
    """What is asked for is what comes; a method is never passed over in silence."""
    want = {method: getattr(models["pipe"], method)(pd.DataFrame([ROW])) for method in
            ("predict", "predict_proba", "predict_log_proba", "decision_function")}
    for method, values in want.items():
        got = predict(server, "pipe", [ROW], method=method).json()["predictions"]
        if method == "predict":
            assert got == values.tolist()
        else:
            np.testing.assert_allclose(got, values, atol=1e-12)
    both = predict(server, "pipe", [ROW], method="decision_function", return_probabilities=True).json()
    np.testing.assert_allclose(both["predictions"], want["decision_function"], atol=1e-12)
    np.testing.assert_allclose(both["probabilities"], want["predict_proba"], atol=1e-12)
    assert predict(server, "pipe", [ROW], method=None).json()["predictions"] == want["predict"].tolist()
    scaled = predict(server, "scaler", [{"age": 44}]).json()["predictions"]
    assert scaled == predict(server, "scaler", [{"age": 44}], method="transform").json()["predictions"]
    np.testing.assert_allclose(scaled, models["scaler"].transform(pd.DataFrame({"age": [44]})), atol=1e-12)


def test_shapes_are_those_of_the_library(server, models):
    """transform gives an array of two dimensions, of one column as of many, at every door; predict one of one."""
    rows, table = [{"age": 44}, {"age": 50}], pd.DataFrame({"age": [44, 50]})
    want = models["scaler"].transform(table)
    answers = [predict(server, "scaler", rows).json()["predictions"],
               server.post_json("/invocations?model=scaler", {"dataframe_records": rows}).json()["predictions"],
               server.post_json("/v1/models/scaler:predict", {"instances": rows}).json()["predictions"],
               server.post_json("/scale", rows).json(),
               server.post_json(f"{NATIVE}/predict-batch", {"model_path": "scaler", "data_path": "ages.csv"}).json()["predictions"],
               server.post(f"{NATIVE}/predict", b"age\n44\n50\n", "text/csv",
                           query={"model_path": "scaler"}).json()["predictions"]]
    for answer in answers:
        assert np.shape(answer) == want.shape == (2, 1)
        np.testing.assert_allclose(answer, want, atol=1e-12)
    assert np.shape(predict(server, "pipe", [ROW, ROW]).json()["predictions"]) == (2,)
    of_two = server.post_json(f"{NATIVE}/predict-batch", {"model_path": "ids", "data_path": "ids.csv"}).json()
    assert of_two["predictions"] == [2**60, 2**60 + 3]


@pytest.mark.parametrize("method, kind", [("predikt", "value_error"), ("", "value_error"), ("p" * 400, "value_error"),
                                          ("predict\0", "value_error"), (7, "string_type"),
                                          (["predict"], "string_type"), ("transform", "model_error")])
def test_methods_that_are_none(server, method, kind):
    answer = predict(server, "pipe", [ROW], method=method)
    assert answer.status == 422 and answer.json()["detail"][0]["type"] == kind, answer


def test_whole_numbers_keep_their_digits(server):
    for code, label in ((2**53, "a"), (2**53 + 1, "b"), (2**53 + 2, "c"), (7, "d"), (7.0, "d"), ("9007199254740993", "b")):
        assert predict(server, "codes", [{"code": code}]).json()["predictions"] == [label]
    assert predict(server, "ids", [[0], [1], [2]]).json()["predictions"] == [2**60, 2**60 + 1, 2**60 + 3]


@pytest.mark.parametrize("change, message", [
    ({"age": "thirty"}, "row 0, column 'age': 'thirty' is not a number"),
    ({"age": [30]}, "row 0, column 'age': '[30]' is no single value"),
    ({"age": float("inf")}, "column 'age': infinity"), ({"plan": ["pro"]}, "row 0, column 'plan'"),
    ({"note": None}, "column 'note': TfidfVectorizer does not take a missing cell"),
    ({"active": "yes"}, "row 0, column 'active': 'yes' is not a number")])
def test_values_that_are_refused(server, change, message):
    answer = predict(server, "pipe", [{**ROW, **change}])
    assert answer.status == 422
    assert message in answer.json()["detail"][0]["msg"]


def test_warmup(server):
    """Of one and of several; of a model that is out of service the truth."""
    def warm(**body):
        return server.post_json(f"{NATIVE}/warmup", body)
    for body, models in (({"model_path": "pipe"}, ["pipe"]), ({"model_paths": ["pipe", "ids"]}, ["pipe", "ids"]),
                         ({"model_path": "codes", "model_paths": ["ids"]}, ["codes", "ids"]),
                         ({"model_path": None, "model_paths": ["ids"]}, ["ids"]), ({"model_paths": []}, [])):
        answer = warm(**body)
        assert answer.status == 200, answer
        assert [model["model_path"] for model in answer.json()["models"]] == models
    spaced = server.post(f"{NATIVE}/warmup", b'{"model_path": "ids", "model_paths": [ ]}', "application/json")
    assert [model["model_path"] for model in spaced.json()["models"]] == ["ids"]
    assert server.post_json("/v2/repository/models/ids/unload", {}).status == 200
    assert predict(server, "ids", [[0]]).status == 503
    assert warm(model_path="ids").status == 503 and "/load loads it" in warm(model_paths=["ids"]).json()["detail"]
    assert server.post_json("/v2/repository/models/ids/load", {}).status == 200
    assert warm(model_path="ids").status == 200 and predict(server, "ids", [[0]]).json()["predictions"] == [2**60]


def test_the_row_is_told(server):
    """Of many rows the one that is wrong, whoever finds it and at whatever door."""
    rows = [ROW, {**ROW, "age": 31}, {**ROW, "age": float("inf")}]
    for answer in (predict(server, "pipe", rows), server.post_json("/invocations?model=pipe", {"instances": rows}),
                   server.post_json("/v1/models/pipe:predict", {"instances": rows})):
        assert answer.status in (400, 422) and "row 2: steps[0]" in answer.body.decode(), answer
    tensor = {"name": "x", "shape": [2, 1], "datatype": "BYTES", "data": ["1", "four"]}
    answer = server.post_json("/v2/models/ids/infer", {"inputs": [tensor]})
    assert answer.status == 400 and answer.json()["error"] == "row 1, column 0: 'four' is not a number"


def test_shapes(server):
    for rows, message in (([[]], "0 values where there are 5 columns"), ([{}], "the table has no columns"),
                          ([None], "single values, not rows"), ([ROW, [1]], "row 1"), ("x", "a list of rows"),
                          ([{"note": "x"}], "4 columns of the model are missing in the table: age, income, plan, active")):
        answer = predict(server, "pipe", rows)
        assert answer.status == 422 and message in answer.json()["detail"][0]["msg"], answer
    none = predict(server, "pipe", [], return_probabilities=True).json()
    assert (none["predictions"], none["probabilities"], none["n_samples"]) == ([], [], 0)
    assert predict(server, "pipe", [{**ROW, "more": {"a": [1]}}]).status == 200


def test_the_first_request_of_a_warm_model_is_answered_at_once(models, tmp_path):
    """Its plan was made with it: the cache is asked once, and nothing waits for a thread."""
    joblib.dump(models["pipe"], tmp_path / "pipe.joblib")
    with Server("pipe.joblib", cwd=tmp_path) as running:
        hits = running.get(f"{NATIVE}/cache/stats").json()["hits"]
        for more in ({}, {"return_probabilities": True}):
            hits += 1
            assert predict(running, "pipe", [ROW], **more).json()["cache_hit"] is True
            assert running.get(f"{NATIVE}/cache/stats").json()["hits"] == hits
