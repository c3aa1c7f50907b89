"""Feature selection, label binarizers and bins: fresh models on awkward rows, against scikit-learn."""

import pathlib
import tempfile
import warnings

import differential as diff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import ensemble, feature_selection, linear_model, preprocessing, svm, tree
from sklearn.pipeline import make_pipeline

FEATURES = st.sampled_from([1, 2, 3, 7, 8, 9, 16, 25])


def data(seed, n, rows=40):
    """Rows of columns of very different size, some the same, some constant."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, n)) * 10.0 ** rng.integers(-2, 3, n) + rng.integers(-3, 4, n)
    x[:, rng.random(n) < 0.1] = 2.5
    same = rng.random(n) < 0.2
    x[:, same] = x[:, :1]
    return rng, x


def fit(model, x, y=None):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.fit(x, y)


def compare(model, x):
    """Nothing selected is refused by name; else the same columns."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if model.get_support().any():
            diff.compare(model, x, ["transform"])


def outcome(rng, x):
    return np.digitize(x[:, 0] + 0.5 * rng.normal(size=len(x)), [x[:, 0].mean()])


SCORES = st.sampled_from([feature_selection.f_classif, feature_selection.f_regression])


@diff.examples(12)
@given(seed=diff.seeds, n=FEATURES, score=SCORES, k=st.integers(0, 26), whole=st.booleans(), single=st.booleans())
def test_k_best(seed, n, score, k, whole, single):
    rng, x = data(seed, n)
    model = fit(feature_selection.SelectKBest(score, k="all" if whole else k), x, outcome(rng, x))
    compare(model, diff.awkward(rng, x).astype(np.float32 if single else np.float64))


@diff.examples(20)
@given(seed=diff.seeds, n=FEATURES, score=SCORES, ties=st.booleans(),
       percentile=st.one_of(st.integers(0, 100), st.floats(0, 100)))
def test_percentile(seed, n, score, ties, percentile):
    rng, x = data(seed, n)
    model = fit(feature_selection.SelectPercentile(score, percentile=percentile), x, outcome(rng, x))
    if ties:
        model.scores_ = rng.integers(0, 4, n).astype(float)
    compare(model, diff.awkward(rng, x))


@pytest.mark.parametrize("name", ["SelectFpr", "SelectFdr", "SelectFwe"])
@diff.examples(8)
@given(seed=diff.seeds, n=FEATURES, score=SCORES, alpha=st.floats(0.001, 1))
def test_by_p_value(name, seed, n, score, alpha):
    rng, x = data(seed, n)
    compare(fit(getattr(feature_selection, name)(score, alpha=alpha), x, outcome(rng, x)), diff.awkward(rng, x))


@diff.examples(12)
@given(seed=diff.seeds, n=FEATURES, mode=st.sampled_from(["percentile", "k_best", "fpr", "fdr", "fwe"]),
       part=st.floats(0, 1))
def test_generic(seed, n, mode, part):
    rng, x = data(seed, n)
    param = {"percentile": part * 100, "k_best": int(part * n)}.get(mode, part)
    model = feature_selection.GenericUnivariateSelect(mode=mode, param=param)
    compare(fit(model, x, outcome(rng, x)), diff.awkward(rng, x))


@diff.examples(8)
@given(seed=diff.seeds, n=FEATURES, threshold=st.sampled_from([0.0, 0.01, 1.0]))
def test_variance(seed, n, threshold):
    rng, x = data(seed, n)
    x[:, 0] = rng.normal(size=len(x)) * 100
    compare(fit(feature_selection.VarianceThreshold(threshold), x), diff.awkward(rng, x))


# ---- Labels -----------------------------------------------------------------------------------------------


@diff.examples(16)
@given(seed=diff.seeds, n_classes=st.integers(1, 6), kind=st.sampled_from(diff.LABEL_KINDS), sparse=st.booleans(),
       labels=st.sampled_from([(0, 1), (-1, 1), (-2, 0), (3, 10)]))
