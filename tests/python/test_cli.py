"""The command line: options, exit codes, what is written where, and what never is.

Two small models, trained here: `named` knows its columns by name, `bare` does not.
"""

import gzip
import json
import os
import pathlib
import pty
import re
import resource
import signal
import subprocess
import sys
import time

import ftl
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

NAMES = ["age", "größe", "a b"]
CODES = {"done": 0, "internal": 1, "usage": 2, "model": 3, "data": 4, "rejected": 5}


class Models:
    def __init__(self, folder):
        rng = np.random.default_rng(3)
        self.x = rng.normal(size=(300, 3)).round(3)
        frame = pd.DataFrame(self.x, columns=NAMES)
        target = self.x @ [1.0, -2.0, 0.5]
        self.classifier = LogisticRegression().fit(frame, np.where(target > 0, "yes", "no"))
        self.regressor = LinearRegression().fit(self.x, np.c_[target, -target])
        self.named, self.bare, self.csv = folder / "named.joblib", folder / "bare.joblib", folder / "rows.csv"
        self.scaler = folder / "scaler.joblib"
        joblib.dump(self.classifier, self.named)
        joblib.dump(self.regressor, self.bare)
        joblib.dump(StandardScaler().fit(frame), self.scaler)
        frame.insert(0, "id", np.arange(len(frame)))
        frame.to_csv(self.csv, index=False)


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    return Models(tmp_path_factory.mktemp("models"))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ok(*arguments, code="done", **options):
    process = ftl.run(*arguments, **options)
    assert process.returncode == CODES[code], process.stderr
    return process


def refused(code, *arguments, says, written=(), **options):
    """The command fails with one line that says so, and the folder holds nothing new."""
    before = set(os.listdir())
    process = ftl.run(*arguments, **options)
    assert process.returncode == CODES[code], (process.returncode, process.stderr)
    lines = process.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("foretell: "), process.stderr
    for text in [says] if isinstance(says, str) else says:
        assert text in lines[0]
    assert set(os.listdir()) - before == set(written)
    return process


def table(text, name="in.csv"):
    pathlib.Path(name).write_text(text, encoding="utf-8")
    return name


# ---- Help and usage -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments, first", [
    (["--help"], "predict"), (["predict", "--help"], "--proba"), (["inspect", "--help"], "--json"),
    (["check", "--help"], "usage"), (["--version"], "foretell ")])
def test_help_teaches_on_stdout(arguments, first):
    process = ok(*arguments)
    assert first in process.stdout and process.stderr == ""


@pytest.mark.parametrize("arguments", [
    ["fit"], ["predict"], ["predict", "m"], ["inspect", "m", "extra"], ["predict", "m", "r", "--what"],
    ["predict", "m", "r", "--threads", "0"], ["predict", "m", "r", "--threads", "x"],
    ["predict", "m", "r", "--batch-size", "-1"], ["predict", "m", "r", "--limit", ""],
    ["predict", "m", "r", "--method", "fit"], ["predict", "m", "r", "--on-error", "ignore"],
    ["predict", "m", "r", "--delimiter", "ab"], ["predict", "m", "r", "-o"], ["inspect", "m", "--proba"],
    ["inspect"], ["check", "m"]])
def test_usage_errors(arguments):
    refused("usage", *arguments, says="--help")


def test_without_arguments_the_help_is_shown():
    process = ok(code="usage")
    assert "predict" in process.stderr and process.stdout == ""


# ---- predict: columns -----------------------------------------------------------------------------------------------


def test_predictions_are_the_librarys(models):
    ok("predict", models.named, models.csv, "-o", "out.csv", "--proba", "--keep", "id")
    header, rows = ftl.read_csv("out.csv")
    frame = pd.DataFrame(models.x, columns=NAMES)
    assert header == ["id", "prediction", "probability_no", "probability_yes"]
    assert [row[0] for row in rows] == [str(i) for i in range(300)]
    assert [row[1] for row in rows] == list(models.classifier.predict(frame))
    assert np.allclose(np.array([row[2:] for row in rows], float), models.classifier.predict_proba(frame), rtol=1e-12)


