"""Steps of random pipelines from a matrix to a matrix, and what each takes and gives."""

import dataclasses

from pipeline_models import leaf, small_classifier


def step(make=None, sparse=False, gaps=False, large=True, negative=True, needs=None, **gives):
    """make(draw, form): (parameters, parts …); the forms that the class takes; what of the form it changes."""
    return {"make": make or (lambda d, f: ({},)), "sparse": sparse, "gaps": gaps, "large": large, "negative": negative,
            "needs": needs, "gives": gives}


def score_function(d):
    return {"score_func": "f_classif" if d.target[0] == "classes" else "f_regression"}


def supervised(d):
    return d.target[0] in ("classes", "value", "positive")


def chooser(d, f, xgboost=True):
    """A model that knows how much its columns matter; of XGBoost's the file does not say it."""
    if d.classifies:
        names = ["DecisionTreeClassifier", "LogisticRegression", "XGBClassifier", "LGBMClassifier", "ExtraTreesClassifier"]
    else:
        names = ["DecisionTreeRegressor", "Ridge", "XGBRegressor", "LGBMRegressor", "ExtraTreesRegressor"]
    names = [n for n in names if (xgboost or "XGB" not in n) and (not f.gaps or "GB" in n)]
    return leaf(d, f, d.name(names))


FUNCTIONS = ["np.arctan", "np.sign", "np.abs", "np.floor", "np.tanh"]
STEPS = {
    "StandardScaler": step(lambda d, f: ({"with_mean": not f.sparse and d.chance(0.8)},), sparse=True, gaps=True,
                           large=False),
    "MinMaxScaler": step(lambda d, f: ({"clip": d.chance(0.3)},), gaps=True),
    "MaxAbsScaler": step(sparse=True, gaps=True),
    "RobustScaler": step(lambda d, f: ({"with_centering": not f.sparse},), sparse=True, gaps=True),
    "Normalizer": step(lambda d, f: ({"norm": d.one(["l1", "l2", "max"])},), sparse=True, large=False, rounded=True),
    "Binarizer": step(lambda d, f: ({"threshold": d.one([0.0, 0.5])},), sparse=True, negative=False),
    "PolynomialFeatures": step(lambda d, f: ({"interaction_only": d.chance(0.5), "include_bias": d.chance(0.5)},),
                               sparse=True,
                               large=False, needs=lambda d, f: not f.wide, wide=True),
    "SplineTransformer": step(lambda d, f: ({"n_knots": 3, "degree": d.one([1, 2, 3]),
                                             "extrapolation": d.one(["constant", "linear", "continue"])},),
                              large=False, needs=lambda d, f: not f.wide, wide=True),
    "KBinsDiscretizer": step(lambda d, f: ({"n_bins": 3, "encode": d.one(["onehot", "onehot-dense", "ordinal"]),
                                            "strategy": d.one(["uniform", "quantile"]),
                                            "quantile_method": "averaged_inverted_cdf"},),
                             sparse=None),
    "QuantileTransformer": step(lambda d, f: ({"n_quantiles": 8, "output_distribution": d.one(["uniform", "normal"])},),
                                gaps=True,
                                rounded=True),
    "PowerTransformer": step(gaps=True, large=False, rounded=True),
    "SimpleImputer": step(lambda d, f: ({"strategy": d.one(["mean", "median", "most_frequent", "constant"]),
                                         "add_indicator": d.chance(0.4)},), sparse=True, gaps=True),
    "KNNImputer": step(lambda d, f: ({"n_neighbors": 3},), gaps=True, large=False, rounded=True),
    "IterativeImputer": step(lambda d, f: ({"max_iter": 2},), gaps=True, large=False, rounded=True),
    # One component: where the rank is less than the number of components, the last ones are rounding errors.
    "PCA": step(lambda d, f: ({"n_components": 1},), large=False, rounded=True),
    "IncrementalPCA": step(lambda d, f: ({"n_components": 1},), large=False, rounded=True),
    "TruncatedSVD": step(lambda d, f: ({"n_components": 1, "random_state": 0},), sparse=True, large=False, rounded=True),
    "FunctionTransformer": step(lambda d, f: ({"func": d.one([None, *FUNCTIONS]), "accept_sparse": True,
                                               "feature_names_out": "one-to-one"},), sparse=True, gaps=True),
    "LinearDiscriminantAnalysis": step(large=False, rounded=True,
                                       needs=lambda d, f: d.target[0] == "classes" and not f.wide),
    "TfidfTransformer": step(sparse=True, negative=False, large=False, rounded=True),
    "ColumnTransformer": step(lambda d, f: beside_positions(d, f), sparse=True, gaps=True),
    "FeatureUnion": step(lambda d, f: ({}, *(one_step(d, f)[0] for _ in range(2))), sparse=True, gaps=True),
    "VotingClassifier": step(lambda d, f: ({"voting": "soft"}, *(small_classifier(d, f) for _ in range(2))),
                             sparse=True, needs=lambda d, f: d.target[0] == "classes", rounded=True, wide=False),
    "StackingRegressor": step(lambda d, f: ({"cv": 2, "passthrough": d.chance(0.5)}, chooser(d, f), leaf(d, f, "Ridge")),
                              sparse=True,
                              needs=lambda d, f: d.target[0] == "value", rounded=True),
    # Selectors.
    "VarianceThreshold": step(sparse=True, gaps=True),
    "SelectKBest": step(lambda d, f: ({"k": 2, **score_function(d)},), sparse=True, needs=lambda d, f: supervised(d)),
    "SelectPercentile": step(lambda d, f: ({"percentile": 60, **score_function(d)},), sparse=True,
                             needs=lambda d, f: supervised(d)),
    "SelectFpr": step(lambda d, f: ({"alpha": 0.7, **score_function(d)},), sparse=True, needs=lambda d, f: supervised(d)),
    "SelectFdr": step(lambda d, f: ({"alpha": 0.9, **score_function(d)},), sparse=True, needs=lambda d, f: supervised(d)),
    "SelectFwe": step(lambda d, f: ({"alpha": 0.9, **score_function(d)},), sparse=True, needs=lambda d, f: supervised(d)),
    "GenericUnivariateSelect": step(lambda d, f: ({"mode": "k_best", "param": 2, **score_function(d)},), sparse=True,
                                    needs=lambda d, f: supervised(d)),
    "SelectFromModel": step(lambda d, f: ({"threshold": "median"}, chooser(d, f, False)), sparse=True, gaps=True,
                            needs=lambda d, f: supervised(d)),
    "RFE": step(lambda d, f: ({"n_features_to_select": 1}, chooser(d, f)), sparse=True,
                needs=lambda d, f: supervised(d) and not f.wide),
    "RFECV": step(lambda d, f: ({"min_features_to_select": 2, "cv": 2}, chooser(d, f)), sparse=True,
                  needs=lambda d, f: supervised(d) and not f.wide),
    "SequentialFeatureSelector": step(lambda d, f: ({"n_features_to_select": 1, "cv": 2}, chooser(d, f)), sparse=True,
                                      needs=lambda d, f: supervised(d) and not f.wide),
}
SELECTORS = list(STEPS)[list(STEPS).index("VarianceThreshold"):]
FILLERS = ["SimpleImputer", "KNNImputer", "IterativeImputer"]
SCALES = {"StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "Normalizer", "Binarizer", "KBinsDiscretizer",
          "QuantileTransformer"}
