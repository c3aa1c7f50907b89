"""Scalers, imputers, encoders and the other transformers, each alone."""
import numpy as np
import pandas as pd
from sklearn import preprocessing as pp
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from case_data import (CAT_INT, CAT_INT_ROWS, CAT_STR, CAT_STR_ROWS, CAT_STR_UNKNOWN, ROWS, X, X_CONST,
                       X_NAN, X_POS, Y_3, Y_BIG, Y_BOOL, Y_OBJ,
                       Y_STR3, Input, named)


def add_cases(c):
    _scalers(c)
    _imputers(c)
    _one_hot(c)
    _ordinal(c)
    _labels(c)
    _others(c)


def _scalers(c):
    everywhere = ["num", "npyF", "f32", "nan", "big", "i64"]
    c.add("standard", lambda: pp.StandardScaler(), X, on=everywhere, raises=["inf"])
    c.add("standard_nomean", lambda: pp.StandardScaler(with_mean=False), X, on=["num", "f32"])
    c.add("standard_nostd", lambda: pp.StandardScaler(with_std=False), X)
    c.add("standard_neither", lambda: pp.StandardScaler(with_std=False, with_mean=False), X)
    c.add("standard_const", lambda: pp.StandardScaler(), X_CONST, on=["const"])
    c.add("standard_named", lambda: pp.StandardScaler(), named(X), on=["named"])
    c.add("standard_fit32", lambda: pp.StandardScaler(), X.astype(np.float32), on=["num", "f32"])
    c.add("minmax", lambda: pp.MinMaxScaler(), X, on=everywhere, raises=["inf"])
    c.add("minmax_range", lambda: pp.MinMaxScaler(feature_range=(-2, 3.5)), X_CONST, on=["const"])
    c.add("minmax_clip", lambda: pp.MinMaxScaler(clip=True), X, on=["num", "nan", "f32"]) if c.since(0, 24) else None
    c.add("maxabs", lambda: pp.MaxAbsScaler(), X, on=everywhere, raises=["inf"])
    c.add("maxabs_const", lambda: pp.MaxAbsScaler(), X_CONST, on=["const"])
    c.add("maxabs_clip", lambda: pp.MaxAbsScaler(clip=True), X) if c.since(1, 8) else None
    c.add("robust", lambda: pp.RobustScaler(), X, on=everywhere, raises=["inf"])
    c.add("robust_nocenter", lambda: pp.RobustScaler(with_centering=False, quantile_range=(10.0, 80.0)), X)
    c.add("robust_noscale", lambda: pp.RobustScaler(with_scaling=False), X_CONST, on=["const"])
    c.add("robust_const", lambda: pp.RobustScaler(), X_CONST, on=["const"])
    for norm in ["l1", "l2", "max"]:
        c.add("normalizer_" + norm, lambda: pp.Normalizer(norm=norm), X, on=["num", "f32"], raises=["nan"])


def _imputers(c):
    for strategy in ["mean", "median", "most_frequent"]:
        c.add("imputer_" + strategy, lambda: SimpleImputer(strategy=strategy), X_NAN, on=["nan", "nan32", "num"])
    c.add("imputer_constant", lambda: SimpleImputer(strategy="constant", fill_value=-7.5), X_NAN, on=["nan"],
          raises=["inf"])
    c.add("imputer_named", lambda: SimpleImputer(), named(X_NAN), on=["named_nan"])
    marked = np.where(np.isnan(X_NAN), -1.0, X_NAN)
    c.add("imputer_minus1", lambda: SimpleImputer(missing_values=-1, strategy="median"), marked,
          on=[Input("marked", np.where(np.isnan(ROWS), -1.0, ROWS)[:8].round() * [1, -1, 1, 1, 1])], raises=["nan"])
    empty = X_NAN.copy()
    empty[:, 1] = np.nan
    c.add("imputer_empty", lambda: SimpleImputer(strategy="median"), empty, on=["nan"])
    words = np.array([["a", "x"], ["b", np.nan], [np.nan, "y"], ["b", "y"]], dtype=object)
    rows = Input("words", np.array([[np.nan, "y"], ["zz, \"q\"", np.nan], ["a", "x"], ["\u6771", "y"]], dtype=object))
    c.add("imputer_words", lambda: SimpleImputer(strategy="most_frequent"), words, on=[rows])
    c.add("imputer_words_constant", lambda: SimpleImputer(strategy="constant", fill_value="none, given"), words,
          on=[rows])
    c.add("imputer_words_default", lambda: SimpleImputer(strategy="constant"), words, on=[rows])
    asked = np.where(words == words, words, "?")
    c.add("imputer_question", lambda: SimpleImputer(missing_values="?", strategy="most_frequent"), asked,
          on=[Input("asked", np.array([["?", "y"], ["b", "?"], ["q", "x"]], dtype=object))])
    c.add("imputer_zero", lambda: SimpleImputer(missing_values=0, strategy="most_frequent"), CAT_INT,
          on=["cat_int"])
    if c.since(0, 22):
        nones = np.where(words == words, words, None)
        c.add("imputer_none", lambda: SimpleImputer(missing_values=None, strategy="most_frequent"), nones,
              on=[Input("nones", np.array([[None, "y"], ["b", None], ["q", "x"]], dtype=object))])
    if c.since(0, 21):
        c.add("imputer_indicator", lambda: SimpleImputer(add_indicator=True), X_NAN, on=["nan", "nan32"])
        c.add("imputer_indicator_named", lambda: SimpleImputer(add_indicator=True, strategy="most_frequent"),
              named(X_NAN), on=["named_nan"])
    if c.since(1, 2):
        c.add("imputer_keep", lambda: SimpleImputer(keep_empty_features=True), empty, on=["nan"])
        c.add("imputer_keep_indicator", lambda: SimpleImputer(keep_empty_features=True, add_indicator=True,
                                                              strategy="most_frequent"), empty, on=["nan"])
    if not c.since(0, 22):
        for strategy in ["mean", "median", "most_frequent"]:
            c.add("old_imputer_" + strategy, lambda: pp.Imputer(strategy=strategy), X_NAN, on=["nan"])
        c.add("old_imputer_empty", lambda: pp.Imputer(), empty, on=["nan"])
        c.add("old_imputer_minus1", lambda: pp.Imputer(missing_values=-1), marked,
              on=[Input("marked_old", np.round(ROWS[:8]) * [1, -1, 1, 1, 1])])


