"""Write one directory of small joblib dumps and pickles; run by generate.py inside each pinned environment.

Runs on Python 2.7 and 3.6+: no f-strings, no keyword-only arguments.  The objects are the same everywhere, so that one
expected text per object (see README.md for its grammar) serves all environments.
"""
from __future__ import print_function, unicode_literals

import json
import os
import pickle
import struct
import sys

import numpy as np
import scipy.sparse as sp

PY2 = sys.version_info[0] == 2
TEXT = type("")


def native(text):
    """`str` of the running Python: a byte string in Python 2, so that its pickles use STRING opcodes."""
    return text.encode("ascii") if PY2 else text


def arrays():
    structured = np.zeros(3, dtype=np.dtype({"names": [native("left"), native("threshold"), native("flag")],
                                             "formats": ["<i8", "<f8", "|u1"], "itemsize": 24}))
    structured["left"] = [1, -1, -2]
    structured["threshold"] = [0.5, -0.0, 1e300]
    structured["flag"] = [1, 0, 1]
    fortran = np.asfortranarray(np.arange(12, dtype="<f8").reshape(3, 4) / 8)
    return [
        ("f8", np.array([0.1, -0.0, 5e-324, 1.7976931348623157e308, np.inf, -np.inf])),
        ("f4", np.array([[0.1, 2.5], [-3.25, 1e-45]], dtype="<f4")),
        ("f2", np.array([1.5, -2.0], dtype="<f2")),
        ("i8", np.array([1, -2, 2 ** 62], dtype="<i8")),
        ("i4", np.array([[1, -2, 3]], dtype="<i4")),
        ("u1", np.arange(5, dtype="|u1")),
        ("u4", np.array([4294967295, 0], dtype="<u4")),
        ("bool", np.array([True, False, True])),
        ("unicode", np.array(["", "caf\u00e9", "\u6f22\u5b57", "\U0001f600"])),
        ("bytes", np.array([b"", b"ab", b"\xff\x01z"])),
        ("structured", structured),
        ("fortran", fortran),
        ("view", np.arange(24, dtype="<i8").reshape(4, 6)[::2, 1:4]),
        ("zero_d", np.array(2.75)),
        ("empty", np.empty((0,), dtype="<f8")),
        ("empty_2d", np.empty((3, 0), dtype="<i8")),
        ("big_endian", np.array([1.5, -2.25, 1e10], dtype=">f8")),
        ("big_endian_int", np.array([[1, 258], [-3, 4]], dtype=">i4")),
        ("three_d", np.arange(8, dtype="<f8").reshape(2, 2, 2)),
        ("after", np.array([42], dtype="<i8")),
    ]


