"""Pipelines, column transformers, unions and searches: random compositions on awkward rows, against scikit-learn."""

import pathlib
import tempfile
import warnings

import differential as diff
import ftl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lightgbm import LGBMRegressor
from sklearn import compose, dummy, ensemble, feature_selection, impute, linear_model, model_selection, pipeline, preprocessing, tree
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  (model_selection then has the halving searches)

TEXTS = ["red", "green", "blue, dark", "é", ""]


def fit(model, x, y=None):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.fit(x, y)


def frame(rng, rows, holes=True):
    """Numbers, texts, integers and bools; missing cells in two of the columns."""
    table = pd.DataFrame({
        "real": np.round(rng.normal(size=rows) * 100, 3), "größe": rng.normal(size=rows),
        "text": np.array(TEXTS, dtype=object)[rng.integers(0, 4, rows)],
        "other, text": np.array(TEXTS, dtype=object)[rng.integers(0, 5, rows)],
        "whole": rng.integers(0, 5, rows), "flag": rng.random(rows) < 0.5,
    })
    if holes:
        table.loc[rng.random(rows) < 0.2, "real"] = np.nan
        table.loc[rng.random(rows) < 0.2, "text"] = np.nan
    return table


NUMBERS, WORDS = ["real", "größe", "whole"], ["text", "other, text"]


def scaler(rng):
    return [preprocessing.StandardScaler(), preprocessing.MinMaxScaler(), preprocessing.MaxAbsScaler(),
            preprocessing.RobustScaler(), "passthrough"][rng.integers(5)]


def numeric(rng):
    imputer = impute.SimpleImputer(strategy=["mean", "median", "most_frequent"][rng.integers(3)],
                                   add_indicator=bool(rng.integers(2)))
    steps = [("impute", imputer), ("scale", scaler(rng))]
    if rng.integers(3) == 0:
        steps.append(("poly", preprocessing.PolynomialFeatures(2, interaction_only=bool(rng.integers(2)))))
    return pipeline.Pipeline(steps)


def categorical(rng):
    imputer = [impute.SimpleImputer(strategy="most_frequent"), "passthrough",
               impute.SimpleImputer(strategy="constant", fill_value="missing")][rng.integers(3)]
    one_hot = preprocessing.OneHotEncoder(handle_unknown=["ignore", "infrequent_if_exist"][rng.integers(2)],
                                          min_frequency=[None, 6][rng.integers(2)], sparse_output=bool(rng.integers(2)))
    ordinal = preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1,
                                           encoded_missing_value=-2)
    return pipeline.Pipeline([("impute", imputer), ("encode", [one_hot, ordinal][rng.integers(2)])])


def columns(rng, **more):
    parts = [("num", numeric(rng), NUMBERS[:rng.integers(1, 4)]), ("cat", categorical(rng), WORDS[:rng.integers(1, 3)])]
    if rng.integers(2):
        parts.append(("flag", ["passthrough", "drop", preprocessing.OrdinalEncoder()][rng.integers(3)], ["flag"]))
    if rng.integers(2):
        more["transformer_weights"] = {"num": 0.3, "cat": 2}
    order = rng.permutation(len(parts))
    return compose.ColumnTransformer([parts[i] for i in order], sparse_threshold=[0, 0.3, 1][rng.integers(3)],
                                     verbose_feature_names_out=bool(rng.integers(2)), **more)


@diff.examples(25)
@given(seed=diff.seeds)
def test_columns_by_name(seed):
    rng = np.random.default_rng(seed)
    model = fit(columns(rng), frame(rng, 60))
    rows = frame(rng, 30)
    rows.loc[3, "other, text"] = "never seen"
    rows.loc[4, "größe"] = np.nan
    rows.loc[5, "real"] = np.inf
    diff.compare(model, rows[list(rng.permutation(rows.columns))])


@diff.examples(20)
@given(seed=diff.seeds)
def test_columns_before_a_model(seed):
    rng = np.random.default_rng(seed)
    last = [linear_model.LogisticRegression(max_iter=50), linear_model.Ridge(), tree.DecisionTreeClassifier(max_depth=4),
            ensemble.HistGradientBoostingRegressor(max_iter=4, min_samples_leaf=3),
            ensemble.RandomForestClassifier(n_estimators=3, max_depth=4)][rng.integers(5)]
    x = frame(rng, 80)
    y = rng.integers(0, 3, 80)
    model = pipeline.Pipeline([("prepare", columns(rng)), ("as is", preprocessing.FunctionTransformer(None)), ("model", last)])
    model.named_steps["prepare"].sparse_threshold = 0  # histogram boosting takes no sparse matrix
    rows = frame(rng, 25)
    rows.loc[3, "other, text"] = "never seen"
    diff.compare(fit(model, x, y), rows)


