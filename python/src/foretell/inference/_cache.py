"""Open models, the least recently used of which leaves when there are too many."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from foretell import _context, _core
from foretell.inference._options import path_of, refuse, whole_number

PathLike = str | os.PathLike[str]


class ModelCache:
    """A cache of open models, by the paths of their files.

    max_size (or cache_size): models at most; 5 suits small deployments, 15 (the default) medium ones, 30
    large ones.
    max_bytes: memory of the models, their plans and sessions at most; None: no limit.
    check_interval_ms: a request looks at a model's file so often, and opens it again when it has changed.
    check_always: every request looks at the file, which costs some microseconds, and none gets an old model.

    Every method may be called from any thread at once. A model that was given out stays whole whatever
    becomes of the cache's own. The child of a fork goes on with the cache.
    """

    def __init__(
        self,
        max_size: int | None = None,
        *,
        cache_size: int | None = None,
        max_bytes: int | None = None,
        check_interval_ms: int | None = None,
        check_always: bool = False,
    ) -> None:
        if max_size is not None and cache_size is not None and max_size != cache_size:
            raise refuse("cache_size is another name of max_size: give one of them")
        size = whole_number(
            "cache_size" if max_size is None else "max_size",
            max_size if max_size is not None else cache_size,
            default=15,
            most=(1 << 32) - 1,
            advice="5 suits small deployments, 15 medium ones, 30 large ones",
        )
        self._core = _core.Cache(
            _context.context(),
            cache_size=size,
            max_bytes=whole_number("max_bytes", max_bytes, default=0, least=0),
            check_interval_ms=whole_number(
                "check_interval_ms", check_interval_ms, default=1000, most=(1 << 32) - 1
            ),
            check_always=bool(check_always),
        )

    @classmethod
    def _over(cls, core: "_core.Cache") -> "ModelCache":
        """A view of a cache that is there already."""
        self = cls.__new__(cls)
        self._core = core
        return self

    def get(self, model_path: PathLike, *, use_cache: bool = True, **model_options: Any) -> "_core.Model":
        """The model of "PATH" or "PATH:ENTRY", opened unless it is in the cache.

        use_cache=False opens it for the caller alone and changes nothing in the cache. model_options are
        those of foretell.load; with other options it is another model. Several threads that ask for a model
        which is not there open it once. Raises foretell.errors.ModelNotFoundError where there is no file,
        CorruptModelError, UnsupportedModelError and ForbiddenError by what is in it.
        """
        model, _ = self._core.get(path_of("model_path", model_path), use_cache, **model_options)
        return model

    def warm(
        self, model_path: PathLike, methods: tuple[str, ...] | None = None, **model_options: Any
    ) -> Mapping[str, Any]:
        """Opens the model and makes it ready, so that its first prediction takes no longer than others.

        methods: which to make ready; None: predict (transform for a transformer), and predict_proba if it has
        that.
        Returns hit, stale and load_seconds.
        """
        return self._core.warm(path_of("model_path", model_path), methods, **model_options)

    def evict(self, model_path: PathLike) -> int:
        """Removes the models that were asked for by this very path, with any options; returns how many."""
        return self._core.evict(path_of("model_path", model_path))

    def clear(self) -> int:
        """Removes all models; returns how many there were. Statistics stay."""
        return self._core.clear()

    def __len__(self) -> int:
        models: int = self._core.stats()["models"]
        return models

    def __iter__(self) -> Iterator[str]:
        """The paths of the models, the most recently used first, as they were first asked for."""
        return iter([_name_of(model) for model in self._core.models()])

    def __contains__(self, model_path: object) -> bool:
        """Whether a model of this file is in the cache, however the path is spelt. Opens nothing."""
        if not isinstance(model_path, (str, os.PathLike)):
            return False
        return self._find(path_of("model_path", model_path)) is not None

    def _find(self, path: str) -> dict[str, Any] | None:
        """The facts of a model of this file, or of this very entry of it; None: there is none."""
        models = self._core.models()
        named = (model for model in models if path in (_name_of(model), model["path"]))
        linked = (model for model in models if _same_file(path, model["path"]))
        return next(named, None) or next(linked, None)

    @property
    def max_size(self) -> int:
        """Models at most."""
        size: int = self._core.stats()["cache_size"]
        return size

    def stats(self) -> dict[str, Any]:
        """The figures of the cache, under the names that the server's cache/stats has.

        cache_size (models now), max_size, utilization, bytes, max_bytes, hits, misses, hit_rate, stale_hits,
        evictions, invalidations (files that changed or are gone), loads, load_failures, waits, private_loads,
        load_time_seconds, and models: for each model_path, bytes, hits, loads, failures, load_time_seconds,
        age_seconds, idle_seconds, in_use (others that hold it), stale and, if it is, error. Counts are since
        the cache was made.
        """
        core = self._core.stats()
        figures = {
            "cache_size": core["models"],
            "max_size": core["cache_size"],
            "load_failures": core["failures"],
            "load_time_seconds": core["load_seconds"],
        }
        for name in (
            "utilization",
            "bytes",
            "max_bytes",
            "hits",
            "misses",
            "hit_rate",
            "stale_hits",
            "evictions",
            "invalidations",
            "loads",
            "waits",
            "private_loads",
        ):
            figures[name] = core[name]
        figures["models"] = [_figures_of(model) for model in self._core.models()]
        return figures

    def __repr__(self) -> str:
        core = self._core.stats()
        return f"<ModelCache: {core['models']} of {core['cache_size']} models, {core['bytes']} bytes>"


def _name_of(model: dict[str, Any]) -> str:
    path: str = model["path"]
    return f"{path}:{model['select']}" if model["select"] else path


def _same_file(a: str, b: str) -> bool:
    try:
        return os.path.samefile(a, b)
    except (OSError, ValueError):
        return False


def _figures_of(model: dict[str, Any]) -> dict[str, Any]:
    figures = {
        "model_path": _name_of(model),
        "load_time_seconds": model["load_seconds"],
        "in_use": model["holders"],
    }
    for name in ("bytes", "hits", "loads", "failures", "age_seconds", "idle_seconds", "stale"):
        figures[name] = model[name]
    if model["stale"]:
        figures["error"] = model["error_message"]
    return figures
