"""Pipelines, column transformers, unions and searches, and what people really build with them."""
import numpy as np
import pandas as pd
from scipy.stats import uniform
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (ExtraTreesClassifier, GradientBoostingRegressor, RandomForestClassifier,
                              RandomForestRegressor)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, StratifiedKFold
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (FunctionTransformer, MaxAbsScaler, MinMaxScaler, Normalizer, OneHotEncoder,
                                   OrdinalEncoder, PolynomialFeatures, RobustScaler, StandardScaler)
from sklearn.tree import DecisionTreeClassifier

from case_boosting import VERSION
from case_data import (CAT_STR, CAT_STR_ROWS, CAT_STR_UNKNOWN, FULL, FULL_ROWS, MIXED, MIXED_3, MIXED_BIN, MIXED_REG, X,
                       X_NAN, Y_3, Y_BIN, Y_REG, Y_REG2, Y_STR, Y_STR3, Input, named)

if VERSION >= (0, 22):
    from case_boosting import HistGradientBoostingClassifier, HistGradientBoostingRegressor

NUMBERS, TEXTS = ["age", "income", "children"], ["city", "colour"]


def add_cases(c):
    _pipelines(c)
    _sparse(c)
    _searches(c)
    _unions(c)
    _columns_by_position(c)
    _columns_by_name(c)
    _real(c)


def logistic(**more):
    return LogisticRegression(**dict({"solver": "liblinear"}, **more))


def _pipelines(c):
    both = ["num", "f32"]
    c.add("pipe_scale_linreg", lambda: make_pipeline(StandardScaler(), LinearRegression()), X, Y_REG,
          on=both + ["big"], raises=["nan", "inf"])
    c.add("pipe_scale_logreg", lambda: make_pipeline(StandardScaler(), logistic()), X, Y_STR, on=both, log=True)
    c.add("pipe_minmax_sgd", lambda: make_pipeline(MinMaxScaler(), SGDClassifier(
        random_state=0, max_iter=20, tol=None)), X, Y_STR3, on=both)
    c.add("pipe_robust_rf", lambda: make_pipeline(RobustScaler(), RandomForestClassifier(
        n_estimators=3, max_depth=3, random_state=0)), X, Y_STR3, on=both)
    c.add("pipe_impute_tree", lambda: make_pipeline(SimpleImputer(), DecisionTreeClassifier(
        max_depth=3, random_state=0)), X_NAN, Y_STR, on=["nan", "nan32"], raises=["inf"])
    c.add("pipe_poly_ridge", lambda: make_pipeline(StandardScaler(), PolynomialFeatures(2), Ridge()), X, Y_REG,
          raises=["f32"])  # 1e30 squared is past float32
    c.add("pipe_normalize_et", lambda: make_pipeline(Normalizer(), ExtraTreesClassifier(
        n_estimators=3, max_depth=3, random_state=0)), X, Y_BIN, on=both)
    c.add("pipe_nested", lambda: Pipeline([("outer", make_pipeline(SimpleImputer(strategy="median"), MaxAbsScaler())),
                                           ("skip", None if VERSION < (0, 21) else "passthrough"),
                                           ("model", Ridge())]), X_NAN, Y_REG2, on=["nan"])
    c.add("pipe_transform", lambda: make_pipeline(SimpleImputer(), StandardScaler()), X_NAN, on=["nan", "nan32"])
    c.add("pipe_named", lambda: make_pipeline(StandardScaler(), logistic(solver="lbfgs")), named(X),
          Y_STR3, on=["named"])
    c.add("pipe_func_linreg", lambda: make_pipeline(FunctionTransformer(np.cbrt, validate=True), LinearRegression()), X,
          Y_REG)
    nothing = c.pick((0, 21), "passthrough", None)
    c.add("pipe_end_passthrough", lambda: Pipeline([("scale", StandardScaler()), ("end", nothing)]), X,
          on=["num", "f32"])
    c.add("pipe_memory", lambda: Pipeline([("scale", StandardScaler()), ("model", logistic())], memory=None), X, Y_BIN)
    if c.since(1, 2):
        c.add("pipe_set_output", lambda: make_pipeline(StandardScaler(), SimpleImputer()).set_output(
            transform="pandas"), named(X_NAN), on=["named_nan"])


