"""The routes."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from foretell import _context, _core, errors
from foretell.inference import OptimizedPredictor, get_optimized_predictor

from . import schemas
from ._answers import Refusal, Route, classes_of, json_response, refusal_of
from ._batch import Batch
from ._body import member
from ._jobs import Jobs
from ._paths import PathError, Root

Path = str | os.PathLike[str]

RESPONSES: dict[int | str, dict[str, Any]] = {
    422: {
        "model": schemas.ValidationProblems,
        "description": "The body, a row or the model is not as it should be.",
    },
    "default": {
        "model": schemas.Problem,
        "description": "404: not there; 403: not beneath the root; 413: a limit.",
    },
}


def setting(given: Path | None, name: str, otherwise: str | None) -> Path | None:
    """A setting of the caller, else of the environment under foretell-server's name, else the default."""
    if given is not None:
        return given
    return os.environ.get(f"FORETELL_SERVE_{name.upper()}", otherwise)


class Service:
    """What the routes do. Made at the first request, so that importing the router opens nothing."""

    def __init__(
        self,
        predictor: OptimizedPredictor | None,
        models: Mapping[str, Path] | None,
        model_root: Path | None,
        data_root: Path | None,
        output_root: Path | None,
        max_answer_rows: int,
        max_jobs: int,
        max_waiting_jobs: int,
        job_keep: float,
    ) -> None:
        self.predictor = predictor or get_optimized_predictor()
        self.names = {name: os.path.realpath(path) for name, path in (models or {}).items()}
        self.model_root = Root(setting(model_root, "model_root", "."), "model_root")
        self.data_root = Root(setting(data_root, "data_root", "."), "data_root")
        self.output_root = Root(setting(output_root, "output_root", None), "output_root")
        self.max_answer_rows = max_answer_rows
        self.jobs = Jobs(max_jobs, max_waiting_jobs, job_keep)
        self.began = time.monotonic()

    def find(self, path: str) -> str:
        """The file of a model_path."""
        if path in self.names:
            return self.names[path]
        try:
            return self.model_root.find(path)
        except PathError as error:
            why = {
                404: "is not there: a path is looked for beneath model_root",
                403: "is not beneath model_root",
            }
            text = f"the model {path[:200]} {why.get(error.status, 'is no path')}"
            raise Refusal(error.status, text) from None

    def shown(self, file: str) -> str:
        """What a client calls a file."""
        for name, path in self.names.items():
            if path == file:
                return name
        return self.model_root.shown(file)

    def open_model(self, file: str) -> Any:
        """The model of the cache."""
        return self.predictor.cache.get(file)

    def predict(self, body: schemas.PredictionRequest, raw: bytes) -> dict[str, Any]:
        """PredictionResponse."""
        file = self.find(body.model_path)
        check_methods([] if body.method is None else [body.method])
        began = time.perf_counter_ns()
        try:
            model, answer = self.predictor._get(file, body.use_cache)
            method = body.method or ("predict" if body.return_probabilities else model.default_method)
            methods = (method, "predict_proba") if body.return_probabilities else (method,)
            ready = time.perf_counter_ns()
            results = model.run_json(member(raw, "features"), methods)
        except errors.Error as error:
            raise refusal_of(error, {file: body.model_path}) from None
        ended = time.perf_counter_ns()
        self.predictor._durations.add(ended - began, len(body.features), ended - ready)
        return self._answer(model, results, len(body.features), 1e-9 * (ended - ready), answer["hit"])

    def _answer(
        self, model: Any, results: tuple[Any, ...], rows: int, seconds: float, hit: bool
    ) -> dict[str, Any]:
        answer: dict[str, Any] = {"predictions": results[0]}
        if len(results) > 1:
            answer["probabilities"] = results[1]
        classes = classes_of(model.classes())
        if classes is not None:
            answer["classes"] = classes
        return {
            **answer,
            "n_samples": rows,
            "inference_time_seconds": seconds,
            "throughput_samples_per_sec": rows / seconds if seconds > 0 else 0.0,
            "cache_hit": hit,
        }

    def batch(self, body: schemas.BatchPredictionRequest) -> Batch:
        """A batch whose model is there."""
        check_methods(body.method or [])
        file = self.find(body.model_path)
        return Batch(
            body,
            file,
            body.model_path,
            self.open_model,
            _core.Cancel(_context.context()),
            self.data_root,
            self.output_root,
            self.max_answer_rows,
            self.predictor._durations.add_rows,
        )

    def submit(self, body: schemas.BatchPredictionRequest) -> dict[str, Any]:
        """A job."""
        if body.output_path is None:
            raise Refusal(
                422, "a job needs an output_path for its predictions", field="output_path", kind="missing"
            )
        batch = self.batch(body)
        try:
            batch.prepare()
            return self.jobs.submit(batch).told()
        except Refusal:
            batch.close()
            raise

    def warm(self, body: schemas.ModelWarmupRequest) -> dict[str, Any]:
        """ModelWarmupResponse."""
        paths = ([body.model_path] if body.model_path is not None else []) + list(body.model_paths or ())
        models = []
        for path in paths:
            file = self.find(path)
            try:
                warmed = self.predictor.warmup(file)["models"][0]
            except errors.Error as error:
                raise refusal_of(error, {file: path}) from None
            models.append({**warmed, "model_path": path})
        return {"status": "ok", "models": models}

    def stats(self) -> dict[str, Any]:
        """CacheStatsResponse."""
        stats = self.predictor.get_cache_stats()
        models, problems = [], []
        for model in stats["models"]:
            shown = self.shown(model["model_path"])
            models.append(
                {name: model[name] for name in schemas.CachedModel.model_fields if name in model}
                | {"model_path": shown}
            )
            if model["stale"]:
                problems.append(
                    {"model": shown, "error": str(model.get("error") or "the new file is not open yet")}
                )
        answer = {name: stats[name] for name in schemas.CacheStatsResponse.model_fields if name in stats}
        return answer | {"models": models, "problems": problems}

    def clear(self, path: str | None) -> dict[str, Any]:
        """CacheClearResponse."""
        cleared = (
            self.predictor.clear_cache() if path is None else self.predictor.cache.evict(self.find(path))
        )
        return {"status": "ok", "models_cleared": cleared}

    def health(self) -> dict[str, Any]:
        """HealthResponse."""
        models = self.predictor.get_cache_stats()["models"]
        return {
            "status": "ok",
            "version": _core.version(),
            "uptime_seconds": time.monotonic() - self.began,
            "models_loaded": len(models),
            "models_failing": sum(bool(model["stale"]) for model in models),
        }


