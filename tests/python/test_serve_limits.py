"""What a request may cost: packed bodies and bombs, deep JSON, rows and cells, memory of all together, the queue."""

import gzip
import json
import threading
import time
import zlib

import pytest
from serving_raw import HEALTH, PREDICT, RawServer, Reply, make_model, request

JSON = [("Content-Type", "application/json")]
BODY = {"model_path": "m.pkl", "features": [[1, 2, 3]]}
MIB = 1 << 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("models")
    make_model(path / "m.pkl")
    return path


@pytest.fixture(scope="module")
def server(folder):
    with RawServer("--model-root", folder, "--max-body", "1M", "--max-rows", "1000", "--max-cells", "2400",
                   "--request-memory", "64M", "--threads", "2") as running:
        yield running


def zstd(data):
    """A frame of stored blocks: any reader of zstd takes it, and nothing is needed to write it."""
    out = (0xFD2FB528).to_bytes(4, "little") + b"\xa0" + len(data).to_bytes(4, "little")
    step = 100_000
    for at in range(0, len(data), step):
        block = data[at:at + step]
        out += (len(block) << 3 | (at + step >= len(data))).to_bytes(3, "little") + block
    return out


def zstd_bomb(size):
    """One byte, said again and again."""
    out = (0xFD2FB528).to_bytes(4, "little") + b"\xe0" + size.to_bytes(8, "little")
    step = 128 << 10
    for at in range(0, size, step):
        n = min(step, size - at)
        out += (n << 3 | 1 << 1 | (at + n == size)).to_bytes(3, "little") + b" "
    return out


PACKERS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd, "GZIP": gzip.compress,
           "identity": bytes}


@pytest.mark.parametrize("coding", PACKERS)
def test_packed_bodies(server, coding):
    packed = PACKERS[coding](json.dumps(BODY).encode())
    for _ in range(3):
        reply = server.get(PREDICT, [*JSON, ("Content-Encoding", coding)], "POST", packed)
        assert reply.status == 200 and reply.json()["predictions"] == [14.0]


def test_packed_otherwise(server):
    packed = gzip.compress(json.dumps(BODY).encode())
    for coding in ("br", "compress", "gzip, gzip", "gzip,deflate", "x", "gzipgzip", "chunked"):
        reply = server.get(PREDICT, [*JSON, ("Content-Encoding", coding)], "POST", packed)
        assert reply.status == 415 and "gzip" in reply.headers["accept-encoding"], coding
    for bad in (packed[:-9], packed[:5], b"", b"not packed", packed + b"more", packed[:20] + b"\xff" * 20, packed + packed):
        reply = server.get(PREDICT, [*JSON, ("Content-Encoding", "gzip")], "POST", bad)
        assert reply.status in (400, 422), (bad, reply)
    assert server.get(PREDICT, [*JSON, ("Content-Encoding", "deflate")], "POST", packed).status == 400


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_bombs(server, coding):
    """A gibibyte of spaces in a small body: refused as soon as it is larger than a body may be."""
    if coding == "zstd":
        bomb = zstd_bomb(1 << 30)
    else:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31 if coding == "gzip" else 15)
        bomb = b"".join(packer.compress(b" " * MIB) for _ in range(1024)) + packer.flush()
    before, began = server.resident(), time.monotonic()
    bomb = bomb[:MIB - 1000]
    for _ in range(20):
        assert server.get(PREDICT, [*JSON, ("Content-Encoding", coding)], "POST", bomb).status == 413
    assert time.monotonic() - began < 20 and server.resident() - before < 32 * MIB
    just = gzip.compress(json.dumps(BODY).encode().ljust(MIB))
    assert server.get(PREDICT, [*JSON, ("Content-Encoding", "gzip")], "POST", just).status == 200
    over = gzip.compress(json.dumps(BODY).encode().ljust(MIB + 1))
    assert server.get(PREDICT, [*JSON, ("Content-Encoding", "gzip")], "POST", over).status == 413


def test_deep_json(server):
    for depth in (300, 100_000):
        for text in ('{"model_path": "m.pkl", "features": ' + "[" * depth + "]" * depth + "}",
                     '{"x": ' * depth + "1" + "}" * depth, "[" * depth):
            assert server.post(PREDICT, text.encode()).status == 422


def test_json_that_is_none(server):
    for text in (b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"model_path": 1}', b'{"model_path": "m.pkl"}', b"\xff\xfe",
                 b'{"model_path": "m.pkl", "features": [[1,2,3]]} x', b'{"model_path": "m.pkl", "features": [[1,2]]}',
                 b'{"model_path": "m.pkl", "model_path": "m.pkl", "features": [[1,2,3]]}', b'{"a": "\\ud800"}',
                 b'{"model_path": "m.pkl", "features": [[1,2,3],]}', b"\0", b'{"model_path": "m.pkl", "features": [[1e,2,3]]}',
                 b'{"model_path": "m.pkl", "features": {"a": 1}}', b'{"model_path": "m.pkl", "features": "x"}'):
        reply = server.post(PREDICT, text)
        assert reply.status == 422 and "detail" in reply.json(), (text, reply)


def test_rows_and_cells(server):
    """800 rows of 3 columns are 2400 cells."""
    for n, status in ((1, 200), (800, 200), (801, 413), (1001, 413), (50_000, 413)):
        assert server.post(PREDICT, {**BODY, "features": [[1, 2, 3]] * n}).status == status, n


def test_memory_of_all_together(server):
    """Many large bodies at once: some are refused, the server stays within its bounds and goes on."""
    peers = [server.connect() for _ in range(150)]
    part = request("POST", PREDICT, JSON, b" " * (1000 << 10))[:-10]
    statuses = []
    for peer in peers:
        peer.settimeout(0.01)
        try:
            peer.sendall(part)
        except OSError:
            pass
    for peer in peers:
        try:
            peer.settimeout(0.05)
            statuses.append(Reply.read(peer).status)
        except (OSError, ConnectionError):
            continue
    assert server.resident() < 160 * MIB
    assert set(statuses) <= {503, 408} and 503 in statuses
    for peer in peers:
        peer.close()
    server.wait_until(lambda: server.post(PREDICT, BODY).status == 200, 20)


def test_a_full_queue(folder):
    """More waits than may: 503 with Retry-After at once; what has waited too long is answered so, too."""
    slow = {"model_path": "m.pkl", "features": [[1, 2, 3]] * 20_000, "use_cache": False}
    whole = json.dumps(slow).encode()
    with RawServer("--model-root", folder, "--max-queue", "4", "--threads", "1", "--queue-ms", "2000") as server:
        seen, lock = [], threading.Lock()

        def ask():
            for _ in range(6):
                reply = server.post(PREDICT, whole, timeout=60)
                with lock:
                    seen.append((reply.status, reply.headers.get("retry-after")))
        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {status for status, _ in seen} == {200, 503}, seen
        assert all(after == "1" for status, after in seen if status == 503)
        assert server.get(HEALTH).status == 200
