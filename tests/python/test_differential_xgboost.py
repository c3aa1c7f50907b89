"""XGBoost: fresh models with random parameters on awkward rows, against the library.

Rows lie on thresholds and one unit beside them. margin is output_margin=True, apply is pred_leaf=True. A Booster gives
the same bytes from its pickle, from JSON and from UBJSON.
"""

import contextlib
import pathlib
import tempfile

import differential as diff
import golden
import joblib
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from boosters import columns, fit, signal
from hypothesis import given
from hypothesis import strategies as st

REGRESSION = ["reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror", "reg:logistic",
              "reg:squaredlogerror", "reg:gamma", "reg:tweedie", "count:poisson", "survival:cox"]
METHODS = ["predict", "predict_proba", "margin", "apply"]


def parameters(rng, **more):
    """How trees are grown."""
    chosen = {"n_estimators": int(rng.integers(1, 9)), "max_depth": int(rng.integers(1, 6)),
              "learning_rate": float(rng.choice([0.1, 0.5])), "n_jobs": 1, "random_state": int(rng.integers(1000)),
              "tree_method": ["hist", "exact", "approx"][rng.integers(3)]}
    chosen.update([{}, {"gamma": 2.0}, {"booster": "dart", "rate_drop": 0.4}, {"num_parallel_tree": 3, "subsample": 0.6},
                   {"grow_policy": "lossguide", "tree_method": "hist", "max_leaves": 7}][rng.integers(5)])
    return dict(chosen, **more)


def booster_of(model):
    return model if isinstance(model, xgb.Booster) else model.get_booster()


def thresholds(booster):
    """(column, threshold) of numeric splits."""
    try:
        table = booster.trees_to_dataframe()
    except ValueError:  # several values a leaf
        return []
    table = table[(table["Feature"] != "Leaf") & table["Split"].notna()]
    names = booster.feature_names or [f"f{i}" for i in range(booster.num_features())]
    return [(names.index(f), np.float32(t)) for f, t in zip(table["Feature"], table["Split"])]


def rows_for(rng, model, x, special=True):
    rows = [diff.awkward(rng, np.nan_to_num(x), special)]
    found = thresholds(booster_of(model))
    for at in rng.permutation(len(found))[:8]:
        column, t = found[at]
        for value in (t, np.nextafter(t, np.float32(-np.inf)), np.nextafter(t, np.float32(np.inf)),
                      np.nextafter(np.float64(t), -np.inf)):
            row = x[rng.integers(len(x))].copy()
            row[column] = value
            rows.append(row)
    for value in (1e-40, 3.4e38, 0.5, 7.75) + ((1e300,) if special else ()):
        rows += [np.full(x.shape[1], value), np.full(x.shape[1], -value)]
    return np.vstack(rows)


@contextlib.contextmanager
def speaking(model, types=None):
    """The fitted model with methods by the program's names; it cannot be pickled meanwhile."""
    if isinstance(model, xgb.Booster):
        plain = model.predict

        def rows(x):
            return xgb.DMatrix(x, feature_types=types, enable_categorical=True)
        model.predict = lambda x: plain(rows(x))
        model.margin = lambda x: plain(rows(x), output_margin=True)
        model.apply = lambda x: plain(rows(x), pred_leaf=True)
        yield
        del model.predict, model.margin, model.apply
    else:
        model.margin = lambda x: model.predict(x, output_margin=True)
        yield
        del model.margin


def outputs(model_path, rows_path, out, methods=("predict", "margin", "apply")):
    """The files that the program writes."""
    made = []
    for method in methods:
        process = diff.run(model_path, rows_path, out, "--method", method, "--on-error", "null")
        if process.returncode not in (0, 5):
            raise golden.Disagreement(f"{method}: exit {process.returncode}: {process.stderr.strip()[:300]}")
        made.append(out.read_bytes())
    return made


def compare(model, x, table=None, methods=None, types=None):
    """Every method against the library; the booster's pickle and its own files give the same bytes as each other."""
    booster = booster_of(model)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path, bare = folder / "model.joblib", folder / "booster.pkl"
        joblib.dump(model, path)
        joblib.dump(booster, bare)
        booster.save_model(folder / "model.json")
        booster.save_model(folder / "model.ubj")
        rows = diff.write_rows(x if table is None else table, folder)
        with speaking(model, types):
            for method in methods or [m for m in METHODS if hasattr(model, m)]:
                diff.compare_method(model, path, rows, x, method)
        whole = [outputs(file, rows, folder / "a.csv") for file in (bare, folder / "model.json", folder / "model.ubj")]
        if whole[0] != whole[1] or whole[0] != whole[2]:
            raise golden.Disagreement("the booster's own files give other numbers than its pickle")


