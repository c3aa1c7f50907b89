"""Stand-alone C: every family of models, generated, built with strict flags, run, and compared with the program's own
predictions bit for bit; what it refuses, and that names of models cannot become code."""

import pathlib
import re
import subprocess
import warnings

import boosters
import catboost
import ftl
import joblib
import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import standalone
import xgboost as xgb
from conftest import has_avx2
from differential import awkward, labels
from sklearn import (calibration, cluster, compose, discriminant_analysis, dummy, ensemble, feature_selection, impute, isotonic,
                     linear_model, multiclass, multioutput, naive_bayes, neighbors, neural_network, pipeline, preprocessing, svm, tree)

RNG = np.random.default_rng(7)
X = RNG.normal(size=(300, 6)) * [1, 100, 1, 1e-3, 10, 1]
X[:, 4] = np.round(X[:, 4])
POSITIVE = np.abs(X) + 0.1
Y = X[:, 0] + X[:, 1] / 100 + np.sin(X[:, 4]) + RNG.normal(size=300) * 0.3
TWO, THREE = Y > 0, np.digitize(Y, [-1, 1])
GAPS = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
FORESTS = dict(n_estimators=12, random_state=0, n_jobs=1)


def pipe(*steps):
    return pipeline.make_pipeline(*steps)


def stack():
    return ensemble.StackingClassifier([("a", tree.DecisionTreeClassifier(max_depth=3)), ("b", linear_model.LogisticRegression())],
                                       linear_model.LogisticRegression())


