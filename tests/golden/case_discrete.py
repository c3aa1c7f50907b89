"""Thresholds, bins, quantiles, categories by naive Bayes and hashed words."""
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (Binarizer, KBinsDiscretizer, OrdinalEncoder, QuantileTransformer,
                                   StandardScaler)

from case_data import CAT_INT, CAT_STR, ROWS, X, X_CONST, X_NAN, Y_3, Y_BIG, Y_STR, Y_STR3, Input, named
from case_text import DOCS, LABELS, TRAIN

FEW = Input("few", ROWS[4:12])
FEW32 = Input("few32", ROWS[4:12].astype(np.float32), form="npy")
CODES = np.column_stack([np.abs(CAT_INT[:, 0]), CAT_INT[:, 2] - 1, Y_3])
CODE_ROWS = Input("codes", CODES[[0, 7, 11, 23, 42, 59]])


def edges_of(name, columns, form="csv"):
    """Rows that lie on the given values of each column, and one ulp to either side."""
    depth = max(len(column) for column in columns)
    on = np.column_stack([np.resize(column, depth) for column in columns])
    return Input(name, np.vstack([on, np.nextafter(on, np.inf), np.nextafter(on, -np.inf)]), form=form)


def add_cases(c):
    _thresholds(c)
    _bins(c)
    _quantiles(c)
    if c.since(0, 22):
        _categories(c)
    _hashes(c)


def _thresholds(c):
    c.add("binarizer", lambda: Binarizer(), X, on=[FEW, FEW32], raises=["nan", "inf"])
    c.add("binarizer_named", lambda: Binarizer(threshold=0.1), named(X), on=["named"])
    c.add("binarizer_edges", lambda: Binarizer(threshold=40.3), X, on=[edges_of("thresholds", [[40.3, -40.3, 0]] * 5)])
    c.add("binarizer_model", lambda: make_pipeline(StandardScaler(), Binarizer(threshold=0.5),
                                                   LogisticRegression(solver="lbfgs")), X, Y_STR3, on=[FEW])


def _bins(c):
    def bins(*given, **more):
        if more.get("strategy", "quantile") == "quantile" and c.since(1, 7):
            more.setdefault("quantile_method", "linear")  # the one that every version before had
        if c.since(1, 3) and not c.since(1, 5):
            more.setdefault("subsample", None)
        return KBinsDiscretizer(*given, **more)

    for strategy in ["uniform", "quantile", "kmeans"]:
        c.add("bins_" + strategy, lambda: bins(4, encode="ordinal", strategy=strategy), X, on=[FEW, FEW32],
              raises=["nan", "inf"])
    c.add("bins_dense", lambda: bins([2, 3, 4, 5, 2], encode="onehot-dense", strategy="uniform"), X, on=[FEW])
    c.add("bins_sparse", lambda: bins(3, encode="onehot"), named(X), on=["named"])
    c.add("bins_const", lambda: bins(3, encode="ordinal", strategy="uniform"), X_CONST, on=["const"])
    fitted = bins(5, encode="ordinal").fit(X)
    c.add("bins_edges", lambda: fitted, X, fitted=True, on=[edges_of("edges_bins", fitted.bin_edges_)])
    if c.since(0, 24):
        c.add("bins_f32", lambda: bins(3, encode="onehot-dense", dtype=np.float32), X, on=[FEW, FEW32])
    if c.since(1, 7):
        c.add("bins_averaged", lambda: bins(4, encode="ordinal", quantile_method="averaged_inverted_cdf"), X, on=[FEW])
    c.add("bins_model", lambda: make_pipeline(bins(4, encode="onehot"), LogisticRegression(solver="lbfgs")), X, Y_STR,
          on=[FEW])
    c.add("bins_columns", lambda: make_pipeline(
        ColumnTransformer([("bins", bins(3, encode="onehot-dense"), [0, 1]), ("rest", StandardScaler(), [2, 3, 4])]),
        LogisticRegression(solver="lbfgs")), X, Y_STR3, on=[FEW])


def _quantiles(c):
    for shape in ["uniform", "normal"]:
        def quantiles(**more):
            return QuantileTransformer(output_distribution=shape, random_state=0, **more)

        c.add("quantiles_" + shape, lambda: quantiles(n_quantiles=9), X, on=["num", FEW32, "nan"], raises=["inf"])
        c.add("quantiles_%s_nan" % shape, lambda: quantiles(n_quantiles=7), X_NAN, on=["nan"])
        c.add("quantiles_%s_tied" % shape, lambda: quantiles(n_quantiles=12), np.round(X / [1, 20, 0.5, 100, 1]),
              on=[FEW])
        c.add("quantiles_%s_const" % shape, lambda: quantiles(n_quantiles=5), X_CONST, on=["const"])
        fitted = quantiles(n_quantiles=6).fit(X)
        c.add("quantiles_%s_edges" % shape, lambda: fitted, X, fitted=True,
              on=[edges_of("edges_" + shape, fitted.quantiles_.T)])
        c.add("quantiles_%s_model" % shape, lambda: make_pipeline(quantiles(n_quantiles=8),
                                                                  LogisticRegression(solver="lbfgs")), X, Y_STR3,
              on=[FEW])


def _categories(c):
    from sklearn.naive_bayes import CategoricalNB
    c.add("categorical", lambda: CategoricalNB(), CODES, Y_STR3, on=[CODE_ROWS], log=True)
    c.add("categorical_alpha", lambda: CategoricalNB(alpha=0.25, fit_prior=False), CODES, Y_BIG, on=[CODE_ROWS])
    c.add("categorical_prior", lambda: CategoricalNB(class_prior=[0.2, 0.5, 0.3]), CODES, Y_STR3, on=[CODE_ROWS])
    if c.since(0, 24):
        more = Input("codes_more", np.vstack([CODE_ROWS.x, [[9, 9, 9]]]))
        c.add("categorical_spare", lambda: CategoricalNB(min_categories=11), CODES, Y_STR, on=[more])
    words = Input("words", CAT_STR[[0, 3, 9, 20, 33]])
    c.add("categorical_words", lambda: make_pipeline(OrdinalEncoder(), CategoricalNB()), CAT_STR, Y_STR3, on=[words])


def _hashes(c):
    def add(name, **options):
        options.setdefault("n_features", 16)
        c.add(name, lambda: HashingVectorizer(**options), np.array(TRAIN, dtype=object), on=[DOCS])

    add("hash")
    add("hash_signs", alternate_sign=False, norm="l1")
    add("hash_plain", norm=None, ngram_range=(1, 2), n_features=13)
    add("hash_binary", binary=True, norm=None, stop_words="english")
    add("hash_char", analyzer="char_wb", ngram_range=(2, 4), strip_accents="unicode")
    add("hash_f32", dtype=np.float32, lowercase=False, token_pattern=r"\w+")
    for name, steps in [("hash_model", [HashingVectorizer(n_features=2 ** 12)]),
                        ("hash_weights", [HashingVectorizer(n_features=64, alternate_sign=False), TfidfTransformer()])]:
        c.add(name, lambda: make_pipeline(*(steps + [LogisticRegression(solver="liblinear", random_state=0)])),
              np.array(TRAIN, dtype=object), LABELS, on=[DOCS])
