"""Pipelines, domains and proxies of sklearn2pmml, alone and behind a DataFrameMapper."""
import warnings

import numpy as np
import pandas as pd
import sklearn2pmml

try:
    from sklearn2pmml.sklearn_pandas import patch_sklearn
    patch_sklearn()  # before sklearn-pandas is imported
except ImportError:
    pass
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_selection import SelectFromModel, SelectKBest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import LabelBinarizer, MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn2pmml import EstimatorProxy, SelectorProxy
from sklearn2pmml.decoration import Alias, CategoricalDomain, ContinuousDomain, MultiDomain
from sklearn2pmml.pipeline import PMMLPipeline
from sklearn2pmml.preprocessing import LookupTransformer, PMMLLabelBinarizer, PMMLLabelEncoder
from sklearn_pandas import DataFrameMapper

from case_data import Input
from case_mappers import HOLES, NUMBER, TABLE, TARGET, ROWS

PMML = tuple(int(n) for n in sklearn2pmml.__version__.split(".")[:2])
COMPARES = PMML >= (0, 54)  # 0.51.1 too, but its files do not tell it from those that do not

if COMPARES:
    from sklearn2pmml.decoration import OrdinalDomain

INSIDE = TABLE.copy()
INSIDE.loc[0, "age"], INSIDE.loc[1, "age"] = 15.0, 80.0
_within = ROWS.x.copy()
_within["age"] = np.round(_within["age"].clip(20, 75), 1)
_within["income"] = np.round(_within["income"].clip(TABLE["income"].min(), TABLE["income"].max()), 2)
WITHIN = Input("within", _within)
WITHIN_HOLES = Input("within_holes", _within.assign(age=[np.nan] + list(_within["age"][1:]),
                                                   city=list(_within["city"][:-1]) + [np.nan]))
_beyond = _within.copy()
_beyond.loc[2, "age"], _beyond.loc[4, "age"] = 14.9, 80.5
_beyond.loc[5, "city"] = "Rome"
_beyond.loc[6, "kids"] = 9
BEYOND = Input("beyond", _beyond)
CODED = INSIDE.assign(age=[-999.0, -1.0] + list(INSIDE["age"][2:]), city=["?", "-"] + list(INSIDE["city"][2:]))
CODED_ROWS = Input("within_coded", _within.assign(age=[-999.0, -1.0] + list(_within["age"][2:]),
                                                  city=["?", "-"] + list(_within["city"][2:])))


def add(c, name, make, x, y=None, on=(), raises=(), methods=("transform",), **more):
    """The older domains write to the table that they are given: they get copies."""
    def call(method):
        return lambda model, rows: getattr(model, method)(rows.copy())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        c.add(name, make, x.copy(), y, on=on, raises=raises, methods=list(methods),
              calls={method: call(method) for method in methods}, **more)


def add_cases(c):
    _labels(c)
    _continuous(c)
    _categorical(c)
    _several(c)
    _proxies(c)
    _pipelines(c)


def domain(kind, columns, **parameters):
    return lambda: DataFrameMapper([(columns, kind(**parameters))])


