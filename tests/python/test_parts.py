"""Bundles and chains: a dict of a model with what belongs to it, --select a,b, MODEL + MODEL, --threshold.

The kinds: a scaler in front of a model that was fitted on its output must run in front of it; parts that could mean
several things must not run; a model without names takes those that stand beside it; a threshold decides as `>=` does.
"""

import json
import pickle

import ftl
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

RNG = np.random.default_rng(5)
NAMES = ["a", "b", "c"]
X = RNG.normal(3, 2, (80, 3))
Y = (X[:, 0] + X[:, 1] - X[:, 2] + RNG.normal(0, 1, 80) > 3).astype(int)
FRAME = pd.DataFrame(X, columns=NAMES)
SCALER = StandardScaler().fit(X)
MODEL = LogisticRegression().fit(SCALER.transform(X), Y)
PIPE = make_pipeline(SCALER, MODEL)


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.csv"
    FRAME.to_csv(path, index=False)
    return path


def column(done, at=0):
    assert done.returncode == 0, done.stderr
    return [line.split(",")[at] for line in done.stdout.split("\n")[1:] if line]


def numbers(done, at=0):
    return np.array([float(cell) for cell in column(done, at)])


BUNDLES = {
    "scaler and model": {"scaler": SCALER, "model": MODEL},
    "in any order": {"model": MODEL, "scaler": SCALER},
    "a whole bundle": {"model": MODEL, "scaler": SCALER, "features": NAMES, "threshold": 0.4,
                       "metrics": {"accuracy": 0.91, "auc": 0.95}, "trained": "2024-05-01", "version": 3},
    "a tuple": (SCALER, MODEL),
    "a list": [MODEL, SCALER],
}


@pytest.mark.parametrize("name", BUNDLES)
def test_one_chain(save, rows, name):
    """The predictor of a bundle runs behind its only transformer, and says so."""
    model = save(BUNDLES[name])
    done = ftl.run("predict", model, rows, "--proba")
    assert numbers(done) == pytest.approx(PIPE.predict(X))
    assert numbers(done, 2) == pytest.approx(PIPE.predict_proba(X)[:, 1], abs=1e-12)
    assert "run as one chain (--select " in done.stderr
    assert ftl.run("predict", model, rows, "-q").stderr == ""
    described = json.loads(ftl.run("inspect", "--json", model).stdout)
    assert described["class"] == "sklearn.linear_model.LogisticRegression"
    assert described["kind"] == "classifier"
    assert [step["class"].split(".")[-1] for step in described["steps"]][1:] == ["StandardScaler", "LogisticRegression"]


def test_texts(save, tmp_path):
    """A vectorizer beside a model is its first step."""
    texts = ["good film", "bad film", "good good", "awful bad"] * 5
    vectorizer = TfidfVectorizer()
    model = MultinomialNB().fit(vectorizer.fit_transform(texts), [1, 0, 1, 0] * 5)
    table = tmp_path / "texts.csv"
    table.write_text("text\ngood\nawful film\n")
    for thing in ((vectorizer, model), {"model": model, "vectorizer": vectorizer}):
        assert column(ftl.run("predict", save(thing), table)) == ["1", "0"]


def test_a_column_transformer_in_front(save, tmp_path):
    frame = pd.DataFrame({"n": [1.0, 2.0, 3.0, 4.0], "c": ["x", "y", "x", "z"]})
    prep = ColumnTransformer([("n", StandardScaler(), ["n"]), ("c", OneHotEncoder(), ["c"])])
    model = LinearRegression().fit(prep.fit_transform(frame), [1.0, 2.0, 2.5, 4.5])
    table = tmp_path / "t.csv"
    frame.to_csv(table, index=False)
    done = ftl.run("predict", save({"preprocessor": prep, "regressor": model}), table)
    assert numbers(done) == pytest.approx(model.predict(prep.transform(frame)), rel=1e-12)
    # a Pipeline that ends in a transformer is one, too
    pipe = make_pipeline(prep)
    done = ftl.run("predict", save({"preprocessor": pipe, "regressor": model}), table)
    assert numbers(done) == pytest.approx(model.predict(prep.transform(frame)), rel=1e-12)


def test_clusters(save, rows):
    model = KMeans(3, n_init=1, random_state=0).fit(SCALER.transform(X))
    done = ftl.run("predict", save({"kmeans": model, "scaler": SCALER}), rows)
    assert numbers(done) == pytest.approx(model.predict(SCALER.transform(X)))


