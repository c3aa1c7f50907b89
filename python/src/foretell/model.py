"""foretell.load: a saved model as an object with scikit-learn's methods, attributes and conventions."""

from __future__ import annotations

import copy
import json
import os
import re
import warnings
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from foretell import _context, _sklearn, _wording, errors
from foretell._source import Source

if TYPE_CHECKING:
    from foretell import _core

F = TypeVar("F", bound=Callable[..., Any])

ESTIMATOR_TYPES = {
    "classifier": "classifier",
    "regressor": "regressor",
    "clusterer": "clusterer",
    "outlier detector": "outlier_detector",
    "transformer": "transformer",
}

LABEL_CODERS = (".LabelEncoder", ".LabelBinarizer")


class _Offered:
    """A method that is there only where the loaded model has it: hasattr says which, as in scikit-learn."""

    def __init__(self, function: Callable[..., Any], test: Callable[[LoadedModel], bool] | None) -> None:
        self.function = function
        self.name = function.__name__
        self.test = test
        self.__doc__ = function.__doc__

    def __get__(self, owner: LoadedModel | None, kind: type) -> Any:
        if owner is None:
            return self.function
        if not owner._offers(self.name, self.test):
            raise owner._lacks(self.name)
        return self.function.__get__(owner, kind)


def _offered(function: F) -> F:
    return cast(F, _Offered(function, None))


