"""Dicts of features: numbers, texts, both under one key, keys that rows do not have."""
import numpy as np
import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from case_data import Input

TRAIN = [{"city": "Oslo", "rooms": 3, "size": 71.5, "lift": True}, {"city": "Rome", "size": 55, "lift": False},
         {"city": u"Z\u00fcrich, old", "rooms": 0, "size": 120.25}, {"city": "a=b", "rooms": 1, "floor": 2},
         {"city": "NA", "floor": "ground", "size": 33.0}, {"floor": "roof", "rooms": 2, "lift": True}, {"size": 80.75}]
LABELS = np.array(["low", "low", "high", "low", "high", "high", "low"])
ROWS = TRAIN + [{}, {"city": "Paris", "pets": 2, "rooms": 4}, {"rooms": "many", "city": "Oslo"}, {"city": 5, "size": -0.5},
                {"floor": 7.5, "lift": True, "size": 1e300}, {"city": "", "rooms": 12345678901, "floor": "roof"},
                {"floor": "1st", "size": True, "lift": 0}, {"size": -0.0, "lift": False}]
NAN = [{"size": float("nan"), "rooms": 1}, {"city": float("nan"), "floor": "roof"}]


def table(rows, keys=None):
    """What the program reads: a column a key; a key that a row does not have is an empty cell, NaN is nan."""
    keys = keys or ["floor", "size", "city", "lift", "rooms", "pets"]
    cells = [["nan" if v != v else v for v in [row.get(key) for key in keys]] for row in rows]
    return pd.DataFrame(cells, columns=[str(key) for key in keys], dtype=object)


def dicts(name, rows, keys=None):
    return Input(name, rows, table(rows, keys))


ALL = dicts("dicts", ROWS)
WITH_NAN = dicts("dicts_nan", ROWS[:3] + NAN)
ONLY_NAN = dicts("nan_alone", NAN[:1])


def add_cases(c):
    def add(name, on=(ALL, WITH_NAN), raises=(), **options):
        c.add(name, lambda: DictVectorizer(**options), TRAIN, on=list(on), raises=list(raises))

    add("dict")
    add("dict_dense", sparse=False)
    add("dict_f32", dtype=np.float32)
    add("dict_int", dtype=np.int64, sparse=False, on=[dicts("dicts_small", ROWS[:11] + ROWS[12:])], raises=[ONLY_NAN])
    add("dict_unsorted", sort=False, separator=": ")
    add("dict_bool", dtype=np.bool_, sparse=False)
    c.add("dict_restricted", lambda: DictVectorizer().fit(TRAIN).restrict([0, 2, 3, 7, 9], indices=True), None, on=[ALL],
          fitted=True)
    numbers = [{0: 1.5, 1: "x"}, {0: 0, 1: "y"}, {1: "x"}]
    c.add("dict_numbered", lambda: DictVectorizer(sparse=False, sort=False), numbers, on=[dicts("numbered", numbers, [1, 0])])

    def pipe(name, *steps, **more):
        c.add(name, lambda: make_pipeline(*steps), TRAIN, LABELS, on=[dicts("dicts_" + name, ROWS[:11] + ROWS[12:])], **more)

    pipe("dict_logreg", DictVectorizer(), LogisticRegression(solver="lbfgs", C=0.01), raises=[ONLY_NAN])
    pipe("dict_dense_logreg", DictVectorizer(sparse=False), StandardScaler(),
         LogisticRegression(solver="liblinear", random_state=0), raises=[ONLY_NAN])
    pipe("dict_scaled", DictVectorizer(), MaxAbsScaler(), SelectKBest(chi2, k=4),
         DecisionTreeClassifier(random_state=0, max_depth=3))
