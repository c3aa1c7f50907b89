"""Results have the dtype, shape and numbers of the original library's."""

import joblib
import numpy as np
import pytest
from foretell import _core

N = 120


def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 5))
    y = (X[:, 0] > 0).astype(int)
    return X, y, (X[:, 0] * 3).round().astype(int) % 3, X[:, 0] * 2 + X[:, 1]


X, Y, Y3, R = data()
TEXT = np.array(["no", "yes"])[Y]
PAIR, REAL_PAIR, COLUMN = np.c_[Y, Y3], np.c_[R, -R], R[:, None]


def models():
    from sklearn import cluster, decomposition, ensemble, feature_extraction, linear_model, mixture, multioutput
    from sklearn import naive_bayes, neighbors, pipeline, preprocessing, svm, tree
    from sklearn.model_selection import GridSearchCV
    five = {"n_estimators": 5, "random_state": 0}
    logistic, forest = linear_model.LogisticRegression, ensemble.RandomForestClassifier
    for dtype in ("int8", "uint16", "int32", "int64", "bool", "float32", "float64"):
        yield f"labels {dtype}", logistic().fit(X, Y.astype(dtype))
    yield "labels U", logistic().fit(X, TEXT)
    yield "labels O", logistic().fit(X, TEXT.astype(object))
    yield "labels S", tree.DecisionTreeClassifier(max_depth=3).fit(X, np.array([b"no", "größe".encode()])[Y])
    yield "labels S of neighbors", neighbors.KNeighborsClassifier().fit(X, np.array([b"a", b"\xe9"])[Y])
    yield "three classes", logistic().fit(X, Y3)
    yield "svc", svm.SVC().fit(X, Y3)
    yield "svr", svm.SVR().fit(X, R)
    yield "linear", linear_model.LinearRegression().fit(X, R)
    yield "linear (n, 1)", linear_model.LinearRegression().fit(X, COLUMN)
    yield "linear in a pipeline (n, 1)", pipeline.make_pipeline(
        preprocessing.StandardScaler(), linear_model.Ridge()).fit(X, COLUMN)
    yield "linear (n, 2)", linear_model.LinearRegression().fit(X, REAL_PAIR)
    yield "forest of several targets", forest(**five).fit(X, PAIR)
    yield "forest of several numbers", ensemble.RandomForestRegressor(**five).fit(X, REAL_PAIR)
    yield "forest of one tree", forest(n_estimators=1, random_state=0).fit(X, Y)
    yield "tree", tree.DecisionTreeClassifier(max_depth=3).fit(X, TEXT)
    yield "tree regressor", tree.DecisionTreeRegressor(max_depth=3).fit(X, R)
    yield "boosting", ensemble.GradientBoostingClassifier(**five).fit(X, Y)
    yield "boosting of three", ensemble.GradientBoostingClassifier(**five).fit(X, Y3)
    yield "boosting regressor", ensemble.GradientBoostingRegressor(**five).fit(X, R)
    yield "isolation forest", ensemble.IsolationForest(**five).fit(X)
    yield "k-means", cluster.KMeans(3, n_init=1, random_state=0).fit(X)
    yield "k-means searched", GridSearchCV(cluster.KMeans(n_init=1, random_state=0), {"n_clusters": [2]}).fit(X)
    yield "mixture", mixture.GaussianMixture(2, random_state=0).fit(X)
    yield "neighbors", neighbors.KNeighborsClassifier().fit(X, Y)
    yield "neighbors (n, 1)", neighbors.KNeighborsRegressor().fit(X, COLUMN)
    yield "neighbors of several targets", neighbors.KNeighborsClassifier().fit(X, PAIR)
    yield "nearest neighbors", neighbors.NearestNeighbors().fit(X)
    yield "multi-output", multioutput.MultiOutputClassifier(logistic()).fit(X, PAIR)
    yield "multi-output of one", multioutput.MultiOutputClassifier(logistic()).fit(X, Y[:, None])
    yield "naive Bayes", naive_bayes.GaussianNB().fit(X, Y)
    yield "one-class", svm.OneClassSVM().fit(X)
    yield "pca", decomposition.PCA(2).fit(X)
    yield "binarizer", preprocessing.Binarizer().fit(X)
    yield "bins", preprocessing.KBinsDiscretizer(3, encode="ordinal", quantile_method="averaged_inverted_cdf").fit(X)
    yield "words", feature_extraction.text.CountVectorizer().fit(["aa b", "c dd"])
    yield "labels alone", preprocessing.LabelEncoder().fit(TEXT)


