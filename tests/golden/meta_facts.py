"""Estimators made of other estimators: what their sums are measured against, and which outputs are exact."""
import numpy as np

NAMES = ("AdaBoostClassifier", "AdaBoostRegressor", "BaggingClassifier", "BaggingRegressor", "VotingClassifier",
         "VotingRegressor", "StackingClassifier", "StackingRegressor", "CalibratedClassifierCV", "OneVsRestClassifier",
         "OneVsOneClassifier", "MultiOutputClassifier", "MultiOutputRegressor", "ClassifierChain", "RegressorChain",
         "TransformedTargetRegressor", "IsolationForest", "IsotonicRegression")


def is_meta(last):
    return type(last).__name__ in NAMES


def dense(x):
    return x.toarray() if hasattr(x, "toarray") else np.asarray(x)


def children(model):
    """The fitted parts, each with a function that takes the model's rows to its own."""
    def same(x):
        return x

    parts = [(part, same) for part in getattr(model, "estimators_", [])]
    if type(model).__name__.startswith("Bagging"):
        parts = [(part, lambda x, f=features: dense(x)[:, f])
                 for part, features in zip(model.estimators_, model.estimators_features_)]
    if type(model).__name__.endswith("Chain"):
        parts = [(part, lambda x, n=i: np.hstack([dense(x), np.ones((x.shape[0], n))]))
                 for i, (part, _) in enumerate(parts)]
    for calibrated in getattr(model, "calibrated_classifiers_", []):
        part = calibrated.estimator if hasattr(calibrated, "estimator") else calibrated.base_estimator
        parts.append((part.estimator if type(part).__name__ == "FrozenEstimator" else part, same))
    if hasattr(model, "regressor_"):
        parts.append((model.regressor_, same))
    return parts


def scale(model, x, of):
    """Per row, the largest sum of magnitudes in any part; of(part, rows) is that of a part, or None."""
    if type(model).__name__ == "IsolationForest":  # a score less an offset, both below 1
        return [1.0] * x.shape[0]
    found = [of(part, rows(x)) for part, rows in children(model)]
    found = [f for f in found if f is not None]
    final = getattr(model, "final_estimator_", None)
    if not found and type(model).__name__ == "StackingClassifier" and hasattr(final, "coef_"):
        found = [[1.0] * x.shape[0]]  # probabilities
    if not found:
        return None
    largest = np.max(np.asarray(found, dtype=float), axis=0)
    if hasattr(final, "coef_"):
        largest = largest * np.maximum(1.0, np.abs(final.coef_).sum()) + np.abs(final.intercept_).max()
    return [float("%.3g" % v) for v in largest]


def exact_methods(last):
    """Means of trees' probabilities and votes have one right answer."""
    name = type(last).__name__
    if name == "BaggingClassifier" and "Tree" in type(last.estimators_[0]).__name__:
        return ["predict", "predict_proba"]
    if name in ("BaggingRegressor", "AdaBoostRegressor") and "Tree" in type(last.estimators_[0]).__name__:
        return ["predict"]
    return []


def classes(model):
    """What heads the columns of scores where it is not classes_: a chain's targets."""
    return list(range(len(model.classes_))) if type(model).__name__ == "ClassifierChain" else None
