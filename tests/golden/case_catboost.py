"""CatBoost: its classes in pickles, and its own .cbm files."""
import os

import catboost
import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

import case_data as data

VERSION = tuple(int(n) for n in catboost.__version__.split(".")[:2])
SMALL = dict(iterations=4, depth=3, learning_rate=0.4, random_seed=0, thread_count=1, logging_level="Silent",
             allow_writing_files=False)
METHODS = ["predict", "predict_proba", "predict_log_proba", "margin", "apply"]
CATEGORIES = ["city", "code", "flag"]
LONG = ["seventeen letters", "x" * 32, "y" * 33, "sixty-four and more bytes, which the hash takes in by blocks of " * 3]


def raw(model, x):
    if type(model).__name__ == "CatBoostRanker":
        return model.predict(x)
    return model.predict(x, prediction_type="RawFormulaVal")


def flat(model, x):
    """One label a row, though several classes come as a column."""
    result = model.predict(x)
    return result[:, 0] if result.ndim == 2 and result.shape[1] == 1 else result


def last_step(call):
    """The same of a pipeline's last step."""
    def on_last(model, x):
        if not hasattr(model, "steps"):
            return call(model, x)
        for _, step in model.steps[:-1]:
            x = step.transform(x)
        return call(model.steps[-1][1], x)
    return on_last


CALLS = {"predict": last_step(flat), "margin": last_step(raw),
         "apply": lambda model, x: model.calc_leaf_indexes(x)}


def make(name, **parameters):
    return lambda: getattr(catboost, name)(**dict(SMALL, **parameters))


def steady(model):
    """What a clock and a random generator wrote, so that archives can be made again byte for byte."""
    metadata = model.get_metadata()
    metadata["train_finish_time"] = "2024-01-01T00:00:00Z"
    metadata["model_guid"] = "0-0-0-0"


def _frame(n, seed, unknown):
    rs = np.random.RandomState(seed)
    cities = data.CITIES + [""] + LONG + (["London", "paris", "NA", "nan"] if unknown else [])
    frame = pd.DataFrame({
        "x": np.round(rs.randn(n), 2), "city": np.array(cities, dtype=object)[rs.randint(0, len(cities), n)],
        "code": rs.choice([-7, 0, 3, 12, 1000000007] + ([99] if unknown else []), n),
        "y": np.round(rs.randn(n) * 10, 1), "flag": rs.choice(["u", "v"] + (["w"] if unknown else []), n)})
    frame.loc[rs.rand(n) < 0.1, "x"] = np.nan
    signal = (frame["city"].isin(data.CITIES[:3]) * 2.0 + (frame["code"] % 3 == 0) + np.nan_to_num(frame["x"])
              + (frame["flag"] == "u") * (frame["y"] > 2))
    return frame, np.round(signal.values + rs.randn(n) * 0.2, 2)


FRAME, TARGET = _frame(120, 31, False)
HIGH = np.array(["low", "high"])[(TARGET > np.median(TARGET)).astype(int)]
THREE = np.digitize(TARGET, [1.0, 2.5])
ROWS = data.Input("categories", _frame(40, 32, True)[0])
ABSENT = data.Input("categories_absent", ROWS.x.assign(city=[None if i % 5 == 0 else c
                                                            for i, c in enumerate(ROWS.x["city"])]))


