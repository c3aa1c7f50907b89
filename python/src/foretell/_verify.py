"""foretell.verify: does foretell answer as the library that wrote a model does, in this Python?"""

from __future__ import annotations

import dataclasses
import functools
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from foretell import _core, _verify_compare, _verify_original, _verify_rows, errors
from foretell._source import split_entry
from foretell._verify_compare import MethodReport
from foretell.model import LoadedModel

__all__ = ["MethodReport", "Report", "verify"]

# inverse_transform is a method of models that are opened for it
METHODS = tuple(name for name in _core.METHODS if name != "inverse_transform")


@dataclass
class Report:
    """What verify found. bool(report): everything agrees; str(report): for people; to_dict(): for programs.

    refused: rows that one side refuses and the other predicts, as (row, who refuses it, why);
    refused_by_both: how many rows both refuse. speed: method -> (seconds of the library, seconds of
    foretell), medians for all rows, and for one row under "one row".
    """

    model: str
    class_name: str
    rows: int
    made_up: bool
    seed: int | None
    versions: dict[str, str]
    notes: list[str] = field(default_factory=list)
    methods: list[MethodReport] = field(default_factory=list)
    not_compared: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    refused_by_both: int = 0
    speed: dict[str, tuple[float, float]] = field(default_factory=dict)
    worst_inputs: dict[str, Any] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether every method agrees on every row, and both refuse the same rows."""
        return bool(self.methods) and all(method.agrees for method in self.methods) and not self.refused

    def __bool__(self) -> bool:
        return self.agrees

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as --json prints them."""
        out = dataclasses.asdict(self)
        for method, report in zip(out["methods"], self.methods, strict=True):
            method["agrees"] = report.agrees
        return {"agrees": self.agrees, **out}

    def __str__(self) -> str:
        from foretell._verify_cli import text

        return text(self)


def verify(
    model_path: str | os.PathLike[str],
    data: Any = None,
    rows: int = 1000,
    *,
    methods: Sequence[str] | None = None,
    select: str | None = None,
    tolerance: float | None = None,
    exact: bool = False,
    seed: int = 0,
    trust: bool = False,
) -> Report:
    """Predicts the same rows with foretell and with the library that wrote the model, and compares.

    The library must be installed in this Python. It loads the file, which EXECUTES a pickle: verify your own
    models alone. foretell opens the file first, and what it refuses is not loaded; a file that names code
    which belongs to no model is loaded with trust=True alone.

    data: a path (CSV, TSV, Parquet, JSON, JSON lines, .npy), or rows as the library takes them; None: rows
    are made up from the model's inputs (their kinds, categories, scales and thresholds), the same for one
    seed.
    rows: to make up, or to take of a file at most.
    methods: names; None: all that both have. select: an entry of a dict, list or tuple.
    tolerance: numbers agree when they differ by at most so much, relative to the larger of them and 1; None:
    1e-9, or 1e-5 where float32 is part of it. Labels agree when they are the same, or where the best two
    scores tie.
    exact: agree only where every bit is the same.

    Errors: those of foretell.load; UnsupportedModelError where the library is not installed or does not load
    the file.
    """
    path = os.fspath(model_path)
    model = _open(path, select)
    description = model._description()
    _require_trust(path, description, trust)
    chosen = description.get("selected")
    original = _verify_original.load(path, description["class"], model._kind, chosen)
    made_up = data is None
    if made_up:
        X = _made_up(model, original, rows, seed)
    else:
        X = _verify_rows.read(os.fspath(data), rows) if isinstance(data, (str, os.PathLike)) else data
    X = _in_order(X, model)
    report = Report(
        path,
        description["class"],
        len(X),
        made_up,
        seed if made_up else None,
        _verify_original.versions(description["library"], description["library_version"]),
    )
    _note(report, description)
    wanted = list(methods) if methods is not None else list(METHODS)
    if tolerance is None and _verify_original.computes_single(original):
        tolerance = _verify_compare.SINGLE
    _compare_all(report, model, original, X, wanted, methods is not None, tolerance, exact)
    if report.methods:
        _time(report, model, original, X)
    return report


