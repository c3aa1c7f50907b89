"""Linear models and the dummy estimators."""
import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import (ElasticNet, ElasticNetCV, HuberRegressor, Lasso, LassoCV, LinearRegression,
                                  LogisticRegression, LogisticRegressionCV, PassiveAggressiveClassifier,
                                  PassiveAggressiveRegressor, Perceptron, Ridge, RidgeClassifier,
                                  RidgeClassifierCV, RidgeCV, SGDClassifier, SGDRegressor)
from sklearn.svm import LinearSVC, LinearSVR

from case_data import (ROWS, WEIGHT, X, Y_3, Y_BIG, Y_BIN, Y_BOOL, Y_FLOAT, Y_MULTI, Y_MULTI_STR, Y_NEG, Y_OBJ,
                       Y_REG, Y_REG2, Y_STR, Y_STR3, Input, named)

# Columns of one size, so that the iterative solvers converge quickly and alike everywhere.
CENTRE, SPREAD = np.array([0, 40, 0, 1000, 3.0]), np.array([1, 10, 0.125, 100, 1.0])
XS = (X - CENTRE) / SPREAD
UNIT = Input("unit", np.vstack([(ROWS[:12] - CENTRE) / SPREAD, ROWS[12:14], [[3e8, -7, 1e-9, 40, -0.0]]]))
UNIT32 = Input("unit32", UNIT.x.astype(np.float32), form="npy")


def add_cases(c):
    _regressors(c)
    _least_squares_classifiers(c)
    _logistic(c)
    _sgd(c)
    _dummy(c)


def _regressors(c):
    c.add("linreg", lambda: LinearRegression(), X, Y_REG, on=["num", "npy", "npyF", "f32", "i64", "big", "one"],
          raises=["nan", "inf"])
    c.add("linreg_named", lambda: LinearRegression(), named(X), Y_REG, on=["named"])
    c.add("linreg_nointercept", lambda: LinearRegression(fit_intercept=False), X, Y_REG)
    c.add("linreg_multi", lambda: LinearRegression(), X, Y_REG2, on=["num", "f32"])
    c.add("linreg_fit32", lambda: LinearRegression(), X.astype(np.float32), Y_REG.astype(np.float32),
          on=["num", "f32"])
    c.add("linreg_weighted", lambda: LinearRegression(), X, Y_REG, fit={"sample_weight": WEIGHT})
    c.add("ridge", lambda: Ridge(alpha=2.0), X, Y_REG, on=["num", "f32"], raises=["nan"])
    c.add("ridge_multi", lambda: Ridge(alpha=np.array([1.0, 3.0])), X, Y_REG2)
    c.add("ridgecv", lambda: RidgeCV(alphas=[0.1, 1.0, 10.0]), X, Y_REG)
    c.add("lasso", lambda: Lasso(alpha=0.1), X, Y_REG, on=["num", "f32"])
    c.add("lasso_multi", lambda: Lasso(alpha=0.05), X, Y_REG2)
    c.add("elasticnet", lambda: ElasticNet(alpha=0.1, l1_ratio=0.3), X, Y_REG)
    alphas = [0.01, 0.1, 1.0]
    c.add("lassocv", lambda: LassoCV(alphas=alphas, cv=3), X, Y_REG)
    c.add("elasticnetcv", lambda: ElasticNetCV(alphas=alphas, cv=3, l1_ratio=[0.2, 0.7]), X, Y_REG)
    c.add("linearsvr", lambda: LinearSVR(random_state=0, max_iter=20000), XS, Y_REG, on=[UNIT, UNIT32])
    c.add("linearsvr_l2", lambda: LinearSVR(random_state=0, loss="squared_epsilon_insensitive", dual=False),
          XS, Y_REG, on=[UNIT])
    c.add("huber", lambda: HuberRegressor(), XS, Y_REG, on=[UNIT])


