"""check as a report: what is missing, what is unknown, what nearly fits, how good the predictions are.

The kinds: categories of another spelling that a model takes for unknown without a word; headers that differ in case or
spaces; problems behind the first rows of a table.
"""

import json

import ftl
import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, root_mean_squared_error, roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

RNG = np.random.default_rng(3)
N = 200
FRAME = pd.DataFrame({"Age": RNG.normal(30, 10, N).round(1), "Sex": RNG.choice(["male", "female"], N),
                      "Port": RNG.choice(["C", "Q", "S"], N), "Class": RNG.integers(1, 4, N)})
TRUE = ((FRAME.Age > 30) ^ (FRAME.Sex == "male") ^ (RNG.random(N) < 0.2)).map({True: "yes", False: "no"})
PREP = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), ["Age"]),
    (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), ["Sex", "Port"]),
    (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["Class"]))
MODEL = make_pipeline(PREP, LogisticRegression()).fit(FRAME, TRUE)


def report(done):
    return json.loads(done.stdout)


def columns(done):
    return {column["name"]: column for column in report(done)["columns"]}


def test_missing_and_unknown(save):
    """Every row counts, those behind the first thousand too."""
    frame = pd.concat([FRAME] * 30, ignore_index=True)
    frame.loc[5900:5949, "Age"] = np.nan
    frame.loc[5950:, "Port"] = "Southampton"
    frame.loc[10:12, "Port"] = np.nan
    done = ftl.run("check", save(MODEL), save(frame, "rows.csv"), "--json")
    assert done.returncode == 0, done.stderr
    found = columns(done)
    assert report(done)["rows"] == 6000 and report(done)["all_rows"] and report(done)["would_run"]
    assert found["Age"] == {"name": "Age", "index": 0, "missing": 50}
    assert found["Port"] == {"name": "Port", "index": 2, "missing": 3, "unknown": 50, "example": "Southampton"}
    assert found["Sex"]["unknown"] == found["Class"]["unknown"] == 0
    assert report(done)["warnings"] == []
    shown = ftl.run("check", save(MODEL), save(frame, "rows.csv")).stdout
    assert "6000 rows read, 0 refused" in shown
    assert "such as 'Southampton'; the model knows C, Q, S" in shown
    assert "result  it would run" in shown
    done = ftl.run("check", save(MODEL), save(frame, "rows.csv"), "--json", "--limit", "100")
    assert report(done)["rows"] == 100 and not report(done)["all_rows"]
    shown = ftl.run("check", save(MODEL), save(frame, "rows.csv"), "--limit", "100").stdout
    assert "100 rows read, not all of them" in shown


def test_a_column_of_nothing_known(save, tmp_path):
    """In predict, too: such a table is another one than the model was trained on."""
    rows = save(FRAME.assign(Sex=FRAME.Sex.str.upper()), "rows.csv")
    for threads in ("1", "2"):
        done = ftl.run("predict", save(MODEL), rows, "-o", tmp_path / "out.csv", "--threads", threads)
        assert done.returncode == 0
        warnings = [line for line in done.stderr.split("\n") if "warning" in line]
        assert len(warnings) == 1
        assert "no value of column 'Sex' is one that the model knows" in warnings[0]
        assert "it knows female, male" in warnings[0]
    done = ftl.run("check", save(MODEL), rows, "--json")
    assert len(report(done)["warnings"]) == 1 and "'Sex'" in report(done)["warnings"][0]
    # one known cell among many is enough
    mixed = FRAME.assign(Sex=FRAME.Sex.str.upper())
    mixed.loc[N - 1, "Sex"] = "male"
    assert "warning" not in ftl.run("predict", save(MODEL), save(mixed, "rows.csv")).stderr
    # a column without any cell is missing, not unknown
    empty = FRAME.assign(Sex=np.nan)
    assert "warning" not in ftl.run("predict", save(MODEL), save(empty, "rows.csv")).stderr


