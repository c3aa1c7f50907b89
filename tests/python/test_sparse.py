"""Matrices that the library holds sparse in front of every estimator that takes them.

Each estimator has a rule of its own for what such a matrix does not store: XGBoost takes it for missing, all others for
zero; scalers do not centre it, imputers and vectorizers leave zeros that are stored.  Every class that the program knows
stands here, in TAKES or in OTHER.
"""

import importlib
import inspect
import warnings

import differential as diff
import ftl
import numpy as np
import pandas as pd
import pytest
from sklearn import (calibration, compose, ensemble, feature_selection, impute, kernel_approximation, linear_model,
                     model_selection, multiclass, multioutput, pipeline, preprocessing, svm, tree)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from xgboost import XGBClassifier, XGBRegressor

WORDS = np.array("the cat sat on a mat and the dog ran off with some old bone".split())
CITIES = np.array(["Oslo", "Rome", "Kyiv", "Lima", "Bern", "Riga"])


def table(rng, n, gaps=False):
    """Categories, texts, counts of which most are zero, and a number that no two rows share."""
    x = pd.DataFrame({"city": rng.choice(CITIES, n), "plan": rng.choice(list("abcdef"), n),
                      "text": [" ".join(rng.choice(WORDS, rng.integers(1, 7))) for _ in range(n)],
                      "visits": rng.integers(0, 4, n) * (rng.random(n) < 0.5), "size": np.round(rng.normal(size=n), 3)})
    x["gaps"] = np.where(rng.random(n) < 0.6, 0.0, np.round(rng.normal(size=n), 3) + 0.0001)
    if gaps:
        x.loc[rng.random(n) < 0.3, "gaps"] = np.nan
    return x


def encoder(**more):
    return preprocessing.OneHotEncoder(handle_unknown="ignore", **more)


def beside(name, part, columns, numbers=("visits", "size", "gaps")):
    """A part whose result is sparse, with columns of numbers: all of it sparse, whatever there is of it."""
    return compose.ColumnTransformer([(name, part, columns), ("numbers", "passthrough", list(numbers))], sparse_threshold=1.0)


# What makes a sparse matrix, each another way: codes, words, hashes that cancel out, parts side by side, zeros that are
# stored, and what hands a sparse matrix on.
PRODUCERS = {
    "codes": lambda: beside("codes", encoder(), ["city", "plan"]),
    "plain codes": lambda: compose.make_column_transformer((encoder(), ["city", "plan", "visits"])),
    "words": lambda: beside("words", CountVectorizer(), "text"),
    "weights": lambda: beside("words", TfidfVectorizer(dtype=np.float32), "text", ["size"]),
    "hashes": lambda: beside("words", HashingVectorizer(n_features=8, norm=None), "text"),
    "union": lambda: pipeline.FeatureUnion([
        ("codes", compose.make_column_transformer((encoder(), ["city"]))),
        ("numbers", compose.make_column_transformer((preprocessing.StandardScaler(), ["visits", "gaps", "size"])))]),
    "imputed": lambda: pipeline.make_pipeline(beside("codes", encoder(), ["city"]),
                                              impute.SimpleImputer(strategy="median")),
    "constant": lambda: pipeline.make_pipeline(beside("words", CountVectorizer(), "text"),
                                               impute.SimpleImputer(strategy="constant", fill_value=0, add_indicator=True)),
    "scaled": lambda: pipeline.make_pipeline(beside("codes", encoder(), ["city"]),
                                             preprocessing.StandardScaler(with_mean=False)),
    "largest": lambda: pipeline.make_pipeline(beside("words", CountVectorizer(), "text"), preprocessing.MaxAbsScaler()),
    "unit": lambda: pipeline.make_pipeline(beside("codes", encoder(), ["city"]), preprocessing.Normalizer()),
    "signs": lambda: pipeline.make_pipeline(beside("hashes", HashingVectorizer(n_features=8, norm=None), "text"),
                                            preprocessing.Binarizer()),
    "products": lambda: pipeline.make_pipeline(beside("codes", encoder(), ["city"]),
                                               preprocessing.PolynomialFeatures(2, include_bias=True)),
    "chosen": lambda: pipeline.make_pipeline(beside("words", CountVectorizer(), "text"),
                                             feature_selection.SelectKBest(feature_selection.f_classif, k=6)),
    "bins": lambda: compose.ColumnTransformer(
        [("bins", preprocessing.KBinsDiscretizer(3, encode="onehot", strategy="uniform"), ["size", "visits"]),
         ("rest", "passthrough", ["gaps"])], sparse_threshold=1.0),
    "nested": lambda: pipeline.make_pipeline(
        beside("codes", encoder(), ["city"]),
        compose.ColumnTransformer([("scaled", preprocessing.MaxAbsScaler(), [0, 1, 6, 8])], remainder="passthrough")),
}
STORED_ZEROS = ["hashes", "imputed", "constant"]
# Rows with a missing number: what stands behind must take them.
WITH_GAPS = ["codes", "words", "union", "imputed", "constant", "scaled", "largest", "bins", "nested"]

