"""Paths of requests lead beneath the root and nowhere else, whatever is written in them, and errors tell nothing."""

import ctypes
import json
import os
import struct
import threading

import pytest
from serving_raw import HEALTH, PREDICT, RawServer, Reply, make_model, request

STATS, WARMUP = "/api/v1/inference/cache/stats", "/api/v1/inference/warmup"


def without_openat2():
    """In a process that is about to start: openat2 does not exist, as on kernels before 5.6."""
    load, jump, give = 0x20, 0x15, 0x06
    code = [(load, 0, 0, 0), (jump, 0, 1, 437), (give, 0, 0, 0x00050000 | 38), (give, 0, 0, 0x7FFF0000)]
    steps = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in code))
    program = struct.pack("HL", len(code), ctypes.addressof(steps))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, ctypes.create_string_buffer(program), 0, 0) != 0:
        os._exit(99)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    base = tmp_path_factory.mktemp("paths").resolve()
    make_model(base / "root/m.pkl")
    make_model(base / "root/deep/er/m.pkl", seed=1)
    make_model(base / "root/odd ñ %2e name.pkl", seed=2)
    make_model(base / "outside.pkl", seed=7)
    make_model(base / "rootX/m.pkl", seed=7)
    for name, target in (("inside.pkl", "m.pkl"), ("up.pkl", "../outside.pkl"), ("deep/back.pkl", "../m.pkl"),
                         ("absolute.pkl", str(base / "outside.pkl")), ("self.pkl", str(base / "root/m.pkl")),
                         ("loop.pkl", "loop.pkl"), ("dir", ".."), ("proc", "/proc/self/root"), ("gone.pkl", "nothing"),
                         ("fd", "/proc/self/fd")):
        (base / "root" / name).symlink_to(target)
    os.mkfifo(base / "root/pipe.pkl")
    (base / "root/bad.pkl").write_bytes(b"no model")
    (base / "root/locked").mkdir()
    return base


@pytest.fixture(scope="module", params=["openat2", "walk"])
def server(tree, request):
    limits = without_openat2 if request.param == "walk" else None
    with RawServer(f"named={tree}/root/deep/er/m.pkl", "--model-root", tree / "root", limits=limits) as running:
        running.walks = request.param == "walk"
        yield running


def ask(server, path):
    return server.post(PREDICT, {"model_path": path, "features": [[1, 2, 3]]})


def test_beneath(server, tree):
    good = [("m.pkl", 14), ("./m.pkl", 14), ("deep/er/m.pkl", 20), ("deep//er/./m.pkl", 20),
            ("odd ñ %2e name.pkl", 26), (f"{tree}/root/m.pkl", 14), (f"{tree}/root//deep/er/m.pkl", 20), ("named", 20)]
    if not server.walks:
        good += [("inside.pkl", 14), ("deep/back.pkl", 14), ("deep/../m.pkl", 14)]
    for path, expected in good:
        reply = ask(server, path)
        assert reply.status == 200 and reply.json()["predictions"] == [expected], (path, reply)


def outside(tree):
    return [
        "../outside.pkl", "..", "../", "../rootX/m.pkl", "deep/../../outside.pkl", "./../outside.pkl", "....//outside.pkl",
        f"{tree}/outside.pkl", f"{tree}/rootX/m.pkl", f"{tree}/root", f"{tree}/root/", f"{tree}/root/../outside.pkl",
        f"{tree}/rootX", "/", "//", "/etc/passwd", "/proc/self/exe", "/proc/self/root/etc/passwd", "/dev/stdin", "/dev/zero",
        "up.pkl", "absolute.pkl", "dir/outside.pkl", "proc/etc/passwd", "fd/0", "loop.pkl", "gone.pkl",
        "pipe.pkl", "-", "", ".", "~/x", "file:///etc/passwd", "http://127.0.0.1/x", "s3://x/y", "%2e%2e/outside.pkl",
        "..%2foutside.pkl", "..\\outside.pkl", "m.pkl/..", "m.pkl/../m.pkl", "m.pkl/", "m.pkl\x00.png", "\x00", "x" * 5000, "x/" * 3000,
        "x" * 300, "\n", "../root/m.pkl", "．．/outside.pkl", "m.pkl:x", "../outside.pkl:x", "bad.pkl", "deep"]


