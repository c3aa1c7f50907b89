"""predict-stream: rows in, predictions out while both go on; and bodies of predict that are tables."""

import io
import json
import socket
import subprocess
import threading
import time

import ftl
import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
import serve_models
import serving

STREAM, PREDICT = serving.NATIVE + "/predict-stream", serving.NATIVE + "/predict"
LINES, CSV, ARROW = "application/x-ndjson", "text/csv", "application/vnd.apache.arrow.stream"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    serve_models.write_models(folder)
    serve_models.table(5000).to_csv(folder / "rows.csv", index=False)
    with serving.Server("churn.joblib", "--body-timeout", "3", "--stream-timeout", "3", cwd=folder) as server:
        yield folder, server


def as_lines(frame):
    return frame.to_json(orient="records", lines=True, force_ascii=False).encode()


def as_csv(frame):
    return frame.to_csv(index=False).encode()


def as_arrow(frame):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, pa.Schema.from_pandas(frame, preserve_index=False)) as writer:
        writer.write_table(pa.Table.from_pandas(frame, preserve_index=False), max_chunksize=700)
    return sink.getvalue()


def predicted(folder, body, ending, *options, out="-"):
    path = folder / f"body.{ending}"
    path.write_bytes(body)
    done = subprocess.run([ftl.program(), "predict", str(folder / "churn.joblib"), str(path), "-q", *options, "-o", out],
                          capture_output=True, check=True)
    return done.stdout


def pieces(body, size):
    return [body[i:i + size] for i in range(0, len(body), size)]


# ---- What is answered ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("write, kind, ending, form", [(as_lines, LINES, "jsonl", "jsonl"), (as_csv, CSV, "csv", "csv"),
                                                       (as_lines, CSV, "jsonl", "csv"), (as_csv, LINES, "csv", "jsonl")])
@pytest.mark.parametrize("size", [60000, 997])
def test_a_stream_says_what_the_program_says(place, write, kind, ending, form, size):
    folder, server = place
    body = write(serve_models.table(3000))
    answer = server.stream(STREAM, pieces(body, size), LINES if ending == "jsonl" else CSV, accept=kind,
                           query={"model": "churn", "proba": "true", "keep": "id,city"})
    assert answer.status == 200 and answer.headers["content-type"].split(";")[0] == kind
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.body == predicted(folder, body, ending, "--proba", "--keep", "id,city", "--output-format", form)


@pytest.mark.parametrize("path, query", [(STREAM, {"model": "churn"}), (STREAM, {"model_path": "churn.joblib"}),
                                         ("/api/v1/models/churn/predict-stream", None)])
def test_models_by_name_and_by_path(place, path, query):
    folder, server = place
    body = as_csv(serve_models.table(10))
    answer = server.stream(path, [body], CSV, query=query)
    assert answer.status == 200 and answer.body == predicted(folder, body, "csv")


def test_arrow_streams(place):
    folder, server = place
    frame = serve_models.table(4000)
    answer = server.stream(STREAM, pieces(as_arrow(frame), 5000), ARROW, query={"model": "churn", "proba": "1", "keep": "id"})
    assert answer.status == 200 and answer.headers["content-type"] == ARROW
    got = pa.ipc.open_stream(answer.body).read_all().to_pandas()
    predicted(folder, as_arrow(frame), "arrows", "--proba", "--keep", "id", out=str(folder / "want.arrows"))
    with pa.OSFile(str(folder / "want.arrows")) as file:
        want = pa.ipc.open_stream(file).read_all().to_pandas()
    pd.testing.assert_frame_equal(got, want)
    lines = server.stream(STREAM, [as_arrow(frame)], ARROW, accept=LINES, query={"model": "churn"})
    assert [json.loads(line)["prediction"] for line in lines.body.splitlines()] == list(want["prediction"])


def test_seventy_thousand_chunks_of_one_byte(place):
    folder, server = place
    body = as_lines(serve_models.table(2000))[:70000]
    body = body[:body.rindex(b"\n") + 1]
    answer = server.stream(STREAM, pieces(body, 1), LINES, query={"model": "churn"}, timeout=120)
    assert answer.status == 200 and answer.body == predicted(folder, body, "jsonl", "--output-format", "jsonl")