@given(seed=diff.seeds, objective=st.sampled_from(REGRESSION), single=st.booleans())
@diff.examples(12)
def test_regressors(seed, objective, single):
    rng = np.random.default_rng(seed)
    x = columns(rng, 120)
    y = signal(rng, x)
    if objective == "reg:logistic":
        y = 1 / (1 + np.exp(-y))
    elif objective not in REGRESSION[:4]:
        y = np.exp(y / 4)
    more = {"quantile_alpha": [0.1, 0.5, 0.8][:int(rng.integers(1, 4))]} if "quantile" in objective else {}
    if rng.integers(2):
        more["base_score"] = 0.625
    model = fit(xgb.XGBRegressor(objective=objective, **parameters(rng, **more)), x, y)
    rows = rows_for(rng, model, x)
    with np.errstate(over="ignore"):
        compare(model, rows.astype(np.float32) if single else rows)
    compare(model, rows[:1])


@given(seed=diff.seeds, n=st.integers(2, 5),
       objective=st.sampled_from([None, None, "binary:logitraw", "binary:hinge", "multi:softmax"]))
@diff.examples(10)
def test_classifiers(seed, n, objective):
    rng = np.random.default_rng(seed)
    x = columns(rng, 120)
    n = 2 if objective and objective.startswith("binary") else max(n, 3) if objective else n
    y = diff.labels(rng, len(x), n, "int")
    y = np.unique(y, return_inverse=True)[1]
    more = {} if objective is None else {"objective": objective}
    model = fit(xgb.XGBClassifier(**parameters(rng, **more)), x, y)
    methods = ["predict", "margin", "apply"] if objective == "binary:logitraw" else None
    compare(model, rows_for(rng, model, x), methods=methods)


@given(seed=diff.seeds, classes=st.booleans())
@diff.examples(3)
def test_random_forests(seed, classes):
    rng = np.random.default_rng(seed)
    x = columns(rng, 120)
    y = signal(rng, x)
    made = (xgb.XGBRFClassifier if classes else xgb.XGBRFRegressor)(n_estimators=7, max_depth=4, n_jobs=1)
    model = fit(made, x, np.digitize(y, [0, 2]) if classes else y)
    compare(model, rows_for(rng, model, x))


@given(seed=diff.seeds, objective=st.sampled_from(["rank:ndcg", "rank:pairwise"]))
@diff.examples(2)
def test_rankers(seed, objective):
    rng = np.random.default_rng(seed)
    x = columns(rng, 120)
    model = xgb.XGBRanker(objective=objective, **parameters(rng))
    fit(model, x, rng.integers(0, 4, 120), group=[50, 30, 40])
    compare(model, rows_for(rng, model, x))


@given(seed=diff.seeds, strategy=st.sampled_from(["one_output_per_tree", "multi_output_tree"]), labels=st.booleans())
@diff.examples(5)
def test_several_targets(seed, strategy, labels):
    rng = np.random.default_rng(seed)
    x = columns(rng, 120)
    y = np.column_stack([signal(rng, x) for _ in range(3)])
    more = {"multi_strategy": strategy, "tree_method": "hist", "booster": "gbtree"}
    made = xgb.XGBClassifier if labels else xgb.XGBRegressor
    # classes_ is [0, 1] however many labels there are: with two, their columns have names in the tests
    model = fit(made(**parameters(rng, **more)), x, (y[:, :2] > 1).astype(int) if labels else y)
    compare(model, rows_for(rng, model, x))


@given(seed=diff.seeds, missing=st.sampled_from([0.0, -1.0, 7.0]))
@diff.examples(3)
def test_missing_value(seed, missing):
    rng = np.random.default_rng(seed)
    x = columns(rng, 120)
    model = fit(xgb.XGBRegressor(missing=missing, **parameters(rng)), x, signal(rng, x))
    compare(model, rows_for(rng, model, x))


@given(seed=diff.seeds, rounds=st.integers(1, 3))
@diff.examples(4)
def test_early_stopping(seed, rounds):
    rng = np.random.default_rng(seed)
    x = columns(rng, 150)
    y = np.digitize(signal(rng, x), [0, 2])
    chosen = parameters(rng, early_stopping_rounds=rounds)
    chosen["n_estimators"] += 6
    model = fit(xgb.XGBClassifier(**chosen), x[:100], y[:100], eval_set=[(x[100:], rng.permutation(y[100:]))],
                verbose=False)
    compare(model, rows_for(rng, model, x))


