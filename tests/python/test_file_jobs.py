"""File jobs: several methods and several models in one pass, the figures of a job, progress for programs."""

import json

import ftl
import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

DONE, INTERNAL, USAGE, MODEL, DATA, REJECTED = range(6)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs")
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(rng.normal(size=(9000, 4)), columns=list("abcd"))
    rows["id"] = [f"r{i}" for i in range(len(rows))]
    inputs = rows[list("abcd")]
    churn = make_pipeline(StandardScaler(), LogisticRegression()).fit(inputs, np.where(rows.a > rows.b, "yes", "no"))
    # another order, and not all of them
    risk = RandomForestClassifier(7, max_depth=4, random_state=0).fit(rows[["d", "a"]], (rows.d > 0).astype(int))
    value = LinearRegression().fit(inputs, rows.c * 3)
    for name, model in [("churn", churn), ("risk", risk), ("value", value)]:
        joblib.dump(model, folder / f"{name}.joblib")
    rows.to_csv(folder / "rows.csv", index=False)
    return folder, pd.read_csv(folder / "rows.csv"), {"churn": churn, "risk": risk, "value": value}


def predict(folder, *arguments, code=DONE):
    process = ftl.run("predict", *arguments, "-o", "out.csv", cwd=folder)
    assert process.returncode == code, process.stderr
    return pd.read_csv(folder / "out.csv") if code == DONE else process.stderr


@pytest.mark.parametrize("threads", [1, 3])
def test_several_methods_are_one_pass(made, threads):
    folder, rows, models = made
    out = predict(folder, "churn.joblib", "rows.csv", "--method", "decision_function,predict,predict_proba", "--keep",
                  "id", "--threads", threads, "--batch-size", 1000)
    inputs = rows[list("abcd")]
    assert list(out) == ["id", "decision", "prediction", "probability_no", "probability_yes"]
    np.testing.assert_allclose(out["decision"], models["churn"].decision_function(inputs), rtol=1e-12)
    assert (out["prediction"] == models["churn"].predict(inputs)).all()
    np.testing.assert_allclose(out[["probability_no", "probability_yes"]], models["churn"].predict_proba(inputs),
                               rtol=1e-12)
    # each is what it is alone
    for method, columns in [("decision_function", ["decision"]), ("predict", ["prediction"])]:
        alone = predict(folder, "churn.joblib", "rows.csv", "--method", method)
        pd.testing.assert_frame_equal(alone, out[columns])


def test_methods_whose_columns_are_called_alike(made):
    folder, rows, models = made
    out = predict(folder, "risk.joblib", "rows.csv", "--method", "predict_proba,predict_log_proba")
    assert len(set(out)) == 4 and all(name.startswith("predict_") for name in out if "__" in name)
    inputs = rows[["d", "a"]]
    np.testing.assert_array_equal(out.iloc[:, :2], models["risk"].predict_proba(inputs))


def test_a_method_is_named_once(made):
    says = predict(made[0], "churn.joblib", "rows.csv", "--method", "predict,predict", code=USAGE)
    assert "--method names predict twice" in says
    says = predict(made[0], "churn.joblib", "rows.csv", "--method", "predict,nothing", code=USAGE)
    assert "nothing" in says
    says = predict(made[0], "risk.joblib", "rows.csv", "--method", "predict,decision_function", code=USAGE)
    assert "risk.joblib: sklearn.ensemble.RandomForestClassifier has no decision_function" in says


@pytest.mark.parametrize("threads", [1, 3])
def test_several_models_read_the_rows_once(made, threads):
    folder, rows, models = made
    out = predict(folder, "churn.joblib", "rows.csv", "--also", "risk.joblib", "--also", "worth=value.joblib", "--keep",
                  "id,a", "--proba", "--limit", 7000, "--threads", threads, code=USAGE)
    assert "value.joblib" in out and "predict_proba" in out  # what is asked for is asked of all
    out = predict(folder, "churn.joblib", "rows.csv", "--also", "risk.joblib", "--also", "worth=value.joblib", "--keep",
                  "id,a", "--limit", 7000, "--threads", threads)
    assert list(out) == ["id", "a", "churn__prediction", "risk__prediction", "worth__prediction"]
    assert len(out) == 7000
    rows = rows.iloc[:7000]
    assert (out["churn__prediction"] == models["churn"].predict(rows[list("abcd")])).all()
    assert (out["risk__prediction"] == models["risk"].predict(rows[["d", "a"]])).all()
    np.testing.assert_allclose(out["worth__prediction"], models["value"].predict(rows[list("abcd")]), rtol=1e-12)