def test_several_targets(models):
    np.save("rows.npy", models.x)
    ok("predict", models.bare, "rows.npy", "-o", "out.csv")
    header, rows = ftl.read_csv("out.csv")
    assert header == ["prediction_0", "prediction_1"]
    assert np.allclose(np.array(rows, float), models.regressor.predict(models.x), rtol=1e-12)


@pytest.mark.parametrize("method, header", [
    ("predict", ["prediction"]), ("decision_function", ["decision"]),
    ("predict_proba", ["probability_no", "probability_yes"]),
    ("predict_log_proba", ["log_probability_no", "log_probability_yes"])])
def test_methods_write_that_alone(models, method, header):
    ok("predict", models.named, models.csv, "-o", "out.csv", "--method", method)
    assert ftl.read_csv("out.csv")[0] == header


def test_classes_lists_what_runs():
    listed = json.loads(ftl.run("classes", "--json").stdout)
    assert {"library": "scikit-learn", "package": "sklearn.linear_model", "name": "LinearRegression"} in listed
    keys = [(entry["library"], entry["package"], entry["name"]) for entry in listed]
    assert keys == sorted(keys) and len(set(keys)) == len(keys)
    lines = ftl.run("classes").stdout.splitlines()
    assert len(lines) == len(listed) and lines[0].split() == [keys[0][0], ".".join(keys[0][1:])]


def test_a_transformer_transforms(models):
    ok("predict", models.scaler, models.csv, "-o", "out.csv")
    assert ftl.read_csv("out.csv")[0] == NAMES


def test_order_and_extra_columns_do_not_matter(models):
    ok("predict", models.named, models.csv, "-o", "a.csv", "--method", "decision_function")
    frame = pd.read_csv(models.csv)
    frame["unused"] = "text"
    frame[["a b", "unused", "größe", "id", "age"]].to_csv("shuffled.csv", index=False)
    ok("predict", models.named, "shuffled.csv", "-o", "b.csv", "--method", "decision_function")
    assert pathlib.Path("a.csv").read_bytes() == pathlib.Path("b.csv").read_bytes()


def test_all_missing_columns_are_listed_at_once(models):
    refused("data", "predict", models.named, table("age,x\n1,2\n"), "-o", "out.csv", says=["größe", "a b"])


def test_without_names_by_position_or_features(models):
    header, rows = "id,p,q,r\n", "7,1,2,3\n"
    source = table(header + rows)
    refused("data", "predict", models.bare, source, "-o", "out.csv", says=["--features", "--keep"])
    ok("predict", models.bare, source, "-o", "keep.csv", "--keep", "id")
    ok("predict", models.bare, source, "-o", "features.csv", "--features", "p,q,r", "--keep", "id")
    assert pathlib.Path("keep.csv").read_bytes() == pathlib.Path("features.csv").read_bytes()
    ok("predict", models.bare, table("1,2,3\n", "bare.csv"), "-o", "bare_out.csv", "--no-header")
    assert ftl.read_csv("bare_out.csv")[1][0] == ftl.read_csv("keep.csv")[1][0][1:]
    refused("data", "predict", models.bare, source, "-o", "x.csv", "--features", "p,q,nope", says="nope")
    refused("data", "predict", models.named, models.csv, "-o", "x.csv", "--keep", "nope", says="nope")


def test_duplicate_headers_matter_only_when_asked_for(models):
    refused("data", "predict", models.named, table("age,age,größe,a b\n1,1,2,3\n"), "-o", "o.csv", says="age")
    ok("predict", models.named, table("age,x,x,größe,a b\n1,1,1,2,3\n"), "-o", "o.csv")


def test_limit_counts_rows(models):
    ok("predict", models.named, models.csv, "-o", "out.csv", "--limit", "7")
    assert len(ftl.read_csv("out.csv")[1]) == 7


