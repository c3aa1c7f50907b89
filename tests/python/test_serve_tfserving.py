"""TensorFlow Serving's REST API, which KServe's first protocol and Vertex AI's containers speak as well."""

import json

import joblib
import numpy as np
import pandas as pd
import pytest
from serving import Server
from sklearn.linear_model import LinearRegression, LogisticRegression


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    x = np.random.default_rng(0).normal(size=(60, 3))
    joblib.dump(LinearRegression().fit(x, x.sum(axis=1)), folder / "sum.joblib")
    joblib.dump(LogisticRegression().fit(pd.DataFrame(x, columns=["a", "b", "c"]), x[:, 0] > 0), folder / "named.joblib")
    for version in ("1", "3"):
        (folder / "tree" / "half" / version).mkdir(parents=True)
        joblib.dump(LinearRegression().fit(x[:, :1], x[:, 0] * int(version)), folder / "tree" / "half" / version / "m.joblib")
    (folder / "broken.joblib").write_bytes(b"nothing")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with Server(folder / "sum.joblib", folder / "named.joblib", folder / "broken.joblib", folder / "tree") as running:
        yield running


def numbers(answer, member="predictions"):
    assert answer.status == 200, answer
    assert list(answer.json()) == [member]
    return np.round(answer.json()[member], 9).tolist()


def refused(answer, status, *words):
    assert answer.status == status, answer
    assert list(answer.json()) == ["error"]
    for word in words:
        assert word in answer.json()["error"], answer


def test_rows_and_columns(server):
    path = "/v1/models/sum:predict"
    assert numbers(server.post_json(path, {"instances": [[1, 2, 3], [4, 5, 6]]})) == [6, 15]
    assert numbers(server.post_json(path, {"signature_name": "serving_default", "instances": [[1, 2, 3]]})) == [6]
    assert numbers(server.post_json(path, {"inputs": [[1, 2, 3]]}), "outputs") == [6]
    assert numbers(server.post_json(path, {"inputs": {"x": [[1, 2, 3], [1, 1, 1]]}}), "outputs") == [6, 3]
    assert numbers(server.post_json("/v1/models/half:predict", {"instances": [1.0, 2.0, 5.0]})) == [3, 6, 15]
    # tensors of a width of one, by name
    named = {"a": [[1.0], [2]], "c": [[0.5], [-2]], "b": [[-1], [1e3]]}
    want = server.post_json("/v1/models/named:predict", {"inputs": {k: [v[0] for v in vs] for k, vs in named.items()}})
    assert want.status == 200 and len(want.json()["outputs"]) == 2
    assert server.post_json("/v1/models/named:predict", {"inputs": named}).json() == want.json()
    rows = [{name: values[i] for name, values in named.items()} for i in range(2)]
    assert server.post_json("/v1/models/named:predict", {"instances": rows}).json()["predictions"] == want.json()["outputs"]
    assert server.post_json("/v1/models/named:predict", {"instances": rows[:1]}).status == 200
    refused(server.post_json("/v1/models/named:predict", {"inputs": {**named, "a": [[1, 2], [3, 4]]}}), 400)
    refused(server.post_json("/v1/models/named:predict", {"instances": [{"a": [1, 2], "b": [1], "c": [1]}]}), 400)
    refused(server.post_json("/v1/models/named:predict", {"instances": [{"a": [], "b": [1], "c": [1]}]}), 400)
    refused(server.request("POST", "/v1/models/named:predict", '{"instances": [{"a": [1, "b": [1]}]}'), 400)
    # curl -d without a content type of JSON, and scripts that say none
    assert numbers(server.request("POST", path, '{"instances": [[1, 2, 3]]}')) == [6]
    refused(server.request("POST", path, "{}", {"Content-Type": "text/plain"}), 415)
    form = {"Content-Type": "application/x-www-form-urlencoded"}  # as curl -d calls it
    for where, status in (("Origin", 403), ("Referer", 415)):  # a browser's form
        refused(server.request("POST", path, '{"instances": []}', {**form, where: "http://example.org/"}), status)
    assert server.request("POST", path, '{"instances": []}', form).status == 200