def _continuous(c):
    two, age = ["age", "income"], ["age"]
    beyond = [BEYOND] if COMPARES else []
    add(c, "continuous", domain(ContinuousDomain, two), INSIDE, on=[WITHIN, WITHIN_HOLES], raises=beyond)
    add(c, "continuous_one", domain(ContinuousDomain, "age"), INSIDE, on=[WITHIN, WITHIN_HOLES], raises=beyond)
    add(c, "continuous_no_data", domain(ContinuousDomain, two, with_data=False), INSIDE, on=[WITHIN, BEYOND])
    add(c, "continuous_as_is", domain(ContinuousDomain, two, invalid_value_treatment="as_is"), INSIDE,
        on=[WITHIN] + beyond)
    add(c, "continuous_filled", domain(ContinuousDomain, two, missing_value_replacement=33.25), HOLES,
        on=[WITHIN_HOLES] if not COMPARES else [Input("within_of_holes", HOLES[:9].copy())])
    add(c, "continuous_coded", domain(ContinuousDomain, age, missing_values=-999.0, missing_value_replacement=-5.5,
                                      invalid_value_treatment="as_is"), CODED, on=[CODED_ROWS])
    add(c, "continuous_codes", domain(ContinuousDomain, age, missing_values=[-999.0, -1.0], missing_value_replacement=0.5),
        CODED, on=[CODED_ROWS])
    add(c, "continuous_coded_kept", domain(ContinuousDomain, age, missing_values=-999.0, with_data=False), CODED,
        on=[CODED_ROWS])
    limits = {"low_value": 30.5, "high_value": 60.0}
    add(c, "continuous_clipped", domain(ContinuousDomain, age, outlier_treatment="as_extreme_values", **limits), INSIDE,
        on=[WITHIN, WITHIN_HOLES])
    add(c, "continuous_outliers", domain(ContinuousDomain, age, outlier_treatment="as_missing_values", **limits), INSIDE,
        on=[WITHIN, WITHIN_HOLES])
    add(c, "continuous_outliers_filled", domain(ContinuousDomain, age, outlier_treatment="as_missing_values",
                                                missing_value_replacement=40.125, **limits), INSIDE,
        on=[WITHIN, WITHIN_HOLES])
    add(c, "continuous_outliers_coded", domain(ContinuousDomain, age, outlier_treatment="as_missing_values",
                                               missing_values=-999.0, invalid_value_treatment="as_is",
                                               with_data=False, **limits), CODED, on=[CODED_ROWS])
    if COMPARES:
        add(c, "continuous_invalid", domain(ContinuousDomain, two, invalid_value_treatment="as_missing",
                                            missing_value_replacement=1.5), INSIDE, on=[WITHIN, BEYOND])
        add(c, "continuous_refused", domain(ContinuousDomain, two, missing_value_treatment="return_invalid"), INSIDE,
            on=[WITHIN], raises=[WITHIN_HOLES, BEYOND])
        old = PMML < (0, 75)
        add(c, "continuous_valued", domain(ContinuousDomain, two, invalid_value_treatment="as_is" if old else "as_value",
                                           invalid_value_replacement=7.75), INSIDE, on=[WITHIN, BEYOND])
    if COMPARES and (PMML < (0, 101) or PMML >= (0, 105)):  # between them files do not tell which of two rules holds
        add(c, "continuous_as_missing", domain(ContinuousDomain, two, invalid_value_treatment="as_missing"), INSIDE,
            on=[WITHIN] + ([BEYOND] if PMML < (0, 101) else []))
    if PMML >= (0, 105):
        add(c, "continuous_table", lambda: ContinuousDomain(invalid_value_treatment="as_missing"), INSIDE[two],
            on=[Input("beyond_two", BEYOND.x[two])])
        add(c, "continuous_given", domain(ContinuousDomain, two, data_min=[20.0, 100.0], data_max=[70.0, 5000.0],
                                          invalid_value_treatment="as_missing", missing_value_replacement=0.25), INSIDE,
            on=[WITHIN, BEYOND])


def _categorical(c):
    beyond = [BEYOND] if COMPARES else []
    add(c, "categorical", domain(CategoricalDomain, "city"), INSIDE, on=[WITHIN, WITHIN_HOLES], raises=beyond)
    add(c, "categorical_numbers", domain(CategoricalDomain, "kids"), INSIDE, on=[WITHIN], raises=beyond)
    add(c, "categorical_no_data", domain(CategoricalDomain, "city", with_data=False), INSIDE, on=[WITHIN, BEYOND])
    add(c, "categorical_filled", domain(CategoricalDomain, "city", missing_value_replacement="N/A!"), HOLES,
        on=[WITHIN_HOLES])
    add(c, "categorical_coded", domain(CategoricalDomain, "city", missing_values="?", missing_value_replacement="Oslo",
                                       invalid_value_treatment="as_is"), CODED, on=[CODED_ROWS])
    add(c, "categorical_codes", domain(CategoricalDomain, "city", missing_values=["?", "-"],
                                       missing_value_replacement="Oslo"), CODED, on=[CODED_ROWS])
    if COMPARES:
        add(c, "categorical_invalid", domain(CategoricalDomain, "city", invalid_value_treatment="as_missing",
                                             missing_value_replacement="Oslo"), INSIDE, on=[WITHIN_HOLES, BEYOND])
        old = PMML < (0, 75)
        add(c, "categorical_valued", domain(CategoricalDomain, "city", invalid_value_replacement="elsewhere",
                                            invalid_value_treatment="as_is" if old else "as_value"), INSIDE,
            on=[WITHIN, BEYOND])
        add(c, "categorical_refused", domain(CategoricalDomain, "city", missing_value_treatment="return_invalid"), INSIDE,
            on=[WITHIN], raises=[WITHIN_HOLES])
        add(c, "categorical_as_is", domain(CategoricalDomain, "city", invalid_value_treatment="as_is"), INSIDE,
            on=[BEYOND])
        add(c, "ordinal", domain(OrdinalDomain, "kids"), INSIDE, on=[WITHIN], raises=[BEYOND])
        add(c, "ordinal_valued", domain(OrdinalDomain, "kids", invalid_value_replacement=1,
                                        invalid_value_treatment="as_is" if old else "as_value"), INSIDE, on=[BEYOND])
    if PMML >= (0, 105):
        add(c, "categorical_two", domain(CategoricalDomain, ["city", "smoker"]), INSIDE, on=[WITHIN], raises=[BEYOND])
        add(c, "categorical_as_missing", lambda: CategoricalDomain(invalid_value_treatment="as_missing"),
            INSIDE[["city", "smoker"]], on=[Input("beyond_texts", BEYOND.x[["city", "smoker"]])])
        add(c, "categorical_given", domain(CategoricalDomain, "city", data_values=[["Oslo", "Paris", "New York, NY", "Rome"]]),
            INSIDE, on=[WITHIN, BEYOND])