def test_models_of_one_name(made):
    folder = made[0]
    says = predict(folder, "risk.joblib", "rows.csv", "--also", "./risk.joblib", code=USAGE)
    assert "two models are called 'risk'" in says and "--also NAME=./risk.joblib" in says
    out = predict(folder, "risk.joblib", "rows.csv", "--also", "second=risk.joblib")
    assert (out["risk__prediction"] == out["second__prediction"]).all()
    says = predict(folder, "risk.joblib", "rows.csv", "--also", "nowhere.joblib", code=MODEL)
    assert "nowhere.joblib" in says


def test_a_row_that_one_model_refuses_is_bad_for_all(made, tmp_path):
    folder, _, _ = made
    (tmp_path / "rows.csv").write_text("a,b,c,d\n1,2,3,4\n1,,3,4\n1,2,3,\n5,6,7,8\n")
    arguments = [folder / "churn.joblib", "rows.csv", "--also", folder / "risk.joblib"]  # a forest takes missing cells
    process = ftl.run("predict", *arguments, "--on-error", "null", "-o", "out.csv", cwd=tmp_path)
    assert process.returncode == REJECTED, process.stderr
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[2] == "," and lines[3] == "," and lines[1] != ","
    process = ftl.run("predict", *arguments, "--on-error", "skip", "--reject", "bad.csv", "-o", "out.csv", cwd=tmp_path)
    assert process.returncode == REJECTED, process.stderr
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 3
    bad = pd.read_csv(tmp_path / "bad.csv")
    assert len(bad) == 2 and bad["error"].notna().all()
    process = ftl.run("predict", *arguments, cwd=tmp_path)
    assert process.returncode == DATA and "line 3" in process.stderr


def test_missing_labels_stay_missing_beside_bad_rows(made, tmp_path):
    """A text output's own gaps and the rows that are bad are both empty."""
    folder, _, _ = made
    (tmp_path / "rows.csv").write_text("a,b,c,d\n1,2,3,4\nx,2,3,4\n1,2,3,4\n")
    process = ftl.run("predict", folder / "churn.joblib", "rows.csv", "--on-error", "null", cwd=tmp_path)
    assert process.stdout.splitlines()[2] == '""' and process.returncode == REJECTED


def test_the_figures_of_a_job(made):
    folder, rows, _ = made
    process = ftl.run("predict", "churn.joblib", "rows.csv", "-o", "out.csv", "--metrics", "figures.json", "--threads",
                      2, cwd=folder)
    assert process.returncode == DONE, process.stderr
    figures = json.loads((folder / "figures.json").read_text())
    assert figures["rows"] == figures["rows_written"] == len(rows)
    assert figures["rows_rejected"] == figures["rows_nulled"] == 0
    assert figures["bytes_read"] == (folder / "rows.csv").stat().st_size
    assert figures["bytes_written"] == (folder / "out.csv").stat().st_size
    assert figures["rows_per_second"] == pytest.approx(len(rows) / figures["seconds"], rel=0.01)
    assert 1 <= figures["threads"] <= 2 and figures["batch_rows"] >= 16
    assert 10**6 < figures["peak_memory_bytes"] < 10**9
    assert set(figures["work_seconds"]) == {"read", "parse", "predict", "format", "write"}
    assert all(seconds > 0 for seconds in figures["work_seconds"].values())
    assert f"{len(rows):,} rows in" in process.stderr and "peak memory" in process.stderr


def test_figures_on_standard_output(made):
    process = ftl.run("predict", "churn.joblib", "rows.csv", "-o", "out.csv", "--metrics", "-", cwd=made[0])
    assert process.returncode == DONE and json.loads(process.stdout)["rows"] == len(made[1])
    assert not (made[0] / "-").exists()
    process = ftl.run("predict", "churn.joblib", "rows.csv", "--metrics", "-", cwd=made[0])
    assert process.returncode == USAGE and process.stdout == "" and "one file" in process.stderr


