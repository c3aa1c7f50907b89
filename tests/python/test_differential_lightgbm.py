"""LightGBM: fresh models with random parameters on awkward rows, against the library.

Rows lie on thresholds and one unit beside them, and around the numbers that the library takes for zero. margin is
raw_score=True, apply is pred_leaf=True.
"""

import contextlib
import pathlib
import tempfile
import warnings

import differential as diff
import ftl
import golden
import joblib
import lightgbm as lgb
import numpy as np
import pandas as pd
from boosters import columns, fit, signal
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_selection import SelectFromModel

NEAR_ZERO = float(np.float32(1e-35))
REGRESSION = ["regression", "regression_l1", "huber", "fair", "quantile", "mape", "poisson", "gamma", "tweedie"]
METHODS = ["predict", "predict_proba", "margin", "apply"]


def parameters(rng, **more):
    """How trees are grown and what they do with zeros and missing values."""
    chosen = {"n_estimators": int(rng.integers(1, 9)), "num_leaves": int(rng.integers(2, 20)),
              "min_child_samples": int(rng.integers(1, 12)), "learning_rate": float(rng.choice([0.1, 0.5])),
              "verbose": -1, "n_jobs": 1, "random_state": int(rng.integers(1000))}
    kind = rng.integers(6)
    chosen.update([{}, {"zero_as_missing": True}, {"use_missing": False}, {"boosting_type": "dart", "drop_rate": 0.4},
                   {"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1},
                   {"extra_trees": True, "max_bin": 7}][kind])
    return dict(chosen, **more)


def thresholds(booster):
    """(column, threshold) of numeric splits."""
    found, columns_of = [], []
    for line in booster.model_to_string().split("\n"):
        key, _, value = line.partition("=")
        if key == "split_feature":
            columns_of = [int(v) for v in value.split()]
        elif key == "threshold":
            found += zip(columns_of, [float(v) for v in value.split()])
    return found


def rows_for(rng, booster, x):
    rows = [diff.awkward(rng, np.nan_to_num(x))]
    found = thresholds(booster)
    for at in rng.permutation(len(found))[:8]:
        column, t = found[at]
        for value in (t, np.nextafter(t, -np.inf), np.nextafter(t, np.inf)):
            row = x[rng.integers(len(x))].copy()
            row[column] = value
            rows.append(row)
    for value in (NEAR_ZERO, np.nextafter(NEAR_ZERO, 1), 1e-36, 3e9, 1e300, 0.5, 7.75):
        rows += [np.full(x.shape[1], value), np.full(x.shape[1], -value)]
    return np.vstack(rows)


@contextlib.contextmanager
def speaking(model):
    """The fitted model with methods by the program's names; it cannot be pickled meanwhile."""
    model.margin = lambda x: model.predict(x, raw_score=True)
    model.apply = lambda x: model.predict(x, pred_leaf=True)
    try:
        yield
    finally:
        del model.margin, model.apply


def outputs(model_path, rows_path, out, methods=("predict", "margin", "apply")):
    """The files that the program writes."""
    made = []
    for method in methods:
        process = diff.run(model_path, rows_path, out, "--method", method)
        if process.returncode != 0:
            raise golden.Disagreement(f"{method}: exit {process.returncode}: {process.stderr.strip()[:300]}")
        made.append(out.read_bytes())
    return made


def compare(model, x, table=None, methods=None):
    """Every method against the library; the booster alone, and its own file, give the same bytes as each other."""
    booster = model if isinstance(model, lgb.Booster) else model.booster_
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path, text, bare = folder / "model.joblib", folder / "model.txt", folder / "booster.pkl"
        joblib.dump(model, path)
        joblib.dump(booster, bare)
        booster.save_model(text)
        rows = diff.write_rows(x if table is None else table, folder)
        with speaking(model):
            for method in methods or [m for m in METHODS if hasattr(model, m)]:
                diff.compare_method(model, path, rows, x, method)
        if outputs(bare, rows, folder / "a.csv") != outputs(text, rows, folder / "a.csv"):
            raise golden.Disagreement("the booster's own file gives other numbers than its pickle")


@given(seed=diff.seeds, objective=st.sampled_from(REGRESSION), single=st.booleans())
@diff.examples(14)
def test_regressors(seed, objective, single):
    rng = np.random.default_rng(seed)
    x = columns(rng, 120)
    y = signal(rng, x)
    y = y if objective in REGRESSION[:5] else np.exp(y / 4)
    more = {"reg_sqrt": bool(rng.integers(2))} if objective in REGRESSION[:5] else {}
    model = fit(lgb.LGBMRegressor(objective=objective, **parameters(rng, **more)), x, y)
    rows = rows_for(rng, model.booster_, x)
    with np.errstate(over="ignore"):
        compare(model, rows.astype(np.float32) if single else rows)
    compare(model, rows[:1])


@given(seed=diff.seeds, labels=st.sampled_from(diff.LABEL_KINDS), n=st.integers(2, 4),
       objective=st.sampled_from([None, None, "multiclassova", "cross_entropy", "cross_entropy_lambda"]))
@diff.examples(12)
def test_classifiers(seed, labels, n, objective):
    rng = np.random.default_rng(seed)
    x = columns(rng, 120)
    n = 2 if objective in ("cross_entropy", "cross_entropy_lambda") or labels == "bool" else n
    objective = None if objective == "multiclassova" and n == 2 else objective
    more = {"sigmoid": float(rng.choice([0.5, 1.0, 1.75]))}
    y = diff.labels(rng, len(x), n, labels)
    model = fit(lgb.LGBMClassifier(objective=objective, **parameters(rng, **more)), x, y)
    compare(model, rows_for(rng, model.booster_, x))


@given(seed=diff.seeds, objective=st.sampled_from(["lambdarank", "rank_xendcg"]))
@diff.examples(3)
def test_rankers(seed, objective):
    rng = np.random.default_rng(seed)
    x = columns(rng, 120)
    model = lgb.LGBMRanker(objective=objective, **parameters(rng))
    fit(model, x, rng.integers(0, 4, 120), group=[50, 30, 40])
    compare(model, rows_for(rng, model.booster_, x))


@given(seed=diff.seeds, classes=st.booleans())
@diff.examples(6)
def test_linear_trees(seed, classes):
    rng = np.random.default_rng(seed)
    x = columns(rng, 150)
    more = {"linear_tree": True, "linear_lambda": float(rng.choice([0, 0.1])), "boosting_type": "gbdt",
            "zero_as_missing": False}
    made = (lgb.LGBMClassifier if classes else lgb.LGBMRegressor)(**parameters(rng, **more))
    y = signal(rng, x)
    fit(made, x, np.digitize(y, [0, 2]) if classes else y)
    compare(made, rows_for(rng, made.booster_, x))


@given(seed=diff.seeds)
@diff.examples(8)
def test_categories_as_numbers(seed):
    rng = np.random.default_rng(seed)
    x = columns(rng, 150)
    x[:, 0] = rng.choice([0, 1, 2, 31, 32, 33, 64, 700], 150)
    x[rng.random(150) < 0.1, 0] = np.nan
    more = {"min_data_per_group": 2, "cat_smooth": 1.0, "max_cat_to_onehot": int(rng.integers(1, 6))}
    y = signal(rng, x) + np.isin(x[:, 0], [1, 32, 700]) * 4
    model = fit(lgb.LGBMRegressor(**parameters(rng, **more)), x, y, categorical_feature=[0, 2])
    rows = rows_for(rng, model.booster_, x)
    rows[:12, 0] = [0, 1, 2, 31, 32, 63, 64, 700, 701, -1, -0.5, 2.75]
    compare(model, rows)


VALUES = {"text": ["Paris", "S\u00e3o Paulo", "a,b", "O'Hare \"x\"", "\u6771\u4eac", "1", "N/A"],
          "integers": [-3, 0, 7, 10, 1000000007], "floats": [-0.5, 0.25, 3.0, 1e10]}


@given(seed=diff.seeds, kinds=st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=3), ordered=st.booleans())
@diff.examples(10)
def test_frames(seed, kinds, ordered):
    """Category columns: seen and unseen categories, missing ones, columns in another order in the file."""
    rng = np.random.default_rng(seed)
    x = columns(rng, 150)
    frame = pd.DataFrame({"n0": x[:, 0], "n1": x[:, 1]})
    y = signal(rng, x)
    for i, kind in enumerate(kinds):
        values = np.array(VALUES[kind], dtype=object if kind == "text" else None)
        codes = rng.integers(0, len(values), len(x))
        y = y + (codes % 3) * (i + 1)
        column = pd.Series(pd.Categorical(values[codes], ordered=ordered and i == 0))
        column[rng.random(len(x)) < 0.1] = np.nan
        frame.insert(int(rng.integers(0, frame.shape[1] + 1)), f"c{i}", column)
    more = {"min_data_per_group": 2, "cat_smooth": 1.0, "boosting_type": "gbdt"}
    model = fit(lgb.LGBMRegressor(**parameters(rng, **more)), frame, y)
    rows = frame.iloc[:40].copy()
    for i, kind in enumerate(kinds):
        new = {"text": "paris", "integers": 8, "floats": 0.125}[kind]
        rows[f"c{i}"] = rows[f"c{i}"].cat.add_categories([new])
        rows.loc[[0, 7], f"c{i}"] = new
    table = rows[list(rows.columns)[::-1]].astype({f"c{i}": object for i in range(len(kinds))})
    compare(model, rows, table)


