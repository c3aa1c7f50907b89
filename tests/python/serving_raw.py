"""The server as its clients do not know it: started with any settings, spoken to in raw bytes, sent signals."""

import contextlib
import json
import os
import pathlib
import pickle
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import ftl

PREDICT = "/api/v1/inference/predict"
HEALTH = "/api/v1/inference/health"


def program():
    """The server that is tested: FORETELL_SERVER, or the one beside the command."""
    named = os.environ.get("FORETELL_SERVER")
    return pathlib.Path(named) if named else pathlib.Path(ftl.program()).parent / "foretell-server"


class RawServer:
    """A server on a free port of loopback. Ends with SIGTERM, exit 0, and nothing said by a sanitizer."""

    def __init__(self, *args, cwd=None, env=None, wait=True, host="127.0.0.1", limits=None):
        environment = {**os.environ, **(env or {})}
        for name in [n for n in environment if n.startswith("FORETELL_SERVE_") and n not in (env or {})]:
            del environment[name]
        self.host, self.lines, self.plain, self.told = host, [], [], False
        self.process = subprocess.Popen(
            [str(program()), "--port", "0", *map(str, args)], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, preexec_fn=limits)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if wait:
            self.wait_for("listening")
            self.url = re.search(r"https?://\S+", self.event("listening")["message"])[0]
            self.port = int(self.url.rpartition(":")[2])
            self.wait_for("ready")

    def _read(self):
        for line in self.process.stderr:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.plain.append(line.decode(errors="replace"))

    def event(self, name):
        return next((line for line in list(self.lines) if line.get("event") == name), None)

    def events(self, name):
        return [line for line in list(self.lines) if line.get("event") == name]

    def wait_for(self, name, n=1, seconds=60):
        self.wait_until(lambda: len(self.events(name)) >= n, seconds, f"{n} x {name}")

    def wait_until(self, holds, seconds=60, what="it"):
        until = time.monotonic() + seconds
        while not holds():
            if self.process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"{what} did not come: exit {self.process.poll()}, {self.lines[-5:]} "
                                     f"{''.join(self.plain)[-3000:]}")
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.stop(check=kind is None)

    def tell_to_end(self):
        self.told = True
        self.process.send_signal(signal.SIGTERM)

    def stop(self, check=True, code=0):
        if self.process.poll() is None and not self.told:
            self.tell_to_end()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.reader.join(timeout=10)
            self.process.stderr.close()
        said = "".join(self.plain)
        if check:
            assert "Sanitizer" not in said and "runtime error" not in said, said[-6000:]
            assert self.process.returncode == code, (self.process.returncode, said[-3000:], self.lines[-3:])

    def connect(self, timeout=20, tls=None, **wrap):
        peer = socket.create_connection((self.host, self.port), timeout=timeout)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return tls.wrap_socket(peer, **wrap) if tls else peer

    def raw(self, data, timeout=20, tls=None, **wrap):
        """Sends bytes on a connection of its own and gives all that comes back until the server closes."""
        with contextlib.closing(self.connect(timeout, tls, **wrap)) as peer:
            peer.sendall(data)
            return drain(peer)

    def get(self, path, headers=(), method="GET", body=None, **how):
        """(status, headers, body) of one request on a connection of its own."""
        with contextlib.closing(self.connect(**how)) as peer:
            peer.sendall(request(method, path, headers, body, close=True))
            return Reply.read(peer)

    def post(self, path, value, headers=(), **how):
        return self.get(path, [("Content-Type", "application/json"), *headers], "POST",
                        value if isinstance(value, bytes) else json.dumps(value).encode(), **how)

    def resident(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))


def request(method, path, headers=(), body=None, close=False, host="localhost"):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def drain(peer):
    """All bytes until the end; a reset is an end, too."""
    said = b""
    with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError, BrokenPipeError):
        while piece := peer.recv(65536):
            said += piece
    return said


class Reply(tuple):
    """(status, headers in lower case, body)."""

    @staticmethod
    def read(peer, kept=None, head_only=False):
        """Reads one reply; what follows it goes into kept, a bytearray that the next call is given again."""
        kept = bytearray() if kept is None else kept
        while b"\r\n\r\n" not in kept:
            more(peer, kept)
        head, _, rest = bytes(kept).partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        headers = dict((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:]))
        kept[:] = rest
        if status == 100:
            return Reply((status, headers, b""))
        size = 0 if head_only else int(headers.get("content-length", "0"))
        while len(kept) < size:
            more(peer, kept)
        body = bytes(kept[:size])
        del kept[:size]
        return Reply((status, headers, body))

    status = property(lambda self: self[0])
    headers = property(lambda self: self[1])
    body = property(lambda self: self[2])

    def json(self):
        return json.loads(self.body)


def more(peer, kept):
    piece = peer.recv(65536)
    if not piece:
        raise ConnectionError(f"the server closed the connection after {bytes(kept[:200])!r}")
    kept += piece


def status_of(said):
    """The statuses of all replies in the bytes."""
    return [int(match) for match in re.findall(rb"(?:^|(?<=[}\n]))HTTP/1\.1 (\d{3}) ", said)]


def make_model(path, features=3, seed=0, offset=0.0):
    """A linear regression with whole coefficients; returns it."""
    import numpy
    from sklearn.linear_model import LinearRegression
    model = LinearRegression()
    model.coef_ = numpy.arange(1, features + 1, dtype=float) + seed
    model.intercept_ = float(offset)
    model.n_features_in_ = features
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name("." + path.name + ".new")
    half.write_bytes(pickle.dumps(model))
    half.replace(path)
    return model
