"""The recipes predict what the library predicts. The heavy ones run in build/venv-recipes (make test-all)."""

import os
import pathlib
import re
import subprocess
import sys

import foretell
import joblib
import pytest
from conftest import mixed_frame
from foretell import errors, mlflow

ROOT = pathlib.Path(__file__).resolve().parents[2]
SITE = str(pathlib.Path(foretell.__file__).resolve().parents[1])
FOLDER = ROOT / "examples/recipes"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with churn.joblib and rows.parquet, and the rows with what the library predicts."""
    folder = tmp_path_factory.mktemp("recipes")
    sys.path.append(str(ROOT / "examples/python"))
    try:
        import demo_model
    finally:
        sys.path.remove(str(ROOT / "examples/python"))
    demo_model.train(folder / "churn.joblib")
    rows = demo_model.customers(20_000, seed=3)
    rows.to_parquet(folder / "rows.parquet")
    rows = rows.assign(prediction=joblib.load(folder / "churn.joblib").predict(rows))
    return folder, rows


def run(python, name, *arguments):
    done = subprocess.run(
        [python, FOLDER / name, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "PYTHONPATH": SITE},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def heavy(name, *arguments):
    python = ROOT / "build/venv-recipes/bin/python"
    assert python.exists(), "scripts/bootstrap test-all makes build/venv-recipes"
    return run(python, name, *arguments)


def test_duckdb(place):
    import duckdb

    sys.path.append(str(FOLDER))
    import duckdb_udf

    folder, rows = place
    connection = duckdb.connect()
    duckdb_udf.create_function(connection, "churn", str(folder / "churn.joblib"))
    connection.register("customers", rows)
    query = "select churn(age, balance, plan, city) as prediction from customers"
    assert [row[0] for row in connection.sql(query).fetchall()] == rows["prediction"].tolist()
    with pytest.raises(duckdb.Error, match="plan|city|categor|unknown"):
        connection.sql("select churn(age, balance, 'no such plan', city) from customers limit 1").fetchall()
    assert "leaves" in run(sys.executable, "duckdb_udf.py", folder / "churn.joblib")


def test_duckdb_and_missing_values(pipeline_path, original):
    import duckdb

    sys.path.append(str(FOLDER))
    import duckdb_udf

    frame = mixed_frame(500, seed=4)
    connection = duckdb.connect()
    duckdb_udf.create_function(connection, "answer", str(pipeline_path))
    connection.register("people", frame)
    got = [row[0] for row in connection.sql("select answer(age, balance, plan, city) from people").fetchall()]
    assert got == original(pipeline_path).predict(frame).tolist()


def test_the_loader_of_mlflow(lr_path, tmp_path):
    """What MLflow calls, without MLflow: a file alone; a folder's file lies in the folder."""
    from conftest import named_frame

    model = mlflow._load_pyfunc(str(lr_path))
    frame = named_frame(5)
    assert model.predict(frame).tolist() == joblib.load(lr_path).predict(frame).tolist()
    assert model.predict(frame, {"predict_method": "predict_proba"}).shape == (5, 2)
    (tmp_path / "model").mkdir()
    (tmp_path / "model.pkl").write_bytes(lr_path.read_bytes())
    for name in ("../model.pkl", str(tmp_path / "model.pkl")):
        with pytest.raises(errors.ArgumentError, match="outside"):
            mlflow._file_of(str(tmp_path / "model"), {"flavors": {"python_function": {"model_path": name}}})
    with pytest.raises(errors.ArgumentError, match="keras"):
        mlflow._file_of(str(tmp_path / "model"), {"flavors": {"keras": {"data": "data"}}})


@pytest.mark.long
def test_mlflow():
    shown = heavy("mlflow_pyfunc.py")
    assert re.findall(r"^load_model: (\w+) PyFuncModel$", shown, re.M) == ["True"]
    assert re.findall(r"^use_in, instead of mlflow.sklearn: (\w+)$", shown, re.M) == ["True"]


@pytest.mark.long
@pytest.mark.parametrize("name", ["ray_data.py", "dask_partitions.py"])
def test_ray_and_dask(place, name):
    folder, rows = place
    shown = heavy(name, folder / "churn.joblib", folder / "rows.parquet")
    counts = rows["prediction"].value_counts()
    assert "20000 rows" in shown and all(f"'{label}': {n}" in shown for label, n in counts.items())


@pytest.mark.long
def test_spark(place):
    folder, rows = place
    shown = heavy("spark_map_in_arrow.py", folder / "churn.joblib", folder / "rows.parquet")
    found = {label: int(n) for label, n in re.findall(r"\|\s*(\w+)\|\s*(\d+)\|", shown)}
    assert found == rows["prediction"].value_counts().to_dict()
