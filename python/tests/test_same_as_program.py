"""Every golden model through Python and through the program's own jobs: the same values to the bit, in every method.

The goldens are models that many versions of the libraries wrote (tests/golden). Their rows are read here as Python would
hold them, a DataFrame or an array, and go through foretell.load; the same file goes through a job, which is what
foretell predict runs. Some go through the program itself.
"""

import csv
import os
import pathlib
import re
import sys

import foretell
import numpy as np
import pandas as pd
import pytest
from foretell import errors

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/python"))
import ftl  # noqa: E402
import golden  # noqa: E402

LONG = os.environ.get("FTL_TEST_PROFILE") == "long"
# One case in so many of each archive; another one in each.
EVERY = 1 if LONG else 5
BY_PROGRAM = 10 if LONG else 40

CELL = re.compile(r'(?:"((?:[^"]|"")*)"|([^,\n\r]*))(,|\r?\n|$)')
MISSING = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "<NA>", "n/a", "#N/A", "-nan", "-NaN"}


class Quoted(str):
    """A cell that stands in quotes, so that it is a text even when it is empty."""


def read_cells(path):
    """Names and rows of a CSV file."""
    text = path.read_text(encoding="utf-8")
    rows, row = [], []
    for match in CELL.finditer(text):
        if match.start() == len(text) and not row:
            break
        quoted, plain, end = match.groups()
        row.append(plain if quoted is None else Quoted(quoted.replace('""', '"')))
        if end != ",":
            rows.append(row)
            row = []
    return rows[0], rows[1:]


def value_of(cell, column):
    """A cell as Python holds it for an input of that kind; a category of a missing cell's very text wins."""
    missing = not isinstance(cell, Quoted) and cell in MISSING and (cell == "" or cell not in column["texts"])
    if column["kind"] == "unused":
        try:
            return float("nan") if missing else float(cell)
        except ValueError:
            return str(cell)
    if column["kind"] == "numeric":
        return float("nan") if missing or cell == "" else float(cell) if cell not in ("True", "False") else float(cell == "True")
    if column["kind"] == "bool":
        return None if missing else cell in ("True", "true", "1", "1.0")
    if missing:
        return None if column["missing"] == "none" else float("nan")
    if column["kind"] == "mixed" and column["numbers"] and cell not in column["texts"]:
        return value_in_dict(str(cell))
    return str(cell)


def value_in_dict(cell):
    """A value of a dict for DictVectorizer: a number, a bool or a text."""
    if cell in ("True", "False"):
        return cell == "True"
    try:
        return str(cell) if isinstance(cell, Quoted) else float(cell)
    except ValueError:
        return str(cell)


def rows_of(path, model):
    """What the library would be given: an array of .npy, else a DataFrame, or an array for models without names."""
    if path.suffix == ".npy":
        return np.load(path)
    inputs = [{**told, **column} for told, column in zip(model._description()["inputs"], model._core.inputs(), strict=False)]
    catboost = "catboost" in str(model._description()["steps"])  # which keeps hashes of its categories alone
    for column in inputs:
        column["texts"] = MISSING - {""} if catboost and column["kind"] == "string" else set(column.get("categories", []))
        column["numbers"] = not catboost and any(not isinstance(one, str) for one in column.get("categories", []))
    names, rows = read_cells(path)
    if model._checking_class() == "DictVectorizer":
        return [{name: value_in_dict(cell) for cell, name in (
            (row[names.index(column["name"])], column["name"]) for column in inputs if column["name"] in names)
            if isinstance(cell, Quoted) or cell != ""} for row in rows]
    if model._names is None:
        if model._n_inputs is None:
            inputs = [{"kind": "numeric", "texts": (), "numbers": False}] * len(names)
        elif not inputs:
            return np.zeros((len(rows), 1))  # whatever there is: the model does not look at it
        columns = [[value_of(row[i], column) for row in rows] for i, column in enumerate(inputs)]
        if all(type(value) is float for values in columns for value in values):
            return np.array(columns, dtype=float).T.copy()
        table = np.empty((len(rows), len(columns)), dtype=object)
        for i, values in enumerate(columns):
            table[:, i] = values
        return table
    at = {name: i for i, name in enumerate(names)}
    made = {}
    for column in inputs:
        if column["name"] in at:
            values = [value_of(row[at[column["name"]]], column) for row in rows]
            made[column["name"]] = np.array(values, float) if column["kind"] == "numeric" else pd.Series(values, dtype=object)
    return pd.DataFrame(made)


def columns_of(result):
    """The columns of a result, side by side as in a file."""
    out = []
    for part in result if isinstance(result, (list, tuple)) else [result]:
        part = np.asarray(part)
        part = part.reshape(len(part), -1) if part.ndim == 3 else part
        out += [part] if part.ndim == 1 else [part[:, i] for i in range(part.shape[1])]
    return out


def same_cell(cell, value):
    if isinstance(value, (float, np.floating)):
        if np.isnan(value):
            return cell in ("", "nan")
        return cell != "" and type(value)(float(cell)) == value
    if value is None:
        return cell == ""
    return cell == str(value)


def sample():
    """(version, cases) to run in one test."""
    for number, version in enumerate(golden.versions()):
        chosen = golden.cases(version)[number % EVERY::EVERY]
        for first in range(0, len(chosen), 200):
            yield pytest.param(version, chosen[first:first + 200], id=f"{version}-{first}")


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], rows[1:]


@pytest.mark.parametrize("version, chosen", list(sample()))
def test_golden(version, chosen, tmp_path):
    data = golden.unpacked(version)
    differ = []
    for number, case in enumerate(chosen):
        model = foretell.load(data / case["model"])
        rows = rows_of(data / case["input"], model)
        for method in golden.methods(case):
            try:
                differ += [f"{case['name']} {method}: {wrong}" for wrong in one(
                    model, method, rows, data / case["model"], data / case["input"], tmp_path / "out.csv",
                    number % BY_PROGRAM == 0, case)]
            except Exception as error:
                differ.append(f"{case['name']} {method}: {type(error).__name__}: {error}")
    assert not differ, f"{len(differ)} differ:\n" + "\n".join(differ[:20])


def one(model, method, rows, model_path, rows_path, out, by_program, case):
    """What differs in one method."""
    out.unlink(missing_ok=True)
    if method in case.get("errors", {}):
        try:
            model._run(method, rows)
        except errors.Error:
            return
        yield "the rows are predicted, which the library refuses"
        return
    got = columns_of(model._run(method, rows))
    if by_program:
        ftl.run("predict", model_path, rows_path, "-o", out, "--method", method, *golden.EMPTY_TEXTS)
    else:
        model._core.score_file(rows_path, out, method=method, empty_text="text")
    _, want = read_csv(out)
    if len(want) != len(rows) or len(want[0]) != len(got):
        yield f"{len(got)} columns of {len(rows)} rows instead of {len(want[0])} of {len(want)}"
        return
    for i, column in enumerate(got):
        for row, cells in enumerate(want):
            if not same_cell(cells[i], column[row]):
                yield f"row {row}, column {i}: {column[row]!r} instead of {cells[i]!r}"
                return
