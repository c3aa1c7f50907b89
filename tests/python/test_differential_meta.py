"""Ensembles, calibration and wrappers of estimators: fresh models on awkward rows, against scikit-learn."""

import pathlib
import sys
import tempfile
import types
import warnings

import differential as diff
import joblib
import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from hypothesis import given
from hypothesis import strategies as st
from sklearn import ensemble
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron, Ridge
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (FunctionTransformer, MaxAbsScaler, MinMaxScaler, OneHotEncoder, RobustScaler,
                                   StandardScaler)
from sklearn.svm import SVC
from sklearn.tree import (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier,
                          ExtraTreeRegressor)

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


@diff.examples(16, 300)
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


@diff.examples(10, 200)
@given(seed=diff.seeds, n=FEATURES, names=st.lists(st.sampled_from(sorted(REGRESSORS)), min_size=1, max_size=4, unique=True),
       weighted=st.booleans(), single=st.booleans())
def test_voting_regressor(seed, n, names, weighted, single):
    rng, x = data(seed, n)
    weights = list(rng.uniform(0.1, 4, len(names))) if weighted else None
    model = ensemble.VotingRegressor(chosen(rng, REGRESSORS, names), weights=weights)
    diff.compare(fit(model, x, rng.normal(size=len(x))), rows(rng, x, single))


@diff.examples(16, 300)
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


@diff.examples(10, 200)
@given(seed=diff.seeds, n=FEATURES, name=st.sampled_from(sorted(REGRESSORS)), size=st.integers(1, 9),
       part=st.sampled_from([1.0, 0.5]), single=st.booleans())
def test_bagging_regressor(seed, n, name, size, part, single):
    rng, x = data(seed, n)
    model = ensemble.BaggingRegressor(REGRESSORS[name](rng), n_estimators=size, max_features=part, random_state=0)
    diff.compare(fit(model, x, rng.normal(size=len(x))), rows(rng, x, single))


# ---- Plain trees: one ensemble of all of them -------------------------------------------------------------

PLAIN = {
    "bagging": (ensemble.BaggingClassifier, DecisionTreeClassifier, ExtraTreeClassifier),
    "bagging_regressor": (ensemble.BaggingRegressor, DecisionTreeRegressor, ExtraTreeRegressor),
    "adaboost": (ensemble.AdaBoostClassifier, DecisionTreeClassifier, ExtraTreeClassifier),
    "adaboost_regressor": (ensemble.AdaBoostRegressor, DecisionTreeRegressor, ExtraTreeRegressor),
}


def replaced(model, x, y, how):
    """Another model in the place of the last: a pipeline, a tree that refuses other rows, or one that lacks a class."""
    columns = model.estimators_features_[-1] if hasattr(model, "estimators_features_") else slice(None)
    keep = np.ones(len(x), bool)
    if hasattr(model, "classes_"):
        keep = y != y[0] if how == "lacking" and len(model.classes_) > 1 else keep
        y = np.searchsorted(model.classes_, y) if hasattr(model, "estimators_features_") else y
    tree = type(model.estimators_[0])(max_depth=2, monotonic_cst=[0] * x[:, columns].shape[1] if how == "refusing" else None)
    tree = make_pipeline(StandardScaler(), tree) if how == "pipeline" else tree
    model.estimators_[-1] = fit(tree, np.nan_to_num(x[keep][:, columns]), y[keep])
    return model


@diff.examples(40, 400)
@given(seed=diff.seeds, n=FEATURES, name=st.sampled_from(sorted(PLAIN)), extra=st.booleans(), depth=st.sampled_from([1, 3, None]),
       n_classes=st.integers(1, 6), size=st.integers(1, 12), part=st.sampled_from([1.0, 0.4]), again=st.booleans(),
       how=st.sampled_from(["", "", "", "pipeline", "refusing", "lacking"]), single=st.booleans())
