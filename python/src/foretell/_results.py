"""What the C library computes as numpy arrays of the shape and dtype that the original library gives."""

from __future__ import annotations

from typing import Any

import numpy as np


def classes(labels: list[Any], dtype: str | None) -> np.ndarray[Any, Any]:
    """The classes of one target; dtype: that of the model's classes_, where the library knows it."""
    if dtype is not None:
        return np.array(labels, dtype=dtype)
    if labels and isinstance(labels[0], str):
        return np.array(labels)
    return np.array(labels)


def shape(method: str, raw: Any, targets: tuple[np.ndarray[Any, Any], ...], about: tuple[str, str]) -> Any:
    """The result of a method from its numbers, a matrix of float64, or from its columns, lists of values."""
    if isinstance(raw, list):
        return _cells(raw)
    if method == "predict" and targets:
        return _labels(raw, targets)
    if method == "kneighbors":
        half = raw.shape[1] // 2
        return raw[:, :half].copy(), raw[:, half:].astype(np.int64)
    if method in ("predict_proba", "predict_log_proba") and len(targets) > 1:
        ends = np.cumsum([len(t) for t in targets])[:-1]
        return [np.ascontiguousarray(part) for part in np.split(raw, ends, axis=1)]
    if method == "apply":
        return raw.astype(np.int64)
    if method == "predict":
        return raw.astype(np.int64)
    return raw


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


def _labels(raw: np.ndarray[Any, Any], targets: tuple[np.ndarray[Any, Any], ...]) -> np.ndarray[Any, Any]:
    """Indices of classes as labels; of rows that were refused, below 0 or NaN, None."""
    columns = raw.reshape(len(raw), len(targets))
    bad = ~(columns >= 0)
    picked = [t.take(np.where(bad[:, i], 0, columns[:, i]).astype(np.intp)) for i, t in enumerate(targets)]
    result = picked[0] if len(targets) == 1 else np.column_stack(picked)
    if bad.any():
        result = result.astype(object)
        result[bad.reshape(result.shape)] = None
    return result


def _cells(columns: list[list[Any]]) -> np.ndarray[Any, Any]:
    result = np.empty((len(columns[0]) if columns else 0, len(columns)), dtype=object)
    for i, column in enumerate(columns):
        result[:, i] = column
    return result
