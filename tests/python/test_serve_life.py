"""A server's life: models that come, change and go under load, draining, signals, restarts, and what it holds."""

import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest
from serving_raw import HEALTH, PREDICT, RawServer, Reply, drain, make_model, program, request, status_of

JSON = [("Content-Type", "application/json")]
STATS, MODELS = "/api/v1/inference/cache/stats", "/api/v1/models"


def body(path, rows=((1, 2, 3),), **more):
    return json.dumps({"model_path": path, "features": rows, **more}).encode()


def sums(seed=0, offset=0.0, row=(1, 2, 3)):
    return sum(value * (i + 1 + seed) for i, value in enumerate(row)) + offset


class Load:
    """Clients that ask on and on over kept connections; every reply but a 200 is remembered."""

    def __init__(self, server, whole, n=4, reconnect=True):
        self.server, self.whole, self.reconnect = server, whole, reconnect
        self.failures, self.answers, self.refused, self.done = [], [], 0, 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(n)]

    def _run(self):
        while not self.over.is_set():
            try:
                peer = self.server.connect()
            except OSError:
                self.refused += 1
                return
            with peer:
                kept, reused = bytearray(), False
                try:
                    while not self.over.is_set():
                        peer.sendall(self.whole)
                        reply = Reply.read(peer, kept)
                        if reply.status != 200:
                            self.failures.append(reply)
                        else:
                            self.answers.append(reply.json()["predictions"])
                        self.done += 1
                        if reply.headers.get("connection") == "close":
                            break
                        reused = True
                except (OSError, ConnectionError) as error:
                    self.failures.append((repr(error), "reused" if reused else "new"))
                    return

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *rest):
        self.over.set()
        for thread in self.threads:
            thread.join(timeout=30)

    def some(self, n=50):
        """Waits until so many more requests have been answered."""
        goal, until = self.done + n, time.monotonic() + 30
        while self.done < goal and time.monotonic() < until and not self.failures:
            time.sleep(0.005)


def names(server):
    listed = server.get(MODELS).json()
    return sorted(model["name"] for model in (listed["models"] if isinstance(listed, dict) else listed))


def predict(server, path):
    reply = server.post(PREDICT, body(path))
    return reply.json()["predictions"][0] if reply.status == 200 else reply.status


def test_models_come_change_and_go(tmp_path):
    """In a folder, seen by inotify; nobody who asks for another model notices."""
    folder = tmp_path / "models"
    make_model(folder / "steady.pkl")
    with RawServer(folder, "--model-root", tmp_path, "--watch-seconds", "600") as server:
        with Load(server, request("POST", PREDICT, JSON, body("steady"))) as load:
            assert names(server) == ["steady"]
            make_model(folder / "fresh.pkl", seed=1)
            server.wait_until(lambda: names(server) == ["fresh", "steady"], 10)
            assert predict(server, "fresh") == sums(1)
            make_model(folder / "fresh.pkl", seed=2)
            server.wait_until(lambda: predict(server, "fresh") == sums(2), 10)
            (folder / "fresh.pkl").unlink()
            server.wait_until(lambda: names(server) == ["steady"], 10)
            server.wait_until(lambda: predict(server, "fresh") in (403, 404), 10)
            make_model(folder / "fresh.pkl", seed=3)
            server.wait_until(lambda: predict(server, "fresh") == sums(3), 10)
            load.some()
        assert not load.failures, load.failures[:3]


