"""CatBoost: fresh models with random parameters on awkward rows, against the library.

Rows lie on borders and one float32 beside them; categories are seen, unseen, long and empty. margin is RawFormulaVal, apply
is calc_leaf_indexes. A pickle and the .cbm file of the same model give the same bytes.
"""

import contextlib
import json
import pathlib
import tempfile
import warnings

import differential as diff
import golden
import joblib
import numpy as np
import pandas as pd
import pytest
from catboost import CatBoost, CatBoostClassifier, CatBoostRanker, CatBoostRegressor
from hypothesis import given
from hypothesis import strategies as st

METHODS = ["predict", "predict_proba", "predict_log_proba", "margin", "apply"]
LOSSES = ["RMSE", "MAE", "Quantile:alpha=0.2", "Poisson", "Tweedie:variance_power=1.3", "RMSEWithUncertainty", "MultiRMSE"]
TEXTS = ["a", "b", "", "São Paulo", "東京", "x,y", 'say "hi"', "seventeen letters", "v" * 40, "w" * 100, "12", "-3"]
NEW = ["A", "c", "NA", "nan", "z" * 64, "99"]


def columns(rng, rows, gaps=True):
    x = rng.normal(size=(rows, 4)) * [1, 100, 1e-3, 1]
    x[:, 3] = rng.integers(-2, 6, rows)
    if gaps:
        x[rng.random(x.shape) < 0.1] = np.nan
    return x


def signal(rng, x):
    z = np.nan_to_num(x)
    return z[:, 0] + z[:, 1] / 100 + (z[:, 3] % 3) + rng.normal(size=len(x)) * 0.3


def parameters(rng, **more):
    """How trees are grown. Few threads and no files."""
    chosen = {"iterations": int(rng.integers(1, 12)), "depth": int(rng.choice([1, 2, 3, 4, 5, 6, 9])), "learning_rate": 0.4,
              "random_seed": int(rng.integers(1000)), "thread_count": 1, "logging_level": "Silent",
              "allow_writing_files": False, "nan_mode": str(rng.choice(["Min", "Max"]))}
    policy = str(rng.choice(["SymmetricTree", "SymmetricTree", "Depthwise", "Lossguide"]))
    chosen["grow_policy"] = policy
    if policy == "Lossguide":
        chosen["max_leaves"] = int(rng.integers(2, 12))
    if rng.integers(3) == 0:
        chosen["border_count"] = int(rng.choice([1, 2, 300]))
    return dict(chosen, **more)


