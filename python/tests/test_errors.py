"""Exceptions: which one, what it is besides, and what it tells."""

import io
import pickle

import foretell
import joblib
import numpy as np
import pytest
from foretell import _core, errors


@pytest.mark.parametrize("code, kind, builtin", [
    ("ARG", errors.ArgumentError, ValueError), ("NOMEM", errors.OutOfMemoryError, MemoryError),
    ("IO", errors.FileError, OSError), ("CORRUPT", errors.CorruptModelError, ValueError),
    ("UNSUPPORTED", errors.UnsupportedModelError, NotImplementedError), ("FORBIDDEN", errors.ForbiddenError, ValueError),
    ("LIMIT", errors.LimitError, ValueError), ("SHAPE", errors.ShapeError, ValueError),
    ("SCHEMA", errors.SchemaError, ValueError), ("VALUE", errors.DataError, ValueError),
    ("CANCELLED", errors.Cancelled, Exception), ("INTERNAL", errors.InternalError, RuntimeError)])
def test_each_status_has_a_class(code, kind, builtin):
    error = errors.make(code, "NONE", "what happened", "steps[1]", 3, 2)
    assert type(error) is kind and isinstance(error, builtin) and isinstance(error, errors.Error)
    of_model = code in ("CORRUPT", "UNSUPPORTED", "FORBIDDEN", "LIMIT")
    assert str(error) == ("steps[1]: what happened" if of_model else "what happened")
    assert error.message == "what happened" and error.code == code
    assert (error.path, error.row, error.column, error.line, error.reason) == ("steps[1]", 3, 2, None, None)


def test_errors_travel_between_processes():
    error = errors.make("VALUE", "MISSING_VALUE", "row 3 is missing", "a", 3, 2, 4, 5, "keep")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error) and vars(again) == vars(error)
    missing = errors.make("IO", "NONE", "cannot open 'x'", errno=2, filename="x")
    again = pickle.loads(pickle.dumps(missing))
    assert type(again) is errors.ModelNotFoundError and again.errno == 2 and again.filename == "x"


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        _core.Model.open(_core.Context(), tmp_path / "none.joblib")
    error = caught.value
    assert isinstance(error, errors.ModelNotFoundError) and error.errno == 2
    assert error.filename == str(tmp_path / "none.joblib") and "none.joblib" in str(error)
    with pytest.raises(errors.FileError):
        _core.Model.open(_core.Context(), tmp_path)


def test_rows_that_are_not_there_are_no_model_that_is_not_there(lr_path, tmp_path):
    """A missing table was a ModelNotFoundError."""
    with pytest.raises(FileNotFoundError) as caught:
        _core.Model.open(_core.Context(), lr_path).score_file(tmp_path / "none.csv", tmp_path / "out.csv")
    assert type(caught.value) is errors.DataNotFoundError and "none.csv" in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is errors.DataNotFoundError and again.filename == str(tmp_path / "none.csv")


def test_the_line_says_which_file_is_damaged(lr_path, tmp_path):
    """The message alone did not say so, where several models are opened."""
    half = tmp_path / "half.joblib"
    half.write_bytes(lr_path.read_bytes()[:400])
    cache = _core.Cache(_core.Context())
    for call in (
        lambda: _core.Model.open(_core.Context(), half),
        lambda: cache.get(str(half)),
        lambda: cache.warm(str(half), None),
        lambda: foretell.load(half),
    ):
        with pytest.raises(errors.CorruptModelError) as caught:
            call()
        error = caught.value
        assert error.file == str(half) and str(error) == f"{half}: {error.message}" and "half" not in error.message
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
    with pytest.raises(errors.CorruptModelError) as caught:
        foretell.load(half.read_bytes())
    assert caught.value.file is None and str(caught.value) == caught.value.message


def test_damaged_and_hostile_files(tmp_path, lr_path):
    context = _core.Context()
    data = lr_path.read_bytes()
    with pytest.raises(errors.CorruptModelError):
        _core.Model.open_memory(context, data[: len(data) // 2])
    with pytest.raises(errors.Error):
        _core.Model.open_memory(context, b"")

    class Evil:
        def __reduce__(self):
            return print, ("executed",)
    stream = io.BytesIO()
    pickle.dump(Evil(), stream)
    with pytest.raises(errors.Error) as caught:
        _core.Model.open_memory(context, stream.getvalue()).run([[1.0]], ("predict",))
    assert "\n" not in str(caught.value)


def test_models_that_are_not_run(tmp_path):
    from sklearn.cross_decomposition import PLSRegression
    X = np.random.default_rng(0).normal(size=(20, 3))
    joblib.dump(PLSRegression().fit(X, X[:, 0]), tmp_path / "pls.joblib")
    with pytest.raises(errors.UnsupportedModelError, match="PLSRegression"):
        _core.Model.open(_core.Context(), tmp_path / "pls.joblib")


def test_rows_that_the_model_refuses(lr_path):
    model = _core.Model.open(_core.Context(), lr_path)
    X = np.zeros((6, 4))
    X[4, 2] = np.nan
    for threads in (1, 2):
        with pytest.raises(errors.DataError) as caught:
            model.run(X, ("predict",), threads=threads)
        assert (caught.value.row, caught.value.column, caught.value.reason) == (4, 2, "MISSING_VALUE")
    (labels, proba), bad = model.run(X, ("predict", "predict_proba"), on_error="null")
    assert [(b["row"], b["column"], b["reason"]) for b in bad] == [(4, 2, "MISSING_VALUE")]
    assert labels.dtype == object and labels[4] is None and set(labels[:4]) <= {"churn", "stay"}
    assert np.isnan(proba[4]).all() and not np.isnan(proba[:4]).any()
    (labels, proba), bad = model.run(X[:3], ("predict", "predict_proba"), on_error="null")
    assert bad == [] and labels.dtype == "<U5"