def _least_squares_classifiers(c):
    c.add("ridgeclf", lambda: RidgeClassifier(), X, Y_STR, on=["num", "f32"])
    c.add("ridgeclf_3", lambda: RidgeClassifier(class_weight="balanced"), X, Y_STR3)
    if c.since(1, 0):
        c.add("ridgeclf_multilabel", lambda: RidgeClassifier(), X, np.column_stack([Y_BIN, Y_BIN[::-1]]))
    c.add("ridgeclfcv", lambda: RidgeClassifierCV(alphas=[0.1, 1.0]), X, Y_3)
    c.add("linearsvc", lambda: LinearSVC(random_state=0, max_iter=20000), XS, Y_STR, on=[UNIT, UNIT32])
    c.add("linearsvc_3", lambda: LinearSVC(random_state=0, max_iter=20000, C=0.1), XS, Y_OBJ, on=[UNIT])
    c.add("linearsvc_crammer", lambda: LinearSVC(random_state=0, multi_class="crammer_singer"), XS, Y_BIG, on=[UNIT])
    c.add("linearsvc_l1", lambda: LinearSVC(random_state=0, penalty="l1", dual=False, fit_intercept=False), XS, Y_NEG,
          on=[UNIT])


def _logistic(c):
    def logistic(**more):
        more.setdefault("solver", "lbfgs")
        more.setdefault("max_iter", 500)
        if c.since(1, 8):  # the penalty is told by l1_ratio and C from here on
            penalty = more.pop("penalty", "l2")
            if penalty == "l1":
                more["l1_ratio"] = 1.0
            elif penalty == "none":
                more["C"] = np.inf
        elif more.get("penalty") == "none" and c.since(1, 2):
            more["penalty"] = None
        return LogisticRegression(**more)

    both = [UNIT, UNIT32]
    for name, y in [("int", Y_BIN), ("str", Y_STR), ("bool", Y_BOOL), ("neg", Y_NEG), ("float", Y_FLOAT)]:
        c.add("logreg_" + name, lambda: logistic(), XS, y, on=both if name == "int" else [UNIT], log=name == "str")
    for name, y in [("int", Y_3), ("str", Y_STR3), ("obj", Y_OBJ), ("big", Y_BIG), ("i8", Y_3.astype(np.int8))]:
        c.add("logreg3_" + name, lambda: logistic(), XS, y, on=both if name == "int" else [UNIT], log=name == "str")
    c.add("logreg_raw", lambda: logistic(solver="liblinear"), X, Y_BIN, on=["num", "f32", "big"],
          raises=["nan", "inf"])
    c.add("logreg_liblinear3", lambda: logistic(solver="liblinear"), XS, Y_STR3,
          on=[UNIT]) if not c.since(1, 8) else None  # liblinear is binary only from 1.8 on
    c.add("logreg_l1", lambda: logistic(solver="liblinear", penalty="l1", random_state=0), XS, Y_STR, on=[UNIT])
    c.add("logreg_saga", lambda: logistic(solver="saga", penalty="l1", C=0.5, random_state=0), XS, Y_STR3, on=[UNIT])
    c.add("logreg_weight", lambda: logistic(class_weight={0: 1.0, 1: 3.5}, fit_intercept=False), XS, Y_BIN,
          on=[UNIT], fit={"sample_weight": WEIGHT})
    if not c.since(1, 8):
        c.add("logreg_multinomial2", lambda: logistic(multi_class="multinomial"), XS, Y_STR, on=both, log=True)
        c.add("logreg_multinomial3", lambda: logistic(multi_class="multinomial"), XS, Y_STR3, on=[UNIT])
        c.add("logreg_ovr3", lambda: logistic(multi_class="ovr"), XS, Y_STR3, on=both, log=True)
        c.add("logreg_ovr2", lambda: logistic(multi_class="ovr"), XS, Y_BIN, on=[UNIT])
        c.add("logreg_auto3", lambda: logistic(multi_class="auto"), XS, Y_3, on=[UNIT])
        c.add("logreg_auto2", lambda: logistic(multi_class="auto"), XS, Y_3 > 0, on=[UNIT])
        c.add("logreg_auto_liblinear3", lambda: logistic(multi_class="auto", solver="liblinear"), XS, Y_3, on=[UNIT])
    c.add("logreg_none", lambda: logistic(penalty="none", C=1.0), XS, Y_REG > 2, on=[UNIT]) if c.since(0, 22) else None

    # coef_ as a csr matrix
    c.add("logreg_sparsify", lambda: logistic(solver="liblinear", penalty="l1", C=0.3, random_state=0).fit(
        XS, Y_STR).sparsify(), XS, fitted=True, on=both)

    def cv(**more):
        more.update(Cs=[0.1, 1.0], cv=3, max_iter=500)
        if c.since(1, 8):
            more.update(l1_ratios=(0.0,), use_legacy_attributes=True)
        return LogisticRegressionCV(**more)
    c.add("logregcv", lambda: cv(), XS, Y_STR, on=[UNIT])
    c.add("logregcv_3", lambda: cv(), XS, Y_STR3, on=[UNIT])
    if not c.since(1, 8):
        c.add("logregcv_ovr", lambda: cv(multi_class="ovr"), XS, Y_STR3, on=[UNIT])
        c.add("logregcv_multinomial", lambda: cv(multi_class="multinomial"), XS, Y_STR3, on=[UNIT])


