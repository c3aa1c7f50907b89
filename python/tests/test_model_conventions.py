"""foretell.load: scikit-learn's methods, attributes and conventions."""

import copy
import html.parser
import pathlib
import pickle
import re
import subprocess
import sys
import warnings

import foretell
import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from foretell import errors
from sklearn.base import clone, is_classifier, is_clusterer, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (IsolationForest, RandomForestClassifier, RandomForestRegressor, StackingClassifier,
                              VotingClassifier)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import LabelBinarizer, LabelEncoder, OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.utils.validation import check_is_fitted

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
Y = np.where(X[:, 0] + 0.3 * X[:, 1] > 0, "yes", "no")
FRAME = pd.DataFrame(X, columns=["a", "b", "c"], index=np.arange(100, 180))
TARGETS = np.column_stack([X[:, 0], X[:, 1] ** 2])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def both(folder):
    """A function: the fitted estimator, and foretell's model of it."""
    def of(estimator, *data, **options):
        fitted = estimator.fit(*data)
        path = folder / f"{type(estimator).__name__}-{len(list(folder.iterdir()))}.joblib"
        joblib.dump(fitted, path)
        return fitted, foretell.load(path, **options)
    return of


# ---- Methods and attributes ------------------------------------------------------------------------------------------

ALL = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "inverse_transform", "score_samples",
       "apply", "kneighbors", "get_feature_names_out", "score", "classes_", "n_features_in_", "feature_names_in_")
ESTIMATORS = {
    "logistic": (LogisticRegression(), X, Y), "forest": (RandomForestClassifier(5), FRAME, Y),
    "regressor": (LinearRegression(), X, X[:, 0]), "kmeans": (KMeans(2, n_init=1), X), "pca": (PCA(2), X),
    "scaler": (StandardScaler(), FRAME), "outliers": (IsolationForest(n_estimators=5), X), "neighbors": (KNeighborsClassifier(3), X, Y),
    "pipeline": (make_pipeline(StandardScaler(), LogisticRegression()), FRAME, Y),
    "pipeline_transformer": (make_pipeline(StandardScaler(), PCA(2)), X)}
# What scikit-learn's own has and a loaded model cannot: it needs what fitting saw.
BEYOND = {"kmeans": {"score"}, "pca": {"score"}, "pipeline_transformer": {"score"},
          "pipeline": {"get_feature_names_out"}}  # which raises there


@pytest.mark.parametrize("name", ESTIMATORS)
def test_only_the_methods_that_the_model_has(both, name):
    fitted, model = both(*ESTIMATORS[name])
    has = {each for each in ALL if hasattr(fitted, each)} - BEYOND.get(name, set())
    assert {each for each in ALL if hasattr(model, each)} == has
    assert {each for each in ALL if each in dir(model)} == has
    for absent in set(ALL) - has:
        with pytest.raises(AttributeError):
            getattr(model, absent)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_results_have_the_library_s_values_shapes_and_dtypes(both, name):
    fitted, model = both(*ESTIMATORS[name])
    rows = ESTIMATORS[name][1]
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "apply", "kneighbors",
                   "score_samples"):
        if not hasattr(model, method):
            continue
        want, got = getattr(fitted, method)(rows), getattr(model, method)(rows)
        for left, right in zip(want, got, strict=True) if isinstance(want, tuple) else [(want, got)]:
            assert left.shape == right.shape and left.dtype.kind == right.dtype.kind, method
            if left.dtype.kind == "f":
                assert np.allclose(left, right, rtol=1e-10, atol=1e-10), method
            else:
                assert (left == right).all(), method


def test_attributes(both):
    fitted, model = both(RandomForestClassifier(5), FRAME, Y)
    assert (model.classes_ == fitted.classes_).all() and model.classes_.dtype == fitted.classes_.dtype
    assert model.feature_names_in_.tolist() == ["a", "b", "c"] and model.feature_names_in_.dtype == object
    assert (model.n_features_in_, model.n_outputs_) == (3, 1)
    with pytest.raises(AttributeError, match="feature_importances_"):
        model.feature_importances_  # noqa: B018
    fitted, model = both(RandomForestRegressor(5), X, TARGETS)
    assert model.n_outputs_ == 2 and model.predict(X).shape == (80, 2)
    several = np.column_stack([Y, np.where(X[:, 2] > 0, "p", "q")])
    fitted, model = both(RandomForestClassifier(5), X, several)
    assert [list(classes) for classes in model.classes_] == [["no", "yes"], ["p", "q"]] and model.n_outputs_ == 2
    assert (model.predict(X) == fitted.predict(X)).all()
    assert [proba.tolist() for proba in model.predict_proba(X)] == [proba.tolist() for proba in fitted.predict_proba(X)]


