"""What a cell is: booleans, large integers, empty quotes, encodings. The reference is the library's answer for what
pandas.read_csv makes of the same file.
"""

import json
import pathlib
import pickle

import catboost
import ftl
import joblib
import library
import lightgbm
import numpy as np
import pandas as pd
import pyarrow
import pytest
import xgboost
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, IsolationForest, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectFromModel
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeClassifier


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(model, name="model"):
    """The model's file, in the form that its library has for it."""
    if isinstance(model, lightgbm.LGBMModel):
        model.booster_.save_model(f"{name}.txt")
        return f"{name}.txt"
    joblib.dump(model, f"{name}.joblib")
    return f"{name}.joblib"


def predicted(path, rows="rows.csv", *options, code=0):
    """The first column that predict writes, as floats; empty cells are NaN."""
    process = ftl.run("predict", path, rows, "-o", "out.csv", *options)
    assert process.returncode == code, process.stderr
    _, lines = ftl.read_csv("out.csv")
    return np.array([float(line[0]) if line[0] else np.nan for line in lines])


def agree(model, text, category=(), names=None):
    """The program's answers for a CSV are those of the library for what pandas reads from it."""
    pathlib.Path("rows.csv").write_text(text, encoding="utf-8")
    frame = pd.read_csv("rows.csv")[names or list(model_names(model))]
    for column in category:
        frame[column] = frame[column].astype("category")
    expected = np.asarray(model.predict(frame), dtype=float)
    assert len(set(expected)) > 1, "the rows tell nothing apart"
    np.testing.assert_allclose(predicted(save(model)), expected, rtol=1e-6)


def model_names(model):
    return model.feature_name_ if isinstance(model, lightgbm.LGBMModel) else model.feature_names_in_


def csv_of(**columns):
    rows = zip(*columns.values())
    return "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n"


# ---- Booleans: true, True and TRUE are one value, for every family ---------------------------------------------------

SPELLINGS = [("True", "False"), ("TRUE", "FALSE"), ("true", "false")]


def bool_table(words, rows=40, seed=5):
    rng = np.random.default_rng(seed)
    flags = rng.random(rows) < 0.4
    return flags, csv_of(flag=[words[0] if flag else words[1] for flag in flags], z=rng.normal(size=rows))


def bool_training(rows=300):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"flag": rng.random(rows) < 0.4, "z": rng.normal(size=rows)})
    return frame, frame.flag * 2.0 + frame.z


def encoded(encoder):
    return make_pipeline(ColumnTransformer([("e", encoder, ["flag"])], remainder="passthrough"), LinearRegression())


BOOL_MODELS = {
    "number": lambda: LinearRegression(),
    "one-hot": lambda: encoded(OneHotEncoder()),
    "ordinal": lambda: encoded(OrdinalEncoder()),
    "target": lambda: encoded(TargetEncoder(random_state=0)),
    "hist": lambda: HistGradientBoostingRegressor(max_iter=5),
    "xgboost": lambda: xgboost.XGBRegressor(n_estimators=5),
    "lightgbm": lambda: lightgbm.LGBMRegressor(n_estimators=5, verbose=-1),
}


@pytest.mark.parametrize("words", SPELLINGS, ids=lambda words: words[0])
@pytest.mark.parametrize("kind", BOOL_MODELS)
def test_spellings_of_booleans(kind, words):
    """Kind: a column of booleans, spelt as CSV writers spell them, in front of every family."""
    frame, y = bool_training()
    agree(BOOL_MODELS[kind]().fit(frame, y), bool_table(words)[1])


@pytest.mark.parametrize("words", SPELLINGS, ids=lambda words: words[0])
def test_booleans_as_lightgbm_categories(words):
    """Kind: pandas_categorical of [false, true]."""
    frame, y = bool_training()
    frame["flag"] = frame.flag.astype("category")
    model = lightgbm.LGBMRegressor(n_estimators=5, min_child_samples=5, verbose=-1).fit(frame, y)
    agree(model, bool_table(words)[1], ["flag"])


