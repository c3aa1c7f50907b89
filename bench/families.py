#!/usr/bin/env python3
"""Everyday models beyond forests and boosters: trained on 2,000 rows of 20 columns, timed on 10,000. For bench/run.

    families.py make HOME            train and save them below HOME
    families.py peer HOME REPEATS    print scikit-learn's seconds for all rows, as JSON
"""

import json
import pathlib
import sys
import time

ROWS, COLUMNS = 10000, 20
# Name, and so file → (label, method).
FAMILIES = {
    "adaboost": ("AdaBoost, 50 stumps", "predict_proba"),
    "bagging": ("Bagging, 50 trees", "predict_proba"),
    "gradient_boosting": ("GradientBoosting 100 x depth 3", "predict_proba"),
    "isolation_forest": ("IsolationForest, 100 trees", "predict"),
    "svc": ("SVC, RBF kernel", "predict"),
    "svr": ("SVR, RBF kernel", "predict"),
    "neighbors": ("KNeighbors, brute force", "predict_proba"),
    "neighbors_tree": ("KNeighbors, ball tree, 5 columns", "predict_proba"),
    "network": ("MLP 64-32, relu", "predict_proba"),
    "network_tanh": ("MLP 64, tanh", "predict"),
    "gaussian": ("GaussianNB", "predict_proba"),
    "logistic": ("LogisticRegression, 3 classes", "predict_proba"),
    "kmeans": ("KMeans, 8 clusters", "predict"),
    "pca": ("PCA, 10 of 20", "transform"),
    "scaler": ("StandardScaler", "transform"),
    "bins": ("KBinsDiscretizer, one-hot", "transform"),
    "quantiles": ("QuantileTransformer", "transform"),
    "polynomial": ("PolynomialFeatures, degree 2", "transform"),
    "calibrated": ("CalibratedClassifierCV, isotonic", "predict_proba"),
}


def columns_of(name):
    return 5 if name == "neighbors_tree" else COLUMNS


def models():
    import numpy as np
    from sklearn import (calibration, cluster, decomposition, ensemble, linear_model, naive_bayes, neighbors,
                         neural_network, preprocessing, svm)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, COLUMNS))
    number = 2 * x[:, 0] + x[:, 1] * x[:, 2] + rng.normal(size=len(x)) / 2
    two, three = (number > 0).astype(int), np.digitize(number, [-1, 1])
    made = {
        "adaboost": ensemble.AdaBoostClassifier(n_estimators=50, random_state=0).fit(x, two),
        "bagging": ensemble.BaggingClassifier(n_estimators=50, random_state=0).fit(x, two),
        "gradient_boosting": ensemble.GradientBoostingClassifier(random_state=0).fit(x, two),
        "isolation_forest": ensemble.IsolationForest(random_state=0).fit(x),
        "svc": svm.SVC().fit(x, two),
        "svr": svm.SVR().fit(x, number),
        "neighbors": neighbors.KNeighborsClassifier(algorithm="brute").fit(x, two),
        "neighbors_tree": neighbors.KNeighborsClassifier(algorithm="ball_tree").fit(x[:, :5], two),
        "network": neural_network.MLPClassifier((64, 32), max_iter=20, random_state=0).fit(x, three),
        "network_tanh": neural_network.MLPRegressor(hidden_layer_sizes=64, activation="tanh", max_iter=20,
                                                    random_state=0).fit(x, number),
        "gaussian": naive_bayes.GaussianNB().fit(x, three),
        "logistic": linear_model.LogisticRegression().fit(x, three),
        "kmeans": cluster.KMeans(8, n_init=1, random_state=0).fit(x),
        "pca": decomposition.PCA(10).fit(x),
        "scaler": preprocessing.StandardScaler().fit(x),
        "bins": preprocessing.KBinsDiscretizer(5, strategy="uniform").fit(x),
        "quantiles": preprocessing.QuantileTransformer().fit(x),
        "polynomial": preprocessing.PolynomialFeatures(2).fit(x),
        "calibrated": calibration.CalibratedClassifierCV(linear_model.LogisticRegression(), method="isotonic").fit(x, two),
    }
    return made, rng.normal(size=(ROWS, COLUMNS))


def make(home):
    import joblib
    import warnings
    warnings.simplefilter("ignore")  # networks that have not converged
    made, rows = models()
    for name, model in made.items():
        joblib.dump(model, home / f"family_{name}.joblib")
        rows[:, :columns_of(name)].tofile(home / f"family_{name}.f64")


def peer(home, repeats):
    import joblib
    import numpy as np
    times = {}
    for name, (_, method) in FAMILIES.items():
        rows = np.fromfile(home / f"family_{name}.f64").reshape(ROWS, columns_of(name))
        call = getattr(joblib.load(home / f"family_{name}.joblib"), method)
        times[name] = []
        for _ in range(repeats + 1):
            start = time.process_time()
            call(rows)
            times[name].append(time.process_time() - start)
        del times[name][0]
    print(json.dumps(times))


if __name__ == "__main__":
    make(pathlib.Path(sys.argv[2])) if sys.argv[1] == "make" else peer(pathlib.Path(sys.argv[2]), int(sys.argv[3]))