FEW = {"n_estimators": 3, "max_iter": 30, "n_clusters": 3, "n_components": 2, "n_init": 1, "max_depth": 3,
       "random_state": 0, "n_jobs": 1, "cv": 2, "n_neighbors": 3}
CATBOOST = {"iterations": 4, "depth": 3, "verbose": 0, "thread_count": 1, "allow_writing_files": False}


def forest():
    return XGBClassifier(n_estimators=3, max_depth=3, min_child_weight=0)


def values():
    return XGBRegressor(n_estimators=3, max_depth=3)


# Classes that are made of others: boosters stand in them, so that what is absent must reach those.
MADE = {
    "CalibratedClassifierCV": lambda cls: cls(forest(), cv=2),
    "TransformedTargetRegressor": lambda cls: cls(values()),
    "AdaBoostClassifier": lambda cls: cls(forest(), n_estimators=2),
    "AdaBoostRegressor": lambda cls: cls(values(), n_estimators=2, random_state=0),
    "BaggingClassifier": lambda cls: cls(forest(), n_estimators=2, max_features=0.7, random_state=0),
    "BaggingRegressor": lambda cls: cls(values(), n_estimators=2, max_features=0.7, random_state=0),
    "StackingClassifier": lambda cls: cls([("a", forest()), ("b", linear_model.LogisticRegression())], forest(), cv=2,
                                          passthrough=True),
    "StackingRegressor": lambda cls: cls([("a", values()), ("b", linear_model.Ridge())], values(), cv=2, passthrough=True),
    "VotingClassifier": lambda cls: cls([("a", forest()), ("b", linear_model.LogisticRegression())], voting="soft"),
    "VotingRegressor": lambda cls: cls([("a", values()), ("b", linear_model.Ridge())]),
    "OneVsRestClassifier": lambda cls: cls(forest()),
    "OneVsOneClassifier": lambda cls: cls(forest()),
    "ClassifierChain": lambda cls: cls(forest()),
    "RegressorChain": lambda cls: cls(values()),
    "MultiOutputClassifier": lambda cls: cls(forest()),
    "MultiOutputRegressor": lambda cls: cls(values()),
    "GridSearchCV": lambda cls: cls(forest(), {"max_depth": [2, 3]}, cv=2),
    "RandomizedSearchCV": lambda cls: cls(forest(), {"max_depth": [2, 3]}, n_iter=2, cv=2, random_state=0),
    "HalvingGridSearchCV": lambda cls: cls(forest(), {"max_depth": [2, 3]}, cv=2, random_state=0),
    "HalvingRandomSearchCV": lambda cls: cls(forest(), {"max_depth": [2, 3]}, cv=2, random_state=0),
    "RFE": lambda cls: cls(forest(), n_features_to_select=4),
    "RFECV": lambda cls: cls(forest(), cv=2, min_features_to_select=3),
    "SelectFromModel": lambda cls: cls(ensemble.RandomForestClassifier(5, random_state=0)),
    "SequentialFeatureSelector": lambda cls: cls(tree.DecisionTreeClassifier(max_depth=2), n_features_to_select=3, cv=2),
    "Pipeline": lambda cls: cls([("same", preprocessing.MaxAbsScaler()), ("model", forest())]),
    "FeatureUnion": lambda cls: cls([("same", preprocessing.MaxAbsScaler()), ("unit", preprocessing.Normalizer())]),
    "ColumnTransformer": lambda cls: cls([("same", preprocessing.MaxAbsScaler(), [0, 2]), ("rest", "passthrough", [3, 1])]),
    # Parameters that sparse matrices ask for.
    "GenericUnivariateSelect": lambda cls: cls(mode="k_best", param=4),
    "SelectKBest": lambda cls: cls(k=4),
    "StandardScaler": lambda cls: cls(with_mean=False),
    "RobustScaler": lambda cls: cls(with_centering=False),
    "FunctionTransformer": lambda cls: cls(np.arctan, feature_names_out="one-to-one"),
    "CatBoostClassifier": lambda cls: cls(**CATBOOST),
    "CatBoostRegressor": lambda cls: cls(**CATBOOST),
    "NuSVC": lambda cls: cls(nu=0.2, gamma=0.1),
    "PCA": lambda cls: cls(2, svd_solver="arpack", random_state=0),
    "SimpleImputer": lambda cls: cls(strategy="median"),
    "TfidfTransformer": lambda cls: cls(),
}
# Not among them: what takes texts, cells or labels, one column or none, and what another class makes.
OTHER = {"CountVectorizer", "HashingVectorizer", "TfidfVectorizer", "OneHotEncoder", "OrdinalEncoder", "LabelEncoder",
         "LabelBinarizer", "IsotonicRegression", "FrozenEstimator", "_ConstantPredictor", "Booster", "CatBoostRanker", "LGBMRanker", "XGBRanker",
         "CatBoost"}