def test_zero_rows_give_zero_rows(models):
    ok("predict", models.named, table("age,größe,a b\n"), "-o", "out.csv")
    assert ftl.read_csv("out.csv") == (["prediction"], [])


# ---- predict: CSV dialects ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, options", [
    ("age;größe;a b\n1,5;2;-3\n", ["--decimal", ","]),
    ("age\tgröße\ta b\n1.5\t2\t-3\n", []),
    ("age|größe|a b\r\n1.5|2|-3\r\n", []),
    ("\ufeffage,größe,a b\n1.5,2,-3", []),
    ('"age","größe","a b"\n"1.5"," 2 ",-3\n\n', []),
    ("note,age,größe,a b\n\"x\ny, \"\"z\"\"\",1.5,2,-3\n", []),
    ("age:größe:a b\n1.5:2:-3\n", ["--delimiter", ":"]),
])
def test_dialects(models, text, options):
    ok("predict", models.named, table("age,größe,a b\n1.5,2,-3\n", "plain.csv"), "-o", "plain_out.csv", "--proba")
    ok("predict", models.named, table(text), "-o", "out.csv", "--proba", *options)
    assert pathlib.Path("out.csv").read_bytes() == pathlib.Path("plain_out.csv").read_bytes()


def test_kept_cells_are_copied_as_they_are(models):
    cells = ["007", "NA", " x ", "a,b", 'say "hi"', "two\nlines", "", "日本"]
    frame = pd.DataFrame({"k": cells, **{name: 1.0 for name in NAMES}})
    frame.to_csv("in.csv", index=False)
    ok("predict", models.named, "in.csv", "-o", "out.csv", "--keep", "k")
    assert [row[0] for row in ftl.read_csv("out.csv")[1]] == cells


def test_na_list(models):
    source = table("age,größe,a b\n1,-999,3\n")
    ok("predict", models.named, source, "-o", "out.csv")
    refused("data", "predict", models.named, source, "-o", "out2.csv", "--na", "-999", says=["größe", "NaN"])


def test_long_records_are_capped(models):
    text = "age,größe,a b,note\n1,2,3," + "x" * 5000 + "\n"
    ok("predict", models.named, table(text), "-o", "out.csv")
    refused("data", "predict", models.named, "in.csv", "-o", "out2.csv", "--max-record", "1000", says="--max-record")


# ---- predict: results do not depend on how ---------------------------------------------------------------------------


def test_threads_and_batches_give_the_same_bytes(models):
    wanted = None
    for threads in (1, 2, 5):
        for batch in (1, 7, 299, 5000):
            ok("predict", models.named, models.csv, "-o", "out.csv", "--proba", "--keep", "id", "--threads", threads,
               "--batch-size", batch)
            got = pathlib.Path("out.csv").read_bytes()
            wanted = wanted or got
            assert got == wanted, (threads, batch)


def test_a_file_is_its_rows(models):
    ok("predict", models.named, models.csv, "-o", "all.csv", "--proba")
    lines = models.csv.read_text(encoding="utf-8").splitlines(keepends=True)
    for row in (0, 1, 150, 299):
        ok("predict", models.named, table(lines[0] + lines[row + 1]), "-o", "one.csv", "--proba")
        assert ftl.read_csv("one.csv")[1] == [ftl.read_csv("all.csv")[1][row]]


def test_pipes_compression_and_npy_agree_with_files(models):
    wanted = ok("predict", models.named, models.csv, "-q").stdout
    data = models.csv.read_bytes()
    piped = subprocess.run([ftl.program(), "predict", models.named, "-", "-o", "-", "-q"], input=data,
                           capture_output=True, check=True)
    assert piped.stdout.decode() == wanted and piped.stderr == b""
    pathlib.Path("rows.gz").write_bytes(gzip.compress(data))
    assert ok("predict", models.named, "rows.gz", "-q").stdout == wanted
    np.save("rows.npy", models.x)
    np.save("fortran.npy", np.asfortranarray(models.x))
    assert ok("predict", models.named, "rows.npy", "-q").stdout == wanted
    assert ok("predict", models.named, "fortran.npy", "-q").stdout == wanted


