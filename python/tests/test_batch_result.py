"""BatchResult: a lazy table, a DataFrame on first use, a dict of figures; where its rows are."""

import gc
import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from conftest import named_frame
from foretell import errors
from foretell.inference import OptimizedPredictor

ROWS = 12_345


@pytest.fixture(scope="module")
def predictor():
    return OptimizedPredictor(cache_size=5)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    named_frame(ROWS, seed=11).assign(id=[f"c{i}" for i in range(ROWS)]).to_parquet(path)
    return path


@pytest.fixture(params=["memory", "disk", "csv", "json", "parquet", "arrow"])
def result(request, predictor, lr_path, data, tmp_path):
    where = {"memory": {}, "disk": {"memory_cap": 0}}.get(
        request.param, {"output_path": tmp_path / f"out.{request.param}"}
    )
    return predictor.predict_batch(lr_path, data, return_probabilities=True, keep="id", **where)


@pytest.fixture(scope="module")
def expected(lr_path):
    import joblib

    model, frame = joblib.load(lr_path), named_frame(ROWS, seed=11)
    probabilities = model.predict_proba(frame)
    return pd.DataFrame(
        {
            "id": [f"c{i}" for i in range(ROWS)],
            "prediction": model.predict(frame),
            "probability_churn": probabilities[:, 0],
            "probability_stay": probabilities[:, 1],
        }
    )


def same(found, expected):
    assert list(found.columns) == list(expected.columns)
    for name in expected.columns:
        if name.startswith("probability"):
            assert found[name].dtype == np.float64
            np.testing.assert_allclose(found[name].to_numpy(), expected[name].to_numpy(), rtol=1e-9)
        else:
            assert list(found[name]) == list(expected[name])


def test_its_size_is_known(result):
    assert len(result) == ROWS and result.shape == (ROWS, 4)
    assert list(result.columns) == ["id", "prediction", "probability_churn", "probability_stay"]


def test_to_pandas(result, expected):
    frame = result.to_pandas()
    same(frame, expected)
    frame["prediction"] = 0  # the caller's own
    same(result.to_pandas(), expected)


def test_to_polars_and_arrow(result, expected):
    assert isinstance(result.to_polars(), pl.DataFrame) and isinstance(result.to_arrow(), pa.Table)
    same(result.to_polars().to_pandas(), expected)
    same(result.to_arrow().to_pandas(), expected)
    assert result.to_polars()["probability_stay"].dtype == pl.Float64


def test_other_libraries_take_it(result, expected):
    same(pa.table(result).to_pandas(), expected)
    same(pl.DataFrame(result).to_pandas(), expected)
    import duckdb

    rows = pa.RecordBatchReader.from_stream(result)
    assert rows.schema.names == list(expected.columns)
    assert duckdb.sql("select count(*) from rows").fetchall() == [(ROWS,)]


def test_iterating_gives_record_batches_again_and_again(result, expected):
    for _ in range(2):
        batches = list(result)
        assert all(isinstance(batch, pa.RecordBatch) for batch in batches) and len(batches) > 1
        same(pa.Table.from_batches(batches).to_pandas(), expected)


def test_it_is_a_dataframe_on_first_use(result, expected):
    assert result["prediction"].value_counts().to_dict() == expected["prediction"].value_counts().to_dict()
    assert len(result[result["prediction"] == "stay"]) == (expected["prediction"] == "stay").sum()
    assert list(result.groupby("prediction").size()) == list(expected.groupby("prediction").size())
    assert result.iloc[7]["id"] == "c7" and result.describe().shape[0] == 8
    assert list(result[["id", "prediction"]].columns) == ["id", "prediction"]
    assert result.prediction.iloc[0] == expected.prediction.iloc[0]


def test_head_reads_the_first_rows_alone(result, expected):
    same(result.head(), expected.head())
    same(result.head(3), expected.head(3))
    same(result.head(7000), expected.head(7000))
    assert len(result.head(0)) == 0 and list(result.head(0).columns) == list(expected.columns)
    same(result.head(-ROWS + 2), expected.head(2))


def test_numpy(result, expected):
    found = result.to_numpy()
    assert found.shape == (ROWS, 4) and list(found[:, 1]) == list(expected["prediction"])
    assert np.array_equal(np.asarray(result), found)


def test_figures_stand_beside_columns(result, expected):
    assert list(result["predictions"]) == list(expected["prediction"])
    np.testing.assert_allclose(
        result["probabilities"], expected[["probability_churn", "probability_stay"]], rtol=1e-9
    )
    assert result["n_samples"] == ROWS and "predictions" in result and "prediction" in result
    assert result.get("nothing", 5) == 5 and "nothing" not in result
    with pytest.raises(KeyError):
        result["nothing"]
    with pytest.raises(AttributeError):
        _ = result.nothing


