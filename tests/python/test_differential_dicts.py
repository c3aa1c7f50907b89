"""DictVectorizer: fresh ones on dicts that they half know, against scikit-learn, which gets the dicts and not the table."""

import pickle

import differential as diff
import ftl
import library
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import ensemble, linear_model, naive_bayes
from sklearn.feature_extraction import DictVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.tree import DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor

WORDS = ["a", "b,c", "x=y", "é", "NA", "nan", "two words", "12a"]


class Dicts(list):
    """Rows as the library takes them; .table is what the program reads."""

    def __getitem__(self, rows):
        return Dicts(list(self)[row] for row in rows) if isinstance(rows, list) else list(self)[rows]

    @property
    def table(self):
        keys = sorted({key for row in self for key in row})
        cells = [["nan" if v != v else v for v in [row.get(key) for key in keys]] for row in self]
        return pd.DataFrame(cells, columns=keys, dtype=object)


def draw(rng, n, new=False, nan=False):
    """Rows with text keys, number keys, a key that has both, and keys that are not there."""
    def value(key):
        kind = key[0] if key[0] != "b" else "tn"[rng.integers(2)]
        if kind == "t":
            return str(rng.choice(WORDS + (["new", "B"] if new else [])))
        number = [0.0, -1.5, 1e-7, 3, 2**40, True, False, float(rng.normal())][rng.integers(8)]
        return float("nan") if nan and rng.random() < 0.1 else number

    keys = ["t1", "t2", "n1", "n 2", "n,3", "both"] + (["n9", "t9"] if new else [])
    rows = [{key: value(key) for key in keys if rng.random() < 0.7} for _ in range(n)]
    rows[0].update({key: value(key) for key in keys})
    return Dicts(rows)


@diff.examples(40)
@given(seed=diff.seeds, sparse=st.booleans(), sort=st.booleans(), separator=st.sampled_from(["=", ": ", "é"]),
       dtype=st.sampled_from([np.float64, np.float32, float, "float64"]), nan=st.booleans())
def test_vectorizer(seed, sparse, sort, separator, dtype, nan):
    rng = np.random.default_rng(seed)
    train = draw(rng, 20)
    if separator == "é":
        train = Dicts({k: "e" if v == "é" else v for k, v in row.items()} for row in train)
    model = DictVectorizer(dtype=np.dtype(dtype).type if isinstance(dtype, str) else dtype, separator=separator,
                           sparse=sparse, sort=sort).fit(train)
    rows = draw(rng, 30, True, nan)
    diff.compare(model, told(model, rows))


def told(model, rows):
    """The rows without what cells cannot tell."""
    return Dicts({k: v for k, v in row.items() if not is_near(model, k, v)} for row in rows)


def is_near(model, key, value):
    """Whether a cell cannot tell what a dict can: a text that means NaN under a key that has numbers, or the other way."""
    if isinstance(value, str):
        return value in ("NA", "nan") and key in model.vocabulary_ and f"{key}{model.separator}{value}" not in model.vocabulary_
    return value != value and f"{key}{model.separator}nan" in model.vocabulary_


@diff.examples(10)
@given(seed=diff.seeds, sparse=st.booleans(), kind=st.sampled_from([int, np.int64, bool, np.bool_]))
def test_other_numbers(seed, sparse, kind):
    rng = np.random.default_rng(seed)
    model = DictVectorizer(dtype=kind, sparse=sparse).fit(draw(rng, 20))
    rows = draw(rng, 30, True, False)
    diff.compare(model, told(model, rows))


BEHIND = {"logistic": lambda: linear_model.LogisticRegression(max_iter=50), "forest": lambda: ensemble.RandomForestClassifier(
    5, max_depth=4, random_state=0), "bayes": lambda: naive_bayes.BernoulliNB(), "xgboost": lambda: XGBClassifier(
        n_estimators=4, max_depth=3)}


@pytest.mark.parametrize("name", BEHIND)
@pytest.mark.parametrize("sparse", [True, False])
@diff.examples(6)
@given(seed=diff.seeds)
def test_models_behind(name, sparse, seed):
    """A zero that a dict holds is stored: XGBoost takes it for a number, and a missing key for a missing one."""
    rng = np.random.default_rng(seed)
    train = Dicts({k: v for k, v in row.items() if k != "n 2" or abs(v) < 9} for row in draw(rng, 60))
    y = diff.labels(rng, 60, 2, "int")
    model = make_pipeline(DictVectorizer(sparse=sparse), BEHIND[name]()).fit(train, y)
    dicts = model[0]
    rows = told(dicts, draw(rng, 30, True, name == "xgboost"))
    diff.compare(model, rows, [m for m in diff.offered(model) if m in ("predict", "predict_proba")])


