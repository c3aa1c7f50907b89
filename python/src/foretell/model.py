"""foretell.load: a saved model as an object with scikit-learn's methods, attributes and conventions."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from foretell import _sklearn, errors
from foretell._loaded import LABEL_CODERS, Opened, offered, offered_if
from foretell._source import Source

if TYPE_CHECKING:
    from foretell._core import Model as CoreModel

ESTIMATOR_TYPES = {
    "classifier": "classifier",
    "regressor": "regressor",
    "clusterer": "clusterer",
    "outlier detector": "outlier_detector",
    "transformer": "transformer",
}


def load(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes],
    *,
    portable: bool = False,
    threads: int = 1,
    **options: Any,
) -> LoadedModel:
    """Opens a saved model, executing nothing of it, as an object that scikit-learn takes for a fitted one.

    source: a path, or PATH:ENTRY for an entry of a dict, list or tuple; or the bytes of a model file; or a
    file that is open for reading, which is read to its end.
    portable: the object keeps the bytes of the file and pickles them, for other machines without that file;
    otherwise a pickle holds the path and the SHA-256 of the file. What was loaded from bytes always is.
    threads: that one call may use; 0: all that the process has. The results are the same.
    options: max_bytes, max_objects, max_depth, iterations, select, then, labels, threshold, inverse, classes,
    as foretell predict has them (docs/PYTHON-MODELS.md).

    Errors: ModelNotFoundError, FileError, CorruptModelError, UnsupportedModelError, ForbiddenError,
    LimitError, ArgumentError. The object may be used from any threads at once.
    """
    return LoadedModel(source, portable=portable, threads=threads, **options)


class LoadedModel(Opened):
    """A saved model that foretell runs, with scikit-learn's methods, attributes and conventions.

    It has the methods that the saved model has, and no others. It is frozen: fit returns it as it is, clone()
    returns it itself, and set_params refuses changes.
    """

    @offered
    def predict(self, X: Any) -> Any:
        """Predictions of the rows of X, in the shape and dtype of the library that wrote the model."""
        return self._run("predict", X)

    @offered
    def predict_proba(self, X: Any) -> Any:
        """Probabilities of classes_: (n, classes), or a list of them where there are several targets."""
        return self._run("predict_proba", X)

    @offered
    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of the probabilities."""
        return self._run("predict_log_proba", X)

    @offered
    def decision_function(self, X: Any) -> Any:
        """Scores by which the classes, or outliers, are told: (n,) or (n, classes)."""
        return self._run("decision_function", X)

    @offered
    def score_samples(self, X: Any) -> Any:
        """The score of each row: (n,)."""
        return self._run("score_samples", X)

    @offered
    def apply(self, X: Any) -> Any:
        """Leaves that the rows fall into: (n,) or (n, trees)."""
        return self._run("apply", X)

    @offered
    def margin(self, X: Any) -> Any:
        """Boosters: the raw score before any link. XGBoost calls it output_margin, LightGBM raw_score."""
        return self._run("margin", X)

    @offered
    def kneighbors(self, X: Any, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """Distances and indices of the nearest training rows, or the indices alone.

        n_neighbors: at most as many as the model was fitted for; None: as many. ArgumentError for more.
        """
        distances, indices = self._run("kneighbors", X)
        if n_neighbors is not None:
            if not 0 < n_neighbors <= indices.shape[1]:
                raise errors.make(
                    "ARG",
                    message=f"n_neighbors is 1 to {indices.shape[1]} here, which is what the model "
                    f"was fitted with, not {n_neighbors}",
                )
            distances, indices = distances[:, :n_neighbors], indices[:, :n_neighbors]
        return (distances, indices) if return_distance else indices

    @offered
    def transform(self, X: Any) -> Any:
        """The transformed rows: an array, or the table that set_output asked for."""
        return _sklearn.wrap_output(self, self._run("transform", X), X)

    @offered_if(lambda self: "inverse_transform" in self._methods or self._inverse() is not None)
    def inverse_transform(self, X: Any) -> Any:
        """What transform would have made X of."""
        if "inverse_transform" in self._methods:
            return self._run("inverse_transform", X)
        core = cast("CoreModel", self._inverse())
        if self._class_name.endswith(LABEL_CODERS):
            return self._labels(core, "inverse_transform", X)
        return core.run(X, ("inverse_transform",), threads=self._threads)[0]

    @offered_if(lambda self: self._kind in ("classifier", "regressor") and "predict" in self._methods)
    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Of classifiers the accuracy, of regressors R², as scikit-learn's mixins have it."""
        score = _sklearn.accuracy if self._kind == "classifier" else _sklearn.r2
        return score(y, self._run("predict", X), sample_weight)

    # ---- What was fitted ---------------------------------------------------------------------------------

    @property
    def classes_(self) -> Any:
        """The classes of a classifier: an array, or a list of arrays where there are several targets."""
        if "classes" not in self._lazy:
            self._lazy["classes"] = self._core.classes() or self._coded_classes()
        classes = self._lazy["classes"]
        if not classes:
            raise AttributeError(f"{self._short_name} has no classes_")
        return classes[0] if len(classes) == 1 else list(classes)

    def _coded_classes(self) -> list[np.ndarray[Any, Any]]:
        """Those of LabelEncoder and LabelBinarizer, to which the labels are input."""
        if not self._class_name.endswith(LABEL_CODERS):
            return []
        labels = self._description()["inputs"][0].get("categories", [])
        if self._inverse() is not None:
            return [self.inverse_transform(np.arange(len(labels)))]
        return [np.array(labels)]

    @property
    def feature_names_in_(self) -> np.ndarray[Any, np.dtype[np.object_]]:
        """Names of the columns that the model was fitted on; missing where it does not know them."""
        if self._names is None:
            raise AttributeError(f"{self._short_name} was fitted without feature names")
        return np.array(self._names, dtype=object)

    @property
    def n_features_in_(self) -> int:
        """How many columns the model takes; missing where the file does not say."""
        if self._n_inputs is None:
            raise AttributeError(f"the file does not say how many columns the {self._short_name} takes")
        return self._n_inputs

    @property
    def n_outputs_(self) -> int:
        """How many targets predict gives."""
        if "predict" not in self._methods or self._kind not in ("classifier", "regressor"):
            raise AttributeError(f"{self._short_name} has no n_outputs_")
        return len(self._core.outputs("predict"))

    @property
    def _estimator_type(self) -> str:
        found = ESTIMATOR_TYPES.get(self._kind)
        if found is None or found == "transformer":  # scikit-learn's transformers have none
            raise AttributeError("_estimator_type")
        return found

    @offered_if(lambda self: "transform" in self._methods)
    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> Any:
        """Names of transform's columns.

        input_features: must be those of feature_names_in_ where the model has them; otherwise they stand for
        x0, x1, …
        """
        names = [column["name"] for column in self._core.outputs("transform")]
        if input_features is not None:
            names = self._renamed(names, [str(name) for name in input_features])
        return np.array(names, dtype=object)

    def _renamed(self, names: list[str], given: list[str]) -> list[str]:
        if self._names is not None:
            if given != self._names:
                raise ValueError("input_features is not equal to feature_names_in_")
            return names
        if self._n_inputs is not None and len(given) != self._n_inputs:
            raise ValueError(
                f"input_features should have length equal to number of features ({self._n_inputs}), got "
                f"{len(given)}"
            )
        generated = [f"x{i}" for i in range(len(given))]
        if given == generated:
            return names
        prefix = re.compile(re.escape(self._short_name.lower()) + r"\d+\Z")
        places = {name: i for i, name in enumerate(generated)}
        if all(name in places or prefix.match(name) for name in names):
            return [given[places[name]] if name in places else name for name in names]
        raise errors.make(
            "UNSUPPORTED",
            message=f"the names that {self._short_name} makes of input_features are not "
            f"known here; leave input_features out, which gives {names[0]!r} and "
            f"so on",
        )

    # ---- scikit-learn's conventions ----------------------------------------------------------------------

    def fit(self, X: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> LoadedModel:
        """Nothing: the model is fitted and frozen, as scikit-learn's FrozenEstimator is. Returns self."""
        return self

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """What foretell.load was given."""
        return dict(self._parameters)

    def set_params(self, **params: Any) -> LoadedModel:
        """Refuses changes with a ValueError: the model is frozen, and clones of it are the same object."""
        for name, value in params.items():
            if name not in self._parameters:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {self!r}. Valid parameters are: "
                    f"{list(self._parameters)!r}."
                )
            if value is not self._parameters[name] and not _same(value, self._parameters[name]):
                raise ValueError(
                    f"a loaded model is frozen, so {name} cannot be set: load it again with "
                    f"foretell.load(…, {name}=…)"
                )
        return self

    @offered_if(lambda self: "transform" in self._methods)
    def set_output(self, *, transform: str | None = None) -> LoadedModel:
        """What transform returns: "default" (an array), "pandas" or "polars"; None leaves it as it is."""
        if transform is not None:
            _sklearn.check_output(transform)
            self._sklearn_output_config = {"transform": transform}
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_clone__(self) -> LoadedModel:
        return self

    def __sklearn_tags__(self) -> Any:
        return _sklearn.tags(
            ESTIMATOR_TYPES.get(self._kind),
            self._core.inputs(),
            "transform" in self._methods,
            self._core.outputs("predict") if "predict" in self._methods else [],
        )

    def _more_tags(self) -> dict[str, Any]:
        """The same for scikit-learn before 1.6."""
        return _sklearn.old_tags(self._core.inputs())

    # ---- Copies and pickles ------------------------------------------------------------------------------

    def __copy__(self) -> LoadedModel:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._parameters = dict(self._parameters)
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> LoadedModel:
        other = copy.copy(self)
        if hasattr(self, "_sklearn_output_config"):
            other._sklearn_output_config = dict(self._sklearn_output_config)
        return other

    def __reduce__(self) -> tuple[Callable[[dict[str, Any]], LoadedModel], tuple[dict[str, Any]]]:
        state = {"source": self._source.state(), "threads": self._threads, "format": 1}
        if hasattr(self, "_sklearn_output_config"):
            state["output"] = self._sklearn_output_config["transform"]
        return _restore, (state,)

    def __repr__(self) -> str:
        given = [
            repr(self._source.path)
            if self._source.path is not None
            else f"<{len(self._source.data or b'')} bytes>"
        ]
        given += [f"{name}={value!r}" for name, value in self._source.options.items()]
        return f"<foretell {self._short_name} ({self._kind}) from {', '.join(given)}>"

    def _repr_html_(self) -> str:
        rows = [
            ("class", self._class_name),
            ("kind", self._kind),
            ("written by", f"{self._library} {self._library_version}".strip()),
            ("methods", ", ".join(sorted(self._methods))),
            ("inputs", self._listed_inputs()),
        ]
        if self._source.path is not None:
            rows.insert(0, ("file", self._source.path))
        return _sklearn.html_table(f"foretell {self._short_name}", rows)

    def _listed_inputs(self) -> str:
        if self._names is None:
            return "any number" if self._n_inputs is None else str(self._n_inputs)
        more = ", …" if len(self._names) > 10 else ""
        return f"{len(self._names)}: {', '.join(self._names[:10])}{more}"


def _same(left: Any, right: Any) -> bool:
    return (
        type(left) is type(right)
        and isinstance(left, (str, int, float, bytes, list, tuple))
        and bool(left == right)
    )


def _restore(state: dict[str, Any]) -> LoadedModel:
    """What a pickle of a LoadedModel calls."""
    model = object.__new__(LoadedModel)
    source = Source.of_state(state["source"])
    model._parameters = {
        "source": source.path if source.data is None else source.data,
        "portable": source.data is not None,
        "threads": state["threads"],
        **source.options,
    }
    model._open(source, state["threads"])
    if "output" in state:
        model.set_output(transform=state["output"])
    return model
