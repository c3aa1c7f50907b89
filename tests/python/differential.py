"""Differential tests: a freshly trained model and awkward rows, scikit-learn against the program.

FTL_TEST_PROFILE chooses how many examples hypothesis draws: fast (make test; always the same ones) or long
(make test-all; new ones every time).
"""

import os
import pathlib
import sys
import tempfile
import warnings

import ftl
import golden
import hypothesis
import joblib
import numpy as np
import pandas as pd
from hypothesis import strategies as st

sys.path.append(str(ftl.ROOT / "tests/golden"))
import cases  # noqa: E402

LONG = os.environ.get("FTL_TEST_PROFILE") == "long"
# How many times the examples of the fast profile the long one draws.
FACTOR = int(os.environ.get("FTL_TEST_FACTOR", "6"))
METHODS = cases.METHODS
TINY, HUGE = 5e-324, 1.7976931348623157e308


def examples(fast, long=None):
    """Decorator: so many examples in each profile."""
    return hypothesis.settings(
        max_examples=max(long or 0, FACTOR * fast) if LONG else fast, derandomize=not LONG, deadline=None, database=None,
        suppress_health_check=list(hypothesis.HealthCheck), print_blob=True)


seeds = st.integers(0, 2**32 - 1)


def classes(rng, n_classes, kind):
    """Labels of a kind: int, negative, big, bool, float, str, unicode, object."""
    values = {
        "int": np.arange(n_classes), "negative": np.arange(n_classes) * 3 - 4,
        "big": np.arange(n_classes) + 2**53, "bool": np.array([False, True]), "float": np.arange(n_classes) * 2.0 - 3.0,
        "str": np.array(["no", "yes", "perhaps", "never", "a b", "z", "x,y"][:n_classes]),
        "unicode": np.array(["ä", "日本", "no\"", "Ω ω", "é", "🙂", "ÿ"][:n_classes]),
        "object": np.array(["b", "a", "c", "Z", "", "d", "e"][:n_classes], dtype=object),
    }[kind]
    return np.sort(values)[:n_classes]


LABEL_KINDS = ["int", "negative", "big", "bool", "float", "str", "unicode", "object"]


def labels(rng, rows, n_classes, kind):
    """A target vector in which every class appears."""
    values = classes(rng, n_classes, kind)
    picked = np.concatenate([np.arange(len(values)), rng.integers(0, len(values), rows - len(values))])
    return values[rng.permutation(picked)]


def awkward(rng, x, special=True):
    """Rows to predict on: those of x, rounded, scaled to extremes, and, where special, NaN and infinities."""
    rows = x[rng.integers(0, len(x), 24)].astype(float)
    rows[1] = 0.0
    rows[2] = -0.0
    rows[3] *= 1e-310
    rows[4] = np.round(rows[4])
    rows[5] *= 1e6
    rows[6, rng.integers(0, x.shape[1])] = TINY
    if special:
        rows[7, rng.integers(0, x.shape[1])] = np.nan
        rows[8, rng.integers(0, x.shape[1])] = np.inf
        rows[9, rng.integers(0, x.shape[1])] = -np.inf
        rows[10] = np.nan
    return rows


def offered(model):
    """Methods that the fitted model has."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [method for method in METHODS if hasattr(model, method)]


def call(model, method, x):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        result = getattr(model, method)(x)
    if method == "apply":
        return result.reshape(len(result), -1)
    if method == "kneighbors":
        return np.hstack(result)
    if method == "predict" and result.ndim == 2 and result.shape[1] == 1:
        return result[:, 0]  # one target is one target, whatever shape it was given in
    return result


def part(x, rows):
    return x.iloc[rows] if isinstance(x, pd.DataFrame) else x[rows]


def refuses(error):
    """Whether that is how a library refuses rows; CatBoost and LightGBM have errors of their own."""
    return isinstance(error, (ValueError, FloatingPointError)) or type(error).__name__ in ("CatBoostError", "LightGBMError")


def takes(model, method, x):
    """Whether the library takes these rows."""
    try:
        call(model, method, x)
        return True
    except Exception as error:
        if not refuses(error):
            raise
        return False


def refused_rows(model, method, x):
    """Rows that the library raises on, each by itself; empty when it takes them all together."""
    if takes(model, method, x):
        return []
    return [row for row in range(len(x)) if not takes(model, method, part(x, [row]))]


def names_out(model):
    """The names of a transformer's columns, or None where the library has none for them."""
    try:
        return [str(name) for name in model.get_feature_names_out()]
    except (AttributeError, ValueError):
        return None


