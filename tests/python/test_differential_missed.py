"""Discriminants, mixtures, thresholds, centroids, local outliers, power and spline transformers, target encoders and
imputers that look at other rows or columns: fresh models on awkward rows, against scikit-learn."""

import warnings

import differential as diff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import discriminant_analysis, ensemble, impute, linear_model, mixture, model_selection, neighbors, tree
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, PowerTransformer, SplineTransformer, StandardScaler, TargetEncoder

FEATURES = st.sampled_from([1, 2, 3, 7, 8, 9, 17])


def data(seed, n, rows=60):
    """Rows of columns of very different size."""
    rng = np.random.default_rng(seed)
    return rng, rng.normal(size=(rows, n)) * 10.0 ** rng.integers(-2, 3, n) + rng.integers(-3, 4, n)


def holes(rng, x, share=0.2):
    x = x.copy()
    x[rng.random(x.shape) < share] = np.nan
    return x


def fit(model, x, y=None):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.fit(x, y)


def rows_of(rng, x, single, special=True):
    return diff.awkward(rng, x, special).astype(np.float32 if single else np.float64)


# ---- Discriminants, mixtures, centroids -------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["svd", "lsqr", "eigen"])
@diff.examples(8)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.integers(2, 6), kind=st.sampled_from(diff.LABEL_KINDS),
       single=st.booleans())
def test_linear_discriminant(solver, seed, n, n_classes, kind, single):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = fit(discriminant_analysis.LinearDiscriminantAnalysis(solver=solver), x, y)
    methods = [m for m in diff.offered(model) if m != "transform" or solver != "lsqr"]
    diff.compare(model, rows_of(rng, x, single), methods)


@diff.examples(15)
@given(seed=diff.seeds, n=st.sampled_from([1, 2, 3, 7]), n_classes=st.integers(2, 4),
       kind=st.sampled_from(diff.LABEL_KINDS), single=st.booleans())
def test_quadratic_discriminant(seed, n, n_classes, kind, single):
    rng, x = data(seed, n, 90)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = fit(discriminant_analysis.QuadraticDiscriminantAnalysis(reg_param=rng.uniform(0.01, 0.5)), x, y)
    diff.compare(model, rows_of(rng, x, single))


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
@diff.examples(6)
@given(seed=diff.seeds, n=st.sampled_from([1, 2, 3, 7]), components=st.integers(1, 4), bayes=st.booleans(),
       process=st.booleans())
def test_mixture(kind, seed, n, components, bayes, process):
    rng, x = data(seed, n)
    more = {"n_components": components, "covariance_type": kind, "random_state": 0, "reg_covar": 1e-4}
    prior = "dirichlet_process" if process else "dirichlet_distribution"
    model = mixture.BayesianGaussianMixture(weight_concentration_prior_type=prior, **more) if bayes \
        else mixture.GaussianMixture(**more)
    diff.compare(fit(model, x), diff.awkward(rng, x))


@diff.examples(25)
@given(seed=diff.seeds, n=FEATURES, n_classes=st.integers(2, 6), kind=st.sampled_from(diff.LABEL_KINDS),
       metric=st.sampled_from(["euclidean", "manhattan"]), priors=st.sampled_from(["uniform", "empirical"]),
       shrink=st.sampled_from([None, 0.2]), single=st.booleans())
def test_nearest_centroid(seed, n, n_classes, kind, metric, priors, shrink, single):
    rng, x = data(seed, n)
    y = diff.labels(rng, len(x), 2 if kind == "bool" else n_classes, kind)
    model = fit(neighbors.NearestCentroid(metric=metric, priors=priors, shrink_threshold=shrink), x, y)
    diff.compare(model, rows_of(rng, x, single))


@diff.examples(15)
@given(seed=diff.seeds, n=st.sampled_from([1, 2, 3, 8]), whiten=st.booleans(), all_components=st.booleans(),
       single=st.booleans())
