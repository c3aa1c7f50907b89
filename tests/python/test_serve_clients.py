"""The clients that people have, as they are: Triton's, KServe's, MLServer's codecs, MLflow's. They need build/venv-serve
(scripts/bootstrap test-all)."""

import json
import subprocess

import ftl
import joblib
import numpy as np
import pandas as pd
import pytest
from serving import Server
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

pytestmark = pytest.mark.long
N = 25


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two models, and rows for them with what they say."""
    folder = tmp_path_factory.mktemp("models")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4))
    numbers = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, (x[:, 0] > 0).astype(int))
    table = pd.DataFrame({"age": rng.integers(18, 80, 200), "city": rng.choice(["Oslo", "東京", 'a "b"'], 200),
                          "income": rng.normal(100, 20, 200)})
    columns = make_column_transformer((StandardScaler(), ["age", "income"]), (OneHotEncoder(), ["city"]))
    label = np.where(table["income"] > 100, "rich", "poor")
    people = make_pipeline(columns, LogisticRegression()).fit(table, label)
    joblib.dump(numbers, folder / "numbers.joblib")
    joblib.dump(people, folder / "people.joblib")
    rows = {"x": x[:N].tolist(), "table": table[:N].to_dict(orient="list")}
    (folder / "rows.json").write_text(json.dumps(rows))
    return folder


@pytest.fixture(scope="module")
def want(folder):
    rows = json.loads((folder / "rows.json").read_text())
    with Server(folder / "numbers.joblib", folder / "people.joblib") as server:
        def ask(model, instances, method):
            answer = server.post_json(f"/v1/models/{model}:predict", {"instances": instances, "signature_name": method})
            return answer.json()["predictions"]
        records = pd.DataFrame(rows["table"]).to_dict(orient="records")
        return {"numbers": [ask("numbers", rows["x"], m) for m in ("predict", "predict_proba")],
                "people": [ask("people", records, m) for m in ("predict", "predict_proba")]}


def run(client, folder, *models):
    python = ftl.ROOT / "build/venv-serve/bin/python"
    assert python.exists(), "scripts/bootstrap test-all makes build/venv-serve"
    with Server(*[folder / f"{name}.joblib" for name in models or ("numbers", "people")]) as server:
        process = subprocess.run([python, ftl.ROOT / "tests/python/serve_clients.py", client, server.url,
                                  folder / "rows.json"], capture_output=True, text=True, timeout=300, check=False)
    assert process.returncode == 0, process.stderr[-3000:]
    return json.loads(process.stdout.splitlines()[-1])


def test_triton(folder, want):
    said = run("triton", folder)
    assert said["live"] and said["ready"] and said["model"] and not said["nobody"] and said["name"] == "foretell"
    assert {i["name"]: i["datatype"] for i in said["inputs"]} == {"age": "FP64", "income": "FP64", "city": "BYTES"}
    assert said["config"] == "numbers" and said["index"] == ["numbers", "people"]
    for binary in (True, False):
        assert said[f"numbers FP64 {binary}"] == want["numbers"]
        assert said[f"default FP64 {binary}"] == said[f"packed {binary}"] == want["numbers"][0]
        np.testing.assert_allclose(said[f"numbers FP32 {binary}"][1], want["numbers"][1], atol=1e-6)
        assert said[f"people {binary}"] == want["people"]
    assert said["numbers FP32 True"] == said["numbers FP32 False"]
    assert not said["unloaded"] and said["loaded"] and said["count"] == 2


def test_kserve(folder, want):
    said = run("kserve", folder)
    assert said["ready"] and said["model"] and said["v1 model"]
    for binary in (True, False):
        assert said[f"numbers {binary}"] == want["numbers"][0] and said[f"people {binary}"] == want["people"][0]
    assert said["v1"] == want["numbers"][0]


def test_mlserver(folder, want):
    said = run("mlserver", folder)
    assert said["people"] == want["people"][0]
    assert np.ravel(said["numbers"]).tolist() == want["numbers"][0]


def test_mlflow(folder, want):
    said = run("mlflow", folder, "people")
    assert said["people"] == want["people"][0] and said["version"]
