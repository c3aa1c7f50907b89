"""Support vector machines: fresh models with random parameters on awkward rows, against scikit-learn."""

import warnings

import differential as diff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import svm
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FEATURES = st.sampled_from([1, 2, 3, 7, 8, 15, 16, 17, 40])
KERNELS = st.sampled_from(["linear", "poly", "rbf", "sigmoid"])


def data(seed, n, rows=45):
    rng = np.random.default_rng(seed)
    return rng, rng.normal(size=(rows, n))


def fit(model, x, y=None):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.fit(x, y)


def parameters(rng, kernel):
    return {"kernel": kernel, "gamma": ["scale", "auto", 0.3][rng.integers(3)], "degree": int(rng.integers(1, 5)),
            "coef0": float(rng.integers(0, 3)) / 2}


def rows_of(rng, x, single=False, special=True):
    """Awkward rows without the huge values that polynomial kernels turn into infinities on both sides."""
    rows = diff.awkward(rng, x, special)
    rows[5] /= 1e5
    return rows.astype(np.float32 if single else np.float64)


@diff.examples(25)
@given(seed=diff.seeds, n=FEATURES, kernel=KERNELS, n_classes=st.sampled_from([2, 3, 4, 7]),
       kind=st.sampled_from(diff.LABEL_KINDS), shape=st.sampled_from(["ovr", "ovo"]), single=st.booleans(),
       ties=st.booleans())
def test_classifier(seed, n, kernel, n_classes, kind, shape, single, ties):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = svm.SVC(C=10.0 ** rng.integers(-1, 3), decision_function_shape=shape, break_ties=ties and shape == "ovr",
                    **parameters(rng, kernel))
    diff.compare(fit(model, x, y), rows_of(rng, x, single))


@diff.examples(12)
@given(seed=diff.seeds, n=FEATURES, kernel=KERNELS, n_classes=st.sampled_from([2, 3, 5]),
       shape=st.sampled_from(["ovr", "ovo"]))
def test_nu_classifier(seed, n, kernel, n_classes, shape):
    rng, x = data(seed, n)
    model = svm.NuSVC(nu=0.1, decision_function_shape=shape, **parameters(rng, kernel))
    diff.compare(fit(model, x, diff.labels(rng, len(x), n_classes, "str")), rows_of(rng, x))


@diff.examples(12)
@given(seed=diff.seeds, n=FEATURES, kernel=KERNELS, n_classes=st.sampled_from([2, 3, 6]), nu=st.booleans())
def test_probabilities(seed, n, kernel, n_classes, nu):
    rng, x = data(seed, n, rows=60)
    more = {"probability": True, "random_state": 0, **parameters(rng, kernel)}
    model = svm.NuSVC(nu=0.1, **more) if nu else svm.SVC(**more)
    fit(model, x, diff.labels(rng, len(x), n_classes, "str"))
    diff.compare(model, rows_of(rng, x), ["predict", "predict_proba", "predict_log_proba"])


@diff.examples(20)
@given(seed=diff.seeds, n=FEATURES, kernel=KERNELS, single=st.booleans(),
       kind=st.sampled_from([svm.SVR, svm.NuSVR, svm.OneClassSVM]))
def test_one_value(seed, n, kernel, single, kind):
    rng, x = data(seed, n)
    y = x @ rng.normal(size=n) + rng.normal(size=len(x))
    model = fit(kind(**parameters(rng, kernel)), x, y)
    diff.compare(model, rows_of(rng, x, single))


@diff.examples(15)
@given(seed=diff.seeds, n=FEATURES, kernel=KERNELS, n_classes=st.sampled_from([2, 3]),
       density=st.sampled_from([0.1, 0.5, 1.0]))
def test_fitted_on_sparse_rows(seed, n, kernel, n_classes, density):
    rng, x = data(seed, n)
    x[rng.random(x.shape) > density] = 0
    model = svm.SVC(probability=True, random_state=0, decision_function_shape="ovo", **parameters(rng, kernel))
    fit(model, sparse.csr_matrix(x), diff.labels(rng, len(x), n_classes, "int"))
    rows = rows_of(rng, x)
    rows[rng.random(rows.shape) > 0.7] = 0
    diff.compare(model, rows)


