"""Linear models and dummies: fresh models with random parameters on awkward rows, against scikit-learn."""

import warnings

import differential as diff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import dummy, linear_model, svm

FEATURES = st.sampled_from([1, 2, 3, 7, 8, 9, 16, 25])


def data(seed, n, rows=40):
    """Rows of columns of very different size."""
    rng = np.random.default_rng(seed)
    return rng, rng.normal(size=(rows, n)) * 10.0 ** rng.integers(-2, 3, n) + rng.integers(-3, 4, n)


def fit(model, x, y):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.fit(x, y)


def standard(x):
    return (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)


# ---- Regressors -----------------------------------------------------------------------------------------

SINGLE = {
    "LinearRegression": lambda rng, i: linear_model.LinearRegression(fit_intercept=i),
    "LinearRegressionPositive": lambda rng, i: linear_model.LinearRegression(fit_intercept=i, positive=True),
    "Ridge": lambda rng, i: linear_model.Ridge(alpha=rng.uniform(0.01, 10), fit_intercept=i),
    "RidgeCV": lambda rng, i: linear_model.RidgeCV(fit_intercept=i),
    "Lasso": lambda rng, i: linear_model.Lasso(alpha=rng.uniform(0.01, 1), fit_intercept=i),
    "LassoCV": lambda rng, i: linear_model.LassoCV(alphas=[0.01, 0.1, 1.0], cv=3, fit_intercept=i),
    "ElasticNet": lambda rng, i: linear_model.ElasticNet(alpha=rng.uniform(0.01, 1), fit_intercept=i),
    "ElasticNetCV": lambda rng, i: linear_model.ElasticNetCV(alphas=[0.01, 0.1], cv=3, fit_intercept=i),
    "Lars": lambda rng, i: linear_model.Lars(fit_intercept=i),
    "LarsCV": lambda rng, i: linear_model.LarsCV(fit_intercept=i, cv=3),
    "LassoLars": lambda rng, i: linear_model.LassoLars(alpha=0.1, fit_intercept=i),
    "LassoLarsCV": lambda rng, i: linear_model.LassoLarsCV(fit_intercept=i, cv=3),
    "LassoLarsIC": lambda rng, i: linear_model.LassoLarsIC(fit_intercept=i),
    "OrthogonalMatchingPursuit": lambda rng, i: linear_model.OrthogonalMatchingPursuit(fit_intercept=i),
    "OrthogonalMatchingPursuitCV": lambda rng, i: linear_model.OrthogonalMatchingPursuitCV(fit_intercept=i, cv=3),
    "BayesianRidge": lambda rng, i: linear_model.BayesianRidge(fit_intercept=i),
    "ARDRegression": lambda rng, i: linear_model.ARDRegression(fit_intercept=i),
    "HuberRegressor": lambda rng, i: linear_model.HuberRegressor(fit_intercept=i),
    "TheilSenRegressor": lambda rng, i: linear_model.TheilSenRegressor(
        fit_intercept=i, max_subpopulation=50, random_state=0),
    "QuantileRegressor": lambda rng, i: linear_model.QuantileRegressor(quantile=0.7, alpha=0.1, fit_intercept=i),
    "SGDRegressor": lambda rng, i: linear_model.SGDRegressor(
        fit_intercept=i, max_iter=20, tol=None, random_state=0, average=bool(rng.integers(2))),
    "PassiveAggressiveRegressor": lambda rng, i: linear_model.PassiveAggressiveRegressor(
        fit_intercept=i, max_iter=20, tol=None, random_state=0),
    "LinearSVR": lambda rng, i: svm.LinearSVR(fit_intercept=i, max_iter=200, random_state=0),
}
SEVERAL = ["LinearRegression", "LinearRegressionPositive", "Ridge", "RidgeCV", "Lasso", "ElasticNet", "Lars",
           "LassoLars", "OrthogonalMatchingPursuit"]
