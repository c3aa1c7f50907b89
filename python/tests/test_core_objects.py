"""The extension module's objects: contexts, caches, models, their facts, and arguments that are wrong."""

import json

import foretell
import joblib
import numpy as np
import pytest
from foretell import _core, errors


@pytest.fixture(scope="module")
def context():
    return _core.Context()


@pytest.fixture(scope="module")
def model(context, lr_path):
    return _core.Model.open(context, lr_path)


def test_methods_and_version():
    assert _core.METHODS == ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform",
                             "score_samples", "apply", "margin", "kneighbors", "inverse_transform")
    assert foretell.__version__ == _core.version()


def test_supported_classes():
    rows = _core.supported_classes()
    assert {"library": "scikit-learn", "package": "sklearn.ensemble", "name": "RandomForestClassifier",
            "kind": "classifier"} in rows
    assert {row["library"] for row in rows} >= {"scikit-learn", "XGBoost", "LightGBM", "CatBoost"}


def test_facts_of_a_model(model, lr_path):
    info = model.info()
    assert info["class_name"] == "sklearn.pipeline.Pipeline" and info["library"] == "scikit-learn"
    assert info["kind"] == "classifier" and info["default_method"] == model.default_method == "predict"
    assert info["n_inputs"] == 4 and info["has_input_names"] and not info["open_width"]
    assert info["file_bytes"] == lr_path.stat().st_size
    assert [i["name"] for i in model.inputs()] == ["age", "tenure", "balance", "rate"]
    assert {(i["kind"], i["missing"], i["type"]) for i in model.inputs()} == {("numeric", "refused", "float64")}
    assert [o["name"] for o in model.outputs("predict_proba")] == ["probability_churn", "probability_stay"]
    assert model.outputs("transform") == []
    assert "predict_proba" in model.methods() and "transform" not in model.methods()
    assert [c.tolist() for c in model.classes()] == [["churn", "stay"]]
    assert json.loads(model.describe(json=True))["class"] == info["class_name"]
    assert "StandardScaler" in model.describe()


def test_methods_that_a_model_lacks(model):
    assert model.method_status("predict") is None
    with pytest.raises(errors.MethodMissingError) as caught:
        model.method_status("transform")
    assert isinstance(caught.value, (AttributeError, ValueError)) and caught.value.reason == "METHOD_MISSING"
    with pytest.raises(errors.ArgumentError, match="did you mean predict_proba"):
        model.outputs("predict_prob")
    with pytest.raises(errors.MethodMissingError):
        model.run(np.zeros((1, 4)), ("transform",))


def test_bytes_open_like_files(context, model, lr_path, rows_of):
    X = rows_of(lr_path)
    for data in (lr_path.read_bytes(), bytearray(lr_path.read_bytes()), memoryview(lr_path.read_bytes())):
        again = _core.Model.open_memory(context, data)
        assert np.array_equal(again.run(X, ("predict_proba",))[0], model.run(X, ("predict_proba",))[0])


def test_files_of_foretells_own(context, model, tmp_path, lr_path, rows_of):
    path = tmp_path / "model.ftl"
    model.write(path)
    assert [p.name for p in tmp_path.iterdir()] == ["model.ftl"]
    X = rows_of(lr_path)
    again = _core.Model.open(context, path)
    assert np.array_equal(again.run(X, ("predict_proba",))[0], model.run(X, ("predict_proba",))[0])
    assert again.run(X, ("predict",))[0].dtype == model.run(X, ("predict",))[0].dtype
    with pytest.raises(errors.FileError):
        model.write(tmp_path / "none" / "model.ftl")


def test_options_of_a_model(context, tmp_path):
    from sklearn.preprocessing import StandardScaler
    X = np.random.default_rng(0).normal(size=(20, 3))
    scaler = StandardScaler().fit(X)
    joblib.dump({"first": scaler, "second": StandardScaler().fit(X * 2)}, tmp_path / "two.joblib")
    model = _core.Model.open(context, tmp_path / "two.joblib", select="first", max_bytes=None)
    assert np.array_equal(model.run(X, ("transform",))[0], scaler.transform(X))
    back = _core.Model.open(context, tmp_path / "two.joblib", select="first", inverse=True)
    assert np.allclose(back.run(scaler.transform(X), ("inverse_transform",))[0], X)
    with pytest.raises(TypeError, match="unexpected keyword argument 'selekt'"):
        _core.Model.open(context, tmp_path / "two.joblib", selekt="first")
    with pytest.raises(errors.LimitError):
        _core.Model.open(context, tmp_path / "two.joblib", max_bytes=10)
    with pytest.raises(ValueError, match="max_depth is a number from 0"):
        _core.Model.open(context, tmp_path / "two.joblib", max_depth=-1)


