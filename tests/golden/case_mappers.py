"""DataFrameMapper of sklearn-pandas: columns by name, each with its own transformers."""
import numpy as np
import pandas as pd
import sklearn_pandas
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (LabelBinarizer, LabelEncoder, MinMaxScaler, OneHotEncoder, OrdinalEncoder,
                                   StandardScaler)
from sklearn.tree import DecisionTreeClassifier
from sklearn_pandas import DataFrameMapper, gen_features

from case_data import Input

MAPPER = tuple(int(n) for n in sklearn_pandas.__version__.split(".")[:2])


def _table(n, seed):
    rs = np.random.RandomState(seed)
    return pd.DataFrame({"age": np.round(rs.rand(n) * 60 + 18, 1), "income": np.round(rs.randn(n) * 900 + 3000, 2),
                         "kids": rs.randint(0, 4, n), "city": rs.choice(["Paris", "Oslo", "New York, NY"], n),
                         "smoker": rs.choice(["no", "yes"], n),
                         "words": rs.choice(["a red fox", "the fox", "a blue bird sings", "red and blue"], n)},
                        columns=["age", "income", "kids", "city", "smoker", "words"])


TABLE = _table(40, 5)
ROWS = Input("table_rows", _table(9, 6))
HOLES = TABLE.copy()
HOLES.loc[[1, 5, 8], "age"] = np.nan
HOLES.loc[[2, 5, 30], "city"] = np.nan
HOLES_ROWS = Input("table_holes", HOLES[:9].copy())
_unknown = ROWS.x.copy()
_unknown.loc[3, "city"] = "Rome"
UNKNOWN = Input("table_unknown", _unknown)
TARGET = np.where(TABLE["income"] + 40 * TABLE["age"] + 300 * (TABLE["city"] == "Paris") > 5000, "rich", "poor")
NUMBER = np.round(np.asarray(TABLE["income"] / 100 + TABLE["kids"]), 2)


def add_cases(c):
    _mappers(c)
    _defaults(c)
    _pipelines(c)
    _imputers(c)


def _mappers(c):
    c.add("mapper_numbers", lambda: DataFrameMapper([(["age", "income"], StandardScaler()), (["kids"], None)]), TABLE,
          on=[ROWS])
    c.add("mapper_labels", lambda: DataFrameMapper([("city", LabelBinarizer()), ("smoker", LabelEncoder()),
                                                    ("kids", None)]), TABLE, on=[ROWS, UNKNOWN])
    c.add("mapper_encoder", lambda: DataFrameMapper([("city", LabelEncoder())]), TABLE, on=[ROWS], raises=[UNKNOWN])
    c.add("mapper_chain", lambda: DataFrameMapper([(["age"], [SimpleImputer(), StandardScaler()]),
                                                   ("smoker", [LabelBinarizer()])]), HOLES, on=[HOLES_ROWS])
    c.add("mapper_order", lambda: DataFrameMapper([(["kids", "age"], MinMaxScaler()), (["income"], None),
                                                   ("age", None)]), TABLE, on=[ROWS])
    more = {"prefix": "z_", "suffix": "_s"} if MAPPER >= (2, 0) else {}
    c.add("mapper_names", lambda: DataFrameMapper([
        ("city", LabelBinarizer(), {"alias": "town"}), (["age", "income"], StandardScaler(), more),
        (["smoker"], OneHotEncoder(), {"alias": "smokes"})]), TABLE, on=[ROWS])
    c.add("mapper_texts", lambda: DataFrameMapper([("city", None), (["age", "kids"], None)]), TABLE, on=[ROWS])
    c.add("mapper_table", lambda: DataFrameMapper([(["age"], StandardScaler()), ("city", LabelBinarizer()),
                                                   ("kids", None)], df_out=True), TABLE, on=[ROWS])
    c.add("mapper_transformed", lambda: _transformed(DataFrameMapper([
        ("city", LabelBinarizer()), (["smoker"], OneHotEncoder()), (["age"], [SimpleImputer(), StandardScaler()])]), TABLE),
        TABLE, on=[ROWS], fitted=True)
    c.add("mapper_generated", lambda: DataFrameMapper(gen_features(
        columns=["city", "smoker"], classes=[LabelBinarizer]) + gen_features(
            columns=[["age"], ["kids"]], classes=[{"class": MinMaxScaler}])), TABLE, on=[ROWS])
    c.add("mapper_input_df", lambda: DataFrameMapper([(["city", "smoker"], OrdinalEncoder()), (["age"], StandardScaler())],
                                                     input_df=True), TABLE, on=[ROWS], raises=[UNKNOWN])
    c.add("mapper_words", lambda: DataFrameMapper([("words", CountVectorizer()), (["age"], None)]), TABLE, on=[ROWS])
    c.add("mapper_sparse_words", lambda: DataFrameMapper([("words", CountVectorizer()), (["kids"], None)], sparse=True),
          TABLE, on=[ROWS])
    if MAPPER >= (2, 2):
        c.add("mapper_chosen", lambda: DataFrameMapper([(_numbers, StandardScaler()), ("city", LabelBinarizer())]), TABLE,
              on=[ROWS])