def test_label_binarizer(seed, n_classes, kind, sparse, labels):
    """Columns of labels from a file; unknown ones among three classes and more, where their number decides nothing."""
    rng = np.random.default_rng(seed)
    sparse = sparse and labels[0] == 0
    values = diff.classes(rng, 2 if kind == "bool" else n_classes, kind)
    model = preprocessing.LabelBinarizer(neg_label=labels[0], pos_label=labels[1], sparse_output=sparse).fit(values)
    rows = values[rng.integers(0, len(values), 20)]
    if len(values) > 2 and values.dtype.kind in "iU":
        rows = np.concatenate([rows, values[:1] + values[-1]]) if values.dtype.kind == "i" else np.append(rows, "nowhere")
    frame = pd.DataFrame({"label": rows})
    whole = {"transform": diff.cases.encode(np.asarray(model.transform(rows).todense() if sparse
                                                       else model.transform(rows)))}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        out = folder / "out.csv"
        process = diff.run(diff.write_model(model, folder), diff.write_rows(frame, folder), out)
        assert process.returncode == 0, process.stderr
        header, cells = diff.ftl.read_csv(out)
    case = {"kind": "transformer", "dtype": "frame"}
    diff.golden.compare(case, "transform", whole, header, cells)


# ---- SelectFromModel --------------------------------------------------------------------------------------

MODELS = {
    "lasso": lambda rng: linear_model.Lasso(alpha=0.1),
    "elastic": lambda rng: linear_model.ElasticNet(alpha=0.1, l1_ratio=[0.5, 1.0][rng.integers(2)]),
    "ridge": lambda rng: linear_model.Ridge(),
    "logistic": lambda rng: linear_model.LogisticRegression(max_iter=50),
    "logistic_l1": lambda rng: linear_model.LogisticRegression(solver="liblinear", l1_ratio=1.0),
    "svc": lambda rng: svm.LinearSVC(penalty="l1", dual=False, max_iter=100),
    "tree": lambda rng: tree.DecisionTreeClassifier(random_state=0, max_depth=4),
    "extra_tree": lambda rng: tree.ExtraTreeRegressor(random_state=0),
    "forest": lambda rng: ensemble.RandomForestClassifier(4, random_state=0),
    "extra": lambda rng: ensemble.ExtraTreesRegressor(4, max_depth=3, random_state=0),
    "boosting": lambda rng: ensemble.GradientBoostingClassifier(n_estimators=4, random_state=0),
    "big": lambda rng: ensemble.RandomForestRegressor(3, min_samples_leaf=1, random_state=0),
}
THRESHOLDS = st.sampled_from([None, "mean", "median", "1.25*mean", " 0.5 * median", 0.05, -np.inf])


@pytest.mark.parametrize("name", MODELS)
@diff.examples(6)
@given(seed=diff.seeds, n=st.sampled_from([2, 3, 9, 25, 140]), classes=st.sampled_from([2, 4]), threshold=THRESHOLDS,
       limit=st.sampled_from([None, 1, 5]), order=st.sampled_from([1, 2, 3, np.inf]), prefit=st.booleans(),
       compress=st.sampled_from([0, 3]))
def test_from_model(name, seed, n, classes, threshold, limit, order, prefit, compress):
    rng, x = data(seed, n, rows=300 if name == "big" else 40)
    y = diff.labels(rng, len(x), 2 if name == "logistic_l1" else classes, "int")
    model = MODELS[name](rng)
    if prefit:
        model = fit(model, x, y)
    selector = feature_selection.SelectFromModel(model, threshold=threshold, norm_order=order, prefit=prefit,
                                                 max_features=None if limit is None else min(limit, n))
    selector = fit(selector, x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if selector.get_support().any():
            diff.compare(selector, diff.awkward(rng, x), ["transform"], compress=compress)


def test_from_trees_in_front_of_trees():
    rng, x = data(3, 9)
    y = diff.labels(rng, len(x), 3, "str")
    forest = ensemble.RandomForestClassifier(4, random_state=0)
    model = fit(make_pipeline(feature_selection.SelectFromModel(forest), tree.DecisionTreeClassifier()), x, y)
    diff.compare(model, diff.awkward(rng, x))


@diff.examples(6)
@given(seed=diff.seeds, n=st.sampled_from([2, 3, 9]), keep=st.integers(1, 3))
def test_elimination(seed, n, keep):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 3, "str")
    estimator = linear_model.LogisticRegression(max_iter=20)
    model = feature_selection.RFE(estimator, n_features_to_select=min(keep, n))
    diff.compare(fit(model, x, y), diff.awkward(rng, x))


