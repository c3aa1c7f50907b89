"""scikit-learn's own checks of estimators, on loaded models.

Most checks train the estimator that they are given. So an estimator is made for them that trains as its class does, is
pickled, and from then on predicts by what foretell loads from that pickle: the checks see foretell's answers and errors.
Those that need no training run on a loaded model itself as well.
"""

import pickle

import foretell
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import estimator_checks_generator
from sklearn.utils.validation import check_is_fitted


def through_foretell(cls):
    """A subclass that trains as cls and answers by foretell."""
    def fit(self, X, y=None, **options):
        trained = clone(cls(**self.get_params()))
        trained.fit(X, y, **options)
        self.__dict__.update((name, value) for name, value in vars(trained).items() if name.endswith("_") or name[0] == "_")
        self._loaded = foretell.load(pickle.dumps(trained))
        return self

    def answer(method):
        def call(self, X, *arguments, **options):
            check_is_fitted(self)
            return getattr(self._loaded, method)(X, *arguments, **options)
        return call
    methods = [name for name in ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform",
                                 "score_samples", "apply", "inverse_transform") if hasattr(cls, name)]
    body = {"fit": fit, "_parameter_constraints": {}, **{name: answer(name) for name in methods}}
    for name in ("fit_predict", "fit_transform"):
        if hasattr(cls, name):
            last = name.removeprefix("fit_")
            body[name] = lambda self, X, y=None, last=last, **options: getattr(self.fit(X, y, **options), last)(X)
    made = type(f"Loaded{cls.__name__}", (cls,), {**body, "__module__": __name__})
    globals()[made.__name__] = made  # where pickle looks for it
    return made


THROUGH = {
    "LogisticRegression": (LogisticRegression, {"max_iter": 300}), "LinearRegression": (LinearRegression, {}),
    "DecisionTreeClassifier": (DecisionTreeClassifier, {"random_state": 0}),
    "RandomForestRegressor": (RandomForestRegressor, {"n_estimators": 4, "random_state": 0}),
    "IsolationForest": (IsolationForest, {"n_estimators": 4, "random_state": 0}),
    "KMeans": (KMeans, {"n_init": 1, "n_clusters": 3, "random_state": 0}), "StandardScaler": (StandardScaler, {})}

WIDTH = "trains on rows of its own, which are not as wide as those that the loaded model takes"
FIT = "wants training to refuse something, or to have an effect; the fit of a frozen model is nothing"
MADE = "wants an object that is made of any values; a loaded model opens its file"
# Those of a loaded model itself: all others run.
NOT_FOR_LOADED = {
    "check_do_not_raise_errors_in_init_or_set_params": MADE,
    **dict.fromkeys((
        "check_estimators_unfitted", "check_complex_data", "check_estimators_empty_data_messages", "check_fit1d",
        "check_estimators_nan_inf", "check_estimator_sparse_tag", "check_classifiers_one_label_sample_weights",
        "check_classifiers_regression_target", "check_supervised_y_no_nan", "check_fit_check_is_fitted", "check_n_features_in",
        "check_transformer_data_not_an_array", "check_transformer_general", "check_transformer_preserve_dtypes"), FIT),
    **dict.fromkeys((
        "check_fit_score_takes_y", "check_estimators_dtypes", "check_dtype_object", "check_pipeline_consistency",
        "check_estimator_sparse_array", "check_estimator_sparse_matrix", "check_estimators_pickle",
        "check_f_contiguous_array_estimator", "check_classifier_data_not_an_array", "check_classifiers_one_label",
        "check_classifiers_classes", "check_classifiers_train", "check_supervised_y_2d", "check_decision_proba_consistency",
        "check_methods_sample_order_invariance", "check_methods_subset_invariance", "check_dict_unchanged",
        "check_fit_idempotent", "check_regressors_train", "check_regressor_data_not_an_array", "check_regressors_int",
        "check_outliers_train"), WIDTH)}


def checks(estimators, skip):
    for name, estimator in estimators:
        for made, check in estimator_checks_generator(estimator, legacy=True):
            label = getattr(check, "func", check).__name__
            idle = "array_api" in label or "decision_" in label and not hasattr(estimator, "decision_function")
            # those would skip themselves
            if label not in skip and not idle:
                yield pytest.param(made, check, id=f"{name}-{label}")


@pytest.mark.parametrize("estimator, check", list(checks(
    [(name, through_foretell(cls)(**options)) for name, (cls, options) in THROUGH.items()], {})))
def test_trained_and_loaded(estimator, check):
    check(estimator)


def loaded():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 4))
    for name, (cls, options) in THROUGH.items():
        trained = cls(**options).fit(rows, (rows[:, 0] > 0).astype(int))
        yield name, foretell.load(pickle.dumps(trained))


@pytest.mark.parametrize("estimator, check", list(checks(loaded(), NOT_FOR_LOADED)))
def test_loaded(estimator, check):
    check(estimator)