def test_a_scaled_zero_stays_stored():
    rng = np.random.default_rng(3)
    train = draw(rng, 60)
    model = make_pipeline(DictVectorizer(), MaxAbsScaler(), XGBRegressor(n_estimators=5, max_depth=4)).fit(
        train, rng.normal(size=60) + [3 * (row.get("n1") == 0) for row in train])
    diff.compare(model, told(model[0], draw(rng, 40, True)))


def test_vectorizer_and_model_in_one_file(tmp_path):
    """Courses teach to save both as a pair."""
    rng = np.random.default_rng(4)
    train, rows = draw(rng, 40), draw(rng, 10)
    dicts = DictVectorizer().fit(train)
    model = linear_model.Ridge().fit(dicts.transform(train), rng.normal(size=40))
    (tmp_path / "pair.bin").write_bytes(pickle.dumps((dicts, model)))
    rows = told(dicts, rows)
    out = tmp_path / "out.csv"
    process = diff.run(tmp_path / "pair.bin", diff.write_rows(rows, tmp_path), out)
    assert process.returncode == 0, process.stderr
    np.testing.assert_allclose(pd.read_csv(out)["prediction"], model.predict(dicts.transform(rows)), rtol=1e-12)


def test_numbers_of_a_batch_are_taken_as_they_are(tmp_path):
    """A float32 is itself, not the number that its shortest digits say; null is no key, NaN a number."""
    values = pa.array([0.1, 0.3, np.nan, None, 0.0], pa.float32(), from_pandas=False)
    model = DictVectorizer().fit([{"x": 1.0, "t": "a"}])
    with library.Session(diff.write_model(model, tmp_path), "transform") as session:
        result = session.predict(pa.record_batch({"x": values, "t": ["a", "b", None, "a", "a"]}), "transform")
    found = np.array([np.nan if v is None else v for v in result.column("x").to_pylist()])
    np.testing.assert_array_equal(found, [np.float32(0.1), np.float32(0.3), np.nan, 0, 0])
    assert result.column("t=a").to_pylist() == [1, 0, 0, 1, 1]


def test_an_empty_cell_is_no_key(tmp_path):
    """…and the text nan is the number NaN."""
    model = DictVectorizer().fit([{"x": 1.0, "t": "a"}])
    (tmp_path / "rows.csv").write_text('x,t\n,\nnan,nan\n"","a"\n2,\n')
    process = ftl.run("predict", diff.write_model(model, tmp_path), tmp_path / "rows.csv")
    assert process.stdout.splitlines() == ["t=a,x", "0.0,0.0", "0.0,", "1.0,0.0", "0.0,2.0"]


def test_a_decimal_comma_is_refused(tmp_path):
    """The library would leave out a text that it does not know, and the row would lack its number."""
    model = DictVectorizer().fit([{"x": 1.0, "t": "a"}, {"x": "one"}])
    (tmp_path / "rows.csv").write_text("x;t\none;1,5\ntwo;a\n2.5;b\n")
    process = ftl.run("predict", diff.write_model(model, tmp_path), tmp_path / "rows.csv", "--decimal", ",")
    assert process.stdout.splitlines() == ["t=a,x,x=one", "0.0,0.0,1.0", "1.0,0.0,0.0", "0.0,2.5,0.0"]
    (tmp_path / "rows.csv").write_text("x;t\n2,5;a\n")
    process = ftl.run("predict", tmp_path / "model.joblib", tmp_path / "rows.csv", "--decimal", ",")
    assert process.returncode == 4 and "'2,5' is not a number" in process.stderr


def test_without_separator_is_refused(tmp_path):
    model = DictVectorizer(separator="").fit([{"x": "a"}])
    process = diff.run(diff.write_model(model, tmp_path), tmp_path / "no.csv", tmp_path / "out.csv")
    assert process.returncode == 3 and "separator" in process.stderr


def test_trees_behind_dense_dicts_see_zeros():
    rng = np.random.default_rng(8)
    train = draw(rng, 50)
    model = make_pipeline(DictVectorizer(sparse=False), DecisionTreeRegressor(max_depth=5)).fit(train, rng.normal(size=50))
    rows = told(model[0], draw(rng, 30, True))
    diff.compare(model, rows)
