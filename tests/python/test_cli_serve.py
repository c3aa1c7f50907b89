"""The commands around the server: serve, stats, health, load, unload, verify."""

import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import threading

import ftl
import joblib
import numpy as np
import pandas as pd
import pytest
import serve_models
import serving
from sklearn.linear_model import LogisticRegression

DONE, INTERNAL, USAGE, MODEL, DATA, REJECTED = range(6)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    serve_models.write_models(folder)
    frame = serve_models.table(120)
    frame[serve_models.COLUMNS].to_json(folder / "rows.jsonl", orient="records", lines=True, force_ascii=False)
    (folder / "arrays.jsonl").write_text("".join(f"[{row.age}, {row.income}]\n" for row in frame.itertuples()))
    with serving.Server("churn.joblib", "price.joblib", cwd=folder) as server:
        yield folder, server


def command(*arguments, code=DONE, cwd=None, **env):
    done = ftl.run(*arguments, cwd=cwd, env={**os.environ, **env})
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.stdout if code in (DONE, REJECTED) else done.stderr


# ---- serve -----------------------------------------------------------------------------------------------------------

def test_serve_becomes_the_server(place):
    folder, _ = place
    process = subprocess.Popen([ftl.program(), "serve", "churn.joblib", "--port", "0"], cwd=folder,
                               stderr=subprocess.PIPE, text=True)
    lines = []
    for line in process.stderr:
        lines.append(json.loads(line))
        if lines[-1]["event"] == "ready":
            break
    url = lines[-1]["message"].split()[-1]
    assert command("health", "--url", url).startswith("ok: version ")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stderr.close()
    assert "--model-root" in command("serve", "--help")
    assert "no setting --prot" in command("serve", "--prot", "1", code=USAGE)


def test_serve_says_when_there_is_no_server(tmp_path):
    shutil.copy(ftl.program(), tmp_path / "foretell")
    alone = subprocess.run([tmp_path / "foretell", "serve", "x.joblib"], capture_output=True, text=True, check=False)
    assert alone.returncode == INTERNAL and "foretell-server is not installed" in alone.stderr
    shown = subprocess.run([tmp_path / "foretell", "serve", "--help"], capture_output=True, text=True, check=False)
    assert shown.returncode == DONE and "foretell serve" in shown.stdout
    # in libexec, as distributions have it
    (tmp_path / "bin").mkdir()
    (tmp_path / "libexec/foretell").mkdir(parents=True)
    shutil.copy(ftl.program(), tmp_path / "bin/foretell")
    fake = tmp_path / "libexec/foretell/foretell-server"
    fake.write_text("#!/bin/sh\necho \"$0 $@\"\n")
    fake.chmod(0o755)
    said = subprocess.run([tmp_path / "bin/foretell", "serve", "a", "--port", "1"], capture_output=True, text=True, check=True)
    assert said.stdout.strip().endswith("libexec/foretell/foretell-server a --port 1")


# ---- What a server says ----------------------------------------------------------------------------------------------

def test_health_stats_load_unload(place):
    _, server = place
    url = ["--url", server.url]
    assert json.loads(command("health", *url, "--json"))["status"] == "ok"
    assert command("health", *url, "--quiet") == ""
    assert command("health", FORETELL_URL=server.url).startswith("ok: ")
    assert "2 models closed" in command("unload", "--all", *url)
    assert json.loads(command("stats", "--json", *url))["cache_size"] == 0
    loaded = command("load", "churn.joblib", "price", *url)
    assert loaded.splitlines()[0].startswith("churn.joblib: open, ") and loaded.splitlines()[1].startswith("price: open, ")
    shown = command("stats", *url)
    assert "2 of 15 open" in shown and "churn" in shown and "price" in shown and "p95" in shown
    assert command("unload", "churn", *url) == "churn: 1 model closed\n"
    assert command("unload", "churn", *url) == "churn: 0 models closed\n"
    assert "1 of 15 open" in command("stats", *url)
    assert "status 404" in command("load", "none.joblib", *url, code=DATA)
    assert "status 404" in command("unload", "no ne&x=1", *url, code=DATA)
    assert json.loads(command("load", "churn", "--json", *url))["models"][0]["cached"] is True