def _labels(c):
    add(c, "labels", lambda: DataFrameMapper([("city", PMMLLabelBinarizer()), ("smoker", PMMLLabelBinarizer()),
                                              (["kids"], None)]), INSIDE, on=[WITHIN, WITHIN_HOLES])
    add(c, "labels_numbered", lambda: DataFrameMapper([("city", PMMLLabelEncoder(missing_values=-1)),
                                                       ("kids", PMMLLabelEncoder())]), INSIDE, on=[WITHIN, WITHIN_HOLES])
    add(c, "labels_tree", lambda: PMMLPipeline([("mapper", DataFrameMapper([
        ("city", [CategoricalDomain(), PMMLLabelBinarizer(sparse_output=True) if PMML >= (0, 50) else PMMLLabelBinarizer()]),
        (["age"], None)], sparse=True)), ("model", DecisionTreeClassifier(max_depth=3, random_state=0))]), INSIDE, TARGET,
        on=[WITHIN], methods=["predict", "predict_proba"])
    towns = {"Paris": "big", "Oslo": "small", "nowhere": "none"}
    add(c, "lookup", lambda: DataFrameMapper([("city", LookupTransformer(towns, None))]), INSIDE, on=[WITHIN])
    add(c, "lookup_default", lambda: DataFrameMapper([("city", [LookupTransformer(towns, "other"), LabelBinarizer()])]),
        INSIDE, on=[WITHIN])
    add(c, "lookup_numbers", lambda: PMMLPipeline([("mapper", DataFrameMapper([
        ("smoker", LookupTransformer({"yes": 2.5, "no": -1.0}, 0.0)), ("kids", LookupTransformer({0: 1.0, 1: 7.0, 2: 0.5}, 3.5))])),
        ("model", DecisionTreeClassifier(max_depth=3, random_state=0))]), INSIDE, TARGET, on=[WITHIN],
        methods=["predict", "predict_proba"])
    if PMML >= (0, 68):
        from sklearn2pmml.preprocessing import FilterLookupTransformer
        add(c, "lookup_filter", lambda: DataFrameMapper([("city", FilterLookupTransformer({"Paris": "Lutetia"}))]), INSIDE,
            on=[WITHIN])
    if PMML >= (0, 92):
        from sklearn2pmml.util import Slicer
        for name, ends in {"from": {"start": 1}, "to": {"stop": -1}, "steps": {"step": 2}, "all": {}}.items():
            add(c, "slice_" + name, lambda: PMMLPipeline([("slice", Slicer(**ends)), ("scale", StandardScaler())]),
                INSIDE[["age", "income", "kids"]], on=[Input("within_of_" + name, WITHIN.x[["age", "income", "kids"]])])


