"""Small deterministic data sets and scoring inputs shared by all cases; runs on Python 3.6+.

numpy's RandomState stream never changes, so every version sees the same numbers.  Numbers are rounded: the CSV
stays small, thresholds become short midpoints and rows hit them exactly.
"""
import numpy as np
import pandas as pd
import sklearn

NAMES = ["age", "income", "ratio", "has space", "\u00e9t\u00e9"]
TINY, SMALL, HUGE = 5e-324, 2.2250738585072014e-308, 1e30


class Input:
    """One table to score: what the library is given, and what is written for the program to read.

    x      array, DataFrame or 1-D array that the reference's methods get
    table  DataFrame or array to write instead of x (shuffled columns, extra columns); default x
    form   "csv" or "npy"
    """

    def __init__(self, name, x, table=None, form="csv"):
        self.name, self.x, self.form = name, x, form
        self.table = x if table is None else table


def _numeric():
    rs = np.random.RandomState(7)
    x = np.round(rs.randn(60, 5) * [1, 10, 0.1, 100, 1] + [0, 40, 0, 1000, 3], 3)
    x[:, 4] = np.round(x[:, 4])
    signal = x[:, 0] * 2 - (x[:, 1] - 40) / 10 + x[:, 2] * 5 + np.where(x[:, 4] > 3, 1.5, -1.0)
    noise = rs.randn(60) * 0.6
    return x, signal + noise, np.round(signal * 3 + noise, 2)


X, _SIGNAL, Y_REG = _numeric()
Y_BIN = (_SIGNAL > 0).astype(int)
Y_3 = np.digitize(_SIGNAL, [-1.5, 1.0])
Y_STR = np.array(["no", "yes"])[Y_BIN]
Y_STR3 = np.array(["low", "mid dle", "h\u00f6gh"])[Y_3]
Y_BOOL = Y_BIN.astype(bool)
Y_NEG = np.where(Y_BIN == 1, 1, -1)
Y_FLOAT = Y_BIN * 2.0 - 1.0
Y_OBJ = np.array(["a,b", "say \"hi\"", ""], dtype=object)[Y_3]
Y_BIG = np.array([10 ** 12, -5, 7])[Y_3]
Y_COUNT = np.round(np.exp(np.clip(_SIGNAL, -3, 2.5))).astype(float)
Y_POS = np.round(np.exp(np.clip(_SIGNAL, -2, 3)), 3) + 0.125
Y_REG2 = np.column_stack([Y_REG, np.round(X[:, 0] * X[:, 2], 3)])
Y_MULTI = np.column_stack([Y_3, Y_BIN])
Y_MULTI_STR = np.column_stack([Y_STR3, Y_STR]).astype(object)
WEIGHT = np.round(np.random.RandomState(3).rand(60) * 3, 2)

X_NAN = X.copy()
X_NAN[np.random.RandomState(5).rand(*X.shape) < 0.12] = np.nan
X_NAN[:, 3] = X[:, 3]
X_POS = np.abs(X)
X_CONST = np.column_stack([X[:, :2], np.full(60, 4.25), np.zeros(60)])


def _score_rows():
    rs = np.random.RandomState(11)
    rows = np.round(rs.randn(10, 5) * [1, 10, 0.1, 100, 1] + [0, 40, 0, 1000, 3], 3)
    rows[:, 4] = np.round(rows[:, 4])
    awkward = np.array([
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [-0.0, -0.0, -0.0, -0.0, -0.0],
        [TINY, -TINY, SMALL, -SMALL, 3.0],
        [HUGE, -HUGE, 0.1, 1000.0, 3.0],
        [0.1, 40.30000000000001, 1 / 3., 1e-5, 1e15],
    ])
    return np.vstack([rows, awkward])