def test_columns_win_over_figures(predictor, lr_path, tmp_path):
    path = tmp_path / "rows.parquet"
    named_frame(10).assign(n_samples=7.5).to_parquet(path)
    result = predictor.predict_batch(lr_path, path, keep="n_samples")
    assert list(result["n_samples"]) == [7.5] * 10 and result.metrics["rows"] == 10


def test_it_is_read_only_and_is_not_pickled(result):
    with pytest.raises(TypeError, match="to_pandas"):
        result["new"] = 1
    with pytest.raises(TypeError, match="to_pandas"):
        pickle.dumps(result)


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet", "rows.arrow", "rows.csv.gz"])
def test_all_rows_as_a_file(name, result, expected, tmp_path):
    result.write(tmp_path / name)
    read = {
        "rows.csv": pd.read_csv,
        "rows.csv.gz": pd.read_csv,
        "rows.jsonl": lambda path: pd.read_json(path, lines=True, precise_float=True),
        "rows.parquet": pd.read_parquet,
        "rows.arrow": pd.read_feather,
    }[name]
    same(read(tmp_path / name), expected)


def test_a_file_that_cannot_be_written(result, tmp_path):
    with pytest.raises(OSError, match="does not exist"):
        result.write(tmp_path / "no" / "rows.csv")
    with pytest.raises(ValueError, match="path is"):
        result.write(None)


def test_notebooks_see_the_first_rows(result):
    shown = result._repr_html_()
    assert "BatchResult" in shown and "c4" in shown and "c5" not in shown


def test_repr_reads_nothing(result):
    assert repr(result).startswith(f"<BatchResult: {ROWS} rows")


def test_nothing_is_read_before_it_is_asked_for(predictor, lr_path, data, tmp_path):
    script = f"""
import sys
from foretell.inference import OptimizedPredictor
result = OptimizedPredictor().predict_batch({str(lr_path)!r}, {str(data)!r})
assert len(result) == {ROWS} and result.shape[0] == {ROWS}
assert not {{"pandas", "polars", "pyarrow", "sklearn"}} & set(sys.modules), sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_without_pandas_polars_and_pyarrow(lr_path, data):
    script = f"""
import sys
absent = ("pandas", "polars", "pyarrow")
sys.modules.update(dict.fromkeys(absent))
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in absent else real(name, *rest)
from foretell.inference import OptimizedPredictor
result = OptimizedPredictor().predict_batch({str(lr_path)!r}, {str(data)!r}, return_probabilities=True)
assert result.columns == ["prediction", "probability_churn", "probability_stay"]
assert len(result["prediction"]) == {ROWS} and result["predictions"].shape == ({ROWS},)
assert result["probabilities"].shape == ({ROWS}, 2)
rows = 0
for batch in result:
    schema, array = batch.__arrow_c_array__()
    assert "arrow_array" in repr(array) and batch.column("probability_stay").dtype == float
    assert len(batch["prediction"]) == len(batch) == batch.num_rows
    rows += batch.num_rows
assert rows == {ROWS}
try:
    result.groupby("prediction")
except AttributeError as error:
    assert "pandas" in str(error)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


# ---- Where the rows are ----


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def test_few_rows_stay_in_memory_and_many_go_to_disk(predictor, lr_path, data, tmp_path):
    small = predictor.predict_batch(lr_path, data, spool_dir=tmp_path)
    large = predictor.predict_batch(lr_path, data, memory_cap=10_000, spool_dir=tmp_path)
    assert not small._stored.spool.on_disk and large._stored.spool.on_disk
    assert list(small["predictions"]) == list(large["predictions"])
    assert list(tmp_path.iterdir()) == []  # the file has no name: nothing is left of it, whatever happens


@pytest.mark.parametrize("cap", [None, 0])
def test_its_end_gives_everything_back(cap, predictor, lr_path, data):
    before = descriptors()
    result = predictor.predict_batch(lr_path, data, memory_cap=cap)
    assert len(result["predictions"]) == ROWS and descriptors() == before + 1
    del result
    gc.collect()
    assert descriptors() == before


def test_close_and_with(predictor, lr_path, data):
    before = descriptors()
    with predictor.predict_batch(lr_path, data) as result:
        assert len(result.head()) == 5
    assert descriptors() == before
    with pytest.raises(ValueError, match="closed"):
        result.to_pandas()
    result.close()