def test_versions(tmp_path):
    """NAME/VERSION/model: the latest is the one with the greatest number, once it can be opened."""
    folder = tmp_path / "models"
    make_model(folder / "churn/2/model.pkl", seed=2)
    make_model(folder / "churn/9/model.pkl", seed=9)
    with RawServer(folder, "--watch-seconds", "1") as server:
        def listed():
            return sorted(line["message"].split()[2].rstrip(":") for line in server.events("model")
                          if line["message"].endswith(": new"))
        with Load(server, request("POST", PREDICT, JSON, body("churn"))) as load:
            load.some()
            assert predict(server, "churn") == sums(9)
            (folder / "churn/10").mkdir()
            (folder / "churn/10/model.pkl").write_bytes((folder / "churn/9/model.pkl").read_bytes()[:100])
            server.wait_until(lambda: server.get(HEALTH).json()["models_failing"] == 1, 10)
            problems = server.get(STATS).json()["problems"]
            assert [(p["model"], p["version"]) for p in problems] == [("churn", "10")] and problems[0]["error"]
            load.some()
            assert predict(server, "churn") == sums(9)
            make_model(folder / "churn/10/model.pkl", seed=10)
            server.wait_until(lambda: predict(server, "churn") == sums(10), 10)
            assert server.get(HEALTH).json()["models_failing"] == 0 and listed() == ["10"]
            for path in (folder / "churn/10/model.pkl", folder / "churn/10"):
                path.unlink() if path.is_file() else path.rmdir()
            server.wait_until(lambda: predict(server, "churn") == sums(9), 10)
            load.some()
        assert not load.failures, load.failures[:3]


def test_reload_under_load(tmp_path):
    """A file that is replaced again and again: every reply is 200 and one of the versions'."""
    make_model(tmp_path / "m.pkl", seed=0)
    with RawServer("--model-root", tmp_path) as server:
        with Load(server, request("POST", PREDICT, JSON, body("m.pkl"))) as load:
            load.some()
            for seed in range(1, 5):
                make_model(tmp_path / "m.pkl", seed=seed)
                server.wait_until(lambda seed=seed: predict(server, "m.pkl") == sums(seed), 10)
                load.some()
        assert not load.failures, load.failures[:3]
        assert {answer[0] for answer in load.answers} >= {sums(seed) for seed in range(5)}


