"""Draws recipes of random pipelines (pipelines.py) from a seed.

What flows between steps has a form: a table, a matrix, a sparse one, with missing values or without. Each class is drawn
where the library takes the form; where it does not take what was drawn after all, the draw is repeated from the same
stream.
"""

import dataclasses
import random
import re

import pipelines

# Classes of the registry that no recipe has, and why.
NOT_PLACED = {
    "Imputer": "left the library in 0.22", "_ConstantPredictor": "OneVsRestClassifier makes it",
    "LabelEncoder": "takes targets", "LabelBinarizer": "takes targets",
    "IsotonicRegression": "takes one column; calibration has it",
    "Booster": "is in its wrappers", "CatBoost": "has no wrapper's methods", "LGBMRanker": "takes groups",
    "XGBRanker": "takes groups",
    "CatBoostRanker": "takes groups", "CategoricalNB": "refuses categories that training never met, for all rows",
    "xgboost.Booster": "is in its wrappers", "DictVectorizer": "takes dicts",
    "LatentDirichletAllocation": "iterates: what it gives is compared alone, to a bound of its own",
    # sklearn-pandas and sklearn2pmml, which take tables by the names of their columns: test_differential_mappers.py
    **{name: "takes columns by name" for name in (
        "DataFrameMapper", "TransformerPipeline", "NumericalTransformer", "sklearn_pandas.FunctionTransformer", "Alias",
        "MultiAlias",
        "CategoricalDomain", "ContinuousDomain", "OrdinalDomain", "MultiDomain", "ContinuousDomainEraser",
        "DiscreteDomainEraser",
        "EstimatorProxy", "SelectorProxy", "PMMLPipeline", "PMMLLabelBinarizer", "PMMLLabelEncoder", "LookupTransformer",
        "FilterLookupTransformer", "Slicer", "IdentityTransformer")},
}
TABLE_ENCODERS = ["category_encoders.OneHotEncoder", "category_encoders.OrdinalEncoder", "category_encoders.TargetEncoder",
                  "BaseNEncoder",
                  "BinaryEncoder"]


@dataclasses.dataclass(frozen=True)
class Form:
    """What reaches a step. rounded: sums that libraries and the program round each in their way; spread: a column of
    which no two rows share the value, so that no two distances are equal."""
    sparse: bool = False
    gaps: bool = False
    negative: bool = True
    large: bool = False
    rounded: bool = False
    wide: bool = False
    spread: bool = False


class Draw:
    """The choices of one seed; some classes are this seed's favourites."""

    def __init__(self, stream, columns, target, favourites):
        self.stream, self.columns, self.target, self.favourites = stream, columns, target, favourites
        # cloned: the library refuses to clone a CatBoost that was told which columns are categories.
        self.array, self.cloned = False, False
        self.one, self.chance = stream.choice, lambda share: stream.random() < share

    def some(self, things, least=1):
        things = list(things)
        return [things[i] for i in sorted(self.stream.sample(range(len(things)),
                                                             self.stream.randint(min(least, len(things)), len(things))))]

    def name(self, names):
        """One of the names; favourites twelve times as often, and that again for each time that they are named."""
        return self.stream.choices(names, [1 + 12 * self.favourites.count(n) for n in names])[0]

    def of_kind(self, kinds, among=None):
        return [c for c, kind in self.columns.items() if kind in kinds and (among is None or c in among)]

    @property
    def classifies(self):
        return self.target[0] in ("classes", "labels")


# ---- Steps on a matrix -----------------------------------------------------------------------------------------------

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


# ---- From a table to a matrix ----------------------------------------------------------------------------------------

def numbers_part(d, names):
    kinds = {d.columns[n] for n in names}
    f = Form(gaps="gaps" in kinds or d.gapped, large="large" in kinds, spread="real" in kinds)
    if d.chance(0.25):
        return "passthrough", f
    nodes = []
    if f.gaps and d.chance(0.7):
        filler, f = one_step(d, f, FILLERS)
        nodes.append(filler)
        if d.frames and d.chance(0.2):
            nodes[-1] = (filler[0], dict(filler[1], set_output="pandas"), *filler[2:])
    more, f = several_steps(d, dataclasses.replace(f, wide=len(names) > 4), 1 if d.exact else 2)
    return piped(nodes + more) or "passthrough", f


def table_encoder(d):
    """Of category_encoders: its columns are those of texts; what it learns of a target is numbers."""
    name = d.one([n for n in TABLE_ENCODERS if d.target[0] in ("value", "positive") or "Target" not in n])
    params = {"handle_unknown": d.one(["value", "return_nan"]), "return_df": d.chance(0.5)}
    return (name, params), Form(gaps=params["handle_unknown"] == "return_nan", rounded="Target" in name,
                                wide="Target" not in name)