# name → (model, rows, target)
MODELS = {
    "linear": (linear_model.LinearRegression(), X, Y),
    "ridge_many": (linear_model.Ridge(), X, np.stack([Y, -Y, Y * 2], 1)),
    "logistic": (pipe(preprocessing.StandardScaler(), linear_model.LogisticRegression()), X, TWO),
    "logistic_text": (pipe(preprocessing.MinMaxScaler(), linear_model.LogisticRegression()), X,
                      np.array(["no", "yes", 'a "?? \\ b'])[THREE]),
    "sgd_huber": (pipe(preprocessing.RobustScaler(), linear_model.SGDClassifier(loss="modified_huber", random_state=0)), X,
                  THREE),
    "poisson": (pipe(preprocessing.MaxAbsScaler(), linear_model.PoissonRegressor()), X, np.abs(Y)),
    "svm_linear": (svm.LinearSVC(random_state=0, max_iter=200), X, THREE),
    "lda": (discriminant_analysis.LinearDiscriminantAnalysis(), X, THREE),
    "naive_bayes": (naive_bayes.GaussianNB(), X, THREE),
    "bernoulli": (pipe(preprocessing.Binarizer(), naive_bayes.BernoulliNB()), X, THREE),
    "mlp": (pipe(preprocessing.StandardScaler(),
                 neural_network.MLPClassifier(hidden_layer_sizes=(5, 4), activation="tanh", max_iter=30, random_state=0)), X, THREE),
    "mlp_logistic": (neural_network.MLPRegressor(hidden_layer_sizes=(5,), activation="logistic", max_iter=30, random_state=0), X, Y),
    "dummy": (dummy.DummyClassifier(strategy="prior"), X, THREE),
    "imputer": (pipe(impute.SimpleImputer(strategy="median", add_indicator=True), linear_model.LogisticRegression()), GAPS, TWO),
    "polynomial": (pipe(preprocessing.PolynomialFeatures(2), preprocessing.Normalizer("l1"), linear_model.Ridge()), X, Y),
    "normalizer": (pipe(preprocessing.Normalizer(), preprocessing.Normalizer("max")), X, None),
    "bins": (pipe(preprocessing.KBinsDiscretizer(4, encode="onehot-dense"), linear_model.LogisticRegression()), X, TWO),
    "power": (pipe(preprocessing.PowerTransformer(), linear_model.Ridge()), X, Y),
    "box_cox": (preprocessing.PowerTransformer("box-cox"), POSITIVE, None),
    "quantiles": (preprocessing.QuantileTransformer(n_quantiles=20), X, None),
    "quantiles_normal": (preprocessing.QuantileTransformer(n_quantiles=20, output_distribution="normal"), X, None),
    "log": (pipe(preprocessing.FunctionTransformer(np.log1p), linear_model.Ridge()), POSITIVE, Y),
    "clusters": (cluster.KMeans(5, n_init=1, random_state=0), X, None),
    "centroids": (neighbors.NearestCentroid(), X, THREE),
    "isotonic": (isotonic.IsotonicRegression(out_of_bounds="clip"), X[:, :1], Y),
    "selection": (pipe(feature_selection.SelectKBest(k=3), preprocessing.StandardScaler(), linear_model.Ridge()), X, Y),
    "tree": (tree.DecisionTreeClassifier(max_depth=6, random_state=0), GAPS, THREE),
    "tree_outputs": (tree.DecisionTreeClassifier(max_depth=5), X, np.stack([TWO, THREE], 1)),
    "tree_regressor": (tree.DecisionTreeRegressor(), X, Y),
    "forest": (ensemble.RandomForestClassifier(max_depth=7, **FORESTS), X, THREE),
    "forest_large": (ensemble.RandomForestRegressor(n_estimators=3, random_state=0), np.tile(X, (4, 1)) + RNG.normal(size=(1200, 6)),
                     RNG.normal(size=1200)),
    "extra_trees": (ensemble.ExtraTreesClassifier(**FORESTS), X, labels(RNG, 300, 4, "negative")),
    "gradient_boosting": (ensemble.GradientBoostingClassifier(n_estimators=12, random_state=0), X, THREE),
    "gradient_boosting_two": (ensemble.GradientBoostingClassifier(n_estimators=12, loss="exponential"), X, TWO),
    "gradient_regressor": (ensemble.GradientBoostingRegressor(n_estimators=15, loss="huber"), X, Y),
    "hist": (ensemble.HistGradientBoostingClassifier(max_iter=12, random_state=0), GAPS, THREE),
    "hist_categories": (ensemble.HistGradientBoostingRegressor(max_iter=15, categorical_features=[4]), np.abs(GAPS), Y),
    "isolation": (ensemble.IsolationForest(n_estimators=8, random_state=0), X, None),
    "adaboost": (ensemble.AdaBoostClassifier(n_estimators=6, random_state=0), X, THREE),
    "adaboost_regressor": (ensemble.AdaBoostRegressor(n_estimators=7, random_state=0), X, Y),
    "bagging": (ensemble.BaggingClassifier(tree.DecisionTreeClassifier(max_depth=4), 6, random_state=0), X, THREE),
    "voting": (ensemble.VotingClassifier([("a", linear_model.LogisticRegression(max_iter=300)),
                                          ("b", tree.DecisionTreeClassifier(max_depth=3))], voting="soft"), X, THREE),
    "voting_hard": (ensemble.VotingClassifier([("a", naive_bayes.GaussianNB()),
                                               ("b", tree.DecisionTreeClassifier(max_depth=3))]), X, THREE),
    "stacking": (stack(), X, THREE),
    "calibrated": (calibration.CalibratedClassifierCV(tree.DecisionTreeClassifier(max_depth=4), cv=2), X, THREE),
    "calibrated_isotonic": (calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), method="isotonic", cv=2), X, TWO),
    "one_versus_one": (multiclass.OneVsOneClassifier(linear_model.LogisticRegression(max_iter=300)), X, THREE),
    "one_versus_rest": (multiclass.OneVsRestClassifier(tree.DecisionTreeClassifier(max_depth=3)), X, THREE),
    "multi_output": (multioutput.MultiOutputRegressor(linear_model.Ridge()), X, np.stack([Y, -Y], 1)),
    "chain": (multioutput.ClassifierChain(linear_model.LogisticRegression(max_iter=300)), X, np.stack([TWO, THREE > 1], 1)),
    "target": (compose.TransformedTargetRegressor(linear_model.Ridge(), transformer=preprocessing.StandardScaler()), X, Y),
    "lightgbm": (lgb.LGBMClassifier(n_estimators=12, num_leaves=9, min_child_samples=3, verbose=-1, n_jobs=1), GAPS, THREE),
    "lightgbm_zero": (lgb.LGBMRegressor(n_estimators=12, zero_as_missing=True, verbose=-1, n_jobs=1),
                      np.where(RNG.random(X.shape) < 0.3, 0.0, GAPS), Y),
    "lightgbm_linear": (lgb.LGBMRegressor(n_estimators=6, linear_tree=True, verbose=-1, n_jobs=1), GAPS, Y),
    "lightgbm_many": (lgb.LGBMRegressor(n_estimators=40, num_leaves=31, min_child_samples=2, max_bin=1000, verbose=-1, n_jobs=1),
                      np.tile(X, (4, 1)) + RNG.normal(size=(1200, 6)), np.tile(Y, 4)),
    "lightgbm_wide": (lgb.LGBMRegressor(n_estimators=20, num_leaves=8, min_child_samples=2, verbose=-1, n_jobs=1),
                      RNG.normal(size=(300, 45)), Y),
    "xgboost": (xgb.XGBClassifier(n_estimators=10, max_depth=4, n_jobs=1), GAPS, THREE),
    "xgboost_two": (xgb.XGBClassifier(n_estimators=10, max_depth=4, n_jobs=1), GAPS, TWO.astype(int)),
    "xgboost_dart": (xgb.XGBRegressor(n_estimators=6, booster="dart", rate_drop=0.3, n_jobs=1), GAPS, Y),
    "xgboost_linear": (xgb.XGBRegressor(n_estimators=6, booster="gblinear", n_jobs=1), X, Y),
    "catboost": (catboost.CatBoostClassifier(iterations=12, depth=4, verbose=0, allow_writing_files=False, thread_count=1), GAPS,
                 THREE),
    "catboost_regressor": (catboost.CatBoostRegressor(iterations=12, depth=5, verbose=0, allow_writing_files=False,
                                                      thread_count=1), GAPS, Y),
}


