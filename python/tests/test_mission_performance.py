"""What is faster, by counters and by generous ratios; bench/ has the figures."""

import statistics
import time

import numpy as np
import pytest
from conftest import numeric_rows
from foretell.inference import OptimizedPredictor


def median_seconds(work, times):
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def test_a_cached_model_is_opened_once(forest_path):
    predictor = OptimizedPredictor()
    for _ in range(100):
        predictor.predict(forest_path, numeric_rows(1))
    stats = predictor.get_cache_stats()
    assert stats["loads"] == 1 and stats["hits"] == 99 and stats["hit_rate"] == 0.99


def test_a_cached_prediction_is_much_faster_than_the_first(forest_path):
    predictor = OptimizedPredictor()
    row = numeric_rows(1)
    first = median_seconds(lambda: (predictor.clear_cache(), predictor.predict(forest_path, row)), 5)
    cached = median_seconds(lambda: predictor.predict(forest_path, row), 200)
    assert cached < first / 5


def test_a_cached_prediction_is_much_faster_than_loading_with_joblib(forest_path):
    import joblib

    predictor = OptimizedPredictor()
    row = numeric_rows(1)
    predictor.warmup(forest_path)
    plain = median_seconds(lambda: joblib.load(forest_path).predict(row), 3)
    cached = median_seconds(lambda: predictor.predict(forest_path, row), 100)
    assert cached < plain / 20


def test_rows_together_are_faster_than_one_by_one(forest_path):
    predictor = OptimizedPredictor()
    rows = numeric_rows(1000)
    predictor.warmup(forest_path)
    together = median_seconds(lambda: predictor.predict(forest_path, rows), 5)
    one_by_one = median_seconds(
        lambda: [predictor.predict(forest_path, rows[i : i + 1]) for i in range(1000)], 1
    )
    assert together < one_by_one / 3


def test_a_batch_is_faster_than_scikit_learn_in_chunks(forest_path, original, tmp_path):
    import pandas as pd

    rows = numeric_rows(20_000)
    np.savetxt(tmp_path / "rows.csv", rows, delimiter=",", header="a,b,c,d", comments="")
    predictor = OptimizedPredictor()
    predictor.warmup(forest_path)
    model = original(forest_path)

    def plain():
        for chunk in pd.read_csv(tmp_path / "rows.csv", chunksize=1000):
            model.predict(chunk.to_numpy())

    ours = median_seconds(
        lambda: predictor.predict_batch(forest_path, tmp_path / "rows.csv", features=["a", "b", "c", "d"]), 3
    )
    assert ours < median_seconds(plain, 1) / 3


def test_warmup_takes_the_load_out_of_the_first_request(forest_path):
    predictor = OptimizedPredictor()
    predictor.warmup(forest_path)
    result = predictor.predict(forest_path, numeric_rows(1))
    assert result["cache_hit"] and result["load_time_seconds"] == 0
    assert predictor.get_cache_stats()["loads"] == 1


@pytest.mark.parametrize("rows", [1000, 10_000, 100_000])
def test_the_headline_sizes(rows, forest_path):
    predictor = OptimizedPredictor()
    predictor.warmup(forest_path)
    results = [predictor.predict(forest_path, numeric_rows(rows), return_probabilities=True) for _ in range(10)]
    assert all(result["n_samples"] == rows for result in results)
    assert max(result["throughput_samples_per_sec"] for result in results) > 45_000
