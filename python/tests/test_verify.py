"""foretell.verify and python -m foretell verify: the library that wrote a model against foretell."""

import json
import os
import pathlib
import pickle
import subprocess
import sys

import foretell
import joblib
import numpy as np
import pandas as pd
import pytest
from foretell import _verify, _verify_cli, _verify_compare, _verify_rows, errors
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

RNG = np.random.default_rng(0)
sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tests/python"))
import ftl  # noqa: E402
import golden  # noqa: E402

X = RNG.normal(size=(150, 4)) * [1, 1000, 1e-3, 1] + [0, 5000, 0, 0]
Y = np.where(X[:, 0] + (X[:, 1] - 5000) / 1000 > 0, "yes", "no")
FRAME = pd.DataFrame({"age": RNG.integers(18, 90, 150), "pay": X[:, 1], "plan": RNG.choice(["a", "b", "c"], 150)})
TEXTS = ["win a free price now", "see you at home", "call me later", "free entry win", "what a day", "you win"] * 5


def columns():
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return make_column_transformer((numbers, ["age", "pay"]), (OneHotEncoder(handle_unknown="ignore"), ["plan"]))


MODELS = {
    "logistic": lambda: LogisticRegression().fit(StandardScaler().fit_transform(X), Y),
    "forest": lambda: RandomForestClassifier(10, random_state=0).fit(X, Y),
    "boosting": lambda: GradientBoostingRegressor(n_estimators=10).fit(X, X[:, 0]),
    "histogram": lambda: HistGradientBoostingClassifier(max_iter=10).fit(X, Y),
    "pipeline": lambda: make_pipeline(columns(), LogisticRegression()).fit(FRAME, Y),
    "several": lambda: Ridge().fit(X, X[:, :2]), "scaler": lambda: StandardScaler().fit(FRAME[["age", "pay"]]),
    "neighbors": lambda: KNeighborsClassifier(3).fit(X, Y),
    "text": lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, [i % 2 for i in range(30)]),
    "dicts": lambda: make_pipeline(DictVectorizer(), LogisticRegression()).fit(
        [{"n": i, "c": "ab"[i % 2]} for i in range(30)], [i % 2 for i in range(30)]),
    "bundle": lambda: {"scaler": StandardScaler().fit(X), "model": RandomForestClassifier(5).fit(X, (Y == "yes").astype(int)),
                       "encoder": LabelEncoder().fit(["no", "yes"])},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    for name, make in MODELS.items():
        joblib.dump(make(), folder / f"{name}.joblib")
    return folder


@pytest.fixture(autouse=True)
def quick_times(monkeypatch):
    """Speed is measured by a few calls here."""
    median = _verify._median
    monkeypatch.setattr(_verify, "_median", lambda function: median(function, 0.0))


def xgboost_models(folder):
    import xgboost
    model = xgboost.XGBClassifier(n_estimators=5, max_depth=3).fit(X, (Y == "yes").astype(int))
    model.save_model(folder / "x.json")
    model.get_booster().save_model(folder / "booster.ubj")
    joblib.dump(make_pipeline(StandardScaler(), model).fit(X, (Y == "yes").astype(int)), folder / "x.joblib")
    return ["x.json", "booster.ubj", "x.joblib"]


def lightgbm_models(folder):
    import lightgbm
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(X, Y)
    model.booster_.save_model(folder / "l.txt")
    joblib.dump(model, folder / "l.joblib")
    return ["l.txt", "l.joblib"]


def catboost_models(folder):
    import catboost
    model = catboost.CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False).fit(X, Y)
    model.save_model(str(folder / "c.cbm"))
    joblib.dump(model, folder / "c.joblib")
    regressor = catboost.CatBoostRegressor(iterations=5, verbose=0, allow_writing_files=False).fit(X, X[:, 0])
    regressor.save_model(str(folder / "r.cbm"))
    return ["c.cbm", "c.joblib", "r.cbm"]


@pytest.mark.parametrize("name", MODELS)
def test_made_up_rows_agree(folder, name):
    report = foretell.verify(folder / f"{name}.joblib", rows=120)
    assert report, str(report)
    assert report.agrees and report.made_up and report.rows == 120 and not report.refused and not report.not_compared
    methods = {method.method for method in report.methods}
    assert methods and all(method.rows_agreeing == 120 for method in report.methods)
    assert len(report.speed) == 2 and all(min(times) > 0 for times in report.speed.values())
    assert str(report).endswith("all agree") and json.loads(json.dumps(report.to_dict(), default=str))["agrees"]


