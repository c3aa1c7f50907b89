"""Random frames: what the original library gives, or refuses, for the very same object, the extension gives or refuses."""

import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from foretell import _core, errors
from hypothesis import given
from hypothesis import strategies as st

CONTEXT = _core.Context()
N = 150


def training_frame():
    rng = np.random.default_rng(5)
    return pd.DataFrame({
        "n": rng.normal(size=N), "i": rng.integers(0, 4, N), "b": rng.random(N) < 0.5,
        "t": rng.choice(np.array(["a", "b", "1", "True"], dtype=object), N),
        "m": rng.choice(np.array(["x", "y", None], dtype=object), N),
        "q": rng.choice(np.array(["x", "y", np.nan], dtype=object), N)}).astype({"t": object, "m": object, "q": object})


def label(frame):
    return ((frame["n"] > 0) ^ (frame["i"] > 1) ^ (frame["t"] == "a")).astype(int)


def saved(model, folder, name):
    joblib.dump(model, folder / f"{name}.joblib")
    return model, _core.Model.open(CONTEXT, folder / f"{name}.joblib")


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    """Encoders of each kind that are strict, ignore what they do not know, or give it a number of its own."""
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
    frame, folder = training_frame(), tmp_path_factory.mktemp("encoders")
    made = {}
    for name, encoder in (("strict", OneHotEncoder(sparse_output=False)),
                          ("ignoring", OneHotEncoder(handle_unknown="ignore", sparse_output=False)),
                          ("ordinal", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1))):
        columns = ColumnTransformer([("e", encoder, ["i", "t", "m", "q"]), ("s", StandardScaler(), ["n", "b"])],
                                    sparse_threshold=0)
        made[name] = saved(columns.fit(frame), folder, name)
    return made


cells = st.sampled_from(["a", "b", "1", "True", "x", "y", "new", "", None, float("nan"), 1, 0, 2, True, 1.5, "nan", "None"])
texts = st.sampled_from(["a", "b", "1", "True", "x", "y", "new", ""])


@st.composite
def frames(draw):
    n = draw(st.integers(1, 6))

    def column(values, dtypes):
        return pd.Series(draw(st.lists(values, min_size=n, max_size=n)), dtype=draw(st.sampled_from(dtypes)))
    floats = st.floats(-3, 3, width=32).map(float)
    return pd.DataFrame({
        "q": column(draw(st.sampled_from([cells, texts])), [object]),
        "m": column(draw(st.sampled_from([cells, texts])), [object]),
        "t": column(texts, [object, "category", "string[python]", "str"]),
        "b": column(st.booleans(), [bool, "boolean", np.int8]), "more": range(n),
        "i": column(st.integers(0, 4), [np.int64, np.int8, np.uint16, "Int64", np.float64, "category"]),
        "n": column(floats, [np.float64, np.float32, "Float64"])})


def outcome(function, X):
    """The function's result, or None when it raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(function(X), dtype=np.float64)
    except (ValueError, TypeError, AttributeError, errors.Error):
        return None


def agree(original, ours, frame):
    a, b = outcome(original, frame), outcome(ours, frame)
    if a is None or b is None:
        assert a is None and b is None, (a, b, frame.to_dict("list"), frame.dtypes.to_dict())
    else:
        np.testing.assert_allclose(b, a, rtol=1e-6, atol=1e-6, err_msg=str((frame.to_dict("list"), frame.dtypes.to_dict())))


@pytest.mark.parametrize("kind", ["strict", "ignoring", "ordinal"])
@given(frame=frames())
def test_encoders(encoders, kind, frame):
    original, model = encoders[kind]
    agree(original.transform, lambda X: model.run(X, ("transform",))[0], frame)


@pytest.fixture(scope="module")
def boosters(tmp_path_factory):
    import catboost
    import lightgbm
    import xgboost
    from sklearn.ensemble import HistGradientBoostingClassifier
    frame, folder = training_frame(), tmp_path_factory.mktemp("boosters")
    target = label(frame)
    typed = frame[["n", "i", "b"]].assign(t=frame["t"].astype("category"))
    plain = frame[["n", "i", "t"]]
    return {
        "hist": (*saved(HistGradientBoostingClassifier(max_iter=8, categorical_features="from_dtype").fit(typed, target),
                        folder, "hist"), typed),
        "lightgbm": (*saved(lightgbm.LGBMClassifier(n_estimators=8, verbose=-1, n_jobs=1, min_child_samples=5).fit(typed, target),
                            folder, "lightgbm"), typed),
        "xgboost": (*saved(xgboost.XGBClassifier(n_estimators=8, n_jobs=1, enable_categorical=True).fit(typed, target),
                           folder, "xgboost"), typed),
        "catboost": (*saved(catboost.CatBoostClassifier(n_estimators=8, verbose=0, allow_writing_files=False, thread_count=1,
                                                        cat_features=["i", "t"]).fit(plain, target), folder, "catboost"), plain)}


@pytest.mark.parametrize("kind", ["hist", "lightgbm", "xgboost", "catboost"])
@given(seed=st.integers(0, 1000), n=st.integers(1, 8), missing=st.booleans(), dtype=st.sampled_from(["float32", "float64"]),
       codes=st.booleans())
def test_boosters_on_frames_of_their_types(boosters, kind, seed, n, missing, dtype, codes):
    original, model, training = boosters[kind]
    rng = np.random.default_rng(seed)
    frame = training.iloc[rng.integers(0, N, n)].reset_index(drop=True)
    frame["n"] = frame["n"].astype(dtype)
    if missing:
        frame.loc[rng.random(n) < 0.4, "n"] = np.nan
    if codes and kind != "catboost":
        frame["t"] = frame["t"].cat.remove_unused_categories()
        if kind == "xgboost":  # which wants the categories of the training
            frame["t"] = frame["t"].cat.set_categories(training["t"].cat.categories)
    agree(original.predict_proba, lambda X: model.run(X, ("predict_proba",))[0], frame)


@given(seed=st.integers(0, 1000), dtype=st.sampled_from(["f2", "f4", "f8", "i1", "i4", "i8", "u2", "?", ">f8", "O"]),
       order=st.sampled_from("CFS"), rows=st.integers(1, 40))
def test_matrices(matrix_models, seed, dtype, order, rows):
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(rows * 2, 4)) * 3).astype(dtype)
    X = X[::2] if order == "S" else np.asarray(X[:rows], order=order)
    for original, model, method in matrix_models:
        given_, expected = model.run(X, (method,))[0], getattr(original, method)(X)
        if dtype != "f2":  # whose arithmetic scikit-learn keeps in half precision here and there
            np.testing.assert_allclose(given_, expected, rtol=1e-5, atol=1e-6)
        assert given_.shape == expected.shape


@pytest.fixture(scope="module")
def matrix_models(tmp_path_factory):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import MinMaxScaler
    X = np.random.default_rng(2).normal(size=(N, 4))
    folder = tmp_path_factory.mktemp("matrices")
    return [(*saved(model.fit(X, X[:, 0] > X[:, 1]), folder, name), method) for name, model, method in (
        ("forest", RandomForestClassifier(10, max_depth=5, random_state=0), "predict_proba"),
        ("linear", LogisticRegression(), "decision_function"), ("scaler", MinMaxScaler(), "transform"))]
