"""The six endpoints in a FastAPI application of one's own.

    from fastapi import FastAPI
    from foretell.fastapi import router

    app = FastAPI()
    app.include_router(router, prefix="/api/v1/inference")

`router` has the settings of the environment, make_router() one's own. Answers are those of
foretell-server, which needs no
Python and is the faster one. Needs FastAPI: pip install fastapi.
"""

try:
    import fastapi as _  # noqa: F401
except ImportError as error:
    raise ImportError('foretell.fastapi needs FastAPI: pip install fastapi') from error

from ._answers import to_rows
from ._router import make_router, router
from .schemas import (
    BatchPredictionRequest,
    BatchPredictionResponse,
    CacheClearResponse,
    CacheStatsResponse,
    HealthResponse,
    Job,
    JobList,
    ModelWarmupRequest,
    ModelWarmupResponse,
    PredictionRequest,
    PredictionResponse,
)

__all__ = [
    "BatchPredictionRequest",
    "BatchPredictionResponse",
    "CacheClearResponse",
    "CacheStatsResponse",
    "HealthResponse",
    "Job",
    "JobList",
    "ModelWarmupRequest",
    "ModelWarmupResponse",
    "PredictionRequest",
    "PredictionResponse",
    "make_router",
    "router",
    "to_rows",
]
