"""Record batches through the shared library give what the program gives for a CSV file of the same rows.

pyarrow makes the record batches and takes the results, by the Arrow C data interface.
"""

import decimal
import itertools

import ftl
import joblib
import library
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

ROWS = 60
INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
FLOATS = [pa.float16(), pa.float32(), pa.float64()]
TEXTS = [pa.string(), pa.large_string(), pa.string_view()]
DECIMALS = [pa.decimal32(5, 1), pa.decimal64(12, 0), pa.decimal128(9, 2), pa.decimal256(60, 30)]
NUMBERS = INTEGERS + FLOATS + DECIMALS
DICTIONARIES = [pa.dictionary(index, value) for index, value in zip(
    itertools.cycle(INTEGERS), [*TEXTS[:2], pa.int64(), pa.float64(), pa.int8(), pa.string(), pa.uint16(), pa.float32(), pa.decimal128(5, 2)])]


def rows(seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "amount": rng.integers(0, 100, ROWS).astype(float),
        "score": rng.normal(size=ROWS).round(3),
        "plan": rng.choice(["basic", "plus", "a much longer name of a plan"], ROWS),
        "code": rng.choice(["1", "2", "30"], ROWS),
        "flag": rng.choice([True, False], ROWS),
        "note": rng.choice(["red green", "blue", "green 12 blue"], ROWS),
        "unused": "x"})
    frame.loc[rng.choice(ROWS, 9, replace=False), "amount"] = np.nan
    return frame


def target(frame):
    return np.where(frame.amount.fillna(50) + 40 * (frame.plan == "plus") + 10 * frame.score > 55, "yes", "no")


def pipeline():
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["amount", "score"]),
        (OneHotEncoder(handle_unknown="ignore"), ["plan", "code"]),
        (OneHotEncoder(), ["flag"]), (CountVectorizer(token_pattern=r"(?u)\b\w+\b"), "note"))
    return make_pipeline(columns, LogisticRegression())


def catboost(frame, labels):
    model = CatBoostClassifier(iterations=12, depth=3, cat_features=["plan", "code"], verbose=False,
                               allow_writing_files=False)
    return model.fit(frame[["amount", "score", "plan", "code"]], labels)


def lightgbm(frame, labels):
    typed = frame[["amount", "score", "plan", "code"]].astype({"plan": "category", "code": "category"})
    return LGBMClassifier(n_estimators=12, min_child_samples=3, verbose=-1).fit(typed, labels)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    frame = rows(1)
    labels = target(frame)
    numbers = frame[["amount", "score"]]
    made = {
        "pipeline": pipeline().fit(frame, labels),
        "catboost": catboost(frame, labels),
        "lightgbm": lightgbm(frame, labels),
        "boosted": HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=3).fit(numbers, labels == "yes"),
        "bare": LinearRegression().fit(numbers.fillna(0).to_numpy(), frame.score),
        "forest": RandomForestRegressor(n_estimators=5).fit(numbers.fillna(0), frame.score),
        "ordinal": OrdinalEncoder().fit(frame[["plan", "code"]]),
        "imputer": SimpleImputer(strategy="most_frequent").fit(frame[["plan", "code"]]),
    }
    for name, model in made.items():
        joblib.dump(model, folder / f"{name}.joblib")
    return folder


def from_csv(model, frame, folder, *options):
    """{column: texts} that the program writes for a CSV file of these rows."""
    source, out = folder / "rows.csv", folder / "out.csv"
    frame.to_csv(source, index=False)
    process = ftl.run("predict", model, source, "-o", out, *options)
    assert process.returncode in (0, 5), process.stderr  # 5: rows were left empty
    header, lines = ftl.read_csv(out)
    return {name: [line[i] for line in lines] for i, name in enumerate(header)}