def known():
    """The classes of `foretell classes` that the installed libraries have, by name."""
    found = {}
    for line in ftl.run("classes").stdout.splitlines():
        module, _, name = line.split()[-1].rpartition(".")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if module == "sklearn.model_selection":
                    importlib.import_module("sklearn.experimental.enable_halving_search_cv")
                cls = getattr(importlib.import_module(module), name, None)
        except ImportError:
            cls = None
        if cls is not None and name not in OTHER:
            found[name] = cls
    return found


KNOWN = known()


def made(name):
    """A small one of the class."""
    cls = KNOWN[name]
    if name in MADE:
        return MADE[name](cls)
    takes = inspect.signature(cls.__init__).parameters
    every = any(p.kind == p.VAR_KEYWORD for p in takes.values())
    few = {key: value for key, value in FEW.items() if key in takes}
    if name.startswith(("LGBM", "XGB")):
        few = {"n_estimators": 3, "max_depth": 3, **({"verbose": -1, "min_child_samples": 5} if "LGBM" in name else {})}
    assert takes or every
    return cls(**few)


def target(rng, name, x):
    """What the class learns from these rows."""
    z = (x.city.isin(["Oslo", "Lima"]) * 1.5 + x.visits * 0.4 + np.nan_to_num(x.gaps) + x.text.str.len() / 20
         + rng.normal(size=len(x)) * 0.3).to_numpy()
    several = np.column_stack([z, -z + rng.normal(size=len(x))])
    if name in ("ClassifierChain", "MultiOutputClassifier"):
        return (several > np.median(several, axis=0)).astype(int)
    if name in ("RegressorChain", "MultiOutputRegressor") or name.startswith("MultiTask"):
        return several
    regressor = name.endswith(("Regressor", "SVR", "Regression", "CV")) and "Search" not in name or name in (
        "ARDRegression", "ElasticNet", "Lars", "Lasso", "LassoLars", "LassoLarsIC", "OrthogonalMatchingPursuit", "Ridge")
    if regressor and name not in ("LogisticRegression", "LogisticRegressionCV", "CalibratedClassifierCV", "RFECV",
                                  "RidgeClassifierCV"):
        return np.exp(z / 3) if name in ("GammaRegressor", "PoissonRegressor", "TweedieRegressor") else z
    return np.digitize(z, np.quantile(z, [0.4, 0.7] if name in ("OneVsOneClassifier", "OneVsRestClassifier") else [0.5]))


def refuses(error):
    """Whether the library refuses the matrix because it is sparse, or would make it dense."""
    return any(word in str(error).lower() for word in ("sparse", "dense"))


def fitted(producer, name, seed, gaps):
    """A pipeline of the two and rows for it; None when the class does not take sparse matrices."""
    rng = np.random.default_rng(seed)
    x = table(rng, 60, gaps)
    model = pipeline.make_pipeline(PRODUCERS[producer](), made(name))
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            model.fit(x, target(rng, name, x))
    except (TypeError, ValueError) as error:
        if not refuses(error):
            raise
        return None, None
    return model, x.iloc[rng.permutation(len(x))[:16]].reset_index(drop=True)


def inner(model):
    """The model and all that it is made of."""
    yield model
    for value in list(getattr(model, "__dict__", {}).values()):
        for part in value if isinstance(value, (list, tuple)) else [value]:
            if hasattr(part, "get_params") and not isinstance(part, type):
                yield from inner(part)


@pytest.fixture(autouse=True)
def facts(monkeypatch):
    """What cannot be told of a sparse matrix by the rules for dense ones."""
    describe = diff.description

    def described(model, x, method):
        case = describe(model, x, method)
        return dict(case, single=case["single"] or any(type(part).__module__.startswith("xgboost") for part in inner(model[-1])))
    monkeypatch.setattr(diff, "description", described)
    monkeypatch.setattr(diff.cases, "linear_scale", lambda model, x: [10.0] * len(x))
