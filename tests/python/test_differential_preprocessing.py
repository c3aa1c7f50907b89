"""Scalers, imputers, encoders and the other transformers: fresh ones on awkward rows, against scikit-learn."""

import warnings

import differential as diff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import impute, preprocessing

FEATURES = st.sampled_from([1, 2, 3, 5, 8, 17])
NAMES = ["a", "b c", "é", "日本", "x,y", "q\"", "A", "0"]


def data(seed, n, rows=30):
    """Rows of columns of very different size; a constant one now and then."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, n)) * 10.0 ** rng.integers(-3, 4, n) + rng.integers(-3, 4, n)
    if rng.integers(3) == 0:
        x[:, rng.integers(n)] = rng.choice([0.0, 4.25, -1e-20])
    return rng, x


def fit(model, x):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.fit(x)


def rows_of(rng, x, single):
    rows = diff.awkward(rng, x)
    rows[11] = np.nextafter(rows[11], np.inf)
    with np.errstate(over="ignore"):
        return rows.astype(np.float32 if single else np.float64)


# ---- Scalers ----------------------------------------------------------------------------------------------

SCALERS = {
    "StandardScaler": lambda rng: preprocessing.StandardScaler(
        with_mean=bool(rng.integers(2)), with_std=bool(rng.integers(2))),
    "MinMaxScaler": lambda rng: preprocessing.MinMaxScaler(
        feature_range=[(0, 1), (-0.1, 0.3), (-5, 7.5)][rng.integers(3)], clip=bool(rng.integers(2))),
    "MaxAbsScaler": lambda rng: preprocessing.MaxAbsScaler(clip=bool(rng.integers(2))),
    "RobustScaler": lambda rng: preprocessing.RobustScaler(
        with_centering=bool(rng.integers(2)), with_scaling=bool(rng.integers(2)),
        quantile_range=(rng.uniform(5, 30), rng.uniform(60, 95)), unit_variance=bool(rng.integers(2))),
    "Normalizer": lambda rng: preprocessing.Normalizer(norm=["l1", "l2", "max"][rng.integers(3)]),
}


@pytest.mark.parametrize("name", SCALERS)
@diff.examples(6)
@given(seed=diff.seeds, n=FEATURES, single=st.booleans(), fit_single=st.booleans(), missing=st.booleans())
def test_scaler(name, seed, n, single, fit_single, missing):
    rng, x = data(seed, n)
    if missing and name != "Normalizer":
        x[rng.random(x.shape) < 0.2] = np.nan
        x[0] = 1.0
    model = fit(SCALERS[name](rng), x.astype(np.float32) if fit_single else x)
    diff.compare(model, rows_of(rng, x, single))


@pytest.mark.parametrize("name", SCALERS)
@diff.examples(1, 5)
@given(seed=diff.seeds, n=FEATURES)
def test_scaler_of_a_table(name, seed, n):
    rng, x = data(seed, min(n + 1, len(NAMES)))
    names = list(rng.permutation(NAMES)[:x.shape[1]])
    model = fit(SCALERS[name](rng), pd.DataFrame(x, columns=names))
    diff.compare(model, pd.DataFrame(rows_of(rng, x, False), columns=names))


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
@diff.examples(10)
@given(seed=diff.seeds, n=FEATURES, single=st.booleans(), fit_single=st.booleans(), missing=st.booleans(),
       repeated=st.booleans())
def test_quantiles(distribution, seed, n, single, fit_single, missing, repeated):
    rng, x = data(seed, n)
    if repeated:
        x = np.round(x)
    if missing:
        x[rng.random(x.shape) < 0.2] = np.nan
        x[0] = 1.0
    model = preprocessing.QuantileTransformer(n_quantiles=int(rng.integers(1, 60)), output_distribution=distribution)
    fit(model, x.astype(np.float32) if fit_single else x)
    rows = rows_of(rng, x, single)
    rows[12:20] = x[rng.integers(0, len(x), 8)]
    diff.compare(model, rows)


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
@pytest.mark.parametrize("single", [False, True])
def test_norm_of_wide_rows(norm, single):
    rng = np.random.default_rng(5)
    for n in (7, 8, 9, 127, 128, 129, 1000):
        x = rng.normal(size=(6, n)) * 10.0 ** rng.integers(-4, 4, (6, n))
        x[0], x[1] = 0.0, 1e-17
        diff.compare(preprocessing.Normalizer(norm=norm).fit(x), x.astype(np.float32 if single else np.float64))


def test_thousand_columns():
    rng, x = data(3, 1000)
    diff.compare(fit(preprocessing.StandardScaler(), x), x[:5])


def test_no_rows():
    _, x = data(4, 3)
    diff.no_rows(fit(preprocessing.StandardScaler(), x), x, "transform")
    table = pd.DataFrame({"c": ["a", "b"]})
    diff.no_rows(fit(preprocessing.OneHotEncoder(), table), table, "transform")


def test_rows_one_by_one():
    rng, x = data(6, 5, rows=300)
    model = fit(preprocessing.PolynomialFeatures(3), x)
    diff.same_bytes(model, x, "transform", [], ["--batch-size", "1"], ["--batch-size", "7"], ["--threads", "3"])


# ---- Imputers ---------------------------------------------------------------------------------------------

@diff.examples(20)
@given(seed=diff.seeds, n=FEATURES, single=st.booleans(), fit_single=st.booleans(),
       strategy=st.sampled_from(["mean", "median", "most_frequent", "constant"]),
       missing=st.sampled_from([np.nan, np.nan, -1, 0, 2.5]), indicator=st.booleans(), keep=st.booleans(),
       empty=st.booleans())
def test_imputer(seed, n, single, fit_single, strategy, missing, indicator, keep, empty):
    rng, x = data(seed, n)
    x = np.round(x)
    holes = rng.random(x.shape) < 0.25
    holes[0] = False
    x[holes] = missing
    if empty:
        x[:, rng.integers(n)] = missing
    model = impute.SimpleImputer(strategy=strategy, missing_values=missing, add_indicator=indicator,
                                 keep_empty_features=keep, fill_value=7.5 if strategy == "constant" else None)
    x = x.astype(np.float32) if fit_single else x
    model = fit(model, x)
    rows = rows_of(rng, x, single)
    rows[12:20] = x[12:20]
    if any_output(model, x):
        diff.compare(model, rows)


WORDS = ["red", "green", "", "NOT", "x,y", "say \"hi\"", "é", "日本", "1", "1.0", "True", " red"]


def words(rng, rows, n, missing=None):
    """An object table of texts; missing: what stands in its holes."""
    x = np.array(WORDS, dtype=object)[np.minimum(rng.geometric(0.3, (rows, n)) - 1, len(WORDS) - 1)]
    if missing is not None:
        x[rng.random(x.shape) < 0.2] = missing
    return x


def table(x):
    """At least two columns, for a lone missing cell would be a blank line."""
    return pd.DataFrame(x, columns=NAMES[:x.shape[1]], dtype=object)


@diff.examples(12)
@given(seed=diff.seeds, n=st.sampled_from([2, 3, 5]), strategy=st.sampled_from(["most_frequent", "constant"]),
       missing=st.sampled_from(["nan", "NOT", "red"]), indicator=st.booleans())
def test_imputer_of_words(seed, n, strategy, missing, indicator):
    rng = np.random.default_rng(seed)
    x = words(rng, 30, n, np.nan if missing == "nan" else None)
    model = impute.SimpleImputer(strategy=strategy, missing_values=np.nan if missing == "nan" else missing,
                                 add_indicator=indicator)
    model = fit(model, table(x))
    diff.compare(model, table(words(rng, 20, n, np.nan)))


# ---- Encoders ---------------------------------------------------------------------------------------------

def one_hot(rng, n_columns, **more):
    """OneHotEncoder with random handling of rare and unknown categories."""
    options = dict(more)
    options["handle_unknown"] = rng.choice(["error", "ignore", "infrequent_if_exist", "warn"])
    if rng.integers(2):
        options["min_frequency"] = [2, 5, 0.15][rng.integers(3)]
    if rng.integers(2):
        options["max_categories"] = int(rng.integers(1, 5))
    options["drop"] = [None, None, "first", "if_binary"][rng.integers(4)]
    options["sparse_output"] = bool(rng.integers(2))
    options["dtype"] = [np.float64, np.float64, np.float32, np.int32, bool][rng.integers(5)]
    return preprocessing.OneHotEncoder(**options)


def any_output(model, x):
    """False when everything was dropped: there is nothing to write."""
    return diff.call(model, "transform", x[:1]).shape[1] > 0


@diff.examples(30)
@given(seed=diff.seeds, n=st.sampled_from([2, 3, 5]), missing=st.sampled_from(["never", "nan", "none", "rows"]))
def test_one_hot_of_words(seed, n, missing):
    rng = np.random.default_rng(seed)
    hole = {"never": None, "nan": np.nan, "none": "hole", "rows": None}[missing]
    x = words(rng, 40, n, hole)
    rows = words(rng, 25, n, np.nan if missing in ("nan", "rows") else hole)
    rows[0, 0] = "never seen"
    if missing == "none":
        x[x == "hole"], rows[rows == "hole"] = None, None
    model = fit(one_hot(rng, n), table(x))
    if any_output(model, table(x)):
        diff.compare(model, table(rows))


def numbers(rng, rows, n, kind):
    """Columns of few different numbers."""
    if kind == "bool":
        return rng.integers(0, 2, (rows, n)).astype(float)
    values = {"int": np.arange(-3, 9), "big": np.array([2.0**53, 1e15, 1e-300, -1e300, 0.0]),
              "float": np.array([0.1, 0.2, 0.30000000000000004, 1 / 3, -2.5, 1e22, 0.0]),
              "nan": np.array([1.5, np.nan, -2.0, 0.0, 7.0])}[kind]
    return values[np.minimum(rng.geometric(0.35, (rows, n)) - 1, len(values) - 1)].astype(float)


@diff.examples(30)
@given(seed=diff.seeds, n=st.sampled_from([1, 2, 3, 5]), kind=st.sampled_from(["int", "big", "float", "nan", "bool"]),
       single=st.booleans(), ordinal=st.booleans())
def test_encoder_of_numbers(seed, n, kind, single, ordinal):
    rng = np.random.default_rng(seed)
    dtype = np.float32 if single else np.float64
    with np.errstate(over="ignore"):
        x = numbers(rng, 40, n, kind).astype(dtype)
        rows = numbers(rng, 30, n, kind).astype(dtype)
    x[~np.isfinite(x) & ~np.isnan(x)] = 3
    rows[0, 0], rows[1, 0], rows[2, 0] = 77, np.nan, np.inf
    rows[3] = np.nextafter(rows[3], np.inf)
    rows[4] = -0.0
    model = fit(ordinal_encoder(rng) if ordinal else one_hot(rng, n), x)
    if any_output(model, x) and not (single and kind == "big"):  # str(numpy.float32(1e15)) differs among numpys
        diff.compare(model, rows)


def ordinal_encoder(rng):
    options = {}
    if rng.integers(2):
        options = {"handle_unknown": "use_encoded_value", "unknown_value": [-1, np.nan, 99][rng.integers(3)]}
    if rng.integers(2):
        options["min_frequency"] = [2, 5, 0.15][rng.integers(3)]
    if rng.integers(2):
        options["max_categories"] = int(rng.integers(1, 5))
    options["encoded_missing_value"] = [np.nan, -7][rng.integers(2)]
    options["dtype"] = [np.float64, np.float32][rng.integers(2)]
    return preprocessing.OrdinalEncoder(**options)


@diff.examples(20)
@given(seed=diff.seeds, n=st.sampled_from([2, 3, 5]), missing=st.sampled_from(["never", "nan", "rows"]))
def test_ordinal_of_words(seed, n, missing):
    rng = np.random.default_rng(seed)
    x = words(rng, 40, n, np.nan if missing == "nan" else None)
    rows = words(rng, 25, n, None if missing == "never" else np.nan)
    rows[0, 0] = "never seen"
    diff.compare(fit(ordinal_encoder(rng), table(x)), table(rows))


@diff.examples(8)
@given(seed=diff.seeds)
def test_one_hot_of_several_types(seed):
    rng = np.random.default_rng(seed)
    def frame(rows, more):
        return pd.DataFrame({"text": words(rng, rows, 1)[:, 0], "flag": rng.random(rows) < 0.5,
                             "whole": rng.integers(0, 4 + more, rows), "real": rng.integers(0, 3 + more, rows) / 4})
    model = preprocessing.OneHotEncoder(handle_unknown=["ignore", "error"][rng.integers(2)])
    diff.compare(fit(model, frame(60, 0)), frame(25, 1))


@diff.examples(8)
@given(seed=diff.seeds, kind=st.sampled_from(diff.LABEL_KINDS), unknown=st.booleans())
def test_label_encoder(seed, kind, unknown):
    rng = np.random.default_rng(seed)
    y = diff.labels(rng, 30, 2 if kind == "bool" else 5, kind)
    model = preprocessing.LabelEncoder().fit(y)
    rows = np.array(y[:15], dtype=object)
    if unknown and kind in ("str", "unicode", "object"):
        rows[3] = "nobody"
    diff.compare(model, pd.DataFrame({"label": rows}))


# ---- Others ----------------------------------------------------------------------------------------------

@diff.examples(15)
@given(seed=diff.seeds, n=st.sampled_from([1, 2, 3, 4]), low=st.integers(0, 3), more=st.integers(0, 3),
       interaction=st.booleans(), bias=st.booleans(), single=st.booleans())
def test_polynomial(seed, n, low, more, interaction, bias, single):
    rng, x = data(seed, n)
    high = low + more
    if not bias and (high == 0 or (interaction and low > n)):
        return  # no columns at all: the library raises, or there is nothing to write
    model = fit(preprocessing.PolynomialFeatures((low, high), interaction_only=interaction, include_bias=bias), x)
    if model.n_output_features_ > 0:
        diff.compare(model, rows_of(rng, x, single))


FUNCTIONS = [np.log, np.log1p, np.log2, np.log10, np.exp, np.expm1, np.exp2, np.sqrt, np.cbrt, np.square, np.abs, np.fabs,
             np.negative, np.reciprocal, np.sign, np.floor, np.ceil, np.trunc, np.rint, np.sin, np.cos, np.tan, np.arcsin,
             np.arccos, np.arctan, np.sinh, np.cosh, np.tanh, np.arcsinh, np.arccosh, np.arctanh, np.deg2rad, np.rad2deg,
             np.isnan, np.isfinite, np.isinf, None]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: getattr(f, "__name__", "none"))
@diff.examples(1, 10)
@given(seed=diff.seeds, n=FEATURES, single=st.booleans(), validate=st.booleans())
def test_function(function, seed, n, single, validate):
    rng, x = data(seed, n)
    x = np.where(rng.random(x.shape) < 0.5, x, rng.uniform(-1.5, 1.5, x.shape))
    model = preprocessing.FunctionTransformer(function, validate=validate).fit(x)
    diff.compare(model, rows_of(rng, np.clip(x, -80, 80), single))
