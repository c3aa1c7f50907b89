"""The library that wrote a model, in this Python: loads the model and runs foretell's methods of it."""

from __future__ import annotations

import importlib
import importlib.metadata
import pickle
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from foretell import errors
from foretell._source import split_entry

DISTRIBUTIONS = {
    "scikit-learn": "scikit-learn",
    "XGBoost": "xgboost",
    "LightGBM": "lightgbm",
    "CatBoost": "catboost",
}
# Modules that models come from, and what pip calls them.
MODULES = {
    "sklearn": "scikit-learn",
    "joblib": "joblib",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
}


def _import(module: str, path: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise errors.make(
            "UNSUPPORTED",
            filename=path,
            message=f"{path}: {module} is not installed in this Python ({error}), and verify compares with "
            f"it: pip install {MODULES.get(module, module)}",
        ) from None


def _hint(error: Exception) -> str:
    """What brings a library that is not there."""
    known = MODULES.get(error.name or "") if isinstance(error, ModuleNotFoundError) else None
    return f"; verify compares with it: pip install {known}" if known else ""


def is_pickle(path: str) -> bool:
    """Whether loading the file executes it: everything but the boosters' own files and foretell's."""
    with open(path, "rb") as file:
        head = file.read(64)
    own = (b"{", b"tree\n", b"tree\r\n", b"CBM1", b"binf")
    return not head.startswith(own) and not head.lstrip().startswith(b"{")


def load(path: str, class_name: str, kind: str, select: str | None) -> Any:
    """The model by its own library; a pickle is EXECUTED. select: entries joined by commas run in turn."""
    file, entry = split_entry(path)
    select = entry[1:] if entry else select
    if not is_pickle(file):
        return _native(file, class_name, kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            content = _unpickled(file)
        except Exception as error:
            raise errors.make(
                "UNSUPPORTED",
                filename=file,
                message=f"{file}: its own library cannot load it here: {type(error).__name__}: "
                f"{str(error).splitlines()[0] if str(error) else ''}{_hint(error)}",
            ) from error
    if select is None:
        return content
    steps = [_entry(content, name, file) for name in select.split(",")]
    return steps[0] if len(steps) == 1 else Chain(steps)


def _unpickled(path: str) -> Any:
    try:
        joblib = importlib.import_module("joblib")
    except ImportError:
        with open(path, "rb") as file:
            return pickle.load(file)
    return joblib.load(path)


def _entry(content: Any, name: str, path: str) -> Any:
    for key in name.strip().split("."):
        try:
            content = content[int(key)] if isinstance(content, (list, tuple)) else content[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise errors.make("ARG", option="select", message=f"{path} has no entry {name}") from None
    return content


def _native(path: str, class_name: str, kind: str) -> Any:
    library, _, name = class_name.partition(".")
    if library == "xgboost":
        xgboost = _import("xgboost", path)
        model = getattr(xgboost, name, xgboost.Booster)()
        model.load_model(path)
        return model
    if library == "lightgbm":
        return _import("lightgbm", path).Booster(model_file=path)
    if library == "catboost":
        catboost = _import("catboost", path)
        with open(path, "rb") as file:
            layout = "json" if file.read(1) == b"{" else "cbm"
        names = {"classifier": "CatBoostClassifier", "regressor": "CatBoostRegressor"}
        model = getattr(catboost, names.get(kind, "CatBoost"))()
        model.load_model(path, format=layout)
        return model
    raise errors.make(
        "UNSUPPORTED", filename=path, message=f"{path}: no library loads a file of {class_name} again"
    )


class Chain:
    """Several estimators in turn: all but the last transform."""

    def __init__(self, steps: Sequence[Any]) -> None:
        self.steps = list(steps)


def versions(library: str, written: str) -> dict[str, str]:
    """What wrote the model and what answers now, by name and version."""
    found = {}
    for name in dict.fromkeys([library, "scikit-learn", "numpy"]):
        try:
            found[name] = importlib.metadata.version(DISTRIBUTIONS.get(name, name))
        except importlib.metadata.PackageNotFoundError:
            continue
    return {"written_by": f"{library} {written}".strip(), **found}


# ---- Methods ---------------------------------------------------------------------------------------------


def method_of(model: Any, method: str, classification: bool) -> Callable[[Any], Any] | None:
    """A function of rows that is foretell's method in the library; None where the library has none.

    classification: whether foretell takes the model for a classifier.
    """
    if isinstance(model, Chain):
        last = method_of(model.steps[-1], method, classification)
        if last is None:
            return None
        first = model.steps[:-1]

        def chained(X: Any) -> Any:
            for step in first:
                X = step.transform(X)
            return last(X)

        return chained
    module = type(model).__module__.partition(".")[0]
    name = type(model).__name__
    if module == "xgboost":
        return _xgboost(model, name, method)
    if module == "lightgbm":
        return _lightgbm(model, name, method)
    if module == "catboost":
        return _catboost(model, name, method, classification)
    found = getattr(model, method, None)
    if method == "margin":
        return _pipeline_margin(model, classification)
    return found if callable(found) else None


def _pipeline_margin(model: Any, classification: bool) -> Callable[[Any], Any] | None:
    """Of a pipeline that ends in a booster."""
    steps = getattr(model, "steps", None)
    if not steps:
        return None
    return method_of(
        Chain([model[:-1], steps[-1][1]]) if len(steps) > 1 else steps[-1][1], "margin", classification
    )


def _xgboost(model: Any, name: str, method: str) -> Callable[[Any], Any] | None:
    xgboost = importlib.import_module("xgboost")
    if name != "Booster":
        if method == "margin":
            return lambda X: model.predict(X, output_margin=True)
        found = getattr(model, method, None)
        return found if callable(found) else None
    names = model.feature_names
    options = {"predict": {}, "margin": {"output_margin": True}, "apply": {"pred_leaf": True}}.get(method)
    if options is None:
        return None

    def run(X: Any) -> Any:
        rows = xgboost.DMatrix(X, enable_categorical=True) if hasattr(X, "columns") else xgboost.DMatrix(X, feature_names=names)
        return model.predict(rows, **options)

    return run


def _lightgbm(model: Any, name: str, method: str) -> Callable[[Any], Any] | None:
    options = {"margin": {"raw_score": True}, "apply": {"pred_leaf": True}}.get(method)
    if options is not None:
        return lambda X: model.predict(X, **options)
    if name == "Booster":
        return model.predict if method == "predict" else None
    found = getattr(model, method, None)
    return found if callable(found) else None


def _catboost(model: Any, name: str, method: str, classification: bool) -> Callable[[Any], Any] | None:
    if method == "apply":
        return lambda X: model.calc_leaf_indexes(X)
    kinds = {
        "margin": "RawFormulaVal",
        "predict_proba": "Probability",
        "predict_log_proba": "LogProbability",
        "predict": "Class" if classification else None,
    }
    if method not in kinds:
        return None
    kind = kinds[method]
    if not classification and method in ("predict_proba", "predict_log_proba"):
        return None
    if name != "CatBoost" and hasattr(model, method):
        return getattr(model, method)  # type: ignore[no-any-return]
    if kind is None:
        return model.predict  # type: ignore[no-any-return]
    plain = importlib.import_module("catboost").CatBoost.predict  # which takes it for every kind of model
    return lambda X: plain(model, X, prediction_type=kind)


def computes_single(model: Any, depth: int = 0) -> bool:
    """Whether float32 numbers are part of the model, so that its results are not exact to float64's last places."""
    if depth > 4 or isinstance(model, (str, type)):
        return False
    if isinstance(model, (list, tuple)):
        return any(computes_single(part, depth + 1) for part in model[:20])
    if isinstance(model, np.ndarray):
        return bool(model.dtype == np.float32)
    if getattr(model, "dtype", None) is np.float32:  # of vectorizers
        return True
    if type(model).__name__.startswith("GradientBoosting") and hasattr(getattr(model, "init", None), "predict"):
        return True  # another estimator gets the trees' float32
    fitted = getattr(model, "__dict__", {})
    return any(computes_single(value, depth + 1) for value in fitted.values() if not callable(value))


def call(function: Callable[[Any], Any], X: Any) -> Any:
    """The result, without the library's warnings; sparse results made dense."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        result = function(X)
    return result.toarray() if hasattr(result, "toarray") else result