def test_elimination_with_validation():
    rng, x = data(8, 5)
    y = diff.labels(rng, len(x), 2, "int")
    diff.compare(fit(feature_selection.RFECV(tree.DecisionTreeClassifier(random_state=0), cv=2), x, y),
                 diff.awkward(rng, x))
    sequential = feature_selection.SequentialFeatureSelector(linear_model.LinearRegression(), cv=2)
    diff.compare(fit(sequential, x, y), diff.awkward(rng, x), ["transform"])


def test_names_and_one_hot():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"a": rng.integers(0, 4, 40), "b": rng.normal(size=40), "größe": rng.normal(size=40)})
    y = (frame["b"] > 0).astype(int)
    diff.compare(fit(feature_selection.SelectKBest(k=2), frame, y), frame, ["transform"])
    hot = make_pipeline(preprocessing.OneHotEncoder(handle_unknown="ignore"), feature_selection.SelectKBest(k=3),
                        linear_model.LogisticRegression())
    codes = rng.integers(0, 5, size=(40, 3))
    diff.compare(fit(hot, codes, y), rng.integers(-1, 7, size=(30, 3)).astype(float))


# ---- Thresholds and bins ----------------------------------------------------------------------------------


@diff.examples(10)
@given(seed=diff.seeds, n=FEATURES, threshold=st.sampled_from([0.0, -1.5, 0.1, 2.5]), single=st.booleans())
def test_binarizer(seed, n, threshold, single):
    rng, x = data(seed, n)
    rows = diff.awkward(rng, x)
    rows[11] = threshold
    diff.compare(fit(preprocessing.Binarizer(threshold=threshold), x), rows.astype(np.float32 if single else np.float64))


@diff.examples(16)
@given(seed=diff.seeds, n=FEATURES, k=st.integers(2, 12), encode=st.sampled_from(["onehot", "onehot-dense", "ordinal"]),
       strategy=st.sampled_from(["uniform", "quantile", "kmeans"]), dtype=st.sampled_from([None, np.float32, np.float64]),
       single=st.booleans())
def test_bins(seed, n, k, encode, strategy, dtype, single):
    rng, x = data(seed, n)
    x[:, rng.random(n) < 0.3] = np.round(x[:, :1])
    more = {"quantile_method": "averaged_inverted_cdf"} if strategy == "quantile" else {}
    model = preprocessing.KBinsDiscretizer(k, encode=encode, strategy=strategy, dtype=dtype, **more)
    model = fit(model, x.astype(np.float32 if single else np.float64))
    rows = diff.awkward(rng, x)
    for row in range(11, 16):
        rows[row] = [edges[rng.integers(len(edges))] for edges in model.bin_edges_]
    diff.compare(model, rows.astype(np.float32 if single else np.float64))


def test_bins_in_front_of_a_model():
    rng, x = data(4, 5)
    model = make_pipeline(preprocessing.KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"),
                          linear_model.LogisticRegression())
    diff.compare(fit(model, x, diff.labels(rng, len(x), 3, "str")), diff.awkward(rng, x))


# ---- Damaged models ---------------------------------------------------------------------------------------