def test_npy_output(models):
    ok("predict", models.named, models.csv, "-o", "out.npy", "--method", "predict_proba")
    frame = pd.DataFrame(models.x, columns=NAMES)
    got = np.load("out.npy")
    assert got.dtype == np.float64 and np.allclose(got, models.classifier.predict_proba(frame), rtol=1e-12)
    refused("data", "predict", models.named, models.csv, "-o", "labels.npy", says=".npy")


def test_float32_input_stays_float32(models):
    np.save("rows.npy", models.x.astype(np.float32))
    ok("predict", models.bare, "rows.npy", "-o", "out.npy")
    wanted = models.regressor.predict(models.x.astype(np.float32))
    got = np.load("out.npy")
    assert got.dtype == wanted.dtype and np.allclose(got, wanted, rtol=1e-6, atol=1e-6)


# ---- Bad rows -------------------------------------------------------------------------------------------------------

BAD = "id,age,größe,a b\n1,1,2,3\n2,x,2,3\n3,1,,3\n4,1,2\n5,1,inf,3\n6,3,2,1\n"


def test_the_first_bad_row_ends_the_job(models):
    refused("data", "predict", models.named, table(BAD), "-o", "out.csv", says=["line 3", "age", "x"])


@pytest.mark.parametrize("row, says", [
    ("1,2", "line 2"), ("1,2,3,4", "line 2"), ("1,two,3", ["größe", "two"]), ("1,,3", ["größe", "NaN"]),
    ("1,2,inf", ["a b"]), ("1,1e400,2", ["größe"])])
def test_bad_rows_are_named(models, row, says):
    refused("data", "predict", models.named, table(f"age,größe,a b\n{row}\n"), "-o", "out.csv", says=says)


def test_skip_null_and_reject(models):
    source = table(BAD)
    process = ok("predict", models.named, source, "-o", "skip.csv", "--keep", "id", "--on-error", "skip", "--reject",
                 "bad.csv", code="rejected")
    assert "4 of 6" in process.stderr
    assert [row[0] for row in ftl.read_csv("skip.csv")[1]] == ["1", "6"]
    header, rejects = ftl.read_csv("bad.csv")
    assert set(NAMES) < set(header) and len(rejects) == 4
    assert all(len(row[-1] + row[0]) > 10 for row in rejects)
    process = ok("predict", models.named, source, "-o", "null.csv", "--keep", "id", "--proba", "--on-error", "null",
                 code="rejected")
    rows = ftl.read_csv("null.csv")[1]
    assert [row[0] for row in rows] == list("123456")
    assert [row[1:] == ["", "", ""] for row in rows] == [False, True, True, True, True, False]


def test_rejects_do_not_depend_on_threads(models):
    source = table("age,größe,a b\n" + "".join(f"{i},{'x' if i % 3 else 1},2\n" for i in range(500)))
    outputs = set()
    for threads, batch in [(1, 5000), (2, 3), (4, 50)]:
        ok("predict", models.named, source, "-o", "o.csv", "--on-error", "skip", "--reject", "r.csv", "--threads",
           threads, "--batch-size", batch, code="rejected")
        outputs.add((pathlib.Path("o.csv").read_bytes(), pathlib.Path("r.csv").read_bytes()))
    assert len(outputs) == 1


# ---- Files ----------------------------------------------------------------------------------------------------------


def test_files_that_cannot_be(models):
    os.mkdir("directory")
    refused("model", "predict", "none.joblib", models.csv, says="none.joblib")
    refused("model", "inspect", "directory", says="directory")
    refused("data", "predict", models.named, "none.csv", "-o", "o.csv", says="none.csv")
    refused("data", "predict", models.named, "directory", "-o", "o.csv", says="directory")
    refused("data", "predict", models.named, models.csv, "-o", "no/such/o.csv", says="no/such")
    refused("data", "predict", models.named, models.csv, "-o", "directory", says="directory")
    refused("data", "predict", models.named, table("", "empty.csv"), "-o", "o.csv", says="empty")