def test_usage(place):
    for wrong in (["stats", "more"], ["health", "--port", "1"], ["load"], ["unload"], ["unload", "x", "--all"],
                  ["stats", "--url", "localhost"], ["stats", "--url", "https://localhost"], ["stats", "--url"],
                  ["verify"], ["verify", "a", "--python"], ["verify", "--against", "http://x", "a"], ["load", "--all", "x"],
                  ["verify", "--against", "http://x", "a", "b", "--dialect", "soap"],
                  ["verify", "--against", "http://x", "a", "b", "--dialect", "tf", "--proba"],
                  ["verify", "--against", "http://x", "a", "b", "--rows", "0"],
                  ["verify", "--against", "http://x", "a", "b", "--tolerance", "x"]):
        assert command(*wrong, code=USAGE).startswith("foretell: usage: "), wrong
    for name in ("serve", "stats", "health", "load", "unload", "verify"):
        assert f"foretell {name}" in command("help", name)
        assert "usage: " in command(name, "--help")


def test_nobody_answers():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        assert "no server answers" in command("stats", "--url", f"http://127.0.0.1:{port}", code=DATA)
        assert command("health", "--url", f"http://127.0.0.1:{port}/", code=DATA)
    assert "error" in command("health", "--url", "http://no.such.host.invalid:1", code=DATA)


