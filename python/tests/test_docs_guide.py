"""The Python examples of docs/OPTIMIZED_INFERENCE.md run as they stand, one after the other, and do what the text says."""

import pathlib
import re
import shutil

from conftest import named_frame

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "OPTIMIZED_INFERENCE.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_examples_run(lr_path, tmp_path, monkeypatch, capsys):
    shutil.copy(lr_path, tmp_path / "model.joblib")
    named_frame(12000).to_csv(tmp_path / "large.csv", index=False)
    monkeypatch.chdir(tmp_path)
    names = {"X_test": named_frame(20)}
    assert len(BLOCKS) >= 15
    for block in BLOCKS:
        exec(compile(block, str(DOCUMENT), "exec"), names)
    assert "% hits" in capsys.readouterr().out and (tmp_path / "predictions.csv").exists()
    assert len(names["whole"]) == 12000 and list(names["whole"]) == [one for piece in names["pieces"] for one in piece]
    assert "5000" in names["script"] and "foretell" in names["script"]


def test_the_applications_answer(lr_path, tmp_path, monkeypatch):
    """The application of the page, with models warm before the first request, and its own handler."""
    from fastapi.testclient import TestClient
    shutil.copy(lr_path, tmp_path / "model.joblib")
    named_frame(50).to_csv(tmp_path / "large.csv", index=False)
    monkeypatch.chdir(tmp_path)
    names = {"X_test": named_frame(20)}
    for block in BLOCKS:
        exec(compile(block, str(DOCUMENT), "exec"), names)
    with TestClient(names["app"]) as client:
        health = client.get("/api/v1/inference/health").json()
        assert health["status"] == "ok"
        answer = client.post("/predict", json=named_frame(3).to_dict("records"))
        assert answer.status_code == 200 and answer.json() == names["model"].predict(named_frame(3)).tolist()


def test_names_of_figures_are_those_of_the_package(lr_path):
    """The tables of configuration and monitoring name what there is."""
    from foretell.inference import OptimizedPredictor
    predictor = OptimizedPredictor(cache_size=5)
    predictor.predict(lr_path, named_frame(3))
    stats = predictor.get_cache_stats()
    table = TEXT[TEXT.index("| what | Python: `get_cache_stats()`"):TEXT.index("What to look at:")]
    cells = [row.split("|")[2] for row in table.splitlines()[2:] if row.startswith("|")]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert len(named) >= 9 and named <= set(stats)
    assert {"mean", "p50", "p95", "p99"} <= set(stats["latency"]) and {"resident_bytes", "cpu_seconds", "read_bytes"} <= set(stats["process"])


def test_the_example_of_the_readme_runs(lr_path, tmp_path, monkeypatch):
    shutil.copy(lr_path, tmp_path / "model.joblib")
    named_frame(100).to_csv(tmp_path / "rows.csv", index=False)
    monkeypatch.chdir(tmp_path)
    readme = (DOCUMENT.parents[1] / "README.md").read_text(encoding="utf-8")
    section = readme[readme.index("**From Python.**"):readme.index("**From C.**")]
    assert re.search(r"```sh\n.*^pip install \./python ", section, re.DOTALL | re.MULTILINE), "the README says how to install it"
    [block] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    names = {"frame": named_frame(20)}
    exec(compile(block, "README.md", "exec"), names)
    assert type(names["model"]).__name__ == "LoadedModel"
    assert len(names["result"]["predictions"]) == 20 and len(names["table"]) == 100 and (tmp_path / "out.csv").exists()