LINEAR = linear_model.Ridge
DAMAGED = {
    "scores": (feature_selection.SelectKBest(k=2), "scores_", np.zeros(4), "CORRUPT"),
    "scores_text": (feature_selection.SelectKBest(k=2), "scores_", "x", "CORRUPT"),
    "k_negative": (feature_selection.SelectKBest(k=2), "k", -1, "CORRUPT"),
    "k_none": (feature_selection.SelectKBest(k=2), "k", 0, "UNSUPPORTED"),
    "percentile": (feature_selection.SelectPercentile(), "percentile", 101, "CORRUPT"),
    "p_values": (feature_selection.SelectFpr(alpha=1), "pvalues_", None, "CORRUPT"),
    "mode": (feature_selection.GenericUnivariateSelect(), "mode", "best", "CORRUPT"),
    "variances": (feature_selection.VarianceThreshold(), "variances_", np.zeros((2, 2)), "CORRUPT"),
    "support": (feature_selection.RFE(LINEAR()), "support_", np.ones(2, bool), "CORRUPT"),
    "model_estimator": (feature_selection.SelectFromModel(LINEAR()), "estimator_", 3, "CORRUPT"),
    "model_coef": (feature_selection.SelectFromModel(LINEAR()), "estimator_.coef_", np.zeros(2), "CORRUPT"),
    "model_nan": (feature_selection.SelectFromModel(LINEAR()), "estimator_.coef_", np.full(3, np.nan), "CORRUPT"),
    "threshold": (feature_selection.SelectFromModel(LINEAR()), "threshold", "2x*mean", "CORRUPT"),
    "threshold_name": (feature_selection.SelectFromModel(LINEAR()), "threshold", "mode", "CORRUPT"),
    "bins": (preprocessing.KBinsDiscretizer(3, strategy="uniform"), "bin_edges_", np.zeros((2, 4)), "CORRUPT"),
    "bins_none": (preprocessing.KBinsDiscretizer(3, strategy="uniform"), "bin_edges_", np.zeros((3, 0)), "CORRUPT"),
    "bins_encode": (preprocessing.KBinsDiscretizer(3, strategy="uniform"), "encode", "x", "CORRUPT"),
    "getter": (feature_selection.SelectFromModel(LINEAR()), "importance_getter", "steps.coef_", "UNSUPPORTED"),
    "limit": (feature_selection.SelectFromModel(LINEAR(), max_features=2), "max_features_", -2, "CORRUPT"),
    "model_kind": (feature_selection.SelectFromModel(ensemble.AdaBoostRegressor(n_estimators=2)), "threshold", None,
                   "UNSUPPORTED"),
    "model_width": (feature_selection.SelectFromModel(tree.DecisionTreeRegressor()), "estimator_.n_features_in_", 2,
                    "CORRUPT"),
    "forest_trees": (feature_selection.SelectFromModel(ensemble.RandomForestRegressor(2)), "estimator_.estimators_",
                     [1, "x"], "CORRUPT"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged(name, tmp_path):
    """One line that names what is wrong, and no output."""
    model, attribute, value, code = DAMAGED[name]
    x = np.abs(np.random.default_rng(0).normal(size=(30, 3)))
    model = fit(model, x, np.arange(30) % 3 + 1)
    owner = model
    while "." in attribute:
        part, attribute = attribute.split(".", 1)
        owner = getattr(owner, part)
    setattr(owner, attribute, value)
    if name == "model_width":
        x = x[:, :2]
    out = tmp_path / "out.csv"
    process = diff.run(diff.write_model(model, tmp_path), diff.write_rows(x, tmp_path), out)
    assert process.returncode == 3 and not out.exists(), process.stderr
    assert code in process.stderr and process.stderr.count("\n") == 1


def test_bins_that_were_all_too_narrow():
    """A column whose edges became one: every value is in the first bin."""
    x = np.random.default_rng(3).normal(size=(30, 2))
    model = preprocessing.KBinsDiscretizer(3, encode="ordinal", strategy="uniform").fit(x)
    model.bin_edges_[1] = model.bin_edges_[1][:1]
    model.n_bins_[1] = 0
    diff.compare(model, x)
