"""Naive Bayes, networks, clusters and projections: fresh models on awkward rows, against scikit-learn."""

import warnings

import differential as diff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import cluster, decomposition, naive_bayes, neural_network
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

FEATURES = st.sampled_from([1, 2, 3, 7, 8, 9, 16, 25])


def data(seed, n, rows=40):
    """Rows of columns of very different size."""
    rng = np.random.default_rng(seed)
    return rng, rng.normal(size=(rows, n)) * 10.0 ** rng.integers(-2, 3, n) + rng.integers(-3, 4, n)


def fit(model, x, y=None):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.fit(x, y)


# ---- Naive Bayes ------------------------------------------------------------------------------------------


@diff.examples(20)
@given(seed=diff.seeds, n=st.sampled_from([1, 2, 7, 8, 17, 130, 300]), n_classes=st.integers(1, 6),
       kind=st.sampled_from(diff.LABEL_KINDS), single=st.booleans(), priors=st.booleans())
def test_gaussian(seed, n, n_classes, kind, single, priors):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    prior = rng.dirichlet(np.ones(len(np.unique(y)))) if priors else None
    model = fit(naive_bayes.GaussianNB(priors=prior, var_smoothing=10.0 ** rng.uniform(-9, -1)), x, y)
    diff.compare(model, diff.awkward(rng, x).astype(np.float32 if single else np.float64))


DISCRETE = {
    "MultinomialNB": lambda rng: naive_bayes.MultinomialNB(alpha=rng.uniform(0.01, 3), fit_prior=bool(rng.integers(2))),
    "ComplementNB": lambda rng: naive_bayes.ComplementNB(alpha=rng.uniform(0.01, 3), norm=bool(rng.integers(2))),
    "BernoulliNB": lambda rng: naive_bayes.BernoulliNB(alpha=rng.uniform(0.01, 3), binarize=rng.integers(0, 3) / 2),
    "BernoulliRaw": lambda rng: naive_bayes.BernoulliNB(alpha=30.0, binarize=None),
}


@pytest.mark.parametrize("name", DISCRETE)
@diff.examples(10)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.integers(1, 6), kind=st.sampled_from(diff.LABEL_KINDS),
       single=st.booleans())
def test_discrete(name, seed, n, n_classes, kind, single):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2 if name == "BernoulliRaw" else 6, size=(40, n)).astype(float)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = fit(DISCRETE[name](rng), x, y)
    diff.compare(model, diff.awkward(rng, x).astype(np.float32 if single else np.float64))


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_on_one_hot(name):
    """Columns that stay coded."""
    rng = np.random.default_rng(3)
    x = rng.integers(0, 5, size=(60, 4))
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), DISCRETE[name](rng))
    diff.compare(fit(model, x, diff.labels(rng, 60, 3, "str")), rng.integers(-1, 7, size=(30, 4)).astype(float))


@diff.examples(12)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.integers(1, 5), kind=st.sampled_from(diff.LABEL_KINDS),
       spare=st.sampled_from([None, 9]), single=st.booleans())
def test_categorical(seed, n, n_classes, kind, spare, single):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 7, size=(60, n))
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = fit(naive_bayes.CategoricalNB(alpha=rng.uniform(0.01, 3), min_categories=spare), x, y)
    rows = x[:20] + rng.choice([0, 0.25, 0.875], size=(20, n))  # cut off
    rows[:2] -= 20  # refused
    rows[2, 0] = np.nan
    rows[3, 0] = np.inf
    diff.compare(model, rows.astype(np.float32 if single else np.float64))


def test_categorical_unseen(tmp_path):
    """The library raises IndexError."""
    x = np.arange(12).reshape(6, 2) % 4
    model = fit(naive_bayes.CategoricalNB(), x, np.arange(6) % 2)
    process = diff.run(diff.write_model(model, tmp_path), diff.write_rows(np.array([[0.0, 1.0], [4.0, 1.0]]), tmp_path),
                       tmp_path / "out.csv")
    assert process.returncode == 4 and "CategoricalNB" in process.stderr


# ---- Projections ------------------------------------------------------------------------------------------

PROJECTIONS = {
    "PCA": lambda n, w: decomposition.PCA(n, whiten=w),
    "PCA_cov": lambda n, w: decomposition.PCA(n, whiten=w, svd_solver="covariance_eigh"),
    "IncrementalPCA": lambda n, w: decomposition.IncrementalPCA(n, whiten=w),
    "TruncatedSVD": lambda n, w: decomposition.TruncatedSVD(n, random_state=0),
}


@pytest.mark.parametrize("name", PROJECTIONS)
@diff.examples(8)
@given(seed=diff.seeds, n=st.sampled_from([2, 3, 8, 17]), whiten=st.booleans(), fit32=st.booleans(),
       rows32=st.booleans())