def boosters():
    import catboost
    import lightgbm
    import xgboost
    quiet = {"verbose": 0, "allow_writing_files": False, "thread_count": 1}
    for target in (Y, Y3, TEXT):
        if target is not TEXT:
            yield f"xgboost {len(set(target))}", xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(X, target)
        yield f"lightgbm {target.dtype} {len(set(target))}", lightgbm.LGBMClassifier(
            n_estimators=3, verbose=-1, n_jobs=1).fit(X, target)
        yield f"catboost {target.dtype} {len(set(target))}", catboost.CatBoostClassifier(
            n_estimators=3, **quiet).fit(X, target)
    yield "xgboost numbers", xgboost.XGBRegressor(n_estimators=3, n_jobs=1).fit(X, R)
    yield "xgboost several numbers", xgboost.XGBRegressor(n_estimators=3, n_jobs=1).fit(X, REAL_PAIR)
    yield "lightgbm numbers", lightgbm.LGBMRegressor(n_estimators=3, verbose=-1, n_jobs=1).fit(X, R)
    yield "catboost numbers", catboost.CatBoostRegressor(n_estimators=3, **quiet).fit(X, R)


def own(model, method):
    """The original's function for a method, under its own name."""
    library = type(model).__module__.partition(".")[0]
    if method == "margin":
        keywords = {"xgboost": {"output_margin": True}, "lightgbm": {"raw_score": True},
                    "catboost": {"prediction_type": "RawFormulaVal"}}[library]
        return lambda rows: model.predict(rows, **keywords)
    if method == "apply" and library == "lightgbm":
        return lambda rows: model.predict(rows, pred_leaf=True)
    if method == "apply" and library == "catboost":
        return model.calc_leaf_indexes
    return getattr(model, method)


def form(value):
    if isinstance(value, (list, tuple)):
        return type(value), [form(part) for part in value]
    return type(value), value.dtype, value.shape


def check(name, given, expected):
    assert form(given) == form(expected), name
    for a, b in zip(*((v if isinstance(v, (list, tuple)) else [v]) for v in (given, expected)), strict=True):
        if a.dtype.kind in "biuOSU":
            assert np.array_equal(a, b), name
        else:
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6, err_msg=name)


def rows_for(model, dtype):
    if hasattr(model, "vocabulary_"):
        return ["aa", "b c dd"]
    return TEXT[:7] if type(model).__name__ == "LabelEncoder" else X[:7].astype(dtype)


@pytest.mark.parametrize("family", [models, boosters])
def test_dtypes_shapes_and_numbers(family, tmp_path):
    context = _core.Context()
    for number, (name, original) in enumerate(family()):
        path = tmp_path / f"{number}.joblib"
        joblib.dump(original, path)
        model = _core.Model.open(context, path)
        for dtype in (np.float64, np.float32):
            if name.startswith("k-means") and dtype == np.float32:
                continue  # raises in scikit-learn when it was fitted on float64
            rows = rows_for(original, dtype)
            expected = {}
            for method in model.methods():
                try:
                    expected[method] = own(original, method)(rows)
                except AttributeError:  # foretell gives more than scikit-learn does
                    continue
                if hasattr(expected[method], "toarray"):
                    expected[method] = expected[method].toarray()
                check(f"{name} {method}", model.run(rows, (method,))[0], expected[method])
            together = model.run(rows, tuple(expected))
            for method, value in zip(expected, together, strict=True):
                check(f"{name} {method} together", value, expected[method])


def test_no_rows(lr_path, transformer_path):
    model = _core.Model.open(_core.Context(), lr_path)
    labels, proba = model.run(np.zeros((0, 4)), ("predict", "predict_proba"))
    assert labels.shape == (0,) and labels.dtype == "<U5" and proba.shape == (0, 2)
    transformer = _core.Model.open(_core.Context(), transformer_path)
    assert transformer.run(np.zeros((0, 4)), ("transform",))[0].shape == (0, 2)


def test_results_are_the_callers_own(forest_path):
    model = _core.Model.open(_core.Context(), forest_path)
    rows = np.zeros((3, 4))
    first, = model.run(rows, ("predict_proba",))
    kept = first.copy()
    second, = model.run(rows + 1, ("predict_proba",))
    first[:] = -1
    assert first.flags.owndata and first.flags.writeable and first.flags.c_contiguous
    assert np.array_equal(model.run(rows, ("predict_proba",))[0], kept) and not np.shares_memory(first, second)
