"""Discriminants, mixtures, thresholds, centroids, local outliers, power and spline transformers, target encoders, and
imputers that look at other columns or rows."""
import numpy as np
from sklearn import discriminant_analysis as da
from sklearn import impute, mixture, neighbors
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import PowerTransformer, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from case_data import (MIXED, MIXED_3, MIXED_BIN, MIXED_REG, MIXED_ROWS, X, X_NAN, X_POS, Y_3, Y_BIN, Y_STR, Y_STR3, Input,
                       named)
from case_dense import UNIT, XS, light

SMALL = np.round(XS[:, [0, 1, 4]], 2)
ROWS3 = Input("rows_3", np.vstack([UNIT.x[[0, 2, 5, 6, -1]][:, [0, 1, 4]], SMALL[:2]]))
ROWS3_32 = Input("rows_3_32", ROWS3.x[:4].astype(np.float32), form="npy")
FEW_POINTS = SMALL[:24]
TWO_NAMED = Input("two_named", named(X)[["age", "ratio"]][:6])
INF_4 = Input("inf_4", np.array([[0.5, np.inf, 1.0, 0.25]]))
NAN_3 = Input("nan_3", np.array([[0.5, np.nan, 1.0], [0.5, 1.0, 2.0]]))
HOLES = np.round(XS[:30, :4], 2)
HOLES[np.isnan(X_NAN[:30, [0, 1, 2, 4]])] = np.nan
HOLES[:, 3] = np.round(XS[:30, 3], 2)
HOLES_ROWS = Input("holes", HOLES[:9])
HOLES32 = Input("holes32", HOLES[:6].astype(np.float32), form="npy")
POSITIVE = Input("positive", np.vstack([X_POS[:6, :3], X_POS[:2, :3] * 40 + 0.01]) + 0.5)
NOT_POSITIVE = Input("not_positive", np.vstack([X_POS[:2, :3], [[0, 1, 1.0]]]))


def add_cases(c):
    _discriminants(c)
    _mixtures(c)
    _centroids(c)
    _outliers(c)
    _power(c)
    _imputers(c)
    c.add("pca_density", lambda: PCA(2), SMALL, on=[ROWS3], methods=["score_samples"], raises=[NAN_3])
    c.add("pca_density_all", lambda: PCA(), SMALL, on=[ROWS3], methods=["score_samples"])
    c.add("pca_density_whiten", lambda: PCA(1, whiten=True), SMALL, on=[ROWS3], methods=["score_samples"])
    if c.since(1, 0):
        _splines(c)
    if c.since(1, 3):
        _targets(c)
    if c.since(1, 5):
        _thresholds(c)


def _discriminants(c):
    for solver in ["svd", "lsqr", "eigen"]:
        c.add("lda_" + solver, lambda: da.LinearDiscriminantAnalysis(solver=solver), SMALL, Y_STR3, on=[ROWS3], log=True,
              methods=c.methods(without=["transform"] if solver == "lsqr" else []))
    c.add("lda_2", lambda: da.LinearDiscriminantAnalysis(), SMALL, Y_STR, on=[ROWS3, ROWS3_32], raises=[NAN_3], log=True)
    c.add("lda_1", lambda: da.LinearDiscriminantAnalysis(n_components=1, priors=[0.2, 0.3, 0.5]), named(X)[["age", "ratio"]], Y_3,
          on=[TWO_NAMED])
    c.add("qda", lambda: da.QuadraticDiscriminantAnalysis(reg_param=0.1), SMALL, Y_STR3, on=[ROWS3], raises=[NAN_3], log=True)
    c.add("qda_2", lambda: da.QuadraticDiscriminantAnalysis(), SMALL, Y_STR, on=[ROWS3, ROWS3_32], log=True)