def _sparse(c):
    """What comes out of a one-hot encoder stays sparse through the steps behind it."""
    def after(*steps, **more):
        return make_pipeline(OneHotEncoder(handle_unknown="ignore", **more), *steps)

    on = ["cat_str", "cat_unknown"]
    c.add("sparse_maxabs", lambda: after(MaxAbsScaler(), logistic()), CAT_STR, Y_STR, on=on)
    c.add("sparse_standard", lambda: after(StandardScaler(with_mean=False), Ridge()), CAT_STR, Y_REG, on=on)
    c.add("sparse_normalizer", lambda: after(Normalizer(), logistic(solver="lbfgs")), CAT_STR, Y_STR3, on=on)
    c.add("sparse_robust", lambda: after(RobustScaler(with_centering=False), MaxAbsScaler()), CAT_STR, on=on)
    c.add("sparse_f32", lambda: after(logistic(), dtype=np.float32), CAT_STR, Y_STR, on=on)
    c.add("sparse_tree", lambda: after(DecisionTreeClassifier(max_depth=4, random_state=0)), CAT_STR, Y_STR3, on=on)
    c.add("sparse_gb", lambda: after(GradientBoostingRegressor(n_estimators=3, max_depth=2, random_state=0)), CAT_STR,
          Y_REG, on=on)
    c.add("sparse_sgd", lambda: after(SGDClassifier(random_state=0, max_iter=20, tol=None)), CAT_STR, Y_STR3, on=on)
    c.add("sparse_union", lambda: make_pipeline(make_union(OneHotEncoder(handle_unknown="ignore"), OneHotEncoder(
        handle_unknown="ignore", dtype=np.float32)), MaxAbsScaler(), Ridge()), CAT_STR, Y_REG, on=on)
    c.add("sparse_poly", lambda: after(PolynomialFeatures(2, interaction_only=True, include_bias=False), Ridge()),
          CAT_STR, Y_REG, on=on)
    if c.since(0, 21):
        c.add("sparse_poly3", lambda: after(PolynomialFeatures(3)), CAT_STR[:, 1:], on=[
            Input("cat_two", np.vstack([CAT_STR_ROWS, CAT_STR_UNKNOWN])[:, 1:])])


def _searches(c):
    def grid(estimator, params, **more):
        return GridSearchCV(estimator, params, **dict(dict(cv=3), **more))

    c.add("grid_logreg", lambda: grid(logistic(), {"C": [0.1, 1.0]}), X / [1, 10, 0.125, 100, 1], Y_STR)
    c.add("grid_pipe", lambda: grid(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [0.1, 10.0]}), X, Y_REG,
          on=["num", "f32"], raises=["nan"])
    c.add("grid_tree", lambda: grid(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 3]}), X, Y_STR3)
    c.add("grid_scores", lambda: grid(logistic(solver="lbfgs"), {"C": [0.1, 1.0]}, scoring=["accuracy", "f1_macro"],
                                      refit="accuracy"), X / [1, 10, 0.125, 100, 1], Y_3)
    c.add("grid_transformer", lambda: grid(make_pipeline(StandardScaler(), logistic()),
                                           {"standardscaler": [StandardScaler(), MinMaxScaler()]}), X, Y_BIN)
    c.add("random_rf", lambda: RandomizedSearchCV(RandomForestClassifier(n_estimators=3, random_state=0), {
        "max_depth": [2, 3], "min_samples_leaf": [1, 4]}, n_iter=2, cv=3, random_state=0), X, Y_STR3)
    # the state of scipy's distributions, of a splitter and of a scorer lies in these files
    c.add("random_uniform", lambda: RandomizedSearchCV(Ridge(), {"alpha": uniform(0.1, 2.0)}, n_iter=3, cv=3,
                                                       random_state=0), X, Y_REG)
    c.add("grid_scorer", lambda: grid(logistic(), {"C": [0.1, 1.0]}, cv=StratifiedKFold(3), scoring=make_scorer(
        f1_score, average="macro")), X / [1, 10, 0.125, 100, 1], Y_BIN)
    c.add("pipe_of_grid", lambda: make_pipeline(StandardScaler(), grid(Ridge(), {"alpha": [0.1, 1.0]})), X, Y_REG)
    c.add("grid_named", lambda: grid(logistic(), {"C": [0.1, 1.0]}), named(X / [1, 10, 0.125, 100, 1]), Y_STR,
          on=["named"])


