"""Stand-alone C files that the program generates: built, loaded, and compared with its own predictions bit for bit."""

import csv
import ctypes
import pathlib
import re
import subprocess

import ftl
import numpy as np
import pandas as pd
import pyarrow as pa

FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
TYPES = {"int": np.int32, "long long": np.int64, "float": np.float32, "double": np.float64}
LABELS = {"const char *const": ctypes.c_char_p, "const double": ctypes.c_double, "const long long": ctypes.c_longlong}
UNKNOWN, MISSING, INFINITE = 4, 1, 2


def generate(model_path, path, *options):
    """The finished process of `foretell generate MODEL -o path`."""
    return ftl.run("generate", model_path, "-o", path, *options)


def compile_c(source, out, *flags, optimise="-O1"):
    process = subprocess.run(["cc", *FLAGS, optimise, *flags, str(source), "-o", str(out), "-lm"], capture_output=True,
                             text=True, check=False, timeout=120)
    assert process.returncode == 0, process.stderr[:3000]
    return out


# Code that finds no more instructions than these, of the ones that the processor has.
PROCESSOR = """
#include <immintrin.h>
#include <string.h>
static int supports(const char *what) { return strstr(" %s ", what) != NULL; }
#define __builtin_cpu_supports supports
#include "%s"
"""


class Generated:
    """A model's stand-alone code, built as a shared library."""

    def __init__(self, model_path, folder, *options, prefix="model", flags=(), optimise="-O1", processor=None):
        self.source = pathlib.Path(folder) / f"{prefix}.c"
        process = generate(model_path, self.source, "--prefix", prefix, *options)
        assert process.returncode == 0, process.stderr
        self.text = self.source.read_text(encoding="utf-8")
        self.prefix = prefix
        if processor is not None:
            self.source.with_suffix(".cpu.c").write_text(PROCESSOR % (" ".join(processor), self.source.name))
            self.source = self.source.with_suffix(".cpu.c")
        path = compile_c(self.source, self.source.with_suffix(".so"), "-shared", "-fPIC", *flags, optimise=optimise)
        self.library = ctypes.CDLL(str(path))
        number = re.search(rf"typedef (float|double) {prefix}_row; /\* \[(\d+)\]", self.text)
        self.dtype = TYPES[number.group(1)] if number else None
        self.members = [] if number else self.read_members()

    def read_members(self):
        body = re.search(rf"typedef struct {self.prefix}_row {{\n(.*?)}}", self.text, re.DOTALL).group(1)
        kinds = {"float ": ctypes.c_float, "double ": ctypes.c_double, "const char *": ctypes.c_char_p}
        return [(name, kinds[kind]) for kind, name in re.findall(r"    (float |double |const char \*)(\w+);", body)]

    def methods(self):
        return re.findall(rf"\nint {self.prefix}_(\w+)\(const {self.prefix}_row \*row,", self.text)

    def classes(self, target):
        name = f"{self.prefix}_classes" + (f"_{target + 1}" if target else "")
        kind, count = re.search(rf"extern (.*?) {name}\[(\d+)\];", self.text).groups()
        return list((LABELS[kind] * int(count)).in_dll(self.library, name))

    def rows(self, x):
        """Rows in memory: of a matrix, or of cells of a CSV file by the columns' order."""
        if self.dtype:
            return np.ascontiguousarray(x, self.dtype)
        row = type("Row", (ctypes.Structure,), {"_fields_": self.members})
        out = (row * len(x))()
        for at, cells in enumerate(x):
            for (name, kind), cell in zip(self.members, cells, strict=True):
                setattr(out[at], name, (cell.encode() if cell else None) if kind is ctypes.c_char_p else number(cell))
        return out

    def result(self, method, n):
        kind, count = re.search(rf"/\* out\[(\d+)\]:[^\n]*\nint {self.prefix}_{method}\(const \w+ \*row, ([a-z ]+) \*out\)",
                                self.text).groups()[::-1]
        return np.full((n, int(count)), -1, TYPES[kind])

    def predict(self, method, x, one_by_one=False):
        """(results, codes) of all rows."""
        rows, n = self.rows(x), len(x)
        out, codes = self.result(method, n), np.full(n, -1, np.int32)
        call = getattr(self.library, f"{self.prefix}_{method}")
        at = rows.ctypes.data if self.dtype else ctypes.addressof(rows)
        step = rows.strides[0] if self.dtype else ctypes.sizeof(type(rows)._type_)
        if one_by_one:
            for i in range(n):
                codes[i] = call(ctypes.c_void_p(at + i * step), ctypes.c_void_p(out[i:].ctypes.data))
            return out, codes
        batch = getattr(self.library, f"{self.prefix}_{method}_batch")
        batch.restype = ctypes.c_size_t
        refused = batch(ctypes.c_void_p(at), ctypes.c_size_t(n), out.ctypes.data_as(ctypes.c_void_p),
                        codes.ctypes.data_as(ctypes.c_void_p))
        assert refused == (codes != 0).sum()
        return out, codes

    def error(self, code):
        """(text, column, its name)"""
        tell, name = self.library[f"{self.prefix}_error"], self.library[f"{self.prefix}_column_name"]
        tell.restype = name.restype = ctypes.c_char_p
        column = self.library[f"{self.prefix}_error_column"](int(code))
        return tell(int(code)).decode(), column, name(column).decode()


