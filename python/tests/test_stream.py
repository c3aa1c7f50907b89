"""predict_stream: rows as they come, in order, one batch in memory."""

import itertools
import os
import shutil

import numpy as np
import pytest
from conftest import named_frame, numeric_rows
from foretell import errors
from foretell.inference import OptimizedPredictor


@pytest.fixture(scope="module")
def predictor():
    return OptimizedPredictor(cache_size=5)


def test_each_row_is_answered_before_the_next_is_asked_for(predictor, lr_path):
    asked = []

    def rows():
        for i, row in enumerate(named_frame(5).to_dict("records")):
            asked.append(i)
            yield row

    for i, _ in enumerate(predictor.predict_stream(lr_path, rows())):
        assert asked == list(range(i + 1))


@pytest.mark.parametrize("size", [1, 3, 64])
@pytest.mark.parametrize("kind", ["dicts", "lists", "tuples", "arrays", "itertuples"])
def test_rows_of_many_kinds(kind, size, predictor, lr_path, original):
    frame = named_frame(20, seed=3)
    rows = {
        "dicts": lambda: frame.to_dict("records"),
        "lists": lambda: frame.values.tolist(),
        "tuples": lambda: map(tuple, frame.values.tolist()),
        "arrays": lambda: iter(frame.to_numpy()),
        "itertuples": lambda: frame.itertuples(index=False),
    }[kind]()
    found = list(predictor.predict_stream(lr_path, rows, batch_size=size))
    assert found == list(original(lr_path).predict(frame))


def test_a_matrix_is_an_iterable_of_rows(predictor, forest_path, original):
    rows = numeric_rows(10)
    assert list(predictor.predict_stream(forest_path, rows, 4)) == list(original(forest_path).predict(rows))


def test_probabilities(predictor, lr_path, original):
    frame = named_frame(7, seed=3)
    found = list(predictor.predict_stream(lr_path, frame.to_dict("records"), 2, return_probabilities=True))
    assert [each["prediction"] for each in found] == list(original(lr_path).predict(frame))
    np.testing.assert_allclose(
        [each["probabilities"] for each in found], original(lr_path).predict_proba(frame), rtol=1e-12
    )


def test_it_may_be_endless(predictor, forest_path):
    endless = itertools.repeat([0.1, 0.2, 0.3, 0.4])
    assert (
        len(list(itertools.islice(predictor.predict_stream(forest_path, endless, batch_size=10), 95))) == 95
    )


def test_no_rows(predictor, forest_path):
    assert list(predictor.predict_stream(forest_path, [])) == []


def test_a_bad_row_raises_behind_those_before_it(predictor, forest_path):
    rows = numeric_rows(10).tolist()
    rows[6][2] = float("inf")
    for size in (1, 4, 10):
        stream = predictor.predict_stream(forest_path, rows, size)
        assert len(list(itertools.islice(stream, 6))) == 6
        with pytest.raises(ValueError) as caught:
            next(stream)
        assert caught.value.row == 6


def test_bad_rows_as_none(predictor, forest_path, original):
    rows = numeric_rows(10)
    expected = list(original(forest_path).predict(rows))
    rows[6, 2] = np.inf
    for size in (1, 4, 10):
        found = list(predictor.predict_stream(forest_path, rows.tolist(), size, on_error="null"))
        assert found[6] is None and found[:6] + found[7:] == expected[:6] + expected[7:]
        assert all(type(each) is not float for each in found)


def test_a_row_of_another_length(predictor, forest_path):
    stream = predictor.predict_stream(forest_path, [[1.0, 2, 3, 4], [1.0, 2, 3]])
    next(stream)
    with pytest.raises(errors.Error):
        next(stream)


def test_the_model_may_change_meanwhile(forest_path, lr_path, tmp_path):
    predictor = OptimizedPredictor(check_always=True)
    path = tmp_path / "model.joblib"
    shutil.copy(forest_path, path)
    rows = itertools.repeat([0.1, 0.2, 0.3, 0.4])
    stream, own = predictor.predict_stream(path, rows), predictor.predict_stream(path, rows, use_cache=False)
    assert next(stream) in (0, 1, 2) and next(own) in (0, 1, 2)
    shutil.copy(lr_path, tmp_path / "new.joblib")
    os.replace(tmp_path / "new.joblib", path)
    assert next(stream) in ("churn", "stay") and next(own) in (0, 1, 2)


@pytest.mark.parametrize("rows", [5, None, "rows", b"rows", {"a": 1}, named_frame(2)])
def test_what_has_no_rows(rows, predictor, lr_path):
    with pytest.raises(ValueError, match="rows is"):
        predictor.predict_stream(lr_path, rows)


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "auto"])
def test_batch_sizes_that_are_none(size, predictor, lr_path):
    with pytest.raises(ValueError, match="batch_size is"):
        predictor.predict_stream(lr_path, [], size)


def test_arrays_of_other_lengths_are_told_by_their_place(predictor, forest_path):
    rows = [np.zeros(4), np.zeros(4), np.zeros(3)]
    stream = predictor.predict_stream(forest_path, rows, batch_size=3)
    with pytest.raises(ValueError):
        list(stream)
