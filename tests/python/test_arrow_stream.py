"""ftl_score_arrow: streams of record batches give what CSV files of the same rows give."""

import gc

import joblib
import library
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import streams
import test_arrow
from pyarrow import compute
from sklearn.linear_model import LinearRegression


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    frame = test_arrow.rows(1)
    joblib.dump(test_arrow.pipeline().fit(frame, test_arrow.target(frame)), folder / "pipeline.joblib")
    double = LinearRegression().fit(pd.DataFrame({"x": [1.0, 2, 3]}), [2.0, 4, 6])
    double.coef_, double.intercept_ = np.array([2.0]), 0.0
    joblib.dump(double, folder / "x.joblib")
    return folder


def reader(batches, schema=None):
    return pa.RecordBatchReader.from_batches(batches[0].schema if schema is None else schema, batches)


@pytest.mark.parametrize("kind", [*test_arrow.NUMBERS, *test_arrow.TEXTS, *test_arrow.DICTIONARIES], ids=str)
@pytest.mark.parametrize("threads, batch_rows", [(1, 0), (2, 7), (0, 16)])
def test_columns_of_every_type(models, kind, threads, batch_rows, tmp_path):
    frame = test_arrow.rows(2)
    expected = test_arrow.from_csv(models / "pipeline.joblib", frame, tmp_path, "--proba")
    batch = test_arrow.batch_of(frame, amount=kind)
    parts = [batch.slice(0, 13), batch.slice(13, 0), batch.slice(13, 30), batch.slice(43)]
    with streams.Model(models / "pipeline.joblib") as model:
        out = model.score(reader(parts), proba=True, threads=threads, batch_rows=batch_rows)
        table = out.read_all()
    table.validate(full=True)
    test_arrow.same(table.combine_chunks().to_batches()[0], expected)


def test_kept_columns(models):
    batch = pa.RecordBatch.from_pydict({
        "x": pa.array([1, None, 3], pa.int8()), "u": pa.array([2**64 - 1, 0, None], pa.uint64()), "b": [True, None, False],
        "s": ["a", None, "ccc"], "d": pa.array(["p", None, "q"]).dictionary_encode(), "when": pa.array([0] * 3, pa.date32())})
    result = streams.Result(struct_size=40)
    with streams.Model(models / "x.joblib") as model:
        for first, rows in ((0, 3), (1, 2)):
            part = batch.slice(first, rows)
            out = model.score(reader([part, part]), keep=["s", "x", "u", "b", "d"], on_error=library.NULL, result=result)
            assert out.schema.types == [pa.string(), pa.int64(), pa.uint64(), pa.bool_(), pa.string(), pa.float64()]
            table = out.read_all()
            table.validate(full=True)
            for name in ("s", "x", "u", "b", "d"):
                assert table[name].to_pylist() == 2 * part.column(name).to_pylist(), name
            assert table["prediction"].to_pylist() == 2 * [2.0, None, 6.0][first:]
            assert (result.rows_read, result.rows_written, result.rows_nulled) == (2 * rows, 2 * rows, 2)
        with pytest.raises(library.ForetellError, match="column 5 'when' is a date") as caught:
            model.score(reader([batch]), keep=["when"])
        assert caught.value.status == "SCHEMA"


def test_bad_rows(models):
    batch = pa.RecordBatch.from_pydict({"x": [1.0, None, 3.0, float("nan"), None, 6.0], "id": [0, 1, 2, 3, 4, 5]})
    bad = pa.RecordBatch.from_pydict({"x": [None, None], "id": [7, 8]}, batch.schema)
    result = streams.Result(struct_size=40)
    with streams.Model(models / "x.joblib") as model:
        table = model.score(reader([batch, bad, batch]), keep=["id"], on_error=1, result=result).read_all()
        table.validate(full=True)
        assert table["id"].to_pylist() == [0, 2, 5, 0, 2, 5]
        assert table["prediction"].to_pylist() == [2.0, 6.0, 12.0] * 2
        assert table["prediction"].null_count == 0
        assert (result.rows_read, result.rows_written, result.rows_rejected) == (14, 6, 8)
        out = model.score(reader([batch.slice(0, 1), batch]), threads=1)
        assert out.read_next_batch().column(0).to_pylist() == [2.0]
        for _ in range(2):  # it stays so
            with pytest.raises(pa.ArrowInvalid, match="VALUE: row 2: .*'x'"):
                out.read_next_batch()


def test_batches_come_as_they_are_asked_for(models):
    """No more are taken from the producer than are on their way; and it is left when the result is."""
    taken, ended = [], []

    def produce():
        try:
            for i in range(1000):
                taken.append(i)
                yield pa.RecordBatch.from_pydict({"x": [float(i)] * 100})
        finally:
            ended.append(True)

    schema = pa.schema({"x": pa.float64()})
    with streams.Model(models / "x.joblib") as model:
        out = model.score(pa.RecordBatchReader.from_batches(schema, produce()), threads=2)
        assert not taken
        for i in range(20):
            assert out.read_next_batch().column(0).to_pylist() == [2.0 * i] * 100
            assert len(taken) <= i + 8
        del out
        gc.collect()
        assert ended


