"""The predictor's methods for asyncio: work happens in threads, and a task that is cancelled ends it."""

from __future__ import annotations

import contextvars
import functools
import os
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack

from foretell import _context, _core
from foretell.inference._fork import after_fork
from foretell.inference._jobs import Job
from foretell.inference._options import BatchOptions, BatchSize, DataPath, PathLike, Progress, path_of
from foretell.inference._results import PredictionResult
from foretell.inference._streams import Get, Stream, StreamOptions, check_rows
from foretell.inference._table import BatchResult

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

T = TypeVar("T")


class AsyncMethods:
    """apredict, apredict_batch, apredict_stream and awarmup. The loop never waits for work."""

    _pool: ThreadPoolExecutor | None
    _pool_lock: threading.Lock
    _get: Get

    if TYPE_CHECKING:  # the predictor's

        def predict(self, *args: Any, **kwargs: Any) -> PredictionResult: ...
        def warmup(self, *args: Any, **kwargs: Any) -> dict[str, Any]: ...
        def _run_job(self, *args: Any, **kwargs: Any) -> BatchResult: ...

    def _prepare_async(self) -> None:
        self._after_fork()
        after_fork(self)

    def _after_fork(self) -> None:
        self._pool, self._pool_lock = None, threading.Lock()

    def _threads_of(self) -> ThreadPoolExecutor:
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            with self._pool_lock:
                if self._pool is None:
                    self._pool = ThreadPoolExecutor(min((os.cpu_count() or 1) + 4, 32), "foretell")
        return self._pool

    async def _in_thread(self, work: Callable[[], T], cancel: _core.Cancel | None) -> T:
        """Runs work in a thread. A task that is cancelled ends it by cancel, and waits for its end."""
        import asyncio

        job = self._threads_of().submit(contextvars.copy_context().run, work)
        try:
            return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            if cancel is not None and not job.cancel():
                cancel.trigger()
                ended = asyncio.wrap_future(job)
                await asyncio.wait({ended})
                ended.exception()  # what became of it is nobody's any more
            raise

    async def apredict(
        self,
        model_path: PathLike,
        X: Any,
        return_probabilities: bool = False,
        use_cache: bool = True,
        *,
        method: str | None = None,
        threads: int | None = None,
        on_error: Literal["fail", "null"] = "fail",
        model_options: dict[str, Any] | None = None,
    ) -> PredictionResult:
        """predict() for asyncio."""
        cancel = _core.Cancel(_context.context())
        return await self._in_thread(
            lambda: self.predict(
                model_path,
                X,
                return_probabilities,
                use_cache,
                method=method,
                threads=threads,
                on_error=on_error,
                model_options=model_options,
                _cancel=cancel,
            ),
            cancel,
        )

    async def apredict_batch(
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
        """predict_batch() for asyncio. Functions among the options are called in another thread than the
        loop's.

        A task that is cancelled ends when its job has ended: no file is left behind then.
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
        return await self._in_thread(lambda: self._run_job(job, use_cache), job.cancel)

    async def awarmup(
        self, model_path: PathLike | Sequence[PathLike], methods: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """warmup() for asyncio."""
        return await self._in_thread(lambda: self.warmup(model_path, methods), None)

    def apredict_stream(
        self,
        model_path: PathLike,
        rows: AsyncIterable[Any] | Iterable[Any],
        batch_size: int = 1,
        return_probabilities: bool = False,
        use_cache: bool = True,
        **options: Unpack[StreamOptions],
    ) -> AsyncIterator[Any]:
        """predict_stream() for asyncio: rows may be an async iterable, too."""
        work = Stream(
            self._get, path_of("model_path", model_path), batch_size, return_probabilities, use_cache, options
        )
        if not isinstance(rows, AsyncIterable):
            check_rows(rows)
        return self._results(work, rows)

    async def _results(self, work: Stream, rows: AsyncIterable[Any] | Iterable[Any]) -> AsyncIterator[Any]:
        async for batch in self._batches(rows, work.batch_size):
            cancel = _core.Cancel(_context.context())
            for result in await self._in_thread(functools.partial(work.predict, batch, cancel), cancel):
                yield result

    async def _batches(self, rows: AsyncIterable[Any] | Iterable[Any], size: int) -> AsyncIterator[list[Any]]:
        if not isinstance(rows, AsyncIterable):
            source = iter(rows)
            while batch := await self._in_thread(lambda: list(islice(source, size)), None):
                yield batch
            return
        batch = []
        async for row in rows:
            batch.append(row)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch
