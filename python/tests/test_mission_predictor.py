"""OptimizedPredictor.predict: the original library's predictions, with figures."""

import itertools
import os
import shutil
import threading
import time

import numpy as np
import pytest
from conftest import mixed_frame, named_frame, numeric_rows
from foretell import errors
from foretell.inference import OptimizedPredictor, PredictionResult


@pytest.fixture
def predictor():
    return OptimizedPredictor(cache_size=5)


def test_the_mission_s_own_call(predictor, lr_path, original):
    X_test = named_frame(50, seed=9)
    result = predictor.predict(model_path=str(lr_path), X=X_test, return_probabilities=True, use_cache=True)
    assert np.array_equal(result["predictions"], original(lr_path).predict(X_test))
    np.testing.assert_allclose(result["probabilities"], original(lr_path).predict_proba(X_test), rtol=1e-12)
    assert result["inference_time_seconds"] > 0
    assert result["throughput_samples_per_sec"] == pytest.approx(50 / result["inference_time_seconds"])
    assert result["n_samples"] == 50
    assert list(result["classes"]) == ["churn", "stay"]


@pytest.mark.parametrize("name", ["lr", "forest", "pipeline", "regressor"])
def test_predictions_are_the_original_s(name, request, predictor, original, rows_of):
    path = request.getfixturevalue(f"{name}_path")
    expected = original(path).predict(rows_of(path))
    found = predictor.predict(path, rows_of(path))["predictions"]
    assert found.dtype == expected.dtype and found.shape == expected.shape
    if name == "regressor":
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    else:
        assert np.array_equal(found, expected)


def test_without_probabilities_there_are_none(predictor, lr_path, rows_of):
    result = predictor.predict(lr_path, rows_of(lr_path))
    assert "probabilities" not in result and result.probabilities is None
    assert set(result) == {
        "predictions",
        "n_samples",
        "inference_time_seconds",
        "throughput_samples_per_sec",
        "cache_hit",
        "load_time_seconds",
    }


def test_the_result_is_a_dict_with_attributes(predictor, lr_path, rows_of):
    result = predictor.predict(lr_path, rows_of(lr_path), return_probabilities=True)
    assert isinstance(result, PredictionResult) and isinstance(result, dict)
    assert result.predictions is result["predictions"] and result.probabilities is result["probabilities"]


def test_cache_hit_tells_whether_the_model_was_open(predictor, lr_path, rows_of):
    first, second = (predictor.predict(lr_path, rows_of(lr_path)) for _ in range(2))
    assert (first["cache_hit"], second["cache_hit"]) == (False, True)
    assert first["load_time_seconds"] > 0 and second["load_time_seconds"] == 0


def test_use_cache_false_opens_privately_and_evicts_nobody(lr_path, forest_path, rows_of):
    predictor = OptimizedPredictor(cache_size=1)
    predictor.predict(lr_path, rows_of(lr_path))
    result = predictor.predict(forest_path, rows_of(forest_path), use_cache=False)
    assert result["cache_hit"] is False
    stats = predictor.get_cache_stats()
    assert lr_path in predictor.cache and forest_path not in predictor.cache
    assert stats["evictions"] == 0 and stats["private_loads"] == 1


def test_a_transformer_transforms(predictor, transformer_path, rows_of, original):
    rows = rows_of(transformer_path)
    result = predictor.predict(transformer_path, rows)
    np.testing.assert_allclose(
        result["predictions"], original(transformer_path).transform(rows), rtol=1e-9, atol=1e-12
    )
    assert result["n_samples"] == 400


def test_a_model_that_does_not_say_how_wide_it_is(predictor, tmp_path):
    import joblib
    from sklearn.preprocessing import FunctionTransformer

    joblib.dump(FunctionTransformer(np.log1p), tmp_path / "model.joblib")
    for width in (1, 2, 5, 2):
        rows = np.abs(np.random.default_rng(width).normal(size=(7, width)))
        found = predictor.predict(tmp_path / "model.joblib", rows)["predictions"]
        np.testing.assert_allclose(found, np.log1p(rows), rtol=1e-12)
        found = predictor.predict(tmp_path / "model.joblib", rows, on_error="null")["predictions"]
        np.testing.assert_allclose(found, np.log1p(rows), rtol=1e-12)


def test_another_method(predictor, lr_path, rows_of, original):
    found = predictor.predict(lr_path, rows_of(lr_path), method="decision_function")["predictions"]
    np.testing.assert_allclose(found, original(lr_path).decision_function(rows_of(lr_path)), rtol=1e-12)


def test_models_options(predictor, lr_path, rows_of, original):
    rows = rows_of(lr_path)
    found = predictor.predict(lr_path, rows, model_options={"threshold": 0.9})["predictions"]
    expected = np.where(original(lr_path).predict_proba(rows)[:, 1] >= 0.9, "stay", "churn")
    assert np.array_equal(found, expected)