def _numbers(table):
    return [name for name in table.columns if table[name].dtype.kind == "f"]


def _defaults(c):
    """What becomes of the columns that no feature takes."""
    three = TABLE[["age", "income", "kids"]]
    rows = Input("table_numbers", ROWS.x[["age", "income", "kids"]])
    c.add("mapper_rest", lambda: _transformed(DataFrameMapper([(["age"], StandardScaler())], default=None), three), three,
          on=[rows], fitted=True)
    if MAPPER >= (2, 0):
        c.add("mapper_rest_dropped", lambda: _transformed(DataFrameMapper(
            [("age", None)], default=None, drop_cols=["income"]), three), three, on=[rows], fitted=True)
    if c.since(1, 0):
        c.add("mapper_rest_scaled", lambda: DataFrameMapper([("age", None)], default=StandardScaler(), input_df=True), three,
              on=[rows])


def _transformed(mapper, table):
    mapper.fit_transform(table)
    return mapper


def _pipelines(c):
    features = [(["age", "income"], StandardScaler()), ("city", LabelBinarizer()), ("smoker", LabelEncoder())]
    c.add("mapper_logreg", lambda: Pipeline([("mapper", DataFrameMapper(features)), ("model", LogisticRegression(
        solver="liblinear"))]), TABLE, TARGET, on=[ROWS, UNKNOWN])
    c.add("mapper_forest", lambda: Pipeline([("mapper", DataFrameMapper(features)), ("model", RandomForestClassifier(
        n_estimators=4, max_depth=4, random_state=0))]), TABLE, TARGET, on=[ROWS])
    c.add("mapper_table_linreg", lambda: Pipeline([("mapper", DataFrameMapper(features, df_out=True)),
                                                   ("model", LinearRegression())]), TABLE, NUMBER, on=[ROWS])
    c.add("mapper_words_tree", lambda: Pipeline([
        ("mapper", DataFrameMapper([("words", CountVectorizer()), ("kids", None)], sparse=True)),
        ("model", DecisionTreeClassifier(max_depth=4, random_state=0))]), TABLE, TARGET, on=[ROWS])
    c.add("mapper_rest_tree", lambda: Pipeline([
        ("mapper", DataFrameMapper([("city", LabelBinarizer())], default=None)),
        ("model", DecisionTreeClassifier(max_depth=4, random_state=0))]), TABLE[["age", "city", "kids"]], TARGET,
        on=[Input("table_three", ROWS.x[["age", "city", "kids"]])])


def _imputers(c):
    if MAPPER < (2, 0):
        from sklearn_pandas import CategoricalImputer, FunctionTransformer
        c.add("imputer_text", lambda: DataFrameMapper([("city", CategoricalImputer())]), HOLES, on=[HOLES_ROWS])
        c.add("imputer_constant", lambda: DataFrameMapper([
            ("city", [CategoricalImputer(strategy="constant", fill_value="Oslo"), LabelBinarizer()])]), HOLES,
            on=[HOLES_ROWS])
        c.add("imputer_value", lambda: DataFrameMapper([
            ("smoker", [CategoricalImputer(missing_values="yes", strategy="constant", fill_value="no"), LabelBinarizer()])]),
            HOLES, on=[HOLES_ROWS])
        c.add("imputer_number", lambda: CategoricalImputer(missing_values=2), np.array([0, 1, 1, 2, 2, 2]),
              on=[Input("small_integers", np.array([2, 0, 1, 2, 3]))])
        c.add("vectorized_alone", lambda: FunctionTransformer(np.cbrt), np.array([[1.5, -2.0], [0.0, 8.0]]), on=["num"])
        c.add("vectorized", lambda: DataFrameMapper([("income", FunctionTransformer(np.sqrt)),
                                                     (["age", "kids"], FunctionTransformer(np.log1p))]), TABLE, on=[ROWS])
    else:
        from sklearn_pandas import NumericalTransformer
        c.add("numerical", lambda: DataFrameMapper([("income", NumericalTransformer("log")),
                                                    (["age", "kids"], NumericalTransformer("log1p"))]), TABLE, on=[ROWS])