SEVERAL_ONLY = {
    "MultiTaskLasso": lambda rng, i: linear_model.MultiTaskLasso(alpha=0.1, fit_intercept=i),
    "MultiTaskLassoCV": lambda rng, i: linear_model.MultiTaskLassoCV(alphas=[0.1, 1.0], cv=3, fit_intercept=i),
    "MultiTaskElasticNet": lambda rng, i: linear_model.MultiTaskElasticNet(alpha=0.1, fit_intercept=i),
    "MultiTaskElasticNetCV": lambda rng, i: linear_model.MultiTaskElasticNetCV(
        alphas=[0.1, 1.0], cv=3, fit_intercept=i),
}
GLM = {
    "PoissonRegressor": lambda rng: linear_model.PoissonRegressor(alpha=rng.uniform(0, 2)),
    "GammaRegressor": lambda rng: linear_model.GammaRegressor(alpha=rng.uniform(0.1, 2)),
    "TweedieLog": lambda rng: linear_model.TweedieRegressor(power=1.5, alpha=0.5, link="log"),
    "TweedieAuto": lambda rng: linear_model.TweedieRegressor(power=[0, 1, 1.9, 2, 3][rng.integers(5)], alpha=0.5),
    "TweedieIdentity": lambda rng: linear_model.TweedieRegressor(power=0, link="identity"),
}


# With one column Orthogonal Matching Pursuit leaves a scalar coef_, on which its own predict fails.
def columns(name, n):
    return max(n, 2) if name.startswith("OrthogonalMatchingPursuit") else n


@pytest.mark.parametrize("name", SINGLE)
@diff.examples(5)
@given(seed=diff.seeds, n=FEATURES, intercept=st.booleans(), single=st.booleans(), fit_single=st.booleans())
def test_regressor(name, seed, n, intercept, single, fit_single):
    n = columns(name, n)
    rng, x = data(seed, n)
    x = standard(x)
    y = x @ rng.normal(size=n) + rng.normal(size=len(x)) + 3
    model = SINGLE[name](rng, intercept)
    fit(model, *((x.astype(np.float32), y.astype(np.float32)) if fit_single else (x, y)))
    diff.compare(model, diff.awkward(rng, x).astype(np.float32 if single else np.float64))


@pytest.mark.parametrize("name", SEVERAL + list(SEVERAL_ONLY))
@diff.examples(5)
@given(seed=diff.seeds, n=FEATURES, targets=st.sampled_from([1, 2, 3, 8, 9, 17]), intercept=st.booleans(),
       single=st.booleans())
def test_regressor_of_several_targets(name, seed, n, targets, intercept, single):
    n = columns(name, n)
    rng, x = data(seed, n)
    y = x @ rng.normal(size=(n, targets)) + rng.normal(size=(len(x), targets))
    model = fit({**SINGLE, **SEVERAL_ONLY}[name](rng, intercept), x, y)
    diff.compare(model, diff.awkward(rng, x).astype(np.float32 if single else np.float64))


@pytest.mark.parametrize("name", GLM)
@diff.examples(5)
@given(seed=diff.seeds, n=FEATURES, single=st.booleans())
def test_generalised(name, seed, n, single):
    rng, x = data(seed, n)
    x = standard(x)
    y = np.exp(0.1 * x @ rng.normal(size=n)) + rng.uniform(0.1, 1, size=len(x))
    model = fit(GLM[name](rng), x, y)
    rows = diff.awkward(rng, x)
    rows[5] /= 1e6  # exp would overflow, and the error of the sum is carried through it
    diff.compare(model, rows.astype(np.float32 if single else np.float64))


# ---- Classifiers ------------------------------------------------------------------------------------------