def encoder(d, kinds):
    if "BaseNEncoder" in d.favourites and kinds <= {"word", "plan", "hole", "text"}:
        return table_encoder(d)
    lacks = bool(kinds & {"maybe", "hole", "lack"})
    name = d.name(["OneHotEncoder", "OneHotEncoder", "OrdinalEncoder", "TargetEncoder"] if supervised(d)
                  else ["OneHotEncoder", "OrdinalEncoder"])
    if name == "OneHotEncoder":
        params = {"handle_unknown": d.one(["ignore", "ignore", "infrequent_if_exist", "error"])}
        if d.chance(0.4):
            params["sparse_output"] = False
        if params["handle_unknown"] == "infrequent_if_exist" or d.chance(0.2):
            params["min_frequency"] = d.one([5, 0.1])
        if d.chance(0.2):
            params["drop"] = d.one(["first", "if_binary"])
        return (name, params), Form(sparse=params.get("sparse_output", True), negative=False, wide=True)
    if name == "OrdinalEncoder":
        params = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
        return (name, dict(params, encoded_missing_value=-2) if lacks or d.chance(0.3) else params), Form(gaps=False)
    return (name, {"cv": 2, "random_state": 0, "smooth": d.one(["auto", 2.0])}), Form(rounded=False)


def categories_part(d, names):
    kinds = {d.columns[n] for n in names}
    nodes = []
    if kinds <= {"word", "plan", "hole", "string"} and d.chance(0.4):
        nodes.append(("SimpleImputer", d.one([{"strategy": "most_frequent"},
                                              {"strategy": "constant", "fill_value": "none"}])))
    elif kinds <= {"maybe"} and d.chance(0.4):
        nodes.append(("SimpleImputer", d.one([{"strategy": "most_frequent"},
                                              {"strategy": "constant", "fill_value": False}])))
    elif len(kinds) == 1 and kinds <= {"id", "whole"} and d.chance(0.4):
        nodes.append(("SimpleImputer", {"strategy": "most_frequent"}))
    node, f = encoder(d, kinds)
    return piped([*nodes, node]), f


def texts_part(d):
    name = d.name(["CountVectorizer", "TfidfVectorizer", "HashingVectorizer"])
    params = {"ngram_range": d.one([(1, 1), (1, 2)])} if d.chance(0.5) else {}
    f = Form(sparse=True, negative=False, wide=True)
    if name == "HashingVectorizer":
        params.update(n_features=8, norm=d.one([None, "l2"]), alternate_sign=d.chance(0.6))
        f = dataclasses.replace(f, negative=params["alternate_sign"], rounded=params["norm"] is not None)
    if name == "TfidfVectorizer":
        f = dataclasses.replace(f, rounded=True)
        params.update({"dtype": "np.float32"} if d.chance(0.3) else {})
    if name == "CountVectorizer" and d.chance(0.3):
        return piped([(name, params), ("TfidfTransformer", {})]), dataclasses.replace(f, rounded=True)
    return (name, params), f


def joined(parts):
    """The form of matrices side by side."""
    forms = [f for _, f, _ in parts]
    return Form(**{key: any(getattr(f, key) for f in forms)
                   for key in ("sparse", "gaps", "negative", "large", "rounded", "spread")},
                wide=True if len(parts) > 1 else forms[0].wide)


def columns_node(d, among, depth):
    """(a ColumnTransformer of some of the columns, its form)."""
    parts = []
    numbers = d.of_kind(pipelines.NUMBERS, among)
    categories = d.of_kind(pipelines.CATEGORIES, among)
    words = d.of_kind(["text"], among)
    if numbers and d.chance(0.85):
        names = d.some(numbers)
        node, f = columns_node(d, names, depth - 1) if depth and d.chance(0.2) else numbers_part(d, names)
        if d.columns[names[0]] == "gaps" and d.chance(0.2):
            parts.append((("MissingIndicator", {"features": "all"}), Form(negative=False), names[:1]))
        parts.append((node, f, names))
    kinds = {}
    for name in categories:
        if d.chance(0.8) and not any(name in names for _, _, names in parts):
            kinds.setdefault(d.columns[name] if d.chance(0.5) else d.one(["one", "two"]), []).append(name)
    for group in kinds.values():
        parts.append((*categories_part(d, group), group))
    if words and d.chance(0.85):
        parts.append((*texts_part(d), words[0]))
    if not parts:
        names = numbers or categories
        part = numbers_part(d, names) if numbers else categories_part(d, names) if names else texts_part(d)
        parts.append((*part, names or words[0]))
    d.stream.shuffle(parts)
    f = joined(parts)
    threshold = d.one([0, 0.3, 1.0, 1.0]) if f.sparse else 0.3
    params = {"sparse_threshold": threshold}
    if threshold == 0:
        f = dataclasses.replace(f, sparse=False)
    if d.chance(0.15):
        params["transformer_weights"] = {"c0": d.one([0.5, 3.0])}
    if len(parts) == 1 and isinstance(parts[0][0], str):
        params["sparse_threshold"] = 0.3
    return ("ColumnTransformer", params, *((node, names) for node, _, names in parts)), f


def table_node(d, among=None, depth=1):
    """(what makes a matrix of the table, its form)."""
    among = among or list(d.columns)
    if d.chance(0.2):
        parts = [columns_node(d, d.some(among), 0) for _ in range(2)]
        return ("FeatureUnion", {}, *(node for node, _ in parts)), joined([(*p, None) for p in parts])
    return columns_node(d, among, depth)


def piped(nodes):
    """One node of several."""
    return nodes[0] if len(nodes) == 1 else ("Pipeline", {}, *nodes) if nodes else None


# ---- Models ----------------------------------------------------------------------------------------------------------