@pytest.mark.parametrize("make", [xgboost_models, lightgbm_models, catboost_models])
def test_boosters(tmp_path, make):
    for name in make(tmp_path):
        report = foretell.verify(tmp_path / name, rows=100)
        assert report, f"{name}: {report}"
        compared = {method.method for method in report.methods}
        assert {"predict"} < compared, (name, compared)
        assert all(m.values_equal == m.values for m in report.methods if m.method in ("margin", "apply")), str(report)


def test_data(folder, tmp_path):
    FRAME.assign(extra="x")[["extra", "plan", "pay", "age"]].to_csv(tmp_path / "rows.csv", index=False)
    FRAME.to_parquet(tmp_path / "rows.parquet")
    FRAME.to_json(tmp_path / "rows.jsonl", orient="records", lines=True)
    for name in ("rows.csv", "rows.parquet", "rows.jsonl"):
        report = foretell.verify(folder / "pipeline.joblib", tmp_path / name, 50)
        assert report and report.rows == 50 and not report.made_up
    np.save(tmp_path / "rows.npy", X)
    assert foretell.verify(folder / "forest.joblib", tmp_path / "rows.npy").rows == 150
    assert foretell.verify(folder / "forest.joblib", X[:20]).rows == 20
    with pytest.raises(errors.SchemaError, match="lacks plan"):
        foretell.verify(folder / "pipeline.joblib", FRAME[["age", "pay"]])
    with pytest.raises(FileNotFoundError):
        foretell.verify(folder / "pipeline.joblib", tmp_path / "none.csv")


def test_rows_that_both_refuse(folder):
    rows = X[:30].copy()
    rows[[3, 7], 1] = np.nan
    report = foretell.verify(folder / "neighbors.joblib", rows)
    assert report and report.refused_by_both == 2 and {method.rows for method in report.methods} == {28}


def test_disagreement_is_found(folder, monkeypatch):
    """Another forest in the place of the library's own."""
    from foretell import _verify_original
    other = RandomForestClassifier(10, random_state=1).fit(X, Y)
    monkeypatch.setattr(_verify_original, "load", lambda *arguments: other)
    report = foretell.verify(folder / "forest.joblib", X)
    assert not report and not report.agrees
    found = {method.method: method for method in report.methods}["predict_proba"]
    assert found.rows_agreeing < 150 and found.largest_absolute >= 0.1 and found.worst_row is not None
    worst = np.abs(other.predict_proba(X) - foretell.load(folder / "forest.joblib").predict_proba(X)).max(axis=1)
    assert worst[found.worst_row] == worst.max() and found.worst_original != found.worst_foretell
    assert report.worst_inputs["predict_proba"] == X[found.worst_row].tolist()
    assert "NOT all agree" in str(report) and f"worst row {found.worst_row}" in str(report)


def test_refusals_that_differ_are_found(folder, monkeypatch):
    from foretell import _verify_original
    tolerant = make_pipeline(SimpleImputer(), joblib.load(folder / "neighbors.joblib")).fit(X, Y)
    monkeypatch.setattr(_verify_original, "load", lambda *arguments: tolerant)
    rows = X[:20].copy()
    rows[5, 1] = np.nan
    report = foretell.verify(folder / "neighbors.joblib", rows, methods=["predict"])
    assert not report and [entry[:2] for entry in report.refused] == [(5, "foretell")]
    assert "row 5: foretell alone refuses it" in str(report)


def test_tolerance():
    left = np.array([1.0, 2.0, 1e9])
    right = left * (1 + 1e-11)
    compare = _verify_compare.compare
    assert compare("predict", left, right, None, False).agrees
    exact = compare("predict", left, right, None, True)
    assert not exact.agrees and exact.rows_agreeing == 0 and exact.values_equal == 0 and exact.worst_row is not None
    assert not compare("predict", left, right, 1e-12, False).agrees
    assert compare("predict", left.astype(np.float32), (left * (1 + 1e-6)).astype(np.float32), None, False).agrees
    nothing = np.array([np.nan, np.inf, -np.inf])
    assert compare("predict", nothing, nothing, None, True).agrees
    assert not compare("predict", nothing, np.array([np.nan, np.inf, np.inf]), None, False).agrees
    assert not compare("predict", left, np.append(left, 1.0), None, False).agrees
    texts = np.array(["a", "b", None], dtype=object)
    assert compare("predict", texts, texts.copy(), None, True).agrees
    assert not compare("predict", texts, np.array(["a", "c", None], dtype=object), None, False).agrees
    tied = compare("predict", np.array(["a", "b"]), np.array(["a", "a"]), None, False, np.array([False, True]))
    assert tied.agrees and tied.ties == 1