def edges(name, model):
    """Rows on each border and one float32 beside it, and what is no number of float32 at all."""
    rows = []
    for column, borders in sorted(model.get_borders().items()):
        for border in [borders[i] for i in range(0, len(borders), max(1, len(borders) // 3))][:3]:
            border = np.float32(border)
            beside = [np.nextafter(border, np.float32(s) * np.float32(np.inf)) for s in (-1, 1)]
            between = np.nextafter(float(border), np.inf)  # rounds back to the border
            for value in [border] + beside + [between]:
                row = data.X[0].copy()
                row[int(column)] = value
                rows.append(row)
    rows += [np.full(5, v) for v in (np.nan, np.inf, -np.inf, 1e300, 0.0, -0.0, 1e-46)]
    return data.Input("edges_" + name, np.array(rows))


def add(cases, name, maker, x, y, on=("num",), fit=None, inputs=(), raises=(), cbm=False, edge=False):
    np.random.seed(0)
    model = maker().fit(x, y, **(fit or {}))
    steady(model)
    sources = [data.get(source) for source in on] + list(inputs) + ([edges(name, model)] if edge else [])
    path = cases.dump(name, model)
    for source in sources:
        cases.record(name, model, path, source, False, METHODS, True, CALLS)
    for source in raises:
        cases.record(name, model, path, source, True, ["predict", "margin"], False, CALLS)
    if cbm:
        path = "models/%s.cbm" % name
        model.save_model(os.path.join(cases.folder, path))
        for source in sources:
            cases.record(name + "_cbm", model, path, source, False, METHODS, True, CALLS)
    return model


def numbers(cases):
    add(cases, "regressor", make("CatBoostRegressor"), data.X, data.Y_REG,
        on=("num", "npyF", "f32", "big", "inf", "one"), cbm=True, edge=True)
    for mode in ("Min", "Max"):
        add(cases, "nan_" + mode.lower(), make("CatBoostRegressor", nan_mode=mode), data.X_NAN, data.Y_REG,
            on=("num", "nan", "nan32"), edge=True)
    for policy in ("Depthwise", "Lossguide"):
        add(cases, policy.lower(), make("CatBoostRegressor", grow_policy=policy, nan_mode="Max"), data.X_NAN,
            data.Y_REG, on=("num", "nan"), edge=True, cbm=True)
        add(cases, policy.lower() + "_classes", make("CatBoostClassifier", grow_policy=policy), data.X, data.Y_STR3)
    add(cases, "deep", make("CatBoostRegressor", depth=9, iterations=1), data.X, data.Y_REG)
    add(cases, "named", make("CatBoostRegressor"), data.named(data.X), data.Y_REG, on=("named",))
    add(cases, "constant", make("CatBoostRegressor", allow_const_label=True), data.X, np.full(60, 2.5))


def losses(cases):
    for name, y in [("MAE", data.Y_REG), ("Quantile:alpha=0.3", data.Y_REG), ("Poisson", data.Y_COUNT),
                    ("Tweedie:variance_power=1.5", data.Y_COUNT), ("RMSEWithUncertainty", data.Y_REG),
                    ("MultiRMSE", data.Y_REG2)]:
        short = name.split(":")[0].lower()
        add(cases, short, make("CatBoostRegressor", loss_function=name), data.X, y,
            cbm=short in ("poisson", "multirmse"))
    add(cases, "plain_class", lambda: catboost.CatBoost(dict(SMALL, loss_function="Logloss")), data.X, data.Y_BIN)
    if VERSION >= (1, 0):
        add(cases, "ranker", make("CatBoostRanker"), data.X, data.Y_BIN, fit={"group_id": np.repeat([1, 2, 3], 20)})


def classes(cases):
    add(cases, "binary", make("CatBoostClassifier"), data.X, data.Y_STR, on=("num", "f32"), cbm=True)
    for name, y in [("int", data.Y_NEG), ("bool", data.Y_BOOL), ("float", data.Y_FLOAT + 0.5)]:
        add(cases, "binary_" + name, make("CatBoostClassifier", iterations=2), data.X, y)
    add(cases, "cross_entropy", make("CatBoostClassifier", loss_function="CrossEntropy"), data.X,
        np.clip(data.Y_BIN, 0.1, 0.9))
    add(cases, "several", make("CatBoostClassifier"), data.X, data.Y_STR3, cbm=True)
    add(cases, "several_big", make("CatBoostClassifier", iterations=2), data.X, data.Y_BIG)
    add(cases, "one_vs_all", make("CatBoostClassifier", loss_function="MultiClassOneVsAll"), data.X, data.Y_STR3)
    add(cases, "class_names", make("CatBoostClassifier", class_names=["mid dle", "low", "h\u00f6gh"]), data.X,
        data.Y_STR3)
    add(cases, "classes_count", make("CatBoostClassifier", classes_count=5, loss_function="MultiClass"), data.X,
        data.Y_3, cbm=True)
    if VERSION >= (1, 0):
        add(cases, "multi_label", make("CatBoostClassifier", loss_function="MultiLogloss"), data.X,
            np.column_stack([data.Y_BIN, data.Y_3 > 0, data.Y_3 > 1]).astype(int))


def changed(cases):
    def scaled():
        model = make("CatBoostRegressor")().fit(data.X, data.Y_REG)
        model.set_scale_and_bias(0.3, 1.7)
        return model

    def thresholded():
        model = make("CatBoostClassifier")().fit(data.X, data.Y_STR)
        model.set_probability_threshold(0.7)
        return model
    for name, maker in [("scaled", scaled)] + [("threshold", thresholded)] * (VERSION >= (1, 0)):
        model = maker()
        steady(model)
        cases.record(name, model, cases.dump(name, model), data.get("num"), False, METHODS, True, CALLS)
    piped = make_pipeline(SimpleImputer(), make("CatBoostClassifier")()).fit(data.X_NAN, data.Y_STR)
    steady(piped.steps[-1][1])
    cases.record("piped", piped, cases.dump("piped", piped), data.get("nan"), False, METHODS[:-1], True, CALLS)


def categories(cases):
    fit, more = {"cat_features": CATEGORIES}, dict(inputs=[ROWS], on=(), raises=[ABSENT])
    add(cases, "categories", make("CatBoostClassifier"), FRAME, HIGH, fit=fit, cbm=True, **more)
    add(cases, "one_hot", make("CatBoostClassifier", one_hot_max_size=20), FRAME, HIGH, fit=fit, **more)
    add(cases, "combinations", make("CatBoostRegressor", max_ctr_complexity=4, iterations=12, depth=5), FRAME, TARGET,
        fit=fit, cbm=True, **more)
    add(cases, "categories_several", make("CatBoostClassifier"), FRAME, THREE, fit=fit, **more)
    add(cases, "categories_lossguide", make("CatBoostClassifier", grow_policy="Lossguide"), FRAME, THREE, fit=fit,
        **more)
    for kind in ("Borders", "Buckets", "BinarizedTargetMeanValue", "Counter"):
        add(cases, "ctr_" + kind.lower(), make("CatBoostRegressor", simple_ctr=[kind], combinations_ctr=[kind],
                                               iterations=6), FRAME, TARGET, fit=fit, **more)


def add_cases(cases):
    numbers(cases)
    losses(cases)
    classes(cases)
    changed(cases)
    categories(cases)