def test_not_beneath(server, tree):
    """Refused, and not one byte of what the machine looks like."""
    for path in outside(tree):
        reply = ask(server, path)
        assert reply.status in (403, 404, 422), (path, reply)
        body = reply.body.decode()
        assert "Traceback" not in body and "root:" not in body
        if not path.startswith(str(tree)):
            assert str(tree) not in body, (path, body)
    for path in outside(tree):
        reply = server.post(WARMUP, {"model_path": path})
        assert reply.status in (403, 404, 422), (path, reply)
        assert path.startswith(str(tree)) or str(tree) not in reply.body.decode()
    stats = server.get(STATS).body.decode()
    assert str(tree) not in stats and "outside" not in stats


def test_the_same_answer_for_what_is_there_and_what_is_not(server, tree):
    """Nobody learns which files the machine has."""
    def answer(path):
        reply = ask(server, path)
        return reply.status, reply.body.decode().replace(path, "PATH")
    assert answer("/etc/passwd") == answer("/etc/passwe")
    assert answer("../outside.pkl") == answer("../nothing.pkl")
    assert answer(f"{tree}/outside.pkl") == answer(f"{tree}/nothing.pkl")


def test_names_in_paths(server):
    """Encoded text in a URL is a name and no path."""
    for name in ("..%2f..%2foutside", "%2e%2e", "named%00", "named%2f", "%", "%zz", "named%2", "..", "named/../x"):
        for pattern in ("/v2/models/{}", "/v2/models/{}/versions/{}", "/api/v1/models/{}", "/v1/models/{}"):
            reply = server.get(pattern.format(name, name))
            assert reply.status in (400, 403, 404), (pattern, name, reply)
    assert server.get("/v2/models/named").status == server.get("/v2/models/n%61med").status


def test_a_file_that_is_swapped(tree):
    """A name that is now a model and now a link to the outside: the outside is never read."""
    place, over = tree / "root/swapped.pkl", threading.Event()

    def swap():
        half = tree / "root/.swap"
        while not over.is_set():
            half.symlink_to("../outside.pkl")
            half.replace(place)
            half.symlink_to("m.pkl")
            half.replace(place)
    with RawServer("--model-root", tree / "root") as server, server.connect() as peer:
        thread = threading.Thread(target=swap)
        thread.start()
        seen, kept = set(), bytearray()
        for _ in range(3000):
            peer.sendall(request("POST", PREDICT, [("Content-Type", "application/json")], json.dumps(
                {"model_path": "swapped.pkl", "features": [[1, 2, 3]], "use_cache": False}).encode()))
            reply = Reply.read(peer, kept)
            seen.add(tuple(reply.json()["predictions"]) if reply.status == 200 else reply.status)
        over.set()
        thread.join()
        assert (14.0,) in seen and seen <= {(14.0,), 403, 404}, seen
    place.unlink(missing_ok=True)


def test_roots(tree):
    """A root that is a link, the root of all, none at all."""
    (tree / "link").symlink_to(tree / "root")
    with RawServer("--model-root", tree / "link") as server:
        assert ask(server, "m.pkl").status == 200
        assert ask(server, "../outside.pkl").status == 403
    with RawServer("--model-root", "/") as server:
        assert ask(server, f"{tree}/root/m.pkl").status == 200
        assert ask(server, str(tree / "root/m.pkl")[1:]).status == 200
        assert ask(server, "/dev/zero").status == 403
    with RawServer(cwd=tree / "root") as server:
        assert ask(server, "m.pkl").status == 200 and ask(server, "../outside.pkl").status == 403
    with RawServer("--model-root", "", cwd=tree / "root") as server:
        assert ask(server, "m.pkl").status == 403 and server.get(HEALTH).status == 200
