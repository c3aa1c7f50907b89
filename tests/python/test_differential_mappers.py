"""Mappers of tables (sklearn-pandas) and the domains and pipelines of sklearn2pmml: fresh ones, against the libraries."""

import copy
import pathlib
import tempfile
import warnings

import differential as diff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn2pmml.sklearn_pandas import patch_sklearn

patch_sklearn()

from catboost import CatBoostClassifier, CatBoostRegressor  # noqa: E402
from lightgbm import LGBMClassifier, LGBMRegressor  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.feature_extraction.text import CountVectorizer  # noqa: E402
from sklearn.feature_selection import SelectFromModel, SelectKBest  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.linear_model import LogisticRegression, Ridge  # noqa: E402
from sklearn.pipeline import Pipeline  # noqa: E402
from sklearn.preprocessing import (LabelBinarizer, LabelEncoder, MinMaxScaler, OneHotEncoder, OrdinalEncoder,  # noqa: E402
                                   StandardScaler)
from sklearn.tree import DecisionTreeClassifier  # noqa: E402
from sklearn2pmml import EstimatorProxy, SelectorProxy  # noqa: E402
from sklearn2pmml.decoration import (Alias, CategoricalDomain, ContinuousDomain, ContinuousDomainEraser,  # noqa: E402
                                     DiscreteDomainEraser, MultiAlias, MultiDomain, OrdinalDomain)
from sklearn2pmml.pipeline import PMMLPipeline  # noqa: E402
from sklearn2pmml.preprocessing import (FilterLookupTransformer, IdentityTransformer, LookupTransformer,  # noqa: E402
                                        PMMLLabelBinarizer, PMMLLabelEncoder)
from sklearn2pmml.util import Slicer  # noqa: E402
from sklearn_pandas import DataFrameMapper, NumericalTransformer  # noqa: E402
from xgboost import XGBClassifier, XGBRegressor  # noqa: E402

CITIES = ["Paris", "Oslo", "New York, NY", "日本", "é \"x\""]


def table(rng, rows=40, holes=0.0, cities=CITIES[:4]):
    """Numbers of several sizes, whole numbers and texts."""
    made = pd.DataFrame({
        "age": np.round(rng.uniform(18, 80, rows), 1), "income": rng.normal(size=rows) * 10.0 ** rng.integers(-3, 5),
        "kids": rng.integers(0, 4, rows).astype(float), "city": rng.choice(cities, rows).astype(object),
        "smoker": rng.choice(["no", "yes"], rows).astype(object),
        "words": rng.choice(["a red fox", "the fox", "a blue bird", "red and blue"], rows).astype(object)})
    for name in ["age", "income", "city"]:
        made.loc[rng.random(rows) < holes, name] = np.nan
    return made


