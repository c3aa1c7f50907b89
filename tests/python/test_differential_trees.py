"""Trees, forests and boosting: fresh models with random parameters on awkward rows, against scikit-learn.

Rows lie on thresholds and one unit beside them, in float64 and in float32, besides what differential.awkward makes.
"""

import warnings

import differential as diff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import ensemble, linear_model, tree

FEATURES = st.sampled_from([1, 2, 5, 17])


def data(seed, n, rows=60):
    """Columns of very different size, one of them with few values."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, n)) * 10.0 ** rng.integers(-3, 4, n)
    x[:, 0] = np.round(rng.normal(size=rows) * 2)
    return rng, x


def with_gaps(rng, x, share=0.15):
    x = x.copy()
    x[rng.random(x.shape) < share] = np.nan
    return x


def fit(model, x, y, **more):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.fit(x, y, **more)


def splits(model):
    """(column, threshold) of the model's splits."""
    if hasattr(model, "_predictors"):
        nodes = [p.nodes for predictors in model._predictors for p in predictors]
        return [(n["feature_idx"], n["num_threshold"]) for part in nodes for n in part
                if not n["is_leaf"] and not n["is_categorical"]]
    trees = [model] if hasattr(model, "tree_") else np.ravel(model.estimators_)
    return [(f, t) for one in trees for f, t in zip(one.tree_.feature, one.tree_.threshold) if f >= 0]


def edges(rng, model, x):
    """Rows that stand on thresholds and right beside them."""
    found = [s for s in splits(model) if np.isfinite(s[1])]
    rows = []
    for at in rng.permutation(len(found))[:6]:
        column, t = found[at]
        single = np.float32(t)
        for value in (t, np.nextafter(t, -np.inf), np.nextafter(t, np.inf), float(single),
                      float(np.nextafter(single, np.float32(-np.inf))), float(np.nextafter(single, np.float32(np.inf)))):
            row = x[rng.integers(len(x))].copy()
            row[column] = value
            rows.append(row)
    return np.array(rows).reshape(-1, x.shape[1])


def rows_for(rng, model, x, special, single):
    x = np.nan_to_num(x)
    rows = np.vstack([diff.awkward(rng, x, special), edges(rng, model, x)])
    if special:
        rows[11, 0], rows[12, -1] = 3.5e38, -1e300  # beyond float32
    with np.errstate(all="ignore"):
        return rows.astype(np.float32) if single else rows


def compare(rng, model, x, special=True, single=False, methods=None):
    rows = rows_for(rng, model, x, special, single)
    diff.compare(model, rows, methods)
    diff.compare(model, rows[13:14], methods)


def shape(rng):
    """Parameters that decide what trees look like."""
    kind = rng.integers(4)
    if kind == 0:
        return {"max_depth": int(rng.integers(1, 5))}
    if kind == 1:
        return {"max_leaf_nodes": int(rng.integers(2, 12))}
    if kind == 2:
        return {"min_samples_leaf": int(rng.integers(1, 8)), "max_features": [None, "sqrt", 1][rng.integers(3)]}
    return {}


CLASSIFIERS = {
    "DecisionTree": lambda rng, **p: tree.DecisionTreeClassifier(
        criterion=["gini", "entropy"][rng.integers(2)], splitter=["best", "random"][rng.integers(2)], **p),
    "ExtraTree": lambda rng, **p: tree.ExtraTreeClassifier(**p),
    "RandomForest": lambda rng, **p: ensemble.RandomForestClassifier(
        int(rng.integers(1, 9)), bootstrap=bool(rng.integers(2)), **p),
    "ExtraTrees": lambda rng, **p: ensemble.ExtraTreesClassifier(int(rng.integers(1, 9)), **p),
}
REGRESSORS = {
    "DecisionTree": lambda rng, **p: tree.DecisionTreeRegressor(splitter=["best", "random"][rng.integers(2)], **p),
    "ExtraTree": lambda rng, **p: tree.ExtraTreeRegressor(**p),
    "RandomForest": lambda rng, **p: ensemble.RandomForestRegressor(int(rng.integers(1, 9)), **p),
    "ExtraTrees": lambda rng, **p: ensemble.ExtraTreesRegressor(int(rng.integers(1, 9)), **p),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
@diff.examples(6)
@given(seed=diff.seeds, n=FEATURES, kind=st.sampled_from(diff.LABEL_KINDS), n_classes=st.sampled_from([1, 2, 3, 7]),
       gaps=st.booleans(), single=st.booleans())
def test_classifier(name, seed, n, kind, n_classes, gaps, single):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 2 if kind == "bool" and n_classes > 2 else n_classes, kind)
    weight = [None, "balanced"][rng.integers(2)]
    model = CLASSIFIERS[name](rng, random_state=0, class_weight=weight, **shape(rng))
    model = fit(model, with_gaps(rng, x) if gaps else x, y,
                sample_weight=rng.uniform(0.1, 3, len(x)) if rng.integers(2) else None)
    compare(rng, model, x, single=single)