def test_numbers_as_categories(save):
    """1.0 is the category 1; 4 is none."""
    rows = save(FRAME.assign(Class=FRAME.Class.astype(float)), "rows.csv")
    assert columns(ftl.run("check", save(MODEL), rows, "--json"))["Class"]["unknown"] == 0
    rows = save(FRAME.assign(Class=FRAME.Class + 3), "rows.csv")
    done = ftl.run("check", save(MODEL), rows, "--json")
    assert columns(done)["Class"]["unknown"] == N
    assert "'Class'" in report(done)["warnings"][0]


def test_refused_categories(save):
    """Where the model refuses unknown categories the rows are refused, wherever they are."""
    model = make_pipeline(make_column_transformer((OneHotEncoder(), ["Port"])), LogisticRegression()).fit(FRAME, TRUE)
    frame = pd.concat([FRAME] * 10, ignore_index=True)
    frame.loc[1990:, "Port"] = "X"
    done = ftl.run("check", save(model), save(frame, "rows.csv"))
    assert done.returncode == 4 and "10 refused" in done.stdout and "line 1992" in done.stdout
    done = ftl.run("check", save(model), save(frame, "rows.csv"), "--json")
    assert done.returncode == 4 and report(done)["refused"] == 10 and not report(done)["would_run"]
    assert columns(done)["Port"]["unknown"] == 10 and "line 1992" in report(done)["error"]


def test_names_that_nearly_fit(save):
    rows = save(FRAME.rename(columns={"Age": "Age ", "Sex": "sex", "Port": "PORT_", "Class": "Pclass"}), "rows.csv")
    done = ftl.run("check", save(MODEL), rows)
    assert done.returncode == 4
    for line in ("missing 'Age', but there is 'Age '", "missing 'Sex', but there is 'sex'",
                 "missing 'Port', but there is 'PORT_'", "missing 'Class', but there is 'Pclass'", "result  it would not run"):
        assert line in done.stdout
    done = ftl.run("check", save(MODEL), rows, "--json")
    near = {column["name"]: column["near"] for column in report(done)["missing_columns"]}
    assert near["Age"] == "Age " and near["Sex"] == "sex" and near["Port"] == "PORT_"
    assert "4 columns of the model are missing" in report(done)["error"]


def test_target_of_classes(save):
    rows = save(FRAME.assign(Survived=TRUE, id=range(N)), "rows.csv")
    predicted, proba = MODEL.predict(FRAME), MODEL.predict_proba(FRAME)[:, 1]
    for more in ([], ["--keep", "id"], ["--keep", "Survived,id"], ["--proba"]):
        done = ftl.run("check", save(MODEL), rows, "--json", "--target", "Survived", *more)
        assert done.returncode == 0, done.stderr
        target = report(done)["target"]
        assert target["rows"] == N and target["missing"] == target["strange"] == 0
        assert target["accuracy"] == pytest.approx(accuracy_score(TRUE, predicted))
        assert target["auc"] == pytest.approx(roc_auc_score(TRUE == "yes", proba))
    shown = ftl.run("check", save(MODEL), rows, "--target", "Survived").stdout
    assert f"accuracy {accuracy_score(TRUE, predicted):.6g}" in shown and "AUC " in shown


def test_target_of_numbers_and_ties(save):
    """Class numbers, as ints, floats or bools; equal scores count half."""
    frame = FRAME[["Age", "Class"]].round(-1)
    model = LogisticRegression().fit(frame, TRUE == "yes")
    for truth in ((TRUE == "yes").astype(int), (TRUE == "yes").astype(float), TRUE == "yes"):
        rows = save(frame.assign(y=truth), "rows.csv")
        target = report(ftl.run("check", save(model), rows, "--json", "--target", "y"))["target"]
        assert target["accuracy"] == pytest.approx(model.score(frame, TRUE == "yes"))
        assert target["auc"] == pytest.approx(roc_auc_score(TRUE == "yes", model.predict_proba(frame)[:, 1]))


