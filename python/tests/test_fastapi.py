"""foretell.fastapi: the six endpoints and jobs in an application of one's own, by FastAPI's TestClient."""

import asyncio
import json
import os
import threading
import time

import numpy as np
import pandas as pd
import pytest
from conftest import mixed_frame, named_frame, numeric_rows
from fastapi import FastAPI
from fastapi.testclient import TestClient

from foretell.fastapi import make_router
from foretell.inference import OptimizedPredictor

API = "/api/v1/inference"


@pytest.fixture(scope="module")
def place(tmp_path_factory, lr_path, forest_path, pipeline_path, regressor_path, transformer_path):
    """A folder with data/ and out/, and the folder of the models."""
    folder = tmp_path_factory.mktemp("served")
    for name in ("data", "out", "outside"):
        (folder / name).mkdir()
    rows = mixed_frame(3000, seed=5)
    rows.to_csv(folder / "data/rows.csv", index=False)
    rows.head(7).to_csv(folder / "data/seven.csv", index=False)
    rows.to_json(folder / "data/rows.jsonl", orient="records", lines=True)
    rows.to_parquet(folder / "data/rows.parquet", index=False)
    (folder / "outside/secret.csv").write_text("age,balance,plan,city\n1,2,pro,Wien\n")
    (folder / "data/bad.csv").write_text("age,balance,plan,city\n1,2,pro,Wien\nold,2,pro,Wien\n3,4,pro,Wien\n")
    (folder / "data/link.csv").symlink_to(folder / "outside/secret.csv")
    (folder / "data/inner.csv").symlink_to("seven.csv")
    os.mkfifo(folder / "data/pipe")
    return folder


def make_client(place, models_folder, **options):
    settings = {"model_root": models_folder, "data_root": place / "data", "output_root": place / "out", **options}
    app = FastAPI()
    app.include_router(make_router(settings.pop("predictor", OptimizedPredictor()), **settings), prefix=API)
    return TestClient(app)


@pytest.fixture(scope="module")
def client(place, models_folder):
    with make_client(place, models_folder, max_answer_rows=3000) as client:
        yield client


