"""Boosters' own files and what meets them: which iterations, which classes, whose categories, in which precision.

Each test is of a kind of fault; the library that is installed gives the right answers. Files of versions that are not
installed are made by changing what differs in them.
"""

import json
import pickle

import catboost
import differential as diff
import ftl
import golden
import lightgbm
import numpy as np
import pandas as pd
import pytest
import sklearn
import xgboost
from boosters import fit
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest, StackingRegressor, VotingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.multioutput import ClassifierChain
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler
from sklearn.svm import OneClassSVM

QUIET = {"verbose": 0, "allow_writing_files": False, "iterations": 8, "depth": 3, "random_seed": 1}


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(11)
    x = rng.normal(size=(240, 3))
    np.save(tmp_path / "rows.npy", x)
    noisy = x[:, 0] + rng.normal(size=240) * 2
    return tmp_path, x, noisy


def table(model, rows, *options):
    """(header, numbers or texts) of what the program predicts."""
    process = ftl.run("predict", model, rows, "-q", *options)
    assert process.returncode == 0, process.stderr
    lines = [line.split(",") for line in process.stdout.splitlines()]
    return lines[0], np.array(lines[1:])


def agrees(model, rows, wanted, *options, bits=True):
    _, got = table(model, rows, *options)
    wanted = np.asarray(wanted)
    got = got.astype(wanted.dtype).reshape(wanted.shape)
    if bits:
        assert np.array_equal(got, wanted, equal_nan=True), np.abs(got - wanted).max()
    else:
        assert np.allclose(got, wanted, rtol=1e-6, atol=1e-6)


def detail(model, *options):
    """What inspect says of the model itself, and its kind."""
    process = ftl.run("inspect", model, "--json", *options)
    assert process.returncode == 0, process.stderr
    facts = json.loads(process.stdout)
    return facts["steps"][0]["detail"], facts


def refused(model, *options, code=3, rows=None):
    process = ftl.run(*(["predict", model, rows] if rows else ["inspect", model]), *options)
    assert process.returncode == code, process.stdout
    return process.stderr


# ---- Which iterations ------------------------------------------------------------------------------------------------


