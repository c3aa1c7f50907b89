"""XGBoost: Boosters and scikit-learn wrappers in pickles, and the library's own files."""
import os

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import case_data as data

VERSION = tuple(int(n) for n in xgb.__version__.split(".")[:2])
NAMES = ["age", "income", "ratio", "score", "count"]
SMALL = dict(n_estimators=4, max_depth=3, n_jobs=1, random_state=0)
NATIVE = dict(max_depth=3, nthread=1, seed=0, verbosity=0)
METHODS = ["predict", "predict_proba", "margin", "apply"]

X = data.X_NAN.copy()
X[:, 1] = np.where(np.random.RandomState(41).rand(60) < 0.5, 0.0, data.X[:, 1] - 40)


def rows_of(model, x):
    types = None
    if isinstance(x, pd.DataFrame) and any(str(t) == "category" for t in x.dtypes):
        types = {"enable_categorical": True}
    return xgb.DMatrix(x, **(types or {}))


WRAPPED = {"margin": lambda model, x: model.predict(x, output_margin=True)}
NATIVE_CALLS = {"predict": lambda model, x: model.predict(rows_of(model, x)),
                "margin": lambda model, x: model.predict(rows_of(model, x), output_margin=True),
                "apply": lambda model, x: model.predict(rows_of(model, x), pred_leaf=True)}
# Without a limit, be it above all trees, the oldest version drops trees of dart while predicting, too.
ALL = {"ntree_limit": 1000} if VERSION < (1, 0) else {}
DART = {"predict": lambda model, x: model.predict(x, **ALL),
        "margin": lambda model, x: model.predict(x, output_margin=True, **ALL)}
DART_CLASSES = dict(DART, predict_proba=lambda model, x: model.predict_proba(x, **ALL))
NATIVE_DART = dict(NATIVE_CALLS, predict=lambda model, x: model.predict(rows_of(model, x), **ALL),
                   margin=lambda model, x: model.predict(rows_of(model, x), output_margin=True, **ALL))


def wrapper(name, **parameters):
    merged = dict(SMALL, **parameters)
    if name == "XGBClassifier" and (1, 3) <= VERSION < (1, 6):
        merged.setdefault("use_label_encoder", True)
    return lambda: getattr(xgb, name)(**merged)


def thresholds(booster):
    """(column, threshold) of the first splits."""
    table = booster.trees_to_dataframe()
    table = table[table["Feature"] != "Leaf"]
    column = table["Feature"].str.replace("f", "").astype(int)
    return list(zip(column, table["Split"].astype(np.float32)))[:7]


def edges(name, model, width=5):
    """Rows that hit thresholds exactly and one ulp off in both precisions, and what stands for nothing."""
    rows = []
    for feature, t in thresholds(model if isinstance(model, xgb.Booster) else model.get_booster()):
        for value in (t, np.nextafter(t, np.float32(np.inf)), np.nextafter(t, np.float32(-np.inf)),
                      np.nextafter(np.float64(t), -np.inf)):
            row = data.X[0, :width].copy()
            row[feature] = value
            rows.append(row)
    for value in (0.0, -0.0, 1e-40, np.nan, 3.4e38):
        rows += [np.full(width, value), np.full(width, -value)]
    return data.Input("edges_" + name, np.array(rows))


def add(cases, name, make, x, y, on=("num",), fit=None, fitted=False, edge=False, methods=METHODS, raises=(),
        calls=None):
    """A model with all methods; edge: on its own thresholds too."""
    calls = calls or (NATIVE_CALLS if fitted else WRAPPED)
    model = cases.add(name, make, x, y, on=on, fit=fit, fitted=fitted, calls=calls, methods=methods, raises=raises)
    if edge and model is not None:
        cases.record(name, model, cases.entries[-1]["model"], edges(name, model), False, METHODS, False, calls)
    return model


def add_file(cases, name, booster, form, on, calls=NATIVE_CALLS):
    """The library's own file."""
    path = "models/%s.%s" % (name, form)
    booster.save_model(os.path.join(cases.folder, path))
    loaded = xgb.Booster(model_file=os.path.join(cases.folder, path))
    for source in on:
        cases.record(name, loaded, path, data.get(source), False, METHODS, False, calls)