def same(result, expected):
    assert result.schema.names == list(expected)
    for name, texts in expected.items():
        values = result.column(name).to_pylist()
        assert len(values) == len(texts), name
        for value, text in zip(values, texts):
            if value is None or value != value:
                assert text == "", (name, value, text)
            elif isinstance(value, float):
                assert float(text) == value, (name, value, text)
            else:
                assert str(value) == text, (name, value, text)


def batch_of(frame, **types):
    """The frame as a record batch; columns named in types are cast, by way of plain Arrow arrays."""
    columns = {}
    for name in frame.columns:
        array = pa.array(frame[name], from_pandas=True)
        kind = types.get(name)
        if kind is not None:
            value = kind.value_type if isinstance(kind, pa.DictionaryType) else kind
            array = (array if pa.types.is_floating(value) or array.type == value else
                     pa.array([None if v is None else convert(v, value) for v in array.to_pylist()], value))
            array = array.cast(value) if array.type != value else array
            if isinstance(kind, pa.DictionaryType):
                array = array.dictionary_encode()
                array = pa.DictionaryArray.from_arrays(array.indices.cast(kind.index_type), array.dictionary)
        columns[name] = array
    return pa.RecordBatch.from_pydict(columns)


def convert(value, kind):
    if pa.types.is_integer(kind):
        return int(value)
    if pa.types.is_floating(kind):
        return float(value)
    if pa.types.is_decimal(kind):
        return decimal.Decimal(value)
    return str(value)


PROBA = ("predict", "predict_proba")


@pytest.mark.parametrize("kind", [*NUMBERS, *TEXTS, *DICTIONARIES], ids=str)
def test_number_columns_of_every_type(models, kind, tmp_path):
    frame = rows(2)
    expected = from_csv(models / "pipeline.joblib", frame, tmp_path, "--proba")
    with library.Session(models / "pipeline.joblib", *PROBA) as session:
        same(session.predict(batch_of(frame, amount=kind), *PROBA), expected)


@pytest.mark.parametrize("kind", [*INTEGERS, *TEXTS, *DICTIONARIES[:3], *DICTIONARIES[4:7]], ids=str)
@pytest.mark.parametrize("model", ["pipeline", "catboost", "lightgbm"])
def test_text_columns_of_every_type(models, model, kind, tmp_path):
    frame = rows(3)
    expected = from_csv(models / f"{model}.joblib", frame, tmp_path, "--proba")
    with library.Session(models / f"{model}.joblib", *PROBA) as session:
        same(session.predict(batch_of(frame, code=kind), *PROBA), expected)


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.bool_(), *DECIMALS[2:]], ids=str)
def test_numbers_in_text_columns_stand_as_the_csv_has_them(models, kind, tmp_path):
    frame = rows(4)
    frame["code"] = (frame.code.astype(float) / 4 if kind != pa.bool_() else frame.code == "2")
    expected = from_csv(models / "pipeline.joblib", frame, tmp_path, "--proba")
    with library.Session(models / "pipeline.joblib", *PROBA) as session:
        same(session.predict(batch_of(frame, code=kind), *PROBA), expected)


@pytest.mark.parametrize("kind", [*TEXTS, pa.string(), pa.dictionary(pa.int8(), pa.string())], ids=str)
def test_text_in_number_and_bool_columns(models, kind, tmp_path):
    frame = rows(5)
    frame["amount"] = [spelled(v, i) for i, v in enumerate(frame.amount)]
    expected = from_csv(models / "pipeline.joblib", frame, tmp_path, "--proba")
    with library.Session(models / "pipeline.joblib", *PROBA) as session:
        same(session.predict(batch_of(frame, amount=kind, flag=kind), *PROBA), expected)


def spelled(value, i):
    if value != value:
        return ["NA", "", "NULL", "n/a", " nan "][i % 5]
    return [f" {value}", f"{value:e}", f"+{value}\t", "True", "FALSE"][i % 5]