def ask(client, path="predict", status=200, **body):
    answer = client.post(f"{API}/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def rows_of(frame):
    return json.loads(frame.to_json(orient="records"))


# ---- predict -----------------------------------------------------------------------------------------------------------


def test_predictions_are_the_librarys(client, original, lr_path, pipeline_path):
    for path, frame in ((lr_path, named_frame(50, seed=9)), (pipeline_path, mixed_frame(50, seed=9))):
        model = original(path)
        got = ask(client, model_path=path.name, features=rows_of(frame), return_probabilities=True)
        assert got["predictions"] == model.predict(frame).tolist()
        np.testing.assert_allclose(got["probabilities"], model.predict_proba(frame), atol=1e-12)
        assert got["classes"] == model.classes_.tolist() and got["n_samples"] == 50
        assert got["inference_time_seconds"] > 0 and got["throughput_samples_per_sec"] > 0
        again = ask(client, model_path=path.name, features=rows_of(frame.head(1)))
        assert again["cache_hit"] is True and "probabilities" not in again


def test_rows_are_lists_too(client, original, forest_path, regressor_path, transformer_path):
    rows = numeric_rows(20, seed=2)
    got = ask(client, model_path="forest.joblib", features=rows.tolist())
    assert got["predictions"] == original(forest_path).predict(rows).tolist() and got["classes"] == [0, 1, 2]
    got = ask(client, model_path="regressor.joblib", features=rows.tolist())
    np.testing.assert_allclose(got["predictions"], original(regressor_path).predict(rows), rtol=1e-12)
    assert "classes" not in got
    got = ask(client, model_path="transformer.joblib", features=rows.tolist())
    np.testing.assert_allclose(got["predictions"], original(transformer_path).transform(rows), atol=1e-9)


def test_methods(client, original, lr_path):
    frame = named_frame(5, seed=1)
    got = ask(client, model_path="lr.joblib", features=rows_of(frame), method="decision_function", return_probabilities=True)
    np.testing.assert_allclose(got["predictions"], original(lr_path).decision_function(frame), atol=1e-12)
    assert np.shape(got["probabilities"]) == (5, 2)
    for method in ("predikt", "", "transform", "p" * 400):
        assert ask(client, status=422, model_path="lr.joblib", features=rows_of(frame), method=method)["detail"]
    assert ask(client, status=422, model_path="lr.joblib", features=[], method=7)["detail"][0]["loc"] == ["body", "method"]
    assert ask(client, status=422, model_path="transformer.joblib", features=[[1, 2, 3, 4]], return_probabilities=True)


def test_no_rows(client):
    got = ask(client, model_path="lr.joblib", features=[], return_probabilities=True)
    assert (got["predictions"], got["probabilities"], got["n_samples"]) == ([], [], 0)


@pytest.mark.parametrize("features, message", [
    ([{"age": "old", "tenure": 1, "balance": 2, "rate": 3}], "age"), ([[1, 2, 3]], "3"), ([{"age": 1}], "tenure"), ([None], ""),
    ([{"age": 1, "tenure": 1, "balance": None, "rate": 3}], ""), ([{"age": [1], "tenure": 1, "balance": 2, "rate": 3}], "age"),
    ([{"age": 1e400, "tenure": 1, "balance": 2, "rate": 3}], ""), ([[1, 2, 3, 4], [1, 2]], ""), ([[]], ""), ([{}], "")])
def test_rows_that_are_refused(client, features, message):
    answer = client.post(f"{API}/predict", content=json.dumps({"model_path": "lr.joblib", "features": features}),
                         headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    detail = answer.json()["detail"][0]
    assert detail["loc"][:2] == ["body", "features"] and message in detail["msg"] and set(detail) == {"loc", "msg", "type"}


def test_bodies_that_are_refused(client):
    for body in ({}, {"model_path": "lr.joblib"}, {"features": []}, {"model_path": 7, "features": []},
                 {"model_path": "lr.joblib", "features": "x"}, {"model_path": "lr.joblib", "features": [], "use_cache": "perhaps"},
                 {"model_path": "lr.joblib", "features": float("nan")}, [], None):
        answer = client.post(f"{API}/predict", content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert answer.status_code == 422 and set(answer.json()["detail"][0]) == {"loc", "msg", "type"}, answer.text
    assert client.post(f"{API}/predict", content=b"{", headers={"Content-Type": "application/json"}).status_code == 422


def test_use_cache_false_evicts_nobody(place, models_folder):
    predictor = OptimizedPredictor(cache_size=1)
    with make_client(place, models_folder, predictor=predictor) as client:
        ask(client, model_path="lr.joblib", features=[])
        alone = ask(client, model_path="forest.joblib", features=[], use_cache=False)
        assert alone["cache_hit"] is False and [os.path.basename(path) for path in predictor.cache] == ["lr.joblib"]


def test_figures_count_a_request_once(place, models_folder):
    predictor = OptimizedPredictor()
    with make_client(place, models_folder, predictor=predictor) as client:
        for _ in range(3):
            ask(client, model_path="lr.joblib", features=rows_of(named_frame(4)))
        stats = client.get(f"{API}/cache/stats").json()
        assert (stats["hits"], stats["misses"], stats["cache_size"]) == (2, 1, 1)
        assert stats["models"][0]["model_path"] == "lr.joblib" and stats["models"][0]["hits"] == 2
        assert 0 < stats["latency"]["p50"] <= stats["latency"]["p99"] and stats["throughput_samples_per_sec"] > 0
        assert stats["process"]["resident_bytes"] > 0 and stats["problems"] == []


# ---- models and paths -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path, status", [
    ("none.joblib", 404), ("../x.joblib", 403), ("/etc/passwd", 403), ("", 422), ("a\0b", 422), ("x" * 5000, 422),
    ("x" * 300, 422), ("lr.joblib/x", 404), ("sub/../../x", 404), (".", 403), ("..", 403)])
def test_models_lie_beneath_the_root(client, path, status):
    answer = client.post(f"{API}/predict", json={"model_path": path, "features": []})
    assert answer.status_code in ({status} if status != 403 else {403, 404, 422}), answer.text
    assert client.post(f"{API}/warmup", json={"model_path": path}).status_code == answer.status_code


def test_what_is_no_model(place, models_folder, tmp_path):
    (tmp_path / "bad.joblib").write_bytes(b"no model")
    with make_client(place, tmp_path) as client:
        answer = client.post(f"{API}/predict", json={"model_path": "bad.joblib", "features": []})
        assert answer.status_code == 422 and answer.json()["detail"][0]["loc"] == ["body", "model_path"]
        assert str(tmp_path) not in answer.text


def test_problems_are_problem_json(client):
    answer = client.post(f"{API}/predict", json={"model_path": "none.joblib", "features": []})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": "about:blank", "title": "Not Found", "status": 404,
                             "detail": "the model none.joblib is not there: a path is looked for beneath model_root"}


