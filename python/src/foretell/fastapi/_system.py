"""The context that a predictor's models belong to."""

from typing import Any


def context_of(predictor: Any) -> Any:
    """For a cancel token of a job through the predictor's models."""
    return predictor.context