def test_label_coders(both):
    for coder in (LabelEncoder(), LabelBinarizer()):
        fitted, model = both(coder, ["c", "a", "b", "a"])
        coded = fitted.transform(["a", "c"])
        assert model.transform(["a", "c"]).tolist() == coded.tolist()
        if isinstance(coder, LabelEncoder):
            assert model.inverse_transform(coded).tolist() == ["a", "c"]
        assert model.classes_.tolist() == ["a", "b", "c"]


def test_inverse_transform(both):
    fitted, model = both(make_pipeline(StandardScaler(), PCA(2)), X)
    assert np.allclose(model.inverse_transform(model.transform(X)), fitted.inverse_transform(fitted.transform(X)))
    fitted, model = both(StandardScaler(), X, inverse=True)
    assert np.allclose(model.inverse_transform(X), fitted.inverse_transform(X))


def test_kneighbors(both):
    fitted, model = both(KNeighborsClassifier(4), X, Y)
    for options in ({}, {"n_neighbors": 2}, {"return_distance": False}):
        want, got = fitted.kneighbors(X, **options), model.kneighbors(X, **options)
        assert np.allclose(want[0], got[0]) and np.allclose(want[-1], got[-1])
    with pytest.raises(ValueError, match="1 to 4"):
        model.kneighbors(X, 5)


def test_score(both):
    weights = RNG.uniform(size=80)
    for estimator, rows, target in ((LogisticRegression(), X, Y), (LinearRegression(), X, X[:, 0] ** 2),
                                    (LinearRegression(), X, TARGETS), (RandomForestClassifier(5), X, np.column_stack([Y, Y]))):
        fitted, model = both(estimator, rows, target)
        assert model.score(rows, target) == pytest.approx(fitted.score(rows, target) if Y.ndim else 0, abs=1e-12) \
            if target.ndim == 1 or target.dtype.kind == "f" else model.score(rows, target) > 0.9
        if target.ndim == 1:
            assert model.score(rows, target, weights) == pytest.approx(fitted.score(rows, target, weights), abs=1e-12)
    assert foretell._sklearn.r2([1.0, 1.0], [1.0, 1.0]) == 1.0 and foretell._sklearn.r2([1.0, 1.0], [1.0, 2.0]) == 0.0
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X, Y[:3])


def test_feature_names_out(both):
    for estimator, data in ((StandardScaler(), X), (PCA(2), X), (StandardScaler(), FRAME),
                            (OneHotEncoder(), np.array([["a", "x"], ["b", "y"]], dtype=object)),
                            (PolynomialFeatures(2), FRAME)):
        fitted, model = both(estimator, data)
        assert model.get_feature_names_out().tolist() == fitted.get_feature_names_out().tolist()
    for estimator in (StandardScaler(), PCA(2)):
        fitted, model = both(estimator, X)
        given = ["p", "q", "r"]
        assert model.get_feature_names_out(given).tolist() == fitted.get_feature_names_out(given).tolist()
        with pytest.raises(ValueError, match="should have length equal"):
            model.get_feature_names_out(["p"])
    fitted, model = both(StandardScaler(), FRAME)
    with pytest.raises(ValueError, match="input_features is not equal to feature_names_in_"):
        model.get_feature_names_out(["p", "q", "r"])


# ---- Errors and warnings ---------------------------------------------------------------------------------------------


def message(call):
    with pytest.raises(ValueError) as caught:
        call()
    return str(caught.value)


def test_errors_are_worded_as_the_library_words_them(both):
    fitted, model = both(LogisticRegression(), X, Y)
    assert message(lambda: model.predict(X[:, :2])) == message(lambda: fitted.predict(X[:, :2]))
    assert "Expected 2D array, got 1D array instead" in message(lambda: model.predict(X[0]))
    assert "Reshape your data" in message(lambda: model.predict(X[0]))
    fitted, model = both(make_pipeline(StandardScaler(), LogisticRegression()), FRAME, Y)
    assert message(lambda: model.predict(FRAME[["a", "b"]])) == message(lambda: fitted.predict(FRAME[["a", "b"]]))
    other = FRAME.rename(columns={"a": "z"})
    assert message(lambda: model.predict(other)) == message(lambda: fitted.predict(other))
    with pytest.raises(errors.DataError, match="NaN|missing"):
        model.predict(FRAME.where(FRAME > 0))
    assert (model.predict(FRAME[["c", "a", "b"]].assign(more=1)) == fitted.predict(FRAME)).all()


