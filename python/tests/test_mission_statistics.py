"""Figures: hit rate, utilisation, evictions, latency, throughput, the process."""

import shutil

import pytest
from conftest import named_frame, numeric_rows
from foretell.inference import OptimizedPredictor
from foretell.inference._statistics import Durations, process_figures


@pytest.fixture
def predictor():
    return OptimizedPredictor(cache_size=4)


def test_names_are_those_of_the_server(predictor, lr_path):
    predictor.predict(lr_path, named_frame(3))
    stats = predictor.get_cache_stats()
    assert {
        "cache_size",
        "max_size",
        "bytes",
        "max_bytes",
        "hits",
        "misses",
        "hit_rate",
        "evictions",
        "invalidations",
        "loads",
        "load_failures",
        "utilization",
        "models",
        "latency",
        "throughput_samples_per_sec",
        "process",
    } <= set(stats)
    assert set(stats["latency"]) == {"p50", "p95", "p99", "mean"}
    assert {
        "cpu_seconds",
        "resident_bytes",
        "peak_bytes",
        "read_bytes",
        "written_bytes",
        "open_files",
        "threads",
    } == set(stats["process"])
    assert {
        "model_path",
        "bytes",
        "hits",
        "loads",
        "failures",
        "load_time_seconds",
        "age_seconds",
        "idle_seconds",
        "in_use",
        "stale",
    } == set(stats["models"][0])


def test_hits_misses_and_rate(predictor, lr_path, forest_path):
    for _ in range(3):
        predictor.predict(lr_path, named_frame(3))
    predictor.predict(forest_path, numeric_rows(3))
    stats = predictor.get_cache_stats()
    assert (stats["hits"], stats["misses"], stats["hit_rate"]) == (2, 2, 0.5)
    assert (stats["cache_size"], stats["max_size"], stats["utilization"]) == (2, 4, 0.5)


def test_evictions(lr_path, tmp_path):
    predictor = OptimizedPredictor(cache_size=2)
    for i in range(5):
        path = tmp_path / f"{i}.joblib"
        shutil.copy(lr_path, path)
        predictor.predict(path, named_frame(3))
    stats = predictor.get_cache_stats()
    assert stats["evictions"] == 3 and stats["utilization"] == 1.0


def test_a_model_s_own_figures(predictor, lr_path):
    for _ in range(3):
        predictor.predict(lr_path, named_frame(3))
    (model,) = predictor.get_cache_stats()["models"]
    assert model["model_path"] == str(lr_path)
    assert (model["hits"], model["loads"], model["failures"], model["stale"]) == (2, 1, 0, False)
    assert (
        model["bytes"] > 0
        and model["load_time_seconds"] > 0
        and model["age_seconds"] >= model["idle_seconds"] >= 0
    )


def test_latency_and_throughput(predictor, forest_path):
    assert predictor.get_cache_stats()["latency"] == {"p50": 0.0, "p95": 0.0, "p99": 0.0, "mean": 0.0}
    for _ in range(50):
        predictor.predict(forest_path, numeric_rows(100))
    stats = predictor.get_cache_stats()
    latency = stats["latency"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"]
    assert latency["mean"] > 0
    assert stats["predictions"] == 50 and stats["rows"] == 5000
    assert stats["throughput_samples_per_sec"] > 0


def test_quantiles_are_within_7_percent():
    durations = Durations()
    for microseconds in range(1, 1001):
        durations.add(microseconds * 1000, 1, microseconds * 1000)
    latency = durations.snapshot()["latency"]
    for name, truth in (("p50", 500e-6), ("p95", 950e-6), ("p99", 990e-6)):
        assert latency[name] == pytest.approx(truth, rel=0.07)
    assert latency["mean"] == pytest.approx(500.5e-6)


@pytest.mark.parametrize("nanoseconds", [0, 1, 7, 8, 1 << 20, 1 << 45, 1 << 70])
def test_any_duration_has_a_bucket(nanoseconds):
    durations = Durations()
    durations.add(nanoseconds, 1, 1)
    assert durations.snapshot()["latency"]["p50"] > 0


def test_rows_of_files_count_in_the_throughput(predictor, lr_path, tmp_path):
    named_frame(1000).to_csv(tmp_path / "rows.csv", index=False)
    predictor.predict_batch(lr_path, tmp_path / "rows.csv")
    stats = predictor.get_cache_stats()
    assert stats["rows"] == 1000 and stats["predictions"] == 0 and stats["throughput_samples_per_sec"] > 0


def test_the_process(tmp_path):
    before = process_figures()
    (tmp_path / "file").write_bytes(b"x" * 4096)
    total = sum(i * i for i in range(2_000_000))
    after = process_figures()
    assert total and after["cpu_seconds"] > before["cpu_seconds"]
    assert after["resident_bytes"] > 1 << 20 and after["peak_bytes"] >= after["resident_bytes"]
    assert after["open_files"] >= 3 and after["threads"] >= 1


def test_failed_loads_are_counted(predictor, tmp_path):
    path = tmp_path / "broken.joblib"
    path.write_bytes(b"\x80\x04broken")
    with pytest.raises(ValueError):
        predictor.predict(path, [[1.0]])
    assert predictor.get_cache_stats()["load_failures"] == 1
