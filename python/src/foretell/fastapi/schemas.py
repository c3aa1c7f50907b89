"""Bodies of requests and answers, under the names and with the fields of foretell-server's own
description."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr, model_validator

Cell = float | int | str | bool | None

ROWS_SCHEMA: dict[str, Any] = {
    "type": "array",
    "description": "The rows: a value for each of the model's columns in order, or objects by column name. "
    "null is a missing value.",
    "items": {
        "anyOf": [
            {"type": "array", "items": {"type": ["number", "string", "boolean", "null"]}},
            {"type": "object", "additionalProperties": {"type": ["number", "string", "boolean", "null"]}},
        ]
    },
}

VALUES_SCHEMA: dict[str, Any] = {
    "type": "array",
    "description": "A value for each row; lists where the model has several outputs.",
}

Texts = Annotated[
    list[StrictStr], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
]


def whole_rows(value: object) -> object:
    """A number of rows as the server takes it: 5000, "5000" or "auto", which is 0; no fractions, no truth
    values."""
    if value == "auto":
        return 0
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise ValueError('Input should be a whole number from 1 to 1000000, or "auto"')
    return value


def one_character(value: object) -> object:
    """A character of ASCII; a tab may be called so."""
    if value == "tab":
        return "\t"
    if isinstance(value, str) and not (len(value) == 1 and value.isascii()):
        raise ValueError('Input should be one character, or "tab"')
    return value


Character = Annotated[StrictStr, BeforeValidator(one_character)]
BatchRows = Annotated[
    int,
    BeforeValidator(whole_rows),
    Field(
        json_schema_extra={
            "anyOf": [{"type": "integer", "minimum": 1, "maximum": 1000000}, {"const": "auto"}]
        }
    ),
]


class Body(BaseModel):
    """Members of other names are passed over; model_path is a name like any other."""

    model_config = ConfigDict(protected_namespaces=(), populate_by_name=True)


class PredictionRequest(Body):
    """Rows for a model."""

    model_path: StrictStr = Field(description="A model's name, or a path beneath the model root.")
    features: list[Any] = Field(json_schema_extra=ROWS_SCHEMA)
    use_cache: StrictBool = Field(True, description="false: the model is opened for this request alone.")
    return_probabilities: StrictBool = False
    method: StrictStr | None = Field(
        None,
        description="What predictions hold: predict, decision_function, transform or "
        "another method of the model. Without one: what it does by itself.",
    )


class PredictionResponse(Body):
    """What the model says of the rows."""

    predictions: list[Any] = Field(json_schema_extra=VALUES_SCHEMA)
    probabilities: list[Any] | None = Field(
        None, description="For each row a number for each class, in the order of classes."
    )
    classes: list[Any] | None = None
    n_samples: int
    inference_time_seconds: float
    throughput_samples_per_sec: float
    cache_hit: bool


class BatchPredictionRequest(Body):
    """A file for a model."""

    model_path: StrictStr = Field(description="A model's name, or a path beneath the model root.")
    data_path: StrictStr = Field(
        description="A path beneath the data root: CSV, JSON, JSON lines, Parquet, Arrow or npy."
    )
    output_path: StrictStr | None = Field(
        None,
        description="A path beneath the output root; its ending says the format. "
        "Without one the predictions are in the answer.",
    )
    batch_size: BatchRows | None = Field(None, description="Rows at a time; 5000 without it.")
    chunk_size: BatchRows | None = Field(None, description="Another name of batch_size.")
    return_probabilities: StrictBool = False
    run_async: StrictBool = Field(
        False, alias="async", description="The work goes on as a job after the answer, which is 202."
    )
    overwrite: StrictBool = Field(False, description="Whether output_path may be there already.")
    method: Texts | None = Field(None, description="Such as predict_proba; several for an output_path.")
    keep: Texts | None = Field(None, description="Columns of the data that the output has, too.")
    features: Texts | None = Field(
        None, description="The columns that are the model's, where it has no names."
    )
    on_error: Literal["fail", "skip", "null"] = "fail"
    input_format: StrictStr | None = None
    output_format: StrictStr | None = None
    delimiter: Character | None = None
    decimal: Character | None = None
    encoding: StrictStr | None = None
    no_header: StrictBool = False
    limit: int | None = Field(None, ge=1, description="The first so many rows alone.")

    @model_validator(mode="after")
    def one_size(self) -> "BatchPredictionRequest":
        """batch_size and chunk_size are one thing."""
        if self.batch_size is not None and self.chunk_size is not None:
            raise ValueError("chunk_size is another name of batch_size: give one")
        return self


class BatchPredictionResponse(Body):
    """What became of the file."""

    output_path: str | None = None
    predictions: list[Any] | None = Field(None, json_schema_extra=VALUES_SCHEMA)
    probabilities: list[Any] | None = None
    classes: list[Any] | None = None
    n_samples: int
    n_batches: int
    n_rejected: int = Field(description="Rows that were left out.")
    n_nulled: int = Field(description="Rows without a prediction.")
    inference_time_seconds: float
    total_time_seconds: float
    throughput_samples_per_sec: float


class ModelWarmupRequest(Body):
    """Models to be opened ahead of requests: model_path, model_paths or both."""

    model_path: StrictStr | None = None
    model_paths: list[StrictStr] | None = None

    @model_validator(mode="after")
    def some_model(self) -> "ModelWarmupRequest":
        """One of the two is there."""
        if self.model_path is None and self.model_paths is None:
            raise ValueError("Field required: model_path, or model_paths")
        return self


class WarmModel(Body):
    """A model that is open."""

    model_path: str
    load_time_seconds: float = Field(description="0 when it was open already.")
    cached: bool
    bytes: int


class ModelWarmupResponse(Body):
    """The models, in the order of the request."""

    status: Literal["ok"]
    models: list[WarmModel]


class CachedModel(Body):
    """A model of the cache."""

    model_path: str
    bytes: int
    hits: int
    loads: int
    failures: int
    load_time_seconds: float
    age_seconds: float
    idle_seconds: float
    in_use: int
    stale: bool = Field(description="The file has changed and the new one could not be opened.")


class Latency(Body):
    """Seconds of predictions, a model's opening included."""

    p50: float
    p95: float
    p99: float
    mean: float


