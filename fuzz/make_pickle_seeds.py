#!/usr/bin/env python3
"""Writes the seed corpora of fuzz_pickle and fuzz_joblib: fuzz/corpus/pickle and fuzz/corpus/joblib.

Needs numpy, scipy, joblib, scikit-learn, lz4, pandas 3 and pyarrow. The seeds are committed; run this only to change them.
"""

import argparse
import collections
import io
import pathlib
import pickle

import joblib
import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.tree import DecisionTreeClassifier

HERE = pathlib.Path(__file__).resolve().parent


def values():
    """Small objects that reach the known constructors."""
    cycle = [1]
    cycle.append(cycle)
    return {
        "plain": {"a": [1, -1, 300, 70000, 2**40, -(2**90)], "b": (1.5, None, True, "é\ud800", b"\x00\xff")},
        "containers": [{1, 2}, frozenset("ab"), collections.OrderedDict(x=1), collections.defaultdict(int, y=2),
                       bytearray(b"xyz"), slice(1, 2), complex(1, 2), range(3), cycle],
        "numbers": [np.float32(1.5), np.int64(-1), np.bool_(True), np.str_("ab"), np.datetime64("2020-01-01")],
        "arrays": [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.array(["a", "bc"]),
                   np.array([b"x"]), np.array([1, "a", None], dtype=object), np.array([1, 2], ">i4"), np.zeros((0, 3))],
        "structured": np.zeros(2, dtype=[("left", "<i8"), ("right", "<i8"), ("feature", "<i8"), ("value", ">f8")]),
        "sparse": [sp.csr_matrix([[1.0, 0], [0, 2]]), sp.csc_matrix([[1.0, 0], [0, 2]])],
        "masked": np.ma.array([1.0, 2.0], mask=[False, True]),
        "arrow": pd.Index(["a", "bcé", None, ""])[1:],
        "frame_index": [pd.RangeIndex(3), pd.Index(pd.array(["a", pd.NA], dtype="string[python]"))],
        "tree": DecisionTreeClassifier(max_depth=2, random_state=0).fit([[0, 1], [1, 0], [1, 1], [2, 3]], [0, 1, 1, 0]),
    }


HAND = {
    "inst": b"(i__main__\nThing\n(dS'a'\nI1\nsb.",
    "obj": b"(c__main__\nThing\nI1\no.",
    "string": b"(S'a\\x41\\n\\'\\101'\nS\"b\"\nV\\u00e9x\\U0001f600\nL12345678901234567890L\nF1.5e3\nI01\nt.",
    "ext": b"\x80\x02\x82\x01\x83\x01\x00\x84\x01\x00\x00\x00\x87.",
    "persistent": b"(Pname\nK\x01Qt.",
    "memo": b"]q\x00h\x00a(g0\np1\nj\x00\x00\x00\x00r\x02\x00\x00\x0002K\x01e.",
    "binstring": b"(U\x02\xff\x00T\x02\x00\x00\x00abt.",
    "reduce_system": b"cos\nsystem\n(S'true'\ntR.",
    "pop_mark": b"K\x01(K\x02K\x031K\x042\x860(0.",
    "stack_global": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
    "newobj_ex": b"\x80\x04c__main__\nThing\n)}\x8c\x01aK\x01s\x92}b.",
    "side_file": b"\x80\x02cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81}X\x08\x00\x00\x00filenameX\x05\x00\x00\x00a.npysb.",
}


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    for name in ("pickle", "joblib"):
        (HERE / "corpus" / name).mkdir(parents=True, exist_ok=True)
    for name, value in values().items():
        for protocol in (0, 2, 4, 5) if name != "tree" else (3,):
            (HERE / "corpus/pickle" / f"{name}.p{protocol}").write_bytes(pickle.dumps(value, protocol))
        if name not in ("arrays", "structured", "sparse", "tree"):
            continue
        for method in (0, ("zlib", 9), ("gzip", 9), ("bz2", 9), ("xz", 9), ("lzma", 9), ("lz4", 9)):
            if method and name != "arrays":
                continue
            out = io.BytesIO()
            joblib.dump(value, out, compress=method)
            (HERE / "corpus/joblib" / f"{name}.{method[0] if method else 'none'}").write_bytes(out.getvalue())
    for name, data in HAND.items():
        (HERE / "corpus/pickle" / name).write_bytes(data)


if __name__ == "__main__":
    main()
