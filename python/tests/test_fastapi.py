"""foretell.fastapi: the six endpoints and jobs in an application of one's own, by FastAPI's TestClient."""

import asyncio
import json
import os
import threading
import time

import numpy as np
import pytest
from conftest import mixed_frame, named_frame, numeric_rows
from fastapi import FastAPI
from fastapi.testclient import TestClient
from fastapi_place import API, ask, make_client, rows_of
from foretell.fastapi import make_router
from foretell.inference import OptimizedPredictor

pytest_plugins = ["fastapi_place"]


# ---- predict


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


def test_labels_that_are_bytes_are_texts(place, tmp_path):
    import joblib
    from sklearn.tree import DecisionTreeClassifier

    rows = numeric_rows(40, seed=1)
    labels = np.array([b"no", "größe".encode()])[(rows[:, 0] > np.median(rows[:, 0])).astype(int)]
    joblib.dump(DecisionTreeClassifier().fit(rows, labels), tmp_path / "bytes.joblib")
    with make_client(place, tmp_path) as client:
        got = ask(client, model_path="bytes.joblib", features=rows.tolist(), return_probabilities=True)
    assert got["classes"] == ["größe", "no"]
    assert got["predictions"] == [label.decode() for label in labels]


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
    got = ask(
        client,
        model_path="lr.joblib",
        features=rows_of(frame),
        method="decision_function",
        return_probabilities=True,
    )
    np.testing.assert_allclose(got["predictions"], original(lr_path).decision_function(frame), atol=1e-12)
    assert np.shape(got["probabilities"]) == (5, 2)
    for method in ("predikt", "", "transform", "p" * 400):
        assert ask(client, status=422, model_path="lr.joblib", features=rows_of(frame), method=method)[
            "detail"
        ]
    assert ask(client, status=422, model_path="lr.joblib", features=[], method=7)["detail"][0]["loc"] == [
        "body",
        "method",
    ]
    assert ask(
        client,
        status=422,
        model_path="transformer.joblib",
        features=[[1, 2, 3, 4]],
        return_probabilities=True,
    )


def test_no_rows(client):
    got = ask(client, model_path="lr.joblib", features=[], return_probabilities=True)
    assert (got["predictions"], got["probabilities"], got["n_samples"]) == ([], [], 0)