def test_plain_trees(seed, n, name, extra, depth, n_classes, size, part, again, how, single):
    rng, x = data(seed, n)
    cls, *trees = PLAIN[name]
    bags, classifies = name.startswith("bagging"), not name.endswith("regressor")
    if classifies:
        y = diff.labels(rng, len(x), n_classes if bags else max(2, n_classes), "str")
    else:
        y = np.round(x[:, 0] + rng.normal(size=len(x)))
    if bags and again:
        x[rng.uniform(size=x.shape) < 0.1] = np.nan
    more = {"max_features": part, "bootstrap_features": again, "max_samples": 0.3} if bags else {}
    model = cls(trees[extra](max_depth=depth, random_state=0), n_estimators=size, random_state=0, **more)
    try:
        model = fit(model, x, y)
        model = replaced(model, x, y, how) if how else model
    except ValueError:  # a first model worse than chance; a tree that refuses several classes
        return
    diff.compare(model, diff.awkward(rng, np.nan_to_num(x))[:14].astype(np.float32 if single else np.float64))


# ---- Boosting, stacking, isolation ------------------------------------------------------------------------


@diff.examples(16, 300)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.integers(2, 5), kind=st.sampled_from(diff.LABEL_KINDS),
       name=st.sampled_from(["tree", "logistic", "bayes", "forest"]), single=st.booleans())
def test_adaboost(seed, n, n_classes, kind, name, single):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    base = DecisionTreeClassifier(max_depth=2) if name == "tree" else CLASSIFIERS[name](rng)
    model = ensemble.AdaBoostClassifier(base, n_estimators=6, random_state=0)
    try:
        model = fit(model, x, y)
    except ValueError:  # a first model worse than chance
        return
    diff.compare(model, rows(rng, x, single))


@diff.examples(12, 200)
@given(seed=diff.seeds, n=FEATURES, name=st.sampled_from(sorted(REGRESSORS)), size=st.integers(1, 25), single=st.booleans())
def test_adaboost_regressor(seed, n, name, size, single):
    rng, x = data(seed, n)
    model = ensemble.AdaBoostRegressor(REGRESSORS[name](rng), n_estimators=size, random_state=0)
    diff.compare(fit(model, x, rng.normal(size=len(x))), rows(rng, x, single))


@diff.examples(16, 300)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.integers(2, 4), kind=st.sampled_from(diff.LABEL_KINDS),
       names=st.lists(st.sampled_from(sorted(CLASSIFIERS)), min_size=1, max_size=3, unique=True),
       how=st.sampled_from(["auto", "predict"]), through=st.booleans(), single=st.booleans())
def test_stacking(seed, n, n_classes, kind, names, how, through, single):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = ensemble.StackingClassifier(chosen(rng, CLASSIFIERS, names), LogisticRegression(max_iter=20), cv=2,
                                        stack_method=how, passthrough=through)
    diff.compare(fit(model, x, y), np.clip(rows(rng, x, single), -1e3, 1e3))


@diff.examples(10, 200)
@given(seed=diff.seeds, n=FEATURES, names=st.lists(st.sampled_from(sorted(REGRESSORS)), min_size=1, max_size=3, unique=True),
       through=st.booleans(), single=st.booleans())
def test_stacking_regressor(seed, n, names, through, single):
    rng, x = data(seed, n)
    model = ensemble.StackingRegressor(chosen(rng, REGRESSORS, names), cv=2, passthrough=through)
    diff.compare(fit(model, x, rng.normal(size=len(x))), np.clip(rows(rng, x, single), -1e3, 1e3))


@diff.examples(12, 200)
@given(seed=diff.seeds, n=FEATURES, size=st.integers(1, 12), part=st.sampled_from([1.0, 0.5]),
       samples=st.sampled_from(["auto", 1, 2, 7]), outliers=st.sampled_from(["auto", 0.1]), single=st.booleans())
def test_isolation_forest(seed, n, size, part, samples, outliers, single):
    rng, x = data(seed, n)
    model = ensemble.IsolationForest(n_estimators=size, max_features=part, max_samples=samples, contamination=outliers,
                                     random_state=0)
    diff.compare(fit(model, x), rows(rng, x, single))


# ---- Calibration, one model a class, one model a target ---------------------------------------------------


@diff.examples(20, 300)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.integers(2, 4), kind=st.sampled_from(diff.LABEL_KINDS),
       name=st.sampled_from(sorted(CLASSIFIERS)), how=st.sampled_from(["sigmoid", "isotonic", "temperature"]),
       mode=st.sampled_from(["folds", "single", "frozen"]), single=st.booleans())
