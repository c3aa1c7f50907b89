"""LightGBM: Boosters and scikit-learn wrappers in pickles, and the library's own text files."""
import os

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import case_data as data

VERSION = tuple(int(n) for n in lgb.__version__.split(".")[:2])
NAMES = ["age", "income", "ratio", "score", "count"]
SMALL = dict(n_estimators=4, num_leaves=7, min_child_samples=4, min_data_in_bin=1, n_jobs=1, random_state=0)
NATIVE = dict(num_leaves=7, min_data_in_leaf=4, min_data_in_bin=1, num_threads=1, seed=0, verbose=-1,
              deterministic=True, force_row_wise=True)
CALLS = {"margin": lambda model, x: model.predict(x, raw_score=True),
         "apply": lambda model, x: model.predict(x, pred_leaf=True)}
METHODS = ["predict", "predict_proba", "margin", "apply"]
NEAR_ZERO = float(np.float32(1e-35))

# Zeros, missing values and small integers, so that every kind of split comes up.
_rs = np.random.RandomState(41)
X = np.column_stack([data.X_NAN[:, 0], np.where(_rs.rand(60) < 0.5, 0.0, data.X[:, 1] - 40), data.X_NAN[:, 2],
                     data.X[:, 3], data.X[:, 4]])


def wrapper(name, **parameters):
    merged = dict(SMALL, **parameters)
    merged.setdefault("verbose", -1)
    return lambda: getattr(lgb, name)(**merged)


def booster_of(model):
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    return last if isinstance(last, lgb.Booster) else last.booster_


def edges(name, model, width=5):
    """Rows that hit thresholds exactly, one ulp off, and the range that counts as zero, just inside and outside."""
    rows, features = [], None
    for line in booster_of(model).model_to_string().split("\n"):
        key, _, value = line.partition("=")
        if key == "split_feature":
            features = [int(f) for f in value.split()]
        elif key == "threshold" and features and len(rows) < 24:
            for feature, threshold in zip(features[:4], [float(t) for t in value.split()]):
                for x in (threshold, np.nextafter(threshold, np.inf), np.nextafter(threshold, -np.inf)):
                    row = data.X[0, :width].copy()
                    row[feature] = x
                    rows.append(row)
    for x in (NEAR_ZERO, np.nextafter(NEAR_ZERO, 1), 1e-36, 0.0, -0.0, np.nan, np.inf):
        rows.append(np.full(width, x))
        rows.append(np.full(width, -x))
    return data.Input("edges_" + name, np.array(rows))


def add(cases, name, make, x, y, on=("num",), fit=None, fitted=False, edge=False, methods=METHODS):
    """A model with all four methods; edge: on its own thresholds too."""
    model = cases.add(name, make, x, y, on=on, fit=fit, fitted=fitted, calls=CALLS, methods=methods)
    if edge and model is not None:
        path = cases.entries[-1]["model"]
        cases.record(name, model, path, edges(name, model), False, METHODS, False, CALLS)
    return model


def add_text(cases, name, booster, on):
    """The library's own file; predict uses all iterations that save_model wrote."""
    path = "models/%s.txt" % name
    booster.save_model(os.path.join(cases.folder, path))
    loaded = lgb.Booster(model_file=os.path.join(cases.folder, path))
    for source in on:
        cases.record(name, loaded, path, data.get(source), False, METHODS, False, CALLS)


def losses(cases):
    for name, y in [("regression_l1", data.Y_REG), ("huber", data.Y_REG), ("fair", data.Y_REG),
                    ("quantile", data.Y_REG), ("mape", data.Y_POS), ("poisson", data.Y_COUNT),
                    ("gamma", data.Y_POS), ("tweedie", data.Y_COUNT)]:
        add(cases, name, wrapper("LGBMRegressor", objective=name, n_estimators=2), X, y, on=("num",))
    add(cases, "square_root", wrapper("LGBMRegressor", reg_sqrt=True), X, data.Y_REG)
    add(cases, "cross_entropy", wrapper("LGBMClassifier", objective="cross_entropy"), X, data.Y_BIN)
    add(cases, "cross_entropy_lambda", wrapper("LGBMClassifier", objective="cross_entropy_lambda"), X, data.Y_BIN)
    groups = {"group": [20, 20, 20]}
    add(cases, "lambdarank", wrapper("LGBMRanker"), X, data.Y_3, fit=groups)
    if VERSION >= (3, 0):
        add(cases, "rank_xendcg", wrapper("LGBMRanker", objective="rank_xendcg"), X, data.Y_3, fit=groups)


def missing(cases):
    on = ("num", "nan", "nan32")
    add(cases, "missing_nan", wrapper("LGBMRegressor"), X, data.Y_REG, on=on, edge=True)
    add(cases, "missing_zero", wrapper("LGBMRegressor", zero_as_missing=True), X, data.Y_REG, on=on, edge=True)
    add(cases, "missing_none", wrapper("LGBMRegressor", use_missing=False), X, data.Y_REG, on=on, edge=True)
    add(cases, "plain", wrapper("LGBMRegressor"), data.X, data.Y_REG,
        on=("num", "npyF", "f32", "i64", "big", "inf", "one"), edge=True)


def classes(cases):
    add(cases, "binary", wrapper("LGBMClassifier"), X, data.Y_STR, on=("num", "nan"), edge=True)
    add(cases, "binary_sigmoid", wrapper("LGBMClassifier", sigmoid=0.75), X, data.Y_NEG)
    add(cases, "binary_bool", wrapper("LGBMClassifier", n_estimators=2), X, data.Y_BOOL)
    add(cases, "several", wrapper("LGBMClassifier"), X, data.Y_STR3, on=("num", "nan"))
    add(cases, "several_ova", wrapper("LGBMClassifier", objective="multiclassova", sigmoid=1.25), X, data.Y_BIG)


