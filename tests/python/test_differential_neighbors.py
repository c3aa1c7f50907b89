"""Nearest neighbours: fresh models with random parameters on awkward rows, against scikit-learn.

scikit-learn is held to one thread: with more, which of several points at one distance it names changes from run to run.
"""

import warnings

import differential as diff
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import sparse
from sklearn import neighbors
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

FEATURES = st.sampled_from([1, 2, 3, 7, 8, 15, 16, 17, 33, 300])
METRICS = {
    "euclidean": {}, "manhattan": {"p": 1}, "p3": {"p": 3}, "p1.5": {"p": 1.5}, "chebyshev": {"metric": "chebyshev"},
    "l2": {"metric": "l2"}, "cityblock": {"metric": "cityblock"}, "cosine": {"metric": "cosine"},
}
ALGORITHMS = ["brute", "kd_tree", "ball_tree", "auto"]


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def data(seed, n, rows=70, grid=False):
    """Points of continuous coordinates, or on a coarse grid, where many lie at one distance or coincide."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, n))
    return rng, np.round(x * 2) / 2 if grid else x


def fit(model, x, y=None):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.fit(x, y)


def rows_of(rng, x, single=False, grid=False):
    """Awkward rows; on a grid those that coincide with points, or lie between them."""
    if grid:
        return np.vstack([x[:6], np.round(rng.normal(size=(12, x.shape[1])) * 4) / 4])
    rows = diff.awkward(rng, x + 0.001)
    rows[1:3] += rng.normal(size=(2, x.shape[1])) * 1e-3  # not equally far from points on one axis
    return rows.astype(np.float32 if single else np.float64)


def search(rng, algorithm, metric, k):
    if metric == "cosine":
        algorithm = "brute"
    return {"n_neighbors": k, "algorithm": algorithm, "leaf_size": int(rng.integers(1, 12)), **METRICS[metric]}


@pytest.mark.parametrize("metric", METRICS)
@diff.examples(8)
@given(seed=diff.seeds, n=FEATURES, algorithm=st.sampled_from(ALGORITHMS), k=st.sampled_from([1, 2, 5, 17, 70]),
       single=st.booleans())
def test_kneighbors(metric, seed, n, algorithm, k, single):
    rng, x = data(seed, n)
    model = fit(neighbors.NearestNeighbors(**search(rng, algorithm, metric, k)), x)
    diff.compare(model, rows_of(rng, x, single))


@pytest.mark.parametrize("metric", ["sqeuclidean", "seuclidean", "canberra", "braycurtis", "haversine", "hamming"])
@diff.examples(8)
@given(seed=diff.seeds, n=FEATURES, tree=st.booleans(), k=st.sampled_from([1, 2, 5, 17]), single=st.booleans(),
       fit_single=st.booleans(), weights=st.sampled_from(["uniform", "distance"]))
def test_other_metrics(metric, seed, n, tree, k, single, fit_single, weights):
    """Hamming's distances are few, so that only a tree's choice among points at one distance can be the library's."""
    n = 2 if metric == "haversine" else n
    rng, x = data(seed, n, grid=metric == "hamming")
    rows = np.vstack([x[:4], rng.normal(size=(14, n))]) if metric in ("haversine", "braycurtis") else \
        rows_of(rng, x, single, grid=metric == "hamming")
    if fit_single:
        x, rows = x.astype(np.float32), rows.astype(np.float32)
    options = {"metric_params": {"V": rng.uniform(0.2, 3, n)}} if metric == "seuclidean" else {}
    tree = metric == "hamming" or (tree and metric != "sqeuclidean")
    model = neighbors.KNeighborsRegressor(k, algorithm="ball_tree" if tree else "brute", metric=metric, weights=weights,
                                          leaf_size=int(rng.integers(1, 12)), **options)
    diff.compare(fit(model, x, rng.uniform(1, 9, len(x))), rows)


def test_metrics_refused_by_name(tmp_path):
    x = np.round(np.random.default_rng(3).normal(size=(30, 3)))
    for metric in ("hamming", "jaccard", "correlation"):
        model = neighbors.NearestNeighbors(n_neighbors=2, algorithm="brute", metric=metric).fit(x)
        process = diff.run(diff.write_model(model, tmp_path), diff.write_rows(x, tmp_path), tmp_path / "out.csv")
        assert process.returncode == 3 and metric in process.stderr