NARROW = StandardScaler().fit(X[:, :2])
RENAMED = LogisticRegression().fit(pd.DataFrame(X, columns=["p", "q", "r"]), Y)
AMBIGUOUS = {
    "two transformers": {"imputer": SimpleImputer().fit(X), "scaler": SCALER, "model": MODEL},
    "two predictors": {"scaler": SCALER, "model": MODEL, "other": LinearRegression().fit(X, Y)},
    "a pipeline beside its scaler": {"scaler": SCALER, "model": PIPE},
    "a scaler of the target": {"y_scaler": StandardScaler().fit(X[:, :1]), "model": LinearRegression().fit(X[:, :1], Y)},
    "a target scaler": {"targetScaler": SCALER, "target_scaler": SCALER, "model": MODEL},
    "other widths": {"scaler": NARROW, "model": MODEL},
    "other names": {"scaler": StandardScaler().fit(FRAME), "model": RENAMED},
    "parts of parts": {"prep": {"scaler": SCALER}, "model": MODEL},
    "encoders of columns": {"le_sex": LabelEncoder().fit(["f", "m"]), "model": MODEL},
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_could_mean_several_things(save, rows, name):
    """Nothing is guessed: the models are listed, and --select chooses."""
    done = ftl.run("predict", save(AMBIGUOUS[name]), rows)
    assert done.returncode == 3 and done.stdout == ""
    assert "with --select: " in done.stderr and done.stderr.count("\n") == 1


def test_select_chains_by_hand(save, rows):
    imputer = SimpleImputer().fit(X)
    model = save({"imputer": imputer, "scaler": SCALER, "parts": {"model": MODEL}, "a,b": MODEL})
    done = ftl.run("predict", model, rows, "--select", "imputer,scaler,parts.model")
    assert numbers(done) == pytest.approx(PIPE.predict(X))
    assert "note" not in done.stderr
    assert numbers(ftl.run("predict", model, rows, "--select", "a,b")) == pytest.approx(MODEL.predict(X))
    done = ftl.run("predict", model, rows, "--select", "imputer,nothing")
    assert done.returncode == 2 and "no entry 'nothing'" in done.stderr
    done = ftl.run("predict", model, rows, "--select", "a,b,scaler")
    assert done.returncode == 2
    done = ftl.run("predict", model, rows, "--select", "parts.model,scaler")
    assert done.returncode == 2 and "has no transform" in done.stderr


def test_several_files(save, rows):
    scaler, model = save(SCALER, "scaler.pkl"), save(MODEL, "clf.pkl")
    bundle = save({"pca": PCA(2).fit(SCALER.transform(X)), "other": SCALER}, "bundle.pkl")
    done = ftl.run("predict", scaler, "+", model, rows)
    assert numbers(done) == pytest.approx(PIPE.predict(X))
    done = ftl.run("predict", scaler, "+", f"{bundle}:pca", rows)
    expected = make_pipeline(SCALER, pickle.loads(bundle.read_bytes())["pca"]).transform(X)
    assert numbers(done, 1) == pytest.approx(expected[:, 1], abs=1e-12)
    assert ftl.run("inspect", scaler, "+", model).returncode == 0
    done = ftl.run("predict", scaler, "+", bundle, rows)
    assert done.returncode == 3
    done = ftl.run("predict", scaler, "+", f"{bundle}:x", rows)
    assert done.returncode == 2 and "no entry" in done.stderr
    done = ftl.run("predict", save(NARROW, "narrow.pkl"), "+", model, rows)
    assert done.returncode == 3 and "takes 3 columns, but the part before it makes 2" in done.stderr
    assert ftl.run("predict", scaler, "+").returncode == 2
    assert ftl.run("predict", "+", scaler, rows).returncode == 2
    done = ftl.run("predict", scaler, "+", "nothing.pkl", rows)
    assert done.returncode == 3 and "nothing.pkl" in done.stderr


def test_an_entry_of_one_file(save, rows, tmp_path):
    """FILE:KEY alone is --select KEY; a file of that whole name goes before."""
    bundle = save({"scaler": SCALER, "model": MODEL})
    wanted = ftl.run("predict", bundle, rows, "--select", "scaler", "--method", "transform").stdout
    assert ftl.run("predict", f"{bundle}:scaler", rows, "--method", "transform").stdout == wanted and wanted
    chained = ftl.run("predict", f"{bundle}:scaler", "+", f"{bundle}:model", rows)
    assert column(chained) == [str(label) for label in PIPE.predict(X)]
    assert "no entry 'nothing'" in ftl.run("predict", f"{bundle}:nothing", rows).stderr
    (tmp_path / "a:scaler").write_bytes(save(LinearRegression().fit(X, Y)).read_bytes())
    assert "LinearRegression" in ftl.run("inspect", tmp_path / "a:scaler").stdout


def test_a_chain_of_boosters_files(save, rows, tmp_path):
    """A part may be a booster's own file."""
    booster = xgboost.XGBRegressor(n_estimators=5, max_depth=2).fit(SCALER.transform(X), X[:, 0])
    booster.save_model(tmp_path / "booster.json")
    done = ftl.run("predict", save(SCALER, "s.pkl"), "+", tmp_path / "booster.json", rows)
    assert numbers(done) == pytest.approx(booster.predict(SCALER.transform(X)), rel=1e-6)


def test_names_beside_the_model(save, tmp_path):
    """A model that was fitted on a matrix takes the names that stand beside it, in their order."""
    table = tmp_path / "shuffled.csv"
    FRAME[["c", "a", "b"]].assign(id=1).to_csv(table, index=False)
    for thing in ({"model": PIPE, "features": NAMES}, {"model": MODEL, "scaler": SCALER, "feature_names": np.array(NAMES)},
                  {"model": PIPE, "columns": pd.Index(NAMES), "classes": ["x", "y", "z"]},
                  {"model": PIPE, "columns": pd.Series(NAMES, dtype=object)}):
        done = ftl.run("predict", save(thing), table)
        assert numbers(done) == pytest.approx(PIPE.predict(X))
    done = ftl.run("predict", save({"model": PIPE, "features": NAMES, "columns": ["c", "b", "a"]}), table)
    assert done.returncode == 4  # two lists of as many names: neither is taken


def test_names_beside_a_part_of_another_file(save, tmp_path):
    table = tmp_path / "shuffled.csv"
    FRAME[["c", "a", "b"]].assign(id=1).to_csv(table, index=False)
    bundle = save({"model": MODEL, "features": NAMES}, "bundle.pkl")
    done = ftl.run("predict", save(SCALER, "scaler.pkl"), "+", f"{bundle}:model", table)
    assert numbers(done) == pytest.approx(PIPE.predict(X))


def test_inspect_shows_what_else_is_there(save):
    thing = BUNDLES["a whole bundle"]
    shown = [line.split() for line in ftl.run("inspect", save(thing)).stdout.split("\n")]
    for line in ("features columns a, b, c", "threshold threshold 0.4", "metrics numbers accuracy 0.91, auc 0.95",
                 "trained value 2024-05-01", "version number 3"):
        assert line.split() in shown
    found = json.loads(ftl.run("inspect", "--json", save(thing)).stdout)["found"]
    assert {entry["path"]: entry["what"] for entry in found} == {
        "features": "columns", "threshold": "threshold", "metrics": "numbers", "trained": "value", "version": "number"}


@pytest.mark.parametrize("threshold", [0.0, 0.25, 0.5, 0.9, 1.0])
def test_threshold(save, rows, threshold):
    done = ftl.run("predict", save(PIPE), rows, "--threshold", threshold)
    assert numbers(done) == pytest.approx((PIPE.predict_proba(X)[:, 1] >= threshold).astype(int))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_threshold_at_a_probability(save, tmp_path, dtype):
    """A probability that equals the threshold is the second class, in float32 as in float64."""
    forest = RandomForestClassifier(10, max_depth=3, random_state=0).fit(X, np.where(Y, "yes", "no"))
    table = tmp_path / "rows.npy"
    np.save(table, X.astype(dtype))
    proba = forest.predict_proba(X.astype(dtype))[:, 1]
    for value in np.unique(proba)[::7]:
        done = ftl.run("predict", save(forest), table, "--threshold", repr(float(value)))
        assert column(done) == list(np.where(proba >= value, "yes", "no"))


def test_threshold_in_float32(save, tmp_path):
    model = xgboost.XGBClassifier(n_estimators=4, max_depth=2).fit(X, Y)
    table = tmp_path / "rows.npy"
    np.save(table, X)
    proba = model.predict_proba(X)[:, 1]
    for value in np.unique(proba)[::3]:
        done = ftl.run("predict", save(model), table, "--threshold", repr(float(value)))
        assert numbers(done) == pytest.approx((proba >= value).astype(int))


@pytest.mark.parametrize("thing", [LinearRegression().fit(X, Y), SCALER,
                                   LogisticRegression().fit(X, np.arange(80) % 3)])
def test_threshold_of_others(save, rows, thing):
    done = ftl.run("predict", save(thing), rows, "--threshold", "0.5")
    assert done.returncode == 2 and "--threshold" in done.stderr


@pytest.mark.parametrize("value", ["x", "nan", "inf", "", "0.5x"])
def test_threshold_is_a_number(save, rows, value):
    assert ftl.run("predict", save(PIPE), rows, "--threshold", value).returncode == 2


def test_the_cards_line_keeps_what_was_asked_for(save):
    """What the card says holds for its line: with the names, the entry, the threshold."""
    path, names = save({"model": MODEL, "other": 3}), save(["no", "yes"], "names.pkl")
    card = ftl.run(path, "--select", "model", "--labels", names, "--threshold", "0.25").stdout
    assert "no or yes" in card
    assert f"predict  foretell predict {path} rows.csv -o predictions.csv --select model --labels {names} --threshold 0.25" in card
