"""X of any kind as what the C library reads: a matrix of numbers, or columns."""

from __future__ import annotations

from typing import Any

import numpy as np


def prepare(X: Any, schema: tuple[Any, ...]) -> Any:
    """A matrix of numbers, or (rows, is_float32, columns), for what is no plain matrix itself."""
    inputs, has_names, open_width = schema
    array = np.asarray(X)
    return np.ascontiguousarray(array, dtype=np.float64)