def test_batches_outlive_the_result(predictor, lr_path, data, expected):
    result = predictor.predict_batch(lr_path, data)
    batches = list(result)
    result.close()
    del result
    gc.collect()
    assert pa.Table.from_batches(batches)["prediction"].to_pylist() == list(expected["prediction"])


def test_a_full_disk_is_an_error_and_leaves_nothing(predictor, lr_path, data, monkeypatch):
    from foretell.inference import _spool

    before = descriptors()

    def full(self, piece):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_spool.Spool, "write", full)
    with pytest.raises(OSError, match="No space left"):
        predictor.predict_batch(lr_path, data)
    gc.collect()
    assert descriptors() == before


def test_a_spool_folder_that_is_not_there(predictor, lr_path, data, tmp_path):
    with pytest.raises(FileNotFoundError):
        predictor.predict_batch(lr_path, data, memory_cap=0, spool_dir=tmp_path / "no")


def test_an_output_that_was_changed_since_is_refused(predictor, lr_path, data, tmp_path):
    result = predictor.predict_batch(lr_path, data, tmp_path / "out.csv")
    (tmp_path / "out.csv").write_text("prediction\nstay\n")
    with pytest.raises(ValueError, match="changed"):
        result.to_pandas()
    (tmp_path / "out.csv").unlink()
    with pytest.raises(FileNotFoundError, match="gone"):
        result.to_pandas()
    assert len(result) == ROWS and "BatchResult" in repr(result)


def test_an_output_is_found_after_a_change_of_folder(
    predictor, lr_path, data, tmp_path, monkeypatch, expected
):
    monkeypatch.chdir(tmp_path)
    result = predictor.predict_batch(lr_path, data, "out.parquet")
    monkeypatch.chdir("/")
    assert list(result["predictions"]) == list(expected["prediction"])


def test_an_output_that_is_a_pipe_cannot_be_read_back(predictor, lr_path, data, tmp_path):
    import threading

    os.mkfifo(tmp_path / "pipe")
    read = []
    thread = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    thread.start()
    result = predictor.predict_batch(lr_path, data, tmp_path / "pipe")
    thread.join()
    assert read[0].count(b"\n") == ROWS + 1 and len(result) == ROWS
    with pytest.raises(errors.ArgumentError, match="no plain file"):
        result.to_pandas()


def test_a_child_of_a_fork_reads_it_and_does_not_end_it(predictor, lr_path, data, expected):
    result = predictor.predict_batch(lr_path, data)
    child = os.fork()
    if child == 0:
        ok = list(result["predictions"][:5]) == list(expected["prediction"][:5])
        result.close()
        os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert list(result["predictions"]) == list(expected["prediction"])


def test_threads_read_one_result(predictor, lr_path, data, expected):
    from concurrent.futures import ThreadPoolExecutor

    result = predictor.predict_batch(lr_path, data)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: result["predictions"], range(8)):
            assert list(found) == list(expected["prediction"])


def test_more_models_of_the_same_rows(predictor, lr_path, pipeline_path, tmp_path, original):
    from conftest import mixed_frame

    frame = pd.concat([named_frame(50), mixed_frame(50)[["plan", "city"]]], axis=1)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    other = predictor.cache.get(pipeline_path)
    result = predictor.predict_batch(
        lr_path, tmp_path / "rows.csv", more_models=[other], more_names=["second"], name="first"
    )
    assert list(result.columns) == ["first__prediction", "second__prediction"]
    assert list(result["predictions"]) == list(original(lr_path).predict(named_frame(50)))
    assert list(result["second__prediction"]) == list(
        original(pipeline_path).predict(frame[["age", "balance", "plan", "city"]])
    )


@pytest.mark.parametrize("where", ["memory", "csv", "json", "parquet"])
def test_labels_that_are_bytes(predictor, tmp_path, where):
    """They are texts in files, and bytes again as predictions."""
    import joblib
    from sklearn.tree import DecisionTreeClassifier

    rows = named_frame(200, seed=1).select_dtypes("number")
    labels = np.array([b"no", "größe".encode()])[(rows.iloc[:, 0] > rows.iloc[:, 0].median()).to_numpy().astype(int)]
    original = DecisionTreeClassifier(max_depth=3).fit(rows, labels)
    joblib.dump(original, tmp_path / "bytes.joblib")
    rows.to_parquet(tmp_path / "rows.parquet")
    kept = {} if where == "memory" else {"output_path": tmp_path / f"out.{where}"}
    found = predictor.predict_batch(tmp_path / "bytes.joblib", tmp_path / "rows.parquet", **kept)
    assert found["predictions"].dtype == original.classes_.dtype
    assert np.array_equal(found["predictions"], original.predict(rows))
    assert set(found.to_pandas()["prediction"]) == {"no", "größe"}