KEEPERS = {"StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "PolynomialFeatures", *FILLERS}
# Splits of a tree, bins, choices: a value that was rounded otherwise may fall on the other side.
LEAPS = {"Binarizer", "KBinsDiscretizer", "KNNImputer", "QuantileTransformer"}


def fits(d, f, name):
    s = STEPS[name]
    return ((s["sparse"] or not f.sparse) and (s["gaps"] or not f.gaps) and (s["large"] or not f.large)
            and (s["negative"] or not f.negative or name == "Binarizer") and (s["needs"] is None or s["needs"](d, f))
            and not (f.rounded and name in LEAPS) and not (d.exact and s["gives"].get("rounded"))
            and (f.spread or name != "KNNImputer"))


def after(f, name, node):
    s = STEPS[name]
    changed = {key: value for key, value in s["gives"].items()}
    if name in FILLERS:
        changed["gaps"] = False
    if name in SCALES:
        changed["large"] = False
    if name not in KEEPERS:
        changed["spread"] = False
    if name in ("Binarizer", "KBinsDiscretizer"):
        changed.update(rounded=False, negative=False)
    if name in ("PCA", "IncrementalPCA", "TruncatedSVD", "LinearDiscriminantAnalysis", "VotingClassifier"):
        changed.update(sparse=False, wide=False)
    if name == "StackingRegressor":
        changed["sparse"] = False if not node[1].get("passthrough") else f.sparse
    if name == "KBinsDiscretizer":
        changed["sparse"] = node[1]["encode"] == "onehot"
    if name in ("FeatureUnion", "ColumnTransformer"):
        changed["rounded"] = f.rounded or any(n in str(node) for n in STEPS if STEPS[n]["gives"].get("rounded"))
        changed["sparse"] = f.sparse or "'onehot'" in str(node)
        changed["wide"] = True
    if name in ("StandardScaler", "RobustScaler", "FunctionTransformer", "SplineTransformer") and not f.sparse:
        changed["negative"] = True
    return dataclasses.replace(f, **changed)


def one_step(d, f, names=None):
    """(a step that takes the form, the form behind it)."""
    fitting = [n for n in names or STEPS if fits(d, f, n)]
    if not names:
        fitting = [n for n in fitting if n not in ("FeatureUnion", "ColumnTransformer") or d.chance(0.5)]
    if not fitting:
        return ("FunctionTransformer", {"func": None, "accept_sparse": True}), f
    name = d.name(fitting)
    node = (name, *STEPS[name]["make"](d, f))
    return node, after(f, name, node)


def beside_positions(d, f):
    """A column transformer of a matrix, by positions."""
    cut = d.one([1, 2])
    first = d.one([one_step(d, dataclasses.replace(f, wide=True),
                            ["MaxAbsScaler", "FunctionTransformer", "StandardScaler"])[0], "passthrough"])
    parts = [(first, ["slice", 0, cut]), (d.one(["passthrough", "drop", first]), ["slice", cut, None])]
    return {"sparse_threshold": 1.0 if f.sparse else 0.3}, *parts


def several_steps(d, f, most):
    nodes = []
    for _ in range(d.stream.randint(0, most)):
        node, f = one_step(d, f)
        nodes.append(node)
    return nodes, f