def test_memory_is_that_of_the_program(made):
    """Whoever starts it may hold more: the system's own figure has that in it."""
    much = np.ones(30_000_000)
    process = ftl.run("predict", "churn.joblib", "rows.csv", "-o", "out.csv", "--metrics", "figures.json", cwd=made[0])
    assert process.returncode == DONE
    assert json.loads((made[0] / "figures.json").read_text())["peak_memory_bytes"] < much.nbytes / 2


def test_figures_that_cannot_be_written(made):
    process = ftl.run("predict", "churn.joblib", "rows.csv", "-o", "out.csv", "--metrics", "no/figures.json",
                      cwd=made[0])
    assert process.returncode == DATA
    assert "the predictions are written, but not the figures: no/figures.json: No such file" in process.stderr
    process = ftl.run("predict", "churn.joblib", "rows.csv", "-o", "out.csv", "--metrics", "/dev/full", cwd=made[0])
    assert process.returncode == DATA and "No space left" in process.stderr


def test_progress_for_programs(made):
    process = ftl.run("predict", "churn.joblib", "rows.csv", "-o", "out.csv", "--progress", "json", "--batch-size", 10,
                      cwd=made[0])
    lines = [line for line in process.stderr.splitlines() if line.startswith("{")]
    assert lines, process.stderr
    for line in lines:
        report = json.loads(line)
        assert 0 < report["rows"] <= 9000
        assert 0 < report["bytes_read"] <= report["bytes_total"] == (made[0] / "rows.csv").stat().st_size
    piped = ftl.run("predict", "churn.joblib", "-", "-o", "out.csv", "--progress", "json", "--batch-size", 10,
                    cwd=made[0], input=(made[0] / "rows.csv").read_text())
    report = json.loads(next(line for line in piped.stderr.splitlines() if line.startswith("{")))
    assert report["bytes_total"] is None
    assert "--progress takes auto or json, not 'bar'" in ftl.run("predict", "m", "t", "--progress", "bar").stderr


def test_results_do_not_depend_on_memory_and_batches(made):
    folder = made[0]
    want = predict(folder, "churn.joblib", "rows.csv", "--proba")
    for options in [["--memory", "100K"], ["--batch-size", "auto"], ["--batch-size", "7"], ["--memory", "1G"]]:
        pd.testing.assert_frame_equal(predict(folder, "churn.joblib", "rows.csv", "--proba", *options), want)
    process = ftl.run("predict", "churn.joblib", "rows.csv", "-o", "out.csv", "--memory", "100K", "--threads", 1,
                      "--metrics", "f.json", cwd=folder)
    assert process.returncode == DONE
    assert json.loads((folder / "f.json").read_text())["batch_rows"] <= 512


# ---- Rejected rows of inputs that are no text -----------------------------------------------------------------------


@pytest.fixture()
def typed(made, tmp_path):
    """Rows with missing cells, which the model refuses, beside columns of other types, one of which is not read."""
    rng = np.random.default_rng(7)
    rows = pd.DataFrame(rng.normal(size=(300, 4)), columns=list("abcd"))
    rows.loc[[3, 150, 299], "b"] = np.nan
    rows["id"] = np.arange(300) + 2**60
    rows["note"] = [None if i % 7 == 0 else f"n{i}" for i in range(300)]
    rows["when"] = pd.Timestamp("2024-01-01")
    rows["flag"] = rows.index % 2 == 0
    rows.to_parquet(tmp_path / "rows.parquet")
    pa.feather.write_feather(pa.Table.from_pandas(rows), tmp_path / "rows.arrow")
    rows.iloc[:200].to_parquet(tmp_path / "first.parquet")
    rows.iloc[200:].to_parquet(tmp_path / "second.parquet")
    np.save(tmp_path / "rows.npy", rows[list("abcd")].to_numpy())
    (tmp_path / "model.joblib").symlink_to(made[0] / "churn.joblib")
    return tmp_path, rows


def read_rejects(path):
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pandas()
    if path.suffix == ".arrow":
        return pa.feather.read_feather(path)
    if path.suffix == ".csv":
        return pd.read_csv(path, float_precision="round_trip")
    return pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])


