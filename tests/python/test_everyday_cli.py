"""The everyday command line: columns to keep, tables without headers, the program without a command, near misses,
limits, exit codes."""

import csv
import fcntl
import io
import os
import pathlib
import pty
import re
import struct
import subprocess
import termios

import catboost
import ftl
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

DONE, INTERNAL, USAGE, MODEL, DATA, REJECTED = range(6)
MESSAGES = [("ham", 'see you, "maybe", at home'), ("spam", "win a prize, now"), ("ham", "how are you"),
            ("spam", "free entry; call now"), ("ham", "call me")]


class Made:
    def __init__(self, folder):
        rng = np.random.default_rng(5)
        self.rows = pd.DataFrame(rng.normal(size=(40, 3)).round(3), columns=["age", "height", "a,b"])
        target = np.where(self.rows["age"] > 0, "yes", "no")
        self.classifier = LogisticRegression().fit(self.rows, target)
        self.linear = LinearRegression().fit(self.rows.to_numpy(), self.rows["age"])
        self.spam = make_pipeline(TfidfVectorizer(), MultinomialNB()).fit([t for _, t in MESSAGES],
                                                                          [k for k, _ in MESSAGES])
        for name, model in [("named", self.classifier), ("bare", self.linear), ("spam", self.spam),
                            ("scaler", StandardScaler().fit(self.rows))]:
            joblib.dump(model, folder / f"{name}.joblib")
        self.rows.insert(0, "id", [f"r{i}" for i in range(len(self.rows))])
        self.rows.to_csv(folder / "rows.csv", index=False)
        self.rows.to_csv(folder / "headerless.csv", index=False, header=False)
        (folder / "SMSSpamCollection").write_text("".join(f"{k}\t{t}\n" for k, t in MESSAGES), encoding="utf-8")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("everyday")
    made = Made(folder)
    made.folder = folder
    return made


@pytest.fixture(autouse=True)
def folder(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in made.folder.iterdir():
        os.symlink(path, path.name)
    return tmp_path


def ok(*arguments, code=DONE, **options):
    process = ftl.run(*arguments, **options)
    assert process.returncode == code, process.stderr
    return process


def table(*arguments, **options):
    """(header, rows) of a predict to standard output."""
    rows = list(csv.reader(io.StringIO(ok("predict", *arguments, "-q", **options).stdout)))
    return rows[0], rows[1:]


def refused(code, *arguments, says):
    process = ftl.run(*arguments)
    assert process.returncode == code, (process.returncode, process.stderr)
    assert process.stderr.count("\n") == 1
    for text in [says] if isinstance(says, str) else says:
        assert text in process.stderr
    return process.stderr


# ---- Kind: columns to keep --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options, kept", [
    (["--keep", "*"], ["id", "age", "height", "a,b"]),
    (["--keep", "height,*"], ["height", "id", "age", "a,b"]),
    (["--keep", "id", "--keep", "height"], ["id", "height"]),
    (["--keep", 'id,"a,b"'], ["id", "a,b"]),
    (["--keep", '"a,b"', "--keep=id"], ["a,b", "id"]),
    (["--keep", "id,id", "--keep", "id"], ["id"]),
    (["--keep", "*", "--keep", "*"], ["id", "age", "height", "a,b"]),
])
def test_keep_repeats_and_quotes_and_takes_all(made, options, kept):
    header, rows = table("named.joblib", "rows.csv", *options)
    assert header == [*kept, "prediction"]
    texts = pd.read_csv("rows.csv", dtype=str)
    assert [row[:-1] for row in rows] == texts[kept].to_numpy().tolist()
    assert [row[-1] for row in rows] == list(made.classifier.predict(made.rows.iloc[:, 1:]))


def test_no_two_columns_bear_one_name():
    """An output keeps its name; what was kept beside it is numbered as pandas numbers."""
    pathlib.Path("in.csv").write_text("prediction,x,x,prediction.1,age,height,\"a,b\"\nP,1,2,Q,1,2,3\n", encoding="utf-8")
    header, rows = table("named.joblib", "in.csv", "--keep", "*")
    assert header == ["prediction.2", "x", "x.1", "prediction.1", "age", "height", "a,b", "prediction"]
    assert rows[0][:4] == ["P", "1", "2", "Q"] and len(set(header)) == len(header)
    header, _ = table("scaler.joblib", "rows.csv", "--keep", "age")
    assert header == ["age.1", "age", "height", "a,b"]


