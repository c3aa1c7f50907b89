"""inspect is right about what a model is and takes.

The kinds: clusters that are counted by numbers instead of rows; kinds that a wrapper hides; categories that nobody can
see; columns that a wide name moves out of line.
"""

import json
import pickle

import category_encoders
import ftl
import joblib
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDOneClassSVM
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import OneClassSVM

RNG = np.random.default_rng(1)
X = RNG.normal(0, 1, (60, 5))
Y = (X[:, 0] > 0).astype(int)
FRAME = pd.DataFrame({"größe": RNG.normal(0, 1, 60), "Sex": RNG.choice(["m", "f"], 60), "Class": RNG.integers(1, 4, 60),
                      "日本": RNG.choice(["a", "b"], 60)})


@pytest.fixture
def inspect(tmp_path):
    def go(thing, *options):
        path = tmp_path / "model.pkl"
        path.write_bytes(pickle.dumps(thing))
        done = ftl.run("inspect", path, *options)
        return json.loads(done.stdout) if "--json" in options else done.stdout
    return go


KINDS = [
    (KMeans(3, n_init=1), "clusterer"), (MiniBatchKMeans(2, n_init=1), "clusterer"),
    (make_pipeline(StandardScaler(), KMeans(3, n_init=1)), "clusterer"),
    (IsolationForest(n_estimators=3), "outlier detector"), (OneClassSVM(), "outlier detector"),
    (SGDOneClassSVM(), "outlier detector"), (make_pipeline(StandardScaler(), IsolationForest(n_estimators=3)), "outlier detector"),
    (LinearRegression(), "regressor"), (make_pipeline(StandardScaler(), LinearRegression()), "regressor"),
    (GridSearchCV(LinearRegression(), {"fit_intercept": [True]}, cv=2), "regressor"),
    (GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), {}, cv=2), "classifier"),
    (KNeighborsClassifier(), "classifier"), (StandardScaler(), "transformer"),
    (make_pipeline(SimpleImputer(), StandardScaler()), "transformer"), (NearestNeighbors(), "model"),
]


@pytest.mark.parametrize("model, kind", KINDS, ids=lambda value: str(value).replace("\n", "")[:50])
def test_kinds(inspect, model, kind):
    assert inspect(model.fit(X, Y), "--json")["kind"] == kind
    assert f"({kind})" in inspect(model)


@pytest.mark.parametrize("n", [1, 3])
def test_clusters_are_counted(inspect, n):
    model = KMeans(n, n_init=1).fit(X)
    assert inspect(model, "--json")["steps"][0]["detail"] == ("1 cluster" if n == 1 else f"{n} clusters")


PREP = make_column_transformer(
    (StandardScaler(), ["größe"]), (OneHotEncoder(), ["Sex"]),
    (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), ["日本"]),
    (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["Class"]))


def test_categories(inspect):
    """The values of each category column, and what becomes of others."""
    model = make_pipeline(PREP, LogisticRegression()).fit(FRAME, Y)
    inputs = {column["name"]: column for column in inspect(model, "--json")["inputs"]}
    assert inputs["Sex"]["categories"] == ["f", "m"] and inputs["Sex"]["others"] == "refused"
    assert inputs["Class"]["categories"] == [1, 2, 3] and inputs["Class"]["others"] == "unknown"
    assert inputs["日本"]["categories"] == ["a", "b"] and inputs["日本"]["others"] == "unknown"
    assert "categories" not in inputs["größe"]
    shown = inspect(model)
    assert "values: f, m; others refused" in shown and "values: 1, 2, 3; others count as unknown" in shown


def test_many_categories_are_cut_in_text_alone(inspect):
    frame = pd.DataFrame({"city": [f"c{i:03}" for i in range(100)]})
    model = OneHotEncoder().fit(frame)
    assert "c019 and 80 more" in inspect(model)
    assert len(inspect(model, "--json")["inputs"][0]["categories"]) == 100


def test_widths_are_of_characters(inspect):
    lines = inspect(make_pipeline(PREP, LogisticRegression()).fit(FRAME, Y)).split("\n")
    places = {line.index("missing:") for line in lines if "missing:" in line}
    assert len(places) == 1 and len([line for line in lines if "missing:" in line]) == 4


