"""Ensembles, calibration and wrappers of estimators: fresh models on awkward rows, against scikit-learn."""

import warnings

import differential as diff
import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import ensemble
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

FEATURES = st.sampled_from([1, 2, 5, 9])


def data(seed, n, rows=60):
    rng = np.random.default_rng(seed)
    return rng, rng.normal(size=(rows, n)) * 10.0 ** rng.integers(-1, 2, n) + rng.integers(-3, 4, n)


def fit(model, *data):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.fit(*data)


def rows(rng, x, single=False):
    """Rows that every model takes; few, because models of models are slow, and one by one slower."""
    return diff.awkward(rng, x, special=False)[:14].astype(np.float32 if single else np.float64)


CLASSIFIERS = {
    "tree": lambda rng: DecisionTreeClassifier(max_depth=3, random_state=int(rng.integers(9))),
    "logistic": lambda rng: LogisticRegression(max_iter=30),
    "bayes": lambda rng: GaussianNB(),
    "pipeline": lambda rng: make_pipeline(StandardScaler(), LogisticRegression(C=0.1)),
    "forest": lambda rng: ensemble.ExtraTreesClassifier(2, max_depth=3, random_state=0),
    "perceptron": lambda rng: Perceptron(max_iter=5, tol=None),
    "svc": lambda rng: SVC(gamma=0.1),
}
REGRESSORS = {
    "tree": lambda rng: DecisionTreeRegressor(max_depth=3, random_state=int(rng.integers(9))),
    "linear": lambda rng: LinearRegression(),
    "ridge": lambda rng: make_pipeline(StandardScaler(), Ridge()),
    "forest": lambda rng: ensemble.ExtraTreesRegressor(2, max_depth=3, random_state=0),
}
WITH_PROBA = ["tree", "logistic", "bayes", "pipeline", "forest"]


def chosen(rng, table, names):
    return [(name, table[name](rng)) for name in names]


# ---- Voting and bagging -----------------------------------------------------------------------------------


@diff.examples(6, 150)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.integers(2, 5), kind=st.sampled_from(diff.LABEL_KINDS),
       names=st.lists(st.sampled_from(sorted(CLASSIFIERS)), min_size=1, max_size=4, unique=True), soft=st.booleans(),
       weighted=st.booleans(), single=st.booleans())
def test_voting(seed, n, n_classes, kind, names, soft, weighted, single):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    names = [name for name in names if name in WITH_PROBA] or ["tree"] if soft else names
    weights = list(rng.integers(1, 4, len(names))) if weighted else None
    model = ensemble.VotingClassifier(chosen(rng, CLASSIFIERS, names), voting="soft" if soft else "hard", weights=weights)
    diff.compare(fit(model, x, y), rows(rng, x, single))


@diff.examples(4, 100)
@given(seed=diff.seeds, n=FEATURES, names=st.lists(st.sampled_from(sorted(REGRESSORS)), min_size=1, max_size=4, unique=True),
       weighted=st.booleans(), single=st.booleans())
def test_voting_regressor(seed, n, names, weighted, single):
    rng, x = data(seed, n)
    weights = list(rng.uniform(0.1, 4, len(names))) if weighted else None
    model = ensemble.VotingRegressor(chosen(rng, REGRESSORS, names), weights=weights)
    diff.compare(fit(model, x, rng.normal(size=len(x))), rows(rng, x, single))


@diff.examples(6, 150)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.integers(2, 5), kind=st.sampled_from(diff.LABEL_KINDS),
       name=st.sampled_from(sorted(CLASSIFIERS)), size=st.integers(1, 9), part=st.sampled_from([1.0, 0.5]),
       single=st.booleans())
def test_bagging(seed, n, n_classes, kind, name, size, part, single):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = ensemble.BaggingClassifier(CLASSIFIERS[name](rng), n_estimators=size, max_features=part, random_state=0,
                                       max_samples=0.3 if name == "tree" else 1.0)
    diff.compare(fit(model, x, y), rows(rng, x, single))