def description(model, x, method):
    """What golden.compare wants to know about a case."""
    last, _ = cases.final_step(model)
    case = {"kind": cases.kind_of(last), "dtype": str(getattr(x, "dtype", "frame")), "exact": cases.exact_methods(model),
            "single": cases.single(model), "class": type(model).__name__, "final": type(last).__name__}
    if hasattr(model, "classes_"):
        several = isinstance(model.classes_, list)
        case["classes"] = [cases.encode(c)["values"] for c in model.classes_] if several else \
            cases.encode(model.classes_)["values"]
    case["classes"] = cases.meta_facts.classes(model) or case.get("classes")
    names = names_out(model) if method == "transform" else None
    if names is not None:
        case["columns"] = {method: names}
    if method == "transform" and getattr(model, "transformed_names_", None):  # a mapper's
        case["columns"] = {method: list(model.transformed_names_)}
    if cases.vector_facts.columns(last, method):
        case["columns"] = {method: cases.vector_facts.columns(last, method)}
    if cases.vector_facts.is_neighbors(last):
        case["neighbors"] = cases.vector_facts.neighbors_ties(last, x)
    return case


def write_rows(x, folder):
    x = getattr(x, "table", x)  # what the program reads where that is not what the library takes
    if isinstance(x, pd.DataFrame):
        path = folder / "rows.csv"
        cases.write_csv(path, x)
    else:
        path = folder / "rows.npy"
        np.save(path, x)
    return path


def write_model(model, folder, compress=0):
    path = folder / "model.joblib"
    joblib.dump(model, path, compress=compress)
    return path


def run(model_path, rows_path, out, *options):
    """Predict into out; the finished process."""
    out.unlink(missing_ok=True)
    return ftl.run("predict", model_path, rows_path, "-o", out, *golden.EMPTY_TEXTS, *options)


def compare_method(model, model_path, rows_path, x, method, options=(), describe=None, scale_of=None):
    """One method on all rows: the same numbers, and the same rows refused. describe and scale_of stand for description
    and linear_scale."""
    folder = rows_path.parent
    refused = refused_rows(model, method, x)
    kept = [row for row in range(len(x)) if row not in set(refused)]
    out = folder / "out.csv"
    process = run(model_path, rows_path, out, "--method", method, "--on-error", "null", *options)
    wanted = 5 if refused else 0
    if process.returncode != wanted:
        raise golden.Disagreement(f"{method}: exit {process.returncode} instead of {wanted}, the library refuses rows "
                                  f"{refused}: {process.stderr.strip()[:300]}")
    header, rows = ftl.read_csv(out)
    if len(rows) != len(x):
        raise golden.Disagreement(f"{method}: {len(rows)} rows instead of {len(x)}")
    for row in refused:
        if any(rows[row]):
            raise golden.Disagreement(f"{method}: row {row} is {rows[row]} where the library raises")
    if kept:
        good = part(x, kept)
        whole = {method: cases.encode(call(model, method, good))}
        clusters = cases.kind_of(cases.final_step(model)[0]) == "clusterer"
        for other in ["predict_proba", "decision_function"] + (["transform"] if clusters else []):
            if method == "predict" and hasattr(model, other):
                whole[other] = cases.encode(call(model, other, good))
        scale = (scale_of or cases.linear_scale)(model, good, method)
        if scale is not None:
            whole["scale"] = scale
        golden.compare((describe or description)(model, x, method), method, whole, header, [rows[row] for row in kept])
    if refused:
        process = run(model_path, rows_path, out, "--method", method, *options)
        if process.returncode != 4 or out.exists():
            raise golden.Disagreement(f"{method}: exit {process.returncode} instead of 4 for a refused row")


def compare(model, x, methods=None, compress=0, options=()):
    """Every method of the fitted model on x (an array: .npy, a DataFrame: CSV); raises golden.Disagreement."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model_path, rows_path = write_model(model, folder, compress), write_rows(x, folder)
        for method in methods or offered(model):
            compare_method(model, model_path, rows_path, x, method, options)


def same_bytes(model, x, method, *variants):
    """The output file is the same, byte for byte, under each list of options."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model_path, rows_path = write_model(model, folder), write_rows(x, folder)
        outputs = set()
        for options in variants:
            process = run(model_path, rows_path, folder / "out.csv", "--method", method, *options)
            if process.returncode != 0:
                raise golden.Disagreement(f"{options}: exit {process.returncode}: {process.stderr.strip()[:300]}")
            outputs.add((folder / "out.csv").read_bytes())
        if len(outputs) != 1:
            raise golden.Disagreement(f"{method} differs among {variants}")


def no_rows(model, x, method="predict"):
    """Zero rows give a header and nothing else (the library raises)."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        process = run(write_model(model, folder), write_rows(part(x, []), folder), folder / "out.csv",
                      "--method", method)
        if process.returncode != 0:
            raise golden.Disagreement(f"exit {process.returncode}: {process.stderr.strip()[:300]}")
        if ftl.read_csv(folder / "out.csv")[1]:
            raise golden.Disagreement("rows out of nothing")
