"""What predictions come in."""

from collections.abc import Mapping
from typing import Any, TypedDict

import numpy as np


class PredictionResult(dict[str, Any]):
    """What OptimizedPredictor.predict gives: a dict of arrays and figures, which are attributes as well.

    predictions                 (n,) or (n, targets), as the library that wrote the model shapes and types it
    probabilities               (n, classes), or a list of these for several targets; with
                                return_probabilities
    classes                     the classes in the order of the probabilities' columns; with
                                return_probabilities
    n_samples                   rows of X
    inference_time_seconds      reading X and predicting, without opening the model
    throughput_samples_per_sec  n_samples / inference_time_seconds
    cache_hit                   the model was in the cache
    load_time_seconds           opening the model, or waiting for who opened it; 0 for a hit
    bad_rows                    with on_error="null": a dict (row, column, reason, message) for each row
                                without results

    The arrays are the caller's own.
    """

    __slots__ = ()

    @property
    def predictions(self) -> np.ndarray[Any, Any]:
        """The predictions."""
        found: np.ndarray[Any, Any] = self["predictions"]
        return found

    @property
    def probabilities(self) -> Any:
        """The probabilities; None when they were not asked for."""
        return self.get("probabilities")


class BatchMetrics(TypedDict):
    """The figures of a job over files."""

    rows: int  # read
    rows_written: int
    rows_rejected: int
    rows_nulled: int
    rows_resumed: int
    batch_size: int  # rows of a batch at most, as chosen
    n_batches: int
    threads: int
    seconds: float  # the job, without opening the model
    rows_per_second: float
    load_seconds: float  # opening the model
    cache_hit: bool
    bytes_read: int
    bytes_written: int
    # seconds of work, added up over the threads
    read_seconds: float
    parse_seconds: float
    predict_seconds: float
    format_seconds: float
    write_seconds: float


def batch_metrics(figures: dict[str, Any], answer: Mapping[str, Any]) -> BatchMetrics:
    """The figures of a job (ftl_score_result) and of the cache's answer, under the names of the package."""
    rows, size, seconds = figures["rows_read"], figures["batch_rows"], figures["seconds"]
    return BatchMetrics(
        rows=rows,
        rows_written=figures["rows_written"],
        rows_rejected=figures["rows_rejected"],
        rows_nulled=figures["rows_nulled"],
        rows_resumed=figures["rows_resumed"],
        batch_size=size,
        n_batches=-(-rows // size) if size else 0,
        threads=figures["threads"],
        seconds=seconds,
        rows_per_second=rows / seconds if seconds > 0 else 0.0,
        load_seconds=answer["load_seconds"],
        cache_hit=answer["hit"],
        bytes_read=figures["bytes_read"],
        bytes_written=figures["bytes_written"],
        read_seconds=figures["read_seconds"],
        parse_seconds=figures["parse_seconds"],
        predict_seconds=figures["predict_seconds"],
        format_seconds=figures["format_seconds"],
        write_seconds=figures["write_seconds"],
    )
