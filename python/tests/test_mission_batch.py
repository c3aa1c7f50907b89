"""predict_batch: files in CSV, Parquet and JSON, with and without an output file."""

import gzip
import os

import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import mixed_frame, named_frame, numeric_rows
from foretell import errors
from foretell.inference import BatchResult, OptimizedPredictor


@pytest.fixture(scope="module")
def predictor():
    return OptimizedPredictor(cache_size=5)


@pytest.fixture(scope="module")
def frame():
    return mixed_frame(1200, seed=7)


def write(frame, path):
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".json":
        frame.to_json(path, orient="records", double_precision=15)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True, double_precision=15)
    elif path.suffix == ".arrow":
        frame.to_feather(path, compression="uncompressed")
    else:
        frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("ending", ["csv", "parquet", "json", "jsonl", "arrow"])
@pytest.mark.parametrize("output", [None, "csv", "parquet", "json", "jsonl", "arrow"])
def test_formats_in_and_out(ending, output, predictor, pipeline_path, original, frame, tmp_path):
    data = write(frame, tmp_path / f"rows.{ending}")
    target = None if output is None else tmp_path / f"out.{output}"
    result = predictor.predict_batch(
        model_path=pipeline_path,
        data_path=data,
        output_path=target,
        batch_size=500,
        return_probabilities=True,
    )
    assert isinstance(result, BatchResult) and len(result) == 1200
    predictions = result["predictions"]
    assert list(predictions) == list(original(pipeline_path).predict(frame))
    assert predictions.dtype == original(pipeline_path).classes_.dtype
    np.testing.assert_allclose(
        result["probabilities"], original(pipeline_path).predict_proba(frame), rtol=1e-9
    )
    assert list(result["classes"]) == ["no", "yes"]
    table = result.to_pandas()
    assert list(table.columns) == ["prediction", "probability_no", "probability_yes"]
    assert table["probability_yes"].dtype == np.float64
    assert (target is None) or target.exists()


def test_the_file_is_what_pandas_reads(predictor, lr_path, original, tmp_path):
    frame = named_frame(300, seed=3)
    data = write(frame, tmp_path / "rows.csv")
    predictor.predict_batch(lr_path, data, tmp_path / "out.csv")
    assert list(pd.read_csv(tmp_path / "out.csv")["prediction"]) == list(original(lr_path).predict(frame))


def test_metrics(predictor, lr_path, tmp_path):
    data = write(named_frame(1234), tmp_path / "rows.csv")
    result = predictor.predict_batch(lr_path, data, batch_size=500)
    metrics = result.metrics
    assert (metrics["rows"], metrics["rows_written"], metrics["batch_size"], metrics["n_batches"]) == (
        1234,
        1234,
        500,
        3,
    )
    assert metrics["seconds"] > 0 and metrics["rows_per_second"] == pytest.approx(1234 / metrics["seconds"])
    assert metrics["bytes_read"] == data.stat().st_size
    for name in ("read", "parse", "predict", "format", "write"):
        assert metrics[f"{name}_seconds"] >= 0
    assert result["n_samples"] == 1234 and result["n_batches"] == 3 and result["batch_size"] == 500
    assert result["total_time_seconds"] == metrics["seconds"]
    assert result["throughput_samples_per_sec"] == metrics["rows_per_second"]
    assert result["inference_time_seconds"] == metrics["predict_seconds"] / metrics["threads"]
    assert result["output_path"] is None


@pytest.mark.parametrize("size", [1000, 5000, 10000, "auto", np.int64(700), 1])
def test_results_never_depend_on_the_batch_size(size, predictor, lr_path, original, tmp_path):
    frame = named_frame(6000, seed=4)
    data = write(frame, tmp_path / "rows.csv")
    result = predictor.predict_batch(lr_path, data, batch_size=size)
    assert list(result["predictions"]) == list(original(lr_path).predict(frame))
    if size != "auto":
        assert result.metrics["batch_size"] == size


