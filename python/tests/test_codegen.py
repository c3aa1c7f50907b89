"""foretell.codegen: what is generated runs, and says what the library says."""

import ast
import importlib.util
import json
import os
import pathlib
import subprocess
import sys

import foretell
import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import mixed_frame, named_frame, numeric_rows
from fastapi.testclient import TestClient
from foretell import errors
from foretell.codegen import TARGETS, PredictionGenerator, generate

SITE = str(pathlib.Path(foretell.__file__).resolve().parents[1])  # scripts run elsewhere
NAMES = [
    '"""\nimport os; os.system("touch pwned")\n"""',
    "a b",
    "a_b",
    "class",
    "field_0",
    "model_dump",
    "größe",
    "",
    "json",
    "*/",
]


def run(script, tmp_path, *arguments, code=0):
    done = subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": SITE},
    )
    assert done.returncode == code, done.stderr
    return done.stderr


def table_of(name):
    if name == "pipeline":
        return mixed_frame(300, seed=8)
    return named_frame(300, seed=8) if name == "lr" else pd.DataFrame(numeric_rows(300, seed=8))


@pytest.mark.parametrize("optimized", [True, False])
@pytest.mark.parametrize("name", ["lr", "forest", "pipeline", "regressor", "transformer"])
def test_scripts(name, optimized, request, original, tmp_path):
    """Both scripts write what the library predicts."""
    path = request.getfixturevalue(f"{name}_path")
    frame, model = table_of(name), original(path)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    has = hasattr(model, "predict_proba")
    PredictionGenerator(path, data_path="rows.csv").generate(
        optimized, output=tmp_path / "predict.py", probabilities=has
    )
    shown = run(tmp_path / "predict.py", tmp_path, "--output", "out.csv")
    assert "300 rows" in shown
    written = pd.read_csv(tmp_path / "out.csv")
    rows = frame if name in ("lr", "pipeline") else frame.to_numpy()
    if name == "transformer":
        np.testing.assert_allclose(written.to_numpy(), model.transform(rows), atol=1e-9)
    elif name == "regressor":
        np.testing.assert_allclose(written["prediction"], model.predict(rows), rtol=1e-12)
    else:
        assert written["prediction"].tolist() == model.predict(rows).tolist()
        np.testing.assert_allclose(written.iloc[:, 1:].to_numpy(), model.predict_proba(rows), atol=1e-12)
    assert sorted(os.listdir(tmp_path)) == ["out.csv", "predict.py", "rows.csv"]


def test_a_scripts_arguments(tmp_path, lr_path, original):
    script = tmp_path / "predict.py"
    generate(lr_path, output=script)
    frame = named_frame(10, seed=1)
    frame.to_parquet(tmp_path / "rows.parquet")
    run(
        script,
        tmp_path,
        "--data",
        "rows.parquet",
        "--output",
        "out.jsonl",
        "--batch-size",
        "3",
        "--probabilities",
    )
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["prediction"] for line in lines] == original(lr_path).predict(frame).tolist() and len(
        lines[0]
    ) == 3
    assert "4 batches" in run(
        script, tmp_path, "--data", "rows.parquet", "--output", "out.csv", "--batch-size", "3"
    )
    assert run(script, tmp_path, "--data", "rows.parquet", "--output", "quiet.csv", "-q") == ""
    assert "none.csv" in run(script, tmp_path, "--data", "none.csv", "--output", "never.csv", code=1)
    assert "Traceback" not in run(script, tmp_path, "--model", "none.joblib", "--output", "never.csv", code=1)
    assert (
        "above 0" in run(script, tmp_path, "--batch-size", "0", code=2)
        and not (tmp_path / "never.csv").exists()
    )


def service(text, tmp_path):
    """The generated module; types refer to it by its name."""
    path = tmp_path / "generated_service.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def test_a_service(tmp_path, pipeline_path, original):
    """Its request has the model's columns by name; the answer is the library's; the router is beside it."""
    module = service(generate(pipeline_path, "fastapi"), tmp_path)
    frame, model = mixed_frame(50, seed=2), original(pipeline_path)
    rows = json.loads(frame.to_json(orient="records"))
    with TestClient(module.app) as client:
        assert client.get("/health").json() == {"status": "ok", "model": "pipeline", "models_loaded": 1}
        got = client.post("/predict", json={"rows": rows, "return_probabilities": True}).json()
        assert (
            got["predictions"] == model.predict(frame).tolist()
            and got["classes"] == ["no", "yes"]
            and got["n_samples"] == 50
        )
        np.testing.assert_allclose(got["probabilities"], model.predict_proba(frame), atol=1e-12)
        assert "probabilities" not in client.post("/predict", json={"rows": rows[:1]}).json()
        for wrong in ({**rows[0], "age": "old"}, {**rows[0], "plan": 7}, {"age": 3}, [1, 2, "pro", "Wien"]):
            assert client.post("/predict", json={"rows": [wrong]}).status_code == 422, wrong
        routed = client.post("/api/v1/inference/predict", json={"model_path": "pipeline", "features": rows})
        assert routed.json()["predictions"] == got["predictions"] and routed.json()["cache_hit"]
        description = client.get("/openapi.json").json()["components"]["schemas"]["Row"]
        assert list(description["properties"]) == list(frame.columns) and set(description["required"]) == set(
            frame.columns
        )


