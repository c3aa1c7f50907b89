"""The same rows give the same bytes, whatever the format they come in.

What the formats themselves do not tell apart is left out of the rows, and is said here:

- A CSV file has no nulls. An empty cell is missing, and so are `NA`, `null`, ... (docs/CSV.md); a text that is one of these is
  a text in all other formats. Empty texts stand in quotes here, which `--empty text` makes texts.
- JSON has no NaN: it is null there. To numbers both are missing in all formats.
- .npy has numbers alone, of one type: integers beyond 2^53 are rounded in it as they are where a model takes numbers.
- A table whose inputs are all float32 is computed in float32, as the libraries do (docs/ARCHITECTURE.md); here some are not.
"""

import json
import math

import ftl
import hypothesis
import hypothesis.strategies as st
import joblib
import lightgbm
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

WIDE = 2**53
TEXTS = ["red", "größe", "漢字", "", 'a "b", c', "two\nlines", "1", "True", " red"]
TYPES = {"x": pa.float64(), "f": pa.float32(), "i": pa.int64(), "u": pa.uint64(), "flag": pa.bool_(), "t": pa.string()}
NUMBERS = ["x", "f", "i", "u", "flag"]


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("same")
    rng = np.random.default_rng(7)
    n = 300
    rows = pd.DataFrame({"x": rng.normal(size=n), "f": rng.normal(size=n).astype(np.float32),
                         "i": rng.choice([-3, 0, 7, WIDE, WIDE + 1, WIDE + 2], n),
                         "u": rng.choice([0, 5, WIDE + 1, WIDE + 3], n).astype(np.uint64),
                         "flag": rng.random(n) < 0.5, "t": rng.choice(TEXTS[:7], n)})
    y = rows.x + rows.flag - (rows.t == "red") + rng.normal(size=n) * 0.1
    numeric = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    numeric.fit(rows[NUMBERS].astype(float), np.where(y > 0, "yes", "no"))
    encoded = make_pipeline(ColumnTransformer([
        ("hot", OneHotEncoder(handle_unknown="ignore"), ["t", "i", "flag"]),
        ("order", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-2, encoded_missing_value=-1),
         ["t", "u"]),
        ("rest", SimpleImputer(), ["x", "f"])]), DecisionTreeRegressor(max_depth=8, random_state=0)).fit(rows, y)
    boosted = lightgbm.LGBMRegressor(n_estimators=20, min_child_samples=5, verbose=-1)
    boosted.fit(rows.assign(t=rows.t.astype("category")), y)
    for name, model in [("numeric", numeric), ("encoded", encoded), ("boosted", boosted)]:
        joblib.dump(model, folder / name)
    return folder


number = st.one_of(st.sampled_from([0.0, -0.0, 1.5, 1e-310, -1.7e300]), st.floats(-100, 100))
row = st.fixed_dictionaries({
    "x": st.one_of(st.none(), st.just(math.nan), number),
    "f": st.one_of(st.none(), st.just(math.nan), st.floats(-100, 100, width=32)),
    "i": st.one_of(st.none(), st.sampled_from([-3, 0, 7, WIDE, WIDE + 1, WIDE + 2, -(2**63), 2**63 - 1])),
    "u": st.one_of(st.none(), st.sampled_from([0, 5, WIDE + 1, WIDE + 2, WIDE + 3, 2**64 - 1])),
    "flag": st.one_of(st.none(), st.booleans()),
    "t": st.one_of(st.none(), st.sampled_from(TEXTS), st.text("aé漢😀 ,\"'\n\\", max_size=5).map("_".__add__))})


def cell(value):
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return '"' + value.replace('"', '""') + '"' if isinstance(value, str) else repr(value)


def strict(value):
    return None if isinstance(value, float) and math.isnan(value) else value


def write_all(folder, rows):
    """The paths of the rows in every format; the floats of f are what float32 holds."""
    table = pa.table({name: pa.array([r[name] for r in rows], kind) for name, kind in TYPES.items()})
    objects = [json.dumps({name: strict(value) for name, value in r.items()}, ensure_ascii=False) for r in rows]
    lines = [",".join(TYPES), *(",".join(cell(r[name]) for name in TYPES) for r in rows)]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n", newline="")
    (folder / "rows.json").write_text("[" + ",\n".join(objects) + "]")
    (folder / "rows.jsonl").write_text("".join(line + "\n" for line in objects))
    pq.write_table(table, folder / "rows.parquet", row_group_size=3)
    pq.write_table(table, folder / "plain.parquet", use_dictionary=False, compression="none", data_page_version="2.0")
    place = table.schema.get_field_index("t")
    others = {"rows": table["t"], "coded": table["t"].combine_chunks().dictionary_encode(),
              "large": table["t"].cast(pa.large_string())}
    for name, texts in others.items():
        kind = table.set_column(place, "t", texts)
        with pa.ipc.new_file(folder / f"{name}.arrow", kind.schema) as file:
            file.write_table(kind, 4)
        with pa.ipc.new_stream(folder / f"{name}.arrows", kind.schema) as stream:
            stream.write_table(kind, 4)
    return [folder / name for name in ["rows.csv", "rows.json", "rows.jsonl", "rows.parquet", "plain.parquet",
                                       *(f"{name}.{ending}" for name in others for ending in ["arrow", "arrows"])]]


def predict(model, path, *options):
    process = ftl.run("predict", model, path, "--quiet", "--empty", "text", *options)
    return process.returncode, process.stdout, process.stderr.split("row ", 1)[0] if process.returncode else ""


@hypothesis.given(rows=st.lists(row, min_size=1, max_size=12))
def test_every_format(models, tmp_path, rows):
    paths = write_all(tmp_path, rows)
    for model, options in [("numeric", ["--proba"]), ("encoded", ["--on-error", "null"]),
                           ("boosted", ["--on-error", "null"])]:
        code, wanted, says = predict(models / model, paths[0], *options)
        assert code in (0, 5), says
        for path in paths[1:]:
            assert predict(models / model, path, *options) == (code, wanted, says), (model, path.name)


@hypothesis.given(rows=st.lists(row, min_size=1, max_size=12))
def test_numbers_as_npy(models, tmp_path, rows):
    names = NUMBERS
    path = write_all(tmp_path, rows)[0]
    matrix = np.array([[np.nan if r[name] is None else float(r[name]) for name in names] for r in rows])
    np.save(tmp_path / "rows.npy", matrix)
    np.save(tmp_path / "columns.npy", np.asfortranarray(matrix))
    wanted = predict(models / "numeric", path, "--proba")
    assert wanted[0] == 0
    for name in ["rows.npy", "columns.npy"]:
        assert predict(models / "numeric", tmp_path / name, "--proba") == wanted, name