CLASSIFIERS = {
    "RidgeClassifier": lambda rng, i: linear_model.RidgeClassifier(alpha=rng.uniform(0.1, 5), fit_intercept=i),
    "RidgeClassifierCV": lambda rng, i: linear_model.RidgeClassifierCV(fit_intercept=i),
    "LinearSVC": lambda rng, i: svm.LinearSVC(fit_intercept=i, max_iter=200, random_state=0),
    "LinearSVCL1": lambda rng, i: svm.LinearSVC(
        penalty="l1", dual=False, fit_intercept=i, max_iter=200, random_state=0),
    "LinearSVCCrammer": lambda rng, i: svm.LinearSVC(
        multi_class="crammer_singer", fit_intercept=i, max_iter=100, random_state=0),
    "Perceptron": lambda rng, i: linear_model.Perceptron(fit_intercept=i, max_iter=20, tol=None, random_state=0),
    "PassiveAggressiveClassifier": lambda rng, i: linear_model.PassiveAggressiveClassifier(
        fit_intercept=i, max_iter=20, tol=None, random_state=0),
    "LogisticRegression": lambda rng, i: linear_model.LogisticRegression(C=10.0 ** rng.uniform(-2, 3), fit_intercept=i),
    "LogisticRegressionCV": lambda rng, i: linear_model.LogisticRegressionCV(
        Cs=[0.1, 1.0], cv=2, fit_intercept=i, l1_ratios=(0.0,), use_legacy_attributes=False),
    "LogisticSaga": lambda rng, i: linear_model.LogisticRegression(
        solver="saga", l1_ratio=0.5, max_iter=50, fit_intercept=i, random_state=0),
    "LogisticCholesky": lambda rng, i: linear_model.LogisticRegression(solver="newton-cholesky", fit_intercept=i),
    **{"SGD_" + loss: lambda rng, i, loss=loss: linear_model.SGDClassifier(
        loss=loss, fit_intercept=i, max_iter=20, tol=None, random_state=0, average=bool(rng.integers(2)),
        alpha=10.0 ** rng.uniform(-6, -1))
       for loss in ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron", "huber", "squared_error")},
}


@pytest.mark.parametrize("name", CLASSIFIERS)
@diff.examples(6)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.sampled_from([2, 2, 3, 5, 7]), kind=st.sampled_from(diff.LABEL_KINDS),
       intercept=st.booleans(), single=st.booleans())
def test_classifier(name, seed, n, n_classes, kind, intercept, single):
    rng, x = data(seed, n)
    x = standard(x)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = fit(CLASSIFIERS[name](rng, intercept), x, y)
    diff.compare(model, diff.awkward(rng, x).astype(np.float32 if single else np.float64))


@diff.examples(8)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.sampled_from([2, 3, 6]), rows32=st.booleans())
def test_float32_model(seed, n, n_classes, rows32):
    """Trained on float32, so that coefficients, scores and probabilities are float32 where the rows are."""
    rng, x = data(seed, n)
    x = standard(x).astype(np.float32)
    model = fit(linear_model.LogisticRegression(), x, diff.labels(rng, len(x), n_classes, "str"))
    diff.compare(model, diff.awkward(rng, x).astype(np.float32 if rows32 else np.float64))


@diff.examples(8)
@given(seed=diff.seeds, n=FEATURES, n_labels=st.sampled_from([2, 3, 9]))
def test_multilabel_ridge(seed, n, n_labels):
    rng, x = data(seed, n)
    y = (x @ rng.normal(size=(n, n_labels)) > 0).astype(int)
    y[:2] = [[0] * n_labels, [1] * n_labels]
    diff.compare(fit(linear_model.RidgeClassifier(), x, y), diff.awkward(rng, x))


@diff.examples(8)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.sampled_from([2, 4]), csc=st.booleans())
def test_sparsified(seed, n, n_classes, csc):
    """coef_ as a sparse matrix."""
    rng, x = data(seed, n)
    x = standard(x)
    model = fit(linear_model.SGDClassifier(penalty="l1", alpha=0.05, max_iter=20, tol=None, random_state=0), x,
                diff.labels(rng, len(x), n_classes, "str"))
    dense = model.coef_
    model.sparsify()
    if csc:
        model.coef_ = model.coef_.tocsc()
    rows = diff.awkward(rng, x, special=False)
    diff.compare(model, rows, ["predict", "decision_function"])
    assert np.array_equal(model.densify().coef_, dense)


@diff.examples(8)
@given(seed=diff.seeds, n=FEATURES, nu=st.floats(0.05, 0.9), intercept=st.booleans())
def test_one_class(seed, n, nu, intercept):
    rng, x = data(seed, n)
    x = standard(x)
    model = linear_model.SGDOneClassSVM(nu=nu, fit_intercept=intercept, max_iter=20, tol=None, random_state=0).fit(x)
    diff.compare(model, diff.awkward(rng, x))


def test_underflow_of_one_versus_rest():
    """Scores so low that every sigmoid is zero: equal probabilities, with logarithms."""
    rng, x = data(5, 3)
    x = standard(x)
    model = fit(linear_model.SGDClassifier(loss="log_loss", alpha=1e-8, max_iter=20, tol=None, random_state=0), x,
                diff.labels(rng, len(x), 4, "int"))
    rows = np.repeat(x[:4], 6, axis=0) * 10.0 ** np.tile([0, 1, 2, 3, 4, 5], 4)[:, None]
    model.intercept_ -= 2000.0
    diff.compare(model, rows)