@diff.examples(40)
@given(seed=diff.seeds, n=st.sampled_from([1, 2, 3, 8, 17]), algorithm=st.sampled_from(ALGORITHMS),
       metric=st.sampled_from(["euclidean", "manhattan", "chebyshev", "l2"]), k=st.sampled_from([1, 3, 8, 40]),
       weights=st.sampled_from(["uniform", "distance"]), n_classes=st.sampled_from([2, 3, 6]))
def test_ties(seed, n, algorithm, metric, k, weights, n_classes):
    """Which points at one distance are neighbours, and so which class wins, is the library's choice."""
    rng, x = data(seed, n, grid=True)
    model = neighbors.KNeighborsClassifier(weights=weights, **search(rng, algorithm, metric, k))
    diff.compare(fit(model, x, diff.labels(rng, len(x), n_classes, "int")), rows_of(rng, x, grid=True))


@diff.examples(25)
@given(seed=diff.seeds, n=FEATURES, algorithm=st.sampled_from(ALGORITHMS), k=st.sampled_from([1, 4, 9]),
       n_classes=st.sampled_from([1, 2, 4]), kind=st.sampled_from(diff.LABEL_KINDS),
       weights=st.sampled_from(["uniform", "distance"]), single=st.booleans())
def test_classifier(seed, n, algorithm, k, n_classes, kind, weights, single):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), min(n_classes, 2) if kind == "bool" else n_classes, kind)
    model = neighbors.KNeighborsClassifier(weights=weights, **search(rng, algorithm, "euclidean", k))
    diff.compare(fit(model, x, y), rows_of(rng, x, single))


@diff.examples(12)
@given(seed=diff.seeds, n=FEATURES, algorithm=st.sampled_from(ALGORITHMS), targets=st.sampled_from([1, 2, 5]),
       weights=st.sampled_from(["uniform", "distance"]))
def test_classifier_of_several_targets(seed, n, algorithm, targets, weights):
    rng, x = data(seed, n)
    y = np.column_stack([diff.labels(rng, len(x), 2 + i, "int") for i in range(targets)])
    model = neighbors.KNeighborsClassifier(weights=weights, **search(rng, algorithm, "euclidean", 4))
    diff.compare(fit(model, x, y), rows_of(rng, x))


@diff.examples(20)
@given(seed=diff.seeds, n=FEATURES, algorithm=st.sampled_from(ALGORITHMS), targets=st.sampled_from([0, 1, 3]),
       metric=st.sampled_from(["euclidean", "manhattan", "p3", "chebyshev"]), k=st.sampled_from([1, 5, 23]),
       weights=st.sampled_from(["uniform", "distance"]), whole=st.booleans())
def test_regressor(seed, n, algorithm, targets, metric, k, weights, whole):
    rng, x = data(seed, n)
    y = rng.uniform(1, 9, size=(len(x), targets) if targets else len(x))
    model = neighbors.KNeighborsRegressor(weights=weights, **search(rng, algorithm, metric, k))
    diff.compare(fit(model, x, np.round(y).astype(int) if whole else y), rows_of(rng, x))


@diff.examples(8)
@given(seed=diff.seeds, n=FEATURES, rows32=st.booleans(), metric=st.sampled_from(["euclidean", "manhattan", "chebyshev", "p3", "cosine"]))
def test_float32_points(seed, n, rows32, metric):
    assume(not (n == 1 and metric == "cosine"))  # all points lie at one of two distances
    rng, x = data(seed, n)
    model = neighbors.KNeighborsClassifier(**search(rng, "brute", metric, 3))
    fit(model, x.astype(np.float32), diff.labels(rng, len(x), 3, "str"))
    rows = rows_of(rng, x, rows32)
    rows[5] = x[5].astype(np.float32)  # from a million times as far, rounding decides which points are nearest
    diff.compare(model, rows)