def test_the_default_batch_size_is_5000(predictor, lr_path, tmp_path):
    data = write(named_frame(10), tmp_path / "rows.csv")
    assert predictor.predict_batch(lr_path, data).metrics["batch_size"] == 5000


def test_chunk_size_is_another_name(predictor, lr_path, tmp_path):
    data = write(named_frame(10), tmp_path / "rows.csv")
    assert predictor.predict_batch(lr_path, data, chunk_size=777).metrics["batch_size"] == 777
    assert predictor.predict_batch(lr_path, data, batch_size=777, chunk_size=777).metrics["batch_size"] == 777
    with pytest.raises(errors.ArgumentError, match="give one of them"):
        predictor.predict_batch(lr_path, data, batch_size=777, chunk_size=778)


@pytest.mark.parametrize("size", [0, -5, True, 2.0, "many", 1 << 40, [5000]])
def test_batch_sizes_that_are_none(size, predictor, lr_path, tmp_path):
    data = write(named_frame(10), tmp_path / "rows.csv")
    for name in ("batch_size", "chunk_size"):
        with pytest.raises(
            ValueError, match=f'{name} is .*such as 1000 where memory is short, 5000, 10000, or "auto"'
        ):
            predictor.predict_batch(lr_path, data, **{name: size})


def test_several_files_a_pattern_and_a_folder(predictor, lr_path, original, tmp_path):
    frame = named_frame(900, seed=8)
    folder = tmp_path / "parts"
    folder.mkdir()
    paths = [write(frame.iloc[i * 300 : (i + 1) * 300], folder / f"part-{i}.csv") for i in range(3)]
    expected = list(original(lr_path).predict(frame))
    for data in (paths, [str(path) for path in paths], folder, str(folder / "part-*.csv"), tuple(paths)):
        assert list(predictor.predict_batch(lr_path, data)["predictions"]) == expected


def test_compressed_files(predictor, lr_path, original, tmp_path):
    frame = named_frame(300, seed=8)
    data = tmp_path / "rows.csv.gz"
    data.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    result = predictor.predict_batch(lr_path, data, tmp_path / "out.csv.gz")
    assert list(result["predictions"]) == list(original(lr_path).predict(frame))
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).startswith(b"prediction\n")


def test_npy(predictor, forest_path, original, tmp_path):
    rows = numeric_rows(500, seed=1)
    np.save(tmp_path / "rows.npy", rows)
    result = predictor.predict_batch(forest_path, tmp_path / "rows.npy", tmp_path / "out.npy")
    expected = original(forest_path).predict(rows)
    assert np.array_equal(np.load(tmp_path / "out.npy"), expected)
    assert np.array_equal(result["predictions"], expected) and result["predictions"].dtype == expected.dtype


def test_kept_columns_stand_in_front(predictor, lr_path, tmp_path):
    frame = named_frame(50, seed=2).assign(id=[f"c{i:03}" for i in range(50)])
    data = write(frame, tmp_path / "rows.parquet")
    table = predictor.predict_batch(lr_path, data, keep=["id", "balance"]).to_pandas()
    assert list(table.columns) == ["id", "balance", "prediction"]
    assert list(table["id"]) == list(frame["id"]) and np.array_equal(table["balance"], frame["balance"])
    assert list(predictor.predict_batch(lr_path, data, keep="*").columns)[:5] == list(frame.columns)


def test_a_kept_column_that_is_called_like_a_result(predictor, lr_path, original, tmp_path):
    frame = named_frame(50, seed=2)
    data = write(frame.assign(prediction=1.5), tmp_path / "rows.parquet")
    for target in (None, tmp_path / "out.csv", tmp_path / "out.parquet"):
        result = predictor.predict_batch(lr_path, data, target, keep="prediction")
        assert list(result["predictions"]) == list(original(lr_path).predict(frame))
        assert [float(value) for value in result["prediction.1"]] == [1.5] * 50


