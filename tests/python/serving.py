"""Runs foretell-server for the tests: on a free port of loopback, and ends it as a service manager would."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import threading
import time
import urllib.parse

import ftl

NATIVE = "/api/v1/inference"


def server_program():
    """$FORETELL_SERVER, else the one beside the program."""
    if os.environ.get("FORETELL_SERVER"):
        return os.environ["FORETELL_SERVER"]
    return str(pathlib.Path(ftl.program()).resolve().with_name("foretell-server"))


class Answer:
    """A reply: status, headers (names in lower case), body."""

    def __init__(self, response, body):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Server:
    """with Server("lr=model.joblib", "--data-root", folder) as server: server.post_json(path, thing)"""

    def __init__(self, *arguments, cwd=None, env=None, ready=True, limits=None):
        self.command = [server_program(), *map(str, arguments), "--port", "0"]
        # AddressSanitizer keeps what was freed, which would count as the server's memory
        quarantine = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "quarantine_size_mb=8")}
        self.cwd, self.env, self.ready = cwd, {**os.environ, **quarantine, **(env or {})}, ready
        self.limits = limits  # what the process does before it is the server
        self.lines = []  # of its log

    def __enter__(self):
        self.process = subprocess.Popen(self.command, cwd=self.cwd, env=self.env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        encoding="utf-8", errors="replace", preexec_fn=self.limits)
        self.listening, self.is_ready = threading.Event(), threading.Event()
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()
        waited = self.is_ready if self.ready else self.listening
        if not waited.wait(60) or not hasattr(self, "url"):
            self.process.kill()
            raise AssertionError("the server does not listen: " + "".join(self.lines))
        return self

    def _read_log(self):
        for line in self.process.stderr:
            self.lines.append(line)
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if event.get("event") == "listening":
                self.url = event["message"].split()[-1]
                self.port = int(self.url.rsplit(":", 1)[1])
                self.listening.set()
            if event.get("event") == "ready":
                self.is_ready.set()
        self.listening.set()
        self.is_ready.set()

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.stop(check=kind is None)

    def stop(self, timeout=40, check=True):
        """SIGTERM, and an end in order: exit code 0, nothing of a sanitizer's."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.reader.join(10)
        log = "".join(self.lines)
        if check:
            assert self.process.returncode == 0, log
            assert "Sanitizer" not in log and "runtime error" not in log, log

    def connection(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, timeout=60):
        connection = self.connection(timeout)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post_json(self, path, thing, **more):
        return self.request("POST", path, json.dumps(thing), {"Content-Type": "application/json"}, **more)

    def post(self, path, body, content_type, accept=None, query=None, **more):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        headers = {"Content-Type": content_type, **({"Accept": accept} if accept else {})}
        return self.request("POST", path, body, headers, **more)

    def stream(self, path, pieces, content_type, accept=None, query=None, timeout=60):
        """Sends the pieces chunked while it reads the reply, as somebody who streams has to."""
        if query:
            path += "?" + urllib.parse.urlencode(query)
        connection = self.connection(timeout)
        connection.putrequest("POST", path)
        connection.putheader("Content-Type", content_type)
        connection.putheader("Transfer-Encoding", "chunked")
        if accept:
            connection.putheader("Accept", accept)
        connection.endheaders()
        sock = connection.sock

        def send():
            try:
                for piece in pieces:
                    sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                sock.sendall(b"0\r\n\r\n")
            except OSError:
                pass  # the reply tells why
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        try:
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()
            sender.join(timeout)

    def memory(self):
        """Bytes that the process holds."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def wait_until(condition, seconds=30):
    """The first true value of a function; fails when there is none in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {condition}")
