"""Nothing is lost: memory stays the same over many calls, and references are given back, also by calls that fail."""

import gc
import pathlib
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse as sp
from foretell import _core, errors


def resident():
    """Bytes of this process in memory."""
    pages = pathlib.Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096


needs_proc = pytest.mark.skipif(not pathlib.Path("/proc/self/statm").exists(), reason="the system has no /proc")


def grows(work, calls):
    """By how many bytes memory grows over so many calls, after some that may make what is kept."""
    for _ in range(calls // 5 + 1):
        work()
    gc.collect()
    before = resident()
    for _ in range(calls):
        work()
    gc.collect()
    return resident() - before


@needs_proc
def test_hundred_thousand_rows_one_by_one(lr_path):
    model = _core.Model.open(_core.Context(), lr_path)
    row = np.zeros((1, 4))
    assert grows(lambda: model.run(row, ("predict", "predict_proba")), 100_000) < 1 << 20


@needs_proc
def test_inputs_of_every_kind(pipeline_path, rows_of, lr_path):
    context = _core.Context()
    model, numbers = _core.Model.open(context, pipeline_path), _core.Model.open(context, lr_path)
    frame = rows_of(pipeline_path)
    categories = frame.assign(plan=frame["plan"].astype("category"), city=frame["city"].astype(object))
    table, matrix = pa.Table.from_pandas(frame), sp.csr_matrix(np.eye(4))
    wrong = frame.drop(columns="plan")

    def work():
        for X in (frame, categories, table, frame.head(3).to_dict("records")):
            model.run(X, ("predict", "predict_proba"))
        numbers.run(matrix, ("predict_proba",), on_error="null")
        for bad in (wrong, np.zeros(3), "text", frame.assign(plan=3.5)):
            with pytest.raises(errors.Error):
                model.run(bad, ("predict",))
        with pytest.raises(errors.DataError):
            numbers.run(np.full((2, 4), np.nan), ("predict",))
    assert grows(work, 60) < 4 << 20


@needs_proc
def test_models_caches_and_streams(lr_path, rows_of):
    table = pa.Table.from_pandas(rows_of(lr_path))

    def work():
        context = _core.Context()
        model, _ = _core.Cache(context).get(lr_path)
        model.run(np.zeros((1, 4)), ("predict",))
        model.score_arrow(table, keep=["age"])
        pa.RecordBatchReader._import_from_c_capsule(model.score_arrow(table, keep=["age"])).read_all()
        with pytest.raises(errors.ModelNotFoundError):
            _core.Model.open(context, "/nowhere")
    assert grows(work, 100) < 4 << 20


def test_references_are_given_back(lr_path, rows_of):
    model = _core.Model.open(_core.Context(), lr_path)
    X, methods, label = np.zeros((3, 4)), ("predict",), object()
    values = np.array([[1.0, 2, 3, label]], dtype=object)
    frame = rows_of(lr_path)
    model.run(X, methods)
    kept = (X, methods, values, frame, label)
    before = [sys.getrefcount(o) for o in kept]
    for _ in range(10):
        model.run(X, methods)
        model.run(frame, methods)
        with pytest.raises(errors.DataError):
            model.run(values, methods)
        with pytest.raises(TypeError):
            model.run(X, methods, colour=1)
    gc.collect()
    assert [sys.getrefcount(o) for o in kept] == before


def test_the_callers_arrays_are_not_kept(lr_path):
    model = _core.Model.open(_core.Context(), lr_path)
    data = bytearray(8 * 4 * 3)
    X = np.frombuffer(data).reshape(3, 4)
    model.run(X, ("predict",))
    del X
    data.clear()  # raises BufferError when somebody still views it


def test_results_own_their_memory(pipeline_path, rows_of):
    model = _core.Model.open(_core.Context(), pipeline_path)
    proba, = model.run(rows_of(pipeline_path), ("predict_proba",))
    expected = proba.copy()
    del model
    gc.collect()
    pd.DataFrame(np.zeros((1000, 10)))
    assert np.array_equal(proba, expected)
