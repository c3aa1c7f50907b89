"""Draws recipes of random pipelines (pipelines.py) from a seed.

What flows between steps has a form: a table, a matrix, a sparse one, with missing values or without. Each class is drawn
where the library takes the form; where it does not take what was drawn after all, the draw is repeated from the same
stream.
"""

import random
import re

import pipelines
from pipeline_draw import Draw, Form
from pipeline_models import CLASSIFIERS, LEAVES, OTHERS, REGRESSORS, leaf, some_leaf
from pipeline_steps import SELECTORS, STEPS, one_step, several_steps
from pipeline_tables import TABLE_ENCODERS, piped, table_node

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