def _one_hot(c):
    def one_hot(dense=False, **more):
        if dense:
            more[c.pick((1, 2), "sparse_output", "sparse")] = False
        return pp.OneHotEncoder(**more)

    ignore = {"handle_unknown": "ignore"}
    known, unknown = ["cat_str"], ["cat_unknown"]
    c.add("onehot", lambda: one_hot(), CAT_STR, on=known, raises=unknown)
    c.add("onehot_ignore", lambda: one_hot(**ignore), CAT_STR, on=known + unknown)
    c.add("onehot_dense", lambda: one_hot(dense=True, dtype=np.float32, **ignore), CAT_STR, on=known)
    c.add("onehot_int8", lambda: one_hot(dtype=np.int8, dense=True), CAT_STR, on=known)
    given = [sorted(set(CAT_STR[:, 0])) + ["zz"], ["green", "red", "blue", "", "NOT", "x y"][::-1], ["v", "u"]]
    if c.since(0, 22):
        c.add("onehot_given", lambda: one_hot(categories=[np.array(g, dtype=object) for g in given], **ignore), CAT_STR,
              on=known + unknown)
    c.add("onehot_unicode", lambda: one_hot(**ignore), CAT_STR.astype(str),
          on=[Input("cat_u", np.vstack([CAT_STR_ROWS, CAT_STR_UNKNOWN]).astype(str))])
    if c.since(0, 24) and not c.since(1, 4):  # later versions refuse cells of several kinds
        several = np.array([1, "a", 2.5, "1", True], dtype=object)[[0, 1, 2, 1, 0]].reshape(-1, 1)
        c.add("onehot_several_kinds", lambda: one_hot(categories=[np.array(["a", 1, 2.5], dtype=object)], **ignore),
              several, on=[Input("several", np.array([[1], ["a"], [2.5], ["b"], [3]], dtype=object))])
    c.add("onehot_num", lambda: one_hot(categories="auto"), CAT_INT, on=["cat_int"], raises=["cat_int_unknown"])
    c.add("onehot_num_ignore", lambda: one_hot(categories="auto", **ignore), CAT_INT,
          on=["cat_int", "cat_int_unknown"])
    c.add("onehot_float", lambda: one_hot(categories="auto", **ignore), CAT_INT / 4.0,
          on=["cat_float", "cat_float_unknown"])
    c.add("onehot_bool", lambda: one_hot(categories="auto"), pd.DataFrame({"b": [True, False, True]}),
          on=[Input("bools", pd.DataFrame({"b": [False, True]}))])
    if not c.since(0, 22):
        c.add("onehot_legacy", lambda: one_hot(n_values="auto"), np.abs(CAT_INT[:, [0, 2]]),
              on=[Input("legacy", np.array([[0, 1], [2, 3], [1, 8]]))])
        return
    c.add("onehot_first", lambda: one_hot(drop="first"), CAT_STR, on=known, raises=unknown)
    c.add("onehot_drop_given", lambda: one_hot(drop=np.array(["Paris", "red", "v"], dtype=object), dense=True), CAT_STR,
          on=known)
    c.add("onehot_num_first", lambda: one_hot(drop="first"), CAT_INT, on=["cat_int"])
    frame = pd.DataFrame(CAT_STR, columns=["city", "colour", "u or v"])
    c.add("onehot_named", lambda: one_hot(**ignore), frame,
          on=[Input("cat_named", pd.DataFrame(CAT_STR_ROWS, columns=frame.columns))])
    if c.since(0, 23):
        c.add("onehot_if_binary", lambda: one_hot(drop="if_binary"), CAT_STR, on=known)
    if c.since(0, 24):
        _one_hot_missing(c, one_hot, ignore)
    if c.since(1, 0):
        c.add("onehot_first_ignore", lambda: one_hot(drop="first", **ignore), CAT_STR, on=known + unknown)
    if c.since(1, 1):
        _one_hot_infrequent(c, one_hot, known + unknown)


