"""X that cannot be read is refused, in one line that says what to do."""

import pathlib

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from foretell import _core, errors

CONTEXT = _core.Context()
NAMES = ("age", "tenure", "balance", "rate")


@pytest.fixture(scope="module")
def numbers(lr_path):
    return _core.Model.open(CONTEXT, lr_path)


@pytest.fixture(scope="module")
def tables(pipeline_path):
    return _core.Model.open(CONTEXT, pipeline_path)


@pytest.mark.parametrize("X, kind, words", [
    (np.zeros(4), errors.ShapeError, r"reshape\(1, -1\)"), (np.zeros((1, 2, 2)), errors.ShapeError, "3 dimensions"),
    (np.zeros((2, 3)), errors.ShapeError, "3 columns"), (np.zeros((3, 0)), errors.ShapeError, "0 columns"),
    ({"age": [[1, 2], [3]], "tenure": [1, 2], "balance": [1, 2], "rate": [1, 2]}, errors.SchemaError, "holds lists"),
    ([[1, np.zeros(2), 3, 4]], errors.Error, "same length|sequence"), (np.zeros((2, 5)), errors.ShapeError, "5 columns"),
    (np.zeros((2, 4), dtype=complex), errors.SchemaError, "complex128"), ([[1, 2], [3]], errors.ShapeError, "same length"),
    (np.zeros((2, 4), dtype="M8[D]"), errors.SchemaError, "datetime64"), (np.zeros((2, 4), dtype="S3"), errors.SchemaError, "S3"),
    (np.ma.masked_array(np.zeros((2, 4))), errors.ArgumentError, "filled"), (3, errors.ArgumentError, "of type int; give"),
    (None, errors.ArgumentError, "X is None; give"), ("text", errors.ShapeError, "one text.*predict_batch"), (b"text", errors.ShapeError, "one text"),
    ({"age": [1], "tenure": [1, 2], "balance": [1], "rate": [1]}, errors.ShapeError, "different lengths"),
    ({"age": 3, "tenure": [1], "balance": [1], "rate": [1]}, errors.ShapeError, "one value"),
    ({name: np.ma.masked_array([1.0, 2.0], [True, False]) for name in NAMES}, errors.ArgumentError, "'age' is a masked array"),
    ({name: {0: 1.0, 1: 2.0} for name in NAMES}, errors.ArgumentError, "'age' is a dict"),
    ([np.ma.masked_array([1.0, 2, 3, 4], [1, 0, 0, 0])], errors.ArgumentError, "rows that are masked"),
    ([pd.Series([1.0, 2, 3, 4, 5], index=[*NAMES, "age"])], errors.SchemaError, "more than one value"),
    ([pd.Series([1.0, 2, 3], index=NAMES[1:])], errors.SchemaError, "lacks column 'age'"),
    ({name: {1.0, 2.0} for name in NAMES}, errors.ArgumentError, "'age' is a set, which has no order"),
    ({name: pd.Series([1.0, 2.0], index=[1, 0] if name == "rate" else None) for name in NAMES}, errors.ShapeError,
     "Series of column 'rate' has another index"),
    ([{"age": 3}], errors.SchemaError, "lacks columns 'tenure', 'balance', 'rate'"),
    (pathlib.Path("rows.csv"), errors.ArgumentError, "X is a path.*predict_batch"),
    ([1, 2, 3, 4], errors.ShapeError, r"list of values.*\[X\] for a single row"),
    ({"age": 3, "tenure": 1, "balance": 1, "rate": 1}, errors.ShapeError, r"\[X\] for X as a single row"),
    (pd.DataFrame({"Age": [1], "tenure": [1], "balance": [1], " rate": [1]}), errors.SchemaError,
     r"lacks columns 'age', 'rate'; did you mean 'Age', ' rate'\?"),
    (pd.DataFrame({"age": [1]}), errors.SchemaError, "lacks columns"), (pd.DataFrame(np.zeros((2, 4))), errors.SchemaError, "no names"),
    (pd.Series([1.0, 2, 3, 4]), errors.ShapeError, "to_frame"), (pl.DataFrame({"age": [1]}).lazy(), errors.ArgumentError, "collect"),
    (pd.DataFrame([[1, 2, 3, 4, 5]], columns=["age", "age", "tenure", "balance", "rate"]), errors.SchemaError, "more than one column 'age'"),
    (pd.DataFrame({"age": pd.to_datetime(["2020"]), "tenure": [1], "balance": [1], "rate": [1]}), errors.SchemaError, "datetime64"),
    (pd.DataFrame({"age": [1j], "tenure": [1], "balance": [1], "rate": [1]}), errors.SchemaError, "complex128"),
    (pd.DataFrame({"age": ["x"], "tenure": [1], "balance": [1], "rate": [1]}).astype({"age": object}), errors.DataError, "'age'.*'x'"),
    (pd.DataFrame({"age": pd.interval_range(0, 1), "tenure": [1], "balance": [1], "rate": [1]}), errors.SchemaError, "interval"),
    (pa.table({"age": [1], "tenure": [1], "balance": [1]}), errors.SchemaError, "lacks column 'rate'"),
    (pa.table({"age": [[1]], "tenure": [1], "balance": [1], "rate": [1]}), errors.SchemaError, "'age' is of Arrow's type"),
    (pa.table({"age": pa.array([1], pa.timestamp("us")), "tenure": [1], "balance": [1], "rate": [1]}), errors.SchemaError, "tsu:"),
    (pl.DataFrame({"age": [b"x"], "tenure": [1], "balance": [1], "rate": [1]}), errors.SchemaError, "'age'"),
    (pa.array([1, 2, 3]), errors.SchemaError, "one Arrow array"), (sp.csr_matrix((2, 3)), errors.ShapeError, "3 columns"),
    (sp.csr_matrix(np.zeros((2, 4), dtype=complex)), errors.SchemaError, "complex128")])