def test_text_that_is_no_number(models, tmp_path):
    frame = rows(6)
    frame["amount"] = ["12a" if i in (4, 11) else None if v != v else str(v) for i, v in enumerate(frame.amount)]
    expected = from_csv(models / "pipeline.joblib", frame, tmp_path, "--proba", "--on-error", "null")
    batch = batch_of(frame, amount=pa.string())
    with library.Session(models / "pipeline.joblib", *PROBA, on_error=library.NULL) as session:
        result = session.predict(batch, *PROBA)
        same(result, expected)
        assert session.bad_rows() == 2
        assert [column.null_count for column in result.columns] == [2] * result.num_columns
    with library.Session(models / "pipeline.joblib", *PROBA) as session:
        with pytest.raises(library.ForetellError, match="'amount'.*'12a' is not a number") as caught:
            session.predict(batch, *PROBA)
        assert (caught.value.status, caught.value.row) == ("VALUE", 4)


def test_null_columns_and_nulls_in_texts(models, tmp_path):
    frame = rows(7)
    frame["amount"] = np.nan
    frame.loc[::7, "plan"] = None
    expected = from_csv(models / "pipeline.joblib", frame, tmp_path, "--proba")
    for plan in (*TEXTS, pa.dictionary(pa.int16(), pa.string())):
        with library.Session(models / "pipeline.joblib", *PROBA) as session:
            same(session.predict(batch_of(frame, amount=pa.null(), plan=plan), *PROBA), expected)


def test_missing_text_is_not_the_empty_text(models):
    batch = pa.RecordBatch.from_pydict({"plan": ["", None, "plus", ""], "code": ["1", "", None, "2"]})
    with library.Session(models / "imputer.joblib", "transform") as session:
        result = session.predict(batch, "transform")
    filled = joblib.load(models / "imputer.joblib").statistics_
    assert result.column(0).to_pylist() == ["", filled[0], "plus", ""]
    assert result.column(1).to_pylist() == ["1", "", filled[1], "2"]


@pytest.mark.parametrize("kind", [pa.uint8(), pa.float32(), pa.string(), pa.string_view(),
                                  pa.dictionary(pa.int8(), pa.string())], ids=str)
@pytest.mark.parametrize("first", [1, 3, 8, 13])
def test_slices(models, kind, first, tmp_path):
    frame = rows(8)
    part = frame.iloc[first:first + 21]
    expected = from_csv(models / "pipeline.joblib", part, tmp_path, "--proba")
    batch = batch_of(frame, amount=kind, code=pa.string_view(), flag=pa.bool_())
    with library.Session(models / "pipeline.joblib", *PROBA, block_rows=8) as session:
        same(session.predict(batch.slice(first, 21), *PROBA), expected)
        same(session.predict(batch.to_struct_array().slice(first, 21), *PROBA), expected)


def test_no_rows(models):
    with library.Session(models / "pipeline.joblib", *PROBA) as session:
        result = session.predict(batch_of(rows(1)).slice(0, 0), *PROBA)
    assert result.num_rows == 0
    assert result.schema.names == ["prediction", "probability_no", "probability_yes"]
    assert result.schema.types == [pa.string(), pa.float64(), pa.float64()]


def test_unused_columns_may_be_anything(models, tmp_path):
    frame = rows(9)
    expected = from_csv(models / "pipeline.joblib", frame, tmp_path)
    batch = batch_of(frame)
    others = {"unused": pa.array([[1, 2]] * ROWS), "when": pa.array([0] * ROWS, pa.timestamp("us", "UTC")),
              "more": pa.array([{"a": 1}] * ROWS)}
    columns = {name: batch.column(name) for name in reversed(batch.schema.names)} | others
    with library.Session(models / "pipeline.joblib", "predict") as session:
        same(session.predict(pa.RecordBatch.from_pydict(columns), "predict"), expected)


@pytest.mark.parametrize("array, words", [
    (pa.array([0] * ROWS, pa.timestamp("us", "UTC")), "a timestamp"), (pa.array([0] * ROWS, pa.date32()), "a date"),
    (pa.array([[1]] * ROWS), "a list"),
    (pa.array([{"a": 1}] * ROWS), "a struct"), (pa.array([b"a"] * ROWS), "bytes"),
    (pa.array([b"a"] * ROWS).dictionary_encode(), "a dictionary of bytes")], ids=str)
