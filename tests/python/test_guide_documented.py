"""docs/OPTIMIZED_INFERENCE.md: its requests are answered, and what its tables name is the programs' own."""

import re
import shutil
import subprocess

import ftl
import pytest
import serve_examples
from serving import Server, server_program
from test_serve_documented import blocks, curl

TEXT = (ftl.ROOT / "docs/OPTIMIZED_INFERENCE.md").read_text(encoding="utf-8")
CURLS = [line.strip() for language, text, _ in blocks(TEXT) if language == "sh" for line in text.splitlines()
         if line.startswith("curl ")]


def test_the_six_endpoints_answer(tmp_path):
    serve_examples.fill(tmp_path)
    serve_examples.customers().to_csv(tmp_path / "customers.csv", index=False)
    assert {re.search(r"inference/([\w/-]+)", line)[1] for line in CURLS} == {
        "predict", "warmup", "predict-batch", "cache/stats", "cache/clear", "health"}
    with Server("churn.joblib", cwd=tmp_path) as server:
        for line in CURLS:
            curl(line, server.url, tmp_path)


def test_settings_options_and_metrics_exist(tmp_path):
    settings = subprocess.run([server_program(), "--help"], capture_output=True, text=True, check=True).stdout
    helps = settings + "".join(ftl.run("help", name).stdout for name in ("predict", "verify", "check", "generate"))
    for option in set(re.findall(r"`(--[a-z-]+)", TEXT)):
        assert re.search(rf"{option}\b", helps), option
    for variable in set(re.findall(r"FORETELL_SERVE_(\w+)", TEXT)):
        assert f"--{variable.lower().replace('_', '-')} " in settings, variable
    shutil.copy(ftl.ROOT / "examples/demo/model.joblib", tmp_path / "churn.joblib")
    with Server("churn.joblib", cwd=tmp_path) as server:
        metrics = server.get("/metrics").body.decode()
    for name in set(re.findall(r"`((?:foretell|process)_\w+)`", TEXT)):
        assert f"# TYPE {name} " in metrics, name


@pytest.mark.parametrize("small, medium, large", [(5, 15, 30)])
def test_the_sizes_of_the_cache(small, medium, large):
    rows = dict(re.findall(r"^\| (small|medium|large)[^|]*\| (\d+) \|", TEXT, re.MULTILINE))
    assert rows == {"small": str(small), "medium": str(medium), "large": str(large)}
    settings = subprocess.run([server_program(), "--help"], capture_output=True, text=True, check=True).stdout
    assert f"{small}, {medium}, {large} ({medium})" in settings
