"""The predictor: models by their files' paths, predictions with figures."""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, Unpack

import numpy as np

from foretell import _core
from foretell.inference._asyncio import AsyncMethods
from foretell.inference._cache import ModelCache
from foretell.inference._jobs import Job
from foretell.inference._options import (
    BatchOptions,
    BatchSize,
    DataPath,
    PathLike,
    Progress,
    check_on_error,
    path_of,
    refuse,
    whole_number,
)
from foretell.inference._results import PredictionResult
from foretell.inference._statistics import Durations, now, process_figures
from foretell.inference._streams import StreamOptions, stream
from foretell.inference._table import BatchResult

OnError = Literal["fail", "null"]


class OptimizedPredictor(AsyncMethods):
    """Predictions from model files. Open models stay in a cache; nothing of a file is executed.

    cache_size: models that stay open at most: 5 for small deployments, 15 (the default) for medium, 30 for
    large ones.
    max_bytes: memory that they may take; None: any.
    check_interval_ms, check_always: how soon a file that has changed is opened again (ModelCache).
    threads: that one prediction may use; 0: one a processor. Few rows stay on the calling thread in any case.
    cache: a ModelCache to use, instead of one of the predictor's own.

    Every method may be called from any thread at once, and in the child of a fork. Errors are those of
    foretell.errors.
    """

    def __init__(
        self,
        cache_size: int | None = None,
        max_bytes: int | None = None,
        *,
        check_interval_ms: int | None = None,
        check_always: bool = False,
        threads: int = 0,
        cache: ModelCache | None = None,
    ) -> None:
        if cache is not None and (cache_size, max_bytes, check_interval_ms, check_always) != (
            None,
            None,
            None,
            False,
        ):
            raise refuse("cache is given, and so is how it is to be made: leave out one of these")
        if cache is not None and not isinstance(cache, ModelCache):
            raise refuse(f"cache is of type {type(cache).__name__}: give a ModelCache")
        self.cache = (
            cache
            if cache is not None
            else ModelCache(
                cache_size=cache_size,
                max_bytes=max_bytes,
                check_interval_ms=check_interval_ms,
                check_always=check_always,
            )
        )
        self._threads = whole_number("threads", threads, default=0, least=0, most=(1 << 32) - 1)
        self._get = self.cache._core.get
        self._durations = Durations()
        self._prepare_async()

    # ---- Rows in memory

    def predict(
        self,
        model_path: PathLike,
        X: Any,
        return_probabilities: bool = False,
        use_cache: bool = True,
        *,
        method: str | None = None,
        threads: int | None = None,
        on_error: OnError = "fail",
        model_options: dict[str, Any] | None = None,
        _cancel: "_core.Cancel | None" = None,
    ) -> PredictionResult:
        """Predicts rows that are in memory.

        model_path: "PATH", or "PATH:ENTRY" of a file that holds several things.
        X: (n, columns): a numpy array, a pandas, polars or pyarrow table, anything with __arrow_c_stream__, a
        scipy sparse matrix, lists of lists, dicts by name. Tables are matched by the columns' names where the
        model has names. Results are plain arrays in the order of the rows: a DataFrame's index is not kept.
        return_probabilities: probabilities and classes as well, computed in the same pass.
        use_cache=False opens the model for this call alone, and evicts none.
        method: another one than predict (or transform, for a transformer), such as "decision_function".
        on_error="null": bad rows are no error, their results are missing, and bad_rows tells why.
        model_options: those of foretell.load, such as {"iterations": 50}.
        """
        begun = now()
        path = model_path if type(model_path) is str else path_of("model_path", model_path)
        model, answer = (
            self._get(path, use_cache, **model_options) if model_options else self._get(path, use_cache)
        )
        if method is None:
            method = model.default_method
        methods = (method, "predict_proba") if return_probabilities else (method,)
        threads = self._threads if threads is None else threads
        ready = now()
        if on_error == "fail" and _cancel is None:
            results, bad_rows = model.run(X, methods, threads=threads), None
        else:
            check_on_error(on_error, "fail", "null")
            results = model.run(X, methods, threads=threads, on_error=on_error, cancel=_cancel)
            results, bad_rows = results if on_error == "null" else (results, None)
        ended = now()
        predictions, busy = results[0], ended - ready
        rows = _rows_of(predictions)
        self._durations.add(ended - begun, rows, busy)
        result = PredictionResult(
            predictions=predictions,
            n_samples=rows,
            inference_time_seconds=busy * 1e-9,
            throughput_samples_per_sec=rows / (busy * 1e-9) if busy else 0.0,
            cache_hit=answer["hit"],
            load_time_seconds=answer["load_seconds"],
        )
        if return_probabilities:
            classes = model.classes()
            result["probabilities"], result["classes"] = (
                results[1],
                classes[0] if len(classes) == 1 else classes,
            )
        if bad_rows is not None:
            result["bad_rows"] = bad_rows
        return result

    def predict_stream(
        self,
        model_path: PathLike,
        rows: Iterable[Any],
        batch_size: int = 1,
        return_probabilities: bool = False,
        use_cache: bool = True,
        **options: Unpack[StreamOptions],
    ) -> Iterator[Any]:
        """Predicts rows as they come: an iterator with one prediction for each row, in their order.

        rows: any iterable, which may be endless, of dicts by column name, or of lists, tuples or arrays in
        the columns' order. batch_size rows are taken and computed together; with 1 each row is answered
        before the next one is asked for. Memory holds one batch.
        A prediction is what predictions[i] of predict() would be; with return_probabilities a dict of
        "prediction" and "probabilities".
        A file that changes meanwhile is opened again, as everywhere; with use_cache=False the stream has one
        model of its own from the first row to the last.
        on_error="fail" (the default): a bad row raises after the predictions of those before it, with
        error.row its position in the stream; "null": its prediction is None.
        """
        return stream(
            self._get,
            path_of("model_path", model_path),
            rows,
            batch_size,
            return_probabilities,
            use_cache,
            options,
        )

    # ---- Files

    def predict_batch(
        self,
        model_path: PathLike,
        data_path: DataPath,
        output_path: PathLike | None = None,
        batch_size: BatchSize = None,
        return_probabilities: bool = False,
        *,
        chunk_size: BatchSize = None,
        use_cache: bool = True,
        progress: Progress = None,
        memory_cap: int | None = None,
        spool_dir: PathLike | None = None,
        model_options: dict[str, Any] | None = None,
        **options: Unpack[BatchOptions],
    ) -> BatchResult:
        """Predicts the rows of files, of any size in constant memory, and returns when all are done.

        data_path: a path, a pattern ("part-*.csv"), a folder, or a list of these: CSV, JSON, JSON lines,
        Parquet, Arrow or .npy, compressed or not; docs/FILES.md.
        output_path: where the results go, in the format that the name says; the file appears when it is
        complete, or not at all. None: the result keeps the rows, in memory up to memory_cap bytes (256 MiB),
        past that in a file without a name in spool_dir (the system's folder for temporary files), which ends
        with the result.
        batch_size, or chunk_size: rows that are computed together: 1000 where memory is short, 5000 (the
        default), 10000, or "auto": as many as suit the columns and the processor's caches. Results never
        depend on it.
        return_probabilities: columns of the classes' probabilities beside the prediction.
        progress: a bar on standard error if that is a terminal; False: none; a function receives a dict of
        rows, bytes_read and bytes_total at most every 100 ms, and ends the job by returning False.
        options: see BatchOptions.

        Ctrl-C ends the job and leaves no file behind.
        """
        job = Job(
            model_path,
            data_path,
            output_path,
            batch_size,
            chunk_size,
            return_probabilities,
            progress,
            memory_cap,
            spool_dir,
            model_options,
            options,
        )
        return self._run_job(job, use_cache)

    def _run_job(self, job: Job, use_cache: bool) -> BatchResult:
        model, answer = self._get(job.model_path, use_cache, **job.model_options)
        result = job.run(model, answer)
        figures = result.metrics
        self._durations.add_rows(figures["rows"], int(figures["seconds"] * 1e9))
        return result

    # ---- The cache

    def warmup(
        self, model_path: PathLike | Sequence[PathLike], methods: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Opens a model, or several, and makes them ready: the first prediction takes no longer than others.

        Returns {"status": "ok", "models": [{"model_path", "load_time_seconds", "cached", "bytes"}, ...]};
        raises for the first one that cannot be opened.
        """
        paths = [model_path] if isinstance(model_path, (str, os.PathLike)) else list(model_path)
        return {
            "status": "ok",
            "models": [self._warm(path_of("model_path", path), methods) for path in paths],
        }

    def _warm(self, path: str, methods: Sequence[str] | None) -> dict[str, Any]:
        answer = self.cache.warm(path, None if methods is None else tuple(methods))
        kept = self.cache._find(path)
        return {
            "model_path": path,
            "load_time_seconds": answer["load_seconds"],
            "cached": kept is not None,  # one that is larger than max_bytes is not
            "bytes": kept["bytes"] if kept is not None else 0,
        }

    def get_cache_stats(self) -> dict[str, Any]:
        """The cache's figures (ModelCache.stats) with latency, throughput and the process's use of the
        machine.

        latency: p50, p95, p99 and mean of predict(), in seconds, opening of models included. predictions:
        calls of it.
        throughput_samples_per_sec: all rows, those of files as well, by the time that predicting took.
        process: cpu_seconds, resident_bytes, peak_bytes, read_bytes and written_bytes (of disks), open_files,
        threads.
        """
        return {**self.cache.stats(), **self._durations.snapshot(), "process": process_figures()}

    def clear_cache(self) -> int:
        """Closes all models of the cache; returns how many there were. Statistics stay."""
        return self.cache.clear()

    def __reduce__(self) -> Any:
        """Another process gets its own predictor, with the same settings and nothing in its cache."""
        if self is _singleton:
            return get_optimized_predictor, ()
        cache = self.cache._core.stats()
        return OptimizedPredictor, (cache["cache_size"], cache["max_bytes"] or None)

    def __repr__(self) -> str:
        return f"<OptimizedPredictor over {self.cache!r}>"


def _rows_of(results: Any) -> int:
    """Rows of a method's results: an array, a sparse matrix, or a tuple or list of arrays."""
    if isinstance(results, (tuple, list)):
        return _rows_of(results[0])
    if isinstance(results, np.ndarray):
        return len(results)
    rows: int = results.shape[0]
    return rows


# ---- The process-wide predictor

_singleton: OptimizedPredictor | None = None
_lock = threading.Lock()


def _in_child() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_in_child)


