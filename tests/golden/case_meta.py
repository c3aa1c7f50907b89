"""Estimators made of other estimators, isolation forests and isotonic regression."""
import numpy as np
from sklearn import ensemble
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from case_data import X, Y_3, Y_BIN, Y_BOOL, Y_OBJ, Y_REG, Y_REG2, Y_STR, Y_STR3, Input, named
from case_dense import FEW, FEW32, UNIT, UNIT32, XS, light

_LINE = np.concatenate([XS[:6, 0], [XS[:, 0].min(), XS[:, 0].max(), 0.0]])
LINE = Input("line", _LINE, table=_LINE.reshape(-1, 1))
LINE32 = Input("line32", _LINE.astype(np.float32), table=_LINE.reshape(-1, 1).astype(np.float32), form="npy")


def tree(depth=2, **more):
    return DecisionTreeClassifier(max_depth=depth, random_state=0, **more)


def value_tree(depth=2):
    return DecisionTreeRegressor(max_depth=depth, random_state=0)


def logistic():
    return LogisticRegression(solver="lbfgs", multi_class="auto") if OLD else LogisticRegression()


OLD = False


def add_cases(c):
    global OLD
    OLD = not c.since(0, 22)

    def add(name, make, x, y=None, **more):
        c.add(name, lambda: light(make().fit(*((x,) if y is None else (x, y)))), x, fitted=True, **more)

    _voting(c, add)
    _bagging(c, add)
    _boosting(c, add)
    if c.since(0, 22):
        _stacking(add)
    _isolation(c, add)
    _calibration(c, add)
    _wrappers(c, add)


def _voting(c, add):
    def parts():
        return [("tree", tree()), ("bayes", GaussianNB()), ("line", make_pipeline(StandardScaler(), logistic()))]

    add("voting_soft", lambda: ensemble.VotingClassifier(parts(), voting="soft", flatten_transform=True), XS, Y_STR3,
        on=[UNIT, UNIT32], raises=["nan"])
    add("voting_weights", lambda: ensemble.VotingClassifier(parts(), voting="soft", weights=[1, 2.5, 0.3],
                                                            flatten_transform=True), XS, Y_STR, on=[UNIT])
    hard = ["predict", "transform"]  # up to 0.21 predict_proba is there to raise
    add("voting_hard", lambda: ensemble.VotingClassifier(parts()), XS, Y_OBJ, on=[UNIT], methods=hard)
    add("voting_hard_weights", lambda: ensemble.VotingClassifier(parts(), weights=[3, 1, 1]), named(X), Y_BIN, on=["named"],
        methods=hard)
    if c.since(0, 22):
        numbers = [("tree", value_tree()), ("gone", "drop"), ("line", LinearRegression())]
        add("voting_regressor", lambda: ensemble.VotingRegressor(numbers), XS, Y_REG, on=[UNIT, UNIT32])
        add("voting_regressor_weights", lambda: ensemble.VotingRegressor(numbers, weights=[1, 7, 0.5]), XS, Y_REG, on=[UNIT])


def _bagging(c, add):
    def bag(base, **more):
        more.setdefault("n_estimators", 3)
        return ensemble.BaggingClassifier(base, random_state=0, **more)

    taken = ["nan"] if c.since(1, 3) else []
    add("bagging", lambda: bag(tree(2)), X, Y_STR3, on=[FEW, FEW32] + taken, raises=[] if taken else ["nan"])
    add("bagging_columns", lambda: bag(logistic(), max_features=0.6, bootstrap_features=True), XS, Y_STR, on=[UNIT], log=True)
    add("bagging_few", lambda: bag(tree(1), max_samples=4), X, Y_OBJ, on=[FEW])
    add("bagging_votes", lambda: bag(Perceptron(max_iter=5, tol=None)), XS, Y_STR3, on=[UNIT])
    add("bagging_regressor", lambda: ensemble.BaggingRegressor(value_tree(), n_estimators=3, max_features=3, random_state=0),
        X, Y_REG, on=[FEW, FEW32])
    add("bagging_two", lambda: ensemble.BaggingRegressor(LinearRegression(), n_estimators=2, random_state=0), XS, Y_REG2,
        on=[UNIT])


def _boosting(c, add):
    def boost(base=None, **more):
        if c.since(1, 6) or not more.get("algorithm"):
            more.pop("algorithm", None)
        return ensemble.AdaBoostClassifier(tree(1) if base is None else base, n_estimators=4, random_state=0, **more)

    for name, algorithm in [("", None), ("_discrete", "SAMME")]:
        add("adaboost" + name, lambda: boost(algorithm=algorithm), X, Y_STR, on=[FEW, FEW32], raises=["nan"], log=True)
        add("adaboost_3" + name, lambda: boost(tree(1), algorithm=algorithm), X, Y_OBJ, on=[FEW])
    add("adaboost_bayes", lambda: boost(GaussianNB()), XS, Y_3, on=[UNIT])
    for loss in ["linear", "exponential"]:
        add("adaboost_" + loss, lambda: ensemble.AdaBoostRegressor(value_tree(), n_estimators=3, loss=loss, random_state=0),
            X, Y_REG, on=[FEW])


