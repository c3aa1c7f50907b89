"""Matrices that the library holds sparse in front of every estimator that takes them.

Each estimator has a rule of its own for what such a matrix does not store: XGBoost takes it for missing, all others for
zero; scalers do not centre it, imputers and vectorizers leave zeros that are stored.  Every class that the program knows
stands here, in TAKES or in OTHER.
"""

import inspect
import warnings

import classes
import differential as diff
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn import (calibration, compose, ensemble, feature_selection, impute, linear_model, model_selection, multiclass,
                     multioutput, pipeline, preprocessing, tree)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.metrics import pairwise_distances
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
                                             feature_selection.VarianceThreshold(0.1)),
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
    "FixedThresholdClassifier": lambda cls: cls(forest(), threshold=0.4),
    "TunedThresholdClassifierCV": lambda cls: cls(forest(), cv=2, random_state=0),
    "LocalOutlierFactor": lambda cls: cls(5, novelty=True),
    "MissingIndicator": lambda cls: cls(features="all"),
    "Pipeline": lambda cls: cls([("same", preprocessing.MaxAbsScaler()), ("model", forest())]),
    "FeatureUnion": lambda cls: cls([("same", preprocessing.MaxAbsScaler()), ("unit", preprocessing.Normalizer())]),
    "ColumnTransformer": lambda cls: cls([("same", preprocessing.MaxAbsScaler(), [0, 2]), ("rest", "passthrough", [3, 1])]),
    # Parameters that sparse matrices ask for.
    "GenericUnivariateSelect": lambda cls: cls(mode="k_best", param=4),
    "SelectKBest": lambda cls: cls(k=4),
    "StandardScaler": lambda cls: cls(with_mean=False),
    "RobustScaler": lambda cls: cls(with_centering=False),
    "FunctionTransformer": lambda cls: cls(np.arctan, feature_names_out="one-to-one"),
    "CatBoostClassifier": lambda cls: cls(**classes.CATBOOST),
    "CatBoostRegressor": lambda cls: cls(**classes.CATBOOST),
    "NuSVC": lambda cls: cls(nu=0.2, gamma=0.1),
    "PCA": lambda cls: cls(2, svd_solver="arpack", random_state=0),
    "SimpleImputer": lambda cls: cls(strategy="median"),
    "TfidfTransformer": lambda cls: cls(),
}
# Not among them: what takes texts, cells or labels, one column or none, and what another class makes; and, by a test of its
# own, what the program refuses.
OTHER = {"QuantileTransformer", "CountVectorizer", "DictVectorizer", "HashingVectorizer", "TfidfVectorizer", "OneHotEncoder",
         "OrdinalEncoder", "LabelEncoder", "LabelBinarizer", "IsotonicRegression", "FrozenEstimator", "_ConstantPredictor", "Booster", "xgboost.Booster", "CatBoostRanker", "LGBMRanker", "XGBRanker",
         "CatBoost"}

# Classes that refuse sparse matrices.
REFUSE = {"ARDRegression", "BayesianGaussianMixture", "BayesianRidge", "CategoricalNB", "GaussianMixture", "GaussianNB",
          "HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "IterativeImputer", "KBinsDiscretizer",
          "KNNImputer", "Lars", "LarsCV", "LassoLars", "LassoLarsCV", "LassoLarsIC", "LinearDiscriminantAnalysis", "MinMaxScaler", "OrthogonalMatchingPursuit",
          "OrthogonalMatchingPursuitCV", "PowerTransformer", "QuadraticDiscriminantAnalysis", "SplineTransformer",
          "TargetEncoder", "TheilSenRegressor"}

# Packages whose classes take tables.
TABLES = ("category_encoders", "sklearn_pandas", "sklearn2pmml")
KNOWN = {name: cls for name, cls in classes.known().items()
         if name not in OTHER and not cls.__module__.startswith(TABLES)}


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
                                  "RidgeClassifierCV", "TunedThresholdClassifierCV"):
        return np.exp(z / 3) if name in ("GammaRegressor", "PoissonRegressor", "TweedieRegressor") else z
    return np.digitize(z, np.quantile(z, [0.4, 0.7] if name in ("OneVsOneClassifier", "OneVsRestClassifier") else [0.5]))