@pytest.mark.parametrize("words", SPELLINGS, ids=lambda words: words[0])
def test_booleans_beside_missing_cells(words):
    """Kind: pandas reads a column of booleans with a gap as objects; the encoder knows True, False and NaN."""
    frame, y = bool_training()
    frame = frame.astype({"flag": object})
    frame.loc[::7, "flag"] = np.nan
    flags, text = bool_table(words)
    lines = text.splitlines()
    lines[3] = "," + lines[3].split(",")[1]
    for encoder in (OneHotEncoder(), OrdinalEncoder(encoded_missing_value=-1),
                    make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()),
                    make_pipeline(SimpleImputer(strategy="constant", fill_value=False), OrdinalEncoder())):
        agree(encoded(encoder).fit(frame, y), "\n".join(lines) + "\n")


@pytest.mark.parametrize("words", SPELLINGS, ids=lambda words: words[0])
def test_booleans_passed_through(words):
    """Kind: a column that no step takes stands beside numbers as 1.0 and 0.0, however it was spelt."""
    frame, _ = bool_training()
    model = ColumnTransformer([("s", StandardScaler(), ["z"])], remainder="passthrough").fit(frame)
    joblib.dump(model, "model.joblib")
    flags, text = bool_table(words)
    pathlib.Path("rows.csv").write_text(text, encoding="utf-8")
    process = ftl.run("predict", "model.joblib", "rows.csv", "-o", "out.csv")
    assert process.returncode == 0, process.stderr
    header, rows = ftl.read_csv("out.csv")
    assert [float(row[header.index("remainder__flag")]) for row in rows] == [float(flag) for flag in flags]


def test_texts_of_truth_stay_texts():
    """A model that was trained on texts finds its own spelling alone."""
    frame = pd.DataFrame({"flag": ["true", "false", "perhaps"] * 20})
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LinearRegression()).fit(frame, [1.0, 2.0, 4.0] * 20)
    joblib.dump(model, "model.joblib")
    pathlib.Path("rows.csv").write_text("flag\ntrue\nTRUE\nfalse\nperhaps\n", encoding="utf-8")
    expected = model.predict(pd.DataFrame({"flag": ["true", "TRUE", "false", "perhaps"]}))
    np.testing.assert_allclose(predicted("model.joblib"), expected)


# ---- Integers that float64 merges ------------------------------------------------------------------------------------

IDS = [2**53 + k for k in range(6)] + [-(2**53) - k for k in range(1, 4)] + [7]
HIGH_IDS = [2**63 + k for k in range(6)] + [2**64 - 1, 12]


def id_training(ids, dtype, rows=400):
    rng = np.random.default_rng(2)
    picked = rng.integers(0, len(ids), rows)
    picked[: len(ids)] = np.arange(len(ids))
    frame = pd.DataFrame({"id": np.array(ids, dtype=dtype)[picked], "z": rng.normal(size=rows).round(3)})
    return frame, picked * 10.0 + frame.z


def one_column(*steps):
    return make_pipeline(make_column_transformer((make_pipeline(*steps), ["id"]), remainder="drop"), LinearRegression())


ID_MODELS = {
    "one-hot": lambda: one_column(OneHotEncoder()),
    "one-hot ignore": lambda: one_column(OneHotEncoder(handle_unknown="ignore")),
    "one-hot infrequent": lambda: one_column(OneHotEncoder(min_frequency=2, handle_unknown="infrequent_if_exist")),
    "ordinal": lambda: one_column(OrdinalEncoder()),
    "target": lambda: one_column(TargetEncoder(random_state=0)),
    "imputed target": lambda: one_column(SimpleImputer(strategy="most_frequent"), TargetEncoder(random_state=0)),
    "imputed one-hot": lambda: one_column(SimpleImputer(strategy="most_frequent"), OneHotEncoder()),
    "imputed ordinal": lambda: one_column(SimpleImputer(strategy="most_frequent"), OrdinalEncoder()),
    "filled one-hot": lambda: one_column(SimpleImputer(strategy="constant", fill_value=7), OneHotEncoder()),
    "filled -1": lambda: one_column(SimpleImputer(strategy="most_frequent", missing_values=-1), OneHotEncoder()),
}