def test_calibrated(seed, n, n_classes, kind, name, how, mode, single):
    rng, x = data(seed, n)
    kind = "int" if how == "temperature" else kind  # the library takes a label for its class's number: others crash it
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    base = CLASSIFIERS[name](rng)
    if mode == "frozen":
        base = FrozenEstimator(fit(base, x, y))
    model = CalibratedClassifierCV(base, method=how, cv=2, ensemble=mode == "folds")
    try:
        model = fit(model, x, y)
    except ValueError:  # a class with too few rows for the folds
        return
    diff.compare(model, rows(rng, x, single))


@diff.examples(12, 200)
@given(seed=diff.seeds, size=st.sampled_from([1, 2, 5, 40]), outside=st.sampled_from(["clip", "nan", "raise"]),
       rising=st.booleans(), single=st.booleans(), fit32=st.booleans())
def test_isotonic(seed, size, outside, rising, single, fit32):
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=size), 1).astype(np.float32 if fit32 else np.float64)
    model = IsotonicRegression(out_of_bounds=outside, increasing=rising, y_min=-1.0, y_max=1.5)
    model = fit(model, x, rng.normal(size=size) + x * (1 if rising else -1))
    asked = np.concatenate([x, np.nextafter(x, np.inf), rng.normal(size=8)]).astype(np.float32 if single else np.float64)
    diff.compare(model, asked.reshape(-1, 1))


@diff.examples(20, 300)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.integers(2, 5), kind=st.sampled_from(diff.LABEL_KINDS),
       name=st.sampled_from(sorted(CLASSIFIERS)), rest=st.booleans(), single=st.booleans())
def test_multiclass(seed, n, n_classes, kind, name, rest, single):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = (OneVsRestClassifier if rest else OneVsOneClassifier)(CLASSIFIERS[name](rng))
    diff.compare(fit(model, x, y), rows(rng, x, single))


@diff.examples(10, 200)
@given(seed=diff.seeds, n=FEATURES, n_labels=st.integers(1, 4), name=st.sampled_from(sorted(CLASSIFIERS)),
       single=st.booleans(), constant=st.booleans())
def test_multilabel(seed, n, n_labels, name, single, constant):
    rng, x = data(seed, n)
    y = rng.integers(0, 2, size=(len(x), n_labels + 1))
    if constant:
        y[:, -1] = rng.integers(0, 2)
    diff.compare(fit(OneVsRestClassifier(CLASSIFIERS[name](rng)), x, y), rows(rng, x, single))


@diff.examples(10, 200)
@given(seed=diff.seeds, n=FEATURES, n_targets=st.integers(2, 3), kind=st.sampled_from(diff.LABEL_KINDS),
       name=st.sampled_from(sorted(CLASSIFIERS)), base=st.sampled_from(sorted(REGRESSORS)), single=st.booleans())
def test_multioutput(seed, n, n_targets, kind, name, base, single):
    rng, x = data(seed, n)
    y = np.column_stack([diff.labels(rng, len(x), 2 if kind == "bool" else 2 + i, kind) for i in range(n_targets)])
    diff.compare(fit(MultiOutputClassifier(CLASSIFIERS[name](rng)), x, y), rows(rng, x, single))
    y = rng.normal(size=(len(x), n_targets))
    diff.compare(fit(MultiOutputRegressor(REGRESSORS[base](rng)), x, y), rows(rng, x, single))


@diff.examples(10, 200)
@given(seed=diff.seeds, n=FEATURES, n_targets=st.integers(2, 4), name=st.sampled_from(sorted(CLASSIFIERS)),
       base=st.sampled_from(sorted(REGRESSORS)), how=st.sampled_from(["predict", "predict_proba", "decision_function"]),
       single=st.booleans())
def test_chain(seed, n, n_targets, name, base, how, single):
    rng, x = data(seed, n)
    y = rng.integers(0, 2, size=(len(x), n_targets)) * rng.choice([1, 3])
    order = list(rng.permutation(n_targets))
    part = CLASSIFIERS[name](rng)
    how = how if hasattr(part, how) else "predict"
    model = fit(ClassifierChain(part, order=order, chain_method=how), x, y)
    offered = [method for method in diff.offered(model) if method != "predict_log_proba" or hasattr(part, "predict_proba")]
    diff.compare(model, rows(rng, x, single), offered)
    model = RegressorChain(REGRESSORS[base](rng), order=order)
    diff.compare(fit(model, x, rng.normal(size=(len(x), n_targets))), np.clip(rows(rng, x, single), -1e3, 1e3))


