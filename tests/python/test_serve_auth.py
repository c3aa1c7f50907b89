"""Who may use the server: keys and their roles and rates, names in Host, pages of other sites, addresses."""

import json
import os
import socket
import subprocess
import time

import pytest
from serving_raw import HEALTH, PREDICT, RawServer, Reply, make_model, program, request

BODY = {"model_path": "m.pkl", "features": [[1, 2, 3]]}
STATS, CLEAR = "/api/v1/inference/cache/stats", "/api/v1/inference/cache/clear"
INFERENCE, ADMIN, METRICS, SLOW = ("inference-key-0001", "admin-key-00000001", "metrics-key-000001",
                                   "slow-key-000000001")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("models")
    make_model(path / "m.pkl")
    return path


@pytest.fixture(scope="module")
def keyed(folder, tmp_path_factory):
    keys = tmp_path_factory.mktemp("keys") / "keys"
    keys.write_text(f"# who may\n\nmetrics {METRICS} prometheus\ninference {SLOW} slow 3\n")
    secrets = {"FORETELL_SERVE_INFERENCE_KEY": INFERENCE, "FORETELL_SERVE_ADMIN_KEY": ADMIN}
    with RawServer("--model-root", folder, "--keys-file", keys, "--access-log", env=secrets) as server:
        yield server


def bearer(key):
    return [("Authorization", f"Bearer {key}")]


@pytest.mark.parametrize(("method", "path", "roles"), [
    ("POST", PREDICT, {INFERENCE, ADMIN}), ("GET", STATS, {METRICS, ADMIN}), ("DELETE", CLEAR, {ADMIN})])
def test_roles(keyed, method, path, roles):
    body = json.dumps(BODY).encode() if method == "POST" else None
    kind = [("Content-Type", "application/json")]
    for key in (INFERENCE, ADMIN, METRICS):
        for headers in (bearer(key), [("X-API-Key", key)], [("authorization", f"BEARER  {key}")]):
            reply = keyed.get(path, kind + headers, method, body)
            assert reply.status == (200 if key in roles else 403), (path, key)
            assert key.encode() not in reply.body


def test_without_a_key(keyed):
    for headers in ([], bearer("x" * 18), bearer(INFERENCE[:-1]), bearer(INFERENCE + "x"), bearer(""),
                    [("Authorization", f"Basic {INFERENCE}")], [("X-API-Key", "")],
                    [("X-API-Key", INFERENCE.upper())], bearer("wrong-key-00000000") + [("X-API-Key", ADMIN)]):
        reply = keyed.post(PREDICT, BODY, headers)
        assert reply.status == 401, headers
        assert reply.headers["www-authenticate"].startswith("Bearer")
        assert reply.json()["status"] == 401
    assert keyed.get(HEALTH).status == 200
    assert keyed.get("/nothing").status == 404


def test_a_trailer_is_no_key(keyed):
    body = json.dumps(BODY).encode()
    said = keyed.raw(b"POST " + PREDICT.encode() + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n%x\r\n%s\r\n0\r\nX-API-Key: %s\r\n\r\n"
                     % (len(body), body, ADMIN.encode()))
    assert said.startswith(b"HTTP/1.1 401 ")


def test_rate(keyed):
    """Three at once, then one each third of a second; other keys are not held up."""
    statuses = [keyed.post(PREDICT, BODY, bearer(SLOW)) for _ in range(8)]
    refused = [reply for reply in statuses if reply.status == 429]
    assert [reply.status for reply in statuses[:3]] == [200] * 3 and refused
    assert all(reply.headers["retry-after"] == "1" for reply in refused)
    assert keyed.post(PREDICT, BODY, bearer(INFERENCE)).status == 200
    keyed.wait_until(lambda: keyed.post(PREDICT, BODY, bearer(SLOW)).status == 200, 3)


def test_secrets_are_not_shown(keyed, folder):
    keyed.post(PREDICT, BODY, bearer(INFERENCE))
    keyed.wait_until(lambda: any(line.get("client") == "inference-key" for line in keyed.events("request")), 5)
    shown = json.dumps(keyed.lines) + "".join(keyed.plain)
    shown += open(f"/proc/{keyed.process.pid}/cmdline").read()
    for key in (INFERENCE, ADMIN, METRICS, SLOW):
        assert key not in shown
    done = subprocess.run([program(), "--check-config"], capture_output=True, text=True, check=True, timeout=60,
                          env={**os.environ, "FORETELL_SERVE_ADMIN_KEY": ADMIN})
    assert "admin-key = (hidden)" in done.stdout and ADMIN not in done.stdout


def refusal(*args, env=None):
    done = subprocess.run([program(), "--port", "0", *map(str, args)], capture_output=True, text=True, check=False,
                          timeout=60, env={**os.environ, **(env or {})})
    assert done.returncode == 2 and "Sanitizer" not in done.stderr, done.stderr
    return done.stderr


@pytest.mark.parametrize(("lines", "why"), [
    ("inference short\n", "line 1: a key has 16 to 512"), ("inference\n", "line 1: ROLE KEY"),
    (f"\nboss {ADMIN}\n", "line 2: ROLE KEY"), (f"admin {ADMIN} a -1\n", "requests a second"),
    (f"admin {ADMIN} a 1 more\n", "ROLE KEY"), (f"admin {ADMIN}\ninference {ADMIN}\n", "line 2: the key is there"),
    ("# nothing\n", "holds no key"), ("inference " + "x" * 3000, "longer than 2 KB"),
    (f"admin {ADMIN} {'n' * 65}\n", "a name has 64")])
def test_keys_that_are_none(tmp_path, lines, why):
    path = tmp_path / "keys"
    path.write_text(lines)
    said = refusal("--keys-file", path)
    assert why in said and ADMIN not in said


