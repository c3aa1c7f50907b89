"""The sets of golden fixtures: which environments write them, and which modules hold their cases.

A set becomes one archive per environment, <set>-<version>.tar.xz.  A module offers add_cases(cases).
"""

import collections

import envs

Set = collections.namedtuple("Set", "envs modules")

SETS = {
    "sklearn": Set(envs.SKLEARN, ["case_linear", "case_trees", "case_boosting", "case_preprocess", "case_compose"]),
    "vectors": Set(envs.SKLEARN, ["case_vectors"]),
    "xgboost": Set(envs.XGBOOST, ["case_xgboost"]),
    "sparse": Set(envs.XGBOOST, ["case_sparse"]),
    "lightgbm": Set(envs.LIGHTGBM, ["case_lightgbm"]),
    "catboost": Set(envs.CATBOOST, ["case_catboost"]),
    "dense": Set(envs.SKLEARN, ["case_dense"]),
    "various": Set(envs.SKLEARN, ["case_discrete", "case_regressors"]),
    "text": Set(envs.SKLEARN, ["case_text"]),
    "missed": Set(envs.SKLEARN, ["case_missed"]),
    "counts": Set(envs.SKLEARN, ["case_dicts", "case_topics"]),
    "encoders": Set(envs.CATEGORY_ENCODERS, ["case_encoders"]),
    "meta": Set(envs.SKLEARN, ["case_meta"]),
    "mappers": Set(envs.MAPPERS, ["case_mappers"]),
    "pmml": Set(envs.PMML, ["case_pmml"]),
}
