"""Rows to compare a model on: a table of the user's, or rows made up from what is known of its inputs."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from foretell import errors

WORDS = (
    "a",
    "the",
    "good",
    "bad",
    "new",
    "price",
    "model",
    "free",
    "win",
    "call",
    "data",
    "very",
    "not",
    "is",
    "and",
)


# ---- The user's own --------------------------------------------------------------------------------------


def _pandas(path: str) -> Any:
    try:
        return importlib.import_module("pandas")
    except ImportError:
        raise errors.make(
            "ARG",
            option="data",
            message=f"reading {path} for both sides needs pandas here: pip install pandas, or give a .npy "
            f"file",
        ) from None


def read(path: str, limit: int) -> Any:
    """The first rows of a CSV, Parquet, JSON, JSON lines or .npy file: a DataFrame, or an array of .npy."""
    ending = os.path.splitext(path.lower().removesuffix(".gz").removesuffix(".zst"))[1]
    try:
        if ending == ".npy":
            return np.load(path, allow_pickle=False)[:limit]
        pandas = _pandas(path)
        if ending in (".parquet", ".pq"):
            return pandas.read_parquet(path).head(limit)
        if ending in (".jsonl", ".ndjson"):
            return pandas.read_json(path, lines=True, nrows=limit)
        if ending == ".json":
            return pandas.read_json(path).head(limit)
        return pandas.read_csv(path, nrows=limit, sep="\t" if ending == ".tsv" else ",")
    except FileNotFoundError:
        raise errors.make("IO", message=f"{path} is not there", filename=path, errno=2) from None
    except (ValueError, OSError, ImportError) as error:
        raise errors.make(
            "IO", message=f"{path} cannot be read here: {str(error).splitlines()[0]}", filename=path
        ) from error


# ---- Made up ---------------------------------------------------------------------------------------------


def make(description: dict[str, Any], original: Any, rows: int, seed: int) -> Any:
    """Rows that the model takes: a DataFrame where it has names, texts for one of texts, else an array."""
    rng = np.random.default_rng(seed)
    inputs = description["inputs"]
    first = _first_step(original)
    if type(first).__name__ == "DictVectorizer":
        return _dicts(rng, first, rows)
    if not inputs:
        raise errors.make("ARG", option="data", message="the model does not say what it takes: give DATA")
    ranges = find_ranges(original, len(inputs))
    vocabulary = _vocabulary(first, inputs)
    columns = [_column(rng, column, ranges[i], rows, vocabulary) for i, column in enumerate(inputs)]
    if vocabulary is not None and len(columns) == 1:
        return list(columns[0])
    if any(column["name"] is None for column in inputs):
        return np.column_stack(
            [np.asarray(values, dtype=object if values.dtype == object else None) for values in columns]
        )
    pandas = _pandas("rows")
    frame = pandas.DataFrame({column["name"]: values for column, values in zip(inputs, columns, strict=True)})
    if type(original).__module__.partition(".")[0] in ("xgboost", "lightgbm"):
        for column in inputs:  # their own categories, of which there are no others
            if column.get("categories"):
                known = [value for value in column["categories"] if value is not None]
                values = frame[column["name"]]
                frame[column["name"]] = pandas.Categorical(values.where(values.isin(known)), categories=known)
    return frame


def variants(X: Any) -> Iterator[Any]:
    """The same rows for models that refuse all of them: without a negative number; small whole numbers."""
    yield X
    if isinstance(X, list):
        return
    number = X.select_dtypes("number").columns if hasattr(X, "columns") else None
    for change in (np.abs, lambda values: np.floor(np.abs(values)) % 3):
        if number is None:
            if X.dtype == object:
                return
            yield change(X)
        else:
            changed = X.copy()
            changed[number] = change(X[number])
            yield changed


def _column(
    rng: np.random.Generator, column: dict[str, Any], known: Known, rows: int, vocabulary: list[str] | None
) -> Any:
    """Values of one input, with missing ones among them where the model takes them."""
    kind, missing = column["kind"], column["missing"].lower()
    categories = [value for value in column.get("categories", []) if value is not None]
    if vocabulary is not None and kind in ("string", "mixed"):
        return _texts(rng, vocabulary, rows)
    if categories:
        numbers = all(isinstance(value, (int, float)) for value in categories)
        pool = np.empty(len(categories), dtype=object)
        pool[:] = categories
        values: Any = pool[rng.integers(0, len(pool), rows)]
        if column.get("others") not in (None, "refused"):
            values[rng.random(rows) < 0.02] = max(categories) + 1 if numbers else "another value"
        if numbers and kind == "numeric":
            values = values.astype(np.float64)
    elif kind in ("string", "mixed"):
        values = np.array(WORDS, dtype=object)[rng.integers(0, len(WORDS), rows)]
    elif kind == "bool":
        values = rng.random(rows) < 0.5
    else:
        values = _numbers(rng, known, rows)
    if missing == "refused" or kind == "bool":
        return values
    if missing == "none":
        values = values.astype(object)
    gaps = rng.random(rows) < 0.03
    values[gaps] = None if missing == "none" else np.nan
    return values


def _numbers(rng: np.random.Generator, known: Known, rows: int) -> Any:
    """Numbers where the model looks; some exactly at its thresholds, or one step beside them."""
    if known.low is None or known.high is None:
        scale = np.where(rng.random(rows) < 0.8, 1.0, 10.0)
        values = rng.normal(size=rows) * scale
    else:
        wide = 0.1 * (known.high - known.low) or max(abs(known.low), 1.0)
        values = rng.uniform(known.low - wide, known.high + wide, rows)
    rounded = rng.random(rows) < 0.2
    values[rounded] = np.round(values[rounded])
    if known.points:
        at = rng.random(rows) < 0.15
        points = np.array(known.points)[rng.integers(0, len(known.points), rows)]
        beside = np.where(rng.random(rows) < 0.5, points, np.nextafter(points, np.inf))
        values[at] = beside[at]
    return values


def _texts(rng: np.random.Generator, vocabulary: list[str], rows: int) -> Any:
    words = np.array([*vocabulary, *WORDS], dtype=object)
    out = np.empty(rows, dtype=object)
    for i in range(rows):
        out[i] = " ".join(words[rng.integers(0, len(words), rng.integers(1, 15))])
    return out


def _dicts(rng: np.random.Generator, vectorizer: Any, rows: int) -> list[dict[Any, Any]]:
    separator = getattr(vectorizer, "separator", "=")
    names = list(vectorizer.feature_names_) or ["x"]
    out: list[dict[Any, Any]] = []
    for _ in range(rows):
        row: dict[Any, Any] = {}
        for i in rng.integers(0, len(names), min(len(names), 5)):
            if not isinstance(names[i], str):
                row[names[i]] = float(rng.normal())
                continue
            key, found, value = names[i].partition(separator)
            row[key] = value if found else float(rng.normal())
        out.append(row)
    return out


# ---- Where a model looks ---------------------------------------------------------------------------------


class Known:
    """What is known of a column: the range of interest, and numbers at which the model decides."""

    def __init__(self) -> None:
        self.low: float | None = None
        self.high: float | None = None
        self.points: list[float] = []

    def widen(self, low: float, high: float) -> None:
        if np.isfinite(low) and np.isfinite(high):
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)

    def at(self, points: Any) -> None:
        points = np.unique(np.asarray(points, dtype=np.float64))
        points = points[np.isfinite(points) & (np.abs(points) < 1e30)]
        if len(points):
            self.widen(float(points[0]), float(points[-1]))
            self.points += points[:: max(1, len(points) // 200)].tolist()


def find_ranges(original: Any, n: int) -> list[Known]:
    """For each input what the original object says of it; nothing where it says nothing."""
    known = [Known() for _ in range(n)]
    try:
        _look(original, list(range(n)), known, 0)
    except Exception:  # it is anybody's object; then rows are made up without it
        return [Known() for _ in range(n)]
    return known


def _first_step(original: Any) -> Any:
    steps = getattr(original, "steps", None)
    while steps:
        step = steps[0]
        original = step[1] if isinstance(step, tuple) else step
        steps = getattr(original, "steps", None)
    return original


def _vocabulary(first: Any, inputs: list[dict[str, Any]]) -> list[str] | None:
    """Words of a model of texts; None of others."""
    found = getattr(first, "vocabulary_", None) or getattr(first, "vocabulary", None)
    if found and not hasattr(first, "feature_names_"):
        return [str(word) for word in found]
    only = inputs[0] if len(inputs) == 1 else {}
    text = only.get("kind") == "string" and only.get("name") is None and not only.get("categories")
    return list(WORDS) if text else None


def _look(model: Any, columns: list[int], known: list[Known], depth: int) -> None:
    """What the object says of the columns that it reads, by their positions among the model's inputs."""
    if depth > 10 or model is None or isinstance(model, str):
        return
    steps = getattr(model, "steps", None)
    if steps:
        for step in steps:
            part = step[1] if isinstance(step, tuple) else step
            _look(part, columns, known, depth + 1)
            if part is not None and part != "passthrough" and not type(part).__name__.endswith("Imputer"):
                break  # what comes behind sees other columns
        return
    if hasattr(model, "transformers_"):
        _look_at_columns(model, columns, known, depth)
        return
    for part in _parts(model):
        _look(part, columns, known, depth + 1)
    for low, high in _spans(model):
        if len(low) == len(columns):
            for i, place in enumerate(columns):
                known[place].widen(float(low[i]), float(high[i]))
    for i, points in _splits(model):
        if 0 <= i < len(columns):
            known[columns[i]].at(points)