def losses(cases):
    y_of = {"count:poisson": data.Y_COUNT, "reg:gamma": data.Y_POS, "reg:tweedie": data.Y_COUNT,
            "reg:squaredlogerror": data.Y_POS, "reg:logistic": data.Y_BIN, "survival:cox": data.Y_POS}
    names = list(y_of) + ["reg:pseudohubererror"]
    newer = ("reg:squaredlogerror", "reg:pseudohubererror")
    names = [name for name in names if VERSION >= (1, 0) or name not in newer]
    names += ["reg:absoluteerror"] if VERSION >= (1, 7) else []
    for name in names:
        add(cases, name.split(":")[1], wrapper("XGBRegressor", objective=name, n_estimators=2), X,
            y_of.get(name, data.Y_REG))
    if VERSION >= (2, 0):
        add(cases, "quantile", wrapper("XGBRegressor", objective="reg:quantileerror", quantile_alpha=[0.2, 0.5, 0.9],
                                       n_estimators=2), X, data.Y_REG)
    groups = {"group": [20, 20, 20]}
    for name in ("rank:pairwise", "rank:ndcg", "rank:map"):
        y = data.Y_3 > 1 if name == "rank:map" else data.Y_3
        add(cases, name.replace(":", "_"), wrapper("XGBRanker", objective=name, n_estimators=2), X, y.astype(int),
            fit=groups)


def missing(cases):
    add(cases, "plain", wrapper("XGBRegressor"), data.X, data.Y_REG, on=("num", "npyF", "f32", "i64", "one"),
        edge=True)
    inf = ("num", "inf", "big") if VERSION >= (1, 4) else ("num",)
    add(cases, "infinite", wrapper("XGBRegressor", n_estimators=2), X, data.Y_REG, on=inf,
        methods=["predict", "margin"])
    add(cases, "missing_nan", wrapper("XGBRegressor"), X, data.Y_REG, on=("num", "nan", "nan32"), edge=True)
    zeros = data.Input("zeros", np.where(data.ROWS_NAN > 0.3, data.ROWS_NAN, 0.0))
    gaps = VERSION >= (1, 0)  # before, NaN was refused beside another missing value
    add(cases, "missing_zero", wrapper("XGBRegressor", missing=0.0), X if gaps else np.nan_to_num(X), data.Y_REG,
        on=("num", "nan", zeros) if gaps else ("num", zeros))
    marked = data.Input("marked", np.where(np.isnan(data.ROWS_NAN), -999.25, data.ROWS_NAN))
    add(cases, "missing_marked", wrapper("XGBClassifier", missing=-999.25), np.where(np.isnan(X), -999.25, X),
        data.Y_BIN, on=(marked,))


def classes(cases):
    encodes = VERSION < (1, 6)  # later versions take the classes 0, 1, … alone
    add(cases, "binary", wrapper("XGBClassifier"), X, data.Y_STR if encodes else data.Y_BIN, on=("num", "nan"),
        edge=True)
    add(cases, "several", wrapper("XGBClassifier"), X, data.Y_STR3 if encodes else data.Y_3, on=("num", "nan"))
    add(cases, "base_score", wrapper("XGBClassifier", base_score=0.3, n_estimators=2), X, data.Y_BIN)
    add(cases, "logitraw", wrapper("XGBClassifier", objective="binary:logitraw", base_score=0.4, n_estimators=2), X,
        data.Y_BIN, methods=["margin", "apply"])
    add(cases, "hinge", wrapper("XGBClassifier", objective="binary:hinge", n_estimators=2), X, data.Y_BIN,
        methods=["predict", "margin"])
    if VERSION >= (1, 7):
        add(cases, "softmax", wrapper("XGBClassifier", objective="multi:softmax", n_estimators=2), X, data.Y_3)
    if VERSION >= (1, 6):
        several = np.column_stack([data.Y_BIN, data.Y_3 > 0]).astype(int)
        add(cases, "multilabel", wrapper("XGBClassifier", n_estimators=2), X, several)
        add(cases, "targets", wrapper("XGBRegressor", n_estimators=2), X, np.column_stack([data.Y_REG, -data.Y_POS]))
    if VERSION >= (2, 0):
        add(cases, "vector", wrapper("XGBRegressor", multi_strategy="multi_output_tree", tree_method="hist"), X,
            np.column_stack([data.Y_REG, -data.Y_POS, data.Y_COUNT]), on=("num", "nan"),
            methods=["predict", "margin", "apply"])


