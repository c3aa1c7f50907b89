"""docs/SERVER.md: its requests are answered as it shows, its commands start servers, its tables are the program's own words."""

import json
import os
import re
import shutil
import signal
import subprocess

import ftl
import joblib
import numpy as np
import pytest
import serve_examples
from serving import Server, server_program
from sklearn.linear_model import LogisticRegression

PAGE = ftl.ROOT / "docs/SERVER.md"
TEXT = PAGE.read_text(encoding="utf-8")
# Commands that need what a test has not: another service, the network.
ELSEWHERE = ("foretell verify --against http://old-service",)


def blocks(page=TEXT):
    """[(language, lines put together where they go on, the language and text of the block that follows)]"""
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", page, re.MULTILINE | re.DOTALL)
    for i, (language, text) in enumerate(found):
        after = found[i + 1] if i + 1 < len(found) else ("", "")
        yield language, re.sub(r"\\\n\s*", "", text), after


def commands(word):
    return [(line.strip(), after) for language, text, after in blocks() if language == "sh" for line in text.splitlines()
            if line.strip().startswith(word)]


@pytest.fixture
def folder(tmp_path):
    """What the page speaks of."""
    serve_examples.fill(tmp_path)
    random = np.random.default_rng(0).random((50, 4))
    joblib.dump(LogisticRegression().fit(random, random[:, 0] > 0.5), tmp_path / "plain.joblib")
    serve_examples.customers().to_csv(tmp_path / "customers.csv", index=False)
    for name in ("models", "data", "results"):
        (tmp_path / name).mkdir()
    shutil.copy(tmp_path / "churn.joblib", tmp_path / "models/churn.joblib")
    shutil.copy(tmp_path / "churn.joblib", tmp_path / "model.joblib")
    shutil.copytree(tmp_path / "flowers", tmp_path / "models/flowers")
    return tmp_path


def curl(line, url, cwd):
    line = re.sub(r"http://localhost:8000", url, line)
    run = subprocess.run(["bash", "-c", line.replace("curl ", "curl -sS --fail-with-body ", 1)], cwd=cwd, capture_output=True,
                         text=True, check=False)
    assert run.returncode == 0, f"{line}\n{run.stdout}{run.stderr}"
    return run.stdout


def shape(value):
    """What is left when values are forgotten."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def test_requests_are_answered_as_the_page_shows(folder):
    lines = commands("curl ")
    assert len(lines) >= 13
    with Server("churn.joblib", "--output-root", ".", "--route", "/predict=churn", cwd=folder) as server:
        shown = 0
        for line, (language, expected) in lines:
            answer = curl(line, server.url, folder)
            if language == "json":
                real = json.loads(answer)
                assert shape(real) == shape(json.loads(expected)), line
                shown += 1
        assert shown == 7
        first = json.loads(curl(lines[0][0], server.url, folder))
    model = joblib.load(folder / "churn.joblib")
    row = serve_examples.customers()[:1].assign(**serve_examples.ROWS["churn"])
    assert first["predictions"] == list(model.predict(row))
    assert np.allclose(first["probabilities"], model.predict_proba(row), rtol=1e-12, atol=1e-12)


def servers():
    """Every line of a block, and every `code` of a sentence, on any page, that starts a server."""
    lines = []
    for path in [ftl.ROOT / "README.md", *sorted(ftl.ROOT.glob("docs/*.md"))]:
        page = path.read_text(encoding="utf-8")
        lines += [line for language, text, _ in blocks(page) if language in ("", "sh") for line in text.splitlines()]
        sentences = re.sub(r"^ *```.*?^ *```$", "", page, flags=re.MULTILINE | re.DOTALL)
        lines += [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", sentences)]
    lines = [re.sub(r" +#.*", "", line.strip()) for line in lines]
    return list(dict.fromkeys(line for line in lines if line.startswith("foretell serve ")))


@pytest.mark.parametrize("line", servers())
def test_a_command_starts_a_server(folder, line):
    program = str(ftl.program())
    keys = folder / "keys"
    keys.write_text("inference some-key-of-some-length-1\n")
    keys.chmod(0o600)
    line = re.sub(r"--port \d+", "", line).replace("foretell", program, 1).replace("/opt/ml/model", "models") + " --port 0"
    with Server(cwd=folder) as helper:  # for its reader of logs
        helper.stop()
        helper.lines = []
        del helper.url
        helper.command = ["bash", "-c", "exec " + line]
        helper.__enter__()
        assert helper.get("/api/v1/inference/health").status == 200


def test_other_commands_are_known():
    for language, text, _ in blocks():
        for line in text.splitlines() if language == "sh" else ():
            line = line.strip()
            assert line.startswith(("curl ", "foretell serve", *ELSEWHERE, "printf ", "chmod ")), line


def test_the_keys_that_the_page_makes_are_keys(folder):
    text = "\n".join(line for language, block, _ in blocks() if language == "sh" and "printf" in block
                     for line in block.splitlines() if line.startswith(("printf", "chmod")))
    subprocess.run(["bash", "-c", text], cwd=folder, check=True)
    with Server("churn.joblib", "--keys-file", "keys", cwd=folder) as server:
        roles = dict(line.split() for line in (folder / "keys").read_text().splitlines())
        assert set(roles) == {"inference", "admin", "metrics"}
        status = {role: server.get("/metrics", headers={"Authorization": f"Bearer {key}"}).status for role, key in roles.items()}
        assert status == {"inference": 403, "admin": 200, "metrics": 200}
        assert server.get("/metrics").status == 401


def test_the_settings_are_those_of_the_program():
    run = subprocess.run([ftl.ROOT / "tools/settings_doc", "--check", server_program()], capture_output=True, text=True,
                         check=False)
    assert run.returncode == 0, run.stderr
    shown = re.search(r"<!-- settings:[^>]*-->\n(.*)<!-- end of settings -->", TEXT, re.DOTALL)[1]
    config = subprocess.run([server_program(), "--check-config"], capture_output=True, text=True, check=True).stdout
    for name, value in re.findall(r"^([a-z-]+) = (.*)$", config, re.MULTILINE):  # every setting has its line
        assert re.search(rf"^\| `{name}`", shown, re.MULTILINE), name


def test_metrics_that_the_page_names_exist(folder):
    with Server("churn.joblib", cwd=folder) as server:
        server.post_json("/api/v1/inference/predict", {"model_path": "churn", "features": [serve_examples.ROWS["churn"]]})
        text = server.get("/metrics").body.decode()
    families = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    named = set(re.findall(r"\b(?:foretell|process)_[a-z_]+\b", TEXT)) - {"foretell_"}
    assert len(named) > 20 and named <= families, named - families


def test_the_three_sizes_start(folder):
    rows = re.findall(r"^\| (?:small|medium|large)[^|]*\| (\d+) \| (\w+) \|", TEXT, re.MULTILINE)
    assert [size for size, _ in rows] == ["5", "15", "30"]
    for size, memory in rows:
        run = subprocess.run([server_program(), "--check-config", "--cache-size", size, "--cache-bytes", memory],
                             capture_output=True, text=True, check=True)
        assert f"cache-size = {size}\n" in run.stdout