def test_target_of_three_classes(save):
    model = make_pipeline(PREP, LogisticRegression()).fit(FRAME, FRAME.Port)
    rows = save(FRAME.assign(y=FRAME.Port), "rows.csv")
    target = report(ftl.run("check", save(model), rows, "--json", "--target", "y"))["target"]
    assert target["accuracy"] == pytest.approx(model.score(FRAME, FRAME.Port)) and "auc" not in target


def test_target_of_a_regressor(save):
    model = make_pipeline(PREP, LinearRegression()).fit(FRAME, FRAME.Age * 2)
    truth = FRAME.Age * 2 + RNG.normal(0, 1, N)
    truth[3] = np.nan
    rows = save(FRAME.assign(price=truth), "rows.csv")
    target = report(ftl.run("check", save(model), rows, "--json", "--target", "price"))["target"]
    expected = root_mean_squared_error(truth.drop(3), model.predict(FRAME.drop(3)))
    assert target["rmse"] == pytest.approx(expected, rel=1e-9) and target["missing"] == 1 and target["rows"] == N - 1


def test_target_that_fits_no_class(save):
    """Names where the model predicts numbers are said to be so, not silently wrong."""
    model = make_pipeline(PREP, LogisticRegression()).fit(FRAME, (TRUE == "yes").astype(int))
    rows = save(FRAME.assign(y=TRUE), "rows.csv")
    target = report(ftl.run("check", save(model), rows, "--json", "--target", "y"))["target"]
    assert target["strange"] == N and target["accuracy"] == 0
    shown = ftl.run("check", save(model), rows, "--target", "y", "--labels", save(["no", "yes"], "labels.pkl")).stdout
    assert f"accuracy {accuracy_score(TRUE == 'yes', model.predict(FRAME)):.6g}" in shown


def test_target_of_an_outlier_detector(save):
    numbers = FRAME[["Age", "Class"]].fillna(0.0)
    model = IsolationForest(n_estimators=10, random_state=0).fit(numbers)
    truth = np.where(RNG.random(N) < 0.5, 1, -1)
    target = report(ftl.run("check", save(model), save(numbers.assign(y=truth), "rows.csv"), "--json", "--target", "y"))["target"]
    assert target["accuracy"] == pytest.approx(accuracy_score(truth, model.predict(numbers))) and "rmse" not in target


def test_target_of_a_clusterer(save):
    numbers = FRAME[["Age", "Class"]].fillna(0.0)
    model = KMeans(2, n_init=1, random_state=0).fit(numbers)
    done = ftl.run("check", save(model), save(numbers.assign(y=0), "rows.csv"), "--target", "y")
    assert done.returncode == 2 and "numbers of clusters" in done.stderr


def test_target_that_is_nowhere(save):
    """Without one row that has it there is no accuracy, not one of 0."""
    rows = save(FRAME.assign(y=np.nan), "rows.csv")
    shown = ftl.run("check", save(MODEL), rows, "--target", "y").stdout
    assert f"{N} rows without it left out" in shown and "accuracy" not in shown
    assert report(ftl.run("check", save(MODEL), rows, "--json", "--target", "y"))["target"]["accuracy"] is None


def test_target_is_set_aside(save):
    """A model without names takes the other columns by position."""
    model = LinearRegression().fit(FRAME[["Age", "Class"]].to_numpy(), FRAME.Age)
    rows = save(FRAME[["Age", "Class"]].assign(y=FRAME.Age), "rows.csv")
    target = report(ftl.run("check", save(model), rows, "--json", "--target", "y"))["target"]
    assert target["rmse"] < 1e-9


@pytest.mark.parametrize("more, code", [(["--target", "nothing"], 4), (["--target", "y", "--method", "transform"], 2)])
def test_targets_that_cannot_be(save, more, code):
    model = MODEL if code == 4 else StandardScaler().fit(FRAME[["Age", "Class"]])
    assert ftl.run("check", save(model), save(FRAME, "rows.csv"), *more).returncode == code