def get_optimized_predictor(
    cache_size: int | None = None, max_bytes: int | None = None
) -> OptimizedPredictor:
    """The predictor of this process, one for all who ask.

    The first call makes it: cache_size and max_bytes are taken from it, else from FORETELL_CACHE_SIZE and
    FORETELL_CACHE_BYTES of the environment, else they are 15 and any. Later calls get the same one; arguments
    that differ from what it was made with are an ArgumentError. The child of a fork goes on with it and what
    is in it.
    """
    global _singleton
    if _singleton is None:
        with _lock:
            if _singleton is None:
                _singleton = OptimizedPredictor(
                    cache_size if cache_size is not None else _setting("FORETELL_CACHE_SIZE"),
                    max_bytes if max_bytes is not None else _setting("FORETELL_CACHE_BYTES"),
                )
    if cache_size is not None or max_bytes is not None:
        made = _singleton.cache._core.stats()
        for name, value in (("cache_size", cache_size), ("max_bytes", max_bytes)):
            if value is not None and value != made[name]:
                raise refuse(
                    f"{name} is {value!r}, but the process's predictor was made with {made[name]!r}: ask for "
                    "it first where it is configured, or make an OptimizedPredictor of your own"
                )
    return _singleton


def _setting(name: str) -> int | None:
    text = os.environ.get(name, "").strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise refuse(f"the environment's {name} is {text!r}: give a whole number of at least 1")
    return int(text)