def test_path_and_entry(predictor, lr_path, tmp_path, rows_of, original):
    import joblib

    path = tmp_path / "bundle.joblib"
    joblib.dump({"model": original(lr_path), "notes": "none", "other": original(lr_path)}, path)
    rows = rows_of(lr_path)
    found = predictor.predict(f"{path}:model", rows)["predictions"]
    assert np.array_equal(found, original(lr_path).predict(rows))
    assert f"{path}:model" in predictor.cache


def test_columns_are_matched_by_name(predictor, lr_path, original):
    frame = named_frame(20, seed=5)
    shuffled = frame[["rate", "age", "balance", "tenure"]].assign(more="text")
    assert np.array_equal(
        predictor.predict(lr_path, shuffled)["predictions"], original(lr_path).predict(frame)
    )


def test_a_frame_s_index_does_not_matter(predictor, lr_path, original):
    frame = named_frame(20, seed=5).set_index(np.arange(100, 120))
    found = predictor.predict(lr_path, frame)["predictions"]
    assert isinstance(found, np.ndarray) and np.array_equal(found, original(lr_path).predict(frame))


@pytest.mark.parametrize("kind", ["lists", "dicts", "float32", "fortran"])
def test_rows_of_many_kinds(kind, predictor, forest_path, lr_path, original):
    if kind == "dicts":
        frame = named_frame(10, seed=6)
        found = predictor.predict(lr_path, frame.to_dict("records"))["predictions"]
        assert np.array_equal(found, original(lr_path).predict(frame))
        return
    rows = numeric_rows(10, seed=6)
    given = {"lists": rows.tolist(), "float32": rows.astype(np.float32), "fortran": np.asfortranarray(rows)}[
        kind
    ]
    expected = original(forest_path).predict(rows.astype(np.float32) if kind == "float32" else rows)
    assert np.array_equal(predictor.predict(forest_path, given)["predictions"], expected)


def test_polars_and_pyarrow(predictor, pipeline_path, original):
    import polars
    import pyarrow

    frame = mixed_frame(30, seed=2)
    expected = original(pipeline_path).predict(frame)
    for table in (polars.from_pandas(frame), pyarrow.Table.from_pandas(frame)):
        assert np.array_equal(predictor.predict(pipeline_path, table)["predictions"], expected)


def test_bad_rows_can_be_told_instead_of_raised(predictor, lr_path, original):
    frame = named_frame(6, seed=1)
    frame.loc[2, "balance"] = np.nan
    with pytest.raises(ValueError):
        predictor.predict(lr_path, frame)
    result = predictor.predict(lr_path, frame, on_error="null")
    assert [bad["row"] for bad in result["bad_rows"]] == [2]
    kept = [0, 1, 3, 4, 5]
    assert list(np.asarray(result["predictions"])[kept]) == list(original(lr_path).predict(frame.iloc[kept]))


def test_a_new_version_of_the_file_is_used(lr_path, forest_path, tmp_path, original):
    predictor = OptimizedPredictor(check_always=True)
    path = tmp_path / "model.joblib"
    rows = numeric_rows(10)
    shutil.copy(forest_path, path)
    assert np.array_equal(predictor.predict(path, rows)["predictions"], original(forest_path).predict(rows))
    shutil.copy(lr_path, tmp_path / "new.joblib")
    os.replace(tmp_path / "new.joblib", path)
    assert predictor.predict(path, rows)["predictions"].dtype.kind in "OU"
    assert predictor.get_cache_stats()["invalidations"] == 1


def test_a_transformer_that_becomes_a_classifier_predicts(transformer_path, forest_path, tmp_path):
    predictor = OptimizedPredictor(check_always=True)
    path, rows = tmp_path / "model.joblib", numeric_rows(10)
    shutil.copy(transformer_path, path)
    assert predictor.predict(path, rows)["predictions"].shape == (10, 2)
    shutil.copy(forest_path, tmp_path / "new.joblib")
    os.replace(tmp_path / "new.joblib", path)
    result = predictor.predict(path, rows, return_probabilities=True)
    assert result["predictions"].shape == (10,) and list(result["classes"]) == [0, 1, 2]


def test_warmup_opens_ahead(predictor, lr_path, forest_path, rows_of):
    answer = predictor.warmup(lr_path)
    assert answer["status"] == "ok"
    (model,) = answer["models"]
    assert model["model_path"] == str(lr_path) and model["cached"] is True
    assert model["load_time_seconds"] > 0 and model["bytes"] > 0
    assert predictor.predict(lr_path, rows_of(lr_path))["cache_hit"] is True
    assert len(predictor.warmup([lr_path, forest_path])["models"]) == 2