def test_it_takes_the_options_of_predict(save, tmp_path):
    """The same command line with another word in front; nothing is written."""
    rows = save(FRAME.assign(id=1), "rows.csv")
    options = ["-o", tmp_path / "out.csv", "--proba", "--keep", "id", "--delimiter", ",", "--on-error", "skip", "--reject",
               tmp_path / "bad.csv", "--threads", "1", "--batch-size", "7", "-q", "--threshold", "0.3"]
    assert ftl.run("check", save(MODEL), rows, *options).returncode == 0
    assert not (tmp_path / "out.csv").exists() and not (tmp_path / "bad.csv").exists()
    assert ftl.run("predict", save(MODEL), rows, *options).returncode == 0


def test_format(save, tmp_path):
    rows = tmp_path / "rows.csv"
    FRAME.to_csv(rows, index=False, sep=";")
    assert report(ftl.run("check", save(MODEL), rows, "--json"))["delimiter"] == ";"
    assert "delimiter ';'" in ftl.run("check", save(MODEL), rows).stdout
    assert report(ftl.run("check", save(MODEL), rows, "--json"))["encoding"] == "UTF-8"
    for encoding, options in (("utf-16", []), ("latin-1", ["--encoding", "latin-1"])):
        FRAME.to_csv(rows, index=False, encoding=encoding)
        found = report(ftl.run("check", save(MODEL), rows, "--json", *options))["encoding"]
        assert found.lower() == encoding
        assert f", {found}, " in ftl.run("check", save(MODEL), rows, *options).stdout
    np.save(tmp_path / "rows.npy", FRAME[["Age", "Class"]].to_numpy())
    scaler = StandardScaler().fit(FRAME[["Age", "Class"]].to_numpy())
    done = ftl.run("check", save(scaler), tmp_path / "rows.npy", "--json")
    assert report(done)["format"] == ".npy" and report(done)["columns"][0]["missing"] == 0


def test_one_row(save):
    assert "1 row read, 0 refused" in ftl.run("check", save(MODEL), save(FRAME[:1], "rows.csv")).stdout


def target_of(model, rows, *more):
    done = ftl.run("check", model, rows, "--json", *more)
    assert done.returncode == 0, done.stdout + done.stderr
    return report(done)["target"]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_target_in_a_file_of_numbers(save, tmp_path, dtype):
    """The kind: targets that are no texts; NaN is a missing one."""
    x = FRAME[["Age", "Class"]].to_numpy()
    path = tmp_path / "rows.npy"
    for y in ((TRUE == "yes").astype(int), (TRUE == "yes").astype(float), TRUE == "yes", TRUE):
        model = LogisticRegression().fit(x, y)
        table = np.column_stack([x, (TRUE == "yes").astype(float)]).astype(dtype)
        table[5, 2] = np.nan
        np.save(path, table)
        target = target_of(save(model), path, "--target", "2")
        assert target["missing"] == 1 and target["rows"] == N - 1
        if y is TRUE:  # classes of texts are no numbers
            assert target["strange"] == N - 1 and target["accuracy"] == 0
            assert f"such as '{table[0, 2]}'" in ftl.run("check", save(model), path, "--target", "2").stdout
        else:
            predicted = model.predict(table[:, :2].astype(float)).astype(float)
            assert target["accuracy"] == pytest.approx(accuracy_score(np.delete(table[:, 2], 5), np.delete(predicted, 5)))
            assert target["auc"] > 0.5
    model = LinearRegression().fit(x, FRAME.Age * 2)
    table = np.column_stack([x, FRAME.Age * 2 + 3]).astype(dtype)
    table[7, 2] = np.nan
    np.save(path, table)
    target = target_of(save(model), path, "--target", "2")
    assert target["rmse"] == pytest.approx(3, rel=1e-5) and target["missing"] == 1 and target["rows"] == N - 1