def _unions(c):
    c.add("union", lambda: make_union(StandardScaler(), MinMaxScaler(), PolynomialFeatures(2, include_bias=False)), X,
          on=["num", "f32"])
    c.add("union_drop", lambda: FeatureUnion([("a", StandardScaler()), ("b", c.pick((0, 24), "drop", None)),
                                              ("c", MaxAbsScaler())]), X)
    c.add("union_weights", lambda: FeatureUnion([("a", StandardScaler()), ("b", RobustScaler())],
                                                transformer_weights={"a": 2.5}), X)
    c.add("union_ridge", lambda: make_pipeline(make_union(make_pipeline(SimpleImputer(), StandardScaler()),
                                                          SimpleImputer(strategy="median")), Ridge()), X_NAN, Y_REG,
          on=["nan"])
    if c.since(1, 1):
        c.add("union_passthrough", lambda: FeatureUnion([("as is", "passthrough"), ("b", StandardScaler())]), X)
        c.add("union_named", lambda: FeatureUnion([("as is", "passthrough"), ("b", StandardScaler())]), named(X),
              on=["named"])


def _columns_by_position(c):
    def columns(*parts, **more):
        return ColumnTransformer(list(parts), **more)

    both = ["num", "f32"]
    c.add("ct_index", lambda: columns(("a", StandardScaler(), [1, 3]), ("b", MinMaxScaler(), [0])), X, on=both)
    c.add("ct_pass", lambda: columns(("a", StandardScaler(), [4, 1]), remainder="passthrough"), X, on=both)
    c.add("ct_slice", lambda: columns(("a", StandardScaler(), slice(1, 3)), ("b", "passthrough", slice(-1, None)),
                                      ("c", "drop", [0])), X, on=both)
    c.add("ct_mask", lambda: columns(("a", MaxAbsScaler(), np.array([True, False, True, False, False])),
                                     ("b", "passthrough", [False, True, False, False, False])), X)
    c.add("ct_negative", lambda: columns(("a", StandardScaler(), [-1, -2]), remainder=MinMaxScaler()), X, on=both)
    c.add("ct_weights", lambda: columns(("a", StandardScaler(), [0, 1]), ("b", RobustScaler(), [2]),
                                        transformer_weights={"a": 0.5}), X)
    c.add("ct_overlap", lambda: columns(("a", StandardScaler(), [0, 1]), ("b", MinMaxScaler(), [1, 0]),
                                        ("c", "passthrough", [0])), X)
    c.add("ct_empty", lambda: columns(("a", StandardScaler(), []), ("b", "passthrough", [2, 0])), X)
    c.add("ct_sparse", lambda: columns(("a", OneHotEncoder(categories="auto", handle_unknown="ignore"), [4]),
                                       ("b", StandardScaler(), [0]), sparse_threshold=1.0), X, on=both)
    c.add("ct_ridge", lambda: make_pipeline(columns(("a", StandardScaler(), [0, 1, 3]), ("b", OneHotEncoder(
        categories="auto", handle_unknown="ignore"), [4]), remainder="drop"), Ridge()), X, Y_REG, on=both)
    c.add("ct_nested", lambda: columns(("a", make_pipeline(SimpleImputer(), StandardScaler()), [0, 1]),
                                       ("b", columns(("in", MinMaxScaler(), [1]), remainder="passthrough"), [3, 4])),
          np.where(np.isnan(X_NAN) & (np.arange(5) > 1), 1.0, X_NAN),
          on=[Input("nan01", np.where(np.arange(15)[:, None] % 3 + np.arange(5) == 0, np.nan, X[:15]))])