def _offered_if(test: Callable[[LoadedModel], bool]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        return cast(F, _Offered(function, test))

    return decorate


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


class LoadedModel:
    """A saved model that foretell runs, with scikit-learn's methods, attributes and conventions.

    It has the methods that the saved model has, and no others. It is frozen: fit returns it as it is, clone()
    returns it itself, and set_params refuses changes.
    """

    _core: _core.Model
    _source: Source

    def __init__(
        self,
        source: str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes],
        *,
        portable: bool = False,
        threads: int = 1,
        **options: Any,
    ) -> None:
        self._parameters: dict[str, Any] = {
            "source": source,
            "portable": portable,
            "threads": threads,
            **options,
        }
        if isinstance(source, (bytes, bytearray, memoryview)):
            self._open(Source.of_bytes(bytes(source), options), threads)
        elif isinstance(source, (str, os.PathLike)):
            self._open(Source.of_path(os.fspath(source), options, keep=portable), threads)
        elif hasattr(source, "read"):
            self._open(Source.of_bytes(source.read(), options), threads)
        else:
            raise TypeError(f"a model is a path, bytes or an open file, not {type(source).__name__}")

    def _open(self, source: Source, threads: int) -> None:
        self._source = source
        self._threads = threads
        self._core = _opened(source, source.options)
        self._look()

    def _look(self) -> None:
        """The facts that calls need, asked for once."""
        info = self._core.info()
        self._methods = frozenset(self._core.methods())
        self._class_name: str = info["class_name"]
        self._library: str = info["library"]
        self._library_version: str = info["library_version"]
        self._kind: str = info["kind"]
        self._names = [column["name"] for column in self._core.inputs()] if info["has_input_names"] else None
        self._n_inputs: int | None = None if info["open_width"] else info["n_inputs"]
        self._warns = self._library == "scikit-learn"
        self._lazy: dict[str, Any] = {}

    # ---- Which methods there are -------------------------------------------------------------------------

    def _offers(self, name: str, test: Callable[[LoadedModel], bool] | None) -> bool:
        return test(self) if test is not None else name in self._methods

    def _lacks(self, name: str) -> AttributeError:
        if name in (
            "predict",
            "predict_proba",
            "predict_log_proba",
            "decision_function",
            "transform",
            "score_samples",
            "apply",
            "margin",
            "kneighbors",
        ):
            try:
                self._core.method_status(name)
            except errors.Error as error:
                if isinstance(error, AttributeError):
                    return error
                return AttributeError(f"{self._short_name} cannot run {name} here: {error}")
        return AttributeError(f"{self._short_name} has no {name}")

    def __dir__(self) -> list[str]:
        return [
            name
            for name in super().__dir__()
            if not isinstance(getattr(type(self), "__dict__", {}).get(name), (_Offered, property))
            or hasattr(self, name)
        ]

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_") and not name.startswith("_") and "_class_name" in self.__dict__:
            raise AttributeError(
                f"a {self._short_name} that foretell loaded has no {name}: it predicts, and keeps only "
                f"classes_, feature_names_in_, n_features_in_ and n_outputs_ of what was fitted; "
                f"the library's own object has the rest"
            )
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    @property
    def _short_name(self) -> str:
        return self._class_name.rpartition(".")[2]

    # ---- Predicting --------------------------------------------------------------------------------------

    def _run(self, method: str, X: Any) -> Any:
        if self._warns:
            self._warn_of_names(X)
        if self._class_name.endswith(LABEL_CODERS):
            return self._labels(self._core, method, X)
        try:
            return self._core.run(X, (method,), threads=self._threads)[0]
        except (errors.ShapeError, errors.SchemaError) as error:
            worded = _wording.reword(error, X, self._checking_class(), self._names, self._n_inputs)
            if worded is error:
                raise
            raise worded from None

    def _labels(self, core: _core.Model, method: str, X: Any) -> Any:
        """LabelEncoder and LabelBinarizer take a vector of labels, and give one where they give labels."""
        rows = X if np.ndim(X) == 2 else np.asarray(X).reshape(-1, 1)
        result = core.run(rows, (method,), threads=self._threads)[0]
        one = method == "inverse_transform" or self._class_name.endswith("LabelEncoder")
        return result[:, 0] if one and np.ndim(result) == 2 else result

    def _warn_of_names(self, X: Any) -> None:
        """As scikit-learn warns where only one of the rows and the model has names."""
        if self._names is not None:
            if isinstance(X, np.ndarray) or _wording.names_of(X) is None and _wording.width_of(X) is not None:
                warnings.warn(
                    f"X does not have valid feature names, but {self._checking_class()} was fitted with "
                    f"feature names",
                    UserWarning,
                    stacklevel=4,
                )
        elif (
            not isinstance(X, np.ndarray)
            and self._n_inputs is not None
            and hasattr(X, "columns")
            and _wording.names_of(X) is not None
            and not self._takes_tables()
        ):
            warnings.warn(
                f"X has feature names, but {self._checking_class()} was fitted without feature names",
                UserWarning,
                stacklevel=4,
            )

    def _takes_tables(self) -> bool:
        """Whether text or cells of any kind go in, which models without names take from tables, too."""
        if "tables" not in self._lazy:
            self._lazy["tables"] = any(
                column["kind"] in ("string", "mixed") for column in self._core.inputs()
            )
        return bool(self._lazy["tables"])

    def _description(self) -> dict[str, Any]:
        if "description" not in self._lazy:
            self._lazy["description"] = json.loads(self._core.describe(json=True))
        return cast("dict[str, Any]", self._lazy["description"])

    def _checking_class(self) -> str:
        """The class that would look at the rows first: of a pipeline, that of its first step."""
        if not self._class_name.endswith(".Pipeline"):
            return self._short_name
        classes = {step["path"]: step["class"].rpartition(".")[2] for step in self._description()["steps"]}
        place = ""
        while classes.get(place) == "Pipeline" and f"{place}.steps[0]".lstrip(".") in classes:
            place = f"{place}.steps[0]".lstrip(".")
        return str(classes.get(place, self._short_name))

    @_offered
    def predict(self, X: Any) -> Any:
        """Predictions of the rows of X, in the shape and dtype of the library that wrote the model."""
        return self._run("predict", X)

    @_offered
    def predict_proba(self, X: Any) -> Any:
        """Probabilities of classes_: (n, classes), or a list of them where there are several targets."""
        return self._run("predict_proba", X)

    @_offered
    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of the probabilities."""
        return self._run("predict_log_proba", X)

    @_offered
    def decision_function(self, X: Any) -> Any:
        """Scores by which the classes, or outliers, are told: (n,) or (n, classes)."""
        return self._run("decision_function", X)

    @_offered
    def score_samples(self, X: Any) -> Any:
        """The score of each row: (n,)."""
        return self._run("score_samples", X)

    @_offered
    def apply(self, X: Any) -> Any:
        """Leaves that the rows fall into: (n,) or (n, trees)."""
        return self._run("apply", X)

    @_offered
    def margin(self, X: Any) -> Any:
        """Boosters: the raw score before any link. XGBoost calls it output_margin, LightGBM raw_score."""
        return self._run("margin", X)

    @_offered
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

    @_offered
    def transform(self, X: Any) -> Any:
        """The transformed rows: an array, or the table that set_output asked for."""
        return _sklearn.wrap_output(self, self._run("transform", X), X)

    @_offered_if(lambda self: "inverse_transform" in self._methods or self._inverse() is not None)
    def inverse_transform(self, X: Any) -> Any:
        """What transform would have made X of."""
        if "inverse_transform" in self._methods:
            return self._run("inverse_transform", X)
        core = cast("_core.Model", self._inverse())
        if self._class_name.endswith(LABEL_CODERS):
            return self._labels(core, "inverse_transform", X)
        return core.run(X, ("inverse_transform",), threads=self._threads)[0]

    def _inverse(self) -> _core.Model | None:
        """The model opened as its inverse, when it is first asked for; None where there is none."""
        if "inverse" not in self._lazy:
            told = bool(self._description().get("has_inverse"))
            if not told and not self._class_name.endswith(("Pipeline", "SearchCV")) or "transform" not in self._methods:
                self._lazy["inverse"] = None
                return None
            self._source.require_unchanged("be opened again for inverse_transform")
            try:
                self._lazy["inverse"] = _opened(self._source, {**self._source.options, "inverse": True})
            except (errors.ArgumentError, errors.UnsupportedModelError):
                self._lazy["inverse"] = None
        return cast("_core.Model | None", self._lazy["inverse"])

    @_offered_if(lambda self: self._kind in ("classifier", "regressor") and "predict" in self._methods)
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

    @_offered_if(lambda self: "transform" in self._methods)
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


def _opened(source: Source, options: dict[str, Any]) -> _core.Model:
    from foretell import _core

    context = _context.context()
    if source.data is not None:
        return _core.Model.open_memory(context, source.data, **options)
    return _core.Model.open(context, cast(str, source.path), **options)


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