def refuses(error):
    """Whether the library refuses the matrix: because it is sparse, for its negative numbers, its width or its rank."""
    return any(word in str(error).lower() for word in ("sparse", "dense", "negative values", "n_components cannot",
                                                       "number of atoms", "not full rank"))


def fitted(producer, name, seed, gaps, *behind):
    """A pipeline of the two and what stands behind, and rows for it; None when the class refuses the matrix."""
    rng = np.random.default_rng(seed)
    x = table(rng, 60, gaps)
    if name.endswith("NB"):  # counts
        x["size"], x["gaps"] = x["size"].abs(), x["gaps"].abs()
    model = pipeline.make_pipeline(PRODUCERS[producer](), made(name), *behind)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            model.fit(x, target(rng, name, x))
    except (TypeError, ValueError) as error:
        if not refuses(error):
            raise
        return None, None
    return model, x.iloc[rng.permutation(len(x))[:16]].reset_index(drop=True)


@pytest.fixture(autouse=True)
def facts(monkeypatch):
    """What the rules for dense matrices cannot tell of a pipeline behind a sparse one."""
    monkeypatch.setattr(diff, "description", classes.described)
    monkeypatch.setattr(diff.cases, "linear_scale", lambda model, x, *_: [10.0] * len(x))


def nameless(producer):
    """Hashes have no names, so that the columns of what stands behind have none."""
    return producer in ("hashes", "signs")


def takes_sparse(model, method, rows):
    """Whether the method takes what reaches the class: PCA's score_samples refuses what its transform takes."""
    try:
        getattr(model, method)(rows)
    except TypeError as error:
        return "Sparse data was passed" not in str(error)
    except ValueError:
        pass  # some row is refused
    return True


# Rows that are as far from several points: which of these are the nearest is the library's choice.
EQUAL_DISTANCES = {"plain codes", "signs"}
BY_DISTANCE = {"LocalOutlierFactor", "KNeighborsClassifier", "KNeighborsRegressor"}


def tied(model, rows):
    """Whether some row is as far from several points."""
    def dense(x):
        return x.toarray() if hasattr(x, "toarray") else np.asarray(x)
    distances = np.sort(pairwise_distances(dense(model[:-1].transform(rows)), dense(model[-1]._fit_X)), axis=1)[:, :12]
    return bool((np.diff(distances, axis=1) < 1e-6).any())


def check(producer, name, seed, gaps=False):
    """Every method of the class behind the producer; of a transformer also what a booster makes of its result."""
    model, rows = fitted(producer, name, seed, gaps)
    if model is None:
        return False
    if name in BY_DISTANCE and tied(model, rows) or hasattr(model[-1], "get_support") and not model[-1].get_support().any():
        return True  # the library's choice; and a selector that keeps no column is refused by name
    transforms = hasattr(model[-1], "transform") and not hasattr(model[-1], "predict")
    if not (transforms and nameless(producer)):
        methods = [m for m in diff.offered(model) if takes_sparse(model, m, rows)]
        diff.compare(model, rows, [m for m in methods if m != "transform"] if nameless(producer) else methods)
    if transforms and not (name == "PolynomialFeatures" and producer in STORED_ZEROS):
        flags = [preprocessing.MaxAbsScaler()] if name == "MissingIndicator" else []  # XGBoost takes no bools
        model, rows = fitted(producer, name, seed, gaps, *flags, forest())
        if model is not None:
            diff.compare(model, rows)
    return True


def turn(name, choices, shift=0):
    """One of the choices, another for each class."""
    return choices[(sorted(KNOWN).index(name) * 5 + shift) % len(choices)]


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_behind_a_sparse_matrix(name):
    """A class behind producers of which it takes one at least, unless it refuses them all."""
    producers = [p for p in PRODUCERS if not (name in BY_DISTANCE and p in EQUAL_DISTANCES)]
    if diff.LONG:
        took = [check(producer, name, seed) for producer in producers for seed in (1, 2)]
    else:
        took = [check(turn(name, producers), name, 1)]
        took += [check("plain codes", name, 1)] if not took[0] else []
    assert any(took) or name in REFUSE


