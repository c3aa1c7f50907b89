"""Linear models that are saved more rarely, and what wraps models: chains, searches by halving, feature search."""
import numpy as np
from sklearn import linear_model as lm
from sklearn.multioutput import RegressorChain
from sklearn.tree import DecisionTreeRegressor

from case_data import X, Y_3, Y_COUNT, Y_POS, Y_REG, Y_REG2, Input, named
from case_discrete import FEW
from case_linear import UNIT, UNIT32, XS

NEAR = Input("near", UNIT.x[:12])  # for models that take the exponential


def add_cases(c):
    _least_angles(c)
    _bayesian(c)
    _several_targets(c)
    _generalized(c)
    _chains(c)
    if c.since(0, 24):
        _searches(c)
    if c.since(1, 0):
        c.add("quantile", lambda: lm.QuantileRegressor(quantile=0.7, alpha=0.01, solver="highs"), XS, Y_REG, on=[UNIT])
        c.add("one_class", lambda: lm.SGDOneClassSVM(nu=0.2, random_state=0, max_iter=30, tol=None), XS,
              on=[UNIT, UNIT32], methods=["predict", "decision_function"])


def _least_angles(c):
    plain = {} if c.since(1, 2) else {"normalize": False}
    c.add("lars", lambda: lm.Lars(**plain), XS, Y_REG, on=[UNIT, UNIT32], raises=["nan"])
    c.add("lars_2", lambda: lm.Lars(n_nonzero_coefs=3, **plain), XS, Y_REG2, on=[UNIT])
    c.add("lars_cv", lambda: lm.LarsCV(cv=3, **plain), XS, Y_REG, on=[UNIT])
    c.add("lasso_lars", lambda: lm.LassoLars(alpha=0.05, fit_intercept=False, **plain), XS, Y_REG, on=[UNIT])
    c.add("lasso_lars_cv", lambda: lm.LassoLarsCV(cv=3, **plain), XS, Y_REG, on=[UNIT])
    c.add("lasso_lars_ic", lambda: lm.LassoLarsIC(criterion="bic", **plain), XS, Y_REG, on=[UNIT])
    c.add("pursuit", lambda: lm.OrthogonalMatchingPursuit(n_nonzero_coefs=3, **plain), XS, Y_REG, on=[UNIT])
    c.add("pursuit_cv", lambda: lm.OrthogonalMatchingPursuitCV(cv=3, **plain), XS, Y_REG, on=[UNIT])
    if not c.since(1, 2):  # scaled while fitting; the file's coefficients are for columns as they are
        c.add("lars_scaled", lambda: lm.Lars(normalize=True), X, Y_REG, on=[FEW])
        c.add("ridge_scaled", lambda: lm.Ridge(normalize=True), X, Y_REG, on=[FEW])
        c.add("bayesian_scaled", lambda: lm.BayesianRidge(normalize=True), X, Y_REG, on=[FEW])


def _bayesian(c):
    c.add("bayesian", lambda: lm.BayesianRidge(), XS, Y_REG, on=[UNIT, UNIT32], raises=["inf"])
    c.add("relevance", lambda: lm.ARDRegression(), named(XS), Y_REG, on=[Input("unit_named", named(UNIT.x))])
    c.add("theil_sen", lambda: lm.TheilSenRegressor(random_state=0, max_subpopulation=20), XS, Y_REG, on=[UNIT])


def _several_targets(c):
    alphas = [0.01, 0.1]
    c.add("multitask", lambda: lm.MultiTaskLasso(alpha=0.05), XS, Y_REG2, on=[UNIT, UNIT32])
    c.add("multitask_net", lambda: lm.MultiTaskElasticNet(alpha=0.05, l1_ratio=0.3), XS, Y_REG2, on=[UNIT])
    c.add("multitask_cv", lambda: lm.MultiTaskLassoCV(alphas=alphas, cv=3), XS, Y_REG2, on=[UNIT])
    c.add("multitask_net_cv", lambda: lm.MultiTaskElasticNetCV(alphas=alphas, cv=3), XS, Y_REG2, on=[UNIT])


def _generalized(c):
    if not c.since(0, 24):
        return
    c.add("poisson", lambda: lm.PoissonRegressor(alpha=0.1), XS, Y_COUNT, on=[NEAR], raises=["nan"])
    c.add("gamma", lambda: lm.GammaRegressor(alpha=0.1), XS, Y_POS, on=[NEAR])
    for power, y in [(0, Y_REG), (1.5, Y_COUNT), (3, Y_POS)]:
        c.add("tweedie_%s" % power, lambda: lm.TweedieRegressor(power=power, alpha=0.1), XS, y, on=[NEAR])
    c.add("tweedie_log", lambda: lm.TweedieRegressor(power=0, link="log", alpha=0.1), XS, Y_POS, on=[NEAR])


def _chains(c):
    y = np.column_stack([Y_REG2, Y_3])
    c.add("chain", lambda: RegressorChain(lm.Ridge()), XS, y, on=[UNIT])
    c.add("chain_order", lambda: RegressorChain(DecisionTreeRegressor(max_depth=3, random_state=0), order=[2, 0, 1]), X,
          y, on=[FEW])


def _searches(c):
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.feature_selection import SequentialFeatureSelector
    from sklearn.model_selection import HalvingGridSearchCV, HalvingRandomSearchCV
    grid, options = {"alpha": [0.01, 0.1, 1.0, 10.0]}, {"cv": 2, "random_state": 0, "min_resources": 20}
    c.add("halving", lambda: HalvingGridSearchCV(lm.Ridge(), grid, **options), XS, Y_REG, on=[UNIT])
    c.add("halving_random", lambda: HalvingRandomSearchCV(lm.Ridge(), grid, **options), XS, Y_REG, on=[UNIT])
    for direction in ["forward", "backward"]:
        c.add("sequential_" + direction, lambda: SequentialFeatureSelector(
            lm.Ridge(), n_features_to_select=2, direction=direction, cv=2), XS, Y_REG, on=[FEW])