def test_projection(name, seed, n, whiten, fit32, rows32):
    rng, x = data(seed, n)
    model = fit(PROJECTIONS[name](int(rng.integers(1, n + 1)), whiten), x.astype(np.float32 if fit32 else np.float64))
    diff.compare(model, diff.awkward(rng, x).astype(np.float32 if rows32 else np.float64), ["transform"])


def test_rank_deficient_whitening():
    rng, x = data(9, 4)
    x = np.column_stack([x, x[:, :2], np.ones(len(x))])
    diff.compare(fit(decomposition.PCA(5, whiten=True, svd_solver="covariance_eigh"), x), x, ["transform"])


def test_svd_of_one_hot():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 5, size=(60, 4))
    rows = rng.integers(-1, 7, size=(30, 4)).astype(float)
    encoder = OneHotEncoder(handle_unknown="ignore")
    diff.compare(fit(make_pipeline(encoder, decomposition.TruncatedSVD(3, random_state=0)), x), rows, ["transform"])
    diff.compare(fit(make_pipeline(encoder, decomposition.PCA(3, svd_solver="arpack", random_state=0)), x), rows,
                 ["transform"])
    beside = make_column_transformer((encoder, [0, 1]), remainder="passthrough", sparse_threshold=0)
    diff.compare(fit(make_pipeline(beside, decomposition.PCA(3)), x), rows, ["transform"])


# ---- Networks ---------------------------------------------------------------------------------------------

ACTIVATIONS = st.sampled_from(["identity", "logistic", "tanh", "relu"])
LAYERS = st.sampled_from([(3,), (8,), (17, 5), (2, 3, 4), ()])


def standard(x):
    return (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)


@diff.examples(15)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.integers(2, 5), kind=st.sampled_from(diff.LABEL_KINDS),
       activation=ACTIVATIONS, layers=LAYERS, fit32=st.booleans(), rows32=st.booleans())
def test_network_classifier(seed, n, n_classes, kind, activation, layers, fit32, rows32):
    rng, x = data(seed, n)
    x = standard(x).astype(np.float32 if fit32 else np.float64)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = neural_network.MLPClassifier(layers, activation, max_iter=8, random_state=0)
    diff.compare(fit(model, x, y), diff.awkward(rng, x).astype(np.float32 if rows32 else np.float64))


@diff.examples(6)
@given(seed=diff.seeds, n=FEATURES, n_labels=st.integers(2, 5), activation=ACTIVATIONS)
def test_network_multilabel(seed, n, n_labels, activation):
    rng, x = data(seed, n)
    x = standard(x)
    y = (x @ rng.normal(size=(n, n_labels)) > 0).astype(int)
    y[:2] = [[0] * n_labels, [1] * n_labels]
    model = neural_network.MLPClassifier((5,), activation, max_iter=8, random_state=0)
    diff.compare(fit(model, x, y), diff.awkward(rng, x))


@diff.examples(10)
@given(seed=diff.seeds, n=FEATURES, targets=st.sampled_from([0, 1, 3]), activation=ACTIVATIONS, layers=LAYERS,
       loss=st.sampled_from(["squared_error", "poisson"]), single=st.booleans())
def test_network_regressor(seed, n, targets, activation, layers, loss, single):
    rng, x = data(seed, n)
    x = standard(x)
    y = np.abs(rng.normal(size=(len(x), targets) if targets else len(x)))
    model = neural_network.MLPRegressor(hidden_layer_sizes=layers, activation=activation, loss=loss, max_iter=8, random_state=0)
    diff.compare(fit(model, x, y), diff.awkward(rng, x).astype(np.float32 if single else np.float64))


def test_network_on_one_hot():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 5, size=(60, 4))
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"),
                          neural_network.MLPClassifier((4,), max_iter=5, random_state=0))
    diff.compare(fit(model, x, diff.labels(rng, 60, 3, "str")), rng.integers(-1, 7, size=(30, 4)).astype(float))


# ---- Clusters ---------------------------------------------------------------------------------------------


@diff.examples(15)
@given(seed=diff.seeds, n=FEATURES, k=st.integers(1, 9), mini=st.booleans(), single=st.booleans())
def test_clusters(seed, n, k, mini, single):
    rng, x = data(seed, n)
    x = x.astype(np.float32 if single else np.float64)
    model = (cluster.MiniBatchKMeans if mini else cluster.KMeans)(k, n_init=1, random_state=0)
    diff.compare(fit(model, x), diff.awkward(rng, x).astype(x.dtype))


def test_cluster_ties():
    """Rows halfway between centres, and on them."""
    x = np.repeat([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]], 3, axis=0)
    model = fit(cluster.KMeans(4, n_init=1, random_state=0), x)
    diff.compare(model, np.vstack([x, x + 1, x * [1, 0] + [1, 0]]))


