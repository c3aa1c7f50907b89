"""Single trees and forests."""
import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from case_data import (WEIGHT, X, X_NAN, Y_3, Y_BIG, Y_BIN, Y_BOOL, Y_COUNT, Y_FLOAT, Y_MULTI, Y_MULTI_STR, Y_OBJ,
                       Y_POS, Y_REG, Y_REG2, Y_STR, Y_STR3, Input, named, thresholds)


def add_edges(c, name, model, trees, f32=False):
    """Score the model on rows at its own thresholds as well."""
    rows = thresholds([tree.tree_ for tree in trees], trees[0].tree_.n_features)
    path = [e for e in c.entries if e["name"].startswith(name + "-")][0]["model"]
    c.record(name, model, path, Input("edges_" + name, rows), False, None, False)
    if f32:
        c.record(name, model, path, Input("edges32_" + name, rows.astype(np.float32), form="npy"), False, None, False)


def add_cases(c):
    _single(c)
    _forests(c)
    if c.since(1, 3):
        _missing(c)


def _single(c):
    # from 1.3 on a tree takes missing values even if it never saw one
    accepts, refuses = c.pick((1, 3), (["nan"], []), ([], ["nan"]))
    squared, absolute = c.pick((1, 0), ("squared_error", "absolute_error"), ("mse", "mae"))
    model = c.add("tree", lambda: DecisionTreeClassifier(max_depth=4, random_state=0), X, Y_STR3,
                  on=["num", "npyF", "f32", "one"] + accepts, raises=["inf", "big"] + refuses, log=True)
    add_edges(c, "tree", model, [model], f32=True)
    c.add("tree_bool", lambda: DecisionTreeClassifier(max_depth=2, criterion="entropy", random_state=0), X, Y_BOOL)
    c.add("tree_float", lambda: DecisionTreeClassifier(max_leaf_nodes=5, random_state=0), X, Y_FLOAT)
    c.add("tree_u8", lambda: DecisionTreeClassifier(max_depth=2, random_state=0), X, Y_3.astype(np.uint8))
    c.add("tree_f32_classes", lambda: DecisionTreeClassifier(max_depth=2, random_state=0), X,
          Y_FLOAT.astype(np.float32))
    c.add("tree_big", lambda: DecisionTreeClassifier(max_depth=3, random_state=0, class_weight="balanced"), X, Y_BIG)
    c.add("tree_obj", lambda: DecisionTreeClassifier(max_depth=3, random_state=0), X, Y_OBJ)
    c.add("tree_named", lambda: DecisionTreeClassifier(max_depth=3, random_state=0), named(X), Y_BIN, on=["named"])
    c.add("tree_stump", lambda: DecisionTreeClassifier(random_state=0), X, np.zeros(60, dtype=int), on=["one"])
    c.add("tree_multi", lambda: DecisionTreeClassifier(max_depth=3, random_state=0), X, Y_MULTI, log=True)
    # 0.20 could not predict several text targets; it gives their probabilities
    texts = c.pick((0, 21), None, ["predict_proba", "apply"])
    c.add("tree_multi_str", lambda: DecisionTreeClassifier(max_depth=2, random_state=0), X, Y_MULTI_STR, methods=texts)
    c.add("tree_weight", lambda: DecisionTreeClassifier(max_depth=3, random_state=0,
                                                        class_weight={"no": 1, "yes": 2.7}), X, Y_STR,
          fit={"sample_weight": WEIGHT})
    c.add("tree_pruned", lambda: DecisionTreeClassifier(ccp_alpha=0.02, random_state=0), X, Y_3) \
        if c.since(0, 22) else None
    if c.since(1, 4):
        c.add("tree_monotonic", lambda: DecisionTreeClassifier(max_depth=3, random_state=0,
                                                               monotonic_cst=[1, -1, 0, 0, 0]), X, Y_BIN)
    model = c.add("treereg", lambda: DecisionTreeRegressor(max_depth=4, random_state=0), X, Y_REG,
                  on=["num", "f32F"] + accepts, raises=refuses)
    add_edges(c, "treereg", model, [model])
    c.add("treereg_mae", lambda: DecisionTreeRegressor(criterion=absolute, max_depth=3, random_state=0), X, Y_REG)
    c.add("treereg_friedman", lambda: DecisionTreeRegressor(criterion=c.pick((1, 9), squared, "friedman_mse"),
                                                            max_depth=3, splitter="random", random_state=0), X, Y_REG)
    c.add("treereg_poisson", lambda: DecisionTreeRegressor(criterion="poisson", max_depth=3, random_state=0),
          X, Y_COUNT) if c.since(0, 24) else None
    c.add("treereg_multi", lambda: DecisionTreeRegressor(max_depth=3, random_state=0), X, Y_REG2, on=["num", "f32"])
    c.add("extratree", lambda: ExtraTreeClassifier(max_depth=4, random_state=0), X, Y_STR, on=["num", "f32"])
    c.add("extratreereg", lambda: ExtraTreeRegressor(max_depth=4, random_state=0), X, Y_REG)


