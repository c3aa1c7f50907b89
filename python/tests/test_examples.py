"""The examples run as they are written, and say what they promise."""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import foretell
import pytest
from fastapi.testclient import TestClient

SITE = str(pathlib.Path(foretell.__file__).resolve().parents[1])  # examples run elsewhere
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "examples/python"


def run(name, tmp_path, *arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", FOLDER / name, *map(str, arguments)],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": SITE},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_cached_prediction(tmp_path, pipeline_path):
    shown = run("01_cached_prediction.py", tmp_path, pipeline_path)
    assert re.search(r"first call: .* cache hit: False\nsecond call: .* cache hit: True", shown)
    assert "1 hits, 1 misses, hit rate 50%" in shown and "predictions:" in shown


def test_batch_comparison(tmp_path):
    shown = run("02_batch_comparison.py", tmp_path)
    assert (
        len(re.findall(r"foretell, batch_size=\S+ .* rows/s .* x", shown)) == 4
        and "all predictions are the same" in shown
    )


def test_warmup_fastapi(tmp_path, lr_path):
    shown = run("03_warmup_fastapi.py", tmp_path)
    assert "warm: " in shown and "cache hit: True" in shown


def test_the_older_form_of_the_warmup(tmp_path, lr_path, monkeypatch):
    """on_event, which newer versions of FastAPI call deprecated: the model is open before the first
    request."""
    monkeypatch.syspath_prepend(str(FOLDER))
    module = load("03_warmup_fastapi.py")
    with pytest.warns(DeprecationWarning):
        app = module.make_older_app(str(lr_path))
    with TestClient(app) as client:
        assert client.get("/api/v1/inference/health").json()["models_loaded"] == 1


def test_file_batch(tmp_path):
    shown = run("04_file_batch.py", tmp_path)
    assert len(re.findall(r"rows\.\w+ +10000 rows in 2 batches", shown)) == 3 and "rows: 10000" in shown


def test_cache_management(tmp_path):
    shown = run("05_cache_management.py", tmp_path)
    assert (
        "evictions 1, invalidations 1" in shown
        and "cleared: 2" in shown
        and shown.rstrip().splitlines()[-1].count("open: none") == 1
    )


def test_benchmark(tmp_path):
    shown = run("06_benchmark.py", tmp_path)
    assert len(re.findall(r" ms .* ms .* x\n", shown)) == 4 and "p99" in shown


def load(name):
    spec = importlib.util.spec_from_file_location(re.sub(r"\W", "_", name), FOLDER / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_application(lr_path, monkeypatch):
    monkeypatch.setenv("FORETELL_SERVE_MODEL_ROOT", str(lr_path.parent))
    with TestClient(load("fastapi_app.py").app) as client:
        assert client.get("/").json() == {"hello": "world"}
        assert client.post("/api/v1/inference/warmup", json={"model_path": "lr.joblib"}).status_code == 200
        assert client.get("/docs").status_code == 200