def test_clusters_of_one_hot():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 5, size=(60, 4))
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), cluster.KMeans(3, n_init=1, random_state=0))
    diff.compare(fit(model, x), rng.integers(-1, 7, size=(30, 4)).astype(float))


# ---- Damaged models ---------------------------------------------------------------------------------------

GONE = object()
DAMAGED = {
    "theta_rows": (naive_bayes.GaussianNB, {}, "theta_", np.zeros((2, 3)), "CORRUPT"),
    "theta_columns": (naive_bayes.GaussianNB, {}, "theta_", np.zeros((3, 4)), "CORRUPT"),
    "variance": (naive_bayes.GaussianNB, {}, "var_", np.zeros((3, 2)), "CORRUPT"),
    "variance_gone": (naive_bayes.GaussianNB, {}, "var_", GONE, "CORRUPT"),
    "prior": (naive_bayes.GaussianNB, {}, "class_prior_", np.zeros(2), "CORRUPT"),
    "bayes_classes": (naive_bayes.GaussianNB, {}, "classes_", np.zeros(0), "CORRUPT"),
    "log_prob": (naive_bayes.MultinomialNB, {}, "feature_log_prob_", np.zeros((3, 0)), "CORRUPT"),
    "log_prob_text": (naive_bayes.BernoulliNB, {}, "feature_log_prob_", "x", "CORRUPT"),
    "log_prior": (naive_bayes.ComplementNB, {}, "class_log_prior_", np.zeros(4), "CORRUPT"),
    "categories": (naive_bayes.CategoricalNB, {}, "feature_log_prob_", [np.zeros((3, 2))], "CORRUPT"),
    "categories_classes": (naive_bayes.CategoricalNB, {}, "feature_log_prob_", [np.zeros((2, 2))] * 3, "CORRUPT"),
    "binarize": (naive_bayes.BernoulliNB, {}, "binarize", "x", "CORRUPT"),
    "coefs": (neural_network.MLPClassifier, {}, "coefs_", [], "CORRUPT"),
    "coefs_shape": (neural_network.MLPClassifier, {}, "coefs_", [np.zeros((3, 4)), np.zeros((5, 3))], "CORRUPT"),
    "coefs_outputs": (neural_network.MLPClassifier, {}, "coefs_", [np.zeros((3, 5)), np.zeros((5, 2))], "CORRUPT"),
    "coefs_number": (neural_network.MLPRegressor, {}, "coefs_", [1, 2], "CORRUPT"),
    "coefs_three_axes": (neural_network.MLPRegressor, {}, "coefs_", [np.zeros((3, 1, 5)), np.zeros((5, 1))], "CORRUPT"),
    "intercepts": (neural_network.MLPRegressor, {}, "intercepts_", [np.zeros(5), np.zeros(2)], "CORRUPT"),
    "intercepts_gone": (neural_network.MLPRegressor, {}, "intercepts_", GONE, "CORRUPT"),
    "activation": (neural_network.MLPRegressor, {}, "activation", "sine", "UNSUPPORTED"),
    "binarizer_gone": (neural_network.MLPClassifier, {}, "_label_binarizer", GONE, "CORRUPT"),
    "binarizer_number": (neural_network.MLPClassifier, {}, "_label_binarizer", 7, "CORRUPT"),
    "centres": (cluster.KMeans, {}, "cluster_centers_", np.zeros((0, 3)), "CORRUPT"),
    "centres_columns": (cluster.KMeans, {}, "cluster_centers_", np.zeros((2, 4)), "CORRUPT"),
    "centres_none": (cluster.MiniBatchKMeans, {}, "cluster_centers_", None, "CORRUPT"),
    "components": (decomposition.PCA, {}, "components_", np.zeros((2, 4)), "CORRUPT"),
    "components_none": (decomposition.TruncatedSVD, {}, "components_", np.zeros((0, 3)), "CORRUPT"),
    "mean": (decomposition.PCA, {}, "mean_", np.zeros(2), "CORRUPT"),
    "explained": (decomposition.PCA, {"whiten": True}, "explained_variance_", np.zeros(9), "CORRUPT"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged(name, tmp_path):
    """One line that names what is wrong, and no output."""
    make, parameters, attribute, value, code = DAMAGED[name]
    x = np.abs(np.random.default_rng(0).normal(size=(30, 3)))
    if make.__module__.startswith("sklearn.neural_network"):
        parameters = {"hidden_layer_sizes": (5,), "max_iter": 3}
    model = fit(make(**parameters), x, np.arange(30) % 3 + 1)
    if value is GONE:
        delattr(model, attribute)
    else:
        setattr(model, attribute, value)
    out = tmp_path / "out.csv"
    process = diff.run(diff.write_model(model, tmp_path), diff.write_rows(x, tmp_path), out)
    assert process.returncode == 3 and not out.exists(), process.stderr
    assert code in process.stderr and process.stderr.count("\n") == 1