def test_models_have_names(place, models_folder, lr_path):
    with make_client(place, place / "data", models={"churn": lr_path}) as client:
        assert len(ask(client, model_path="churn", features=rows_of(named_frame(2)))["predictions"]) == 2
        assert client.get(f"{API}/cache/stats").json()["models"][0]["model_path"] == "churn"
        ask(client, status=404, model_path="lr.joblib", features=[])


def test_absolute_paths_are_meant_beneath_the_root(client, lr_path):
    assert ask(client, model_path=str(lr_path), features=[])["n_samples"] == 0


# ---- warm-up, cache, health -------------------------------------------------------------------------------------------


def test_warmup_and_clear(place, models_folder):
    with make_client(place, models_folder) as client:
        warm = ask(client, "warmup", model_paths=["lr.joblib", "forest.joblib"])
        assert warm["status"] == "ok" and [one["model_path"] for one in warm["models"]] == ["lr.joblib", "forest.joblib"]
        assert all(one["cached"] and one["bytes"] > 0 and one["load_time_seconds"] > 0 for one in warm["models"])
        assert ask(client, "warmup", model_path="lr.joblib")["models"][0]["load_time_seconds"] == 0
        assert ask(client, model_path="lr.joblib", features=rows_of(named_frame(1)))["cache_hit"] is True
        assert ask(client, "warmup", model_paths=[]) == {"status": "ok", "models": []}
        ask(client, "warmup", 422)
        ask(client, "warmup", 422, model_path=None)
        ask(client, "warmup", 404, model_paths=["lr.joblib", "none.joblib"])
        health = client.get(f"{API}/health").json()
        assert health["status"] == "ok" and health["models_loaded"] == 2 and health["models_failing"] == 0
        one = client.delete(f"{API}/cache/clear", params={"model_path": "lr.joblib"}).json()
        assert one == {"status": "ok", "models_cleared": 1}
        assert client.delete(f"{API}/cache/clear").json() == {"status": "ok", "models_cleared": 1}
        assert client.get(f"{API}/health").json()["models_loaded"] == 0


# ---- predict-batch ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_files_in_the_answer(client, original, pipeline_path, data):
    frame, model = mixed_frame(3000, seed=5), original(pipeline_path)
    got = ask(client, "predict-batch", model_path="pipeline.joblib", data_path=data, return_probabilities=True)
    assert got["predictions"] == model.predict(frame).tolist()
    np.testing.assert_allclose(got["probabilities"], model.predict_proba(frame), atol=1e-12)
    assert got["classes"] == ["no", "yes"] and (got["n_samples"], got["n_batches"]) == (3000, 1)
    assert 0 < got["inference_time_seconds"] and 0 < got["total_time_seconds"] and "output_path" not in got


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_files_into_files(client, place, original, pipeline_path, ending):
    got = ask(client, "predict-batch", model_path="pipeline.joblib", data_path="rows.csv", output_path=f"done.{ending}",
              batch_size=1000, keep=["city"])
    assert got["output_path"] == f"done.{ending}" and got["n_batches"] == 3 and "predictions" not in got
    read = {"csv": pd.read_csv, "jsonl": lambda path: pd.read_json(path, lines=True), "parquet": pd.read_parquet}[ending]
    written = read(place / f"out/done.{ending}")
    frame = mixed_frame(3000, seed=5)
    assert written["prediction"].tolist() == original(pipeline_path).predict(frame).tolist()
    assert written["city"].tolist() == frame["city"].tolist()
    assert not [name for name in os.listdir(place / "out") if name.startswith(".")]


def test_batch_sizes(client):
    for size, batches in (({"batch_size": 1000}, 3), ({"chunk_size": 1000}, 3), ({"batch_size": "1000"}, 3), ({}, 1)):
        got = ask(client, "predict-batch", model_path="pipeline.joblib", data_path="rows.csv", limit=3000, **size)
        assert got["n_batches"] == batches
    assert ask(client, "predict-batch", model_path="pipeline.joblib", data_path="rows.csv", batch_size="auto")["n_samples"] == 3000
    for wrong in (0, -5, 1.5, "many", True, [5], 10**12):
        ask(client, "predict-batch", 422, model_path="pipeline.joblib", data_path="rows.csv", batch_size=wrong)
    ask(client, "predict-batch", 422, model_path="pipeline.joblib", data_path="rows.csv", batch_size=5, chunk_size=5)


