"""What sums of discriminants, mixtures, imputers and power transformers are measured against; Python 3.6+."""
import numpy as np
import scipy.sparse


def _dense(x):
    return np.asarray(x.toarray() if scipy.sparse.issparse(x) else x).astype(float)


def _linear_discriminant(m, x, method):
    if method != "transform":
        return np.abs(x).dot(np.abs(m.coef_).T) + np.abs(m.intercept_)
    x = np.abs(x) + (np.abs(m.xbar_) if m.solver == "svd" else 0)
    return x.dot(np.abs(m.scalings_))


def _quadratic_discriminant(m, x, method):
    parts = []
    for mean, rotation, scaling in zip(m.means_, m.rotations_, m.scalings_):
        stretched = (np.abs(x) + np.abs(mean)).dot(np.abs(rotation * scaling ** -0.5))
        parts.append((stretched ** 2).sum(axis=1) + np.abs(np.log(scaling)).sum())
    return np.column_stack(parts)


def _mixture(m, x, method):
    parts = []
    for k, mean in enumerate(m.means_):
        chol = m.precisions_cholesky_ if m.covariance_type == "tied" else m.precisions_cholesky_[k]
        chol = chol if np.ndim(chol) == 2 else np.eye(x.shape[1]) * chol
        parts.append((((np.abs(x) + np.abs(mean)).dot(np.abs(chol))) ** 2).sum(axis=1) + 10 * x.shape[1])
    return np.column_stack(parts)


def _centroid(m, x, method):
    spread = np.ones(x.shape[1])
    if method != "predict" and hasattr(m, "within_class_std_dev_"):
        spread = np.where(m.within_class_std_dev_ == 0, 1, m.within_class_std_dev_)
    squares = ((x / spread) ** 2).sum(axis=1) + ((m.centroids_ / spread) ** 2).sum(axis=1).max()
    return (squares * (len(spread) if m.metric == "manhattan" else 1)).reshape(-1, 1)


def _principal(m, x, method):
    """Squares of centred rows by the smallest variance of the model, times the condition of the library's inverse."""
    noise = m.noise_variance_ if m.noise_variance_ > 0 else np.inf
    explained = m.explained_variance_ * (m.explained_variance_ if m.whiten else 1)
    smallest = min(noise, explained.min())
    return ((np.abs(x) + np.abs(m.mean_)) ** 2).sum(axis=1, keepdims=True) / smallest \
        * max(1.0, explained.max() / smallest)


def _power(m, x, method):
    """Powers, before 1 is taken off, and means, in units of the scaler's spread."""
    x = np.nan_to_num(x)
    lambdas, shift = m.lambdas_.astype(float), 0.0 if m.method == "box-cox" else 1.0
    exponents = np.where((x < 0) & (m.method != "box-cox"), 2 - lambdas, lambdas)
    powers = (np.abs(x) + shift) ** exponents
    powers = np.maximum(1, powers) / np.maximum(np.abs(exponents), 1e-3)
    if not m.standardize:
        return powers
    mean = 0 if m._scaler.mean_ is None else np.abs(m._scaler.mean_)
    return (powers + mean) / m._scaler.scale_


def _nearest_imputer(m, x, method):
    """The values that means are taken of; weights by distance multiply the error of the smallest distance."""
    fit = np.nan_to_num(np.where(m._mask_fit_X, np.nan, m._fit_X).astype(float))
    largest = np.full(len(x), np.abs(fit).max())
    if m.weights == "distance":
        from sklearn.metrics.pairwise import nan_euclidean_distances
        d = nan_euclidean_distances(x, m._fit_X.astype(float), missing_values=m.missing_values, squared=True)
        squares = (np.nan_to_num(x) ** 2).sum(axis=1) + (fit ** 2).sum(axis=1).max()
        d[~(d > 1e-9 * squares[:, None])] = np.inf
        largest = largest * np.maximum(1, squares / d.min(axis=1))
    return largest.reshape(-1, 1)


def _iterative_imputer(m, x, method):
    """Sums of linear models, round by round; other models, the largest that they can predict."""
    known = np.nan_to_num(x)
    sizes = np.tile(np.abs(m.initial_imputer_.statistics_[~np.isnan(m.initial_imputer_.statistics_)]), (len(x), 1))
    most = np.maximum(np.abs(known).max(axis=1), sizes.max())
    if m.n_iter_ == 0:
        return most.reshape(-1, 1)
    for step in m.imputation_sequence_:
        coef = getattr(step.estimator, "coef_", None)
        if coef is not None:
            most = np.maximum(most, most * np.abs(coef).max() + abs(step.estimator.intercept_))
    return most.reshape(-1, 1) * 4


def _outliers(m, x, method):
    return np.ones((len(x), 1))


def _topics(m, x, method):
    """Shares of a whole; float32 sums of a document's words are rounded a few times."""
    return np.full((len(x), 1), 10.0 if str(m.components_.dtype) == "float32" else 1.0)


SCALES = {"LinearDiscriminantAnalysis": _linear_discriminant, "QuadraticDiscriminantAnalysis": _quadratic_discriminant,
          "GaussianMixture": _mixture, "BayesianGaussianMixture": _mixture, "NearestCentroid": _centroid,
          "PowerTransformer": _power, "KNNImputer": _nearest_imputer, "IterativeImputer": _iterative_imputer,
          "LocalOutlierFactor": _outliers, "LatentDirichletAllocation": _topics}


def scale(last, x, method):
    """Per row and output, the magnitudes that a sum is made of; None for other classes."""
    name = type(last).__name__
    of = _principal if name == "PCA" and method == "score_samples" else SCALES.get(name)
    return None if of is None else of(last, _dense(x), method)


def threshold_child(last):
    """The classifier within a threshold classifier, or None."""
    if type(last).__name__ not in ("FixedThresholdClassifier", "TunedThresholdClassifierCV"):
        return None
    return getattr(last, "estimator_", None) or last.estimator