def test_density_of_components(seed, n, whiten, all_components, single):
    """score_samples of PCA: a method that was missing on a class that runs."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, n)) * rng.uniform(0.5, 3, n) + rng.integers(-3, 4, n)
    model = fit(PCA(n if all_components else int(rng.integers(1, n + 1)), whiten=whiten), x)
    diff.compare(model, rows_of(rng, x, single), ["score_samples"])


@pytest.mark.parametrize("algorithm", ["ball_tree", "kd_tree", "brute"])
@diff.examples(6)
@given(seed=diff.seeds, n=st.sampled_from([1, 2, 3, 8]), k=st.sampled_from([1, 5, 20, 200]),
       contamination=st.sampled_from(["auto", 0.1]))
def test_local_outliers(algorithm, seed, n, k, contamination):
    rng, x = data(seed, n)
    model = neighbors.LocalOutlierFactor(k, novelty=True, algorithm=algorithm, contamination=contamination)
    diff.compare(fit(model, x), diff.awkward(rng, x) + 0.01 * rng.normal(size=(24, n)),
                 ["predict", "decision_function", "score_samples"])


@pytest.mark.parametrize("k", [3, 5, 6, 20])
def test_neighbors_of_local_outliers_are_as_many_as_asked_for(k, tmp_path):
    """The scores count one point less where all are wanted, kneighbors does not, and refuses more than there are."""
    _, x = data(7, 3, rows=6)
    model = fit(neighbors.LocalOutlierFactor(k, novelty=True), x)
    diff.compare(model, x[:4] + 0.1, ["predict", "decision_function"])
    out = tmp_path / "out.csv"
    process = diff.run(diff.write_model(model, tmp_path), diff.write_rows(x[:4] + 0.1, tmp_path), out, "--method", "kneighbors")
    if k > 6:
        assert process.returncode == 3 and "20 neighbors of 6 points" in process.stderr
    else:
        found = pd.read_csv(out).to_numpy()
        np.testing.assert_allclose(found, np.hstack(model.kneighbors(x[:4] + 0.1)), rtol=1e-12)


def test_outliers_without_novelty_are_refused(tmp_path):
    rng, x = data(1, 3)
    process = diff.run(diff.write_model(fit(neighbors.LocalOutlierFactor(5), x), tmp_path),
                       diff.write_rows(x, tmp_path), tmp_path / "out.csv")
    assert process.returncode == 3 and "novelty=True" in process.stderr


# ---- Thresholds -------------------------------------------------------------------------------------------

INNER = {"logistic": lambda: linear_model.LogisticRegression(C=0.1), "ridge": linear_model.RidgeClassifier,
         "forest": lambda: ensemble.RandomForestClassifier(5, max_depth=3, random_state=0),
         "pipeline": lambda: make_pipeline(StandardScaler(), linear_model.LogisticRegression(C=0.3))}


@pytest.mark.parametrize("name", INNER)
@diff.examples(8)
@given(seed=diff.seeds, kind=st.sampled_from(diff.LABEL_KINDS), first=st.booleans(), auto=st.booleans(),
       decision=st.booleans(), single=st.booleans())
def test_fixed_threshold(name, seed, kind, first, auto, decision, single):
    rng, x = data(seed, 3)
    y = diff.labels(rng, len(x), 2, kind)
    response = "auto" if auto or (decision and name == "forest") or (not decision and name == "ridge") else \
        "decision_function" if decision else "predict_proba"
    model = model_selection.FixedThresholdClassifier(
        INNER[name](), threshold="auto" if auto else round(rng.uniform(0.2, 0.8), 2), response_method=response,
        pos_label=diff.classes(rng, 2, kind)[0].item() if first and kind != "object" else None)
    diff.compare(fit(model, x, y), rows_of(rng, x, single))


@diff.examples(8)
@given(seed=diff.seeds, scoring=st.sampled_from(["balanced_accuracy", "f1", "recall", "accuracy"]), low=st.integers(0, 1),
       name=st.sampled_from(["logistic", "forest"]), single=st.booleans())
def test_tuned_threshold(seed, scoring, low, name, single):
    """Metrics that take pos_label have class 1 as the positive one, the first of {1, 2}."""
    rng, x = data(seed, 3)
    y = (x[:, 0] + rng.normal(size=len(x)) * np.abs(x[:, 0]).mean() > np.median(x[:, 0])).astype(int) + low
    model = model_selection.TunedThresholdClassifierCV(INNER[name](), scoring=scoring, cv=3)
    diff.compare(fit(model, x, y), rows_of(rng, x, single))


# ---- Transformers of a column at a time -------------------------------------------------------------------


@diff.examples(25)
@given(seed=diff.seeds, n=FEATURES, standardize=st.booleans(), box_cox=st.booleans(), missing=st.booleans(),
       single=st.booleans())
def test_power(seed, n, standardize, box_cox, missing, single):
    rng = np.random.default_rng(seed)
    x = np.exp(rng.normal(size=(60, n)) * rng.uniform(0.1, 1, n)) * 10.0 ** rng.integers(-1, 2, n)
    x = x if box_cox else x - x.mean(axis=0)
    x = holes(rng, x, 0.1) if missing else x
    model = fit(PowerTransformer("box-cox" if box_cox else "yeo-johnson", standardize=standardize), x)
    rows = x[rng.integers(0, len(x), 20)] * np.round(rng.uniform(0.5, 2, (20, 1)), 2)
    rows[0] = np.nan
    rows[1, 0] = np.inf
    rows[2] = 0.0  # refused by Box and Cox
    diff.compare(model, rows.astype(np.float32 if single else np.float64))


def test_constant_column_keeps_its_power():
    x = np.column_stack([np.full(30, 4.25), np.arange(30.0), np.zeros(30)])
    diff.compare(fit(PowerTransformer(), x), x - 3)


@pytest.mark.parametrize("ends", ["error", "constant", "linear", "continue", "periodic"])
@diff.examples(10)
@given(seed=diff.seeds, n=st.sampled_from([1, 2, 5]), degree=st.integers(0, 5), knots=st.integers(2, 8),
       quantile=st.booleans(), bias=st.booleans(), sparse=st.booleans(), missing=st.booleans())
def test_splines(ends, seed, n, degree, knots, quantile, bias, sparse, missing):
    if ends == "periodic" and knots <= degree or ends == "linear" and degree == 0:
        knots, degree = knots + 5, degree + 1
    rng, x = data(seed, n)
    x = holes(rng, x, 0.1) if missing else x
    model = SplineTransformer(knots, degree, knots="quantile" if quantile else "uniform", extrapolation=ends,
                              include_bias=bias or knots + degree < 4, sparse_output=sparse and degree > 0 and not missing,
                              handle_missing="zeros" if missing else "error")
    rows = x[rng.integers(0, len(x), 20)] * np.round(rng.uniform(0.5, 1.5, (20, 1)), 2)
    rows[:3] = x[:3]
    diff.compare(fit(model, x), rows)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "continuous"])
@diff.examples(8)
@given(seed=diff.seeds, missing=st.booleans())
def test_target_encoder(kind, seed, missing):
    rng = np.random.default_rng(seed)

    def table(n, spare):
        words = ["a", "b,c", "", "ö"] + (["new"] if spare else [])
        frame = pd.DataFrame({"word": rng.choice(words, n), "whole": rng.integers(0, 4 + spare, n),
                              "half": rng.integers(0, 5 + spare, n) / 2})
        if missing:
            frame["half"] = frame["half"].where(rng.random(n) > 0.2)
        return frame

    y = diff.labels(rng, 60, {"binary": 2, "multiclass": 4}[kind], "str") if kind != "continuous" else rng.normal(size=60)
    diff.compare(fit(TargetEncoder(smooth=rng.choice([0.5, 10.0])), table(60, False), y), table(30, True))


def test_target_encoder_in_a_pipeline():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"city": rng.choice(["x", "y", "z"], 80), "size": rng.normal(size=80)})
    y = (rng.random(80) > 0.5).astype(int)
    model = make_pipeline(make_column_transformer((TargetEncoder(), ["city"]), remainder="passthrough"),
                          linear_model.LogisticRegression())
    diff.compare(fit(model, frame, y), frame.assign(city=rng.choice(["x", "new"], 80)))


# ---- Imputers ---------------------------------------------------------------------------------------------


@diff.examples(25)
@given(seed=diff.seeds, n=st.sampled_from([2, 3, 8, 9]), distance=st.booleans(), k=st.sampled_from([1, 3, 100]),
       indicator=st.booleans(), value=st.sampled_from([np.nan, -1]), single=st.booleans())
def test_knn_imputer(seed, n, distance, k, indicator, value, single):
    rng = np.random.default_rng(seed)
    x = holes(rng, rng.normal(size=(60, n)) * rng.uniform(0.5, 4, n))
    rows = holes(rng, rng.normal(size=(25, n)), 0.3)
    rows[0], rows[1, 0] = np.nan, np.inf
    x, rows = (part if np.isnan(value) else np.where(np.isnan(part), value, part) for part in (x, rows))
    model = impute.KNNImputer(missing_values=value, n_neighbors=k, weights="distance" if distance else "uniform",
                              add_indicator=indicator)
    diff.compare(fit(model, x), rows.astype(np.float32 if single else np.float64))


def test_knn_imputer_of_rows_without_distance():
    """Squares that overflow: inf * 0 is no distance, and the column's mean is left."""
    model = fit(impute.KNNImputer(n_neighbors=1), np.array([[1.0, 10], [2, 20], [3, 60]]))
    diff.compare(model, np.array([[1e200, np.nan], [1.0, np.nan], [np.nan, np.nan], [-1e160, np.nan]]))


