"""Random pipelines: recipes of a table, a model and rows, and what the program and the libraries make of them.

A recipe is plain data that pipeline_grammar.py draws from a seed, and its text rebuilds it:

    {"seed": 3, "rows": 60, "columns": {"a": "real", "b": "switch"}, "target": ("classes", 2, "str"),
     "model": ("Pipeline", {}, ("StandardScaler", {}), ("LogisticRegression", {"C": 0.5})), ...}

A model is (class, parameters, parts …); a part of a ColumnTransformer is (model, columns). A column's values depend on
the seed, its name and its kind alone, so that a recipe stays what it is when others are taken away.

    FTL_PIPELINE_SEEDS=12-15,40 scripts/test python -k random_pipelines     these seeds alone
    cd tests/python && ../../build/venv/bin/python -c 'import pipelines; pipelines.check({…})'     a printed recipe
"""

import pathlib
import pickle
import pprint
import re
import tempfile
import time
import warnings
import zlib

import classes
import differential as diff
import golden
import joblib
import numpy as np
import pandas as pd
from sklearn import feature_selection

KNOWN = classes.known()


class LibraryRefuses(Exception):
    """The composition is none to the library: fitting it raised."""


class Unsupported(Exception):
    """The program refuses the model by name."""


# ---- Tables ----------------------------------------------------------------------------------------------------------

# Not "1" beside "true": CatBoost's file may tell of a column that it has "1" alone, and then its bools are meant.
CITIES = ["Oslo", "São Paulo", "a,b", "1", 'O\'Hare "x"']
# XGBoost 3.1 to 3.3 saves others wrongly, and takes a category that it never met for the next one in their order, which
# the program refuses: the new one is behind them all, where the library refuses it as well.
ASCII = ["Oslo", "a,b", "true", 'O\'Hare "x"']  # XGBoost 3.1 to 3.3 saves others wrongly
PLANS = ["True", "FALSE", "z", "no"]
WORDS = "the cat sat on a mat and the dog ran off with some old bone".split()


def sentences(rng, n):
    return [" ".join(rng.choice(WORDS, rng.integers(1, 7))) for _ in range(n)]


def gapped(rng, values, share=0.2):
    """Missing cells among them as pandas reads them, but not in the first two."""
    gone = rng.random(len(values)) < share
    return [np.nan if gone[i] and i > 1 else value for i, value in enumerate(values)]


def texts(rng, n, values=tuple(CITIES)):
    return [values[i] for i in rng.integers(0, len(values), n)]


# Kind of column: (values of n rows, the type of the column, what rows to score may hold beside them).
FAR = [0.0, -0.0, 1e12, -1e12, 1e-300, 0.1]
KINDS = {
    "real": (lambda r, n: list(r.normal(size=n)), float, FAR),
    "large": (lambda r, n: list(r.normal(size=n) * 1e12), float, FAR),
    "small": (lambda r, n: list(r.normal(size=n) * 1e-6), float, FAR[:2] + [1e-6]),
    "gaps": (lambda r, n: gapped(r, np.where(r.random(n) < 0.4, 0.0, r.normal(size=n) * 10)), float, [np.nan, *FAR]),
    "count": (lambda r, n: [int(v) for v in r.integers(0, 4, n) * (r.random(n) < 0.5)], int, [7, 1000]),
    "whole": (lambda r, n: [int(v) for v in r.integers(-3, 5, n)], int, [99, -40]),
    "id": (lambda r, n: [2**53 + int(v) for v in r.integers(0, 6, n)], int, [2**53 + 77, 12]),
    "flag": (lambda r, n: [bool(v) for v in r.random(n) < 0.4], bool, []),
    "maybe": (lambda r, n: gapped(r, [bool(v) for v in r.random(n) < 0.4]), object, [np.nan]),
    "word": (texts, object, ["never seen", "oslo", "99"]),
    "plan": (lambda r, n: texts(r, n, PLANS), object, ["true", "TRUE"]),
    "string": (texts, "str", ["never seen", ""]),
    "hole": (lambda r, n: gapped(r, texts(r, n)), object, ["never seen", np.nan]),
    "category": (lambda r, n: texts(r, n, ASCII), "category", ["zz never seen"]),
    "lack": (lambda r, n: gapped(r, texts(r, n)), "category", ["never seen", np.nan]),
    "switch": (lambda r, n: [bool(v) for v in r.random(n) < 0.4], "category", [np.nan]),
    "level": (lambda r, n: [int(v) for v in r.integers(-3, 5, n)], "category", [99]),
    "text": (sentences, object, ["zebras unheard of", "dog " * 40]),
}
BOOLS = {"flag", "maybe", "switch"}
NUMBERS = ["real", "large", "small", "gaps", "count", "whole", "flag"]
CATEGORIES = ["whole", "id", "flag", "maybe", "word", "plan", "string", "hole", "category", "lack", "switch", "level"]