def _columns_by_name(c):
    def columns(*parts, **more):
        return ColumnTransformer(list(parts), **more)

    one_hot = {"handle_unknown": "ignore"}
    c.add("ctn_basic", lambda: columns(("num", StandardScaler(), ["income", "children"]),
                                       ("cat", OneHotEncoder(**one_hot), ["colour"])), MIXED, on=["mixed"])
    c.add("ctn_pass", lambda: columns(("num", MinMaxScaler(), ["income"]), ("drop", "drop", TEXTS + ["flag"]),
                                      remainder="passthrough"), MIXED, on=["known"])
    c.add("ctn_pass_bool", lambda: columns(("num", MinMaxScaler(), ["income"]), ("flag", "passthrough", ["flag"])),
          MIXED, on=["known"])
    c.add("ctn_text", lambda: columns(("num", StandardScaler(), ["income"]), ("text", "passthrough", ["colour"])),
          MIXED, on=["known"])
    c.add("ctn_error", lambda: columns(("cat", OneHotEncoder(), ["colour"]), remainder="drop"), MIXED, on=["known"],
          raises=["mixed"])
    c.add("ctn_mask", lambda: columns(("num", StandardScaler(), [name == "income" for name in MIXED.columns]),
                                      ("slice", "passthrough", slice("flag", "score"))), MIXED, on=["known"])
    c.add("ctn_position", lambda: columns(("num", StandardScaler(), [1, 2]), ("cat", OneHotEncoder(**one_hot), [4])),
          MIXED, on=["known"])
    c.add("ctn_remainder", lambda: columns(("num", StandardScaler(), ["income", "score"]), remainder=OneHotEncoder(
        **one_hot)), FULL[["income", "city", "colour", "score"]],
          on=[Input("four", FULL_ROWS[["income", "city", "colour", "score"]])])
    c.add("ctn_onehot_all", lambda: columns(("all", OneHotEncoder(**one_hot), ["colour", "flag", "grade", "children"])),
          MIXED, on=["known"])
    # columns told by a pandas Index, a Series mask, an array of names: all of them reach the file
    c.add("ctn_index", lambda: columns(("num", StandardScaler(), MIXED.columns[[1, 7]]), ("cat", OneHotEncoder(
        **one_hot), MIXED.select_dtypes(exclude=["number", "bool"]).columns[1:])), MIXED, on=["known"])
    c.add("ctn_series", lambda: columns(("num", StandardScaler(), MIXED.dtypes == np.int64), remainder="drop"), MIXED,
          on=["known"])
    c.add("ctn_names", lambda: columns(("num", StandardScaler(), np.array(["score", "income"]).tolist()),
                                       ("one", FunctionTransformer(np.square, validate=False), ["children"])), MIXED,
          on=["known"])
    if c.since(0, 22):
        from sklearn.compose import make_column_selector as select
        text = object if VERSION < (1, 9) else [object, "string"]
        c.add("ctn_select", lambda: columns(("num", StandardScaler(), select(dtype_include=float)),
                                            ("cat", OneHotEncoder(**one_hot), select(dtype_include=text)),
                                            ("rest", "passthrough", select(pattern="child|gra"))), FULL, on=["full"])
    if c.since(1, 0):
        c.add("ctn_short_names", lambda: columns(("num", StandardScaler(), ["income"]), ("cat", OneHotEncoder(
            **one_hot), ["colour"]), verbose_feature_names_out=False, remainder="passthrough"),
              FULL.drop(columns=["city"]), on=[Input("nocity", FULL_ROWS.drop(columns=["city"]))])
    if c.since(1, 2):
        c.add("ctn_pandas", lambda: columns(("num", StandardScaler(), ["income"]), ("rest", "passthrough", ["grade"])
                                            ).set_output(transform="pandas"), MIXED, on=["mixed"])