TREES = {"random_state": 0, "max_depth": 3}
FEW = dict(TREES, n_estimators=3)
XGB = {"n_estimators": 3, "max_depth": 3, "min_child_weight": 0, "n_jobs": 1}
LGBM = {"n_estimators": 3, "max_depth": 3, "min_child_samples": 4, "verbose": -1, "n_jobs": 1}
CATBOOST = {"iterations": 3, "depth": 2, "verbose": 0, "thread_count": 1, "allow_writing_files": False, "learning_rate": 0.5}
ITERATED = {"max_iter": 30}
SMALL_NET = {"hidden_layer_sizes": (4,), "max_iter": 10, "random_state": 0}


def model(params, sparse=True, gaps=False, large=True, negative=True, leaps=False, targets=("classes",)):
    """leaps: a small difference of its input may become a large one of its result."""
    return {"params": params if callable(params) else lambda d, p=params: p, "sparse": sparse, "gaps": gaps, "large": large,
            "negative": negative, "leaps": leaps, "targets": targets}


def classified_by(d, params, losses):
    return dict(params, **({"loss_function": d.one(losses)} if losses and d.chance(0.7) else {}))


def catboost_classes(d):
    if d.target[0] == "labels":
        return dict(CATBOOST, loss_function="MultiLogloss")
    focal = "Focal:focal_alpha=0.3;focal_gamma=2"
    losses = ["Logloss", "CrossEntropy", focal, focal, focal] if d.target[1] == 2 else ["MultiClass", "MultiClassOneVsAll"]
    return classified_by(d, CATBOOST, losses)


def catboost_values(d):
    if d.target[0] == "values":
        return dict(CATBOOST, loss_function="MultiRMSE")
    return classified_by(d, CATBOOST, ["Poisson", "Tweedie:variance_power=1.3"] if d.target[0] == "positive" else
                         ["MAE", "Quantile:alpha=0.2", "RMSEWithUncertainty"] if d.chance(0.3) else ["MAE"])


def xgb_classes(d):
    return dict(XGB, **d.one([{}, {}, {"booster": "dart"}, {"missing": 0.0}]))


def xgb_values(d):
    if d.target[0] == "positive" and d.chance(0.6):
        return dict(XGB, objective=d.one(["count:poisson", "reg:gamma", "reg:tweedie"]))
    return dict(XGB, **d.one([{}, {}, {"booster": "dart"}, {"missing": 0.0}]))


def lgbm_values(d):
    if d.target[0] == "positive" and d.chance(0.6):
        return dict(LGBM, objective=d.one(["poisson", "gamma", "tweedie"]))
    return dict(LGBM, **d.one([{}, {}, {"zero_as_missing": True}, {"boosting_type": "dart"}]))