def _made_up(model: LoadedModel, original: Any, rows: int, seed: int) -> Any:
    """Rows of which the library takes some."""
    X = _verify_rows.make(model._description(), original, rows, seed)
    function = _verify_original.method_of(original, model._core.info()["default_method"], model._kind == "classifier")
    if function is None:
        return X
    for variant in _verify_rows.variants(X):
        for row in range(min(8, len(X))):
            try:
                _verify_original.call(function, part(variant, [row]))
                return variant
            except Exception:  # whatever it does not take
                continue
    return X


def _open(path: str, select: str | None) -> LoadedModel:
    """The model; of a container its entries alone, without the names of classes that stand beside them."""
    model = LoadedModel(path, select=select)
    chosen = model._description().get("selected")
    if select is None and chosen and not split_entry(path)[1]:
        return LoadedModel(path, select=chosen)
    return model


def _require_trust(path: str, description: dict[str, Any], trust: bool) -> None:
    other = description.get("other_code") or []
    if other and not trust:
        more = f" and {len(other) - 1} more" if len(other) > 1 else ""
        raise errors.make(
            "FORBIDDEN",
            option="trust",
            message=f"{path}: Python would call {other[0]}{more} to load it, which belongs to no model; if "
            f"you trust the file, trust=True (--execute-pickle) loads it",
        )


def _note(report: Report, description: dict[str, Any]) -> None:
    library, version = description["library"], description["library_version"]
    here = report.versions.get(library)
    if here and version and here != version and not version.startswith("v"):
        report.notes.append(
            f"{library} {version} wrote the model and {here} answers here: where they differ, foretell "
            f"answers as {version} does"
        )
    if description.get("note"):
        report.notes.append(description["note"])


def _in_order(X: Any, model: LoadedModel) -> Any:
    """The columns that the model takes, in its order, as its library wants them."""
    if model._names is None or not hasattr(X, "columns"):
        return X
    missing = [name for name in model._names if name not in list(X.columns)]
    if missing:
        raise errors.make(
            "SCHEMA",
            reason="MISSING_COLUMNS",
            message=f"the table lacks {', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}",
        )
    return X[model._names]


def part(X: Any, rows: Any) -> Any:
    """Some rows of X, by their numbers."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if isinstance(X, list):
        return [X[i] for i in rows]
    return X[np.asarray(rows, dtype=np.intp)]


# ---- Comparing -------------------------------------------------------------------------------------------


def _compare_all(
    report: Report,
    model: LoadedModel,
    original: Any,
    X: Any,
    methods: Sequence[str],
    named: bool,
    tolerance: float | None,
    exact: bool,
) -> None:
    classification = model._kind == "classifier"
    for method in methods:
        theirs = _verify_original.method_of(original, method, classification)
        if method not in model._methods or theirs is None:
            if named or theirs is not None:
                who = "foretell" if method not in model._methods else "the library"
                report.not_compared[method] = f"{who} has no {method} of this model"
            continue
        _compare_one(report, model, original, method, theirs, X, tolerance, exact)
    if named and not report.methods:
        raise errors.make(
            "ARG",
            reason="METHOD_MISSING",
            option="methods",
            message=f"nothing to compare: {'; '.join(report.not_compared.values())}",
        )


def _compare_one(
    report: Report,
    model: LoadedModel,
    original: Any,
    method: str,
    theirs: Callable[[Any], Any],
    X: Any,
    tolerance: float | None,
    exact: bool,
) -> None:
    first = not report.methods
    kept: Any = list(range(len(X)))
    try:
        said = _verify_original.call(theirs, X)
        ours, bad = _ours(model, method, X)
    except Exception as error:
        if not _refuses(error):
            found = MethodReport(method, len(X), 0, 0, 0, 0.0)
            found.problem = f"the library raises {type(error).__name__}: {' '.join(str(error).split())}"
            report.methods.append(found)
            return
        said, bad = None, {}
    if said is None or bad:
        why = _refused(theirs, X, 0, len(X))
        ours, bad = _ours(model, method, X)
        _note_refused(report, method, why, bad, first)
        kept = [row for row in kept if row not in why and row not in bad]
        if not kept:
            report.not_compared[method] = f"every row is refused: {next(iter({**bad, **why}.values()), '')}"
            return
        rows = part(X, kept)
        said, ours = _verify_original.call(theirs, rows), _ours(model, method, rows)[0]
    tied = None
    if method == "predict" and not exact:
        tied = _ties(original, model, part(X, kept) if len(kept) < len(X) else X, tolerance)
    found = _verify_compare.compare(method, said, ours, tolerance, exact, tied)
    if found.worst_row is not None:
        found.worst_row = kept[found.worst_row]
        report.worst_inputs[method] = _inputs(part(X, [found.worst_row]))
    report.methods.append(found)


def _refuses(error: Exception) -> bool:
    return isinstance(error, (ValueError, ArithmeticError, TypeError, LookupError)) or type(error).__name__ in (
        "CatBoostError",
        "LightGBMError",
        "XGBoostError",
    )


def _ours(model: LoadedModel, method: str, X: Any) -> tuple[Any, dict[int, str]]:
    """foretell's result, and why it refuses the rows that it does."""
    results, bad = model._core.run(X, (method,), on_error="null")
    return results[0], {entry["row"]: entry["message"] for entry in bad}


