"""Gradient boosting of both kinds."""
import numpy as np
import pandas as pd
import sklearn
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from case_data import (CAT_INT, FULL, FULL_ROWS, MIXED, MIXED_3, MIXED_BIN, MIXED_KNOWN, MIXED_REG, MIXED_ROWS, WEIGHT,
                       X, X_NAN, Y_3, Y_BIG, Y_BIN, Y_COUNT, Y_OBJ, Y_POS, Y_REG, Y_STR, Y_STR3, Input, named,
                       shuffled)
from case_trees import add_edges

VERSION = tuple(int(n) for n in sklearn.__version__.split(".")[:2])
if (0, 21) <= VERSION < (1, 0):
    from sklearn.experimental import enable_hist_gradient_boosting  # noqa: F401
if VERSION >= (0, 21):
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor


def add_cases(c):
    _classic(c)
    _classic_regressors(c)
    if c.since(0, 22):
        _histogram(c)
        _histogram_regressors(c)
    if c.since(0, 24):
        _categorical(c)


def _classic(c):
    small = {"n_estimators": 4, "max_depth": 2, "random_state": 0}
    model = c.add("gb", lambda: GradientBoostingClassifier(**small), X, Y_STR, on=["num", "npyF", "f32"],
                  raises=["nan", "inf", "big"], log=True)
    add_edges(c, "gb", model, list(model.estimators_.ravel()), f32=True)
    c.add("gb_3", lambda: GradientBoostingClassifier(**small), X, Y_STR3, on=["num", "f32"], log=True)
    c.add("gb_exponential", lambda: GradientBoostingClassifier(loss="exponential", **small), X, Y_BIN)
    c.add("gb_zero", lambda: GradientBoostingClassifier(init="zero", **small), X, Y_OBJ)
    c.add("gb_zero2", lambda: GradientBoostingClassifier(init="zero", learning_rate=0.37, **small), X, Y_STR)
    if c.since(0, 21):
        c.add("gb_init_logreg", lambda: GradientBoostingClassifier(
            init=LogisticRegression(solver="liblinear"), **small), X / [1, 10, 0.125, 100, 1], Y_STR)
    c.add("gb_subsample", lambda: GradientBoostingClassifier(subsample=0.7, max_features=2, **small), X, Y_BIG)
    c.add("gb_early", lambda: GradientBoostingClassifier(n_iter_no_change=1, validation_fraction=0.3, n_estimators=6,
                                                         max_leaf_nodes=4, random_state=0), X, Y_3,
          fit={"sample_weight": WEIGHT})
    c.add("gb_named", lambda: GradientBoostingClassifier(**small), named(X), Y_STR, on=["named"])


def _classic_regressors(c):
    squared, absolute = c.pick((1, 0), ("squared_error", "absolute_error"), ("ls", "lad"))
    small = {"n_estimators": 4, "max_depth": 2, "random_state": 0}

    def gb(**more):
        return GradientBoostingRegressor(**dict(small, **more))

    model = c.add("gbreg", lambda: gb(loss=squared), X, Y_REG, on=["num", "f32", "f32F"], raises=["nan"])
    add_edges(c, "gbreg", model, list(model.estimators_.ravel()))
    c.add("gbreg_lad", lambda: gb(loss=absolute), X, Y_REG)
    c.add("gbreg_huber", lambda: gb(loss="huber", alpha=0.8), X, Y_REG)
    c.add("gbreg_quantile", lambda: gb(loss="quantile", alpha=0.3), X, Y_REG)
    c.add("gbreg_zero", lambda: gb(init="zero", learning_rate=0.3), X, Y_REG)
    if c.since(0, 21):
        c.add("gbreg_init_linear", lambda: gb(init=LinearRegression()), X, Y_REG)
        c.add("gbreg_init_tree", lambda: gb(init=DecisionTreeRegressor(max_depth=1, random_state=0)), X, Y_REG)


def _histogram(c):
    def hist(**more):
        return HistGradientBoostingClassifier(**dict(dict(max_iter=4, max_leaf_nodes=5, min_samples_leaf=4, max_bins=24,
                                                          random_state=0), **more))

    binary = c.pick((1, 1), "log_loss", "binary_crossentropy")
    c.add("hgb", lambda: hist(), X, Y_STR, on=["num", "npyF", "f32", "big", "inf", "nan"], log=True)
    c.add("hgb_loss", lambda: hist(loss=binary, learning_rate=0.3), X, Y_BIN)
    c.add("hgb_nan", lambda: hist(), X_NAN, Y_STR, on=["nan", "nan32"])
    c.add("hgb_3", lambda: hist(), X_NAN, Y_STR3, on=["nan", "f32"], log=True)
    c.add("hgb_3_big", lambda: hist(max_iter=2), X, Y_BIG)
    c.add("hgb_obj", lambda: hist(max_depth=2, l2_regularization=0.5), X, Y_OBJ)
    c.add("hgb_named", lambda: hist(), named(X_NAN), Y_STR, on=["named_nan"])
    early = {"early_stopping": True} if c.since(0, 23) else {"n_iter_no_change": 1}
    c.add("hgb_early", lambda: hist(validation_fraction=0.3, max_iter=8, **early), X, Y_3)
    c.add("hgb_weight", lambda: hist(), X, Y_BIN, fit={"sample_weight": WEIGHT}) if c.since(0, 23) else None
    c.add("hgb_balanced", lambda: hist(class_weight="balanced"), X, Y_STR) if c.since(1, 2) else None
    c.add("hgb_features", lambda: hist(max_features=0.5), X, Y_STR) if c.since(1, 4) else None
    c.add("hgb_fit32", lambda: hist(), X.astype(np.float32), Y_STR, on=["num", "f32"])