def fit(name):
    model, x, y = MODELS[name]
    return boosters.fit(model, x, y), x


def rows_of(x, rng):
    """Rows of the training data, awkward ones, and blocks of rows, so that batches have several and a rest."""
    extremes = x[rng.integers(0, len(x), 12)].copy()
    for i, value in enumerate([1e39, -1e39, 1e308, 1e-36, -1e-36, 1e-35, float(np.float32(1e-35)), 2**31, -2**31, 255.5, -0.5,
                               256.0]):
        extremes[i, i % x.shape[1]] = value
    return np.concatenate([x[rng.integers(0, len(x), 270)], awkward(rng, x), extremes])


@pytest.mark.parametrize("name", MODELS)
def test_is_the_program_to_the_bit(name, tmp_path):
    model, x = fit(name)
    path = tmp_path / "model.joblib"
    joblib.dump(model, path)
    rng = np.random.default_rng(3)
    methods = [m for m in ("predict", "predict_proba", "transform", "apply", "margin", "decision_function")
               if ftl.run("predict", path, "-o", tmp_path / "probe.csv", *probe(x, tmp_path), "--method", m).returncode == 0]
    generated = standalone.compare(path, rows_of(x, rng), tmp_path, methods=methods)
    near = standalone.edges(generated, np.nan_to_num(x), rng)
    rows_path, rows = standalone.write_rows(near, tmp_path)
    for method in methods:
        standalone.same(generated, method, rows, standalone.predicted(path, rows_path, method))


def probe(x, folder):
    np.save(folder / "probe.npy", np.nan_to_num(x[:1]))
    return [folder / "probe.npy"]


@pytest.mark.parametrize("name", ["logistic", "naive_bayes", "mlp", "forest", "hist", "lightgbm", "xgboost", "catboost",
                                  "quantiles", "polynomial", "bins", "gradient_boosting", "imputer"])
def test_float32(name, tmp_path):
    model, x = fit(name)
    path = tmp_path / "model.joblib"
    joblib.dump(model, path)
    with np.errstate(over="ignore"):
        rows = rows_of(x, np.random.default_rng(4)).astype(np.float32)
    standalone.compare(path, rows, tmp_path, "--dtype", "float32")