def test_many_columns_of_one_name_are_numbered_quickly():
    n = 20000
    names = "age,height,\"a,b\"," + ",".join(["x"] * n + ["x.1"])
    pathlib.Path("in.csv").write_text(f"{names}\n1,2,3{',0' * (n + 1)}\n", encoding="utf-8")
    header, _ = table("named.joblib", "in.csv", "--keep", "*", timeout=20)
    assert len(set(header)) == n + 5 and header[3:6] == ["x", "x.2", "x.3"]


def test_all_columns_does_not_set_any_aside():
    pathlib.Path("in.csv").write_text("1,2,3\n", encoding="utf-8")
    header, rows = table("bare.joblib", "in.csv", "--no-header", "--keep", "*")
    assert header == ["column_0", "column_1", "column_2", "prediction"] and rows[0][:3] == ["1", "2", "3"]
    refused(DATA, "predict", "bare.joblib", "headerless.csv", "--no-header", "--keep", "*", says="--features")


@pytest.mark.parametrize("text", ['"id', 'id,"a,b', '"a"b', '"id"x,age'])
def test_quotes_that_do_not_close_are_refused(text):
    refused(USAGE, "predict", "named.joblib", "rows.csv", "--keep", text, says=["--keep", "quote"])


def test_a_quote_in_a_name_is_doubled():
    pathlib.Path("in.csv").write_text('"say ""hi""",age,height,"a,b"\nx,1,2,3\n', encoding="utf-8")
    assert table("named.joblib", "in.csv", "--keep", '"say ""hi"""')[0] == ['say "hi"', "prediction"]


# ---- Kind: tables without a header ------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [
    ["--features", "1", "--keep", "0"], ["--keep", "0"], ["--features", "column_1", "--keep", "column_0"]])
def test_the_sms_spam_file(made, options):
    """label<TAB>text, as it is downloaded."""
    header, rows = table("spam.joblib", "SMSSpamCollection", "--no-header", "--proba", *options)
    assert header == ["column_0", "prediction", "probability_ham", "probability_spam"]
    texts = [t for _, t in MESSAGES]
    assert [row[:2] for row in rows] == [[k, p] for (k, _), p in zip(MESSAGES, made.spam.predict(texts))]
    assert np.allclose(np.array([row[2:] for row in rows], float), made.spam.predict_proba(texts), rtol=1e-12)


def test_positions_serve_models_with_names_and_without(made):
    frame = made.rows.iloc[:, 1:]
    for options in (["--keep", "0"], ["--features", "1,2,3"], ["--features", "1,2,3", "--keep", "3,0"]):
        _, rows = table("named.joblib", "headerless.csv", "--no-header", *options)
        assert [row[-1] for row in rows] == list(made.classifier.predict(frame))
        _, rows = table("bare.joblib", "headerless.csv", "--no-header", *options)
        assert np.allclose([float(row[-1]) for row in rows], made.linear.predict(frame.to_numpy()), rtol=1e-12)


def test_npy_columns_have_positions_too(made):
    frame = made.rows.iloc[:, 1:].to_numpy()
    np.save("in.npy", np.c_[frame, np.arange(len(frame))])
    header, rows = table("bare.joblib", "in.npy", "--features", "0,1,2", "--keep", "3")
    assert header == ["column_3", "prediction"] and [float(row[0]) for row in rows] == list(range(len(frame)))
    assert table("bare.joblib", "in.npy", "--keep", "3") == (header, rows)
    ok("predict", "bare.joblib", "in.npy", "--keep", "3", "-o", "out.npy")
    assert np.array_equal(np.load("out.npy"), np.array(rows, float))