@pytest.mark.parametrize("kind,ids,dtype", [
    (kind, ids, dtype) for kind in ID_MODELS for ids, dtype in ((IDS, np.int64), (HIGH_IDS, np.uint64))
    if not kind.startswith("filled") or dtype == np.int64])  # neither 7 nor -1 is a uint64 to the imputer
def test_large_integers_in_encoders(kind, ids, dtype):
    """Kind: identifiers above 2**53 are categories of their own, also behind an imputer."""
    frame, y = id_training(ids, dtype)
    model = ID_MODELS[kind]().fit(frame[["id"]], y)
    agree(model, csv_of(id=ids), names=["id"])


@pytest.mark.parametrize("ids,dtype", [(IDS, np.int64), (HIGH_IDS, np.uint64)], ids=["int64", "uint64"])
def test_large_integers_as_lightgbm_categories(ids, dtype):
    frame, y = id_training(ids, dtype)
    frame["id"] = frame.id.astype("category")
    model = lightgbm.LGBMRegressor(n_estimators=20, min_child_samples=1, min_data_per_group=1, cat_smooth=0,
                                   verbose=-1).fit(frame, y)
    agree(model, csv_of(id=ids, z=[0.5] * len(ids)), ["id"])


@pytest.mark.parametrize("ending", ["joblib", "json", "ubj"])
def test_large_integers_as_xgboost_categories(ending):
    frame, y = id_training(IDS, np.int64)
    frame["id"] = frame.id.astype("category")
    model = xgboost.XGBRegressor(n_estimators=30, max_depth=6, learning_rate=1, enable_categorical=True).fit(frame, y)
    path = f"model.{ending}"
    joblib.dump(model, path) if ending == "joblib" else model.save_model(path)
    rows = pd.DataFrame({"id": pd.Categorical(IDS), "z": [0.5] * len(IDS)})
    rows.to_csv("rows.csv", index=False)
    expected = model.predict(rows)
    assert len(set(expected)) > 5
    np.testing.assert_array_equal(predicted(path).astype(np.float32), expected)


def test_large_integers_as_catboost_categories():
    frame, y = id_training(HIGH_IDS, np.uint64)
    model = catboost.CatBoostRegressor(iterations=30, depth=4, verbose=0, allow_writing_files=False, cat_features=["id"])
    model.fit(frame, y)
    model.save_model("model.cbm")
    rows = pd.DataFrame({"id": np.array(HIGH_IDS, dtype=np.uint64), "z": [0.5] * len(HIGH_IDS)})
    rows.to_csv("rows.csv", index=False)
    np.testing.assert_allclose(predicted("model.cbm"), model.predict(rows))


def arrow_predictions(path, frame):
    """What the library answers for the frame as a record batch."""
    with library.Session(path, "predict") as session:
        return session.predict(pyarrow.RecordBatch.from_pandas(frame, preserve_index=False), "predict").column(0).to_numpy()


@pytest.mark.parametrize("ids,dtype", [(IDS, np.int64), (HIGH_IDS, np.uint64)], ids=["int64", "uint64"])
@pytest.mark.parametrize("kind", ["one-hot", "imputed ordinal"])
def test_large_integers_in_record_batches(kind, ids, dtype):
    """Kind: the same by the library's Arrow door, where integers have a type."""
    frame, y = id_training(ids, dtype)
    model = ID_MODELS[kind]().fit(frame[["id"]], y)
    rows = pd.DataFrame({"id": np.array(ids, dtype=dtype)})
    np.testing.assert_allclose(arrow_predictions(save(model), rows), model.predict(rows))


def test_booleans_in_record_batches():
    frame, y = bool_training()
    frame["flag"] = frame.flag.astype("category")
    model = lightgbm.LGBMRegressor(n_estimators=5, min_child_samples=5, verbose=-1).fit(frame, y)
    rows = frame.head(20).astype({"flag": bool})
    expected = model.predict(rows.astype({"flag": "category"}))
    np.testing.assert_allclose(arrow_predictions(save(model), rows), expected)
    np.testing.assert_allclose(arrow_predictions(save(model), rows.astype({"flag": str})), expected)


# ---- Quoted empty cells ----------------------------------------------------------------------------------------------

