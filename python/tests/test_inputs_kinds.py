"""X of every kind that the package takes gives what the original library gives for it, or for the same rows."""

import collections

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from foretell import _core, errors

CONTEXT = _core.Context()
N = 90


def opened(model, folder, name):
    path = folder / f"{name}.joblib"
    joblib.dump(model, path)
    return _core.Model.open(CONTEXT, path)


def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "s": rng.choice(["a", "b", "c"], N), "i": rng.integers(0, 5, N), "f": rng.normal(size=N), "b": rng.random(N) < 0.5,
        "o": rng.choice(np.array(["x", "y", None], dtype=object), N), "c": pd.Categorical(rng.choice(["u", "v"], N)),
        "unused": pd.date_range("2020", periods=N)})


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """A pipeline on all columns of frame() but "unused", and its answer."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    rows = frame()
    columns = ColumnTransformer([("a", OneHotEncoder(handle_unknown="ignore"), ["s", "i", "o", "c", "b"]),
                                 ("b", StandardScaler(), ["f", "i"])])
    original = make_pipeline(columns, LogisticRegression()).fit(rows, rows["f"] > rows["i"] / 4)
    return opened(original, tmp_path_factory.mktemp("tables"), "tables"), original.predict_proba(rows)


@pytest.fixture(scope="module")
def matrices(tmp_path_factory):
    """A logistic regression on six numbers, its rows and its answer."""
    from sklearn.linear_model import LogisticRegression
    X = np.random.default_rng(1).normal(size=(N, 6))
    original = LogisticRegression().fit(X, X[:, 0] > X[:, 1])
    return opened(original, tmp_path_factory.mktemp("matrices"), "matrices"), X, original


def check(model, X, expected, tolerance=1e-12):
    given, = model.run(X, ("predict_proba",))
    np.testing.assert_allclose(given, expected, rtol=0, atol=tolerance)


FRAMES = {
    "as it is": lambda df: df,
    "other order": lambda df: df[df.columns[::-1]],
    "more columns": lambda df: df.assign(more=1, other="x"),
    "nullable": lambda df: df.astype({"i": "Int64", "b": "boolean", "f": "Float64"}),
    "nullable text": lambda df: df.astype({"s": "string[python]", "o": "string[python]"}),
    "converted": lambda df: df.convert_dtypes(),
    "Arrow dtypes": lambda df: df.convert_dtypes(dtype_backend="pyarrow"),
    "objects": lambda df: df.astype({"s": object, "c": object}),
    "categories": lambda df: df.astype({"s": "category", "o": "category", "i": "category"}),
    "categories of Arrow": lambda df: df.astype({"s": "string[pyarrow]"}).astype({"s": "category"}),
    "polars": pl.from_pandas,
    "polars categories": lambda df: pl.from_pandas(df).with_columns(pl.col("s").cast(pl.Categorical)),
    "polars chunks": lambda df: pl.concat([pl.from_pandas(df[:50]), pl.from_pandas(df[50:])], rechunk=False),
    "Arrow": pa.Table.from_pandas,
    "Arrow batch": pa.RecordBatch.from_pandas,
    "Arrow chunks": lambda df: pa.Table.from_batches(pa.Table.from_pandas(df).to_batches(max_chunksize=7)),
    "Arrow reader": lambda df: pa.Table.from_pandas(df).to_reader(max_chunksize=11),
    "Arrow large text": lambda df: pa.Table.from_pandas(df).set_column(0, "s", pa.array(df["s"], pa.large_string())),
    "Arrow views": lambda df: pa.Table.from_pandas(df).set_column(0, "s", pa.array(df["s"], pa.string_view())),
    "Arrow dictionary": lambda df: pa.Table.from_pandas(df).set_column(0, "s", pa.array(df["s"]).dictionary_encode()),
    "list of dicts": lambda df: df.to_dict("records"),
    "dict of lists": lambda df: df.to_dict("list"),
    "dict of Series": lambda df: {name: df[name] for name in df},
    "dict of arrays": lambda df: {name: df[name].to_numpy() for name in df.drop(columns="c")} | {"c": df["c"].astype(str).to_numpy()},
    "rows of iterrows": lambda df: [row for _, row in df[df.columns[::-1]].iterrows()],
    "rows of itertuples": lambda df: list(df[df.columns[::-1]].itertuples()),
    "rows of every order": lambda df: [row[df.columns[:: (-1) ** at]] for at, row in df.iterrows()],
    "ordered mapping": lambda df: collections.OrderedDict(df.to_dict("list")),
    "structured array": lambda df: df.drop(columns=["unused"]).astype({"s": object, "c": object}).to_records(index=False),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_tables(tables, kind):
    model, expected = tables
    check(model, FRAMES[kind](frame()), expected)


@pytest.mark.parametrize("pick", [slice(5, 60), slice(None, None, -3), slice(0, 0), slice(7, 8)])
@pytest.mark.parametrize("kind", ["as it is", "nullable", "Arrow dtypes", "categories", "Arrow", "Arrow chunks", "polars"])
def test_parts_of_tables(tables, kind, pick):
    """Offsets and strides: of slices that are views."""
    model, expected = tables
    if kind in ("Arrow", "Arrow chunks"):
        if (pick.step or 1) != 1:
            return
        whole = FRAMES[kind](frame())
        check(model, whole.slice(pick.start, pick.stop - pick.start), expected[pick])
    else:
        check(model, FRAMES[kind](frame())[pick], expected[pick])


MATRICES = {
    "C": lambda X: X, "Fortran": np.asfortranarray, "backwards": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "every second": lambda X: np.repeat(X, 2, axis=0)[::2], "part": lambda X: np.hstack([X, X])[:, :6],
    "list": lambda X: X.tolist(), "tuples": lambda X: tuple(map(tuple, X)), "objects": lambda X: X.astype(object),
    "texts": lambda X: X.astype(str).astype(object), "U": lambda X: X.astype(str), "long double": lambda X: X.astype(np.longdouble),
    "big endian": lambda X: X.astype(">f8"), "frame": pd.DataFrame, "Fortran frame": lambda X: pd.DataFrame(np.asfortranarray(X)),
    "named frame": lambda X: pd.DataFrame(X, columns=list("abcdef")), "polars": pl.DataFrame,
    "Arrow": lambda X: pa.table({str(i): X[:, i] for i in range(6)}), "csr": sp.csr_matrix, "csc": sp.csc_array,
    "coo": sp.coo_array, "lil": sp.lil_matrix, "dok": sp.dok_matrix, "sparse frame": lambda X: pd.DataFrame.sparse.from_spmatrix(sp.csr_matrix(X)),
    "unaligned": lambda X: np.frombuffer(b"x" + X.tobytes(), dtype=np.float64, offset=1).reshape(X.shape),
    "read-only": lambda X: np.frombuffer(X.tobytes()).reshape(X.shape), "memmap": lambda X: X.view(np.memmap),
    "memoryview": memoryview,
    "matrix": np.asmatrix,
}


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("kind", MATRICES)
def test_matrices(matrices, kind):
    model, X, original = matrices
    check(model, MATRICES[kind](X), original.predict_proba(X))


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_texts_in_arrays_of_every_kind(tmp_path):
    from sklearn.preprocessing import OneHotEncoder
    X = np.array([["a", "xx"], ["b", "größe𝄞"], ["c", "xx"]])
    original = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(X)
    model, expected = opened(original, tmp_path, "texts"), original.transform(X)
    for given in (X, X.astype(">U9"), np.asmatrix(X), np.asmatrix(X.astype(object)), X.astype("U300"), np.asfortranarray(X),
                  X[::-1, ::-1].copy()[::-1, ::-1], {"x0": X[:, 0].astype(">U2"), "x1": X[:, 1]}):
        assert np.array_equal(model.run(given, ("transform",))[0], expected)


def test_rows_whose_names_are_none_of_the_models(tmp_path):
    """They go by position, as they do in the library."""
    from sklearn.linear_model import LinearRegression
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(9, 3)), columns=["a", "b", "c"])
    original = LinearRegression().fit(rows, rows["a"] - rows["c"])
    model = opened(original, tmp_path, "positions")
    for other in (rows.set_axis(range(3), axis=1), rows.set_axis(["x", "y", "z"], axis=1)):
        for given in ([row for _, row in other.iterrows()], list(other.itertuples(index=False))):
            np.testing.assert_allclose(model.run(given, ("predict",))[0], original.predict(rows), atol=1e-12)


class Elsewhere:
    """An array that gives itself by DLPack alone, or by __array__ alone."""

    def __init__(self, X, by):
        self.X = X
        if by == "dlpack":
            self.__class__ = type("ByDLPack", (Elsewhere,), {
                "__dlpack__": lambda self, **keywords: self.X.__dlpack__(**keywords),
                "__dlpack_device__": lambda self: self.X.__dlpack_device__()})
        else:
            self.__class__ = type("ByArray", (Elsewhere,), {
                "__array__": lambda self, dtype=None, copy=None: np.asarray(self.X, dtype=dtype)})


@pytest.mark.parametrize("by", ["dlpack", "array"])
def test_arrays_of_other_libraries(matrices, by):
    model, X, original = matrices
    check(model, Elsewhere(X, by), original.predict_proba(X))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16",
                                   "uint32", "uint64", "bool", ">i4", "<u2", ">f4"])
@pytest.mark.parametrize("order", "CF")
def test_numbers_of_every_dtype(matrices, dtype, order):
    model, X, original = matrices
    given = np.asarray((X * 3).astype(dtype), order=order)
    with np.errstate(all="ignore"):
        expected = original.predict_proba(given.astype(np.float64) if dtype == "float16" else given)
    check(model, given, expected, 1e-6 if dtype in ("float32", ">f4") else 1e-12)
    columns = {str(i): given[:, i] for i in range(6)}
    check(model, pd.DataFrame({k: v.astype(v.dtype.newbyteorder("=")) for k, v in columns.items()}), expected, 1e-6)


def test_float32_is_the_originals(matrices):
    """The dtype of the result says that the arithmetic is float32's, where the original's is."""
    from sklearn.preprocessing import StandardScaler
    _, X, _ = matrices
    scaler = StandardScaler().fit(X.astype(np.float32))
    narrow = X.astype(np.float32)
    path_model = scaler
    import io
    stream = io.BytesIO()
    joblib.dump(path_model, stream)
    model = _core.Model.open_memory(CONTEXT, stream.getvalue())
    for given in (narrow, pd.DataFrame(narrow), pl.DataFrame(narrow), pa.table({str(i): narrow[:, i] for i in range(6)}),
                  sp.csr_matrix(narrow), pd.DataFrame(narrow).astype("Float32") * 1):
        result, = model.run(given, ("transform",))
        if not isinstance(given, pd.DataFrame) or given.dtypes.iloc[0] != "Float32":
            assert result.dtype == np.float32, type(given)
        np.testing.assert_allclose(result, scaler.transform(narrow), rtol=1e-6)
    half = pd.DataFrame({i: narrow[:, i] if i else (narrow[:, i] * 5).astype(np.int8) for i in range(6)})
    assert model.run(half, ("transform",))[0].dtype == np.float32  # as numpy promotes the two
    half[0] = half[0].astype(np.int64)
    assert model.run(half, ("transform",))[0].dtype == np.float64


def test_decimals_nulls_and_bools_of_arrow(lr_path, rows_of, original):
    rows = rows_of(lr_path)
    model = _core.Model.open(CONTEXT, lr_path)
    table = pa.Table.from_pandas(rows)
    decimals = table.set_column(2, "balance", table["balance"].cast(pa.decimal128(12, 2)))
    given, = model.run(decimals, ("predict_proba",))
    np.testing.assert_allclose(given, original(lr_path).predict_proba(rows), atol=1e-12)
    (labels,), bad = model.run(table.set_column(2, "balance", pa.nulls(400)), ("predict",), on_error="null")
    assert len(bad) == 400 and set(labels) == {None}
    flags = table.set_column(1, "tenure", pa.array([True, False] * 200))
    given, = model.run(flags, ("predict_proba",))
    expected = original(lr_path).predict_proba(rows.assign(tenure=[1, 0] * 200))
    np.testing.assert_allclose(given, expected, atol=1e-12)


def test_texts_alone(tmp_path):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    original = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(["foo bar", "bar baz", "qux", "foo"], [0, 1, 0, 1])
    model = opened(original, tmp_path, "texts")
    texts = ["foo qux", "bar", "", "größe ☃ 𝄞 foo"]
    for X in (texts, tuple(texts), np.array(texts), np.array(texts, dtype=object), pd.Series(texts), pl.Series(texts),
              pd.Series(texts, dtype=object), pd.Series(texts).convert_dtypes(), np.array(texts, dtype=np.dtypes.StringDType())):
        check(model, X, original.predict_proba(texts))
    with pytest.raises(errors.ShapeError, match="one text"):
        model.run("foo", ("predict",))


def test_dicts_alone(tmp_path):
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    original = make_pipeline(DictVectorizer(), LogisticRegression()).fit(
        [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"b": "x"}], [0, 1, 0])
    rows = [{"a": 3}, {"b": "y", "more": 1}, {}, {"a": 0.5, "b": "x"}]
    check(opened(original, tmp_path, "dicts"), rows, original.predict_proba(rows))


def test_sparse_matrices_for_boosters(tmp_path):
    """What is not stored is 0 for LightGBM and missing for XGBoost; and memory stays that of a block of rows."""
    import lightgbm
    import xgboost
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(400, 8)) * (rng.random((400, 8)) < 0.4)
    target, matrix = dense[:, 0] > dense[:, 1], sp.csr_matrix(dense)
    for number, original in enumerate([xgboost.XGBClassifier(n_estimators=9, n_jobs=1).fit(matrix, target),
                                       lightgbm.LGBMClassifier(n_estimators=9, verbose=-1, n_jobs=1).fit(matrix, target)]):
        model = opened(original, tmp_path, f"sparse{number}")
        check(model, matrix, original.predict_proba(matrix), 1e-6)
        check(model, matrix.astype(np.float32), original.predict_proba(matrix.astype(np.float32)), 1e-6)
    tall = sp.random(200_000, 8, density=0.01, format="csr", random_state=0)
    assert model.run(tall, ("predict",))[0].shape == (200_000,)


def test_bad_rows_of_blocks_are_counted_from_the_first_block(matrices):
    model, X, _ = matrices
    Y = X.copy()
    Y[[3, 50, 80], 2] = np.nan
    table = pa.Table.from_batches(pa.table({str(i): Y[:, i] for i in range(6)}).to_batches(max_chunksize=20))
    (labels,), bad = model.run(table, ("predict",), on_error="null")
    assert [row["row"] for row in bad] == [3, 50, 80] and labels[50] is None and len(labels) == N
    with pytest.raises(errors.DataError) as caught:
        model.run(table.slice(10), ("predict",))
    assert caught.value.row == 40