def mixed():
    shared = np.array([7.0, 8.0])
    labels = np.array(["no", "yes", None, 3, 2.5, True], dtype=object)
    nested = np.empty((2, 2), dtype=object)
    nested[0, 0] = np.array([1.0, 2.0])
    nested[0, 1] = "x"
    nested[1, 0] = [1, 2]
    nested[1, 1] = np.array(["a", "b"], dtype=object)
    return [
        ("labels", labels),
        ("nested", nested),
        ("strings", np.array(["caf\u00e9", "", "na\u00efve \"quoted\"\n"], dtype=object)),
        ("shared", [shared, shared, {native("again"): shared}]),
        ("scalars", [np.float64(1.5), np.float32(0.1), np.int64(-5), np.bool_(True), np.int32(7)]),
        ("dtypes", [np.dtype("<f8"), np.dtype(">i4"), np.dtype("O"), np.dtype("<U5")]),
        ("numbers", [0, 1, -1, 255, 256, 65535, 65536, 2147483647, -2147483648, 2147483648, 2 ** 62, -2 ** 63,
                     2 ** 63, 2 ** 70, -2 ** 70, 2 ** 2100]),
        ("floats", [0.0, -0.0, 0.1, 1e-320, 1.7976931348623157e308, float("inf"), float("-inf")]),
        ("singletons", [None, True, False, (), [], {}]),
        ("tuples", [(1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ("a", ("b", ("c",)))]),
        ("text", ["", "plain", "caf\u00e9", "\u6f22\u5b57 \U0001f600", "back\\slash \\u0041\n", "x" * 300]),
        ("keys", {native("a"): 1, native("b"): [2.5, None]}),
        ("sets", [{1}, frozenset([2])]),
        ("many", list(range(1100))),
        ("after", np.array([42], dtype="<i8")),
    ]


def sparse():
    dense = np.array([[0, 1.5, 0, 0], [0, 0, 0, 0], [-2.0, 0, 0, 1e-300]])
    return [
        ("csr", sp.csr_matrix(dense)),
        ("csc", sp.csc_matrix(dense)),
        ("csr_f4", sp.csr_matrix(dense.astype("<f4"))),
        ("csr_empty", sp.csr_matrix((2, 3))),
    ]


def large():
    return [("ramp", np.arange(40000, dtype="<f8") // 8), ("after", np.array([42], dtype="<i8"))]


OBJECTS = [("arrays", arrays), ("mixed", mixed), ("sparse", sparse), ("large", large)]


def element_bytes(array):
    """Hex of each element's bytes as stored (its own endianness), in C order; one line per last axis."""
    flat = np.ascontiguousarray(array)
    raw = flat.tobytes()
    size = array.dtype.itemsize
    cells = [raw[i:i + size] for i in range(0, len(raw), size)] if size else [b""] * array.size
    text = ["".join("%02x" % b for b in bytearray(cell)) for cell in cells]
    per_line = array.shape[-1] if array.ndim else 1
    per_line = max(1, min(per_line, 16))
    return [" ".join(text[i:i + per_line]) for i in range(0, len(text), per_line)]


def quoted(text):
    """Printable ASCII as it is; every other byte of the UTF-8 form, and quote and backslash, as \\xHH."""
    return '"%s"' % "".join(chr(b) if 32 <= b < 127 and b not in (34, 92) else "\\x%02x" % b
                            for b in bytearray(text.encode("utf-8")))


def dump(value, depth, out):
    """Append the canonical lines of one value; the grammar is in README.md."""
    def line(*words):
        out.append("  " * depth + " ".join(words))

    if value is None:
        line("none")
    elif isinstance(value, np.generic):
        line("scalar", value.dtype.str, element_bytes(np.array(value))[0])
    elif isinstance(value, np.dtype):
        line("dtype", value.str)
    elif isinstance(value, (bool,)):
        line("bool", str(value))
    elif isinstance(value, int if not PY2 else (int, long)):  # noqa: F821
        line("int", ("%x" % value) if value >= 0 else "-%x" % -value)
    elif isinstance(value, float):
        line("float", "%016x" % struct.unpack("<Q", struct.pack("<d", value)))
    elif isinstance(value, (TEXT, str)):
        line("str", quoted(value if isinstance(value, TEXT) else value.decode("ascii")))
    elif isinstance(value, (list, tuple, set, frozenset)):
        line(type(value).__name__, str(len(value)))
        for item in value:
            dump(item, depth + 1, out)
    elif isinstance(value, dict):
        line("dict", str(len(value)))
        for key in sorted(value):
            dump(key, depth + 1, out)
            dump(value[key], depth + 1, out)
    elif isinstance(value, np.ndarray):
        shape = "x".join(str(n) for n in value.shape) or "scalar"
        kind = value.dtype.str
        if value.dtype.names:
            kind = ",".join("%s:%s@%d" % (n, value.dtype.fields[n][0].str, value.dtype.fields[n][1])
                            for n in value.dtype.names) + "/%d" % value.dtype.itemsize
        line("ndarray", kind, shape)
        if value.dtype == object:
            for item in value.ravel().tolist():
                dump(item, depth + 1, out)
        else:
            out.extend("  " * (depth + 1) + row for row in element_bytes(value))
    elif sp.issparse(value):
        line(value.format, "x".join(str(n) for n in value.shape))
        for part in (value.data, value.indices, value.indptr):
            dump(part, depth + 1, out)
    else:
        raise TypeError(type(value))


def write(path, payload):
    with open(path, "wb") as f:
        f.write(payload)


def main(target, what):
    index = []
    directory = os.path.basename(target)
    expected = os.path.join(os.path.dirname(target), "expected")
    for path in (target, expected):
        if not os.path.isdir(path):
            os.makedirs(path)

    def record(name, obj, **more):
        entry = dict(more, file=directory + "/" + name, object=obj, python="%d.%d" % sys.version_info[:2],
                     numpy=np.__version__)
        index.append(entry)

    for name, make in OBJECTS:
        lines = []
        dump(make(), 0, lines)
        text = "\n".join(lines) + "\n"
        path = os.path.join(expected, name + ".txt")
        if os.path.exists(path):
            with open(path, "rb") as f:
                if f.read().decode("ascii") != text:
                    raise SystemExit("%s: %s differs from what another environment made" % (directory, name))
        write(path, text.encode("ascii"))

    if what == "pickle":
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            for name, make in OBJECTS[:3]:
                file = "%s.p%d.pkl" % (name, protocol)
                write(os.path.join(target, file), pickle.dumps(make(), protocol))
                record(file, name, method="none", protocol=protocol)
            if PY2:
                import cPickle
                for name, make in OBJECTS[:3]:
                    file = "%s.c%d.pkl" % (name, protocol)
                    write(os.path.join(target, file), cPickle.dumps(make(), protocol))
                    record(file, name, method="none", protocol=protocol)
    else:
        import joblib
        old = joblib.__version__.startswith("0.9")
        methods = [("none", 0), ("zlib", 3)]
        if old:
            methods.append(("zlib_side", 3))
        else:
            methods += [(m, (m, 3)) for m in ("gzip", "bz2", "lzma", "xz")]
            if tuple(int(x) for x in joblib.__version__.split(".")[:2]) >= (0, 13):
                methods.append(("lz4", ("lz4", 3)))
        for method, compress in methods:
            for name, make in OBJECTS:
                if name == "large" and method == "none" and not joblib.__version__ == "1.6.0":
                    continue
                if name in ("mixed", "sparse") and method not in ("none", "zlib", "zlib_side"):
                    continue
                file = "%s.%s.joblib" % (name, method)
                before = set(os.listdir(target))
                # cache_size 0 makes 0.9 put compressed arrays beside the file too (ZNDArrayWrapper, .npy.z)
                more = {"cache_size": 0} if method == "zlib_side" else {}
                joblib.dump(make(), os.path.join(target, file), compress=compress, **more)
                side = sorted(set(os.listdir(target)) - before - {file})
                record(file, name, method=method, joblib=joblib.__version__, side_files=side)
    with open(os.path.join(target, "index.json"), "w") as f:
        text = json.dumps(index, indent=1, sort_keys=True)
        f.write(text.encode("ascii") if PY2 else text)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