BOOSTERS = [name for name in sorted(KNOWN) if name.startswith(("XGB", "LGBM", "CatBoost"))]


@pytest.mark.parametrize("producer", PRODUCERS)
def test_boosters(producer):
    """What is absent is missing to XGBoost, and zero to LightGBM and CatBoost."""
    for name in ["XGBClassifier", "XGBRegressor", *(BOOSTERS if diff.LONG else [])]:
        assert check(producer, name, 3)
    assert check(producer, turn("LGBMClassifier", BOOSTERS, list(PRODUCERS).index(producer)), 3)


@pytest.mark.parametrize("producer", WITH_GAPS)
def test_boosters_with_missing_numbers(producer):
    for name in BOOSTERS if diff.LONG else ["XGBClassifier", turn("LGBMClassifier", BOOSTERS, len(producer))]:
        assert check(producer, name, 4, gaps=True)


@pytest.mark.parametrize("producer", STORED_ZEROS)
@pytest.mark.parametrize("name", ["AdaBoostClassifier", "BaggingClassifier", "ClassifierChain", "StackingClassifier",
                                  "StackingRegressor", "FunctionTransformer", "MaxAbsScaler", "Normalizer", "SelectKBest",
                                  "ColumnTransformer", "FeatureUnion", "Binarizer"])
def test_zeros_that_are_stored(producer, name):
    """Zeros that a matrix stores reach boosters as zeros, whatever hands them on."""
    assert check(producer, name, 5)


@pytest.mark.parametrize("producer", STORED_ZEROS)
def test_zeros_that_nobody_can_tell_are_refused(producer, tmp_path):
    """Products of matrices that store zeros: which products are stored is not known, and XGBoost would ask."""
    model, _ = fitted(producer, "PolynomialFeatures", 5, False, forest())
    process = diff.run(diff.write_model(model, tmp_path), tmp_path / "none.csv", tmp_path / "out.csv")
    assert process.returncode == 3 and "UNSUPPORTED" in process.stderr and "sparse" in process.stderr, process.stderr


@pytest.mark.parametrize("transformer", [preprocessing.QuantileTransformer(n_quantiles=10),
                                         preprocessing.FunctionTransformer(np.cos, validate=True, accept_sparse=True)])
def test_transformers_without_a_form_for_sparse_matrices_are_refused(transformer, tmp_path):
    rng = np.random.default_rng(5)
    model = pipeline.make_pipeline(PRODUCERS["plain codes"](), forest()).fit(table(rng, 40), np.arange(40) % 2)
    model.steps.insert(1, ("transformer", transformer.fit(abs(rng.normal(size=(40, model[-1].n_features_in_))))))
    process = diff.run(diff.write_model(model, tmp_path), tmp_path / "none.csv", tmp_path / "out.csv")
    assert process.returncode == 3 and "UNSUPPORTED" in process.stderr and "sparse" in process.stderr, process.stderr


