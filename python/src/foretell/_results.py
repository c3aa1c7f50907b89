"""What the C library computes as numpy arrays of the shape and dtype that the original library gives.

Two things differ on purpose: results that the original gives as a sparse matrix are dense arrays of the same numbers,
and rows that were refused (on_error="null") are NaN among floats, and None in arrays of objects otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from foretell._inputs import Schema

Array = np.ndarray[Any, Any]


def classes(labels: list[Any], dtype: str | None) -> Array:
    """The classes of one target; dtype: that of the model's classes_, where the library knows it.

    Predictions are taken from this array: nobody may write into it.
    """
    made = _labels_array(labels, dtype)
    made.flags.writeable = False
    return made


def _labels_array(labels: list[Any], dtype: str | None) -> Array:
    if dtype is not None:
        try:
            if dtype.startswith("S"):
                return as_labels(np.array(labels, dtype=object), np.dtype(dtype))
            return np.array(labels, dtype=dtype)
        except (TypeError, ValueError):  # other labels were given than the file has: names of classes
            pass
    return np.array(labels)


def as_labels(values: Array, dtype: np.dtype[Any]) -> Array:
    """Labels as the library says them, which are texts where they are bytes, in the dtype of the model's."""
    if dtype.kind == "S":
        values = np.array([value.encode("utf-8", "surrogateescape") for value in values.tolist()], dtype=object)
    return values.astype(dtype)


# Estimators whose numbers of clusters are int32.
_INT32 = ("KMeans", "MiniBatchKMeans", "BisectingKMeans")


def shape(method: str, raw: Any, targets: tuple[Array, ...], schema: Schema, kind: str) -> Any:
    """The result of a method from its numbers, a matrix or vector of float64, or from its columns, lists of values.

    kind: the type of the columns, "float64", "int64", "bool" or "mixed".
    """
    if isinstance(raw, list):
        return _cells(raw)
    if method == "predict" and targets:
        return _labels(raw, targets)
    if method == "kneighbors":
        half = raw.shape[1] // 2
        return np.ascontiguousarray(raw[:, :half]), raw[:, half:].astype(np.int64)
    if method in ("predict_proba", "predict_log_proba") and targets:
        return _by_target(raw, targets, schema)
    if method == "apply":
        return _leaves(raw, targets, schema)
    return _typed(raw, method, schema, kind)


def _name(schema: Schema) -> str:
    return schema.answers.rpartition(".")[2]


def _by_target(raw: Array, targets: tuple[Array, ...], schema: Schema) -> Any:
    """A list with the probabilities of each target; of a chain, or of one-vs-rest, a matrix with those of "yes"."""
    sizes = [len(target) for target in targets]
    if raw.shape[1] != sum(sizes) or len(sizes) == 1 and _name(schema) != "MultiOutputClassifier":
        return raw
    return [np.ascontiguousarray(part) for part in np.split(raw, np.cumsum(sizes)[:-1], axis=1)]


def _leaves(raw: Array, targets: tuple[Array, ...], schema: Schema) -> Array:
    """Numbers of leaves: of one tree a vector, of gradient boosting floats, with an axis of classes."""
    name = _name(schema)
    if schema.library == "XGBoost":
        return raw.astype(np.float32)
    if schema.library == "LightGBM":
        return raw.astype(np.int32)
    if schema.library == "CatBoost":
        return raw.astype(np.uint32)
    if name == "GradientBoostingClassifier":
        return raw.reshape(len(raw), -1, len(targets[0]) if targets and len(targets[0]) > 2 else 1)
    if name == "GradientBoostingRegressor":
        return raw
    if raw.shape[1] == 1 and name in ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier",
                                      "ExtraTreeRegressor"):
        raw = raw[:, 0]
    return raw.astype(np.int64)


def _typed(raw: Array, method: str, schema: Schema, kind: str) -> Array:
    if kind == "bool":
        return raw.astype(bool)
    if kind != "int64":
        return raw
    if np.isnan(raw).any():  # rows that were refused have no integer
        return raw
    return raw.astype(np.int32 if method == "predict" and _name(schema) in _INT32 else np.int64)


def join(pieces: list[Any], rows: list[int], with_bad: bool) -> Any:
    """The results of blocks of rows, one behind the other, as those of all rows."""
    bad: list[dict[str, Any]] = []
    if with_bad:
        first = 0
        for (_, found), n in zip(pieces, rows, strict=True):
            bad.extend({**row, "row": row["row"] + first} for row in found)
            first += n
        pieces = [results for results, _ in pieces]
    joined = tuple(_concatenate(parts) for parts in zip(*pieces, strict=True))
    return (joined, bad) if with_bad else joined


def _concatenate(parts: tuple[Any, ...]) -> Any:
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], (list, tuple)):
        return type(parts[0])(_concatenate(part) for part in zip(*parts, strict=True))
    return np.concatenate(parts)


def _labels(raw: Array, targets: tuple[Array, ...]) -> Array:
    """Indices of classes as labels; of rows that were refused, below 0 or NaN, None."""
    vector = raw.ndim == 1
    columns = raw.reshape(len(raw), len(targets))
    bad = ~(columns >= 0)
    picked = [t.take(np.where(bad[:, i], 0, columns[:, i]).astype(np.intp)) for i, t in enumerate(targets)]
    result = picked[0] if vector else np.column_stack(picked)
    if bad.any():
        result = result.astype(object)
        result[bad.reshape(result.shape)] = None
    return result


def _cells(columns: list[list[Any]]) -> Array:
    result = np.empty((len(columns[0]) if columns else 0, len(columns)), dtype=object)
    for i, column in enumerate(columns):
        result[:, i] = column
    return result