def test_warnings_of_names(both):
    fitted, model = both(LogisticRegression(), FRAME, Y)
    for each in (fitted, model):
        with pytest.warns(UserWarning, match="X does not have valid feature names, but LogisticRegression was fitted with"):
            each.predict(X)
    fitted, model = both(LogisticRegression(), X, Y)
    for each in (fitted, model):
        with pytest.warns(UserWarning, match="X has feature names, but LogisticRegression was fitted without"):
            each.predict(FRAME)


def test_what_is_no_model():
    with pytest.raises(FileNotFoundError):
        foretell.load("nowhere.joblib")
    with pytest.raises(TypeError, match="not int"):
        foretell.load(3)
    with pytest.raises(TypeError):
        foretell.load("nowhere.joblib", nonsense=1)
    with pytest.raises(errors.Error):
        foretell.load(b"no model at all")


# ---- scikit-learn's own conventions ----------------------------------------------------------------------------------


def test_kinds(both):
    for estimator, data, kind in ((LogisticRegression(), (X, Y), is_classifier), (LinearRegression(), (X, X[:, 0]), is_regressor),
                                  (KMeans(2, n_init=1), (X,), is_clusterer), (PCA(2), (X,), None)):
        _, model = both(estimator, *data)
        for test in (is_classifier, is_regressor, is_clusterer):
            assert test(model) == (test is kind)
        assert getattr(model, "_estimator_type", None) == getattr(type(estimator)(), "_estimator_type", None) or kind


def test_frozen(both):
    fitted, model = both(LogisticRegression(), X, Y)
    check_is_fitted(model)
    assert clone(model) is model and model.fit(X[:3], Y[:3]) is model and model.fit() is model
    assert (model.predict(X) == fitted.predict(X)).all()
    assert model.set_params() is model and model.set_params(**model.get_params()) is model
    with pytest.raises(ValueError, match="frozen"):
        model.set_params(threads=3)
    with pytest.raises(ValueError, match="Invalid parameter"):
        model.set_params(C=3)


def test_in_pipelines_and_ensembles(both):
    fitted, model = both(LogisticRegression(), X, Y)
    scaler_fitted, scaler = both(StandardScaler(), X)
    _, scaled_model = both(LogisticRegression(), scaler_fitted.transform(X), Y)
    pipeline = Pipeline([("scale", scaler), ("model", scaled_model)]).fit(X, Y)
    assert (pipeline.predict(X) == scaled_model.predict(scaler_fitted.transform(X))).all()
    front = make_pipeline(scaler, LogisticRegression()).fit(X, Y)
    assert (front.predict(X) == scaled_model.predict(scaler_fitted.transform(X))).all()
    columns = ColumnTransformer([("all", both(StandardScaler(), FRAME)[1], ["a", "b", "c"])]).fit(FRAME)
    assert np.allclose(columns.transform(FRAME), scaler_fitted.transform(X))
    assert columns.get_feature_names_out().tolist() == ["all__a", "all__b", "all__c"]
    numbers = (Y == "yes").astype(int)
    (first, ours), (second, theirs) = both(LogisticRegression(), X, numbers), both(RandomForestClassifier(5), X, numbers)
    for voting in ("hard", "soft"):
        mine = VotingClassifier([("a", ours), ("b", theirs)], voting=voting).fit(X, numbers)
        want = VotingClassifier([("a", FrozenEstimator(first)), ("b", FrozenEstimator(second))], voting=voting).fit(X, numbers)
        assert (mine.predict(X) == want.predict(X)).all()
    stacked = StackingClassifier([("a", ours), ("b", theirs)], cv="prefit").fit(X, numbers)
    want = StackingClassifier([("a", first), ("b", second)], cv="prefit").fit(X, numbers)
    assert np.allclose(stacked.predict_proba(X), want.predict_proba(X))
    calibrated = CalibratedClassifierCV(FrozenEstimator(model)).fit(X, Y)
    want = CalibratedClassifierCV(FrozenEstimator(fitted)).fit(X, Y)
    assert np.allclose(calibrated.predict_proba(X), want.predict_proba(X))