@pytest.mark.parametrize("path, status", [
    ("../outside/secret.csv", 403), ("sub/../../outside/secret.csv", 404), ("/etc/passwd", 403), ("link.csv", 403),
    ("nothing.csv", 404), ("", 422), ("pipe", 422), ("rows.csv/x", 404), ("x" * 5000, 422), ("inner.csv", 200),
    ("./seven.csv", 200)])
def test_data_lies_beneath_its_root(client, place, path, status):
    answer = client.post(f"{API}/predict-batch", json={"model_path": "pipeline.joblib", "data_path": path})
    assert answer.status_code == status, answer.text
    assert str(place) not in answer.text and "/proc/" not in answer.text


@pytest.mark.parametrize("path, status", [
    ("../outside/x.csv", 403), ("/tmp/x.csv", 403), ("away/x.csv", 403), ("none/x.csv", 404), ("..", 403), (".", 422), ("a/", 422),
    ("", 422), ("x" * 300 + ".csv", 422), ("x.xlsx", 422)])
def test_outputs_lie_beneath_their_root(client, place, path, status):
    if not (place / "out/away").is_symlink():
        (place / "out/away").symlink_to(place / "outside")
    before = sorted(os.listdir(place / "outside"))
    answer = client.post(f"{API}/predict-batch", json={"model_path": "pipeline.joblib", "data_path": "seven.csv", "output_path": path})
    assert answer.status_code == status, answer.text
    assert str(place) not in answer.text and "/proc/" not in answer.text
    assert sorted(os.listdir(place / "outside")) == before


def test_outputs_are_not_written_over(client, place):
    def batch(status=200, **more):
        return ask(client, "predict-batch", status, model_path="pipeline.joblib", data_path="seven.csv", **more)
    (place / "out/there.csv").write_text("mine")
    assert "overwrite" in batch(409, output_path="there.csv")["detail"]
    assert (place / "out/there.csv").read_text() == "mine"
    batch(output_path="there.csv", overwrite=True)
    assert len((place / "out/there.csv").read_text().splitlines()) == 8
    (place / "out/folder.csv").mkdir()
    batch(409, output_path="folder.csv", overwrite=True)
    victim, link = place / "outside/victim.csv", place / "out/victim.csv"
    victim.write_text("mine")
    link.symlink_to(victim)
    batch(409, output_path="victim.csv")
    batch(output_path="victim.csv", overwrite=True)
    assert victim.read_text() == "mine" and not link.is_symlink()
    victim.unlink()


def test_what_is_read_is_not_written_over(place, models_folder):
    with make_client(place, models_folder, output_root=place / "data") as client:
        before = (place / "data/seven.csv").read_bytes()
        answer = ask(client, "predict-batch", 409, model_path="pipeline.joblib", data_path="seven.csv", output_path="seven.csv",
                     overwrite=True)
        assert "read by this very request" in answer["detail"] and (place / "data/seven.csv").read_bytes() == before


def test_bad_rows(client, place):
    def batch(status=200, **more):
        return ask(client, "predict-batch", status, model_path="pipeline.joblib", data_path="bad.csv", **more)
    refused = batch(422, output_path="bad.csv")["detail"][0]
    assert "line 3, column 'age'" in refused["msg"] and not (place / "out/bad.csv").exists()
    skipped = batch(on_error="skip")
    assert len(skipped["predictions"]) == 2 and skipped["n_rejected"] == 1
    nulled = batch(on_error="null", return_probabilities=True)
    assert nulled["predictions"][1] is None and nulled["probabilities"][1] == [None, None] and nulled["n_nulled"] == 1
    assert not [name for name in os.listdir(place / "out") if name.startswith(".")]


def test_what_is_wrong_with_a_batch_is_said(client, place):
    for wrong in ({"on_error": "maybe"}, {"method": "guess"}, {"keep": [1]}, {"async": 1}, {"return_probabilities": "perhaps"},
                  {"delimiter": ";;"}, {"keep": ["city"]}, {"async": True}, {"limit": 0}):
        ask(client, "predict-batch", 422, model_path="pipeline.joblib", data_path="seven.csv", **wrong)
    ask(client, "predict-batch", 404, model_path="none.joblib", data_path="seven.csv")
    ask(client, "predict-batch", 403, model_path="../x", data_path="seven.csv")
    ask(client, "predict-batch", 422, model_path="pipeline.joblib", data_path="seven.csv", keep=["none"], output_path="never.csv")
    ask(client, "predict-batch", 422, model_path="regressor.joblib", data_path="seven.csv", return_probabilities=True)
    assert not (place / "out/never.csv").exists()