def own(y, raw):
    return raw - y, np.ones_like(raw)


@given(seed=diff.seeds, classes=st.booleans())
@diff.examples(3)
def test_own_objective(seed, classes):
    """Everything is raw scores; the library warns of it."""
    rng = np.random.default_rng(seed)
    x = columns(rng, 100)
    y = signal(rng, x)
    made = lgb.LGBMClassifier if classes else lgb.LGBMRegressor
    chosen = parameters(rng)
    chosen.pop("boosting_type", None)
    model = fit(made(objective=own, **chosen), x, (y > 1).astype(int) if classes else y)
    rows = rows_for(rng, model.booster_, x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = [("predict", model.predict(rows)), ("margin", model.predict(rows, raw_score=True))]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path, table = diff.write_model(model, folder), diff.write_rows(rows, folder)
        for method, wanted in expected:
            process = diff.run(path, table, folder / "out.csv", "--method", method)
            assert process.returncode == 0, process.stderr
            got = [float(row[0]) for row in ftl.read_csv(folder / "out.csv")[1]]
            assert got == list(wanted), method


@given(seed=diff.seeds, kind=st.sampled_from(["split", "gain"]),
       threshold=st.sampled_from(["mean", "median", "0.5*mean"]))
@diff.examples(5)
def test_selected_features(seed, kind, threshold):
    """SelectFromModel computes feature_importances_ from the trees."""
    rng = np.random.default_rng(seed)
    x = columns(rng, 120)
    inner = lgb.LGBMRegressor(importance_type=kind, **parameters(rng))
    model = SelectFromModel(inner, threshold=threshold)
    fit(model, x, signal(rng, x))
    diff.compare(model, x[:20])


@given(seed=diff.seeds, n=st.integers(1, 3))
@diff.examples(5)
def test_boosters(seed, n):
    """A Booster of lgb.train that was stopped early predicts with its best iteration."""
    rng = np.random.default_rng(seed)
    x = columns(rng, 150)
    y = signal(rng, x)
    chosen = parameters(rng)
    rounds = chosen.pop("n_estimators") + 3
    if n > 1:
        y = np.digitize(y, np.quantile(y, np.arange(1, n) / n))
        chosen.update(objective="multiclass", num_class=n)
    booster = lgb.train(dict(chosen, num_threads=1), lgb.Dataset(x, y), rounds)
    booster.best_iteration = int(rng.integers(-1, rounds + 3))
    compare(booster, rows_for(rng, booster, x))


def test_names_with_spaces():
    """The library keeps underscores for spaces in names; the table has the one or the other."""
    rng = np.random.default_rng(1)
    names = ["has space", "two  spaces", "plain", "under_score", "b c_d"]
    frame = pd.DataFrame(columns(rng, 80), columns=names)
    model = fit(lgb.LGBMRegressor(**parameters(rng)), frame, signal(rng, frame.to_numpy()))
    rows = frame.iloc[:20]
    compare(model, rows, rows[names[::-1]])
    compare(model, rows, rows.rename(columns=lambda name: name.replace(" ", "_")))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        table = diff.write_rows(rows.assign(**{"b_c d": 1.0}).rename(columns={"b c_d": "b c d"}), folder)
        process = diff.run(diff.write_model(model, folder), table, folder / "out.csv")
        assert process.returncode == 4 and "appears 2 times" in process.stderr