def test_what_is_refused(numbers, X, kind, words):
    with pytest.raises(kind, match=words) as caught:
        numbers.run(X, ("predict",))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("format", ["csr", "csc", "bsr", "coo", "lil", "dok"])
@pytest.mark.parametrize("place", [70_000_000, -9])
def test_sparse_matrices_that_point_beside_themselves(numbers, format, place):
    """scipy checks none of them when it makes rows of one, and writes where they point to."""
    X = sp.random(5000, 4, density=0.5, format=format, random_state=0)
    if format == "coo":
        X.row[::5] = place
    elif format == "lil":
        X.rows[0], X.data[0] = [place], [1.0]
    elif format == "dok":
        X._dict[(place, 0)] = 1.0
    else:
        X.indices[::5] = place
    with pytest.raises(errors.ShapeError, match="not whole"):
        numbers.run(X, ("predict",))


def test_numbers_where_text_is_and_the_other_way_round(tables, rows_of, pipeline_path):
    rows = rows_of(pipeline_path)
    for wrong in (rows.assign(plan=3), rows.assign(plan=3.5), pa.Table.from_pandas(rows.assign(plan=3)), rows.assign(plan=True),
                  rows.assign(plan=pd.array([3] * 400, dtype="Int64"))):
        with pytest.raises(errors.SchemaError, match="'plan' holds numbers"):
            tables.run(wrong, ("predict",))
    with pytest.raises(errors.Error, match="'age'"):
        tables.run(rows.assign(age="old"), ("predict",))
    with pytest.raises(errors.SchemaError, match="sparse"):
        tables.run(sp.csr_matrix((2, 4)), ("predict",))
    with pytest.raises(errors.Error):
        tables.run(np.zeros((2, 4)), ("predict",))


def test_a_row_of_an_object_array_names_its_place(lr_path):
    model = _core.Model.open(CONTEXT, lr_path)
    with pytest.raises(errors.DataError, match="column 'tenure'"):
        model.run(np.array([[1, "x", 3, 4]], dtype=object), ("predict",))
    with pytest.raises(errors.DataError, match="column 'tenure'"):
        model.run([[1, object(), 3, 4]], ("predict",))


class Hostile:
    """A sequence whose items raise; a str() that empties the array it stands in."""

    def __init__(self, rows):
        self.rows = rows

    def __str__(self):
        self.rows[:] = None
        return "Wien"


def test_objects_that_change_the_array_under_way(tables):
    rows = np.empty((3, 4), dtype=object)
    rows[:] = [40, 1.0, "free", "Graz"]
    rows[1, 3] = Hostile(rows)
    tables.run(rows, ("predict",))  # whatever it says, memory stays whole

    class Raises(list):
        def __getitem__(self, i):
            raise KeyError(i)

        def __iter__(self):
            raise KeyError("mine")
    with pytest.raises((errors.Error, KeyError)):
        tables.run(Raises([1, 2]), ("predict",))


def test_arrow_that_lies(numbers):
    class NoStream:
        def __arrow_c_stream__(self, requested_schema=None):
            return 3

    class Fails:
        def __arrow_c_stream__(self, requested_schema=None):
            def batches():
                yield pa.record_batch({name: [1.0] for name in ("age", "tenure", "balance", "rate")})
                raise KeyError("mine")
            schema = pa.schema([(name, pa.float64()) for name in ("age", "tenure", "balance", "rate")])
            return pa.RecordBatchReader.from_batches(schema, batches()).__arrow_c_stream__()
    with pytest.raises((ValueError, TypeError)):
        numbers.run(NoStream(), ("predict",))
    with pytest.raises(OSError, match="mine"):
        numbers.run(Fails(), ("predict",))
    table = pa.table({name: [1.0] for name in ("age", "tenure", "balance", "rate")})

    class Taken:
        def __init__(self):
            self.capsule = table.__arrow_c_stream__()
            pa.RecordBatchReader._import_from_c_capsule(self.capsule)

        def __arrow_c_stream__(self, requested_schema=None):
            return self.capsule
    with pytest.raises(ValueError, match="given away"):
        numbers.run(Taken(), ("predict",))


