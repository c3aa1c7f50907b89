"""Predictions of rows as they come."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Literal, TypedDict

import numpy as np

from foretell import _core, errors
from foretell.inference._options import check_on_error, refuse, whole_number

Get = Callable[..., "tuple[_core.Model, Mapping[str, Any]]"]


class StreamOptions(TypedDict, total=False):
    """Options of predict_stream; all may be None."""

    method: str | None
    on_error: Literal["fail", "null"] | None
    model_options: dict[str, Any] | None


class Stream:
    """What a stream's batches are computed with, and how many rows have gone."""

    def __init__(
        self,
        get: Get,
        path: str,
        batch_size: object,
        probabilities: bool,
        use_cache: bool,
        options: StreamOptions,
    ) -> None:
        unknown = sorted(set(options) - set(StreamOptions.__annotations__))
        if unknown:
            raise TypeError(f"predict_stream() got an unexpected keyword argument {unknown[0]!r}")
        on_error = options.get("on_error") or "fail"
        check_on_error(on_error, "fail", "null")
        self.batch_size = whole_number("batch_size", batch_size, default=1, most=1 << 31)
        self._nulls = on_error == "null"
        self._get, self._path, self._use_cache = get, path, use_cache
        self._method, self._probabilities = options.get("method"), probabilities
        self._model_options = options.get("model_options") or {}
        self._own: _core.Model | None = None
        self._rows = 0

    def _model(self) -> "_core.Model":
        """The cache's model, which may be a newer one than before; without the cache the stream's own."""
        if self._own is not None:
            return self._own
        model, _ = self._get(self._path, self._use_cache, **self._model_options)
        if not self._use_cache:
            self._own = model
        return model

    def predict(self, rows: list[Any], cancel: "_core.Cancel | None" = None) -> Iterator[Any]:
        """The results of one batch, one for each row. Raises at a bad row, behind those before it."""
        model = self._model()
        method = self._method if self._method is not None else model.default_method
        methods = (method, "predict_proba") if self._probabilities else (method,)
        first, self._rows = self._rows, self._rows + len(rows)
        X = np.stack(rows) if len(rows) > 1 and _are_alike(rows) else rows
        try:
            results, bad_rows = model.run(X, methods, on_error="null", cancel=cancel)
        except errors.Error as error:
            raise _placed(error, first, len(rows)) from None
        bad = {each["row"] for each in bad_rows}
        return self._each(model, methods, rows, results, bad, first)

    def _each(
        self,
        model: "_core.Model",
        methods: tuple[str, ...],
        rows: list[Any],
        results: Any,
        bad: set[int],
        first: int,
    ) -> Iterator[Any]:
        for i in range(len(rows)):
            if i not in bad:
                yield (
                    {"prediction": results[0][i], "probabilities": results[1][i]}
                    if self._probabilities
                    else results[0][i]
                )
            elif self._nulls:
                yield {"prediction": None, "probabilities": None} if self._probabilities else None
            else:
                try:
                    model.run([rows[i]], methods)
                except errors.Error as error:
                    raise _placed(error, first + i, 1) from None


def _are_alike(rows: list[Any]) -> bool:
    """Whether all are arrays of one shape and dtype, which together are a matrix."""
    first = rows[0]
    return isinstance(first, np.ndarray) and all(
        isinstance(row, np.ndarray) and row.shape == first.shape and row.dtype == first.dtype for row in rows
    )


def _placed(error: errors.Error, first: int, rows: int) -> errors.Error:
    """The error with the row's position in the stream, in place of that in its batch."""
    if rows > 1 and error.row is None:
        error.add_note(f"in rows {first} to {first + rows - 1} of the stream")
    else:
        error.row = first + (error.row or 0)
        error.add_note(f"in row {error.row} of the stream")
    return error


def check_rows(rows: object) -> None:
    """Refuses what has no rows to iterate over."""
    if hasattr(rows, "itertuples") or hasattr(rows, "iter_rows") or hasattr(rows, "to_batches"):
        raise refuse(
            f"rows is a table of type {type(rows).__name__}: predict() takes it whole; to stream its rows "
            "give frame.itertuples(index=False), or dicts"
        )
    if isinstance(rows, (str, bytes, dict)) or not isinstance(rows, Iterable):
        raise refuse(
            f"rows is of type {type(rows).__name__}: give an iterable of rows, each a dict, list, tuple "
            "or array"
        )


def stream(
    get: Get,
    path: str,
    rows: Iterable[Any],
    batch_size: object,
    probabilities: bool,
    use_cache: bool,
    options: StreamOptions,
) -> Iterator[Any]:
    """See OptimizedPredictor.predict_stream. Arguments are checked at once, rows when they are asked for."""
    work = Stream(get, path, batch_size, probabilities, use_cache, options)
    check_rows(rows)
    return _results(work, iter(rows))


def _results(work: Stream, rows: Iterator[Any]) -> Iterator[Any]:
    while batch := list(islice(rows, work.batch_size)):
        yield from work.predict(batch)