def empty_rows():
    frame = pd.DataFrame({"plan": ["a", "b", "", "b"] * 10, "z": np.arange(40.0)})
    model = make_pipeline(make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["plan"]),
                                                  remainder="passthrough"), LinearRegression())
    model.fit(frame, frame.plan.map({"a": 10, "b": 20, "": 40}) + frame.z)
    joblib.dump(model, "model.joblib")
    pathlib.Path("rows.csv").write_text('plan,z\na,1\n"",2\n"b",3\n,4\n', encoding="utf-8")
    return model


def test_empty_quotes_are_missing_as_in_pandas():
    """Kind: a quoted empty cell of a text column is what pandas makes of it."""
    model = empty_rows()
    expected = model.predict(pd.read_csv("rows.csv"))
    np.testing.assert_allclose(predicted("model.joblib"), expected)
    np.testing.assert_allclose(predicted("model.joblib", "rows.csv", "--empty", "missing"), expected)


def test_empty_quotes_are_texts_when_asked():
    model = empty_rows()
    frame = pd.DataFrame({"plan": ["a", "", "b", np.nan], "z": [1.0, 2, 3, 4]})
    np.testing.assert_allclose(predicted("model.joblib", "rows.csv", "--empty", "text"), model.predict(frame))
    process = ftl.run("predict", "model.joblib", "rows.csv", "--empty", "nothing")
    assert process.returncode == 2 and "--empty takes missing or text" in process.stderr


def test_empty_quotes_in_front_of_words():
    """A vectorizer refuses the missing value that pandas makes of "", and takes the empty text."""
    texts = ["good film", "bad film", "", "good"] * 10
    model = make_pipeline(ColumnTransformer([("t", CountVectorizer(), "text")]), LogisticRegression())
    frame = pd.DataFrame({"text": texts, "id": range(40)})
    joblib.dump(model.fit(frame, [text[:4] == "good" for text in texts]), "model.joblib")
    pathlib.Path("rows.csv").write_text('text,id\ngood,1\n"",2\n', encoding="utf-8")
    with pytest.raises(ValueError):
        model.predict(pd.read_csv("rows.csv"))
    process = ftl.run("predict", "model.joblib", "rows.csv")
    assert process.returncode == 4 and "line 3" in process.stderr
    process = ftl.run("predict", "model.joblib", "rows.csv", "--empty", "text")
    assert process.stdout.splitlines()[1:] == [str(value) for value in model.predict(frame.iloc[[3, 2]])]


def test_reject_files_give_no_advice():
    """Who gets the rejected rows did not choose the options: the reason stands alone, and errors go on to name them."""
    frame = pd.DataFrame({"text": ["good film", "bad film"] * 20, "x": np.arange(40.0)})
    model = make_pipeline(ColumnTransformer([("t", CountVectorizer(), "text"), ("x", "passthrough", ["x"])]),
                          LogisticRegression())
    joblib.dump(model.fit(frame, [0, 1] * 20), "model.joblib")
    rows = {b'good;" 2,5"': ("; for a decimal comma give --decimal ','", "line 2, column 'x': ' 2,5' is not a number"),
            b"good;2;5": ("", "line 3: 3 cells where the header has 2"),
            b'"a; b";"x; y"': ("", "line 4, column 'x': 'x; y' is not a number"),
            b";1": ("; --na says which cells are missing",
                    "line 5 (row 3): column 'text': CountVectorizer does not take a missing cell for a text"),
            "Köln;1".encode("latin-1"): ("; give the encoding of the file with --encoding, such as 'latin-1' or 'cp1252'",
                                         "line 6, column 'text': 'K\\xf6ln' is not UTF-8")}
    pathlib.Path("rows.csv").write_bytes(b"text;x\n" + b"\n".join(rows) + b"\ngood;1\n")
    process = ftl.run("predict", "model.joblib", "rows.csv", "-o", "out.csv", "--on-error", "skip", "--reject", "bad.csv")
    assert process.returncode == 5, process.stderr
    lines = pathlib.Path("bad.csv").read_bytes().decode("latin-1").splitlines()[1:]
    assert lines == [f"""{row.decode('latin-1')};"{reason}\"""" for row, (_, reason) in rows.items()]
    for row, (advice, reason) in rows.items():
        pathlib.Path("one.csv").write_bytes(b"text;x\n" + row + b"\n")
        process = ftl.run("predict", "model.joblib", "one.csv")
        assert process.returncode == 4 and reason.split(": ", 1)[1] + advice in process.stderr, process.stderr