@diff.examples(12)
@given(seed=diff.seeds, n=st.sampled_from([2, 3, 6]), value=st.sampled_from([np.nan, -1]), indicator=st.booleans(),
       order=st.sampled_from(["ascending", "roman", "random"]), nearest=st.sampled_from([None, 1]), empty=st.booleans())
def test_iterative_imputer(seed, n, value, indicator, order, nearest, empty):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, n))
    x[:, -1] += x[:, 0]
    x, rows = holes(rng, x), holes(rng, x[:25] + 0.25, 0.3)
    rows[0], rows[1, 0] = np.nan, np.inf
    x, rows = (part if np.isnan(value) else np.where(np.isnan(part), value, part) for part in (x, rows))
    if empty:
        x[:, 0] = value
    model = impute.IterativeImputer(missing_values=value, max_iter=3, random_state=0, add_indicator=indicator,
                                    imputation_order=order, n_nearest_features=nearest, min_value=-4, max_value=4)
    diff.compare(fit(model, x), rows)


@pytest.mark.parametrize("inner", [
    tree.DecisionTreeRegressor(max_depth=3, random_state=0), linear_model.Ridge(),
    ensemble.RandomForestRegressor(4, max_depth=3, random_state=0),
    make_pipeline(StandardScaler(), linear_model.LinearRegression())], ids=lambda inner: type(inner).__name__)