def test_scorers_and_cross_validation(both):
    fitted, model = both(RandomForestClassifier(5), X, Y)
    for name in ("accuracy", "neg_log_loss", "roc_auc", "balanced_accuracy"):
        assert get_scorer(name)(model, X, Y) == get_scorer(name)(fitted, X, Y)
    assert (cross_val_predict(model, X, Y, cv=3) == fitted.predict(X)).all()
    assert (cross_val_predict(model, X, Y, cv=3, method="predict_proba") == fitted.predict_proba(X)).all()
    assert cross_val_score(model, X, Y, cv=3).tolist() == cross_val_score(FrozenEstimator(fitted), X, Y, cv=3).tolist()


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output(both, container):
    fitted, model = both(ColumnTransformer([("n", StandardScaler(), ["a", "b"]), ("t", "passthrough", ["t"])],
                                           verbose_feature_names_out=False), FRAME.assign(t=Y))
    rows = FRAME.assign(t=Y)
    default = model.transform(rows)
    want, got = fitted.set_output(transform=container).transform(rows), model.set_output(transform=container).transform(rows)
    assert type(got) is type(want) and list(got.columns) == list(want.columns)
    if container == "pandas":
        pd.testing.assert_frame_equal(got.astype({"a": float, "b": float}), want.astype({"t": got["t"].dtype}))
        assert (got.index == FRAME.index).all() and [str(kind) for kind in got.dtypes][:2] == ["float64", "float64"]
    else:
        assert got.equals(want.cast({"a": pl.Float64}))
    assert isinstance(model.set_output().transform(rows), type(want))
    assert isinstance(model.set_output(transform="default").transform(rows), np.ndarray) and isinstance(default, np.ndarray)
    with pytest.raises(ValueError, match="output config must be in"):
        model.set_output(transform="arrow")


def test_configured_output(both):
    _, model = both(StandardScaler(), FRAME)
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(model.transform(FRAME), pd.DataFrame)
        assert isinstance(copy.copy(model).set_output(transform="default").transform(FRAME), np.ndarray)
    assert isinstance(model.transform(FRAME), np.ndarray)


def test_scikit_learn_is_not_imported(both):
    _, model = both(LogisticRegression(), X, Y)
    code = ("import sys, foretell, numpy as np\n"
            f"model = foretell.load({model._source.path!r})\n"
            "model.predict(np.zeros((2, 3))), model.score(np.zeros((2, 3)), ['no', 'no']), repr(model)\n"
            "print(sorted({'sklearn', 'scipy', 'pandas', 'joblib'} & set(sys.modules)))")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout == "[]\n", run.stderr


def test_representations(both):
    _, model = both(RandomForestClassifier(5), FRAME, Y)
    assert "RandomForestClassifier (classifier)" in repr(model) and "\n" not in repr(model)

    class Reader(html.parser.HTMLParser):
        text = ""

        def handle_data(self, data):
            self.text += data + "|"
    reader = Reader()
    reader.feed(model._repr_html_())
    assert "sklearn.ensemble.RandomForestClassifier" in reader.text and "3: a, b, c" in reader.text


# ---- Copies ----------------------------------------------------------------------------------------------------------


def test_copies(both):
    _, model = both(StandardScaler(), FRAME)
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other is not model and (other.transform(FRAME) == model.transform(FRAME)).all()
        other.set_output(transform="pandas")
        assert isinstance(model.transform(FRAME), np.ndarray)
    other = pickle.loads(pickle.dumps(model.set_output(transform="pandas")))
    assert isinstance(other.transform(FRAME), pd.DataFrame)


# ---- The page --------------------------------------------------------------------------------------------------------


def test_examples_of_the_page(tmp_path, monkeypatch):
    """Every block of Python in docs/PYTHON-MODELS.md runs."""
    page = (pathlib.Path(__file__).resolve().parents[2] / "docs/PYTHON-MODELS.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, Y), "churn.joblib")
    (tmp_path / "e.pkl").write_bytes(pickle.dumps(LabelEncoder().fit(Y)))
    FRAME.to_csv("rows.csv", index=False)
    names = {"frame": FRAME, "data": (tmp_path / "churn.joblib").read_bytes(), "joblib": joblib, "pickle": pickle}
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of open() in one line
        for block in blocks:
            exec(block, names)
    assert joblib.load.__module__ == "joblib.numpy_pickle"


def test_absent_methods_say_why(both, tmp_path):
    _, model = both(LogisticRegression(), X, Y)
    with pytest.raises(AttributeError, match="transform"):
        model.transform(X)
    with pytest.raises(AttributeError, match="LogisticRegression was fitted without feature names"):
        model.feature_names_in_
    with pytest.raises(AttributeError, match="keeps classes_"):
        model.coef_
    with pytest.raises(AttributeError, match="has no named_steps.*the library's own object"):
        model.named_steps
    with pytest.raises(TypeError, match=r"foretell\.load\(\) got an unexpected keyword argument 'thresold'"):
        foretell.load(tmp_path / "none.joblib", thresold=0.3)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        model.nonsense()
    joblib.dump({"a": LogisticRegression().fit(X, Y), "b": LogisticRegression().fit(X, Y)}, tmp_path / "two.joblib")
    with pytest.raises(errors.UnsupportedModelError, match="select.*a, b"):
        foretell.load(tmp_path / "two.joblib")
    assert len(make_pipeline(StandardScaler(), model)._repr_html_()) > 1000 and not hasattr(model, "set_output")