def test_versions_and_methods(server, folder):
    for version, times in (("1", 1), ("3", 3), ("latest", 3)):
        assert numbers(server.post_json(f"/v1/models/half/versions/{version}:predict", {"instances": [[2]]})) == [2 * times]
    refused(server.post_json("/v1/models/half/versions/2:predict", {"instances": [[2]]}), 404, "version 2")
    rows = [{"a": 1, "c": 0.5, "b": -1}, {"c": 2, "b": 0, "a": -1}]
    want = joblib.load(folder / "named.joblib").predict_proba(pd.DataFrame(rows)[["a", "b", "c"]])
    for extra in ({"signature_name": "predict_proba"}, {"parameters": {"method": "predict_proba"}}):
        answer = server.post_json("/v1/models/named:predict", {"instances": rows, **extra})
        np.testing.assert_allclose(answer.json()["predictions"], want, atol=1e-14)
    assert server.post_json("/v1/models/named:predict", {"instances": rows}).json() == {"predictions": [True, False]}
    refused(server.post_json("/v1/models/named:predict", {"instances": rows, "signature_name": "guess"}), 400, "guess")


def test_what_there_is(server):
    assert server.get("/v1/models").json() == {"models": ["broken", "half", "named", "sum"]}
    status = server.get("/v1/models/half").json()
    assert status["name"] == "half" and status["ready"] is True
    assert status["model_version_status"] == [
        {"version": v, "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}} for v in ("1", "3")]
    assert [v["version"] for v in server.get("/v1/models/half/versions/1").json()["model_version_status"]] == ["1"]
    broken = server.get("/v1/models/broken").json()
    assert broken["ready"] is False and broken["model_version_status"][0]["status"]["error_code"] == "UNKNOWN"
    refused(server.get("/v1/models/nobody"), 404)


def test_what_is_refused(server):
    path = "/v1/models/sum:predict"
    refused(server.post_json(path, {}), 400, "instances")
    refused(server.post_json(path, {"instances": [], "inputs": []}), 400, "either")
    refused(server.post_json(path, {"instances": [[1, 2]]}), 400)
    refused(server.post_json(path, {"instances": "x"}), 400)
    refused(server.post_json(path, {"instances": [[1, 2, 3]], "signature_name": 3}), 400)
    refused(server.request("POST", path, "{"), 400)
    refused(server.post_json("/v1/models/nobody:predict", {"instances": [[1]]}), 404, "nobody")
    refused(server.post_json("/v1/models/sum:classify", {}), 405)


def test_vertex(folder):
    """Vertex AI says by its environment where it will call."""
    env = {"AIP_PREDICT_ROUTE": "/v1/endpoints/7/models/1:predict", "AIP_HEALTH_ROUTE": "/v1/endpoints/7/models/1",
           "AIP_HTTP_PORT": "8080"}
    with Server(folder / "sum.joblib", env=env) as own:
        assert own.get(env["AIP_HEALTH_ROUTE"]).status == 200
        assert numbers(own.post_json(env["AIP_PREDICT_ROUTE"], {"instances": [[1, 2, 3]], "parameters": {}})) == [6]
        refused(own.post_json(env["AIP_PREDICT_ROUTE"], {"instances": [[1, 2]]}), 400)
        assert own.get(env["AIP_PREDICT_ROUTE"]).status == 405
    with Server(folder / "sum.joblib", "--predict-route", "/p", "--health-route", "/up", env=env) as own:
        assert own.get("/up").status == 200
        assert numbers(own.post_json("/p", {"instances": [[1, 2, 3]]})) == [6]


def test_the_port_of_vertex(folder):
    """An option goes before it; without one it is the port."""
    import subprocess
    from serving import server_program
    shown = subprocess.run([server_program(), "--check-config"], env={"AIP_HTTP_PORT": "8093", "PATH": "/"},
                           capture_output=True, text=True, check=True).stdout
    assert "port = 8093\n" in shown
    shown = subprocess.run([server_program(), "--check-config", "--port", "81"], env={"AIP_HTTP_PORT": "8093", "PATH": "/"},
                           capture_output=True, text=True, check=True).stdout
    assert "port = 81\n" in shown