BOTH = ("classes", "labels")
CLASSIFIERS = {
    "LogisticRegression": model(lambda d: {"C": d.one([0.1, 1.0]), "max_iter": 30}),
    "LogisticRegressionCV": model({"Cs": 2, "cv": 2, "max_iter": 20}),
    "RidgeClassifier": model({}), "RidgeClassifierCV": model({}, sparse=False),
    "SGDClassifier": model(lambda d: {"loss": d.one(["hinge", "log_loss", "modified_huber"]), "random_state": 0,
                                      "max_iter": 20}, large=False),
    "Perceptron": model({"random_state": 0, "max_iter": 20}, large=False),
    "PassiveAggressiveClassifier": model({"random_state": 0, "max_iter": 20}, large=False),
    "LinearSVC": model({"random_state": 0, "max_iter": 50}, large=False),
    "SVC": model(lambda d: {"gamma": 0.1, "kernel": d.one(["rbf", "linear"])}, large=False),
    "NuSVC": model({"nu": 0.1, "gamma": 0.1}, large=False),
    "KNeighborsClassifier": model({"n_neighbors": 3}, large=False, leaps=True, targets=BOTH),
    "NearestCentroid": model({}, large=False, sparse=False), "GaussianNB": model({}, sparse=False, large=False),
    "MultinomialNB": model({}, negative=False, large=False), "ComplementNB": model({}, negative=False, large=False),
    "BernoulliNB": model({}, large=False, leaps=True),
    "DecisionTreeClassifier": model(TREES, gaps=True, leaps=True, targets=BOTH),
    "ExtraTreeClassifier": model(TREES, leaps=True, targets=BOTH),
    "RandomForestClassifier": model(FEW, gaps=True, leaps=True, targets=BOTH),
    "ExtraTreesClassifier": model(FEW, leaps=True, targets=BOTH),
    "GradientBoostingClassifier": model(FEW, leaps=True), "HistGradientBoostingClassifier": model(
        {"max_iter": 3, "min_samples_leaf": 4, "random_state": 0}, sparse=False, gaps=True, leaps=True),
    "MLPClassifier": model(SMALL_NET, large=False, targets=BOTH),
    "QuadraticDiscriminantAnalysis": model({"reg_param": 0.3}, sparse=False, large=False),
    "DummyClassifier": model({}, gaps=True),
    "XGBClassifier": model(xgb_classes, gaps=True, leaps=True, targets=BOTH),
    "XGBRFClassifier": model({"n_estimators": 3, "max_depth": 3}, gaps=True, leaps=True),
    "LGBMClassifier": model(LGBM, gaps=True, leaps=True),
    "CatBoostClassifier": model(catboost_classes, gaps=True, leaps=True, targets=BOTH),
}
VALUE, EVERY = ("value", "positive"), ("value", "positive", "values")
REGRESSORS = {
    "LinearRegression": model({}, targets=EVERY), "Ridge": model({}, targets=EVERY),
    "RidgeCV": model({}, targets=VALUE, sparse=False),
    "Lasso": model({"alpha": 0.01}, targets=EVERY), "LassoCV": model({"cv": 2, "alphas": 5}, targets=VALUE),
    "ElasticNet": model({"alpha": 0.01}, targets=EVERY), "ElasticNetCV": model({"cv": 2, "alphas": 5}, targets=VALUE),
    "MultiTaskLasso": model({"alpha": 0.01}, targets=("values",), sparse=False),
    "MultiTaskLassoCV": model({"cv": 2, "alphas": 5}, targets=("values",), sparse=False),
    "MultiTaskElasticNet": model({"alpha": 0.01}, targets=("values",), sparse=False),
    "MultiTaskElasticNetCV": model({"cv": 2, "alphas": 5}, targets=("values",), sparse=False),
    "Lars": model({"n_nonzero_coefs": 3}, sparse=False, large=False, targets=VALUE),
    "LarsCV": model({"cv": 2, "max_iter": 5}, sparse=False, large=False, targets=VALUE),
    "LassoLars": model({"alpha": 0.01}, sparse=False, large=False, targets=VALUE),
    "LassoLarsCV": model({"cv": 2, "max_iter": 5}, sparse=False, large=False, targets=VALUE),
    "LassoLarsIC": model({"noise_variance": 1.0}, sparse=False, large=False, targets=VALUE),
    "OrthogonalMatchingPursuit": model({"n_nonzero_coefs": 1}, sparse=False, large=False, targets=VALUE),
    "OrthogonalMatchingPursuitCV": model({"cv": 2, "max_iter": 2}, sparse=False, large=False, targets=VALUE),
    "BayesianRidge": model({}, sparse=False, targets=VALUE),
    "ARDRegression": model(ITERATED, sparse=False, large=False, targets=VALUE),
    "HuberRegressor": model(ITERATED, large=False, targets=VALUE),
    "QuantileRegressor": model({"alpha": 0.01}, large=False, targets=VALUE),
    "TheilSenRegressor": model({"random_state": 0, "max_subpopulation": 20, "max_iter": 10}, sparse=False, large=False,
                               targets=VALUE),
    "SGDRegressor": model({"random_state": 0, "max_iter": 10}, large=False, targets=VALUE),
    "PassiveAggressiveRegressor": model({"random_state": 0, "max_iter": 10}, large=False, targets=VALUE),
    "PoissonRegressor": model(ITERATED, large=False, targets=("positive",)),
    "GammaRegressor": model(ITERATED, large=False, targets=("positive",)),
    "TweedieRegressor": model(dict(ITERATED, power=1.5), large=False, targets=("positive",)),
    "LinearSVR": model({"random_state": 0, "max_iter": 50}, large=False, targets=VALUE),
    "SVR": model({"gamma": 0.1}, large=False, targets=VALUE),
    "NuSVR": model({"gamma": 0.1}, large=False, targets=VALUE),
    "KNeighborsRegressor": model({"n_neighbors": 3}, large=False, leaps=True, targets=EVERY),
    "DecisionTreeRegressor": model(TREES, gaps=True, leaps=True, targets=EVERY),
    "ExtraTreeRegressor": model(TREES, leaps=True, targets=EVERY),
    "RandomForestRegressor": model(FEW, gaps=True, leaps=True, targets=EVERY),
    "ExtraTreesRegressor": model(FEW, leaps=True, targets=EVERY),
    "GradientBoostingRegressor": model(FEW, leaps=True, targets=VALUE),
    "HistGradientBoostingRegressor": model({"max_iter": 3, "min_samples_leaf": 4, "random_state": 0}, sparse=False,
                                           gaps=True, leaps=True, targets=VALUE),
    "MLPRegressor": model(SMALL_NET, large=False, targets=EVERY), "DummyRegressor": model({}, gaps=True, targets=EVERY),
    "XGBRegressor": model(xgb_values, gaps=True, leaps=True, targets=EVERY),
    "XGBRFRegressor": model({"n_estimators": 3, "max_depth": 3}, gaps=True, leaps=True, targets=VALUE),
    "LGBMRegressor": model(lgbm_values, gaps=True, leaps=True, targets=VALUE),
    "CatBoostRegressor": model(catboost_values, gaps=True, leaps=True, targets=EVERY),
}
ALONE = ("none",)
OTHERS = {
    "KMeans": model({"n_clusters": 3, "n_init": 1, "random_state": 0}, large=False, targets=ALONE),
    "MiniBatchKMeans": model({"n_clusters": 3, "n_init": 1, "random_state": 0}, large=False, targets=ALONE),
    "GaussianMixture": model({"n_components": 2, "reg_covar": 0.1, "random_state": 0}, large=False, sparse=False,
                             targets=ALONE),
    "BayesianGaussianMixture": model({"n_components": 2, "reg_covar": 0.1, "random_state": 0}, large=False, sparse=False,
                                     targets=ALONE),
    "IsolationForest": model({"n_estimators": 3, "random_state": 0}, leaps=True, targets=ALONE),
    "OneClassSVM": model({"gamma": 0.1, "nu": 0.2}, large=False, targets=ALONE),
    "SGDOneClassSVM": model({"random_state": 0, "max_iter": 20}, large=False, targets=ALONE),
    "LocalOutlierFactor": model({"n_neighbors": 5, "novelty": True}, large=False, leaps=True, targets=ALONE),
    "NearestNeighbors": model({"n_neighbors": 3}, large=False, leaps=True, targets=ALONE),
}
# Sums of squares that the library rounds to float32 where its rows are: as far apart as the squares are large.
OF_SQUARES = {"GaussianNB", "QuadraticDiscriminantAnalysis", "GaussianMixture", "BayesianGaussianMixture"}
BY_DISTANCE = {"KNeighborsClassifier", "KNeighborsRegressor", "LocalOutlierFactor", "NearestNeighbors"}
LEAVES = {**CLASSIFIERS, **REGRESSORS, **OTHERS}


