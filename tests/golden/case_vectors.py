"""Support vector machines and nearest neighbours."""
import numpy as np
import scipy.sparse as sp
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

from case_data import X, Y_3, Y_BIG, Y_BIN, Y_BOOL, Y_MULTI, Y_OBJ, Y_REG, Y_REG2, Y_STR, Y_STR3, Input, named
from case_linear import XS

# 30 of the points and few digits: the archives stay small.
HALF = np.round(XS[:30], 2)
FEW = np.round(XS[:30], 1)
_rs = np.random.RandomState(17)
NEAR = np.round(np.vstack([_rs.randn(4, 5), XS[40:41], _rs.randn(1, 5) * 4]), 3)
ROWS = Input("vec", np.vstack([NEAR[2:], np.zeros((1, 5)), [[-0.0, 1e-300, 5e-324, 50, -50]]]))
ROWS32 = Input("vec32", ROWS.x.astype(np.float32), form="npy")
AWAY = Input("away", NEAR)
TWO = Input("two", NEAR[3:5])
AWAY_2 = Input("away_2", AWAY.x[:, :2])
AWAY32 = Input("away32", NEAR.astype(np.float32), form="npy")
RAISES = ["nan", "inf"]

# A grid: many points at one distance, some of them the same point, distances of exactly zero.
GRID = np.array([[i % 4, i // 4 % 3, i // 12] for i in range(24)] * 2, dtype=float)
GRID_ROWS = Input("grid", np.array([[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5], [3, 2, 1], [1.5, 1, 0], [2, -1, 5],
                                    [-1, -1, -1], [0.25, 1.75, 0.5]], dtype=float))
# Columns of many features, so that sums over features have more than one order.
WIDE = np.round(_rs.randn(18, 37), 1)
WIDE_ROWS = Input("wide", np.round(np.vstack([_rs.randn(3, 37), WIDE[:1]]), 1))


def add_cases(c):
    _classifiers(c)
    _shapes(c)
    _probabilities(c)
    _regressors(c)
    _sparse_svm(c)
    _searches(c)
    _metrics(c)
    _neighbor_targets(c)
    _ties(c)


def _half(y):
    return y[:30]


def _classifiers(c):
    for kernel in ("linear", "poly", "rbf", "sigmoid"):
        if kernel in ("poly", "rbf"):
            c.add("svc_" + kernel, lambda: SVC(kernel=kernel, gamma=0.3, coef0=0.5), FEW, _half(Y_STR),
                  on=[ROWS, ROWS32] if kernel == "rbf" else [ROWS], raises=RAISES if kernel == "rbf" else [])
        c.add("svc3_" + kernel, lambda: SVC(kernel=kernel, gamma=0.3, degree=2, C=10, decision_function_shape="ovo"),
              FEW, _half(Y_STR3), on=[ROWS])
    c.add("svc_gamma", lambda: SVC(gamma="scale"), FEW, _half(Y_BIN), on=[ROWS])
    for name, y in [("bool", Y_BOOL), ("obj", Y_OBJ), ("big", Y_BIG)]:
        c.add("svc_y_" + name, lambda: SVC(gamma=0.2, decision_function_shape="ovo"), FEW, _half(y), on=[ROWS])
    c.add("nusvc", lambda: NuSVC(nu=0.2, gamma=0.2), FEW, _half(Y_STR), on=[ROWS])
    c.add("nusvc3", lambda: NuSVC(nu=0.2, gamma=0.2, decision_function_shape="ovo"), FEW, _half(Y_3), on=[ROWS])
    c.add("svc_scaled", lambda: make_pipeline(StandardScaler(), SVC(gamma=0.1)), X[:30], _half(Y_STR),
          on=["num", "f32", "npy"])
    c.add("svc_named", lambda: SVC(gamma=1e-4), named(X[:30]), _half(Y_STR), on=["named"])
    c.add("svc_wide", lambda: SVC(gamma=0.02, decision_function_shape="ovo"), WIDE, Y_3[:18], on=[WIDE_ROWS])


def _shapes(c):
    """Votes made into scores of classes. Before 0.22 those depend on all rows together."""
    many = np.arange(30) % 5
    method = None if c.since(0, 22) else ["predict"]
    c.add("svc_ovr", lambda: SVC(gamma=0.3), FEW, _half(Y_STR3), on=[ROWS, ROWS32], methods=method)
    c.add("svc_ovr5", lambda: SVC(gamma=0.3), FEW, many, on=[ROWS], methods=method)
    c.add("svc_ovo5", lambda: SVC(gamma=0.3, decision_function_shape="ovo"), FEW, many, on=[ROWS])
    if c.since(0, 22):
        c.add("svc_break_ties", lambda: SVC(gamma=0.3, break_ties=True), FEW, many, on=[ROWS])
        c.add("svc_break_ties2", lambda: SVC(gamma=0.3, break_ties=True), FEW, _half(Y_STR), on=[ROWS])


def _probabilities(c):
    def svc(**more):
        return SVC(probability=True, random_state=0, gamma=0.3, decision_function_shape="ovo", **more)

    c.add("svc_proba", lambda: svc(), FEW, _half(Y_STR), on=[ROWS, ROWS32], log=True)
    c.add("svc_proba3", lambda: svc(), FEW, _half(Y_STR3), on=[ROWS], log=True)
    c.add("svc_proba4", lambda: svc(kernel="linear"), FEW, np.arange(30) % 4, on=[ROWS])
    c.add("nusvc_proba", lambda: NuSVC(nu=0.2, probability=True, random_state=0, gamma=0.3), FEW, _half(Y_BOOL),
          on=[ROWS])


def _regressors(c):
    c.add("svr", lambda: SVR(gamma=0.2, C=20), FEW, _half(Y_REG), on=[ROWS, ROWS32], raises=RAISES)
    c.add("svr_poly", lambda: SVR(kernel="poly", gamma=0.2, coef0=1.0, degree=4), FEW, _half(Y_REG), on=[ROWS])
    c.add("svr_flat", lambda: SVR(gamma=0.2, epsilon=1e3), FEW, _half(Y_REG), on=[ROWS])
    c.add("nusvr", lambda: NuSVR(kernel="sigmoid", gamma=0.05, nu=0.4), FEW, _half(Y_REG), on=[ROWS])
    c.add("oneclass", lambda: OneClassSVM(gamma=0.2, nu=0.3), FEW, on=[ROWS, ROWS32], raises=RAISES)


def _sparse_svm(c):
    """Fitted on a sparse matrix: support vectors and coefficients are sparse, sums skip zeros."""
    holes = FEW.copy()
    holes[np.random.RandomState(3).rand(*holes.shape) < 0.5] = 0
    for kernel in ("linear", "rbf"):
        c.add("svc_sparse_" + kernel, lambda: SVC(kernel=kernel, gamma=0.3, decision_function_shape="ovo"),
              sp.csr_matrix(holes), _half(Y_STR3), on=[ROWS])
    c.add("svc_sparse_proba", lambda: SVC(probability=True, random_state=0, gamma=0.3), sp.csr_matrix(holes),
          _half(Y_STR), on=[ROWS])
    c.add("svr_sparse", lambda: SVR(gamma=0.2), sp.csr_matrix(holes), _half(Y_REG), on=[ROWS])


def _searches(c):
    for algorithm in ("brute", "kd_tree", "ball_tree", "auto"):
        c.add("knn_" + algorithm, lambda: KNeighborsClassifier(3, algorithm=algorithm, leaf_size=4), HALF,
              _half(Y_STR3), on=[AWAY, AWAY32] if algorithm != "auto" else [AWAY],
              raises=RAISES if algorithm in ("brute", "kd_tree") else [])
        if algorithm != "auto":
            c.add("nn_" + algorithm, lambda: NearestNeighbors(n_neighbors=18, algorithm=algorithm, leaf_size=3), HALF,
                  on=[TWO])
    c.add("knn_distance", lambda: KNeighborsClassifier(4, weights="distance"), HALF, _half(Y_STR), on=[AWAY])
    c.add("knn_fit32", lambda: KNeighborsClassifier(3, algorithm="brute"), HALF.astype(np.float32), _half(Y_BIN),
          on=[AWAY, AWAY32])
    c.add("knn_wide", lambda: KNeighborsClassifier(3), WIDE, Y_3[:18], on=[WIDE_ROWS])
    c.add("knn_scaled", lambda: make_pipeline(StandardScaler(), KNeighborsClassifier()), X[:30], _half(Y_OBJ),
          on=["one"])
    c.add("nn_sparse", lambda: NearestNeighbors(n_neighbors=3), sp.csr_matrix(np.where(HALF > 0, HALF, 0)), on=[AWAY])


def _metrics(c):
    for algorithm in ("brute", "kd_tree", "ball_tree"):
        for name, more in [("manhattan", {"p": 1}), ("p3", {"p": 3}), ("chebyshev", {"metric": "chebyshev"}),
                           ("l1", {"metric": "l1"})]:
            if name == "l1" and algorithm != "kd_tree" or name == "chebyshev" and algorithm == "ball_tree":
                continue
            c.add("nn_%s_%s" % (name, algorithm),
                  lambda: NearestNeighbors(n_neighbors=4, algorithm=algorithm, leaf_size=4, **more), HALF, on=[AWAY])
        if algorithm != "kd_tree" and c.since(1, 3):
            weights = {"w": np.array([1.0, 0.5, 2.0, 0.0, 3.0])}
            c.add("nn_weighted_" + algorithm, lambda: NearestNeighbors(
                n_neighbors=4, algorithm=algorithm, leaf_size=4, p=3, metric_params=weights), HALF, on=[AWAY])
    variances = {"V": np.array([1.0, 0.5, 2.0, 0.25, 3.0])}
    for algorithm in ("brute", "ball_tree"):
        for name, more in [("canberra", {}), ("braycurtis", {}), ("seuclidean", {"metric_params": variances})]:
            if name == "braycurtis" and algorithm == "brute" and not c.since(1, 1):
                continue  # scipy's, which divides by the sum of |x + y|
            c.add("nn_%s_%s" % (name, algorithm), lambda: NearestNeighbors(
                n_neighbors=4, algorithm=algorithm, leaf_size=4, metric=name, **more), HALF, on=[AWAY])
        if algorithm == "ball_tree" or c.since(0, 22):
            c.add("nn_haversine_" + algorithm, lambda: NearestNeighbors(
                n_neighbors=4, algorithm=algorithm, leaf_size=4, metric="haversine"), HALF[:, :2], on=[AWAY_2])
    c.add("nn_sqeuclidean", lambda: NearestNeighbors(n_neighbors=4, algorithm="brute", metric="sqeuclidean"), HALF,
          on=[AWAY])
    c.add("nn_hamming", lambda: NearestNeighbors(n_neighbors=4, algorithm="ball_tree", metric="hamming"),
          np.round(HALF), on=[AWAY])
    c.add("nn_cosine", lambda: NearestNeighbors(n_neighbors=4, metric="cosine"), HALF, on=[AWAY, AWAY32])
    c.add("knn_cosine", lambda: KNeighborsClassifier(3, metric="cosine", weights="distance"), HALF, _half(Y_STR3),
          on=[AWAY])


def _neighbor_targets(c):
    c.add("knn_multi", lambda: KNeighborsClassifier(4), HALF, _half(Y_MULTI), on=[AWAY])
    c.add("knn_multi_distance", lambda: KNeighborsClassifier(4, weights="distance", algorithm="brute"), HALF,
          _half(Y_MULTI), on=[AWAY])
    for weights in ("uniform", "distance"):
        c.add("knr_" + weights, lambda: KNeighborsRegressor(5, weights=weights), HALF, _half(Y_REG),
              on=[AWAY, AWAY32], raises=RAISES if weights == "uniform" else [])
    c.add("knr_multi", lambda: KNeighborsRegressor(9, algorithm="brute"), HALF, _half(Y_REG2), on=[AWAY])


def _ties(c):
    """Points at one distance: in trees as the search meets them; among all points by the heap of 1.1 and later."""
    y = np.arange(len(GRID)) * 7 % 5
    searches = ["kd_tree", "ball_tree"] + (["brute"] if c.since(1, 1) else [])
    for algorithm in searches:
        c.add("ties_" + algorithm, lambda: KNeighborsClassifier(4, algorithm=algorithm, leaf_size=3), GRID, y,
              on=[GRID_ROWS])
        c.add("ties_zero_" + algorithm,
              lambda: KNeighborsClassifier(5, algorithm=algorithm, leaf_size=3, weights="distance"), GRID, y,
              on=[GRID_ROWS])
        if algorithm != "ball_tree":
            c.add("ties_many_" + algorithm, lambda: NearestNeighbors(n_neighbors=20, algorithm=algorithm, leaf_size=3),
                  GRID, on=[GRID_ROWS])
    c.add("ties_manhattan", lambda: KNeighborsRegressor(6, algorithm="ball_tree", leaf_size=3, p=1,
                                                        weights="distance"), GRID, y + 0.5, on=[GRID_ROWS])