def _forests(c):
    small = {"n_estimators": 4, "max_depth": 4, "random_state": 0}
    accepts, refuses = c.pick((1, 4), (["nan"], []), ([], ["nan"]))
    model = c.add("rf", lambda: RandomForestClassifier(**small), X, Y_STR,
                  on=["num", "npyF", "f32", "one", "i64"] + accepts, raises=["inf", "big"] + refuses, log=True)
    add_edges(c, "rf", model, model.estimators_, f32=True)
    c.add("rf_int", lambda: RandomForestClassifier(**small), X, Y_BIN)
    c.add("rf_bool", lambda: RandomForestClassifier(**small), X, Y_BOOL)
    c.add("rf_3", lambda: RandomForestClassifier(criterion="entropy", max_features=None, **small), X, Y_STR3,
          on=["num", "f32F"])
    c.add("rf_many", lambda: RandomForestClassifier(n_estimators=25, max_depth=2, random_state=1), X, Y_3)
    c.add("rf_balanced", lambda: RandomForestClassifier(class_weight="balanced_subsample", bootstrap=True, **small),
          X, Y_BIG)
    c.add("rf_weight", lambda: RandomForestClassifier(class_weight={0: 1.0, 1: 2.5, 2: 0.3}, **small), X, Y_3,
          fit={"sample_weight": WEIGHT})
    c.add("rf_multi", lambda: RandomForestClassifier(**small), X, Y_MULTI, on=["num", "f32"], log=True)
    c.add("rf_multi_str", lambda: RandomForestClassifier(n_estimators=3, max_depth=2, random_state=0), X, Y_MULTI_STR,
          methods=c.pick((0, 21), None, ["predict_proba", "apply"]))
    c.add("rf_named", lambda: RandomForestClassifier(oob_score=True, n_estimators=12, max_depth=2, random_state=0),
          named(X), Y_STR, on=["named"])
    c.add("rf_state", lambda: RandomForestClassifier(n_estimators=2, max_depth=2,
                                                     random_state=np.random.RandomState(0)), X, Y_STR)
    model = c.add("rfreg", lambda: RandomForestRegressor(**small), X, Y_REG, on=["num", "f32"] + accepts,
                  raises=refuses)
    add_edges(c, "rfreg", model, model.estimators_)
    c.add("rfreg_multi", lambda: RandomForestRegressor(**small), X, Y_REG2, on=["num", "f32"])
    c.add("rfreg_samples", lambda: RandomForestRegressor(max_samples=0.5, max_features=0.6, **small), X, Y_POS) \
        if c.since(0, 22) else None
    c.add("et", lambda: ExtraTreesClassifier(**small), X, Y_STR3, on=["num", "f32"])
    c.add("et_bootstrap", lambda: ExtraTreesClassifier(bootstrap=True, class_weight="balanced", **small), X, Y_OBJ)
    c.add("etreg", lambda: ExtraTreesRegressor(**small), X, Y_REG, on=["num", "f32"])
    c.add("etreg_multi", lambda: ExtraTreesRegressor(**small), X, Y_REG2)


def _missing(c):
    """Trees take missing values from 1.3 on, random forests from 1.4, extra trees from 1.6."""
    c.add("tree_nan", lambda: DecisionTreeClassifier(max_depth=4, random_state=0), X_NAN, Y_STR3,
          on=["nan", "nan32", "num"], raises=["inf"])
    c.add("treereg_nan", lambda: DecisionTreeRegressor(max_depth=4, random_state=0), X_NAN, Y_REG, on=["nan"])
    if c.since(1, 4):
        small = {"n_estimators": 4, "max_depth": 4, "random_state": 0}
        c.add("rf_nan", lambda: RandomForestClassifier(**small), X_NAN, Y_STR, on=["nan", "nan32", "num"])
        c.add("rfreg_nan", lambda: RandomForestRegressor(**small), X_NAN, Y_REG, on=["nan"])
        c.add("rf_nan_multi", lambda: RandomForestClassifier(**small), X_NAN, Y_MULTI, on=["nan"])
    if c.since(1, 6):
        c.add("extratree_nan", lambda: ExtraTreeClassifier(max_depth=4, random_state=0), X_NAN, Y_STR, on=["nan"])
        c.add("et_nan", lambda: ExtraTreesClassifier(n_estimators=4, max_depth=4, random_state=0), X_NAN, Y_STR3,
              on=["nan"])