def test_several_methods_in_one_pass(predictor, lr_path, original, tmp_path):
    frame = named_frame(50, seed=2)
    data = write(frame, tmp_path / "rows.csv")
    result = predictor.predict_batch(lr_path, data, method=["decision_function", "predict"])
    np.testing.assert_allclose(result["predictions"], original(lr_path).decision_function(frame), rtol=1e-12)
    assert list(result["prediction"]) == list(original(lr_path).predict(frame))
    result = predictor.predict_batch(
        lr_path, data, method=["predict", "decision_function"], return_probabilities=True
    )
    assert list(result["predictions"]) == list(original(lr_path).predict(frame))
    np.testing.assert_allclose(result["probabilities"], original(lr_path).predict_proba(frame), rtol=1e-12)
    np.testing.assert_allclose(result["decision"], original(lr_path).decision_function(frame), rtol=1e-12)


def test_bad_rows(predictor, lr_path, original, tmp_path):
    frame = named_frame(20, seed=2)
    lines = frame.to_csv(index=False).splitlines()
    lines[5] = "x" + lines[5]
    data = tmp_path / "rows.csv"
    data.write_text("\n".join(lines) + "\n")
    with pytest.raises(errors.DataError, match="line 6"):
        predictor.predict_batch(lr_path, data)
    kept = [i for i in range(20) if i != 4]
    expected = original(lr_path).predict(frame)
    skipped = predictor.predict_batch(lr_path, data, on_error="skip", reject_path=tmp_path / "bad.csv")
    assert list(skipped["predictions"]) == list(expected[kept]) and skipped["n_rejected"] == 1
    assert "error" in (tmp_path / "bad.csv").read_text()
    for target in (None, tmp_path / "out.csv", tmp_path / "out.jsonl", tmp_path / "out.parquet"):
        nulled = predictor.predict_batch(lr_path, data, target, on_error="null", return_probabilities=True)
        assert nulled["n_nulled"] == 1 and nulled["predictions"][4] is None
        assert list(nulled["predictions"][kept]) == list(expected[kept])
        assert np.isnan(nulled["probabilities"][4]).all()


def test_integer_labels_with_nulled_rows(predictor, forest_path, original, tmp_path):
    rows = numeric_rows(20, seed=2)
    bad = rows.copy()
    bad[3, 1] = np.inf
    np.save(tmp_path / "rows.npy", bad)
    found = predictor.predict_batch(forest_path, tmp_path / "rows.npy", on_error="null")["predictions"]
    kept = [i for i in range(20) if i != 3]
    assert np.isnan(found[3]) and np.array_equal(found[kept], original(forest_path).predict(rows)[kept])


def test_bool_labels(predictor, tmp_path):
    from sklearn.linear_model import LogisticRegression

    rows = numeric_rows(100)
    model = LogisticRegression().fit(rows, rows[:, 0] > 0)
    joblib.dump(model, tmp_path / "model.joblib")
    np.save(tmp_path / "rows.npy", rows)
    for target in (None, "out.csv", "out.json", "out.parquet", "out.arrow"):
        result = predictor.predict_batch(
            tmp_path / "model.joblib", tmp_path / "rows.npy", target and tmp_path / target
        )
        assert result["predictions"].dtype == bool and np.array_equal(
            result["predictions"], model.predict(rows)
        )


def test_texts_that_look_like_something_else(predictor, tmp_path):
    from sklearn.tree import DecisionTreeClassifier

    rows = numeric_rows(100)
    labels = np.array(
        ["01", "NA", "null", "1e5", 'a"b', "c,d", "tab\tline", "", " padded ", "two\nlines", "Größe", "nan"]
    )
    target = labels[(np.abs(rows[:, 0]) * 10).astype(int) % len(labels)]
    model = DecisionTreeClassifier(random_state=0).fit(rows, target)
    joblib.dump(model, tmp_path / "model.joblib")
    np.save(tmp_path / "rows.npy", rows)
    for name in (None, "out.csv", "out.json", "out.jsonl", "out.parquet", "out.arrow", "out.tsv"):
        result = predictor.predict_batch(
            tmp_path / "model.joblib", tmp_path / "rows.npy", name and tmp_path / name
        )
        assert list(result["predictions"]) == list(model.predict(rows)), name
        assert list(result.to_pandas()["prediction"]) == list(model.predict(rows)), name