def test_what_is_refused_when_missing(inspect):
    inputs = inspect(make_pipeline(PREP, LogisticRegression()).fit(FRAME, Y), "--json")["inputs"]
    assert {column["name"]: column["missing"] for column in inputs}["größe"] == "refused"
    inputs = inspect(HistGradientBoostingClassifier(max_iter=2).fit(X, Y), "--json")["inputs"]
    assert {column["missing"] for column in inputs} == {"NaN"}


def test_types_of_outputs(inspect):
    """float32 where the library gives float32."""
    forest = inspect(RandomForestClassifier(2).fit(X, Y), "--json")["outputs"]
    assert {column["type"] for column in forest["predict_proba"]} == {"float64"}
    assert [column["type"] for column in forest["predict"]] == ["int64"]
    outputs = inspect(xgboost.XGBRegressor(n_estimators=2).fit(X, X[:, 0]), "--json")["outputs"]
    assert [column["type"] for column in outputs["predict"]] == ["float32"]
    scaled = inspect(xgboost.XGBClassifier(n_estimators=2).fit(X, np.arange(60) % 3), "--json")["outputs"]
    assert {column["type"] for column in scaled["predict_proba"]} == {"float32"}


def test_every_method_is_shown(inspect):
    shown = inspect(LogisticRegression().fit(X, Y))
    for method in ("predict: 1 column\n", "predict_proba: 2 columns\n", "decision_function: 1 column\n"):
        assert f"output of {method}" in shown


def test_one_column(inspect):
    assert "input: 1 column, matched" in inspect(StandardScaler().fit(X[:, :1]))


def twice(x):
    return 2 * x


def test_unsupported_parts(inspect):
    """All of them, each at its place; the classifier stays a classifier."""
    model = Pipeline([("a", FunctionTransformer(twice)), ("b", FunctionTransformer(twice)), ("c", LogisticRegression())]).fit(X, Y)
    described = inspect(model, "--json")
    assert described["kind"] == "classifier" and described["class"] == "sklearn.pipeline.Pipeline"
    assert [problem["path"] for problem in described["unsupported"]] == ["steps[0].func", "steps[1].func"]


def test_unsupported_parts_of_other_libraries(inspect):
    """They are listed behind the first problem as scikit-learn's are."""
    joined = category_encoders.TargetEncoder(cols=["Sex"], composite_cols=[("Sex", "日本")])
    model = make_column_transformer((FunctionTransformer(twice), ["größe"]), (joined, ["Sex", "日本"])).fit(FRAME, Y)
    described = inspect(model, "--json")
    assert [problem["path"] for problem in described["unsupported"]] == ["transformers_[0].func",
                                                                         "transformers_[1].composite_members_"]


def test_a_container_of_models(inspect):
    shown = inspect({"a": LinearRegression().fit(X, Y), "b": LinearRegression().fit(X, Y), "notes": "two"})
    assert shown.startswith("a dict with 2 models; none is chosen\n")
    assert "\nmodels\n" in shown and "notes" in shown


def test_messages_in_json_name_options_as_the_command_line_does(inspect, tmp_path):
    """Kind: notes for programs that speak of the library's fields; names of columns that look so stay names."""
    frame = pd.DataFrame({"options.select": X[:, 0], 'a "quoted\\" options.keep': X[:, 0]})
    scaler, model = StandardScaler().fit(frame), LinearRegression().fit(frame, Y)
    described = inspect({"scaler": scaler, "model": model}, "--json")
    assert "--select scaler,model" in described["note"] and "options." not in described["note"]
    assert [column["name"] for column in described["inputs"]] == list(frame.columns)
    assert "--select" not in json.dumps(inspect({"options.select": model, "b": model}, "--json"))
    (tmp_path / "rows.csv").write_text("options.select,b\n1,2\n", encoding="utf-8")
    joblib.dump(make_pipeline(model), tmp_path / "model.joblib")
    checked = json.loads(ftl.run("check", tmp_path / "model.joblib", tmp_path / "rows.csv", "--json").stdout)
    assert checked["missing_columns"][0]["name"] == frame.columns[1]
