"""Encoders of the package category_encoders: what they do with unknown categories and missing values, columns of texts,
numbers and bools, columns that are handed on, and what stands behind them."""
import category_encoders as ce
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from case_data import Input

VERSION = tuple(int(n) for n in ce.__version__.split(".")[:2])
RS = np.random.RandomState(5)
N = 40
CITIES = np.array(["Oslo", u"Z\u00fcrich", "New York, NY", "Rome"], dtype=object)
SIZES = np.array(["S", "M", "L", "XL", "XXL"], dtype=object)


def text(values):
    return pd.Series(list(values), dtype=object)


TABLE = pd.DataFrame({"age": np.round(RS.rand(N) * 60), "city": text(CITIES[RS.randint(0, 4, N)]),
                      "rooms": RS.randint(1, 5, N), "size": text(SIZES[RS.randint(0, 5, N)]),
                      "price": np.round(RS.rand(N) * 3, 2), "lift": RS.rand(N) < 0.5},
                     columns=["age", "city", "rooms", "size", "price", "lift"])
GAPS = TABLE.copy()
GAPS.loc[RS.rand(N) < 0.2, "city"] = np.nan
GAPS["rooms"] = GAPS["rooms"].where(RS.rand(N) > 0.2)
Y_BIN = ((TABLE["rooms"] + (TABLE["city"] == "Oslo") * 2 + RS.rand(N) * 2) > 4).astype(int)
Y_REG = np.round(TABLE["rooms"] * 2.5 + (TABLE["size"] == "XL") * 4 + RS.rand(N), 2)
ENCODED = ["city", "rooms", "size"]


def rows(name, table, **changes):
    table = table.iloc[:8].reset_index(drop=True).copy()
    for column, cells in changes.items():
        for row, value in cells.items():
            table[column] = table[column].astype(object)
            table.loc[row, column] = value
        if column in ("rooms", "age"):
            table[column] = table[column].astype(float)
    return Input(name, table)


SEEN = rows("seen", TABLE)
NEW = rows("new", TABLE, city={1: "Paris", 2: ""}, rooms={0: 9.0}, size={3: "XS"})
MISSING = rows("missing", GAPS, city={0: np.nan}, rooms={1: np.nan})
BOTH = rows("both", GAPS, city={0: np.nan, 1: "Paris", 2: ""}, rooms={1: np.nan, 0: 9.0})
NONE_NEW = rows("none_new", TABLE, size={0: np.nan})
UNSUPERVISED = [("ordinal", ce.OrdinalEncoder), ("onehot", ce.OneHotEncoder), ("basen", ce.BaseNEncoder),
                ("binary", ce.BinaryEncoder)]


def add_cases(c):
    for name, cls in UNSUPERVISED:
        _policies(c, name, cls, None)
    _policies(c, "target", ce.TargetEncoder, Y_BIN)
    _options(c)
    _pipelines(c)


def _policies(c, name, cls, y):
    """Every way to take unknown categories and missing values."""
    def add(tail, table, on=(), raises=(), **options):
        c.add("%s_%s" % (name, tail), lambda: cls(cols=ENCODED, **options), table, y, on=list(on), raises=list(raises))

    add("value", TABLE, on=[SEEN, NEW, MISSING])
    add("value_gaps", GAPS, on=[SEEN, BOTH])
    add("nan", TABLE, on=[NEW, MISSING], handle_unknown="return_nan", handle_missing="return_nan")
    add("nan_gaps", GAPS, on=[BOTH], handle_unknown="return_nan", handle_missing="return_nan")
    if VERSION >= (2, 1):  # before, the check fails for more than one column
        add("error", TABLE, on=[SEEN], raises=[NEW, MISSING], handle_unknown="error",
            handle_missing="error")
    add("mixed", GAPS, on=[BOTH], handle_unknown="return_nan", handle_missing="value")
    if name not in ("ordinal", "target"):
        add("indicator", TABLE, on=[NEW], handle_unknown="indicator", handle_missing="value")
        add("indicator_gaps", GAPS, on=[SEEN, MISSING], handle_unknown="value", handle_missing="indicator")


def _options(c):
    c.add("onehot_names", lambda: ce.OneHotEncoder(cols=ENCODED, use_cat_names=True), TABLE, on=[NEW])
    c.add("onehot_text", lambda: ce.OneHotEncoder(), TABLE, on=[NEW])
    c.add("onehot_array", lambda: ce.OneHotEncoder(cols=["city"], return_df=False), TABLE[["city", "age"]],
          on=[Input("two", SEEN.x[["city", "age"]])])
    c.add("basen_3", lambda: ce.BaseNEncoder(cols=ENCODED, base=3), TABLE, on=[NEW])
    c.add("basen_1", lambda: ce.BaseNEncoder(cols=["size"], base=1), TABLE, on=[NEW])
    c.add("ordinal_given", lambda: ce.OrdinalEncoder(cols=["size"], mapping=[
        {"col": "size", "mapping": pd.Series({"S": 10, "M": 20, "L": 30, "XL": 40}), "data_type": np.dtype("O")}]), TABLE, on=[SEEN])
    c.add("ordinal_all", lambda: ce.OrdinalEncoder(cols=["age", "lift", "city"]), TABLE, on=[SEEN])
    c.add("ordinal_nothing", lambda: ce.OrdinalEncoder(cols=[]), TABLE[["age", "price"]], on=[Input("numbers", SEEN.x[["age", "price"]])])
    c.add("target_smooth", lambda: ce.TargetEncoder(cols=ENCODED, min_samples_leaf=3, smoothing=2.5), GAPS, Y_REG, on=[BOTH, NEW])
    same = TABLE.assign(city="Oslo")
    c.add("ordinal_invariant", lambda: ce.OrdinalEncoder(cols=["size", "rooms"], drop_invariant=True), same, on=[SEEN])
    c.add("onehot_invariant", lambda: ce.OneHotEncoder(cols=["size", "rooms"], drop_invariant=True), TABLE, on=[SEEN])
    c.add("basen_invariant", lambda: ce.BinaryEncoder(cols=["size", "rooms"], drop_invariant=True), TABLE, on=[SEEN])
    array = np.column_stack([TABLE["rooms"], TABLE["age"], TABLE["price"]])
    c.add("ordinal_unnamed", lambda: ce.OrdinalEncoder(cols=[0]), array, on=[Input("array", array[:6])])
    c.add("target_unnamed", lambda: ce.TargetEncoder(cols=[0]), array, Y_BIN, on=[Input("array_2", array[:6])])


def _pipelines(c):
    numbers = TABLE[["age", "city", "rooms", "price"]]
    given = Input("numbers_city", NEW.x[["age", "city", "rooms", "price"]])
    for name, first in [("ordinal", ce.OrdinalEncoder()), ("onehot", ce.OneHotEncoder(cols=["city", "rooms"])),
                        ("binary", ce.BinaryEncoder(cols=["rooms", "city"])), ("target", ce.TargetEncoder(cols=["city", "rooms"]))]:
        c.add("%s_logreg" % name, lambda: make_pipeline(first, LogisticRegression(solver="liblinear", random_state=0)), numbers,
              Y_BIN, on=[given])
        c.add("%s_tree" % name, lambda: make_pipeline(first, DecisionTreeRegressor(max_depth=4, random_state=0)), numbers, Y_REG,
              on=[given])