@pytest.mark.parametrize("name", ["lightgbm_many", "lightgbm_wide", "forest", "xgboost", "catboost"])
def test_every_processor(name, tmp_path):
    """Results do not depend on the instructions that there are, nor on the compiler having any."""
    model, x = fit(name)
    path = tmp_path / "model.joblib"
    joblib.dump(model, path)
    rows = rows_of(x, np.random.default_rng(6))
    rows_path, _ = standalone.write_rows(rows, tmp_path)
    table = standalone.predicted(path, rows_path, "predict")
    ways = [{"processor": []}, {"processor": ["avx2"]} if has_avx2() else {}, {"flags": ["-Dm3_PLAIN"]}]
    if name == "lightgbm_many":
        ways.append({"optimise": "-O3", "flags": ["-march=native"]})
    for i, more in enumerate(ways):
        generated = standalone.Generated(path, tmp_path, "--method", "predict", prefix=f"m{i + 1}", **more)
        standalone.same(generated, "predict", rows, table)


# ---- Tables ---------------------------------------------------------------------------------------------------------

def table(rng, n=200):
    frame = pd.DataFrame({
        "age": rng.normal(40, 12, n).round(1), "class": rng.choice(["a", "b", "ü ?? \"c\""], n), "sex": rng.choice(["m", "f"], n),
        "NAN": rng.normal(size=n), "fare class": rng.choice(["x, y", "z*/", "\\"], n), "fare_class": rng.integers(0, 4, n),
        "member": rng.choice([True, False], n)})
    frame.loc[rng.random(n) < 0.1, "age"] = np.nan
    return frame


def encoders():
    texts, numbers = ["class", "sex", "fare class"], ["age", "NAN"]
    onehot = preprocessing.OneHotEncoder(handle_unknown="ignore")
    scale = pipe(impute.SimpleImputer(), preprocessing.StandardScaler())
    several = [("n", scale, numbers), ("t", onehot, texts + ["fare_class", "member"])]
    return {
        "onehot_linear": pipe(compose.ColumnTransformer(several), linear_model.LogisticRegression(max_iter=500)),
        "onehot_refuses": pipe(compose.ColumnTransformer([("n", scale, numbers), ("t", preprocessing.OneHotEncoder(drop="first"),
                                                                                  texts)]), linear_model.LogisticRegression()),
        "onehot_forest": pipe(compose.ColumnTransformer([("t", preprocessing.OneHotEncoder(sparse_output=False, min_frequency=70,
                                                          handle_unknown="infrequent_if_exist"), texts)], remainder="drop"),
                              ensemble.RandomForestClassifier(**FORESTS)),
        "onehot_sparse": pipe(compose.ColumnTransformer([("n", "passthrough", numbers), ("t", onehot, texts)], sparse_threshold=1),
                              xgb.XGBClassifier(n_estimators=6, n_jobs=1)),
        "ordinal": pipe(compose.ColumnTransformer([("n", "passthrough", numbers), ("t", preprocessing.OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=-1), texts + ["fare_class"])]),
            ensemble.HistGradientBoostingClassifier(max_iter=8, categorical_features=[2, 3])),
        "imputed": pipe(compose.ColumnTransformer([("n", impute.SimpleImputer(add_indicator=True), numbers),
                                                   ("t", pipe(impute.SimpleImputer(strategy="most_frequent"), onehot), texts)]),
                        linear_model.LogisticRegression(max_iter=500)),
        "constant": pipe(compose.ColumnTransformer([("t", pipe(impute.SimpleImputer(strategy="constant", fill_value="none"),
                                                               preprocessing.OneHotEncoder(handle_unknown="ignore")), texts)]),
                         tree.DecisionTreeClassifier()),
        "target": pipe(compose.ColumnTransformer([("t", preprocessing.TargetEncoder(random_state=0), texts + ["fare_class"])]),
                       linear_model.LogisticRegression()),
        "passed": compose.ColumnTransformer([("n", scale, numbers), ("t", onehot, ["sex"])],
                                            sparse_threshold=0),
    }