class Process(Body):
    """The process that serves; what the system does not tell is 0."""

    cpu_seconds: float
    resident_bytes: int
    peak_bytes: int
    read_bytes: int
    written_bytes: int
    open_files: int
    threads: int


class CacheStatsResponse(Body):
    """The cache, latency, throughput and the process. Counts are since the process started."""

    cache_size: int = Field(description="Models that are open.")
    max_size: int
    bytes: int
    max_bytes: int = Field(description="0: no limit.")
    hits: int
    misses: int
    hit_rate: float
    evictions: int
    invalidations: int = Field(description="Models that left because their file changed.")
    loads: int
    load_failures: int
    utilization: float
    models: list[CachedModel]
    problems: list[dict[str, str]] = Field(
        description="Models whose file has changed and cannot be opened, and why."
    )
    latency: Latency
    throughput_samples_per_sec: float
    process: Process


class CacheClearResponse(Body):
    """How many models there were."""

    status: Literal["ok"]
    models_cleared: int


class HealthResponse(Body):
    """The service is up."""

    status: Literal["ok"]
    version: str
    uptime_seconds: float
    models_loaded: int
    models_failing: int = Field(description="Models whose changed file cannot be opened.")


class JobError(Body):
    """Why a job failed."""

    status: int
    detail: str


class Job(Body):
    """A file that is worked on in the background."""

    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    model_path: str
    data_path: str
    output_path: str
    created: float = Field(description="Seconds since 1970, as of the next two.")
    started: float | None = None
    ended: float | None = None
    rows: int
    bytes: int
    bytes_total: int | None = None
    progress: float
    eta_seconds: float | None = None
    result: BatchPredictionResponse | None = None
    metrics: dict[str, Any] | None = None
    error: JobError | None = None


class JobList(Body):
    """The newest first."""

    jobs: list[Job]


class Problem(Body):
    """RFC 9457."""

    type: Literal["about:blank"]
    title: str
    status: int
    detail: str


class ValidationProblem(Body):
    """A thing that is wrong with a body."""

    loc: list[str | int]
    msg: str
    type: str


class ValidationProblems(Body):
    """FastAPI's shape of what is wrong with a body."""

    detail: list[ValidationProblem]