def leaf(d, f, name):
    return name, LEAVES[name]["params"](d)


def leaves(d, f, among):
    return [n for n in among if n in pipelines.KNOWN and not (d.array and n in OF_SQUARES)
            and d.target[0] in LEAVES[n]["targets"] and (LEAVES[n]["sparse"] or not f.sparse)
            and (LEAVES[n]["gaps"] or not f.gaps) and (LEAVES[n]["large"] or not f.large)
            and (LEAVES[n]["negative"] or not f.negative)
            and not (f.rounded and LEAVES[n]["leaps"]) and (f.spread or n not in BY_DISTANCE)]


def some_leaf(d, f, among=None):
    fitting = leaves(d, f, among or (CLASSIFIERS if d.classifies else REGRESSORS if d.target[0] != "none" else OTHERS))
    if not fitting:
        fitting = ["DummyClassifier" if d.classifies else "DummyRegressor" if d.target[0] != "none" else "IsolationForest"]
    return leaf(d, f, d.name(fitting))


def small_classifier(d, f):
    return some_leaf(d, f, ["LogisticRegression", "DecisionTreeClassifier", "LGBMClassifier", "XGBClassifier", "GaussianNB"])


CV = {"cv": 2}


def search(name, child):
    grid = {"max_depth": [2, 3]} if "max_depth" in child[1] else "one"
    more = {"n_iter": 1, "random_state": 0} if name == "RandomizedSearchCV" else \
        {"random_state": 0} if name.startswith("Halving") else {}
    key = "param_distributions" if "Random" in name else "param_grid"
    return name, dict(more, cv=2, **{key: grid}), child


def calibrated(params, node):
    """The slopes of isotonic steps have no bound, which multiplies what XGBoost's float32 scores round."""
    return (dict(params, method="sigmoid") if "XGB" in str(node) else params), node


CLASS_METAS = {
    "CalibratedClassifierCV": lambda d, child: calibrated(dict(CV, method=d.one(["sigmoid", "isotonic"]),
                                                               ensemble=d.chance(0.6)), child()),
    "OneVsRestClassifier": lambda d, child: ({}, child()), "OneVsOneClassifier": lambda d, child: ({}, child()),
    "BaggingClassifier": lambda d, child: ({"n_estimators": 2, "random_state": 0, "max_features": d.one([1.0, 0.7])},
                                           child()),
    "AdaBoostClassifier": lambda d, child: ({"n_estimators": 2, "random_state": 0}, child()),
    "VotingClassifier": lambda d, child: ({"voting": d.one(["hard", "soft"]),
                                           **({"weights": [1, 3]} if d.chance(0.3) else {})}, child(), child()),
    "StackingClassifier": lambda d, child: (dict(CV, passthrough=d.chance(0.4),
                                                 stack_method=d.one(["auto", "auto", "predict_proba", "predict"])),
                                            child(), child(),
                                            some_leaf(d, Form(),
                                                      ["LogisticRegression", "XGBClassifier", "DecisionTreeClassifier",
                                                       "LGBMClassifier"])),
    "FixedThresholdClassifier": lambda d, child: ({"threshold": d.one([0.3, 0.6])}, child()),
    "TunedThresholdClassifierCV": lambda d, child: (dict(CV, random_state=0, thresholds=5), child()),
}
LABEL_METAS = {
    "MultiOutputClassifier": lambda d, child: ({}, child()),
    "ClassifierChain": lambda d, child: ({"chain_method": d.one(["predict", "predict_proba", "decision_function"])},
                                         child()),
    "OneVsRestClassifier": lambda d, child: ({}, child()),
}
# No final CatBoost: it leaves out columns that it learnt nothing from, and the program with them what refuses their rows
# where transform asks for it and predict does not.
VALUE_METAS = {
    "BaggingRegressor": lambda d, child: ({"n_estimators": 2, "random_state": 0, "max_features": d.one([1.0, 0.7])},
                                          child()),
    "AdaBoostRegressor": lambda d, child: ({"n_estimators": 2, "random_state": 0}, child()),
    "VotingRegressor": lambda d, child: ({}, child(), child()),
    "StackingRegressor": lambda d, child: (dict(CV, passthrough=d.chance(0.4)), child(), child(),
                                           some_leaf(d, Form(),
                                                     ["Ridge", "XGBRegressor", "DecisionTreeRegressor", "LGBMRegressor"])),
    "TransformedTargetRegressor": lambda d, child: transformed(d, child),
}
SEVERAL_METAS = {
    "MultiOutputRegressor": lambda d, child: ({}, child()), "RegressorChain": lambda d, child: ({}, child()),
    "TransformedTargetRegressor": lambda d, child: ({}, child(), ("StandardScaler", {})),
}
SEARCHES = ["GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV"]
METAS = {"classes": CLASS_METAS, "labels": LABEL_METAS, "value": VALUE_METAS, "positive": VALUE_METAS,
         "values": SEVERAL_METAS, "none": {}}