@pytest.mark.parametrize("keep", [[], ["--keep", "2,3"], ["--keep", "*"], ["--keep", "column_2,3"], ["--keep", "3,2"]])
@pytest.mark.parametrize("target", ["2", "column_2"])
def test_target_by_position(save, tmp_path, keep, target):
    """The kind: a target that is kept as well is bound once, wherever it stands among those to keep."""
    model = LogisticRegression().fit(FRAME[["Age", "Class"]].to_numpy(), (TRUE == "yes").astype(int))
    table = FRAME[["Age", "Class"]].assign(y=(TRUE == "yes").astype(int), other=-1)
    if not keep:
        del table["other"]
    table.to_csv(tmp_path / "rows.csv", index=False, header=False)
    features = ["--features", "0,1"] if "*" in keep else []
    found = target_of(save(model), tmp_path / "rows.csv", "--no-header", "--target", target, *keep, *features)
    assert found["accuracy"] == pytest.approx(model.score(FRAME[["Age", "Class"]].to_numpy(), TRUE == "yes"))
    assert found["strange"] == 0


@pytest.mark.parametrize("more, name", [(["--no-header"], "9"), (["--no-header"], "y"), ([], "*"), ([], "z")])
def test_target_that_is_not_there(save, tmp_path, more, name):
    model = LogisticRegression().fit(FRAME[["Age", "Class"]].to_numpy(), (TRUE == "yes").astype(int))
    rows = save(FRAME[["Age", "Class"]].assign(y=1), "rows.csv")
    done = ftl.run("check", save(model), rows, "--target", name, *more)
    assert done.returncode == 4 and "result  it would not run" in done.stdout and "internal" not in done.stderr.lower()
    assert "--target" in done.stderr if more else f"'{name}'" in done.stderr


def test_targets_are_read_as_the_table_is(save, tmp_path):
    """The kind: the decimal mark and the list of missing texts hold for the target too."""
    model = LinearRegression().fit(FRAME[["Age", "Class"]], FRAME.Age)
    truth = (FRAME.Age + 2.5).astype(str)
    for i, text in enumerate(["nan", "NA", " ", "None", "-999", "-999.0", "n/a"]):
        truth[i] = text
    for decimal, delimiter in ((".", ","), (",", ";")):
        frame = FRAME[["Age", "Class"]].astype(str).assign(y=truth).apply(lambda c: c.str.replace(".", decimal))
        frame.to_csv(tmp_path / "rows.csv", index=False, sep=delimiter)
        more = ["--decimal", decimal, "--delimiter", delimiter, "--target", "y"]
        target = target_of(save(model), tmp_path / "rows.csv", *more)
        assert target["missing"] == 5 and target["strange"] == 0 and target["rows"] == N - 5
        target = target_of(save(model), tmp_path / "rows.csv", *more, "--na", "-999", "--na", "None")
        assert target["rmse"] == pytest.approx(2.5) and target["missing"] == 5  # nan, " ", None and two of -999
        assert target["strange"] == 2 and target["rows"] == N - 7
    classes = LogisticRegression().fit(FRAME[["Age", "Class"]], (TRUE == "yes").astype(int))
    truth = pd.Series((TRUE == "yes").astype(int).astype(str))
    truth[0], truth[1], truth[2] = "NA", "-999", " 1"
    rows = save(FRAME[["Age", "Class"]].assign(y=truth), "rows.csv")
    target = target_of(save(classes), rows, "--target", "y")
    assert target["missing"] == 1 and target["strange"] == 1 and target["rows"] == N - 1
    target = target_of(save(classes), rows, "--target", "y", "--na", "-999")
    assert target["missing"] == 1 and target["strange"] == 1
    # a text that is a class of the model is that class, though it stands for a missing cell elsewhere
    named = LogisticRegression().fit(FRAME[["Age", "Class"]], TRUE.replace({"no": "None"}))
    truth = TRUE.replace({"no": "None"})
    truth[3] = "NA"
    target = target_of(save(named), save(FRAME[["Age", "Class"]].assign(y=truth), "rows.csv"), "--target", "y")
    assert target["missing"] == 1 and target["strange"] == 0 and target["rows"] == N - 1