def test_clear_cache_tells_how_many(predictor, lr_path, forest_path):
    predictor.warmup([lr_path, forest_path])
    assert predictor.clear_cache() == 2
    assert predictor.clear_cache() == 0
    assert predictor.get_cache_stats()["cache_size"] == 0


def test_predictors_share_a_cache_that_they_are_given(lr_path, rows_of):
    first = OptimizedPredictor(cache_size=5)
    second = OptimizedPredictor(cache=first.cache)
    first.warmup(lr_path)
    assert second.predict(lr_path, rows_of(lr_path))["cache_hit"] is True
    with pytest.raises(errors.ArgumentError, match="leave out"):
        OptimizedPredictor(5, cache=first.cache)
    with pytest.raises(errors.ArgumentError, match="ModelCache"):
        OptimizedPredictor(cache={})


def test_threads_predict_side_by_side(predictor, forest_path, original):
    parts = [numeric_rows(200, seed=i) for i in range(4)]
    found = {}

    def work(i):
        for _ in range(20):
            found[i] = predictor.predict(forest_path, parts[i], return_probabilities=True)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, rows in enumerate(parts):
        assert np.array_equal(found[i]["predictions"], original(forest_path).predict(rows))
    assert predictor.get_cache_stats()["predictions"] == 80


def test_the_child_of_a_fork_goes_on(predictor, forest_path, original):
    rows = numeric_rows(50)
    predictor.predict(forest_path, rows)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            result = predictor.predict(forest_path, rows)
            same = np.array_equal(result["predictions"], original(forest_path).predict(rows))
            os.write(write, b"1" if same and result["cache_hit"] else b"0")
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as answer:
        assert answer.read() == b"1"
    os.waitpid(child, 0)


def test_the_classes_cannot_be_written_into(predictor, lr_path, rows_of, original):
    """They are those that predictions are taken from."""
    classes = predictor.predict(lr_path, rows_of(lr_path), return_probabilities=True)["classes"]
    with pytest.raises(ValueError, match="read-only"):
        classes[0] = "other"
    found = predictor.predict(lr_path, rows_of(lr_path))["predictions"]
    assert np.array_equal(found, original(lr_path).predict(rows_of(lr_path)))
    found[0] = "mine"  # the predictions are the caller's own


def test_another_process_gets_its_own_predictor(predictor):
    import pickle

    from foretell.inference import get_optimized_predictor

    again = pickle.loads(pickle.dumps(predictor))
    assert again is not predictor and again.cache.max_size == 5
    assert pickle.loads(pickle.dumps(get_optimized_predictor())) is get_optimized_predictor()


def test_results_are_pickled(predictor, lr_path, rows_of):
    import pickle

    result = predictor.predict(lr_path, rows_of(lr_path), return_probabilities=True)
    again = pickle.loads(pickle.dumps(result))
    assert type(again) is PredictionResult and np.array_equal(again.predictions, result.predictions)


def test_warmup_by_another_name(predictor, lr_path, tmp_path):
    link = tmp_path / "link.joblib"
    link.symlink_to(lr_path)
    predictor.warmup(lr_path)
    (model,) = predictor.warmup(link)["models"]
    assert model["cached"] and model["bytes"] > 0 and model["load_time_seconds"] == 0


def test_threads_clear_replace_and_predict_at_once(lr_path, forest_path, tmp_path, original):
    """Whatever happens to the cache and the file meanwhile, a prediction is one of the two models'."""
    predictor = OptimizedPredictor(cache_size=2, check_always=True)
    path, rows = tmp_path / "model.joblib", numeric_rows(20)
    shutil.copy(forest_path, path)
    forest = original(forest_path)
    allowed = [list(forest.predict(rows)), list(predictor.predict(lr_path, rows)["predictions"])]
    until, failures, counts = time.monotonic() + 1.5, [], [0, 0]

    def predict():
        while time.monotonic() < until and not failures:
            result = predictor.predict(path, rows, return_probabilities=True)
            found = list(result["predictions"])
            if found not in allowed or len(result["classes"]) != result["probabilities"].shape[1]:
                failures.append(found)
            else:
                counts[allowed.index(found)] += 1

    threads = [threading.Thread(target=predict) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in itertools.count():
        if time.monotonic() > until:
            break
        shutil.copy([lr_path, forest_path][i % 2], tmp_path / "new.joblib")
        os.replace(tmp_path / "new.joblib", path)
        predictor.clear_cache()
        predictor.get_cache_stats()
    for thread in threads:
        thread.join()
    assert not failures and all(counts)


def test_names_of_the_package():
    import foretell

    assert foretell.OptimizedPredictor is OptimizedPredictor
    assert foretell.get_optimized_predictor() is foretell.inference.get_optimized_predictor()
