"""The same requests to foretell-server and to the router in a real uvicorn: the same answers."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import sys
import threading

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import mixed_frame, named_frame, numeric_rows
from foretell.fastapi import make_router
from foretell.inference import OptimizedPredictor

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tests/python"))
import serving  # noqa: E402

API = "/api/v1/inference"
TIMES = {
    "inference_time_seconds",
    "total_time_seconds",
    "throughput_samples_per_sec",
    "load_time_seconds",
    "uptime_seconds",
    "age_seconds",
    "idle_seconds",
    "latency",
    "process",
    "bytes",
    "created",
    "started",
    "ended",
    "metrics",
    "id",
    "eta_seconds",
}


class Uvicorn(serving.Server):
    """The router served by uvicorn in a thread, asked as serving.Server is."""

    def __init__(self, app):
        self.app = app

    def __enter__(self):
        import uvicorn

        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.server = uvicorn.Server(uvicorn.Config(self.app, log_level="warning"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.listener]})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(30)
        self.listener.close()


@pytest.fixture(scope="module")
def both(tmp_path_factory, lr_path, forest_path, pipeline_path, regressor_path, transformer_path):
    """(foretell-server, the router), each with folders of its own that hold the same."""
    if not os.path.exists(serving.server_program()):
        raise AssertionError("foretell-server is not built: make build, or name it in FORETELL_SERVER")
    from fastapi import FastAPI
    from sklearn.linear_model import LinearRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder, StandardScaler
    from sklearn.tree import DecisionTreeClassifier
    from xgboost import XGBClassifier

    rows = numeric_rows(60)
    codes = pd.DataFrame({"code": [2**53, 2**53 + 1, 2**53 + 2, 7]})
    more = {
        "ids": DecisionTreeClassifier(random_state=0).fit([[0], [1], [2]], [2**60, 2**60 + 1, 2**60 + 3]),
        "two": LinearRegression().fit(rows, rows[:, :2]),
        "bools": KNeighborsClassifier(3).fit(rows, rows[:, 0] > 0),
        "codes": make_pipeline(OrdinalEncoder(), DecisionTreeClassifier(random_state=0)).fit(
            codes, ["a", "b", "c", "d"]
        ),
        "scaler": StandardScaler().fit(rows[:, :1]),
        "xgb": XGBClassifier(n_estimators=4).fit(rows, rows[:, 0] > 0),
    }
    folders = []
    for which in ("server", "router"):
        folder = tmp_path_factory.mktemp(which)
        for name in ("models", "data", "out"):
            (folder / name).mkdir()
        for path in (lr_path, forest_path, pipeline_path, regressor_path, transformer_path):
            shutil.copy(path, folder / "models")
        for name, model in more.items():
            joblib.dump(model, folder / f"models/{name}.joblib")
        (folder / "models/bad.joblib").write_bytes(b"no model")
        mixed_frame(3000, seed=5).to_csv(folder / "data/rows.csv", index=False)
        (folder / "data/bad.csv").write_text(
            "age,balance,plan,city\n1,2,pro,Wien\nold,2,pro,Wien\n3,4,pro,Wien\n"
        )
        (folder / "data/ids.csv").write_text("id\n0\n2\n")
        folders.append(folder)
    app = FastAPI()
    router = make_router(
        OptimizedPredictor(),
        model_root=folders[1] / "models",
        data_root=folders[1] / "data",
        output_root=folders[1] / "out",
        max_answer_rows=5000,
    )
    app.include_router(router, prefix=API)
    server = serving.Server(
        "--model-root",
        "models",
        "--data-root",
        "data",
        "--output-root",
        "out",
        "--max-answer-rows",
        "5000",
        cwd=folders[0],
    )
    with server, Uvicorn(app) as routed:
        server.folder, routed.folder = folders
        yield server, routed
    server.process.stderr.close()


def timeless(value):
    """The same without what differs from call to call, and settings under one name."""
    if isinstance(value, dict):
        return {name: timeless(item) for name, item in value.items() if name not in TIMES}
    if isinstance(value, list):
        return [timeless(item) for item in value]
    if isinstance(value, str):
        for setting in ("model_root", "data_root", "output_root", "max_answer_rows"):
            value = value.replace(setting, setting.replace("_", "-"))
    return value


def compare(both, path, body, *, words=True, method="POST"):
    """Asks both; words: messages are the same, too."""
    text = body if isinstance(body, (bytes, type(None))) else json.dumps(body)
    answers = [
        one.request(method, f"{API}/{path}", text, {"Content-Type": "application/json"}) for one in both
    ]
    assert answers[0].status == answers[1].status, answers
    want, got = (timeless(answer.json()) for answer in answers)
    if answers[0].status == 422 and not words:
        want, got = (
            [detail["loc"][:2] for detail in one["detail"][:1]]
            if isinstance(one["detail"], list)
            else one["title"]
            for one in (want, got)
        )
        assert got == want
        return
    if want.get("status") in (503, 413, 409, 404, 403):
        assert answers[1].headers["content-type"] == answers[0].headers["content-type"]
    assert got == want


MIXED = json.loads(mixed_frame(40, seed=3).to_json(orient="records"))
NAMED = json.loads(named_frame(40, seed=3).to_json(orient="records"))
NUMBERS = numeric_rows(40, seed=3).tolist()


@pytest.mark.parametrize(
    "model, rows",
    [
        ("lr", NAMED),
        ("pipeline", MIXED),
        ("forest", NUMBERS),
        ("regressor", NUMBERS),
        ("transformer", NUMBERS),
        ("two", NUMBERS),
        ("bools", NUMBERS),
        ("xgb", NUMBERS),
        ("scaler", [[1], [2.5], [None]]),
        ("ids", [[0], [1], [2]]),
        ("codes", [{"code": 2**53}, {"code": 2**53 + 1}, {"code": 7.0}, {"code": "9007199254740993"}]),
        ("lr", []),
        ("pipeline", [{**row, "more": {"a": [1]}} for row in MIXED]),
        ("pipeline", [list(row.values()) for row in MIXED]),
        ("forest", [[str(value) for value in row] for row in NUMBERS]),
        ("forest", [[True, False, 1, 0]]),
    ],
)
def test_predictions(both, model, rows):
    for more in (
        {},
        {"return_probabilities": True},
        {"use_cache": False},
        {"method": "predict_proba"},
        {"method": "transform"},
        {"method": "decision_function", "return_probabilities": True},
        {"method": "apply"},
        {"method": "kneighbors"},
    ):
        compare(both, "predict", {"model_path": f"{model}.joblib", "features": rows, **more})


GOOD = {"age": 30.0, "balance": 5.0, "plan": "pro", "city": "Wien"}


@pytest.mark.parametrize(
    "rows",
    [
        [{**GOOD, "age": "thirty"}],
        [GOOD, {**GOOD, "age": [30]}],
        [{**GOOD, "age": float("inf")}],
        [{**GOOD, "plan": ["pro"]}],
        [{**GOOD, "plan": None}],
        [{**GOOD, "balance": float("nan")}],
        [{**GOOD, "city": "Rom"}],
        [{**GOOD, "city": 7}],
        [{"age": 3}],
        [[]],
        [{}],
        [None],
        [GOOD, [1]],
        [1, 2],
        [[1, 2, 3]],
        [[1, 2, "pro", "Wien"], [1, 2]],
        [{**GOOD, "age": 1e300}],
        [{**GOOD, "city": "ü\u2028\ud800"}],
        [{**GOOD, "age": True}],
    ],
)
def test_rows_of_every_kind(both, rows):
    compare(both, "predict", {"model_path": "pipeline.joblib", "features": rows})


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "x",
        None,
        {"features": []},
        {"model_path": "lr.joblib"},
        {"model_path": 7, "features": []},
        {"model_path": None, "features": []},
        {"model_path": "lr.joblib", "features": "x"},
        {"model_path": "lr.joblib", "features": {}},
        {"model_path": "lr.joblib", "features": None},
        {"model_path": "lr.joblib", "features": [], "use_cache": "yes"},
        {"model_path": "lr.joblib", "features": [], "return_probabilities": 1},
        {"model_path": "lr.joblib", "features": [], "method": 7},
        {"model_path": "lr.joblib", "features": [], "method": "predikt"},
        b"{",
        b"",
        b"[1, 2",
        b'{"a": 1} x',
        b"\xff",
    ],
)
def test_bodies_that_are_refused(both, body):
    compare(both, "predict", body, words=False)


@pytest.mark.parametrize(
    "path",
    [
        "none.joblib",
        "../x.joblib",
        "/etc/passwd",
        "",
        "a\0b",
        "x" * 5000,
        "lr.joblib/x",
        "bad.joblib",
        "lr.joblib",
        "./lr.joblib",
        "../models/lr.joblib",
    ],
)
def test_paths(both, path):
    words = path not in ("", "a\0b", "x" * 5000, "bad.joblib")
    compare(both, "predict", {"model_path": path, "features": [list(NAMED[0].values())]}, words=words)
    compare(both, "warmup", {"model_path": path}, words=words)


@pytest.mark.parametrize(
    "body",
    [
        {"model_path": "lr.joblib"},
        {"model_paths": ["lr.joblib", "forest.joblib"]},
        {"model_paths": []},
        {"model_path": "lr.joblib", "model_paths": ["forest.joblib"]},
        {"model_path": None, "model_paths": ["lr.joblib"]},
        {"model_paths": "lr.joblib"},
        {"model_paths": [7]},
        {"model_path": 7},
    ],
)
def test_warmup(both, body):
    compare(both, "warmup", body, words=False)


@pytest.mark.parametrize(
    "body",
    [
        {"data_path": "rows.csv"},
        {"data_path": "rows.csv", "return_probabilities": True, "batch_size": 1000},
        {"data_path": "rows.csv", "method": "predict_proba", "limit": 5},
        {"data_path": "rows.csv", "method": ["predict"], "limit": 5},
        {"data_path": "ids.csv", "model_path": "ids.joblib"},
        {"data_path": "ids.csv", "model_path": "scaler.joblib"},
        {"data_path": "rows.csv", "chunk_size": 1000, "output_path": "a.csv", "keep": ["city"]},
        {"data_path": "rows.csv", "output_path": "b.jsonl", "keep": "*", "return_probabilities": True},
        {"data_path": "bad.csv"},
        {"data_path": "bad.csv", "on_error": "skip"},
        {"data_path": "bad.csv", "on_error": "null", "return_probabilities": True},
        {"data_path": "none.csv"},
        {"data_path": "../x.csv"},
        {"data_path": "rows.csv", "output_path": "../x.csv"},
        {"data_path": "rows.csv", "output_path": "none/x.csv"},
        {"data_path": "rows.csv", "output_path": "x.xlsx"},
        {"data_path": "rows.csv", "keep": ["city"]},
        {"data_path": "rows.csv", "keep": ["none"], "output_path": "c.csv"},
        {"data_path": "rows.csv", "model_path": "forest.joblib"},
        {"data_path": "rows.csv", "output_path": "a.csv"},
        {"data_path": "rows.csv", "output_path": "a.csv", "overwrite": True},
        {"data_path": "rows.csv", "async": True},
        {"data_path": "rows.csv", "features": ["age", "balance", "plan", "city"]},
        {"data_path": "rows.csv", "model_path": "regressor.joblib", "return_probabilities": True},
    ],
)
def test_batches(both, body):
    compare(both, "predict-batch", {"model_path": "pipeline.joblib", **body})
    output = body.get("output_path")
    if output and "/" not in output:
        files = [(one.folder / "out" / output) for one in both]
        assert files[0].exists() == files[1].exists() and (
            not files[0].exists() or files[0].read_bytes() == files[1].read_bytes()
        )


@pytest.mark.parametrize(
    "body",
    [
        {"batch_size": 0},
        {"batch_size": 1.5},
        {"batch_size": "many"},
        {"batch_size": True},
        {"batch_size": 10**12},
        {"batch_size": 5, "chunk_size": 5},
        {"on_error": "maybe"},
        {"method": "guess"},
        {"keep": [1]},
        {"async": 1},
        {"limit": 0},
        {"delimiter": ";;"},
        {"return_probabilities": "perhaps"},
        {"data_path": 7},
        {"output_path": 7},
        {"overwrite": "x"},
    ],
)
def test_batches_that_are_refused(both, body):
    answers = [
        one.post_json(
            f"{API}/predict-batch", {"model_path": "pipeline.joblib", "data_path": "rows.csv", **body}
        )
        for one in both
    ]
    assert [answer.status for answer in answers] == [422, 422], answers
    if len(body) == 1:
        assert answers[0].json()["detail"][0]["loc"][:2] == answers[1].json()["detail"][0]["loc"][:2]


def job_of(one, body):
    answer = one.post_json(f"{API}/predict-batch", {"model_path": "pipeline.joblib", "async": True, **body})
    assert answer.status == 202 and answer.headers["location"] == f"{API}/jobs/{answer.json()['id']}"
    return serving.wait_until(
        lambda: (job := one.get(answer.headers["location"]).json())["state"] in ("done", "failed") and job
    )


@pytest.mark.parametrize(
    "body",
    [
        {"data_path": "rows.csv", "output_path": "job.csv", "return_probabilities": True},
        {"data_path": "bad.csv", "output_path": "job2.csv"},
    ],
)
def test_jobs(both, body):
    want, got = (job_of(one, body) for one in both)
    assert timeless(got) == timeless(want) and set(got) == set(want)
    assert ("metrics" in want) == ("metrics" in got)
    if "metrics" in want:
        assert set(got["metrics"]) | {"peak_memory_bytes"} == set(want["metrics"])
    for one in both:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(one.folder / "out" / body["output_path"])


def test_the_cache(both):
    for one in both:
        one.request("DELETE", f"{API}/cache/clear")
    for name in ("lr", "forest", "lr"):
        for one in both:
            assert (
                one.post_json(f"{API}/predict", {"model_path": f"{name}.joblib", "features": []}).status
                == 200
            )
    stats = [one.get(f"{API}/cache/stats").json() for one in both]
    assert [sorted(model["model_path"] for model in one["models"]) for one in stats] == [
        ["forest.joblib", "lr.joblib"]
    ] * 2
    assert set(stats[0]) == set(stats[1]) and set(stats[0]["models"][0]) == set(stats[1]["models"][0])
    assert set(stats[0]["latency"]) == set(stats[1]["latency"]) and set(stats[0]["process"]) == set(
        stats[1]["process"]
    )
    assert all(one["cache_size"] == 2 and one["max_size"] == 15 for one in stats)
    compare(both, "health", None, method="GET")
    compare(both, "cache/clear?model_path=lr.joblib", None, method="DELETE")
    compare(both, "cache/clear?model_path=none.joblib", None, method="DELETE")
    compare(both, "cache/clear", None, method="DELETE")
    compare(both, "jobs/nothing", None, method="GET")


def test_numbers_have_the_same_digits(both):
    """As they are written, not only as doubles: float32 of XGBoost and int64 of labels."""
    for model, rows in (("xgb", NUMBERS), ("regressor", NUMBERS), ("ids", [[0], [2]])):
        body = {
            "model_path": f"{model}.joblib",
            "features": rows,
            **({"return_probabilities": True} if model == "xgb" else {}),
        }
        texts = [one.post_json(f"{API}/predict", body).body.decode() for one in both]
        want, got = (json.loads(text, parse_float=float, parse_int=int) for text in texts)
        assert want["predictions"] == got["predictions"] and want.get("probabilities") == got.get(
            "probabilities"
        )
        if model == "xgb":
            assert np.float32(got["probabilities"][0][0]) == np.float32(want["probabilities"][0][0])
            assert max(len(repr(value)) for row in got["probabilities"] for value in row) <= 14


def test_a_client_that_goes_cancels_what_it_waits_for(both):
    for one in both:
        head, rows = (one.folder / "data/rows.csv").read_bytes().split(b"\n", 1)
        with open(one.folder / "data/large.csv", "wb") as file:
            file.write(head + b"\n" + rows * 1500)
        body = {
            "model_path": "pipeline.joblib",
            "data_path": "large.csv",
            "output_path": "large.csv",
            "keep": "*",
        }
        connection = one.connection()
        connection.request(
            "POST", f"{API}/predict-batch", json.dumps(body), {"Content-Type": "application/json"}
        )

        def unfinished(one=one):
            return [name for name in os.listdir(one.folder / "out") if name.startswith(".foretell")]

        serving.wait_until(unfinished)
        connection.close()
        serving.wait_until(lambda one=one, names=unfinished: not names(one))
        assert not (one.folder / "out/large.csv").exists()
        assert one.get(f"{API}/health").status == 200
        (one.folder / "data/large.csv").unlink()