def _prepare(**more):
    numbers = Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
    texts = Pipeline([("impute", SimpleImputer(strategy="constant", fill_value="missing")),
                      ("onehot", OneHotEncoder(handle_unknown="ignore"))])
    return ColumnTransformer([("num", numbers, NUMBERS), ("cat", texts, TEXTS)], **more)


def _real(c):
    c.add("real_logreg", lambda: make_pipeline(_prepare(), logistic()), MIXED, MIXED_BIN, on=["mixed", "known"],
          log=True)
    c.add("real_logreg3", lambda: make_pipeline(_prepare(), logistic(solver="lbfgs")), MIXED, MIXED_3, on=["mixed"])
    c.add("real_ridge", lambda: make_pipeline(_prepare(remainder="drop"), Ridge()), MIXED, MIXED_REG, on=["mixed"])
    c.add("real_rf", lambda: Pipeline([("prep", _prepare(sparse_threshold=0)), ("model", RandomForestClassifier(
        n_estimators=4, max_depth=4, random_state=0))]), MIXED, MIXED_BIN, on=["mixed"])
    c.add("real_rf_sparse", lambda: Pipeline([("prep", _prepare(sparse_threshold=1.0)), ("model", RandomForestRegressor(
        n_estimators=3, max_depth=4, random_state=0))]), MIXED, MIXED_REG, on=["mixed"])
    c.add("real_gb", lambda: make_pipeline(_prepare(), GradientBoostingRegressor(
        n_estimators=4, max_depth=2, random_state=0)), MIXED, MIXED_REG, on=["mixed"])
    c.add("real_transform", lambda: _prepare(), MIXED, on=["mixed"])
    c.add("real_impute_frequent", lambda: make_pipeline(ColumnTransformer([
        ("num", SimpleImputer(), ["age", "score"]),
        ("cat", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), TEXTS),
    ]), Ridge()), MIXED, MIXED_REG, on=["mixed"])
    c.add("real_grid", lambda: GridSearchCV(Pipeline([("prep", _prepare()), ("model", logistic())]), {
        "model__C": [0.1, 1.0], "prep__num__impute__strategy": ["mean", "median"]}, cv=2), MIXED, MIXED_BIN,
          on=["mixed"])
    c.add("real_ordinal", lambda: make_pipeline(ColumnTransformer([("cat", OrdinalEncoder(), TEXTS)],
                                                                  remainder="passthrough"),
                                                DecisionTreeClassifier(max_depth=3, random_state=0)),
          FULL, MIXED_BIN, on=["full"])
    c.add("real_series", lambda: make_pipeline(_prepare(), logistic()), MIXED, pd.Series(MIXED_BIN), on=["mixed"])
    if c.since(0, 22):
        small = dict(max_iter=4, max_leaf_nodes=5, min_samples_leaf=4, max_bins=24, random_state=0)
        c.add("real_hgb", lambda: make_pipeline(_prepare(sparse_threshold=0), HistGradientBoostingClassifier(**small)),
              MIXED, MIXED_3, on=["mixed"])
        if c.since(0, 24):
            c.add("real_hgb_ordinal", lambda: make_pipeline(ColumnTransformer([("cat", OrdinalEncoder(
                handle_unknown="use_encoded_value", unknown_value=-1), ["colour"]), ("num", "passthrough", NUMBERS)]),
                HistGradientBoostingRegressor(categorical_features=[0] if c.since(1, 4) else None, **small)),
                MIXED, MIXED_REG, on=["mixed"])
    if c.since(1, 1):
        c.add("real_infrequent", lambda: make_pipeline(ColumnTransformer([
            ("cat", OneHotEncoder(min_frequency=14, handle_unknown="infrequent_if_exist"), TEXTS),
            ("num", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), NUMBERS)]), logistic()),
            MIXED, MIXED_BIN, on=["mixed"])