def fit(model, x, y=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(x, y) if y is not None else model.fit(x)


# ---- Mappers ----------------------------------------------------------------------------------------------

FEATURES = [
    lambda rng: (["age", "income"], StandardScaler()),
    lambda rng: (["income"], [SimpleImputer(strategy="median"), MinMaxScaler()]),
    lambda rng: ("kids", None),
    lambda rng: (["kids", "age"], None),
    lambda rng: ("city", LabelBinarizer(neg_label=int(rng.integers(-1, 1)))),
    lambda rng: ("city", [LabelBinarizer()], {"alias": "town", "prefix": "p_", "suffix": "_s"}),
    lambda rng: ("smoker", LabelEncoder()),
    lambda rng: (["city", "smoker"], OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
    lambda rng: (["city"], OneHotEncoder(handle_unknown="ignore", sparse_output=bool(rng.integers(2)))),
    lambda rng: ("words", CountVectorizer()),
    lambda rng: ("age", NumericalTransformer(["log", "log1p"][rng.integers(2)])),
]


@diff.examples(30)
@given(seed=diff.seeds, n=st.integers(1, 5), sparse=st.booleans(), tables=st.booleans(), input_df=st.booleans(),
       transformed=st.booleans())
def test_mapper(seed, n, sparse, tables, input_df, transformed):
    rng = np.random.default_rng(seed)
    features = [FEATURES[i](rng) for i in rng.choice(len(FEATURES), n, replace=False)]
    names = [name for name, *_ in features]
    tables = tables and not sparse and len(set(map(str, names))) == n  # a table's columns are set by name
    mapper = DataFrameMapper(features, sparse=sparse, df_out=tables and "words" not in names, input_df=input_df)
    x = table(rng)
    fit(mapper, x)
    if transformed:
        mapper.transform(x)
    diff.compare(mapper, table(rng, 12, cities=CITIES if "smoker" not in names else CITIES[:4]))


@diff.examples(12)
@given(seed=diff.seeds, scaled=st.booleans())
def test_the_rest_of_a_table(seed, scaled):
    rng = np.random.default_rng(seed)
    names = list(rng.permutation(["age", "income", "kids"]))
    mapper = DataFrameMapper([([names[0]], MinMaxScaler())], default=StandardScaler() if scaled else None, input_df=scaled,
                             drop_cols=[names[1]] if rng.integers(2) else None)
    x = table(rng)[["age", "income", "kids"]]
    fit(mapper, x)
    mapper.transform(x)
    diff.compare(mapper, table(rng, 12)[["age", "income", "kids"]])


@diff.examples(12)
@given(seed=diff.seeds, n=st.integers(1, 4), sparse=st.booleans())
def test_mapper_in_a_pipeline(seed, n, sparse):
    rng = np.random.default_rng(seed)
    features = [FEATURES[i](rng) for i in rng.choice(len(FEATURES), n, replace=False)]
    x = table(rng)
    model = Pipeline([("mapper", DataFrameMapper(features, sparse=sparse)), ("model", [
        Ridge(), DecisionTreeClassifier(max_depth=5, random_state=0)][rng.integers(2)])])
    diff.compare(fit(model, x, (x["age"] > 50).astype(int)), table(rng, 12))


# What boosters take: missing values and, in a sparse matrix, zeros that are not stored.
GAPPED = [
    lambda rng: (["age", "income"], StandardScaler()),
    lambda rng: (["income"], None),
    lambda rng: ("kids", None),
    lambda rng: (["city"], OneHotEncoder(handle_unknown="ignore", sparse_output=bool(rng.integers(2)))),
    lambda rng: (["city", "smoker"], OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
    lambda rng: ("words", CountVectorizer(dtype=np.float64)),
]
BOOSTERS = {
    "XGBoost": lambda n, classes: (XGBClassifier if classes else XGBRegressor)(n_estimators=n, max_depth=4, n_jobs=1),
    "LightGBM": lambda n, classes: (LGBMClassifier if classes else LGBMRegressor)(
        n_estimators=n, min_child_samples=2, verbose=-1, n_jobs=1),
    "CatBoost": lambda n, classes: (CatBoostClassifier if classes else CatBoostRegressor)(
        iterations=n, depth=4, verbose=0, thread_count=1, allow_writing_files=False)}


@pytest.mark.parametrize("library", BOOSTERS)
@diff.examples(12)
@given(seed=diff.seeds, n=st.integers(1, 5), sparse=st.booleans(), classes=st.booleans())
def test_boosters_behind_a_mapper(library, seed, n, sparse, classes):
    rng = np.random.default_rng(seed)
    features = [GAPPED[i](rng) for i in rng.choice(len(GAPPED), n, replace=False)]
    tables = not sparse and rng.integers(2) == 1 and "words" not in [name for name, *_ in features]
    mapper = DataFrameMapper(features, sparse=sparse, df_out=tables, default=[False, None][rng.integers(2)] if tables else False,
                             drop_cols=["city", "smoker", "words"])
    x = table(rng, 80, holes=0.1, cities=["a", "b", "c"])
    y = x["age"].fillna(0) + 20 * (x["city"] == "a") + 5 * x["kids"]
    if classes:
        y = (y > y.median()).astype(int)
    booster = BOOSTERS[library](int(rng.integers(2, 12)), classes)
    model = fit(Pipeline([("mapper", mapper), ("model", booster)]), x, y)
    diff.compare(model, table(rng, 25, holes=0.2, cities=["a", "b", "c", "d"]))


NAMED = {"Index": pd.Index, "Index of objects": lambda names: pd.Index(names, dtype=object), "Series": pd.Series,
         "Series of objects": lambda names: pd.Series(names, index=range(5, 5 + len(names)), dtype=object)}


def older(transformer):
    """As early versions wrote it, which kept the columns alone; the library no longer runs it."""
    made = copy.deepcopy(transformer)
    del made._transformer_to_input_indices
    return made


def run(model, x):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        process = diff.run(diff.write_model(model, folder), diff.write_rows(x, folder), folder / "out.csv")
        return process, np.loadtxt(folder / "out.csv", delimiter=",", skiprows=1) if process.returncode == 0 else None


@pytest.mark.parametrize("kind", NAMED)
def test_columns_named_by_pandas(kind):
    rng = np.random.default_rng(21)
    x, rows = table(rng)[["age", "income", "kids"]], table(rng, 12)[["kids", "age", "income"]]
    names = NAMED[kind](["income", "age"])
    mapper = DataFrameMapper([(names, StandardScaler()), ("kids", None)])  # what it calls its own columns is no text
    diff.compare(fit(Pipeline([("m", mapper), ("r", Ridge())]), x, x["age"]), rows[x.columns])
    diff.compare(fit(ColumnTransformer([("s", StandardScaler(), names)], remainder="passthrough"), x), rows)
    transformer = fit(ColumnTransformer([("s", StandardScaler(), names)]), x)
    np.testing.assert_array_equal(run(older(transformer), rows)[1], transformer.transform(rows))
    pipeline = fit(PMMLPipeline([("s", StandardScaler()), ("m", Ridge())]), x[names], x["kids"])
    pipeline.active_fields = names
    diff.compare(pipeline, rows[names], methods=["predict"])


def test_columns_numbered_by_pandas():
    """The columns of a table without names are a RangeIndex: newer versions have the positions besides."""
    rng = np.random.default_rng(22)
    x = pd.DataFrame(rng.normal(size=(30, 4)))
    for columns in (pd.Index([2, 0]), pd.Series([2, 0])):
        transformer = fit(ColumnTransformer([("s", StandardScaler(), columns)]), x.to_numpy())
        diff.compare(transformer, x.to_numpy())
        np.testing.assert_array_equal(run(older(transformer), x.to_numpy())[1], transformer.transform(x.to_numpy()))
    transformer = fit(ColumnTransformer([("s", StandardScaler(), x.columns[1:])]), x)
    diff.compare(transformer, x.to_numpy())
    process, _ = run(older(transformer), x.to_numpy())
    assert process.returncode == 3 and "neither numbers nor names" in process.stderr


def test_columns_of_several_levels():
    """Names of one level are texts and positions have none; tuples are names that no table has."""
    rng = np.random.default_rng(23)
    x = pd.DataFrame(rng.normal(size=(30, 3)), columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y"), ("b", "z")]))
    diff.compare(fit(StandardScaler(), x), x.to_numpy())
    diff.compare(fit(ColumnTransformer([("s", StandardScaler(), [2, 0])]), x), x.to_numpy())
    process, _ = run(fit(DataFrameMapper([([("a", "x"), ("b", "z")], StandardScaler())]), x), x.to_numpy())
    assert process.returncode == 3 and "tuple" in process.stderr


# ---- Domains ----------------------------------------------------------------------------------------------

def treatments(rng, values, replacement):
    """Parameters of a domain; values that may stand for missing ones."""
    made = {"with_data": bool(rng.integers(4)), "with_statistics": bool(rng.integers(2))}
    if rng.integers(3) == 0:
        made["missing_value_treatment"] = "return_invalid"
    elif rng.integers(2):
        made["missing_value_replacement"] = replacement
    made["invalid_value_treatment"] = ["return_invalid", "as_is", "as_missing", "as_value"][rng.integers(4)]
    if made["invalid_value_treatment"] == "as_value":
        made["invalid_value_replacement"] = replacement
    if rng.integers(3) == 0:
        made["missing_values"] = [values[0], values[:1], values][rng.integers(3)]
    return made


def plain(values):
    """Such as a person would write them."""
    return [value.item() if hasattr(value, "item") else value for value in values]


def told(parameters):
    """Without what the file of a domain of a series does not tell: whether a missing value is put in an invalid one's place."""
    if parameters["invalid_value_treatment"] == "as_missing" and "missing_value_replacement" not in parameters:
        parameters["invalid_value_treatment"] = "as_is"
    return parameters


@diff.examples(40)
@given(seed=diff.seeds, one=st.booleans())
def test_continuous_domain(seed, one):
    rng = np.random.default_rng(seed)
    x = table(rng, holes=0.1 * rng.integers(2))
    parameters = treatments(rng, plain(x["age"].dropna()[:3]), 33.25)
    if rng.integers(2):
        parameters.update(outlier_treatment=["as_missing_values", "as_extreme_values"][rng.integers(2)], low_value=30.5,
                          high_value=60)
    columns = ["age"] if one else ["age", "income"]
    domain = fit(ContinuousDomain(**parameters), x[columns])
    diff.compare(domain, table(rng, 24, holes=0.2)[columns])


@pytest.mark.parametrize("column", ["city", "kids"])
@pytest.mark.parametrize("kind", [CategoricalDomain, OrdinalDomain])
@diff.examples(15)
@given(seed=diff.seeds)
def test_domain_of_values(column, kind, seed):
    rng = np.random.default_rng(seed)
    x = table(rng)
    values = plain(x[column].dropna().unique()[:2])
    domain = fit(kind(**treatments(rng, values, "Oslo" if column == "city" else 7.0)), x[[column]])
    rows = table(rng, 24, holes=0.2, cities=CITIES)
    rows.loc[3, "kids"] = 11.0
    diff.compare(domain, rows[[column]])


@diff.examples(10)
@given(seed=diff.seeds)
def test_several_domains(seed):
    rng = np.random.default_rng(seed)
    x = table(rng)
    domains = [ContinuousDomain(**told(treatments(rng, plain(x["age"][:2]), 40.5))), None,
               CategoricalDomain(**told(treatments(rng, plain(x["kids"].unique()[:2]), 2.0)))]
    names = ["age", "income", "kids"]
    diff.compare(fit(MultiDomain(domains), x[names]), table(rng, 20, holes=0.2)[names])


@diff.examples(10)
@given(seed=diff.seeds)
def test_domains_of_a_table_with_two_texts(seed):
    rng = np.random.default_rng(seed)
    x = table(rng)
    domain = fit(CategoricalDomain(**treatments(rng, ["Oslo", "yes"], "other")), x[["city", "smoker"]])
    diff.compare(domain, table(rng, 20, cities=CITIES)[["city", "smoker"]])


@diff.examples(15)
@given(seed=diff.seeds)
def test_labels_and_tables(seed):
    rng = np.random.default_rng(seed)
    x = table(rng, holes=0.1)
    known = {"Paris": "Lutetia", "Oslo": "north", "": "nothing"}
    mapper = DataFrameMapper([
        ("smoker", PMMLLabelBinarizer()),
        ("kids", PMMLLabelEncoder(missing_values=[None, -1, 0.5][rng.integers(3)])),
        ("city", [LookupTransformer(known, None), FilterLookupTransformer({"north": "south"}),
                  PMMLLabelBinarizer(sparse_output=bool(rng.integers(2)))])])
    fit(mapper, x)
    rows = table(rng, 12, holes=0.2, cities=CITIES)
    rows.loc[2, "smoker"] = np.nan
    diff.compare(mapper, rows)
    start, stop, step = [None, 0, 1, -2][rng.integers(4)], [None, 2, -1, 9][rng.integers(4)], [None, 1, 2][rng.integers(3)]
    model = PMMLPipeline([("slice", Slicer(start, stop, step)), ("fill", SimpleImputer()), ("model", Ridge())])
    numbers = ["age", "income", "kids"]
    if len(numbers[start:stop:step]) > 0:
        diff.compare(fit(model, x[numbers], np.asarray(x["kids"])), rows[numbers], methods=["predict"])


# ---- Pipelines --------------------------------------------------------------------------------------------

@diff.examples(15)
@given(seed=diff.seeds, invalid=st.sampled_from(["return_invalid", "as_is", "as_missing"]))
def test_pipeline(seed, invalid):
    rng = np.random.default_rng(seed)
    x = table(rng)
    mapper = DataFrameMapper([
        (["age", "income"], [ContinuousDomain(invalid_value_treatment="as_is", missing_value_replacement=1.5),
                             Alias(StandardScaler(), name="scaled")]),
        ("city", [CategoricalDomain(invalid_value_treatment=invalid, missing_value_replacement="Oslo"), LabelBinarizer()]),
        (["kids"], [DiscreteDomainEraser(), ContinuousDomainEraser(), IdentityTransformer()])])
    model = PMMLPipeline([("mapper", mapper), ("model", LogisticRegression() if rng.integers(2) else DecisionTreeClassifier(
        max_depth=4, random_state=0))])
    diff.compare(fit(model, x, (x["age"] > 50).astype(int)), table(rng, 20, holes=0.2, cities=CITIES),
                 methods=["predict", "predict_proba"] + (["apply"] if hasattr(model.steps[-1][1], "apply") else []))


@diff.examples(8)
@given(seed=diff.seeds)
def test_columns_and_proxies(seed):
    rng = np.random.default_rng(seed)
    x = table(rng)
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    selector = SelectKBest(k=2) if rng.integers(2) else SelectFromModel(EstimatorProxy(tree), threshold="mean")
    model = PMMLPipeline([
        ("columns", ColumnTransformer([
            ("numbers", Pipeline([("domain", ContinuousDomain()), ("names", MultiAlias(
                StandardScaler(), names=["a", "i"], prefit=False))]), ["age", "income"]),
            ("texts", Pipeline([("domain", CategoricalDomain()), ("encoder", OneHotEncoder(sparse_output=False))]), ["city"])])),
        ("select", SelectorProxy(selector)), ("model", EstimatorProxy(tree))])
    y = np.where((x["age"] > 50) | (x["city"] == "Oslo"), "a", "b")
    fit(model, x, y)
    diff.compare(model, table(rng, 20), methods=["predict", "predict_proba"])