@pytest.mark.parametrize("option", ["--keep", "--features"])
@pytest.mark.parametrize("value", ["4", "id", "-1", "1x", "99999999999999999999999", ""])
def test_positions_that_are_none(option, value):
    more = ["--features", "1,2,3"] if option == "--keep" else []
    value = value if option == "--keep" else f"1,2,{value}"
    refused(DATA, "predict", "bare.joblib", "headerless.csv", "--no-header", *more, f"{option}={value}",
            says=[option, "positions 0 to 3"])


# ---- Kind: numbers of numpy where the model takes cells ---------------------------------------------------------------


INTEGERS = np.random.default_rng(2).integers(1, 5, (80, 2))


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.uint64, ">i4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_integers_are_categories(dtype, order):
    """Integers were refused as if they were text; they are the categories that the library takes them for."""
    model = catboost.CatBoostRegressor(cat_features=[0, 1], iterations=5, verbose=0, allow_writing_files=False)
    model.fit(INTEGERS, INTEGERS.sum(axis=1))
    model.save_model("model.cbm")
    np.save("rows.npy", np.asarray(INTEGERS, dtype=dtype, order=order))
    _, rows = table("model.cbm", "rows.npy")
    assert np.array_equal(np.array(rows).astype(float)[:, 0], model.predict(INTEGERS))
    assert ftl.run("check", "model.cbm", "rows.npy").returncode == 0


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_large_integers_stay_themselves(dtype):
    big = (INTEGERS + 2**60 + 2**53).astype(dtype)
    model = OrdinalEncoder().fit(big)
    joblib.dump(model, "model.joblib")
    np.save("rows.npy", big)
    _, rows = table("model.joblib", "rows.npy")
    assert np.array_equal(np.array(rows).astype(float), model.transform(big))


def test_booleans_and_columns_that_pass():
    frame = pd.DataFrame({"a": INTEGERS[:, 0], "b": INTEGERS[:, 1] > 2})
    model = make_column_transformer((OneHotEncoder(), ["a"]), remainder="passthrough").fit(frame)
    joblib.dump(model, "model.joblib")
    np.save("rows.npy", INTEGERS)
    _, rows = table("model.joblib", "rows.npy")
    wanted = model.transform(frame.assign(b=INTEGERS[:, 1]))
    assert np.array_equal(np.array(rows).astype(float), np.asarray(wanted, dtype=float))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fractions_are_no_categories(dtype):
    """The message says what the file holds and what to do."""
    model = catboost.CatBoostRegressor(cat_features=["b"], iterations=2, verbose=0, allow_writing_files=False)
    model.fit(pd.DataFrame(INTEGERS, columns=["a", "b"]), INTEGERS.sum(axis=1))
    model.save_model("model.cbm")
    np.save("rows.npy", INTEGERS.astype(dtype))
    refused(DATA, "predict", "model.cbm", "rows.npy", says=["column 1 ('b') of the model takes texts or categories",
                                                            f"numbers of type {dtype}", "save it as integers", "CSV"])


# ---- Kind: near misses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, meant", [
    (["predct"], "predict"), (["Inspect"], "inspect"), (["chekc"], "check"), (["help", "clases"], "classes"),
    (["predict", "named.joblib", "rows.csv", "--treads", "2"], "--threads"),
    (["predict", "named.joblib", "rows.csv", "--Proba"], "--proba"),
    (["predict", "named.joblib", "rows.csv", "--kep=id"], "--keep"),
    (["inspect", "named.joblib", "--jsn"], "--json"),
    (["predict", "named.joblib", "rows.csv", "--method", "predict_prob"], "predict_proba"),
    (["named.joblib", "rows.csv", "--metod", "predict"], "--method")])
def test_words_of_the_command_line(arguments, meant):
    assert f"did you mean {meant}?" in refused(USAGE, *arguments, says="see foretell")


@pytest.mark.parametrize("options, near, wanted", [
    (["--keep", "ID"], "id", "--keep"), (["--keep", "hieght"], "height", "--keep"),
    (["--features", "age,heigth,\"a,b\""], "height", "for 'heigth'?")])
def test_columns(options, near, wanted):
    refused(DATA, "predict", "named.joblib", "rows.csv", *options, says=[f"did you mean '{near}'", wanted])
    if "--keep" in options:
        refused(DATA, "check", "named.joblib", "rows.csv", "--target", options[1],
                says=[f"did you mean '{near}'", "--target"])


