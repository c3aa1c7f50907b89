"""What the comparison must know about support vector machines and nearest neighbours; Python 3.6+."""
import numpy as np
import scipy.sparse
import sklearn
from sklearn.metrics.pairwise import pairwise_kernels

VERSION = tuple(int(n) for n in sklearn.__version__.split(".")[:2])


def is_svm(model):
    return hasattr(model, "_dual_coef_")


def is_neighbors(model):
    return hasattr(model, "_fit_method") and hasattr(model, "_fit_X")


def _dense(x):
    return x.toarray() if scipy.sparse.issparse(x) else np.asarray(x)


def svm_scale(model, x):
    """Per row, the largest sum of |coef| |k(x, v)| + |b| over the decision values; where k is a sum itself (linear), of
    the magnitudes that it adds."""
    if model.support_vectors_.shape[0] == 0:
        return np.full(len(x), np.abs(model._intercept_).max())
    kernel = np.abs(pairwise_kernels(_dense(x).astype(float), _dense(model.support_vectors_), metric=model.kernel,
                                     filter_params=True, gamma=model._gamma, degree=model.degree, coef0=model.coef0))
    if model.kernel == "linear":
        kernel = np.abs(_dense(x).astype(float)).dot(np.abs(_dense(model.support_vectors_)).T)
    return kernel.dot(np.abs(_dense(model._dual_coef_)).T).sum(axis=1) + np.abs(model._intercept_).max()


def neighbors_scale(model, x):
    """Per row, what the error of an expanded squared distance is measured against; nothing for other metrics."""
    x, points = _dense(x).astype(float), _dense(model._fit_X).astype(float)
    if model.effective_metric_ in ("euclidean", "l2"):
        return (x ** 2).sum(axis=1) + (points ** 2).sum(axis=1).max()
    if model.effective_metric_ == "sqeuclidean":  # the squares of distances that are squares are compared
        return 4 * ((x ** 2).sum(axis=1) + (points ** 2).sum(axis=1).max()) ** 2
    return np.full(len(x), 1.0 if model.effective_metric_ == "cosine" else 0.0)


def scale(model, x):
    """Either of them, or None for other classes."""
    if is_svm(model):
        return svm_scale(model, x)
    return neighbors_scale(model, x) if is_neighbors(model) else None


def neighbors_ties(model, x):
    """Which of several points at one distance are the library's neighbours: those, in that "order"; those
    ("members": their order changes with rounding, the number of rows and threads); or any ("free": numpy's partition
    decides)."""
    if model._fit_method != "brute":
        return "order"
    dtype = getattr(x, "dtype", np.dtype(float))
    reduced = VERSION >= (1, 1) and model.effective_metric_ != "cosine" and not scipy.sparse.issparse(model._fit_X) \
        and model._fit_X.dtype == dtype and (dtype == float or (dtype == np.float32 and VERSION >= (1, 2)))
    if not reduced:
        return "free"
    points, rows = np.asarray(model._fit_X), np.asarray(x)
    exact = rows.dtype.kind == "f" and all(  # small quarters, whose distances nothing rounds
        np.array_equal(np.round(4 * part), 4 * part) and np.abs(part).max() < 1000 for part in (points, rows))
    return "order" if exact and len(rows) <= len(points) <= 256 else "members"


def exact_methods(model):
    """Methods that agree bit for bit, or None for other classes."""
    if is_svm(model):
        return []
    if not is_neighbors(model):
        return None
    tree = model._fit_method != "brute" and model.effective_metric_ not in ("minkowski", "haversine")
    votes = ["predict", "predict_proba"] if getattr(model, "weights", "") == "uniform" and hasattr(model, "classes_") \
        else []
    return votes + (["kneighbors"] if tree else [])


def text(value):
    value = value.item() if isinstance(value, np.generic) else value
    return value if isinstance(value, str) else repr(value)


def columns(model, method):
    """The program's names for columns that classes alone do not tell, or None."""
    if method == "kneighbors" and is_neighbors(model):
        k = model.n_neighbors
        return ["distance_%d" % i for i in range(k)] + ["neighbor_%d" % i for i in range(k)]
    if method == "decision_function" and is_svm(model) and len(getattr(model, "classes_", ())) > 2 \
            and model.decision_function_shape == "ovo":
        names = [text(c) for c in model.classes_]
        return ["decision_%s/%s" % (a, b) for i, a in enumerate(names) for b in names[i + 1:]]
    return None