@pytest.mark.parametrize("name", encoders())
def test_tables(name, tmp_path):
    rng = np.random.default_rng(11)
    frame = table(rng)
    y = (frame["age"].fillna(40) > 40) ^ (frame["sex"] == "m")
    model = encoders()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(frame, y.astype(int) if name == "onehot_sparse" else np.where(y, "old", "young"))
    path = tmp_path / "model.joblib"
    joblib.dump(model, path)
    rows = table(np.random.default_rng(12), 260).astype({"class": object, "sex": object})
    rows.loc[3, "class"] = "new"
    rows.loc[4, "sex"] = None
    rows.loc[[5, 6], "class"] = [None, "A"]
    rows["fare_class"] = rows["fare_class"].astype(object)
    rows.loc[7, "fare_class"] = 99
    rows.loc[8, "NAN"] = np.inf
    generated = standalone.compare(path, rows, tmp_path)
    assert ("class_" in generated.text) == any("class" == c for c in model.feature_names_in_)


# ---- What rows are refused by, and other parts of the interface ------------------------------------------------------

def test_codes_name_the_column(tmp_path):
    frame = table(np.random.default_rng(1))
    model = encoders()["onehot_refuses"].fit(frame, frame["sex"])
    joblib.dump(model, tmp_path / "model.joblib")
    generated = standalone.Generated(tmp_path / "model.joblib", tmp_path)
    rows = frame.head(3).astype({"class": object, "sex": object})
    rows.loc[0, "class"] = "new"
    rows.loc[1, "NAN"] = np.inf
    _, cells = standalone.write_rows(rows, tmp_path)
    _, codes = generated.predict("predict", cells)
    assert generated.error(codes[0]) == ("a category that was not seen in training", 1, "class")
    assert generated.error(codes[1]) == ("infinity, which the model does not accept here", 3, "NAN")
    assert codes[2] == 0 and generated.error(0) == ("", -1, "")


def test_declarations_alone_and_cplusplus(tmp_path):
    model, _ = fit("logistic")
    joblib.dump(model, tmp_path / "model.joblib")
    assert standalone.generate(tmp_path / "model.joblib", tmp_path / "m.c", "--prefix", "churn").returncode == 0
    standalone.compile_c(tmp_path / "m.c", tmp_path / "m.o", "-c")
    (tmp_path / "use.cpp").write_text(
        '#define CHURN_DECLARATIONS\n#include "m.c"\n#include <cstdio>\n'
        "int main() { double row[6] = {0, 1, 2, 3, 4, 5}; int out; std::printf(\"%d\", churn_predict(row, &out)); }\n")
    subprocess.run(["c++", "-Wall", "-Wextra", "-Werror", "use.cpp", "m.o", "-o", "use", "-lm"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "use"], capture_output=True, check=True).stdout == b"0"


def test_program(tmp_path):
    model, x = fit("logistic_text")
    joblib.dump(model, tmp_path / "model.joblib")
    assert standalone.generate(tmp_path / "model.joblib", tmp_path / "m.c").returncode == 0
    program = standalone.compile_c(tmp_path / "m.c", tmp_path / "m", "-DMODEL_MAIN")
    np.savetxt(tmp_path / "rows.csv", x[:5], delimiter=",", fmt="%.17g")
    text = (tmp_path / "rows.csv").read_text()
    shown = subprocess.run([program, "predict"], input=text, capture_output=True, text=True, check=True).stdout.splitlines()
    assert shown == list(model.predict(x[:5]))
    refused = subprocess.run([program], input="1,2,,4,5,6\n", capture_output=True, text=True, check=False)
    assert refused.returncode == 4 and "column 2" in refused.stderr


def test_sanitizers(tmp_path):
    """One program with all rows of several families under address and undefined-behaviour sanitizers."""
    for name in ("forest", "hist_categories", "lightgbm", "catboost", "mlp", "quantiles_normal"):
        model, x = fit(name)
        joblib.dump(model, tmp_path / "model.joblib")
        assert standalone.generate(tmp_path / "model.joblib", tmp_path / "m.c").returncode == 0
        (tmp_path / "run.c").write_text(RUN)
        standalone.compile_c(tmp_path / "run.c", tmp_path / "run", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
                             f"-DMETHOD={'model_transform' if name == 'quantiles_normal' else 'model_predict'}_batch")
        with np.errstate(all="ignore"):
            rows_of(x, np.random.default_rng(5)).tofile(tmp_path / "rows.f64")
        subprocess.run([tmp_path / "run", tmp_path / "rows.f64"], check=True)