def test_units_in_the_last_place():
    one = np.array([1.0, -1.0, 0.0, 5e-324, np.nan])
    assert _verify_compare.ulps(one, np.nextafter(one, 10)).tolist() == [1, 1, 1, 1, 0]
    assert _verify_compare.ulps(np.array([-5e-324]), np.array([5e-324])).tolist() == [3]
    single = np.array([1.0], np.float32)
    assert _verify_compare.ulps(single, np.nextafter(single, np.float32(2))).tolist() == [1]
    assert _verify_compare.ulps(np.array([0.0]), np.array([-0.0])).tolist() == [0]


def test_rows_are_where_the_model_looks(folder):
    """Within the range of the thresholds, some exactly at one of them; the same rows for one seed."""
    original = joblib.load(folder / "forest.joblib")
    known = _verify_rows.find_ranges(original, 4)
    assert all(column.low < column.high for column in known) and 1000 < known[1].low < known[1].high < 9000
    description = foretell.load(folder / "forest.joblib")._description()
    rows = _verify_rows.make(description, original, 500, 7)
    assert (_verify_rows.make(description, original, 500, 7)[~np.isnan(rows)] == rows[~np.isnan(rows)]).all()
    assert np.isin(rows[:, 1], known[1].points).any() and np.nanmin(rows[:, 1]) > 0
    frame = _verify_rows.make(foretell.load(folder / "pipeline.joblib")._description(),
                              joblib.load(folder / "pipeline.joblib"), 500, 0)
    assert {"a", "b", "c"} < set(frame["plan"].dropna()) and 0 < frame["age"].mean() < 100 and frame["age"].isna().any()


class Other:
    """A class of somebody's package that stands in a model's pickle."""


def test_other_code_needs_trust(folder, tmp_path):
    model = LogisticRegression().fit(X, Y)
    model.note_ = Other()
    path = tmp_path / "noted.pkl"
    path.write_bytes(pickle.dumps(model))
    with pytest.raises(errors.ForbiddenError, match="trust=True"):
        foretell.verify(path)
    assert foretell.verify(path, rows=50, trust=True)


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


def test_nothing_is_executed_that_foretell_refuses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = LogisticRegression().fit(X, Y)
    model.note_ = Evil()
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(model))
    for trust in (False, True):
        with pytest.raises(errors.ForbiddenError):
            foretell.verify("evil.pkl", trust=trust)
    assert not (tmp_path / "evil").exists()


def test_method_that_is_not_there(folder):
    with pytest.raises(errors.ArgumentError, match="has no transform"):
        foretell.verify(folder / "forest.joblib", methods=["transform"])
    assert [m.method for m in foretell.verify(folder / "forest.joblib", methods=["apply"]).methods] == ["apply"]


# Goldens of the versions that are installed here. Those that do not agree, each for its reason.
INSTALLED = ["sklearn-1.9.1", "text-1.9.1", "meta-1.9.1", "dense-1.9.1", "missed-1.9.1", "vectors-1.9.1", "counts-1.9.1",
             "various-1.9.1", "xgboost-3.2.0", "lightgbm-4.7.0", "catboost-1.2.10"]
DIFFER = {"imputer_none": "the library refuses NaN among texts, and the model's inputs do not say so",
          "kmeans_fit32": "the library takes float32 rows alone",
          "pca_whiten": "score_samples goes through the inverse of a matrix: 2e-8 of it are rounding",
          "early_stopping": "apply of one tree has one dimension in the library"}


@pytest.mark.parametrize("version", INSTALLED)
def test_goldens(version):
    """foretell.verify on one model in seven of an archive: no false alarm."""
    models = {case["model"]: case["name"].rpartition("-")[0] for case in golden.cases(version)}
    chosen = list(models)[::7]
    assert len(chosen) > 2
    for path in chosen:
        try:
            report = foretell.verify(golden.unpacked(version) / path, rows=40, trust=True)
        except errors.UnsupportedModelError as error:
            assert "its own library cannot load it here" in str(error)
            continue
        assert report or models[path] in DIFFER, f"{models[path]}: {report}"