# What turns a table into an array, which only numbers survive.
ARRAYS = {"OneVsOneClassifier", "BaggingClassifier", "AdaBoostClassifier", "BaggingRegressor", "AdaBoostRegressor",
          "ClassifierChain",
          "RegressorChain"}
BINARY = {"FixedThresholdClassifier", "TunedThresholdClassifierCV"}


def transformed(d, child):
    if d.target[0] == "positive" and d.chance(0.6):
        return {"func": "np.log1p", "inverse_func": "np.expm1"}, child()
    return {}, child(), (d.one(["StandardScaler", "MinMaxScaler", "RobustScaler"]), {})


def meta(d, child, tables):
    """A model of the models that child() draws."""
    before = d.target
    names = [n for n in METAS[before[0]] if not (tables and n in ARRAYS) and not (n in BINARY and before[1] != 2)]
    name = d.name([*names, *(SEARCHES[:2] if d.chance(0.8) else SEARCHES)])
    if name in SEARCHES:
        return search(name, child())
    if name in ("MultiOutputClassifier", "ClassifierChain") or (name == "OneVsRestClassifier" and before[0] == "labels"):
        d.target = ("classes", 2, "int")
    elif name == "OneVsRestClassifier":
        d.target = ("classes", 2, "int")
    elif name in ("MultiOutputRegressor", "RegressorChain"):
        d.target = ("value", 1, "")
    node = (name, *METAS[before[0]][name](d, child))
    d.target = before
    return node


def on_matrix(d, f, depth):
    """A model of a matrix of the form."""
    if depth and METAS[d.target[0]] and d.chance(0.95 if d.meta else 0.5):
        if f.rounded and d.chance(0.5):
            return some_leaf(d, f)
        return meta(d, lambda: on_matrix(d, f, depth - 1), False)
    if depth and d.chance(0.15):
        nodes, f = several_steps(d, f, 1)
        return piped([*nodes, some_leaf(d, f)])
    return some_leaf(d, f)


def on_table_alone(d):
    """A booster that takes the table as it is, with its categories; None where the columns are none for it."""
    kinds, classifies = set(d.columns.values()), d.classifies
    ending = "Classifier" if classifies else "Regressor"
    plain = kinds <= set(pipelines.NUMBERS)
    ordered = kinds <= {*pipelines.NUMBERS, "category", "lack", "switch", "level"}
    names = []
    if plain or not d.cloned and kinds <= {*pipelines.NUMBERS, "id", "word", "plan", "string", "category", "switch",
                                           "level"}:
        names.append(f"CatBoost{ending}")
    if ordered:
        names += [f"LGBM{ending}"]
        names += [f"HistGradientBoosting{ending}", f"XGB{ending}"] if "switch" not in kinds else []
    names = [n for n in names if d.target[0] in LEAVES[n]["targets"]]
    if not names:
        return None
    name = d.name(names)
    params = dict(leaf(d, Form(), name)[1])
    if not plain and name.startswith("Cat"):
        params.update(cat_features="by kind", **d.one([{}, {"one_hot_max_size": 1}, {"one_hot_max_size": 10}]))
    if not plain and name.startswith("XGB"):
        params.update(enable_categorical=True)
        params.pop("missing", None)
    if not plain and name.startswith("LGBM"):
        params.update(min_data_per_group=2, cat_smooth=1.0)
    if not plain and name.startswith("Hist"):
        params.update(categorical_features="from_dtype")
    return name, params


def on_objects(d):
    """CatBoost behind a column transformer that lets texts and bools through: an array of objects, categories by number."""
    # Not "switch": beside other bools pandas makes True of a missing one.
    names = d.of_kind(["word", "plan", "flag", "category", "level"])
    numbers = d.of_kind(["real", "small", "whole"])
    if not names or d.cloned:
        return None
    parts = [("passthrough", names)] + ([(d.one(["passthrough", ("MinMaxScaler", {})]), numbers)] if numbers else [])
    name = "CatBoostClassifier" if d.classifies else "CatBoostRegressor"
    params = dict(leaf(d, Form(), name)[1], cat_features=list(range(len(names))))
    return piped([("ColumnTransformer", {}, *parts), (name, params)])