def _look_at_columns(model: Any, columns: list[int], known: list[Known], depth: int) -> None:
    names = list(getattr(model, "feature_names_in_", []))
    for _, step, chosen in model.transformers_:
        picked = list(chosen) if not isinstance(chosen, (str, int, slice)) else chosen
        if isinstance(picked, slice):
            places = columns[picked]
        else:
            wanted = picked if isinstance(picked, list) else [picked]
            if wanted and all(isinstance(item, (bool, np.bool_)) for item in wanted):
                wanted = [i for i, item in enumerate(wanted) if item]
            places = [columns[names.index(item) if isinstance(item, str) else int(item)] for item in wanted]
        _look(step, places, known, depth + 1)


def _parts(model: Any) -> Iterator[Any]:
    """Estimators that get the same columns."""
    for name in ("best_estimator_", "estimator_", "regressor_", "estimator"):
        part = getattr(model, name, None)
        if part is not None and hasattr(part, "get_params"):
            yield part
    parts = getattr(model, "estimators_", None)
    if parts is not None and not hasattr(model, "estimators_features_"):
        yield from [
            part for part in np.asarray(parts, dtype=object).ravel()[:50] if not isinstance(part, str)
        ]
    for fold in getattr(model, "calibrated_classifiers_", None) or []:
        yield fold.estimator
    for _, part in getattr(model, "transformer_list", None) or []:
        yield part


