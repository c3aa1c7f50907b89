"""HTTPS: versions and ciphers, certificates that are replaced, slow handshakes, and the same HTTP inside."""

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import warnings

import pytest
from serving_raw import HEALTH, PREDICT, RawServer, Reply, drain, make_model, program, request, status_of

BODY = json.dumps({"model_path": "m.pkl", "features": [[1, 2, 3]]}).encode()
JSON = [("Content-Type", "application/json")]


def make_certificate(folder, name):
    """(certificate, key) of localhost, signed by itself."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost", "-keyout", key,
                    "-out", certificate], check=True, capture_output=True, timeout=60)
    return certificate, key


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("tls")
    make_model(path / "m.pkl")
    return path


@pytest.fixture(scope="module")
def pair(folder):
    return make_certificate(folder, "first")


@pytest.fixture(scope="module")
def server(folder, pair):
    with RawServer("--model-root", folder, "--tls-cert", pair[0], "--tls-key", pair[1], "--head-timeout", "1",
                   "--body-timeout", "5") as running:
        assert running.url.startswith("https://")
        yield running


def context(certificate, low=None, high=None, ciphers=None, protocols=None):
    made = ssl.create_default_context(cafile=certificate)
    if low:
        made.minimum_version = low
    if high:
        made.maximum_version = high
    if ciphers:
        made.set_ciphers(ciphers)
    if protocols:
        made.set_alpn_protocols(protocols)
    return made


NAMED = {"server_hostname": "localhost"}


def test_versions_and_ciphers(server, pair):
    for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        with server.connect(tls=context(pair[0], version, version), **NAMED) as peer:
            assert peer.version() == name
            peer.sendall(request("POST", PREDICT, JSON, BODY, close=True))
            assert Reply.read(peer).json()["predictions"] == [14.0]
    old = context(pair[0], ciphers="ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    for weak in (old, context(pair[0], high=ssl.TLSVersion.TLSv1_2, ciphers="AES128-SHA:@SECLEVEL=0"),
                 context(pair[0], high=ssl.TLSVersion.TLSv1_2, ciphers="ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"),
                 context(pair[0], high=ssl.TLSVersion.TLSv1_2, ciphers="aNULL:eNULL:@SECLEVEL=0")):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            server.connect(tls=weak, **NAMED)


def test_protocols(server, pair):
    with server.connect(tls=context(pair[0], protocols=["h2", "http/1.1"]), **NAMED) as peer:
        assert peer.selected_alpn_protocol() == "http/1.1"
    with server.connect(tls=context(pair[0]), **NAMED) as peer:
        assert peer.selected_alpn_protocol() is None
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        server.connect(tls=context(pair[0], protocols=["h2"]), **NAMED)


def test_no_tls(server):
    """Plain HTTP, noise and half a hello: an alert at most, and the next client is served."""
    for noise in (request("GET", HEALTH), b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", os.urandom(3000), b"\x80" * 50):
        assert b"HTTP" not in server.raw(noise)


def test_bytes_one_by_one(server, pair):
    """Records split anywhere, a large body, a large reply, several requests at once."""
    n = 200_000
    rows = b'{"model_path": "m.pkl", "features": [' + b"[1.5,2,3]," * (n - 1) + b"[1,2,3]]}"
    with server.connect(tls=context(pair[0]), **NAMED) as peer:
        kept = bytearray()
        for byte in request("GET", HEALTH):
            peer.sendall(bytes([byte]))
        assert Reply.read(peer, kept).status == 200
        peer.sendall(request("POST", PREDICT, JSON, rows))
        assert len(Reply.read(peer, kept).json()["predictions"]) == n
        whole = request("POST", PREDICT, JSON, BODY)
        sender = threading.Thread(target=peer.sendall, args=(whole * 2000,))
        sender.start()
        for _ in range(2000):
            assert Reply.read(peer, kept).json()["predictions"] == [14.0]
        sender.join()


def test_ahead_of_a_slow_request(server, pair):
    """More is sent ahead than is kept: it waits encrypted, and is served in its turn."""
    slow = json.dumps({"model_path": "m.pkl", "features": [[1, 2, 3]], "use_cache": False}).encode()
    filler = request("POST", PREDICT, JSON, BODY + b" " * 5000)
    with server.connect(tls=context(pair[0]), timeout=60, **NAMED) as peer:
        kept = bytearray()
        sender = threading.Thread(target=peer.sendall, args=(
            (request("POST", PREDICT, JSON, slow) + filler * 100) * 5,))
        sender.start()
        for _ in range(505):
            assert Reply.read(peer, kept).json()["predictions"] == [14.0]
        sender.join()


def test_the_end_is_announced(server, pair):
    """close_notify from both sides: a reply is not mistaken for one that was cut."""
    with server.connect(tls=context(pair[0]), suppress_ragged_eofs=False, **NAMED) as peer:
        peer.sendall(request("POST", PREDICT, JSON, BODY, close=True))
        said = b""
        while piece := peer.recv(65536):
            said += piece
        assert status_of(said) == [200]
    with server.connect(tls=context(pair[0]), **NAMED) as peer:
        peer.sendall(request("POST", PREDICT, JSON, BODY))
        assert Reply.read(peer).status == 200
        plain = peer.unwrap()
        plain.close()


def test_slow_handshakes(server):
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as silent, \
            socket.create_connection(("127.0.0.1", server.port), timeout=20) as drip:
        drip.sendall(b"\x16\x03\x01\x02\x00")
        drip.settimeout(0.3)
        ended = False
        while not ended and time.monotonic() - began < 8:
            try:
                ended = drip.recv(100) == b""
            except TimeoutError:
                drip.sendall(b"\x01")
            except ConnectionError:
                ended = True
        assert ended
        assert drain(silent) == b""
    assert time.monotonic() - began < 9


def test_clients_that_vanish(server, pair):
    with server.connect(tls=context(pair[0]), **NAMED) as peer:
        peer.sendall(request("GET", HEALTH))
        assert Reply.read(peer).status == 200
    server.wait_until(lambda: server.descriptors() < 60, 10)
    before = server.descriptors()
    secure = context(pair[0])
    for i in range(100):
        peer = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if i % 3:
            peer = secure.wrap_socket(peer, server_hostname="localhost")
        if i % 3 == 2:
            peer.sendall(request("POST", PREDICT, JSON, BODY) * 3)
        peer.close()
    server.wait_until(lambda: server.descriptors() <= before, 20)


def test_certificates_are_replaced(folder):
    """On SIGHUP, under load: no request fails, open connections go on; a bad file changes nothing."""
    current, key = folder / "current.pem", folder / "current.key"
    pairs = [make_certificate(folder, name) for name in ("one", "two")]

    def put(certificate, private):
        for source, target in ((private, key), (certificate, current)):
            half = target.with_suffix(".new")
            half.write_bytes(source.read_bytes())
            half.replace(target)

    def subject(server):
        trust = ssl.create_default_context()
        for certificate, _ in pairs:
            trust.load_verify_locations(certificate)
        with server.connect(tls=trust, **NAMED) as peer:
            return dict(entry[0] for entry in peer.getpeercert()["subject"])["commonName"]

    put(*pairs[0])
    with RawServer("--model-root", folder, "--tls-cert", current, "--tls-key", key) as server:
        trust = ssl.create_default_context()
        for certificate, _ in pairs:
            trust.load_verify_locations(certificate)
        failures, done, over = [], [0], threading.Event()

        def load():
            while not over.is_set():
                try:
                    assert server.post(PREDICT, BODY, tls=trust, **NAMED).status == 200
                    done[0] += 1
                except Exception as error:  # noqa: BLE001
                    failures.append(repr(error))
        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        with server.connect(tls=trust, **NAMED) as held:
            assert subject(server) == "one"
            for i in range(1, 7):
                put(*pairs[i % 2])
                server.process.send_signal(signal.SIGHUP)
                server.wait_for("reload", i, 20)
                assert subject(server) == ("one", "two")[i % 2]
            current.write_text("this is no certificate")
            server.process.send_signal(signal.SIGHUP)
            server.wait_until(lambda: any("tls-cert" in line["message"] for line in server.lines), 20)
            assert subject(server) == "one"
            held.sendall(request("POST", PREDICT, JSON, BODY))
            assert Reply.read(held).status == 200
        over.set()
        for thread in threads:
            thread.join()
        assert not failures and done[0] > 10, (failures[:3], done)


def test_files_that_are_none(folder, pair, tmp_path):
    other = make_certificate(folder, "other")
    locked = tmp_path / "locked.key"
    subprocess.run(["openssl", "ec", "-in", pair[1], "-aes128", "-passout", "pass:word", "-out", locked], check=True,
                   capture_output=True, timeout=60)
    for args, why in ((["--tls-cert", "/nowhere", "--tls-key", pair[1]], "tls-cert: /nowhere cannot be used: No such file"),
                      (["--tls-cert", pair[1]], "tls-cert names a file with the certificate and its chain (PEM)"),
                      (["--tls-cert", pair[0], "--tls-key", "/nowhere"], "tls-key: /nowhere cannot be used: No such file"),
                      (["--tls-cert", pair[0], "--tls-key", other[1]], "the private key that the certificate of tls-cert"),
                      (["--tls-cert", pair[0]], "tls-key names a file with the private key (PEM)"),
                      (["--tls-cert", pair[0], "--tls-key", locked], "that has no passphrase"),
                      (["--tls-key", pair[1]], "tls-key needs tls-cert")):
        done = subprocess.run([program(), "--port", "0", *map(str, args)], capture_output=True, text=True, check=False,
                              timeout=60, stdin=subprocess.DEVNULL)
        assert done.returncode == 2 and why in done.stderr, done.stderr


def test_streams(server, pair):
    """Full duplex inside TLS: each line is answered before the next one is sent; then many at once."""
    head = ("POST /api/v1/inference/predict-stream?model=m.pkl HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n").encode()

    def chunk(data):
        return b"%x\r\n%s\r\n" % (len(data), data)
    with server.connect(tls=context(pair[0]), timeout=60, **NAMED) as peer:
        peer.sendall(head)
        said = b""
        for i in range(5):
            peer.sendall(chunk(b"[%d, 2, 3]\n" % i))
            while said.count(b"}\n") <= i:
                piece = peer.recv(65536)
                assert piece, said
                said += piece
        assert said.startswith(b"HTTP/1.1 200 ") and b"Transfer-Encoding: chunked" in said
        many = b"[1, 2, 3]\n" * 20_000
        sender = threading.Thread(target=peer.sendall, args=(chunk(many) * 5 + b"0\r\n\r\n",))
        sender.start()
        while not said.endswith(b"\r\n0\r\n\r\n"):
            piece = peer.recv(1 << 20)
            assert piece, said[-300:]
            said += piece
        sender.join()
        assert said.count(b"}") == 100_005 and b"error" not in said