def boosters(cases):
    add(cases, "dart", wrapper("LGBMRegressor", boosting_type="dart", drop_rate=0.5), X, data.Y_REG)
    bagged = dict(boosting_type="rf", subsample=0.7, subsample_freq=1)
    add(cases, "forest", wrapper("LGBMRegressor", **bagged), X, data.Y_REG)
    add(cases, "forest_classes", wrapper("LGBMClassifier", **bagged), X, data.Y_STR3)
    add(cases, "constant", wrapper("LGBMRegressor"), X, np.full(60, 2.5))


def linear(cases):
    if VERSION < (3, 2):
        return
    add(cases, "linear", wrapper("LGBMRegressor", linear_tree=True, linear_lambda=0.1), X, data.Y_REG,
        on=("num", "nan", "nan32", "one"), edge=True)
    add(cases, "linear_classes", wrapper("LGBMClassifier", linear_tree=True, n_estimators=2), X, data.Y_STR3)


def early(cases):
    fit = {"eval_set": [(X[:20], -data.Y_REG[:20])]}
    if VERSION >= (3, 3):
        fit["callbacks"] = [lgb.early_stopping(2)]
    else:
        fit["early_stopping_rounds"] = 2
    add(cases, "early_stopping", wrapper("LGBMRegressor", n_estimators=12), X, data.Y_REG, fit=fit)


def native(cases):
    def train(y, rounds=4, **parameters):
        return lgb.train(dict(NATIVE, **parameters), lgb.Dataset(X, y), rounds)
    binary = train(data.Y_BIN, objective="binary")
    add(cases, "booster", lambda: binary, X, None, fitted=True, on=("num", "nan"))
    several = train(data.Y_3, objective="multiclass", num_class=3)
    several.best_iteration = 2
    add(cases, "booster_several", lambda: several, X, None, fitted=True)
    add_text(cases, "text_binary", binary, ("num", "nan"))
    add_text(cases, "text_several", several, ("num",))
    add_text(cases, "text_forest", train(data.Y_REG, boosting_type="rf", bagging_fraction=0.7, bagging_freq=1),
             ("num", "nan"))


def frames(cases):
    def named(rows):
        return pd.DataFrame(rows, columns=NAMES)
    rows = data.Input("names", named(data.ROWS_NAN), data.shuffled(named(data.ROWS_NAN)))
    add(cases, "named", wrapper("LGBMClassifier"), named(X), data.Y_STR, on=(rows,))

    mixed, seen = data.MIXED.copy(), data.MIXED_ROWS.copy()
    for name, ordered in (("city", False), ("colour", False), ("grade", False)):
        kind = pd.api.types.CategoricalDtype(sorted(mixed[name].dropna().unique()), ordered=ordered)
        mixed[name] = mixed[name].astype(kind)
        seen[name] = seen[name].astype("category")
    rows = data.Input("categories", seen, data.shuffled(data.MIXED_ROWS))
    categories = dict(min_data_per_group=2, cat_smooth=1.0, cat_l2=1.0, max_cat_to_onehot=2)
    model = add(cases, "categories", wrapper("LGBMClassifier", **categories), mixed, data.MIXED_BIN, on=(rows,))
    if model is not None:
        add_text(cases, "text_categories", model.booster_, (rows,))


def codes(cases):
    parameters = dict(min_data_per_group=2, cat_smooth=1.0, cat_l2=1.0, max_cat_to_onehot=2)
    x = np.column_stack([data.CAT_INT[:, 2], data.CAT_INT[:, 0] + 2, data.X[:, 0]]).astype(float)
    x[::7, 0] = np.nan
    x[5::9, 0] = 70
    y = np.round(data.Y_REG + x[:, 1] * 3 + np.where(x[:, 0] == 3, 5, 0), 2)
    rows = data.Input("codes", np.array([
        [1, 0, 0.5], [2, 1, -0.5], [3, 2, 0], [4, 3, 0], [70, 4, 0], [8, 0, 1], [np.nan, np.nan, np.nan], [-1, -1, 0],
        [-0.5, -0.5, 0], [0.5, 2.75, 0], [99, 31, 0], [32, 64, 0], [1e10, -1e10, 0], [np.inf, -np.inf, 0], [71, 5, 0]]))
    add(cases, "codes", wrapper("LGBMRegressor", **parameters), x, y, on=(rows,),
        fit={"categorical_feature": [0, 1]})


def pipelines(cases):
    add(cases, "scaled", lambda: make_pipeline(StandardScaler(), wrapper("LGBMClassifier")()), data.X, data.Y_STR,
        on=("num", "f32"), methods=METHODS[:3])
    columns = ColumnTransformer([("one", OneHotEncoder(handle_unknown="ignore"), ["colour"]),
                                 ("rest", "passthrough", ["age", "income", "score"])])
    rows = data.Input("table", data.MIXED_ROWS, data.shuffled(data.MIXED_ROWS))
    add(cases, "table", lambda: make_pipeline(columns, wrapper("LGBMRegressor")()), data.MIXED, data.MIXED_REG,
        on=(rows,), methods=METHODS[:3])


def add_cases(cases):
    for family in (missing, losses, classes, boosters, linear, early, native, frames, codes, pipelines):
        family(cases)
