"""Estimators that share their arrays, as copies of one do: the file has each array once, and so has the model.

What one of them makes of a shared array for itself must not reach the other.
"""

import copy

import differential as diff
import numpy as np
import pandas as pd
import pytest
from sklearn import (cluster, decomposition, discriminant_analysis, ensemble, feature_selection, impute, linear_model,
                     naive_bayes, neighbors, neural_network, pipeline, preprocessing, svm)

CLASSIFIERS = {
    "gaussian": naive_bayes.GaussianNB(),
    "bernoulli": naive_bayes.BernoulliNB(),
    "multinomial": naive_bayes.MultinomialNB(),
    "complement": naive_bayes.ComplementNB(),
    "categorical": pipeline.make_pipeline(preprocessing.KBinsDiscretizer(4, encode="ordinal", strategy="uniform"),
                                          naive_bayes.CategoricalNB()),
    "cosine": neighbors.KNeighborsClassifier(3, metric="cosine"),
    "centroid": neighbors.NearestCentroid(shrink_threshold=0.1),
    "lda": discriminant_analysis.LinearDiscriminantAnalysis(),
    "qda": discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=0.5),
    "logistic": linear_model.LogisticRegression(),
    "svc": svm.SVC(),
    "mlp": neural_network.MLPClassifier((5,), max_iter=20, random_state=0),
    "forest": ensemble.RandomForestClassifier(4, max_depth=3, random_state=0),
    "boosting": ensemble.GradientBoostingClassifier(n_estimators=4, random_state=0),
    "adaboost": ensemble.AdaBoostClassifier(n_estimators=4, random_state=0),
}
TRANSFORMERS = {
    "standard": preprocessing.StandardScaler(),
    "robust": preprocessing.RobustScaler(),
    "pca": decomposition.PCA(2, whiten=True),
    "kmeans": cluster.KMeans(3, n_init=1, random_state=0),
    "knn": impute.KNNImputer(n_neighbors=2, missing_values=0.0),
    "power": preprocessing.PowerTransformer(),
    "quantiles": preprocessing.QuantileTransformer(n_quantiles=9),
    "best": feature_selection.SelectKBest(k=2),
    "bins": preprocessing.KBinsDiscretizer(3, strategy="uniform"),
    "polynomial": preprocessing.PolynomialFeatures(2),
}


def numbers(seed):
    rng = np.random.default_rng(seed)
    x = np.abs(rng.normal(size=(60, 4)))
    x[rng.random(x.shape) < 0.2] = 0.0
    return x, (x[:, 0] + x[:, 1] > 1.2).astype(int) + (x[:, 2] > 0.7)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers(name):
    x, y = numbers(1)
    one = CLASSIFIERS[name].fit(x, y)
    vote = ensemble.VotingClassifier([("a", one), ("b", copy.copy(one)), ("c", copy.copy(one))],
                                     voting="soft" if hasattr(one, "predict_proba") else "hard", weights=[1, 2, 3])
    vote.estimators_ = [model for _, model in vote.estimators]
    vote.classes_, vote.le_ = np.unique(y), preprocessing.LabelEncoder().fit(y)
    diff.compare(vote, x, ["predict", "predict_proba"] if vote.voting == "soft" else ["predict"])


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers(name):
    """Side by side, so that each sees the same columns; and behind a scaler, where an earlier copy saw others."""
    x, y = numbers(2)
    one = TRANSFORMERS[name].fit(x, y)
    other = pipeline.Pipeline([("largest", preprocessing.MaxAbsScaler().fit(x)), ("same", copy.copy(one))])
    diff.compare(pipeline.FeatureUnion([("a", one), ("b", copy.copy(one)), ("c", other)]), x)


def test_outliers():
    """SGDOneClassSVM turns its offset round for decision_function."""
    x, _ = numbers(3)
    one = linear_model.SGDOneClassSVM(random_state=0).fit(x)
    one.offset_ = np.array([0.25])
    diff.compare(one, x)


@pytest.mark.parametrize("encoder", [preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
                                     preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                                     preprocessing.OneHotEncoder(drop="first", sparse_output=False)])
@pytest.mark.parametrize("kind", ["text", "number", "large", "missing"])
def test_categories(encoder, kind):
    """One array of categories for several columns, and a column of others between them."""
    values = {"text": np.array(["a", "b", "c", "d" * 300], dtype=object), "number": np.array([1.5, 2.0, 7.0]),
              "large": np.array([2**60, 2**60 + 1, 2**60 + 2]), "missing": np.array(["a", "b", np.nan], dtype=object)}[kind]
    other = values[1:]
    rng = np.random.default_rng(5)
    x = pd.DataFrame({f"c{i}": own[rng.integers(0, len(own), 30)] for i, own in enumerate([values, values, other, values])})
    model = copy.deepcopy(encoder).set_params(categories=[values, values, other, values]).fit(x)
    model.categories_ = [values, values, other, values]
    diff.compare(model, x, ["transform"])