# ---- Encodings -------------------------------------------------------------------------------------------------------

CITIES = ["Zürich", "Genève", "Köln", "Bern"]


def city_model():
    frame = pd.DataFrame({"Stadt/Größe": CITIES * 10, "age": np.arange(40.0)})
    model = make_pipeline(make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["Stadt/Größe"]),
                                                  remainder="passthrough"), LinearRegression())
    model.fit(frame, frame["Stadt/Größe"].map(dict(zip(CITIES, [10, 20, 30, 40]))) + frame.age)
    joblib.dump(model, "model.joblib")
    rows = frame.head(4)
    return rows, model.predict(rows)


@pytest.mark.parametrize("name,codec", [
    ("latin-1", "latin-1"), ("ISO-8859-1", "latin-1"), ("latin1", "latin-1"), ("cp1252", "cp1252"),
    ("windows-1252", "cp1252"), ("iso-8859-15", "iso-8859-15"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
    ("UTF-16BE", "utf-16-be"), ("utf_32", "utf-32"), ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp850", "cp850"),
    ("mac-roman", "mac-roman"),
])
def test_encodings(name, codec):
    """Kind: a table in another encoding gives the answers of the same table in UTF-8."""
    rows, expected = city_model()
    rows.to_csv("rows.csv", index=False, encoding=codec)
    np.testing.assert_allclose(predicted("model.joblib", "rows.csv", "--encoding", name), expected)


@pytest.mark.parametrize("codec", ["utf-16", "utf-32", "utf-8-sig"])
def test_byte_order_marks(codec):
    """Kind: a byte order mark says the encoding by itself; also in compressed files."""
    rows, expected = city_model()
    rows.to_csv("rows.csv", index=False, encoding=codec)
    rows.to_csv("rows.csv.gz", index=False, encoding=codec)
    np.testing.assert_allclose(predicted("model.joblib"), expected)
    np.testing.assert_allclose(predicted("model.joblib", "rows.csv.gz"), expected)


def says(text, *arguments, code=4):
    process = ftl.run(*arguments)
    assert process.returncode == code, process
    for part in text if isinstance(text, list) else [text]:
        assert part in process.stderr, process.stderr
    assert process.stderr.isprintable() or process.stderr.count("\n") == 1
    return process


@pytest.mark.parametrize("codec", ["latin-1", "cp1252"])
def test_other_bytes_than_utf8_are_refused(codec):
    """Kind: what is not UTF-8 in a header, or in a text cell that is used or kept, ends the job; it is never scored."""
    rows, _ = city_model()
    rows.to_csv("rows.csv", index=False, encoding=codec)
    says(["line 1, the name of column 1", "is not UTF-8", "--encoding"], "predict", "model.joblib", "rows.csv")
    lines = pathlib.Path("rows.csv").read_bytes().split(b"\n", 1)
    pathlib.Path("cells.csv").write_bytes("Stadt/Größe,age".encode() + b"\n" + lines[1])
    message = ["line 2", "column 'Stadt/Größe'", "Z\\xfcrich", "is not UTF-8", "--encoding"]
    says(message, "predict", "model.joblib", "cells.csv")
    says(message, "check", "model.joblib", "cells.csv")
    process = ftl.run("predict", "model.joblib", "cells.csv", "--on-error", "skip", "-o", "out.csv")
    assert process.returncode == 5
    assert len(ftl.read_csv("out.csv")[1]) == 1  # Bern


def test_other_bytes_in_columns_that_nobody_wants():
    """A note in another encoding does no harm where it is not read; kept, it is refused."""
    model = LinearRegression().fit(pd.DataFrame({"x": [1.0, 2.0]}), [1.0, 2.0])
    joblib.dump(model, "model.joblib")
    pathlib.Path("rows.csv").write_bytes(b"x,note\n1,gr\xfcn\n2,rot\n")
    np.testing.assert_allclose(predicted("model.joblib"), [1.0, 2.0])
    says(["line 2, column 'note'", "--encoding"], "predict", "model.joblib", "rows.csv", "--keep", "note")
    process = ftl.run("predict", "model.joblib", "rows.csv", "--keep", "note", "--encoding", "latin-1")
    assert process.stdout.splitlines()[1].startswith("grün,")


def test_bytes_that_are_not_in_the_encoding():
    city_model()
    body = "Stadt/Größe,age\n".encode("cp1252") + b"Bern,1\n" * 3 + b"\x81,2\n"
    pathlib.Path("rows.csv").write_bytes(body)
    says(["line 5: byte 0x81", "cp1252", "--encoding"], "predict", "model.joblib", "rows.csv", "--encoding", "cp1252")
    pathlib.Path("rows.csv").write_bytes("Stadt/Größe,age\nBern,1\n".encode("utf-16")[:-1])
    says(["line 2", "UTF-16"], "predict", "model.joblib", "rows.csv")
    says("--encoding 'klingon'", "predict", "model.joblib", "rows.csv", "--encoding", "klingon", code=2)
    says("--encoding", "predict", "model.joblib", "rows.csv", "--encoding", "../../etc//x", code=2)
    np.save("rows.npy", np.zeros((2, 2)))
    says("is for text", "predict", "model.joblib", "rows.npy", "--encoding", "latin-1", code=2)


def test_large_table_in_another_encoding():
    """Characters of several bytes that lie across the buffers' ends."""
    rows, expected = city_model()
    many = pd.concat([rows] * 40000)
    many.to_csv("rows.csv", index=False, encoding="utf-16")
    np.testing.assert_allclose(predicted("model.joblib"), np.tile(expected, 40000))


# ---- Newer libraries -------------------------------------------------------------------------------------------------

class Rewritten(pickle.Pickler):
    """Pickles with other things in the place of some: {id of an object: what reduce gives for it}."""

    def __init__(self, file, instead):
        super().__init__(file, protocol=4)
        self.instead = instead

    def reducer_override(self, thing):
        return self.instead.get(id(thing), NotImplemented)


def with_fields(array, fields):
    """The structured array with more fields, of zeros."""
    kept = [(name, array.dtype.fields[name][0]) for name in array.dtype.names]
    made = np.zeros(len(array), np.dtype(kept + fields))
    for name, _ in kept:
        made[name] = array[name]
    return made


def rewritten_trees(model, trees, change):
    """The model's pickle, the state of its trees changed."""
    instead = {}
    for tree in trees:
        function, arguments, state = tree.__reduce__()
        state = dict(state)
        change(state)
        instead[id(tree)] = (function, arguments, state)
    with open("model.pkl", "wb") as file:
        Rewritten(file, instead).dump(model)


@pytest.mark.parametrize("rows", [60, 3000], ids=["small", "large"])  # large arrays are read in a way of their own
@pytest.mark.parametrize("kind", ["tree", "forest", "isolation", "selector"])
def test_unknown_fields_of_tree_nodes(kind, rows):
    """Kind: nodes of trees have a field that nobody here knows, as scikit-learn 1.10 is to write."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 3))
    y = rng.integers(0, 2, rows)
    model = {"tree": DecisionTreeClassifier(), "forest": RandomForestClassifier(3),
             "isolation": IsolationForest(n_estimators=3, max_samples=rows),
             "selector": make_pipeline(SelectFromModel(DecisionTreeClassifier()), LogisticRegression())}[kind].fit(x, y)
    trees = [model.tree_] if kind == "tree" else [model[0].estimator_.tree_] if kind == "selector" else \
        [tree.tree_ for tree in model.estimators_]
    np.save("rows.npy", x[:5])

    def new_fields(state):
        state["nodes"] = with_fields(state["nodes"], [("left_cat_bitset", "<u8"), ("split_kind", "i1")])

    rewritten_trees(model, trees, lambda state: None)
    assert ftl.run("predict", "model.pkl", "rows.npy").returncode == 0
    rewritten_trees(model, trees, new_fields)
    says(["UNSUPPORTED", "left_cat_bitset"], "predict", "model.pkl", "rows.npy", code=3)
    process = ftl.run("inspect", "model.pkl")
    assert process.returncode == 3 and "left_cat_bitset" in process.stdout
    rewritten_trees(model, trees, lambda state: state.update(n_categories=np.zeros(3)))
    says(["UNSUPPORTED", "n_categories"], "predict", "model.pkl", "rows.npy", code=3)


@pytest.mark.parametrize("rows", [60, 3000], ids=["small", "large"])
def test_unknown_fields_of_histogram_nodes(rows):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 3))
    model = HistGradientBoostingRegressor(max_iter=3, max_leaf_nodes=None, min_samples_leaf=2).fit(x, x[:, 0])
    np.save("rows.npy", x[:5])
    for predictor in (p for stage in model._predictors for p in stage):
        predictor.nodes = with_fields(predictor.nodes, [("split_kind", "i1")])
    joblib.dump(model, "model.joblib")
    says(["UNSUPPORTED", "split_kind"], "predict", "model.joblib", "rows.npy", code=3)


def test_unknown_fields_of_neighbours():
    x = np.random.default_rng(0).normal(size=(200, 3))
    model = KNeighborsRegressor(algorithm="kd_tree").fit(x, x[:, 0])
    tree = model._tree
    function, arguments, state = tree.__reduce__()
    state = list(state)
    at = next(i for i, part in enumerate(state) if getattr(getattr(part, "dtype", None), "names", None))
    state[at] = with_fields(np.asarray(state[at]), [("split_kind", "i1")])
    with open("model.pkl", "wb") as file:
        Rewritten(file, {id(tree): (function, arguments, tuple(state))}).dump(model)
    np.save("rows.npy", x[:5])
    says(["UNSUPPORTED", "split_kind"], "predict", "model.pkl", "rows.npy", code=3)


def warned(path, rows, *texts):
    """predict says in one line on stderr, and inspect in its text and JSON, which library is newer."""
    for arguments in (["predict", path, rows, "-q"], ["check", path, rows]):
        process = ftl.run(*arguments)
        assert process.returncode == 0, process.stderr
        assert len(process.stderr.splitlines()) == 1 and process.stderr.startswith("foretell: warning: ")
        for text in texts:
            assert text in process.stderr
    newer = json.loads(ftl.run("inspect", path, "--json").stdout)["newer"]
    assert all(text in newer and text in ftl.run("inspect", path).stdout for text in texts)


def test_newer_versions_are_said(monkeypatch):
    """Kind: the library that wrote the model is newer than the newest that was tested."""
    x = pd.DataFrame({"a": np.arange(30.0), "b": np.arange(30.0)[::-1]})
    x.to_csv("rows.csv", index=False)
    scaler = StandardScaler()
    model = make_pipeline(scaler, xgboost.XGBRegressor(n_estimators=2)).fit(x, x.a)
    joblib.dump(model, "model.joblib")
    process = ftl.run("predict", "model.joblib", "rows.csv", "-q")
    assert process.returncode == 0 and process.stderr == ""
    assert "newer" not in json.loads(ftl.run("inspect", "model.joblib", "--json").stdout)

    monkeypatch.setattr("sklearn.base.__version__", "1.11.0")
    joblib.dump(model, "model.joblib")
    warned("model.joblib", "rows.csv", "scikit-learn 1.11.0", "tested up to 1.9")

    text = json.loads(bytes(model[-1].get_booster().save_raw("json")))
    text["version"] = [4, 1, 0]
    pathlib.Path("model.json").write_text(json.dumps(text), encoding="utf-8")
    warned("model.json", "rows.csv", "XGBoost 4.1.0", "tested up to 3.4")

    forest = catboost.CatBoostRegressor(iterations=2, verbose=0, allow_writing_files=False).fit(x, x.a)
    forest.save_model("model.cbm")
    version = catboost.__version__.encode()
    content = pathlib.Path("model.cbm").read_bytes()
    assert version in content
    pathlib.Path("model.cbm").write_bytes(content.replace(version, b"9" + version[1:]))
    warned("model.cbm", "rows.csv", "CatBoost 9", "tested up to 1.2")