@pytest.mark.parametrize("name", ["forest", "regressor", "transformer"])
def test_a_service_of_a_model_without_names(name, request, tmp_path, original):
    path = request.getfixturevalue(f"{name}_path")
    module = service(generate(path, "fastapi"), tmp_path)
    rows, model = numeric_rows(20, seed=3), original(path)
    with TestClient(module.app) as client:
        got = client.post("/predict", json={"rows": rows.tolist()}).json()
        want = model.transform(rows) if name == "transformer" else model.predict(rows)
        np.testing.assert_allclose(got["predictions"], want, atol=1e-9)
        assert client.post("/predict", json={"rows": [[1, 2]]}).status_code == 422


def test_hostile_names(tmp_path, original):
    """Whatever columns and classes are called, they are values, and the service takes them as names."""
    from sklearn.linear_model import LogisticRegression

    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, len(NAMES))), columns=NAMES)
    model = LogisticRegression().fit(frame, np.array(NAMES[:3])[np.arange(60) % 3])
    path = tmp_path / 'it\'s "a" model\n.joblib'
    joblib.dump(model, path)
    module = service(generate(path, "fastapi", data_path='"""\nx', probabilities=True), tmp_path)
    assert sorted(NAMES[:3]) == module.CLASSES
    with TestClient(module.app) as client:
        rows = json.loads(frame.to_json(orient="records"))
        got = client.post("/predict", json={"rows": rows, "return_probabilities": True}).json()
        assert got["predictions"] == model.predict(frame).tolist()
    for target in TARGETS[:2]:
        for optimized in {True, target != "python"}:
            code = generate(path, target, optimized, data_path='"""\nos.system("x")', output_path="'''\\")
            tree = ast.parse(code)
            assert not [
                node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "system"
            ]
    constants = {
        node.targets[0].id: node.value
        for node in ast.parse(generate(path)).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert ast.literal_eval(constants["MODEL_PATH"]) == str(path)
    assert not (tmp_path / "pwned").exists() and not os.path.exists("pwned")


def test_defaults_and_annotations(lr_path):
    optimized, plain = generate(lr_path), generate(lr_path, use_optimized_inference=False)
    assert (
        "BATCH_SIZE = 5000" in optimized
        and "use_optimized_inference=True" in optimized
        and "What is optimised" in optimized
    )
    assert (
        "BATCH_SIZE = 1000" in plain
        and "use_optimized_inference=False" in plain
        and "import foretell" not in plain
    )
    assert "BATCH_SIZE = 777" in generate(lr_path, batch_size=777)
    assert PredictionGenerator(lr_path).generate(use_optimized_inference=False) == plain
    assert PredictionGenerator(lr_path).generate(target="fastapi") == generate(lr_path, "fastapi")
    assert 'method="decision_function"' in generate(lr_path, methods="decision_function")
    assert str(lr_path) in repr(PredictionGenerator(lr_path))


def test_every_target_generates(lr_path):
    for target in TARGETS:
        code = generate(lr_path, target)
        compile(code, target, "exec") if target in ("python", "fastapi") else None
        assert "int main" in code if target == "c" else True


@pytest.mark.parametrize(
    "arguments, error",
    [
        ({"target": "pyhton"}, errors.ArgumentError),
        ({"batch_size": 0}, errors.ArgumentError),
        ({"batch_size": -3}, errors.ArgumentError),
        ({"methods": "transform"}, errors.Error),
        ({"methods": "guess"}, errors.ArgumentError),
        ({"prefix": "1x"}, errors.ArgumentError),
        ({"target": "fastapi", "use_optimized_inference": False}, errors.ArgumentError),
        ({"max_code_bytes": 100}, errors.LimitError),
        ({"model_path": "none.joblib"}, errors.ModelNotFoundError),
        ({"input_dtype": "float16"}, ValueError),
    ],
)
def test_what_is_refused(lr_path, tmp_path, arguments, error):
    with pytest.raises(error):
        generate(**{"model_path": lr_path, "output": tmp_path / "code", **arguments})
    assert not os.listdir(tmp_path)


def test_the_file_is_whole_or_not_there(lr_path, tmp_path):
    target = tmp_path / "code.py"
    target.write_text("mine")
    with pytest.raises(errors.LimitError):
        generate(lr_path, output=target, max_code_bytes=50)
    assert target.read_text() == "mine"
    assert generate(lr_path, output=target) == target.read_text() and os.listdir(tmp_path) == ["code.py"]
    with pytest.raises(FileNotFoundError):
        generate(lr_path, output=tmp_path / "none/code.py")


def test_a_plain_script_that_fails_leaves_nothing(lr_path, tmp_path):
    generate(lr_path, use_optimized_inference=False, batch_size=10, output=tmp_path / "predict.py")
    frame = named_frame(25, seed=1).astype(object)
    frame.loc[20, "age"] = "old"
    frame.to_csv(tmp_path / "rows.csv", index=False)
    assert "old" in run(
        tmp_path / "predict.py", tmp_path, "--data", "rows.csv", "--output", "out.csv", code=1
    )
    assert sorted(os.listdir(tmp_path)) == ["predict.py", "rows.csv"]