def test_models_are_made_by_opening_alone(context):
    with pytest.raises(TypeError):
        _core.Model()
    with pytest.raises(TypeError):
        type("Sub", (_core.Model,), {})
    with pytest.raises(TypeError):
        _core.Model.open("path")
    with pytest.raises(TypeError):
        _core.Model.open(object(), "path")


def test_a_model_outlives_cache_and_context(lr_path, rows_of):
    context = _core.Context()
    cache = _core.Cache(context)
    model, answer = cache.get(str(lr_path))
    assert not answer["hit"] and answer["load_seconds"] > 0
    again, answer = cache.get(lr_path)
    assert answer["hit"]
    expected = again.run(rows_of(lr_path), ("predict",))[0]
    del cache, context, again
    assert np.array_equal(model.run(rows_of(lr_path), ("predict",))[0], expected)


def test_a_cache_counts(lr_path, forest_path):
    cache = _core.Cache(_core.Context(), cache_size=1)
    assert cache.warm(lr_path, ("predict",))["hit"] is False
    cache.get(lr_path)
    cache.get(lr_path, use_cache=False)
    cache.get(forest_path)
    stats = cache.stats()
    assert (stats["models"], stats["hits"], stats["misses"], stats["evictions"], stats["private_loads"]) == (1, 1, 2, 1, 1)
    (entry,) = cache.models()
    assert entry["path"] == str(forest_path) and entry["holders"] == 0 and entry["error_message"] == ""
    assert entry["model"].info()["kind"] == "classifier"
    assert cache.evict(lr_path) == 0 and cache.clear() == 1 and cache.models() == []
    with pytest.raises(errors.ModelNotFoundError):
        cache.get("/nowhere/model.joblib")
    with pytest.raises(TypeError, match="unexpected keyword"):
        cache.get(lr_path, colour="red")
    with pytest.raises(TypeError):
        cache.get()


def test_memory_is_counted(lr_path):
    context = _core.Context()
    own = context.memory_used
    model = _core.Model.open(context, lr_path)
    model.run(np.zeros((5, 4)), ("predict",))
    held = context.memory_used
    assert held >= model.info()["bytes"] > 0
    model.trim()
    assert context.memory_used < held
    del model
    assert context.memory_used == own
    with pytest.raises(errors.OutOfMemoryError):
        _core.Model.open(_core.Context(memory_limit=1000), lr_path)


def test_cancelling(lr_path):
    context = _core.Context()
    model, cancel = _core.Model.open(context, lr_path), _core.Cancel(context)
    X = np.zeros((10, 4))
    assert not cancel.triggered
    model.run(X, ("predict",), cancel=cancel)
    cancel.trigger()
    assert cancel.triggered
    for threads in (1, 2):
        with pytest.raises(errors.Cancelled):
            model.run(X, ("predict",), threads=threads, cancel=cancel)
    model.run(X, ("predict",))


@pytest.mark.parametrize("arguments, keywords, error", [
    ((), {}, TypeError), ((np.zeros((1, 4)),), {}, TypeError), ((np.zeros((1, 4)), ()), {}, ValueError),
    ((np.zeros((1, 4)), ("predict", "predict")), {}, ValueError), ((np.zeros((1, 4)), (7,)), {}, TypeError),
    ((np.zeros((1, 4)), ("predict",)), {"threads": -1}, ValueError),
    ((np.zeros((1, 4)), ("predict",)), {"on_error": "skip"}, ValueError),
    ((np.zeros((1, 4)), ("predict",)), {"cancel": 3}, TypeError),
    ((np.zeros((1, 4)), ("predict",)), {"colour": "red"}, TypeError)])
def test_wrong_arguments_of_run(model, arguments, keywords, error):
    with pytest.raises(error):
        model.run(*arguments, **keywords)