@diff.examples(8)
@given(seed=diff.seeds, n=FEATURES, metric=st.sampled_from(["euclidean", "manhattan", "cosine"]))
def test_sparse_points(seed, n, metric):
    rng, x = data(seed, n)
    x[rng.random(x.shape) < 0.4] = 0
    model = fit(neighbors.NearestNeighbors(n_neighbors=1, metric=metric), sparse.csr_matrix(x))
    diff.compare(model, rows_of(rng, x + rng.normal(size=x.shape) * 1e-3))


@diff.examples(8)
@given(seed=diff.seeds, n=st.sampled_from([2, 5, 20]), algorithm=st.sampled_from(["brute", "ball_tree"]),
       p=st.sampled_from([1, 2, 3.5]))
def test_weighted_minkowski(seed, n, algorithm, p):
    rng, x = data(seed, n)
    model = neighbors.NearestNeighbors(n_neighbors=6, algorithm=algorithm, p=p, leaf_size=4,
                                       metric_params={"w": rng.uniform(0, 3, n)})
    diff.compare(fit(model, x), rows_of(rng, x))


@diff.examples(8)
@given(seed=diff.seeds, weights=st.sampled_from(["uniform", "distance"]), threshold=st.sampled_from([0.0, 1.0]))
def test_one_hot_rows(seed, weights, threshold):
    """Columns that the library holds in a scipy matrix, and rows that are points: distances of exactly zero."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"city": rng.choice(list("abcdef"), 80), "kind": rng.choice(["x", "y", "z z"], 80),
                          "size": rng.normal(size=80)})
    encode = ColumnTransformer([("text", OneHotEncoder(), ["city", "kind"]), ("number", StandardScaler(), ["size"])],
                               sparse_threshold=threshold)
    model = make_pipeline(encode, neighbors.KNeighborsClassifier(3, weights=weights, algorithm="brute"))
    diff.compare(fit(model, frame, diff.labels(rng, len(frame), 3, "str")), frame, ["predict", "predict_proba"])


def test_many_points():
    """More points than a panel, and rows in blocks of any size."""
    rng, x = data(3, 6, rows=1500)
    rows = rng.normal(size=(300, 6))
    for algorithm in ("brute", "kd_tree", "ball_tree"):
        model = fit(neighbors.KNeighborsClassifier(algorithm=algorithm), x, diff.labels(rng, len(x), 4, "int"))
        diff.compare(model, rows)
        diff.same_bytes(model, rows, "kneighbors", [], ["--batch-size", "1"],
                        ["--batch-size", "33", "--threads", "1"], ["--threads", "2", "--batch-size", "7"])
        diff.no_rows(model, x)


@diff.examples(5)
@given(seed=diff.seeds, compress=st.sampled_from([0, 3, ("xz", 1)]))
def test_pipeline_with_names(seed, compress):
    rng, x = data(seed, 4)
    frame = pd.DataFrame(x * [1, 100, 1e-3, 5] + 7, columns=["größe", "日本", "a,b", "x \"y\""])
    model = make_pipeline(StandardScaler(), neighbors.KNeighborsClassifier())
    fit(model, frame, diff.labels(rng, len(x), 3, "unicode"))
    rows = pd.DataFrame(diff.awkward(rng, frame.to_numpy()), columns=frame.columns).iloc[3:]
    diff.compare(model, rows, compress=compress)


# ---- Damaged models ---------------------------------------------------------------------------------------

GONE = object()
DAMAGED = {
    "points_gone": ("_fit_X", GONE, "CORRUPT"),
    "points_empty": ("_fit_X", np.zeros((0, 3)), "CORRUPT"),
    "points_fewer": ("_fit_X", np.zeros((9, 3)), "CORRUPT"),
    "points_columns": ("_fit_X", np.zeros((70, 4)), "CORRUPT"),
    "method_gone": ("_fit_method", GONE, "CORRUPT"),
    "method_other": ("_fit_method", "ball_tree", "CORRUPT"),
    "method_brute_y": ("_y", np.arange(5), "CORRUPT"),
    "y_negative": ("_y", np.full(70, -1), "CORRUPT"),
    "y_large": ("_y", np.full(70, 3), "CORRUPT"),
    "y_nan": ("_y", np.full(70, np.nan), "CORRUPT"),
    "y_gone": ("_y", GONE, "CORRUPT"),
    "classes_gone": ("classes_", GONE, "CORRUPT"),
    "several": ("outputs_2d_", True, "CORRUPT"),
    "tree_gone": ("_tree", GONE, "CORRUPT"),
    "tree_none": ("_tree", None, "CORRUPT"),
    "tree_other": ("_tree", neighbors.BallTree(np.zeros((70, 3))), "CORRUPT"),
    "tree_fewer": ("_tree", neighbors.KDTree(np.zeros((60, 3))), "CORRUPT"),
    "tree_columns": ("_tree", neighbors.KDTree(np.zeros((70, 2))), "CORRUPT"),
    "metric_gone": ("effective_metric_", GONE, "CORRUPT"),
    "metric": ("effective_metric_", "jaccard", "UNSUPPORTED"),
    "metric_function": ("effective_metric_", np.dot, "UNSUPPORTED"),
    "cosine_tree": ("effective_metric_", "cosine", "CORRUPT"),
    "weights": ("weights", np.sqrt, "UNSUPPORTED"),
    "k_none": ("n_neighbors", 0, "UNSUPPORTED"),
    "k_many": ("n_neighbors", 71, "UNSUPPORTED"),
    "k_huge": ("n_neighbors", 2**62, "UNSUPPORTED"),
    "k_text": ("n_neighbors", "5", "CORRUPT"),
}
POWERS = {"negative": -1, "nan": np.nan, "infinite": np.inf, "text": "3"}


def refused(model, x, folder, code):
    """One line that names what is wrong, and no output."""
    out = folder / "out.csv"
    process = diff.run(diff.write_model(model, folder), diff.write_rows(x, folder), out)
    assert process.returncode == 3 and not out.exists(), process.stderr
    assert code in process.stderr and process.stderr.count("\n") == 1


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged(name, tmp_path):
    attribute, value, code = DAMAGED[name]
    rng, x = data(0, 3)
    model = fit(neighbors.KNeighborsClassifier(algorithm="kd_tree"), x, np.arange(len(x)) % 3)
    if value is GONE:
        delattr(model, attribute)
    else:
        setattr(model, attribute, value)
    refused(model, x, tmp_path, code)


@pytest.mark.parametrize("name", POWERS)
def test_damaged_power(name, tmp_path):
    rng, x = data(0, 3)
    model = fit(neighbors.KNeighborsClassifier(p=3, algorithm="brute"), x, np.arange(len(x)) % 3)
    model.effective_metric_params_["p"] = POWERS[name]
    refused(model, x, tmp_path, "CORRUPT")


def altered_tree(model, part, change):
    """The model with a tree whose state was changed; scikit-learn itself would crash on most of these."""
    state = list(model._tree.__getstate__())
    state[part] = change(state[part].copy())
    tree = type(model._tree).__new__(type(model._tree))
    tree.__setstate__(tuple(state))
    model._tree = tree
    return model


def set_field(field, at, value):
    def change(nodes):
        nodes[field][at] = value
        return nodes
    return change


def set_all(value):
    def change(array):
        array[:] = value
        return array
    return change


ALTERED = {
    "order_large": (1, set_all(70)), "order_negative": (1, set_all(-1)),
    "node_start": (2, set_field("idx_start", 1, 5)), "node_end": (2, set_field("idx_end", 0, 71)),
    "node_huge": (2, set_field("idx_end", 0, 2**62)), "node_negative": (2, set_field("idx_start", 0, -4)),
    "leaves_split": (2, set_field("is_leaf", slice(None), 0)),
    "nodes_overlap": (2, set_field("idx_start", slice(None), 0)),
}


@pytest.mark.parametrize("name", ALTERED)
@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
def test_damaged_tree(name, algorithm, tmp_path):
    part, change = ALTERED[name]
    rng, x = data(0, 3)
    model = fit(neighbors.KNeighborsClassifier(algorithm=algorithm, leaf_size=10), x, np.arange(len(x)) % 3)
    refused(altered_tree(model, part, change), x, tmp_path, "CORRUPT")
