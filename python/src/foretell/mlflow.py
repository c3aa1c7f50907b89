"""MLflow's models served by foretell: what mlflow.pyfunc.load_model gives, without executing a pickle.

    import foretell.mlflow
    model = foretell.mlflow.load_model("models:/churn/3")       # instead of mlflow.pyfunc.load_model
    model.predict(frame)

or once for a model's folder, after which mlflow.pyfunc.load_model itself, `mlflow models serve` and what
is built on them
use foretell:

    foretell.mlflow.use_in("mlruns/…/model")                    # undo: foretell.mlflow.use_in(folder, None)

Models of MLflow's flavours sklearn, xgboost, lightgbm and catboost; files that foretell does not read are
errors, not
fallbacks. Needs mlflow or mlflow-skinny.
"""

import os
import tempfile
from collections.abc import Mapping
from typing import Any

from foretell import errors
from foretell.inference import OptimizedPredictor, get_optimized_predictor

__all__ = ["FoundModel", "load_model", "use_in"]

PathLike = str | os.PathLike[str]

LOADER = "foretell.mlflow"
KEPT = "foretell_replaced_loader"  # in MLmodel: the loader that was there


class FoundModel:
    """What pyfunc's predict calls: one method of a model file, by the cache of a predictor."""

    def __init__(
        self, path: str, method: str | None = None, predictor: OptimizedPredictor | None = None
    ) -> None:
        self.path = path
        self.method = method
        self.predictor = predictor or get_optimized_predictor()
        self.predictor.warmup(path)

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """The method's results for a table; params: {"predict_method": NAME} chooses another method."""
        method = (params or {}).get("predict_method", self.method)
        return self.predictor.predict(self.path, data, method=method)["predictions"]

    def get_raw_model(self) -> Any:
        """The model itself, of foretell._core."""
        return self.predictor.cache.get(self.path)


def _read(folder: str) -> dict[str, Any]:
    """The contents of MLmodel."""
    import yaml

    path = os.path.join(folder, "MLmodel")
    with open(path, encoding="utf-8") as file:
        contents = yaml.safe_load(file)
    if not isinstance(contents, dict) or not isinstance(contents.get("flavors"), dict):
        raise errors.ArgumentError(f"{path} is no description of a model: it has no flavors")
    return contents


def _file_of(folder: str, contents: dict[str, Any]) -> tuple[str, str | None]:
    """The model's file, and the method that pyfunc's predict is."""
    flavors = contents["flavors"]
    pyfunc = flavors.get("python_function") or {}
    names = [pyfunc.get("model_path"), pyfunc.get("data")]
    for flavor, keys in (
        ("sklearn", ("pickled_model",)),
        ("xgboost", ("data", "model_path")),
        ("lightgbm", ("data", "model_path")),
        ("catboost", ("data", "model_path")),
    ):
        names += [(flavors.get(flavor) or {}).get(key) for key in keys]
    root = os.path.realpath(folder)
    for name in names:
        if not isinstance(name, str):
            continue
        path = os.path.realpath(os.path.join(root, name))
        if os.path.commonpath((root, path)) != root:
            raise errors.ArgumentError(f"{folder}: the model's file {name} lies outside of its folder")
        if os.path.isfile(path):
            method = pyfunc.get("predict_fn")
            return path, method if method != "predict" else None
    raise errors.ArgumentError(
        f"{folder}: none of the flavors {', '.join(sorted(flavors))} names a model file that is there; "
        "foretell runs those of sklearn, xgboost, lightgbm and catboost"
    )


def _load_pyfunc(data_path: str, model_config: Mapping[str, Any] | None = None) -> FoundModel:
    """What MLflow calls of a loader module: the folder of the model, or its file."""
    if os.path.isdir(data_path):
        return FoundModel(*_file_of(data_path, _read(data_path)))
    folder = os.path.dirname(data_path)
    method = None
    if os.path.exists(os.path.join(folder, "MLmodel")):
        method = (_read(folder)["flavors"].get("python_function") or {}).get("predict_fn")
    return FoundModel(data_path, method if method != "predict" else None)


def load_model(model_uri: PathLike) -> Any:
    """An mlflow.pyfunc.PyFuncModel, as mlflow.pyfunc.load_model gives, whose predictions are foretell's.

    model_uri: a folder, or what MLflow knows as one: runs:/…, models:/…, s3://… . The signature is
    enforced as ever.
    """
    from mlflow.artifacts import download_artifacts
    from mlflow.models import Model
    from mlflow.pyfunc import PyFuncModel

    uri = os.fspath(model_uri)
    folder = uri if os.path.isdir(uri) else download_artifacts(uri)
    return PyFuncModel(model_meta=Model.load(folder), model_impl=_load_pyfunc(folder), predict_fn="predict")


def use_in(folder: PathLike, loader: str | None = LOADER) -> str:
    """Writes into a model's MLmodel who loads it, and returns who did before. None: who did before foretell.

    The model's file is opened first: a folder whose model foretell does not run stays as it is, and the
    error says why.
    """
    import yaml

    folder = os.fspath(folder)
    contents = _read(folder)
    pyfunc = contents["flavors"].get("python_function")
    if not isinstance(pyfunc, dict) or not isinstance(pyfunc.get("loader_module"), str):
        raise errors.ArgumentError(f"{folder}: the model has no flavor python_function")
    before: str = pyfunc["loader_module"]
    if loader is None:
        pyfunc["loader_module"] = pyfunc.pop(KEPT, before)
    elif loader != before:
        _load_pyfunc(folder)
        pyfunc[KEPT] = before
        pyfunc["loader_module"] = loader
    descriptor, unfinished = tempfile.mkstemp(prefix=".MLmodel.", dir=folder)
    with open(descriptor, "w", encoding="utf-8") as file:
        yaml.safe_dump(contents, file, sort_keys=False, allow_unicode=True)
    os.chmod(unfinished, os.stat(os.path.join(folder, "MLmodel")).st_mode & 0o777)
    os.replace(unfinished, os.path.join(folder, "MLmodel"))
    return before