def _sgd(c):
    log_loss = c.pick((1, 1), "log_loss", "log")
    squared = c.pick((1, 0), "squared_error", "squared_loss")

    def sgd(**more):
        return SGDClassifier(random_state=0, max_iter=30, tol=None, **more)

    for loss in ["hinge", log_loss, "modified_huber", "squared_hinge", "perceptron", "huber"]:
        name = "log" if loss == log_loss else loss
        c.add("sgd_%s" % name, lambda: sgd(loss=loss), XS, Y_STR, on=[UNIT, UNIT32] if name == "log" else [UNIT],
              log=name == "log")
        if name in ("hinge", "log", "modified_huber"):
            c.add("sgd3_%s" % name, lambda: sgd(loss=loss), XS, Y_STR3, on=[UNIT])
    c.add("sgd3_sparsify", lambda: sgd(penalty="l1", alpha=0.02).fit(XS, Y_STR3).sparsify(), XS, fitted=True,
          on=[UNIT])
    c.add("sgd_average", lambda: sgd(loss=log_loss, average=True, penalty="elasticnet"), XS, Y_3, on=[UNIT])
    # loose weights drive every modified-Huber score below -1: probabilities of all-zero rows become uniform
    c.add("sgd3_huber_zero", lambda: sgd(loss="modified_huber", alpha=1e-6), XS, Y_BIG, on=[UNIT], log=True)
    c.add("sgdreg", lambda: SGDRegressor(random_state=0, max_iter=30, tol=None, loss=squared), XS, Y_REG, on=[UNIT])
    c.add("sgdreg_huber", lambda: SGDRegressor(random_state=0, max_iter=30, tol=None, loss="huber", average=5),
          XS, Y_REG, on=[UNIT, UNIT32])
    c.add("perceptron", lambda: Perceptron(random_state=0, max_iter=30, tol=None), XS, Y_STR3, on=[UNIT])
    c.add("perceptron_2", lambda: Perceptron(random_state=0, max_iter=30, tol=None, penalty="l2"), XS, Y_BOOL,
          on=[UNIT])
    if not c.since(1, 8):  # deprecated there
        c.add("passive_clf", lambda: PassiveAggressiveClassifier(random_state=0, max_iter=30, tol=None), XS, Y_STR,
              on=[UNIT])
        c.add("passive_reg", lambda: PassiveAggressiveRegressor(random_state=0, max_iter=30, tol=None), XS, Y_REG,
              on=[UNIT])


def _dummy(c):
    for strategy in ["most_frequent", "prior"]:
        c.add("dummy_" + strategy, lambda: DummyClassifier(strategy=strategy), X, Y_STR3, on=["one", "f32"], log=True)
    c.add("dummy_constant", lambda: DummyClassifier(strategy="constant", constant="yes"), X, Y_STR, on=["one"])
    # drawn at prediction time, from a seed in the file: probabilities of `uniform` alone are the same every time
    c.add("dummy_uniform", lambda: DummyClassifier(strategy="uniform", random_state=0), X, Y_STR3, on=["one"],
          methods=["predict_proba"])
    c.add("dummy_multi", lambda: DummyClassifier(strategy="prior"), X, Y_MULTI, on=["num"])
    c.add("dummy_multi_str", lambda: DummyClassifier(strategy="most_frequent"), X, Y_MULTI_STR, on=["one"])
    c.add("dummy_one_class", lambda: DummyClassifier(strategy="prior"), X, np.ones(60, dtype=int), on=["one"])
    c.add("dummy_nan", lambda: DummyClassifier(strategy="prior"), X, Y_BIN, on=["nan"])
    for strategy in ["mean", "median", "quantile", "constant"]:
        more = {"quantile": {"quantile": 0.7}, "constant": {"constant": 3}}.get(strategy, {})
        c.add("dummyreg_" + strategy, lambda: DummyRegressor(strategy=strategy, **more), X, Y_REG, on=["one"])
    c.add("dummyreg_multi", lambda: DummyRegressor(), X, Y_REG2, on=["one", "f32"])