@pytest.mark.parametrize("kind", [list, pd.Index, np.array])
def test_columns_whose_names_are_not_kept(kind):
    """As up to 1.5 after a fit with names of a class of their own, which is how some database drivers give them."""
    rng = np.random.default_rng(9)
    parts = [("n", impute.SimpleImputer(), kind(["größe", "real"])), ("w", categorical(rng), kind(WORDS))]
    x = frame(rng, 60)
    model = pipeline.make_pipeline(compose.ColumnTransformer(parts, sparse_threshold=0), linear_model.Ridge())
    fit(model, x, rng.normal(size=60))
    del model[0].feature_names_in_
    diff.compare(model, frame(rng, 25)[["flag", "text", "größe", "other, text", "real", "whole"]])


def selection(rng, n):
    """A list of indices, a slice, a mask or negative indices."""
    picked = list(rng.permutation(n)[:rng.integers(1, n + 1)])
    return [picked, slice(int(rng.integers(0, n)), None), rng.random(n) < 0.6, [-1 - i for i in picked],
            slice(None, -1), np.array(picked)][rng.integers(6)]


@diff.examples(25)
@given(seed=diff.seeds, single=st.booleans(), remainder=st.sampled_from(["drop", "passthrough", "scale"]))
def test_columns_by_position(seed, single, remainder):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 9))
    x = rng.normal(size=(40, n)) * 10
    parts = [(name, scaler(rng), selection(rng, n)) for name in "abc"[:rng.integers(1, 4)]]
    model = compose.ColumnTransformer(parts, remainder={"scale": preprocessing.StandardScaler()}.get(remainder, remainder),
                                      transformer_weights=[None, {"a": 0.7}][rng.integers(2)])
    model = fit(model, x)
    if model.transform(x).shape[1] > 0:
        rows = diff.awkward(rng, x, special=False)
        diff.compare(model, rows.astype(np.float32 if single else np.float64))


@diff.examples(15)
@given(seed=diff.seeds, single=st.booleans(), named=st.booleans())
def test_union(seed, single, named):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 4))
    members = [("a", scaler(rng)), ("b", ["drop", "passthrough", preprocessing.PolynomialFeatures(2)][rng.integers(3)]),
               ("c", pipeline.make_pipeline(preprocessing.StandardScaler(), preprocessing.Normalizer("max"))),
               ("d", preprocessing.OneHotEncoder(handle_unknown="ignore", max_categories=3))]
    members = [members[i] for i in rng.permutation(4)]
    model = pipeline.FeatureUnion(members, transformer_weights=[None, {"a": 0.1, "d": 3.5}][rng.integers(2)],
                                  verbose_feature_names_out=True)
    names = ["w", "x x", "ÿ", "z"]
    x = pd.DataFrame(x, columns=names) if named else x
    rows = diff.awkward(rng, np.asarray(x), special=False).astype(np.float32 if single and not named else np.float64)
    rows[12:18] = np.asarray(x)[12:18]
    diff.compare(fit(model, x), pd.DataFrame(rows, columns=names) if named else rows)


SEARCHES = {
    "grid": lambda model, grid: model_selection.GridSearchCV(model, grid, cv=2),
    "random": lambda model, grid: model_selection.RandomizedSearchCV(model, grid, n_iter=2, cv=2, random_state=0),
    "halving": lambda model, grid: model_selection.HalvingGridSearchCV(model, grid, cv=2, random_state=0),
    "halving random": lambda model, grid: model_selection.HalvingRandomSearchCV(model, grid, cv=2, random_state=0),
}


@diff.examples(12)
@given(seed=diff.seeds, kind=st.sampled_from(sorted(SEARCHES)), single=st.booleans())
def test_search(seed, kind, single):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 4)) * [1, 10, 0.1, 5]
    y = diff.labels(rng, 60, 3, ["int", "str", "unicode", "object", "big"][rng.integers(5)])
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())
    grid = {"logisticregression__C": [0.1, 1.0], "standardscaler": [preprocessing.MinMaxScaler(), "passthrough"]}
    search = SEARCHES[kind](model, grid)
    diff.compare(fit(search, x, y), diff.awkward(rng, x).astype(np.float32 if single else np.float64))