def test_iterative_imputer_of_other_models(inner):
    rng = np.random.default_rng(4)
    x = holes(rng, rng.normal(size=(80, 4)) @ rng.normal(size=(4, 4)))
    diff.compare(fit(impute.IterativeImputer(inner, max_iter=2, random_state=0), x), holes(rng, x[:30] + 0.1))


def test_random_imputations_are_refused(tmp_path):
    rng = np.random.default_rng(4)
    x = holes(rng, rng.normal(size=(60, 3)))
    model = fit(impute.IterativeImputer(sample_posterior=True, max_iter=2, random_state=0), x)
    process = diff.run(diff.write_model(model, tmp_path), diff.write_rows(x, tmp_path), tmp_path / "out.csv")
    assert process.returncode == 3 and "at random" in process.stderr


@diff.examples(20)
@given(seed=diff.seeds, n=FEATURES, every=st.booleans(), new=st.booleans(), value=st.sampled_from([np.nan, 0]),
       single=st.booleans())
def test_missing_indicator(seed, n, every, new, value, single):
    rng, x = data(seed, n)
    x, rows = holes(rng, x, 0.02), holes(rng, x[:20], 0.2)
    rows[0, 0] = np.inf
    x, rows = (part if np.isnan(value) else np.where(np.isnan(part), value, part) for part in (x, rows))
    x[0, 0] = value  # no output has no columns
    model = impute.MissingIndicator(missing_values=value, features="all" if every else "missing-only", error_on_new=new)
    diff.compare(fit(model, x), rows.astype(np.float32 if single else np.float64))


@pytest.mark.parametrize("first", [
    impute.KNNImputer(n_neighbors=3), impute.IterativeImputer(max_iter=2, random_state=0),
    make_union(impute.SimpleImputer(), impute.MissingIndicator(features="all"))], ids=lambda first: type(first).__name__)
@pytest.mark.parametrize("then", [
    PowerTransformer(), SplineTransformer(n_knots=3), discriminant_analysis.LinearDiscriminantAnalysis(),
    mixture.GaussianMixture(2, random_state=0), neighbors.NearestCentroid(),
    ensemble.HistGradientBoostingClassifier(max_iter=3)], ids=lambda then: type(then).__name__)
@pytest.mark.parametrize("single", [False, True])
def test_chains(first, then, single):
    """What one estimator hands to the next: float types, names and missing values."""
    rng, x = data(8, 4, 80)
    y = diff.labels(rng, len(x), 3, "str")
    x = holes(rng, x / np.abs(x).max(axis=0))
    model = fit(make_pipeline(first, then), x, y)
    diff.compare(model, x[:30].astype(np.float32 if single else np.float64))


def test_one_hot_columns_before_them():
    """Sparse rows where the library takes them: NearestCentroid; dense ones elsewhere."""
    rng = np.random.default_rng(3)
    x, rows = rng.integers(0, 4, size=(60, 3)), rng.integers(-1, 6, size=(30, 3)).astype(float)
    y = diff.labels(rng, 60, 3, "str")
    sparse = OneHotEncoder(handle_unknown="ignore")
    dense = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    diff.compare(fit(make_pipeline(sparse, neighbors.NearestCentroid()), x, y), rows)
    for then in [discriminant_analysis.LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3),
                 mixture.GaussianMixture(2, covariance_type="diag", random_state=0)]:
        model = fit(make_pipeline(dense, then), x, y)
        diff.compare(model, rows, [m for m in diff.offered(model) if m != "transform"])


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_target_encoder_of_empty_texts(classes):
    """A column of its own, whose empty cells are a category."""
    x = pd.DataFrame({"city": ["Oslo", "", "Rome", "Oslo", ""] * 6})
    y = np.arange(30) % classes if classes else np.arange(30) / 7
    diff.compare(TargetEncoder(cv=2, random_state=0).fit(x, y), x)