# ---- Dummies ----------------------------------------------------------------------------------------------


@diff.examples(12)
@given(seed=diff.seeds, n_classes=st.integers(1, 5), kind=st.sampled_from(diff.LABEL_KINDS),
       strategy=st.sampled_from(["most_frequent", "prior", "constant"]))
def test_dummy_classifier(seed, n_classes, kind, strategy):
    rng, x = data(seed, 3)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = dummy.DummyClassifier(strategy=strategy, constant=[y[0]] if strategy == "constant" else None)
    diff.compare(fit(model, x, y), diff.awkward(rng, x))


@diff.examples(6)
@given(seed=diff.seeds, strategy=st.sampled_from(["most_frequent", "prior"]))
def test_dummy_classifier_of_several_targets(seed, strategy):
    rng, x = data(seed, 2)
    y = np.column_stack([rng.integers(0, 3, len(x)), rng.integers(5, 7, len(x)), np.ones(len(x), dtype=int)])
    diff.compare(fit(dummy.DummyClassifier(strategy=strategy), x, y), diff.awkward(rng, x))


def test_dummy_uniform():
    rng, x = data(1, 2)
    model = fit(dummy.DummyClassifier(strategy="uniform"), x, diff.labels(rng, len(x), 3, "str"))
    diff.compare(model, x, ["predict_proba", "predict_log_proba"])


@diff.examples(8)
@given(seed=diff.seeds, targets=st.sampled_from([0, 1, 4]), whole=st.booleans(),
       strategy=st.sampled_from(["mean", "median", "quantile", "constant"]))
def test_dummy_regressor(seed, targets, whole, strategy):
    rng, x = data(seed, 2)
    y = rng.integers(-5, 5, size=(len(x), targets) if targets else len(x))
    constant = (y[0] if whole else y[0] + 0.25) if strategy == "constant" else None
    model = dummy.DummyRegressor(strategy=strategy, quantile=0.3 if strategy == "quantile" else None, constant=constant)
    diff.compare(fit(model, x, y), diff.awkward(rng, x))


# ---- Shapes and forms -------------------------------------------------------------------------------------


def test_thousand_columns():
    rng, x = data(3, 1000)
    for model in (linear_model.Ridge(), linear_model.LogisticRegression(max_iter=20)):
        y = diff.labels(rng, len(x), 3, "int")
        diff.compare(fit(model, standard(x), y), standard(x))


def test_one_row_and_none():
    rng, x = data(4, 5)
    model = fit(linear_model.LogisticRegression(), standard(x), diff.labels(rng, len(x), 3, "unicode"))
    diff.compare(model, x[:1])
    for method in ("predict", "predict_proba", "decision_function"):
        diff.no_rows(model, x, method)


@diff.examples(8)
@given(seed=diff.seeds, compress=st.sampled_from([0, 3, ("xz", 1), ("lz4", 1)]))
def test_table_with_names(seed, compress):
    """Unicode names, columns found by name in another order, missing cells refused."""
    rng, x = data(seed, 4)
    frame = pd.DataFrame(standard(x), columns=["größe", "日本", "a,b", "x \"y\""])
    y = diff.labels(rng, len(x), 3, "unicode")
    model = fit(linear_model.LogisticRegression(), frame, y)
    rows = pd.DataFrame(diff.awkward(rng, frame.to_numpy()), columns=frame.columns)
    diff.compare(model, rows, compress=compress)


@diff.examples(6)
@given(seed=diff.seeds, n=FEATURES, targets=st.sampled_from([1, 5, 8]))
def test_block_and_threads_do_not_matter(seed, n, targets):
    rng, x = data(seed, n, rows=700)
    model = fit(linear_model.Ridge(), x, x @ rng.normal(size=(n, targets)))
    diff.same_bytes(model, x, "predict", [], ["--batch-size", "1"], ["--batch-size", "33", "--threads", "1"],
                    ["--threads", "2", "--batch-size", "7"])


# ---- Damaged models ---------------------------------------------------------------------------------------

