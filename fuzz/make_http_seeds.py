#!/usr/bin/env python3
"""Writes the seeds of fuzz_http: requests of each API, whole and in pieces, good and bad. Run it from the repository."""

import pathlib

FOLDER = pathlib.Path(__file__).parent / "corpus/http"
API = "/api/v1/inference"
PREDICT = b'{"model_path": "m.pkl", "features": [[1, 2.5, null], ["a", NaN, 1e308]], "return_probabilities": true}'


def head(method, path, *fields):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]).encode()


def whole(method, path, body, kind="application/json", *fields):
    return head(method, path, f"Content-Type: {kind}", f"Content-Length: {len(body)}", *fields) + body


def chunked(method, path, body, kind="application/json", step=7):
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + step]), body[i:i + step]) for i in range(0, len(body), step))
    return head(method, path, f"Content-Type: {kind}", "Transfer-Encoding: chunked") + pieces + b"0\r\nX: y\r\n\r\n"


V2 = b'{"id": "1", "inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}'
SEEDS = {
    "health": head("GET", f"{API}/health"),
    "stats": head("GET", f"{API}/cache/stats"),
    "clear": head("DELETE", f"{API}/cache/clear"),
    "pages": head("GET", "/") + head("HEAD", "/docs") + head("GET", "/openapi.json") + head("GET", "/metrics"),
    "models": head("GET", "/api/v1/models") + head("GET", "/api/v1/models/a%20b"),
    "predict": whole("POST", f"{API}/predict", PREDICT),
    "predict_chunked": chunked("POST", f"{API}/predict", PREDICT),
    "predict_csv": whole("POST", f"{API}/predict?model_path=m.pkl", b"a,b\n1,2\n", "text/csv"),
    "predict_gzip": whole("POST", f"{API}/predict", b"\x1f\x8b\x08\x00\x00", "application/json",
                          "Content-Encoding: gzip"),
    "batch": whole("POST", f"{API}/predict-batch", b'{"model_path": "m", "data_path": "../x", "chunk_size": 5}'),
    "jobs": head("GET", f"{API}/jobs") + head("DELETE", f"{API}/jobs/1"),
    "stream": chunked("POST", f"{API}/predict-stream?model=m.pkl", b'{"a": 1}\n{"a": 2}\n', "application/x-ndjson"),
    "warmup": whole("POST", f"{API}/warmup", b'{"model_paths": ["a", "b\\u0000"]}'),
    "v2": whole("POST", "/v2/models/m/infer", V2) + head("GET", "/v2") + head("GET", "/v2/models/m/versions/1/ready"),
    "v2_binary": whole("POST", "/v2/models/m/infer", V2 + bytes(16), "application/octet-stream",
                       f"Inference-Header-Content-Length: {len(V2)}"),
    "mlflow": whole("POST", "/invocations", b'{"dataframe_split": {"columns": ["a"], "data": [[1]]}}'),
    "tfserving": whole("POST", "/v1/models/m:predict", b'{"instances": [[1, 2], [3, 4]]}'),
    "pipeline": head("GET", f"{API}/health") * 40 + whole("POST", f"{API}/predict", PREDICT) * 3,
    "continue": whole("POST", f"{API}/predict", PREDICT, "application/json", "Expect: 100-continue"),
    "options": head("OPTIONS", f"{API}/predict", "Origin: https://a.example", "Access-Control-Request-Method: POST"),
    "old": b"GET /v2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "smuggled": head("POST", f"{API}/predict", "Content-Length: 4", "Transfer-Encoding: chunked") + b"0\r\n\r\nGET / H",
    "trace": head("GET", f"{API}/health", "X-Request-Id: a\"b", "traceparent: 00-" + "a" * 32 + "-" + "b" * 16 + "-01"),
    "long_target": head("GET", "/" + "a" * 9000),
    "many_fields": head("GET", "/", *[f"X-{i}: {i}" for i in range(120)]),
}

FOLDER.mkdir(parents=True, exist_ok=True)
for name, data in SEEDS.items():
    (FOLDER / name).write_bytes(b"\0" + data)
    (FOLDER / f"{name}_pieces").write_bytes(b"\1" + data)