def early_xgboost(x, noisy, kind, **more):
    y = (noisy > 0).astype(int) if kind is xgboost.XGBClassifier else noisy
    model = kind(n_estimators=60, learning_rate=0.5, early_stopping_rounds=3, max_depth=4, **more)
    fit(model, x[:120], y[:120], eval_set=[(x[120:], y[120:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    return model


@pytest.mark.parametrize("form", ["json", "ubj"])
@pytest.mark.parametrize("kind", [xgboost.XGBClassifier, xgboost.XGBRegressor])
@pytest.mark.parametrize("more", [{}, {"num_parallel_tree": 2, "subsample": 0.8}, {"booster": "dart", "rate_drop": 0.3}])
def test_xgboost_file_of_a_wrapper(data, form, kind, more):
    """Kind: a file says that a wrapper saved it, which uses the best iteration; the booster in it uses all."""
    folder, x, noisy = data
    model = early_xgboost(x, noisy, kind, **more)
    path, rows = folder / f"model.{form}", folder / "rows.npy"
    model.save_model(path)
    loaded = kind()
    loaded.load_model(path)
    booster = xgboost.Booster(model_file=path)
    agrees(path, rows, loaded.predict(x, output_margin=True), "--method", "margin")
    agrees(path, rows, booster.predict(xgboost.DMatrix(x), output_margin=True), "--method", "margin", "--iterations",
           "all", bits="booster" not in more)
    agrees(path, rows, loaded.predict(x), bits=kind is xgboost.XGBClassifier)
    for n in (1, 3):
        agrees(path, rows, loaded.predict(x, output_margin=True, iteration_range=(0, n)), "--method", "margin",
               "--iterations", n)
    said, facts = detail(path)
    assert f"uses {model.best_iteration + 1} of {booster.num_boosted_rounds()} iterations (best_iteration)" in said
    assert facts["class"] == f"xgboost.{kind.__name__}"
    if kind is xgboost.XGBClassifier:
        agrees(path, rows, loaded.predict_proba(x), "--method", "predict_proba", bits=False)
        assert facts["kind"] == "classifier" and "2 classes, binary:logistic" in said


@pytest.mark.parametrize("form", ["json", "ubj", "pkl"])
def test_xgboost_booster_uses_all_rounds(data, form):
    """Kind: the same model as a Booster's file or pickle."""
    folder, x, noisy = data
    booster = early_xgboost(x, noisy, xgboost.XGBRegressor).get_booster()
    path = folder / f"model.{form}"
    if form == "pkl":
        diff.joblib.dump(booster, path)
    else:
        booster.save_model(path)
    agrees(path, folder / "rows.npy", booster.predict(xgboost.DMatrix(x)))
    agrees(path, folder / "rows.npy", booster.predict(xgboost.DMatrix(x), iteration_range=(0, 2)), "--iterations", 2)
    said, facts = detail(path)
    assert "uses all" in said and f"{booster.best_iteration + 1} were the best" in said
    assert facts["class"] == "xgboost.Booster" and facts["kind"] == "regressor"


def old_wrapper(path, out, meta, **changes):
    """A JSON file as the wrappers of 1.0 to 1.7 wrote it, which said more of themselves."""
    model = json.loads(path.read_text())
    model["version"] = changes.pop("version")
    model["learner"]["attributes"]["scikit_learn"] = json.dumps(meta)
    model["learner"]["learner_model_param"]["base_score"] = "5E-1"
    out.write_text(json.dumps(model))


def test_xgboost_wrapper_of_old_versions_knows_labels(data):
    """Kind: classes that the file knows come back; best_ntree_limit, missing and the class's name count."""
    folder, x, noisy = data
    y = np.digitize(noisy, [-1, 1])
    model = fit(xgboost.XGBClassifier(n_estimators=6, max_depth=3, base_score=0.5), x, y)
    model.save_model(folder / "new.json")
    names = np.array(["ä", "b", "c d"])
    old_wrapper(folder / "new.json", folder / "old.json", {
        "type": "XGBClassifier", "classes_": list(names), "n_classes_": 3, "_le": {"classes_": list(names)},
        "best_ntree_limit": 2, "missing": float("nan")}, version=[1, 2, 0])
    _, got = table(folder / "old.json", folder / "rows.npy")
    assert list(got[:, 0]) == list(names[model.predict(x, iteration_range=(0, 2))])
    header, _ = table(folder / "old.json", folder / "rows.npy", "--method", "predict_proba")
    assert header == ["probability_ä", "probability_b", "probability_c d"]
    old_wrapper(folder / "new.json", folder / "marked.json", {"type": "XGBClassifier", "missing": 0.0}, version=[1, 2, 0])
    zeros = x.copy()
    zeros[::3, 0] = 0
    np.save(folder / "zeros.npy", zeros)
    gaps = np.where(zeros == 0, np.nan, zeros)
    agrees(folder / "marked.json", folder / "zeros.npy", model.predict_proba(gaps), "--method", "predict_proba",
           bits=False)
    for meta in ({"type": "XGBRFClassifier"}, {"_estimator_type": "ranker"}, {"type": "Mine", "n_classes_": 3}):
        old_wrapper(folder / "new.json", folder / "kind.json", meta, version=[1, 5, 0])
        wanted = {"XGBRFClassifier": "XGBRFClassifier", "Mine": "XGBClassifier"}.get(meta.get("type"), "XGBRanker")
        assert detail(folder / "kind.json")[1]["class"] == f"xgboost.{wanted}"
    for damaged in ("[]", "{\"_le\": {\"classes_\": [[1]]}}", "{\"type\": 1", "{\"missing\": \"x\"}}"):
        text = json.loads((folder / "new.json").read_text())
        text["learner"]["attributes"]["scikit_learn"] = damaged
        (folder / "damaged.json").write_text(json.dumps(text))
        assert "scikit_learn is damaged" in refused(folder / "damaged.json")


def test_lightgbm_iterations(data):
    """Kind: a text holds the best iterations, a pickle all and which was the best; num_iteration chooses."""
    folder, x, noisy = data
    rows, y = folder / "rows.npy", np.digitize(noisy / 4 + x[:, 1], [-1, 1])
    model = lightgbm.train({"objective": "multiclass", "num_class": 3, "learning_rate": 0.2, "num_leaves": 7, "verbose": -1},
                           lightgbm.Dataset(x[:120], y[:120]), 60, keep_training_booster=True,
                           valid_sets=[lightgbm.Dataset(x[120:], y[120:])],
                           callbacks=[lightgbm.early_stopping(3, verbose=False)])
    best, everything = model.best_iteration, model.num_trees() // 3
    assert 2 < best < everything
    diff.joblib.dump(model, folder / "model.pkl")
    model.save_model(folder / "best.txt")
    model.save_model(folder / "all.txt", num_iteration=-1)
    for path in (folder / "model.pkl", folder / "best.txt"):
        agrees(path, rows, model.predict(x, raw_score=True), "--method", "margin")
        agrees(path, rows, model.predict(x, raw_score=True, num_iteration=2), "--method", "margin", "--iterations", 2)
        assert "3 classes" in detail(path)[0]
    for path in (folder / "model.pkl", folder / "all.txt"):
        agrees(path, rows, model.predict(x, raw_score=True, num_iteration=everything), "--method", "margin",
               "--iterations", "all")
    agrees(folder / "all.txt", rows, model.predict(x, raw_score=True, num_iteration=everything), "--method", "margin")
    assert f"uses {best} of {everything} iterations (best_iteration)" in detail(folder / "model.pkl")[0]
    agrees(folder / "model.pkl", rows, model.predict(x, pred_leaf=True, num_iteration=1), "--method", "apply",
           "--iterations", 1)
    wrapper = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1).fit(x, y)
    diff.joblib.dump(wrapper, folder / "wrapper.pkl")
    agrees(folder / "wrapper.pkl", rows, wrapper.predict_proba(x, num_iteration=2), "--method", "predict_proba",
           "--iterations", 2, bits=False)


@pytest.mark.parametrize("policy", ["SymmetricTree", "Depthwise"])
def test_catboost_iterations(data, policy):
    """Kind: CatBoost shrinks the model itself when it keeps the best; ntree_end chooses."""
    folder, x, noisy = data
    model = catboost.CatBoostRegressor(iterations=60, learning_rate=0.8, depth=3, verbose=0, allow_writing_files=False,
                                       early_stopping_rounds=3, grow_policy=policy)
    model.fit(x[:120], noisy[:120], eval_set=(x[120:], noisy[120:]))
    model.save_model(folder / "model.cbm")
    diff.joblib.dump(model, folder / "model.pkl")
    assert model.tree_count_ < 60
    for path in (folder / "model.cbm", folder / "model.pkl"):
        agrees(path, folder / "rows.npy", model.predict(x))
        agrees(path, folder / "rows.npy", model.predict(x, ntree_end=1), "--iterations", 1)
        agrees(path, folder / "rows.npy", model.calc_leaf_indexes(x, ntree_end=1)[:, 0], "--method", "apply",
               "--iterations", 1)
        assert f"uses 1 of {model.tree_count_} iterations (as asked)" in detail(path, "--iterations", 1)[0] or \
            model.tree_count_ == 1


def test_iterations_of_other_models(data):
    """Kind: an option that cannot be followed is refused, not ignored."""
    folder, x, noisy = data
    model = fit(xgboost.XGBRegressor(n_estimators=4), x, noisy)
    model.save_model(folder / "model.json")
    assert "XGBRegressor has 4 iterations" in refused(folder / "model.json", "--iterations", 5, code=2)
    assert "takes a whole number from 1 on, or all" in refused(folder / "model.json", "--iterations", 0, code=2)
    diff.joblib.dump(Ridge().fit(x, noisy), folder / "ridge.pkl")
    assert "none in this file" in refused(folder / "ridge.pkl", "--iterations", 1, code=2)
    fit(xgboost.XGBRegressor(booster="gblinear"), x, noisy).save_model(folder / "linear.json")
    assert "none in this file" in refused(folder / "linear.json", "--iterations", 1, code=2)
    both = VotingRegressor([("a", model), ("b", lightgbm.LGBMRegressor(n_estimators=3, verbose=-1))]).fit(x, noisy)
    diff.joblib.dump(both, folder / "both.pkl")
    wanted = np.mean([both.estimators_[0].predict(x, iteration_range=(0, 2)),
                      both.estimators_[1].predict(x, num_iteration=2)], axis=0)
    agrees(folder / "both.pkl", folder / "rows.npy", wanted, "--iterations", 2, bits=False)


# ---- Which classes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("several", [False, True])
def test_files_tell_classes(data, several):
    """Kind: a booster's file of a classification gives probabilities, and inspect names task and objective."""
    folder, x, noisy = data
    rows = folder / "rows.npy"
    y = np.digitize(noisy, [-1, 1]) if several else (noisy > 0).astype(int)
    more = {"num_class": 3} if several else {}
    xgb = xgboost.train({"objective": "multi:softprob" if several else "binary:logistic", **more},
                        xgboost.DMatrix(x, y), 3)
    lgb = lightgbm.train({"objective": "multiclass" if several else "binary", "verbose": -1, **more},
                         lightgbm.Dataset(x, y), 3)
    cat = catboost.CatBoostClassifier(**QUIET).fit(x, y)
    xgb.save_model(folder / "model.ubj")
    lgb.save_model(folder / "model.txt")
    cat.save_model(folder / "model.cbm")
    objectives = ("multi:softprob", "multiclass", "MultiClass") if several else ("binary:logistic", "binary", "Logloss")
    results = [xgb.predict(xgboost.DMatrix(x)), lgb.predict(x), cat.predict_proba(x)]
    for name, objective, wanted in zip(("model.ubj", "model.txt", "model.cbm"), objectives, results):
        if wanted.ndim == 1:
            wanted = np.column_stack([1 - wanted, wanted])
        header, got = table(folder / name, rows, "--method", "predict_proba")
        assert header == [f"probability_{k}" for k in range(wanted.shape[1])]
        assert np.allclose(got.astype(float), wanted, rtol=1e-6, atol=1e-7)
        beside, _ = table(folder / name, rows, "--proba")
        assert beside[-wanted.shape[1]:] == header and "prediction" in beside[0]
        said, facts = detail(folder / name)
        assert facts["kind"] == "classifier" and objective in said and f"{wanted.shape[1]} classes" in said


def class_files(folder, x, noisy, several):
    """Own files of the three libraries for two or three classes, each with the class and the scores of its classes."""
    y = np.digitize(noisy, [-1, 1]) if several else (noisy > 0).astype(int)
    more = {"num_class": 3} if several else {}
    made = {}
    for objective in ("multi:softprob", "multi:softmax") if several else ("binary:logistic", "binary:hinge",
        "binary:logitraw"):
        booster = xgboost.train({"objective": objective, **more}, xgboost.DMatrix(x, y), 4)
        score = booster.predict(xgboost.DMatrix(x), output_margin=True)
        for form in ("json", "ubj"):
            path = folder / f"{objective.replace(':', '_')}.{form}"
            booster.save_model(path)
            made[path] = (score.argmax(axis=1) if several else (score > 0).astype(int)), score
    for objective in ("multiclass", "multiclassova") if several else ("binary",):
        booster = lightgbm.train({"objective": objective, "verbose": -1, **more}, lightgbm.Dataset(x, y), 4)
        booster.save_model(folder / f"{objective}.txt")
        score = booster.predict(x)
        made[folder / f"{objective}.txt"] = (score.argmax(axis=1) if several else (score > 0.5).astype(int)), score
    cat = catboost.CatBoostClassifier(**QUIET).fit(x, y)
    cat.save_model(str(folder / "cat.cbm"))
    made[folder / "cat.cbm"] = cat.predict(x).reshape(-1), cat.predict_proba(x)[:, 1]
    raw = catboost.CatBoost({"loss_function": "MultiClass" if several else "Logloss", **QUIET}).fit(x, y)
    diff.joblib.dump(raw, folder / "cat.pkl")
    made[folder / "cat.pkl"] = raw.predict(x, prediction_type="Class").reshape(-1).astype(int), raw.predict(x)
    return y, made


@pytest.mark.parametrize("several", [False, True])
def test_targets_of_files_are_compared_by_class(data, several):
    """Kind: an error of probabilities where the objective has classes, or no answer at all for three of them."""
    folder, x, noisy = data
    y, made = class_files(folder, x, noisy, several)
    pd.DataFrame(x).assign(y=y).to_csv(folder / "rows.csv", index=False)
    for path, (wanted, score) in made.items():
        process = ftl.run("check", path, folder / "rows.csv", "--json", "--target", "y")
        assert process.returncode == 0, (path, process.stderr)
        target = json.loads(process.stdout)["target"]
        assert target["accuracy"] == pytest.approx((wanted == y).mean()) and "rmse" not in target, path
        if not several and not path.name.startswith(("binary_hinge", "binary_logitraw")):
            assert target["auc"] == pytest.approx(roc_auc_score(y, score)), path


@pytest.mark.parametrize("several", [False, True])
def test_labels_make_classes_of_files(data, several):
    """Kind: names for the columns of probabilities, and a probability or a number beside them."""
    folder, x, noisy = data
    _, made = class_files(folder, x, noisy, several)
    names = np.array(["no", "perhaps", "yes"] if several else ["no", "yes"])
    (folder / "names.pkl").write_bytes(pickle.dumps(list(names)))
    for path, (wanted, _) in made.items():
        header, got = table(path, folder / "rows.npy", "--labels", folder / "names.pkl")
        assert header == ["prediction"] and list(got[:, 0]) == list(names[wanted]), path
        assert detail(path, "--labels", folder / "names.pkl")[1]["classes"] == [list(names)]
        if "hinge" not in path.name and "logitraw" not in path.name:
            header, got = table(path, folder / "rows.npy", "--labels", folder / "names.pkl", "--proba")
            assert header[1:] == [f"probability_{name}" for name in names]
            assert list(got[:, 0]) == list(names[wanted])


def test_labels_beside_a_booster(data):
    """Kind: the same, found in the file; names that do not fit change nothing."""
    folder, x, noisy = data
    y = (noisy > 0).astype(int)
    for booster in (xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(x, y), 4),
                    lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(x, y), 4)):
        values = booster.predict(xgboost.DMatrix(x) if isinstance(booster, xgboost.Booster) else x)
        for names in (["no", "yes"], ["a", "b", "c"]):
            model = {"model": booster, "encoder": LabelEncoder().fit(names)}
            (folder / "model.pkl").write_bytes(pickle.dumps(model))
            if len(names) == 2:
                _, got = table(folder / "model.pkl", folder / "rows.npy")
                assert list(got[:, 0]) == list(np.array(names)[(values > 0.5).astype(int)])
            else:
                agrees(folder / "model.pkl", folder / "rows.npy", values, bits=False)


def test_wrappers_in_a_model_asked_for_classes(data):
    """Kind: a LightGBM wrapper whose booster answers in classes where the wrapper wants its scores."""
    folder, x, noisy = data
    y = (noisy > 0).astype(int)
    (folder / "names.pkl").write_bytes(pickle.dumps(["no", "yes"]))
    model = lightgbm.LGBMClassifier(n_estimators=4, verbose=-1).fit(x, y)
    diff.joblib.dump(model, folder / "model.pkl")
    _, got = table(folder / "model.pkl", folder / "rows.npy", "--proba", "--labels", folder / "names.pkl")
    assert list(got[:, 0]) == list(np.array(["no", "yes"])[model.predict(x)])
    assert np.allclose(got[:, 1:].astype(float), model.predict_proba(x), rtol=1e-12)
    odd = lightgbm.LGBMRegressor(n_estimators=4, objective="binary", verbose=-1).fit(x, y)
    diff.joblib.dump(odd, folder / "odd.pkl")
    pd.DataFrame(x).assign(y=y).to_csv(folder / "rows.csv", index=False)
    target = json.loads(ftl.run("check", folder / "odd.pkl", folder / "rows.csv", "--json", "--target",
                                "y").stdout)["target"]
    assert target["rmse"] == pytest.approx(np.sqrt(((odd.predict(x) - y) ** 2).mean()))


def test_numbers_of_files_stay_numbers(data):
    """Kind: the objective says what predict is; a probability that was the target is a number."""
    folder, x, noisy = data
    y = 1 / (1 + np.exp(-noisy))
    xgboost.train({"objective": "reg:logistic"}, xgboost.DMatrix(x, y), 4).save_model(folder / "a.json")
    lightgbm.train({"objective": "cross_entropy", "verbose": -1}, lightgbm.Dataset(x, y), 4).save_model(folder / "b.txt")
    pd.DataFrame(x).assign(y=y).to_csv(folder / "rows.csv", index=False)
    (folder / "names.pkl").write_bytes(pickle.dumps(["no", "yes"]))
    for name in ("a.json", "b.txt"):
        process = ftl.run("check", folder / name, folder / "rows.csv", "--json", "--target", "y")
        assert "rmse" in json.loads(process.stdout)["target"]
        assert "predicts no classes" in refused(folder / name, "--labels", folder / "names.pkl", code=2)


def test_files_of_regressions_say_what_predict_is(data):
    """Kind: --proba of a model without classes."""
    folder, x, noisy = data
    xgboost.train({"objective": "reg:squarederror"}, xgboost.DMatrix(x, noisy), 2).save_model(folder / "model.json")
    lightgbm.train({"objective": "poisson", "verbose": -1}, lightgbm.Dataset(x, noisy**2),
                   2).save_model(folder / "model.txt")
    catboost.CatBoostRegressor(**QUIET).fit(x, noisy).save_model(str(folder / "model.cbm"))
    for name, objective in (("model.json", "reg:squarederror"), ("model.txt", "poisson"), ("model.cbm", "RMSE")):
        said, facts = detail(folder / name)
        assert facts["kind"] == "regressor" and objective in said
        assert "it is a regressor, predict is its value" in refused(folder / name, "--proba", code=2,
                                                                    rows=folder / "rows.npy")


LOSSES = ["Logloss", "CrossEntropy", "Focal:focal_alpha=0.3;focal_gamma=2", "MultiClass", "MultiClassOneVsAll",
          "MultiLogloss", "MultiCrossEntropy"]
VALUES = ["RMSE", "MAE", "Quantile:alpha=0.7", "MultiQuantile:alpha=0.1,0.5", "LogLinQuantile:alpha=0.3", "Lq:q=3",
          "Huber:delta=1", "Expectile:alpha=0.2", "Tweedie:variance_power=1.5", "LogCosh", "Poisson",
          "RMSEWithUncertainty", "MultiRMSE", "Cox"]


@pytest.mark.parametrize("loss", LOSSES + VALUES)
def test_links_of_catboost_losses(data, loss):
    """Kind: what each loss makes of raw scores, from the file as from the pickle."""
    folder, x, noisy = data
    y = (noisy > 0).astype(int)
    if loss in ("MultiClass", "MultiClassOneVsAll"):
        y = np.digitize(noisy, [-1, 1])
    elif loss in ("MultiLogloss", "MultiCrossEntropy"):
        y = np.column_stack([y, x[:, 1] > 0]).astype(int)
    elif loss == "MultiRMSE":
        y = np.column_stack([noisy, x[:, 1]])
    elif loss in VALUES:
        y = np.abs(noisy) + 0.1
    kind = catboost.CatBoostClassifier if loss in LOSSES else catboost.CatBoostRegressor
    model = kind(loss_function=loss, **QUIET).fit(x, y)
    model.save_model(str(folder / "model.cbm"))
    diff.joblib.dump(model, folder / "model.pkl")
    for path in (folder / "model.cbm", folder / "model.pkl"):
        agrees(path, folder / "rows.npy", model.predict(x), bits=False)
        agrees(path, folder / "rows.npy", model.predict(x, prediction_type="RawFormulaVal"), "--method", "margin")
        if loss in LOSSES:
            agrees(path, folder / "rows.npy", model.predict_proba(x), "--method", "predict_proba", bits=False)


# ---- Whose categories ------------------------------------------------------------------------------------------------


def bool_table(rng, kind, rows=300):
    truth = rng.random(rows) < 0.4
    third = rng.random(rows) < 0.2
    column = {"bool": truth, "object": truth.astype(object), "text": np.where(truth, "True", "False"),
              "lower": np.where(truth, "true", "false"),
              "three": np.where(third, "unknown", np.where(truth, "True", "False")),
              "digits": truth.astype(int)}[kind]
    x = pd.DataFrame({"member": column, "city": rng.choice(list("uvwxyz"), rows), "z": rng.normal(size=rows)})
    return x, truth * 2.0 + (x["city"] == "u") + x["z"]


@pytest.mark.parametrize("kind", ["bool", "object", "text", "lower", "three", "digits"])
@pytest.mark.parametrize("one_hot", [10, 1])
@pytest.mark.parametrize("pairs", [1, 2])
def test_bools_among_catboost_categories(tmp_path, kind, one_hot, pairs):
    """Kind: CatBoost takes True for the category "1", who trained on texts has "True": the model's hashes tell."""
    x, y = bool_table(np.random.default_rng(5), kind)
    model = catboost.CatBoostRegressor(cat_features=["member", "city"], one_hot_max_size=one_hot, max_ctr_complexity=pairs,
                                       **dict(QUIET, iterations=20)).fit(x, y)
    model.save_model(str(tmp_path / "model.cbm"))
    x.head(40).to_csv(tmp_path / "rows.csv", index=False)
    agrees(tmp_path / "model.cbm", tmp_path / "rows.csv", model.predict(x.head(40)))


def garbled(names):
    """The bytes and offsets of category names as XGBoost 3.1 to 3.3 write those of a data frame."""
    ends = np.cumsum([0] + [len(name) for name in names])
    return list("".join(names).encode()[:ends[-1]]), ends.tolist()


def whole(names):
    encoded = [name.encode() for name in names]
    return list(b"".join(encoded)), np.cumsum([0] + [len(name) for name in encoded]).tolist()


@pytest.mark.parametrize("names", [["éa", "b"], ["éa"], ["a", "日本", "日"], ["x", "ÿ"]])
def test_categories_that_xgboost_cut(tmp_path, names):
    """Kind: 3.1 to 3.3 counted characters for bytes. What they saved is never matched; what 3.4 saved is."""
    rng = np.random.default_rng(3)
    plain = [f"c{i}" for i in range(len(names))]
    x = pd.DataFrame({"c": pd.Categorical(rng.choice(plain, 200), categories=plain), "z": rng.normal(size=200)})
    model = fit(xgboost.XGBRegressor(n_estimators=3, enable_categorical=True), x, x["c"].cat.codes + x["z"])
    model.save_model(tmp_path / "model.json")
    content = json.loads((tmp_path / "model.json").read_text())
    trees = content["learner"]["gradient_booster"]["model"]
    for version, make in (([3, 1, 0], garbled), ([3, 3, 0], garbled), ([3, 1, 0], whole), ([3, 4, 0], whole)):
        values, offsets = make(names)
        trees["cats"]["enc"][0]["values"] = values
        trees["cats"]["enc"][0]["offsets"] = offsets
        content["version"] = version
        (tmp_path / "other.json").write_text(json.dumps(content))
        rows = pd.DataFrame({"c": np.array(names)[x["c"].cat.codes], "z": x["z"]})
        rows.to_csv(tmp_path / "rows.csv", index=False)
        if version == [3, 4, 0]:
            agrees(tmp_path / "other.json", tmp_path / "rows.csv", model.predict(x))
        else:
            assert "3.1 to 3.3" in refused(tmp_path / "other.json", rows=tmp_path / "rows.csv")


# ---- What nobody knows -----------------------------------------------------------------------------------------------


def at(content, path):
    for key in path:
        content = content[key]
    return content


PLACES = {"a tree": ("gradient_booster", "model", "trees", 1),
          "tree_param": ("gradient_booster", "model", "trees", 0, "tree_param"),
          "gbtree_model_param": ("gradient_booster", "model", "gbtree_model_param"),
          "the booster": ("gradient_booster", "model"),
          "learner_model_param": ("learner_model_param",), "the objective": ("objective",), "the learner": (),
          "cats": ("gradient_booster", "model", "cats"),
          "a column's categories": ("gradient_booster", "model", "cats", "enc", 0)}


@pytest.mark.parametrize("place", sorted(PLACES))
def test_unknown_fields_of_xgboost(tmp_path, place):
    """Kind: a field of a newer version, left out without a word, that changes the answer. Attributes are anyone's."""
    rng = np.random.default_rng(3)
    x = pd.DataFrame({"c": pd.Categorical(rng.choice(list("ab"), 100)), "z": rng.normal(size=100)})
    model = xgboost.train({}, xgboost.DMatrix(x, x["z"] + x["c"].cat.codes, enable_categorical=True), 3)
    model.set_attr(anything="x")
    model.save_model(tmp_path / "model.json")
    assert ftl.run("inspect", tmp_path / "model.json").returncode == 0
    content = json.loads((tmp_path / "model.json").read_text())
    at(content["learner"], PLACES[place])["leaf_\n scale"] = [2.0]
    (tmp_path / "model.json").write_text(json.dumps(content))
    message = refused(tmp_path / "model.json")
    assert "UNSUPPORTED" in message and f"{place} of the XGBoost model has the field 'leaf_" in message


def test_unknown_fields_of_xgboost_in_ubjson(data):
    """Kind: the same in the other form, by a name of the same length."""
    folder, x, noisy = data
    xgboost.train({}, xgboost.DMatrix(x, noisy), 2).save_model(folder / "model.ubj")
    content = (folder / "model.ubj").read_bytes()
    assert b"sum_hessian" in content
    (folder / "model.ubj").write_bytes(content.replace(b"sum_hessian", b"sun_hessian", 1))
    assert "a tree of the XGBoost model has the field 'sun_hessian'" in refused(folder / "model.ubj")


@pytest.mark.parametrize("before, line", [("leaf_weight=", "leaf_scale=2"), ("leaf_weight=", "negated"),
                                          ("objective=", "offset=3"), ("objective=", "average_outputs")])
def test_unknown_lines_of_lightgbm(data, before, line):
    folder, x, noisy = data
    lightgbm.train({"verbose": -1}, lightgbm.Dataset(x, noisy), 2).save_model(folder / "model.txt")
    text = (folder / "model.txt").read_text().replace(before, f"{line}\n{before}", 1)
    (folder / "model.txt").write_text(text)
    where = "a tree" if before == "leaf_weight=" else "the head"
    assert f"{where} of the LightGBM model has the line '{line.split('=')[0]}'" in refused(folder / "model.txt")


def number_at(data, place, size=4, signed=False):
    return int.from_bytes(data[place:place + size], "little", signed=signed)


@pytest.mark.parametrize("present", [True, False])
def test_unknown_fields_of_catboost(data, present):
    """Kind: the same in FlatBuffers, whose layouts grow at their ends; room for a field is no field."""
    folder, x, noisy = data
    model = catboost.CatBoostRegressor(**QUIET).fit(x, noisy)
    model.save_model(str(folder / "model.cbm"))
    whole = (folder / "model.cbm").read_bytes()
    core = bytearray(whole[8:8 + number_at(whole, 4)])
    root = number_at(core, 0)
    child = root + number_at(core, root - number_at(core, root, signed=True) + 6, 2)
    trees = child + number_at(core, child)
    layout = trees - number_at(core, trees, signed=True)
    fields = bytes(core[layout + 4:layout + number_at(core, layout, 2)]).ljust(2 * 19, b"\0")
    place = len(core)
    core += (4 + 2 * 20).to_bytes(2, "little") + core[layout + 2:layout + 4] + fields + bytes([4 if present else 0, 0])
    core[trees:trees + 4] = (trees - place).to_bytes(4, "little", signed=True)
    (folder / "other.cbm").write_bytes(whole[:4] + len(core).to_bytes(4, "little") + core + whole[8 + number_at(whole, 4):])
    if present:
        assert "number 19 of the trees" in refused(folder / "other.cbm")
    else:
        agrees(folder / "other.cbm", folder / "rows.npy", model.predict(x))


# ---- In which precision ----------------------------------------------------------------------------------------------


BOOSTERS = {"xgboost": lambda: xgboost.XGBRegressor(n_estimators=4),
            "lightgbm": lambda: lightgbm.LGBMRegressor(n_estimators=4, verbose=-1),
            "catboost": lambda: catboost.CatBoostRegressor(**QUIET)}


@pytest.mark.parametrize("first", sorted(BOOSTERS))
@pytest.mark.parametrize("second", ["linear"] + sorted(BOOSTERS))
def test_no_booster_rounds_for_its_neighbours(tmp_path, first, second):
    """Kind: one library's float32 rows are not handed to another: columns of 1.7e9 lose all that is in them."""
    rng = np.random.default_rng(8)
    x = pd.DataFrame({"x": rng.normal(size=200), "big": 1.7e9 + rng.integers(0, 500, 200)})
    y = x["x"] + (x["big"] - 1.7e9) * 0.01

    def columns(step):
        return ColumnTransformer([("n", step, ["x", "big"])])
    other = Ridge() if second == "linear" else BOOSTERS[second]()
    model = StackingRegressor([("a", make_pipeline(columns("passthrough"), BOOSTERS[first]())),
                               ("b", make_pipeline(columns(StandardScaler()), other))], cv=2).fit(x, y)
    diff.compare(model, x, methods=["transform"])
    diff.joblib.dump(model, tmp_path / "model.pkl")
    x.to_csv(tmp_path / "rows.csv", index=False)
    agrees(tmp_path / "model.pkl", tmp_path / "rows.csv", model.predict(x), bits=False)


# ---- Other libraries' names ------------------------------------------------------------------------------------------


def test_configuration_is_no_model(data):
    """Kind: XGBoost's save_config has the shape of a model without trees, which would be a constant."""
    folder, x, noisy = data
    for booster in ("gbtree", "dart", "gblinear"):
        model = xgboost.train({"booster": booster}, xgboost.DMatrix(x, noisy), 2)
        (folder / "model.json").write_text(model.save_config())
        assert "save_config" in refused(folder / "model.json")


def test_dumps_say_what_to_save(data):
    """Kind: what boosters write for people is named, with what to save instead."""
    folder, x, noisy = data
    xgb = xgboost.train({}, xgboost.DMatrix(x, noisy), 2)
    lgb = lightgbm.train({"verbose": -1}, lightgbm.Dataset(x, noisy), 2)
    cat = catboost.CatBoostRegressor(**QUIET).fit(x, noisy)
    xgb.dump_model(folder / "a.txt")
    xgb.dump_model(folder / "b.json", dump_format="json")
    (folder / "c.json").write_text(json.dumps(xgb.get_dump()))
    (folder / "d.json").write_text(json.dumps(lgb.dump_model()))
    cat.save_model(str(folder / "e.json"), format="json")
    cat.save_model(str(folder / "f.py"), format="python")
    (folder / "g.txt").write_text(xgb.get_dump()[0])
    (folder / "h.json").write_text(json.dumps(xgb.get_dump(dump_format="dot")))
    xgb.trees_to_dataframe().to_csv(folder / "i.csv")
    lgb.trees_to_dataframe().to_csv(folder / "j.csv", index=False)
    (folder / "k.dot").write_text(xgb.get_dump(dump_format="dot")[0])
    cat.save_model(str(folder / "l.mlmodel"), format="coreml")
    assert "the drawing of a tree (Graphviz)" in refused(folder / "k.dot")
    assert "a Core ML model" in refused(folder / "l.mlmodel")
    instead = {"a.txt": "model.json", "b.json": "model.json", "c.json": "model.json", "d.json": "model.txt",
               "e.json": "model.cbm", "f.py": "model.cbm", "g.txt": "model.json", "h.json": "model.json",
               "i.csv": "model.json", "j.csv": "model.txt"}
    for name, wanted in instead.items():
        message = refused(folder / name)
        assert "UNSUPPORTED" in message and f"save_model('{wanted}')" in message


def test_chains_of_labels_that_are_numbers(data):
    """Kind: ClassifierChain puts labels into an array of floats, texts of numbers, too."""
    folder, x, noisy = data
    y = np.column_stack([np.where(noisy > 0, "1", "0"), np.where(x[:, 1] > 0, "2.5", "-1")])
    model = ClassifierChain(LogisticRegression(), order=[1, 0]).fit(x, y)
    diff.joblib.dump(model, folder / "model.pkl")
    agrees(folder / "model.pkl", folder / "rows.npy", model.predict(x))
    names = ClassifierChain(LogisticRegression()).fit(x, np.where(y == "0", "none", y)[:, :1])
    diff.joblib.dump(names, folder / "names.pkl")
    assert "text" in refused(folder / "names.pkl", rows=folder / "rows.npy")


def test_isolation_forests_before_0_20(data):
    """Kind: decisions without an offset, outliers up to the threshold, no score_samples."""
    folder, x, _ = data
    model = IsolationForest(n_estimators=5, random_state=0).fit(x)
    scores = model.score_samples(x)
    threshold = float(np.sort(scores + 0.5)[20])
    del model.offset_
    model.threshold_ = threshold
    diff.joblib.dump(model, folder / "model.pkl")
    agrees(folder / "model.pkl", folder / "rows.npy", scores + 0.5, "--method", "decision_function", bits=False)
    _, got = table(folder / "model.pkl", folder / "rows.npy")
    assert abs(int((got == "-1").sum()) - 21) <= 1
    assert "has no score_samples" in refused(folder / "model.pkl", "--method", "score_samples", code=2,
                                             rows=folder / "rows.npy")


FOREST = """tree
version=v2
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=0
objective={objective}
average_output
feature_names=Column_0
feature_infos=[-1:1]
tree_sizes=1 1

{trees}
parameters:
end of parameters
"""
TREE = """Tree={number}
num_leaves=2
num_cat=0
split_feature=0
split_gain=1
threshold=0
decision_type=2
left_child=-1
right_child=-2
leaf_value={left!r} {right!r}
leaf_count=4 5
internal_value=0
internal_count=9
shrinkage=1

"""


@pytest.mark.parametrize("leaves, wanted", [
    ([(0.25, 0.8), (0.5, 1.0)], [0.375, 0.9]),             # means of labels: 2.2.0 to 2.2.2 average them
    ([(-0.5, 0.8), (0.5, 1.5)], [0.5, 1 / (1 + np.exp(-1.15))]),  # raw scores: 2.2.3 converts their average
    ([(0.3, 0.8), (0.5, 0.7)], None),                      # either: refused
])
def test_forests_of_lightgbm_2_2(tmp_path, leaves, wanted):
    """Kind: the same keys, other leaves. Means of labels, times their count, are whole numbers."""
    trees = "".join(TREE.format(number=i, left=left, right=right) for i, (left, right) in enumerate(leaves))
    (tmp_path / "model.txt").write_text(FOREST.format(objective="binary sigmoid:1", trees=trees))
    np.save(tmp_path / "rows.npy", np.array([[-1.0], [1.0]]))
    if wanted is None:
        assert "2.2.2 or 2.2.3" in refused(tmp_path / "model.txt", rows=tmp_path / "rows.npy")
    else:
        agrees(tmp_path / "model.txt", tmp_path / "rows.npy", np.array(wanted), bits=False)


def renamed(path, out, *pairs):
    """A pickle of protocol 0, whose names are text, with other names."""
    content = path.read_bytes()
    for old, new in pairs:
        assert old in content
        content = content.replace(old, new)
    out.write_bytes(content)


def test_names_of_numpy_1_16_0(data):
    """Kind: sound files called corrupt: 1.16.0 pickles arrays and scalars by another module's name."""
    folder, x, noisy = data
    model = Ridge().fit(x, noisy)
    model.intercept_ = np.float64(model.intercept_)
    (folder / "new.pkl").write_bytes(pickle.dumps(model, protocol=0))
    module = b"numpy._core.multiarray" if b"numpy._core.multiarray" in (folder / "new.pkl").read_bytes() else \
        b"numpy.core.multiarray"
    renamed(folder / "new.pkl", folder / "old.pkl", (module, b"numpy.core._multiarray_umath"))
    agrees(folder / "old.pkl", folder / "rows.npy", model.predict(x), bits=False)


def test_trees_of_neighbours_before_0_20(data):
    """Kind: the same: before 0.20 pickles call a KDTree and a BallTree BinaryTree, in modules of their own."""
    folder, x, noisy = data
    for algorithm in ("kd_tree", "ball_tree"):
        model = KNeighborsRegressor(3, algorithm=algorithm).fit(x, noisy)
        (folder / "new.pkl").write_bytes(pickle.dumps(model, protocol=0))
        name = type(model._tree).__name__
        renamed(folder / "new.pkl", folder / "old.pkl", (
            f"sklearn.neighbors._{algorithm}\n{name}\n".encode(), f"sklearn.neighbors.{algorithm}\nBinaryTree\n".encode()))
        agrees(folder / "old.pkl", folder / "rows.npy", model.predict(x), bits=False)


def test_one_class_machines_before_0_20(data):
    """Kind: the same: decisions without an offset of their own, and no score_samples."""
    folder, x, _ = data
    model = OneClassSVM(nu=0.2).fit(x)
    wanted = model.decision_function(x)
    del model.offset_
    diff.joblib.dump(model, folder / "model.pkl")
    agrees(folder / "model.pkl", folder / "rows.npy", wanted, "--method", "decision_function", bits=False)
    assert "has no score_samples" in refused(folder / "model.pkl", "--method", "score_samples", code=2,
                                             rows=folder / "rows.npy")


def test_versions_that_are_too_old(data):
    """Kind: a version older than those that were tried is refused as that."""
    folder, x, noisy = data
    (folder / "new.pkl").write_bytes(pickle.dumps(Ridge().fit(x, noisy), protocol=0))
    version = sklearn.__version__.encode()
    renamed(folder / "new.pkl", folder / "old.pkl", (b"V" + version + b"\n", b"V0.17.1\n"))
    message = refused(folder / "old.pkl")
    assert "UNSUPPORTED" in message and "scikit-learn 0.17, which is too old" in message


# ---- Versions before the proved ones ----


def test_early_stopping_of_old_wrappers(tmp_path):
    """XGBoost 0.72 used all rounds where 0.80 stops at the best one; nothing in the file tells these two apart."""
    data = (golden.unpacked("xgboost-0.90") / "models/early_several.joblib").read_bytes()
    model = tmp_path / "model.joblib"
    model.write_bytes(data.replace(b"importance_type", b"importance_typo"))
    refused = ftl.run("inspect", model)
    assert "early stopping of XGBoost before 0.82" in refused.stdout + refused.stderr
    assert "early stopping of XGBoost before 0.82" not in ftl.run("inspect", model, "--iterations", "all").stdout


def test_exponents_of_old_catboost(data):
    """CatBoost 0.16 predicted the raw score of Poisson; builds of 0.25 and before tell themselves by their revision."""
    folder, x, noisy = data
    model = catboost.CatBoostRegressor(loss_function="Poisson", **QUIET).fit(x, np.exp(noisy / 4))
    model.save_model(str(folder / "new.cbm"))
    whole = (folder / "new.cbm").read_bytes()
    at = whole.index(b"tags/v")
    old = b"heads\nLast Changed Rev: 5465632\n"
    (folder / "old.cbm").write_bytes(whole[:at] + old + whole[at + len(old):])
    agrees(folder / "new.cbm", folder / "rows.npy", model.predict(x), bits=False)
    refused = ftl.run("predict", folder / "old.cbm", folder / "rows.npy")
    assert refused.returncode == 3 and "written by CatBoost 0.25 or earlier, which is too old" in refused.stderr