def test_texts_of_surrogates_are_no_category(tables, rows_of, pipeline_path):
    rows = rows_of(pipeline_path).head(2).astype({"plan": object, "city": object})
    rows.loc[0, "city"] = "\ud800"
    with pytest.raises(errors.DataError, match="UTF-8"):
        tables.run(rows, ("predict",))


def test_two_categories_that_look_alike(tmp_path):
    """1 and "1" are two categories: numbers do not match text."""
    from sklearn.preprocessing import OneHotEncoder
    texts = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(np.array([["1"], ["2"]], dtype=object))
    joblib.dump(texts, tmp_path / "texts.joblib")
    model = _core.Model.open(CONTEXT, tmp_path / "texts.joblib")
    mixed = np.array([["1"], [1], [True], ["2"]], dtype=object)
    assert np.array_equal(model.run(mixed, ("transform",))[0], texts.transform(mixed))
    integers = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(np.array([[1], [2]]))
    joblib.dump(integers, tmp_path / "integers.joblib")
    with pytest.raises(errors.SchemaError, match="holds text"):
        _core.Model.open(CONTEXT, tmp_path / "integers.joblib").run(np.array([["1"]], dtype=object), ("transform",))


def test_numbers_and_texts_among_the_categories_of_one_column(tmp_path):
    """A number 1 was encoded as the text "1", and the text "2.5" as the number."""
    import category_encoders
    cells = ["1", 2.5, "x", 7, "x", 7]
    given = pd.DataFrame({"o": pd.Series(cells, dtype=object)})
    original = category_encoders.OrdinalEncoder(cols=["o"]).fit(given)
    joblib.dump(original, tmp_path / "both.joblib")
    model = _core.Model.open(CONTEXT, tmp_path / "both.joblib")
    for told in (cells, ["2.5", "7", "07", "x", "", "nan"], [2.5, 7.0, np.int64(7), "1", "x", "y"], [7] * 6):
        rows = pd.DataFrame({"o": pd.Series(told, dtype=object)})
        for X in (rows, rows.infer_objects(), rows.astype("category")):
            assert np.array_equal(model.run(X, ("transform",))[0][:, 0], original.transform(rows)["o"]), told
    for told in (pd.Series([2.5, 1], dtype=object), [7, 1], [1.0, 2.5], pd.array([1, None], dtype="Int64"), [True, False],
                 pd.Categorical([7, 1])):
        with pytest.raises(errors.DataError, match="'o': the model knows a text that reads as the number (1|1.0|True),"):
            model.run(pd.DataFrame({"o": told}), ("transform",))


TEXTS = {
    "objects": lambda texts: pd.DataFrame({"x": texts}, dtype=object), "str": lambda texts: pd.DataFrame({"x": texts}),
    "categories": lambda texts: pd.DataFrame({"x": texts}, dtype="category"), "U": lambda texts: np.array(texts).reshape(-1, 1),
    "lists": lambda texts: [[text] for text in texts], "polars": lambda texts: pl.DataFrame({"x": texts}),
    "dictionary": lambda texts: pa.table({"x": pa.array(texts).dictionary_encode()}),
    "among numbers": lambda texts: np.array([[5], [texts[0]]], dtype=object),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_text_is_none_of_the_integers_above_2_to_the_53(tmp_path, kind):
    """Such categories are looked up as cells are, of which a text "5" may be the number; in Python it is none."""
    from sklearn.preprocessing import OneHotEncoder
    given = pd.DataFrame({"x": [5, 2**53 + 1]})
    joblib.dump(OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(given), tmp_path / "large.joblib")
    model = _core.Model.open(CONTEXT, tmp_path / "large.joblib")
    assert np.array_equal(model.run(given.astype(object), ("transform",))[0], np.eye(2))
    with pytest.raises(errors.SchemaError, match="holds text where the model takes numbers"):
        model.run(TEXTS[kind](["5", str(2**53 + 1)]), ("transform",))


def test_text_is_no_bool_of_lightgbm(tmp_path):
    """To which the text "True" is an unknown category, that is, missing."""
    import lightgbm
    flags = np.arange(300) % 2 == 0
    rows = pd.DataFrame({"x": pd.Categorical(flags)})
    original = lightgbm.LGBMClassifier(n_estimators=3, min_child_samples=1, min_data_per_group=1, cat_smooth=0, verbose=-1,
                                       n_jobs=1).fit(rows, flags)
    joblib.dump(original, tmp_path / "flags.joblib")
    model = _core.Model.open(CONTEXT, tmp_path / "flags.joblib")
    for given in (rows, rows.astype(bool), rows.astype(object)):
        assert np.array_equal(model.run(given, ("predict_proba",))[0], original.predict_proba(rows))
    with pytest.raises(errors.SchemaError, match="'x' holds text"):
        model.run(rows.astype(str).astype("category"), ("predict",))