def test_an_existing_result_survives_a_failure(models):
    pathlib.Path("out.csv").write_text("precious\n", encoding="utf-8")
    refused("data", "predict", models.named, table(BAD), "-o", "out.csv", says="line 3")
    assert pathlib.Path("out.csv").read_text(encoding="utf-8") == "precious\n"


def test_a_full_disk(models):
    refused("data", "predict", models.named, models.csv, "-o", "/dev/full", says="/dev/full")
    with open("/dev/full", "w", encoding="utf-8") as full:
        process = subprocess.run([ftl.program(), "predict", models.named, models.csv], stdout=full,
                                 stderr=subprocess.PIPE, check=False)
    assert process.returncode == CODES["data"] and process.stderr.count(b"\n") == 1


def test_a_file_size_limit_leaves_nothing(models):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
    refused("data", "predict", models.named, models.csv, "-o", "out.csv", "--proba", says="out.csv", preexec_fn=limit)


def test_a_closed_pipe_ends_quietly(models):
    big = table("age,größe,a b\n" + "1,2,3\n" * 200000)
    process = subprocess.Popen([ftl.program(), "predict", models.named, big], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(30) == -signal.SIGPIPE
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_job_leaves_nothing(models, number, folder):
    os.mkfifo("rows")
    process = subprocess.Popen([ftl.program(), "predict", models.named, "rows", "-o", "out.csv"],
                               stderr=subprocess.PIPE)
    with open("rows", "w", encoding="utf-8") as rows:
        rows.write("age,größe,a b\n" + "1,2,3\n" * 50000)
        rows.flush()
        deadline = time.monotonic() + 20
        while len(os.listdir(folder)) < 2 and time.monotonic() < deadline:  # until the temporary file is there
            time.sleep(0.01)
        process.send_signal(number)
        try:
            for _ in range(200):
                rows.write("1,2,3\n" * 20000)
        except BrokenPipeError:
            pass
        try:
            process.wait(20)
        finally:
            process.kill()
    error = process.stderr.read()
    process.stderr.close()
    assert process.returncode not in (0, None) and error.count(b"\n") <= 1
    assert os.listdir(folder) == ["rows"]


@pytest.mark.parametrize("table_text, options, code, says", [
    ("age;größe;a b\n1;2;3,5\n", [], "data", "; for a decimal comma give --decimal ','"),
    ("age,größe,a b\n1,2,3\n", ["--max-record", "4"], "data", "raise the limit with --max-record"),
    ("age,größe,a b\n1,2,3\n", ["--max-record", "1000000000"], "usage", "--max-record is 1000000000 bytes"),
    ("age,größe,a b\n1,2,3\n", ["--features", "age"], "usage", "--features names 1 column;"),
    ("age,größe,a b\n1,2,3\n", ["--proba", "--method", "decision_function"], "usage", "--proba goes with predict"),
])
def test_messages_name_options_as_the_command_line_does(models, table_text, options, code, says):
    done = refused(code, "predict", models.named, table(table_text), *options, says=says)
    assert "options." not in done.stderr


def test_a_check_names_options_as_the_command_line_does(models):
    done = ftl.run("check", models.named, table(BAD))
    assert "see --on-error" in done.stdout and "options." not in done.stdout


def ended_by(number, process):
    """The exit code and stderr of a process that a signal is to end at once."""
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(number)
    begun = time.monotonic()
    try:
        process.wait(20)
    finally:
        process.kill()
    assert time.monotonic() - begun < 5
    error = process.stderr.read().decode()
    process.stderr.close()
    return process.returncode, error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["predict", "check"])