@pytest.mark.parametrize("producer", WITH_GAPS)
def test_missing_numbers_in_isolation_forests(producer):
    """Kind: trees of sparse matrices compare NaN like any number; which way missing values go is for dense ones."""
    rng = np.random.default_rng(11)
    x = table(rng, 80, gaps=True)
    model = pipeline.make_pipeline(PRODUCERS[producer](), ensemble.IsolationForest(n_estimators=5, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x)
    diff.compare(model, x.iloc[:30])


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_norms_that_are_nearly_nothing(norm):
    """Kind: rows of sparse matrices are divided by any norm but 0, those of dense ones by none below 1e-15."""
    rows = pd.DataFrame({"city": ["Oslo", "else", "else", "else"], "visits": 0, "size": [1.0, 1e-30, 0.0, -1e-17], "gaps": 0.0})
    for threshold in (0, 1.0):
        columns = compose.ColumnTransformer([("codes", encoder(), ["city"]), ("numbers", "passthrough", ["visits", "size", "gaps"])],
                                            sparse_threshold=threshold)
        model = pipeline.make_pipeline(columns, preprocessing.Normalizer(norm))
        diff.compare(model.fit(table(np.random.default_rng(12), 40)), rows)


@pytest.mark.parametrize("missing", [0, 1.0, -1.5, np.nan])
@pytest.mark.parametrize("producer", ["codes", "hashes", "imputed", "union"])
def test_missing_parameter(producer, missing):
    """XGBoost's missing= names stored numbers that are missing as well."""
    rng = np.random.default_rng(6)
    x = table(rng, 60)
    x.loc[x.index % 3 == 0, "gaps"] = -1.5
    model = pipeline.make_pipeline(PRODUCERS[producer](), XGBClassifier(n_estimators=4, max_depth=3, missing=missing))
    model.fit(x, target(rng, "XGBClassifier", x))
    diff.compare(model, x.iloc[:20])


def test_density_decides_what_a_column_transformer_makes():
    """sparse_threshold is compared once, while fitting: single rows are what all rows were."""
    rng = np.random.default_rng(7)
    x = table(rng, 60)
    met = set()
    for threshold in (0, 0.2, 0.3, 0.5, 1):
        columns = compose.ColumnTransformer([("codes", encoder(), ["city"]), ("numbers", "passthrough", ["size", "visits"])],
                                            sparse_threshold=threshold)
        model = pipeline.make_pipeline(columns, forest()).fit(x, target(rng, "XGBClassifier", x))
        met.add(model[0].sparse_output_)
        diff.compare(model, x.iloc[:12], ["predict_proba"])
        diff.compare(model, x.iloc[[3]], ["predict_proba"])
    assert met == {True, False}


def test_results_do_not_depend_on_blocks():
    rng = np.random.default_rng(8)
    x = table(rng, 300)
    model = pipeline.make_pipeline(PRODUCERS["imputed"](), forest()).fit(x, target(rng, "XGBClassifier", x))
    diff.same_bytes(model, x, "predict_proba", [], ["--batch-size", "7"], ["--threads", "3", "--batch-size", "64"])


# ---- Which method a parent asks for -----------------------------------------------------------------------


PARENTS = {
    "calibrated": lambda child: calibration.CalibratedClassifierCV(child, cv=2),
    "isotonic": lambda child: calibration.CalibratedClassifierCV(child, cv=2, method="isotonic"),
    "one": lambda child: multiclass.OneVsOneClassifier(child),
    "rest": lambda child: multiclass.OneVsRestClassifier(child),
    "stacked": lambda child: ensemble.StackingClassifier([("a", child)], cv=2),
    "chain": lambda child: multioutput.ClassifierChain(child, chain_method="decision_function"),
    "bag": lambda child: ensemble.BaggingClassifier(child, n_estimators=2, random_state=0),
    "vote": lambda child: ensemble.VotingClassifier([("a", child)], voting="soft"),
    "search": lambda child: model_selection.GridSearchCV(child, {"max_depth": [2]}, cv=2),
    "piped": lambda child: calibration.CalibratedClassifierCV(pipeline.make_pipeline(preprocessing.StandardScaler(), child),
                                                              cv=2),
    "outputs": lambda child: multioutput.MultiOutputClassifier(child),
}


@pytest.mark.parametrize("name", PARENTS)
@pytest.mark.parametrize("several", [False, True])
def test_parents_of_lightgbm(name, several):
    """LightGBM's classifier has decision_function from 4.7 on, which parents prefer to its probabilities."""
    rng = np.random.default_rng(9)
    x = rng.normal(size=(90, 4))
    y = np.digitize(x[:, 0] + rng.normal(size=90) * 0.3, [-0.4, 0.5] if several else [0])
    y = np.column_stack([y > 0, x[:, 1] > 0]).astype(int) if name in ("chain", "outputs") else y
    model = PARENTS[name](LGBMClassifier(n_estimators=4, max_depth=3, min_child_samples=5, verbose=-1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x, y)
    diff.compare(model, x[:20])


def test_decision_function_of_lightgbm():
    rng = np.random.default_rng(10)
    x = rng.normal(size=(90, 4))
    for edges in ([0], [-0.4, 0.5]):
        model = LGBMClassifier(n_estimators=4, max_depth=3, verbose=-1).fit(x, np.digitize(x[:, 0], edges))
        assert hasattr(model, "decision_function")
        diff.compare(model, x[:20], ["predict", "predict_proba", "decision_function"])
