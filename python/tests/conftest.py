"""What the tests of the package share: small models, trained once a run, and the rows that go with them.

A fixture NAME_path is the path of a model file; original(path) is what the library that wrote it loads from
it, and rows_of(path) is a table that the model takes. FTL_TEST_PROFILE=long (make test-all) runs the tests
marked long, too.
"""

import functools
import os
import pathlib

# numpy's and scikit-learn's own thread pools fight with the tests that run side by side
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")


def has_avx2():
    try:
        return " avx2 " in pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


# The reference is what the libraries say on a processor with AVX2: OpenBLAS rounds some products otherwise
# with AVX-512.
if has_avx2():
    os.environ["OPENBLAS_CORETYPE"] = "Haswell"

import hypothesis  # noqa: E402
import joblib  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pytest  # noqa: E402

PROFILE = os.environ.get("FTL_TEST_PROFILE", "fast")
COMMON = {
    "deadline": None,
    "database": None,
    "print_blob": True,
    "suppress_health_check": [
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.data_too_large,
        hypothesis.HealthCheck.function_scoped_fixture,
    ],
}
hypothesis.settings.register_profile("fast", max_examples=12, derandomize=True, **COMMON)
hypothesis.settings.register_profile("long", max_examples=400, **COMMON)
hypothesis.settings.load_profile(PROFILE)


def pytest_collection_modifyitems(config, items):
    if PROFILE != "long":
        kept = [item for item in items if "long" not in item.keywords]
        config.hook.pytest_deselected(items=[item for item in items if "long" in item.keywords])
        items[:] = kept


@pytest.fixture(scope="session")
def profile():
    """fast or long."""
    return PROFILE


# ---- Rows ----


def numeric_rows(n, seed=0):
    """(n, 4) float64."""
    return np.random.default_rng(seed).normal(size=(n, 4))


def named_frame(n, seed=0):
    """Four columns of numbers: age and tenure are integers, balance and rate floats."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, n),
            "tenure": rng.integers(0, 30, n),
            "balance": rng.normal(1000, 400, n).round(2),
            "rate": rng.uniform(0, 1, n).round(3),
        }
    )


def mixed_frame(n, seed=0, missing=True):
    """Numbers, some of them missing, and two columns of text."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, n).astype(float),
            "balance": rng.normal(1000, 400, n).round(2),
            "plan": rng.choice(["free", "pro", "team"], n),
            "city": rng.choice(["Wien", "Graz", "Linz"], n),
        }
    )
    if missing:
        frame.loc[rng.random(n) < 0.1, "balance"] = np.nan
    return frame


# ---- Models ----


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


def train_lr():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = named_frame(400)
    target = np.where(rows["balance"] / 1000 + rows["rate"] > 1.4, "stay", "churn")
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, target), rows


def train_forest():
    from sklearn.ensemble import RandomForestClassifier

    rows = numeric_rows(400)
    target = (rows[:, 0] * rows[:, 1] > 0).astype(int) + (rows[:, 2] > 1)
    return RandomForestClassifier(100, max_depth=8, random_state=0).fit(rows, target), rows


def train_pipeline():
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    rows = mixed_frame(400)
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "balance"]),
            ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["plan", "city"]),
        ]
    )
    target = np.where((rows["plan"] == "pro") ^ (rows["age"] > 50), "yes", "no")
    boosting = HistGradientBoostingClassifier(max_iter=20, random_state=0)
    return make_pipeline(columns, boosting).fit(rows, target), rows


def train_regressor():
    from sklearn.ensemble import GradientBoostingRegressor

    rows = numeric_rows(400, seed=3)
    return GradientBoostingRegressor(n_estimators=20, random_state=0).fit(
        rows, rows[:, 0] ** 2 - rows[:, 3]
    ), rows


def train_transformer():
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = numeric_rows(400, seed=4)
    return make_pipeline(StandardScaler(), PCA(2, random_state=0)).fit(rows), rows


TRAINED = {}  # path -> rows


def saved(folder, name, train):
    model, rows = train()
    path = folder / f"{name}.joblib"
    joblib.dump(model, path)
    TRAINED[str(path)] = rows
    return path


@pytest.fixture(scope="session")
def lr_path(models_folder):
    """Scaler and logistic regression on a frame with names (named_frame); classes churn and stay."""
    return saved(models_folder, "lr", train_lr)


@pytest.fixture(scope="session")
def forest_path(models_folder):
    """Random forest of 100 trees on four numbers without names (numeric_rows); classes 0, 1, 2."""
    return saved(models_folder, "forest", train_forest)


@pytest.fixture(scope="session")
def pipeline_path(models_folder):
    """Imputer, scaler, one-hot encoder, histogram gradient boosting (mixed_frame); classes no and yes."""
    return saved(models_folder, "pipeline", train_pipeline)


@pytest.fixture(scope="session")
def regressor_path(models_folder):
    """Gradient boosting on four numbers without names."""
    return saved(models_folder, "regressor", train_regressor)


@pytest.fixture(scope="session")
def transformer_path(models_folder):
    """Scaler and PCA to two components, of four numbers without names."""
    return saved(models_folder, "transformer", train_transformer)


@functools.cache
def load_original(path):
    return joblib.load(path)


@pytest.fixture(scope="session")
def original():
    """A function: what the library that wrote the model loads from the path."""
    return lambda path: load_original(str(path))


@pytest.fixture(scope="session")
def rows_of():
    """A function: the 400 rows that the model of a fixture's path was trained on."""
    return lambda path: TRAINED[str(path)]