def test_a_signal_ends_the_wait_for_a_slow_pipe(models, number, command, folder):
    os.mkfifo("rows")
    writes = ["-o", "out.csv"] if command == "predict" else []
    process = subprocess.Popen([ftl.program(), command, models.named, "rows", *writes], stderr=subprocess.PIPE)
    with open("rows", "w", encoding="utf-8") as rows:
        rows.write("age,größe,a b\n1,2,3\n")
        rows.flush()
        code, error = ended_by(number, process)  # nothing more comes, and the pipe stays open
    assert code == CODES["internal"] and error == "foretell: error: CANCELLED: cancelled\n"
    assert os.listdir(folder) == ["rows"]


def test_a_signal_ends_the_wait_for_a_writer(models, folder):
    os.mkfifo("rows")
    process = subprocess.Popen([ftl.program(), "predict", models.named, "rows", "-o", "out.csv"],
                               stderr=subprocess.PIPE)
    code, error = ended_by(signal.SIGINT, process)  # nobody ever opened the other end
    assert code == CODES["internal"] and "CANCELLED" in error
    assert os.listdir(folder) == ["rows"]


def test_a_signal_ends_the_wait_for_a_reader(models):
    big = table("age,größe,a b\n" + "1,2,3\n" * 400000)
    process = subprocess.Popen([ftl.program(), "predict", models.named, big], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    code, error = ended_by(signal.SIGTERM, process)  # the pipe is full and nobody reads it
    process.stdout.close()
    assert code == CODES["internal"] and "CANCELLED" in error


# ---- inspect and check ----------------------------------------------------------------------------------------------


def test_inspect_tells_what_the_model_is(models):
    text = ok("inspect", models.named).stdout
    for part in ["LogisticRegression", "scikit-learn", "yes", "no", *NAMES, "prediction"]:
        assert part in text
    description = json.loads(ok("inspect", models.named, "--json").stdout)
    assert re.search(r"LogisticRegression", json.dumps(description))
    assert all(name in json.dumps(description, ensure_ascii=False) for name in NAMES)


def test_inspect_names_what_it_does_not_run(folder):
    from sklearn.cluster import DBSCAN
    joblib.dump(DBSCAN().fit([[0.0], [1.0]]), "dbscan.joblib")
    refused("model", "inspect", "dbscan.joblib", says=["UNSUPPORTED", "DBSCAN"])
    pathlib.Path("evil.pkl").write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    refused("model", "inspect", "evil.pkl", says=["FORBIDDEN", "os.system"])
    assert not pathlib.Path("pwned").exists()


def test_check_is_a_dry_run(models):
    assert "would run" in ok("check", models.named, models.csv).stdout
    refused("data", "check", models.named, table("age\n1\n"), says=["größe", "a b"])
    process = refused("data", "check", models.named, table(BAD), says=["line 3", "age"])
    assert "6 rows read, 4 refused" in process.stdout
    assert sorted(os.listdir()) == ["in.csv"]


# ---- The terminal ---------------------------------------------------------------------------------------------------


def on_terminal(arguments, **environment):
    """stderr of the program when it is a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([ftl.program(), *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=follower, env={**os.environ, "TERM": "xterm", **environment})
    os.close(follower)
    for _ in range(8):  # slowly, for quick work shows no progress
        process.stdin.write(b"1,2,3\n" * 20000)
        process.stdin.flush()
        time.sleep(0.15)
    process.stdin.close()
    process.wait(20)
    return ftl.read_terminal(leader)


def test_progress_on_a_terminal_alone(models):
    shown = on_terminal(["predict", models.bare, "-", "--no-header"], NO_COLOR="")
    assert "rows/s" in shown and "\r" in shown and "\x1b[" in shown
    shown = on_terminal(["predict", models.bare, "-", "--no-header"], NO_COLOR="1")
    assert "\r" in shown and "\x1b[" not in shown
    assert "\r" not in ok("predict", models.named, models.csv, "-o", "o.csv").stderr


def test_starts_in_milliseconds():
    times = []
    for _ in range(10):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([ftl.program(), "--version"], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.02, times


if __name__ == "__main__":
    sys.exit(pytest.main([__file__]))