def _refused(theirs: Callable[[Any], Any], X: Any, begin: int, end: int) -> dict[int, str]:
    """Rows that the library raises on, found by halves."""
    try:
        _verify_original.call(theirs, part(X, range(begin, end)))
        return {}
    except Exception as error:
        if not _refuses(error):
            raise
        if end - begin == 1:
            return {begin: str(error).splitlines()[0] if str(error) else type(error).__name__}
        middle = (begin + end) // 2
        return {**_refused(theirs, X, begin, middle), **_refused(theirs, X, middle, end)}


def _note_refused(
    report: Report, method: str, theirs: dict[int, str], ours: dict[int, str], first: bool
) -> None:
    known = {row for row, _, _ in report.refused}
    report.refused += [
        (row, "the library", why) for row, why in theirs.items() if row not in ours and row not in known
    ]
    report.refused += [
        (row, "foretell", why) for row, why in ours.items() if row not in theirs and row not in known
    ]
    report.refused_by_both = max(report.refused_by_both, len(set(theirs) & set(ours)))


def _ties(original: Any, model: LoadedModel, X: Any, tolerance: float | None) -> Any:
    """Rows in which the library's own scores of two classes are as good as the same."""
    for method in ("decision_function", "predict_proba"):
        scores = _verify_original.method_of(original, method, model._kind == "classifier")
        if scores is not None and model._kind == "classifier":
            try:
                return _verify_compare.ties(_verify_original.call(scores, X), tolerance)
            except Exception:  # scores that the library does not give decide nothing
                continue
    return None


def _inputs(row: Any) -> Any:
    """One row's inputs as plain values: by name where there are names."""
    if hasattr(row, "iloc"):
        return {str(name): _plain(row[name].iloc[0]) for name in row.columns[:50]}
    first = row[0]
    return (
        first
        if isinstance(first, (str, dict))
        else [_plain(value) for value in np.asarray(first).ravel()[:50]]
    )


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


# ---- Timing ----------------------------------------------------------------------------------------------


def _median(function: Callable[[], Any], budget: float = 0.4) -> float:
    """The median of calls that take about so many seconds together; at least 3, at most 200."""
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < 3 or (len(times) < 200 and time.perf_counter() - began < budget):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _time(report: Report, model: LoadedModel, original: Any, X: Any) -> None:
    method = report.methods[0].method
    theirs = _verify_original.method_of(original, method, model._kind == "classifier")
    refused = {row for row, _, _ in report.refused}
    if theirs is None or refused or report.refused_by_both:
        return
    one = part(X, [0])
    for name, rows in ((f"{method}, {len(X)} rows", X), (f"{method}, one row", one)):
        report.speed[name] = (
            _median(functools.partial(_verify_original.call, theirs, rows)),
            _median(functools.partial(model._core.run, rows, (method,))),
        )
