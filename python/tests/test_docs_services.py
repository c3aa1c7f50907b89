"""docs/PYTHON-SERVICES.md: its blocks run as they stand."""

import pathlib
import re
import shutil

import pytest
from fastapi.testclient import TestClient

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/PYTHON-SERVICES.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_runs(number, tmp_path, monkeypatch, lr_path):
    shutil.copy(lr_path, tmp_path / "churn.joblib")
    for name in ("data", "out"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(BLOCKS[number], f"block {number}", "exec"), names)
    if "app" in names:
        row = {"age": 30, "tenure": 2, "balance": 900.5, "rate": 0.3}
        with TestClient(names["app"]) as client:
            path = "churn" if "predictor" in names else "churn.joblib"
            answer = client.post("/api/v1/inference/predict", json={"model_path": path, "features": [row]})
            assert answer.status_code == 200 and answer.json()["predictions"][0] in ("churn", "stay"), (
                answer.text
            )
    else:
        assert (tmp_path / "service.py").read_text() == names[
            "service"
        ] and "use_optimized_inference=True" in names["script"]


def test_there_are_blocks():
    assert len(BLOCKS) == 3
