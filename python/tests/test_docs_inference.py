"""The examples of docs/PYTHON.md run as they stand, one after the other."""

import pathlib
import re
import shutil

import pytest
from conftest import named_frame

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "PYTHON.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)


def test_the_examples_run(lr_path, tmp_path, monkeypatch, capsys):
    shutil.copy(lr_path, tmp_path / "model.joblib")
    named_frame(1000).to_csv(tmp_path / "large.csv", index=False)
    monkeypatch.chdir(tmp_path)
    names = {"X_test": named_frame(20)}
    assert len(BLOCKS) >= 8
    for block in BLOCKS:
        exec(compile(block, str(DOCUMENT), "exec"), names)
    said = capsys.readouterr().out
    assert "no-such-model.joblib" in said and (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    "name", ["predict", "predict_batch", "predict_stream", "warmup", "get_cache_stats", "clear_cache"]
)
def test_every_method_says_what_it_does(name):
    from foretell.inference import OptimizedPredictor

    assert len(getattr(OptimizedPredictor, name).__doc__) > 60
