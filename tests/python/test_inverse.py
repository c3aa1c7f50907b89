"""inverse_transform: what scalers and encoders made of a table, back to the table.

The kind: a method whose input is another one's output. Compared with the library, zeros, unknown and missing codes
included.
"""

import pickle

import ftl
import library
import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, SequentialFeatureSelector, VarianceThreshold, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (LabelEncoder, MaxAbsScaler, MinMaxScaler, Normalizer, OneHotEncoder, OrdinalEncoder,
                                   RobustScaler, StandardScaler)

RNG = np.random.default_rng(8)
X = RNG.normal(5, 3, (40, 3))
FRAME = pd.DataFrame({"city": RNG.choice(["Köln", "Bonn", "Ulm, a"], 40), "size": RNG.choice([1, 2, 30], 40),
                      "flag": RNG.choice(["y", "n"], 40)})


@pytest.fixture
def back(tmp_path):
    """A function: (names, columns of texts) of the inverse of a matrix or table."""
    def go(model, given, code=0):
        path, rows = tmp_path / "model.pkl", tmp_path / "rows.csv"
        path.write_bytes(pickle.dumps(model))
        if isinstance(given, pd.DataFrame):
            given.to_csv(rows, index=False)
        else:
            rows = tmp_path / "rows.npy"
            np.save(rows, given)
        done = ftl.run("predict", path, rows, "--method", "inverse_transform", "-o", tmp_path / "out.csv")
        assert done.returncode == code, done.stderr
        if code:
            return done
        header, body = ftl.read_csv(tmp_path / "out.csv")
        return header, np.array(body, dtype=object)
    return go


def texts(values):
    """As a CSV shows them: None and NaN are empty."""
    return np.array([["" if v is None or v != v else str(v) for v in row] for row in np.asarray(values, dtype=object)],
                    dtype=object)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scaler", [
    StandardScaler(), StandardScaler(with_mean=False), StandardScaler(with_std=False), MinMaxScaler((-2, 3)),
    MinMaxScaler(clip=True), MaxAbsScaler(), RobustScaler(), RobustScaler(with_centering=False),
    RobustScaler(with_scaling=False), make_pipeline(MinMaxScaler(), StandardScaler())], ids=str)
def test_scalers(back, scaler, dtype):
    scaler.fit(X)
    given = RNG.normal(0, 2, (30, 3)).astype(dtype)
    given[3, 1] = np.nan
    expected = scaler.inverse_transform(given.copy())
    _, body = back(scaler, given)
    found = np.array([[float(cell) if cell else np.nan for cell in row] for row in body])
    np.testing.assert_array_equal(found.astype(expected.dtype), expected)


WIDE = RNG.normal(size=(40, 6)) @ RNG.normal(size=(6, 6)) + 3


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("fitted", [np.float64, np.float32])
@pytest.mark.parametrize("projection", [PCA(3), PCA(6), PCA(2, whiten=True), IncrementalPCA(3), IncrementalPCA(2, whiten=True),
                                        TruncatedSVD(4), make_pipeline(StandardScaler(), PCA(3))], ids=str)
def test_projections(back, projection, fitted, dtype):
    projection.fit(WIDE.astype(fitted))
    given = projection.transform(RNG.normal(0, 2, (30, 6))).astype(dtype)
    expected = projection.inverse_transform(given.copy())
    _, body = back(projection, given)
    single = np.float32 in (fitted, dtype)
    np.testing.assert_allclose(body.astype(float), expected, rtol=0, atol=2e-5 if single else 1e-12)


def test_projections_of_missing_values_are_refused(back):
    given = np.array([[1.0, 2.0], [np.nan, 1.0]])
    assert "row 1" in back(PCA(2).fit(WIDE), given, code=4).stderr


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the column that is the same in every row
@pytest.mark.parametrize("selector", [
    SelectKBest(f_classif, k=3), VarianceThreshold(1e-9), RFE(LogisticRegression(), n_features_to_select=2),
    SelectFromModel(LogisticRegression(C=0.1)), SequentialFeatureSelector(LogisticRegression(), n_features_to_select=2, cv=2)],
    ids=lambda selector: type(selector).__name__)
@pytest.mark.parametrize("named", [False, True])
def test_selectors(back, selector, named):
    """Zeros stand where the columns were that it left out."""
    x = np.hstack([WIDE, np.full((40, 1), 2.0)])
    x = pd.DataFrame(x, columns=list("abcdefg")) if named else x
    selector.fit(x, (WIDE[:, 1] > 3).astype(int))
    given = selector.transform(x)
    given = pd.DataFrame(given, columns=selector.get_feature_names_out()) if named else given
    header, body = back(selector, given)
    assert header == (list("abcdefg") if named else [f"x{i}" for i in range(7)])
    np.testing.assert_array_equal(body.astype(float), selector.inverse_transform(given))


def test_names(back):
    """A scaler that knows names takes its own outputs by name, and gives the names back."""
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    scaler = StandardScaler().set_output(transform="pandas").fit(frame)
    header, body = back(scaler, scaler.transform(frame)[["c", "a", "b"]])
    assert header == ["a", "b", "c"]
    np.testing.assert_allclose(body.astype(float), X, rtol=1e-12)


