"""Tables that tests/unit/sink_write writes, and the same values in Python."""

import subprocess

import ftl
import numpy as np

MARKS = ["", "é", "漢字", "😀", "\uffff", '\x01"\n']


def write(path, columns, rows, batch=5000, skip=0, compression="-"):
    """Writes and returns what stood on standard output, for the path "-"."""
    done = subprocess.run([ftl.of_unit_tests("sink_write"), str(path), str(rows), str(batch), str(skip), compression, *columns],
                          capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def scramble(x):
    """SplitMix64's finalizer."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def floats(h):
    with np.errstate(invalid="ignore"):
        values = (h.view(np.int64) >> np.int64(11)).astype(np.float64) / 1048576
        values = np.where(h % np.uint64(50) == 3, (h.view(np.int64) >> np.int64(40)).astype(np.float64), values)
    for case, value in enumerate((np.nan, -0.0, 0.0)):
        values[h % np.uint64(50) == case] = value
    return values


def texts(kind, rows, h):
    out = []
    distinct = int(kind[1:]) if kind[0] == "t" else 0
    if kind == "a":
        return [f"id-{number >> 40}" for number in h.tolist()]
    for row, number in zip(rows.tolist(), h.tolist(), strict=True):
        n = number % distinct if distinct else row
        text = "" if distinct and n == 0 else MARKS[n % 6] + str(n)
        if kind == "l" and number % 100 == 0:
            text += "x" * max(0, (number >> 20) % 200000 - len(text.encode()))
        out.append(text)
    return out


def values(columns, rows, skip=0):
    """{name: (values, which are null)} of a recipe."""
    out = {}
    row = np.arange(rows, dtype=np.uint64)
    if skip:
        row = row[row % np.uint64(skip) != 0]
    for i, recipe in enumerate(columns):
        kind, _, nulls = recipe.partition(",")
        h = scramble((np.uint64(i) << np.uint64(40)) + row + np.uint64(0x9E3779B97F4A7C15))
        null = scramble(h) % np.uint64(nulls) == 0 if nulls else np.zeros(len(row), bool)
        if kind in ("f64", "f32"):
            column = floats(h).astype(np.float64 if kind == "f64" else np.float32)
        elif kind in ("i64", "u64"):
            column = h.view(np.int64) if kind == "i64" else h
        elif kind == "bool":
            column = (h & np.uint64(1)).astype(bool)
        else:
            column = np.array(texts(kind, row, h), dtype=object)
        out[f"c{i}"] = (column, null)
    return out


def same(got, want):
    """Whether arrays are equal, NaN to NaN and each zero to one of its own sign."""
    if want.dtype.kind == "f":
        bits = np.uint64 if want.dtype == np.float64 else np.uint32
        nan = np.isnan(want)
        return got.dtype == want.dtype and (np.isnan(got) == nan).all() and \
            (got.view(bits)[~nan] == want.view(bits)[~nan]).all()
    return (got == want).all()
