"""What scikit-learn says about rows that do not fit, about rows of the kinds that the core takes."""

from __future__ import annotations

from typing import Any

from foretell import errors


def names_of(X: Any) -> list[str] | None:
    """Names of a table's columns, or None where it has none or they are no texts."""
    columns = getattr(X, "column_names", None)  # pyarrow
    if columns is None:
        columns = getattr(X, "columns", None)  # pandas, polars
    if columns is None or callable(columns):
        return None
    try:
        names = list(columns)
    except TypeError:
        return None
    return names if names and all(isinstance(name, str) for name in names) else None


def width_of(X: Any) -> int | None:
    """Columns of a matrix or table; None where that is not plain to see."""
    shape = getattr(X, "shape", None)
    if isinstance(shape, tuple):
        return int(shape[1]) if len(shape) == 2 else None
    if isinstance(X, (list, tuple)) and X and isinstance(X[0], (list, tuple)):
        return len(X[0])
    return None


def name_difference(names: list[str], wanted: list[str]) -> str:
    """The two lists that scikit-learn prints, five names of each at most."""

    def listed(some: list[str]) -> str:
        more = ["- ..."] if len(some) > 5 else []
        return "\n".join([f"- {name}" for name in some[:5]] + more) + "\n"

    message = "The feature names should match those that were passed during fit.\n"
    unseen, missing = sorted(set(names) - set(wanted)), sorted(set(wanted) - set(names))
    if unseen:
        message += "Feature names unseen at fit time:\n" + listed(unseen)
    if missing:
        message += "Feature names seen at fit time, yet now missing:\n" + listed(missing)
    return message


def _again(error: errors.Error, message: str) -> errors.Error:
    """The same error with another message."""
    return errors.make(
        error.code or ("SHAPE" if isinstance(error, errors.ShapeError) else "SCHEMA"),
        reason=error.reason or "NONE",
        message=message,
        path=error.path,
        row=error.row,
        column=error.column,
        line=error.line,
        offset=error.offset,
        option=error.option,
    )


def reword(
    error: errors.Error, X: Any, estimator: str, wanted: list[str] | None, n_features: int | None
) -> errors.Error:
    """The error of rows X in the words of the library, where it has words for it; else error itself."""
    if error.reason == "MISSING_COLUMNS" and wanted is not None:
        names = names_of(X)
        if names is not None and set(wanted) - set(names):
            return _again(error, name_difference(names, wanted))
    if isinstance(error, errors.ShapeError) and getattr(X, "ndim", 2) == 1:
        return _again(
            error,
            f"Expected 2D array, got 1D array instead: {len(X)} values. Reshape your data either using "
            f"array.reshape(-1, 1) if your data has a single feature or array.reshape(1, -1) if it contains "
            f"a single sample.",
        )
    if error.reason == "COLUMN_COUNT" or error.code == "SHAPE":
        width = width_of(X)
        if width is not None and n_features is not None and width != n_features:
            return _again(
                error, f"X has {width} features, but {estimator} is expecting {n_features} features as input."
            )
    return error