def test_types_that_no_model_takes(models, array, words):
    batch = batch_of(rows(1))
    columns = {name: batch.column(name) for name in batch.schema.names} | {"amount": array}
    with library.Session(models / "pipeline.joblib", "predict") as session:
        with pytest.raises(library.ForetellError, match=f"'amount' is {words} ") as caught:
            session.predict(pa.RecordBatch.from_pydict(columns), "predict")
    assert caught.value.status == "SCHEMA"


def test_columns_are_matched(models, tmp_path):
    batch = batch_of(rows(1))
    with library.Session(models / "pipeline.joblib", "predict") as session:
        with pytest.raises(library.ForetellError, match="2 columns of the model are missing.*: score, code") as caught:
            session.predict(batch.select(["note", "flag", "plan", "amount"]), "predict")
        assert caught.value.status == "SCHEMA"
        twice = pa.RecordBatch.from_arrays([*batch.columns, batch.column(0)], [*batch.schema.names, "amount"])
        with pytest.raises(library.ForetellError, match="'amount' appears 2 times") as caught:
            session.predict(twice, "predict")
        assert caught.value.status == "SCHEMA"
        unused_twice = pa.RecordBatch.from_arrays([*batch.columns, batch.column(0)], [*batch.schema.names, "unused"])
        assert session.predict(unused_twice, "predict").num_rows == ROWS


def test_models_without_names_go_by_position(models, tmp_path):
    frame = rows(10)[["amount", "score"]].fillna(3)
    expected = from_csv(models / "bare.joblib", frame, tmp_path)
    batch = batch_of(frame, amount=pa.int32())
    with library.Session(models / "bare.joblib", "predict") as session:
        same(session.predict(batch.rename_columns(["x", "x"]), "predict"), expected)
        with pytest.raises(library.ForetellError, match="has 1 columns.*expects 2") as caught:
            session.predict(batch.select(["score"]), "predict")
        assert caught.value.status == "SHAPE"


def test_schemas_may_change_between_calls(models, tmp_path):
    frame = rows(11)
    expected = from_csv(models / "pipeline.joblib", frame, tmp_path, "--proba")
    with library.Session(models / "pipeline.joblib", *PROBA) as session:
        for kind in (pa.float64(), pa.string(), pa.string(), pa.int16(), pa.dictionary(pa.int8(), pa.float64())):
            batch = batch_of(frame, amount=kind)
            same(session.predict(batch, *PROBA), expected)
            same(session.predict(batch.select(batch.schema.names[::-1]), *PROBA), expected)


def test_types_of_outputs(models, tmp_path):
    numbers = rows(12)[["amount", "score"]].fillna(1)
    with library.Session(models / "boosted.joblib", "predict") as session:
        result = session.predict(batch_of(numbers), "predict")
        assert result.schema.types == [pa.bool_()]
        same(result, from_csv(models / "boosted.joblib", numbers, tmp_path))
    with library.Session(models / "ordinal.joblib", "transform") as session:
        texts = rows(12)[["plan", "code"]]
        same(session.predict(batch_of(texts), "transform"), from_csv(models / "ordinal.joblib", texts, tmp_path))
    with library.Session(models / "forest.joblib", "apply") as session:
        result = session.predict(batch_of(numbers), "apply")
        assert set(result.schema.types) == {pa.int64()}
        same(result, from_csv(models / "forest.joblib", numbers, tmp_path, "--method", "apply"))


def test_results_outlive_the_session(models):
    with library.Session(models / "pipeline.joblib", *PROBA) as session:
        result = session.predict(batch_of(rows(1)), *PROBA)
        other = session.predict(batch_of(rows(2)), *PROBA)
    column = result.column("prediction")
    del result
    assert set(column.to_pylist()) == {"yes", "no"}
    assert other.num_rows == ROWS
