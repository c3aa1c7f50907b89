"""Requests of the protocols that foretell-server speaks, made by hand from their specifications, and their answers as rows."""

import json
import struct

import numpy as np

NUMPY = {"FP64": "<f8", "FP32": "<f4", "FP16": "<f2", "INT64": "<i8", "INT32": "<i4", "INT16": "<i2", "INT8": "i1",
         "UINT64": "<u8", "UINT32": "<u4", "UINT16": "<u2", "UINT8": "u1", "BOOL": "?"}
JSON = {"Content-Type": "application/json"}


# ---- The Open Inference Protocol ---------------------------------------------------------------------------

def to_bytes(datatype, values):
    """A flat list as the binary extension has it; texts with their length in front."""
    if datatype == "BYTES":
        texts = [v if isinstance(v, bytes) else v.encode() for v in values]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return np.array([np.nan if v is None else v for v in values], dtype=NUMPY[datatype]).tobytes()


def from_bytes(datatype, data):
    if datatype == "FP32":  # as JSON has them: the shortest digits that say which float32 it is
        return [float(str(v)) for v in np.frombuffer(data, dtype="<f4")]
    if datatype != "BYTES":
        return np.frombuffer(data, dtype=NUMPY[datatype]).tolist()
    texts = []
    while data:
        size = struct.unpack("<I", data[:4])[0]
        texts.append(data[4:4 + size].decode())
        data = data[4 + size:]
    return texts


def infer(server, model, inputs, outputs=(), binary=False, binary_output=False, pad=0, **more):
    """POST /v2/models/MODEL/infer of [(name, datatype, shape, flat values)]; the reply."""
    head = {"inputs": [], **more}
    body = b""
    for name, datatype, shape, values in inputs:
        tensor = {"name": name, "datatype": datatype, "shape": list(shape)}
        if binary:
            data = values if isinstance(values, bytes) else to_bytes(datatype, values)
            tensor["parameters"] = {"binary_data_size": len(data)}
            body += data
        else:
            tensor["data"] = values
        head["inputs"].append(tensor)
    if outputs:
        head["outputs"] = [{"name": name} for name in outputs]
    if binary_output:
        head["parameters"] = {"binary_data_output": True}
    text = json.dumps(head).encode() + b" " * pad
    headers = {"Inference-Header-Content-Length": str(len(text))} if binary else JSON
    return server.request("POST", f"/v2/models/{model}/infer", text + body, headers)


def tensors(answer):
    """{name: (datatype, shape, flat values)} of a reply, JSON or binary."""
    assert answer.status == 200, answer
    size = int(answer.headers.get("inference-header-content-length", len(answer.body)))
    head, rest = json.loads(answer.body[:size]), answer.body[size:]
    found = {}
    for output in head["outputs"]:
        if "data" in output:
            values = output["data"]
        else:
            n = output["parameters"]["binary_data_size"]
            values, rest = from_bytes(output["datatype"], rest[:n]), rest[n:]
        count = int(np.prod(output["shape"]))
        assert len(values) == count, output
        found[output["name"]] = (output["datatype"], output["shape"], values)
    assert not rest
    return found


def missing(value):
    return None if isinstance(value, float) and not np.isfinite(value) else value


def rows_of(answer, method):
    """Rows of a method of a reply: its one tensor, or the tensors of its columns."""
    found = tensors(answer)
    if method in found:
        _, shape, values = found[method]
        width = 1 if len(shape) == 1 else shape[1]
        return [[missing(v) for v in values[i:i + width]] for i in range(0, len(values), width or 1)]
    return [[missing(v) for v in row] for row in zip(*(values for _, _, values in found.values()))]


# ---- Plain JSON --------------------------------------------------------------------------------------------

def plain_rows(values):
    """[v, ...] or [[v, ...], ...] as rows."""
    return [v if isinstance(v, list) else [v] for v in values]
