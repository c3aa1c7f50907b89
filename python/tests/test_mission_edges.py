"""Errors: what the caller did wrong, said in one line, as an exception that is also the usual builtin."""

import os

import numpy as np
import pytest
from conftest import named_frame, numeric_rows
from foretell import errors
from foretell.inference import OptimizedPredictor, get_optimized_predictor


@pytest.fixture(scope="module")
def predictor():
    return OptimizedPredictor(cache_size=5)


def test_a_model_that_is_not_there(predictor, tmp_path):
    missing = tmp_path / "missing.joblib"
    for call in (
        lambda: predictor.predict(missing, [[1.0]]),
        lambda: predictor.warmup(missing),
        lambda: predictor.predict_batch(missing, tmp_path / "rows.csv"),
        lambda: predictor.predict(missing, [[1.0]], use_cache=False),
    ):
        with pytest.raises(errors.ModelNotFoundError, match=r"missing\.joblib") as caught:
            call()
        assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(FileNotFoundError):
        next(predictor.predict_stream(missing, [[1.0]]))


def test_a_file_that_is_no_model(predictor, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(errors.Error) as caught:
        predictor.predict(path, [[1.0]])
    assert "\n" not in str(caught.value)


def test_on_error_that_is_no_word(predictor, lr_path, tmp_path):
    """It was a ValueError that was no Error, and did not say what was given."""
    (tmp_path / "rows.csv").write_text("a\n")
    for call in (
        lambda: predictor.predict(lr_path, named_frame(2), on_error="skip"),
        lambda: predictor.predict_batch(lr_path, tmp_path / "rows.csv", on_error="ignore"),
        lambda: next(predictor.predict_stream(lr_path, [[1.0]], on_error="skip")),
    ):
        with pytest.raises(errors.ArgumentError, match=r"^on_error is '(skip|ignore)': give fail.* or null$"):
            call()


def test_a_truncated_model(predictor, lr_path, tmp_path):
    path = tmp_path / "half.joblib"
    path.write_bytes(lr_path.read_bytes()[:400])
    with pytest.raises(errors.CorruptModelError):
        predictor.predict(path, named_frame(2))


def test_a_pickle_that_calls_functions_calls_nothing(predictor, tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(errors.Error):
        predictor.predict(path, [[1.0]])
    assert not (tmp_path / "made").exists()


def test_data_that_is_not_there(predictor, lr_path, tmp_path):
    with pytest.raises(OSError, match=r"nothing\.csv"):
        predictor.predict_batch(lr_path, tmp_path / "nothing.csv")
    with pytest.raises(errors.Error, match=r"no\*\.csv"):
        predictor.predict_batch(lr_path, tmp_path / "no*.csv")


def test_an_output_s_folder_that_is_not_there(predictor, lr_path, tmp_path):
    named_frame(5).to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(OSError, match="does not exist"):
        predictor.predict_batch(lr_path, tmp_path / "rows.csv", tmp_path / "no" / "out.csv")


def test_too_few_columns(predictor, forest_path):
    with pytest.raises(ValueError, match="3"):
        predictor.predict(forest_path, np.zeros((2, 3)))


def test_missing_columns_are_named(predictor, lr_path, tmp_path):
    frame = named_frame(5).drop(columns="balance")
    with pytest.raises(ValueError, match="balance"):
        predictor.predict(lr_path, frame)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(errors.SchemaError, match="balance"):
        predictor.predict_batch(lr_path, tmp_path / "rows.csv")


def test_one_dimension_is_refused_with_advice(predictor, forest_path):
    with pytest.raises(ValueError):
        predictor.predict(forest_path, np.zeros(4))


def test_infinite_values_are_refused_as_by_scikit_learn(predictor, forest_path):
    rows = numeric_rows(3)
    rows[1, 2] = np.inf
    with pytest.raises(ValueError):
        predictor.predict(forest_path, rows)


def test_probabilities_of_a_regressor(predictor, regressor_path):
    with pytest.raises(errors.MethodMissingError, match="predict_proba") as caught:
        predictor.predict(regressor_path, numeric_rows(2), return_probabilities=True)
    assert isinstance(caught.value, AttributeError)


def test_a_method_that_there_is_not(predictor, lr_path):
    with pytest.raises((ValueError, AttributeError), match="predict_everything"):
        predictor.predict(lr_path, named_frame(2), method="predict_everything")
    with pytest.raises(AttributeError, match="kneighbors"):
        predictor.predict(lr_path, named_frame(2), method="kneighbors")


@pytest.mark.parametrize("data", [None, 5, b"rows.csv", [], [5], {"a": 1}, np.zeros((2, 2))])
def test_data_paths_that_are_none(data, predictor, lr_path):
    with pytest.raises(ValueError, match="data_path is"):
        predictor.predict_batch(lr_path, data)


def test_unknown_options_are_type_errors(predictor, lr_path, tmp_path):
    with pytest.raises(TypeError, match="batchsize"):
        predictor.predict_batch(lr_path, tmp_path / "rows.csv", batchsize=5)
    with pytest.raises(TypeError, match="methods"):
        predictor.predict_stream(lr_path, [], methods="predict")


@pytest.mark.parametrize(
    "option",
    [
        {"memory_cap": -1},
        {"memory_cap": "256M"},
        {"threads": 2.5},
        {"limit": True},
        {"keep": 5},
        {"method": {"predict": 1}},
        {"spool_dir": 5},
        {"output_path": 5},
    ],
)
def test_options_of_other_types(option, predictor, lr_path, tmp_path):
    named_frame(5).to_csv(tmp_path / "rows.csv", index=False)
    (name,) = option
    with pytest.raises(ValueError, match=f"{name} is"):
        predictor.predict_batch(lr_path, tmp_path / "rows.csv", **option)


def test_an_output_format_without_an_output(predictor, lr_path, tmp_path):
    named_frame(5).to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(ValueError, match="output_format"):
        predictor.predict_batch(lr_path, tmp_path / "rows.csv", output_format="parquet")


def test_no_rows_and_one_row(predictor, forest_path):
    assert predictor.predict(forest_path, numeric_rows(1))["n_samples"] == 1


def test_strange_paths(predictor, lr_path, tmp_path):
    import shutil

    path = tmp_path / "Modell für Österreich (1).joblib"
    shutil.copy(lr_path, path)
    data = tmp_path / "Zeilen 'ü'.csv"
    named_frame(5).to_csv(data, index=False)
    target = tmp_path / "Ergebnis [1].csv"
    assert len(predictor.predict_batch(path, data, target)["predictions"]) == 5
    assert target.exists()


def test_the_environment_s_cache_size(monkeypatch):
    from foretell.inference import _predictor

    monkeypatch.setattr(_predictor, "_singleton", None)
    monkeypatch.setenv("FORETELL_CACHE_SIZE", "many")
    with pytest.raises(ValueError, match="FORETELL_CACHE_SIZE is 'many'"):
        get_optimized_predictor()
    monkeypatch.setenv("FORETELL_CACHE_SIZE", "7")
    assert get_optimized_predictor().cache.max_size == 7