def test_half_written(tmp_path):
    """Neither a half nor a wrong file replaces a model that works; the server says so, and why."""
    make_model(tmp_path / "m.pkl", seed=1)
    whole = (tmp_path / "m.pkl").read_bytes()
    with RawServer(tmp_path / "m.pkl", "--model-root", tmp_path, "--watch-seconds", "1") as server:
        with Load(server, request("POST", PREDICT, JSON, body("m"))) as load:
            load.some()
            for content in (whole[:len(whole) // 2], b"", b"no model at all"):
                (tmp_path / "m.pkl").write_bytes(content)
                server.wait_until(lambda: server.get(HEALTH).json()["models_failing"] == 1, 10)
                load.some()
                assert predict(server, "m") == sums(1) and server.get(HEALTH).status == 200
                assert b"\nforetell_models_failing 1\n" in server.get("/metrics").body
                make_model(tmp_path / "m.pkl", seed=1)
                server.wait_until(lambda: server.get(HEALTH).json()["models_failing"] == 0, 10)
            make_model(tmp_path / "m.pkl", seed=2)
            server.wait_until(lambda: predict(server, "m") == sums(2), 10)
        assert not load.failures, load.failures[:3]


def test_an_idle_model_that_changed(tmp_path):
    """Nobody asked for it meanwhile: the first who does gets the new one."""
    make_model(tmp_path / "named.pkl", seed=1)
    make_model(tmp_path / "root/path.pkl", seed=1)
    with RawServer(tmp_path / "named.pkl", "--model-root", tmp_path / "root", "--watch-seconds", "1") as server:
        assert predict(server, "named") == predict(server, "path.pkl") == sums(1)
        time.sleep(4)
        before = len(server.events("model"))
        make_model(tmp_path / "named.pkl", seed=2)
        make_model(tmp_path / "root/path.pkl", seed=2)
        opened = {f"{name}: its file has changed and is open" for name in ("named", "path.pkl")}
        server.wait_until(lambda: opened <= {line["message"] for line in server.events("model")[before:]}, 10)
        assert predict(server, "named") == predict(server, "path.pkl") == sums(2)


def test_require_warmup(tmp_path):
    make_model(tmp_path / "good.pkl")
    (tmp_path / "bad.pkl").write_bytes(b"not yet")
    for args, status in (([], 200), (["--require-warmup"], 503)):
        with RawServer(tmp_path, "--watch-seconds", "1", *args) as server:
            reply = server.get(HEALTH)
            assert reply.status == status and reply.json()["models_failing"] == 1
            assert predict(server, "good") == sums()
            if status == 503:
                assert reply.json()["status"] == "failing"
                make_model(tmp_path / "bad.pkl", seed=4)
                server.wait_until(lambda: server.get(HEALTH).status == 200, 10)
                assert predict(server, "bad") == sums(4)


def test_a_port_is_taken_once(tmp_path):
    """Sockets that share a port share its clients: a second server would get half of the requests of the first."""
    make_model(tmp_path / "m.pkl")
    with RawServer(tmp_path / "m.pkl") as server:
        for host in ("127.0.0.1", "0.0.0.0"):
            second = subprocess.run([program(), tmp_path / "m.pkl", "--host", host, "--no-auth", "--port", str(server.port)],
                                    capture_output=True, text=True, timeout=20)
            assert second.returncode == 4
            assert f"{host} port {server.port}: another program listens there" in second.stderr
        port = server.port
        assert predict(server, "m") == sums()
    again = subprocess.Popen([program(), tmp_path / "m.pkl", "--port", str(port)], stderr=subprocess.PIPE, text=True)
    assert f"listening on http://127.0.0.1:{port}" in again.stderr.readline()
    again.terminate()
    assert again.wait(timeout=20) == 0
    again.stderr.close()


def test_a_model_that_a_request_cannot_open(tmp_path):
    """A folder of more models than there are places is not opened at the start: who asks first finds what is wrong."""
    for name in ("a", "b", "c"):
        make_model(tmp_path / f"{name}.pkl")
    (tmp_path / "bad.pkl").write_bytes(b"not yet")
    with RawServer(tmp_path, "--cache-size", "2", "--watch-seconds", "0") as server:
        assert server.get(HEALTH).json()["models_failing"] == 0
        for _ in range(3):
            assert server.post(PREDICT, {"model_path": "bad", "features": [[1, 2, 3]]}).status == 422
        assert server.get(HEALTH).json()["models_failing"] == 1
        assert [problem["model"] for problem in server.get(STATS).json()["problems"]] == ["bad"]
        make_model(tmp_path / "bad.pkl", seed=2)
        server.wait_until(lambda: server.post(PREDICT, {"model_path": "bad", "features": [[1, 2, 3]]}).status == 200, 10)
        assert predict(server, "bad") == sums(2)
        assert server.get(HEALTH).json()["models_failing"] == 0 and server.get(STATS).json()["problems"] == []
    assert len([line for line in server.events("model") if line["level"] == "error"]) == 1


def test_what_is_no_file_is_no_model(tmp_path):
    """A pipe in a folder is not listed: to open it would wait for ever, and nobody could end the server."""
    make_model(tmp_path / "m.pkl")
    make_model(tmp_path / "v/1/model.pkl", seed=1)
    (tmp_path / "v/2").mkdir()
    for pipe in ("pipe.joblib", "v/2/model.joblib", "v/1/other.joblib"):
        os.mkfifo(tmp_path / pipe)
    (tmp_path / "link.pkl").symlink_to("m.pkl")
    with RawServer(tmp_path, "--model-root", tmp_path, "--watch-seconds", "1") as server:
        assert names(server) == ["link", "m", "v"]
        assert predict(server, "link") == sums() and predict(server, "v") == sums(1)
        assert server.post(PREDICT, {"model_path": "pipe", "features": [[1, 2, 3]]}).status == 404
        assert server.post(PREDICT, {"model_path": "pipe.joblib", "features": [[1, 2, 3]]}).status == 403
    with RawServer(f"one={tmp_path}/m.pkl", f"two={tmp_path}/link.pkl", "--watch-seconds", "1") as server:
        assert names(server) == ["one", "two"]
        os.replace(tmp_path / "pipe.joblib", tmp_path / "m.pkl")
        server.wait_until(lambda: names(server) == [], 10)
        os.mkfifo(tmp_path / "pipe.joblib")
        assert server.post(PREDICT, {"model_path": "one", "features": [[1, 2, 3]]}).status == 404
    named = subprocess.run([program(), tmp_path / "pipe.joblib", "--port", "0"], capture_output=True, text=True, timeout=20)
    assert named.returncode == 2 and "is a pipe or a device" in named.stderr


def test_names_that_collide(tmp_path):
    """At the start that is an error; later the listing of before stays, and the log says why."""
    make_model(tmp_path / "a.pkl", seed=1)
    with RawServer(tmp_path, "--watch-seconds", "1") as server:
        make_model(tmp_path / "a.joblib", seed=2)
        server.wait_for("models", 1, 10)
        assert "would both be called a" in server.event("models")["message"]
        assert names(server) == ["a"] and predict(server, "a") == sums(1)
        time.sleep(2.5)
        assert len(server.events("models")) == 1
        (tmp_path / "a.joblib").unlink()
        make_model(tmp_path / "b.pkl", seed=3)
        server.wait_until(lambda: names(server) == ["a", "b"], 10)
    make_model(tmp_path / "a.joblib", seed=2)
    failing = RawServer(tmp_path, wait=False)
    assert failing.process.wait(timeout=20) == 2
    failing.stop(code=2)


def test_drain_under_load(tmp_path):
    """SIGTERM: requests of all connections are answered, new ones are refused, none is reset; then exit 0."""
    make_model(tmp_path / "m.pkl")
    for args in ([], ["--grace-seconds", "3"], ["--threads", "1"]):
        server = RawServer("--model-root", tmp_path, *args)
        with Load(server, request("POST", PREDICT, JSON, body("m.pkl")), 8) as load:
            load.some(200)
            with server.connect() as early, server.connect() as slow:
                early.sendall(request("GET", HEALTH))
                assert Reply.read(early).status == 200
                whole = request("POST", PREDICT, JSON, body("m.pkl"))
                slow.sendall(whole[:-10])
                began = time.monotonic()
                server.tell_to_end()
                server.wait_for("draining", 1, 5)
                if "--grace-seconds" in args:
                    reply = server.get(HEALTH)
                    assert reply.status == 503 and reply.headers["connection"] == "close"
                time.sleep(0.5)
                slow.sendall(whole[-10:])
                assert Reply.read(slow).status == 200
            server.stop()
            assert time.monotonic() - began < 12
        assert not load.failures, (args, load.failures[:5])
        assert load.done > 200


def test_second_signal(tmp_path):
    """Who says it twice does not wait for clients."""
    server = RawServer("--model-root", tmp_path, "--drain-seconds", "60", "--body-timeout", "60")
    with server.connect() as peer:
        peer.sendall(request("POST", PREDICT, JSON, b"x" * 100)[:-10])
        server.get(HEALTH)
        server.tell_to_end()
        time.sleep(1)
        assert server.process.poll() is None
        began = time.monotonic()
        server.tell_to_end()
        server.stop()
        assert time.monotonic() - began < 5


def test_drain_has_an_end(tmp_path):
    server = RawServer("--model-root", tmp_path, "--drain-seconds", "2", "--body-timeout", "60")
    with server.connect() as peer:
        peer.sendall(request("POST", PREDICT, JSON, b"x" * 100)[:-10])
        server.get(HEALTH)
        began = time.monotonic()
        server.stop()
        assert 1.5 < time.monotonic() - began < 6


def test_signal_during_start(tmp_path):
    """Whenever it comes: exit 0 and no line of a sanitizer."""
    for i in range(60):
        make_model(tmp_path / f"m{i}.pkl", features=2000)
    for delay in (0, 0.001, 0.003, 0.01, 0.02, 0.05):
        server = RawServer(tmp_path, "--cache-size", "100", wait=False)
        until = time.monotonic() + 20
        status = f"/proc/{server.process.pid}/status"
        while time.monotonic() < until:  # the handler is there
            caught = next(line for line in open(status) if line.startswith("SigCgt"))
            if int(caught.split()[1], 16) & 1 << signal.SIGTERM - 1:
                break
        time.sleep(delay)
        server.stop()


def test_reload_of_the_configuration(tmp_path):
    make_model(tmp_path / "models/a.pkl")
    make_model(tmp_path / "more/b.pkl", seed=1)
    config, keys = tmp_path / "foretell.conf", tmp_path / "keys"
    keys.write_text("inference first-key-00000001\n")
    base = f"model = {tmp_path}/models\nkeys-file = {keys}\n"
    config.write_text(base + "max-body = 1K\nport = 0\nmetrics-key = metrics-key-0000001\n")
    with RawServer("--config", config) as server:
        def ask(key, size=0):
            padded = body("a") + b" " * size
            return server.post(PREDICT, padded, [("X-API-Key", key)]).status

        def reload(n):
            server.process.send_signal(signal.SIGHUP)
            server.wait_for("reload", n, 10)
            return server.events("reload")[-1]
        assert (ask("first-key-00000001"), ask("second-key-0000001"), ask("first-key-00000001", 2000)) == (200, 401, 413)
        keys.write_text("inference second-key-0000001\nadmin admin-key-000000001\n")
        config.write_text(base + f"model = {tmp_path}/more\nmax-body = 1M\nport = 0\naccess-log = true\n")
        assert "are read again" in reload(1)["message"]
        assert (ask("first-key-00000001"), ask("second-key-0000001"), ask("second-key-0000001", 2000)) == (401, 200, 200)
        server.wait_until(lambda: server.post(PREDICT, body("b"), [("X-API-Key", "second-key-0000001")]).status == 200)
        server.wait_for("request", 1, 10)
        for bad, why in (("max-body = lots\n", "max-body"), ("nonsense = 1\n", "nonsense"),
                         ("log-level = loud\n", "log-level"), ("tls-cert = x.pem\n", "tls-cert"),
                         ("keys-file = /nowhere\n", "/nowhere")):
            config.write_text(base + bad)
            line = reload(len(server.events("reload")) + 1)
            assert "nothing is changed" in line["message"] and why in line["message"]
            assert ask("second-key-0000001", 2000) == 200
        config.write_text(base + "threads = 9\ncache-size = 3\nmax-body = 1M\n")
        server.process.send_signal(signal.SIGHUP)
        server.wait_until(lambda: any("another start is needed for: threads, cache-size" in line["message"]
                                      for line in server.events("reload")), 10)
        assert ask("second-key-0000001", 2000) == 200


def test_signals_in_a_storm(tmp_path):
    """SIGHUP again and again under load: nothing fails, nothing stays behind."""
    make_model(tmp_path / "m.pkl")
    with RawServer(tmp_path, "--model-root", tmp_path) as server:
        with Load(server, request("POST", PREDICT, JSON, body("m"))) as load:
            load.some()
            descriptors, threads = server.descriptors(), server.threads()
            for _ in range(100):
                server.process.send_signal(signal.SIGHUP)
                time.sleep(0.005)
            load.some(200)
            assert server.descriptors() <= descriptors + 2 and server.threads() <= threads
            size = server.resident()
            for _ in range(1000):
                server.process.send_signal(signal.SIGHUP)
                time.sleep(0.001)
            load.some(200)
            assert server.resident() - size < server.bound(2 << 20)
        assert not load.failures, load.failures[:3]


def test_many_models_behind_a_small_cache(tmp_path):
    """A thousand files of the root and fifteen places: each answers as itself, and memory stays bounded."""
    n = 1000
    for i in range(n):
        make_model(tmp_path / f"{i % 10}/m{i}.pkl", seed=i)
    with RawServer("--model-root", tmp_path) as server, server.connect() as peer:
        kept, sizes = bytearray(), []
        for turn in range(2):
            for i in range(n):
                peer.sendall(request("POST", PREDICT, JSON, body(f"{i % 10}/m{i}.pkl")))
                assert Reply.read(peer, kept).json()["predictions"] == [sums(i)]
            sizes.append(server.resident())
        stats = server.get(STATS).json()
        assert stats["cache_size"] == 15 and stats["evictions"] >= 2 * n - 40
        assert sizes[1] - sizes[0] < server.bound(16 << 20), sizes


def test_a_folder_of_many(tmp_path):
    for i in range(300):
        make_model(tmp_path / f"m{i}.pkl", seed=i)
    with RawServer(tmp_path, "--watch-seconds", "1") as server:
        for i in (0, 17, 299):
            assert predict(server, f"m{i}") == sums(i)
        make_model(tmp_path / "new.pkl", seed=5)
        server.wait_until(lambda: predict(server, "new") == sums(5), 10)


@pytest.mark.long
def test_load_and_unload_for_long(tmp_path):
    """Ten thousand loads and evictions: memory, descriptors and threads are as before."""
    for i in range(4):
        make_model(tmp_path / f"m{i}.pkl", seed=i, features=200)
    with RawServer("--model-root", tmp_path, "--cache-size", "2") as server, server.connect() as peer:
        kept, row = bytearray(), [[1] * 200]
        sizes = []
        for i in range(10_000):
            peer.sendall(request("POST", PREDICT, JSON, body(f"m{i % 4}.pkl", row)))
            assert Reply.read(peer, kept).status == 200
            if i in (1000, 9999):
                sizes.append((server.resident(), server.descriptors(), server.threads()))
        assert sizes[1][0] - sizes[0][0] < server.bound(4 << 20) and sizes[1][1:] == sizes[0][1:], sizes


@pytest.mark.long
def test_ten_thousand_idle_connections(tmp_path):
    """Kept alive and silent, they cost little, and others are served."""
    import resource
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    n = min(10_000, most - 500)
    make_model(tmp_path / "m.pkl")
    whole = request("POST", PREDICT, JSON, body("m.pkl"))
    with RawServer("--model-root", tmp_path, "--idle-timeout", "600") as server:
        peers = []
        for _ in range(n):
            peer = server.connect(timeout=30)
            peer.sendall(whole)
            assert status_of(peer.recv(4096)) == [200]
            peers.append(peer)
        assert server.resident() < server.bound(100 << 20), server.resident()
        assert server.post(PREDICT, body("m.pkl")).status == 200
        for peer in peers:
            peer.close()
        server.wait_until(lambda: server.descriptors() < 100, 30)


def test_more_descriptors_than_the_shell_gives(tmp_path):
    """The soft limit is raised to the hard one; and at the limit the server waits, and goes on."""
    import resource
    make_model(tmp_path / "m.pkl")

    def limits():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 128))
    with RawServer("--model-root", tmp_path, "--threads", "1", limits=limits) as server:
        peers = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(150)]
        time.sleep(0.5)
        assert server.descriptors() > 100
        for peer in peers:
            peer.close()
        server.wait_until(lambda: server.descriptors() < 60, 20)
        assert server.post(PREDICT, body("m.pkl")).status == 200


def test_drained_connections_end_quietly(tmp_path):
    """An idle client sees the end of the stream, no reset."""
    server = RawServer("--model-root", tmp_path)
    with server.connect() as peer:
        peer.sendall(request("GET", HEALTH))
        assert Reply.read(peer).status == 200
        server.tell_to_end()
        assert peer.recv(100) == b""
    server.stop()