def boosters(cases):
    drop = dict(booster="dart", rate_drop=0.5, n_estimators=6)
    add(cases, "dart", wrapper("XGBRegressor", **drop), X, data.Y_REG, on=("num", "nan"), calls=DART)
    add(cases, "dart_several", wrapper("XGBClassifier", **drop), X, data.Y_3, calls=DART_CLASSES)
    add(cases, "forest", wrapper("XGBRFClassifier"), X, data.Y_BIN)
    add(cases, "forest_regressor", wrapper("XGBRFRegressor", n_estimators=7), X, data.Y_REG)
    add(cases, "parallel", wrapper("XGBClassifier", num_parallel_tree=2, subsample=0.7, n_estimators=2), X, data.Y_3)
    add(cases, "constant", wrapper("XGBRegressor"), X, np.full(60, 2.5))
    add(cases, "pruned", wrapper("XGBRegressor", gamma=30.0, tree_method="exact"), X, data.Y_REG)
    add(cases, "linear", wrapper("XGBRegressor", booster="gblinear"), data.X / [1, 40, 1, 1000, 1], data.Y_REG,
        methods=["predict", "margin"])
    add(cases, "linear_several", wrapper("XGBClassifier", booster="gblinear"), X / [1, 40, 1, 1000, 1], data.Y_3,
        on=("num", "nan"), methods=METHODS[:3])


def early(cases):
    x, y = X[:20], -data.Y_REG[:20]
    more = dict(early_stopping_rounds=2) if VERSION >= (1, 6) else {}
    fit = {"eval_set": [(x, y)], "verbose": False}
    if not more:
        fit["early_stopping_rounds"] = 2
    add(cases, "early_stopping", wrapper("XGBRegressor", n_estimators=12, **more), X, data.Y_REG, fit=fit)
    fit = dict(fit, eval_set=[(x, (data.Y_3[:20] + 1) % 3)])
    add(cases, "early_several", wrapper("XGBClassifier", n_estimators=12, num_parallel_tree=2, subsample=0.8, **more),
        X, data.Y_3, fit=fit)


def native(cases):
    def train(y, rounds=4, x=X, **parameters):
        return xgb.train(dict(NATIVE, **parameters), xgb.DMatrix(x, y), rounds)
    forms = (["json"] if VERSION < (3, 1) else []) + (["ubj"] if VERSION >= (1, 6) else ["json"])
    forms += ["bin"] if VERSION < (2, 0) else []
    raises = ("inf",) if VERSION >= (1, 4) else ()
    binary = train(data.Y_BIN, objective="binary:logistic")
    add(cases, "booster", lambda: binary, X, None, fitted=True, on=("num", "nan"), raises=raises)
    several = train(data.Y_3, objective="multi:softprob", num_class=3)
    add(cases, "booster_several", lambda: several, X, None, fitted=True)
    softmax = train(data.Y_3, objective="multi:softmax", num_class=3, rounds=2)
    add(cases, "booster_softmax", lambda: softmax, X, None, fitted=True)
    for form in ["bin"] if VERSION < (1, 0) else dict.fromkeys(forms + ["json"]):  # the oldest has no other
        add_file(cases, "binary_file", binary, form, ("num", "nan"))
        add_file(cases, "several_file", several, form, ("num",))
    dart = train(data.Y_REG, booster="dart", rate_drop=0.5)
    add(cases, "booster_dart", lambda: dart, X, None, fitted=True, calls=NATIVE_DART)
    for form in ["bin"] if VERSION < (1, 0) else dict.fromkeys(forms[-1:] + ["json"]):
        add_file(cases, "dart_file", dart, form, ("num",), NATIVE_DART)