def _mixtures(c):
    for kind in ["full", "tied", "diag", "spherical"]:
        c.add("mixture_" + kind, lambda: light(mixture.GaussianMixture(3, covariance_type=kind, random_state=0).fit(SMALL)),
              SMALL, fitted=True, on=[ROWS3], raises=[NAN_3] if kind == "full" else [])
        c.add("bayesian_" + kind, lambda: light(mixture.BayesianGaussianMixture(
            n_components=2, covariance_type=kind, random_state=0).fit(SMALL)), SMALL, fitted=True, on=[ROWS3])
    c.add("bayesian_dirichlet", lambda: light(mixture.BayesianGaussianMixture(
        n_components=3, weight_concentration_prior_type="dirichlet_distribution", random_state=0).fit(SMALL)), SMALL,
          fitted=True, on=[ROWS3])


def _centroids(c):
    c.add("centroid", lambda: neighbors.NearestCentroid(), SMALL, Y_STR3, on=[ROWS3, ROWS3_32], raises=[NAN_3])
    c.add("centroid_manhattan", lambda: neighbors.NearestCentroid(metric="manhattan"), SMALL, Y_3, on=[ROWS3])
    c.add("centroid_shrunk", lambda: neighbors.NearestCentroid(shrink_threshold=0.2), SMALL, Y_STR, on=[ROWS3])
    if c.since(1, 6):
        c.add("centroid_priors", lambda: neighbors.NearestCentroid(priors="empirical"), SMALL, Y_STR3, on=[ROWS3], log=True)
        c.add("centroid_priors_2", lambda: neighbors.NearestCentroid(priors=[0.3, 0.7], metric="manhattan"), SMALL, Y_STR,
              on=[ROWS3], log=True)


def _outliers(c):
    for algorithm in ["ball_tree", "kd_tree", "brute"]:
        c.add("lof_" + algorithm, lambda: neighbors.LocalOutlierFactor(
            6, novelty=True, algorithm=algorithm, contamination=0.1), FEW_POINTS, on=[ROWS3],
              methods=["predict", "decision_function", "score_samples"])


def _power(c):
    c.add("yeo_johnson", lambda: PowerTransformer(), named(X), on=["named"])
    c.add("yeo_johnson_nan", lambda: PowerTransformer(standardize=False), HOLES, on=[HOLES_ROWS, HOLES32])
    c.add("box_cox", lambda: PowerTransformer("box-cox"), X_POS[:, :3] + 0.5, on=[POSITIVE], raises=[NOT_POSITIVE])
    c.add("box_cox_raw", lambda: PowerTransformer("box-cox", standardize=False), X_POS[:, :3] + 0.5, on=[POSITIVE])


def _imputers(c):
    c.add("missing", lambda: impute.MissingIndicator(), HOLES, on=[HOLES_ROWS], raises=[Input("new_hole", np.where(
        np.arange(4) == 3, np.nan, XS[:2, :4]))])
    c.add("missing_all", lambda: impute.MissingIndicator(features="all"), HOLES, on=[HOLES_ROWS])
    c.add("missing_any", lambda: impute.MissingIndicator(error_on_new=False), HOLES[:, [0, 3, 1]],
          on=[Input("holes_3", HOLES[:8, [0, 3, 1]])])
    c.add("missing_union", lambda: make_union(impute.SimpleImputer(), impute.MissingIndicator()), HOLES, on=[HOLES_ROWS])
    if not c.since(0, 22):
        return
    c.add("knn", lambda: impute.KNNImputer(n_neighbors=3, add_indicator=True), HOLES, on=[HOLES_ROWS], raises=[INF_4])
    c.add("knn_distance", lambda: impute.KNNImputer(n_neighbors=4, weights="distance"), HOLES, on=[Input(
        "empty", np.vstack([HOLES[:6] + 0.25, np.full((1, 4), np.nan)]))])
    c.add("knn_value", lambda: impute.KNNImputer(missing_values=-1), np.nan_to_num(HOLES, copy=True) - (HOLES != HOLES),
          on=[Input("ones", np.where(np.isnan(HOLES[:8]), -1, HOLES[:8]) + 0.0)])
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    kept = HOLES.copy()
    kept[:, 2] = np.nan
    c.add("iterative", lambda: light(impute.IterativeImputer(max_iter=2, random_state=0, add_indicator=True).fit(HOLES)),
          HOLES, fitted=True, on=[HOLES_ROWS], raises=[INF_4])
    c.add("iterative_empty", lambda: light(impute.IterativeImputer(
        max_iter=2, random_state=0, initial_strategy="median", min_value=-1, max_value=2).fit(kept)), kept, fitted=True,
          on=[HOLES_ROWS])
    c.add("iterative_tree", lambda: light(impute.IterativeImputer(
        estimator=DecisionTreeRegressor(max_depth=2, random_state=0), max_iter=1, random_state=0,
        n_nearest_features=2).fit(HOLES)), HOLES, fitted=True, on=[HOLES_ROWS])
    c.add("knn_model", lambda: make_pipeline(impute.KNNImputer(n_neighbors=3), StandardScaler(),
                                             LogisticRegression(solver="lbfgs")), HOLES, Y_BIN[:30], on=[HOLES_ROWS])


