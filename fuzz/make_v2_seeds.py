#!/usr/bin/env python3
"""Writes fuzz/corpus/v2: requests of the Open Inference Protocol, as fuzz_v2.c takes them."""

import json
import pathlib
import struct

FOLDER = pathlib.Path(__file__).resolve().parent / "corpus/v2"
WIDTHS = {"FP64": 8, "FP32": 4, "FP16": 2, "INT64": 8, "INT32": 4, "INT16": 2, "INT8": 1, "UINT64": 8, "UINT32": 4,
          "UINT16": 2, "UINT8": 1, "BOOL": 1}


def write(name, head, rest=b""):
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    size = struct.pack("<H", len(text) if rest else 0xffff)
    (FOLDER / name).write_bytes(size + text + rest)


def tensor(datatype, shape, data=None, size=None, **more):
    out = {"name": "x", "shape": shape, "datatype": datatype, **more}
    if data is not None:
        out["data"] = data
    if size is not None:
        out["parameters"] = {"binary_data_size": size}
    return out


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for datatype, width in WIDTHS.items():
        values = [1, 0, 1, 0, 1, 1]
        write(f"json_{datatype}", {"inputs": [tensor(datatype, [3, 2], values)]})
        write(f"bytes_{datatype}", {"inputs": [tensor(datatype, [3, 2], size=6 * width)]}, bytes(range(6 * width)))
    texts = ["a", "twelve bytes", "thirteen byte", "quo\"te\n\u00e9", None, ""]
    write("json_BYTES", {"inputs": [tensor("BYTES", [3, 2], texts)]})
    data = b"".join(struct.pack("<I", len(t or "")) + (t or "").encode("latin-1") for t in texts)
    write("bytes_BYTES", {"inputs": [tensor("BYTES", [6], size=len(data))]}, data)
    write("nested", {"id": "a\u20ac", "inputs": [tensor("FP64", [2, 3], [[1.5, None, -3e300], [float("nan"), 1e-9, 7]])],
                     "outputs": [{"name": "predict", "parameters": {"binary_data": True}}],
                     "parameters": {"binary_data_output": False, "more": [1]}})
    write("data_first", b'{"inputs":[{"data":[1,2,[3]],"shape":[3],"datatype":"INT8","name":"\\u0061"}]}')
    write("two", {"inputs": [tensor("FP32", [1, 3], size=12), tensor("BYTES", [1], ["b"]), tensor("FP64", [1], size=8)]},
          bytes(20))
    write("nulls", {"inputs": [tensor("INT16", [9], [None, 1, None, 2, 3, 4, 5, 6, None]), tensor("BOOL", [1, 1], [[None]])]})
    write("empty", {"inputs": [tensor("FP64", [0, 5], [])]})
    write("refused", {"inputs": [tensor("FP64", [2**40, 2**40], [1])]})


if __name__ == "__main__":
    main()