def _spans(model: Any) -> Iterator[tuple[Any, Any]]:
    """Ranges of all columns: by what scalers, projections and neighbours keep."""

    def of(name: str) -> Any:
        value = getattr(model, name, None)
        return None if value is None else np.asarray(value, dtype=np.float64)

    for low, high in (("data_min_", "data_max_"),):
        if of(low) is not None and of(high) is not None:
            yield of(low), of(high)
    for middle, spread in (("mean_", "scale_"), ("center_", "scale_")):
        if of(middle) is not None and of(middle).ndim == 1:
            width = of(spread) if of(spread) is not None else np.ones_like(of(middle))
            if width.shape == of(middle).shape:
                yield of(middle) - 3 * width, of(middle) + 3 * width
    for rows in ("cluster_centers_", "_fit_X", "support_vectors_", "quantiles_"):
        value = getattr(model, rows, None)
        if isinstance(value, np.ndarray) and value.ndim == 2 and len(value):
            yield value.min(axis=0), value.max(axis=0)
    if of("max_abs_") is not None:
        yield -of("max_abs_"), of("max_abs_")
    if of("theta_") is not None and of("var_") is not None:
        spread = 3 * np.sqrt(of("var_").max(axis=0))
        yield of("theta_").min(axis=0) - spread, of("theta_").max(axis=0) + spread


def _splits(model: Any) -> Iterator[tuple[int, Any]]:
    """(column, thresholds) of trees of every library."""
    tree = getattr(model, "tree_", None)
    if tree is not None:
        inner = tree.feature >= 0
        yield from _grouped(tree.feature[inner], tree.threshold[inner])
    for stage in (getattr(model, "_predictors", None) or [])[:50]:
        for predictor in stage:
            nodes = predictor.nodes[~predictor.nodes["is_leaf"].astype(bool)]
            yield from _grouped(nodes["feature_idx"], nodes["num_threshold"])
    yield from enumerate(getattr(model, "bin_edges_", []))
    module = type(model).__module__.partition(".")[0]
    reader: dict[str, Callable[[Any], Iterator[tuple[int, Any]]]] = {
        "xgboost": _xgboost_splits,
        "lightgbm": _lightgbm_splits,
        "catboost": _catboost_splits,
    }
    if module in reader:
        yield from reader[module](model)


def _grouped(features: Any, thresholds: Any) -> Iterator[tuple[int, Any]]:
    for feature in np.unique(features):
        yield int(feature), np.asarray(thresholds, dtype=np.float64)[features == feature]


def _xgboost_splits(model: Any) -> Iterator[tuple[int, Any]]:
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    trees = json.loads(bytes(booster.save_raw(raw_format="json")))["learner"]["gradient_booster"]
    trees = trees.get("gbtree", trees)["model"]["trees"]
    for tree in trees[:200]:
        inner = np.array(tree["left_children"]) >= 0
        yield from _grouped(np.array(tree["split_indices"])[inner], np.array(tree["split_conditions"])[inner])


def _lightgbm_splits(model: Any) -> Iterator[tuple[int, Any]]:
    booster = getattr(model, "booster_", model)
    pending = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"][:200]]
    found: dict[int, list[float]] = {}
    while pending:
        node = pending.pop()
        if "split_feature" in node:
            pending += [node["left_child"], node["right_child"]]
            if isinstance(node["threshold"], (int, float)):
                found.setdefault(node["split_feature"], []).append(node["threshold"])
    yield from found.items()


def _catboost_splits(model: Any) -> Iterator[tuple[int, Any]]:
    floats = model.get_borders()
    for i, borders in floats.items():
        yield int(i), borders