def check_methods(names: Sequence[str]) -> None:
    """Whether there are methods of these names; a model may lack them."""
    for name in names:
        if name not in _core.METHODS:
            text = f"there is no method '{name[:60]}'; methods are {', '.join(_core.METHODS)}"
            raise Refusal(422, text, field="method")


async def raw_body(request: Request) -> bytes:
    """The body as it was sent; it has been read already."""
    return await request.body()


async def finished(request: Request, batch: Batch, jobs: Jobs) -> dict[str, Any]:
    """The batch's answer; it is cancelled when the client goes."""
    work = asyncio.wrap_future(jobs.wait_for(batch))
    try:
        while not (await asyncio.wait({work}, timeout=0.25))[0]:
            if await request.is_disconnected():
                batch.cancel()
    except asyncio.CancelledError:
        batch.cancel()
        raise
    answer: dict[str, Any] = work.result()
    return answer


def make_router(
    predictor: OptimizedPredictor | None = None,
    *,
    models: Mapping[str, Path] | None = None,
    model_root: Path | None = None,
    data_root: Path | None = None,
    output_root: Path | None = None,
    max_answer_rows: int = 100_000,
    max_jobs: int = 2,
    max_waiting_jobs: int = 100,
    job_keep: float = 3600.0,
) -> APIRouter:
    """A router with the six endpoints and those of jobs, all with the tag "inference".

    predictor         whose cache the routes use; without one it is get_optimized_predictor()
    models            names for models: {"churn": "models/churn.joblib"}
    model_root        where the model_path of requests lies; without it $FORETELL_SERVE_MODEL_ROOT, else
                      the working folder
    data_root         where data_path lies: $FORETELL_SERVE_DATA_ROOT, else the working folder
    output_root       where output_path may be written: $FORETELL_SERVE_OUTPUT_ROOT, else nowhere
    max_answer_rows   rows of a file whose predictions an answer may hold
    max_jobs          files that are worked on at once; as many again for clients who wait
    max_waiting_jobs  jobs that may wait for that; more are 503
    job_keep          seconds for which a finished job is told of

    Predictions run in the application's thread pool, files in threads of the router: the event loop never
    waits.
    Requests, answers and status codes are those of foretell-server (docs/SERVER.md). Raises OSError at the
    first request
    when a root is no folder.
    """
    made: list[Service] = []
    lock = threading.Lock()

    def service() -> Service:
        with lock:
            if not made:
                made.append(
                    Service(
                        predictor,
                        models,
                        model_root,
                        data_root,
                        output_root,
                        max_answer_rows,
                        max_jobs,
                        max_waiting_jobs,
                        job_keep,
                    )
                )
            return made[0]

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        with lock:
            over = made[:]
            made.clear()
        for each in over:
            await asyncio.to_thread(each.jobs.stop)

    router = APIRouter(tags=["inference"], route_class=Route, responses=RESPONSES, lifespan=lifespan)

    @router.post(
        "/predict",
        response_model=schemas.PredictionResponse,
        response_model_exclude_none=True,
        summary="Predict rows",
        operation_id="foretell_predict",
    )
    def predict(body: schemas.PredictionRequest, raw: Annotated[bytes, Depends(raw_body)]) -> Response:
        """The model stays open for the next request. Classifiers say their classes, and with
        `return_probabilities` how
        sure they are."""
        return json_response(service().predict(body, raw))

    @router.post(
        "/predict-batch",
        response_model=schemas.BatchPredictionResponse,
        summary="Predict a file",
        responses={202: {"model": schemas.Job, "description": "A job: its address is in `Location`."}},
        operation_id="foretell_predict_batch",
    )
    async def predict_batch(request: Request, body: schemas.BatchPredictionRequest) -> Response:
        """CSV, JSON, JSON lines, Parquet, Arrow or npy, of any size, in constant memory. Without
        `output_path` the
        predictions are in the answer; with `async` the work goes on as a job after the answer.
        `output_path` is never
        overwritten unless `overwrite` says so."""
        these = await asyncio.to_thread(service)
        if not body.run_async:
            batch = await asyncio.to_thread(these.batch, body)
            return json_response(await finished(request, batch, these.jobs))
        told = await asyncio.to_thread(these.submit, body)
        location = request.url.path.removesuffix("/predict-batch") + f"/jobs/{told['id']}"
        return json_response(told, 202, headers={"Location": location})

    @router.post(
        "/warmup",
        response_model=schemas.ModelWarmupResponse,
        summary="Open models ahead of requests",
        operation_id="foretell_warmup",
    )
    def warmup(body: schemas.ModelWarmupRequest) -> Response:
        """Opens them unless they are open, and makes their plans."""
        return json_response(service().warm(body))

    @router.get(
        "/cache/stats",
        response_model=schemas.CacheStatsResponse,
        operation_id="foretell_cache_stats",
        summary="The cache, latency, throughput and the process",
    )
    def cache_stats() -> Response:
        """Counts since the process started."""
        return json_response(service().stats())

    @router.delete(
        "/cache/clear",
        response_model=schemas.CacheClearResponse,
        summary="Close all models, or one",
        operation_id="foretell_cache_clear",
    )
    def cache_clear(
        model_path: Annotated[str | None, Query(min_length=1, description="This one alone.")] = None,
    ) -> Response:
        """Requests that are being worked on keep theirs."""
        return json_response(service().clear(model_path))

    @router.get(
        "/health",
        response_model=schemas.HealthResponse,
        summary="Is the service up?",
        operation_id="foretell_health",
    )
    def health() -> Response:
        """How many models are open, and for how long the service has been."""
        return json_response(service().health())

    @router.get(
        "/jobs",
        response_model=schemas.JobList,
        operation_id="foretell_jobs",
        summary="Jobs that run, wait or have ended a while ago",
    )
    def jobs() -> Response:
        """The newest first."""
        return json_response({"jobs": [job.told() for job in service().jobs.all()]})

    @router.get(
        "/jobs/{number}", response_model=schemas.Job, summary="How far a job is", operation_id="foretell_job"
    )
    def job(number: str) -> Response:
        """Rows, bytes, the share that is done and the seconds that are left."""
        return json_response(service().jobs.find(number).told())

    @router.delete(
        "/jobs/{number}",
        response_model=schemas.Job,
        summary="Cancel a job, or forget one that has ended",
        responses={202: {"model": schemas.Job, "description": "It ends soon, and leaves no output."}},
        operation_id="foretell_job_cancel",
    )
    def job_cancel(number: str) -> Response:
        """A job that is cancelled leaves no output."""
        cancelled, over = service().jobs.cancel(number)
        return json_response(cancelled.told(), 200 if over else 202)

    return router


router = make_router()