TARGETS = {
    "standard": lambda: {"transformer": StandardScaler()}, "uncentred": lambda: {"transformer": StandardScaler(with_mean=False)},
    "robust": lambda: {"transformer": RobustScaler()}, "unscaled": lambda: {"transformer": RobustScaler(with_scaling=False)},
    "range": lambda: {"transformer": MinMaxScaler((-3, 5))}, "largest": lambda: {"transformer": MaxAbsScaler()},
    "log": lambda: {"func": np.log1p, "inverse_func": np.expm1}, "nothing": lambda: {},
    "function": lambda: {"transformer": FunctionTransformer(np.sqrt, np.square)},
}


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("base", sorted(REGRESSORS))
@pytest.mark.parametrize("several", [False, True])
def test_transformed_target(name, base, several):
    rng, x = data(11, 3)
    y = np.abs(rng.normal(size=(len(x), 2)))
    model = TransformedTargetRegressor(REGRESSORS[base](rng), **TARGETS[name]())
    diff.compare(fit(model, x, y if several else y[:, 0]), np.clip(rows(rng, x), -20, 20))


REFUSALS = {
    "voting": lambda: ensemble.VotingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier())], voting="soft"),
    "bagging": lambda: ensemble.BaggingClassifier(n_estimators=3, max_features=0.5, random_state=0),
    "bagged_linear": lambda: ensemble.BaggingClassifier(LogisticRegression(), n_estimators=3, random_state=0),
    "adaboost": lambda: ensemble.AdaBoostClassifier(n_estimators=3, random_state=0),
    "stacking": lambda: ensemble.StackingClassifier([("a", DecisionTreeClassifier())], GaussianNB(), cv=2, passthrough=True),
    "isolation": lambda: ensemble.IsolationForest(n_estimators=3, random_state=0),
    "calibrated": lambda: CalibratedClassifierCV(DecisionTreeClassifier(), cv=2),
    "rest": lambda: OneVsRestClassifier(LogisticRegression()),
    "one": lambda: OneVsOneClassifier(DecisionTreeClassifier()),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_rows_that_are_refused(name):
    """NaN and infinities: taken or refused as the library does."""
    rng, x = data(7, 4)
    diff.compare(fit(REFUSALS[name](), x, diff.labels(rng, len(x), 3, "str")), diff.awkward(rng, x))


def mixed(model):
    """The model behind one-hot codes and scaled numbers of a table's columns."""
    return make_pipeline(make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["city"]),
                                                 (StandardScaler(), ["size", "age"])), model)


TABLES = {
    "voting": lambda: ensemble.VotingClassifier([("a", mixed(LogisticRegression())), ("b", mixed(GaussianNB()))],
                                                voting="soft"),
    "stacking": lambda: ensemble.StackingClassifier([("a", mixed(LogisticRegression())),
                                                     ("b", mixed(DecisionTreeClassifier(max_depth=3)))], cv=2),
    "calibrated": lambda: CalibratedClassifierCV(mixed(LogisticRegression()), method="isotonic", cv=2),
    "rest": lambda: OneVsRestClassifier(mixed(LogisticRegression())),
    "adaboost": lambda: mixed(ensemble.AdaBoostClassifier(n_estimators=4)),
    "bagging": lambda: mixed(ensemble.BaggingClassifier(n_estimators=4)),
    "passthrough": lambda: mixed(ensemble.StackingClassifier([("a", SVC())], cv=2, passthrough=True)),
    "isolation": lambda: mixed(ensemble.IsolationForest(n_estimators=5, random_state=0)),
    "one": lambda: mixed(OneVsOneClassifier(Perceptron())),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables(name):
    """Text and numbers by name, above the ensemble or inside it."""
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"size": rng.normal(size=90), "city": rng.choice(["a", "b", "c d"], 90), "age": rng.integers(0, 5, 90)})
    asked = table.iloc[:30].copy()
    asked.loc[3, "city"] = "elsewhere"
    diff.compare(fit(TABLES[name](), table, diff.labels(rng, 90, 3, "unicode")), asked)


