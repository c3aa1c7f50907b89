"""What the server says: its own lines, a line for each request, ids and traces, and a reader that stops reading."""

import json
import os
import signal
import subprocess
import time

from serving_raw import HEALTH, PREDICT, RawServer, make_model, program, request

BODY = {"model_path": "m.pkl", "features": [[1, 2, 3], [4, 5, 6]]}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_lines_of_requests(tmp_path):
    make_model(tmp_path / "m.pkl")
    with RawServer("--model-root", tmp_path, "--access-log") as server:
        reply = server.post(PREDICT, BODY, [("X-Request-Id", "mine-1"), ("traceparent", TRACE)])
        assert reply.headers["x-request-id"] == "mine-1" and reply.headers["traceparent"] == TRACE
        made = server.get(HEALTH + "?secret=1").headers["x-request-id"]
        assert len(made) == 32
        server.get("/%22nothing%0a")
        for bad in (TRACE[:-1], TRACE.upper(), TRACE.replace("-", "_"), TRACE + "0", "x"):
            assert "traceparent" not in server.get(HEALTH, [("traceparent", bad)]).headers
        for bad in ("a b", 'a"b', "x" * 129, "\xff"):
            assert server.get(HEALTH, [("X-Request-Id", bad)]).headers["x-request-id"] != bad
        server.raw(b"BREW / HTTP/1.1\r\n\r\n")
        server.wait_for("request", 13, 10)
        lines = server.events("request")
    first = lines[0]
    assert first["request_id"] == "mine-1" and first["traceparent"] == TRACE
    assert (first["method"], first["path"], first["status"]) == ("POST", PREDICT, 200)
    assert first["rows"] == 2 and first["model"] == "m.pkl" and first["peer"] == "127.0.0.1"
    assert 0 < first["compute_ms"] < first["ms"] and first["queue_ms"] >= 0
    assert first["bytes_in"] == len(json.dumps(BODY)) and first["bytes_out"] > 10
    assert lines[1]["request_id"] == made and lines[1]["path"] == HEALTH and "secret" not in json.dumps(lines)
    assert lines[2]["status"] == 404 and lines[2]["path"].startswith("/%22nothing%0a")
    assert lines[-1]["status"] == 400 and "path" not in lines[-1]
    assert not server.plain  # every line was JSON


def test_levels(tmp_path):
    make_model(tmp_path / "m.pkl")
    (tmp_path / "bad.pkl").write_bytes(b"no model")
    for args, words in (([], {"listening", "ready", "draining"}), (["--log-level", "off"], set()),
                        (["--log-level", "error"], {"model"}), (["--quiet"], {"model"})):
        server = RawServer(tmp_path, *args, wait=False)
        time.sleep(0.7)
        server.stop()
        seen = {line["event"] for line in server.lines if line["event"] not in ("openapi", "pages")}
        assert words <= seen and (not args or seen == words), (args, server.lines)
    done = subprocess.run([program(), "--log-level", "loud"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2 and "log-level takes" in done.stderr


def test_nobody_reads(tmp_path):
    """Lines are lost then, requests are not, and the server still ends in time."""
    make_model(tmp_path / "m.pkl")
    port_file, writer = os.pipe()
    process = subprocess.Popen([program(), "--port", "0", "--model-root", tmp_path, "--access-log"], stderr=writer)
    os.close(writer)
    said = b""
    while b'"ready"' not in said:
        said += os.read(port_file, 4096)
    server = RawServer.__new__(RawServer)
    server.host, server.process = "127.0.0.1", process
    server.port = int(said.split(b"http://127.0.0.1:")[1].split(b'"')[0])
    whole = request("GET", HEALTH)
    with server.connect() as peer:
        for _ in range(100):
            peer.sendall(whole * 99)
            got = 0
            while got < 99:
                got += peer.recv(1 << 20).count(b"HTTP/1.1 200 OK")
    assert server.resident() < server.bound(200 << 20)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert process.wait(timeout=20) == 0
    assert time.monotonic() - began < 10
    os.close(port_file)