def test_no_rows(place):
    _, server = place
    assert server.stream(STREAM, [b"age,income,city\n"], CSV, query={"model": "churn"}).body == b"prediction\n"
    # as of a file without anything in it
    assert server.stream(STREAM, [], LINES, query={"model": "churn"}).status == 422


class Talk:
    """A connection that sends and reads as it likes."""

    def __init__(self, server, query="model=churn", kind=LINES, head=b"Transfer-Encoding: chunked\r\n", version=b"1.1"):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        self.socket.sendall(b"POST %s?%s HTTP/%s\r\nHost: localhost\r\nContent-Type: %s\r\n%s\r\n" %
                            (STREAM.encode(), query.encode(), version, kind.encode(), head))
        self.got = b""

    def send(self, data):
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def until(self, mark):
        while mark not in self.got:
            part = self.socket.recv(65536)
            if not part:
                raise AssertionError(f"ended before {mark!r}: {self.got[-300:]!r}")
            self.got += part
        end = self.got.index(mark) + len(mark)
        taken, self.got = self.got[:end], self.got[end:]
        return taken

    def rest(self):
        while True:
            part = self.socket.recv(65536)
            if not part:
                return self.got
            self.got += part

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.socket.close()


ROW = b'{"age": 30, "income": 3.5, "city": "Ulm"}\n'