@pytest.mark.parametrize("mode, told", [(0o644, 1), (0o640, 0), (0o600, 0)])
def test_keys_that_everybody_can_read(folder, tmp_path, mode, told):
    path = tmp_path / "keys"
    path.write_text(f"admin {ADMIN}\n")
    path.chmod(mode)
    with RawServer("--model-root", folder, "--keys-file", path) as server:
        said = [line for line in server.events("keys") if line["level"] == "warning"]
    assert len(said) == told and all("chmod 600" in line["message"] for line in said)


def test_files_with_a_byte_order_mark(folder, tmp_path):
    """Editors of Windows write it, and CR LF."""
    (tmp_path / "keys").write_bytes(b"\xef\xbb\xbfadmin " + ADMIN.encode() + b"\r\n")
    (tmp_path / "config").write_bytes(b"\xef\xbb\xbfkeys-file = " + bytes(tmp_path / "keys") + b"\r\naccess-log = true\r\n")
    with RawServer("--model-root", folder, "--config", tmp_path / "config") as server:
        assert server.post(PREDICT, BODY).status == 401
        assert server.post(PREDICT, BODY, bearer(ADMIN)).status == 200


def test_secrets_are_not_options():
    assert "is a secret" in refusal("--admin-key", ADMIN)
    assert "cannot be read" in refusal("--keys-file", "/nowhere")
    assert "16 to 512" in refusal(env={"FORETELL_SERVE_ADMIN_KEY": "short"})


def test_others_need_keys(folder):
    """An address that others reach is served with keys, or when somebody says that it may be."""
    for host in ("0.0.0.0", "::"):
        assert "no-auth" in refusal("--host", host)
    for args, env in ((["--no-auth"], {}), ([], {"FORETELL_SERVE_ADMIN_KEY": ADMIN})):
        with RawServer("--host", "0.0.0.0", "--model-root", folder, *args, env=env) as server:
            server.host = "127.0.0.1"
            assert server.get(HEALTH).status == 200
            assert server.post(PREDICT, BODY, [("X-API-Key", ADMIN)]).status == 200


def with_host(server, host, path=HEALTH):
    with server.connect() as peer:
        peer.sendall(request("GET", path, close=True, host=host))
        return Reply.read(peer).status


def test_names_on_loopback(folder):
    """A page that rebinds its own name to 127.0.0.1 reaches nothing."""
    with RawServer("--model-root", folder) as server:
        for host in ("localhost", "LOCALHOST:8000", "127.0.0.1", f"127.0.0.1:{server.port}", "[::1]", "[::1]:80",
                     "app.localhost"):
            assert with_host(server, host) == 200, host
        for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "",
                     "xlocalhost", ".localhost", "[::1", "[::2]", "0.0.0.0"):
            assert with_host(server, host) == 421, host
            assert with_host(server, host, "/nothing") == 421, host
    with RawServer("--model-root", folder, "--allowed-host", "models.example", "--allowed-host", "b:81") as server:
        assert [with_host(server, host) for host in ("models.example", "models.example:1", "b:81", "b", "c")] == [
            200, 200, 200, 421, 421]
    with RawServer("--host", "0.0.0.0", "--no-auth", "--allowed-host", "models.example") as server:
        server.host = "127.0.0.1"
        assert [with_host(server, host) for host in ("models.example", "10.0.0.1", "localhost")] == [200, 421, 421]
    with RawServer("--allowed-host", "*") as server:
        assert with_host(server, "anything.example") == 200


def test_pages_of_other_sites(folder):
    with RawServer("--model-root", folder, "--cors-origin", "https://good.example") as server:
        def ask(origin, method="POST", **more):
            headers = [("Origin", origin), *[(k.replace("_", "-"), v) for k, v in more.items()]]
            if method == "POST":
                return server.post(PREDICT, BODY, headers)
            return server.get(PREDICT, headers, method)
        for origin in ("http://localhost", "https://localhost"):
            reply = ask(origin)
            assert reply.status == 200 and "access-control-allow-origin" not in reply.headers
        for origin in ("https://evil.example", "null", "http://localhost:1", "https://good.example.evil", "localhost",
                       "://localhost.evil", ""):
            assert ask(origin).status == 403, origin
            assert ask(origin, "OPTIONS", Access_Control_Request_Method="POST").status == 403
        reply = ask("https://good.example")
        assert reply.status == 200 and reply.headers["access-control-allow-origin"] == "https://good.example"
        assert reply.headers["vary"] == "Origin"
        reply = ask("https://good.example", "OPTIONS", Access_Control_Request_Method="POST")
        assert reply.status == 204 and "POST" in reply.headers["access-control-allow-methods"]
        assert "Content-Type" in reply.headers["access-control-allow-headers"]
        assert server.get(HEALTH, [("Origin", "https://evil.example")]).headers.get("access-control-allow-origin") is None
    with RawServer("--model-root", folder) as server:
        kind = [("Content-Type", "text/plain")]
        assert server.get(PREDICT, kind, "POST", json.dumps(BODY).encode()).status == 415
        assert server.get(PREDICT, [("Origin", "https://good.example")], "OPTIONS").status == 403


def test_a_wrong_key_takes_no_longer(keyed):
    """Nothing of a body is waited for when the key is wrong and the client asks first."""
    with socket.create_connection(("127.0.0.1", keyed.port), timeout=10) as peer:
        began = time.monotonic()
        peer.sendall(f"POST {PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
                     "Expect: 100-continue\r\n\r\n".encode())
        assert Reply.read(peer).status == 401
        assert time.monotonic() - began < 5