BOOSTED = {
    "rest": lambda: OneVsRestClassifier(cat_classifier()), "calibrated": lambda: CalibratedClassifierCV(cat_classifier(), cv=2),
    "voting": lambda: ensemble.VotingClassifier([("a", cat_classifier()), ("b", cat_classifier())], voting="soft"),
    "stacking": lambda: ensemble.StackingClassifier([("a", cat_classifier())], LogisticRegression(), cv=2),
    "outputs": lambda: MultiOutputRegressor(cat_regressor()), "votes": lambda: ensemble.VotingRegressor([("a", cat_regressor())]),
    "target": lambda: TransformedTargetRegressor(cat_regressor()), "stack": lambda: ensemble.StackingRegressor([("a", cat_regressor())], cv=2),
}
SMALL = {"iterations": 4, "depth": 3, "verbose": 0, "thread_count": 1, "allow_writing_files": False}


def cat_classifier():
    return CatBoostClassifier(**SMALL)


def cat_regressor():
    return CatBoostRegressor(**SMALL)


@pytest.mark.parametrize("name", BOOSTED)
def test_names_that_children_know(name):
    """Kind: a parent keeps the number of columns alone, CatBoost their names; the table has them in another order."""
    rng = np.random.default_rng(12)
    x = pd.DataFrame(rng.normal(size=(80, 3)), columns=["size", "age", "way"])
    y = np.column_stack([x["size"] + x.age ** 2, -x.way]) if name == "outputs" else (x["size"] + x.age ** 2).to_numpy()
    model = BOOSTED[name]()
    classes = name in ("rest", "calibrated", "voting", "stacking")
    model = fit(model, x, np.digitize(y, np.quantile(y, [0.3, 0.6])) if classes else y)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        path, rows_path = diff.write_model(model, folder), diff.write_rows(x[["way", "size", "age"]].head(20), folder)
        for method in diff.offered(model):
            diff.compare_method(model, path, rows_path, x.head(20), method)


@pytest.mark.parametrize("name", ["standard", "uncentred", "robust", "unscaled", "range", "largest", "nothing"])
def test_several_columns_for_one_target(name):
    """Kind: a model that predicts several columns of one target, and a scaler of that target: numpy repeats its number."""
    rng, x = data(13, 3)
    model = TransformedTargetRegressor(CatBoostRegressor(loss_function="RMSEWithUncertainty", **SMALL), **TARGETS[name]())
    diff.compare(fit(model, x, np.abs(rng.normal(size=len(x)))), x[:20])


def test_shared_models_do_not_unfold():
    """Fifty levels of a model that stands twice in its parent: 2 ** 50 models, or an error."""
    rng, x = data(1, 3)
    model = fit(DecisionTreeClassifier(max_depth=1), x, x[:, 0] > 0)
    for _ in range(50):
        above = MultiOutputClassifier(DecisionTreeClassifier())
        above.estimators_, above.n_features_in_ = [model, model], 3
        model = above
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        done = diff.run(diff.write_model(model, folder), diff.write_rows(x, folder), folder / "out.csv")
        assert done.returncode == 3 and "refers to more than" in done.stderr


# ---- imbalanced-learn -------------------------------------------------------------------------------------


class Sampler(BaseEstimator):
    """What imbalanced-learn's samplers are to a fitted pipeline: nothing."""

    def fit_resample(self, x, y):
        return x, y


def test_pipeline_of_imbalanced_learn(monkeypatch):
    """Its pipelines by the names that they have in a file; the library itself is not needed."""
    holder = type("Pipeline", (Pipeline,), {"__module__": "imblearn.pipeline"})
    sampler = type("SMOTE", (Sampler,), {"__module__": "imblearn.over_sampling._smote.base"})
    for kind in (holder, sampler):
        module = types.ModuleType(kind.__module__)
        setattr(module, kind.__name__, kind)
        for i, part in enumerate(kind.__module__.split(".")):
            name = ".".join(kind.__module__.split(".")[:i + 1])
            monkeypatch.setitem(sys.modules, name, module)
    rng, x = data(2, 4)
    y = diff.labels(rng, len(x), 3, "str")
    scaler = StandardScaler().fit(x)
    steps = [("scale", scaler), ("sample", sampler()), ("tree", DecisionTreeClassifier(max_depth=3).fit(scaler.transform(x), y))]
    plain = Pipeline([step for step in steps if step[0] != "sample"])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows_path = diff.write_rows(x, folder)
        path = diff.write_model(holder(steps), folder)
        for method in ("predict", "predict_proba"):
            diff.compare_method(plain, path, rows_path, x, method)