def _splines(c):
    from sklearn.preprocessing import SplineTransformer
    inside = Input("spline_inside", X[:6, :2])
    wide = Input("spline_rows", np.vstack([X[:3, :2], X[:3, :2] * 3 - 40]))
    for ends in ["error", "constant", "linear", "continue", "periodic"]:
        c.add("spline_" + ends, lambda: SplineTransformer(n_knots=4, degree=2, extrapolation=ends), X[:, :2],
              on=[inside if ends == "error" else wide],
              raises=[Input("spline_outside", X[:2, :2] * 100)] if ends == "error" else [])
    c.add("spline_1", lambda: SplineTransformer(n_knots=5, degree=1, extrapolation="linear", include_bias=False), SMALL,
          on=[Input("far_3", np.vstack([SMALL[:5], SMALL[:3] * 4]))])
    c.add("spline_named", lambda: SplineTransformer(knots="quantile", n_knots=3), named(X)[["age", "ratio"]],
          on=[TWO_NAMED])


def _targets(c):
    from sklearn.preprocessing import TargetEncoder
    table = MIXED[["city", "colour", "children"]]
    rows = Input("cities", MIXED_ROWS[["city", "colour", "children"]][:8])
    for name, y in [("2", MIXED_BIN), ("value", MIXED_REG)] + ([("3", MIXED_3)] if c.since(1, 4) else []):
        c.add("target_" + name, lambda: TargetEncoder(), table, y, on=[rows])


def _thresholds(c):
    from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

    def logistic():
        return LogisticRegression(C=0.3)

    c.add("fixed", lambda: FixedThresholdClassifier(logistic(), threshold=0.3), SMALL, Y_STR, on=[ROWS3, ROWS3_32], log=True)
    c.add("fixed_auto", lambda: FixedThresholdClassifier(RidgeClassifier()), SMALL, Y_BIN, on=[ROWS3])
    c.add("fixed_first", lambda: FixedThresholdClassifier(logistic(), threshold=0.2, pos_label="no"), SMALL, Y_STR, on=[ROWS3])
    c.add("fixed_decision", lambda: FixedThresholdClassifier(
        logistic(), threshold=-0.5, pos_label="no", response_method="decision_function"), SMALL, Y_STR, on=[ROWS3])
    c.add("tuned", lambda: TunedThresholdClassifierCV(logistic(), cv=3), named(X)[["age", "ratio"]], Y_STR, on=[TWO_NAMED])
    c.add("tuned_f1", lambda: TunedThresholdClassifierCV(RandomForestClassifier(3, max_depth=2, random_state=0), cv=3,
                                                        scoring="f1"), SMALL, Y_BIN + 1, on=[ROWS3])