ROWS = _score_rows()
ROWS_NAN = ROWS.copy()
for _i in range(0, len(ROWS), 2):
    ROWS_NAN[_i, _i // 2 % 3] = np.nan
ROWS_NAN[5, [0, 1, 2, 4]] = np.nan
ROWS_BIG = np.array([[1.0, 40.0, 0.1, 1000.0, 3.0], [1e300, -1e200, 1e100, 1e39, 1e300]])
ROWS_INF = np.array([[1.0, 40.0, 0.1, 1000.0, 3.0], [np.inf, 40.0, 0.1, 1000.0, 3.0], [0.0, -np.inf, 0, 0, 0]])


def named(rows):
    return pd.DataFrame(rows, columns=NAMES)


def shuffled(frame):
    """The same rows with columns in another order and two that no model asks for."""
    out = frame[list(frame.columns)[::-1]].copy()
    out.insert(1, "id", ["row %d" % i for i in range(len(out))])
    out["note, quoted"] = ["a \"b\"\nc"] * len(out)
    return out


def by_name(frame):
    """Shuffled where models know their columns' names: from 1.0 on."""
    return shuffled(frame) if int(sklearn.__version__.split(".")[0]) >= 1 else frame


def thresholds(trees, width=5, limit=4):
    """Rows that hit the thresholds of the first nodes exactly, one ulp off in float64 and in float32."""
    rows = []
    for tree in trees:
        for feature, threshold in zip(tree.feature, tree.threshold):
            if feature < 0 or len(rows) >= limit * 5:
                continue
            narrow = np.float32(threshold)
            for value in (threshold, np.nextafter(threshold, np.inf), np.nextafter(threshold, -np.inf),
                          np.nextafter(narrow, np.float32(np.inf)), np.nextafter(narrow, np.float32(-np.inf))):
                row = X[0, :width].copy()
                row[feature] = value
                rows.append(row)
    return np.array(rows)


# ---- tables with strings, missing cells, integers and booleans

CITIES = ["Paris", "S\u00e3o Paulo", "New York, NY", "\u6771\u4eac", "O'Hare \"ORD\""]
COLOURS = ["red", "green", "blue"]
MIXED_COLUMNS = ["age", "income", "children", "city", "colour", "flag", "grade", "score"]


def _mixed_frame(n, seed, unknown=False):
    rs = np.random.RandomState(seed)
    city = np.array(CITIES, dtype=object)[rs.randint(0, 5, n)]
    colour = np.array(COLOURS, dtype=object)[rs.randint(0, 3, n)]
    age = np.round(rs.rand(n) * 60 + 18)
    income = np.round(rs.randn(n) * 9000 + 30000, 2)
    children = rs.randint(0, 4, n)
    flag = rs.rand(n) < 0.4
    grade = rs.randint(1, 6, n)
    score = np.round(rs.randn(n), 2)
    age[rs.rand(n) < 0.15] = np.nan
    city[rs.rand(n) < 0.15] = np.nan
    if unknown:
        colour[:2] = ["violet", ""]
        city[3] = "paris"
    values = [age, income, children, city, colour, flag, grade, score]
    target = (income / 9000 + children + (colour == "red") * 2 - np.where(np.isnan(age), 40, age) / 20
              + flag + rs.randn(n) * 0.5)
    return pd.DataFrame(dict(zip(MIXED_COLUMNS, values)), columns=MIXED_COLUMNS), target


MIXED, _TARGET = _mixed_frame(70, 21)
MIXED_REG = np.round(_TARGET.astype(float), 2)
MIXED_BIN = np.where(MIXED_REG > np.median(MIXED_REG), "good", "bad")
MIXED_3 = np.digitize(MIXED_REG, np.percentile(MIXED_REG, [33, 66]))
MIXED_ROWS = _mixed_frame(18, 22, unknown=True)[0]
MIXED_KNOWN = _mixed_frame(14, 23)[0]
FULL = MIXED.assign(age=MIXED["age"].fillna(33.0), city=MIXED["city"].fillna("Paris"))
FULL_ROWS = MIXED_KNOWN.assign(age=MIXED_KNOWN["age"].fillna(41.5), city=MIXED_KNOWN["city"].fillna("Paris"))

# plain categorical matrices: object arrays of strings, integers, floats
_rs = np.random.RandomState(31)
CAT_STR = np.column_stack([np.array(CITIES, dtype=object)[_rs.randint(0, 5, 60)],
                           np.array(COLOURS + ["", "NOT", "x y"], dtype=object)[
                               np.minimum(_rs.geometric(0.4, 60) - 1, 5)],
                           np.array(["u", "v"], dtype=object)[_rs.randint(0, 2, 60)]])
CAT_STR[:6, 1] = COLOURS + ["", "NOT", "x y"]
CAT_INT = np.column_stack([_rs.randint(-2, 3, 60), _rs.choice([10, 20, 30, 1000000007], 60),
                           np.minimum(_rs.geometric(0.35, 60), 8)])
CAT_STR_ROWS = np.array([["Paris", "red", "u"], ["\u6771\u4eac", "", "v"], ["New York, NY", "blue", "u"],
                         ["O'Hare \"ORD\"", "x y", "v"], ["S\u00e3o Paulo", "green", "v"], ["Paris", "NOT", "u"]],
                        dtype=object)
CAT_STR_UNKNOWN = np.array([["Paris", "red", "u"], ["London", "red", "u"], ["paris", "mauve", "W"],
                            ["", "", "v"], ["Paris ", "blue", "u"]], dtype=object)
CAT_INT_ROWS = np.array([[-2, 10, 1], [2, 1000000007, 2], [0, 30, 3], [1, 20, 1], [-1, 10, 4]])
CAT_INT_UNKNOWN = np.array([[-2, 10, 1], [3, 11, 1], [0, 30, 99]])

_INPUTS = {
    "num": lambda: Input("num", ROWS),
    "npy": lambda: Input("npy", ROWS, form="npy"),
    "npyF": lambda: Input("npyF", np.asfortranarray(ROWS), form="npy"),
    "f32": lambda: Input("f32", ROWS.astype(np.float32), form="npy"),
    "f32F": lambda: Input("f32F", np.asfortranarray(ROWS.astype(np.float32)), form="npy"),
    "i64": lambda: Input("i64", np.trunc(ROWS[:10]).astype(np.int64), form="npy"),
    "nan": lambda: Input("nan", ROWS_NAN),
    "nan32": lambda: Input("nan32", ROWS_NAN.astype(np.float32), form="npy"),
    "big": lambda: Input("big", ROWS_BIG),
    "inf": lambda: Input("inf", ROWS_INF),
    "pos": lambda: Input("pos", np.abs(ROWS)),
    "pos32": lambda: Input("pos32", np.abs(ROWS).astype(np.float32), form="npy"),
    "const": lambda: Input("const", ROWS[:, :4]),
    "one": lambda: Input("one", ROWS[:1]),
    "named": lambda: Input("named", named(ROWS), by_name(named(ROWS))),
    "named_nan": lambda: Input("named_nan", named(ROWS_NAN), by_name(named(ROWS_NAN))),
    "mixed": lambda: Input("mixed", MIXED_ROWS, shuffled(MIXED_ROWS)),
    "known": lambda: Input("known", MIXED_KNOWN),
    "full": lambda: Input("full", FULL_ROWS),
    "cat_str": lambda: Input("cat_str", CAT_STR_ROWS),
    "cat_unknown": lambda: Input("cat_unknown", CAT_STR_UNKNOWN),
    "cat_int": lambda: Input("cat_int", CAT_INT_ROWS),
    "cat_int_unknown": lambda: Input("cat_int_unknown", CAT_INT_UNKNOWN),
    "cat_float": lambda: Input("cat_float", CAT_INT_ROWS / 4.0),
    "cat_float_unknown": lambda: Input("cat_float_unknown", CAT_INT_UNKNOWN / 4.0),
}
_made = {}


def get(name):
    """The shared input of that name, or the Input itself."""
    if isinstance(name, Input):
        return name
    if name not in _made:
        _made[name] = _INPUTS[name]()
    return _made[name]