def values_of(recipe, name):
    """The values that a column has in training."""
    rng = np.random.default_rng([recipe["seed"], zlib.crc32(name.encode())])
    return KINDS[recipe["columns"][name]][0](rng, recipe["rows"])


ASKED, STRANGE = 14, 6


def asked_values(recipe, name, values):
    """Rows to score: some of training, and a few with cells that it never met."""
    picked = np.random.default_rng(recipe["seed"] + 1).integers(0, len(values), ASKED)
    rng = np.random.default_rng([recipe["seed"], 1, zlib.crc32(name.encode())])
    out = [values[i] for i in picked]
    more = KINDS[recipe["columns"][name]][2] + ([np.nan, np.inf] if recipe.get("special") and
                                                KINDS[recipe["columns"][name]][1] is float else [])
    for row in range(ASKED - STRANGE, ASKED):
        if more and rng.random() < 0.4:
            out[row] = more[rng.integers(len(more))]
    if len(recipe["columns"]) == 1:  # as a record's only cell "" is missing, to every reader
        out = ["never seen" if value == "" else value for value in out]
    return out


def series(kind, values):
    dtype = KINDS[kind][1]
    if dtype == "category":
        return pd.Series(pd.Categorical(values))
    return pd.Series(values, dtype=dtype)


def signal(recipe, name, values):
    """What a column says about the target: between -1 and 1, or a category's own number."""
    kind = recipe["columns"][name]
    if kind in ("real", "large", "small", "gaps", "count"):
        z = np.nan_to_num(np.array(values, dtype=float))
        return np.tanh(z / (z.std() + 1e-30))
    if kind == "text":
        return np.array(["dog" in v for v in values]) * 1.0
    return np.array([zlib.crc32(repr(v).encode()) % 7 / 3 - 1 for v in values])


def target(recipe, signals):
    """y for the kind of target: (kind, number of classes or of targets, kind of labels)."""
    kind, n, labels = recipe["target"]
    rng = np.random.default_rng(recipe["seed"] + 2)
    z = sum(signals, np.zeros(recipe["rows"])) + rng.normal(size=recipe["rows"]) * 0.3
    several = np.column_stack([z * (-1) ** i + rng.normal(size=len(z)) * 0.5 * (i > 0) for i in range(n)])
    if kind == "classes":
        return diff.classes(rng, n, labels)[np.digitize(z, np.quantile(z, np.arange(1, n) / n))]
    if kind == "labels":
        return (several > np.median(several, axis=0)).astype(int)
    return {"value": z, "positive": np.exp(z / 3), "values": several, "none": None}[kind]


def data(recipe):
    """(x, y, rows to score); a table or, where the recipe says so, an array."""
    values = {name: values_of(recipe, name) for name in recipe["columns"]}
    y = target(recipe, [signal(recipe, name, values[name]) for name in values])
    x = pd.DataFrame({name: series(recipe["columns"][name], values[name]) for name in values})
    asked = pd.DataFrame({name: series(recipe["columns"][name], asked_values(recipe, name, values[name]))
                          for name in values})
    if recipe.get("array"):
        x, asked = x.to_numpy(recipe["array"]), asked.to_numpy(recipe["array"])
    keep = recipe.get("ask")
    return x, y, asked if keep is None else diff.part(asked, keep)


# ---- Models ----------------------------------------------------------------------------------------------------------

FIRST_ARE_PARTS = {"VotingClassifier", "VotingRegressor", "StackingClassifier", "StackingRegressor"}
FUNCTIONS = {"f_classif", "f_regression", "chi2"}


def parameter(value):
    """Parameters stand in recipes as plain data: numpy's things as "np.…"."""
    if isinstance(value, str) and value.startswith("np."):
        return getattr(np, value[3:])
    if value in FUNCTIONS if isinstance(value, str) else False:
        return getattr(feature_selection, value)
    return value