def test_label_encoder(back):
    for labels in (["Köln", "Bonn", "Ulm, a"], [3, 10, 20], [0.5, 2.0, 7.25], [True, False]):
        encoder = LabelEncoder().fit(labels)
        given = np.arange(len(encoder.classes_))[::-1]
        _, body = back(encoder, given)
        assert list(body[:, 0]) == [str(label) for label in encoder.inverse_transform(given)]
    done = back(LabelEncoder().fit(["a", "b"]), np.array([0, 2]), code=4)
    assert "row 1" in done.stderr


ORDINAL = [OrdinalEncoder(), OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
           OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)]


@pytest.mark.parametrize("encoder", ORDINAL, ids=str)
def test_ordinal_encoder(back, encoder):
    encoder.fit(FRAME)
    given = encoder.transform(FRAME)
    if encoder.handle_unknown != "error":
        given[2] = encoder.unknown_value
        given[5, 0] = encoder.unknown_value
    header, body = back(encoder, pd.DataFrame(given, columns=FRAME.columns))
    assert header == list(FRAME.columns)
    np.testing.assert_array_equal(body, texts(encoder.inverse_transform(given)))


def test_ordinal_encoder_of_numbers_and_missing(back):
    given = np.array([[1.5, 1], [np.nan, 2], [2.5, 2], [1.5, 4]])
    for options in ({}, {"encoded_missing_value": -7}):
        encoder = OrdinalEncoder(**options).fit(given)
        codes = encoder.transform(given)
        _, body = back(encoder, codes)
        np.testing.assert_array_equal(body, texts(encoder.inverse_transform(codes.copy())))
    encoder = OrdinalEncoder().fit(given[:, 1:])
    codes = np.array([[-1.0], [-3.0], [1.0], [0.9]])
    _, body = back(encoder, codes)
    np.testing.assert_array_equal(body, texts(encoder.inverse_transform(codes.copy())))
    back(encoder, np.array([[3.0]]), code=4)
    back(encoder, np.array([[np.nan]]), code=4)


def test_missing_labels_in_a_matrix(save):
    """What stands for no category is NaN in the library's matrix as it is an empty cell in a file."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit([[1.5], [2.5], [3.5]])
    codes = np.array([[0.0], [-1.0], [2.0]])
    with library.Session(save(encoder), "inverse_transform") as session:
        back = session.predict_matrix(codes, "inverse_transform", 1)
    np.testing.assert_array_equal(back, encoder.inverse_transform(codes).astype(float))


ONE_HOT = [
    OneHotEncoder(), OneHotEncoder(handle_unknown="ignore"), OneHotEncoder(drop="first"),
    OneHotEncoder(drop="if_binary"), OneHotEncoder(drop="first", handle_unknown="ignore"),
    OneHotEncoder(min_frequency=14, handle_unknown="infrequent_if_exist"), OneHotEncoder(max_categories=2),
    OneHotEncoder(max_categories=2, drop="first"),
]


@pytest.mark.parametrize("encoder", ONE_HOT, ids=str)
def test_one_hot_encoder(back, encoder):
    encoder.set_params(sparse_output=False).fit(FRAME)
    given = encoder.transform(FRAME)
    if encoder.handle_unknown == "ignore":
        given[4] = 0
        given[6, :2] = 0
    given[8] *= 0.25  # the largest counts, not 1
    header, body = back(encoder, pd.DataFrame(given, columns=encoder.get_feature_names_out()))
    assert header == list(FRAME.columns)
    np.testing.assert_array_equal(body, texts(encoder.inverse_transform(given)))


def test_one_hot_encoder_of_one_category(back):
    frame = FRAME.assign(same="x")
    encoder = OneHotEncoder(drop="first", sparse_output=False).fit(frame)
    given = encoder.transform(frame)
    header, body = back(encoder, pd.DataFrame(given, columns=encoder.get_feature_names_out()))
    np.testing.assert_array_equal(body, texts(encoder.inverse_transform(given)))


def test_zeros_that_mean_nothing_are_refused(back):
    encoder = OneHotEncoder(sparse_output=False).fit(FRAME)
    given = encoder.transform(FRAME)
    given[4] = 0
    done = back(encoder, pd.DataFrame(given, columns=encoder.get_feature_names_out()), code=4)
    assert "row 4" in done.stderr and "column 'city': a missing value" in done.stderr


@pytest.mark.parametrize("model", [Normalizer().fit(X), LogisticRegression().fit(X, X[:, 0] > 5),
                                   make_pipeline(StandardScaler(), Normalizer()).fit(X)], ids=str)
def test_models_without(back, model):
    done = back(model, X, code=2)
    assert "has no inverse_transform" in done.stderr and done.stderr.count("\n") == 1


def test_inspect_names_it(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(StandardScaler().fit(X)))
    assert "methods  transform, inverse_transform\n" in ftl.run("inspect", path).stdout