@diff.examples(5)
@given(seed=diff.seeds, compress=st.sampled_from([0, 3, ("xz", 1)]))
def test_pipeline_with_names(seed, compress):
    rng, x = data(seed, 4)
    frame = pd.DataFrame(x * [1, 100, 1e-3, 5] + 7, columns=["größe", "日本", "a,b", "x \"y\""])
    model = fit(make_pipeline(StandardScaler(), svm.SVC()), frame, diff.labels(rng, len(x), 3, "unicode"))
    rows = pd.DataFrame(rows_of(rng, frame.to_numpy()), columns=frame.columns)
    diff.compare(model, rows, compress=compress)


def test_flat_regressor():
    """All targets within epsilon: no support vectors at all."""
    rng, x = data(1, 3)
    model = fit(svm.SVR(epsilon=100.0), x, x[:, 0])
    assert model.support_vectors_.shape[0] == 0
    diff.compare(model, x)


def test_many_vectors():
    rng, x = data(2, 5, rows=900)
    model = fit(svm.SVC(gamma=0.5), x, diff.labels(rng, len(x), 4, "int"))
    diff.compare(model, x[:100])
    diff.same_bytes(model, x, "decision_function", [], ["--batch-size", "1"], ["--batch-size", "33", "--threads", "1"],
                    ["--threads", "2", "--batch-size", "7"])
    diff.no_rows(model, x)


# ---- Damaged models ---------------------------------------------------------------------------------------

GONE = object()
DAMAGED = {
    "vectors_gone": ("support_vectors_", GONE, "CORRUPT"),
    "vectors_text": ("support_vectors_", "x", "CORRUPT"),
    "vectors_columns": ("support_vectors_", np.zeros((3, 7)), "CORRUPT"),
    "vectors_sparse_csc": ("support_vectors_", sparse.csc_matrix(np.eye(3)), "UNSUPPORTED"),
    "coef_gone": ("_dual_coef_", GONE, "CORRUPT"),
    "coef_rows": ("_dual_coef_", np.zeros((1, 40)), "CORRUPT"),
    "coef_columns": ("_dual_coef_", np.zeros((2, 3)), "CORRUPT"),
    "intercept": ("_intercept_", np.zeros(2), "CORRUPT"),
    "support_negative": ("_n_support", np.array([-1, 40, 1]), "CORRUPT"),
    "support_sum": ("_n_support", np.array([1, 1, 1]), "CORRUPT"),
    "support_nan": ("_n_support", np.array([np.nan, 1, 1]), "CORRUPT"),
    "support_huge": ("_n_support", np.array([2**62, 2**62, 2**62]), "CORRUPT"),
    "support_two": ("_n_support", np.array([20, 20]), "CORRUPT"),
    "classes_one": ("classes_", np.arange(1), "CORRUPT"),
    "classes_more": ("classes_", np.arange(400), "CORRUPT"),
    "gamma_text": ("_gamma", "scale", "CORRUPT"),
    "degree_huge": ("degree", 2**40, "CORRUPT"),
    "kernel_none": ("kernel", None, "UNSUPPORTED"),
    "kernel_precomputed": ("kernel", "precomputed", "UNSUPPORTED"),
    "kernel_function": ("kernel", np.dot, "UNSUPPORTED"),
    "proba": ("_probA", np.zeros(1), "CORRUPT"),
    "shape_ovo": ("decision_function_shape", "ovo", "UNSUPPORTED"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged(name, tmp_path):
    """One line that names what is wrong, and no output."""
    attribute, value, code = DAMAGED[name]
    rng, x = data(0, 3)
    model = fit(svm.SVC(probability=True, random_state=0, break_ties=True), x, np.arange(len(x)) % 3)
    if value is GONE:
        delattr(model, attribute)
    else:
        setattr(model, attribute, value)
    out = tmp_path / "out.csv"
    process = diff.run(diff.write_model(model, tmp_path), diff.write_rows(x, tmp_path), out, "--proba")
    assert process.returncode == 3 and not out.exists(), process.stderr
    assert code in process.stderr and process.stderr.count("\n") == 1