def selected(recipe, columns):
    """What a ColumnTransformer selects: names that are left, their positions in an array, or a slice of a matrix."""
    if columns and columns[0] == "slice":
        return slice(*columns[1:])
    if isinstance(columns, str):
        return columns
    left = [name for name in columns if name in recipe["columns"]]
    return [list(recipe["columns"]).index(name) for name in left] if recipe.get("array") else left


def columns_of(recipe, children):
    parts = [(child, selected(recipe, columns)) for child, columns in children]
    made = [(f"c{i}", build(recipe, child), columns) for i, (child, columns) in enumerate(parts) if columns]
    if not made:
        raise ValueError("no columns are left")
    return made


def grids(params, parts):
    """The parameters of a search: of those that its model has, one that stays what it is."""
    def only(model):
        key = sorted(model.get_params(deep=False))[0]
        return {key: [model.get_params(deep=False)[key]]}
    return {key: only(parts[0]) if value == "one" else value for key, value in params.items()}


def build(recipe, node, x=None, y=None):
    """The estimator of a node, not fitted; x and y for what is frozen."""
    if isinstance(node, str):
        return node
    name, given, *children = node
    params = {key: parameter(value) for key, value in given.items()}
    frames = params.pop("set_output", None)
    cls = KNOWN[name]
    if params.get("cat_features") == "by kind":
        params["cat_features"] = [c for c, kind in recipe["columns"].items() if kind in CATEGORIES and kind != "whole"]
    if name == "ColumnTransformer":
        made = cls(columns_of(recipe, children), **params)
    elif name == "FrozenEstimator":
        made = cls(fit(build(recipe, children[0]), x, y))
    else:
        parts = [build(recipe, child, x, y) for child in children]
        named = [(f"{name[0].lower()}{i}", part) for i, part in enumerate(parts)]
        if name in ("Pipeline", "FeatureUnion"):
            made = cls(named, **params)
        elif name in FIRST_ARE_PARTS:
            stacked = name.startswith("Stacking")
            made = cls(named[:-1], parts[-1], **params) if stacked else cls(named, **params)
        elif name == "TransformedTargetRegressor" and len(parts) > 1:
            made = cls(parts[0], transformer=parts[1], **params)
        else:
            made = cls(*parts, **grids(params, parts))
    return made.set_output(transform=frames) if frames else made


def fit(model, x, y):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.fit(x, y)


def fitted(recipe):
    """(model, rows to score)."""
    try:
        x, y, asked = data(recipe)
        return fit(build(recipe, recipe["model"], x, y), x, y), asked
    except Exception as error:  # of all the kinds that libraries have
        raise LibraryRefuses(f"{type(error).__name__}: {str(error).splitlines()[0][:150] if str(error) else ''}") from error


# ---- Comparison ------------------------------------------------------------------------------------------------------

def write_model(recipe, model, folder):
    form = recipe["file"]
    if form == "pickle":
        path = folder / "model.pkl"
        path.write_bytes(pickle.dumps(model))
        return path
    if form in ("cbm", "json", "ubj"):
        path = folder / f"model.{form}"
        model.save_model(path)
        return path
    return diff.write_model(model, folder, 3 if form == "zlib" else 0)


def write_rows(recipe, asked, folder):
    """The rows as users have them; booleans in one of the three spellings."""
    if not isinstance(asked, pd.DataFrame):
        return diff.write_rows(asked, folder)
    table = asked.astype({name: object for name in asked.columns})
    spell = recipe.get("spelling", "capitalize")
    for name in asked.columns:
        if recipe["columns"][name] in BOOLS:
            table[name] = pd.Series([getattr(str(v), spell)() if isinstance(v, (bool, np.bool_)) else None
                                     for v in asked[name]], dtype=object, index=asked.index)
    return diff.write_rows(table[list(table.columns)[::-1]] if recipe.get("reversed") else table, folder)


def scale_of(model, x, method=None):
    """linear_scale, where it can tell; what float32 rounds is multiplied by the scale of the target."""
    last = diff.cases.final_step(model)[0]
    slope = 1.0
    if type(last).__name__ == "TransformedTargetRegressor" and hasattr(last.transformer_, "scale_"):
        slope += float(np.abs(last.transformer_.scale_).max())
    if slope > 1.0:
        return [slope] * len(x)
    try:
        return diff.cases.linear_scale(model, x, method)
    except (TypeError, ValueError, AttributeError, IndexError):
        return None