def test_all_near_columns_are_told():
    """Kind: one column suggested where several are missing, and one that is another's own."""
    pathlib.Path("in.csv").write_text("Age,Height ,a_b,aage\n1,2,3,4\n", encoding="utf-8")
    refused(DATA, "predict", "named.joblib", "in.csv",
            says="did you mean 'Age' for 'age', 'Height ' for 'height', 'a_b' for 'a,b'?")
    pathlib.Path("in.csv").write_text("age,ages,a_b,h\n1,2,3,4\n", encoding="utf-8")
    assert "for 'height'" not in refused(DATA, "predict", "named.joblib", "in.csv", says="'a_b' for 'a,b'?")


def test_entries_of_files(made):
    """Kind: a name of an entry that is nearly right, in every option that takes one."""
    model = joblib.load("named.joblib")
    joblib.dump({"model": model, "scaler": 1, "deep": {"names": ["a"]}}, "bundle.joblib")
    refused(USAGE, "inspect", "bundle.joblib", "--select", "modle", says=["--select", "did you mean 'model'?"])
    refused(USAGE, "inspect", "bundle.joblib", "--select", "model,Deep.Names", says="did you mean 'deep.names'?")
    refused(USAGE, "inspect", "bundle.joblib", "--labels", ":deep.name", says=["--labels", "did you mean 'deep.names'?"])
    refused(USAGE, "inspect", "named.joblib", "--labels", "bundle.joblib:scalar", says="did you mean 'scaler'?")
    refused(USAGE, "inspect", "named.joblib", "+", "bundle.joblib:mode", says=["MODEL + MODEL", "did you mean 'model'?"])


def test_many_models_are_counted(made):
    """Kind: as many models as are listed, said of more."""
    model = joblib.load("named.joblib")
    joblib.dump({f"m{i}": model for i in range(1200)}, "bundle.joblib")
    refused(MODEL, "predict", "bundle.joblib", "rows.csv", says="1200 models")
    assert "a dict with 1200 models" in ftl.run("inspect", "bundle.joblib").stdout


def test_a_models_own_columns():
    pathlib.Path("in.csv").write_text("Age,height ,\"a,b\"\n1,2,3\n", encoding="utf-8")
    refused(DATA, "predict", "named.joblib", "in.csv",
            says=["age, height", "did you mean 'Age' for 'age', 'height ' for 'height'?"])


@pytest.mark.parametrize("arguments", [["fit"], ["predict", "m", "r", "--what"],
                                       ["predict", "m", "r", "--method", "fit"]])
def test_nothing_is_suggested_for_far_words(arguments):
    assert "did you mean" not in refused(USAGE, *arguments, says="foretell")


def test_an_option_that_takes_no_value_says_so():
    refused(USAGE, "predict", "named.joblib", "rows.csv", "--proba=yes", says="--proba takes no value")


# ---- Kind: what a newcomer types or gives ------------------------------------------------------------------------------


@pytest.mark.parametrize("option, values", [
    ("-o", ["a.csv", "b.csv"]), ("--method", ["predict", "predict_proba"]), ("--select", ["a", "b"]),
    ("--limit", ["1", "2"]),
    ("--delimiter", [",", ";"]), ("--labels", ["a", "a"]), ("--threads", ["1", "1"]), ("--threshold", ["0.1", "0.2"])])
def test_one_value_is_given_once(option, values, folder):
    """The last one won without a word; lists add up, and switches are what they are."""
    name = "--output" if option == "-o" else option
    given = [word for value in values for word in (option, value)]
    for command in ("predict", "check"):
        refused(USAGE, command, "named.joblib", "rows.csv", *given, says=f"{name} is given twice")
    assert not (folder / "a.csv").exists() and not (folder / "b.csv").exists()
    ok("predict", "named.joblib", "rows.csv", "--keep", "id", "--keep", "age", "--proba", "--proba", "-q", "-q")


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba", "decision_function"])
def test_a_threshold_is_of_predict(method):
    for command in ("predict", "check"):
        refused(USAGE, command, "named.joblib", "rows.csv", "--method", method, "--threshold", "0.3",
                says=["--threshold is for predict", method])
    refused(USAGE, "predict", "named.joblib", "rows.csv", "--threshold", "30", says="from 0 to 1")


