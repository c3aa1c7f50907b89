"""A model that is open: which methods it has, and how they run; model.py gives it scikit-learn's face."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from foretell import _context, _wording, errors
from foretell._core import METHODS
from foretell._source import Source

if TYPE_CHECKING:
    from foretell._core import Model as CoreModel

F = TypeVar("F", bound=Callable[..., Any])


LABEL_CODERS = (".LabelEncoder", ".LabelBinarizer")
# What users look for in the library's objects, beside names that end in an underscore.
_OF_OBJECTS = ("steps", "named_steps", "get_booster")


class _Offered:
    """A method that is there only where the loaded model has it: hasattr says which, as in scikit-learn."""

    def __init__(self, function: Callable[..., Any], test: Callable[[Opened], bool] | None) -> None:
        self.function = function
        self.name = function.__name__
        self.test = test
        self.__doc__ = function.__doc__

    def __get__(self, owner: Opened | None, kind: type) -> Any:
        if owner is None:
            return self.function
        if not owner._offers(self.name, self.test):
            raise owner._lacks(self.name)
        return self.function.__get__(owner, kind)


def offered(function: F) -> F:
    return cast(F, _Offered(function, None))


def offered_if(test: Callable[[Opened], bool]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        return cast(F, _Offered(function, test))

    return decorate


class Opened:
    """A model and where it came from. Nothing of it changes but what is worked out when first asked for."""

    _core: CoreModel
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
        if not self._methods:  # several models in one file, or none that runs
            self._core.method_status("predict")
        self._class_name: str = info["class_name"]
        self._library: str = info["library"]
        self._library_version: str = info["library_version"]
        self._kind: str = info["kind"]
        self._names = [column["name"] for column in self._core.inputs()] if info["has_input_names"] else None
        self._n_inputs: int | None = None if info["open_width"] else info["n_inputs"]
        self._warns = self._library == "scikit-learn"
        self._lazy: dict[str, Any] = {}

    # ---- Which methods there are -------------------------------------------------------------------------

    def _offers(self, name: str, test: Callable[[Opened], bool] | None) -> bool:
        return test(self) if test is not None else name in self._methods

    def _lacks(self, name: str) -> AttributeError:
        if name in METHODS and name != "inverse_transform":
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
        """What is not there: why not."""
        if "_class_name" in self.__dict__:
            for kind in type(self).__mro__:
                found = kind.__dict__.get(name)
                if isinstance(found, _Offered):
                    raise self._lacks(name)
                if isinstance(found, property) and found.fget is not None:
                    return found.fget(self)  # which raises what it raised before
            if name.endswith("_") and not name.startswith("_") or name in _OF_OBJECTS:
                raise AttributeError(
                    f"a {self._short_name} that foretell loaded has no {name}: it predicts, and keeps classes_, "
                    f"feature_names_in_, n_features_in_ and n_outputs_ of what was fitted; the library's own object "
                    f"has the rest"
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
        core = self._core if self._n_inputs is not None else self._as_wide_as(X)
        try:
            return core.run(X, (method,), threads=self._threads)[0]
        except (errors.ShapeError, errors.SchemaError) as error:
            worded = _wording.reword(error, X, self._checking_class(), self._names, self._n_inputs)
            if worded is error:
                raise
            raise worded from None

    def _as_wide_as(self, X: Any) -> CoreModel:
        """The model for as many columns as X has, where the file does not say how many it takes."""
        width = _wording.width_of(X)
        if width is None:
            return self._core
        known: tuple[int, CoreModel] | None = self._lazy.get("wide")
        if known is None or known[0] != width:
            self._lazy["wide"] = known = (width, self._core.with_inputs(width))
        return known[1]

    def _labels(self, core: CoreModel, method: str, X: Any) -> Any:
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

    def _inverse(self) -> CoreModel | None:
        """The model opened as its inverse, when it is first asked for; None where there is none."""
        if "inverse" not in self._lazy:
            told = bool(self._description().get("has_inverse"))
            if (
                not told
                and not self._class_name.endswith(("Pipeline", "SearchCV"))
                or "transform" not in self._methods
            ):
                self._lazy["inverse"] = None
                return None
            self._source.require_unchanged("be opened again for inverse_transform")
            try:
                self._lazy["inverse"] = _opened(self._source, {**self._source.options, "inverse": True})
            except (errors.ArgumentError, errors.UnsupportedModelError):
                self._lazy["inverse"] = None
        return cast("CoreModel | None", self._lazy["inverse"])


def _opened(source: Source, options: dict[str, Any]) -> CoreModel:
    from foretell import _core

    context = _context.context()
    try:
        if source.data is not None:
            return _core.Model.open_memory(context, source.data, **options)
        return _core.Model.open(context, cast(str, source.path), **options)
    except TypeError as error:  # of an option that there is not
        _, told, option = str(error).partition("got an unexpected keyword argument ")
        if not told:
            raise
        raise TypeError(f"foretell.load() {told}{option}") from None