def test_regressors_and_transformers(
    predictor, regressor_path, transformer_path, original, rows_of, tmp_path
):
    rows = numeric_rows(100, seed=6)
    np.save(tmp_path / "rows.npy", rows)
    for target in (None, tmp_path / "out.csv", tmp_path / "out.parquet"):
        found = predictor.predict_batch(regressor_path, tmp_path / "rows.npy", target)
        np.testing.assert_allclose(found["predictions"], original(regressor_path).predict(rows), rtol=1e-12)
        assert "classes" not in found and "probabilities" not in found
        found = predictor.predict_batch(transformer_path, tmp_path / "rows.npy", target)
        np.testing.assert_allclose(
            found["predictions"], original(transformer_path).transform(rows), rtol=1e-9, atol=1e-12
        )


def test_limit_threads_and_reading_options(predictor, lr_path, original, tmp_path):
    frame = named_frame(100, seed=2)
    data = tmp_path / "rows.txt"
    frame.to_csv(data, index=False, sep=";", decimal=",", encoding="utf-16")
    result = predictor.predict_batch(
        lr_path, data, limit=30, threads=1, delimiter=";", decimal=",", encoding="utf-16", use_cache=False
    )
    assert list(result["predictions"]) == list(original(lr_path).predict(frame.iloc[:30]))
    assert result.metrics["threads"] == 1 and result["cache_hit"] is False


def test_an_empty_table(predictor, lr_path, tmp_path):
    data = write(named_frame(0), tmp_path / "rows.csv")
    for target in (None, tmp_path / "out.csv", tmp_path / "out.parquet"):
        result = predictor.predict_batch(lr_path, data, target, return_probabilities=True)
        assert len(result) == 0 and result["n_batches"] == 0
        assert list(result.columns) == ["prediction", "probability_churn", "probability_stay"]
        assert len(result["predictions"]) == 0 and len(result.to_pandas()) == 0
        assert len(result.head()) == 0 and result["probabilities"].shape == (0, 2)
    for name in ("out.json", "out.jsonl"):
        result = predictor.predict_batch(lr_path, data, tmp_path / name)
        assert len(result) == 0 and len(result["predictions"]) == 0 and len(result.to_pandas()) == 0


def test_an_output_that_is_the_input_is_refused(predictor, lr_path, tmp_path):
    data = write(named_frame(10), tmp_path / "rows.csv")
    before = data.read_bytes()
    with pytest.raises(errors.ArgumentError, match="the input"):
        predictor.predict_batch(lr_path, data, data)
    assert data.read_bytes() == before


