"""scikit-learn's conventions without scikit-learn: it is imported only where it asks itself (tags)."""

from __future__ import annotations

import html
import importlib
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from foretell.model import LoadedModel

OUTPUTS = ("default", "pandas", "polars")


# ---- Tables out ------------------------------------------------------------------------------------------


def check_output(name: str) -> None:
    if name not in OUTPUTS:
        raise ValueError(f"output config must be in {sorted(OUTPUTS)}, got {name}")


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"Setting output container to {name!r} requires {name} to be installed") from error


def wanted_output(model: LoadedModel) -> str:
    """What set_output asked of this model, else what scikit-learn's configuration says, if it is imported."""
    own = model.__dict__.get("_sklearn_output_config")
    if own is not None:
        return str(own["transform"])
    sklearn = sys.modules.get("sklearn")
    if sklearn is None or not hasattr(sklearn, "get_config"):
        return "default"
    wanted = str(sklearn.get_config().get("transform_output", "default"))
    check_output(wanted)
    return wanted


def wrap_output(model: LoadedModel, result: Any, X: Any) -> Any:
    """transform's result as the wanted kind of table, with the names of its columns and the index of X."""
    wanted = wanted_output(model)
    if wanted == "default":
        return result
    library = _library(wanted)
    names = [str(name) for name in model.get_feature_names_out()]
    array = np.asarray(result)
    types = [column["type"] for column in model._core.outputs("transform")]
    columns = [array[:, i] for i in range(array.shape[1])]
    if array.dtype == object:  # columns of several types, each in its own
        columns = [_typed(column, kind) for column, kind in zip(columns, types, strict=True)]
    if wanted == "polars":
        series = [library.Series(name, column) for name, column in zip(names, columns, strict=True)]
        return library.DataFrame(series)
    index = X.index if type(X).__module__.partition(".")[0] == "pandas" else None
    if array.dtype != object:
        frame = library.DataFrame(array, index=index)
    else:
        frame = library.DataFrame(dict(enumerate(columns)), index=index)
    frame.columns = names
    return frame


def _typed(column: Any, kind: str) -> Any:
    """A column of objects as an array of what the model says it holds, where that loses nothing."""
    wanted = {"float64": np.float64, "float32": np.float32, "int64": np.int64, "bool": np.bool_}.get(kind)
    if wanted is None:
        return column
    try:
        return column.astype(wanted)
    except (TypeError, ValueError):
        return column


# ---- Scores ----------------------------------------------------------------------------------------------


def accuracy(y: Any, predicted: Any, sample_weight: Any = None) -> float:
    """The share of rows whose labels are all right."""
    truth, said = np.asarray(y), np.asarray(predicted)
    if truth.ndim == 2 and truth.shape[1] == 1:
        truth = truth[:, 0]
    if said.ndim == 2 and said.shape[1] == 1:
        said = said[:, 0]
    _same_length(truth, said)
    right = truth == said
    if right.ndim == 2:
        right = right.all(axis=1)
    return float(np.average(right, weights=None if sample_weight is None else np.asarray(sample_weight)))


def r2(y: Any, predicted: Any, sample_weight: Any = None) -> float:
    """R², the mean of all targets; a constant target counts as 1 where it is met and 0 where it is not."""
    truth, said = np.asarray(y, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    truth = truth.reshape(len(truth), -1)
    said = said.reshape(len(said), -1)
    _same_length(truth, said)
    if len(truth) < 2:
        warnings.warn("R^2 score is not well-defined with less than two samples.", UserWarning, stacklevel=3)
        return float("nan")
    weights = 1.0 if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)[:, np.newaxis]
    mean = np.average(truth, axis=0, weights=None if sample_weight is None else np.asarray(sample_weight))
    left = np.sum(weights * (truth - said) ** 2, axis=0)
    all_of_it = np.sum(weights * (truth - mean) ** 2, axis=0)
    scores = np.where(left == 0, 1.0, 0.0)
    some = all_of_it != 0
    scores[some] = 1 - left[some] / all_of_it[some]
    return float(np.average(scores))


def _same_length(truth: Any, said: Any) -> None:
    if len(truth) != len(said):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: [{len(truth)}, {len(said)}]"
        )


# ---- Tags ------------------------------------------------------------------------------------------------


def tags(
    kind: str | None, inputs: list[dict[str, Any]], transforms: bool, predictions: list[dict[str, Any]]
) -> Any:
    """sklearn.utils.Tags of a model: its kind, what goes in, what comes out."""
    utils = importlib.import_module("sklearn.utils")
    several = len(predictions) > 1
    target = utils.TargetTags(required=False, multi_output=several, single_output=not several)
    text = any(column["kind"] in ("string", "mixed") for column in inputs)
    rows = utils.InputTags(allow_nan=_takes_nan(inputs), sparse=True, string=text, categorical=text)
    return utils.Tags(
        estimator_type=None if kind == "transformer" else kind,
        target_tags=target,
        transformer_tags=utils.TransformerTags() if transforms else None,
        classifier_tags=utils.ClassifierTags(multi_label=several) if kind == "classifier" else None,
        regressor_tags=utils.RegressorTags() if kind == "regressor" else None,
        input_tags=rows,
    )


def old_tags(inputs: list[dict[str, Any]]) -> dict[str, Any]:
    """The tags of scikit-learn before 1.6."""
    return {"allow_nan": _takes_nan(inputs), "requires_fit": True, "requires_y": False}


def _takes_nan(inputs: list[dict[str, Any]]) -> bool:
    return all(column["missing"] != "refused" for column in inputs)


# ---- A table for notebooks -------------------------------------------------------------------------------


def html_table(title: str, rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
        f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
        for name, value in rows
    )
    return f"<table><caption><b>{html.escape(title)}</b></caption>{cells}</table>"