def test_a_line_is_answered_before_the_next_is_sent(place):
    _, server = place
    with Talk(server) as talk:
        for number in range(50):
            talk.send(b'{"age": %d, "income": 3.5, "city": "Ulm"}\n' % (20 + number))
            talk.until(b"}\n\r\n")
        talk.send(ROW[:20])  # half a line has no answer yet
        talk.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            talk.socket.recv(10)
        talk.socket.settimeout(20)
        talk.send(ROW[20:-1])
        talk.socket.sendall(b"0\r\n\r\n")  # the last line needs no end
        talk.until(b"}\n\r\n0\r\n\r\n")
        # the connection goes on
        talk.socket.sendall(b"GET /api/v1/inference/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        talk.until(b'"status":"ok"')


def test_a_client_that_sends_no_more_gets_its_answer(place):
    _, server = place
    with Talk(server) as talk:
        talk.send(ROW * 3)
        talk.socket.sendall(b"0\r\n\r\n")
        talk.socket.shutdown(socket.SHUT_WR)
        assert talk.rest().endswith(b"0\r\n\r\n")
    with Talk(server) as talk:  # in the middle of its body
        talk.send(ROW)
        talk.until(b"}\n\r\n")
        talk.socket.shutdown(socket.SHUT_WR)
        assert not talk.rest().endswith(b"0\r\n\r\n")


def test_old_clients(place):
    _, server = place
    with Talk(server, head=b"Content-Length: %d\r\n" % (len(ROW) * 2), version=b"1.0") as talk:
        talk.socket.sendall(ROW * 2)
        answer = talk.rest()
    head, body = answer.split(b"\r\n\r\n", 1)
    assert b"chunked" not in head and len(body.splitlines()) == 2


# ---- What goes wrong -----------------------------------------------------------------------------------------------

def test_errors_before_the_first_byte_are_replies(place):
    _, server = place
    body = as_csv(serve_models.table(3))

    def status(query, kind=CSV, body=body, **more):
        answer = server.stream(STREAM, [body], kind, query=query, **more)
        assert answer.status != 200 and answer.json()["detail"], answer
        assert "/proc" not in answer.body.decode() and "options." not in answer.body.decode()
        return answer.status
    assert status({"model": "none"}) == 404
    assert status({"model": "../none"}) in (403, 404)
    assert status({}) == 422
    assert status({"model": "churn", "method": "guess"}) == 422
    assert status({"model": "churn", "keep": "none"}) == 422
    assert status({"model": "churn", "on_error": "maybe"}) == 422
    assert status({"model": "churn", "output_format": "csv"}) == 422
    assert status({"model": "churn"}, body=b"a,b\n1,2\n") == 422
    assert status({"model": "churn"}, kind=LINES, body=b"no json\n") == 422
    assert status({"model": "churn"}, kind="application/json") == 415
    assert status({"model": "churn"}, kind="application/x-www-form-urlencoded") == 415
    assert status({"model": "churn"}, accept="image/png") == 406
    packed = server.request("POST", STREAM + "?model=churn", b"x", {"Content-Type": CSV, "Content-Encoding": "gzip"})
    assert packed.status == 415
    assert server.get(STREAM).status == 405
    assert server.stream("/api/v1/models/none/predict-stream", [body], CSV).status == 404
    assert server.get(serving.NATIVE + "/health").status == 200


def test_errors_later_are_the_last_line_and_a_body_that_breaks_off(place):
    _, server = place
    with Talk(server) as talk:
        talk.send(ROW)
        talk.until(b"}\n\r\n")
        talk.send(b'{"age": "old", "income": 3.5, "city": "Ulm"}\n')
        tail = talk.rest()
    line = json.loads(tail.split(b"\r\n")[1])
    assert "row" in line["error"] or "line 2" in line["error"]
    assert "age" in line["error"] and not tail.endswith(b"0\r\n\r\n")
    with Talk(server, "model=churn&on_error=null") as talk:
        talk.send(ROW + b'{"age": "old", "income": 3.5, "city": "Ulm"}\n' + ROW)
        talk.socket.sendall(b"0\r\n\r\n")
        talk.until(b'{"prediction":null}\n')
        talk.until(b"0\r\n\r\n")
    with Talk(server, "model=churn&on_error=skip") as talk:
        talk.send(b'{"age": "old", "income": 3.5, "city": "Ulm"}\n' + ROW)
        talk.socket.sendall(b"0\r\n\r\n")
        assert talk.until(b"\r\n0\r\n\r\n").count(b"prediction") == 1


def test_a_client_that_goes_leaves_nothing(place):
    _, server = place
    server.stream(STREAM, [ROW], LINES, query={"model": "churn"})
    serving.wait_until(lambda: server.get(serving.NATIVE + "/health").status == 200)
    before = server.descriptors()
    for number in range(60):
        with Talk(server) as talk:
            talk.send(ROW * (1 + number))
            if number % 3 == 0:
                talk.until(b"prediction")
            if number % 3 == 1:
                talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # reset
    serving.wait_until(lambda: server.descriptors() <= before)
    memory = []
    for _ in range(3):  # the first time threads are started, which stay
        for _ in range(200):
            with Talk(server) as talk:
                talk.send(ROW * 50)
        serving.wait_until(lambda: server.descriptors() <= before)
        memory.append(server.memory())
    assert memory[2] < memory[0] + (32 << 20), memory


def test_a_reader_that_stops_is_let_go_and_costs_no_memory(place):
    _, server = place
    memory = server.memory()
    with Talk(server, "model=churn&keep=*") as talk:
        sent, body = 0, ROW * 2000
        talk.socket.settimeout(1)
        with pytest.raises((TimeoutError, ConnectionError)):
            for _ in range(2000):  # 160 MB, if somebody took them
                talk.send(body)
                sent += len(body)
        assert sent < 60 << 20
        assert server.memory() < memory + (16 << 20)
        # it is let go after body-timeout
        talk.socket.settimeout(20)
        try:
            assert not talk.rest().endswith(b"0\r\n\r\n")
        except ConnectionError:
            pass
    assert server.get(serving.NATIVE + "/health").status == 200


def test_a_client_that_says_nothing_is_let_go(place):
    _, server = place
    with Talk(server) as talk:
        began = time.monotonic()
        answer = talk.rest()
        assert answer.startswith(b"HTTP/1.1 408 ") and 2 < time.monotonic() - began < 15
    with Talk(server) as talk:
        talk.send(ROW)
        answer = talk.rest()
        assert b"prediction" in answer and b'{"error":' in answer and not answer.endswith(b"0\r\n\r\n")


def test_there_are_only_so_many_streams(place):
    folder, _ = place
    with serving.Server("churn.joblib", "--max-streams", "2", cwd=folder) as server:
        with Talk(server) as one, Talk(server) as two:
            for talk in (one, two):
                talk.send(ROW)
                talk.until(b"prediction")
            refused = server.stream(STREAM, [ROW], LINES, query={"model": "churn"})
            assert refused.status == 503 and "retry-after" in refused.headers
            assert server.post(PREDICT, as_csv(serve_models.table(2)), CSV, query={"model_path": "churn"}).status == 200
        serving.wait_until(lambda: server.stream(STREAM, [ROW], LINES, query={"model": "churn"}).status == 200)


def test_who_may_not_is_told_before_the_body_ends(place, tmp_path):
    folder, _ = place
    (tmp_path / "keys").write_text("inference 0123456789abcdef0123 one\n")
    with serving.Server("churn.joblib", "--keys-file", tmp_path / "keys", cwd=folder) as server:
        with Talk(server) as talk:
            talk.send(ROW)  # and its body would go on
            assert talk.rest().startswith(b"HTTP/1.1 401 ")
        with Talk(server, head=b"Transfer-Encoding: chunked\r\nX-API-Key: 0123456789abcdef0123\r\n") as talk:
            talk.send(ROW)
            talk.until(b"prediction")


def test_others_have_their_turn(place):
    """One loop, a client that sends and takes as fast as it can: another one is answered meanwhile."""
    folder, _ = place
    body = as_csv(serve_models.table(4000))
    head, rows = body.split(b"\n", 1)
    with serving.Server("churn.joblib", "--threads", "1", cwd=folder) as server:
        answers = []
        stream = threading.Thread(target=lambda: answers.append(server.stream(
            STREAM, [head + b"\n", *[rows] * 150], CSV, query={"model": "churn", "keep": "*"})))
        stream.start()
        between = 0
        while stream.is_alive():
            assert server.get(serving.NATIVE + "/health").status == 200
            between += stream.is_alive()
        assert between > 3 and len(answers[0].body.splitlines()) == 600001


def test_streams_end_with_the_server(place):
    folder, _ = place
    with serving.Server("churn.joblib", "--drain-seconds", "1", cwd=folder) as server:
        with Talk(server) as talk:
            talk.send(ROW)
            talk.until(b"}\n\r\n")
            server.stop()
            rest = talk.rest()
            assert b'{"error":"cancelled"}' in rest and not rest.endswith(b"0\r\n\r\n")


def test_bodies_larger_than_max_body_pass(place):
    folder, _ = place
    body = as_csv(serve_models.table(3000))
    with serving.Server("churn.joblib", "--max-body", "10K", cwd=folder) as server:
        answer = server.stream(STREAM, pieces(body, 8000), CSV, query={"model": "churn"})
        assert answer.status == 200 and len(answer.body.splitlines()) == 3001
        assert server.post(STREAM, body, CSV, query={"model": "churn"}).body == answer.body  # Content-Length
        assert server.post(PREDICT, body, CSV, query={"model_path": "churn"}).status == 413


# ---- predict ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("write, kind, ending", [(as_lines, LINES, "jsonl"), (as_csv, CSV, "csv"), (as_arrow, ARROW, "arrows")])
def test_predict_takes_tables(place, write, kind, ending):
    folder, server = place
    body = write(serve_models.table(500))
    want = [json.loads(line) for line in
            predicted(folder, body, ending, "--proba", "--output-format", "jsonl").splitlines()]
    answer = server.post(PREDICT, body, kind, query={"model_path": "churn.joblib", "return_probabilities": "true"})
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    assert answer.json()["predictions"] == [row["prediction"] for row in want]
    assert answer.json()["probabilities"] == [[row["probability_no"], row["probability_yes"]] for row in want]
    assert answer.json()["n_samples"] == 500
    text = server.post(PREDICT, body, kind, accept="text/csv", query={"model_path": "churn.joblib", "proba": "1", "keep": "id"})
    assert text.body == predicted(folder, body, ending, "--proba", "--keep", "id")
    packed = server.post(PREDICT, body, kind, accept="application/vnd.apache.parquet", query={"model_path": "churn"})
    assert pq.read_table(io.BytesIO(packed.body))["prediction"].to_pylist() == [row["prediction"] for row in want]


def test_predict_refuses_other_tables(place):
    _, server = place
    body = as_csv(serve_models.table(3))
    assert server.post(PREDICT, body, CSV).status == 422
    assert server.post(PREDICT, body, CSV, query={"model_path": "none"}).status == 404
    assert server.post(PREDICT, body, CSV, accept="image/png", query={"model_path": "churn"}).status == 406
    assert server.post(PREDICT, b"", CSV, query={"model_path": "churn"}).status == 422
    assert server.post(PREDICT, body, ARROW, query={"model_path": "churn"}).status == 422
    assert server.post(PREDICT, b"age,income\n1,2\n", CSV, accept=CSV, query={"model_path": "churn"}).status == 422
    assert server.post(PREDICT, body, "text/plain", query={"model_path": "churn"}).status == 415