def test_a_job_that_fails_leaves_nothing(predictor, lr_path, tmp_path):
    data = tmp_path / "rows.csv"
    data.write_text("age,tenure,balance,rate\n1,2,3,4\n1,2,three,4\n")
    descriptors = len(os.listdir("/proc/self/fd"))
    for target in (None, tmp_path / "out.csv"):
        with pytest.raises(errors.DataError):
            predictor.predict_batch(lr_path, data, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv"]
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_warnings_of_a_table(predictor, pipeline_path, tmp_path):
    data = write(mixed_frame(50, seed=1).assign(city="Paris"), tmp_path / "rows.csv")
    lines = []
    predictor.predict_batch(pipeline_path, data, warn=lines.append)
    assert any("city" in line for line in lines)


def test_a_job_is_taken_up_again(predictor, lr_path, tmp_path):
    data = write(named_frame(50), tmp_path / "rows.csv")
    result = predictor.predict_batch(lr_path, data, tmp_path / "out.csv", resume=True)
    assert len(result) == 50 and result.metrics["rows_resumed"] == 0


def test_several_targets(predictor, tmp_path):
    from sklearn.ensemble import RandomForestClassifier

    rows = numeric_rows(200)
    target = np.column_stack([(rows[:, 0] > 0).astype(int), (rows[:, 1] > 0).astype(int) + (rows[:, 2] > 1)])
    model = RandomForestClassifier(5, random_state=0).fit(rows, target)
    joblib.dump(model, tmp_path / "model.joblib")
    np.save(tmp_path / "rows.npy", rows)
    for name in (None, "out.csv", "out.parquet"):
        result = predictor.predict_batch(
            tmp_path / "model.joblib", tmp_path / "rows.npy", name and tmp_path / name, return_probabilities=True
        )
        assert np.array_equal(result["predictions"], model.predict(rows))
        assert [list(classes) for classes in result["classes"]] == [[0, 1], [0, 1, 2]]
        for found, expected in zip(result["probabilities"], model.predict_proba(rows), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_model_that_does_not_say_how_wide_it_is(predictor, tmp_path):
    from sklearn.preprocessing import FunctionTransformer

    joblib.dump(FunctionTransformer(np.log1p), tmp_path / "model.joblib")
    rows = np.abs(numeric_rows(20))
    frame = pd.DataFrame(rows, columns=list("abcd"))
    np.save(tmp_path / "rows.npy", rows)
    write(frame, tmp_path / "rows.csv")
    for data in ("rows.npy", "rows.csv"):
        for name in (None, "out.csv", "out.parquet"):
            result = predictor.predict_batch(tmp_path / "model.joblib", tmp_path / data, name and tmp_path / name)
            np.testing.assert_allclose(result["predictions"], np.log1p(rows), rtol=1e-12)
    result = predictor.predict_batch(tmp_path / "model.joblib", tmp_path / "rows.csv", keep="*")
    with pytest.raises(ValueError, match="by their names"):
        result["predictions"]


def test_float32_results_keep_their_bits(predictor, tmp_path):
    import xgboost

    rows = numeric_rows(300).astype(np.float32)
    model = xgboost.XGBRegressor(n_estimators=5, max_depth=3).fit(rows, rows[:, 0] ** 2)
    joblib.dump(model, tmp_path / "model.joblib")
    np.save(tmp_path / "rows.npy", rows)
    expected = predictor.predict(tmp_path / "model.joblib", rows)["predictions"]
    assert expected.dtype == np.float32
    for name in (None, "out.csv", "out.json", "out.parquet", "out.arrow", "out.npy"):
        found = predictor.predict_batch(tmp_path / "model.joblib", tmp_path / "rows.npy", name and tmp_path / name)
        assert np.array_equal(found["predictions"].astype(np.float32), expected), name


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "predict_proba", "return_probabilities": True}, "return_probabilities goes with predict"),
        ({"keep": "nothing"}, "'nothing' for keep"),
        ({"encoding": "klingon"}, "^encoding 'klingon'"),
        ({"resume": True}, "resume is given without an output_path"),
        ({"more_models": ["lr.joblib"], "more_names": ["second"]}, "more_models holds"),
    ],
)
def test_messages_name_arguments_as_they_are_called_here(options, words, predictor, lr_path, tmp_path):
    data = write(named_frame(5), tmp_path / "rows.csv")
    with pytest.raises(ValueError, match=words):
        predictor.predict_batch(lr_path, data, **options)


def test_probabilities_of_a_regressor(predictor, regressor_path, tmp_path):
    np.save(tmp_path / "rows.npy", numeric_rows(5))
    with pytest.raises(errors.MethodMissingError, match="predict_proba"):
        predictor.predict_batch(regressor_path, tmp_path / "rows.npy", return_probabilities=True)