def _one_hot_missing(c, one_hot, ignore):
    words = CAT_STR.copy()
    words[::7, 0] = np.nan
    rows = np.vstack([CAT_STR_ROWS[:3], np.array([[np.nan, "red", "u"]], dtype=object)])
    c.add("onehot_nan", lambda: one_hot(**ignore), words, on=[Input("cat_nan", rows)])
    nones = CAT_STR.copy()
    nones[::7, 1] = None
    rows = np.vstack([CAT_STR_ROWS[:3], np.array([["Paris", None, "u"]], dtype=object)])
    c.add("onehot_none", lambda: one_hot(**ignore), nones, on=[Input("cat_none", rows)])
    floats = CAT_INT / 4.0
    floats[::6, 0] = np.nan
    c.add("onehot_float_nan", lambda: one_hot(drop="first"), floats,
          on=[Input("cat_float_nan", np.vstack([CAT_INT_ROWS / 4.0, [[np.nan, 2.5, 0.25]]]))])


def _one_hot_infrequent(c, one_hot, inputs):
    infrequent = {"handle_unknown": "infrequent_if_exist"}
    c.add("onehot_min5", lambda: one_hot(min_frequency=8, **infrequent), CAT_STR, on=inputs)
    c.add("onehot_min_share", lambda: one_hot(min_frequency=0.2, handle_unknown="ignore"), CAT_STR, on=inputs)
    c.add("onehot_max3", lambda: one_hot(max_categories=3, **infrequent), CAT_STR, on=inputs)
    c.add("onehot_max3_first", lambda: one_hot(max_categories=3, drop="first", **infrequent), CAT_STR, on=inputs)
    c.add("onehot_max2_binary", lambda: one_hot(max_categories=2, drop="if_binary", **infrequent), CAT_STR, on=inputs)
    c.add("onehot_infrequent_error", lambda: one_hot(min_frequency=8), CAT_STR, on=inputs[:1], raises=inputs[1:])
    c.add("onehot_infrequent_num", lambda: one_hot(min_frequency=8, **infrequent), CAT_INT,
          on=["cat_int", "cat_int_unknown"])
    if c.since(1, 6):
        c.add("onehot_warn", lambda: one_hot(min_frequency=8, handle_unknown="warn"), CAT_STR, on=inputs)


def _ordinal(c):
    c.add("ordinal", lambda: pp.OrdinalEncoder(), CAT_STR, on=["cat_str"], raises=["cat_unknown"])
    c.add("ordinal_num", lambda: pp.OrdinalEncoder(dtype=np.float32), CAT_INT, on=["cat_int"],
          raises=["cat_int_unknown"])
    c.add("ordinal_float", lambda: pp.OrdinalEncoder(), CAT_INT / 4.0, on=["cat_float"])
    given = [sorted(set(CAT_STR[:, i]), reverse=True) for i in range(3)]
    c.add("ordinal_given", lambda: pp.OrdinalEncoder(categories=given), CAT_STR, on=["cat_str"])
    if not c.since(0, 24):
        return
    use = {"handle_unknown": "use_encoded_value"}
    c.add("ordinal_unknown", lambda: pp.OrdinalEncoder(unknown_value=-1, **use), CAT_STR, on=["cat_str", "cat_unknown"])
    c.add("ordinal_unknown_nan", lambda: pp.OrdinalEncoder(unknown_value=np.nan, **use), CAT_INT,
          on=["cat_int", "cat_int_unknown"])
    c.add("ordinal_int", lambda: pp.OrdinalEncoder(unknown_value=-9, dtype=np.int32, **use), CAT_STR,
          on=["cat_unknown"])
    if not c.since(1, 0):
        return
    floats = CAT_INT / 4.0
    floats[::6, 0] = np.nan
    rows = Input("ordinal_nan_rows", np.vstack([CAT_INT_ROWS / 4.0, [[np.nan, 2.5, 0.25]]]))
    c.add("ordinal_nan", lambda: pp.OrdinalEncoder(), floats, on=[rows])
    words = CAT_STR.copy()
    words[::7, 0] = np.nan
    word_rows = np.vstack([CAT_STR_ROWS[:3], np.array([[np.nan, "red", "u"]], dtype=object)])
    word_rows = Input("ordinal_nan_words", word_rows)
    c.add("ordinal_nan_str", lambda: pp.OrdinalEncoder(unknown_value=-1, **use), words, on=[word_rows])
    if c.since(1, 1):
        c.add("ordinal_missing", lambda: pp.OrdinalEncoder(encoded_missing_value=-2), floats, on=[rows])
        c.add("ordinal_missing_str", lambda: pp.OrdinalEncoder(encoded_missing_value=99, unknown_value=-1, **use),
              words, on=[word_rows])
    if c.since(1, 3):
        c.add("ordinal_min", lambda: pp.OrdinalEncoder(min_frequency=8, unknown_value=-1, **use), CAT_STR,
              on=["cat_str", "cat_unknown"])
        c.add("ordinal_max", lambda: pp.OrdinalEncoder(max_categories=3, encoded_missing_value=-5, unknown_value=7,
                                                       **use), words, on=[word_rows])