def on_table(d, depth):
    """A model of the table."""
    if depth and METAS[d.target[0]] and d.chance(0.45):
        d.cloned = True
        return meta(d, lambda: on_table(d, depth - 1), not d.array)
    if not d.array and d.target[0] != "none":
        r = d.stream.random()
        alone = on_table_alone(d) if r < d.alone else on_objects(d) if r < d.alone + 0.05 else None
        if alone:
            return alone
    if d.array and d.chance(0.9 if d.exact else 0.5):
        f = Form(gaps=d.gapped or "gaps" in d.columns.values(), large="large" in d.columns.values(),
                 spread="real" in d.columns.values())
        first = None
    else:
        first, f = table_node(d)
    nodes, f = several_steps(d, f, int(d.chance(0.4)) if d.exact else 3)
    if d.chance(0.15) and d.target[0] != "none":
        node, f = one_step(d, f, SELECTORS)
        nodes.append(node)
    if d.target[0] == "none" and d.chance(0.6) and (first or nodes):
        return piped(([first] if first else []) + nodes)
    return piped(([first] if first else []) + nodes + [on_matrix(d, f, depth)])


XGBS = ["XGBClassifier", "XGBRegressor"]
CATS = ["CatBoostClassifier", "CatBoostRegressor"]
LGBMS = ["LGBMClassifier", "LGBMRegressor"]
BOOSTERS = [*XGBS, *CATS, *LGBMS]


def pair(d):
    """A booster and another model on the same matrix."""
    f = Form(spread=True)
    parts = [some_leaf(d, f, BOOSTERS), some_leaf(d, f)]
    if d.chance(0.3):
        parts.reverse()
    if d.classifies:
        return ("VotingClassifier", {"voting": "hard"}, *parts) if d.chance(0.2) else (
            "StackingClassifier", {"cv": 2}, *parts, ("LogisticRegression", {"max_iter": 30}))
    return ("VotingRegressor", {}, *parts) if d.chance(0.5) else ("StackingRegressor", {"cv": 2}, *parts, ("Ridge", {}))


# ---- Whole recipes ---------------------------------------------------------------------------------------------------

# What a seed is about, in turn: favourite classes, kinds of columns, the share of boosters on whole tables; meta: nearly
# always a model of models. exact: few steps, and none that rounds, since boosters do not stand behind those.
ENCODERS_OF_TABLES = {"name": "encoders of tables",
                      "favourites": [*TABLE_ENCODERS, *LGBMS, *XGBS, "Ridge", "LogisticRegression"], "alone": 0.0,
                      "kinds": ["word", "plan", "hole", "real", "whole"], "targets": ["classes", "value", "positive"],
                      "depth": 1}
THEMES = [
    {"name": "anything", "favourites": [], "kinds": list(pipelines.KINDS), "alone": 0.15},
    {"name": "sparse into boosters", "exact": True,
     "favourites": [*XGBS * 3, "OneHotEncoder", "CountVectorizer", "SimpleImputer", "FeatureUnion", *LGBMS],
     "kinds": ["count", "gaps", "real", "word", "category", "text", "flag", "whole"], "alone": 0.0},
    {"name": "categories of boosters", "favourites": [*CATS, *LGBMS, *XGBS], "alone": 0.9,
     "kinds": ["switch", "level", "category", "flag", "real", "large", "switch"],
     "targets": ["classes", "value", "positive"]},
    {"name": "parents of boosters", "exact": True, "favourites": [*BOOSTERS, *CLASS_METAS], "alone": 0.3,
     "kinds": ["real", "large", "small", "gaps", "whole"],
     "targets": ["classes", "classes", "labels"], "depth": 2},
    {"name": "what parents ask", "exact": True,
     "favourites": [*["LGBMClassifier"] * 4, "CalibratedClassifierCV", "OneVsOneClassifier", "OneVsRestClassifier",
                                                "StackingClassifier", "ClassifierChain"],
     "alone": 0.2, "kinds": ["real", "gaps", "whole"], "targets": ["classes", "classes", "labels"], "depth": 1,
     "meta": True},
    {"name": "encoders", "favourites": ["OneHotEncoder", "OrdinalEncoder", "TargetEncoder", *LGBMS, "Ridge",
                                        "LogisticRegression"], "alone": 0.1,
     "kinds": ["flag", "maybe", "switch", "plan", "id", "word", "hole", "level", "real"]},
    {"name": "arrays", "favourites": [], "kinds": ["real", "large", "small", "gaps", "count", "whole"], "alone": 0.0,
     "array": ["float64", "float32"], "depth": 2},
    {"name": "bools of CatBoost", "favourites": CATS, "alone": 0.9,
     "kinds": ["flag", "plan", "flag", "real", "word", "string", "id"],
     "targets": ["classes", "classes", "classes", "value", "positive"], "classes": [2, 2, 2, 3], "depth": 0},
    {"name": "unsupervised", "favourites": [], "kinds": list(pipelines.KINDS), "alone": 0.0, "targets": ["none"]},
    # CatBoost rounds its matrix to float32, and others work on the same columns.
    {"name": "two libraries on one matrix",
     "favourites": [*CATS * 3, "LGBMRegressor", "MLPClassifier", "MLPRegressor", "KNeighborsRegressor", "SVR"],
     "alone": 0.0, "kinds": ["real", "small", "real"], "targets": ["classes", "value"], "array": ["float64"], "least": 2,
     "pair": True},
    {"name": "files of boosters", "favourites": [*CATS * 5, *XGBS], "alone": 1.0, "depth": 0, "classes": [2, 2, 2, 3],
     "kinds": ["flag", "category", "whole", "real"], "targets": ["classes", "classes", "classes", "positive"]},
    {"name": "texts", "favourites": ["CountVectorizer", "TfidfVectorizer", "HashingVectorizer", "MultinomialNB",
                                     "ComplementNB", *BOOSTERS],
     "kinds": ["text", "count", "word", "real"], "alone": 0.0},
]