@pytest.mark.parametrize("arguments, code, says", [
    (["predict", "rows.csv", "named.joblib"], MODEL,
     "rows.csv: this is a text file, not a saved model; give the model's file"),
    (["predict", "named.joblib", "scaler.joblib"], DATA, "the input is a pickle"),
    (["predict", "named.joblib", "rows.json.csv"], DATA,
     "the input is JSON, but is called CSV; read it with --input-format 'json' or 'jsonl'"),
    (["predict", "named.joblib", "headerless3.csv"], DATA,
     "first line holds numbers: without a header it is read with --no-header"),
    (["predict", "named.joblib", "bars.csv"], DATA, "it has one column: say what stands between columns with --delimiter"),
    (["predict", "named.joblib", "rows.csv", "--labels", "rows.csv"], MODEL, "CORRUPT: rows.csv: this is a text file"),
    (["predict", "scaler.joblib", "+", "none.joblib", "rows.csv"], MODEL, 'IO: cannot open "none.joblib"'),
    (["predict", "named.joblib", "rows.csv", "--method", "transform"], USAGE,
     "has no transform; it has predict, predict_proba"),
    (["predict", "named.joblib", "rows.csv", "--max-bytes", "10"], MODEL, "limit of 10 bytes; raise --max-bytes"),
    (["predict", "named.joblib", "rows.csv", "--features", "age"], USAGE, "names 1 column; the model expects 3"),
    (["inspect", "number.joblib"], MODEL, "this is no estimator, but int"),
    (["inspect", "empty"], MODEL, "CORRUPT: empty: the file is empty"),
    (["inspect", "named.joblib", "--graph", "--json"], USAGE, "leave --json out"),
    (["inspect", ""], MODEL, 'IO: cannot open ""')])
def test_messages_say_what_where_and_what_to_do(made, arguments, code, says):
    joblib.dump(3, "number.joblib")
    pathlib.Path("empty").touch()
    pathlib.Path("rows.json.csv").write_text('[{"age": 1}]', encoding="utf-8")
    pathlib.Path("headerless3.csv").write_text("1,2,3\n4,5,6\n", encoding="utf-8")
    pathlib.Path("bars.csv").write_text("age^height^a,b\n1^2^3\n".replace(",", "^"), encoding="utf-8")
    refused(code, *arguments, says=says)


# ---- Kind: the program without a command ------------------------------------------------------------------------------


def test_the_card_and_its_line(made, folder):
    """The line that it gives runs as it stands, for a name that a shell would take apart, too."""
    os.rename("named.joblib", "my model's file.joblib")
    process = ok("my model's file.joblib")
    assert process.stderr == ""
    for part in ["LogisticRegression, a classifier of scikit-learn", "3 columns: age, height, a,b", "no or yes"]:
        assert part in process.stdout
    line = re.search(r"^predict  (foretell predict .*)$", process.stdout, re.MULTILINE).group(1)
    os.symlink(os.path.abspath(ftl.program()), "foretell")
    subprocess.run(["sh", "-c", line], check=True, env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
                   stderr=subprocess.DEVNULL)
    header, rows = ftl.read_csv("predictions.csv")
    assert header == ["prediction", "probability_no", "probability_yes"]
    assert [row[0] for row in rows] == list(made.classifier.predict(made.rows.iloc[:, 1:]))


@pytest.mark.parametrize("model, parts", [
    ("spam.joblib", ["1 column of text", "ham or spam"]), ("bare.joblib", ["3 columns, by position", "a regressor"]),
    ("scaler.joblib", ["a transformer", "gives    age, height, a,b"])])
def test_cards_of_other_models(model, parts):
    text = ok(model).stdout
    for part in parts:
        assert part in text
    assert ("--proba" in text) == (model == "spam.joblib")


def test_a_card_of_what_does_not_run():
    refused(MODEL, "none.joblib", says="none.joblib")
    refused(MODEL, "./none", says="none")
    pathlib.Path("evil.pkl").write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    refused(MODEL, "evil.pkl", says=["FORBIDDEN", "os.system"])
    assert not os.path.exists("pwned")