def _histogram_regressors(c):
    def hist(**more):
        return HistGradientBoostingRegressor(**dict(dict(max_iter=4, max_leaf_nodes=5, min_samples_leaf=4, max_bins=24,
                                                         random_state=0), **more))

    squared = c.pick((1, 0), "squared_error", "least_squares")
    c.add("hgbreg", lambda: hist(loss=squared), X_NAN, Y_REG, on=["nan", "num", "f32", "big", "inf"])
    if c.since(0, 23):
        absolute = c.pick((1, 0), "absolute_error", "least_absolute_deviation")
        c.add("hgbreg_absolute", lambda: hist(loss=absolute), X, Y_REG)
        c.add("hgbreg_poisson", lambda: hist(loss="poisson"), X, Y_COUNT, on=["num", "f32"])
    if c.since(0, 24):
        c.add("hgbreg_monotonic", lambda: hist(monotonic_cst=[1, 0, 0, -1, 0]), X, Y_REG)
    if c.since(1, 1):
        c.add("hgbreg_quantile", lambda: hist(loss="quantile", quantile=0.3), X, Y_REG)
    if c.since(1, 3):
        c.add("hgbreg_gamma", lambda: hist(loss="gamma"), X, Y_POS)
    if c.since(1, 2):
        c.add("hgbreg_monotonic_named", lambda: hist(monotonic_cst={"age": -1}, interaction_cst="pairwise"), named(X),
              Y_REG, on=["named"])


def _categorical(c):
    """Category codes as numbers from 0.24 on, text from 1.4 on."""
    small = dict(max_iter=4, max_leaf_nodes=6, min_samples_leaf=3, max_bins=32, random_state=0)
    codes = np.column_stack([CAT_INT[:, 0] + 2, X_NAN[:, 0], CAT_INT[:, 2], X[:, 3]]).astype(float)
    codes[::9, 2] = np.nan
    target = Y_REG + codes[:, 0] * 3 * (codes[:, 0] % 2 == 0)
    rows = np.array([[0, 0.1, 1, 1000], [1, np.nan, 3, 900], [4, -1, np.nan, 1100], [np.nan, 0.5, 8, 1000],
                     [7, 0.3, 30, 1000], [2, 2, 2, 950], [3, -2, 5, 1050.5]])
    source = Input("codes", rows)
    source32 = Input("codes32", rows.astype(np.float32), form="npy")
    names = ["kind", "size", "rank", "x y"]
    frame = pd.DataFrame(codes, columns=names)
    source_named = Input("codes_named", pd.DataFrame(rows, columns=names), shuffled(pd.DataFrame(rows, columns=names)))
    c.add("hgbcat_index", lambda: HistGradientBoostingRegressor(categorical_features=[2, 0], **small), codes, target,
          on=[source, source32])
    c.add("hgbcat_mask", lambda: HistGradientBoostingClassifier(categorical_features=[True, False, False, False],
                                                                **small), codes, target > 4, on=[source])
    c.add("hgbcat_3", lambda: HistGradientBoostingClassifier(categorical_features=[0, 2], **small), codes, Y_STR3,
          on=[source])
    wide = np.arange(120) % 40
    c.add("hgbcat_wide", lambda: HistGradientBoostingRegressor(categorical_features=[0], max_iter=3, max_bins=64,
                                                               random_state=0,
                                                               min_samples_leaf=1, max_leaf_nodes=8),
          wide.reshape(-1, 1).astype(float), np.round(np.sin(wide * 7.0) * 10, 2),
          on=[Input("wide", np.array([[0.0], [31], [32], [33], [39], [40], [12], [np.nan], [5]]))])
    if c.since(1, 2):
        c.add("hgbcat_names", lambda: HistGradientBoostingRegressor(categorical_features=["rank", "kind"], **small),
              frame, target, on=[source_named])
    if not c.since(1, 4):
        return

    def typed(data):
        data = data.drop(columns=["flag"])
        return data.assign(city=data["city"].astype("category"), colour=data["colour"].astype("category"))

    mixed = Input("typed", typed(MIXED_ROWS), shuffled(MIXED_ROWS.drop(columns=["flag"])))
    for name, y, cls in [("reg", MIXED_REG, HistGradientBoostingRegressor), ("bin", MIXED_BIN,
                         HistGradientBoostingClassifier), ("3", MIXED_3, HistGradientBoostingClassifier)]:
        c.add("hgbcat_dtype_" + name, lambda: cls(categorical_features="from_dtype", **small), typed(MIXED), y,
              on=[mixed])
    text = Input("text", FULL_ROWS[["grade", "city", "income", "colour"]])
    c.add("hgbcat_text", lambda: HistGradientBoostingRegressor(categorical_features=["city", "colour", "grade"],
                                                               **small),
          FULL[["grade", "city", "income", "colour"]], MIXED_REG, on=[text])
    numbers = MIXED_KNOWN[["children", "income", "grade"]]
    c.add("hgbcat_numbers", lambda: HistGradientBoostingClassifier(categorical_features=["grade"], **small),
          MIXED[["children", "income", "grade"]], MIXED_BIN, on=[Input("grades", numbers)])