def labels_of(node):
    """The kinds of labels that every classifier of the model takes."""
    if "XGB" in str(node):
        return ["int"]
    if "CrossEntropy" in str(node):
        return ["int"]
    if "CatBoost" in str(node):
        return ["int", "str", "object", "unicode", "float", "negative"]
    return ["int", "negative", "big", "bool", "float", "str", "unicode", "object"]


def draw(stream, theme):
    """A recipe."""
    count = stream.randint(theme.get("least", 1), 6)
    kinds = [stream.choice(theme["kinds"]) for _ in range(count)]
    if theme["name"] in ("texts",) and "text" not in kinds:
        kinds[0] = "text"
    columns = {name: kind for name, kind in zip("abcdef", kinds)}
    kind = stream.choice(theme.get("targets", ["classes", "classes", "value", "value", "positive", "labels", "values"]))
    classes = stream.choice(theme.get("classes", [2, 2, 3, 4])) if kind == "classes" else \
        2 if kind in ("labels", "values") else 1
    d = Draw(stream, columns, (kind, classes, "int"), theme["favourites"])
    d.array = theme.get("array") and set(kinds) <= set(pipelines.NUMBERS)
    special = d.chance(0.2)
    d.alone, d.frames, d.gapped = theme["alone"], not d.array, False
    d.meta, d.exact = theme.get("meta"), theme.get("exact")
    node = pair(d) if theme.get("pair") else on_table(d, theme.get("depth", d.one([0, 1, 1, 2])))
    if kind == "classes" and d.chance(0.12):
        node = d.one([("CalibratedClassifierCV", {"method": "sigmoid", "cv": 2}, ("FrozenEstimator", {}, node)),
                      ("FrozenEstimator", {}, node)])
    labels = d.one(labels_of(node)) if kind == "classes" else "int"
    if kind == "classes" and labels == "bool":
        classes = 2
    file = d.one(["joblib", "joblib", "pickle", "zlib"])
    if node[0] in CATS and d.chance(0.8):
        file = "cbm"
    elif node[0] in XGBS and d.chance(0.4) and kind == "classes" and "missing" not in node[1]:
        # which such a file does not hold
        file = d.one(["json", "ubj"])
    recipe = {"seed": stream.randrange(10**6), "rows": d.one([48, 60, 80]), "columns": columns,
              "target": (kind, classes, labels), "model": node,
              "file": file}
    if d.array:
        recipe["array"] = d.one(theme["array"])
    if special:
        recipe["special"] = True
    # What is passed through as it is beside texts is no boolean to the program, which cannot know, and keeps its spelling.
    if set(kinds) & pipelines.BOOLS and kind != "none" and d.chance(0.7):
        recipe["spelling"] = d.one(["upper", "lower"])
    if not d.array and d.chance(0.3) and "cbm" != file:
        recipe["reversed"] = True
    return recipe


def theme_of(seed):
    return ENCODERS_OF_TABLES if seed % 30 == 29 else THEMES[seed % len(THEMES)]


def shows_otherwise(recipe):
    """A union of the table as it came and of its bools as floats, whose columns docs/DIFFERENCES.md tells apart."""
    union = r"'FeatureUnion', \{[^}]*\}, .*'passthrough'.*'ColumnTransformer'"
    return re.search(union, str(recipe["model"])) and recipe["target"][0] == "none" \
        and {"flag", "maybe"} & set(recipe["columns"].values())


def drawn(seed, most=60):
    """(the recipe of a seed, the fitted model, rows to score, how many draws the library refused)."""
    stream, theme = random.Random(seed), theme_of(seed)
    for refused in range(most):
        recipe = draw(stream, theme)
        while shows_otherwise(recipe):
            recipe = draw(stream, theme)
        try:
            return recipe, *pipelines.fitted(recipe), refused
        except pipelines.LibraryRefuses as error:
            last = error
    raise AssertionError(f"seed {seed}: the library refused {most} draws, the last for {last}")


def names_in(node):
    """The classes of a model, and of its parts."""
    if not isinstance(node, str):
        yield node[0]
        for part in node[2:]:
            yield from names_in(part[0] if node[0] == "ColumnTransformer" else part)


GRAMMAR = {
    "table encoders": set(TABLE_ENCODERS), "producers": {"OneHotEncoder", "OrdinalEncoder", "TargetEncoder",
                                                         "CountVectorizer", "TfidfVectorizer", "HashingVectorizer",
                  "MissingIndicator"},
    "holders": {"ColumnTransformer", "FeatureUnion", "Pipeline", "FrozenEstimator"},
    "steps": {n for n in STEPS if n not in SELECTORS}, "selectors": set(SELECTORS),
    "classifiers": set(CLASSIFIERS), "regressors": set(REGRESSORS), "others": set(OTHERS),
    "metas": {*CLASS_METAS, *LABEL_METAS, *VALUE_METAS, *SEVERAL_METAS}, "searches": set(SEARCHES),
    "boosters": set(BOOSTERS),
}