@pytest.mark.parametrize("name", REGRESSORS)
@diff.examples(6)
@given(seed=diff.seeds, n=FEATURES, targets=st.sampled_from([1, 1, 2, 5]), gaps=st.booleans(), single=st.booleans())
def test_regressor(name, seed, n, targets, gaps, single):
    rng, x = data(seed, n)
    y = rng.normal(size=(len(x), targets)) * 10.0 ** rng.integers(-5, 6)
    criterion = ["squared_error", "absolute_error"][rng.integers(2)] if not gaps else "squared_error"
    model = REGRESSORS[name](rng, random_state=0, criterion=criterion, **shape(rng))
    model = fit(model, with_gaps(rng, x) if gaps else x, y[:, 0] if targets == 1 else y)
    compare(rng, model, x, single=single)


@pytest.mark.parametrize("name", CLASSIFIERS)
@diff.examples(3)
@given(seed=diff.seeds, kind=st.sampled_from(["int", "str", "float", "unicode"]), single=st.booleans())
def test_classifier_with_several_targets(name, seed, kind, single):
    rng, x = data(seed, 3)
    y = np.column_stack([diff.labels(rng, len(x), k, kind) for k in (2, 4, 3)])
    model = fit(CLASSIFIERS[name](rng, random_state=0, **shape(rng)), x, y)
    compare(rng, model, x, single=single)


# ---- Gradient boosting ----------------------------------------------------------------------------------

INITS = {
    "default": lambda: None,
    "zero": lambda: "zero",
    "linear": lambda: linear_model.LogisticRegression(),
    "tree": lambda: tree.DecisionTreeClassifier(max_depth=2),
}


@diff.examples(10)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.sampled_from([2, 3, 5]), kind=st.sampled_from(["int", "str"]),
       init=st.sampled_from(sorted(INITS)), exponential=st.booleans(), single=st.booleans())
def test_gradient_boosting_classifier(seed, n, n_classes, kind, init, exponential, single):
    rng, x = data(seed, n)
    x[:, 1:] = x[:, 1:] / (np.abs(x[:, 1:]).max(axis=0) + 1e-300)
    y = diff.labels(rng, len(x), n_classes, kind)
    model = ensemble.GradientBoostingClassifier(
        loss="exponential" if exponential and n_classes == 2 else "log_loss", init=INITS[init](), random_state=0,
        n_estimators=int(rng.integers(1, 8)), learning_rate=rng.uniform(0.01, 1.5), max_depth=int(rng.integers(1, 4)),
        subsample=[1.0, 0.6][rng.integers(2)])
    model = fit(model, x, y)
    # A trained init gives scores of its own, which agree to rounding; a linear one works in float32.
    methods = None if init in ("default", "zero") else ["predict_proba", "apply"]
    compare(rng, model, x, single=single or init == "linear", methods=methods)


@diff.examples(10)
@given(seed=diff.seeds, n=FEATURES, loss=st.sampled_from(["squared_error", "absolute_error", "huber", "quantile"]),
       init=st.sampled_from(["default", "zero", "tree"]), single=st.booleans())
def test_gradient_boosting_regressor(seed, n, loss, init, single):
    rng, x = data(seed, n)
    y = rng.normal(size=len(x)) * 10.0 ** rng.integers(-5, 6)
    start = {"default": None, "zero": "zero", "tree": tree.DecisionTreeRegressor(max_depth=3)}[init]
    model = ensemble.GradientBoostingRegressor(
        loss=loss, init=start, random_state=0, n_estimators=int(rng.integers(1, 8)), max_depth=int(rng.integers(1, 4)))
    compare(rng, fit(model, x, y), x, single=single)


# ---- Histogram gradient boosting ------------------------------------------------------------------------


def hist_parameters(rng):
    return {"max_iter": int(rng.integers(1, 8)), "max_leaf_nodes": int(rng.integers(2, 32)), "min_samples_leaf": 3,
            "learning_rate": rng.uniform(0.05, 1.0), "random_state": 0}


@diff.examples(8)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.sampled_from([2, 3, 5]), kind=st.sampled_from(["int", "str", "bool"]),
       gaps=st.booleans(), single=st.booleans())
def test_hist_classifier(seed, n, n_classes, kind, gaps, single):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = ensemble.HistGradientBoostingClassifier(**hist_parameters(rng))
    compare(rng, fit(model, with_gaps(rng, x) if gaps else x, y), x, single=single)


