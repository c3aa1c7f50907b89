"""About the fastest that Python does: Granian's own protocol, orjson, ONNX Runtime. MODELS names the folder with the models."""

import os
import time

import numpy as np
import onnxruntime
import orjson

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
sessions = {}


def session_of(name):
    if name not in sessions:
        path = os.path.join(os.environ["MODELS"], name.replace(".joblib", ".onnx"))
        sessions[name] = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return sessions[name]


async def app(scope, protocol):
    request = orjson.loads(await protocol())
    start = time.perf_counter()
    rows = np.asarray(request["features"], dtype=np.float32)
    labels, probabilities = session_of(request["model_path"]).run(None, {"X": rows})
    answer = {"predictions": labels}
    if request.get("return_probabilities"):
        answer["probabilities"] = probabilities
    seconds = time.perf_counter() - start
    answer.update(n_samples=len(rows), inference_time_seconds=seconds, throughput_samples_per_sec=len(rows) / seconds)
    body = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    protocol.response_bytes(200, [("content-type", "application/json")], body)
