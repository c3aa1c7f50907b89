"""What clients of others make of foretell-server: run by the Python of build/venv-serve, which has them.

    serve_clients.py CLIENT URL ROWS.json

ROWS.json holds {"names": […], "x": [[…]], "table": {column: […]}}. Prints an object: what the client says, by the name of
the question. Answers are compared by the test that starts this (test_serve_clients.py).
"""

import json
import sys

import numpy as np
import pandas as pd

URL, X, TABLE = None, None, None


def plain(value):
    """What JSON can hold of an array."""
    array = np.asarray(value)
    if array.dtype == object:
        return [v.decode() if isinstance(v, bytes) else v for v in array.ravel().tolist()]
    return array.tolist()


def table_columns():
    for name in TABLE.columns:
        values = TABLE[name].to_numpy()
        if values.dtype.kind in "OUT":
            yield name, "BYTES", values.astype(object)
        else:
            yield name, {"i": "INT64", "f": "FP64", "b": "BOOL"}[values.dtype.kind], values


def triton():
    """tritonclient over HTTP: bytes as it sends them by itself, and JSON."""
    import tritonclient.http as http
    client = http.InferenceServerClient(URL.removeprefix("http://"))
    said = {"live": client.is_server_live(), "ready": client.is_server_ready(), "model": client.is_model_ready("numbers"),
            "nobody": client.is_model_ready("nobody"), "name": client.get_server_metadata()["name"],
            "inputs": client.get_model_metadata("people")["inputs"], "config": client.get_model_config("numbers")["name"],
            "index": sorted(m["name"] for m in client.get_model_repository_index())}
    for binary in (True, False):
        for datatype, dtype in (("FP64", np.float64), ("FP32", np.float32)):
            tensor = http.InferInput("input", list(X.shape), datatype)
            tensor.set_data_from_numpy(X.astype(dtype), binary_data=binary)
            wanted = [http.InferRequestedOutput(name, binary_data=binary) for name in ("predict", "predict_proba")]
            answer = client.infer("numbers", [tensor], outputs=wanted, request_id="7")
            assert answer.get_response()["id"] == "7"
            said[f"numbers {datatype} {binary}"] = [plain(answer.as_numpy("predict")), plain(answer.as_numpy("predict_proba"))]
            said[f"default {datatype} {binary}"] = plain(client.infer("numbers", [tensor]).as_numpy("predict"))
        packed = client.infer("numbers", [tensor], request_compression_algorithm="gzip")
        said[f"packed {binary}"] = plain(packed.as_numpy("predict"))
        columns = []
        for name, datatype, values in table_columns():
            columns.append(http.InferInput(name, [len(values), 1], datatype))
            columns[-1].set_data_from_numpy(values.reshape(-1, 1), binary_data=binary)
        answer = client.infer("people", columns, outputs=[http.InferRequestedOutput("predict", binary_data=binary),
                                                          http.InferRequestedOutput("predict_proba", binary_data=binary)])
        said[f"people {binary}"] = [plain(answer.as_numpy("predict")), plain(answer.as_numpy("predict_proba"))]
    client.unload_model("numbers")
    said["unloaded"] = client.is_model_ready("numbers")
    client.load_model("numbers")
    said["loaded"] = client.is_model_ready("numbers")
    said["count"] = client.get_inference_statistics("people")["model_stats"][0]["execution_count"]
    return said


def kserve():
    """KServe's classes of requests and answers, and its client."""
    import asyncio
    from kserve import InferInput, InferRequest, InferResponse, InferenceRESTClient, RESTConfig
    said = {}

    async def ask():
        client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=30))
        said["ready"] = await client.is_server_ready(URL)
        said["model"] = await client.is_model_ready(URL, "numbers")
        for binary in (False, True):
            tensor = InferInput("input", list(X.shape), "FP64")
            tensor.set_data_from_numpy(X, binary_data=binary)
            answer = await client.infer(URL, InferRequest("numbers", [tensor]), model_name="numbers")
            assert isinstance(answer, InferResponse)
            said[f"numbers {binary}"] = plain(answer.outputs[0].as_numpy())
            columns = []
            for name, datatype, values in table_columns():
                columns.append(InferInput(name, [len(values), 1], datatype))
                columns[-1].set_data_from_numpy(values.reshape(-1, 1), binary_data=binary)
            answer = await client.infer(URL, InferRequest("people", columns), model_name="people")
            said[f"people {binary}"] = plain(answer.outputs[0].as_numpy())
        first = InferenceRESTClient(RESTConfig(protocol="v1", timeout=30))
        said["v1"] = (await first.infer(URL, {"instances": X.tolist()}, model_name="numbers"))["predictions"]
        said["v1 model"] = await first.is_model_ready(URL, "numbers")
    asyncio.run(ask())
    return said


def mlserver():
    """MLServer's codecs of data frames and arrays."""
    import requests
    from mlserver.codecs import NumpyRequestCodec, PandasCodec
    from mlserver.codecs.numpy import NumpyCodec
    from mlserver.codecs.string import StringCodec
    from mlserver.types import InferenceResponse
    said = {}
    for name, request, codec in (("people", PandasCodec.encode_request(TABLE, use_bytes=False), StringCodec),
                                 ("numbers", NumpyRequestCodec.encode_request(X), NumpyCodec)):
        answer = requests.post(f"{URL}/v2/models/{name}/infer", json=request.model_dump(exclude_none=True), timeout=30)
        assert answer.status_code == 200, answer.text
        output = InferenceResponse.model_validate(answer.json()).outputs[0]
        said[name] = plain(codec.decode_output(output))
    return said


def mlflow():
    """MLflow's client of a scoring server, which makes the payloads of data frames and arrays."""
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient
    client = ScoringServerClient("127.0.0.1", int(URL.rsplit(":", 1)[1]))
    client.ping()
    said = {"version": client.get_version()}
    said["people"] = plain(client.invoke(TABLE).get_predictions()[0])
    return said


if __name__ == "__main__":
    URL = sys.argv[2]
    with open(sys.argv[3], encoding="utf-8") as f:
        rows = json.load(f)
    X, TABLE = np.array(rows["x"]), pd.DataFrame(rows["table"])
    print(json.dumps({"triton": triton, "kserve": kserve, "mlserver": mlserver, "mlflow": mlflow}[sys.argv[1]]()))
