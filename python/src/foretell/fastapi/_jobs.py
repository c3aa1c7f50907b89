"""Files that are worked on in threads of their own, and jobs, which go on when the client has gone."""

import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ._answers import Refusal
from ._batch import Batch

MOST_KEPT = 1000  # finished jobs that are told of


class Crew:
    """A few threads, and a bound on what waits for them."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self.most = threads + waiting
        self.given = 0
        self.lock = threading.Lock()

    def give(self, work: Callable[[], Any]) -> "Future[Any]":
        """The work's future; Refusal when too much waits already."""
        with self.lock:
            if self.given >= self.most:
                raise Refusal(503, "the service is busy: too many jobs wait")
            self.given += 1
        try:
            future = self.pool.submit(work)
        except RuntimeError:
            with self.lock:
                self.given -= 1
            raise Refusal(503, "the service ends") from None
        future.add_done_callback(self._done)
        return future

    def _done(self, _: "Future[Any]") -> None:
        with self.lock:
            self.given -= 1


class Job:
    """A batch that is told of."""

    def __init__(self, batch: Batch) -> None:
        self.id = secrets.token_hex(16)
        self.batch = batch
        self.state = "queued"
        self.created = time.time()
        self.started: float | None = None
        self.ended: float | None = None
        self.clock = 0.0
        self.result: dict[str, Any] | None = None
        self.refusal: Refusal | None = None

    @property
    def over(self) -> bool:
        """It has ended, well or not."""
        return self.state in ("done", "failed", "cancelled")

    def work(self) -> None:
        """Runs on a thread of the crew."""
        self.started, self.clock, self.state = time.time(), time.monotonic(), "running"
        state = "failed"
        try:
            if self.batch.token.triggered:
                state = "cancelled"
            else:
                self.result = self.batch.run()
                state = "done"
        except Refusal as refusal:
            self.refusal = refusal
            state = "cancelled" if self.batch.token.triggered else "failed"
        except Exception as error:  # a job has nobody to raise to
            self.refusal = Refusal(500, f"{type(error).__name__}: {error}")
        finally:
            self.batch.close()
            self.ended = time.time()
            self.state = state

    def told(self) -> dict[str, Any]:
        """What a client is told."""
        batch, request, state = self.batch, self.batch.request, self.state
        total = batch.bytes_total
        share = 1.0 if state == "done" else min(batch.bytes_read / total, 1.0) if total else 0.0
        eta = 0.0 if state == "done" else None
        if state == "running" and share > 0:
            eta = (time.monotonic() - self.clock) * (1 - share) / share
        told: dict[str, Any] = {
            "id": self.id,
            "state": state,
            "model_path": request.model_path,
            "data_path": request.data_path,
            "output_path": request.output_path,
            "created": self.created,
            "started": self.started,
            "ended": self.ended,
            "rows": batch.rows,
            "bytes": batch.bytes_read,
            "bytes_total": total or None,
            "progress": share,
            "eta_seconds": eta,
        }
        if state == "done":
            told |= {"result": self.result, "metrics": batch.metrics()}
        if state == "failed" and self.refusal is not None:
            told["error"] = {"status": self.refusal.status, "detail": self.refusal.detail}
        return told


class Jobs:
    """All jobs of a router. Thread-safe."""

    def __init__(self, threads: int, waiting: int, keep: float) -> None:
        self.background = Crew("foretell-job", threads, waiting)
        self.awaited = Crew(
            "foretell-batch", threads, waiting
        )  # what clients wait for does not stand behind jobs
        self.keep = keep
        self.lock = threading.Lock()
        self.jobs: dict[str, Job] = {}
        self.waited: set[Batch] = set()

    def submit(self, batch: Batch) -> Job:
        """A job of a batch that is prepared."""
        job = Job(batch)
        with self.lock:
            self._tidy()
            if len(self.jobs) >= 2 * MOST_KEPT:
                raise Refusal(503, "the service is busy: too many jobs wait")
            self.background.give(job.work)
            self.jobs[job.id] = job
        return job

    def wait_for(self, batch: Batch) -> "Future[Any]":
        """Prepares and runs a batch for somebody who waits."""

        def work() -> dict[str, Any]:
            try:
                batch.prepare()
                return batch.run()
            finally:
                batch.close()
                with self.lock:
                    self.waited.discard(batch)

        with self.lock:
            self.waited.add(batch)
        try:
            return self.awaited.give(work)
        except Refusal:
            with self.lock:
                self.waited.discard(batch)
            raise

    def _tidy(self) -> None:
        before = time.time() - self.keep
        over = [job for job in self.jobs.values() if job.over]
        for i, job in enumerate(over):
            if (job.ended or 0) < before or len(over) - i > MOST_KEPT:
                del self.jobs[job.id]

    def all(self) -> list[Job]:
        """The newest first."""
        with self.lock:
            self._tidy()
            return list(self.jobs.values())[::-1]

    def find(self, number: str) -> Job:
        """A job by its id; Refusal."""
        with self.lock:
            self._tidy()
            job = self.jobs.get(number)
        if job is None:
            raise Refusal(404, "there is no such job: it never was, or it ended long ago")
        return job

    def cancel(self, number: str) -> tuple[Job, bool]:
        """Cancels a job; one that is over is forgotten: (the job, it was over)."""
        job = self.find(number)
        with self.lock:
            over = job.over
            if over:
                self.jobs.pop(number, None)
        if not over:
            job.batch.cancel()
        return job, over

    def stop(self) -> None:
        """Cancels everything, and waits until it has ended: no half of an output stays."""
        with self.lock:
            batches = [job.batch for job in self.jobs.values() if not job.over] + list(self.waited)
        for batch in batches:
            batch.cancel()
        self.background.pool.shutdown(wait=True)
        self.awaited.pool.shutdown(wait=True)