@diff.examples(6)
@given(seed=diff.seeds)
def test_nested(seed):
    """A column transformer in a pipeline in a column transformer, tables between them."""
    rng = np.random.default_rng(seed)
    inner = compose.ColumnTransformer([("s", preprocessing.StandardScaler(), ["größe"])], remainder="passthrough")
    outer = compose.ColumnTransformer([
        ("deep", pipeline.make_pipeline(impute.SimpleImputer().set_output(transform="pandas"), inner), ["real", "größe"]),
        ("cat", categorical(rng), WORDS)], remainder=["drop", "passthrough"][rng.integers(2)])
    model = fit(outer, frame(rng, 60))
    diff.compare(model, frame(rng, 20))


def assert_same(model, rows, expected):
    """The output is that of the library to the last bit."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        process = diff.run(diff.write_model(model, folder), diff.write_rows(rows, folder), folder / "out.csv")
        assert process.returncode == 0, process.stderr
        got = np.array(ftl.read_csv(folder / "out.csv")[1], dtype=float)
    assert np.array_equal(got, expected.astype(float))


@diff.examples(8)
@given(seed=diff.seeds, single=st.booleans())
def test_sparse_steps(seed, single):
    """Sparse matrices are scaled by reciprocals and multiplied in another order: equal to the last bit."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(40, 3)) * 10
    x[:, 2] = rng.integers(0, 4, 40)
    prepare = compose.ColumnTransformer([("num", preprocessing.MaxAbsScaler(), [0, 1]),
                                         ("cat", preprocessing.OneHotEncoder(handle_unknown="ignore"), [2])],
                                        sparse_threshold=1)
    second = [preprocessing.MaxAbsScaler(), preprocessing.StandardScaler(with_mean=False),
              preprocessing.RobustScaler(with_centering=False), preprocessing.PolynomialFeatures(3)][rng.integers(4)]
    model = fit(pipeline.make_pipeline(prepare, second), x)
    rows = (rng.normal(size=(20, 3)) * 10).astype(np.float32 if single else np.float64)
    rows[:15, 2] = rng.integers(0, 4, 15)
    assert_same(model, rows, model.transform(rows).toarray())


def test_float32_beside_float64():
    """numpy.hstack widens the columns that pass through beside an encoder's float64."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(20, 3)).astype(np.float32)
    x[:, 2] = rng.integers(0, 3, 20)
    one_hot = ("cat", preprocessing.OneHotEncoder(), [2])
    for parts in ([one_hot], [one_hot, ("num", preprocessing.StandardScaler(), [1])]):
        model = compose.ColumnTransformer(parts, remainder="passthrough", sparse_threshold=0).fit(x)
        assert_same(model, x, model.transform(x))


UNREAD = {
    "nothing is read": lambda: (preprocessing.OneHotEncoder(sparse_output=False), dummy.DummyRegressor()),
    "ordinal": lambda: (preprocessing.OrdinalEncoder(), dummy.DummyRegressor()),
    "dropped codes": lambda: (preprocessing.OneHotEncoder(sparse_output=False), pipeline.make_pipeline(
        feature_selection.SelectFromModel(LGBMRegressor(n_estimators=3, max_depth=2, verbose=-1), max_features=1, threshold=-np.inf),
        ensemble.RandomForestRegressor(3, random_state=0))),
    "dropped positions": lambda: (preprocessing.OneHotEncoder(sparse_output=False), pipeline.make_pipeline(
        compose.ColumnTransformer([("first", "passthrough", [0])]), linear_model.Ridge())),
}


@pytest.mark.parametrize("name", UNREAD)
def test_rows_that_unread_steps_refuse(name):
    """Kind: the library runs a step and refuses rows there, whether or not somebody reads its result."""
    rng = np.random.default_rng(10)
    x = frame(rng, 80, holes=False)
    encoder, last = UNREAD[name]()
    columns = compose.make_column_transformer((preprocessing.PolynomialFeatures(2, include_bias=False), ["real"]), (encoder, ["text"]))
    model = fit(pipeline.make_pipeline(columns, last), x, x.real.to_numpy())
    rows = x.head(12).copy()
    rows.loc[3, "text"] = "never seen"
    rows.loc[5, "real"] = np.nan
    assert diff.refused_rows(model, "predict", rows) == [3, 5]
    diff.compare(model, rows)


def test_same_bytes():
    """Any number of threads and rows a block gives the same file."""
    rng = np.random.default_rng(1)
    model = fit(pipeline.make_pipeline(columns(rng), linear_model.Ridge()), frame(rng, 80), rng.normal(size=80))
    diff.same_bytes(model, frame(rng, 700), "predict", [], ["--batch-size", "1"], ["--batch-size", "13"],
                    ["--threads", "2"])
    diff.no_rows(model, frame(rng, 3), "predict")
