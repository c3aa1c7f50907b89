"""--route keeps the path of a service that this one takes the place of: plain JSON rows in, a plain list out."""

import subprocess

import joblib
import numpy as np
import pandas as pd
import pytest
from serving import Server, server_program
from sklearn.linear_model import LinearRegression, LogisticRegression


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    x = np.random.default_rng(0).normal(size=(60, 3))
    joblib.dump(LinearRegression().fit(x, x.sum(axis=1)), folder / "sum.joblib")
    frame = pd.DataFrame(x, columns=["features", "b", "c"])
    joblib.dump(LogisticRegression().fit(frame, np.where(x[:, 0] > 0, "yes", "no")), folder / "named.joblib")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with Server(f"total={folder}/sum.joblib", f"named={folder}/named.joblib", "--model-root", folder,
                "--route", "/predict=total", "--route", "/score/v1=named", "--route", "/proba=named:predict_proba",
                "--route", "/by/path=sum.joblib", "--route", "/invocations=total") as running:
        yield running


@pytest.mark.parametrize("body", [
    [[1, 2, 3], [4, 5, 6]], {"features": [[1, 2, 3], [4, 5, 6]]}, {"instances": [[1, 2, 3], [4, 5, 6]]},
    {"data": [[1, 2, 3], [4, 5, 6]]}, {"inputs": [[1, 2, 3], [4, 5, 6]], "user": 7}, {"rows": [[1, 2, 3], [4, 5, 6]]},
    [{"x0": 1, "x1": 2, "x2": 3}, {"x0": 4, "x1": 5, "x2": 6}]])
def test_rows_in_a_list_out(server, body):
    for path in ("/predict", "/by/path", "/invocations"):
        answer = server.post_json(path, body)
        assert answer.status == 200, answer
        assert answer.headers["content-type"] == "application/json"
        np.testing.assert_allclose(answer.json(), [6, 15])


def test_one_row(server):
    for body in ([1, 2, 3], {"features": [1, 2, 3]}, [[1, 2, 3]]):
        np.testing.assert_allclose(server.post_json("/predict", body).json(), [6])
    one = {"c": 0.5, "features": 2.0, "b": 1}
    for body in (one, [one], {"data": one}, {"instances": [one]}):
        assert server.post_json("/score/v1", body).json() == ["yes"]
    assert server.post_json("/score/v1", {**one, "features": -2}).json() == ["no"]


def test_a_method(server, folder):
    rows = [{"features": 1, "b": 2, "c": 3}]
    want = joblib.load(folder / "named.joblib").predict_proba(pd.DataFrame(rows))
    np.testing.assert_allclose(server.post_json("/proba", rows).json(), want, atol=1e-14)


def test_what_is_refused(server):
    for body in ([[1, 2]], "x", 7, None, True, {}, {"features": []}, [[1, 2, "x"]], [[1, 2, None]], {"features": {}},
                 {"columns": ["a"], "data": [[1], [2, 3]]}):
        answer = server.post_json("/predict", body)
        assert answer.status in (400, 422) or answer.json() == [], (body, answer)
        assert answer.status in (400, 422) or body == {"features": []}
    assert server.get("/predict").status == 405
    assert server.request("POST", "/predict/", "[]").status == 404
    assert server.request("POST", "/predict", "[[1,2,3]]").status == 200
    assert server.request("POST", "/predict", "").status in (400, 422)
    assert server.request("POST", "/predict", "[[1,2,3]]", {"Content-Type": "text/plain"}).status == 415


@pytest.mark.parametrize("route, words", [
    ("predict=total", "begins with a /"), ("/predict", "/PATH=MODEL"), ("/predict=", "/PATH=MODEL"), ("/p=nobody", "nobody"),
    ("/a{b}=total", "path"), ("/p?x=total", "path"), ("/p=../sum.joblib", "there is no model"),
    ("/p=total:predikt", "unknown method 'predikt'; did you mean predict")])
def test_routes_that_are_refused(folder, route, words):
    process = subprocess.run([server_program(), f"total={folder}/sum.joblib", "--model-root", folder, "--port", "0", "--route",
                              route], capture_output=True, text=True, timeout=30, check=False)
    assert process.returncode == 2, process
    assert words in process.stderr