@given(seed=diff.seeds)
@diff.examples(6)
def test_categories_as_numbers(seed):
    rng = np.random.default_rng(seed)
    x = columns(rng, 150)
    x[:, 0] = rng.choice([0, 1, 2, 31, 32, 33, 64, 700], 150)
    x[:, 2] += 1
    x[rng.random(150) < 0.1, 0] = np.nan
    y = signal(rng, x) + np.isin(x[:, 0], [1, 32, 700]) * 4
    types = ["c", "q", "c", "q", "q"]
    booster = xgb.train({"max_cat_to_onehot": int(rng.integers(1, 6)), "max_depth": 4, "nthread": 1,
                         "tree_method": ["hist", "approx"][rng.integers(2)]},
                        xgb.DMatrix(x, y, feature_types=types), int(rng.integers(1, 6)))
    rows = diff.awkward(rng, np.nan_to_num(x), special=False)
    rows = np.vstack([rows, x[:20]])
    rows[:13, 0] = [0, 1, 2, 31, 32, 63, 64, 700, 701, -1, -0.5, 2.75, 20000000]
    rows[rng.random(len(rows)) < 0.2, 2] = np.nan
    compare(booster, rows, types=types)


VALUES = {"text": ["Paris", "a,b", "O'Hare \"x\"", "1", "N/A", "x y"], "integers": [-3, 0, 7, 10, 1000000007]}


@given(seed=diff.seeds, kinds=st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=3), boosted=st.booleans())
@diff.examples(8)
def test_frames(seed, kinds, boosted):
    """Category columns are known by value: missing ones, columns in another order in the file."""
    rng = np.random.default_rng(seed)
    x = columns(rng, 150)
    frame = pd.DataFrame({"n0": x[:, 0], "n1": x[:, 1]})
    y = signal(rng, x)
    for i, kind in enumerate(kinds):
        values = np.array(VALUES[kind], dtype=object if kind == "text" else None)
        codes = np.concatenate([np.arange(len(values)), rng.integers(0, len(values), len(x) - len(values))])
        y = y + (codes % 3) * (i + 1)
        column = pd.Series(pd.Categorical(values[codes]))
        column[rng.random(len(x)) < 0.1] = np.nan
        frame.insert(int(rng.integers(0, frame.shape[1] + 1)), f"c{i}", column)
    more = {"enable_categorical": True, "tree_method": "hist", "max_cat_to_onehot": int(rng.integers(1, 6))}
    model = fit(xgb.XGBRegressor(**parameters(rng, **more)), frame, y)
    rows = frame.iloc[:40].copy()
    table = rows[list(rows.columns)[::-1]].astype({f"c{i}": object for i in range(len(kinds))})
    compare(model.get_booster() if boosted else model, rows, table)


@given(seed=diff.seeds, classes=st.booleans())
@diff.examples(3)
def test_linear_boosters(seed, classes):
    rng = np.random.default_rng(seed)
    x = columns(rng, 120) / [1, 100, 1, 1, 1]
    y = signal(rng, x)
    made = (xgb.XGBClassifier if classes else xgb.XGBRegressor)(booster="gblinear", n_estimators=4, n_jobs=1)
    model = fit(made, x, np.digitize(y, [0, 2]) if classes else y)
    rows = diff.awkward(rng, np.nan_to_num(x), special=False)
    rows[5] /= 1e6
    rows[::3, 2] = np.nan
    compare_linear(model, rows)


def compare_linear(model, rows):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path, table = diff.write_model(model, folder), diff.write_rows(rows, folder)
        with speaking(model):
            for method in [m for m in ("predict", "predict_proba", "margin") if hasattr(model, m)]:
                diff.compare_method(model, path, table, rows, method)


@pytest.mark.parametrize("method", ["predict", "apply"])
def test_rows_do_not_see_each_other(method):
    """Threads, batches and blocks change nothing."""
    rng = np.random.default_rng(9)
    x = columns(rng, 700)
    model = fit(xgb.XGBRegressor(n_estimators=20, n_jobs=1), x, signal(rng, x))
    diff.same_bytes(model, x, method, (), ("--threads", "1"), ("--threads", "3", "--batch-size", "7"),
                    ("--batch-size", "1"), ("--batch-size", "65"))