@diff.examples(8)
@given(seed=diff.seeds, n=FEATURES, gaps=st.booleans(), single=st.booleans(),
       loss=st.sampled_from(["squared_error", "absolute_error", "poisson", "gamma", "quantile"]))
def test_hist_regressor(seed, n, gaps, single, loss):
    rng, x = data(seed, n)
    y = rng.uniform(0.1, 9, size=len(x))
    model = ensemble.HistGradientBoostingRegressor(
        loss=loss, quantile=0.3 if loss == "quantile" else None, **hist_parameters(rng))
    compare(rng, fit(model, with_gaps(rng, x) if gaps else x, y), x, single=single)


@diff.examples(8)
@given(seed=diff.seeds, classifier=st.booleans(), gaps=st.booleans(), single=st.booleans())
def test_hist_categories(seed, classifier, gaps, single):
    """Categories by number; unseen, negative and broken ones among the rows."""
    rng, x = data(seed, 4, rows=200)
    x[:, 1] = rng.integers(0, 9, len(x))
    x[:, 3] = rng.integers(0, 40, len(x)) * 3
    y = np.sin(x[:, 1] * 7) + np.cos(x[:, 3]) + rng.normal(size=len(x)) / 5
    known = ensemble.HistGradientBoostingClassifier if classifier else ensemble.HistGradientBoostingRegressor
    model = known(categorical_features=[1, 3], **hist_parameters(rng))
    model = fit(model, with_gaps(rng, x) if gaps else x, y > 0 if classifier else y)
    rows = np.vstack([np.nan_to_num(x[:30]), diff.awkward(rng, x)])
    rows[:12, 1] = [-1, -0.0, 0.5, 8, 9, 255, 256, 257, 1e10, -1e10, np.nan, np.inf]
    diff.compare(model, rows.astype(np.float32) if single else rows)


@diff.examples(5)
@given(seed=diff.seeds, gaps=st.booleans())
def test_hist_text_categories(seed, gaps):
    rng, x = data(seed, 3, rows=150)
    town = np.array(["Zürich", "東京", "a, b", "x y", "Ω"], dtype=object)[rng.integers(0, 5, len(x))]
    if gaps:
        town[rng.random(len(x)) < 0.1] = None
    y = x[:, 0] + (town == "東京") + (town == "x y") * 2
    table = pd.DataFrame({"größe": x[:, 0], "town": pd.Categorical(town), "third, of 3": x[:, 1], "b": x[:, 2]})
    model = ensemble.HistGradientBoostingRegressor(categorical_features="from_dtype", **hist_parameters(rng))
    diff.compare(fit(model, table, y), table.iloc[:40])


# ---- Sizes ----------------------------------------------------------------------------------------------


def test_thousand_columns():
    rng, x = data(5, 1000, rows=80)
    y = x[:, 3] + x[:, 900] > 0
    for single in (False, True):
        for known in (ensemble.RandomForestClassifier(20, random_state=0, max_features=None),
                      ensemble.HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=3)):
            compare(rng, fit(known, x, y), x, single=single)


def test_more_nodes_than_small_nodes_hold():
    """A tree whose children stand too far apart for the smaller form of node."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(120000, 3))
    model = fit(tree.ExtraTreeRegressor(random_state=0), x, rng.normal(size=len(x)))
    assert model.tree_.node_count > 200000
    diff.compare(model, np.vstack([x[:300], edges(rng, model, x)]))


def test_names_of_columns():
    rng, x = data(3, 4)
    table = pd.DataFrame(x, columns=["größe", "東京", "a, b", "c\"d"])
    diff.compare(fit(ensemble.ExtraTreesClassifier(5, random_state=0), table, x[:, 0] > 0), table)


@pytest.mark.parametrize("method", ["predict_proba", "apply"])
def test_rows_do_not_see_each_other(method):
    """Threads, batches and blocks change nothing, with and without missing values."""
    rng, x = data(9, 6, rows=700)
    model = fit(ensemble.RandomForestClassifier(17, random_state=0), with_gaps(rng, x), x[:, 0] > 0)
    options = [(), ("--threads", "1"), ("--threads", "3", "--batch-size", "7"), ("--batch-size", "1"),
               ("--batch-size", "65")]
    diff.same_bytes(model, x, method, *options)
    diff.same_bytes(model, with_gaps(rng, x), method, *options)


@pytest.mark.parametrize("model", [
    tree.DecisionTreeClassifier(), ensemble.ExtraTreesClassifier(3), ensemble.GradientBoostingClassifier(n_estimators=2),
    ensemble.HistGradientBoostingClassifier(max_iter=2)], ids=lambda m: type(m).__name__)
def test_no_rows(model):
    _, x = data(4, 3)
    diff.no_rows(fit(model, x, x[:, 0] > 0), x, "predict_proba")
