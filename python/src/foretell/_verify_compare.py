"""How far two results of one method are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

DOUBLE, SINGLE = 1e-9, 1e-5


@dataclass
class MethodReport:
    """One method on all rows. Differences are of numbers; None where the outputs are labels or texts.

    rows_agreeing of rows agree; values_equal of values are the same to the bit. largest_relative is relative
    to the larger of both and 1. largest_ulps counts floats of the outputs' own precision from one to the
    other.
    """

    method: str
    rows: int
    rows_agreeing: int
    values: int
    values_equal: int
    tolerance: float
    largest_absolute: float | None = None
    largest_relative: float | None = None
    largest_ulps: int | None = None
    ties: int = 0
    worst_row: int | None = None
    worst_original: Any = None
    worst_foretell: Any = None
    problem: str | None = None

    @property
    def agrees(self) -> bool:
        return self.problem is None and self.rows_agreeing == self.rows


def parts(result: Any) -> list[Any]:
    """A result as arrays: a list of them for several targets, a pair for neighbours; tables become arrays."""
    if isinstance(result, (list, tuple)) and result and hasattr(result[0], "shape"):
        return [np.asarray(part) for part in result]
    return [np.asarray(result)]


def _flat(arrays: Sequence[Any]) -> list[Any]:
    """Each array as (rows, values of a row)."""
    return [array.reshape(len(array), -1) if array.ndim else array.reshape(1, 1) for array in arrays]


def _is_number(array: Any) -> bool:
    return array.dtype.kind in "fiub"


def ulps(left: Any, right: Any) -> Any:
    """Floats between two arrays of one float dtype, as numbers of floats; NaN and NaN are 0 apart."""
    kind, unsigned = (np.int32, np.uint32) if left.dtype == np.float32 else (np.int64, np.uint64)
    least = np.iinfo(kind).min
    whole: list[Any] = [np.ascontiguousarray(array).view(kind) for array in (left, right)]
    # in the order of the numbers, and from 0 on
    places = [np.where(bits < 0, ~bits, bits ^ least).astype(kind).view(unsigned) for bits in whole]
    apart = np.maximum(*places) - np.minimum(*places)
    return np.where(np.isnan(left) & np.isnan(right) | (left == right), 0, apart)


def compare(
    method: str, original: Any, ours: Any, tolerance: float | None, exact: bool, tied: Any = None
) -> MethodReport:
    """The report of a method. tied: (rows,) bool: rows whose label is a tie, so that either is right."""
    left, right = parts(original), parts(ours)
    shapes = [[array.shape for array in side] for side in (left, right)]
    rows = len(left[0]) if left and left[0].ndim else 0
    single = any(array.dtype == np.float32 for array in (*left, *right))
    limit = 0.0 if exact else tolerance if tolerance is not None else SINGLE if single else DOUBLE
    report = MethodReport(method, rows, 0, 0, 0, limit)
    if shapes[0] != shapes[1]:
        report.problem = f"the shape is {_shape(shapes[1])}, and the library's {_shape(shapes[0])}"
        return report
    good = np.ones(rows, dtype=bool)
    worst = np.zeros(rows)
    neighbours = method == "kneighbors" and len(left) == 2
    for i, (a, b) in enumerate(zip(_flat(left), _flat(right), strict=True)):
        if neighbours and i == 1:
            near = _distance(left[0], right[0], "")[1] <= limit
            same = (a == b) | (near if not exact else False)
            apart = np.where(same, 0.0, np.inf)
        elif _is_number(a) and _is_number(b):
            apart = _numbers(report, a, b, method)
            same = apart <= limit
        else:
            equal = _equal_texts(a, b)
            report.values_equal += int(equal.sum())
            same, apart = equal, np.where(equal, 0.0, np.inf)
        report.values += a.size
        if neighbours and i == 1:
            report.values_equal += int((a == b).sum())
        good &= same.all(axis=1)
        worst = np.maximum(worst, apart.max(axis=1, initial=0.0))
    if tied is not None and method == "predict":
        report.ties = int((tied & ~good).sum())
        worst[tied & ~good] = 0.0
        good |= tied
    report.rows_agreeing = int(good.sum())
    if rows and worst.max(initial=0.0) > 0:
        row = int(np.argmax(worst))
        report.worst_row = row
        report.worst_original = [array[row : row + 1].tolist()[0] for array in left]
        report.worst_foretell = [array[row : row + 1].tolist()[0] for array in right]
        if len(left) == 1:
            report.worst_original, report.worst_foretell = report.worst_original[0], report.worst_foretell[0]
    return report


def _shape(shapes: list[tuple[int, ...]]) -> str:
    return str(shapes[0]) if len(shapes) == 1 else str(shapes)


def _distance(a: Any, b: Any, method: str) -> tuple[Any, Any]:
    """Absolute and relative differences; not finite alike is infinitely far."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(all="ignore"):
        absolute = np.abs(x - y)
        same = (x == y) | (np.isnan(x) & np.isnan(y))
        absolute = np.where(same, 0.0, np.where(np.isfinite(absolute), absolute, np.inf))
        larger = np.maximum(1.0, np.maximum(np.abs(x), np.abs(y)))
        relative = np.where(
            np.isfinite(absolute), absolute / np.where(np.isfinite(larger), larger, 1.0), np.inf
        )
        if method == "predict_log_proba":  # the error of a probability grows without bound in its logarithm
            relative = np.minimum(relative, np.where(same, 0.0, np.abs(np.exp(x) - np.exp(y))))
    return absolute, relative


def _numbers(report: MethodReport, a: Any, b: Any, method: str) -> Any:
    """Takes note of the differences of two arrays of numbers; returns the relative ones."""
    absolute, relative = _distance(a, b, method)
    report.values_equal += int((absolute == 0).sum())
    if absolute.size:
        report.largest_absolute = max(report.largest_absolute or 0.0, float(absolute.max()))
        report.largest_relative = max(report.largest_relative or 0.0, float(relative.max()))
    if a.dtype == b.dtype and a.dtype in (np.float32, np.float64) and a.size:
        far = ulps(a, b)
        report.largest_ulps = max(report.largest_ulps or 0, int(far.max()))
    return relative


def _equal_texts(a: Any, b: Any) -> Any:
    out = np.empty(a.shape, dtype=bool)
    for place in np.ndindex(a.shape):
        x, y = a[place], b[place]
        out[place] = bool(x == y) or (_missing(x) and _missing(y))
    return out


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))


def ties(scores: Any, tolerance: float | None) -> Any:
    """Rows in which the two best scores, or one score and zero, are no further apart than the tolerance."""
    arrays = parts(scores)
    if len(arrays) != 1 or not _is_number(arrays[0]):
        return None
    if tolerance is None:
        tolerance = SINGLE if arrays[0].dtype == np.float32 else DOUBLE
    array = arrays[0].astype(np.float64)
    if array.ndim == 1 or array.shape[1] == 1:
        return np.abs(array.reshape(len(array))) <= tolerance
    best = np.sort(array, axis=1)[:, -2:]
    return best[:, 1] - best[:, 0] <= tolerance