def number(cell):
    """NaN also for texts, which stand in columns that the model does not look at."""
    try:
        return float(cell == "True") if cell in ("True", "False") else float(cell)
    except ValueError:
        return np.nan


def write_rows(x, folder):
    """(path of the rows as the program reads them, rows as generated code does)"""
    folder = pathlib.Path(folder)
    if not isinstance(x, pd.DataFrame):
        np.save(folder / "rows.npy", x)
        return folder / "rows.npy", x
    x.to_csv(folder / "rows.csv", index=False)
    with open(folder / "rows.csv", encoding="utf-8", newline="") as f:
        return folder / "rows.csv", list(csv.reader(f))[1:]


def predicted(model_path, rows_path, method, *options):
    """The program's predictions as a table."""
    out = rows_path.parent / "out.arrow"
    process = ftl.run("predict", model_path, rows_path, "-o", out, "--method", method, "--on-error", "null", *options)
    assert process.returncode in (0, 5), process.stderr
    with pa.OSFile(str(out)) as f:
        return pa.ipc.open_file(f).read_all()


def bits(values):
    """What must be equal: every NaN is one NaN."""
    values = np.ascontiguousarray(values)
    if values.dtype.kind != "f":
        return values
    return np.where(np.isnan(values), 0, values.view(f"i{values.dtype.itemsize}"))


def same(generated, method, x, table):
    """Asserts that the results, and the rows that are refused, are those of the table, one by one and in a batch."""
    out, codes = generated.predict(method, x)
    alone, codes_alone = generated.predict(method, x, one_by_one=True)
    assert (codes == codes_alone).all()
    refused = np.array([all(column[i].as_py() is None for column in table.columns) for i in range(len(x))])
    assert ((codes != 0) == refused).all(), (np.flatnonzero((codes != 0) != refused), codes)
    good = codes == 0
    assert (bits(out[good]) == bits(alone[good])).all(), method
    assert (out[~good] == -1).all() and out.shape[1] == table.num_columns, method
    for i, column in enumerate(table.columns):
        wanted = column.to_numpy(zero_copy_only=False)[good]
        got = out[good, i]
        if method == "predict" and out.dtype == np.int32:
            labels = generated.classes(i)
            got = np.array([labels[k] for k in got], object)
            wanted = np.array([v.encode() if isinstance(v, str) else v for v in wanted], object)
            assert (got == wanted).all(), method
            continue
        assert (bits(got.astype(wanted.dtype)) == bits(wanted)).all(), (method, i, got, wanted)


def compare(model_path, x, folder, *options, methods=None, predict_options=()):
    """Generates, builds and compares all of the methods that foretell runs."""
    more = ["--method", ",".join(methods)] if methods else []
    generated = Generated(model_path, folder, *more, *options)
    rows_path, rows = write_rows(x, folder)
    for method in generated.methods():
        same(generated, method, rows, predicted(model_path, rows_path, method, *predict_options))
    return generated


def edges(generated, x, rng, n=60):
    """Rows of x moved onto thresholds of the generated trees, and one unit beside them."""
    found = []
    for kind, name, body in re.findall(r"static const (float|double) (\w+)_edges\[\d+\] = {(.*?)};", generated.text, re.DOTALL):
        values = [float(v.strip().rstrip("f").replace("INFINITY", "inf")) for v in body.split(",") if "NAN" not in v]
        table = re.search(rf"}} {name}_columns\[\d+\] = {{(.*?)}};", generated.text, re.DOTALL)
        for feature, start, steps in re.findall(r"{(\d+), (\d+), (\d+), ", table.group(1) if table else ""):
            found += [(int(feature), v, kind) for v in values[int(start):int(start) + 2**int(steps) - 1] if np.isfinite(v)]
    rows = x[rng.integers(0, len(x), n)].astype(float)
    for i in range(n):
        if found:
            feature, value, kind = found[rng.integers(len(found))]
            unit = np.float32 if kind == "float" else np.float64
            rows[i, feature] = [value, np.nextafter(unit(value), unit(np.inf)), np.nextafter(unit(value), unit(-np.inf)),
                                np.nextafter(value, np.inf)][i % 4]
    return rows