@pytest.mark.parametrize("reject", ["bad.parquet", "bad.arrow", "bad.csv", "bad.jsonl"])
@pytest.mark.parametrize("inputs", [["rows.parquet"], ["rows.arrow"], ["first.parquet", "second.parquet"]],
                         ids=["parquet", "arrow", "parts"])
def test_rejected_rows_keep_their_types(typed, inputs, reject):
    folder, rows = typed
    process = ftl.run("predict", "model.joblib", *inputs, "-o", "out.csv", "--on-error", "skip", "--reject", reject,
                      "--keep", "id", "--batch-size", 64, cwd=folder)
    assert process.returncode == REJECTED, process.stderr
    good = rows["b"].notna()
    assert list(pd.read_csv(folder / "out.csv")["id"]) == list(rows.loc[good, "id"])
    bad = read_rejects(folder / reject)
    assert list(bad) == ["a", "b", "c", "d", "id", "note", "flag", "error"]  # "when" cannot be read
    want = rows[~good].reset_index(drop=True)
    assert list(bad["id"]) == list(want["id"]) and list(bad["flag"]) == list(want["flag"])
    assert [None if pd.isna(note) else note for note in bad["note"]] == list(want["note"])
    np.testing.assert_array_equal(bad[list("abcd")].astype(float), want[list("abcd")])
    assert all("NaN" in error and "--" not in error for error in bad["error"])
    places = ["first.parquet: row 3", "first.parquet: row 150", "second.parquet: row 99"] if len(inputs) > 1 else \
        ["row 3", "row 150", "row 299"]
    assert [error.split(": column")[0] for error in bad["error"]] == places
    if reject.endswith((".parquet", ".arrow")):
        assert bad["id"].dtype == np.int64 and bad["flag"].dtype == bool


def test_rejected_rows_of_a_matrix(typed):
    folder, rows = typed
    process = ftl.run("predict", "model.joblib", "rows.npy", "-o", "out.npy", "--method", "predict_proba", "--on-error",
                      "null", "--reject", "bad.csv", cwd=folder)
    assert process.returncode == REJECTED, process.stderr
    bad = read_rejects(folder / "bad.csv")
    assert list(bad) == ["column_0", "column_1", "column_2", "column_3", "error"]
    np.testing.assert_array_equal(bad.iloc[:, :4], rows[rows["b"].isna()][list("abcd")])
    assert [error.split(": column")[0] for error in bad["error"]] == ["row 3", "row 150", "row 299"]


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.json", "rows.parquet", "rows.arrow", "rows.npy"])
def test_a_reject_says_what_the_message_says(typed, name):
    """Rejected rows had no place where the model refused them, and those of typed inputs none at all."""
    folder, rows = typed
    rows.to_csv(folder / "rows.csv", index=False)
    rows.to_json(folder / "rows.json", orient="records", date_format="iso")
    rows.to_json(folder / "rows.jsonl", orient="records", lines=True, date_format="iso")
    bad = "bad" + (".jsonl" if "json" in name else ".csv")
    for batch in (1000, 7):
        options = ["predict", "model.joblib", name, "-o", "out.csv", "--batch-size", batch]
        failed = ftl.run(*options, cwd=folder)
        assert ftl.run(*options, "--on-error", "skip", "--reject", bad, cwd=folder).returncode == REJECTED
        errors = list(read_rejects(folder / bad)["error"])
        assert failed.stderr == f"foretell: error: VALUE: steps[1]: {errors[0]}\n"
        line = {"rows.csv": "line {} (", "rows.jsonl": "line {} (", "rows.json": "line 1 ("}.get(name, "")
        assert [error.split(": ")[0].rstrip(")") for error in errors] == [
            line.format(row + (2 if name == "rows.csv" else 1)) + f"row {row}" for row in (3, 150, 299)]


def test_a_column_called_error_is_numbered(typed):
    folder, rows = typed
    rows.assign(error=1).to_parquet(folder / "rows.parquet")
    process = ftl.run("predict", "model.joblib", "rows.parquet", "-o", "out.csv", "--on-error", "skip", "--reject",
                      "bad.parquet", cwd=folder)
    assert process.returncode == REJECTED, process.stderr
    assert list(read_rejects(folder / "bad.parquet"))[-2:] == ["error.1", "error"]
