"""Training data that the differential tests of boosters share."""

import warnings

import numpy as np


def columns(rng, rows, gaps=0.1):
    """Numbers of different size, zeros, small integers, and missing values in most columns."""
    x = rng.normal(size=(rows, 5)) * [1, 100, 1, 1e-3, 1]
    x[:, 2] = rng.integers(-1, 9, rows)
    x[rng.random(rows) < 0.5, 4] = 0.0
    x[rng.random(x.shape) < gaps] = np.nan
    x[:, 3] = np.nan_to_num(x[:, 3])
    return x


def signal(rng, x):
    z = np.nan_to_num(x)
    return z[:, 0] + z[:, 1] / 100 + (z[:, 2] % 3) + (z[:, 4] == 0) + rng.normal(size=len(x)) * 0.3


def fit(model, x, y, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(x, y, **more)
