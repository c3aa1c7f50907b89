"""The server's HTTP: what is a request and what is none, limits, slow clients, pipelines, half-closed connections."""

import json
import socket
import time

import pytest
from serving_raw import HEALTH, PREDICT, RawServer, Reply, drain, make_model, request, status_of

BODY = b'{"model_path": "m.pkl", "features": [[1, 2, 3]]}'
ANSWER = [14.0]
JSON = [("Content-Type", "application/json")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("models")
    make_model(path / "m.pkl")
    return path


@pytest.fixture(scope="module")
def server(folder):
    with RawServer("--model-root", folder, "--threads", "2", "--head-timeout", "1", "--body-timeout", "1",
                   "--request-timeout", "4", "--max-body", "1M") as running:
        yield running


@pytest.fixture(autouse=True)
def still_serves(request):
    """Whatever a client does, the next one is served."""
    yield
    if "server" in request.fixturenames:
        reply = request.getfixturevalue("server").post(PREDICT, BODY)
        assert reply.status == 200 and reply.json()["predictions"] == ANSWER


def head(*lines):
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


POST = f"POST {PREDICT} HTTP/1.1"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

# Each is refused, and nothing behind it is taken for another request.
REFUSED = {
    "CL and TE": head(POST, "Host: a", "Content-Length: 4", "Transfer-Encoding: chunked") + CHUNKED,
    "TE and CL": head(POST, "Host: a", "Transfer-Encoding: chunked", "Content-Length: 4") + CHUNKED,
    "two CLs": head(POST, "Host: a", "Content-Length: 4", "Content-Length: 5") + b"12345",
    "two equal CLs": head(POST, "Host: a", "Content-Length: 4", "Content-Length: 4") + b"1234",
    "CL list": head(POST, "Host: a", "Content-Length: 4, 4") + b"1234",
    "CL +4": head(POST, "Host: a", "Content-Length: +4") + b"1234",
    "CL -1": head(POST, "Host: a", "Content-Length: -1"),
    "CL 0x4": head(POST, "Host: a", "Content-Length: 0x4") + b"1234",
    "CL overflow": head(POST, "Host: a", "Content-Length: 18446744073709551617") + b"1",
    "CL empty": head(POST, "Host: a", "Content-Length: "),
    "CL space inside": head(POST, "Host: a", "Content-Length: 4 4") + b"1234",
    "two TEs": head(POST, "Host: a", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + CHUNKED,
    "TE gzip": head(POST, "Host: a", "Transfer-Encoding: gzip") + CHUNKED,
    "TE gzip, chunked": head(POST, "Host: a", "Transfer-Encoding: gzip, chunked") + CHUNKED,
    "TE chunked, chunked": head(POST, "Host: a", "Transfer-Encoding: chunked, chunked") + CHUNKED,
    "TE identity": head(POST, "Host: a", "Transfer-Encoding: identity") + CHUNKED,
    "TE xchunked": head(POST, "Host: a", "Transfer-Encoding: xchunked") + CHUNKED,
    "TE tab": head(POST, "Host: a", "Transfer-Encoding:\x0bchunked") + CHUNKED,
    "TE of 1.0": head(f"POST {PREDICT} HTTP/1.0", "Host: a", "Transfer-Encoding: chunked") + CHUNKED,
    "bare LF": b"GET /x HTTP/1.1\nHost: a\n\n",
    "bare LF in a header": b"GET /x HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "bare CR in a header": b"GET /x HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
    "obs-fold": head("GET /x HTTP/1.1", "Host: a", "X: b", " c"),
    "obs-fold of TE": head(POST, "Host: a", "Transfer-Encoding:", " chunked") + CHUNKED,
    "space before colon": head(POST, "Host: a", "Content-Length : 4") + b"1234",
    "tab before colon": head(POST, "Host: a", "Content-Length\t: 4") + b"1234",
    "space in a name": head("GET /x HTTP/1.1", "Host: a", "X Y: b"),
    "no name": head("GET /x HTTP/1.1", "Host: a", ": b"),
    "no colon": head("GET /x HTTP/1.1", "Host: a", "X"),
    "leading space": head("GET /x HTTP/1.1", " Host: a"),
    "NUL in a value": head("GET /x HTTP/1.1", "Host: a", "X: b\0c"),
    "NUL in a name": head("GET /x HTTP/1.1", "Host: a", "X\0: b"),
    "NUL in the target": head("GET /x\0y HTTP/1.1", "Host: a"),
    "no Host": head("GET /x HTTP/1.1", "X: b"),
    "two Hosts": head("GET /x HTTP/1.1", "Host: a", "Host: b"),
    "two equal Hosts": head("GET /x HTTP/1.1", "Host: a", "Host: a"),
    "absolute form": head("GET http://a/x HTTP/1.1", "Host: a"),
    "asterisk": head("OPTIONS * HTTP/1.1", "Host: a"),
    "CONNECT": head("CONNECT a:443 HTTP/1.1", "Host: a:443"),
    "HTTP/2.0": head("GET /x HTTP/2.0", "Host: a"),
    "HTTP/1.2": head("GET /x HTTP/1.2", "Host: a"),
    "HTTP/0.9": b"GET /x\r\n\r\n",
    "h2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no method": b"/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "unknown method": head("BREW /x HTTP/1.1", "Host: a"),
    "lower case method": head("get /x HTTP/1.1", "Host: a"),
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "expectation": head(POST, "Host: a", "Expect: miracles", "Content-Length: 4") + b"1234",
    "chunk size overflow": head(POST, "Host: a", "Transfer-Encoding: chunked") + b"fffffffffffffffff\r\n12",
    "chunk size huge": head(POST, "Host: a", *[f"{k}: {v}" for k, v in JSON], "Transfer-Encoding: chunked")
    + b"fffffffffffffff0\r\n" + b"1" * (2 << 20),
    "chunk size 0x": head(POST, "Host: a", "Transfer-Encoding: chunked") + b"0x4\r\n1234\r\n0\r\n\r\n",
    "chunk size minus": head(POST, "Host: a", "Transfer-Encoding: chunked") + b"-4\r\n1234\r\n0\r\n\r\n",
    "chunk without CRLF": head(POST, "Host: a", "Transfer-Encoding: chunked") + b"4\r\n12345\r\n0\r\n\r\n",
    "chunk with LF": head(POST, "Host: a", "Transfer-Encoding: chunked") + b"4\n1234\n0\n\n",
    "chunk with spaces": head(POST, "Host: a", "Transfer-Encoding: chunked") + b"4 \r\n1234\r\n0\r\n\r\n",
    "1e15 bytes": head(POST, "Host: a", "Content-Length: 1000000000000000"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(server, name):
    said = server.raw(REFUSED[name] + SMUGGLED)
    statuses = status_of(said)
    assert len(statuses) == 1 and statuses[0] in (400, 405, 413, 417, 501, 505), (name, said)
    assert b"Connection: close" in said and b"smuggled" not in said


TAKEN = {
    "leading empty lines": b"\r\n\r\n" + request("POST", PREDICT, JSON, BODY, close=True),
    "chunked": head(POST, "Host: localhost", "Content-Type: application/json", "Transfer-Encoding: chunked",
                    "Connection: close") + CHUNKED,
    "chunked, other case": head(POST, "Host: localhost", "Content-Type: application/json",
                                "TRANSFER-ENCODING: Chunked", "Connection: close") + CHUNKED,
    "chunk extension": head(POST, "Host: localhost", "Content-Type: application/json", "Transfer-Encoding: chunked",
                            "Connection: close") + b"%x;name=value\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    "HTTP/1.0": head(f"POST {PREDICT} HTTP/1.0", "Content-Type: application/json", f"Content-Length: {len(BODY)}")
    + BODY,
    "an upgrade that is not taken": request("POST", PREDICT, [*JSON, ("Connection", "upgrade, close"),
                                                              ("Upgrade", "h2c")], BODY, close=True),
}


@pytest.mark.parametrize("name", TAKEN)
def test_taken(server, name):
    said = server.raw(TAKEN[name])
    assert status_of(said) == [200], said
    assert json.loads(said.partition(b"\r\n\r\n")[2])["predictions"] == ANSWER


def test_trailers_are_no_headers(server):
    """They come when the head was used already: nothing that they say counts, and they are limited."""
    start = head(POST, "Host: localhost", "Content-Type: application/json", "Transfer-Encoding: chunked",
                 "Connection: close") + b"%x\r\n%s\r\n0\r\n" % (len(BODY), BODY)
    said = server.raw(start + b"X-Request-Id: trailer\r\nContent-Type: text/plain\r\n\r\n")
    assert status_of(said) == [200] and b"trailer" not in said
    many = b"".join(b"X-Trailer-%d: %s\r\n" % (i, b"v" * 900) for i in range(900))
    assert status_of(server.raw(start + many + b"\r\n")) == [200]
    assert status_of(server.raw(start + many * 2 + b"\r\n")) == [413]


def test_one_byte_at_a_time(server):
    whole = request("POST", PREDICT, JSON, BODY, close=True)
    with server.connect() as peer:
        for byte in whole:
            peer.sendall(bytes([byte]))
        assert Reply.read(peer).json()["predictions"] == ANSWER


def test_pipeline(server):
    """Requests sent ahead are answered in their order, more of them than others wait for."""
    n = 3000
    whole = b"".join(request("POST", PREDICT, [*JSON, ("X-Request-Id", f"n{i}")], BODY) for i in range(n))
    kept = bytearray()
    with server.connect(timeout=60) as peer:
        peer.settimeout(60)
        import threading
        sender = threading.Thread(target=peer.sendall, args=(whole,))
        sender.start()
        for i in range(n):
            reply = Reply.read(peer, kept)
            assert reply.status == 200 and reply.headers["x-request-id"] == f"n{i}"
            assert reply.json()["predictions"] == ANSWER
        sender.join()
        assert not kept


def test_pipeline_behind_a_slow_request(server):
    """What is behind one that the pool works on waits, and is not lost."""
    slow = json.dumps({"model_path": "m.pkl", "features": [[1, 2, 3]], "use_cache": False}).encode()
    with server.connect() as peer:
        peer.sendall(request("POST", PREDICT, JSON, slow) * 5 + request("GET", HEALTH, close=True))
        kept = bytearray()
        assert [Reply.read(peer, kept).status for _ in range(6)] == [200] * 6
        assert drain(peer) == b""


def test_half_closed(server):
    """A client that will send no more gets its replies all the same."""
    slow = json.dumps({"model_path": "m.pkl", "features": [[1, 2, 3]], "use_cache": False}).encode()
    with server.connect() as peer:
        peer.sendall(request("POST", PREDICT, JSON, slow) * 3)
        peer.shutdown(socket.SHUT_WR)
        assert status_of(drain(peer)) == [200] * 3


@pytest.mark.parametrize("part", [10, 60, 200])
def test_half_closed_too_early(server, part):
    """A request that ends in its middle is none: no reply, and nothing waits for the rest."""
    with server.connect() as peer:
        peer.sendall(request("POST", PREDICT, JSON, BODY + b" " * 100)[:part])
        peer.shutdown(socket.SHUT_WR)
        began = time.monotonic()
        assert drain(peer) == b""
        assert time.monotonic() - began < 0.9


def test_http_1_0_keeps_alive_when_asked(server):
    whole = head(f"GET {HEALTH} HTTP/1.0", "Connection: keep-alive")
    with server.connect() as peer:
        for _ in range(3):
            peer.sendall(whole)
            reply = Reply.read(peer)
            assert reply.status == 200 and reply.headers["connection"] == "keep-alive"
    assert status_of(server.raw(head(f"GET {HEALTH} HTTP/1.0"))) == [200]


def test_head(server):
    with server.connect() as peer:
        for _ in range(2):
            peer.sendall(request("HEAD", HEALTH))
            reply = Reply.read(peer, head_only=True)
            assert reply.status == 200 and int(reply.headers["content-length"]) > 10
        peer.sendall(request("GET", HEALTH, close=True))
        assert Reply.read(peer).status == 200
        assert drain(peer) == b""


def test_continue(server):
    expect = [*JSON, ("Expect", "100-continue")]
    with server.connect() as peer:
        kept = bytearray()
        peer.sendall(request("POST", PREDICT, expect, BODY)[:-len(BODY)])
        assert Reply.read(peer, kept).status == 100
        peer.sendall(BODY)
        assert Reply.read(peer, kept).json()["predictions"] == ANSWER


@pytest.mark.parametrize(("path", "size", "status"), [("/nothing", len(BODY), 404), (HEALTH, len(BODY), 405),
                                                      (PREDICT, 2 << 20, 413)])
def test_continue_is_not_said_in_vain(server, path, size, status):
    """What is refused by its head is so before the body is sent."""
    whole = head(f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json",
                 f"Content-Length: {size}", "Expect: 100-continue")
    with server.connect() as peer:
        peer.sendall(whole)
        reply = Reply.read(peer)
        assert reply.status == status and reply.headers["connection"] == "close"


def test_limits(server):
    long_target = head(f"GET /{'x' * 9000} HTTP/1.1", "Host: localhost")
    many_fields = head("GET /x HTTP/1.1", "Host: localhost", *[f"X-{i}: y" for i in range(101)])
    large_head = head("GET /x HTTP/1.1", "Host: localhost", *[f"X-{i}: {'y' * 1000}" for i in range(40)])
    large_body = request("POST", PREDICT, JSON, b" " * (1 << 20) + BODY)
    chunks = head(POST, "Host: localhost", "Content-Type: application/json", "Transfer-Encoding: chunked")
    chunks += b"10000\r\n" + b" " * 65536 + b"\r\n"
    many_chunks = chunks + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 40
    refused_body = head("POST /nothing HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked")
    refused_body += (b"10000\r\n" + b" " * 65536 + b"\r\n") * 40
    for whole, status in ((long_target, 414), (many_fields, 431), (large_head, 431), (large_body, 413),
                          (many_chunks, 413), (refused_body, 413)):
        said = server.raw(whole + SMUGGLED)
        assert status_of(said) == [status], said[:500]
        assert b"Connection: close" in said


def test_many_chunks(server):
    """A body in tens of thousands of pieces of one byte."""
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY + b" " * 70000)
    said = server.raw(head(POST, "Host: localhost", "Content-Type: application/json", "Transfer-Encoding: chunked",
                           "Connection: close") + pieces + b"0\r\n\r\n")
    assert status_of(said) == [200]


@pytest.mark.parametrize("path", ["/", "//", "/nothing", "/../etc/passwd", "/%2e%2e/x", "/api%2Fv1/inference/health",
                                  HEALTH + "/", HEALTH + "%00", HEALTH + "\x7f", "/api//v1/inference/health"])
def test_no_such_path(server, path):
    said = server.raw(head(f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close"))
    assert status_of(said) in ([404], [400], [302], [200]) and (path == "/" or status_of(said)[0] in (400, 404)), said


def test_methods(server):
    for method in ("GET", "PUT", "DELETE", "PATCH", "TRACE"):
        reply = server.get(PREDICT, method=method)
        assert reply.status == 405 and reply.headers["allow"] == "POST", method
    assert server.get(HEALTH, method="POST", body=b"").headers["allow"] == "GET, HEAD"


def test_slow_head_and_body(server):
    """Both are given a time, as a whole and between pieces; the client is told, if it still listens."""
    began = time.monotonic()
    with server.connect() as head_peer, server.connect() as body_peer, server.connect() as silent:
        head_peer.sendall(b"GET / HTTP/1.1\r\nHost: lo")
        body_peer.sendall(request("POST", PREDICT, JSON, BODY)[:-5])
        silent.sendall(b"")
        assert status_of(drain(head_peer)) == [408]
        assert status_of(drain(body_peer)) == [408]
    assert time.monotonic() - began < 5


def test_drip(server):
    """A byte now and then keeps neither a head nor a body alive for ever."""
    def drip(start, seconds):
        with server.connect() as peer:
            peer.sendall(start)
            peer.settimeout(0.3)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                try:
                    return status_of(peer.recv(65536) + drain(peer))
                except TimeoutError:
                    peer.sendall(b"x")
        raise AssertionError("it goes on")
    assert drip(b"GET / HTTP/1.1\r\nHost: a\r\nX: ", 5) == [408]
    assert drip(request("POST", PREDICT, JSON, BODY + b" " * 10000)[:-10000], 8) == [408]


def test_idle_connections_go(folder):
    with RawServer("--model-root", folder, "--idle-timeout", "1") as server, server.connect() as peer:
        peer.sendall(request("GET", HEALTH))
        assert Reply.read(peer).status == 200
        began = time.monotonic()
        assert drain(peer) == b""
        assert 0.5 < time.monotonic() - began < 4


def test_reader_that_stops(folder):
    """Its reply waits for it in bounded memory, then the connection goes; one that is only slow is served."""
    n = 1_000_000
    rows = b'{"model_path": "m.pkl", "features": [' + b"[1234567.125,2,3]," * (n - 1) + b"[1,2,3]]}"
    with RawServer("--model-root", folder, "--body-timeout", "2") as server:
        with server.connect() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            peer.sendall(request("POST", PREDICT, JSON, rows))
            time.sleep(5)
            with pytest.raises(ConnectionError):
                Reply.read(peer)
        with server.connect() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            peer.sendall(request("POST", PREDICT, JSON, rows, close=True))
            said = b""
            for _ in range(8):
                time.sleep(0.5)
                said += peer.recv(1 << 20)
            said += drain(peer)
        assert status_of(said[:100]) == [200] and said.endswith(b"}")
        assert len(json.loads(said.partition(b"\r\n\r\n")[2])["predictions"]) == n


def test_clients_that_vanish(server):
    """In every state, many times: neither descriptors nor threads stay behind."""
    server.post(PREDICT, BODY)
    descriptors, threads = server.descriptors(), server.threads()
    slow = json.dumps({"model_path": "m.pkl", "features": [[1, 2, 3]], "use_cache": False}).encode()
    whole = request("POST", PREDICT, JSON, slow)
    for i in range(300):
        peer = server.connect()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.sendall((whole * 2)[:i * len(whole) // 150])
        peer.close()
    server.wait_until(lambda: server.descriptors() <= descriptors, 20, "the end of the connections")
    assert server.threads() <= threads


def test_most_connections(folder):
    with RawServer("--model-root", folder, "--threads", "1", "--max-connections", "5") as server:
        held = [server.connect() for _ in range(5)]
        for peer in held:
            peer.sendall(request("GET", HEALTH))
            assert Reply.read(peer).status == 200
        assert status_of(server.raw(b""))[:1] == [503]
        for peer in held:
            peer.close()
        server.wait_until(lambda: server.descriptors() < 40, 5)
        time.sleep(0.2)
        assert server.get(HEALTH).status == 200