def test_help_of_a_command_is_its_help():
    for command in ["predict", "inspect", "check", "classes"]:
        assert ok("help", command).stdout == ok(command, "--help").stdout


def test_away_from_a_terminal_it_predicts():
    assert ok("named.joblib", "rows.csv", "-q").stdout == ok("predict", "named.joblib", "rows.csv", "-q").stdout
    ok("named.joblib", "rows.csv", "--proba", "-o", "a.csv")
    ok("predict", "named.joblib", "rows.csv", "--proba", "-o", "b.csv")
    assert pathlib.Path("a.csv").read_bytes() == pathlib.Path("b.csv").read_bytes()


def on_terminal(*arguments, width=100):
    """(status, lines) of what a person sees whose terminal is so wide."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    process = subprocess.Popen([ftl.program(), *map(str, arguments)], stdout=follower, stderr=subprocess.PIPE)
    os.close(follower)
    shown = ftl.read_terminal(leader)
    process.stderr.close()
    return process.wait(20), shown.replace("\r\n", "\n").splitlines()


def test_a_look_at_the_predictions(made):
    status, lines = on_terminal("named.joblib", "rows.csv")
    assert status == DONE
    assert lines[0].split() == ["id", "age", "height", "a,b", "prediction", "probability_no", "probability_yes"]
    frame = made.rows.iloc[:, 1:]
    predicted, probabilities = made.classifier.predict(frame), made.classifier.predict_proba(frame)
    for i, line in enumerate(lines[1:11]):
        cells = line.split()
        assert cells[0] == f"r{i}" and cells[4] == predicted[i]
        assert np.allclose([float(c) for c in cells[5:]], probabilities[i], rtol=1e-5)
    ends = {name: lines[0].index(name) + len(name) for name in ("age", "height", "probability_yes")}
    for line in lines[1:11]:  # numbers end where their heading does
        assert all(line[end - 1] != " " and line[end:end + 1] in ("", " ") for end in ends.values())
    assert lines[11] == "and 30 more rows" and lines[12] == ""
    counts = {line.split()[0]: int(line.split()[1]) for line in lines[13:]}
    assert counts == {name: int((predicted == name).sum()) for name in ("yes", "no")}
    assert [line.split()[1] for line in lines[13:]] == sorted((line.split()[1] for line in lines[13:]), key=int,
                                                              reverse=True)


@pytest.mark.parametrize("width", [20, 60, 80, 300])
def test_a_look_fits_the_terminal(width):
    status, lines = on_terminal("named.joblib", "rows.csv", width=width)
    assert status == DONE and lines[0].split()[-1] == "probability_yes" or width < 60
    assert "prediction" in lines[0]
    assert width == 20 or all(len(line) <= width for line in lines)


def test_a_look_at_odd_cells():
    """Wide and accented letters, quotes, line breaks and terminal codes in cells; long ones are cut."""
    cells = ["naïve", 'say "hi"', "two\nlines", "\x1b[31mred", "x" * 200, "", "日本", "a,b", "\x9b1m", "ok", "last"]
    frame = pd.DataFrame({"k": cells, "age": 1.0, "height": 2.0, "a,b": 3.0})
    frame.to_csv("in.csv", index=False)
    status, lines = on_terminal("named.joblib", "in.csv", "--keep", "k")
    assert status == DONE and lines[0].split()[0] == "k" and len(lines) == 14
    text = "\n".join(lines)
    assert "\x1b" not in text and "\x9b" not in text and "two?lines" in text and 'say "hi"' in text and "naïve" in text
    assert "x" * 23 + "…" in text and "x" * 24 not in text
    starts = {line.index("yes" if "yes" in line else "no ") for line in lines[1:11]}
    assert len(starts) == 1


def test_a_look_at_numbers_and_at_nothing(made):
    status, lines = on_terminal("bare.joblib", "rows.csv", "--features", 'age,height,"a,b"')
    wanted = made.linear.predict(made.rows.iloc[:, 1:].to_numpy())
    assert status == DONE and np.allclose([float(line.split()[-1]) for line in lines[1:11]], wanted[:10], rtol=1e-5)
    pathlib.Path("none.csv").write_text('age,height,"a,b"\n', encoding="utf-8")
    assert on_terminal("named.joblib", "none.csv")[0] == DONE
    status, lines = on_terminal("named.joblib", "absent.csv")
    assert status == DATA and lines == []


def test_long_fractions_are_rounded():
    x = np.array([[0.99999999], [1234567.25], [-0.000123456789], [9.9999999e-7], [-9.9999995], [0.5], [100000.06]])
    joblib.dump(LinearRegression(fit_intercept=False).fit(np.array([[1.0], [2.0]]), [1.0, 2.0]), "same.joblib")
    np.save("x.npy", x)
    shown = [line.split()[-1] for line in on_terminal("same.joblib", "x.npy")[1][1:8]]
    exact = [float(row[0]) for row in table("same.joblib", "x.npy")[1]]
    assert np.allclose(np.array(shown, float), exact, rtol=6e-6), shown
    assert all(len(text.strip("-")) <= 12 for text in shown)


# ---- Kind: limits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["predict", "named.joblib", "rows.csv"], ["inspect", "named.joblib"],
                                     ["check", "named.joblib", "rows.csv"], ["named.joblib"]])
def test_limits_of_memory_and_of_the_models_bytes(command):
    assert "--memory-limit" in refused(INTERNAL, *command, "--memory-limit", "3000", says=["NOMEM", "3000 bytes"])
    refused(MODEL, *command, "--max-bytes", "100", says=["LIMIT", "100 bytes", "raise --max-bytes"])
    ok(*command, "--memory-limit", "100M", "--max-bytes", "1g")


@pytest.mark.parametrize("value", ["0", "-1", "", "M", "1.5G", "1GB", "99999999999999999999", "8388608T"])
@pytest.mark.parametrize("option", ["--memory-limit", "--max-bytes"])
def test_limits_that_are_none(option, value):
    refused(USAGE, "inspect", "named.joblib", f"{option}={value}", says=option)


def test_the_command_of_the_python_package():
    """It was told that there is no command patch, which docs/PYTHON-MODELS.md has."""
    for arguments in (["patch", "script.py"], ["help", "patch"]):
        refused(USAGE, *arguments, says="a command of the Python package: python -m foretell patch")


# ---- Kind: exit codes -------------------------------------------------------------------------------------------------


def test_the_readme_and_the_help_list_the_same_codes():
    readme = (ftl.ROOT / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| (\d) \| (.*?) \|$", readme, re.MULTILINE))
    helped = dict(re.findall(r"^  (\d)  (.*)$", ok("--help").stdout, re.MULTILINE))
    assert listed == helped and sorted(listed) == list("012345")


def test_each_code_is_what_it_says():
    pathlib.Path("bad.csv").write_text('age,height,"a,b"\n1,2,3\nx,2,3\n', encoding="utf-8")
    pathlib.Path("cut.joblib").write_bytes(pathlib.Path("named.joblib").read_bytes()[:100])
    for code, arguments in [
            (DONE, ["predict", "named.joblib", "rows.csv"]), (INTERNAL, ["inspect", "named.joblib", "--memory-limit", "1"]),
            (USAGE, ["predict", "named.joblib"]), (USAGE, ["predict", "bare.joblib", "rows.csv", "--proba", "--method",
                                                           "predict_proba"]),
            (MODEL, ["predict", "cut.joblib", "rows.csv"]), (MODEL, ["inspect", "none.joblib"]),
            (MODEL, ["inspect", "rows.csv"]), (DATA, ["predict", "named.joblib", "bad.csv"]),
            (DATA, ["predict", "named.joblib", "none.csv"]), (DATA, ["predict", "named.joblib", "rows.csv", "-o", "no/o"]),
            (REJECTED, ["predict", "named.joblib", "bad.csv", "--on-error", "skip"]),
            (REJECTED, ["predict", "named.joblib", "bad.csv", "--on-error", "null"])]:
        process = ftl.run(*arguments)
        assert process.returncode == code, (arguments, process.stderr)
        assert process.stderr.startswith("foretell: ")
