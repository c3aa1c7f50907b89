"""Matrices that scikit-learn holds sparse in front of XGBoost, to which what they do not store is missing.

From which version on missing= names stored numbers too, and by which way a matrix goes, differs among the versions of
XGBoost; which zeros are stored, among transformers.
"""
import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import ClassifierChain
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (Binarizer, KBinsDiscretizer, MaxAbsScaler, Normalizer, OneHotEncoder,
                                   PolynomialFeatures, StandardScaler)

import case_data as data

VERSION = tuple(int(n) for n in xgb.__version__.split(".")[:2])
METHODS = ["predict", "predict_proba"]
RS = np.random.RandomState(77)


def rows_of(rs, n, gaps):
    words = np.array("the cat sat on a mat and the dog ran off".split())
    table = pd.DataFrame({"city": np.array(["Oslo", "Rome", "Kyiv", "Lima"], dtype=object)[rs.randint(0, 4, n)],
                          "text": [" ".join(words[rs.randint(0, 11, rs.randint(1, 6))]) for _ in range(n)],
                          "visits": rs.randint(0, 4, n) * (rs.rand(n) < 0.5), "size": np.round(rs.randn(n), 2)},
                         columns=["city", "text", "visits", "size"])
    table["gaps"] = np.where(rs.rand(n) < 0.6, 0.0, np.round(rs.randn(n), 2) + 1.5)
    if gaps:
        table.loc[rs.rand(n) < 0.3, "gaps"] = np.nan
    return table


TABLE, ROWS = rows_of(RS, 60, False), rows_of(RS, 14, False)
GAPS, GAP_ROWS = rows_of(RS, 60, True), rows_of(RS, 14, True)
Z = (TABLE["city"] == "Oslo") * 1.5 + TABLE["visits"] * 0.4 + TABLE["gaps"] + TABLE["text"].str.len() / 20.0
Z = Z.values + RS.randn(60) * 0.3
Y = (Z > np.median(Z)).astype(int)
ON, ON_GAPS = (data.Input("rows", ROWS),), (data.Input("gaps", GAP_ROWS),)


def codes():
    return OneHotEncoder(handle_unknown="ignore")


def beside(part, columns, numbers=("visits", "size", "gaps")):
    return ColumnTransformer([("part", part, columns), ("numbers", "passthrough", list(numbers))], sparse_threshold=1.0)


def hashes():
    return beside(HashingVectorizer(n_features=8, norm=None), "text")


def imputed(**more):
    return make_pipeline(beside(codes(), ["city"]), SimpleImputer(**more))


def forest(**more):
    merged = dict(dict(n_estimators=3, max_depth=3, n_jobs=1, random_state=0, min_child_weight=0.0), **more)
    if (1, 3) <= VERSION < (1, 6):
        merged["use_label_encoder"] = True
    return xgb.XGBClassifier(**merged)


def producers():
    yield "codes", lambda: beside(codes(), ["city"]), False
    yield "codes_gaps", lambda: beside(codes(), ["city"]), True
    yield "words", lambda: beside(CountVectorizer(), "text"), False
    yield "hashes", hashes, False
    yield "imputed", lambda: imputed(strategy="median"), True
    yield "constant", lambda: imputed(strategy="constant", fill_value=0), True
    yield "scaled", lambda: make_pipeline(imputed(strategy="median"), StandardScaler(with_mean=False)), True
    yield "largest", lambda: make_pipeline(imputed(strategy="median"), MaxAbsScaler()), True
    yield "unit", lambda: make_pipeline(hashes(), Normalizer()), False
    yield "signs", lambda: make_pipeline(hashes(), Binarizer()), False
    yield "products", lambda: make_pipeline(beside(codes(), ["city"]), PolynomialFeatures(2)), False
    yield "bins", lambda: beside(KBinsDiscretizer(3, encode="onehot", strategy="uniform"), ["size"], ["gaps"]), False
    yield "union", lambda: FeatureUnion([("codes", beside(codes(), ["city"], ["visits"])), (
        "numbers", ColumnTransformer([("scaled", StandardScaler(), ["gaps", "size"])]))]), False
    yield "dense", lambda: ColumnTransformer([("codes", codes(), ["city"]), ("rest", "passthrough", ["size", "visits"])],
                                             sparse_threshold=0.1), False


def missing(cases):
    """Stored numbers that missing= names; a matrix by columns behind SimpleImputer."""
    for name, value in [("zero", 0.0), ("one", 1.0), ("two", 2.0)]:
        cases.add("missing_" + name, lambda: make_pipeline(hashes(), forest(missing=value)), TABLE, Y, on=ON, methods=METHODS)
        cases.add("missing_%s_columns" % name, lambda: make_pipeline(imputed(strategy="median"), forest(missing=value)), GAPS,
                  Y, on=ON_GAPS, methods=METHODS)


def ways(cases):
    """Boosters that go by another way than trees, and models of boosters."""
    cases.add("linear", lambda: make_pipeline(hashes(), MaxAbsScaler(), forest(booster="gblinear")), TABLE, Y, on=ON,
              methods=METHODS)
    cases.add("bag", lambda: make_pipeline(hashes(), BaggingClassifier(forest(), n_estimators=2, max_features=0.6,
                                                                       random_state=0)), TABLE, Y, on=ON, methods=METHODS)
    both = np.column_stack([Y, (ROW_SUM > np.median(ROW_SUM)).astype(int)])
    if not (1, 0) <= VERSION < (1, 3):  # these do not take the form that a chain's matrices have
        cases.add("chain", lambda: make_pipeline(hashes(), ClassifierChain(forest(), random_state=0)), TABLE, both, on=ON,
                  methods=["predict"])
    try:
        from sklearn.ensemble import StackingClassifier
    except ImportError:  # new in 0.22
        return
    parts = [("a", forest()), ("b", LogisticRegression(solver="liblinear"))]
    cases.add("stack", lambda: make_pipeline(hashes(), StackingClassifier(parts, forest(), cv=2, passthrough=True)), TABLE, Y,
              on=ON, methods=METHODS)


ROW_SUM = TABLE["visits"] + TABLE["size"]


def add_cases(cases):
    for name, producer, gaps in producers():
        cases.add(name, lambda: make_pipeline(producer(), forest()), GAPS if gaps else TABLE, Y, on=ON_GAPS if gaps else ON,
                  methods=METHODS)
    missing(cases)
    ways(cases)