def test_a_library_that_is_not_there(folder, monkeypatch):
    """Only the name of the module was said."""
    from foretell import _verify_original

    def missing(path):
        raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn")
    monkeypatch.setattr(_verify_original, "_unpickled", missing)
    with pytest.raises(errors.UnsupportedModelError, match="No module named 'sklearn'; .*: pip install scikit-learn$"):
        foretell.verify(folder / "forest.joblib", rows=10)


# ---- The command -----------------------------------------------------------------------------------------------------


def command(folder, *arguments):
    site = os.path.dirname(os.path.dirname(os.path.abspath(foretell.__file__)))
    return subprocess.run([sys.executable, "-m", "foretell", "verify", *map(str, arguments)], capture_output=True, text=True,
                          cwd=folder, check=False, timeout=200, env={**os.environ, "PYTHONPATH": site})


def test_command(folder):
    run = command(folder, "pipeline.joblib", "--rows", 60)
    assert run.returncode == 0 and run.stdout.rstrip().endswith("all agree"), run.stderr


def test_json(folder, capsys):
    path = str(folder / "forest.joblib")
    assert _verify_cli.main([path, "--rows", "60", "--json", "--method", "predict_proba", "--exact"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["agrees"] and [method["method"] for method in report["methods"]] == ["predict_proba"]


@pytest.mark.parametrize("code, arguments", [
    (2, []), (2, ["forest.joblib", "--rows", "x"]), (2, ["forest.joblib", "--what"]), (2, ["forest.joblib", "--method", "fly"]),
    (2, ["forest.joblib", "--method", "transform"]), (3, ["missing.joblib"]), (3, ["broken.joblib"]),
    (4, ["forest.joblib", "missing.csv"]), (4, ["pipeline.joblib", "narrow.csv"])])
def test_exit_codes(folder, code, arguments, monkeypatch, capsys):
    (folder / "broken.joblib").write_bytes((folder / "forest.joblib").read_bytes()[:500])
    (folder / "narrow.csv").write_text("age,pay\n1,2\n")
    monkeypatch.chdir(folder)
    try:
        found = _verify_cli.main(arguments)
    except SystemExit as ended:
        found = ended.code
    said = capsys.readouterr()
    assert found == code and len(said.err.splitlines()) == 1 and said.err.startswith("foretell: "), said.err
    assert said.out == ""


def test_disagreement_is_exit_code_5(folder, monkeypatch, capsys):
    from foretell import _verify_original
    monkeypatch.setattr(_verify_original, "load", lambda *arguments: RandomForestClassifier(10, random_state=1).fit(X, Y))
    assert _verify_cli.main([str(folder / "forest.joblib"), "--rows", "80"]) == 5
    assert "NOT all agree" in capsys.readouterr().out


# ---- foretell verify, the program's own --------------------------------------------------------------------------------


def native(folder, *arguments, **environment):
    """build/release/foretell verify, without the environment's own Pythons."""
    return subprocess.run([ftl.program(), "verify", *map(str, arguments)], capture_output=True, text=True, cwd=folder,
                          check=False, timeout=200, env={**os.environ, "PYTHONPATH": "", **environment})


def test_the_program_runs_the_package(folder):
    site = os.path.dirname(os.path.dirname(os.path.abspath(foretell.__file__)))
    run = native(folder, "forest.joblib", "--rows", "50", "--python", sys.executable, PYTHONPATH=site)
    assert run.returncode == 0 and run.stdout.rstrip().endswith("all agree"), run.stderr


def test_the_program_without_the_package(folder, tmp_path):
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\nexec {sys.executable} -I -S \"$@\"\n")
    python.chmod(0o755)
    for arguments, environment in ((["--python", python], {}), ([f"--python={python}"], {}), ([], {"PATH": str(tmp_path)})):
        run = native(folder, "forest.joblib", *arguments, **environment)
        assert run.returncode == 2 and "pip install foretell" in run.stderr and len(run.stderr.splitlines()) == 1, run.stderr
    run = native(folder, "forest.joblib", "--python", tmp_path / "none")
    assert run.returncode == 2 and "cannot be run" in run.stderr and "--python PROGRAM" in run.stderr
    for wrong in ([], ["forest.joblib", "--python"]):
        assert native(folder, *wrong).returncode == 2
    for asks in (["--help"], ["forest.joblib", "-h"]):
        run = native(folder, *asks)
        assert run.returncode == 0 and "--execute-pickle" in run.stdout and "--against URL" in run.stdout