def _several(c):
    def multi():
        return MultiDomain([ContinuousDomain(with_data=False, missing_value_replacement=1.25),
                            ContinuousDomain(invalid_value_treatment="as_is"),
                            CategoricalDomain(invalid_value_treatment="as_is")])
    add(c, "multi", lambda: DataFrameMapper([(["age", "income", "kids"], multi())]), HOLES, on=[WITHIN_HOLES])
    if PMML >= (0, 50):
        add(c, "multi_none", lambda: DataFrameMapper([(["age", "income", "kids"], MultiDomain(
            [None, ContinuousDomain(with_data=False), None]))]), INSIDE, on=[WITHIN])
    add(c, "alias", lambda: DataFrameMapper([(["age"], [ContinuousDomain(with_data=False), Alias(
        StandardScaler(), name="standard(age)")])]), INSIDE, on=[WITHIN])
    if PMML >= (0, 92):
        from sklearn2pmml.decoration import MultiAlias
        add(c, "aliases", lambda: DataFrameMapper([(["age", "income"], MultiAlias(
            StandardScaler(), names=["a", "i"], prefit=False))]), INSIDE, on=[WITHIN])


def _proxies(c):
    numbers = INSIDE[["age", "income", "kids"]]
    rows = Input("within_numbers", WITHIN.x[["age", "income", "kids"]])
    new = PMML >= (0, 50)

    def proxy(estimator):
        return EstimatorProxy(estimator)
    add(c, "estimator_proxy", lambda: proxy(DecisionTreeClassifier(max_depth=3, random_state=0)), numbers, TARGET,
        on=[rows], methods=["predict", "predict_proba"])
    add(c, "selector_proxy", lambda: Pipeline([("select", SelectorProxy(SelectKBest(k=2))), (
        "model", DecisionTreeClassifier(max_depth=3, random_state=0))]) if new else _old_selector(numbers), numbers, TARGET,
        on=[rows], methods=["predict", "predict_proba"])
    add(c, "selected_by_proxy", lambda: PMMLPipeline([
        ("select", SelectFromModel(proxy(DecisionTreeClassifier(max_depth=3, random_state=0)), threshold="mean")),
        ("model", LogisticRegression(solver="liblinear"))]), numbers, TARGET, on=[rows], methods=["predict", "predict_proba"])


def _old_selector(numbers):
    return Pipeline([("select", SelectKBest(k=2)), ("model", DecisionTreeClassifier(max_depth=3, random_state=0))])


def _pipelines(c):
    both = ["predict", "predict_proba"]

    def mapper(**more):
        return DataFrameMapper([(["age", "income"], [ContinuousDomain(**more), StandardScaler()]),
                                ("city", [CategoricalDomain(**more), LabelBinarizer()]),
                                (["kids"], [ContinuousDomain(**more), MinMaxScaler()])])
    add(c, "pmml_logreg", lambda: PMMLPipeline([("mapper", mapper()), ("model", LogisticRegression(solver="liblinear"))]),
        INSIDE, TARGET, on=[WITHIN], methods=both)
    add(c, "pmml_tree", lambda: PMMLPipeline([
        ("mapper", mapper(invalid_value_treatment="as_is")), ("model", DecisionTreeClassifier(max_depth=4, random_state=0))]),
        INSIDE, TARGET, on=[WITHIN] + ([BEYOND] if COMPARES else []), methods=both)
    add(c, "pmml_forest", lambda: PMMLPipeline([
        ("union", FeatureUnion([("numbers", DataFrameMapper([(["age", "income"], ContinuousDomain(with_data=False))])),
                                ("texts", DataFrameMapper([(["city", "smoker"], OneHotEncoder())]))])),
        ("model", RandomForestRegressor(n_estimators=3, max_depth=4, random_state=0))]), INSIDE, NUMBER, on=[WITHIN],
        methods=["predict"])
    columns = ColumnTransformer([
        ("numbers", Pipeline([("domain", ContinuousDomain()), ("scaler", StandardScaler())]), ["age", "income"]),
        ("texts", Pipeline([("domain", CategoricalDomain()), ("encoder", OneHotEncoder())]), ["city"])])
    add(c, "pmml_columns", lambda: PMMLPipeline([("columns", columns), ("model", LinearRegression())]), INSIDE, NUMBER,
        on=[WITHIN], raises=[BEYOND] if COMPARES else [], methods=["predict"])
    add(c, "pmml_unnamed", lambda: PMMLPipeline([("scaler", StandardScaler()), ("model", LinearRegression())]),
        pd.DataFrame(np.asarray(INSIDE[["age", "income"]]), columns=["a", "b"]), NUMBER,
        on=[Input("within_ab", pd.DataFrame(np.asarray(WITHIN.x[["age", "income"]]), columns=["a", "b"]))],
        methods=["predict"])