def serve_bytes(*answers):
    """A listener that gives each connection one of the answers; its URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        for answer in answers:
            client, _ = listener.accept()
            client.recv(65536)
            client.sendall(answer)
            client.close()
    threading.Thread(target=run, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("answer, code", [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}", DONE),
    (b"HTTP/1.1 200 OK\r\n\r\n{\"status\":\"ok\"}", DONE),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"sta\r\na\r\ntus\":\"ok\"}\r\n0\r\n\r\n", DONE),
    (b"HTTP/1.1 503 No\r\nContent-Length: 21\r\n\r\n{\"status\":\"draining\"}", DATA),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}", DATA),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}", DATA),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", DATA),
    (b"HTTP/1.1 401 No\r\nContent-Length: 26\r\n\r\n{\"detail\":\"\\u001b[31m key\"}", DATA),
    (b"220 mail.example.org ESMTP\r\n\r\n", DATA), (b"", DATA), (b"HTTP/1.1 200 OK\r\n" + b"x" * 70000, DATA),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[[", DONE)])
def test_strange_answers(answer, code):
    said = command("health", "--url", serve_bytes(answer, answer), code=code)
    assert "\x1b" not in said


# ---- verify ----------------------------------------------------------------------------------------------------------

def test_verify_against_a_server_of_our_own(place):
    folder, server = place
    said = command("verify", "--against", server.url, "churn.joblib", "rows.jsonl", cwd=folder)
    assert "120 of 120 rows agree" in said and "no difference at all" in said
    report = json.loads(command("verify", "--against", server.url, "churn.joblib", "rows.jsonl", "--proba", "--json", "--rows", "50",
                                cwd=folder))
    assert report["rows"] == report["agreeing"] == 120 and report["requests"] == 3
    assert report["largest_difference"] == 0 and report["worst_row"] is None
    assert 0 < report["ours"]["p50_seconds"] <= report["ours"]["p95_seconds"]
    assert 0 < report["theirs"]["p50_seconds"] <= report["theirs"]["p95_seconds"]
    few = command("verify", "--against", server.url, "price.joblib", "arrays.jsonl", "--limit", "7", cwd=folder)
    assert "7 of 7 rows agree" in few


@pytest.mark.parametrize("dialect", ["v2", "tf", "mlflow"])
def test_verify_against_the_dialects_of_our_own_server(place, dialect):
    folder, server = place
    more = ["--against", f"{server.url}/invocations?model=churn"] if dialect == "mlflow" else ["--against", server.url]
    report = json.loads(command("verify", *more, "--dialect", dialect, "churn.joblib", "rows.jsonl", "--rows", "40", "--json",
                                cwd=folder))
    assert report["rows"] == report["agreeing"] == 120 and report["largest_difference"] == 0
    arrays = ["price.joblib", "arrays.jsonl", "--rows", "7", "--json"]
    more = ["--against", f"{server.url}/invocations?model=price"] if dialect == "mlflow" else ["--against", server.url]
    report = json.loads(command("verify", *more, "--dialect", dialect, *arrays, cwd=folder))
    assert report["rows"] == report["agreeing"] == 120 and report["largest_difference"] == 0


def test_keys_come_from_the_environment(place, tmp_path):
    folder, _ = place
    (tmp_path / "keys").write_text("admin 0123456789abcdef0123 all\n")
    with serving.Server("churn.joblib", "--keys-file", tmp_path / "keys", cwd=folder) as server:
        for words in (["stats"], ["load", "churn"]):
            assert "status 401" in command(*words, "--url", server.url, code=DATA)
            assert command(*words, "--url", server.url, FORETELL_API_KEY="0123456789abcdef0123")
            assert command(*words, "--url", server.url, code=DATA, FORETELL_API_KEY="x\r\nX-Other: y")


def test_verify_finds_what_differs(place, tmp_path):
    folder, server = place
    model = joblib.load(folder / "price.joblib")
    model.intercept_ += 1e-6
    joblib.dump(model, tmp_path / "other.joblib")
    rows = str(folder / "arrays.jsonl")
    there = ["verify", "--against", server.url, "other.joblib", rows, "--name", "price"]
    said = command(*there, code=REJECTED, cwd=tmp_path)
    assert "0 of 120 rows agree" in said and "in row" in said
    report = json.loads(command(*there, "--json", "--tolerance", "1e-3", cwd=tmp_path))
    assert report["agreeing"] == 120 and 0 < report["largest_difference"] < 1e-5 and report["worst_row"] is not None
    # other labels
    frame = serve_models.table()
    numbers = frame[["age", "income"]].to_numpy()
    joblib.dump(LogisticRegression().fit(numbers, np.where(numbers[:, 0] > 40, "old", "young")), tmp_path / "labels.joblib")
    report = json.loads(command("verify", "--against", server.url, "labels.joblib", rows, "--name", "price", "--json",
                                code=REJECTED, cwd=tmp_path))
    assert report["agreeing"] == 0 and report["largest_difference"] is None and report["worst_row"] == 0


def test_verify_errors(place, tmp_path):
    folder, server = place
    (tmp_path / "bad.jsonl").write_text("{\"age\": 1}\nno json\n")
    (tmp_path / "empty.jsonl").write_text("\n")
    url = ["verify", "--against", server.url]
    command(*url, "none.joblib", "rows.jsonl", code=MODEL, cwd=folder)
    command(*url, "churn.joblib", "none.jsonl", code=DATA, cwd=folder)
    command(*url, "churn.joblib", str(tmp_path / "bad.jsonl"), code=DATA, cwd=folder)
    assert "no rows" in command(*url, "churn.joblib", str(tmp_path / "empty.jsonl"), code=DATA, cwd=folder)
    assert "status 404" in command(*url, "churn.joblib", "rows.jsonl", "--name", "none", code=DATA, cwd=folder)


class OldService(http.server.BaseHTTPRequestHandler):
    """What people have: scikit-learn behind a few lines of Python, in the shapes of several servers."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v2/models/churn/infer":
            columns = {entry["name"]: entry["data"] for entry in body["inputs"]}
            assert {entry["name"]: entry["datatype"] for entry in body["inputs"]} == {
                "age": "FP64", "income": "FP64", "city": "BYTES"}
            answer = self.predict([dict(zip(columns, row)) for row in zip(*columns.values())])
            if body.get("outputs"):
                answer = self.probabilities
            says = {"model_name": "churn", "outputs": [{"name": "x", "datatype": "BYTES", "shape": [len(answer)],
                                                         "data": answer}]}
        elif self.path == "/v1/models/churn:predict":
            says = {"predictions": self.predict(body["instances"])}
        elif self.path == "/invocations":
            says = {"predictions": self.predict(body["dataframe_records"])}
        elif self.path == "/score":
            says = self.predict(body)
        else:
            assert self.path == "/wrapped"
            says = {"ok": True, "result": self.predict(body)}
        data = json.dumps(says).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def predict(self, rows):
        frame = pd.DataFrame(rows)[serve_models.COLUMNS]
        self.probabilities = self.model.predict_proba(frame).ravel().tolist()
        return self.model.predict(frame).tolist()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def old_service(place):
    folder, _ = place
    handler = type("Handler", (OldService,), {"model": joblib.load(folder / "churn.joblib")})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{service.server_address[1]}"
        service.shutdown()


@pytest.mark.parametrize("dialect, path", [("v2", ""), ("tf", ""), ("mlflow", ""), ("plain", "/score"), ("plain", "/wrapped")])
def test_verify_against_a_service_in_python(place, old_service, dialect, path):
    folder, _ = place
    report = json.loads(command("verify", "--against", old_service + path, "--dialect", dialect, "churn.joblib", "rows.jsonl",
                                "--rows", "9", "--json", cwd=folder))
    assert report["rows"] == report["agreeing"] == 120 and report["requests"] == 14


def test_verify_probabilities_of_a_tensor(place, old_service):
    folder, _ = place
    report = json.loads(command("verify", "--against", old_service, "--dialect", "v2", "--proba", "churn.joblib", "rows.jsonl",
                                "--rows", "9", "--json", cwd=folder))
    assert report["rows"] == report["agreeing"] == 120 and report["largest_difference"] < 1e-12