RUN = """
#include "m.c"
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    static double rows[306 * 6];
    int codes[306];
    void *out = malloc(306 * 6 * sizeof(double));
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (!file || fread(rows, sizeof(double), 306 * 6, file) != 306 * 6)
        return 2;
    METHOD(rows, 306, out, codes);
    free(out);
    return fclose(file);
}
"""


# ---- What is refused -------------------------------------------------------------------------------------------------

def test_what_it_cannot_express_is_named(tmp_path):
    from sklearn.feature_extraction.text import CountVectorizer
    model = pipe(CountVectorizer(), linear_model.LogisticRegression()).fit(["a bb", "cc dd", "bb cc"], [0, 1, 0])
    joblib.dump(model, tmp_path / "model.joblib")
    (tmp_path / "m.c").write_text("kept")
    process = standalone.generate(tmp_path / "model.joblib", tmp_path / "m.c")
    assert process.returncode == 3 and "steps[0]" in process.stderr and "text step" in process.stderr, process.stderr
    assert (tmp_path / "m.c").read_text() == "kept" and len(list(tmp_path.iterdir())) == 2


def test_limits_and_usage(tmp_path):
    model, _ = fit("forest")
    path = tmp_path / "model.joblib"
    joblib.dump(model, path)
    out = tmp_path / "m.c"
    process = standalone.generate(path, out, "--max-code", "2K")
    assert process.returncode == 3 and "--max-code" in process.stderr and not out.exists(), process.stderr
    for options, word in [(["--target", "cobol"], "--target"), (["--prefix", "1a"], "--prefix"), (["--prefix", "a b"], "--prefix"),
                          (["--dtype", "int8"], "--dtype"), (["--method", "transform"], "transform")]:
        process = standalone.generate(path, out, *options)
        assert process.returncode == 2 and len(process.stderr.splitlines()) == 1, (options, process.stderr)
        assert word in process.stderr or word[2:] in process.stderr, process.stderr
        assert not out.exists()
    assert "standalone-c" in ftl.run("generate", "--target", "list").stdout
    shown = ftl.run("generate", path, "-o", "-").stdout
    assert standalone.generate(path, out).returncode == 0 and shown == out.read_text()
    assert standalone.generate(path, tmp_path / "no/such/m.c").returncode == 4


def test_names_are_no_code(tmp_path):
    """Names of columns and classes that would end comments, strings and lines."""
    names = ["*/ int evil;", '"; evil();', "a\\\nevil", "??/\nevil", "/* /*", "\u202eevil\u2028", "int", "x\r\nevil", "%s%n", "__FILE__",
             "'); evil", "e" * 500]
    frame = pd.DataFrame(RNG.normal(size=(60, len(names))), columns=names)
    frame["text"] = RNG.choice(['"); evil("', "*/ evil", "??/", "\\"], 60)
    model = pipe(compose.ColumnTransformer([("t", preprocessing.OneHotEncoder(), ["text"])], remainder="passthrough"),
                 linear_model.LogisticRegression(max_iter=50))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(frame, RNG.choice(['a"; evil(); "', "*/\nevil", "\\"], 60))
    joblib.dump(model, tmp_path / "model.joblib")
    generated = standalone.Generated(tmp_path / "model.joblib", tmp_path)
    code = subprocess.run(["gcc", "-fpreprocessed", "-dD", "-E", "-P", str(generated.source)], capture_output=True, text=True,
                          check=True).stdout
    outside = "".join(code.split('"')[::2])
    assert not re.search(r"\b(evil|__FILE__)\b", outside)
    assert not re.search(r"^\s*_|\b(int|x)__\w*\(", outside, re.MULTILINE)
    assert generated.classes(0) == [c.encode() for c in sorted(model.classes_)]
    assert generated.error(8)[2] == names[0]


def test_atomic_and_devices(tmp_path):
    model, _ = fit("linear")
    joblib.dump(model, tmp_path / "model.joblib")
    assert standalone.generate(tmp_path / "model.joblib", "/dev/null").returncode == 0
    assert pathlib.Path("/dev/null").is_char_device()
    assert standalone.generate(tmp_path / "model.joblib", tmp_path / "m.c").returncode == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.c", "model.joblib"]
