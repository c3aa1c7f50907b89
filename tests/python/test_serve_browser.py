"""The pages in a browser, promtool, validators and a fuzzer of APIs: others' programs look at what the server says.

They need what `scripts/bootstrap test-all` installs: Chromium, Prometheus' promtool, build/venv-serve.
"""

import json
import os
import shutil
import struct
import subprocess
import zlib

import ftl
import pytest
import serve_examples
from browser import Browser
from serving import Server

pytestmark = pytest.mark.long
VENV = ftl.ROOT / "build/venv-serve/bin"
NATIVE = "/api/v1/inference"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return serve_examples.fill(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    with Server(folder, "--model-root", folder, "--data-root", data, "--output-root", data) as running:
        yield running


def pixels(path):
    """(width, height, rows of bytes, bytes of a pixel) of a PNG as the browser writes it."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", data[at + 8:at + 18])
            assert depth == 8 and colour in (2, 6)
        elif kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    step = 3 if colour == 2 else 4
    raw, rows, before = zlib.decompress(packed), [], bytearray(width * step)
    for y in range(height):
        start = y * (width * step + 1)
        line, kind = bytearray(raw[start + 1:start + 1 + width * step]), raw[start]
        for i in range(len(line)):  # the filters of PNG
            left, up = (line[i - step] if i >= step else 0), before[i]
            corner = before[i - step] if i >= step else 0
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda c: abs(guess - c))
            line[i] = (line[i] + (0, left, up, (left + up) // 2, paeth)[kind]) & 255
        rows.append(bytes(line))
        before = line
    return width, height, rows, step


def brightness(path):
    """Of the whole picture, 0 to 255, and the number of different colours in every 7th pixel."""
    _, _, rows, step = pixels(path)
    sample = [row[i:i + 3] for row in rows[::7] for i in range(0, len(row), 7 * step)]
    return sum(map(sum, sample)) / (3 * len(sample)), len(set(sample))


# ---- The page at / ----

def choose(browser, name):
    browser.click(f"#models button[data-name='{name}']")
    browser.wait(f"document.querySelector('#model-title').textContent == '{name}'")


def fill(browser, row):
    """As a person does: clicks into each field and types."""
    for i, value in enumerate(row.values() if isinstance(row, dict) else row):
        field = f"#field-{i}"
        if browser.run(f"document.querySelector('{field}').tagName") == "SELECT":
            browser.run(f"""(() => {{
                const field = document.querySelector('{field}'), values = JSON.parse(field.dataset.values);
                field.value = String(values.findIndex((v) => v == {json.dumps(value)}));
                if (field.selectedIndex < 0) throw new Error('no such choice');
            }})()""")
        else:
            browser.click(field)
            browser.run(f"document.querySelector('{field}').select()")
            browser.type("" if value is None else str(value))


def answer_shown(browser):
    browser.wait("document.querySelector('#prediction.value') || !document.querySelector('#problem').hidden")
    return browser.run("document.querySelector('#prediction').textContent")


@pytest.mark.parametrize("dark", [False, True])
def test_a_prediction_by_clicking(server, tmp_path, dark):
    row = serve_examples.ROWS["churn"]
    truth = server.post_json(NATIVE + "/predict", {"model_path": "churn", "features": [row],
                                                   "return_probabilities": True}).json()
    with Browser(dark=dark) as browser:
        browser.open(server.url + "/")
        browser.wait("document.querySelectorAll('#models button').length == 4")
        choose(browser, "churn")
        assert browser.run("[...document.querySelectorAll('#fields label')].map((l) => l.firstChild.textContent.trim())") == list(row)
        assert browser.run("[...document.querySelectorAll('#field-2 option')].map((o) => o.textContent)") == \
            ["basic", "plus", "pro", "(missing)"]
        fill(browser, row)
        browser.click("#predict")
        assert answer_shown(browser) == truth["predictions"][0]
        shown = browser.run("[...document.querySelectorAll('.bar p')].map((p) => p.innerText)")
        shares = sorted(zip(truth["probabilities"][0], truth["classes"]), reverse=True)
        assert [" ".join(text.split()) for text in shown] == [f"{label} {100 * share:.1f} %" for share, label in shares]
        browser.run("Promise.all(document.getAnimations().map((animation) => animation.finished))")
        widths = browser.run("[...document.querySelectorAll('.bar > div')].map((d) => d.firstChild.offsetWidth / d.offsetWidth)")
        assert all(abs(width - share) < 0.02 for width, (share, _) in zip(widths, shares))
        assert "to predict" in browser.text() and "ok, version" in browser.text()
        picture = tmp_path / "page.png"
        browser.screenshot(picture)
        light, colours = brightness(picture)
        assert (light < 90) if dark else (light > 180)
        assert colours > 20  # it is painted
        assert browser.messages == []
        # the curl line that is shown gives the same answer
        line = browser.run("document.querySelector('#curl').textContent")
        said = json.loads(subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout)
        assert said["predictions"] == truth["predictions"] and said["probabilities"] == truth["probabilities"]


def test_the_keyboard_alone_is_enough(server):
    with Browser() as browser:
        browser.open(server.url + "/")
        browser.wait("document.querySelectorAll('#fields [data-index]').length == 5")

        def focus_on(condition):
            for _ in range(60):
                browser.press("Tab")
                if browser.run(f"(() => {{ const at = document.activeElement; return {condition}; }})()"):
                    return
            raise AssertionError(f"Tab never comes to {condition}")

        browser.press("Tab")
        assert browser.run("document.activeElement.className") == "skip"
        focus_on("at.dataset.name == 'flowers'")
        assert browser.run("getComputedStyle(document.activeElement).outlineStyle") != "none"
        browser.press("Enter", text="\r")
        browser.wait("document.querySelector('#model-title').textContent == 'flowers'")
        focus_on("at.id == 'field-0'")
        browser.run("document.activeElement.select()")
        browser.type("0.25")
        browser.press("Enter", text="\r")
        truth = server.post_json(NATIVE + "/predict", {"model_path": "flowers", "features": [
            {"length (cm)": 0.25, "width (cm)": 0, "petals": 0}]}).json()
        assert answer_shown(browser) == str(truth["predictions"][0])
        assert browser.messages == []


def test_missing_values_and_mistakes(server):
    with Browser() as browser:
        browser.open(server.url + "/#churn")
        browser.wait("document.querySelectorAll('#fields [data-index]').length == 5")
        fill(browser, {"age": None, "balance": 1.5})
        browser.click("#predict")
        truth = server.post_json(NATIVE + "/predict", {"model_path": "churn", "features": [
            {"age": None, "balance": 1.5, "plan": "basic", "city": "Berlin", "active": 0}]}).json()
        assert answer_shown(browser) == truth["predictions"][0]
        fill(browser, {"age": "many"})
        browser.click("#predict")
        browser.wait("!document.querySelector('#problem').hidden")
        assert browser.run("document.querySelector('#problem').textContent") == "age: many is no number"
        assert browser.run("document.activeElement.id + document.activeElement.getAttribute('aria-invalid')") == "field-0true"
        browser.click("#reset")
        assert browser.run("document.querySelector('#field-0').value") == "0"
        assert browser.run("document.querySelector('#problem').hidden")


def test_what_the_model_refuses_is_said(server):
    with Browser() as browser:
        browser.open(server.url + "/#price")
        browser.wait("document.querySelector('#model-title').textContent == 'price'")
        fill(browser, {"age": None})
        browser.click("#predict")
        browser.wait("!document.querySelector('#problem').hidden")
        assert "age" in browser.run("document.querySelector('#problem').textContent")


def test_models_without_names_and_narrow_screens(server, tmp_path):
    with Browser(width=420, height=800) as browser:
        browser.open(server.url + "/#plain")
        browser.wait("document.querySelectorAll('#fields [data-index]').length == 28")
        assert browser.run("document.querySelector('#fields label').firstChild.textContent") == "column 1 "
        assert browser.run("document.documentElement.scrollWidth <= innerWidth")  # nothing sticks out
        browser.click("#predict")
        assert answer_shown(browser) in ("true", "false")
        browser.screenshot(tmp_path / "narrow.png")
        assert brightness(tmp_path / "narrow.png")[1] > 20
        assert browser.messages == []


def test_a_key_is_asked_for_and_kept(folder, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("inference one-key-of-some-length\n")
    keys.chmod(0o600)
    with Server(folder, "--keys-file", keys) as locked, Browser() as browser:
        browser.open(locked.url + "/")
        browser.wait("!document.querySelector('#key').hidden")
        browser.type("not-the-key-at-all")  # the field has the focus
        browser.press("Enter", text="\r")
        browser.wait("!document.querySelector('#key').hidden && document.querySelector('#none').textContent.includes('key')")
        browser.run("document.querySelector('#key-text').select()")
        browser.type("one-key-of-some-length")
        browser.press("Enter", text="\r")
        browser.wait("document.querySelectorAll('#models button').length == 4")
        browser.wait("document.querySelectorAll('#fields [data-index]').length == 5")
        browser.click("#predict")
        assert answer_shown(browser) in ("churn", "stay")
        assert browser.run("document.querySelector('#key').hidden && document.querySelector('#none').hidden")


# ---- Swagger UI and ReDoc ----

@pytest.mark.parametrize("path", ["/docs", "/api/v1/docs"])
def test_swagger_ui_shows_the_api_and_filters_it(server, tmp_path, path):
    with Browser() as browser:
        browser.open(server.url + path)
        browser.wait("document.querySelectorAll('.opblock').length > 10")
        assert browser.run("document.querySelector('.info .title').textContent").startswith("foretell")
        everything = browser.run("document.querySelectorAll('.opblock').length")
        browser.click(".operation-filter-input")
        browser.type("inference")
        browser.wait(f"document.querySelectorAll('.opblock').length < {everything}")
        shown = browser.run("[...document.querySelectorAll('.opblock-summary-path')].map((p) => p.dataset.path)")
        assert len(shown) >= 5 and all(path.startswith(NATIVE) for path in shown)
        browser.screenshot(tmp_path / "docs.png")
        assert brightness(tmp_path / "docs.png")[1] > 20
        assert browser.messages == []


def test_swagger_ui_sends_a_prediction(server):
    with Browser(height=1600) as browser:
        browser.open(server.url + "/docs")
        browser.wait("document.querySelector('#operations-inference-predict')")
        browser.click("#operations-inference-predict .opblock-summary")
        browser.wait("document.querySelector('#operations-inference-predict textarea').value.includes('churn')")
        browser.click("#operations-inference-predict .execute")
        browser.wait("document.querySelector('#operations-inference-predict .live-responses-table tbody .response-col_status').innerText.includes('200')")
        assert "predictions" in browser.run("document.querySelector('#operations-inference-predict .live-responses-table').innerText")
        assert browser.messages == []


def test_redoc_shows_the_api(server, tmp_path):
    with Browser() as browser:
        browser.open(server.url + "/redoc")
        browser.wait("document.body.innerText.includes('Predict rows')")
        assert "Open models ahead of requests" in browser.text()
        browser.screenshot(tmp_path / "redoc.png")
        assert brightness(tmp_path / "redoc.png")[1] > 20
        # its maker's logo is not loaded from afar
        assert [m for m in browser.messages if "logo-mini.svg' violates the following Content Security Policy" not in m] == []


# ---- Other programs ----

def test_promtool_finds_no_fault(server):
    server.post_json(NATIVE + "/predict", {"model_path": "churn", "features": [serve_examples.ROWS["churn"]]})
    text = server.get("/metrics").body
    run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")
    rules = subprocess.run(["promtool", "check", "rules", ftl.ROOT / "deploy/alerts.yaml"], capture_output=True, text=True,
                           check=False)
    assert rules.returncode == 0 and "SUCCESS" in rules.stdout, rules.stdout + rules.stderr


def test_promql_understands_the_dashboard(tmp_path):
    dashboard = json.loads((ftl.ROOT / "deploy/grafana.json").read_text())
    rules = [f"  - record: test:rule{i}\n    expr: {json.dumps(expression)}\n" for i, expression in enumerate(
        target["expr"].replace("$__rate_interval", "5m").replace("$instance", ".*").replace("$model", ".*")
        for panel in dashboard["panels"] for target in panel["targets"])]
    path = tmp_path / "rules.yaml"
    path.write_text("groups:\n- name: dashboard\n  rules:\n" + "".join(rules))
    run = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
    assert run.returncode == 0 and f"{len(rules)} rules found" in run.stdout, run.stdout + run.stderr


def test_openapi_spec_validator_finds_no_fault(server, tmp_path):
    path = tmp_path / "openapi.json"
    path.write_bytes(server.get("/openapi.json").body)
    run = subprocess.run([VENV / "openapi-spec-validator", path], capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "OK" in run.stdout, run.stdout + run.stderr


def test_schemathesis_finds_no_fault(server, tmp_path):
    """Requests of all kinds, right and wrong, from the description; every answer must be as it says."""
    for name in ("schemathesis.toml", "schemathesis_hooks.py"):
        shutil.copy(ftl.ROOT / "tests/python" / name, tmp_path)
    run = subprocess.run([VENV / "schemathesis", "run", server.url + "/openapi.json", "--max-examples", "40", "--seed", "1",
                          "--exclude-path-regex", "/unload$"],  # which takes models away from the other requests
                         capture_output=True, text=True, check=False, cwd=tmp_path,
                         env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120", "PYTHONPATH": str(tmp_path),
                              "SCHEMATHESIS_HOOKS": "schemathesis_hooks"})
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr
    assert "No issues found" in run.stdout or " passed" in run.stdout
    assert server.get(NATIVE + "/health").status == 200