def frames(cases):
    def named(rows):
        return pd.DataFrame(rows, columns=NAMES)
    rows = data.Input("names", named(data.ROWS_NAN), data.shuffled(named(data.ROWS_NAN)))
    add(cases, "named", wrapper("XGBClassifier"), named(X), data.Y_BIN, on=(rows,))


def categories(cases):
    """By number up to 3.0; from 3.1 on the model knows the categories themselves."""
    if VERSION < (1, 6):
        return
    parameters = dict(enable_categorical=True, tree_method="hist" if VERSION >= (1, 7) else "approx",
                      max_cat_to_onehot=2)
    x = np.column_stack([data.CAT_INT[:, 2], data.CAT_INT[:, 0] + 2, data.X[:, 0]]).astype(float)
    x[::7, 0] = np.nan
    y = np.round(data.Y_REG + x[:, 1] * 3 + np.where(x[:, 0] == 3, 5, 0), 2)
    rows = data.Input("codes", np.array([
        [1, 0, 0.5], [2, 1, -0.5], [3, 2, 0], [4, 3, 0], [70, 4, 0], [8, 0, 1], [np.nan, np.nan, np.nan], [-1, -1, 0],
        [-0.5, -0.5, 0], [0.5, 2.75, 0], [99, 31, 0], [32, 64, 0], [1e10, -1e10, 0], [71, 5, 0]]))
    booster = xgb.train(dict(NATIVE, tree_method=parameters["tree_method"], max_cat_to_onehot=2),
                        xgb.DMatrix(x, y, feature_types=["c", "c", "q"]), 4)
    calls = dict((m, lambda model, rows, f=f: model.predict(
        xgb.DMatrix(rows, feature_types=["c", "c", "q"]), **f)) for m, f in [
            ("predict", {}), ("margin", {"output_margin": True}), ("apply", {"pred_leaf": True})])
    if VERSION < (3, 1):
        cases.add("codes", lambda: booster, x, None, on=(rows,), fitted=True, calls=calls, methods=METHODS)
    if VERSION < (3, 1):
        return
    mixed, seen = data.MIXED.copy(), data.MIXED_KNOWN.copy()
    texts = ["city", "colour"]
    if VERSION < (3, 4):  # these garble categories that are not ASCII
        mixed, seen, texts = mixed.drop(columns=["city"]), seen.drop(columns=["city"]), ["colour"]
    for name in texts + ["grade"]:
        kind = pd.api.types.CategoricalDtype(sorted(mixed[name].dropna().unique()))
        mixed[name] = mixed[name].astype(kind)
        seen[name] = seen[name].astype("category")
    rows = data.Input("categories", seen, data.shuffled(data.MIXED_KNOWN[list(seen.columns)]))
    model = add(cases, "categories", wrapper("XGBClassifier", **parameters), mixed,
                (data.MIXED_BIN == "good").astype(int), on=(rows,))
    if model is not None:
        add_file(cases, "categories_file", model.get_booster(), "ubj", (rows,))


def pipelines(cases):
    add(cases, "scaled", lambda: make_pipeline(StandardScaler(), wrapper("XGBClassifier")()), data.X, data.Y_BIN,
        on=("num", "f32"), methods=METHODS[:2])
    columns = ColumnTransformer([("one", OneHotEncoder(handle_unknown="ignore"), ["colour"]),
                                 ("rest", "passthrough", ["age", "income", "score"])], sparse_threshold=0)
    rows = data.Input("table", data.MIXED_ROWS, data.shuffled(data.MIXED_ROWS))
    add(cases, "table", lambda: make_pipeline(columns, wrapper("XGBRegressor")()), data.MIXED, data.MIXED_REG,
        on=(rows,), methods=METHODS[:1])


def add_cases(cases):
    for family in (missing, losses, classes, boosters, early, native, frames, categories, pipelines):
        family(cases)