def test_errors_of_the_producer(models):
    def produce():
        yield pa.RecordBatch.from_pydict({"x": [1.0]})
        raise ValueError("the well is dry")

    with streams.Model(models / "x.joblib") as model:
        out = model.score(pa.RecordBatchReader.from_batches(pa.schema({"x": pa.float64()}), produce()), threads=1)
        assert out.read_next_batch().column(0).to_pylist() == [2.0]
        with pytest.raises((OSError, pa.ArrowException), match="the well is dry"):
            out.read_next_batch()


def test_what_is_refused_leaves_the_stream(models):
    batch = pa.RecordBatch.from_pydict({"y": [1.0]})
    with streams.Model(models / "x.joblib") as model:
        with pytest.raises(library.ForetellError, match="1 column of the model is missing in the table: x"):
            model.score(reader([batch]))
        with pytest.raises(library.ForetellError, match="options.reject_path is for files"):
            model.score(reader([batch]), reject_path=b"rejects.csv")
        with pytest.raises(library.ForetellError, match="no columns"):
            model.score(reader([], pa.schema({})))


def test_a_bad_dictionary(models):
    """It is checked once for all slices that refer to it, as it comes."""
    ends = pa.py_buffer(np.array([0, 2, 1], np.int32).tobytes())
    bad = pa.Array.from_buffers(pa.string(), 2, [None, ends, pa.py_buffer(b"ab")])
    codes = pa.DictionaryArray.from_arrays(pa.array([0] * 50, pa.int8()), bad, safe=False)
    batch = pa.RecordBatch.from_arrays([pa.array([1.0] * 50), codes], ["x", "d"])
    with streams.Model(models / "x.joblib") as model:
        for rows in (7, 1000):
            out = model.score(reader([batch]), keep=["d"], batch_rows=rows)
            with pytest.raises(pa.ArrowInvalid, match="CORRUPT: record batch 0.*column 'd' has a text of negative length in row 1"):
                out.read_all()
        assert model.score(reader([batch])).read_all().num_rows == 50  # nobody looks at it


def test_no_batches(models):
    schema = pa.schema({"x": pa.float64()})
    empty = pa.RecordBatch.from_pydict({"x": []}, schema)
    with streams.Model(models / "x.joblib") as model:
        for batches in ([], [empty], [empty, empty]):
            table = model.score(reader(batches, schema)).read_all()
            assert table.num_rows == 0 and table.schema.names == ["prediction"]


def test_cancelling(models):
    schema = pa.schema({"x": pa.float64()})
    batches = [pa.RecordBatch.from_pydict({"x": [float(i)]}, schema) for i in range(50)]
    with streams.Model(models / "x.joblib") as model:
        token = streams.ctypes.c_void_p()
        model.call("ftl_cancel_create", model.context, streams.ctypes.byref(token))
        out = model.score(reader(batches), cancel=token)
        out.read_next_batch()
        model.library.ftl_cancel_trigger(token)
        with pytest.raises(OSError, match="CANCELLED"):
            for _ in range(50):
                out.read_next_batch()
        del out
        gc.collect()
        model.library.ftl_cancel_destroy(token)


def test_progress_may_stop_it(models):
    schema = pa.schema({"x": pa.float64()})
    stop = streams.PROGRESS(lambda user, progress: False)
    batches = (pa.RecordBatch.from_pydict({"x": np.zeros(100_000)}, schema) for _ in range(1000))
    with streams.Model(models / "x.joblib") as model:
        out = model.score(pa.RecordBatchReader.from_batches(schema, batches), progress=stop)
        with pytest.raises(OSError, match="CANCELLED"):
            for _ in out:
                pass
        del out
        gc.collect()


def test_what_comes_out_outlives_the_model(models):
    frame = test_arrow.rows(3)
    with streams.Model(models / "pipeline.joblib") as model:
        batches = list(model.score(reader([test_arrow.batch_of(frame)]), keep=["note"], batch_rows=8))
    table = pa.Table.from_batches(batches)
    table.validate(full=True)
    assert table["note"].to_pylist() == list(frame.note) and len(batches) == 8
    assert pl.from_arrow(table)["note"].to_list() == list(frame.note)


def test_random_streams(models):
    """Any cut into batches gives the same."""
    rng = np.random.default_rng(5)
    n = 3000
    whole = pa.RecordBatch.from_pydict({
        "x": pa.array(rng.normal(size=n), mask=rng.random(n) < 0.1), "s": pa.array(rng.choice(["", "a", "long text of it"], n), mask=rng.random(n) < 0.3),
        "b": pa.array(rng.random(n) < 0.5, mask=rng.random(n) < 0.3)})
    with streams.Model(models / "x.joblib") as model:
        expected = model.score(reader([whole]), keep=["s", "b"], on_error=library.NULL).read_all().combine_chunks()
        skipped = model.score(reader([whole]), keep=["s", "b"], on_error=1).read_all().combine_chunks()
        assert skipped.equals(expected.filter(compute.is_valid(expected["prediction"])).combine_chunks())
        for _ in range(20):
            cuts = sorted({0, n, *rng.integers(0, n, int(rng.integers(0, 40)))})
            parts = [whole.slice(a, b - a) for a, b in zip(cuts, cuts[1:])]
            options = {"threads": int(rng.integers(0, 3)), "batch_rows": int(rng.integers(0, 900))}
            for on_error, same in ((library.NULL, expected), (1, skipped)):
                table = model.score(reader(parts), keep=["s", "b"], on_error=on_error, **options).read_all()
                table.validate(full=True)
                assert table.combine_chunks().equals(same), (cuts, options)