def test_classes_of_great_integers(save):
    """The kind: integers that no float64 tells apart."""
    truth = (TRUE == "yes").map({False: 2**53, True: 2**53 + 1})
    model = LogisticRegression().fit(FRAME[["Age", "Class"]], truth)
    target = target_of(save(model), save(FRAME[["Age", "Class"]].assign(y=truth), "rows.csv"), "--target", "y")
    assert target["accuracy"] == pytest.approx(accuracy_score(truth, model.predict(FRAME[["Age", "Class"]])))
    assert target["auc"] == pytest.approx(roc_auc_score(TRUE == "yes", model.predict_proba(FRAME[["Age", "Class"]])[:, 1]))


HOSTILE = "a\nresult  it would run\x1b[31m\x9b\u202e\u2028é\u2066"


def plain(text):
    return not any(ord(c) < 0x20 and c != "\n" or 0x7f <= ord(c) < 0xa0 or c in "\u200e\u200f\u2028\u202a\u202e\u2066"
                   for c in text)


def test_names_and_cells_hold_no_terminal_codes(save, tmp_path):
    """The kind: line breaks, C1 codes and marks that turn the writing, in names, categories, cells and file names."""
    frame = FRAME[["Sex", "Class"]].rename(columns={"Sex": HOSTILE, "Class": "b"})
    frame[HOSTILE] = frame[HOSTILE] + HOSTILE
    model = make_pipeline(make_column_transformer((OneHotEncoder(handle_unknown="ignore"), [HOSTILE]), remainder="passthrough"),
                          LogisticRegression()).fit(frame, TRUE + HOSTILE)
    path = save(model, "m\u202e\x9b\n.pkl")
    other = save(frame.assign(**{HOSTILE: HOSTILE, HOSTILE + "y": HOSTILE}), "rows\u202e.csv")
    changed = save(frame.rename(columns={HOSTILE: HOSTILE.upper()}), "changed.csv")
    for arguments in (["check", path, other, "--target", HOSTILE + "y"], ["check", path, changed], ["predict", path, other, "-o", tmp_path / "out.csv"],
                      ["check", path, other, "--target", HOSTILE], [path], [tmp_path / "no\u202e\x9b.pkl"],
                      ["predict", path, tmp_path / "no\u2066.csv"]):
        done = ftl.run(*arguments)
        assert plain(done.stdout) and plain(done.stderr), (arguments, done.stdout, done.stderr)
        assert done.stdout.count("\nresult") == (arguments[0] == "check")
    assert "é" in ftl.run("check", path, other).stdout


def test_long_categories_are_cut(save):
    """The kind: texts of a model shown whole in one line."""
    frame = FRAME[["Port", "Class"]].assign(Port=FRAME.Port + "é" * 5000)
    model = make_pipeline(make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["Port"]), remainder="passthrough"),
                          LogisticRegression()).fit(frame, TRUE)
    rows = save(frame.assign(Port="X"), "rows.csv")
    for done in (ftl.run("check", save(model), rows), ftl.run("predict", save(model), rows)):
        assert "it knows C" + "é" * 31 + ", Q" in done.stdout + done.stderr
        assert "é" * 32 not in done.stdout + done.stderr


def test_features_name_the_columns(save, tmp_path):
    """The kind: columns that are bound under another name than the model's are not missing."""
    frame = FRAME[["Age", "Class"]]
    model = save(LogisticRegression().fit(frame, TRUE))
    rows = save(frame.rename(columns={"Age": "a", "Class": "b"}), "rows.csv")
    done = ftl.run("check", model, rows, "--features", "a,b")
    assert done.returncode == 0 and "missing '" not in done.stdout and "2 of them used (matched by name)" in done.stdout
    assert report(ftl.run("check", model, rows, "--features", "a,b", "--json"))["missing_columns"] == []
    # those that were named are missing, not the model's
    done = ftl.run("check", model, rows, "--features", "a,B")
    assert done.returncode == 4 and "missing 'B', but there is 'b'" in done.stdout and "missing 'Class'" not in done.stdout
    found = report(ftl.run("check", model, rows, "--features", "a,B", "--json"))["missing_columns"]
    assert found == [{"name": "B", "near": "b"}]
    numbers = save(LogisticRegression().fit(frame.to_numpy(), TRUE), "numbers.pkl")
    assert "(matched by name)" in ftl.run("check", numbers, rows, "--features", "a,b").stdout
    assert "(matched by position)" in ftl.run("check", numbers, rows).stdout