def answers(model, method, rows):
    """Whether the library takes these rows, or some of them, and gives a row for each."""
    for part in [rows] + [diff.part(rows, [i]) for i in range(len(rows))]:
        if diff.takes(model, method, part):
            shape = getattr(diff.call(model, method, part), "shape", (len(part),))
            return shape[0] == len(part) and len(shape) < 3  # hard votes of CatBoost's columns of labels have no such shape
    return False


def methods(model, asked):
    """The methods that the library has and takes rows of training with."""
    found = []
    for method in diff.offered(model):
        try:
            if answers(model, method, diff.part(asked, range(min(3, len(asked))))):
                found.append(method)
        except Exception:  # noqa: S112  (a method that the class has and its parts have not)
            continue
    return found


def compare(recipe, model, asked):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model_path, rows_path = write_model(recipe, model, folder), write_rows(recipe, asked, folder)
        for method in methods(model, asked):
            diff.compare_method(model, model_path, rows_path, asked, method, (), classes.described, scale_of)


def compared(recipe, model, asked):
    """Compare every method of the fitted model; Disagreement or Unsupported."""
    try:
        compare(recipe, model, asked)
    except golden.Disagreement as error:
        if "exit 3 " in str(error) and "UNSUPPORTED" in str(error):
            raise Unsupported(str(error)) from error
        raise


def check(recipe):
    """Compare every method of the recipe's model; Disagreement, LibraryRefuses or Unsupported."""
    compared(recipe, *fitted(recipe))


# ---- Shrinking -------------------------------------------------------------------------------------------------------

# What keeps models small and quiet.
STAYING = {"verbose", "iterations", "n_estimators", "allow_writing_files", "thread_count", "n_jobs", "n_features"}


def smaller_models(node):
    """Nodes with a part less, or one of the parts instead, or a parameter less."""
    if isinstance(node, str):
        return
    name, params, *children = node
    for child in children:
        yield child[0] if name == "ColumnTransformer" else child
    for i in range(len(children) if len(children) > 1 else 0):
        yield (name, params, *children[:i], *children[i + 1:])
    for key in [key for key in params if key not in STAYING]:
        yield (name, {k: v for k, v in params.items() if k != key}, *children)
    for i, child in enumerate(children):
        if name == "ColumnTransformer":
            made = [(inner, child[1]) for inner in smaller_models(child[0])]
        else:
            made = smaller_models(child)
        for inner in made:
            yield (name, params, *children[:i], inner, *children[i + 1:])


def smaller(recipe):
    """Recipes that are a little smaller, the smallest first."""
    for model in smaller_models(recipe["model"]):
        if not isinstance(model, str):
            yield dict(recipe, model=model)
    for name in recipe["columns"]:
        if len(recipe["columns"]) > 1:
            yield dict(recipe, columns={n: kind for n, kind in recipe["columns"].items() if n != name})
    for key in ("special", "spelling", "reversed"):
        if recipe.get(key):
            yield {k: v for k, v in recipe.items() if k != key}
    if recipe["file"] in ("pickle", "zlib"):
        yield dict(recipe, file="joblib")
    if recipe["rows"] > 12:
        yield dict(recipe, rows=recipe["rows"] // 2)
    ask = recipe.get("ask", list(range(ASKED)))
    if len(ask) > 1:
        yield dict(recipe, ask=ask[:len(ask) // 2])
        yield dict(recipe, ask=ask[len(ask) // 2:])


def failure(recipe):
    """What the program gets wrong, or None."""
    try:
        check(recipe)
    except golden.Disagreement as error:
        return str(error)
    except (LibraryRefuses, Unsupported):
        return None
    return None


def alike(wrong):
    """What two failures have in common: their words without names and numbers."""
    return re.sub(r"'.*?'|[-\d.]+|\[.*|/\S*|.*?: (?=exit)", "", wrong.rpartition(": ")[2] if "exit" not in wrong else wrong)[:60]


def shrink(recipe, wrong, seconds=40):
    """A recipe that fails in the same way, smaller where one is found in that time."""
    end = time.monotonic() + seconds
    found = True
    while found and time.monotonic() < end:
        found = next((other for other in smaller(recipe) if time.monotonic() < end
                      and alike(failure(other) or "") == alike(wrong)), None)
        recipe = found or recipe
    return recipe


def told(recipe, wrong=None):
    """The recipe as an expression, with what is wrong about it."""
    wrong = wrong or failure(recipe)
    return f"{wrong}\nimport pipelines; pipelines.check({pprint.pformat(recipe, width=110, sort_dicts=False)})"