def test_answers_have_a_limit(place, models_folder):
    with make_client(place, models_folder, max_answer_rows=2999) as client:
        refused = ask(client, "predict-batch", 413, model_path="pipeline.joblib", data_path="rows.csv")
        assert "output_path" in refused["detail"]
        got = ask(client, "predict-batch", model_path="pipeline.joblib", data_path="rows.csv", limit=5)
        assert len(got["predictions"]) == 5


def test_without_an_output_root_nothing_is_written(place, models_folder):
    with make_client(place, models_folder, output_root="") as client:
        ask(client, "predict-batch", 403, model_path="pipeline.joblib", data_path="seven.csv", output_path="x.csv")
        assert len(ask(client, "predict-batch", model_path="pipeline.joblib", data_path="seven.csv")["predictions"]) == 7


# ---- jobs -----------------------------------------------------------------------------------------------------------


def ended(client, number, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        job = client.get(f"{API}/jobs/{number}").json()
        if job["state"] in ("done", "failed", "cancelled"):
            return job
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {job}")


@pytest.fixture(scope="module")
def large(place):
    """large.csv: some seconds of work."""
    head, rows = (place / "data/rows.csv").read_bytes().split(b"\n", 1)
    with open(place / "data/large.csv", "wb") as file:
        file.write(head + b"\n")
        for _ in range(1500):
            file.write(rows)
    yield "large.csv"
    (place / "data/large.csv").unlink()


def start(client, status=202, **more):
    answer = client.post(f"{API}/predict-batch", json={"model_path": "pipeline.joblib", "async": True, **more})
    assert answer.status_code == status, answer.text
    return answer


def test_a_job_from_beginning_to_end(client, place):
    answer = start(client, data_path="seven.csv", output_path="job.csv")
    job = answer.json()
    assert answer.headers["location"] == f"{API}/jobs/{job['id']}" and job["state"] in ("queued", "running", "done")
    done = ended(client, job["id"])
    assert done["state"] == "done" and done["progress"] == 1 and done["eta_seconds"] == 0 and done["rows"] == 7
    assert done["result"]["n_samples"] == 7 and done["result"]["output_path"] == "job.csv"
    assert done["metrics"]["rows"] == 7 and set(done["metrics"]["work_seconds"]) == {"read", "parse", "predict", "format", "write"}
    assert done["created"] <= done["started"] <= done["ended"] <= time.time()
    assert job["id"] in [one["id"] for one in client.get(f"{API}/jobs").json()["jobs"]]
    assert client.delete(f"{API}/jobs/{job['id']}").status_code == 200
    assert client.get(f"{API}/jobs/{job['id']}").status_code == 404
    assert client.delete(f"{API}/jobs/nothing").status_code == 404


def test_a_job_that_fails_says_why(client, place):
    failed = ended(client, start(client, data_path="bad.csv", output_path="failed.csv").json()["id"])
    assert failed["state"] == "failed" and failed["error"]["status"] == 422 and "column 'age'" in failed["error"]["detail"]
    assert "result" not in failed and not (place / "out/failed.csv").exists()
    (place / "out/mine.csv").write_text("mine")
    start(client, 409, data_path="seven.csv", output_path="mine.csv")
    start(client, 404, data_path="none.csv", output_path="x.csv")
    start(client, 422, data_path="seven.csv")


def test_a_job_is_watched_and_cancelled(client, place, large):
    number = start(client, data_path=large, output_path="never.csv", keep="*").json()["id"]
    until = time.monotonic() + 30
    while time.monotonic() < until:
        seen = client.get(f"{API}/jobs/{number}").json()
        if seen["rows"]:
            break
    assert seen["state"] == "running" and 0 < seen["progress"] < 1 and seen["eta_seconds"] > 0
    assert client.delete(f"{API}/jobs/{number}").status_code == 202
    cancelled = ended(client, number)
    assert cancelled["state"] == "cancelled" and "error" not in cancelled
    assert not (place / "out/never.csv").exists() and not [name for name in os.listdir(place / "out") if name.startswith(".")]


def test_jobs_end_with_the_application(place, models_folder, large):
    with make_client(place, models_folder, max_jobs=1, max_waiting_jobs=1) as client:
        start(client, data_path=large, output_path="cut.csv", keep="*")
        start(client, data_path=large, output_path="cut2.csv", keep="*")
        refused = start(client, 503, data_path="seven.csv", output_path="cut3.csv")
        assert int(refused.headers["retry-after"]) > 0
        assert len(ask(client, "predict-batch", model_path="pipeline.joblib", data_path="seven.csv")["predictions"]) == 7
        began = time.monotonic()
    assert time.monotonic() - began < 10
    assert not [name for name in os.listdir(place / "out") if name.startswith((".foretell", "cut"))]


def test_jobs_are_forgotten_after_a_while(place, models_folder):
    with make_client(place, models_folder, job_keep=0) as client:
        number = start(client, data_path="seven.csv", output_path="short.csv").json()["id"]
        until = time.monotonic() + 30
        while client.get(f"{API}/jobs/{number}").status_code != 404:
            assert time.monotonic() < until
        assert (place / "out/short.csv").exists()


# ---- the application ------------------------------------------------------------------------------------------------


def test_the_routes_have_the_tag_and_the_models(client):
    description = client.get("/openapi.json").json()
    assert {f"{API}/{path}" for path in ("predict", "predict-batch", "warmup", "cache/stats", "cache/clear", "health")} <= set(
        description["paths"])
    assert all(operation["tags"] == ["inference"] for path in description["paths"].values() for operation in path.values())
    assert {"PredictionRequest", "PredictionResponse", "BatchPredictionRequest", "BatchPredictionResponse", "ModelWarmupRequest",
            "ModelWarmupResponse", "CacheStatsResponse", "CacheClearResponse", "HealthResponse"} <= set(
        description["components"]["schemas"])


def test_the_default_router_is_mounted_in_an_application(place, models_folder, monkeypatch):
    """Its settings are the environment's at the first request; the application's own routes and lifespan go on."""
    import contextlib
    import importlib

    import foretell.fastapi._router as module
    importlib.reload(module)
    seen = []

    @contextlib.asynccontextmanager
    async def lifespan(app):
        seen.append("begin")
        yield
        seen.append("end")
    app = FastAPI(lifespan=lifespan)
    app.include_router(module.router, prefix="/ml")

    @app.get("/own")
    def own():
        return "mine"
    monkeypatch.setenv("FORETELL_SERVE_MODEL_ROOT", str(models_folder))
    monkeypatch.setenv("FORETELL_SERVE_DATA_ROOT", str(place / "data"))
    with TestClient(app) as client:
        assert client.get("/own").json() == "mine" and seen == ["begin"]
        answer = client.post("/ml/predict", json={"model_path": "lr.joblib", "features": rows_of(named_frame(2))})
        assert answer.status_code == 200 and len(answer.json()["predictions"]) == 2
        assert client.post("/ml/predict-batch", json={"model_path": "pipeline.joblib", "data_path": "seven.csv",
                                                      "output_path": "x.csv"}).status_code == 403
    assert seen == ["begin", "end"]


def test_the_event_loop_never_waits(place, models_folder, large):
    """While a file is worked on, a coroutine of the application goes on."""
    import httpx
    app = FastAPI()
    app.include_router(make_router(OptimizedPredictor(), model_root=models_folder, data_root=place / "data",
                                   output_root=place / "out"), prefix=API)

    async def main():
        longest, over = 0.0, asyncio.Event()

        async def tick():
            nonlocal longest
            while not over.is_set():
                began = time.monotonic()
                await asyncio.sleep(0.005)
                longest = max(longest, time.monotonic() - began)
        ticking = asyncio.create_task(tick())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", timeout=60) as client:
            answer = await client.post(f"{API}/predict-batch", json={"model_path": "pipeline.joblib", "data_path": large,
                                                                     "output_path": "loop.csv", "limit": 1500000})
        over.set()
        await ticking
        return answer, longest
    answer, longest = asyncio.run(main())
    assert answer.status_code == 200 and answer.json()["n_samples"] == 1500000
    assert longest < answer.json()["total_time_seconds"] / 2


def test_many_threads_ask_at_once(client):
    rows, answers = rows_of(named_frame(3)), []

    def work():
        for _ in range(20):
            answers.append(tuple(ask(client, model_path="lr.joblib", features=rows)["predictions"]))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 80 and len(set(answers)) == 1
