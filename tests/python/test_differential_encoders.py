"""Encoders of category_encoders: fresh ones with random parameters on tables of texts, numbers and bools."""

import warnings

import category_encoders as ce
import differential as diff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# Of what the library asks pandas for.
pytestmark = pytest.mark.filterwarnings("ignore::Warning:category_encoders")

TEXTS = ["a", "b,c", "ö", "1", "two words", "NA?", "x" * 40]


def table(rng, n, new, gaps):
    """Columns that are encoded and others; `new`: values that training does not have."""
    spare = 3 if new else 0
    frame = pd.DataFrame({
        "plain": np.round(rng.normal(size=n), 3),
        "text": pd.Series(rng.choice(TEXTS + ["new", "B"][:2 * new], n), dtype=object),
        "whole": rng.integers(-2, 4 + spare, n),
        "half": rng.integers(0, 5 + spare, n) / 2,
        "flag": rng.random(n) < 0.5,
        "kept": pd.Series(rng.choice(["u", "v"], n), dtype=object)})
    if gaps:
        for name in ["text", "half"]:
            frame[name] = frame[name].where(rng.random(n) > 0.2)
    return frame


def fit(model, x, y=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(x, y)


COLUMNS = st.lists(st.sampled_from(["text", "whole", "half", "flag"]), min_size=1, max_size=4, unique=True)
UNKNOWN, MISSING = st.sampled_from(["value", "return_nan", "error"]), st.sampled_from(["value", "return_nan", "error"])
CLASSES = {"ordinal": ce.OrdinalEncoder, "onehot": ce.OneHotEncoder, "basen": ce.BaseNEncoder, "binary": ce.BinaryEncoder,
           "target": ce.TargetEncoder}


@pytest.mark.parametrize("name", CLASSES)
@diff.examples(10)
@given(seed=diff.seeds, cols=COLUMNS, unknown=UNKNOWN, missing=MISSING, gaps=st.booleans(), frame=st.booleans())
def test_policies(name, seed, cols, unknown, missing, gaps, frame):
    rng = np.random.default_rng(seed)
    gaps = gaps and missing != "error"
    train = table(rng, 40, False, gaps)
    model = fit(CLASSES[name](cols=cols, handle_unknown=unknown, handle_missing=missing, return_df=frame), train, rng.normal(size=40))
    diff.compare(model, table(rng, 25, True, True))


@diff.examples(8)
@given(seed=diff.seeds, cols=COLUMNS, base=st.integers(1, 7), indicate=st.booleans(), gaps=st.booleans())
def test_bases(seed, cols, base, indicate, gaps):
    rng = np.random.default_rng(seed)
    model = ce.BaseNEncoder(cols=cols, base=base, handle_unknown="indicator" if indicate else "value")
    diff.compare(fit(model, table(rng, 40, False, gaps)), table(rng, 25, True, True))


@diff.examples(8)
@given(seed=diff.seeds, cols=COLUMNS, names=st.booleans(), unknown=st.sampled_from(["indicator", "value", "return_nan"]),
       missing=st.sampled_from(["indicator", "value", "ignore"]), gaps=st.booleans())
def test_one_hot(seed, cols, names, unknown, missing, gaps):
    rng = np.random.default_rng(seed)
    model = ce.OneHotEncoder(cols=cols, use_cat_names=names, handle_unknown=unknown, handle_missing=missing)
    diff.compare(fit(model, table(rng, 40, False, gaps)), table(rng, 25, True, True))


@pytest.mark.parametrize("name", CLASSES)
@diff.examples(3)
@given(seed=diff.seeds, cols=COLUMNS)
def test_invariant_columns_are_dropped(name, seed, cols):
    rng = np.random.default_rng(seed)
    train = table(rng, 40, False, False).assign(whole=4, flag=True)
    model = fit(CLASSES[name](cols=cols, drop_invariant=True), train, rng.normal(size=40))
    diff.compare(model, table(rng, 25, True, True))


@diff.examples(8)
@given(seed=diff.seeds, unknown=st.sampled_from(["value", "return_nan", "error", 7, -3.5]),
       missing=st.sampled_from(["value", "return_nan", 99]), start=st.sampled_from([0, 1, 10]), as_dict=st.booleans())
def test_numbers_of_ones_own(seed, unknown, missing, start, as_dict):
    rng = np.random.default_rng(seed)
    given = {"a": 3, "b,c": 1, "ö": 40, "1": 2, np.nan: -2}
    mapping = [{"col": "text", "mapping": given if as_dict else pd.Series(given)}] if start == 10 else None
    model = ce.OrdinalEncoder(cols=["text"] if mapping else ["text", "half"], mapping=mapping, handle_unknown=unknown,
                              handle_missing=missing, index_start=start)
    try:
        fit(model, table(rng, 40, False, True))
    except ValueError:  # a number that is a category's, or a category that the mapping lacks
        return
    diff.compare(model, table(rng, 25, True, True))


@diff.examples(6)
@given(seed=diff.seeds, smoothing=st.sampled_from([0.5, 10, 100]), leaf=st.sampled_from([1, 5, 20]), labels=st.booleans())
def test_targets(seed, smoothing, leaf, labels):
    rng = np.random.default_rng(seed)
    y = diff.labels(rng, 60, 2, "str") if labels else rng.normal(size=60)
    model = ce.TargetEncoder(cols=["text", "half"], smoothing=smoothing, min_samples_leaf=leaf)
    diff.compare(fit(model, table(rng, 60, False, True), y), table(rng, 25, True, True))


def test_hierarchies_matter_while_fitting_alone():
    rng = np.random.default_rng(2)
    train, rows = (pd.DataFrame({"at": pd.Series(rng.choice(["N", "NE", "S", "SE", "W"] + more, n), dtype=object)})
                   for n, more in [(80, []), (20, ["?"])])
    model = ce.TargetEncoder(cols=["at"], smoothing=2, min_samples_leaf=2,
                             hierarchy={"at": {"N": ("N", "NE"), "S": ("S", "SE"), "W": "W"}})
    diff.compare(fit(model, train, rng.normal(size=80)), rows)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("then", [LogisticRegression(), HistGradientBoostingClassifier(max_iter=3),
                                  RandomForestRegressor(4, max_depth=4, random_state=0)], ids=lambda m: type(m).__name__)
def test_models_behind(name, then):
    rng = np.random.default_rng(5)
    train = table(rng, 80, False, False).drop(columns="kept")
    y = (train["whole"] + (train["text"] == "a") * 2 + rng.normal(size=80) > 1).astype(int)
    model = fit(make_pipeline(CLASSES[name](cols=["text", "whole", "flag"]), then), train, y)
    diff.compare(model, table(rng, 40, True, False).drop(columns="kept"), ["predict"])


def test_inside_a_column_transformer():
    rng = np.random.default_rng(6)
    train = table(rng, 80, False, False)
    y = (train["whole"] + rng.normal(size=80) > 1).astype(int)
    model = make_pipeline(make_column_transformer(
        (ce.TargetEncoder(), ["text", "kept"]), (ce.OneHotEncoder(cols=["whole"]), ["whole", "half"]),
        (StandardScaler(), ["plain"])), LogisticRegression())
    diff.compare(fit(model, train, y), table(rng, 40, True, False))


def test_arrays():
    """Columns of an array are numbered; the program takes them by their place."""
    rng = np.random.default_rng(7)
    x = np.column_stack([rng.integers(0, 4, 50), rng.normal(size=50), rng.integers(0, 3, 50)]).astype(float)
    rows = np.column_stack([rng.integers(0, 6, 20), rng.normal(size=20), rng.integers(0, 4, 20)]).astype(float)
    rows[3, 0], rows[4, 2] = np.nan, np.inf
    for cls in CLASSES.values():
        diff.compare(fit(cls(cols=[0, 2]), x, rng.normal(size=50)), rows)


def test_many_categories():
    rng = np.random.default_rng(8)
    train = pd.DataFrame({"id": pd.Series([f"c{i}" for i in rng.integers(0, 400, 900)], dtype=object)})
    for cls in CLASSES.values():
        diff.compare(fit(cls(), train, rng.normal(size=900)), train.iloc[:200])


REFUSED = {
    "min_group_lumping_": lambda: ce.OrdinalEncoder(cols=["text"], min_group_size=8, min_group_name="few"),
    "composite_members_": lambda: ce.TargetEncoder(cols=["text"], composite_cols=[("text", "kept")]),
    "handle_unknown": lambda: ce.OrdinalEncoder(cols=["text"], handle_unknown=np.size)}


@pytest.mark.parametrize("attribute", REFUSED)
def test_refused_by_name(attribute, tmp_path):
    rng = np.random.default_rng(9)
    model = fit(REFUSED[attribute](), table(rng, 40, False, False), rng.normal(size=40))
    process = diff.run(diff.write_model(model, tmp_path), diff.write_rows(table(rng, 5, False, False), tmp_path), tmp_path / "out.csv")
    assert process.returncode == 3 and attribute in process.stderr