def _labels(c):
    for name, y in [("str", Y_STR3), ("int", Y_3), ("big", Y_BIG), ("obj", Y_OBJ), ("bool", Y_BOOL)]:
        rows = Input("labels_" + name, y[:9])
        c.add("label_" + name, lambda: pp.LabelEncoder(), y, on=[rows])
    c.add("label_unknown", lambda: pp.LabelEncoder(), Y_STR3,
          raises=[Input("labels_unknown", np.array(["low", "nobody"], dtype=object))], on=[])


def _others(c):
    three = Input("three", ROWS[:, :3])
    three32 = Input("three32", ROWS[:, :3].astype(np.float32), form="npy")
    for degree in [2, 3]:
        c.add("poly%d" % degree, lambda: pp.PolynomialFeatures(degree), X[:, :3], on=[three, three32])
    c.add("poly_interaction", lambda: pp.PolynomialFeatures(3, interaction_only=True), X[:, :3], on=[three])
    c.add("poly_nobias", lambda: pp.PolynomialFeatures(2, include_bias=False), X[:, :3], on=[three])
    c.add("poly_nobias_interaction", lambda: pp.PolynomialFeatures(2, include_bias=False, interaction_only=True),
          named(X), on=["named"], raises=["named_nan"])
    if c.since(1, 0):
        c.add("poly_range", lambda: pp.PolynomialFeatures((2, 3)), X[:, :3], on=[three])
        c.add("poly_range_interaction", lambda: pp.PolynomialFeatures((2, 4), interaction_only=True,
                                                                      include_bias=False), X, on=["num"])
    validate = {} if c.since(0, 22) else {"validate": False}
    small = Input("small", np.clip(ROWS, -20, 20))
    for name, func, where in [("none", None, "nan"), ("log1p", np.log1p, "pos"), ("log", np.log, "pos"),
                              ("log10", np.log10, "pos"), ("log2", np.log2, "pos"), ("sqrt", np.sqrt, "pos"),
                              ("exp", np.exp, small), ("expm1", np.expm1, small), ("abs", np.abs, "nan"),
                              ("square", np.square, "num"), ("cbrt", np.cbrt, "num"), ("sign", np.sign, "num"),
                              ("negative", np.negative, "num"), ("reciprocal", np.reciprocal, "pos"),
                              ("tanh", np.tanh, small), ("sin", np.sin, small), ("cos", np.cos, small),
                              ("floor", np.floor, "num"), ("rint", np.rint, "num"), ("isnan", np.isnan, "nan")]:
        c.add("func_" + name, lambda: pp.FunctionTransformer(func, **validate), X_POS, on=[where])
        if not c.since(1, 2):  # which is when it began to say how many columns it takes
            c.add("pipe_func_" + name, lambda: make_pipeline(SimpleImputer(), pp.FunctionTransformer(func, **validate)),
                  X_POS, on=[where])
    c.add("func_log1p_f32", lambda: pp.FunctionTransformer(np.log1p, validate=True), X_POS, on=["pos32"],
          raises=["nan"])
    c.add("func_inverse", lambda: pp.FunctionTransformer(np.log1p, inverse_func=np.expm1, validate=True), X_POS,
          on=["pos"])
    if c.since(1, 1):
        c.add("func_names", lambda: pp.FunctionTransformer(np.sqrt, feature_names_out="one-to-one"), named(X_POS),
              on=[Input("named_pos", named(np.abs(ROWS)))])