GONE = object()
CONSTANT = {"strategy": "constant", "constant": 1}
DAMAGED = {
    "coef_rows": (linear_model.LogisticRegression, {}, "coef_", np.zeros((2, 3)), "CORRUPT"),
    "coef_columns": (linear_model.LogisticRegression, {}, "coef_", np.zeros((3, 4)), "CORRUPT"),
    "coef_three_axes": (linear_model.LogisticRegression, {}, "coef_", np.zeros((3, 1, 3)), "CORRUPT"),
    "coef_no_rows": (linear_model.LogisticRegression, {}, "coef_", np.zeros((0, 3)), "CORRUPT"),
    "coef_no_columns": (linear_model.LogisticRegression, {}, "coef_", np.zeros((3, 0)), "CORRUPT"),
    "coef_text": (linear_model.LogisticRegression, {}, "coef_", "x", "CORRUPT"),
    "coef_objects": (linear_model.LogisticRegression, {}, "coef_", np.array([["a", "b", "c"]], object), "CORRUPT"),
    "coef_none": (linear_model.LogisticRegression, {}, "coef_", None, "CORRUPT"),
    "coef_gone": (linear_model.LogisticRegression, {}, "coef_", GONE, "CORRUPT"),
    "coef_sparse": (linear_model.LogisticRegression, {}, "coef_", sparse.csr_matrix(np.zeros((2, 3))), "CORRUPT"),
    "intercept_two": (linear_model.LogisticRegression, {}, "intercept_", np.zeros(2), "CORRUPT"),
    "intercept_none": (linear_model.LinearRegression, {}, "intercept_", np.zeros(0), "CORRUPT"),
    "classes_none": (linear_model.LogisticRegression, {}, "classes_", np.zeros(0), "CORRUPT"),
    "classes_two": (svm.LinearSVC, {}, "classes_", np.arange(2), "CORRUPT"),
    "classes_dict": (linear_model.LogisticRegression, {}, "classes_", {"a": 1}, "CORRUPT"),
    "classes_objects": (linear_model.Perceptron, {}, "classes_", np.array([object(), 1, 2], object), "UNSUPPORTED"),
    "binarizer_gone": (linear_model.RidgeClassifier, {}, "_label_binarizer", GONE, "CORRUPT"),
    "binarizer_number": (linear_model.RidgeClassifier, {}, "_label_binarizer", 3, "CORRUPT"),
    "link": (linear_model.TweedieRegressor, {}, "link", "cube", "UNSUPPORTED"),
    "offset_two": (linear_model.SGDOneClassSVM, {}, "offset_", np.zeros(2), "CORRUPT"),
    "prior_short": (dummy.DummyClassifier, {}, "class_prior_", np.zeros(2), "CORRUPT"),
    "prior_nested": (dummy.DummyClassifier, {}, "class_prior_", [np.zeros(3)], "CORRUPT"),
    "targets": (dummy.DummyClassifier, {}, "classes_", [np.arange(3), np.arange(3)], "CORRUPT"),
    "constant_absent": (dummy.DummyClassifier, CONSTANT, "constant", 7, "CORRUPT"),
    "constant_gone": (dummy.DummyClassifier, CONSTANT, "constant", GONE, "CORRUPT"),
    "stratified": (dummy.DummyClassifier, {}, "strategy", "stratified", "UNSUPPORTED"),
    "strategy": (dummy.DummyClassifier, {}, "strategy", "x", "UNSUPPORTED"),
    "regressor_text": (dummy.DummyRegressor, {}, "constant_", "x", "CORRUPT"),
    "regressor_outputs": (dummy.DummyRegressor, {}, "n_outputs_", 10**12, "CORRUPT"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged(name, tmp_path):
    """One line that names what is wrong, and no output."""
    make, parameters, attribute, value, code = DAMAGED[name]
    x = np.random.default_rng(0).normal(size=(30, 3))
    model = fit(make(**parameters), x, np.arange(30) % 3 + 1)
    if value is GONE:
        delattr(model, attribute)
    else:
        setattr(model, attribute, value)
    out = tmp_path / "out.csv"
    process = diff.run(diff.write_model(model, tmp_path), diff.write_rows(x, tmp_path), out)
    assert process.returncode == 3 and not out.exists(), process.stderr
    assert code in process.stderr and process.stderr.count("\n") == 1