@pytest.mark.parametrize(
    "features, message",
    [
        ([{"age": "old", "tenure": 1, "balance": 2, "rate": 3}], "age"),
        ([[1, 2, 3]], "3"),
        ([{"age": 1}], "tenure"),
        ([None], ""),
        ([{"age": 1, "tenure": 1, "balance": None, "rate": 3}], ""),
        ([{"age": [1], "tenure": 1, "balance": 2, "rate": 3}], "age"),
        ([{"age": 1e400, "tenure": 1, "balance": 2, "rate": 3}], ""),
        ([[1, 2, 3, 4], [1, 2]], ""),
        ([[]], ""),
        ([{}], ""),
    ],
)
def test_rows_that_are_refused(client, features, message):
    answer = client.post(
        f"{API}/predict",
        content=json.dumps({"model_path": "lr.joblib", "features": features}),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422, answer.text
    detail = answer.json()["detail"][0]
    assert (
        detail["loc"][:2] == ["body", "features"]
        and message in detail["msg"]
        and set(detail) == {"loc", "msg", "type"}
    )


def test_bodies_that_are_refused(client):
    for body in (
        {},
        {"model_path": "lr.joblib"},
        {"features": []},
        {"model_path": 7, "features": []},
        {"model_path": "lr.joblib", "features": "x"},
        {"model_path": "lr.joblib", "features": [], "use_cache": "perhaps"},
        {"model_path": "lr.joblib", "features": float("nan")},
        [],
        None,
    ):
        answer = client.post(
            f"{API}/predict", content=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422 and set(answer.json()["detail"][0]) == {"loc", "msg", "type"}, (
            answer.text
        )
    assert (
        client.post(f"{API}/predict", content=b"{", headers={"Content-Type": "application/json"}).status_code
        == 422
    )


def test_use_cache_false_evicts_nobody(place, models_folder):
    predictor = OptimizedPredictor(cache_size=1)
    with make_client(place, models_folder, predictor=predictor) as client:
        ask(client, model_path="lr.joblib", features=[])
        alone = ask(client, model_path="forest.joblib", features=[], use_cache=False)
        assert alone["cache_hit"] is False and [os.path.basename(path) for path in predictor.cache] == [
            "lr.joblib"
        ]


def test_figures_count_a_request_once(place, models_folder):
    predictor = OptimizedPredictor()
    with make_client(place, models_folder, predictor=predictor) as client:
        for _ in range(3):
            ask(client, model_path="lr.joblib", features=rows_of(named_frame(4)))
        stats = client.get(f"{API}/cache/stats").json()
        assert (stats["hits"], stats["misses"], stats["cache_size"]) == (2, 1, 1)
        assert stats["models"][0]["model_path"] == "lr.joblib" and stats["models"][0]["hits"] == 2
        assert (
            0 < stats["latency"]["p50"] <= stats["latency"]["p99"] and stats["throughput_samples_per_sec"] > 0
        )
        assert stats["process"]["resident_bytes"] > 0 and stats["problems"] == []


# ---- models and paths


@pytest.mark.parametrize(
    "path, status",
    [
        ("none.joblib", 404),
        ("../x.joblib", 403),
        ("/etc/passwd", 403),
        ("", 422),
        ("a\0b", 422),
        ("x" * 5000, 422),
        ("x" * 300, 422),
        ("lr.joblib/x", 404),
        ("sub/../../x", 404),
        (".", 403),
        ("..", 403),
    ],
)
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
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "the model none.joblib is not there: a path is looked for beneath model_root",
    }


def test_models_have_names(place, models_folder, lr_path):
    with make_client(place, place / "data", models={"churn": lr_path}) as client:
        assert len(ask(client, model_path="churn", features=rows_of(named_frame(2)))["predictions"]) == 2
        assert client.get(f"{API}/cache/stats").json()["models"][0]["model_path"] == "churn"
        ask(client, status=404, model_path="lr.joblib", features=[])


def test_absolute_paths_are_meant_beneath_the_root(client, lr_path):
    assert ask(client, model_path=str(lr_path), features=[])["n_samples"] == 0


# ---- warm-up, cache, health


def test_warmup_and_clear(place, models_folder):
    with make_client(place, models_folder) as client:
        warm = ask(client, "warmup", model_paths=["lr.joblib", "forest.joblib"])
        assert warm["status"] == "ok" and [one["model_path"] for one in warm["models"]] == [
            "lr.joblib",
            "forest.joblib",
        ]
        assert all(
            one["cached"] and one["bytes"] > 0 and one["load_time_seconds"] > 0 for one in warm["models"]
        )
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


# ---- the application


def test_the_routes_have_the_tag_and_the_models(client):
    description = client.get("/openapi.json").json()
    assert {
        f"{API}/{path}"
        for path in ("predict", "predict-batch", "warmup", "cache/stats", "cache/clear", "health")
    } <= set(description["paths"])
    assert all(
        operation["tags"] == ["inference"]
        for path in description["paths"].values()
        for operation in path.values()
    )
    assert {
        "PredictionRequest",
        "PredictionResponse",
        "BatchPredictionRequest",
        "BatchPredictionResponse",
        "ModelWarmupRequest",
        "ModelWarmupResponse",
        "CacheStatsResponse",
        "CacheClearResponse",
        "HealthResponse",
    } <= set(description["components"]["schemas"])


def test_the_default_router_is_mounted_in_an_application(place, models_folder, monkeypatch):
    """Its settings are the environment's at the first request; the application's own lifespan goes on."""
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
        answer = client.post(
            "/ml/predict", json={"model_path": "lr.joblib", "features": rows_of(named_frame(2))}
        )
        assert answer.status_code == 200 and len(answer.json()["predictions"]) == 2
        assert (
            client.post(
                "/ml/predict-batch",
                json={"model_path": "pipeline.joblib", "data_path": "seven.csv", "output_path": "x.csv"},
            ).status_code
            == 403
        )
    assert seen == ["begin", "end"]


def test_the_event_loop_never_waits(place, models_folder, large):
    """While a file is worked on, a coroutine of the application goes on."""
    import httpx

    app = FastAPI()
    app.include_router(
        make_router(
            OptimizedPredictor(),
            model_root=models_folder,
            data_root=place / "data",
            output_root=place / "out",
        ),
        prefix=API,
    )

    async def main():
        longest, over = 0.0, asyncio.Event()

        async def tick():
            nonlocal longest
            while not over.is_set():
                began = time.monotonic()
                await asyncio.sleep(0.005)
                longest = max(longest, time.monotonic() - began)

        ticking = asyncio.create_task(tick())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test", timeout=60
        ) as client:
            answer = await client.post(
                f"{API}/predict-batch",
                json={
                    "model_path": "pipeline.joblib",
                    "data_path": large,
                    "output_path": "loop.csv",
                    "limit": 1500000,
                },
            )
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
