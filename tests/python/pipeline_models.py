"""Models of random pipelines that are made of no other model, and what each takes and gives."""

import pipelines

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