@pytest.mark.parametrize("jobs", [2, 3, 9])
def test_bagging_jobs(jobs):
    """Sums of parts of the models are added up."""
    rng, x = data(5, 4)
    y = diff.labels(rng, len(x), 3, "str")
    with joblib.parallel_config(backend="threading"):
        model = fit(ensemble.BaggingClassifier(n_estimators=7, max_samples=0.3, n_jobs=jobs, random_state=0), x, y)
        diff.compare(model, x)
        diff.compare(fit(ensemble.BaggingRegressor(n_estimators=7, n_jobs=jobs, random_state=0), x, x[:, 0]), x)


@diff.examples(4, 100)
@given(seed=diff.seeds, n=FEATURES, name=st.sampled_from(sorted(REGRESSORS)), size=st.integers(1, 9),
       part=st.sampled_from([1.0, 0.5]), single=st.booleans())
def test_bagging_regressor(seed, n, name, size, part, single):
    rng, x = data(seed, n)
    model = ensemble.BaggingRegressor(REGRESSORS[name](rng), n_estimators=size, max_features=part, random_state=0)
    diff.compare(fit(model, x, rng.normal(size=len(x))), rows(rng, x, single))


# ---- Boosting, stacking, isolation ------------------------------------------------------------------------


@diff.examples(6, 150)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.integers(2, 5), kind=st.sampled_from(diff.LABEL_KINDS),
       name=st.sampled_from(["tree", "logistic", "bayes", "forest"]), single=st.booleans())
def test_adaboost(seed, n, n_classes, kind, name, single):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    base = DecisionTreeClassifier(max_depth=2) if name == "tree" else CLASSIFIERS[name](rng)
    model = ensemble.AdaBoostClassifier(base, n_estimators=6, random_state=0)
    diff.compare(fit(model, x, y), rows(rng, x, single))


@diff.examples(6, 100)
@given(seed=diff.seeds, n=FEATURES, name=st.sampled_from(sorted(REGRESSORS)), size=st.integers(1, 25), single=st.booleans())
def test_adaboost_regressor(seed, n, name, size, single):
    rng, x = data(seed, n)
    model = ensemble.AdaBoostRegressor(REGRESSORS[name](rng), n_estimators=size, random_state=0)
    diff.compare(fit(model, x, rng.normal(size=len(x))), rows(rng, x, single))


@diff.examples(6, 150)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.integers(2, 4), kind=st.sampled_from(diff.LABEL_KINDS),
       names=st.lists(st.sampled_from(sorted(CLASSIFIERS)), min_size=1, max_size=3, unique=True),
       how=st.sampled_from(["auto", "predict"]), through=st.booleans(), single=st.booleans())
def test_stacking(seed, n, n_classes, kind, names, how, through, single):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = ensemble.StackingClassifier(chosen(rng, CLASSIFIERS, names), LogisticRegression(max_iter=20), cv=2,
                                        stack_method=how, passthrough=through)
    diff.compare(fit(model, x, y), np.clip(rows(rng, x, single), -1e3, 1e3))


@diff.examples(4, 100)
@given(seed=diff.seeds, n=FEATURES, names=st.lists(st.sampled_from(sorted(REGRESSORS)), min_size=1, max_size=3, unique=True),
       through=st.booleans(), single=st.booleans())
def test_stacking_regressor(seed, n, names, through, single):
    rng, x = data(seed, n)
    model = ensemble.StackingRegressor(chosen(rng, REGRESSORS, names), cv=2, passthrough=through)
    diff.compare(fit(model, x, rng.normal(size=len(x))), np.clip(rows(rng, x, single), -1e3, 1e3))


@diff.examples(6, 100)
@given(seed=diff.seeds, n=FEATURES, size=st.integers(1, 12), part=st.sampled_from([1.0, 0.5]),
       samples=st.sampled_from(["auto", 1, 2, 7]), outliers=st.sampled_from(["auto", 0.1]), single=st.booleans())
def test_isolation_forest(seed, n, size, part, samples, outliers, single):
    rng, x = data(seed, n)
    model = ensemble.IsolationForest(n_estimators=size, max_features=part, max_samples=samples, contamination=outliers,
                                     random_state=0)
    diff.compare(fit(model, x), rows(rng, x, single))