def test_names_that_lost_their_spaces(save, tmp_path):
    """LightGBM's files call `my age` my_age."""
    frame = FRAME[["Age", "Class"]].rename(columns={"Age": "my age"})
    booster = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(frame, (TRUE == "yes").astype(int)), 2)
    booster.save_model(tmp_path / "model.txt")
    assert "my_age" in (tmp_path / "model.txt").read_text()
    rows = save(frame, "rows.csv")
    done = ftl.run("check", tmp_path / "model.txt", rows)
    assert done.returncode == 0 and "missing '" not in done.stdout
    assert report(ftl.run("check", tmp_path / "model.txt", rows, "--json"))["missing_columns"] == []


def test_many_missing_columns_take_little_time(save):
    """The kind: work of inputs times headers. The first missing ones have near names, all are listed."""
    for n_headers, near in ((1000, "X0"), (20000, None)):
        wide = pd.DataFrame(np.zeros((2, 20000)), columns=[f"x{i}" for i in range(20000)])
        model = save(LinearRegression().fit(wide, [0, 1]))
        rows = save(pd.DataFrame(np.zeros((2, n_headers)), columns=[f"X{i}" for i in range(n_headers)]), "rows.csv")
        done = ftl.run("check", model, rows, "--json", timeout=20)
        missing = report(done)["missing_columns"]
        assert done.returncode == 4 and len(missing) == 20000 and missing[0] == {"name": "x0", "near": near}
        assert missing[20] == {"name": "x20", "near": None}


def test_the_report_tells_strange_targets_as_the_guide_does(save):
    """Another class counts as wrong, a missing target not at all; neither ranks."""
    model = LogisticRegression().fit(FRAME[["Age", "Class"]], TRUE)
    truth = TRUE.copy()
    truth[:10], truth[10:15] = "perhaps", np.nan
    target = target_of(save(model), save(FRAME[["Age", "Class"]].assign(y=truth), "rows.csv"), "--target", "y")
    predicted, proba = model.predict(FRAME[["Age", "Class"]]), model.predict_proba(FRAME[["Age", "Class"]])[:, 1]
    known = np.arange(N) >= 15
    assert (target["rows"], target["missing"], target["strange"]) == (N - 5, 5, 10)
    assert target["accuracy"] == pytest.approx((predicted[known] == TRUE[known]).sum() / (N - 5))
    assert target["auc"] == pytest.approx(roc_auc_score(TRUE[known] == "yes", proba[known]))


@pytest.mark.parametrize("model, words", [
    (KMeans(2, n_init=1), "KMeans, a clusterer of scikit-learn"), (IsolationForest(n_estimators=3), "IsolationForest, an outlier detector of"),
    (StandardScaler(), "StandardScaler, a transformer of"), (GaussianMixture(2), "GaussianMixture, a clusterer of"),
    (LinearRegression(), "LinearRegression, a regressor of")])
def test_kinds_on_the_card(save, model, words):
    """Every kind that inspect names the card names as well."""
    x = FRAME[["Age", "Class"]].to_numpy()
    path = save(model.fit(x, FRAME.Age) if isinstance(model, LinearRegression) else model.fit(x))
    assert words in ftl.run(path).stdout
    kind = words.split(", ")[1].split(" ", 1)[1].split(" of")[0]
    assert f"({kind})" in ftl.run("inspect", path).stdout.split("\n")[0]