def _stacking(add):
    def parts():
        return [("tree", tree()), ("bayes", GaussianNB()), ("sign", Perceptron(max_iter=5, tol=None))]

    for name, y in [("2", Y_STR), ("3", Y_OBJ)]:
        add("stacking_" + name, lambda: ensemble.StackingClassifier(parts(), logistic(), cv=2), XS, y, on=[UNIT, UNIT32])
    add("stacking_through", lambda: ensemble.StackingClassifier(parts(), tree(), cv=2, passthrough=True), XS, Y_STR3,
        on=[UNIT])
    add("stacking_predict", lambda: ensemble.StackingClassifier(parts(), logistic(), cv=2, stack_method="predict"), XS,
        Y_STR3, on=[UNIT])
    add("stacking_regressor", lambda: ensemble.StackingRegressor([("tree", value_tree()), ("line", LinearRegression())],
                                                                 LinearRegression(), cv=2, passthrough=True), XS, Y_REG,
        on=[UNIT])


def _isolation(c, add):
    more = {} if c.since(0, 22) else {"behaviour": "new"}

    def forest(**other):
        return ensemble.IsolationForest(n_estimators=3, random_state=0, max_samples=other.pop("max_samples", 8),
                                        contamination=other.pop("contamination", 0.1), **dict(more, **other))

    taken = ["nan"] if c.since(1, 6) else []
    add("isolation", lambda: forest(), X, on=[FEW, FEW32] + taken, raises=[] if taken else ["nan", "inf"])
    add("isolation_columns", lambda: forest(max_features=0.5, contamination="auto"), X, on=[FEW])
    add("isolation_2", lambda: forest(max_samples=2), X, on=[FEW])
    if not c.since(0, 22):
        add("isolation_old", lambda: forest(behaviour="old"), X, on=[FEW])


def _calibration(c, add):
    for name, y in [("2", Y_STR), ("3", Y_OBJ)]:
        for method in ["sigmoid", "isotonic"] + (["temperature"] if c.since(1, 8) else []):
            for base, make in [("tree", tree), ("logistic", logistic)]:
                add("calibrated_%s_%s_%s" % (method, base, name),
                    lambda: CalibratedClassifierCV(make(), method=method, cv=2), XS, y,
                    on=[UNIT, UNIT32] if base == "logistic" and method == "sigmoid" else [UNIT])
    fitted = GaussianNB().fit(XS, Y_3)
    if c.since(1, 6):
        from sklearn.frozen import FrozenEstimator
        add("calibrated_frozen", lambda: CalibratedClassifierCV(FrozenEstimator(fitted), method="isotonic"), XS, Y_3, on=[UNIT])
    else:
        add("calibrated_prefit", lambda: CalibratedClassifierCV(fitted, method="isotonic", cv="prefit"), XS, Y_3, on=[UNIT])
    if c.since(0, 24):
        add("calibrated_single", lambda: CalibratedClassifierCV(tree(), cv=2, ensemble=False), XS, Y_BOOL, on=[UNIT])
    for outside in ["clip", "nan", "raise"]:
        add("isotonic_" + outside, lambda: IsotonicRegression(out_of_bounds=outside, y_max=1.5), XS[:, 0], Y_REG,
            on=[LINE] if outside == "raise" else [LINE, LINE32])


def _wrappers(c, add):
    add("rest", lambda: OneVsRestClassifier(logistic()), XS, Y_OBJ, on=[UNIT, UNIT32], raises=["nan"])
    add("rest_2", lambda: OneVsRestClassifier(GaussianNB()), XS, Y_STR, on=[UNIT])
    add("rest_tree", lambda: OneVsRestClassifier(tree(1)), XS, Y_STR3, on=[UNIT])
    labels = np.column_stack([Y_BIN, Y_3 > 0, Y_3 > 1]).astype(int)
    add("rest_multilabel", lambda: OneVsRestClassifier(logistic()), XS, labels, on=[UNIT])
    add("rest_constant", lambda: OneVsRestClassifier(tree(1)), XS, np.column_stack([Y_BIN, np.ones(60, dtype=int)]), on=[UNIT])
    one = ["predict"] if not c.since(0, 22) else None
    add("one", lambda: OneVsOneClassifier(logistic()), XS, Y_OBJ, on=[UNIT], methods=one)
    add("one_tree", lambda: OneVsOneClassifier(tree(1)), XS, Y_STR3, on=[UNIT], methods=one)
    add("one_2", lambda: OneVsOneClassifier(GaussianNB()), XS, Y_STR, on=[UNIT], methods=one)
    add("outputs", lambda: MultiOutputClassifier(tree()), XS, np.column_stack([Y_3, Y_BIN]), on=[UNIT])
    add("outputs_regressor", lambda: MultiOutputRegressor(LinearRegression()), XS, Y_REG2, on=[UNIT, UNIT32])
    parts = ["predict", "predict_proba", "decision_function"]
    add("chain", lambda: ClassifierChain(logistic(), order=[1, 0]), XS, np.column_stack([Y_BIN, Y_3 > 0]).astype(int),
        on=[UNIT], methods=parts)
    add("target", lambda: TransformedTargetRegressor(LinearRegression(), func=np.log1p, inverse_func=np.expm1), XS,
        np.abs(Y_REG), on=[UNIT])
    add("target_scaled", lambda: TransformedTargetRegressor(value_tree(), transformer=StandardScaler()), XS, Y_REG, on=[UNIT])