def fit(model, x, y, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(x, y, **more)


def rows_for(rng, model, x):
    """Awkward rows, and rows on borders and beside them, in float32 and, to be rounded, in float64."""
    rows = [diff.awkward(rng, np.nan_to_num(x))]
    for column, borders in model.get_borders().items():
        for border in rng.permutation(borders)[:3].astype(np.float32):
            with np.errstate(all="ignore"):
                values = [border, np.nextafter(border, np.float32(np.inf)), np.nextafter(border, np.float32(-np.inf)),
                          np.nextafter(float(border), np.inf), np.nextafter(float(border), -np.inf)]
            for value in values:
                row = x[rng.integers(len(x))].copy()
                row[column] = value
                rows.append(row)
    return np.vstack(rows)


def flat(result):
    return result[:, 0] if result.ndim == 2 and result.shape[1] == 1 else result


@contextlib.contextmanager
def speaking(model):
    """The fitted model with methods by the program's names; it cannot be pickled meanwhile."""
    ranker, predict = isinstance(model, CatBoostRanker), model.predict
    model.margin = predict if ranker else lambda x: predict(x, prediction_type="RawFormulaVal")
    model.apply = model.calc_leaf_indexes
    model.predict = lambda x: flat(predict(x))
    try:
        yield
    finally:
        del model.margin, model.apply, model.predict


def outputs(path, rows, out, methods):
    made = []
    for method in methods:
        process = diff.run(path, rows, out, "--method", method)
        if process.returncode != 0:
            raise golden.Disagreement(f"{method}: exit {process.returncode}: {process.stderr.strip()[:300]}")
        made.append(out.read_bytes())
    return made


def compare(model, x, table=None):
    """Every method against the library, and the model's own file against its pickle."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path, own = folder / "model.joblib", folder / "model.cbm"
        joblib.dump(model, path)
        model.save_model(own)
        rows = diff.write_rows(x if table is None else table, folder)
        methods = [m for m in METHODS if m in ("margin", "apply") or hasattr(model, m)]
        with speaking(model):
            for method in methods:
                diff.compare_method(model, path, rows, x, method)
        if outputs(path, rows, folder / "a.csv", methods) != outputs(own, rows, folder / "a.csv", methods):
            raise golden.Disagreement("the model's own file gives other numbers than its pickle")


@given(seed=diff.seeds, loss=st.sampled_from(LOSSES), single=st.booleans())
@diff.examples(14)
def test_regressors(seed, loss, single):
    rng = np.random.default_rng(seed)
    x = columns(rng, 100)
    y = signal(rng, x)
    y = np.exp(y / 4) if loss.startswith(("Poisson", "Tweedie")) else y
    chosen = parameters(rng, loss_function=loss)
    if loss == "MultiRMSE":
        y = np.column_stack([y, y ** 2])
        chosen["grow_policy"] = "SymmetricTree"
        chosen.pop("max_leaves", None)
    model = fit(CatBoostRegressor(**chosen), x, y)
    rows = rows_for(rng, model, x)
    with np.errstate(over="ignore"):
        compare(model, rows.astype(np.float32) if single else rows)
    compare(model, rows[:1])


@given(seed=diff.seeds, labels=st.sampled_from(["int", "negative", "bool", "float", "str", "unicode", "object"]),
       n=st.integers(2, 4), loss=st.sampled_from([None, None, "MultiClass", "MultiClassOneVsAll"]))
@diff.examples(12)
def test_classifiers(seed, labels, n, loss):
    rng = np.random.default_rng(seed)
    x = columns(rng, 100)
    n = 2 if labels == "bool" else n
    chosen = parameters(rng, **({"loss_function": loss} if loss else {}))
    model = fit(CatBoostClassifier(**chosen), x, diff.labels(rng, len(x), n, labels))
    if n == 2 and loss is None and rng.integers(2):
        model.set_probability_threshold(0.35)
    compare(model, rows_for(rng, model, x))


@given(seed=diff.seeds)
@diff.examples(4)
def test_named_classes(seed):
    """Names in another order, and names that training never meets."""
    rng = np.random.default_rng(seed)
    x = columns(rng, 100)
    names = [str(name) for name in rng.permutation(["c", "a", "b", "d"])]
    y = np.array(names)[rng.permutation(4)[:3]][rng.integers(0, 3, len(x))]
    model = fit(CatBoostClassifier(**parameters(rng, class_names=names, loss_function="MultiClass")), x, y)
    compare(model, rows_for(rng, model, x))


@given(seed=diff.seeds)
@diff.examples(3)
def test_several_labels(seed):
    rng = np.random.default_rng(seed)
    x = columns(rng, 100)
    y = np.column_stack([signal(rng, x) > t for t in (0, 1, 2)]).astype(int)
    chosen = parameters(rng, loss_function=str(rng.choice(["MultiLogloss", "MultiCrossEntropy"])))
    chosen["grow_policy"] = "SymmetricTree"
    chosen.pop("max_leaves", None)
    compare(fit(CatBoostClassifier(**chosen), x, y), columns(rng, 30))


@given(seed=diff.seeds)
@diff.examples(3)
def test_rankers_and_scales(seed):
    rng = np.random.default_rng(seed)
    x = columns(rng, 100)
    ranker = CatBoostRanker(**parameters(rng, loss_function="QueryRMSE"))
    fit(ranker, x, rng.integers(0, 4, 100), group_id=np.repeat(np.arange(10), 10))
    compare(ranker, rows_for(rng, ranker, x))
    scaled = fit(CatBoost(parameters(rng, loss_function="RMSE")), x, signal(rng, x))
    scaled.set_scale_and_bias(float(rng.normal()), float(rng.normal()))
    compare(scaled, rows_for(rng, scaled, x))


def frame_of(rng, rows, texts, whole):
    return pd.DataFrame({"n0": columns(rng, rows)[:, 0], "text": pd.Series(rng.choice(np.array(texts, dtype=object), rows),
                                                                          dtype=object),
                         "n1": np.round(rng.normal(size=rows) * 3, 1), "whole": rng.choice(whole, rows),
                         "two": pd.Series(rng.choice(np.array(["u", "v"], dtype=object), rows), dtype=object)})


@given(seed=diff.seeds, n=st.sampled_from([0, 2, 3]), kind=st.sampled_from(
    [None, None, None, "Borders", "Buckets", "BinarizedTargetMeanValue", "Counter"]))
@diff.examples(16)
def test_categories(seed, n, kind):
    """One-hot, every kind of target statistic, combinations with numbers; n: classes, 0 a number."""
    rng = np.random.default_rng(seed)
    whole = [-5, 0, 7, 12, 1000000007]
    x = frame_of(rng, 150, TEXTS, whole)
    y = (x["text"].isin(TEXTS[:4]) * 2.0 + (x["whole"] % 2) + np.nan_to_num(x["n0"])
         + (x["two"] == "u") * (x["n1"] > 0)).to_numpy() + rng.normal(size=150) * 0.2
    more = {"one_hot_max_size": int(rng.choice([1, 2, 6, 20])), "max_ctr_complexity": int(rng.integers(1, 5)),
            "cat_features": ["text", "whole", "two"]}
    if kind:
        more.update(simple_ctr=[kind], combinations_ctr=[kind])
    made = CatBoostClassifier if n else CatBoostRegressor
    y = np.digitize(y, np.quantile(y, np.arange(1, n) / n)) if n else y
    model = fit(made(**parameters(rng, **more)), x, y)
    rows = frame_of(rng, 40, TEXTS + NEW, whole + [8, -1])
    compare(model, rows, rows[list(rows.columns)[::-1]])


@given(seed=diff.seeds, kind=st.sampled_from(["Counter", "BinarizedTargetMeanValue"]))
@diff.examples(6)
def test_statistics_of_gpus(seed, kind):
    """FeatureFreq and FloatTargetMeanValue: only training on a GPU makes them, every processor applies them.

    They are stored and applied as two of the others are; the library reads the model with their names in it.
    """
    rng = np.random.default_rng(seed)
    x = frame_of(rng, 150, TEXTS, [-5, 0, 7, 12])
    y = (x["text"].isin(TEXTS[:4]) * 2.0 + (x["whole"] % 2)).to_numpy() + rng.normal(size=150) * 0.2
    chosen = parameters(rng, cat_features=["text", "whole", "two"], one_hot_max_size=1, iterations=10, depth=3,
                        simple_ctr=[kind], combinations_ctr=[kind])
    if kind == "Counter":  # one that counts nothing else is left for trees to split on
        y = x["text"].map(x["text"].value_counts()).to_numpy() + rng.normal(size=150) * 0.1
    chosen["grow_policy"] = "SymmetricTree"
    chosen.pop("max_leaves", None)
    trained = fit(CatBoostRegressor(**chosen), x, y)
    with tempfile.TemporaryDirectory() as name:
        file = pathlib.Path(name, "model.json")
        trained.save_model(file, format="json")
        text = file.read_text()
        assert kind in json.loads(text)["features_info"]["ctrs"][0]["ctr_type"]
        other = {"Counter": "FeatureFreq", "BinarizedTargetMeanValue": "FloatTargetMeanValue"}[kind]
        file.write_text(text.replace(kind, other))
        model = CatBoostRegressor().load_model(file, format="json")
    rows = frame_of(rng, 40, TEXTS + NEW, [-5, 0, 7, 12, 8, -1])
    compare(model, rows, rows[list(rows.columns)[::-1]])


def test_missing_category():
    """The library refuses the row; an empty text is a category."""
    rng = np.random.default_rng(3)
    x = frame_of(rng, 120, TEXTS, [1, 2])
    model = fit(CatBoostRegressor(**parameters(rng, cat_features=["text", "whole", "two"])), x, rng.normal(size=120))
    table = x.iloc[:6].copy()
    table.loc[2, "text"] = None
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path, rows = diff.write_model(model, folder), diff.write_rows(table, folder)
        process = diff.run(path, rows, folder / "out.csv")
        assert process.returncode == 4 and "text" in process.stderr and not (folder / "out.csv").exists()
        assert diff.run(path, rows, folder / "out.csv", "--on-error", "null").returncode == 5
        assert [line == '""' for line in (folder / "out.csv").read_text().split("\n")[1:7]] == [i == 2 for i in range(6)]


def test_missing_category_that_no_tree_asks_for():
    """Kind: the library refuses the row before any tree; so does each form of the model."""
    rng = np.random.default_rng(7)
    x = frame_of(rng, 120, TEXTS, [1, 2])
    chosen = {"iterations": 3, "depth": 1, "random_seed": 0, "thread_count": 1, "verbose": 0, "allow_writing_files": False}
    model = fit(CatBoostRegressor(cat_features=["text", "whole", "two"], **chosen), x, np.nan_to_num(x["n0"]) * 100)
    assert model.get_feature_importance()[1] == 0
    rows = x.head(8).copy()
    rows.loc[[2, 5], "text"] = np.nan
    assert diff.refused_rows(model, "predict", rows) == [2, 5]
    compare_refused(model, rows)


def compare_refused(model, rows):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        table, own = diff.write_rows(rows, folder), folder / "model.cbm"
        model.save_model(own)
        for path in (diff.write_model(model, folder), own):
            diff.compare_method(model, path, table, rows, "predict")


@pytest.mark.parametrize("size", [1, 10])
def test_texts_of_truth_beside_other_categories(size):
    """Kind: true is a text where the column's categories are texts, though no tree asks for it and "1" is one of them."""
    rng = np.random.default_rng(8)
    words = np.array(["1", "0", "true", "Oslo", "Lima"], dtype=object)
    x = pd.DataFrame({"told": pd.Series(rng.choice(words, 200), dtype=object), "n": rng.normal(size=200)})
    y = (x["told"] == "1") * 5.0 + (x["told"] == "Oslo") * 2.0 + x["n"] * 0.1
    model = fit(CatBoostRegressor(cat_features=["told"], one_hot_max_size=size, iterations=4, depth=2, thread_count=1, verbose=0,
                                  allow_writing_files=False), x, y)
    rows = x.head(30).copy()
    rows.loc[3, "told"] = "TRUE"
    compare(model, rows)


@pytest.mark.parametrize("kind", ["text", "embedding"])
def test_texts_and_embeddings_are_refused_by_name(kind, tmp_path):
    rng = np.random.default_rng(5)
    words = np.array(["good film", "bad film", "good plot", "poor acting", "fine"], dtype=object)
    told = words[rng.integers(0, 5, 80)] if kind == "text" else [list(v) for v in rng.normal(size=(80, 4))]
    x = pd.DataFrame({"n": rng.normal(size=80), "told": told})
    y = [word.startswith("good") for word in told] if kind == "text" else x["n"] > 0
    model = CatBoostClassifier(iterations=5, depth=2, thread_count=1, logging_level="Silent", allow_writing_files=False,
                               **{f"{kind}_features": ["told"]})
    fit(model, x, np.array(y, dtype=int))
    model.save_model(tmp_path / "model.cbm")
    joblib.dump(model, tmp_path / "model.joblib")
    for path in (tmp_path / "model.cbm", tmp_path / "model.joblib"):
        process = diff.run(path, diff.write_rows(x[["n"]], tmp_path), tmp_path / "out.csv")
        assert process.returncode == 3 and kind in process.stderr and "told" in process.stderr, process.stderr
